//! Amounts: whole minor units of an asset, in arithmetic that says when it would overflow.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount left the range of `i64` minor units. Nothing was changed by the operation that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amount does not fit: it is larger than any amount this system can hold")]
pub struct Overflow;

/// A number of minor units of some asset (cents, vouchers, points). The asset stands beside it, never in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Amount(pub i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The sum, or [`Overflow`].
    pub const fn plus(self, other: Self) -> Result<Self, Overflow> {
        match self.0.checked_add(other.0) {
            Some(sum) => Ok(Self(sum)),
            None => Err(Overflow),
        }
    }

    /// The difference, or [`Overflow`].
    pub const fn minus(self, other: Self) -> Result<Self, Overflow> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Ok(Self(difference)),
            None => Err(Overflow),
        }
    }

    /// This many times, or [`Overflow`].
    pub const fn times(self, factor: i64) -> Result<Self, Overflow> {
        match self.0.checked_mul(factor) {
            Some(product) => Ok(Self(product)),
            None => Err(Overflow),
        }
    }

    /// The opposite, or [`Overflow`] for the one number that has none.
    pub const fn negated(self) -> Result<Self, Overflow> {
        match self.0.checked_neg() {
            Some(negated) => Ok(Self(negated)),
            None => Err(Overflow),
        }
    }

    /// Whether it is above zero.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether it is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Whether it is zero.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Adds up in 128 bits, so that only a *result* out of range is an [`Overflow`], never a step on the way.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, Overflow> {
        let wide: i128 = amounts.into_iter().map(|amount| i128::from(amount.0)).sum();
        Self::from_wide(wide)
    }

    /// From a 128-bit intermediate result.
    pub fn from_wide(wide: i128) -> Result<Self, Overflow> {
        i64::try_from(wide).map(Self).map_err(|_| Overflow)
    }
}

/// For logs and tests: plain minor units. People see amounts formatted by the shell in their language.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// `numerator / denominator` rounded half away from zero, the rounding used wherever this system rounds money.
///
/// `denominator` must be above zero.
pub fn round_half_away(numerator: i128, denominator: i128) -> i128 {
    debug_assert!(denominator > 0, "a rate or a count is never zero or negative here");
    let doubled = numerator * 2;
    if numerator >= 0 {
        (doubled + denominator) / (denominator * 2)
    } else {
        (doubled - denominator) / (denominator * 2)
    }
}

/// Why a split cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// All weights are zero, or there is none.
    #[error("a split needs at least one part with a weight above zero")]
    NoWeight,
    /// The party named for the remainder is not one of the parts.
    #[error("the party that takes the remainder is not part of the split")]
    NoRemainderParty,
    /// The amount does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

/// Splits an amount by weights; each part is rounded towards zero and what is left goes to the named part, so the parts add up exactly.
pub fn split(amount: Amount, weights: &[u32], remainder_to: usize) -> Result<Vec<Amount>, SplitError> {
    let total: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
    if total == 0 {
        return Err(SplitError::NoWeight);
    }
    let mut parts = weights
        .iter()
        .map(|weight| Amount::from_wide(i128::from(amount.0) * i128::from(*weight) / total))
        .collect::<Result<Vec<_>, _>>()?;
    let given = Amount::sum(parts.iter().copied())?;
    let remainder = amount.minus(given)?;
    let last = parts.get_mut(remainder_to).ok_or(SplitError::NoRemainderParty)?;
    *last = last.plus(remainder)?;
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rounding_goes_half_away_from_zero() {
        assert_eq!(round_half_away(5, 2), 3);
        assert_eq!(round_half_away(-5, 2), -3);
        assert_eq!(round_half_away(4, 3), 1);
        assert_eq!(round_half_away(-4, 3), -1);
    }

    #[test]
    fn a_sum_that_only_overflows_on_the_way_is_no_overflow() {
        assert_eq!(
            Amount::sum([Amount(i64::MAX), Amount(1), Amount(-2)]),
            Ok(Amount(i64::MAX - 1))
        );
        assert_eq!(Amount::sum([Amount(i64::MAX), Amount(1)]), Err(Overflow));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn parts_of_a_split_add_up(amount: i64, weights in prop::collection::vec(0u32..10_000, 1..9), party in 0usize..9) {
            match split(Amount(amount), &weights, party) {
                Ok(parts) => prop_assert_eq!(Amount::sum(parts), Ok(Amount(amount))),
                Err(SplitError::NoWeight) => prop_assert!(weights.iter().all(|weight| *weight == 0)),
                Err(SplitError::NoRemainderParty) => prop_assert!(party >= weights.len()),
                Err(SplitError::Overflow(_)) => prop_assert!(false, "parts of an amount never leave its range"),
            }
        }
    }
}
