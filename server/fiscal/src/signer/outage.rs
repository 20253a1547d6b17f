//! When something is out of order, since when, and what that does to the orders of the time.

use std::collections::VecDeque;

use store::{OutageRow, SigningRow, SigningState, TseNo};

use super::board::Cause;
use super::unit::{Doing, Doubt, Sale, Work};
use super::{Ask, FAILOVER_AFTER_MS, PROBE_EVERY_MS, PROBE_MAX_MS, Signer};
use crate::tse::TseError;

/// Whether a TSE will not come back without somebody's help, so that its tills need not wait for it.
const fn is_lasting(error: &TseError) -> bool {
    matches!(
        error,
        TseError::CertificateExpired | TseError::Storage | TseError::Disabled | TseError::AccessDenied(_)
    )
}

impl Signer {
    /// A TSE is out of order. What it was asked is undone or in doubt.
    pub(super) fn fails(&mut self, tse: TseNo, doing: Doing, error: &TseError, now_ms: u64) {
        let tried = matches!(doing.work, Work::Ready | Work::Match | Work::Survey);
        self.begins_outage(tse, error, now_ms);
        if let Some(unit) = self.units.get_mut(&tse).filter(|_| tried) {
            unit.pause_ms = unit.pause_ms.saturating_mul(2).min(PROBE_MAX_MS);
        }
        self.undo(tse, doing);
    }

    pub(super) fn begins_outage(&mut self, tse: TseNo, error: &TseError, now_ms: u64) {
        let Some(unit) = self.units.get_mut(&tse) else {
            return;
        };
        unit.ready = false;
        unit.broken = is_lasting(error);
        unit.cause = Some(Cause::of(error));
        unit.probe_at_ms = now_ms.saturating_add(unit.pause_ms);
        unit.begins.clear();
        unit.beginning.clear();
        if unit.outage.is_none() {
            let row = OutageRow {
                id: self.next_outage,
                tse: Some(tse),
                client: None,
                from_ms: now_ms,
                until_ms: None,
                reason: error.to_string(),
            };
            self.next_outage += 1;
            self.out.outages.push(row.clone());
            unit.outage = Some(row);
        }
    }

    pub(super) fn ends_outage(&mut self, tse: TseNo, now_ms: u64) {
        let Some(unit) = self.units.get_mut(&tse) else {
            return;
        };
        (unit.ready, unit.broken, unit.pause_ms) = (true, false, PROBE_EVERY_MS);
        (unit.ready_at_ms, unit.cause) = (now_ms, None);
        if let Some(row) = unit.outage.take() {
            self.out.outages.push(OutageRow {
                until_ms: Some(now_ms.max(row.from_ms)),
                ..row
            });
        }
    }

    /// What a TSE was asked did not happen, or nobody knows whether it did.
    pub(super) fn undo(&mut self, tse: TseNo, doing: Doing) {
        match doing.work {
            // Whether it was signed shows when the TSE is back; to the guest it is not.
            Work::Sale(sale) if matches!(doing.ask, Ask::Finish { .. } | Ask::Ended { .. }) => {
                let lasting = self
                    .units
                    .get(&tse)
                    .and_then(|unit| unit.outage.as_ref())
                    .map(|row| row.id);
                let outage = sale.outage.or(lasting);
                self.in_doubt(&sale, tse, outage);
            }
            Work::Sale(sale) => {
                if let Some(unit) = self.units.get_mut(&tse) {
                    unit.sales.push_front(sale);
                }
            }
            Work::Leave { client } => {
                if let Some(unit) = self.units.get_mut(&tse) {
                    unit.chores.push_back(Work::Leave { client });
                }
            }
            // What is open is found when the TSE is back; a start is made up when the cart is paid.
            Work::Begin { .. } | Work::GiveUp { .. } | Work::Look { .. } | Work::Ready | Work::Match | Work::Survey => {
            }
        }
    }

    /// What waits for a TSE that is out of order: it goes to another one, or is marked. An outage of a moment is waited for where another TSE could
    /// take over, so that tills do not move for nothing.
    pub(super) fn clear_queue(&mut self, tse: TseNo, now_ms: u64) {
        let Some(unit) = self.units.get(&tse) else {
            return;
        };
        let Some(outage) = unit.outage.as_ref().filter(|_| !unit.sales.is_empty()) else {
            return;
        };
        let (id, due) = (outage.id, self.is_due(tse, now_ms));
        let matched = self.is_matched(unit.taxpayer, now_ms);
        if !due && self.spare(unit.taxpayer, tse).is_some() {
            return;
        }
        let Some(unit) = self.units.get_mut(&tse) else {
            return;
        };
        let mut waits = VecDeque::new();
        for sale in std::mem::take(&mut unit.sales) {
            if sale.comes_late.is_some() && !matched {
                waits.push_back(sale);
                continue;
            }
            let begun = self.open.contains_key(&(sale.cart, tse));
            let other = self
                .home(sale.taxpayer, &sale.client, now_ms)
                .filter(|other| *other != tse);
            match other {
                // A late one is read again.
                _ if sale.marked => {
                    self.late.remove(&sale.no);
                }
                Some(other) if !begun => self.enqueue(other, *sale),
                _ if !begun && self.claims(&sale, true) => {}
                // What has begun here ends here: a till moves between transactions. It may even have ended, when this server did not yet run.
                _ if begun => self.in_doubt(&sale, tse, sale.outage.or(Some(id))),
                _ => self.marked(&sale, tse, sale.outage.unwrap_or(id)),
            }
        }
        if let Some(unit) = self.units.get_mut(&tse) {
            unit.sales.append(&mut waits);
        }
    }

    /// Whether the tills of a TSE may leave it.
    pub(super) fn is_due(&self, tse: TseNo, now_ms: u64) -> bool {
        self.units.get(&tse).is_some_and(|unit| {
            let since = unit.outage.as_ref().map(|row| row.from_ms);
            since.is_some_and(|since| {
                unit.broken || unit.retired.is_some() || now_ms.saturating_sub(since) >= FAILOVER_AFTER_MS
            })
        })
    }

    /// An order is marked, though its transaction may have ended; that shows when the TSE is back.
    pub(super) fn in_doubt(&mut self, sale: &Sale, tse: TseNo, outage: Option<u64>) {
        let doubt = self.open.get(&(sale.cart, tse)).map(|row| row.transaction);
        self.comes_off(sale.no, tse, None, outage, doubt);
        self.doubtful.insert((sale.cart, tse), Doubt { no: sale.no, outage });
    }

    /// An order is marked as made in an outage.
    pub(super) fn marked(&mut self, sale: &Sale, tse: TseNo, outage: u64) {
        if sale.marked {
            self.late.remove(&sale.no);
        } else {
            self.came_off(sale.no, tse, None, Some(outage));
        }
    }

    pub(super) fn came_off(&mut self, no: u64, tse: TseNo, transaction: Option<u64>, outage: Option<u64>) {
        self.comes_off(no, tse, transaction, outage, None);
    }

    fn comes_off(&mut self, no: u64, tse: TseNo, transaction: Option<u64>, outage: Option<u64>, doubt: Option<u64>) {
        self.pending.remove(&no);
        self.late.remove(&no);
        let state = match (transaction, outage) {
            (Some(_), None) => SigningState::Signed,
            (Some(_), Some(_)) => SigningState::SignedLate,
            (None, _) => SigningState::InOutage,
        };
        self.out.orders.push(SigningRow {
            no,
            state,
            tse,
            transaction,
            outage,
            doubt,
        });
    }

    /// The outage of a till that could not reach its TSE when it sold something.
    pub(super) fn outage_of_till(&mut self, sale: &Sale) -> u64 {
        let reason = "the till could not reach the TSE";
        self.outage_of(&sale.client, sale.sold_at_ms, sale.booked_at_ms, reason)
    }

    /// The outage of a till: the one before goes on where they meet.
    pub(super) fn outage_of(&mut self, client: &str, from_ms: u64, until_ms: u64, reason: &str) -> u64 {
        let before = self.tills.get(client).filter(|row| {
            row.reason == reason && row.until_ms.is_some_and(|until| from_ms <= until) && row.from_ms <= until_ms
        });
        let row = if let Some(row) = before {
            OutageRow {
                from_ms: row.from_ms.min(from_ms),
                until_ms: row.until_ms.max(Some(until_ms)),
                ..row.clone()
            }
        } else {
            self.next_outage += 1;
            OutageRow {
                id: self.next_outage - 1,
                tse: None,
                client: Some(client.to_owned()),
                from_ms,
                until_ms: Some(until_ms),
                reason: reason.to_owned(),
            }
        };
        if before != Some(&row) {
            self.out.outages.push(row.clone());
        }
        let id = row.id;
        self.tills.insert(client.to_owned(), row);
        id
    }
}
