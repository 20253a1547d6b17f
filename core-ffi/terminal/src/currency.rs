//! Cash in other currencies: it pays a sale, goes onto a wristband, and is handed in. It is cash, so nobody has to permit it and a till takes it without
//! the server; change is given in the event's currency.

use shared_protocol::currency::{Currency, Foreign};
use shared_protocol::drawer::DrawerMove;
use shared_protocol::order::{OrderKind, Tender, TenderKind};
use shared_protocol::{Amount, Overflow};

use crate::Terminal;
use crate::cart::{Cart, Purpose};
use crate::draft::{self, Draft, DraftOrder, Payer, Shop};
use crate::screen::{DoneKind, Refusal};
use crate::step::Step;

/// What foreign money counts as here, where that is anything at all.
fn worth(shop: &Shop, given: Foreign) -> Result<Amount, Refusal> {
    let currency = shop.config.currency(given.asset);
    let currency = currency.ok_or(Refusal::CurrencyNotHere(given.asset))?;
    let worth = currency.worth(given.amount)?;
    if worth.is_positive() {
        Ok(worth)
    } else {
        Err(Refusal::ForeignAmount {
            asset: given.asset,
            needed: currency.needed(Amount(1))?,
        })
    }
}

/// The notes as a payment of an order that has `due` to be paid, and what of them goes back.
fn given_for(shop: &Shop, given: Foreign, due: Amount) -> Result<Vec<Tender>, Refusal> {
    let worth = worth(shop, given)?;
    let change = due.minus(worth)?;
    let notes = Tender {
        foreign: Some(given),
        ..Tender::plain(TenderKind::Cash, worth)
    };
    let change = Some(Tender::plain(TenderKind::Cash, change)).filter(|change| !change.amount.is_zero());
    Ok(std::iter::once(notes).chain(change).collect())
}

/// That so much is needed, where less was given than is to be paid.
fn enough(shop: &Shop, given: Foreign, due: Amount) -> Result<(), Refusal> {
    if worth(shop, given)? >= due {
        return Ok(());
    }
    let needed = shop.config.currency(given.asset).map(|currency| currency.needed(due));
    Err(Refusal::ForeignAmount {
        asset: given.asset,
        needed: needed.ok_or(Refusal::CurrencyNotHere(given.asset))??,
    })
}

/// Pays a draft in cash with foreign money. Notes are in one order, the first with something to pay; others are paid of its change.
fn pay(shop: &Shop, draft: &mut Draft, given: Foreign) -> Result<(), Refusal> {
    enough(shop, given, draft.net)?;
    let paid = |order: &DraftOrder| Amount::sum(order.tenders.iter().map(|tender| tender.amount));
    for order in &mut draft.orders {
        let due = paid(order)?;
        if order.kind == OrderKind::Sale && due.is_positive() {
            order.tenders = given_for(shop, given, due)?;
            return Ok(());
        }
    }
    Err(Refusal::CurrencyNotHere(given.asset))
}

/// Money in for a wristband, with the notes that were given for it.
pub(crate) fn top_up(shop: &Shop, mut draft: Draft, amount: Amount, given: Foreign) -> Result<Draft, Refusal> {
    enough(shop, given, amount)?;
    for order in &mut draft.orders {
        order.tenders = given_for(shop, given, amount)?;
    }
    Ok(draft)
}

/// What of foreign money these orders gave back in the event's currency.
pub(crate) fn change<'a>(orders: impl IntoIterator<Item = &'a [Tender]>) -> Result<Amount, Overflow> {
    let mut sum = Amount::ZERO;
    let mut foreign = false;
    for tender in orders
        .into_iter()
        .flatten()
        .filter(|tender| tender.kind == TenderKind::Cash)
    {
        if tender.foreign.is_some() {
            foreign |= tender.amount.is_positive();
        } else {
            sum = sum.minus(tender.amount)?;
        }
    }
    Ok(if foreign { sum.max(Amount::ZERO) } else { Amount::ZERO })
}

impl Terminal {
    /// The cart was paid with foreign cash.
    pub(crate) fn pay_foreign(&mut self, step: &mut Step<'_>, given: Foreign) -> Result<(), Refusal> {
        let shop = self.shop()?;
        let cart = self.cart.as_ref().filter(|cart| cart.purpose == Purpose::Sale);
        let lines = &cart.ok_or(Refusal::CartEmpty)?.lines;
        let payer = Payer::Plain(TenderKind::Cash);
        let mut draft = draft::sale(&shop, lines, &payer, &std::collections::BTreeMap::new())?;
        pay(&shop, &mut draft, given)?;
        self.permitted(&draft)?;
        self.book(step, draft, None, false);
        Ok(())
    }

    /// Arms a top-up with foreign cash: of so much, or of all that it counts as.
    pub(crate) fn top_up_foreign(
        &mut self,
        step: &mut Step<'_>,
        given: Foreign,
        amount: Option<Amount>,
    ) -> Result<(), Refusal> {
        let shop = self.shop()?;
        let amount = amount.map_or_else(|| worth(&shop, given), Ok)?;
        enough(&shop, given, amount)?;
        self.begin_top_up(step, amount, TenderKind::Cash, Some(given))
    }

    /// Money goes onto a purse in steps of `unit` cents, and foreign notes seldom count as whole ones: what is over goes back as change.
    pub(crate) fn fit_given_to_steps(&mut self, step: &Step<'_>, unit: u16) {
        let Some(Cart {
            purpose:
                Purpose::TopUp {
                    amount,
                    foreign: Some(_),
                    ..
                },
            ..
        }) = &mut self.cart
        else {
            return;
        };
        let over = amount.0.checked_rem(i64::from(unit)).unwrap_or_default();
        let fits = Amount(amount.0.saturating_sub(over));
        if over > 0 && fits.is_positive() {
            *amount = fits;
            self.cart_due_ms.get_or_insert(step.now.mono_ms);
        }
    }

    /// Foreign money is taken to the safe. No count has to do with it, so the drawer need not be open.
    pub(crate) fn hand_in(&mut self, step: &mut Step<'_>, given: Foreign) -> Result<(), Refusal> {
        self.free_of_carts()?;
        let shop = self.shop()?;
        let worth = worth(&shop, given)?;
        let said = DrawerMove::HandIn { foreign: given, worth };
        let draft = draft::drawer(&shop, said)?;
        self.permitted(&draft)?;
        self.book_without_cart(step, draft, None, DoneKind::HandedIn(given));
        Ok(())
    }

    /// What would pay the open cart in each currency, where cash does.
    pub(crate) fn needed(&self, cart: &Cart, total: Amount) -> Vec<Foreign> {
        let Some(config) = self.config.as_deref() else {
            return Vec::new();
        };
        let till = self.till().and_then(|till| config.tills.get(&till));
        let takes_cash = till.is_some_and(|till| till.tenders.contains(&TenderKind::Cash));
        if cart.purpose != Purpose::Sale || !takes_cash || !total.is_positive() {
            return Vec::new();
        }
        let needed = |currency: Currency<'_>| {
            let amount = currency.needed(total).ok()?;
            Some(Foreign {
                asset: currency.asset,
                amount,
            })
        };
        config.currencies().filter_map(needed).collect()
    }

    /// The notes that were given for the open top-up, and what of them goes back.
    pub(crate) fn given(&self, cart: &Cart) -> Option<(Foreign, Amount)> {
        let Purpose::TopUp {
            amount,
            foreign: Some(given),
            ..
        } = cart.purpose
        else {
            return None;
        };
        let worth = worth(&self.shop().ok()?, given).ok()?;
        Some((given, worth.minus(amount).ok()?))
    }
}
