//! Drawers of tills: float, cash in and out, count.

use crate::common::{SELLER, Server, Till, known, tag, till_that_books};
use festival::CaseKind;
use ledger::Account;
use proptest::prelude::*;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::order::{LineKind, OrderKind};
use shared_protocol::{Amount, AssetId};

fn desk(server: &mut Server) -> Till {
    till_that_books(server, &[OrderKind::PayOut, OrderKind::DrawerCount], 1)
}

const FLOAT: DrawerMove = DrawerMove::Open { float: Amount(10_000) };

const fn count(expected: i64, counted: i64) -> DrawerMove {
    DrawerMove::Count {
        expected: Amount(expected),
        counted: Amount(counted),
    }
}

/// What the books say is in the till, in the safe, and what counts found over or missing.
fn cash(server: &mut Server, till: &Till) -> [i128; 3] {
    [
        Account::Cash { till: till.till },
        Account::Safe,
        Account::CashDifference { till: till.till },
    ]
    .map(|account| server.balance(account, AssetId::EURO))
}

#[test]
fn a_counted_drawer_gives_everything_to_the_safe_and_books_what_is_missing() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    desk.drawer(FLOAT);
    desk.top_up(tag(1), 2_000);
    desk.pay_out(tag(1), 500);
    server.sync(&mut desk);
    assert_eq!(cash(&mut server, &desk), [-11_500, 10_000, 0]);
    desk.drawer(DrawerMove::Transit { amount: Amount(-5_000) });
    desk.drawer(count(6_500, 6_300));
    server.sync(&mut desk);
    assert_eq!(cash(&mut server, &desk), [0, 10_000 - 5_000 - 6_300, -200]);
    desk.drawer(FLOAT);
    desk.drawer(count(10_000, 10_050));
    server.sync(&mut desk);
    assert_eq!(cash(&mut server, &desk), [0, -1_350, -150]);
    assert_eq!(server.money(tag(1)), 1_500);
    assert_eq!(server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO), 0);
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn a_count_that_comes_with_its_orders_in_one_batch_or_behind_projected_sums_is_held_against_all_of_them() {
    for projected in [false, true] {
        let mut server = Server::new();
        let mut desk = desk(&mut server);
        desk.drawer(FLOAT);
        desk.top_up(tag(1), 2_000);
        server.sync(&mut desk);
        if projected {
            assert_eq!(cash(&mut server, &desk)[0], -12_000);
        }
        desk.top_up(tag(2), 1_000);
        desk.drawer(count(13_000, 13_000));
        desk.drawer(FLOAT);
        desk.drawer(count(10_000, 10_000));
        server.sync(&mut desk);
        assert_eq!((cash(&mut server, &desk)[0], server.case_kinds()), (0, vec![]));
    }
}

#[test]
fn cash_that_another_device_took_at_this_till_is_a_case_of_its_drawer_and_it_is_booked_as_stated() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    let mut spare = known(&mut server, Till::new(desk.till, 2));
    desk.drawer(FLOAT);
    server.sync(&mut desk);
    spare.top_up(tag(1), 500);
    server.sync(&mut spare);
    let counted = desk.drawer(count(10_000, 10_500));
    server.sync(&mut desk);
    assert_eq!(cash(&mut server, &desk), [-500, -500, 500]);
    let case = server.cases().remove(0).case.case;
    assert_eq!(
        (case.kind, case.number, case.stake, case.order),
        (CaseKind::DrawerMismatch, Some(500), Amount(500), Some(counted))
    );
    let words = case.explain();
    assert!(
        words.de.contains("5,00 € mehr") && words.en.contains("€5.00 more"),
        "{words:?}"
    );
    server.assert_balanced();
}

#[test]
fn a_drawer_order_that_says_more_than_one_thing_is_kept_and_not_booked() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    let mut strange = desk.order(OrderKind::DrawerOpen);
    strange.lines = vec![Till::money_line(LineKind::TopUp, 1, 500)];
    strange.tenders = vec![Till::tender(shared_protocol::order::TenderKind::Cash, Amount(500))];
    desk.append(&strange);
    let mut hidden = desk.order(OrderKind::Sale);
    hidden.lines = vec![Till::money_line(LineKind::CashTransit, -1, 500)];
    hidden.tenders = vec![Till::tender(shared_protocol::order::TenderKind::Cash, Amount(-500))];
    desk.append(&hidden);
    server.sync(&mut desk);
    assert_eq!(server.case_kinds(), [CaseKind::OrderFault; 2]);
    assert_eq!(cash(&mut server, &desk), [0; 3]);
}

#[derive(Debug, Clone, Copy)]
enum Cash {
    TopUp(u32, i64),
    PayOut(u32, i64),
    Transit(i64),
    Sync,
    Project,
}

fn happening() -> impl Strategy<Value = Cash> {
    prop_oneof![
        6 => (0..5_u32, 1..20_000_i64).prop_map(|(guest, cents)| Cash::TopUp(guest, cents)),
        3 => (0..5_u32, 1..20_000_i64).prop_map(|(guest, cents)| Cash::PayOut(guest, cents)),
        1 => (-20_000..20_000_i64).prop_filter("not zero", |cents| *cents != 0).prop_map(Cash::Transit),
        3 => Just(Cash::Sync),
        1 => Just(Cash::Project),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn after_float_cash_and_count_the_till_has_nothing_and_the_safe_has_all_but_the_difference(
        shifts in prop::collection::vec((0..30_000_i64, prop::collection::vec(happening(), 0..12), -500..500_i64), 1..4),
    ) {
        let mut server = Server::new();
        let mut desk = desk(&mut server);
        let (mut guests, mut over) = (0_i64, 0_i64);
        for (float, happenings, off) in shifts {
            let mut drawer = float;
            desk.drawer(DrawerMove::Open { float: Amount(float) });
            for happening in happenings {
                match happening {
                    Cash::TopUp(guest, cents) => {
                        desk.top_up(tag(guest), cents);
                        (drawer, guests) = (drawer + cents, guests + cents);
                    }
                    Cash::PayOut(guest, cents) => {
                        desk.pay_out(tag(guest), cents);
                        (drawer, guests) = (drawer - cents, guests - cents);
                    }
                    Cash::Transit(cents) => {
                        desk.drawer(DrawerMove::Transit { amount: Amount(cents) });
                        drawer += cents;
                    }
                    Cash::Sync if desk.seq() > desk.sent => drop(server.sync(&mut desk)),
                    Cash::Project => drop(server.engine.project(3).unwrap()),
                    Cash::Sync => {}
                }
            }
            let counted = (drawer + off).max(0);
            over += counted - drawer;
            desk.drawer(count(drawer, counted));
        }
        server.sync(&mut desk);
        let [till, safe, difference] = cash(&mut server, &desk);
        prop_assert_eq!((till, difference), (0, i128::from(over)));
        prop_assert_eq!(-safe, i128::from(guests + over), "what guests brought, and what was found or lost");
        prop_assert!(!server.case_kinds().contains(&CaseKind::DrawerMismatch));
        server.assert_balanced();
    }
}
