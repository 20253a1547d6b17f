//! The copier's thread: reads what a place lacks from the queue and appends it there, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared_protocol::TerminalId;
use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::crypto::{Hash32, Signer};
use shared_protocol::ids::Bytes;
use shared_protocol::mirror::{FORMAT, MirroredEntry, Opening, Record, UPLOAD_MAX_BYTES};

use super::source::Journal;
use super::status::{MirrorFault, Progress, Turn};
use super::{Place, There};
use crate::queue::{Fetched, QueueError};

/// A place that is missing is tried again after this.
const RETRY: Duration = Duration::from_secs(2);

/// A place where nothing happens is looked at this often: a stick that is pulled has to be said before the next sale.
const LOOK: Duration = Duration::from_secs(2);

/// Entries read at a time.
const PAGE_ENTRIES: u32 = 256;

/// Records appended with one sync, at most about so many bytes. Half of what an upload may have.
const APPEND_BYTES: usize = UPLOAD_MAX_BYTES / 2;

/// Heads are signed this close behind their entries; older ones are in the place or were never made.
const HEADS_BEHIND: u64 = 512;

/// An epoch as it is in the place.
struct Copied {
    opening: Opening,
    /// Every entry of the queue before this one is there.
    next: u64,
    /// The hash before it.
    head: Hash32,
    /// What else was there when it was opened; what has been passed is no longer of interest.
    there: BTreeSet<Hash32>,
    heads: BTreeSet<u64>,
    /// Somebody has to say first whose journal goes on here.
    is_new: bool,
}

pub(super) struct Copier {
    progress: Arc<Progress>,
    place: Box<dyn Place>,
    journal: Box<dyn Journal>,
    signer: Box<dyn Signer>,
    epochs: BTreeMap<u32, Copied>,
    is_missing: bool,
}

impl From<QueueError> for MirrorFault {
    fn from(error: QueueError) -> Self {
        tracing::debug!(%error, "the queue cannot be read to copy it");
        Self::Queue
    }
}

impl Copier {
    pub fn new(
        progress: Arc<Progress>,
        place: Box<dyn Place>,
        journal: Box<dyn Journal>,
        signer: Box<dyn Signer>,
    ) -> Self {
        Self {
            progress,
            place,
            journal,
            signer,
            epochs: BTreeMap::new(),
            is_missing: false,
        }
    }

    pub fn run(mut self) {
        loop {
            let wait = if self.is_missing { RETRY } else { LOOK };
            let (turn, result) = match self.progress.next(Instant::now() + wait) {
                Turn::End => break,
                Turn::Copy(turn) => (Some(turn), self.round()),
                Turn::Look => (None, self.in_place(|place| place.look())),
            };
            self.is_missing = result.is_err();
            if result.is_err() {
                // What a failed write left behind is not known, so the place is read again before it is gone on with.
                self.epochs.clear();
            }
            match (turn, result) {
                (Some(turn), result) => self.progress.done(turn, result),
                (None, Err(fault)) => self.progress.done(0, Err(fault)),
                (None, Ok(())) => {}
            }
        }
        self.progress.ended();
    }

    /// Does something in the place, said to be under way meanwhile.
    fn in_place<T>(&mut self, work: impl FnOnce(&mut dyn Place) -> Result<T, MirrorFault>) -> Result<T, MirrorFault> {
        self.progress.busy(true);
        let result = work(self.place.as_mut());
        self.progress.busy(false);
        result
    }

    /// Brings every epoch up to date.
    fn round(&mut self) -> Result<(), MirrorFault> {
        let Some(certificate) = self.journal.certificate()? else {
            // A device that is no terminal yet has no journal; whether there is a place for it is worth knowing all the same.
            return self.in_place(|place| place.look());
        };
        for epoch in self.journal.epochs()? {
            let opening = Opening {
                format: FORMAT,
                epoch,
                certificate: certificate.clone(),
            };
            self.epoch(opening)?;
        }
        Ok(())
    }

    fn epoch(&mut self, opening: Opening) -> Result<(), MirrorFault> {
        let terminal = opening.registration().map_err(|_| MirrorFault::Queue)?.terminal;
        let epoch = opening.epoch;
        let mut copied = match self.epochs.remove(&epoch.epoch) {
            Some(copied) => copied,
            None => self.open(opening, terminal)?,
        };
        let result = self.copy(&mut copied, terminal);
        self.epochs.insert(epoch.epoch, copied);
        result
    }

    /// Looks at what the place has of an epoch.
    fn open(&mut self, opening: Opening, terminal: TerminalId) -> Result<Copied, MirrorFault> {
        let EpochStart { epoch, .. } = opening.epoch;
        let There { hashes, up_to, heads } = self.in_place(|place| place.open(&opening))?;
        let mut copied = Copied {
            head: opening.epoch.root(terminal),
            next: 1,
            there: hashes,
            heads,
            is_new: true,
            opening,
        };
        if let Some((seq, head)) = up_to.filter(|(seq, _)| *seq > 0) {
            let known = self.journal.entries(epoch, seq, 1)?.entries;
            if known.first().map(|entry| entry.hash) != Some(head) {
                return Err(MirrorFault::Foreign);
            }
            (copied.next, copied.head) = (seq + 1, head);
        }
        Ok(copied)
    }

    fn copy(&mut self, copied: &mut Copied, terminal: TerminalId) -> Result<(), MirrorFault> {
        let epoch = copied.opening.epoch.epoch;
        loop {
            // A place that was up to date may have got its heads late.
            let from = copied.next.saturating_sub(HEADS_BEHIND).max(1);
            let late = self.journal.heads(epoch, from, copied.next - 1)?;
            let page = self.journal.entries(epoch, copied.next, PAGE_ENTRIES)?;
            let mut batch = Batch::default();
            batch.heads(late, &copied.heads);
            let (mut next, mut head) = (copied.next, copied.head);
            let Fetched { entries, heads, .. } = page;
            for entry in entries {
                if batch.bytes.len() >= APPEND_BYTES {
                    break;
                }
                if entry.seq != next {
                    return Err(MirrorFault::Queue);
                }
                if !copied.there.remove(&entry.hash) {
                    let record = MirroredEntry {
                        seq: entry.seq,
                        previous: head,
                        bytes: Bytes(entry.bytes),
                    };
                    if record.hash() != entry.hash {
                        return Err(MirrorFault::Queue);
                    }
                    batch.bytes.extend(Record::Entry(record).bytes());
                    batch.has_entries = true;
                }
                (next, head) = (entry.seq + 1, entry.hash);
            }
            let last = next - 1;
            batch.heads(heads.into_iter().filter(|head| head.seq <= last), &copied.heads);
            if batch.has_entries && !batch.signed.contains(&last) {
                // Entries are worth as much as the head that covers them, and the terminal takes up to two seconds for its own.
                let signed = SignedHead::sign(self.signer.as_ref(), terminal, epoch, last, head);
                batch.heads(signed.map_err(|_| MirrorFault::Queue), &copied.heads);
            }
            self.append(copied, batch)?;
            let is_end = next == copied.next;
            (copied.next, copied.head) = (next, head);
            self.progress.copied(epoch, last);
            if is_end {
                return Ok(());
            }
        }
    }

    fn append(&mut self, copied: &mut Copied, batch: Batch) -> Result<(), MirrorFault> {
        if batch.bytes.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        if copied.is_new || self.place.forgets_opening() {
            bytes = Record::Opening(copied.opening.clone()).bytes();
        }
        bytes.extend(batch.bytes);
        self.in_place(|place| place.append(&copied.opening, &bytes))?;
        copied.is_new = false;
        copied.heads.extend(batch.signed);
        Ok(())
    }
}

/// What is appended with one sync.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    signed: BTreeSet<u64>,
    has_entries: bool,
}

impl Batch {
    fn heads(&mut self, heads: impl IntoIterator<Item = SignedHead>, there: &BTreeSet<u64>) {
        for head in heads {
            if !there.contains(&head.seq) && self.signed.insert(head.seq) {
                self.bytes.extend(Record::Head(head).bytes());
            }
        }
    }
}
