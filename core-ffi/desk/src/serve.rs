//! The small server of the page. Who may use it: this machine, with the key that the program printed when it started.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Form, Query, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::{Stream, stream};
use pages::preferences::cookie;
use pages::{Assets, Preferences, Shell, guard};

use crate::act::{Act, Typing, Unclear, counted, pressed, typed};
use crate::desk::Shared;
use crate::model::Model;
use crate::view;

#[derive(Clone)]
struct Page {
    shared: Arc<Shared>,
    assets: Arc<Assets>,
    address: SocketAddr,
}

/// All routes of the page.
pub(crate) fn routes(shared: Arc<Shared>, address: SocketAddr) -> Router {
    let assets = Arc::new(Assets::new(include_str!("desk.css")));
    let frames = Arc::new(guard::Frames {
        by: shared.options.framed_by.clone(),
        of: None,
    });
    let page = Page {
        shared,
        assets: Arc::clone(&assets),
        address,
    };
    Router::new()
        .route("/", get(show))
        .route("/live", get(live))
        .route("/act", post(act))
        .layer(middleware::from_fn_with_state(page.clone(), only_with_key))
        .route("/open", get(open))
        .merge(pages::preferences::routes())
        .merge(assets.routes())
        .layer(middleware::from_fn_with_state(page.clone(), only_this_machine))
        .layer(middleware::from_fn(guard::same_origin))
        .layer(middleware::from_fn(guard::headers))
        .layer(middleware::from_fn_with_state(frames, guard::frames))
        .with_state(page)
}

/// A name that leads here from another site (DNS rebinding) is not one of ours.
async fn only_this_machine(State(page): State<Page>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let here = host
        .is_some_and(|host| host == page.address.to_string() || host == format!("localhost:{}", page.address.port()));
    if here {
        next.run(request).await
    } else {
        (
            StatusCode::MISDIRECTED_REQUEST,
            "This page is served to this machine only.\n",
        )
            .into_response()
    }
}

/// Cookies do not tell ports apart; two desks on one machine must not log each other out.
fn cookie_name(page: &Page) -> String {
    format!("desk{}", page.address.port())
}

async fn only_with_key(State(page): State<Page>, request: Request, next: Next) -> Response {
    if cookie(request.headers(), &cookie_name(&page)) == Some(page.shared.key.as_str()) {
        return next.run(request).await;
    }
    let preferences = Preferences::of(request.headers());
    (
        StatusCode::FORBIDDEN,
        shell(&page, preferences, false).around(&view::locked_out(preferences.language)),
    )
        .into_response()
}

#[derive(serde::Deserialize)]
struct Key {
    key: String,
}

/// The key becomes a cookie, so that it does not stay in the address and its history.
async fn open(State(page): State<Page>, Query(Key { key }): Query<Key>) -> Response {
    let mut response = Redirect::to("/").into_response();
    if key == page.shared.key {
        let cookie = format!("{}={key}; Path=/; HttpOnly; SameSite=Strict", cookie_name(&page));
        if let Ok(cookie) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

fn shell(page: &Page, preferences: Preferences, live: bool) -> Shell<'_> {
    Shell {
        assets: &page.assets,
        preferences,
        title: preferences.language.of("Kasse", "Till"),
        class: "desk-page",
        live: live.then_some("/live"),
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn draw(page: &Page, model: &Model, preferences: Preferences) -> maud::Markup {
    view::desk(model, &page.shared.options, preferences, now_ms())
}

async fn show(State(page): State<Page>, preferences: Preferences) -> impl IntoResponse {
    let model = page.shared.model.borrow().clone();
    shell(&page, preferences, true).around(&draw(&page, &model, preferences))
}

/// "Offline for 4 min" goes on when nothing else happens.
const REDRAW: Duration = Duration::from_secs(20);

async fn live(
    State(page): State<Page>,
    preferences: Preferences,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut models = page.shared.model.subscribe();
    models.mark_changed();
    let drawn = stream::unfold(
        (page, models, String::new()),
        move |(page, mut models, last)| async move {
            loop {
                if let Ok(Err(_)) = tokio::time::timeout(REDRAW, models.changed()).await {
                    return None;
                }
                let model = models.borrow_and_update().clone();
                let html = draw(&page, &model, preferences).into_string();
                if html != last {
                    return Some((Ok(Event::default().data(&html)), (page, models, html)));
                }
            }
        },
    );
    Sse::new(drawn).keep_alive(KeepAlive::default())
}

/// A button, or what was typed.
type Fields = Vec<(String, String)>;

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// Longer than anything a person types here.
const LINE_MAX: usize = 2_048;

async fn act(State(page): State<Page>, headers: HeaderMap, Form(fields): Form<Fields>) -> Response {
    let shared = &page.shared;
    let read = {
        let model = shared.model.borrow();
        read(&fields, &model)
    };
    match read {
        Ok(Act::Cut(_) | Act::Crash | Act::TooEarly { .. } | Act::Plug(_)) if !shared.options.simulation.faults => {
            return StatusCode::NOT_FOUND.into_response();
        }
        Ok(act) => {
            // A page that is left meanwhile must not leave a wristband lying: what was begun is ended, whoever still listens.
            let shared = Arc::clone(shared);
            let _done = tokio::spawn(async move { shared.act(act).await }).await;
        }
        Err(unclear) => shared.misunderstood(unclear),
    }
    // The script stays where it is; without it the page comes back.
    if headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate") {
        Redirect::to("/").into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}

fn read(fields: &Fields, model: &Model) -> Result<Act, Unclear> {
    if fields.iter().any(|(_, value)| value.len() > LINE_MAX) {
        return Err(Unclear::Command);
    }
    if let Some(button) = field(fields, "do") {
        let pieces = fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let pieces = counted(pieces.filter(|(name, _)| name.starts_with("pieces-")))?
            .0
            .to_string();
        let text = if button == "count-drawer" {
            Some(pieces.as_str())
        } else {
            field(fields, "text")
        };
        return pressed(button, text, view::DEVICE);
    }
    let text = field(fields, "typed").ok_or(Unclear::Command)?;
    let till = model.screen.as_ref().and_then(|screen| screen.till);
    match (&model.config, till) {
        (Some(config), Some(till)) => {
            let at = Typing {
                side: model.side_shown(),
                config,
                till,
                last: model.last_article(),
                money: model.money_open(),
            };
            typed(text, at)
        }
        _ if text.trim().is_empty() => Ok(Act::HoldPicked),
        _ => Err(Unclear::Command),
    }
}
