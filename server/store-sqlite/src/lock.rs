//! One process writes at a time.

use rusqlite::{Connection, OpenFlags};
use store::StoreError;

use crate::connection::Place;
use crate::error::{Failure, Result};

/// An exclusive lock on an empty file beside the database, taken through `SQLite` so that it works on every VFS. The operating system
/// frees it when the process ends, however it ends: a stale lock cannot be.
///
/// The database itself cannot carry the lock: a writer that kept it would let no commit end, and exclusive locking shuts readers out.
pub(crate) struct Lock {
    _connection: Connection,
}

impl Lock {
    pub(crate) fn take(place: &Place) -> Result<Self> {
        let file = place.beside("-lock");
        let connection = file.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        connection.busy_timeout(std::time::Duration::ZERO)?;
        // Nothing is ever written to the file, so a journal beside it would only be litter.
        connection.pragma_update(None, "journal_mode", "MEMORY")?;
        match connection.execute_batch("BEGIN EXCLUSIVE") {
            Ok(()) => Ok(Self {
                _connection: connection,
            }),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                Err(Failure::Store(StoreError::Busy(place.to_string())))
            }
            Err(error) => Err(error.into()),
        }
    }
}
