//! The thread a reader runs on, and what reaches it.
//!
//! What must never happen here: work of two at once on one chip. Happenings and jobs take turns on the one thread that owns the reader.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use chips::field::Field;
use chips::{Chip, ReaderEvent};

use super::{Happening, HardwareReader, Waker};
use crate::reader::{EVENTS_MAX, Reader};

type Job = Box<dyn FnOnce(&mut dyn Field) + Send>;

/// Gives the thread of a reader work, from any thread.
#[derive(Clone)]
pub struct ReaderJobs {
    jobs: mpsc::Sender<Job>,
    waker: Waker,
}

impl ReaderJobs {
    /// Runs something on the reader's thread, soon: with the field of the chip that lies there, or one that is empty. Gives whether the thread
    /// still runs.
    pub fn job(&self, job: impl FnOnce(&mut dyn Field) + Send + 'static) -> bool {
        let sent = self.jobs.send(Box::new(job)).is_ok();
        self.waker.wake();
        sent
    }
}

/// A reader on a thread of its own, for as long as this lives.
///
/// Each happening is handed to `on` together with the field, on the reader's thread: a payment that is armed runs right there when the chip comes.
/// A payment for a chip that lies there already is a [`job`](Self::job).
pub struct ReaderThread {
    jobs: mpsc::Sender<Job>,
    waker: Waker,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ReaderThread {
    /// Starts the thread.
    pub fn start<R, F>(mut reader: R, mut on: F) -> io::Result<Self>
    where
        R: HardwareReader,
        F: FnMut(Happening, &mut dyn Field) + Send + 'static,
    {
        let (jobs, inbox) = mpsc::channel::<Job>();
        let waker = reader.waker();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("reader".into()).spawn(move || {
            loop {
                let happening = reader.wait();
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                if matches!(happening, Happening::Woken) {
                    for job in inbox.try_iter() {
                        job(reader.field());
                    }
                } else {
                    on(happening, reader.field());
                }
            }
        })?;
        Ok(Self {
            jobs,
            waker,
            stop,
            thread: Some(thread),
        })
    }

    /// What gives the thread work.
    pub fn jobs(&self) -> ReaderJobs {
        ReaderJobs {
            jobs: self.jobs.clone(),
            waker: self.waker.clone(),
        }
    }

    /// Runs something on the reader's thread, as [`ReaderJobs::job`] does.
    pub fn job(&self, job: impl FnOnce(&mut dyn Field) + Send + 'static) -> bool {
        self.jobs().job(job)
    }
}

impl Drop for ReaderThread {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.waker.wake();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of a reader ended in a panic");
        }
    }
}

/// What a hardware reader sees, for [`Till::attach`](crate::Till::attach): wristbands as ids and nothing more.
pub struct SeenReader {
    name: String,
    events: tokio::sync::mpsc::Receiver<ReaderEvent>,
    // Ends with the reader that is handed out.
    _thread: ReaderThread,
}

/// Starts a reader that tells which ids lie on it.
pub fn seen(name: impl Into<String>, reader: impl HardwareReader) -> io::Result<SeenReader> {
    let (to, events) = tokio::sync::mpsc::channel(EVENTS_MAX);
    let thread = ReaderThread::start(reader, move |happening, _field| {
        let event = match happening {
            Happening::Chip(selected) => ReaderEvent::Held(Chip::identity(selected.uid)),
            Happening::Unusable(_) => ReaderEvent::Unsupported,
            Happening::Left => ReaderEvent::Left,
            Happening::Plugged(_) | Happening::Unplugged { .. } | Happening::Woken => return,
        };
        if to.blocking_send(event).is_err() {
            tracing::debug!("nobody listens to a reader any more");
        }
    })?;
    Ok(SeenReader {
        name: name.into(),
        events,
        _thread: thread,
    })
}

impl Reader for SeenReader {
    fn name(&self) -> &str {
        &self.name
    }

    async fn next(&mut self) -> Option<ReaderEvent> {
        self.events.recv().await
    }
}
