//! The offline queue: the terminal's journal and what it keeps beside it, in one `SQLite` file on the device.
//!
//! Entries and heads are never changed or deleted (triggers hold that); a write is one transaction, durable when it returns. After an error that leaves
//! it open whether a write is there, the queue answers nothing more: it is opened again, and what it then holds is true.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};
use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::crypto::{Algorithm, Hash32, Signature};
use shared_protocol::ids::Bytes;
use shared_protocol::message::Certificate;
use shared_protocol::stream::{Copy, Stream, Version};
use terminal::{Damaged, MetaKey, Restored, StorageFault, StoredEntry, Write};

/// Entries read back from a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The hash before the first one; none when that is entry 1.
    pub previous: Option<Hash32>,
    /// The entries in order.
    pub entries: Vec<StoredEntry>,
    /// The heads stored for them.
    pub heads: Vec<SignedHead>,
}

/// Why a queue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The write is certainly not there.
    #[error("nothing was stored: {0:?}")]
    NotStored(StorageFault),
    /// It is open whether the write is there. Open the queue again.
    #[error("it is not known whether it was stored ({0}); the queue has to be opened again")]
    Unknown(String),
    /// The file cannot be opened or read.
    #[error("the queue cannot be read: {0}; keep the file, it may hold unsent orders")]
    Unreadable(String),
    /// The file is from a newer version of the app.
    #[error("the queue has format {found}, this app knows up to {FORMAT}; install the newer app, nothing was changed")]
    Newer {
        /// Its format.
        found: i64,
    },
    /// An entry does not continue the journal.
    #[error(transparent)]
    Damaged(#[from] Damaged),
}

/// Where a terminal's journal is kept.
pub trait Queue: Send + 'static {
    /// Stores all of it durably, or nothing.
    fn write(&mut self, writes: &[Write]) -> Result<(), QueueError>;
    /// Reads entries back.
    fn fetch(&mut self, epoch: u32, from_seq: u64, entries_max: u32) -> Result<Fetched, QueueError>;
    /// Reads what a new terminal needs.
    fn restore(&mut self) -> Result<Restored, QueueError>;
}

/// The format this code writes.
const FORMAT: i64 = 1;

/// Who only reads waits this long for a writer; a commit takes milliseconds.
const READ_PATIENCE: Duration = Duration::from_secs(2);

const SCHEMA: &str = "
CREATE TABLE epochs (epoch INTEGER PRIMARY KEY, previous_seq INTEGER NOT NULL, previous_head BLOB NOT NULL, acked INTEGER NOT NULL) STRICT;
CREATE TABLE entries (epoch INTEGER NOT NULL, seq INTEGER NOT NULL CHECK (seq > 0), hash BLOB NOT NULL, bytes BLOB NOT NULL,
    PRIMARY KEY (epoch, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE heads (epoch INTEGER NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL, algorithm INTEGER NOT NULL, signature BLOB NOT NULL,
    PRIMARY KEY (epoch, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE streams (stream INTEGER PRIMARY KEY, generation INTEGER NOT NULL, rev INTEGER NOT NULL) STRICT;
CREATE TABLE items (stream INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (stream, key)) STRICT, WITHOUT ROWID;
CREATE TABLE meta (key INTEGER PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TRIGGER entries_stay_as_written BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the journal is never changed'); END;
CREATE TRIGGER entries_stay BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the journal is never deleted'); END;
CREATE TRIGGER heads_stay_as_written BEFORE UPDATE ON heads BEGIN SELECT RAISE(ABORT, 'heads are never changed'); END;
CREATE TRIGGER heads_stay BEFORE DELETE ON heads BEGIN SELECT RAISE(ABORT, 'heads are never deleted'); END;
";

/// The queue of a real terminal.
pub struct SqliteQueue {
    connection: Connection,
    /// The last entry of each epoch, so that a hole is refused without a look into the file.
    last: BTreeMap<u32, u64>,
    unknown: bool,
}

fn unreadable(error: &rusqlite::Error) -> QueueError {
    QueueError::Unreadable(error.to_string())
}

impl SqliteQueue {
    /// Opens or creates a queue. `vfs` names another file system of `SQLite`'s, for crash tests.
    pub fn open(path: &Path, vfs: Option<&str>) -> Result<Self, QueueError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs),
            None => Connection::open_with_flags(path, flags),
        };
        let mut connection = opened.map_err(|error| unreadable(&error))?;
        let format = Self::prepare(&mut connection).map_err(|error| unreadable(&error))?;
        if format > FORMAT {
            return Err(QueueError::Newer { found: format });
        }
        let last = Self::ends(&connection).map_err(|error| unreadable(&error))?;
        Ok(Self {
            connection,
            last,
            unknown: false,
        })
    }

    /// Opens a queue that somebody else writes, to read it beside them.
    pub fn reader(path: &Path) -> Result<Self, QueueError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let read = || {
            let connection = Connection::open_with_flags(path, flags)?;
            connection.busy_timeout(READ_PATIENCE)?;
            let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            Ok((connection, format))
        };
        let (connection, format) = read().map_err(|error: rusqlite::Error| unreadable(&error))?;
        if format != FORMAT {
            return Err(QueueError::Newer { found: format });
        }
        Ok(Self {
            connection,
            last: BTreeMap::new(),
            unknown: false,
        })
    }

    /// The certificate of the terminal whose queue this is; none before it is registered.
    pub fn certificate(&self) -> Result<Option<Certificate>, QueueError> {
        let metas = self.metas().map_err(|error| unreadable(&error))?;
        let identity = metas.into_iter().find(|(key, _)| *key == MetaKey::Identity);
        Ok(identity.and_then(|(_, value)| terminal::certificate_of(&value)))
    }

    /// All epochs, in their order.
    pub fn starts(&self) -> Result<Vec<EpochStart>, QueueError> {
        let epochs = self.epochs().map_err(|error| unreadable(&error))?;
        Ok(epochs.into_iter().map(|(start, _)| start).collect())
    }

    /// Stored heads of entries within these, inclusive.
    pub fn heads_between(&self, epoch: u32, from_seq: u64, to_seq: u64) -> Result<Vec<SignedHead>, QueueError> {
        self.heads(epoch, from_seq, to_seq).map_err(|error| unreadable(&error))
    }

    fn prepare(connection: &mut Connection) -> rusqlite::Result<i64> {
        let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if format > FORMAT {
            return Ok(format);
        }
        // While the file changes over to a write-ahead log, deletions must be synced too: two cuts at the very first start could otherwise
        // bring the old journal file back.
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        step_to_the_end(connection, "PRAGMA journal_mode = WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Android has no usable folder for temporary files.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        assert!(
            mode == "wal" && synchronous == 2,
            "a queue that may forget what was shown as paid is not used"
        );
        // What a crash left in the log is written anew before it is trusted: after a failed sync nobody knows what of it is on the disk.
        step_to_the_end(connection, "PRAGMA wal_checkpoint(TRUNCATE)")?;
        if format == 0 {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(SCHEMA)?;
            transaction.pragma_update(None, "user_version", FORMAT)?;
            transaction.commit()?;
        }
        Ok(format.max(1))
    }

    fn ends(connection: &Connection) -> rusqlite::Result<BTreeMap<u32, u64>> {
        let mut ends = connection.prepare(
            "SELECT epoch, (SELECT coalesce(max(seq), 0) FROM entries WHERE entries.epoch = epochs.epoch) FROM epochs",
        )?;
        ends.query_map([], |row| Ok((row.get(0)?, unsigned(row.get(1)?))))?
            .collect()
    }
}

/// Runs a statement to its last row: some pragmas do their work, and report its failure, only after the first.
fn step_to_the_end(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// `SQLite`'s integers are signed; numbers of this crate never reach the sign.
fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or_default()
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn hash(bytes: &[u8]) -> Hash32 {
    Hash32::from_slice(bytes).unwrap_or(Hash32::ZERO)
}

fn fault(error: &rusqlite::Error) -> StorageFault {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StorageFault::Full,
        Some(ErrorCode::ConstraintViolation) => StorageFault::Conflict,
        _ => StorageFault::Io,
    }
}

fn apply(transaction: &Transaction<'_>, write: &Write) -> rusqlite::Result<()> {
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| transaction.prepare_cached(sql)?.execute(values).map(|_| ());
    match write {
        Write::Epoch(start) => run(
            "INSERT INTO epochs (epoch, previous_seq, previous_head, acked) VALUES (?1, ?2, ?3, 0)",
            params![start.epoch, signed(start.previous_seq), &start.previous_head.0[..]],
        ),
        Write::Entry(entry) => run(
            "INSERT INTO entries (epoch, seq, hash, bytes) VALUES (?1, ?2, ?3, ?4)",
            params![entry.epoch, signed(entry.seq), &entry.hash.0[..], &entry.bytes],
        ),
        Write::Head(head) => run(
            "INSERT INTO heads (epoch, seq, hash, algorithm, signature) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            params![
                head.epoch,
                signed(head.seq),
                &head.hash.0[..],
                head.signature.algorithm.code(),
                &head.signature.bytes.0
            ],
        ),
        Write::Acked { epoch, seq } => run(
            "UPDATE epochs SET acked = ?2 WHERE epoch = ?1",
            params![epoch, signed(*seq)],
        ),
        Write::Stream {
            stream,
            version,
            snapshot,
            changes,
        } => {
            if *snapshot {
                run("DELETE FROM items WHERE stream = ?1", params![stream.code()])?;
            }
            for change in changes {
                match &change.value {
                    Some(value) => run(
                        "INSERT INTO items (stream, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value",
                        params![stream.code(), &change.key.0, &value.0],
                    )?,
                    None => run(
                        "DELETE FROM items WHERE stream = ?1 AND key = ?2",
                        params![stream.code(), &change.key.0],
                    )?,
                }
            }
            run(
                "INSERT INTO streams (stream, generation, rev) VALUES (?1, ?2, ?3) \
                 ON CONFLICT DO UPDATE SET generation = excluded.generation, rev = excluded.rev",
                params![stream.code(), version.generation, signed(version.rev)],
            )
        }
        Write::Meta {
            key,
            value: Some(value),
        } => run(
            "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
            params![key.code(), value],
        ),
        Write::Meta { key, value: None } => run("DELETE FROM meta WHERE key = ?1", params![key.code()]),
    }
}

/// Whether every entry follows the last one of its epoch; gives the new ends.
fn follow(last: &BTreeMap<u32, u64>, writes: &[Write]) -> Option<BTreeMap<u32, u64>> {
    let mut ends = last.clone();
    for write in writes {
        match write {
            Write::Epoch(start) => drop(ends.insert(start.epoch, 0)),
            Write::Entry(entry) => {
                let end = ends.get_mut(&entry.epoch)?;
                if end.checked_add(1) != Some(entry.seq) {
                    return None;
                }
                *end = entry.seq;
            }
            _ => {}
        }
    }
    Some(ends)
}

impl Queue for SqliteQueue {
    fn write(&mut self, writes: &[Write]) -> Result<(), QueueError> {
        if self.unknown {
            return Err(QueueError::Unknown("an earlier write failed".to_owned()));
        }
        let ends = follow(&self.last, writes).ok_or(QueueError::NotStored(StorageFault::Conflict))?;
        let not_stored = |error: rusqlite::Error| QueueError::NotStored(fault(&error));
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(not_stored)?;
        writes
            .iter()
            .try_for_each(|write| apply(&transaction, write))
            .map_err(not_stored)?;
        if let Err(error) = transaction.commit() {
            // Without room the end of the transaction was not written, so it is certainly not there. After a failed sync nobody knows.
            if fault(&error) == StorageFault::Full && self.connection.is_autocommit() {
                return Err(QueueError::NotStored(StorageFault::Full));
            }
            self.unknown = true;
            return Err(QueueError::Unknown(error.to_string()));
        }
        self.last = ends;
        Ok(())
    }

    fn fetch(&mut self, epoch: u32, from_seq: u64, entries_max: u32) -> Result<Fetched, QueueError> {
        let read = || -> rusqlite::Result<Fetched> {
            let mut before = self
                .connection
                .prepare_cached("SELECT hash FROM entries WHERE epoch = ?1 AND seq = ?2")?;
            let previous = before
                .query_row(params![epoch, signed(from_seq.saturating_sub(1))], |row| {
                    Ok(hash(row.get_ref(0)?.as_blob()?))
                })
                .optional()?;
            let mut after = self.connection.prepare_cached(
                "SELECT seq, hash, bytes FROM entries WHERE epoch = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3",
            )?;
            let entries = after
                .query_map(params![epoch, signed(from_seq), entries_max], |row| {
                    Ok(StoredEntry {
                        epoch,
                        seq: unsigned(row.get(0)?),
                        hash: hash(row.get_ref(1)?.as_blob()?),
                        bytes: row.get(2)?,
                    })
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            let last = entries.last().map_or(0, |entry| entry.seq);
            let heads = self.heads(epoch, from_seq, last)?;
            Ok(Fetched {
                previous,
                entries,
                heads,
            })
        };
        read().map_err(|error| unreadable(&error))
    }

    fn restore(&mut self) -> Result<Restored, QueueError> {
        let mut restored = Restored::empty();
        let sql = |error: rusqlite::Error| unreadable(&error);
        for (key, value) in self.metas().map_err(sql)? {
            restored.meta(key, value);
        }
        for (stream, copy) in self.copies().map_err(sql)? {
            restored.stream(stream, copy);
        }
        let epochs = self.epochs().map_err(sql)?;
        for (start, acked) in &epochs {
            restored.epoch(*start, *acked);
        }
        for (start, acked) in epochs {
            let last = self.last.get(&start.epoch).copied().unwrap_or_default();
            let mut from = Restored::reads_from(last, acked);
            // In pages: an offline day has fifty thousand entries.
            loop {
                let page = self.fetch(start.epoch, from, PAGE_ENTRIES)?;
                let Some(end) = page.entries.last().map(|entry| entry.seq) else {
                    break;
                };
                for entry in page.entries {
                    restored.entry(entry)?;
                }
                page.heads.into_iter().for_each(|head| restored.head(head));
                from = end.saturating_add(1);
            }
        }
        Ok(restored)
    }
}

/// Entries read at a time at a start.
const PAGE_ENTRIES: u32 = 1_024;

impl SqliteQueue {
    fn heads(&self, epoch: u32, from_seq: u64, to_seq: u64) -> rusqlite::Result<Vec<SignedHead>> {
        let mut heads = self.connection.prepare_cached(
            "SELECT seq, hash, algorithm, signature FROM heads WHERE epoch = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq",
        )?;
        heads
            .query_map(params![epoch, signed(from_seq), signed(to_seq)], |row| {
                let algorithm = Algorithm::from_code(row.get(2)?);
                let bytes = Bytes(row.get(3)?);
                let signature = algorithm.map(|algorithm| Signature { algorithm, bytes });
                Ok((unsigned(row.get(0)?), hash(row.get_ref(1)?.as_blob()?), signature))
            })?
            .filter_map(|row| match row {
                Ok((seq, hash, Some(signature))) => Some(Ok(SignedHead {
                    epoch,
                    seq,
                    hash,
                    signature,
                })),
                // A head of an algorithm this version does not know is made anew.
                Ok((_, _, None)) => None,
                Err(error) => Some(Err(error)),
            })
            .collect()
    }

    fn metas(&self) -> rusqlite::Result<Vec<(MetaKey, Vec<u8>)>> {
        let mut metas = self.connection.prepare("SELECT key, value FROM meta")?;
        let rows = metas.query_map([], |row| Ok((MetaKey::from_code(row.get(0)?), row.get(1)?)))?;
        rows.filter_map(|row| row.map(|(key, value)| Some((key?, value))).transpose())
            .collect()
    }

    fn copies(&self) -> rusqlite::Result<Vec<(Stream, Copy)>> {
        let mut streams = self.connection.prepare("SELECT stream, generation, rev FROM streams")?;
        let versions = streams
            .query_map([], |row| {
                let version = Version {
                    generation: row.get(1)?,
                    rev: unsigned(row.get(2)?),
                };
                Ok((row.get::<_, u8>(0)?, version))
            })?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let mut items = self
            .connection
            .prepare("SELECT key, value FROM items WHERE stream = ?1")?;
        let mut copies = Vec::new();
        for (code, version) in versions {
            let items = items
                .query_map([code], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect::<rusqlite::Result<_>>()?;
            copies.extend(Stream::from_code(code).map(|stream| (stream, Copy { version, items })));
        }
        Ok(copies)
    }

    fn epochs(&self) -> rusqlite::Result<Vec<(EpochStart, u64)>> {
        let mut epochs = self
            .connection
            .prepare("SELECT epoch, previous_seq, previous_head, acked FROM epochs ORDER BY epoch")?;
        let rows = epochs.query_map([], |row| {
            let start = EpochStart {
                epoch: row.get(0)?,
                previous_seq: unsigned(row.get(1)?),
                previous_head: hash(row.get_ref(2)?.as_blob()?),
            };
            Ok((start, unsigned(row.get(3)?)))
        })?;
        rows.collect()
    }
}

/// A queue in memory, for load generators: it forgets everything with the process, and says so by its name.
#[derive(Default)]
pub struct MemoryQueue {
    epochs: BTreeMap<u32, (EpochStart, u64)>,
    last: BTreeMap<u32, u64>,
    entries: BTreeMap<(u32, u64), StoredEntry>,
    heads: BTreeMap<(u32, u64), SignedHead>,
    streams: BTreeMap<Stream, Copy>,
    metas: BTreeMap<MetaKey, Vec<u8>>,
}

impl Queue for MemoryQueue {
    fn write(&mut self, writes: &[Write]) -> Result<(), QueueError> {
        self.last = follow(&self.last, writes).ok_or(QueueError::NotStored(StorageFault::Conflict))?;
        for write in writes {
            match write {
                Write::Epoch(start) => drop(self.epochs.insert(start.epoch, (*start, 0))),
                Write::Entry(entry) => drop(self.entries.insert((entry.epoch, entry.seq), entry.clone())),
                Write::Head(head) => drop(self.heads.insert((head.epoch, head.seq), head.clone())),
                Write::Acked { epoch, seq } => {
                    if let Some((_, acked)) = self.epochs.get_mut(epoch) {
                        *acked = *seq;
                    }
                }
                Write::Stream {
                    stream,
                    version,
                    snapshot,
                    changes,
                } => {
                    let copy = self.streams.entry(*stream).or_default();
                    if *snapshot {
                        copy.items.clear();
                    }
                    for change in changes {
                        match &change.value {
                            Some(value) => drop(copy.items.insert(change.key.0.clone(), value.0.clone())),
                            None => drop(copy.items.remove(&change.key.0)),
                        }
                    }
                    copy.version = *version;
                }
                Write::Meta {
                    key,
                    value: Some(value),
                } => drop(self.metas.insert(*key, value.clone())),
                Write::Meta { key, value: None } => drop(self.metas.remove(key)),
            }
        }
        Ok(())
    }

    fn fetch(&mut self, epoch: u32, from_seq: u64, entries_max: u32) -> Result<Fetched, QueueError> {
        let previous = self
            .entries
            .get(&(epoch, from_seq.saturating_sub(1)))
            .map(|entry| entry.hash);
        let range = self
            .entries
            .range((epoch, from_seq)..=(epoch, u64::MAX))
            .map(|(_, entry)| entry.clone());
        let entries: Vec<_> = range.take(usize::try_from(entries_max).unwrap_or(usize::MAX)).collect();
        let last = entries.last().map_or(0, |entry| entry.seq);
        let heads = if last < from_seq {
            Vec::new()
        } else {
            self.heads
                .range((epoch, from_seq)..=(epoch, last))
                .map(|(_, head)| head.clone())
                .collect()
        };
        Ok(Fetched {
            previous,
            entries,
            heads,
        })
    }

    fn restore(&mut self) -> Result<Restored, QueueError> {
        let mut restored = Restored::empty();
        self.metas
            .iter()
            .for_each(|(key, value)| restored.meta(*key, value.clone()));
        self.streams
            .iter()
            .for_each(|(stream, copy)| restored.stream(*stream, copy.clone()));
        self.epochs
            .values()
            .for_each(|(start, acked)| restored.epoch(*start, *acked));
        for (start, acked) in self.epochs.values() {
            let last = self.last.get(&start.epoch).copied().unwrap_or_default();
            let from = Restored::reads_from(last, *acked);
            for (_, entry) in self.entries.range((start.epoch, from)..=(start.epoch, u64::MAX)) {
                restored.entry(entry.clone())?;
            }
            self.heads
                .range((start.epoch, from)..=(start.epoch, u64::MAX))
                .for_each(|(_, head)| restored.head(head.clone()));
        }
        Ok(restored)
    }
}
