//! One step: the moment it happens at, the ids it makes, the outputs it gives.

use shared_protocol::crypto::Hash32;
use shared_protocol::ids::mint;

use crate::output::{Cue, Output};

/// The moment of a step and fresh entropy for it, passed in by the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of the device's monotonic clock; timers run by it and by nothing else.
    pub mono_ms: u64,
    /// The device's wall clock in ms since 1970. It may jump; it is data.
    pub wall_ms: u64,
    /// 32 bytes that nobody can guess and that no other step gets.
    pub entropy: [u8; 32],
}

/// A step in the making.
pub(crate) struct Step<'a> {
    pub now: &'a Now,
    pub out: Vec<Output>,
    drawn: u32,
}

impl<'a> Step<'a> {
    pub fn new(now: &'a Now) -> Self {
        Self {
            now,
            out: Vec::new(),
            drawn: 0,
        }
    }

    /// A fresh draw; the counter keeps two draws of one step apart, the domain two purposes.
    fn draw(&mut self, domain: &str) -> Hash32 {
        self.drawn += 1;
        Hash32::of(domain, &[&self.now.entropy, &self.drawn.to_be_bytes()])
    }

    /// The bytes of a fresh opaque id.
    pub fn id(&mut self) -> [u8; 16] {
        let drawn = self.draw("groschen terminal id 1");
        let mut entropy = [0; 10];
        entropy.iter_mut().zip(drawn.0).for_each(|(byte, fresh)| *byte = fresh);
        mint(self.now.wall_ms, entropy)
    }

    /// 16 bytes that nobody can foresee, for a chip's authentication.
    pub fn nonce(&mut self) -> [u8; 16] {
        let drawn = self.draw("groschen terminal nonce 1");
        let mut nonce = [0; 16];
        nonce.iter_mut().zip(drawn.0).for_each(|(byte, fresh)| *byte = fresh);
        nonce
    }

    /// A number from 0 up to, and without, `range`; close enough to even for timers.
    pub fn below(&mut self, range: u64) -> u64 {
        let drawn = self.draw("groschen terminal jitter 1");
        let number = drawn
            .0
            .iter()
            .take(8)
            .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        number.checked_rem(range).unwrap_or(0)
    }

    pub fn cue(&mut self, cue: Cue) {
        self.out.push(Output::Cue(cue));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_step_differ_and_the_same_step_gives_the_same_ids() {
        let now = Now {
            mono_ms: 1,
            wall_ms: 2,
            entropy: [3; 32],
        };
        let ids = |step: &mut Step<'_>| [step.id(), step.id()];
        let first = ids(&mut Step::new(&now));
        assert_ne!(first[0], first[1]);
        assert_eq!(first, ids(&mut Step::new(&now)));
        assert!((0..100).all(|range| Step::new(&now).below(range) < range.max(1)));
    }
}
