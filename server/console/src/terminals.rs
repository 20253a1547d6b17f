//! The terminals: who is there, what is still to come from each, and what may be done about one.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use engine::Request;
use maud::{Markup, html};
use pages::Language;
use pages::format::{Clock, count, duration};
use shared_protocol::ids::mint;
use shared_protocol::message::{CommandKind, TerminalState};
use shared_protocol::{CommandId, TerminalId};
use store::{Chain, TerminalRow};
use sync::server::random;

use crate::dashboard::heard;
use crate::fault::Fault;
use crate::figures::{Figures, TerminalNow, terminals};
use crate::frame::{Page, clock_of};
use crate::words::{Names, online, terminal_state};

pub(crate) async fn page(page: Page) -> Response {
    let words = page.words;
    let made = page.context.live.figures(&page.context).await.map(|figures| {
        let content = html! {
            p.row {
                @if page.may_devices() { a.button.main href="/registrations" data-key="n" { (words.of("Geräte registrieren", "Register terminals")) } }
                @if page.may(&Method::GET, "/import") { a.button href="/import" { (words.of("Zweitkopie einlesen", "Import a second copy")) } }
            }
            (table(&figures, &page.clock, words))
        };
        page.show_live(words.of("Geräte", "Terminals"), &content, "/live/terminals")
    });
    page.done(made)
}

/// What live pages get when something changed.
pub(crate) fn fragments(figures: &Figures, words: Language) -> Markup {
    let clock = Clock::new(&figures.config.event.time_zone, words);
    html! {
        (clock_of(&clock, figures.now_ms, words))
        (table(figures, &clock, words))
    }
}

fn table(figures: &Figures, clock: &Clock, words: Language) -> Markup {
    let names = Names {
        config: &figures.config,
        words,
    };
    let (there, all) = figures.online();
    html! {
        section #terminals {
            @if all == 0 {
                p.note { (words.of("Noch kein Gerät registriert. Registriere eines mit einem QR-Code für seine Kasse.", "No terminal is registered yet. Register one with a QR code for its till.")) }
            } @else {
                p.row {
                    strong { (there) " / " (all) " " (words.of("online", "online")) }
                    span { @if figures.unsent() > 0 { (words.of("zusammen mindestens", "at least")) " " (count(figures.unsent(), words)) " " (words.of("nicht gesendet", "not sent in all")) } }
                    span.quiet { (words.of("Stand", "As of")) " " (clock.second(figures.now_ms)) }
                }
                div.scroll tabindex="0" role="region" aria-label=(words.of("Geräte", "Terminals")) {
                    table data-rows {
                        caption.visually-hidden { (words.of("Geräte nach Kassen", "Terminals by till")) }
                        thead { tr {
                            th scope="col" { (words.of("Kasse", "Till")) } th scope="col" { (words.of("Stand", "Stand")) }
                            th scope="col" { (words.of("Gerät", "Device")) } th scope="col" { (words.of("Zustand", "State")) }
                            th scope="col" { (words.of("Verbindung", "Connection")) } th scope="col" { (words.of("Noch nicht gesendet", "Not sent yet")) }
                            th scope="col" { (words.of("Registriert", "Registered")) }
                        } }
                        tbody { @for terminal in &figures.terminals {
                            tr {
                                td { a href=(format!("/terminals/{}", terminal.row.id)) { bdi { (names.till(terminal.row.till)) } } }
                                td { bdi { (names.stand_of(terminal.row.till)) } }
                                td { bdi.clip { (device(&terminal.row)) } }
                                td { (terminal_state(terminal.row.state, words)) }
                                td { (online(terminal.online, words)) @if !terminal.online { " " small { (heard(terminal.heard.map(|heard| heard.at_ms), clock, words)) } } }
                                td { (unsent(terminal, words)) }
                                td.nowrap { (clock.short(terminal.row.registered_at_ms)) }
                            }
                        } }
                    }
                }
            }
        }
    }
}

fn device(row: &TerminalRow) -> &str {
    if row.device.is_empty() { "–" } else { &row.device }
}

/// An honest lower bound: what was announced and is not here.
fn unsent(terminal: &TerminalNow, words: Language) -> Markup {
    html! {
        @match (terminal.unsent, terminal.heard) {
            (0, Some(_)) => "0",
            (0, None) => span.quiet { (words.of("unbekannt", "unknown")) },
            (some, _) => span.state.warn { (words.of("mindestens", "at least")) " " (count(some, words)) },
        }
        // A till that was never heard of again shows by the receipts that its guests open.
        @if terminal.guest_knows_more { " " small { (words.of("laut Beleg eines Gastes", "by a guest's receipt")) } }
    }
}

struct Found {
    terminal: TerminalNow,
    chains: Vec<Chain>,
}

async fn load(page: &Page, id: &str) -> Result<Found, Fault> {
    let id = TerminalId::parse(id).ok_or(Fault::NotFound)?;
    let (event, hub) = (page.context.event, Arc::clone(&page.context.hub));
    let found = page
        .context
        .read(move |reader| {
            let all = terminals(reader, event, &hub)?;
            let Some(terminal) = all.into_iter().find(|terminal| terminal.row.id == id) else {
                return Ok(None);
            };
            let chains = reader.chains(terminal.row.no)?;
            Ok(Some(Found { terminal, chains }))
        })
        .await?;
    found.ok_or(Fault::NotFound)
}

pub(crate) async fn detail(page: Page, Path(id): Path<String>) -> Response {
    let made = load(&page, &id).await.and_then(|found| {
        let names = Names {
            config: page.config()?,
            words: page.words,
        };
        let title = format!(
            "{} {}",
            page.words.of("Gerät an", "Terminal of"),
            names.till(found.terminal.row.till)
        );
        Ok(page.show(&title, &detail_content(&page, &found, &names)))
    });
    page.done(made)
}

fn detail_content(page: &Page, found: &Found, names: &Names<'_>) -> Markup {
    let (words, terminal) = (page.words, &found.terminal);
    let row = &terminal.row;
    let now_ms = page.context.now_ms();
    html! {
        p.row {
            (online(terminal.online, words)) (terminal_state(row.state, words))
            a.button href=(format!("/orders?till={}", row.till)) { (words.of("Buchungen der Kasse", "Orders of the till")) }
        }
        @if page.may_devices() { (actions(row, terminal.online, words)) }
        dl.facts.sheet {
            dt { (words.of("Kasse", "Till")) } dd { bdi { (names.till(row.till)) } ", " bdi { (names.stand_of(row.till)) } }
            dt { (words.of("Gerät", "Device")) } dd { bdi { (device(row)) } }
            dt { (words.of("Noch nicht gesendet", "Not sent yet")) }
            dd { (unsent(terminal, words)) @if let Some(heard) = terminal.heard { ", " (words.of("gehört vor", "heard")) " " (duration(now_ms.saturating_sub(heard.at_ms), words)) " " (words.of("", "ago")) } }
            dt { (words.of("Registriert", "Registered")) } dd { (page.clock.full(row.registered_at_ms)) }
            dt { (words.of("Kennung", "Id")) } dd.id { (row.id) }
            dt { (words.of("Kurznummer", "Short number")) } dd { (row.no.0) }
            dt { (words.of("Abschnitt", "Epoch")) } dd { (row.epoch.epoch) }
        }
        section.sheet.scroll tabindex="0" aria-label=(words.of("Journal des Geräts, wie es hier liegt", "The device's journal as it is here")) {
            h2 { (words.of("Journal des Geräts, wie es hier liegt", "The device's journal as it is here")) }
            @if found.chains.is_empty() { p { (words.of("Noch nichts angekommen.", "Nothing has come yet.")) } }
            @else { table {
                thead { tr {
                    th.amount scope="col" { (words.of("Abschnitt", "Epoch")) } th.amount scope="col" { (words.of("Zweig", "Branch")) }
                    th.amount scope="col" { (words.of("Von", "From")) } th.amount scope="col" { (words.of("Bis", "To")) } th scope="col" { (words.of("Kettenkopf", "Head")) }
                } }
                tbody { @for chain in &found.chains { tr {
                    td.amount { (chain.key.epoch) } td.amount { (chain.key.branch) } td.amount { (chain.first_seq) } td.amount { (chain.last_seq) } td.id { (chain.head) }
                } } }
            } }
        }
        p { a href=(format!("/audit?object={}", row.id)) { (words.of("Verlauf im Protokoll", "History in the audit log")) } }
    }
}

fn actions(row: &TerminalRow, is_online: bool, words: Language) -> Markup {
    let at = |verb: &str| format!("/terminals/{}/{verb}", row.id);
    html! {
        div.row {
            @if row.state == TerminalState::Locked {
                form method="post" action=(at("unlock")) { button.main { (words.of("Freigeben", "Unlock")) } }
            } @else {
                form method="post" action=(at("lock")) { button.grave { (words.of("Sperren", "Lock")) } }
                @if row.state == TerminalState::Quarantined {
                    form method="post" action=(at("unlock")) { button { (words.of("Beobachtung beenden", "End quarantine")) } }
                }
            }
            form method="post" action=(at("logout")) { button disabled[!is_online] { (words.of("Kassenkraft abmelden", "Log the cashier out")) } }
            @if !is_online { span.quiet { (words.of("Offline: eine Sperre gilt, sobald es sich meldet.", "Offline: a lock holds as soon as it is back.")) } }
        }
    }
}

pub(crate) async fn lock(page: Page, Path(id): Path<String>) -> Response {
    let made = set(&page, &id, "terminal.lock", TerminalState::Locked, CommandKind::Lock).await;
    page.done(made)
}

pub(crate) async fn unlock(page: Page, Path(id): Path<String>) -> Response {
    let made = set(
        &page,
        &id,
        "terminal.unlock",
        TerminalState::Active,
        CommandKind::Unlock,
    )
    .await;
    page.done(made)
}

async fn set(page: &Page, id: &str, what: &str, state: TerminalState, kind: CommandKind) -> Result<Response, Fault> {
    let terminal = load(page, id).await?.terminal.row.id;
    page.context
        .note(page.visitor()?, what, terminal.to_string(), "")
        .await?;
    page.context.settle(Request::SetState { terminal, state }).await?;
    // A terminal that is not connected hears of it when it says hello.
    let _connected = page
        .context
        .hub
        .command(terminal, CommandId(mint(page.context.now_ms(), random())), kind);
    Ok(Redirect::to(&format!("/terminals/{terminal}")).into_response())
}

pub(crate) async fn log_out(page: Page, Path(id): Path<String>) -> Response {
    let made = end_session(&page, &id).await;
    page.done(made)
}

async fn end_session(page: &Page, id: &str) -> Result<Response, Fault> {
    let terminal = load(page, id).await?.terminal.row.id;
    page.context
        .note(page.visitor()?, "terminal.logout", terminal.to_string(), "")
        .await?;
    let command = CommandId(mint(page.context.now_ms(), random()));
    if !page.context.hub.command(terminal, command, CommandKind::LogOut) {
        return Err(Fault::refused(
            "Das Gerät ist nicht verbunden. Niemand wurde abgemeldet; versuch es, wenn es online ist.",
            "The device is not connected. Nobody was logged out; try again when it is online.",
        ));
    }
    Ok(Redirect::to(&format!("/terminals/{terminal}")).into_response())
}
