//! Pages that hear of changes.

use std::time::{Duration, Instant};

use axum::http::{Method, StatusCode, header};
use fixtures::sample;
use futures_util::StreamExt as _;
use store::Role;

use crate::common::{World, tag};

/// The next message of a stream that is not empty.
async fn next(stream: &mut axum::body::BodyDataStream, within: Duration) -> Option<String> {
    let until = tokio::time::Instant::now() + within;
    let mut message = String::new();
    loop {
        let part = tokio::time::timeout_at(until, stream.next()).await.ok()??.unwrap();
        message.push_str(std::str::from_utf8(&part).unwrap());
        if message.contains("data:") && message.ends_with("\n\n") {
            return Some(message);
        }
    }
}

#[tokio::test]
async fn a_sale_is_on_the_dashboard_within_two_seconds() {
    let mut world = World::new().await;
    world.trade().await;
    let cookie = world.session(Role::Crew).await;
    let answer = world
        .head(
            &Method::GET,
            "/live/dashboard",
            &[(header::COOKIE, cookie.as_str())],
            "",
        )
        .await;
    assert_eq!(answer.headers().get(header::CONTENT_TYPE).unwrap(), "text/event-stream");
    let mut stream = answer.into_body().into_data_stream();
    let first = next(&mut stream, Duration::from_secs(6)).await.unwrap();
    assert!(first.contains("id=\"figures\"") && first.contains("2\u{202f}") || first.contains("2 Verkäufe"));
    world.clock.fetch_add(2_000, std::sync::atomic::Ordering::Relaxed);
    let sold = Instant::now();
    world.bar.sell(tag(1), &[(sample::PILS, 1)]);
    world.sync(1).await;
    loop {
        let message = next(&mut stream, Duration::from_secs(3))
            .await
            .expect("a message after the sale");
        if message.contains("3 Verkäufe") {
            break;
        }
        assert!(sold.elapsed() < Duration::from_secs(2), "the sale is not there");
    }
    assert!(sold.elapsed() < Duration::from_secs(2), "{:?}", sold.elapsed());
    world.context.close();
    assert_eq!(
        next(&mut stream, Duration::from_secs(3)).await,
        None,
        "the server's end ends the stream"
    );
}

#[tokio::test]
async fn every_listener_hears_in_the_own_language_and_there_is_a_limit() {
    let mut world = World::new().await;
    world.trade().await;
    let cookie = world.session(Role::Crew).await;
    let english = format!("{cookie}; language=en");
    let mut streams = Vec::new();
    for (path, cookie) in [
        ("/live/terminals", &cookie),
        ("/live/terminals", &english),
        ("/live/tv", &english),
    ] {
        let answer = world
            .head(&Method::GET, path, &[(header::COOKIE, cookie.as_str())], "")
            .await;
        streams.push(answer.into_body().into_data_stream());
    }
    let messages = [
        next(&mut streams[0], Duration::from_secs(6)).await.unwrap(),
        next(&mut streams[1], Duration::from_secs(6)).await.unwrap(),
        next(&mut streams[2], Duration::from_secs(6)).await.unwrap(),
    ];
    assert!(messages[0].contains("Noch nicht gesendet") && messages[1].contains("Not sent yet"));
    assert!(messages[2].contains("Revenue today"));
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..300 {
        let answer = world
            .head(&Method::GET, "/live/tv", &[(header::COOKIE, english.as_str())], "")
            .await;
        refused += usize::from(answer.status() == StatusCode::SERVICE_UNAVAILABLE);
        open.push(answer);
    }
    assert_eq!(refused, 300 - (256 - 3));
    drop(open);
    let answer = world
        .head(&Method::GET, "/live/tv", &[(header::COOKIE, english.as_str())], "")
        .await;
    assert_eq!(answer.status(), StatusCode::OK, "who leaves makes room");
}
