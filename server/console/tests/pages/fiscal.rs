//! TSEs, exports and checks as the office sees them.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode, header};
use console::{Board, ExportProgress, ExportStep, NotTaken, TseOrder, UnitNow};
use engine::Request;
use fiscal::TseStatus;
use fiscal::signer::{Cause, Refused, UnitState, client_of};
use fixtures::paper::NOW;
use fixtures::sample;
use shared_protocol::{TaxpayerId, TillId};
use store::{
    ClientRow, ExportFinding, ExportKind, ExportRange, ExportRow, ExportState, Office, OutageRow, RetiredRow, Role,
    Signing, TseNo, TseRow, WishRow,
};

use crate::common::World;

const DAY_MS: u64 = 24 * 3_600_000;

fn home(world: &World) -> (TillId, TaxpayerId) {
    let till = world.bar.till;
    (till, world.bar.config.home_taxpayer(till).unwrap())
}

fn row(no: u16, taxpayer: TaxpayerId) -> TseRow {
    TseRow {
        no: TseNo(no),
        serial: [u8::try_from(no).unwrap(); 32],
        name: format!("unit {no}"),
        link: format!("unit-{no}"),
        public_key: vec![4; 97],
        algorithm: "ecdsa-plain-SHA384".to_owned(),
        time_format: "unixTime".to_owned(),
        certificates: Vec::new(),
        valid_until_ms: Some(NOW + 20 * DAY_MS),
        certified: false,
        taxpayer,
        clients_max: 100,
        signature_ms: 250,
    }
}

fn unit(no: u16, taxpayer: TaxpayerId) -> UnitNow {
    UnitNow {
        state: UnitState {
            no: TseNo(no),
            taxpayer,
            ready: true,
            outage: None,
            cause: None,
            retired: None,
            clients: 1,
            clients_max: 100,
            open: 3,
            open_max: Some(512),
            waiting: 0,
            oldest_ms: None,
            unclaimed: 0,
            signature_us: 212_400,
            signatures: 9,
        },
        signatures_per_ks: 1_700,
        status: Some((
            NOW,
            TseStatus {
                storage_permille: Some(420),
                ..TseStatus::default()
            },
        )),
    }
}

fn outage(tse: u16) -> OutageRow {
    OutageRow {
        id: 1,
        tse: Some(TseNo(tse)),
        client: None,
        from_ms: NOW,
        until_ms: None,
        reason: "the TSE does not answer".to_owned(),
    }
}

fn put_up(world: &World, units: Vec<UnitNow>) {
    *world.signer.board.lock().unwrap() = Arc::new(Board {
        no: 1,
        at_ms: NOW,
        units,
        peaks: Vec::new(),
    });
}

async fn sign(world: &World, signing: Signing) {
    world.writer.ask(Request::Sign(Box::new(signing))).await.unwrap();
}

/// Two TSEs of the bar's taxpayer; the bar is with the first.
async fn two_tses(world: &World) {
    let (till, taxpayer) = home(world);
    let client = ClientRow {
        tse: TseNo(1),
        client: client_of(sample::EVENT, till),
        taxpayer,
        from_ms: NOW,
        until_ms: None,
    };
    let signing = Signing {
        tses: vec![row(1, taxpayer), row(2, taxpayer)],
        clients: vec![client],
        ..Signing::default()
    };
    sign(world, signing).await;
    put_up(world, vec![unit(1, taxpayer), unit(2, taxpayer)]);
}

#[tokio::test]
async fn a_tse_says_how_it_is_in_words_and_what_to_do() {
    let world = World::new().await;
    let (_, taxpayer) = home(&world);
    two_tses(&world).await;
    let cookie = world.session(Role::Crew).await;
    let page = world.get(&cookie, "/tse").await.text;
    for words in [
        "✓ arbeitet",
        "1,7 Signaturen je Sekunde",
        "213 ms je Signatur gemessen",
        "250 ms laut Hersteller",
        "1 von höchstens 100",
        "3 von höchstens 512",
        "Speicher 42 %",
        "Zertifikat endet am",
        "data-live=\"/live/tse\"",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    for (cause, words) in [
        (Cause::Silent, "antwortet nicht"),
        (Cause::TimeNotSet, "hat keine Uhrzeit"),
        (Cause::CertificateExpired, "Zertifikat abgelaufen"),
        (Cause::Full, "Speicher voll"),
        (Cause::Disabled, "außer Betrieb gesetzt"),
        (Cause::AccessDenied, "nach drei Fehlversuchen"),
    ] {
        let mut out = unit(1, taxpayer);
        (out.state.ready, out.state.outage, out.state.cause) = (false, Some(outage(1)), Some(cause));
        (out.state.waiting, out.state.oldest_ms) = (4, Some(NOW));
        put_up(&world, vec![out, unit(2, taxpayer)]);
        let page = world.get(&cookie, "/tse").await.text;
        assert!(
            page.contains(words) && page.contains("4 Belege") && page.contains("seit"),
            "{cause:?}"
        );
    }
    put_up(&world, vec![]);
    let page = world.get(&cookie, "/tse").await.text;
    assert!(page.contains("nicht angeschlossen") && page.contains("Keine TSE arbeitet"));
    let dashboard = world.get(&cookie, "/").await.text;
    assert!(
        dashboard.contains("Keine TSE arbeitet"),
        "what is severe stands on the dashboard"
    );
}

#[tokio::test]
async fn an_admin_moves_a_till_and_it_says_that_it_moves_after_this_sale() {
    let world = World::new().await;
    let (till, taxpayer) = home(&world);
    two_tses(&world).await;
    let cookie = world.session(Role::Admin).await;
    let path = format!("/tse/tills/{}", till.0);
    let page = world.get(&cookie, &path).await.text;
    assert!(page.contains("TSE 2: unit 2") && page.contains("Verlauf"), "{page}");
    let form = format!("taxpayer={}&tse=2&pinned=1", taxpayer.0);
    let answer = world.post(&cookie, &format!("{path}/move"), &form).await;
    assert_eq!(
        (answer.status, answer.header(header::LOCATION)),
        (StatusCode::SEE_OTHER, path.as_str())
    );
    let wish = WishRow {
        client: client_of(sample::EVENT, till),
        taxpayer,
        tse: Some(TseNo(2)),
        pinned: true,
        asked_at_ms: world.clock.load(Ordering::Relaxed),
        by: "ada".to_owned(),
    };
    assert_eq!(
        world.signer.asked.lock().unwrap().pop(),
        Some(TseOrder::Wish(wish.clone()))
    );
    let (by, what, object) = world.audit().remove(0);
    assert_eq!(
        (by.as_str(), what.as_str(), object),
        ("ada", "tse.move", format!("till {till}"))
    );
    let wishes = Signing {
        wishes: vec![wish],
        ..Signing::default()
    };
    sign(&world, wishes).await;
    let page = world.get(&cookie, "/tse").await.text;
    assert!(
        page.contains("→ TSE 2") && page.contains("wechselt nach diesem Verkauf"),
        "{page}"
    );

    *world.signer.refuses.lock().unwrap() = Some(NotTaken::Refused(Refused::Full(TseNo(2))));
    let refused = world.post(&cookie, &format!("{path}/move"), &form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused
            .text
            .contains("TSE 2 nimmt keine weitere Kasse. Nichts ist geändert"),
        "{}",
        refused.text
    );
    for wrong in ["taxpayer=1", "taxpayer=x&tse=1", ""] {
        let refused = world.post(&cookie, &format!("{path}/move"), wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    assert_eq!(
        world.post(&cookie, "/tse/tills/9999/move", &form).await.status,
        StatusCode::NOT_FOUND
    );
    let crew = world.session(Role::Crew).await;
    assert!(!world.get(&crew, &path).await.text.contains("/move"), "only admins act");
}

#[tokio::test]
async fn a_tse_goes_out_of_service_only_with_a_reason_its_number_and_a_kept_export() {
    let world = World::new().await;
    two_tses(&world).await;
    let cookie = world.session(Role::Admin).await;
    let page = world.get(&cookie, "/tse/1").await.text;
    assert!(
        page.contains("/exports?tse=1") && page.contains("§ 146a Abs. 4 AO"),
        "{page}"
    );
    for wrong in [
        "why=x&confirm=1",
        "exported=1&confirm=1",
        "why=x&exported=1&confirm=2",
        "why=+&exported=1&confirm=1",
    ] {
        let refused = world.post(&cookie, "/tse/1/retire", wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    assert!(world.signer.asked.lock().unwrap().is_empty());
    let answer = world
        .post(&cookie, "/tse/1/retire", "why=worn+out&exported=1&confirm=1")
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let Some(TseOrder::Retire(retired)) = world.signer.asked.lock().unwrap().pop() else {
        panic!("nothing was asked")
    };
    assert_eq!(
        (retired.tse, retired.why.as_str(), retired.forced),
        (TseNo(1), "worn out", false)
    );
    assert_eq!(world.audit().remove(0).1, "tse.retire");
    let done = RetiredRow {
        done_ms: Some(NOW),
        ..retired
    };
    let signing = Signing {
        retired: vec![done],
        ..Signing::default()
    };
    sign(&world, signing).await;
    let page = world.get(&cookie, "/tse/1").await.text;
    assert!(
        page.contains("außer Betrieb seit") && page.contains("worn out") && !page.contains("/retire"),
        "{page}"
    );
    assert!(
        !world
            .get(&cookie, &format!("/tse/tills/{}", home(&world).0.0))
            .await
            .text
            .contains("TSE 1: unit 1")
    );
    assert_eq!(world.get(&cookie, "/tse/9").await.status, StatusCode::NOT_FOUND);
}

/// For whoever looks at every page.
pub async fn with_tses_and_export(world: &World) {
    two_tses(world).await;
    exported(world, &done_export()).await;
}

fn done_export() -> ExportRow {
    let range = ExportRange {
        kind: ExportKind::Dsfinvk,
        taxpayer: None,
        tse: None,
        from_day: 20_270_717,
        until_day: u32::MAX,
        version: "2.4".to_owned(),
        staff_names: false,
    };
    ExportRow {
        state: ExportState::Done,
        ended_at_ms: Some(NOW + 1),
        file: "dsfinvk-1.zip".to_owned(),
        bytes: 4,
        sha256: Some([7; 32]),
        parts: 2,
        items: 30,
        errors: 1,
        findings: vec![ExportFinding {
            error: true,
            code: "A01".to_owned(),
            place: "lines.csv:3".to_owned(),
            what: "<b>it</b> does not add up".to_owned(),
            why: "lines add up".to_owned(),
            told_de: None,
        }],
        ..ExportRow::begun(1, range, "finn".to_owned(), NOW)
    }
}

async fn exported(world: &World, row: &ExportRow) {
    let office = Office {
        exports: vec![row.clone()],
        ..Office::default()
    };
    world.keep(office).await;
}

#[tokio::test]
async fn finance_begins_an_export_and_sees_how_far_it_is() {
    let world = World::new().await;
    let cookie = world.session(Role::Finance).await;
    assert!(world.get(&cookie, "/exports").await.text.contains("Noch kein Export"));
    let form = "kind=dsfinvk&taxpayer=1&from=2027-07-17&until=&version=2.3&staff_names=1";
    let answer = world.post(&cookie, "/exports", form).await;
    assert_eq!(answer.header(header::LOCATION), "/exports", "{}", answer.text);
    let (range, by) = world.exports.started.lock().unwrap().pop().unwrap();
    assert_eq!(
        (range.kind, range.taxpayer, by.as_str()),
        (ExportKind::Dsfinvk, Some(TaxpayerId(1)), "finn")
    );
    assert_eq!(
        (range.from_day, range.version.as_str(), range.staff_names),
        (20_270_717, "2.3", true)
    );
    assert_eq!(world.audit().remove(0).1, "export.start");
    world.exports.busy.store(true, Ordering::Relaxed);
    let refused = world.post(&cookie, "/exports", form).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text.contains("läuft schon"));

    exported(&world, &ExportRow::begun(1, range, "finn".to_owned(), NOW)).await;
    *world.exports.progress.lock().unwrap() = vec![ExportProgress {
        id: 1,
        kind: ExportKind::Dsfinvk,
        done: 250,
        total: 1_000,
        step: ExportStep::Writing,
    }];
    for path in ["/exports", "/exports/1"] {
        let page = world.get(&cookie, path).await.text;
        assert!(
            page.contains("<progress") && page.contains("value=\"250\"") && page.contains("läuft"),
            "{page}"
        );
    }
    let download = world.get(&cookie, "/exports/1/file").await;
    assert_eq!(
        download.status,
        StatusCode::NOT_FOUND,
        "what is not whole is not handed out"
    );
    world.post(&cookie, "/exports/1/cancel", "").await;
    assert_eq!(*world.exports.cancelled.lock().unwrap(), [1]);
}

#[tokio::test]
async fn an_export_is_handed_out_with_its_findings_and_noted_and_deleted_only_by_an_admin_who_confirms() {
    let world = World::new().await;
    *world.exports.content.lock().unwrap() = b"PK..".to_vec();
    exported(&world, &done_export()).await;
    let cookie = world.session(Role::Finance).await;
    let page = world.get(&cookie, "/exports/1").await.text;
    for words in [
        "fertig, mit Fehlern",
        "A01",
        "&lt;b&gt;it",
        "07070707",
        "nicht die der Finanzverwaltung",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains("/delete"));
    let file = world.get(&cookie, "/exports/1/file").await;
    assert_eq!(
        (file.text.as_str(), file.header(header::CONTENT_TYPE)),
        ("PK..", "application/zip")
    );
    assert!(file.header(header::CONTENT_DISPOSITION).contains("dsfinvk-1.zip"));
    let (by, what, object) = world.audit().remove(0);
    assert_eq!(
        (by.as_str(), what.as_str(), object.as_str()),
        ("finn", "export.download", "export 1")
    );

    let admin = world.session(Role::Admin).await;
    let refused = world.post(&admin, "/exports/1/delete", "confirm=2").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(world.exports.deleted.lock().unwrap().is_empty());
    world.post(&admin, "/exports/1/delete", "confirm=1").await;
    assert_eq!(*world.exports.deleted.lock().unwrap(), [(1, "ada".to_owned())]);
    let deleted = ExportRow {
        deleted: Some((NOW + 9, "ada".to_owned())),
        ..done_export()
    };
    exported(&world, &deleted).await;
    assert_eq!(
        world.get(&cookie, "/exports/1/file").await.status,
        StatusCode::NOT_FOUND
    );
    assert!(world.get(&cookie, "/exports/1").await.text.contains("gelöscht"));
    for path in [
        "/exports/2",
        "/exports/x",
        "/exports/18446744073709551615",
        "/exports/2/file",
    ] {
        assert_eq!(world.get(&cookie, path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

fn zipped(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in files {
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[tokio::test]
async fn rubbish_is_refused_with_a_reason_whatever_it_is() {
    let world = World::new().await;
    let cookie = world.session(Role::Crew).await;
    let code = |code: &str| format!("code={code}");
    for rubbish in ["hello", "V0%3Ba%3Bb", "V0;;;;;;;;;;;", "%F0%9F%8D%BA"] {
        let answer = world.post(&cookie, "/verify/receipt", &code(rubbish)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(
            answer.text.contains("✗ Kein gültiger Beleg"),
            "{rubbish}: {}",
            answer.text
        );
    }
    for (language, said) in [
        ("de", "Code: er beginnt nicht mit V0"),
        ("en", "code: it does not begin with V0"),
    ] {
        let cookies = format!("{cookie}; language={language}");
        let answer = world.post(&cookies, "/verify/receipt", &code("hello")).await;
        assert!(answer.text.contains(said), "{}", answer.text);
    }
    for wrong in ["", &"x".repeat(9_000)] {
        let answer = world.post(&cookie, "/verify/receipt", &code(wrong)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let tar = world
        .upload_to("/verify/file", &cookie, &[("x.tar", b"no archive at all")])
        .await;
    assert!(tar.text.contains("Fehler") && tar.text.contains("tar-"), "{}", tar.text);
    assert!(
        tar.text.contains("das Archiv: es lässt sich nicht weiterlesen"),
        "{}",
        tar.text
    );
    let zip = zipped(&[("readme.txt", b"x".to_vec())]);
    let zip = world.upload_to("/verify/file", &cookie, &[("x.zip", &zip)]).await;
    assert!(zip.text.contains("kein DSFinV-K-Export"), "{}", zip.text);
    let outside = zipped(&[("../index.xml", b"x".to_vec())]);
    let outside = world.upload_to("/verify/file", &cookie, &[("x.zip", &outside)]).await;
    assert!(outside.text.contains("führt aus ihm hinaus"), "{}", outside.text);
    let broken = world
        .upload_to("/verify/file", &cookie, &[("x.zip", b"PK\x03\x04broken")])
        .await;
    assert!(broken.text.contains("kein lesbares ZIP"), "{}", broken.text);
    for nothing in [&[][..], &[("", &b""[..])]] {
        let answer = world.upload_to("/verify/file", &cookie, nothing).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let plain = world
        .call(
            &Method::POST,
            "/verify/file",
            &[(header::COOKIE, cookie.as_str())],
            "file=x",
        )
        .await;
    assert_eq!(plain.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_export_of_anybody_is_judged() {
    let world = World::new().await;
    let cookie = world.session(Role::Finance).await;
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/dsfinvk/festival");
    let files: Vec<(String, Vec<u8>)> = std::fs::read_dir(golden)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    let named: Vec<(&str, Vec<u8>)> = files
        .iter()
        .map(|(name, content)| (name.as_str(), content.clone()))
        .collect();
    let answer = world
        .upload_to("/verify/file", &cookie, &[("ours.zip", &zipped(&named))])
        .await;
    assert!(answer.text.contains("✓ Nichts gefunden"), "{}", answer.text);
    let fewer: Vec<_> = named.iter().filter(|(name, _)| *name != "vat.csv").cloned().collect();
    for (language, what, why) in [
        ("de", "vat.csv: sie ist nicht da", "was index.xml nennt, muss da sein"),
        (
            "en",
            "vat.csv: it is not there",
            "what index.xml declares has to be there",
        ),
    ] {
        let cookies = format!("{cookie}; language={language}");
        let answer = world
            .upload_to("/verify/file", &cookies, &[("ours.zip", &zipped(&fewer))])
            .await;
        for said in ["F04", what, why] {
            assert!(answer.text.contains(said), "{said}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn what_an_earlier_export_has_is_explained_in_the_language_of_the_page() {
    let world = World::new().await;
    let finding = |code: &str| ExportFinding {
        error: true,
        code: code.to_owned(),
        place: "tse-1.tar: Sig-1".to_owned(),
        what: "it was so".to_owned(),
        why: "because of old".to_owned(),
        told_de: (code != "gone-since").then(|| "tse-1.tar: Sig-1: es war so".to_owned()),
    };
    let mut books = done_export();
    books.findings = vec![finding("A01")];
    let mut logs = ExportRow {
        id: 2,
        findings: vec![finding("signature-wrong"), finding("gone-since")],
        ..done_export()
    };
    logs.range.kind = ExportKind::Tse;
    exported(&world, &books).await;
    exported(&world, &logs).await;
    let cookie = world.session(Role::Finance).await;
    for (language, of_books, of_logs) in [
        (
            "de",
            "die Positionen eines Belegs ergeben seine Summen nach Steuerschlüssel",
            "nicht das, was die TSE gemacht hat. Exportier noch einmal vom Gerät",
        ),
        (
            "en",
            "the lines of a receipt add up to its sums by tax key",
            "not what the TSE made. Export again from the device",
        ),
    ] {
        let cookies = format!("{cookie}; language={language}");
        let books = world.get(&cookies, "/exports/1").await.text;
        assert!(books.contains(of_books) && !books.contains("because of old"), "{books}");
        let logs = world.get(&cookies, "/exports/2").await.text;
        assert!(logs.contains(of_logs), "{logs}");
        let in_german = usize::from(language == "de");
        assert_eq!(logs.matches("Sig-1: es war so").count(), in_german, "{logs}");
        assert_eq!(logs.matches("Sig-1: it was so").count(), 2 - in_german, "{logs}");
        assert!(
            logs.contains("<span lang=\"en\">because of old</span>"),
            "a code that is not known any more keeps what was said then: {logs}"
        );
    }
}
