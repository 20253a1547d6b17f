use shared_protocol::message::{Command, CommandKind};
use shared_protocol::order::{Order, OrderKind, TenderKind};
use shared_protocol::shift::ShiftMark;
use shared_protocol::{Amount, CommandId, OrderId, StaffId};

use crate::screen::{Notice, Page, Refusal, ShiftView};
use crate::testing::{BEER, CASHIER, CUP, DRINK, FREE, LEAD, PIN, Rig, TRAINEE, config_with_shifts, tag};
use crate::{Action, RECENT_ENTRIES, StorageFault};

fn shift(rig: &Rig) -> ShiftView {
    rig.screen().shift.unwrap()
}

fn free(rig: &mut Rig, cents: i64, band: u8) {
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(cents),
    });
    rig.hold(band);
}

fn top_up(rig: &mut Rig, cents: i64, band: u8) {
    rig.act(Action::TopUp {
        amount: Amount(cents),
        method: TenderKind::Cash,
    });
    rig.hold(band);
}

/// Two beers, one of them corrected away, another one cancelled, two cups back, a top-up and a pay-out.
fn some_work(rig: &mut Rig) {
    rig.server.free.insert(tag(1), 10_000);
    rig.add(BEER, 2);
    rig.hold(1);
    rig.act(Action::CorrectLast);
    rig.act(Action::Remove { article: BEER });
    rig.hold(1);
    rig.add(BEER, 1);
    rig.hold(2);
    rig.act(Action::UndoLast);
    rig.hold(2);
    rig.act(Action::Return { article: CUP, count: 2 });
    rig.hold(3);
    top_up(rig, 2_000, 4);
    rig.act(Action::PayOut { amount: Amount(500) });
    rig.hold(1);
}

#[test]
fn a_shift_says_what_was_sold_taken_back_and_handed_out() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(2), 10_000);
    let since_ms = shift(&rig).since_ms;
    assert!(since_ms.is_some());
    some_work(&mut rig);
    let said = ShiftView {
        staff: CASHIER,
        since_ms,
        left: false,
        sales: 3,
        sold: Amount(700 + 700 - 400),
        cancellations: 1,
        cancelled: Amount(700),
        top_ups: 1,
        topped_up: Amount(2_000),
        pay_outs: 1,
        paid_out: Amount(500),
        handed_out: 3,
        came_back: 4,
        vouchers: 0,
    };
    assert_eq!(shift(&rig), said);
    rig.crash();
    assert_eq!(shift(&rig), said, "and says it after a restart too");
}

#[test]
fn a_shift_is_counted_beyond_what_a_restart_reads_back_and_a_new_one_begins_at_nothing() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 100_000);
    for _ in 0..RECENT_ENTRIES + 10 {
        rig.act(Action::FreePrice {
            article: FREE,
            price: Amount(100),
        });
        rig.act(Action::Pay(TenderKind::Cash));
    }
    rig.crash();
    rig.mend();
    assert_eq!((shift(&rig).sales, shift(&rig).sold), (74, Amount(7_400)));
    rig.act(Action::EndShift);
    assert_eq!((rig.screen().page.clone(), rig.screen().shift), (Page::LoggedOut, None));
    rig.hold_crew(TRAINEE);
    assert_eq!((shift(&rig).staff, shift(&rig).sales), (TRAINEE, 0));
}

#[test]
fn an_order_that_is_not_on_the_disk_is_not_counted() {
    let mut rig = Rig::offline();
    rig.disk_fault = Some(StorageFault::Full);
    free(&mut rig, 500, 1);
    assert_eq!(shift(&rig).sales, 0);
    rig.disk_fault = None;
    rig.hold(1);
    assert_eq!((shift(&rig).sales, shift(&rig).sold), (1, Amount(500)));
}

#[test]
fn a_shift_ends_only_when_everything_is_sent() {
    let mut rig = Rig::offline();
    free(&mut rig, 850, 1);
    free(&mut rig, 150, 2);
    rig.act(Action::EndShift);
    assert!(matches!(
        rig.refusal(),
        Refusal::Unsent {
            orders: 2,
            total: Amount(1_000),
            ..
        }
    ));
    assert_eq!(rig.screen().cashier, Some(CASHIER));
    rig.mend();
    rig.act(Action::EndShift);
    assert_eq!(rig.screen().page, Page::LoggedOut);
}

#[test]
fn a_phone_left_with_its_shift_open_goes_on_with_the_same_band_only() {
    let mut rig = Rig::offline();
    free(&mut rig, 850, 1);
    let before = shift(&rig);
    rig.act(Action::LeaveShiftOpen);
    for _ in 0..2 {
        assert_eq!(
            (rig.screen().page.clone(), rig.screen().cashier),
            (Page::LoggedOut, None)
        );
        assert_eq!(shift(&rig), ShiftView { left: true, ..before });
        rig.add(BEER, 1);
        assert_eq!(rig.refusal(), Refusal::LoggedOut);
        rig.hold(1);
        assert_eq!(rig.refusal(), Refusal::NotStaff);
        rig.crash();
    }
    rig.hold_crew(CASHIER);
    assert_eq!(
        (rig.screen().page.clone(), shift(&rig)),
        (Page::Sale, before),
        "the same shift"
    );
    free(&mut rig, 150, 1);
    let sessions: Vec<_> = rig.disk.orders().iter().map(|order| order.session).collect();
    assert_eq!(sessions[0], sessions[1]);
    rig.act(Action::LeaveShiftOpen);
    rig.hold_crew(TRAINEE);
    assert_eq!(
        (rig.screen().cashier, shift(&rig).sales),
        (Some(TRAINEE), 0),
        "a shift of their own"
    );
}

#[test]
fn a_device_is_let_go_by_a_lead_when_the_server_has_everything() {
    let mut rig = Rig::offline();
    free(&mut rig, 850, 1);
    rig.act(Action::Unregister);
    assert_eq!(rig.refusal(), Refusal::NotPermitted);
    rig.hold_crew(LEAD);
    rig.act(Action::SwapCashier);
    rig.pin(PIN);
    rig.act(Action::Unregister);
    assert!(matches!(
        rig.refusal(),
        Refusal::Unsent {
            orders: 1,
            total: Amount(850),
            ..
        }
    ));
    rig.mend();
    rig.act(Action::Unregister);
    assert!(rig.unregistered);
    assert_eq!(rig.server.orders.len(), 1);
    assert_eq!(
        rig.server.durable[&1].0,
        rig.disk.last(1).0,
        "with the logout that it began with"
    );
}

#[test]
fn a_device_that_loses_the_network_while_it_is_let_go_stays_a_terminal() {
    let mut rig = Rig::online();
    rig.hold_crew(LEAD);
    rig.act(Action::SwapCashier);
    rig.pin(PIN);
    rig.server.silent = true;
    rig.act(Action::Unregister);
    rig.cut();
    rig.server.silent = false;
    assert_eq!(rig.refusal(), Refusal::OnlineOnly);
    rig.mend();
    assert!(!rig.unregistered);
    assert_eq!(rig.screen().page, Page::LoggedOut);
}

#[test]
fn the_list_of_past_orders_says_kind_wristband_tender_and_whether_it_is_sent() {
    let mut rig = Rig::offline();
    free(&mut rig, 850, 1);
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(150),
    });
    rig.act(Action::Pay(TenderKind::Cash));
    rig.act(Action::SwapLost { old: tag(3) });
    rig.hold(4);
    let list = rig.screen().history.clone();
    let said: Vec<_> = list
        .iter()
        .map(|past| {
            (
                past.kind,
                past.total,
                past.tag,
                past.tender,
                past.sent,
                past.cancellable,
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            (OrderKind::Swap, Amount::ZERO, Some(tag(3)), None, false, false),
            (OrderKind::Sale, Amount(150), None, Some(TenderKind::Cash), false, false),
            (
                OrderKind::Sale,
                Amount(850),
                Some(tag(1)),
                Some(TenderKind::Wristband),
                false,
                true
            ),
        ]
    );
    rig.act(Action::Dismiss);
    rig.act(Action::Cancel {
        order: list[2].order,
        reason: shared_protocol::order::CancelReason::Mistyped,
    });
    rig.hold(1);
    rig.mend();
    let after = rig.screen().history.clone();
    assert!(after.iter().all(|past| past.sent));
    assert!(after[3].taken_back && !after[3].cancellable);
    assert_eq!(after[0].kind, OrderKind::Cancel);
    assert_eq!(rig.screen().unsent, None);
}

#[test]
fn an_order_that_grew_too_old_is_shown_so_at_the_next_touch() {
    let mut rig = Rig::offline();
    free(&mut rig, 850, 1);
    assert!(rig.screen().history[0].cancellable);
    rig.wait(10 * 60 * 1_000 + 1_000);
    assert!(!rig.screen().history[0].cancellable);
}

#[test]
fn the_list_has_no_more_than_is_read_back_at_a_start() {
    let mut rig = Rig::offline();
    for number in 0..70_u8 {
        free(&mut rig, 100, number);
    }
    let ids = |rig: &Rig| -> Vec<OrderId> { rig.screen().history.iter().map(|past| past.order).collect() };
    let before = ids(&rig);
    assert_eq!(before.len() as u64, RECENT_ENTRIES);
    rig.crash();
    assert_eq!(ids(&rig), before);
}

#[test]
fn steps_that_change_no_order_share_the_list() {
    let mut rig = Rig::offline();
    free(&mut rig, 100, 1);
    rig.wait(5_000);
    let before = rig.screen().history.clone();
    rig.add(BEER, 1);
    assert!(std::sync::Arc::ptr_eq(&before, &rig.screen().history));
}

#[test]
fn the_result_says_cups_to_hand_out_and_vouchers_left() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 10_000);
    rig.server.drinks.insert(tag(1), 3);
    rig.add(BEER, 2);
    rig.act(Action::Return { article: CUP, count: 1 });
    rig.hold(1);
    let done = rig.done();
    assert_eq!(
        (done.vouchers, done.vouchers_left),
        (vec![(DRINK, 2)], vec![(DRINK, 1)])
    );
    assert_eq!(done.deposits, [(CUP, 1)]);
    assert_eq!(shift(&rig).vouchers, 2);
    rig.act(Action::CorrectLast);
    rig.act(Action::Remove { article: BEER });
    rig.hold(1);
    assert_eq!(rig.done().deposits, [(CUP, -1)], "one beer less, one cup back");
    assert!(!matches!(rig.screen().notice, Notice::None));
}

/// A terminal of a festival that has its TSE told of shifts.
fn telling(network: bool) -> Rig {
    let mut rig = Rig::with_disk(Rig::disk_with(&config_with_shifts()), network);
    rig.act(Action::Login { staff: CASHIER });
    rig
}

/// Whose shift began or ended, in the order of the journal.
fn marks(rig: &Rig) -> Vec<(StaffId, ShiftMark)> {
    let orders = rig.disk.orders();
    let of = |order: &Order| order.shift.map(|mark| (order.cashier, mark));
    orders.iter().filter_map(of).collect()
}

#[test]
fn whoever_comes_and_goes_is_told_with_the_login_it_belongs_to() {
    use ShiftMark::{Begin, End};
    let mut rig = telling(true);
    rig.server.free.insert(tag(1), 1_000);
    free(&mut rig, 500, 1);
    // Going away for a while is no end, nor is a restart.
    rig.act(Action::LeaveShiftOpen);
    rig.crash();
    rig.mend();
    rig.hold_crew(CASHIER);
    assert_eq!(marks(&rig), [(CASHIER, Begin)]);
    rig.hold_crew(TRAINEE);
    rig.act(Action::SwapCashier);
    rig.say(Command {
        command: CommandId([7; 16]),
        kind: CommandKind::LogOut,
    });
    assert_eq!(rig.screen().page, Page::LoggedOut);
    let told = [(CASHIER, Begin), (CASHIER, End), (TRAINEE, Begin), (TRAINEE, End)];
    assert_eq!(marks(&rig), told);
    let orders = rig.disk.orders();
    let of = |staff| orders.iter().filter(move |order| order.cashier == staff);
    for staff in [CASHIER, TRAINEE] {
        let session = of(staff).next().unwrap().session;
        assert!(of(staff).all(|order| order.session == session && order.check().is_ok()));
    }
    assert_eq!(orders.len(), 5, "and one sale");
    rig.mend();
    assert_eq!(rig.server.orders.len(), 5, "all of it is sent");
}

#[test]
fn a_shift_told_is_no_order_of_a_guest_and_nothing_that_keeps_anybody_from_going() {
    let mut rig = telling(false);
    assert!(rig.screen().history.is_empty() && rig.screen().unsent.is_none());
    rig.crash();
    assert!(rig.screen().history.is_empty() && rig.screen().unsent.is_none());
    rig.act(Action::EndShift);
    assert_eq!((rig.screen().page.clone(), marks(&rig).len()), (Page::LoggedOut, 2));
}

#[test]
fn nobody_is_logged_in_without_their_shift_having_begun() {
    let mut rig = Rig::with_disk(Rig::disk_with(&config_with_shifts()), true);
    rig.disk_fault = Some(StorageFault::Full);
    rig.act(Action::Login { staff: CASHIER });
    assert_eq!((rig.screen().cashier, marks(&rig)), (None, Vec::new()));
    rig.disk_fault = None;
    rig.act(Action::Login { staff: CASHIER });
    rig.wait(5_000);
    assert_eq!(
        (rig.screen().cashier, marks(&rig)),
        (Some(CASHIER), vec![(CASHIER, ShiftMark::Begin)])
    );
}

#[test]
fn what_is_said_twice_while_the_disk_is_busy_ends_and_begins_nothing_twice() {
    use ShiftMark::{Begin, End};
    let mut rig = telling(true);
    rig.disk_runs = false;
    rig.act(Action::EndShift);
    rig.act(Action::EndShift);
    rig.act(Action::Login { staff: TRAINEE });
    rig.act(Action::Login { staff: LEAD });
    rig.pin(PIN);
    rig.disk_runs = true;
    rig.run();
    let told = [
        (CASHIER, Begin),
        (CASHIER, End),
        (TRAINEE, Begin),
        (TRAINEE, End),
        (LEAD, Begin),
    ];
    assert_eq!((rig.screen().cashier, marks(&rig)), (Some(LEAD), told.to_vec()));
}
