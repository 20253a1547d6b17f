//! Whether a batch can count what the event charges. Once wristbands are encoded nothing of it can be changed.

use shared_protocol::catalogue::FiscalClass;
use shared_protocol::config::Config;
use shared_protocol::purse::list::VOUCHER_KINDS;
use shared_protocol::purse::{ChainId, PurseSettings};
use shared_protocol::{Amount, AssetId};

fn divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { divisor(b, a % b) }
}

/// The largest step that every price and the unit of the desks are multiples of.
pub(super) fn step(config: &Config, desk_unit: u16) -> u16 {
    let prices = config.articles.values().filter_map(|article| article.price);
    let step = prices.fold(i64::from(desk_unit), |step, price| divisor(step, price.0));
    u16::try_from(step).unwrap_or(desk_unit)
}

/// Units that fit the event: half euros at the desks, and for what is given back the largest step up to ten cents that all prices are multiples of.
pub(super) fn units(config: &Config) -> [u16; 3] {
    let [desk, most, _] = PurseSettings::usual(0).unit_cents;
    let back = divisor(i64::from(step(config, desk)), i64::from(most));
    let back = u16::try_from(back).unwrap_or(1);
    [desk, back, back]
}

fn euros(Amount(cents): Amount) -> String {
    format!("{}.{:02}", cents / 100, (cents % 100).abs())
}

/// Everything that these settings cannot count, each in a sentence; empty when they fit the event.
pub(super) fn misfits(config: &Config, settings: &PurseSettings, vouchers: &[AssetId]) -> Vec<String> {
    let mut misfits = Vec::new();
    for article in config.articles.values() {
        let Some(price) = article.price else { continue };
        for chain in [ChainId::Server, ChainId::Return] {
            let unit = i64::from(settings.unit_of(chain).max(1));
            if price.0 % unit != 0 {
                misfits.push(format!(
                    "{} costs {} EUR, which the {chain:?} chain cannot give back in steps of {unit} cents",
                    article.name.en,
                    euros(price)
                ));
            }
        }
    }
    let desk = i64::from(settings.unit_of(ChainId::Desk).max(1));
    for (name, amount) in [
        ("smallest", config.event.top_up_min),
        ("largest", config.event.top_up_max),
    ] {
        if amount.0 % desk != 0 {
            misfits.push(format!(
                "the {name} top-up of {} EUR is not a whole number of the desks' steps of {desk} cents",
                euros(amount)
            ));
        }
    }
    let held = i64::from(settings.unit_of(ChainId::Desk)) * i64::from(settings.length_of(ChainId::Desk));
    if held < config.event.balance_max.0 {
        misfits.push(format!(
            "a desk can credit {} EUR in the whole life of a wristband, which is less than the {} EUR it may hold at once",
            euros(Amount(held)),
            euros(config.event.balance_max)
        ));
    }
    if vouchers.len() > VOUCHER_KINDS {
        misfits.push(format!("a purse counts {VOUCHER_KINDS} kinds of vouchers at most"));
    }
    for (asset, weight) in vouchers.iter().zip(settings.weight_cents) {
        let Some(known) = config.assets.get(asset) else {
            misfits.push(format!("there is no asset {asset}"));
            continue;
        };
        if matches!(
            known.fiscal,
            FiscalClass::Money | FiscalClass::Deposit | FiscalClass::ForeignMoney
        ) {
            misfits.push(format!("{} is no voucher", known.code));
        }
        let bought = config.articles.values().filter_map(|article| {
            let price = article.vouchers.filter(|price| price.asset == *asset)?;
            Some((article, article.price?, i64::from(price.units)))
        });
        for (article, price, units) in bought {
            if i64::from(weight) * units < price.0 {
                misfits.push(format!(
                    "a voucher {} that sets {} EUR aside is worth less than {} for {} EUR, which it buys",
                    known.code,
                    euros(Amount(i64::from(weight))),
                    article.name.en,
                    euros(price)
                ));
            }
        }
    }
    if let Err(fault) = settings.check(step(config, settings.unit_of(ChainId::Desk))) {
        misfits.push(fault.to_string());
    }
    misfits
}

#[cfg(test)]
mod tests {
    use fixtures::sample;

    use super::*;

    fn fitting() -> PurseSettings {
        PurseSettings {
            unit_cents: units(&sample::config()),
            ..PurseSettings::usual(1)
        }
    }

    #[test]
    fn a_bottle_with_a_deposit_of_25_cents_asks_for_steps_of_five() {
        let config = sample::config();
        assert_eq!(units(&config), [50, 5, 5]);
        assert_eq!(misfits(&config, &fitting(), &[]), Vec::<String>::new());
        let said = misfits(&config, &PurseSettings::usual(1), &[]).join("\n");
        assert!(said.contains("0.25 EUR") && said.contains("Return chain"), "{said}");
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let mut config = sample::config();
        let pils = config.articles.get_mut(&sample::PILS).unwrap();
        pils.price = Some(Amount(4_53));
        let said = misfits(&config, &fitting(), &[]).join("\n");
        assert!(said.contains("4.53 EUR") && said.contains("Server chain"), "{said}");
        let config = sample::config();
        let light = PurseSettings {
            weight_cents: [50, 0],
            ..fitting()
        };
        let said = misfits(&config, &light, &[sample::DRINK]).join("\n");
        assert!(said.contains("DRINK") && said.contains("0.50 EUR"), "{said}");
        let odd = PurseSettings {
            unit_cents: [300, 10, 10],
            length: [100, 1_000, 100],
            ..PurseSettings::usual(1)
        };
        let said = misfits(&config, &odd, &[AssetId(99)]).join("\n");
        for wanted in ["smallest top-up of 5.00", "in the whole life", "no asset 99"] {
            assert!(said.contains(wanted), "{wanted}: {said}");
        }
    }
}
