//! What a wristband is to a terminal: an id and what it can do, never the name of a product.
//!
//! What must never happen here: I/O (readers live in the shell), a clock, randomness, or a rule about money.

mod channel;
pub mod field;
pub mod simulated;

pub use field::{Field, FieldFault, Selected};

use shared_protocol::TagId;

/// First byte of a four-byte id that a device draws anew each time it is seen (ISO/IEC 14443-3, 6.5.4: `uid0` = `08`).
const RANDOM_ID: u8 = 0x08;

/// What a wristband can do. A rule asks for a capability; it never asks which chip it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It gives the same id whenever it is held. Phones and bank cards do not: they draw a new one each time.
    pub stable_id: bool,
}

/// A wristband in the field of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chip {
    /// Its id.
    pub tag: TagId,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl Chip {
    /// A wristband that is known by its id and nothing else: no authentication, no purse. Whoever copies the id copies the wristband,
    /// so value stays under the server's authority.
    pub fn identity(tag: TagId) -> Self {
        let uid = tag.as_slice();
        let drawn = uid.len() == 4 && uid.first() == Some(&RANDOM_ID);
        Self {
            tag,
            capabilities: Capabilities { stable_id: !drawn },
        }
    }
}

/// What a reader sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReaderEvent {
    /// One wristband came into the field.
    Held(Chip),
    /// More than one is in the field; none of them is used.
    Several,
    /// Something is in the field that is no wristband of ours, or one that is refused.
    Unsupported,
    /// The field is empty again.
    Left,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_is_drawn_anew_each_time_is_not_stable() {
        let chip = |uid: &[u8]| Chip::identity(TagId::from_slice(uid).unwrap());
        assert!(!chip(&[0x08, 1, 2, 3]).capabilities.stable_id);
        assert!(chip(&[0x04, 1, 2, 3]).capabilities.stable_id);
        assert!(chip(&[0x08, 1, 2, 3, 4, 5, 6]).capabilities.stable_id);
    }
}
