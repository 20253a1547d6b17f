//! Errors of the disk, on demand: the n-th operation fails, once or from then on.

use rusqlite::ffi;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full: writes, new files and new shared memory fail.
    Enospc,
    /// The disk answers with an error: every kind of operation fails, reading and opening too.
    Eio,
    /// Only syncs fail, and what they should have made durable may be lost for good, as on Linux since 4.13.
    EioOnSync,
}

/// Kinds of operation that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Io {
    Open,
    Create,
    Read,
    Write,
    Truncate,
    Sync,
    SyncDirectory,
    Size,
    Delete,
    Access,
    GrowShm,
}

impl Fault {
    fn strikes(self, io: Io) -> bool {
        match self {
            Self::Enospc => matches!(io, Io::Create | Io::Write | Io::GrowShm),
            Self::Eio => true,
            Self::EioOnSync => matches!(io, Io::Sync | Io::SyncDirectory),
        }
    }

    /// The codes that `SQLite`'s VFS for Unix gives for the same trouble.
    fn code(self, io: Io) -> i32 {
        match io {
            Io::Open | Io::Create => ffi::SQLITE_CANTOPEN,
            Io::Write if self == Self::Enospc => ffi::SQLITE_FULL,
            Io::Write => ffi::SQLITE_IOERR_WRITE,
            Io::Read => ffi::SQLITE_IOERR_READ,
            Io::Truncate => ffi::SQLITE_IOERR_TRUNCATE,
            Io::Sync => ffi::SQLITE_IOERR_FSYNC,
            Io::SyncDirectory => ffi::SQLITE_IOERR_DIR_FSYNC,
            Io::Size => ffi::SQLITE_IOERR_FSTAT,
            Io::Delete => ffi::SQLITE_IOERR_DELETE,
            Io::Access => ffi::SQLITE_IOERR_ACCESS,
            Io::GrowShm => ffi::SQLITE_IOERR_SHMSIZE,
        }
    }
}

#[derive(Clone, Copy)]
struct Armed {
    nth: u64,
    fault: Fault,
    persistent: bool,
}

/// Counts operations and decides which fail.
#[derive(Default)]
pub(crate) struct Faults {
    armed: Option<Armed>,
    seen: u64,
    hits: u64,
}

impl Faults {
    pub(crate) fn arm(&mut self, nth: u64, fault: Fault, persistent: bool) {
        let armed = Armed { nth, fault, persistent };
        *self = Self {
            armed: Some(armed),
            ..Self::default()
        };
    }

    pub(crate) fn disarm(&mut self) {
        self.armed = None;
    }

    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    pub(crate) fn hits(&self) -> u64 {
        self.hits
    }

    /// Called once for each operation before it is done.
    pub(crate) fn check(&mut self, io: Io) -> Result<(), i32> {
        let Some(armed) = self.armed else {
            self.seen += 1;
            return Ok(());
        };
        if !armed.fault.strikes(io) {
            return Ok(());
        }
        self.seen += 1;
        if self.seen == armed.nth || (armed.persistent && self.seen > armed.nth) {
            self.hits += 1;
            return Err(armed.fault.code(io));
        }
        Ok(())
    }
}
