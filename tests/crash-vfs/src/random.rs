//! `SplitMix64`: the same seed gives the same images on every machine and with every version of every library.

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for one place in a run, so that a place keeps its choices when places before it change.
    pub(crate) fn at(seed: u64, place: u64, variant: u64) -> Self {
        let mut random = Self(seed);
        let start = random.draw().wrapping_add(place);
        let mut random = Self(start);
        let start = random.draw().wrapping_add(variant);
        Self(start)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn in_eight(&mut self, chances: u64) -> bool {
        self.draw() >> 61 < chances
    }

    #[cfg(test)]
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.draw() >> 32).unwrap() % limit
    }
}
