//! Batches of wristbands: how many there are, who decides about them, and what can be done when keys are stolen.

use std::collections::BTreeMap;

use axum::Form;
use axum::extract::Path;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use engine::{BatchChange, Request};
use festival::purse::Purse;
use maud::{Markup, html};
use pages::Language;
use pages::format::count;
use serde::Deserialize;
use shared_protocol::catalogue::Text;
use shared_protocol::purse::ListEntry;
use shared_protocol::stream::{Copy, Stream};
use shared_protocol::wristband::{Batch, BatchAuthority, PurseTotals};
use shared_protocol::{EventId, TagId, decode};
use store::{Reader, StoreError};

use crate::fault::Fault;
use crate::frame::Page;

/// Purses read at once while they are counted.
const COUNT_PAGE: u64 = 4_096;
/// Purses taken over in one commit: tills that wait for an answer come in between.
const TAKE_OVER_PAGE: u64 = 256;

/// The batches of a stream.
pub(crate) fn read(copy: &Copy) -> BTreeMap<u16, Batch> {
    let items = copy.items.iter().filter_map(|(key, value)| {
        let number = u16::from_be_bytes(key.as_slice().try_into().ok()?);
        Some((number, decode(value).ok()?))
    });
    items.collect()
}

/// What is known of the wristbands of one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Counts {
    known: u64,
    used: u64,
    with_gap: u64,
    waiting: u64,
    at_server: u64,
}

impl Counts {
    fn add(&mut self, purse: &Purse) {
        self.known += 1;
        self.used += u64::from(purse.seen != PurseTotals::default());
        self.with_gap += u64::from(purse.gap_since_ms.is_some());
        self.waiting += u64::from(purse.waiting.is_some());
        self.at_server += u64::from(purse.authority == BatchAuthority::Server);
    }
}

fn counted(reader: &mut dyn Reader, event: EventId) -> Result<BTreeMap<u16, Counts>, StoreError> {
    let mut counts: BTreeMap<u16, Counts> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = reader.purses(event, after, COUNT_PAGE)?;
        let Some((last, _)) = page.last() else {
            return Ok(counts);
        };
        after = Some(*last);
        for (_, purse) in &page {
            counts.entry(purse.batch).or_default().add(purse);
        }
    }
}

/// Places of the list that have a wristband.
fn made(batch: &Batch) -> u64 {
    let (entries, _) = batch.list.entries.0.as_chunks::<{ ListEntry::BYTES }>();
    entries.iter().filter(|entry| **entry != [0; ListEntry::BYTES]).count() as u64
}

pub(crate) async fn page(page: Page) -> Response {
    let made = content(&page).await;
    page.done(made.map(|content| page.show(page.words.of("Chargen", "Batches"), &content)))
}

async fn content(page: &Page) -> Result<Markup, Fault> {
    let words = page.words;
    let event = page.context.event;
    let (batches, counts) = page
        .context
        .read(move |reader| {
            let copy = reader.stream(event, Stream::Batches, None)?.unwrap_or_default();
            Ok((read(&copy), counted(reader, event)?))
        })
        .await?;
    let empty = Counts::default();
    let may = page.may(&Method::POST, "/batches/{batch}/revoke");
    Ok(html! {
        p.quiet { (words.of("Eine Charge sind Bänder, die zusammen codiert wurden und gemeinsame Schlüssel haben.", "A batch is wristbands that were encoded together and share their keys.")) }
        @if batches.is_empty() {
            p.note { (words.of("Noch keine Charge. Bänder macht `groschen tags encode`, in die Bücher bringt sie `groschen tags import`.", "No batch yet. Wristbands are made by `groschen tags encode` and come into the books by `groschen tags import`.")) }
        } @else {
            div.scroll tabindex="0" role="region" aria-label=(words.of("Chargen", "Batches")) {
                table {
                    caption.visually-hidden { (words.of("Chargen nach Nummer", "Batches by number")) }
                    thead { tr {
                        th.amount scope="col" { (words.of("Charge", "Batch")) } th scope="col" { (words.of("Wer entscheidet", "Who decides")) }
                        th scope="col" { (words.of("Zustand", "State")) } th.amount scope="col" { (words.of("Gemacht", "Made")) }
                        th.amount scope="col" { (words.of("In den Büchern", "In the books")) } th.amount scope="col" { (words.of("Benutzt", "Used")) }
                        th.amount scope="col" { (words.of("Mit Lücke", "With a gap")) } th.amount scope="col" { (words.of("Gutschrift wartet", "Credit waits")) }
                    } }
                    tbody { @for (number, batch) in &batches {
                        @let counts = counts.get(number).unwrap_or(&empty);
                        tr {
                            td.amount { (number) } td { (authority(batch, counts, words)) } td { (state(batch, words)) }
                            td.amount { (count(made(batch), words)) } td.amount { (count(counts.known, words)) } td.amount { (count(counts.used, words)) }
                            td.amount { (count(counts.with_gap, words)) } td.amount { (count(counts.waiting, words)) }
                        }
                    } }
                }
            }
            @if may { @for (number, batch) in &batches { (actions(*number, batch, words)) } }
        }
        p { a href="/wristbands" { (words.of("Ein Band suchen", "Look up a wristband")) } }
    })
}

fn authority(batch: &Batch, counts: &Counts, words: Language) -> Markup {
    html! {
        @match batch.authority {
            BatchAuthority::Chip => (words.of("der Chip", "the chip")),
            BatchAuthority::Server => {
                (words.of("der Server", "the server"))
                @if counts.at_server < counts.known { " " span.state.warn { (words.of("Übernahme nicht fertig, nochmal umstellen", "take-over not finished, switch again")) } }
            }
        }
    }
}

fn state(batch: &Batch, words: Language) -> Markup {
    html! {
        @if batch.revoked { span.state.bad { "⛔ " (words.of("zurückgezogen", "withdrawn")) } }
        @if batch.desk_frozen { span.state.warn { "❄ " (words.of("Aufladeplätze eingefroren", "desks frozen")) } }
        @if !batch.revoked && !batch.desk_frozen { span.state.good { "✓ " (words.of("in Ordnung", "in order")) } }
    }
}

fn actions(number: u16, batch: &Batch, words: Language) -> Markup {
    let at = |verb: &str| format!("/batches/{number}/{verb}");
    let act = |verb: &str, grave: bool, name: &str, says: &str| {
        let class = if grave { "grave" } else { "main" };
        html! {
            details.sheet.stack {
                summary { (words.of("Charge", "Batch")) " " (number) ": " (name) }
                p { (says) }
                form.row method="post" action=(at(verb)) {
                    label { (words.of("Zur Bestätigung die Nummer der Charge", "To confirm, the number of the batch"))
                        input name="confirm" inputmode="numeric" pattern="[0-9]+" maxlength="5" required autocomplete="off";
                    }
                    button class=(class) { (name) }
                }
            }
        }
    };
    html! {
        @if batch.desk_frozen {
            (act("thaw", false, words.of("Aufladeplätze wieder freigeben", "Thaw the desks"), words.of(
                "Gutschriften der Aufladeplätze gelten wieder, auch solche, die der Server noch nicht gesehen hat. Nur tun, wenn geklärt ist, dass kein Schlüssel gestohlen ist.",
                "Credits of the desks count again, also those the server has not seen yet. Only do it when it is clear that no key is stolen.")))
        } @else {
            (act("freeze", true, words.of("Aufladeplätze einfrieren", "Freeze the desks"), words.of(
                "Wenn der Schlüssel eines Aufladeplatzes gestohlen ist: Gutschriften der Aufladeplätze gelten nur noch, soweit der Server sie gesehen hat. Aufladen ohne Netz geht dann nicht mehr. Das lässt sich zurücknehmen.",
                "If a desk's key is stolen: credits of the desks count only as far as the server has seen them. Adding money without network is off then. It can be taken back.")))
        }
        @if !batch.revoked {
            (act("switch", true, words.of("Auf Serverführung umstellen", "Switch to the server"), words.of(
                "Von da an entscheidet der Server, was die Bänder haben; das Guthaben zieht um und keines geht verloren. Ohne Netz wird nur noch in den Offline-Grenzen verkauft. Zurück geht es nicht.",
                "From then on the server decides what the wristbands have; balances move over and none is lost. Without network, tills sell within the offline limits only. There is no way back.")))
            (act("revoke", true, words.of("Charge zurückziehen", "Withdraw the batch"), words.of(
                "Wenn die Schlüssel der Charge bekannt sind: Keine Kasse öffnet ihre Bänder mehr, sie sind nur noch Nummern, und der Server entscheidet, was sie haben. Zurück geht es nicht.",
                "If the keys of the batch are known to strangers: no till opens its wristbands any more, they are ids only, and the server decides what they have. There is no way back.")))
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct Confirmed {
    #[serde(default)]
    confirm: String,
}

/// The batch of a path, when the form confirms it by the same number.
fn confirmed(batch: &str, form: &Confirmed) -> Result<u16, Fault> {
    let number: u16 = batch.parse().map_err(|_| Fault::NotFound)?;
    if form.confirm.trim().parse() == Ok(number) {
        return Ok(number);
    }
    Err(Fault::Refused(Text::new(
        &format!("Zur Bestätigung muss dort {number} stehen. Nichts ist geändert."),
        &format!("To confirm, it has to say {number} there. Nothing was changed."),
    )))
}

async fn change(page: &Page, batch: &str, form: &Confirmed, what: &str, change: BatchChange) -> Result<u16, Fault> {
    let number = confirmed(batch, form)?;
    page.context
        .note(page.visitor()?, what, format!("batch {number}"), "")
        .await?;
    let change = Box::new(change);
    page.context.settle(Request::Batch { batch: number, change }).await?;
    Ok(number)
}

/// What every purse of the batch holds becomes the books'. It may be repeated after it broke off.
async fn take_over(page: &Page, batch: u16) -> Result<(), Fault> {
    let event = page.context.event;
    let mut after: Option<TagId> = None;
    loop {
        let purses = page
            .context
            .read(move |reader| reader.purses(event, after, TAKE_OVER_PAGE))
            .await?;
        let Some((last, _)) = purses.last() else { return Ok(()) };
        after = Some(*last);
        let of_batch = purses.iter().filter(|(_, purse)| purse.batch == batch);
        let tags: Vec<TagId> = of_batch.map(|(tag, _)| *tag).collect();
        if !tags.is_empty() {
            page.context.settle(Request::TakeOver { tags }).await?;
        }
    }
}

fn back() -> Response {
    Redirect::to("/batches").into_response()
}

pub(crate) async fn freeze(page: Page, Path(batch): Path<String>, Form(form): Form<Confirmed>) -> Response {
    let made = change(&page, &batch, &form, "batch.freeze", BatchChange::FreezeDesks(true)).await;
    page.done(made.map(|_| back()))
}

pub(crate) async fn thaw(page: Page, Path(batch): Path<String>, Form(form): Form<Confirmed>) -> Response {
    let made = change(&page, &batch, &form, "batch.thaw", BatchChange::FreezeDesks(false)).await;
    page.done(made.map(|_| back()))
}

pub(crate) async fn switch(page: Page, Path(batch): Path<String>, Form(form): Form<Confirmed>) -> Response {
    let made = to_server(&page, &batch, &form, "batch.switch", BatchChange::ToServer).await;
    page.done(made)
}

pub(crate) async fn revoke(page: Page, Path(batch): Path<String>, Form(form): Form<Confirmed>) -> Response {
    let made = to_server(&page, &batch, &form, "batch.revoke", BatchChange::Revoke).await;
    page.done(made)
}

async fn to_server(
    page: &Page,
    batch: &str,
    form: &Confirmed,
    what: &str,
    how: BatchChange,
) -> Result<Response, Fault> {
    let number = change(page, batch, form, what, how).await?;
    take_over(page, number).await?;
    Ok(back())
}
