//! JSON Web Tokens (RFC 7519), signed ones in the compact form (RFC 7515, section 7.1).
//!
//! Read here and not by the `jsonwebtoken` crate: that one refuses a header whose algorithm it does not
//! know, such as RFC 9864's `Ed25519`, and it was 75 KB of the component.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithms::Algorithm;
use super::{AccountHint, Caller};
use crate::config::RequiredClaims;
use crate::error::ApiError;

/// Maximum difference between the clocks of the issuer and of this host, in seconds.
const LEEWAY_SECONDS: u64 = 60;

/// The longest user id, in bytes.
const MAX_SUBJECT_BYTES: usize = 255;

/// The longest email address (RFC 3696, erratum 1690), in bytes.
const MAX_EMAIL_BYTES: usize = 320;

/// Header members with a key or with its location.
const KEY_SOURCES: [&str; 4] = ["jwk", "jku", "x5u", "x5c"];

const MALFORMED: ApiError = ApiError::TokenInvalid("malformed token");
const UNKNOWN_ALGORITHM: ApiError = ApiError::TokenInvalid(
    "unknown algorithm: `alg` is none of HS256, EdDSA, Ed25519, ES256 and RS256",
);

/// A token whose signature and claims have yet to be checked.
pub(super) struct UnverifiedToken<'a> {
    pub(super) algorithm: Algorithm,
    /// The `kid`.
    pub(super) key_id: Option<String>,
    /// Signed bytes: header and claims, as they were sent.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
    claims: &'a str,
}

/// The content of a verified token.
#[derive(Clone, Debug)]
pub(super) struct VerifiedToken {
    /// The user in `sub`.
    pub(super) caller: Caller,
    /// The time from which the token is valid, in seconds since 1970.
    pub(super) not_before: f64,
    /// The time until which it is valid, in seconds since 1970.
    pub(super) expires: f64,
}

impl<'a> UnverifiedToken<'a> {
    /// Reads a token that is not refused for its header.
    pub(super) fn parse(token: &'a str) -> Result<Self, ApiError> {
        let (message, signature) = token.rsplit_once('.').ok_or(MALFORMED)?;
        let (header, claims) = message.split_once('.').ok_or(MALFORMED)?;
        let header = decode_object(header)?;
        let text = |name: &str| match header.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(MALFORMED),
        };
        // Extensions that must be understood (RFC 7515, section 4.1.11): none is.
        if header.contains_key("crit") {
            return Err(ApiError::TokenInvalid("unknown extension: the token has a `crit`"));
        }
        if KEY_SOURCES.iter().any(|name| header.contains_key(*name)) {
            return Err(ApiError::TokenInvalid(
                "the token brings or points to a key (`jwk`, `jku`, `x5u` or `x5c`)",
            ));
        }
        if text("typ")?.is_some_and(is_for_another_purpose) {
            return Err(ApiError::TokenInvalid("wrong type: `typ` is neither `JWT` nor `at+jwt`"));
        }
        let algorithm = text("alg")?.and_then(Algorithm::parse);
        Ok(Self {
            algorithm: algorithm.ok_or(UNKNOWN_ALGORITHM)?,
            key_id: text("kid")?.map(str::to_owned),
            message: message.as_bytes(),
            signature: decode(signature)?,
            claims,
        })
    }

    /// The content of the token, whose signature must have been checked, if it is valid at `now`, in
    /// seconds since 1970.
    pub(super) fn validate(
        &self,
        required_claims: &RequiredClaims,
        now: u64,
    ) -> Result<VerifiedToken, ApiError> {
        let claims = decode_object(self.claims)?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let expires = claims.get("exp").and_then(Value::as_f64);
        let not_before = claims.get("nbf").map_or(Some(0.0), Value::as_f64);
        let sub = text("sub")
            .filter(|sub| (1..=MAX_SUBJECT_BYTES).contains(&sub.len()) && !sub.contains('\0'));
        // An invalid address counts as absent: the provider may use the claim for something else. So does
        // an unverified one: it may belong to another person.
        let email = text("email")
            .filter(|email| (1..=MAX_EMAIL_BYTES).contains(&email.len()) && !email.contains('\0'))
            .filter(|_| claims.get("email_verified").is_none_or(is_true));
        let verified = VerifiedToken {
            caller: Caller {
                user_id: sub
                    .ok_or(ApiError::TokenInvalid(
                        "missing claim: `sub` must be a text of 1 to 255 bytes",
                    ))?
                    .to_owned(),
                // The same person, however the provider spells it.
                email: email.map(str::to_lowercase),
                account: AccountHint::default(),
            },
            not_before: not_before
                .ok_or(ApiError::TokenInvalid("malformed claim: `nbf` must be a number"))?,
            expires: expires
                .ok_or(ApiError::TokenInvalid("missing claim: `exp` must be a number"))?,
        };
        if verified.is_expired_at(now) {
            return Err(ApiError::TokenExpired);
        }
        if !verified.is_valid_at(now) {
            return Err(ApiError::TokenInvalid("token not yet valid: `nbf` is in the future"));
        }
        if required_claims.issuer.as_deref().is_some_and(|issuer| text("iss") != Some(issuer)) {
            return Err(ApiError::TokenInvalid("wrong issuer: `iss` is not `jwt_issuer`"));
        }
        let audiences = match claims.get("aud") {
            Some(Value::Array(list)) => list.as_slice(),
            other => other.map(std::slice::from_ref).unwrap_or_default(),
        };
        let fits = |audience: &String| audiences.iter().any(|named| named == audience);
        if !required_claims.audience.as_ref().is_none_or(fits) {
            return Err(ApiError::TokenInvalid("wrong audience: `aud` is not `jwt_audience`"));
        }
        Ok(verified)
    }
}

impl VerifiedToken {
    /// True if the token is valid at this time, in seconds since 1970.
    pub(super) fn is_valid_at(&self, now: u64) -> bool {
        self.not_before <= as_f64(now + LEEWAY_SECONDS) && !self.is_expired_at(now)
    }

    fn is_expired_at(&self, now: u64) -> bool {
        self.expires < as_f64(now.saturating_sub(LEEWAY_SECONDS))
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact until the year 285 million")]
fn as_f64(seconds: u64) -> f64 {
    seconds as f64
}

fn decode(part: &str) -> Result<Vec<u8>, ApiError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| MALFORMED)
}

fn decode_object(part: &str) -> Result<Map<String, Value>, ApiError> {
    serde_json::from_slice(&decode(part)?).map_err(|_| MALFORMED)
}

/// True for the `typ` of a token that does not authenticate a caller, such as `logout+jwt` (RFC 8725,
/// section 3.11). The media type of each of them ends in `+jwt`; `application/` may be
/// left out (RFC 7515, section 4.1.9).
fn is_for_another_purpose(typ: &str) -> bool {
    let typ = typ.to_ascii_lowercase();
    let typ = typ.strip_prefix("application/").unwrap_or(&typ);
    typ.ends_with("+jwt") && typ != "at+jwt"
}

/// Some issuers write a truth value as a text.
fn is_true(value: &Value) -> bool {
    *value == true || value == "true"
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::{Value, json};

    use super::{UnverifiedToken, VerifiedToken};
    use crate::auth::algorithms::Algorithm;
    use crate::config::RequiredClaims;
    use crate::error::ApiError;

    const NOW: u64 = 1_800_000_000;

    /// A token with this header and these claims, and a signature that nobody looks at.
    fn token(header: &Value, claims: &Value) -> String {
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        format!("{header}.{claims}.AAAA")
    }

    fn validate(token: &str, required_claims: &RequiredClaims) -> Result<VerifiedToken, ApiError> {
        UnverifiedToken::parse(token)?.validate(required_claims, NOW)
    }

    fn nothing_required() -> RequiredClaims {
        RequiredClaims { issuer: None, audience: None }
    }

    #[test]
    fn both_names_of_eddsa_are_read() {
        for name in ["EdDSA", "Ed25519"] {
            let token = token(&json!({ "alg": name, "kid": "a" }), &json!({}));
            let read = UnverifiedToken::parse(&token).expect("a good header");
            assert_eq!(read.algorithm, Algorithm::EdDSA, "{name}");
            assert_eq!(read.key_id.as_deref(), Some("a"));
            assert!(token.as_bytes().starts_with(read.message), "the original bytes are signed");
        }
    }

    #[test]
    fn a_token_of_another_type_is_refused() {
        for (typ, is_accepted) in [
            (json!(null), true),
            (json!("JWT"), true),
            (json!("jwt"), true),
            (json!("application/jwt"), true),
            (json!("at+jwt"), true),
            (json!("AT+JWT"), true),
            (json!("application/at+jwt"), true),
            (json!("Application/AT+JWT"), true),
            (json!("an issuer's own"), true),
            (json!(""), true),
            (json!("logout+jwt"), false),
            (json!("Logout+JWT"), false),
            (json!("application/logout+jwt"), false),
            (json!("secevent+jwt"), false),
            (json!("dpop+jwt"), false),
            (json!("token-introspection+jwt"), false),
            (json!("oauth-authz-req+jwt"), false),
            (json!("entity-statement+jwt"), false),
            (json!("id+at+jwt"), false),
            (json!(["JWT"]), false),
        ] {
            let token = token(&json!({ "alg": "HS256", "typ": typ }), &json!({}));
            assert_eq!(UnverifiedToken::parse(&token).is_ok(), is_accepted, "{typ}");
        }
    }

    #[test]
    fn an_address_that_is_not_verified_counts_as_absent() {
        for (verified, counts) in [
            (None, true),
            (Some(json!(true)), true),
            (Some(json!("true")), true),
            (Some(json!(false)), false),
            (Some(json!("false")), false),
            (Some(json!("TRUE")), false),
            (Some(json!(null)), false),
            (Some(json!(1)), false),
            (Some(json!([true])), false),
        ] {
            let mut claims = json!({ "sub": "ann", "exp": NOW, "email": "ann@example.com" });
            if let Some(verified) = &verified {
                claims["email_verified"] = verified.clone();
            }
            let token = token(&json!({ "alg": "HS256" }), &claims);
            let read = validate(&token, &nothing_required()).expect("a good token");
            assert_eq!(read.caller.email.is_some(), counts, "{verified:?}");
        }
    }

    #[test]
    fn an_address_is_in_lower_case() {
        let claims = json!({ "sub": "ann", "exp": NOW, "email": "Ann@Example.COM" });
        let token = token(&json!({ "alg": "HS256" }), &claims);
        let read = validate(&token, &nothing_required()).expect("a good token");
        assert_eq!(read.caller.email.as_deref(), Some("ann@example.com"));
    }

    #[test]
    fn clocks_may_differ_by_a_minute() {
        for (label, claims, is_valid) in [
            ("expires now", json!({ "exp": NOW }), true),
            ("a minute ago", json!({ "exp": NOW - 60 }), true),
            ("longer ago", json!({ "exp": NOW - 61 }), false),
            ("a fraction longer", json!({ "exp": 1_799_999_939.9 }), false),
            ("begins in a minute", json!({ "exp": NOW, "nbf": NOW + 60 }), true),
            ("begins later", json!({ "exp": NOW, "nbf": NOW + 61 }), false),
            ("far in the future", json!({ "exp": 1e300 }), true),
            ("before 1970", json!({ "exp": -1 }), false),
        ] {
            let mut claims = claims;
            claims["sub"] = json!("ann");
            let token = token(&json!({ "alg": "HS256" }), &claims);
            assert_eq!(validate(&token, &nothing_required()).is_ok(), is_valid, "{label}");
        }
    }

    #[test]
    fn the_log_gets_the_reason_of_a_refusal() {
        let required = RequiredClaims {
            issuer: Some("https://id.example".to_owned()),
            audience: Some("taskie".to_owned()),
        };
        let header = json!({ "alg": "HS256" });
        let good =
            json!({ "sub": "ann", "exp": NOW, "iss": "https://id.example", "aud": "taskie" });
        let reason = |token: &str| match validate(token, &required) {
            Ok(_) => "none",
            Err(ApiError::TokenInvalid(reason)) => reason,
            Err(ApiError::TokenExpired) => "expired",
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(reason(&token(&header, &good)), "none");
        let others = json!({ "aud": ["other", "taskie"] });
        assert_eq!(reason(&token(&header, &with(&good, &others))), "none");
        for (change, expected) in [
            (json!({ "exp": null }), "missing claim: `exp`"),
            (json!({ "exp": "tomorrow" }), "missing claim: `exp`"),
            (json!({ "sub": null }), "missing claim: `sub`"),
            (json!({ "sub": "" }), "missing claim: `sub`"),
            (json!({ "nbf": "now" }), "malformed claim: `nbf`"),
            (json!({ "nbf": NOW + 100 }), "token not yet valid"),
            (json!({ "exp": NOW - 100 }), "expired"),
            (json!({ "iss": null }), "wrong issuer"),
            (json!({ "iss": ["https://id.example"] }), "wrong issuer"),
            (json!({ "iss": "https://id.example/" }), "wrong issuer"),
            (json!({ "aud": null }), "wrong audience"),
            (json!({ "aud": "other" }), "wrong audience"),
            (json!({ "aud": [] }), "wrong audience"),
        ] {
            let told = reason(&token(&header, &with(&good, &change)));
            assert!(told.starts_with(expected), "{change}: {told}");
        }
        for (header, expected) in [
            (json!({}), "unknown algorithm"),
            (json!({ "alg": "none" }), "unknown algorithm"),
            (json!({ "alg": "HS256", "crit": [] }), "unknown extension"),
            (json!({ "alg": "HS256", "jku": "https://evil.example" }), "the token brings"),
            (json!({ "alg": "HS256", "typ": "logout+jwt" }), "wrong type"),
            (json!({ "alg": "HS256", "kid": 7 }), "malformed token"),
            (json!([]), "malformed token"),
        ] {
            let told = reason(&token(&header, &good));
            assert!(told.starts_with(expected), "{header}: {told}");
        }
        for text in ["", "a", "a.b", "..", "a.b.c.d", "????.e30.AAAA"] {
            assert_eq!(reason(text), "malformed token", "{text}");
        }
    }

    /// An object with members of another one; null takes a member away.
    fn with(object: &Value, change: &Value) -> Value {
        let mut object = object.as_object().expect("an object").clone();
        for (name, value) in change.as_object().expect("an object") {
            match value {
                Value::Null => object.remove(name),
                value => object.insert(name.clone(), value.clone()),
            };
        }
        object.into()
    }
}
