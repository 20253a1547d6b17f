//! A disk as the queue is, with the checks the queue makes.

use std::collections::BTreeMap;

use shared_protocol::chain::{EpochStart, SignedHead, link};
use shared_protocol::crypto::Hash32;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::order::Order;
use shared_protocol::stream::{Copy, Stream};

use super::TERMINAL;
use crate::{MetaKey, Restored, StoredEntry, Write};

/// A disk as the queue would write it, with the checks the queue makes.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    pub metas: BTreeMap<MetaKey, Vec<u8>>,
    pub epochs: BTreeMap<u32, (EpochStart, u64)>,
    pub entries: BTreeMap<(u32, u64), StoredEntry>,
    pub heads: BTreeMap<(u32, u64), SignedHead>,
    pub streams: BTreeMap<u8, (Stream, Copy)>,
}

impl Disk {
    pub fn last(&self, epoch: u32) -> (u64, Hash32) {
        let root = self.epochs[&epoch].0.root(TERMINAL);
        self.entries
            .range((epoch, 0)..=(epoch, u64::MAX))
            .next_back()
            .map_or((0, root), |(_, entry)| (entry.seq, entry.hash))
    }

    pub fn write(&mut self, write: Write) {
        match write {
            Write::Epoch(start) => drop(self.epochs.insert(start.epoch, (start, 0))),
            Write::Entry(entry) => {
                assert_eq!(
                    Some(&entry.epoch),
                    self.epochs.keys().next_back(),
                    "entries are written in the newest epoch"
                );
                let (seq, head) = self.last(entry.epoch);
                assert_eq!(
                    (entry.seq, entry.hash),
                    (seq + 1, link(&head, entry.seq, &entry.bytes)),
                    "the chain has no hole"
                );
                self.entries.insert((entry.epoch, entry.seq), entry);
            }
            Write::Head(head) => {
                assert_eq!(self.entries[&(head.epoch, head.seq)].hash, head.hash);
                self.heads.insert((head.epoch, head.seq), head);
            }
            Write::Acked { epoch, seq } => self.epochs.get_mut(&epoch).unwrap().1 = seq,
            Write::Stream {
                stream,
                version,
                snapshot,
                changes,
            } => {
                let (_, copy) = self.streams.entry(stream.code()).or_insert((stream, Copy::default()));
                if snapshot {
                    copy.items.clear();
                }
                for change in changes {
                    match change.value {
                        Some(value) => copy.items.insert(change.key.0, value.0),
                        None => copy.items.remove(&change.key.0),
                    };
                }
                copy.version = version;
            }
            Write::Meta {
                key,
                value: Some(value),
            } => drop(self.metas.insert(key, value)),
            Write::Meta { key, value: None } => drop(self.metas.remove(&key)),
        }
    }

    pub fn restored(&self) -> Restored {
        let mut restored = Restored::empty();
        self.metas
            .iter()
            .for_each(|(key, value)| restored.meta(*key, value.clone()));
        self.streams
            .values()
            .for_each(|(stream, copy)| restored.stream(*stream, copy.clone()));
        for (epoch, (start, acked)) in &self.epochs {
            restored.epoch(*start, *acked);
            let from = Restored::reads_from(self.last(*epoch).0, *acked);
            for entry in self
                .entries
                .range((*epoch, from)..=(*epoch, u64::MAX))
                .map(|(_, entry)| entry)
            {
                restored.entry(entry.clone()).unwrap();
            }
        }
        self.heads.values().for_each(|head| restored.head(head.clone()));
        restored
    }

    pub fn orders(&self) -> Vec<Order> {
        let read = |entry: &StoredEntry| match Entry::read(&entry.bytes).unwrap().1 {
            Content::Order(order) => Some(order.order),
            _ => None,
        };
        self.entries.values().filter_map(read).collect()
    }
}
