//! How a copy stands, as the till's page says it, and what the sale's thread and the copier tell each other. The lock is never held over a
//! write or a read of any disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use shared_protocol::entry::{Entry, EntryKind};
use terminal::Write;

use super::HANG;

/// What keeps a second place from having everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorFault {
    /// The folder is not there: the stick is pulled.
    Gone,
    /// The folder is on the same disk as the queue: it would die with it.
    SameDisk,
    /// No room.
    Full,
    /// It may not be written.
    NotWritable,
    /// It does not answer.
    Hangs,
    /// The disk failed.
    Io,
    /// The neighbour cannot be reached.
    Unreachable,
    /// The neighbour does not take this key.
    Key,
    /// What is there does not belong to this journal.
    Foreign,
    /// The queue cannot be read to copy it.
    Queue,
}

/// How a copy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorState {
    /// It is looked at for the first time.
    Starting,
    /// Everything that is in the queue is there, synced.
    UpToDate,
    /// It is there and not done.
    Behind {
        /// How many entries it lacks.
        entries: u64,
        /// Since when, ms since 1970.
        since_ms: u64,
    },
    /// It is not there.
    Missing {
        /// Why.
        fault: MirrorFault,
        /// Since when, ms since 1970.
        since_ms: u64,
        /// Bookings it lacks, as far as they were made since the program started.
        bookings: u64,
    },
}

/// A copy and how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorStatus {
    /// What people call the place.
    pub name: String,
    /// How it stands.
    pub state: MirrorState,
}

#[derive(Debug, Default)]
struct Inner {
    /// The last entry of each epoch, as far as it was committed since the start.
    committed: BTreeMap<u32, u64>,
    /// Up to where each epoch is in the place.
    copied: BTreeMap<u32, u64>,
    /// Bookings that are not.
    bookings: BTreeSet<(u32, u64)>,
    /// Counts what the copier should look at, and what it had looked at when it began its last whole round.
    asked: u64,
    done: u64,
    behind_since_ms: Option<u64>,
    missing: Option<(MirrorFault, u64)>,
    /// Nobody waits for it until it has everything again.
    late: bool,
    /// Since when something is under way in the place.
    busy: Option<(Instant, u64)>,
    stop: bool,
    ended: bool,
}

/// What the sale's thread and the copier share.
pub(super) struct Progress {
    name: String,
    inner: Mutex<Inner>,
    changed: Condvar,
}

/// The device's clock, ms since 1970: only to say since when.
pub(super) fn wall_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// What the copier has to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Copy; the number to give to [`Progress::done`].
    Copy(u64),
    /// See whether the place is still there.
    Look,
    /// End.
    End,
}

impl Progress {
    pub fn new(name: String) -> Self {
        let inner = Inner {
            // The first look at the place is asked for from the start.
            asked: 1,
            late: true,
            ..Inner::default()
        };
        Self {
            name,
            inner: Mutex::new(inner),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        let result = work(&mut self.lock());
        self.changed.notify_all();
        result
    }

    /// Something is durable in the queue.
    pub fn committed(&self, writes: &[Write], now_ms: u64) {
        let is_journal = |write: &Write| {
            matches!(
                write,
                Write::Epoch(_)
                    | Write::Entry(_)
                    | Write::Head(_)
                    | Write::Meta {
                        key: terminal::MetaKey::Identity,
                        ..
                    }
            )
        };
        if !writes.iter().any(is_journal) {
            return;
        }
        self.change(|inner| {
            inner.asked += 1;
            for write in writes {
                let Write::Entry(entry) = write else { continue };
                inner.committed.insert(entry.epoch, entry.seq);
                inner.behind_since_ms.get_or_insert(now_ms);
                let kind = shared_protocol::decode::<Entry>(&entry.bytes).map(|entry| entry.kind);
                if kind == Ok(EntryKind::Order) {
                    inner.bookings.insert((entry.epoch, entry.seq));
                }
            }
        });
    }

    /// The queue was opened: what it holds may be new to the place.
    pub fn look_again(&self) {
        self.change(|inner| inner.asked += 1);
    }

    /// Waits until everything committed is copied, where that can be expected.
    pub fn wait(&self, until: Instant) {
        let mut inner = self.lock();
        while !inner.late && !inner.is_covered() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                inner.late = true;
                tracing::debug!(place = self.name, "the second copy is late");
                return;
            }
            inner = self
                .changed
                .wait_timeout(inner, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Ends the copier once it has everything, and at the latest at this moment.
    pub fn stop(&self, until: Instant) {
        let mut inner = self.lock();
        inner.stop = true;
        self.changed.notify_all();
        while !inner.ended {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            inner = self
                .changed
                .wait_timeout(inner, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Waits for something to do.
    pub fn next(&self, until: Instant) -> Turn {
        let mut inner = self.lock();
        loop {
            let is_asked = inner.asked != inner.done;
            // A place that fails is not asked once more at the end: the till is waiting.
            if inner.stop && (!is_asked || inner.missing.is_some()) {
                return Turn::End;
            }
            if is_asked && inner.missing.is_none() {
                return Turn::Copy(inner.asked);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return if is_asked { Turn::Copy(inner.asked) } else { Turn::Look };
            }
            inner = self
                .changed
                .wait_timeout(inner, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Says that something is under way in the place, or is over.
    pub fn busy(&self, is_busy: bool) {
        self.change(|inner| inner.busy = is_busy.then(|| (Instant::now(), wall_ms())));
    }

    /// An epoch is in the place up to this entry, synced.
    pub fn copied(&self, epoch: u32, seq: u64) {
        self.change(|inner| {
            inner.copied.insert(epoch, seq);
            inner.bookings.retain(|(of, at)| *of != epoch || *at > seq);
            if inner.is_covered() {
                inner.behind_since_ms = None;
            }
        });
    }

    /// A whole round worked, or why it did not.
    pub fn done(&self, turn: u64, result: Result<(), MirrorFault>) {
        let now_ms = wall_ms();
        self.change(|inner| match result {
            Ok(()) => {
                if let Some((fault, since_ms)) = inner.missing.take() {
                    tracing::info!(place = self.name, ?fault, since_ms, "the second copy is there again");
                }
                inner.done = turn;
                inner.late = inner.late && !inner.is_covered();
            }
            Err(fault) => {
                let since_ms = inner.missing.map_or(now_ms, |(_, since_ms)| since_ms);
                if inner.missing.is_none_or(|(known, _)| known != fault) {
                    tracing::warn!(place = self.name, ?fault, "the second copy is missing; selling goes on");
                }
                inner.missing = Some((fault, since_ms));
                inner.late = true;
                // Whatever was there has to be looked at again.
                inner.asked = inner.asked.max(inner.done + 1);
            }
        });
    }

    pub fn ended(&self) {
        self.change(|inner| inner.ended = true);
    }

    pub fn status(&self, now: Instant) -> MirrorStatus {
        let inner = self.lock();
        let hangs = inner
            .busy
            .filter(|(since, _)| now.saturating_duration_since(*since) >= HANG)
            .map(|(_, since_ms)| (MirrorFault::Hangs, since_ms));
        let state = match inner.missing.or(hangs) {
            Some((fault, since_ms)) => MirrorState::Missing {
                fault,
                since_ms,
                bookings: inner.bookings.len() as u64,
            },
            None if inner.done == 0 => MirrorState::Starting,
            None if inner.is_covered() => MirrorState::UpToDate,
            None => MirrorState::Behind {
                entries: inner.lacking(),
                since_ms: inner.behind_since_ms.unwrap_or_default(),
            },
        };
        MirrorStatus {
            name: self.name.clone(),
            state,
        }
    }
}

impl Inner {
    fn lacking(&self) -> u64 {
        let lack = |(epoch, seq): (&u32, &u64)| seq.saturating_sub(self.copied.get(epoch).copied().unwrap_or_default());
        self.committed.iter().map(lack).sum()
    }

    fn is_covered(&self) -> bool {
        self.lacking() == 0
    }
}
