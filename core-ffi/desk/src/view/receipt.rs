//! What a guest takes along: a code that leads to the receipt, on the screen and on paper.

use maud::{Markup, html};
use pages::qr;
use shared_protocol::slip::Address;
use terminal::screen::{Done, DoneKind, PastOrder};

use super::dialogs::dialog;
use super::{Look, result};
use crate::act::Side;

/// Where guests find receipts. Who practises gives none.
fn base(look: Look<'_>) -> Option<&str> {
    let screen = look.model.screen.as_deref()?;
    look.options.receipts.as_deref().filter(|_| !screen.training)
}

/// The address of an order's receipt. While the server does not have the order, its slip is in it.
pub(super) fn address(look: Look<'_>, past: &PastOrder) -> Option<Address> {
    base(look).map(|base| Address::of(base, past.order, past.slip.as_deref()))
}

/// The same for who has had it before.
pub(super) fn of_a_copy(address: &Address) -> String {
    let mark = if address.has_slip { '&' } else { '?' };
    format!("{}{mark}copy=1", address.text)
}

/// The receipts of what was booked, each with whether the server has its order.
fn receipts(look: Look<'_>, done: &Done) -> Vec<(Address, bool)> {
    let Some((base, screen)) = base(look).zip(look.model.screen.as_deref()) else {
        return Vec::new();
    };
    let one = |order| {
        let past = screen.history.iter().find(|past| past.order == order);
        let address = Address::of(base, order, past.and_then(|past| past.slip.as_deref()));
        (address, past.is_none_or(|past| past.sent))
    };
    done.orders.iter().copied().map(one).collect()
}

fn codes(look: Look<'_>, receipts: &[(Address, bool)]) -> Markup {
    let words = look.words;
    let title = words.of("QR-Code zum Beleg", "QR code to the receipt");
    let code = |address: &Address| {
        if address.has_slip {
            qr::dense(&address.text, title)
        } else {
            qr::svg(&address.text, title)
        }
    };
    html! {
        @for (address, _) in receipts {
            @if let Some(code) = code(address) { (code) }
            p .no-print { a href=(address.text) target="_blank" rel="noopener" { (words.of("Beleg öffnen", "Open receipt")) } }
        }
    }
}

/// What is to be said of receipts whose orders the server does not have.
fn not_there_yet(look: Look<'_>, receipts: &[(Address, bool)]) -> Option<&'static str> {
    let words = look.words;
    let mut waiting = receipts.iter().filter(|(_, sent)| !sent).peekable();
    waiting.peek()?;
    Some(if waiting.all(|(address, _)| address.has_slip) {
        words.of(
            "Ohne Netz gemacht: ohne Signatur einer TSE. Der Beleg steht im Code selbst.",
            "Made without network: without a signature of a TSE. The receipt is in the code itself.",
        )
    } else {
        words.of(
            "Der Beleg ist da, sobald diese Kasse verbunden ist.",
            "The receipt is there once this till is connected.",
        )
    })
}

/// What opens it.
pub(super) fn button(look: Look<'_>, done: &Done) -> Markup {
    let words = look.words;
    if base(look).is_none() || !done.kind.is_for_a_guest() {
        return html! {};
    }
    // While goods are sold the plus means "the same again".
    let key = match look.model.side_shown() {
        Side::Sale => "F8",
        Side::Money => "+",
    };
    html! {
        button type="button" commandfor="receipt" command="show-modal" data-key=(key) { (words.of("Beleg", "Receipt")) " " kbd { (key) } }
    }
}

/// The dialog. A number pad is enough: Enter closes it, `*` prints.
pub(super) fn over_the_page(look: Look<'_>, done: &Done, close: &str) -> Markup {
    let words = look.words;
    if base(look).is_none() || !done.kind.is_for_a_guest() {
        return html! {};
    }
    let receipts = receipts(look, done);
    dialog(
        "receipt",
        words.of("Beleg für den Gast", "Receipt for the guest"),
        close,
        &html! {
            (codes(look, &receipts))
            @if let Some(said) = not_there_yet(look, &receipts) { p .note .warn { (said) } }
            button type="button" data-print="" data-key="*" { (words.of("Zettel drucken", "Print a slip")) " " kbd { "*" } }
        },
    )
}

/// The slip: nothing but this is on the paper, and it needs no network.
pub(super) fn slip(look: Look<'_>, done: &Done) -> Markup {
    let words = look.words;
    if !done.kind.is_for_a_guest() {
        return html! {};
    }
    let receipts = receipts(look, done);
    let event = look.model.config.as_deref().map(|config| &config.event);
    html! {
        section #slip .slip aria-hidden="true" {
            @if let Some(event) = event { p .slip-head { (words.language.name(&event.name)) } }
            p { (look.till().map_or("Groschen", |till| &till.name)) " · " (words.clock.full(done.at_ms)) }
            p .slip-what { (result::headline(look, done)) }
            @if let Some(left) = done.left { p { (if matches!(done.kind, DoneKind::ToppedUp { .. }) { words.has(left) } else { words.left(left) }) } }
            (codes(look, &receipts))
            @if let Some(said) = not_there_yet(look, &receipts) { p .slip-note { (said) } }
            p .slip-note { (words.of("Der Beleg mit allen Angaben steht unter dem Code.", "The receipt with all details is behind the code.")) }
            @for order in &done.orders { p .id { (order) } }
        }
    }
}
