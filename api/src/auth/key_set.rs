//! A JSON Web Key Set (RFC 7517): the public keys with which an issuer's tokens are checked.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::algorithms::{Algorithm, PublicKey};

/// The keys of a set that can be used here. The others are left out: an issuer may have keys for
/// other purposes and other programs in it.
#[derive(Debug, Default)]
pub(crate) struct KeySet(Vec<Arc<Key>>);

/// A public key. Its type decides the algorithm, not the header of a token.
#[derive(Debug, PartialEq)]
pub(crate) struct Key {
    /// The `kid`.
    id: Option<String>,
    pub(super) public: PublicKey,
}

/// Errors of a document that is no key set.
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

impl KeySet {
    /// Reads a set. Keys that cannot be used are no error, private ones are.
    pub(crate) fn parse(document: &[u8]) -> Result<Self, KeySetError> {
        let document: Map<String, Value> =
            serde_json::from_slice(document).map_err(|_| KeySetError::NotAKeySet)?;
        let keys = document.get("keys").and_then(Value::as_array).ok_or(KeySetError::NotAKeySet)?;
        let keys = keys.iter().filter_map(Value::as_object);
        if keys.clone().any(|key| key.get("d").is_some_and(|d| !d.is_null())) {
            return Err(KeySetError::Private);
        }
        Ok(Self(keys.filter_map(Key::from_jwk).map(Arc::new).collect()))
    }

    /// True if no key of the set can be used.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key for a token with this algorithm and `kid`. Keys of different types may share a `kid`
    /// (RFC 7517, section 4.5). A token without one is for the only key of its algorithm, if there is
    /// no other.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<Key>> {
        let mut keys = self.0.iter().filter(|key| key.public.algorithm() == algorithm);
        match id {
            Some(_) => keys.find(|key| key.id.as_deref() == id),
            None => keys.next().filter(|_| keys.next().is_none()),
        }
        .cloned()
    }

    /// True if any key is for this algorithm.
    pub(super) fn has_for(&self, algorithm: Algorithm) -> bool {
        self.0.iter().any(|key| key.public.algorithm() == algorithm)
    }

    /// True if any key has this `kid`.
    pub(super) fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }

    /// True if the set has this very key.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.0.iter().any(|other| **other == *key)
    }
}

impl Key {
    /// The key, if it is one that may check signatures, of a kind that is known here, and sound.
    fn from_jwk(jwk: &Map<String, Value>) -> Option<Self> {
        let member = |name: &str| jwk.get(name).filter(|value| !value.is_null());
        let text = |name: &str| member(name)?.as_str();
        let number = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let public = match (text("kty")?, text("crv")) {
            ("OKP", Some("Ed25519")) => PublicKey::ed25519(&number("x")?),
            ("EC", Some("P-256")) => PublicKey::p256(&number("x")?, &number("y")?),
            ("RSA", _) => PublicKey::rsa(&number("n")?, &number("e")?),
            _ => None,
        }?;
        let signs = member("use").is_none_or(|r#use| r#use == "sig")
            && member("key_ops").is_none_or(|operations| {
                operations.as_array().is_some_and(|list| list.iter().any(|name| name == "verify"))
            });
        let fits = member("alg").is_none_or(|name| {
            name.as_str().and_then(Algorithm::parse) == Some(public.algorithm())
        });
        let id = match member("kid") {
            Some(id) => Some(id.as_str()?.to_owned()),
            None => None,
        };
        (signs && fits).then_some(Self { id, public })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{KeySet, KeySetError};
    use crate::auth::algorithms::Algorithm;

    /// Another key of RFC 8032's test vectors.
    const OTHER_ED25519: &str = "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw";

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
            assert!(set.find(Some(id), algorithm).is_some(), "{id}");
            assert!(set.find(Some(id), Algorithm::HS256).is_none(), "{id}");
        }
        assert!(set.find(Some("ed"), Algorithm::ES256).is_none());
        assert!(set.find(Some("other"), Algorithm::EdDSA).is_none());
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
            let key = set.find(Some("a"), algorithm).expect("a key");
            assert_eq!(key.public.algorithm(), algorithm);
        }
    }

    #[test]
    fn a_token_without_an_id_is_for_the_only_key_of_its_algorithm() {
        let unnamed = |key| with(key, "kid", Value::Null);
        let two = [ed25519(), with(ed25519(), "x", json!(OTHER_ED25519))];
        for (label, keys, is_found) in [
            ("one", &[ed25519()][..], true),
            ("one without an id", &[unnamed(ed25519())], true),
            ("one beside others", &[p256(), unnamed(ed25519()), rsa()], true),
            ("two", &two, false),
            ("two, one without an id", &[ed25519(), unnamed(ed25519())], false),
            ("others", &[p256(), rsa()], false),
            ("none", &[], false),
        ] {
            let set = set(keys);
            assert_eq!(set.find(None, Algorithm::EdDSA).is_some(), is_found, "{label}");
        }
        let set = set(&[unnamed(ed25519())]);
        assert!(set.find(Some(""), Algorithm::EdDSA).is_none());
        assert!(!set.knows(""));
    }

    #[test]
    fn keys_that_cannot_be_used_are_left_out() {
        for (label, key) in [
            ("for encryption", with(rsa(), "use", json!("enc"))),
            ("for another operation", with(rsa(), "key_ops", json!(["encrypt"]))),
            ("for another algorithm", with(rsa(), "alg", json!("PS256"))),
            ("for HS256", with(rsa(), "alg", json!("HS256"))),
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
            ("coordinates too long", with(p256(), "x", json!("A".repeat(44)))),
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
        let key = old.find(Some("ed"), Algorithm::EdDSA).expect("a key");
        assert!(set(&[rsa(), ed25519()]).contains(&key));
        let other = with(ed25519(), "x", json!(OTHER_ED25519));
        let replaced = set(&[other]);
        assert!(replaced.knows("ed") && !replaced.contains(&key));
        assert!(!set(&[]).contains(&key));
    }
}
