//! Lots: units of an expiring asset that end on the same day are one lot, and what expires first is used first.

use shared_protocol::Amount;

/// Whether units good until `expires_at_ms` are over: the end itself is no longer valid.
pub const fn is_over(expires_at_ms: u64, now_ms: u64) -> bool {
    expires_at_ms <= now_ms
}

/// Part of an amount, taken from one lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The lot, by its end of validity in ms since 1970.
    pub expires_at_ms: u64,
    /// How much of it.
    pub amount: Amount,
}

/// Why lots do not give what is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing(pub Amount);

/// Takes `wanted` (above zero) from lots that are still valid, the one that ends first before the others.
///
/// `lots` come in the order of their end; empty ones are skipped.
pub fn first_to_expire(
    lots: impl IntoIterator<Item = (u64, Amount)>,
    wanted: Amount,
    now_ms: u64,
) -> Result<Vec<Share>, Missing> {
    let mut shares = Vec::new();
    let mut open = wanted;
    for (expires_at_ms, left) in lots {
        if !open.is_positive() {
            break;
        }
        if is_over(expires_at_ms, now_ms) || !left.is_positive() {
            continue;
        }
        let amount = left.min(open);
        shares.push(Share { expires_at_ms, amount });
        // Exact: the share is the smaller of the two, and both are above zero.
        open = Amount(open.0.saturating_sub(amount.0));
    }
    if open.is_positive() {
        Err(Missing(open))
    } else {
        Ok(shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(lots: &[(u64, i64)], wanted: i64, now_ms: u64) -> Result<Vec<(u64, i64)>, i64> {
        first_to_expire(
            lots.iter().map(|(end, left)| (*end, Amount(*left))),
            Amount(wanted),
            now_ms,
        )
        .map(|shares| {
            shares
                .iter()
                .map(|share| (share.expires_at_ms, share.amount.0))
                .collect()
        })
        .map_err(|Missing(amount)| amount.0)
    }

    #[test]
    fn what_expires_first_is_used_first_and_no_more_than_is_wanted() {
        assert_eq!(take(&[(10, 2), (20, 3), (30, 9)], 4, 5), Ok(vec![(10, 2), (20, 2)]));
        assert_eq!(take(&[(10, 2), (20, 3)], 2, 5), Ok(vec![(10, 2)]));
    }

    #[test]
    fn a_lot_is_over_at_its_end_and_is_not_spent() {
        assert_eq!(take(&[(10, 2), (20, 3)], 3, 9), Ok(vec![(10, 2), (20, 1)]));
        assert_eq!(take(&[(10, 2), (20, 3)], 3, 10), Ok(vec![(20, 3)]));
    }

    #[test]
    fn lots_that_are_too_small_say_how_much_is_missing() {
        assert_eq!(take(&[(10, 2), (20, 3)], 7, 5), Err(2));
        assert_eq!(take(&[(10, 2), (20, 3)], 4, 15), Err(1));
        assert_eq!(take(&[], 1, 0), Err(1));
    }

    #[test]
    fn used_up_lots_give_no_share() {
        assert_eq!(take(&[(10, 0), (20, 3)], 1, 5), Ok(vec![(20, 1)]));
    }
}
