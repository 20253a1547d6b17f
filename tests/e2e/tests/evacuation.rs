//! A phone that cannot reach the server any more gives what it booked to another one, by a series of codes. It comes into the books once, whoever
//! brings it first and however often.

use core_ffi::TillInput;
use e2e::{Crewed, Server};
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::message::{Handover, HandoverAck, HandoverOutcome, Message};
use shared_protocol::order::OrderKind;
use shared_protocol::series::{Collector, texts};
use shared_protocol::{Amount, TerminalId, TillId};
use terminal::Action;
use terminal::screen::{Notice, Page, Pill};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dying_phone_gave_to_another_is_booked_once_and_both_may_come_back() {
    let server = Server::start().await;
    let (dying_data, other_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let till = PaperTill::that_books(&[OrderKind::TopUp], 1).till;
    let (mut dying, mut other) = (
        Crewed::switch_on(dying_data.path(), &server),
        Crewed::switch_on(other_data.path(), &server),
    );
    dying.register(&server, till).await;
    other.register(&server, TillId(till.0 + 1)).await;
    dying.top_up(sample::wristband(1), 1_000).await;
    dying.wait_for(|screen| screen.pill == Pill::Online).await;
    dying.cut().await;
    other.cut().await;
    for (number, cents) in [(2, 2_000), (3, 3_000)] {
        dying.top_up(sample::wristband(number), cents).await;
    }

    // Screen to camera, the last code first and every code twice.
    let copies = dying.till.evacuate().await;
    assert_eq!(copies.len(), 1);
    dying.act(Action::CopyTaken).await;
    dying.act(Action::EndShift).await;
    dying.wait_for(|screen| screen.page == Page::LoggedOut).await;
    dying.till.pull_the_battery().await;
    let mut collector = Collector::default();
    let codes = texts(&copies[0].bytes).unwrap();
    let mut scanned = codes.iter().rev().flat_map(|code| [code, code]);
    let came = scanned.find_map(|code| collector.take(code).unwrap()).unwrap();
    assert_eq!(came, copies[0].bytes);
    other.till.input(TillInput::Received(came)).await;
    other
        .wait_for(|screen| {
            matches!(
                screen.notice,
                Notice::CopyReceived {
                    orders: 2,
                    total: Amount(5_000),
                    ..
                }
            )
        })
        .await;
    other.till.pull_the_battery().await;
    assert_eq!((server.money(1), server.money(2)), (1_000, 0));

    // The other one is switched on where there is a network.
    let other = Crewed::switch_on(other_data.path(), &server);
    other
        .wait_for(|screen| screen.pill == Pill::Online && screen.received.is_empty())
        .await;
    let all = || [1, 2, 3].map(|number| server.money(number));
    assert_eq!(all(), [1_000, 2_000, 3_000]);

    // The dying one lives again, and its copy is handed over once more.
    let dying = Crewed::switch_on(dying_data.path(), &server);
    dying.wait_for(|screen| screen.pill == Pill::Online).await;
    other.till.input(TillInput::Received(copies[0].bytes.clone())).await;
    other
        .wait_for(|screen| matches!(screen.notice, Notice::CopyReceived { .. }) && screen.received.is_empty())
        .await;
    assert_eq!(all(), [1_000, 2_000, 3_000]);
    dying.till.stop().await.unwrap();
    other.till.stop().await.unwrap();
    // And two shifts that began, and the one that ended.
    server.assert_books(6);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_takes_what_its_terminal_signed_and_says_why_it_does_not_take_the_rest() {
    let server = Server::start().await;
    let desk = |seed| PaperTill::that_books(&[OrderKind::TopUp], seed);
    let (mut away, here) = (desk(1), desk(2));
    server.register(&away).await;
    let (mut client, _) = server.enter(&here).await;
    for number in 1..=3 {
        away.top_up(sample::wristband(number), 1_000);
    }
    let mut hand_over = async |push| match client.ask(Handover { push }).await {
        Message::HandoverAck(HandoverAck {
            terminal,
            epoch,
            seq,
            outcome,
        }) => (terminal, epoch, seq, outcome),
        other => panic!("no answer but {other:?}"),
    };
    let whole = away.push_from(1);
    let late = away.push_from(3);
    assert_eq!(hand_over(late).await, (away.id, 1, 3, HandoverOutcome::Gap));
    let mut changed = whole.clone();
    changed.entries.swap(0, 1);
    assert_eq!(hand_over(changed).await.3, HandoverOutcome::BadSignature);
    let mut stranger = whole.clone();
    stranger.terminal = TerminalId([0x66; 16]);
    assert_eq!(hand_over(stranger).await.3, HandoverOutcome::UnknownTerminal);
    assert_eq!(server.money(1), 0);
    for _ in 0..2 {
        assert_eq!(
            hand_over(whole.clone()).await,
            (away.id, 1, 3, HandoverOutcome::Durable)
        );
    }
    assert_eq!([1, 2, 3].map(|number| server.money(number)), [1_000; 3]);
    let mut reader = server.instance.reader().unwrap();
    assert_eq!(reader.cases(0, 10).unwrap(), [], "what was refused left nothing behind");
}
