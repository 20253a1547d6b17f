//! Transactions that signed an order of which the books know nothing, because they were put back from a copy. The order comes again from its till, and
//! finds its transaction by till, content and time: it is not signed a second time.

use std::collections::{BTreeMap, BTreeSet};

use shared_protocol::TaxpayerId;
use store::{TransactionRow, TseNo};

use super::unit::Sale;
use super::{Ask, FAILOVER_AFTER_MS, Signer, clients_of};
use crate::process_data::Kassenbeleg;
use crate::tse::Logged;

/// A transaction that ended so near to a sale is its own. Clocks of tills are corrected, and the TSE's is set by the server.
const NEAR_S: u64 = 60;

/// What a transaction was about.
type About = (TaxpayerId, String, String);
/// When it began and ended, and which it is.
type Found = (u64, u64, TseNo, u64);

/// Transactions that no order has.
#[derive(Debug, Default)]
pub(super) struct Claims {
    by_content: BTreeMap<About, BTreeSet<Found>>,
    /// Whether some came since marked orders were last gone through.
    pub are_new: bool,
}

impl Claims {
    /// A transaction that ended. One that says that a cart was given up is nobody's.
    pub fn add(&mut self, taxpayer: TaxpayerId, row: &TransactionRow) {
        let Some(end) = row
            .end
            .as_ref()
            .filter(|end| end.process_data != Kassenbeleg::ABORTED.to_string())
        else {
            return;
        };
        let about = (taxpayer, row.client.clone(), end.process_data.clone());
        let found = (row.started_s, end.time_s, row.tse, row.transaction);
        self.are_new |= self.by_content.entry(about).or_default().insert(found);
    }

    /// Whether one of them may have signed a sale.
    pub fn has(&self, sale: &Sale, also_later: bool) -> bool {
        self.of(sale, also_later).is_some()
    }

    /// The transaction that signed a sale: the nearest that ended about when it was made, or else, where that may be, the first that ended later. Among
    /// sales of the same content at the same till, one is as good as the other.
    fn of(&self, sale: &Sale, also_later: bool) -> Option<(About, Found)> {
        if self.by_content.is_empty() {
            return None;
        }
        let about = (sale.taxpayer, sale.client.clone(), sale.told.data.clone());
        let sold_s = sale.sold_at_ms / 1_000;
        let all = self.by_content.get(&about)?;
        let away = |(_, ended, ..): &&Found| ended.abs_diff(sold_s);
        let nearest = all.iter().filter(|found| away(found) <= NEAR_S).min_by_key(away);
        let later = || {
            all.iter()
                .filter(|(_, ended, ..)| also_later && *ended > sold_s)
                .min_by_key(away)
        };
        let found = *nearest.or_else(later)?;
        Some((about, found))
    }

    fn take(&mut self, sale: &Sale, also_later: bool) -> Option<Found> {
        let (about, found) = self.of(sale, also_later)?;
        if let Some(all) = self.by_content.get_mut(&about) {
            all.remove(&found);
            if all.is_empty() {
                self.by_content.remove(&about);
            }
        }
        Some(found)
    }

    /// How many a TSE has.
    pub fn count(&self, tse: TseNo) -> u64 {
        let all = self.by_content.values().flatten();
        all.filter(|(_, _, of, _)| *of == tse).count() as u64
    }
}

impl Signer {
    /// Whether the log of every TSE of a taxpayer was compared with the books, but for those that have been out of order for too long to wait for.
    pub(super) fn is_matched(&self, taxpayer: TaxpayerId, now_ms: u64) -> bool {
        let mut of_taxpayer = self.units.values().filter(|unit| unit.taxpayer == taxpayer);
        // An outage that began before this signer did may be over by now.
        let has_tried = self
            .began_ms
            .is_some_and(|began| now_ms.saturating_sub(began) >= FAILOVER_AFTER_MS);
        of_taxpayer.all(|unit| {
            // Nobody asks one that is out of service.
            let is_known = unit.unmatched_from.is_none() || unit.is_out_of_service();
            is_known || has_tried && self.is_due(unit.no, now_ms)
        })
    }

    /// Asks for what the log of a TSE has of this event's tills from where the books end.
    pub(super) fn asks_since(&self, tse: TseNo) -> Ask {
        let from = self.units.get(&tse).and_then(|unit| unit.unmatched_from);
        Ask::Since {
            transaction: from.unwrap_or(u64::MAX),
            clients: clients_of(self.event),
        }
    }

    /// What the log of a TSE has from where the books end. What is open there is looked at afterwards, as it always is.
    pub(super) fn logged(&mut self, tse: TseNo, logged: Vec<Logged>) {
        let Some(unit) = self.units.get_mut(&tse) else { return };
        let Some(from) = unit.unmatched_from else { return };
        let (taxpayer, last) = (unit.taxpayer, logged.last().map(|one| one.started.transaction));
        // It counts as compared once it is known, too, what is open there.
        unit.unmatched_from = last.map_or(Some(from), |last| Some(from.max(last + 1)));
        for one in logged {
            let transaction = one.started.transaction;
            if transaction < from || one.end.is_none() {
                continue;
            }
            let row = super::answer::row_of(tse, one);
            self.claims.add(taxpayer, &row);
            self.out.transactions.push(row);
        }
    }

    /// An order that its TSE signed before comes off with that transaction. Gives whether it did.
    pub(super) fn claims(&mut self, sale: &Sale, also_later: bool) -> bool {
        let Some((began_s, _, tse, transaction)) = self.claims.take(sale, also_later) else {
            return false;
        };
        let in_time = began_s.saturating_mul(1_000) <= sale.sold_at_ms.saturating_add(super::TILL_LINK_MS);
        let outage = match sale.outage {
            None if !in_time => Some(self.outage_of_till(sale)),
            outage => outage,
        };
        self.came_off(sale.no, tse, Some(transaction), outage);
        true
    }
}
