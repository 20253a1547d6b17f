//! Logging in, staying in, being sent out.

use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode, header};
use store::{Office, Reader as _, Role, UserRow};

use crate::common::{PASSWORD, World, name_of};

fn credentials(name: &str, password: &str) -> String {
    format!("name={name}&password={}&next=/orders", password.replace(' ', "+"))
}

fn cookie_of(answer: &crate::common::Answer) -> String {
    answer.header(header::SET_COOKIE).split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_password_opens_a_session_that_lasts_twelve_hours_and_ends_at_logout() {
    let world = World::new().await;
    let answer = world.post("", "/login", &credentials("ada", PASSWORD)).await;
    assert_eq!(
        (answer.status, answer.header(header::LOCATION)),
        (StatusCode::SEE_OTHER, "/orders")
    );
    let set = answer.header(header::SET_COOKIE);
    assert!(
        set.contains("HttpOnly") && set.contains("SameSite=Strict") && set.contains("Max-Age=43200"),
        "{set}"
    );
    let cookie = cookie_of(&answer);
    assert_eq!(world.get(&cookie, "/").await.status, StatusCode::OK);
    world.clock.fetch_add(12 * 3_600_000 - 1, Ordering::Relaxed);
    assert_eq!(world.get(&cookie, "/").await.status, StatusCode::OK);
    world.clock.fetch_add(1, Ordering::Relaxed);
    assert_eq!(world.get(&cookie, "/").await.status, StatusCode::SEE_OTHER);

    let cookie = cookie_of(&world.post("", "/login", &credentials("ada", PASSWORD)).await);
    assert_eq!(
        world.post(&cookie, "/logout", "").await.header(header::LOCATION),
        "/login"
    );
    assert_eq!(world.get(&cookie, "/").await.status, StatusCode::SEE_OTHER);
    let codes: Vec<_> = world.audit().into_iter().map(|(by, what, _)| (by, what)).collect();
    assert_eq!(
        codes,
        [("ada", "logout"), ("ada", "login"), ("ada", "login")].map(|(by, what)| (by.to_owned(), what.to_owned()))
    );
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let world = World::new().await;
    let wrong = world.post("", "/login", &credentials("ada", "something else")).await;
    let unknown = world.post("", "/login", &credentials("adb", "something else")).await;
    assert_eq!(
        (wrong.status, unknown.status),
        (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
    );
    assert_eq!(wrong.text.replace("ada", "adb"), unknown.text);
    assert!(wrong.headers.get(header::SET_COOKIE).is_none());
    assert_eq!(world.audit().len(), 2);
    assert!(
        world
            .audit()
            .iter()
            .all(|(by, what, _)| by.is_empty() && what == "login.failed")
    );
}

#[tokio::test]
async fn after_five_failures_even_the_right_password_has_to_wait() {
    let world = World::new().await;
    for _ in 0..5 {
        let answer = world.post("", "/login", &credentials("finn", "no")).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = world.post("", "/login", &credentials("finn", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(!answer.header(header::RETRY_AFTER).is_empty());
    let other = world.post("", "/login", &credentials("carla", PASSWORD)).await;
    assert_eq!(other.status, StatusCode::SEE_OTHER);
    world.clock.fetch_add(300_000, Ordering::Relaxed);
    let answer = world.post("", "/login", &credentials("finn", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_new_password_ends_all_older_sessions_but_the_own() {
    let world = World::new().await;
    let (here, there) = (world.session(Role::Crew).await, world.session(Role::Crew).await);
    world.clock.fetch_add(1_000, Ordering::Relaxed);
    let wrong = world
        .post(&here, "/account/password", "old=nope&new=a+whole+sentence")
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let short = world
        .post(&here, "/account/password", "old=correct+horse+battery&new=short")
        .await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(world.get(&there, "/").await.status, StatusCode::OK);
    let done = world
        .post(
            &here,
            "/account/password",
            "old=correct+horse+battery&new=a+whole+sentence",
        )
        .await;
    assert_eq!(done.header(header::LOCATION), "/account?done=1");
    assert_eq!(
        world.get(&cookie_of(&done), "/account?done=1").await.status,
        StatusCode::OK
    );
    for old in [&here, &there] {
        assert_eq!(world.get(old, "/").await.status, StatusCode::SEE_OTHER);
    }
    let again = world
        .post("", "/login", &credentials("carla", "a whole sentence"))
        .await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn whoever_is_deactivated_is_out_at_once() {
    let world = World::new().await;
    let cookie = world.session(Role::Finance).await;
    let user = world
        .store
        .memory_reader()
        .user(name_of(Role::Finance))
        .unwrap()
        .unwrap();
    let office = Office {
        users: vec![UserRow { active: false, ..user }],
        ..Office::default()
    };
    world.keep(office).await;
    assert_eq!(world.get(&cookie, "/").await.status, StatusCode::SEE_OTHER);
    let answer = world.post("", "/login", &credentials("finn", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_login_leads_back_to_the_page_that_was_asked_for() {
    let world = World::new().await;
    let sent = world.call(&Method::GET, "/orders?till=3&kind=1", &[], "").await;
    assert_eq!(
        sent.header(header::LOCATION),
        "/login?next=/orders%3Ftill%3D3%26kind%3D1"
    );
    let form = world.call(&Method::GET, sent.header(header::LOCATION), &[], "").await;
    assert!(
        form.text.contains("value=\"/orders?till=3&amp;kind=1\""),
        "{}",
        form.text
    );
}
