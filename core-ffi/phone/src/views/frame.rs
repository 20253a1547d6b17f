//! What is around every page: the pill, the language, what is wrong with the device.

use terminal::StorageFault;
use terminal::screen::{self, Concern, DeviceFault};

use crate::Phone;
use crate::device::DeviceState;
use crate::ids::{count, millis};
use crate::view::{Alarm, Frame, Pill, PillState, Theme, ThemeChoice};

impl Phone {
    pub(super) fn frame(&self, now_ms: i64) -> Frame {
        let screen = self.screen.as_deref();
        let config = self.config.as_deref();
        let till = self.till().map(|(_, till)| till.name.clone());
        let is_in = screen.is_some_and(|screen| screen.cashier.is_some());
        let theme = match self.theme {
            ThemeChoice::Night => Theme::Night,
            ThemeChoice::Automatic if self.device.dark == Some(true) => Theme::Night,
            ThemeChoice::Day | ThemeChoice::Automatic => Theme::Day,
        };
        let fault = screen.and_then(|screen| screen.fault).map(|fault| match fault {
            DeviceFault::Storage(StorageFault::Full) => Alarm::DiskFull,
            DeviceFault::Storage(StorageFault::Io | StorageFault::Conflict) => Alarm::Disk,
            DeviceFault::Queue => Alarm::Queue,
            DeviceFault::Key => Alarm::Key,
            DeviceFault::Config => Alarm::Config,
        });
        Frame {
            pill: self.pill(now_ms),
            language: self.language(),
            theme,
            training: self.training.is_some() || screen.is_some_and(|screen| screen.training),
            till,
            cashier: self.cashier().map(|staff| staff.name.clone()),
            event: config.map(|config| self.language().of(&config.event.name).to_owned()),
            time_zone: config.map_or_else(|| "UTC".to_owned(), |config| config.event.time_zone.clone()),
            now_ms: now_ms - now_ms.rem_euclid(60_000),
            alarms: (fault.into_iter())
                .chain(screen.and_then(|screen| DeviceState::clock_alarm(screen.clock_ahead_min)))
                .chain(self.device.alarms())
                .collect(),
            can_go_back: self.way.can_go_back() && !self.check_due,
            stay_on: is_in,
            calm: self.device.hot,
            carried: screen.map_or(0, |screen| {
                let orders = screen.received.iter().map(|copy| count(copy.orders));
                orders.fold(0, i32::saturating_add)
            }),
        }
    }

    pub(super) fn pill(&self, now_ms: i64) -> Pill {
        let Some(screen) = self.screen.as_deref() else {
            return Pill {
                state: PillState::Offline,
                unsent: 0,
                since_ms: None,
            };
        };
        let stopped = matches!(screen.fault, Some(DeviceFault::Storage(_) | DeviceFault::Queue))
            || screen.page == screen::Page::Locked;
        let (state, unsent, since_ms) = match screen.pill {
            screen::Pill::Online => (PillState::Online, 0, None),
            screen::Pill::Sending { entries } => (PillState::Sending, count(entries), None),
            screen::Pill::Offline { entries, since_ms, .. } => {
                let state = match screen.pill.concern(u64::try_from(now_ms).unwrap_or_default()) {
                    Some(Concern::Replaced) => PillState::Replaced,
                    Some(Concern::Version) => PillState::WrongVersion,
                    Some(Concern::Unknown) => PillState::Unknown,
                    Some(Concern::Late) => PillState::Attention,
                    None => PillState::Offline,
                };
                (state, count(entries), since_ms.map(millis))
            }
        };
        Pill {
            state: if stopped { PillState::Stopped } else { state },
            unsent,
            since_ms,
        }
    }
}
