//! Messages on the websocket: a frozen envelope `{0: kind, 1: flags, 2: body}` and one struct per kind.
//!
//! Evolution: fields are only appended (as `Option`), never moved, removed or given another type; a new meaning is a new kind. A reader that
//! does not know a kind ignores it when the *optional* flag is set and answers with [`ErrorCode::UnsupportedKind`] otherwise.

use serde::{Deserialize, Serialize};

use crate::chain::{EpochStart, SignedHead};
use crate::crypto::{BadSignature, Hash32, PublicKey, SignError, Signature, Signer, signing_input, verify};
use crate::ids::{
    AssetId, BootId, Bytes, CartId, CommandId, EventId, HoldId, OrganisationId, RequestId, SlotId, TagId, TerminalId,
    TillId,
};
use crate::money::Amount;
use crate::stream::{BlockReason, Cursor, Step, Stream};
use crate::{DecodeError, decode, encode};

/// The oldest protocol version this code speaks.
pub const PROTOCOL_MIN: u16 = 1;
/// The newest protocol version this code speaks.
pub const PROTOCOL_MAX: u16 = 1;
/// The websocket subprotocol's name.
pub const SUBPROTOCOL: &str = "groschen.cbor.1";

/// Envelope flag: a reader that does not know the kind may ignore it.
pub const FLAG_OPTIONAL: u8 = 0x80;

/// The frozen envelope of every frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Which message.
    pub kind: u16,
    /// [`FLAG_OPTIONAL`] or nothing; other bits mean nothing yet and are ignored.
    pub flags: u8,
    /// The encoded message.
    pub body: Bytes,
}

/// A frame that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes are not a message of this protocol.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A kind this version does not know and may not ignore.
    #[error("message kind {0} is not known to this version")]
    UnsupportedKind(u16),
}

macro_rules! messages {
    ($($(#[$meta:meta])* $name:ident = $kind:literal,)+) => {
        /// Every message of version 1.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Message {
            $($(#[$meta])* $name($name),)+
            /// A kind that a newer version added and marked as optional.
            Unknown(u16),
        }

        impl Message {
            /// The numbers and names of all kinds.
            pub const KINDS: &'static [(u16, &'static str)] = &[$(($kind, stringify!($name)),)+];

            /// The kind's number.
            pub const fn kind(&self) -> u16 {
                match self { $(Self::$name(_) => $kind,)+ Self::Unknown(kind) => *kind }
            }

            /// The frame to send.
            pub fn frame(&self) -> Vec<u8> {
                let (flags, body) = match self {
                    $(Self::$name(message) => (0, encode(message)),)+
                    Self::Unknown(_) => (FLAG_OPTIONAL, encode(&())),
                };
                encode(&Envelope { kind: self.kind(), flags, body: Bytes(body) })
            }

            /// Reads a frame of at most `max_bytes`.
            pub fn read(frame: &[u8], max_bytes: usize) -> Result<Self, FrameError> {
                if frame.len() > max_bytes {
                    return Err(DecodeError::TooLarge { size: frame.len(), max: max_bytes }.into());
                }
                let envelope: Envelope = decode(frame)?;
                match envelope.kind {
                    $($kind => Ok(Self::$name(decode(&envelope.body.0)?)),)+
                    kind if envelope.flags & FLAG_OPTIONAL != 0 => Ok(Self::Unknown(kind)),
                    kind => Err(FrameError::UnsupportedKind(kind)),
                }
            }
        }

        $(impl From<$name> for Message {
            fn from(message: $name) -> Self { Self::$name(message) }
        })+
    };
}

messages! {
    /// Terminal: I want to become the terminal of this slot.
    Register = 1,
    /// Terminal: this is me.
    Hello = 2,
    /// Terminal: entries of my journal.
    Push = 3,
    /// Terminal: what has this wristband?
    Query = 4,
    /// Terminal: may I take this much?
    Authorise = 5,
    /// Terminal: I do not need what you hold any more.
    Release = 6,
    /// Terminal: this version of a stream is stored here.
    StreamAck = 7,
    /// Terminal: I need a snapshot of this stream.
    SnapshotRequest = 8,
    /// Terminal: still here.
    Pong = 9,
    /// Terminal: a cart was opened.
    CartOpened = 10,
    /// Terminal: a cart was given up.
    CartAborted = 11,
    /// Terminal: your command is done.
    CommandDone = 12,
    /// Terminal: lines of the log you asked for.
    LogUpload = 13,
    /// Terminal: I close on purpose.
    Bye = 14,
    /// Terminal: entries of another one's journal, which gave them to me.
    Handover = 15,

    /// Server: sign this.
    Challenge = 64,
    /// Server: show this code; somebody has to confirm it.
    RegisterPending = 65,
    /// Server: you are this terminal now.
    Registered = 66,
    /// Server: welcome, this is what I have of you.
    Welcome = 67,
    /// Server: all of this is durable here.
    Ack = 68,
    /// Server: entries are missing before what you sent.
    Gap = 69,
    /// Server: your journal and mine differ.
    Fork = 70,
    /// Server: a snapshot begins.
    SnapshotBegin = 71,
    /// Server: a part of it.
    SnapshotChunk = 72,
    /// Server: it is complete.
    SnapshotEnd = 73,
    /// Server: changes of a stream.
    Delta = 74,
    /// Server: do this.
    Command = 75,
    /// Server: what the wristband has.
    QueryResult = 76,
    /// Server: yes or no.
    AuthoriseResult = 77,
    /// Server: still there?
    Ping = 78,
    /// Server: that did not work.
    Error = 79,
    /// Server: the cart's start is recorded.
    CartAck = 80,
    /// Server: what became of entries you handed over.
    HandoverAck = 81,
}

/// Somebody wants to become the terminal of a slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Register {
    /// The slot of the QR code.
    pub slot: SlotId,
    /// The 128-bit secret of the QR code, once.
    pub secret: Bytes,
    /// The device's new public key.
    pub key: PublicKey,
    /// What the device calls itself, for the admin who confirms.
    pub device: String,
    /// The device's signature over [`register_message`]: it holds the private key.
    pub proof: Signature,
}

/// What a device signs to register.
pub fn register_message(nonce: &Hash32, slot: SlotId, key: &PublicKey) -> Vec<u8> {
    signing_input("groschen register 1", &[&nonce.0, slot.bytes(), &encode(key)])
}

/// A terminal says who it is and where its journal ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// The encoded [`HelloBody`], exactly what was signed.
    pub body: Bytes,
    /// By the terminal's key over [`hello_message`].
    pub signature: Signature,
}

/// The signed content of [`Hello`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HelloBody {
    /// Oldest version the terminal speaks.
    pub proto_min: u16,
    /// Newest version the terminal speaks.
    pub proto_max: u16,
    /// The app's build.
    pub app: String,
    /// Who.
    pub terminal: TerminalId,
    /// The epoch it writes in, as the server issued it.
    pub epoch: EpochStart,
    /// The next sequence it will write.
    pub next_seq: u64,
    /// The head before that.
    pub head: Hash32,
    /// Streams it wants, with the versions it has.
    pub cursors: Vec<Cursor>,
    /// Which start of the program.
    pub boot: BootId,
    /// Its monotonic clock.
    pub mono_ms: u64,
    /// Its wall clock.
    pub wall_ms: u64,
    /// The registration, so that a server restored from an older backup can take the terminal back.
    pub certificate: Certificate,
}

/// What a terminal signs to log in.
pub fn hello_message(nonce: &Hash32, body: &[u8]) -> Vec<u8> {
    signing_input("groschen hello 1", &[&nonce.0, body])
}

impl Hello {
    /// Signs a body for a challenge.
    pub fn sign(signer: &dyn Signer, nonce: &Hash32, body: &HelloBody) -> Result<Self, SignError> {
        let body = encode(body);
        let signature = signer.sign(&hello_message(nonce, &body))?;
        Ok(Self {
            body: Bytes(body),
            signature,
        })
    }
}

/// A registration, signed by the event's config key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// The encoded [`Registration`].
    pub body: Bytes,
    /// By the config key.
    pub signature: Signature,
}

/// Who a terminal is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Whose books.
    pub organisation: OrganisationId,
    /// The event.
    pub event: EventId,
    /// The terminal.
    pub terminal: TerminalId,
    /// The till it is for.
    pub till: TillId,
    /// Its public key.
    pub key: PublicKey,
    /// When it was registered, by the server's clock.
    pub registered_at_ms: u64,
}

impl Certificate {
    /// Signs a registration.
    pub fn issue(signer: &dyn Signer, registration: &Registration) -> Result<Self, SignError> {
        let body = encode(registration);
        let signature = signer.sign(&signing_input("groschen certificate 1", &[&body]))?;
        Ok(Self {
            body: Bytes(body),
            signature,
        })
    }

    /// Reads it after checking the config key's signature.
    pub fn read(&self, key: &PublicKey) -> Result<Registration, CertificateError> {
        verify(
            key,
            &signing_input("groschen certificate 1", &[&self.body.0]),
            &self.signature,
        )?;
        Ok(decode(&self.body.0)?)
    }
}

/// A certificate that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not signed by this event's key.
    #[error("the registration is not from this event")]
    Signature(#[from] BadSignature),
    /// Signed, but not readable here.
    #[error("the registration cannot be read: {0}")]
    Content(#[from] DecodeError),
}

/// Entries of a journal, in order, ending at a signed head. The same bytes serve for evacuation to another phone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// Whose journal.
    pub terminal: TerminalId,
    /// The epoch, with its root.
    pub epoch: EpochStart,
    /// Sequence of the first entry.
    pub first_seq: u64,
    /// The head before the first entry.
    pub previous: Hash32,
    /// The entries' bytes.
    pub entries: Vec<Bytes>,
    /// The head after the last entry, signed when it was made.
    pub head: SignedHead,
}

/// A question about a wristband.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Query {
    /// Comes back with the answer.
    pub request: RequestId,
    /// Which wristband.
    pub tag: TagId,
}

/// A till asks to take money of a wristband.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authorise {
    /// Comes back with the answer; asking again with the same id asks for the same hold.
    pub request: RequestId,
    /// For which cart.
    pub cart: CartId,
    /// Of which wristband.
    pub tag: TagId,
    /// How much, in cents, above zero.
    pub amount: Amount,
}

/// The till does not need the hold any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Which.
    pub hold: HoldId,
}

/// A version of a stream is stored on the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamAck {
    /// Which, and which version.
    pub cursor: Cursor,
}

/// The terminal cannot use a delta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotRequest {
    /// Which stream.
    pub stream: Stream,
}

/// The terminal is still there, and how far its journal is: so "unsent" on the console is an honest "at least".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The ping it answers.
    pub no: u64,
    /// The epoch it writes in.
    pub epoch: u32,
    /// The next sequence it will write.
    pub next_seq: u64,
    /// Its monotonic clock.
    pub mono_ms: u64,
    /// Its wall clock.
    pub wall_ms: u64,
    /// Battery in percent, where the device knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery_percent: Option<u8>,
}

/// A cart got its first item. Outside the journal: it is what a TSE start needs, no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartOpened {
    /// Which cart.
    pub cart: CartId,
    /// When, by the device's wall clock.
    pub opened_at_ms: u64,
}

/// A cart was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartAborted {
    /// Which cart.
    pub cart: CartId,
}

/// A command was carried out, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandDone {
    /// Which.
    pub command: CommandId,
    /// Whether it was carried out.
    pub done: bool,
}

/// Lines of a terminal's log, without personal data or secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogUpload {
    /// The command that asked for it.
    pub command: CommandId,
    /// The lines.
    pub text: String,
}

/// The terminal closes on purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bye {
    /// How many entries stay behind unsent.
    pub unsent: u64,
}

/// The first frame of every connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// To be signed.
    pub nonce: Hash32,
    /// The server's clock.
    pub server_ms: u64,
    /// Which life of the server's database: another one after a restore.
    pub incarnation: u64,
    /// Oldest version the server speaks.
    pub proto_min: u16,
    /// Newest version the server speaks.
    pub proto_max: u16,
}

/// A registration waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterPending {
    /// Six digits, shown on both screens.
    pub code: String,
}

/// A registration is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// Who the device is now.
    pub certificate: Certificate,
    /// The event's config key; everything that comes down is signed by it.
    pub config_key: PublicKey,
    /// The first epoch.
    pub epoch: EpochStart,
}

crate::open_enum! {
    /// What the server lets a terminal do.
    pub enum TerminalState {
        /// Everything its till may.
        Active = 1,
        /// Nothing: an admin locked it.
        Locked = 2,
        /// Its journal forked; it may sell, somebody has to look.
        Quarantined = 3,
    }
}

/// The server knows the terminal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The version both speak from here.
    pub proto: u16,
    /// The server's clock.
    pub server_ms: u64,
    /// Which life of the server's database.
    pub incarnation: u64,
    /// All entries up to this one of the epoch the terminal named are durable here.
    pub durable_seq: u64,
    /// The head there.
    pub durable_head: Hash32,
    /// Entries that may be on the way.
    pub window: u32,
    /// The largest frame the server takes.
    pub max_frame: u32,
    /// What the terminal may do.
    pub state: TerminalState,
    /// A new epoch that the terminal has to write in from now on, when its journal is not the continuation of what the server has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_epoch: Option<EpochStart>,
}

crate::open_enum! {
    /// What became of an entry that was not simply booked.
    pub enum EntryOutcome {
        /// Booked as taken, and a case tells what is odd about it.
        Flagged = 1,
        /// Known already, same content.
        Duplicate = 2,
        /// The id is known with other content: kept as it came, a case is open.
        Conflict = 3,
        /// Cannot be read or is not signed: kept as it came, a case is open.
        Parked = 4,
    }
}

/// One entry that was not simply booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryNote {
    /// Which.
    pub seq: u64,
    /// What became of it.
    pub outcome: EntryOutcome,
    /// Why, as a number that people can look up.
    pub code: u16,
}

/// Entries are durable on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// Of which epoch.
    pub epoch: u32,
    /// All up to this one.
    pub durable_seq: u64,
    /// Which branch they are in; none is the main line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<u16>,
    /// Entries that may be on the way from now on; zero asks to wait.
    pub window: u32,
    /// How long to wait when the window is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// Entries that were not simply booked.
    pub notes: Vec<EntryNote>,
}

/// Entries are missing before what was sent; nothing of it was booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Of which epoch.
    pub epoch: u32,
    /// Send again from here.
    pub expected_seq: u64,
}

/// The server has another entry at a sequence. What was sent is kept and booked in a branch; the terminal has to write in a new epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fork {
    /// Of which epoch.
    pub epoch: u32,
    /// The first sequence that differs.
    pub seq: u64,
    /// Where to go on writing.
    pub new_epoch: EpochStart,
}

/// A snapshot begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotBegin {
    /// What it is, signed.
    pub step: Step,
}

/// A part of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotChunk {
    /// Of which stream.
    pub stream: Stream,
    /// From 0.
    pub index: u32,
    /// The next bytes of the changes.
    pub bytes: Bytes,
}

/// A snapshot is complete; it is applied now or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotEnd {
    /// Of which stream.
    pub stream: Stream,
}

/// Changes of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// What it is, signed.
    pub step: Step,
    /// The encoded changes.
    pub changes: Bytes,
}

crate::open_enum! {
    /// What a terminal is told to do.
    pub enum CommandKind {
        /// Take no more orders.
        Lock = 1,
        /// Take orders again.
        Unlock = 2,
        /// End the cashier's session (refused while a cart is open).
        LogOut = 3,
        /// Send the log.
        SendLog = 4,
    }
}

/// The server tells the terminal to do something; done once per id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Its id.
    pub command: CommandId,
    /// What.
    pub kind: CommandKind,
}

/// Units of one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    /// Which asset.
    pub asset: AssetId,
    /// How many.
    pub amount: Amount,
}

/// What a wristband has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryResult {
    /// The question.
    pub request: RequestId,
    /// Which wristband.
    pub tag: TagId,
    /// Money that is free to spend, in cents.
    pub free: Amount,
    /// Money that is set aside for carts.
    pub held: Amount,
    /// What is still owed from earlier, as a number above zero.
    pub owed: Amount,
    /// Other assets.
    pub units: Vec<Units>,
    /// Why it must not pay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<BlockReason>,
    /// When the server looked.
    pub as_of_ms: u64,
}

crate::open_enum! {
    /// Why an authorisation was refused.
    pub enum AuthoriseRefusal {
        /// Not enough free money.
        BalanceTooLow = 1,
        /// The wristband must not pay.
        Blocked = 2,
        /// The amount is not above zero or not possible.
        Amount = 3,
        /// The terminal may not sell.
        Terminal = 4,
        /// The server cannot say now; decide by the offline limits.
        Unavailable = 5,
    }
}

/// Yes or no to an authorisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthoriseResult {
    /// The question.
    pub request: RequestId,
    /// The hold, when yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldId>,
    /// Why not, when no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<AuthoriseRefusal>,
    /// For a blocked wristband: the class of reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocked: Option<BlockReason>,
    /// Money that is free to spend besides this hold, in cents.
    pub free: Amount,
    /// When the server looked.
    pub as_of_ms: u64,
}

/// Still there?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Counts up on each connection.
    pub no: u64,
    /// The server's clock.
    pub server_ms: u64,
}

/// The start of a cart is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CartAck {
    /// Which.
    pub cart: CartId,
}

/// Entries of another terminal's journal, as that terminal would push them. They may be sent again, and the other terminal may come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// The entries, signed by the key of the terminal they are of.
    pub push: Push,
}

crate::open_enum! {
    /// What became of entries that were handed over.
    pub enum HandoverOutcome {
        /// They are durable here.
        Durable = 1,
        /// Entries are missing before them; nothing of it was booked.
        Gap = 2,
        /// Their terminal is not registered here.
        UnknownTerminal = 3,
        /// Their terminal did not sign them.
        BadSignature = 4,
    }
}

/// What became of a [`Handover`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverAck {
    /// Whose journal.
    pub terminal: TerminalId,
    /// Of which epoch.
    pub epoch: u32,
    /// The last entry of the part.
    pub seq: u64,
    /// What became of it.
    pub outcome: HandoverOutcome,
}

crate::open_enum! {
    /// What did not work.
    pub enum ErrorCode {
        /// The frame cannot be read.
        BadFrame = 1,
        /// A kind this version does not know.
        UnsupportedKind = 2,
        /// No common protocol version.
        Version = 3,
        /// The signature does not match.
        BadSignature = 4,
        /// This terminal is not known here.
        UnknownTerminal = 5,
        /// The slot does not exist, its secret is wrong, it was used, or its time is over.
        Registration = 6,
        /// Another connection of the same terminal took over.
        Replaced = 7,
        /// The message does not fit the state of the connection.
        Order = 8,
        /// The server cannot work now (disk full, database error); try again later.
        Unavailable = 9,
        /// Too much at once.
        Overload = 10,
        /// The peer was silent for too long.
        Timeout = 11,
        /// The server is shutting down.
        Shutdown = 12,
    }
}

/// Something did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What.
    pub code: ErrorCode,
    /// Whether the server closes the connection.
    pub fatal: bool,
    /// When to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u32>,
    /// For a person who reads logs: what, why, what now. English.
    pub detail: String,
}
