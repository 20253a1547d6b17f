//! A wristband that is lost, broken or to be swapped: the console does that, because it needs the books. The desk says so, gives the number of
//! what lies here, and opens the right page.

use maud::{Markup, html};
use shared_protocol::TagId;
use terminal::screen::{Notice, Pill, Screen};

use super::Look;
use super::dialogs::dialog;

/// The wristband that the page is about: the one shown, or the one booked last.
fn shown(look: Look<'_>, screen: &Screen) -> Option<TagId> {
    match &screen.notice {
        Notice::Balance { tag, .. } | Notice::HoldAgain { tag, .. } => Some(*tag),
        _ => look.model.done.as_ref().and_then(|done| done.tag),
    }
}

pub(super) fn over_the_page(look: Look<'_>, screen: &Screen, close: &str) -> Markup {
    let words = look.words;
    let tag = shown(look, screen);
    let offline = matches!(screen.pill, Pill::Offline { .. });
    let console = look.options.console.as_deref().map(|base| base.trim_end_matches('/'));
    dialog(
        "band",
        words.of("Band verloren, kaputt oder falsch", "Wristband lost, broken or wrong"),
        close,
        &html! {
            @if offline { p .note.warn { strong { (words.of("Das geht nur mit Netz.", "This needs the network.")) } " " (words.of("Schreib die Nummer auf und schicke den Gast zum Infopunkt.", "Write the number down and send the guest to the Info point.")) } }
            ol .steps {
                li { strong { (words.of("Altes Band sperren.", "Block the old wristband.")) } " " (words.of("In der Konsole suchen: Nummer, Beleg oder die letzte Buchung, an die sich der Gast erinnert. Die Sperre gilt auf jedem Gerät, sobald es verbunden ist.", "Find it in the console: by number, receipt, or the last order that the guest remembers. The block holds on every device as soon as it is connected.")) }
                li { strong { (words.of("Neues Band hier hinhalten.", "Hold the new wristband here.")) } " " (words.of("Seine Nummer steht dann unten.", "Its number is then below.")) }
                li { strong { (words.of("Umziehen.", "Move it.")) } " " (words.of("Guthaben, Gutscheine und Altersklasse zieht die Konsole aufs neue Band um. Bis dahin nichts auszahlen.", "Money, vouchers and age class are moved to the new wristband in the console. Pay nothing out before.")) }
            }
            @if let Some(tag) = tag {
                dl .facts { dt { (words.of("Zuletzt hier:", "Last seen here:")) } dd { (look.wristband(tag)) " " span .id { (tag) } } }
            }
            @if let Some(console) = console {
                div .row {
                    @if let Some(tag) = tag { a .button.main href=(format!("{console}/wristbands?tag={tag}")) target="_blank" rel="noopener" { (words.of("Dieses Band in der Konsole", "This wristband in the console")) } }
                    a .button href=(format!("{console}/wristbands")) target="_blank" rel="noopener" { (words.of("Band suchen", "Find a wristband")) }
                }
            } @else { p .quiet { (words.of("Wo die Konsole ist, weiß die Technik; diese Kasse wurde ohne ihre Adresse gestartet.", "The tech team knows where the console is; this till was started without its address.")) } }
        },
    )
}
