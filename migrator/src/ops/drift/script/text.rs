//! A script as text: at its top what it leaves to a person, then one transaction.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{DriftScript, FoundRows};
use crate::model::text::count;
use crate::schema::catalog::quoting::quote;
use crate::schema::catalog::render::table_name;
use crate::schema::generate::{self, Statement, Transition};
use crate::sql::literal;

/// Others that use a table wait behind a statement that waits for its lock.
const LOCK_TIMEOUT: &str = "set local lock_timeout = '3s';";

/// The statements, from `begin` to `commit`; empty if there are none. `schema` is the one of names without a schema.
pub(super) fn body(schema: &str, statements: &[Statement], rows: &[FoundRows]) -> String {
    if statements.is_empty() {
        return String::new();
    }
    let plain = |sql: String| Statement { remarks: Vec::new(), sql };
    let mut all = vec![
        plain("begin;".to_owned()),
        plain(format!("set local search_path = {};", quote(schema))),
        plain("set local client_min_messages = warning;".to_owned()),
        Statement {
            remarks: vec!["Fails rather than wait for long, and can be run again.".to_owned()],
            sql: LOCK_TIMEOUT.to_owned(),
        },
    ];
    let guarded: Vec<&FoundRows> =
        rows.iter().filter(|rows| rows.blocks && rows.count.is_some()).collect();
    if !guarded.is_empty() {
        let tables: BTreeSet<String> = guarded.iter().map(|rows| table_name(&rows.id)).collect();
        let tables = tables.into_iter().collect::<Vec<_>>().join(", ");
        all.push(plain(format!("lock table {tables} in access exclusive mode;")));
        let remark = "Fails where a row is in the way, with the query that finds it.".to_owned();
        all.push(Statement { remarks: vec![remark], sql: guard(&guarded) });
    }
    all.extend(statements.iter().cloned());
    all.push(plain("commit;".to_owned()));
    let body = generate::script("", &Transition { statements: all, ..Transition::default() });
    body.trim_start().to_owned()
}

fn guard(rows: &[&FoundRows]) -> String {
    let mut checks = String::new();
    for rows in rows {
        let message = literal(&format!("{}: {}", rows.id, rows.problem));
        let hint = literal(&rows.query);
        let _ = writeln!(
            checks,
            "  if exists ({}) then\n    raise exception using errcode = 'check_violation', message = {message},\n      hint = {hint};\n  end if;",
            rows.query
        );
    }
    let mut tag = "check".to_owned();
    while checks.contains(&format!("${tag}$")) {
        tag.push('_');
    }
    format!("do ${tag}$\nbegin\n{checks}end\n${tag}$;")
}

/// The whole script.
pub(super) fn script(script: &DriftScript, body: &str) -> String {
    let newest = script.leads_to.as_ref().map_or("no migration".to_owned(), ToString::to_string);
    let mut lines = vec![
        format!("Takes this database to the schema of its migrations, up to {newest}."),
        "Written by `migrator drift --script`, which has tried it in a copy of the schema, without rows.".to_owned(),
    ];
    let found = |blocks| {
        let rows = script.rows.iter();
        let rows = rows.filter(move |rows| (rows.blocks && rows.count.is_some()) == blocks);
        rows.flat_map(|rows| vec![format!("  {}", describe(rows)), format!("    {};", rows.query)])
            .collect::<Vec<_>>()
    };
    let undecided = script.undecided.iter().flat_map(|change| {
        let reason = change.reason.lines().map(|line| format!("  {line}"));
        reason.chain(change.sql.iter().map(|sql| format!("    {sql}"))).collect::<Vec<_>>()
    });
    let optional = script
        .optional
        .iter()
        .map(|id| format!("  {id}: null is allowed now, because the migrations do not have it"));
    let remarks = script.lossy.iter().flat_map(|statement| &statement.remarks);
    let lossy = remarks.filter_map(|remark| remark.strip_prefix(generate::LOST));
    for (title, paragraph) in [
        ("FIRST change these rows, or the script fails and changes nothing:", found(true)),
        ("LOOK at these rows, which are in doubt:", found(false)),
        ("NOT DONE, to be decided:", undecided.collect()),
        (
            "MADE OPTIONAL, because what writes by the migrations gives no value:",
            optional.collect(),
        ),
        ("LOST:", lossy.map(|lost| format!("  {lost}")).collect()),
        (
            "KEPT, as only this database has it:",
            script.kept().iter().map(|line| format!("  {line}")).collect(),
        ),
        ("NOTE:", script.notes.iter().map(|note| format!("  {note}")).collect()),
    ] {
        if !paragraph.is_empty() {
            lines.push(String::new());
            lines.push(title.to_owned());
            lines.extend(paragraph);
        }
    }
    let heading: String = lines
        .iter()
        .map(|line| if line.is_empty() { "--\n".to_owned() } else { format!("-- {line}\n") })
        .collect();
    if body.is_empty() {
        return format!("{heading}\n-- There is nothing to change.\n");
    }
    format!("{heading}\n{body}")
}

/// One line about rows: their number, and what is wrong with them.
pub fn describe(rows: &FoundRows) -> String {
    match rows.count {
        Some(number) => {
            let number = count(usize::try_from(number).unwrap_or_default(), "row");
            format!("{number} for {}: {}", rows.id, rows.problem)
        }
        None => format!("rows for {}, which cannot be counted yet: {}", rows.id, rows.problem),
    }
}
