//! Amounts, times and counts as people of a language write them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared_protocol::Amount;

use crate::Language;

/// Does not break a line; narrow, as German typography has it between number and unit.
const NARROW_SPACE: char = '\u{202f}';
const MINUS: char = '\u{2212}';

/// Euros: `1.234,56 €` and `€1,234.56`.
pub fn euros(amount: Amount, language: Language) -> String {
    cents(i128::from(amount.0), language)
}

/// The same for a sum that may be larger than an amount.
pub fn cents(cents: i128, language: Language) -> String {
    let number = without_sign(cents, language);
    let sign = if cents < 0 { String::from(MINUS) } else { String::new() };
    match language {
        Language::De => format!("{sign}{number}{NARROW_SPACE}€"),
        Language::En => format!("{sign}€{number}"),
    }
}

/// The same as a bare number, for columns that name the currency once: `1.234,56` and `1,234.56`.
pub fn decimal(amount: Amount, language: Language) -> String {
    let number = without_sign(i128::from(amount.0), language);
    if amount.0 < 0 {
        format!("{MINUS}{number}")
    } else {
        number
    }
}

fn without_sign(cents: i128, language: Language) -> String {
    let whole = count(cents.unsigned_abs() / 100, language);
    let rest = cents.unsigned_abs() % 100;
    format!("{whole}{}{rest:02}", language.of(",", "."))
}

/// A whole number with its thousands apart.
pub fn count(number: impl Into<u128>, language: Language) -> String {
    let digits = number.into().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push_str(language.of(".", ","));
        }
        text.push(digit);
    }
    text
}

/// Hundredths of a percent: `19 %`, `10,7 %`.
pub fn percent(hundredths: u16, language: Language) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    let rest = match rest {
        0 => String::new(),
        rest if rest % 10 == 0 => format!("{}{}", language.of(",", "."), rest / 10),
        rest => format!("{}{rest:02}", language.of(",", ".")),
    };
    match language {
        Language::De => format!("{whole}{rest}{NARROW_SPACE}%"),
        Language::En => format!("{whole}{rest}%"),
    }
}

/// Millionths, as what a unit of another currency counts as: `1,07`, `0,0405`.
pub fn millionths(value: u32, language: Language) -> String {
    let rest = format!("{:06}", value % 1_000_000);
    let rest = rest.trim_end_matches('0');
    format!("{}{}{rest:0<2}", value / 1_000_000, language.of(",", "."))
}

/// What somebody typed as an amount, in cents: `12`, `12,5`, `12.50`. None when it is no amount, or more than two decimals are meant.
pub fn typed_cents(text: &str) -> Option<Amount> {
    let text = text.trim().trim_end_matches('€').trim_end();
    let (whole, rest) = text.split_once([',', '.']).unwrap_or((text, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && rest.is_empty() || rest.len() > 2 || !all_digits(whole) || !all_digits(rest) {
        return None;
    }
    let euros: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let cents: i64 = format!("{rest:0<2}").parse().ok()?;
    euros.checked_mul(100)?.checked_add(cents).map(Amount)
}

/// Times of an event are shown in its own time zone, never in the browser's.
#[derive(Debug, Clone)]
pub struct Clock {
    zone: TimeZone,
    language: Language,
}

impl Clock {
    /// Times in an IANA zone; in UTC when this system does not know it.
    pub fn new(zone: &str, language: Language) -> Self {
        Self {
            zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC),
            language,
        }
    }

    fn write(&self, at_ms: u64, pattern: &str) -> String {
        let time = i64::try_from(at_ms)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok());
        time.map_or_else(String::new, |time| {
            time.to_zoned(self.zone.clone()).strftime(pattern).to_string()
        })
    }

    /// `21:14`
    pub fn minute(&self, at_ms: u64) -> String {
        self.write(at_ms, "%H:%M")
    }

    /// `21:14:03`
    pub fn second(&self, at_ms: u64) -> String {
        self.write(at_ms, "%H:%M:%S")
    }

    /// `18.07.2026 21:14:03` and `18 Jul 2026 21:14:03`
    pub fn full(&self, at_ms: u64) -> String {
        self.write(at_ms, self.language.of("%d.%m.%Y %H:%M:%S", "%d %b %Y %H:%M:%S"))
    }

    /// `18.07.2026` and `18 Jul 2026`
    pub fn date(&self, at_ms: u64) -> String {
        self.write(at_ms, self.language.of("%d.%m.%Y", "%d %b %Y"))
    }

    /// `18.07. 21:14` and `18 Jul 21:14`
    pub fn short(&self, at_ms: u64) -> String {
        self.write(at_ms, self.language.of("%d.%m. %H:%M", "%d %b %H:%M"))
    }

    /// ISO 8601 with the zone's offset, for files and `datetime`.
    pub fn iso(&self, at_ms: u64) -> String {
        self.write(at_ms, "%Y-%m-%dT%H:%M:%S%:z")
    }

    /// A day as `yyyymmdd`: `18.07.2026` and `18 Jul 2026`.
    pub fn day(&self, day: u32) -> String {
        let (year, month, date) = (day / 10_000, day / 100 % 100, day % 100);
        let found = i16::try_from(year)
            .ok()
            .zip(i8::try_from(month).ok())
            .zip(i8::try_from(date).ok());
        let found = found.and_then(|((year, month), date)| jiff::civil::Date::new(year, month, date).ok());
        found.map_or_else(
            || day.to_string(),
            |date| date.strftime(self.language.of("%d.%m.%Y", "%d %b %Y")).to_string(),
        )
    }
}

/// How long: `3 s`, `4 min`, `2 h`, `3 d`.
pub fn duration(ms: u64, language: Language) -> String {
    let seconds = ms / 1_000;
    let (number, unit) = match seconds {
        0..60 => (seconds, "s"),
        60..3_600 => (seconds / 60, "min"),
        3_600..172_800 => (seconds / 3_600, language.of("Std.", "h")),
        _ => (seconds / 86_400, language.of("Tage", "days")),
    };
    format!("{number}{NARROW_SPACE}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_look_as_the_language_has_them() {
        assert_eq!(euros(Amount(123_456), Language::De), "1.234,56\u{202f}€");
        assert_eq!(euros(Amount(123_456), Language::En), "€1,234.56");
        assert_eq!(euros(Amount(-5), Language::De), "\u{2212}0,05\u{202f}€");
        assert_eq!(
            euros(Amount(i64::MIN), Language::En),
            "\u{2212}€92,233,720,368,547,758.08"
        );
        assert_eq!(decimal(Amount(-123_456), Language::De), "\u{2212}1.234,56");
        assert_eq!(decimal(Amount(123_456), Language::En), "1,234.56");
        assert_eq!(count(999_u32, Language::De), "999");
        assert_eq!(count(1_000_000_u32, Language::De), "1.000.000");
        assert_eq!(percent(1_900, Language::De), "19\u{202f}%");
        assert_eq!(
            (percent(1_070, Language::En), percent(1_075, Language::En)),
            ("10.7%".into(), "10.75%".into())
        );
        let rates = [1_070_000, 40_500, 2_000_000].map(|value| millionths(value, Language::De));
        assert_eq!(rates, ["1,07", "0,0405", "2,00"]);
    }

    #[test]
    fn what_is_typed_is_read_to_the_cent_or_not_at_all() {
        for (text, cents) in [
            ("12", 1_200),
            ("12,5", 1_250),
            ("0.05", 5),
            (" 7,20 € ", 720),
            (",5", 50),
            ("3,", 300),
        ] {
            assert_eq!(typed_cents(text), Some(Amount(cents)), "{text}");
        }
        for text in [
            "",
            ",",
            "1.234,56",
            "12,345",
            "-3",
            "+3",
            "1e3",
            "ü",
            "99999999999999999999",
        ] {
            assert_eq!(typed_cents(text), None, "{text}");
        }
    }

    #[test]
    fn times_are_those_of_the_event() {
        let clock = Clock::new("Europe/Berlin", Language::De);
        assert_eq!(clock.full(1_784_400_843_000), "18.07.2026 20:54:03");
        assert_eq!(clock.date(1_784_400_843_000), "18.07.2026");
        assert_eq!(clock.day(20_260_718), "18.07.2026");
        assert_eq!(clock.day(20_261_399), "20261399");
        assert_eq!(
            Clock::new("Mars/Base", Language::En).iso(0),
            "1970-01-01T00:00:00+00:00"
        );
        assert_eq!(duration(125_000, Language::De), "2\u{202f}min");
    }
}
