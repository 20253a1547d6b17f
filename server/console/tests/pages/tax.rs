//! Choices about taxes: who may make them, what a change needs, and what cannot be changed any more.

use axum::http::{StatusCode, header};
use engine::Request;
use fiscal::tax::{Choices, last};
use fixtures::sample;
use store::{OutageRow, Reader as _, Role, Signing, SigningRow, SigningState, TaxRow, TseNo, TseRow};

use crate::common::World;

const GOOD: &str = "value=resign-marked&why=Brief+vom+Steuerb%C3%BCro&confirm=yes";

fn rows(world: &World) -> Vec<(u64, TaxRow)> {
    world.store.memory_reader().tax(sample::EVENT, 0, 99).unwrap()
}

#[tokio::test]
async fn an_admin_changes_a_choice_with_a_reason_and_the_history_says_so() {
    let world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    for form in [
        "value=resign-marked&why=&confirm=yes",
        "value=resign-marked&why=because",
        "value=never&why=because&confirm=yes",
        "value=mark-only&why=because&confirm=yes",
    ] {
        let answer = world.post(&cookie, "/tax/outage_policy", form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{form}");
    }
    assert_eq!((rows(&world).len(), world.audit().len()), (0, 0), "nothing was changed");
    let answer = world.post(&cookie, "/tax/outage_policy", GOOD).await;
    assert_eq!(answer.header(header::LOCATION), "/tax#outage_policy");
    let said = rows(&world);
    let row = last(&said, "outage_policy").unwrap();
    assert_eq!(
        (row.by.as_deref(), row.value.as_str(), row.why.as_str()),
        (Some("ada"), "resign-marked", "Brief vom Steuerbüro")
    );
    assert!(Choices::read(&said).is_ok());
    let audit = world.audit();
    assert_eq!(
        audit.first().map(|(by, what, _)| (by.as_str(), what.as_str())),
        Some(("ada", "tax.choose"))
    );
    let finance = world.session(Role::Finance).await;
    let page = world.get(&finance, "/tax").await.text;
    assert!(page.contains("Brief vom Steuerbüro") && page.contains("Markieren und nachsignieren"));
    assert!(!page.contains("action=\"/tax/"), "finance only reads");
    assert_eq!(
        world.post(&finance, "/tax/outage_policy", GOOD).await.status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test]
async fn what_the_settings_of_the_server_fix_is_shown_and_not_offered() {
    let world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    let page = world.get(&cookie, "/tax").await.text;
    assert!(page.contains("in der Einstellungsdatei") && !page.contains("action=\"/tax/in_house\""));
    let answer = world
        .post(&cookie, "/tax/in_house", "value=yes&why=because&confirm=yes")
        .await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        world.post(&cookie, "/tax/nothing", GOOD).await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(rows(&world), []);
}

/// An order came off; here as one of an outage, which is as good as signed for this.
async fn comes_off(world: &mut World) {
    world.trade().await;
    let tse = TseRow {
        no: TseNo(1),
        serial: [7; 32],
        name: "TSE".to_owned(),
        link: TseRow::SOFTWARE.to_owned(),
        public_key: vec![4],
        algorithm: "ecdsa-plain-SHA256".to_owned(),
        time_format: "unixTime".to_owned(),
        certificates: Vec::new(),
        valid_until_ms: None,
        certified: false,
        taxpayer: sample::ORGANISER,
        clients_max: 9,
        signature_ms: 1,
    };
    let outage = OutageRow {
        id: 1,
        tse: Some(TseNo(1)),
        client: None,
        from_ms: 1,
        until_ms: None,
        reason: "no answer".to_owned(),
    };
    let order = SigningRow {
        no: 1,
        state: SigningState::InOutage,
        tse: TseNo(1),
        transaction: None,
        doubt: None,
        outage: Some(1),
    };
    let signing = Signing {
        tses: vec![tse],
        outages: vec![outage],
        orders: vec![order],
        done_to: Some(world.store.memory_reader().head().unwrap().0),
        ..Signing::default()
    };
    world.writer.ask(Request::Sign(Box::new(signing))).await.unwrap();
}

#[tokio::test]
async fn what_a_wristband_is_cannot_be_changed_once_there_are_orders() {
    const E_MONEY: &str = "value=e-money&why=because&confirm=yes";
    const VOUCHER: &str = "value=voucher&why=because&confirm=yes";
    let mut world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    let answer = world.post(&cookie, "/tax/wristband_is", E_MONEY).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    world.trade().await;
    let waiting = world.post(&cookie, "/tax/wristband_is", VOUCHER).await;
    assert!(
        waiting.text.contains("dieselbe Geschichte"),
        "an order that waits may be at the TSE by now"
    );
    let mut world = World::new().await;
    comes_off(&mut world).await;
    let cookie = world.session(Role::Admin).await;
    let page = world.get(&cookie, "/tax").await.text;
    assert!(!page.contains("action=\"/tax/wristband_is\"") && page.contains("dieselbe Geschichte"));
    let answer = world.post(&cookie, "/tax/wristband_is", E_MONEY).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("neue Veranstaltung"), "it says what instead");
    assert_eq!(rows(&world), []);
    let answer = world.post(&cookie, "/tax/outage_policy", GOOD).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "the others can be");
}

#[tokio::test]
async fn what_a_program_cannot_know_is_entered_and_the_file_holds_it() {
    let mut world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    assert!(world.get(&cookie, "/tax").await.text.contains("Noch keine Kasse"));
    assert_eq!(
        world.get(&cookie, "/tax/notification/1").await.status,
        StatusCode::NOT_FOUND
    );
    comes_off(&mut world).await;
    let client = fiscal::signer::client_of(sample::EVENT, world.bar.till);
    let row = store::ClientRow {
        tse: TseNo(1),
        client: client.clone(),
        taxpayer: sample::ORGANISER,
        from_ms: 1_815_732_000_000,
        until_ms: None,
    };
    let signing = Signing {
        clients: vec![row],
        ..Signing::default()
    };
    world.writer.ask(Request::Sign(Box::new(signing))).await.unwrap();
    let page = world.get(&cookie, "/tax").await.text;
    assert!(
        page.contains("Mitzuteilen bis ") && page.contains("16.08.2027"),
        "due a month after it was first seen"
    );
    let form = |what: &str, serial: &str, value: &str| {
        format!("taxpayer=1&what={what}&serial={serial}&value={value}&why=invoice+7")
    };
    for wrong in [
        form("acquired", &client, "1.7.2027"),
        form("tse-kind", &client, "usb"),
        form("nothing", &client, "2027-07-01"),
        form("acquired", "all", "2027-07-01").replace("invoice+7", ""),
    ] {
        let answer = world.post(&cookie, "/tax/notification/say", &wrong).await;
        assert!(answer.status.is_client_error(), "{wrong}");
    }
    for right in [form("acquired", "all", "2027-07-01"), form("tse-kind", "all", "usb")] {
        let answer = world.post(&cookie, "/tax/notification/say", &right).await;
        assert_eq!(answer.header(header::LOCATION), "/tax#notification", "{}", answer.text);
    }
    let file = world.get(&cookie, "/tax/notification/1").await;
    assert!(
        file.header(header::CONTENT_DISPOSITION)
            .contains("aufzeichnung146a-1.xml")
    );
    assert!(
        file.text.contains("<AnschaffungAS>01.07.2027</AnschaffungAS>") && file.text.contains("<ArtTSE>2</ArtTSE>")
    );
    let sent = world.post(&cookie, "/tax/notification/1/sent", "why=ticket+12").await;
    assert_eq!(sent.status, StatusCode::UNPROCESSABLE_ENTITY, "not confirmed");
    world
        .clock
        .fetch_max(1_815_732_000_001, std::sync::atomic::Ordering::Relaxed);
    let cookie = world.session(Role::Admin).await;
    world
        .post(&cookie, "/tax/notification/1/sent", "why=ticket+12&confirm=yes")
        .await;
    let page = world.get(&cookie, "/tax").await.text;
    assert!(page.contains("Nichts Neues seit der letzten Mitteilung") && page.contains("ticket 12"));
    let paper = world.get(&cookie, "/tax/procedures/text?language=en").await;
    assert_eq!(paper.text, "procedures");
    assert_eq!(
        world.get(&cookie, "/tax/procedures/exe").await.status,
        StatusCode::NOT_FOUND
    );
}
