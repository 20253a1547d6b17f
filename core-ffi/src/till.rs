//! The loop that drives a terminal: one task a till, no thread of its own, so that a simulation can run thousands in one process.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chips::ReaderEvent;
use shared_protocol::config::Config;
use shared_protocol::crypto::Signer;
use shared_protocol::order::Order;
use shared_protocol::stream::Stream;
use terminal::{Action, Cue, Input, Invitation, LinkId, Now, Output, PurseAnswer, PurseJob, Screen, Setup, Terminal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::client::{self, Endpoint, LinkEvent, OUTBOX_FRAMES};
use crate::evacuation::{self, JournalCopy};
use crate::keys::{KeyError, random};
use crate::pins;
use crate::purses::{self, Keys, PurseReaders, Session};
use crate::queue::{Queue, QueueError};
use crate::reader::Reader;
use crate::readers::{Happening, HardwareReader, ReaderThread};

/// Streams of a till that sells and works on purses.
pub const STREAMS: [Stream; 5] = [
    Stream::Config,
    Stream::BlockList,
    Stream::Balances,
    Stream::Batches,
    Stream::Purses,
];

/// What a till is made of besides its queue.
pub struct Device {
    /// The app's build.
    pub app: String,
    /// The device's key.
    pub signer: Box<dyn Signer>,
    /// Where the server is.
    pub endpoint: Endpoint,
    /// Streams it wants.
    pub streams: Vec<Stream>,
}

/// What a person or a test does to a till.
#[derive(Debug, Clone)]
pub enum TillInput {
    /// The cashier did something.
    Act(Action),
    /// The reader saw something.
    Reader(ReaderEvent),
    /// One of the readers that can work on purses saw something.
    ReaderAt(usize, ReaderEvent),
    /// A purse was worked on.
    Purse(Box<(PurseJob, PurseAnswer)>),
    /// A registration code was scanned.
    Register(Invitation),
    /// The server is elsewhere: a device that becomes a terminal learns from its registration code where.
    At(Box<Endpoint>),
    /// Copies of what the server lacks are made for another device, and given to this channel; none when it lacks nothing or they cannot be made.
    Evacuate(mpsc::Sender<Vec<JournalCopy>>),
    /// Another device's copy came in, whole.
    Received(Vec<u8>),
    /// This was practised beside this till.
    Practised(Box<Order>),
    /// The network is cut (true) or mended (false).
    Cut(bool),
    /// The network may be back: a wait for the next try ends.
    TryNow,
    /// The program ends in order.
    Stop,
}

/// The clocks of a device.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970 by the wall clock.
    fn wall_ms(&self) -> u64;
    /// Milliseconds of a clock that only goes forward, from any beginning.
    fn mono_ms(&self) -> u64;
}

/// The clocks of the operating system. The second one may stand still while a phone sleeps.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock(Instant);

impl Default for SystemClock {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> u64 {
        millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO))
    }

    fn mono_ms(&self) -> u64 {
        millis(self.0.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Why a till ended.
#[derive(Debug, thiserror::Error)]
pub enum Ended {
    /// The queue has to be opened again; the till starts anew from it.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The device is a terminal no more, and the server has everything: the queue's file can be put away.
    #[error("this device is no till any more; everything it booked is on the server")]
    Unregistered,
    /// No randomness.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A running till.
pub struct Till {
    inputs: mpsc::Sender<TillInput>,
    screens: watch::Receiver<Option<Arc<Screen>>>,
    configs: watch::Receiver<Option<Arc<Config>>>,
    cues: watch::Receiver<Option<Cue>>,
    purse_readers: PurseReaders,
    task: JoinHandle<Result<(), Ended>>,
    released: watch::Receiver<bool>,
}

/// A queue that says when nobody holds it any more, also when its task was ended from outside.
struct Held<Q> {
    queue: Q,
    _release: Release,
}

struct Release(watch::Sender<bool>);

impl Drop for Release {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

/// Inputs that may wait. A person is slower than this by far.
const INPUTS_MAX: usize = 64;

impl Till {
    /// Starts a till from what its queue holds. Must be called within a tokio runtime.
    pub fn start<Q: Queue>(device: Device, queue: Q) -> Self {
        Self::start_by(Arc::new(SystemClock::default()), device, queue)
    }

    /// The same by other clocks than those of the operating system.
    pub fn start_by<Q: Queue>(clock: Arc<dyn Clock>, device: Device, queue: Q) -> Self {
        let (inputs, inbox) = mpsc::channel(INPUTS_MAX);
        let (screen_to, screens) = watch::channel(None);
        let (config_to, configs) = watch::channel(None);
        let (cue_to, cues) = watch::channel(None);
        let shown = Shown {
            screens: screen_to,
            configs: config_to,
            cues: cue_to,
        };
        let (release, released) = watch::channel(false);
        let queue = Held {
            queue,
            _release: Release(release),
        };
        let purse_readers = PurseReaders::default();
        let reach = Reach {
            readers: purse_readers.clone(),
            inputs: inputs.clone(),
        };
        let task = tokio::spawn(async move { Loop::start(clock, device, queue, shown, reach).await?.run(inbox).await });
        Self {
            inputs,
            screens,
            configs,
            cues,
            purse_readers,
            task,
            released,
        }
    }

    /// Does something to the till. Gives whether it still runs.
    pub async fn input(&self, input: TillInput) -> bool {
        self.inputs.send(input).await.is_ok()
    }

    /// Where it takes what is done to it, for who must not wait.
    pub fn inputs(&self) -> mpsc::Sender<TillInput> {
        self.inputs.clone()
    }

    /// Makes copies of what the server lacks, for another device. Whether somebody has them is said with
    /// [`Action::CopyTaken`](terminal::Action::CopyTaken).
    pub async fn evacuate(&self) -> Vec<JournalCopy> {
        let (to, mut made) = mpsc::channel(1);
        self.input(TillInput::Evacuate(to)).await;
        made.recv().await.unwrap_or_default()
    }

    /// Lets a reader tell the till what it sees, until either is gone. A till may have several readers; a phone has its own beside a USB one.
    pub fn attach<R: Reader>(&self, mut reader: R) {
        let inputs = self.inputs.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = inputs.closed() => return,
                    event = reader.next() => {
                        let Some(event) = event else {
                            tracing::warn!(reader = reader.name(), "a reader is gone");
                            return;
                        };
                        if inputs.send(TillInput::Reader(event)).await.is_err() {
                            return;
                        }
                    }
                }
            }
        });
    }

    /// Lets a hardware reader tell the till what lies on it, and the till work on the purses there with the keys of this device. `plugged` hears
    /// everything that happens at the reader, also that it is gone and back. The reader ends with what is given back.
    pub fn attach_hardware(
        &self,
        reader: impl HardwareReader,
        keys: Keys,
        plugged: impl FnMut(&Happening) + Send + 'static,
    ) -> std::io::Result<ReaderThread> {
        purses::attach(&self.purse_readers, reader, keys, self.inputs.clone(), plugged)
    }

    /// What it shows; a receiver sees every change, the newest if it is slow.
    pub fn screens(&self) -> watch::Receiver<Option<Arc<Screen>>> {
        self.screens.clone()
    }

    /// The configuration in use, for names and layouts. It is there before the first screen that needs it.
    pub fn configs(&self) -> watch::Receiver<Option<Arc<Config>>> {
        self.configs.clone()
    }

    /// What it sounds like.
    pub fn cues(&self) -> watch::Receiver<Option<Cue>> {
        self.cues.clone()
    }

    /// Whether it has ended.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }

    /// Ends it as a dead battery would: nothing is said to anybody. A write that is under way may or may not be there. When this returns,
    /// the queue can be opened again.
    pub async fn pull_the_battery(&mut self) {
        self.task.abort();
        let _aborted = (&mut self.task).await;
        // A write under way holds the queue a moment longer than the task.
        let _let_go = self.released.wait_for(|released| *released).await;
    }

    /// Ends it in order.
    pub async fn stop(self) -> Result<(), Ended> {
        let _ended = self.inputs.send(TillInput::Stop).await;
        self.task.await.unwrap_or(Ok(()))
    }
}

/// Where what a till shows goes to.
struct Shown {
    screens: watch::Sender<Option<Arc<Screen>>>,
    configs: watch::Sender<Option<Arc<Config>>>,
    cues: watch::Sender<Option<Cue>>,
}

/// How the loop reaches the readers, and they the loop.
struct Reach {
    readers: PurseReaders,
    inputs: mpsc::Sender<TillInput>,
}

struct Loop<Q> {
    terminal: Terminal,
    signer: Box<dyn Signer>,
    endpoint: Endpoint,
    /// Out while a blocking task works on it.
    queue: Option<Held<Q>>,
    clock: Arc<dyn Clock>,
    shown: Shown,
    link_to: mpsc::Sender<LinkEvent>,
    link_from: mpsc::Receiver<LinkEvent>,
    outbox: Option<(LinkId, mpsc::Sender<Vec<u8>>)>,
    connection: Option<JoinHandle<()>>,
    cut: bool,
    reach: Reach,
    /// The reader that saw a wristband last.
    at_reader: Option<usize>,
    session: Option<Session>,
}

fn now(clock: &dyn Clock) -> Result<Now, KeyError> {
    Ok(Now {
        mono_ms: clock.mono_ms(),
        wall_ms: clock.wall_ms(),
        entropy: random()?,
    })
}

impl<Q: Queue> Loop<Q> {
    async fn start(
        clock: Arc<dyn Clock>,
        device: Device,
        queue: Held<Q>,
        shown: Shown,
        reach: Reach,
    ) -> Result<Self, Ended> {
        let (queue, restored) = blocking(queue, Queue::restore).await;
        let restored = restored?;
        let setup = Setup {
            app: device.app,
            key: device.signer.public_key(),
            streams: device.streams,
        };
        let (terminal, outputs) = Terminal::new(setup, restored, &now(&*clock)?);
        let (link_to, link_from) = mpsc::channel(OUTBOX_FRAMES);
        let mut this = Self {
            terminal,
            signer: device.signer,
            endpoint: device.endpoint,
            queue,
            clock,
            shown,
            link_to,
            link_from,
            outbox: None,
            connection: None,
            cut: false,
            reach,
            at_reader: None,
            session: None,
        };
        this.act(outputs).await?;
        Ok(this)
    }

    async fn run(mut self, mut inbox: mpsc::Receiver<TillInput>) -> Result<(), Ended> {
        loop {
            let now_ms = self.clock.mono_ms();
            let now = Now {
                mono_ms: now_ms,
                wall_ms: 0,
                entropy: [0; 32],
            };
            let wake_in = self
                .terminal
                .wake_at_ms(&now)
                .map(|at| Duration::from_millis(at.saturating_sub(now_ms).max(1)));
            let sleep = async {
                match wake_in {
                    Some(wake_in) => tokio::time::sleep(wake_in).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                input = inbox.recv() => match input {
                    Some(TillInput::Act(action)) => self.step(Input::Act(action)).await?,
                    Some(TillInput::Reader(event)) => self.step(Input::Reader(event)).await?,
                    Some(TillInput::ReaderAt(reader, event)) => {
                        if matches!(event, ReaderEvent::Held(_)) {
                            self.at_reader = Some(reader);
                        }
                        self.step(Input::Reader(event)).await?;
                    }
                    Some(TillInput::Purse(answer)) => {
                        let (job, answer) = *answer;
                        self.step(Input::Purse { job, answer }).await?;
                    }
                    Some(TillInput::Register(invitation)) => self.step(Input::Register(invitation)).await?,
                    Some(TillInput::At(endpoint)) => self.endpoint = *endpoint,
                    Some(TillInput::Evacuate(to)) => self.evacuate(&to).await?,
                    Some(TillInput::Practised(order)) => self.step(Input::Practised(order)).await?,
                    Some(TillInput::Received(file)) => self.step(Input::Received(file)).await?,
                    Some(TillInput::Cut(cut)) => self.cut(cut).await?,
                    Some(TillInput::TryNow) => self.step(Input::TryNow).await?,
                    Some(TillInput::Stop) | None => {
                        self.step(Input::Stop).await?;
                        return Ok(());
                    }
                },
                event = self.link_from.recv() => match event {
                    Some(LinkEvent::Open(link)) => self.step(Input::Connected(link)).await?,
                    Some(LinkEvent::Frame(link, bytes)) => self.step(Input::Frame { link, bytes }).await?,
                    Some(LinkEvent::Gone(link)) => self.step(Input::Disconnected(link)).await?,
                    // This loop holds a sender itself.
                    None => return Ok(()),
                },
                () = sleep => self.step(Input::Tick).await?,
            }
        }
    }

    /// Copies what the server lacks.
    async fn evacuate(&mut self, to: &mpsc::Sender<Vec<JournalCopy>>) -> Result<(), Ended> {
        let mut made = Vec::new();
        if let Some(what) = self.terminal.evacuable() {
            let wanted = what.clone();
            let read = self
                .with_queue(move |queue| Ok(evacuation::read(queue, &wanted)))
                .await?;
            match read.and_then(|read| evacuation::copies(&what, read, self.signer.as_ref())) {
                Ok(copies) => {
                    made = copies;
                    let up_to = evacuation::up_to(&what);
                    self.step(Input::Copied { up_to }).await?;
                }
                Err(error) => tracing::error!(%error, "what the server lacks cannot be copied for another device"),
            }
        }
        // Whoever asked may have gone.
        let _gone = to.try_send(made);
        Ok(())
    }

    /// Cuts the network under the terminal's feet, or mends it.
    async fn cut(&mut self, cut: bool) -> Result<(), Ended> {
        self.cut = cut;
        if let Some((link, _)) = self.outbox.take().filter(|_| cut) {
            if let Some(connection) = self.connection.take() {
                connection.abort();
            }
            self.step(Input::Disconnected(link)).await?;
        }
        Ok(())
    }

    async fn step(&mut self, input: Input) -> Result<(), Ended> {
        let outputs = self.terminal.step(&now(&*self.clock)?, input);
        self.act(outputs).await
    }

    /// Carries outputs out in order; what they answer is the next step, after them.
    async fn act(&mut self, outputs: Vec<Output>) -> Result<(), Ended> {
        let mut todo = std::collections::VecDeque::from(outputs);
        while let Some(output) = todo.pop_front() {
            let Some(answer) = self.carry_out(output).await? else {
                continue;
            };
            todo.extend(self.terminal.step(&now(&*self.clock)?, answer));
        }
        // The reader's thread is free again for what is held next.
        if !self.terminal.works_on_purse() {
            self.session = None;
        }
        Ok(())
    }

    async fn carry_out(&mut self, output: Output) -> Result<Option<Input>, Ended> {
        Ok(match output {
            Output::Persist { ticket, writes } => match self.with_queue(move |queue| queue.write(&writes)).await {
                Ok(()) => Some(Input::Persisted(ticket)),
                Err(QueueError::NotStored(fault)) => Some(Input::PersistFailed { ticket, fault }),
                Err(error) => return Err(error.into()),
            },
            Output::Fetch {
                epoch,
                from_seq,
                entries_max,
            } => {
                let fetched = self
                    .with_queue(move |queue| queue.fetch(epoch, from_seq, entries_max))
                    .await
                    .unwrap_or_else(|error| {
                        tracing::error!(%error, "unsent entries cannot be read now");
                        crate::queue::Fetched::default()
                    });
                Some(Input::Fetched {
                    epoch,
                    previous: fetched.previous,
                    entries: fetched.entries,
                    heads: fetched.heads,
                })
            }
            Output::Sign { job, message } => Some(match self.signer.sign(&message) {
                Ok(signature) => Input::Signed { job, signature },
                Err(error) => {
                    tracing::error!(%error, "the device's key cannot sign");
                    Input::SignFailed { job }
                }
            }),
            Output::VerifyPin { job, hash, pin } => {
                let ok = pins::verify(pin, hash).await;
                Some(Input::PinVerified { job, ok })
            }
            Output::Connect(link) => {
                if self.cut {
                    return Ok(Some(Input::Disconnected(link)));
                }
                let (to, outbox) = mpsc::channel(OUTBOX_FRAMES);
                self.outbox = Some((link, to));
                self.connection = Some(tokio::spawn(client::run(
                    link,
                    self.endpoint.clone(),
                    outbox,
                    self.link_to.clone(),
                )));
                None
            }
            Output::Send { link, frame } => {
                let full = match &self.outbox {
                    Some((open, to)) if *open == link => to.try_send(frame).is_err(),
                    _ => false,
                };
                // A network that takes nothing is as good as none; nothing that was sent into it counts as sent.
                if full {
                    self.outbox = None;
                    return Ok(Some(Input::Disconnected(link)));
                }
                None
            }
            Output::Disconnect(link) => {
                self.outbox = self.outbox.take().filter(|(open, _)| *open != link);
                None
            }
            Output::Screen(screen) => {
                self.shown.configs.send_if_modified(|known| {
                    let config = self.terminal.config();
                    let is_new = known.as_ref().map(|known| known.version) != config.map(|config| config.version);
                    if is_new {
                        *known = config.cloned();
                    }
                    is_new
                });
                self.shown.screens.send_replace(Some(Arc::from(screen)));
                None
            }
            Output::Purse(work) => {
                let rest = match &self.session {
                    Some(session) => session.work(work).err(),
                    None => Some(work),
                };
                if let Some(work) = rest {
                    match self.reach.readers.begin(self.at_reader, work, &self.reach.inputs) {
                        Ok(session) => self.session = Some(session),
                        Err((job, answer)) => return Ok(Some(Input::Purse { job, answer })),
                    }
                }
                None
            }
            Output::Unregistered => return Err(Ended::Unregistered),
            Output::Cue(cue) => {
                self.shown.cues.send_replace(Some(cue));
                None
            }
        })
    }

    async fn with_queue<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Q) -> Result<T, QueueError> + Send + 'static,
    ) -> Result<T, QueueError> {
        let Some(queue) = self.queue.take() else {
            return Err(QueueError::Unknown("the queue is gone".to_owned()));
        };
        let (queue, result) = blocking(queue, work).await;
        self.queue = queue;
        result
    }
}

/// Runs work on a queue where it may block. A queue is lost only with the task, and then the till ends.
async fn blocking<Q: Queue, T: Send + 'static>(
    mut held: Held<Q>,
    work: impl FnOnce(&mut Q) -> Result<T, QueueError> + Send + 'static,
) -> (Option<Held<Q>>, Result<T, QueueError>) {
    let done = tokio::task::spawn_blocking(move || {
        let result = work(&mut held.queue);
        (held, result)
    });
    match done.await {
        Ok((queue, result)) => (Some(queue), result),
        Err(error) => (None, Err(QueueError::Unknown(error.to_string()))),
    }
}
