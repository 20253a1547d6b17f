//! What a wristband is to a terminal: an id and what it can do, never the name of a product; and the purse on those that carry one.
//!
//! - [`field`] is the one primitive: a frame to the chip, its answer back. Readers implement it in the shell.
//! - [`capability`] finds out what a chip can do and refuses those that cannot be trusted.
//! - [`keys`] are names: masters never come in here, only blocks that somebody encrypted under them.
//! - [`ultralight`] speaks with one kind of chip: authentication, MAC channel, commands.
//! - [`desfire`] speaks with chips that keep value themselves.
//! - [`purse`] is value on a chip: load, plan, commit, resolve, encode.
//! - [`simulated`] are virtual chips that say so.
//!
//! What must never happen here: I/O (readers live in the shell), a clock, randomness (entropy comes in as data), or a rule about prices.

pub mod capability;
mod channel;
pub mod desfire;
pub mod field;
pub mod keys;
pub mod originality;
pub mod purse;
pub mod simulated;
pub mod ultralight;

pub use capability::{
    Authentication, Capabilities, Chip, Guard, IdentifyFault, Originality, PurseKind, Refused, identify,
};
pub use field::{Field, FieldFault, Selected};
pub use keys::{KeyName, KeyRefusal, KeyRole, KeyStore, MemoryKeys};

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
