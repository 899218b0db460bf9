//! The directive in the first line of a migration file: `-- migrator: no-transaction`.

use std::ops::Range;

use crate::model::TransactionMode;
use crate::sql;

/// Directive in the first line of a file that does not run in a transaction.
pub(crate) const NO_TRANSACTION: &str = "no-transaction";

/// Of the linter, which reads it anywhere in the file.
const ALLOW: &str = "allow";

/// Name under which a statement that reaches beyond its database is accepted.
pub(crate) const BEYOND_DATABASE: &str = "beyond-database";

/// Reads the first line. A directive that does not exist is an error, and so is one further down,
/// where it would be a mere comment.
pub(crate) fn read(script: &str) -> Result<TransactionMode, String> {
    let first_statement = sql::statements(script).first().map_or(script.len(), |first| first.start);
    let mut mode = TransactionMode::One;
    for (index, line) in script[..first_statement].lines().enumerate() {
        let Some(directive) = directive(line) else { continue };
        match (directive, index) {
            (NO_TRANSACTION, 0) => mode = TransactionMode::None,
            (NO_TRANSACTION, _) => {
                return Err(format!("`-- migrator: {NO_TRANSACTION}` has to be the first line"));
            }
            (directive, _) if directive.split_whitespace().next() == Some(ALLOW) => {}
            (unknown, 0) => {
                return Err(format!(
                    "there is no directive `-- migrator: {unknown}`; there are `{NO_TRANSACTION}` and `{ALLOW} RULE`"
                ));
            }
            _ => {}
        }
    }
    Ok(mode)
}

/// Text of a comment for the migrator.
pub(crate) fn directive(line: &str) -> Option<&str> {
    let comment = line.trim().strip_prefix("--")?;
    Some(comment.trim_start().strip_prefix("migrator:")?.trim())
}

/// Splits `RULE because REASON`; there is no reason if that says nothing.
pub(crate) fn allowance(text: &str) -> (&str, Option<&str>) {
    let (rule, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
    let reason = rest.trim().strip_prefix("because").map(str::trim);
    (rule, reason.filter(|reason| reason.chars().any(char::is_alphanumeric)))
}

/// The statement that a comment is about: the one around it, the one that ends on its line, or else
/// the next. `statements` are the places of the statements, in order.
pub(crate) fn statement_of(
    sql: &str,
    comment: &Range<usize>,
    statements: &[Range<usize>],
) -> Option<usize> {
    let next = statements.iter().position(|statement| comment.start < statement.end);
    if next.is_some_and(|next| statements[next].start < comment.start) {
        return next;
    }
    let previous = next.unwrap_or(statements.len()).checked_sub(1);
    let ends_here =
        |previous: &usize| !sql[statements[*previous].end..comment.start].contains('\n');
    previous.filter(ends_here).or(next)
}

#[cfg(test)]
mod tests {
    use super::{TransactionMode, read};

    #[test]
    fn the_first_line_decides() {
        for (script, mode) in [
            ("", TransactionMode::One),
            ("create table a ();", TransactionMode::One),
            ("-- migrator: no-transaction\nselect 1;", TransactionMode::None),
            ("--migrator:no-transaction\r\nselect 1;", TransactionMode::None),
            ("-- migrator: allow drop-table\nselect 1;", TransactionMode::One),
            ("-- a\n-- migrator: allow drop-table\nselect 1;", TransactionMode::One),
            ("-- the migrator: a comment\nselect 1;", TransactionMode::One),
            ("select 1;\n-- migrator: no-transaction", TransactionMode::One),
        ] {
            assert_eq!(read(script), Ok(mode), "{script}");
        }
    }

    #[test]
    fn directives_that_mean_nothing_are_refused() {
        for (script, problem) in [
            (
                "-- migrator: no-transactions",
                "there is no directive `-- migrator: no-transactions`; there are `no-transaction` and `allow RULE`",
            ),
            (
                "-- a\n-- migrator: no-transaction\nselect 1;",
                "`-- migrator: no-transaction` has to be the first line",
            ),
        ] {
            assert_eq!(read(script), Err(problem.to_owned()));
        }
    }
}
