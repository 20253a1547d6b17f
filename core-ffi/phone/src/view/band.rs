//! A wristband: what it has, and another one in its place.

/// What a wristband has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Balance {
    /// Its last four digits.
    pub band: String,
    /// Money that is free to spend; none when nothing is known.
    pub money: Option<i64>,
    /// The server's time of the figure; none when it has just said so.
    pub as_of_ms: Option<i64>,
    /// What is still owed from earlier.
    pub owed: i64,
    /// Vouchers, points and the like.
    pub units: Vec<Units>,
    /// Why it must not pay.
    pub blocked: Option<Blocked>,
    /// Its last sale, as its own record tells it.
    pub last_sale: Option<LastSale>,
}

/// Units of something that is not money.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Units {
    /// What they are called.
    pub name: String,
    /// How many, in the smallest unit.
    pub amount: i64,
}

/// Why a wristband must not pay. The queue behind the guest never reads more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Blocked {
    /// Blocked.
    Blocked,
    /// Reported lost.
    Lost,
    /// Replaced by another one.
    Replaced,
    /// What it paid offline could not be covered.
    Overdrawn,
}

/// The last sale of a purse.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct LastSale {
    /// How much.
    pub amount: i64,
    /// When, to the minute.
    pub at_ms: i64,
    /// At which till.
    pub till: String,
}

/// A wristband is swapped or blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct BandPage {
    /// The wristband that is shown: swapping begins with it.
    pub band: Option<Balance>,
    /// The number that is typed, of a wristband that is lost.
    pub number: String,
    /// Whether it can be one.
    pub is_number: bool,
    /// A swap that is open: the new wristband is to be held.
    pub swapping: Option<Swapping>,
    /// Whether swapping is allowed here.
    pub may_swap: bool,
    /// Whether blocking is allowed here.
    pub may_block: bool,
}

/// A swap that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Swapping {
    /// The old wristband's last four digits.
    pub old: String,
    /// Whether it is lost.
    pub lost: bool,
}
