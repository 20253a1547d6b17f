//! What statements do, counted in steps of `SQLite`'s virtual machine.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use rusqlite::StatementStatus;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use store::Store as _;
use store::conformance::{self, Book};

use crate::{Options, SqliteStore};

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
    static SEEN: RefCell<BTreeMap<String, Counters>> = const { RefCell::new(BTreeMap::new()) };
}

#[derive(Debug, Clone, Copy, Default)]
struct Counters {
    steps: u64,
    scanned: i32,
}

/// Counters of a statement are totals since it was prepared, so the last ones seen count; statements are kept for the whole run.
fn count(event: TraceEvent<'_>) {
    if let TraceEvent::Profile(statement, _) = event {
        let steps = u64::try_from(statement.get_status(StatementStatus::VmStep)).unwrap_or(0);
        let scanned = statement.get_status(StatementStatus::FullscanStep);
        SEEN.with_borrow_mut(|seen| {
            let before = seen.insert(statement.sql().into_owned(), Counters { steps, scanned });
            STEPS.set(STEPS.get() + steps.saturating_sub(before.unwrap_or_default().steps));
        });
    }
}

fn counted(directory: &tempfile::TempDir) -> SqliteStore {
    let options = Options {
        background: false,
        ..Options::default()
    };
    let store = SqliteStore::open(directory.path().join("x.db"), &options).unwrap();
    store
        .connection
        .trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(count));
    store
}

#[test]
fn the_cost_of_a_batch_follows_its_rows() {
    let directory = tempfile::tempdir().unwrap();
    conformance::cost_follows_the_batch(&mut counted(&directory), || STEPS.get());
}

#[test]
fn a_batch_of_any_size_uses_the_same_few_statements_and_scans_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let book = Book::new();
    let mut store = counted(&directory);
    book.open(&mut store).unwrap();
    let mut number = 0;
    let mut batch = |store: &mut SqliteStore, rows: u32| {
        let orders: Vec<_> = (0..rows)
            .map(|n| book.top_up(n, number + u64::from(n) + 1, n, 1_00))
            .collect();
        number += u64::from(rows);
        book.book(store, &orders).unwrap();
        store.project(100).unwrap();
    };
    // Lines of orders are written 32 at a time and one by one.
    batch(&mut store, 33);
    let kinds = SEEN.with_borrow(BTreeMap::len);
    batch(&mut store, 1);
    batch(&mut store, 64);
    SEEN.with_borrow(|seen| {
        assert_eq!(seen.len(), kinds, "{seen:#?}");
        assert!((10..40).contains(&kinds), "{kinds}");
        // The cursor is a table of one row.
        let scans: Vec<_> = seen
            .iter()
            .filter(|(sql, counters)| counters.scanned > 0 && !sql.contains("cursor"))
            .collect();
        assert!(scans.is_empty(), "{scans:?}");
    });
}
