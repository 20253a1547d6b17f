//! What makes exports, as the console sees it.

use std::fs::File;
use std::future::Future;
use std::pin::Pin;

use shared_protocol::catalogue::Text;
use store::{ExportKind, ExportRange, ExportRow};

use crate::fault::Fault;

/// What an export is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportStep {
    /// It is written.
    Writing,
    /// Our own check reads it.
    Checking,
    /// It is packed into one file.
    Packing,
}

impl ExportStep {
    /// A number for it.
    pub const fn code(self) -> u64 {
        match self {
            Self::Writing => 0,
            Self::Checking => 1,
            Self::Packing => 2,
        }
    }

    /// The step of a number.
    pub const fn from_code(code: u64) -> Self {
        match code {
            0 => Self::Writing,
            1 => Self::Checking,
            _ => Self::Packing,
        }
    }
}

/// How far an export is that is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportProgress {
    /// Which.
    pub id: u64,
    /// What.
    pub kind: ExportKind,
    /// How much of the step is done: receipts, transactions or bytes.
    pub done: u64,
    /// Of how much; zero where nobody knows.
    pub total: u64,
    /// What it is at.
    pub step: ExportStep,
}

/// Why an export was not begun or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ExportFault {
    /// One of the kind is being made.
    #[error("an export of this kind is being made already; wait for it or cancel it")]
    Busy,
    /// The database does not answer.
    #[error("the database does not answer")]
    Unavailable,
    /// The disk.
    #[error("the file could not be deleted: {0}")]
    Disk(String),
}

/// An answer that comes once it is in the database.
pub type Asked<'a, T> = Pin<Box<dyn Future<Output = Result<T, ExportFault>> + Send + 'a>>;

/// What makes exports.
pub trait Exports: Send + Sync {
    /// Begins one. Gives its number.
    fn start(&self, range: ExportRange, by: String) -> Asked<'_, u64>;
    /// Ends one that is being made, soon. Gives whether there was one.
    fn cancel(&self, id: u64) -> bool;
    /// What is being made.
    fn progress(&self) -> Vec<ExportProgress>;
    /// The file of one that is whole.
    fn open(&self, row: &ExportRow) -> std::io::Result<File>;
    /// Deletes the file of one; its row stays.
    fn delete(&self, row: ExportRow, by: String) -> Asked<'_, ()>;
}

impl From<ExportFault> for Fault {
    fn from(fault: ExportFault) -> Self {
        match fault {
            ExportFault::Busy => Self::refused(
                "Ein Export dieser Art läuft schon. Nichts ist begonnen; warte auf ihn, oder brich ihn ab.",
                "An export of this kind is being made already. Nothing was begun; wait for it, or cancel it.",
            ),
            ExportFault::Unavailable => Self::Unavailable,
            ExportFault::Disk(error) => Self::Refused(Text::new(
                &format!(
                    "Die Datei ließ sich nicht löschen ({error}). Die Liste nennt sie als gelöscht; lösch sie auf dem Server im Ordner exports."
                ),
                &format!(
                    "The file could not be deleted ({error}). The list names it as deleted; delete it on the server in the folder exports."
                ),
            )),
        }
    }
}
