//! A thread of its own for each TSE: one that is slow or silent keeps nobody waiting but its own tills.
//!
//! Between calls the thread asks the TSE how it is, and exports its log when somebody wants that: calls come first, and a call that comes while an
//! export is written ends it; it begins anew when the TSE is left alone.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufWriter, Seek as _, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fiscal::signer::{Ask, Call, Reply};
use fiscal::{Tse, TseError};
use store::TseNo;
use sync::writer::now_ms;

use super::board::Statuses;

/// Calls that may wait for one TSE; a signer has fewer under way.
const CALLS_MAX: usize = 64;
/// A TSE is asked how it is this often.
const STATUS_EVERY: Duration = Duration::from_mins(1);
/// A TSE that was left alone for so long is exported.
const ALONE: Duration = Duration::from_secs(2);
/// An export that sales came between so often is given up: it is to be made when nobody sells.
const TRIES_MAX: u32 = 10;

/// What a TSE said.
pub(super) struct Answer {
    pub tse: TseNo,
    pub id: u64,
    pub done: Result<Reply, TseError>,
    pub took_us: u64,
}

/// A log that somebody wants.
pub struct Wanted {
    /// Where it goes; what was written in vain is cut off.
    pub to: File,
    /// Bytes written so far.
    pub done: Arc<AtomicU64>,
    /// Whether nobody wants it any more.
    pub cancelled: Arc<AtomicBool>,
    /// The file with its bytes, or why not.
    pub answer: Sender<Result<(File, u64), String>>,
}

enum Work {
    Call(Call),
    Export(Box<Wanted>),
}

/// The way to a TSE. Once it is dropped, the thread ends after the call that it is in.
#[derive(Clone)]
pub struct Line {
    work: SyncSender<Work>,
    /// Calls that wait.
    waiting: Arc<AtomicUsize>,
}

impl Line {
    pub(super) fn start(
        no: TseNo,
        tse: Box<dyn Tse>,
        answers: Sender<Answer>,
        statuses: Statuses,
    ) -> anyhow::Result<Self> {
        let (work, heard) = sync_channel(CALLS_MAX);
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut thread = Thread {
            no,
            tse,
            answers,
            statuses,
            waiting: Arc::clone(&waiting),
            ready: false,
            asked_at: None,
            exports: VecDeque::new(),
        };
        std::thread::Builder::new()
            .name(format!("tse {}", no.0))
            .spawn(move || thread.serve(&heard))
            .context("the thread of a TSE cannot be started")?;
        Ok(Self { work, waiting })
    }

    /// Makes a call, and says whether the thread takes it.
    pub(super) fn make(&self, call: Call) -> bool {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let taken = self.work.try_send(Work::Call(call)).is_ok();
        if !taken {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }
        taken
    }

    /// Asks for the log, and says whether the thread takes it.
    pub fn export(&self, wanted: Wanted) -> bool {
        self.work.try_send(Work::Export(Box::new(wanted))).is_ok()
    }
}

/// The ways to all TSEs, for whoever wants their logs.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<BTreeMap<TseNo, Line>>>);

impl Lines {
    fn locked(&self) -> MutexGuard<'_, BTreeMap<TseNo, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to a TSE, where there is one.
    pub fn of(&self, no: TseNo) -> Option<Line> {
        self.locked().get(&no).cloned()
    }

    pub(super) fn insert(&self, no: TseNo, line: Line) {
        self.locked().insert(no, line);
    }
}

struct Thread {
    no: TseNo,
    tse: Box<dyn Tse>,
    answers: Sender<Answer>,
    statuses: Statuses,
    waiting: Arc<AtomicUsize>,
    /// Whether it answered the last time.
    ready: bool,
    /// When it was asked how it is.
    asked_at: Option<Instant>,
    exports: VecDeque<(Box<Wanted>, u32)>,
}

impl Thread {
    fn serve(&mut self, work: &Receiver<Work>) {
        loop {
            match work.recv_timeout(ALONE) {
                Ok(Work::Call(call)) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    if !self.call(&call) {
                        return;
                    }
                }
                Ok(Work::Export(wanted)) => self.exports.push_back((wanted, 0)),
                Err(RecvTimeoutError::Timeout) => self.export(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.status();
        }
    }

    /// Makes a call. Gives whether anybody still listens.
    fn call(&mut self, call: &Call) -> bool {
        let begun = Instant::now();
        let is_prepare = matches!(call.ask, Ask::Prepare);
        // What was asked before its silence was known would wait for it once more, call by call.
        let done = if self.ready || is_prepare {
            call.ask.of(&mut *self.tse, now_ms())
        } else {
            Err(TseError::Unavailable("it is out of order".to_owned()))
        };
        self.ready = match &done {
            Ok(_) => self.ready || is_prepare,
            Err(error) => self.ready && !error.is_outage(),
        };
        let answer = Answer {
            tse: call.tse,
            id: call.id,
            done,
            took_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        self.answers.send(answer).is_ok()
    }

    /// Asks how it is, where nobody waits and it was not asked lately.
    fn status(&mut self) {
        let lately = self.asked_at.is_some_and(|at| at.elapsed() < STATUS_EVERY);
        if lately || !self.ready || self.waiting.load(Ordering::Relaxed) > 0 {
            return;
        }
        self.asked_at = Some(Instant::now());
        match self.tse.status(now_ms()) {
            Ok(status) => {
                let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
                statuses.insert(self.no, (now_ms(), status));
            }
            Err(error) => tracing::debug!(tse = self.no.0, %error, "a TSE does not say how it is"),
        }
    }

    /// Exports its log, where somebody wants it.
    fn export(&mut self) {
        let Some((mut wanted, tries)) = self.exports.pop_front() else {
            return;
        };
        let result = self.write(&mut wanted);
        let came_between = self.waiting.load(Ordering::Relaxed) > 0;
        let says = match result {
            Ok(bytes) => Ok(bytes),
            Err(_) if wanted.cancelled.load(Ordering::Relaxed) => Err("it was cancelled".to_owned()),
            Err(_) if came_between && tries < TRIES_MAX => return self.exports.push_back((wanted, tries + 1)),
            Err(_) if came_between => Err("sales came between again and again; export it when nobody sells".to_owned()),
            Err(error) => Err(error),
        };
        let Wanted { to, answer, .. } = *wanted;
        // Whoever asked may have gone.
        let _gone = answer.send(says.map(|bytes| (to, bytes)));
    }

    fn write(&mut self, wanted: &mut Wanted) -> Result<u64, String> {
        let unwritable = |error: io::Error| format!("the file cannot be written: {error}");
        wanted.to.set_len(0).map_err(unwritable)?;
        wanted.to.rewind().map_err(unwritable)?;
        wanted.done.store(0, Ordering::Relaxed);
        let mut to = BufWriter::new(Yielding {
            to: &wanted.to,
            waiting: &self.waiting,
            done: &wanted.done,
            cancelled: &wanted.cancelled,
        });
        let bytes = self.tse.export(&mut to).map_err(|error| error.to_string())?;
        to.flush().map_err(unwritable)?;
        drop(to);
        wanted.to.sync_all().map_err(unwritable)?;
        Ok(bytes)
    }
}

/// A file that is written only as long as nobody waits for the TSE.
struct Yielding<'a> {
    to: &'a File,
    waiting: &'a AtomicUsize,
    done: &'a AtomicU64,
    cancelled: &'a AtomicBool,
}

impl Write for Yielding<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.waiting.load(Ordering::Relaxed) > 0 || self.cancelled.load(Ordering::Relaxed) {
            return Err(io::Error::other("somebody waits for the TSE"));
        }
        let count = self.to.write(bytes)?;
        self.done.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
