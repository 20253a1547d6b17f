//! The log of events, as a digest: the same seed twice has to give the same one. With a window open the last lines are kept as text too.

use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

use crate::events::Event;
use crate::random::mix;

/// A digest of everything that was written to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Digest(u64, u64);

impl Digest {
    fn take(&mut self, word: u64) {
        self.0 = mix(self.0 ^ word);
        self.1 = self
            .1
            .rotate_left(23)
            .wrapping_add(self.0 ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl Hasher for Digest {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            self.take(u64::from_le_bytes(word));
        }
        self.take(bytes.len() as u64);
    }

    fn finish(&self) -> u64 {
        self.0 ^ self.1
    }
}

/// What happened so far.
#[derive(Debug, Default)]
pub(crate) struct Log {
    digest: Digest,
    pub count: u64,
    /// Lines that are kept; none at all costs nothing.
    keep: usize,
    lines: VecDeque<String>,
    at_ms: u64,
}

impl Log {
    pub fn new(keep: usize) -> Self {
        Self {
            keep,
            ..Self::default()
        }
    }

    pub fn event(&mut self, at_ms: u64, event: &Event) {
        self.count += 1;
        self.at_ms = at_ms;
        at_ms.hash(&mut self.digest);
        event.hash(&mut self.digest);
        if self.keep > 0 {
            let text = match event {
                Event::ToServer { conn, frame } => format!("ToServer {conn:?} {}", message(frame)),
                Event::ToTill { conn, frame } => format!("ToTill {conn:?} {}", message(frame)),
                Event::Signed { device, job, .. } => format!("Signed {device:?} {job:?}"),
                other => format!("{other:?}"),
            };
            self.line(&text);
        }
    }

    pub fn note(&mut self, words: &[&str]) {
        words.hash(&mut self.digest);
        if self.keep > 0 {
            self.line(&words.join(" "));
        }
    }

    fn line(&mut self, text: &str) {
        let (seconds, ms) = (self.at_ms / 1_000, self.at_ms % 1_000);
        let cut: String = text.chars().take(400).collect();
        self.lines.push_back(format!(
            "{:>8} {:02}:{:02}:{:02}.{ms:03} {cut}",
            self.count,
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        ));
        if self.lines.len() > self.keep {
            self.lines.pop_front();
        }
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.iter().cloned().collect()
    }

    pub fn digest(&self) -> u64 {
        self.digest.finish()
    }
}

fn message(frame: &[u8]) -> String {
    match shared_protocol::message::Message::read(frame, usize::MAX) {
        Ok(message) => format!("{message:?}"),
        Err(error) => format!("{} bytes: {error}", frame.len()),
    }
}
