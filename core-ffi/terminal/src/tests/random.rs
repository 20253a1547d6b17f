//! Anything in any order: no panic, nothing shown as paid that is not on the disk, no hole in the journal, a chain that verifies, offline
//! exposure within its limits (all checked by [`Rig`] in every step), every count of a drawer against the cash of its orders, and after all faults are over the server has everything once.

use proptest::prelude::*;

use shared_protocol::currency::Foreign;
use shared_protocol::order::{CancelReason, TenderKind};
use shared_protocol::{Amount, ArticleId, OrderId, StaffId};

use super::drawer::counts_agree;
use crate::screen::Pill;
use crate::testing::{BEER, CAREFUL, CASHIER, CUP, FRANC, FREE, FRIES, PIN, PLATE, Rig, TRAINEE, tag};
use crate::{Action, Input, Pin, StorageFault};

#[derive(Debug, Clone)]
enum Happening {
    /// A guest as they mostly are: something is typed in, a wristband is held.
    Guest(ArticleId, u16, u8),
    /// The last one wants something else, or nothing.
    Regret(bool),
    /// Money goes in (or out) for a wristband.
    Desk(u8, i64),
    Act(Action),
    CancelPast(usize),
    Hold(u8),
    HoldCrew(StaffId),
    Keep(u8),
    Leave,
    Wait(u64),
    Cut,
    Mend,
    Silent(bool),
    DiskStalls(bool),
    DiskFails(Option<StorageFault>),
    DiskStep,
    Crash,
    ClockJumps(i32),
    TopUpAtServer(u8, i64),
    Junk(Vec<u8>),
}

fn article() -> impl Strategy<Value = ArticleId> {
    prop::sample::select(vec![BEER, CUP, FREE, FRIES, PLATE, ArticleId(99)])
}

fn action() -> impl Strategy<Value = Action> {
    let cents = || prop_oneof![1..3_000_i64, Just(i64::MAX), Just(-1), Just(0)].prop_map(Amount);
    let method = || prop::sample::select(vec![TenderKind::Cash, TenderKind::Card, TenderKind::Wristband]);
    prop_oneof![
        8 => (article(), 0..5_u16).prop_map(|(article, count)| Action::Add { article, count }),
        2 => (article(), cents()).prop_map(|(article, price)| Action::FreePrice { article, price }),
        2 => (article(), 0..8_u16).prop_map(|(article, count)| Action::Return { article, count }),
        1 => article().prop_map(|article| Action::Remove { article }),
        1 => article().prop_map(|article| Action::ClearLine { article }),
        1 => any::<bool>().prop_map(Action::UseVouchers),
        2 => method().prop_map(Action::Pay),
        1 => (0..8_u8).prop_map(|ways| Action::Split { ways }),
        2 => (cents(), method()).prop_map(|(amount, method)| Action::TopUp { amount, method }),
        2 => cents().prop_map(|amount| Action::PayOut { amount }),
        2 => cents().prop_map(|float| Action::OpenDrawer { float }),
        2 => cents().prop_map(|counted| Action::CountDrawer { counted }),
        1 => cents().prop_map(|amount| Action::MoveCash { amount }),
        2 => cents().prop_map(|amount| Action::PayForeign(Foreign { asset: FRANC, amount })),
        2 => (cents(), prop::option::of(cents())).prop_map(|(given, amount)| Action::TopUpForeign {
            given: Foreign { asset: FRANC, amount: given },
            amount,
        }),
        1 => cents().prop_map(|amount| Action::HandIn(Foreign { asset: FRANC, amount })),
        1 => prop::sample::select(vec![CASHIER, TRAINEE, CAREFUL]).prop_map(|staff| Action::Login { staff }),
        1 => prop::sample::select(vec![PIN, "1111"]).prop_map(|digits| Action::Pin(Pin::typed(digits).unwrap())),
        2 => prop::sample::select(vec![Action::Park, Action::PayWithOwn, Action::Unpark, Action::SwapCashier, Action::EndShift, Action::LeaveShiftOpen, Action::Unregister]),
        6 => prop::sample::select(vec![
            Action::Clear, Action::SameAgain, Action::UndoLast, Action::CorrectLast, Action::Dismiss, Action::Logout
        ]),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        16 => (prop::sample::select(vec![BEER, FRIES, CUP]), 1..4_u16, 0..12_u8)
            .prop_map(|(article, count, number)| Happening::Guest(article, count, number)),
        6 => any::<bool>().prop_map(Happening::Regret),
        4 => (0..12_u8, -1_200..2_000_i64).prop_map(|(number, cents)| Happening::Desk(number, cents)),
        20 => action().prop_map(Happening::Act),
        1 => (0..20_usize).prop_map(Happening::CancelPast),
        14 => (0..4_u8).prop_map(Happening::Hold),
        1 => prop::sample::select(vec![CASHIER, TRAINEE, CAREFUL]).prop_map(Happening::HoldCrew),
        2 => (0..4_u8).prop_map(Happening::Keep),
        1 => Just(Happening::Leave),
        4 => (0..40_000_u64).prop_map(Happening::Wait),
        4 => (0..400_u64).prop_map(Happening::Wait),
        1 => Just(Happening::Cut),
        1 => Just(Happening::Mend),
        2 => any::<bool>().prop_map(Happening::Silent),
        2 => any::<bool>().prop_map(Happening::DiskStalls),
        1 => prop::option::of(prop::sample::select(vec![StorageFault::Full, StorageFault::Io])).prop_map(Happening::DiskFails),
        3 => Just(Happening::DiskStep),
        1 => Just(Happening::Crash),
        1 => any::<i32>().prop_map(Happening::ClockJumps),
        2 => (0..4_u8, 0..4_000_i64).prop_map(|(number, cents)| Happening::TopUpAtServer(number, cents)),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(Happening::Junk),
    ]
}

fn happen(rig: &mut Rig, happening: Happening) {
    match happening {
        Happening::Guest(article, count, number) => {
            rig.act(Action::Login { staff: CASHIER });
            rig.act(Action::Clear);
            rig.add(article, count);
            rig.hold(number);
        }
        Happening::Regret(other) => {
            let holder = rig.disk.orders().last().and_then(|order| order.holder);
            rig.act(Action::Clear);
            rig.act(if other { Action::CorrectLast } else { Action::UndoLast });
            if other {
                rig.add(BEER, 1);
            }
            rig.wait(100);
            rig.hold(holder.map_or(0, |holder| holder.as_slice()[1]));
        }
        Happening::Desk(number, cents) => {
            rig.act(Action::Clear);
            let amount = Amount(cents.abs());
            rig.act(if cents > 0 {
                Action::TopUp {
                    amount,
                    method: TenderKind::Cash,
                }
            } else {
                Action::PayOut { amount }
            });
            rig.hold(number);
        }
        Happening::Act(action) => rig.act(action),
        Happening::CancelPast(index) => {
            let order = rig.disk.orders().get(index).map_or(OrderId([0; 16]), |order| order.id);
            rig.act(Action::Cancel {
                order,
                reason: CancelReason::Mistyped,
            });
        }
        Happening::Hold(number) => rig.hold(number),
        Happening::HoldCrew(staff) => rig.hold_crew(staff),
        Happening::Keep(number) => rig.keep(number),
        Happening::Leave => rig.leave(),
        Happening::Wait(ms) => rig.wait(ms),
        Happening::Cut => rig.cut(),
        Happening::Mend => rig.mend(),
        Happening::Silent(silent) => rig.server.silent = silent,
        Happening::DiskStalls(stalls) => {
            rig.disk_runs = !stalls;
            rig.run();
        }
        Happening::DiskFails(fault) => rig.disk_fault = fault,
        Happening::DiskStep => {
            rig.disk_step();
            rig.run();
        }
        Happening::Crash => rig.crash(),
        Happening::ClockJumps(ms) => {
            rig.now.wall_ms = rig.now.wall_ms.saturating_add_signed(i64::from(ms));
            rig.input(Input::Tick);
        }
        Happening::TopUpAtServer(number, cents) => *rig.server.free.entry(tag(number)).or_default() += cents,
        Happening::Junk(bytes) => rig.input(Input::Frame {
            link: crate::LinkId(1),
            bytes,
        }),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_that_happens_breaks_a_promise(happenings in prop::collection::vec(happening(), 1..120), online: bool) {
        let mut rig = Rig::logged_in(online);
        for number in 0..8 {
            rig.server.free.insert(tag(number), 3_000);
        }
        for happening in happenings {
            happen(&mut rig, happening);
        }
        rig.disk_fault = None;
        rig.disk_runs = true;
        rig.server.silent = false;
        rig.run();
        rig.wait(3_000);
        rig.mend();
        rig.wait(60_000);
        prop_assert_eq!(&rig.screen().pill, &Pill::Online);
        let stored: Vec<OrderId> = rig.disk.orders().iter().map(|order| order.id).collect();
        prop_assert_eq!(&rig.server.orders, &stored);
        prop_assert!(counts_agree(&rig.disk.orders()), "{:?}", rig.disk.orders());
        prop_assert!(rig.shown_paid.iter().all(|order| stored.contains(order)));
        prop_assert_eq!(rig.server.durable.get(&1).map_or(0, |durable| durable.0), rig.disk.last(1).0);
    }
}
