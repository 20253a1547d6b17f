//! What an error of `SQLite` means for the caller.

use rusqlite::ErrorCode;
use rusqlite::ffi;
use store::StoreError;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// An error on the way, before the caller sees it.
#[derive(Debug)]
pub(crate) enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sqlite(error) => classify(&error),
            Failure::Store(error) => error,
        }
    }
}

/// Whether the writer may go on after it: the transaction was rolled back and the database is what it was.
pub(crate) const fn leaves_the_store_whole(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Conflict(_) | StoreError::Invalid(_) | StoreError::Busy(_)
    )
}

/// Why a store answers nothing more.
#[derive(Debug)]
pub(crate) struct Stopped {
    full: bool,
    text: String,
}

impl Stopped {
    pub(crate) fn by(error: &StoreError) -> Self {
        Self {
            full: matches!(error, StoreError::Full),
            text: error.to_string(),
        }
    }

    pub(crate) fn error(&self) -> StoreError {
        if self.full {
            StoreError::Full
        } else {
            StoreError::Failed(format!("stopped before: {}", self.text))
        }
    }
}

/// Content that this program cannot have written.
pub(crate) fn damaged(what: impl std::fmt::Display) -> Failure {
    Failure::Store(StoreError::Damaged(what.to_string()))
}

fn classify(error: &rusqlite::Error) -> StoreError {
    let text = error.to_string();
    let Some(code) = error.sqlite_error() else {
        // A column of another type than the schema has.
        return StoreError::Damaged(text);
    };
    match code.code {
        ErrorCode::ConstraintViolation => match code.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
                StoreError::Conflict(claimed(&text).to_owned())
            }
            _ => StoreError::Invalid(text),
        },
        ErrorCode::DiskFull => StoreError::Full,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy(text),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Damaged(text),
        _ => StoreError::Failed(format!("{text}, SQLite code {}", code.extended_code)),
    }
}

/// Which key was taken, in words.
fn claimed(text: &str) -> &str {
    let keys = [
        ("journal.posting", "an order id"),
        ("journal.reverses", "a reversal"),
        ("journal.seq", "a place in a terminal's journal"),
        ("journal.no", "a journal number"),
        ("terminal.id", "a terminal's id"),
    ];
    keys.iter()
        .find(|(column, _)| text.contains(column))
        .map_or(text, |(_, words)| words)
}
