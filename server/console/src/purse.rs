//! The purse of one wristband: what it said, what is missing, what waits for it, and what can be done.

use axum::Form;
use axum::http::Method;
use axum::response::{IntoResponse, Redirect, Response};
use engine::Request;
use festival::purse::{Gap, Purse};
use ledger::{Account, AccountKey, Authority, PostingId};
use maud::{Markup, html};
use pages::Language;
use pages::format::{cents, typed_cents};
use serde::Deserialize;
use shared_protocol::ids::mint;
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::{Batch, BatchAuthority, CHAIN_DESK, CHAIN_RETURN, CHAIN_SERVER, record_moment_ms};
use shared_protocol::{Amount, AssetId, OrderId, TagId};
use sync::server::random;

use crate::fault::Fault;
use crate::frame::Page;
use crate::words::Names;

/// A purse with its batch, where that is known.
pub(crate) struct Found {
    pub(crate) purse: Purse,
    pub(crate) batch: Option<Batch>,
}

const fn line(gap: &Gap, words: Language) -> &'static str {
    match gap.chain {
        None => words.of("Zahlungen", "payments"),
        Some(CHAIN_DESK) => words.of("Aufladungen", "top-ups"),
        Some(CHAIN_SERVER) => words.of("Gutschriften des Servers", "credits of the server"),
        Some(CHAIN_RETURN) => words.of("Rückgaben", "returns"),
        Some(_) => words.of("eine unbekannte Kette", "an unknown chain"),
    }
}

fn euro(amount: Amount, words: Language) -> String {
    cents(i128::from(amount.0), words)
}

/// What stands on the wristband's page.
pub(crate) fn section(page: &Page, names: &Names<'_>, found: &Found) -> Markup {
    let words = page.words;
    let Found { purse, batch } = found;
    let units = batch.as_ref().map(Batch::units).unwrap_or_default();
    let held = purse.seen.held(&units).unwrap_or_default();
    let gaps = purse.gaps(units);
    html! {
        section.sheet.stack {
            h2 { (words.of("Börse auf dem Chip", "Purse on the chip")) }
            p.row {
                span { (words.of("Charge", "Batch")) " " a href="/batches" { (purse.batch) } }
                @match purse.authority {
                    BatchAuthority::Chip => span.state.good { (words.of("der Chip entscheidet", "the chip decides")) },
                    BatchAuthority::Server => span.state { (words.of("der Server entscheidet", "the server decides")) },
                }
                @if batch.as_ref().is_some_and(|batch| batch.revoked) { span.state.bad { (words.of("Charge zurückgezogen", "batch withdrawn")) } }
                @if batch.as_ref().is_some_and(|batch| batch.desk_frozen) { span.state.warn { (words.of("Aufladeplätze eingefroren", "desks frozen")) } }
            }
            dl.facts {
                @if let Some(label) = &purse.label { dt { (words.of("Aufgedruckt", "Printed")) } dd { bdi { (label.number) } } }
                dt { (words.of("Zuletzt gesehen", "Last seen")) }
                dd { (words.of("Guthaben", "balance")) " " (euro(held, words)) ", " (words.of("im Leben ausgegeben", "spent in its life")) " " (cents(i128::from(purse.seen.debited), words)) }
                @if let Some(credit) = &purse.waiting {
                    dt { (words.of("Gutschrift wartet", "Credit waits")) }
                    dd { (words.of("bis zum nächsten Hinhalten an einer Kasse, die davon weiß", "until it is held to a till that knows of it")) " (" (credit.units) ")" }
                }
            }
            @if let Some(batch) = batch.as_ref().filter(|_| purse.vouchers.iter().any(|count| *count > 0)) {
                p { (words.of("Gutscheine, die der Server je darauf gegeben hat", "Vouchers that the server ever put on it")) ": "
                    @for (asset, count) in batch.vouchers.iter().zip(purse.vouchers) { bdi { (names.asset(*asset)) } " " (count) " " } }
            }
            @if gaps.is_empty() { p { (words.of("Es fehlt nichts: Alle Buchungen liegen lückenlos nebeneinander.", "Nothing is missing: all orders lie side by side without a gap.")) } }
            @else {
                p.note.warn { (words.of("Es fehlen Buchungen, die eine Kasse noch nicht gesendet hat:", "Orders are missing that a till has not sent yet:")) }
                ul { @for gap in &gaps { li {
                    (line(gap, words)) ": " (euro(gap.cents, words))
                    @if gap.intent.is_some() { " – " (words.of("genau so viel wie eine unterbrochene Zahlung", "exactly as much as an interrupted payment")) }
                } } }
                @if let Some(since) = purse.gap_since_ms { p.quiet { (words.of("Seit", "Since")) " " (page.clock.full(since)) } }
            }
            @if !purse.intents.is_empty() {
                h3 { (words.of("Unterbrochene Zahlungen", "Interrupted payments")) }
                ul { @for intent in &purse.intents { li {
                    bdi { (names.till(intent.till)) } ": "
                    (cents(i128::from(intent.wanted.after.debited.saturating_sub(intent.wanted.before.debited)), words))
                    @if intent.unknown { " – " (words.of("die Kasse konnte nicht sagen, ob bezahlt wurde", "the till could not tell whether it was paid")) }
                } } }
            }
            @if !purse.witnesses.is_empty() {
                h3 { (words.of("Verkäufe, die nur der Chip bezeugt", "Sales that only the chip tells of")) }
                ul { @for sale in &purse.witnesses { li { (cents(i128::from(sale.amount), words)) ", " (page.clock.full(record_moment_ms(sale.minute))) } } }
            }
        }
    }
}

/// A key for one posting: the same form sent twice books once.
fn fresh_posting(page: &Page) -> String {
    OrderId(mint(page.context.now_ms(), random())).to_string()
}

/// What can be done about money and purse of a wristband.
pub(crate) fn actions(page: &Page, tag: &str, found: Option<&Found>, balances: &[(AccountKey, Amount)]) -> Markup {
    let words = page.words;
    let at_server = |(key, _): &&(AccountKey, Amount)| {
        matches!(
            key.account,
            Account::Wristband {
                authority: Authority::Server,
                ..
            }
        )
    };
    let in_books = |asset: AssetId| {
        let mut mine = balances.iter().filter(at_server);
        mine.find(|(key, _)| key.asset == asset)
            .map_or(Amount::ZERO, |(_, amount)| *amount)
    };
    let counted = found.and_then(|found| found.batch.as_ref());
    let counted = counted.into_iter().flat_map(|batch| &batch.vouchers);
    let vouchers: i64 = counted.map(|asset| in_books(*asset).0.max(0)).sum();
    let money = in_books(AssetId::EURO);
    let fillable = found.is_some_and(|found| found.purse.authority == BatchAuthority::Chip)
        && (money.is_positive() || vouchers > 0);
    html! {
        @if fillable && page.may(&Method::POST, "/wristbands/credit") {
            form.sheet.row method="post" action="/wristbands/credit" {
                h2 { (words.of("Guthaben und Gutscheine in die Börse geben", "Give money and vouchers to the purse")) }
                p { (words.of("Auf dem Server liegen", "On the server there are")) " " (euro(money, words))
                    @if vouchers > 0 { " " (words.of("und Gutscheine", "and vouchers")) ": " (vouchers) } ". "
                    (words.of("Die nächste Kasse, an die das Band gehalten wird, schreibt sie auf den Chip.", "The next till that the wristband is held to writes them on the chip.")) }
                input type="hidden" name="tag" value=(tag); input type="hidden" name="posting" value=(fresh_posting(page));
                label { (words.of("Betrag in Euro, leer für alles samt Gutscheinen", "Amount in euros, empty for all with the vouchers")) input name="amount" inputmode="decimal" maxlength="10" autocomplete="off"; }
                button.main { (words.of("Gutschreiben", "Credit")) }
            }
        }
        @if page.may(&Method::POST, "/wristbands/replace") {
            details.sheet.stack {
                summary { (words.of("Band verloren oder defekt: auf ein neues übertragen", "Wristband lost or broken: move everything to a new one")) }
                p { (words.of("Alles zieht auf das neue Band um, das alte wird gesperrt. Was zurückbehalten wird, deckt Verkäufe, die noch nicht gesendet sind; übertrage den Rest später genauso.", "Everything moves to the new wristband, the old one is blocked. What is held back covers sales that were not sent yet; move the rest later in the same way.")) }
                form.row method="post" action="/wristbands/replace" {
                    input type="hidden" name="tag" value=(tag); input type="hidden" name="posting" value=(fresh_posting(page));
                    label { (words.of("Nummer des neuen Bands", "Number of the new wristband")) input.id name="new" required maxlength="40" autocomplete="off" spellcheck="false"; }
                    label { (words.of("Zurückbehalten in Euro", "Hold back in euros")) input name="hold_back" inputmode="decimal" maxlength="10" value="0" autocomplete="off"; }
                    button.grave { (words.of("Übertragen und altes sperren", "Move and block the old one")) }
                }
            }
        }
    }
}

/// Euros as people type them, `12`, `12,5` or `12.50`; nothing but the number, so that nobody has to guess what `,5` was to be.
fn typed_euros(text: &str) -> Option<Amount> {
    let text = text.trim();
    let plain = text.starts_with(|first: char| first.is_ascii_digit()) && !text.ends_with('€');
    plain.then(|| typed_cents(text)).flatten()
}

fn no_amount() -> Fault {
    Fault::refused(
        "Das ist kein Betrag. Schreib zum Beispiel 12,50. Kein Geld bewegt.",
        "This is no amount. Write 12.50, for example. No money moved.",
    )
}

fn posting(text: &str) -> Result<PostingId, Fault> {
    OrderId::parse(text).map(PostingId).ok_or(Fault::NotFound)
}

#[derive(Deserialize)]
pub(crate) struct Credit {
    #[serde(default)]
    tag: String,
    #[serde(default)]
    posting: String,
    #[serde(default)]
    amount: String,
}

pub(crate) async fn credit(page: Page, Form(form): Form<Credit>) -> Response {
    let made = credited(&page, &form).await;
    page.done(made)
}

async fn credited(page: &Page, form: &Credit) -> Result<Response, Fault> {
    let tag = TagId::typed(&form.tag).ok_or(Fault::NotFound)?;
    let posting = posting(&form.posting)?;
    let amount = match form.amount.trim() {
        "" => None,
        text => Some(typed_euros(text).ok_or_else(no_amount)?),
    };
    let detail = amount.map_or("all".to_owned(), |amount| format!("{} cents", amount.0));
    page.context
        .note(page.visitor()?, "wristband.credit", tag.to_string(), detail)
        .await?;
    page.context.settle(Request::IntoPurse { posting, tag, amount }).await?;
    Ok(Redirect::to(&format!("/wristbands?tag={tag}")).into_response())
}

#[derive(Deserialize)]
pub(crate) struct Replacement {
    #[serde(default)]
    tag: String,
    #[serde(default)]
    new: String,
    #[serde(default)]
    posting: String,
    #[serde(default)]
    hold_back: String,
}

pub(crate) async fn replace(page: Page, Form(form): Form<Replacement>) -> Response {
    let made = replaced(&page, &form).await;
    page.done(made)
}

async fn replaced(page: &Page, form: &Replacement) -> Result<Response, Fault> {
    let old = TagId::typed(&form.tag).ok_or(Fault::NotFound)?;
    let posting = posting(&form.posting)?;
    let new = TagId::typed(&form.new).ok_or_else(|| {
        Fault::refused(
            "Das ist keine Bandnummer. Kein Geld bewegt, nichts gesperrt.",
            "This is no wristband number. No money moved, nothing was blocked.",
        )
    })?;
    let hold_back = typed_euros(&form.hold_back).ok_or_else(no_amount)?;
    let detail = format!("to {new}, {} cents held back", hold_back.0);
    page.context
        .note(page.visitor()?, "wristband.replace", old.to_string(), detail)
        .await?;
    let reason = BlockReason::Lost;
    let request = Request::Replace {
        posting,
        old,
        new,
        hold_back,
        reason,
    };
    page.context.settle(request).await?;
    Ok(Redirect::to(&format!("/wristbands?tag={new}")).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn euros_are_read_as_people_type_them() {
        for (text, cents) in [
            ("12", 1_200),
            ("12,5", 1_250),
            (" 12.50 ", 1_250),
            ("0", 0),
            ("0,05", 5),
        ] {
            assert_eq!(typed_euros(text), Some(Amount(cents)), "{text}");
        }
        for text in [
            "",
            "-1",
            "1,234",
            "1.000,00",
            "zwölf",
            ",5",
            "1e3",
            "99999999999999999999",
        ] {
            assert_eq!(typed_euros(text), None, "{text}");
        }
    }
}
