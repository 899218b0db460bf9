//! Lints one script: squawk's findings, less the allowed ones.

use std::collections::BTreeSet;
use std::ops::Range;

use squawk_linter::{Linter, Rule, Violation};
use squawk_syntax::{Parse, SourceFile, SyntaxElement, SyntaxKind, SyntaxNode};

use crate::migrations::File;
use crate::model::TransactionMode;
use crate::ops::lint::allow::{Comments, FOR_SQUAWK};
use crate::ops::lint::finding::Finding;
use crate::ops::lint::rules::{self, CONCURRENTLY, GENERAL, PRECISE};

/// The oldest major version that is supported.
const POSTGRESQL: &str = "14";

/// Documentation of squawk's rules.
const DOCUMENTATION: &str = "https://squawkhq.com/docs";

const OUTSIDE: &str = "to run the script outside a transaction, write `-- migrator: no-transaction` on its first line";

/// Purpose of a script.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Apply,
    Undo,
}

/// Findings in a script.
pub(crate) struct Linted {
    pub(crate) findings: Vec<Finding>,
    pub(crate) allowed: usize,
}

pub(crate) fn lint(file: &File, purpose: Purpose) -> Linted {
    let in_transaction = file.mode == TransactionMode::One;
    let parse = SourceFile::parse(&file.sql);
    let root = parse.syntax_node();
    let statements = statements(&root);
    let mut comments = Comments::of(file, &root, &statements);

    let mut linter = match purpose {
        Purpose::Apply => rules::for_applying(),
        Purpose::Undo => rules::for_undoing(),
    };
    linter.settings.assume_in_transaction = in_transaction;
    if let Ok(version) = POSTGRESQL.parse() {
        linter.settings.pg_version = version;
    }
    let mut found = syntax_errors(file, &parse, &statements);
    // Other sessions cannot see new tables before the commit.
    let unseen = if in_transaction { on_new_tables(&root) } else { Vec::new() };
    let seen = |violation: &&Violation| {
        let start = usize::from(violation.text_range.start());
        !unseen.iter().any(|statement| statement.contains(&start))
    };
    found.extend(violations(linter, file).iter().filter(seen).map(|violation| {
        let finding = finding(file, violation);
        if in_transaction && CONCURRENTLY.contains(&violation.code) {
            finding.help(OUTSIDE)
        } else {
            finding
        }
    }));
    if in_transaction {
        found.extend(concurrent_in_transaction(file, &root));
    }

    let number = found.len();
    let mut findings: Vec<Finding> = found
        .into_iter()
        .filter(|finding| {
            let statement = statement_at(finding.bytes.start, &statements);
            !comments.allow(&finding.rule, statement)
        })
        .collect();
    let allowed = number - findings.len();
    findings.extend(comments.into_mistakes(file));
    findings.sort_by_key(|finding| finding.bytes.start);
    Linted { findings, allowed }
}

/// Findings of squawk's rules. Its own comments are hidden from it, because they need no reason.
fn violations(mut linter: Linter, file: &File) -> Vec<Violation> {
    let text = FOR_SQUAWK
        .iter()
        .fold(file.sql.clone(), |sql, name| sql.replace(name, &"-".repeat(name.len())));
    let all = linter.lint(&SourceFile::parse(&text), &text);
    let is_said_better = |general: &Violation| {
        all.iter().any(|other| {
            PRECISE.contains(&other.code)
                && general.text_range.intersect(other.text_range).is_some()
        })
    };
    let said_once =
        |violation: &&Violation| violation.code != GENERAL || !is_said_better(violation);
    all.iter().filter(said_once).cloned().collect()
}

fn finding(file: &File, violation: &Violation) -> Finding {
    let place = bytes(violation.text_range.start(), violation.text_range.end());
    let rule = violation.code.to_string();
    let mut finding = Finding::at(file, place, &rule, violation.message.clone());
    finding.help.extend(violation.help.clone());
    finding.url = Some(format!("{DOCUMENTATION}/{rule}"));
    finding
}

/// The first of each statement: the others follow from it.
fn syntax_errors(
    file: &File,
    parse: &Parse<SourceFile>,
    statements: &[Range<usize>],
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut last = None;
    for error in parse.errors() {
        let place = bytes(error.range().start(), error.range().end());
        let statement = statement_at(place.start, statements);
        if last.replace(statement) != Some(statement) {
            let finding = Finding::at(file, place, rules::SYNTAX, error.message().to_owned());
            findings.push(finding.help("if PostgreSQL accepts this, add an allow comment"));
        }
    }
    findings
}

/// Statements with `concurrently` that PostgreSQL refuses in a transaction. (It takes one: to
/// refresh a materialized view.)
fn concurrent_in_transaction(file: &File, root: &SyntaxNode) -> Vec<Finding> {
    let rule = Rule::BanConcurrentIndexCreationInTransaction.to_string();
    let tokens = root.descendants_with_tokens().filter_map(SyntaxElement::into_token);
    let mut findings = Vec::new();
    for token in tokens.filter(|token| token.kind() == SyntaxKind::CONCURRENTLY_KW) {
        let Some(statement) =
            token.parent_ancestors().find(|node| node.parent().as_ref() == Some(root))
        else {
            continue;
        };
        let kind = match statement.kind() {
            SyntaxKind::CREATE_INDEX => "create index",
            SyntaxKind::DROP_INDEX => "drop index",
            SyntaxKind::REINDEX => "reindex",
            SyntaxKind::ALTER_TABLE => "detach partition",
            _ => continue,
        };
        let place = bytes(token.text_range().start(), token.text_range().end());
        let message = format!(
            "`{kind}` cannot run `concurrently` in a transaction, and this script runs in one"
        );
        let mut finding = Finding::at(file, place, &rule, message).help(OUTSIDE);
        finding.url = Some(format!("{DOCUMENTATION}/{rule}"));
        findings.push(finding);
    }
    findings
}

/// Positions of the statements that alter or drop tables that the same script created. squawk does this
/// for some rules only. A table created `if not exists` may be an old one.
fn on_new_tables(root: &SyntaxNode) -> Vec<Range<usize>> {
    let mut made = BTreeSet::new();
    let mut found = Vec::new();
    for statement in root.children() {
        let names = |kind| {
            let nodes = statement.descendants().filter(move |node| node.kind() == kind);
            nodes.map(|name| name.text().to_string().trim().to_lowercase()).collect::<Vec<_>>()
        };
        let is_new = match statement.kind() {
            SyntaxKind::CREATE_TABLE => {
                let is_certain =
                    statement.children().all(|node| node.kind() != SyntaxKind::IF_NOT_EXISTS);
                made.extend(names(SyntaxKind::TABLE_NAME).into_iter().filter(|_| is_certain));
                false
            }
            SyntaxKind::ALTER_TABLE => {
                let name = names(SyntaxKind::TABLE_RELATION_NAME);
                name.first().is_some_and(|name| made.contains(name))
            }
            SyntaxKind::DROP_TABLE => {
                let names = names(SyntaxKind::TABLE_NAME_REF);
                !names.is_empty() && names.iter().all(|name| made.contains(name))
            }
            _ => false,
        };
        if is_new {
            found.push(bytes(statement.text_range().start(), statement.text_range().end()));
        }
    }
    found
}

/// The places of the statements, in order, each with its semicolon. What cannot be parsed belongs
/// to what follows, up to a semicolon.
fn statements(root: &SyntaxNode) -> Vec<Range<usize>> {
    let mut statements: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    for element in root.children_with_tokens().filter(|element| !element.kind().is_trivia()) {
        let place = bytes(element.text_range().start(), element.text_range().end());
        match statements.last_mut() {
            Some(last) if open => last.end = place.end,
            _ => statements.push(place),
        }
        let last =
            element.as_node().map_or_else(|| element.as_token().cloned(), SyntaxNode::last_token);
        open = last.is_none_or(|token| token.kind() != SyntaxKind::SEMICOLON);
    }
    statements
}

/// The statement at a place, or the one before it: an error may be at the end of the file.
fn statement_at(byte: usize, statements: &[Range<usize>]) -> Option<usize> {
    statements.iter().rposition(|statement| statement.start <= byte)
}

/// The type of offsets in a syntax tree has no name here.
fn bytes(start: impl Into<usize>, end: impl Into<usize>) -> Range<usize> {
    start.into()..end.into()
}
