//! However a festival goes: parts add up to the whole, and a statement says what the ledger says.

use dsfinvk::words::CaseKind;
use fixtures::sample::{CATERER, FRANC, ORGANISER, WINEGROWER};
use ledger::{Account, AccountKey};
use proptest::prelude::*;
use reports::Settled;
use reports::{Books, Sums, Wanted};
use shared_protocol::{AssetId, TaxpayerId, TillId};

use crate::festival::{Deed, Festival, played};

fn together<K: Ord>(books: &Books, of: impl Fn(&reports::Key) -> K) -> Sums {
    let mut sum = Sums::default();
    for part in books.by(|_| true, of).unwrap().values() {
        sum.add(part).unwrap();
    }
    sum
}

fn holds(festival: &Festival) -> Result<(), TestCaseError> {
    let books = festival.load(&Wanted::ALL);
    let whole = books.sum(|_| true).unwrap();
    prop_assert_eq!(&together(&books, |key| key.till), &whole);
    prop_assert_eq!(&together(&books, |key| (key.day, key.taxpayer)), &whole);
    prop_assert_eq!(&together(&books, |key| key.closing), &whole);
    prop_assert_eq!(&together(&books, |key| key.shift), &whole);
    let mut days = Sums::default();
    let of_days: std::collections::BTreeSet<u32> = books.groups.keys().map(|key| key.day).collect();
    for day in of_days {
        let of_day = festival.load(&Wanted::day(day)).sum(|_| true).unwrap();
        prop_assert_eq!(&of_day, &books.sum(|key| key.day == day).unwrap(), "{}", day);
        // A day is its closings with their supplements, and what is in none.
        let mut parts = books.sum(|key| key.day == day && key.closing.is_none()).unwrap();
        for row in books.closings.values().filter(|row| row.day == day) {
            let of_closing = festival.load(&Wanted::closing(row)).sum(|_| true).unwrap();
            prop_assert_eq!(of_closing.receipts, row.receipts);
            parts.add(&of_closing).unwrap();
        }
        prop_assert_eq!(&parts, &of_day);
        days.add(&of_day).unwrap();
    }
    prop_assert_eq!(&days, &whole);
    let mut tills = Sums::default();
    let of_tills: std::collections::BTreeSet<TillId> = books.groups.keys().map(|key| key.till).collect();
    for till in of_tills {
        let wanted = Wanted {
            till: Some(till),
            ..Wanted::ALL
        };
        tills.add(&festival.load(&wanted).sum(|_| true).unwrap()).unwrap();
    }
    prop_assert_eq!(&tills, &whole);
    for seller in [ORGANISER, CATERER, WINEGROWER] {
        statement(&books, seller)?;
    }
    // What sellers' accounts gained is all that is on them.
    for (key, cents) in &books.ledger {
        prop_assert_eq!(whole.account(&key.account), *cents, "{:?}", key.account);
    }
    let cash: i128 = whole.drawer.moved.0.into();
    prop_assert_eq!(cash, in_drawers(festival, AssetId::EURO));
    francs(festival, &whole)
}

/// What the ledger has on the accounts of these kinds, with the sign of what lies there.
fn lies(festival: &Festival, of: impl Fn(&AccountKey) -> bool) -> i128 {
    use store::Store as _;
    let totals = festival
        .store
        .reader()
        .unwrap()
        .totals(fixtures::sample::EVENT)
        .unwrap();
    let wanted = totals.accounts.iter().filter(|(key, _)| of(key));
    wanted.map(|(_, cents)| -cents).sum()
}

/// What the ledger has of a currency in all drawers.
fn in_drawers(festival: &Festival, currency: AssetId) -> i128 {
    lies(festival, |key| {
        matches!(key.account, Account::Cash { .. }) && key.asset == currency
    })
}

/// Francs are at the tills, and count as much, as the ledger says: no correction here takes any back.
fn francs(festival: &Festival, whole: &Sums) -> Result<(), TestCaseError> {
    let worth = lies(festival, |key| matches!(key.account, Account::ForeignCash { .. }));
    let said = whole.currencies.get(&FRANC).copied().unwrap_or_default();
    let notes = i128::from(said.guests.0.0 - said.handed_in.0.0);
    prop_assert_eq!(notes, in_drawers(festival, FRANC));
    prop_assert_eq!(i128::from(said.guests.1.0 - said.handed_in.1.0), worth);
    Ok(())
}

fn statement(books: &Books, seller: TaxpayerId) -> Result<(), TestCaseError> {
    let settled = Settled::of(books, seller).unwrap();
    prop_assert_eq!(settled.owed, settled.ledger_owed, "{}", seller);
    prop_assert_eq!(settled.deposits, settled.ledger_deposits, "{}", seller);
    let explained = settled.goods.0 + settled.discounts.0 + settled.foreign_deposits.0;
    prop_assert_eq!(explained + settled.unexplained.0, settled.payable.0);
    prop_assert_eq!(settled.payable.0 + settled.cleared.0 + settled.tips.0, settled.owed.0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn parts_add_up_and_statements_are_the_ledgers(
        deeds in proptest::collection::vec((0_u8..4, 0_u8..15, 0_u32..40), 9..60),
        waiting in 0_u64..6,
    ) {
        let deeds: Vec<Deed> = deeds;
        holds(&played(&deeds, waiting))?;
    }
}

#[test]
fn in_a_plain_festival_every_cent_of_a_statement_is_on_a_receipt() {
    // Without reversals, which another till may have made twice.
    let deeds: Vec<Deed> = (0_u32..120)
        .map(|step| {
            (
                u8::try_from(step % 4).unwrap(),
                [4, 6, 8, 9, 11, 12][step as usize % 6],
                step % 37,
            )
        })
        .collect();
    let books = played(&deeds, 0).load(&Wanted::ALL);
    for seller in [ORGANISER, CATERER, WINEGROWER] {
        let settled = Settled::of(&books, seller).unwrap();
        assert_eq!(settled.unexplained.0, 0, "{seller}");
        let own = books.sum(|key| key.taxpayer == seller).unwrap();
        let to_staff = own.gross(|key| key.case == CaseKind::TrinkgeldAn).unwrap();
        assert_eq!(settled.tips, to_staff, "{seller}");
        assert_eq!(settled.tips.0 > 0, seller == ORGANISER, "{seller}");
        assert!(settled.owed.0 > 0, "{seller} {settled:?}");
    }
    let caterer = Settled::of(&books, CATERER).unwrap();
    assert!(
        caterer.cleared.0 != 0 && caterer.foreign_deposits.0 == -caterer.cleared.0,
        "{caterer:?}"
    );
}
