//! Orders as a signer needs them, read from the books: the order, what it takes the place of, what it was priced with, and when it was made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use festival::booking::posting_id;
use festival::day::corrected;
use shared_protocol::config::Config;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::order::{Order, OrderKind};
use shared_protocol::stream::{Stream, Version};
use shared_protocol::{EventId, OrderId};
use store::{EntryStatus, JournalRow, Reader, SigningRow, StoreError};

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

    /// Journal rows from a number on, at most so many, each with its order where it booked one that has not come off. After a restart, some may have
    /// come off that others wait before.
    pub fn page(
        &mut self,
        reader: &mut dyn Reader,
        from_no: u64,
        rows_max: u64,
    ) -> Result<Vec<(u64, Option<Job>)>, StoreError> {
        let rows = reader.journal(from_no, rows_max)?;
        let Some(last) = rows.last() else { return Ok(Vec::new()) };
        let came_off = reader.signings_between(from_no, last.record.no)?;
        let came_off: BTreeSet<u64> = came_off.into_iter().map(|row| row.no).collect();
        let mut page = Vec::with_capacity(rows.len());
        for row in &rows {
            let no = row.record.no;
            let job = if came_off.contains(&no) {
                None
            } else {
                self.of(reader, row)?
            };
            page.push((no, job));
        }
        Ok(page)
    }

    /// Orders that were marked as unsigned, from a journal number on, at most so many, with how they came off; and the number to go on from, which is
    /// zero after the last of them.
    pub fn marked(
        &mut self,
        reader: &mut dyn Reader,
        from_no: u64,
        rows_max: u64,
    ) -> Result<(Vec<(SigningRow, Job)>, u64), StoreError> {
        let marked = reader.unsigned(from_no, rows_max)?;
        let next = marked.last().map_or(0, |row| row.no + 1);
        let mut found = Vec::with_capacity(marked.len());
        for signing in marked {
            let row = reader.journal(signing.no, 1)?.pop();
            let job = row.map(|row| self.of(reader, &row)).transpose()?;
            found.extend(job.flatten().map(|job| (signing, job)));
        }
        Ok((found, next))
    }

    /// The order of a journal row, if it booked one that a TSE is told of.
    pub fn of(&mut self, reader: &mut dyn Reader, row: &JournalRow) -> Result<Option<Job>, StoreError> {
        let Some((entry, order)) = recorded_order(row) else {
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

/// The order that a journal row booked and that a TSE is told of, with its entry. A wristband that is swapped or blocked is no business case: nothing
/// is sold, paid in, paid out or given up, and what the guest has stays what it was.
pub fn recorded_order(row: &JournalRow) -> Option<(Entry, Order)> {
    booked_order(row).filter(|(_, order)| !order.kind.is_of_band())
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

#[cfg(test)]
mod tests {
    use fixtures::paper::PaperTill;
    use ledger::{Limits, Posting, Record};
    use shared_protocol::crypto::Hash32;
    use store::{ChainKey, EntryRow, TerminalNo};

    use super::*;

    fn row(till: &mut PaperTill, order: &Order) -> JournalRow {
        till.append(order);
        let (raw, hash) = till.entries.last().cloned().expect("an entry");
        let posting = Posting {
            id: posting_id(order.id),
            content: Hash32::ZERO,
            event: order.event,
            transfers: Vec::new(),
            captures: Vec::new(),
            reverses: None,
            limits: Limits::Fact,
            mirrored: None,
        };
        JournalRow {
            record: Record {
                no: 1,
                booked_at_ms: 0,
                origin: Some(hash),
                posting: Some(posting),
            },
            hash: Hash32::ZERO,
            entry: Some(EntryRow {
                chain: ChainKey {
                    terminal: TerminalNo(1),
                    epoch: 1,
                    branch: 0,
                },
                seq: 1,
                hash,
                status: EntryStatus::Booked,
                order: Some(order.id),
                day: None,
                raw,
                signature: None,
            }),
        }
    }

    #[test]
    fn no_tse_is_told_of_a_wristband_that_is_swapped_or_blocked() {
        let mut till = PaperTill::that_books(&[OrderKind::Swap, OrderKind::TopUp], 1);
        let paid_in = fixtures::wire::order(OrderKind::TopUp);
        assert!(recorded_order(&row(&mut till, &paid_in)).is_some());
        for order in [fixtures::wire::swapped(), fixtures::wire::blocked()] {
            let row = row(&mut till, &order);
            assert_eq!(booked_order(&row).map(|(_, order)| order), Some(order));
            assert_eq!(recorded_order(&row), None);
        }
    }
}
