//! Errors while a migration without a transaction is incomplete.

use thiserror::Error;

use crate::error::exit_code;
use crate::model::{Direction, Incomplete, IncompleteState, MigrationName};

/// Why nothing is run, or repaired, while a migration is incomplete.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IncompleteError {
    /// It has to be repaired first.
    #[error("{} is incomplete: {}", .0.name, .0.summary())]
    Unrepaired(Box<Incomplete>),
    /// It is repaired, and has to be finished first.
    #[error("{} is repaired and not finished: {}", .0.name, .0.summary())]
    Unfinished(Box<Incomplete>),
    /// What is done was edited, so that nobody could say what the rest would come to.
    #[error("{file}: the statements that are done are not those that the script begins with now")]
    Edited {
        /// The script.
        file: String,
        /// How many are done.
        done: usize,
    },
    /// The script is to run in a transaction now, half of it done.
    #[error("{file} began without a transaction, and its first line does not say so any more")]
    ModeChanged {
        /// The script.
        file: String,
    },
    /// There is no script to go on with.
    #[error("{name} is incomplete, and there is no file to {direction} it")]
    NoScript {
        /// Which.
        name: MigrationName,
        /// What was being done.
        direction: Direction,
    },
    /// Only what was being applied can be given up by undoing it.
    #[error("{name} was being undone: that can be finished, not given up")]
    BeingUndone {
        /// Which.
        name: MigrationName,
    },
    /// Giving it up destroys what it made.
    #[error("undoing an incomplete migration destroys data and nobody is here to be asked")]
    Unconfirmed,
}

impl IncompleteError {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Unrepaired(_) | Self::Unfinished(_) => exit_code::INCOMPLETE,
            Self::Edited { .. }
            | Self::ModeChanged { .. }
            | Self::NoScript { .. }
            | Self::BeingUndone { .. }
            | Self::Unconfirmed => exit_code::USAGE,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Unconfirmed => "confirmation_needed",
            Self::Unrepaired(_)
            | Self::Unfinished(_)
            | Self::Edited { .. }
            | Self::ModeChanged { .. }
            | Self::NoScript { .. }
            | Self::BeingUndone { .. } => "incomplete",
        }
    }

    pub(crate) fn details(&self) -> Vec<String> {
        match self {
            Self::Unrepaired(incomplete) => match incomplete.progress {
                IncompleteState::Running => {
                    vec!["the migrator stopped in the middle; nothing was run".to_owned()]
                }
                IncompleteState::Failed | IncompleteState::Repaired => {
                    vec!["nothing was run".to_owned()]
                }
            },
            Self::Edited { done, .. } => {
                let statements = if *done == 1 { "statement is" } else { "statements are" };
                vec![format!("{done} {statements} done; nothing was changed")]
            }
            Self::Unfinished(_)
            | Self::ModeChanged { .. }
            | Self::NoScript { .. }
            | Self::BeingUndone { .. }
            | Self::Unconfirmed => vec!["nothing was changed".to_owned()],
        }
    }

    pub(crate) fn hint(&self) -> String {
        match self {
            Self::Unrepaired(_) => {
                "`migrator repair` removes what is left over and tells where to go on; edit the statements that are left to do first, if one of them failed".to_owned()
            }
            Self::Unfinished(incomplete) => match incomplete.direction {
                Direction::Apply => {
                    "`migrator up` goes on with it; `migrator repair --undo` gives it up".to_owned()
                }
                Direction::Undo => {
                    "`migrator down` goes on with it, or `migrator repair --undo` where it was never applied".to_owned()
                }
            },
            Self::Edited { .. } => {
                "restore them and edit only what is left to do, or begin at the first statement again with `migrator repair --restart`".to_owned()
            }
            Self::ModeChanged { .. } => {
                "restore the line, or begin again with `migrator repair --restart`".to_owned()
            }
            Self::NoScript { .. } => {
                "is this the right folder or version of the program? Restore the file".to_owned()
            }
            Self::BeingUndone { .. } => {
                "`migrator repair` and `migrator down` go on with it; then apply it again".to_owned()
            }
            Self::Unconfirmed => {
                "add `--yes` to undo without being asked; nothing was changed".to_owned()
            }
        }
    }
}
