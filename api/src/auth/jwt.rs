//! Judges one JSON Web Token (RFC 7519) with one key.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde_json::{Map, Value};

use super::Caller;
use crate::config::RequiredClaims;
use crate::error::ApiError;

/// How far the clocks of the token's issuer and of this host may differ, in seconds.
const LEEWAY_SECONDS: u64 = 60;

/// The longest user id, in bytes.
const MAX_SUBJECT_BYTES: usize = 255;

/// The longest email address (RFC 3696, erratum 1690), in bytes.
const MAX_EMAIL_BYTES: usize = 320;

/// What a token must say, whoever signed it.
pub(super) struct ClaimsValidation(Validation);

/// What a good token says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct VerifiedToken {
    /// The user whom the token speaks for.
    pub(super) caller: Caller,
    /// From when on the token counts, in seconds since 1970.
    pub(super) not_before: f64,
    /// Until when it counts, in seconds since 1970.
    pub(super) expires: f64,
}

impl ClaimsValidation {
    /// `exp` and `sub` always; `iss` and `aud` where they are configured.
    pub(super) fn new(required_claims: &RequiredClaims) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        let mut required = vec!["exp", "sub"];
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        if let Some(issuer) = &required_claims.issuer {
            validation.set_issuer(&[issuer]);
            required.push("iss");
        }
        if let Some(audience) = &required_claims.audience {
            validation.set_audience(&[audience]);
            required.push("aud");
        } else {
            validation.validate_aud = false;
        }
        validation.set_required_spec_claims(&required);
        Self(validation)
    }

    /// What the token says, if it was signed with this key and is good now. `algorithm` is the
    /// key's; a token that names another one is refused.
    pub(super) fn verify(
        &self,
        token: &str,
        algorithm: Algorithm,
        key: &DecodingKey,
    ) -> Result<VerifiedToken, ApiError> {
        let validation = Validation { algorithms: vec![algorithm], ..self.0.clone() };
        let token = decode::<Map<String, Value>>(token, key, &validation).map_err(|error| {
            match error.kind() {
                // Only a token whose signature was good gets this far.
                ErrorKind::ExpiredSignature => ApiError::TokenExpired,
                _ => ApiError::TokenInvalid,
            }
        })?;
        let text = |claim: &str| token.claims.get(claim).and_then(Value::as_str);
        let time = |claim: &str| token.claims.get(claim).and_then(Value::as_f64);
        // The library would take a list of issuers, which RFC 7519 does not know.
        if self.0.iss.is_some() && text("iss").is_none() {
            return Err(ApiError::TokenInvalid);
        }
        let sub = text("sub")
            .filter(|sub| (1..=MAX_SUBJECT_BYTES).contains(&sub.len()) && !sub.contains('\0'))
            .ok_or(ApiError::TokenInvalid)?
            .to_owned();
        // An address that cannot be one counts as absent: the token may come from a provider that
        // has other uses for the claim.
        let email = text("email")
            .filter(|email| (1..=MAX_EMAIL_BYTES).contains(&email.len()) && !email.contains('\0'))
            .map(str::to_owned);
        let caller = Caller { user_id: sub, email };
        Ok(VerifiedToken {
            caller,
            not_before: time("nbf").unwrap_or(0.0),
            expires: time("exp").ok_or(ApiError::TokenInvalid)?,
        })
    }
}

impl VerifiedToken {
    /// Whether the token counts at this time, in seconds since 1970.
    pub(super) fn counts_at(&self, now: u64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "exact until the year 285 million")]
        let (now, leeway) = (now as f64, LEEWAY_SECONDS as f64);
        self.not_before <= now + leeway && now - leeway <= self.expires
    }
}

/// The header of a token that is not refused for its header alone.
pub(super) fn read_header(token: &str) -> Result<Header, ApiError> {
    let header = decode_header(token).map_err(|_| ApiError::TokenInvalid)?;
    // Extensions that must be understood (RFC 7515, section 4.1.11): none is. And a token does not
    // say which key it is checked with, nor where to find one.
    let brings_a_key = header.jwk.is_some()
        || header.jku.is_some()
        || header.x5u.is_some()
        || header.x5c.is_some();
    if header.crit.is_some() || brings_a_key { Err(ApiError::TokenInvalid) } else { Ok(header) }
}
