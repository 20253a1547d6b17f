//! The till as a pure state machine: [`Terminal::step`] takes what happened and gives what the shell has to do about it.
//!
//! What must never happen here: I/O, a clock, randomness, async, threads. Time and entropy come in with each step as [`Now`]; the same
//! inputs give the same outputs. Two promises are kept and asserted here: nothing is shown as paid before the disk has it, and the
//! journal has no holes.
//!
//! ```text
//!             Input                                Output
//!  cashier ──► Act          ┌────────────┐   Screen, Cue ──► cashier
//!  reader  ──► Reader       │            │   Persist ──────► queue ──► Persisted
//!  socket  ──► Frame …      │  Terminal  │   Fetch ────────► queue ──► Fetched
//!  queue   ──► Persisted …  │            │   Send, Connect ► socket
//!  key     ──► Signed       └────────────┘   Sign ─────────► key ────► Signed
//!  hash    ──► PinVerified                   VerifyPin ────► hash ───► PinVerified
//!  timer   ──► Tick                          wake_at_ms() ─► timer
//! ```
//!
//! The shell's part of the bargain: outputs are carried out in order; a `Persist` is durable before `Persisted`, and is certainly not
//! there when `PersistFailed` is said; a shell that cannot tell makes a new terminal from what the queue holds.

mod book;
mod cart;
pub mod cash;
mod clock;
mod counter;
mod currency;
mod draft;
mod drawer;
mod evacuation;
mod handover;
mod hold;
mod input;
mod journal;
mod knowledge;
mod limits;
mod link;
mod login;
mod output;
mod permission;
mod pin;
mod practice;
mod purse;
mod push;
mod registration;
mod restore;
pub mod screen;
mod session;
mod shift;
mod slips;
mod step;
mod store;
mod streams;
mod swap;
mod sync;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tip;
mod topup;
mod undo;
mod view;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chips::Chip;
use shared_protocol::chain::EpochStart;
use shared_protocol::config::Config;
use shared_protocol::crypto::PublicKey;
use shared_protocol::entry::{CommandKind, IntentOutcome};
use shared_protocol::stream::Stream;
use shared_protocol::wristband::ShownPurse;
use shared_protocol::{BootId, CartId, RequestId, TagId, TerminalId, TillId};

pub use evacuation::{Evacuable, EvacuableEpoch};
pub use handover::{PART_BYTES_MAX, RECEIVED_MAX_BYTES};
pub use input::{Action, Input, Invitation, StorageFault};
pub use output::{Cue, LinkId, MetaKey, Output, SignJob, StoredEntry, Ticket, Write};
pub use pin::{PIN_DIGITS_MAX, PIN_DIGITS_MIN, Pin, PinJob};
pub use purse::{PurseAnswer, PurseJob, PurseTask, PurseWork, serve_hold, without_session};
pub use registration::{certificate_of, config_key_digest, identity_meta};
pub use restore::{Damaged, RECENT_ENTRIES, Restored};
pub use screen::Screen;
pub use step::Now;

use book::{Busy, Guard};
use cart::Cart;
use clock::Clock;
use drawer::Drawer;
use evacuation::Evacuated;
use handover::Handovers;
use journal::Chain;
use knowledge::Knowledge;
use limits::Exposure;
use link::Link;
use login::Parked;
use pin::PinPad;
use practice::Practised;
use purse::{Batches, OpenIntent, SeenPurses};
use registration::{Identity, Registrar};
use screen::{DeviceFault, Notice, RegistrationRefusal};
use session::{CommandThen, Session, ToldState, Waiting};
use shift::Tally;
use slips::Slips;
use step::Step;
use store::{Store, Then};
use streams::Streams;
use swap::BlockedHere;
use sync::Signing;
use undo::History;
use view::PastShown;

/// What a terminal is told about its device.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The app's build, for the server's list of terminals.
    pub app: String,
    /// The device's public key; [`Output::Sign`] signs with the private half.
    pub key: PublicKey,
    /// Streams it wants. Without [`Stream::Config`] it cannot sell.
    pub streams: Vec<Stream>,
}

/// A till. See the crate's documentation.
#[derive(Debug, Clone)]
pub struct Terminal {
    setup: Setup,
    /// It is one to practise with.
    training: bool,
    boot: BootId,
    identity: Option<Identity>,
    registrar: Registrar,
    clock: Clock,
    /// Epochs with unacknowledged entries, oldest first; the last one is written in.
    journal: Vec<Chain>,
    /// Epochs that are over and all on the server, without their entries: a server that was restored may lack them.
    past: Vec<Chain>,
    /// Which life of the server's database the watermarks are of, as stored.
    watermarks_of: Option<u64>,
    granted_epoch: Option<EpochStart>,
    store: Store,
    waiting: VecDeque<Waiting>,
    link: Link,
    incarnation: Option<u64>,
    next_job: u64,
    signing: BTreeMap<SignJob, Signing>,
    head_job: Option<SignJob>,
    head_retry_ms: Option<u64>,
    slips: Slips,
    fetching: bool,
    fetch_retry_ms: Option<u64>,
    streams: Streams,
    config: Option<Arc<Config>>,
    session: Option<Session>,
    tally: Option<Tally>,
    /// The device is to be a terminal no more, once the server has the logout.
    unregistering: bool,
    told: ToldState,
    pins: PinPad,
    parked: Parked,
    cart: Option<Cart>,
    /// The cart that its cashier pays with their own wristband.
    own_band_for: Option<CartId>,
    cart_due_ms: Option<u64>,
    split_due_ms: Option<u64>,
    busy: Busy,
    guard: Option<Guard>,
    knowledge: Knowledge,
    exposure: Exposure,
    handovers: Handovers,
    evacuated: Evacuated,
    history: History,
    past_shown: PastShown,
    drawer: Option<Drawer>,
    purses: Batches,
    /// The wristband that lies on the reader.
    lies: Option<Chip>,
    seen_purses: SeenPurses,
    /// What the purse showed whose balance is on the screen.
    shown_purse: Option<(TagId, ShownPurse)>,
    /// Wristbands that orders of this journal block.
    blocked_here: BlockedHere,
    /// The question whose answer completes the balance on the screen.
    card_asks: Option<RequestId>,
    open_intents: Vec<OpenIntent>,
    /// Intents that came to nothing: what they may have damaged on the chip is put back from them at its next tap.
    void_intents: VecDeque<chips::purse::Intent>,
    outcomes: VecDeque<IntentOutcome>,
    practised: Practised,
    notice: Notice,
    notice_ends_ms: Option<u64>,
    fault: Option<DeviceFault>,
    shown: Option<Box<Screen>>,
}

impl Terminal {
    /// Takes what happened; gives what is to be done, in order.
    pub fn step(&mut self, now: &Now, input: Input) -> Vec<Output> {
        let mut step = Step::new(now);
        if self.clock.tick(now) {
            self.note_command(CommandKind::ClockJump, self.session, CommandThen::Nothing);
        }
        if matches!(input, Input::TryNow) {
            self.link.hurry(now.mono_ms);
        }
        self.mind_the_time(&mut step);
        match input {
            Input::Act(action) => self.act(&mut step, action),
            Input::Register(invitation) => self.invited(&mut step, invitation),
            Input::Reader(event) => self.reader(&mut step, event),
            Input::Purse { job, answer } => self.purse_answered(&mut step, job, answer),
            Input::Persisted(ticket) => self.persisted(&mut step, ticket),
            Input::PersistFailed { ticket, fault } => self.persist_failed(&mut step, ticket, fault),
            Input::Signed { job, signature } => self.signed(&mut step, job, signature),
            Input::SignFailed { job } => self.sign_failed(&mut step, job),
            Input::PinVerified { job, ok } => self.pin_verified(&mut step, job, ok),
            Input::Fetched {
                epoch,
                previous,
                entries,
                heads,
            } => self.fetched(&step, epoch, previous, entries, heads),
            Input::Received(file) => self.received(&mut step, file),
            Input::Practised(order) => self.practised(*order),
            Input::Copied { up_to } => self.evacuated.copied(up_to),
            Input::Connected(link) => self.connected(&mut step, link),
            Input::Frame { link, bytes } => self.frame(&mut step, link, &bytes),
            Input::Disconnected(link) => self.disconnected(&mut step, link),
            Input::TryNow | Input::Tick => {}
            Input::Stop => {
                self.stop(&mut step);
                return step.out;
            }
        }
        self.settle(&mut step);
        step.out
    }

    /// When the next [`Input::Tick`] is due, on the monotonic clock; none when nothing waits for time.
    pub fn wake_at_ms(&self, now: &Now) -> Option<u64> {
        let asking = match &self.busy {
            Busy::Asking(asking) => Some(asking.deadline_ms),
            _ => self.owed_due_ms(),
        };
        let idle = self.waiting.is_empty() && self.outcomes.is_empty() && self.practised.is_empty();
        let disk = if idle && self.granted_epoch.is_none() {
            None
        } else {
            self.store.retry_ms(now.mono_ms)
        };
        let due = [
            asking,
            self.notice_ends_ms,
            self.split_due_ms.filter(|_| matches!(self.busy, Busy::No)),
            self.cart_due_ms,
            self.store.due_ms(),
            self.link.due_ms(),
            self.head_due_ms(),
            self.slip_due_ms(),
            self.fetch_retry_ms,
            self.handovers.due_ms(),
            disk,
        ];
        due.into_iter().flatten().min()
    }

    /// Whether the purse of a wristband is being worked on: the reader must not look for another one before it is over.
    pub fn works_on_purse(&self) -> bool {
        matches!(self.busy, Busy::Purse(_))
    }

    /// The configuration in use, for names and layouts.
    pub fn config(&self) -> Option<&Arc<Config>> {
        self.config.as_ref()
    }

    /// Who the terminal is, once it is registered.
    pub fn id(&self) -> Option<TerminalId> {
        self.identity.as_ref().map(|identity| identity.registration.terminal)
    }

    /// The till it is for, once it is registered.
    pub fn till(&self) -> Option<TillId> {
        self.identity.as_ref().map(|identity| identity.registration.till)
    }

    /// What was shown last.
    pub fn shown(&self) -> Option<&Screen> {
        self.shown.as_deref()
    }

    fn mind_the_time(&mut self, step: &mut Step<'_>) {
        self.mind_the_link(step);
        if let Busy::Asking(asking) = &self.busy
            && step.now.mono_ms >= asking.deadline_ms
        {
            self.stop_asking(step);
        }
        if self.owed_due_ms().is_some_and(|due_ms| step.now.mono_ms >= due_ms) {
            self.stop_asking_what_is_owed(step);
        }
        self.end_notice_if_due(step);
        self.end_split_if_due(step);
    }

    fn persisted(&mut self, step: &mut Step<'_>, ticket: Ticket) {
        let Some(done) = self.store.persisted(ticket) else {
            return;
        };
        self.fault = self.fault.filter(|fault| !matches!(fault, DeviceFault::Storage(_)));
        for entry in &done.entries {
            if let Some(chain) = self.journal.last_mut() {
                chain.push(entry.clone(), step.now.mono_ms);
            }
        }
        match done.then {
            Then::Nothing | Then::Outcome(_) | Then::Practised(_) => {}
            Then::Booked(booked) => self.booked(step, &done.entries, *booked),
            Then::Command(waiting) => self.command_is_durable(step, waiting.then),
            Then::Epoch(epoch) => self.epoch_is_durable(epoch),
            Then::Registered(identity, epoch) => self.registration_is_durable(step, *identity, epoch),
            Then::Stream(stream) => self.update_is_durable(step, stream),
            Then::Intent(job) => self.intent_is_durable(step, job),
            Then::Received(received) => self.received_is_durable(step, *received),
        }
    }

    fn persist_failed(&mut self, step: &mut Step<'_>, ticket: Ticket, fault: StorageFault) {
        let Some(failed) = self.store.failed(ticket, step.now.mono_ms) else {
            return;
        };
        self.fault = Some(DeviceFault::Storage(fault));
        match failed.then {
            Then::Nothing => self.cart_due_ms = self.cart.as_ref().map(|_| step.now.mono_ms.saturating_add(1_000)),
            Then::Booked(booked) => self.not_booked(step, &booked, fault),
            Then::Command(waiting) => self.command_failed(step, waiting, screen::Refusal::Storage(fault)),
            Then::Epoch(epoch) => self.granted_epoch = self.granted_epoch.or(Some(epoch)),
            Then::Registered(..) => self.registration_refused(step, RegistrationRefusal::Key),
            Then::Stream(stream) => self.update_failed(step, stream),
            Then::Intent(job) => self.intent_failed(step, job, fault),
            Then::Received(_) => self.received_failed(step, fault),
            Then::Practised(orders) => self.practised_failed(*orders),
            Then::Outcome(outcome) => self.outcomes.push_front(outcome),
        }
    }

    /// Does what has become possible, and shows what has changed.
    fn settle(&mut self, step: &mut Step<'_>) {
        self.write_order_if_ready(step);
        self.write_committed_if_ready(step);
        self.switch_epoch(step);
        if self.store.journal_is_free(step.now.mono_ms) {
            self.write_command(step);
        }
        if self.store.journal_is_free(step.now.mono_ms) {
            self.write_practised(step);
        }
        if self.store.journal_is_free(step.now.mono_ms) {
            self.write_outcome(step);
        }
        self.take_config();
        self.write_cart_if_due(step);
        self.store.flush_if_due(step);
        self.sign_heads(step);
        self.push(step);
        self.hand_over(step);
        self.unregister_if_sent(step);
        self.show(step);
        // After what the cashier sees: nobody waits for it.
        self.sign_slips(step);
    }
}
