//! The TSEs: what they are, how far they are, and the log of their outages for whoever audits.

use std::collections::BTreeMap;

use axum::response::Response;
use maud::{Markup, html};
use pages::Language;
use pages::format::{count, duration};
use store::{OrderState, OutageRow, SigningState, TseRow};

use crate::dashboard::WAITING_LONG_MS;
use crate::fault::Fault;
use crate::frame::Page;
use crate::words::{Names, order_state};

/// Outages that are shown; the log itself is complete in the database.
const OUTAGES_MAX: u64 = 1_000;

pub(crate) const fn not_certified(words: Language) -> &'static str {
    words.of("nicht zertifiziert", "not certified")
}

struct Found {
    tses: Vec<(TseRow, (u64, u64, u64))>,
    counts: BTreeMap<SigningState, u64>,
    waiting: Option<(u64, u64)>,
    outages: Vec<OutageRow>,
}

pub(crate) async fn page(page: Page) -> Response {
    let made = load(&page).await.and_then(|found| content(&page, &found));
    page.done(made.map(|content| page.show("TSE", &content)))
}

async fn load(page: &Page) -> Result<Found, Fault> {
    page.context
        .read(|reader| {
            let mut tses = Vec::new();
            for tse in reader.tses()? {
                let counters = reader.tse_counters(tse.no)?;
                tses.push((tse, counters));
            }
            let mut outages = reader.outages(1, OUTAGES_MAX)?;
            outages.reverse();
            Ok(Found {
                tses,
                counts: reader.signing_counts()?,
                waiting: reader.first_waiting()?,
                outages,
            })
        })
        .await
}

fn content(page: &Page, found: &Found) -> Result<Markup, Fault> {
    let words = page.words;
    let names = Names {
        config: page.config()?,
        words,
    };
    let now_ms = page.context.now_ms();
    let (waiting, oldest) = found.waiting.unwrap_or_default();
    let lasting = found.outages.iter().any(|outage| outage.until_ms.is_none());
    Ok(html! {
        @if page.context.signer.outage() || lasting {
            div.note.bad role="alert" { (words.of("Eine TSE antwortet nicht. Verkauf ist erlaubt: Belege werden als unsigniert markiert, der Ausfall steht unten. Ruf die Technik.", "A TSE does not answer. Selling is allowed: receipts are marked as unsigned, the outage is logged below. Call tech.")) }
        }
        ul.cards {
            @for state in [SigningState::Signed, SigningState::SignedLate, SigningState::InOutage] {
                li.card {
                    h2 { @let code = OrderState::from_code(state.code()).unwrap_or(OrderState::Waiting);
                        a href=(format!("/orders?state={}", code.code())) { (order_state(code, words)) } }
                    p.value { (count(found.counts.get(&state).copied().unwrap_or(0), words)) }
                }
            }
            li class=(if waiting > 0 && now_ms.saturating_sub(oldest) > WAITING_LONG_MS { "card bad" } else { "card" }) {
                h2 { a href=(format!("/orders?state={}", OrderState::Waiting.code())) { (order_state(OrderState::Waiting, words)) } }
                p.value { (count(waiting, words)) }
                p.quiet { @if waiting > 0 { (words.of("älteste seit", "oldest for")) " " (duration(now_ms.saturating_sub(oldest), words)) } @else { (words.of("nichts wartet", "nothing waits")) } }
            }
        }
        @if found.tses.is_empty() { p.note { (words.of("Noch keine TSE: sie beginnt mit der ersten Buchung.", "No TSE yet: it begins with the first order.")) } }
        @for (tse, (transaction, signature, time_s)) in &found.tses {
            section.sheet {
                h2 { bdi { (tse.name) } }
                @if !tse.certified { p.simulated { (not_certified(words)) ": " (words.of("eine TSE in Software, für Proben und Vorführungen. Ihre Belege sind keine im Sinn des Gesetzes.", "a TSE in software, for rehearsals and demonstrations. Its receipts are none in the sense of the law.")) } }
                dl.facts {
                    dt { (words.of("Seriennummer", "Serial number")) } dd.id { (shared_protocol::ids::hex(&tse.serial)) }
                    dt { (words.of("Für", "For")) } dd { bdi { (names.taxpayer(tse.taxpayer)) } }
                    dt { (words.of("Verfahren", "Algorithm")) } dd.id { (tse.algorithm) }
                    dt { (words.of("Transaktionen", "Transactions")) } dd { (count(*transaction, words)) }
                    dt { (words.of("Signaturzähler", "Signature counter")) } dd { (count(*signature, words)) }
                    dt { (words.of("Letzte Zeit der TSE", "Last time of the TSE")) } dd { @if *time_s > 0 { (page.clock.full(time_s.saturating_mul(1_000))) } @else { "–" } }
                }
            }
        }
        (outages(page, found))
    })
}

fn outages(page: &Page, found: &Found) -> Markup {
    let words = page.words;
    html! {
        section.sheet.scroll tabindex="0" aria-label=(words.of("Ausfälle", "Outages")) {
            h2 { (words.of("Ausfälle", "Outages")) }
            @if found.outages.is_empty() { p { (words.of("Keiner.", "None.")) } }
            @else { table {
                caption.visually-hidden { (words.of("Ausfälle, neueste zuerst", "Outages, newest first")) }
                thead { tr {
                    th scope="col" { (words.of("Nr.", "No.")) } th scope="col" { (words.of("Was", "What")) }
                    th scope="col" { (words.of("Von", "From")) } th scope="col" { (words.of("Bis", "Until")) } th scope="col" { (words.of("Warum", "Why")) }
                } }
                tbody { @for outage in &found.outages { tr {
                    td { (outage.id) }
                    td { @match (&outage.tse, &outage.client) {
                        (Some(tse), _) => { "TSE " (tse.0) }
                        (None, Some(client)) => { (words.of("Kasse", "Till")) " " span.id { (client) } }
                        (None, None) => "–",
                    } }
                    td.nowrap { (page.clock.full(outage.from_ms)) }
                    td.nowrap { @match outage.until_ms { Some(until) => (page.clock.full(until)), None => span.state.bad { (words.of("dauert an", "goes on")) } } }
                    td.text { bdi { (outage.reason) } }
                } } }
            } }
        }
    }
}
