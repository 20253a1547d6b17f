//! A copy of the whole database while it is in use.

use std::fs::File;
use std::path::Path;

use rusqlite::OpenFlags;
use rusqlite::backup::{Backup, StepResult};
use store::StoreError;

use crate::connection::Place;
use crate::error::{Failure, Result};
use crate::startup;

/// Copies the database at `from` as it is now to `to`, which must not exist. Commits go on meanwhile; the copy is one state, durable
/// before this returns, and has its name only when it is whole.
///
/// A server that opens such a copy in the place of the original calls [`mark_restored`](crate::SqliteStore::mark_restored) first.
pub fn backup(from: impl AsRef<Path>, to: impl AsRef<Path>) -> std::result::Result<(), StoreError> {
    Ok(copy(&Place::new(from.as_ref(), None), to.as_ref())?)
}

pub(crate) fn copy(from: &Place, to: &Path) -> Result<()> {
    let failed = |error: std::io::Error| Failure::Store(StoreError::Failed(format!("{}: {error}", to.display())));
    if to.exists() {
        return Err(Failure::Store(StoreError::Failed(format!(
            "{} exists already; nothing was written",
            to.display()
        ))));
    }
    let part = Place::new(to, None).beside(".part");
    let part_path = part.on_disk().unwrap_or_else(|| to.to_owned());
    // What an interrupted backup left.
    if part_path.exists() {
        std::fs::remove_file(&part_path).map_err(failed)?;
    }
    let source = from.reader()?;
    startup::assert_current(&source)?;
    let mut target = part.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    // In one step: a copy in parts begins anew whenever somebody commits.
    if Backup::new(&source, &mut target)?.step(-1)? != StepResult::Done {
        return Err(Failure::Store(StoreError::Busy(from.to_string())));
    }
    drop(target);
    File::open(&part_path)
        .and_then(|file| file.sync_all())
        .map_err(failed)?;
    std::fs::rename(&part_path, to).map_err(failed)?;
    let directory = to
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(failed)
}
