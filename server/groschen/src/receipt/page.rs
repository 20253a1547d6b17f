//! The page of a receipt. Whoever has the order's id, 128 bits that nobody guesses, may see it: it names no guest.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use pages::format::{euros, percent};
use pages::{Assets, Language, Preferences, Shell, guard, qr};
use shared_protocol::OrderId;
use shared_protocol::ids::hex;

use super::read::{Receipt, Receipts, Signature, Signed};
use super::words;

/// Where receipts are; an order's id follows.
pub const PATH: &str = "/receipt";

struct Page {
    receipts: Mutex<Receipts>,
    assets: Assets,
}

/// The routes.
pub fn routes(receipts: Receipts) -> Router {
    let assets = Assets::new(include_str!("receipt.css"));
    let served = assets.routes();
    let page = Arc::new(Page {
        receipts: Mutex::new(receipts),
        assets,
    });
    Router::new()
        .route(&format!("{PATH}/{{order}}"), get(show))
        .with_state(page)
        .merge(served)
        .layer(middleware::from_fn(guard::headers))
}

/// Seconds until a page that waits for something looks again.
const WAITING: HeaderValue = HeaderValue::from_static("2");

async fn show(State(page): State<Arc<Page>>, Path(order): Path<String>, preferences: Preferences) -> Response {
    let language = preferences.language;
    let Some(order) = OrderId::parse(&order) else {
        return around(&page, preferences, StatusCode::NOT_FOUND, &nonsense(language));
    };
    let reading = Arc::clone(&page);
    let found = tokio::task::spawn_blocking(move || {
        let mut receipts = reading.receipts.lock().unwrap_or_else(PoisonError::into_inner);
        receipts.of(order)
    });
    let content = match found.await.map_err(anyhow::Error::from).and_then(|found| found) {
        Ok(Some(receipt)) => match html(&receipt, language) {
            Ok(content) => {
                let mut response = around(&page, preferences, StatusCode::OK, &content);
                if matches!(receipt.signed, Signed::NotYet) {
                    response.headers_mut().insert(header::REFRESH, WAITING);
                }
                return response;
            }
            Err(error) => Err(error),
        },
        Ok(None) => Ok(missing(language)),
        Err(error) => Err(error),
    };
    match content {
        Ok(content) => {
            let mut response = around(&page, preferences, StatusCode::NOT_FOUND, &content);
            response.headers_mut().insert(header::REFRESH, WAITING);
            response
        }
        Err(error) => {
            tracing::error!(%error, "a receipt cannot be read");
            around(&page, preferences, StatusCode::INTERNAL_SERVER_ERROR, &broken(language))
        }
    }
}

/// Codes on receipts are for their guests, not for search engines.
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

fn around(page: &Page, preferences: Preferences, status: StatusCode, content: &Markup) -> Response {
    let shell = Shell {
        assets: &page.assets,
        preferences,
        title: preferences.language.of("Beleg", "Receipt"),
        class: "receipt-page",
        live: None,
    };
    let headers = [(ROBOTS, HeaderValue::from_static("noindex"))];
    (status, headers, shell.around(content)).into_response()
}

fn said(what: &str, now: &str) -> Markup {
    html! { main #main .receipt { h1 { (what) } p { (now) } } }
}

fn nonsense(words: Language) -> Markup {
    said(
        words.of("Das ist keine Belegadresse", "This is no address of a receipt"),
        words.of(
            "Scanne den Code auf dem Display der Kasse nochmal.",
            "Scan the code on the till again.",
        ),
    )
}

fn missing(words: Language) -> Markup {
    said(
        words.of("Der Beleg ist noch nicht da", "The receipt is not there yet"),
        words.of(
            "Die Kasse hat vielleicht gerade kein Netz. Diese Seite sieht von selbst wieder nach.",
            "The till may have no network right now. This page looks again by itself.",
        ),
    )
}

fn broken(words: Language) -> Markup {
    said(
        words.of(
            "Der Beleg lässt sich gerade nicht lesen",
            "The receipt cannot be read right now",
        ),
        words.of(
            "Er ist sicher gespeichert. Versuche es später noch einmal.",
            "It is stored safely. Try again later.",
        ),
    )
}

fn html(receipt: &Receipt, language: Language) -> anyhow::Result<Markup> {
    let order = &receipt.order;
    let clock = receipt.clock(language);
    let config = receipt.config.as_deref();
    let taxpayer = config.and_then(|config| config.taxpayers.get(&order.taxpayer));
    let till = config.and_then(|config| config.tills.get(&order.till));
    let total = euros(order.total()?, language);
    let lines = order
        .lines
        .iter()
        .map(|line| Ok((line, line.total()?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let taxes = order.taxes()?;
    let taxes = taxes
        .iter()
        .map(|((_, rate), sum)| Ok((rate, sum, sum.net()?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    Ok(html! {
        main #main .receipt {
            header {
                h1 { (taxpayer.map_or(language.of("Beleg", "Receipt"), |taxpayer| &taxpayer.name)) }
                @if let Some(taxpayer) = taxpayer {
                    @if let Some(address) = &taxpayer.address { p { (words::address(address)) } }
                    p { (language.of("Steuernummer", "Tax number")) " " (taxpayer.tax_number) }
                }
                @if order.kind.is_of_drawer() { p .note.warn { (words::of_drawer(language)) } }
                @if order.reverses.is_some() { p { strong { (language.of("Storno oder Korrektur", "Cancellation or correction")) } } }
                p { (clock.full(order.closed_at_ms)) " · " (till.map_or_else(|| order.till.to_string(), |till| till.name.clone())) }
            }
            table .items {
                caption .visually-hidden { (language.of("Positionen", "Items")) }
                thead { tr { th scope="col" { (language.of("Menge", "Qty")) } th scope="col" { (language.of("Artikel", "Item")) } th scope="col" .amount { (language.of("USt", "VAT")) } th scope="col" .amount { (language.of("Betrag", "Amount")) } } }
                tbody { @for (line, sum) in &lines {
                    tr {
                        td { (line.quantity) " ×" }
                        td { (receipt.line_name(line, language)) }
                        td .amount { (percent(line.rate.0, language)) }
                        td .amount { (euros(*sum, language)) }
                    }
                } }
                tfoot { tr { th scope="row" colspan="3" { (language.of("Summe", "Total")) } td .amount.sum { (total) } } }
            }
            table .taxes {
                caption .visually-hidden { (language.of("Steuern", "Taxes")) }
                thead { tr { th scope="col" { (language.of("USt-Satz", "VAT rate")) } th scope="col" .amount { (language.of("Netto", "Net")) } th scope="col" .amount { (language.of("Steuer", "Tax")) } } }
                tbody { @for (rate, sum, net) in &taxes {
                    tr { td { (percent(rate.0, language)) } td .amount { (euros(*net, language)) } td .amount { (euros(sum.tax, language)) } }
                } }
            }
            dl .paid { @for tender in order.tenders.iter().filter(|tender| tender.voucher.is_none()) {
                dt { (words::tender_name(tender.kind, language)) } dd .amount { (euros(tender.amount, language)) }
            } }
            (signature(receipt, language))
            footer { p .id { (order.id) } button .no-print type="button" data-print="" { (language.of("Drucken", "Print")) } }
        }
    })
}

fn signature(receipt: &Receipt, language: Language) -> Markup {
    let clock = receipt.clock(language);
    match &receipt.signed {
        Signed::NotYet => html! { p .note { (words::not_yet(language)) " …" } },
        Signed::InOutage(reason) => {
            html! { p .note.warn { strong { (words::in_outage(language)) } " (" (reason) ")" } }
        }
        Signed::By(signature) => {
            let Signature {
                tse,
                transaction,
                end,
                late,
            } = signature.as_ref();
            html! {
                section .tse aria-label="TSE" {
                    @if !tse.certified { p .note.warn { strong { (words::not_certified(language)) } } }
                    @if *late { p .note.warn { (words::signed_late(language)) } }
                    @if let Some(code) = receipt.code().and_then(|code| qr::svg(&code, language.of("QR-Code mit den Daten der TSE", "QR code with the TSE's data"))) { (code) }
                    dl {
                        dt { (language.of("Transaktion", "Transaction")) } dd { (transaction.transaction) }
                        dt { (language.of("Signaturzähler", "Signature counter")) } dd { (end.counter) }
                        dt { (language.of("Beginn", "Start")) } dd { (clock.full(transaction.started_s.saturating_mul(1_000))) }
                        dt { (language.of("Ende", "Finish")) } dd { (clock.full(end.time_s.saturating_mul(1_000))) }
                        dt { (language.of("Kassen-Seriennummer", "Till serial number")) } dd .id { (transaction.client) }
                        dt { (language.of("TSE-Seriennummer", "TSE serial number")) } dd .id { (hex(&tse.serial)) }
                        dt { (language.of("Prüfwert", "Signature")) } dd .id { (hex(&end.signature)) }
                    }
                }
            }
        }
    }
}
