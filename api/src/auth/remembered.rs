//! Tokens that were found good: a signature costs up to milliseconds to check, a hash microseconds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::jwt::Verified;
use super::key_set::Key;

/// So many tokens are remembered by an instance; each takes at most about 700 bytes.
const CAPACITY: usize = 1024;

/// Stands for a whole token, its signature included.
pub(super) type Fingerprint = [u8; 32];

/// A token that was found good.
#[derive(Clone)]
pub(super) struct Remembered {
    pub(super) verified: Verified,
    /// The key that it was checked with, where that may be withdrawn.
    pub(super) key: Option<Arc<Key>>,
}

/// The tokens that this instance has found good and that have not run out.
#[derive(Default)]
pub(super) struct RememberedTokens(Mutex<HashMap<Fingerprint, Remembered>>);

/// Identifies a token without keeping it.
pub(super) fn fingerprint(token: &str) -> Fingerprint {
    Sha256::digest(token.as_bytes()).into()
}

impl RememberedTokens {
    /// The token, if it was found good and still counts at `now`, in seconds since 1970.
    pub(super) fn get(&self, token: &Fingerprint, now: u64) -> Option<Remembered> {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = tokens.get(token)?;
        if found.verified.counts_at(now) {
            return Some(found.clone());
        }
        tokens.remove(token);
        None
    }

    /// Remembers a good token. When there is no room, those that have run out make some, or else
    /// the one that runs out first.
    pub(super) fn insert(&self, token: Fingerprint, remembered: Remembered, now: u64) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= CAPACITY {
            tokens.retain(|_, old| old.verified.counts_at(now));
        }
        if tokens.len() >= CAPACITY {
            let expiry = |remembered: &Remembered| remembered.verified.expires;
            let first = tokens
                .iter()
                .min_by(|(_, one), (_, other)| expiry(one).total_cmp(&expiry(other)))
                .map(|(token, _)| *token);
            first.map(|token| tokens.remove(&token));
        }
        tokens.insert(token, remembered);
    }

    /// Forgets a token: its key was withdrawn.
    pub(super) fn remove(&self, token: &Fingerprint) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, Remembered, RememberedTokens, fingerprint};
    use crate::auth::Caller;
    use crate::auth::jwt::Verified;

    const NOW: u64 = 1_000_000;

    fn good_until(expires: u64) -> Remembered {
        let caller = Caller { user_id: "ann".to_owned(), email: None };
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let expires = expires as f64;
        Remembered { verified: Verified { caller, not_before: 0.0, expires }, key: None }
    }

    #[test]
    fn a_token_is_remembered_until_it_expires() {
        let tokens = RememberedTokens::default();
        let token = fingerprint("a.b.c");
        tokens.insert(token, good_until(NOW), NOW);
        assert!(tokens.get(&token, NOW).is_some());
        assert!(tokens.get(&token, NOW + 60).is_some(), "within the leeway");
        assert!(tokens.get(&token, NOW + 61).is_none());
        assert!(tokens.get(&token, NOW).is_none(), "forgotten, not hidden");
    }

    #[test]
    fn a_token_does_not_count_before_its_time() {
        let tokens = RememberedTokens::default();
        let token = fingerprint("a.b.c");
        let mut early = good_until(NOW + 1_000);
        early.verified.not_before = 1_000_100.0;
        tokens.insert(token, early, NOW);
        assert!(tokens.get(&token, NOW + 39).is_none());
    }

    #[test]
    fn another_signature_is_another_token() {
        let tokens = RememberedTokens::default();
        tokens.insert(fingerprint("a.b.c"), good_until(NOW), NOW);
        assert!(tokens.get(&fingerprint("a.b.d"), NOW).is_none());
    }

    #[test]
    fn the_number_is_bounded_and_the_first_to_expire_goes() {
        let tokens = RememberedTokens::default();
        let token = |number: u64| fingerprint(&number.to_string());
        for number in 0..CAPACITY as u64 + 10 {
            tokens.insert(token(number), good_until(NOW + number), NOW);
        }
        assert_eq!(tokens.0.lock().expect("not poisoned").len(), CAPACITY);
        assert!(tokens.get(&token(9), NOW).is_none());
        assert!(tokens.get(&token(10), NOW).is_some());
    }

    #[test]
    fn those_that_ran_out_make_room_first() {
        let tokens = RememberedTokens::default();
        for number in 0..CAPACITY as u64 {
            tokens.insert(fingerprint(&number.to_string()), good_until(NOW), NOW);
        }
        tokens.insert(fingerprint("new"), good_until(NOW + 9_000), NOW + 5_000);
        assert_eq!(tokens.0.lock().expect("not poisoned").len(), 1);
    }

    #[test]
    fn a_token_can_be_forgotten() {
        let tokens = RememberedTokens::default();
        let token = fingerprint("a.b.c");
        tokens.insert(token, good_until(NOW), NOW);
        tokens.remove(&token);
        assert!(tokens.get(&token, NOW).is_none());
    }
}
