//! The arguments of `repair`.

use clap::Args;
use migrator::RepairWish;

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct RepairArguments {
    /// Forget what is done; `up` or `down` then begins at the first statement.
    #[arg(long, group = "wish")]
    restart: bool,

    /// It was finished by hand: note it in the history as applied, or as undone.
    #[arg(long, group = "wish")]
    applied: bool,

    /// Give up a migration that is not applied: run its undo script, and forget about it.
    ///
    /// Destroys what it made, data included. Asks on a terminal; elsewhere it needs `--yes`.
    #[arg(long, group = "wish")]
    undo: bool,
}

impl RepairArguments {
    pub(crate) fn wish(self) -> RepairWish {
        if self.restart {
            RepairWish::Restart
        } else if self.applied {
            RepairWish::Finished
        } else if self.undo {
            RepairWish::Undo
        } else {
            RepairWish::GoOn
        }
    }
}
