//! JSON Web Tokens for trying the API, signed with the secret that the component verifies with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::secret;

/// A token with the issuer and the audience that the API expects, by the variables in the environment. It always has
/// an email address, because the API creates the account of a new user from it.
pub(crate) fn create(secret: &str, user: &str, email: Option<&str>, lifetime: Duration) -> String {
    let email = email.map_or_else(|| format!("{user}@example.com"), str::to_owned);
    // With a clock before 1970, the token has expired.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let expires = now.saturating_add(lifetime).as_secs();
    let mut claims = json!({ "sub": user, "iat": now.as_secs(), "exp": expires, "email": email });
    for (claim, variable) in [("iss", "jwt_issuer"), ("aud", "jwt_audience")] {
        if let Some(value) = secret::variable(variable) {
            claims[claim] = value.into();
        }
    }
    sign(secret, &claims)
}

/// A JWT (RFC 7519) with the algorithm HS256.
fn sign(secret: &str, claims: &Value) -> String {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let header = encode(br#"{"alg":"HS256","typ":"JWT"}"#);
    let signed = format!("{header}.{}", encode(claims.to_string().as_bytes()));
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encode(&mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_other_implementations() {
        assert_eq!(
            sign("secret", &json!({"sub": "demo"})),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJkZW1vIn0.tjLSA2tZ75izXJv56H4eAcAuHQGWTOn0osusnUB9J2c"
        );
    }

    #[test]
    fn a_token_names_its_user_and_expires() {
        let token = create("secret", "demo", None, Duration::from_mins(1));
        let payload = token.split('.').nth(1).expect("claims");
        let payload = BASE64_URL_SAFE_NO_PAD.decode(payload).expect("base64");
        let claims: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(claims["sub"], "demo");
        assert_eq!(claims["email"], "demo@example.com");
        let issued = claims["iat"].as_u64().expect("a time");
        assert_eq!(claims["exp"], issued + 60);
    }
}
