//! The view from the state: frame, page and notice.

mod crew;
mod device;
mod frame;
mod money;
mod orders;

use shared_protocol::catalogue::{self, Staff};
use shared_protocol::order::OrderKind as Booked;
use terminal::screen::{self, PastOrder, Screen};

use crate::Phone;
use crate::counter::{Counter, split};
use crate::notice::Notice;
use crate::place::At;
use crate::said::Saying;
use crate::view::{Language, OrderPage, PadPage, Page, SalePage, View, Waiting};
use orders::{found, past, row};

impl Phone {
    /// All that is to be seen at a moment of the wall clock, which is shown to the minute.
    pub fn view(&self, now_ms: i64) -> View {
        let page = self.page(now_ms);
        let notice = self.notice(&page);
        View {
            serial: self.serial,
            frame: self.frame(now_ms),
            page,
            notice,
        }
    }

    /// The view, when it is another one than was given before.
    pub fn changed_view(&mut self, now_ms: i64) -> Option<View> {
        let mut view = self.view(now_ms);
        if self.given_out.as_ref() == Some(&view) {
            return None;
        }
        self.serial += 1;
        view.serial = self.serial;
        self.given_out = Some(view.clone());
        Some(view)
    }

    /// The language that is spoken now.
    pub fn language(&self) -> Language {
        self.language
            .or_else(|| match self.cashier()?.language? {
                catalogue::Language::German => Some(Language::German),
                catalogue::Language::English => Some(Language::English),
                catalogue::Language::Other(_) => None,
            })
            .unwrap_or(self.device.language)
    }

    /// Who is logged in.
    fn cashier(&self) -> Option<&Staff> {
        let staff = self.screen.as_ref()?.cashier?;
        self.config.as_ref()?.staff.get(&staff)
    }

    fn saying<'a>(&'a self, screen: &'a Screen) -> Saying<'a> {
        Saying {
            config: self.config.as_deref(),
            language: self.language(),
            screen,
            given: self.given,
        }
    }

    fn notice(&self, page: &Page) -> Notice {
        let Some(screen) = self.screen.as_deref() else {
            return Notice::None;
        };
        // These pages show the wristband themselves.
        let shows_band = matches!(page, Page::TopUp(_) | Page::PayOut(_) | Page::Band(_));
        if shows_band && matches!(screen.notice, screen::Notice::Balance { .. }) {
            return Notice::None;
        }
        self.saying(screen).notice(&screen.notice)
    }

    fn page(&self, now_ms: i64) -> Page {
        if self.ended {
            return Page::Ended;
        }
        let Some(screen) = self.screen.as_deref() else {
            return Page::Starting;
        };
        let here = self.here();
        match &screen.page {
            screen::Page::Unregistered(registering) => return Page::Register(self.register(registering)),
            _ if here == At::Sync => return Page::Sync(self.sync(screen, now_ms)),
            _ if here == At::Evacuation => return Page::Evacuation(self.evacuation(screen)),
            _ if here == At::Device => return Page::Device(self.device_page(screen)),
            _ if here == At::Guide => return Page::Guide,
            _ if here == At::Training => return Page::Training(self.training_page()),
            screen::Page::NoConfig => {
                return Page::Waiting {
                    reason: Waiting::Config,
                };
            }
            screen::Page::NoTill => {
                return Page::Waiting { reason: Waiting::Till };
            }
            screen::Page::Locked => {
                return Page::Waiting {
                    reason: Waiting::Locked,
                };
            }
            screen::Page::LoggedOut => return Page::Login(self.login(screen)),
            // A colleague takes over.
            _ if matches!(screen.notice, screen::Notice::PinWanted { .. }) => return Page::Login(self.login(screen)),
            screen::Page::Sale => {}
        }
        let Some((config, till)) = self.till() else {
            return Page::Waiting { reason: Waiting::Till };
        };
        if self.check_due {
            return Page::ShiftCheck(self.shift_check(screen));
        }
        let counter = Counter {
            config,
            till,
            screen,
            language: self.language(),
        };
        let sale = || Page::Sale(sale_page(counter));
        match here {
            At::Home => Page::Home {
                tiles: self.home_tiles(),
            },
            At::FreePrice(article) => config.articles.get(&article).map_or_else(sale, |article| {
                Page::FreePrice(PadPage {
                    name: counter.language.of(&article.name).to_owned(),
                    typed: self.typed.0,
                    ready: self.typed.0 > 0,
                })
            }),
            At::Cart { for_guest } => screen
                .cart
                .as_ref()
                .map_or_else(sale, |cart| Page::Cart(counter.page(cart, for_guest))),
            At::Split => screen.cart.as_ref().map_or_else(sale, |cart| Page::Split(split(cart))),
            At::History => Page::History(self.history(screen)),
            At::Order(order) => found(screen, order).map_or_else(sale, |order| {
                Page::Order(OrderPage {
                    receipt: self.receipts(screen).is_some(),
                    order,
                })
            }),
            At::Receipt(order) => {
                past(screen, order).map_or_else(sale, |past| Page::Receipt(self.receipt(screen, past)))
            }
            At::TopUp => Page::TopUp(self.top_up(screen, config, &till.tenders)),
            At::Foreign => Page::Foreign(self.foreign(screen, config, false)),
            At::HandIn => Page::Foreign(self.foreign(screen, config, true)),
            At::PayOut => Page::PayOut(self.pay_out(screen, &config.event)),
            At::Band => Page::Band(self.band(screen)),
            At::ShiftEnd => Page::ShiftEnd(self.shift_end(screen, config, &till.tenders)),
            At::Sale | At::Sync | At::Evacuation | At::Device | At::Training | At::Guide => sale(),
        }
    }

    /// What may be booked here by who is logged in.
    fn may(&self, kind: Booked) -> bool {
        let Some((staff, (_, till))) = self.cashier().zip(self.till()) else {
            return false;
        };
        staff.may_book(kind) && till.order_kinds.contains(&kind)
    }
}

fn sale_page(counter: Counter<'_>) -> SalePage {
    let is_goods = |past: &&PastOrder| matches!(past.kind, Booked::Sale | Booked::Correction);
    let goods = counter.screen.history.iter().find(is_goods);
    let last = counter.screen.history.first().filter(|past| past.cancellable);
    counter.sale(goods.map(|past| past.total.0), last.map(row))
}
