//! Properties of every token and key set: nothing panics, and no token is read that its parts do not support.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use property_cases::config;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::jwks_record::Record;
use super::jwt::UnverifiedToken;
use super::key_set::{KeySet, KeySetError};
use crate::config::RequiredClaims;

const NOTHING: RequiredClaims = RequiredClaims { issuer: None, audience: None };

const NOW: u64 = 1_800_000_000;

/// A value that a member of a token or a key may have.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        select(vec![
            json!("HS256"),
            json!("none"),
            json!("EdDSA"),
            json!("JWT"),
            json!("RSA"),
            json!("EC"),
            json!("OKP"),
            json!("Ed25519"),
            json!("P-256"),
            json!("AQAB"),
            json!(null),
            json!(NOW),
            json!(NOW + 9_000),
            json!(-1),
            json!(1e308),
            json!(u64::MAX),
            json!([]),
            json!(["a"]),
            json!({}),
            json!("a"),
            json!("a\0"),
            json!(""),
        ]),
        "\\PC{0,8}".prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..70)
            .prop_map(|bytes| URL_SAFE_NO_PAD.encode(bytes).into()),
        any::<f64>().prop_map(Value::from),
    ]
}

/// An object with some of these members.
fn object(names: Vec<&'static str>) -> impl Strategy<Value = Value> {
    prop::collection::vec((select(names), value()), 0..6).prop_map(|members| {
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_a_token_or_malformed(text in "\\PC{0,40}|[A-Za-z0-9_.=-]{0,60}|(ey[A-Za-z0-9_-]{0,30}\\.){0,4}") {
        if let Ok(token) = UnverifiedToken::parse(&text) {
            prop_assert!(text.as_bytes().starts_with(token.message));
            let _ = token.validate(&NOTHING, NOW);
        }
    }

    /// The rules of RFC 7519 once more, on `serde_json`'s values.
    #[test]
    fn a_token_is_valid_by_its_claims(
        header in object(vec!["alg", "typ", "kid", "crit", "jku", "x"]),
        claims in object(vec!["sub", "exp", "nbf", "email", "email_verified", "iss", "aud"]),
        signature in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let [first, second] = [&header, &claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{first}.{second}");
        let text = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature));
        let Ok(token) = UnverifiedToken::parse(&text) else { return Ok(()) };
        prop_assert_eq!(token.message, signed.as_bytes());
        prop_assert_eq!(&token.signature, &signature);
        prop_assert_eq!(token.key_id.as_deref(), header["kid"].as_str());
        let is_known = ["HS256", "EdDSA", "Ed25519"].iter().any(|name| header["alg"] == *name);
        prop_assert!(is_known && header.get("crit").is_none() && header.get("jku").is_none());
        let Ok(verified) = token.validate(&NOTHING, NOW) else { return Ok(()) };
        prop_assert_eq!(Some(verified.caller.user_id.as_str()), claims["sub"].as_str());
        prop_assert!((1..=255).contains(&verified.caller.user_id.len()) && !verified.caller.user_id.contains('\0'));
        prop_assert!(claims["exp"].as_f64().is_some_and(|exp| exp >= 1_799_999_940.0));
        prop_assert!(claims["nbf"].as_f64().is_none_or(|nbf| nbf <= 1_800_000_060.0));
    }

    #[test]
    fn any_document_is_a_key_set_or_not(keys in prop::collection::vec(object(vec!["kty", "crv", "x", "y", "n", "e", "d", "kid", "alg", "use", "key_ops"]), 0..4), text in "\\PC{0,30}") {
        let _ = KeySet::parse(text.as_bytes());
        let is_private = keys.iter().any(|key| key.get("d").is_some_and(|d| !d.is_null()));
        let parsed = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes());
        prop_assert_eq!(parsed.err(), is_private.then_some(KeySetError::Private));
    }

    #[test]
    fn any_record_is_read_as_it_is_written(bytes in prop::collection::vec(any::<u8>(), 0..60), text in "[{}\":,a-z0-9_]{0,40}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if let Some(record) = Record::from_bytes(bytes) {
                let again = Record::from_bytes(&record.to_bytes()).map(|record| record.to_bytes());
                prop_assert_eq!(again, Some(record.to_bytes()));
            }
        }
    }
}
