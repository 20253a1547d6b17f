//! Databases on real files.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use store_sqlite::{Options, SqliteStore};
use tempfile::TempDir;

/// Places for databases that are gone at the end.
pub struct Files {
    directory: TempDir,
    count: Cell<u32>,
}

impl Files {
    pub fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            count: Cell::new(0),
        }
    }

    pub fn next(&self) -> PathBuf {
        self.count.set(self.count.get() + 1);
        self.directory.path().join(format!("{}.db", self.count.get()))
    }
}

pub fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, &Options::default()).unwrap()
}

/// The database as anybody with a shell can have it.
pub fn shell(path: &Path) -> Connection {
    Connection::open(path).unwrap()
}

/// Takes a database back to format 1, as the program wrote it before it had sums.
pub fn to_format_1(connection: &Connection) {
    let later = [
        "office_session",
        "office_user",
        "case_note",
        "case_state",
        "audit",
        "order_hour",
        "purse",
        "signing_progress",
        "closing_item",
        "closing",
        "unclosed_order",
        "unclosed_transaction",
        "tse_client",
        "tse_certificate",
        "tse_wish",
        "tse_retired",
        "export_finding",
        "export",
        "tax",
    ];
    let sums = ["cursor", "account_sum", "turnover", "booked_order", "order_line"];
    let signing = [
        "signing",
        "signing_count",
        "outage",
        "tse_counter",
        "tse_transaction",
        "tse",
    ];
    let drop: Vec<String> = later
        .iter()
        .chain(&sums)
        .chain(&signing)
        .map(|table| format!("DROP TABLE {table};"))
        .collect();
    connection.execute_batch(&drop.concat()).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
}
