//! Tokens, valid and invalid: encoded and signed here, so that a bug in the service's own library does
//! not cancel out.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::{Sha256, Sha512};

use crate::keys::SigningKey;

/// Lifetime of a token, in seconds.
const LIFETIME_SECONDS: i64 = 3_600;

/// A JSON Web Token (RFC 7519) before it is signed.
#[derive(Clone, Debug)]
pub struct Token {
    header: Value,
    claims: Value,
}

impl Token {
    /// A valid HS256 token for `user`, without an email address.
    pub fn new(user: &str) -> Self {
        let now = now();
        Self {
            header: json!({ "alg": "HS256", "typ": "JWT" }),
            claims: json!({ "sub": user, "iat": now, "exp": now + LIFETIME_SECONDS }),
        }
    }

    /// Sets a member of the header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// Sets a claim.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    /// Sets a claim to a time this many seconds from now.
    #[must_use]
    pub fn claim_in(self, name: &str, seconds: i64) -> Self {
        self.claim(name, now() + seconds)
    }

    /// Removes a claim.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        if let Some(claims) = self.claims.as_object_mut() {
            claims.remove(name);
        }
        self
    }

    /// Signed with HMAC-SHA-256, whatever the header says.
    pub fn signed(&self, secret: &str) -> String {
        self.signed_with_bytes(secret.as_bytes())
    }

    /// Signed with this key, whatever the header says.
    pub fn signed_with(&self, key: &SigningKey) -> String {
        self.signed_by(|text| key.sign(text))
    }

    /// Signed with this key, which the header names: like an issuer's token.
    pub fn issued_by(&self, key: &SigningKey) -> String {
        self.clone().header("alg", key.algorithm()).header("kid", key.id.as_str()).signed_with(key)
    }

    /// Signed with this key, which the header does not name.
    pub fn issued_without_key_id(&self, key: &SigningKey) -> String {
        self.clone().header("alg", key.algorithm()).signed_with(key)
    }

    /// Signed with HMAC-SHA-256 and these bytes as the key, whatever the header says.
    pub fn signed_with_bytes(&self, secret: &[u8]) -> String {
        self.signed_by(|text| hmac_sha256(text, secret))
    }

    /// Signed with HMAC-SHA-512, whatever the header says.
    pub fn signed_with_sha512(&self, secret: &str) -> String {
        self.signed_by(|text| {
            let mut mac =
                Hmac::<Sha512>::new_from_slice(secret.as_bytes()).expect("a key of any length");
            mac.update(text);
            mac.finalize().into_bytes().to_vec()
        })
    }

    /// With an empty signature.
    pub fn unsigned(&self) -> String {
        self.signed_by(|_| Vec::new())
    }

    /// Any two texts as header and claims, signed with HMAC-SHA-256.
    pub fn signed_texts(header: &str, claims: &str, secret: &str) -> String {
        join(header, claims, |text| hmac_sha256(text, secret.as_bytes()))
    }

    fn signed_by(&self, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        join(&self.header.to_string(), &self.claims.to_string(), sign)
    }
}

fn join(header: &str, claims: &str, sign: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
    let text = format!("{}.{}", base64url(header.as_bytes()), base64url(claims.as_bytes()));
    let signature = base64url(&sign(text.as_bytes()));
    format!("{text}.{signature}")
}

fn hmac_sha256(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn now() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    i64::try_from(since_1970.as_secs()).expect("a clock before the year 292 billion")
}

/// Base64 with the alphabet for URLs and without padding (RFC 4648, section 5).
pub(crate) fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .enumerate()
            .fold(0_u32, |group, (i, byte)| group | u32::from(*byte) << (16 - 8 * i));
        // A chunk needs one character more than it has bytes: 8 bits do not fit into 6.
        for position in 0..=chunk.len() {
            let index = (group >> (18 - 6 * position)) & 63;
            text.push(char::from(ALPHABET[index as usize]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64url;

    #[test]
    fn base64url_is_that_of_rfc_4648() {
        let table = [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg")];
        for (plain, encoded) in table {
            assert_eq!(base64url(plain.as_bytes()), encoded, "{plain}");
        }
        assert_eq!(base64url(&[0xfb, 0xff]), "-_8");
    }
}
