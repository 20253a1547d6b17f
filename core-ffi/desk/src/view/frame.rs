//! What is on every page of the till: where it stands, who works, the pill.

use maud::{Markup, html};
use pages::Shell;
use shared_protocol::order::OrderKind;
use terminal::screen::Screen;

use super::{Look, button};
use crate::act::Side;

pub(super) fn top(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let config = look.model.config.as_deref();
    let till = look.till();
    let stand = config
        .zip(till)
        .and_then(|(config, till)| config.stands.get(&till.stand));
    let cashier = config
        .zip(screen.cashier)
        .and_then(|(config, id)| config.staff.get(&id));
    let (class, sign, text) = words.pill(screen.pill, look.now_ms);
    html! {
        header .top {
            p .where {
                strong { (till.map_or("Groschen", |till| &till.name)) }
                @if let Some(stand) = stand {
                    " " span .quiet { (words.language.name(&stand.name)) }
                }
            }
            @if let Some(cashier) = cashier {
                p .who { (cashier.name) " " (button("logout", "small", None, words.of("Abmelden", "Log out"))) }
            }
            @if till.is_some_and(|till| till.order_kinds.contains(&OrderKind::DrawerOpen)) && screen.cashier.is_some() {
                button .small commandfor="drawer" command="show-modal" data-key="F9" {
                    (words.of("Kasse", "Drawer")) ": "
                    @if screen.drawer.is_some() { (words.of("offen", "open")) } @else { (words.of("zu", "closed")) }
                    " " kbd { "F9" }
                }
            }
            button .pill.(class) commandfor="sync" command="show-modal" {
                span aria-hidden="true" { (sign) } " " (text)
            }
            button .small commandfor="help" command="show-modal" data-key="?" { "?" span .visually-hidden { " " (words.of("Hilfe", "Help")) } }
            (Shell::preferences_form(look.preferences))
            (readers(look))
            @for mirror in &look.model.mirrors {
                @if let Some(said) = words.mirror(mirror.state, look.now_ms) {
                    p .note.warn.strip.copy role="status" { strong { (said.what) } " – " (said.now) " " bdi .quiet { (mirror.name) } }
                }
            }
        }
        @if let Some(fault) = screen.fault {
            @let said = words.device_fault(fault);
            p .note.bad role="alert" { strong { (said.what) } " – " (said.now) }
        }
    }
}

/// The readers: quiet while all is well, loud when one is missing.
fn readers(look: Look<'_>) -> Markup {
    let words = look.words;
    let readers = &look.model.readers;
    let missing = [&readers.usb, &readers.simulated]
        .into_iter()
        .flatten()
        .any(|plugged| plugged.names.is_empty());
    let unusable = readers.usb.as_ref().and_then(|plugged| plugged.unusable.as_ref());
    html! {
        @if missing {
            @let said = words.reader_missing();
            p #reader .note.warn.strip role="status" { strong { (said.what) } " – " (said.now) }
        } @else if let Some(why) = unusable {
            @let said = words.unusable(why);
            p #reader .note.warn.strip role="status" { strong { (said.what) } " – " (said.now) }
        } @else if let Some(usb) = &readers.usb {
            p #reader .reader { (words.of("Leser:", "Reader:")) @for name in &usb.names { " " bdi { (name) } } }
        } @else if readers.simulated.is_none() {
            p #reader .note.warn.strip role="status" { (words.of("Diese Kasse hat keinen Leser: Bänder gehen hier nicht.", "This till has no reader: no wristbands here.")) }
        }
    }
}

/// The two sides of a till that sells and takes money in.
pub(super) fn sides(look: Look<'_>) -> Markup {
    if look.model.sides() != (true, true) {
        return html! {};
    }
    let shown = look.model.side_shown();
    let side = |side: Side, act: &str, key: &str, label: &str| {
        html! {
            button .side form="act" name="do" value=(act) data-key=(key) aria-pressed=(shown == side) { (label) " " kbd { (key) } }
        }
    };
    html! {
        div .sides role="group" aria-label=(look.words.of("Seite der Kasse", "Side of the till")) {
            (side(Side::Sale, "side sale", "F2", look.words.of("Verkauf", "Sale")))
            (side(Side::Money, "side money", "F3", look.words.of("Aufladen", "Top-up")))
        }
    }
}
