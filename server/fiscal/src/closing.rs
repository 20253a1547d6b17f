//! Closings of tills (`Kassenabschluss`, Z): for each till, taxpayer and event day one, once the day is over; what arrives later goes into a supplement
//! with the next number. Numbers of closings (`Z_NR`) and of receipts (`BON_NR`) have no gaps.

use std::collections::BTreeMap;

use shared_protocol::{TaxpayerId, TillId};
use store::{ClosedItem, Closing, ClosingEnd, ClosingRow};

/// A till for whom it sells, on a day.
type Group = (String, TaxpayerId, u32);

/// Something that came off and is in no closing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclosed {
    /// What.
    pub item: ClosedItem,
    /// The till as its TSE knows it.
    pub client: String,
    /// For whose orders.
    pub taxpayer: TaxpayerId,
    /// The till.
    pub till: TillId,
    /// Its event day, `yyyymmdd`.
    pub day: u32,
}

/// The closings of everything up to and with a day. `next_id` is that of the first of them; `ends` is where the numbers of the tills stand.
///
/// A day that was closed before, or lies before one that was, gives a supplement. The order of the items does not matter: receipts are numbered in
/// the order of the journal, carts that were given up after them.
pub fn close(
    items: impl IntoIterator<Item = Unclosed>,
    ends: &[ClosingEnd],
    last_day: u32,
    next_id: u64,
    now_ms: u64,
) -> Vec<Closing> {
    let mut groups = BTreeMap::<Group, (TillId, Vec<ClosedItem>)>::new();
    for one in items.into_iter().filter(|one| one.day <= last_day) {
        let group = groups.entry((one.client, one.taxpayer, one.day));
        group.or_insert_with(|| (one.till, Vec::new())).1.push(one.item);
    }
    let mut numbers: BTreeMap<(&str, TaxpayerId), (u64, u64, u32)> = ends
        .iter()
        .map(|end| {
            let stand = (end.z_no, end.next_receipt, end.last_day);
            ((end.client.as_str(), end.taxpayer), stand)
        })
        .collect();
    let mut closings = Vec::new();
    for (((client, taxpayer, day), (till, items)), id) in groups.iter_mut().zip(next_id..) {
        items.sort_unstable();
        items.dedup();
        let (z_no, next_receipt, closed) = numbers.entry((client, *taxpayer)).or_insert((0, 1, 0));
        let row = ClosingRow {
            id,
            client: client.clone(),
            taxpayer: *taxpayer,
            till: *till,
            z_no: *z_no + 1,
            day: *day,
            made_at_ms: now_ms,
            supplement: *day <= *closed,
            first_receipt: *next_receipt,
            receipts: items.len() as u64,
        };
        (*z_no, *closed) = (row.z_no, (*closed).max(*day));
        *next_receipt += row.receipts;
        closings.push(Closing {
            row,
            items: std::mem::take(items),
        });
    }
    closings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use store::TseNo;

    use super::*;

    fn order(no: u64, till: u32, day: u32) -> Unclosed {
        Unclosed {
            item: ClosedItem::Order(no),
            client: format!("TILL-{till}"),
            taxpayer: TaxpayerId(1),
            till: TillId(till),
            day,
        }
    }

    #[test]
    fn a_day_that_is_over_is_closed_for_each_till_and_what_comes_later_is_a_supplement() {
        let given_up = Unclosed {
            item: ClosedItem::GivenUp(TseNo(1), 7),
            ..order(0, 1, 17)
        };
        let items = [
            order(5, 1, 17),
            given_up,
            order(2, 1, 17),
            order(3, 2, 17),
            order(4, 1, 18),
        ];
        let made = close(items, &[], 17, 1, 99);
        let said: Vec<_> = made
            .iter()
            .map(|closing| (&*closing.row.client, closing.row.z_no, closing.items.len()))
            .collect();
        assert_eq!(said, [("TILL-1", 1, 3), ("TILL-2", 1, 1)]);
        let first = [
            ClosedItem::Order(2),
            ClosedItem::Order(5),
            ClosedItem::GivenUp(TseNo(1), 7),
        ];
        assert_eq!(made[0].items, first);
        let ends = [ClosingEnd {
            client: "TILL-1".to_owned(),
            taxpayer: TaxpayerId(1),
            z_no: 1,
            next_receipt: 4,
            last_day: 17,
        }];
        let later = close([order(4, 1, 18), order(9, 1, 17), order(8, 1, 16)], &ends, 18, 3, 100);
        let said: Vec<_> = later
            .iter()
            .map(|closing| {
                (
                    closing.row.id,
                    closing.row.z_no,
                    closing.row.day,
                    closing.row.supplement,
                    closing.row.first_receipt,
                )
            })
            .collect();
        assert_eq!(said, [(3, 2, 16, true, 4), (4, 3, 17, true, 5), (5, 4, 18, false, 6)]);
    }

    proptest! {
        /// However orders arrive and whenever it is closed: numbers have no gaps, and every order is in one closing.
        #[test]
        fn numbers_have_no_gaps(rounds in proptest::collection::vec((proptest::collection::vec((1_u32..4, 1_u32..6), 0..20), 1_u32..6), 1..6)) {
            let (mut made, mut ends, mut left, mut no) = (Vec::<Closing>::new(), Vec::<ClosingEnd>::new(), Vec::new(), 0);
            for (orders, last_day) in rounds {
                for (till, day) in orders {
                    no += 1;
                    left.push(order(no, till, day));
                }
                let next_id = made.len() as u64 + 1;
                made.extend(close(left.clone(), &ends, last_day, next_id, 1));
                left.retain(|one| one.day > last_day);
                let clients: BTreeSet<_> = made.iter().map(|closing| closing.row.client.clone()).collect();
                ends = clients.into_iter().map(|client| {
                    let own: Vec<_> = made.iter().map(|closing| &closing.row).filter(|row| row.client == client).collect();
                    ClosingEnd {
                        z_no: own.len() as u64,
                        next_receipt: own.iter().map(|row| row.receipts).sum::<u64>() + 1,
                        last_day: own.iter().map(|row| row.day).max().unwrap_or(0),
                        taxpayer: TaxpayerId(1),
                        client,
                    }
                }).collect();
            }
            for end in &ends {
                let mut next = (1, 1);
                for row in made.iter().map(|closing| &closing.row).filter(|row| row.client == end.client) {
                    prop_assert_eq!((row.z_no, row.first_receipt), next);
                    next = (row.z_no + 1, row.first_receipt + row.receipts);
                }
            }
            let closed = made.iter().map(|closing| closing.items.len()).sum::<usize>();
            prop_assert_eq!(closed + left.len(), usize::try_from(no).unwrap());
        }
    }
}
