//! What was redeemed, what was paid, and the tax in it. The sums are those that a TSE is told (`fiscal::process_data`).

use std::collections::BTreeMap;

use fiscal::VoucherModel;
use shared_protocol::catalogue::Text;
use shared_protocol::config::Config;
use shared_protocol::order::{Order, Tender, TenderKind};
use shared_protocol::tax::{TaxKey, TaxRate, tax_shares};
use shared_protocol::{Amount, AssetId, Overflow, pricing};

/// What a guest redeemed: a line below zero without tax, and no payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// Balance of a wristband, in cents.
    Balance(Amount),
    /// Vouchers that are a means of payment.
    Vouchers {
        /// How many.
        units: i64,
        /// What they are called.
        name: Option<Text>,
        /// What they are worth here, in cents.
        cents: Amount,
    },
}

impl Redeemed {
    /// In cents, above zero when the guest gave it.
    pub const fn cents(&self) -> Amount {
        match self {
            Self::Balance(cents) | Self::Vouchers { cents, .. } => *cents,
        }
    }
}

/// How a part was paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// How.
    pub kind: TenderKind,
    /// How much in cents; below zero went to the guest.
    pub amount: Amount,
    /// The notes and coins, where cash was in another currency than the event's.
    pub foreign: Option<Given>,
}

/// Cash in another currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Its ISO 4217 code.
    pub code: String,
    /// How much of it, in hundredths; the payment's sign.
    pub amount: Amount,
    /// What a whole unit counted as, in millionths of the event's unit.
    pub value: u32,
}

/// One row of the tax table, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxRow {
    /// What items name it by.
    pub letter: char,
    /// The legal category.
    pub key: TaxKey,
    /// The rate.
    pub rate: TaxRate,
    /// Without tax.
    pub net: Amount,
    /// The tax.
    pub tax: Amount,
    /// With tax.
    pub gross: Amount,
}

/// How an order was paid, added up.
#[derive(Default)]
pub(crate) struct Paid {
    balance: Amount,
    vouchers: BTreeMap<AssetId, (i64, Amount)>,
    kinds: BTreeMap<TenderKind, Amount>,
    foreign: BTreeMap<AssetId, (Given, Amount)>,
}

impl Paid {
    pub(crate) fn add(
        &mut self,
        order: &Order,
        config: Option<&Config>,
        model: VoucherModel,
        sign: i64,
    ) -> Result<(), Overflow> {
        for tender in &order.tenders {
            let cents = tender.amount.times(sign)?;
            match (tender.kind, model) {
                // In units; what they are worth is in the lines.
                (TenderKind::Voucher, _) => {}
                (TenderKind::Wristband, VoucherModel::VoucherLines) => self.balance = self.balance.plus(cents)?,
                (TenderKind::Cash, _) if self.foreign(tender, config, sign)? => {}
                (kind, _) => {
                    let sum = self.kinds.entry(kind).or_default();
                    *sum = sum.plus(cents)?;
                }
            }
        }
        let covered = config
            .map(|config| pricing::covered_by_vouchers(config, &order.lines))
            .transpose()?;
        for (asset, (units, cents)) in covered.unwrap_or_default() {
            let sum = self.vouchers.entry(asset).or_default();
            sum.0 = sum.0.saturating_add(units.saturating_mul(sign));
            sum.1 = sum.1.plus(cents.times(sign)?)?;
        }
        Ok(())
    }

    /// Adds what was paid in a foreign currency, and says whether it was.
    fn foreign(&mut self, tender: &Tender, config: Option<&Config>, sign: i64) -> Result<bool, Overflow> {
        let Some((currency, amount)) = config.and_then(|config| config.given(tender)) else {
            return Ok(false);
        };
        let none = || Given {
            code: currency.code.to_owned(),
            amount: Amount::ZERO,
            value: currency.value.get(),
        };
        let sum = self
            .foreign
            .entry(currency.asset)
            .or_insert_with(|| (none(), Amount::ZERO));
        sum.0.amount = sum.0.amount.plus(amount.times(sign)?)?;
        sum.1 = sum.1.plus(tender.amount.times(sign)?)?;
        Ok(true)
    }

    pub(crate) fn redeemed(&self, config: Option<&Config>) -> Vec<Redeemed> {
        let balance = (!self.balance.is_zero()).then_some(Redeemed::Balance(self.balance));
        let used = self.vouchers.iter().filter(|(_, (_, cents))| !cents.is_zero());
        let vouchers = used.map(|(asset, (units, cents))| Redeemed::Vouchers {
            units: *units,
            name: config
                .and_then(|config| config.assets.get(asset))
                .map(|asset| asset.name.clone()),
            cents: *cents,
        });
        balance.into_iter().chain(vouchers).collect()
    }

    /// Cash before card, as in the process data; other currencies first, since what comes back of them comes in the event's.
    pub(crate) fn payments(&self) -> Vec<Payment> {
        let foreign = self.foreign.values().map(|(given, worth)| Payment {
            kind: TenderKind::Cash,
            amount: *worth,
            foreign: Some(given.clone()),
        });
        let kinds = [TenderKind::Cash, TenderKind::Card, TenderKind::Wristband];
        let kinds = kinds.into_iter().filter_map(|kind| {
            Some(Payment {
                kind,
                amount: *self.kinds.get(&kind)?,
                foreign: None,
            })
        });
        foreign
            .chain(kinds)
            .filter(|payment| !payment.amount.is_zero())
            .collect()
    }
}

/// Letters of rows: A is the first. There are as many rows as keys and rates, which an event has a handful of.
fn letter(row: usize) -> char {
    ('A'..='Z').chain('a'..='z').nth(row).unwrap_or('*')
}

pub(crate) fn taxes(amounts: Vec<(TaxKey, TaxRate, Amount)>) -> Result<Vec<TaxRow>, Overflow> {
    let (_, sums) = tax_shares(amounts)?;
    let rows = sums.into_iter().enumerate().map(|(row, ((key, rate), sum))| {
        Ok(TaxRow {
            letter: letter(row),
            key,
            rate,
            net: sum.net()?,
            tax: sum.tax,
            gross: sum.gross,
        })
    });
    rows.collect()
}
