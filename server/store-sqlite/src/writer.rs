//! The write side: one connection, one transaction a commit, and nothing at all after an error of the disk.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;
use shared_protocol::crypto::Hash32;
use store::{Commit, Loaded, Need, Reader, Store, StoreError};

use crate::checkpoint::Checkpointer;
use crate::connection::{Options, Place, keep_log_on_close, make_durable, reading, writing};
use crate::error::{Result, Stopped, leaves_the_store_whole};
use crate::load::LotAssets;
use crate::lock::Lock;
use crate::reader::SqliteReader;
use crate::{backup, commit, load, project, startup, wal};

/// A database that this process alone writes to.
pub struct SqliteStore {
    // In the order in which they have to end: the writer closes last of the connections and leaves one file, then others may come.
    checkpointer: Checkpointer,
    pub(crate) connection: Connection,
    _lock: Lock,
    place: Place,
    head: (u64, Hash32),
    lot_assets: LotAssets,
    /// The first error after which nothing is known of the disk.
    failure: Arc<OnceLock<Stopped>>,
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SqliteStore({}, {} rows)", self.place, self.head.0)
    }
}

impl SqliteStore {
    /// Opens or creates a database; brings an older one to this program's format.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> std::result::Result<Self, StoreError> {
        Ok(Self::open_at(
            Place::new(path.as_ref(), options.vfs.as_deref()),
            options,
        )?)
    }

    fn open_at(place: Place, options: &Options) -> Result<Self> {
        let lock = Lock::take(&place)?;
        let connection = place.writer()?;
        let format = startup::format(&connection)?;
        wal::settle(&connection, &place)?;
        make_durable(&connection)?;
        startup::migrate(&connection, format, options.created_at_ms)?;
        let page_bytes: i64 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        let (head, lot_assets) = reading(&connection, |connection| {
            Ok((startup::check_tail(connection)?, load::lot_assets(connection)?))
        })?;
        let failure = Arc::default();
        let checkpointer = Checkpointer::start(&place, options, page_bytes.unsigned_abs(), &failure)?;
        keep_log_on_close(&connection, false)?;
        Ok(Self {
            checkpointer,
            connection,
            _lock: lock,
            place,
            head,
            lot_assets,
            failure,
        })
    }

    /// Begins another life of the database: what was restored from a backup must not be taken for what was there before.
    pub fn mark_restored(&mut self) -> std::result::Result<(), StoreError> {
        self.guarded(|store| writing(&store.connection, startup::begin_another_life))
    }

    /// Copies the database as it is now, see [`backup`](crate::backup()). Readers of any thread can do the same with its path.
    pub fn backup_to(&self, path: impl AsRef<Path>) -> std::result::Result<(), StoreError> {
        Ok(backup::copy(&self.place, path.as_ref())?)
    }

    /// Runs `work` unless an earlier error forbids it, and remembers an error that forbids what comes after.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> std::result::Result<T, StoreError> {
        if let Some(failure) = self.failure.get() {
            return Err(failure.error());
        }
        let done = work(self).map_err(StoreError::from);
        if let Err(error) = &done
            && !leaves_the_store_whole(error)
        {
            let _ = self.failure.set(Stopped::by(error));
            // Closing must not touch a disk that is in doubt. If even this fails, the next start copes with it as with a cut.
            let _ = keep_log_on_close(&self.connection, true);
        }
        done
    }
}

impl Store for SqliteStore {
    fn load(&mut self, need: &Need) -> std::result::Result<Loaded, StoreError> {
        self.guarded(|store| {
            reading(&store.connection, |connection| {
                load::load(connection, need, store.head, &store.lot_assets)
            })
        })
    }

    fn commit(&mut self, batch: &Commit) -> std::result::Result<(), StoreError> {
        self.guarded(|store| {
            batch.check(store.head.0, &store.head.1)?;
            writing(&store.connection, |connection| commit::write(connection, batch))?;
            if let Some(row) = batch.journal.last() {
                store.head = (row.record.no, row.hash);
            }
            store
                .lot_assets
                .extend(batch.lots.keys().map(|(key, _)| (key.event, key.asset)));
            Ok(())
        })?;
        self.keep_the_log_short();
        Ok(())
    }

    fn project(&mut self, rows_max: u64) -> std::result::Result<(u64, u64), StoreError> {
        let projected =
            self.guarded(|store| writing(&store.connection, |connection| project::project(connection, rows_max)))?;
        self.keep_the_log_short();
        Ok((projected, self.head.0))
    }

    fn reader(&self) -> std::result::Result<Box<dyn Reader>, StoreError> {
        Ok(Box::new(SqliteReader::at(&self.place)?))
    }
}

impl SqliteStore {
    /// What was committed is durable whatever becomes of this; the next call reports an error.
    fn keep_the_log_short(&mut self) {
        let _ = self.guarded(|store| store.checkpointer.committed(&store.connection));
    }
}
