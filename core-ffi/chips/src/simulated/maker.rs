//! A maker of simulated chips, whose signature over an id anybody can make: it says that the chip is simulated and nothing else.

use p192::ecdsa::Signature;
use p192::elliptic_curve::ops::Reduce as _;
use p192::elliptic_curve::point::AffineCoordinates as _;
use p192::elliptic_curve::sec1::ToSec1Point as _;
use p192::{FieldBytes, ProjectivePoint, Scalar};
use shared_protocol::purse::Uid;

use crate::originality::number;

/// The secret of this maker, known to everybody.
const SECRET: [u8; 24] = [0x5A; 24];

fn scalar(bytes: [u8; 24]) -> Scalar {
    Scalar::reduce(&FieldBytes::from(bytes))
}

/// The public key of the simulated maker, as an uncompressed point.
pub fn simulated_maker() -> [u8; 49] {
    let point = (ProjectivePoint::GENERATOR * scalar(SECRET))
        .to_affine()
        .to_sec1_point(false);
    let mut key = [0; 49];
    for (to, from) in key.iter_mut().zip(point.as_bytes()) {
        *to = *from;
    }
    key
}

/// The simulated maker's signature over an id (FIPS 186-5, 6.4.1). The secret is public, so the nonce may follow from the id.
pub fn simulated_signature(uid: Uid) -> [u8; 48] {
    let mut seed = number(uid);
    seed[0] = 0x35;
    let nonce = scalar(seed);
    let r = Scalar::reduce(&(ProjectivePoint::GENERATOR * nonce).to_affine().x());
    let mut bytes = [0; 48];
    let inverse = nonce.invert().into_option().unwrap_or(Scalar::ONE);
    let s = inverse * (scalar(number(uid)) + r * scalar(SECRET));
    if let Ok(signature) = Signature::from_scalars(FieldBytes::from(r), FieldBytes::from(s)) {
        for (to, from) in bytes.iter_mut().zip(signature.to_bytes()) {
            *to = from;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::originality::{NXP_ULTRALIGHT_AES, genuine};

    #[test]
    fn a_simulated_chip_is_genuine_to_the_simulated_maker_alone() {
        let (uid, other) = (Uid([4, 1, 2, 3, 4, 5, 6]), Uid([4, 1, 2, 3, 4, 5, 7]));
        let signature = simulated_signature(uid);
        assert!(genuine(uid, &signature, &[simulated_maker()]));
        assert!(!genuine(other, &signature, &[simulated_maker()]));
        assert!(!genuine(uid, &signature, &NXP_ULTRALIGHT_AES));
    }
}
