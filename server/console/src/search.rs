//! One field for everything: an order, a wristband, a till, a case. What is unique is opened at once.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;
use shared_protocol::{OrderId, TagId};
use store::OrderFilter;

use crate::fault::Fault;
use crate::frame::Page;
use crate::order;
use crate::words::Names;

/// Tills that are listed.
const TILLS_MAX: usize = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    q: String,
}

/// Something that was found: where it is, and what it is called.
struct Hit {
    at: String,
    name: String,
}

pub(crate) async fn page(page: Page, Query(asked): Query<Asked>) -> Response {
    let made = answer(&page, asked.q.trim()).await;
    page.done(made)
}

async fn answer(page: &Page, text: &str) -> Result<Response, Fault> {
    let words = page.words;
    let hits = find(page, text).await?;
    if let [only] = hits.as_slice() {
        return Ok(Redirect::to(&only.at).into_response());
    }
    let content = html! {
        @if hits.is_empty() {
            p.note { (words.of("Nichts gefunden für", "Nothing found for")) " „" bdi { (text) } "“. "
                (words.of("Gesucht wird nach Buchungs- und Fallnummern, Kennungen, Bändern und Namen von Kassen.", "Orders and cases are searched by number or id, wristbands by number, tills by name.")) }
        } @else {
            ul.plain { @for hit in &hits { li { a href=(hit.at) { bdi { (hit.name) } } } } }
        }
    };
    Ok(page.show(words.of("Suche", "Search"), &content))
}

async fn find(page: &Page, text: &str) -> Result<Vec<Hit>, Fault> {
    let (words, config) = (page.words, page.config()?);
    let names = Names { config, words };
    let mut hits = Vec::new();
    if text.is_empty() {
        return Ok(hits);
    }
    let event = page.context.event;
    let (key, tag) = (text.trim_start_matches('#').to_lowercase(), TagId::typed(text));
    let looked = key.clone();
    let (order, case, is_known) = page
        .context
        .read(move |reader| {
            let no = order::number_of(reader, &looked)?;
            let order = match no {
                Some(no) => order::row_at(reader, event, no)?,
                None => None,
            };
            let case = match looked.parse() {
                Ok(id) => reader.case(id)?,
                Err(_) => None,
            };
            let is_known = |tag: TagId, reader: &mut dyn store::Reader| {
                let filter = OrderFilter {
                    holder: Some(tag),
                    ..OrderFilter::default()
                };
                let has = reader.balance(event, tag)?.iter().any(|(_, amount)| !amount.is_zero());
                Ok::<_, store::StoreError>(has || !reader.orders(event, &filter, None, 1)?.is_empty())
            };
            let known = match tag {
                Some(tag) => is_known(tag, reader)?,
                None => false,
            };
            Ok((order.map(|row| row.record.no), case.map(|row| row.stored.id), known))
        })
        .await?;
    if let Some(no) = order {
        hits.push(Hit {
            at: format!("/orders/{no}"),
            name: format!("{} {no}", words.of("Buchung Nr.", "Order no.")),
        });
    }
    if let Some(id) = case {
        hits.push(Hit {
            at: format!("/cases/{id}"),
            name: format!("{} {id}", words.of("Fall", "Case")),
        });
    }
    let wanted = text.to_lowercase();
    let tills = config.tills.values().filter(|till| {
        till.name.to_lowercase().contains(&wanted) || names.stand_of(till.id).to_lowercase().contains(&wanted)
    });
    hits.extend(tills.take(TILLS_MAX).map(|till| Hit {
        at: format!("/orders?till={}", till.id),
        name: format!("{} {}", words.of("Kasse", "Till"), till.name),
    }));
    // An id of an order has as many digits as no wristband; a short number may be anything, so an unknown wristband is only a last resort.
    if let Some(tag) = tag.filter(|_| OrderId::parse(&key).is_none())
        && (is_known || hits.is_empty())
    {
        hits.push(Hit {
            at: format!("/wristbands?tag={tag}"),
            name: format!("{} {tag}", words.of("Band", "Wristband")),
        });
    }
    Ok(hits)
}
