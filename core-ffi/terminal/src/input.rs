//! What happens to a terminal.

use chips::ReaderEvent;
use shared_protocol::chain::SignedHead;
use shared_protocol::crypto::{Hash32, Signature};
use shared_protocol::currency::Foreign;
use shared_protocol::order::{CancelReason, Order, TenderKind};
use shared_protocol::{Amount, ArticleId, OrderId, SlotId, StaffId, TagId};

use crate::output::{LinkId, SignJob, StoredEntry, Ticket};
use crate::pin::{Pin, PinJob};
use crate::purse::{PurseAnswer, PurseJob};

/// What the cashier does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Pieces of an article go into the cart.
    Add {
        /// Which.
        article: ArticleId,
        /// How many, above zero.
        count: u16,
    },
    /// One piece less.
    Remove {
        /// Of which article.
        article: ArticleId,
    },
    /// The article's lines leave the cart.
    ClearLine {
        /// Which article.
        article: ArticleId,
    },
    /// The cart is given up.
    Clear,
    /// An article without a price, with the typed one.
    FreePrice {
        /// Which.
        article: ArticleId,
        /// The price of one piece in cents.
        price: Amount,
    },
    /// The tip of the cart becomes this much.
    Tip {
        /// How much in cents; zero is none.
        amount: Amount,
    },
    /// Bearer goods come back.
    Return {
        /// Which.
        article: ArticleId,
        /// How many, above zero.
        count: u16,
    },
    /// Whether the guest's vouchers are used for this cart.
    UseVouchers(bool),
    /// The cart is paid in cash or by card. (By wristband there is no action: holding it pays.)
    Pay(TenderKind),
    /// The cart is split into equal parts, each for another wristband.
    Split {
        /// How many parts.
        ways: u8,
    },
    /// The last sale's goods go into a new cart.
    SameAgain,
    /// The last sale is to be taken back; the guest's wristband confirms.
    UndoLast,
    /// The last sale's goods go back into the cart; the guest's wristband books old and new in one.
    CorrectLast,
    /// An order of this till is to be taken back; the guest's wristband confirms.
    Cancel {
        /// Which.
        order: OrderId,
        /// Why.
        reason: CancelReason,
    },
    /// Money was paid in for the wristband that is shown or held next.
    TopUp {
        /// How much in cents.
        amount: Amount,
        /// Cash or card.
        method: TenderKind,
    },
    /// Foreign cash was paid in for the wristband that is shown or held next.
    TopUpForeign {
        /// The notes.
        given: Foreign,
        /// How much goes onto the wristband, in cents; none is all that the notes count as. The rest is change.
        amount: Option<Amount>,
    },
    /// The cart was paid with foreign cash; change is given in the event's currency.
    PayForeign(Foreign),
    /// Foreign cash is taken to the safe.
    HandIn(Foreign),
    /// Cash is to be paid out from the wristband that is held next.
    PayOut {
        /// How much in cents.
        amount: Amount,
    },
    /// The wristband whose balance is shown is swapped for the one that is held next.
    Swap,
    /// A wristband that its guest has lost is swapped for the one that is held next.
    SwapLost {
        /// The lost one.
        old: TagId,
    },
    /// A wristband that its guest has lost is blocked.
    Block {
        /// Which.
        tag: TagId,
    },
    /// The drawer is opened with counted money.
    OpenDrawer {
        /// How much is in it, zero or above.
        float: Amount,
    },
    /// The drawer was counted, before anybody was told what should be in it; that closes it.
    CountDrawer {
        /// How much is in it, zero or above.
        counted: Amount,
    },
    /// Change was brought to the open drawer (above zero), or cash picked up (below zero).
    MoveCash {
        /// How much in cents.
        amount: Amount,
    },
    /// Somebody takes the till.
    Login {
        /// Who.
        staff: StaffId,
    },
    /// The PIN that the screen asks for ([`Notice::PinWanted`](crate::screen::Notice::PinWanted)).
    Pin(Pin),
    /// The colleague whose wristband was held takes over ([`Notice::SwapCashier`](crate::screen::Notice::SwapCashier)).
    SwapCashier,
    /// The cashier pays with their own wristband ([`Notice::OwnBand`](crate::screen::Notice::OwnBand)).
    PayWithOwn,
    /// The cart is put aside until its cashier is back or takes it up again.
    Park,
    /// The cart that was put aside is taken up again.
    Unpark,
    /// The cashier leaves.
    Logout,
    /// The shift ends: the cashier leaves a device whose orders the server has. Refused while it lacks any.
    EndShift,
    /// The phone is put down with its shift open, because orders are not sent yet: only the same person goes on with it.
    LeaveShiftOpen,
    /// Another device has the copy that was made here: a shift may end on it.
    CopyTaken,
    /// The device is to be a terminal no more ([`Output::Unregistered`](crate::Output::Unregistered)). Only for who helps others, and refused
    /// while the server lacks anything.
    Unregister,
    /// The message on the screen was read.
    Dismiss,
}

/// What a registration code (QR) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The slot.
    pub slot: SlotId,
    /// Its 128-bit secret.
    pub secret: [u8; 16],
    /// What the device calls itself, for the admin who confirms.
    pub device: String,
    /// Digest of the event's config key ([`config_key_digest`](crate::config_key_digest)), where the code carries it: then a server in
    /// between cannot pass off its own key.
    pub config_key: Option<Hash32>,
}

impl Invitation {
    /// What a registration code says, to a device with a name.
    pub fn of(code: &shared_protocol::invitation::Invitation, device: &str) -> Self {
        Self {
            slot: code.slot,
            secret: code.secret,
            device: device.to_owned(),
            config_key: code.config_key,
        }
    }
}

/// Why the queue did not store something. The transaction is **not** on the disk: a shell that cannot tell closes the queue, opens it
/// again and makes a new terminal from what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorageFault {
    /// The disk is full.
    Full,
    /// The disk failed.
    Io,
    /// The queue does not fit what was to be written: an entry is missing before it, or it is there already.
    Conflict,
}

/// What happens to a terminal.
#[derive(Debug, Clone)]
pub enum Input {
    /// The cashier did something.
    Act(Action),
    /// A registration code was scanned.
    Register(Invitation),
    /// The reader saw something.
    Reader(ReaderEvent),
    /// The shell worked on a purse.
    Purse {
        /// Which work.
        job: PurseJob,
        /// What came of it.
        answer: PurseAnswer,
    },
    /// A [`Persist`](crate::Output::Persist) is durable.
    Persisted(Ticket),
    /// A [`Persist`](crate::Output::Persist) is not there and will not be.
    PersistFailed {
        /// Which.
        ticket: Ticket,
        /// Why.
        fault: StorageFault,
    },
    /// A [`Sign`](crate::Output::Sign) is done.
    Signed {
        /// Which.
        job: SignJob,
        /// The signature.
        signature: Signature,
    },
    /// A [`Sign`](crate::Output::Sign) did not work.
    SignFailed {
        /// Which.
        job: SignJob,
    },
    /// A [`VerifyPin`](crate::Output::VerifyPin) is done.
    PinVerified {
        /// Which.
        job: PinJob,
        /// Whether the PIN fits the hash; no when that cannot be told.
        ok: bool,
    },
    /// A [`Fetch`](crate::Output::Fetch) is done.
    Fetched {
        /// Of which epoch.
        epoch: u32,
        /// The hash of the entry before the first one; none when that is entry 1.
        previous: Option<Hash32>,
        /// The entries, in order, without a hole. Empty when the queue could not be read.
        entries: Vec<StoredEntry>,
        /// The stored heads of these entries.
        heads: Vec<SignedHead>,
    },
    /// Another phone's copy of its journal came in, whole: by codes, by cable or however.
    Received(Vec<u8>),
    /// This was practised at a till beside this one, with its number and its prices.
    Practised(Box<Order>),
    /// A copy of what the server lacks was made for another device ([`Terminal::evacuable`](crate::Terminal::evacuable)).
    Copied {
        /// Epochs, and up to which entry.
        up_to: Vec<(u32, u64)>,
    },
    /// A connection is open.
    Connected(LinkId),
    /// A frame arrived.
    Frame {
        /// On which connection.
        link: LinkId,
        /// The whole message.
        bytes: Vec<u8>,
    },
    /// A connection is gone, or never came to be.
    Disconnected(LinkId),
    /// The network may be back, or a person does not want to wait for the next try.
    TryNow,
    /// Time passed.
    Tick,
    /// The program ends: say goodbye and store what is still in memory.
    Stop,
}
