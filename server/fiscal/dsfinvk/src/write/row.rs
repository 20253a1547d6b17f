//! A row of a table, formatted into one buffer: text in quotes, numbers bare, semicolons between, CRLF at the end.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use shared_protocol::tax::TaxRate;
use shared_protocol::{Amount, Overflow};

use crate::amount::{self, Fine, Split};
use crate::tables::{CERTIFICATES_MIN, Column, Kind, MORE_CERTIFICATES, Scope, Table};

/// Cut texts that are told in full.
const CUTS_TOLD_MAX: usize = 100;

/// A text that was longer than its column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cut {
    /// The file.
    pub file: &'static str,
    /// The column.
    pub column: &'static str,
    /// What it was before.
    pub text: String,
}

/// Texts that were longer than their columns: which, and how often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cuts {
    /// Different ones, the first hundred.
    pub told: std::collections::BTreeSet<Cut>,
    /// How often something was cut.
    pub total: u64,
}

/// Writes rows of one table.
pub(super) struct Row<'w> {
    pub out: &'w mut Vec<u8>,
    pub cuts: &'w mut Cuts,
    table: &'static Table,
    at: usize,
}

const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));

impl<'w> Row<'w> {
    /// Begins a row with the columns of its scope, which are written already.
    pub fn new(out: &'w mut Vec<u8>, cuts: &'w mut Cuts, table: &'static Table, key: &[u8]) -> Self {
        out.extend_from_slice(key);
        let at = table.scope.columns();
        Self { out, cuts, table, at }
    }

    /// The columns that name a closing.
    pub fn key(out: &mut Vec<u8>, cuts: &mut Cuts, table: &'static Table, till: &str, created_ms: u64, number: u64) {
        let mut row = Row {
            out,
            cuts,
            table,
            at: 0,
        };
        row.text(till);
        row.time(created_ms);
        row.whole(number);
    }

    /// The column that names a receipt, after those of its closing.
    pub fn receipt(out: &mut Vec<u8>, cuts: &mut Cuts, table: &'static Table, id: &str) {
        let at = Scope::Closing.columns();
        Row { out, cuts, table, at }.text(id);
    }

    fn next(&mut self) -> Column {
        if self.at > 0 {
            self.out.push(b';');
        }
        let inside = self.at.checked_sub(self.table.scope.columns());
        let column = match inside {
            Some(index) => self.table.columns.get(index).or_else(|| {
                // Certificates that are longer than the standard's columns for them.
                MORE_CERTIFICATES.get(index.checked_sub(self.table.columns.len())?)
            }),
            None => None,
        };
        let column = column.copied().or_else(|| self.table.all().nth(self.at));
        self.at += 1;
        debug_assert!(column.is_some(), "{} has no column {}", self.table.file, self.at);
        column.unwrap_or(("", Kind::Text(0)))
    }

    /// A text, cut to the length of its column; empty is nothing between the semicolons. What would break a line becomes a space, quotes are doubled.
    pub fn text(&mut self, text: &str) {
        let (name, kind) = self.next();
        let Kind::Text(max) = kind else {
            debug_assert!(false, "{name} is a number");
            return;
        };
        if text.is_empty() {
            return;
        }
        self.out.push(b'"');
        let plain = text.len() <= max && text.bytes().all(|byte| (0x20..0x7f).contains(&byte) && byte != b'"');
        if plain {
            self.out.extend_from_slice(text.as_bytes());
        } else {
            self.slow(text, max, name);
        }
        self.out.push(b'"');
    }

    /// Length counts in units of UTF-16, the strictest of what readers do with characters outside the basic plane.
    fn slow(&mut self, text: &str, max: usize, column: &'static str) {
        let mut length = 0;
        for mut character in text.chars() {
            length += character.len_utf16();
            if length > max {
                self.cuts.total += 1;
                if self.cuts.told.len() < CUTS_TOLD_MAX {
                    self.cuts.told.insert(Cut {
                        file: self.table.file,
                        column,
                        text: text.to_owned(),
                    });
                }
                return;
            }
            if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') {
                character = ' ';
            }
            if character == '"' {
                self.out.push(b'"');
            }
            let mut bytes = [0; 4];
            self.out.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        }
    }

    /// A yes or no as `1` or `0`.
    pub fn flag(&mut self, flag: bool) {
        self.text(if flag { "1" } else { "0" });
    }

    /// A number as text, as line numbers are.
    pub fn counted(&mut self, number: usize) {
        let _column = self.next();
        self.out.push(b'"');
        amount::whole(self.out, number as u64);
        self.out.push(b'"');
    }

    /// Milliseconds since 1970 as `2026-11-21T01:54:16.000Z`.
    pub fn time(&mut self, at_ms: u64) {
        let _column = self.next();
        let at = i64::try_from(at_ms)
            .ok()
            .and_then(|ms| Timestamp::from_millisecond(ms).ok())
            .unwrap_or(Timestamp::MAX);
        self.out.push(b'"');
        // Into memory, which does not fail.
        let _written = PRINTER.print_timestamp(&at, &mut *self.out);
        self.out.push(b'"');
    }

    /// A whole number.
    pub fn whole(&mut self, number: u64) {
        let _column = self.next();
        amount::whole(self.out, number);
    }

    /// A whole number, or nothing.
    pub fn perhaps(&mut self, number: Option<u64>) {
        match number {
            Some(number) => self.whole(number),
            None => self.nothing(),
        }
    }

    /// Nothing.
    pub fn nothing(&mut self) {
        let _column = self.next();
    }

    /// Cents with two places.
    pub fn cents(&mut self, cents: Amount) {
        let column = self.next();
        debug_assert_eq!(column.1, Kind::Number(2), "{}", column.0);
        amount::cents(self.out, cents);
    }

    /// A rate with two places.
    pub fn rate(&mut self, rate: TaxRate) {
        let _column = self.next();
        amount::rate(self.out, rate);
    }

    /// Thousandths with three places.
    pub fn thousandths(&mut self, number: i64) {
        let column = self.next();
        debug_assert_eq!(column.1, Kind::Number(3), "{}", column.0);
        amount::thousandths(self.out, number);
    }

    /// Five places.
    pub fn fine(&mut self, number: Fine) {
        let column = self.next();
        debug_assert_eq!(column.1, Kind::Number(5), "{}", column.0);
        amount::fine(self.out, number);
    }

    /// Gross, net, tax.
    pub fn split(&mut self, split: Split) -> Result<(), Overflow> {
        self.fine(Fine::of(split.gross)?);
        self.fine(split.net()?);
        self.fine(split.tax);
        Ok(())
    }

    /// Ends the row, after all its columns.
    pub fn end(self, certificates: usize) {
        let more = if self.table.file == "tse.csv" {
            certificates - CERTIFICATES_MIN
        } else {
            0
        };
        debug_assert_eq!(self.at, self.table.width() + more, "{}", self.table.file);
        self.out.extend_from_slice(b"\r\n");
    }
}
