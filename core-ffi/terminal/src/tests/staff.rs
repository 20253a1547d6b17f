use shared_protocol::entry::{CommandKind, Content, Entry};
use shared_protocol::message::Message;
use shared_protocol::{Amount, StaffId};

use crate::screen::{Notice, Page, Refusal};
use crate::testing::{BEER, CAREFUL, CASHIER, LEAD, PIN, Rig, TRAINEE, crew};
use crate::{Action, Input, StorageFault};

const WAIT_MS: u64 = 5 * 60 * 1_000;

fn at_the_start() -> Rig {
    Rig::with_disk(Rig::fresh_disk(), false)
}

fn who(rig: &Rig) -> Option<StaffId> {
    rig.screen().cashier
}

/// What the journal says of logins and logouts.
fn comings_and_goings(rig: &Rig) -> Vec<(CommandKind, Option<StaffId>)> {
    let read = |bytes: &[u8]| match Entry::read(bytes).unwrap().1 {
        Content::Command(command) => Some((command.kind, command.staff)),
        _ => None,
    };
    let all = rig.disk.entries.values().filter_map(|entry| read(&entry.bytes));
    all.filter(|(kind, _)| matches!(kind, CommandKind::Login | CommandKind::Logout))
        .collect()
}

#[test]
fn a_crew_wristband_logs_in_and_a_guest_one_does_not() {
    let mut rig = at_the_start();
    assert_eq!(rig.screen().page, Page::LoggedOut);
    rig.hold(1);
    assert_eq!(rig.refusal(), Refusal::NotStaff);
    assert_eq!(who(&rig), None);
    rig.hold_crew(CASHIER);
    assert_eq!((rig.screen().page.clone(), who(&rig)), (Page::Sale, Some(CASHIER)));
}

#[test]
fn who_has_a_pin_is_asked_for_it_by_wristband_and_from_the_list() {
    for from_list in [false, true] {
        let mut rig = at_the_start();
        if from_list {
            rig.act(Action::Login { staff: CAREFUL });
        } else {
            rig.hold_crew(CAREFUL);
        }
        let wanted = Notice::PinWanted {
            staff: CAREFUL,
            left: 5,
            wrong: false,
            checking: false,
        };
        assert_eq!((&rig.screen().notice, who(&rig)), (&wanted, None));
        rig.pin("1111");
        let wrong = Notice::PinWanted {
            staff: CAREFUL,
            left: 4,
            wrong: true,
            checking: false,
        };
        assert_eq!((&rig.screen().notice, who(&rig)), (&wrong, None));
        rig.pin(PIN);
        assert_eq!((rig.screen().page.clone(), who(&rig)), (Page::Sale, Some(CAREFUL)));
    }
}

#[test]
fn a_pin_pad_that_is_gone_takes_no_pin() {
    let mut rig = at_the_start();
    rig.hold_crew(CAREFUL);
    rig.act(Action::Dismiss);
    rig.pin(PIN);
    assert_eq!(who(&rig), None);
    rig.hold_crew(CAREFUL);
    rig.wait(61_000);
    rig.pin(PIN);
    assert_eq!((rig.screen().notice.clone(), who(&rig)), (Notice::None, None));
}

#[test]
fn five_wrong_pins_lock_the_person_also_over_a_restart_and_then_there_is_one_try_every_five_minutes() {
    let mut rig = at_the_start();
    rig.hold_crew(CAREFUL);
    for _ in 0..4 {
        rig.pin("1111");
    }
    rig.crash();
    rig.hold_crew(CAREFUL);
    rig.pin("1111");
    assert_eq!(rig.refusal(), Refusal::PinLocked { wait_ms: WAIT_MS });
    rig.hold_crew(CAREFUL);
    assert!(matches!(rig.refusal(), Refusal::PinLocked { .. }));
    rig.wait(WAIT_MS - 1_000);
    rig.crash();
    rig.hold_crew(CAREFUL);
    assert!(
        matches!(rig.refusal(), Refusal::PinLocked { .. }),
        "a restart shortens nothing"
    );
    rig.wait(WAIT_MS);
    rig.hold_crew(CAREFUL);
    rig.pin("2222");
    assert_eq!(rig.refusal(), Refusal::PinLocked { wait_ms: WAIT_MS });
    rig.wait(WAIT_MS);
    rig.hold_crew(CAREFUL);
    rig.pin(PIN);
    assert_eq!(who(&rig), Some(CAREFUL));
    rig.act(Action::Logout);
    rig.hold_crew(CAREFUL);
    assert!(
        matches!(rig.screen().notice, Notice::PinWanted { left: 5, .. }),
        "the right one forgives the wrong ones"
    );
}

#[test]
fn after_a_lead_was_here_a_locked_person_may_try_again() {
    let mut rig = at_the_start();
    rig.hold_crew(CAREFUL);
    for _ in 0..5 {
        rig.pin("1111");
    }
    rig.hold_crew(CASHIER);
    rig.act(Action::Logout);
    rig.hold_crew(CAREFUL);
    assert!(
        matches!(rig.refusal(), Refusal::PinLocked { .. }),
        "a colleague is no lead"
    );
    rig.hold_crew(LEAD);
    rig.pin(PIN);
    rig.act(Action::Logout);
    rig.hold_crew(CAREFUL);
    rig.pin(PIN);
    assert_eq!(who(&rig), Some(CAREFUL));
}

#[test]
fn a_try_whose_answer_comes_too_late_counts_and_logs_nobody_in() {
    let mut rig = at_the_start();
    rig.hold_crew(CAREFUL);
    rig.held_pins = Some(Vec::new());
    rig.pin(PIN);
    assert!(matches!(
        rig.screen().notice,
        Notice::PinWanted {
            checking: true,
            left: 5,
            ..
        }
    ));
    rig.pin("1111");
    assert_eq!(rig.held_pins.as_ref().unwrap().len(), 1, "one at a time");
    rig.crash();
    rig.hold_crew(CAREFUL);
    assert!(matches!(rig.screen().notice, Notice::PinWanted { left: 4, .. }));
    rig.held_pins = Some(Vec::new());
    rig.pin(PIN);
    rig.act(Action::Dismiss);
    let late = rig.held_pins.as_mut().unwrap().pop().unwrap();
    rig.input(late);
    assert_eq!(who(&rig), None);
    rig.input(Input::PinVerified {
        job: crate::PinJob(99),
        ok: true,
    });
    assert_eq!(who(&rig), None);
}

#[test]
fn a_colleague_takes_over_after_one_question() {
    let mut rig = Rig::offline();
    rig.hold_crew(TRAINEE);
    assert_eq!(rig.screen().notice, Notice::SwapCashier { staff: TRAINEE });
    assert_eq!(who(&rig), Some(CASHIER), "only asked so far");
    rig.act(Action::SwapCashier);
    assert_eq!((rig.screen().page.clone(), who(&rig)), (Page::Sale, Some(TRAINEE)));
    assert_eq!(
        comings_and_goings(&rig),
        [
            (CommandKind::Login, Some(CASHIER)),
            (CommandKind::Logout, Some(CASHIER)),
            (CommandKind::Login, Some(TRAINEE))
        ]
    );
    rig.hold_crew(CAREFUL);
    rig.act(Action::SwapCashier);
    assert_eq!(who(&rig), Some(TRAINEE), "not without the PIN");
    rig.pin(PIN);
    assert_eq!(who(&rig), Some(CAREFUL));
}

#[test]
fn the_question_goes_by_itself_and_a_late_press_does_nothing() {
    let mut rig = Rig::offline();
    rig.hold_crew(TRAINEE);
    rig.wait(11_000);
    rig.act(Action::SwapCashier);
    assert_eq!((rig.screen().notice.clone(), who(&rig)), (Notice::None, Some(CASHIER)));
}

#[test]
fn with_a_cart_open_a_crew_wristband_pays_like_any_other() {
    let mut rig = Rig::offline();
    rig.add(BEER, 1);
    rig.hold_crew(TRAINEE);
    assert_eq!(rig.done().total, Amount(700));
    assert_eq!(who(&rig), Some(CASHIER));
}

#[test]
fn a_cashier_is_asked_before_their_own_wristband_pays_and_once_for_a_cart() {
    let mut rig = Rig::offline();
    rig.add(BEER, 1);
    rig.hold_crew(CASHIER);
    let own = crew(CASHIER);
    assert_eq!(rig.screen().notice, Notice::OwnBand { tag: own });
    rig.act(Action::Dismiss);
    rig.act(Action::PayWithOwn);
    assert!(rig.disk.orders().is_empty(), "the question was gone");
    rig.hold_crew(CASHIER);
    rig.act(Action::PayWithOwn);
    assert_eq!((rig.done().total, rig.done().tag), (Amount(700), Some(own)));
    rig.add(BEER, 1);
    rig.hold_crew(CASHIER);
    assert_eq!(rig.screen().notice, Notice::OwnBand { tag: own }, "another cart");
    rig.act(Action::PayWithOwn);
    assert_eq!(rig.disk.orders().len(), 2);
}

#[test]
fn a_parked_cart_waits_for_its_cashier_over_a_swap_and_a_restart() {
    let mut rig = Rig::offline();
    rig.add(BEER, 2);
    rig.act(Action::Park);
    assert!(rig.screen().cart.is_none());
    let parked = rig.screen().parked.clone();
    assert_eq!((parked[0].staff, parked[0].total), (CASHIER, Amount(1_400)));
    rig.hold_crew(TRAINEE);
    rig.act(Action::SwapCashier);
    assert!(rig.screen().cart.is_none(), "nobody else's cart");
    rig.add(BEER, 1);
    rig.hold(1);
    rig.crash();
    assert_eq!(rig.screen().parked, parked);
    rig.hold_crew(CASHIER);
    rig.act(Action::SwapCashier);
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(1_400));
    assert!(rig.screen().parked.is_empty());
    rig.crash();
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(1_400), "once");
    assert!(rig.screen().parked.is_empty());
    rig.hold(2);
    assert_eq!(rig.done().total, Amount(1_400));
}

#[test]
fn one_cart_is_parked_and_taken_up_again() {
    let mut rig = Rig::offline();
    rig.act(Action::Park);
    assert_eq!(rig.refusal(), Refusal::CartEmpty);
    rig.add(BEER, 1);
    rig.act(Action::Park);
    rig.add(BEER, 3);
    rig.act(Action::Park);
    assert_eq!(rig.refusal(), Refusal::ParkedAlready);
    rig.act(Action::Unpark);
    assert_eq!(rig.refusal(), Refusal::CartOpen);
    rig.act(Action::Clear);
    rig.act(Action::Unpark);
    assert_eq!(rig.screen().cart.as_ref().unwrap().total, Amount(700));
    rig.act(Action::Clear);
    rig.act(Action::Unpark);
    assert_eq!(rig.refusal(), Refusal::CartEmpty);
}

#[test]
fn a_parked_cart_goes_with_its_cashier_and_the_server_hears_of_it() {
    let mut rig = Rig::online();
    rig.add(BEER, 1);
    rig.act(Action::Park);
    rig.act(Action::Logout);
    assert!(rig.screen().parked.is_empty());
    assert!(
        rig.sent
            .iter()
            .any(|message| matches!(message, Message::CartAborted(_)))
    );
    rig.hold_crew(CASHIER);
    assert!(rig.screen().cart.is_none());
    rig.crash();
    assert!(rig.screen().parked.is_empty());
}

#[test]
fn a_cart_that_could_not_be_parked_on_a_full_disk_is_there_once_after_a_restart() {
    let mut rig = Rig::offline();
    rig.add(BEER, 1);
    rig.wait(300);
    rig.disk_fault = Some(StorageFault::Full);
    rig.act(Action::Park);
    rig.disk_fault = None;
    let mut early = Rig::with_disk(rig.disk.clone(), false);
    assert!(early.screen().cart.is_some() && early.screen().parked.is_empty());
    early.act(Action::Clear);
    rig.wait(5_000);
    rig.crash();
    assert_eq!((rig.screen().cart.is_some(), rig.screen().parked.len()), (false, 1));
}
