//! Every order that was booked: a filter in the address, pages by journal number, sums, and exactly this as a file.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Query;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use maud::{Markup, html};
use pages::Language;
use pages::format::{Clock, cents, count};
use shared_protocol::config::Config;
use store::{OrderFilter, OrderRow};

use crate::context::Context;
use crate::fault::Fault;
use crate::frame::{Page, cut};
use crate::order_filter::{Asked, day_text};
use crate::words::{Names, order_kind, order_state, signing_of, wristband};
use pages::csv::{BOM, Cell, line};

/// Rows of a page.
const PAGE_ROWS: u64 = 50;
/// Rows of a file that are read at a time.
const FILE_ROWS: u64 = 1_000;

pub(crate) async fn page(page: Page, Query(asked): Query<Asked>) -> Response {
    let made = content(&page, &asked).await;
    page.done(made.map(|content| page.show(page.words.of("Buchungen", "Orders"), &content)))
}

async fn content(page: &Page, asked: &Asked) -> Result<Markup, Fault> {
    let words = page.words;
    let config = Arc::clone(page.config()?);
    let (filter, readable) = asked.filter(&config);
    let (event, before) = (config.event.id, asked.before_no());
    let (mut rows, orders, total) = page
        .context
        .read(move |reader| {
            // One more than is shown says whether there is another page.
            let rows = reader.orders(event, &filter, before, PAGE_ROWS + 1)?;
            let (orders, total) = reader.order_sums(event, &filter)?;
            Ok((rows, orders, total))
        })
        .await?;
    let older = cut(&mut rows, PAGE_ROWS, |row| row.no);
    let may_save = page.may(&axum::http::Method::GET, "/orders.csv");
    Ok(html! {
        (asked.form(&config, words))
        @if !readable {
            p.note.warn role="alert" { (words.of("Ein Feld des Filters ist nicht lesbar und wurde nicht beachtet. Bänder haben 8 bis 20 Hex-Ziffern.", "A field of the filter cannot be read and was left out. Wristbands have 8 to 20 hexadecimal digits.")) }
        }
        @if rows.is_empty() {
            p.note { @if asked.is_empty() { (words.of("Noch keine Buchung.", "No order yet.")) } @else { (words.of("Nichts passt zu diesem Filter.", "Nothing fits this filter.")) } }
        } @else {
            p.row {
                strong { (count(orders, words)) " " @if orders == 1 { (words.of("Buchung", "order")) } @else { (words.of("Buchungen", "orders")) } }
                span { (words.of("Summe", "Total")) " " strong { (cents(total, words)) } }
                @if may_save { a.button href=(asked.address("/orders.csv", None)) download { (words.of("Als CSV speichern", "Save as CSV")) } }
            }
            (table(&rows, &config, &page.clock, words))
            nav.paging aria-label=(words.of("Seiten der Liste", "Pages of the list")) {
                @if before.is_some() { a.button href=(asked.address("/orders", None)) rel="first" { (words.of("Neueste", "Newest")) } }
                @if let Some(older) = older { a.button href=(asked.address("/orders", Some(older))) rel="next" { (words.of("Ältere", "Older")) } }
            }
        }
    })
}

/// Orders as a table; other pages show some of them, too.
pub(crate) fn table(rows: &[OrderRow], config: &Config, clock: &Clock, words: Language) -> Markup {
    let names = Names { config, words };
    html! {
        div.scroll tabindex="0" role="region" aria-label=(words.of("Buchungen", "Orders")) {
            table data-rows {
                caption.visually-hidden { (words.of("Buchungen, neueste zuerst", "Orders, newest first")) }
                thead { tr {
                    th scope="col" { (words.of("Nr.", "No.")) }
                    th scope="col" { (words.of("Zeit", "Time")) }
                    th scope="col" { (words.of("Art", "Kind")) }
                    th scope="col" { (words.of("Kasse", "Till")) }
                    th scope="col" { (words.of("Person", "Person")) }
                    th scope="col" { (words.of("Band", "Wristband")) }
                    th.amount scope="col" { (words.of("Betrag", "Amount")) }
                    th scope="col" { (words.of("Signatur", "Signature")) }
                } }
                tbody {
                    @for row in rows {
                        tr {
                            td { a href=(format!("/orders/{}", row.no)) { (row.no) } }
                            td.nowrap { (clock.short(row.closed_at_ms)) }
                            td { (order_kind(row.kind, words)) }
                            td { bdi { (names.till(row.till)) } }
                            td { bdi { (names.staff(row.cashier)) } }
                            td { @if let Some(tag) = row.holder { (wristband(&tag.to_string())) } @else { "–" } }
                            td.amount { (cents(row.total, words)) }
                            td { (signing_of(row.kind, row.signing, words)) }
                        }
                    }
                }
            }
        }
    }
}

/// A file in the making.
struct File {
    context: Arc<Context>,
    config: Arc<Config>,
    filter: OrderFilter,
    clock: Clock,
    words: Language,
    place: Place,
}

/// What is written next.
#[derive(Debug, Clone, Copy)]
enum Place {
    Head,
    /// The orders below this journal number; none is the newest.
    Rows(Option<u64>),
    End,
}

pub(crate) async fn csv(page: Page, Query(asked): Query<Asked>) -> Response {
    let made = file(&page, &asked).await;
    page.done(made)
}

async fn file(page: &Page, asked: &Asked) -> Result<Response, Fault> {
    let config = Arc::clone(page.config()?);
    let (filter, readable) = asked.filter(&config);
    if !readable {
        return Err(Fault::refused(
            "Ein Feld des Filters ist nicht lesbar. Nichts ist gespeichert; prüf die Felder.",
            "A field of the filter cannot be read. Nothing was saved; check the fields.",
        ));
    }
    let visitor = page.visitor()?;
    page.context
        .note(visitor, "orders.export", "orders", asked.address("", None))
        .await?;
    let file = File {
        context: Arc::clone(&page.context),
        config,
        filter,
        clock: page.clock.clone(),
        words: page.words,
        place: Place::Head,
    };
    let stream = stream::unfold(file, async |mut file| {
        let before = match file.place {
            Place::Head => {
                file.place = Place::Rows(None);
                return Some((Ok(format!("{BOM}{}", head(file.words))), file));
            }
            Place::Rows(before) => before,
            Place::End => return None,
        };
        let part = file.part(before).await;
        // A file that breaks off must not look like a whole one: the connection ends with an error.
        if part.is_err() {
            file.place = Place::End;
        }
        Some((
            part.map_err(|_| std::io::Error::other("the database does not answer")),
            file,
        ))
    });
    let name = format!(
        "attachment; filename=\"orders-{}.csv\"",
        page.clock.iso(page.context.now_ms()).get(..10).unwrap_or("now")
    );
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}

impl File {
    async fn part(&mut self, before: Option<u64>) -> Result<String, Fault> {
        let (event, filter) = (self.config.event.id, self.filter.clone());
        let rows = self
            .context
            .read(move |reader| reader.orders(event, &filter, before, FILE_ROWS))
            .await?;
        let whole = u64::try_from(rows.len()).is_ok_and(|count| count == FILE_ROWS);
        self.place = match rows.last() {
            Some(last) if whole => Place::Rows(Some(last.no)),
            _ => Place::End,
        };
        Ok(rows.iter().map(|row| self.line(row)).collect())
    }

    fn line(&self, row: &OrderRow) -> String {
        let names = Names {
            config: &self.config,
            words: self.words,
        };
        let state = match row.signing {
            Some(state) => store::OrderState::from_code(state.code()),
            None if row.kind.is_of_band() => None,
            None => Some(store::OrderState::Waiting),
        };
        let cells = [
            Cell::Number(row.no.into()),
            Cell::Text(&self.clock.iso(row.closed_at_ms)),
            Cell::Text(&row.day.map(day_text).unwrap_or_default()),
            Cell::Text(order_kind(row.kind, self.words)),
            Cell::Number(row.till.0.into()),
            Cell::Text(&names.till(row.till)),
            Cell::Text(&names.stand_of(row.till)),
            Cell::Text(&names.staff(row.cashier)),
            Cell::Text(&names.taxpayer(row.taxpayer)),
            Cell::Text(&row.holder.map(|tag| tag.to_string()).unwrap_or_default()),
            Cell::Euros(row.total),
            Cell::Text(state.map_or("", |state| order_state(state, self.words))),
        ];
        line(&cells, self.words)
    }
}

fn head(words: Language) -> String {
    let names = [
        words.of("Nummer", "number"),
        words.of("Zeit", "time"),
        words.of("Veranstaltungstag", "event day"),
        words.of("Art", "kind"),
        words.of("Kasse Nr.", "till no."),
        words.of("Kasse", "till"),
        words.of("Stand", "stand"),
        words.of("Person", "person"),
        words.of("Steuerzahler", "taxpayer"),
        words.of("Band", "wristband"),
        words.of("Betrag EUR", "amount EUR"),
        words.of("Signatur", "signature"),
    ];
    line(&names.map(Cell::Text), words)
}
