//! What a phone shows and what its touches mean: from the terminal's screen, the configuration, the device's state and where the cashier is, to one
//! [`View`], and from a [`Touch`] to what the terminal is told. The shell in Kotlin draws the one and sends the other.
//!
//! What must never happen here: words for people, a decision about money, I/O, a clock. Amounts that are only shown (change, notes and coins) are
//! counted here, so that the shell counts nothing.

#![cfg_attr(
    feature = "uniffi",
    expect(
        clippy::disallowed_types,
        reason = "the bindings' own scaffolding knows all numbers; no field here has a float"
    )
)]

mod act;
mod counter;
mod device;
mod ids;
mod money;
pub mod notice;
mod pin;
mod place;
mod said;
#[cfg(test)]
mod tests;
pub mod touch;
pub mod view;
mod views;

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_protocol::catalogue::Till;
use shared_protocol::config::Config;
use shared_protocol::crypto::Hash32;
use shared_protocol::pricing::CartLine;
use shared_protocol::{Amount, ArticleId, StaffId};
use terminal::screen::{self, CartKind, Screen};
use terminal::{Action, Invitation};

pub use device::DeviceState;
pub use notice::Notice;
pub use touch::{Place, Reason, Touch};
pub use view::View;

use money::Typed;
use pin::TypedPin;
use place::{At, Way};
use view::{EvacuationPage, ExerciseKind, Language, ThemeChoice};

/// What the phone is told.
#[derive(Debug, Clone)]
pub enum Event {
    /// The cashier did something.
    Touch(Touch),
    /// The terminal shows something else; with the configuration its tiles come from.
    Screen(Arc<Screen>, Option<Arc<Config>>),
    /// The device changed.
    Device(DeviceState),
    /// An evacuation went on.
    Evacuation(EvacuationPage),
    /// The terminal has ended.
    Ended,
    /// Training began, went on with these exercises done, or ended.
    Training(Option<Training>),
}

/// A training that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Training {
    /// Exercises that were done.
    pub done: Vec<ExerciseKind>,
    /// The one that is going on.
    pub current: Option<ExerciseKind>,
}

/// What is to be done for the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// The terminal is told.
    Act(Action),
    /// The device becomes a terminal of this server.
    Register {
        /// Where the server is.
        server: String,
        /// Digest of the authority that its certificate is from.
        authority: Option<Hash32>,
        /// What the terminal is told.
        invitation: Box<Invitation>,
    },
    /// Sound and vibration are tried.
    TestSound,
    /// The server is asked now.
    TryNow,
    /// Bookings are given to another phone: their codes are wanted.
    Give,
    /// Another code of these.
    Turn {
        /// Forwards.
        forward: bool,
    },
    /// Bookings of another phone are taken.
    Take,
    /// A code of them was scanned.
    Taken(String),
    /// Training begins or ends.
    Train(bool),
    /// An exercise begins.
    Exercise(ExerciseKind),
    /// The simulated wristband is held.
    HoldSimulated,
    /// The app's lock is taken off.
    LeaveKiosk,
}

/// What the phone is told about itself once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The app's build.
    pub app: String,
    /// What the device calls itself, for the admin who confirms.
    pub device: String,
}

/// The phone's side of a till. See the crate's documentation.
#[derive(Debug, Clone)]
pub struct Phone {
    build: Build,
    device: DeviceState,
    screen: Option<Arc<Screen>>,
    config: Option<Arc<Config>>,
    /// Where the server is, with a scheme.
    server: Option<String>,
    way: Way,
    /// A chosen language holds until the cashier changes.
    language: Option<Language>,
    theme: ThemeChoice,
    /// Somebody logged in, and has not yet seen that the phone is fit.
    check_due: bool,
    not_a_code: bool,
    typed: Typed,
    pin: TypedPin,
    text: String,
    given: Option<Amount>,
    last_touched: Option<ArticleId>,
    /// The cart that was given up last, as long as nothing else was begun.
    given_up: Vec<CartLine>,
    counted: BTreeMap<i64, i32>,
    left_by: Option<StaffId>,
    evacuation: Option<EvacuationPage>,
    training: Option<Training>,
    ended: bool,
    serial: i64,
    given_out: Option<View>,
}

impl Phone {
    /// A phone that has not been told anything.
    pub fn new(build: Build) -> Self {
        Self {
            build,
            device: DeviceState::default(),
            screen: None,
            config: None,
            server: None,
            way: Way::default(),
            language: None,
            theme: ThemeChoice::Automatic,
            check_due: false,
            not_a_code: false,
            typed: Typed::default(),
            pin: TypedPin::default(),
            text: String::new(),
            given: None,
            last_touched: None,
            given_up: Vec::new(),
            counted: BTreeMap::new(),
            left_by: None,
            evacuation: None,
            training: None,
            ended: false,
            serial: 0,
            given_out: None,
        }
    }

    /// Where the server is that this device is a terminal of.
    #[must_use]
    pub fn at_server(mut self, server: Option<String>) -> Self {
        self.server = server;
        self
    }

    /// Takes what happened; gives what is to be done, in order.
    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Touch(touch) => self.touched(touch),
            Event::Screen(screen, config) => {
                self.shown(screen, config);
                Vec::new()
            }
            Event::Device(device) => {
                self.device = device;
                Vec::new()
            }
            Event::Evacuation(page) => {
                self.evacuation = Some(page);
                Vec::new()
            }
            Event::Ended => {
                self.ended = true;
                Vec::new()
            }
            Event::Training(training) => {
                if training.is_some() != self.training.is_some() {
                    self.way.home();
                    self.check_due = false;
                    self.forget_what_is_typed();
                }
                self.training = training;
                Vec::new()
            }
        }
    }

    /// The terminal shows something else: the pages follow what it is about.
    fn shown(&mut self, screen: Arc<Screen>, config: Option<Arc<Config>>) {
        let before = self.screen.replace(screen);
        self.config = config;
        let Some(now) = self.screen.clone() else { return };
        let cashier_before = before.as_ref().and_then(|before| before.cashier);
        if now.cashier != cashier_before {
            self.forget_what_is_typed();
            self.language = None;
            if now.cashier.is_some() {
                // After a start the shift goes on where it was; a swap in its middle looks at nothing anew.
                self.check_due = before.is_some() && cashier_before.is_none() && self.training.is_none();
                self.way.home();
            } else {
                self.left_by = cashier_before.or(self.left_by);
                self.check_due = false;
                self.way.close_counter();
            }
        }
        let cart_of = |screen: &Screen| screen.cart.as_ref().map(|cart| At::of_cart(&cart.kind));
        let (open, was) = (cart_of(&now), before.as_deref().and_then(cart_of));
        if open != was {
            match open {
                Some(at) => {
                    if !matches!(now.cart.as_ref().map(|cart| &cart.kind), Some(CartKind::TopUp { .. })) {
                        self.given = None;
                    }
                    self.way.open(at, self.root());
                }
                // What the cart was about is over, and so are its own pages.
                None => self.leave_pages_of_a_cart(),
            }
        }
        let is_done = matches!(now.notice, screen::Notice::Done(_));
        if is_done
            && !matches!(
                before.as_ref().map(|before| &before.notice),
                Some(screen::Notice::Done(_))
            )
        {
            self.typed = Typed::default();
            self.text.clear();
            self.given_up.clear();
            self.counted.clear();
        }
        if now.cart.is_some() {
            self.given_up.clear();
        }
    }

    fn leave_pages_of_a_cart(&mut self) {
        while matches!(
            self.here(),
            At::FreePrice(_) | At::Cart { .. } | At::Split | At::Foreign | At::Order(_)
        ) {
            self.way.back();
        }
    }

    fn forget_what_is_typed(&mut self) {
        self.typed = Typed::default();
        self.pin = TypedPin::default();
        self.text.clear();
        self.given = None;
        self.given_up.clear();
        self.last_touched = None;
        self.counted.clear();
    }

    /// The till of the configuration that this device is for.
    fn till(&self) -> Option<(&Config, &Till)> {
        let config = self.config.as_deref()?;
        let till = self.screen.as_ref()?.till?;
        Some((config, config.tills.get(&till)?))
    }

    /// Where the way begins: who only sells is at the tiles at once.
    fn root(&self) -> At {
        match self.home_tiles().first() {
            Some(view::HomeTile::Sale) if self.main_tiles() == 1 => At::Sale,
            _ => At::Home,
        }
    }

    fn here(&self) -> At {
        self.way.here(self.root())
    }
}

#[cfg(feature = "uniffi")]
uniffi::setup_scaffolding!();
