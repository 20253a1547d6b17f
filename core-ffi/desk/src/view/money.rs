//! Money in and out.

use maud::{Markup, html};
use shared_protocol::Amount;
use shared_protocol::order::{OrderKind, TenderKind};
use terminal::cash;
use terminal::screen::{Done, DoneKind, Screen};

use super::{Look, amount_field, band, currency, receipt, result};

pub(super) fn money(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let Some((event, till)) = look
        .model
        .config
        .as_deref()
        .map(|config| &config.event)
        .zip(look.till())
    else {
        return html! {};
    };
    let takes = |kind| till.tenders.contains(&kind);
    let methods = [(TenderKind::Cash, "cash"), (TenderKind::Card, "card")];
    let methods: Vec<_> = methods.into_iter().filter(|(kind, _)| takes(*kind)).collect();
    html! {
        div .presets {
            @for amount in cash::presets(event) {
                @for (kind, code) in &methods {
                    button .preset.(code) #(format!("top-up-{code}-{}", amount.0)) form="act" name="do" value=(format!("top-up {code} {}", amount.0)) {
                        strong { (words.euros(amount)) } " " span { (words.tender(*kind)) }
                    }
                }
            }
        }
        form .row.other-amount method="post" action="/act" data-quiet="reset" {
            label { (words.of("Anderer Betrag", "Other amount"))
                (amount_field(words.of("12,50", "12.50"), false))
            }
            @for (kind, code) in &methods {
                button name="do" value=(format!("top-up {code}")) { (words.of("Aufladen", "Top up")) " · " (words.tender(*kind)) }
            }
            @if till.order_kinds.contains(&OrderKind::PayOut) {
                button name="do" value="pay-out" { (words.of("Auszahlen · Bar", "Pay out · Cash")) }
            }
        }
        (currency::top_up(look))
        @if band::may(till) {
            @let key = band::key(look);
            div .row {
                button type="button" commandfor="band" command="show-modal" data-key=(key) { (words.of("Band tauschen oder sperren", "Swap or block a wristband")) " " kbd { (key) } }
            }
        }
        @if !till.tenders.is_empty() {
            p .quiet { (words.of("Band zuerst geht auch: hinhalten, Guthaben ansehen, dann Betrag wählen.", "Wristband first works too: hold it, see the balance, then choose the amount.")) }
        }
        (back_row(look, screen))
    }
}

/// The deposit row stays where it is on every page of the till.
fn back_row(look: Look<'_>, screen: &Screen) -> Markup {
    let tiles = super::sale::goods(look, screen);
    let has_tiles = look
        .model
        .config
        .as_deref()
        .zip(look.till())
        .and_then(|(config, till)| config.layouts.get(&till.layout))
        .is_some_and(|layout| layout.tiles.is_empty() && !layout.deposit_row.is_empty());
    if has_tiles {
        html! { div .only-back { (tiles) } }
    } else {
        html! {}
    }
}

/// What to give back: for what the guest gave, or for the notes a guest may bring.
pub(super) fn change(look: Look<'_>, amount: Amount) -> Markup {
    let words = look.words;
    let given = look.model.given;
    let rows = if given.is_some() {
        Vec::new()
    } else {
        cash::offers(amount)
    };
    let said = given.map(|given| (given, given.minus(amount).unwrap_or_default()));
    if rows.is_empty() && said.is_none() {
        return html! {};
    }
    html! {
        @if let Some((given, back)) = said { (back_words(look, given, back)) }
        @if !rows.is_empty() { table .change {
            caption { (words.of("Rückgeld – tippe, was der Gast gibt", "Change – type what the guest gives")) }
            thead { tr { th scope="col" { (words.of("gegeben", "given")) } th scope="col" .amount { (words.of("zurück", "back")) } th scope="col" { (words.of("in Scheinen und Münzen", "in notes and coins")) } } }
            tbody {
                @for (given, back) in rows {
                    tr {
                        td { button .small form="act" name="do" value=(format!("given {}", given.0)) { (words.euros(given)) } }
                        td .amount { strong { (words.euros(back)) } }
                        td { (words.in_pieces(back)) }
                    }
                }
            }
        } }
    }
}

fn back_words(look: Look<'_>, given: Amount, back: Amount) -> Markup {
    let words = look.words;
    html! {
        p #given .given role="status" {
            (words.of("Gegeben", "Given")) " " (words.euros(given)) " – "
            @if back.is_negative() { strong { (words.of("es fehlen", "missing")) " " (words.euros(Amount(back.0.saturating_neg()))) } }
            @else if back.is_zero() { strong { (words.of("passt genau", "exact")) } }
            @else { strong { (words.of("zurück", "back")) " " (words.euros(back)) } " (" (words.in_pieces(back)) ")" }
        }
    }
}

/// The change of a top-up that is booked; hands count it out after the screen has turned green.
pub(super) fn given_back(look: Look<'_>, done: &Done) -> Markup {
    let back = look.model.given.and_then(|given| given.minus(done.total).ok());
    html! {
        @if let (DoneKind::ToppedUp { .. }, Some((given, back))) = (&done.kind, look.model.given.zip(back)) { (back_words(look, given, back)) }
    }
}

/// What was booked last, for whoever was not quick enough: the change, the receipt.
pub(super) fn last(look: Look<'_>, done: &Done) -> Markup {
    let words = look.words;
    if !done.kind.is_for_a_guest() {
        return html! {};
    }
    html! {
        section #last .last aria-label=(words.of("Letzte Buchung", "Last booking")) {
            p { (words.of("Zuletzt:", "Last:")) " " strong { (result::headline(look, done)) } " · " (words.clock.minute(done.at_ms)) @if let Some(tag) = done.tag { " · " (look.wristband(tag)) } }
            (given_back(look, done))
            (currency::change(look, done))
            div .row { (receipt::button(look, done)) }
        }
    }
}
