//! Cash in another currency than the event's: what it is worth, and how much of it covers an amount.
//!
//! The event names one value for each currency: what one whole unit of it counts as, in millionths of the event's unit. Amounts are in hundredths on both
//! sides (DSFinV-K writes two places for every currency). What is left of a cent stays with the house: a worth is rounded towards zero, what is needed up.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Asset, FiscalClass};
use crate::config::Config;
use crate::ids::AssetId;
use crate::money::{Amount, Overflow};
use crate::order::Tender;

/// Decimal places of every foreign currency.
pub const SCALE: u8 = 2;

/// Parts of the event's unit that a [value](Currency::value) is in.
const PARTS: i128 = 1_000_000;

/// Cash in a foreign currency, as a tender names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Foreign {
    /// Which currency: an asset of class [`FiscalClass::ForeignMoney`].
    pub asset: AssetId,
    /// How much of it in hundredths; the tender's sign.
    pub amount: Amount,
}

/// A foreign currency that an event takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency<'a> {
    /// Its asset.
    pub asset: AssetId,
    /// Its ISO 4217 code.
    pub code: &'a str,
    /// What one whole unit counts as, in millionths of the event's unit.
    pub value: NonZeroU32,
}

impl<'a> Currency<'a> {
    /// The currency that an asset is; none for any other asset.
    pub fn of(asset: &'a Asset) -> Option<Self> {
        let value = asset.value.and_then(NonZeroU32::new)?;
        (asset.fiscal == FiscalClass::ForeignMoney).then_some(Self {
            asset: asset.id,
            code: &asset.code,
            value,
        })
    }

    /// What an amount of it is worth in the event's cents, rounded towards zero, so that what is taken back is worth what it was.
    pub fn worth(&self, amount: Amount) -> Result<Amount, Overflow> {
        Amount::from_wide(i128::from(amount.0) * i128::from(self.value.get()) / PARTS)
    }

    /// The least of it that is worth `due` cents of the event's, in hundredths; nothing for what is not above zero.
    pub fn needed(&self, due: Amount) -> Result<Amount, Overflow> {
        let value = i128::from(self.value.get());
        Amount::from_wide((i128::from(due.0.max(0)) * PARTS + value - 1) / value)
    }
}

impl Config {
    /// The foreign currency that an asset is here.
    pub fn currency(&self, asset: AssetId) -> Option<Currency<'_>> {
        self.assets.get(&asset).and_then(Currency::of)
    }

    /// What a payment gave of a foreign currency, in hundredths. None for the event's own and for one that is not known here: of that only the worth can
    /// be told, to a TSE as on a receipt and in an export.
    pub fn given(&self, tender: &Tender) -> Option<(Currency<'_>, Amount)> {
        let foreign = tender.foreign?;
        Some((self.currency(foreign.asset)?, foreign.amount))
    }

    /// All foreign currencies that the event takes, by the numbers of their assets.
    pub fn currencies(&self) -> impl Iterator<Item = Currency<'_>> {
        self.assets.values().filter_map(Currency::of)
    }
}

/// Whether a foreign currency is described as the rules need it; says what is wrong when not.
pub(crate) fn check(asset: &Asset, own: &str) -> Result<(), &'static str> {
    if asset.fiscal != FiscalClass::ForeignMoney {
        return if asset.value.is_none() {
            Ok(())
        } else {
            Err("only a foreign currency has a value in the event's")
        };
    }
    if asset.code.len() != 3 || !asset.code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err("a foreign currency is named by its ISO 4217 code, three capitals");
    }
    if asset.code == own {
        return Err("the event's own currency is no foreign one");
    }
    if asset.scale != SCALE {
        return Err("a foreign currency is counted in hundredths");
    }
    if asset.value.is_none_or(|value| value == 0) {
        return Err("a foreign currency needs a value in the event's, above zero");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(value: u32) -> Currency<'static> {
        Currency {
            asset: AssetId(9),
            code: "CHF",
            value: NonZeroU32::new(value).unwrap(),
        }
    }

    #[test]
    fn francs_and_crowns_are_worth_what_the_event_says() {
        let francs = currency(1_070_000);
        assert_eq!(francs.worth(Amount(5_000)), Ok(Amount(5_350)));
        assert_eq!(francs.worth(Amount(-5_000)), Ok(Amount(-5_350)));
        assert_eq!(francs.needed(Amount(4_820)), Ok(Amount(4_505)));
        let crowns = currency(40_500);
        assert_eq!(crowns.worth(Amount(20_000)), Ok(Amount(810)));
        assert_eq!(crowns.needed(Amount(450)), Ok(Amount(11_112)));
        assert_eq!(crowns.worth(Amount(1)), Ok(Amount::ZERO));
        assert_eq!(crowns.needed(Amount(-3)), Ok(Amount::ZERO));
        assert_eq!(currency(u32::MAX).worth(Amount(i64::MAX)), Err(Overflow));
        assert_eq!(currency(1).needed(Amount(i64::MAX)), Err(Overflow));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn what_is_needed_covers_and_no_less_does(due in 0_i64..10_000_000_000, value in 1_u32..) {
            let currency = currency(value);
            let needed = currency.needed(Amount(due)).unwrap();
            prop_assert!(currency.worth(needed).unwrap().0 >= due);
            if needed.is_positive() {
                prop_assert!(currency.worth(Amount(needed.0 - 1)).unwrap().0 < due);
            }
        }

        #[test]
        fn what_is_taken_back_is_worth_what_it_was(amount in -10_000_000_000_i64..10_000_000_000, value in 1_u32..) {
            let currency = currency(value);
            let worth = currency.worth(Amount(amount)).unwrap();
            prop_assert_eq!(currency.worth(Amount(-amount)).unwrap(), Amount(-worth.0));
        }
    }
}
