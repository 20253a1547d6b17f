//! Orders as a signer needs them, read from the books: the order, what it takes the place of, what it was priced with, and when it was made.

use std::collections::BTreeMap;
use std::sync::Arc;

use festival::booking::posting_id;
use festival::day::corrected;
use shared_protocol::config::Config;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::order::{Order, OrderKind};
use shared_protocol::stream::{Stream, Version};
use shared_protocol::{EventId, OrderId};
use store::{EntryStatus, JournalRow, Reader, StoreError};

use crate::signer::Job;

/// Configurations that are remembered.
const CONFIGS_MAX: usize = 64;

/// Reads orders of an event; remembers the configurations they name.
#[derive(Debug)]
pub struct Jobs {
    event: EventId,
    newest: Arc<Config>,
    configs: BTreeMap<Version, Option<Arc<Config>>>,
}

impl Jobs {
    /// Reads the newest configuration, which an event always has.
    pub fn new(reader: &mut dyn Reader, event: EventId) -> Result<Self, StoreError> {
        Ok(Self {
            event,
            newest: newest(reader, event)?,
            configs: BTreeMap::new(),
        })
    }

    /// Reads the newest configuration again.
    pub fn refresh(&mut self, reader: &mut dyn Reader) -> Result<(), StoreError> {
        self.newest = newest(reader, self.event)?;
        Ok(())
    }

    /// The newest configuration when it was last read.
    pub fn newest(&self) -> &Config {
        &self.newest
    }

    /// The configuration of a version; none where it is not known or cannot be read.
    pub fn config(&mut self, reader: &mut dyn Reader, version: Version) -> Result<Option<Arc<Config>>, StoreError> {
        if let Some(known) = self.configs.get(&version) {
            return Ok(known.clone());
        }
        let copy = reader.stream(self.event, Stream::Config, Some(version))?;
        let config = copy.and_then(|copy| Config::read(&copy).ok()).map(Arc::new);
        if self.configs.len() >= CONFIGS_MAX {
            self.configs.pop_first();
        }
        self.configs.insert(version, config.clone());
        Ok(config)
    }

    /// The order of a journal row, if it booked one.
    pub fn of(&mut self, reader: &mut dyn Reader, row: &JournalRow) -> Result<Option<Job>, StoreError> {
        let Some((entry, order)) = booked_order(row) else {
            return Ok(None);
        };
        let replaced = match order.reverses.filter(|_| order.kind == OrderKind::Correction) {
            Some(before) => by_id(reader, before)?,
            None => None,
        };
        let config = self.config(reader, order.config)?;
        Ok(Some(Job {
            no: row.record.no,
            replaced,
            config: config.unwrap_or_else(|| Arc::clone(&self.newest)),
            sold_at_ms: entry.offset_ms.map(|_| corrected(&entry).at_ms),
            booked_at_ms: row.record.booked_at_ms,
            order,
        }))
    }
}

fn newest(reader: &mut dyn Reader, event: EventId) -> Result<Arc<Config>, StoreError> {
    let copy = reader.stream(event, Stream::Config, None)?;
    let config = copy.and_then(|copy| Config::read(&copy).ok());
    config
        .map(Arc::new)
        .ok_or_else(|| StoreError::Damaged("the event has no configuration that can be read".to_owned()))
}

fn by_id(reader: &mut dyn Reader, id: OrderId) -> Result<Option<Order>, StoreError> {
    let Some(no) = reader.posting_no(posting_id(id))? else {
        return Ok(None);
    };
    let row = reader.journal(no, 1)?.pop();
    Ok(row.as_ref().and_then(booked_order).map(|(_, order)| order))
}

/// The order that a journal row booked, with its entry.
pub fn booked_order(row: &JournalRow) -> Option<(Entry, Order)> {
    let posting = row.record.posting.as_ref()?;
    let stored = row.entry.as_ref()?;
    if !matches!(stored.status, EntryStatus::Booked | EntryStatus::Flagged) {
        return None;
    }
    match Entry::read(&stored.raw) {
        Ok((entry, Content::Order(read))) if posting_id(read.order.id) == posting.id => Some((entry, read.order)),
        _ => None,
    }
}
