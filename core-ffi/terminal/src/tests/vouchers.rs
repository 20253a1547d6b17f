//! Vouchers on wristbands: the server puts them on, any till writes them, and they pay without any network.

use shared_protocol::Amount;
use shared_protocol::purse::{Flags, PurseSettings};
use shared_protocol::wristband::{CHAIN_SERVER, KnownPurse, PurseTotals};

use super::purse::{World, every_fault, with_purse};
use crate::screen::{Notice, PurseRefusal, Refusal};
use crate::testing::{BEER, DRINK};
use crate::{Action, MetaKey};

/// What a beer voucher sets aside: the price of a beer.
const WEIGHT: u16 = 5_00;

fn world() -> World {
    let settings = PurseSettings {
        weight_cents: [WEIGHT, 0],
        ..PurseSettings::usual(77)
    };
    World::of(settings, false, |batch| batch.vouchers = vec![DRINK])
}

/// A till that has heard of so many vouchers for the first wristband, which has 20 euros.
fn with_vouchers(world: &mut World, count: u16) {
    let unit = world.settings().unit_cents[CHAIN_SERVER];
    let known = KnownPurse {
        seen: PurseTotals {
            debited: 0,
            credited: [40, 0, 0],
        },
        credit: Some(world.pending(0, count * WEIGHT / unit)),
        vouchers: [count, 0],
        flags: None,
    };
    with_purse(world, 0, &known);
}

#[test]
fn vouchers_come_onto_the_wristband_with_the_first_sale_and_pay_for_it() {
    let mut world = world();
    let mut band = world.rich(0, 20_00);
    with_vouchers(&mut world, 2);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    assert_eq!(
        world.rig.done().total,
        Amount(2_00),
        "the beer is paid by a voucher, the cup is not"
    );
    let order = world.rig.last_order();
    let purse = order.purse.clone().unwrap();
    assert_eq!(purse.after.debited - purse.before.debited, 2_00 + u32::from(WEIGHT));
    assert_eq!(purse.after.credited[CHAIN_SERVER], 100);
    assert_eq!((world.money(&band), world.left(&band)), (18_00, 1));

    // The next one is there at once, and after it there are none: the server's sum was written once.
    world.rig.add(BEER, 2);
    world.hold_again(&mut band);
    assert_eq!((world.money(&band), world.left(&band)), (18_00 - 5_00 - 4_00, 0));
    world.rig.act(Action::Dismiss);
    world.rig.wait(6_000);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    assert_eq!((world.money(&band), world.left(&band)), (2_00, 0));
}

#[test]
fn an_age_class_that_came_with_its_guest_is_written_with_the_first_sale() {
    let mut world = world();
    let mut band = world.rich(0, 20_00);
    let flags = Flags::default().with_age_class(2);
    let known = KnownPurse {
        seen: PurseTotals {
            debited: 0,
            credited: [40, 0, 0],
        },
        credit: None,
        vouchers: [0, 0],
        flags: Some(flags),
    };
    with_purse(&mut world, 0, &known);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(7_00));
    assert_eq!(world.flags(&band).age_class(), 2);
}

#[test]
fn a_sale_that_used_vouchers_of_a_wristband_is_not_corrected_and_not_taken_back_onto_it() {
    let mut world = world();
    let mut band = world.rich(0, 20_00);
    with_vouchers(&mut world, 2);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    for undo in [Action::CorrectLast, Action::UndoLast] {
        world.rig.act(Action::Dismiss);
        world.rig.act(undo);
        world.rig.wait(100);
        world.hold_again(&mut band);
        assert_eq!(world.rig.refusal(), Refusal::Purse(PurseRefusal::Vouchers));
        assert_eq!((world.money(&band), world.left(&band)), (18_00, 1));
        world.rig.act(Action::Clear);
    }
}

#[test]
fn money_that_comes_in_or_goes_out_leaves_vouchers_for_the_next_sale() {
    let mut world = world();
    let mut band = world.rich(0, 20_00);
    with_vouchers(&mut world, 1);
    world.rig.act(Action::PayOut { amount: Amount(4_00) });
    world.hold_again(&mut band);
    assert_eq!(world.left(&band), 0);
    world.rig.act(Action::Dismiss);
    world.rig.wait(6_000);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(2_00));
}

#[test]
fn a_wristband_that_leaves_while_vouchers_come_onto_it_never_has_them_as_cash() {
    for fault in every_fault() {
        for at in 0..40 {
            let mut world = world();
            let mut band = world.rich(0, 20_00);
            with_vouchers(&mut world, 2);
            world.rig.add(BEER, 1);
            band.restart();
            band.faults.insert(at, fault);
            world.hold(&mut band);
            let place = format!("{fault:?} at exchange {at}");
            let mut holds = 1;
            while !matches!(world.rig.screen().notice, Notice::Done(_)) {
                assert!(holds < 4, "{place}: {:?}", world.rig.screen().notice);
                let money = world.money(&band);
                assert!(money <= 20_00, "{place}: {money} cents of cash");
                if at % 5 == 0 {
                    world.rig.crash();
                    assert!(world.rig.disk.metas.contains_key(&MetaKey::Cart), "{place}");
                }
                world.hold_again(&mut band);
                holds += 1;
            }
            assert_eq!((world.money(&band), world.left(&band)), (18_00, 1), "{place}");
            assert_eq!(world.rig.disk.orders().len(), 2, "{place}: the top-up and one sale");
        }
    }
}
