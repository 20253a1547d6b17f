//! The pages of the device: registering it, the server, bookings for another phone, the device itself.

use shared_protocol::Amount;
use shared_protocol::catalogue;
use shared_protocol::config::OfflineTopUp;
use shared_protocol::order::OrderKind as Booked;
use terminal::screen::{self, Screen};

use crate::Phone;
use crate::ids::{count, last_four, millis};
use crate::view::{Ability, DevicePage, EvacuationPage, Pill, PillState, RegisterPage, Registering, SyncPage};

impl Phone {
    pub(super) fn register(&self, registering: &screen::Registering) -> RegisterPage {
        let state = match registering {
            screen::Registering::Waiting | screen::Registering::Refused(_) if self.not_a_code => Registering::NotACode,
            screen::Registering::Waiting => Registering::Scan,
            screen::Registering::Asking => Registering::Asking,
            screen::Registering::Confirm { code } => Registering::Confirm { code: code.clone() },
            screen::Registering::Refused(screen::RegistrationRefusal::Server) => Registering::Refused,
            screen::Registering::Refused(screen::RegistrationRefusal::Forged) => Registering::Forged,
            screen::Registering::Refused(screen::RegistrationRefusal::Key) => Registering::Key,
        };
        RegisterPage {
            state,
            server: self.server.clone(),
        }
    }

    pub(super) fn sync(&self, screen: &Screen, now_ms: i64) -> SyncPage {
        let pill = self.pill(now_ms);
        let is_offline = matches!(screen.pill, screen::Pill::Offline { .. });
        let event = self.config.as_deref().map(|config| &config.event);
        let stopped = pill.state == PillState::Stopped;
        let top_up = match event.map(|event| event.offline.top_up) {
            _ if !is_offline => (Some(Ability::TopUp), None),
            Some(OfflineTopUp::CreditAfterSync) => (Some(Ability::TopUpLater), Some(Ability::TopUp)),
            Some(OfflineTopUp::OnlineOnly) | None => (None, Some(Ability::TopUp)),
        };
        let pays_out = !is_offline || event.is_some_and(|event| event.offline.pay_out_max > Amount::ZERO);
        let sells = if is_offline {
            Ability::SellWithinLimits
        } else {
            Ability::Sell
        };
        let of_both = |works: bool, ability| {
            if works {
                (Some(ability), None)
            } else {
                (None, Some(ability))
            }
        };
        let table = [
            of_both(!stopped, sells),
            of_both(!stopped, Ability::Cancel),
            if self.may(Booked::TopUp) { top_up } else { (None, None) },
            if self.may(Booked::PayOut) {
                of_both(pays_out, Ability::PayOut)
            } else {
                (None, None)
            },
            of_both(!is_offline, Ability::FreshBalance),
            of_both(!is_offline, Ability::NewPrices),
            of_both(!is_offline, Ability::BlockList),
            of_both(!is_offline, Ability::SignedReceipts),
        ];
        SyncPage {
            orders: screen.unsent.map_or(0, |unsent| count(unsent.orders)),
            total: screen.unsent.map_or(0, |unsent| unsent.total.0),
            oldest_ms: screen.unsent.map(|unsent| millis(unsent.oldest_ms)),
            works: table.iter().filter_map(|(works, _)| *works).collect(),
            stopped: table.iter().filter_map(|(_, stopped)| *stopped).collect(),
            network: self.device.network.clone(),
            diagnosis: self.diagnosis(screen, &pill),
            pill,
        }
    }

    /// What technicians want to know of a phone, in one line without a secret.
    fn diagnosis(&self, screen: &Screen, pill: &Pill) -> String {
        let till = screen.till.map_or_else(|| "-".to_owned(), |till| till.to_string());
        let config = screen
            .config
            .map_or_else(|| "-".to_owned(), |version| format!("{version:?}"));
        format!(
            "groschen app={} till={till} state={:?} unsent={} since={} config={config} fault={:?} battery={:?} network={:?}/{}",
            self.build.app,
            pill.state,
            pill.unsent,
            pill.since_ms.unwrap_or(0),
            screen.fault,
            self.device.battery,
            self.device.network.kind,
            self.device.network.bars,
        )
    }

    pub(super) fn evacuation(&self, screen: &Screen) -> EvacuationPage {
        self.evacuation.clone().unwrap_or(EvacuationPage::Start {
            orders: screen.unsent.map_or(0, |unsent| count(unsent.orders)),
        })
    }

    pub(super) fn device_page(&self, screen: &Screen) -> DevicePage {
        let sent = screen.unsent.is_none() && !matches!(screen.pill, screen::Pill::Offline { entries: 1.., .. });
        DevicePage {
            app: self.build.app.clone(),
            terminal: screen.till.map(|till| till.to_string()),
            config: screen
                .config
                .map(|version| format!("{}.{}", version.generation, version.rev)),
            clock_ahead_min: screen.clock_ahead_min,
            battery: self.device.battery,
            key: self.device.key,
            batches: self.device.batches,
            theme: self.theme,
            kiosk: self.device.kiosk,
            may_reset: sent
                && self
                    .cashier()
                    .is_some_and(|staff| staff.role.is_some_and(catalogue::Role::helps_others)),
            may_update: sent && screen.cashier.is_none(),
            nfc_test: match &screen.notice {
                screen::Notice::Balance { tag, .. } => Some(last_four(*tag)),
                _ => None,
            },
        }
    }
}
