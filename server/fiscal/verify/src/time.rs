//! The time of a log message, in the three forms of TR-03151, in messages and in file names.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::tlv::Tlv;

/// How a TSE writes its times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeForm {
    /// Seconds since 1970.
    Unix,
    /// `UTCTime`, with or without seconds.
    Utc {
        /// Whether it has seconds.
        seconds: bool,
    },
    /// `GeneralizedTime`, with or without milliseconds.
    Generalized {
        /// Whether it has a part of a second.
        fraction: bool,
    },
}

/// When a TSE signed, by its own clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogTime {
    /// Seconds since 1970.
    pub seconds: i64,
    /// Milliseconds on top; zero where the form has none.
    pub millis: u16,
    /// How it was written.
    pub form: TimeForm,
}

impl LogTime {
    /// The moment without its form.
    pub const fn moment(&self) -> (i64, u16) {
        (self.seconds, self.millis)
    }

    /// Of a value in a message: a number, `UTCTime` or `GeneralizedTime`.
    pub fn of(tlv: &Tlv<'_>) -> Option<Self> {
        let text = || std::str::from_utf8(tlv.value).ok();
        match tlv.tag {
            0x02 => Some(Self {
                seconds: i64::try_from(tlv.unsigned()?).ok()?,
                millis: 0,
                form: TimeForm::Unix,
            }),
            0x17 => Self::utc(text()?),
            0x18 => Self::generalized(text()?),
            _ => None,
        }
    }

    /// Of the beginning of a file name, with what follows it: `Unixt_1795226057_Sig-…`.
    pub fn of_name(name: &str) -> Option<(Self, &str)> {
        let (form, rest) = name.split_once('_')?;
        let (text, rest) = rest.split_once('_')?;
        let time = match form {
            "Unixt" => Self {
                seconds: digits(text)?,
                millis: 0,
                form: TimeForm::Unix,
            },
            "Utc" => Self::utc(text)?,
            "Gent" => Self::generalized(text)?,
            _ => return None,
        };
        Some((time, rest))
    }

    /// `YYMMDDhhmm[ss]Z`; years from 50 on are of the last century (X.680).
    fn utc(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let seconds = match text.len() {
            10 => false,
            12 => true,
            _ => return None,
        };
        let year: i64 = digits(text.get(..2)?)?;
        let century = if year >= 50 { 1_900 } else { 2_000 };
        Some(Self {
            seconds: unix(century + year, text.get(2..)?)?,
            millis: 0,
            form: TimeForm::Utc { seconds },
        })
    }

    /// `YYYYMMDDhhmmss[.f…]Z`.
    fn generalized(text: &str) -> Option<Self> {
        let text = text.strip_suffix('Z')?;
        let (whole, fraction) = match text.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (text, None),
        };
        if whole.len() != 14 {
            return None;
        }
        let millis = match fraction {
            None => 0,
            Some(fraction) if (1..=9).contains(&fraction.len()) => {
                let _all_digits: i64 = digits(fraction)?;
                format!("{fraction:0<3}").get(..3)?.parse().ok()?
            }
            Some(_) => return None,
        };
        Some(Self {
            seconds: unix(digits(whole.get(..4)?)?, whole.get(4..)?)?,
            millis,
            form: TimeForm::Generalized {
                fraction: fraction.is_some(),
            },
        })
    }
}

/// Digits only: a sign is none.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    let all = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all.then(|| text.parse().ok()).flatten()
}

/// Of a year and `MMDDhhmm[ss]`.
fn unix(year: i64, rest: &str) -> Option<i64> {
    let part = |from: usize| match rest.get(from..from + 2) {
        Some(text) => digits::<i8>(text),
        None => Some(0),
    };
    let date = DateTime::new(
        i16::try_from(year).ok()?,
        part(0)?,
        part(2)?,
        part(4)?,
        part(6)?,
        part(8)?,
        0,
    );
    Some(date.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
}

/// Seconds since 1970 for people: `2026-11-21T02:00:28Z`.
pub(crate) fn shown(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| format!("{seconds} s since 1970"), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Option<(i64, u16, TimeForm)> {
        let (time, rest) = LogTime::of_name(name)?;
        assert_eq!(rest, "Sig-1");
        Some((time.seconds, time.millis, time.form))
    }

    #[test]
    fn all_forms_of_names_are_read() {
        let with = |seconds| TimeForm::Utc { seconds };
        let fraction = |fraction| TimeForm::Generalized { fraction };
        for (name, expected) in [
            ("Unixt_1795226057_Sig-1", (1_795_226_057, 0, TimeForm::Unix)),
            ("Utc_181109153045Z_Sig-1", (1_541_777_445, 0, with(true))),
            ("Utc_1811091530Z_Sig-1", (1_541_777_400, 0, with(false))),
            ("Gent_20181109153045Z_Sig-1", (1_541_777_445, 0, fraction(false))),
            ("Gent_20181109153045.12Z_Sig-1", (1_541_777_445, 120, fraction(true))),
            ("Gent_20181109153045.1239Z_Sig-1", (1_541_777_445, 123, fraction(true))),
            ("Utc_700101000000Z_Sig-1", (0, 0, with(true))),
        ] {
            assert_eq!(named(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for name in [
            "Unixt_-1_Sig-1",
            "Unixt__Sig-1",
            "Unixt_99999999999999999999_Sig-1",
            "Utc_181309153045Z_Sig-1",
            "Utc_18110915304Z_Sig-1",
            "Utc_181109153045_Sig-1",
            "Gent_181109153045Z_Sig-1",
            "Gent_20181109153045.Z_Sig-1",
            "Gent_20181109153045.+1Z_Sig-1",
            "Gent_2018110915304éZ_Sig-1",
            "Date_1_Sig-1",
            "Unixt",
        ] {
            assert!(LogTime::of_name(name).is_none(), "{name}");
        }
    }
}
