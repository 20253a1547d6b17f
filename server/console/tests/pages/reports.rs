//! Reports and closings: what stands on their pages is what stands in their files, and who takes one is written down.

use axum::http::{StatusCode, header};
use engine::Request;
use fiscal::closing::{Unclosed, close};
use fiscal::jobs::recorded_order;
use fiscal::signer::client_of;
use fixtures::sample;
use store::{
    ClosedItem, Reader as _, Role, Signing, SigningRow, SigningState, TransactionEnd, TransactionRow, TseNo, TseRow,
};
use sync::hub::Heard;

use crate::common::World;

/// Every order comes off, signed by a TSE in software, and its day is closed.
pub async fn closed(world: &World) {
    let mut reader = world.store.memory_reader();
    let mut signing = Signing {
        tses: vec![TseRow {
            no: TseNo(1),
            serial: [7; 32],
            name: "TSE".to_owned(),
            link: "software".to_owned(),
            public_key: vec![4; 97],
            algorithm: "ecdsa-plain-SHA384".to_owned(),
            time_format: "unixTime".to_owned(),
            certificates: Vec::new(),
            valid_until_ms: None,
            certified: false,
            taxpayer: sample::ORGANISER,
            clients_max: 100,
            signature_ms: 250,
        }],
        ..Signing::default()
    };
    let mut items = Vec::new();
    for row in reader.journal(1, 1_000).unwrap() {
        let Some((_, order)) = recorded_order(&row) else {
            continue;
        };
        let (no, client) = (row.record.no, client_of(sample::EVENT, order.till));
        signing.transactions.push(TransactionRow {
            tse: TseNo(1),
            transaction: no,
            client: client.clone(),
            cart: order.cart,
            started_s: 1_800_000_000,
            start_counter: 2 * no,
            start_signature: vec![1; 96],
            end: Some(TransactionEnd {
                time_s: 1_800_000_000,
                counter: 2 * no + 1,
                process_type: "Kassenbeleg-V1".to_owned(),
                process_data: String::new(),
                signature: vec![2; 96],
            }),
        });
        signing.orders.push(SigningRow {
            no,
            state: SigningState::Signed,
            tse: TseNo(1),
            transaction: Some(no),
            doubt: None,
            outage: None,
        });
        items.push(Unclosed {
            item: ClosedItem::Order(no),
            client,
            taxpayer: order.taxpayer,
            till: order.till,
            day: row.entry.and_then(|entry| entry.day).unwrap(),
        });
    }
    signing.closings = close(items, &[], u32::MAX, 1, world.context.now_ms());
    let request = Request::Sign(Box::new(signing));
    world.writer.ask(request).await.unwrap();
}

#[tokio::test]
async fn closings_are_found_and_lead_to_their_receipts() {
    let mut world = World::new().await;
    world.trade().await;
    let finance = world.session(Role::Finance).await;
    let empty = world.get(&finance, "/closings").await;
    assert!(empty.text.contains("Noch kein Abschluss"), "{}", empty.text);
    closed(&world).await;
    let list = world.get(&finance, "/closings").await;
    assert!(
        list.text.contains("/closings/1\"") && list.text.contains("/closings/2\""),
        "{}",
        list.text
    );
    assert!(list.text.contains("haben keine Lücke"), "{}", list.text);
    let till = world.bar.till;
    let one = world.get(&finance, &format!("/closings?till={till}")).await;
    assert_eq!(one.text.matches("href=\"/closings/").count(), 1, "{}", one.text);
    let none = world.get(&finance, "/closings?day=20200101").await;
    assert!(none.text.contains("Nichts passt"), "{}", none.text);
    let z = world.get(&finance, "/closings/2").await;
    assert_eq!(z.status, StatusCode::OK);
    for said in [
        "NICHT ZERTIFIZIERT",
        "Z_NR",
        "href=\"/orders/2\"",
        "href=\"/closings/2/pdf\"",
        "MehrzweckgutscheinKauf",
    ] {
        assert!(
            z.text.contains(said) || world.get(&finance, "/closings/1").await.text.contains(said),
            "{said}: {}",
            z.text
        );
    }
    assert_eq!(world.get(&finance, "/closings/99").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_report_is_the_same_as_a_page_and_as_a_file_and_taking_it_is_written_down() {
    let mut world = World::new().await;
    world.trade().await;
    closed(&world).await;
    let finance = world.session(Role::Finance).await;
    let start = world.get(&finance, "/reports").await;
    assert!(start.text.contains("/reports/day/20270719"), "{}", start.text);
    for (form, kind) in [("csv", "text/csv; charset=utf-8"), ("txt", "text/plain; charset=utf-8")] {
        for path in [
            "/reports/day/20270719",
            "/reports/settlement/1",
            "/reports/vat",
            "/reports/locations",
            "/closings/1",
        ] {
            let answer = world.get(&finance, &format!("{path}/{form}")).await;
            assert_eq!(
                (answer.status, answer.header(header::CONTENT_TYPE)),
                (StatusCode::OK, kind),
                "{path}"
            );
            assert!(
                answer
                    .header(header::CONTENT_DISPOSITION)
                    .ends_with(&format!(".{form}\"")),
                "{path}"
            );
        }
    }
    // Files in bytes are no text: only that they come.
    for form in ["pdf", "xlsx"] {
        let headers = [(header::COOKIE, finance.as_str())];
        let answer = world
            .head(&axum::http::Method::GET, &format!("/reports/vat/{form}"), &headers, "")
            .await;
        assert_eq!(answer.status(), StatusCode::OK, "{form}");
    }
    assert_eq!(
        world.get(&finance, "/reports/vat/exe").await.status,
        StatusCode::NOT_FOUND
    );
    let day = world.get(&finance, "/reports/day/20270719").await;
    let csv = world.get(&finance, "/reports/day/20270719/csv").await;
    for said in ["Tagesbericht", "50,00", "Abschlüsse (Z)"] {
        assert!(day.text.contains(said) && csv.text.contains(said), "{said}");
    }
    let taken = world
        .audit()
        .into_iter()
        .filter(|(by, what, _)| by == "finn" && what == "report.export")
        .count();
    assert!(taken >= 12, "{taken}");
    assert_eq!(
        world.get(&finance, "/reports/settlement/99").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_day_says_which_terminals_miss_how_much() {
    let mut world = World::new().await;
    world.trade().await;
    let finance = world.session(Role::Finance).await;
    let whole = world.get(&finance, "/reports/day/20270719").await;
    assert!(!whole.text.contains("VORLÄUFIG"), "{}", whole.text);
    let heard = Heard {
        epoch: world.bar.epoch.epoch,
        next_seq: world.bar.seq() + 5,
        at_ms: world.context.now_ms(),
    };
    world.hub.note_heard(world.bar.id, heard);
    let day = world.get(&finance, "/reports/day/20270719").await;
    assert!(
        day.text.contains("VORLÄUFIG: mindestens 4 Einträge von 1 Geräten"),
        "{}",
        day.text
    );
    assert!(day.text.contains("Was noch nicht angekommen ist"), "{}", day.text);
}
