//! The arguments of `migrator repair`.

use clap::Args;
use migrator::RepairAction;

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct RepairArguments {
    /// Discard the progress; `up` or `down` then starts at the first statement.
    #[arg(long, group = "action")]
    restart: bool,

    /// The rest was run by hand: record the migration as applied, or as undone.
    #[arg(long, group = "action")]
    applied: bool,

    /// Run the undo script of an incomplete migration that is not applied.
    ///
    /// Drops what it created, data included. Asks for confirmation on a terminal; elsewhere it needs
    /// `--yes`.
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
