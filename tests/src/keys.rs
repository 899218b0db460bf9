//! Signing keys of every supported type, generated in each run.

use std::sync::LazyLock;

use ed25519_dalek::Signer as _;
use rsa::pkcs1v15;
use rsa::signature::SignatureEncoding as _;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::token::base64url;

/// A key pair with an id.
#[derive(Clone)]
pub struct SigningKey {
    /// The `kid` under which it is published.
    pub id: String,
    pair: Pair,
}

#[derive(Clone)]
enum Pair {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
    Rsa(Box<rsa::RsaPrivateKey>),
}

impl SigningKey {
    /// For EdDSA.
    pub fn ed25519(id: &str) -> Self {
        let pair = ed25519_dalek::SigningKey::from_bytes(&rand::random());
        Self { id: id.to_owned(), pair: Pair::Ed25519(pair) }
    }

    /// For ES256.
    pub fn p256(id: &str) -> Self {
        let bytes: [u8; 32] = rand::random();
        let pair = p256::ecdsa::SigningKey::from_slice(&bytes)
            .expect("all but some 2^32 of 2^256 numbers are keys");
        Self { id: id.to_owned(), pair: Pair::P256(pair) }
    }

    /// For RS256, of 2048 bits. The process generates only two, because that takes a while: this one
    /// and [`SigningKey::another_rsa`].
    pub fn rsa(id: &str) -> Self {
        static PAIR: LazyLock<rsa::RsaPrivateKey> = LazyLock::new(|| rsa_pair(2048));
        Self { id: id.to_owned(), pair: Pair::Rsa(Box::new(PAIR.clone())) }
    }

    /// For RS256, different from [`SigningKey::rsa`].
    pub fn another_rsa(id: &str) -> Self {
        static PAIR: LazyLock<rsa::RsaPrivateKey> = LazyLock::new(|| rsa_pair(2048));
        Self { id: id.to_owned(), pair: Pair::Rsa(Box::new(PAIR.clone())) }
    }

    /// For RS256, of 1024 bits, which is too small.
    pub fn small_rsa(id: &str) -> Self {
        static PAIR: LazyLock<rsa::RsaPrivateKey> = LazyLock::new(|| rsa_pair(1024));
        Self { id: id.to_owned(), pair: Pair::Rsa(Box::new(PAIR.clone())) }
    }

    /// One of each kind, with its algorithm as its id.
    pub fn of_each_kind() -> [Self; 3] {
        [Self::ed25519("EdDSA"), Self::p256("ES256"), Self::rsa("RS256")]
    }

    /// The algorithm that fits the key, as a token's header names it.
    pub fn algorithm(&self) -> &'static str {
        match self.pair {
            Pair::Ed25519(_) => "EdDSA",
            Pair::P256(_) => "ES256",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// All names of that algorithm: RFC 9864 has another one for `EdDSA` with this curve.
    pub fn algorithms(&self) -> &'static [&'static str] {
        match self.pair {
            Pair::Ed25519(_) => &["EdDSA", "Ed25519"],
            Pair::P256(_) => &["ES256"],
            Pair::Rsa(_) => &["RS256"],
        }
    }

    /// The public key as a JSON Web Key (RFC 7517).
    pub fn jwk(&self) -> Value {
        let mut jwk = match &self.pair {
            Pair::Ed25519(pair) => json!({
                "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.verifying_key().as_bytes())
            }),
            Pair::P256(pair) => {
                let point = pair.verifying_key().to_sec1_point(false);
                let [x, y] = [point.x(), point.y()]
                    .map(|number| base64url(number.expect("a point in full").as_slice()));
                json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y })
            }
            Pair::Rsa(pair) => json!({
                "kty": "RSA",
                "n": base64url(&pair.n_bytes()),
                "e": base64url(&pair.e_bytes()),
            }),
        };
        jwk["kid"] = json!(self.id);
        jwk["alg"] = json!(self.algorithm());
        jwk["use"] = json!("sig");
        jwk
    }

    /// The raw bytes of the public key: an attacker could try them as an HMAC key.
    pub fn public_bytes(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.verifying_key().as_bytes().to_vec(),
            Pair::P256(pair) => pair.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Pair::Rsa(pair) => pair.n_bytes().to_vec(),
        }
    }

    /// The key's signature of a text, with the algorithm that fits the key.
    pub(crate) fn sign(&self, text: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.sign(text).to_bytes().to_vec(),
            Pair::P256(pair) => {
                let signature: p256::ecdsa::Signature = pair.sign(text);
                signature.to_bytes().to_vec()
            }
            Pair::Rsa(pair) => {
                pkcs1v15::SigningKey::<Sha256>::new(*pair.clone()).sign(text).to_vec()
            }
        }
    }
}

fn rsa_pair(bits: usize) -> rsa::RsaPrivateKey {
    rsa::RsaPrivateKey::new(&mut rand::rng(), bits).expect("generate an RSA key")
}

/// A JSON Web Key Set of these keys.
pub fn key_set<'a>(keys: impl IntoIterator<Item = &'a SigningKey>) -> Value {
    json!({ "keys": keys.into_iter().map(SigningKey::jwk).collect::<Vec<_>>() })
}
