//! What values must look like, by the name of their column.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use wording::{Both, both};

use super::rule::Rule;
use crate::tables::Kind;
use crate::words::{CaseKind, Encoding, PaymentKind, PriceKind, ReceiptKind, ReferenceKind, Taxonomy, TimeFormat};

/// A value's form beyond its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Any.
    Free,
    /// Not empty.
    Required,
    /// One of the receipts' kinds.
    ReceiptKind,
    /// One of the business cases.
    CaseKind,
    /// One of the ways of paying.
    PaymentKind,
    /// One of the kinds of references.
    ReferenceKind,
    /// One of the parts of a price.
    PriceKind,
    /// One of the encodings.
    Encoding,
    /// One of the forms of time in a signature.
    TimeFormat,
    /// A version of the standard.
    Taxonomy,
    /// `0` or `1`.
    Flag,
    /// A time that has to be there.
    Time,
    /// A time, or nothing.
    PerhapsTime,
    /// A day, or nothing.
    Date,
}

impl Shape {
    /// The form of a column's values.
    pub fn of(column: &str) -> Self {
        match column {
            "Z_KASSE_ID"
            | "Z_NR"
            | "BON_ID"
            | "BON_NR"
            | "UMS_BRUTTO"
            | "UST_SCHLUESSEL"
            | "UST_SATZ"
            | "BON_BRUTTO"
            | "BON_NETTO"
            | "BON_UST"
            | "POS_BRUTTO"
            | "POS_NETTO"
            | "POS_UST"
            | "MENGE"
            | "STK_BR"
            | "BASISWAEH_BETRAG"
            | "ZAHLWAEH_BETRAG"
            | "ZAHLWAEH_CODE"
            | "Z_SE_ZAHLUNGEN"
            | "Z_SE_BARZAHLUNGEN"
            | "Z_UMS_BRUTTO"
            | "Z_UMS_NETTO"
            | "Z_UST"
            | "Z_ZAHLART_BETRAG"
            | "ZAHLART_WAEH"
            | "ZAHLART_BETRAG_WAEH"
            | "NAME"
            | "KASSE_SERIENNR"
            | "KASSE_BASISWAEH_CODE"
            | "LOC_NAME"
            | "TERMINAL_ID"
            | "ARTIKELTEXT" => Self::Required,
            "BON_TYP" => Self::ReceiptKind,
            "GV_TYP" => Self::CaseKind,
            "ZAHLART_TYP" => Self::PaymentKind,
            "REF_TYP" => Self::ReferenceKind,
            "TYP" => Self::PriceKind,
            "TSE_PD_ENCODING" => Self::Encoding,
            "TSE_ZEITFORMAT" => Self::TimeFormat,
            "TAXONOMIE_VERSION" => Self::Taxonomy,
            "BON_STORNO" | "P_STORNO" | "INHAUS" => Self::Flag,
            "Z_ERSTELLUNG" | "BON_START" | "BON_ENDE" => Self::Time,
            "TSE_TA_START" | "TSE_TA_ENDE" => Self::PerhapsTime,
            "Z_BUCHUNGSTAG" | "REF_DATUM" => Self::Date,
            _ => Self::Free,
        }
    }

    /// The rule that a value breaks.
    pub fn broken(self, text: &str) -> Option<Rule> {
        let (holds, rule) = match self {
            Self::Free => return None,
            Self::Required => (!text.is_empty(), Rule::Required),
            Self::ReceiptKind => (ReceiptKind::parse(text).is_some(), Rule::Word),
            Self::CaseKind => (CaseKind::parse(text).is_some(), Rule::Word),
            Self::PaymentKind => (PaymentKind::parse(text).is_some(), Rule::Word),
            Self::ReferenceKind => (ReferenceKind::parse(text).is_some(), Rule::Word),
            Self::PriceKind => (PriceKind::parse(text).is_some(), Rule::Word),
            // What a TSE lacks is said once, by the rule about TSEs.
            Self::Encoding => (text.is_empty() || Encoding::parse(text).is_some(), Rule::Word),
            Self::TimeFormat => (text.is_empty() || TimeFormat::from_name(text).is_some(), Rule::Word),
            Self::Taxonomy => (Taxonomy::parse(text).is_some(), Rule::TaxonomyVersion),
            Self::Flag => (matches!(text, "0" | "1"), Rule::Flag),
            Self::Time => (time(text).is_some(), Rule::Time),
            Self::PerhapsTime => (text.is_empty() || time(text).is_some(), Rule::Time),
            Self::Date => (text.is_empty() || date(text), Rule::Date),
        };
        (!holds).then_some(rule)
    }

    /// What would be right, for a sentence.
    pub fn wanted(self, kind: Kind) -> Both {
        match (self, kind) {
            (Self::Free, Kind::Text(max)) => both!("; höchstens {max} Zeichen", "; at most {max} characters"),
            (Self::Free | Self::Required, Kind::Number(0)) => both!("; eine ganze Zahl", "; a whole number"),
            (Self::Free | Self::Required, Kind::Number(places)) => {
                both!(
                    "; eine Zahl mit Komma und {places} Nachkommastellen",
                    "; a number with a comma and {places} places"
                )
            }
            (Self::Required, Kind::Text(max)) => both!(
                "; nicht leer und höchstens {max} Zeichen",
                "; not empty, and at most {max} characters"
            ),
            (Self::Flag, _) => both!("; 0 oder 1", "; 0 or 1"),
            (Self::Time | Self::PerhapsTime, _) => {
                both!("; etwa 2027-07-17T20:15:00.000Z", "; such as 2027-07-17T20:15:00.000Z")
            }
            (Self::Date, _) => both!("; etwa 2027-07-17", "; such as 2027-07-17"),
            (Self::Taxonomy, _) => both!("; 2.3 oder 2.4", "; 2.3 or 2.4"),
            _ => both!("; keines der Wörter des Standards", "; none of the standard's words"),
        }
    }
}

/// Milliseconds since 1970. A time without a zone counts as universal time: it can only be compared with its like.
pub(super) fn time(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    // jiff reads more than RFC 3339 allows.
    if bytes.len() < 19 || bytes.get(10) != Some(&b'T') || bytes.contains(&b'[') {
        return None;
    }
    let zoned = text.parse::<Timestamp>().map(Timestamp::as_millisecond);
    zoned.ok().or_else(|| {
        let civil = text.parse::<DateTime>().ok()?;
        civil
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp().as_millisecond())
    })
}

fn date(text: &str) -> bool {
    text.len() == 10 && text.parse::<Date>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_days_have_one_form() {
        assert_eq!(time("2026-11-21T01:54:16.000Z"), Some(1_795_226_056_000));
        assert_eq!(time("2026-11-21T02:54:16+01:00"), Some(1_795_226_056_000));
        assert_eq!(time("2026-11-21T01:54:16"), Some(1_795_226_056_000));
        for text in [
            "21.11.2026",
            "2026-11-21 01:54:16",
            "2026-11-21",
            "",
            "2026-13-21T01:54:16Z",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
        assert!(date("2026-11-21") && !date("21.11.2026") && !date("2026-11-31"));
    }
}
