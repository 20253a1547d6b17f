//! What can go wrong with a page, as the person in front of it reads it.

use axum::http::StatusCode;
use maud::{Markup, html};
use pages::Language;
use shared_protocol::catalogue::Text;
use store::StoreError;

/// Why a page or a change did not come about. Nothing was changed, unless it says so.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The address names something that is not there.
    #[error("there is no such thing")]
    NotFound,
    /// What was typed cannot be used.
    #[error("{}", .0.en)]
    Refused(Text),
    /// This person's role does not allow it.
    #[error("the role does not allow it")]
    NotAllowed,
    /// The database cannot be read or written now.
    #[error("the database does not answer")]
    Unavailable,
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "a page could not be read");
        Self::Unavailable
    }
}

impl Fault {
    pub(crate) fn refused(de: &str, en: &str) -> Self {
        Self::Refused(Text::new(de, en))
    }

    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotAllowed => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(crate) const fn title(&self, words: Language) -> &'static str {
        match self {
            Self::NotFound => words.of("Nicht gefunden", "Not found"),
            Self::Refused(_) => words.of("Das ging nicht", "That did not work"),
            Self::NotAllowed => words.of("Nicht erlaubt", "Not allowed"),
            Self::Unavailable => words.of("Gerade nicht möglich", "Not possible right now"),
        }
    }

    pub(crate) fn content(&self, words: Language) -> Markup {
        let says = match self {
            Self::NotFound => words.of(
                "Hier ist nichts. Vielleicht ist die Adresse unvollständig; such danach oder geh zur Übersicht.",
                "There is nothing here. The address may be incomplete; search for it or go to the dashboard.",
            ),
            Self::Refused(text) => words.name(text),
            Self::NotAllowed => words.of(
                "Deine Rolle darf das nicht. Nichts ist geändert; frag jemanden mit der Rolle Admin.",
                "Your role may not do this. Nothing was changed; ask somebody with the role admin.",
            ),
            Self::Unavailable => words.of(
                "Die Datenbank antwortet gerade nicht. Nichts Bestätigtes ist verloren; versuch es gleich noch einmal, sonst ruf die Technik.",
                "The database does not answer right now. Nothing that was confirmed is lost; try again in a moment, otherwise call tech.",
            ),
        };
        html! {
            div.note.bad role="alert" {
                p { (says) }
            }
            p.row {
                a.button href="/" { (words.of("Zur Übersicht", "To the dashboard")) }
                @if matches!(self, Self::Refused(_)) {
                    span.quiet { (words.of("oder geh mit dem Browser zurück, deine Eingaben stehen noch da.", "or go back in the browser, what you typed is still there.")) }
                }
            }
        }
    }
}
