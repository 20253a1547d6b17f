//! Prices: the golden table of `fixtures/pricing/cases.txt`, worked out by hand, and what holds for any cart in any shop.

#[path = "common/shop.rs"]
mod shop;
#[path = "common/table.rs"]
mod table;

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::Index;
use shared_protocol::config::Config;
use shared_protocol::limits::{LINE_QUANTITY_MAX, ORDER_LINES_MAX};
use shared_protocol::order::{Line, LineKind, VoucherUse};
use shared_protocol::pricing::{CartLine, Mismatch, Priced, PricingError, price, verify};
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{Amount, ArticleId, AssetId, TaxpayerId};

use shop::{DEPOSITS, FIRST_ARTICLE, Goods, VOUCHERS, shop};

#[test]
fn the_golden_table_is_charged_to_the_cent() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/pricing/cases.txt");
    let table = table::read(&std::fs::read_to_string(path).unwrap());
    assert!(table.cases.len() >= 40, "{} cases", table.cases.len());
    for case in &table.cases {
        let result = price(&table.config, case.home, &case.cart, &case.owned);
        for order in result.as_ref().map_or(&[][..], Vec::as_slice) {
            assert_eq!(verify(&table.config, order.taxpayer, &order.lines), [], "{}", case.name);
        }
        let got = table.write(&result);
        assert_eq!(got, case.expected, "\ncase {}:\n{}", case.name, got.join("\n"));
    }
}

#[test]
fn a_cart_of_more_lines_than_an_order_may_have_is_refused() {
    let config = shop(&[GOODS]);
    let line = cart_line(FIRST_ARTICLE, 1);
    let fits = price(&config, TaxpayerId(1), &vec![line; ORDER_LINES_MAX], &BTreeMap::new());
    assert_eq!(fits.unwrap()[0].lines.len(), ORDER_LINES_MAX);
    let refused = price(
        &config,
        TaxpayerId(1),
        &vec![line; ORDER_LINES_MAX + 1],
        &BTreeMap::new(),
    );
    assert_eq!(refused, Err(PricingError::TooManyLines));
}

const GOODS: Goods = Goods {
    price: Some(450),
    tax: 0,
    taxpayer: 1,
    deposit: None,
    voucher: None,
};

const fn cart_line(article: u32, quantity: i32) -> CartLine {
    CartLine {
        article: ArticleId(article),
        quantity,
        free_price: None,
    }
}

/// A shop, a cart that can be sold there, and vouchers.
#[derive(Debug, Clone)]
struct Sale {
    config: Config,
    home: TaxpayerId,
    cart: Vec<CartLine>,
    owned: BTreeMap<AssetId, u32>,
}

impl Sale {
    fn price(&self) -> Vec<Priced> {
        price(&self.config, self.home, &self.cart, &self.owned).expect("a cart that can be sold")
    }

    fn due(&self) -> i64 {
        self.price()
            .iter()
            .map(|order| order.due().expect("small sums").0)
            .sum()
    }
}

fn goods() -> impl Strategy<Value = Goods> {
    let price = option::weighted(
        0.9,
        prop_oneof![10 => 1..3_000_i64, 1 => Just(1), 1 => 1..10_000_000_i64],
    );
    let voucher = option::weighted(0.7, (1..=u16::from(VOUCHERS), 1..5_u32));
    (price, 0..3_u8, 1..=3_u16, option::of(0..DEPOSITS), voucher).prop_map(
        |(price, tax, taxpayer, deposit, voucher)| {
            // Vouchers need a fixed price; such a shop is not read.
            Goods {
                price,
                tax,
                taxpayer,
                deposit,
                voucher: voucher.filter(|_| price.is_some()),
            }
        },
    )
}

/// Up to eight lines of goods and up to three of things that come back.
fn sale() -> impl Strategy<Value = Sale> {
    let lines = vec((any::<Index>(), 1..9_i32, 1..5_000_i64), 0..8);
    let back = vec((1..=u32::from(DEPOSITS), 1..6_i32), 0..3);
    let owned = vec(prop_oneof![Just(0), 0..20_u32], usize::from(VOUCHERS));
    (vec(goods(), 1..6), lines, back, owned, 1..=3_u16).prop_map(|(goods, lines, back, owned, home)| {
        let mut cart: Vec<CartLine> = Vec::new();
        for (which, quantity, typed) in lines {
            let index = which.index(goods.len());
            let article = FIRST_ARTICLE + u32::try_from(index).expect("a few");
            let free_price = goods[index].price.is_none().then_some(Amount(typed));
            cart.push(CartLine {
                free_price,
                ..cart_line(article, quantity)
            });
        }
        cart.extend(back.into_iter().map(|(article, pieces)| cart_line(article, -pieces)));
        let owned = (1..).map(AssetId).zip(owned).collect();
        Sale {
            config: shop(&goods),
            home: TaxpayerId(home),
            cart,
            owned,
        }
    })
}

fn wide(lines: &[Line], wanted: impl Fn(&Line) -> bool) -> i128 {
    let wanted = lines.iter().filter(|line| wanted(line));
    wanted
        .map(|line| i128::from(line.unit_price.0) * i128::from(line.quantity))
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_096))]

    #[test]
    fn totals_are_the_sums_of_their_lines_and_all_goods_of_the_cart_are_charged(sale in sale()) {
        let orders = sale.price();
        let mut charged: BTreeMap<ArticleId, i64> = BTreeMap::new();
        for order in &orders {
            prop_assert_eq!(i128::from(order.total.0), wide(&order.lines, |_| true));
            let covered: i64 = order.paid_by_vouchers.values().map(|(_, cents)| cents.0).sum();
            prop_assert_eq!(order.due().unwrap().0, order.total.0 - covered);
            for line in order.lines.iter().filter(|line| line.kind == LineKind::Goods) {
                prop_assert_eq!(sale.config.articles[&line.article].taxpayer, order.taxpayer);
                *charged.entry(line.article).or_default() += i64::from(line.quantity);
            }
        }
        let mut wanted: BTreeMap<ArticleId, i64> = BTreeMap::new();
        for line in sale.cart.iter().filter(|line| line.quantity > 0) {
            *wanted.entry(line.article).or_default() += i64::from(line.quantity);
        }
        prop_assert_eq!(charged, wanted);
    }

    #[test]
    fn every_piece_has_its_deposit_and_what_comes_back_is_paid_back(sale in sale()) {
        let mut expected: BTreeMap<ArticleId, i64> = BTreeMap::new();
        for line in &sale.cart {
            let lent = if line.quantity < 0 { Some(line.article) } else { sale.config.articles[&line.article].deposit };
            if let Some(lent) = lent {
                *expected.entry(lent).or_default() += i64::from(line.quantity);
            }
        }
        let mut charged: BTreeMap<ArticleId, i64> = BTreeMap::new();
        for order in sale.price() {
            let mut seen = Vec::new();
            for line in order.lines.iter().filter(|line| line.kind == LineKind::Deposit) {
                prop_assert!(line.quantity != 0 && !seen.contains(&line.article));
                seen.push(line.article);
                *charged.entry(line.article).or_default() += i64::from(line.quantity);
            }
        }
        expected.retain(|_, count| *count != 0);
        charged.retain(|_, count| *count != 0);
        prop_assert_eq!(charged, expected);
    }

    #[test]
    fn vouchers_used_are_owned_and_never_worth_more_than_what_they_are_for(sale in sale()) {
        let mut used: BTreeMap<AssetId, u32> = BTreeMap::new();
        for order in sale.price() {
            for line in &order.lines {
                let Some(VoucherUse { asset, units }) = line.vouchers else { continue };
                let price = sale.config.articles[&line.article].vouchers.unwrap();
                prop_assert_eq!(asset, price.asset);
                prop_assert!(units >= 1 && units <= price.units * line.quantity.unsigned_abs());
                *used.entry(asset).or_default() += units;
            }
            for discount in order.lines.iter().filter(|line| line.kind == LineKind::Discount) {
                prop_assert!(discount.quantity == -1 && discount.unit_price.0 > 0);
                let of_rate = |line: &&Line| (line.tax, line.rate) == (discount.tax, discount.rate);
                prop_assert_eq!(order.lines.iter().filter(of_rate).filter(|line| line.kind == LineKind::Discount).count(), 1);
                let goods: Vec<Line> = order.lines.iter().filter(of_rate).copied().collect();
                let own = wide(&goods, |line| line.vouchers.is_some_and(|used| used.asset == AssetId(1)));
                prop_assert!(i128::from(discount.unit_price.0) <= own);
            }
            for (asset, (units, cents)) in &order.paid_by_vouchers {
                let own = wide(&order.lines, |line| line.vouchers.is_some_and(|used| used.asset == *asset));
                prop_assert!(*asset != AssetId(1) && *units > 0 && (0..=own).contains(&i128::from(cents.0)));
            }
        }
        for (asset, units) in used {
            prop_assert!(units <= sale.owned[&asset]);
        }
    }

    #[test]
    fn more_vouchers_never_make_it_dearer_and_none_are_used_that_are_not_there(sale in sale()) {
        let without = Sale { owned: BTreeMap::new(), ..sale.clone() };
        let more = Sale { owned: sale.owned.iter().map(|(asset, units)| (*asset, units + 1)).collect(), ..sale.clone() };
        prop_assert!(without.price().iter().all(|order| order.vouchers_used().is_empty()));
        prop_assert!(more.due() <= sale.due() && sale.due() <= without.due());
    }

    #[test]
    fn what_a_till_charges_passes_the_check_in_any_line_order(sale in sale(), turn in 0..20_usize) {
        for order in sale.price() {
            prop_assert_eq!(verify(&sale.config, order.taxpayer, &order.lines), []);
            let mut lines = order.lines.clone();
            lines.rotate_left(turn % order.lines.len());
            prop_assert_eq!(verify(&sale.config, order.taxpayer, &lines), []);
        }
    }

    #[test]
    fn one_changed_price_tax_discount_or_taxpayer_is_found(sale in sale(), at in any::<Index>(), by in prop_oneof![1..200_i64, -200..0_i64]) {
        for order in sale.price() {
            let index = at.index(order.lines.len());
            let line = order.lines[index];
            let article = line.article;
            let found = |change: &dyn Fn(&mut Line)| {
                let mut lines = order.lines.clone();
                change(&mut lines[index]);
                verify(&sale.config, order.taxpayer, &lines)
            };
            let dearer = found(&|line| line.unit_price.0 += by);
            let other_rate = found(&|line| line.rate = TaxRate(line.rate.0 + 1));
            let other_key = found(&|line| line.tax = TaxKey(line.tax.0 + 10));
            if line.kind == LineKind::Discount {
                prop_assert_eq!(dearer, [Mismatch::Discount]);
                prop_assert_eq!(other_rate, [Mismatch::Discount]);
                prop_assert_eq!(other_key, [Mismatch::Discount]);
                let mut lines = order.lines.clone();
                lines.remove(index);
                prop_assert_eq!(verify(&sale.config, order.taxpayer, &lines), [Mismatch::Discount]);
            } else {
                prop_assert!(other_rate.contains(&Mismatch::Tax(article)));
                prop_assert!(other_key.contains(&Mismatch::Tax(article)));
                if sale.config.articles[&article].price.is_some() {
                    prop_assert!(dearer.contains(&Mismatch::Price(article)));
                }
                let unknown = found(&|line| line.article = ArticleId(7_777));
                prop_assert!(unknown.contains(&Mismatch::UnknownArticle(ArticleId(7_777))));
            }
            if line.kind == LineKind::Goods {
                let elsewhere = verify(&sale.config, TaxpayerId(order.taxpayer.0 % 3 + 1), &order.lines);
                prop_assert!(elsewhere.contains(&Mismatch::Taxpayer(article)));
            }
        }
    }

    #[test]
    fn a_discount_out_of_nothing_is_found(sale in sale(), cents in 1..1_000_i64) {
        for order in sale.price() {
            let mut lines = order.lines.clone();
            lines.push(Line {
                kind: LineKind::Discount,
                article: ArticleId(0),
                quantity: -1,
                unit_price: Amount(cents),
                tax: TaxKey::GENERAL,
                rate: TaxRate(1_900),
                vouchers: None,
            });
            prop_assert_eq!(verify(&sale.config, order.taxpayer, &lines), [Mismatch::Discount]);
        }
    }

    #[test]
    fn the_order_of_the_cart_does_not_change_the_sum(sale in sale(), keys in vec(any::<u32>(), 12)) {
        let mut keyed: Vec<(u32, CartLine)> = keys.into_iter().zip(sale.cart.iter().copied()).collect();
        keyed.sort_by_key(|(key, _)| *key);
        let turned = Sale { cart: keyed.into_iter().map(|(_, line)| line).collect(), ..sale.clone() };
        prop_assert_eq!(turned.cart.len(), sale.cart.len());
        prop_assert_eq!(turned.due(), sale.due());
    }

    #[test]
    fn lines_of_one_article_typed_apart_or_together_cost_the_same(sale in sale()) {
        let mut together: Vec<CartLine> = Vec::new();
        for line in &sale.cart {
            let same = |other: &&mut CartLine| (other.article, other.free_price) == (line.article, line.free_price);
            match together.iter_mut().find(same) {
                Some(merged) => merged.quantity += line.quantity,
                None => together.push(*line),
            }
        }
        let apart = sale.cart.iter().flat_map(|line| {
            let one = CartLine { quantity: line.quantity.signum(), ..*line };
            vec![one; usize::try_from(line.quantity.unsigned_abs()).expect("a few")]
        });
        let apart = Sale { cart: apart.collect(), ..sale.clone() };
        let together = Sale { cart: together, ..sale.clone() };
        prop_assert_eq!(together.due(), sale.due());
        prop_assert_eq!(apart.due(), sale.due());
    }

    #[test]
    fn hostile_prices_and_quantities_are_refused_or_add_up(
        prices in vec(prop_oneof![Just(i64::MAX), (i64::MAX / 10_000)..i64::MAX, 0..1_000_i64], 1..4),
        lines in vec((any::<Index>(), prop_oneof![any::<i32>(), -2..LINE_QUANTITY_MAX + 2]), 1..6),
        owned in any::<u32>(),
    ) {
        let goods: Vec<Goods> = prices
            .iter()
            .map(|cents| Goods { price: Some(*cents), deposit: Some(0), voucher: Some((1, u32::MAX)), ..GOODS })
            .collect();
        let config = shop(&goods);
        let first = usize::try_from(FIRST_ARTICLE).expect("small");
        let cart: Vec<CartLine> = lines
            .iter()
            .map(|(which, quantity)| cart_line(u32::try_from(first + which.index(goods.len())).expect("small"), *quantity))
            .collect();
        let allowed = |quantity: i32| (1..=LINE_QUANTITY_MAX).contains(&quantity);
        let priced = price(&config, TaxpayerId(1), &cart, &BTreeMap::from([(AssetId(1), owned)]));
        if !cart.iter().all(|line| allowed(line.quantity)) {
            prop_assert!(matches!(priced, Err(PricingError::Quantity(_))), "{:?}", priced);
        }
        for order in priced.iter().flatten() {
            prop_assert_eq!(i128::from(order.total.0), wide(&order.lines, |_| true));
            prop_assert!(order.total.0 >= 0);
        }
    }
}

/// Pilsner for 4.50 or one drink token, with a cup; something with a free price; something for a cent or three meal vouchers.
fn small_shop() -> Config {
    let pils = Goods {
        deposit: Some(0),
        voucher: Some((1, 1)),
        ..GOODS
    };
    let typed = Goods { price: None, ..GOODS };
    shop(&[
        pils,
        typed,
        Goods {
            price: Some(1),
            voucher: Some((2, 3)),
            ..GOODS
        },
    ])
}

/// Two beers, one of them for a token, and three euros typed in, changed by somebody before they arrive.
fn found(change: impl Fn(&mut Vec<Line>)) -> Vec<Mismatch> {
    let config = small_shop();
    let typed = CartLine {
        free_price: Some(Amount(300)),
        ..cart_line(FIRST_ARTICLE + 1, 1)
    };
    let cart = [cart_line(FIRST_ARTICLE, 2), typed];
    let orders = price(&config, TaxpayerId(1), &cart, &BTreeMap::from([(AssetId(1), 1)]));
    let mut lines = orders.expect("a cart that can be sold").remove(0).lines;
    change(&mut lines);
    verify(&config, TaxpayerId(1), &lines)
}

#[test]
fn vouchers_and_kinds_that_do_not_fit_the_article_are_found() {
    let (pils, typed) = (ArticleId(FIRST_ARTICLE), ArticleId(FIRST_ARTICLE + 1));
    let used = |asset, units| {
        Some(VoucherUse {
            asset: AssetId(asset),
            units,
        })
    };
    assert_eq!(found(|_| ()), []);
    assert!(found(|lines| lines[0].vouchers = used(9, 1)).contains(&Mismatch::Voucher(pils)));
    assert!(found(|lines| lines[0].vouchers = used(1, 3)).contains(&Mismatch::Voucher(pils)));
    assert!(found(|lines| lines[0].vouchers = used(1, 0)).contains(&Mismatch::Voucher(pils)));
    assert_eq!(
        found(|lines| lines[1].vouchers = used(1, 1)),
        [Mismatch::Voucher(typed)]
    );
    assert_eq!(
        found(|lines| lines[1].kind = LineKind::Deposit),
        [Mismatch::Kind(typed)]
    );
    assert_eq!(
        found(|lines| lines[1].unit_price = Amount(-300)),
        [Mismatch::Price(typed)]
    );
    assert_eq!(found(|lines| lines[1].unit_price = Amount(0)), [Mismatch::Price(typed)]);
}

#[test]
fn a_cup_that_is_lent_beside_goods_is_no_mismatch() {
    let config = small_shop();
    let cart = [cart_line(FIRST_ARTICLE, 1), cart_line(1, 1)];
    let order = price(&config, TaxpayerId(1), &cart, &BTreeMap::new())
        .unwrap()
        .remove(0);
    assert_eq!(order.total, Amount(850));
    assert_eq!(verify(&config, TaxpayerId(1), &order.lines), []);
}

#[test]
fn no_voucher_is_used_where_it_gives_nothing() {
    let config = small_shop();
    let cart = [cart_line(FIRST_ARTICLE + 2, 1)];
    let order = price(&config, TaxpayerId(1), &cart, &BTreeMap::from([(AssetId(2), 2)]))
        .unwrap()
        .remove(0);
    assert_eq!((order.vouchers_used(), order.due()), (BTreeMap::new(), Ok(Amount(1))));
}
