//! Tips: what a till offers a guest on top of the cart. Nothing is chosen beforehand, the guest says how much, and only ever for this cart.

use shared_protocol::catalogue::{Article, ArticleKind};
use shared_protocol::config::Config;
use shared_protocol::{Amount, ArticleId, TillId};

use crate::Terminal;
use crate::cart::Cart;
use crate::draft;
use crate::screen::{Refusal, TipView};
use crate::step::Step;

/// A whole unit of the currency, in cents: what a sum is rounded up to, and the steps that are offered.
const WHOLE: i64 = 100;

/// The tip that a till offers: the first on its layout.
fn article(config: &Config, till: TillId) -> Option<&Article> {
    let layout = config.layouts.get(&config.tills.get(&till)?.layout)?;
    let mut known = layout.tiles.iter().filter_map(|id| config.articles.get(id));
    known.find(|article| article.kind == ArticleKind::Tip)
}

/// Amounts to touch for a cart that costs so much without a tip: up to the next whole euro, where there is one, then one and two euros. Whoever
/// gets a deposit back may leave it there.
fn offers(total: Amount) -> Vec<Amount> {
    if !total.is_positive() {
        let left = total.negated().ok().filter(|left| left.is_positive());
        return left.into_iter().collect();
    }
    let up = (WHOLE - total.0 % WHOLE) % WHOLE;
    let offers = [up, WHOLE, 2 * WHOLE];
    offers.into_iter().filter(|cents| *cents > 0).map(Amount).collect()
}

/// What the screen says of it, for a cart that comes to `total` with its tip; none where this till offers none.
pub(crate) fn view(config: &Config, till: TillId, cart: &Cart, total: Amount) -> Option<TipView> {
    let article = article(config, till)?;
    let given = cart.lines.iter().filter(|line| line.article == article.id);
    let given = Amount::sum(given.filter_map(|line| line.free_price)).ok()?;
    let goods = total.minus(given).ok()?;
    Some(TipView {
        article: article.id,
        given,
        offers: offers(goods),
    })
}

impl Terminal {
    /// The tip of the open cart becomes this much; zero is none.
    pub(crate) fn tip(&mut self, step: &mut Step<'_>, amount: Amount) -> Result<(), Refusal> {
        let shop = self.shop()?;
        let till = self.till().ok_or(Refusal::NotPermitted)?;
        let offered = article(&shop.config, till).ok_or(Refusal::NotPermitted)?.id;
        self.give_tip(step, offered, amount)
    }

    /// A tip replaces what was given before: whoever says another amount means it instead.
    pub(crate) fn give_tip(&mut self, step: &mut Step<'_>, article: ArticleId, amount: Amount) -> Result<(), Refusal> {
        if amount.is_negative() {
            return Err(Refusal::Price(article));
        }
        if self.cart.as_ref().is_none_or(|cart| !cart.is_goods()) {
            return Err(Refusal::CartEmpty);
        }
        let shop = self.shop()?;
        let mut cart = self.cart.clone().ok_or(Refusal::CartEmpty)?;
        cart.clear_line(article);
        if amount.is_positive() {
            cart.add(article, 1, Some(amount))?;
        }
        draft::totals(&shop, &cart.lines)?;
        self.change(step, |open| *open = cart)
    }
}
