//! Checks JSON Web Tokens (RFC 7519) signed with HS256.
//!
//! The `jsonwebtoken` crate parses and judges them. It takes its cryptography from a provider; ours
//! knows HMAC-SHA-256 and nothing else, which keeps the component small and every other algorithm
//! out, whatever a token's header says.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, decode};
use serde::Deserialize;
use sha2::Sha256;

use super::Caller;
use crate::error::ApiError;

/// How far the clocks of the token's issuer and of this host may differ, in seconds.
const LEEWAY_SECONDS: u64 = 60;

/// The longest user id, in bytes.
const MAX_SUBJECT_BYTES: usize = 255;

/// The longest email address (RFC 3696, erratum 1690), in bytes.
const MAX_EMAIL_BYTES: usize = 320;

/// Checks tokens against one secret.
pub(crate) struct Verifier {
    key: DecodingKey,
    validation: Validation,
}

/// The claims that mean something here. A claim of an unexpected type counts as absent where it is
/// optional: the token may come from a provider that has other uses for it.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    email: serde_json::Value,
}

impl Verifier {
    /// A verifier for HS256 tokens; `iss` and `aud` are checked when given.
    pub(crate) fn new(secret: &[u8], issuer: Option<String>, audience: Option<String>) -> Self {
        // Fails only when it is installed already, by an earlier verifier.
        let _ = PROVIDER.install_default();
        let mut validation = Validation::new(Algorithm::HS256);
        let mut required = vec!["exp", "sub"];
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        if let Some(issuer) = issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        } else {
            validation.validate_aud = false;
        }
        validation.set_required_spec_claims(&required);
        Self { key: DecodingKey::from_secret(secret), validation }
    }

    /// The user whom the token speaks for.
    pub(crate) fn verify(&self, token: &str) -> Result<Caller, ApiError> {
        let token = decode::<Claims>(token, &self.key, &self.validation).map_err(|error| {
            match error.kind() {
                // Only a token whose signature was good gets this far.
                ErrorKind::ExpiredSignature => ApiError::TokenExpired,
                _ => ApiError::TokenInvalid,
            }
        })?;
        // Extensions that must be understood (RFC 7515, section 4.1.11): none is. And a token does
        // not say which key it is checked with, nor where to find one.
        let header = &token.header;
        let brings_a_key = header.jwk.is_some()
            || header.jku.is_some()
            || header.x5u.is_some()
            || header.x5c.is_some();
        if header.crit.is_some() || brings_a_key {
            return Err(ApiError::TokenInvalid);
        }
        let Claims { sub, email } = token.claims;
        if sub.is_empty() || sub.len() > MAX_SUBJECT_BYTES || sub.contains('\0') {
            return Err(ApiError::TokenInvalid);
        }
        let email = email
            .as_str()
            .filter(|email| (1..=MAX_EMAIL_BYTES).contains(&email.len()) && !email.contains('\0'))
            .map(str::to_owned);
        Ok(Caller { user_id: sub, email })
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _: &EncodingKey| -> Result<Box<dyn JwtSigner>, Error> {
        Err(ErrorKind::InvalidAlgorithm.into())
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => {
            let mac = Hmac::<Sha256>::new_from_slice(key.try_get_as_bytes()?)
                .map_err(|_| ErrorKind::InvalidKeyFormat)?;
            Ok(Box::new(Hs256(mac)) as Box<dyn JwtVerifier>)
        }
        _ => Err(ErrorKind::InvalidAlgorithm.into()),
    },
    // Used for key sets only, which this verifier does not read.
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(Hmac<Sha256>);

impl signature::Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let mut mac = self.0.clone();
        mac.update(message);
        // Compares in constant time.
        mac.verify_slice(signature).map_err(signature::Error::from_source)
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
