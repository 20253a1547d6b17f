//! Readers with hardware: what a till needs of a USB reader, in two ways to reach one. [`pcsc`] speaks to the system's PC/SC service and is the one
//! for a desk; [`nfc1`] drives a PN532 without it, through libnfc. Both block, so each runs on a [`ReaderThread`] of its own.
//!
//! | file | what it says |
//! |---|---|
//! | `framing` | how each kind of reader passes raw frames to a chip: pure, with golden bytes |
//! | `atr` | what lies on a PC/SC reader: pure |
//! | `bell` | how a blocked wait is ended from another thread |
//! | `thread` | the reader's own thread, and what reaches it |
//! | `simulated` | a reader without hardware, for virtual wristbands |
//! | `pcsc`, `nfc1` | the two ways, each behind the feature of its name (`pcsc`, `libnfc`) |
//!
//! Neither feature is on by itself: what does without readers (a server, a simulation) needs no library of readers. libnfc is LGPL-3.0-or-later
//! and is only ever linked dynamically, against the library of the system, which its user may replace; nothing here builds or carries it.
//! PC/SC lite is BSD-3-Clause.
//!
//! What must never happen here: a decision. A reader says what lies on it and carries frames; what a frame means, and whether it is sent again, is
//! for `chips` and the till. A command whose outcome is open is never called refused.

pub mod atr;
pub mod bell;
pub mod framing;
#[cfg(feature = "libnfc")]
pub mod nfc1;
#[cfg(feature = "pcsc")]
pub mod pcsc;
mod simulated;
mod thread;

use std::sync::Arc;

use chips::field::{Field, FieldFault, Selected};

use bell::Bell;
pub use framing::{Backing, Framing};
pub use simulated::{Pulled, SimulatedHand, SimulatedReader};
pub use thread::{ReaderJobs, ReaderThread, SeenReader, seen};

/// Something changed at a reader.
#[derive(Debug, Clone)]
pub enum Happening {
    /// A reader is there, also again.
    Plugged(ReaderInfo),
    /// A reader is gone: pulled out, or the service that drives it ended. What lay on it has [`Left`](Self::Left) before.
    Unplugged {
        /// Which.
        name: String,
    },
    /// A chip lies on the reader. [`HardwareReader::field`] is its field until it has left.
    Chip(Selected),
    /// Something lies on the reader that cannot be spoken to.
    Unusable(Unusable),
    /// What lay there has left.
    Left,
    /// Somebody rang: [`Waker::wake`].
    Woken,
}

/// Why something on a reader cannot be spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// No chip of ISO 14443 A.
    OtherCard,
    /// It did not answer when it was selected; held at the edge, or damaged.
    Mute,
    /// Another program holds the reader for itself.
    Busy,
    /// The reader cannot pass frames to it; what the reader said.
    Refused(String),
}

/// A reader of hardware. It blocks: give it to a [`ReaderThread`].
///
/// 1. [`wait`](Self::wait) for the next happening. What happened while nobody waited is told, each once and in order.
/// 2. After [`Happening::Chip`] talk to the chip by [`field`](Self::field), for as long as it takes. The connection is exclusive.
/// 3. `wait` again. A session with the chip does not outlive a wait: libnfc can see that a chip has left only by selecting it anew.
///    So a payment authenticates at its beginning and is over before the next wait.
pub trait HardwareReader: Send + 'static {
    /// Blocks until something happens.
    fn wait(&mut self) -> Happening;

    /// The field of the chip that lies on the reader. With none, every frame finds it gone.
    fn field(&mut self) -> &mut dyn Field;

    /// Ends a wait from another thread.
    fn waker(&self) -> Waker;
}

/// Ends the wait of one reader, from any thread. If it does not wait, its next wait ends at once.
#[derive(Clone)]
pub struct Waker(Arc<Bell>);

impl Waker {
    /// The waker of a reader that waits by this bell.
    pub fn new(bell: Arc<Bell>) -> Self {
        Self(bell)
    }

    /// Wakes it.
    pub fn wake(&self) {
        self.0.ring();
    }
}

/// A reader, as a list of readers shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderInfo {
    /// What the system calls it; for libnfc its connection string.
    pub name: String,
    /// Over what it is reached.
    pub over: Over,
    /// Whether something lies on it.
    pub holds: bool,
}

/// Over what a reader is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// PC/SC; with the framing its name calls for, `None` for a slot that holds no wristband.
    Pcsc(Option<Framing>),
    /// libnfc, which speaks to the PN532 itself.
    Libnfc,
    /// Nothing: it is simulated.
    Nothing,
}

/// Why readers could not be listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// The system's PC/SC service does not run, or is not installed.
    #[error("the PC/SC service (pcscd) does not run")]
    NoService,
    /// Anything else, in the library's words.
    #[error("readers cannot be listed: {0}")]
    Other(String),
}

/// All readers there are now, by every way this program was built with. Looks and returns.
pub fn list() -> Result<Vec<ReaderInfo>, ListFault> {
    #[cfg_attr(
        not(any(feature = "pcsc", feature = "libnfc")),
        expect(unused_mut, reason = "without readers there is nothing to add")
    )]
    let mut readers = Vec::new();
    #[cfg(feature = "pcsc")]
    readers.extend(pcsc::list()?);
    #[cfg(feature = "libnfc")]
    readers.extend(nfc1::list()?);
    Ok(readers)
}

/// A field that nothing is in.
#[derive(Debug, Clone, Copy)]
pub struct EmptyField;

impl Field for EmptyField {
    fn transceive(&mut self, _frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        Err(FieldFault::Gone)
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        Err(FieldFault::Gone)
    }
}
