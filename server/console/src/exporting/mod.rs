//! Exports for whoever audits: asked for here, made in the background by the server, handed out as one file, with what our own check says.
//!
//! | file | what |
//! |---|---|
//! | `form` | what somebody asks for |
//! | `file` | handing a file out |
//! | `handle` | what makes exports |
//!
//! What must never happen here: an export that is not whole offered as a file, or a file deleted without somebody who asked for that.

use axum::Form;
use axum::extract::{Path, Query};
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use dsfinvk::check::Rule;
use maud::{Markup, html};
use pages::Language;
use pages::format::{Clock, count};
use serde::Deserialize;
use shared_protocol::config::Config;
use shared_protocol::ids::hex;
use store::{ExportFinding, ExportKind, ExportRange, ExportRow, ExportState, TseRow};
use verify::Code;

use crate::context::Context;
use crate::fault::Fault;
use crate::frame::{Page, address, clock_of, cut};
use crate::words::Names;

mod file;
mod form;
mod handle;

pub(crate) use file::file;
pub use handle::{Asked, ExportFault, ExportProgress, ExportStep, Exports};

/// Exports on a page.
const PAGE_ROWS: u64 = 50;

/// What tells that an export went on.
pub(crate) fn sign(context: &Context) -> u64 {
    let progress = context.exports.progress();
    let steps = progress.iter().map(|progress| {
        progress
            .done
            .wrapping_mul(31)
            .wrapping_add(progress.step.code())
            .wrapping_add(progress.id)
    });
    steps.fold(progress.len() as u64, u64::wrapping_add)
}

/// Exports at one moment.
pub(crate) struct Found {
    now_ms: u64,
    rows: Vec<ExportRow>,
    older: Option<u64>,
    tses: Vec<TseRow>,
    progress: Vec<ExportProgress>,
}

impl Found {
    pub(crate) async fn load(context: &Context, before: Option<u64>) -> Result<Self, Fault> {
        let (mut rows, tses) = context
            .read(move |reader| Ok((reader.exports(before, PAGE_ROWS + 1)?, reader.tses()?)))
            .await?;
        let older = cut(&mut rows, PAGE_ROWS, |row| row.id);
        Ok(Self {
            now_ms: context.now_ms(),
            rows,
            older,
            tses,
            progress: context.exports.progress(),
        })
    }
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    #[serde(default)]
    before: String,
    /// The TSE that somebody came from.
    #[serde(default)]
    tse: String,
}

pub(crate) async fn page(page: Page, Query(wanted): Query<Wanted>) -> Response {
    let made = content(&page, &wanted).await;
    let words = page.words;
    page.done(made.map(|content| page.show_live(words.of("Exporte", "Exports"), &content, "/live/exports")))
}

async fn content(page: &Page, wanted: &Wanted) -> Result<Markup, Fault> {
    let before: Option<u64> = wanted.before.parse().ok();
    let found = Found::load(&page.context, before).await?;
    let config = page.config()?;
    Ok(html! {
        @if before.is_none() { (form::forms(page, &found.tses, &wanted.tse)?) }
        (list(&found, config, page.words))
        @if let Some(older) = found.older {
            nav.paging aria-label=(page.words.of("Seiten der Liste", "Pages of the list")) {
                a.button rel="next" href=(address("/exports", &[("before", &older.to_string())])) { (page.words.of("Ältere", "Older")) }
            }
        }
    })
}

/// What live pages get when something changed.
pub(crate) fn fragments(found: &Found, config: &Config, words: Language) -> Markup {
    let clock = Clock::new(&config.event.time_zone, words);
    html! {
        (clock_of(&clock, found.now_ms, words))
        (list(found, config, words))
    }
}

pub(crate) const fn kind_name(kind: ExportKind, words: Language) -> &'static str {
    match kind {
        ExportKind::Dsfinvk => words.of("Kassendaten (DSFinV-K)", "Till data (DSFinV-K)"),
        ExportKind::Tse => words.of("TSE-Protokolle (TAR)", "Logs of TSEs (TAR)"),
    }
}

const fn step_name(step: ExportStep, words: Language) -> &'static str {
    match step {
        ExportStep::Writing => words.of("wird geschrieben", "being written"),
        ExportStep::Checking => words.of("wird geprüft", "being checked"),
        ExportStep::Packing => words.of("wird gepackt", "being packed"),
    }
}

/// What was asked for, in a line.
fn range(range: &ExportRange, names: &Names<'_>, clock: &Clock) -> Markup {
    let words = names.words;
    html! {
        @match (range.taxpayer, range.tse) {
            (_, Some(tse)) => { "TSE " (tse.0) }
            (Some(taxpayer), None) => bdi { (names.taxpayer(taxpayer)) },
            (None, None) => (words.of("alle", "all")),
        }
        @if range.kind == ExportKind::Dsfinvk {
            ", " @match (range.from_day, range.until_day) {
                (0, u32::MAX) => (words.of("alle Tage", "all days")),
                (from, u32::MAX) => { (words.of("ab", "from")) " " (clock.day(from)) }
                (0, until) => { (words.of("bis", "to")) " " (clock.day(until)) }
                (from, until) if from == until => (clock.day(from)),
                (from, until) => { (clock.day(from)) "–" (clock.day(until)) }
            }
            ", " (range.version) @if range.staff_names { ", " (words.of("mit Namen", "with names")) }
        }
    }
}

fn state(row: &ExportRow, words: Language) -> (&'static str, &'static str) {
    if row.deleted.is_some() {
        return ("", words.of("gelöscht", "deleted"));
    }
    match row.state {
        ExportState::Running => ("warn", words.of("läuft", "running")),
        ExportState::Done if row.errors > 0 => ("bad", words.of("fertig, mit Fehlern", "done, with errors")),
        ExportState::Done if row.warnings > 0 => ("warn", words.of("fertig, mit Warnungen", "done, with warnings")),
        ExportState::Done => ("good", words.of("✓ fertig", "✓ done")),
        ExportState::Failed => ("bad", words.of("misslungen", "failed")),
        ExportState::Cancelled => ("", words.of("abgebrochen", "cancelled")),
        ExportState::Interrupted => ("bad", words.of("unterbrochen", "interrupted")),
    }
}

/// A size as people read it.
fn size(bytes: u64, words: Language) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", count(bytes.div_ceil(1_000), words)),
        _ => format!(
            "{}{}{} MB",
            count(bytes / 1_000_000, words),
            words.of(",", "."),
            bytes % 1_000_000 / 100_000
        ),
    }
}

fn list(found: &Found, config: &Config, words: Language) -> Markup {
    let names = Names { config, words };
    let clock = Clock::new(&config.event.time_zone, words);
    let label = words.of("Bisherige Exporte", "Exports so far");
    html! {
        section #exports {
            @for progress in &found.progress { (bar(progress, words)) }
            @if found.rows.is_empty() { p.note { (words.of("Noch kein Export.", "No export yet.")) } }
            @else { div.scroll tabindex="0" role="region" aria-label=(label) { table data-rows {
                caption.visually-hidden { (label) }
                thead { tr {
                    th.amount scope="col" { (words.of("Nr.", "No.")) } th scope="col" { (words.of("Was", "What")) } th scope="col" { (words.of("Umfang", "Range")) }
                    th scope="col" { (words.of("Wer", "Who")) } th scope="col" { (words.of("Wann", "When")) } th scope="col" { (words.of("Zustand", "State")) }
                    th.amount scope="col" { (words.of("Belege oder Nachrichten", "Receipts or messages")) } th.amount scope="col" { (words.of("Größe", "Size")) }
                } }
                tbody { @for row in &found.rows {
                    @let (class, name) = state(row, words);
                    tr {
                        td.amount { a href=(format!("/exports/{}", row.id)) { (row.id) } }
                        td { (kind_name(row.range.kind, words)) } td { (range(&row.range, &names, &clock)) }
                        td { bdi { (row.by) } } td.nowrap { (clock.short(row.asked_at_ms)) }
                        td { span class=(format!("state {class}")) { (name) } }
                        td.amount { (count(row.items, words)) } td.amount { @if row.bytes > 0 { (size(row.bytes, words)) } @else { "–" } }
                    }
                } }
            } } }
        }
    }
}

/// How far it is.
fn bar(progress: &ExportProgress, words: Language) -> Markup {
    let id = format!("export-{}", progress.id);
    html! {
        div.sheet.stack id=(id) {
            p id=(format!("{id}-says")) {
                a href=(format!("/exports/{}", progress.id)) { (words.of("Export", "Export")) " " (progress.id) } ", "
                (kind_name(progress.kind, words)) ": " (step_name(progress.step, words)) ", "
                (count(progress.done, words)) @if progress.total > 0 { " " (words.of("von", "of")) " " (count(progress.total, words)) }
            }
            @if progress.total > 0 { progress.wide aria-labelledby=(format!("{id}-says")) max=(progress.total) value=(progress.done.min(progress.total)) {} }
            @else { progress.wide aria-labelledby=(format!("{id}-says")) {} }
        }
    }
}

async fn row(page: &Page, id: &str) -> Result<ExportRow, Fault> {
    let id: u64 = id.parse().map_err(|_| Fault::NotFound)?;
    let before = id.checked_add(1).ok_or(Fault::NotFound)?;
    let found = page.context.read(move |reader| reader.exports(Some(before), 1)).await?;
    found.into_iter().find(|row| row.id == id).ok_or(Fault::NotFound)
}

pub(crate) async fn detail(page: Page, Path(id): Path<String>) -> Response {
    let words = page.words;
    let made = row(&page, &id).await.and_then(|row| {
        let title = format!("{} {}", words.of("Export", "Export"), row.id);
        Ok(page.show(&title, &one(&page, &row)?))
    });
    page.done(made)
}

fn one(page: &Page, row: &ExportRow) -> Result<Markup, Fault> {
    let words = page.words;
    let names = Names {
        config: page.config()?,
        words,
    };
    let (class, name) = state(row, words);
    let progress = page.context.exports.progress();
    let at = |verb: &str| format!("/exports/{}/{verb}", row.id);
    Ok(html! {
        p { a href="/exports" { "← " (words.of("Alle Exporte", "All exports")) } }
        @for progress in progress.iter().filter(|progress| progress.id == row.id) { (bar(progress, words)) }
        section.sheet.stack {
            dl.facts {
                dt { (words.of("Was", "What")) } dd { (kind_name(row.range.kind, words)) }
                dt { (words.of("Umfang", "Range")) } dd { (range(&row.range, &names, &page.clock)) }
                dt { (words.of("Angefordert", "Asked for")) } dd { (page.clock.full(row.asked_at_ms)) ", " bdi { (row.by) } }
                dt { (words.of("Zustand", "State")) } dd { strong class=(format!("state {class}")) { (name) } @if let Some(ended) = row.ended_at_ms { ", " (page.clock.full(ended)) } }
                @if row.state == ExportState::Done {
                    dt { @match row.range.kind { ExportKind::Dsfinvk => (words.of("Kassenabschlüsse", "Closings")), ExportKind::Tse => (words.of("Archive", "Archives")) } } dd { (count(row.parts, words)) }
                    dt { @match row.range.kind { ExportKind::Dsfinvk => (words.of("Belege", "Receipts")), ExportKind::Tse => (words.of("Nachrichten", "Messages")) } } dd { (count(row.items, words)) }
                    dt { (words.of("Datei", "File")) } dd.id { (row.file) ", " (size(row.bytes, words)) }
                    dt { "SHA-256" } dd.id { @if let Some(sha256) = &row.sha256 { (hex(sha256)) } }
                }
                @if !row.says.is_empty() { dt { (words.of("Dazu", "Besides")) } dd { bdi lang="en" { (row.says) } } }
                @if let Some((at_ms, by)) = &row.deleted { dt { (words.of("Gelöscht", "Deleted")) } dd { (page.clock.full(*at_ms)) ", " bdi { (by) } } }
            }
            div.row {
                @if row.is_there() { a.button.main href=(at("file")) download=(row.file) { (words.of("Herunterladen", "Download")) } }
                @if row.state == ExportState::Running { form method="post" action=(at("cancel")) { button.grave { (words.of("Abbrechen", "Cancel")) } } }
            }
        }
        @if row.state == ExportState::Done { (findings(row, words)) }
        @if row.is_there() && page.may(&Method::POST, "/exports/{export}/delete") {
            details.sheet.stack {
                summary { (words.of("Datei löschen", "Delete the file")) }
                p { (words.of("Nur die Datei: dass es den Export gab, wer ihn wollte und was die Prüfung fand, bleibt. Er lässt sich neu erstellen, solange die Bücher da sind; den eines Geräts nur, solange es ihn noch hat.", "Only the file: that the export was there, who wanted it and what the check found stays. It can be made again as long as the books are there; that of a device only as long as it still has it.")) }
                form.row method="post" action=(at("delete")) {
                    label { (words.of("Zur Bestätigung die Nummer des Exports", "To confirm, the number of the export")) input name="confirm" inputmode="numeric" pattern="[0-9]+" maxlength="20" required autocomplete="off"; }
                    button.grave { (words.of("Löschen", "Delete")) }
                }
            }
        }
    })
}

/// Why a finding matters, by its code, which never changes its meaning.
fn why(kind: ExportKind, finding: &ExportFinding, words: Language) -> Markup {
    let rule = Rule::of_code(&finding.code).filter(|_| kind == ExportKind::Dsfinvk);
    let code = Code::of_name(&finding.code).filter(|_| kind == ExportKind::Tse);
    html! {
        @if let Some(rule) = rule { (rule.why().of(words)) }
        @else if let Some(code) = code { (code.why().of(words)) " " (code.next().of(words)) }
        @else { span lang="en" { (finding.why) } }
    }
}

/// What our own check found. It is not the tax administration's.
fn findings(row: &ExportRow, words: Language) -> Markup {
    html! {
        section.sheet {
            h2 { (words.of("Unsere Prüfung", "Our own check")) }
            @if row.errors == 0 && row.warnings == 0 {
                p.state.good { (words.of("✓ Nichts gefunden.", "✓ Nothing found.")) }
            } @else {
                p { strong { (count(row.errors, words)) " " (words.of("Fehler", "errors")) ", " (count(row.warnings, words)) " " (words.of("Warnungen", "warnings")) } }
            }
            p.quiet { (words.of("Es sind unsere eigenen Prüfungen, nicht die der Finanzverwaltung.", "These are our own checks, not those of the tax administration.")) }
            ul.plain { @for finding in &row.findings {
                @let what = html! {
                    @match finding.told_de.as_ref().filter(|_| words == Language::De) {
                        Some(told) => bdi.text { (told) },
                        None => bdi.text lang="en" { (finding.place) ": " (finding.what) },
                    }
                };
                (crate::judging::finding(finding.error, &finding.code, &what, &why(row.range.kind, finding, words), words))
            } }
        }
    }
}

pub(crate) async fn start(page: Page, Form(asked): Form<form::Asked>) -> Response {
    let made = started(&page, &asked).await;
    // The list hears how far it is.
    page.done(made.map(|_| Redirect::to("/exports").into_response()))
}

async fn started(page: &Page, asked: &form::Asked) -> Result<u64, Fault> {
    let range = asked.range()?;
    let visitor = page.visitor()?;
    let detail = asked.told();
    page.context.note(visitor, "export.start", "exports", detail).await?;
    Ok(page.context.exports.start(range, visitor.name.clone()).await?)
}

pub(crate) async fn cancel(page: Page, Path(id): Path<String>) -> Response {
    let made = async {
        let row = row(&page, &id).await?;
        let note = page
            .context
            .note(page.visitor()?, "export.cancel", format!("export {}", row.id), "");
        note.await?;
        page.context.exports.cancel(row.id);
        Ok(Redirect::to(&format!("/exports/{}", row.id)).into_response())
    };
    let made = made.await;
    page.done(made)
}

#[derive(Deserialize)]
pub(crate) struct Confirmed {
    #[serde(default)]
    confirm: String,
}

pub(crate) async fn delete(page: Page, Path(id): Path<String>, Form(form): Form<Confirmed>) -> Response {
    let made = deleted(&page, &id, &form).await;
    page.done(made)
}

async fn deleted(page: &Page, id: &str, form: &Confirmed) -> Result<Response, Fault> {
    let row = row(page, id).await?;
    if form.confirm.trim() != row.id.to_string() || !row.is_there() {
        return Err(Fault::refused(
            "Zur Bestätigung muss dort die Nummer des Exports stehen. Nichts ist gelöscht.",
            "To confirm, it has to say the number of the export there. Nothing was deleted.",
        ));
    }
    let visitor = page.visitor()?;
    let detail = row.sha256.map(|sha256| hex(&sha256)).unwrap_or_default();
    page.context
        .note(visitor, "export.delete", format!("export {}", row.id), detail)
        .await?;
    let id = row.id;
    page.context.exports.delete(row, visitor.name.clone()).await?;
    Ok(Redirect::to(&format!("/exports/{id}")).into_response())
}
