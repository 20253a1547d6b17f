//! The cart: what the cashier put together, and what a wristband held to it will do.

use serde::{Deserialize, Serialize};

use shared_protocol::catalogue::ArticleKind;
use shared_protocol::config::Config;
use shared_protocol::currency::Foreign;
use shared_protocol::limits::{LINE_QUANTITY_MAX, ORDER_LINES_MAX};
use shared_protocol::order::{CancelReason, Line, LineKind, TenderKind};
use shared_protocol::pricing::CartLine;
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::ShownPurse;
use shared_protocol::{Amount, ArticleId, CartId, OrderId, TagId, decode, encode};

use crate::screen::Refusal;

/// What a wristband held to the cart will do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// Pay for the lines.
    Sale,
    /// Take these orders back.
    Cancel { orders: Vec<OrderId>, reason: CancelReason },
    /// Take these orders back and pay for the lines instead.
    Correct { orders: Vec<OrderId> },
    /// Take the money that was paid in.
    TopUp {
        amount: Amount,
        method: TenderKind,
        /// Notes of another currency that were given for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        foreign: Option<Foreign>,
    },
    /// Give the money that is paid out.
    PayOut { amount: Amount },
    /// Get everything that this wristband has.
    Swap {
        old: TagId,
        reason: BlockReason,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<ShownPurse>,
    },
}

/// A cart that several wristbands pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Split {
    /// Equal parts; the wristbands seen so far.
    Equal { ways: u8, tags: Vec<TagId> },
    /// What these wristbands have; the next one pays the rest.
    Rest { parts: Vec<(TagId, Amount)> },
}

/// An open cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cart {
    pub id: CartId,
    pub opened_wall_ms: u64,
    pub opened_mono_ms: u64,
    pub purpose: Purpose,
    pub lines: Vec<CartLine>,
    pub use_vouchers: bool,
    pub split: Option<Split>,
    /// The server was told that it is open.
    pub announced: bool,
}

/// A cart as the queue keeps it. How it was to be split is not kept: nothing was taken of anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Saved {
    id: CartId,
    opened_wall_ms: u64,
    purpose: Purpose,
    lines: Vec<SavedLine>,
    use_vouchers: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SavedLine {
    article: ArticleId,
    quantity: i32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    free_price: Option<Amount>,
}

impl Cart {
    pub fn new(id: CartId, purpose: Purpose, wall_ms: u64, mono_ms: u64) -> Self {
        Self {
            id,
            opened_wall_ms: wall_ms,
            opened_mono_ms: mono_ms,
            purpose,
            lines: Vec::new(),
            use_vouchers: true,
            split: None,
            announced: false,
        }
    }

    pub fn save(&self) -> Vec<u8> {
        let line = |line: &CartLine| SavedLine {
            article: line.article,
            quantity: line.quantity,
            free_price: line.free_price,
        };
        encode(&Saved {
            id: self.id,
            opened_wall_ms: self.opened_wall_ms,
            purpose: self.purpose.clone(),
            lines: self.lines.iter().map(line).collect(),
            use_vouchers: self.use_vouchers,
        })
    }

    pub fn restore(bytes: &[u8], mono_ms: u64) -> Option<Self> {
        let saved: Saved = decode(bytes).ok()?;
        let line = |line: SavedLine| CartLine {
            article: line.article,
            quantity: line.quantity,
            free_price: line.free_price,
        };
        Some(Self {
            lines: saved.lines.into_iter().map(line).collect(),
            use_vouchers: saved.use_vouchers,
            ..Self::new(saved.id, saved.purpose, saved.opened_wall_ms, mono_ms)
        })
    }

    /// Whether its lines can be changed.
    pub fn is_goods(&self) -> bool {
        matches!(self.purpose, Purpose::Sale | Purpose::Correct { .. })
    }

    /// Adds pieces (below zero: bearer goods that come back) to the line of the same kind, or as a new line.
    pub fn add(&mut self, article: ArticleId, quantity: i32, free_price: Option<Amount>) -> Result<(), Refusal> {
        let same = |line: &&mut CartLine| {
            line.article == article && line.free_price == free_price && (line.quantity < 0) == (quantity < 0)
        };
        if let Some(line) = self.lines.iter_mut().find(same) {
            let sum = line
                .quantity
                .checked_add(quantity)
                .filter(|sum| (-LINE_QUANTITY_MAX..=LINE_QUANTITY_MAX).contains(sum));
            line.quantity = sum.ok_or(Refusal::CartFull)?;
        } else {
            // A deposit may come to each line of goods, and a discount to each rate.
            if self.lines.len() >= ORDER_LINES_MAX / 2 || !(-LINE_QUANTITY_MAX..=LINE_QUANTITY_MAX).contains(&quantity)
            {
                return Err(Refusal::CartFull);
            }
            self.lines.push(CartLine {
                article,
                quantity,
                free_price,
            });
        }
        self.split = None;
        Ok(())
    }

    /// One piece less of the article's last line.
    pub fn remove(&mut self, article: ArticleId) {
        if let Some(line) = self.lines.iter_mut().rfind(|line| line.article == article) {
            line.quantity -= line.quantity.signum();
        }
        self.lines.retain(|line| line.quantity != 0);
        self.split = None;
    }

    pub fn clear_line(&mut self, article: ArticleId) {
        self.lines.retain(|line| line.article != article);
        self.split = None;
    }

    /// Bearer goods that come back.
    pub fn returned_pieces(&self) -> u32 {
        self.lines
            .iter()
            .filter(|line| line.quantity < 0)
            .map(|line| line.quantity.unsigned_abs())
            .sum()
    }
}

/// The cart that was priced to these lines: typed prices come back as typed, deposits that belong to goods are left to the pricing.
pub(crate) fn lines_before_pricing(config: &Config, lines: &[Line]) -> Vec<CartLine> {
    let mut cart: Vec<CartLine> = Vec::new();
    let mut deposits: std::collections::BTreeMap<ArticleId, i64> = std::collections::BTreeMap::new();
    for line in lines {
        let Some(article) = config.articles.get(&line.article) else {
            continue;
        };
        match line.kind {
            LineKind::Goods | LineKind::Tip => {
                let free_price = article.price.is_none().then_some(line.unit_price);
                cart.push(CartLine {
                    article: article.id,
                    quantity: line.quantity,
                    free_price,
                });
                if let Some(deposit) = article.deposit {
                    *deposits.entry(deposit).or_default() -= i64::from(line.quantity);
                }
            }
            LineKind::Deposit if article.kind == ArticleKind::Deposit => {
                *deposits.entry(article.id).or_default() += i64::from(line.quantity);
            }
            LineKind::Deposit
            | LineKind::Discount
            | LineKind::TopUp
            | LineKind::PayOut
            | LineKind::Float
            | LineKind::CashTransit
            | LineKind::CashDifference => {}
        }
    }
    cart.extend(deposits.into_iter().filter_map(|(article, count)| {
        let quantity = i32::try_from(count).ok().filter(|count| *count != 0)?;
        Some(CartLine {
            article,
            quantity,
            free_price: None,
        })
    }));
    cart
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use shared_protocol::TaxpayerId;
    use shared_protocol::pricing::price;

    use super::*;
    use crate::testing::{BEER, CUP, FREE, config};

    fn cart() -> Cart {
        Cart::new(CartId([1; 16]), Purpose::Sale, 10, 20)
    }

    #[test]
    fn taps_on_one_tile_are_one_line_and_cups_that_come_back_are_another() {
        let mut cart = cart();
        cart.add(BEER, 1, None).unwrap();
        cart.add(BEER, 2, None).unwrap();
        cart.add(CUP, -1, None).unwrap();
        cart.add(CUP, 1, None).unwrap();
        let lines: Vec<_> = cart.lines.iter().map(|line| (line.article, line.quantity)).collect();
        assert_eq!(lines, [(BEER, 3), (CUP, -1), (CUP, 1)]);
        assert_eq!(cart.returned_pieces(), 1);
        cart.remove(CUP);
        cart.remove(CUP);
        cart.remove(BEER);
        assert_eq!(
            cart.lines
                .iter()
                .map(|line| (line.article, line.quantity))
                .collect::<Vec<_>>(),
            [(BEER, 2)]
        );
    }

    #[test]
    fn a_cart_takes_no_more_than_an_order_may_have() {
        let mut cart = cart();
        assert_eq!(cart.add(BEER, LINE_QUANTITY_MAX, None), Ok(()));
        assert_eq!(cart.add(BEER, 1, None), Err(Refusal::CartFull));
        for price in 1..i64::try_from(ORDER_LINES_MAX / 2).unwrap() {
            cart.add(FREE, 1, Some(Amount(price))).unwrap();
        }
        assert_eq!(cart.add(FREE, 1, Some(Amount(9_999))), Err(Refusal::CartFull));
    }

    #[test]
    fn a_saved_cart_comes_back() {
        let mut cart = cart();
        cart.add(BEER, 2, None).unwrap();
        cart.add(FREE, 1, Some(Amount(123))).unwrap();
        cart.purpose = Purpose::Correct {
            orders: vec![OrderId([4; 16])],
        };
        assert_eq!(Cart::restore(&cart.save(), 20), Some(cart));
        assert_eq!(Cart::restore(b"junk", 20), None);
    }

    #[test]
    fn the_cart_behind_priced_lines_prices_to_the_same_lines() {
        let config = config();
        let mut cart = cart();
        cart.add(BEER, 2, None).unwrap();
        cart.add(FREE, 1, Some(Amount(123))).unwrap();
        cart.add(CUP, -3, None).unwrap();
        let priced = price(&config, TaxpayerId(1), &cart.lines, &BTreeMap::new()).unwrap();
        let lines: Vec<Line> = priced.iter().flat_map(|part| part.lines.clone()).collect();
        let again = price(
            &config,
            TaxpayerId(1),
            &lines_before_pricing(&config, &lines),
            &BTreeMap::new(),
        )
        .unwrap();
        assert_eq!(again, priced);
    }
}
