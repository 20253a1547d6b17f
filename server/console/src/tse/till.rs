//! A till and its TSEs: with which it was, and with which it should be.

use axum::Form;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use fiscal::signer::client_of;
use maud::{Markup, html};
use serde::Deserialize;
use shared_protocol::{TaxpayerId, TillId};
use store::{ClientRow, TseNo, WishRow};

use super::words::not_taken;
use super::{Figures, planned};
use crate::fault::Fault;
use crate::frame::Page;
use crate::signer::TseOrder;
use crate::words::Names;

fn till_of(page: &Page, text: &str) -> Result<TillId, Fault> {
    let till = text.parse().map(TillId).map_err(|_| Fault::NotFound)?;
    if page.config()?.tills.contains_key(&till) {
        Ok(till)
    } else {
        Err(Fault::NotFound)
    }
}

pub(crate) async fn page(page: Page, Path(till): Path<String>) -> Response {
    let made = content(&page, &till).await;
    page.done(made.map(|(title, content)| page.show(&title, &content)))
}

async fn content(page: &Page, till: &str) -> Result<(String, Markup), Fault> {
    let till = till_of(page, till)?;
    let words = page.words;
    let names = Names {
        config: page.config()?,
        words,
    };
    let client = client_of(page.context.event, till);
    let figures = Figures::load(&page.context).await?;
    let of_till = client.clone();
    let history = page.context.read(move |reader| reader.client_history(&of_till)).await?;
    let here: Vec<&ClientRow> = figures.clients.iter().filter(|row| row.client == client).collect();
    let may = page.may(&Method::POST, "/tse/tills/{till}/move");
    let made = html! {
        p { a href="/tse" { "← " (words.of("Alle TSEs", "All TSEs")) } }
        section.sheet {
            dl.facts {
                dt { (words.of("Bei der TSE heißt sie", "The TSE knows it as")) } dd.id { (client) }
                @for row in &here {
                    dt { (words.of("Für", "For")) " " bdi { (names.taxpayer(row.taxpayer)) } }
                    dd { a href=(format!("/tse/{}", row.tse.0)) { "TSE " (row.tse.0) } ", " (words.of("vorgesehen:", "planned:")) " " (planned(figures.wish(row), row, words)) }
                }
            }
            @if here.is_empty() { p { (words.of("Sie hat noch nichts verkauft; ihre TSE bekommt sie mit dem ersten Bon.", "It has sold nothing yet; it gets its TSE with its first receipt.")) } }
        }
        @if may { @for row in &here { (form(page, &figures, till, row, &names)) } }
        section.sheet.scroll tabindex="0" aria-label=(words.of("Verlauf", "History")) {
            h2 { (words.of("Verlauf", "History")) }
            @if history.is_empty() { p { (words.of("Nichts.", "Nothing.")) } }
            @else { table {
                caption.visually-hidden { (words.of("Bei welchen TSEs die Kasse war", "With which TSEs the till was")) }
                thead { tr { th scope="col" { "TSE" } th scope="col" { (words.of("Für", "For")) } th scope="col" { (words.of("Von", "From")) } th scope="col" { (words.of("Bis", "Until")) } } }
                tbody { @for row in history.iter().rev() { tr {
                    td { "TSE " (row.tse.0) } td { bdi { (names.taxpayer(row.taxpayer)) } } td.nowrap { (page.clock.full(row.from_ms)) }
                    td.nowrap { @match row.until_ms { Some(until) => (page.clock.full(until)), None => (words.of("jetzt", "now")) } }
                } } }
            } }
        }
    };
    Ok((format!("{}: TSE", names.till(till)), made))
}

fn form(page: &Page, figures: &Figures, till: TillId, row: &ClientRow, names: &Names<'_>) -> Markup {
    let words = page.words;
    let usable = figures
        .tses
        .iter()
        .map(|(tse, _)| tse)
        .filter(|tse| tse.taxpayer == row.taxpayer && !figures.retired.contains_key(&tse.no));
    let wish = figures.wish(row);
    let wanted = wish.and_then(|wish| wish.tse).unwrap_or(row.tse);
    html! {
        form.sheet.stack method="post" action=(format!("/tse/tills/{}/move", till.0)) {
            h2 { (words.of("Zu einer anderen TSE, für", "To another TSE, for")) " " bdi { (names.taxpayer(row.taxpayer)) } }
            p { (words.of("Die Kasse wechselt zwischen zwei Verkäufen; ein offener Korb wird noch bei der alten bezahlt. Eine TSE eines anderen Steuerzahlers geht nicht.", "The till moves between two sales; an open cart is still paid at the old one. A TSE of another taxpayer is not possible.")) }
            input type="hidden" name="taxpayer" value=(row.taxpayer.0);
            label { "TSE" select name="tse" { @for tse in usable { option value=(tse.no.0) selected[tse.no == wanted] { "TSE " (tse.no.0) ": " (tse.name) } } } }
            label.choice { input type="checkbox" name="pinned" value="1" checked[wish.is_some_and(|wish| wish.pinned)]; (words.of("Festhalten: sie bleibt dort, und kommt nach einem Ausfall zurück", "Pin: it stays there, and comes back after an outage")) }
            div.row { button.main { (words.of("Vorsehen", "Plan it")) } }
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Move {
    #[serde(default)]
    taxpayer: String,
    #[serde(default)]
    tse: String,
    #[serde(default)]
    pinned: String,
}

pub(crate) async fn change(page: Page, Path(till): Path<String>, Form(form): Form<Move>) -> Response {
    let made = moved(&page, &till, &form).await;
    page.done(made.map(|till| Redirect::to(&format!("/tse/tills/{}", till.0)).into_response()))
}

async fn moved(page: &Page, till: &str, form: &Move) -> Result<TillId, Fault> {
    let till = till_of(page, till)?;
    let (Ok(taxpayer), Ok(tse)) = (form.taxpayer.parse(), form.tse.parse()) else {
        return Err(Fault::refused(
            "Wähl eine TSE. Nichts ist geändert.",
            "Choose a TSE. Nothing was changed.",
        ));
    };
    let visitor = page.visitor()?;
    let pinned = !form.pinned.is_empty();
    let row = WishRow {
        client: client_of(page.context.event, till),
        taxpayer: TaxpayerId(taxpayer),
        tse: Some(TseNo(tse)),
        pinned,
        asked_at_ms: page.context.now_ms(),
        by: visitor.name.clone(),
    };
    let detail = format!(
        "to TSE {tse}, taxpayer {taxpayer}{}",
        if pinned { ", pinned" } else { "" }
    );
    page.context
        .note(visitor, "tse.move", format!("till {till}"), detail)
        .await?;
    page.context.signer.ask(TseOrder::Wish(row)).await.map_err(not_taken)?;
    Ok(till)
}
