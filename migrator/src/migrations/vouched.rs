//! Statements that reach beyond their database, and for which a person has vouched: they may run in a
//! shadow database on the live server. A comment does so for one statement, with a reason
//! (`-- migrator: allow beyond-database because …`), a line of `lint.allow` for a whole file.

use std::ops::Range;

use crate::migrations::directive::{BEYOND_DATABASE, allowance, directive, statement_of};
use crate::migrations::{File, Migrations};
use crate::sql;

/// What a person has vouched for in a file.
pub(crate) enum Vouched {
    /// Nothing.
    None,
    /// These statements.
    Statements(Vec<Range<usize>>),
    /// Everything.
    All,
}

impl Vouched {
    /// True if it covers no statement.
    pub(crate) fn is_none(&self) -> bool {
        match self {
            Self::None => true,
            Self::Statements(statements) => statements.is_empty(),
            Self::All => false,
        }
    }

    /// True if it covers the statement at a byte offset.
    pub(crate) fn covers(&self, offset: usize) -> bool {
        match self {
            Self::None => false,
            Self::Statements(statements) => {
                statements.iter().any(|statement| statement.contains(&offset))
            }
            Self::All => true,
        }
    }
}

impl Migrations {
    /// What a person has vouched for in one of the files.
    pub(crate) fn vouched(&self, file: &File) -> Vouched {
        let lines = self.allowances.iter().flat_map(|allowances| allowances.sql.lines());
        let mut lines = lines.filter_map(|line| line.trim().split_once(char::is_whitespace));
        let stem = file.name.strip_suffix(".sql").unwrap_or(&file.name);
        let is_all = lines.any(|(name, rest)| {
            let rest = rest.trim_start().strip_prefix("allow ");
            name == stem && rest.is_some_and(is_vouched)
        });
        if is_all {
            return Vouched::All;
        }
        // Most scripts have no such comment, and need not be parsed for it.
        if !file.sql.contains(BEYOND_DATABASE) {
            return Vouched::None;
        }
        let statements: Vec<Range<usize>> = sql::statements(&file.sql)
            .iter()
            .map(|statement| statement.start..statement.end)
            .collect();
        let comments = sql::comments(&file.sql).into_iter().filter(|comment| {
            let rest = directive(&file.sql[comment.clone()]);
            rest.and_then(|rest| rest.strip_prefix("allow")).is_some_and(is_vouched)
        });
        let vouched = comments
            .filter_map(|comment| statement_of(&file.sql, &comment, &statements))
            .map(|index| statements[index].clone())
            .collect();
        Vouched::Statements(vouched)
    }
}

/// True for `beyond-database because REASON`.
fn is_vouched(text: &str) -> bool {
    matches!(allowance(text), (BEYOND_DATABASE, Some(_)))
}
