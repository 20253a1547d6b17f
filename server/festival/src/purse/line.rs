//! One line of a purse: which parts of it orders have told of.

use serde::{Deserialize, Serialize};

/// Parts that a line keeps apart. A purse of a weekend has a few hundred orders and hardly a gap; beyond this nothing more is taken in, and
/// what comes counts as an overlap.
const PARTS_MAX: usize = 512;

/// The parts of a line that orders have told of: half-open intervals `from..to`, in order, neither touching nor overlapping.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Line(Vec<(u32, u32)>);

impl Line {
    /// Takes in a part. Gives how much of it was there before.
    pub fn cover(&mut self, from: u32, to: u32) -> u32 {
        if from >= to {
            return 0;
        }
        // What touches the new part becomes one with it.
        let first = self.0.partition_point(|part| part.1 < from);
        let last = self.0.partition_point(|part| part.0 <= to);
        let touched = self.0.get(first..last).unwrap_or_default();
        let twice = touched
            .iter()
            .map(|part| part.1.min(to).saturating_sub(part.0.max(from)))
            .sum();
        let grown = touched
            .iter()
            .fold((from, to), |grown, part| (grown.0.min(part.0), grown.1.max(part.1)));
        if touched.is_empty() && self.0.len() >= PARTS_MAX {
            return to - from;
        }
        self.0.splice(first..last, [grown]);
        twice
    }

    /// Whether everything up to here was told of.
    pub fn reaches(&self, end: u32) -> bool {
        end == 0 || self.0.first().is_some_and(|part| part.0 == 0 && part.1 >= end)
    }

    /// Whether the whole of a part was told of.
    pub fn has(&self, from: u32, to: u32) -> bool {
        from >= to || self.0.iter().any(|part| part.0 <= from && part.1 >= to)
    }

    /// What was not told of, up to an end.
    pub fn gaps(&self, end: u32) -> Vec<(u32, u32)> {
        let mut gaps = Vec::new();
        let mut at = 0;
        for part in self.0.iter().chain([&(end, end)]) {
            if part.0.min(end) > at {
                gaps.push((at, part.0.min(end)));
            }
            at = at.max(part.1);
        }
        gaps
    }

    /// How much was told of, each part once.
    pub fn covered(&self) -> u64 {
        self.0.iter().map(|part| u64::from(part.1 - part.0)).sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn orders_side_by_side_are_one_part_in_whatever_sequence_they_come() {
        let mut line = Line::default();
        assert_eq!(line.cover(450, 900), 0);
        assert_eq!(line.gaps(900), [(0, 450)]);
        assert!(!line.reaches(900));
        assert_eq!(line.cover(900, 1_200), 0);
        assert_eq!(line.cover(0, 450), 0);
        assert_eq!(line.0, [(0, 1_200)]);
        assert!(line.reaches(1_200) && !line.reaches(1_201));
        assert_eq!(line.gaps(1_500), [(1_200, 1_500)]);
        assert_eq!(line.cover(7, 7), 0);
    }

    #[test]
    fn a_line_that_is_cut_to_pieces_takes_no_more_and_says_so() {
        let mut line = Line::default();
        for part in 0..u32::try_from(PARTS_MAX).unwrap() {
            assert_eq!(line.cover(part * 10, part * 10 + 5), 0);
        }
        assert_eq!(line.cover(1_000_000, 1_000_007), 7);
        assert_eq!(line.cover(5, 10), 0, "what joins two parts is still taken");
    }

    proptest! {
        #[test]
        fn a_line_says_the_same_as_a_list_of_every_cent(parts in proptest::collection::vec((0_u32..300, 0_u32..40), 0..40)) {
            let mut line = Line::default();
            let mut cents = [false; 400];
            for (from, length) in parts {
                let told = &mut cents[from as usize..(from + length) as usize];
                let twice = told.iter().filter(|told| **told).count();
                told.fill(true);
                prop_assert_eq!(line.cover(from, from + length) as usize, twice);
                prop_assert!(line.0.windows(2).all(|pair| pair[0].1 < pair[1].0));
            }
            let missing: usize = line.gaps(400).iter().map(|gap| (gap.1 - gap.0) as usize).sum();
            prop_assert_eq!(missing, cents.iter().filter(|told| !**told).count());
            prop_assert_eq!(line.covered(), 400 - missing as u64);
            for (from, to) in line.gaps(400) {
                prop_assert!(cents[from as usize..to as usize].iter().all(|told| !told));
            }
        }
    }
}
