//! What orders do to the books, from a till's journal to balances and cases.

use std::collections::BTreeMap;

use crate::common::{NOW, SELLER, Server, Till, all_durable, authorise, tag, till_at, till_that_books, wristband};
use engine::{PushResult, Reply, Request, Settled};
use festival::CaseKind;
use fixtures::sample::{self, CUP, DRINK, MEAL, PILS, TIP, TIP_WINEGROWER};
use ledger::{Account, PostingId};
use shared_protocol::message::EntryOutcome;
use shared_protocol::order::{GroupPart, OrderKind};
use shared_protocol::stream::{BlockReason, Version};
use shared_protocol::{Amount, AssetId, EventId, GroupId, OrderId};

const BAR: [OrderKind; 4] = [
    OrderKind::Sale,
    OrderKind::Cancel,
    OrderKind::Correction,
    OrderKind::DepositReturn,
];

fn prices() -> (i128, i128) {
    let config = sample::config();
    let price = |article| i128::from(config.articles[&article].price.unwrap().0);
    (price(PILS), price(CUP))
}

fn desk_and_bar(server: &mut Server) -> (Till, Till) {
    let desk = till_that_books(server, &[OrderKind::TopUp, OrderKind::PayOut], 1);
    let bar = till_that_books(server, &BAR, 2);
    (desk, bar)
}

fn grant(server: &mut Server, number: u32, asset: AssetId, units: i64) {
    let posting = PostingId(OrderId([200; 16]));
    let expires_at_ms = sample::config().assets[&asset].expires.then_some(NOW + 86_400_000);
    let reply = server.ask(Request::Grant {
        posting,
        tag: tag(number),
        asset,
        amount: Amount(units),
        expires_at_ms,
    });
    assert_eq!(reply, Reply::Settled(Settled::Done));
}

#[test]
fn a_top_up_and_a_sale_move_money_from_the_drawer_over_the_wristband_to_the_seller() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (beer, cup) = prices();
    desk.top_up(tag(1), 2_000);
    all_durable(&server.sync(&mut desk), 1);
    bar.sell(tag(1), &[(PILS, 2)]);
    all_durable(&server.sync(&mut bar), 1);
    assert_eq!(server.money(tag(1)), 2_000 - 2 * (beer + cup));
    assert_eq!(
        server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO),
        2 * beer
    );
    assert_eq!(
        server.balance(
            Account::Deposit {
                article: CUP,
                taxpayer: SELLER
            },
            AssetId::EURO
        ),
        2 * cup
    );
    assert_eq!(server.balance(Account::Cash { till: desk.till }, AssetId::EURO), -2_000);
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn a_tip_to_the_staff_is_kept_beside_what_the_business_gets_and_one_to_the_business_is_its_turnover() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (beer, cup) = prices();
    let tips = Account::Tips { taxpayer: SELLER };
    let payable = Account::Payable { taxpayer: SELLER };
    desk.top_up(tag(1), 3_000);
    server.sync(&mut desk);
    let mut sold = Vec::new();
    for tip in [TIP, TIP_WINEGROWER] {
        let order = bar.cart(tag(1), &[(PILS, 1)], &BTreeMap::new(), None).remove(0);
        let order = bar.with_tip(order, tip, 150);
        bar.append(&order);
        sold.push(order);
    }
    all_durable(&server.sync(&mut bar), 2);
    assert_eq!(server.money(tag(1)), 3_000 - 2 * (beer + cup + 150));
    assert_eq!(server.balance(tips, AssetId::EURO), 150);
    assert_eq!(server.balance(payable, AssetId::EURO), 2 * beer + 150);
    for order in &sold {
        bar.cancel(order);
    }
    all_durable(&server.sync(&mut bar), 4);
    assert_eq!(server.money(tag(1)), 3_000);
    assert_eq!(server.balance(tips, AssetId::EURO), 0);
    assert_eq!(server.balance(payable, AssetId::EURO), 0);
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn a_tip_for_a_cup_that_comes_back_goes_from_the_deposit_to_the_staff() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (_, cup) = prices();
    desk.top_up(tag(1), 1_000);
    server.sync(&mut desk);
    let order = bar.cart(tag(1), &[(CUP, -2)], &BTreeMap::new(), None).remove(0);
    let mut order = bar.with_tip(order, TIP, 300);
    order.kind = OrderKind::Sale;
    bar.append(&order);
    all_durable(&server.sync(&mut bar), 1);
    assert_eq!(server.money(tag(1)), 1_000 + 2 * cup - 300);
    assert_eq!(server.balance(Account::Tips { taxpayer: SELLER }, AssetId::EURO), 300);
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn what_the_wristband_lacks_is_owed_and_settled_from_the_next_top_up() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (beer, cup) = prices();
    desk.top_up(tag(1), 100);
    server.sync(&mut desk);
    bar.sell(tag(1), &[(PILS, 1)]);
    let PushResult::Durable { notes, .. } = server.sync(&mut bar) else {
        panic!()
    };
    assert_eq!(
        (notes[0].outcome, notes[0].code),
        (EntryOutcome::Flagged, CaseKind::Overdraft.code())
    );
    let owed = beer + cup - 100;
    assert_eq!(server.money(tag(1)), 0);
    assert_eq!(server.balance(Account::Overdraft { tag: tag(1) }, AssetId::EURO), -owed);
    assert_eq!(
        server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO),
        beer,
        "goods are booked as taken"
    );
    assert_eq!(i128::from(server.cases()[0].case.case.stake.0), owed);
    desk.top_up(tag(1), 2_000);
    server.sync(&mut desk);
    assert_eq!(server.money(tag(1)), 2_000 - owed);
    assert_eq!(server.balance(Account::Overdraft { tag: tag(1) }, AssetId::EURO), 0);
    server.assert_balanced();
}

#[test]
fn the_same_order_again_is_booked_once_and_other_content_is_kept_with_a_case() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    desk.top_up(tag(1), 5_000);
    server.sync(&mut desk);
    let sold = bar.sell(tag(1), &[(PILS, 1)]);
    server.sync(&mut bar);
    let before = server.money(tag(1));

    // The same order by another phone, as after an evacuation.
    let mut other = till_at(&mut server, bar.till, 9);
    other.append(&sold);
    let PushResult::Durable { notes, .. } = server.sync(&mut other) else {
        panic!()
    };
    assert_eq!(notes[0].outcome, EntryOutcome::Duplicate);
    assert_eq!((server.money(tag(1)), server.case_kinds()), (before, vec![]));

    let mut changed = bar.cart(tag(1), &[(PILS, 3)], &BTreeMap::new(), None).remove(0);
    changed.id = sold.id;
    bar.append(&changed);
    let PushResult::Durable { notes, .. } = server.sync(&mut bar) else {
        panic!()
    };
    assert_eq!(notes[0].outcome, EntryOutcome::Conflict);
    assert_eq!(
        (server.money(tag(1)), server.case_kinds()),
        (before, vec![CaseKind::IdConflict])
    );
}

#[test]
fn an_authorisation_holds_money_and_its_order_captures_it() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (beer, cup) = prices();
    let due = i64::try_from(beer + cup).unwrap();
    desk.top_up(tag(1), due + 50);
    server.sync(&mut desk);
    let yes = authorise(&mut server, &bar, tag(1), due, 1);
    assert_eq!((yes.hold.is_some(), yes.free), (true, Amount(50)));
    let again = authorise(&mut server, &bar, tag(1), due, 1);
    assert_eq!(
        (again.hold, again.free),
        (yes.hold, Amount(50)),
        "the same question holds once"
    );
    let no = authorise(&mut server, &bar, tag(1), 51, 2);
    assert!(no.hold.is_none());
    let order = bar.cart(tag(1), &[(PILS, 1)], &BTreeMap::new(), yes.hold).remove(0);
    bar.append(&order);
    server.sync(&mut bar);
    assert_eq!((server.money(tag(1)), server.engine.holds()), (50, 0));
    assert!(authorise(&mut server, &bar, tag(1), 50, 3).hold.is_some());
    assert_eq!(server.case_kinds(), []);
}

#[test]
fn a_forgotten_or_lapsed_hold_is_booked_like_an_offline_order() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (beer, cup) = prices();
    let due = i64::try_from(beer + cup).unwrap();
    desk.top_up(tag(1), due);
    server.sync(&mut desk);
    let hold = authorise(&mut server, &bar, tag(1), due, 1).hold;
    let mut server = server.restarted();
    let order = bar.cart(tag(1), &[(PILS, 1)], &BTreeMap::new(), hold).remove(0);
    bar.append(&order);
    server.hello(&bar);
    all_durable(&server.sync(&mut bar), 1);
    assert_eq!((server.money(tag(1)), server.case_kinds()), (0, vec![]));

    desk.top_up(tag(2), due);
    server.sync(&mut desk);
    let hold = authorise(&mut server, &bar, tag(2), due, 2).hold;
    server.now_ms += sample::config().event.hold_lifetime_ms;
    assert!(
        authorise(&mut server, &desk, tag(2), due, 3).hold.is_some(),
        "lapsed money is free again"
    );
    let order = bar.cart(tag(2), &[(PILS, 1)], &BTreeMap::new(), hold).remove(0);
    bar.append(&order);
    server.sync(&mut bar);
    // The other till's hold keeps the money, so this guest owes.
    assert_eq!(server.case_kinds(), [CaseKind::Overdraft]);
    server.assert_balanced();
}

#[test]
fn a_cancelled_sale_gives_everything_back_once() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    desk.top_up(tag(1), 5_000);
    server.sync(&mut desk);
    let sold = bar.sell(tag(1), &[(PILS, 2)]);
    bar.cancel(&sold);
    server.sync(&mut bar);
    assert_eq!((server.money(tag(1)), server.case_kinds()), (5_000, vec![]));
    bar.cancel(&sold);
    let PushResult::Durable { notes, .. } = server.sync(&mut bar) else {
        panic!()
    };
    assert_eq!(notes[0].code, CaseKind::ReversedTwice.code());
    assert_eq!(server.money(tag(1)), 5_000);
    assert_eq!(server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO), 0);
    server.assert_balanced();
}

#[test]
fn a_debt_that_was_settled_comes_back_to_the_guest_when_its_order_is_cancelled() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let sold = bar.sell(tag(1), &[(PILS, 2)]);
    server.sync(&mut bar);
    desk.top_up(tag(1), 5_000);
    server.sync(&mut desk);
    bar.cancel(&sold);
    server.sync(&mut bar);
    assert_eq!(server.money(tag(1)), 5_000);
    assert_eq!(server.balance(Account::Overdraft { tag: tag(1) }, AssetId::EURO), 0);
    // Cancelled before it is settled, the debt is gone and nothing comes back.
    let sold = bar.sell(tag(2), &[(PILS, 2)]);
    bar.cancel(&sold);
    server.sync(&mut bar);
    assert_eq!(server.money(tag(2)), 0);
    assert_eq!(server.balance(Account::Overdraft { tag: tag(2) }, AssetId::EURO), 0);
    server.assert_balanced();
}

#[test]
fn a_cancellation_that_comes_before_its_sale_is_booked_from_its_own_lines() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    desk.top_up(tag(1), 5_000);
    server.sync(&mut desk);
    let sold = bar.cart(tag(1), &[(PILS, 2)], &BTreeMap::new(), None).remove(0);
    let mut other = till_at(&mut server, bar.till, 9);
    other.cancel(&sold);
    server.sync(&mut other);
    assert_eq!(server.case_kinds(), [CaseKind::ReversalUnknown]);
    bar.append(&sold);
    server.sync(&mut bar);
    assert_eq!(server.money(tag(1)), 5_000);
    server.assert_balanced();
}

#[test]
fn a_correction_takes_the_old_order_back_and_books_the_new_one_in_one_posting() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (beer, cup) = prices();
    desk.top_up(tag(1), i64::try_from(2 * (beer + cup)).unwrap());
    server.sync(&mut desk);
    let sold = bar.sell(tag(1), &[(PILS, 2)]);
    let mut right = bar.cart(tag(1), &[(PILS, 1)], &BTreeMap::new(), None).remove(0);
    (right.kind, right.reverses) = (OrderKind::Correction, Some(sold.id));
    bar.append(&right);
    server.sync(&mut bar);
    assert_eq!((server.money(tag(1)), server.case_kinds()), (beer + cup, vec![]));
    assert_eq!(
        server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO),
        beer
    );
    server.assert_balanced();
}

#[test]
fn taking_a_correction_back_does_not_bring_back_what_it_had_replaced() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (beer, cup) = prices();
    desk.top_up(tag(1), 5_000);
    server.sync(&mut desk);
    let sold = bar.sell(tag(1), &[(PILS, 3)]);
    let corrected = |bar: &mut Till, count: i32, replaces: OrderId| {
        let mut order = bar.cart(tag(1), &[(PILS, count)], &BTreeMap::new(), None).remove(0);
        (order.kind, order.reverses) = (OrderKind::Correction, Some(replaces));
        bar.append(&order);
        order
    };
    let first = corrected(&mut bar, 1, sold.id);
    let second = corrected(&mut bar, 2, first.id);
    server.sync(&mut bar);
    assert_eq!(server.money(tag(1)), 5_000 - 2 * (beer + cup));
    bar.cancel(&second);
    server.sync(&mut bar);
    assert_eq!((server.money(tag(1)), server.case_kinds()), (5_000, vec![]));
    assert_eq!(server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO), 0);
    server.assert_balanced();
}

#[test]
fn a_cancelled_top_up_that_is_spent_is_owed_and_never_a_negative_wristband() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (beer, cup) = prices();
    let top_up = desk.top_up(tag(1), 2_000);
    server.sync(&mut desk);
    bar.sell(tag(1), &[(PILS, 1)]);
    server.sync(&mut bar);
    let mut order = desk.order(OrderKind::Cancel);
    order.lines = vec![Till::money_line(shared_protocol::order::LineKind::TopUp, -1, 2_000)];
    order.tenders = vec![Till::tender(shared_protocol::order::TenderKind::Cash, Amount(-2_000))];
    (order.holder, order.reverses) = (Some(tag(1)), Some(top_up));
    desk.append(&order);
    server.sync(&mut desk);
    assert_eq!(server.money(tag(1)), 0);
    assert_eq!(
        server.balance(Account::Overdraft { tag: tag(1) }, AssetId::EURO),
        -(beer + cup)
    );
    assert_eq!(server.balance(Account::Cash { till: desk.till }, AssetId::EURO), 0);
    assert!(server.case_kinds().contains(&CaseKind::Overdraft));
    server.assert_balanced();
}

#[test]
fn a_pay_out_leaves_the_wristband_and_the_drawer() {
    let mut server = Server::new();
    let (mut desk, _) = desk_and_bar(&mut server);
    desk.top_up(tag(1), 2_000);
    desk.pay_out(tag(1), 1_500);
    server.sync(&mut desk);
    assert_eq!(
        (
            server.money(tag(1)),
            server.balance(Account::Cash { till: desk.till }, AssetId::EURO)
        ),
        (500, -500)
    );
    assert_eq!(server.case_kinds(), []);
}

#[test]
fn cups_come_back_without_a_sale_and_to_another_business() {
    let mut server = Server::new();
    let (_, mut bar) = desk_and_bar(&mut server);
    let (_, cup) = prices();
    let order = bar.cart(tag(1), &[(CUP, -2)], &BTreeMap::new(), None).remove(0);
    assert_eq!(order.kind, OrderKind::DepositReturn);
    bar.append(&order);
    let mut foreign = bar.cart(tag(1), &[(CUP, -1)], &BTreeMap::new(), None).remove(0);
    foreign.taxpayer = sample::CATERER;
    bar.append(&foreign);
    server.sync(&mut bar);
    assert_eq!(server.money(tag(1)), 3 * cup);
    assert_eq!(
        server.balance(
            Account::Deposit {
                article: CUP,
                taxpayer: SELLER
            },
            AssetId::EURO
        ),
        -3 * cup
    );
    let clearing = Account::Clearing {
        debtor: SELLER,
        creditor: sample::CATERER,
    };
    assert_eq!(
        server.balance(clearing, AssetId::EURO),
        cup,
        "the lender owes the caterer what it paid back"
    );
    assert_eq!(
        server.balance(
            Account::Payable {
                taxpayer: sample::CATERER
            },
            AssetId::EURO
        ),
        -cup
    );
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn vouchers_are_redeemed_as_a_discount_or_as_a_means_of_payment() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    let (_, cup) = prices();
    desk.top_up(tag(1), 2_000);
    server.sync(&mut desk);
    grant(&mut server, 1, DRINK, 2);
    let order = bar
        .cart(tag(1), &[(PILS, 1)], &BTreeMap::from([(DRINK, 2)]), None)
        .remove(0);
    let used = i128::from(order.lines[0].vouchers.unwrap().units);
    bar.append(&order);
    server.sync(&mut bar);
    assert_eq!(server.balance(wristband(tag(1)), DRINK), 2 - used);
    assert_eq!(
        server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO),
        0,
        "a free voucher takes the price off"
    );
    assert_eq!(server.money(tag(1)), 2_000 - cup);
    // Vouchers that are not there are owed, in their own asset.
    let order = bar
        .cart(tag(2), &[(PILS, 1)], &BTreeMap::from([(DRINK, 2)]), None)
        .remove(0);
    bar.append(&order);
    server.sync(&mut bar);
    assert_eq!(server.balance(Account::Overdraft { tag: tag(2) }, DRINK), -used);
    assert!(server.case_kinds().iter().all(|kind| *kind == CaseKind::Overdraft));
    server.assert_balanced();
}

#[test]
fn a_multi_purpose_voucher_pays_the_seller_from_the_organisers_funding() {
    let mut server = Server::new();
    let config = sample::config();
    let dish = config
        .articles
        .values()
        .find(|article| article.vouchers.is_some_and(|price| price.asset == MEAL))
        .unwrap()
        .clone();
    let till = config
        .tills
        .values()
        .find(|till| config.layouts[&till.layout].tiles.contains(&dish.id))
        .expect("some till sells it")
        .id;
    let mut stall = till_at(&mut server, till, 3);
    grant(&mut server, 1, MEAL, i64::from(dish.vouchers.unwrap().units));
    let order = stall
        .cart(tag(1), &[(dish.id, 1)], &BTreeMap::from([(MEAL, 9)]), None)
        .remove(0);
    stall.append(&order);
    server.sync(&mut stall);
    let price = i128::from(dish.price.unwrap().0);
    assert_eq!(
        server.balance(
            Account::Payable {
                taxpayer: dish.taxpayer
            },
            AssetId::EURO
        ),
        price
    );
    assert_eq!(
        server.balance(Account::VoucherFunding { voucher: MEAL }, AssetId::EURO),
        -price
    );
    assert_eq!(server.balance(wristband(tag(1)), MEAL), 0);
    let odd = |server: &Server| {
        let kinds = server.case_kinds();
        kinds.iter().filter(|kind| **kind == CaseKind::PriceMismatch).count()
    };
    assert_eq!(odd(&server), 0);
    // Vouchers that pay for more than their lines are worth, and other units than the lines used, are booked as taken and looked at.
    let mut generous = stall.cart(tag(1), &[(dish.id, 2)], &BTreeMap::new(), None).remove(0);
    generous.tenders.clone_from(&order.tenders);
    let mut miscounted = stall
        .cart(tag(1), &[(dish.id, 1)], &BTreeMap::from([(MEAL, 9)]), None)
        .remove(0);
    miscounted.tenders[0].amount = Amount(7);
    for (order, found) in [(generous, 1), (miscounted, 2)] {
        stall.append(&order);
        server.sync(&mut stall);
        assert_eq!(odd(&server), found);
    }
    assert_eq!(
        server.balance(Account::VoucherFunding { voucher: MEAL }, AssetId::EURO),
        -price * 4 - (i128::from(order.total().unwrap().0) - price),
        "the organiser pays what was given for vouchers, here also the second tray"
    );
    server.assert_balanced();
}

#[test]
fn two_orders_of_one_cart_share_one_hold() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    desk.top_up(tag(1), 10_000);
    server.sync(&mut desk);
    let config = sample::config();
    let other = config
        .articles
        .values()
        .find(|article| article.taxpayer != SELLER && article.price.is_some())
        .unwrap();
    let mut orders = bar.cart(tag(1), &[(PILS, 1), (other.id, 1)], &BTreeMap::new(), None);
    assert_eq!(orders.len(), 2);
    let total: i64 = orders.iter().map(|order| order.total().unwrap().0).sum();
    let hold = authorise(&mut server, &bar, tag(1), total, 1).hold;
    for (order, part) in orders.iter_mut().zip(1..) {
        order.tenders[0].hold = hold;
        order.group = Some(GroupPart {
            group: GroupId([1; 16]),
            part,
            of: 2,
        });
        bar.append(order);
    }
    server.sync(&mut bar);
    assert_eq!(
        (server.money(tag(1)), server.engine.holds()),
        (i128::from(10_000 - total), 0)
    );
    assert_eq!(server.case_kinds(), []);
}

#[test]
fn odd_orders_are_booked_as_taken_with_the_right_case() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    desk.top_up(tag(1), 40_000);
    server.sync(&mut desk);
    let sale = |bar: &mut Till| bar.cart(tag(1), &[(PILS, 1)], &BTreeMap::new(), None).remove(0);

    let mut cheap = sale(&mut bar);
    cheap.lines[0].unit_price = Amount(1);
    cheap.tenders[0].amount = cheap.total().unwrap();
    let mut unknown = sale(&mut bar);
    unknown.config = Version { generation: 9, rev: 9 };
    let mut stranger = sale(&mut bar);
    stranger.cashier = shared_protocol::StaffId(999_999);
    for order in [&cheap, &unknown, &stranger] {
        bar.append(order);
    }
    server.sync(&mut bar);
    assert_eq!(
        server.case_kinds(),
        [
            CaseKind::PriceMismatch,
            CaseKind::UnknownRevision,
            CaseKind::NotPermitted
        ]
    );
    let paid: i64 = [&cheap, &unknown, &stranger]
        .iter()
        .map(|order| order.total().unwrap().0)
        .sum();
    assert_eq!(server.money(tag(1)), i128::from(40_000 - paid));

    server.ask(Request::Block {
        tag: tag(1),
        reason: Some(BlockReason::Lost),
    });
    assert!(authorise(&mut server, &bar, tag(1), 100, 1).hold.is_none());
    let order = sale(&mut bar);
    bar.append(&order);
    server.sync(&mut bar);
    assert_eq!(server.case_kinds().last(), Some(&CaseKind::BlockedTag));
    assert!(server.restarted().engine.config().event.id == sample::EVENT);
}

#[test]
fn what_cannot_be_booked_is_kept_with_a_case_and_blocks_nothing() {
    let mut server = Server::new();
    let (mut desk, mut bar) = desk_and_bar(&mut server);
    desk.top_up(tag(1), 5_000);
    server.sync(&mut desk);
    let base = bar.cart(tag(1), &[(PILS, 1)], &BTreeMap::new(), None).remove(0);
    let fresh = |bar: &mut Till| {
        let id = bar.order(OrderKind::Sale).id;
        shared_protocol::order::Order { id, ..base.clone() }
    };
    let mut elsewhere = fresh(&mut bar);
    elsewhere.event = EventId([9; 16]);
    let mut unbalanced = fresh(&mut bar);
    unbalanced.tenders[0].amount = Amount(1);
    let mut huge = fresh(&mut bar);
    huge.lines[0].unit_price = Amount(i64::MAX);
    huge.lines[0].quantity = 10_000;
    let mut overflow_in_ledger = fresh(&mut bar);
    overflow_in_ledger.lines = vec![shared_protocol::order::Line {
        quantity: 1,
        unit_price: Amount(i64::MAX),
        ..base.lines[0]
    }];
    overflow_in_ledger.tenders[0].amount = Amount(i64::MAX);
    let mut later_kind = fresh(&mut bar);
    later_kind.kind = OrderKind::Ticket;
    for order in [&elsewhere, &unbalanced, &huge, &later_kind] {
        bar.append(order);
    }
    bar.append_raw(vec![0xff, 0x00]);
    bar.append_raw(Vec::new());
    bar.append(&base);
    let PushResult::Durable { durable_seq, notes, .. } = server.sync(&mut bar) else {
        panic!()
    };
    assert_eq!(durable_seq, 7);
    assert_eq!(
        notes.iter().map(|note| note.outcome).collect::<Vec<_>>(),
        [EntryOutcome::Parked; 6]
    );
    assert_eq!(
        server.case_kinds(),
        [
            CaseKind::WrongEvent,
            CaseKind::OrderFault,
            CaseKind::OrderFault,
            CaseKind::KindNotBooked,
            CaseKind::Unreadable,
            CaseKind::Unreadable
        ]
    );
    assert_eq!(server.money(tag(1)), 5_000 - i128::from(base.total().unwrap().0));
    bar.append(&overflow_in_ledger);
    server.sync(&mut bar);
    server.assert_balanced();
}

#[test]
fn a_clock_that_cannot_be_believed_takes_the_day_of_its_session() {
    let mut server = Server::new();
    let (mut desk, _) = desk_and_bar(&mut server);
    desk.top_up(tag(1), 1_000);
    server.sync(&mut desk);
    assert_eq!(server.case_kinds(), []);
    desk.offset_ms = None;
    desk.wall_ms = 0;
    desk.top_up(tag(1), 2_000);
    desk.top_up(tag(1), 2_000);
    server.sync(&mut desk);
    assert_eq!(
        server.case_kinds(),
        [CaseKind::ClockDoubtful],
        "one case for the session"
    );
    let rows = server.engine.reader().unwrap().journal(1, 10).unwrap();
    let today = festival::day::event_day(&sample::event(), NOW).unwrap().0;
    assert!(rows.iter().all(|row| row.entry.as_ref().unwrap().day == Some(today)));
}
