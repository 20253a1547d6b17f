//! Money in and out.

use super::band::Balance;

/// How money comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Method {
    /// Cash.
    Cash,
    /// Card.
    Card,
}

/// Money in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct TopUpPage {
    /// The amounts to touch.
    pub presets: Vec<i64>,
    /// What is typed so far.
    pub typed: i64,
    /// The least of one top-up.
    pub min: i64,
    /// The most of one top-up.
    pub max: i64,
    /// How money may come in here.
    pub methods: Vec<Method>,
    /// What is open: then the wristband is to be held.
    pub open: Option<OpenTopUp>,
    /// The wristband that is shown, with its balance: the money is for it.
    pub band: Option<Balance>,
    /// Whether the money can be spent only after this phone has synced.
    pub after_sync: bool,
    /// Whether money may come in in another currency.
    #[cfg_attr(feature = "uniffi", uniffi(default = false))]
    pub foreign: bool,
}

/// Money that was paid in and waits for its wristband.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct OpenTopUp {
    /// How much.
    pub amount: i64,
    /// How.
    pub method: Method,
    /// What the guest gave in cash.
    pub given: Option<i64>,
    /// What goes back; below zero is missing.
    pub change: Option<i64>,
    /// What goes back, in notes and coins.
    pub pieces: Vec<Pieces>,
    /// Notes a guest may give, with what goes back then.
    pub offers: Vec<ChangeOffer>,
    /// Whether a wristband may have it already: only that one settles it.
    pub settling: bool,
    /// The cash of another currency that was given for it.
    #[cfg_attr(feature = "uniffi", uniffi(default = None))]
    pub foreign: Option<ForeignCash>,
}

/// Cash of another currency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ForeignCash {
    /// The currency's code.
    pub code: String,
    /// How much, in hundredths of it.
    pub amount: i64,
}

/// Cash of another currency is taken: for the open cart, or for a wristband.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ForeignPage {
    /// What is to be paid; none where it is money in, or handed in.
    pub total: Option<i64>,
    /// Whether it leaves the till.
    pub hand_in: bool,
    /// What is typed so far, in hundredths of whichever currency.
    pub typed: i64,
    /// The currencies that are taken here.
    pub currencies: Vec<ForeignCurrency>,
}

/// A currency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ForeignCurrency {
    /// Its number.
    pub asset: i32,
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What one whole unit counts as, in millionths of the event's unit.
    pub value: i64,
    /// The least that pays the cart, in hundredths; none where it is money in.
    pub needed: Option<i64>,
    /// What a guest may give for the cart, in hundredths, with what goes back in the event's currency.
    pub offers: Vec<ChangeOffer>,
    /// What is typed counts as; none where that is not enough, or nothing.
    pub worth: Option<i64>,
}

/// What goes back for a note.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct ChangeOffer {
    /// The guest gives.
    pub given: i64,
    /// And gets back.
    pub change: i64,
}

/// Notes or coins of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Pieces {
    /// What one is worth.
    pub worth: i64,
    /// How many.
    pub count: i32,
}

/// Money out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct PayOutPage {
    /// What is typed so far.
    pub typed: i64,
    /// The wristband that is shown.
    pub band: Option<Balance>,
    /// What can be paid out at once: all of the wristband's confirmed money.
    pub all: Option<i64>,
    /// The most while there is no server; none while there is one.
    pub offline_max: Option<i64>,
    /// An amount that is open: the wristband is to be held.
    pub open: Option<i64>,
}
