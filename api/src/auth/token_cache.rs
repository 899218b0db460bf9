//! Cache of verified tokens: checking a signature takes up to milliseconds.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::jwt::VerifiedToken;
use super::key_set::Key;

/// Maximum number of tokens.
const CAPACITY: usize = 1024;

/// Longer tokens are not cached, so that the cache takes a few megabytes at most. Tokens of the large
/// providers have some 1,000 bytes.
const MAX_TOKEN_BYTES: usize = 4 * 1024;

/// A verified token.
#[derive(Clone)]
pub(super) struct CachedToken {
    pub(super) verified: VerifiedToken,
    /// The key that verified it, if its issuer can withdraw it.
    pub(super) key: Option<Arc<Key>>,
}

/// Verified tokens of this instance that have not expired. Keyed by the whole token: hashing each one
/// would cost a request more than the comparisons.
pub(super) struct TokenCache(Mutex<BTreeMap<Box<str>, CachedToken>>);

impl TokenCache {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// The token, if it is cached and valid at `now`, in seconds since 1970.
    pub(super) fn get(&self, token: &str, now: u64) -> Option<CachedToken> {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = tokens.get(token)?;
        if found.verified.is_valid_at(now) {
            return Some(found.clone());
        }
        tokens.remove(token);
        None
    }

    /// Adds a verified token. When the cache is full, expired tokens are removed, or else the one that
    /// expires first.
    pub(super) fn insert(&self, token: &str, remembered: CachedToken, now: u64) {
        if token.len() > MAX_TOKEN_BYTES {
            return;
        }
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= CAPACITY {
            tokens.retain(|_, old| old.verified.is_valid_at(now));
        }
        if tokens.len() >= CAPACITY {
            let expiry = |remembered: &CachedToken| remembered.verified.expires;
            let first = tokens
                .iter()
                .min_by(|(_, one), (_, other)| expiry(one).total_cmp(&expiry(other)))
                .map(|(token, _)| token.clone());
            first.map(|token| tokens.remove(&token));
        }
        tokens.insert(token.into(), remembered);
    }

    /// Removes a token whose key was withdrawn.
    pub(super) fn remove(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPACITY, CachedToken, TokenCache};
    use crate::auth::jwt::VerifiedToken;
    use crate::auth::{AccountHint, Caller};

    const NOW: u64 = 1_000_000;

    fn good_until(expires: u64) -> CachedToken {
        let caller =
            Caller { user_id: "ann".to_owned(), email: None, account: AccountHint::default() };
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let expires = expires as f64;
        CachedToken { verified: VerifiedToken { caller, not_before: 0.0, expires }, key: None }
    }

    #[test]
    fn a_token_is_remembered_until_it_expires() {
        let tokens = TokenCache::new();
        let token = "a.b.c";
        tokens.insert(token, good_until(NOW), NOW);
        assert!(tokens.get(token, NOW).is_some());
        assert!(tokens.get(token, NOW + 60).is_some(), "within the leeway");
        assert!(tokens.get(token, NOW + 61).is_none());
        assert!(tokens.get(token, NOW).is_none(), "forgotten, not hidden");
    }

    #[test]
    fn a_token_does_not_count_before_its_time() {
        let tokens = TokenCache::new();
        let token = "a.b.c";
        let mut early = good_until(NOW + 1_000);
        early.verified.not_before = 1_000_100.0;
        tokens.insert(token, early, NOW);
        assert!(tokens.get(token, NOW + 39).is_none());
    }

    #[test]
    fn another_signature_is_another_token() {
        let tokens = TokenCache::new();
        tokens.insert("a.b.c", good_until(NOW), NOW);
        assert!(tokens.get("a.b.d", NOW).is_none());
    }

    #[test]
    fn the_number_is_bounded_and_the_first_to_expire_goes() {
        let tokens = TokenCache::new();
        let token = |number: u64| number.to_string();
        for number in 0..CAPACITY as u64 + 10 {
            tokens.insert(&token(number), good_until(NOW + number), NOW);
        }
        assert_eq!(tokens.0.lock().expect("not poisoned").len(), CAPACITY);
        assert!(tokens.get(&token(9), NOW).is_none());
        assert!(tokens.get(&token(10), NOW).is_some());
    }

    #[test]
    fn those_that_ran_out_make_room_first() {
        let tokens = TokenCache::new();
        for number in 0..CAPACITY as u64 {
            tokens.insert(&number.to_string(), good_until(NOW), NOW);
        }
        tokens.insert("new", good_until(NOW + 9_000), NOW + 5_000);
        assert_eq!(tokens.0.lock().expect("not poisoned").len(), 1);
    }

    #[test]
    fn a_very_long_token_is_not_remembered() {
        let tokens = TokenCache::new();
        for (bytes, is_remembered) in [(4 * 1024, true), (4 * 1024 + 1, false)] {
            let token = "x".repeat(bytes);
            tokens.insert(&token, good_until(NOW), NOW);
            assert_eq!(tokens.get(&token, NOW).is_some(), is_remembered, "{bytes}");
        }
    }

    #[test]
    fn a_token_can_be_forgotten() {
        let tokens = TokenCache::new();
        let token = "a.b.c";
        tokens.insert(token, good_until(NOW), NOW);
        tokens.remove(token);
        assert!(tokens.get(token, NOW).is_none());
    }
}
