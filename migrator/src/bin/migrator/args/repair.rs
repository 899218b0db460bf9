//! The arguments of `migrator repair`.

use clap::Args;
use migrator::RepairAction;

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct RepairArguments {
    /// Forget what is done; `up` or `down` then begins at the first statement.
    #[arg(long, group = "action")]
    restart: bool,

    /// It was finished by hand: note it in the history as applied, or as undone.
    #[arg(long, group = "action")]
    applied: bool,

    /// Give up a migration that is not applied: run its undo script, and forget about it.
    ///
    /// Destroys what it made, data included. Asks on a terminal; elsewhere it needs `--yes`.
    #[arg(long, group = "action")]
    undo: bool,
}

impl RepairArguments {
    pub(crate) fn action(self) -> RepairAction {
        if self.restart {
            RepairAction::Restart
        } else if self.applied {
            RepairAction::Finished
        } else if self.undo {
            RepairAction::Undo
        } else {
            RepairAction::Resume
        }
    }
}
