//! Journals of terminals: gaps, repetitions, forks, epochs, restored servers, registrations.

use crate::common::{NOW, Server, Till, all_durable, tag, till_that_books};
use engine::{Known, PushResult, Reply, Request, SIGNATURE_ATTEMPTS_MAX};
use festival::CaseKind;
use festival::registration::{Denied, Slot, SlotState, secret_digest};
use fixtures::sample;
use shared_protocol::crypto::{Hash32, Signer};
use shared_protocol::ids::Bytes;
use shared_protocol::message::{Register, TerminalState, register_message};
use shared_protocol::order::OrderKind;
use shared_protocol::{SlotId, TerminalId};

fn desk(server: &mut Server) -> Till {
    till_that_books(server, &[OrderKind::TopUp], 1)
}

#[test]
fn a_repeated_push_is_acknowledged_again_and_changes_nothing() {
    let mut server = Server::new();
    let mut till = desk(&mut server);
    till.top_up(tag(1), 1_000);
    till.top_up(tag(1), 1_000);
    let push = till.push_from(1);
    all_durable(&server.push(push.clone()), 2);
    all_durable(&server.push(push.clone()), 2);
    let mut restarted = server.restarted();
    all_durable(&restarted.push(push), 2);
    till.top_up(tag(1), 1_000);
    all_durable(&restarted.push(till.push_from(2)), 3);
    assert_eq!((restarted.money(tag(1)), restarted.case_kinds()), (3_000, vec![]));
}

#[test]
fn a_repetition_acknowledges_what_was_pushed_and_not_what_the_line_has_beyond() {
    let mut server = Server::new();
    let mut till = desk(&mut server);
    for _ in 0..4 {
        till.top_up(tag(1), 1_000);
    }
    let mut part = till.clone();
    part.entries.truncate(2);
    all_durable(&server.push(till.push_from(1)), 4);
    all_durable(&server.push(part.push_from(1)), 2);
}

#[test]
fn a_batch_of_pushes_of_one_terminal_is_one_line() {
    let mut server = Server::new();
    let mut till = desk(&mut server);
    let key = Till::signer(1).public_key();
    let mut requests = Vec::new();
    for seq in 1..=5 {
        till.top_up(tag(1), 100);
        let checked = engine::check_push(till.push_from(seq), &key).unwrap();
        requests.push(Request::Push(Box::new(checked.clone())));
        requests.push(Request::Push(Box::new(checked)));
    }
    let replies = server.engine.process(NOW, &requests).unwrap();
    for (reply, seq) in replies.chunks(2).zip(1..) {
        for one in reply {
            let Reply::Push(push) = one else { panic!() };
            all_durable(&push.result, seq);
        }
    }
    assert_eq!(server.money(tag(1)), 500);
}

#[test]
fn a_hole_is_answered_with_where_to_go_on() {
    let mut server = Server::new();
    let mut till = desk(&mut server);
    for _ in 0..4 {
        till.top_up(tag(1), 100);
    }
    assert_eq!(server.push(till.push_from(3)), PushResult::Gap { expected_seq: 1 });
    assert_eq!(server.money(tag(1)), 0);
    all_durable(&server.push(till.push_from(1)), 4);
}

#[test]
fn a_restored_phone_gets_a_new_epoch_and_what_it_sold_since_is_booked_in_a_branch() {
    let mut server = Server::new();
    let mut till = desk(&mut server);
    till.top_up(tag(1), 100);
    till.top_up(tag(1), 100);
    let backup = till.clone();
    till.top_up(tag(1), 100);
    all_durable(&server.push(till.push_from(1)), 3);

    // The backup is played back and sells on before it meets the server.
    let mut restored = Till { next: 100, ..backup };
    restored.top_up(tag(2), 700);
    restored.top_up(tag(2), 700);
    let greeting = server.hello(&restored);
    assert_eq!(
        greeting.durable_seq, 3,
        "it cannot tell yet: the terminal has as many entries or more"
    );
    let PushResult::Durable {
        durable_seq: 4,
        branch: 1,
        fork: Some((3, next)),
        ..
    } = server.push(restored.push_from(3))
    else {
        panic!()
    };
    assert_eq!((next.epoch, next.previous_seq), (2, 3));
    assert_eq!(
        (server.money(tag(1)), server.money(tag(2))),
        (300, 1_400),
        "both lines are booked"
    );
    assert!(server.case_kinds().contains(&CaseKind::Fork));
    let row = server.engine.terminals().find(|row| row.id == till.id).unwrap();
    assert_eq!((row.state, row.epoch), (TerminalState::Quarantined, next));

    // Both lines may be sent again, and the branch goes on until the terminal changes over.
    all_durable(&server.push(till.push_from(1)), 3);
    restored.top_up(tag(2), 1);
    let PushResult::Durable {
        durable_seq: 5,
        branch: 1,
        fork: None,
        ..
    } = server.push(restored.push_from(4))
    else {
        panic!()
    };
    assert_eq!(server.money(tag(2)), 1_401);
    let greeting = server.hello(&restored);
    assert_eq!(greeting.new_epoch, Some(next));
}

#[test]
fn a_phone_that_lost_its_tail_is_told_to_start_anew_and_the_announced_loss_is_a_case() {
    let mut server = Server::new();
    let mut till = desk(&mut server);
    till.top_up(tag(1), 100);
    let backup = till.clone();
    till.top_up(tag(1), 100);
    server.push(till.push_from(1));
    till.top_up(tag(1), 100);
    till.top_up(tag(1), 100);
    server.hello(&till);
    let greeting = server.hello(&backup);
    let next = greeting.new_epoch.unwrap();
    assert_eq!(
        (next.epoch, next.previous_seq, next.previous_head),
        (2, 2, till.entries[1].1)
    );
    let missing = server
        .cases()
        .into_iter()
        .find(|case| case.case.case.kind == CaseKind::EntriesMissing)
        .unwrap();
    assert_eq!(missing.case.case.number, Some(2));
    // The grant was lost on its way: the same one again.
    assert_eq!(server.hello(&backup).new_epoch, Some(next));
    let mut anew = Till {
        epoch: next,
        entries: Vec::new(),
        next: 100,
        ..backup
    };
    anew.top_up(tag(3), 100);
    all_durable(&server.push(anew.push_from(1)), 1);
    assert_eq!(server.hello(&anew).new_epoch, None);
    // The entries that were missing come after all: nothing is refused.
    all_durable(&server.push(till.push_from(3)), 4);
    assert_eq!(server.money(tag(1)), 400);
}

#[test]
fn a_server_restored_from_an_older_backup_gets_everything_back_from_its_tills() {
    let mut server = Server::new();
    let mut till = desk(&mut server);
    till.top_up(tag(1), 100);
    server.push(till.push_from(1));
    let backup = server.store.snapshot();
    till.top_up(tag(1), 100);
    till.top_up(tag(1), 100);
    server.push(till.push_from(2));
    let mut late = till_that_books(&mut server, &[OrderKind::TopUp], 7);
    late.top_up(tag(2), 500);
    server.push(late.push_from(1));

    server.store.restore(&backup);
    server.store.mark_restored(2);
    let mut server = server.restarted();
    assert_eq!(server.engine.incarnation(), 2);
    let greeting = server.hello(&till);
    assert_eq!(
        (greeting.durable_seq, greeting.durable_head, greeting.new_epoch),
        (1, till.entries[0].1, None)
    );
    all_durable(&server.push(till.push_from(2)), 3);
    assert_eq!(server.hello(&late).durable_seq, 0);
    all_durable(&server.push(late.push_from(1)), 1);
    assert_eq!((server.money(tag(1)), server.money(tag(2))), (300, 500));
    assert_eq!(server.case_kinds(), [CaseKind::TerminalReadopted]);
    let before = server.engine.config().version;
    server.engine.new_generation(NOW).unwrap();
    assert!(server.engine.config().version.generation > before.generation);
}

#[test]
fn an_epoch_the_restored_server_never_issued_is_accepted_with_a_case() {
    let mut server = Server::new();
    let till = desk(&mut server);
    let next = shared_protocol::chain::EpochStart {
        epoch: 4,
        previous_seq: 8,
        previous_head: Hash32([8; 32]),
    };
    let mut anew = Till { epoch: next, ..till };
    anew.top_up(tag(1), 100);
    server.hello(&anew);
    all_durable(&server.push(anew.push_from(1)), 1);
    assert_eq!(server.case_kinds(), [CaseKind::UnknownEpoch]);
    assert_eq!(server.hello(&anew).new_epoch, None);
}

#[test]
fn a_frame_damaged_on_its_way_is_asked_for_again_and_never_takes_the_place_of_the_true_one() {
    let mut server = Server::new();
    let mut till = desk(&mut server);
    till.top_up(tag(1), 100);
    let mut damaged = till.push_from(1);
    damaged.head.signature.bytes = Bytes(vec![7; 64]);
    assert_eq!(server.push(damaged), PushResult::Gap { expected_seq: 1 });
    all_durable(&server.push(till.push_from(1)), 1);
    assert_eq!((server.money(tag(1)), server.case_kinds()), (100, vec![]));
}

#[test]
fn entries_that_are_never_signed_are_kept_raw_and_do_not_block_the_queue() {
    let mut server = Server::new();
    let mut till = desk(&mut server);
    till.top_up(tag(1), 100);
    let mut forged = till.push_from(1);
    forged.head.signature.bytes = Bytes(vec![7; 64]);
    for _ in 1..SIGNATURE_ATTEMPTS_MAX {
        assert_eq!(server.push(forged.clone()), PushResult::Gap { expected_seq: 1 });
    }
    let PushResult::Durable { durable_seq: 1, .. } = server.push(forged) else {
        panic!()
    };
    assert_eq!(
        (server.money(tag(1)), server.case_kinds()),
        (0, vec![CaseKind::BadSignature])
    );
    till.top_up(tag(1), 250);
    all_durable(&server.push(till.push_from(2)), 2);
    assert_eq!(server.money(tag(1)), 250);
}

fn slot(confirm: bool) -> Slot {
    let id = SlotId([5; 16]);
    let till = *sample::config().tills.keys().next().unwrap();
    Slot {
        id,
        event: sample::EVENT,
        till,
        secret: secret_digest(id, &[1; 16]),
        expires_at_ms: NOW + 1_000,
        confirm,
        state: SlotState::Open,
    }
}

fn register(seed: u8, secret: u8) -> (Request, Hash32) {
    let (nonce, id) = (Hash32([seed; 32]), SlotId([5; 16]));
    let signer = Till::signer(seed);
    let key = signer.public_key();
    let proof = signer.sign(&register_message(&nonce, id, &key)).unwrap();
    let register = Box::new(Register {
        slot: id,
        secret: Bytes(vec![secret; 16]),
        key,
        device: "phone".to_owned(),
        proof,
    });
    (
        Request::Register {
            register,
            nonce,
            terminal: TerminalId([seed; 16]),
        },
        nonce,
    )
}

#[test]
fn of_two_devices_racing_for_one_slot_exactly_one_becomes_the_terminal() {
    let mut server = Server::new();
    server.ask(Request::OpenSlot(Box::new(slot(false))));
    let (wrong, first, second) = (register(3, 2).0, register(3, 1).0, register(4, 1).0);
    let replies = server
        .engine
        .process(NOW, &[wrong, first.clone(), second.clone()])
        .unwrap();
    assert!(matches!(replies[0], Reply::Register(Known::Denied(Denied::Wrong))));
    let Reply::Register(Known::Registered { terminal, certificate }) = &replies[1] else {
        panic!()
    };
    assert_eq!(
        certificate.read(&server.engine.config_key()).unwrap().terminal,
        terminal.id
    );
    assert!(matches!(replies[2], Reply::Register(Known::Denied(Denied::Used))));
    let mut server = server.restarted();
    assert!(matches!(
        server.ask(second),
        Reply::Register(Known::Denied(Denied::Used))
    ));
    let Reply::Register(Known::Registered { terminal: again, .. }) = server.ask(first) else {
        panic!()
    };
    assert_eq!(again.id, terminal.id, "a lost answer is given again");
}

#[test]
fn a_person_confirms_the_code_on_both_screens() {
    let mut server = Server::new();
    server.ask(Request::OpenSlot(Box::new(slot(true))));
    let Reply::Register(Known::Pending { code }) = server.ask(register(3, 1).0) else {
        panic!()
    };
    let confirm = |code: &str| Request::Confirm {
        slot: SlotId([5; 16]),
        code: code.to_owned(),
        terminal: TerminalId([8; 16]),
    };
    assert!(matches!(
        server.ask(confirm("x")),
        Reply::Register(Known::Denied(Denied::Wrong))
    ));
    let mut server = server.restarted();
    let Reply::Register(Known::Registered { terminal, .. }) = server.ask(confirm(&code)) else {
        panic!()
    };
    assert_eq!(terminal.id, TerminalId([8; 16]));
    assert!(matches!(
        server.ask(confirm(&code)),
        Reply::Register(Known::Denied(Denied::Used))
    ));
    server.now_ms += 2_000;
    let mut late = Server::new();
    late.ask(Request::OpenSlot(Box::new(slot(false))));
    late.now_ms += 1_000;
    assert!(matches!(
        late.ask(register(3, 1).0),
        Reply::Register(Known::Denied(Denied::Expired))
    ));
}
