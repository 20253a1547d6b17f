//! What a copy is made from: the queue, through a connection of its own that only reads.

use std::path::PathBuf;

use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::message::Certificate;

use crate::queue::{Fetched, QueueError, SqliteQueue};

/// A journal to copy.
pub trait Journal: Send + 'static {
    /// The terminal's certificate; none before it is registered.
    fn certificate(&mut self) -> Result<Option<Certificate>, QueueError>;
    /// All epochs.
    fn epochs(&mut self) -> Result<Vec<EpochStart>, QueueError>;
    /// Entries from this one on, with the hash before them.
    fn entries(&mut self, epoch: u32, from_seq: u64, entries_max: u32) -> Result<Fetched, QueueError>;
    /// Signed heads of entries within these, inclusive.
    fn heads(&mut self, epoch: u32, from_seq: u64, to_seq: u64) -> Result<Vec<SignedHead>, QueueError>;
}

/// The journal in a queue's file. Opened when it is first read, because the file is made by the queue itself.
pub struct QueueReader {
    path: PathBuf,
    open: Option<SqliteQueue>,
}

impl QueueReader {
    /// Reads the queue at this path.
    pub const fn new(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    fn queue(&mut self) -> Result<&mut SqliteQueue, QueueError> {
        Ok(match &mut self.open {
            Some(queue) => queue,
            none => none.insert(SqliteQueue::reader(&self.path)?),
        })
    }
}

impl Journal for QueueReader {
    fn certificate(&mut self) -> Result<Option<Certificate>, QueueError> {
        self.queue()?.certificate()
    }

    fn epochs(&mut self) -> Result<Vec<EpochStart>, QueueError> {
        self.queue()?.starts()
    }

    fn entries(&mut self, epoch: u32, from_seq: u64, entries_max: u32) -> Result<Fetched, QueueError> {
        crate::queue::Queue::fetch(self.queue()?, epoch, from_seq, entries_max)
    }

    fn heads(&mut self, epoch: u32, from_seq: u64, to_seq: u64) -> Result<Vec<SignedHead>, QueueError> {
        self.queue()?.heads_between(epoch, from_seq, to_seq)
    }
}
