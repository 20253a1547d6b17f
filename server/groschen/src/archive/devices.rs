//! Logs of TSEs that are devices or services. Only they have them, so an archive holds what the console exported of them last.

use std::fs::{self, File};
use std::path::Path;

use ::exports::{Limits, unpack};
use anyhow::{Context as _, ensure};
use pages::Language;
use pages::format::Clock;
use shared_protocol::ids::hex;
use store::{ExportKind, ExportRow, ExportState, Reader, TseRow};
use tempfile::TempDir;

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
    let name = |tse: &TseRow| format!("{} ({})", hex(&tse.serial), tse.name);
    let mut missing: Vec<&TseRow> = tses.iter().collect();
    for row in &rows {
        let may_hold = |tse: &TseRow| row.range.tse.is_none_or(|no| no == tse.no);
        if !missing.iter().any(|tse| may_hold(tse)) {
            continue;
        }
        let content = unpacked(row, data);
        let mut left = Vec::new();
        for tse in missing {
            let log = device_log(tse);
            match &content {
                _ if !may_hold(tse) => left.push(tse),
                Ok(content) if !content.path().join(&log).is_file() => left.push(tse),
                Ok(content) => {
                    fs::create_dir_all(folder)?;
                    fs::copy(content.path().join(&log), folder.join(&log)).context("a log cannot be copied")?;
                    notes.push(format!(
                        "the log of TSE {} is the console's export {} of {}; what it signed since is not in it",
                        name(tse),
                        row.id,
                        Clock::new("UTC", Language::En).iso(row.asked_at_ms)
                    ));
                }
                Err(error) => notes.push(format!(
                    "no log of TSE {}: export {} is not what it was ({error:#}); export it again on the console's page of exports, then make the archive",
                    name(tse),
                    row.id
                )),
            }
        }
        missing = left;
    }
    notes.extend(missing.into_iter().map(|tse| {
        format!(
            "no log of TSE {}, which only the device has: export it on the console's page of exports, then make the archive",
            name(tse)
        )
    }));
    Ok(())
}

/// What is in an export, if it is what its row says.
fn unpacked(row: &ExportRow, data: &Path) -> anyhow::Result<TempDir> {
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
    Ok(beside)
}
