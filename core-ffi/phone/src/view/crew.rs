//! Pages of who sells: login, the shift from its beginning to its end, exercises.

use super::money::Pieces;

/// Nobody is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct LoginPage {
    /// Who can be chosen by name; empty where a wristband is needed.
    pub names: Vec<StaffChoice>,
    /// A PIN is wanted.
    pub pin: Option<PinPad>,
    /// Who sold last.
    pub last: Option<String>,
    /// A shift was left open by this person: their wristband goes on with it.
    pub left_open: Option<String>,
}

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct StaffChoice {
    /// Their number.
    pub staff: i64,
    /// Their name.
    pub name: String,
}

/// A PIN is typed. What is typed is never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PinPad {
    /// Whose.
    pub name: String,
    /// Digits so far.
    pub digits: i32,
    /// Whether the last one was wrong.
    pub wrong: bool,
    /// How often it may still be wrong.
    pub tries_left: i32,
    /// Being checked.
    pub checking: bool,
}

/// Before the shift begins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ShiftCheckPage {
    /// What was looked at.
    pub checks: Vec<Check>,
    /// Whether the shift may begin.
    pub ready: bool,
}

/// One thing that was looked at before a shift.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Check {
    /// What.
    pub what: CheckKind,
    /// How it is.
    pub state: CheckState,
    /// The number that goes with it: percent of the battery, minutes of the clock, MB of the disk, bookings unsent, minutes of the price list's age.
    pub number: Option<i64>,
}

/// What is looked at before a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum CheckKind {
    /// NFC is there and on.
    Nfc,
    /// The battery.
    Battery,
    /// The clock against the server's.
    Clock,
    /// Prices are there.
    Prices,
    /// Room on the disk.
    Disk,
    /// The sound can be heard.
    Sound,
    /// Bookings from before are sent.
    Unsent,
    /// The keys of wristbands are there.
    Keys,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum CheckState {
    /// Good.
    Good,
    /// Selling works, but somebody should look.
    Look,
    /// It does not work like this.
    Bad,
}

/// A thing to do, from the home page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum HomeTile {
    /// Sell.
    Sale,
    /// Money in.
    TopUp,
    /// Money out.
    PayOut,
    /// Swap or block a wristband.
    Band,
    /// Orders of this till.
    History,
    /// Exercises.
    Training,
    /// Picture cards.
    Guide,
    /// The device.
    Device,
    /// The shift ends.
    ShiftEnd,
}

/// The shift ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ShiftEndPage {
    /// Since when it runs.
    pub since_ms: Option<i64>,
    /// Sales.
    pub sales: i32,
    /// What they came to.
    pub sales_total: i64,
    /// Orders taken back.
    pub cancelled: i32,
    /// What they came to.
    pub cancelled_total: i64,
    /// Top-ups.
    pub top_ups: i32,
    /// What they came to.
    pub topped_up: i64,
    /// Pay-outs.
    pub pay_outs: i32,
    /// What they came to.
    pub paid_out: i64,
    /// Cups given out.
    pub cups_out: i32,
    /// Cups that came back.
    pub cups_back: i32,
    /// Vouchers used.
    pub vouchers: i32,
    /// Orders the server does not have; above zero the shift cannot end.
    pub unsent: i32,
    /// The money they moved.
    pub unsent_total: i64,
    /// The drawer that is to be counted first.
    pub drawer: Option<DrawerCount>,
    /// Whether it may end now.
    pub ready: bool,
    /// Whether cash of other currencies may be handed in.
    pub foreign: bool,
}

/// A drawer is counted, blind: what should be in it is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DrawerCount {
    /// Notes and coins, the largest first.
    pub pieces: Vec<Pieces>,
    /// What they come to.
    pub counted: i64,
}

/// Exercises with wristbands that are simulated.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TrainingPage {
    /// What can be tried.
    pub tasks: Vec<Exercise>,
    /// Whether the training runs.
    pub running: bool,
}

/// An exercise: what the next wristband does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum ExerciseKind {
    /// It pays.
    Pays,
    /// It has too little.
    TooLow,
    /// It is blocked.
    Blocked,
    /// It belongs to another festival.
    Foreign,
    /// It cannot be read.
    Unreadable,
    /// Two at once.
    Two,
    /// The network is gone.
    Offline,
    /// A sale is undone.
    Undo,
    /// A sale is corrected.
    Correct,
}

/// An exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Exercise {
    /// Which.
    pub kind: ExerciseKind,
    /// Whether it was done.
    pub done: bool,
    /// Whether it is the one that is going on.
    pub current: bool,
}
