//! What a touch means.

use shared_protocol::catalogue::ArticleKind;
use shared_protocol::currency::Foreign;
use shared_protocol::order::{CancelReason, TenderKind};
use shared_protocol::pricing::CartLine;
use shared_protocol::{Amount, ArticleId, AssetId, StaffId, TagId};
use terminal::screen::{self, CartKind, Page, Registering};
use terminal::{Action, Invitation, cash};

use crate::ids::{article, order};
use crate::place::At;
use crate::touch::{Place, Reason, Touch};
use crate::view::{EvacuationPage, Method};
use crate::{Effect, Phone, money};

/// What somebody types by hand is no longer than this.
const TEXT_MAX: usize = 1_024;

fn act(action: Action) -> Vec<Effect> {
    vec![Effect::Act(action)]
}

impl Phone {
    #[expect(clippy::too_many_lines, reason = "one table, complete by the compiler")]
    pub(crate) fn touched(&mut self, touch: Touch) -> Vec<Effect> {
        match touch {
            Touch::Tile { .. }
            | Touch::Pieces { .. }
            | Touch::Minus { .. }
            | Touch::MinusLast
            | Touch::ClearLine { .. }
            | Touch::Tip { .. }
            | Touch::TypeTip
            | Touch::Clear
            | Touch::Restore
            | Touch::Vouchers { .. }
            | Touch::PayWithOwn
            | Touch::Park
            | Touch::Unpark
            | Touch::PayCash
            | Touch::PayForeign { .. }
            | Touch::PayCard
            | Touch::SplitInto { .. }
            | Touch::SameAgain
            | Touch::Undo
            | Touch::Correct
            | Touch::Cancel { .. } => self.at_the_counter(&touch),
            Touch::Preset { .. }
            | Touch::TopUp { .. }
            | Touch::TopUpForeign { .. }
            | Touch::HandIn { .. }
            | Touch::Given { .. }
            | Touch::PayOut
            | Touch::PayOutAll
            | Touch::Swap
            | Touch::SwapLost
            | Touch::BlockLost
            | Touch::Count { .. }
            | Touch::OpenDrawer
            | Touch::CloseDrawer => self.with_money(&touch),
            Touch::Digit { digit } => {
                if self.wants_pin() {
                    self.pin.digit(digit);
                } else {
                    self.typed.digit(digit);
                }
                Vec::new()
            }
            Touch::Erase => {
                if self.wants_pin() {
                    self.pin.erase();
                } else {
                    self.typed.erase();
                }
                Vec::new()
            }
            Touch::Enter => self.entered(),
            Touch::Text { text } => {
                self.text = text.chars().take(TEXT_MAX).collect();
                Vec::new()
            }
            Touch::OpenOrder { order: id } => {
                if let Some(id) = order(&id) {
                    self.open(At::Order(id));
                }
                Vec::new()
            }
            Touch::Receipt { order: id } => {
                if let Some(id) = order(&id) {
                    self.open(At::Receipt(id));
                }
                act(Action::Dismiss)
            }
            Touch::Open { place } => self.opened(place),
            Touch::Back => self.gone_back(),
            Touch::Dismiss => act(Action::Dismiss),
            Touch::TurnToGuest => {
                if let At::Cart { for_guest } = self.here() {
                    self.way.turn(At::Cart { for_guest: !for_guest });
                }
                Vec::new()
            }
            Touch::LogIn { .. } | Touch::SwapCashier | Touch::BeginShift | Touch::EndShift | Touch::LeaveShiftOpen => {
                self.of_the_shift(&touch)
            }
            Touch::Turn { forward } => vec![Effect::Turn { forward }],
            Touch::Give => vec![Effect::Give],
            Touch::CopyTaken => {
                self.evacuation = None;
                self.way.back();
                act(Action::CopyTaken)
            }
            Touch::Take => vec![Effect::Take],
            Touch::Scanned { text } => self.scanned(&text),
            Touch::Speak { language } => {
                self.language = Some(language);
                Vec::new()
            }
            Touch::Look { theme } => {
                self.theme = theme;
                Vec::new()
            }
            Touch::TestSound => vec![Effect::TestSound],
            Touch::TryNow => vec![Effect::TryNow],
            Touch::BeginTraining => vec![Effect::Train(true)],
            Touch::EndTraining => vec![Effect::Train(false)],
            Touch::Exercise { kind } => vec![Effect::Exercise(kind)],
            Touch::HoldSimulated => vec![Effect::HoldSimulated],
            Touch::Reset => act(Action::Unregister),
            Touch::LeaveKiosk => vec![Effect::LeaveKiosk],
        }
    }

    fn open(&mut self, at: At) {
        let root = self.root();
        self.way.open(at, root);
    }

    fn opened(&mut self, place: Place) -> Vec<Effect> {
        let at = At::from(place);
        let is_in = self.screen.as_ref().is_some_and(|screen| screen.cashier.is_some());
        if !is_in && !at.without_cashier() {
            return Vec::new();
        }
        self.typed = money::Typed::default();
        self.text.clear();
        if place == Place::Evacuation {
            self.evacuation = None;
        }
        self.open(at);
        // A result that is on the screen is left by going on.
        match self.screen.as_ref().map(|screen| &screen.notice) {
            Some(screen::Notice::Done(_) | screen::Notice::AlreadyPaid { .. } | screen::Notice::LastCart { .. }) => {
                act(Action::Dismiss)
            }
            _ => Vec::new(),
        }
    }

    fn gone_back(&mut self) -> Vec<Effect> {
        let open = self.screen.as_ref().and_then(|screen| screen.cart.as_ref());
        let settling = open.is_some_and(|cart| cart.settling);
        // Money, swaps and what is taken back are given up by going back; goods stay where they are, and a payment that may have happened does too.
        let gives_up = open.is_some_and(|cart| !matches!(cart.kind, CartKind::Sale | CartKind::Correct { .. }))
            && !settling
            && matches!(self.here(), At::TopUp | At::PayOut | At::Band | At::Sale);
        self.typed = money::Typed::default();
        self.text.clear();
        if !(settling && matches!(self.here(), At::TopUp | At::PayOut | At::Band)) {
            self.way.back();
        }
        if gives_up { act(Action::Clear) } else { Vec::new() }
    }

    fn at_the_counter(&mut self, touch: &Touch) -> Vec<Effect> {
        match touch {
            Touch::Tile { article } => self.tile(*article, 1),
            Touch::Pieces { article, count } => u16::try_from(*count).map_or_else(
                |_| Vec::new(),
                |count| {
                    if count > 0 {
                        self.tile(*article, count)
                    } else {
                        Vec::new()
                    }
                },
            ),
            Touch::Minus { article: id } => {
                article(*id).map_or_else(Vec::new, |article| act(Action::Remove { article }))
            }
            Touch::MinusLast => self
                .last_touched
                .map_or_else(Vec::new, |article| act(Action::Remove { article })),
            Touch::ClearLine { article: id } => {
                article(*id).map_or_else(Vec::new, |article| act(Action::ClearLine { article }))
            }
            Touch::Tip { amount } => act(Action::Tip {
                amount: Amount(*amount),
            }),
            Touch::TypeTip => {
                let cart = self.screen.as_ref().and_then(|screen| screen.cart.as_ref());
                if let Some(article) = cart.and_then(|cart| cart.tip.as_ref()).map(|tip| tip.article) {
                    self.typed = money::Typed::default();
                    self.open(At::FreePrice(article));
                }
                Vec::new()
            }
            Touch::Clear => {
                let cart = self.screen.as_ref().and_then(|screen| screen.cart.as_ref());
                let goods = cart.filter(|cart| matches!(cart.kind, CartKind::Sale) && !cart.settling);
                self.given_up = goods.map(|cart| cart.lines.clone()).unwrap_or_default();
                act(Action::Clear)
            }
            Touch::Restore => std::mem::take(&mut self.given_up)
                .iter()
                .flat_map(again)
                .map(Effect::Act)
                .collect(),
            Touch::Vouchers { on } => act(Action::UseVouchers(*on)),
            Touch::PayWithOwn => act(Action::PayWithOwn),
            Touch::Park => act(Action::Park),
            Touch::Unpark => act(Action::Unpark),
            Touch::PayCash => act(Action::Pay(TenderKind::Cash)),
            Touch::PayCard => act(Action::Pay(TenderKind::Card)),
            Touch::PayForeign { asset, amount } => {
                self.typed = money::Typed::default();
                foreign(*asset, *amount).map_or_else(Vec::new, |given| act(Action::PayForeign(given)))
            }
            Touch::SplitInto { parts } => {
                u8::try_from(*parts).map_or_else(|_| Vec::new(), |ways| act(Action::Split { ways }))
            }
            Touch::SameAgain => act(Action::SameAgain),
            Touch::Undo => act(Action::UndoLast),
            Touch::Correct => act(Action::CorrectLast),
            Touch::Cancel { order: id, reason } => order(id).map_or_else(Vec::new, |order| {
                let reason = match reason {
                    Reason::Mistyped => CancelReason::Mistyped,
                    Reason::GuestChanged => CancelReason::GuestChanged,
                    Reason::OutOfStock => CancelReason::OutOfStock,
                };
                act(Action::Cancel { order, reason })
            }),
            _ => Vec::new(),
        }
    }

    /// A tile is one piece more, a cup that comes back, a price that has to be typed, or a tip that the guest is asked for: whichever the article is.
    fn tile(&mut self, id: i64, count: u16) -> Vec<Effect> {
        let Some((found, article)) = article(id).and_then(|article| {
            let (config, _) = self.till()?;
            Some((config.articles.get(&article)?.clone(), article))
        }) else {
            return Vec::new();
        };
        self.last_touched = Some(article);
        let cart = self.screen.as_ref().and_then(|screen| screen.cart.as_ref());
        let asks_guest = found.kind == ArticleKind::Tip && cart.is_some_and(|cart| cart.tip.is_some());
        if asks_guest && !matches!(self.here(), At::Cart { .. }) {
            self.open(At::Cart { for_guest: true });
            return Vec::new();
        }
        if found.price.is_none() {
            self.typed = money::Typed::default();
            self.open(At::FreePrice(article));
            return Vec::new();
        }
        act(if found.kind == ArticleKind::Deposit {
            Action::Return { article, count }
        } else {
            Action::Add { article, count }
        })
    }

    fn wants_pin(&self) -> bool {
        let notice = self.screen.as_ref().map(|screen| &screen.notice);
        matches!(notice, Some(screen::Notice::PinWanted { .. }))
    }

    fn entered(&mut self) -> Vec<Effect> {
        if self.wants_pin() {
            return self.pin.take().map_or_else(Vec::new, |pin| act(Action::Pin(pin)));
        }
        let At::FreePrice(article) = self.here() else {
            return Vec::new();
        };
        if self.typed.0 == 0 {
            return Vec::new();
        }
        let price = Amount(std::mem::take(&mut self.typed).0);
        self.way.back();
        act(Action::FreePrice { article, price })
    }

    fn with_money(&mut self, touch: &Touch) -> Vec<Effect> {
        match touch {
            Touch::Preset { amount } => {
                self.typed = money::Typed((*amount).max(0));
                Vec::new()
            }
            Touch::TopUp { method } => {
                let method = match method {
                    Method::Cash => TenderKind::Cash,
                    Method::Card => TenderKind::Card,
                };
                let amount = Amount(self.typed.0);
                self.given = None;
                self.instead(Action::TopUp { amount, method })
            }
            Touch::TopUpForeign { asset, amount } => {
                self.typed = money::Typed::default();
                self.given = None;
                let given = foreign(*asset, *amount);
                given.map_or_else(Vec::new, |given| {
                    self.open(At::TopUp);
                    self.instead(Action::TopUpForeign { given, amount: None })
                })
            }
            Touch::HandIn { asset, amount } => {
                foreign(*asset, *amount).map_or_else(Vec::new, |given| act(Action::HandIn(given)))
            }
            Touch::Given { amount } => {
                self.given = Some(Amount(*amount));
                Vec::new()
            }
            Touch::PayOut => {
                let amount = Amount(self.typed.0);
                self.instead(Action::PayOut { amount })
            }
            Touch::PayOutAll => match self.all_of_it() {
                Some(amount) => self.instead(Action::PayOut { amount }),
                None => Vec::new(),
            },
            Touch::Swap => act(Action::Swap),
            Touch::SwapLost => self
                .number_typed()
                .map_or_else(Vec::new, |old| act(Action::SwapLost { old })),
            Touch::BlockLost => self
                .number_typed()
                .map_or_else(Vec::new, |tag| act(Action::Block { tag })),
            Touch::Count { worth, count } => {
                if cash::PIECES.contains(&Amount(*worth)) && *count >= 0 {
                    self.counted.insert(*worth, *count);
                }
                Vec::new()
            }
            Touch::OpenDrawer => act(Action::OpenDrawer { float: self.counted() }),
            Touch::CloseDrawer => act(Action::CountDrawer {
                counted: self.counted(),
            }),
            _ => Vec::new(),
        }
    }

    /// Whoever chooses another amount means it instead of the one that is open.
    fn instead(&self, action: Action) -> Vec<Effect> {
        let cart = self.screen.as_ref().and_then(|screen| screen.cart.as_ref());
        let is_open =
            cart.is_some_and(|cart| matches!(cart.kind, CartKind::TopUp { .. } | CartKind::PayOut) && !cart.settling);
        let clear = is_open.then_some(Effect::Act(Action::Clear));
        clear.into_iter().chain([Effect::Act(action)]).collect()
    }

    pub(crate) fn number_typed(&self) -> Option<TagId> {
        TagId::typed(&self.text)
    }

    /// What was counted into the drawer. Counts are small and notes at most 200 €, so a sum that is too large was never typed.
    pub(crate) fn counted(&self) -> Amount {
        let sum = self
            .counted
            .iter()
            .map(|(worth, count)| worth.saturating_mul(i64::from(*count)));
        Amount(sum.fold(0, i64::saturating_add))
    }

    fn of_the_shift(&mut self, touch: &Touch) -> Vec<Effect> {
        match touch {
            Touch::LogIn { staff } => {
                u32::try_from(*staff).map_or_else(|_| Vec::new(), |staff| act(Action::Login { staff: StaffId(staff) }))
            }
            Touch::SwapCashier => act(Action::SwapCashier),
            Touch::BeginShift => {
                self.check_due = false;
                Vec::new()
            }
            Touch::EndShift => act(Action::EndShift),
            Touch::LeaveShiftOpen => act(Action::LeaveShiftOpen),
            _ => Vec::new(),
        }
    }

    fn scanned(&mut self, text: &str) -> Vec<Effect> {
        let registers = self.screen.as_ref().is_some_and(|screen| {
            matches!(
                screen.page,
                Page::Unregistered(Registering::Waiting | Registering::Refused(_))
            )
        });
        if registers {
            let found = shared_protocol::invitation::Invitation::parse(text).ok();
            self.not_a_code = found.is_none();
            return found.map_or_else(Vec::new, |code| {
                self.server = Some(code.server.clone());
                vec![Effect::Register {
                    server: code.server.clone(),
                    authority: code.authority,
                    invitation: Box::new(Invitation::of(&code, &self.build.device)),
                }]
            });
        }
        if matches!(self.evacuation, Some(EvacuationPage::Taking { .. })) {
            return vec![Effect::Taken(text.chars().take(TEXT_MAX * 4).collect())];
        }
        Vec::new()
    }
}

/// Cash of another currency, as the view names it.
fn foreign(asset: i32, amount: i64) -> Option<Foreign> {
    Some(Foreign {
        asset: AssetId(u16::try_from(asset).ok()?),
        amount: Amount(amount),
    })
}

/// What puts a line into a cart again.
fn again(line: &CartLine) -> Vec<Action> {
    let article: ArticleId = line.article;
    let pieces = u16::try_from(line.quantity.unsigned_abs()).unwrap_or(u16::MAX);
    match line.free_price {
        Some(price) => vec![Action::FreePrice { article, price }; usize::from(pieces)],
        None if line.quantity < 0 => vec![Action::Return { article, count: pieces }],
        None => vec![Action::Add { article, count: pieces }],
    }
}
