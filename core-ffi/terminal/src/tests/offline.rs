use shared_protocol::message::Message;
use shared_protocol::order::{Permission, TenderKind};
use shared_protocol::{Amount, HoldId};

use crate::Action;
use crate::screen::{DoneKind, Notice, OfflineLimit, Pill, Refusal};
use crate::testing::{BEER, CUP, FREE, FRIES, Rig, tag};

fn free(rig: &mut Rig, cents: i64) {
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(cents),
    });
}

#[test]
fn an_unknown_wristband_pays_up_to_its_limit() {
    let mut rig = Rig::offline();
    free(&mut rig, 1_500);
    rig.hold(1);
    assert_eq!(rig.done().left, None);
    assert_eq!(rig.last_order().tenders[0].permission, Permission::OfflineUnknown);
    free(&mut rig, 600);
    rig.hold(1);
    assert_eq!(
        rig.refusal(),
        Refusal::OfflineLimit {
            limit: OfflineLimit::UnknownTag,
            possible: Amount(500)
        }
    );
    assert!(matches!(rig.screen().pill, Pill::Offline { entries: 3, .. }));
}

#[test]
fn a_wristband_that_was_seen_pays_what_it_had() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 3_000);
    rig.hold(1);
    rig.cut();
    rig.wait(5_000);
    free(&mut rig, 2_500);
    rig.hold(1);
    let done = rig.done();
    assert_eq!(done.left.unwrap().amount, Amount(500));
    assert!(done.left.unwrap().as_of_ms.is_some(), "an estimate says how old it is");
    let tender = rig.last_order().tenders[0];
    assert_eq!(
        (tender.permission, tender.known_balance, tender.known_age_s),
        (Permission::OfflineKnown, Some(Amount(3_000)), Some(5))
    );
    free(&mut rig, 600);
    rig.hold(1);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(100),
            ..
        }
    ));
    assert!(!rig.sent.iter().any(|message| matches!(message, Message::Authorise(_))));
}

#[test]
fn a_server_that_does_not_answer_is_waited_for_no_longer_than_the_event_says() {
    let mut rig = Rig::online();
    rig.server.silent = true;
    rig.add(BEER, 1);
    let start = rig.now.mono_ms;
    rig.keep(1);
    assert_eq!(rig.screen().notice, Notice::Working);
    rig.wait(249);
    assert!(rig.disk.orders().is_empty());
    rig.wait(1);
    assert_eq!((rig.done().total, rig.now.mono_ms - start), (Amount(700), 250));
    assert_eq!(rig.last_order().tenders[0].permission, Permission::OfflineUnknown);
}

#[test]
fn a_connection_that_breaks_does_not_make_the_guest_wait() {
    let mut rig = Rig::online();
    rig.server.silent = true;
    free(&mut rig, 700);
    rig.keep(1);
    rig.cut();
    assert_eq!(rig.done().total, Amount(700));
}

#[test]
fn an_answer_that_comes_too_late_is_given_back() {
    let mut rig = Rig::online();
    rig.server.silent = true;
    free(&mut rig, 700);
    rig.keep(1);
    let request = rig.sent.iter().find_map(|message| match message {
        Message::Authorise(ask) => Some(ask.request),
        _ => None,
    });
    rig.wait(300);
    let hold = HoldId([4; 16]);
    rig.say(shared_protocol::message::AuthoriseResult {
        request: request.unwrap(),
        hold: Some(hold),
        refusal: None,
        blocked: None,
        free: Amount(1),
        as_of_ms: 1,
    });
    assert!(matches!(rig.sent.last(), Some(Message::Release(release)) if release.hold == hold));
}

#[test]
fn a_server_that_cannot_say_leaves_it_to_the_offline_limits() {
    let mut rig = Rig::online();
    rig.server.unavailable = true;
    free(&mut rig, 700);
    rig.hold(1);
    assert_eq!(rig.last_order().tenders[0].permission, Permission::OfflineUnknown);
}

#[test]
fn two_taxpayers_and_a_split_work_offline_all_or_nothing() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 500);
    rig.hold(1);
    rig.server.free.insert(tag(2), 400);
    rig.hold(2);
    rig.cut();
    rig.add(BEER, 1);
    rig.add(FRIES, 1);
    rig.hold(1);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(700),
            ..
        }
    ));
    rig.hold(2);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(300),
            ..
        }
    ));
    assert!(rig.disk.orders().is_empty());
    rig.hold(3);
    assert_eq!(rig.done().total, Amount(1_200));
    let paid: i64 = rig
        .disk
        .orders()
        .iter()
        .flat_map(|order| order.tenders.clone())
        .map(|tender| tender.amount.0)
        .sum();
    assert_eq!(paid, 1_200);
    assert_eq!(rig.done().orders.len(), 2);
}

#[test]
fn no_sequence_of_sales_and_cancellations_goes_over_a_limit() {
    let mut rig = Rig::offline();
    for round in 0..10 {
        free(&mut rig, 1_000);
        rig.hold(1);
        if matches!(rig.screen().notice, Notice::Done(_)) {
            rig.act(Action::UndoLast);
            rig.hold(1);
            assert_eq!(rig.done().kind, DoneKind::Cancelled, "round {round}");
        } else {
            rig.act(Action::Clear);
        }
    }
    assert_eq!(
        rig.disk
            .orders()
            .iter()
            .filter(|order| order.reverses.is_none())
            .count(),
        2
    );
}

#[test]
fn what_is_synced_counts_no_longer() {
    let mut rig = Rig::offline();
    free(&mut rig, 2_000);
    rig.hold(1);
    rig.mend();
    assert_eq!(rig.screen().pill, Pill::Online);
    rig.server.free.remove(&tag(1));
    rig.cut();
    free(&mut rig, 2_000);
    rig.hold(1);
    assert_eq!(rig.disk.orders().len(), 2);
}

#[test]
fn cups_come_back_and_money_comes_in_without_a_connection() {
    let mut rig = Rig::offline();
    rig.act(Action::Return { article: CUP, count: 2 });
    rig.hold(1);
    assert_eq!(rig.done().total, Amount(-400));
    rig.act(Action::TopUp {
        amount: Amount(2_000),
        method: TenderKind::Cash,
    });
    rig.hold(1);
    assert_eq!(rig.done().kind, DoneKind::ToppedUp { after_sync: true });
    free(&mut rig, 2_100);
    rig.hold(1);
    assert!(
        matches!(
            rig.refusal(),
            Refusal::OfflineLimit {
                limit: OfflineLimit::UnknownTag,
                ..
            }
        ),
        "it can be spent after the sync"
    );
}

#[test]
fn a_balance_without_a_connection_says_how_old_it_is_or_that_nothing_is_known() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 3_000);
    rig.hold(1);
    rig.cut();
    rig.act(Action::Dismiss);
    rig.hold(1);
    assert!(matches!(&rig.screen().notice, Notice::Balance { money: Some(money), .. } if money.as_of_ms.is_some()));
    rig.hold(2);
    assert!(matches!(&rig.screen().notice, Notice::Balance { money: None, .. }));
}

#[test]
fn the_terminal_s_own_limit_holds_over_all_wristbands() {
    let mut rig = Rig::offline();
    for number in 1..=100 {
        free(&mut rig, 2_000);
        rig.hold(number);
    }
    assert_eq!(rig.disk.orders().len(), 100);
    free(&mut rig, 1);
    rig.hold(101);
    assert_eq!(
        rig.refusal(),
        Refusal::OfflineLimit {
            limit: OfflineLimit::Terminal,
            possible: Amount(0)
        }
    );
}

#[test]
fn the_screen_says_which_orders_the_server_has_and_how_much_is_on_its_way() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 3_000);
    free(&mut rig, 1_000);
    rig.hold(1);
    rig.wait(3_000);
    assert_eq!(rig.screen().unsent, None);
    rig.cut();
    free(&mut rig, 500);
    rig.hold(1);
    let before = rig.screen().unsent.unwrap();
    rig.wait(60_000);
    free(&mut rig, 200);
    rig.hold(1);
    let screen = rig.screen();
    let unsent = screen.unsent.unwrap();
    assert_eq!((unsent.orders, unsent.total), (2, Amount(700)));
    assert_eq!(unsent.oldest_ms, before.oldest_ms);
    let sent: Vec<bool> = screen.history.iter().map(|past| past.sent).collect();
    assert_eq!(sent, [false, false, true]);
    rig.crash();
    assert_eq!(rig.screen().unsent.map(|unsent| unsent.orders), Some(2));
    rig.mend();
    rig.wait(10_000);
    assert_eq!(rig.screen().unsent, None);
}
