//! Reports for the morning after: what can be had, each as a page and as files. A page shows the very document that the files are made of.

mod make;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use festival::day::event_day;
use maud::{Markup, html};
use pages::Language;
use reports::Document;
use reports::document::{Kind, Table};
use reports::form::{csv, pdf, strip, xlsx};
use serde::Deserialize;
use shared_protocol::{EventId, SessionId, TaxpayerId, TillId};
use store::{Reader, StoreError};

use crate::fault::Fault;
use crate::frame::Page;
use crate::order_filter::day_text;
use crate::words::Names;

pub use make::ReportFace;
use make::{ALL_DAYS, Made};
pub(crate) use make::{Asked, make};

/// Its files.
pub(crate) fn files(asked: Asked, words: Language) -> Markup {
    html! {
        p.row {
            a.button.main href=(asked.file("pdf")) download { "PDF" }
            a.button href=(asked.file("xlsx")) download { "XLSX" }
            a.button href=(asked.file("csv")) download { "CSV" }
            a.button href=(asked.file("txt")) download { (words.of("Text, 80 mm", "Text, 80 mm")) }
        }
    }
}

/// A report as it stands on a page.
pub(crate) fn shown(document: &Document) -> Markup {
    html! {
        p.quiet { bdi { (document.subtitle) } }
        @for warning in &document.warnings { p.note.warn { (warning) } }
        dl.facts.sheet {
            @for (name, value) in &document.facts { dt { (name) } dd { bdi { (value) } } }
        }
        @for table in &document.tables { (table_of(table, document)) }
        @for remark in &document.remarks { p.quiet { (remark) } }
    }
}

fn table_of(table: &Table, document: &Document) -> Markup {
    let clock = document.clock();
    html! {
        section.sheet.scroll.report tabindex="0" aria-label=(table.title) {
            h2 { (table.title) }
            @if table.rows.is_empty() { p { (document.language.of("Nichts.", "Nothing.")) } } @else {
                table {
                    thead { tr { @for (name, kind) in &table.columns {
                        @if *kind == Kind::Number { th.amount scope="col" { (name) } } @else { th scope="col" { (name) } }
                    } } }
                    tbody { @for row in &table.rows {
                        tr.total[row.is_total] { @for (cell, (_, kind)) in row.cells.iter().zip(&table.columns) {
                            @let text = cell.show(&clock, document.language);
                            @if *kind == Kind::Number { td.amount { (text) } } @else { td.text { bdi { (text) } } }
                        } }
                    } }
                }
            }
            @if let Some(note) = &table.note { p.quiet { (note) } }
        }
    }
}

async fn answer(page: Page, asked: Asked) -> Response {
    let made = content_of(&page, asked).await;
    page.done(made)
}

async fn content_of(page: &Page, asked: Asked) -> Result<Response, Fault> {
    let words = page.words;
    let Made { document, shifts } = make(&page.context, asked, words).await?;
    let names = Names {
        config: page.config()?,
        words,
    };
    let content = html! {
        (files(asked, words))
        @match asked {
            Asked::Settlement(_, days) => (period_form(asked, days, words)),
            Asked::Till(till) if !shifts.is_empty() => {
                section.sheet aria-label=(words.of("Schichten", "Shifts")) {
                    h2 { (words.of("Schichten an dieser Kasse", "Shifts at this till")) }
                    ul.choices { @for (staff, session) in &shifts {
                        li { a href=(Asked::Shift(till, *session).path()) { bdi { (names.staff(*staff)) } " " small.id { (session.to_string().get(..8).unwrap_or_default()) } } }
                    } }
                }
            }
            _ => {}
        }
        (shown(&document))
        p { a href="/reports" { (words.of("Alle Berichte", "All reports")) } }
    };
    Ok(page.show(&document.title, &content))
}

/// The days of a statement, to choose.
fn period_form(asked: Asked, (from, until): (u32, u32), words: Language) -> Markup {
    let shown = |day: u32| {
        if (1..u32::MAX).contains(&day) {
            day_text(day)
        } else {
            String::new()
        }
    };
    html! {
        form.filters method="get" action=(asked.path()) {
            label { (words.of("Von (Veranstaltungstag)", "From (event day)")) input type="date" name="from" value=(shown(from)); }
            label { (words.of("Bis", "Until")) input type="date" name="until" value=(shown(until)); }
            button { (words.of("Zeitraum zeigen", "Show period")) }
        }
    }
}

/// A report as a file; who took it is written down.
pub(crate) async fn download(page: Page, asked: Asked, form: String) -> Response {
    let made = file(&page, asked, &form).await;
    page.done(made)
}

async fn file(page: &Page, asked: Asked, form: &str) -> Result<Response, Fault> {
    let kind = match form {
        "pdf" => "application/pdf",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "csv" => "text/csv; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        _ => return Err(Fault::NotFound),
    };
    let document = make(&page.context, asked, page.words).await?.document;
    let object = asked.file(form);
    page.context
        .note(page.visitor()?, "report.export", object, document.file.as_str())
        .await?;
    let bytes = match form {
        "pdf" => pdf::render(&document, page.context.reports.logo.as_ref()),
        "xlsx" => xlsx::render(&document).map_err(|error| {
            tracing::error!(%error, "a report could not be made a spreadsheet");
            Fault::Unavailable
        })?,
        "csv" => csv::render(&document),
        _ => strip::text(&document).into_bytes(),
    };
    let name = format!("attachment; filename=\"{}.{form}\"", document.file);
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, bytes).into_response())
}

/// The days of a statement; fields that are empty ask for all of them.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Period {
    from: String,
    until: String,
}

impl Period {
    /// `2027-07-17` or `20270717`; what cannot be read is left out.
    fn days(&self) -> (u32, u32) {
        let day = |text: &str| text.replace('-', "").parse().ok();
        (
            day(&self.from).unwrap_or(ALL_DAYS.0),
            day(&self.until).unwrap_or(ALL_DAYS.1),
        )
    }
}

/// For whom the summary of VAT is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Seller {
    taxpayer: String,
}

impl Seller {
    fn asked(&self) -> Asked {
        Asked::Vat(self.taxpayer.parse().ok().map(TaxpayerId))
    }
}

pub(crate) async fn day(page: Page, Path(day): Path<u32>) -> Response {
    answer(page, Asked::Day(day)).await
}

pub(crate) async fn day_file(page: Page, Path((day, form)): Path<(u32, String)>) -> Response {
    download(page, Asked::Day(day), form).await
}

pub(crate) async fn till(page: Page, Path(till): Path<u32>) -> Response {
    answer(page, Asked::Till(TillId(till))).await
}

pub(crate) async fn till_file(page: Page, Path((till, form)): Path<(u32, String)>) -> Response {
    download(page, Asked::Till(TillId(till)), form).await
}

fn shift_asked(till: u32, session: &str) -> Option<Asked> {
    Some(Asked::Shift(TillId(till), SessionId::parse(session)?))
}

pub(crate) async fn shift(page: Page, Path((till, session)): Path<(u32, String)>) -> Response {
    match shift_asked(till, &session) {
        Some(asked) => answer(page, asked).await,
        None => page.fault(&Fault::NotFound),
    }
}

pub(crate) async fn shift_file(page: Page, Path((till, session, form)): Path<(u32, String, String)>) -> Response {
    match shift_asked(till, &session) {
        Some(asked) => download(page, asked, form).await,
        None => page.fault(&Fault::NotFound),
    }
}

pub(crate) async fn locations(page: Page) -> Response {
    answer(page, Asked::Locations).await
}

pub(crate) async fn locations_file(page: Page, Path(form): Path<String>) -> Response {
    download(page, Asked::Locations, form).await
}

pub(crate) async fn settlement(page: Page, Path(seller): Path<u16>, Query(period): Query<Period>) -> Response {
    let is_known = page
        .config()
        .is_ok_and(|config| config.taxpayers.contains_key(&TaxpayerId(seller)));
    if !is_known {
        return page.fault(&Fault::NotFound);
    }
    answer(page, Asked::Settlement(TaxpayerId(seller), period.days())).await
}

pub(crate) async fn settlement_file(
    page: Page,
    Path((seller, form)): Path<(u16, String)>,
    Query(period): Query<Period>,
) -> Response {
    download(page, Asked::Settlement(TaxpayerId(seller), period.days()), form).await
}

pub(crate) async fn vat(page: Page, Query(seller): Query<Seller>) -> Response {
    answer(page, seller.asked()).await
}

pub(crate) async fn vat_file(page: Page, Path(form): Path<String>, Query(seller): Query<Seller>) -> Response {
    download(page, seller.asked(), form).await
}

/// What can be had.
pub(crate) async fn start(page: Page) -> Response {
    let made = content(&page).await;
    page.done(made.map(|content| page.show(page.words.of("Berichte", "Reports"), &content)))
}

async fn content(page: &Page) -> Result<Markup, Fault> {
    let words = page.words;
    let config = Arc::clone(page.config()?);
    let (event, now_ms) = (page.context.event, page.context.now_ms());
    let today = event_day(&config.event, now_ms).map_or(0, |day| day.0);
    let days = page.context.read(move |reader| days(reader, event, today)).await?;
    let names = Names { config: &config, words };
    Ok(html! {
        p.row {
            a.button.main href="/closings" { (words.of("Kassenabschlüsse (Z)", "Closings (Z)")) }
            a.button href="/reports/vat" { (words.of("Umsatzsteuer", "VAT")) }
            a.button href="/reports/locations" { (words.of("Nach Orten", "By location")) }
        }
        div.columns {
            section.sheet aria-label=(words.of("Tagesberichte", "Daily reports")) {
                h2 { (words.of("Tagesberichte", "Daily reports")) }
                p.quiet { (words.of("Alle Kassen eines Veranstaltungstags, Abschlüsse und Nachträge einzeln und zusammen.", "All tills of an event day, closings and supplements apart and together.")) }
                @if days.is_empty() { p { (words.of("Noch keine Buchung.", "No order yet.")) } }
                ul.plain { @for day in days.iter().rev() {
                    li { a href=(format!("/reports/day/{day}")) { (page.clock.day(*day)) } @if *day == today { " " span.quiet { (words.of("dauert an", "goes on")) } } }
                } }
            }
            section.sheet aria-label=(words.of("Abrechnungen", "Settlement statements")) {
                h2 { (words.of("Abrechnungen", "Settlement statements")) }
                p.quiet { (words.of("Was der Veranstalter einem Verkäufer schuldet, aus Belegen und Hauptbuch.", "What the organiser owes a seller, from receipts and ledger.")) }
                ul.plain { @for seller in config.taxpayers.values() {
                    li { a href=(format!("/reports/settlement/{}", seller.id)) { bdi { (seller.name) } } }
                } }
            }
        }
        section.sheet aria-label=(words.of("X-Berichte", "X reports")) {
            h2 { (words.of("Zwischenstand einer Kasse (X)", "A till so far (X)")) }
            p.quiet { (words.of("Liest nur: entnimmt nichts und schließt nichts ab.", "Only reads: takes nothing and closes nothing.")) }
            ul.choices { @for till in config.tills.keys() {
                li { a href=(format!("/reports/till/{till}")) { bdi { (names.till(*till)) } } }
            } }
        }
    })
}

/// Event days of which there is anything: those that were closed, and those of what is in no closing.
fn days(reader: &mut dyn Reader, event: EventId, today: u32) -> Result<BTreeSet<u32>, StoreError> {
    let mut days: BTreeSet<u32> = reports::load::closings(reader)?
        .into_values()
        .map(|row| row.day)
        .collect();
    let hours = reader.hours(event, 0, u64::MAX)?;
    let config = fiscal::Jobs::new(reader, event)?;
    let of_hours = hours
        .iter()
        .filter_map(|row| event_day(&config.newest().event, row.hour_ms));
    days.extend(of_hours.map(|day| day.0).filter(|day| *day <= today));
    Ok(days)
}
