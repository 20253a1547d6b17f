//! Cash as hands count it: amounts people bring, notes they give, what goes back. It is shown; what is booked is the cart's matter.

use shared_protocol::Amount;
use shared_protocol::config::Event;

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
}
