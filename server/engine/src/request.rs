//! What an engine is asked, and what it answers.

use std::collections::BTreeSet;

use shared_protocol::catalogue::Text;
use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::Hash32;
use shared_protocol::message::{
    AuthoriseResult, Certificate, EntryNote, HelloBody, QueryResult, Register, TerminalState,
};
use shared_protocol::purse::BatchList;
use shared_protocol::stream::{BlockReason, Stream, Version};
use shared_protocol::{AssetId, HoldId, RequestId, SlotId, TagId, TerminalId};
use store::TerminalRow;

use crate::intake::CheckedPush;
use crate::streams::SignedStep;
use festival::purse::Label;
use festival::registration::{Denied, Slot};

/// One thing an engine is asked to do. The caller has checked every signature.
#[derive(Debug, Clone)]
pub enum Request {
    /// Book entries of a terminal's journal.
    Push(Box<CheckedPush>),
    /// Set money aside for a cart.
    Authorise {
        /// Who asks.
        terminal: TerminalId,
        /// The question.
        ask: shared_protocol::message::Authorise,
    },
    /// Set it free again.
    Release {
        /// Who asks.
        terminal: TerminalId,
        /// Which hold.
        hold: HoldId,
    },
    /// What has this wristband?
    Query {
        /// Comes back with the answer.
        request: RequestId,
        /// Which wristband.
        tag: TagId,
    },
    /// A terminal says hello. Its signature was checked against the key of its row or its certificate.
    Hello(Box<HelloBody>),
    /// A terminal's heartbeat said how far its journal is.
    Announce {
        /// Who.
        terminal: TerminalId,
        /// Its epoch.
        epoch: u32,
        /// The next sequence it will write.
        next_seq: u64,
    },
    /// A device wants to become a slot's terminal.
    Register {
        /// What it sent.
        register: Box<Register>,
        /// The nonce it signed.
        nonce: Hash32,
        /// The id the terminal gets, drawn by the shell.
        terminal: TerminalId,
    },
    /// A person confirmed the code of a slot.
    Confirm {
        /// Which slot.
        slot: SlotId,
        /// The code the person saw.
        code: String,
        /// The id the terminal gets, drawn by the shell.
        terminal: TerminalId,
    },
    /// Open a registration slot.
    OpenSlot(Box<Slot>),
    /// Lock, free or quarantine a terminal.
    SetState {
        /// Which.
        terminal: TerminalId,
        /// What it may do from now on.
        state: TerminalState,
    },
    /// Block a wristband or free it.
    Block {
        /// Which.
        tag: TagId,
        /// Why; none frees it.
        reason: Option<BlockReason>,
    },
    /// What a reader of a stream needs to be up to date.
    Step {
        /// Which stream.
        stream: Stream,
        /// The version it has.
        has: Version,
    },
    /// Which of these entries of a terminal's journal are stored, in whatever branch?
    Trace {
        /// Whose journal.
        terminal: TerminalId,
        /// Which epoch.
        epoch: u32,
        /// Sequences, with the hash after each. They should lie close together.
        places: Vec<(u64, Hash32)>,
    },
    /// Grant units of an asset to a wristband, from the outside of that asset.
    Grant {
        /// The idempotency key.
        posting: ledger::PostingId,
        /// Which wristband.
        tag: TagId,
        /// Of what.
        asset: shared_protocol::AssetId,
        /// How many, above zero.
        amount: shared_protocol::Amount,
        /// Until when they are good, ms since 1970, for an asset that expires.
        expires_at_ms: Option<u64>,
    },
    /// Give money that a wristband has in the books to its purse, as a credit that any till may write.
    IntoPurse {
        /// The idempotency key.
        posting: ledger::PostingId,
        /// Which wristband.
        tag: TagId,
        /// How much in cents; none is all that the purse can take.
        amount: Option<shared_protocol::Amount>,
    },
    /// Everything of one wristband goes to another, and the old one is blocked.
    Replace {
        /// The idempotency key.
        posting: ledger::PostingId,
        /// The old one.
        old: TagId,
        /// The new one.
        new: TagId,
        /// What stays behind of the purse's money until all tills have sent, in cents.
        hold_back: shared_protocol::Amount,
        /// Why the old one is blocked.
        reason: BlockReason,
    },
    /// What these wristbands' purses hold is the books' from now on.
    TakeOver {
        /// Which wristbands.
        tags: Vec<TagId>,
    },
    /// Make a batch of wristbands known, or change what holds for it.
    Batch {
        /// Its number.
        batch: u16,
        /// What changes.
        change: Box<BatchChange>,
    },
    /// These wristbands belong to a batch. All of them or none.
    Enrol {
        /// The number of the batch, which is known.
        batch: u16,
        /// Which wristbands.
        tags: Vec<Enrolment>,
    },
    /// Look at purses on whose lines something has been missing for long.
    Reconcile {
        /// Which wristbands, as [`Engine::gaps`](crate::Engine::gaps) names them.
        tags: Vec<TagId>,
    },
    /// What a signer did, for keeping.
    Sign(Box<store::Signing>),
    /// What the office did, for keeping. The caller has decided who may; a note on a case and a session of a user need what they name.
    Office(Box<store::Office>),
}

/// A wristband as it came from the encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// Its id.
    pub tag: TagId,
    /// What is printed on it, and what its guest shows to be believed.
    pub label: Option<Label>,
}

/// What changes about a batch of wristbands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchChange {
    /// Its list, new or grown by wristbands that were made since. The event's key signs it here.
    List {
        /// How its purses count, and the anchors of every wristband.
        list: BatchList,
        /// What its vouchers are.
        vouchers: Vec<AssetId>,
    },
    /// The server's books decide what its wristbands have, from now on. What is in each purse is moved by [`Request::TakeOver`].
    ToServer,
    /// Whether credits of the desks' chain count only as far as the server has seen them.
    FreezeDesks(bool),
    /// Its keys are known to strangers: no till opens its wristbands any more. There is no way back.
    Revoke,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushResult {
    /// Durable. `branch` is 0 on the main line.
    Durable {
        /// The last durable sequence of that line.
        durable_seq: u64,
        /// Which line.
        branch: u16,
        /// Entries that were not simply booked.
        notes: Vec<EntryNote>,
        /// Where the terminal has to go on writing, when this push forked.
        fork: Option<(u64, EpochStart)>,
    },
    /// Entries are missing before it; nothing was stored.
    Gap {
        /// Send again from here.
        expected_seq: u64,
    },
    /// The terminal is not known.
    Unknown,
}

/// The answer to a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushReply {
    /// The epoch of the push.
    pub epoch: u32,
    /// What became of it.
    pub result: PushResult,
}

/// The answer to a hello.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The terminal as it is known now.
    pub terminal: TerminalRow,
    /// The last durable sequence of the epoch it named.
    pub durable_seq: u64,
    /// The head there.
    pub durable_head: Hash32,
    /// The epoch it has to write in from now on.
    pub new_epoch: Option<EpochStart>,
}

/// The answer to a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// A person has to confirm this code.
    Pending {
        /// Six digits.
        code: String,
    },
    /// The device is a terminal now.
    Registered {
        /// The terminal.
        terminal: Box<TerminalRow>,
        /// Its certificate.
        certificate: Box<Certificate>,
    },
    /// It may not.
    Denied(Denied),
}

/// What else was settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// It is durable.
    Done,
    /// It could not be done, and nothing changed.
    Refused(Text),
}

/// One answer. Everything in it that had to be durable is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// To a push.
    Push(PushReply),
    /// To an authorisation.
    Authorise(AuthoriseResult),
    /// To a question.
    Query(Box<QueryResult>),
    /// To a hello; none when the terminal is not known and its certificate does not hold.
    Hello(Option<Box<Greeting>>),
    /// To a registration.
    Register(Known),
    /// To the question for a stream's step: nothing when the reader is up to date.
    Step(Option<SignedStep>),
    /// To the question for entries: the hashes of those that are stored.
    Traced(BTreeSet<Hash32>),
    /// To everything else.
    Settled(Settled),
}
