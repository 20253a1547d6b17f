use shared_protocol::Amount;
use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::stream::BlockReason;

use super::purse::World;
use crate::screen::{Balance, CartKind, DoneKind, Notice, Refusal};
use crate::testing::{BEER, Rig, TRAINEE, tag};
use crate::{Action, StorageFault};

/// The wristband on the screen is swapped for another one.
fn swap(rig: &mut Rig, old: u8, new: u8) {
    rig.hold(old);
    rig.act(Action::Swap);
    rig.wait(1_000);
    rig.hold(new);
}

#[test]
fn a_wristband_that_is_held_is_swapped_for_the_next_one() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(1), 2_500);
    rig.hold(1);
    rig.act(Action::Swap);
    let cart = rig.screen().cart.clone().unwrap();
    assert_eq!(
        cart.kind,
        CartKind::Swap {
            old: tag(1),
            lost: false
        }
    );
    rig.hold(2);
    let done = rig.done();
    assert_eq!(
        done.kind,
        DoneKind::Swapped {
            old: tag(1),
            after_sync: false
        }
    );
    assert_eq!(done.tag, Some(tag(2)));
    assert_eq!(
        done.left.map(|left| left.amount),
        Some(Amount(2_500)),
        "what is expected to move"
    );
    let order = rig.last_order();
    assert_eq!(
        (order.kind, order.holder, order.check()),
        (OrderKind::Swap, Some(tag(1)), Ok(()))
    );
    let band = order.band.unwrap();
    assert_eq!(
        (band.new, band.reason, band.shown),
        (Some(tag(2)), BlockReason::Replaced, None)
    );
    assert!(rig.screen().cart.is_none());
    // What the guest is to be told stays until somebody goes on.
    rig.wait(60_000);
    assert!(matches!(rig.screen().notice, Notice::Done(_)));
}

#[test]
fn nothing_is_said_before_the_swap_is_on_the_disk() {
    let mut rig = Rig::offline();
    rig.hold(1);
    rig.act(Action::Swap);
    rig.disk_runs = false;
    rig.hold(2);
    assert_eq!(rig.screen().notice, Notice::Working);
    rig.disk_fault = Some(StorageFault::Full);
    rig.disk_runs = true;
    rig.run();
    assert_eq!(rig.refusal(), Refusal::Storage(StorageFault::Full));
    assert_eq!(rig.disk.orders(), []);
    // The swap is still open and goes on when the disk does.
    rig.disk_fault = None;
    rig.wait(3_000);
    rig.hold(2);
    assert!(matches!(rig.done().kind, DoneKind::Swapped { .. }));
}

#[test]
fn offline_the_old_wristband_is_refused_here_at_once_and_the_money_comes_after_the_sync() {
    let mut rig = Rig::offline();
    swap(&mut rig, 1, 2);
    let is_told_and_holds = |rig: &mut Rig| {
        let swapped = DoneKind::Swapped {
            old: tag(1),
            after_sync: true,
        };
        assert_eq!(rig.done().kind, swapped);
        rig.act(Action::Dismiss);
        rig.add(BEER, 1);
        rig.hold(1);
        assert_eq!(rig.refusal(), Refusal::Blocked(BlockReason::Replaced));
    };
    is_told_and_holds(&mut rig);
    rig.act(Action::Clear);
    // It stays so when the power goes, and the swap is told again.
    rig.wait(1_000);
    rig.crash();
    is_told_and_holds(&mut rig);
    // From when the server has it, its block list says what holds.
    rig.act(Action::Clear);
    rig.mend();
    rig.server.free.insert(tag(1), 5_000);
    rig.add(BEER, 1);
    rig.hold(1);
    assert_eq!(rig.done().kind, DoneKind::Paid);
}

#[test]
fn a_swap_that_was_begun_is_open_again_after_the_power_went() {
    let mut rig = Rig::offline();
    rig.hold(1);
    rig.act(Action::Swap);
    rig.crash();
    let cart = rig.screen().cart.clone().unwrap();
    assert_eq!(
        cart.kind,
        CartKind::Swap {
            old: tag(1),
            lost: false
        }
    );
    rig.hold(2);
    assert_eq!(
        rig.done().kind,
        DoneKind::Swapped {
            old: tag(1),
            after_sync: true
        }
    );
    assert_eq!(rig.disk.orders().len(), 1);
}

#[test]
fn a_lost_wristband_is_blocked_at_once_and_swapped_later() {
    let mut rig = Rig::online();
    rig.act(Action::Block { tag: tag(1) });
    assert_eq!(rig.done().kind, DoneKind::Blocked { after_sync: false });
    let order = rig.last_order();
    assert_eq!((order.kind, order.holder), (OrderKind::Block, Some(tag(1))));
    assert_eq!(
        order.band.map(|band| (band.reason, band.new)),
        Some((BlockReason::Lost, None))
    );
    rig.server.blocked.insert(tag(1), BlockReason::Lost);
    rig.act(Action::SwapLost { old: tag(1) });
    rig.hold(2);
    let band = rig.last_order().band.unwrap();
    assert_eq!((band.reason, band.new), (BlockReason::Lost, Some(tag(2))));
    assert_eq!(rig.server.orders.len(), 2);
}

#[test]
fn what_cannot_be_swapped_is_refused_and_the_swap_stays_open() {
    let mut rig = Rig::online();
    rig.act(Action::Swap);
    assert_eq!(rig.refusal(), Refusal::HoldOldFirst);
    rig.server.blocked.insert(tag(8), BlockReason::Blocked);
    rig.hold(8);
    rig.act(Action::Swap);
    assert_eq!(rig.refusal(), Refusal::Blocked(BlockReason::Blocked));
    rig.server.free.insert(tag(3), 100);
    rig.server.blocked.insert(tag(4), BlockReason::Lost);
    rig.server.owed.insert(tag(5), 600);
    rig.server.drinks.insert(tag(6), 1);
    rig.hold(1);
    rig.act(Action::Swap);
    for (new, refusal) in [
        (1, Refusal::SwapSame),
        (3, Refusal::BandInUse),
        (4, Refusal::Blocked(BlockReason::Lost)),
        (5, Refusal::BandInUse),
        (6, Refusal::BandInUse),
    ] {
        rig.hold(new);
        assert_eq!(rig.refusal(), refusal);
        assert!(rig.screen().cart.is_some(), "another one can be held");
    }
    assert_eq!(rig.disk.orders(), []);
    rig.hold(2);
    assert!(matches!(rig.done().kind, DoneKind::Swapped { .. }));
}

#[test]
fn who_may_not_swap_is_told_before_the_guest_is_asked_for_anything() {
    let mut rig = Rig::online();
    rig.act(Action::Logout);
    rig.act(Action::Login { staff: TRAINEE });
    rig.hold(1);
    rig.act(Action::Swap);
    assert_eq!(rig.refusal(), Refusal::NotPermitted);
    rig.act(Action::SwapLost { old: tag(1) });
    assert_eq!(rig.refusal(), Refusal::NotPermitted);
    rig.act(Action::Block { tag: tag(1) });
    assert_eq!(rig.refusal(), Refusal::NotPermitted);
    assert!(rig.screen().cart.is_none());
    assert_eq!(rig.disk.orders(), []);
}

#[test]
fn a_swap_waits_for_an_open_cart_and_is_given_up_like_one() {
    let mut rig = Rig::online();
    rig.add(BEER, 1);
    rig.act(Action::SwapLost { old: tag(1) });
    assert_eq!(rig.refusal(), Refusal::CartOpen);
    rig.act(Action::Clear);
    rig.act(Action::SwapLost { old: tag(1) });
    rig.act(Action::Clear);
    assert!(rig.screen().cart.is_none());
    rig.hold(2);
    assert!(matches!(rig.screen().notice, Notice::Balance { .. }));
    assert_eq!(rig.disk.orders(), []);
}

#[test]
fn the_sale_before_a_swap_is_still_the_last_one() {
    let mut rig = Rig::online();
    rig.server.free.insert(tag(3), 5_000);
    rig.add(BEER, 1);
    rig.hold(3);
    rig.act(Action::SwapLost { old: tag(1) });
    rig.hold(2);
    rig.act(Action::SameAgain);
    assert_eq!(rig.screen().cart.as_ref().map(|cart| cart.lines.len()), Some(1));
}

#[test]
fn a_purse_that_can_be_read_says_in_the_order_what_it_showed() {
    let mut world = World::online();
    let mut old = world.rich(0, 2_000);
    let mut new = world.band(1);
    world.hold_again(&mut old);
    world.rig.act(Action::Swap);
    world.hold(&mut new);
    let done = world.rig.done();
    let (old_tag, new_tag) = (world.tag(0), world.tag(1));
    assert_eq!(
        done.kind,
        DoneKind::Swapped {
            old: old_tag,
            after_sync: false
        }
    );
    assert_eq!(
        done.left,
        Some(Balance {
            amount: Amount(2_000),
            as_of_ms: None
        })
    );
    let order = world.rig.last_order();
    assert_eq!(
        (order.holder, order.purse.clone(), order.check()),
        (Some(old_tag), None, Ok(()))
    );
    let band = order.band.unwrap();
    assert_eq!(band.new, Some(new_tag));
    let shown = band.shown.unwrap();
    assert_eq!(
        (shown.batch, shown.totals.debited, shown.totals.credited[0]),
        (5, 0, 40)
    );
    assert!(shown.record.is_some(), "age class and vouchers go along");
    assert_eq!((world.money(&old), world.money(&new)), (2_000, 0), "no chip is written");
}

#[test]
fn what_one_purse_showed_never_goes_into_the_swap_of_another_wristband() {
    let mut world = World::online();
    let mut old = world.rich(0, 2_000);
    world.hold_again(&mut old);
    world.rig.wait(20_000);
    world.rig.hold(7);
    world.rig.act(Action::Swap);
    world.rig.hold(8);
    let order = world.rig.last_order();
    assert_eq!((order.holder, order.band.unwrap().shown), (Some(tag(7)), None));
}

#[test]
fn a_purse_with_credits_is_no_fresh_wristband() {
    let mut world = World::online();
    let mut old = world.rich(0, 2_000);
    let mut used = world.rich(1, 500);
    world.hold_again(&mut old);
    world.rig.act(Action::Swap);
    world.hold_again(&mut used);
    assert_eq!(world.rig.refusal(), Refusal::BandInUse);
    world.hold_again(&mut old);
    assert_eq!(world.rig.refusal(), Refusal::SwapSame);
}

#[test]
fn money_for_a_wristband_that_was_blocked_here_is_not_taken() {
    let mut rig = Rig::offline();
    rig.act(Action::Block { tag: tag(1) });
    assert_eq!(rig.done().kind, DoneKind::Blocked { after_sync: true });
    rig.act(Action::Block { tag: tag(1) });
    assert_eq!(rig.refusal(), Refusal::Blocked(BlockReason::Lost));
    rig.act(Action::TopUp {
        amount: Amount(1_000),
        method: TenderKind::Cash,
    });
    rig.hold(1);
    assert_eq!(rig.refusal(), Refusal::Blocked(BlockReason::Lost));
}

#[test]
fn a_saved_swap_reads_back_as_it_was() {
    let mut world = World::online();
    let mut old = world.rich(0, 2_000);
    world.hold_again(&mut old);
    world.rig.act(Action::Swap);
    world.rig.wait(1_000);
    let saved = world.rig.disk.metas.get(&crate::MetaKey::Cart).cloned().unwrap();
    let cart = crate::cart::Cart::restore(&saved, 1).unwrap();
    assert_eq!(cart.save(), saved);
    let crate::cart::Purpose::Swap { old, shown, .. } = cart.purpose else {
        panic!("a swap")
    };
    assert_eq!(old, world.tag(0));
    assert!(shown.is_some());
}
