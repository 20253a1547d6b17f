//! From a cart to priced orders: prices, deposits, taxes, vouchers, one order per taxpayer. The till prices; the server only verifies
//! what a till charged and never re-optimises.

use std::collections::BTreeMap;

use crate::catalogue::{Article, ArticleKind};
use crate::config::Config;
use crate::ids::{ArticleId, AssetId, TaxpayerId};
use crate::limits::{LINE_QUANTITY_MAX, ORDER_LINES_MAX};
use crate::money::{Amount, Overflow};
use crate::order::{Line, LineKind, Tender, VoucherUse};
use crate::tax::{TaxKey, TaxRate};

/// One line of a cart as the cashier put it together. Deposits of sold goods are not typed in: pricing adds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CartLine {
    /// What.
    pub article: ArticleId,
    /// How many; below zero only for deposit articles that come back.
    pub quantity: i32,
    /// The typed price of one piece, for an article without one.
    pub free_price: Option<Amount>,
}

/// One order's worth of a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Priced {
    /// Whose sale it is.
    pub taxpayer: TaxpayerId,
    /// Lines with what is charged, discounts included.
    pub lines: Vec<Line>,
    /// What is to be paid in cents after discounts; below zero goes to the guest.
    pub total: Amount,
    /// Vouchers used as a means of payment, with the cents they cover.
    pub paid_by_vouchers: BTreeMap<AssetId, (u32, Amount)>,
}

impl Priced {
    /// What is left to be paid in money.
    pub fn due(&self) -> Result<Amount, Overflow> {
        let covered = Amount::sum(self.paid_by_vouchers.values().map(|(_, cents)| *cents))?;
        self.total.minus(covered)
    }

    /// Vouchers used, by asset, in either role.
    pub fn vouchers_used(&self) -> BTreeMap<AssetId, u32> {
        let mut used = BTreeMap::new();
        for voucher in self.lines.iter().filter_map(|line| line.vouchers) {
            let units: &mut u32 = used.entry(voucher.asset).or_default();
            *units = units.saturating_add(voucher.units);
        }
        used
    }
}

/// Why a cart cannot be priced. Nothing was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PricingError {
    /// The article is not in the catalogue.
    #[error("article {0} is not in the catalogue")]
    UnknownArticle(ArticleId),
    /// A free price is missing, or typed in for an article that has a price.
    #[error("article {0} needs a typed price, or must not have one")]
    FreePrice(ArticleId),
    /// Zero, too many, or something returned that is no deposit.
    #[error("this quantity of article {0} cannot be sold")]
    Quantity(ArticleId),
    /// More lines than one order may have.
    #[error("more lines than one order may have; split the cart")]
    TooManyLines,
    /// A sum does not fit.
    #[error(transparent)]
    Overflow(#[from] Overflow),
}

fn unit_price(article: &Article, line: &CartLine) -> Result<Amount, PricingError> {
    match (article.price, line.free_price) {
        (Some(price), None) => Ok(price),
        (None, Some(typed)) if typed.is_positive() => Ok(typed),
        _ => Err(PricingError::FreePrice(article.id)),
    }
}

/// The tax rate of a key; a key without a definition is refused when a configuration is read.
fn rate(config: &Config, key: TaxKey) -> TaxRate {
    config.taxes.get(&key).copied().unwrap_or(TaxRate::ZERO)
}

fn article(config: &Config, id: ArticleId) -> Result<&Article, PricingError> {
    config.articles.get(&id).ok_or(PricingError::UnknownArticle(id))
}

const fn line_kind(kind: ArticleKind) -> LineKind {
    match kind {
        ArticleKind::Goods => LineKind::Goods,
        ArticleKind::Deposit => LineKind::Deposit,
        ArticleKind::Tip => LineKind::Tip,
    }
}

fn charged(config: &Config, article: &Article, quantity: i32, unit_price: Amount) -> Line {
    Line {
        kind: line_kind(article.kind),
        article: article.id,
        quantity,
        unit_price,
        tax: article.tax,
        rate: rate(config, article.tax),
        vouchers: None,
    }
}

/// Prices a cart at a stand of `home`. `vouchers` are the units the guest has and wants to use, by asset.
///
/// Goods keep their cart order; deposits follow, merged per article, then tips; discount lines are last, one per tax rate. A deposit goes with
/// the goods it belongs to. Bearer goods alone (lent or coming back) and tips belong to the order of whoever sells in this cart: `home` if it does
/// or nobody does, else the first seller. They net against the same article going out. One result per taxpayer, ordered by its number.
pub fn price(
    config: &Config,
    home: TaxpayerId,
    cart: &[CartLine],
    vouchers: &BTreeMap<AssetId, u32>,
) -> Result<Vec<Priced>, PricingError> {
    let mut goods: BTreeMap<TaxpayerId, Vec<Line>> = BTreeMap::new();
    let mut deposits: BTreeMap<(TaxpayerId, ArticleId), i64> = BTreeMap::new();
    let mut tips = Vec::new();
    let sellers: std::collections::BTreeSet<TaxpayerId> = cart
        .iter()
        .filter_map(|entry| config.articles.get(&entry.article))
        .filter(|sold| sold.kind == ArticleKind::Goods)
        .map(|sold| sold.taxpayer)
        .collect();
    let bearer = sellers
        .first()
        .copied()
        .filter(|_| !sellers.contains(&home))
        .unwrap_or(home);
    for entry in cart {
        let sold = article(config, entry.article)?;
        let returned = entry.quantity < 0 && sold.kind == ArticleKind::Deposit;
        if entry.quantity == 0
            || entry.quantity.unsigned_abs() > LINE_QUANTITY_MAX.unsigned_abs()
            || entry.quantity < 0 && !returned
        {
            return Err(PricingError::Quantity(sold.id));
        }
        let unit_price = unit_price(sold, entry)?;
        match sold.kind {
            ArticleKind::Deposit => {
                *deposits.entry((bearer, sold.id)).or_default() += i64::from(entry.quantity);
            }
            ArticleKind::Tip => tips.push(charged(config, sold, entry.quantity, unit_price)),
            ArticleKind::Goods => {
                goods
                    .entry(sold.taxpayer)
                    .or_default()
                    .push(charged(config, sold, entry.quantity, unit_price));
                if let Some(deposit) = sold.deposit {
                    *deposits.entry((sold.taxpayer, deposit)).or_default() += i64::from(entry.quantity);
                }
            }
        }
    }
    let mut carts: BTreeMap<TaxpayerId, Vec<Line>> = goods;
    for ((taxpayer, id), count) in deposits {
        let lent = article(config, id)?;
        let quantity = i32::try_from(count)
            .ok()
            .filter(|count| count.unsigned_abs() <= LINE_QUANTITY_MAX.unsigned_abs());
        let quantity = quantity.ok_or(PricingError::Quantity(id))?;
        let price = lent.price.ok_or(PricingError::FreePrice(id))?;
        if quantity != 0 {
            carts
                .entry(taxpayer)
                .or_default()
                .push(charged(config, lent, quantity, price));
        }
    }
    if !tips.is_empty() {
        carts.entry(bearer).or_default().append(&mut tips);
    }
    let used = best_vouchers(config, &carts, vouchers);
    carts
        .into_iter()
        .map(|(taxpayer, lines)| finish(config, taxpayer, lines, &used))
        .collect()
}

/// Which line of which taxpayer's cart uses how many units of its voucher.
type Uses = BTreeMap<(TaxpayerId, usize), VoucherUse>;

/// The best use: most cents per unit first, ties by taxpayer and line index; a line may be paid in part.
fn best_vouchers(config: &Config, carts: &BTreeMap<TaxpayerId, Vec<Line>>, owned: &BTreeMap<AssetId, u32>) -> Uses {
    let mut candidates = Vec::new();
    for (taxpayer, lines) in carts {
        for (index, line) in lines.iter().enumerate() {
            let price = config.articles.get(&line.article).and_then(|article| article.vouchers);
            if let Some(price) = price.filter(|_| line.kind == LineKind::Goods) {
                candidates.push((*taxpayer, index, line, price));
            }
        }
    }
    // unit_price / units, compared without dividing.
    candidates.sort_by(|(a_taxpayer, a_index, a, a_price), (b_taxpayer, b_index, b, b_price)| {
        let (left, right) = (
            i128::from(a.unit_price.0) * i128::from(b_price.units),
            i128::from(b.unit_price.0) * i128::from(a_price.units),
        );
        right.cmp(&left).then((a_taxpayer, a_index).cmp(&(b_taxpayer, b_index)))
    });
    let mut left = owned.clone();
    let mut uses = Uses::new();
    for (taxpayer, index, line, price) in candidates {
        let Some(have) = left.get_mut(&price.asset).filter(|have| **have > 0) else {
            continue;
        };
        let wanted = u64::from(line.quantity.unsigned_abs()) * u64::from(price.units);
        let units = u32::try_from(wanted).map_or(*have, |wanted| wanted.min(*have));
        // A part of a piece that is worth less than a cent would cost vouchers and give nothing.
        if cover(line, price.units, units).is_ok_and(Amount::is_zero) {
            continue;
        }
        *have -= units;
        uses.insert(
            (taxpayer, index),
            VoucherUse {
                asset: price.asset,
                units,
            },
        );
    }
    uses
}

/// The cents that `units` vouchers cover on a line whose pieces cost `per_piece` vouchers, rounded down.
///
/// Overflow is impossible for a line whose total fits, since the cover is at most that total.
fn cover(line: &Line, per_piece: u32, units: u32) -> Result<Amount, Overflow> {
    let cents = i128::from(line.unit_price.0) * i128::from(units) / i128::from(per_piece.max(1));
    Amount::from_wide(cents)
}

/// Whether a voucher pays (true) or takes something off the price (false).
fn pays(config: &Config, voucher: AssetId) -> bool {
    let asset = config.assets.get(&voucher);
    asset.is_some_and(|asset| asset.fiscal.is_means_of_payment())
}

fn finish(config: &Config, taxpayer: TaxpayerId, mut lines: Vec<Line>, uses: &Uses) -> Result<Priced, PricingError> {
    let mut discounts: BTreeMap<(TaxKey, TaxRate), Amount> = BTreeMap::new();
    let mut paid_by_vouchers: BTreeMap<AssetId, (u32, Amount)> = BTreeMap::new();
    for (index, line) in lines.iter_mut().enumerate() {
        let Some(voucher) = uses.get(&(taxpayer, index)).copied() else {
            continue;
        };
        let Some(price) = config.articles.get(&line.article).and_then(|article| article.vouchers) else {
            continue;
        };
        let cents = cover(line, price.units, voucher.units)?;
        line.vouchers = Some(voucher);
        if pays(config, voucher.asset) {
            let paid = paid_by_vouchers.entry(voucher.asset).or_default();
            *paid = (paid.0.saturating_add(voucher.units), paid.1.plus(cents)?);
        } else {
            let discount = discounts.entry((line.tax, line.rate)).or_default();
            *discount = discount.plus(cents)?;
        }
    }
    lines.extend(
        discounts
            .into_iter()
            .filter(|(_, cents)| !cents.is_zero())
            .map(|((tax, rate), cents)| Line {
                kind: LineKind::Discount,
                article: ArticleId(0),
                quantity: -1,
                unit_price: cents,
                tax,
                rate,
                vouchers: None,
            }),
    );
    if lines.len() > ORDER_LINES_MAX {
        return Err(PricingError::TooManyLines);
    }
    let totals = lines.iter().map(Line::total).collect::<Result<Vec<_>, _>>()?;
    let total = Amount::sum(totals)?;
    Ok(Priced {
        taxpayer,
        lines,
        total,
        paid_by_vouchers,
    })
}

/// What is wrong with the price of an order that arrived. The order is booked as taken; this goes into a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mismatch {
    /// The article is not in the catalogue the order names.
    UnknownArticle(ArticleId),
    /// Another unit price than that catalogue's.
    Price(ArticleId),
    /// Another tax key or rate.
    Tax(ArticleId),
    /// Another taxpayer's article.
    Taxpayer(ArticleId),
    /// A discount that the vouchers of its lines do not give.
    Discount,
    /// Goods called a deposit, a deposit called a tip, and so on.
    Kind(ArticleId),
    /// Vouchers that do not buy the article, or more of them than it costs.
    Voucher(ArticleId),
    /// Foreign money that counted as something else than the catalogue gives, or that the event does not take.
    Worth(AssetId),
}

/// What lines say that vouchers paid as a means of payment: units and cents by asset, below zero for lines that take back. Lines whose vouchers the
/// catalogue does not know count as nothing; [`verify`] names them.
pub fn covered_by_vouchers(config: &Config, lines: &[Line]) -> Result<BTreeMap<AssetId, (i64, Amount)>, Overflow> {
    let mut covered: BTreeMap<AssetId, (i64, Amount)> = BTreeMap::new();
    for line in lines {
        let Some(used) = line.vouchers else { continue };
        let price = config.articles.get(&line.article).and_then(|article| article.vouchers);
        if let Some(price) = price.filter(|price| price.asset == used.asset && pays(config, used.asset)) {
            let sign = i64::from(line.quantity.signum());
            let sum = covered.entry(used.asset).or_default();
            sum.0 = sum.0.saturating_add(i64::from(used.units) * sign);
            sum.1 = sum.1.plus(cover(line, price.units, used.units)?.times(sign)?)?;
        }
    }
    Ok(covered)
}

/// Compares what foreign money counted as with the catalogue the order was priced with.
pub fn verify_worth(config: &Config, tenders: &[Tender]) -> Vec<Mismatch> {
    let wrong = |tender: &&Tender| {
        tender.foreign.is_some_and(|foreign| {
            let currency = config.currency(foreign.asset);
            currency.is_none_or(|currency| currency.worth(foreign.amount) != Ok(tender.amount))
        })
    };
    let assets: std::collections::BTreeSet<_> = tenders
        .iter()
        .filter(wrong)
        .filter_map(|tender| tender.foreign)
        .map(|foreign| Mismatch::Worth(foreign.asset))
        .collect();
    assets.into_iter().collect()
}

/// Compares what was charged with the catalogue the order was priced with; line order and merging do not matter.
pub fn verify(config: &Config, taxpayer: TaxpayerId, lines: &[Line]) -> Vec<Mismatch> {
    let mut found = std::collections::BTreeSet::new();
    let mut discounts: BTreeMap<(TaxKey, TaxRate), i128> = BTreeMap::new();
    for line in lines {
        match line.kind {
            LineKind::TopUp | LineKind::PayOut | LineKind::Float | LineKind::CashTransit | LineKind::CashDifference => {
            }
            LineKind::Discount => {
                *discounts.entry((line.tax, line.rate)).or_default() +=
                    i128::from(line.unit_price.0) * i128::from(line.quantity);
            }
            LineKind::Goods | LineKind::Deposit | LineKind::Tip => {
                let Some(article) = config.articles.get(&line.article) else {
                    found.insert(Mismatch::UnknownArticle(line.article));
                    continue;
                };
                if article
                    .price
                    .map_or(!line.unit_price.is_positive(), |price| price != line.unit_price)
                {
                    found.insert(Mismatch::Price(line.article));
                }
                if line.kind != line_kind(article.kind) {
                    found.insert(Mismatch::Kind(line.article));
                }
                if article.tax != line.tax || rate(config, article.tax) != line.rate {
                    found.insert(Mismatch::Tax(line.article));
                }
                if article.taxpayer != taxpayer && article.kind == ArticleKind::Goods {
                    found.insert(Mismatch::Taxpayer(line.article));
                }
                if let Some(voucher) = line.vouchers {
                    let pieces = u64::from(line.quantity.unsigned_abs());
                    let price = article.vouchers.filter(|price| {
                        price.asset == voucher.asset
                            && (1..=pieces * u64::from(price.units)).contains(&u64::from(voucher.units))
                    });
                    let Some(price) = price else {
                        found.insert(Mismatch::Voucher(line.article));
                        continue;
                    };
                    let sign = i128::from(line.quantity.signum());
                    if let (false, Ok(cents)) = (pays(config, voucher.asset), cover(line, price.units, voucher.units)) {
                        *discounts.entry((line.tax, line.rate)).or_default() += i128::from(cents.0) * sign;
                    }
                }
            }
        }
    }
    if discounts.values().any(|difference| *difference != 0) {
        found.insert(Mismatch::Discount);
    }
    found.into_iter().collect()
}
