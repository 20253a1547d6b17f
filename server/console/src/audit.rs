//! Who did what to what. Rows are only ever added.

use axum::extract::Query;
use axum::response::Response;
use maud::{Markup, html};
use pages::Language;
use serde::Deserialize;

use crate::fault::Fault;
use crate::frame::{Page, address, cut};

const PAGE_ROWS: u64 = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    object: String,
    before: String,
}

/// What a code means; what is not known is shown as it is.
fn name(what: &str, words: Language) -> &str {
    match what {
        "login" => words.of("hat sich angemeldet", "logged in"),
        "login.failed" => words.of("Anmeldung misslungen", "login failed"),
        "logout" => words.of("hat sich abgemeldet", "logged out"),
        "user.password" => words.of("hat das Passwort geändert", "changed the password"),
        "user.reset" => words.of("hat ein Passwort zurückgesetzt", "reset a password"),
        "user.add" => words.of("hat jemanden hinzugefügt", "added a user"),
        "user.role" => words.of("hat eine Rolle geändert", "changed a role"),
        "user.activate" => words.of("hat einen Zugang freigegeben", "activated a user"),
        "user.deactivate" => words.of("hat einen Zugang gesperrt", "deactivated a user"),
        "terminal.invite" => words.of("hat einen QR-Code erstellt", "made a QR code"),
        "terminal.confirm" => words.of("hat ein Gerät bestätigt", "confirmed a terminal"),
        "terminal.lock" => words.of("hat ein Gerät gesperrt", "locked a terminal"),
        "terminal.unlock" => words.of("hat ein Gerät freigegeben", "unlocked a terminal"),
        "terminal.logout" => words.of("hat eine Kassenkraft abgemeldet", "logged a cashier out"),
        "journal.import" => words.of("hat eine Zweitkopie gebucht", "booked a second copy"),
        "wristband.block" => words.of("hat ein Band gesperrt", "blocked a wristband"),
        "wristband.unblock" => words.of("hat ein Band freigegeben", "unblocked a wristband"),
        "case.take" => words.of("hat einen Fall übernommen", "took a case"),
        "case.note" => words.of("hat zu einem Fall notiert", "noted on a case"),
        "case.resolve" => words.of("hat einen Fall erledigt", "resolved a case"),
        "case.reopen" => words.of("hat einen Fall wieder geöffnet", "opened a case again"),
        "tse.move" => words.of("hat eine Kasse zu einer TSE vorgesehen", "planned a till for a TSE"),
        "tse.retire" => words.of("hat eine TSE außer Betrieb genommen", "took a TSE out of service"),
        "export.start" => words.of("hat einen Export begonnen", "began an export"),
        "export.cancel" => words.of("hat einen Export abgebrochen", "cancelled an export"),
        "export.download" => words.of("hat einen Export heruntergeladen", "downloaded an export"),
        "export.delete" => words.of("hat die Datei eines Exports gelöscht", "deleted the file of an export"),
        "orders.export" => words.of("hat Buchungen gespeichert", "saved orders"),
        other => other,
    }
}

pub(crate) async fn page(page: Page, Query(asked): Query<Asked>) -> Response {
    let made = content(&page, &asked).await;
    page.done(made.map(|content| page.show(page.words.of("Protokoll", "Audit log"), &content)))
}

async fn content(page: &Page, asked: &Asked) -> Result<Markup, Fault> {
    let words = page.words;
    let object = (!asked.object.is_empty()).then(|| asked.object.clone());
    let before = asked.before.parse().ok();
    let mut rows = page
        .context
        .read(move |reader| reader.audit(object.as_deref(), before, PAGE_ROWS + 1))
        .await?;
    let older = cut(&mut rows, PAGE_ROWS, |(no, _)| *no);
    Ok(html! {
        form.filters method="get" action="/audit" {
            label { (words.of("Woran (Kennung, Band, Name, „case 12“)", "To what (id, wristband, name, “case 12”)")) input name="object" value=(asked.object) maxlength="64" size="34"; }
            div.row.end { button { (words.of("Zeigen", "Show")) } @if !asked.object.is_empty() { a.button href="/audit" { (words.of("Alles", "All")) } } }
        }
        @if rows.is_empty() { p.note { (words.of("Nichts steht hier.", "Nothing is here.")) } }
        @else {
            div.scroll tabindex="0" role="region" aria-label=(words.of("Protokoll", "Audit log")) {
                table {
                    caption.visually-hidden { (words.of("Protokoll, neueste zuerst", "Audit log, newest first")) }
                    thead { tr {
                        th scope="col" { (words.of("Nr.", "No.")) } th scope="col" { (words.of("Zeit", "Time")) } th scope="col" { (words.of("Wer", "Who")) }
                        th scope="col" { (words.of("Was", "What")) } th scope="col" { (words.of("Woran", "To what")) } th scope="col" { (words.of("Mehr dazu", "More")) }
                    } }
                    tbody { @for (no, row) in &rows { tr {
                        td { (no) } td.nowrap { (page.clock.full(row.at_ms)) } td { bdi { @if row.by.is_empty() { "–" } @else { (row.by) } } }
                        td { (name(&row.what, words)) } td.id.text { bdi { (row.object) } } td.text { bdi { (row.detail) } }
                    } } }
                }
            }
            @if let Some(older) = older {
                nav.paging aria-label=(words.of("Seiten der Liste", "Pages of the list")) {
                    a.button rel="next" href=(address("/audit", &[("object", &asked.object), ("before", &older.to_string())])) { (words.of("Ältere", "Older")) }
                }
            }
        }
    })
}
