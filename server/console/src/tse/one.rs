//! One TSE: its certificates, its tills and outages, and the way out of service.

use axum::Form;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use store::{RetiredRow, TseNo, TseRow};

use super::sheet::said;
use super::words::not_taken;
use super::{Figures, outages};
use crate::fault::Fault;
use crate::frame::Page;
use crate::signer::TseOrder;
use crate::words::Names;

/// Characters of a reason.
const WHY_MAX: usize = 500;

fn number(text: &str) -> Result<TseNo, Fault> {
    text.parse().map(TseNo).map_err(|_| Fault::NotFound)
}

pub(crate) async fn page(page: Page, Path(tse): Path<String>) -> Response {
    let made = content(&page, &tse).await;
    page.done(made.map(|(title, content)| page.show(&title, &content)))
}

async fn content(page: &Page, tse: &str) -> Result<(String, Markup), Fault> {
    let no = number(tse)?;
    let figures = Figures::load(&page.context).await?;
    let found = figures.tses.iter().find(|(row, _)| row.no == no);
    let (row, _) = found.ok_or(Fault::NotFound)?;
    let words = page.words;
    let names = Names {
        config: page.config()?,
        words,
    };
    let said = said(&figures, row, &page.clock, words);
    let retired = figures.retired.get(&no);
    let mut of_tse = page.context.read(|reader| reader.outages(1, u64::MAX)).await?;
    of_tse.retain(|outage| outage.tse == Some(no));
    of_tse.reverse();
    let made = html! {
        p { a href="/tse" { "← " (words.of("Alle TSEs", "All TSEs")) } }
        section.sheet {
            p { strong class=(format!("state {}", said.class)) { (said.is) } @if !said.next.is_empty() { " " (said.next) } }
            dl.facts {
                dt { (words.of("Name", "Name")) } dd { bdi { (row.name) } }
                dt { (words.of("Für", "For")) } dd { bdi { (names.taxpayer(row.taxpayer)) } }
                dt { (words.of("Seriennummer", "Serial number")) } dd.id { (shared_protocol::ids::hex(&row.serial)) }
                dt { (words.of("Verfahren", "Algorithm")) } dd.id { (row.algorithm) }
                dt { (words.of("Zertifiziert", "Certified")) } dd { @if row.certified { (words.of("so sagen die Einstellungen", "so the settings say")) } @else { (words.of("nein", "no")) } }
                dt { (words.of("Weg in den Einstellungen", "Way in the settings")) } dd.id { @if row.link.is_empty() { "–" } @else { (row.link) } }
                @if let Some(retired) = retired { (retirement(page, retired)) }
            }
        }
        (chain(page, row))
        section.sheet {
            h2 { (words.of("Kassen jetzt", "Tills now")) }
            @let here: Vec<_> = figures.clients.iter().filter(|client| client.tse == no).collect();
            @if here.is_empty() { p { (words.of("Keine.", "None.")) } }
            ul.plain { @for client in here { li { @match figures.till(&client.client) {
                Some(till) => a href=(format!("/tse/tills/{}", till.0)) { bdi { (names.till(till)) } },
                None => span.id { (client.client) },
            } } } }
        }
        @if retired.is_none() && page.may(&Method::POST, "/tse/{tse}/retire") { (form(page, &figures, row)) }
        (outages(of_tse.iter(), &names, &figures, &page.clock))
    };
    Ok((format!("TSE {}", no.0), made))
}

fn retirement(page: &Page, retired: &RetiredRow) -> Markup {
    let words = page.words;
    html! {
        dt { (words.of("Außer Betrieb genommen", "Taken out of service")) }
        dd { (page.clock.full(retired.at_ms)) ", " bdi { (retired.by) } ": " bdi { (retired.why) } }
        @if retired.left_open > 0 {
            dt { (words.of("Offen geblieben", "Left open")) }
            dd { (retired.left_open) " " (words.of("Transaktionen, weil sie nicht antwortete; ihre Belege sind als im Ausfall markiert.", "transactions, because it did not answer; their receipts are marked as made in an outage.")) }
        }
    }
}

/// Its certificate and those above it.
fn chain(page: &Page, row: &TseRow) -> Markup {
    let words = page.words;
    let time = |at_s: i64| {
        u64::try_from(at_s).map_or_else(|_| "–".to_owned(), |at_s| page.clock.date(at_s.saturating_mul(1_000)))
    };
    html! {
        section.sheet {
            h2 { (words.of("Zertifikate", "Certificates")) }
            @if row.certificates.is_empty() { p { (words.of("Keine: eine TSE in Software hat keines.", "None: a TSE in software has none.")) } }
            ol { @for der in &row.certificates { li { @match verify::Certificate::read_all(der).ok().and_then(|mut read| read.pop()) {
                Some(read) => { (words.of("gültig von", "valid from")) " " (time(read.not_before_s)) " " (words.of("bis", "to")) " " (time(read.not_after_s)) }
                None => (words.of("lässt sich nicht lesen", "cannot be read")),
            } } } }
        }
    }
}

/// The way out of service; the export is offered first.
fn form(page: &Page, figures: &Figures, row: &TseRow) -> Markup {
    let words = page.words;
    let no = row.no.0;
    let other = figures.board.units.iter().any(|unit| {
        unit.state.taxpayer == row.taxpayer
            && unit.state.no != row.no
            && unit.state.ready
            && unit.state.retired.is_none()
    });
    html! {
        details.sheet.stack {
            summary { (words.of("Diese TSE außer Betrieb nehmen", "Take this TSE out of service")) }
            p { (words.of(
                "Für immer: sie beginnt nichts mehr, jede Kasse wechselt nach ihrem Verkauf zu einer anderen, was offen bleibt endet als Abbruch. Du musst es innerhalb eines Monats dem Finanzamt melden (§ 146a Abs. 4 AO).",
                "For good: it begins nothing any more, each till moves to another after its sale, what stays open ends as given up. You have to report it to the tax office within a month (§ 146a (4) AO).",
            )) }
            p { (words.of("Zuerst exportieren und den Export aufheben:", "First export it and keep the export:")) " "
                @if page.may(&Method::GET, "/exports") { a.button href=(format!("/exports?tse={no}")) { (words.of("Export dieser TSE", "Export this TSE")) } }
            }
            @if !other { p.note.bad { (words.of(
                "Keine andere TSE dieses Steuerzahlers arbeitet. Ohne eine andere werden alle seine Belege als unsigniert markiert.",
                "No other TSE of this taxpayer works. Without another one, all its receipts are marked as unsigned.",
            )) } }
            form.stack method="post" action=(format!("/tse/{no}/retire")) {
                label { (words.of("Warum", "Why")) input name="why" required maxlength=(WHY_MAX) autocomplete="off"; }
                label.choice { input type="checkbox" name="exported" value="1" required; (words.of("Der Export ist gesichert, oder sie lässt sich nicht mehr exportieren.", "The export is kept, or it can be exported no more.")) }
                @if !other { label.choice { input type="checkbox" name="forced" value="1"; (words.of("Auch ohne andere TSE: Belege bleiben dann unsigniert.", "Even without another TSE: receipts stay unsigned then.")) } }
                label { (words.of("Zur Bestätigung die Nummer der TSE", "To confirm, the number of the TSE")) input name="confirm" inputmode="numeric" pattern="[0-9]+" maxlength="5" required autocomplete="off"; }
                div.row { button.grave { (words.of("Außer Betrieb nehmen", "Take out of service")) } }
            }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Retire {
    #[serde(default)]
    why: String,
    #[serde(default)]
    exported: String,
    #[serde(default)]
    forced: String,
    #[serde(default)]
    confirm: String,
}

pub(crate) async fn retire(page: Page, Path(tse): Path<String>, Form(form): Form<Retire>) -> Response {
    let made = retired(&page, &tse, &form).await;
    page.done(made.map(|()| Redirect::to(&format!("/tse/{tse}")).into_response()))
}

async fn retired(page: &Page, tse: &str, form: &Retire) -> Result<(), Fault> {
    let no = number(tse)?;
    let why: String = form.why.trim().chars().take(WHY_MAX).collect();
    if form.confirm.trim() != tse || form.exported.is_empty() || why.is_empty() {
        return Err(Fault::refused(
            "Es fehlt der Grund, die Bestätigung des Exports oder die Nummer der TSE. Nichts ist geändert.",
            "The reason, the confirmation of the export or the number of the TSE is missing. Nothing was changed.",
        ));
    }
    let visitor = page.visitor()?;
    let forced = !form.forced.is_empty();
    let row = RetiredRow {
        tse: no,
        at_ms: page.context.now_ms(),
        by: visitor.name.clone(),
        why: why.clone(),
        forced,
        done_ms: None,
        left_open: 0,
    };
    let detail = if forced {
        format!("{why} (without another TSE)")
    } else {
        why
    };
    page.context
        .note(visitor, "tse.retire", format!("tse {}", no.0), detail)
        .await?;
    let taken = page.context.signer.ask(TseOrder::Retire(row)).await;
    taken.map_err(not_taken)
}
