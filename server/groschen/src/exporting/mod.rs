//! Exports that a running server makes for its console: in the background, one of a kind at a time, kept in `exports/` of the data folder.
//!
//! An export is written into a folder of its own, checked by our own checks, packed, and only then gets the name by which it is handed out: a file with
//! that name is always whole. Its row in the database is there before its first byte, and says how it ended; what a server that ended left behind is
//! `interrupted`, and its bytes are removed at the next start. What must never happen here: an old export deleted by itself.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use console::{ExportFault, ExportProgress, ExportStep};
use engine::Request;
use shared_protocol::ids::hex;
use store::{AuditRow, ExportKind, ExportRange, ExportRow, ExportState, Office, Reader as _, TseRow};
use store_sqlite::{SqliteReader, SqliteStore};
use sync::writer::{Writer, now_ms};
use tokio::runtime::Handle;

use crate::settings::Settings;
use crate::signing::Lines;

mod work;

/// The folder in the data folder.
pub const FOLDER: &str = "exports";
/// How what is being made is called.
const UNFINISHED: &str = ".part";
/// Rows that are looked through for interrupted ones at the start.
const ROWS_MAX: u64 = 10_000;

/// What is said of an export that a server left behind.
const INTERRUPTED: &str = "the server ended before it was whole";

/// An export on its way.
struct Running {
    row: ExportRow,
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    /// What it is at: a code of [`ExportStep`].
    step: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

/// Makes exports.
pub struct Exporter {
    settings: Settings,
    folder: PathBuf,
    writer: Writer<SqliteStore>,
    lines: Lines,
    runtime: Handle,
    running: Mutex<BTreeMap<u64, Running>>,
    next_id: AtomicU64,
    stopping: AtomicBool,
    /// Makes waiting for what runs possible when the server ends.
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl Exporter {
    /// Over a running server. What the one before could not finish is marked, and removed.
    pub async fn start(settings: Settings, writer: Writer<SqliteStore>, lines: Lines) -> anyhow::Result<Arc<Self>> {
        let folder = settings.data.join(FOLDER);
        fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        remove_unfinished(&folder)?;
        let rows = SqliteReader::open(settings.database(), None)?.exports(None, ROWS_MAX)?;
        let next_id = rows.first().map_or(1, |row| row.id + 1);
        let interrupted = rows.into_iter().filter(|row| row.state == ExportState::Running);
        let interrupted: Vec<ExportRow> = interrupted
            .map(|row| ExportRow {
                state: ExportState::Interrupted,
                ended_at_ms: Some(now_ms()),
                says: INTERRUPTED.to_owned(),
                ..row
            })
            .collect();
        for row in &interrupted {
            // It may have been named, and its row not been written any more: nobody was ever offered it.
            if let Err(error) = fs::remove_file(folder.join(file_name(row)))
                && error.kind() != std::io::ErrorKind::NotFound
            {
                tracing::warn!(id = row.id, %error, "what is left of an export could not be removed");
            }
        }
        let exporter = Arc::new(Self {
            settings,
            folder,
            writer,
            lines,
            runtime: Handle::current(),
            running: Mutex::default(),
            next_id: AtomicU64::new(next_id),
            stopping: AtomicBool::new(false),
            threads: Mutex::default(),
        });
        if !interrupted.is_empty() {
            exporter.keep(interrupted, Vec::new()).await?;
        }
        Ok(exporter)
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<u64, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep(&self, exports: Vec<ExportRow>, audit: Vec<AuditRow>) -> Result<(), ExportFault> {
        let office = Office {
            exports,
            audit,
            ..Office::default()
        };
        let kept = self.writer.ask(Request::Office(Box::new(office))).await;
        kept.map(drop).map_err(|_| ExportFault::Unavailable)
    }

    async fn begin(self: Arc<Self>, range: ExportRange, by: String) -> Result<u64, ExportFault> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let row = ExportRow::begun(id, range, by, now_ms());
        {
            let mut running = self.running();
            if running.values().any(|other| other.row.range.kind == row.range.kind) {
                return Err(ExportFault::Busy);
            }
            let fresh = Running {
                row: row.clone(),
                done: Arc::default(),
                total: Arc::default(),
                step: Arc::default(),
                cancelled: Arc::default(),
            };
            running.insert(id, fresh);
        }
        let kept = self.keep(vec![row.clone()], Vec::new()).await;
        let spawned = kept.and_then(|()| self.spawn(row).map_err(|_| ExportFault::Unavailable));
        if spawned.is_err() {
            self.running().remove(&id);
        }
        spawned.map(|()| id)
    }

    fn spawn(self: &Arc<Self>, row: ExportRow) -> std::io::Result<()> {
        let own = Arc::clone(self);
        let thread = std::thread::Builder::new()
            .name(format!("export {}", row.id))
            .spawn(move || {
                let id = row.id;
                let ended = own.run(row);
                let kept = own.runtime.block_on(own.keep(vec![ended], Vec::new()));
                if let Err(error) = kept {
                    tracing::error!(id, %error, "how an export ended could not be kept");
                }
                own.running().remove(&id);
            })?;
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread);
        Ok(())
    }

    /// Makes an export. Gives its row as it ended.
    fn run(&self, row: ExportRow) -> ExportRow {
        let id = row.id;
        let part = self.folder.join(format!("{id}{UNFINISHED}"));
        let made = work::Work::new(self, id).and_then(|work| work.make(&row, &part));
        let cancelled = self
            .running()
            .get(&id)
            .is_some_and(|running| running.cancelled.load(Ordering::Relaxed));
        if let Err(error) = fs::remove_dir_all(&part)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(id, %error, "what is left of an export could not be removed");
        }
        let ended_at_ms = Some(now_ms());
        match made {
            Ok(done) => ExportRow { ended_at_ms, ..done },
            Err(_) if self.stopping.load(Ordering::Relaxed) => ExportRow {
                state: ExportState::Interrupted,
                ended_at_ms,
                says: INTERRUPTED.to_owned(),
                ..row
            },
            Err(_) if cancelled => ExportRow {
                state: ExportState::Cancelled,
                ended_at_ms,
                ..row
            },
            Err(error) => ExportRow {
                state: ExportState::Failed,
                ended_at_ms,
                says: format!("{error:#}"),
                ..row
            },
        }
    }

    /// Ends what runs, when the server ends.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
        for running in self.running().values() {
            running.cancelled.store(true, Ordering::Relaxed);
        }
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("an export ended by a fault of the program; please report this");
            }
        }
    }
}

/// Removes what was not finished: nobody was ever offered it.
fn remove_unfinished(folder: &Path) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
            fs::remove_dir_all(entry.path())
                .with_context(|| format!("{} cannot be removed", entry.path().display()))?;
        }
    }
    Ok(())
}

/// The exporter as the console sees it.
pub struct Handed(pub Arc<Exporter>);

impl console::Exports for Handed {
    fn start(&self, range: ExportRange, by: String) -> console::Asked<'_, u64> {
        Box::pin(Arc::clone(&self.0).begin(range, by))
    }

    fn cancel(&self, id: u64) -> bool {
        let running = self.0.running();
        let found = running.get(&id);
        if let Some(running) = found {
            running.cancelled.store(true, Ordering::Relaxed);
        }
        found.is_some()
    }

    fn progress(&self) -> Vec<ExportProgress> {
        let running = self.0.running();
        let progress = running.values().map(|running| ExportProgress {
            id: running.row.id,
            kind: running.row.range.kind,
            done: running.done.load(Ordering::Relaxed),
            total: running.total.load(Ordering::Relaxed),
            step: ExportStep::from_code(running.step.load(Ordering::Relaxed)),
        });
        progress.collect()
    }

    fn open(&self, row: &ExportRow) -> std::io::Result<File> {
        File::open(self.0.folder.join(file_name(row)))
    }

    fn delete(&self, row: ExportRow, by: String) -> console::Asked<'_, ()> {
        Box::pin(async move {
            let path = self.0.folder.join(file_name(&row));
            let deleted = ExportRow {
                deleted: Some((now_ms(), by)),
                ..row
            };
            // First the row: a file without one is rubbish, a row without its file would be a promise.
            self.0.keep(vec![deleted], Vec::new()).await?;
            match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(ExportFault::Disk(error.to_string())),
                _ => Ok(()),
            }
        })
    }
}

/// The name of the log of a TSE that is no software, in an export.
pub fn device_log(tse: &TseRow) -> String {
    let serial = hex(&tse.serial);
    format!("tse-{}-{}.tar", tse.no.0, serial.get(..16).unwrap_or(&serial))
}

/// The name of the file of an export: nothing in it comes from outside.
pub fn file_name(row: &ExportRow) -> String {
    let kind = match row.range.kind {
        ExportKind::Dsfinvk => "dsfinvk",
        ExportKind::Tse => "tse",
    };
    format!("{kind}-{}.zip", row.id)
}
