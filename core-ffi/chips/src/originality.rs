//! The maker's signature over a chip's id: tells a counterfeit lot when it is encoded. It proves the maker, never the holder.

use p192::ecdsa::signature::hazmat::PrehashVerifier as _;
use p192::ecdsa::{Signature, VerifyingKey};
use shared_protocol::purse::Uid;

/// The public keys that NXP signs MIFARE Ultralight AES with (AN13452), as uncompressed points of secp192r1.
///
/// The first is printed in the note, the second is known from chips in the field.
pub const NXP_ULTRALIGHT_AES: [[u8; 49]; 2] = [
    [
        0x04, 0x53, 0xBF, 0x8C, 0x49, 0xB7, 0xBD, 0x9F, 0xE3, 0x20, 0x7A, 0x91, 0x51, 0x3B, 0x9C, 0x1D, 0x23, 0x8E,
        0xCA, 0xB0, 0x71, 0x86, 0xB7, 0x72, 0x10, 0x4A, 0xB5, 0x35, 0xF7, 0xD3, 0xAE, 0x63, 0xCF, 0x7C, 0x7F, 0x3D,
        0xD0, 0xD1, 0x69, 0xDA, 0x3E, 0x99, 0xE4, 0x3C, 0x63, 0x99, 0x62, 0x1A, 0x86,
    ],
    [
        0x04, 0xDC, 0x34, 0xDA, 0xA9, 0x03, 0xF2, 0x72, 0x6A, 0x62, 0x25, 0xB1, 0x1C, 0x69, 0x2A, 0xF6, 0xAB, 0x43,
        0x96, 0x57, 0x5C, 0xA1, 0x28, 0x10, 0xCB, 0xBC, 0xE3, 0xF7, 0x81, 0xA0, 0x97, 0xB3, 0x83, 0x3B, 0x50, 0xAB,
        0x36, 0x4A, 0x70, 0xD9, 0xC2, 0xB6, 0x41, 0xA7, 0x28, 0xA5, 0x99, 0xAE, 0x74,
    ],
];

/// Whether one of the keys signed this id. The id is the number that is signed: there is no hash.
pub fn genuine(uid: Uid, signature: &[u8; 48], keys: &[[u8; 49]]) -> bool {
    let Ok(signature) = Signature::from_slice(signature) else {
        return false;
    };
    let message = number(uid);
    keys.iter()
        .filter_map(|key| VerifyingKey::from_sec1_bytes(key).ok())
        .any(|key| key.verify_prehash(&message, &signature).is_ok())
}

/// The id as a number of the size of the curve.
pub(crate) fn number(uid: Uid) -> [u8; 24] {
    let mut number = [0; 24];
    for (to, from) in number.iter_mut().rev().zip(uid.0.iter().rev()) {
        *to = *from;
    }
    number
}

#[cfg(test)]
mod tests {
    use p192::elliptic_curve::ops::Reduce as _;
    use p192::elliptic_curve::point::AffineCoordinates as _;
    use p192::elliptic_curve::sec1::ToSec1Point as _;
    use p192::{FieldBytes, ProjectivePoint, Scalar};

    use super::*;

    const UID: Uid = Uid([0x04, 0xAF, 0x6A, 0xC2, 0x45, 0x13, 0x00]);

    /// Signs as FIPS 186-5, 6.4.1 has it: the curve's crate only verifies.
    fn signed(seed: u8) -> ([u8; 49], [u8; 48]) {
        let scalar = |bytes: [u8; 24]| Scalar::reduce(&FieldBytes::from(bytes));
        let (secret, nonce) = (scalar([seed; 24]), scalar([0x35; 24]));
        let public = (ProjectivePoint::GENERATOR * secret).to_affine().to_sec1_point(false);
        let r = Scalar::reduce(&(ProjectivePoint::GENERATOR * nonce).to_affine().x());
        let s = nonce.invert().unwrap() * (scalar(number(UID)) + r * secret);
        let signature = Signature::from_scalars(FieldBytes::from(r), FieldBytes::from(s)).unwrap();
        (
            public.as_bytes().try_into().unwrap(),
            signature.to_bytes().as_slice().try_into().unwrap(),
        )
    }

    #[test]
    fn the_published_keys_are_points_of_the_curve() {
        for key in &NXP_ULTRALIGHT_AES {
            assert!(VerifyingKey::from_sec1_bytes(key).is_ok());
        }
    }

    #[test]
    fn a_signature_holds_for_its_id_and_key_only() {
        let (key, signature) = signed(7);
        let (other, _) = signed(8);
        assert!(genuine(UID, &signature, &[other, key]));
        assert!(!genuine(UID, &signature, &[other]));
        assert!(!genuine(UID, &signature, &NXP_ULTRALIGHT_AES));
        assert!(!genuine(Uid([4, 1, 2, 3, 4, 5, 6]), &signature, &[key]));
        assert!(!genuine(UID, &[0; 48], &[key]), "a chip that was never signed");
        let mut damaged = signature;
        damaged[47] ^= 1;
        assert!(!genuine(UID, &damaged, &[key]));
    }
}
