//! The purse on a wristband, layout FP2: what whoever writes one and whoever checks one must agree on, byte for byte.
//!
//! ```text
//! balance = sum of unit * T over three chains of tokens  -  counter 2 of the chip
//!           only ever grows, needs a chain's key            only ever grows, is hardware
//! ```
//!
//! 1. A chip's header names its batch; the batch's signed list binds chip, header and the anchors of its chains ([`list`]).
//! 2. A token proves a credit by hashing down to its anchor ([`chain`], [`buffer`]).
//! 3. The record carries the last sale, vouchers and flags under a MAC; it cannot change the total ([`record`]).
//! 4. [`Image`] is what a chip holds; [`Purse`] is an image that was checked ([`state`]).
//!
//! What must never happen here: talking to a chip (that is `chips`), keeping a key (keys come as blocks that somebody encrypts), or
//! arithmetic on value that can overflow in silence.

pub mod buffer;
pub mod chain;
pub mod cipher;
pub mod header;
pub mod image;
pub mod list;
pub mod record;
pub mod state;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use buffer::{Credit, PendingCredit};
pub use chain::{ChainId, Token};
pub use cipher::{AesKey, Block, BlockEncrypt, Purpose};
pub use header::Header;
pub use image::Image;
pub use list::{BatchList, ListEntry, PurseSettings, SettingsFault};
pub use record::{Flags, Record, Slot, Vouchers};
pub use state::{Held, KnownWalk, Purse, PurseFault};

use crate::ids::{TagId, fixed_bytes};

/// The most that the debit counter can count: 24 bits.
pub const COUNTER_MAX: u32 = record::U24_MAX;

/// The unique id of a chip that can carry a purse: always seven bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uid(pub [u8; 7]);

impl Uid {
    /// From a wristband's id; `None` when it is shorter or longer.
    pub fn of(tag: TagId) -> Option<Self> {
        tag.as_slice().try_into().ok().map(Self)
    }

    /// The wristband with this id.
    pub fn tag(self) -> TagId {
        TagId::from_slice(&self.0).unwrap_or_else(|| unreachable!("seven bytes are a wristband's id"))
    }
}

impl std::fmt::Display for Uid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        crate::ids::write_hex(f, &self.0)
    }
}

impl std::fmt::Debug for Uid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Uid({self})")
    }
}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed_bytes(deserializer).map(Self)
    }
}
