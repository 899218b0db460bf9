//! Whether somebody has agreed to what cannot be undone.

use std::io::IsTerminal as _;

/// Whether somebody has agreed already.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consent {
    Given,
    ToBeAsked,
}

impl Consent {
    /// What `--yes` says.
    pub(crate) fn of(yes: bool) -> Self {
        if yes { Self::Given } else { Self::ToBeAsked }
    }
}

/// Nobody can answer a question that goes to a file.
pub(crate) fn can_be_asked() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}
