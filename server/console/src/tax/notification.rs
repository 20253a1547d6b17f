//! The notification of tills and TSEs (§ 146a (4) AO): what is known, what somebody has to say, until when it is due, and the file.

use axum::Form;
use axum::extract::Path;
use axum::http::{Method, header};
use axum::response::{IntoResponse, Redirect, Response};
use fiscal::notification::{Missing, Notification, Said, TSE_KINDS, sent_key, write};
use maud::{Markup, html};
use pages::Language;
use serde::Deserialize;
use shared_protocol::TaxpayerId;
use store::{Office, TaxRow};

use super::{WHY_CHARACTERS_MIN, WHY_MAX_BYTES, load};
use crate::fault::Fault;
use crate::frame::Page;

/// What stands for all tills of a taxpayer in the form.
const ALL_TILLS: &str = "all";

pub(super) fn section(page: &Page, notifications: &[Notification], said: &[(u64, TaxRow)]) -> Markup {
    let words = page.words;
    let may = page.may(&Method::POST, "/tax/notification/say");
    html! {
        section.sheet.stack #notification aria-labelledby="notification-title" {
            h2 #notification-title { (words.of("Mitteilung der Kassen an das Finanzamt", "Notification of tills to the tax office")) }
            p { (words.of(
                "Jeder Steuerpflichtige teilt seine Kassen und TSEs elektronisch mit, binnen eines Monats nach Anschaffung oder Außerbetriebnahme (§ 146a Abs. 4 AO). Auch gemietete zählen, und nach einem Wechsel der TSE ist neu mitzuteilen (beides aus zweiter Hand).",
                "Each taxpayer notifies tills and TSEs electronically, within one month of acquisition or decommissioning (§ 146a (4) AO). Rented ones count too, and after a change of the TSE it is due again (both second hand).")) }
            p.quiet { (words.of(
                "Die Datei folgt dem, was ein anderes Programm an ELSTER sendet; das amtliche Schema lag nicht vor [?]. Prüft sie in Mein ELSTER, bevor ihr sie absendet. Dieses Programm sendet nichts.",
                "The file follows what another program sends to ELSTER; the official schema was not at hand [?]. Check it in Mein ELSTER before you send it. This program sends nothing.")) }
            @if notifications.is_empty() { p.note { (words.of("Noch keine Kasse war mit einer TSE verbunden.", "No till has been with a TSE yet.")) } }
            @for notification in notifications { (one(page, notification, said, may)) }
        }
    }
}

fn one(page: &Page, notification: &Notification, said: &[(u64, TaxRow)], may: bool) -> Markup {
    let words = page.words;
    let (taxpayer, missing) = (&notification.taxpayer, notification.missing());
    let due = notification.due(said);
    let date = |date: Option<fiscal::notification::Day>| date.map_or_else(|| "–".to_owned(), |date| day(date, words));
    html! {
        div.stack {
            h3 { bdi { (taxpayer.name) } }
            @if let Some(due) = &due {
                p.note.warn { (words.of("Mitzuteilen bis ", "Due by ")) strong { (day(due.until, words)) } ": "
                    (due.systems.len()) " " (words.of("Kassen sind neu, gewechselt oder außer Betrieb seit ", "tills are new, moved or out of use since ")) (day(due.since, words)) "." }
            } @else {
                p { span.state.good { "✓ " (words.of("Nichts Neues seit der letzten Mitteilung", "Nothing new since the last notification")) }
                    @if let Some(sent) = notification.sent_ms { " (" (page.clock.date(sent)) ")" } }
            }
            @if !missing.is_empty() {
                details { summary { (words.of("Es fehlen", "Missing")) ": " (missing.len()) }
                    ul.plain { @for missing in &missing { li { (lacks(missing, words)) } } } }
            }
            div.scroll tabindex="0" role="region" aria-label=(format!("{} {}", words.of("Kassen von", "Tills of"), taxpayer.name)) {
                table {
                    caption.visually-hidden { (words.of("Kassen nach Seriennummer", "Tills by serial number")) }
                    thead { tr {
                        th scope="col" { (words.of("Kasse", "Till")) } th scope="col" { "TSE" } th scope="col" { (words.of("Angeschafft", "Acquired")) }
                        th scope="col" { (words.of("In Betrieb", "In use")) } th scope="col" { (words.of("Außer Betrieb", "Out of use")) }
                    } }
                    tbody { @for system in &notification.systems { tr {
                        td.id { (system.serial) } td.id { (short(&system.tse_serial())) }
                        td { (date(system.acquired)) } td { (date(system.commissioned)) } td { (date(system.decommissioned)) }
                    } } }
                }
            }
            p { a.button href=(format!("/tax/notification/{}", taxpayer.id.0)) download { (words.of("Als XML speichern", "Save as XML")) } }
            @if may { (say_form(notification, words)) (sent_form(taxpayer.id, words)) }
        }
    }
}

fn short(serial: &str) -> String {
    format!("{}…", serial.get(..12).unwrap_or(serial))
}

fn day(date: fiscal::notification::Day, words: Language) -> String {
    date.strftime(words.of("%d.%m.%Y", "%d %b %Y")).to_string()
}

const fn said_name(said: Said, words: Language) -> &'static str {
    match said {
        Said::Acquired => words.of("Kasse angeschafft oder gemietet am", "Till acquired or rented on"),
        Said::Commissioned => words.of("Kasse in Betrieb seit", "Till in use since"),
        Said::Decommissioned => words.of("Kasse außer Betrieb seit", "Till out of use since"),
        Said::Reason => words.of("Grund der Außerbetriebnahme", "Reason for taking it out of use"),
        Said::TseCommissioned => words.of("TSE in Betrieb seit", "TSE in use since"),
        Said::TseKind => words.of("Bauform der TSE (sd, usb, cloud)", "Form of the TSE (sd, usb, cloud)"),
    }
}

fn lacks(missing: &Missing, words: Language) -> Markup {
    html! {
        @match missing {
            Missing::Unsaid(what, serial) => { (said_name(*what, words)) ": " span.id { (serial) } }
            Missing::NotCertified(serial) => { (words.of("Die TSE ist nicht zertifiziert oder ihre BSI-Kennung nicht eingetragen", "The TSE is not certified, or its id of the BSI is not entered")) ": " span.id { (serial) } }
            Missing::TaxNumber(name) => { (words.of("Die Steuernummer (keine USt-IdNr.) von", "The tax number (no VAT id) of")) " " bdi { (name) } }
        }
    }
}

fn say_form(notification: &Notification, words: Language) -> Markup {
    let mut tses: Vec<String> = notification
        .systems
        .iter()
        .map(fiscal::notification::System::tse_serial)
        .collect();
    tses.sort();
    tses.dedup();
    html! {
        details.stack {
            summary { (words.of("Eintragen, was das Programm nicht wissen kann", "Enter what the program cannot know")) }
            form.stack.narrow method="post" action="/tax/notification/say" {
                input type="hidden" name="taxpayer" value=(notification.taxpayer.id.0);
                label { (words.of("Was", "What"))
                    select name="what" { @for said in Said::ALL { option value=(said.name()) { (said_name(said, words)) } } }
                }
                label { (words.of("Wovon", "Of what"))
                    select name="serial" {
                        option value=(ALL_TILLS) { (words.of("alle Kassen oder TSEs dieses Steuerpflichtigen", "all tills or TSEs of this taxpayer")) }
                        @for system in &notification.systems { option value=(system.serial) { (words.of("Kasse", "Till")) " " (system.serial) } }
                        @for tse in &tses { option value=(tse) { "TSE " (short(tse)) } }
                    }
                }
                label { (words.of("Wert: ein Tag als JJJJ-MM-TT, sonst Text", "Value: a day as YYYY-MM-DD, otherwise text"))
                    input name="value" required maxlength="100" autocomplete="off";
                }
                label { (words.of("Woher, etwa „Rechnung Nr. …“", "Where from, such as “invoice no. …”"))
                    textarea name="why" rows="2" required minlength=(WHY_CHARACTERS_MIN) maxlength=(WHY_MAX_BYTES) {}
                }
                p { button.main { (words.of("Eintragen", "Enter it")) } }
            }
        }
    }
}

fn sent_form(taxpayer: TaxpayerId, words: Language) -> Markup {
    html! {
        details.stack {
            summary { (words.of("Als gesendet vermerken", "Note it as sent")) }
            form.stack.narrow method="post" action=(format!("/tax/notification/{}/sent", taxpayer.0)) {
                label { (words.of("Nachweis, etwa das Transferticket von ELSTER", "Proof, such as ELSTER's transfer ticket"))
                    textarea name="why" rows="2" required minlength=(WHY_CHARACTERS_MIN) maxlength=(WHY_MAX_BYTES) {}
                }
                label.choice { input type="checkbox" name="confirm" value="yes" required; span { (words.of("Sie ist in ELSTER abgesendet.", "It was sent in ELSTER.")) } }
                p { button.main { (words.of("Vermerken", "Note it")) } }
            }
        }
    }
}

/// A reason that can be kept.
fn reason(why: &str) -> Result<String, Fault> {
    let why = why.trim();
    if why.chars().count() < WHY_CHARACTERS_MIN || why.len() > WHY_MAX_BYTES {
        return Err(Fault::refused(
            "Es fehlt, woher das kommt (3 bis 1.000 Zeichen). Nichts ist geändert.",
            "It is missing where this is from (3 to 1,000 characters). Nothing was changed.",
        ));
    }
    Ok(why.to_owned())
}

async fn of_taxpayer(page: &Page, taxpayer: &str) -> Result<Notification, Fault> {
    let id: u16 = taxpayer.parse().map_err(|_| Fault::NotFound)?;
    let all = load(page).await?.notifications;
    let found = all.into_iter().find(|one| one.taxpayer.id == TaxpayerId(id));
    found.ok_or(Fault::NotFound)
}

/// Keeps rows of the history with one of the audit log.
async fn keep(page: &Page, what: &str, rows: Vec<(String, String)>, why: &str) -> Result<(), Fault> {
    let (context, by) = (&page.context, &page.visitor()?.name);
    let detail = rows
        .first()
        .map_or_else(String::new, |(_, value)| format!("{} x {value}: {why}", rows.len()));
    let object = rows.first().map_or_else(String::new, |(key, _)| key.clone());
    let row = |(key, value)| TaxRow {
        event: context.event,
        at_ms: context.now_ms(),
        by: Some(by.clone()),
        key,
        value,
        why: why.to_owned(),
    };
    let office = Office {
        audit: vec![context.audit_row(by, what, object, detail)],
        tax: rows.into_iter().map(row).collect(),
        ..Office::default()
    };
    context.keep(office).await
}

fn back() -> Response {
    Redirect::to("/tax#notification").into_response()
}

#[derive(Deserialize)]
pub(crate) struct Statement {
    #[serde(default)]
    taxpayer: String,
    #[serde(default)]
    what: String,
    #[serde(default)]
    serial: String,
    #[serde(default)]
    value: String,
    #[serde(default)]
    why: String,
}

pub(crate) async fn say(page: Page, Form(statement): Form<Statement>) -> Response {
    let made = say_one(&page, &statement).await;
    page.done(made.map(|()| back()))
}

async fn say_one(page: &Page, statement: &Statement) -> Result<(), Fault> {
    let notification = of_taxpayer(page, &statement.taxpayer).await?;
    let what = Said::ALL.into_iter().find(|said| said.name() == statement.what);
    let (what, value) = (what.ok_or(Fault::NotFound)?, statement.value.trim());
    if !what.fits(value) {
        let kinds = TSE_KINDS.map(|(name, _)| name).join(", ");
        return Err(Fault::Refused(shared_protocol::catalogue::Text::new(
            &format!(
                "Ein Tag steht da als JJJJ-MM-TT, eine Bauform als eines von {kinds}, ein Grund hat höchstens 100 Zeichen. Nichts ist geändert."
            ),
            &format!(
                "A day is written YYYY-MM-DD, a form as one of {kinds}, a reason has at most 100 characters. Nothing was changed."
            ),
        )));
    }
    let why = reason(&statement.why)?;
    let mut serials: Vec<String> = notification
        .systems
        .iter()
        .map(|system| {
            if what.is_of_tse() {
                system.tse_serial()
            } else {
                system.serial.clone()
            }
        })
        .filter(|serial| statement.serial == ALL_TILLS || statement.serial == *serial)
        .collect();
    serials.sort();
    serials.dedup();
    if serials.is_empty() {
        return Err(Fault::refused(
            "Das passt nicht zusammen: Angaben über Kassen gehören zu einer Kasse, solche über TSEs zu einer TSE. Nichts ist geändert.",
            "These do not go together: what is said of tills belongs to a till, what is said of TSEs to a TSE. Nothing was changed.",
        ));
    }
    let rows = serials
        .iter()
        .map(|serial| (what.key(serial), value.to_owned()))
        .collect();
    keep(page, "tax.say", rows, &why).await
}

#[derive(Deserialize)]
pub(crate) struct Sent {
    #[serde(default)]
    why: String,
    #[serde(default)]
    confirm: String,
}

pub(crate) async fn sent(page: Page, Path(taxpayer): Path<String>, Form(sent): Form<Sent>) -> Response {
    let made = sent_one(&page, &taxpayer, &sent).await;
    page.done(made.map(|()| back()))
}

async fn sent_one(page: &Page, taxpayer: &str, sent: &Sent) -> Result<(), Fault> {
    let notification = of_taxpayer(page, taxpayer).await?;
    let why = reason(&sent.why)?;
    if sent.confirm != "yes" {
        return Err(Fault::refused(
            "Bestätige, dass sie abgesendet ist. Nichts ist geändert.",
            "Confirm that it was sent. Nothing was changed.",
        ));
    }
    let value = format!("{} systems", notification.systems.len());
    let row = (sent_key(notification.taxpayer.id), value);
    keep(page, "tax.notification.sent", vec![row], &why).await
}

pub(crate) async fn download(page: Page, Path(taxpayer): Path<String>) -> Response {
    let made = of_taxpayer(&page, &taxpayer).await;
    page.done(made.map(|notification| {
        let name = format!(
            "attachment; filename=\"aufzeichnung146a-{}.xml\"",
            notification.taxpayer.id.0
        );
        let headers = [
            (header::CONTENT_TYPE, "application/xml; charset=utf-8".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ];
        (headers, write(&notification, env!("CARGO_PKG_VERSION"))).into_response()
    }))
}
