use shared_protocol::currency::Foreign;
use shared_protocol::order::{OrderKind, Tender, TenderKind};
use shared_protocol::{Amount, AssetId};

use super::drawer::counts_agree;
use crate::Action;
use crate::screen::{CartKind, DoneKind, Notice, Refusal};
use crate::testing::{BEER, CUP, FRANC, FRIES, Rig, tag};

const fn francs(amount: i64) -> Foreign {
    Foreign {
        asset: FRANC,
        amount: Amount(amount),
    }
}

fn given(amount: i64, worth: i64) -> Tender {
    Tender {
        foreign: Some(francs(amount)),
        ..Tender::plain(TenderKind::Cash, Amount(worth))
    }
}

fn euros(cents: i64) -> Tender {
    Tender::plain(TenderKind::Cash, Amount(cents))
}

/// Amounts of the payments that the last order has.
fn tenders(rig: &Rig) -> Vec<Tender> {
    rig.last_order().tenders
}

#[test]
fn a_sale_is_paid_in_francs_offline_and_the_change_is_in_euros() {
    let mut rig = Rig::offline();
    rig.add(BEER, 2);
    // 14.00 EUR at 1.07: 13.09 francs are worth 14.0063 EUR, 13.08 are not enough.
    assert_eq!(rig.screen().cart.as_ref().unwrap().needed, [francs(1_309)]);
    rig.act(Action::PayForeign(francs(1_308)));
    let needed = Amount(1_309);
    assert_eq!(rig.refusal(), Refusal::ForeignAmount { asset: FRANC, needed });
    rig.act(Action::PayForeign(francs(5_000)));
    let done = rig.done();
    assert_eq!(
        (done.kind, done.total, done.change),
        (DoneKind::Paid, Amount(1_400), Amount(3_950))
    );
    assert_eq!(tenders(&rig), [given(5_000, 5_350), euros(-3_950)]);
    rig.wait(60_000);
    assert!(
        matches!(rig.screen().notice, Notice::Done(_)),
        "change is counted before it goes"
    );
    rig.add(BEER, 1);
    rig.act(Action::Pay(TenderKind::Cash));
    assert_eq!(rig.done().change, Amount::ZERO);
}

#[test]
fn the_notes_are_in_the_first_order_with_something_to_pay_and_others_are_paid_of_its_change() {
    let mut rig = Rig::offline();
    rig.add(BEER, 1);
    rig.add(FRIES, 1);
    rig.act(Action::PayForeign(francs(2_000)));
    let orders = rig.disk.orders();
    let [.., beer, fries] = orders.as_slice() else {
        panic!("two orders")
    };
    assert_eq!(beer.tenders, [given(2_000, 2_140), euros(700 - 2_140)]);
    assert_eq!(fries.tenders, [euros(500)]);
    assert_eq!(
        (rig.done().total, rig.done().change),
        (Amount(1_200), Amount(2_140 - 1_200))
    );
    assert!(orders.iter().all(|order| order.check().is_ok()));
}

#[test]
fn what_cannot_be_paid_in_foreign_cash_is_refused() {
    let mut rig = Rig::offline();
    let before = rig.disk.orders().len();
    rig.act(Action::PayForeign(francs(1_000)));
    assert_eq!(rig.refusal(), Refusal::CartEmpty);
    rig.act(Action::Return { article: CUP, count: 1 });
    assert_eq!(rig.screen().cart.as_ref().unwrap().needed, []);
    rig.act(Action::PayForeign(francs(1_000)));
    assert_eq!(rig.refusal(), Refusal::CurrencyNotHere(FRANC));
    rig.act(Action::Clear);
    rig.add(BEER, 1);
    for asset in [AssetId(1), AssetId(99)] {
        let amount = Amount(1_000);
        rig.act(Action::PayForeign(Foreign { asset, amount }));
        assert_eq!(rig.refusal(), Refusal::CurrencyNotHere(asset));
    }
    rig.act(Action::PayForeign(francs(-1_000)));
    let needed = Amount(1);
    assert_eq!(rig.refusal(), Refusal::ForeignAmount { asset: FRANC, needed });
    rig.act(Action::PayForeign(francs(i64::MAX)));
    assert_eq!(rig.refusal(), Refusal::Overflow);
    assert_eq!(rig.disk.orders().len(), before);
}

#[test]
fn francs_go_onto_a_wristband_whole_or_with_change_and_come_back_as_they_came() {
    let mut rig = Rig::online();
    rig.act(Action::TopUpForeign {
        given: francs(5_000),
        amount: None,
    });
    let cart = rig.screen().cart.clone().unwrap();
    assert!(matches!(cart.kind, CartKind::TopUp { .. }));
    assert_eq!(
        (cart.total, cart.given),
        (Amount(5_350), Some((francs(5_000), Amount::ZERO)))
    );
    rig.hold(1);
    assert!(matches!(rig.done().kind, DoneKind::ToppedUp { .. }));
    assert_eq!(tenders(&rig), [given(5_000, 5_350)]);
    rig.act(Action::TopUpForeign {
        given: francs(2_000),
        amount: Some(Amount(2_000)),
    });
    rig.crash();
    let cart = rig.screen().cart.clone().unwrap();
    assert_eq!(
        cart.given,
        Some((francs(2_000), Amount(140))),
        "it is kept over a crash"
    );
    rig.hold(2);
    assert_eq!((rig.done().total, rig.done().change), (Amount(2_000), Amount(140)));
    assert_eq!(tenders(&rig), [given(2_000, 2_140), euros(-140)]);
    assert_eq!(rig.server.free[&tag(2)], 2_000);
    rig.act(Action::UndoLast);
    rig.hold(2);
    assert_eq!(rig.done().kind, DoneKind::Cancelled);
    // It takes from the wristband, so the server was asked; the notes and the change are one payment.
    let back = |tender: Tender| (tender.amount, tender.foreign);
    let paid_back: Vec<_> = tenders(&rig).into_iter().map(back).collect();
    assert_eq!(paid_back, [given(-2_000, -2_140), euros(140)].map(back));
    let order = rig.last_order();
    assert_eq!((order.kind, order.check()), (OrderKind::Cancel, Ok(())));
    rig.act(Action::TopUpForeign {
        given: francs(100),
        amount: Some(Amount(500)),
    });
    let needed = Amount(468);
    assert_eq!(rig.refusal(), Refusal::ForeignAmount { asset: FRANC, needed });
}

#[test]
fn a_drawer_is_counted_without_francs_and_they_are_handed_in_apart() {
    let mut rig = Rig::online();
    rig.act(Action::OpenDrawer { float: Amount(10_000) });
    rig.add(BEER, 1);
    rig.act(Action::PayForeign(francs(1_000)));
    assert_eq!(tenders(&rig)[1], euros(-370));
    rig.act(Action::CountDrawer {
        counted: Amount(10_000 - 370),
    });
    let expected = Amount(10_000 - 370);
    assert_eq!(
        rig.done().kind,
        DoneKind::DrawerCounted {
            expected,
            counted: expected
        }
    );
    rig.act(Action::HandIn(francs(1_000)));
    assert_eq!(
        (rig.done().kind, rig.done().total),
        (DoneKind::HandedIn(francs(1_000)), Amount(-1_070))
    );
    assert_eq!(tenders(&rig), [given(-1_000, -1_070)]);
    rig.act(Action::HandIn(francs(0)));
    assert!(matches!(rig.refusal(), Refusal::ForeignAmount { .. }));
    assert!(counts_agree(&rig.disk.orders()));
    assert_eq!(rig.server.orders.len(), rig.disk.orders().len());
}
