//! What the cashier sees, as data: codes and numbers, no words. The shell words it in the cashier's language.

mod pill;
mod refusal;

use std::sync::Arc;

use shared_protocol::currency::Foreign;
use shared_protocol::message::HandoverOutcome;
use shared_protocol::message::Units;
use shared_protocol::order::{CancelReason, OrderKind, TenderKind};
use shared_protocol::pricing::CartLine;
use shared_protocol::stream::{BlockReason, Version};
use shared_protocol::{Amount, ArticleId, AssetId, OrderId, StaffId, TagId, TillId};

pub use pill::{Concern, Pill};
pub use refusal::{OfflineLimit, PurseRefusal, Refusal};

use crate::input::StorageFault;

/// All that is to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
    /// Nothing of this is real.
    pub training: bool,
    /// How this till and the server stand; on every page.
    pub pill: Pill,
    /// Which page.
    pub page: Page,
    /// The till.
    pub till: Option<TillId>,
    /// Who sells.
    pub cashier: Option<StaffId>,
    /// The configuration that the tiles come from; names are looked up in [`Terminal::config`](crate::Terminal::config).
    pub config: Option<Version>,
    /// The cart, when one is open.
    pub cart: Option<CartView>,
    /// What the last hold or action came to.
    pub notice: Notice,
    /// The shift that is open, also while nobody is at the counter.
    pub shift: Option<ShiftView>,
    /// Copies of other phones' journals that wait for the server.
    pub received: Vec<ReceivedView>,
    /// Carts that wait for their cashiers.
    pub parked: Vec<ParkedView>,
    /// The open drawer. What should be in it is not said before it is counted.
    pub drawer: Option<DrawerView>,
    /// This till's last orders, the newest first, at most [`RECENT_ENTRIES`](crate::RECENT_ENTRIES).
    pub history: Arc<Vec<PastOrder>>,
    /// Of the last orders, those that the server does not have yet.
    pub unsent: Option<Unsent>,
    /// What is wrong with the device, until it is right again.
    pub fault: Option<DeviceFault>,
    /// How many minutes the device's wall clock is ahead of the server's, below zero behind; none before the server was heard since the start.
    pub clock_ahead_min: Option<i64>,
}

/// A shift so far, by this till's own orders. Amounts are in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShiftView {
    /// Whose.
    pub staff: StaffId,
    /// Since when, by the device's wall clock.
    pub since_ms: Option<u64>,
    /// The phone was left with the shift open.
    pub left: bool,
    /// Sales, and carts of nothing but bearer goods that came back.
    pub sales: u32,
    /// What they came to, with corrections.
    pub sold: Amount,
    /// Orders that were taken back.
    pub cancellations: u32,
    /// What they came to.
    pub cancelled: Amount,
    /// Top-ups.
    pub top_ups: u32,
    /// What they came to.
    pub topped_up: Amount,
    /// Pay-outs.
    pub pay_outs: u32,
    /// What they came to.
    pub paid_out: Amount,
    /// Bearer goods that were handed out.
    pub handed_out: u32,
    /// Bearer goods that came back.
    pub came_back: u32,
    /// Vouchers that were used.
    pub vouchers: u32,
}

/// A copy of another phone's journal that waits here for the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedView {
    /// The till it is of.
    pub till: TillId,
    /// How many entries.
    pub entries: u64,
    /// How many of them are orders.
    pub orders: u64,
    /// What the orders moved in cents, one way or the other.
    pub total: Amount,
    /// When it came, by the device's wall clock.
    pub received_at_ms: u64,
    /// How far it is.
    pub state: HandoverState,
}

/// How far a copy is on its way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandoverState {
    /// It waits for a connection, or for its turn.
    Waiting,
    /// It is being sent.
    Sending,
    /// The server does not take it now; it is tried again with the next connection.
    Refused(HandoverOutcome),
}

/// A cart that waits for its cashier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParkedView {
    /// Whose.
    pub staff: StaffId,
    /// What is to be paid for it.
    pub total: Amount,
    /// When it was opened, by the device's wall clock.
    pub opened_at_ms: u64,
}

/// Orders that the server does not have yet, of the last ones; there may be more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unsent {
    /// When the oldest of them was closed, by the device's wall clock.
    pub oldest_ms: u64,
    /// How many.
    pub orders: usize,
    /// The money they moved, in cents, one way or the other.
    pub total: Amount,
}

/// The open drawer, as far as its cashier may see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawerView {
    /// Since when, by the device's wall clock.
    pub opened_at_ms: u64,
    /// What was in it then.
    pub float: Amount,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The device is no terminal yet.
    Unregistered(Registering),
    /// Registered, and waiting for the event's first configuration.
    NoConfig,
    /// This till is not in the configuration (any more).
    NoTill,
    /// Locked by the server; nothing can be booked.
    Locked,
    /// Nobody is logged in.
    LoggedOut,
    /// Selling.
    Sale,
}

/// Where the registration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registering {
    /// Scan a code.
    Waiting,
    /// The server is asked.
    Asking,
    /// Somebody has to confirm this code, which is on their screen too.
    Confirm {
        /// Six digits.
        code: String,
    },
    /// It was refused; scan another code.
    Refused(RegistrationRefusal),
}

/// Why a registration did not work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationRefusal {
    /// The server did not take it: wrong, used or expired.
    Server,
    /// The answer is not from the event on the code, or not for this device.
    Forged,
    /// The device's key cannot sign.
    Key,
}

/// What a wristband held now will do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CartKind {
    /// Pay.
    Sale,
    /// Take orders back; only the wristband that paid can.
    Cancel {
        /// Which.
        orders: Vec<OrderId>,
        /// Why.
        reason: CancelReason,
    },
    /// Take orders back and pay for the cart instead.
    Correct {
        /// Which.
        orders: Vec<OrderId>,
    },
    /// Take what was paid in.
    TopUp {
        /// How it was paid in.
        method: TenderKind,
    },
    /// Give what is paid out.
    PayOut,
    /// Get everything of another wristband.
    Swap {
        /// The other one.
        old: TagId,
        /// Whether it is lost; else it was held here.
        lost: bool,
    },
}

/// The open cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartView {
    /// What it is for.
    pub kind: CartKind,
    /// Its lines as typed.
    pub lines: Vec<CartLine>,
    /// What is to be paid with deposits and before vouchers; below zero goes to the guest.
    pub total: Amount,
    /// The deposits in it.
    pub deposits: Amount,
    /// Whether the guest's vouchers are used.
    pub use_vouchers: bool,
    /// Whether a wristband may have paid for it already: only that one settles it, and nothing in it can be changed.
    pub settling: bool,
    /// What would pay it in each currency that is taken here; none where cash does not.
    pub needed: Vec<Foreign>,
    /// The foreign cash that was given for a top-up, and what of it goes back in the event's currency.
    pub given: Option<(Foreign, Amount)>,
    /// What each wristband of a split pays, as far as known, and in how many parts it goes; 0 until all is covered.
    pub split: Option<SplitView>,
    /// What this till offers on top; none where it offers no tips, or where nothing is sold.
    pub tip: Option<TipView>,
}

/// A tip that a guest may give with the cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TipView {
    /// As which article.
    pub article: ArticleId,
    /// How much is given, in cents; zero is none.
    pub given: Amount,
    /// Amounts to touch, in cents.
    pub offers: Vec<Amount>,
}

/// A split in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SplitView {
    /// Wristbands seen, with their parts.
    pub parts: Vec<(TagId, Amount)>,
    /// How many are planned; none when the next one pays the rest.
    pub of: Option<u8>,
    /// What is not covered yet.
    pub missing: Amount,
}

/// Money on a wristband and how fresh that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// In cents.
    pub amount: Amount,
    /// The server's time of the figure; none when it has just said so.
    pub as_of_ms: Option<u64>,
}

/// The last sale of a purse, by its own record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSale {
    /// How much, in cents.
    pub amount: Amount,
    /// When, to the minute, by the clock of the till.
    pub at_ms: u64,
    /// Where: the low half of the till's number ([`short_till`](shared_protocol::wristband::short_till)).
    pub till: u16,
}

/// What was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoneKind {
    /// A sale; below zero in [`Done::total`] is a credit for cups.
    Paid,
    /// Orders were taken back.
    Cancelled,
    /// Orders were taken back and booked anew.
    Corrected {
        /// What they had been.
        was: Amount,
    },
    /// Money was paid in.
    ToppedUp {
        /// The till is offline: the money can be spent once it has synced.
        after_sync: bool,
    },
    /// Money was paid out.
    PaidOut,
    /// The drawer is open; [`Done::total`] is its float.
    DrawerOpened,
    /// The drawer was counted and is closed. What is counted above what was expected is over, the other way round it is missing.
    DrawerCounted {
        /// What should have been in it by this till's own orders.
        expected: Amount,
        /// What was in it.
        counted: Amount,
    },
    /// Cash was brought to the drawer or picked up; [`Done::total`] says how much.
    CashMoved,
    /// Foreign cash was handed in; [`Done::total`] is what it counted as, below zero.
    HandedIn(Foreign),
    /// The guest has another wristband, [`Done::tag`]; [`Done::left`] is what is expected to move, as far as it is known here.
    Swapped {
        /// The old one.
        old: TagId,
        /// The till is offline: everything moves once it has synced.
        after_sync: bool,
    },
    /// The wristband is blocked.
    Blocked {
        /// The till is offline: other tills hear of it once it has synced.
        after_sync: bool,
    },
}

impl DoneKind {
    /// Whether this is something a guest wants a receipt of.
    pub fn is_for_a_guest(&self) -> bool {
        match self {
            Self::Paid | Self::Cancelled | Self::Corrected { .. } | Self::ToppedUp { .. } | Self::PaidOut => true,
            Self::DrawerOpened
            | Self::DrawerCounted { .. }
            | Self::CashMoved
            | Self::HandedIn(_)
            | Self::Swapped { .. }
            | Self::Blocked { .. } => false,
        }
    }
}

/// Money that came in and went to what was owed from earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// How much of it.
    pub settled: Amount,
    /// What is still owed.
    pub left: Amount,
}

/// Something is booked: it is in the journal, durably.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What.
    pub kind: DoneKind,
    /// The orders it became.
    pub orders: Vec<OrderId>,
    /// The wristband it is about; none for cash and card.
    pub tag: Option<TagId>,
    /// What was paid in cents; below zero went to the guest.
    pub total: Amount,
    /// What is left on the wristband, when known.
    pub left: Option<Balance>,
    /// What of a top-up went to what was owed from earlier, as far as the server had said; the rest is on the wristband.
    pub settles: Option<Settled>,
    /// What goes back to the guest in the event's currency, of foreign cash that was worth more; zero where nothing does.
    pub change: Amount,
    /// Vouchers that were used.
    pub vouchers: Vec<(AssetId, u32)>,
    /// Vouchers that the wristband has left, where the books decide and have just said so; empty also when nothing is known.
    pub vouchers_left: Vec<(AssetId, u32)>,
    /// Bearer goods that go over the counter: above zero to the guest, below zero back.
    pub deposits: Vec<(ArticleId, i32)>,
    /// When, by the device's wall clock.
    pub at_ms: u64,
}

impl Done {
    /// No more than what, when and for how much.
    pub const fn of(kind: DoneKind, total: Amount, at_ms: u64) -> Self {
        Self {
            kind,
            orders: Vec::new(),
            tag: None,
            total,
            left: None,
            settles: None,
            change: Amount::ZERO,
            vouchers: Vec::new(),
            vouchers_left: Vec::new(),
            deposits: Vec::new(),
            at_ms,
        }
    }
}

/// What the last hold or action came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Nothing to say.
    None,
    /// A wristband was seen; keep holding.
    Working,
    /// Booked.
    Done(Box<Done>),
    /// Not done.
    Refused(Refusal),
    /// What a wristband has.
    Balance {
        /// Which.
        tag: TagId,
        /// Money that is free to spend; none when nothing is known of it.
        money: Option<Balance>,
        /// What is still owed from earlier.
        owed: Amount,
        /// Other assets.
        units: Vec<Units>,
        /// Why it must not pay.
        blocked: Option<BlockReason>,
        /// Its last sale, as the purse itself tells it.
        last_sale: Option<LastSale>,
    },
    /// It has paid already; nothing was booked.
    AlreadyPaid {
        /// How much.
        total: Amount,
        /// When, by the device's wall clock.
        at_ms: u64,
    },
    /// A part of a split is there; hold the next wristband.
    NextPart,
    /// The wristband left too early: whether it has paid is told when the same one is held again. Nothing is handed out before.
    HoldAgain {
        /// Which one.
        tag: TagId,
        /// How much it is about.
        total: Amount,
    },
    /// The PIN of somebody who wants to log in is to be typed.
    PinWanted {
        /// Whose.
        staff: StaffId,
        /// How often it may still be wrong.
        left: u8,
        /// Whether the last one was wrong.
        wrong: bool,
        /// Whether the last one is still being looked at.
        checking: bool,
    },
    /// The cashier held their own wristband to a cart: shall it pay?
    OwnBand {
        /// Which.
        tag: TagId,
    },
    /// A colleague's wristband was held: shall they take over?
    SwapCashier {
        /// Who.
        staff: StaffId,
    },
    /// Another phone's copy is here, durably, and goes to the server with the next connection.
    CopyReceived {
        /// The till it is of.
        till: TillId,
        /// How many orders.
        orders: u64,
        /// What they moved in cents, one way or the other.
        total: Amount,
    },
    /// After a start: what became of the last cart.
    LastCart {
        /// Whether it was booked. When not, it is open again.
        booked: bool,
        /// Its total.
        total: Amount,
        /// When it was booked or opened, by the device's wall clock.
        at_ms: u64,
    },
}

/// An order of this till.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastOrder {
    /// Which.
    pub order: OrderId,
    /// What kind of business it was.
    pub kind: OrderKind,
    /// Its total.
    pub total: Amount,
    /// When, by the device's wall clock.
    pub at_ms: u64,
    /// The wristband it is about.
    pub tag: Option<TagId>,
    /// How it was paid; none when in several ways, or not at all.
    pub tender: Option<TenderKind>,
    /// Whether it was taken back here.
    pub taken_back: bool,
    /// Whether it can still be taken back here with its wristband.
    pub cancellable: bool,
    /// Whether the server has it.
    pub sent: bool,
    /// What goes into its receipt's address while the server does not have it ([`Address::of`](shared_protocol::slip::Address::of)), once it is signed.
    pub slip: Option<Arc<str>>,
}

/// What is wrong with the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceFault {
    /// The queue does not take anything.
    Storage(StorageFault),
    /// The queue is damaged: what should be sent cannot be read, or does not continue the chain.
    Queue,
    /// The key does not sign.
    Key,
    /// The newest configuration cannot be used; the one before still is.
    Config,
}
