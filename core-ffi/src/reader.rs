//! Readers of wristbands behind one trait: USB readers, a phone's own, and the virtual one for simulations and desks without hardware.
//!
//! What must never happen here: a decision. A reader says what is in its field; what that means is the terminal's business.

use std::future::Future;

use chips::{Chip, ReaderEvent};
use shared_protocol::TagId;
use tokio::sync::mpsc;

/// A reader of wristbands.
///
/// A hardware reader blocks; it runs on a thread of its own and hands its events over a channel, so that a till need not care.
pub trait Reader: Send + 'static {
    /// What it is called on a screen. A reader that is simulated says so.
    fn name(&self) -> &str;

    /// The next change in its field, in order and each once; `None` when the reader is gone for good (unplugged, its program ended). A call that
    /// is cancelled loses nothing.
    fn next(&mut self) -> impl Future<Output = Option<ReaderEvent>> + Send;
}

/// Changes of a field that may wait. Nobody holds wristbands faster than a till takes note of them.
pub(crate) const EVENTS_MAX: usize = 64;

/// A reader without hardware: a [`Hand`] holds wristbands, which are ids and nothing else, to it.
#[derive(Debug)]
pub struct VirtualReader {
    events: mpsc::Receiver<ReaderEvent>,
}

/// Holds virtual wristbands to a [`VirtualReader`] and takes them away.
#[derive(Debug, Clone)]
pub struct Hand {
    events: mpsc::Sender<ReaderEvent>,
}

/// A virtual reader and the hand in front of it.
pub fn virtual_reader() -> (Hand, VirtualReader) {
    let (to, events) = mpsc::channel(EVENTS_MAX);
    (Hand { events: to }, VirtualReader { events })
}

impl Reader for VirtualReader {
    fn name(&self) -> &'static str {
        "virtual reader (simulated)"
    }

    async fn next(&mut self) -> Option<ReaderEvent> {
        self.events.recv().await
    }
}

impl Hand {
    /// Holds a wristband. Gives whether the reader is still there.
    pub async fn hold(&self, tag: TagId) -> bool {
        self.show(ReaderEvent::Held(Chip::identity(tag))).await
    }

    /// Takes away what was held.
    pub async fn take_away(&self) -> bool {
        self.show(ReaderEvent::Left).await
    }

    /// Lets the reader see anything, also what is no wristband.
    pub async fn show(&self, event: ReaderEvent) -> bool {
        self.events.send(event).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_hand_does_arrives_in_order_and_a_hand_that_is_gone_ends_the_reader() {
        let tag = TagId::from_slice(&[4, 1, 2, 3, 4, 5, 6]).unwrap();
        let (hand, mut reader) = virtual_reader();
        assert!(reader.name().contains("simulated"));
        assert!(hand.hold(tag).await && hand.take_away().await);
        assert_eq!(reader.next().await, Some(ReaderEvent::Held(Chip::identity(tag))));
        assert_eq!(reader.next().await, Some(ReaderEvent::Left));
        drop(hand);
        assert_eq!(reader.next().await, None);
    }

    #[tokio::test]
    async fn a_hand_learns_that_its_reader_is_gone() {
        let (hand, reader) = virtual_reader();
        drop(reader);
        assert!(!hand.take_away().await);
    }
}
