//! The pages of the counter: selling, the cart, the split.

use shared_protocol::catalogue::Till;
use shared_protocol::config::Config;
use shared_protocol::order::TenderKind;
use shared_protocol::pricing::CartLine;
use shared_protocol::{Amount, ArticleId};
use terminal::screen::{CartKind, CartView, Screen, TipView};

use crate::ids::{count, last_four, number};
use crate::view::{
    CartPage, CartStrip, Hold, Language, Line, OrderRow, Purpose, SalePage, SplitPage, SplitPart, Tile, Tip, TipOffer,
};

/// Lines that the strip shows; all of them are on the page of the cart.
const STRIP_LINES: usize = 3;
/// Colours there are for tiles.
const COLOURS: u32 = 8;

/// What the pages of the counter are made from.
#[derive(Clone, Copy)]
pub(crate) struct Counter<'a> {
    pub config: &'a Config,
    pub till: &'a Till,
    pub screen: &'a Screen,
    pub language: Language,
}

impl Counter<'_> {
    fn tile(self, id: ArticleId, comes_back: bool) -> Option<Tile> {
        let article = self.config.articles.get(&id)?;
        let name = self.language.of(&article.name).to_owned();
        let cart = self.screen.cart.iter().flat_map(|cart| &cart.lines);
        let pieces = cart
            .filter(|line| line.article == id)
            .map(|line| line.quantity.saturating_abs());
        let price = article.price.map(|price| price.0);
        Some(Tile {
            article: number(id),
            letter: name
                .chars()
                .find(|sign| sign.is_alphanumeric())
                .map(|sign| sign.to_uppercase().collect())
                .unwrap_or_default(),
            name,
            price: if comes_back {
                price.map(i64::saturating_neg)
            } else {
                price
            },
            deposit: if comes_back {
                0
            } else {
                self.config.deposit_with(article).0
            },
            colour: count(id.0 % COLOURS),
            count: pieces.fold(0, i32::saturating_add),
            min_age: if comes_back { 0 } else { i32::from(article.min_age) },
            vouchers: article.vouchers.is_some() && !comes_back,
        })
    }

    pub fn sale(self, same_again: Option<i64>, last: Option<OrderRow>) -> SalePage {
        let mut parked = self.screen.parked.iter();
        let own = parked.find(|parked| Some(parked.staff) == self.screen.cashier);
        let layout = self.config.layouts.get(&self.till.layout);
        let tiles: Vec<Tile> = layout
            .into_iter()
            .flat_map(|layout| &layout.tiles)
            .filter_map(|id| self.tile(*id, false))
            .collect();
        let deposits = layout.into_iter().flat_map(|layout| &layout.deposit_row);
        SalePage {
            columns: columns(tiles.len()),
            tiles,
            deposits: deposits.filter_map(|id| self.tile(*id, true)).collect(),
            cart: self.screen.cart.as_ref().map(|cart| self.strip(cart)),
            hold: hold(self.screen.cart.as_ref()),
            same_again: same_again.filter(|_| self.screen.cart.is_none()),
            last: last.filter(|_| self.screen.cart.is_none()),
            parked: own.map(|own| own.total.0).filter(|_| self.screen.cart.is_none()),
            prices_wait: self.screen.config.is_some_and(|shown| shown != self.config.version),
        }
    }

    fn line(self, line: &CartLine) -> Line {
        let article = self.config.articles.get(&line.article);
        let times = |cents: i64| cents.saturating_mul(i64::from(line.quantity));
        let price = line.free_price.or_else(|| article?.price);
        let deposit = article.map_or(0, |article| times(self.config.deposit_with(article).0));
        let all = price.map(|price| times(price.0));
        Line {
            article: number(line.article),
            name: article.map_or_else(
                || line.article.to_string(),
                |article| self.language.of(&article.name).to_owned(),
            ),
            quantity: line.quantity,
            total: all.map(|cents| cents.saturating_add(deposit)),
            deposit,
        }
    }

    pub fn page(self, cart: &CartView, for_guest: bool) -> CartPage {
        let strip = self.strip(cart);
        let tip = cart.tip.as_ref().filter(|_| strip.changeable);
        CartPage {
            lines: cart.lines.iter().map(|line| self.line(line)).collect(),
            tip: tip.map(|tip| tip_of(tip, cart.total)),
            cart: strip,
            for_guest,
        }
    }

    pub fn strip(self, cart: &CartView) -> CartStrip {
        let purpose = match cart.kind {
            CartKind::Sale => Purpose::Sale,
            CartKind::Cancel { .. } => Purpose::Cancel,
            CartKind::Correct { .. } => Purpose::Correct,
            CartKind::TopUp { .. } => Purpose::TopUp,
            CartKind::PayOut => Purpose::PayOut,
            CartKind::Swap { .. } => Purpose::Swap,
        };
        let changeable = !cart.settling && cart.split.is_none() && matches!(purpose, Purpose::Sale | Purpose::Correct);
        let sells = changeable && purpose == Purpose::Sale && !cart.lines.is_empty();
        let takes = |kind| self.till.tenders.contains(&kind) && sells;
        let has_voucher_price = cart.lines.iter().any(|line| {
            let article = self.config.articles.get(&line.article);
            article.is_some_and(|article| article.vouchers.is_some())
        });
        let pieces = cart.lines.iter().map(|line| line.quantity.saturating_abs());
        CartStrip {
            purpose,
            pieces: pieces.fold(0, i32::saturating_add),
            total: cart.total.0,
            deposits: cart.deposits.0,
            lines: cart
                .lines
                .iter()
                .rev()
                .take(STRIP_LINES)
                .map(|line| self.line(line))
                .collect(),
            use_vouchers: has_voucher_price.then_some(cart.use_vouchers),
            changeable,
            can_split: sells && cart.total > Amount::ZERO,
            cash: takes(TenderKind::Cash),
            card: takes(TenderKind::Card) && cart.total > Amount::ZERO,
            foreign: sells && !cart.needed.is_empty(),
        }
    }
}

fn tip_of(tip: &TipView, total: Amount) -> Tip {
    let goods = total.0.saturating_sub(tip.given.0);
    let offer = |amount: &Amount| {
        let with = goods.saturating_add(amount.0);
        // What is less than a whole euro is the way to one; of a deposit that stays there nothing is left.
        let is_sum = goods < 0 || amount.0 < 100;
        TipOffer {
            amount: amount.0,
            makes: is_sum.then_some(with),
        }
    };
    Tip {
        given: tip.given.0,
        offers: tip.offers.iter().map(offer).collect(),
    }
}

pub(crate) fn split(cart: &CartView) -> SplitPage {
    let split = cart.split.as_ref();
    let paid = split.into_iter().flat_map(|split| &split.parts);
    SplitPage {
        total: cart.total.0,
        parts: split.and_then(|split| split.of).map(i32::from),
        paid: paid
            .map(|(tag, amount)| SplitPart {
                band: last_four(*tag),
                amount: amount.0,
            })
            .collect(),
        missing: split.map_or(cart.total.0, |split| split.missing.0),
    }
}

/// Few tiles are large ones.
fn columns(tiles: usize) -> i32 {
    match tiles {
        0..=6 => 2,
        7..=24 => 3,
        _ => 4,
    }
}

/// What a wristband does that is held now.
pub(crate) fn hold(cart: Option<&CartView>) -> Hold {
    let Some(cart) = cart else {
        return Hold::Balance;
    };
    if cart.settling {
        return Hold::SameBand;
    }
    match cart.kind {
        _ if cart.split.as_ref().is_some_and(|split| !split.parts.is_empty()) => Hold::NextBand,
        CartKind::Sale if cart.lines.is_empty() => Hold::Balance,
        CartKind::Sale if cart.total.is_negative() => Hold::Credited,
        CartKind::Sale | CartKind::PayOut => Hold::Pays,
        CartKind::Cancel { .. } | CartKind::Correct { .. } => Hold::PaidBand,
        CartKind::TopUp { .. } => Hold::Credited,
        CartKind::Swap { .. } => Hold::NextBand,
    }
}
