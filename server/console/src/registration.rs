//! New terminals: slots for tills, a sheet of QR codes to print, and the devices that wait for somebody to compare six digits.

use axum::Form;
use axum::extract::Path;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use engine::{Known, Reply, Request};
use festival::registration::{SECRET_BYTES, Slot, SlotState};
use maud::{Markup, html};
use pages::format::{Clock, duration};
use pages::{Language, qr};
use serde::Deserialize;
use shared_protocol::config::Config;
use shared_protocol::ids::mint;
use shared_protocol::invitation::Invitation;
use shared_protocol::{SlotId, TerminalId, TillId};
use store::Office;
use sync::server::{PATH, random};

use crate::context::Context;
use crate::fault::Fault;
use crate::figures::Figures;
use crate::frame::{Page, clock_of};
use crate::words::Names;

/// Slots that one form may open: the tills of a large festival.
const SLOTS_MAX: usize = 250;
/// A slot that is over is shown for this long.
const SHOWN_AFTER_MS: u64 = 60 * 60 * 1_000;

/// Slots that are of interest now.
pub(crate) async fn slots(context: &Context) -> Result<Vec<Slot>, Fault> {
    let (event, now_ms) = (context.event, context.now_ms());
    context
        .read(move |reader| {
            let mut slots = reader.slots()?;
            slots.retain(|slot| slot.event == event && now_ms < slot.expires_at_ms.saturating_add(SHOWN_AFTER_MS));
            slots.sort_by_key(|slot| (slot.till, slot.id));
            Ok(slots)
        })
        .await
}

pub(crate) async fn page(page: Page) -> Response {
    let made = content(&page).await;
    let title = page.words.of("Geräte registrieren", "Register terminals");
    page.done(made.map(|content| page.show_live(title, &content, "/live/registrations")))
}

async fn content(page: &Page) -> Result<Markup, Fault> {
    let (words, config) = (page.words, page.config()?);
    let figures = page.context.live.figures(&page.context).await?;
    let slots = slots(&page.context).await?;
    let taken = |till: TillId| {
        figures
            .terminals
            .iter()
            .filter(|terminal| terminal.row.till == till)
            .count()
    };
    Ok(html! {
        (waiting(&slots, config, page.context.now_ms(), words))
        form.sheet.stack method="post" action="/registrations" {
            p { (words.of("Wähl die Kassen. Für jede entsteht ein QR-Code: einmal gültig, 24 Stunden lang. Er wird nur jetzt gezeigt.", "Choose the tills. Each gets a QR code: good once, for 24 hours. It is shown only now.")) }
            @for stand in config.stands.values() {
                fieldset {
                    legend { bdi { (words.name(&stand.name)) } }
                    div.choices {
                        @for till in config.tills.values().filter(|till| till.stand == stand.id) {
                            label.choice {
                                input type="checkbox" name="till" value=(till.id);
                                span { bdi { (till.name) } @let there = taken(till.id); @if there > 0 { " " small { "(" (there) " " (words.of("registriert", "registered")) ")" } } }
                            }
                        }
                    }
                }
            }
            button.main { (words.of("QR-Codes erstellen", "Make QR codes")) }
        }
        (open_slots(&slots, config, page.context.now_ms(), words))
    })
}

/// What live pages get when something changed.
pub(crate) fn fragments(slots: &[Slot], figures: &Figures, words: Language) -> Markup {
    let clock = Clock::new(&figures.config.event.time_zone, words);
    html! {
        (clock_of(&clock, figures.now_ms, words))
        (waiting(slots, &figures.config, figures.now_ms, words))
        (open_slots(slots, &figures.config, figures.now_ms, words))
        @for slot in slots { (slot_state(slot, figures.now_ms, words)) }
    }
}

/// Devices whose digits somebody has to compare.
fn waiting(slots: &[Slot], config: &Config, now_ms: u64, words: Language) -> Markup {
    let names = Names { config, words };
    html! {
        section #waiting aria-live="polite" {
            @for slot in slots.iter().filter(|slot| now_ms < slot.expires_at_ms) {
                @if let SlotState::Pending { device, code, .. } = &slot.state {
                    form.sheet.device method="post" action=(format!("/registrations/{}/confirm", slot.id)) id=(format!("device-{}", slot.id)) {
                        p { bdi { (names.till(slot.till)) } ": " bdi.clip { (device) } " " (words.of("wartet", "waits")) }
                        p.digits { (code) }
                        input type="hidden" name="code" value=(code);
                        p.row {
                            (words.of("Zeigt das Gerät genau diese Ziffern?", "Does the device show exactly these digits?"))
                            button.main { (words.of("Ja, bestätigen", "Yes, confirm")) }
                        }
                    }
                }
            }
        }
    }
}

/// The state of a slot, as it stands beside its QR code.
fn slot_state(slot: &Slot, now_ms: u64, words: Language) -> Markup {
    let (class, text) = match &slot.state {
        SlotState::Used { .. } => ("state good", words.of("✓ registriert", "✓ registered")),
        _ if now_ms >= slot.expires_at_ms => (
            "state bad",
            words.of("abgelaufen – neuen Code erstellen", "expired – make a new code"),
        ),
        SlotState::Pending { .. } => (
            "state warn",
            words.of("Gerät wartet auf Bestätigung", "device waits to be confirmed"),
        ),
        SlotState::Open => ("state", words.of("wartet auf ein Gerät", "waits for a device")),
    };
    html! { span id=(format!("slot-{}", slot.id)) class=(class) { (text) } }
}

fn open_slots(slots: &[Slot], config: &Config, now_ms: u64, words: Language) -> Markup {
    let names = Names { config, words };
    let shown = slots
        .iter()
        .filter(|slot| !matches!(slot.state, SlotState::Used { .. }));
    let shown: Vec<_> = shown.collect();
    html! {
        section.sheet.no-print #slots {
            h2 { (words.of("Offene Codes", "Open codes")) }
            @if shown.is_empty() { p { (words.of("Keine.", "None.")) } }
            @else { ul.plain {
                @for slot in shown {
                    li {
                        bdi { (names.till(slot.till)) } " · "
                        @if now_ms < slot.expires_at_ms { (words.of("noch", "good for")) " " (duration(slot.expires_at_ms - now_ms, words)) }
                        @else { span.state.bad { (words.of("abgelaufen", "expired")) } }
                    }
                }
            } }
        }
    }
}

pub(crate) async fn open(page: Page, headers: HeaderMap, Form(fields): Form<Vec<(String, String)>>) -> Response {
    let made = match terminals_at(&page.context, &headers) {
        Some(server) => open_all(&page, &server, &fields).await,
        None => Err(Fault::NotFound),
    };
    let title = page.words.of("QR-Codes für Geräte", "QR codes for terminals");
    page.done(made.map(|content| page.show_live(title, &content, "/live/registrations")))
}

/// Where terminals find this server: as it was set, else the host under which this browser found it.
fn terminals_at(context: &Context, headers: &HeaderMap) -> Option<String> {
    if let Some(set) = &context.terminals_at {
        return Some(set.clone());
    }
    let host: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
    let scheme = if context.secure { "wss" } else { "ws" };
    Some(format!("{scheme}://{host}{PATH}"))
}

/// Whether only this machine finds it.
fn is_local(server: &str) -> bool {
    let host = server.split_once("://").map_or(server, |(_, rest)| rest);
    ["localhost", "127.", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local))
}

async fn open_all(page: &Page, server: &str, fields: &[(String, String)]) -> Result<Markup, Fault> {
    let (context, config, words) = (&page.context, page.config()?, page.words);
    let asked = fields.iter().filter(|(name, _)| name == "till");
    let tills: Vec<TillId> = asked
        .filter_map(|(_, value)| value.parse().ok().map(TillId))
        .filter(|till| config.tills.contains_key(till))
        .take(SLOTS_MAX)
        .collect();
    if tills.is_empty() {
        return Err(Fault::refused(
            "Wähl mindestens eine Kasse. Kein Code ist entstanden.",
            "Choose at least one till. No code was made.",
        ));
    }
    let visitor = page.visitor()?;
    let now_ms = context.now_ms();
    let open = |till: TillId| {
        let (id, secret) = (SlotId(mint(now_ms, random())), random::<SECRET_BYTES>());
        let slot = Slot::open(context.event, id, till, &secret, now_ms);
        let invitation = Invitation {
            slot: id,
            secret,
            server: server.to_owned(),
            config_key: Some(context.config_key),
            authority: context.authority,
        };
        (slot, invitation.text())
    };
    let codes: Vec<(Slot, String)> = tills.into_iter().map(open).collect();
    let invited = |(slot, _): &(Slot, String)| {
        context.audit_row(
            &visitor.name,
            "terminal.invite",
            slot.id.to_string(),
            slot.till.to_string(),
        )
    };
    let office = Office {
        audit: codes.iter().map(invited).collect(),
        ..Office::default()
    };
    context.keep(office).await?;
    for (slot, _) in &codes {
        context.settle(Request::OpenSlot(Box::new(slot.clone()))).await?;
    }
    let names = Names { config, words };
    let slots: Vec<Slot> = codes.iter().map(|(slot, _)| slot.clone()).collect();
    Ok(html! {
        p.note.no-print { (words.of("Diese Codes siehst du nur jetzt: druck sie aus oder scann sie gleich. Wer einen hat, kann ein Gerät anmelden; du bestätigst es mit sechs Ziffern.", "You see these codes only now: print them or scan them at once. Whoever has one can enrol a device; you confirm it with six digits.")) }
        @if is_local(server) {
            p.note.warn.no-print { (words.of("Diese Codes nennen eine Adresse, die nur dieser Rechner kennt. Für Telefone öffne die Konsole unter dem Namen des Servers im Netz.", "These codes name an address that only this machine knows. For phones, open the console under the server's name in the network.")) " " span.id { (server) } }
        }
        p.row.no-print { button.main data-print { (words.of("Drucken", "Print")) } a.button href="/registrations" { (words.of("Weitere Kassen", "More tills")) } }
        (waiting(&slots, config, now_ms, words))
        ol.codes {
            @for (slot, text) in &codes {
                li.code {
                    h2 { bdi { (names.till(slot.till)) } }
                    p { bdi { (names.stand_of(slot.till)) } }
                    @let title = format!("{} {}", words.of("Registrierung", "Registration"), names.till(slot.till));
                    @if let Some(code) = qr::svg(text, &title) { (code) }
                    p.no-print { (slot_state(slot, now_ms, words)) }
                    p { small { (words.of("gültig bis", "good until")) " " (page.clock.short(slot.expires_at_ms)) ", " (words.of("einmal", "once")) } }
                    details.no-print { summary { (words.of("Als Text", "As text")) } code { (text) } }
                }
            }
        }
    })
}

#[derive(Deserialize)]
pub(crate) struct Seen {
    code: String,
}

pub(crate) async fn confirm(page: Page, Path(slot): Path<String>, Form(seen): Form<Seen>) -> Response {
    let made = confirm_one(&page, &slot, seen.code).await;
    page.done(made)
}

async fn confirm_one(page: &Page, slot: &str, code: String) -> Result<Response, Fault> {
    let context = &page.context;
    let slot = SlotId::parse(slot).ok_or(Fault::NotFound)?;
    context
        .note(page.visitor()?, "terminal.confirm", slot.to_string(), "")
        .await?;
    let terminal = TerminalId(mint(context.now_ms(), random()));
    match context.ask(Request::Confirm { slot, code, terminal }).await? {
        Reply::Register(known @ Known::Registered { .. }) => {
            context.hub.confirmed(slot, known);
            Ok(Redirect::to("/registrations").into_response())
        }
        _ => Err(Fault::refused(
            "Dieses Gerät kann nicht mehr bestätigt werden: Der Code ist benutzt, abgelaufen oder hat sich geändert. Nichts ist registriert; scann den QR-Code neu.",
            "This device can no longer be confirmed: the code was used, has expired or has changed. Nothing was registered; scan the QR code again.",
        )),
    }
}
