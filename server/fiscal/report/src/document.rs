//! A report as it is read, in one language and in no form yet: a head, what must be known of it, and tables. Every form (text, CSV, XLSX, PDF, the
//! console's pages) shows just this, so that they all say the same.

use shared_protocol::tax::TaxRate;
use shared_protocol::{Amount, Overflow};
use wording::Language;
use wording::format::{Clock, count, decimal, percent};

/// How a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Words, from the left.
    Text,
    /// Numbers, from the right.
    Number,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing to say.
    Empty,
    /// Words.
    Text(String),
    /// How many.
    Count(i64),
    /// Cents.
    Money(Amount),
    /// A rate.
    Rate(TaxRate),
    /// An event day, `yyyymmdd`.
    Day(u32),
    /// A moment, ms since 1970.
    Moment(u64),
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A count; what no spreadsheet can hold is as much as it gets.
    pub fn count(count: u64) -> Self {
        Self::Count(i64::try_from(count).unwrap_or(i64::MAX))
    }

    /// Cents of a sum that may be larger than an amount.
    pub fn wide(cents: i128) -> Result<Self, Overflow> {
        Amount::from_wide(cents).map(Self::Money)
    }

    /// As people read it.
    pub fn show(&self, clock: &Clock, language: Language) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Count(number) => {
                let sign = if *number < 0 { "\u{2212}" } else { "" };
                format!("{sign}{}", count(number.unsigned_abs(), language))
            }
            Self::Money(cents) => decimal(*cents, language),
            Self::Rate(rate) => percent(rate.0, language),
            Self::Day(day) => clock.day(*day),
            Self::Moment(at_ms) => clock.full(*at_ms),
        }
    }
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// As many as there are columns.
    pub cells: Vec<Cell>,
    /// Whether it adds up those above it.
    pub is_total: bool,
}

impl Row {
    /// A row like any other.
    pub fn of(cells: impl IntoIterator<Item = Cell>) -> Self {
        Self {
            cells: cells.into_iter().collect(),
            is_total: false,
        }
    }

    /// A row that adds up.
    pub fn total(cells: impl IntoIterator<Item = Cell>) -> Self {
        Self {
            is_total: true,
            ..Self::of(cells)
        }
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What it is called where space is short: at most 31 characters, without `[]:*?/\`, once in a document.
    pub name: String,
    /// What it is called.
    pub title: String,
    /// Its columns.
    pub columns: Vec<(String, Kind)>,
    /// From the top.
    pub rows: Vec<Row>,
    /// What has to be known of it.
    pub note: Option<String>,
}

impl Table {
    /// A table without rows.
    pub fn new(name: &str, title: &str, columns: &[(&str, Kind)]) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            columns: columns.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect(),
            rows: Vec::new(),
            note: None,
        }
    }

    /// With a note beneath.
    #[must_use]
    pub fn noted(self, note: &str) -> Self {
        Self {
            note: Some(note.to_owned()),
            ..self
        }
    }
}

/// A report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What a file of it is called, without its ending: letters, digits, `-`.
    pub file: String,
    /// In which language.
    pub language: Language,
    /// IANA name of the zone that times are shown in.
    pub zone: String,
    /// When it was made, ms since 1970.
    pub made_ms: u64,
    /// What it is.
    pub title: String,
    /// Of whom or what.
    pub subtitle: String,
    /// What must be known before any number: practice, provisional, not certified.
    pub warnings: Vec<String>,
    /// What it is about, name by name.
    pub facts: Vec<(String, String)>,
    /// The numbers.
    pub tables: Vec<Table>,
    /// How to read them.
    pub remarks: Vec<String>,
}

impl Document {
    /// The clock of its times.
    pub fn clock(&self) -> Clock {
        Clock::new(&self.zone, self.language)
    }
}
