//! `groschen import` as people run it beside a server that stands still.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::path::Path;
use std::process::{Command, Output};

use e2e::Server;
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::ids::Bytes;
use shared_protocol::message::Certificate;
use shared_protocol::mirror::{FORMAT, MirroredEntry, Opening, Record, file_name};
use shared_protocol::order::OrderKind;
use store::Reader as _;
use store_sqlite::SqliteReader;

fn import(data: &Path, paths: &[&Path], flags: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_groschen"))
        .arg("import")
        .args(paths)
        .args(flags)
        .arg("--data")
        .arg(data)
        .env_remove("GROSCHEN_DATA")
        .output()
        .unwrap()
}

fn json(output: &Output) -> serde_json::Value {
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last();
    serde_json::from_str(line.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)))).unwrap()
}

/// A stick with the till's entries in these places, and its signatures after the first and the last entry.
fn stick(folder: &Path, till: &PaperTill, certificate: &Certificate, places: &[usize]) {
    let opening = Opening {
        format: FORMAT,
        epoch: till.epoch,
        certificate: certificate.clone(),
    };
    let mut records = vec![Record::Opening(opening)];
    for place in places {
        let previous = place
            .checked_sub(1)
            .map_or(till.epoch.root(till.id), |before| till.entries[before].1);
        records.push(Record::Entry(MirroredEntry {
            seq: *place as u64 + 1,
            previous,
            bytes: Bytes(till.entries[*place].0.clone()),
        }));
    }
    let mut first = till.clone();
    first.entries.truncate(1);
    records.push(Record::Head(first.push_from(1).head));
    records.push(Record::Head(till.push_from(1).head));
    let bytes: Vec<u8> = records.iter().flat_map(Record::bytes).collect();
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(file_name(till.id, 1)), bytes).unwrap();
}

fn money(data: &Path, number: u32) -> i64 {
    let mut reader = SqliteReader::open(data.join("groschen.db"), None).unwrap();
    let balance = reader.balance(sample::EVENT, sample::wristband(number)).unwrap();
    balance.iter().map(|(_, amount)| amount.0).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stick_is_looked_at_then_booked_and_then_has_nothing_new() {
    let server = Server::start().await;
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let certificate = server.register(&till).await;
    for number in 1..=3 {
        till.top_up(sample::wristband(number), 1_050);
    }
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (dir.path().join("stick"), dir.path().join("neighbour"));
    stick(&one, &till, &certificate, &[0, 2]);
    stick(&other, &till, &certificate, &[1]);
    let data = server.dir.path().to_owned();
    let busy = import(&data, &[&one], &["--yes"]);
    assert_eq!(
        busy.status.code(),
        Some(3),
        "a server that runs has its console for this"
    );
    assert!(String::from_utf8_lossy(&busy.stderr).contains("console"));
    server.instance.stop().await.unwrap();

    let holed = import(&data, &[&one], &["--json"]);
    let found = json(&holed);
    assert_eq!(
        (&found["new"], &found["behind_hole"]),
        (&1.into(), &1.into()),
        "{found}"
    );
    assert_eq!(
        (&found["left_out"][0]["seq"], holed.status.code()),
        (&3.into(), Some(1))
    );

    let looked = import(&data, &[&one, &other], &["--json"]);
    let found = json(&looked);
    assert_eq!(
        (&found["new"], &found["booked"]),
        (&3.into(), &serde_json::Value::Null),
        "{found}"
    );
    assert_eq!(found["orders"][0]["cents"], "3150");
    assert_eq!(money(&data, 2), 0, "looking books nothing");
    assert!(String::from_utf8_lossy(&import(&data, &[&one, &other], &[]).stdout).contains("31.50 EUR"));

    let booked = import(&data, &[&one, &other], &["--json", "--yes"]);
    assert_eq!((&json(&booked)["booked"], booked.status.code()), (&3.into(), Some(0)));
    let again = import(&data, &[&one, &other], &["--json", "--yes"]);
    assert_eq!(
        (&json(&again)["known"], &json(&again)["booked"]),
        (&3.into(), &0.into())
    );
    assert_eq!([1, 2, 3].map(|number| money(&data, number)), [1_050; 3]);
    let mut reader = SqliteReader::open(data.join("groschen.db"), None).unwrap();
    let rows = reader.audit(None, None, 10).unwrap();
    assert!(
        rows.iter()
            .any(|(_, row)| row.what == "journal.import" && row.object == till.id.to_string())
    );
    assert!(groschen::audit::check(&mut reader).unwrap().clean());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stick_that_somebody_changed_is_refused_with_the_entry_that_gave_it_away() {
    let server = Server::start().await;
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let certificate = server.register(&till).await;
    for number in 1..=3 {
        till.top_up(sample::wristband(number), 1_000);
    }
    let data = server.dir.path().to_owned();
    server.instance.stop().await.unwrap();
    let mut richer = till.clone();
    richer.entries.truncate(1);
    richer.top_up(sample::wristband(2), 1_000_000);
    let dir = tempfile::tempdir().unwrap();
    stick(dir.path(), &till, &certificate, &[0, 1, 2]);
    let file = dir.path().join(file_name(till.id, 1));
    let whole = std::fs::read(&file).unwrap();
    let record = |till: &PaperTill| {
        Record::Entry(MirroredEntry {
            seq: 2,
            previous: till.entries[0].1,
            bytes: Bytes(till.entries[1].0.clone()),
        })
        .bytes()
    };
    let (true_one, false_one) = (record(&till), record(&richer));
    let at = whole.windows(true_one.len()).position(|part| part == true_one).unwrap();
    let changed = [&whole[..at], &false_one, &whole[at + true_one.len()..]].concat();
    std::fs::write(&file, changed).unwrap();
    std::fs::write(dir.path().join("holiday.groschen"), b"no copy").unwrap();
    let refused = import(&data, &[dir.path()], &["--yes"]);
    let says = String::from_utf8_lossy(&refused.stderr);
    assert!(says.contains("entry 2 is not what the terminal signed"), "{says}");
    assert!(says.contains("holiday.groschen: not a second copy"), "{says}");
    assert_eq!(
        (refused.status.code(), money(&data, 1), money(&data, 2)),
        (Some(1), 0, 0)
    );
}
