//! Logs of TSEs that are devices or services. Only they have them, so an archive holds what the console exported of them last.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use ::exports::{Limits, unpack};
use anyhow::{Context as _, ensure};
use pages::Language;
use pages::format::Clock;
use shared_protocol::ids::hex;
use store::{ExportKind, ExportRow, ExportState, Reader, TseRow};

use super::list::digest;
use crate::exporting::{FOLDER, device_log, file_name};

/// Exports that are looked through, newest first.
const ROWS_MAX: u64 = 10_000;

/// Puts the newest log of each of these TSEs into a folder. What is not there, or how old it is, becomes a note.
pub(super) fn logs(
    reader: &mut dyn Reader,
    tses: &[TseRow],
    data: &Path,
    folder: &Path,
    notes: &mut Vec<String>,
) -> anyhow::Result<()> {
    if tses.is_empty() {
        return Ok(());
    }
    let mut rows = reader.exports(None, ROWS_MAX)?;
    rows.retain(|row| row.range.kind == ExportKind::Tse && row.state == ExportState::Done && row.deleted.is_none());
    for tse in tses {
        let name = format!("{} ({})", hex(&tse.serial), tse.name);
        let mut of_it = rows.iter().filter(|row| row.range.tse.is_none_or(|no| no == tse.no));
        match of_it.find_map(|row| taken(row, tse, data, folder).transpose().map(|taken| (row, taken))) {
            Some((row, Ok(()))) => notes.push(format!(
                "the log of TSE {name} is the console's export {} of {}; what it signed since is not in it",
                row.id,
                Clock::new("UTC", Language::En).iso(row.asked_at_ms)
            )),
            Some((row, Err(error))) => notes.push(format!(
                "no log of TSE {name}: export {} is not what it was ({error:#}); export it again on the console's page of exports, then make the archive",
                row.id
            )),
            None => notes.push(format!(
                "no log of TSE {name}, which only the device has: export it on the console's page of exports, then make the archive"
            )),
        }
    }
    Ok(())
}

/// Takes the log of a TSE out of an export; none where the export has none of it.
fn taken(row: &ExportRow, tse: &TseRow, data: &Path, folder: &Path) -> anyhow::Result<Option<()>> {
    let packed = data.join(FOLDER).join(file_name(row));
    let said = row.sha256.context("its digest is not known")?;
    ensure!(digest(&packed)? == hex(&said), "its file was changed");
    let beside = tempfile::tempdir().context("a temporary folder cannot be made")?;
    // It is one of ours, as large as the logs of all TSEs.
    let limits = Limits {
        bytes_max: u64::MAX,
        ..Limits::default()
    };
    unpack(File::open(&packed)?, beside.path(), limits)?;
    let log: PathBuf = beside.path().join(device_log(tse));
    if !log.is_file() {
        return Ok(None);
    }
    fs::create_dir_all(folder)?;
    fs::copy(&log, folder.join(device_log(tse))).context("it cannot be copied")?;
    Ok(Some(()))
}
