//! What is around every page.

use shared_protocol::catalogue::Text;

/// A language of the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Language {
    /// German.
    German,
    /// English.
    English,
}

impl Language {
    pub(crate) fn of(self, text: &Text) -> &str {
        match self {
            Self::German => &text.de,
            Self::English => &text.en,
        }
    }
}

/// Dark on light or light on dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Theme {
    /// Dark on light.
    Day,
    /// Light on dark.
    Night,
}

/// Which theme a cashier wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum ThemeChoice {
    /// By the light around.
    Automatic,
    /// Always day.
    Day,
    /// Always night.
    Night,
}

/// What is around every page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Frame {
    /// How phone and server stand.
    pub pill: Pill,
    /// In which language.
    pub language: Language,
    /// In which theme.
    pub theme: Theme,
    /// Nothing here is real: the frame is purple and says so.
    pub training: bool,
    /// The till's name, once there is one.
    pub till: Option<String>,
    /// Who sells.
    pub cashier: Option<String>,
    /// The event's name.
    pub event: Option<String>,
    /// IANA name of the event's time zone; moments are written in it.
    pub time_zone: String,
    /// The moment this was made.
    pub now_ms: i64,
    /// What is wrong with the device, the worst first.
    pub alarms: Vec<Alarm>,
    /// Whether there is a page to go back to.
    pub can_go_back: bool,
    /// Whether the screen must stay on.
    pub stay_on: bool,
    /// Whether things should stand still: the device is hot.
    pub calm: bool,
    /// Bookings of other phones that wait here for the server.
    pub carried: i32,
}

/// How the phone and the server stand.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct Pill {
    /// What it says.
    pub state: PillState,
    /// Bookings that the server does not have; above zero also when online.
    pub unsent: i32,
    /// Since when there is no server; none since the start.
    pub since_ms: Option<i64>,
}

/// What the pill says. Never a colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum PillState {
    /// The server has everything.
    Online,
    /// It gets what is missing.
    Sending,
    /// No server; selling goes on.
    Offline,
    /// No server for long, or much that it does not have: the technicians should know.
    Attention,
    /// The server does not want this device: another one has its place.
    Replaced,
    /// The server speaks another version.
    WrongVersion,
    /// The server does not know this device.
    Unknown,
    /// Nothing can be sold.
    Stopped,
}

/// Something is wrong with the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum Alarm {
    /// The queue takes nothing: the disk is full.
    DiskFull,
    /// The queue takes nothing.
    Disk,
    /// The queue is damaged.
    Queue,
    /// The key does not sign.
    Key,
    /// The newest configuration cannot be used.
    Config,
    /// The clock is off by so many minutes, from two on.
    Clock {
        /// Above zero it is ahead.
        minutes: i32,
    },
    /// There is no NFC, or it is switched off.
    NoNfc,
    /// So little battery is left, in percent.
    Battery {
        /// How much.
        percent: i32,
    },
    /// The device is too hot.
    Hot,
    /// The sound is off.
    Mute,
}
