//! What a judgement found, as values: how bad it is, where, what, why it matters, and what to do now.

use std::collections::BTreeMap;

use serde::Serialize;
use wording::{Both, in_english};

mod code;

pub use code::Code;

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does not hold.
    Error,
    /// It may be in order, and somebody has to know why; or it could not be checked.
    Warning,
    /// Good to know.
    Note,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of finding it is.
    pub code: Code,
    /// The file, the message or the line; for programs in English, as all texts of a finding.
    #[serde(serialize_with = "in_english")]
    pub place: Both,
    /// What was found there.
    #[serde(serialize_with = "in_english")]
    pub what: Both,
    /// Why it matters.
    #[serde(serialize_with = "in_english")]
    pub why: Both<&'static str>,
    /// What to do now.
    #[serde(serialize_with = "in_english")]
    pub next: Both<&'static str>,
}

/// Letters of a text that is shown; names and texts come from files that anybody may have made.
const SHOWN_MAX: usize = 600;

/// A text from outside as it may be shown: what would move a cursor or turn the direction of writing is spelled out, and no text is endless.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(SHOWN_MAX));
    for (place, letter) in text.chars().enumerate() {
        if place == SHOWN_MAX {
            out.push('…');
            break;
        }
        let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if letter.is_control() || turns {
            out.extend(letter.escape_default());
        } else {
            out.push(letter);
        }
    }
    out
}

/// Findings of one kind that are told one by one; a damaged export can have millions.
pub const TOLD_MAX: u64 = 100;

/// Everything that was found: the first of each kind in full, the others as a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    told: Vec<Finding>,
    counts: BTreeMap<(Severity, Code), u64>,
}

impl Findings {
    /// Something was found. What exactly is asked only where it is told.
    pub fn add(&mut self, code: Code, place: impl Into<Both>, what: impl FnOnce() -> Both) {
        self.add_as(code.severity(), code, place, what);
    }

    /// Something was found that is worse, or less bad, than such a thing is by itself.
    pub fn add_as(&mut self, severity: Severity, code: Code, place: impl Into<Both>, what: impl FnOnce() -> Both) {
        let count = self.counts.entry((severity, code)).or_default();
        *count += 1;
        if *count <= TOLD_MAX {
            self.told.push(Finding {
                severity,
                code,
                place: place.into().map(|place| shown(&place)),
                what: what().map(|what| shown(&what)),
                why: code.why(),
                next: code.next(),
            });
        }
    }

    /// How often something of this kind was found.
    pub fn count(&self, code: Code) -> u64 {
        let all = self.counts.iter().filter(|((_, kind), _)| *kind == code);
        all.map(|(_, count)| count).sum()
    }

    /// How much of this severity was found.
    pub fn of(&self, severity: Severity) -> u64 {
        let all = self.counts.iter().filter(|((how, _), _)| *how == severity);
        all.map(|(_, count)| count).sum()
    }

    /// How often what was found, the worst first.
    pub const fn counts(&self) -> &BTreeMap<(Severity, Code), u64> {
        &self.counts
    }

    /// What is told in full, the worst first, otherwise in the order it was found.
    pub fn into_told(mut self) -> Vec<Finding> {
        self.told.sort_by_key(|finding| finding.severity);
        self.told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_files_move_no_cursor_and_are_not_endless() {
        let mut findings = Findings::default();
        findings.add(Code::FileUnknown, "a\u{1b}[2Jb\u{202e}c\n", || {
            "ä".repeat(100_000).into()
        });
        let told = findings.into_told();
        assert_eq!(told[0].place.en, "a\\u{1b}[2Jb\\u{202e}c\\n");
        assert_eq!(told[0].what.de.chars().count(), SHOWN_MAX + 1);
    }

    #[test]
    fn many_of_a_kind_are_counted_and_not_all_told() {
        let mut findings = Findings::default();
        for number in 0..TOLD_MAX + 50 {
            findings.add(Code::SignatureWrong, number.to_string(), || {
                assert!(number < TOLD_MAX, "nobody asks for what is not told");
                "it does not hold".into()
            });
        }
        findings.add(Code::NoInfo, "info.csv", || "it is not there".into());
        findings.add_as(Severity::Error, Code::CounterGap, "Sig-2", || "it is not there".into());
        assert_eq!(findings.count(Code::SignatureWrong), TOLD_MAX + 50);
        assert_eq!(
            (findings.of(Severity::Error), findings.of(Severity::Warning)),
            (TOLD_MAX + 51, 1)
        );
        let told = findings.into_told();
        assert_eq!(told.len() as u64, TOLD_MAX + 2);
        assert_eq!(told.last().map(|finding| finding.code), Some(Code::NoInfo));
    }
}
