//! The ledger under test: an order is one journal row and one change of a balance, in one transaction, acknowledged after the commit.

use crash_vfs::{Crash, Image, Recorder};
use rusqlite::Connection;

pub const FILE: &str = "ledger.db";
pub const ORDERS: u32 = 6;

/// A way to run `SQLite`.
#[derive(Clone, Copy, Debug)]
pub struct Mode {
    pub journal: &'static str,
    pub synchronous: &'static str,
    /// `synchronous` while the journal mode changes.
    pub switch: &'static str,
}

pub const fn mode(journal: &'static str, synchronous: &'static str) -> Mode {
    let switch = "EXTRA";
    Mode {
        journal,
        synchronous,
        switch,
    }
}

pub const WAL_FULL: Mode = mode("WAL", "FULL");

pub fn open(disk: &Recorder, mode: Mode) -> rusqlite::Result<Connection> {
    let connection = disk.open(FILE)?;
    connection.pragma_update(None, "synchronous", mode.switch)?;
    // To the last row: the pragma answers before it commits the change, an error of that commit comes with the next step, and without
    // asking for it the connection says "wal" and keeps a rollback journal.
    let sql = format!("PRAGMA journal_mode = {}", mode.journal);
    let answers = connection
        .prepare(&sql)?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    assert_eq!(answers, [mode.journal.to_lowercase()]);
    connection.pragma_update(None, "synchronous", mode.synchronous)?;
    // A checkpoint every few frames, so that a short script crosses several.
    connection.pragma_update(None, "wal_autocheckpoint", 4)?;
    Ok(connection)
}

pub fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "BEGIN;
         CREATE TABLE journal (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
         CREATE TABLE balance (account INTEGER PRIMARY KEY, orders INTEGER NOT NULL) STRICT;
         INSERT INTO balance VALUES (1, 0);
         COMMIT;",
    )
}

pub fn order(connection: &mut Connection, id: u32) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute(
        "INSERT INTO journal VALUES (?1, ?2)",
        (id, vec![id.to_le_bytes()[0]; 900]),
    )?;
    transaction.execute("UPDATE balance SET orders = orders + 1 WHERE account = 1", [])?;
    transaction.commit()
}

/// Creates the book and takes all orders on a new disk; an acknowledgement is a mark.
pub fn run(disk: &Recorder, mode: Mode) -> rusqlite::Result<()> {
    let mut connection = open(disk, mode)?;
    create(&connection)?;
    disk.mark("created");
    for id in 1..=ORDERS {
        order(&mut connection, id)?;
        disk.mark(u64::from(id));
    }
    Ok(())
}

/// A disk with an empty book on it.
pub fn empty(mode: Mode) -> Image {
    let disk = Recorder::new();
    let connection = open(&disk, mode).unwrap();
    create(&connection).unwrap();
    drop(connection);
    disk.image()
}

/// What is wrong with a disk.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    pub corrupt: u32,
    pub half_applied: u32,
    pub lost: u32,
}

impl Damage {
    pub fn add(&mut self, other: Self) {
        self.corrupt += other.corrupt;
        self.half_applied += other.half_applied;
        self.lost += other.lost;
    }
}

/// The ids in the journal, or None if there is no book yet.
pub fn orders(connection: &Connection) -> rusqlite::Result<Option<(Vec<u32>, u32)>> {
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(None);
    }
    let mut statement = connection.prepare("SELECT id FROM journal WHERE length(body) = 900 ORDER BY id")?;
    let ids = statement
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let balance = connection.query_row("SELECT orders FROM balance", [], |row| row.get(0))?;
    Ok(Some((ids, balance)))
}

fn contents(disk: &Recorder) -> rusqlite::Result<Option<(Vec<u32>, u32)>> {
    let connection = disk.open(FILE)?;
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(rusqlite::Error::InvalidQuery);
    }
    orders(&connection)
}

/// Reads a disk with stock `SQLite` and holds it against what was acknowledged.
pub fn judge(disk: &Recorder, created: bool, acknowledged: &[u32]) -> Damage {
    let mut damage = Damage::default();
    match contents(disk) {
        Err(_) => damage.corrupt = 1,
        Ok(None) => damage.lost = u32::from(created),
        Ok(Some((ids, balance))) => {
            damage.half_applied = u32::from(ids.len() != balance as usize);
            damage.lost = u32::from(!acknowledged.iter().all(|id| ids.contains(id)));
        }
    }
    damage
}

pub fn judge_crash(crash: &Crash) -> Damage {
    let acknowledged: Vec<u32> = crash.numbers().map(|id| u32::try_from(id).unwrap()).collect();
    judge(&crash.recorder(), crash.said("created"), &acknowledged)
}
