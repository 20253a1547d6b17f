//! Numbers from a seed: `xoshiro256**` (Blackman, Vigna 2018), filled by `SplitMix64` (Steele, Lea, Flood 2014). A crate for random numbers does
//! not promise the same numbers from one version to the next; a seed in a bug report has to.

/// A generator of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random([u64; 4]);

/// The finaliser of `SplitMix64`: neighbouring numbers become unrelated ones.
pub(crate) const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// A stream of numbers of its own for each purpose, so that switching one fault off leaves the others as they were.
    pub fn of(seed: u64, purpose: u64) -> Self {
        let mut state = mix(seed ^ mix(purpose.wrapping_add(0x5157_1e2d_9a3c_4b61)));
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            mix(state)
        }))
    }

    /// The next 64 bits.
    pub const fn bits(&mut self) -> u64 {
        let [a, b, c, d] = self.0;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let (c, d) = (c ^ a, d ^ b);
        self.0 = [a ^ d, b ^ c, c ^ (b << 17), d.rotate_left(45)];
        result
    }

    /// A number below `bound`; zero when `bound` is. The bias is below `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Whether something happens that happens `of_million` times in a million.
    pub fn per_million(&mut self, of_million: u32) -> bool {
        self.below(1_000_000) < u64::from(of_million)
    }

    /// Whether something happens that happens `of_hundred` times in a hundred.
    pub fn percent(&mut self, of_hundred: u32) -> bool {
        self.below(100) < u64::from(of_hundred)
    }

    /// A place in a list of this length.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }

    /// One of the items, all alike.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        let index = self.index(items.len());
        items.get(index).copied()
    }

    /// The place of one of the weights, each as often as it weighs; the first when all are zero.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().map(|weight| u64::from(*weight)).sum());
        let hit = weights.iter().position(|weight| {
            let hit = left < u64::from(*weight);
            left = left.saturating_sub(u64::from(*weight));
            hit
        });
        hit.unwrap_or(0)
    }

    /// A wait with this mean: short ones often, long ones sometimes, none longer than six times the mean. The table is the exponential
    /// distribution in sixteen steps; a logarithm would be a float, and floats differ between machines.
    pub fn wait(&mut self, mean: u64) -> u64 {
        const SIXTEENTHS: [u64; 17] = [0, 1, 2, 3, 5, 6, 8, 9, 11, 13, 16, 19, 22, 27, 33, 44, 96];
        let index = self.index(16);
        let (low, high) = (
            SIXTEENTHS.get(index).copied().unwrap_or(0),
            SIXTEENTHS.get(index + 1).copied().unwrap_or(0),
        );
        self.between(mean.saturating_mul(low) / 16, mean.saturating_mul(high) / 16)
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        for chunk in bytes.chunks_mut(8) {
            let fresh = self.bits().to_be_bytes();
            chunk.iter_mut().zip(fresh).for_each(|(to, from)| *to = from);
        }
        bytes
    }

    /// The items in another order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let draw = |seed, purpose| {
            let mut random = Random::of(seed, purpose);
            [random.bits(), random.bits()]
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn waits_have_their_mean_and_an_end() {
        let mut random = Random::of(7, 7);
        let waits: Vec<u64> = (0..20_000).map(|_| random.wait(1_000)).collect();
        let mean = waits.iter().sum::<u64>() / 20_000;
        assert!((900..1_100).contains(&mean), "{mean}");
        assert!(waits.iter().all(|wait| *wait <= 6_000));
        assert!((0..1_000).all(|_| random.between(3, 5) >= 3));
    }
}
