//! Between the till's loop and what is drawn: every change of the screen, of the device and of where the cashier is becomes a view.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use phone::{Effect, Event, Phone, View};
use shared_protocol::config::Config;
use terminal::screen::{Notice, Screen};
use terminal::{Action, Cue};
use tokio::sync::{mpsc, watch};

use super::errors::TouchError;
use super::traits::{Clock, Display, Effects, Signal};
use crate::client::Endpoint;
use crate::till::TillInput;

/// The clocks of Kotlin for the till's loop. A clock that throws must not stop a sale: then the operating system's are as good.
pub(super) struct PhoneClock {
    pub clock: Arc<dyn Clock>,
    pub system: crate::till::SystemClock,
}

impl crate::till::Clock for PhoneClock {
    fn wall_ms(&self) -> u64 {
        let said = self.clock.wall_ms().ok().and_then(|ms| u64::try_from(ms).ok());
        said.unwrap_or_else(|| self.system.wall_ms())
    }

    fn mono_ms(&self) -> u64 {
        let said = self.clock.elapsed_ms().ok().and_then(|ms| u64::try_from(ms).ok());
        said.unwrap_or_else(|| self.system.mono_ms())
    }
}

/// Whoever looks, until they stop.
#[derive(Default)]
struct Watchers {
    next: u64,
    displays: Vec<(u64, Arc<dyn Display>)>,
}

/// What the object and the pump share.
pub(super) struct Shared {
    phone: Mutex<Phone>,
    watchers: Mutex<Watchers>,
    effects: Arc<dyn Effects>,
    inputs: mpsc::Sender<TillInput>,
    /// How often the till has answered a hold.
    answers: watch::Sender<u64>,
    /// Whether a wristband is being worked on.
    working: watch::Sender<bool>,
    /// What the real till shows, also while another one is practised on.
    real: Mutex<Option<(Arc<Screen>, Arc<Config>)>>,
    practises: AtomicBool,
}

fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn signal(cue: Cue) -> Signal {
    match cue {
        Cue::Seen => Signal::Seen,
        Cue::Done => Signal::Done,
        Cue::Refused => Signal::Refused,
        Cue::Again => Signal::Again,
        Cue::Already => Signal::Already,
        Cue::Info => Signal::Info,
    }
}

impl Shared {
    pub fn new(phone: Phone, effects: Arc<dyn Effects>, inputs: mpsc::Sender<TillInput>) -> Arc<Self> {
        Arc::new(Self {
            phone: Mutex::new(phone),
            watchers: Mutex::default(),
            effects,
            inputs,
            answers: watch::Sender::new(0),
            working: watch::Sender::new(false),
            real: Mutex::default(),
            practises: AtomicBool::new(false),
        })
    }

    fn phone(&self) -> MutexGuard<'_, Phone> {
        self.phone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watchers(&self) -> MutexGuard<'_, Watchers> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be seen now.
    pub fn view(&self) -> View {
        self.phone().view(now_ms())
    }

    /// Somebody looks from now on, and sees at once how things stand.
    pub fn watch(&self, display: &Arc<dyn Display>) -> u64 {
        let view = self.view();
        let number = {
            let mut watchers = self.watchers();
            watchers.next += 1;
            let number = watchers.next;
            watchers.displays.push((number, Arc::clone(display)));
            number
        };
        let _drawn = display.show(view);
        number
    }

    /// They look no more.
    pub fn unwatch(&self, number: u64) {
        self.watchers().displays.retain(|(other, _)| *other != number);
    }

    pub fn is_watched(&self, number: u64) -> bool {
        self.watchers().displays.iter().any(|(other, _)| *other == number)
    }

    /// Tells the phone something, shows what changed, and gives what is to be done.
    pub fn tell(&self, event: Event) -> Vec<Effect> {
        let (effects, view) = {
            let mut phone = self.phone();
            let effects = phone.step(event);
            (effects, phone.changed_view(now_ms()))
        };
        if let Some(view) = view {
            self.show(&view);
        }
        effects
    }

    /// Shows what only time has changed.
    pub fn look_again(&self) {
        let view = self.phone().changed_view(now_ms());
        if let Some(view) = view {
            self.show(&view);
        }
    }

    fn show(&self, view: &View) {
        let displays: Vec<_> = self.watchers().displays.clone();
        for (_, display) in displays {
            if let Err(error) = display.show(view.clone()) {
                tracing::error!(%error, "a view was not drawn");
            }
        }
    }

    pub fn play(&self, signal: Signal) {
        if let Err(error) = self.effects.play(signal) {
            tracing::warn!(%error, "a signal was not given");
        }
    }

    pub fn effects(&self) -> &dyn Effects {
        &*self.effects
    }

    /// The till's loop gets something to do. It takes what a hand does faster than a hand does it.
    pub fn send(&self, input: TillInput) -> Result<(), TouchError> {
        self.inputs.try_send(input).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => TouchError::Busy,
            mpsc::error::TrySendError::Closed(_) => TouchError::Ended,
        })
    }

    pub fn act(&self, action: Action) -> Result<(), TouchError> {
        self.send(TillInput::Act(action))
    }

    pub fn at(&self, endpoint: Endpoint) -> Result<(), TouchError> {
        self.send(TillInput::At(Box::new(endpoint)))
    }

    /// What the real till shows, once it has prices.
    pub fn real(&self) -> Option<(Arc<Screen>, Arc<Config>)> {
        self.real.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on the screens of a training are shown and not the real till's, or the other way round.
    pub fn practise(&self, practises: bool) {
        self.practises.store(practises, Ordering::SeqCst);
    }

    /// The real till shows something else.
    fn tell_real(&self, screen: Arc<Screen>, config: Option<Arc<Config>>) {
        let known = config.clone().map(|config| (Arc::clone(&screen), config));
        *self.real.lock().unwrap_or_else(PoisonError::into_inner) = known;
        if !self.practises.load(Ordering::SeqCst) {
            self.tell(Event::Screen(screen, config));
        }
    }

    /// How often the till has answered a hold, and whether it works on one.
    pub fn answers(&self) -> (watch::Receiver<u64>, watch::Receiver<bool>) {
        (self.answers.subscribe(), self.working.subscribe())
    }
}

/// What a running till shows.
pub(super) struct Shown {
    pub screens: watch::Receiver<Option<Arc<Screen>>>,
    pub configs: watch::Receiver<Option<Arc<Config>>>,
    pub cues: watch::Receiver<Option<Cue>>,
}

/// How often is looked whether time alone has changed something: an offline pill grows older.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Carries what the till shows to the phone, until the till has ended; then the phone says so.
pub(super) async fn run(shared: Arc<Shared>, shown: Shown) {
    carry(&shared, shown).await;
    shared.tell(Event::Ended);
}

async fn carry(shared: &Shared, mut shown: Shown) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            changed = shown.screens.changed() => {
                if changed.is_err() {
                    return;
                }
                let screen = shown.screens.borrow_and_update().clone();
                let config = shown.configs.borrow_and_update().clone();
                let Some(screen) = screen else { continue };
                let works = matches!(screen.notice, Notice::Working);
                shared.tell_real(screen, config);
                shared.working.send_if_modified(|before| std::mem::replace(before, works) != works);
            }
            changed = shown.cues.changed() => {
                if changed.is_err() {
                    return;
                }
                let cue = *shown.cues.borrow_and_update();
                let Some(cue) = cue else { continue };
                shared.play(signal(cue));
                if cue != Cue::Seen {
                    shared.answers.send_modify(|answers| *answers += 1);
                }
            }
            _ = look.tick() => shared.look_again(),
        }
    }
}
