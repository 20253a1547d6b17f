//! The reference engine: plain maps. The simulator runs on it, and other engines are compared with it.
//!
//! A handle shares its maps with its clones and readers, so a clone is what is on the disk when a server dies and starts again. A
//! [`Snapshot`] is a backup: it costs nothing until the next commit.

mod office;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use festival::purse::Purse;
use festival::registration::Slot;
use ledger::{AccountKey, Balance, KnownPosting, PostingId, View};
use shared_protocol::crypto::Hash32;
use shared_protocol::stream::{Change, Copy as Items, Stream, Version};
use shared_protocol::{Amount, EventId, SlotId, TagId, TaxpayerId, TerminalId};

use crate::projection::Projection;
use crate::signing::may_become;
use crate::{
    AuditRow, CaseFilter, CaseNote, CaseRow, CaseState, Chain, ChainKey, ClientRow, ClosedItem, ClosedReceipt, Closing,
    ClosingEnd, ClosingRow, Commit, ExportRow, HourKey, HourRow, JournalRow, Loaded, Need, OrderFilter, OrderRow,
    OutageRow, PurseKey, Reader, RetiredRow, SessionRow, Signing, SigningRow, SigningState, Store, StoreError,
    StoredCase, TaxRow, TerminalNo, TerminalRow, Totals, TransactionRow, TseNo, TseRow, UserRow, WishRow,
};
use office::OfficeState;

/// The name of the fact that tells one life of a database from another.
pub const INCARNATION: &str = "incarnation";

#[derive(Debug, Clone, Default)]
struct State {
    journal: Vec<Arc<JournalRow>>,
    postings: BTreeMap<PostingId, u64>,
    reversals: BTreeMap<PostingId, PostingId>,
    places: BTreeMap<(ChainKey, u64), Hash32>,
    accounts: BTreeMap<AccountKey, Amount>,
    lots: BTreeMap<(AccountKey, u64), Amount>,
    chains: BTreeMap<ChainKey, Chain>,
    cases: Vec<Arc<StoredCase>>,
    terminals: BTreeMap<TerminalNo, TerminalRow>,
    slots: BTreeMap<SlotId, Slot>,
    purses: BTreeMap<PurseKey, Purse>,
    streams: BTreeMap<(EventId, Stream), BTreeMap<Version, Vec<Change>>>,
    sums: BTreeMap<AccountKey, i128>,
    turnovers: BTreeMap<(EventId, u32, u8), (u64, i128)>,
    hours: BTreeMap<HourKey, (u64, i128)>,
    projected_no: u64,
    office: OfficeState,
    facts: BTreeMap<String, Vec<u8>>,
    tses: BTreeMap<TseNo, TseRow>,
    transactions: BTreeMap<(TseNo, u64), TransactionRow>,
    signing: BTreeMap<u64, SigningRow>,
    outages: BTreeMap<u64, OutageRow>,
    clients: BTreeMap<ClientKey, ClientRow>,
    wishes: BTreeMap<(String, TaxpayerId), WishRow>,
    retired: BTreeMap<TseNo, RetiredRow>,
    done_to: u64,
    closings: BTreeMap<u64, Closing>,
}

/// A till, for whom, since when, and with which TSE.
type ClientKey = (String, TaxpayerId, u64, TseNo);

/// Everything that was stored at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot(Arc<State>);

/// The reference engine.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<Arc<State>>>,
}

/// A handle for reading what is committed.
#[derive(Debug, Clone)]
pub struct MemoryReader {
    state: Arc<Mutex<Arc<State>>>,
}

/// A panic elsewhere leaves the state whole: it is changed only after every check has passed.
fn locked(state: &Mutex<Arc<State>>) -> MutexGuard<'_, Arc<State>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryStore {
    /// An empty store in its first life.
    pub fn new(incarnation: u64) -> Self {
        let store = Self::default();
        store.mark_restored(incarnation);
        store
    }

    /// What is stored now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(Arc::clone(&locked(&self.state)))
    }

    /// Puts a backup in the place of what is stored. All handles and readers see it; they should be told with
    /// [`MemoryStore::mark_restored`].
    pub fn restore(&mut self, snapshot: &Snapshot) {
        *locked(&self.state) = Arc::clone(&snapshot.0);
    }

    /// Begins another life of the database.
    pub fn mark_restored(&self, incarnation: u64) {
        Arc::make_mut(&mut locked(&self.state))
            .facts
            .insert(INCARNATION.to_owned(), incarnation.to_be_bytes().to_vec());
    }

    /// A reader of its own type.
    pub fn memory_reader(&self) -> MemoryReader {
        MemoryReader {
            state: Arc::clone(&self.state),
        }
    }
}

impl State {
    fn last_no(&self) -> u64 {
        self.journal.len() as u64
    }

    fn head(&self) -> Hash32 {
        self.journal.last().map_or(Hash32::ZERO, |row| row.hash)
    }

    fn row(&self, no: u64) -> Option<&JournalRow> {
        let index = usize::try_from(no.checked_sub(1)?).ok()?;
        self.journal.get(index).map(Arc::as_ref)
    }

    fn view(&self, needs: &ledger::Needs) -> View {
        let mut view = View {
            last_no: self.last_no(),
            head: Some(self.head()),
            ..View::default()
        };
        let mut accounts: BTreeSet<AccountKey> = needs.accounts.clone();
        for id in needs.postings.union(&needs.reversal_targets) {
            let Some(mut known) = self.known(id) else { continue };
            if needs.reversal_targets.contains(id) {
                accounts.extend(known.posting.iter().flat_map(crate::accounts_to_take_back));
            } else {
                known.posting = None;
            }
            view.postings.insert(*id, known);
        }
        for key in accounts {
            let balance = self.accounts.get(&key).copied().unwrap_or_default();
            view.accounts.insert(
                key,
                Balance {
                    balance,
                    held: Amount::ZERO,
                },
            );
            view.lots.extend(
                self.lots
                    .range((key, 0)..=(key, u64::MAX))
                    .map(|(lot, left)| (*lot, *left)),
            );
        }
        let sums = needs.sums.iter();
        view.sums = sums
            .map(|key| (*key, self.sums.get(key).copied().unwrap_or(0)))
            .collect();
        for row in self.journal.iter().skip(limited(self.projected_no)) {
            if view.sums.is_empty() {
                break;
            }
            view.add_to_sums(&row.record);
        }
        view
    }

    fn known(&self, id: &PostingId) -> Option<KnownPosting> {
        let no = *self.postings.get(id)?;
        let posting = self.row(no)?.record.posting.clone()?;
        Some(KnownPosting {
            no,
            content: posting.content,
            reversed_by: self.reversals.get(id).copied(),
            posting: Some(posting),
        })
    }

    /// Everything an engine refuses because of what is stored. Nothing is changed.
    fn check(&self, commit: &Commit) -> Result<(), StoreError> {
        commit.check(self.last_no(), &self.head())?;
        let mut ids: BTreeMap<TerminalId, TerminalNo> = self.terminals.values().map(|row| (row.id, row.no)).collect();
        for row in &commit.terminals {
            if ids.insert(row.id, row.no).is_some_and(|no| no != row.no) {
                return Err(StoreError::Conflict(format!("terminal {}", row.id)));
            }
        }
        let known =
            |no: TerminalNo| self.terminals.contains_key(&no) || commit.terminals.iter().any(|row| row.no == no);
        let of_entries = commit
            .journal
            .iter()
            .filter_map(|row| Some(row.entry.as_ref()?.chain.terminal));
        let of_chains = commit.chains.iter().map(|chain| chain.key.terminal);
        let of_cases = commit.cases.iter().filter_map(|case| case.terminal);
        if let Some(no) = of_entries.chain(of_chains).chain(of_cases).find(|no| !known(*no)) {
            return Err(StoreError::Invalid(format!("there is no terminal {}", no.0)));
        }
        let (mut postings, mut reversals, mut places) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for row in &commit.journal {
            if let Some(posting) = &row.record.posting {
                if self.postings.contains_key(&posting.id) || !postings.insert(posting.id) {
                    return Err(StoreError::Conflict(format!("posting {}", posting.id.0)));
                }
                if let Some(target) = posting.reverses
                    && (self.reversals.contains_key(&target) || !reversals.insert(target))
                {
                    return Err(StoreError::Conflict(format!("the reversal of {}", target.0)));
                }
            }
            if let Some(entry) = &row.entry {
                let place = (entry.chain, entry.seq);
                if self.places.contains_key(&place) || !places.insert(place) {
                    return Err(StoreError::Conflict(format!(
                        "entry {} of {:?}",
                        entry.seq, entry.chain
                    )));
                }
            }
        }
        let mut steps = BTreeMap::new();
        for (event, stream, version, _) in &commit.streams {
            let stored = self
                .streams
                .get(&(*event, *stream))
                .and_then(|steps| steps.keys().last());
            let newest = steps.insert((*event, *stream), version).or(stored);
            if newest.is_some_and(|newest| newest >= version) {
                return Err(StoreError::Conflict(format!("version {version:?} of {stream:?}")));
            }
        }
        self.check_office(commit)?;
        self.check_signing(&commit.signing)
    }

    fn check_signing(&self, signing: &Signing) -> Result<(), StoreError> {
        let invalid = |what: String| Err(StoreError::Invalid(what));
        for row in &signing.orders {
            let stored = self.signing.get(&row.no);
            if row.no > self.last_no() || stored.is_some_and(|before| !may_become(before, row)) {
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

    fn closed(&self) -> BTreeSet<ClosedItem> {
        self.closings
            .values()
            .flat_map(|closing| closing.items.iter().copied())
            .collect()
    }

    /// After [`State::check`]: nothing here can fail.
    fn apply(&mut self, commit: &Commit) {
        for row in &commit.journal {
            if let Some(posting) = &row.record.posting {
                self.postings.insert(posting.id, row.record.no);
                if let Some(target) = posting.reverses {
                    self.reversals.insert(target, posting.id);
                }
            }
            if let Some(entry) = &row.entry {
                self.places.insert((entry.chain, entry.seq), entry.hash);
            }
            self.journal.push(Arc::new(row.clone()));
        }
        self.accounts
            .extend(commit.accounts.iter().map(|(key, balance)| (*key, balance.balance)));
        for (lot, left) in &commit.lots {
            if left.is_zero() {
                self.lots.remove(lot);
            } else {
                self.lots.insert(*lot, *left);
            }
        }
        self.chains
            .extend(commit.chains.iter().map(|chain| (chain.key, *chain)));
        for case in &commit.cases {
            let id = self.cases.len() as u64 + 1;
            self.cases.push(Arc::new(StoredCase { id, case: case.clone() }));
        }
        self.terminals
            .extend(commit.terminals.iter().map(|row| (row.no, row.clone())));
        self.slots
            .extend(commit.slots.iter().map(|slot| (slot.id, slot.clone())));
        for (event, stream, version, changes) in &commit.streams {
            self.streams
                .entry((*event, *stream))
                .or_default()
                .insert(*version, changes.clone());
        }
        let signing = &commit.signing;
        self.tses.extend(signing.tses.iter().map(|row| (row.no, row.clone())));
        let transactions = signing.transactions.iter();
        self.transactions
            .extend(transactions.map(|row| ((row.tse, row.transaction), row.clone())));
        self.signing
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
        self.office.apply(&commit.office);
        let purses = commit.purses.iter();
        self.purses.extend(purses.map(|(key, purse)| (*key, purse.clone())));
    }

    fn project(&mut self, rows_max: u64) -> Result<(), StoreError> {
        let last = self.projected_no.saturating_add(rows_max).min(self.last_no());
        let mut projection = Projection::default();
        for no in self.projected_no + 1..=last {
            if let Some(row) = self.row(no) {
                projection.add(&row.record, row.entry.as_ref())?;
            }
        }
        for (key, change) in projection.totals.balances {
            *self.sums.entry(key).or_default() += change;
        }
        for (key, change) in projection.turnovers {
            let turnover = self.turnovers.entry(key).or_default();
            *turnover = (turnover.0 + change.orders, turnover.1 + change.total);
        }
        self.add_hours(projection.hours);
        let orders = projection.orders.iter();
        self.office
            .orders
            .extend(orders.map(|booked| (booked.order.event, Arc::new(booked.row()))));
        self.projected_no = last;
        Ok(())
    }
}

impl Store for MemoryStore {
    fn load(&mut self, need: &Need) -> Result<Loaded, StoreError> {
        let state = locked(&self.state);
        let branches = |terminal, epoch| {
            let key = move |branch| ChainKey {
                terminal,
                epoch,
                branch,
            };
            key(0)..=key(u16::MAX)
        };
        let chains = need
            .chains
            .iter()
            .flat_map(|(terminal, epoch)| state.chains.range(branches(*terminal, *epoch)));
        let hashes = need.hashes.iter().flat_map(|(terminal, epoch, first, last)| {
            let range = branches(*terminal, *epoch);
            let places = state.places.range((*range.start(), 0)..=(*range.end(), u64::MAX));
            places.filter(|((_, seq), _)| (*first..=*last).contains(seq))
        });
        Ok(Loaded {
            ledger: state.view(&need.ledger),
            chains: chains.map(|(key, chain)| (*key, *chain)).collect(),
            hashes: hashes.map(|(place, hash)| (*place, *hash)).collect(),
            purses: need
                .purses
                .iter()
                .filter_map(|key| Some((*key, state.purses.get(key)?.clone())))
                .collect(),
        })
    }

    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError> {
        let mut state = locked(&self.state);
        state.check(commit)?;
        Arc::make_mut(&mut state).apply(commit);
        Ok(())
    }

    fn project(&mut self, rows_max: u64) -> Result<(u64, u64), StoreError> {
        let mut state = locked(&self.state);
        if state.projected_no < state.last_no() {
            Arc::make_mut(&mut state).project(rows_max)?;
        }
        Ok((state.projected_no, state.last_no()))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(self.memory_reader()))
    }
}

fn limited(rows_max: u64) -> usize {
    usize::try_from(rows_max).unwrap_or(usize::MAX)
}

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
        let state = locked(&self.state);
        let of_event = |key: &AccountKey| key.event == event;
        let accounts = state.accounts.iter().filter(|(key, _)| of_event(key));
        Ok(View {
            accounts: accounts
                .map(|(key, balance)| {
                    (
                        *key,
                        Balance {
                            balance: *balance,
                            held: Amount::ZERO,
                        },
                    )
                })
                .collect(),
            lots: state
                .lots
                .iter()
                .filter(|((key, _), _)| of_event(key))
                .map(|(lot, left)| (*lot, *left))
                .collect(),
            last_no: state.last_no(),
            head: Some(state.head()),
            ..View::default()
        })
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
        let state = locked(&self.state);
        let of_event = state
            .purses
            .iter()
            .filter(|((of, tag), _)| *of == event && after.is_none_or(|after| tag.as_slice() > after.as_slice()));
        let mut found: Vec<_> = of_event.map(|((_, tag), purse)| (*tag, purse.clone())).collect();
        found.sort_by(|a, b| a.0.as_slice().cmp(b.0.as_slice()));
        found.truncate(limited(rows_max));
        Ok(found)
    }

    fn purse_gaps(&mut self, event: EventId, since_ms: u64, rows_max: u64) -> Result<Vec<TagId>, StoreError> {
        let state = locked(&self.state);
        let gaps = state.purses.iter().filter_map(|((of, tag), purse)| {
            let since = purse.gap_since_ms.filter(|_| *of == event && !purse.told)?;
            (since <= since_ms).then_some((since, *tag))
        });
        let mut gaps: Vec<_> = gaps.collect();
        gaps.sort_by(|a, b| (a.0, a.1.as_slice()).cmp(&(b.0, b.1.as_slice())));
        Ok(gaps.into_iter().take(limited(rows_max)).map(|(_, tag)| tag).collect())
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
        let state = locked(&self.state);
        let rows = state.transactions.range((tse, 0)..=(tse, u64::MAX)).map(|(_, row)| row);
        Ok(rows.fold((0, 0, 0), |(transaction, counter, time_s), row| {
            let end = row.end.as_ref().map_or((0, 0), |end| (end.counter, end.time_s));
            (
                transaction.max(row.transaction),
                counter.max(row.start_counter).max(end.0),
                time_s.max(row.started_s).max(end.1),
            )
        }))
    }

    fn tses(&mut self) -> Result<Vec<TseRow>, StoreError> {
        Ok(locked(&self.state).tses.values().cloned().collect())
    }

    fn wishes(&mut self) -> Result<Vec<WishRow>, StoreError> {
        Ok(locked(&self.state).wishes.values().cloned().collect())
    }

    fn retired(&mut self) -> Result<Vec<RetiredRow>, StoreError> {
        Ok(locked(&self.state).retired.values().cloned().collect())
    }

    fn exports(&mut self, before_id: Option<u64>, rows_max: u64) -> Result<Vec<ExportRow>, StoreError> {
        let state = locked(&self.state);
        let rows = state.office.exports.range(..before_id.unwrap_or(u64::MAX)).rev();
        Ok(rows.take(limited(rows_max)).map(|(_, row)| row.clone()).collect())
    }

    fn transaction(&mut self, tse: TseNo, transaction: u64) -> Result<Option<TransactionRow>, StoreError> {
        Ok(locked(&self.state).transactions.get(&(tse, transaction)).cloned())
    }

    fn transactions(
        &mut self,
        tse: TseNo,
        from_transaction: u64,
        rows_max: u64,
    ) -> Result<Vec<TransactionRow>, StoreError> {
        let state = locked(&self.state);
        let rows = state
            .transactions
            .range((tse, from_transaction)..=(tse, u64::MAX))
            .map(|(_, row)| row);
        Ok(rows.take(limited(rows_max)).cloned().collect())
    }

    fn open_transactions(&mut self) -> Result<Vec<TransactionRow>, StoreError> {
        let state = locked(&self.state);
        let open = state.transactions.values().filter(|row| row.end.is_none());
        Ok(open.cloned().collect())
    }

    fn signed_to(&mut self) -> Result<u64, StoreError> {
        Ok(locked(&self.state).done_to)
    }

    fn clients(&mut self) -> Result<Vec<ClientRow>, StoreError> {
        let state = locked(&self.state);
        let now = state.clients.values().filter(|row| row.until_ms.is_none());
        Ok(now.cloned().collect())
    }

    fn client_history(&mut self, client: &str) -> Result<Vec<ClientRow>, StoreError> {
        let state = locked(&self.state);
        let of_client = state.clients.values().filter(|row| row.client == client);
        Ok(of_client.cloned().collect())
    }

    fn signing(&mut self, no: u64) -> Result<Option<SigningRow>, StoreError> {
        Ok(locked(&self.state).signing.get(&no).cloned())
    }

    fn signings(&mut self, numbers: &[u64]) -> Result<Vec<SigningRow>, StoreError> {
        let state = locked(&self.state);
        Ok(numbers.iter().filter_map(|no| state.signing.get(no).cloned()).collect())
    }

    fn signings_between(&mut self, from_no: u64, to_no: u64) -> Result<Vec<SigningRow>, StoreError> {
        let state = locked(&self.state);
        let found = state.signing.range(from_no..).map(|(_, row)| row);
        Ok(found.take_while(|row| row.no <= to_no).cloned().collect())
    }

    fn unsigned(&mut self, from_no: u64, rows_max: u64) -> Result<Vec<SigningRow>, StoreError> {
        let state = locked(&self.state);
        let marked = state.signing.range(from_no..).map(|(_, row)| row);
        let marked = marked.filter(|row| row.state == SigningState::InOutage);
        Ok(marked.take(limited(rows_max)).cloned().collect())
    }

    fn doubts(&mut self) -> Result<Vec<SigningRow>, StoreError> {
        let state = locked(&self.state);
        let is_open = |row: &SigningRow| {
            let doubt = row.doubt.and_then(|number| state.transactions.get(&(row.tse, number)));
            doubt.is_some_and(|row| row.end.is_none())
        };
        let marked = state.signing.values().filter(|row| row.state == SigningState::InOutage);
        Ok(marked.filter(|row| is_open(row)).cloned().collect())
    }

    fn closings(&mut self, from_id: u64, rows_max: u64) -> Result<Vec<ClosingRow>, StoreError> {
        let state = locked(&self.state);
        let rows = state.closings.range(from_id..).take(limited(rows_max));
        Ok(rows.map(|(_, closing)| closing.row.clone()).collect())
    }

    fn closed_items(
        &mut self,
        closing: u64,
        from_receipt: u64,
        rows_max: u64,
    ) -> Result<Vec<(u64, ClosedItem)>, StoreError> {
        let state = locked(&self.state);
        let Some(closing) = state.closings.get(&closing) else {
            return Ok(Vec::new());
        };
        let numbered = (closing.row.first_receipt..).zip(closing.items.iter().copied());
        let wanted = numbered.filter(|(receipt, _)| *receipt >= from_receipt);
        Ok(wanted.take(limited(rows_max)).collect())
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
        let state = locked(&self.state);
        Ok(state.closings.values().find_map(|closing| {
            let at = closing.items.iter().position(|item| *item == ClosedItem::Order(no))?;
            Some((closing.row.id, closing.row.first_receipt + at as u64))
        }))
    }

    fn closing_ends(&mut self) -> Result<Vec<ClosingEnd>, StoreError> {
        let state = locked(&self.state);
        let mut ends = BTreeMap::<(String, TaxpayerId), ClosingEnd>::new();
        for Closing { row, .. } in state.closings.values() {
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
        Ok(ends.into_values().collect())
    }

    fn unclosed_orders(&mut self, from_no: u64, rows_max: u64) -> Result<Vec<u64>, StoreError> {
        let state = locked(&self.state);
        let closed = state.closed();
        let numbers = state.signing.range(from_no..).map(|(no, _)| *no);
        let open = numbers.filter(|no| !closed.contains(&ClosedItem::Order(*no)));
        Ok(open.take(limited(rows_max)).collect())
    }

    fn unclosed_given_up(&mut self, rows_max: u64) -> Result<Vec<TransactionRow>, StoreError> {
        let state = locked(&self.state);
        let closed = state.closed();
        let signed: BTreeSet<(TseNo, u64)> = state
            .signing
            .values()
            .filter_map(|row| Some((row.tse, row.transaction?)))
            .collect();
        let ended = state.transactions.values().filter(|row| row.end.is_some());
        let given_up = ended.filter(|row| {
            !signed.contains(&(row.tse, row.transaction))
                && !closed.contains(&ClosedItem::GivenUp(row.tse, row.transaction))
        });
        Ok(given_up.take(limited(rows_max)).cloned().collect())
    }

    fn signing_counts(&mut self) -> Result<BTreeMap<SigningState, u64>, StoreError> {
        let mut counts = BTreeMap::new();
        for row in locked(&self.state).signing.values() {
            *counts.entry(row.state).or_default() += 1;
        }
        Ok(counts)
    }

    fn outages(&mut self, from_id: u64, rows_max: u64) -> Result<Vec<OutageRow>, StoreError> {
        let state = locked(&self.state);
        let outages = state.outages.range(from_id..).take(limited(rows_max));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{self, Book};

    #[test]
    fn the_reference_engine_passes_its_own_suite() {
        conformance::all(|| MemoryStore::new(1));
    }

    #[test]
    fn a_clone_is_the_same_store_after_a_restart() {
        conformance::reopened(MemoryStore::default, |store| store.clone());
    }

    #[test]
    fn a_backup_keeps_what_was_there_and_comes_back_as_another_life() {
        let book = Book::new();
        let mut store = MemoryStore::new(1);
        book.open(&mut store).unwrap();
        book.book(&mut store, &[book.top_up(0, 1, 1, 20_00)]).unwrap();
        let backup = store.snapshot();
        let before = conformance::dump(&mut store);
        book.book(&mut store, &[book.sale(0, 2, 1, 4_50)]).unwrap();
        let mut reader = store.reader().unwrap();
        assert_eq!(reader.head().unwrap().0, 2);
        store.restore(&backup);
        assert_eq!(conformance::dump(&mut store), before);
        store.mark_restored(2);
        assert_eq!(reader.head().unwrap().0, 1);
        assert_eq!(reader.fact(INCARNATION).unwrap(), Some(2_u64.to_be_bytes().to_vec()));
    }
}
