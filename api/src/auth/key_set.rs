//! A JSON Web Key Set (RFC 7517): the public keys with which an issuer's tokens are checked.

use std::sync::Arc;

use jsonwebtoken::jwk::AlgorithmParameters::{EllipticCurve, OctetKeyPair, RSA};
use jsonwebtoken::jwk::EllipticCurve::{Ed25519, P256};
use jsonwebtoken::jwk::KeyOperations::Verify;
use jsonwebtoken::jwk::PublicKeyUse::Signature;
use jsonwebtoken::jwk::{Jwk, KeyAlgorithm};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::algorithms;

/// The keys of a set that can be used here. The others are left out: an issuer may have keys for
/// other purposes and other programs in it.
#[derive(Debug, Default)]
pub(crate) struct KeySet(Vec<Arc<Key>>);

/// A public key. Its own type says which algorithm it is for, whatever a token's header says.
#[derive(Debug)]
pub(crate) struct Key {
    id: String,
    pub(super) algorithm: Algorithm,
    pub(super) decoder: DecodingKey,
}

/// Why a document is no key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeySetError {
    /// It is not JSON, or has no list `keys`.
    #[error("is not a JSON Web Key Set")]
    NotAKeySet,
    /// It has a member that only private keys have.
    #[error("has a private key in it, which does not belong there")]
    Private,
}

/// There is no usable set. The text is for the log, never for a client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key set: {0}")]
pub(crate) struct Unavailable(pub(crate) String);

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

/// What only a private key has.
#[derive(Deserialize)]
struct PrivatePart {
    d: Option<IgnoredAny>,
}

impl KeySet {
    /// Reads a set. Keys that cannot be used are no error, private ones are.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, KeySetError> {
        let document: Document =
            serde_json::from_slice(document).map_err(|_| KeySetError::NotAKeySet)?;
        let mut keys = Vec::new();
        for key in document.keys.iter().map(|key| key.get().as_bytes()) {
            if matches!(serde_json::from_slice(key), Ok(PrivatePart { d: Some(_) })) {
                return Err(KeySetError::Private);
            }
            let jwk = serde_json::from_slice::<Jwk>(key).ok();
            keys.extend(jwk.and_then(Key::from_jwk).map(Arc::new));
        }
        Ok(Self(keys))
    }

    /// Whether no key of the set can be used.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key with this `kid`. Keys of different types may share one (RFC 7517, section 4.5); then
    /// the one that fits the token's algorithm is meant.
    pub(super) fn find(&self, id: &str, algorithm: Algorithm) -> Option<Arc<Key>> {
        self.0.iter().find(|key| key.id == id && key.algorithm == algorithm).cloned()
    }

    /// Whether any key has this `kid`.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id == id)
    }

    /// Whether the set has this very key.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.0.iter().any(|other| **other == *key)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        (&self.id, self.algorithm, self.numbers()) == (&other.id, other.algorithm, other.numbers())
    }
}

impl Key {
    /// The key, if it is one that may check signatures, of a kind that is known here, and sound.
    fn from_jwk(jwk: Jwk) -> Option<Self> {
        let common = &jwk.common;
        let signs = common.public_key_use.as_ref().is_none_or(|r#use| *r#use == Signature)
            && common.key_operations.as_ref().is_none_or(|list| list.contains(&Verify));
        let (algorithm, names) = match &jwk.algorithm {
            // The library does not know the other name that RFC 9864 gives to EdDSA with this curve;
            // there is nothing else that a key of it could sign with.
            OctetKeyPair(key) if key.curve == Ed25519 => {
                (Algorithm::EdDSA, [KeyAlgorithm::EdDSA, KeyAlgorithm::UNKNOWN_ALGORITHM])
            }
            EllipticCurve(key) if key.curve == P256 => (Algorithm::ES256, [KeyAlgorithm::ES256; 2]),
            RSA(_) => (Algorithm::RS256, [KeyAlgorithm::RS256; 2]),
            _ => return None,
        };
        let fits = common.key_algorithm.is_none_or(|algorithm| names.contains(&algorithm));
        let decoder = DecodingKey::from_jwk(&jwk).ok()?;
        let sound = algorithms::is_usable(algorithm, &decoder);
        let id = jwk.common.key_id?;
        (signs && fits && sound).then_some(Self { id, algorithm, decoder })
    }

    /// The numbers that make the key.
    fn numbers(&self) -> [&[u8]; 2] {
        match self.decoder.kind() {
            DecodingKeyKind::SecretOrDer(bytes) => [bytes, &[]],
            DecodingKeyKind::RsaModulusExponent { n, e } => [n, e],
        }
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::Algorithm;
    use serde_json::{Value, json};

    use super::{KeySet, KeySetError};

    // The examples of RFC 8037, appendix A.2, and of RFC 7517, appendix A.1.
    fn ed25519() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "kid": "ed", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" })
    }
    fn p256() -> Value {
        json!({ "kty": "EC", "crv": "P-256", "kid": "ec", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" })
    }
    fn rsa() -> Value {
        json!({ "kty": "RSA", "kid": "rsa", "e": "AQAB", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw" })
    }

    fn set(keys: &[Value]) -> KeySet {
        KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).expect("a key set")
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key[name] = value;
        key
    }

    #[test]
    fn the_type_of_a_key_decides_its_algorithm() {
        let set = set(&[ed25519(), p256(), rsa()]);
        for (id, algorithm) in
            [("ed", Algorithm::EdDSA), ("ec", Algorithm::ES256), ("rsa", Algorithm::RS256)]
        {
            assert!(set.find(id, algorithm).is_some(), "{id}");
            assert!(set.find(id, Algorithm::HS256).is_none(), "{id}");
        }
        assert!(set.find("ed", Algorithm::ES256).is_none());
        assert!(set.find("other", Algorithm::EdDSA).is_none());
    }

    #[test]
    fn both_names_of_eddsa_with_ed25519_are_known() {
        for name in ["EdDSA", "Ed25519"] {
            assert!(!set(&[with(ed25519(), "alg", json!(name))]).is_empty(), "{name}");
        }
        assert!(set(&[with(ed25519(), "alg", json!("ES256"))]).is_empty());
    }

    #[test]
    fn keys_of_different_types_may_share_an_id() {
        let set = set(&[with(ed25519(), "kid", json!("a")), with(p256(), "kid", json!("a"))]);
        for algorithm in [Algorithm::EdDSA, Algorithm::ES256] {
            let key = set.find("a", algorithm).expect("a key");
            assert_eq!(key.algorithm, algorithm);
        }
    }

    #[test]
    fn keys_that_cannot_be_used_are_left_out() {
        for (label, key) in [
            ("for encryption", with(rsa(), "use", json!("enc"))),
            ("for another operation", with(rsa(), "key_ops", json!(["encrypt"]))),
            ("for another algorithm", with(rsa(), "alg", json!("PS256"))),
            ("for HS256", with(rsa(), "alg", json!("HS256"))),
            ("without an id", with(rsa(), "kid", Value::Null)),
            ("an id that is no text", with(rsa(), "kid", json!(7))),
            ("another curve", with(p256(), "crv", json!("P-384"))),
            ("another Edwards curve", with(ed25519(), "crv", json!("Ed448"))),
            ("a key for agreement", with(ed25519(), "crv", json!("X25519"))),
            ("a secret", json!({ "kty": "oct", "kid": "a", "k": "AAAA" })),
            ("an unknown type", with(rsa(), "kty", json!("AKP"))),
            (
                "not on the curve",
                with(p256(), "y", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")),
            ),
            ("half a point", with(p256(), "y", Value::Null)),
            ("too short", with(ed25519(), "x", json!("AAAA"))),
            ("not base64", with(ed25519(), "x", json!("???"))),
            ("a modulus of 1024 bits", with(rsa(), "n", json!("A".repeat(170) + "Q"))),
            ("an even modulus", with(rsa(), "n", json!("_".repeat(341) + "g"))),
            ("exponent 1", with(rsa(), "e", json!("AQ"))),
            ("no exponent", with(rsa(), "e", Value::Null)),
            ("not an object", json!("key")),
        ] {
            assert!(set(&[key]).is_empty(), "{label}");
        }
        assert!(!set(&[json!(null), rsa()]).is_empty());
    }

    #[test]
    fn what_is_no_set_or_not_public_is_an_error() {
        for (label, document, error) in [
            ("not JSON", "keys".to_owned(), KeySetError::NotAKeySet),
            ("a list", "[]".to_owned(), KeySetError::NotAKeySet),
            ("no keys", "{}".to_owned(), KeySetError::NotAKeySet),
            ("keys no list", json!({ "keys": {} }).to_string(), KeySetError::NotAKeySet),
            (
                "a private key",
                json!({ "keys": [with(ed25519(), "d", json!("nWGxne"))] }).to_string(),
                KeySetError::Private,
            ),
        ] {
            assert_eq!(KeySet::parse(document.as_bytes()).err(), Some(error), "{label}");
        }
    }

    #[test]
    fn a_key_is_the_same_only_with_the_same_numbers() {
        let old = set(&[ed25519()]);
        let key = old.find("ed", Algorithm::EdDSA).expect("a key");
        assert!(set(&[rsa(), ed25519()]).contains(&key));
        // Another key of RFC 8032's test vectors under the same id.
        let other = with(ed25519(), "x", json!("PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"));
        let replaced = set(&[other]);
        assert!(replaced.knows("ed") && !replaced.contains(&key));
        assert!(!set(&[]).contains(&key));
    }
}
