//! What the last hold or touch came to.

use crate::view::{Balance, Blocked, Units};

/// What lies over the page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Notice {
    /// Nothing.
    None,
    /// A wristband was seen; keep holding.
    Reading,
    /// Booked.
    Done(Done),
    /// Not done; no money moved.
    Refused {
        /// Why.
        refusal: Refusal,
    },
    /// What a wristband has.
    Balance(Balance),
    /// It has paid already; nothing was booked.
    Already {
        /// How much.
        total: i64,
        /// When.
        at_ms: i64,
    },
    /// A part of a split is there; hold the next wristband.
    NextPart {
        /// So many are there.
        have: i32,
        /// Of so many; none when the next one pays the rest.
        of: Option<i32>,
        /// What is missing.
        missing: i64,
    },
    /// It left too early: the same one again tells whether it has paid. Nothing is handed out before.
    HoldAgain {
        /// The last four digits of the wristband.
        band: String,
        /// How much it is about.
        total: i64,
    },
    /// After a start: what became of the last cart.
    LastCart {
        /// Whether it was booked. When not, it is open again.
        booked: bool,
        /// Its total.
        total: i64,
        /// When.
        at_ms: i64,
    },
    /// Another phone's bookings are here, durably, and go to the server with the next contact.
    CopyReceived {
        /// The name of its till.
        till: String,
        /// How many orders.
        orders: i32,
        /// What they moved.
        total: i64,
    },
    /// The cashier held their own wristband to a cart: shall it pay?
    OwnBand,
    /// Somebody else of the crew held their wristband: shall they go on?
    SwapCashier {
        /// Who.
        name: String,
    },
}

/// What was booked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum DoneKind {
    /// Paid.
    Paid,
    /// The guest got money for cups.
    Credited,
    /// Taken back.
    Cancelled,
    /// Taken back and sold anew.
    Corrected {
        /// What it had been.
        was: i64,
    },
    /// Money in.
    ToppedUp {
        /// It can be spent after this phone has synced.
        after_sync: bool,
    },
    /// Money out.
    PaidOut,
    /// The drawer is open.
    DrawerOpened,
    /// The drawer is counted and closed.
    DrawerCounted {
        /// What should have been in it.
        expected: i64,
        /// What was in it.
        counted: i64,
    },
    /// Cash was brought or picked up.
    CashMoved,
    /// Cash of another currency left the till.
    HandedIn {
        /// The currency's code.
        code: String,
        /// How much, in hundredths of it.
        amount: i64,
    },
    /// The guest has another wristband.
    Swapped {
        /// Everything moves once this phone has synced.
        after_sync: bool,
    },
    /// A wristband is blocked.
    BandBlocked {
        /// Other phones hear of it once this one has synced.
        after_sync: bool,
    },
}

/// Something is booked, durably.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Done {
    /// What.
    pub kind: DoneKind,
    /// What was paid; for money to the guest it is above zero too.
    pub total: i64,
    /// The last four digits of the wristband.
    pub band: Option<String>,
    /// What is left on it, when known.
    pub left: Option<i64>,
    /// The server's time of that figure; none when it has just said so.
    pub left_as_of_ms: Option<i64>,
    /// What of a top-up went to what was owed from earlier.
    pub settled: Option<i64>,
    /// What is still owed.
    pub owed: Option<i64>,
    /// Vouchers that were used.
    pub vouchers: Vec<Units>,
    /// Vouchers that are left, where the books have just said so.
    pub vouchers_left: Vec<Units>,
    /// Cups to hand out.
    pub cups_out: i32,
    /// Cups that came back.
    pub cups_back: i32,
    /// What goes back in cash.
    pub change: Option<i64>,
    /// When.
    pub at_ms: i64,
    /// Whether it can be undone.
    pub can_undo: bool,
    /// Whether it can be corrected.
    pub can_correct: bool,
    /// The order of its receipt.
    pub receipt: Option<String>,
}

/// How guests pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Tender {
    /// By wristband.
    Wristband,
    /// In cash.
    Cash,
    /// By card.
    Card,
    /// By voucher.
    Voucher,
}

/// Why something was not done. No money moved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Refusal {
    /// The wristband has too little.
    TooLow {
        /// What is missing.
        missing: i64,
        /// What it has.
        has: i64,
        /// The server's time of that figure; none when it has just said so.
        as_of_ms: Option<i64>,
        /// Names of articles without which it is enough, one each.
        enough_without: Vec<EnoughWithout>,
        /// Whether a second wristband held now pays the rest.
        second_band: bool,
    },
    /// Offline, and over the most per order.
    OfflineOrder {
        /// What is possible.
        possible: i64,
    },
    /// Offline, and over the most per wristband.
    OfflineBand {
        /// What is still possible.
        possible: i64,
    },
    /// Offline, and over the most of a wristband nothing is known of.
    OfflineUnknownBand {
        /// What is still possible.
        possible: i64,
    },
    /// Offline, and this phone may take no more before it has synced.
    OfflinePhone {
        /// What is still possible.
        possible: i64,
    },
    /// Offline, and over the largest pay-out.
    OfflinePayOut {
        /// What is possible.
        possible: i64,
    },
    /// The wristband must not pay.
    Blocked {
        /// Why.
        reason: Blocked,
    },
    /// More than one wristband in the field.
    SeveralBands,
    /// Not one of our wristbands.
    NotOurs,
    /// It cannot be read; try the other side.
    Unreadable,
    /// Too quick; nothing happened.
    TooQuick,
    /// The same wristband must be held again first.
    HoldSame,
    /// Whether it has paid can only be told by the books.
    AskBooks,
    /// This phone has no key for it.
    NoKey,
    /// Its batch is not served here.
    OtherBatch,
    /// What it holds was not made by this event.
    Forged,
    /// It holds less than it did before.
    SetBack,
    /// It is damaged; its money is known to the books.
    Damaged,
    /// It can take no more.
    FullBand,
    /// Top-up without the server is switched off.
    Frozen,
    /// Money goes onto it in steps.
    Step {
        /// Of so many cents.
        unit: i32,
    },
    /// Vouchers that its purse does not have or cannot give back.
    PurseVouchers,
    /// Several wristbands cannot share a cart when their purses decide.
    NoSplit,
    /// Another wristband than the one that paid.
    OtherBand,
    /// It is in the split already.
    SameBand,
    /// Nobody is logged in.
    LoggedOut,
    /// Not on the staff list.
    UnknownStaff,
    /// A guest's wristband, where one of the crew is wanted.
    NotStaff,
    /// The PIN was wrong too often: a lead logs in, or it is tried again later.
    PinLocked {
        /// In so many minutes.
        minutes: i32,
    },
    /// A cart was put aside already.
    ParkedAlready,
    /// The server locked this phone.
    Locked,
    /// Neither this till nor this person may.
    NotPermitted,
    /// Guests cannot pay like this here.
    TenderNotHere {
        /// How.
        tender: Tender,
    },
    /// This currency is not taken here.
    CurrencyNotHere,
    /// The cash of another currency that was given is not enough.
    ForeignTooLittle {
        /// The currency's code.
        code: String,
        /// How much of it is needed, in hundredths.
        needed: i64,
    },
    /// Only with a connection.
    OnlineOnly,
    /// A moment: the wristband before is not done yet.
    Busy,
    /// A cart is open.
    CartOpen,
    /// There is no cart.
    CartEmpty,
    /// No more fits into an order.
    CartFull,
    /// The article is not sold any more.
    UnknownArticle,
    /// The price is not one.
    Price,
    /// Only cups and the like come back.
    NotReturnable,
    /// So many cups need a lead.
    TooManyReturns {
        /// How many may come back at once.
        max: i32,
    },
    /// Less or more than one top-up may be.
    TopUpRange {
        /// The least.
        min: i64,
        /// The most.
        max: i64,
    },
    /// The wristband would have more than it may.
    Ceiling {
        /// What may still be paid in.
        possible: i64,
    },
    /// There is no such order here.
    NoSuchOrder,
    /// It was taken back before.
    TakenBack,
    /// It is too long ago: only a lead can.
    TooLate,
    /// It is not taken back like this.
    NotCancellable,
    /// The amount is too large.
    Overflow,
    /// The phone could not store it.
    Storage,
    /// The phone's disk is full.
    StorageFull,
    /// The split took too long; nobody was charged.
    SplitTimeout,
    /// A drawer is open: count it first.
    DrawerOpen,
    /// No drawer is open.
    DrawerClosed,
    /// A float or count that is none.
    DrawerAmount,
    /// A swap begins with the old wristband held.
    HoldOldFirst,
    /// The new wristband is the old one.
    SwapSame,
    /// The new wristband has something on it already.
    BandInUse,
    /// It is a wristband of the crew.
    OfCrew,
    /// What was scanned is no copy of a phone of this event, or not all of it.
    NoCopy,
    /// It is this phone's own copy.
    OwnCopy,
    /// There is no more room for copies of others: this phone needs a connection first.
    CopyTooLarge,
    /// Copies of others wait here for the server.
    CopiesWait,
    /// Orders are not sent yet.
    Unsent {
        /// How many.
        orders: i32,
        /// The money they moved.
        total: i64,
    },
}

/// An article without which the money is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct EnoughWithout {
    /// Which.
    pub article: i64,
    /// Its name.
    pub name: String,
}
