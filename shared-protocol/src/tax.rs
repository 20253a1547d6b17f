//! Value added tax inside gross prices.
//!
//! Rounding, stated once: the tax of one rate in an order is `gross * rate / (100 % + rate)` of that rate's gross sum, rounded half away
//! from zero. A line's share is the difference of that figure with and without the line, in line order, so the lines of a rate always
//! add up to the rate's tax to the cent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::money::{Amount, Overflow, round_half_away};

/// The tax key of DSFinV-K (`UST_SCHLUESSEL`): 1 general, 2 reduced, 3 and 4 average rates of farming, 5 not taxable, 6 exempt, 7 reverse charge; 11 and up
/// are other rates an event defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaxKey(pub u8);

impl TaxKey {
    /// The general rate.
    pub const GENERAL: Self = Self(1);
    /// The reduced rate.
    pub const REDUCED: Self = Self(2);
    /// Not taxable: deposits of value, top-ups, pay-outs.
    pub const NOT_TAXABLE: Self = Self(5);
}

/// A rate in hundredths of a percent: 19 % is 1,900.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaxRate(pub u16);

impl TaxRate {
    /// No tax.
    pub const ZERO: Self = Self(0);
}

/// One hundred percent in the unit of [`TaxRate`].
const WHOLE: i128 = 10_000;

/// The tax inside a gross amount.
pub fn tax_in_gross(gross: Amount, rate: TaxRate) -> Amount {
    let rate = i128::from(rate.0);
    let tax = round_half_away(i128::from(gross.0) * rate, WHOLE + rate);
    // The tax is a fraction of the gross amount, so it always fits.
    Amount::from_wide(tax).unwrap_or(Amount::ZERO)
}

/// Gross, tax and net of one key and rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TaxSum {
    /// What was charged.
    pub gross: Amount,
    /// The tax inside it.
    pub tax: Amount,
}

impl TaxSum {
    /// What remains without the tax.
    pub fn net(&self) -> Result<Amount, Overflow> {
        self.gross.minus(self.tax)
    }
}

/// Sums by key and rate.
pub type TaxSums = BTreeMap<(TaxKey, TaxRate), TaxSum>;

/// Adds up gross amounts by key and rate; gives each amount's own share of the tax, in order, and the sums.
pub fn tax_shares(
    amounts: impl IntoIterator<Item = (TaxKey, TaxRate, Amount)>,
) -> Result<(Vec<Amount>, TaxSums), Overflow> {
    let mut sums = TaxSums::new();
    let mut shares = Vec::new();
    for (key, rate, gross) in amounts {
        let sum = sums.entry((key, rate)).or_default();
        sum.gross = sum.gross.plus(gross)?;
        let tax = tax_in_gross(sum.gross, rate);
        shares.push(tax.minus(sum.tax)?);
        sum.tax = tax;
    }
    Ok((shares, sums))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_taxes() {
        assert_eq!(tax_in_gross(Amount(450), TaxRate(1_900)), Amount(72));
        assert_eq!(tax_in_gross(Amount(1_070), TaxRate(700)), Amount(70));
        assert_eq!(tax_in_gross(Amount(-450), TaxRate(1_900)), Amount(-72));
        assert_eq!(tax_in_gross(Amount(200), TaxRate::ZERO), Amount(0));
        assert_eq!(
            tax_in_gross(Amount(i64::MAX), TaxRate(1_900)),
            Amount(1_472_639_232_775_132_272)
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn line_taxes_add_up_to_the_tax_of_the_rate(lines in prop::collection::vec((0u8..3, -100_000i64..100_000), 0..40)) {
            let rates = [TaxRate(1_900), TaxRate(700), TaxRate::ZERO];
            let amounts: Vec<_> = lines
                .iter()
                .map(|(key, gross)| (TaxKey(*key), rates[usize::from(*key)], Amount(*gross)))
                .collect();
            let (shares, sums) = tax_shares(amounts.iter().copied()).unwrap();
            for ((key, rate), sum) in &sums {
                let own = amounts.iter().zip(&shares).filter(|((k, ..), _)| k == key).map(|(_, share)| *share);
                prop_assert_eq!(Amount::sum(own).unwrap(), sum.tax);
                prop_assert_eq!(tax_in_gross(sum.gross, *rate), sum.tax);
            }
        }

        #[test]
        fn a_mirrored_order_has_the_mirrored_tax(lines in prop::collection::vec(-100_000i64..100_000, 0..40)) {
            let of = |sign: i64| lines.iter().map(move |gross| (TaxKey(1), TaxRate(1_900), Amount(gross * sign))).collect::<Vec<_>>();
            let (shares, _) = tax_shares(of(1)).unwrap();
            let (mirrored, _) = tax_shares(of(-1)).unwrap();
            prop_assert_eq!(shares.iter().map(|share| Amount(-share.0)).collect::<Vec<_>>(), mirrored);
        }
    }
}
