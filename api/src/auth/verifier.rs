//! From a token to its user: which key judges it, and what was found out before.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use jsonwebtoken::Algorithm;

use super::Caller;
use super::algorithms;
use super::jwks_cache::JwksCache;
use super::jwks_client::JwksClient;
use super::jwt::{ClaimsValidation, read_header};
use super::key_set::Key;
use super::token_cache::{CachedToken, TokenCache};
use crate::config::{self, PublicKeys};
use crate::error::ApiError;

/// The tokens that this instance has found good.
static CACHE: TokenCache = TokenCache::new();

/// The keys that the issuer publishes, where their URL is configured and a token needed them.
static PUBLISHED: OnceLock<JwksCache<JwksClient>> = OnceLock::new();

/// The user whom the token speaks for. Of the configuration, only what this token needs is read.
pub(super) async fn verify(token: &str) -> Result<Caller, ApiError> {
    let now = seconds_since_1970();
    if let Some(remembered) = CACHE.get(token, now) {
        if still_trusts(remembered.key.as_deref()).await? {
            return Ok(remembered.verified.caller);
        }
        CACHE.remove(token);
    }

    algorithms::install();
    let header = read_header(token)?;
    let (verified, key) = match (header.alg, header.kid) {
        (Algorithm::HS256, _) => {
            let Some(secret) = &config::secret().await?.0 else { return Err(no_key().await) };
            (
                ClaimsValidation::new(config::required_claims().await?).verify(
                    token,
                    Algorithm::HS256,
                    secret,
                )?,
                None,
            )
        }
        (algorithm, Some(id)) => {
            let (key, may_be_withdrawn) = public_key(&id, algorithm).await?;
            let verified = ClaimsValidation::new(config::required_claims().await?).verify(
                token,
                key.algorithm,
                &key.decoder,
            )?;
            (verified, may_be_withdrawn.then_some(key))
        }
        (_, None) => return Err(no_key().await),
    };
    let caller = verified.caller.clone();
    CACHE.insert(token, CachedToken { verified, key }, now);
    Ok(caller)
}

/// The key that a token names, and whether its issuer can withdraw it.
async fn public_key(id: &str, algorithm: Algorithm) -> Result<(Arc<Key>, bool), ApiError> {
    // Nobody is asked for a key that there cannot be.
    if !matches!(algorithm, Algorithm::EdDSA | Algorithm::ES256 | Algorithm::RS256) {
        return Err(no_key().await);
    }
    let keys = config::public_keys().await?;
    if let Some(key) = keys.configured.find(id, algorithm) {
        return Ok((key, false));
    }
    let Some(published) = published(keys) else { return Err(no_key().await) };
    let found = published.find(id, algorithm).await.map_err(ApiError::KeysUnavailable)?;
    found.map(|key| (key, true)).ok_or(ApiError::TokenInvalid)
}

fn published(keys: &PublicKeys) -> Option<&'static JwksCache<JwksClient>> {
    let url = keys.url.as_ref()?;
    Some(PUBLISHED.get_or_init(|| JwksCache::new(JwksClient::new(url.clone()))))
}

/// Fetches the issuer's keys again when they near their end, if this instance has used them. Called
/// after the response was written, so that nobody waits for it.
pub(crate) async fn refresh_keys() {
    if let Some(published) = PUBLISHED.get() {
        published.refresh().await;
    }
}

/// Why there is no key for a token: it is not the token's fault where there is no key at all.
async fn no_key() -> ApiError {
    match config::check_keys().await {
        Ok(()) => ApiError::TokenInvalid,
        Err(wrong) => wrong.into(),
    }
}

/// Whether a token that was good with this key is still good with it.
async fn still_trusts(key: Option<&Key>) -> Result<bool, ApiError> {
    let Some(key) = key else { return Ok(true) };
    match published(config::public_keys().await?) {
        Some(published) => published.contains(key).await.map_err(ApiError::KeysUnavailable),
        None => Ok(true),
    }
}

fn seconds_since_1970() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
