use shared_protocol::OrderId;
use shared_protocol::chain::EpochStart;
use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::slip::Slip;

use crate::screen::PastOrder;
use crate::testing::{BEER, FRIES, Rig, TERMINAL, tag};
use crate::{Action, Input, MetaKey};

fn newest(rig: &Rig) -> PastOrder {
    rig.screen().history[0].clone()
}

/// The slip of an order, which its terminal's key has signed.
fn slip(rig: &Rig, order: OrderId) -> Slip {
    let history = &rig.screen().history;
    let past = history.iter().find(|past| past.order == order).unwrap();
    let slip = Slip::read(past.slip.as_deref().unwrap()).unwrap();
    assert_eq!(slip.verify(order, &Rig::setup().key), Ok(()));
    assert_eq!(slip.terminal(), TERMINAL);
    slip
}

fn sell(rig: &mut Rig, number: u8) -> OrderId {
    rig.add(BEER, 1);
    rig.hold(number);
    rig.last_order().id
}

#[test]
fn an_order_that_the_server_does_not_get_has_a_slip_half_a_second_later() {
    let mut rig = Rig::offline();
    let order = sell(&mut rig, 1);
    let paid_at_ms = rig.now.mono_ms;
    assert_eq!(newest(&rig).slip, None);
    rig.wait(500);
    let slip = slip(&rig, order);
    assert!(rig.now.mono_ms - paid_at_ms <= 1_000, "the guest is still here");
    let body = slip.body();
    assert_eq!(body.shown.lines, rig.last_order().lines);
    assert!(body.shown.fits(&rig.last_order(), None));
    // It names the order's own place in the journal.
    let entry = &rig.disk.entries[&(body.epoch, body.seq)];
    assert_eq!((body.epoch, body.link), (EpochStart::FIRST.epoch, entry.hash));
    // And not the guest.
    let bytes = slip.bytes();
    let tag = tag(1);
    assert!(!bytes.windows(tag.as_slice().len()).any(|part| part == tag.as_slice()));
}

#[test]
fn an_order_that_the_server_acknowledges_is_not_signed_for_nobody() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 5_000);
    sell(&mut rig, 1);
    rig.wait(5_000);
    assert!(newest(&rig).sent);
    assert_eq!(newest(&rig).slip, None);
}

#[test]
fn the_slip_goes_when_the_server_has_the_order() {
    let mut rig = Rig::offline();
    sell(&mut rig, 1);
    rig.wait(1_000);
    assert!(newest(&rig).slip.is_some());
    rig.mend();
    assert!(newest(&rig).sent);
    assert_eq!(newest(&rig).slip, None);
}

#[test]
fn after_a_start_the_newest_slip_comes_first_and_the_key_rests_in_between() {
    let mut rig = Rig::offline();
    let orders: Vec<OrderId> = (1..=4).map(|number| sell(&mut rig, number)).collect();
    rig.wait(2_000);
    let before: Vec<_> = rig.screen().history.iter().map(|past| past.slip.clone()).collect();
    assert!(before.iter().all(Option::is_some));
    rig.crash();
    let ready = |rig: &Rig| {
        let history = rig.screen().history.iter();
        history.filter(|past| past.slip.is_some()).count()
    };
    assert_eq!(ready(&rig), 1);
    slip(&rig, *orders.last().unwrap());
    rig.wait(250);
    assert_eq!(ready(&rig), 2);
    rig.wait(1_000);
    let after: Vec<_> = rig.screen().history.iter().map(|past| past.slip.clone()).collect();
    assert_eq!(after, before, "the same order has the same slip");
}

#[test]
fn a_correction_shows_what_it_takes_back() {
    let mut rig = Rig::offline();
    rig.add(BEER, 2);
    rig.hold(1);
    let old = rig.last_order();
    rig.act(Action::CorrectLast);
    rig.act(Action::Remove { article: BEER });
    rig.hold(1);
    let new = rig.last_order();
    assert_eq!(new.kind, OrderKind::Correction);
    rig.wait(1_500);
    let shown = slip(&rig, new.id).body().shown.clone();
    assert_eq!(shown.replaced_order().unwrap().lines, old.lines);
    assert!(shown.fits(&new, Some(&old)));
}

#[test]
fn a_drawer_and_a_training_have_none() {
    let mut rig = Rig::offline();
    rig.act(Action::OpenDrawer {
        float: shared_protocol::Amount(10_000),
    });
    rig.wait(1_000);
    assert!(rig.screen().history.is_empty());

    let mut disk = Rig::fresh_disk();
    disk.metas.insert(MetaKey::Training, Vec::new());
    let mut rig = Rig::with_disk(disk, false);
    rig.act(Action::Login {
        staff: crate::testing::CASHIER,
    });
    rig.add(FRIES, 1);
    rig.act(Action::Pay(TenderKind::Cash));
    rig.wait(5_000);
    assert_eq!(newest(&rig).kind, OrderKind::Sale);
    assert_eq!(newest(&rig).slip, None);
}

#[test]
fn a_key_that_does_not_sign_is_asked_again() {
    let mut rig = Rig::offline();
    sell(&mut rig, 1);
    rig.wait(2_500);
    let key = rig.signer.take();
    let order = sell(&mut rig, 2);
    rig.wait(2_500);
    assert_eq!(newest(&rig).slip, None);
    rig.signer = key;
    rig.wait(4_500);
    slip(&rig, order);
    rig.input(Input::Tick);
}
