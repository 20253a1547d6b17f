use shared_protocol::Amount;
use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::Hash32;
use shared_protocol::message::{Ack, Error, ErrorCode, Fork, Gap, Message, Ping};
use shared_protocol::order::TenderKind;

use crate::screen::Pill;
use crate::testing::{BEER, FREE, Rig, tag};
use crate::{Action, Input};

fn sell(rig: &mut Rig, count: u8) {
    for number in 0..count {
        rig.server.free.insert(tag(number), 1_000);
        rig.act(Action::FreePrice {
            article: FREE,
            price: Amount(100),
        });
        rig.hold(number);
    }
}

fn pushes(rig: &Rig) -> Vec<(u32, u64, usize)> {
    let push = |message: &Message| match message {
        Message::Push(push) => Some((push.epoch.epoch, push.first_seq, push.entries.len())),
        _ => None,
    };
    rig.sent.iter().filter_map(push).collect()
}

#[test]
fn orders_are_sent_when_they_are_made_and_acknowledged() {
    let mut rig = Rig::online();
    sell(&mut rig, 1);
    assert_eq!(rig.server.orders, rig.shown_paid);
    assert_eq!(rig.screen().pill, Pill::Online);
    rig.wait(1_100);
    let (seq, _) = rig.disk.last(1);
    assert_eq!(rig.disk.epochs[&1].1, seq, "the watermark is kept");
    assert!(rig.disk.heads.contains_key(&(1, seq)), "the head is kept");
}

#[test]
fn a_long_outage_drains_in_full_frames_and_memory_stays_bounded() {
    let mut rig = Rig::offline();
    for _ in 0..700 {
        rig.add(BEER, 1);
        rig.act(Action::Pay(TenderKind::Cash));
    }
    rig.wait(2_500);
    let heads = rig.disk.heads.len();
    assert!((700 / 20..=702).contains(&heads));
    rig.sent.clear();
    rig.mend();
    assert_eq!(rig.screen().pill, Pill::Online);
    assert_eq!(rig.server.orders.len(), 700);
    let frames = pushes(&rig);
    assert!(frames.len() < 40, "{} frames", frames.len());
    rig.crash();
    assert_eq!(rig.server.orders.len(), 700);
}

#[test]
fn entries_are_signed_within_two_seconds_or_twenty_entries() {
    let mut rig = Rig::offline();
    sell(&mut rig, 5);
    rig.wait(3_100);
    assert_eq!(rig.disk.heads.keys().next_back(), Some(&(1, rig.disk.last(1).0)));
    sell(&mut rig, 25);
    rig.wait(1_100);
    assert!(rig.disk.last(1).0 - rig.disk.heads.keys().next_back().unwrap().1 < 20);
}

#[test]
fn an_acknowledgement_that_is_lost_costs_nothing() {
    let mut rig = Rig::online();
    rig.server.silent = true;
    sell(&mut rig, 1);
    rig.wait(300);
    assert!(matches!(rig.screen().pill, Pill::Sending { .. }));
    rig.server.silent = false;
    rig.wait(10_100);
    assert_eq!(rig.screen().pill, Pill::Online);
    assert_eq!(rig.server.orders.len(), 1);
}

#[test]
fn a_window_of_zero_is_respected_for_as_long_as_asked() {
    let mut rig = Rig::online();
    rig.server.window = 0;
    rig.wait(500);
    sell(&mut rig, 1);
    let before = pushes(&rig).len();
    sell(&mut rig, 2);
    rig.wait(400);
    assert_eq!(pushes(&rig).len(), before);
    rig.server.window = 256;
    rig.wait(200);
    assert_eq!(rig.screen().pill, Pill::Online);
}

#[test]
fn a_restored_server_gets_everything_again() {
    let mut rig = Rig::online();
    sell(&mut rig, 40);
    assert_eq!(rig.screen().pill, Pill::Online);
    rig.cut();
    let entry = rig.disk.entries[&(1, 10)].clone();
    rig.server.durable.insert(1, (10, entry.hash));
    let kept = rig.disk.orders().iter().take(7).map(|order| order.id).collect();
    rig.server.orders = kept;
    rig.server.incarnation = 2;
    // Entries 1 and 2 are start and login, 3 to 9 … are orders; what the server lost it books again.
    rig.server.orders.truncate(8);
    let lost: Vec<_> = rig.disk.orders().iter().skip(8).map(|order| order.id).collect();
    rig.server.orders.retain(|order| !lost.contains(order));
    rig.mend();
    assert_eq!(rig.screen().pill, Pill::Online);
    assert!(lost.iter().all(|order| rig.server.orders.contains(order)));
}

#[test]
fn what_a_stranger_acknowledged_is_sent_to_the_server() {
    let mut rig = Rig::online();
    sell(&mut rig, 3);
    let (seq, _) = rig.disk.last(1);
    let mut real = rig.server.clone();
    rig.cut();
    rig.server.incarnation = 9;
    rig.mend();
    rig.add(BEER, 1);
    rig.act(Action::Pay(TenderKind::Cash));
    rig.wait(3_000);
    assert_eq!(rig.disk.epochs[&1].1, seq + 1, "the stranger has it");
    rig.cut();
    // A second phone with the same identity has written something else in the same place.
    real.durable.insert(1, (seq + 1, Hash32([7; 32])));
    rig.server = real;
    rig.sent.clear();
    rig.mend();
    let sent: u64 = pushes(&rig).iter().map(|(.., entries)| *entries as u64).sum();
    assert_eq!((pushes(&rig)[0].1, sent), (1, seq + 1));
}

#[test]
fn an_epoch_that_is_named_again_while_it_is_written_is_begun_once() {
    let mut rig = Rig::online();
    sell(&mut rig, 2);
    let (previous_seq, previous_head) = rig.disk.last(1);
    let fork = Fork {
        epoch: 1,
        seq: previous_seq,
        new_epoch: EpochStart {
            epoch: 2,
            previous_seq,
            previous_head,
        },
    };
    rig.disk_runs = false;
    rig.say(fork.clone());
    rig.say(fork);
    rig.disk_runs = true;
    rig.wait(2_000);
    sell(&mut rig, 2);
    rig.cut();
    rig.server.incarnation = 2;
    rig.mend();
    sell(&mut rig, 2);
    assert_eq!(rig.screen().pill, Pill::Online);
    assert_eq!((rig.server.orders.len(), rig.disk.last(2).0), (6, 4));
}

#[test]
fn a_gap_is_answered_from_where_the_server_says() {
    let mut rig = Rig::online();
    sell(&mut rig, 10);
    rig.sent.clear();
    rig.server.silent = true;
    rig.say(Gap {
        epoch: 1,
        expected_seq: 4,
    });
    assert_eq!(pushes(&rig).first().map(|push| push.1), Some(4));
}

#[test]
fn a_server_that_always_sees_gaps_is_left_and_not_flooded() {
    let mut rig = Rig::online();
    sell(&mut rig, 3);
    rig.server.silent = true;
    for _ in 0..4 {
        rig.say(Gap {
            epoch: 1,
            expected_seq: 1,
        });
    }
    assert!(matches!(rig.screen().pill, Pill::Offline { .. }));
}

#[test]
fn acknowledging_the_same_again_between_gaps_is_no_progress() {
    let mut rig = Rig::online();
    sell(&mut rig, 3);
    let (durable_seq, _) = rig.disk.last(1);
    rig.server.silent = true;
    for _ in 0..4 {
        assert_eq!(rig.screen().pill, Pill::Online);
        rig.say(Gap {
            epoch: 1,
            expected_seq: 1,
        });
        rig.say(Ack {
            epoch: 1,
            durable_seq,
            branch: None,
            window: 256,
            retry_after_ms: None,
            notes: Vec::new(),
        });
    }
    assert!(matches!(rig.screen().pill, Pill::Offline { .. }));
    let sent = pushes(&rig).len();
    rig.wait(29_000);
    assert_eq!(pushes(&rig).len(), sent, "and it is left alone for a while");
}

#[test]
fn a_terminal_restored_from_a_backup_goes_on_in_a_new_epoch() {
    let mut rig = Rig::online();
    sell(&mut rig, 3);
    rig.wait(2_000);
    let old = rig.disk.clone();
    sell(&mut rig, 5);
    assert_eq!(rig.screen().pill, Pill::Online);
    let (seq, head) = rig.disk.last(1);
    let before = rig.disk.orders().len();
    rig.disk = old;
    rig.server.new_epoch = Some(EpochStart {
        epoch: 2,
        previous_seq: seq,
        previous_head: head,
    });
    rig.crash();
    assert_eq!(rig.disk.epochs.len(), 2);
    rig.server.new_epoch = None;
    sell(&mut rig, 2);
    assert_eq!(rig.screen().pill, Pill::Online);
    assert_eq!(
        rig.server.durable[&1],
        (seq, head),
        "nothing more came in the old epoch"
    );
    assert_eq!(rig.server.orders.len(), before + 2);
    assert!(
        rig.disk.entries.keys().any(|key| *key == (2, 1)),
        "the sequence starts at 1 again"
    );
}

#[test]
fn a_fork_moves_writing_to_a_new_epoch_and_the_old_one_is_still_sent() {
    let mut rig = Rig::online();
    rig.server.silent = true;
    for _ in 0..3 {
        rig.add(BEER, 1);
        rig.act(Action::Pay(TenderKind::Cash));
    }
    let new_epoch = EpochStart {
        epoch: 2,
        previous_seq: 2,
        previous_head: rig.disk.entries[&(1, 2)].hash,
    };
    rig.say(Fork {
        epoch: 1,
        seq: 3,
        new_epoch,
    });
    rig.say(Fork {
        epoch: 1,
        seq: 3,
        new_epoch,
    });
    assert_eq!(rig.disk.epochs.len(), 2);
    rig.act(Action::FreePrice {
        article: FREE,
        price: Amount(100),
    });
    rig.keep(9);
    rig.wait(300);
    assert_eq!(rig.disk.orders().len(), 4);
    rig.server.silent = false;
    rig.wait(11_000);
    assert_eq!(rig.screen().pill, Pill::Online);
    assert_eq!(rig.server.orders.len(), 4);
    rig.crash();
    assert_eq!(rig.screen().pill, Pill::Online);
}

#[test]
fn a_ping_is_answered_with_where_the_journal_is() {
    let mut rig = Rig::online();
    sell(&mut rig, 2);
    let next_seq = rig.disk.last(1).0 + 1;
    rig.say(Ping {
        no: 7,
        server_ms: rig.now.wall_ms + 5_000,
    });
    let Some(Message::Pong(pong)) = rig.sent.last() else {
        panic!("no answer")
    };
    assert_eq!((pong.no, pong.epoch, pong.next_seq), (7, 1, next_seq));
    sell(&mut rig, 1);
    let entry = rig.disk.entries.values().next_back().unwrap();
    assert_eq!(
        shared_protocol::entry::Entry::read(&entry.bytes).unwrap().0.offset_ms,
        Some(5_000)
    );
}

#[test]
fn silence_ends_a_connection_and_the_next_one_comes_by_itself() {
    let mut rig = Rig::online();
    rig.server.silent = true;
    rig.wait(44_000);
    assert_eq!(rig.screen().pill, Pill::Online);
    rig.network = false;
    rig.wait(1_100);
    assert!(matches!(rig.screen().pill, Pill::Offline { since_ms: Some(_), .. }));
    rig.server.silent = false;
    rig.mend();
    assert_eq!(rig.screen().pill, Pill::Online);
}

#[test]
fn a_server_that_does_not_want_the_terminal_is_told_on_the_screen_and_asked_with_growing_waits() {
    let mut rig = Rig::online();
    rig.say(Error {
        code: ErrorCode::Replaced,
        fatal: true,
        retry_after_ms: Some(20_000),
        detail: String::new(),
    });
    assert!(matches!(
        rig.screen().pill,
        Pill::Offline {
            refused: Some(ErrorCode::Replaced),
            ..
        }
    ));
    rig.wait(19_000);
    assert!(matches!(rig.screen().pill, Pill::Offline { .. }));
    rig.wait(12_000);
    assert_eq!(rig.screen().pill, Pill::Online);
}

#[test]
fn a_jump_of_the_wall_clock_is_an_entry() {
    let mut rig = Rig::offline();
    let before = rig.disk.entries.len();
    rig.now.wall_ms -= 1_000_000_000;
    rig.input(Input::Tick);
    assert_eq!(rig.disk.entries.len(), before + 1);
    rig.input(Input::Tick);
    assert_eq!(rig.disk.entries.len(), before + 1);
}

#[test]
fn junk_from_the_network_ends_the_connection_and_nothing_else() {
    let mut rig = Rig::online();
    sell(&mut rig, 1);
    let link = crate::LinkId(1);
    rig.input(Input::Frame {
        link,
        bytes: vec![0xff; 40],
    });
    assert!(matches!(rig.screen().pill, Pill::Offline { .. }));
    rig.mend();
    assert_eq!(rig.screen().pill, Pill::Online);
    rig.say(Ack {
        epoch: 77,
        durable_seq: u64::MAX,
        branch: None,
        window: 1,
        retry_after_ms: None,
        notes: Vec::new(),
    });
    rig.say(Ack {
        epoch: 1,
        durable_seq: u64::MAX,
        branch: None,
        window: u32::MAX,
        retry_after_ms: None,
        notes: Vec::new(),
    });
    sell(&mut rig, 1);
    assert_eq!(rig.screen().pill, Pill::Online);
}

#[test]
fn a_disk_that_fails_for_a_while_holds_back_entries_and_loses_none() {
    let mut rig = Rig::offline();
    rig.disk_fault = Some(crate::StorageFault::Io);
    rig.now.wall_ms += 10_000_000;
    rig.input(Input::Tick);
    let before = rig.disk.entries.len();
    rig.wait(5_000);
    rig.disk_fault = None;
    rig.wait(5_000);
    assert_eq!(
        rig.disk.entries.len(),
        before + 1,
        "the clock's jump is written in the end"
    );
}
