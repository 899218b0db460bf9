//! What an instance remembers of an account. A wrong hint costs a statement, and nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

const UNKNOWN: u8 = 0;
const CURRENT: u8 = 1;
const DIFFERENT: u8 = 2;

/// Whether the account of a token's user most likely has the address of the token. Shared by all requests
/// of an instance with the same token.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccountHint(Arc<AtomicU8>);

impl AccountHint {
    /// True if a task was created since, and the address was never found to be another one.
    pub(crate) fn is_current(&self) -> bool {
        self.0.load(Ordering::Relaxed) == CURRENT
    }

    /// To be called when a task was created and the account followed the token.
    pub(crate) fn followed(&self) {
        let _ = self.0.compare_exchange(UNKNOWN, CURRENT, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// To be called when the account had another address nonetheless: it may not be able to follow, because
    /// another account has the address.
    pub(crate) fn differs(&self) {
        self.0.store(DIFFERENT, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::AccountHint;

    #[test]
    fn an_account_that_did_not_follow_is_not_tried_again() {
        let hint = AccountHint::default();
        assert!(!hint.is_current());
        hint.followed();
        let of_another_request = hint.clone();
        assert!(of_another_request.is_current());
        of_another_request.differs();
        hint.followed();
        assert!(!hint.is_current());
    }
}
