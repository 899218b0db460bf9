//! The four signature algorithms of tokens. The component contains no other.

use std::ops::RangeInclusive;

use ed25519_dalek::VerifyingKey as Ed25519Key;
use hmac::{Hmac, KeyInit, Mac};
use p256::AffinePoint;
use p256::ecdsa::VerifyingKey as P256Key;
use p256::ecdsa::signature::Verifier;
use p256::elliptic_curve::point::AffineCoordinates;
use rsa::pkcs1v15::VerifyingKey as RsaKey;
use rsa::{BoxedUint, RsaPublicKey};
use sha2::Sha256;

/// RS256 needs at least 2048 bits (RFC 7518, section 3.3); more than the library's limit would cost
/// more time than a request should.
const RSA_BITS: RangeInclusive<usize> = 2048..=RsaPublicKey::MAX_SIZE;

/// An algorithm that signs tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    HS256,
    EdDSA,
    ES256,
    RS256,
}

impl Algorithm {
    /// The algorithm with this name in the header of a token or in a key.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::HS256),
            // The second is RFC 9864's name for EdDSA with this curve, and no other curve is known here.
            "EdDSA" | "Ed25519" => Some(Self::EdDSA),
            "ES256" => Some(Self::ES256),
            "RS256" => Some(Self::RS256),
            _ => None,
        }
    }
}

/// The secret of HS256.
pub(crate) struct SecretKey(Hmac<Sha256>);

impl SecretKey {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(Hmac::new_from_slice(bytes).expect("HMAC takes keys of any length"))
    }

    /// Checks a signature, in constant time.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.clone().chain_update(message).verify_slice(signature).is_ok()
    }
}

/// The public key of one of the other algorithms.
#[derive(Debug, PartialEq)]
pub(super) enum PublicKey {
    Ed25519(Ed25519Key),
    P256(P256Key),
    Rsa(RsaKey<Sha256>),
}

impl PublicKey {
    /// For EdDSA.
    pub(super) fn ed25519(bytes: &[u8]) -> Option<Self> {
        Ed25519Key::try_from(bytes).ok().map(Self::Ed25519)
    }

    /// For ES256. `None` where the coordinates are not those of a point on the curve.
    pub(super) fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        let point = AffinePoint::from_coordinates(x.try_into().ok()?, y.try_into().ok()?);
        P256Key::from_affine(point.into_option()?).ok().map(Self::P256)
    }

    /// For RS256, from modulus and exponent.
    pub(super) fn rsa(n: &[u8], e: &[u8]) -> Option<Self> {
        let (n, e) = (BoxedUint::from_be_slice_vartime(n), BoxedUint::from_be_slice_vartime(e));
        let key = RsaPublicKey::new_with_size_limits(n, e, RSA_BITS).ok()?;
        Some(Self::Rsa(RsaKey::new(key)))
    }

    /// The one algorithm that the key is for.
    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Ed25519(_) => Algorithm::EdDSA,
            Self::P256(_) => Algorithm::ES256,
            Self::Rsa(_) => Algorithm::RS256,
        }
    }

    /// Checks a signature.
    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            // Strict: no keys and signatures of small order, with which one signature fits many messages.
            Self::Ed25519(key) => signature
                .try_into()
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Self::P256(key) => verify::<p256::ecdsa::Signature>(key, message, signature),
            Self::Rsa(key) => verify::<rsa::pkcs1v15::Signature>(key, message, signature),
        }
    }
}

fn verify<S: for<'a> TryFrom<&'a [u8]>>(
    key: &impl Verifier<S>,
    message: &[u8],
    signature: &[u8],
) -> bool {
    S::try_from(signature).is_ok_and(|signature| key.verify(message, &signature).is_ok())
}
