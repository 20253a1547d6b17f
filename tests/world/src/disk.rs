//! A device's disk: what is durable, and what is on its way. A transaction is whole or not there, as the queue's database promises; the recording
//! VFS proves that promise, here it is taken.

use std::collections::{BTreeMap, VecDeque};

use shared_protocol::chain::{EpochStart, SignedHead, link};
use shared_protocol::crypto::Hash32;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::stream::{Copy, Stream};
use shared_protocol::{OrderId, TagId};
use terminal::{MetaKey, Restored, StoredEntry, Ticket, Write};

/// Everything that a queue holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Image {
    pub epochs: BTreeMap<u32, (EpochStart, u64)>,
    pub entries: BTreeMap<(u32, u64), StoredEntry>,
    heads: BTreeMap<(u32, u64), SignedHead>,
    pub metas: BTreeMap<MetaKey, Vec<u8>>,
    streams: BTreeMap<Stream, Copy>,
}

/// A write that the queue's own constraints refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub epoch: u32,
    pub seq: u64,
}

/// What a transaction added that matters to others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Added {
    pub entries: Vec<StoredEntry>,
}

impl Image {
    /// Whether the block list has this wristband. The process may have heard more than its disk; less it has not.
    pub fn blocks(&self, tag: TagId) -> bool {
        let list = self.streams.get(&Stream::BlockList);
        list.is_some_and(|list| list.items.contains_key(tag.as_slice()))
    }

    fn last_seq(&self, epoch: u32) -> u64 {
        self.entries
            .range((epoch, 0)..=(epoch, u64::MAX))
            .next_back()
            .map_or(0, |((_, seq), _)| *seq)
    }

    /// Writes a transaction whole, or not at all.
    pub fn apply(&mut self, writes: &[Write]) -> Result<Added, Conflict> {
        let mut added = Added::default();
        let mut ends: BTreeMap<u32, u64> = BTreeMap::new();
        for entry in writes.iter().filter_map(|write| {
            if let Write::Entry(entry) = write {
                Some(entry)
            } else {
                None
            }
        }) {
            let end = ends.entry(entry.epoch).or_insert_with(|| self.last_seq(entry.epoch));
            if entry.seq != *end + 1 {
                return Err(Conflict {
                    epoch: entry.epoch,
                    seq: entry.seq,
                });
            }
            *end = entry.seq;
        }
        for write in writes {
            match write {
                Write::Epoch(start) => drop(self.epochs.entry(start.epoch).or_insert((*start, 0))),
                Write::Entry(entry) => {
                    self.entries.insert((entry.epoch, entry.seq), entry.clone());
                    added.entries.push(entry.clone());
                }
                Write::Head(head) => drop(self.heads.insert((head.epoch, head.seq), head.clone())),
                Write::Acked { epoch, seq } => {
                    if let Some((_, acked)) = self.epochs.get_mut(epoch) {
                        *acked = *seq;
                    }
                }
                Write::Stream {
                    stream,
                    version,
                    snapshot,
                    changes,
                } => {
                    let copy = self.streams.entry(*stream).or_default();
                    if *snapshot {
                        copy.items.clear();
                    }
                    for change in changes {
                        match &change.value {
                            Some(value) => copy.items.insert(change.key.0.clone(), value.0.clone()),
                            None => copy.items.remove(&change.key.0),
                        };
                    }
                    copy.version = *version;
                }
                Write::Meta { key, value } => {
                    match value {
                        Some(value) => self.metas.insert(*key, value.clone()),
                        None => self.metas.remove(key),
                    };
                }
            }
        }
        Ok(added)
    }

    /// What a new process reads: small things and epochs first, then the entries it has to know.
    pub fn restore(&self) -> Result<Restored, terminal::Damaged> {
        let mut restored = Restored::empty();
        for (key, value) in &self.metas {
            restored.meta(*key, value.clone());
        }
        for (stream, copy) in &self.streams {
            restored.stream(*stream, copy.clone());
        }
        for (start, acked) in self.epochs.values() {
            restored.epoch(*start, *acked);
        }
        for (epoch, (_, acked)) in &self.epochs {
            let from = Restored::reads_from(self.last_seq(*epoch), *acked);
            for (_, entry) in self.entries.range((*epoch, from)..=(*epoch, u64::MAX)) {
                restored.entry(entry.clone())?;
            }
            for (_, head) in self.heads.range((*epoch, from)..=(*epoch, u64::MAX)) {
                restored.head(head.clone());
            }
        }
        Ok(restored)
    }

    /// Reads entries back, with the hash before the first and their heads.
    pub fn read(
        &self,
        epoch: u32,
        from_seq: u64,
        entries_max: u32,
    ) -> (Option<Hash32>, Vec<StoredEntry>, Vec<SignedHead>) {
        let count = usize::try_from(entries_max).unwrap_or(usize::MAX);
        let entries: Vec<StoredEntry> = self
            .entries
            .range((epoch, from_seq)..=(epoch, u64::MAX))
            .take(count)
            .map(|(_, entry)| entry.clone())
            .collect();
        let last = entries.last().map_or(from_seq, |entry| entry.seq);
        let heads = self
            .heads
            .range((epoch, from_seq)..=(epoch, last))
            .map(|(_, head)| head.clone())
            .collect();
        let before = from_seq
            .checked_sub(1)
            .and_then(|seq| self.entries.get(&(epoch, seq)))
            .map(|entry| entry.hash);
        (before, entries, heads)
    }

    /// Whether an order is in the journal.
    pub fn has_order(&self, order: OrderId) -> bool {
        self.entries
            .values()
            .rev()
            .any(|entry| order_of(entry).is_some_and(|(id, _)| id == order))
    }

    /// The first entry that does not continue the chain of its epoch.
    pub fn broken_link(&self, root: impl Fn(&EpochStart) -> Hash32) -> Option<(u32, u64)> {
        self.epochs.iter().find_map(|(epoch, (start, _))| {
            let mut head = root(start);
            self.entries
                .range((*epoch, 0)..=(*epoch, u64::MAX))
                .zip(1..)
                .find_map(|((place, entry), expected)| {
                    head = link(&head, entry.seq, &entry.bytes);
                    (entry.seq != expected || entry.hash != head).then_some(*place)
                })
        })
    }

    /// The hashes of all entries.
    pub fn hashes(&self) -> impl Iterator<Item = Hash32> {
        self.entries.values().map(|entry| entry.hash)
    }
}

/// The order in an entry, and the digest of its content.
pub(crate) fn order_of(entry: &StoredEntry) -> Option<(OrderId, Hash32)> {
    match Entry::read(&entry.bytes).ok()?.1 {
        Content::Order(order) => Some((order.order.id, order.content)),
        _ => None,
    }
}

/// A disk in a device.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    pub image: Image,
    pub pending: VecDeque<(Ticket, Vec<Write>)>,
    /// Transactions are done one after the other.
    pub busy_until_ms: u64,
    pub full: bool,
    /// The next transaction fails, for sure or maybe.
    pub error_armed: bool,
    pub unknown_armed: bool,
    /// The device dies in the middle of the next write that has an entry; true when its power goes.
    pub cut_armed: Option<bool>,
}

impl Disk {
    /// Takes the transaction that is done next. They are done in their order.
    pub fn next(&mut self, ticket: Ticket) -> Option<Vec<Write>> {
        let place = self.pending.iter().position(|(pending, _)| *pending == ticket)?;
        self.pending.remove(place).map(|(_, writes)| writes)
    }

    /// The process or the power is gone: the first so many of the pending transactions are on the disk, the rest is not.
    pub fn cut(&mut self, kept: usize) -> Result<Added, Conflict> {
        let mut all = Added::default();
        for (_, writes) in self.pending.drain(..).take(kept).collect::<Vec<_>>() {
            all.entries.extend(self.image.apply(&writes)?.entries);
        }
        self.pending.clear();
        Ok(all)
    }
}
