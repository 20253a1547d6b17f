//! The rows that engines store.

use festival::Case;
use ledger::Record;
use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::{Hash32, PublicKey, Signature};
use shared_protocol::message::TerminalState;
use shared_protocol::{EventId, OrderId, TerminalId, TillId};

/// A terminal's short number in this database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerminalNo(pub u32);

/// A registered terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalRow {
    /// Its short number.
    pub no: TerminalNo,
    /// The event.
    pub event: EventId,
    /// Its id.
    pub id: TerminalId,
    /// The till it is for.
    pub till: TillId,
    /// Its public key.
    pub key: PublicKey,
    /// What it may do.
    pub state: TerminalState,
    /// The newest epoch issued to it.
    pub epoch: EpochStart,
    /// What the device called itself.
    pub device: String,
    /// When it was registered, by the server's clock.
    pub registered_at_ms: u64,
}

/// One line of a terminal's journal: an epoch, and a branch of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainKey {
    /// Which terminal.
    pub terminal: TerminalNo,
    /// Which epoch.
    pub epoch: u32,
    /// 0 is the main line; others began with a fork.
    pub branch: u16,
}

/// How far a terminal's journal is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chain {
    /// Which line.
    pub key: ChainKey,
    /// How the epoch began.
    pub start: EpochStart,
    /// The first sequence of this line: 1, or where the branch left another line.
    pub first_seq: u64,
    /// The last stored sequence; `first_seq - 1` when there is none yet.
    pub last_seq: u64,
    /// The head there.
    pub head: Hash32,
}

shared_protocol::closed_enum! {
    /// What became of an entry.
    pub enum EntryStatus {
        /// Stored; an order among them is booked.
        Booked = 1,
        /// Booked, with a case.
        Flagged = 2,
        /// Its order was booked before, with the same content.
        Duplicate = 3,
        /// Its order id was booked before with other content; not booked.
        Conflict = 4,
        /// Kept as it came; not booked.
        Parked = 5,
    }
}

/// An entry of a terminal's journal as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Which line of which terminal.
    pub chain: ChainKey,
    /// Its place.
    pub seq: u64,
    /// The chain hash after it; the record's origin.
    pub hash: Hash32,
    /// What became of it.
    pub status: EntryStatus,
    /// The order it carries, for look-ups; only a posting claims the id.
    pub order: Option<OrderId>,
    /// The event day as `yyyymmdd`, for orders.
    pub day: Option<u32>,
    /// The bytes as they came.
    pub raw: Vec<u8>,
    /// The terminal's signature over the head after this entry, where a push ended: it covers all entries before. None between two ends, and for
    /// entries that came without a signature that holds.
    pub signature: Option<Signature>,
}

/// One row of the organisation's journal: what was booked, and the entry that brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// The record.
    pub record: Record,
    /// The hash of the record in the journal's chain.
    pub hash: Hash32,
    /// The terminal's entry; none for what the server booked by itself.
    pub entry: Option<EntryRow>,
}

/// A case to open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCase {
    /// What it is.
    pub case: Case,
    /// The terminal it came from.
    pub terminal: Option<TerminalNo>,
    /// The journal row it belongs to.
    pub no: Option<u64>,
    /// When it was opened, by the server's clock.
    pub opened_at_ms: u64,
}

/// A case with its id, in the order of opening.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCase {
    /// 1, 2, 3 …
    pub id: u64,
    /// What was opened.
    pub case: OpenCase,
}
