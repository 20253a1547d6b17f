//! The answers to what is asked of a [`Reader`]: each method looks into the maps and changes none.

use std::collections::BTreeMap;

use festival::purse::Purse;
use festival::registration::Slot;
use ledger::{AccountKey, PostingId, View};
use shared_protocol::crypto::Hash32;
use shared_protocol::stream::{Copy as Items, Stream, Version};
use shared_protocol::{Amount, EventId, SlotId, TagId, TerminalId};

use super::{MemoryReader, limited, locked};
use crate::{
    AuditRow, CaseFilter, CaseNote, CaseRow, CaseState, Chain, ClientRow, ClosedItem, ClosedReceipt, ClosingEnd,
    ClosingRow, ExportRow, HourRow, JournalRow, OrderFilter, OrderRow, OutageRow, Reader, RetiredRow, SessionRow,
    SigningRow, SigningState, StoreError, StoredCase, TaxRow, TerminalNo, TerminalRow, Totals, TransactionRow, TseNo,
    TseRow, UserRow, WishRow,
};

/// How many items come before the one with this number, counted from 1.
fn before(no: u64) -> usize {
    usize::try_from(no.saturating_sub(1)).unwrap_or(usize::MAX)
}

impl Reader for MemoryReader {
    fn head(&mut self) -> Result<(u64, Hash32), StoreError> {
        let state = locked(&self.state);
        Ok((state.last_no(), state.head()))
    }

    fn journal(&mut self, from_no: u64, rows_max: u64) -> Result<Vec<JournalRow>, StoreError> {
        let state = locked(&self.state);
        let rows = state.journal.iter().skip(before(from_no)).take(limited(rows_max));
        Ok(rows.map(|row| JournalRow::clone(row)).collect())
    }

    fn journal_rows(&mut self, numbers: &[u64]) -> Result<Vec<JournalRow>, StoreError> {
        let state = locked(&self.state);
        let rows = numbers
            .iter()
            .filter(|no| **no > 0)
            .filter_map(|no| state.journal.get(before(*no)));
        Ok(rows.map(|row| JournalRow::clone(row)).collect())
    }

    fn terminals(&mut self) -> Result<Vec<TerminalRow>, StoreError> {
        Ok(locked(&self.state).terminals.values().cloned().collect())
    }

    fn terminal(&mut self, id: TerminalId) -> Result<Option<TerminalRow>, StoreError> {
        Ok(locked(&self.state).terminals.values().find(|row| row.id == id).cloned())
    }

    fn chains(&mut self, terminal: TerminalNo) -> Result<Vec<Chain>, StoreError> {
        let state = locked(&self.state);
        Ok(state
            .chains
            .values()
            .filter(|chain| chain.key.terminal == terminal)
            .copied()
            .collect())
    }

    fn slot(&mut self, id: SlotId) -> Result<Option<Slot>, StoreError> {
        Ok(locked(&self.state).slots.get(&id).cloned())
    }

    fn slots(&mut self) -> Result<Vec<Slot>, StoreError> {
        Ok(locked(&self.state).slots.values().cloned().collect())
    }

    fn stream(&mut self, event: EventId, stream: Stream, at: Option<Version>) -> Result<Option<Items>, StoreError> {
        let state = locked(&self.state);
        let Some(steps) = state.streams.get(&(event, stream)) else {
            return Ok(None);
        };
        let Some(version) = at
            .or_else(|| steps.keys().last().copied())
            .filter(|at| steps.contains_key(at))
        else {
            return Ok(None);
        };
        let mut items = BTreeMap::new();
        for change in steps.range(..=version).flat_map(|(_, changes)| changes) {
            match &change.value {
                Some(value) => items.insert(change.key.0.clone(), value.0.clone()),
                None => items.remove(&change.key.0),
            };
        }
        Ok(Some(Items { version, items }))
    }

    fn cases(&mut self, from_id: u64, rows_max: u64) -> Result<Vec<StoredCase>, StoreError> {
        let state = locked(&self.state);
        let cases = state.cases.iter().skip(before(from_id)).take(limited(rows_max));
        Ok(cases.map(|case| StoredCase::clone(case)).collect())
    }

    fn case_counts(&mut self) -> Result<BTreeMap<u16, (u64, i128)>, StoreError> {
        let mut counts = BTreeMap::new();
        for stored in &locked(&self.state).cases {
            let (count, stake): &mut (u64, i128) = counts.entry(stored.case.case.kind.code()).or_default();
            *count += 1;
            *stake += i128::from(stored.case.case.stake.0);
        }
        Ok(counts)
    }

    fn balances(&mut self, event: EventId) -> Result<View, StoreError> {
        Ok(locked(&self.state).balances(event))
    }

    fn tax(&mut self, event: EventId, from_no: u64, rows_max: u64) -> Result<Vec<(u64, TaxRow)>, StoreError> {
        let state = locked(&self.state);
        let rows = (1..).zip(&state.office.tax);
        let wanted = rows.filter(|(no, row)| *no >= from_no && row.event == event);
        Ok(wanted
            .take(limited(rows_max))
            .map(|(no, row)| (no, row.clone()))
            .collect())
    }

    fn purse(&mut self, event: EventId, tag: TagId) -> Result<Option<Purse>, StoreError> {
        Ok(locked(&self.state).purses.get(&(event, tag)).cloned())
    }

    fn purses(
        &mut self,
        event: EventId,
        after: Option<TagId>,
        rows_max: u64,
    ) -> Result<Vec<(TagId, Purse)>, StoreError> {
        Ok(locked(&self.state).purses(event, after, rows_max))
    }

    fn purse_gaps(&mut self, event: EventId, since_ms: u64, rows_max: u64) -> Result<Vec<TagId>, StoreError> {
        Ok(locked(&self.state).purse_gaps(event, since_ms, rows_max))
    }

    fn totals(&mut self, event: EventId) -> Result<Totals, StoreError> {
        let state = locked(&self.state);
        let accounts = state.sums.iter().filter(|(key, _)| key.event == event);
        let turnovers = state.turnovers.iter().filter(|((of, ..), _)| *of == event);
        Ok(Totals {
            projected_no: state.projected_no,
            last_no: state.last_no(),
            accounts: accounts.map(|(key, sum)| (*key, *sum)).collect(),
            ..Totals::of_turnovers(turnovers.map(|((_, till, kind), turnover)| (*till, *kind, *turnover)))
        })
    }

    fn posting_no(&mut self, id: PostingId) -> Result<Option<u64>, StoreError> {
        Ok(locked(&self.state).postings.get(&id).copied())
    }

    fn tse_counters(&mut self, tse: TseNo) -> Result<(u64, u64, u64), StoreError> {
        Ok(locked(&self.state).signed.tse_counters(tse))
    }

    fn tses(&mut self) -> Result<Vec<TseRow>, StoreError> {
        Ok(locked(&self.state).signed.tses.values().cloned().collect())
    }

    fn wishes(&mut self) -> Result<Vec<WishRow>, StoreError> {
        Ok(locked(&self.state).signed.wishes.values().cloned().collect())
    }

    fn retired(&mut self) -> Result<Vec<RetiredRow>, StoreError> {
        Ok(locked(&self.state).signed.retired.values().cloned().collect())
    }

    fn exports(&mut self, before_id: Option<u64>, rows_max: u64) -> Result<Vec<ExportRow>, StoreError> {
        let state = locked(&self.state);
        let rows = state.office.exports.range(..before_id.unwrap_or(u64::MAX)).rev();
        Ok(rows.take(limited(rows_max)).map(|(_, row)| row.clone()).collect())
    }

    fn transaction(&mut self, tse: TseNo, transaction: u64) -> Result<Option<TransactionRow>, StoreError> {
        Ok(locked(&self.state)
            .signed
            .transactions
            .get(&(tse, transaction))
            .cloned())
    }

    fn transactions(
        &mut self,
        tse: TseNo,
        from_transaction: u64,
        rows_max: u64,
    ) -> Result<Vec<TransactionRow>, StoreError> {
        Ok(locked(&self.state).signed.transactions(tse, from_transaction, rows_max))
    }

    fn open_transactions(&mut self) -> Result<Vec<TransactionRow>, StoreError> {
        Ok(locked(&self.state).signed.open_transactions())
    }

    fn signed_to(&mut self) -> Result<u64, StoreError> {
        Ok(locked(&self.state).signed.done_to)
    }

    fn clients(&mut self) -> Result<Vec<ClientRow>, StoreError> {
        Ok(locked(&self.state).signed.clients())
    }

    fn client_history(&mut self, client: &str) -> Result<Vec<ClientRow>, StoreError> {
        Ok(locked(&self.state).signed.client_history(client))
    }

    fn signing(&mut self, no: u64) -> Result<Option<SigningRow>, StoreError> {
        Ok(locked(&self.state).signed.orders.get(&no).cloned())
    }

    fn signings(&mut self, numbers: &[u64]) -> Result<Vec<SigningRow>, StoreError> {
        Ok(locked(&self.state).signed.signings(numbers))
    }

    fn signings_between(&mut self, from_no: u64, to_no: u64) -> Result<Vec<SigningRow>, StoreError> {
        Ok(locked(&self.state).signed.signings_between(from_no, to_no))
    }

    fn unsigned(&mut self, from_no: u64, rows_max: u64) -> Result<Vec<SigningRow>, StoreError> {
        Ok(locked(&self.state).signed.unsigned(from_no, rows_max))
    }

    fn doubts(&mut self) -> Result<Vec<SigningRow>, StoreError> {
        Ok(locked(&self.state).signed.doubts())
    }

    fn closings(&mut self, from_id: u64, rows_max: u64) -> Result<Vec<ClosingRow>, StoreError> {
        let state = locked(&self.state);
        let rows = state.signed.closings.range(from_id..).take(limited(rows_max));
        Ok(rows.map(|(_, closing)| closing.row.clone()).collect())
    }

    fn closed_items(
        &mut self,
        closing: u64,
        from_receipt: u64,
        rows_max: u64,
    ) -> Result<Vec<(u64, ClosedItem)>, StoreError> {
        Ok(locked(&self.state).signed.closed_items(closing, from_receipt, rows_max))
    }

    fn closed_receipts(
        &mut self,
        closing: u64,
        from_receipt: u64,
        rows_max: u64,
    ) -> Result<Vec<ClosedReceipt>, StoreError> {
        let items = self.closed_items(closing, from_receipt, rows_max)?;
        let mut receipts = Vec::with_capacity(items.len());
        for (number, item) in items {
            let (journal, signing, transaction) = match item {
                ClosedItem::Order(no) => {
                    let signing = self.signing(no)?;
                    let signed = signing.as_ref().and_then(|row| Some((row.tse, row.transaction?)));
                    (self.journal(no, 1)?.pop(), signing, signed)
                }
                ClosedItem::GivenUp(tse, transaction) => (None, None, Some((tse, transaction))),
            };
            let transaction = match transaction {
                Some((tse, number)) => self.transaction(tse, number)?,
                None => None,
            };
            receipts.push(ClosedReceipt {
                number,
                item,
                journal,
                signing,
                transaction,
            });
        }
        Ok(receipts)
    }

    fn closing_of(&mut self, no: u64) -> Result<Option<(u64, u64)>, StoreError> {
        Ok(locked(&self.state).signed.closing_of(no))
    }

    fn closing_ends(&mut self) -> Result<Vec<ClosingEnd>, StoreError> {
        Ok(locked(&self.state).signed.closing_ends())
    }

    fn unclosed_orders(&mut self, from_no: u64, rows_max: u64) -> Result<Vec<u64>, StoreError> {
        Ok(locked(&self.state).signed.unclosed_orders(from_no, rows_max))
    }

    fn unclosed_given_up(&mut self, rows_max: u64) -> Result<Vec<TransactionRow>, StoreError> {
        Ok(locked(&self.state).signed.unclosed_given_up(rows_max))
    }

    fn signing_counts(&mut self) -> Result<BTreeMap<SigningState, u64>, StoreError> {
        Ok(locked(&self.state).signed.signing_counts())
    }

    fn outages(&mut self, from_id: u64, rows_max: u64) -> Result<Vec<OutageRow>, StoreError> {
        let state = locked(&self.state);
        let outages = state.signed.outages.range(from_id..).take(limited(rows_max));
        Ok(outages.map(|(_, row)| row.clone()).collect())
    }

    fn orders(
        &mut self,
        event: EventId,
        filter: &OrderFilter,
        before_no: Option<u64>,
        rows_max: u64,
    ) -> Result<Vec<OrderRow>, StoreError> {
        let state = locked(&self.state);
        let rows = state.orders(event, filter);
        let rows = rows.filter(|row| before_no.is_none_or(|before| row.no < before));
        Ok(rows.take(limited(rows_max)).collect())
    }

    fn order_sums(&mut self, event: EventId, filter: &OrderFilter) -> Result<(u64, i128), StoreError> {
        let state = locked(&self.state);
        let rows = state.orders(event, filter);
        Ok(rows.fold((0, 0), |(orders, total), row| (orders + 1, total + row.total)))
    }

    fn hours(&mut self, event: EventId, from_ms: u64, to_ms: u64) -> Result<Vec<HourRow>, StoreError> {
        Ok(locked(&self.state).hours(event, from_ms, to_ms))
    }

    fn first_waiting(&mut self) -> Result<Option<(u64, u64)>, StoreError> {
        Ok(locked(&self.state).first_waiting())
    }

    fn case(&mut self, id: u64) -> Result<Option<CaseRow>, StoreError> {
        let state = locked(&self.state);
        let stored = id.checked_sub(1).and_then(|index| state.cases.get(limited(index)));
        Ok(stored.map(|stored| state.case(stored)))
    }

    fn case_notes(&mut self, case: u64) -> Result<Vec<CaseNote>, StoreError> {
        let notes = locked(&self.state).office.notes.get(&case).cloned();
        Ok(notes.unwrap_or_default())
    }

    fn case_list(
        &mut self,
        filter: &CaseFilter,
        before_id: Option<u64>,
        rows_max: u64,
    ) -> Result<Vec<CaseRow>, StoreError> {
        let state = locked(&self.state);
        let rows = state.case_rows(filter);
        let rows = rows.filter(|row| before_id.is_none_or(|before| row.stored.id < before));
        Ok(rows.take(limited(rows_max)).collect())
    }

    fn open_cases(&mut self) -> Result<(u64, i128), StoreError> {
        let state = locked(&self.state);
        let everything = CaseFilter::default();
        let rows = state.case_rows(&everything);
        let open = rows.filter(|row| row.state != CaseState::Resolved);
        Ok(open.fold((0, 0), |(cases, stake), row| {
            (cases + 1, stake + i128::from(row.stored.case.case.stake.0))
        }))
    }

    fn users(&mut self) -> Result<Vec<UserRow>, StoreError> {
        Ok(locked(&self.state).office.users.values().cloned().collect())
    }

    fn user(&mut self, name: &str) -> Result<Option<UserRow>, StoreError> {
        Ok(locked(&self.state).office.users.get(name).cloned())
    }

    fn session(&mut self, token: &[u8; 32]) -> Result<Option<SessionRow>, StoreError> {
        Ok(locked(&self.state).office.sessions.get(token).cloned())
    }

    fn audit(
        &mut self,
        object: Option<&str>,
        before: Option<u64>,
        rows_max: u64,
    ) -> Result<Vec<(u64, AuditRow)>, StoreError> {
        let state = locked(&self.state);
        let rows = state.office.audit.iter().enumerate().rev();
        let rows = rows.map(|(index, row)| (index as u64 + 1, row));
        let rows = rows.filter(|(no, row)| {
            object.is_none_or(|object| row.object == object) && before.is_none_or(|before| *no < before)
        });
        Ok(rows
            .take(limited(rows_max))
            .map(|(no, row)| (no, row.clone()))
            .collect())
    }

    fn balance(&mut self, event: EventId, tag: TagId) -> Result<Vec<(AccountKey, Amount)>, StoreError> {
        let state = locked(&self.state);
        let accounts = crate::accounts_of(tag);
        let of_tag = state
            .accounts
            .iter()
            .filter(|(key, _)| key.event == event && accounts.contains(&key.account));
        Ok(of_tag.map(|(key, balance)| (*key, *balance)).collect())
    }

    fn fact(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(locked(&self.state).facts.get(name).cloned())
    }
}
