//! Event days that are over are closed by a running server, and what comes late goes into a supplement.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use e2e::{RawClient, Server};
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::message::Message;
use shared_protocol::order::OrderKind;
use store::{ClosedItem, ClosingRow};
use sync::writer::now_ms;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

async fn pushed(client: &mut RawClient, till: &PaperTill, from: u64) {
    let answer = client.push(till.push_from(from)).await;
    assert!(matches!(answer, Message::Ack(_)), "{answer:?}");
}

/// Waits until so many orders came off.
async fn came_off(server: &Server, orders: u64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while server.instance.reader().unwrap().signed_to().unwrap() < orders {
        assert!(tokio::time::Instant::now() < deadline, "orders wait to be signed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits for closings.
async fn closings(server: &Server, count: usize) -> Vec<ClosingRow> {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let rows = server.instance.reader().unwrap().closings(1, 99).unwrap();
        if rows.len() >= count {
            return rows;
        }
        assert!(tokio::time::Instant::now() < deadline, "only {rows:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn days_that_are_over_are_closed_and_late_orders_go_into_a_supplement() {
    let server = Server::start().await;
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let certificate = server.register(&till).await;
    let (mut client, _) = server.enter_with(&till, certificate.clone()).await;
    let now = now_ms();
    for (days_ago, count) in [(4, 2), (3, 1), (0, 1)] {
        till.wall_ms = now - days_ago * DAY_MS;
        for _ in 0..count {
            till.top_up(sample::wristband(1), 500);
        }
    }
    pushed(&mut client, &till, 1).await;
    drop(client);
    came_off(&server, 4).await;

    // A server that starts looks at once.
    let server = server.restart().await;
    let rows = closings(&server, 2).await;
    let said: Vec<_> = rows
        .iter()
        .map(|row| (row.z_no, row.receipts, row.first_receipt, row.supplement))
        .collect();
    assert_eq!(
        said,
        [(1, 2, 1, false), (2, 1, 3, false)],
        "the day that lasts stays open"
    );
    assert!(rows[0].day < rows[1].day);
    let items = server.instance.reader().unwrap().closed_items(1, 1, 9).unwrap();
    assert_eq!(items, [(1, ClosedItem::Order(1)), (2, ClosedItem::Order(2))]);

    let (mut client, _) = server.enter_with(&till, certificate).await;
    till.wall_ms = now - 4 * DAY_MS;
    till.top_up(sample::wristband(2), 700);
    pushed(&mut client, &till, 5).await;
    drop(client);
    came_off(&server, 5).await;
    let server = server.restart().await;
    let later = closings(&server, 3).await;
    assert_eq!(later[..2], rows, "a closing is never changed");
    assert_eq!(
        (later[2].z_no, later[2].day, later[2].supplement, later[2].first_receipt),
        (3, rows[0].day, true, 4)
    );
    let data = server.dir.path().to_owned();
    server.instance.stop().await.unwrap();
    their_export_holds(&data, later.len() as u64);
}

/// The export of the closings has nothing that its checker finds, and names each.
fn their_export_holds(data: &Path, closings: u64) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("audit");
    let export = groschen(&["export", "dsfinvk", "--json", "--out", text(&out), "--data", text(data)]);
    let said = String::from_utf8_lossy(&export.stdout).into_owned();
    assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
    let said: serde_json::Value = serde_json::from_str(said.trim()).unwrap();
    assert_eq!((&said["closings"], &said["receipts"]), (&closings.into(), &4.into()));
    let checked = groschen(&["verify", "dsfinvk", said["folder"].as_str().unwrap(), "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(
        (&report["errors"], &report["warnings"]),
        (&0.into(), &0.into()),
        "{report}"
    );
    let again = groschen(&["export", "dsfinvk", "--out", text(&out), "--data", text(data)]);
    assert!(!again.status.success(), "an export is not mixed with another one");
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn groschen(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groschen"));
    command.args(arguments).env_remove("GROSCHEN_DATA").output().unwrap()
}
