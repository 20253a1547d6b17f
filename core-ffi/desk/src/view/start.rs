//! The pages on which nothing can be sold, each with what to do about it.

use maud::{Markup, html};
use terminal::screen::{Notice, Page, Registering, Screen};

use super::{Look, result};

pub(super) fn page(look: Look<'_>, screen: &Screen, page: &Page) -> Markup {
    let words = look.words;
    html! {
        main #main.alone {
            @match page {
                Page::Unregistered(state) => (registering(look, state)),
                Page::NoConfig => {
                    h1 { (words.of("Die Kasse holt die Preisliste …", "The till is fetching the price list …")) }
                    p { (words.of("Ohne Verbindung geht das nicht: prüfe Netz und Serveradresse.", "This needs a connection: check the network and the server's address.")) }
                }
                Page::NoTill => {
                    h1 { (words.of("Diese Kasse gibt es nicht mehr", "This till is gone")) }
                    p { (words.of("Sie steht nicht in der Konfiguration. Was verkauft wurde, wird noch gesendet. Wende dich an die Technik.", "It is not in the configuration. What was sold is still being sent. Ask the tech team.")) }
                }
                Page::Locked => {
                    h1 { (words.of("Diese Kasse ist gesperrt", "This till is locked")) }
                    p { (words.of("Was verkauft wurde, ist sicher und wird gesendet. Wende dich an die Technik.", "What was sold is safe and is being sent. Ask the tech team.")) }
                }
                Page::LoggedOut | Page::Sale => (login(look, screen)),
            }
        }
    }
}

fn registering(look: Look<'_>, state: &Registering) -> Markup {
    let words = look.words;
    html! {
        h1 { (words.of("Diese Kasse anmelden", "Register this till")) }
        @match state {
            Registering::Asking => p { (words.of("Der Server wird gefragt …", "The server is being asked …")) },
            Registering::Confirm { code } => {
                p { (words.of("Sage diesen Code der Person an der Konsole. Sie bestätigt ihn dort.", "Tell this code to the person at the console. They confirm it there.")) }
                p .code { (code) }
            }
            Registering::Waiting | Registering::Refused(_) => {
                @if let Registering::Refused(refusal) = state {
                    @let said = words.registration(*refusal);
                    p .note.bad role="alert" { strong { (said.what) } " – " (said.now) }
                }
                form .stack method="post" action="/act" data-quiet="" {
                    label { (words.of("Registrierungscode", "Registration code"))
                        textarea name="text" rows="4" required autocomplete="off" spellcheck="false" placeholder="GROSCHEN:1:…" {}
                    }
                    p .quiet { (words.of("Er steht unter dem QR auf dem Blatt von der Konsole und gilt einmal.", "It is under the QR on the console's sheet and works once.")) }
                    button .main name="do" value="register" { (words.of("Anmelden", "Register")) }
                }
            }
        }
    }
}

fn login(look: Look<'_>, screen: &Screen) -> Markup {
    let words = look.words;
    let till = look.till();
    let staff = look.model.config.iter().flat_map(|config| config.staff.values());
    let may = |kinds: &[shared_protocol::order::OrderKind]| {
        till.is_none_or(|till| till.order_kinds.iter().any(|kind| kinds.contains(kind)))
    };
    html! {
        h1 { (words.of("Dein Crew-Band hinhalten", "Hold your staff wristband")) }
        @match &screen.notice {
            Notice::Refused(refusal) => (result::refused(look, refusal)),
            wanted @ Notice::PinWanted { .. } => (result::pin(look, wanted)),
            _ => {}
        }
        form .stack method="post" action="/act" data-quiet="" {
            label { (words.of("oder wählen", "or choose"))
                select name="text" {
                    @for person in staff.filter(|person| may(&person.order_kinds)) {
                        option value=(person.id.0) { (person.name) }
                    }
                }
            }
            button .main name="do" value="login" { (words.of("Anmelden", "Log in")) }
        }
    }
}
