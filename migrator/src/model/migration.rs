//! A migration's name, and how its scripts run.

use std::fmt;

use serde::Serialize;

/// Name of a migration. Displays as `V1__initial_schema`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MigrationName {
    /// Counts up from 1; gaps are fine, and so are timestamps such as 20240131123456.
    pub version: i64,
    /// Description in lower case with underscores.
    pub name: String,
}

impl MigrationName {
    /// True if the version needs 64 bits, such as a timestamp of 14 digits.
    pub(crate) fn is_wide(&self) -> bool {
        i32::try_from(self.version).is_err()
    }
}

impl fmt::Display for MigrationName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "V{}__{}", self.version, self.name)
    }
}

/// Purpose of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It applies a migration.
    Apply,
    /// It undoes one.
    Undo,
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Apply => "apply",
            Self::Undo => "undo",
        })
    }
}

/// Transaction mode of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionMode {
    /// All of it in one transaction, together with its row in the history.
    One,
    /// Statement by statement, for what PostgreSQL does not do in a transaction.
    None,
}
