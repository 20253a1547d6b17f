//! Judges what somebody brings: the code of a receipt, the log of a TSE, an export for auditors; ours or anybody's.
//!
//! The crates `verify` and `dsfinvk` judge. What must never happen here: a file of a stranger kept, or taken for what it says it is: uploads go to a
//! file without a name that is gone with the answer, archives are unpacked within limits.

use std::sync::Arc;

use axum::Form;
use axum::extract::{DefaultBodyLimit, Multipart};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use pages::format::count;
use pages::{Both, Language};
use serde::Deserialize;
use shared_protocol::ids::hex;
use store::TseRow;
use tokio::sync::Semaphore;
use verify::receipt::{Verdict, judge};
use verify::{Finding, Severity};

use crate::fault::Fault;
use crate::frame::Page;

mod upload;

/// The largest upload: the log of some hundred thousand transactions.
const UPLOAD_MAX_BYTES: usize = 256 * 1024 * 1024;
/// Uploads that are judged at once.
const AT_ONCE: usize = 2;
/// Characters of a code: more than any QR code holds.
const CODE_MAX: usize = 8_192;

/// Room for judgements: each takes a processor for a while.
pub(crate) struct Judges(Arc<Semaphore>);

impl Default for Judges {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

/// Lets an upload be larger than a form.
pub(crate) fn room() -> DefaultBodyLimit {
    DefaultBodyLimit::max(UPLOAD_MAX_BYTES)
}

const fn title(words: Language) -> &'static str {
    words.of("Prüfen", "Verify")
}

fn forms(words: Language, code: &str) -> Markup {
    html! {
        div.columns {
            form.sheet.stack method="post" action="/verify/receipt" {
                h2 { (words.of("Ein Beleg", "A receipt")) }
                p.quiet { (words.of("Scanne den QR-Code des Belegs mit einem Handscanner in das Feld, oder füg ein, was ein Telefon daraus liest. Er beginnt mit V0.", "Scan the receipt's QR code into the field with a hand scanner, or paste what a phone reads from it. It begins with V0.")) }
                label { (words.of("Code des Belegs", "Code of the receipt")) textarea name="code" rows="4" required maxlength=(CODE_MAX) spellcheck="false" autocomplete="off" { (code) } }
                div.row { button.main { (words.of("Beleg prüfen", "Verify the receipt")) } }
            }
            form.sheet.stack method="post" action="/verify/file" enctype="multipart/form-data" {
                h2 { (words.of("Ein Export", "An export")) }
                p.quiet { (words.of("Das Protokoll einer TSE (TAR) oder Kassendaten nach DSFinV-K (ZIP), von uns oder einem anderen Programm, bis 256 MB. Es wird nichts aufgehoben. Größeres prüft `groschen verify` auf dem Server.", "The log of a TSE (TAR) or till data as DSFinV-K (ZIP), ours or another program's, up to 256 MB. Nothing is kept. `groschen verify` on the server takes larger ones.")) }
                label { (words.of("Datei", "File")) input type="file" name="file" accept=".tar,.zip" required; }
                div.row { button.main { (words.of("Export prüfen", "Verify the export")) } }
            }
        }
    }
}

pub(crate) async fn page(page: Page) -> Response {
    let content = forms(page.words, "");
    page.show(title(page.words), &content)
}

#[derive(Deserialize)]
pub(crate) struct Code {
    #[serde(default)]
    code: String,
}

pub(crate) async fn receipt(page: Page, Form(form): Form<Code>) -> Response {
    let made = judged(&page, form.code.trim()).await;
    page.done(made.map(|content| page.show(title(page.words), &content)))
}

async fn judged(page: &Page, code: &str) -> Result<Markup, Fault> {
    if code.is_empty() || code.len() > CODE_MAX {
        return Err(Fault::refused(
            "Das Feld ist leer oder zu lang. Füg den ganzen Code eines Belegs ein; er beginnt mit V0.",
            "The field is empty or too long. Paste the whole code of one receipt; it begins with V0.",
        ));
    }
    let tses = page.context.read(|reader| reader.tses()).await?;
    let serials: Vec<[u8; 32]> = tses.iter().map(|tse| tse.serial).collect();
    let verdict = judge(Both::new("Code", "code"), code, &serials);
    Ok(html! {
        (verdict_of(&verdict, &tses, page.words))
        (forms(page.words, code))
    })
}

/// The verdict in words: whether the signature is one of this receipt, and whose.
fn verdict_of(verdict: &Verdict, tses: &[TseRow], words: Language) -> Markup {
    let tse = tses.iter().find(|tse| hex(&tse.serial) == verdict.serial);
    let (class, says) = match (verdict.holds, verdict.form.is_some(), tse) {
        (true, true, Some(tse)) if tse.certified => (
            "good",
            words.of(
                "✓ Echt: Eine unserer TSEs hat genau diesen Beleg signiert.",
                "✓ Genuine: one of our TSEs signed exactly this receipt.",
            ),
        ),
        (true, true, Some(_)) => (
            "warn",
            words.of(
                "✓ Von uns: Eine unserer TSEs hat genau diesen Beleg signiert. Sie ist nicht zertifiziert.",
                "✓ Ours: one of our TSEs signed exactly this receipt. It is not certified.",
            ),
        ),
        (true, true, None) => (
            "warn",
            words.of(
                "Die Signatur passt zu diesem Beleg, aber nicht zu einer unserer TSEs.",
                "The signature fits this receipt, but is not of one of our TSEs.",
            ),
        ),
        (true, false, _) => (
            "warn",
            words.of(
                "Die Signatur ließ sich hier nicht prüfen.",
                "The signature could not be checked here.",
            ),
        ),
        (false, ..) => (
            "bad",
            words.of(
                "✗ Kein gültiger Beleg: der Code passt nicht zu seiner Signatur, oder er ist keiner.",
                "✗ No valid receipt: the code does not fit its signature, or is none.",
            ),
        ),
    };
    html! {
        section.sheet {
            div class=(format!("note {class}")) role="status" { strong { (says) } }
            @if !verdict.client.is_empty() {
                dl.facts {
                    dt { (words.of("Kasse", "Till")) } dd.id { bdi { (verdict.client) } }
                    dt { (words.of("Transaktion", "Transaction")) } dd { (verdict.transaction) ", " (words.of("Signaturzähler", "signature counter")) " " (verdict.counter) }
                    dt { (words.of("Was signiert wurde", "What was signed")) } dd.id { bdi { (verdict.process_type) ": " (verdict.process_data) } }
                    dt { "TSE" } dd.id { @if let Some(tse) = tse { "TSE " (tse.no.0) ", " } (verdict.serial) }
                }
            }
            (found(&verdict.findings, words))
        }
    }
}

/// What a judgement found.
fn found(findings: &[Finding], words: Language) -> Markup {
    html! { ul.plain { @for one in findings.iter().filter(|one| one.severity != Severity::Note) {
        @let what = html! { bdi.text { (one.place.of(words)) ": " (one.what.of(words)) } };
        @let why = html! { (one.why.of(words)) " " (one.next.of(words)) };
        (finding(one.severity == Severity::Error, one.code.name(), &what, &why, words))
    } } }
}

/// A finding: where and what, and below it why that matters.
pub(crate) fn finding(error: bool, code: &str, what: &Markup, why: &Markup, words: Language) -> Markup {
    html! { li {
        @if error { span.state.bad { (words.of("Fehler", "Error")) } } @else { span.state.warn { (words.of("Warnung", "Warning")) } }
        " " span.id { (code) } " " (what)
        br; span.quiet { (why) }
    } }
}

pub(crate) async fn file(
    page: Page,
    parts: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Response {
    let made = match parts {
        Ok(parts) => brought(&page, parts).await,
        Err(_) => Err(upload::no_file()),
    };
    page.done(made.map(|content| page.show(title(page.words), &content)))
}

async fn brought(page: &Page, parts: Multipart) -> Result<Markup, Fault> {
    let Ok(room) = Arc::clone(&page.context.judges.0).try_acquire_owned() else {
        return Err(Fault::refused(
            "Gerade werden schon zwei Dateien geprüft. Versuch es in einer Minute noch einmal.",
            "Two files are being checked already. Try again in a minute.",
        ));
    };
    let upload = upload::take(parts).await?;
    let words = page.words;
    let result = tokio::task::spawn_blocking(move || upload.judge(words)).await;
    drop(room);
    let result = result.map_err(|_| Fault::Unavailable)??;
    Ok(html! { (result) (forms(words, "")) })
}

/// How many errors and warnings, as a headline.
fn headline(errors: u64, warnings: u64, words: Language) -> Markup {
    html! {
        @if errors > 0 {
            div.note.bad role="status" { strong { "✗ " (count(errors, words)) " " (words.of("Fehler", "errors")) ", " (count(warnings, words)) " " (words.of("Warnungen", "warnings")) } }
        } @else if warnings > 0 {
            div.note.warn role="status" { strong { (words.of("Kein Fehler", "No errors")) ", " (count(warnings, words)) " " (words.of("Warnungen", "warnings")) } }
        } @else {
            div.note.good role="status" { strong { (words.of("✓ Nichts gefunden.", "✓ Nothing found.")) } }
        }
    }
}

fn broken_off(status: StatusCode) -> Fault {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Fault::refused(
            "Die Datei ist zu groß. Nichts ist geprüft; nimm `groschen verify` auf dem Server.",
            "The file is too large. Nothing was checked; use `groschen verify` on the server.",
        )
    } else {
        Fault::refused(
            "Die Datei kam nicht ganz an. Nichts ist geprüft; versuch es noch einmal.",
            "The file did not arrive whole. Nothing was checked; try again.",
        )
    }
}
