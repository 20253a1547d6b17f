//! The one writer: a thread that owns the engine and commits whatever is queued, without ever waiting for more. Under light load a batch is one
//! order, under heavy load hundreds share one sync; nobody sets a timer for that.
//!
//! Two lanes: what a till waits for with a guest in front of it (authorisations, questions, hellos) goes before entries that are late anyway.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::{Engine, Known, Reply, Request};
use shared_protocol::stream::Stream;
use store::{Store, StoreError};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Semaphore, oneshot};

use crate::hub::{Counters, Hub, ToConnection};
use crate::session::Ticket;

/// Journal entries in one commit. At 128 the sync has stopped to matter; beyond this only the wait of the first one grows.
pub const BATCH_ENTRIES_MAX: usize = 512;

/// Journal entries that may wait for a commit, over all connections. At about a kilobyte each this is what the queue may cost in memory.
pub const QUEUE_ENTRIES_MAX: usize = 32 * 1024;

/// Requests that may wait in the fast lane.
pub const URGENT_MAX: usize = 16 * 1024;

/// Journal rows projected at a time, so that what comes meanwhile waits a few milliseconds at most.
const PROJECT_ROWS: u64 = 1_024;

/// A projection has a sync of its own. Once in this time it goes before what waits, so that it keeps up under load that never ends and costs a
/// handful of syncs a second: ten times 1,024 rows are more than one writer books.
const PROJECT_EVERY: Duration = Duration::from_millis(100);

/// How often wristband balances go out to the terminals that asked for them.
const BALANCES_EVERY: Duration = Duration::from_secs(5);

/// Streams that requests change.
const KEPT_UP: [Stream; 2] = [Stream::BlockList, Stream::Batches];

/// How often purses are looked at on whose lines something is missing.
const RECONCILE_EVERY: Duration = Duration::from_mins(1);

/// Purses looked at in one go; after a long outage of many tills the rest follows a minute later.
const RECONCILE_ROWS: u64 = 256;

/// The server's clock, ms since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Where an answer goes.
enum ReplyTo {
    Connection(UnboundedSender<ToConnection>, Ticket),
    Caller(oneshot::Sender<Option<Reply>>),
}

impl ReplyTo {
    fn answer(self, reply: Option<Reply>) {
        match self {
            // A receiver that is gone is a connection that is gone: its terminal asks again.
            Self::Connection(to, ticket) => drop(to.send(ToConnection::Reply(ticket, reply.map(Box::new)))),
            Self::Caller(to) => drop(to.send(reply)),
        }
    }
}

type Control<S> = Box<dyn FnOnce(&mut Engine<S>) + Send>;

struct Lanes<S> {
    urgent: VecDeque<(Request, ReplyTo)>,
    pushes: VecDeque<(Request, ReplyTo)>,
    controls: VecDeque<Control<S>>,
    stop: bool,
}

struct Shared<S> {
    lanes: Mutex<Lanes<S>>,
    wake: Condvar,
    room: Arc<Semaphore>,
    queued_entries: AtomicUsize,
    failed: AtomicBool,
    hub: Arc<Hub>,
}

/// A handle to the writer.
pub struct Writer<S>(Arc<Shared<S>>);

impl<S> Clone for Writer<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The writer has ended: the database failed, or the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server cannot book now; nothing that was acknowledged is lost")]
pub struct Ended;

fn entries(request: &Request) -> usize {
    if let Request::Push(push) = request {
        push.entries.len()
    } else {
        0
    }
}

impl<S: Store + 'static> Writer<S> {
    /// Starts the writer on a thread of its own. The handle to join gives the store back, or what the database failed with.
    pub fn start(
        engine: Engine<S>,
        hub: Arc<Hub>,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<Result<S, StoreError>>)> {
        hub.learn(engine.terminals().map(|row| (row.id, row.key.clone())));
        let lanes = Lanes {
            urgent: VecDeque::new(),
            pushes: VecDeque::new(),
            controls: VecDeque::new(),
            stop: false,
        };
        let shared = Arc::new(Shared {
            lanes: Mutex::new(lanes),
            wake: Condvar::new(),
            room: Arc::new(Semaphore::new(QUEUE_ENTRIES_MAX)),
            queued_entries: AtomicUsize::new(0),
            failed: AtomicBool::new(false),
            hub,
        });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("writer".to_owned())
            .spawn(move || run(&own, engine))?;
        Ok((Self(shared), thread))
    }

    fn with_lanes<T>(&self, change: impl FnOnce(&mut Lanes<S>) -> T) -> T {
        let mut lanes = self.0.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut lanes);
        drop(lanes);
        self.0.wake.notify_one();
        result
    }

    /// Queues a request of a connection. A push waits here until there is room, so that a slow disk slows down its senders.
    pub async fn submit(
        &self,
        request: Request,
        to: UnboundedSender<ToConnection>,
        ticket: Ticket,
    ) -> Result<(), Ended> {
        let count = entries(&request);
        if self.has_failed() {
            return Err(Ended);
        }
        if count == 0 {
            return self.with_lanes(|lanes| {
                if lanes.stop || lanes.urgent.len() >= URGENT_MAX {
                    return Err(Ended);
                }
                lanes.urgent.push_back((request, ReplyTo::Connection(to, ticket)));
                Ok(())
            });
        }
        let permits = u32::try_from(count).map_err(|_| Ended)?;
        let room = Arc::clone(&self.0.room)
            .acquire_many_owned(permits)
            .await
            .map_err(|_| Ended)?;
        // The writer gives the room back after the commit.
        room.forget();
        self.0.queued_entries.fetch_add(count, Ordering::Relaxed);
        self.with_lanes(|lanes| {
            if lanes.stop {
                return Err(Ended);
            }
            lanes.pushes.push_back((request, ReplyTo::Connection(to, ticket)));
            Ok(())
        })
    }

    /// Asks and waits for the answer.
    pub async fn ask(&self, request: Request) -> Result<Reply, Ended> {
        let (to, answer) = oneshot::channel();
        self.with_lanes(|lanes| {
            if lanes.stop {
                return Err(Ended);
            }
            lanes.urgent.push_back((request, ReplyTo::Caller(to)));
            Ok(())
        })?;
        answer.await.ok().flatten().ok_or(Ended)
    }

    /// Runs something on the engine between two batches and waits for its result.
    pub async fn control<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Engine<S>) -> T + Send + 'static,
    ) -> Result<T, Ended> {
        let (to, answer) = oneshot::channel();
        let control: Control<S> = Box::new(move |engine| drop(to.send(work(engine))));
        self.with_lanes(|lanes| {
            if lanes.stop {
                return Err(Ended);
            }
            lanes.controls.push_back(control);
            Ok(())
        })?;
        answer.await.map_err(|_| Ended)
    }

    /// Whether more than half of the queue is taken.
    pub fn is_busy(&self) -> bool {
        self.0.queued_entries.load(Ordering::Relaxed) > QUEUE_ENTRIES_MAX / 2
    }

    /// Whether the database failed.
    pub fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::Relaxed)
    }

    /// Commits what is queued and ends.
    pub fn stop(&self) {
        self.with_lanes(|lanes| lanes.stop = true);
    }
}

/// What the thread does next.
enum Turn<S> {
    Batch(Vec<(Request, ReplyTo)>),
    Control(Control<S>),
    Idle,
    End,
}

/// `project_at`: when what is not projected has to be, if there is anything.
fn next_turn<S>(shared: &Shared<S>, project_at: Option<Instant>) -> Turn<S> {
    let mut lanes = shared.lanes.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if let Some(control) = lanes.controls.pop_front() {
            return Turn::Control(control);
        }
        if project_at.is_some_and(|at| at <= Instant::now()) {
            return Turn::Idle;
        }
        let mut batch: Vec<_> = lanes.urgent.drain(..).collect();
        let mut count = 0;
        while let Some((request, _)) = lanes.pushes.front() {
            let more = entries(request);
            if count > 0 && count + more > BATCH_ENTRIES_MAX {
                break;
            }
            count += more;
            batch.extend(lanes.pushes.pop_front());
        }
        if !batch.is_empty() {
            return Turn::Batch(batch);
        }
        if lanes.stop {
            return Turn::End;
        }
        let wait = project_at.map_or(BALANCES_EVERY, |at| at.saturating_duration_since(Instant::now()));
        let (again, timeout) = shared
            .wake
            .wait_timeout(lanes, wait)
            .unwrap_or_else(PoisonError::into_inner);
        lanes = again;
        if timeout.timed_out() {
            return Turn::Idle;
        }
    }
}

fn run<S: Store>(shared: &Shared<S>, mut engine: Engine<S>) -> Result<S, StoreError> {
    let mut project_at = Some(Instant::now());
    let mut balances_at = Instant::now();
    let mut reconciled_at = Instant::now();
    loop {
        match next_turn(shared, project_at) {
            Turn::Control(control) => control(&mut engine),
            Turn::Batch(batch) => {
                if let Err(error) = commit(shared, &mut engine, batch) {
                    tracing::error!(%error, "the database failed; nothing more is acknowledged, terminals keep what they have");
                    end(shared);
                    return Err(error);
                }
                project_at = project_at.or_else(|| Some(Instant::now() + PROJECT_EVERY));
            }
            Turn::Idle => {
                let begun = Instant::now();
                match engine.project(PROJECT_ROWS) {
                    // What is far behind takes half of the time at most.
                    Ok(more) => project_at = more.then(|| Instant::now() + begun.elapsed()),
                    Err(error) => {
                        tracing::error!(%error, "the database failed while projecting");
                        end(shared);
                        return Err(error);
                    }
                }
            }
            Turn::End => {
                end(shared);
                return Ok(engine.into_store());
            }
        }
        if reconciled_at.elapsed() >= RECONCILE_EVERY {
            reconciled_at = Instant::now();
            match engine.reconcile_gaps(now_ms(), RECONCILE_ROWS) {
                Ok(0) => {}
                Ok(purses) => tracing::info!(purses, "purses were looked at on whose lines something is missing"),
                Err(error) => {
                    tracing::error!(%error, "the database failed while purses were looked at");
                    shared.failed.store(true, Ordering::Relaxed);
                    end(shared);
                    return Err(error);
                }
            }
        }
        if balances_at.elapsed() >= BALANCES_EVERY {
            balances_at = Instant::now();
            match engine.refresh_balances(now_ms()) {
                Ok(true) => shared
                    .hub
                    .stream_changed(Stream::Balances, engine.stream_version(Stream::Balances)),
                Ok(false) => {}
                Err(error) => tracing::warn!(%error, "balances were not sent; terminals keep those they have"),
            }
            if engine.refresh_purses() {
                let version = engine.stream_version(Stream::Purses);
                shared.hub.stream_changed(Stream::Purses, version);
            }
        }
    }
}

fn commit<S: Store>(
    shared: &Shared<S>,
    engine: &mut Engine<S>,
    batch: Vec<(Request, ReplyTo)>,
) -> Result<(), StoreError> {
    let (requests, replies_to): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let count: usize = requests.iter().map(entries).sum();
    let before = KEPT_UP.map(|stream| engine.stream_version(stream));
    let answers = engine.process(now_ms(), &requests);
    shared.queued_entries.fetch_sub(count, Ordering::Relaxed);
    shared.room.add_permits(count);
    let counters = &shared.hub.counters;
    match answers {
        Ok(answers) => {
            Counters::add(&counters.entries, count as u64);
            Counters::add(&counters.batches, 1);
            for (answer, to) in answers.into_iter().zip(replies_to) {
                match &answer {
                    Reply::Hello(Some(greeting)) => shared
                        .hub
                        .learn([(greeting.terminal.id, greeting.terminal.key.clone())]),
                    Reply::Register(Known::Registered { terminal, .. }) => {
                        shared.hub.learn([(terminal.id, terminal.key.clone())]);
                    }
                    Reply::Authorise(_) => Counters::add(&counters.authorisations, 1),
                    _ => {}
                }
                to.answer(Some(answer));
            }
            for (stream, before) in KEPT_UP.into_iter().zip(before) {
                let version = engine.stream_version(stream);
                if version != before {
                    shared.hub.stream_changed(stream, version);
                }
            }
            Ok(())
        }
        Err(error) => {
            shared.failed.store(true, Ordering::Relaxed);
            for to in replies_to {
                to.answer(None);
            }
            Err(error)
        }
    }
}

/// Nobody may wait for a writer that is gone.
fn end<S>(shared: &Shared<S>) {
    let mut lanes = shared.lanes.lock().unwrap_or_else(PoisonError::into_inner);
    lanes.stop = true;
    shared.room.close();
    let left: Vec<_> = lanes.urgent.drain(..).collect();
    let left = left.into_iter().chain(std::mem::take(&mut lanes.pushes));
    left.for_each(|(_, to)| to.answer(None));
    lanes.controls.clear();
}
