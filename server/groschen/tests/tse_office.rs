//! A running server whose admin moves a till and takes a TSE out of service while it sells, and exports what was signed.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use console::{Exports as _, NotTaken, SignerView as _, TseOrder};
use e2e::{RawClient, Server};
use fiscal::signer::{Refused, client_of};
use fixtures::paper::PaperTill;
use fixtures::sample;
use groschen::instance::Instance;
use groschen::settings::Settings;
use groschen::signing;
use shared_protocol::message::Message;
use shared_protocol::order::OrderKind;
use store::{ExportKind, ExportRange, ExportRow, ExportState, RetiredRow, SigningState, TseNo, WishRow};
use sync::writer::now_ms;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const PATIENCE: Duration = Duration::from_secs(40);

/// Waits for something that a server does by itself.
async fn until<T>(mut look: impl FnMut() -> Option<T>, what: &str) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn sold(client: &mut RawClient, till: &mut PaperTill, count: u32) {
    let from = till.seq() + 1;
    for number in 1..=count {
        till.wall_ms = now_ms();
        till.top_up(sample::wristband(number), 500);
    }
    let answer = client.push(till.push_from(from)).await;
    assert!(matches!(answer, Message::Ack(_)), "{answer:?}");
}

fn home(server: &Server, client: &str) -> Option<TseNo> {
    let clients = server.instance.reader().unwrap().clients().unwrap();
    clients.into_iter().find(|row| row.client == client).map(|row| row.tse)
}

fn wish(client: &str, taxpayer: shared_protocol::TaxpayerId, tse: TseNo) -> TseOrder {
    TseOrder::Wish(WishRow {
        client: client.to_owned(),
        taxpayer,
        tse: Some(tse),
        pinned: false,
        asked_at_ms: now_ms(),
        by: "ada".to_owned(),
    })
}

fn retire(tse: TseNo, forced: bool) -> TseOrder {
    TseOrder::Retire(RetiredRow {
        tse,
        at_ms: now_ms(),
        by: "ada".to_owned(),
        why: "worn out".to_owned(),
        forced,
        done_ms: None,
        left_open: 0,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_till_moves_and_a_tse_goes_out_of_service_under_load_and_every_order_is_signed() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings {
        signing: signing::Settings {
            count: 2,
            ..signing::Settings::default()
        },
        ..e2e::settings(dir.path())
    };
    let instance = Instance::start(&settings, true).await.unwrap();
    let server = Server { dir, instance };
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let taxpayer = till.config.home_taxpayer(till.till).unwrap();
    let name = client_of(sample::EVENT, till.till);
    let certificate = server.register(&till).await;
    let (mut client, _) = server.enter_with(&till, certificate.clone()).await;
    sold(&mut client, &mut till, 5).await;
    let first = until(|| home(&server, &name), "the till has a TSE").await;
    let second = TseNo(3 - first.0);
    let state = server.instance.signer();
    // A board is put up without anybody asking.
    until(|| (state.board().units.len() == 2).then_some(()), "a board").await;

    let refused = state.ask(wish(&name, taxpayer, TseNo(9))).await;
    assert_eq!(refused, Err(NotTaken::Refused(Refused::NoTse(TseNo(9)))));
    state.ask(wish(&name, taxpayer, second)).await.unwrap();
    let mut moved = false;
    for _ in 0..60 {
        sold(&mut client, &mut till, 3).await;
        moved = moved || home(&server, &name) == Some(second);
        tokio::time::sleep(Duration::from_millis(100)).await;
        if moved {
            break;
        }
    }
    assert!(moved || until(|| (home(&server, &name) == Some(second)).then_some(true), "it moves").await);
    assert!(
        server.instance.reader().unwrap().wishes().unwrap().is_empty(),
        "the wish is over"
    );

    state.ask(retire(second, false)).await.unwrap();
    let before: BTreeSet<u64> = {
        let rows = server
            .instance
            .reader()
            .unwrap()
            .transactions(second, 0, 10_000)
            .unwrap();
        rows.into_iter().map(|row| row.transaction).collect()
    };
    sold(&mut client, &mut till, 20).await;
    let retired = || {
        let rows = server.instance.reader().unwrap().retired().unwrap();
        rows.into_iter().find(|row| row.done_ms.is_some())
    };
    let done = until(retired, "it goes out of service").await;
    assert_eq!((done.tse, done.left_open), (second, 0));
    sold(&mut client, &mut till, 5).await;
    let orders = till.seq();
    until(
        || (server.instance.reader().unwrap().signed_to().unwrap() >= orders).then_some(()),
        "all come off",
    )
    .await;
    let mut reader = server.instance.reader().unwrap();
    for no in 1..=orders {
        let row = reader.signing(no).unwrap().unwrap();
        assert_eq!(row.state, SigningState::Signed, "{row:?}");
    }
    let begun_after = reader.transactions(second, 0, 10_000).unwrap();
    let late = begun_after.iter().filter(|row| !before.contains(&row.transaction));
    assert!(late.count() <= 32, "no more than what was under way");
    assert_eq!(reader.open_transactions().unwrap(), []);
    assert_eq!(home(&server, &name), Some(first));
    let last = state.ask(retire(first, false)).await;
    assert_eq!(last, Err(NotTaken::Refused(Refused::NoOther(first))));
    drop(client);

    // After a restart it stays out of service.
    server.instance.stop().await.unwrap();
    let instance = Instance::start(&settings, true).await.unwrap();
    let server = Server {
        dir: server.dir,
        instance,
    };
    let (mut client, _) = server.enter_with(&till, certificate).await;
    sold(&mut client, &mut till, 3).await;
    let orders = till.seq();
    until(
        || (server.instance.reader().unwrap().signed_to().unwrap() >= orders).then_some(()),
        "all come off",
    )
    .await;
    let row = server.instance.reader().unwrap().signing(orders).unwrap().unwrap();
    assert_eq!((row.state, row.tse), (SigningState::Signed, first));
    drop(client);
    server.instance.stop().await.unwrap();
}

const fn range(kind: ExportKind, version: String) -> ExportRange {
    ExportRange {
        kind,
        taxpayer: None,
        tse: None,
        from_day: 0,
        until_day: u32::MAX,
        version,
        staff_names: false,
    }
}

fn export(server: &Server, id: u64) -> ExportRow {
    let rows = server.instance.reader().unwrap().exports(Some(id + 1), 1).unwrap();
    rows.into_iter().next().unwrap()
}

async fn exported(server: &Server, id: u64) -> ExportRow {
    let ended = || Some(export(server, id)).filter(|row| row.state != ExportState::Running);
    until(ended, "the export ends").await
}

#[tokio::test(flavor = "multi_thread")]
async fn exports_are_made_in_the_background_checked_packed_and_handed_out_whole() {
    let server = Server::start().await;
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let certificate = server.register(&till).await;
    let (mut client, _) = server.enter_with(&till, certificate).await;
    till.wall_ms = now_ms() - 3 * DAY_MS;
    for number in 1..=4 {
        till.top_up(sample::wristband(number), 500);
    }
    till.wall_ms = now_ms();
    till.top_up(sample::wristband(1), 500);
    let answer = client.push(till.push_from(1)).await;
    assert!(matches!(answer, Message::Ack(_)), "{answer:?}");
    drop(client);
    let closed = || (!server.instance.reader().unwrap().closings(1, 9).unwrap().is_empty()).then_some(());
    until(closed, "the day is closed").await;
    let signed = || (server.instance.reader().unwrap().signed_to().unwrap() >= 5).then_some(());
    until(signed, "all come off").await;

    let exports = server.instance.exports();
    let books = exports
        .start(range(ExportKind::Dsfinvk, "2.4".to_owned()), "finn".to_owned())
        .await
        .unwrap();
    let tse = exports
        .start(range(ExportKind::Tse, String::new()), "finn".to_owned())
        .await
        .unwrap();
    let (books, tse) = (exported(&server, books).await, exported(&server, tse).await);
    assert_eq!(
        (books.state, books.errors, &books.says),
        (ExportState::Done, 0, &String::new()),
        "{books:?}"
    );
    assert_eq!(books.items, 4);
    assert_eq!((tse.state, tse.errors), (ExportState::Done, 0), "{tse:?}");
    for row in [&books, &tse] {
        let mut bytes = Vec::new();
        exports.open(row).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len() as u64, row.bytes);
        let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
        assert_eq!(Some(digest.as_ref()), row.sha256.as_ref().map(|sha256| &sha256[..]));
        let folder = tempfile::tempdir().unwrap();
        let path = server.dir.path().join("exports").join(&row.file);
        ::exports::unpack(File::open(path).unwrap(), folder.path(), ::exports::Limits::default()).unwrap();
        assert!(std::fs::read_dir(folder.path()).unwrap().count() > 0);
    }
    let none = ExportRange {
        from_day: 20_990_101,
        ..range(ExportKind::Dsfinvk, "2.4".to_owned())
    };
    let failed = exports.start(none, "finn".to_owned()).await.unwrap();
    let failed = exported(&server, failed).await;
    assert!(
        failed.state == ExportState::Failed && failed.says.contains("no closing"),
        "{failed:?}"
    );
    exports.delete(books.clone(), "ada".to_owned()).await.unwrap();
    assert!(exports.open(&books).is_err() && export(&server, books.id).deleted.is_some());

    // A server that is gone in the middle leaves a row and some bytes; neither is taken for an export.
    let begun = ExportRow::begun(9, range(ExportKind::Tse, String::new()), "finn".to_owned(), now_ms());
    let office = store::Office {
        exports: vec![begun],
        ..store::Office::default()
    };
    server
        .instance
        .ask(engine::Request::Office(Box::new(office)))
        .await
        .unwrap();
    let left = server.dir.path().join("exports/9.part");
    std::fs::create_dir_all(&left).unwrap();
    let server = server.restart().await;
    assert_eq!(export(&server, 9).state, ExportState::Interrupted);
    assert!(!left.exists());
    let next = server
        .instance
        .exports()
        .start(range(ExportKind::Tse, String::new()), "finn".to_owned())
        .await
        .unwrap();
    assert_eq!(next, 10);
    exported(&server, next).await;
    server.instance.stop().await.unwrap();
}
