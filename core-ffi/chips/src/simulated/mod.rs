//! Wristbands that are simulated and say so: they behave as the data sheet and real silicon do, tears included.
//!
//! They hold no secret of a festival but the keys that a test gave them. What must never happen here: a rule about money, or a chip that is
//! kinder than a real one.

mod air;
mod batch;
mod desfire;
mod identity;
mod maker;
mod rig;
mod ultralight_aes;

pub use air::AirModel;
pub use batch::SimulatedBatch;
pub use desfire::DesfireChip;
pub use identity::IdentityChip;
pub use maker::{simulated_maker, simulated_signature};
pub use rig::{Exchange, Fault, SimulatedField};
pub use ultralight_aes::{Quirks, UltralightAesChip};

use crate::field::Selected;

/// What a virtual chip answers to one frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Bytes, without CRC.
    Bytes(Vec<u8>),
    /// Four bits that say yes.
    Ack,
    /// Four bits that say no.
    Nak(u8),
    /// Nothing.
    Silence,
}

/// A chip as a reader meets it.
pub trait VirtualChip: Send {
    /// What the anticollision and the selection say.
    fn selected(&self) -> Selected;

    /// One frame without CRC.
    fn frame(&mut self, frame: &[u8]) -> Answer;

    /// The field is off or the chip is selected anew: sessions are forgotten.
    fn power_off(&mut self);

    /// The field breaks down while the chip writes what this frame asks for. A chip that writes nothing just loses its power.
    fn torn(&mut self, frame: &[u8], tear: Tear) {
        let _ = (frame, tear);
        self.power_off();
    }

    /// How often this frame makes the chip write its memory, for the model of time and for those who tear it.
    fn writes(&self, frame: &[u8]) -> u32 {
        let _ = frame;
        0
    }
}

impl<C: VirtualChip + ?Sized> VirtualChip for Box<C> {
    fn selected(&self) -> Selected {
        (**self).selected()
    }

    fn frame(&mut self, frame: &[u8]) -> Answer {
        (**self).frame(frame)
    }

    fn power_off(&mut self) {
        (**self).power_off();
    }

    fn torn(&mut self, frame: &[u8], tear: Tear) {
        (**self).torn(frame, tear);
    }

    fn writes(&self, frame: &[u8]) -> u32 {
        (**self).writes(frame)
    }
}

/// What a page holds when its writing was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tear {
    /// The old bytes: the writing had not begun.
    NotStarted,
    /// All bits erased to 0.
    AllZero,
    /// All bits 1.
    AllOne,
    /// Bits went down, none came up.
    And,
    /// Bits came up, none went down.
    Or,
    /// The first 1, 2 or 3 bytes are new.
    First(u8),
    /// The last 1, 2 or 3 bytes are new.
    Last(u8),
    /// Something else.
    Junk,
    /// The new bytes: only the answer was lost.
    Done,
    /// Bits too weak to tell: the page reads as old and new in turn, the new bytes first if `new_first`.
    Weak {
        /// Which of the two the next reading gives.
        new_first: bool,
    },
}

impl Tear {
    /// Every way a page can tear; a weak page counts once for each of its two beginnings.
    pub const OF_A_PAGE: [Self; 15] = [
        Self::NotStarted,
        Self::AllZero,
        Self::AllOne,
        Self::And,
        Self::Or,
        Self::First(1),
        Self::First(2),
        Self::First(3),
        Self::Last(1),
        Self::Last(2),
        Self::Last(3),
        Self::Junk,
        Self::Done,
        Self::Weak { new_first: true },
        Self::Weak { new_first: false },
    ];

    /// The ways a counter can tear while its own protection works: all or nothing.
    pub const OF_A_COUNTER: [Self; 2] = [Self::NotStarted, Self::Done];

    /// A counter whose own protection was beaten, as it was with older families (CVE-2021-33881): it reads as old and new in turn.
    pub const OF_A_BEATEN_COUNTER: [Self; 2] = [Self::Weak { new_first: true }, Self::Weak { new_first: false }];

    /// What stands in the page afterwards, where one reading tells.
    fn page(self, old: [u8; 4], new: [u8; 4]) -> [u8; 4] {
        let mixed = |pick: &dyn Fn(usize, u8, u8) -> u8| {
            let mut page = [0; 4];
            for (index, (to, (old, new))) in page.iter_mut().zip(old.iter().zip(&new)).enumerate() {
                *to = pick(index, *old, *new);
            }
            page
        };
        match self {
            Self::NotStarted => old,
            Self::AllZero => [0; 4],
            Self::AllOne => [0xFF; 4],
            Self::And => mixed(&|_, old, new| old & new),
            Self::Or => mixed(&|_, old, new| old | new),
            Self::First(bytes) => mixed(&|index, old, new| if index < usize::from(bytes) { new } else { old }),
            Self::Last(bytes) => mixed(&|index, old, new| if index + usize::from(bytes) >= 4 { new } else { old }),
            Self::Junk => {
                mixed(&|index, old, new| old.wrapping_mul(7) ^ new.rotate_left(3) ^ [0x5B, 0xC3, 0x96, 0x2D][index & 3])
            }
            Self::Done => new,
            Self::Weak { new_first } => {
                if new_first {
                    new
                } else {
                    old
                }
            }
        }
    }
}
