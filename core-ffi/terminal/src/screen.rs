//! What the cashier sees, as data: codes and numbers, no words. The shell words it in the cashier's language.

use shared_protocol::message::ErrorCode;
use shared_protocol::message::Units;
use shared_protocol::order::{CancelReason, TenderKind};
use shared_protocol::pricing::CartLine;
use shared_protocol::stream::{BlockReason, Version};
use shared_protocol::{Amount, ArticleId, AssetId, OrderId, StaffId, TagId, TillId};

use crate::input::StorageFault;

/// All that is to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Screen {
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
    /// The open drawer. What should be in it is not said before it is counted.
    pub drawer: Option<DrawerView>,
    /// This till's last orders, the newest first, as far as they can be taken back here.
    pub history: Vec<PastOrder>,
    /// Of the last orders, those that the server does not have yet.
    pub unsent: Option<Unsent>,
    /// What is wrong with the device, until it is right again.
    pub fault: Option<DeviceFault>,
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

/// How the till and the server stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pill {
    /// The server has everything.
    Online,
    /// Connected; so many entries are not acknowledged yet.
    Sending {
        /// How many.
        entries: u64,
    },
    /// Not connected; selling goes on.
    Offline {
        /// Entries the server does not have, as far as is known here.
        entries: u64,
        /// Since when, by the device's wall clock; none since the start.
        since_ms: Option<u64>,
        /// Why the server does not want this terminal, when it said so.
        refused: Option<ErrorCode>,
    },
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
    /// What each wristband of a split pays, as far as known, and in how many parts it goes; 0 until all is covered.
    pub split: Option<SplitView>,
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
    /// Vouchers that were used.
    pub vouchers: Vec<(AssetId, u32)>,
    /// When, by the device's wall clock.
    pub at_ms: u64,
}

/// Which offline limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OfflineLimit {
    /// The largest single order.
    Order,
    /// What one wristband may spend here before the till has synced.
    Tag,
    /// The same for a wristband this till knows nothing of.
    UnknownTag,
    /// What this till may take before it has synced.
    Terminal,
    /// The largest pay-out.
    PayOut,
}

/// Why the purse of a wristband was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurseRefusal {
    /// It left too early, before anything happened.
    Left,
    /// The same wristband must be held again first: it may have paid already.
    HoldSame,
    /// Whether it has paid can only be told by the books.
    Unknown,
    /// This device lacks a key for it.
    NoKey,
    /// Its batch is not served here: another event, or no longer trusted.
    UnknownBatch {
        /// The batch on the wristband.
        batch: u16,
    },
    /// What it holds was not made by this event.
    Forged,
    /// It holds less than it did before: set back, or a copy.
    SetBack,
    /// It is damaged; its money is known to the books.
    Damaged,
    /// It can take no more.
    Full,
    /// Top-up without the server is switched off.
    Frozen,
    /// Money goes onto it in steps only.
    Step {
        /// Of so many cents.
        unit: u16,
    },
    /// Vouchers that its purse does not have or cannot give back.
    Vouchers,
    /// Several wristbands cannot share a cart when their purses decide.
    NoSplit,
}

/// Why something was not done. No money moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The wristband's own purse.
    Purse(PurseRefusal),
    /// The wristband has too little.
    BalanceTooLow {
        /// What is missing in cents.
        missing: Amount,
        /// What it has.
        has: Balance,
    },
    /// Offline and over a limit.
    OfflineLimit {
        /// Which.
        limit: OfflineLimit,
        /// What is still possible in cents.
        possible: Amount,
    },
    /// The wristband must not pay.
    Blocked(BlockReason),
    /// More than one wristband in the field.
    SeveralWristbands,
    /// Not a wristband of ours.
    NotAWristband,
    /// Another wristband than the one that paid.
    OtherWristband,
    /// This wristband is in the split already.
    SameWristband,
    /// Nobody is logged in.
    LoggedOut,
    /// The number is not on the staff list.
    UnknownStaff,
    /// The server locked this terminal.
    Locked,
    /// Neither till nor cashier may book this, or the till is not set up.
    NotPermitted,
    /// Guests cannot pay like this here.
    TenderNotHere(TenderKind),
    /// Only with a connection.
    OnlineOnly,
    /// The till is busy with the wristband before; a moment.
    Busy,
    /// A cart is open.
    CartOpen,
    /// There is no cart.
    CartEmpty,
    /// More lines or pieces than an order may have.
    CartFull,
    /// The article is not in the catalogue.
    UnknownArticle(ArticleId),
    /// A price has to be typed in, or must not be, or is not above zero.
    Price(ArticleId),
    /// Only bearer goods come back.
    NotReturnable(ArticleId),
    /// So many cups need a lead.
    TooManyReturns {
        /// How many may come back at once.
        max: u32,
    },
    /// Less or more than one top-up may be.
    TopUpRange {
        /// The least.
        min: Amount,
        /// The most.
        max: Amount,
    },
    /// The wristband would have more than it may.
    BalanceCeiling {
        /// What may still be paid in.
        possible: Amount,
    },
    /// There is no such order here.
    NoSuchOrder,
    /// It was taken back before.
    TakenBack,
    /// It is too long ago.
    TooLate,
    /// It was not paid by wristband, or is of a kind that is not taken back like this.
    NotCancellable,
    /// An amount is larger than this system can hold.
    Overflow,
    /// The device could not store it.
    Storage(StorageFault),
    /// The split took too long; nobody was charged.
    SplitTimeout,
    /// A drawer is open: count it first.
    DrawerOpen,
    /// No drawer is open.
    DrawerClosed,
    /// A float or a count is below zero, or nothing was brought or picked up.
    DrawerAmount,
    /// A swap begins with the old wristband held, or its number typed.
    HoldOldFirst,
    /// The new wristband of a swap is the old one.
    SwapSame,
    /// The new wristband of a swap has something on it already.
    BandInUse,
    /// It is a wristband of the crew, which an admin swaps or blocks.
    OfCrew,
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
    /// Its total.
    pub total: Amount,
    /// When, by the device's wall clock.
    pub at_ms: u64,
    /// Whether it can still be taken back here with its wristband.
    pub cancellable: bool,
    /// Whether the server has it.
    pub sent: bool,
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
