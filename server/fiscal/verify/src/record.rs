//! What is kept of a message once its signature was checked: forty bytes, so that the largest TSE's export fits into memory.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use crate::message::Operation;
use crate::time::{LogTime, TimeForm};

/// A text that many messages share, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(u32);

/// Texts that messages share: clients and operations.
#[derive(Debug, Default)]
pub struct Texts {
    known: BTreeMap<Box<str>, Text>,
    texts: Vec<Box<str>>,
}

impl Texts {
    /// The number of a text; none when there are more than so many.
    pub fn number(&mut self, text: &str, most: usize) -> Option<Text> {
        if let Some(known) = self.known.get(text) {
            return Some(*known);
        }
        let number = Text(
            u32::try_from(self.texts.len())
                .ok()
                .filter(|_| self.texts.len() < most)?,
        );
        self.known.insert(text.into(), number);
        self.texts.push(text.into());
        Some(number)
    }

    /// The text of a number.
    pub fn get(&self, text: Text) -> &str {
        let text = usize::try_from(text.0).ok().and_then(|place| self.texts.get(place));
        text.map_or("", |text| text)
    }
}

/// What a message was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// A step of a transaction.
    Transaction(Operation),
    /// Something that happened in the TSE.
    System,
    /// An audit.
    Audit,
}

/// What is kept of a message.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Which key signed, by its place in the judgement.
    pub key: u16,
    /// What it was about.
    pub about: About,
    /// The client of a transaction, or what happened in the TSE.
    pub text: Text,
    /// The signature counter.
    pub counter: u64,
    /// The transaction, zero for others.
    pub number: u64,
    /// When.
    pub time: LogTime,
}

impl Record {
    /// The name of its file, as the standard makes it.
    pub fn name(&self, texts: &Texts) -> String {
        let text = texts.get(self.text);
        let what = match self.about {
            About::Transaction(operation) => {
                format!("Tra_No-{}_{}_Client-{text}", self.number, operation.in_names())
            }
            About::System => format!("Sys_{text}"),
            About::Audit => "Aud".to_owned(),
        };
        format!("{}_Sig-{}_Log-{what}.log", time(&self.time), self.counter)
    }
}

fn time(time: &LogTime) -> String {
    let format = match time.form {
        TimeForm::Unix => return format!("Unixt_{}", time.seconds),
        TimeForm::Utc { seconds: false } => "Utc_%y%m%d%H%MZ",
        TimeForm::Utc { seconds: true } => "Utc_%y%m%d%H%M%SZ",
        TimeForm::Generalized { fraction: false } => "Gent_%Y%m%d%H%M%SZ",
        TimeForm::Generalized { fraction: true } => "Gent_%Y%m%d%H%M%S.%3fZ",
    };
    let moment = jiff::Timestamp::new(time.seconds, i32::from(time.millis) * 1_000_000);
    moment.map_or_else(
        |_| format!("Unixt_{}", time.seconds),
        |moment| moment.to_zoned(TimeZone::UTC).strftime(format).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_knows_the_name_of_its_file_again() {
        let mut texts = Texts::default();
        let text = texts.number("03", 9).unwrap();
        for start in [
            "Unixt_1795226057_",
            "Utc_181109153045Z_",
            "Utc_1811091530Z_",
            "Gent_20181109153045Z_",
            "Gent_20181109153045.120Z_",
        ] {
            let (time, _) = LogTime::of_name(start).unwrap();
            let record = Record {
                key: 0,
                about: About::Transaction(Operation::Finish),
                text,
                counter: 4,
                number: 2,
                time,
            };
            assert_eq!(
                record.name(&texts),
                format!("{start}Sig-4_Log-Tra_No-2_Finish_Client-03.log")
            );
        }
        assert!(size_of::<Record>() <= 56, "{}", size_of::<Record>());
    }

    #[test]
    fn texts_are_kept_once_and_not_without_end() {
        let mut texts = Texts::default();
        let one = texts.number("one", 2).unwrap();
        texts.number("two", 2).unwrap();
        assert_eq!(texts.number("one", 2), Some(one));
        assert_eq!(texts.number("three", 2), None);
        assert_eq!(texts.get(one), "one");
    }
}
