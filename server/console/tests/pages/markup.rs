//! What every page has to be: whole in both languages, labelled, without anything inline, and deaf to what somebody typed.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, header};
use console::{Kind, table};
use fixtures::sample;
use shared_protocol::catalogue::Text;
use shared_protocol::config::Item;
use store::Role;

use crate::common::{World, tag};

/// A tag of a page: its name, its attributes, and the text after it.
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
    text: String,
}

/// Reads what maud writes: attributes in double quotes, `<` and `>` escaped everywhere else.
fn tags(html: &str) -> Vec<Tag> {
    let parts = html.split('<').skip(1);
    let tags = parts.map(|part| {
        let (inside, text) = part.split_once('>').expect("every tag ends");
        let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
        let mut attributes = BTreeMap::new();
        while !rest.trim().is_empty() {
            rest = rest.trim_start();
            let end = rest.find([' ', '=']).unwrap_or(rest.len());
            let key = rest[..end].to_owned();
            rest = &rest[end..];
            let value = if let Some(quoted) = rest.strip_prefix("=\"") {
                let (value, after) = quoted.split_once('"').expect("every value ends");
                rest = after;
                value
            } else {
                ""
            };
            attributes.insert(key, value.to_owned());
        }
        Tag {
            name: name.to_owned(),
            attributes,
            text: text.to_owned(),
        }
    });
    tags.collect()
}

/// Every page with something on it.
fn addresses(world: &World) -> Vec<String> {
    let rows = table()
        .into_iter()
        .filter(|row| row.method == Method::GET && row.kind == Kind::Page);
    let mut all: Vec<String> = rows
        .map(|row| world.filled(row.path))
        .filter(|path| path != "/login")
        .collect();
    all.extend([
        "/orders/2".to_owned(),
        "/orders/3".to_owned(),
        format!("/wristbands?tag={}", tag(1)),
        format!("/wristbands?tag={}", tag(2)),
        "/search?q=1".to_owned(),
        "/search?q=nothing".to_owned(),
        "/orders?kind=99".to_owned(),
        "/cases?state=all".to_owned(),
        "/account?done=1".to_owned(),
    ]);
    all
}

fn check(path: &str, language: &str, html: &str) {
    assert!(html.starts_with("<!DOCTYPE html>"), "{path}");
    let tags = tags(html);
    let has = |tag: &Tag, name: &str| tag.attributes.contains_key(name);
    let ids: Vec<_> = tags.iter().filter_map(|tag| tag.attributes.get("id")).collect();
    assert_eq!(
        ids.iter().collect::<BTreeSet<_>>().len(),
        ids.len(),
        "{path}: an id is there twice: {ids:?}"
    );
    assert!(
        tags.iter()
            .any(|tag| tag.name == "html" && tag.attributes["lang"] == language),
        "{path}"
    );
    let labelled: BTreeSet<_> = tags
        .iter()
        .filter(|tag| tag.name == "label")
        .filter_map(|tag| tag.attributes.get("for"))
        .collect();
    let (mut in_label, mut in_paragraph) = (0_i32, 0_i32);
    for (at, tag) in tags.iter().enumerate() {
        in_label += i32::from(tag.name == "label") - i32::from(tag.name == "/label");
        in_paragraph += i32::from(tag.name == "p") - i32::from(tag.name == "/p");
        let block = ["form", "ul", "ol", "dl", "div", "table", "section", "h2", "p"].contains(&tag.name.as_str());
        assert!(
            in_paragraph <= i32::from(tag.name == "p") || !block,
            "{path}: {} in a paragraph, which ends it",
            tag.name
        );
        assert!(!has(tag, "style"), "{path}: a style inline");
        assert!(
            tag.attributes.keys().all(|name| !name.starts_with("on")),
            "{path}: a script inline in {}",
            tag.name
        );
        assert!(tag.name != "style", "{path}: a style inline");
        if tag.name == "script" {
            assert!(has(tag, "src") && tag.text.is_empty(), "{path}: a script inline");
        }
        if ["input", "select", "textarea"].contains(&tag.name.as_str())
            && tag.attributes.get("type").is_none_or(|kind| kind != "hidden")
        {
            let named = has(tag, "aria-label") || tag.attributes.get("id").is_some_and(|id| labelled.contains(id));
            assert!(
                in_label > 0 || named,
                "{path}: an input {:?} without a label",
                tag.attributes
            );
        }
        if tag.name == "form" && tag.attributes.get("method").is_some_and(|method| method == "post") {
            let action = &tag.attributes["action"];
            let fits = |pattern: &str| {
                let (pattern, action): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), action.split('/').collect());
                pattern.len() == action.len()
                    && pattern
                        .iter()
                        .zip(&action)
                        .all(|(one, other)| one.starts_with('{') || one == other)
            };
            let known = table().iter().any(|row| row.method == Method::POST && fits(row.path));
            assert!(known || action == "/preferences", "{path}: a form goes to {action}");
        }
        if [
            "h1", "h2", "th", "label", "button", "a", "title", "option", "dt", "summary", "legend",
        ]
        .contains(&tag.name.as_str())
        {
            let end = format!("/{}", tag.name);
            let inside = tags[at..].iter().take_while(|other| other.name != end);
            let text: String = inside.map(|other| other.text.trim()).collect();
            let named = has(tag, "aria-label");
            assert!(named || !text.is_empty(), "{path}: an empty {}", tag.name);
        }
    }
}

fn title(html: &str) -> String {
    html.split("<title>")
        .nth(1)
        .unwrap()
        .split("</title>")
        .next()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn every_page_is_whole_in_both_languages() {
    let mut world = World::new().await;
    world.trade().await;
    crate::fiscal::with_tses_and_export(&world).await;
    crate::reports::closed(&world).await;
    let cookie = world.session(Role::Admin).await;
    let mut titles: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in addresses(&world) {
        let mut texts = Vec::new();
        for language in ["de", "en"] {
            let cookies = format!("{cookie}; language={language}");
            let answer = world
                .call(&Method::GET, &path, &[(header::COOKIE, cookies.as_str())], "")
                .await;
            if path.starts_with("/search?q=1") || !path.starts_with("/search?q=") || path.contains("nothing") {
                assert!(answer.status.is_success(), "{path}: {}", answer.status);
            }
            check(&path, language, &answer.text);
            assert!(answer.text.len() < 60_000, "{path}: {} bytes", answer.text.len());
            let of = path.split('?').next().unwrap().to_owned();
            titles
                .entry(format!("{language} {}", title(&answer.text)))
                .or_default()
                .insert(of);
            texts.push(answer.text);
        }
        assert_ne!(texts[0], texts[1], "{path}");
    }
    for (title, pages) in titles {
        assert_eq!(pages.len(), 1, "{title} is the title of {pages:?}");
    }
    for path in ["/login", "/login?next=/orders"] {
        let answer = world.call(&Method::GET, path, &[], "").await;
        check(path, "de", &answer.text);
    }
}

#[tokio::test]
async fn pages_stay_whole_with_nothing_to_show() {
    let world = World::new().await;
    let cookie = world.session(Role::Admin).await;
    for path in [
        "/",
        "/tv",
        "/orders",
        "/terminals",
        "/import",
        "/registrations",
        "/cases",
        "/wristbands",
        "/tse",
        "/exports",
        "/verify",
        "/audit",
        "/users",
        "/search",
    ] {
        for role in Role::ALL {
            let cookie = world.session(*role).await;
            let answer = world.get(&cookie, path).await;
            check(path, "de", &answer.text);
        }
    }
    assert!(world.get(&cookie, "/orders").await.text.contains("Noch keine Buchung"));
}

const PAYLOADS: [&str; 6] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "{{7*7}}${7*7}",
    "';--' OR 1=1",
    "\u{202e}evil\u{2066}",
    "<!--",
];

fn poisoned(payload: &str) -> Vec<Item> {
    let text = || Text::new(payload, payload);
    sample::items()
        .into_iter()
        .map(|item| match item {
            Item::Event { mut item } => {
                item.name = text();
                Item::Event { item }
            }
            Item::Asset { mut item } => {
                item.name = text();
                Item::Asset { item }
            }
            Item::Taxpayer { mut item } => {
                payload.clone_into(&mut item.name);
                payload.clone_into(&mut item.tax_number);
                Item::Taxpayer { item }
            }
            Item::Article { mut item } => {
                item.name = text();
                Item::Article { item }
            }
            Item::Stand { mut item } => {
                item.name = text();
                Item::Stand { item }
            }
            Item::Till { mut item } => {
                payload.clone_into(&mut item.name);
                Item::Till { item }
            }
            Item::Staff { mut item } => {
                payload.clone_into(&mut item.name);
                Item::Staff { item }
            }
            other => other,
        })
        .collect()
}

fn encoded(text: &str) -> String {
    text.bytes()
        .fold(String::new(), |out, byte| format!("{out}%{byte:02X}"))
}

async fn poison(payload: &str) {
    let mut world = World::with(poisoned(payload), &payload.chars().take(1_000).collect::<String>()).await;
    world.trade().await;
    crate::fiscal::with_tses_and_export(&world).await;
    let cookie = world.session(Role::Admin).await;
    let typed = encoded(&payload.chars().take(300).collect::<String>());
    world
        .post(&cookie, "/cases/1/note", &format!("text={typed}&state=2"))
        .await;
    world
        .post("", "/login", &format!("name={typed}&password={typed}"))
        .await;
    let mut paths = addresses(&world);
    for field in [
        "/search?q=",
        "/audit?object=",
        "/wristbands?tag=",
        "/orders?tag=",
        "/orders?till=",
        "/orders?from=",
        "/cases?owner=",
        "/cases?state=",
    ] {
        paths.push(format!("{field}{typed}"));
    }
    paths.push(format!("/login?next={typed}"));
    let mut shown = 0;
    for path in paths {
        let answer = world.get(&cookie, &path).await;
        for raw in ["<script>alert", "<img", "<!--"] {
            assert!(!answer.text.contains(raw), "{path} lets {raw} through");
        }
        if answer.status.is_success() {
            check(&path, "de", &answer.text);
            shown += usize::from(
                answer.text.contains(
                    &*payload
                        .replace('&', "&amp;")
                        .replace('<', "&lt;")
                        .replace('>', "&gt;")
                        .replace('"', "&quot;"),
                ),
            );
        }
    }
    assert!(shown > 10, "{payload} was to be seen on {shown} pages");
    let file = world.get(&cookie, "/orders.csv").await;
    let cells = file.text.lines().skip(1).flat_map(|line| line.split(';'));
    assert!(
        cells
            .filter(|cell| cell.parse::<f64>().is_err())
            .all(|cell| !cell.starts_with(['=', '+', '@']))
    );
}

#[tokio::test]
async fn nothing_that_is_typed_or_named_becomes_markup() {
    for payload in PAYLOADS {
        poison(payload).await;
    }
}

#[tokio::test]
async fn a_name_of_ten_kilobytes_breaks_no_page() {
    let mut world = World::with(poisoned(&"Ä<".repeat(3_400)), "device").await;
    world.trade().await;
    let cookie = world.session(Role::Admin).await;
    for path in ["/orders/3", "/terminals", "/wristbands?tag=04a1b2c3"] {
        let answer = world.get(&cookie, path).await;
        assert!(answer.status.is_success());
        check(path, "de", &answer.text);
    }
    let long = "x".repeat(10_000);
    for field in ["/search?q=", "/audit?object=", "/wristbands?tag="] {
        assert!(
            world.get(&cookie, &format!("{field}{long}")).await.status.is_success(),
            "{field}"
        );
    }
    let note = world
        .post(&cookie, "/cases/1/note", &format!("text={long}&state=3"))
        .await;
    assert_eq!(note.status, axum::http::StatusCode::UNPROCESSABLE_ENTITY);
    let body = world
        .post(&cookie, "/cases/1/note", &format!("text={}", "x".repeat(100_000)))
        .await;
    assert_eq!(body.status, axum::http::StatusCode::PAYLOAD_TOO_LARGE);
}
