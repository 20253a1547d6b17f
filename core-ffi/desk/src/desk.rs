//! A till, its reader and what the page needs to know besides, behind one value that everybody who looks at the page is told of.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chips::{MemoryKeys, ReaderEvent};
use core_ffi::keys::{self, KeyError, random};
use core_ffi::mirror::{MirrorError, MirrorStatus};
use core_ffi::readers::{Happening, ReaderThread, SimulatedReader};
use core_ffi::till::STREAMS;
use core_ffi::{
    Device, Endpoint, Hand, Keys, Mirror, MirrorTo, MirroredQueue, QueueError, QueueReader, SqliteQueue, Till,
    TillInput, virtual_reader,
};
use terminal::screen::{Notice, Page, Screen};
use terminal::{Action, Cue, Invitation};
use tokio::sync::watch;

use crate::act::{Act, Unclear, pressed};
use crate::model::Model;
use crate::readers::{Kind, Readers, UsbReader};
use crate::serve;
use crate::tray::{Elsewhere, Held, Tray, TrayHand, Until, Wristband, is_answered};

/// What a desk is made of.
pub struct Options {
    /// Where the page is served. Only this machine may be able to reach it.
    pub listen: SocketAddr,
    /// The folder with the device's key and its offline queue.
    pub data: PathBuf,
    /// Where the server is.
    pub server: Endpoint,
    /// Where guests find receipts ([`Address::of`](shared_protocol::slip::Address::of)).
    pub receipts: Option<String>,
    /// Where the console is, for what a desk cannot do by itself.
    pub console: Option<String>,
    /// The USB reader beside the till.
    pub reader: Option<UsbReader>,
    /// What works on the purses of wristbands; without it the till says that it has no key for them.
    pub keys: Option<Keys>,
    /// Virtual wristbands, for a desk without a reader.
    pub wristbands: Vec<Wristband>,
    /// What may be broken for show.
    pub simulation: Simulation,
    /// A page that may show this one inside it.
    pub framed_by: Option<String>,
    /// Second places of the journal.
    pub mirrors: Vec<MirrorTo>,
}

/// What is only for trying out. A desk that takes money has none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Simulation {
    /// The network can be cut and the battery pulled from the page.
    pub faults: bool,
}

/// Why there is no desk.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The offline queue cannot be used.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The device's key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A second place cannot be tried.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// The address cannot be listened on, or the folder cannot be made.
    #[error("the desk cannot start: {0}")]
    Io(#[from] std::io::Error),
    /// The page would be open to the network.
    #[error(
        "{0} can be reached from other machines; the desk listens on this machine only, for example 127.0.0.1:8460"
    )]
    NotLocal(SocketAddr),
}

/// The till, its readers and the hands in front of them. Started anew after a crash.
struct Running {
    till: Till,
    hand: Hand,
    table: Option<TrayHand>,
    threads: Vec<ReaderThread>,
    mirrors: Vec<Mirror>,
}

impl Running {
    /// Lets go of the readers. A thread ends when its reader's call does, so not where others wait.
    async fn close_readers(&mut self) {
        self.table = None;
        let threads = std::mem::take(&mut self.threads);
        let _closed = tokio::task::spawn_blocking(move || drop(threads)).await;
    }
}

/// What all requests share.
pub(crate) struct Shared {
    pub options: Options,
    pub key: String,
    pub model: watch::Sender<Model>,
    device: tokio::sync::Mutex<Running>,
    pump: Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// A running desk.
pub struct Desk {
    /// Where it listens.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<std::io::Result<()>>,
}

fn start_till(options: &Options, model: &watch::Sender<Model>) -> Result<Running, DeskError> {
    let device = Device {
        app: concat!("groschen desk ", env!("CARGO_PKG_VERSION")).to_owned(),
        signer: Box::new(keys::device_key(&options.data.join("device.key"))?),
        endpoint: options.server.clone(),
        streams: STREAMS.to_vec(),
    };
    let path = options.data.join("queue.db");
    let queue = SqliteQueue::open(&path, None)?;
    let mut mirrors = Vec::with_capacity(options.mirrors.len());
    for to in &options.mirrors {
        let signer = Box::new(keys::device_key(&options.data.join("device.key"))?);
        mirrors.push(Mirror::start(to, QueueReader::new(path.clone()), signer)?);
    }
    let till = Till::start(device, MirroredQueue::new(queue, mirrors.clone()));
    let (hand, reader) = virtual_reader();
    till.attach(reader);
    let keys = || options.keys.clone().unwrap_or_else(|| Arc::new(MemoryKeys::default()));
    model.send_modify(|model| model.readers = Readers::default());
    let expect = |kind| {
        model.send_modify(|model| model.readers.expect(kind));
        let model = model.clone();
        move |happening: &Happening| {
            model.send_if_modified(|model| model.readers.note(kind, happening));
        }
    };
    let mut threads = Vec::new();
    let table = if options.wristbands.is_empty() {
        None
    } else {
        let (hand, reader) = SimulatedReader::new();
        threads.push(till.attach_hardware(reader, keys(), expect(Kind::Simulated))?);
        Some(TrayHand::new(hand))
    };
    if let Some(reader) = &options.reader {
        threads.push(reader.attach(&till, keys(), expect(Kind::Usb))?);
    }
    Ok(Running {
        till,
        hand,
        table,
        threads,
        mirrors,
    })
}

impl Desk {
    /// Starts the till and serves its page.
    pub async fn start(options: Options) -> Result<Self, DeskError> {
        if !options.listen.ip().is_loopback() {
            return Err(DeskError::NotLocal(options.listen));
        }
        std::fs::create_dir_all(&options.data)?;
        let listener = tokio::net::TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let tray = Tray {
            wristbands: options.wristbands.clone(),
            ..Tray::default()
        };
        let model = watch::Sender::new(Model {
            tray,
            ..Model::default()
        });
        let device = start_till(&options, &model)?;
        let shared = Arc::new(Shared {
            options,
            key: shared_protocol::ids::hex(&random::<16>()?),
            model,
            device: tokio::sync::Mutex::new(device),
            pump: Mutex::new(None),
        });
        shared.watch_till(&*shared.device.lock().await);
        let routes = serve::routes(Arc::clone(&shared), address);
        let accepting = tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self {
            address,
            shared,
            accepting,
        })
    }

    /// The address to open in a browser. It holds a key: whoever has it can use this till.
    pub fn url(&self) -> String {
        format!("http://{}/open?key={}", self.address, self.shared.key)
    }

    /// Registers the till, as scanning a code would.
    pub async fn register(&self, invitation: Invitation) {
        self.shared.register(invitation).await;
    }

    /// Logs somebody in, as choosing a name would.
    pub async fn log_in(&self, staff: shared_protocol::StaffId) {
        let act = Act::Till(vec![Action::Login { staff }]);
        self.shared.act(act).await;
    }

    /// Does what a button of the page would, by its value; `hold 0` holds the first wristband of the tray. Gives whether there is such a button.
    pub async fn press(&self, line: &str) -> bool {
        match pressed(line, None, crate::view::DEVICE) {
            Ok(act) => {
                self.shared.act(act).await;
                true
            }
            Err(_) => false,
        }
    }

    /// Waits until the till can sell, at most so long. Gives whether it can.
    pub async fn ready(&self, patience: Duration) -> bool {
        let mut models = self.shared.model.subscribe();
        let sells = |model: &Model| model.screen.as_ref().is_some_and(|screen| screen.page == Page::Sale);
        tokio::time::timeout(patience, models.wait_for(sells))
            .await
            .is_ok_and(|found| found.is_ok())
    }

    /// Waits until the till has left registration behind, at most so long.
    pub async fn registered(&self, patience: Duration) -> bool {
        let mut models = self.shared.model.subscribe();
        let there = |model: &Model| {
            let page = model.screen.as_ref().map(|screen| &screen.page);
            !matches!(page, None | Some(Page::Unregistered(_) | Page::NoConfig))
        };
        tokio::time::timeout(patience, models.wait_for(there))
            .await
            .is_ok_and(|found| found.is_ok())
    }

    /// What the till shows.
    pub fn screen(&self) -> Option<Arc<Screen>> {
        self.shared.model.borrow().screen.clone()
    }

    /// How the second places of its journal stand.
    pub async fn mirrors(&self) -> Vec<MirrorStatus> {
        self.shared
            .device
            .lock()
            .await
            .mirrors
            .iter()
            .map(Mirror::status)
            .collect()
    }

    /// Whether its network is cut.
    pub fn is_cut(&self) -> bool {
        self.shared.model.borrow().cut
    }

    /// Cuts the network under the till, or mends it.
    pub async fn cut(&self, cut: bool) {
        self.shared.act(Act::Cut(cut)).await;
    }

    /// Ends in order: what is in memory is stored.
    pub async fn stop(self) {
        self.end().await;
    }

    /// The same for a desk that others hold too.
    pub async fn end(&self) {
        self.accepting.abort();
        let mut device = self.shared.device.lock().await;
        device.till.input(TillInput::Stop).await;
        // Stopping takes as long as the disk; a disk that hangs must not keep the program.
        let ended = async {
            while !device.till.has_ended() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _late = tokio::time::timeout(Duration::from_secs(5), ended).await;
        device.close_readers().await;
        let mirrors = device.mirrors.clone();
        // Bounded by itself; one that cannot be waited for has its copier to itself.
        let _stopped = tokio::task::spawn_blocking(move || mirrors.iter().for_each(Mirror::stop)).await;
        self.shared.set_pump(None);
    }
}

impl Shared {
    fn pump(&self) -> MutexGuard<'_, Option<tokio::task::JoinHandle<()>>> {
        self.pump.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_pump(&self, pump: Option<tokio::task::JoinHandle<()>>) {
        if let Some(before) = std::mem::replace(&mut *self.pump(), pump) {
            before.abort();
        }
    }

    /// Takes what the till shows into the model.
    fn watch_till(&self, running: &Running) {
        let till = &running.till;
        let (mut screens, mut configs, mut cues) = (till.screens(), till.configs(), till.cues());
        let (model, mirrors) = (self.model.clone(), running.mirrors.clone());
        let mut look = tokio::time::interval(MIRRORS_EVERY);
        self.set_pump(Some(tokio::spawn(async move {
            loop {
                tokio::select! {
                    // In one go, so that a page is never drawn with the configuration of the screen before.
                    changed = screens.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let screen = screens.borrow_and_update().clone();
                        let config = configs.borrow_and_update().clone();
                        model.send_modify(|model| {
                            if let Some(cart) = screen.as_ref().and_then(|screen| screen.cart.as_ref()) {
                                model.served.clone_from(&cart.lines);
                            }
                            if let Some(Notice::Done(done)) = screen.as_ref().map(|screen| &screen.notice) {
                                model.done = Some(done.clone());
                            }
                            (model.screen, model.config) = (screen, config);
                        });
                    }
                    changed = cues.changed() => {
                        if changed.is_err() {
                            return;
                        }
                        let cue = *cues.borrow_and_update();
                        model.send_modify(|model| model.cue = (cue, model.cue.1 + 1));
                    }
                    // A copy that hangs says nothing by itself, so it is asked.
                    _ = look.tick(), if !mirrors.is_empty() => {
                        let now: Vec<_> = mirrors.iter().map(Mirror::status).collect();
                        model.send_if_modified(|model| {
                            let is_new = model.mirrors != now;
                            model.mirrors = now;
                            is_new
                        });
                    }
                }
            }
        })));
    }

    /// Does what a person did.
    pub async fn act(&self, act: Act) {
        self.model.send_if_modified(|model| model.unclear.take().is_some());
        match act {
            Act::Till(actions) => {
                let is_new = |action: &Action| matches!(action, Action::TopUp { .. } | Action::PayOut { .. });
                if actions.iter().any(is_new) {
                    self.model.send_modify(|model| model.given = None);
                }
                let device = self.device.lock().await;
                for action in actions {
                    device.till.input(TillInput::Act(action)).await;
                }
            }
            Act::Pick(place) => self.model.send_modify(|model| {
                if !model.tray.pick(place) {
                    model.unclear = Some(Unclear::Wristband);
                }
            }),
            Act::PickNext => self.model.send_modify(|model| model.tray.pick_next()),
            Act::Hold(held) => self.hold(held, Until::Answered).await,
            Act::HoldPicked => self.hold_picked(Until::Answered).await,
            Act::TooEarly { plug: false } => self.hold_picked(Until::TooEarly).await,
            Act::TooEarly { plug: true } => self.hold_picked(Until::Unplugged).await,
            Act::Plug(plugged) => {
                if let Some(table) = &self.device.lock().await.table {
                    table.plug(plugged);
                }
            }
            Act::Given(given) => self.model.send_modify(|model| model.given = Some(given)),
            Act::Leave => {
                let held = self.model.borrow().tray.held;
                if held.is_some() {
                    self.take_away(None).await;
                } else {
                    self.hold_picked(Until::TakenAway).await;
                }
            }
            Act::Turn(side) => self.model.send_modify(|model| model.side = side),
            Act::Register(invitation) => self.register(*invitation).await,
            Act::Cut(cut) => {
                self.device.lock().await.till.input(TillInput::Cut(cut)).await;
                self.model.send_modify(|model| model.cut = cut);
            }
            Act::Crash => self.crash().await,
        }
    }

    /// Says that something was not understood.
    pub fn misunderstood(&self, unclear: Unclear) {
        self.model.send_modify(|model| model.unclear = Some(unclear));
    }

    async fn register(&self, invitation: Invitation) {
        self.device
            .lock()
            .await
            .till
            .input(TillInput::Register(invitation))
            .await;
    }

    /// Takes away what lies there; with a number only what was laid down at that time.
    async fn take_away(&self, laid: Option<u64>) {
        let mut device = self.device.lock().await;
        if let Some(table) = device.table.as_mut()
            && laid.is_none_or(|laid| laid == table.times)
        {
            table.take_away();
            self.model.send_modify(|model| model.tray.held = None);
        }
    }

    async fn hold_picked(&self, until: Until) {
        let (picked, count) = {
            let tray = &self.model.borrow().tray;
            (tray.picked, tray.wristbands.len())
        };
        // Without a tray a wristband is held by holding it.
        if count > 0 {
            self.hold(Held::One(picked), until).await;
        }
    }

    /// Holds something to the reader; takes it away when the till has answered, unless it is left there.
    async fn hold(&self, held: Held, until: Until) {
        let mut device = self.device.lock().await;
        let Some(table) = device.table.as_mut() else {
            return self.misunderstood(Unclear::Wristband);
        };
        let (cues, wristband) = {
            let model = self.model.borrow();
            let wristband = match held {
                Held::One(place) => model.tray.wristbands.get(place).cloned(),
                Held::Two | Held::Foreign => None,
            };
            (model.cue.1, wristband)
        };
        match (held, wristband) {
            (Held::One(place), Some(wristband)) => {
                if let Err(Elsewhere) = table.lay(&wristband, until) {
                    return self.misunderstood(Unclear::Elsewhere);
                }
                self.model.send_modify(|model| {
                    model.tray.pick(place);
                });
            }
            (Held::One(_), None) => return self.misunderstood(Unclear::Wristband),
            (Held::Foreign, _) => table.lay_foreign(),
            (Held::Two, _) => {
                table.take_away();
                table.times += 1;
                device.hand.show(ReaderEvent::Several).await;
            }
        }
        let laid = device.table.as_ref().map(|table| table.times);
        drop(device);
        self.model.send_modify(|model| model.tray.held = Some(held));
        if until != Until::TakenAway {
            let mut models = self.model.subscribe();
            tokio::time::sleep(HELD_AT_LEAST).await;
            let answered = |model: &Model| {
                model.cue.1 != cues
                    && model.cue.0 != Some(Cue::Seen)
                    && model.screen.as_ref().is_some_and(|screen| is_answered(screen))
            };
            // Not kept: what waits gives a lock on the model.
            drop(tokio::time::timeout(HELD_AT_MOST, models.wait_for(answered)).await);
            self.take_away(laid).await;
        }
    }

    /// Ends the till as a dead battery would and starts it again from what its disk holds.
    async fn crash(&self) {
        let mut device = self.device.lock().await;
        device.till.pull_the_battery().await;
        device.close_readers().await;
        match start_till(&self.options, &self.model) {
            Ok(started) => *device = started,
            Err(error) => {
                tracing::error!(%error, "the till does not start again");
                return;
            }
        }
        self.watch_till(&device);
        let cut = {
            let model = self.model.borrow();
            model.cut
        };
        device.till.input(TillInput::Cut(cut)).await;
        self.model.send_modify(|model| model.tray.held = None);
    }
}

/// How often the page asks how the second places stand.
const MIRRORS_EVERY: Duration = Duration::from_millis(500);

/// A hand is not quicker than this, and a till answers an authorisation or gives up on it well within the second.
const HELD_AT_LEAST: Duration = Duration::from_millis(150);
const HELD_AT_MOST: Duration = Duration::from_secs(3);
