//! Numbers that were seen, as a map of bits: dense numbers cost a bit each.

use std::collections::BTreeMap;

/// A set of numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Bits(BTreeMap<u64, u64>);

impl Bits {
    /// Puts a number in. Gives whether it is new.
    pub fn insert(&mut self, number: u64) -> bool {
        let word = self.0.entry(number / 64).or_default();
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_new_once() {
        let mut bits = Bits::default();
        for number in [0, 63, 64, u64::MAX] {
            assert!(bits.insert(number));
            assert!(!bits.insert(number));
        }
    }
}
