//! The page of the demo: three steps to take, a till and the console side by side, and a switch for every till's network.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::{Stream, stream};
use maud::{Markup, html};
use pages::format::{cents, count};
use pages::{Assets, Language, Preferences, Shell, guard};
use shared_protocol::TillId;

use super::festival::{Festival, Row};
use super::tour::{Offline, Steps};
use crate::receipt;

#[derive(Clone)]
struct Page {
    festival: Arc<Festival>,
    assets: Arc<Assets>,
}

/// The routes.
pub fn routes(festival: Arc<Festival>) -> Router {
    let assets = Arc::new(Assets::new(include_str!("demo.css")));
    let frames = Arc::new(guard::Frames {
        by: None,
        of: Some("http://127.0.0.1:*".to_owned()),
    });
    let served = assets.routes();
    Router::new()
        .route("/", get(show))
        .route("/live", get(live))
        .route("/act", post(act))
        .route("/receipt", get(newest_receipt))
        .merge(pages::preferences::routes())
        .merge(served)
        .layer(middleware::from_fn(guard::same_origin))
        .layer(middleware::from_fn(guard::headers))
        .layer(middleware::from_fn_with_state(frames, guard::frames))
        .with_state(Page { festival, assets })
}

async fn show(State(page): State<Page>, preferences: Preferences) -> Response {
    let words = preferences.language;
    let festival = &page.festival;
    let console = format!("http://{}/", festival.address);
    let Ok(moving) = moving(festival, words) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let content = html! {
        header .demo-top {
            h1 { "Groschen" }
            p { (words.of("Musterfestival im Zeitraffer.", "A sample festival in time-lapse.")) " "
                span .simulated { (words.of("Kassen, Gäste und TSE sind simuliert, nichts hiervon ist zertifiziert.", "Tills, guests and TSE are simulated; nothing here is certified.")) } }
            (Shell::preferences_form(preferences))
        }
        main #main .demo {
            aside .guide aria-label=(words.of("Rundgang", "Tour")) { (moving) }
            div .windows {
                section aria-label=(words.of("Deine Kasse", "Your till")) {
                    nav .row aria-label=(words.of("Welche Kasse", "Which till")) {
                        h2 { (words.of("Deine Kasse", "Your till")) }
                        a .button href=(festival.bar.url()) target="till" { "Bar am See" }
                        a .button href=(festival.top_up.url()) target="till" { (words.of("Aufladen Nord", "Top-up north")) }
                        a href=(festival.bar.url()) target="_blank" rel="opener" { (words.of("im eigenen Fenster", "in its own window")) }
                    }
                    iframe #till name="till" title=(words.of("Kasse zum Ausprobieren", "Till to try")) src=(festival.bar.url()) {}
                }
                section aria-label=(words.of("Konsole", "Console")) {
                    nav .row aria-label=(words.of("Konsole öffnen", "Open the console")) {
                        h2 { (words.of("Konsole", "Console")) }
                        a .button href=(console) target="console" { (words.of("Übersicht", "Dashboard")) }
                        a .button href=(format!("{console}orders")) target="console" { (words.of("Buchungen", "Orders")) }
                        a href=(console) target="_blank" rel="opener" { (words.of("im eigenen Fenster", "in its own window")) }
                    }
                    iframe #console name="console" title=(words.of("Konsole des Servers", "The server's console")) src=(console) {}
                }
            }
            (tills(festival, words))
        }
    };
    let shell = Shell {
        assets: &page.assets,
        preferences,
        title: words.of("Demo", "Demo"),
        class: "demo-page",
        live: Some("/live"),
    };
    let cookie = [(header::SET_COOKIE, festival.console_cookie.clone())];
    (cookie, shell.around(&content)).into_response()
}

/// What moves above the windows: the tour and the figures.
fn moving(festival: &Festival, words: Language) -> anyhow::Result<Markup> {
    if let Some(screen) = festival.bar.screen() {
        festival.tour.observe(&screen);
    }
    let figures = festival.figures(words)?;
    Ok(html! {
        (tour(festival.tour.steps(), festival.bar.is_cut(), words))
        dl #figures .figures { @for (what, value) in figures { div { dt { (what) } dd { (value) } } } }
    })
}

fn step(done: bool, here: bool, title: &str, words: Language, inside: &Markup) -> Markup {
    html! {
        li .done[done] aria-current=[here.then_some("step")] {
            h3 { (title) @if done { " " span .state.good { "✓ " (words.of("erledigt", "done")) } } }
            (inside)
        }
    }
}

fn tour(steps: Steps, is_cut: bool, words: Language) -> Markup {
    let there = steps.offline == Offline::Arrived;
    html! {
        ol #tour .tour aria-label=(words.of("Die erste Minute", "The first minute")) {
            (step(steps.sold, !steps.sold, words.of("1. Verkaufe ein Bier", "1. Sell a beer"), words, &html! {
                p { (words.of("Tippe auf Pils und dann auf Band 1: so hält der Gast sein Band hin. Mehr ist es nicht.", "Tap Pilsner, then Wristband 1: the guest holds it. That is all.")) }
            }))
            (step(there, steps.sold && !there, words.of("2. Verkaufe ohne Netz", "2. Sell without the network"), words, &html! {
                p { (words.of("Kappe das Netz, verkaufe noch eins, flicke es wieder. Nichts geht verloren, nichts doppelt.", "Cut the network, sell another one, mend it. Nothing is lost or booked twice.")) }
                form method="post" action="/act" data-quiet="" {
                    @if is_cut { button .main name="do" value="all mend" { (words.of("Netz flicken", "Mend the network")) } }
                    @else { button name="do" value="all cut" { (words.of("Netz aller Kassen kappen", "Cut the network of all tills")) } }
                }
            }))
            (step(steps.looked, there && !steps.looked, words.of("3. Sieh nach", "3. Look"), words, &html! {
                p { (words.of("Der Beleg deines Verkaufs ist signiert, sein QR-Code lässt sich prüfen. In der Konsole steht er bei den Buchungen.", "The receipt of your sale is signed, its QR code can be checked. The console has it among the orders.")) }
                @if steps.last.is_some() { p { a .button href="/receipt" target="_blank" rel="opener" { (words.of("Beleg öffnen", "Open the receipt")) } } }
            }))
        }
    }
}

fn state_of(row: &Row, words: Language) -> (bool, &'static str, String) {
    let state = row.state.borrow().clone();
    let unsent = count(u128::from(state.unsent), words);
    let text = match (state.online, state.unsent) {
        (true, 0) => words.of("✓ verbunden", "✓ online").to_owned(),
        (true, _) => format!("↑ {} {unsent}", words.of("sendet", "sending")),
        (false, _) => format!(
            "● offline · {} {unsent}",
            words.of("mind. ungesendet", "at least unsent")
        ),
    };
    (state.cut, if state.online { "good" } else { "warn" }, text)
}

fn tills(festival: &Festival, words: Language) -> Markup {
    html! {
        section #tills .sheet {
            div .row {
                h2 { (words.of("Kassen, die von selbst verkaufen", "Tills that sell by themselves")) }
                form .row method="post" action="/act" data-quiet="" {
                    button name="do" value="all cut" { (words.of("Alle kappen", "Cut all")) }
                    button name="do" value="all mend" { (words.of("Alle flicken", "Mend all")) }
                }
            }
            form method="post" action="/act" data-quiet="" {
                table {
                    caption .visually-hidden { (words.of("Kassen und ihr Netz", "Tills and their network")) }
                    thead { tr {
                        th scope="col" { (words.of("Kasse", "Till")) } th scope="col" { (words.of("Zustand", "State")) }
                        th scope="col" .amount { (words.of("Buchungen", "Orders")) } th scope="col" .amount { (words.of("Summe", "Sum")) }
                        th scope="col" { (words.of("Netz und Akku", "Network and battery")) }
                    } }
                    tbody { @for row in &festival.rows {
                        @let (cut, class, text) = state_of(row, words);
                        @let (orders, total) = { let state = row.state.borrow(); (state.orders, state.total_cents) };
                        tr #(format!("till-{}", row.till)) {
                            th scope="row" { (row.name) }
                            td { span .state.(class) { (text) } }
                            td .amount { (count(u128::from(orders), words)) }
                            td .amount { (cents(i128::from(total), words)) }
                            td .row {
                                @if cut { button name="do" value=(format!("mend {}", row.till)) { (words.of("Flicken", "Mend")) span .visually-hidden { ": " (row.name) } } }
                                @else { button name="do" value=(format!("cut {}", row.till)) { (words.of("Kappen", "Cut")) span .visually-hidden { ": " (row.name) } } }
                                button name="do" value=(format!("battery {}", row.till)) { (words.of("Akku raus", "Pull battery")) span .visually-hidden { ": " (row.name) } }
                            }
                        }
                    } }
                }
            }
        }
    }
}

/// How often the page is brought up to date.
const REDRAW: Duration = Duration::from_millis(400);

async fn live(
    State(page): State<Page>,
    preferences: Preferences,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let drawn = stream::unfold((page.festival, String::new()), move |(festival, last)| async move {
        loop {
            tokio::time::sleep(REDRAW).await;
            let drawing = Arc::clone(&festival);
            let words = preferences.language;
            let html = tokio::task::spawn_blocking(move || {
                let moving = moving(&drawing, words)?;
                anyhow::Ok(format!(
                    "{}{}",
                    moving.into_string(),
                    tills(&drawing, words).into_string()
                ))
            });
            match html.await {
                Ok(Ok(html)) if html != last => return Some((Ok(Event::default().data(&html)), (festival, html))),
                Ok(Ok(_)) => {}
                // The festival has ended.
                Ok(Err(_)) | Err(_) => return None,
            }
        }
    });
    Sse::new(drawn).keep_alive(KeepAlive::default())
}

#[derive(serde::Deserialize)]
struct Line {
    #[serde(rename = "do")]
    button: String,
}

async fn act(State(page): State<Page>, headers: HeaderMap, Form(line): Form<Line>) -> Response {
    let festival = &page.festival;
    let (verb, place) = line.button.split_once(' ').unwrap_or((&line.button, ""));
    let till = place.parse().map(TillId);
    match (verb, place, till) {
        ("all", "cut", _) => festival.cut_all(true).await,
        ("all", "mend", _) => festival.cut_all(false).await,
        ("cut", _, Ok(till)) => festival.cut(till, true),
        ("mend", _, Ok(till)) => festival.cut(till, false),
        ("battery", _, Ok(till)) => festival.pull_the_battery(till),
        _ => return StatusCode::BAD_REQUEST.into_response(),
    }
    if headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate") {
        Redirect::to("/").into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// The receipt of what the visitor sold last.
async fn newest_receipt(State(page): State<Page>) -> Redirect {
    let festival = &page.festival;
    match festival.tour.steps().last {
        Some(order) => {
            festival.tour.looked();
            Redirect::to(&format!("http://{}{}/{order}", festival.address, receipt::page::PATH))
        }
        None => Redirect::to("/"),
    }
}
