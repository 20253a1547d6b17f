//! Money in and out, and the wristband it is for.

use shared_protocol::Amount;
use shared_protocol::config::{Config, Event, OfflineTopUp};
use shared_protocol::currency::Currency;
use shared_protocol::order::{OrderKind as Booked, TenderKind};
use terminal::cash;
use terminal::screen::{self, CartKind, CartView, Screen};

use crate::ids::last_four;
use crate::view::{
    Balance, BandPage, ChangeOffer, ForeignCash, ForeignCurrency, ForeignPage, Method, OpenTopUp, PayOutPage, Swapping,
    TopUpPage,
};
use crate::{Phone, money};

/// Whether cash of other currencies comes to this till.
pub(super) fn takes_foreign_cash(config: &Config, tenders: &[TenderKind]) -> bool {
    tenders.contains(&TenderKind::Cash) && config.currencies().next().is_some()
}

impl Phone {
    fn shown_band(&self, screen: &Screen) -> Option<Balance> {
        self.saying(screen).balance(&screen.notice)
    }

    pub(super) fn top_up(&self, screen: &Screen, config: &Config, tenders: &[TenderKind]) -> TopUpPage {
        let event = &config.event;
        let methods = [(TenderKind::Cash, Method::Cash), (TenderKind::Card, Method::Card)];
        let open = screen.cart.as_ref().and_then(|cart| self.open_top_up(cart));
        let is_offline = matches!(screen.pill, screen::Pill::Offline { .. });
        TopUpPage {
            presets: cash::presets(event).into_iter().map(|preset| preset.0).collect(),
            typed: self.typed.0,
            min: event.top_up_min.0,
            max: event.top_up_max.0,
            methods: methods
                .into_iter()
                .filter(|(kind, _)| tenders.contains(kind))
                .map(|(_, method)| method)
                .collect(),
            open,
            band: self.shown_band(screen),
            after_sync: is_offline && event.offline.top_up == OfflineTopUp::CreditAfterSync,
            foreign: takes_foreign_cash(config, tenders),
        }
    }

    fn open_top_up(&self, cart: &CartView) -> Option<OpenTopUp> {
        let CartKind::TopUp { method } = &cart.kind else {
            return None;
        };
        let is_cash = *method == TenderKind::Cash;
        let given = self.given.filter(|_| is_cash);
        let change = given.and_then(|given| given.minus(cart.total).ok());
        Some(OpenTopUp {
            amount: cart.total.0,
            method: if is_cash { Method::Cash } else { Method::Card },
            given: given.map(|given| given.0),
            change: change.map(|change| change.0),
            pieces: change.map(money::in_pieces).unwrap_or_default(),
            offers: if is_cash && cart.given.is_none() {
                money::offers(cart.total)
            } else {
                Vec::new()
            },
            settling: cart.settling,
            foreign: cart.given.and_then(|(given, _)| {
                let (config, _) = self.till()?;
                Some(ForeignCash {
                    code: config.currency(given.asset)?.code.to_owned(),
                    amount: given.amount.0,
                })
            }),
        })
    }

    /// Cash of other currencies: out of the till, or for the open cart where one is to be paid, else for a wristband.
    pub(super) fn foreign(&self, screen: &Screen, config: &Config, hand_in: bool) -> ForeignPage {
        let cart = screen
            .cart
            .as_ref()
            .filter(|cart| cart.kind == CartKind::Sale && !hand_in);
        let currency = |currency: Currency<'_>| {
            let needed = cart.and_then(|cart| cart.needed.iter().find(|needed| needed.asset == currency.asset));
            let worth = currency.worth(Amount(self.typed.0)).ok();
            let least = cart.map_or(Amount(1), |cart| cart.total);
            let offers = cart.map_or_else(Vec::new, |cart| cash::foreign_offers(&currency, cart.total));
            ForeignCurrency {
                asset: i32::from(currency.asset.0),
                code: currency.code.to_owned(),
                name: config
                    .assets
                    .get(&currency.asset)
                    .map_or_else(String::new, |asset| self.language().of(&asset.name).to_owned()),
                value: i64::from(currency.value.get()),
                needed: needed.map(|needed| needed.amount.0),
                offers: offers
                    .into_iter()
                    .map(|(given, change)| ChangeOffer {
                        given: given.0,
                        change: change.0,
                    })
                    .collect(),
                worth: worth.filter(|worth| *worth >= least).map(|worth| worth.0),
            }
        };
        ForeignPage {
            total: cart.map(|cart| cart.total.0),
            hand_in,
            typed: self.typed.0,
            currencies: config.currencies().map(currency).collect(),
        }
    }

    /// What of the wristband that is shown can be paid out at once: what the server confirmed, or as much as may be paid out without it.
    pub(crate) fn all_of_it(&self) -> Option<Amount> {
        let screen = self.screen.as_deref()?;
        let screen::Notice::Balance { money, .. } = &screen.notice else {
            return None;
        };
        let (config, _) = self.till()?;
        let free = (*money)?.amount;
        let most = match screen.pill {
            screen::Pill::Offline { .. } => free.min(config.event.offline.pay_out_max),
            screen::Pill::Online | screen::Pill::Sending { .. } => free,
        };
        Some(most).filter(|most| *most > Amount::ZERO)
    }

    pub(super) fn pay_out(&self, screen: &Screen, event: &Event) -> PayOutPage {
        let is_offline = matches!(screen.pill, screen::Pill::Offline { .. });
        let open = screen.cart.as_ref().filter(|cart| cart.kind == CartKind::PayOut);
        PayOutPage {
            typed: self.typed.0,
            band: self.shown_band(screen),
            all: self.all_of_it().map(|all| all.0),
            offline_max: is_offline.then_some(event.offline.pay_out_max.0),
            open: open.map(|cart| cart.total.0.saturating_abs()),
        }
    }

    pub(super) fn band(&self, screen: &Screen) -> BandPage {
        let swapping = screen.cart.as_ref().and_then(|cart| match &cart.kind {
            CartKind::Swap { old, lost } => Some(Swapping {
                old: last_four(*old),
                lost: *lost,
            }),
            _ => None,
        });
        BandPage {
            band: self.shown_band(screen),
            number: self.text.clone(),
            is_number: self.number_typed().is_some(),
            swapping,
            may_swap: self.may(Booked::Swap),
            may_block: self.may(Booked::Block),
        }
    }
}
