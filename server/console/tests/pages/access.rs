//! Every endpoint for everybody, from the one table.

use axum::http::{Method, StatusCode, header};
use console::{Kind, Who, table};
use store::{Reader as _, Role};

use crate::common::World;

/// What tells that nobody was let in.
fn is_turned_away(kind: Kind, status: StatusCode, location: &str) -> bool {
    match kind {
        Kind::Page => status == StatusCode::SEE_OTHER && location.starts_with("/login?next="),
        Kind::Change => status == StatusCode::SEE_OTHER && location == "/login",
        Kind::Data => status == StatusCode::UNAUTHORIZED,
    }
}

#[tokio::test]
async fn every_endpoint_lets_in_exactly_the_roles_of_its_row() {
    let mut world = World::new().await;
    world.trade().await;
    let mut cells = 0;
    for endpoint in table() {
        let path = world.filled(endpoint.path);
        let expired = world.session_at(Role::Admin, 1).await;
        let Who::Roles(roles) = endpoint.who else {
            let answer = world.call(&endpoint.method, &path, &[], "name=x&password=y").await;
            assert!(answer.status == StatusCode::OK || path == "/login", "{path}");
            continue;
        };
        for cookie in [None, Some("session=nonsense"), Some(expired.as_str())] {
            let before = world.audit();
            let headers: Vec<_> = cookie.map(|cookie| (header::COOKIE, cookie)).into_iter().collect();
            let answer = world.head(&endpoint.method, &path, &headers, "").await;
            let location = answer
                .headers()
                .get(header::LOCATION)
                .map_or("", |value| value.to_str().unwrap());
            assert!(
                is_turned_away(endpoint.kind, answer.status(), location),
                "{} {path} {cookie:?}: {}",
                endpoint.method,
                answer.status()
            );
            assert_eq!(world.audit(), before, "{path} did something without a session");
            cells += 1;
        }
        for role in Role::ALL {
            let cookie = world.session(*role).await;
            let before = world.audit();
            let answer = world
                .head(&endpoint.method, &path, &[(header::COOKIE, cookie.as_str())], "")
                .await;
            if roles.contains(role) {
                let location = answer
                    .headers()
                    .get(header::LOCATION)
                    .map_or("", |value| value.to_str().unwrap());
                let refused = answer.status() == StatusCode::FORBIDDEN
                    || answer.status() == StatusCode::UNAUTHORIZED
                    || location.starts_with("/login?")
                    || location == "/login" && path != "/logout";
                assert!(!refused, "{} {path} as {role:?}: {}", endpoint.method, answer.status());
            } else {
                assert_eq!(
                    answer.status(),
                    StatusCode::FORBIDDEN,
                    "{} {path} as {role:?}",
                    endpoint.method
                );
                assert_eq!(world.audit(), before, "{path} did something for {role:?}");
            }
            cells += 1;
        }
    }
    assert!(cells > 200, "{cells}");
}

#[tokio::test]
async fn only_admins_see_users_and_only_the_office_the_audit_log() {
    let may = |path: &str, role| {
        table()
            .into_iter()
            .any(|row| row.path == path && row.who.includes(role))
    };
    assert!(may("/users", Role::Admin) && !may("/users", Role::Finance) && !may("/users", Role::Crew));
    assert!(may("/audit", Role::Finance) && !may("/audit", Role::Crew));
    assert!(may("/orders.csv", Role::Finance) && !may("/orders.csv", Role::Crew));
    assert!(!may("/terminals/{terminal}/lock", Role::Finance));
    assert!(may("/import/{import}/book", Role::Finance) && !may("/import", Role::Crew));
}

#[tokio::test]
async fn a_change_that_another_site_started_is_refused() {
    let world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    for endpoint in table().into_iter().filter(|row| row.method == Method::POST) {
        let path = world.filled(endpoint.path);
        let before = world.audit();
        for foreign in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
        ] {
            let headers = [
                (header::COOKIE, cookie.as_str()),
                (header::HeaderName::from_static(foreign.0), foreign.1),
            ];
            let mut request = axum::http::Request::builder()
                .method(Method::POST)
                .uri(&path)
                .header(header::HOST, "console.example")
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let request = request.body(axum::body::Body::from("tag=04a1b2c3")).unwrap();
            let answer = tower::ServiceExt::oneshot(world.router.clone(), request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{path} {foreign:?}");
        }
        assert_eq!(world.audit(), before, "{path}");
    }
    assert!(world.store.memory_reader().session(&[0; 32]).unwrap().is_none());
}

#[tokio::test]
async fn every_answer_carries_the_guards_also_a_refusal() {
    let world = World::new().await;
    let cookie = world.session(Role::Crew).await;
    for path in ["/", "/login", "/users", "/orders.csv", "/live/dashboard", "/nowhere"] {
        let answer = world
            .head(&Method::GET, path, &[(header::COOKIE, cookie.as_str())], "")
            .await;
        let policy = answer
            .headers()
            .get(header::CONTENT_SECURITY_POLICY)
            .map(|value| value.to_str().unwrap());
        assert!(
            policy.is_some_and(|policy| policy.contains("default-src 'none'") && !policy.contains("unsafe")),
            "{path}"
        );
        assert_eq!(
            answer.headers().get(header::X_CONTENT_TYPE_OPTIONS).unwrap(),
            "nosniff",
            "{path}"
        );
        if path != "/live/dashboard" {
            assert_eq!(
                answer.headers().get(header::CACHE_CONTROL).unwrap(),
                "no-store",
                "{path}"
            );
        }
    }
}
