//! From a token to its user: which key judges it, and what was found out before.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Uri;
use jsonwebtoken::{Algorithm, DecodingKey};

use super::Caller;
use super::algorithms;
use super::jwks_cache::JwksCache;
use super::jwks_client::JwksClient;
use super::jwt::{Expectations, read_header};
use super::key_set::{Key, KeySet};
use super::remembered::{Remembered, RememberedTokens, fingerprint};
use crate::error::ApiError;

/// Checks tokens. Several sources of keys may be there at once.
pub(crate) struct Verifier {
    /// For HS256, and for nothing else.
    secret: Option<DecodingKey>,
    /// The keys that stand in the configuration.
    configured: KeySet,
    /// The keys that the issuer publishes.
    published: Option<JwksCache<JwksClient>>,
    expectations: Expectations,
    remembered: RememberedTokens,
}

/// What a verifier is made from.
#[derive(Default)]
pub(crate) struct Sources {
    /// The key of HS256 tokens.
    pub(crate) secret: Option<String>,
    /// Public keys.
    pub(crate) keys: Option<KeySet>,
    /// Where public keys are to be had.
    pub(crate) url: Option<Uri>,
    /// The `iss` that a token must have.
    pub(crate) issuer: Option<String>,
    /// An `aud` that a token must have.
    pub(crate) audience: Option<String>,
}

impl Verifier {
    /// A verifier with these sources.
    pub(crate) fn new(sources: Sources) -> Self {
        algorithms::install();
        Self {
            secret: sources.secret.map(|secret| DecodingKey::from_secret(secret.as_bytes())),
            configured: sources.keys.unwrap_or_default(),
            published: sources.url.map(|url| JwksCache::new(JwksClient::new(url))),
            expectations: Expectations::new(sources.issuer, sources.audience),
            remembered: RememberedTokens::default(),
        }
    }

    /// The user whom the token speaks for.
    pub(super) async fn verify(&self, token: &str) -> Result<Caller, ApiError> {
        let fingerprint = fingerprint(token);
        let now = seconds_since_1970();
        if let Some(remembered) = self.remembered.get(&fingerprint, now) {
            if self.still_trusts(remembered.key.as_deref()).await? {
                return Ok(remembered.verified.caller);
            }
            self.remembered.remove(&fingerprint);
        }

        let header = read_header(token)?;
        let (verified, key) = match (header.alg, header.kid) {
            (Algorithm::HS256, _) => {
                let secret = self.secret.as_ref().ok_or(ApiError::TokenInvalid)?;
                (self.expectations.verify(token, Algorithm::HS256, secret)?, None)
            }
            (algorithm, Some(id)) => {
                let (key, may_be_withdrawn) = self.public_key(&id, algorithm).await?;
                let verified = self.expectations.verify(token, key.algorithm, &key.decoder)?;
                (verified, may_be_withdrawn.then_some(key))
            }
            (_, None) => return Err(ApiError::TokenInvalid),
        };
        let caller = verified.caller.clone();
        self.remembered.insert(fingerprint, Remembered { verified, key }, now);
        Ok(caller)
    }

    /// Fetches the issuer's keys anew when they near their end. For when the response is out.
    pub(crate) async fn refresh_keys(&self) {
        if let Some(published) = &self.published {
            published.refresh().await;
        }
    }

    /// The key that a token names, and whether its issuer can withdraw it.
    async fn public_key(
        &self,
        id: &str,
        algorithm: Algorithm,
    ) -> Result<(Arc<Key>, bool), ApiError> {
        // Nobody is asked for a key that there cannot be.
        if !matches!(algorithm, Algorithm::EdDSA | Algorithm::ES256 | Algorithm::RS256) {
            return Err(ApiError::TokenInvalid);
        }
        if let Some(key) = self.configured.find(id, algorithm) {
            return Ok((key, false));
        }
        let published = self.published.as_ref().ok_or(ApiError::TokenInvalid)?;
        let found = published.find(id, algorithm).await.map_err(ApiError::KeysUnavailable)?;
        found.map(|key| (key, true)).ok_or(ApiError::TokenInvalid)
    }

    /// Whether a token that was good with this key is still good with it.
    async fn still_trusts(&self, key: Option<&Key>) -> Result<bool, ApiError> {
        match (key, &self.published) {
            (Some(key), Some(published)) => {
                published.contains(key).await.map_err(ApiError::KeysUnavailable)
            }
            _ => Ok(true),
        }
    }
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
