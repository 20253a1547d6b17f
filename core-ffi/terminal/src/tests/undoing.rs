use shared_protocol::order::{CancelReason, OrderKind, Permission, TenderKind};
use shared_protocol::{Amount, OrderId};

use crate::Action;
use crate::screen::{DoneKind, Refusal};
use crate::testing::{BEER, CUP, DRINK, FREE, FRIES, Rig, tag};

fn rig() -> Rig {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 5_000);
    rig.server.free.insert(tag(2), 5_000);
    rig
}

#[test]
fn undo_takes_the_last_sale_back_when_its_wristband_is_held() {
    let mut rig = rig();
    rig.add(BEER, 2);
    rig.hold(1);
    let sale = rig.last_order();
    rig.act(Action::UndoLast);
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(-1_400));
    rig.hold(2);
    assert_eq!(rig.refusal(), Refusal::OtherWristband);
    rig.hold(1);
    assert_eq!(
        (rig.done().kind, rig.done().total, rig.done().left.unwrap().amount),
        (DoneKind::Cancelled, Amount(-1_400), Amount(5_000))
    );
    let cancel = rig.last_order();
    assert_eq!(
        (cancel.kind, cancel.reverses, cancel.reason),
        (OrderKind::Cancel, Some(sale.id), Some(CancelReason::Undo))
    );
    assert_eq!(
        (cancel.taxpayer, cancel.config, cancel.holder),
        (sale.taxpayer, sale.config, sale.holder)
    );
    assert_eq!(cancel.total().unwrap(), Amount(-1_400));
    assert_eq!(rig.server.free[&tag(1)], 5_000);
    rig.act(Action::UndoLast);
    assert!(matches!(rig.refusal(), Refusal::TakenBack | Refusal::NotCancellable));
    rig.act(Action::Cancel {
        order: sale.id,
        reason: CancelReason::Mistyped,
    });
    assert_eq!(rig.refusal(), Refusal::TakenBack);
}

#[test]
fn an_order_is_cancelled_by_its_number_within_the_window() {
    let mut rig = rig();
    rig.add(BEER, 1);
    rig.hold(1);
    let first = rig.last_order().id;
    rig.add(FRIES, 1);
    rig.hold(2);
    rig.act(Action::Cancel {
        order: OrderId([1; 16]),
        reason: CancelReason::Mistyped,
    });
    assert_eq!(rig.refusal(), Refusal::NoSuchOrder);
    rig.act(Action::Cancel {
        order: first,
        reason: CancelReason::OutOfStock,
    });
    rig.hold(1);
    assert_eq!(rig.server.free[&tag(1)], 5_000);
    let second = rig.disk.orders()[1].id;
    assert!(
        rig.screen()
            .history
            .iter()
            .any(|past| past.order == second && past.cancellable)
    );
    rig.wait(10 * 60 * 1_000 + 1);
    rig.act(Action::Cancel {
        order: second,
        reason: CancelReason::Mistyped,
    });
    assert_eq!(rig.refusal(), Refusal::TooLate);
}

#[test]
fn undo_of_two_taxpayers_takes_both_orders_back() {
    let mut rig = rig();
    rig.add(BEER, 1);
    rig.add(FRIES, 1);
    rig.hold(1);
    rig.act(Action::UndoLast);
    rig.hold(1);
    assert_eq!(rig.done().orders.len(), 2);
    assert_eq!(rig.server.free[&tag(1)], 5_000);
}

#[test]
fn a_correction_books_old_and_new_in_one_and_the_guest_feels_the_difference() {
    let mut rig = rig();
    rig.server.free.insert(tag(1), 900);
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(800),
    });
    rig.hold(1);
    let sale = rig.last_order();
    rig.act(Action::CorrectLast);
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(100),
    });
    rig.hold(1);
    let done = rig.done();
    assert_eq!(
        (done.kind, done.total, done.left.unwrap().amount),
        (DoneKind::Corrected { was: Amount(800) }, Amount(900), Amount(0))
    );
    let order = rig.last_order();
    assert_eq!(
        (order.kind, order.reverses, order.total().unwrap()),
        (OrderKind::Correction, Some(sale.id), Amount(900))
    );
    assert_eq!(order.tenders[0].permission, Permission::Held);
    rig.act(Action::CorrectLast);
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(1),
    });
    rig.hold(1);
    assert!(
        matches!(rig.refusal(), Refusal::BalanceTooLow { missing: Amount(1), .. }),
        "only the difference is asked for"
    );
}

#[test]
fn a_correction_that_gives_back_needs_nobody_s_permission() {
    let mut rig = rig();
    rig.add(BEER, 3);
    rig.hold(1);
    rig.cut();
    rig.act(Action::CorrectLast);
    rig.act(Action::Remove { article: BEER });
    rig.hold(1);
    assert_eq!(rig.last_order().tenders[0].permission, Permission::NotNeeded);
    assert_eq!(rig.last_order().total().unwrap(), Amount(1_400));
    rig.act(Action::UndoLast);
    rig.hold(1);
    assert_eq!(
        rig.last_order().total().unwrap(),
        Amount(-1_400),
        "the correction itself can be taken back"
    );
}

#[test]
fn a_correction_to_nothing_is_a_cancellation_and_taxpayers_are_corrected_one_by_one() {
    let mut rig = rig();
    rig.add(BEER, 1);
    rig.hold(1);
    rig.act(Action::CorrectLast);
    rig.act(Action::ClearLine { article: BEER });
    rig.add(FRIES, 1);
    rig.hold(1);
    let orders = rig.disk.orders();
    assert_eq!(
        orders[1..]
            .iter()
            .map(|order| (order.kind, order.taxpayer.0))
            .collect::<Vec<_>>(),
        [(OrderKind::Cancel, 1), (OrderKind::Sale, 2)]
    );
    rig.act(Action::CorrectLast);
    rig.act(Action::ClearLine { article: FRIES });
    rig.hold(1);
    assert_eq!(rig.last_order().kind, OrderKind::Cancel);
}

#[test]
fn vouchers_of_a_cancelled_order_go_back_and_a_correction_uses_no_others() {
    let mut rig = rig();
    rig.server.drinks.insert(tag(1), 1);
    rig.add(BEER, 1);
    rig.hold(1);
    assert_eq!(rig.done().vouchers, [(DRINK, 1)]);
    rig.act(Action::CorrectLast);
    rig.add(BEER, 1);
    rig.hold(1);
    assert_eq!((rig.done().vouchers, rig.done().total), (vec![(DRINK, 1)], Amount(900)));
    rig.act(Action::UndoLast);
    rig.hold(1);
    let cancel = rig.last_order();
    assert!(
        cancel
            .lines
            .iter()
            .any(|line| line.vouchers.is_some_and(|used| used.asset == DRINK) && line.quantity < 0)
    );
}

#[test]
fn taking_a_credit_back_needs_the_money_to_be_there() {
    let mut rig = rig();
    rig.server.free.insert(tag(1), 0);
    rig.act(Action::Return { article: CUP, count: 2 });
    rig.hold(1);
    rig.server.free.insert(tag(1), 100);
    rig.act(Action::UndoLast);
    rig.hold(1);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(300),
            ..
        }
    ));
    rig.server.free.insert(tag(1), 400);
    rig.hold(1);
    assert_eq!(rig.last_order().tenders[0].permission, Permission::Held);
}

#[test]
fn a_top_up_is_taken_back_only_while_the_wristband_still_has_it() {
    let mut rig = rig();
    rig.server.free.insert(tag(1), 0);
    rig.act(Action::TopUp {
        amount: Amount(2_000),
        method: TenderKind::Cash,
    });
    rig.hold(1);
    rig.server.free.insert(tag(1), 500);
    rig.act(Action::UndoLast);
    rig.hold(1);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(1_500),
            ..
        }
    ));
    rig.server.free.insert(tag(1), 2_000);
    rig.hold(1);
    let cancel = rig.last_order();
    assert_eq!(
        (
            cancel.tenders[0].kind,
            cancel.tenders[0].amount,
            cancel.tenders[0].permission
        ),
        (TenderKind::Cash, Amount(-2_000), Permission::Held)
    );
}

#[test]
fn cash_sales_are_not_taken_back_by_a_wristband() {
    let mut rig = rig();
    rig.add(BEER, 1);
    rig.act(Action::Pay(TenderKind::Cash));
    rig.act(Action::UndoLast);
    assert_eq!(rig.refusal(), Refusal::NotCancellable);
}
