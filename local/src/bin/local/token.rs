//! Tokens for trying the API: signed with the secret that the component verifies with.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

/// Makes a JWT (RFC 7519) of the kind HS256: `sub`, `iat` and `exp`, and of `email`, `iss` and `aud` those given.
pub(crate) fn mint(
    secret: &str,
    user: &str,
    email: Option<&str>,
    lifetime: Duration,
    issuer: Option<&str>,
    audience: Option<&str>,
) -> String {
    // A clock before 1970 makes a token that has expired, which is what such a clock deserves.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut claims = Map::new();
    claims.insert("sub".into(), user.into());
    claims.insert("iat".into(), now.as_secs().into());
    claims.insert("exp".into(), now.saturating_add(lifetime).as_secs().into());
    for (name, value) in [("email", email), ("iss", issuer), ("aud", audience)] {
        if let Some(value) = value {
            claims.insert(name.into(), value.into());
        }
    }
    sign(secret, &Value::Object(claims))
}

fn sign(secret: &str, claims: &Value) -> String {
    let header = base64url(br#"{"alg":"HS256","typ":"JWT"}"#);
    let payload = base64url(claims.to_string().as_bytes());
    let signed = format!("{header}.{payload}");
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(signed.as_bytes());
    let signature = base64url(&mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// Base 64 for URLs, without padding (RFC 4648, section 5).
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        // Three bytes make four characters, two make three, one makes two.
        for index in 0..=chunk.len() {
            let six = bits >> (18 - 6 * index) & 0x3f;
            text.push(char::from(ALPHABET[six as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64url_of_the_specification() {
        let table = [
            ("", ""),
            ("f", "Zg"),
            ("fo", "Zm8"),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (text, expected) in table {
            assert_eq!(base64url(text.as_bytes()), expected, "{text}");
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }

    #[test]
    fn the_signature_is_that_of_other_implementations() {
        let claims = serde_json::json!({"sub": "demo"});
        assert_eq!(
            sign("secret", &claims),
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJkZW1vIn0.tjLSA2tZ75izXJv56H4eAcAuHQGWTOn0osusnUB9J2c"
        );
    }

    #[test]
    fn a_token_has_the_claims_that_were_given() {
        let token = mint(
            "secret",
            "demo",
            Some("demo@example.com"),
            Duration::from_mins(1),
            None,
            Some("api"),
        );
        let payload = token.split('.').nth(1).expect("payload");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("clock").as_secs();
        let expected = |iat: u64| {
            let claims = serde_json::json!({
                "sub": "demo", "iat": iat, "exp": iat + 60, "email": "demo@example.com", "aud": "api"
            });
            base64url(claims.to_string().as_bytes())
        };
        assert!([now, now - 1].map(expected).contains(&payload.to_owned()));
    }
}
