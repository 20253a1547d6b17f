//! Taxes: the choices of the operator, what each means, who decided it when, and what the tax office wants to have.
//!
//! What must never be here: advice, or a word that something complies. The page says what a choice does, where that is from, and how sure that is; a tax
//! advisor decides.

mod notification;
mod words;

use std::sync::Arc;

use axum::Form;
use axum::extract::{Path, Query};
use axum::http::{Method, header};
use axum::response::{IntoResponse, Redirect, Response};
use fiscal::notification::{self as notice, Notification};
use fiscal::tax::{Choice, Fix, Place, last, rows, why_in_german};
use maud::{Markup, html};
use pages::Language;
use serde::Deserialize;
use shared_protocol::EventId;
use store::{Office, Reader, StoreError, TaxRow};

use crate::fault::Fault;
use crate::frame::Page;
pub(crate) use notification::{download, say, sent};
use words::{Explained, explained};

/// Statements that are shown.
const SHOWN_MAX: usize = 200;
/// The longest reason.
const WHY_MAX_BYTES: usize = 1_000;
/// A reason that says something.
const WHY_CHARACTERS_MIN: usize = 3;

/// What the page is made of.
struct Found {
    rows: Vec<(u64, TaxRow)>,
    /// Whether an order came off.
    has_orders: bool,
    notifications: Vec<Notification>,
}

fn found(reader: &mut dyn Reader, event: EventId) -> Result<Found, StoreError> {
    let rows = rows(reader, event)?;
    Ok(Found {
        notifications: notice::read(reader, event, &rows)?,
        rows,
        has_orders: reader.signing_counts()?.values().any(|count| *count > 0),
    })
}

async fn load(page: &Page) -> Result<Found, Fault> {
    let event = page.context.event;
    page.context.read(move |reader| found(reader, event)).await
}

pub(crate) async fn page(page: Page) -> Response {
    let made = load(&page).await.and_then(|found| content(&page, &found));
    page.done(made.map(|content| page.show(page.words.of("Steuern", "Taxes"), &content)))
}

fn content(page: &Page, found: &Found) -> Result<Markup, Fault> {
    let words = page.words;
    let may = page.may(&Method::POST, "/tax/{choice}");
    Ok(html! {
        div.note.warn {
            p { (words.of(
                "Diese Seite berät nicht. Sie sagt, was eine Wahl bewirkt, woher das kommt und wie sicher es ist. Was für euch richtig ist, entscheidet eure Steuerberatung; lasst euch die Antwort schriftlich geben und tragt sie als Grund ein.",
                "This page gives no advice. It says what a choice does, where that is from and how sure it is. What is right for you is for your tax advisor to decide; have the answer in writing and enter it as the reason.")) }
            p.quiet { (words.of(
                "[?] heißt: Wir konnten es nicht im amtlichen Text nachlesen.",
                "[?] means: we could not read it in the official text.")) }
        }
        @for choice in Choice::ALL { (one(page, found, choice, may)) }
        (cut_off(page)?)
        (notification::section(page, &found.notifications, &found.rows))
        (papers(words))
        (history(page, &found.rows))
    })
}

fn one(page: &Page, found: &Found, choice: Choice, may: bool) -> Markup {
    let words = page.words;
    let explained = explained(choice);
    let said = last(&found.rows, choice.key());
    let fixed = page.context.fixed.of(choice);
    let value = fixed.map_or_else(
        || said.map_or_else(|| choice.default_value().to_owned(), |row| row.value.clone()),
        |fix| fix.value.to_owned(),
    );
    let locked = choice.only_before_orders() && found.has_orders;
    html! {
        section.sheet.stack id=(choice.key()) aria-labelledby=(format!("{}-title", choice.key())) {
            h2 id=(format!("{}-title", choice.key())) { (explained.title.of(words)) }
            p { (explained.question.of(words)) }
            p { strong { (words.of("Es gilt: ", "In effect: ")) (explained.name_of(&value, words)) } " " code { (choice.key()) " = " (value) } }
            p.quiet { (source_of_value(page, said, fixed)) }
            @for option in explained.options {
                div.stack {
                    h3 { (option.name.of(words)) @if option.value == value { " " span.state.good { "✓ " (words.of("gilt", "in effect")) } } }
                    dl.facts {
                        dt { (words.of("Auf dem Beleg des Gastes", "On the guest's receipt")) } dd { (option.guest.of(words)) }
                        dt { (words.of("Für das Finanzamt", "For the tax office")) } dd { (option.office.of(words)) }
                        dt { (words.of("Dafür spricht", "What speaks for it")) } dd { (option.speaks.of(words)) }
                    }
                }
            }
            dl.facts {
                dt { (words.of("Was die Steuerberatung entscheidet", "What the tax advisor decides")) } dd { (explained.decides.of(words)) }
                dt { (words.of("Quelle", "Source")) } dd { (explained.source.of(words)) }
                dt { (words.of("Ab wann eine Änderung gilt", "From when on a change holds")) } dd { (explained.holds.of(words)) }
            }
            @if let Some(fix) = fixed {
                p.note { (fixed_words(fix, choice, words)) }
            } @else if locked {
                p.note { (words.of(
                    "Es gibt schon Buchungen: Diese Wahl lässt sich für diese Veranstaltung nicht mehr ändern, weil Signaturen, Belege und Exporte dieselbe Geschichte erzählen müssen. Eine andere Wahl gilt erst für eine neue Veranstaltung.",
                    "There are orders already: this choice cannot be changed for this event any more, because signatures, receipts and exports have to tell the same story. Another choice holds for a new event only.")) }
            } @else if may {
                (form(choice, &explained, &value, words))
            }
        }
    }
}

/// Why somebody said it.
fn why(row: &TaxRow, words: Language) -> &str {
    match words {
        Language::De => why_in_german(row),
        Language::En => &row.why,
    }
}

/// Who said what holds, and when.
fn source_of_value(page: &Page, said: Option<&TaxRow>, fixed: Option<Fix>) -> Markup {
    let words = page.words;
    html! {
        @match (fixed, said) {
            (Some(_), Some(row)) => { (words.of("Aus den Einstellungen des Servers, seit ", "From the settings of the server, since ")) (page.clock.full(row.at_ms)) "." }
            (Some(_), None) => (words.of("Aus den Einstellungen des Servers.", "From the settings of the server.")),
            (None, Some(row)) => {
                @match &row.by {
                    Some(by) => { (words.of("Gewählt von ", "Chosen by ")) bdi { (by) } }
                    None => (words.of("Vom Server beim Start festgehalten", "Noted by the server when it started")),
                }
                ", " (page.clock.full(row.at_ms)) ". "
                (words.of("Grund: ", "Reason: ")) bdi { (why(row, words)) }
            }
            (None, None) => (words.of("Niemand hat etwas gewählt: die Vorgabe.", "Nobody chose anything: the default.")),
        }
    }
}

fn fixed_words(fix: Fix, choice: Choice, words: Language) -> String {
    let key = choice.key();
    let place = match fix.place {
        Place::Flag => {
            let (flag, variable) = (key.replace('_', "-"), key.to_uppercase());
            format!(
                "--{flag} {} GROSCHEN_{variable}",
                words.of("oder die Umgebungsvariable", "or the environment variable")
            )
        }
        Place::File => format!("{key} {}", words.of("in der Einstellungsdatei", "in the settings file")),
    };
    match words {
        Language::De => format!(
            "Festgelegt durch {place}; hier lässt es sich deshalb nicht ändern. Wer den Server betreibt, nimmt es dort heraus und startet neu; bis jemand hier etwas anderes wählt, bleibt der Wert."
        ),
        Language::En => format!(
            "Fixed by {place}, so it cannot be changed here. Whoever runs the server takes it out there and starts again; the value stays until somebody chooses another one here."
        ),
    }
}

fn form(choice: Choice, explained: &Explained, value: &str, words: Language) -> Markup {
    html! {
        details.stack {
            summary { (words.of("Ändern", "Change")) ": " (explained.title.of(words)) }
            form.stack method="post" action=(format!("/tax/{}", choice.key())) {
                fieldset {
                    legend { (words.of("Was soll gelten?", "What shall hold?")) }
                    div.choices {
                        @for option in explained.options.iter().filter(|option| option.value != value) {
                            label.choice { input type="radio" name="value" value=(option.value) required; span { (option.name.of(words)) } }
                        }
                    }
                }
                label { (words.of("Grund, etwa „Brief der Steuerberatung vom …“", "Reason, such as “letter of the tax advisor of …”"))
                    textarea name="why" rows="2" required minlength=(WHY_CHARACTERS_MIN) maxlength=(WHY_MAX_BYTES) {}
                }
                label.choice { input type="checkbox" name="confirm" value="yes" required; span { (explained.confirm.of(words)) } }
                p { button.grave { (words.of("Festhalten", "Put it down")) } }
            }
        }
    }
}

/// The one choice that is made with the event.
fn cut_off(page: &Page) -> Result<Markup, Fault> {
    let words = page.words;
    let event = &page.config()?.event;
    let (hours, minutes) = (event.day_cut_off_min / 60, event.day_cut_off_min % 60);
    Ok(html! {
        section.sheet.stack {
            h2 { (words.of("Wann ein Veranstaltungstag endet", "When an event day ends")) }
            p { strong { (format!("{hours:02}:{minutes:02}")) } " " (event.time_zone) " " code { "day_cut_off_min = " (event.day_cut_off_min) } }
            p { (words.of(
                "Was davor verkauft wird, gehört zum Vortag. Eine halbe Stunde danach macht der Server die Abschlüsse des Tages. Die Wahl steht in der Konfiguration der Veranstaltung; jede ihrer Fassungen bleibt erhalten.",
                "What is sold before it belongs to the day before. Half an hour later the server makes the closings of the day. The choice stands in the event's configuration; every revision of it is kept.")) }
        }
    })
}

/// What the program writes about itself.
fn papers(words: Language) -> Markup {
    html! {
        section.sheet.stack {
            h2 { (words.of("Verfahrensdokumentation", "Documentation of procedures")) }
            p { (words.of(
                "Das Programm beschreibt sich aus den geltenden Einstellungen. Das letzte Kapitel nennt, was ihr selbst schreiben müsst; ohne das ist es keine vollständige Dokumentation.",
                "The program describes itself from the settings in force. The last chapter names what you have to write; without that it is no complete documentation.")) }
            ul.row.plain {
                @for (form, name) in [("html", "HTML"), ("pdf", "PDF"), ("text", "Text")] {
                    li { a.button href=(format!("/tax/procedures/{form}?language=de")) download { (name) " (Deutsch)" } }
                    li { a.button href=(format!("/tax/procedures/{form}?language=en")) download { (name) " (English)" } }
                }
            }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    language: String,
}

pub(crate) async fn procedures(page: Page, Path(form): Path<String>, Query(wanted): Query<Wanted>) -> Response {
    let words = Language::from_code(&wanted.language).unwrap_or(page.words);
    let papers = Arc::clone(&page.context.papers);
    let made = tokio::task::spawn_blocking(move || papers.procedures(words, &form)).await;
    page.done(match made {
        Ok(Ok(Some(paper))) => {
            let headers = [
                (header::CONTENT_TYPE, paper.media.to_owned()),
                (
                    header::CONTENT_DISPOSITION,
                    format!("attachment; filename=\"{}\"", paper.name),
                ),
            ];
            Ok((headers, paper.bytes).into_response())
        }
        Ok(Ok(None)) => Err(Fault::NotFound),
        Ok(Err(error)) => {
            tracing::error!(%error, "the documentation of procedures cannot be written");
            Err(Fault::Unavailable)
        }
        Err(_) => Err(Fault::Unavailable),
    })
}

fn history(page: &Page, rows: &[(u64, TaxRow)]) -> Markup {
    let words = page.words;
    html! {
        section.sheet.scroll tabindex="0" aria-label=(words.of("Verlauf", "History")) {
            h2 { (words.of("Verlauf", "History")) }
            @if rows.is_empty() { p { (words.of("Noch nichts.", "Nothing yet.")) } }
            @else { table {
                caption.visually-hidden { (words.of("Was gesagt wurde, das Neueste zuerst", "What was said, newest first")) }
                thead { tr {
                    th scope="col" { (words.of("Wann", "When")) } th scope="col" { (words.of("Wer", "Who")) } th scope="col" { (words.of("Was", "What")) }
                    th scope="col" { (words.of("Wert", "Value")) } th scope="col" { (words.of("Warum", "Why")) }
                } }
                tbody { @for (_, row) in rows.iter().rev().take(SHOWN_MAX) { tr {
                    td.nowrap { (page.clock.full(row.at_ms)) }
                    td { @match &row.by { Some(by) => bdi { (by) }, None => (words.of("Server", "server")) } }
                    td.id { (row.key) } td.text { bdi { (row.value) } } td.text { bdi { (why(row, words)) } }
                } } }
            } }
            @if rows.len() > SHOWN_MAX { p.quiet { (words.of("Ältere stehen in der Verfahrensdokumentation.", "Older ones stand in the process documentation.")) } }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Chosen {
    #[serde(default)]
    value: String,
    #[serde(default)]
    why: String,
    #[serde(default)]
    confirm: String,
}

pub(crate) async fn choose(page: Page, Path(choice): Path<String>, Form(chosen): Form<Chosen>) -> Response {
    let made = choose_one(&page, &choice, &chosen).await;
    page.done(made)
}

async fn choose_one(page: &Page, key: &str, chosen: &Chosen) -> Result<Response, Fault> {
    let choice = Choice::of_key(key).ok_or(Fault::NotFound)?;
    if page.context.fixed.of(choice).is_some() {
        return Err(Fault::refused(
            "Das legen die Einstellungen des Servers fest. Nichts ist geändert; wer den Server betreibt, nimmt es dort heraus.",
            "The settings of the server fix this. Nothing was changed; whoever runs the server takes it out there.",
        ));
    }
    let value = choice.value(&chosen.value).ok_or_else(|| {
        Fault::refused(
            "Wähle einen der Werte. Nichts ist geändert.",
            "Choose one of the values. Nothing was changed.",
        )
    })?;
    let why = chosen.why.trim();
    if why.chars().count() < WHY_CHARACTERS_MIN || why.len() > WHY_MAX_BYTES || chosen.confirm != "yes" {
        return Err(Fault::refused(
            "Es fehlt der Grund (3 bis 1.000 Zeichen) oder die Bestätigung. Nichts ist geändert.",
            "The reason (3 to 1,000 characters) or the confirmation is missing. Nothing was changed.",
        ));
    }
    let found = load(page).await?;
    let before = last(&found.rows, key).map_or(choice.default_value(), |row| row.value.as_str());
    if before == value {
        return Err(Fault::refused(
            "Das gilt schon. Nichts ist geändert.",
            "That is in effect already. Nothing was changed.",
        ));
    }
    let (context, by) = (&page.context, &page.visitor()?.name);
    let row = TaxRow {
        event: context.event,
        at_ms: context.now_ms(),
        by: Some(by.clone()),
        key: key.to_owned(),
        value: value.to_owned(),
        why: why.to_owned(),
    };
    let office = Office {
        audit: vec![context.audit_row(by, "tax.choose", key, format!("{before} → {value}: {why}"))],
        tax: vec![row],
        before_orders: choice.only_before_orders(),
        ..Office::default()
    };
    context.keep(office).await?;
    Ok(Redirect::to(&format!("/tax#{key}")).into_response())
}
