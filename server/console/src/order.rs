//! One order with all there is to it: what was sold, how it was paid and taxed, what the ledger made of it, how it was signed, where it came from.

use std::sync::Arc;

use axum::extract::Path;
use axum::response::Response;
use festival::booking::posting_id;
use fiscal::jobs::booked_order;
use maud::{Markup, html};
use pages::Language;
use pages::format::{euros, percent};
use shared_protocol::config::Config;
use shared_protocol::entry::Entry;
use shared_protocol::order::{Order, OrderKind};
use shared_protocol::wristband::BandChange;
use shared_protocol::{EventId, OrderId};
use store::{
    CaseFilter, CaseRow, EntryStatus, JournalRow, OrderFilter, OutageRow, Reader, SigningRow, StoreError, TerminalRow,
    TransactionRow, TseRow,
};

use crate::fault::Fault;
use crate::frame::Page;
use crate::words::{
    Names, block_reason, cancel_reason, case_kind, case_state, line_kind, order_kind, order_name, permission, signing,
    signing_of, tender_kind, transfer_code, wristband,
};

/// Orders that are looked through for the one that took this one back, and cases for those about it.
const LOOKED_THROUGH_MAX: u64 = 500;
/// Parts of one payment group lie this close to each other in the journal.
const GROUP_ROWS: u64 = 16;

/// What belongs to an order.
struct Found {
    row: JournalRow,
    order: Option<(Entry, Order)>,
    signing: Option<SigningRow>,
    tse: Option<TseRow>,
    transaction: Option<TransactionRow>,
    outage: Option<OutageRow>,
    terminal: Option<TerminalRow>,
    /// The orders that took it back, by journal number.
    reversed_by: Vec<(u64, OrderKind)>,
    /// The one it took back.
    reverses: Option<u64>,
    /// The others of its payment group.
    group: Vec<u64>,
    cases: Vec<CaseRow>,
    /// The configuration it was priced with.
    config: Option<Arc<Config>>,
}

pub(crate) async fn page(page: Page, Path(key): Path<String>) -> Response {
    let made = load(&page, key).await.and_then(|found| {
        let title = title(&found, page.words);
        Ok(page.show(&title, &content(&page, &found)?))
    });
    page.done(made)
}

fn title(found: &Found, words: Language) -> String {
    let kind = found
        .order
        .as_ref()
        .map_or(words.of("Buchung", "Booking"), |(_, order)| order_name(order, words));
    format!("{kind} {} {}", words.of("Nr.", "no."), found.row.record.no)
}

async fn load(page: &Page, key: String) -> Result<Found, Fault> {
    let event = page.config()?.event.id;
    let found = page.context.read(move |reader| find(reader, event, &key)).await?;
    found.ok_or(Fault::NotFound)
}

/// By journal number, or by the id that the terminal gave it.
pub(crate) fn number_of(reader: &mut dyn Reader, key: &str) -> Result<Option<u64>, StoreError> {
    if let Some(id) = OrderId::parse(key) {
        return reader.posting_no(posting_id(id));
    }
    Ok(key.parse().ok().filter(|no| *no > 0))
}

/// What was booked for the event under a journal number.
pub(crate) fn row_at(reader: &mut dyn Reader, event: EventId, no: u64) -> Result<Option<JournalRow>, StoreError> {
    let row = reader.journal(no, 1)?.pop().filter(|row| row.record.no == no);
    let is_of_event = |row: &JournalRow| {
        row.record
            .posting
            .as_ref()
            .is_some_and(|posting| posting.event == event)
    };
    Ok(row.filter(is_of_event))
}

/// The order that was booked under a journal number.
pub(crate) fn order_at(reader: &mut dyn Reader, no: u64) -> Result<Option<Order>, StoreError> {
    let row = reader.journal(no, 1)?.pop();
    Ok(row.as_ref().and_then(booked_order).map(|(_, order)| order))
}

fn find(reader: &mut dyn Reader, event: EventId, key: &str) -> Result<Option<Found>, StoreError> {
    let Some(no) = number_of(reader, key)? else {
        return Ok(None);
    };
    let Some(row) = row_at(reader, event, no)? else {
        return Ok(None);
    };
    let order = booked_order(&row);
    let signing = reader.signing(no)?;
    let mut found = Found {
        tse: None,
        transaction: None,
        outage: None,
        terminal: None,
        reversed_by: Vec::new(),
        reverses: None,
        group: Vec::new(),
        cases: Vec::new(),
        config: None,
        signing,
        order,
        row,
    };
    if let Some(signed) = &found.signing {
        found.tse = reader.tses()?.into_iter().find(|tse| tse.no == signed.tse);
        if let Some(number) = signed.transaction {
            found.transaction = reader.transaction(signed.tse, number)?;
        }
        if let Some(outage) = signed.outage {
            found.outage = reader.outages(outage, 1)?.pop();
        }
    }
    if let Some(entry) = &found.row.entry {
        let no = entry.chain.terminal;
        found.terminal = reader.terminals()?.into_iter().find(|terminal| terminal.no == no);
        if entry.status != EntryStatus::Booked {
            found.cases = cases(reader, no_of(&found.row))?;
        }
    }
    if let Some((_, order)) = &found.order {
        found.reverses = match order.reverses {
            Some(before) => reader.posting_no(posting_id(before))?,
            None => None,
        };
        found.reversed_by = reversals(reader, event, order, no)?;
        found.group = group(reader, order, no)?;
        let copy = reader.stream(event, shared_protocol::stream::Stream::Config, Some(order.config))?;
        found.config = copy.and_then(|copy| Config::read(&copy).ok()).map(Arc::new);
    }
    Ok(Some(found))
}

const fn no_of(row: &JournalRow) -> u64 {
    row.record.no
}

fn cases(reader: &mut dyn Reader, no: u64) -> Result<Vec<CaseRow>, StoreError> {
    let mut rows = reader.case_list(&CaseFilter::default(), None, LOOKED_THROUGH_MAX)?;
    rows.retain(|row| row.stored.case.no == Some(no));
    Ok(rows)
}

/// Cancellations and corrections of the same wristband or till that name this order.
fn reversals(
    reader: &mut dyn Reader,
    event: EventId,
    order: &Order,
    no: u64,
) -> Result<Vec<(u64, OrderKind)>, StoreError> {
    let mut found = Vec::new();
    for kind in [OrderKind::Cancel, OrderKind::Correction] {
        let filter = OrderFilter {
            kind: Some(kind),
            holder: order.holder,
            till: order.holder.is_none().then_some(order.till),
            ..OrderFilter::default()
        };
        for row in reader.orders(event, &filter, None, LOOKED_THROUGH_MAX)? {
            if row.no <= no {
                break;
            }
            if order_at(reader, row.no)?.is_some_and(|later| later.reverses == Some(order.id)) {
                found.push((row.no, kind));
            }
        }
    }
    Ok(found)
}

fn group(reader: &mut dyn Reader, order: &Order, no: u64) -> Result<Vec<u64>, StoreError> {
    let Some(part) = order.group else { return Ok(Vec::new()) };
    let rows = reader.journal(no.saturating_sub(GROUP_ROWS).max(1), 2 * GROUP_ROWS)?;
    let others = rows.iter().filter(|row| row.record.no != no).filter(|row| {
        booked_order(row).is_some_and(|(_, other)| other.group.is_some_and(|other| other.group == part.group))
    });
    Ok(others.map(no_of).collect())
}

fn content(page: &Page, found: &Found) -> Result<Markup, Fault> {
    let words = page.words;
    let newest = page.config()?;
    let names = Names {
        config: found.config.as_ref().unwrap_or(newest),
        words,
    };
    Ok(html! {
        @if let Some((entry, order)) = &found.order {
            (head(page, found, entry, order, &names))
            @if let Some(change) = &order.band { (band(change, words)) }
            @if !order.kind.is_of_band() && order.kind != OrderKind::Shift {
                (lines(order, &names))
                div.columns {
                    (tenders(order, &names))
                    (taxes(order, &names))
                }
            }
        }
        @if found.order.as_ref().is_none_or(|(_, order)| !order.kind.is_of_band()) { (signature(page, found)) }
        (postings(found, &names))
        (origin(page, found))
        @if !found.cases.is_empty() {
            section.sheet {
                h2 { (words.of("Fälle", "Cases")) }
                ul.plain { @for case in &found.cases {
                    li { a href=(format!("/cases/{}", case.stored.id)) { (case_kind(case.stored.case.case.kind, words)) } " " span.quiet { (case_state(case.state, words)) } }
                } }
            }
        }
    })
}

fn link(no: u64) -> Markup {
    html! { a href=(format!("/orders/{no}")) { (no) } }
}

fn head(page: &Page, found: &Found, entry: &Entry, order: &Order, names: &Names<'_>) -> Markup {
    let words = page.words;
    let late_ms = found.row.record.booked_at_ms.saturating_sub(order.closed_at_ms);
    html! {
        p.row {
            @if order.shift.is_none() { strong.big { (order.total().map_or_else(|_| "–".to_owned(), |total| euros(total, words))) } }
            (signing_of(order.kind, found.signing.as_ref().map(|row| row.state), words))
            @for (no, kind) in &found.reversed_by {
                span.state.warn { (order_kind(*kind, words)) " " (link(*no)) }
            }
            @if !order.kind.is_of_band() { a.button href=(format!("/receipt/{}?copy=1", order.id)) { (words.of("Beleg", "Receipt")) } }
        }
        dl.facts.sheet {
            dt { (words.of("Geschlossen", "Closed")) } dd { (page.clock.full(order.closed_at_ms)) }
            dt { (words.of("Begonnen", "Begun")) } dd { (page.clock.second(order.opened_at_ms())) }
            dt { (words.of("Gebucht", "Booked")) }
            dd {
                (page.clock.full(found.row.record.booked_at_ms))
                @if late_ms > 60_000 { " " span.state.warn { (pages::format::duration(late_ms, words)) " " (words.of("später (offline)", "later (offline)")) } }
            }
            dt { (words.of("Uhr des Geräts", "Clock of the device")) }
            dd { @match entry.offset_ms {
                Some(offset) => { (pages::format::count(offset.unsigned_abs(), words)) " ms " (if offset < 0 { words.of("voraus", "ahead") } else { words.of("zurück", "behind") }) }
                None => (words.of("nie verglichen", "never compared")),
            } }
            dt { (words.of("Kasse", "Till")) } dd { a href=(format!("/orders?till={}", order.till)) { bdi { (names.till(order.till)) } } ", " bdi { (names.stand_of(order.till)) } }
            dt { (words.of("Person", "Person")) } dd { bdi { (names.staff(order.cashier)) } }
            dt { (words.of("Steuerzahler", "Taxpayer")) } dd { bdi { (names.taxpayer(order.taxpayer)) } }
            @if let Some(tag) = order.holder { dt { (words.of("Band", "Wristband")) } dd { (wristband(&tag.to_string())) } }
            @if let Some(day) = found.row.entry.as_ref().and_then(|entry| entry.day) { dt { (words.of("Veranstaltungstag", "Event day")) } dd { (page.clock.day(day)) } }
            @if let Some(before) = order.reverses {
                dt { (words.of("Nimmt zurück", "Takes back")) }
                dd { @match found.reverses { Some(no) => (link(no)), None => { span.id { (before) } " " (words.of("(hier nicht bekannt)", "(not known here)")) } } }
            }
            @if let Some(reason) = order.reason { dt { (words.of("Grund", "Reason")) } dd { (cancel_reason(reason, words)) } }
            @if let Some(part) = order.group {
                dt { (words.of("Zahlungsgruppe", "Payment group")) }
                dd { (words.of("Teil", "part")) " " (part.part) " / " (part.of) @for no in &found.group { " · " (link(*no)) } }
            }
            dt { (words.of("Kennung", "Id")) } dd.id { (order.id) }
        }
    }
}

/// What a desk did to a wristband.
fn band(change: &BandChange, words: Language) -> Markup {
    html! {
        section.sheet {
            h2 { (words.of("Was mit dem Band geschieht", "What happens to the wristband")) }
            dl.facts {
                dt { (words.of("Gesperrt als", "Blocked as")) } dd { (block_reason(change.reason, words)) }
                @if let Some(new) = change.new { dt { (words.of("Neues Band", "New wristband")) } dd { (wristband(&new.to_string())) } }
                @if change.new.is_some() {
                    dt { (words.of("Altes Band", "Old wristband")) }
                    dd { (if change.shown.is_some() { words.of("lag vor, seine Börse wurde gelesen", "was there, its purse was read") } else { words.of("lag nicht vor oder hat keine Börse", "was not there or has no purse") }) }
                }
            }
        }
    }
}

fn lines(order: &Order, names: &Names<'_>) -> Markup {
    let words = names.words;
    html! {
        section.sheet.scroll tabindex="0" aria-label=(words.of("Positionen", "Lines")) {
            h2 { (words.of("Positionen", "Lines")) }
            table {
                thead { tr {
                    th.amount scope="col" { (words.of("Stück", "Pieces")) } th scope="col" { (words.of("Was", "What")) }
                    th.amount scope="col" { (words.of("Einzeln", "Each")) } th.amount scope="col" { (words.of("Zusammen", "Together")) }
                    th.amount scope="col" { (words.of("Steuer", "Tax")) }
                } }
                tbody { @for line in &order.lines {
                    tr {
                        td.amount { (line.quantity) }
                        td {
                            bdi { (names.article(line.article).unwrap_or_else(|| line_kind(line.kind, words).to_owned())) }
                            @if let Some(used) = line.vouchers { " " small { (used.units) " × " bdi { (names.asset(used.asset)) } } }
                        }
                        td.amount { (euros(line.unit_price, words)) }
                        td.amount { (line.total().map_or_else(|_| "–".to_owned(), |total| euros(total, words))) }
                        td.amount { (percent(line.rate.0, words)) }
                    }
                } }
            }
        }
    }
}

fn tenders(order: &Order, names: &Names<'_>) -> Markup {
    let words = names.words;
    html! {
        section.sheet {
            h2 { (words.of("Bezahlt mit", "Paid by")) }
            table {
                thead { tr { th scope="col" { (words.of("Womit", "How")) } th.amount scope="col" { (words.of("Betrag", "Amount")) } th scope="col" { (words.of("Erlaubt durch", "Permitted by")) } } }
                tbody { @for tender in &order.tenders {
                    tr {
                        td { (tender_kind(tender.kind, words))
                            @if let Some(given) = tender.foreign { " " (names.amount(given.asset, i128::from(given.amount.0))) " " bdi { (names.asset(given.asset)) } }
                            @if let Some(tag) = tender.tag { " " (wristband(&tag.to_string())) } }
                        td.amount { @match tender.voucher {
                            Some(asset) => { (names.amount(asset, i128::from(tender.amount.0))) " × " bdi { (names.asset(asset)) } }
                            None => (euros(tender.amount, words)),
                        } }
                        td { (permission(tender.permission, words)) }
                    }
                } }
            }
        }
    }
}

fn taxes(order: &Order, names: &Names<'_>) -> Markup {
    let words = names.words;
    html! {
        section.sheet {
            h2 { (words.of("Steuern", "Taxes")) }
            @match order.taxes() {
                Ok(taxes) => table {
                    thead { tr { th scope="col" { (words.of("Satz", "Rate")) } th.amount scope="col" { (words.of("Netto", "Net")) } th.amount scope="col" { (words.of("Steuer", "Tax")) } } }
                    tbody { @for ((_, rate), sum) in &taxes {
                        tr {
                            td { (percent(rate.0, words)) }
                            td.amount { (sum.net().map_or_else(|_| "–".to_owned(), |net| euros(net, words))) }
                            td.amount { (euros(sum.tax, words)) }
                        }
                    } }
                },
                Err(_) => p { (words.of("Die Summen passen in keinen Betrag.", "The sums do not fit any amount.")) },
            }
        }
    }
}

fn signature(page: &Page, found: &Found) -> Markup {
    let words = page.words;
    let Some(row) = &found.signing else {
        return html! {
            section.sheet { h2 { (words.of("Signatur", "Signature")) } p { (words.of("Wartet auf die TSE.", "Waits for the TSE.")) } }
        };
    };
    let end = found
        .transaction
        .as_ref()
        .and_then(|transaction| transaction.end.as_ref());
    html! {
        section.sheet {
            h2 { (words.of("Signatur", "Signature")) " " (signing(Some(row.state), words)) }
            dl.facts {
                @if let Some(tse) = &found.tse {
                    dt { "TSE" } dd { bdi { (tse.name) } @if !tse.certified { " " span.simulated { (crate::tse::not_certified(words)) } } }
                    dt { (words.of("Seriennummer", "Serial number")) } dd.id { (shared_protocol::ids::hex(&tse.serial)) }
                }
                @if let Some(transaction) = &found.transaction {
                    dt { (words.of("Kasse bei der TSE", "Till at the TSE")) } dd.id { (transaction.client) }
                    dt { (words.of("Transaktion", "Transaction")) } dd { (transaction.transaction) }
                    dt { (words.of("Beginn", "Start")) } dd { (page.clock.full(transaction.started_s.saturating_mul(1_000))) ", " (words.of("Zähler", "counter")) " " (transaction.start_counter) }
                }
                @if let Some(end) = end {
                    dt { (words.of("Ende", "End")) } dd { (page.clock.full(end.time_s.saturating_mul(1_000))) ", " (words.of("Zähler", "counter")) " " (end.counter) }
                    dt { (words.of("Signierter Inhalt", "Signed content")) } dd.id { (end.process_type) ": " (end.process_data) }
                    dt { (words.of("Signatur", "Signature")) } dd.id { (shared_protocol::ids::hex(&end.signature)) }
                }
                @if let Some(outage) = &found.outage {
                    dt { (words.of("Ausfall", "Outage")) }
                    dd { (words.of("Nr.", "no.")) " " (outage.id) ", " (page.clock.short(outage.from_ms)) " – "
                        @match outage.until_ms { Some(until) => (page.clock.short(until)), None => (words.of("dauert an", "goes on")) } ": " bdi { (outage.reason) } }
                }
            }
        }
    }
}

fn postings(found: &Found, names: &Names<'_>) -> Markup {
    let words = names.words;
    let transfers = found
        .row
        .record
        .posting
        .as_ref()
        .map_or(&[][..], |posting| &posting.transfers);
    html! {
        section.sheet.scroll tabindex="0" aria-label=(words.of("Umbuchungen im Hauptbuch", "Postings in the ledger")) {
            h2 { (words.of("Umbuchungen im Hauptbuch", "Postings in the ledger")) }
            @if transfers.is_empty() { p { (words.of("Es hat sich nichts bewegt.", "Nothing moved.")) } }
            @else {
                table {
                    thead { tr {
                        th scope="col" { (words.of("Von", "From")) } th scope="col" { (words.of("An", "To")) }
                        th.amount scope="col" { (words.of("Wie viel", "How much")) } th scope="col" { (words.of("Warum", "Why")) }
                    } }
                    tbody { @for transfer in transfers {
                        tr {
                            td { (names.account(&transfer.from)) }
                            td { (names.account(&transfer.to)) }
                            td.amount { (names.amount(transfer.asset, i128::from(transfer.amount.0)))
                                @if transfer.asset != shared_protocol::AssetId::EURO { " " bdi { (names.asset(transfer.asset)) } } }
                            td { (transfer_code(transfer.code, words)) }
                        }
                    } }
                }
            }
        }
    }
}

fn origin(page: &Page, found: &Found) -> Markup {
    let words = page.words;
    html! {
        section.sheet {
            h2 { (words.of("Herkunft", "Origin")) }
            dl.facts {
                dt { (words.of("Journal-Nr.", "Journal no.")) } dd { (found.row.record.no) }
                dt { (words.of("Kettenwert", "Chain hash")) } dd.id { (found.row.hash) }
                @match &found.row.entry {
                    Some(entry) => {
                        dt { (words.of("Gerät", "Terminal")) }
                        dd { @match &found.terminal {
                            Some(terminal) => a href=(format!("/terminals/{}", terminal.id)) { bdi { (terminal.device) } " (" (terminal.no.0) ")" },
                            None => (entry.chain.terminal.0),
                        } }
                        dt { (words.of("Stelle im Geräte-Journal", "Place in the device's journal")) }
                        dd { (words.of("Abschnitt", "epoch")) " " (entry.chain.epoch) ", " (words.of("Folgenummer", "sequence")) " " (entry.seq) @if entry.chain.branch > 0 { ", " (words.of("Zweig", "branch")) " " (entry.chain.branch) } }
                    }
                    None => { dt { (words.of("Gerät", "Terminal")) } dd { (words.of("vom Server gebucht", "booked by the server")) } }
                }
            }
        }
    }
}
