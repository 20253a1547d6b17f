//! What is done from pages: terminals, registrations, cases, wristbands, users. Each leaves a row in the audit log.

use axum::http::{StatusCode, header};
use engine::{Known, Reply, Request};
use fixtures::paper::PaperTill;
use shared_protocol::TerminalId;
use shared_protocol::crypto::Hash32;
use shared_protocol::invitation::Invitation;
use shared_protocol::message::TerminalState;
use store::{CaseState, Reader as _, Role};

use crate::common::{World, tag};

#[tokio::test]
async fn a_terminal_is_locked_and_freed_and_the_log_says_by_whom() {
    let world = World::new().await;
    let cookie = world.session(Role::Crew).await;
    let at = format!("/terminals/{}", world.bar.id);
    let state = || {
        world
            .store
            .memory_reader()
            .terminal(world.bar.id)
            .unwrap()
            .unwrap()
            .state
    };
    assert_eq!(
        world
            .post(&cookie, &format!("{at}/lock"), "")
            .await
            .header(header::LOCATION),
        at
    );
    assert_eq!(state(), TerminalState::Locked);
    assert!(world.get(&cookie, &at).await.text.contains("Freigeben"));
    world.post(&cookie, &format!("{at}/unlock"), "").await;
    assert_eq!(state(), TerminalState::Active);
    let log_out = world.post(&cookie, &format!("{at}/logout"), "").await;
    assert_eq!(log_out.status, StatusCode::UNPROCESSABLE_ENTITY, "it is not connected");
    let done: Vec<_> = world
        .audit()
        .into_iter()
        .map(|(by, what, _)| format!("{by} {what}"))
        .collect();
    assert_eq!(
        done,
        ["carla terminal.logout", "carla terminal.unlock", "carla terminal.lock"]
    );
    assert_eq!(
        world
            .post(&cookie, &format!("/terminals/{}/lock", TerminalId([9; 16])), "")
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_printed_code_becomes_a_terminal_after_somebody_compared_six_digits() {
    let world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    let sheet = world
        .post(&cookie, "/registrations", "till=101&till=102&till=99999")
        .await;
    assert_eq!(sheet.status, StatusCode::OK);
    let codes: Vec<_> = sheet
        .text
        .split("<code>")
        .skip(1)
        .map(|rest| Invitation::parse(rest.split('<').next().unwrap()).unwrap())
        .collect();
    assert_eq!(codes.len(), 2);
    assert_eq!(sheet.text.matches("<svg class=\"qr\"").count(), 2);
    assert_eq!(codes[0].server, "ws://console.example/terminal");
    assert_eq!(codes[0].config_key, Some(Hash32([3; 32])));

    let till = PaperTill::new(shared_protocol::TillId(101), 7);
    let nonce = Hash32([5; 32]);
    let register = Box::new(till.register(codes[0].slot, &codes[0].secret, &nonce));
    let request = Request::Register {
        register,
        nonce,
        terminal: till.id,
    };
    let Reply::Register(Known::Pending { code }) = world.writer.ask(request).await.unwrap() else {
        panic!("somebody has to confirm it")
    };
    let page = world.get(&cookie, "/registrations").await;
    assert!(page.text.contains(&code) && page.text.contains("Zeigt das Gerät genau diese Ziffern?"));
    let at = format!("/registrations/{}/confirm", codes[0].slot);
    assert_eq!(
        world.post(&cookie, &at, "code=000000x").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let done = world.post(&cookie, &at, &format!("code={code}")).await;
    assert_eq!(done.header(header::LOCATION), "/registrations");
    assert_eq!(world.store.memory_reader().terminals().unwrap().len(), 3);
    assert_eq!(
        world.post(&cookie, &at, &format!("code={code}")).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert!(!world.get(&cookie, "/registrations").await.text.contains(&code));
    assert_eq!(
        world.post(&cookie, "/registrations", "").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn a_slot_that_is_over_says_so() {
    let world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    world.post(&cookie, "/registrations", "till=101").await;
    world
        .clock
        .fetch_add(24 * 3_600_000, std::sync::atomic::Ordering::Relaxed);
    let cookie = world.session(Role::Admin).await;
    assert!(world.get(&cookie, "/registrations").await.text.contains("abgelaufen"));
}

#[tokio::test]
async fn a_case_is_taken_explained_resolved_and_opened_again() {
    let mut world = World::new().await;
    world.trade().await;
    let (carla, finn) = (world.session(Role::Crew).await, world.session(Role::Finance).await);
    assert!(
        world
            .get(&carla, "/cases")
            .await
            .text
            .contains("Band konnte nicht zahlen")
    );
    world.post(&carla, "/cases/1/take", "").await;
    let page = world.get(&finn, "/cases/1").await;
    assert!(page.text.contains("carla") && page.text.contains("in Arbeit") && page.text.contains("Ich kümmere mich"));
    assert_eq!(
        world.post(&finn, "/cases/1/note", "text=+&state=3").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    world
        .post(&finn, "/cases/1/note", "text=Gast+hat+bezahlt&state=3")
        .await;
    let row = world.store.memory_reader().case(1).unwrap().unwrap();
    assert_eq!((row.state, row.owner.as_deref()), (CaseState::Resolved, Some("carla")));
    assert!(world.get(&finn, "/cases").await.text.contains("Alles ist geklärt"));
    assert!(world.get(&finn, "/cases?state=3").await.text.contains("/cases/1"));
    assert!(
        world
            .get(&finn, "/cases?state=all&owner=carla")
            .await
            .text
            .contains("/cases/1")
    );
    assert_eq!(
        world.post(&carla, "/cases/1/take", "").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    world.post(&carla, "/cases/1/note", "text=doch+nicht&state=1").await;
    let row = world.store.memory_reader().case(1).unwrap().unwrap();
    assert_eq!((row.state, row.owner), (CaseState::Open, None));
    let page = world.get(&finn, "/cases/1").await;
    assert!(page.text.contains("Gast hat bezahlt") && page.text.contains("doch nicht"));
    let done: Vec<_> = world
        .audit()
        .into_iter()
        .map(|(by, what, _)| format!("{by} {what}"))
        .collect();
    assert_eq!(done, ["carla case.reopen", "finn case.resolve", "carla case.take"]);
}

#[tokio::test]
async fn a_wristband_is_blocked_with_a_reason_and_freed() {
    let mut world = World::new().await;
    world.trade().await;
    let cookie = world.session(Role::Crew).await;
    let at = format!("/wristbands?tag={}", tag(1));
    let done = world
        .post(&cookie, "/wristbands/block", &format!("tag={}&reason=2", tag(1)))
        .await;
    assert_eq!(done.header(header::LOCATION), at);
    assert!(world.get(&cookie, &at).await.text.contains("verloren gemeldet</span>"));
    world
        .post(&cookie, "/wristbands/unblock", &format!("tag={}", tag(1)))
        .await;
    assert!(world.get(&cookie, &at).await.text.contains("darf zahlen"));
    assert_eq!(
        world.post(&cookie, "/wristbands/block", "tag=zz&reason=1").await.status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        world
            .post(&cookie, "/wristbands/block", &format!("tag={}&reason=77", tag(1)))
            .await
            .status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn users_come_get_other_roles_and_go_and_one_admin_always_stays() {
    let world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    let page = world.post(&cookie, "/users", "name=mira&role=3").await;
    let password = page
        .text
        .split("digits id\">")
        .nth(1)
        .unwrap()
        .split('<')
        .next()
        .unwrap()
        .to_owned();
    let login = world
        .post("", "/login", &format!("name=mira&password={password}"))
        .await;
    assert_eq!(login.status, StatusCode::SEE_OTHER);
    let own = login.header(header::SET_COOKIE).split(';').next().unwrap().to_owned();
    assert_eq!(world.get(&own, "/").await.status, StatusCode::OK);

    assert_eq!(
        world.post(&cookie, "/users", "name=mira&role=1").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        world.post(&cookie, "/users", "name=%3Cb%3E&role=1").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    for last in ["name=ada&verb=deactivate", "name=ada&verb=role&role=3"] {
        assert_eq!(
            world.post(&cookie, "/users/change", last).await.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{last}"
        );
    }
    world.clock.fetch_add(1_000, std::sync::atomic::Ordering::Relaxed);
    world.post(&cookie, "/users/change", "name=mira&verb=role&role=1").await;
    assert_eq!(
        world.get(&own, "/").await.status,
        StatusCode::SEE_OTHER,
        "another role begins with another login"
    );
    assert_eq!(
        world
            .post(&cookie, "/users/change", "name=ada&verb=role&role=2")
            .await
            .header(header::LOCATION),
        "/users"
    );
    let reader = &mut world.store.memory_reader();
    assert_eq!(reader.user("ada").unwrap().unwrap().role, Role::Finance);
    assert!(!world.audit().is_empty());
}
