//! What a guest takes along: a code that leads to the receipt, on the screen and on paper.

use maud::{Markup, html};
use pages::qr;
use terminal::screen::{Done, DoneKind};

use super::dialogs::dialog;
use super::{Look, result};
use crate::act::Side;

fn codes(look: Look<'_>, done: &Done) -> Markup {
    let words = look.words;
    let Some(base) = &look.options.receipts else {
        return html! {};
    };
    html! {
        @for order in &done.orders {
            @let address = format!("{base}/{order}");
            @if let Some(code) = qr::svg(&address, words.of("QR-Code zum Beleg", "QR code to the receipt")) { (code) }
            p .no-print { a href=(address) target="_blank" rel="noopener" { (words.of("Beleg öffnen", "Open receipt")) } }
        }
    }
}

/// What opens it.
pub(super) fn button(look: Look<'_>, done: &Done) -> Markup {
    let words = look.words;
    if look.options.receipts.is_none() || !done.kind.is_for_a_guest() {
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
    if look.options.receipts.is_none() || !done.kind.is_for_a_guest() {
        return html! {};
    }
    dialog(
        "receipt",
        words.of("Beleg für den Gast", "Receipt for the guest"),
        close,
        &html! {
            (codes(look, done))
            p .quiet { (words.of("Der Beleg ist da, sobald diese Kasse verbunden ist.", "The receipt is there once this till is connected.")) }
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
    let event = look.model.config.as_deref().map(|config| &config.event);
    html! {
        section #slip .slip aria-hidden="true" {
            @if let Some(event) = event { p .slip-head { (words.language.name(&event.name)) } }
            p { (look.till().map_or("Groschen", |till| &till.name)) " · " (words.clock.full(done.at_ms)) }
            p .slip-what { (result::headline(look, done)) }
            @if let Some(left) = done.left { p { (if matches!(done.kind, DoneKind::ToppedUp { .. }) { words.has(left) } else { words.left(left) }) } }
            (codes(look, done))
            p .slip-note { (words.of("Der Beleg mit allen Angaben steht unter dem Code, sobald diese Kasse verbunden war.", "The receipt with all details is behind the code once this till was connected.")) }
            @for order in &done.orders { p .id { (order) } }
        }
    }
}
