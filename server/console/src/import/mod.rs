//! The second copy of a dead till: uploaded, looked at, booked. Looking books nothing, and booking goes the way of the till's own pushes.

mod uploads;
mod words;

use axum::extract::{DefaultBodyLimit, Multipart, Path};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use engine::import::{ForeseenOrder, Gathered, Import, Preview};
use engine::{Reply, Request};
use maud::{Markup, html};
use pages::Language;
use pages::format::{cents, count};
use shared_protocol::ids::hex;
use shared_protocol::order::OrderKind;
use sync::server::random;

use crate::context::Context;
use crate::fault::Fault;
use crate::frame::Page;
use crate::words::{Names, order_kind};

pub(crate) use uploads::{Journal, Upload, Uploads};

/// The largest upload: a day of a busy till has 40 MB.
const UPLOAD_MAX_BYTES: usize = 64 * 1024 * 1024;

/// Files of one upload.
const FILES_MAX: usize = 64;

/// Orders that are listed one by one.
const LISTED_ORDERS: usize = 50;

/// Lets an upload be larger than a form.
pub(crate) fn room() -> DefaultBodyLimit {
    DefaultBodyLimit::max(UPLOAD_MAX_BYTES)
}

const fn title(words: Language) -> &'static str {
    words.of("Zweitkopie einlesen", "Import a second copy")
}

pub(crate) async fn page(page: Page) -> Response {
    let words = page.words;
    let content = html! {
        p { (words.of(
            "Ist ein Gerät tot, steht auf seinem Stick oder beim Nachbargerät alles, was es gebucht hat. Wähl die Dateien (Endung .groschen), gern von beiden Orten zugleich.",
            "When a device is dead, its stick or its neighbour has everything it booked. Choose the files (they end in .groschen), from both places at once if you like.",
        )) }
        p { (words.of(
            "Du siehst zuerst, was darin ist. Gebucht wird erst danach, und nur, was das Gerät unterschrieben hat und hier noch fehlt. Kommt das Gerät später zurück, wird nichts doppelt.",
            "First you see what is in them. Only then is anything booked, and only what the device signed and what is missing here. If the device comes back later, nothing doubles.",
        )) }
        form.sheet.stack method="post" action="/import" enctype="multipart/form-data" {
            label { (words.of("Dateien der Zweitkopie", "Files of the second copy")) input type="file" name="file" accept=".groschen" multiple required; }
            div.row { button.main { (words.of("Ansehen – noch nichts buchen", "Look – book nothing yet")) } }
        }
    };
    page.show(title(words), &content)
}

pub(crate) async fn upload(
    page: Page,
    parts: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Response {
    let made = match parts {
        Ok(parts) => take(&page, parts).await,
        Err(_) => Err(no_file()),
    };
    page.done(made)
}

fn no_file() -> Fault {
    Fault::refused(
        "Es kam keine Datei an. Nichts ist gebucht; wähl die Dateien mit der Endung .groschen aus.",
        "No file arrived. Nothing was booked; choose the files that end in .groschen.",
    )
}

fn broken_off(status: StatusCode) -> Fault {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Fault::refused(
            "Das ist zu viel auf einmal. Nichts ist gebucht; nimm weniger Dateien oder `groschen import` auf dem Server.",
            "That is too much at once. Nothing was booked; take fewer files, or `groschen import` on the server.",
        )
    } else {
        Fault::refused(
            "Die Dateien kamen nicht ganz an. Nichts ist gebucht; versuch es noch einmal.",
            "The files did not arrive whole. Nothing was booked; try again.",
        )
    }
}

async fn take(page: &Page, mut parts: Multipart) -> Result<Response, Fault> {
    let (mut gathered, mut files, mut bytes) = (Gathered::default(), 0_usize, 0_usize);
    loop {
        let part = match parts.next_field().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(error) => return Err(broken_off(error.status())),
        };
        let name = part.file_name().unwrap_or("?").chars().take(100).collect::<String>();
        let file = part.bytes().await.map_err(|error| broken_off(error.status()))?;
        files += 1;
        if files > FILES_MAX {
            return Err(broken_off(StatusCode::PAYLOAD_TOO_LARGE));
        }
        // An empty field is a form that was sent without a choice.
        if file.is_empty() {
            continue;
        }
        bytes += file.len();
        gathered = tokio::task::spawn_blocking(move || {
            gathered.add(&name, &file);
            gathered
        })
        .await
        .map_err(|_| Fault::Unavailable)?;
    }
    if bytes == 0 {
        return Err(no_file());
    }
    let event = page.context.event;
    let others = gathered.others;
    let checked = page
        .context
        .read(move |reader| {
            let check = |mirror: shared_protocol::mirror::Mirror| {
                let id = mirror
                    .opening
                    .registration()
                    .ok()
                    .map(|registration| registration.terminal);
                let row = id.map(|id| reader.terminal(id)).transpose()?.flatten();
                Ok(Import::check(mirror, event, row.as_ref()))
            };
            gathered.mirrors.into_iter().map(check).collect::<Result<Vec<_>, _>>()
        })
        .await?;
    let (mut journals, mut refused) = (Vec::new(), Vec::new());
    for result in checked {
        match result {
            Ok(mut import) => {
                learn(&page.context, &mut import).await?;
                journals.push(Journal::new(import));
            }
            Err(why) => refused.push(why),
        }
    }
    let upload = Upload {
        id: hex(&random::<16>()),
        at_ms: page.context.now_ms(),
        bytes,
        journals,
        refused,
        others,
    };
    let id = upload.id.clone();
    page.context.uploads.put(upload);
    Ok(Redirect::to(&format!("/import/{id}")).into_response())
}

/// Asks what of it is stored.
async fn learn(context: &Context, import: &mut Import) -> Result<(), Fault> {
    for question in import.questions() {
        if let Reply::Traced(known) = context.ask(question).await? {
            import.learn(known);
        }
    }
    Ok(())
}

fn gone() -> Fault {
    Fault::refused(
        "Diese Zweitkopie ist nicht mehr da; sie wird nur eine halbe Stunde aufgehoben. Lies sie noch einmal ein, doppelt wird nichts.",
        "This second copy is gone; it is kept for half an hour only. Import it again, nothing doubles.",
    )
}

pub(crate) async fn look(page: Page, Path(id): Path<String>) -> Response {
    let made = page.context.uploads.with(&id, page.context.now_ms(), |upload| {
        content(&page, upload).map(|content| page.show(shown_title(upload, page.words), &content))
    });
    page.done(made.unwrap_or_else(|| Err(gone())))
}

const fn shown_title(upload: &Upload, words: Language) -> &'static str {
    if upload.is_booked() {
        words.of("Zweitkopie: gebucht", "Second copy: booked")
    } else {
        words.of("Zweitkopie: ansehen", "Second copy: look")
    }
}

pub(crate) async fn book(page: Page, Path(id): Path<String>) -> Response {
    let made = book_all(&page, &id).await;
    page.done(made)
}

async fn book_all(page: &Page, id: &str) -> Result<Response, Fault> {
    let context = &page.context;
    // Taken out meanwhile: who clicks twice books once, and would book once anyway.
    let mut upload = context.uploads.take(id, context.now_ms()).ok_or_else(gone)?;
    let mut result = Ok(());
    for journal in upload.journals.iter_mut().filter(|journal| !journal.is_booked) {
        result = book_one(page, journal).await;
        if result.is_err() {
            break;
        }
    }
    context.uploads.put(upload);
    result.map(|()| Redirect::to(&format!("/import/{id}")).into_response())
}

async fn book_one(page: &Page, journal: &mut Journal) -> Result<(), Fault> {
    let context = &page.context;
    let import = &mut journal.import;
    // The till may have come back since somebody looked.
    learn(context, import).await?;
    let terminal = import.terminal().id;
    let detail = format!("epoch {}, {} new", import.epoch(), import.preview().new);
    context
        .note(page.visitor()?, "journal.import", terminal.to_string(), detail)
        .await?;
    for push in import.pushes() {
        let push = Box::new(push);
        if let Reply::Push(reply) = context.ask(Request::Push(push.clone())).await? {
            import.took(&push, &reply);
        }
    }
    journal.is_booked = true;
    Ok(())
}

fn content(page: &Page, upload: &Upload) -> Result<Markup, Fault> {
    let words = page.words;
    let new: u64 = upload.journals.iter().map(|journal| journal.found.new).sum();
    let names = Names {
        config: page.config()?,
        words,
    };
    let made = html! {
        @for (file, why) in &upload.others {
            p.note.bad role="alert" { bdi { (file) } ": " (words::no_mirror(why, words)) }
        }
        @for why in &upload.refused {
            p.note.bad role="alert" { (words::unusable(*why, words)) }
        }
        @for journal in &upload.journals { (journal_of(page, journal, &names)) }
        @if !upload.is_booked() && new > 0 {
            form.row method="post" action=(format!("/import/{}/book", upload.id)) {
                button.main {
                    @match words {
                        Language::De => { (count(new, words)) @if new == 1 { " neuen Eintrag buchen" } @else { " neue Einträge buchen" } }
                        Language::En => { "Book " (count(new, words)) @if new == 1 { " new entry" } @else { " new entries" } }
                    }
                }
                a.button href="/import" { (words.of("Nichts buchen", "Book nothing")) }
            }
        } @else {
            p.row { a.button href="/import" { (words.of("Weitere Zweitkopie", "Another second copy")) } }
        }
    };
    Ok(made)
}

fn journal_of(page: &Page, journal: &Journal, names: &Names<'_>) -> Markup {
    let words = page.words;
    let (row, found) = (journal.import.terminal(), &journal.found);
    html! {
        section.sheet.stack {
            h2 { a href=(format!("/terminals/{}", row.id)) { bdi { (names.till(row.till)) } } ", " (words.of("Abschnitt", "epoch")) " " (journal.import.epoch()) }
            @if journal.is_booked { (booked(journal, words)) }
            @else if found.new == 0 && found.behind_hole == 0 { p.note { (words.of("Alles Unterschriebene ist schon hier. Es gibt nichts zu buchen.", "Everything that was signed is here already. There is nothing to book.")) } }
            dl.facts {
                dt { (words.of("Neu", "New")) } dd { strong { (count(found.new, words)) } " " (words.of("Einträge", "entries")) }
                dt { (words.of("Schon hier", "Here already")) } dd { (count(found.known, words)) }
                @if found.behind_hole > 0 { dt { (words.of("Hinter einer Lücke", "Behind a hole")) } dd { span.state.bad { (count(found.behind_hole, words)) } } }
                @if found.unsigned > 0 { dt { (words.of("Ohne Unterschrift", "Without a signature")) } dd { span.state.bad { (count(found.unsigned, words)) } } }
                @if found.damage.places > 0 { dt { (words.of("Beschädigte Stellen", "Damaged places")) } dd { (count(found.damage.places, words)) ", " (count(found.damage.bytes, words)) " Byte" } }
                @if found.damage.torn_bytes > 0 { dt { (words.of("Abgerissenes Ende", "Torn end")) } dd { (count(found.damage.torn_bytes, words)) " Byte" } }
            }
            @if !found.orders.is_empty() { (sums(found, words)) }
            @if !found.left_out.is_empty() { (left_out(page, found)) }
        }
    }
}

/// What kinds of money come with it; top-ups first, they are what guests ask for.
fn sums(found: &Preview, words: Language) -> Markup {
    let first = found.orders.get_key_value(&OrderKind::TopUp).into_iter();
    let others = found.orders.iter().filter(|(kind, _)| **kind != OrderKind::TopUp);
    html! {
        div.scroll tabindex="0" role="region" aria-label=(words.of("Neue Buchungen", "New orders")) {
            table {
                caption { (words.of("Neue Buchungen", "New orders")) }
                thead { tr { th scope="col" { (words.of("Art", "Kind")) } th.amount scope="col" { (words.of("Anzahl", "Number")) } th.amount scope="col" { (words.of("Summe", "Total")) } } }
                tbody { @for (kind, (number, sum)) in first.chain(others) {
                    tr { td { (order_kind(*kind, words)) } td.amount { (count(*number, words)) } td.amount { (cents(*sum, words)) } }
                } }
            }
        }
    }
}

fn left_out(page: &Page, found: &Preview) -> Markup {
    let words = page.words;
    let row = |left: &ForeseenOrder| {
        let ForeseenOrder { seq, order } = left;
        let total = order.total().map_or(0, |total| i128::from(total.0));
        html! { tr {
            td.amount { (seq) } td.nowrap { (page.clock.full(order.closed_at_ms)) } td { (order_kind(order.kind, words)) }
            td.id { @if let Some(tag) = order.holder { (tag) } @else { "–" } } td.amount { (cents(total, words)) }
        } }
    };
    html! {
        p.note.warn { (words.of(
            "Diese Buchungen werden nicht gebucht: Für sie fehlt die Unterschrift des Geräts, oder davor fehlt etwas. Lies die andere Kopie dazu, oder starte das Gerät noch einmal: Es sendet sie selbst. Geht beides nicht, entscheide anhand dieser Liste.",
            "These orders are not booked: the device's signature is missing for them, or something before them is. Add the other copy, or start the device once more: it sends them itself. If neither works, decide by this list.",
        )) }
        div.scroll tabindex="0" role="region" aria-label=(words.of("Buchungen, die fehlen werden", "Orders that will be missing")) {
            table {
                caption { (words.of("Nicht gebucht", "Not booked")) }
                thead { tr {
                    th.amount scope="col" { (words.of("Nr.", "No.")) } th scope="col" { (words.of("Zeit", "Time")) } th scope="col" { (words.of("Art", "Kind")) }
                    th scope="col" { (words.of("Band", "Wristband")) } th.amount scope="col" { (words.of("Summe", "Total")) }
                } }
                tbody { @for left in found.left_out.iter().take(LISTED_ORDERS) { (row(left)) } }
            }
        }
        @if found.left_out.len() > LISTED_ORDERS { p.quiet { "… " (count((found.left_out.len() - LISTED_ORDERS) as u64, words)) " " (words.of("weitere; `groschen import` auf dem Server zeigt alle.", "more; `groschen import` on the server shows all.")) } }
    }
}

fn booked(journal: &Journal, words: Language) -> Markup {
    let done = journal.import.result();
    html! {
        p.note role="status" {
            strong { (count(done.new, words)) " " (words.of("Einträge gebucht.", "entries booked.")) }
            @if done.duplicates > 0 { " " (count(done.duplicates, words)) " " (words.of("waren auf anderem Weg schon gebucht.", "had been booked another way.")) }
            @if done.flagged > 0 { " " (count(done.flagged, words)) " " (words.of("brauchen einen Blick: siehe Fälle.", "need a look: see cases.")) }
            @if done.forked { " " (words.of("Das Journal hier war ein anderes; beide sind gebucht, mit einem Fall.", "The journal here was another one; both are booked, with a case.")) }
            @if done.not_placed > 0 { " " (count(done.not_placed, words)) " " (words.of("ließen sich nicht anschließen.", "could not be placed.")) }
        }
    }
}
