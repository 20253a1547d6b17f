//! A text in both languages.

use serde::Serializer;

use crate::Language;

/// A text in both languages, for what is said where nobody knows yet who reads it. What a page says itself is better said with [`Language::of`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Both<S = String> {
    /// Deutsch.
    pub de: S,
    /// English.
    pub en: S,
}

impl<S> Both<S> {
    /// Of its two texts.
    pub const fn new(de: S, en: S) -> Self {
        Self { de, en }
    }

    /// The same done to both.
    pub fn map<T>(self, change: impl Fn(S) -> T) -> Both<T> {
        Both::new(change(self.de), change(self.en))
    }
}

impl<S: AsRef<str>> Both<S> {
    /// The text of a language.
    pub fn of(&self, language: Language) -> &str {
        language.of(self.de.as_ref(), self.en.as_ref())
    }
}

/// What is called the same in both, such as a file.
impl From<String> for Both {
    fn from(name: String) -> Self {
        Self::new(name.clone(), name)
    }
}

/// What is called the same in both, such as a file.
impl From<&str> for Both {
    fn from(name: &str) -> Self {
        Self::from(name.to_owned())
    }
}

impl From<Both<&str>> for Both {
    fn from(text: Both<&str>) -> Self {
        text.map(str::to_owned)
    }
}

/// A sentence in both languages about the same values: `both!("{} fehlt", "{} is missing", name)`. Both have to use every value.
#[macro_export]
macro_rules! both {
    ($de:literal, $en:literal $(, $value:expr)* $(,)?) => {
        $crate::Both::new(::std::format!($de $(, $value)*), ::std::format!($en $(, $value)*))
    };
}

/// Writes the English text alone: programs read one language, whatever people read. For `serialize_with`.
///
/// # Errors
///
/// Those of the serializer.
pub fn in_english<S: AsRef<str>, T: Serializer>(text: &Both<S>, serializer: T) -> Result<T::Ok, T::Error> {
    serializer.serialize_str(text.en.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_has_the_same_values_in_both_languages() {
        let (place, number) = ("lines.csv", 3);
        let said = both!("Zeile {number} in {}", "line {number} of {}", place);
        assert_eq!(said.of(Language::De), "Zeile 3 in lines.csv");
        assert_eq!(said.of(Language::En), "line 3 of lines.csv");
    }

    #[test]
    fn a_name_is_the_same_in_both_languages() {
        assert_eq!(Both::from("info.csv"), both!("info.csv", "info.csv"));
    }
}
