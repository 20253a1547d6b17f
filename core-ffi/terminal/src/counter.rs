//! What the cashier does at the counter: the cart's life, and the ways to arm what the next wristband will do.

use shared_protocol::catalogue::ArticleKind;
use shared_protocol::message::{CartAborted, CartOpened};
use shared_protocol::order::{CancelReason, OrderKind, TenderKind};
use shared_protocol::{Amount, ArticleId, CartId, OrderId};

use crate::Terminal;
use crate::book::Busy;
use crate::cart::{Cart, Purpose, Split, lines_before_pricing};
use crate::draft::{self, Payer, SPLIT_MAX, Shop};
use crate::input::Action;
use crate::output::{MetaKey, Write};
use crate::screen::{Notice, PurseRefusal, Refusal};
use crate::step::Step;
use crate::undo::{History, Past};

/// A cart is stored when it is opened, and then this long after it was changed: a run of taps is one write.
const CART_WRITE_MS: u64 = 200;

impl Terminal {
    pub(crate) fn act(&mut self, step: &mut Step<'_>, action: Action) {
        let done = match action {
            Action::Login { staff } => self.log_in(step, staff),
            Action::Logout => self.log_out(),
            Action::EndShift => self.end_shift(),
            Action::LeaveShiftOpen => self.leave_shift_open(step),
            Action::CopyTaken => {
                self.copy_taken(step);
                Ok(())
            }
            Action::Unregister => self.unregister(step),
            Action::Pin(pin) => self.pin_typed(step, pin),
            Action::SwapCashier => self.swap_cashier(step),
            Action::Dismiss => {
                if !matches!(self.busy, Busy::No) {
                    return;
                }
                self.notify(step, Notice::None);
                Ok(())
            }
            selling => self.ready_to_sell().and_then(|()| self.sell(step, selling)),
        };
        if let Err(refusal) = done {
            self.refuse(step, refusal);
        }
    }

    /// What is sold here.
    pub(crate) fn shop(&self) -> Result<Shop, Refusal> {
        let config = self.config.clone().ok_or(Refusal::NotPermitted)?;
        let till = self.till().ok_or(Refusal::NotPermitted)?;
        let home = config.home_taxpayer(till).ok_or(Refusal::NotPermitted)?;
        Ok(Shop { config, home })
    }

    fn ready_to_sell(&self) -> Result<(), Refusal> {
        if !matches!(self.busy, Busy::No) {
            return Err(Refusal::Busy);
        }
        if self.told.locked {
            return Err(Refusal::Locked);
        }
        if self.at_counter().is_none() {
            return Err(Refusal::LoggedOut);
        }
        if self.config.is_none() {
            Err(Refusal::NotPermitted)
        } else {
            Ok(())
        }
    }

    /// No cart is open and no payment under way.
    pub(crate) fn free_of_carts(&self) -> Result<(), Refusal> {
        if self.cart.is_some() || !matches!(self.busy, Busy::No) {
            Err(Refusal::CartOpen)
        } else {
            Ok(())
        }
    }

    fn sell(&mut self, step: &mut Step<'_>, action: Action) -> Result<(), Refusal> {
        if self.cart_is_settling() && !matches!(action, Action::Clear) {
            return Err(Refusal::Purse(PurseRefusal::HoldSame));
        }
        match action {
            Action::Add { article, count } => self.add(step, article, i32::from(count), None),
            Action::FreePrice { article, price } => self.add(step, article, 1, Some(price)),
            Action::Tip { amount } => self.tip(step, amount),
            Action::Return { article, count } => self.add(step, article, -i32::from(count), None),
            Action::Remove { article } => self.change(step, |cart| cart.remove(article)),
            Action::ClearLine { article } => self.change(step, |cart| cart.clear_line(article)),
            Action::Clear => {
                self.drop_cart(step);
                self.notify(step, Notice::None);
                Ok(())
            }
            Action::UseVouchers(on) => self.change(step, |cart| cart.use_vouchers = on),
            Action::Pay(kind) => self.pay_plain(step, kind),
            Action::Split { ways } => self.split(step, ways),
            Action::SameAgain => self.same_again(step),
            Action::UndoLast => self.undo_last(step),
            Action::CorrectLast => self.correct_last(step),
            Action::Cancel { order, reason } => self.cancel(step, order, reason),
            Action::TopUp { amount, method } => self.top_up(step, amount, method),
            Action::TopUpForeign { given, amount } => self.top_up_foreign(step, given, amount),
            Action::PayForeign(given) => self.pay_foreign(step, given),
            Action::HandIn(given) => self.hand_in(step, given),
            Action::PayOut { amount } => self.pay_out(step, amount),
            Action::Swap => self.swap_shown(step),
            Action::SwapLost { old } => self.swap_lost(step, old),
            Action::Block { tag } => self.block_lost(step, tag),
            Action::OpenDrawer { float } => self.open_drawer(step, float),
            Action::CountDrawer { counted } => self.count_drawer(step, counted),
            Action::MoveCash { amount } => self.move_cash(step, amount),
            Action::PayWithOwn => self.pay_with_own(step),
            Action::Park => self.park(step),
            Action::Unpark => self.unpark(step),
            Action::Login { .. }
            | Action::Logout
            | Action::EndShift
            | Action::LeaveShiftOpen
            | Action::CopyTaken
            | Action::Unregister
            | Action::Pin(_)
            | Action::SwapCashier
            | Action::Dismiss => Ok(()),
        }
    }

    /// Puts pieces into the cart, and opens one where there is none.
    fn add(
        &mut self,
        step: &mut Step<'_>,
        article: ArticleId,
        quantity: i32,
        free_price: Option<Amount>,
    ) -> Result<(), Refusal> {
        let shop = self.shop()?;
        let known = shop
            .config
            .articles
            .get(&article)
            .ok_or(Refusal::UnknownArticle(article))?;
        if quantity < 0 && known.kind != ArticleKind::Deposit {
            return Err(Refusal::NotReturnable(article));
        }
        let price_fits = match (known.price, free_price) {
            (Some(_), None) => true,
            (None, Some(typed)) => typed.is_positive(),
            _ => false,
        };
        if quantity == 0 || !price_fits {
            return Err(Refusal::Price(article));
        }
        if self.cart.as_ref().is_some_and(|cart| !cart.is_goods()) {
            return Err(Refusal::CartOpen);
        }
        if let (ArticleKind::Tip, Some(typed), true) = (known.kind, free_price, self.cart.is_some()) {
            return self.give_tip(step, article, typed);
        }
        let mut cart = match &self.cart {
            Some(cart) => cart.clone(),
            None => fresh_cart(step, Purpose::Sale),
        };
        cart.add(article, quantity, free_price)?;
        let max = shop.config.event.deposit_return_max;
        if cart.returned_pieces() > max {
            return Err(Refusal::TooManyReturns { max });
        }
        // A cart whose sum is out of range is refused with the item that takes it there, not at the payment.
        draft::totals(&shop, &cart.lines)?;
        if self.cart.is_none() {
            self.open(step, cart);
        } else {
            self.cart = Some(cart);
            self.cart_changed(step);
        }
        Ok(())
    }

    pub(crate) fn change(&mut self, step: &mut Step<'_>, change: impl FnOnce(&mut Cart)) -> Result<(), Refusal> {
        let cart = self
            .cart
            .as_mut()
            .filter(|cart| cart.is_goods())
            .ok_or(Refusal::CartEmpty)?;
        change(cart);
        if cart.lines.is_empty() && cart.purpose == Purpose::Sale {
            self.drop_cart(step);
            self.notify(step, Notice::None);
        } else {
            self.cart_changed(step);
        }
        Ok(())
    }

    /// Opens a cart: the screen is free for it, and a wristband that has just paid may pay again.
    fn open(&mut self, step: &mut Step<'_>, mut cart: Cart) {
        self.guard = None;
        if cart.purpose == Purpose::Sale && self.is_live() {
            let opened = CartOpened {
                cart: cart.id,
                opened_at_ms: cart.opened_wall_ms,
            };
            self.send(step, opened);
            cart.announced = true;
        }
        self.cart = Some(cart);
        self.cart_due_ms = Some(step.now.mono_ms);
        self.notify(step, Notice::None);
    }

    pub(crate) fn arm(&mut self, step: &mut Step<'_>, purpose: Purpose) {
        let cart = fresh_cart(step, purpose);
        self.open(step, cart);
    }

    fn cart_changed(&mut self, step: &mut Step<'_>) {
        self.cart_due_ms
            .get_or_insert(step.now.mono_ms.saturating_add(CART_WRITE_MS));
        self.notify(step, Notice::None);
    }

    /// Gives the cart up. It is no order: a cart that nobody paid is outside the journal, and the server is told only what a start needs.
    pub(crate) fn drop_cart(&mut self, step: &mut Step<'_>) {
        if let Some(cart) = self.cart.take() {
            if cart.announced && self.is_live() {
                self.send(step, CartAborted { cart: cart.id });
            }
            self.cart_due_ms = Some(step.now.mono_ms.saturating_add(CART_WRITE_MS));
        }
    }

    /// Stores the cart as it is.
    pub(crate) fn write_cart_if_due(&mut self, step: &mut Step<'_>) {
        if self.cart_due_ms.is_some_and(|due| step.now.mono_ms >= due) {
            self.cart_due_ms = None;
            let value = self.cart.as_ref().map(Cart::save);
            let write = Write::Meta {
                key: MetaKey::Cart,
                value,
            };
            self.store
                .persist(step, Vec::new(), vec![write], crate::store::Then::Nothing);
        }
    }

    fn pay_plain(&mut self, step: &mut Step<'_>, kind: TenderKind) -> Result<(), Refusal> {
        if !matches!(kind, TenderKind::Cash | TenderKind::Card) {
            return Err(Refusal::TenderNotHere(kind));
        }
        let shop = self.shop()?;
        let cart = self
            .cart
            .as_ref()
            .filter(|cart| cart.purpose == Purpose::Sale)
            .ok_or(Refusal::CartEmpty)?;
        let draft = draft::sale(
            &shop,
            &cart.lines,
            &Payer::Plain(kind),
            &std::collections::BTreeMap::new(),
        )?;
        self.permitted(&draft)?;
        self.book(step, draft, None, false);
        Ok(())
    }

    fn split(&mut self, step: &mut Step<'_>, ways: u8) -> Result<(), Refusal> {
        let cart = self
            .cart
            .as_mut()
            .filter(|cart| cart.purpose == Purpose::Sale)
            .ok_or(Refusal::CartEmpty)?;
        cart.split = match usize::from(ways) {
            0 | 1 => None,
            2..=SPLIT_MAX => Some(Split::Equal { ways, tags: Vec::new() }),
            _ => return Err(Refusal::CartFull),
        };
        self.notify(step, Notice::None);
        Ok(())
    }

    fn same_again(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        self.free_of_carts()?;
        let shop = self.shop()?;
        let mut lines = goods_of(&shop.config, &self.history.last_goods());
        // A tip is given once. Nobody has said yet that they give one again.
        let is_tip = |id| {
            shop.config
                .articles
                .get(&id)
                .is_some_and(|article| article.kind == ArticleKind::Tip)
        };
        lines.retain(|line| !is_tip(line.article));
        if lines.is_empty() {
            return Err(Refusal::NoSuchOrder);
        }
        draft::totals(&shop, &lines)?;
        let mut cart = fresh_cart(step, Purpose::Sale);
        cart.lines = lines;
        self.open(step, cart);
        Ok(())
    }

    fn undo_last(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        self.free_of_carts()?;
        let orders = self.cancellable(&self.history.last_cart(), step)?;
        self.arm(
            step,
            Purpose::Cancel {
                orders,
                reason: CancelReason::Undo,
            },
        );
        Ok(())
    }

    fn correct_last(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        self.free_of_carts()?;
        let config = self.config.clone().ok_or(Refusal::NotPermitted)?;
        let last = self.history.last_goods();
        let orders = self.cancellable(&last, step)?;
        let one_wristband = last.iter().all(|past| {
            past.tenders
                .iter()
                .all(|tender| tender.tag.is_none() || tender.tag == past.holder)
        });
        if !one_wristband {
            return Err(Refusal::NotCancellable);
        }
        let mut cart = fresh_cart(step, Purpose::Correct { orders });
        cart.lines = goods_of(&config, &last);
        self.open(step, cart);
        Ok(())
    }

    fn cancel(&mut self, step: &mut Step<'_>, order: OrderId, reason: CancelReason) -> Result<(), Refusal> {
        self.free_of_carts()?;
        let past = self.history.find(order).ok_or(Refusal::NoSuchOrder)?;
        let orders = self.cancellable(&[past], step)?;
        self.arm(step, Purpose::Cancel { orders, reason });
        Ok(())
    }

    /// The orders, when all of them can be taken back. A cart that became several is taken back whole, less what was before.
    fn cancellable(&self, olds: &[&Past], step: &Step<'_>) -> Result<Vec<OrderId>, Refusal> {
        let config = self.config.as_ref().ok_or(Refusal::NotPermitted)?;
        if olds.is_empty() {
            return Err(Refusal::NoSuchOrder);
        }
        // What the last cart itself took back stays taken back.
        let standing: Vec<&&Past> = olds
            .iter()
            .filter(|past| past.kind != OrderKind::Cancel || olds.len() == 1)
            .collect();
        standing
            .iter()
            .map(|past| History::cancellable(past, config.event.cancel_window_ms, step.now).map(|()| past.order))
            .collect()
    }
}

fn fresh_cart(step: &mut Step<'_>, purpose: Purpose) -> Cart {
    Cart::new(CartId(step.id()), purpose, step.now.wall_ms, step.now.mono_ms)
}

/// The goods of orders, as a cart that has them typed in.
fn goods_of(config: &shared_protocol::config::Config, olds: &[&Past]) -> Vec<shared_protocol::pricing::CartLine> {
    let lines: Vec<_> = olds.iter().flat_map(|past| past.lines.iter().copied()).collect();
    lines_before_pricing(config, &lines)
}
