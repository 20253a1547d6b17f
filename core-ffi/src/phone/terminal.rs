//! The object that Kotlin holds: one for the process, from its start to its end.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use phone::view::Language;
use phone::{Build, DeviceState, Effect, Event, Phone, Touch, View};
use tokio::runtime::Runtime;

use super::errors::{OpenError, TouchError};
use super::evacuation::{self, EvacuatedFile, Evacuation};
use super::field::{PhoneField, PhoneReader};
use super::keystore::KeystoreSigner;
use super::practice::Practice;
use super::pump::{self, PhoneClock, Shared, Shown};
use super::runtime::{attach_this_thread, runtime};
use super::traits::{Clock, Display, Effects, Keystore, NfcLink, Selected, Signal};
use super::wristband_keys::{self, WristbandKeys};
use crate::client::{Endpoint, ServerAddress};
use crate::queue::SqliteQueue;
use crate::readers::{Happening, ReaderThread};
use crate::till::{Device, Ended, STREAMS, SystemClock, Till, TillInput};

/// The queue.
const QUEUE_FILE: &str = "queue.db";
/// A hold that the till has not answered by then is answered on the screen when it is.
const HOLD_MAX: Duration = Duration::from_secs(5);
/// Stopping takes as long as the disk; a disk that hangs must not keep the app from ending.
const STOP_MAX: Duration = Duration::from_secs(5);

/// What the device says of itself once.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Setup {
    /// The folder for the queue, on the device's own disk and in no backup.
    pub folder: String,
    /// The app's build.
    pub app: String,
    /// What the device calls itself, for the admin who confirms its registration.
    pub device: String,
    /// The language of the device.
    pub language: Language,
}

/// What became of a wristband that was held, as far as the field is concerned; what it meant is in the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum HoldOutcome {
    /// The till has answered; the wristband may leave.
    Answered,
    /// Not within the time of a hold; the answer comes to the view.
    Late,
    /// The terminal has ended.
    Ended,
}

fn put_away_as(number: u16) -> String {
    format!("queue-{number}.put-away.db")
}

struct Running {
    till: Option<Till>,
    reader: Option<ReaderThread>,
}

/// A terminal: the till of this phone with its queue, its connection and its field.
///
/// One object for the process. Every call may come from any thread; `hold` blocks and must not come from the thread of the screen.
#[derive(uniffi::Object)]
pub struct Terminal {
    runtime: &'static Runtime,
    folder: PathBuf,
    shared: Arc<Shared>,
    field: PhoneField,
    keys: Arc<WristbandKeys>,
    evacuation: Arc<Evacuation>,
    practice: Arc<Practice>,
    running: Mutex<Running>,
}

/// Somebody looks, until this is cancelled or gone.
#[derive(uniffi::Object)]
pub struct Subscription {
    shared: Arc<Shared>,
    number: u64,
}

#[uniffi::export]
impl Subscription {
    /// Nothing is shown any more from now on; a view that is being shown in this moment is the last.
    pub fn cancel(&self) {
        self.shared.unwatch(self.number);
    }

    /// Whether it still looks.
    pub fn is_active(&self) -> bool {
        self.shared.is_watched(self.number)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.shared.unwatch(self.number);
    }
}

fn endpoint(server: Option<&ServerAddress>) -> Endpoint {
    let known = server.and_then(|server| match server.endpoint() {
        Ok(endpoint) => Some(endpoint),
        Err(error) => {
            tracing::error!(%error, "the kept address of the server is none");
            None
        }
    });
    known.unwrap_or_else(Endpoint::nowhere)
}

#[uniffi::export]
impl Terminal {
    /// Opens the terminal of this device: reads its queue, checks its journal and goes on where it was. A terminal that is open already must be
    /// closed before.
    #[uniffi::constructor]
    pub fn open(
        setup: Setup,
        keystore: Arc<dyn Keystore>,
        clock: Arc<dyn Clock>,
        effects: Arc<dyn Effects>,
    ) -> Result<Arc<Self>, OpenError> {
        let runtime = runtime()?;
        let folder = PathBuf::from(&setup.folder);
        std::fs::create_dir_all(&folder)?;
        let server = ServerAddress::load(&folder);
        let device = Device {
            app: setup.app.clone(),
            signer: Box::new(KeystoreSigner::new(Arc::clone(&keystore))?),
            endpoint: endpoint(server.as_ref()),
            streams: STREAMS.to_vec(),
        };
        let queue = SqliteQueue::open(&folder.join(QUEUE_FILE), None)?;
        let keys = Arc::new(WristbandKeys::load(&folder, keystore));
        let guard = runtime.enter();
        let clock = PhoneClock {
            clock,
            system: SystemClock::default(),
        };
        let till = Till::start_by(Arc::new(clock), device, queue);
        let mut phone = Phone::new(Build {
            app: setup.app,
            device: setup.device,
        })
        .at_server(server.map(|server| server.url));
        phone.step(Event::Device(DeviceState {
            language: setup.language,
            ..DeviceState::default()
        }));
        let shared = Shared::new(phone, effects, till.inputs());
        let shown = Shown {
            screens: till.screens(),
            configs: till.configs(),
            cues: till.cues(),
        };
        runtime.spawn(pump::run(Arc::clone(&shared), shown));
        let (field, reader) = PhoneReader::new();
        let mut attached = false;
        let on_thread = move |_: &Happening| {
            if !std::mem::replace(&mut attached, true) {
                attach_this_thread();
            }
        };
        let reader = till.attach_hardware(reader, Arc::clone(&keys) as crate::Keys, on_thread)?;
        drop(guard);
        Ok(Arc::new(Self {
            runtime,
            folder,
            shared,
            field,
            keys,
            evacuation: Arc::default(),
            practice: Arc::default(),
            running: Mutex::new(Running {
                till: Some(till),
                reader: Some(reader),
            }),
        }))
    }

    /// What is to be seen now.
    pub fn view(&self) -> View {
        self.shared.view()
    }

    /// Shows every change to a display, beginning with how things stand.
    #[expect(clippy::needless_pass_by_value, reason = "what comes from Kotlin comes by value")]
    pub fn watch(&self, display: Arc<dyn Display>) -> Arc<Subscription> {
        let number = self.shared.watch(&display);
        Arc::new(Subscription {
            shared: Arc::clone(&self.shared),
            number,
        })
    }

    /// Does what a cashier did. What it comes to is in the view.
    pub fn touch(&self, touch: Touch) -> Result<(), TouchError> {
        for effect in self.shared.tell(Event::Touch(touch)) {
            self.carry_out(effect)?;
        }
        Ok(())
    }

    /// The device changed.
    pub fn device(&self, mut state: DeviceState) {
        state.batches = self.keys.batches();
        let effects = self.shared.tell(Event::Device(state));
        debug_assert!(effects.is_empty(), "a device asks for nothing");
    }

    /// A wristband is in the phone's field: reads it, decides, writes it and books, in this one call. It returns when the till has answered, so that
    /// the shell can let go of the tag; must not be called from the thread of the screen.
    pub fn hold(&self, link: Arc<dyn NfcLink>, selected: Selected) -> HoldOutcome {
        // Whoever practises holds what is at hand; it stands for the simulated one.
        if self.practice.runs() {
            self.runtime.block_on(self.practice.hold());
            return HoldOutcome::Answered;
        }
        let (mut answers, mut working) = self.shared.answers();
        answers.mark_unchanged();
        self.field.found(link, selected);
        let answered = async {
            answers.changed().await.ok()?;
            working.wait_for(|works| !works).await.ok()?;
            Some(())
        };
        match self
            .runtime
            .block_on(async { tokio::time::timeout(HOLD_MAX, answered).await })
        {
            Ok(Some(())) => HoldOutcome::Answered,
            Ok(None) => HoldOutcome::Ended,
            Err(_) => HoldOutcome::Late,
        }
    }

    /// The wristband has left the field.
    pub fn left(&self) {
        self.field.left();
    }

    /// What the server does not have, as files for another phone, a stick or `groschen import`. Blocks as long as the disk and the Keystore.
    pub fn evacuated(&self) -> Vec<EvacuatedFile> {
        self.runtime.block_on(evacuation::files(&self.shared))
    }

    /// Another phone's file: it goes to the server with the next contact. What became of it is in the view.
    pub fn take_file(&self, file: Vec<u8>) -> Result<(), TouchError> {
        self.shared.send(TillInput::Received(file))
    }

    /// The network may be back: a wait for the next try ends.
    pub fn network_is_back(&self) {
        // A terminal that has ended has nothing to send.
        let _ended = self.shared.send(TillInput::TryNow);
    }

    /// Cuts the network under the terminal, for tests and training; mends it.
    pub fn cut(&self, cut: bool) -> Result<(), TouchError> {
        self.shared.send(TillInput::Cut(cut))
    }

    /// Takes the keys of wristbands in from a sealed file and its passphrase; they go to the Keystore and nowhere else. Gives how many batches they
    /// are for.
    #[expect(clippy::needless_pass_by_value, reason = "what comes from Kotlin comes by value")]
    pub fn take_keys(&self, file: Vec<u8>, passphrase: String) -> Result<i32, wristband_keys::KeysError> {
        self.keys.take(&file, &passphrase)
    }

    /// Ends it as a dead battery would, for tests: nothing is said to anybody, and what is in memory only is lost.
    pub fn kill(&self) {
        let till = self.running.lock().unwrap_or_else(PoisonError::into_inner).till.take();
        if let Some(mut till) = till {
            self.runtime.block_on(till.pull_the_battery());
        }
    }

    /// Ends it in order: what is in memory is stored. The object is of no use afterwards. Blocks as long as the disk, five seconds at most.
    pub fn end(&self) {
        let (till, reader) = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            (running.till.take(), running.reader.take())
        };
        if let Some(till) = till {
            let stopped = async { tokio::time::timeout(STOP_MAX, till.stop()).await };
            match self.runtime.block_on(stopped) {
                Ok(Ok(())) => {}
                Ok(Err(Ended::Unregistered)) => self.put_away(),
                Ok(Err(error)) => tracing::error!(%error, "the terminal ended with a fault"),
                Err(_) => tracing::error!("the terminal did not end in time; what it shows as booked is stored"),
            }
        }
        drop(reader);
    }
}

impl Terminal {
    /// The device is no terminal any more. Its journal is all on the server; the file is kept until a technician removes it, and the next start is that of
    /// a new device.
    fn put_away(&self) {
        let free = (1..=u16::MAX).find(|number| !self.folder.join(put_away_as(*number)).exists());
        let Some(number) = free else { return };
        // The log that the database may have left beside itself belongs to it.
        for part in ["", "-wal", "-shm"] {
            let from = self.folder.join(format!("{QUEUE_FILE}{part}"));
            if let Err(error) = std::fs::rename(from, self.folder.join(put_away_as(number) + part))
                && part.is_empty()
            {
                tracing::error!(%error, "the queue cannot be put away");
                return;
            }
        }
        ServerAddress::forget(&self.folder);
        self.keys.forget();
    }

    fn carry_out(&self, effect: Effect) -> Result<(), TouchError> {
        match effect {
            Effect::Act(action) if self.practice.act(action) => Ok(()),
            Effect::Act(action) => self.shared.act(action),
            Effect::Register {
                server,
                authority,
                invitation,
            } => {
                let server = ServerAddress { url: server, authority };
                // Without the file the device would not find its server after a restart; then it registers anew.
                if let Err(error) = server.keep(&self.folder) {
                    tracing::error!(%error, "the server's address cannot be kept");
                }
                self.shared.at(endpoint(Some(&server)))?;
                self.shared.send(TillInput::Register(*invitation))
            }
            Effect::TestSound => {
                self.shared.play(Signal::Test);
                Ok(())
            }
            Effect::TryNow => self.shared.send(TillInput::TryNow),
            Effect::LeaveKiosk => {
                if let Err(error) = self.shared.effects().leave_kiosk() {
                    tracing::error!(%error, "the app's lock stays");
                }
                Ok(())
            }
            Effect::Give => {
                // Reading and signing takes as long as the disk and the Keystore; the screen does not wait.
                self.runtime
                    .spawn(evacuation::give(Arc::clone(&self.shared), Arc::clone(&self.evacuation)));
                Ok(())
            }
            Effect::Turn { forward } => {
                if let Some(page) = self.evacuation.turn(forward) {
                    self.shared.tell(Event::Evacuation(page));
                }
                Ok(())
            }
            Effect::Take => {
                let page = self.evacuation.take();
                self.shared.tell(Event::Evacuation(page));
                Ok(())
            }
            Effect::Taken(text) => {
                let (page, whole) = self.evacuation.taken(&text);
                self.shared.tell(Event::Evacuation(page));
                whole.map_or(Ok(()), |file| self.shared.send(TillInput::Received(file)))
            }
            Effect::Train(true) => {
                let _within = self.runtime.enter();
                self.practice.begin(&self.shared);
                Ok(())
            }
            Effect::Train(false) => {
                self.practice.end(&self.shared);
                Ok(())
            }
            Effect::Exercise(kind) => {
                self.practice.exercise(&self.shared, kind);
                Ok(())
            }
            Effect::HoldSimulated => {
                let practice = Arc::clone(&self.practice);
                self.runtime.spawn(async move { practice.hold().await });
                Ok(())
            }
        }
    }
}
