//! The languages of the product.

use shared_protocol::catalogue::Text;

/// A language of the product. Every text exists in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Language {
    /// Deutsch.
    De,
    /// English.
    En,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::De, Self::En];

    /// The language that the environment asks for.
    pub fn from_environment() -> Self {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
        if set.is_some_and(|value| value.starts_with("de")) {
            Self::De
        } else {
            Self::En
        }
    }

    /// The first of the languages a browser asks for that there is (RFC 9110, 12.5.4; weights are sorted already by every browser).
    pub fn accepted(header: &str) -> Option<Self> {
        header
            .split(',')
            .find_map(|part| Self::from_code(part.trim().get(..2)?))
    }

    /// The language of an ISO 639 code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// Its ISO 639 code.
    pub const fn code(self) -> &'static str {
        self.of("de", "en")
    }

    /// The text of this language.
    pub const fn of<'a>(self, de: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::De => de,
            Self::En => en,
        }
    }

    /// A name that is kept in both.
    pub fn name(self, text: &Text) -> &str {
        self.of(&text.de, &text.en)
    }
}

impl std::fmt::Display for Language {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_first_language_there_is() {
        assert_eq!(
            Language::accepted("fr-FR,fr;q=0.9,de;q=0.8,en;q=0.7"),
            Some(Language::De)
        );
        assert_eq!(Language::accepted("en-GB"), Some(Language::En));
        assert_eq!(Language::accepted("fr, x, "), None);
        assert_eq!(Language::accepted("ü"), None);
    }
}
