//! Money in and out.

use maud::{Markup, html};
use shared_protocol::Amount;
use shared_protocol::order::{OrderKind, TenderKind};
use terminal::screen::Screen;

use super::Look;

/// Amounts people bring, in cents.
const PRESETS: [i64; 6] = [500, 1_000, 2_000, 3_000, 5_000, 10_000];
/// What guests pay with, in cents.
const NOTES: [i64; 6] = [500, 1_000, 2_000, 5_000, 10_000, 20_000];
/// Rows of change; more would be read slower than it is counted.
const CHANGE_ROWS: usize = 3;

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
    let presets = PRESETS
        .map(Amount)
        .into_iter()
        .filter(|amount| (event.top_up_min..=event.top_up_max).contains(amount));
    html! {
        div .presets {
            @for amount in presets {
                @for (kind, code) in &methods {
                    button .preset.(code) #(format!("top-up-{code}-{}", amount.0)) form="act" name="do" value=(format!("top-up {code} {}", amount.0)) {
                        strong { (words.euros(amount)) } " " span { (words.tender(*kind)) }
                    }
                }
            }
        }
        form .row.other-amount method="post" action="/act" data-quiet="reset" {
            label { (words.of("Anderer Betrag", "Other amount"))
                input name="text" inputmode="decimal" autocomplete="off" required pattern="[0-9]+([.,][0-9]{1,2})?" placeholder=(words.of("12,50", "12.50"));
            }
            @for (kind, code) in &methods {
                button name="do" value=(format!("top-up {code}")) { (words.of("Aufladen", "Top up")) " · " (words.tender(*kind)) }
            }
            @if till.order_kinds.contains(&OrderKind::PayOut) {
                button name="do" value="pay-out" { (words.of("Auszahlen · Bar", "Pay out · Cash")) }
            }
        }
        @if !till.tenders.is_empty() && screen.cart.is_none() {
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

/// What to give back for the notes a guest may bring.
pub(super) fn change(look: Look<'_>, amount: Amount) -> Markup {
    let words = look.words;
    let rows: Vec<(Amount, Amount)> = NOTES
        .map(Amount)
        .into_iter()
        .filter(|note| *note > amount)
        .filter_map(|note| Some((note, note.minus(amount).ok()?)))
        .take(CHANGE_ROWS)
        .collect();
    if rows.is_empty() {
        return html! {};
    }
    html! {
        table .change {
            caption { (words.of("Rückgeld", "Change")) }
            thead { tr { th scope="col" { (words.of("gegeben", "given")) } th scope="col" .amount { (words.of("zurück", "back")) } } }
            tbody {
                @for (given, back) in rows {
                    tr { td { (words.euros(given)) } td .amount { strong { (words.euros(back)) } } }
                }
            }
        }
    }
}
