//! The rows of exports: what left the books for somebody who audits them, who asked for it, and what our own checks found.
//!
//! A row is made before the first byte is written, and ends once. A file that was deleted leaves its row.

use shared_protocol::TaxpayerId;

use crate::StoreError;
use crate::signing::TseNo;

shared_protocol::closed_enum! {
    /// What is exported.
    pub enum ExportKind {
        /// Closings of tills for tax auditors.
        Dsfinvk = 1,
        /// The logs of TSEs.
        Tse = 2,
    }
}

shared_protocol::closed_enum! {
    /// How far an export is.
    pub enum ExportState {
        /// It is being made.
        Running = 1,
        /// It is whole.
        Done = 2,
        /// It could not be made.
        Failed = 3,
        /// Somebody ended it.
        Cancelled = 4,
        /// The server ended in the middle of it.
        Interrupted = 5,
    }
}

/// What our own check found in an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFinding {
    /// Whether it is an error; otherwise somebody has to know why.
    pub error: bool,
    /// The rule's code.
    pub code: String,
    /// In which file, and where there.
    pub place: String,
    /// What is so, in English.
    pub what: String,
    /// Why it matters, in English.
    pub why: String,
    /// Where and what in German; none where that was not kept yet.
    pub told_de: Option<String>,
}

/// What somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRange {
    /// What.
    pub kind: ExportKind,
    /// Of this taxpayer; none for all.
    pub taxpayer: Option<TaxpayerId>,
    /// Of this TSE; none for all.
    pub tse: Option<TseNo>,
    /// Closings of event days from this one on, `yyyymmdd`; zero for all.
    pub from_day: u32,
    /// Up to and with this event day, `yyyymmdd`; the largest number for all.
    pub until_day: u32,
    /// The version of the standard, for DSFinV-K, such as `2.4`.
    pub version: String,
    /// Whether cashiers are named besides their numbers.
    pub staff_names: bool,
}

/// An export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRow {
    /// 1, 2, 3 … in this database.
    pub id: u64,
    /// What was asked for.
    pub range: ExportRange,
    /// By whom.
    pub by: String,
    /// When, by the server's clock, in ms since 1970.
    pub asked_at_ms: u64,
    /// How far it is.
    pub state: ExportState,
    /// When it ended.
    pub ended_at_ms: Option<u64>,
    /// The name of its file, once it is whole.
    pub file: String,
    /// Bytes of its file.
    pub bytes: u64,
    /// SHA-256 of its file.
    pub sha256: Option<[u8; 32]>,
    /// Closings, or archives.
    pub parts: u64,
    /// Receipts, or log messages.
    pub items: u64,
    /// Errors that our own check found.
    pub errors: u64,
    /// What it found besides.
    pub warnings: u64,
    /// The first of what it found.
    pub findings: Vec<ExportFinding>,
    /// What else there is to say, such as why it failed.
    pub says: String,
    /// When and by whom its file was deleted.
    pub deleted: Option<(u64, String)>,
}

impl ExportRow {
    /// One that begins.
    pub fn begun(id: u64, range: ExportRange, by: String, asked_at_ms: u64) -> Self {
        Self {
            id,
            range,
            by,
            asked_at_ms,
            state: ExportState::Running,
            ended_at_ms: None,
            file: String::new(),
            bytes: 0,
            sha256: None,
            parts: 0,
            items: 0,
            errors: 0,
            warnings: 0,
            findings: Vec::new(),
            says: String::new(),
            deleted: None,
        }
    }

    /// Whether there is a file to hand out.
    pub const fn is_there(&self) -> bool {
        matches!(self.state, ExportState::Done) && self.deleted.is_none()
    }

    /// Whether this row may become another one: one that runs ends, and a file that is there is deleted once.
    pub fn may_become(&self, after: &Self) -> bool {
        let same_asked = self.id == after.id
            && (&self.range, &self.by, self.asked_at_ms) == (&after.range, &after.by, after.asked_at_ms);
        let deleted = Self {
            deleted: after.deleted.clone(),
            ..self.clone()
        };
        self == after || same_asked && self.state == ExportState::Running || self.deleted.is_none() && deleted == *after
    }
}

pub(crate) fn check(rows: &[ExportRow], stored: impl Fn(u64) -> Option<ExportRow>) -> Result<(), StoreError> {
    let wrong = rows
        .iter()
        .find(|row| stored(row.id).is_some_and(|before| !before.may_become(row)));
    match wrong {
        Some(row) => Err(StoreError::Invalid(format!("export {} has ended", row.id))),
        None => Ok(()),
    }
}
