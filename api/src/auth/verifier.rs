//! From a token to its user: selects the key that checks it, and keeps verified tokens.

use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use super::Caller;
use super::algorithms::Algorithm;
use super::jwks_cache::JwksCache;
use super::jwks_client::JwksClient;
use super::jwt::UnverifiedToken;
use super::key_set::Key;
use super::token_cache::{CachedToken, TokenCache};
use crate::config::{self, PublicKeys};
use crate::error::ApiError;

const WRONG_SIGNATURE: ApiError = ApiError::TokenInvalid("wrong signature");

/// Verified tokens of this instance.
static CACHE: TokenCache = TokenCache::new();

/// The keys that the issuer publishes, where their URL is configured and a token needed them.
static PUBLISHED: OnceLock<JwksCache<JwksClient>> = OnceLock::new();

/// The token's user. Reads only the variables that this token needs.
pub(super) async fn verify(token: &str) -> Result<Caller, ApiError> {
    let now = seconds_since_1970();
    if let Some(remembered) = CACHE.get(token, now) {
        if still_trusts(remembered.key.as_deref()).await? {
            return Ok(remembered.verified.caller);
        }
        CACHE.remove(token);
    }

    let unverified = UnverifiedToken::parse(token)?;
    let key = match unverified.algorithm {
        Algorithm::HS256 => {
            check_with_secret(&unverified).await?;
            None
        }
        _ => check_with_public_key(&unverified).await?,
    };
    let verified = unverified.validate(config::required_claims().await?, now)?;
    let caller = verified.caller.clone();
    CACHE.insert(token, CachedToken { verified, key }, now);
    Ok(caller)
}

async fn check_with_secret(token: &UnverifiedToken<'_>) -> Result<(), ApiError> {
    match &config::secret().await?.0 {
        Some(secret) if secret.verify(token.message, &token.signature) => Ok(()),
        Some(_) => Err(WRONG_SIGNATURE),
        None => Err(no_key("unknown key: `alg` is HS256, and `jwt_secret` is not set").await),
    }
}

/// Checks the signature, and gives the key if its issuer can withdraw it.
///
/// A token without `kid` is for the only key of its algorithm in a set, and both sets may have one.
async fn check_with_public_key(token: &UnverifiedToken<'_>) -> Result<Option<Arc<Key>>, ApiError> {
    let (id, algorithm) = (token.key_id.as_deref(), token.algorithm);
    let has_signed = |key: &Key| key.public.verify(token.message, &token.signature);
    let keys = config::public_keys().await?;
    let configured = keys.configured.find(id, algorithm);
    if configured.as_deref().is_some_and(has_signed) {
        return Ok(None);
    }
    let missing = match id {
        Some(_) => "unknown key: no key of the algorithm has this `kid`",
        None => "unknown key: no `kid`, and not exactly one key of the algorithm",
    };
    let published = match (published(keys), configured) {
        (Some(published), None) => published,
        (Some(published), Some(_)) if id.is_none() => published,
        (_, Some(_)) => return Err(WRONG_SIGNATURE),
        (None, None) => return Err(no_key(missing).await),
    };
    let found = published.find(id, algorithm).await.map_err(ApiError::KeysUnavailable)?;
    let key = found.ok_or(ApiError::TokenInvalid(missing))?;
    if has_signed(&key) {
        return Ok(Some(key));
    }
    if id.is_some() {
        return Err(WRONG_SIGNATURE);
    }
    // Without a `kid`, only the signature shows that the issuer has replaced its key.
    let other = published.find_other(&key).await.map_err(ApiError::KeysUnavailable)?;
    other.filter(|key| has_signed(key)).map(Some).ok_or(WRONG_SIGNATURE)
}

fn published(keys: &PublicKeys) -> Option<&'static JwksCache<JwksClient>> {
    let url = keys.url.as_ref()?;
    Some(PUBLISHED.get_or_init(|| JwksCache::new(JwksClient::new(url.clone()))))
}

/// Fetches the issuer's keys again when they near their end, if this instance has used them. Called
/// after the response was written, so that no client waits for it.
pub(crate) async fn refresh_keys() {
    if let Some(published) = PUBLISHED.get() {
        published.refresh().await;
    }
}

/// Without a key for a token, it is not the token's fault if there is no key at all.
async fn no_key(reason: &'static str) -> ApiError {
    match config::check_keys().await {
        Ok(()) => ApiError::TokenInvalid(reason),
        Err(wrong) => wrong.into(),
    }
}

/// True if the issuer has not withdrawn the key of a cached token.
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
