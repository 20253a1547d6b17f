use shared_protocol::Amount;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::order::{Order, OrderKind, TenderKind};

use crate::screen::{Done, DoneKind, DrawerView, Notice, Refusal};
use crate::testing::{BEER, FREE, Rig, TRAINEE, tag};
use crate::{Action, StorageFault};

const FLOAT: Action = Action::OpenDrawer { float: Amount(10_000) };

fn count(counted: i64) -> Action {
    Action::CountDrawer {
        counted: Amount(counted),
    }
}

fn cash_sale(rig: &mut Rig, cents: i64) {
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(cents),
    });
    rig.act(Action::Pay(TenderKind::Cash));
    assert_eq!(rig.done().kind, DoneKind::Paid);
}

fn counted(rig: &Rig) -> (i64, i64) {
    match rig.done() {
        Done {
            kind: DoneKind::DrawerCounted { expected, counted },
            ..
        } => (expected.0, counted.0),
        other => panic!("not counted but {other:?}"),
    }
}

/// What each count of a journal says, held against the cash of the orders since the drawer was opened.
pub fn counts_agree(orders: &[Order]) -> bool {
    let mut open: Option<i64> = None;
    orders.iter().all(|order| {
        let cash: i64 = order
            .tenders
            .iter()
            .filter(|tender| tender.kind == TenderKind::Cash && tender.foreign.is_none())
            .map(|tender| tender.amount.0)
            .sum();
        match (DrawerMove::of(order).unwrap(), open) {
            (Some(DrawerMove::Open { .. }), None) => {
                open = Some(cash);
                true
            }
            (Some(DrawerMove::Count { expected, .. }), Some(sum)) => {
                open = None;
                expected.0 == sum
            }
            (Some(DrawerMove::Open { .. } | DrawerMove::Count { .. }), _)
            | (Some(DrawerMove::Transit { .. }), None) => false,
            (Some(DrawerMove::Transit { .. } | DrawerMove::HandIn { .. }) | None, _) => {
                open = open.map(|sum| sum + cash);
                true
            }
        }
    })
}

#[test]
fn a_count_says_what_was_expected_and_closes_the_drawer() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 5_000);
    rig.act(FLOAT);
    assert_eq!(
        (rig.done().kind, rig.done().total),
        (DoneKind::DrawerOpened, Amount(10_000))
    );
    let opened_at_ms = rig.done().at_ms;
    rig.wait(3_000);
    cash_sale(&mut rig, 850);
    rig.add(BEER, 1);
    rig.hold(1);
    rig.act(Action::TopUp {
        amount: Amount(2_000),
        method: TenderKind::Cash,
    });
    rig.hold(2);
    assert!(matches!(rig.done().kind, DoneKind::ToppedUp { .. }));
    rig.act(Action::PayOut { amount: Amount(500) });
    rig.hold(1);
    assert_eq!(rig.done().kind, DoneKind::PaidOut);
    rig.act(Action::MoveCash { amount: Amount(-3_000) });
    assert_eq!(
        (rig.done().kind, rig.done().total),
        (DoneKind::CashMoved, Amount(-3_000))
    );
    let view = DrawerView {
        opened_at_ms,
        float: Amount(10_000),
    };
    assert_eq!(rig.screen().drawer, Some(view));
    rig.act(count(9_300));
    assert_eq!(counted(&rig), (10_000 + 850 + 2_000 - 500 - 3_000, 9_300));
    rig.wait(60_000);
    assert_eq!(counted(&rig).1, 9_300, "it is read before it goes");
    assert_eq!(rig.screen().drawer, None);
    assert!(counts_agree(&rig.disk.orders()));
    assert_eq!(rig.server.orders.len(), rig.disk.orders().len());
}

#[test]
fn cash_without_an_open_drawer_is_taken_and_belongs_to_none() {
    let mut rig = Rig::offline();
    cash_sale(&mut rig, 700);
    rig.act(FLOAT);
    cash_sale(&mut rig, 850);
    rig.act(count(10_850));
    assert_eq!(counted(&rig), (10_850, 10_850));
    cash_sale(&mut rig, 700);
    rig.act(Action::OpenDrawer { float: Amount(0) });
    rig.act(count(0));
    assert_eq!(counted(&rig), (0, 0));
}

#[test]
fn what_cannot_be_done_with_a_drawer_is_refused_and_nothing_is_written() {
    let mut rig = Rig::offline();
    let refused = |rig: &mut Rig, action, refusal| {
        let before = rig.disk.orders().len();
        rig.act(action);
        assert_eq!(rig.refusal(), refusal);
        assert_eq!(rig.disk.orders().len(), before);
    };
    refused(&mut rig, count(0), Refusal::DrawerClosed);
    refused(&mut rig, Action::MoveCash { amount: Amount(1) }, Refusal::DrawerClosed);
    refused(
        &mut rig,
        Action::OpenDrawer { float: Amount(-1) },
        Refusal::DrawerAmount,
    );
    rig.add(BEER, 1);
    refused(&mut rig, FLOAT, Refusal::CartOpen);
    rig.act(Action::Clear);
    rig.act(FLOAT);
    assert_eq!(rig.done().kind, DoneKind::DrawerOpened);
    refused(&mut rig, FLOAT, Refusal::DrawerOpen);
    refused(&mut rig, count(-1), Refusal::DrawerAmount);
    refused(&mut rig, Action::MoveCash { amount: Amount(0) }, Refusal::DrawerAmount);
    rig.add(BEER, 1);
    refused(&mut rig, count(10_000), Refusal::CartOpen);
    assert_eq!(rig.screen().cart.as_ref().unwrap().lines.len(), 1);
    rig.act(Action::Clear);
    rig.act(Action::Login { staff: TRAINEE });
    refused(&mut rig, count(10_000), Refusal::NotPermitted);
    rig.act(Action::Logout);
    refused(&mut rig, count(10_000), Refusal::LoggedOut);
    assert!(rig.screen().drawer.is_some(), "it is the till's, whoever is logged in");
}

#[test]
fn a_sum_that_does_not_fit_is_refused_before_it_is_written() {
    let mut rig = Rig::offline();
    rig.act(Action::OpenDrawer {
        float: Amount(i64::MAX),
    });
    assert_eq!(rig.done().kind, DoneKind::DrawerOpened);
    rig.act(Action::MoveCash { amount: Amount(1) });
    assert_eq!(rig.refusal(), Refusal::Overflow);
    assert_eq!(rig.disk.orders().len(), 1);
}

#[test]
fn a_drawer_survives_a_crash_with_all_that_was_taken_however_long_ago_it_was_opened() {
    let mut rig = Rig::online();
    rig.act(FLOAT);
    let view = rig.screen().drawer;
    for _ in 0..70 {
        cash_sale(&mut rig, 100);
    }
    rig.wait(60_000);
    rig.crash();
    assert_eq!(rig.screen().drawer, view);
    cash_sale(&mut rig, 50);
    rig.act(count(17_000));
    assert_eq!(counted(&rig), (17_050, 17_000));
    assert!(counts_agree(&rig.disk.orders()));
}

#[test]
fn a_count_whose_screen_a_crash_took_is_shown_after_it_and_not_booked_again() {
    let mut rig = Rig::offline();
    rig.act(FLOAT);
    cash_sale(&mut rig, 850);
    rig.disk_runs = false;
    rig.act(count(10_800));
    rig.disk_step();
    assert_eq!(rig.screen().notice, Notice::Working);
    rig.disk_runs = true;
    rig.crash();
    assert_eq!(counted(&rig), (10_850, 10_800));
    assert_eq!(rig.screen().drawer, None);
    rig.act(count(10_800));
    assert_eq!(rig.refusal(), Refusal::DrawerClosed);
    let counts = |rig: &Rig| {
        rig.disk
            .orders()
            .iter()
            .filter(|order| order.kind == OrderKind::DrawerCount)
            .count()
    };
    assert_eq!(counts(&rig), 1);
}

#[test]
fn a_count_that_the_disk_never_had_did_not_happen() {
    let mut rig = Rig::offline();
    rig.act(FLOAT);
    cash_sale(&mut rig, 850);
    rig.disk_runs = false;
    rig.act(count(10_800));
    rig.disk_runs = true;
    rig.crash();
    assert!(rig.screen().drawer.is_some());
    rig.disk_fault = Some(StorageFault::Full);
    rig.act(count(10_800));
    assert_eq!(rig.refusal(), Refusal::Storage(StorageFault::Full));
    assert!(rig.screen().drawer.is_some() && rig.screen().cart.is_none());
    rig.disk_fault = None;
    rig.act(count(10_800));
    assert_eq!(counted(&rig), (10_850, 10_800));
    assert_eq!(rig.disk.orders().len(), 3);
}

#[test]
fn the_last_sale_can_be_repeated_after_the_drawer_was_counted() {
    let mut rig = Rig::offline();
    rig.act(FLOAT);
    cash_sale(&mut rig, 850);
    rig.act(count(10_850));
    assert_eq!(rig.screen().history.len(), 1, "the drawer is no order of a guest");
    rig.act(Action::SameAgain);
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(850));
}
