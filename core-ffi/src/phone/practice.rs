//! Training on the phone: while somebody practises, touches and holds go to a till that is not real, and its screens are the ones that are shown.
//!
//! What must never happen here: a touch of a training that reaches the real till. It hears of what was practised as what it was, and decides itself
//! whether the event wants it written down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use phone::Event;
use phone::view::ExerciseKind;
use shared_protocol::order::Order;
use terminal::{Action, Cue};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::pump::{Shared, signal};
use crate::till::TillInput;
use crate::training::{Band, Training};

/// A wristband is held for so long at least, and taken away then if nothing was answered.
const HELD: Duration = Duration::from_millis(150);
const HELD_MAX: Duration = Duration::from_secs(3);

struct Running {
    training: Arc<Training>,
    pump: JoinHandle<()>,
    told: phone::Training,
}

/// The training of this phone, while one runs.
#[derive(Default)]
pub(super) struct Practice(Mutex<Option<Running>>);

/// The wristband of an exercise.
fn band(kind: Option<ExerciseKind>) -> Band {
    match kind {
        None | Some(ExerciseKind::Pays | ExerciseKind::Undo | ExerciseKind::Correct) => Band::Guest,
        Some(ExerciseKind::TooLow) => Band::Poor,
        Some(ExerciseKind::Blocked) => Band::Blocked,
        Some(ExerciseKind::Foreign | ExerciseKind::Unreadable) => Band::Foreign,
        Some(ExerciseKind::Two) => Band::Two,
        Some(ExerciseKind::Offline) => Band::Unknown,
    }
}

/// Whether an exercise is done with an answer like this.
fn is_done(kind: ExerciseKind, cue: Cue) -> bool {
    match kind {
        ExerciseKind::Pays | ExerciseKind::Offline | ExerciseKind::Undo | ExerciseKind::Correct => cue == Cue::Done,
        ExerciseKind::TooLow
        | ExerciseKind::Blocked
        | ExerciseKind::Foreign
        | ExerciseKind::Unreadable
        | ExerciseKind::Two => matches!(cue, Cue::Refused | Cue::Again),
    }
}

fn send(training: &Training, action: Action) {
    if training.till().inputs().try_send(TillInput::Act(action)).is_err() {
        tracing::warn!("a touch of a training was left out");
    }
}

impl Practice {
    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody practises.
    pub fn runs(&self) -> bool {
        self.running().is_some()
    }

    /// Begins, with the prices of the device and whoever is logged in; not while a cart is open. Must be called within the runtime.
    pub fn begin(self: &Arc<Self>, shared: &Arc<Shared>) {
        let Some((screen, config)) = shared.real() else { return };
        let (Some(till), None) = (screen.till, &screen.cart) else {
            return;
        };
        if self.runs() {
            return;
        }
        let (training, practised) = match Training::start(&config, till) {
            Ok((training, practised)) => (Arc::new(training), practised),
            Err(error) => {
                tracing::error!(%error, "there is no training");
                return;
            }
        };
        // Who is not logged in practises as anybody who may sell here.
        let may = |staff: &&shared_protocol::catalogue::Staff| {
            let kinds = config.tills.get(&till).map(|till| &till.order_kinds);
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| staff.order_kinds.contains(kind)))
        };
        let staff = screen
            .cashier
            .or_else(|| config.staff.values().find(may).map(|staff| staff.id));
        shared.practise(true);
        let told = phone::Training::default();
        shared.tell(Event::Training(Some(told.clone())));
        let pump = carry(Arc::clone(self), Arc::clone(shared), Arc::clone(&training), practised);
        let pump = tokio::spawn(pump);
        if let Some(staff) = staff {
            send(&training, Action::Login { staff });
        }
        *self.running() = Some(Running { training, pump, told });
    }

    /// Ends; the real till is shown again as it is.
    pub fn end(&self, shared: &Arc<Shared>) {
        let Some(running) = self.running().take() else { return };
        running.pump.abort();
        // It ends with its task; nothing of it is kept.
        let _ending = running.training.till().inputs().try_send(TillInput::Stop);
        shared.practise(false);
        shared.tell(Event::Training(None));
        if let Some((screen, config)) = shared.real() {
            shared.tell(Event::Screen(screen, Some(config)));
        }
    }

    /// Does something to the till that is not real. Gives whether there is one.
    pub fn act(&self, action: Action) -> bool {
        let Some(training) = self.running().as_ref().map(|running| Arc::clone(&running.training)) else {
            return false;
        };
        send(&training, action);
        true
    }

    /// The next wristband does what this exercise says.
    pub fn exercise(&self, shared: &Shared, kind: ExerciseKind) {
        let told = self.running().as_mut().map(|running| {
            running.told.current = Some(kind);
            running.told.clone()
        });
        if told.is_some() {
            shared.tell(Event::Training(told));
        }
    }

    /// The simulated wristband is held until it is answered, and taken away.
    pub async fn hold(&self) {
        let Some((training, kind)) = self
            .running()
            .as_ref()
            .map(|running| (Arc::clone(&running.training), running.told.current))
        else {
            return;
        };
        let mut cues = training.till().cues();
        cues.mark_unchanged();
        training.hold(band(kind)).await;
        tokio::time::sleep(HELD).await;
        let answered = cues.wait_for(|cue| !matches!(cue, None | Some(Cue::Seen)));
        // Not kept: what waits gives a lock on the cue.
        drop(tokio::time::timeout(HELD_MAX, answered).await);
        training.take_away().await;
    }

    fn answered(&self, shared: &Shared, cue: Cue) {
        let told = self.running().as_mut().and_then(|running| {
            let kind = running.told.current.filter(|kind| is_done(*kind, cue))?;
            if !running.told.done.contains(&kind) {
                running.told.done.push(kind);
            }
            running.told.current = None;
            Some(running.told.clone())
        });
        if told.is_some() {
            shared.tell(Event::Training(told));
        }
    }
}

/// Carries what the till of the training shows to the phone, and what was practised to the real till.
async fn carry(
    practice: Arc<Practice>,
    shared: Arc<Shared>,
    training: Arc<Training>,
    mut practised: mpsc::Receiver<Order>,
) {
    let (mut screens, mut configs, mut cues) = (
        training.till().screens(),
        training.till().configs(),
        training.till().cues(),
    );
    loop {
        tokio::select! {
            Some(order) = practised.recv() => {
                if let Err(error) = shared.send(TillInput::Practised(Box::new(order))) {
                    tracing::warn!(%error, "what was practised is not written down");
                }
            }
            changed = screens.changed() => {
                if changed.is_err() {
                    return;
                }
                let screen = screens.borrow_and_update().clone();
                let config = configs.borrow_and_update().clone();
                if let Some(screen) = screen {
                    shared.tell(Event::Screen(screen, config));
                }
            }
            changed = cues.changed() => {
                if changed.is_err() {
                    return;
                }
                let cue = *cues.borrow_and_update();
                if let Some(cue) = cue {
                    shared.play(signal(cue));
                    practice.answered(&shared, cue);
                }
            }
        }
    }
}
