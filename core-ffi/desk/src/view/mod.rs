//! The page from the model: a pure function of what the till says and what the person wants to see. Everything that can be pressed is a button of
//! one form, so the page also works where no script runs.

mod band;
mod cart;
mod currency;
mod dialogs;
mod frame;
mod guest;
mod money;
mod receipt;
mod result;
mod sale;
mod start;
mod tray;

use maud::{Markup, html};
use pages::format::Clock;
use pages::{Language, Preferences};
use shared_protocol::TagId;
use shared_protocol::catalogue::Till;
use terminal::Cue;
use terminal::screen::{Page, Screen};

use crate::act::Side;
use crate::desk::Options;
use crate::model::Model;
use crate::words::Words;

/// What the device calls itself when it registers.
pub(crate) const DEVICE: &str = "Groschen desk";

/// What every part of the page is drawn from.
#[derive(Clone, Copy)]
struct Look<'a> {
    model: &'a Model,
    options: &'a Options,
    preferences: Preferences,
    words: Words<'a>,
    now_ms: u64,
}

impl<'a> Look<'a> {
    fn till(&self) -> Option<&'a Till> {
        let id = self.model.screen.as_ref()?.till?;
        self.model.config.as_ref()?.tills.get(&id)
    }

    fn wristband(&self, tag: TagId) -> String {
        self.model.tray.label(tag, self.words.language)
    }
}

/// A name whose number does not part from its unit at the end of a line: `Pils 0,4 l`.
fn unbroken(name: &str) -> String {
    let mut after_digit = false;
    let keep = |sign: char| {
        let kept = if sign == ' ' && after_digit { '\u{a0}' } else { sign };
        after_digit = sign.is_ascii_digit();
        kept
    };
    name.chars().map(keep).collect()
}

/// A button that does something, by name.
fn button(act: &str, class: &str, key: Option<&str>, label: &str) -> Markup {
    html! {
        button class=(class) form="act" name="do" value=(act) data-key=[key] {
            (label)
            @if let Some(key) = key { " " kbd { (key_name(key)) } }
        }
    }
}

/// Where an amount is typed, with one as an example: what `typed_cents` reads, and nothing else.
fn amount_field(example: &str, has_focus: bool) -> Markup {
    html! {
        input name="text" inputmode="decimal" autocomplete="off" required autofocus[has_focus] pattern="[0-9]+([.,][0-9]{1,2})?" placeholder=(example);
    }
}

fn key_name(key: &str) -> &str {
    match key {
        "Escape" => "Esc",
        other => other,
    }
}

const fn cue_name(cue: Cue) -> &'static str {
    match cue {
        // A wristband that was seen only says "keep holding"; the page shows that, and a browser's sound would come after the result.
        Cue::Seen => "seen",
        Cue::Done => "done",
        Cue::Refused => "refused",
        Cue::Again => "again",
        Cue::Already => "already",
        Cue::Info => "info",
    }
}

/// The whole till.
pub(crate) fn desk(model: &Model, options: &Options, preferences: Preferences, now_ms: u64) -> Markup {
    let zone = model
        .config
        .as_ref()
        .map_or("Europe/Berlin", |config| &config.event.time_zone);
    let clock = Clock::new(zone, preferences.language);
    let words = Words {
        language: preferences.language,
        clock: &clock,
        config: model.config.as_deref(),
    };
    let look = Look {
        model,
        options,
        preferences,
        words,
        now_ms,
    };
    let cue = model.cue.0.map(|cue| format!("{} {}", cue_name(cue), model.cue.1));
    html! {
        div #desk.desk data-cue=[cue] {
            form #act method="post" action="/act" data-quiet="" {}
            @match &model.screen {
                None => main #main.alone { h1 { (words.of("Die Kasse startet …", "The till is starting …")) } },
                Some(screen) => {
                    (frame::top(look, screen))
                    (page(look, screen))
                    (tray::tray(look))
                    (dialogs::all(look, screen))
                    @if let Some(done) = &model.done { (receipt::slip(look, done)) }
                }
            }
        }
    }
}

fn page(look: Look<'_>, screen: &Screen) -> Markup {
    match &screen.page {
        Page::Sale => html! {
            main #main.selling {
                section .goods aria-label=(look.words.of("Verkauf", "Sale")) {
                    (frame::sides(look))
                    @match look.model.side_shown() {
                        Side::Sale => (sale::goods(look, screen)),
                        Side::Money => (money::money(look, screen)),
                    }
                    (sale::entry(look))
                }
                (cart::side(look, screen))
            }
        },
        other => start::page(look, screen, other),
    }
}

/// For who comes without the key.
pub(crate) fn locked_out(language: Language) -> Markup {
    html! {
        main #main.alone {
            h1 { (language.of("Diese Kasse kennt diesen Browser nicht", "This till does not know this browser")) }
            p { (language.of(
                "Öffne die Adresse mit dem Schlüssel, die groschen desk beim Start ausgibt. Nichts ist gebucht.",
                "Open the address with the key that groschen desk prints when it starts. Nothing was booked.",
            )) }
        }
    }
}
