//! Private keys of what is made in software, out of a seed.

use bp384::BrainpoolP384r1;
use ecdsa::SigningKey;
use ecdsa::signature::{Error, Signer as _};
use p256::NistP256;
use sha2::{Digest as _, Sha256};

use crate::tse::Curve;

/// A private key.
pub(crate) enum Key {
    BrainpoolP384(Box<SigningKey<BrainpoolP384r1>>),
    P256(Box<SigningKey<NistP256>>),
}

/// A key that cannot be used: about one in 2^128 seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this seed makes no key; draw another one")]
pub struct NoKey;

impl Key {
    /// The key of a seed, for one purpose.
    pub(crate) fn of(purpose: &str, seed: &[u8; 32], curve: Curve) -> Result<Self, NoKey> {
        let derived = |part: u8| -> [u8; 32] {
            let mut digest = Sha256::new();
            digest.update(purpose.as_bytes());
            digest.update([part]);
            digest.update(seed);
            digest.finalize().into()
        };
        match curve {
            Curve::BrainpoolP384 => {
                // 48 bytes below the curve's order, which begins with 8c: the first bit is taken away.
                let (one, two) = (derived(1), derived(2));
                let mut scalar: Vec<u8> = one.into_iter().chain(two).take(48).collect();
                if let Some(first) = scalar.first_mut() {
                    *first &= 0x7f;
                }
                let key = SigningKey::from_slice(&scalar).map_err(|_| NoKey)?;
                Ok(Self::BrainpoolP384(Box::new(key)))
            }
            Curve::P256 => {
                let key = SigningKey::from_slice(&derived(3)).map_err(|_| NoKey)?;
                Ok(Self::P256(Box::new(key)))
            }
        }
    }

    pub(crate) const fn curve(&self) -> Curve {
        match self {
            Self::BrainpoolP384(_) => Curve::BrainpoolP384,
            Self::P256(_) => Curve::P256,
        }
    }

    /// The public key, uncompressed.
    pub(crate) fn public(&self) -> Vec<u8> {
        match self {
            Self::BrainpoolP384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            Self::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        }
    }

    /// r and s one after the other, each as long as the curve's numbers are: as TSEs sign.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::BrainpoolP384(key) => {
                let signature: ecdsa::Signature<BrainpoolP384r1> = key.try_sign(message)?;
                Ok(signature.to_bytes().to_vec())
            }
            Self::P256(key) => {
                let signature: ecdsa::Signature<NistP256> = key.try_sign(message)?;
                Ok(signature.to_bytes().to_vec())
            }
        }
    }

    /// A sequence of r and s: as certificates are signed.
    pub(crate) fn sign_certificate(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        match self {
            Self::BrainpoolP384(key) => {
                let signature: ecdsa::Signature<BrainpoolP384r1> = key.try_sign(message)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Self::P256(key) => {
                let signature: ecdsa::Signature<NistP256> = key.try_sign(message)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
        }
    }
}
