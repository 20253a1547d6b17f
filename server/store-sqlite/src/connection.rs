//! Connections and the settings each of them must have.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use store::StoreError;

use crate::error::{Failure, Result};

/// How a database is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// The name of a VFS that is registered with `SQLite`; none for that of the operating system.
    pub vfs: Option<String>,
    /// The server's clock, kept as the fact `created_at_ms` of a new database.
    pub created_at_ms: u64,
    /// Pages are copied from the log into the database after every so many bytes.
    pub checkpoint_after_bytes: u64,
    /// Above this the writer itself empties the log, and a commit waits for it.
    pub wal_max_bytes: u64,
    /// Whether the copying is done on a thread of its own. Without, the writer does it after a commit: every run is the same.
    pub background: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            vfs: None,
            created_at_ms: 0,
            checkpoint_after_bytes: 4 << 20,
            wal_max_bytes: 64 << 20,
            background: true,
        }
    }
}

/// Balances of all wristbands and the ends of all indexes stay in it: among 1,000,000 orders (600 MB) of 20,000 wristbands a load
/// takes 3 µs of CPU an order, among none 2 µs. Memory-mapped reading is left off: there an error of the disk kills the process.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
const READER_CACHE_KIB: i64 = 8 * 1024;

/// Somebody with a shell may hold the lock for a moment.
pub(crate) const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Where a database is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    path: PathBuf,
    vfs: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.display().fmt(f)
    }
}

impl Place {
    /// Links are followed first, so that two names of one file have one lock.
    pub(crate) fn new(path: &Path, vfs: Option<&str>) -> Self {
        let path = if vfs.is_none() {
            std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
        } else {
            path.to_owned()
        };
        Self {
            path,
            vfs: vfs.map(str::to_owned),
        }
    }

    /// A file whose name is that of the database with something after it.
    pub(crate) fn beside(&self, suffix: &str) -> Self {
        let mut path = OsString::from(&self.path);
        path.push(suffix);
        Self {
            path: path.into(),
            vfs: self.vfs.clone(),
        }
    }

    /// The path, if the operating system knows it.
    pub(crate) fn on_disk(&self) -> Option<PathBuf> {
        self.vfs.is_none().then(|| self.path.clone())
    }

    pub(crate) fn open(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&self.path, flags, vfs.as_str()),
            None => Connection::open_with_flags(&self.path, flags),
        }
    }

    /// A connection that may write but has not looked at anything yet.
    pub(crate) fn writer(&self) -> Result<Connection> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        keep_log_on_close(&connection, true)?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }

    pub(crate) fn reader(&self) -> Result<Connection> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        keep_log_on_close(&connection, true)?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.set_prepared_statement_cache_capacity(64);
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(connection)
    }

    /// A connection that copies pages from the log into the database and does nothing else.
    pub(crate) fn checkpointer(&self) -> Result<Connection> {
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        keep_log_on_close(&connection, true)?;
        connection.busy_timeout(BUSY_WAIT)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        Ok(connection)
    }
}

/// The last connection that closes copies the log into the database and deletes it. Only the writer does that, and only when all is well.
pub(crate) fn keep_log_on_close(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)
        .map(|_| ())
}

/// Runs a statement without a result, prepared once.
pub(crate) fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

/// Runs `work` on one state of the database: what others commit meanwhile is not seen.
pub(crate) fn reading<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    run(connection, "BEGIN")?;
    let done = work(connection);
    let ended = run(connection, "ROLLBACK");
    let value = done?;
    ended?;
    Ok(value)
}

/// Runs `work` in one transaction: when this gives `Ok`, all of it is durable; otherwise nothing of it is there.
pub(crate) fn writing<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    run(connection, "BEGIN IMMEDIATE")?;
    let done = work(connection).and_then(|value| {
        run(connection, "COMMIT")?;
        Ok(value)
    });
    if done.is_err() && !connection.is_autocommit() {
        // When even this fails the error that led here says more.
        let _ = run(connection, "ROLLBACK");
    }
    done
}

/// Switches a connection that will write to WAL with a sync at every commit, and reads back that it is so.
pub(crate) fn make_durable(connection: &Connection) -> Result<()> {
    // The switch deletes a rollback journal. Only EXTRA syncs the directory after that; otherwise the journal may come back in a power
    // cut and take back what was acknowledged since.
    connection.pragma_update(None, "synchronous", "EXTRA")?;
    // To the last row: the pragma answers before it commits the change, and an error of that commit comes with the next step.
    let mut switch = connection.prepare("PRAGMA journal_mode = WAL")?;
    let answers = switch
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<Vec<String>>>()?;
    drop(switch);
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Without it REPLACE would take rows out of the journal past its trigger.
    connection.pragma_update(None, "recursive_triggers", true)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    let journal_mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    if answers != ["wal"] || journal_mode != "wal" || synchronous != 2 {
        let what = format!("cannot be made durable: journal_mode is {journal_mode}, synchronous is {synchronous}");
        return Err(Failure::Store(StoreError::Failed(what)));
    }
    Ok(())
}
