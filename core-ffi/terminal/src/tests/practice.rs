use shared_protocol::order::{Order, OrderKind, Permission, TenderKind};
use shared_protocol::{Amount, TillId};

use crate::screen::Notice;
use crate::testing::{CASHIER, FREE, Rig, config_with_shifts, tag};
use crate::{Action, Input, StorageFault};

/// A sale for cash and one from a wristband, as another till made them.
fn practised() -> Vec<Order> {
    let mut rig = Rig::offline();
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(400),
    });
    rig.act(Action::Pay(TenderKind::Cash));
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(700),
    });
    rig.hold(1);
    rig.disk.orders()
}

fn told(rig: &Rig) -> Vec<Order> {
    let mut orders = rig.disk.orders();
    orders.retain(|order| order.kind == OrderKind::Training);
    orders
}

fn at_work(network: bool) -> Rig {
    let mut rig = Rig::with_disk(Rig::disk_with(&config_with_shifts()), network);
    rig.act(Action::Login { staff: CASHIER });
    rig
}

#[test]
fn what_was_practised_is_written_as_that_and_seen_nowhere() {
    let mut rig = at_work(true);
    let practised = practised();
    for order in &practised {
        rig.input(Input::Practised(Box::new(order.clone())));
    }
    let told = told(&rig);
    assert_eq!(told.len(), 2);
    for (told, practised) in told.iter().zip(&practised) {
        assert_eq!((told.id, &told.lines), (practised.id, &practised.lines));
        assert_eq!((told.total(), told.check()), (practised.total(), Ok(())));
        let plain = |order: &Order| {
            order
                .tenders
                .iter()
                .all(|tender| tender.permission == Permission::NotNeeded)
        };
        assert!(plain(told));
    }
    assert_eq!(practised[1].tenders[0].permission, Permission::OfflineUnknown);
    for _ in 0..2 {
        let screen = rig.screen();
        assert!(screen.history.is_empty() && screen.unsent.is_none());
        assert_eq!((screen.shift.unwrap().sales, &screen.notice), (0, &Notice::None));
        rig.crash();
        rig.mend();
    }
    assert!(
        told.iter().all(|order| rig.server.orders.contains(&order.id)),
        "it is sent"
    );
    assert_eq!(rig.server.free.get(&tag(1)), None, "and nothing moved");
}

#[test]
fn an_event_that_does_not_want_it_has_nothing_written_and_no_other_till_is_believed() {
    let mut rig = Rig::online();
    let elsewhere = Order {
        till: TillId(9),
        ..practised().remove(0)
    };
    rig.input(Input::Practised(Box::new(practised().remove(0))));
    let mut wanted = at_work(true);
    wanted.input(Input::Practised(Box::new(elsewhere)));
    assert_eq!((told(&rig), told(&wanted)), (Vec::new(), Vec::new()));
}

#[test]
fn practice_waits_for_a_disk_that_fails() {
    let mut rig = at_work(false);
    rig.disk_fault = Some(StorageFault::Full);
    let practised = practised();
    rig.input(Input::Practised(Box::new(practised[0].clone())));
    assert_eq!(told(&rig), Vec::new());
    rig.disk_fault = None;
    rig.input(Input::Practised(Box::new(practised[1].clone())));
    rig.wait(5_000);
    let ids: Vec<_> = told(&rig).iter().map(|order| order.id).collect();
    assert_eq!(ids, [practised[0].id, practised[1].id]);
}
