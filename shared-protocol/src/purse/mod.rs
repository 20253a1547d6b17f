//! The purse on a wristband, layout FP2: what whoever writes one and whoever checks one must agree on, byte for byte.
//!
//! What must never happen here: talking to a chip (that is `chips`), keeping a key (keys come as blocks that somebody encrypts), or
//! arithmetic on value that can overflow in silence.

pub mod cipher;

pub use cipher::{AesKey, Block, BlockEncrypt, Purpose};

use crate::ids::TagId;

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
