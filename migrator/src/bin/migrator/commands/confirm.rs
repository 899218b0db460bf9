//! Confirmation of what cannot be undone.

use std::io::IsTerminal as _;

/// Confirmation of a destructive command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    Given,
    Ask,
    /// With `--dry-run`, nothing is changed.
    DryRun,
}

impl Confirmation {
    /// From `--dry-run` and `--yes`.
    pub(crate) fn of(dry_run: bool, yes: bool) -> Self {
        match (dry_run, yes) {
            (true, _) => Self::DryRun,
            (false, true) => Self::Given,
            (false, false) => Self::Ask,
        }
    }
}

/// Nobody can answer a question that goes to a file.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
