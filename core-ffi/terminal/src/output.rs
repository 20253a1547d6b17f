//! What a terminal asks of its shell.

use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::crypto::Hash32;
use shared_protocol::stream::{Change, Stream, Version};

use crate::pin::{Pin, PinJob};
use crate::purse::PurseWork;
use crate::screen::Screen;

/// Names one [`Output::Persist`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Names one [`Output::Sign`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignJob(pub u64);

/// Names one connection, so that what a dead one still says is not taken for the living.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// An entry of the journal as the queue keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEntry {
    /// Of which epoch.
    pub epoch: u32,
    /// 1, 2, 3 … in the epoch.
    pub seq: u64,
    /// The chain's hash after this entry.
    pub hash: Hash32,
    /// The entry's bytes.
    pub bytes: Vec<u8>,
}

shared_protocol::closed_enum! {
    /// Small things a terminal keeps beside its journal; each has one value.
    pub enum MetaKey {
        /// Certificate and config key.
        Identity = 1,
        /// Who is logged in.
        Session = 2,
        /// The cart that is open.
        Cart = 3,
        /// Whether the server locked it, and the commands it has carried out.
        State = 4,
        /// The server's clock minus the device's.
        Clock = 5,
        /// Which life of the server's database the watermarks are of.
        Incarnation = 6,
        /// The drawer that is open, with what should be in it.
        Drawer = 7,
        /// How often PINs were wrong.
        Pins = 8,
        /// Carts that wait for their cashiers.
        Parked = 9,
        /// What the session has booked.
        Tally = 10,
        /// Copies of other terminals' journals that wait for the server.
        Received = 11,
        /// Up to where a copy of the own journal is on another device.
        Evacuated = 12,
        /// The queue is one to practise with: its terminal opens no connection and gives nothing away.
        Training = 13,
    }
}

/// One change to the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// A new epoch; entries are written in the newest.
    Epoch(EpochStart),
    /// A new entry. The queue refuses one that does not follow the last of its epoch.
    Entry(StoredEntry),
    /// A signed head.
    Head(SignedHead),
    /// The server has everything up to here. Only for counting and for the next start: nothing is deleted. It may go back.
    Acked {
        /// Of which epoch.
        epoch: u32,
        /// Up to which entry.
        seq: u64,
    },
    /// A stream's new version.
    Stream {
        /// Which stream.
        stream: Stream,
        /// The version the copy has after this.
        version: Version,
        /// Whether all items before are dropped first.
        snapshot: bool,
        /// What changes.
        changes: Vec<Change>,
    },
    /// A small thing; none removes it.
    Meta {
        /// Which.
        key: MetaKey,
        /// Its value.
        value: Option<Vec<u8>>,
    },
}

/// A sound and a vibration. What they are is up to the device; that they differ is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cue {
    /// A wristband was seen; keep holding.
    Seen,
    /// Done: paid, credited, taken back.
    Done,
    /// Refused; nothing was booked.
    Refused,
    /// Hold again, or hold another one.
    Again,
    /// This wristband has paid already.
    Already,
    /// The balance is shown.
    Info,
}

/// What a terminal asks of its shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write all of this in one durable transaction, in the order in which these come, and answer with
    /// [`Persisted`](crate::Input::Persisted) or [`PersistFailed`](crate::Input::PersistFailed).
    Persist {
        /// Comes back with the answer.
        ticket: Ticket,
        /// What to write.
        writes: Vec<Write>,
    },
    /// Sign this with the device's key.
    Sign {
        /// Comes back with the answer.
        job: SignJob,
        /// What to sign, as it is.
        message: Vec<u8>,
    },
    /// Compare a PIN with its hash (argon2id in PHC form), and answer with [`PinVerified`](crate::Input::PinVerified).
    VerifyPin {
        /// Comes back with the answer.
        job: PinJob,
        /// The hash.
        hash: String,
        /// The PIN.
        pin: Pin,
    },
    /// Read entries back from the queue, because they are no longer in memory.
    Fetch {
        /// Of which epoch.
        epoch: u32,
        /// From which entry.
        from_seq: u64,
        /// At most so many.
        entries_max: u32,
    },
    /// Open a connection to the server.
    Connect(LinkId),
    /// Work on the purse of the wristband in the field, and answer with [`Purse`](crate::Input::Purse).
    Purse(PurseWork),
    /// Send a frame.
    Send {
        /// On which connection.
        link: LinkId,
        /// The whole message.
        frame: Vec<u8>,
    },
    /// Close a connection; nothing it still says is wanted.
    Disconnect(LinkId),
    /// The device is a terminal no more: the server has everything. The terminal has stopped; put the queue's file away and start a new one
    /// from an empty queue.
    Unregistered,
    /// Show this. It is complete; the screen before is of no more use.
    Screen(Box<Screen>),
    /// Sound and vibrate.
    Cue(Cue),
}
