//! `groschen export tse`: the log of a TSE in software.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use fiscal::export::authority::Authority;
use fiscal::export::{Times, TseExport};
use fiscal::tse::Curve;
use shared_protocol::crypto::Hash32;
use shared_protocol::ids::hex;
use store::{Reader, TransactionRow, TseRow};
use sync::writer::now_ms;

use crate::Exit;
use crate::keys::sealed_seed;
use crate::progress::Progress;
use crate::settings::{Flags, ListenFlags, Settings};

/// Transactions read at a time.
const PAGE_ROWS: u64 = 4_096;

/// Arguments of `export tse`.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// The folder to write to; it is made where there is none.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Only this TSE, by its number in the database.
    #[arg(long, value_name = "NO")]
    tse: Option<u16>,
    /// Write a JSON object for each archive, one a line.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    let settings = Settings::resolve(&arguments.flags, &ListenFlags::default())?;
    let mut reader = settings.reader()?;
    let mut tses = reader.tses()?;
    if let Some(no) = arguments.tse {
        tses.retain(|tse| tse.no.0 == no);
        ensure!(!tses.is_empty(), "there is no TSE {no} in this database");
    }
    if arguments.tse.is_none() {
        for tse in tses.iter().filter(|tse| !tse.is_in_software()) {
            eprintln!(
                "TSE {} is not in software: its export comes from the device itself.",
                tse.no.0
            );
        }
        tses.retain(store::TseRow::is_in_software);
    }
    if tses.is_empty() {
        bail!("there is no TSE in software in this database: nothing was signed here yet");
    }
    let authority = authority(&settings)?;
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("the folder {} cannot be made", arguments.out.display()))?;
    for tse in &tses {
        let (last, ..) = reader.tse_counters(tse.no)?;
        let mut progress = Progress::new("exporting", last);
        let (path, messages) = export(&mut reader, tse, &authority, &arguments.out, &mut |done| {
            progress.at(done);
            Ok(())
        })?;
        drop(progress);
        let root = root(tse, &authority, &arguments.out)?;
        if arguments.json {
            let line = serde_json::json!({
                "tse": tse.no.0,
                "serial": hex(&tse.serial),
                "certified": false,
                "file": path.display().to_string(),
                "root": root.display().to_string(),
                "messages": messages,
            });
            println!("{line}");
        } else {
            println!(
                "TSE {}, in software and not certified: {messages} messages in {}; its root is {}.",
                tse.no.0,
                path.display(),
                root.display()
            );
        }
    }
    Ok(Exit::Done)
}

/// Writes the logs of TSEs in software into a folder, signed with the key of the settings.
pub(crate) fn write_all(
    reader: &mut dyn Reader,
    tses: &[TseRow],
    settings: &Settings,
    out: &Path,
) -> anyhow::Result<()> {
    let authority = authority(settings)?;
    for tse in tses {
        export(reader, tse, &authority, out, &mut |_| Ok(()))?;
        root(tse, &authority, out)?;
    }
    Ok(())
}

/// What signs the certificates of exports of TSEs in software.
pub(crate) fn authority(settings: &Settings) -> anyhow::Result<Authority> {
    let key = settings.data.join("tse.key");
    // It would be made anew, and with it a root that stands behind nothing.
    ensure!(
        key.exists(),
        "{} is not there; put it back: the certificates of an export are signed with what it holds",
        key.display()
    );
    let opener = settings.signing.secrets.opener()?;
    let why = "put the right file back, exports are signed with what it holds";
    let seed = sealed_seed(&key, why, &opener)?;
    Ok(Authority::new(Hash32::of("groschen tse root 1", &[&seed]).0))
}

/// Writes the archive of a TSE in software, whole or not at all. `step` hears how many transactions are done, and ends it by failing. Gives the file
/// and the messages in it.
pub(crate) fn export(
    reader: &mut dyn Reader,
    tse: &TseRow,
    authority: &Authority,
    folder: &Path,
    step: &mut dyn FnMut(u64) -> anyhow::Result<()>,
) -> anyhow::Result<(PathBuf, u64)> {
    let made_s = now_ms() / 1_000;
    // A server may go on signing: what it signs from here on belongs to the next export.
    let (last, last_counter, _) = reader.tse_counters(tse.no)?;
    let first = reader.transactions(tse.no, 0, 1)?;
    let times = Times {
        valid_from_s: first.first().map_or(made_s, |row| row.started_s),
        made_s,
    };
    let file = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("{} cannot be written to", folder.display()))?;
    let mut export = TseExport::begin(BufWriter::new(file), tse, authority, times)?;
    let mut next = 0;
    while next <= last {
        let rows = reader.transactions(tse.no, next, PAGE_ROWS)?;
        let Some(newest) = rows.last() else { break };
        let newest_done = newest.transaction;
        next = newest_done + 1;
        for row in rows.into_iter().filter_map(|row| until(row, last_counter)) {
            export.transaction(&row)?;
        }
        step(newest_done)?;
    }
    let (out, messages) = export.finish()?;
    let file = out.into_inner().context("the archive cannot be written")?;
    let serial = hex(&tse.serial);
    let path = folder.join(format!("tse-{}-{}.tar", tse.no.0, serial.get(..16).unwrap_or(&serial)));
    keep(file, &path)?;
    Ok((path, messages))
}

/// What a transaction was up to a signature; nothing where it began later.
fn until(mut row: TransactionRow, last_counter: u64) -> Option<TransactionRow> {
    row.end = row.end.filter(|end| end.counter <= last_counter);
    (row.start_counter <= last_counter).then_some(row)
}

/// The root of a TSE's certificates, for whoever judges its exports.
pub(crate) fn root(tse: &TseRow, authority: &Authority, folder: &Path) -> anyhow::Result<PathBuf> {
    let (curve, name) = if tse.algorithm == Curve::P256.algorithm() {
        (Curve::P256, "p256")
    } else {
        (Curve::BrainpoolP384, "brainpoolp384r1")
    };
    let path = folder.join(format!("tse-root-{name}.cer"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(&authority.root(curve)?.der)?;
    keep(file, &path)?;
    Ok(path)
}

fn keep(file: tempfile::NamedTempFile, path: &Path) -> anyhow::Result<()> {
    file.as_file().sync_all()?;
    file.persist(path)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use shared_protocol::CartId;
    use store::{TransactionEnd, TseNo};

    use super::*;

    #[test]
    fn what_is_signed_while_the_export_runs_belongs_to_the_next_one() {
        let row = TransactionRow {
            tse: TseNo(1),
            transaction: 4,
            client: "TILL-1".to_owned(),
            cart: CartId([0; 16]),
            started_s: 1,
            start_counter: 7,
            start_signature: Vec::new(),
            end: Some(TransactionEnd {
                time_s: 2,
                counter: 9,
                process_type: String::new(),
                process_data: String::new(),
                signature: Vec::new(),
            }),
        };
        assert_eq!(until(row.clone(), 9), Some(row.clone()));
        let open = TransactionRow {
            end: None,
            ..row.clone()
        };
        assert_eq!(until(row.clone(), 8), Some(open));
        assert_eq!(until(row, 6), None);
    }
}
