//! A real server against frames that no terminal would send, and against terminals that come back.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use e2e::{RawClient, Server};
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::crypto::Hash32;
use shared_protocol::ids::Bytes;
use shared_protocol::limits::FRAME_FROM_TERMINAL_MAX_BYTES;
use shared_protocol::message::{
    Authorise, Envelope, ErrorCode, FLAG_OPTIONAL, HelloBody, Message, Ping, Query, RegisterPending, SnapshotRequest,
};
use shared_protocol::order::OrderKind;
use shared_protocol::stream::{Copy, Cursor, Stream, Version};
use shared_protocol::{Amount, CartId, RequestId, TerminalId, encode};

fn desk(seed: u8) -> PaperTill {
    PaperTill::that_books(&[OrderKind::TopUp], seed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pushed_top_up_is_acknowledged_seen_by_others_and_there_after_a_restart() {
    let server = Server::start().await;
    let mut till = desk(1);
    let (mut client, welcome) = server.enter(&till).await;
    assert_eq!((welcome.durable_seq, welcome.new_epoch), (0, None));
    let tag = sample::wristband(1);
    till.top_up(tag, 2_000);
    let Message::Ack(ack) = client.push(till.push_from(1)).await else {
        panic!()
    };
    assert_eq!((ack.durable_seq, ack.branch, ack.notes.len()), (1, None, 0));
    let Message::QueryResult(result) = client
        .ask(Query {
            request: RequestId([1; 16]),
            tag,
        })
        .await
    else {
        panic!()
    };
    assert_eq!((result.free, result.blocked), (Amount(2_000), None));
    let ask = Authorise {
        request: RequestId([2; 16]),
        cart: CartId([2; 16]),
        tag,
        amount: Amount(1_500),
    };
    let Message::AuthoriseResult(yes) = client.ask(ask).await else {
        panic!()
    };
    assert!(yes.hold.is_some() && yes.free == Amount(500));

    let server = server.restart().await;
    let certificate = server
        .instance
        .reader()
        .unwrap()
        .terminal(till.id)
        .unwrap()
        .map(|row| row.key);
    assert_eq!(
        certificate,
        Some(shared_protocol::crypto::Signer::public_key(&PaperTill::signer(1)))
    );
    let mut again = RawClient::connect(server.instance.address).await;
    let hello = till.hello(server.register(&desk(9)).await);
    // The certificate of somebody else does not matter: the terminal is known by its key.
    let Message::Welcome(welcome) = again.hello(&hello, 1).await else {
        panic!()
    };
    assert_eq!((welcome.durable_seq, welcome.durable_head), (1, till.head()));
    server.assert_books(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_frames_end_the_connection_with_a_reason_and_harm_nobody() {
    let server = Server::start().await;
    let mut till = desk(1);
    let certificate = server.register(&till).await;
    let mut good = till.clone();
    good.top_up(sample::wristband(1), 100);
    let push = Message::from(good.push_from(1)).frame();
    let frames: Vec<Vec<u8>> = vec![
        Vec::new(),
        vec![0xff; 40],
        vec![0x81; 2_000],
        push[..push.len() - 1].to_vec(),
        [push.clone(), vec![0]].concat(),
        vec![0xbf, 0x00, 0x03, 0xff],
    ];
    for frame in frames {
        let (mut client, _) = server.enter_with(&till, certificate.clone()).await;
        client.send_bytes(frame).await;
        assert_eq!(client.fatal().await.code, ErrorCode::BadFrame);
    }
    let (mut client, _) = server.enter_with(&till, certificate.clone()).await;
    client.send_bytes(vec![0; FRAME_FROM_TERMINAL_MAX_BYTES + 1]).await;
    assert_eq!(client.next().await, None, "an oversized frame is not even read");
    let (mut client, _) = server.enter_with(&till, certificate).await;
    till.top_up(sample::wristband(1), 100);
    assert!(matches!(client.push(till.push_from(1)).await, Message::Ack(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_kinds_are_ignored_or_named_and_the_connection_goes_on() {
    let server = Server::start().await;
    let till = desk(1);
    let (mut client, _) = server.enter(&till).await;
    let unknown = |flags| {
        encode(&Envelope {
            kind: 9_999,
            flags,
            body: Bytes(vec![0x80]),
        })
    };
    client.send_bytes(unknown(FLAG_OPTIONAL)).await;
    client.send_bytes(unknown(0)).await;
    let Some(Message::Error(error)) = client.next().await else {
        panic!()
    };
    assert_eq!((error.code, error.fatal), (ErrorCode::UnsupportedKind, false));
    client.send(Ping { no: 1, server_ms: 0 }).await;
    let Some(Message::Error(error)) = client.next().await else {
        panic!()
    };
    assert_eq!((error.code, error.fatal), (ErrorCode::Order, false));
    let query = Query {
        request: RequestId([1; 16]),
        tag: sample::wristband(1),
    };
    assert!(matches!(client.ask(query).await, Message::QueryResult(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_who_he_says_does_not_come_in() {
    let server = Server::start().await;
    let till = desk(1);
    let certificate = server.register(&till).await;
    let refused = async |hello: HelloBody, seed: u8| {
        let mut client = RawClient::connect(server.instance.address).await;
        match client.hello(&hello, seed).await {
            Message::Error(error) => error.code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        refused(till.hello(certificate.clone()), 2).await,
        ErrorCode::BadSignature
    );
    let stranger = HelloBody {
        terminal: TerminalId([77; 16]),
        ..till.hello(certificate.clone())
    };
    assert_eq!(refused(stranger, 1).await, ErrorCode::UnknownTerminal);
    let newer = HelloBody {
        proto_min: 2,
        proto_max: 3,
        ..till.hello(certificate.clone())
    };
    assert_eq!(refused(newer, 1).await, ErrorCode::Version);
    let mut forged = desk(2).certificate(&PaperTill::signer(66));
    forged.signature = certificate.signature.clone();
    let unknown = desk(2).hello(forged);
    assert_eq!(refused(unknown, 2).await, ErrorCode::UnknownTerminal);
    // An old hello cannot be replayed: it is signed over another nonce.
    let mut first = RawClient::connect(server.instance.address).await;
    let old = first.challenge.nonce;
    first.challenge.nonce = Hash32([1; 32]);
    let Message::Error(error) = first.hello(&till.hello(certificate.clone()), 1).await else {
        panic!()
    };
    assert_eq!(error.code, ErrorCode::BadSignature);
    assert_ne!(old, RawClient::connect(server.instance.address).await.challenge.nonce);
    // A push before the hello.
    let mut early = RawClient::connect(server.instance.address).await;
    early.send(RegisterPending { code: String::new() }).await;
    assert_eq!(early.fatal().await.code, ErrorCode::Order);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_connection_of_a_terminal_takes_over() {
    let server = Server::start().await;
    let till = desk(1);
    let certificate = server.register(&till).await;
    let (mut first, _) = server.enter_with(&till, certificate.clone()).await;
    let (mut second, _) = server.enter_with(&till, certificate).await;
    assert_eq!(first.fatal().await.code, ErrorCode::Replaced);
    let query = Query {
        request: RequestId([1; 16]),
        tag: sample::wristband(1),
    };
    assert!(matches!(second.ask(query).await, Message::QueryResult(_)));
    assert_eq!(server.instance.hub.connected(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_comes_down_signed_and_whole() {
    let server = Server::start().await;
    let till = desk(1);
    let certificate = server.register(&till).await;
    let mut client = RawClient::connect(server.instance.address).await;
    let cursors = vec![Cursor {
        stream: Stream::Config,
        version: Version::default(),
    }];
    let hello = HelloBody {
        cursors,
        ..till.hello(certificate)
    };
    assert!(matches!(client.hello(&hello, 1).await, Message::Welcome(_)));
    let copy = take_snapshot(&mut client, &server).await;
    let config = shared_protocol::config::Config::read(&copy).unwrap();
    assert_eq!(config, sample::config());
    client.send(SnapshotRequest { stream: Stream::Config }).await;
    assert_eq!(take_snapshot(&mut client, &server).await, copy);
}

async fn take_snapshot(client: &mut RawClient, server: &Server) -> Copy {
    let Some(Message::SnapshotBegin(begin)) = client.next().await else {
        panic!()
    };
    let mut bytes = Vec::new();
    loop {
        match client.next().await {
            Some(Message::SnapshotChunk(chunk)) => bytes.extend(chunk.bytes.0),
            Some(Message::SnapshotEnd(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    let mut copy = Copy::default();
    copy.apply(&server.instance.config_key, sample::EVENT, &begin.step, &bytes)
        .unwrap();
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_registers_over_the_wire_when_a_person_confirms_its_code() {
    let server = Server::start().await;
    let till = desk(1);
    let slot = server.instance.open_slot(till.till, true).await.unwrap();
    let mut client = RawClient::connect(server.instance.address).await;
    let nonce = client.challenge.nonce;
    let Message::RegisterPending(pending) = client.ask(till.register(slot.id, &slot.secret, &nonce)).await else {
        panic!()
    };
    let confirm = engine::Request::Confirm {
        slot: slot.id,
        code: pending.code,
        terminal: TerminalId([3; 16]),
    };
    let engine::Reply::Register(known) = server.instance.ask(confirm).await.unwrap() else {
        panic!()
    };
    server.instance.hub.confirmed(slot.id, known);
    let Some(Message::Registered(registered)) = client.next().await else {
        panic!()
    };
    let registration = registered.certificate.read(&server.instance.config_key).unwrap();
    assert_eq!(
        (registration.terminal, registration.till),
        (TerminalId([3; 16]), till.till)
    );
    let mut late = RawClient::connect(server.instance.address).await;
    let nonce = late.challenge.nonce;
    late.send(desk(2).register(slot.id, &slot.secret, &nonce)).await;
    assert_eq!(late.fatal().await.code, ErrorCode::Registration);
}

#[tokio::test]
async fn who_trickles_bytes_of_a_request_gives_way_and_harms_nobody() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let server = Server::start().await;
    let mut slow = tokio::net::TcpStream::connect(server.instance.address).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\nX: ")
        .await
        .unwrap();
    let (mut from, mut to) = slow.into_split();
    let trickle = tokio::spawn(async move {
        while to.write_all(b"x").await.is_ok() {
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        }
    });
    let mut said = Vec::new();
    let ended = tokio::time::timeout(std::time::Duration::from_mins(1), from.read_to_end(&mut said)).await;
    assert!(ended.is_ok(), "the connection is still open after a minute");
    trickle.abort();
    let mut other = tokio::net::TcpStream::connect(server.instance.address).await.unwrap();
    other
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
