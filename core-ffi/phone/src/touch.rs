//! What a cashier does to the phone.

use crate::view::{ExerciseKind, Language, Method, ThemeChoice};

/// A page that is opened by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Place {
    /// What there is to do.
    Home,
    /// Selling.
    Sale,
    /// The cart, line by line.
    Cart,
    /// The cart is split.
    Split,
    /// Orders of this till.
    History,
    /// Money in.
    TopUp,
    /// Cash of another currency, for the open cart or for a wristband.
    Foreign,
    /// Cash of another currency leaves the till.
    HandIn,
    /// Money out.
    PayOut,
    /// A wristband is swapped or blocked.
    Band,
    /// How things stand with the server.
    Sync,
    /// Bookings are given to another phone.
    Evacuation,
    /// The device.
    Device,
    /// The shift ends.
    ShiftEnd,
    /// Exercises.
    Training,
    /// Picture cards.
    Guide,
}

/// Why an order is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Reason {
    /// Mistyped.
    Mistyped,
    /// The guest wanted something else.
    GuestChanged,
    /// Not in stock.
    OutOfStock,
}

/// What a cashier does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Touch {
    /// A tile: one piece more, a cup comes back, or a price is asked for.
    Tile {
        /// Which article.
        article: i64,
    },
    /// So many pieces of a tile at once.
    Pieces {
        /// Which article.
        article: i64,
        /// How many.
        count: i32,
    },
    /// One piece less.
    Minus {
        /// Of which article.
        article: i64,
    },
    /// One piece less of what was touched last: the volume key.
    MinusLast,
    /// The article leaves the cart.
    ClearLine {
        /// Which article.
        article: i64,
    },
    /// The tip of the cart becomes this much.
    Tip {
        /// How much; zero is none.
        amount: i64,
    },
    /// A tip of another amount is typed.
    TypeTip,
    /// The cart is given up.
    Clear,
    /// The cart that was given up last comes back.
    Restore,
    /// Whether the guest's vouchers are used.
    Vouchers {
        /// Whether.
        on: bool,
    },
    /// The cashier pays with their own wristband.
    PayWithOwn,
    /// The cart is put aside.
    Park,
    /// The cart that was put aside is taken up again.
    Unpark,
    /// The cart is paid in cash.
    PayCash,
    /// The cart is paid by card.
    PayCard,
    /// The cart is paid with cash of another currency.
    PayForeign {
        /// Which.
        asset: i32,
        /// How much, in hundredths of it.
        amount: i64,
    },
    /// Cash of another currency was paid in: all that it counts as goes onto the wristband.
    TopUpForeign {
        /// Which.
        asset: i32,
        /// How much, in hundredths of it.
        amount: i64,
    },
    /// Cash of another currency was handed in.
    HandIn {
        /// Which.
        asset: i32,
        /// How much, in hundredths of it.
        amount: i64,
    },
    /// The cart is split into equal parts.
    SplitInto {
        /// How many.
        parts: i32,
    },
    /// The last sale once more.
    SameAgain,
    /// The last sale is taken back.
    Undo,
    /// The last sale goes back into the cart.
    Correct,
    /// An order is looked at.
    OpenOrder {
        /// Which.
        order: String,
    },
    /// An order is taken back.
    Cancel {
        /// Which.
        order: String,
        /// Why.
        reason: Reason,
    },
    /// The receipt of an order.
    Receipt {
        /// Which.
        order: String,
    },
    /// Another page.
    Open {
        /// Which.
        place: Place,
    },
    /// The page before.
    Back,
    /// What lies over the page was read.
    Dismiss,
    /// A digit of a keypad.
    Digit {
        /// 0 to 9.
        digit: i32,
    },
    /// The last digit is taken back.
    Erase,
    /// What is typed is taken: a price, a PIN, a number.
    Enter,
    /// An amount of the presets.
    Preset {
        /// How much.
        amount: i64,
    },
    /// Money was paid in, as much as is typed.
    TopUp {
        /// How.
        method: Method,
    },
    /// The guest gives so much.
    Given {
        /// How much.
        amount: i64,
    },
    /// So much is paid out: what is typed.
    PayOut,
    /// All of the wristband that is shown is paid out.
    PayOutAll,
    /// A number is typed, or what history is searched for.
    Text {
        /// All of it.
        text: String,
    },
    /// The wristband that is shown is swapped for the one that is held next.
    Swap,
    /// The lost wristband whose number is typed is swapped for the one that is held next.
    SwapLost,
    /// The lost wristband whose number is typed is blocked.
    BlockLost,
    /// The cart is turned to the guest, or back.
    TurnToGuest,
    /// Somebody logs in by name.
    LogIn {
        /// Their number.
        staff: i64,
    },
    /// Whoever held their wristband goes on.
    SwapCashier,
    /// The shift begins.
    BeginShift,
    /// The shift ends.
    EndShift,
    /// The phone is left with the shift open.
    LeaveShiftOpen,
    /// So many notes or coins of one kind are in the drawer.
    Count {
        /// What one is worth.
        worth: i64,
        /// How many.
        count: i32,
    },
    /// The drawer is opened with what is counted.
    OpenDrawer,
    /// The drawer is counted; that closes it.
    CloseDrawer,
    /// The next code of an evacuation, or the one before.
    Turn {
        /// Forwards.
        forward: bool,
    },
    /// Bookings are given to another phone.
    Give,
    /// The other phone has all of them.
    CopyTaken,
    /// Bookings of another phone are taken.
    Take,
    /// A code was scanned: a registration, or a part of an evacuation.
    Scanned {
        /// Its text.
        text: String,
    },
    /// Another language.
    Speak {
        /// Which.
        language: Language,
    },
    /// Another theme.
    Look {
        /// Which.
        theme: ThemeChoice,
    },
    /// Sound and vibration are tried.
    TestSound,
    /// The server is asked again now.
    TryNow,
    /// Training begins.
    BeginTraining,
    /// Training ends.
    EndTraining,
    /// An exercise is begun: the next wristband does what it says.
    Exercise {
        /// Which.
        kind: ExerciseKind,
    },
    /// The simulated wristband of the training is held.
    HoldSimulated,
    /// The device stops being a terminal; refused while anything is unsent.
    Reset,
    /// The app's lock is taken off.
    LeaveKiosk,
}
