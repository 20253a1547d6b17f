//! Many signatures of one key: multiples of the key are kept after a while, which makes a check about four times as fast.
//!
//! A TSE signs hundreds of thousands of messages with one key, and multiplying points is nearly all the work. With the multiples of each byte's place
//! at hand, a multiplication is one addition a byte. A mistake here could only refuse, since a signature holds when the result is its r; and what is
//! refused is checked again the library's own way, which decides.

use ecdsa::elliptic_curve::ff::{Field as _, PrimeField as _};
use ecdsa::elliptic_curve::group::{Curve as _, Group as _};
use ecdsa::elliptic_curve::ops::{Invert as _, Reduce};
use ecdsa::elliptic_curve::point::AffineCoordinates as _;
use ecdsa::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use ecdsa::elliptic_curve::{AffinePoint, CurveArithmetic, FieldBytes, FieldBytesSize, ProjectivePoint, Scalar};
use ecdsa::signature::hazmat::PrehashVerifier;
use ecdsa::{EcdsaCurve, Signature, SignatureSize, VerifyingKey};

/// After so many signatures the multiples are worth their making, which takes as long as about forty checks.
const WORTH_IT: u32 = 160;

/// A key, with its multiples once they are worth it.
pub(crate) struct Checked<C: EcdsaCurve + CurveArithmetic> {
    key: VerifyingKey<C>,
    used: u32,
    multiples: Option<(Multiples<C>, Multiples<C>)>,
}

impl<C> Checked<C>
where
    C: EcdsaCurve + CurveArithmetic,
    FieldBytesSize<C>: ModulusSize,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    SignatureSize<C>: ecdsa::elliptic_curve::array::ArraySize,
{
    pub(crate) fn new(point: &[u8]) -> Option<Self> {
        Some(Self {
            key: VerifyingKey::from_sec1_bytes(point).ok()?,
            used: 0,
            multiples: None,
        })
    }

    pub(crate) fn verifies(&mut self, digest: &[u8], plain: &[u8]) -> bool {
        let Ok(signature) = Signature::<C>::from_slice(plain) else {
            return false;
        };
        self.used = self.used.saturating_add(1);
        if self.used == WORTH_IT {
            let key = ProjectivePoint::<C>::from(*self.key.as_affine());
            self.multiples = Some((Multiples::of(ProjectivePoint::<C>::generator()), Multiples::of(key)));
        }
        let quick = self
            .multiples
            .as_ref()
            .is_some_and(|multiples| holds(multiples, digest, &signature));
        quick || self.key.verify_prehash(digest, &signature).is_ok()
    }
}

/// Multiples of a point for every byte of a scalar, the last byte first: entry `d - 1` of place `i` is `d · 256^i · P`.
struct Multiples<C: CurveArithmetic>(Vec<[ProjectivePoint<C>; 255]>);

impl<C: CurveArithmetic> Multiples<C> {
    fn of(mut point: ProjectivePoint<C>) -> Self {
        let places = Scalar::<C>::ZERO.to_repr().len();
        let place = |_| {
            let mut multiple = ProjectivePoint::<C>::identity();
            let row = std::array::from_fn(|_| {
                multiple += point;
                multiple
            });
            point += multiple;
            row
        };
        Self((0..places).map(place).collect())
    }

    /// The point times a scalar, whose bytes have the highest first on all curves here.
    fn times(&self, scalar: &Scalar<C>) -> ProjectivePoint<C> {
        let mut product = ProjectivePoint::<C>::identity();
        for (row, digit) in self.0.iter().zip(scalar.to_repr().iter().rev()) {
            if let Some(multiple) = usize::from(*digit).checked_sub(1).and_then(|place| row.get(place)) {
                product += *multiple;
            }
        }
        product
    }
}

/// Whether a signature holds (TR-03111, 4.2.1.2): with multiples of the generator and of the key.
fn holds<C>((generator, key): &(Multiples<C>, Multiples<C>), digest: &[u8], signature: &Signature<C>) -> bool
where
    C: EcdsaCurve + CurveArithmetic,
    SignatureSize<C>: ecdsa::elliptic_curve::array::ArraySize,
{
    let (r, s) = signature.split_scalars();
    let mut field = FieldBytes::<C>::default();
    // The leftmost bytes of a digest that is longer than the order, which is whole bytes long wherever that happens.
    let digest = digest.get(..field.len()).unwrap_or(digest);
    let unused = field.len() - digest.len();
    if let Some(place) = field.get_mut(unused..) {
        place.copy_from_slice(digest);
    }
    let z = <Scalar<C> as Reduce<FieldBytes<C>>>::reduce(&field);
    let inverse = *s.invert_vartime();
    let point = generator.times(&(z * inverse)) + key.times(&(*r * inverse));
    let x = point.to_affine().x();
    <Scalar<C> as Reduce<FieldBytes<C>>>::reduce(&x) == *r
}

#[cfg(test)]
mod tests {
    use ecdsa::SigningKey;
    use ecdsa::signature::hazmat::PrehashSigner as _;

    use super::*;

    macro_rules! agrees {
        ($name:ident, $curve:ty, $bytes:literal) => {
            #[test]
            fn $name() {
                let key = SigningKey::<$curve>::from_slice(&[0x17; $bytes]).unwrap();
                let point = key.verifying_key().to_sec1_point(false);
                let mut checked = Checked::<$curve>::new(point.as_bytes()).unwrap();
                checked.used = WORTH_IT - 1;
                for (round, length) in (0_u8..24).zip([28, 32, 48, 64].into_iter().cycle()) {
                    let mut digest = vec![round.wrapping_mul(37); length];
                    let Ok(signature) = key.sign_prehash(&digest) else {
                        continue;
                    };
                    let signature: Signature<$curve> = signature;
                    assert!(checked.verifies(&digest, &signature.to_bytes()));
                    let multiples = checked.multiples.as_ref().unwrap();
                    assert!(holds(multiples, &digest, &signature), "the quick way alone");
                    digest[3] ^= 1;
                    assert!(!holds(multiples, &digest, &signature));
                    assert!(!checked.verifies(&digest, &signature.to_bytes()));
                }
            }
        };
    }

    agrees!(multiples_say_on_p256_what_the_library_says, p256::NistP256, 32);
    agrees!(multiples_say_on_p384_what_the_library_says, p384::NistP384, 48);
    agrees!(
        multiples_say_on_brainpool_256_what_the_library_says,
        bp256::BrainpoolP256r1,
        32
    );
    agrees!(
        multiples_say_on_brainpool_384_what_the_library_says,
        bp384::BrainpoolP384r1,
        48
    );

    #[test]
    fn multiples_say_on_p521_what_the_library_says() {
        // The order is no whole number of bytes long: 521 bits in 66 bytes.
        let mut scalar = [0x17; 66];
        scalar[0] = 0;
        let key = SigningKey::<p521::NistP521>::from_slice(&scalar).unwrap();
        let point = key.verifying_key().to_sec1_point(false);
        let mut checked = Checked::<p521::NistP521>::new(point.as_bytes()).unwrap();
        checked.used = WORTH_IT - 1;
        let signature: Signature<p521::NistP521> = key.sign_prehash(&[9; 64]).unwrap();
        assert!(checked.verifies(&[9; 64], &signature.to_bytes()));
        assert!(holds(checked.multiples.as_ref().unwrap(), &[9; 64], &signature));
        assert!(!checked.verifies(&[8; 64], &signature.to_bytes()));
    }
}
