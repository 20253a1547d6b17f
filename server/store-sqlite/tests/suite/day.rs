//! A short day that is cut, and what has to be true after it.

use crash_vfs::{Crash, Image, Recorder};
use store::conformance::{self, Book, Item};
use store::{Commit, Store, StoreError};
use store_sqlite::{Options, SqliteStore};

pub const FILE: &str = "festival.db";
/// More than this was not booked, ever.
pub const ORDERS_MAX: u64 = 20;
const OPENED: &str = "terminals are registered";

/// A log of a few pages, so that a short day crosses checkpoints and new beginnings of the log.
pub fn options(disk: &Recorder) -> Options {
    Options {
        vfs: Some(disk.vfs_name().to_owned()),
        created_at_ms: 1,
        checkpoint_after_bytes: 48 << 10,
        wal_max_bytes: 200 << 10,
        background: false,
    }
}

/// A day at one database: what was acknowledged is marked on the disk.
pub struct Day<'disk> {
    disk: &'disk Recorder,
    pub book: Book,
    made: Vec<Item>,
}

impl<'disk> Day<'disk> {
    pub fn new(disk: &'disk Recorder) -> Self {
        Self {
            disk,
            book: Book::new(),
            made: Vec::new(),
        }
    }

    pub fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(FILE, &options(self.disk))
    }

    /// Registers the terminals.
    pub fn begin(&mut self, store: &mut SqliteStore) -> Result<(), StoreError> {
        self.book.open(store)?;
        self.disk.mark(OPENED);
        Ok(())
    }

    /// Books so many orders of all kinds in one commit, and acknowledges.
    pub fn book(&mut self, store: &mut SqliteStore, orders: u64) -> Result<(), StoreError> {
        let first = store.load(&store::Need::default())?.ledger.last_no + 1;
        let batch: Vec<_> = (first..first + orders).map(|number| self.order(number)).collect();
        let commit = self.book.book(store, &batch)?;
        assert_eq!(commit.journal.len() as u64, orders);
        self.disk.mark(first + orders - 1);
        Ok(())
    }

    fn order(&mut self, number: u64) -> Item {
        let till = u32::try_from(number % 3).unwrap();
        let item = match number % 7 {
            1 => self.book.top_up(till, number, 1, 30_00),
            2 => self.book.grant(till, number, 1, 2),
            3 => self.book.redemption(till, number, 1),
            4 => match self.made.last() {
                Some(target) => self.book.cancel(till, number, target),
                None => self.book.sale(till, number, 1, 3_00),
            },
            // More than there is: kept with a case.
            5 => self.book.sale(till, number, 2, 90_00),
            _ => self.book.sale(till, number, 1, 4_50),
        };
        self.made.push(item.clone());
        item
    }
}

/// Opens the database and holds it against what had been said. `ends` are the rows at which commits ended: nothing lies between.
pub fn judge(disk: &Recorder, opened: bool, acknowledged: u64, ends: &[u64]) {
    let mut store = SqliteStore::open(FILE, &options(disk)).unwrap();
    let mut reader = store.reader().unwrap();
    let (last_no, _) = reader.head().unwrap();
    assert!(
        last_no >= acknowledged,
        "row {acknowledged} was acknowledged, the last one is {last_no}"
    );
    assert!(ends.contains(&last_no), "row {last_no} is in the middle of a commit");
    let terminals = reader.terminals().unwrap().len();
    assert!(
        terminals == 3 || terminals == 0 && !opened && last_no == 0,
        "{terminals} terminals"
    );
    conformance::audit(&mut *reader, &[Book::EVENT]);
    assert_eq!(store.project(ORDERS_MAX).unwrap(), (last_no, last_no));
    conformance::audit(&mut *reader, &[Book::EVENT]);
    drop((reader, store));
    let verdict: String = disk
        .open(FILE)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
}

pub fn judge_crash(crash: &Crash, ends: &[u64]) {
    let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        judge(
            &crash.recorder(),
            crash.said(OPENED),
            crash.numbers().max().unwrap_or(0),
            ends,
        );
    }));
    assert!(judged.is_ok(), "{crash}");
}

/// A disk on which a day has been already and the server has closed its database.
pub fn used(orders: &[u64]) -> Image {
    let disk = Recorder::new();
    let mut day = Day::new(&disk);
    let mut store = day.open().unwrap();
    day.begin(&mut store).unwrap();
    for orders in orders {
        day.book(&mut store, *orders).unwrap();
    }
    drop(store);
    disk.image()
}

/// Something else that is stored now and then.
pub fn registration(store: &mut SqliteStore) -> Result<(), StoreError> {
    let mut terminal = Book::terminal(2);
    terminal.state = shared_protocol::message::TerminalState::Locked;
    store.commit(&Commit {
        terminals: vec![terminal],
        ..Commit::default()
    })
}
