//! What is on its way to the disk, and what follows when it is there.
//!
//! At most one transaction with journal entries is on its way at a time, so that one that fails leaves no hole behind it. What can
//! wait (heads, watermarks, small things) rides with the next transaction or goes by itself after a moment.

use std::collections::BTreeMap;

use shared_protocol::chain::EpochStart;
use shared_protocol::entry::IntentOutcome;
use shared_protocol::stream::Stream;

use crate::book::Booked;
use crate::handover::Received;
use crate::output::{MetaKey, Output, StoredEntry, Ticket, Write};
use crate::practice::Practised;
use crate::purse::PurseJob;
use crate::registration::Identity;
use crate::session::{CommandThen, Waiting};
use crate::step::Step;

/// How long what can wait waits for company.
const LAZY_MS: u64 = 1_000;
/// How long a disk that failed is left alone.
const RETRY_MS: u64 = 2_000;

/// What follows when a transaction is durable.
#[derive(Debug, Clone)]
pub(crate) enum Then {
    Nothing,
    Booked(Box<Booked>),
    Command(Waiting),
    Epoch(EpochStart),
    Registered(Box<Identity>, EpochStart),
    Stream(Stream),
    /// A chip is about to be written.
    Intent(PurseJob),
    /// What became of an intent.
    Outcome(IntentOutcome),
    /// Another terminal's copy.
    Received(Box<Received>),
    /// What was practised.
    Practised(Box<Practised>),
}

#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    lazy: Vec<Write>,
    pub entries: Vec<StoredEntry>,
    pub then: Then,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Store {
    next: u64,
    in_flight: BTreeMap<Ticket, InFlight>,
    lazy: Vec<Write>,
    lazy_due_ms: Option<u64>,
    paused_until_ms: u64,
    /// A transaction that changes the journal is on its way.
    journal_ticket: Option<Ticket>,
}

/// Whether a later write makes an earlier one needless.
fn supersedes(later: &Write, earlier: &Write) -> bool {
    match (later, earlier) {
        (Write::Acked { epoch: later, .. }, Write::Acked { epoch: earlier, .. }) => later == earlier,
        (Write::Meta { key: later, .. }, Write::Meta { key: earlier, .. }) => later == earlier,
        _ => false,
    }
}

impl Store {
    /// Whether entries may be written now.
    pub fn journal_is_free(&self, now_ms: u64) -> bool {
        self.journal_ticket.is_none() && now_ms >= self.paused_until_ms
    }

    /// Whether no change of the journal is on its way. An order of a cashier is tried even when the disk has just failed.
    pub fn journal_is_idle(&self) -> bool {
        self.journal_ticket.is_none()
    }

    /// Writes now, with everything that waited.
    pub fn persist(&mut self, step: &mut Step<'_>, entries: Vec<StoredEntry>, more: Vec<Write>, then: Then) {
        let ticket = Ticket(self.next);
        self.next += 1;
        let lazy = std::mem::take(&mut self.lazy);
        self.lazy_due_ms = None;
        let mut writes = lazy.clone();
        writes.extend(entries.iter().cloned().map(Write::Entry));
        writes.extend(more);
        if !entries.is_empty() || matches!(then, Then::Epoch(_) | Then::Registered(..)) {
            assert!(self.journal_ticket.is_none(), "one change of the journal at a time");
            self.journal_ticket = Some(ticket);
        }
        self.in_flight.insert(ticket, InFlight { lazy, entries, then });
        step.out.push(Output::Persist { ticket, writes });
    }

    /// Writes when there is company, or after a moment.
    pub fn later(&mut self, write: Write, now_ms: u64) {
        self.lazy.retain(|earlier| !supersedes(&write, earlier));
        self.lazy.push(write);
        self.lazy_due_ms
            .get_or_insert(now_ms.saturating_add(LAZY_MS).max(self.paused_until_ms));
    }

    pub fn flush_if_due(&mut self, step: &mut Step<'_>) {
        if self.lazy_due_ms.is_some_and(|due| step.now.mono_ms >= due) {
            self.persist(step, Vec::new(), Vec::new(), Then::Nothing);
        }
    }

    pub fn flush(&mut self, step: &mut Step<'_>) {
        if !self.lazy.is_empty() {
            self.persist(step, Vec::new(), Vec::new(), Then::Nothing);
        }
    }

    pub fn due_ms(&self) -> Option<u64> {
        self.lazy_due_ms
    }

    /// When a disk that failed is tried again.
    pub fn retry_ms(&self, now_ms: u64) -> Option<u64> {
        (self.paused_until_ms > now_ms).then_some(self.paused_until_ms)
    }

    pub fn commands_in_flight(&self) -> impl Iterator<Item = CommandThen> {
        self.in_flight.values().filter_map(|write| match &write.then {
            Then::Command(waiting) => Some(waiting.then),
            _ => None,
        })
    }

    pub fn persisted(&mut self, ticket: Ticket) -> Option<InFlight> {
        self.journal_ticket = self.journal_ticket.filter(|busy| *busy != ticket);
        self.in_flight.remove(&ticket)
    }

    /// What failed. What could wait waits again, unless there is something newer; a cart is written as it is by then.
    pub fn failed(&mut self, ticket: Ticket, now_ms: u64) -> Option<InFlight> {
        let failed = self.persisted(ticket)?;
        self.paused_until_ms = now_ms.saturating_add(RETRY_MS);
        let newer = std::mem::take(&mut self.lazy);
        let is_cart = |write: &Write| matches!(write, Write::Meta { key: MetaKey::Cart, .. });
        let still = |write: &&Write| !is_cart(write) && !newer.iter().any(|later| supersedes(later, write));
        self.lazy = failed.lazy.iter().filter(still).cloned().collect();
        self.lazy.extend(newer);
        self.lazy_due_ms = (!self.lazy.is_empty()).then_some(self.paused_until_ms);
        Some(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Now;

    fn meta(key: MetaKey, value: u8) -> Write {
        Write::Meta {
            key,
            value: Some(vec![value]),
        }
    }

    fn writes(step: &Step<'_>) -> Vec<Write> {
        match step.out.last() {
            Some(Output::Persist { writes, .. }) => writes.clone(),
            other => panic!("nothing is written but {other:?}"),
        }
    }

    #[test]
    fn what_can_wait_rides_with_the_next_transaction_in_its_newest_form() {
        let now = Now {
            mono_ms: 0,
            wall_ms: 0,
            entropy: [0; 32],
        };
        let mut store = Store::default();
        let mut step = Step::new(&now);
        store.later(meta(MetaKey::Clock, 1), 0);
        store.later(Write::Acked { epoch: 1, seq: 5 }, 0);
        store.later(meta(MetaKey::Clock, 2), 0);
        store.flush_if_due(&mut step);
        assert!(step.out.is_empty());
        store.persist(&mut step, Vec::new(), vec![meta(MetaKey::Cart, 9)], Then::Nothing);
        assert_eq!(
            writes(&step),
            [
                Write::Acked { epoch: 1, seq: 5 },
                meta(MetaKey::Clock, 2),
                meta(MetaKey::Cart, 9)
            ]
        );
        assert_eq!(store.due_ms(), None);
    }

    #[test]
    fn what_waited_in_a_failed_transaction_waits_again_unless_there_is_newer() {
        let now = Now {
            mono_ms: 5_000,
            wall_ms: 0,
            entropy: [0; 32],
        };
        let mut store = Store::default();
        let mut step = Step::new(&now);
        store.later(meta(MetaKey::Clock, 1), 0);
        store.later(Write::Acked { epoch: 1, seq: 5 }, 0);
        store.later(meta(MetaKey::Cart, 1), 0);
        store.flush_if_due(&mut step);
        store.later(Write::Acked { epoch: 1, seq: 6 }, 5_000);
        assert!(store.failed(Ticket(0), 5_000).is_some());
        assert!(!store.journal_is_free(5_001));
        assert_eq!(store.lazy, [meta(MetaKey::Clock, 1), Write::Acked { epoch: 1, seq: 6 }]);
        assert_eq!(store.due_ms(), Some(7_000));
    }
}
