//! What is opened, what is refused, and what is left untouched.

use std::path::Path;

use rusqlite::Connection;
use store::conformance::{self, Book};
use store::{Need, Reader as _, Store as _, StoreError};
use store_sqlite::{APPLICATION_ID, FORMAT, Options, SqliteReader, SqliteStore};

use crate::files::{Files, open, shell, to_format_1};

fn refused(path: &Path) -> StoreError {
    SqliteStore::open(path, &Options::default()).unwrap_err()
}

fn with_orders(path: &Path) -> SqliteStore {
    let book = Book::new();
    let mut store = open(path);
    book.open(&mut store).unwrap();
    book.book(&mut store, &[book.top_up(0, 1, 1, 20_00), book.sale(1, 2, 1, 4_50)])
        .unwrap();
    store
}

#[test]
fn a_new_database_says_what_it_is() {
    let files = Files::new();
    let path = files.next();
    let options = Options {
        created_at_ms: 1_784_368_800_000,
        ..Options::default()
    };
    let store = SqliteStore::open(&path, &options).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(
        reader.fact("created_at_ms").unwrap(),
        Some(1_784_368_800_000_u64.to_be_bytes().to_vec())
    );
    assert_eq!(reader.fact("incarnation").unwrap().map(|life| life.len()), Some(8));
    assert_eq!(reader.fact("nothing").unwrap(), None);
    drop((store, reader));
    let shell = shell(&path);
    let number = |name: &str| {
        shell
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(
        (number("application_id"), number("user_version")),
        (i64::from(APPLICATION_ID), i64::from(FORMAT))
    );
    let mode: String = shell
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
    let loose: i64 = shell
        .query_row(
            "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%' AND NOT strict",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(loose, 0, "every table is strict");
}

/// Somebody switched the file to a rollback journal; the server does not take it as it is.
#[test]
fn a_database_that_left_wal_is_brought_back_to_it() {
    let files = Files::new();
    let path = files.next();
    drop(with_orders(&path));
    let mode: String = shell(&path)
        .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "delete");
    let store = open(&path);
    assert!(path.with_extension("db-wal").exists());
    assert_eq!(store.reader().unwrap().head().unwrap().0, 2);
}

#[test]
fn a_newer_database_is_refused_and_not_touched() {
    let files = Files::new();
    let path = files.next();
    drop(with_orders(&path));
    shell(&path).pragma_update(None, "user_version", FORMAT + 5).unwrap();
    let before = std::fs::read(&path).unwrap();
    let error = refused(&path);
    assert!(
        matches!(error, StoreError::Newer { found, known } if (found, known) == (FORMAT + 5, FORMAT)),
        "{error}"
    );
    assert!(matches!(SqliteReader::open(&path, None), Err(StoreError::Newer { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_of_something_else_is_refused_and_not_touched() {
    let files = Files::new();
    let (other, text, half) = (files.next(), files.next(), files.next());
    shell(&other).execute_batch("CREATE TABLE something (x)").unwrap();
    std::fs::write(
        &text,
        "This is not a database, it is a letter to my grandmother.".repeat(40),
    )
    .unwrap();
    drop(with_orders(&half));
    let whole = std::fs::read(&half).unwrap();
    std::fs::write(&half, &whole[..whole.len() / 2]).unwrap();
    for path in [&other, &text, &half] {
        let before = std::fs::read(path).unwrap();
        let error = refused(path);
        assert!(matches!(error, StoreError::Damaged(_)), "{error}");
        assert_eq!(&std::fs::read(path).unwrap(), &before);
    }
    let nowhere = other.join("x.db");
    assert!(matches!(refused(&nowhere), StoreError::Failed(_)));
}

#[test]
fn a_second_server_is_refused_until_the_first_has_ended() {
    let files = Files::new();
    let path = files.next();
    let first = with_orders(&path);
    assert!(matches!(refused(&path), StoreError::Busy(_)));
    let link = path.with_extension("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(
        matches!(refused(&link), StoreError::Busy(_)),
        "another name of the same file"
    );
    assert_eq!(
        SqliteReader::open(&path, None).unwrap().head().unwrap().0,
        2,
        "reading is free"
    );
    drop(first);
    assert_eq!(open(&path).reader().unwrap().head().unwrap().0, 2);
}

#[test]
fn an_older_database_is_migrated_and_its_sums_are_made_again() {
    let files = Files::new();
    let path = files.next();
    let mut store = with_orders(&path);
    store.project(1).unwrap();
    let before = conformance::dump(&mut store);
    drop(store);
    to_format_1(&shell(&path));
    assert!(
        matches!(SqliteReader::open(&path, None), Err(StoreError::Failed(_))),
        "a reader cannot migrate"
    );
    let mut store = open(&path);
    assert_eq!(store.project(0).unwrap(), (0, 2));
    store.project(1).unwrap();
    assert_eq!(conformance::dump(&mut store), before);
    conformance::audit(&mut *store.reader().unwrap(), &[Book::EVENT]);
}

/// Whoever can write to the file can take the triggers away; the chain tells.
fn forge(path: &Path, sql: &str) {
    let shell = shell(path);
    shell
        .execute_batch("DROP TRIGGER journal_keeps_rows; DROP TRIGGER journal_keeps_content")
        .unwrap();
    shell.pragma_update(None, "foreign_keys", false).unwrap();
    shell.execute_batch(sql).unwrap();
}

#[test]
fn a_changed_tail_of_the_journal_is_found_at_the_start() {
    let files = Files::new();
    for sql in [
        "UPDATE journal SET hash = zeroblob(32) WHERE no = 2",
        "UPDATE journal SET record = (SELECT record FROM journal WHERE no = 1) WHERE no = 2",
        "UPDATE journal SET record = x'00' WHERE no = 2",
        "UPDATE journal SET no = 9 WHERE no = 2",
        "DELETE FROM journal WHERE no = 1",
        "UPDATE cursor SET hash = x'".to_owned().as_str(),
    ] {
        let path = files.next();
        drop(with_orders(&path));
        let sql = if sql.ends_with("x'") {
            format!("{sql}{}'", "01".repeat(32))
        } else {
            sql.to_owned()
        };
        forge(&path, &sql);
        let error = refused(&path);
        assert!(matches!(error, StoreError::Damaged(_)), "{sql}: {error}");
    }
}

#[test]
fn a_row_that_was_changed_before_its_sums_were_made_stops_the_sums() {
    let files = Files::new();
    let path = files.next();
    let mut store = with_orders(&path);
    forge(&path, "UPDATE journal SET hash = zeroblob(32) WHERE no = 2");
    assert!(matches!(store.project(10), Err(StoreError::Damaged(_))));
    assert!(store.load(&Need::default()).is_err(), "and the store with them");
}

#[test]
fn a_log_that_was_left_behind_is_taken_in() {
    let files = Files::new();
    let (path, copy) = (files.next(), files.next());
    let mut store = with_orders(&path);
    for suffix in ["", "-wal"] {
        let name = |path: &Path| format!("{}{suffix}", path.display());
        std::fs::copy(name(&path), name(&copy)).unwrap();
    }
    assert!(std::fs::metadata(format!("{}-wal", copy.display())).unwrap().len() > 0);
    assert_eq!(conformance::dump(&mut open(&copy)), conformance::dump(&mut store));
}

/// The writer's own settings cannot be seen from outside; what they do can.
#[test]
fn a_commit_is_in_the_log_and_synced_before_it_returns() {
    let disk = crash_vfs::Recorder::new();
    let options = Options {
        vfs: Some(disk.vfs_name().to_owned()),
        background: false,
        ..Options::default()
    };
    let book = Book::new();
    let mut store = SqliteStore::open("x.db", &options).unwrap();
    book.open(&mut store).unwrap();
    let commit = |store: &mut SqliteStore, orders: std::ops::Range<u64>| {
        let before = disk.log().syncs();
        let batch: Vec<_> = orders.map(|number| book.top_up(0, number, 1, 1_00)).collect();
        book.book(store, &batch).unwrap();
        disk.log().syncs() - before
    };
    assert_eq!(
        (commit(&mut store, 1..2), commit(&mut store, 2..66)),
        (1, 1),
        "one sync for any number of rows"
    );
    drop(store);
    let _: &Connection = &disk.open("x.db").unwrap();
}
