//! Money that comes in for a wristband whose guest still owes something.

use super::purse::World;
use crate::Action;
use crate::screen::{DoneKind, Notice, PurseRefusal, Refusal, Settled};
use shared_protocol::order::TenderKind;
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::CHAIN_DESK;
use shared_protocol::{Amount, TagId};

fn owing(cents: i64) -> (World, TagId) {
    let mut world = World::online();
    let tag = world.tag(0);
    world.rig.server.owed.insert(tag, cents);
    (world, tag)
}

fn brings(world: &mut World, cents: i64) {
    let (amount, method) = (Amount(cents), TenderKind::Cash);
    world.rig.act(Action::TopUp { amount, method });
}

#[test]
fn what_is_owed_goes_off_the_money_and_only_the_rest_onto_the_chip() {
    let (mut world, _) = owing(6_00);
    let mut band = world.band(0);
    brings(&mut world, 20_00);
    world.hold_again(&mut band);
    let done = world.rig.done();
    assert_eq!(
        (done.kind, done.total, done.left.unwrap().amount),
        (DoneKind::ToppedUp { after_sync: false }, Amount(20_00), Amount(14_00))
    );
    let settles = Settled {
        settled: Amount(6_00),
        left: Amount(0),
    };
    assert_eq!(done.settles, Some(settles));
    assert_eq!(world.money(&band), 14_00);
    // The order says what was taken, and what came onto the chip: the books settle the difference.
    let order = world.rig.last_order();
    assert_eq!(order.paid().unwrap(), Amount(20_00));
    let purse = order.purse.unwrap();
    let units = purse.after.credited[CHAIN_DESK] - purse.before.credited[CHAIN_DESK];
    assert_eq!(i64::from(units) * 50, 14_00);
}

#[test]
fn what_the_steps_of_the_purse_leave_over_stays_owed() {
    let (mut world, _) = owing(6_30);
    let mut band = world.band(0);
    brings(&mut world, 20_00);
    world.hold_again(&mut band);
    let settles = Settled {
        settled: Amount(6_00),
        left: Amount(30),
    };
    assert_eq!((world.rig.done().settles, world.money(&band)), (Some(settles), 14_00));
}

#[test]
fn less_money_than_is_owed_never_comes_onto_the_chip() {
    let (mut world, _) = owing(6_00);
    let mut band = world.band(0);
    brings(&mut world, 5_00);
    world.hold_again(&mut band);
    let done = world.rig.done();
    let settles = Settled {
        settled: Amount(5_00),
        left: Amount(1_00),
    };
    assert_eq!((done.total, done.settles), (Amount(5_00), Some(settles)));
    assert_eq!(world.money(&band), 0);
    assert_eq!(world.rig.last_order().purse, None);
    // There is nothing to take off the chip again: that needs the books.
    world.rig.act(Action::UndoLast);
    world.hold_again(&mut band);
    assert_eq!(world.rig.refusal(), Refusal::NotCancellable);
}

#[test]
fn a_top_up_that_settled_something_is_taken_back_by_what_is_on_the_chip() {
    let (mut world, _) = owing(6_00);
    let mut band = world.band(0);
    brings(&mut world, 20_00);
    world.hold_again(&mut band);
    world.rig.act(Action::UndoLast);
    world.hold_again(&mut band);
    let done = world.rig.done();
    assert_eq!((done.kind, done.total), (DoneKind::Cancelled, Amount(-20_00)));
    assert_eq!(world.money(&band), 0);
    let purse = world.rig.last_order().purse.unwrap();
    assert_eq!(purse.after.debited - purse.before.debited, 14_00);
}

#[test]
fn a_server_that_does_not_answer_is_waited_for_no_longer_than_for_a_payment() {
    let (mut world, _) = owing(6_00);
    let mut band = world.band(0);
    brings(&mut world, 20_00);
    world.rig.server.silent = true;
    let began = world.rig.now.mono_ms;
    world.hold_again(&mut band);
    let waited = world.rig.now.mono_ms - began;
    let most = world.rig.terminal.config().unwrap().event.authorise_timeout_ms;
    assert!(waited <= most + 20, "{waited} ms");
    let done = world.rig.done();
    assert_eq!((done.settles, world.money(&band)), (None, 20_00));
}

#[test]
fn without_the_network_all_of_the_money_comes_onto_the_chip_at_once() {
    let (mut world, _) = owing(6_00);
    let mut band = world.band(0);
    world.rig.cut();
    brings(&mut world, 20_00);
    world.hold_again(&mut band);
    assert_eq!((world.rig.done().settles, world.money(&band)), (None, 20_00));
}

#[test]
fn the_balance_is_shown_at_once_and_says_what_is_owed_when_the_server_has_said_so() {
    let (mut world, tag) = owing(6_00);
    let mut band = world.rich(1, 20_00);
    let rich = world.tag(1);
    world.rig.server.owed.insert(rich, 3_00);
    world.rig.server.blocked.insert(rich, BlockReason::Overdrawn);
    world.hold_again(&mut band);
    let Notice::Balance {
        tag: of,
        money,
        owed,
        blocked,
        ..
    } = world.rig.screen().notice.clone()
    else {
        panic!("no balance")
    };
    assert_ne!(of, tag);
    assert_eq!(
        (money.unwrap().amount, owed, blocked),
        (Amount(20_00), Amount(3_00), Some(BlockReason::Overdrawn))
    );
    // Money for a wristband that the server calls blocked is not taken, whatever the list here says.
    brings(&mut world, 10_00);
    world.hold_again(&mut band);
    assert_eq!(world.rig.refusal(), Refusal::Blocked(BlockReason::Overdrawn));
}

#[test]
fn the_balance_tells_the_last_sale_from_the_purse_s_own_record() {
    let mut world = World::online();
    let mut band = world.rich(0, 20_00);
    world.hold_again(&mut band);
    let last_sale = |world: &World| match &world.rig.screen().notice {
        Notice::Balance { last_sale, .. } => *last_sale,
        other => panic!("{other:?}"),
    };
    assert_eq!(last_sale(&world), None, "a top-up is no sale");
    world.rig.add(crate::testing::BEER, 1);
    world.hold_again(&mut band);
    let paid_ms = world.rig.now.wall_ms;
    world.rig.wait(90_000);
    world.hold_again(&mut band);
    let last = last_sale(&world).unwrap();
    let till = shared_protocol::wristband::short_till(world.rig.terminal.till().unwrap());
    assert_eq!(
        (last.amount, last.till, last.at_ms / 60_000),
        (Amount(7_00), till, paid_ms / 60_000)
    );
}

#[test]
fn a_balance_stays_on_the_screen_for_as_long_as_its_wristband_lies_there() {
    let mut rig = crate::testing::Rig::online();
    rig.keep(1);
    rig.wait(60_000);
    assert!(matches!(rig.screen().notice, Notice::Balance { .. }));
    rig.leave();
    rig.wait(9_000);
    assert!(matches!(rig.screen().notice, Notice::Balance { .. }));
    rig.wait(2_000);
    assert_eq!(rig.screen().notice, Notice::None);
}

#[test]
fn money_that_fits_no_step_is_refused_unless_the_debt_makes_it_fit() {
    let (mut world, _) = owing(30);
    let mut band = world.band(0);
    brings(&mut world, 12_30);
    world.hold_again(&mut band);
    assert_eq!(
        (world.rig.done().settles.unwrap().settled, world.money(&band)),
        (Amount(30), 12_00)
    );
    world.rig.act(Action::Dismiss);
    world.rig.wait(6_000);
    let tag = world.tag(0);
    world.rig.server.owed.insert(tag, 0);
    brings(&mut world, 12_30);
    world.hold_again(&mut band);
    assert_eq!(world.rig.refusal(), Refusal::Purse(PurseRefusal::Step { unit: 50 }));
}

#[test]
fn a_wristband_that_can_hold_no_more_says_what_still_fits() {
    let mut world = World::new();
    let max = world.rig.terminal.config().unwrap().event.balance_max;
    let mut band = world.rich(0, 10_000);
    let mut held = 10_000;
    while held + 10_000 <= max.0 {
        brings(&mut world, 10_000);
        world.hold_again(&mut band);
        assert_eq!(world.rig.done().total, Amount(10_000));
        world.rig.act(Action::Dismiss);
        world.rig.wait(6_000);
        held += 10_000;
    }
    brings(&mut world, 10_000);
    world.hold_again(&mut band);
    let possible = Amount(max.0 - held);
    assert_eq!(world.rig.refusal(), Refusal::BalanceCeiling { possible });
}

#[test]
fn the_books_settle_first_too_where_a_wristband_is_only_an_id() {
    let mut rig = crate::testing::Rig::online();
    let tag = crate::testing::tag(1);
    rig.server.owed.insert(tag, 6_00);
    let (amount, method) = (Amount(20_00), TenderKind::Cash);
    rig.act(Action::TopUp { amount, method });
    rig.hold(1);
    let settles = Settled {
        settled: Amount(6_00),
        left: Amount(0),
    };
    assert_eq!(
        (rig.done().settles, rig.done().left.unwrap().amount),
        (Some(settles), Amount(14_00))
    );
}
