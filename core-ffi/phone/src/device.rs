//! What the phone says of itself, and what of it is worth an alarm or a check.

use crate::view::{Alarm, Check, CheckKind, CheckState, KeyPlace, Language, Network, NetworkKind};

/// From here on the battery is shown as an alarm, in percent.
const BATTERY_LOW: i32 = 20;
/// From here on the phone should be changed.
const BATTERY_EMPTY: i32 = 5;
/// From here on the clock is wrong, in minutes.
const CLOCK_OFF_MIN: i64 = 2;
/// Less room than this is too little for a night, in MB.
const DISK_LOW_MB: i64 = 200;

#[expect(clippy::struct_excessive_bools, reason = "so many things of a device are on or off")]
/// The state of the device, as the shell tells it whenever it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct DeviceState {
    /// The language of the device, for who is not logged in.
    pub language: Language,
    /// The battery in percent; none when it is not known.
    pub battery: Option<i32>,
    /// Whether it is being charged.
    pub charging: bool,
    /// Whether the system calls it too hot.
    pub hot: bool,
    /// Whether it is dark around; none without a sensor.
    pub dark: Option<bool>,
    /// Whether there is NFC and it is on.
    pub nfc: bool,
    /// Whether the volume for signals is above zero.
    pub audible: bool,
    /// The network it is in.
    pub network: Network,
    /// Room on the disk in MB; none when it is not known.
    pub disk_mb: Option<i64>,
    /// Where the device's key lives.
    pub key: KeyPlace,
    /// Batches of wristbands it has keys for.
    pub batches: i32,
    /// Whether the system is locked to this app.
    pub kiosk: bool,
}

impl Default for DeviceState {
    fn default() -> Self {
        Self {
            language: Language::German,
            battery: None,
            charging: false,
            hot: false,
            dark: None,
            nfc: true,
            audible: true,
            network: Network {
                kind: NetworkKind::None,
                bars: 0,
            },
            disk_mb: None,
            key: KeyPlace::Unknown,
            batches: 0,
            kiosk: false,
        }
    }
}

impl DeviceState {
    /// What of the device itself somebody should know of, the worst first.
    pub(crate) fn alarms(&self) -> Vec<Alarm> {
        let battery = self.battery.filter(|percent| *percent <= BATTERY_LOW && !self.charging);
        let alarms = [
            (!self.nfc).then_some(Alarm::NoNfc),
            self.hot.then_some(Alarm::Hot),
            battery.map(|percent| Alarm::Battery { percent }),
            (!self.audible).then_some(Alarm::Mute),
        ];
        alarms.into_iter().flatten().collect()
    }

    /// A clock that is so many minutes ahead, or behind below zero.
    pub(crate) fn clock_alarm(ahead_min: Option<i64>) -> Option<Alarm> {
        let off = ahead_min.filter(|minutes| minutes.saturating_abs() >= CLOCK_OFF_MIN)?;
        let minutes = i32::try_from(off).unwrap_or(if off < 0 { i32::MIN } else { i32::MAX });
        Some(Alarm::Clock { minutes })
    }

    /// What is looked at before a shift.
    pub(crate) fn checks(&self, clock_ahead_min: Option<i64>, has_prices: bool, unsent: i32) -> Vec<Check> {
        let check = |what, state, number| Check { what, state, number };
        let battery = match self.battery {
            _ if self.charging => CheckState::Good,
            Some(percent) if percent <= BATTERY_EMPTY => CheckState::Bad,
            Some(percent) if percent <= BATTERY_LOW => CheckState::Look,
            _ => CheckState::Good,
        };
        // A till that has not heard the server yet cannot know.
        let clock = match clock_ahead_min {
            Some(ahead) if ahead.saturating_abs() < CLOCK_OFF_MIN => CheckState::Good,
            _ => CheckState::Look,
        };
        let good = |is_good, otherwise| if is_good { CheckState::Good } else { otherwise };
        vec![
            check(CheckKind::Nfc, good(self.nfc, CheckState::Bad), None),
            check(
                CheckKind::Keys,
                good(self.batches > 0, CheckState::Look),
                Some(i64::from(self.batches)),
            ),
            check(CheckKind::Battery, battery, self.battery.map(i64::from)),
            check(CheckKind::Clock, clock, clock_ahead_min),
            check(CheckKind::Prices, good(has_prices, CheckState::Bad), None),
            check(
                CheckKind::Disk,
                good(self.disk_mb.is_none_or(|mb| mb >= DISK_LOW_MB), CheckState::Look),
                self.disk_mb,
            ),
            check(CheckKind::Sound, good(self.audible, CheckState::Look), None),
            check(
                CheckKind::Unsent,
                good(unsent == 0, CheckState::Look),
                Some(i64::from(unsent)),
            ),
        ]
    }
}
