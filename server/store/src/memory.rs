//! The reference engine: plain maps. The simulator runs on it, and other engines are compared with it.
//!
//! A handle shares its maps with its clones and readers, so a clone is what is on the disk when a server dies and starts again. A
//! [`Snapshot`] is a backup: it costs nothing until the next commit.

mod commit;
mod load;
mod office;
mod purses;
mod reader;
mod signing;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use festival::purse::Purse;
use festival::registration::Slot;
use ledger::{AccountKey, PostingId};
use shared_protocol::crypto::Hash32;
use shared_protocol::stream::{Change, Stream, Version};
use shared_protocol::{Amount, EventId, SlotId};

use crate::{
    Chain, ChainKey, Commit, HourKey, JournalRow, Loaded, Need, PurseKey, Reader, Store, StoreError, StoredCase,
    TerminalNo, TerminalRow,
};
use office::OfficeState;
use signing::Signed;

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
    signed: Signed,
    facts: BTreeMap<String, Vec<u8>>,
}

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
}

impl Store for MemoryStore {
    fn load(&mut self, need: &Need) -> Result<Loaded, StoreError> {
        Ok(locked(&self.state).load(need))
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
