//! What journal rows add to the sums that are kept behind a cursor. The same for every engine.
//!
//! What must never happen here: a sum that a decision needs. Those are balances, and a commit writes them.

use std::collections::BTreeMap;

use ledger::Record;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::order::Order;
use shared_protocol::{EventId, Overflow};

use crate::office::{CLOSED_AT_MS_MAX, HOUR_MS};
use crate::{EntryRow, HourKey, OrderRow, StoreError};

/// An order that was booked, as reports read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookedOrder {
    /// The journal row that booked it.
    pub no: u64,
    /// The event day as `yyyymmdd`.
    pub day: Option<u32>,
    /// The order as it came.
    pub order: Order,
    /// Sum of its lines in cents.
    pub total: i128,
}

impl BookedOrder {
    /// As lists show it; nothing is known of its signing here.
    pub fn row(&self) -> OrderRow {
        let order = &self.order;
        OrderRow {
            no: self.no,
            kind: order.kind,
            till: order.till,
            cashier: order.cashier,
            taxpayer: order.taxpayer,
            holder: order.holder,
            day: self.day,
            closed_at_ms: order.closed_at_ms.min(CLOSED_AT_MS_MAX),
            total: self.total,
            signing: None,
        }
    }

    fn hour(&self) -> HourKey {
        let row = self.row();
        HourKey {
            event: self.order.event,
            hour_ms: row.closed_at_ms - row.closed_at_ms % HOUR_MS,
            till: row.till,
            kind: row.kind,
            cashier: row.cashier,
            day: row.day,
        }
    }
}

/// Orders that have something in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turnover {
    /// How many.
    pub orders: u64,
    /// Sum of their lines in cents.
    pub total: i128,
    /// The journal number of the first of them; zero when there is none.
    pub first_no: u64,
    /// The journal number of the last of them.
    pub last_no: u64,
}

impl Turnover {
    fn add(&mut self, booked: &BookedOrder) -> Result<(), Overflow> {
        if self.orders == 0 {
            self.first_no = booked.no;
        }
        self.orders += 1;
        self.last_no = booked.no;
        self.total = self.total.checked_add(booked.total).ok_or(Overflow)?;
        Ok(())
    }
}

/// What a run of rows adds up to.
#[derive(Debug, Clone, Default)]
pub struct Projection {
    /// Changes of balances.
    pub totals: ledger::Totals,
    /// Turnover by event, till and order kind code.
    pub turnovers: BTreeMap<(EventId, u32, u8), Turnover>,
    /// The same by hour, cashier and event day as well.
    pub hours: BTreeMap<HourKey, Turnover>,
    /// The orders, in the order of the journal.
    pub orders: Vec<BookedOrder>,
}

impl Projection {
    /// Adds one row.
    pub fn add(&mut self, record: &Record, entry: Option<&EntryRow>) -> Result<(), StoreError> {
        let too_large =
            |Overflow| StoreError::Damaged(format!("the sums up to journal number {} leave 128 bits", record.no));
        self.totals.add(record).map_err(too_large)?;
        let Some(booked) = entry.and_then(|entry| booked_order(record, entry)) else {
            return Ok(());
        };
        let key = (booked.order.event, booked.order.till.0, booked.order.kind.code());
        for sums in [
            self.turnovers.entry(key).or_default(),
            self.hours.entry(booked.hour()).or_default(),
        ] {
            sums.add(&booked).map_err(too_large)?;
        }
        self.orders.push(booked);
        Ok(())
    }
}

/// The order that this row booked; none for one that was only kept, and for what the server booked by itself.
fn booked_order(record: &Record, entry: &EntryRow) -> Option<BookedOrder> {
    let posting = record.posting.as_ref()?;
    let (_, Content::Order(read)) = Entry::read(&entry.raw).ok()? else {
        return None;
    };
    let order = read.order;
    // No product leaves 2^94 and an order has at most 100 lines.
    let total = order
        .lines
        .iter()
        .map(|line| i128::from(line.unit_price.0) * i128::from(line.quantity))
        .sum();
    (order.id == posting.id.0).then_some(BookedOrder {
        no: record.no,
        day: entry.day,
        order,
        total,
    })
}
