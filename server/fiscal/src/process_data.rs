//! What a transaction says: `Kassenbeleg-V1` of DSFinV-K, annex I.
//!
//! ```text
//! Beleg^4.50_7.00_0.00_0.00_-11.50^
//!   |     |                        payments: cash before card, one entry a kind and currency (`50.00:Bar:CHF`), none for a sale from a wristband
//!   |     gross sums by legal category of the rate: general, reduced, average § 24 (1) no. 3, average § 24 (1) no. 1, none
//!   what kind of business
//! ```
//! Invariant: the five sums add up to the payments, foreign cash counted as what it is worth. A TSE does not check that; we do.

use std::collections::BTreeMap;
use std::fmt;

use shared_protocol::config::Config;
use shared_protocol::order::{Order, OrderKind, Tender, TenderKind};
use shared_protocol::tax::TaxKey;
use shared_protocol::{Amount, Overflow, pricing};

/// The process type of everything that is paid.
pub const KASSENBELEG_V1: &str = "Kassenbeleg-V1";

/// The gross sums of a receipt: one for each legal category of tax.
pub const GROUPS: usize = 5;

/// What a transaction is for, and so the form of its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProcessType {
    /// A receipt with tax and payments.
    KassenbelegV1,
    /// Anything else that has to be protected, as readable text.
    SonstigerVorgang,
}

impl ProcessType {
    /// The type of data that this system wrote.
    pub fn of(data: &str) -> Self {
        let kinds = [Vorgangstyp::Beleg, Vorgangstyp::Belegabbruch, Vorgangstyp::Training];
        match data.split_once('^') {
            Some((kind, _)) if kinds.iter().any(|known| known.as_str() == kind) => Self::KassenbelegV1,
            _ => Self::SonstigerVorgang,
        }
    }

    /// As a TSE is told it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KassenbelegV1 => KASSENBELEG_V1,
            Self::SonstigerVorgang => "SonstigerVorgang",
        }
    }
}

/// Kinds of business (`BON_TYP` of DSFinV-K).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vorgangstyp {
    /// A receipt. Also whatever is taken back: `AVBelegstorno` is not used with a TSE, the signs turn round.
    Beleg,
    /// A cart that was given up.
    Belegabbruch,
    /// Practice.
    Training,
}

impl Vorgangstyp {
    /// As in the process data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Beleg => "Beleg",
            Self::Belegabbruch => "AVBelegabbruch",
            Self::Training => "AVTraining",
        }
    }
}

/// How what a guest spends from a wristband is shown. Which one is right is for the organiser's tax advisor; the first is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VoucherModel {
    /// The balance is a multi-purpose voucher (§ 3 (15) `UStG`): redeeming it is a line below zero without tax, and no payment.
    #[default]
    VoucherLines,
    /// The balance is electronic money: spending it is a payment other than cash.
    ElectronicMoney,
}

/// A receipt as a TSE is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kassenbeleg {
    /// What kind of business.
    pub kind: Vorgangstyp,
    /// Gross cents by category, in the order of annex I.
    pub groups: [Amount; GROUPS],
    /// Cash in cents of the event's currency.
    pub cash: Amount,
    /// Cash in other currencies by their ISO 4217 codes.
    pub foreign: BTreeMap<String, ForeignCash>,
    /// Everything else that pays, in cents.
    pub other: Amount,
}

/// Cash in one foreign currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForeignCash {
    /// How much of it, in hundredths.
    pub amount: Amount,
    /// What it is worth in cents of the event's currency.
    pub worth: Amount,
}

impl ForeignCash {
    fn plus(self, other: Self) -> Result<Self, Overflow> {
        Ok(Self {
            amount: self.amount.plus(other.amount)?,
            worth: self.worth.plus(other.worth)?,
        })
    }

    fn negated(self) -> Result<Self, Overflow> {
        Ok(Self {
            amount: self.amount.negated()?,
            worth: self.worth.negated()?,
        })
    }
}

/// An order that cannot be told to a TSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProcessDataError {
    /// A sum does not fit.
    #[error("a sum of this order is larger than any amount this system can hold")]
    Overflow(#[from] Overflow),
    /// Sums and payments differ; a receipt that says so must not be signed.
    #[error("the sums add up to {sums}, the payments to {payments}")]
    Unbalanced {
        /// All groups.
        sums: Amount,
        /// Cash, foreign cash by its worth, and other.
        payments: Amount,
    },
}

/// The place of a tax key among the five sums. It is the legal category that counts, not the percentage: in 2020 the general rate was 16 % and still
/// the first.
pub const fn group(key: TaxKey) -> usize {
    match key.0 {
        1 | 11 | 21 => 0,
        2 | 12 | 22 => 1,
        3 => 2,
        4 => 3,
        _ => 4,
    }
}

impl Kassenbeleg {
    /// A cart that was given up: nothing was sold, and its transaction has to end.
    pub const ABORTED: Self = Self {
        kind: Vorgangstyp::Belegabbruch,
        groups: [Amount::ZERO; GROUPS],
        cash: Amount::ZERO,
        foreign: BTreeMap::new(),
        other: Amount::ZERO,
    };

    /// What an order is to a TSE. `replaced` is the order that a correction takes the place of: it is taken back on the same receipt.
    pub fn of_order(
        order: &Order,
        replaced: Option<&Order>,
        config: &Config,
        model: VoucherModel,
    ) -> Result<Self, ProcessDataError> {
        let mut receipt = Self::of_one(order, config, model)?;
        if let Some(replaced) = replaced {
            let before = Self::of_one(replaced, config, model)?;
            for (sum, taken_back) in receipt.groups.iter_mut().zip(before.groups) {
                *sum = sum.minus(taken_back)?;
            }
            receipt.cash = receipt.cash.minus(before.cash)?;
            for (code, taken_back) in before.foreign {
                let sum = receipt.foreign.entry(code).or_default();
                *sum = sum.plus(taken_back.negated()?)?;
            }
            receipt.other = receipt.other.minus(before.other)?;
        }
        receipt.check()?;
        Ok(receipt)
    }

    fn of_one(order: &Order, config: &Config, model: VoucherModel) -> Result<Self, ProcessDataError> {
        let kind = match order.kind {
            OrderKind::AbortedCart => return Ok(Self::ABORTED),
            OrderKind::Training => Vorgangstyp::Training,
            _ => Vorgangstyp::Beleg,
        };
        let mut receipt = Self { kind, ..Self::ABORTED };
        for line in &order.lines {
            receipt.add(group(line.tax), line.total()?)?;
        }
        for tender in &order.tenders {
            match tender.kind {
                TenderKind::Cash => receipt.take_cash(tender, config)?,
                TenderKind::Card => receipt.other = receipt.other.plus(tender.amount)?,
                TenderKind::Wristband => receipt.redeemed(tender.amount, model)?,
                // In units; what they are worth is in the lines.
                TenderKind::Voucher => {}
            }
        }
        for (_, cents) in pricing::covered_by_vouchers(config, &order.lines)?.into_values() {
            receipt.redeemed(cents, VoucherModel::VoucherLines)?;
        }
        Ok(receipt)
    }

    fn add(&mut self, group: usize, cents: Amount) -> Result<(), Overflow> {
        if let Some(sum) = self.groups.get_mut(group) {
            *sum = sum.plus(cents)?;
        }
        Ok(())
    }

    fn take_cash(&mut self, tender: &Tender, config: &Config) -> Result<(), Overflow> {
        match config.given(tender) {
            Some((currency, amount)) => {
                let sum = self.foreign.entry(currency.code.to_owned()).or_default();
                let worth = tender.amount;
                *sum = sum.plus(ForeignCash { amount, worth })?;
            }
            None => self.cash = self.cash.plus(tender.amount)?,
        }
        Ok(())
    }

    fn redeemed(&mut self, cents: Amount, model: VoucherModel) -> Result<(), Overflow> {
        match model {
            VoucherModel::VoucherLines => self.add(GROUPS - 1, cents.negated()?),
            VoucherModel::ElectronicMoney => {
                self.other = self.other.plus(cents)?;
                Ok(())
            }
        }
    }

    fn check(&self) -> Result<(), ProcessDataError> {
        let sums = Amount::sum(self.groups)?;
        let foreign = self.foreign.values().map(|cash| cash.worth);
        let payments = Amount::sum(foreign.chain([self.cash, self.other]))?;
        if sums == payments {
            Ok(())
        } else {
            Err(ProcessDataError::Unbalanced { sums, payments })
        }
    }
}

/// Euros and cents with a point, never `-0.00`.
struct Euros(Amount);

impl fmt::Display for Euros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.0;
        let sign = if cents < 0 { "-" } else { "" };
        write!(
            f,
            "{sign}{}.{:02}",
            cents.unsigned_abs() / 100,
            cents.unsigned_abs() % 100
        )
    }
}

/// As annex I writes it.
impl fmt::Display for Kassenbeleg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}^", self.kind.as_str())?;
        for (index, sum) in self.groups.iter().enumerate() {
            let separator = if index == 0 { "" } else { "_" };
            write!(f, "{separator}{}", Euros(*sum))?;
        }
        let mut separator = "^";
        let foreign = self.foreign.iter();
        let foreign = foreign.map(|(code, cash)| (cash.amount, "Bar:", code.as_str()));
        let payments = std::iter::once((self.cash, "Bar", ""))
            .chain(foreign)
            .chain([(self.other, "Unbar", "")]);
        for (amount, kind, code) in payments.filter(|(amount, ..)| !amount.is_zero()) {
            write!(f, "{separator}{}:{kind}{code}", Euros(amount))?;
            separator = "_";
        }
        if separator == "^" {
            f.write_str("^")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use fixtures::paper::PaperTill;
    use fixtures::sample::{self, CUP};
    use proptest::prelude::*;
    use shared_protocol::catalogue::FiscalClass;
    use shared_protocol::currency::Foreign;
    use shared_protocol::drawer::DrawerMove;
    use shared_protocol::order::Line;
    use shared_protocol::{ArticleId, AssetId};

    use super::*;

    fn till() -> PaperTill {
        PaperTill::that_books(&[OrderKind::Sale, OrderKind::Correction], 1)
    }

    /// Goods of the till's own taxpayer, one of each rate.
    fn goods(till: &PaperTill) -> BTreeMap<TaxKey, ArticleId> {
        let home = till.config.home_taxpayer(till.till);
        let own = till.config.articles.values().filter(|article| {
            Some(article.taxpayer) == home
                && article.price.is_some()
                && article.kind == shared_protocol::catalogue::ArticleKind::Goods
        });
        own.map(|article| (article.tax, article.id)).collect()
    }

    fn told(order: &Order, till: &PaperTill) -> String {
        Kassenbeleg::of_order(order, None, &till.config, VoucherModel::VoucherLines)
            .unwrap()
            .to_string()
    }

    fn paid_in(mut order: Order, kind: TenderKind) -> Order {
        for tender in &mut order.tenders {
            tender.kind = kind;
        }
        order
    }

    #[test]
    fn a_sale_from_a_wristband_redeems_a_voucher_and_pays_nothing() {
        let mut till = till();
        let beer = goods(&till)[&TaxKey::GENERAL];
        let price = till.config.articles[&beer].price.unwrap().0;
        let cup = till.config.articles[&CUP].price.unwrap().0;
        let order = till
            .cart(sample::wristband(1), &[(beer, 2), (CUP, 2)], &BTreeMap::new(), None)
            .remove(0);
        let total = 2 * (price + cup);
        let general = Euros(Amount(
            order
                .lines
                .iter()
                .filter(|line| line.tax == TaxKey::GENERAL)
                .map(|line| line.total().unwrap().0)
                .sum(),
        ));
        let text = told(&order, &till);
        assert!(text.starts_with(&format!("Beleg^{general}_")), "{text}");
        assert!(text.ends_with('^'), "no payment: {text}");
        let all: i64 = order.lines.iter().map(|line| line.total().unwrap().0).sum();
        assert_eq!(order.tenders[0].amount.0, all);
        assert!(all >= total / 2);
        let electronic = Kassenbeleg::of_order(&order, None, &till.config, VoucherModel::ElectronicMoney).unwrap();
        assert!(
            electronic
                .to_string()
                .ends_with(&format!("^{}:Unbar", Euros(Amount(all))))
        );
    }

    #[test]
    fn a_tip_to_the_staff_stands_in_the_group_without_tax_and_one_to_the_business_in_its_own() {
        let mut till = till();
        let beer = goods(&till)[&TaxKey::GENERAL];
        let sale = till
            .cart(sample::wristband(1), &[(beer, 1)], &BTreeMap::new(), None)
            .remove(0);
        let before = Kassenbeleg::of_order(&sale, None, &till.config, VoucherModel::ElectronicMoney).unwrap();
        let tipped = |tip| {
            let order = paid_in(till.with_tip(sale.clone(), tip, 150), TenderKind::Card);
            Kassenbeleg::of_order(&order, None, &till.config, VoucherModel::VoucherLines).unwrap()
        };
        let (staff, business) = (tipped(sample::TIP), tipped(sample::TIP_WINEGROWER));
        let plus = |group: usize| {
            let mut groups = before.groups;
            groups[group].0 += 150;
            (groups, Amount(before.other.0 + 150))
        };
        assert_eq!((staff.groups, staff.other), plus(GROUPS - 1));
        assert_eq!((business.groups, business.other), plus(0));
    }

    #[test]
    fn money_in_and_out_stands_in_the_group_without_tax() {
        let mut desk = PaperTill::that_books(&[OrderKind::TopUp, OrderKind::PayOut], 1);
        let mut order = desk.order(OrderKind::TopUp);
        order.lines = vec![PaperTill::money_line(shared_protocol::order::LineKind::TopUp, 1, 5_000)];
        order.tenders = vec![PaperTill::tender(TenderKind::Cash, Amount(5_000))];
        assert_eq!(told(&order, &desk), "Beleg^0.00_0.00_0.00_0.00_50.00^50.00:Bar");
        assert_eq!(
            told(&paid_in(order, TenderKind::Card), &desk),
            "Beleg^0.00_0.00_0.00_0.00_50.00^50.00:Unbar"
        );
        let mut order = desk.order(OrderKind::PayOut);
        order.lines = vec![PaperTill::money_line(
            shared_protocol::order::LineKind::PayOut,
            -1,
            1_250,
        )];
        order.tenders = vec![PaperTill::tender(TenderKind::Cash, Amount(-1_250))];
        assert_eq!(told(&order, &desk), "Beleg^0.00_0.00_0.00_0.00_-12.50^-12.50:Bar");
    }

    #[test]
    fn foreign_cash_is_told_in_its_own_currency_after_the_event_s() {
        let mut desk = PaperTill::that_books(&[OrderKind::TopUp], 1);
        desk.config = std::sync::Arc::new(sample::config_with_currencies());
        let given = |asset, amount, worth| Tender {
            foreign: Some(Foreign {
                asset,
                amount: Amount(amount),
            }),
            ..Tender::plain(TenderKind::Cash, Amount(worth))
        };
        let mut order = desk.order(OrderKind::TopUp);
        order.lines = vec![PaperTill::money_line(shared_protocol::order::LineKind::TopUp, 1, 4_820)];
        order.tenders = vec![
            given(sample::FRANC, 5_000, 5_350),
            Tender::plain(TenderKind::Cash, Amount(-530)),
        ];
        let sums = "Beleg^0.00_0.00_0.00_0.00_48.20^";
        assert_eq!(told(&order, &desk), format!("{sums}-5.30:Bar_50.00:Bar:CHF"));
        // One entry a currency, by its code; what it is worth together is what is owed.
        order.tenders = vec![
            given(sample::FRANC, 1_000, 1_070),
            given(sample::CROWN, 60_000, 2_430),
            given(sample::FRANC, 1_000, 1_070),
            Tender::plain(TenderKind::Card, Amount(250)),
        ];
        assert_eq!(
            told(&order, &desk),
            format!("{sums}20.00:Bar:CHF_600.00:Bar:CZK_2.50:Unbar")
        );
        let none = Kassenbeleg::of_order(&order, Some(&order), &desk.config, VoucherModel::VoucherLines).unwrap();
        assert_eq!(none.to_string(), "Beleg^0.00_0.00_0.00_0.00_0.00^");
        // Without the currency in the catalogue there is no code to tell it by.
        desk.config = std::sync::Arc::new(sample::config());
        assert_eq!(told(&order, &desk), format!("{sums}45.70:Bar_2.50:Unbar"));
    }

    #[test]
    fn a_drawer_is_told_as_cash_in_the_group_without_tax() {
        let mut desk = PaperTill::that_books(&[OrderKind::DrawerCount], 1);
        let mut said = |said: DrawerMove| {
            let mut order = desk.order(said.kind());
            order.lines = said.lines().unwrap();
            order.tenders = vec![said.tender().unwrap()];
            told(&order, &desk)
        };
        let float = Amount(10_000);
        assert_eq!(
            said(DrawerMove::Open { float }),
            "Beleg^0.00_0.00_0.00_0.00_100.00^100.00:Bar"
        );
        let amount = Amount(-2_050);
        assert_eq!(
            said(DrawerMove::Transit { amount }),
            "Beleg^0.00_0.00_0.00_0.00_-20.50^-20.50:Bar"
        );
        // The difference and what goes to the safe are lines of one receipt; together they are what was expected.
        let (expected, counted) = (Amount(35_000), Amount(34_800));
        assert_eq!(
            said(DrawerMove::Count { expected, counted }),
            "Beleg^0.00_0.00_0.00_0.00_-350.00^-350.00:Bar"
        );
        assert_eq!(
            said(DrawerMove::Open { float: Amount::ZERO }),
            "Beleg^0.00_0.00_0.00_0.00_0.00^"
        );
    }

    #[test]
    fn an_aborted_cart_is_all_zero_and_practice_says_so() {
        assert_eq!(
            Kassenbeleg::ABORTED.to_string(),
            "AVBelegabbruch^0.00_0.00_0.00_0.00_0.00^"
        );
        let mut till = till();
        let mut order = till.order(OrderKind::AbortedCart);
        assert_eq!(told(&order, &till), Kassenbeleg::ABORTED.to_string());
        order.kind = OrderKind::Training;
        assert!(told(&order, &till).starts_with("AVTraining^"));
    }

    #[test]
    fn a_correction_tells_the_difference_and_a_cancellation_turns_the_signs() {
        let mut till = till();
        let beer = goods(&till)[&TaxKey::GENERAL];
        let three = till
            .cart(sample::wristband(1), &[(beer, 3)], &BTreeMap::new(), None)
            .remove(0);
        let two = till
            .cart(sample::wristband(1), &[(beer, 2)], &BTreeMap::new(), None)
            .remove(0);
        let model = VoucherModel::VoucherLines;
        let three_told = Kassenbeleg::of_order(&three, None, &till.config, model).unwrap();
        let two_told = Kassenbeleg::of_order(&two, None, &till.config, model).unwrap();
        let difference = Kassenbeleg::of_order(&two, Some(&three), &till.config, model).unwrap();
        for ((sum, two), three) in difference.groups.iter().zip(two_told.groups).zip(three_told.groups) {
            assert_eq!(sum.0, two.0 - three.0);
        }
        let nothing = Kassenbeleg::of_order(&two, Some(&two), &till.config, model).unwrap();
        assert_eq!(nothing.to_string(), "Beleg^0.00_0.00_0.00_0.00_0.00^");
        let mut cancelled = three.clone();
        cancelled.kind = OrderKind::Cancel;
        cancelled
            .lines
            .iter_mut()
            .for_each(|line| line.quantity = -line.quantity);
        cancelled
            .tenders
            .iter_mut()
            .for_each(|tender| tender.amount = Amount(-tender.amount.0));
        let cancelled = Kassenbeleg::of_order(&cancelled, None, &till.config, model).unwrap();
        assert!(
            cancelled
                .groups
                .iter()
                .zip(three_told.groups)
                .all(|(back, sold)| back.0 == -sold.0)
        );
    }

    #[test]
    fn vouchers_that_pay_stand_below_zero_without_tax() {
        let config = sample::config();
        let paying = |asset: &AssetId| config.assets[asset].fiscal == FiscalClass::MultiPurpose;
        let dish = config
            .articles
            .values()
            .find(|article| article.vouchers.is_some_and(|price| paying(&price.asset)))
            .unwrap();
        let stall = config
            .tills
            .values()
            .find(|till| config.layouts[&till.layout].tiles.contains(&dish.id))
            .unwrap();
        let mut till = PaperTill::new(stall.id, 1);
        let owned = BTreeMap::from([(dish.vouchers.unwrap().asset, 9)]);
        let order = till.cart(sample::wristband(1), &[(dish.id, 1)], &owned, None).remove(0);
        let receipt = Kassenbeleg::of_order(&order, None, &till.config, VoucherModel::VoucherLines).unwrap();
        assert!(
            receipt.groups[4].is_negative() && receipt.cash.is_zero() && receipt.other.is_zero(),
            "{receipt}"
        );
    }

    #[test]
    fn what_does_not_add_up_is_not_told() {
        let mut till = till();
        let mut order = till.order(OrderKind::Sale);
        order.tenders = vec![PaperTill::tender(TenderKind::Cash, Amount(100))];
        assert_eq!(
            Kassenbeleg::of_order(&order, None, &till.config, VoucherModel::VoucherLines),
            Err(ProcessDataError::Unbalanced {
                sums: Amount::ZERO,
                payments: Amount(100)
            })
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_096))]

        #[test]
        fn groups_and_payments_always_add_up(
            lines in proptest::collection::vec((0_u8..30, -20_i32..20, 0_i64..100_000), 0..12),
            cash in 0_usize..4,
        ) {
            let mut till = till();
            let mut order = till.order(OrderKind::Sale);
            order.lines = lines
                .into_iter()
                .map(|(key, quantity, cents)| Line {
                    tax: TaxKey(key),
                    ..PaperTill::money_line(shared_protocol::order::LineKind::Goods, quantity, cents)
                })
                .collect();
            let total = order.total().unwrap();
            let kind = [TenderKind::Wristband, TenderKind::Cash, TenderKind::Card, TenderKind::Wristband][cash];
            order.tenders = vec![Tender { tag: Some(sample::wristband(1)), ..PaperTill::tender(kind, total) }];
            for model in [VoucherModel::VoucherLines, VoucherModel::ElectronicMoney] {
                let receipt = Kassenbeleg::of_order(&order, None, &till.config, model).unwrap();
                let text = receipt.to_string();
                prop_assert!(!text.contains("-0.00"), "{}", text);
                prop_assert_eq!(text.matches('^').count(), 2);
                prop_assert_eq!(text.split('^').nth(1).unwrap().split('_').count(), GROUPS);
            }
        }
    }
}
