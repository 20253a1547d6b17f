//! Signature algorithms and curves by their object identifiers (TR-03111, TR-03116-5; X9.62 for certificates).

use serde::Serialize;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// `0.4.0.127.0.7.1.1.4.1`: ECDSA, r and s one after the other; the digest follows.
const ECDSA_PLAIN: [u8; 9] = [0x04, 0x00, 0x7f, 0x00, 0x07, 0x01, 0x01, 0x04, 0x01];
/// `1.2.840.10045.4.3`: ECDSA, a sequence of r and s; the digest follows.
const ECDSA_WITH: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];

/// How a message is digested before it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Digest {
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    const fn of_arc(arc: u8) -> Option<Self> {
        match arc {
            2 => Some(Self::Sha224),
            3 => Some(Self::Sha256),
            4 => Some(Self::Sha384),
            5 => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The last arc of `ecdsa-plain` with this digest.
    pub(crate) const fn arc(self) -> u8 {
        match self {
            Self::Sha224 => 2,
            Self::Sha256 => 3,
            Self::Sha384 => 4,
            Self::Sha512 => 5,
        }
    }

    /// Of a name as receipts have it: `ecdsa-plain-SHA256`.
    pub(crate) fn of_receipt(name: &str) -> Option<Self> {
        match name.strip_prefix("ecdsa-plain-SHA")? {
            "224" => Some(Self::Sha224),
            "256" => Some(Self::Sha256),
            "384" => Some(Self::Sha384),
            "512" => Some(Self::Sha512),
            _ => None,
        }
    }

    /// The digest of bytes.
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => Sha224::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }
}

/// How something was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA, r and s one after the other in full width.
    Plain(Digest),
    /// ECDSA, a sequence of r and s; certificates are signed so.
    Sequence(Digest),
    /// Something else, in the notation with dots.
    Unknown(String),
}

impl Algorithm {
    /// By the content of an object identifier.
    pub fn of(object: &[u8]) -> Self {
        let plain = object.strip_prefix(&ECDSA_PLAIN);
        let sequence = object.strip_prefix(&ECDSA_WITH);
        let known = match (plain, sequence) {
            (Some([arc]), _) => Digest::of_arc(*arc).map(Self::Plain),
            // 1 is SHA-224 here, and so on.
            (_, Some([arc])) => Digest::of_arc(arc.saturating_add(1)).map(Self::Sequence),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Unknown(dotted(object)))
    }

    /// Its name for people.
    pub fn name(&self) -> String {
        match self {
            Self::Plain(digest) => format!("ecdsa-plain-{digest:?}").replace("Sha", "SHA"),
            Self::Sequence(digest) => format!("ecdsa-with-{digest:?}").replace("Sha", "SHA"),
            Self::Unknown(object) => object.clone(),
        }
    }
}

/// An object identifier in the notation with dots, for what is not known by name.
fn dotted(object: &[u8]) -> String {
    let (mut arcs, mut arc) = (Vec::new(), 0_u64);
    for byte in object.iter().take(64) {
        arc = arc.saturating_mul(128).saturating_add(u64::from(byte & 0x7f));
        if byte & 0x80 == 0 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.extend([first, arc - 40 * first]);
            } else {
                arcs.push(arc);
            }
            arc = 0;
        }
    }
    arcs.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

/// A curve whose signatures are checked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Curve {
    /// NIST P-256.
    #[serde(rename = "P-256")]
    P256,
    /// NIST P-384.
    #[serde(rename = "P-384")]
    P384,
    /// NIST P-521.
    #[serde(rename = "P-521")]
    P521,
    /// `brainpoolP256r1`.
    #[serde(rename = "brainpoolP256r1")]
    BrainpoolP256,
    /// `brainpoolP384r1`.
    #[serde(rename = "brainpoolP384r1")]
    BrainpoolP384,
}

impl Curve {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::P256,
        Self::P384,
        Self::P521,
        Self::BrainpoolP256,
        Self::BrainpoolP384,
    ];

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::BrainpoolP256 => "brainpoolP256r1",
            Self::BrainpoolP384 => "brainpoolP384r1",
        }
    }

    /// Bytes of a coordinate, and of r and of s.
    pub const fn bytes(self) -> usize {
        match self {
            Self::P256 | Self::BrainpoolP256 => 32,
            Self::P384 | Self::BrainpoolP384 => 48,
            Self::P521 => 66,
        }
    }

    /// By its object identifier. The name of one that is not checked here comes as the error: a curve that no well-kept library of the family has,
    /// or one that TR-03116-5 does not allow.
    pub fn of(object: &str) -> Result<Self, &str> {
        match object {
            "1.2.840.10045.3.1.7" => Ok(Self::P256),
            "1.3.132.0.34" => Ok(Self::P384),
            "1.3.132.0.35" => Ok(Self::P521),
            "1.3.36.3.3.2.8.1.1.7" => Ok(Self::BrainpoolP256),
            "1.3.36.3.3.2.8.1.1.11" => Ok(Self::BrainpoolP384),
            "1.3.36.3.3.2.8.1.1.13" => Err("brainpoolP512r1"),
            "1.2.840.10045.3.1.1" => Err("P-192"),
            "1.2.840.10045.3.0.5" => Err("c2tnb191v1"),
            other => Err(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_known_by_their_identifiers() {
        let of = |arcs: &[u8]| Algorithm::of(arcs).name();
        assert_eq!(of(&[4, 0, 0x7f, 0, 7, 1, 1, 4, 1, 3]), "ecdsa-plain-SHA256");
        assert_eq!(of(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3]), "ecdsa-with-SHA384");
        assert_eq!(of(&[4, 0, 0x7f, 0, 7, 1, 1, 4, 4, 3]), "0.4.0.127.0.7.1.1.4.4.3");
        assert_eq!(of(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3]), "1.2.840.10045.4.3");
        assert_eq!(of(&[]), "");
    }
}
