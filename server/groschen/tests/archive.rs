//! What has to be kept: an archive that is made while the server runs, judged by its own verifiers, and what is found when somebody touched it.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use e2e::Server;
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::message::Message;
use shared_protocol::order::OrderKind;
use sync::writer::now_ms;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn groschen(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groschen"));
    command.args(arguments).env_remove("GROSCHEN_DATA").output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What `archive verify` says does not hold.
fn faults(archive: &Path) -> Vec<String> {
    let output = groschen(&["archive", "verify", text(archive), "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let faults: Vec<String> = serde_json::from_value(said["faults"].clone()).unwrap();
    assert_eq!(output.status.code(), Some(i32::from(!faults.is_empty())));
    faults
}

/// A server with a closed day.
async fn closed_day() -> Server {
    let server = Server::start().await;
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let certificate = server.register(&till).await;
    let (mut client, _) = server.enter_with(&till, certificate).await;
    till.wall_ms = now_ms() - 4 * DAY_MS;
    till.top_up(sample::wristband(1), 500);
    till.top_up(sample::wristband(2), 700);
    let answer = client.push(till.push_from(1)).await;
    assert!(matches!(answer, Message::Ack(_)), "{answer:?}");
    drop(client);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while server.instance.reader().unwrap().signed_to().unwrap() < 2 {
        assert!(tokio::time::Instant::now() < deadline, "orders wait to be signed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A server that starts looks at once.
    let server = server.restart().await;
    while server.instance.reader().unwrap().closings(1, 9).unwrap().is_empty() {
        assert!(
            tokio::time::Instant::now() < deadline + Duration::from_secs(20),
            "no closing"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_holds_everything_and_tells_what_was_touched() {
    let server = closed_day().await;
    let folder = tempfile::tempdir().unwrap();
    let (archive, data) = (folder.path().join("archive"), server.dir.path().to_owned());
    let made = groschen(&["archive", "make", "--data", text(&data), "--out", text(&archive)]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    for path in [
        "database/groschen.db",
        "dsfinvk/taxpayer-1/index.xml",
        "notification/aufzeichnung146a-1.xml",
        "procedures/procedures-de.html",
        "procedures/procedures-en.pdf",
        "outages.csv",
        "keys/event-public-key.txt",
        "README.md",
        "MANIFEST.sha256",
    ] {
        assert!(archive.join(path).is_file(), "{path}");
    }
    let logs = fs::read_dir(archive.join("tse")).unwrap().count();
    assert!(logs >= 2, "a log and its root");
    assert!(fs::read_dir(archive.join("configuration")).unwrap().count() >= 1);
    for secret in ["tse.key", "config.key"] {
        let bytes = fs::read(data.join(secret)).unwrap();
        for file in walk(&archive) {
            let content = fs::read(&file).unwrap();
            let is_in = content.windows(bytes.len()).any(|window| window == bytes);
            assert!(!is_in, "{secret} is in {}", file.display());
        }
    }
    assert_eq!(faults(&archive), [""; 0]);
    let again = groschen(&["archive", "make", "--data", text(&data), "--out", text(&archive)]);
    assert!(!again.status.success(), "an archive is not mixed with another one");

    let outages = archive.join("outages.csv");
    let before = fs::read(&outages).unwrap();
    fs::write(&outages, b"nothing happened").unwrap();
    fs::write(archive.join("dsfinvk/taxpayer-1/more.csv"), b"x").unwrap();
    let found = faults(&archive);
    assert!(found.contains(&"outages.csv was changed".to_owned()), "{found:?}");
    assert!(
        found.contains(&"dsfinvk/taxpayer-1/more.csv was added".to_owned()),
        "{found:?}"
    );
    fs::write(&outages, before).unwrap();
    fs::remove_file(archive.join("dsfinvk/taxpayer-1/more.csv")).unwrap();
    assert_eq!(faults(&archive), [""; 0]);
    let log = walk(&archive.join("tse"))
        .into_iter()
        .find(|path| path.extension().is_some_and(|is| is == "tar"));
    fs::remove_file(log.unwrap()).unwrap();
    assert_eq!(faults(&archive).len(), 1);
    server.instance.stop().await.unwrap();
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn the_notification_names_what_is_missing_and_procedures_tell_the_system() {
    let server = closed_day().await;
    let folder = tempfile::tempdir().unwrap();
    let data = server.dir.path().to_owned();
    let out = folder.path().join("notification");
    let written = groschen(&[
        "export",
        "notification",
        "--json",
        "--data",
        text(&data),
        "--out",
        text(&out),
    ]);
    assert_eq!(written.status.code(), Some(1), "a TSE in software cannot be notified");
    let said: serde_json::Value = serde_json::from_slice(&written.stdout).unwrap();
    assert!(said["missing"].as_array().unwrap().len() >= 3, "{said}");
    let xml = fs::read_to_string(out.join("aufzeichnung146a-1.xml")).unwrap();
    assert!(xml.contains("FEHLT") && xml.contains("<SeriennummerTSE>"));
    let document = folder.path().join("procedures.txt");
    let arguments = [
        "procedures",
        "--audit",
        "--form",
        "text",
        "--data",
        text(&data),
        "--out",
        text(&document),
    ];
    let output = groschen(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = fs::read_to_string(&document).unwrap();
    for part in [
        "Verfahrensdokumentation",
        "resign-marked",
        "alles stimmt",
        "Was hier fehlt",
        "zertifiziert: nein",
    ] {
        assert!(written.contains(part), "{part} is not in\n{written}");
    }
    assert!(
        !groschen(&arguments).status.success(),
        "what is there is not overwritten"
    );
    server.instance.stop().await.unwrap();
}
