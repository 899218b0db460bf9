//! The state of a run and of a migration that stopped before its end.

use crate::model::{Direction, MigrationName};

/// Where the database stands when a run ends early.
#[derive(Clone, Debug)]
pub struct Progress {
    /// What this run did before.
    pub done: Vec<MigrationName>,
    /// The newest migration that is applied now.
    pub current: Option<MigrationName>,
    /// What became of the script.
    pub outcome: Outcome,
    /// What this run did not get to.
    pub not_started: Vec<MigrationName>,
}

/// What became of a script that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its transaction was rolled back.
    RolledBack,
    /// It was refused before anything ran.
    NotStarted,
    /// It runs without a transaction, and stopped in the middle.
    Incomplete {
        /// How many statements are done.
        done: usize,
        /// How many there are.
        statements: usize,
    },
    /// It ended its own transaction, so that nobody can say what is left of it.
    Unfinished,
}

/// A migration without a transaction that was begun and is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// Which.
    pub name: MigrationName,
    /// Whether it was being applied or undone.
    pub direction: Direction,
    /// How it stands.
    pub progress: IncompleteState,
    /// How many statements the script had.
    pub statements: usize,
    /// How many of them are done.
    pub done: usize,
    pub(crate) done_checksum: String,
    /// The statement that was begun and not noted as done, and how.
    pub(crate) begun: Option<Begun>,
}

/// How an incomplete migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncompleteState {
    /// A migrator is at work, or one stopped without a word.
    Running,
    /// A statement failed.
    Failed,
    /// `migrator repair` has looked at it: it can go on.
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

/// Where a statement works on indexes, looked up before it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexTarget {
    /// The table; for `drop index` the index itself; none for those of a whole schema or database.
    pub(crate) relation: Option<u32>,
    /// The invalid indexes that were there before.
    pub(crate) known: Vec<u32>,
}

impl Incomplete {
    /// Whether it can go on as it is.
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
