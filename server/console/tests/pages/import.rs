//! The second copy of a dead till: what the office sees of it, and what is booked.

use axum::http::{StatusCode, header};
use shared_protocol::mirror::Record;
use store::{Reader as _, Role};

use crate::common::{World, stick, tag};

fn money(world: &World, number: u32) -> i64 {
    let balance = world
        .store
        .memory_reader()
        .balance(fixtures::sample::EVENT, tag(number))
        .unwrap();
    balance.iter().map(|(_, amount)| amount.0).sum()
}

/// A desk that took two top-ups nobody has, and one that the server has.
async fn dead_desk(world: &mut World) -> fixtures::paper::PaperTill {
    world.desk.top_up(tag(1), 5_000);
    world.sync(2).await;
    let mut dead = world.desk.clone();
    dead.top_up(tag(3), 1_500);
    dead.top_up(tag(4), 2_500);
    dead
}

#[tokio::test]
async fn finance_looks_books_and_finds_it_in_the_audit_log_and_a_second_copy_brings_nothing() {
    let mut world = World::new().await;
    let dead = dead_desk(&mut world).await;
    let cookie = world.session(Role::Finance).await;
    let answer = world.upload(&cookie, &[("a.groschen", &stick(&dead, 3))]).await;
    let path = answer.header(header::LOCATION).to_owned();
    let before = world.audit();
    let page = world.get(&cookie, &path).await.text;
    assert!(
        page.contains("2 neue Einträge buchen") && page.contains("Aufladung") && page.contains("40,00"),
        "{page}"
    );
    assert_eq!((money(&world, 3), world.audit()), (0, before), "looking books nothing");

    let booked = world.post(&cookie, &format!("{path}/book"), "").await;
    assert_eq!(
        (booked.status, booked.header(header::LOCATION)),
        (StatusCode::SEE_OTHER, path.as_str())
    );
    assert_eq!(
        (money(&world, 1), money(&world, 3), money(&world, 4)),
        (5_000, 1_500, 2_500)
    );
    let (by, what, object) = world.audit().remove(0);
    assert_eq!(
        (by.as_str(), what.as_str(), object),
        ("finn", "journal.import", dead.id.to_string())
    );
    let page = world.get(&cookie, &path).await.text;
    assert!(
        page.contains("2</strong>") || page.contains("2 Einträge gebucht"),
        "{page}"
    );
    assert!(page.contains("Einträge gebucht") && !page.contains("neue Einträge buchen"));

    // Twice the button, and the same file once more.
    world.post(&cookie, &format!("{path}/book"), "").await;
    let again = world.upload(&cookie, &[("a.groschen", &stick(&dead, 3))]).await;
    let page = world.get(&cookie, again.header(header::LOCATION)).await.text;
    assert!(
        page.contains("nichts zu buchen") && !page.contains("neue Einträge buchen"),
        "{page}"
    );
    assert_eq!((money(&world, 3), money(&world, 4)), (1_500, 2_500));
}

#[tokio::test]
async fn a_desk_that_comes_back_between_looking_and_booking_is_not_booked_twice() {
    let mut world = World::new().await;
    let dead = dead_desk(&mut world).await;
    let cookie = world.session(Role::Admin).await;
    let answer = world.upload(&cookie, &[("a.groschen", &stick(&dead, 3))]).await;
    let path = answer.header(header::LOCATION).to_owned();
    world.desk = dead;
    world.sync(2).await;
    world.post(&cookie, &format!("{path}/book"), "").await;
    assert_eq!((money(&world, 3), money(&world, 4)), (1_500, 2_500));
    assert_eq!(world.store.memory_reader().cases(0, 10).unwrap(), []);
}

#[tokio::test]
async fn what_was_not_signed_is_listed_and_what_was_changed_is_refused_with_a_reason() {
    let mut world = World::new().await;
    let dead = dead_desk(&mut world).await;
    let cookie = world.session(Role::Admin).await;
    let answer = world.upload(&cookie, &[("a.groschen", &stick(&dead, 2))]).await;
    let page = world.get(&cookie, answer.header(header::LOCATION)).await.text;
    assert!(
        page.contains("1 neuen Eintrag buchen") && page.contains("Nicht gebucht"),
        "{page}"
    );
    assert!(page.contains(&tag(4).to_string()) && page.contains("25,00"));

    let mut richer = dead.clone();
    richer.entries.truncate(2);
    richer.top_up(tag(4), 250_000);
    let mut forged = stick(&richer, 2);
    let head = dead.push_from(1).head;
    forged.extend(Record::Head(head).bytes());
    let answer = world
        .upload(&cookie, &[("b.groschen", &forged), ("c.groschen", b"hello")])
        .await;
    let path = answer.header(header::LOCATION).to_owned();
    let page = world.get(&cookie, &path).await.text;
    assert!(
        page.contains("Eintrag 3 ist nicht das, was das Gerät unterschrieben hat"),
        "{page}"
    );
    assert!(page.contains("c.groschen") && page.contains("keine Zweitkopie") && !page.contains("/book"));
    world.post(&cookie, &format!("{path}/book"), "").await;
    assert_eq!((money(&world, 3), money(&world, 4)), (0, 0));
}

#[tokio::test]
async fn an_upload_without_a_file_or_too_large_books_nothing_and_says_so() {
    let world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    for files in [&[][..], &[("", &b""[..])]] {
        let answer = world.upload(&cookie, files).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.text.contains("keine Datei"), "{}", answer.text);
    }
    let plain = world.post(&cookie, "/import", "file=x").await;
    assert_eq!(plain.status, StatusCode::UNPROCESSABLE_ENTITY);
    let large = vec![0; 65 * 1024 * 1024];
    let answer = world.upload(&cookie, &[("large.groschen", &large)]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.text.contains("zu viel auf einmal"), "{}", answer.text);
    let gone = world.get(&cookie, "/import/0123").await;
    assert_eq!(gone.status, StatusCode::UNPROCESSABLE_ENTITY);
}
