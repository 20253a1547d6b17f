//! Pages of the device: registering it, the server, bookings for another phone, the device itself.

use super::frame::{Pill, ThemeChoice};

/// The device becomes a terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct RegisterPage {
    /// How far it is.
    pub state: Registering,
    /// The server of the code, without the secret.
    pub server: Option<String>,
}

/// How far a registration is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Registering {
    /// A code is to be scanned.
    Scan,
    /// What was scanned is no registration code.
    NotACode,
    /// The server is asked.
    Asking,
    /// Somebody has to confirm these six digits, which are on their screen too.
    Confirm {
        /// The digits.
        code: String,
    },
    /// The server did not take it: wrong, used or expired.
    Refused,
    /// The answer is not from the event on the code.
    Forged,
    /// The device's key cannot sign.
    Key,
}

/// How things stand with the server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct SyncPage {
    /// As the pill.
    pub pill: Pill,
    /// Orders the server does not have.
    pub orders: i32,
    /// The money they moved.
    pub total: i64,
    /// When the oldest of them was.
    pub oldest_ms: Option<i64>,
    /// What works now.
    pub works: Vec<Ability>,
    /// What does not.
    pub stopped: Vec<Ability>,
    /// The network the phone is in.
    pub network: Network,
    /// What technicians want to know, as a text for a QR code. It holds no secret.
    pub diagnosis: String,
}

/// What works or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Ability {
    /// Selling.
    Sell,
    /// Selling, up to a limit per guest.
    SellWithinLimits,
    /// Balances that are fresh.
    FreshBalance,
    /// Top-up that can be spent at once.
    TopUp,
    /// Top-up that can be spent after the sync.
    TopUpLater,
    /// Pay-out.
    PayOut,
    /// Taking back.
    Cancel,
    /// New prices arrive.
    NewPrices,
    /// Blocks of lost wristbands arrive.
    BlockList,
    /// Receipts carry a signature at once.
    SignedReceipts,
}

/// The network a phone is in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Network {
    /// What carries it.
    pub kind: NetworkKind,
    /// How strong it is, 0 to 4.
    pub bars: i32,
}

/// What carries a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum NetworkKind {
    /// Nothing.
    None,
    /// Wi-Fi.
    Wifi,
    /// The mobile network.
    Mobile,
    /// A cable.
    Cable,
}

/// Bookings are given to another phone.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum EvacuationPage {
    /// What there is to give and to take.
    Start {
        /// Orders of this phone that the server does not have.
        orders: i32,
    },
    /// Codes for the other phone to scan, one after the other.
    Giving {
        /// The code that is shown.
        code: String,
        /// Its place, from 1.
        index: i32,
        /// How many there are.
        count: i32,
    },
    /// Codes of the other phone are scanned.
    Taking {
        /// So many are there.
        have: i32,
        /// Of so many; 0 before the first.
        count: i32,
        /// Places that are missing, from 1; the first few.
        missing: Vec<i32>,
    },
    /// All of it is here and goes to the server with the next contact.
    Taken {
        /// Entries.
        entries: i32,
    },
    /// It could not be.
    Failed,
}

/// The device itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DevicePage {
    /// The app's build.
    pub app: String,
    /// The terminal's number, once it is one.
    pub terminal: Option<String>,
    /// Version of the configuration.
    pub config: Option<String>,
    /// How many minutes the clock is ahead of the server's, below zero behind; none before the server was heard.
    pub clock_ahead_min: Option<i64>,
    /// The battery in percent.
    pub battery: Option<i32>,
    /// Where the device's key lives.
    pub key: KeyPlace,
    /// Batches of wristbands it has keys for.
    pub batches: i32,
    /// Which theme is chosen.
    pub theme: ThemeChoice,
    /// Whether it is locked to this app.
    pub kiosk: bool,
    /// Whether it may be reset: everything is sent.
    pub may_reset: bool,
    /// Whether an update may be installed: no shift, nothing unsent.
    pub may_update: bool,
    /// A wristband that was held for the test: its kind is readable.
    pub nfc_test: Option<String>,
}

/// Where a key lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum KeyPlace {
    /// In hardware of its own.
    Hardware,
    /// In software.
    Software,
    /// Not known.
    Unknown,
}
