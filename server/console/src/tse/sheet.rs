//! What one TSE shows: its state in words, and its figures.

use maud::{Markup, html};
use pages::Language;
use pages::format::{Clock, count, duration};
use store::TseRow;

use super::{Figures, not_certified, words};
use crate::signer::UnitNow;
use crate::words::Names;

/// A state as people say it: class, what it is, and what to do.
pub(super) struct Said {
    pub class: &'static str,
    pub is: String,
    pub next: String,
}

pub(super) fn said(figures: &Figures, row: &TseRow, clock: &Clock, words: Language) -> Said {
    let plain = |class, is: String, next: &str| Said {
        class,
        is,
        next: next.to_owned(),
    };
    if let Some(retired) = figures.retired.get(&row.no) {
        return match retired.done_ms {
            Some(done_ms) => plain(
                "",
                format!(
                    "◼ {} {}",
                    words.of("außer Betrieb seit", "out of service since"),
                    clock.full(done_ms)
                ),
                words.of(
                    "Innerhalb eines Monats dem Finanzamt melden (§ 146a Abs. 4 AO).",
                    "Report it to the tax office within a month (§ 146a (4) AO).",
                ),
            ),
            None => plain(
                "warn",
                format!("▸ {}", words.of("geht außer Betrieb", "goes out of service")),
                words.of(
                    "Jede Kasse wechselt nach ihrem Verkauf; spätestens nach fünf Minuten endet, was noch offen ist.",
                    "Each till moves after its sale; after five minutes at most, what is still open ends.",
                ),
            ),
        };
    }
    let Some(unit) = figures.unit(row.no) else {
        return plain(
            "warn",
            format!("? {}", words.of("nicht angeschlossen", "not connected")),
            words.of(
                "Die Einstellungen des Servers nennen keinen Weg zu ihr.",
                "The server's settings name no way to it.",
            ),
        );
    };
    match (&unit.state.outage, unit.state.ready) {
        (Some(outage), _) => {
            let (is, next) = unit.state.cause.map_or(
                (
                    words.of("gestört", "out of order"),
                    words.of(
                        "Der Server versucht es von selbst wieder.",
                        "The server tries again by itself.",
                    ),
                ),
                |cause| words::cause(cause, words),
            );
            let since = words.of("seit", "since");
            plain("bad", format!("✗ {is}, {since} {}", clock.full(outage.from_ms)), next)
        }
        (None, false) => plain(
            "warn",
            format!("… {}", words.of("wird vorbereitet", "is getting ready")),
            "",
        ),
        (None, true) => plain("good", format!("✓ {}", words.of("arbeitet", "works")), ""),
    }
}

/// Thousandths of a second from microseconds.
fn ms_of(us: u64) -> u64 {
    us.div_ceil(1_000)
}

pub(super) fn sheet(
    figures: &Figures,
    row: &TseRow,
    (transaction, signature, time_s): (u64, u64, u64),
    names: &Names<'_>,
    clock: &Clock,
) -> Markup {
    let words = names.words;
    let said = said(figures, row, clock, words);
    let outage = figures.outages.iter().find(|outage| outage.tse == Some(row.no));
    html! {
        section.sheet id=(format!("tse-{}", row.no.0)) {
            h2 { a href=(format!("/tse/{}", row.no.0)) { "TSE " (row.no.0) ": " bdi { (row.name) } } }
            p { strong class=(format!("state {}", said.class)) { (said.is) } @if !said.next.is_empty() { " " (said.next) } }
            @if !row.certified { p.simulated { (not_certified(words)) @if row.is_in_software() { ": " (words.of("eine TSE in Software, für Proben und Vorführungen. Ihre Belege sind keine im Sinn des Gesetzes.", "a TSE in software, for rehearsals and demonstrations. Its receipts are none in the sense of the law.")) } } }
            dl.facts {
                dt { (words.of("Für", "For")) } dd { bdi { (names.taxpayer(row.taxpayer)) } }
                @if let Some(unit) = figures.unit(row.no) { (now(figures, unit, row, clock, words)) }
                dt { (words.of("Zertifikat", "Certificate")) } dd { (certificate(row, clock, words)) }
                dt { (words.of("Transaktionen", "Transactions")) } dd { (count(transaction, words)) ", " (words.of("Signaturzähler", "signature counter")) " " (count(signature, words)) }
                dt { (words.of("Letzte Zeit der TSE", "Last time of the TSE")) } dd { @if time_s > 0 { (clock.full(time_s.saturating_mul(1_000))) } @else { "–" } }
                dt { (words.of("Letzter Ausfall", "Last outage")) } dd { @match outage { Some(outage) => (clock.full(outage.from_ms)), None => "–" } }
                dt { (words.of("Seriennummer", "Serial number")) } dd.id { (shared_protocol::ids::hex(&row.serial)) }
            }
        }
    }
}

fn certificate(row: &TseRow, clock: &Clock, words: Language) -> String {
    match (row.valid_until_ms, row.certificates.len()) {
        (Some(until_ms), _) => format!("{} {}", words.of("gültig bis", "valid until"), clock.date(until_ms)),
        (None, 0) => words.of("keines", "none").to_owned(),
        (None, _) => words.of("Ende nicht bekannt", "its end is not known").to_owned(),
    }
}

/// Behind a number, how large it may become; a TSE in software has no limit.
fn at_most(max: u32, words: Language) -> String {
    match max {
        u32::MAX => String::new(),
        max => format!(" {} {}", words.of("von höchstens", "of at most"), count(max, words)),
    }
}

/// What changes from second to second.
fn now(figures: &Figures, unit: &UnitNow, row: &TseRow, clock: &Clock, words: Language) -> Markup {
    let state = &unit.state;
    let per_s = unit.signatures_per_ks;
    html! {
        dt { (words.of("Wartet", "Waiting")) } dd {
            (count(state.waiting, words)) " " @if state.waiting == 1 { (words.of("Beleg", "receipt")) } @else { (words.of("Belege", "receipts")) }
            @if let Some(oldest) = state.oldest_ms { ", " (words.of("der älteste seit", "the oldest for")) " " (duration(figures.now_ms.saturating_sub(oldest), words)) }
        }
        dt { (words.of("Tempo", "Speed")) } dd {
            (count(per_s / 1_000, words)) (words.of(",", ".")) (per_s % 1_000 / 100) " " (words.of("Signaturen je Sekunde", "signatures a second"))
            @if state.signature_us > 0 { ", " (count(ms_of(state.signature_us), words)) " ms " (words.of("je Signatur gemessen", "a signature as measured")) }
            ", " (count(row.signature_ms, words)) " ms " (words.of("laut Hersteller", "says its maker"))
        }
        dt { (words.of("Kassen", "Tills")) } dd { (count(state.clients, words)) (at_most(state.clients_max, words)) }
        dt { (words.of("Offene Transaktionen", "Open transactions")) } dd { (count(state.open, words)) @if let Some(max) = state.open_max { (at_most(max, words)) } }
        @if state.unclaimed > 0 {
            dt { (words.of("Belege ohne Bon", "Receipts without an order")) } dd {
                (count(state.unclaimed, words)) ": " (words.of("signiert, bevor die Datenbank aus einer Kopie kam. Ihre Kassen haben noch nicht gesendet; verbinde sie.", "signed before the database was put back from a copy. Their tills have not sent yet; connect them."))
            }
        }
        @if let Some((at_ms, status)) = &unit.status {
            dt { (words.of("Sagt sie selbst", "It says itself")) } dd {
                @if let Some(permille) = status.storage_permille { (words.of("Speicher", "memory")) " " (permille / 10) " %, " }
                @if let Some(left) = status.signatures_left { (count(left, words)) " " (words.of("Signaturen übrig", "signatures left")) ", " }
                @if let Some(clients) = status.clients { (count(clients, words)) " " (words.of("Kassen", "tills")) ", " }
                @if let Some(open) = status.open { (count(open, words)) " " (words.of("offen", "open")) ", " }
                @if let Some(ahead) = status.clock_ahead_ms { (words.of("Uhr", "clock")) " " (ahead) " ms, " }
                (words.of("um", "at")) " " (clock.second(*at_ms))
            }
        }
    }
}
