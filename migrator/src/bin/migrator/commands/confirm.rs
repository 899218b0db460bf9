//! Confirmation of what cannot be undone.

use std::io::IsTerminal as _;

/// Whether somebody has agreed already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    Given,
    Ask,
}

impl Confirmation {
    /// What `--yes` says.
    pub(crate) fn of(yes: bool) -> Self {
        if yes { Self::Given } else { Self::Ask }
    }
}

/// Nobody can answer a question that goes to a file.
pub(crate) fn can_ask() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
