//! A wristband that is lost, broken or to be swapped: everything moves to a new one, and the old one is blocked.

use maud::{Markup, html};
use shared_protocol::TagId;
use shared_protocol::catalogue::Till;
use shared_protocol::order::OrderKind;
use terminal::screen::{Balance, Done, DoneKind, Notice, Pill, Screen};

use super::dialogs::dialog;
use super::{Look, guest};

/// Whether this till may do it at all.
pub(super) fn may(till: &Till) -> bool {
    till.order_kinds.contains(&OrderKind::Swap) || till.order_kinds.contains(&OrderKind::Block)
}

/// The key that opens it. Where both sides are, F2 is the way to the sale.
pub(super) fn key(look: Look<'_>) -> &'static str {
    if look.model.sides() == (true, true) { "F5" } else { "F2" }
}

fn offline(screen: &Screen) -> bool {
    matches!(screen.pill, Pill::Offline { .. })
}

pub(super) fn over_the_page(look: Look<'_>, screen: &Screen, close: &str) -> Markup {
    let words = look.words;
    let console = look.options.console.as_deref().map(|base| base.trim_end_matches('/'));
    let books = |kind| look.till().is_some_and(|till| till.order_kinds.contains(&kind));
    let held = match &screen.notice {
        Notice::Balance { tag, money, .. } if screen.cart.is_none() => Some((*tag, *money)),
        _ => None,
    };
    dialog(
        "band",
        words.of("Band tauschen oder sperren", "Swap or block a wristband"),
        close,
        &html! {
            div .stack {
                @if screen.cart.is_some() { p .note.warn { strong { (words.of("Erst fertig machen oder abbrechen, was offen ist.", "First finish or cancel what is open.")) } } }
                @if offline(screen) {
                    p .note.warn { strong { (words.of("Ohne Netz:", "Without network:")) } " "
                        (words.of("Tausch und Sperre werden hier aufgeschrieben und gelten an dieser Kasse sofort. An den anderen Kassen und fürs Guthaben gelten sie, sobald diese Kasse wieder verbunden ist.", "Swaps and blocks are written down here and hold at this till at once. At other tills, and for the money, they hold as soon as this till is connected again."))
                    }
                }
                @if books(OrderKind::Swap) {
                    section .stack {
                        h3 { (words.of("Altes Band ist da", "The old wristband is here")) }
                        @if let Some((tag, money)) = held { (of_held(look, tag, money)) }
                        @else { p { (words.of("Halte es hin: Dann stehen hier sein Guthaben und ein Knopf zum Tauschen.", "Hold it: then its balance is here, and a button that swaps it.")) } }
                    }
                    hr;
                }
                section .stack {
                    h3 { (words.of("Band ist verloren", "The wristband is lost")) }
                    form .stack method="post" action="/act" data-quiet="reset" {
                        label { (words.of("Nummer des verlorenen Bands", "Number of the lost wristband"))
                            input .id name="text" autocomplete="off" autocapitalize="off" spellcheck="false" required maxlength="40" autofocus[held.is_none()] aria-describedby="band-number";
                        }
                        small #band-number { (words.of("Die Nummer des Chips, 8 bis 20 Ziffern und Buchstaben a bis f. Sie steht in der Konsole bei jeder Buchung des Gastes.", "The number of the chip, 8 to 20 digits and letters a to f. It stands in the console beside every order of the guest.")) }
                        div .row {
                            @if books(OrderKind::Swap) { button .main name="do" value="swap-lost" { (words.of("Sperren und neues Band geben", "Block and give a new one")) } }
                            @if books(OrderKind::Block) { button .grave name="do" value="block-lost" { (words.of("Nur sperren", "Block only")) } }
                        }
                    }
                    @if let Some(console) = console {
                        p { a href=(format!("{console}/orders")) target="_blank" rel="noopener" { (words.of("Nummer unbekannt? In der Konsole nach der letzten Buchung suchen", "Number not known? Search the console for the last order")) } }
                    }
                }
            }
        },
    )
}

/// The wristband on the screen, and the button that begins its swap.
fn of_held(look: Look<'_>, tag: TagId, money: Option<Balance>) -> Markup {
    let words = look.words;
    html! {
        dl .facts {
            dt { (words.of("Altes Band", "Old wristband")) } dd { (look.wristband(tag)) " " span .id { (tag) } }
            @if let Some(money) = money { dt { (words.of("Guthaben", "Balance")) } dd { (guest::money(look, Some(money))) } }
        }
        button .main autofocus form="act" name="do" value="swap" { (words.of("Gegen ein neues Band tauschen", "Swap for a new wristband")) }
    }
}

/// A swap that waits for its new wristband.
pub(super) fn open(look: Look<'_>, old: TagId, lost: bool) -> Markup {
    let words = look.words;
    html! {
        p .of-wristband { (words.of("Altes Band:", "Old wristband:")) " " (look.wristband(old)) " " @if lost { span .id { (old) } } }
        p { (if lost {
            words.of("Es wird gesperrt. Guthaben, Gutscheine und Punkte ziehen aufs neue Band um.", "It will be blocked. Money, vouchers and points move to the new wristband.")
        } else {
            words.of("Guthaben, Gutscheine und Punkte ziehen aufs neue Band um. Das alte einbehalten.", "Money, vouchers and points move to the new wristband. Keep the old one.")
        }) }
    }
}

/// What was booked, and what the guest is to be told.
pub(super) fn done(look: Look<'_>, done: &Done) -> Markup {
    let words = look.words;
    let tag = done.tag.map(|tag| look.wristband(tag)).unwrap_or_default();
    match done.kind {
        DoneKind::Swapped { old, after_sync } => html! {
            p .of-wristband { (look.wristband(old)) " → " (tag) }
            @if let Some(left) = done.left.filter(|left| left.amount.is_positive()) { p { (words.of("Zieht um:", "Moves:")) " " strong { (guest::money(look, Some(left))) } } }
            @if after_sync {
                p { strong { (words.of("Offline aufgeschrieben.", "Written down offline.")) } " " (words.of("Das alte Band gilt hier nicht mehr. Das Guthaben kommt aufs neue, sobald diese Kasse wieder verbunden ist.", "The old wristband no longer works here. The money comes to the new one as soon as this till is connected again.")) }
            } @else {
                p { (words.of("Das alte Band ist gesperrt. Das Guthaben zieht in ein paar Sekunden um.", "The old wristband is blocked. The money moves within seconds.")) }
            }
            // A figure that the server gave says that the books decide; else the money may be on a chip.
            @if done.left.is_none_or(|left| left.as_of_ms.is_none()) {
                p { (words.of("Auf ein Band mit Chip-Guthaben schreibt es die nächste Zahlung. Fehlen noch Buchungen anderer Kassen, bleibt so lange ein Rest zurück.", "Onto a wristband with money on its chip it is written by the next payment. While orders of other tills are missing, a rest stays behind.")) }
            }
        },
        DoneKind::Blocked { after_sync } => html! {
            p .of-wristband { (tag) }
            @if after_sync { p { strong { (words.of("Offline aufgeschrieben.", "Written down offline.")) } " " (words.of("Hier gilt die Sperre sofort, an den anderen Kassen, sobald diese wieder verbunden ist.", "The block holds here at once, at the other tills as soon as this one is connected again.")) } }
            @else { p { (words.of("Die Sperre gilt auf jeder Kasse, sobald sie verbunden ist.", "The block holds at every till as soon as it is connected.")) } }
            p { (words.of("Neues Band: „Band tauschen“ mit derselben Nummer.", "New wristband: “Swap” with the same number.")) }
        },
        _ => html! {},
    }
}
