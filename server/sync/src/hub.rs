//! What all connections share: who is connected, public keys of terminals, versions of streams.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use engine::{Known, Reply};
use shared_protocol::crypto::PublicKey;
use shared_protocol::message::{CommandKind, ErrorCode};
use shared_protocol::stream::{Stream, Version};
use shared_protocol::{CommandId, SlotId, TerminalId};
use tokio::sync::mpsc::UnboundedSender;

use crate::session::Ticket;

/// What a connection is told from elsewhere. The channel is unbounded, but what is in it is not: replies are at most the connection's own
/// requests, which its window bounds, and the rest is rare.
#[derive(Debug)]
pub enum ToConnection {
    /// The engine answered; none when it failed.
    Reply(Ticket, Option<Box<Reply>>),
    /// Close.
    Close(ErrorCode),
    /// A stream has a new version.
    Stream(Stream, Version),
    /// Tell the terminal to do something.
    Command(CommandId, CommandKind),
    /// A person confirmed the code of a slot.
    Confirmed(SlotId, Box<Known>),
}

/// Counters that only go up, for `/metrics`, the live table and the bench.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections accepted.
    pub connections: AtomicU64,
    /// Frames read.
    pub frames_in: AtomicU64,
    /// Bytes of frames read.
    pub bytes_in: AtomicU64,
    /// Bytes of frames written.
    pub bytes_out: AtomicU64,
    /// Journal entries made durable.
    pub entries: AtomicU64,
    /// Batches committed.
    pub batches: AtomicU64,
    /// Authorisations answered.
    pub authorisations: AtomicU64,
}

impl Counters {
    /// Adds to a counter.
    pub fn add(counter: &AtomicU64, amount: u64) {
        counter.fetch_add(amount, Ordering::Relaxed);
    }

    /// Reads a counter.
    pub fn get(counter: &AtomicU64) -> u64 {
        counter.load(Ordering::Relaxed)
    }
}

/// One connected terminal.
struct Connected {
    connection: u64,
    to: UnboundedSender<ToConnection>,
}

/// What a terminal last said of its journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// The epoch it writes in.
    pub epoch: u32,
    /// The next sequence it will write.
    pub next_seq: u64,
    /// When, by the server's clock.
    pub at_ms: u64,
}

/// What all connections share.
#[derive(Default)]
pub struct Hub {
    connected: Mutex<BTreeMap<TerminalId, Connected>>,
    waiting: Mutex<BTreeMap<SlotId, UnboundedSender<ToConnection>>>,
    keys: RwLock<BTreeMap<TerminalId, PublicKey>>,
    heard: Mutex<BTreeMap<TerminalId, Heard>>,
    /// The newest entry of each terminal that a guest's slip told of: epoch and sequence. One for each registered terminal, whatever is asked for.
    slips: Mutex<BTreeMap<TerminalId, (u32, u64)>>,
    next_connection: AtomicU64,
    /// Counters.
    pub counters: Counters,
}

/// A panic while holding one of these locks leaves a map that is still whole: every change is one insert or remove.
fn open<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// A number for a new connection.
    pub(crate) fn next_connection(&self) -> u64 {
        Counters::add(&self.counters.connections, 1);
        self.next_connection.fetch_add(1, Ordering::Relaxed)
    }

    /// Public keys become known.
    pub fn learn(&self, keys: impl IntoIterator<Item = (TerminalId, PublicKey)>) {
        self.keys.write().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }

    /// The public key of a terminal.
    pub fn key_of(&self, terminal: TerminalId) -> Option<PublicKey> {
        self.keys
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&terminal)
            .cloned()
    }

    /// A terminal logged in on a connection; an older one has to go.
    pub(crate) fn enter(&self, terminal: TerminalId, connection: u64, to: UnboundedSender<ToConnection>) {
        let before = open(&self.connected).insert(terminal, Connected { connection, to });
        if let Some(before) = before.filter(|before| before.connection != connection) {
            // A receiver that is gone is a connection that is gone.
            let _gone = before.to.send(ToConnection::Close(ErrorCode::Replaced));
        }
    }

    /// A connection ended.
    pub(crate) fn leave(&self, terminal: TerminalId, connection: u64) {
        let mut connected = open(&self.connected);
        if connected
            .get(&terminal)
            .is_some_and(|known| known.connection == connection)
        {
            connected.remove(&terminal);
        }
    }

    /// A device waits for a person.
    pub(crate) fn wait(&self, slot: SlotId, to: UnboundedSender<ToConnection>) {
        open(&self.waiting).insert(slot, to);
    }

    /// A person confirmed; the device is told if it is still there.
    pub fn confirmed(&self, slot: SlotId, known: Known) {
        if let Some(to) = open(&self.waiting).remove(&slot) {
            let _gone = to.send(ToConnection::Confirmed(slot, Box::new(known)));
        }
    }

    /// A known terminal said how far its journal is.
    pub fn note_heard(&self, terminal: TerminalId, heard: Heard) {
        open(&self.heard).insert(terminal, heard);
    }

    /// What a terminal last said, since this server started.
    pub fn heard(&self, terminal: TerminalId) -> Option<Heard> {
        open(&self.heard).get(&terminal).copied()
    }

    /// Notes an entry of a terminal that a slip told of, which the terminal's key has signed. Gives whether it is news.
    pub fn note_slip(&self, terminal: TerminalId, epoch: u32, seq: u64) -> bool {
        let mut slips = open(&self.slips);
        let newest = slips.entry(terminal).or_default();
        let is_news = (epoch, seq) > *newest;
        *newest = (*newest).max((epoch, seq));
        is_news
    }

    /// The newest entry of a terminal that a slip told of: epoch and sequence. What is stored may have caught up with it.
    pub fn told_by_slip(&self, terminal: TerminalId) -> Option<(u32, u64)> {
        open(&self.slips).get(&terminal).copied()
    }

    /// Whether a terminal is connected now.
    pub fn is_connected(&self, terminal: TerminalId) -> bool {
        open(&self.connected).contains_key(&terminal)
    }

    /// How many terminals are connected now.
    pub fn connected(&self) -> usize {
        open(&self.connected).len()
    }

    /// A stream has a new version: tells every connected terminal.
    pub fn stream_changed(&self, stream: Stream, version: Version) {
        for connected in open(&self.connected).values() {
            let _gone = connected.to.send(ToConnection::Stream(stream, version));
        }
    }

    /// Tells a terminal to do something. Gives whether it is connected.
    pub fn command(&self, terminal: TerminalId, command: CommandId, kind: CommandKind) -> bool {
        let connected = open(&self.connected);
        connected
            .get(&terminal)
            .is_some_and(|known| known.to.send(ToConnection::Command(command, kind)).is_ok())
    }

    /// Closes the connection of one terminal, as a cut network would. Gives whether it was connected.
    pub fn disconnect(&self, terminal: TerminalId) -> bool {
        let connected = open(&self.connected);
        connected
            .get(&terminal)
            .is_some_and(|known| known.to.send(ToConnection::Close(ErrorCode::Shutdown)).is_ok())
    }

    /// Closes every connection.
    pub fn close_all(&self) {
        for connected in open(&self.connected).values() {
            let _gone = connected.to.send(ToConnection::Close(ErrorCode::Shutdown));
        }
    }
}
