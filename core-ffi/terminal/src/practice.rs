//! What somebody practised on a till beside this one, told to a TSE where the event wants it: bookings of training are secured like others (AEAO to
//! § 146a, no. 1.10, by what others say of it). It is an order of its own kind, booked as nothing: the cashier sees nothing of it here, and it is in no
//! list and no sum of this till.

use std::collections::VecDeque;

use shared_protocol::encode;
use shared_protocol::entry::EntryKind;
use shared_protocol::order::{Order, OrderKind, Tender};

use crate::Terminal;
use crate::step::Step;
use crate::store::Then;

/// What waits for the disk. Nobody practises faster; more only pile up when it has failed for long, and then the oldest is dropped.
const WAITING_MAX: usize = 64;

/// Practised orders that wait for their turn.
pub(crate) type Practised = VecDeque<Order>;

/// A practised order as what it was: lines and payments, and nothing that was permitted, taken back or done to a wristband. None for what is no booking
/// of goods or money.
fn record(practised: Order) -> Option<Order> {
    let tender = |tender: Tender| Tender {
        tag: tender.tag,
        voucher: tender.voucher,
        foreign: tender.foreign,
        ..Tender::plain(tender.kind, tender.amount)
    };
    let order = Order {
        kind: OrderKind::Training,
        tenders: practised.tenders.into_iter().map(tender).collect(),
        reverses: None,
        reason: None,
        group: None,
        purse: None,
        band: None,
        shift: None,
        ..practised
    };
    (!order.lines.is_empty() && order.check().is_ok()).then_some(order)
}

impl Terminal {
    /// An order was practised, at a till with the prices and the number of this one.
    pub(crate) fn practised(&mut self, order: Order) {
        let till = self.till().filter(|till| *till == order.till && !self.training);
        let config = self.config.as_deref();
        let books = config.zip(till).and_then(|(config, till)| config.tills.get(&till));
        if !books.is_some_and(|till| till.order_kinds.contains(&OrderKind::Training)) {
            return;
        }
        self.practised.extend(record(order));
        if self.practised.len() > WAITING_MAX {
            self.practised.pop_front();
        }
    }

    /// Writes what was practised, when the journal is free.
    pub(crate) fn write_practised(&mut self, step: &mut Step<'_>) {
        let Some(chain) = self.journal.last().filter(|_| !self.practised.is_empty()) else {
            return;
        };
        let bodies = self
            .practised
            .iter()
            .map(|order| self.entry(step, EntryKind::Order, encode(order)));
        let entries = chain.follow_all(bodies.collect());
        let orders = std::mem::take(&mut self.practised);
        self.store
            .persist(step, entries, Vec::new(), Then::Practised(Box::new(orders)));
    }

    /// The disk did not take it; it waits for the disk.
    pub(crate) fn practised_failed(&mut self, orders: Practised) {
        let since = std::mem::replace(&mut self.practised, orders);
        self.practised.extend(since);
    }
}
