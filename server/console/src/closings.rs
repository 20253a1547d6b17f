//! The closings of tills (Z): a list to look through, gaps shown, and each with its receipts.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Path, Query};
use axum::response::Response;
use fiscal::jobs::booked_order;
use maud::{Markup, html};
use pages::format::{cents, count};
use serde::Deserialize;
use shared_protocol::order::OrderKind;
use shared_protocol::{TaxpayerId, TillId};
use store::{ClosedItem, ClosingRow, Reader, SigningState, StoreError};

use crate::fault::Fault;
use crate::frame::{Page, address};
use crate::reports::{Asked as Report, download, files, make, shown};
use crate::words::{Names, order_kind, signing_of};

/// Closings of a page.
const PAGE_ROWS: usize = 100;
/// Receipts of a page.
const RECEIPTS: u64 = 50;
/// Orders in no closing that are counted.
const OPEN_MAX: u64 = 10_000;

/// What stands in the address; everything is text, and what cannot be read is left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    day: String,
    till: String,
    taxpayer: String,
    /// The id the page ends before.
    before: String,
}

impl Asked {
    fn fits(&self, row: &ClosingRow) -> bool {
        let is = |asked: &str, value: String| asked.is_empty() || asked == value;
        is(&self.day, row.day.to_string())
            && is(&self.till, row.till.to_string())
            && is(&self.taxpayer, row.taxpayer.to_string())
    }

    fn is_empty(&self) -> bool {
        self.day.is_empty() && self.till.is_empty() && self.taxpayer.is_empty()
    }

    fn address(&self, before: u64) -> String {
        let fields = [
            ("day", self.day.as_str()),
            ("till", &self.till),
            ("taxpayer", &self.taxpayer),
            ("before", &before.to_string()),
        ];
        address("/closings", &fields)
    }
}

struct Found {
    closings: BTreeMap<u64, ClosingRow>,
    /// Orders that came off and are in no closing, at most [`OPEN_MAX`].
    open: usize,
}

pub(crate) async fn page(page: Page, Query(asked): Query<Asked>) -> Response {
    let found = page.context.read(|reader| {
        Ok(Found {
            closings: reports::load::closings(reader)?,
            open: reader.unclosed_orders(1, OPEN_MAX)?.len(),
        })
    });
    let made = match found.await {
        Ok(found) => content(&page, &asked, &found),
        Err(fault) => Err(fault),
    };
    let title = page.words.of("Kassenabschlüsse (Z)", "Closings (Z)");
    page.done(made.map(|content| page.show(title, &content)))
}

/// What is missing between closings that are there: numbers of closings, and numbers of receipts.
fn gaps(closings: &BTreeMap<u64, ClosingRow>) -> Vec<(ClosingRow, u64, u64)> {
    let mut ends = BTreeMap::<(&str, TaxpayerId), (u64, u64)>::new();
    let mut found = Vec::new();
    for row in closings.values() {
        let (z_no, receipt) = ends.entry((&row.client, row.taxpayer)).or_insert((1, 1));
        if (row.z_no, row.first_receipt) != (*z_no, *receipt) {
            found.push((row.clone(), *z_no, *receipt));
        }
        (*z_no, *receipt) = (row.z_no + 1, row.first_receipt + row.receipts);
    }
    found
}

fn content(page: &Page, asked: &Asked, found: &Found) -> Result<Markup, Fault> {
    let words = page.words;
    let config = page.config()?;
    let names = Names { config, words };
    let days: BTreeSet<u32> = found.closings.values().map(|row| row.day).collect();
    let tills: BTreeSet<TillId> = found.closings.values().map(|row| row.till).collect();
    let before = asked.before.parse().unwrap_or(u64::MAX);
    let fitting: Vec<&ClosingRow> = found.closings.values().filter(|row| asked.fits(row)).collect();
    let receipts: u64 = fitting.iter().map(|row| row.receipts).sum();
    let shown: Vec<&&ClosingRow> = fitting
        .iter()
        .rev()
        .filter(|row| row.id < before)
        .take(PAGE_ROWS)
        .collect();
    let older = shown
        .last()
        .map(|row| row.id)
        .filter(|last| fitting.first().is_some_and(|first| first.id < *last));
    let gaps = gaps(&found.closings);
    let open = u128::try_from(found.open).unwrap_or_default();
    Ok(html! {
        @if !gaps.is_empty() {
            div.note.bad role="alert" {
                p { (words.of("Die Nummern haben Lücken. Das darf nicht sein: ruf die Technik (groschen audit) und die Steuerberatung.", "The numbers have gaps. That must not be: call tech (groschen audit) and your tax advisor.")) }
                ul { @for (row, z_no, receipt) in &gaps { li {
                    bdi { (names.till(row.till)) } ", " bdi { (names.taxpayer(row.taxpayer)) } ": "
                    (words.of("erwartet Z", "expected Z")) " " (z_no) " " (words.of("ab Beleg", "from receipt")) " " (receipt) ", "
                    (words.of("da ist Z", "there is Z")) " " (row.z_no) " " (words.of("ab Beleg", "from receipt")) " " (row.first_receipt)
                } }
            } }
        } @else if !found.closings.is_empty() {
            p.quiet { (words.of("Z-Nummern und Belegnummern aller Kassen haben keine Lücke.", "Z numbers and receipt numbers of all tills have no gap.")) }
        }
        @if found.open > 0 {
            p.note { (count(open, words)) @if open == u128::from(OPEN_MAX) { "+" } " "
                (words.of("Belege stehen noch in keinem Abschluss. Ein Tag wird eine halbe Stunde nach seinem Ende geschlossen; bis dahin zeigt sie der", "receipts are in no closing yet. A day is closed half an hour after its end; until then they are in the"))
                " " a href="/reports" { (words.of("X-Bericht der Kasse", "X report of the till")) } "." }
        }
        form.filters method="get" action="/closings" data-auto {
            label { (words.of("Veranstaltungstag", "Event day"))
                select name="day" {
                    option value="" { (words.of("alle", "all")) }
                    @for day in days.iter().rev() { @let value = day.to_string();
                        option value=(value) selected[value == asked.day] { (page.clock.day(*day)) } }
                }
            }
            label { (words.of("Kasse", "Till"))
                select name="till" {
                    option value="" { (words.of("alle", "all")) }
                    @for till in &tills { @let value = till.to_string();
                        option value=(value) selected[value == asked.till] { (names.till(*till)) } }
                }
            }
            label { (words.of("Steuerpflichtiger", "Taxpayer"))
                select name="taxpayer" {
                    option value="" { (words.of("alle", "all")) }
                    @for seller in config.taxpayers.values() { @let value = seller.id.to_string();
                        option value=(value) selected[value == asked.taxpayer] { (seller.name) } }
                }
            }
            button { (words.of("Anwenden", "Apply")) }
        }
        @if shown.is_empty() {
            p.note { @if asked.is_empty() { (words.of("Noch kein Abschluss: der erste kommt eine halbe Stunde nach dem Ende des ersten Veranstaltungstags.", "No closing yet: the first comes half an hour after the end of the first event day.")) }
                @else { (words.of("Nichts passt zu diesem Filter.", "Nothing fits this filter.")) } }
        } @else {
            p.row {
                strong { (count(u128::try_from(fitting.len()).unwrap_or_default(), words)) " " (words.of("Abschlüsse", "closings")) }
                span { (count(receipts, words)) " " (words.of("Belege", "receipts")) }
            }
            (list(page, &shown, &names))
            nav.paging aria-label=(words.of("Seiten der Liste", "Pages of the list")) {
                @if let Some(older) = older { a.button href=(asked.address(older)) rel="next" { (words.of("Ältere", "Older")) } }
            }
        }
    })
}

fn list(page: &Page, rows: &[&&ClosingRow], names: &Names<'_>) -> Markup {
    let words = page.words;
    html! {
        div.scroll tabindex="0" role="region" aria-label=(words.of("Abschlüsse", "Closings")) {
            table data-rows {
                caption.visually-hidden { (words.of("Abschlüsse, neueste zuerst", "Closings, newest first")) }
                thead { tr {
                    th.amount scope="col" { "Z" }
                    th scope="col" { (words.of("Veranstaltungstag", "Event day")) }
                    th scope="col" { (words.of("Kasse", "Till")) }
                    th scope="col" { (words.of("Steuerpflichtiger", "Taxpayer")) }
                    th.amount scope="col" { (words.of("Belege", "Receipts")) }
                    th.amount scope="col" { (words.of("Nummern", "Numbers")) }
                    th scope="col" { (words.of("Gemacht", "Made")) }
                } }
                tbody { @for row in rows { tr {
                    td.amount { a href=(format!("/closings/{}", row.id)) { (row.z_no) } }
                    td.nowrap { (page.clock.day(row.day)) @if row.supplement { " " span.state.warn { (words.of("Nachtrag", "Supplement")) } } }
                    td { bdi { (names.till(row.till)) } }
                    td { bdi { (names.taxpayer(row.taxpayer)) } }
                    td.amount { (count(row.receipts, words)) }
                    td.amount { (row.first_receipt) "–" ((row.first_receipt + row.receipts).saturating_sub(1)) }
                    td.nowrap { (page.clock.short(row.made_at_ms)) }
                } } }
            }
        }
    }
}

/// Where the list of receipts goes on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Since {
    receipt: String,
}

/// A receipt of a closing.
enum Receipt {
    Order {
        no: u64,
        kind: OrderKind,
        closed_at_ms: u64,
        total: i128,
        state: Option<SigningState>,
    },
    GivenUp {
        transaction: u64,
    },
}

fn receipts(reader: &mut dyn Reader, closing: u64, from: u64) -> Result<Vec<(u64, Receipt)>, StoreError> {
    let items = reader.closed_items(closing, from, RECEIPTS + 1)?;
    let numbers: Vec<u64> = items
        .iter()
        .filter_map(|(_, item)| match item {
            ClosedItem::Order(no) => Some(*no),
            ClosedItem::GivenUp(..) => None,
        })
        .collect();
    let rows = reader.journal_rows(&numbers)?;
    let orders: BTreeMap<u64, _> = rows
        .iter()
        .filter_map(|row| Some((row.record.no, booked_order(row)?.1)))
        .collect();
    let signings = reader.signings(&numbers)?;
    let states: BTreeMap<u64, SigningState> = signings.into_iter().map(|row| (row.no, row.state)).collect();
    let receipt = |item| match item {
        ClosedItem::Order(no) => orders.get(&no).map(|order| Receipt::Order {
            no,
            kind: order.kind,
            closed_at_ms: order.closed_at_ms,
            total: order.total().map_or(0, |total| total.0.into()),
            state: states.get(&no).copied(),
        }),
        ClosedItem::GivenUp(_, transaction) => Some(Receipt::GivenUp { transaction }),
    };
    Ok(items
        .into_iter()
        .filter_map(|(number, item)| Some((number, receipt(item)?)))
        .collect())
}

pub(crate) async fn detail(page: Page, Path(closing): Path<u64>, Query(since): Query<Since>) -> Response {
    let made = closing_page(&page, closing, since.receipt.parse().unwrap_or(0)).await;
    page.done(made)
}

async fn closing_page(page: &Page, closing: u64, from: u64) -> Result<Response, Fault> {
    let words = page.words;
    let asked = Report::Closing(closing);
    let document = make(&page.context, asked, words).await?.document;
    let mut found = page.context.read(move |reader| receipts(reader, closing, from)).await?;
    let next = crate::frame::cut(&mut found, RECEIPTS, |(number, _)| *number);
    let content = html! {
        (files(asked, words))
        (shown(&document))
        section.sheet.scroll #receipts tabindex="0" aria-label=(words.of("Belege dieses Abschlusses", "Receipts of this closing")) {
            h2 { (words.of("Belege dieses Abschlusses", "Receipts of this closing")) }
            table data-rows {
                thead { tr {
                    th.amount scope="col" { "BON_NR" }
                    th scope="col" { (words.of("Buchung", "Order")) }
                    th scope="col" { (words.of("Zeit", "Time")) }
                    th scope="col" { (words.of("Art", "Kind")) }
                    th.amount scope="col" { (words.of("Betrag", "Amount")) }
                    th scope="col" { (words.of("Signatur", "Signature")) }
                } }
                tbody { @for (number, receipt) in &found { tr {
                    td.amount { (number) }
                    @match receipt {
                        Receipt::Order { no, kind, closed_at_ms, total, state } => {
                            td { a href=(format!("/orders/{no}")) { (no) } }
                            td.nowrap { (page.clock.short(*closed_at_ms)) }
                            td { (order_kind(*kind, words)) }
                            td.amount { (cents(*total, words)) }
                            td { (signing_of(*kind, *state, words)) }
                        }
                        Receipt::GivenUp { transaction } => {
                            td { "–" } td { "–" }
                            td { (words.of("Abgebrochen, TSE-Transaktion", "Given up, TSE transaction")) " " (transaction) }
                            td.amount { "–" } td { "–" }
                        }
                    }
                } } }
            }
        }
        nav.paging aria-label=(words.of("Seiten der Belege", "Pages of receipts")) {
            @if from > 0 { a.button href=(format!("/closings/{closing}#receipts")) rel="first" { (words.of("Erste Belege", "First receipts")) } }
            @if let Some(last) = next { a.button href=(format!("/closings/{closing}?receipt={}#receipts", last + 1)) rel="next" { (words.of("Weitere Belege", "More receipts")) } }
        }
        p { a href="/closings" { (words.of("Alle Abschlüsse", "All closings")) } }
    };
    Ok(page.show(&document.title, &content))
}

pub(crate) async fn file(page: Page, Path((closing, form)): Path<(u64, String)>) -> Response {
    download(page, Report::Closing(closing), form).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_missing_is_a_gap() {
        let row = |id, z_no, first_receipt| ClosingRow {
            id,
            client: "TILL-1".to_owned(),
            taxpayer: TaxpayerId(1),
            till: TillId(1),
            z_no,
            day: 20_270_717,
            made_at_ms: 0,
            supplement: false,
            first_receipt,
            receipts: 5,
        };
        let whole = BTreeMap::from([(1, row(1, 1, 1)), (2, row(2, 2, 6))]);
        assert!(gaps(&whole).is_empty());
        let missing = BTreeMap::from([(1, row(1, 1, 1)), (2, row(2, 3, 6)), (3, row(3, 4, 12))]);
        let found: Vec<_> = gaps(&missing)
            .into_iter()
            .map(|(row, z_no, receipt)| (row.id, z_no, receipt))
            .collect();
        assert_eq!(found, [(2, 2, 6), (3, 4, 11)]);
    }
}
