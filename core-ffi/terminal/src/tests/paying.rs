use chips::{Chip, ReaderEvent};
use shared_protocol::message::Message;
use shared_protocol::order::{LineKind, OrderKind, Permission, TenderKind};
use shared_protocol::stream::BlockReason;
use shared_protocol::{Amount, TagId};

use crate::screen::{DoneKind, Notice, OfflineLimit, Page, Pill, Refusal};
use crate::testing::{BEER, CASHIER, CUP, DRINK, FREE, FRIES, Rig, TRAINEE, tag};
use crate::{Action, Input, StorageFault};

fn rich(number: u8, cents: i64) -> Rig {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(number), cents);
    rig
}

#[test]
fn a_cart_and_a_wristband_are_a_payment() {
    let mut rig = rich(1, 2_000);
    rig.add(BEER, 2);
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(1_400));
    assert_eq!(rig.screen().cart.as_ref().unwrap().deposits, Amount(400));
    rig.hold(1);
    let done = rig.done();
    assert_eq!(
        (done.kind, done.total, done.left.unwrap().amount),
        (DoneKind::Paid, Amount(1_400), Amount(600))
    );
    let order = rig.last_order();
    assert_eq!(
        (order.kind, order.cashier, order.holder),
        (OrderKind::Sale, CASHIER, Some(tag(1)))
    );
    assert_eq!(order.tenders[0].permission, Permission::Held);
    assert_eq!(rig.server.free[&tag(1)], 600);
    assert_eq!(rig.screen().pill, Pill::Online);
    assert!(rig.screen().cart.is_none());
}

#[test]
fn an_empty_cart_and_a_wristband_show_the_balance() {
    let mut rig = rich(1, 2_000);
    rig.server.drinks.insert(tag(1), 3);
    rig.hold(1);
    let Notice::Balance {
        tag: shown,
        money,
        units,
        ..
    } = rig.screen().notice.clone()
    else {
        panic!("no balance")
    };
    assert_eq!(
        (shown, money.unwrap().amount, money.unwrap().as_of_ms),
        (tag(1), Amount(2_000), None)
    );
    assert_eq!(units[0].amount, Amount(3));
    rig.wait(10_000);
    assert_eq!(rig.screen().notice, Notice::None);
}

#[test]
fn nothing_is_shown_as_paid_before_the_disk_has_it() {
    let mut rig = rich(1, 2_000);
    rig.add(BEER, 1);
    rig.disk_runs = false;
    rig.keep(1);
    assert_eq!(rig.screen().notice, Notice::Working);
    rig.disk_step();
    rig.run();
    assert_eq!(rig.done().total, Amount(700));
}

#[test]
fn a_disk_that_is_full_books_nothing_and_the_cart_stays() {
    let mut rig = rich(1, 2_000);
    rig.add(BEER, 1);
    rig.disk_fault = Some(StorageFault::Full);
    rig.hold(1);
    assert_eq!(rig.refusal(), Refusal::Storage(StorageFault::Full));
    assert_eq!(rig.server.free[&tag(1)], 2_000, "the hold was given back");
    rig.disk_fault = None;
    rig.hold(1);
    assert_eq!(rig.done().total, Amount(700));
    assert_eq!(rig.screen().fault, None);
    assert_eq!(rig.server.free[&tag(1)], 1_300);
}

#[test]
fn the_same_wristband_is_not_charged_twice_by_staying_or_coming_back_at_once() {
    let mut rig = rich(1, 5_000);
    rig.add(BEER, 1);
    rig.keep(1);
    rig.keep(1);
    assert!(matches!(
        rig.screen().notice,
        Notice::AlreadyPaid { total: Amount(700), .. }
    ));
    rig.wait(6_000);
    rig.keep(1);
    assert!(
        matches!(rig.screen().notice, Notice::AlreadyPaid { .. }),
        "it never left the field"
    );
    rig.leave();
    rig.hold(1);
    assert!(matches!(rig.screen().notice, Notice::Balance { .. }));
    rig.add(BEER, 1);
    rig.hold(1);
    rig.add(BEER, 1);
    rig.keep(1);
    assert_eq!(rig.disk.orders().len(), 3, "a new cart pays at once");
}

#[test]
fn too_little_money_says_what_is_missing_and_the_next_wristband_pays_the_rest() {
    let mut rig = rich(1, 500);
    rig.server.free.insert(tag(2), 300);
    rig.server.free.insert(tag(3), 1_000);
    rig.add(BEER, 2);
    rig.hold(1);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(900),
            ..
        }
    ));
    rig.hold(2);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(600),
            ..
        }
    ));
    assert_eq!(
        rig.screen().cart.as_ref().unwrap().split.as_ref().unwrap().missing,
        Amount(600)
    );
    assert_eq!(
        (rig.server.free[&tag(1)], rig.server.free[&tag(2)]),
        (500, 300),
        "nothing is taken before all is covered"
    );
    rig.hold(3);
    assert_eq!(rig.done().total, Amount(1_400));
    let order = rig.last_order();
    let parts: Vec<_> = order
        .tenders
        .iter()
        .map(|tender| (order.tender_tag(tender).unwrap(), tender.amount.0))
        .collect();
    assert_eq!(parts, [(tag(1), 500), (tag(2), 300), (tag(3), 600)]);
    assert!(order.tenders.iter().all(|tender| tender.permission == Permission::Held));
    assert_eq!(
        (
            rig.server.free[&tag(1)],
            rig.server.free[&tag(2)],
            rig.server.free[&tag(3)]
        ),
        (0, 0, 400)
    );
}

#[test]
fn a_wristband_that_was_topped_up_starts_anew_instead_of_paying_its_own_rest() {
    let mut rig = rich(1, 500);
    rig.add(BEER, 1);
    rig.hold(1);
    assert!(matches!(rig.refusal(), Refusal::BalanceTooLow { .. }));
    rig.server.free.insert(tag(1), 800);
    rig.hold(1);
    assert_eq!(rig.last_order().tenders.len(), 1);
    assert_eq!(rig.server.free[&tag(1)], 100);
}

#[test]
fn an_equal_split_books_when_the_last_wristband_came_or_not_at_all() {
    let mut rig = rich(1, 1_000);
    rig.server.free.insert(tag(2), 1_000);
    rig.server.free.insert(tag(3), 100);
    rig.add(BEER, 1);
    rig.act(Action::Split { ways: 2 });
    rig.hold(1);
    assert_eq!(rig.screen().notice, Notice::NextPart);
    rig.hold(1);
    assert_eq!(rig.refusal(), Refusal::SameWristband);
    rig.hold(3);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(250),
            ..
        }
    ));
    assert_eq!(rig.server.free[&tag(1)], 1_000);
    rig.act(Action::Split { ways: 2 });
    rig.hold(1);
    rig.hold(2);
    assert_eq!(rig.done().total, Amount(700));
    assert_eq!((rig.server.free[&tag(1)], rig.server.free[&tag(2)]), (650, 650));
}

#[test]
fn a_split_that_nobody_finishes_ends_by_itself() {
    let mut rig = rich(1, 1_000);
    rig.add(BEER, 1);
    rig.act(Action::Split { ways: 2 });
    rig.hold(1);
    rig.wait(60_000);
    assert_eq!(rig.refusal(), Refusal::SplitTimeout);
    assert!(rig.screen().cart.as_ref().unwrap().split.is_none());
    assert!(rig.disk.orders().is_empty());
}

#[test]
fn two_taxpayers_in_one_cart_are_two_orders_of_one_group_under_one_hold() {
    let mut rig = rich(1, 2_000);
    rig.add(BEER, 1);
    rig.add(FRIES, 1);
    rig.hold(1);
    assert_eq!(rig.done().orders.len(), 2);
    let orders = rig.disk.orders();
    assert_eq!(
        orders
            .iter()
            .map(|order| (order.taxpayer.0, order.group.unwrap().part, order.group.unwrap().of))
            .collect::<Vec<_>>(),
        [(1, 1, 2), (2, 2, 2)]
    );
    assert_eq!(orders[0].group.unwrap().group, orders[1].group.unwrap().group);
    assert_eq!(
        (orders[0].cart, orders[0].tenders[0].hold),
        (orders[1].cart, orders[1].tenders[0].hold)
    );
    assert_eq!(rig.server.free[&tag(1)], 2_000 - 700 - 500);
    let asked = rig
        .sent
        .iter()
        .filter(|message| matches!(message, Message::Authorise(_)))
        .count();
    assert_eq!(asked, 1);
}

#[test]
fn cups_that_come_back_are_a_credit_and_pay_for_what_is_bought_with_them() {
    let mut rig = rich(1, 0);
    rig.act(Action::Return { article: CUP, count: 3 });
    rig.hold(1);
    assert_eq!(rig.done().total, Amount(-600));
    assert_eq!(rig.last_order().kind, OrderKind::DepositReturn);
    assert_eq!(rig.server.free[&tag(1)], 600);
    rig.act(Action::Return { article: CUP, count: 2 });
    rig.add(BEER, 1);
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(300));
    rig.hold(1);
    assert_eq!(rig.done().left.unwrap().amount, Amount(300));
    rig.act(Action::Return {
        article: CUP,
        count: 11,
    });
    assert_eq!(rig.refusal(), Refusal::TooManyReturns { max: 10 });
    rig.act(Action::Return {
        article: BEER,
        count: 1,
    });
    assert_eq!(rig.refusal(), Refusal::NotReturnable(BEER));
}

#[test]
fn vouchers_are_used_when_the_guest_has_some_and_wants_to() {
    let mut rig = rich(1, 2_000);
    rig.server.drinks.insert(tag(1), 1);
    rig.add(BEER, 2);
    rig.hold(1);
    let done = rig.done();
    assert_eq!((done.total, done.vouchers), (Amount(900), vec![(DRINK, 1)]));
    assert!(
        rig.last_order()
            .lines
            .iter()
            .any(|line| line.kind == LineKind::Discount)
    );
    rig.server.drinks.insert(tag(1), 5);
    rig.add(BEER, 1);
    rig.act(Action::UseVouchers(false));
    rig.hold(1);
    assert_eq!(rig.done().total, Amount(700));
}

#[test]
fn a_cart_that_vouchers_and_cups_pay_needs_no_money() {
    let mut rig = rich(1, 0);
    rig.server.drinks.insert(tag(1), 1);
    rig.add(BEER, 1);
    rig.act(Action::Return { article: CUP, count: 1 });
    rig.hold(1);
    assert_eq!(rig.done().total, Amount(0));
    assert!(rig.last_order().tenders.is_empty());
}

#[test]
fn cash_is_taken_at_once_and_only_where_the_till_takes_it() {
    let mut rig = Rig::online();
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(250),
    });
    rig.act(Action::Pay(TenderKind::Card));
    assert_eq!(rig.refusal(), Refusal::TenderNotHere(TenderKind::Card));
    rig.act(Action::Pay(TenderKind::Cash));
    assert_eq!((rig.done().total, rig.done().tag), (Amount(250), None));
    assert_eq!(rig.last_order().tenders[0].permission, Permission::NotNeeded);
    rig.act(Action::Pay(TenderKind::Cash));
    assert_eq!(rig.refusal(), Refusal::CartEmpty);
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(0),
    });
    assert_eq!(rig.refusal(), Refusal::Price(FREE));
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(i64::MAX),
    });
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(i64::MAX - 1),
    });
    assert_eq!(rig.refusal(), Refusal::Overflow);
}

#[test]
fn blocked_several_and_foreign_wristbands_pay_nothing() {
    let mut rig = rich(1, 2_000);
    rig.server.blocked.insert(tag(1), BlockReason::Lost);
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(250),
    });
    rig.hold(1);
    assert_eq!(rig.refusal(), Refusal::Blocked(BlockReason::Lost));
    rig.input(Input::Reader(ReaderEvent::Several));
    assert_eq!(rig.refusal(), Refusal::SeveralWristbands);
    let drawn_anew = Chip::identity(TagId::from_slice(&[8, 1, 2, 3]).unwrap());
    rig.input(Input::Reader(ReaderEvent::Held(drawn_anew)));
    assert_eq!(rig.refusal(), Refusal::NotAWristband);
    assert!(rig.disk.orders().is_empty());
}

#[test]
fn only_who_is_logged_in_and_may_sells() {
    let mut rig = Rig::with_disk(Rig::fresh_disk(), true);
    assert_eq!(rig.screen().page, Page::LoggedOut);
    rig.add(BEER, 1);
    assert_eq!(rig.refusal(), Refusal::LoggedOut);
    rig.act(Action::Login {
        staff: shared_protocol::StaffId(99),
    });
    assert_eq!(rig.refusal(), Refusal::UnknownStaff);
    rig.act(Action::Login { staff: TRAINEE });
    assert_eq!(rig.screen().cashier, Some(TRAINEE));
    rig.act(Action::TopUp {
        amount: Amount(1_000),
        method: TenderKind::Cash,
    });
    rig.hold(1);
    assert_eq!(rig.refusal(), Refusal::NotPermitted);
    rig.act(Action::Logout);
    assert_eq!(rig.refusal(), Refusal::CartOpen);
    rig.act(Action::Clear);
    rig.act(Action::Login { staff: CASHIER });
    assert_eq!(rig.screen().cashier, Some(CASHIER));
    rig.act(Action::Logout);
    assert_eq!(rig.screen().page, Page::LoggedOut);
}

#[test]
fn a_top_up_is_two_touches_and_a_wristband_in_either_order() {
    let mut rig = rich(1, 500);
    rig.act(Action::TopUp {
        amount: Amount(2_000),
        method: TenderKind::Cash,
    });
    rig.hold(1);
    assert_eq!(
        (rig.done().kind, rig.done().left.unwrap().amount),
        (DoneKind::ToppedUp { after_sync: false }, Amount(2_500))
    );
    rig.hold(2);
    rig.act(Action::TopUp {
        amount: Amount(1_000),
        method: TenderKind::Cash,
    });
    assert_eq!(rig.done().tag, Some(tag(2)));
    assert_eq!((rig.server.free[&tag(1)], rig.server.free[&tag(2)]), (2_500, 1_000));
}

#[test]
fn a_top_up_stays_within_the_event_s_bounds() {
    let mut rig = rich(1, 49_000);
    rig.act(Action::TopUp {
        amount: Amount(50),
        method: TenderKind::Cash,
    });
    assert!(matches!(
        rig.refusal(),
        Refusal::TopUpRange {
            min: Amount(100),
            max: Amount(25_000)
        }
    ));
    rig.act(Action::TopUp {
        amount: Amount(2_000),
        method: TenderKind::Cash,
    });
    rig.hold(1);
    assert_eq!(
        rig.refusal(),
        Refusal::BalanceCeiling {
            possible: Amount(1_000)
        }
    );
    assert!(rig.disk.orders().is_empty());
}

#[test]
fn cash_is_paid_out_only_against_money_that_is_there() {
    let mut rig = rich(1, 1_500);
    rig.act(Action::PayOut { amount: Amount(2_000) });
    rig.hold(1);
    assert!(matches!(
        rig.refusal(),
        Refusal::BalanceTooLow {
            missing: Amount(500),
            ..
        }
    ));
    rig.act(Action::Clear);
    rig.act(Action::PayOut { amount: Amount(1_500) });
    rig.hold(1);
    assert_eq!((rig.done().kind, rig.done().total), (DoneKind::PaidOut, Amount(-1_500)));
    assert_eq!(rig.server.free[&tag(1)], 0);
    let order = rig.last_order();
    assert_eq!(
        (order.tenders[0].kind, order.tenders[0].permission),
        (TenderKind::Cash, Permission::Held)
    );
}

#[test]
fn offline_cash_leaves_only_within_its_own_limit() {
    let mut rig = rich(1, 5_000);
    rig.hold(1);
    rig.cut();
    rig.act(Action::PayOut { amount: Amount(1_500) });
    rig.hold(1);
    assert_eq!(
        rig.refusal(),
        Refusal::OfflineLimit {
            limit: OfflineLimit::PayOut,
            possible: Amount(1_000)
        }
    );
    rig.act(Action::Clear);
    rig.act(Action::PayOut { amount: Amount(1_000) });
    rig.hold(2);
    assert_eq!(rig.refusal(), Refusal::OnlineOnly);
    rig.hold(1);
    assert_eq!(rig.last_order().tenders[0].permission, Permission::OfflineKnown);
}

#[test]
fn the_server_hears_when_a_cart_is_opened_and_given_up() {
    let mut rig = Rig::online();
    rig.add(BEER, 1);
    let opened = rig.sent.iter().find_map(|message| match message {
        Message::CartOpened(opened) => Some(opened.cart),
        _ => None,
    });
    rig.act(Action::Remove { article: BEER });
    assert!(rig.screen().cart.is_none());
    assert!(matches!(rig.sent.last(), Some(Message::CartAborted(aborted)) if Some(aborted.cart) == opened));
    assert!(
        rig.disk.orders().is_empty(),
        "a cart that nobody paid is outside the journal"
    );
}

#[test]
fn a_locked_terminal_books_nothing() {
    let mut rig = rich(1, 2_000);
    rig.add(BEER, 1);
    let command = shared_protocol::CommandId([9; 16]);
    let lock = shared_protocol::message::Command {
        command,
        kind: shared_protocol::message::CommandKind::Lock,
    };
    rig.say(lock.clone());
    assert_eq!(rig.screen().page, Page::Locked);
    rig.hold(1);
    assert_eq!(rig.refusal(), Refusal::Locked);
    let entries = rig.disk.entries.len();
    rig.say(lock);
    assert_eq!(rig.disk.entries.len(), entries, "a command is carried out once");
    assert_eq!(
        rig.sent
            .iter()
            .filter(|message| matches!(message, Message::CommandDone(_)))
            .count(),
        2
    );
    rig.crash();
    assert_eq!(
        rig.screen().page,
        Page::Sale,
        "the server has the last word: it says active"
    );
    rig.hold(1);
    assert_eq!(rig.disk.orders().len(), 1);
}

#[test]
fn a_lock_stops_a_payment_that_waits_for_its_answer() {
    let mut rig = rich(1, 2_000);
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(250),
    });
    rig.server.silent = true;
    rig.keep(1);
    let command = shared_protocol::CommandId([9; 16]);
    rig.say(shared_protocol::message::Command {
        command,
        kind: shared_protocol::message::CommandKind::Lock,
    });
    rig.wait(300);
    assert_eq!(rig.refusal(), Refusal::Locked);
    assert!(rig.disk.orders().is_empty());
}

#[test]
fn the_server_logs_out_between_carts_only() {
    let mut rig = Rig::online();
    rig.add(BEER, 1);
    let told = |number| shared_protocol::message::Command {
        command: shared_protocol::CommandId([number; 16]),
        kind: shared_protocol::message::CommandKind::LogOut,
    };
    rig.say(told(1));
    assert!(matches!(rig.sent.last(), Some(Message::CommandDone(done)) if !done.done));
    rig.act(Action::Clear);
    rig.say(told(1));
    assert_eq!(rig.screen().page, Page::LoggedOut);
}

#[test]
fn same_again_is_the_last_cart_once_more() {
    let mut rig = rich(1, 5_000);
    rig.act(Action::SameAgain);
    assert_eq!(rig.refusal(), Refusal::NoSuchOrder);
    rig.add(BEER, 2);
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(123),
    });
    rig.hold(1);
    rig.act(Action::SameAgain);
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(1_523));
    rig.hold(1);
    assert_eq!(rig.disk.orders().len(), 2);
}
