//! Cash as hands count it: amounts people bring, notes they give, what goes back. It is shown; what is booked is the cart's matter.

use shared_protocol::Amount;
use shared_protocol::config::Event;
use shared_protocol::currency::Currency;

/// Notes and coins of the euro, the largest first.
pub const PIECES: [Amount; 14] = [
    Amount(20_000),
    Amount(10_000),
    Amount(5_000),
    Amount(2_000),
    Amount(1_000),
    Amount(500),
    Amount(200),
    Amount(100),
    Amount(50),
    Amount(20),
    Amount(10),
    Amount(5),
    Amount(2),
    Amount(1),
];

/// Amounts people bring, in cents.
const PRESETS: [i64; 6] = [500, 1_000, 2_000, 3_000, 5_000, 10_000];
/// What guests pay with, in cents.
const NOTES: [i64; 6] = [500, 1_000, 2_000, 5_000, 10_000, 20_000];
/// Offers of change; more would be read slower than change is counted.
const OFFERS_MAX: usize = 3;

/// Amounts to touch for a top-up, as far as one may be so small or so large.
pub fn presets(event: &Event) -> Vec<Amount> {
    let allowed = event.top_up_min..=event.top_up_max;
    let presets = PRESETS.into_iter().map(Amount);
    presets.filter(|amount| allowed.contains(amount)).collect()
}

/// Notes a guest may give for an amount, with what goes back then.
pub fn offers(amount: Amount) -> Vec<(Amount, Amount)> {
    let larger = NOTES.into_iter().map(Amount).filter(|note| *note > amount);
    let offers = larger.filter_map(|note| Some((note, note.minus(amount).ok()?)));
    offers.take(OFFERS_MAX).collect()
}

/// What a guest may give of another currency for an amount, with what goes back in the event's: the least, in whole units, and notes above it.
pub fn foreign_offers(currency: &Currency<'_>, amount: Amount) -> Vec<(Amount, Amount)> {
    let mut given: Vec<i64> = Vec::new();
    if let Ok(needed) = currency.needed(amount) {
        given.extend(needed.0.checked_add(99).map(|needed| needed / 100 * 100));
        let powers = (3..12_u32).flat_map(|power| [1, 2, 5].map(|first| first * 10_i64.pow(power)));
        given.extend(powers.filter(|note| *note >= needed.0).take(OFFERS_MAX));
    }
    given.dedup();
    let change = |given: i64| Some((Amount(given), currency.worth(Amount(given)).ok()?.minus(amount).ok()?));
    given.into_iter().filter_map(change).take(OFFERS_MAX + 1).collect()
}

/// An amount in notes and coins, the fewest: what one is worth, and how many. Nothing for one that is not above zero.
pub fn in_pieces(amount: Amount) -> Vec<(Amount, i64)> {
    let mut left = amount.0.max(0);
    let mut pieces = Vec::new();
    for worth in PIECES {
        let count = left / worth.0;
        left -= count * worth.0;
        if count > 0 {
            pieces.push((worth, count));
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_back_adds_up_in_notes_and_coins() {
        for amount in [0, 1, 499, 3_785, 31_234, -5] {
            let pieces = in_pieces(Amount(amount));
            let sum: i64 = pieces.iter().map(|(worth, count)| worth.0 * count).sum();
            assert_eq!(sum, amount.max(0));
        }
        assert_eq!(offers(Amount(2_000)).first(), Some(&(Amount(5_000), Amount(3_000))));
        assert!(offers(Amount(20_000)).is_empty());
    }

    #[test]
    fn francs_are_offered_from_what_is_needed_on_with_change_in_euros() {
        let config = crate::testing::config();
        let francs = config.currency(crate::testing::FRANC).unwrap();
        let offers = |cents| -> Vec<(i64, i64)> {
            let offers = foreign_offers(&francs, Amount(cents)).into_iter();
            offers.map(|(given, change)| (given.0, change.0)).collect()
        };
        assert_eq!(
            offers(1_400),
            [(1_400, 98), (2_000, 740), (5_000, 3_950), (10_000, 9_300)]
        );
        assert_eq!(offers(1_070), [(1_000, 0), (2_000, 1_070), (5_000, 4_280)]);
    }
}
