//! Waits, and what a terminal has on its way.

use std::collections::VecDeque;
use std::time::Instant;

/// Waits in microseconds.
#[derive(Debug, Default)]
pub struct Waits(Vec<u64>);

impl Waits {
    /// Adds one that ends now.
    pub fn ended(&mut self, since: Instant) {
        self.0
            .push(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
    }

    /// Adds all of another.
    pub fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// So many of a thousand are shorter.
    pub fn permille(&mut self, permille: usize) -> u64 {
        self.0.sort_unstable();
        let last = self.0.len().saturating_sub(1);
        let index = (self.0.len() * permille / 1_000).min(last);
        self.0.get(index).copied().unwrap_or_default()
    }
}

/// Entries that were sent and are not acknowledged.
#[derive(Debug, Default)]
pub struct UnderWay {
    /// Last sequence of each frame, and since when it counts.
    frames: VecDeque<(u64, Instant)>,
    /// The last acknowledged one.
    pub acked: u64,
}

impl UnderWay {
    /// A frame was sent.
    pub fn sent(&mut self, last_seq: u64, since: Instant) {
        self.frames.push_back((last_seq, since));
    }

    /// Everything up to here is durable. Gives how many entries that is more than before.
    pub fn acknowledged(&mut self, durable_seq: u64, waits: &mut Waits) -> u64 {
        let more = durable_seq.saturating_sub(self.acked);
        self.acked = self.acked.max(durable_seq);
        while let Some((_, since)) = self.frames.pop_front_if(|(last, _)| *last <= durable_seq) {
            waits.ended(since);
        }
        more
    }

    /// Whether nothing is on its way.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }
}
