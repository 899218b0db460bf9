//! Errors while a migration without a transaction is incomplete.

use super::diagnostic::diagnostics;
use super::kind;
use crate::model::{Direction, Incomplete, IncompleteState, MigrationName};

diagnostics! {
    /// An incomplete migration, because of which nothing else is run or repaired.
    pub enum IncompleteError {
        /// It has to be repaired first.
        #[error("{} is incomplete: {}", incomplete.name, incomplete.summary())]
        #[diagnostic(
            kind::INCOMPLETE_MIGRATION,
            details = match incomplete.progress {
                IncompleteState::Running => "the migrator stopped in the middle; nothing was run",
                IncompleteState::Failed | IncompleteState::Repaired => "nothing was run",
            },
            hint = "`migrator repair` removes what is left over and says where it resumes; edit the statements that are left to do first, if one of them failed",
        )]
        Unrepaired(incomplete: Box<Incomplete>),
        /// It is repaired, and has to be finished first.
        #[error("{} is repaired and not finished: {}", incomplete.name, incomplete.summary())]
        #[diagnostic(
            kind::INCOMPLETE_MIGRATION,
            details = "nothing was changed",
            hint = match incomplete.direction {
                Direction::Apply => "`migrator up` resumes it; `migrator repair --undo` gives it up",
                Direction::Undo => "`migrator down` resumes it, or `migrator repair --undo` where it was never applied",
            },
        )]
        Unfinished(incomplete: Box<Incomplete>),
        /// The statements that are done were edited, so that the rest may not fit to them.
        #[error("{file}: the statements that are done are not those that the script begins with now")]
        #[diagnostic(
            kind::INCOMPLETE_REPAIR,
            details = format!(
                "{done} {} done; nothing was changed",
                if *done == 1 { "statement is" } else { "statements are" },
            ),
            hint = "restore them and edit only what is left to do, or begin at the first statement again with `migrator repair --restart`",
        )]
        Edited { file: String, done: usize },
        /// The script is to run in a transaction now, half of it done.
        #[error("{file} began without a transaction, and its first line does not say so any more")]
        #[diagnostic(
            kind::INCOMPLETE_REPAIR,
            details = "nothing was changed",
            hint = "restore the line, or begin again with `migrator repair --restart`",
        )]
        ModeChanged { file: String },
        /// There is no script to resume.
        #[error("{name} is incomplete, and there is no file to {direction} it")]
        #[diagnostic(
            kind::INCOMPLETE_REPAIR,
            details = "nothing was changed",
            hint = "is this the right folder or version of the program? Restore the file",
        )]
        NoScript { name: MigrationName, direction: Direction },
        /// Only what was being applied can be given up by undoing it.
        #[error("{name} was being undone: that can be finished, not given up")]
        #[diagnostic(
            kind::INCOMPLETE_REPAIR,
            details = "nothing was changed",
            hint = "`migrator repair` and `migrator down` resume it; then apply it again",
        )]
        BeingUndone { name: MigrationName },
        /// Giving it up drops what it created.
        #[error("undoing an incomplete migration destroys data, and there is no terminal to confirm it")]
        #[diagnostic(
            kind::CONFIRMATION_NEEDED,
            details = "nothing was changed",
            hint = "add `--yes` to undo without being asked; nothing was changed",
        )]
        Unconfirmed,
    }
}
