use shared_protocol::{Amount, AssetId};

use crate::Action;
use crate::screen::{DoneKind, Notice, Page, Pill, Refusal};
use crate::testing::{BEER, CASHIER, FREE, Rig, tag};

fn free(rig: &mut Rig, cents: i64) {
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(cents),
    });
}

#[test]
fn after_a_crash_right_after_paid_the_sale_is_there_and_the_screen_says_booked() {
    let mut rig = Rig::offline();
    free(&mut rig, 850);
    rig.hold(1);
    let at_ms = rig.done().at_ms;
    rig.crash();
    assert_eq!(
        rig.screen().notice,
        Notice::LastCart {
            booked: true,
            total: Amount(850),
            at_ms
        }
    );
    assert_eq!(
        (rig.screen().page.clone(), rig.screen().cashier),
        (Page::Sale, Some(CASHIER))
    );
    assert_eq!(rig.disk.orders().len(), 1);
}

#[test]
fn after_a_crash_before_the_disk_had_it_the_cart_is_back_and_the_screen_says_not_booked() {
    let mut rig = Rig::offline();
    free(&mut rig, 850);
    rig.disk_runs = false;
    rig.keep(1);
    rig.disk_runs = true;
    rig.crash();
    assert!(matches!(
        rig.screen().notice,
        Notice::LastCart {
            booked: false,
            total: Amount(850),
            ..
        }
    ));
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(850));
    rig.hold(1);
    assert_eq!(rig.done().total, Amount(850));
    assert_eq!(rig.disk.orders().len(), 1);
}

#[test]
fn a_crash_between_disk_and_screen_is_told_as_booked() {
    let mut rig = Rig::offline();
    free(&mut rig, 850);
    rig.disk_runs = false;
    rig.keep(1);
    rig.disk_step();
    assert!(rig.shown_paid.is_empty());
    rig.disk_runs = true;
    rig.crash();
    assert!(matches!(
        rig.screen().notice,
        Notice::LastCart {
            booked: true,
            total: Amount(850),
            ..
        }
    ));
    assert!(rig.screen().cart.is_none());
}

#[test]
fn limits_and_undo_survive_a_crash() {
    let mut rig = Rig::offline();
    free(&mut rig, 1_500);
    rig.hold(1);
    rig.crash();
    free(&mut rig, 600);
    rig.hold(1);
    assert!(matches!(
        rig.refusal(),
        Refusal::OfflineLimit {
            possible: Amount(500),
            ..
        }
    ));
    rig.act(Action::Clear);
    rig.act(Action::UndoLast);
    rig.hold(1);
    assert_eq!(
        (rig.done().kind, rig.done().total),
        (DoneKind::Cancelled, Amount(-1_500))
    );
    rig.crash();
    rig.act(Action::UndoLast);
    assert!(matches!(rig.refusal(), Refusal::TakenBack | Refusal::NotCancellable));
}

#[test]
fn what_was_not_sent_is_sent_after_the_crash_once() {
    let mut rig = Rig::offline();
    for number in 1..=30 {
        free(&mut rig, 100);
        rig.hold(number);
    }
    rig.crash();
    assert!(matches!(rig.screen().pill, Pill::Offline { .. }));
    rig.mend();
    assert_eq!(rig.screen().pill, Pill::Online);
    assert_eq!(rig.server.orders.len(), 30);
}

#[test]
fn the_cart_of_a_crash_is_priced_with_what_is_known_then() {
    let mut rig = Rig::offline();
    rig.add(BEER, 2);
    rig.act(Action::UseVouchers(false));
    rig.wait(200);
    rig.crash();
    let cart = rig.screen().cart.clone().unwrap();
    assert_eq!((cart.total, cart.use_vouchers), (Amount(1_400), false));
    assert_eq!(tag(1).as_slice().len(), 7);
    assert_eq!(AssetId::EURO, AssetId(0));
}
