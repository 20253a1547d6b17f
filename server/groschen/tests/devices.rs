//! A server whose TSEs are devices: doubles of a unit on a cable and of a service in the cloud, of which the one in use goes away.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use console::Exports as _;
use e2e::{RawClient, Server};
use fixtures::paper::PaperTill;
use fixtures::sample;
use groschen::instance::Instance;
use groschen::settings::Settings;
use groschen::signing::{Device, Link};
use shared_protocol::message::Message;
use shared_protocol::order::OrderKind;
use store::{ExportKind, ExportRange, ExportState, SigningRow, SigningState, TseRow};
use sync::writer::now_ms;
use tse_adapters::{diebold, fiskaly};
use tse_mocks::fiskaly::{ADMIN_PIN, API_KEY, API_SECRET, TSS};
use tse_mocks::{DnMock, FiskalyMock, Make, dn};

/// A file that only its owner may read.
fn secret(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    path
}

fn links(folder: &Path, unit: &DnMock, service: &FiskalyMock, taxpayer: u16) -> Vec<Link> {
    let link = |name: &str, device| Link {
        name: name.to_owned(),
        taxpayer,
        device,
    };
    vec![
        link(
            "unit",
            Device::Diebold(diebold::Settings {
                url: unit.url(),
                serial: None,
                certificate_id: None,
                admin_password: secret(folder, "admin", dn::ADMIN_PASSWORD),
                time_admin_password: secret(folder, "time", dn::TIME_ADMIN_PASSWORD),
                times: diebold::Times::default(),
            }),
        ),
        link(
            "service",
            Device::Fiskaly(fiskaly::Settings {
                url: service.url(),
                tss: TSS.to_owned(),
                serial: None,
                certificate_id: None,
                authority: None,
                api_key: secret(folder, "key", API_KEY),
                api_secret: secret(folder, "secret", API_SECRET),
                admin_pin: secret(folder, "pin", ADMIN_PIN),
                times: fiskaly::Times::default(),
            }),
        ),
    ]
}

async fn sold(client: &mut RawClient, till: &mut PaperTill, from: u64, count: u64) {
    for number in 0..count {
        till.wall_ms = now_ms();
        till.top_up(sample::wristband(u32::try_from(number).unwrap() + 1), 500);
    }
    let answer = client.push(till.push_from(from)).await;
    assert!(matches!(answer, Message::Ack(_)), "{answer:?}");
}

/// Waits until so many orders came off. Gives how the last one did, and by which TSE.
async fn came_off(server: &Server, orders: u64) -> (SigningRow, TseRow) {
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    loop {
        let mut reader = server.instance.reader().unwrap();
        if reader.signed_to().unwrap() >= orders {
            let row = reader.signing(orders).unwrap().unwrap();
            let tses = reader.tses().unwrap();
            let tse = tses.into_iter().find(|tse| tse.no == row.tse).unwrap();
            return (row, tse);
        }
        assert!(tokio::time::Instant::now() < deadline, "orders wait to be signed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn start(settings: &Settings, dir: tempfile::TempDir) -> Server {
    let instance = Instance::start(settings, true).await.unwrap();
    Server { dir, instance }
}

/// The log of a device is in the archive once the console has exported it, and what is not in it is said.
async fn an_archive_holds_what_was_exported_of(tse: &TseRow, server: &Server) {
    let data = server.dir.path();
    let made = |name: &str| {
        let archive = data.join(name);
        let run = |arguments: &[&str], folder: &Path| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_groschen"));
            command.arg("archive").args(arguments).arg(folder).output().unwrap()
        };
        let made = run(&["make", "--data", data.to_str().unwrap(), "--out"], &archive);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let judged = run(&["verify"], &archive);
        let said = String::from_utf8_lossy(&judged.stdout).into_owned();
        assert!(judged.status.success(), "{said}");
        (said, std::fs::read_to_string(archive.join("README.md")).unwrap())
    };
    let (_, readme) = made("archive-before");
    assert_eq!(readme.matches("which only the device has").count(), 2, "{readme}");

    let wanted = ExportRange {
        kind: ExportKind::Tse,
        taxpayer: None,
        tse: Some(tse.no),
        from_day: 0,
        until_day: u32::MAX,
        version: String::new(),
        staff_names: false,
    };
    let exports = server.instance.exports();
    exports.start(wanted, "finance".to_owned()).await.unwrap();
    let deadline = tokio::time::Instant::now() + Duration::from_mins(1);
    loop {
        let row = server.instance.reader().unwrap().exports(None, 1).unwrap().remove(0);
        if row.state != ExportState::Running {
            assert_eq!(row.state, ExportState::Done, "{row:?}");
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "the export takes too long");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let (said, readme) = made("archive-after");
    assert!(said.contains("tse-devices/tse-"), "{said}");
    assert_eq!(readme.matches("which only the device has").count(), 1, "{readme}");
    assert!(readme.contains("the console's export 1 of"), "{readme}");

    // A file that is not what the books say of it goes into no archive.
    let packed = data.join("exports/tse-1.zip");
    let mut bytes = std::fs::read(&packed).unwrap();
    bytes.push(0);
    std::fs::write(&packed, bytes).unwrap();
    let (_, readme) = made("archive-of-a-changed-export");
    assert!(readme.contains("is not what it was"), "{readme}");
}

async fn the_other_one_takes_over(unit: DnMock, service: FiskalyMock) {
    let dir = tempfile::tempdir().unwrap();
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let home = till.config.home_taxpayer(till.till).unwrap();
    let settings = Settings {
        tses: links(dir.path(), &unit, &service, home.0),
        ..e2e::settings(dir.path())
    };
    let server = start(&settings, dir).await;
    let certificate = server.register(&till).await;
    let (mut client, _) = server.enter_with(&till, certificate.clone()).await;
    sold(&mut client, &mut till, 1, 3).await;
    let (row, first) = came_off(&server, 3).await;
    assert_eq!(row.state, SigningState::Signed);
    assert!(!first.certified && !first.is_in_software() && !first.certificates.is_empty());

    // Both have been met before one goes.
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while server.instance.reader().unwrap().tses().unwrap().len() < 2 {
        assert!(tokio::time::Instant::now() < deadline, "a TSE does not answer");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let gone = first.link.clone();
    let (unit, service) = if gone == "unit" {
        drop(unit);
        (None, Some(service))
    } else {
        drop(service);
        (Some(unit), None)
    };
    sold(&mut client, &mut till, 4, 1).await;
    let (row, second) = came_off(&server, 4).await;
    assert_eq!(row.state, SigningState::Signed, "{row:?}");
    assert_ne!(second.link, gone);
    drop(client);

    // After a restart the one that is gone is still known, and keeps nobody waiting.
    server.instance.stop().await.unwrap();
    let server = start(&settings, server.dir).await;
    let (mut client, _) = server.enter_with(&till, certificate).await;
    sold(&mut client, &mut till, 5, 1).await;
    let (row, third) = came_off(&server, 5).await;
    assert_eq!((row.state, &third.link), (SigningState::Signed, &second.link));
    let mut reader = server.instance.reader().unwrap();
    let now = reader.clients().unwrap();
    assert_eq!(now.len(), 1);
    assert_eq!(reader.client_history(&now[0].client).unwrap().len(), 2);
    an_archive_holds_what_was_exported_of(&second, &server).await;
    drop((client, unit, service));
    let data = server.dir.path().to_owned();
    server.instance.stop().await.unwrap();
    let receipts = Command::new(env!("CARGO_BIN_EXE_groschen"))
        .args(["receipt", "--all", "--qr", "--data"])
        .arg(&data)
        .output()
        .unwrap();
    let codes = String::from_utf8_lossy(&receipts.stdout).into_owned();
    assert_eq!(codes.lines().count(), 5);
    if let Some(verdicts) = judges::receipt_codes(&codes) {
        assert!(
            verdicts.iter().all(|verdict| verdict.starts_with("(True")),
            "{verdicts:?}"
        );
    }
}

#[test]
fn tills_go_to_another_device_when_theirs_goes_away_also_over_a_restart() {
    // The doubles bring runtimes of their own, which are not begun inside another one.
    let (unit, service) = (DnMock::start(Make::unit()), FiskalyMock::start(Make::service()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(the_other_one_takes_over(unit, service));
}
