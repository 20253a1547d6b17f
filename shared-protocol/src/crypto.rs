//! Hashes and signatures as both sides compute them. Keys are held elsewhere: here is only what is public, and a trait for those who sign.

use std::fmt;

use ring::{digest, signature};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{Bytes, fixed_bytes, write_hex};

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash32(pub [u8; 32]);

impl Hash32 {
    /// The digest before the first link of a chain.
    pub const ZERO: Self = Self([0; 32]);

    /// SHA-256 over the parts, each led by its length in 8 bytes, so that no two lists of parts give the same input.
    ///
    /// `domain` names what is hashed; two purposes never share one.
    pub fn of(domain: &str, parts: &[&[u8]]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in std::iter::once(&domain.as_bytes()).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Self(bytes)
    }

    /// From stored bytes; `None` unless there are exactly 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Hash32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Hash32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hash32(")?;
        write_hex(f, &self.0)?;
        f.write_str(")")
    }
}

impl Serialize for Hash32 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Hash32 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed_bytes(deserializer).map(Self)
    }
}

crate::closed_enum! {
    /// How a signature was made. The byte travels beside every key and signature.
    pub enum Algorithm {
        /// ECDSA over P-256 with SHA-256, fixed-length `r | s`; what every Android Keystore can do.
        P256 = 1,
        /// Ed25519; desks, servers and test tills.
        Ed25519 = 2,
        /// SHA-256 keyed by the public key: no secret at all, only for simulations that would otherwise spend their time on curves.
        /// Refused unless the crate is built with `sim-signer`.
        SimulatedKeyedHash = 240,
    }
}

/// A public key with its algorithm.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PublicKey {
    /// What the key is for.
    pub algorithm: Algorithm,
    /// P-256: uncompressed point, 65 bytes. Ed25519: 32 bytes.
    pub bytes: Bytes,
}

/// A signature with its algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// How it was made.
    pub algorithm: Algorithm,
    /// The signature's bytes, 64 for both curves.
    pub bytes: Bytes,
}

/// A signature that does not hold: wrong key, wrong message, or damaged. Nobody can tell which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not match the message and the key")]
pub struct BadSignature;

/// Checks a signature. The algorithm of the signature must be that of the key.
pub fn verify(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
    if key.algorithm != signature.algorithm {
        return Err(BadSignature);
    }
    let algorithm: &dyn signature::VerificationAlgorithm = match key.algorithm {
        Algorithm::P256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Ed25519 => &signature::ED25519,
        Algorithm::SimulatedKeyedHash => return verify_simulated(key, message, signature),
    };
    signature::UnparsedPublicKey::new(algorithm, &key.bytes.0)
        .verify(message, &signature.bytes.0)
        .map_err(|_| BadSignature)
}

#[cfg(feature = "sim-signer")]
fn verify_simulated(key: &PublicKey, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
    if simulated_signature(key, message) == *signature {
        Ok(())
    } else {
        Err(BadSignature)
    }
}

#[cfg(not(feature = "sim-signer"))]
fn verify_simulated(_: &PublicKey, _: &[u8], _: &Signature) -> Result<(), BadSignature> {
    Err(BadSignature)
}

/// The signature of a simulated key over a message.
#[cfg(feature = "sim-signer")]
pub fn simulated_signature(key: &PublicKey, message: &[u8]) -> Signature {
    let hash = Hash32::of("groschen simulated signature", &[&key.bytes.0, message]);
    Signature {
        algorithm: Algorithm::SimulatedKeyedHash,
        bytes: Bytes(hash.0.to_vec()),
    }
}

/// The message that is signed for `domain`: the domain and the parts, each led by its length.
///
/// A hash of it is not taken first, because both curves hash their message themselves.
pub fn signing_input(domain: &str, parts: &[&[u8]]) -> Vec<u8> {
    std::iter::once(&domain.as_bytes())
        .chain(parts)
        .flat_map(|part| {
            (part.len() as u64)
                .to_be_bytes()
                .into_iter()
                .chain(part.iter().copied())
        })
        .collect()
}

/// A signer could not sign: the key is gone, locked, or the hardware failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key could not sign: {0}")]
pub struct SignError(pub String);

/// Somebody who holds a private key: Android Keystore, a key file on a desk, a simulation.
pub trait Signer: Send {
    /// The public half.
    fn public_key(&self) -> PublicKey;
    /// Signs the message as it is.
    fn sign(&self, message: &[u8]) -> Result<Signature, SignError>;
}

/// An Ed25519 key pair in memory, for desks, servers and test tills.
pub struct Ed25519Signer(signature::Ed25519KeyPair);

impl Ed25519Signer {
    /// From a 32-byte seed that the shell drew or loaded.
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, SignError> {
        signature::Ed25519KeyPair::from_seed_unchecked(seed)
            .map(Self)
            .map_err(|error| SignError(error.to_string()))
    }
}

impl Signer for Ed25519Signer {
    fn public_key(&self) -> PublicKey {
        use signature::KeyPair as _;
        PublicKey {
            algorithm: Algorithm::Ed25519,
            bytes: Bytes(self.0.public_key().as_ref().to_vec()),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature {
            algorithm: Algorithm::Ed25519,
            bytes: Bytes(self.0.sign(message).as_ref().to_vec()),
        })
    }
}

/// A key without a secret, for simulations.
#[cfg(feature = "sim-signer")]
pub struct SimulatedSigner(pub PublicKey);

#[cfg(feature = "sim-signer")]
impl SimulatedSigner {
    /// A key that differs for every name.
    pub fn named(name: &[u8]) -> Self {
        let bytes = Hash32::of("groschen simulated key", &[name]).0.to_vec();
        Self(PublicKey {
            algorithm: Algorithm::SimulatedKeyedHash,
            bytes: Bytes(bytes),
        })
    }
}

#[cfg(feature = "sim-signer")]
impl Signer for SimulatedSigner {
    fn public_key(&self) -> PublicKey {
        self.0.clone()
    }

    fn sign(&self, message: &[u8]) -> Result<Signature, SignError> {
        Ok(simulated_signature(&self.0, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_message_and_key_only() {
        let signer = Ed25519Signer::from_seed(&[7; 32]).unwrap();
        let other = Ed25519Signer::from_seed(&[8; 32]).unwrap();
        let signature = signer.sign(b"beer").unwrap();
        assert_eq!(verify(&signer.public_key(), b"beer", &signature), Ok(()));
        assert_eq!(verify(&signer.public_key(), b"bear", &signature), Err(BadSignature));
        assert_eq!(verify(&other.public_key(), b"beer", &signature), Err(BadSignature));
    }

    #[cfg(not(feature = "sim-signer"))]
    #[test]
    fn simulated_signatures_are_refused_in_a_normal_build() {
        let key = PublicKey {
            algorithm: Algorithm::SimulatedKeyedHash,
            bytes: Bytes(vec![1; 32]),
        };
        let hash = Hash32::of("groschen simulated signature", &[&key.bytes.0, b"beer"]);
        let signature = Signature {
            algorithm: Algorithm::SimulatedKeyedHash,
            bytes: Bytes(hash.0.to_vec()),
        };
        assert_eq!(verify(&key, b"beer", &signature), Err(BadSignature));
    }

    #[test]
    fn parts_cannot_be_shifted_into_each_other() {
        assert_ne!(Hash32::of("d", &[b"ab", b"c"]), Hash32::of("d", &[b"a", b"bc"]));
        assert_ne!(Hash32::of("d", &[b"a"]), Hash32::of("da", &[]));
    }
}
