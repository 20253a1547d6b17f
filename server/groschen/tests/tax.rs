//! Choices about taxes in a running server: what the settings fix gets into the history, what cannot be changed stops the start, and a change is heard
//! without a restart.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::time::Duration;

use e2e::Server;
use engine::{Reply, Request, Settled};
use fiscal::tax::{Choice, Fix, Fixed, Place, last};
use fixtures::paper::PaperTill;
use fixtures::sample;
use groschen::instance::Instance;
use shared_protocol::message::Message;
use shared_protocol::order::OrderKind;
use store::{Office, Reader, SigningState, TaxRow};
use sync::writer::now_ms;

fn said(reader: &mut dyn Reader) -> Vec<(String, String)> {
    let rows = reader.tax(sample::EVENT, 0, 99).unwrap();
    rows.into_iter().map(|(_, row)| (row.key, row.value)).collect()
}

async fn came_off(server: &Server, orders: u64) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while server.instance.reader().unwrap().signed_to().unwrap() < orders {
        assert!(tokio::time::Instant::now() < deadline, "orders wait to be signed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn with(server: &Server, choice: Choice, value: &'static str) -> groschen::settings::Settings {
    let mut settings = e2e::settings(server.dir.path());
    let fix = Fix {
        value,
        place: Place::Flag,
    };
    settings.signing.fixed = Fixed::default().with(choice, Some(fix));
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_settings_fix_is_history_and_what_signatures_name_stays() {
    let server = Server::start().await;
    let mut reader = server.instance.reader().unwrap();
    let first = said(&mut *reader);
    let values: Vec<_> = first
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    assert_eq!(
        values[..4],
        [
            ("outage_policy", "resign-marked"),
            ("wristband_is", "voucher"),
            ("transaction_begins", "first-item"),
            ("in_house", "yes"),
        ],
        "the sample festival shows how orders are signed late"
    );
    assert_eq!((first[4].0.as_str(), first.len()), ("program", 5));
    let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
    let certificate = server.register(&till).await;
    let (mut client, _) = server.enter_with(&till, certificate).await;
    till.wall_ms = now_ms();
    till.top_up(sample::wristband(1), 500);
    let answer = client.push(till.push_from(1)).await;
    assert!(matches!(answer, Message::Ack(_)), "{answer:?}");
    came_off(&server, 1).await;

    // A policy that is changed is heard: the next order of an outage stays marked.
    let row = TaxRow {
        event: sample::EVENT,
        at_ms: now_ms(),
        by: Some("ada".to_owned()),
        key: "outage_policy".to_owned(),
        value: "mark-only".to_owned(),
        why: "a test".to_owned(),
    };
    let office = Office {
        tax: vec![row],
        ..Office::default()
    };
    let reply = server.instance.ask(Request::Office(Box::new(office))).await.unwrap();
    assert_eq!(reply, Reply::Settled(Settled::Done));
    till.wall_ms = now_ms() - 60_000;
    till.top_up(sample::wristband(2), 500);
    let answer = client.push(till.push_from(2)).await;
    assert!(matches!(answer, Message::Ack(_)), "{answer:?}");
    drop(client);
    came_off(&server, 2).await;
    let state = reader.signing(2).unwrap().map(|row| row.state);
    assert_eq!(state, Some(SigningState::InOutage));
    drop(reader);

    let e_money = with(&server, Choice::WristbandIs, "e-money");
    let payment = with(&server, Choice::TransactionBegins, "payment");
    let Server { instance, dir } = server;
    instance.stop().await.unwrap();
    let refused = Instance::start(&e_money, false)
        .await
        .err()
        .map(|error| format!("{error:#}"));
    let refused = refused.unwrap();
    assert!(
        refused.contains("wristband_is") && refused.contains("too late"),
        "{refused}"
    );
    let again = Instance::start(&payment, false).await.unwrap();
    let rows = again.reader().unwrap().tax(sample::EVENT, 0, 99).unwrap();
    let row = last(&rows, "transaction_begins").unwrap();
    assert_eq!((row.by.clone(), row.value.as_str()), (None, "payment"));
    assert_eq!(rows.len(), first.len() + 2, "and nothing is said twice");
    again.stop().await.unwrap();
    drop(dir);
}
