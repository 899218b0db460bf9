//! `-- migrator: allow RULE because REASON`, beside a statement.
//!
//! Such a comment is above its statement, within it, or at the end of its last line. It applies to one
//! rule and one statement; a statement may have several.

use std::ops::Range;

use squawk_syntax::{SyntaxElement, SyntaxKind, SyntaxNode};

use crate::migrations::File;
use crate::migrations::directive::{
    BEYOND_DATABASE, NO_TRANSACTION, allowance, directive, statement_of,
};
use crate::model::TransactionMode;
use crate::ops::lint::finding::Finding;
use crate::ops::lint::rules::check_name;

pub(crate) const WITHOUT_REASON: &str = "allow-without-reason";
pub(crate) const UNKNOWN_RULE: &str = "unknown-rule";
pub(crate) const UNUSED: &str = "unused-allow";
const UNKNOWN_COMMENT: &str = "unknown-comment";

const FORM: &str = "write `-- migrator: allow RULE because REASON`";

/// Beginnings of squawk's own comments.
pub(crate) const FOR_SQUAWK: [&str; 2] = ["squawk-ignore", "squawk-disable"];

/// The comments of one file.
#[derive(Debug, Default)]
pub(crate) struct Comments {
    pub(crate) allowances: Vec<Allowance>,
    pub(crate) mistakes: Vec<Finding>,
}

/// One rule that is accepted for one statement.
#[derive(Debug)]
pub(crate) struct Allowance {
    rule: String,
    /// The number of the statement, if there is one for it.
    statement: Option<usize>,
    comment: Range<usize>,
    used: bool,
}

/// Reads `RULE because REASON`: the rule, or what is wrong and under which name.
pub(crate) fn read_allowance(text: &str) -> Result<&str, (&'static str, String)> {
    let (rule, reason) = allowance(text);
    if rule.is_empty() {
        return Err((UNKNOWN_RULE, "no rule is named".to_owned()));
    }
    check_name(rule).map_err(|problem| (UNKNOWN_RULE, problem))?;
    match reason {
        Some(_) => Ok(rule),
        None => Err((WITHOUT_REASON, format!("`{rule}` is not accepted without a reason"))),
    }
}

impl Comments {
    /// Those in a parsed file. `statements` are the places of its statements, in order.
    pub(crate) fn of(file: &File, root: &SyntaxNode, statements: &[Range<usize>]) -> Self {
        let mut comments = Self::default();
        let tokens = root.descendants_with_tokens().filter_map(SyntaxElement::into_token);
        for token in tokens.filter(|token| token.kind() == SyntaxKind::COMMENT) {
            let place =
                usize::from(token.text_range().start())..usize::from(token.text_range().end());
            comments.read(file, place, statements);
        }
        comments
    }

    fn read(&mut self, file: &File, place: Range<usize>, statements: &[Range<usize>]) {
        let mut mistake = |rule, message, help: &str| {
            self.mistakes.push(Finding::at(file, place.clone(), rule, message).help(help));
        };
        let text = &file.sql[place.clone()];
        if is_for_squawk(text) {
            let message = "comments for squawk have no effect here".to_owned();
            return mistake(UNKNOWN_COMMENT, message, FORM);
        }
        let Some(directive) = directive(text) else { return };
        if directive == NO_TRANSACTION {
            if file.sql[..place.start].contains('\n') || file.mode != TransactionMode::None {
                let message = "`no-transaction` has an effect on the first line only".to_owned();
                mistake(UNKNOWN_COMMENT, message, "move it to the beginning of the file");
            }
            return;
        }
        let rest = directive.strip_prefix("allow");
        let Some(rest) =
            rest.filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
        else {
            let message = format!("this says nothing to the migrator: `{directive}`");
            return mistake(UNKNOWN_COMMENT, message, FORM);
        };
        match read_allowance(rest) {
            Ok(rule) => self.allowances.push(Allowance {
                rule: rule.to_owned(),
                statement: statement_of(&file.sql, &place, statements),
                comment: place,
                used: false,
            }),
            Err((rule, message)) => mistake(rule, message, FORM),
        }
    }

    /// True if a rule is accepted for a statement. Marks the comment as used.
    pub(crate) fn allow(&mut self, rule: &str, statement: Option<usize>) -> bool {
        let allowance = self.allowances.iter_mut().find(|allowance| {
            allowance.rule == rule && allowance.statement == statement && statement.is_some()
        });
        allowance.map(|allowance| allowance.used = true).is_some()
    }

    /// Mistakes in the comments, after every finding was checked.
    pub(crate) fn into_mistakes(self, file: &File) -> Vec<Finding> {
        let unused = self.allowances.into_iter().filter(|allowance| !allowance.used);
        // Shadow databases read these.
        let unused = unused.filter(|allowance| allowance.rule != BEYOND_DATABASE);
        let unused = unused.map(|Allowance { rule, statement, comment, .. }| {
            let message = match statement {
                Some(_) => format!("`{rule}` finds nothing in the statement of this comment"),
                None => format!("no statement follows for which `{rule}` could be accepted"),
            };
            Finding::at(file, comment, UNUSED, message).help("take the comment out")
        });
        self.mistakes.into_iter().chain(unused).collect()
    }
}

fn is_for_squawk(comment: &str) -> bool {
    let body = comment.trim_start_matches(['-', '/', '*']).trim_start();
    FOR_SQUAWK.iter().any(|prefix| body.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::read_allowance;

    #[test]
    fn an_allowance_has_a_rule_and_a_reason() {
        for (text, read) in [
            ("ban-drop-table because it is empty", Ok("ban-drop-table")),
            ("  syntax  because\tit is new ", Ok("syntax")),
            ("ban-drop-table", Err("allow-without-reason")),
            ("ban-drop-table because", Err("allow-without-reason")),
            ("ban-drop-table because …", Err("allow-without-reason")),
            ("ban-drop-table it is empty", Err("allow-without-reason")),
            ("ban-drop-table, ban-drop-column because x", Err("unknown-rule")),
            ("", Err("unknown-rule")),
        ] {
            assert_eq!(read_allowance(text).map_err(|(rule, _)| rule), read, "{text}");
        }
    }
}
