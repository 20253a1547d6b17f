//! Pages 04 and 05: which batch a chip belongs to. Readable by anybody, written once, then locked.

use serde::{Deserialize, Serialize};

/// First byte of a purse in layout FP2.
pub const MAGIC: u8 = 0xF2;

/// What the chip says of itself before anybody authenticates. The list binds it to the chip's anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Header {
    /// Which set of keys of the batch.
    pub keyset: u8,
    /// The batch it was encoded with.
    pub batch: u16,
    /// Its place in the batch's list.
    pub index: u16,
    /// A class printed on the wristband, such as a kind of ticket.
    pub class: u8,
}

impl Header {
    /// The eight bytes of pages 04 and 05.
    pub const fn bytes(&self) -> [u8; 8] {
        let [b0, b1] = self.batch.to_le_bytes();
        let [i0, i1] = self.index.to_le_bytes();
        [MAGIC, self.keyset, b0, b1, i0, i1, self.class, 0]
    }

    /// From pages 04 and 05. `None` unless it is a purse of this layout.
    pub const fn read(bytes: [u8; 8]) -> Option<Self> {
        match bytes {
            [MAGIC, keyset, b0, b1, i0, i1, class, 0] => Some(Self {
                keyset,
                batch: u16::from_le_bytes([b0, b1]),
                index: u16::from_le_bytes([i0, i1]),
                class,
            }),
            _ => None,
        }
    }
}
