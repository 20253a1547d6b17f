//! A terminal's journal entry. It is written durably before the screen says paid; it never changes; the server keeps its bytes.

use serde::{Deserialize, Serialize};

use crate::crypto::Hash32;
use crate::ids::{BootId, Bytes, OrderId, SessionId, StaffId, TagId};
use crate::order::Order;
use crate::{DecodeError, decode, encode};

crate::closed_enum! {
    /// What an entry records.
    pub enum EntryKind {
        /// An order.
        Order = 1,
        /// A wristband is about to be written for this order.
        Intent = 2,
        /// What became of an intent.
        Outcome = 3,
        /// Something a person or the server told the terminal: login, logout, lock.
        Command = 4,
    }
}

/// One entry. Epoch, sequence and the hash before it are in the chain that holds it ([`crate::chain::link`]), not in its bytes, so that a frame of many
/// entries says them once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it records.
    pub kind: EntryKind,
    /// Which start of the program made it; `mono_ms` compares within it.
    pub boot: BootId,
    /// Milliseconds of the device's monotonic clock.
    pub mono_ms: u64,
    /// The device's wall clock in ms since 1970: data, never an order.
    pub wall_ms: u64,
    /// The server's clock minus the device's, as last estimated, in ms; absent when it was never estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_ms: Option<i64>,
    /// The content by kind: an encoded [`Order`], [`Intent`], [`IntentOutcome`] or [`Command`].
    pub body: Bytes,
}

/// A wristband is about to be written: what it held and what it will hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The order that will follow.
    pub order: OrderId,
    /// The chip's image before, as its layout defines it.
    pub before: Bytes,
    /// The chip's image after.
    pub after: Bytes,
    /// The order as it will be booked when the wristband has the new value: what a till that is lost in between was about to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Bytes>,
}

crate::closed_enum! {
    /// What became of an intent.
    pub enum IntentResult {
        /// The chip has the new value.
        Committed = 1,
        /// The chip has the old value; nothing happened.
        Void = 2,
        /// It cannot be told from here.
        Unknown = 3,
    }
}

/// What became of an intent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentOutcome {
    /// The order of the intent.
    pub order: OrderId,
    /// What became of it.
    pub result: IntentResult,
    /// The wristband it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagId>,
}

crate::closed_enum! {
    /// What a person or the server told the terminal.
    pub enum CommandKind {
        /// A cashier logged in.
        Login = 1,
        /// A cashier logged out.
        Logout = 2,
        /// The server locked the terminal.
        Lock = 3,
        /// The server freed it again.
        Unlock = 4,
        /// The program started.
        Start = 5,
        /// The wall clock jumped by more than two minutes.
        ClockJump = 6,
    }
}

/// Something a person or the server told the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// What.
    pub kind: CommandKind,
    /// Whom it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staff: Option<StaffId>,
    /// The session it begins or ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
}

/// An order with the digest of its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderEntry {
    /// The order.
    pub order: Order,
    /// The digest that makes a repeated id a duplicate or a conflict.
    pub content: Hash32,
}

/// The content of an entry, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An order.
    Order(Box<OrderEntry>),
    /// A wristband is about to be written.
    Intent(Intent),
    /// What became of an intent.
    Outcome(IntentOutcome),
    /// Something a person or the server told the terminal.
    Command(Command),
}

/// The digest of an order's bytes.
pub fn content_hash(order_bytes: &[u8]) -> Hash32 {
    Hash32::of("groschen order 1", &[order_bytes])
}

impl Entry {
    /// Reads an entry and its content.
    pub fn read(bytes: &[u8]) -> Result<(Self, Content), DecodeError> {
        let entry: Self = decode(bytes)?;
        let body = &entry.body.0;
        let content = match entry.kind {
            EntryKind::Order => Content::Order(Box::new(OrderEntry {
                order: decode(body)?,
                content: content_hash(body),
            })),
            EntryKind::Intent => Content::Intent(decode(body)?),
            EntryKind::Outcome => Content::Outcome(decode(body)?),
            EntryKind::Command => Content::Command(decode(body)?),
        };
        Ok((entry, content))
    }

    /// The bytes that are chained, stored and sent.
    pub fn bytes(&self) -> Vec<u8> {
        encode(self)
    }
}
