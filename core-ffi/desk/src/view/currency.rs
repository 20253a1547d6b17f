//! Cash in other currencies, where the event takes any: what is needed, what was given, and what goes back, which is always in the event's.

use maud::{Markup, html};
use pages::format;
use shared_protocol::config::Config;
use shared_protocol::currency::{Currency, Foreign};
use shared_protocol::order::{OrderKind, TenderKind};
use terminal::cash;
use terminal::screen::{CartView, Done, Screen};

use super::{Look, amount_field};

/// The currencies of the event, at a till that takes cash.
fn currencies(look: Look<'_>) -> impl Iterator<Item = Currency<'_>> {
    let config = look.model.config.as_deref();
    let takes_cash = look.till().is_some_and(|till| till.tenders.contains(&TenderKind::Cash));
    config.filter(|_| takes_cash).into_iter().flat_map(Config::currencies)
}

fn name(look: Look<'_>, currency: Currency<'_>) -> String {
    let config = look.model.config.as_deref();
    let asset = config.and_then(|config| config.assets.get(&currency.asset));
    asset.map_or_else(
        || currency.code.to_owned(),
        |asset| look.words.language.name(&asset.name).to_owned(),
    )
}

/// `1 CHF = 1,07 €`.
fn rate(look: Look<'_>, currency: Currency<'_>) -> String {
    let value = format::millionths(currency.value.get(), look.words.language);
    match look.words.language {
        pages::Language::De => format!("1 {} = {value} €", currency.code),
        pages::Language::En => format!("1 {} = €{value}", currency.code),
    }
}

/// Notes of one currency, typed, and what is done with them.
fn typed(look: Look<'_>, currency: Currency<'_>, verb: &str, label: &str, button: &str) -> Markup {
    let words = look.words;
    html! {
        form .row.other-amount method="post" action="/act" data-quiet="reset" {
            label { (label) " " (currency.code)
                (amount_field(words.of("50,00", "50.00"), false))
            }
            button name="do" value=(format!("{verb} {}", currency.asset.0)) { (button) " · " (currency.code) }
        }
    }
}

/// Opens the dialog in which a sale is paid so.
pub(super) fn choice(look: Look<'_>, cart: &CartView) -> Markup {
    html! {
        @if !cart.needed.is_empty() {
            button type="button" commandfor="foreign" command="show-modal" { (look.words.of("Andere Währung", "Other currency")) }
        }
    }
}

/// What would pay the cart in each currency, with notes a guest may give.
pub(super) fn pay(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let Some(cart) = &screen.cart else { return html! {} };
    html! {
        p .total { span { (words.of("Summe", "Total")) } strong { (words.euros(cart.total)) } }
        @for currency in currencies(look) {
            @if let Some(needed) = cart.needed.iter().find(|needed| needed.asset == currency.asset) {
                section .currency {
                    h3 { (name(look, currency)) ": " (words.of("mindestens", "at least")) " " (words.foreign(*needed)) }
                    p .quiet { (rate(look, currency)) " · " (words.of("Rückgeld immer in Euro", "change always in euros")) }
                    div .presets {
                        @for (amount, back) in cash::foreign_offers(&currency, cart.total) {
                            @let given = Foreign { asset: currency.asset, amount };
                            button .preset form="act" name="do" value=(format!("pay-foreign {} {}", currency.asset.0, amount.0)) {
                                strong { (words.foreign(given)) } " " span { @if back.is_zero() { (words.of("passt genau", "exact")) } @else { (words.of("zurück", "back")) " " (words.euros(back)) } }
                            }
                        }
                    }
                    (typed(look, currency, "pay-foreign", words.of("Gegeben in", "Given in"), words.of("Bezahlt", "Paid")))
                }
            }
        }
    }
}

/// Money in, in other currencies.
pub(super) fn top_up(look: Look<'_>) -> Markup {
    let words = look.words;
    html! {
        @if look.till().is_some_and(|till| till.order_kinds.contains(&OrderKind::TopUp)) {
            @for currency in currencies(look) {
                (typed(look, currency, "top-up-foreign", &format!("{} ({}), {}", name(look, currency), rate(look, currency), words.of("gegeben in", "given in")), words.of("Aufladen · Bar", "Top up · Cash")))
            }
        }
    }
}

/// What was taken of other currencies leaves the drawer apart: no count has to do with it.
pub(super) fn hand_in(look: Look<'_>) -> Markup {
    let words = look.words;
    let mut currencies = currencies(look).peekable();
    html! {
        @if currencies.peek().is_some() {
            hr;
            h3 { (words.of("Fremdwährung abgeben", "Hand in foreign money")) }
            p .quiet { (words.of("Bei der Zählung zählt nur Euro. Fremde Scheine gibst du hier einzeln ab.", "A count is of euros only. Foreign notes are handed in here.")) }
            @for currency in currencies {
                (typed(look, currency, "hand-in", words.of("Abgeben in", "Hand in"), words.of("Abgegeben", "Handed in")))
            }
        }
    }
}

/// What was given for the open top-up.
pub(super) fn given(look: Look<'_>, cart: &CartView) -> Markup {
    let words = look.words;
    html! {
        @if let Some((given, back)) = cart.given {
            p #given .given role="status" {
                (words.of("Gegeben", "Given")) " " (words.foreign(given)) " – "
                @if back.is_zero() { strong { (words.of("alles aufs Band", "all onto the wristband")) } }
                @else { strong { (words.of("zurück", "back")) " " (words.euros(back)) } " (" (words.in_pieces(back)) ")" }
            }
        }
    }
}

/// The change that hands count out now.
pub(super) fn change(look: Look<'_>, done: &Done) -> Markup {
    let words = look.words;
    html! {
        @if done.change.is_positive() {
            p .change-due { span { (words.of("Rückgeld", "Change")) } " " strong { (words.euros(done.change)) } }
            p { (words.in_pieces(done.change)) }
        }
    }
}
