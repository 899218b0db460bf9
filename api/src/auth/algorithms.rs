//! The four ways in which a token may be signed, for the `jsonwebtoken` crate.
//!
//! That crate parses and judges tokens and takes its cryptography from a provider. Ours knows how to
//! check HS256, EdDSA, ES256 and RS256, and nothing else: no other algorithm is in the component,
//! whatever a token's header says.

use std::ops::RangeInclusive;

use ed25519_dalek::VerifyingKey as Ed25519Key;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use p256::AffinePoint;
use p256::ecdsa::VerifyingKey as P256Key;
use p256::ecdsa::signature::Verifier as _;
use p256::elliptic_curve::point::AffineCoordinates;
use rsa::pkcs1v15::VerifyingKey as RsaKey;
use rsa::{BoxedUint, RsaPublicKey};
use sha2::Sha256;

/// RS256 wants at least 2048 bits (RFC 7518, section 3.3); more than the library's limit would cost
/// more time than a request should.
const RSA_BITS: RangeInclusive<usize> = 2048..=RsaPublicKey::MAX_SIZE;

/// Lets the `jsonwebtoken` crate use what stands here.
pub(super) fn install() {
    // Fails only when it is installed already, by an earlier call.
    let _ = PROVIDER.install_default();
}

/// Whether signatures of this algorithm can be checked with this key at all: that it is a point of
/// the curve, or a modulus of an acceptable size.
pub(super) fn is_usable(algorithm: Algorithm, key: &DecodingKey) -> bool {
    verifier(algorithm, key).is_ok()
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _: &EncodingKey| -> Result<Box<dyn JwtSigner>, Error> {
        Err(ErrorKind::InvalidAlgorithm.into())
    },
    verifier_factory: |algorithm, key| verifier(*algorithm, key),
    // Used for making and comparing JSON Web Keys, which does not happen here.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Checks a signature; the key is inside.
type Check = dyn Fn(&[u8], &[u8]) -> bool;

fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    // The callers choose the algorithm by the key; this is the last place to notice if one did not.
    if algorithm.family() != key.family() {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let check = match algorithm {
        Algorithm::HS256 => hs256(key),
        Algorithm::EdDSA => eddsa(key),
        Algorithm::ES256 => es256(key),
        Algorithm::RS256 => rs256(key),
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    let check = check.ok_or(ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(Verifier { algorithm, check }))
}

fn hs256(key: &DecodingKey) -> Option<Box<Check>> {
    let mac = Hmac::<Sha256>::new_from_slice(key.try_get_as_bytes().ok()?).ok()?;
    Some(Box::new(move |message, signature| {
        let mut mac = mac.clone();
        mac.update(message);
        // Compares in constant time.
        mac.verify_slice(signature).is_ok()
    }))
}

fn eddsa(key: &DecodingKey) -> Option<Box<Check>> {
    let key = Ed25519Key::try_from(key.try_get_as_bytes().ok()?).ok()?;
    Some(Box::new(move |message, signature| {
        // Strict: no keys and signatures of small order, with which one signature fits many messages.
        signature.try_into().is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
    }))
}

fn es256(key: &DecodingKey) -> Option<Box<Check>> {
    // 4, which stands for a point in full, and the two coordinates (SEC 1, section 2.3.3).
    let (&4, point) = key.try_get_as_bytes().ok()?.split_first()? else { return None };
    let (x, y) = point.split_at_checked(32)?;
    let point = AffinePoint::from_coordinates(x.try_into().ok()?, y.try_into().ok()?);
    let key = P256Key::from_affine(point.into_option()?).ok()?;
    Some(Box::new(move |message, signature| {
        p256::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok())
    }))
}

fn rs256(key: &DecodingKey) -> Option<Box<Check>> {
    let DecodingKeyKind::RsaModulusExponent { n, e } = key.kind() else { return None };
    let (n, e) = (BoxedUint::from_be_slice_vartime(n), BoxedUint::from_be_slice_vartime(e));
    let key = RsaPublicKey::new_with_size_limits(n, e, RSA_BITS).ok()?;
    let key = RsaKey::<Sha256>::new(key);
    Some(Box::new(move |message, signature| {
        rsa::pkcs1v15::Signature::try_from(signature)
            .is_ok_and(|signature| key.verify(message, &signature).is_ok())
    }))
}

struct Verifier {
    algorithm: Algorithm,
    check: Box<Check>,
}

impl signature::Verifier<Vec<u8>> for Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        if (self.check)(message, signature) { Ok(()) } else { Err(signature::Error::new()) }
    }
}

impl JwtVerifier for Verifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
