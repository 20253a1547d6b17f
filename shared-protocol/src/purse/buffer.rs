//! A token as it stands in one of the four buffers.
//!
//! ```text
//! 0 T u16 | 2 chain u8 | 3 hint u8 | 4 token 12 B          16 bytes, four pages
//! a closed predecessor has zeros in its last page; a buffer that was never used is FF throughout
//! ```

use serde::{Deserialize, Serialize};

use super::chain::{ChainId, Token};
use super::list::PurseSettings;

/// A buffer's bytes.
pub type BufferBytes = [u8; 16];

/// A buffer that was never used.
pub const NEVER_USED: BufferBytes = [0xFF; 16];

/// What the last page of a closed buffer holds.
pub const CLOSED_PAGE: [u8; 4] = [0; 4];

/// So many units of a chain, with the token that proves them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Credit {
    /// Which chain.
    pub chain: ChainId,
    /// Units credited in that chain since the chip was encoded.
    pub units: u16,
    /// The low byte of the terminal that wrote it: a hint for resolving a tear, never a proof.
    pub hint: u8,
    /// The proof.
    pub token: Token,
}

impl Credit {
    /// As it stands in a buffer.
    pub fn bytes(&self) -> BufferBytes {
        let [u0, u1] = self.units.to_le_bytes();
        let mut bytes = [0; 16];
        let fields = [u0, u1, self.chain.code(), self.hint];
        for (to, from) in bytes.iter_mut().zip(fields.iter().chain(&self.token.0)) {
            *to = *from;
        }
        bytes
    }

    /// From a buffer. `None` when it names a chain that there is not, or more units than the chain has.
    ///
    /// What it gives is a claim: only a walk to the anchor makes it more.
    pub fn read(bytes: &BufferBytes, settings: &PurseSettings) -> Option<Self> {
        let [u0, u1, chain, hint, token @ ..] = *bytes;
        let chain = ChainId::from_code(chain)?;
        let units = u16::from_le_bytes([u0, u1]);
        (units <= settings.length_of(chain)).then_some(Self {
            chain,
            units,
            hint,
            token: Token(token),
        })
    }
}

/// Whether a buffer looks closed. A genuine token has four such bytes once in four billion.
pub fn looks_closed(bytes: &BufferBytes) -> bool {
    bytes.ends_with(&CLOSED_PAGE)
}

/// A credit that the server made and any till may write: the wire form without the chip's id is the token and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PendingCredit {
    /// Units of chain [`ChainId::Server`] after it.
    pub units: u16,
    /// The proof.
    pub token: Token,
}
