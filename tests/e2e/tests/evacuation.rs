//! A phone that cannot reach the server any more gives what it booked to another one, by a series of codes. It comes into the books once, whoever
//! brings it first and however often.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::path::Path;
use std::time::Duration;

use core_ffi::{Device, Endpoint, Hand, SqliteQueue, Till, TillInput, keys, virtual_reader};
use e2e::Server;
use fixtures::paper::PaperTill;
use fixtures::sample;
use groschen::audit;
use ledger::Account;
use shared_protocol::message::{Handover, HandoverAck, HandoverOutcome, Message};
use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::series::{Collector, texts};
use shared_protocol::stream::Stream;
use shared_protocol::{Amount, TagId, TerminalId, TillId};
use terminal::screen::{Notice, Page, Pill};
use terminal::{Action, Screen};

const PATIENCE: Duration = Duration::from_secs(30);

struct Phone {
    till: Till,
    hand: Hand,
}

fn switch_on(data: &Path, server: &Server) -> Phone {
    let queue = SqliteQueue::open(&data.join("queue.db"), None).unwrap();
    let url = format!("ws://{}{}", server.instance.address, sync::server::PATH);
    let device = Device {
        app: "test".to_owned(),
        signer: Box::new(keys::device_key(&data.join("device.key")).unwrap()),
        endpoint: Endpoint::new(&url, None).unwrap(),
        streams: vec![Stream::Config],
    };
    let till = Till::start(device, queue);
    let (hand, reader) = virtual_reader();
    till.attach(reader);
    Phone { till, hand }
}

impl Phone {
    async fn wait_for(&self, wanted: impl Fn(&Screen) -> bool) {
        let mut screens = self.till.screens();
        let found = screens.wait_for(|screen| screen.as_ref().is_some_and(|screen| wanted(screen)));
        tokio::time::timeout(PATIENCE, found).await.unwrap().unwrap();
    }

    async fn act(&self, action: Action) {
        self.till.input(TillInput::Act(action)).await;
    }

    async fn register(&self, server: &Server, till: TillId) {
        let slot = server.instance.open_slot(till, false).await.unwrap();
        let invitation = terminal::Invitation {
            slot: slot.id,
            secret: slot.secret,
            device: "phone".to_owned(),
            config_key: None,
        };
        self.till.input(TillInput::Register(invitation)).await;
        self.wait_for(|screen| screen.page == Page::LoggedOut).await;
        self.act(Action::Login {
            staff: sample::cashier_of(till),
        })
        .await;
        self.wait_for(|screen| screen.page == Page::Sale).await;
        self.wait_for(|screen| screen.pill == Pill::Online).await;
    }

    async fn cut(&self) {
        self.till.input(TillInput::Cut(true)).await;
        self.wait_for(|screen| matches!(screen.pill, Pill::Offline { .. }))
            .await;
    }

    async fn top_up(&self, tag: TagId, cents: i64) {
        self.act(Action::TopUp {
            amount: Amount(cents),
            method: TenderKind::Cash,
        })
        .await;
        self.hand.hold(tag).await;
        self.wait_for(|screen| matches!(&screen.notice, Notice::Done(done) if done.total == Amount(cents)))
            .await;
        self.hand.take_away().await;
        self.act(Action::Dismiss).await;
    }
}

fn money(server: &Server, number: u32) -> i64 {
    let mut reader = server.instance.reader().unwrap();
    let balance = reader.balance(sample::EVENT, sample::wristband(number)).unwrap();
    let of_wristband = balance
        .iter()
        .filter(|(key, _)| matches!(key.account, Account::Wristband { .. }));
    of_wristband.map(|(_, amount)| amount.0).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dying_phone_gave_to_another_is_booked_once_and_both_may_come_back() {
    let server = Server::start().await;
    let (dying_data, other_data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let till = PaperTill::that_books(&[OrderKind::TopUp], 1).till;
    let (mut dying, mut other) = (
        switch_on(dying_data.path(), &server),
        switch_on(other_data.path(), &server),
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
    assert_eq!((money(&server, 1), money(&server, 2)), (1_000, 0));

    // The other one is switched on where there is a network.
    let other = switch_on(other_data.path(), &server);
    other
        .wait_for(|screen| screen.pill == Pill::Online && screen.received.is_empty())
        .await;
    let all = |server: &Server| [1, 2, 3].map(|number| money(server, number));
    assert_eq!(all(&server), [1_000, 2_000, 3_000]);

    // The dying one lives again, and its copy is handed over once more.
    let dying = switch_on(dying_data.path(), &server);
    dying.wait_for(|screen| screen.pill == Pill::Online).await;
    other.till.input(TillInput::Received(copies[0].bytes.clone())).await;
    other
        .wait_for(|screen| matches!(screen.notice, Notice::CopyReceived { .. }) && screen.received.is_empty())
        .await;
    assert_eq!(all(&server), [1_000, 2_000, 3_000]);
    dying.till.stop().await.unwrap();
    other.till.stop().await.unwrap();
    let mut reader = server.instance.reader().unwrap();
    assert_eq!(reader.cases(0, 10).unwrap(), []);
    let findings = audit::check(reader.as_mut()).unwrap();
    assert!(findings.clean() && findings.postings == 3, "{findings:?}");
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
    assert_eq!(money(&server, 1), 0);
    for _ in 0..2 {
        assert_eq!(
            hand_over(whole.clone()).await,
            (away.id, 1, 3, HandoverOutcome::Durable)
        );
    }
    assert_eq!([1, 2, 3].map(|number| money(&server, number)), [1_000; 3]);
    let mut reader = server.instance.reader().unwrap();
    assert_eq!(reader.cases(0, 10).unwrap(), [], "what was refused left nothing behind");
}
