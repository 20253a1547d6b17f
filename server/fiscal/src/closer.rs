//! What is due to be closed: looks at the books for what came off, is in no closing, and is of a day that is over.
//!
//! Which closings that makes is decided in [`closing`](crate::closing); whoever asks keeps them, one after the other, and asks again later. A moment is
//! an argument, so that a server's thread, a simulated festival and a test close days by the same rule.

use std::collections::{BTreeMap, BTreeSet};

use festival::day::{EventDay, event_day};
use shared_protocol::{EventId, TaxpayerId, TillId};
use store::{ClosedItem, Closing, Reader, StoreError, TransactionRow, TseNo};

use crate::closing::{Unclosed, close};
use crate::jobs::{Jobs, booked_order};
use crate::process_data::Kassenbeleg;
use crate::signer::client_of;

/// A day is closed this long after it ended: tills that come back a little late are in it.
pub const GRACE_MS: u64 = 30 * 60 * 1_000;
/// Journal rows that are read at once.
const PAGE: u64 = 512;
/// Transactions that are looked at in a round.
const GIVEN_UP_MAX: u64 = 65_536;

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Due {
    /// Whether a day ended since it was last looked: the signer has to end what is open ([`Signer::close`](crate::Signer::close)), since nothing may
    /// stay so at a closing.
    pub day_ended: bool,
    /// The closings to keep, in this order; each can be kept by itself.
    pub closings: Vec<Closing>,
}

/// Looks for days that are over.
#[derive(Debug)]
pub struct Closer {
    event: EventId,
    jobs: Jobs,
    /// The last day that may be closed, when it was last looked at everything.
    last_day: Option<u32>,
    /// Up to which journal number everything is known to be of a day that is not over.
    seen_to: u64,
}

impl Closer {
    /// One that has seen nothing yet.
    pub fn new(reader: &mut dyn Reader, event: EventId) -> Result<Self, StoreError> {
        Ok(Self {
            jobs: Jobs::new(reader, event)?,
            event,
            last_day: None,
            seen_to: 0,
        })
    }

    /// What is due at a moment. After an error, and after closings that could not be kept ([`Closer::forget`]), it looks at everything again.
    pub fn due(&mut self, reader: &mut dyn Reader, now_ms: u64) -> Result<Due, StoreError> {
        let due = self.look(reader, now_ms);
        if due.is_err() {
            self.forget();
        }
        due
    }

    /// What was due could not be kept: nothing counts as seen.
    pub const fn forget(&mut self) {
        self.seen_to = 0;
    }

    fn look(&mut self, reader: &mut dyn Reader, now_ms: u64) -> Result<Due, StoreError> {
        self.jobs.refresh(reader)?;
        let over_at = now_ms.saturating_sub(GRACE_MS);
        let Some(EventDay(today)) = event_day(&self.jobs.newest().event, over_at) else {
            return Ok(Due::default());
        };
        // Days are compared as numbers: the day before the first of a month need not be one.
        let last_day = today.saturating_sub(1);
        let mut day_ended = false;
        if self.last_day != Some(last_day) {
            day_ended = self.last_day.is_some();
            (self.last_day, self.seen_to) = (Some(last_day), 0);
        }
        let mut items = self.orders(reader, last_day)?;
        items.extend(self.given_up(reader)?);
        if items.is_empty() {
            let closings = Vec::new();
            return Ok(Due { day_ended, closings });
        }
        let ends = reader.closing_ends()?;
        let next_id = next_id(reader)?;
        Ok(Due {
            day_ended,
            closings: close(items, &ends, last_day, next_id, now_ms),
        })
    }

    /// Orders of days that are over and in no closing.
    fn orders(&mut self, reader: &mut dyn Reader, last_day: u32) -> Result<Vec<Unclosed>, StoreError> {
        let mut found = Vec::new();
        // What has not come off yet may come off before what has.
        let came_off_to = reader.signed_to()?;
        let mut from_no = self.seen_to + 1;
        loop {
            let numbers = reader.unclosed_orders(from_no, PAGE)?;
            let (Some(first), Some(last)) = (numbers.first().copied(), numbers.last().copied()) else {
                self.seen_to = came_off_to;
                return Ok(found);
            };
            let wanted: BTreeSet<u64> = numbers.into_iter().collect();
            let mut from = first;
            while from <= last {
                let rows = reader.journal(from, PAGE.min(last - from + 1))?;
                let Some(newest) = rows.last() else { break };
                from = newest.record.no + 1;
                for row in rows.iter().filter(|row| wanted.contains(&row.record.no)) {
                    let day = row.entry.as_ref().and_then(|entry| entry.day);
                    let (Some((_, order)), Some(day)) =
                        (booked_order(row), day.or_else(|| self.day(row.record.booked_at_ms)))
                    else {
                        continue;
                    };
                    if day <= last_day {
                        found.push(Unclosed {
                            item: ClosedItem::Order(row.record.no),
                            client: client_of(self.event, order.till),
                            taxpayer: order.taxpayer,
                            till: order.till,
                            day,
                        });
                    }
                }
            }
            from_no = last + 1;
        }
    }

    fn day(&self, at_ms: u64) -> Option<u32> {
        event_day(&self.jobs.newest().event, at_ms).map(|day| day.0)
    }

    /// Carts that were given up.
    fn given_up(&self, reader: &mut dyn Reader) -> Result<Vec<Unclosed>, StoreError> {
        let tses = reader.tses()?.into_iter();
        let taxpayers: BTreeMap<TseNo, TaxpayerId> = tses.map(|row| (row.no, row.taxpayer)).collect();
        let rows = reader.unclosed_given_up(GIVEN_UP_MAX)?;
        let aborted = Kassenbeleg::ABORTED.to_string();
        let unclosed = |row: TransactionRow| {
            // A receipt without an order waits for it: books were put back from a copy, and its till has not come back.
            let end = row.end.as_ref().filter(|end| end.process_data == aborted)?;
            let at_ms = end.time_s.saturating_mul(1_000);
            Some(Unclosed {
                item: ClosedItem::GivenUp(row.tse, row.transaction),
                taxpayer: *taxpayers.get(&row.tse)?,
                till: till_of(&row.client)?,
                client: row.client,
                day: self.day(at_ms)?,
            })
        };
        Ok(rows.into_iter().filter_map(unclosed).collect())
    }
}

fn next_id(reader: &mut dyn Reader) -> Result<u64, StoreError> {
    let mut last = 0;
    loop {
        match reader.closings(last + 1, PAGE)?.last() {
            Some(row) => last = row.id,
            None => return Ok(last + 1),
        }
    }
}

/// The till's number at the end of its serial number.
fn till_of(client: &str) -> Option<TillId> {
    client.rsplit('-').next()?.parse().ok().map(TillId)
}
