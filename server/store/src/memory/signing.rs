//! What signing stores and is asked for, in plain maps: TSEs, their clients and transactions, what became of each order, closings.

use std::collections::{BTreeMap, BTreeSet};

use shared_protocol::TaxpayerId;

use super::limited;
use crate::signing::may_become;
use crate::{
    ClientRow, ClosedItem, Closing, ClosingEnd, OutageRow, RetiredRow, Signing, SigningRow, SigningState, StoreError,
    TransactionRow, TseNo, TseRow, WishRow,
};

/// A till, for whom, since when, and with which TSE.
type ClientKey = (String, TaxpayerId, u64, TseNo);

#[derive(Debug, Clone, Default)]
pub(super) struct Signed {
    pub(super) tses: BTreeMap<TseNo, TseRow>,
    pub(super) transactions: BTreeMap<(TseNo, u64), TransactionRow>,
    pub(super) orders: BTreeMap<u64, SigningRow>,
    pub(super) outages: BTreeMap<u64, OutageRow>,
    clients: BTreeMap<ClientKey, ClientRow>,
    pub(super) wishes: BTreeMap<(String, TaxpayerId), WishRow>,
    pub(super) retired: BTreeMap<TseNo, RetiredRow>,
    pub(super) done_to: u64,
    pub(super) closings: BTreeMap<u64, Closing>,
}

impl Signed {
    pub(super) fn check(&self, signing: &Signing, last_no: u64) -> Result<(), StoreError> {
        let invalid = |what: String| Err(StoreError::Invalid(what));
        for row in &signing.orders {
            let stored = self.orders.get(&row.no);
            if row.no > last_no || stored.is_some_and(|before| !may_become(before, row)) {
                return invalid(format!("an order of {stored:?} cannot become {row:?}"));
            }
        }
        for closing in &signing.closings {
            self.check_closing(closing)?;
        }
        for row in &signing.retired {
            let stored = self.retired.get(&row.tse);
            if stored.is_some_and(|before| !before.may_become(row)) {
                return invalid(format!("TSE {} is out of service", row.tse.0));
            }
        }
        for row in &signing.transactions {
            let ended = self
                .transactions
                .get(&(row.tse, row.transaction))
                .filter(|stored| stored.end.is_some());
            if ended.is_some_and(|stored| stored != row) {
                return invalid(format!(
                    "transaction {} of TSE {} has ended",
                    row.transaction, row.tse.0
                ));
            }
        }
        Ok(())
    }

    fn check_closing(&self, closing: &Closing) -> Result<(), StoreError> {
        let row = &closing.row;
        let known = self.closings.values();
        let taken = known.clone().any(|other| {
            other.row.id == row.id
                || (&other.row.client, other.row.taxpayer, other.row.z_no) == (&row.client, row.taxpayer, row.z_no)
                || other.items.iter().any(|item| closing.items.contains(item))
        });
        if taken || closing.items.len() as u64 != row.receipts {
            return Err(StoreError::Invalid(format!("closing {} cannot be made", row.id)));
        }
        Ok(())
    }

    /// After [`Signed::check`]: nothing here can fail.
    pub(super) fn apply(&mut self, signing: &Signing) {
        self.tses.extend(signing.tses.iter().map(|row| (row.no, row.clone())));
        let transactions = signing.transactions.iter();
        self.transactions
            .extend(transactions.map(|row| ((row.tse, row.transaction), row.clone())));
        self.orders
            .extend(signing.orders.iter().map(|row| (row.no, row.clone())));
        self.outages
            .extend(signing.outages.iter().map(|row| (row.id, row.clone())));
        let key = |row: &ClientRow| (row.client.clone(), row.taxpayer, row.from_ms, row.tse);
        self.clients
            .extend(signing.clients.iter().map(|row| (key(row), row.clone())));
        for row in &signing.wishes {
            let key = (row.client.clone(), row.taxpayer);
            match row.tse {
                Some(_) => self.wishes.insert(key, row.clone()),
                None => self.wishes.remove(&key),
            };
        }
        self.retired
            .extend(signing.retired.iter().map(|row| (row.tse, row.clone())));
        self.done_to = self.done_to.max(signing.done_to.unwrap_or(0));
        let closings = signing.closings.iter();
        self.closings
            .extend(closings.map(|closing| (closing.row.id, closing.clone())));
    }

    pub(super) fn tse_counters(&self, tse: TseNo) -> (u64, u64, u64) {
        let rows = self.transactions.range((tse, 0)..=(tse, u64::MAX)).map(|(_, row)| row);
        rows.fold((0, 0, 0), |(transaction, counter, time_s), row| {
            let end = row.end.as_ref().map_or((0, 0), |end| (end.counter, end.time_s));
            (
                transaction.max(row.transaction),
                counter.max(row.start_counter).max(end.0),
                time_s.max(row.started_s).max(end.1),
            )
        })
    }

    pub(super) fn transactions(&self, tse: TseNo, from_transaction: u64, rows_max: u64) -> Vec<TransactionRow> {
        let rows = self
            .transactions
            .range((tse, from_transaction)..=(tse, u64::MAX))
            .map(|(_, row)| row);
        rows.take(limited(rows_max)).cloned().collect()
    }

    pub(super) fn open_transactions(&self) -> Vec<TransactionRow> {
        let open = self.transactions.values().filter(|row| row.end.is_none());
        open.cloned().collect()
    }

    pub(super) fn clients(&self) -> Vec<ClientRow> {
        let now = self.clients.values().filter(|row| row.until_ms.is_none());
        now.cloned().collect()
    }

    pub(super) fn client_history(&self, client: &str) -> Vec<ClientRow> {
        let of_client = self.clients.values().filter(|row| row.client == client);
        of_client.cloned().collect()
    }

    pub(super) fn signings(&self, numbers: &[u64]) -> Vec<SigningRow> {
        numbers.iter().filter_map(|no| self.orders.get(no).cloned()).collect()
    }

    pub(super) fn signings_between(&self, from_no: u64, to_no: u64) -> Vec<SigningRow> {
        let found = self.orders.range(from_no..).map(|(_, row)| row);
        found.take_while(|row| row.no <= to_no).cloned().collect()
    }

    pub(super) fn unsigned(&self, from_no: u64, rows_max: u64) -> Vec<SigningRow> {
        let marked = self.orders.range(from_no..).map(|(_, row)| row);
        let marked = marked.filter(|row| row.state == SigningState::InOutage);
        marked.take(limited(rows_max)).cloned().collect()
    }

    pub(super) fn doubts(&self) -> Vec<SigningRow> {
        let is_open = |row: &SigningRow| {
            let doubt = row.doubt.and_then(|number| self.transactions.get(&(row.tse, number)));
            doubt.is_some_and(|row| row.end.is_none())
        };
        let marked = self.orders.values().filter(|row| row.state == SigningState::InOutage);
        marked.filter(|row| is_open(row)).cloned().collect()
    }

    pub(super) fn closed_items(&self, closing: u64, from_receipt: u64, rows_max: u64) -> Vec<(u64, ClosedItem)> {
        let Some(closing) = self.closings.get(&closing) else {
            return Vec::new();
        };
        let numbered = (closing.row.first_receipt..).zip(closing.items.iter().copied());
        let wanted = numbered.filter(|(receipt, _)| *receipt >= from_receipt);
        wanted.take(limited(rows_max)).collect()
    }

    pub(super) fn closing_of(&self, no: u64) -> Option<(u64, u64)> {
        self.closings.values().find_map(|closing| {
            let at = closing.items.iter().position(|item| *item == ClosedItem::Order(no))?;
            Some((closing.row.id, closing.row.first_receipt + at as u64))
        })
    }

    pub(super) fn closing_ends(&self) -> Vec<ClosingEnd> {
        let mut ends = BTreeMap::<(String, TaxpayerId), ClosingEnd>::new();
        for Closing { row, .. } in self.closings.values() {
            let key = (row.client.clone(), row.taxpayer);
            let end = ends.entry(key).or_insert_with(|| ClosingEnd {
                client: row.client.clone(),
                taxpayer: row.taxpayer,
                z_no: 0,
                next_receipt: 1,
                last_day: 0,
            });
            end.z_no = end.z_no.max(row.z_no);
            end.next_receipt = end.next_receipt.max(row.first_receipt + row.receipts);
            end.last_day = end.last_day.max(row.day);
        }
        ends.into_values().collect()
    }

    pub(super) fn unclosed_orders(&self, from_no: u64, rows_max: u64) -> Vec<u64> {
        let closed = self.closed();
        let numbers = self.orders.range(from_no..).map(|(no, _)| *no);
        let open = numbers.filter(|no| !closed.contains(&ClosedItem::Order(*no)));
        open.take(limited(rows_max)).collect()
    }

    pub(super) fn unclosed_given_up(&self, rows_max: u64) -> Vec<TransactionRow> {
        let closed = self.closed();
        let signed: BTreeSet<(TseNo, u64)> = self
            .orders
            .values()
            .filter_map(|row| Some((row.tse, row.transaction?)))
            .collect();
        let ended = self.transactions.values().filter(|row| row.end.is_some());
        let given_up = ended.filter(|row| {
            !signed.contains(&(row.tse, row.transaction))
                && !closed.contains(&ClosedItem::GivenUp(row.tse, row.transaction))
        });
        given_up.take(limited(rows_max)).cloned().collect()
    }

    pub(super) fn signing_counts(&self) -> BTreeMap<SigningState, u64> {
        let mut counts = BTreeMap::new();
        for row in self.orders.values() {
            *counts.entry(row.state).or_default() += 1;
        }
        counts
    }

    fn closed(&self) -> BTreeSet<ClosedItem> {
        self.closings
            .values()
            .flat_map(|closing| closing.items.iter().copied())
            .collect()
    }
}
