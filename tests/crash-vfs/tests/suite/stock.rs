//! `SQLite` runs on this VFS as it does on files.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crash_vfs::{Op, Recorder};
use rusqlite::{Connection, ErrorCode};

use crate::book::{self, WAL_FULL, mode};

const SCRIPT: &str = "
    CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price INTEGER);
    CREATE INDEX item_by_name ON item (name);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO item SELECT i, 'item ' || (i * 7919 % 3001), i * 10 FROM n;
    DELETE FROM item WHERE id % 3 = 0;
    UPDATE item SET price = price + 1, name = name || ' ' || hex(zeroblob(id % 50)) WHERE id % 2 = 0;
    SAVEPOINT undo; DELETE FROM item; ROLLBACK TO undo; RELEASE undo;
    VACUUM;
    DELETE FROM item WHERE id > 2500;
    PRAGMA incremental_vacuum;
    ANALYZE;";

#[test]
fn a_database_has_the_same_bytes_as_one_that_stock_sqlite_keeps_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (journal, cache) in [("DELETE", -2000), ("TRUNCATE", 5), ("PERSIST", 5), ("WAL", 5)] {
        let path = folder.path().join(journal);
        let disk = Recorder::new();
        let ours = disk.open(journal).unwrap();
        for connection in [&ours, &Connection::open(&path).unwrap()] {
            // A small cache spills to the disk in the middle of transactions.
            connection.pragma_update(None, "cache_size", cache).unwrap();
            connection
                .pragma_update_and_check(None, "journal_mode", journal, |_| Ok(()))
                .unwrap();
            connection.execute_batch(SCRIPT).unwrap();
        }
        drop(ours);
        let bytes = disk.image().file(journal).unwrap();
        assert!(
            bytes == std::fs::read(&path).unwrap(),
            "{journal}: {} bytes",
            bytes.len()
        );
    }
}

fn accounts(disk: &Recorder) -> Connection {
    let connection = book::open(disk, WAL_FULL).unwrap();
    connection
        .execute_batch(
            "CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER NOT NULL);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) INSERT INTO account SELECT i, 0 FROM n;",
        )
        .unwrap();
    connection
}

/// Jepsen's bank: whatever a reader sees adds up to zero, in each of its snapshots.
#[test]
fn readers_in_other_threads_see_whole_transactions_while_writers_write_and_checkpoint() {
    const WRITERS: u32 = 2;
    const TRANSFERS: u32 = 300;
    let disk = Recorder::new();
    let first = accounts(&disk);
    let writing = AtomicBool::new(true);
    let reads: u32 = thread::scope(|scope| {
        let readers: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let connection = disk.open(book::FILE).unwrap();
                    let mut reads = 0;
                    while writing.load(Ordering::Relaxed) {
                        let snapshot = connection.unchecked_transaction().unwrap();
                        let moved = |sql| -> (i64, i64) {
                            snapshot
                                .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
                                .unwrap()
                        };
                        let before = moved("SELECT sum(amount), sum(abs(amount)) FROM account");
                        let after = moved("SELECT sum(amount), sum(abs(amount)) FROM account");
                        assert_eq!(before.0, 0);
                        assert_eq!(before, after, "a snapshot does not change");
                        reads += 1;
                    }
                    reads
                })
            })
            .collect();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let disk = &disk;
                scope.spawn(move || {
                    let mut connection = book::open(disk, WAL_FULL).unwrap();
                    for step in 0..TRANSFERS {
                        let transaction = connection
                            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
                            .unwrap();
                        let change = "UPDATE account SET amount = amount + ?1 WHERE id = ?2";
                        transaction.execute(change, (1, 1 + (step * 7 + writer) % 200)).unwrap();
                        transaction.execute(change, (-1, 1 + (step * 13 + 5) % 200)).unwrap();
                        transaction.commit().unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
        writing.store(false, Ordering::Relaxed);
        readers.into_iter().map(|reader| reader.join().unwrap()).sum()
    });
    println!("{reads} snapshots read beside {} commits", WRITERS * TRANSFERS);
    assert!(reads > 10);
    let verdict: String = first.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let busy: i64 = first
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(busy, 0);
    drop(first);
    let image = disk.image();
    assert_eq!(
        image.names().collect::<Vec<_>>(),
        [book::FILE],
        "the last one out removes the write-ahead log"
    );
}

#[test]
fn an_open_snapshot_keeps_its_frames_and_a_second_writer_is_busy() {
    let disk = Recorder::new();
    let writer = accounts(&disk);
    let reader = disk.open(book::FILE).unwrap();
    let other = disk.open(book::FILE).unwrap();
    for connection in [&writer, &other] {
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    }
    let sum = |connection: &Connection| -> i64 {
        connection
            .query_row("SELECT sum(amount) FROM account", [], |row| row.get(0))
            .unwrap()
    };

    let snapshot = reader.unchecked_transaction().unwrap();
    assert_eq!(sum(&snapshot), 0);
    writer.execute("UPDATE account SET amount = 1", []).unwrap();
    assert_eq!((sum(&snapshot), sum(&other)), (0, 200));
    let checkpoint = |mode: &str| -> (i64, i64, i64) {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        writer
            .query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
    };
    assert_eq!(checkpoint("TRUNCATE").0, 1, "the reader still needs the log");
    snapshot.commit().unwrap();
    assert_eq!(checkpoint("TRUNCATE"), (0, 0, 0));

    let writing = writer.unchecked_transaction().unwrap();
    writing.execute("UPDATE account SET amount = 2", []).unwrap();
    let refused = other.execute("UPDATE account SET amount = 3", []).unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    writing.commit().unwrap();
    other.execute("UPDATE account SET amount = 3", []).unwrap();
    assert_eq!(sum(&reader), 600);
}

#[test]
fn a_rollback_journal_keeps_writers_and_readers_apart_by_file_locks() {
    let disk = Recorder::new();
    let mut writer = book::open(&disk, mode("DELETE", "FULL")).unwrap();
    book::create(&writer).unwrap();
    let reader = disk.open(book::FILE).unwrap();
    for connection in [&writer, &reader] {
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    }
    let reading = reader.unchecked_transaction().unwrap();
    assert_eq!(book::orders(&reading).unwrap(), Some((vec![], 0)));
    let refused = book::order(&mut writer, 1).unwrap_err();
    assert_eq!(refused.sqlite_error_code(), Some(ErrorCode::DatabaseBusy));
    reading.commit().unwrap();
    book::order(&mut writer, 1).unwrap();
    assert_eq!(book::orders(&reader).unwrap(), Some((vec![1], 1)));
}

#[test]
fn the_log_tells_a_commit_as_writes_then_a_sync_then_the_mark() {
    let disk = Recorder::from_image(book::empty(WAL_FULL));
    let mut connection = book::open(&disk, WAL_FULL).unwrap();
    book::order(&mut connection, 1).unwrap();
    disk.mark(1);
    let log = disk.log();
    let kinds: Vec<_> = log
        .ops()
        .iter()
        .map(|op| match op {
            Op::Create { .. } => 'c',
            Op::Write { .. } => 'w',
            Op::Sync { .. } => 's',
            Op::SyncDirectory { .. } => 'd',
            Op::Mark(_) => 'm',
            Op::Truncate { .. } | Op::SyncFailed { .. } | Op::Delete { .. } => '?',
        })
        .collect();
    assert_eq!(kinds.iter().collect::<String>(), "cwsdwwwwsm", "{log}");
}

#[test]
#[should_panic(expected = "close the connections first")]
fn a_recorder_does_not_go_before_its_connections() {
    let disk = Recorder::new();
    let connection = disk.open(book::FILE).unwrap();
    connection.execute_batch("CREATE TABLE t (a)").unwrap();
    drop(disk);
}

#[test]
fn two_recorders_are_two_disks() {
    let (one, other) = (Recorder::new(), Recorder::new());
    assert_ne!(one.vfs_name(), other.vfs_name());
    one.open(book::FILE)
        .unwrap()
        .execute_batch("CREATE TABLE t (a)")
        .unwrap();
    assert!(other.image().file(book::FILE).is_none());
    let name = one.vfs_name().to_owned();
    drop(one);
    let gone = Connection::open_with_flags_and_vfs(book::FILE, rusqlite::OpenFlags::default(), name.as_str());
    assert!(gone.is_err());
}
