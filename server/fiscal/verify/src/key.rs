//! Public keys and their signatures, on every curve that a library of the family has.

use bp256::BrainpoolP256r1;
use bp384::BrainpoolP384r1;
use p256::NistP256;
use p384::NistP384;
use p521::NistP521;
use sha2::{Digest as _, Sha256};

use crate::algorithm::Curve;
use crate::fast::Checked;
use crate::tlv::Values;

/// A public key that signatures can be checked with.
pub struct PublicKey {
    point: Vec<u8>,
    key: Key,
}

enum Key {
    P256(Box<Checked<NistP256>>),
    P384(Box<Checked<NistP384>>),
    P521(Box<Checked<NistP521>>),
    BrainpoolP256(Box<Checked<BrainpoolP256r1>>),
    BrainpoolP384(Box<Checked<BrainpoolP384r1>>),
}

impl PublicKey {
    /// Of an uncompressed point (`04 ‖ X ‖ Y`) that lies on a curve.
    pub fn on(curve: Curve, point: &[u8]) -> Option<Self> {
        if point.first() != Some(&4) || point.len() != 1 + 2 * curve.bytes() {
            return None;
        }
        let key = match curve {
            Curve::P256 => Key::P256(Box::new(Checked::new(point)?)),
            Curve::P384 => Key::P384(Box::new(Checked::new(point)?)),
            Curve::P521 => Key::P521(Box::new(Checked::new(point)?)),
            Curve::BrainpoolP256 => Key::BrainpoolP256(Box::new(Checked::new(point)?)),
            Curve::BrainpoolP384 => Key::BrainpoolP384(Box::new(Checked::new(point)?)),
        };
        Some(Self {
            point: point.to_vec(),
            key,
        })
    }

    /// Of a point alone, as receipts carry it: it lies on one curve of its length at most.
    pub fn of_point(point: &[u8]) -> Option<Self> {
        Curve::ALL.into_iter().find_map(|curve| Self::on(curve, point))
    }

    /// Its curve.
    pub const fn curve(&self) -> Curve {
        match &self.key {
            Key::P256(_) => Curve::P256,
            Key::P384(_) => Curve::P384,
            Key::P521(_) => Curve::P521,
            Key::BrainpoolP256(_) => Curve::BrainpoolP256,
            Key::BrainpoolP384(_) => Curve::BrainpoolP384,
        }
    }

    /// SHA-256 of the point: the serial number of a TSE with this key.
    pub fn serial(&self) -> [u8; 32] {
        serial(&self.point)
    }

    /// Whether a signature over a digest holds: r and s one after the other in full width.
    pub fn verifies(&mut self, digest: &[u8], plain: &[u8]) -> bool {
        if plain.len() != 2 * self.curve().bytes() {
            return false;
        }
        match &mut self.key {
            Key::P256(key) => key.verifies(digest, plain),
            Key::P384(key) => key.verifies(digest, plain),
            Key::P521(key) => key.verifies(digest, plain),
            Key::BrainpoolP256(key) => key.verifies(digest, plain),
            Key::BrainpoolP384(key) => key.verifies(digest, plain),
        }
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PublicKey")
            .field("curve", &self.curve())
            .finish_non_exhaustive()
    }
}

/// The serial number of a TSE: SHA-256 of its public key's point.
pub fn serial(point: &[u8]) -> [u8; 32] {
    Sha256::digest(point).into()
}

/// A signature as a sequence of r and s (X9.62) in the form that TSEs use: one after the other in full width.
pub fn plain_of_sequence(bytes: &[u8], curve: Curve) -> Option<Vec<u8>> {
    let mut file = Values::of(bytes);
    let sequence = file.expect(0x30).ok()??;
    if !file.rest().is_empty() {
        return None;
    }
    let mut values = Values::of(sequence.value);
    let mut plain = Vec::with_capacity(2 * curve.bytes());
    for _ in 0..2 {
        let number = values.expect(0x02).ok()??.value;
        let digits = match number {
            [0, rest @ ..] => rest,
            [first, ..] if *first < 0x80 => number,
            _ => return None,
        };
        let missing = curve.bytes().checked_sub(digits.len())?;
        plain.resize(plain.len() + missing, 0);
        plain.extend_from_slice(digits);
    }
    values.rest().is_empty().then_some(plain)
}
