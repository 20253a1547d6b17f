//! The page around every page.

use maud::{DOCTYPE, Markup, html};

use crate::{Assets, Language, Preferences, Theme};

/// What a page says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Shell<'a> {
    /// Style and script.
    pub assets: &'a Assets,
    /// In which language and colours.
    pub preferences: Preferences,
    /// For the window's title.
    pub title: &'a str,
    /// A class for the body.
    pub class: &'a str,
    /// Where the page hears of changes (server-sent events whose data is HTML with ids); none for a page that stands still.
    pub live: Option<&'a str>,
}

impl Shell<'_> {
    /// The whole document.
    pub fn around(&self, content: &Markup) -> Markup {
        let words = self.preferences.language;
        html! {
            (DOCTYPE)
            html lang=(words.code()) data-theme=(self.preferences.theme.code()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " – Groschen" }
                    link rel="icon" href="/favicon.svg";
                    link rel="stylesheet" href=(self.assets.style_at);
                    script src=(self.assets.script_at) defer {}
                }
                body class=(self.class) data-live=[self.live] data-lost=(words.of("Verbindung zur Seite verloren – wird neu aufgebaut", "Lost touch with the page – trying again")) {
                    a.skip href="#main" { (words.of("Zum Inhalt", "Skip to content")) }
                    (content)
                    p #lost role="alert" hidden {}
                }
            }
        }
    }

    /// Buttons for language and colours.
    pub fn preferences_form(preferences: Preferences) -> Markup {
        let words = preferences.language;
        let other = match words {
            Language::De => Language::En,
            Language::En => Language::De,
        };
        let (next, label) = match preferences.theme {
            Theme::Auto => (Theme::Night, words.of("Nacht", "Night")),
            Theme::Night => (Theme::Day, words.of("Tag", "Day")),
            Theme::Day => (Theme::Auto, words.of("Auto", "Auto")),
        };
        html! {
            form.preferences method="post" action="/preferences" {
                button name="language" value=(other.code()) lang=(other.code()) { (other.of("Deutsch", "English")) }
                button name="theme" value=(next.code()) title=(words.of("Farben wechseln", "Change colours")) { (label) }
            }
        }
    }
}
