//! Wristbands that a desk swaps or blocks.

use crate::common::{Server, Till, authorise, tag, till_that_books};
use crate::purses::{BATCH, Band, beer, grant, in_purse, known, move_the_rest, server as purse_server, token, top_up};
use engine::{PushResult, Reply, Request, Settled};
use festival::CaseKind;
use festival::case::SwapFault;
use fixtures::sample::{DRINK, EVENT, PILS};
use ledger::{Account, PostingId};
use shared_protocol::message::EntryOutcome;
use shared_protocol::order::{Order, OrderKind};
use shared_protocol::stream::{BlockReason, Copy, Stream, Version};
use shared_protocol::wristband::{BandChange, ShownPurse};
use shared_protocol::{Amount, AssetId, OrderId, StaffId, TagId, decode};

fn desk(server: &mut Server) -> Till {
    till_that_books(server, &[OrderKind::TopUp, OrderKind::Swap, OrderKind::Block], 1)
}

fn swap(desk: &mut Till, old: TagId, new: TagId, reason: BlockReason) -> Order {
    let mut order = desk.order(OrderKind::Swap);
    (order.lines, order.tenders) = (Vec::new(), Vec::new());
    order.holder = Some(old);
    order.band = Some(BandChange {
        reason,
        new: Some(new),
        shown: None,
    });
    order
}

fn block(desk: &mut Till, tag: TagId) -> Order {
    let order = swap(desk, tag, tag, BlockReason::Lost);
    let band = order.band.map(|band| BandChange { new: None, ..band });
    Order {
        kind: OrderKind::Block,
        band,
        ..order
    }
}

fn blocked(server: &mut Server, tag: TagId) -> Option<BlockReason> {
    let list = server.engine.step_from(Stream::BlockList, Version::default()).unwrap();
    let (step, payload) = list?;
    let mut copy = Copy::default();
    copy.apply(&server.engine.config_key(), EVENT, &step, &payload).unwrap();
    copy.items.get(tag.as_slice()).map(|reason| decode(reason).unwrap())
}

fn units(server: &mut Server, tag: TagId, asset: AssetId) -> i128 {
    server.balance(crate::common::wristband(tag), asset)
}

/// Grants drink tokens that are good for so long.
fn drinks(server: &mut Server, tag: TagId, count: i64, good_for_ms: u64) {
    let expires_at_ms = Some(server.now_ms + good_for_ms);
    let reply = server.ask(Request::Grant {
        posting: PostingId(OrderId([99; 16])),
        tag,
        asset: DRINK,
        amount: Amount(count),
        expires_at_ms,
    });
    assert_eq!(reply, Reply::Settled(Settled::Done));
}

/// Whether the last case is a swap that was not done for this reason.
fn undone(server: &Server) -> Option<SwapFault> {
    let case = server.cases().pop()?.case.case;
    assert_eq!(case.kind, CaseKind::SwapUndone);
    SwapFault::from_code(u8::try_from(case.number?).ok()?)
}

#[test]
fn everything_moves_to_the_new_wristband_and_the_old_one_is_blocked() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    desk.top_up(tag(1), 25_00);
    server.sync(&mut desk);
    drinks(&mut server, tag(1), 3, 60_000);
    let order = swap(&mut desk, tag(1), tag(2), BlockReason::Replaced);
    desk.append(&order);
    server.sync(&mut desk);
    assert_eq!((server.money(tag(1)), server.money(tag(2))), (0, 25_00));
    assert_eq!(
        (units(&mut server, tag(1), DRINK), units(&mut server, tag(2), DRINK)),
        (0, 3)
    );
    assert_eq!(blocked(&mut server, tag(1)), Some(BlockReason::Replaced));
    assert_eq!(blocked(&mut server, tag(2)), None);
    assert!(authorise(&mut server, &desk, tag(1), 1_00, 1).hold.is_none());
    assert!(authorise(&mut server, &desk, tag(2), 1_00, 2).hold.is_some());
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
    let mut restarted = server.restarted();
    assert_eq!(blocked(&mut restarted, tag(1)), Some(BlockReason::Replaced));
}

#[test]
fn a_swap_is_booked_once_when_it_comes_twice_and_by_another_way() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    desk.top_up(tag(1), 25_00);
    let order = swap(&mut desk, tag(1), tag(2), BlockReason::Lost);
    desk.append(&order);
    server.sync(&mut desk);
    // The acknowledgement was lost: all of it comes again. Then the same order comes from another device, after the guest was paid in again.
    server.push(desk.push_from(1));
    desk.top_up(tag(1), 7_00);
    server.sync(&mut desk);
    let mut other = till_that_books(&mut server, &[OrderKind::Swap], 9);
    other.append(&order);
    let PushResult::Durable { notes, .. } = server.sync(&mut other) else {
        panic!()
    };
    assert_eq!(notes[0].outcome, EntryOutcome::Duplicate);
    assert_eq!((server.money(tag(1)), server.money(tag(2))), (7_00, 25_00));
    assert_eq!(
        server.case_kinds(),
        [CaseKind::AfterSwap],
        "money came to a wristband that is replaced"
    );
    server.assert_balanced();
}

#[test]
fn a_guest_is_not_rid_of_debts_by_a_new_wristband() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    let mut bar = till_that_books(&mut server, &[OrderKind::Sale], 2);
    desk.top_up(tag(1), 2_00);
    server.sync(&mut desk);
    let sale = bar
        .cart(tag(1), &[(PILS, 1)], &std::collections::BTreeMap::new(), None)
        .remove(0);
    bar.append(&sale);
    server.sync(&mut bar);
    let debt = i128::from(sale.total().unwrap().0) - 2_00;
    let order = swap(&mut desk, tag(1), tag(2), BlockReason::Replaced);
    desk.append(&order);
    server.sync(&mut desk);
    let owes = |server: &mut Server, number| server.balance(Account::Overdraft { tag: tag(number) }, AssetId::EURO);
    assert_eq!((owes(&mut server, 1), owes(&mut server, 2)), (0, -debt));
    desk.top_up(tag(2), 10_00);
    server.sync(&mut desk);
    assert_eq!((owes(&mut server, 2), server.money(tag(2))), (0, 10_00 - debt));
    server.assert_balanced();
}

#[test]
fn vouchers_that_are_over_do_not_stop_a_swap() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    desk.top_up(tag(1), 5_00);
    server.sync(&mut desk);
    drinks(&mut server, tag(1), 2, 1_000);
    server.now_ms += 10_000;
    let order = swap(&mut desk, tag(1), tag(2), BlockReason::Replaced);
    desk.append(&order);
    server.sync(&mut desk);
    assert_eq!(server.money(tag(2)), 5_00);
    assert_eq!(
        (units(&mut server, tag(1), DRINK), units(&mut server, tag(2), DRINK)),
        (2, 0)
    );
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn a_swap_that_cannot_be_done_is_kept_moves_nothing_and_says_why() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    desk.top_up(tag(1), 25_00);
    desk.top_up(tag(3), 1_00);
    server.sync(&mut desk);
    server.ask(Request::Block {
        tag: tag(4),
        reason: Some(BlockReason::Blocked),
    });
    for (new, fault) in [
        (tag(1), SwapFault::Same),
        (tag(3), SwapFault::NewInUse),
        (tag(4), SwapFault::NewBlocked),
    ] {
        let order = swap(&mut desk, tag(1), new, BlockReason::Replaced);
        desk.append(&order);
        server.sync(&mut desk);
        assert_eq!(undone(&server), Some(fault));
        // The same order again changes its mind about nothing, also when it could be done by now.
        desk.append(&order);
        let PushResult::Durable { notes, .. } = server.sync(&mut desk) else {
            panic!()
        };
        assert_eq!(notes[0].outcome, EntryOutcome::Duplicate);
    }
    let mut stranger = swap(&mut desk, tag(1), tag(2), BlockReason::Replaced);
    stranger.cashier = StaffId(4_711_000);
    desk.append(&stranger);
    server.sync(&mut desk);
    assert_eq!(undone(&server), Some(SwapFault::NotPermitted));
    let mut bar = till_that_books(&mut server, &[OrderKind::Sale], 2);
    let order = swap(&mut bar, tag(1), tag(2), BlockReason::Replaced);
    bar.append(&order);
    server.sync(&mut bar);
    assert_eq!(undone(&server), Some(SwapFault::NotPermitted));
    assert_eq!((server.money(tag(1)), server.money(tag(2))), (25_00, 0));
    assert_eq!(blocked(&mut server, tag(1)), None);
    assert!(server.case_kinds().iter().all(|kind| *kind == CaseKind::SwapUndone));
    server.assert_balanced();
}

#[test]
fn a_block_of_the_organiser_is_not_undone_by_a_new_wristband() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    desk.top_up(tag(1), 25_00);
    server.sync(&mut desk);
    let reason = Some(BlockReason::Blocked);
    server.ask(Request::Block { tag: tag(1), reason });
    let order = swap(&mut desk, tag(1), tag(2), BlockReason::Lost);
    desk.append(&order);
    server.sync(&mut desk);
    assert_eq!(undone(&server), Some(SwapFault::OldBlocked));
    let order = block(&mut desk, tag(1));
    desk.append(&order);
    server.sync(&mut desk);
    assert_eq!((blocked(&mut server, tag(1)), server.money(tag(1))), (reason, 25_00));
}

#[test]
fn two_desks_that_swap_one_wristband_offline_give_its_money_to_the_first() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    let mut other = till_that_books(&mut server, &[OrderKind::Swap], 9);
    desk.top_up(tag(1), 25_00);
    server.sync(&mut desk);
    let first = swap(&mut desk, tag(1), tag(2), BlockReason::Lost);
    desk.append(&first);
    let second = swap(&mut other, tag(1), tag(3), BlockReason::Lost);
    other.append(&second);
    server.sync(&mut desk);
    server.sync(&mut other);
    assert_eq!(undone(&server), Some(SwapFault::AlreadyReplaced));
    assert_eq!((server.money(tag(2)), server.money(tag(3))), (25_00, 0));
    server.assert_balanced();
}

#[test]
fn a_swap_finds_what_the_same_batch_of_entries_has_just_booked() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    desk.top_up(tag(1), 25_00);
    let first = swap(&mut desk, tag(1), tag(2), BlockReason::Replaced);
    desk.append(&first);
    let second = swap(&mut desk, tag(1), tag(3), BlockReason::Replaced);
    desk.append(&second);
    desk.top_up(tag(1), 4_00);
    server.sync(&mut desk);
    assert_eq!(
        (server.money(tag(1)), server.money(tag(2)), server.money(tag(3))),
        (4_00, 25_00, 0)
    );
    assert_eq!(server.case_kinds(), [CaseKind::SwapUndone, CaseKind::AfterSwap]);
}

#[test]
fn what_a_till_sells_late_on_a_replaced_wristband_is_owed_and_a_case() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    let mut bar = till_that_books(&mut server, &[OrderKind::Sale], 2);
    desk.top_up(tag(1), 25_00);
    server.sync(&mut desk);
    let late = bar
        .cart(tag(1), &[(PILS, 1)], &std::collections::BTreeMap::new(), None)
        .remove(0);
    bar.append(&late);
    let order = swap(&mut desk, tag(1), tag(2), BlockReason::Replaced);
    desk.append(&order);
    server.sync(&mut desk);
    server.sync(&mut bar);
    assert_eq!(server.money(tag(2)), 25_00);
    assert_eq!(server.case_kinds(), [CaseKind::Overdraft, CaseKind::BlockedTag]);
    server.assert_balanced();
}

#[test]
fn money_set_aside_for_a_cart_stays_on_the_old_wristband_with_a_case() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    desk.top_up(tag(1), 25_00);
    server.sync(&mut desk);
    assert!(authorise(&mut server, &desk, tag(1), 6_50, 1).hold.is_some());
    let order = swap(&mut desk, tag(1), tag(2), BlockReason::Replaced);
    desk.append(&order);
    server.sync(&mut desk);
    assert_eq!(server.money(tag(2)), 18_50);
    let case = server.cases().pop().unwrap().case.case;
    assert_eq!((case.kind, case.stake), (CaseKind::SwapRest, Amount(6_50)));
    server.assert_balanced();
}

#[test]
fn a_desk_blocks_a_lost_wristband_and_a_replaced_one_stays_replaced() {
    let mut server = Server::new();
    let mut desk = desk(&mut server);
    let order = block(&mut desk, tag(1));
    desk.append(&order);
    server.sync(&mut desk);
    assert_eq!(blocked(&mut server, tag(1)), Some(BlockReason::Lost));
    // Blocked first and swapped later is how a lost wristband goes.
    desk.top_up(tag(3), 5_00);
    let order = swap(&mut desk, tag(1), tag(2), BlockReason::Replaced);
    desk.append(&order);
    let order = block(&mut desk, tag(1));
    desk.append(&order);
    server.sync(&mut desk);
    assert_eq!(blocked(&mut server, tag(1)), Some(BlockReason::Replaced));
    assert_eq!(server.case_kinds(), []);
    let mut bar = till_that_books(&mut server, &[OrderKind::Sale], 2);
    let order = block(&mut bar, tag(3));
    bar.append(&order);
    server.sync(&mut bar);
    assert_eq!(undone(&server), Some(SwapFault::NotPermitted));
    assert_eq!(blocked(&mut server, tag(3)), None);
}

fn purse_desk() -> (Server, Till, Till) {
    let (mut server, _, bar) = purse_server();
    let desk = till_that_books(&mut server, &[OrderKind::TopUp, OrderKind::Swap], 7);
    (server, desk, bar)
}

/// The books know a wristband, as they do when its batch was enrolled.
fn enrol(server: &mut Server, tag: TagId) {
    let tags = vec![engine::Enrolment { tag, label: None }];
    server.ask(Request::Enrol { batch: BATCH, tags });
}

/// The order of a desk where the old wristband's purse was read.
fn with_purse(order: Order, band: &Band) -> Order {
    let shown = Some(ShownPurse {
        batch: BATCH,
        totals: band.totals,
        record: band.record.map(|record| shared_protocol::purse::Record {
            flags: record.flags.with_age_class(2),
            ..record
        }),
    });
    let band = order.band.clone().map(|change| BandChange { shown, ..change });
    Order { band, ..order }
}

#[test]
fn a_purse_that_could_be_read_moves_whole_and_the_new_one_gets_it_as_a_credit() {
    let (mut server, mut desk, mut bar) = purse_desk();
    let (mut old, mut new) = (Band::new(1), Band::new(2));
    top_up(&mut desk, &mut old, 40_00, 80);
    enrol(&mut server, new.tag);
    server.sync(&mut desk);
    let late = beer(&mut bar, &mut old, 1);
    let order = swap(&mut desk, old.tag, new.tag, BlockReason::Replaced);
    desk.append(&with_purse(order, &old));
    server.sync(&mut desk);
    // What the bar has not sent stays behind, to the cent.
    let sold = i128::from(late.total().unwrap().0);
    assert_eq!(in_purse(&mut server, old.tag), sold);
    assert_eq!(
        (server.money(new.tag), in_purse(&mut server, new.tag)),
        (0, 40_00 - sold)
    );
    let credit = known(&mut server, new.tag).credit.unwrap();
    let units = u16::try_from((40_00 - sold) / 10).unwrap();
    assert_eq!((credit.units, credit.token), (units, token(units)));
    let flags = known(&mut server, new.tag).flags;
    assert_eq!(
        flags.map(shared_protocol::purse::Flags::age_class),
        Some(2),
        "the age class goes along"
    );
    let case = server.cases().pop().unwrap().case.case;
    assert_eq!((case.kind, case.stake), (CaseKind::SwapRest, late.total().unwrap()));
    server.sync(&mut bar);
    assert_eq!(in_purse(&mut server, old.tag), 0, "all of it is explained");
    // The next till writes the credit with its own sale.
    let mut sale = bar
        .cart(new.tag, &[(PILS, 1)], &std::collections::BTreeMap::new(), None)
        .remove(0);
    let cents = u32::try_from(sale.total().unwrap().0).unwrap();
    sale.tenders[0].permission = shared_protocol::order::Permission::Chip;
    sale.purse = Some(new.moved(&bar, |totals| {
        totals.credited[1] = units;
        totals.debited += cents;
    }));
    bar.append(&sale);
    server.sync(&mut bar);
    assert_eq!(in_purse(&mut server, new.tag), i128::from(new.held()));
    server.assert_balanced();
}

#[test]
fn of_a_lost_purse_the_books_hold_back_what_they_miss_and_the_risk_of_the_event() {
    let (mut server, mut desk, mut bar) = purse_desk();
    let (mut old, new) = (Band::new(1), tag(2));
    let risk = i128::from(fixtures::sample::event().offline.unknown_tag_max.0);
    top_up(&mut desk, &mut old, 90_00, 180);
    server.sync(&mut desk);
    let unsent = beer(&mut bar, &mut old, 1);
    // Another bar tells by its own sale that something is missing before it.
    let mut other = till_that_books(&mut server, &[OrderKind::Sale], 8);
    let heard = beer(&mut other, &mut old, 1);
    server.sync(&mut other);
    let order = swap(&mut desk, old.tag, new, BlockReason::Lost);
    desk.append(&order);
    server.sync(&mut desk);
    let (missing, sold) = (
        i128::from(unsent.total().unwrap().0),
        i128::from(heard.total().unwrap().0),
    );
    assert_eq!(server.money(new), 90_00 - sold - missing - risk);
    assert_eq!(server.case_kinds(), [CaseKind::SwapRest]);
    server.sync(&mut bar);
    // A person moves the rest when all have sent; nothing is lost on the way.
    move_the_rest(&mut server, &old, new, BlockReason::Lost);
}

#[test]
fn a_purse_that_shows_more_than_the_books_have_heard_of_is_believed_when_the_desk_has_sent() {
    let (mut server, mut desk, mut bar) = purse_desk();
    let (mut old, new) = (Band::new(1), tag(2));
    let mut away = till_that_books(&mut server, &[OrderKind::TopUp], 8);
    top_up(&mut away, &mut old, 40_00, 80);
    beer(&mut bar, &mut old, 1);
    let order = swap(&mut desk, old.tag, new, BlockReason::Replaced);
    desk.append(&with_purse(order, &old));
    server.sync(&mut desk);
    assert_eq!(
        server.money(new),
        0,
        "nobody is believed before the money is in the books"
    );
    server.sync(&mut away);
    server.sync(&mut bar);
    assert!(server.case_kinds().contains(&CaseKind::AfterSwap));
    move_the_rest(&mut server, &old, new, BlockReason::Replaced);
}

#[test]
fn without_the_key_of_the_servers_chain_the_money_waits_in_the_books_with_a_case() {
    let (mut server, mut desk, _) = purse_desk();
    let (mut old, new) = (Band::new(1), Band::new(2));
    top_up(&mut desk, &mut old, 40_00, 80);
    server.sync(&mut desk);
    grant(&mut server, old.tag, 2_00);
    enrol(&mut server, new.tag);
    let mut server = server.restarted();
    let order = swap(&mut desk, old.tag, new.tag, BlockReason::Replaced);
    desk.append(&with_purse(order, &old));
    server.sync(&mut desk);
    assert_eq!(server.money(new.tag), 42_00);
    let case = server.cases().pop().unwrap().case.case;
    assert_eq!(
        (case.kind, case.stake, case.tag),
        (CaseKind::PurseNotFilled, Amount(42_00), Some(new.tag))
    );
}
