//! Why something was not done, as data.

use shared_protocol::order::TenderKind;
use shared_protocol::stream::BlockReason;
use shared_protocol::{Amount, ArticleId, AssetId};

use super::Balance;
use crate::input::StorageFault;

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
    /// It is no wristband of the crew: nobody logs in with it.
    NotStaff,
    /// The PIN was wrong too often. Somebody who helps others logs in, or it is tried again after a while.
    PinLocked {
        /// How long until then.
        wait_ms: u64,
    },
    /// The server lacks something: wait, leave the phone here with the shift open, or take a copy to another device.
    Unsent {
        /// Entries of the journal that it lacks.
        entries: u64,
        /// Orders among the last ones that it lacks; there may be more.
        orders: usize,
        /// What they moved in cents, one way or the other.
        total: Amount,
    },
    /// What was received is no copy of a journal of this event, or not all of it.
    NoCopy,
    /// It is the copy of this device itself.
    OwnCopy,
    /// There is no more room for copies of others: this device needs a connection first.
    CopyTooLarge,
    /// Copies of others wait here for the server.
    CopiesWait,
    /// This cashier has put a cart aside already.
    ParkedAlready,
    /// The number is not on the staff list.
    UnknownStaff,
    /// The server locked this terminal.
    Locked,
    /// Neither till nor cashier may book this, or the till is not set up.
    NotPermitted,
    /// Guests cannot pay like this here.
    TenderNotHere(TenderKind),
    /// This currency is not taken here, or nothing of the cart is to be paid.
    CurrencyNotHere(AssetId),
    /// The foreign cash that was given is not enough.
    ForeignAmount {
        /// Which currency.
        asset: AssetId,
        /// How much of it is needed, in hundredths.
        needed: Amount,
    },
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
