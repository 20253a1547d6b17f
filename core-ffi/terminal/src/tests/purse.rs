//! Wristbands whose purse decides, with a virtual chip and the real frames.

use chips::purse::{Limits, Loaded};
use chips::simulated::{Fault, SimulatedBatch, SimulatedField, Tear, UltralightAesChip};
use chips::{Field, KeyRole, KeyStore, MemoryKeys};
use shared_protocol::crypto::Signer;
use shared_protocol::currency::Foreign;
use shared_protocol::entry::{Content, Entry, IntentResult};
use shared_protocol::ids::Bytes;
use shared_protocol::order::{Order, OrderKind, Permission, TenderKind};
use shared_protocol::purse::{Flags, PendingCredit, PurseSettings};
use shared_protocol::stream::{BlockReason, Copy, Stream, Version};
use shared_protocol::wristband::{
    Batch, BatchAuthority, CHAIN_DESK, CHAIN_RETURN, CHAIN_SERVER, KnownPurse, PurseTotals,
};
use shared_protocol::{Amount, TagId, encode};

use crate::screen::{DoneKind, Notice, PurseRefusal, Refusal};
use crate::testing::{BEER, CASHIER, CUP, FRANC, FRIES, Rig, config_signer};
use crate::{Action, StorageFault};

const CHIPS: u16 = 4;

pub(super) struct World {
    pub rig: Rig,
    batch: SimulatedBatch,
    keys: MemoryKeys,
}

pub(super) type Band = SimulatedField<UltralightAesChip>;

fn batch_item(batch: &SimulatedBatch, change: impl FnOnce(&mut Batch)) -> Vec<u8> {
    let list = batch.list(CHIPS);
    let signature = config_signer().sign(&list.message()).unwrap();
    let mut item = Batch::new(list, signature);
    change(&mut item);
    encode(&item)
}

impl World {
    fn with(change: impl FnOnce(&mut Batch)) -> Self {
        Self::on_network(false, change)
    }

    pub fn online() -> Self {
        Self::on_network(true, |_| {})
    }

    fn on_network(network: bool, change: impl FnOnce(&mut Batch)) -> Self {
        Self::of(PurseSettings::usual(77), network, change)
    }

    pub fn of(settings: PurseSettings, network: bool, change: impl FnOnce(&mut Batch)) -> Self {
        let batch = SimulatedBatch::new(settings, 5);
        let mut disk = Rig::fresh_disk();
        let items = [(5_u16.to_be_bytes().to_vec(), batch_item(&batch, change))];
        let copy = Copy {
            version: Version { generation: 1, rev: 1 },
            items: items.into(),
        };
        disk.streams.insert(Stream::Batches.code(), (Stream::Batches, copy));
        let mut rig = Rig::with_disk(disk, network);
        rig.act(Action::Login { staff: CASHIER });
        let keys = batch.desk_keys();
        Self { rig, batch, keys }
    }

    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn band(&self, index: u16) -> Band {
        SimulatedField::new(self.batch.chip(index))
    }

    pub fn tag(&self, index: u16) -> TagId {
        self.batch.uid(index).tag()
    }

    pub fn hold(&mut self, band: &mut Band) {
        self.rig.hold_chip(band, &self.keys);
    }

    /// Holds it after a while; the field was off.
    pub fn hold_again(&mut self, band: &mut Band) {
        band.restart();
        self.hold(band);
    }

    fn top_up(&mut self, band: &mut Band, cents: i64) {
        self.rig.act(Action::TopUp {
            amount: Amount(cents),
            method: TenderKind::Cash,
        });
        self.hold_again(band);
        assert_eq!(self.rig.done().kind, DoneKind::ToppedUp { after_sync: false });
    }

    /// A wristband with money, as if another desk had written it.
    pub fn rich(&mut self, index: u16, cents: i64) -> Band {
        let mut band = self.band(index);
        self.top_up(&mut band, cents);
        self.rig.act(Action::Dismiss);
        self.rig.wait(6_000);
        band
    }

    pub fn settings(&self) -> &PurseSettings {
        &self.batch.settings
    }

    pub fn pending(&self, index: u16, units: u16) -> PendingCredit {
        self.batch.pending(index, units)
    }

    /// Cents that an honest reader finds on a wristband.
    pub fn money(&self, band: &Band) -> i64 {
        self.read(band).free().0
    }

    /// Vouchers of the first kind that it finds.
    pub fn left(&self, band: &Band) -> u16 {
        let [held, _] = self.read(band).purse.newest_record().unwrap().vouchers;
        held.issued - held.used
    }

    pub fn flags(&self, band: &Band) -> Flags {
        self.read(band).purse.newest_record().unwrap().flags
    }

    fn read(&self, band: &Band) -> Loaded {
        let mut field = SimulatedField::new(band.chip.clone());
        let selected = field.reselect().unwrap();
        let lists = self.batch.lists(CHIPS);
        let books = chips::purse::Books {
            keys: &self.keys,
            lists: &lists,
        };
        let tap = chips::purse::load(
            &mut field,
            &selected,
            &books,
            &chips::purse::Knowledge::default(),
            *b"sixteen bytes ok",
        );
        tap.unwrap().loaded
    }

    fn contents(&self) -> Vec<Content> {
        let read = |entry: &crate::StoredEntry| Entry::read(&entry.bytes).unwrap().1;
        self.rig.disk.entries.values().map(read).collect()
    }

    fn sales(&self) -> Vec<Order> {
        let orders = self.rig.disk.orders();
        orders
            .into_iter()
            .filter(|order| order.kind == OrderKind::Sale)
            .collect()
    }

    fn outcomes(&self) -> Vec<IntentResult> {
        let outcome = |content: Content| match content {
            Content::Outcome(outcome) => Some(outcome.result),
            _ => None,
        };
        self.contents().into_iter().filter_map(outcome).collect()
    }
}

fn refusal(rig: &Rig) -> Refusal {
    rig.refusal()
}

#[test]
fn cash_goes_onto_the_wristband_and_a_beer_off_it_without_any_network() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    let done = world.rig.done();
    assert_eq!(
        (done.kind, done.total, done.left.unwrap().amount),
        (DoneKind::Paid, Amount(7_00), Amount(13_00))
    );
    assert_eq!(done.left.unwrap().as_of_ms, None);
    assert_eq!(world.money(&band), 13_00);
    let order = world.rig.last_order();
    assert_eq!(order.tenders[0].permission, Permission::Chip);
    let purse = order.purse.unwrap();
    let totals = |debited| PurseTotals {
        debited,
        credited: [40, 0, 0],
    };
    assert_eq!((purse.batch, purse.before, purse.after), (5, totals(0), totals(7_00)));
    // The intent stands before the order, with the same content.
    let kinds: Vec<_> = world.contents().iter().map(std::mem::discriminant).collect();
    let intent = kinds
        .iter()
        .rposition(|kind| *kind == std::mem::discriminant(&world.contents()[kinds.len() - 2]));
    assert!(intent.is_some());
    let Content::Intent(intent) = &world.contents()[kinds.len() - 2] else {
        panic!("an intent before the order")
    };
    assert_eq!(intent.order, world.rig.last_order().id);
}

#[test]
fn an_empty_cart_and_a_wristband_show_what_is_on_it() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    world.hold_again(&mut band);
    let Notice::Balance { tag, money, .. } = world.rig.screen().notice.clone() else {
        panic!("no balance")
    };
    assert_eq!((tag, money.unwrap().amount), (world.tag(0), Amount(20_00)));
}

#[test]
fn a_wristband_with_too_little_keeps_what_it_has_and_says_what_is_missing() {
    let mut world = World::new();
    let mut band = world.rich(0, 5_00);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    let Refusal::BalanceTooLow { missing, has } = refusal(&world.rig) else {
        panic!("{:?}", world.rig.screen().notice)
    };
    assert_eq!((missing, has.amount), (Amount(2_00), Amount(5_00)));
    assert_eq!(world.money(&band), 5_00);
    assert!(world.sales().is_empty());
}

#[test]
fn orders_of_two_businesses_share_one_debit_and_lie_side_by_side() {
    let mut world = World::new();
    let mut band = world.rich(0, 30_00);
    world.rig.add(BEER, 1);
    world.rig.add(FRIES, 1);
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(12_00));
    let sales = world.sales();
    let lines: Vec<_> = sales
        .iter()
        .map(|order| order.purse.as_ref().unwrap())
        .map(|purse| (purse.before.debited, purse.after.debited))
        .collect();
    let first = sales[0].total().unwrap().0;
    let first = u32::try_from(first).unwrap();
    assert_eq!(lines, [(0, first), (first, 12_00)]);
    assert_eq!(world.money(&band), 18_00);
}

#[test]
fn cups_come_back_through_the_chain_of_returns() {
    let mut world = World::new();
    let mut band = world.rich(0, 10_00);
    world.rig.act(Action::Return { article: CUP, count: 2 });
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(-4_00));
    assert_eq!(world.money(&band), 14_00);
    let purse = world.rig.last_order().purse.unwrap();
    assert_eq!(
        purse.after.credited[CHAIN_RETURN] - purse.before.credited[CHAIN_RETURN],
        40
    );
    assert_eq!(purse.after.debited, 0);
}

#[test]
fn a_sale_is_taken_back_onto_the_wristband_that_paid() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    world.rig.act(Action::UndoLast);
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().kind, DoneKind::Cancelled);
    assert_eq!(world.money(&band), 20_00);
}

#[test]
fn a_sale_is_not_taken_back_onto_another_wristband() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    let mut other = world.rich(1, 20_00);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    world.rig.act(Action::UndoLast);
    world.hold_again(&mut other);
    assert_eq!(refusal(&world.rig), Refusal::OtherWristband);
    assert_eq!((world.money(&band), world.money(&other)), (13_00, 20_00));
}

#[test]
fn cash_is_paid_out_from_the_wristband() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    world.rig.act(Action::PayOut { amount: Amount(8_00) });
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().kind, DoneKind::PaidOut);
    assert_eq!(world.money(&band), 12_00);
    assert_eq!(world.rig.last_order().purse.unwrap().after.debited, 8_00);
}

/// Every way in which a wristband can leave.
pub(super) fn every_fault() -> impl Iterator<Item = Fault> {
    [Fault::RemovedBefore, Fault::RemovedAfter]
        .into_iter()
        .chain(Tear::OF_A_PAGE.map(Fault::Torn))
}

#[test]
fn a_wristband_that_leaves_at_any_moment_pays_once_and_is_never_dead() {
    for fault in every_fault() {
        for at in 0..24 {
            let mut world = World::new();
            let mut band = world.rich(0, 20_00);
            world.rig.add(BEER, 1);
            band.restart();
            band.faults.insert(at, fault);
            world.hold(&mut band);
            let place = format!("{fault:?} at exchange {at}");
            let mut holds = 1;
            while !matches!(world.rig.screen().notice, Notice::Done(_)) {
                assert!(holds < 3, "{place}: {:?}", world.rig.screen().notice);
                assert!(world.sales().is_empty(), "{place}: served without saying so");
                let money = world.money(&band);
                assert!(money == 20_00 || money == 13_00, "{place}: {money}");
                world.hold_again(&mut band);
                holds += 1;
            }
            assert_eq!(world.money(&band), 13_00, "{place}");
            assert_eq!(world.sales().len(), 1, "{place}");
            let outcomes = world.outcomes();
            assert!(
                outcomes.iter().all(|outcome| *outcome == IntentResult::Void),
                "{place}: {outcomes:?}"
            );
        }
    }
}

#[test]
fn a_top_up_that_breaks_off_at_any_moment_is_there_once() {
    for fault in [
        Fault::RemovedBefore,
        Fault::RemovedAfter,
        Fault::Torn(Tear::First(2)),
        Fault::Torn(Tear::Weak { new_first: false }),
    ] {
        for at in 0..16 {
            let mut world = World::new();
            let mut band = world.rich(0, 20_00);
            world.rig.act(Action::TopUp {
                amount: Amount(10_00),
                method: TenderKind::Cash,
            });
            band.restart();
            band.faults.insert(at, fault);
            world.hold(&mut band);
            let place = format!("{fault:?} at exchange {at}");
            for _ in 0..2 {
                if !matches!(world.rig.screen().notice, Notice::Done(_)) {
                    world.hold_again(&mut band);
                }
            }
            assert!(
                matches!(world.rig.screen().notice, Notice::Done(_)),
                "{place}: {:?}",
                world.rig.screen().notice
            );
            assert_eq!(world.money(&band), 30_00, "{place}");
            let top_ups = world
                .rig
                .disk
                .orders()
                .iter()
                .filter(|order| order.kind == OrderKind::TopUp)
                .count();
            assert_eq!(top_ups, 2, "{place}");
        }
    }
}

/// The exchange at which a payment counts its debit, of a wristband as it is now.
fn exchange_of_the_debit(world: &World, band: &Band) -> usize {
    let mut field = SimulatedField::new(band.chip.clone());
    let selected = field.reselect().unwrap();
    let lists = world.batch.lists(CHIPS);
    let books = chips::purse::Books {
        keys: &world.keys,
        lists: &lists,
    };
    let mut tap = chips::purse::load(
        &mut field,
        &selected,
        &books,
        &chips::purse::Knowledge::default(),
        *b"sixteen bytes ok",
    )
    .unwrap();
    let payment = chips::purse::Payment {
        cents: 7_00,
        ..chips::purse::Payment::default()
    };
    let plan = tap.loaded.plan_pay(&payment, &[], &Limits::default()).unwrap();
    let _ = tap.commit(&plan);
    tap.into_field().exchanges() - 1
}

/// A beer is paid, but the wristband was gone before it could say so.
fn interrupted() -> (World, Band) {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    let at = exchange_of_the_debit(&world, &band);
    world.rig.add(BEER, 1);
    band.restart();
    band.faults.insert(at, Fault::RemovedAfter);
    world.hold(&mut band);
    let notice = &world.rig.screen().notice;
    assert!(
        matches!(
            notice,
            Notice::HoldAgain {
                total: Amount(7_00),
                ..
            }
        ),
        "{notice:?}"
    );
    (world, band)
}

#[test]
fn while_it_is_open_whether_a_wristband_has_paid_only_that_wristband_is_taken() {
    let (mut world, mut band) = interrupted();
    let mut other = world.band(1);
    world.hold(&mut other);
    assert_eq!(refusal(&world.rig), Refusal::OtherWristband);
    world.rig.act(Action::Add {
        article: BEER,
        count: 1,
    });
    assert_eq!(refusal(&world.rig), Refusal::Purse(PurseRefusal::HoldSame));
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(7_00));
    assert_eq!((world.sales().len(), world.money(&band)), (1, 13_00));
}

#[test]
fn a_cart_that_was_given_up_is_booked_when_its_wristband_turns_out_to_have_paid() {
    let (mut world, mut band) = interrupted();
    world.rig.act(Action::Clear);
    let mut other = world.rich(1, 20_00);
    world.rig.add(FRIES, 1);
    world.hold_again(&mut other);
    assert_eq!(world.rig.done().total, Amount(5_00));
    world.rig.act(Action::Dismiss);
    // The first guest comes back, with another order in the cart.
    world.rig.add(FRIES, 1);
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(7_00), "what was open comes first");
    assert!(world.rig.screen().cart.is_some(), "the new cart is still there");
    world.rig.act(Action::Dismiss);
    world.rig.wait(6_000);
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(5_00));
    assert_eq!(world.money(&band), 8_00);
}

#[test]
fn the_power_goes_between_chip_and_journal_and_the_sale_is_booked_once() {
    let (mut world, mut band) = interrupted();
    world.rig.crash();
    let notice = world.rig.screen().notice.clone();
    assert!(matches!(notice, Notice::HoldAgain { .. }), "{notice:?}");
    assert!(world.rig.screen().cart.is_some());
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(7_00));
    assert_eq!((world.sales().len(), world.money(&band)), (1, 13_00));
    world.rig.crash();
    world.hold_again(&mut band);
    assert_eq!(world.sales().len(), 1);
}

#[test]
fn a_disk_that_fails_before_the_chip_leaves_the_chip_alone_and_after_it_loses_nothing() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    world.rig.add(BEER, 1);
    world.rig.disk_fault = Some(StorageFault::Full);
    world.hold_again(&mut band);
    assert_eq!(refusal(&world.rig), Refusal::Storage(StorageFault::Full));
    assert_eq!(world.money(&band), 20_00);
    world.rig.disk_fault = None;
    world.rig.wait(3_000);
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(7_00));
    assert_eq!((world.sales().len(), world.money(&band)), (1, 13_00));
}

pub(super) fn with_purse(world: &mut World, index: u16, known: &KnownPurse) {
    let mut disk = world.rig.disk.clone();
    let items = [(world.tag(index).as_slice().to_vec(), encode(known))];
    let copy = Copy {
        version: Version { generation: 1, rev: 1 },
        items: items.into(),
    };
    disk.streams.insert(Stream::Purses.code(), (Stream::Purses, copy));
    world.rig.disk = disk;
    world.rig.crash();
}

#[test]
fn a_credit_of_the_server_is_written_with_the_next_sale() {
    let mut world = World::new();
    let mut band = world.rich(0, 2_00);
    let credit = world.batch.pending(0, 100);
    let seen = PurseTotals {
        debited: 0,
        credited: [4, 0, 0],
    };
    let known = KnownPurse {
        seen,
        credit: Some(credit),
        vouchers: [0, 0],
        flags: None,
    };
    with_purse(&mut world, 0, &known);
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().left.unwrap().amount, Amount(5_00));
    let purse = world.rig.last_order().purse.unwrap();
    assert_eq!(
        (purse.before.credited[CHAIN_SERVER], purse.after.credited[CHAIN_SERVER]),
        (0, 100)
    );
}

#[test]
fn a_wristband_that_was_set_back_is_refused_by_who_saw_it_and_by_who_heard_of_it() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    let mut old = SimulatedField::new(band.chip.clone());
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    world.rig.act(Action::Dismiss);
    world.rig.wait(6_000);
    world.rig.add(BEER, 1);
    world.hold(&mut old);
    assert_eq!(refusal(&world.rig), Refusal::Purse(PurseRefusal::SetBack));

    // Not even after it was switched off and on with no network: its own journal tells.
    world.rig.crash();
    world.rig.act(Action::Clear);
    world.rig.add(BEER, 1);
    world.hold_again(&mut old);
    assert_eq!(refusal(&world.rig), Refusal::Purse(PurseRefusal::SetBack));
    world.hold_again(&mut band);
    assert_eq!(world.rig.done().total, Amount(7_00));

    let mut elsewhere = World::new();
    let known = KnownPurse {
        seen: PurseTotals {
            debited: 7_00,
            credited: [40, 0, 0],
        },
        credit: None,
        vouchers: [0, 0],
        flags: None,
    };
    with_purse(&mut elsewhere, 0, &known);
    elsewhere.rig.add(BEER, 1);
    elsewhere.hold_again(&mut old);
    assert_eq!(refusal(&elsewhere.rig), Refusal::Purse(PurseRefusal::SetBack));
}

#[test]
fn what_this_device_does_not_serve_is_refused_with_the_reason() {
    let mut world = World::new();
    let stranger = SimulatedBatch::new(PurseSettings::usual(78), 6);
    let mut foreign = SimulatedField::new(stranger.chip(0));
    world.rig.add(BEER, 1);
    world.hold(&mut foreign);
    assert_eq!(
        refusal(&world.rig),
        Refusal::Purse(PurseRefusal::UnknownBatch { batch: 6 })
    );

    let mut band = world.band(0);
    world.keys = world.batch.keys(&[KeyRole::Auth]);
    world.hold(&mut band);
    assert_eq!(refusal(&world.rig), Refusal::Purse(PurseRefusal::NoKey));

    world.keys = world.batch.sale_keys();
    world.rig.act(Action::Clear);
    world.rig.act(Action::TopUp {
        amount: Amount(10_00),
        method: TenderKind::Cash,
    });
    world.hold_again(&mut band);
    assert_eq!(
        refusal(&world.rig),
        Refusal::Purse(PurseRefusal::NoKey),
        "a till that only sells cannot credit"
    );
    assert_eq!(world.money(&band), 0);
}

#[test]
fn a_list_that_the_event_did_not_sign_is_as_good_as_none() {
    let mut world = World::with(|batch| batch.signature.bytes = Bytes(vec![0; 64]));
    let mut band = world.band(0);
    world.hold(&mut band);
    // Without a list there are no purses here: the books decide, and they know nothing of it.
    assert!(matches!(world.rig.screen().notice, Notice::Balance { money: None, .. }));
}

#[test]
fn a_batch_that_the_server_took_over_pays_from_the_books() {
    let mut world = World::with(|batch| batch.authority = BatchAuthority::Server);
    let mut band = world.band(0);
    world.rig.add(BEER, 1);
    world.hold(&mut band);
    assert_eq!(world.rig.done().total, Amount(7_00));
    let order = world.rig.last_order();
    assert_eq!(
        (order.tenders[0].permission, order.purse),
        (Permission::OfflineUnknown, None)
    );
}

#[test]
fn a_frozen_chain_takes_no_more_top_ups_and_a_blocked_wristband_does_not_pay() {
    let mut world = World::with(|batch| batch.desk_frozen = true);
    let mut band = world.band(0);
    world.rig.act(Action::TopUp {
        amount: Amount(10_00),
        method: TenderKind::Cash,
    });
    world.hold(&mut band);
    assert_eq!(refusal(&world.rig), Refusal::Purse(PurseRefusal::Frozen));

    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    let items = [(world.tag(0).as_slice().to_vec(), encode(&BlockReason::Lost))];
    let copy = Copy {
        version: Version { generation: 1, rev: 1 },
        items: items.into(),
    };
    world
        .rig
        .disk
        .streams
        .insert(Stream::BlockList.code(), (Stream::BlockList, copy));
    world.rig.crash();
    world.rig.add(BEER, 1);
    world.hold_again(&mut band);
    assert_eq!(refusal(&world.rig), Refusal::Blocked(BlockReason::Lost));
    assert_eq!(world.money(&band), 20_00);
}

#[test]
fn money_goes_on_in_steps_and_carts_of_several_wristbands_are_refused() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    world.rig.act(Action::TopUp {
        amount: Amount(10_25),
        method: TenderKind::Cash,
    });
    world.hold_again(&mut band);
    assert_eq!(refusal(&world.rig), Refusal::Purse(PurseRefusal::Step { unit: 50 }));
    world.rig.act(Action::Clear);
    world.rig.add(BEER, 2);
    world.rig.act(Action::Split { ways: 2 });
    world.hold_again(&mut band);
    assert_eq!(refusal(&world.rig), Refusal::Purse(PurseRefusal::NoSplit));
    assert_eq!(world.money(&band), 20_00);
}

#[test]
fn what_of_foreign_cash_fits_no_step_of_a_purse_goes_back_as_change() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    let given = Foreign {
        asset: FRANC,
        amount: Amount(20_00),
    };
    world.rig.act(Action::TopUpForeign { given, amount: None });
    world.hold_again(&mut band);
    let done = world.rig.done();
    assert_eq!((done.total, done.change), (Amount(21_00), Amount(40)));
    assert_eq!(world.money(&band), 41_00);
    let order = world.rig.last_order();
    let paid: Vec<_> = order.tenders.iter().map(|tender| tender.amount.0).collect();
    assert_eq!((paid, order.check()), (vec![21_40, -40], Ok(())));
}

#[test]
fn another_chip_that_slips_in_gets_nothing_and_pays_nothing() {
    for at in 0..20 {
        let mut world = World::new();
        let mut band = world.rich(0, 20_00);
        let other = world.rich(1, 20_00);
        world.rig.add(BEER, 1);
        band.restart();
        band.other = Some(other.chip.clone());
        band.faults.insert(at, Fault::Swapped);
        world.hold(&mut band);
        let second = SimulatedField::new(band.other.clone().unwrap());
        let (first, second) = (world.money(&band), world.money(&second));
        let paid = world.sales().len();
        assert!(
            first + second == 40_00 - 7_00 * i64::try_from(paid).unwrap(),
            "at {at}: {first} {second} {paid}"
        );
    }
}

/// A key store that counts how often each role is asked.
#[derive(Debug)]
struct Counting<'a>(&'a MemoryKeys, std::cell::Cell<u32>);

impl KeyStore for Counting<'_> {
    fn encrypt(
        &self,
        key: chips::KeyName,
        block: shared_protocol::purse::Block,
    ) -> Result<shared_protocol::purse::Block, chips::KeyRefusal> {
        if matches!(key.role, KeyRole::Chain(_)) {
            self.1.set(self.1.get() + 1);
        }
        self.0.encrypt(key, block)
    }
}

#[test]
fn a_sale_never_asks_for_the_key_of_a_chain() {
    let mut world = World::new();
    let mut band = world.rich(0, 20_00);
    world.rig.add(BEER, 1);
    band.restart();
    let keys = world.keys.clone();
    let counting = Counting(&keys, std::cell::Cell::new(0));
    world.rig.hold_chip(&mut band, &counting);
    assert_eq!((world.rig.done().total, counting.1.get()), (Amount(7_00), 0));
    assert_eq!(world.rig.last_order().purse.unwrap().after.credited[CHAIN_DESK], 40);
}
