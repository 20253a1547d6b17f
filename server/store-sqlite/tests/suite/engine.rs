//! The suite of all engines, and what this engine adds to it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crash_vfs::Recorder;
use rusqlite::Connection;
use shared_protocol::encode;
use store::conformance::{self, Book, Random};
use store::{AuditRow, CaseNote, CaseState, Commit, Need, Office, Reader as _, Store as _, StoreError};
use store_sqlite::{Options, SqliteReader, SqliteStore};

use crate::files::{Files, open, shell};

#[test]
fn passes_the_suite_of_all_engines() {
    let files = Files::new();
    conformance::all(|| open(&files.next()));
}

/// With a log of a few pages every commit meets a checkpoint, on its thread or not.
#[test]
fn passes_the_suite_while_the_log_is_emptied_all_the_time() {
    let files = Files::new();
    for background in [true, false] {
        let options = Options {
            checkpoint_after_bytes: 8 << 10,
            wal_max_bytes: 64 << 10,
            background,
            ..Options::default()
        };
        conformance::all(|| SqliteStore::open(files.next(), &options).unwrap());
    }
}

#[test]
fn everything_is_there_after_closing_and_opening() {
    let path = Files::new();
    let path = (path.next(), path);
    conformance::reopened(
        || open(&path.0),
        |store| {
            drop(store);
            open(&path.0)
        },
    );
}

#[test]
fn everything_is_there_after_a_process_ends_without_closing() {
    let disk = Recorder::new();
    let options = |disk: &Recorder| Options {
        vfs: Some(disk.vfs_name().to_owned()),
        background: false,
        ..Options::default()
    };
    let next = std::cell::OnceCell::new();
    conformance::reopened(
        || SqliteStore::open("x.db", &options(&disk)).unwrap(),
        |store| {
            // What is on the disk while the old process still has it open.
            let after = next.get_or_init(|| Recorder::from_image(disk.image()));
            drop(store);
            SqliteStore::open("x.db", &options(after)).unwrap()
        },
    );
}

#[test]
fn nobody_can_change_or_remove_a_row_of_the_journal() {
    let files = Files::new();
    let path = files.next();
    let book = Book::new();
    let mut store = open(&path);
    book.open(&mut store).unwrap();
    book.book(&mut store, &[book.top_up(0, 1, 1, 5_00)]).unwrap();
    let before = conformance::dump(&mut store);
    drop(store);
    let shell = shell(&path);
    for sql in [
        "DELETE FROM journal",
        "UPDATE journal SET status = 2",
        "UPDATE journal SET raw = NULL WHERE no = 1",
        "DELETE FROM stream_version",
        "UPDATE stream_item SET value = NULL",
        "DELETE FROM stream_item",
    ] {
        if sql.contains("stream") {
            let insert = "INSERT OR IGNORE INTO stream_version VALUES (zeroblob(16), 9, 1, 1); \
                          INSERT OR IGNORE INTO stream_item VALUES (zeroblob(16), 9, x'01', 1, 1, x'02')";
            shell.execute_batch(insert).unwrap();
        }
        let error = shell.execute_batch(sql).unwrap_err().to_string();
        assert!(
            error.contains("nothing is") || error.contains("old revisions are kept"),
            "{sql}: {error}"
        );
    }
    drop(shell);
    assert_eq!(conformance::dump(&mut open(&path)), before);
}

#[test]
fn nobody_can_change_or_remove_what_was_said_or_done_in_the_office() {
    let files = Files::new();
    let path = files.next();
    let book = Book::new();
    let mut store = open(&path);
    book.open(&mut store).unwrap();
    let refused = book.sale(1, 1, 1, 9_00);
    book.book(&mut store, &[refused]).unwrap();
    let note = CaseNote {
        case: 1,
        at_ms: 8,
        by: "zora".to_owned(),
        state: CaseState::Taken,
        owner: None,
        text: "I ask at the bar".to_owned(),
    };
    let audit = AuditRow {
        at_ms: 8,
        by: "zora".to_owned(),
        what: "case.take".to_owned(),
        object: "case 1".to_owned(),
        detail: String::new(),
    };
    let office = Office {
        notes: vec![note.clone()],
        audit: vec![audit.clone()],
        ..Office::default()
    };
    store
        .commit(&Commit {
            office,
            ..Commit::default()
        })
        .unwrap();
    drop(store);
    let shell = shell(&path);
    for sql in [
        "DELETE FROM case_note",
        "UPDATE case_note SET text = 'nothing'",
        "DELETE FROM audit",
        "UPDATE audit SET by = 'somebody else'",
    ] {
        let error = shell.execute_batch(sql).unwrap_err().to_string();
        assert!(
            error.contains("is kept") || error.contains("in the audit log") || error.contains("of the audit log"),
            "{sql}: {error}"
        );
    }
    drop(shell);
    let mut reader = open(&path).reader().unwrap();
    assert_eq!(reader.case_notes(1).unwrap(), [note]);
    assert_eq!(reader.audit(None, None, 9).unwrap(), [(1, audit)]);
}

#[test]
fn reports_find_lines_and_a_wristbands_orders() {
    let files = Files::new();
    let path = files.next();
    let book = Book::new();
    let mut store = open(&path);
    book.open(&mut store).unwrap();
    let refused = book.sale(1, 3, 2, 9_00);
    let batch = [
        book.top_up(0, 1, 1, 20_00),
        book.sale(1, 2, 1, 4_50),
        refused,
        book.grant(2, 4, 1, 2),
    ];
    book.book(&mut store, &batch).unwrap();
    store.project(100).unwrap();
    let shell = shell(&path);
    let rows = |sql: &str| {
        let mut statement = shell.prepare(sql).unwrap();
        let columns = statement.column_count();
        let read = |row: &rusqlite::Row<'_>| {
            (0..columns)
                .map(|column| row.get(column))
                .collect::<Result<Vec<i64>, _>>()
        };
        statement
            .query_map([], read)
            .unwrap()
            .collect::<Result<Vec<_>, _>>()
            .unwrap()
    };
    let orders = rows(
        "SELECT no, day, kind, till, cashier, taxpayer FROM booked_order WHERE holder = x'04000000015e80' ORDER BY no",
    );
    assert_eq!(
        orders,
        [
            [1, 20_260_718, 4, 1, 5, 1],
            [2, 20_260_718, 1, 2, 5, 1],
            [4, 20_260_718, 14, 3, 5, 1]
        ]
    );
    assert_eq!(
        rows("SELECT count(*) FROM booked_order"),
        [[3]],
        "what was only kept is no turnover"
    );
    let lines = rows("SELECT line, kind, article, quantity, unit_price, tax, rate FROM order_line WHERE no = 2");
    assert_eq!(
        lines,
        [
            [1, 1, 17, 1, 4_50, 1, 1_900],
            [2, 1, 17, 2, 0, 1, 1_900],
            [3, 1, 17, 1, 0, 1, 1_900]
        ]
    );
}

#[test]
fn the_record_in_the_file_is_what_the_hash_covers() {
    let files = Files::new();
    let path = files.next();
    let book = Book::new();
    let mut store = open(&path);
    book.open(&mut store).unwrap();
    let commit = book.book(&mut store, &[book.top_up(0, 1, 1, 20_00)]).unwrap();
    let (record, raw): (Vec<u8>, Vec<u8>) = shell(&path)
        .query_row("SELECT record, raw FROM journal", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let row = commit.journal.first().unwrap();
    assert_eq!(
        (record, Some(raw)),
        (encode(&row.record), row.entry.as_ref().map(|entry| entry.raw.clone()))
    );
}

#[test]
fn a_backup_is_whole_and_begins_another_life_when_it_is_marked() {
    let files = Files::new();
    let (path, copy) = (files.next(), files.next());
    let book = Book::new();
    let mut store = open(&path);
    book.open(&mut store).unwrap();
    book.book(&mut store, &[book.top_up(0, 1, 1, 20_00)]).unwrap();
    let at_backup = conformance::dump(&mut store);
    // What an interrupted backup left is in nobody's way.
    std::fs::write(copy.with_extension("db.part"), b"half").unwrap();
    store.backup_to(&copy).unwrap();
    book.book(&mut store, &[book.sale(0, 2, 1, 4_50)]).unwrap();
    assert!(
        matches!(store.backup_to(&copy), Err(StoreError::Failed(_))),
        "a backup is not overwritten"
    );
    let second = files.next();
    store_sqlite::backup(&path, &second).unwrap();

    let mut restored = open(&copy);
    assert_eq!(conformance::dump(&mut restored), at_backup);
    assert_eq!(conformance::dump(&mut open(&second)), conformance::dump(&mut store));
    let life = |store: &SqliteStore| store.reader().unwrap().fact("incarnation").unwrap().unwrap();
    assert_eq!(life(&restored), life(&store));
    restored.mark_restored().unwrap();
    assert_ne!(life(&restored), life(&store));
    assert_eq!(life(&restored).len(), 8);
    let marked = life(&restored);
    drop(restored);
    assert_eq!(life(&open(&copy)), marked);
}

/// Commits, checkpoints and readers at the same time; every reader sees whole commits only.
#[test]
fn readers_and_checkpoints_beside_a_writer_see_whole_commits() {
    let files = Files::new();
    let path = files.next();
    let options = Options {
        checkpoint_after_bytes: 32 << 10,
        wal_max_bytes: 256 << 10,
        ..Options::default()
    };
    let book = Book::new();
    let mut store = SqliteStore::open(&path, &options).unwrap();
    book.open(&mut store).unwrap();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut reader = SqliteReader::open(&path, None).unwrap();
                    let mut looks = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let view = reader.balances(Book::EVENT).unwrap();
                        let cents: i64 = view.accounts.values().map(|balance| balance.balance.0).sum();
                        assert_eq!(cents.unsigned_abs(), view.last_no * 100, "each order is worth a euro");
                        let last = reader.journal(view.last_no.max(1), 1).unwrap();
                        let hash = last.first().map(|row| row.hash);
                        assert!(
                            view.last_no == 0 || hash == view.head,
                            "the head belongs to the balances"
                        );
                        looks += 1;
                    }
                    looks
                })
            })
            .collect();
        let mut random = Random::new(1);
        let end = Instant::now() + Duration::from_millis(600);
        let mut number = 0;
        while Instant::now() < end {
            let orders = u64::from(random.below(40)) + 1;
            let batch: Vec<_> = (1..=orders)
                .map(|n| book.top_up(0, number + n, random.below(300), 1_00))
                .collect();
            number += orders;
            book.book(&mut store, &batch).unwrap();
        }
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            assert!(reader.join().unwrap() > 0);
        }
    });
    assert!(store.load(&Need::default()).is_ok(), "no checkpoint has failed");
    let log = std::fs::metadata(path.with_extension("db-wal")).unwrap().len();
    assert!(log < 4 << 20, "the log has {log} bytes");
    conformance::audit(&mut *store.reader().unwrap(), &[Book::EVENT]);
    drop(store);
    let verdict: String = Connection::open(&path)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
}
