//! The state of a run and of a migration that stopped before its end.

use crate::model::{Direction, MigrationName};

/// State of the database after a run that ended early.
#[derive(Clone, Debug)]
pub struct Progress {
    /// Migrations that this run completed.
    pub done: Vec<MigrationName>,
    /// The newest migration that is applied now.
    pub current: Option<MigrationName>,
    /// Outcome of the script that failed.
    pub outcome: Outcome,
    /// Migrations that this run did not start.
    pub not_started: Vec<MigrationName>,
}

/// Outcome of a script that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its transaction was rolled back.
    RolledBack,
    /// It was refused before anything ran.
    NotStarted,
    /// It runs without a transaction, and stopped in the middle.
    Incomplete {
        /// Number of completed statements.
        done: usize,
        /// Number of statements in the script.
        statements: usize,
    },
    /// It ended its own transaction: its effects are unknown.
    Unfinished,
}

/// A migration without a transaction that was begun and is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// Which.
    pub name: MigrationName,
    /// Apply or undo.
    pub direction: Direction,
    /// State of the migration.
    pub progress: IncompleteState,
    /// Number of statements that the script had.
    pub statements: usize,
    /// Number of completed statements.
    pub done: usize,
    pub(crate) done_checksum: String,
    /// The statement that was started and not recorded as completed.
    pub(crate) begun: Option<Begun>,
}

/// State of an incomplete migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncompleteState {
    /// A migrator is at work, or one stopped without a word.
    Running,
    /// A statement failed.
    Failed,
    /// `migrator repair` has checked it: it can be resumed.
    Repaired,
}

/// A statement that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) text: String,
    /// Outside of a transaction, so that a part of it can stay.
    pub(crate) outside_transaction: bool,
    pub(crate) target: Option<IndexTarget>,
}

/// Table or index that a statement works on, looked up before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexTarget {
    /// The table; for `drop index` the index itself; none for those of a whole schema or database.
    pub(crate) relation: Option<u32>,
    /// The invalid indexes that were there before.
    pub(crate) known: Vec<u32>,
}

impl Incomplete {
    /// True if it can be resumed as it is.
    pub fn is_repaired(&self) -> bool {
        self.progress == IncompleteState::Repaired
    }

    /// `2 of 4 statements are done`.
    pub(crate) fn summary(&self) -> String {
        let verb = if self.done == 1 { "is" } else { "are" };
        let undoing = match self.direction {
            Direction::Apply => "",
            Direction::Undo => " of undoing it",
        };
        format!("{} of {} statements{undoing} {verb} done", self.done, self.statements)
    }
}
