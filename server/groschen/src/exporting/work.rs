//! The work of one export: written, checked, packed, named.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use console::ExportStep;
use dsfinvk::check::Severity as DsfinvkSeverity;
use exports::{ExportFolder, pack};
use store::{ExportFinding, ExportKind, ExportRow, ExportState, Reader as _, TseRow};
use store_sqlite::SqliteReader;
use sync::writer::now_ms;
use verify::{Options, Severity};

use super::{Exporter, device_log, file_name};
use crate::export::{dsfinvk as books, tse};
use crate::signing::devices::adapter;
use crate::signing::{Link, Wanted};

/// How often it is looked whether somebody still wants it.
const LISTEN: Duration = Duration::from_millis(200);
/// Findings that are kept; the numbers are of all.
const FINDINGS_MAX: usize = 100;

/// An export in the making.
pub(super) struct Work<'a> {
    exporter: &'a Exporter,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    step: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

impl<'a> Work<'a> {
    pub fn new(exporter: &'a Exporter, id: u64) -> anyhow::Result<Self> {
        let running = exporter.running();
        let running = running.get(&id).context("the export is not known any more")?;
        Ok(Self {
            exporter,
            done: Arc::clone(&running.done),
            total: Arc::clone(&running.total),
            step: Arc::clone(&running.step),
            cancelled: Arc::clone(&running.cancelled),
        })
    }

    fn begins(&self, step: ExportStep, total: u64) {
        self.step.store(step.code(), Ordering::Relaxed);
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    fn is_wanted(&self) -> anyhow::Result<()> {
        ensure!(!self.cancelled.load(Ordering::Relaxed), "the export was cancelled");
        Ok(())
    }

    fn reader(&self) -> anyhow::Result<SqliteReader> {
        self.exporter.settings.reader()
    }

    /// Makes it in a folder of its own, and then the file that is handed out.
    pub fn make(&self, row: &ExportRow, part: &Path) -> anyhow::Result<ExportRow> {
        let content = part.join("content");
        fs::create_dir_all(&content).with_context(|| format!("{} cannot be made", content.display()))?;
        let done = match row.range.kind {
            ExportKind::Dsfinvk => self.dsfinvk(row, &content)?,
            ExportKind::Tse => self.tse(row, &content)?,
        };
        self.is_wanted()?;
        self.begins(ExportStep::Packing, size(&content)?);
        let packed_at = part.join("packed.zip");
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&packed_at)?;
        let packed = pack(&content, file, |bytes| {
            self.done.fetch_add(bytes, Ordering::Relaxed);
            self.is_wanted().map_err(std::io::Error::other)
        })
        .context("the archive cannot be written")?;
        let name = file_name(row);
        let folder = &self.exporter.folder;
        fs::rename(&packed_at, folder.join(&name)).context("the archive cannot be kept")?;
        // The name is on the disk before the row says that it is there.
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .context("the archive cannot be kept")?;
        Ok(ExportRow {
            state: ExportState::Done,
            file: name,
            bytes: packed.bytes,
            sha256: Some(packed.sha256),
            ..done
        })
    }

    fn dsfinvk(&self, row: &ExportRow, content: &Path) -> anyhow::Result<ExportRow> {
        let mut source = books::Books::open(self.reader()?, &self.exporter.settings)?;
        let range = books::Range {
            taxpayer: row.range.taxpayer,
            from: row.range.from_day,
            until: row.range.until_day,
            v2_3: row.range.version == "2.3",
            staff_names: row.range.staff_names,
        };
        self.begins(ExportStep::Writing, source.receipts_in(&range));
        let made = books::write(&mut source, &range, content, &mut |done| {
            self.done.store(done, Ordering::Relaxed);
            self.is_wanted()
        })?;
        self.begins(ExportStep::Checking, made.len() as u64);
        let mut done = row.clone();
        let mut cut = 0;
        for (_, path, written) in made {
            self.is_wanted()?;
            done.parts += written.closings;
            done.items += written.receipts;
            cut += written.cuts.total;
            judge_books(&path, &mut done)?;
            self.done.fetch_add(1, Ordering::Relaxed);
        }
        if cut > 0 {
            done.says = format!("{cut} texts were too long for their columns and were cut");
        }
        Ok(done)
    }

    fn tse(&self, row: &ExportRow, content: &Path) -> anyhow::Result<ExportRow> {
        let mut reader = self.reader()?;
        let mut tses = reader.tses()?;
        let wanted = |tse: &TseRow| {
            row.range.tse.is_none_or(|no| tse.no == no) && row.range.taxpayer.is_none_or(|of| tse.taxpayer == of)
        };
        tses.retain(wanted);
        ensure!(!tses.is_empty(), "there is no such TSE in this database");
        if row.range.tse.is_none() {
            // One that stands by has signed nothing, and an archive of nothing proves nothing.
            let mut signed = Vec::new();
            for tse in tses {
                if reader.tse_counters(tse.no)?.1 > 0 {
                    signed.push(tse);
                }
            }
            ensure!(!signed.is_empty(), "no TSE has signed anything yet");
            tses = signed;
        }
        let mut done = row.clone();
        for tse in &tses {
            self.is_wanted()?;
            let path = if tse.is_in_software() {
                self.software(&mut reader, tse, content)?
            } else {
                self.device(tse, content)?
            };
            self.begins(ExportStep::Checking, fs::metadata(&path)?.len());
            let read = Counted {
                file: File::open(&path)?,
                done: &self.done,
                cancelled: &self.cancelled,
            };
            let report = verify::judge(read, &Options::default());
            self.is_wanted()?;
            done.parts += 1;
            done.items += report.messages;
            done.errors += report.errors;
            done.warnings += report.warnings;
            let place = |place: &str| format!("{}: {place}", file_part(&path));
            let told = report
                .findings
                .iter()
                .filter(|finding| finding.severity != Severity::Note);
            let room = FINDINGS_MAX.saturating_sub(done.findings.len());
            done.findings.extend(told.take(room).map(|finding| ExportFinding {
                error: finding.severity == Severity::Error,
                code: finding.code.name().to_owned(),
                place: place(&finding.place.en),
                what: finding.what.en.clone(),
                why: finding.why.en.to_owned(),
                told_de: Some(format!("{}: {}", place(&finding.place.de), finding.what.de)),
            }));
        }
        Ok(done)
    }

    /// A TSE in software: the database has its log.
    fn software(&self, reader: &mut SqliteReader, tse: &TseRow, content: &Path) -> anyhow::Result<PathBuf> {
        let authority = tse::authority(&self.exporter.settings)?;
        let (last, ..) = reader.tse_counters(tse.no)?;
        self.begins(ExportStep::Writing, last);
        let (path, _) = tse::export(reader, tse, &authority, content, &mut |done| {
            self.done.store(done, Ordering::Relaxed);
            self.is_wanted()
        })?;
        tse::root(tse, &authority, content)?;
        Ok(path)
    }

    /// A device: only it has its log. Its own thread writes it, while nobody waits for a signature.
    fn device(&self, tse: &TseRow, content: &Path) -> anyhow::Result<PathBuf> {
        // How long it is nobody knows before it is there.
        self.begins(ExportStep::Writing, 0);
        let path = content.join(device_log(tse));
        let file = File::options().read(true).write(true).create_new(true).open(&path)?;
        let mut links = self.exporter.settings.tses.iter();
        if let Some(link) = links.find(|link| link.name == tse.link && link.takes_several()) {
            self.service(link, tse, file)?;
            return Ok(path);
        }
        let (answer, answered) = mpsc::channel();
        let Some(line) = self.exporter.lines.of(tse.no) else {
            bail!("the settings name no way to TSE {}; its log is nowhere else", tse.no.0);
        };
        let taken = line.export(Wanted {
            to: file,
            done: Arc::clone(&self.done),
            cancelled: Arc::clone(&self.cancelled),
            answer,
        });
        ensure!(
            taken,
            "TSE {} has too much to do; export it when nobody sells",
            tse.no.0
        );
        loop {
            match answered.recv_timeout(LISTEN) {
                Ok(Ok(_)) => return Ok(path),
                Ok(Err(why)) => bail!("TSE {} was not exported: {why}", tse.no.0),
                // It waits for a moment in which nobody sells, and must not wait for longer than somebody wants it.
                Err(RecvTimeoutError::Timeout) => self.is_wanted()?,
                Err(RecvTimeoutError::Disconnected) => bail!("TSE {} was not exported: the server ends", tse.no.0),
            }
        }
    }
}

impl Work<'_> {
    /// A service prepares its export for as long as it likes: over a connection of its own, that keeps no sale waiting.
    fn service(&self, link: &Link, tse: &TseRow, file: File) -> anyhow::Result<()> {
        let mut own = adapter(link, 1, &self.exporter.settings.signing.secrets.opener()?)?;
        let info = own.prepare(now_ms())?;
        ensure!(
            info.serial == tse.serial,
            "another TSE answers in the place of TSE {}",
            tse.no.0
        );
        let mut to = Counted {
            file,
            done: &self.done,
            cancelled: &self.cancelled,
        };
        own.export(&mut to)?;
        to.file.sync_all()?;
        Ok(())
    }
}

/// What our own check says of a folder.
fn judge_books(path: &Path, done: &mut ExportRow) -> anyhow::Result<()> {
    let report = dsfinvk::check(&ExportFolder::read(path)?);
    done.errors += report.errors;
    done.warnings += report.warnings;
    let room = FINDINGS_MAX.saturating_sub(done.findings.len());
    done.findings.extend(report.findings.iter().take(room).map(|finding| {
        let place = match finding.line {
            Some(line) => format!("{}/{}:{line}", file_part(path), finding.file),
            None => format!("{}/{}", file_part(path), finding.file),
        };
        ExportFinding {
            error: finding.severity == DsfinvkSeverity::Error,
            code: finding.code.to_string(),
            told_de: Some(format!("{place}: {}", finding.what.de)),
            place,
            what: finding.what.en.clone(),
            why: finding.why.en.to_owned(),
        }
    }));
    Ok(())
}

fn file_part(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn size(folder: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() {
            size(&entry.path())?
        } else {
            about.len()
        };
    }
    Ok(bytes)
}

/// A file that tells how far it was read, and ends when nobody wants it any more.
struct Counted<'a> {
    file: File,
    done: &'a AtomicU64,
    cancelled: &'a AtomicBool,
}

impl std::io::Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(std::io::Error::other("the export was cancelled"));
        }
        let count = self.file.write(bytes)?;
        self.done.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl std::io::Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err(std::io::Error::other("the export was cancelled"));
        }
        let count = self.file.read(buffer)?;
        self.done.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
