//! The page of a receipt, and the receipt as file. Whoever has the order's id, 128 bits that nobody guesses, may see it: it names no guest.
//!
//! ```text
//! /receipt/ORDER                    the page; ?copy=1 where staff gives it out again, ?slip=… with what the till itself says, while the order has not come
//! /receipt/ORDER/preview?width=58   what a till printer prints
//! /receipt/ORDER/receipt.pdf        A4
//! /receipt/ORDER/receipt.escpos     what a till printer is sent; ?width=58 or 80, and for printers that are short of something
//!                                   &page=1252 (no code page 858), &codes=raster (no QR codes), &cut=0 (no knife)
//! ```

use std::sync::{Arc, Mutex, PoisonError};

use ::receipt::escpos::{self, CodePage, Codes, Printer};
use ::receipt::{Content, Paper, Signature, layout, pdf};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{Markup, html};
use pages::{Assets, Language, Preferences, Shell, guard};
use shared_protocol::OrderId;
use shared_protocol::slip::Slip;

use super::document::{self, Way};
use super::read::Receipts;

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
        .route(&format!("{PATH}/{{order}}/preview"), get(preview))
        .route(&format!("{PATH}/{{order}}/receipt.pdf"), get(as_pdf))
        .route(&format!("{PATH}/{{order}}/receipt.escpos"), get(as_escpos))
        .with_state(page)
        .merge(served)
        .layer(middleware::from_fn(guard::headers))
}

/// Seconds until a page that waits for something looks again.
const WAITING: HeaderValue = HeaderValue::from_static("2");

/// The same where a till has to come back first, which may take hours: who reads the receipt meanwhile is left in peace.
const WAITING_FOR_THE_TILL: HeaderValue = HeaderValue::from_static("15");

/// Codes on receipts are for their guests, not for search engines.
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const NO_ROBOTS: HeaderValue = HeaderValue::from_static("noindex");

/// What an address may say besides the order. What is not known is not heard.
#[derive(Debug, Clone, Default, serde::Deserialize)]
struct Asked {
    /// The width of a till roll in mm.
    width: Option<u32>,
    /// Whether a guest may have had it before: any number but zero.
    copy: Option<u32>,
    /// The code page of a printer: 858 or 1252.
    page: Option<u32>,
    /// Who makes QR codes: `raster` for a printer that has none.
    codes: Option<String>,
    /// Whether a printer has a knife: zero for none.
    cut: Option<u32>,
    /// What the till gave the guest ([`shared_protocol::slip`]).
    slip: Option<String>,
}

impl Asked {
    fn is_copy(&self) -> bool {
        self.copy.is_some_and(|copy| copy != 0)
    }

    fn way(&self) -> Way<'_> {
        Way {
            copy: self.is_copy(),
            slip: self.slip.as_deref(),
        }
    }

    /// The roll; one of 80 mm where none is asked for.
    fn roll(&self) -> Paper {
        self.width.and_then(Paper::roll).unwrap_or(Paper::Mm80)
    }

    fn printer(&self) -> Printer {
        Printer {
            page: match self.page {
                Some(1_252) => CodePage::Windows1252,
                _ => CodePage::Page858,
            },
            codes: match self.codes.as_deref() {
                Some("raster") => Codes::Raster,
                _ => Codes::Native,
            },
            cuts: self.cut != Some(0),
        }
    }
}

type Question = Result<Query<Asked>, axum::extract::rejection::QueryRejection>;

/// What is known of each request.
type Call = (State<Arc<Page>>, Path<String>, Question, Preferences);

fn asked(question: Question) -> Asked {
    let mut asked = question.map_or_else(|_nonsense| Asked::default(), |Query(asked)| asked);
    // One that cannot be read says nothing, and the order may be there all the same.
    asked.slip = asked.slip.filter(|slip| Slip::read(slip).is_ok());
    asked
}

/// What is answered where there is no receipt.
enum Instead {
    Nonsense,
    Missing,
    Broken,
}

async fn found(page: &Arc<Page>, order: &str, asked: &Asked) -> Result<Content, Instead> {
    let order = OrderId::parse(order).ok_or(Instead::Nonsense)?;
    let slip = asked.slip.as_deref().and_then(|slip| Slip::read(slip).ok());
    let copy = asked.is_copy();
    let reading = Arc::clone(page);
    let found = tokio::task::spawn_blocking(move || {
        let mut receipts = reading.receipts.lock().unwrap_or_else(PoisonError::into_inner);
        receipts.of(order, slip.as_ref(), copy)
    });
    match found.await.map_err(anyhow::Error::from).and_then(|found| found) {
        Ok(content) => content.ok_or(Instead::Missing),
        Err(error) => {
            tracing::error!(%error, "a receipt cannot be read");
            Err(Instead::Broken)
        }
    }
}

/// Answers with what `make` makes of a receipt that may leave the page, as paper or as a file.
async fn for_paper(
    (State(page), Path(order), question, preferences): Call,
    make: impl FnOnce(&Page, &Content, &Asked, Preferences) -> Response,
) -> Response {
    let asked = asked(question);
    match found(&page, &order, &asked).await {
        Ok(content) if document::is_for_paper(&content) => make(&page, &content, &asked, preferences),
        Ok(_) => answer(&page, preferences, &Instead::Missing),
        Err(instead) => answer(&page, preferences, &instead),
    }
}

async fn show((State(page), Path(order), question, preferences): Call) -> Response {
    let asked = asked(question);
    match found(&page, &order, &asked).await {
        Ok(content) => {
            let shown = document::html(&content, preferences, asked.way());
            let mut response = around(&page, preferences, StatusCode::OK, &shown);
            let again = match content.signature {
                Signature::Pending => Some(WAITING),
                Signature::Till { .. } => Some(WAITING_FOR_THE_TILL),
                Signature::Tse(_) | Signature::Outage { .. } => None,
            };
            response
                .headers_mut()
                .extend(again.map(|again| (header::REFRESH, again)));
            response
        }
        Err(instead) => answer(&page, preferences, &instead),
    }
}

async fn preview(call: Call) -> Response {
    for_paper(call, |page, content, asked, preferences| {
        let sheet = layout::sheet(content, preferences.language, asked.roll());
        let shown = document::preview(content, &sheet, asked.way());
        around(page, preferences, StatusCode::OK, &shown)
    })
    .await
}

async fn as_pdf(call: Call) -> Response {
    for_paper(call, |_page, content, _asked, Preferences { language, .. }| {
        let document = pdf::render(&layout::sheet(content, language, Paper::A4));
        file(content, language, "application/pdf", "inline", "pdf", document)
    })
    .await
}

async fn as_escpos(call: Call) -> Response {
    for_paper(call, |_page, content, asked, Preferences { language, .. }| {
        let sheet = layout::sheet(content, language, asked.roll());
        let bytes = escpos::render(&sheet, asked.printer());
        let kind = "application/octet-stream";
        file(content, language, kind, "attachment", "escpos", bytes)
    })
    .await
}

/// A file whose name says of what it is.
fn file(content: &Content, language: Language, kind: &str, shown: &str, ending: &str, bytes: Vec<u8>) -> Response {
    let name = language.of("beleg", "receipt");
    let disposition = format!("{shown}; filename=\"{name}-{}.{ending}\"", content.order);
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    ([(ROBOTS, NO_ROBOTS)], headers, bytes).into_response()
}

fn around(page: &Page, preferences: Preferences, status: StatusCode, content: &Markup) -> Response {
    let shell = Shell {
        assets: &page.assets,
        preferences,
        title: preferences.language.of("Beleg", "Receipt"),
        class: "receipt-page",
        live: None,
    };
    (status, [(ROBOTS, NO_ROBOTS)], shell.around(content)).into_response()
}

fn answer(page: &Page, preferences: Preferences, instead: &Instead) -> Response {
    let words = preferences.language;
    let (status, what, now) = match instead {
        Instead::Nonsense => (
            StatusCode::NOT_FOUND,
            words.of("Das ist keine Belegadresse", "This is no address of a receipt"),
            words.of(
                "Scanne den Code auf dem Display der Kasse nochmal.",
                "Scan the code on the till again.",
            ),
        ),
        Instead::Missing => (
            StatusCode::NOT_FOUND,
            words.of("Der Beleg ist noch nicht da", "The receipt is not there yet"),
            words.of(
                "Die Kasse hat vielleicht gerade kein Netz. Diese Seite sieht von selbst wieder nach.",
                "The till may have no network right now. This page looks again by itself.",
            ),
        ),
        Instead::Broken => (
            StatusCode::INTERNAL_SERVER_ERROR,
            words.of(
                "Der Beleg lässt sich gerade nicht lesen",
                "The receipt cannot be read right now",
            ),
            words.of(
                "Er ist sicher gespeichert. Versuche es später noch einmal.",
                "It is stored safely. Try again later.",
            ),
        ),
    };
    let said = html! { main #main .receipt { h1 { (what) } p { (now) } } };
    let mut response = around(page, preferences, status, &said);
    if matches!(instead, Instead::Missing) {
        response.headers_mut().insert(header::REFRESH, WAITING);
    }
    response
}
