//! One wristband: what is on it, what is owed, its orders, and whether it may pay.

use std::sync::Arc;

use axum::Form;
use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use engine::Request;
use ledger::{Account, AccountKey, Authority};
use maud::{Markup, html};
use serde::Deserialize;
use shared_protocol::stream::{BlockReason, Stream};
use shared_protocol::{Amount, AssetId, TagId, decode};
use store::{OrderFilter, OrderRow};

use crate::fault::Fault;
use crate::frame::Page;
use crate::words::{Names, block_reason};
use crate::{batches, orders, purse};

/// Orders that stand on the page; all others are behind a link.
const ORDERS: u64 = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Asked {
    tag: String,
}

struct Found {
    tag: TagId,
    balances: Vec<(AccountKey, Amount)>,
    blocked: Option<BlockReason>,
    orders: Vec<OrderRow>,
    purse: Option<purse::Found>,
}

pub(crate) async fn page(page: Page, Query(asked): Query<Asked>) -> Response {
    let made = content(&page, &asked).await;
    page.done(made.map(|content| page.show(page.words.of("Bänder", "Wristbands"), &content)))
}

async fn content(page: &Page, asked: &Asked) -> Result<Markup, Fault> {
    let words = page.words;
    let tag = TagId::typed(&asked.tag);
    let found = match tag {
        Some(tag) => Some(load(page, tag).await?),
        None => None,
    };
    Ok(html! {
        form.filters method="get" action="/wristbands" {
            label { (words.of("Nummer des Bands (UID)", "Number of the wristband (UID)"))
                input.id name="tag" value=(asked.tag) maxlength="40" required autocomplete="off" spellcheck="false" autofocus[asked.tag.is_empty()];
            }
            div.row.end { button.main { (words.of("Suchen", "Look up")) } a.button href="/batches" { (words.of("Chargen", "Batches")) } }
        }
        @if let Some(found) = &found { (card(page, found)?) }
        @else if !asked.tag.is_empty() {
            p.note.warn role="alert" { (words.of("Das ist keine Bandnummer. Sie hat 8 bis 20 Hex-Ziffern und steht auf dem Band oder im Kassendisplay.", "This is no wristband number. It has 8 to 20 hexadecimal digits and stands on the wristband or on the till.")) }
        } @else {
            p.quiet { (words.of("Ein Lesegerät, das wie eine Tastatur tippt, geht auch: Feld anwählen, Band hinhalten.", "A reader that types like a keyboard works, too: select the field, hold the wristband.")) }
        }
    })
}

async fn load(page: &Page, tag: TagId) -> Result<Found, Fault> {
    let event = page.context.event;
    page.context
        .read(move |reader| {
            let list = reader.stream(event, Stream::BlockList, None)?.unwrap_or_default();
            let blocked = list.items.get(tag.as_slice());
            let filter = OrderFilter {
                holder: Some(tag),
                ..OrderFilter::default()
            };
            Ok(Found {
                tag,
                balances: reader.balance(event, tag)?,
                blocked: blocked.map(|value| decode(value).unwrap_or(BlockReason::Blocked)),
                orders: reader.orders(event, &filter, None, ORDERS)?,
                purse: match reader.purse(event, tag)? {
                    Some(purse) => {
                        let copy = reader.stream(event, Stream::Batches, None)?.unwrap_or_default();
                        let batch = batches::read(&copy).remove(&purse.batch);
                        Some(purse::Found { purse, batch })
                    }
                    None => None,
                },
            })
        })
        .await
}

fn card(page: &Page, found: &Found) -> Result<Markup, Fault> {
    let words = page.words;
    let config = Arc::clone(page.config()?);
    let names = Names { config: &config, words };
    let owed: i128 = found
        .balances
        .iter()
        .filter(|(key, _)| matches!(key.account, Account::Overdraft { .. }) && key.asset == AssetId::EURO)
        .map(|(_, amount)| -i128::from(amount.0))
        .sum();
    let held: Vec<_> = found
        .balances
        .iter()
        .filter(|(key, amount)| {
            matches!(key.account, Account::Wristband { .. }) && (!amount.is_zero() || key.asset == AssetId::EURO)
        })
        .collect();
    let tag = found.tag.to_string();
    Ok(html! {
        section.sheet.stack {
            h2 { (words.of("Band", "Wristband")) " " span.id { (tag) } }
            p.row {
                @match found.blocked {
                    Some(reason) => span.state.bad { "⛔ " (block_reason(reason, words)) },
                    None => span.state.good { "✓ " (words.of("darf zahlen", "may pay")) },
                }
                @if owed > 0 { span.state.warn { (names.amount(AssetId::EURO, owed)) " " (words.of("noch offen, wird mit der nächsten Aufladung beglichen", "still owed, settled from the next top-up")) } }
            }
            @if held.is_empty() && found.purse.is_some() { p { (words.of("In den Büchern ist noch nichts.", "There is nothing in the books yet.")) } }
            @else if held.is_empty() { p { (words.of("Nichts darauf. Vielleicht kennt der Server dieses Band noch nicht.", "Nothing on it. The server may not know this wristband yet.")) } }
            @else { table {
                thead { tr { th scope="col" { (words.of("Was", "What")) } th.amount scope="col" { (words.of("Wie viel", "How much")) } th scope="col" { (words.of("Wo es gilt", "Where it counts")) } } }
                tbody { @for (key, amount) in held { tr {
                    td { bdi { (names.asset(key.asset)) } }
                    td.amount { (names.amount(key.asset, i128::from(amount.0))) }
                    td { @match key.account {
                        Account::Wristband { authority: Authority::Chip, .. } => (words.of("auf dem Chip", "on the chip")),
                        _ => (words.of("auf dem Server", "on the server")),
                    } }
                } } }
            } }
            p.quiet { (words.of("Was Geräte noch nicht gesendet haben, fehlt hier.", "What terminals have not sent yet is missing here.")) }
            @if page.may_devices() { (actions(found, words)) }
            p { a href=(format!("/audit?object={tag}")) { (words.of("Verlauf im Protokoll", "History in the audit log")) } }
        }
        @if let Some(purse) = &found.purse { (purse::section(page, &names, purse)) }
        (purse::actions(page, &tag, found.purse.as_ref(), &found.balances))
        @if found.orders.is_empty() { p.note { (words.of("Keine Buchung mit diesem Band.", "No order with this wristband.")) } }
        @else {
            h2 { (words.of("Buchungen", "Orders")) }
            (orders::table(&found.orders, &config, &page.clock, words))
            p { a.button href=(format!("/orders?tag={tag}")) { (words.of("Alle Buchungen", "All orders")) } }
        }
    })
}

fn actions(found: &Found, words: pages::Language) -> Markup {
    let tag = found.tag.to_string();
    html! {
        @if found.blocked.is_some() {
            form method="post" action="/wristbands/unblock" { input type="hidden" name="tag" value=(tag); button.main { (words.of("Freigeben", "Unblock")) } }
        } @else {
            form.row method="post" action="/wristbands/block" {
                input type="hidden" name="tag" value=(tag);
                label { (words.of("Grund", "Reason"))
                    select name="reason" { @for reason in BlockReason::ALL { option value=(reason.code()) { (block_reason(*reason, words)) } } }
                }
                button.grave { (words.of("Sperren", "Block")) }
                small { (words.of("Gilt auf jedem Gerät, sobald es verbunden ist.", "Holds on every terminal as soon as it is connected.")) }
            }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Change {
    tag: String,
    #[serde(default)]
    reason: String,
}

pub(crate) async fn block(page: Page, Form(change): Form<Change>) -> Response {
    let reason = change
        .reason
        .parse()
        .map_or(BlockReason::Blocked, BlockReason::from_code);
    let made = set(&page, &change.tag, Some(reason)).await;
    page.done(made)
}

pub(crate) async fn unblock(page: Page, Form(change): Form<Change>) -> Response {
    let made = set(&page, &change.tag, None).await;
    page.done(made)
}

async fn set(page: &Page, tag: &str, reason: Option<BlockReason>) -> Result<Response, Fault> {
    if matches!(reason, Some(BlockReason::Other(_))) {
        return Err(Fault::NotFound);
    }
    let tag = TagId::typed(tag).ok_or(Fault::NotFound)?;
    let (what, detail) = match reason {
        Some(reason) => ("wristband.block", reason.code().to_string()),
        None => ("wristband.unblock", String::new()),
    };
    page.context
        .note(page.visitor()?, what, tag.to_string(), detail)
        .await?;
    page.context.settle(Request::Block { tag, reason }).await?;
    Ok(Redirect::to(&format!("/wristbands?tag={tag}")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_readers_and_labels_write_it() {
        let tag = TagId::from_slice(&[4, 0xa1, 0xb2, 0xc3]);
        for text in ["04a1b2c3", "04A1B2C3", "04:A1:B2:C3", "04 a1 b2 c3", "04-A1-b2-C3 "] {
            assert_eq!(TagId::typed(text), tag, "{text}");
        }
        assert_eq!(TagId::typed("04a1b2"), None);
    }
}
