//! Tokens, checked as the API checks those that its secret signed: HS256, `sub` and `exp`.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use sha2::Sha256;

/// Checks tokens.
#[derive(Clone)]
pub(crate) struct Verifier(Hmac<Sha256>);

/// The sender of a request.
#[derive(Deserialize)]
pub(crate) struct Claims {
    /// The user's id.
    pub(crate) sub: String,
    /// The address of the user's account.
    pub(crate) email: Option<String>,
    /// Seconds since 1970.
    exp: u64,
}

#[derive(Deserialize)]
struct Header<'a> {
    alg: &'a str,
}

impl Verifier {
    pub(crate) fn new(secret: &[u8]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("a key of any length"))
    }

    /// The claims of the request's token; none unless it is valid.
    pub(crate) fn verify(&self, headers: &HeaderMap) -> Option<Claims> {
        let token = headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let header = decode(header)?;
        let header: Header = serde_json::from_slice(&header).ok()?;
        if header.alg != "HS256" {
            return None;
        }
        let mut mac = self.0.clone();
        mac.update(signed.as_bytes());
        mac.verify_slice(&decode(signature)?).ok()?;
        let claims: Claims = serde_json::from_slice(&decode(claims)?).ok()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        (claims.exp > now).then_some(claims)
    }
}
