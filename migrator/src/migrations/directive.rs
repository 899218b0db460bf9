//! The directive in the first line of a migration file: `-- migrator: no-transaction`.

use crate::model::TransactionMode;
use crate::sql;

/// Directive in the first line of a file that does not run in a transaction.
pub(crate) const NO_TRANSACTION: &str = "no-transaction";

/// Of the linter, which reads it anywhere in the file.
const ALLOW: &str = "allow";

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
