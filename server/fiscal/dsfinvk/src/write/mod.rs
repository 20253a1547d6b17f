//! Writes an export as a stream: a closing begins, receipts come one by one, the closing ends with its sums.
//!
//! Memory holds one row, the sums of one closing and a buffer for each of the 20 files. Receipts stand in every file in the order in which they came, and
//! the rows of a closing together, so whoever reads can read along.

mod index;
mod master;
mod receipt;
mod row;
mod sums;

use std::io::{self, BufWriter, Write};

use shared_protocol::{Amount, Overflow};

pub use index::{DTD, DTD_FILE, INDEX_FILE, Supplier, index};
pub use row::{Cut, Cuts};

use crate::model::{BASE_CURRENCY, Closing, Receipt, Sums};
use crate::tables::{CERTIFICATES_MAX, CERTIFICATES_MIN, Id};
use crate::words::Taxonomy;
use master::address;
use row::Row;
use sums::ClosingSums;

/// Bytes of a file that wait to be written.
const BUFFER_BYTES: usize = 64 * 1024;

/// Where files are written.
pub trait Sink {
    /// A file.
    type File: Write;

    /// Begins an empty file.
    fn create(&mut self, name: &str) -> io::Result<Self::File>;
}

impl<S: Sink> Sink for &mut S {
    type File = S::File;

    fn create(&mut self, name: &str) -> io::Result<Self::File> {
        S::create(self, name)
    }
}

/// What an export says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The version it names.
    pub taxonomy: Taxonomy,
    /// Who hands it over.
    pub supplier: Supplier,
    /// Columns for certificates of TSEs, 2 to 7; each holds 1,000 characters of base64.
    pub certificates: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            taxonomy: Taxonomy::V2_4,
            supplier: Supplier::default(),
            certificates: CERTIFICATES_MIN,
        }
    }
}

/// Why an export could not be written on. What was written so far is no export.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A file could not be written.
    #[error("the export is not complete: {0}")]
    Io(#[from] io::Error),
    /// A sum does not fit.
    #[error("the export is not complete: {0}")]
    Overflow(#[from] Overflow),
    /// A receipt came outside a closing, or a closing inside another one: a fault of the program.
    #[error("the export is not complete: {0}; this is a fault of the program, please report it")]
    Order(&'static str),
    /// A receipt contradicts itself or its closing; it was not written.
    #[error("the export is not complete: receipt {id} of closing {closing} of till {till}: {why}")]
    Receipt {
        /// The till.
        till: String,
        /// The closing.
        closing: u64,
        /// The receipt.
        id: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Closings.
    pub closings: u64,
    /// Receipts.
    pub receipts: u64,
    /// Texts that were longer than their columns.
    pub cuts: Cuts,
}

/// An export being written.
pub struct Writer<S: Sink> {
    sink: S,
    options: Options,
    files: Vec<BufWriter<S::File>>,
    row: Vec<u8>,
    /// The columns of the closing, and those of the receipt after them.
    key: Vec<u8>,
    key_of_closing: usize,
    vat: Sums,
    written: Written,
    open: Option<Open>,
}

/// What is remembered of the closing that is being written.
struct Open {
    closing: Closing<'static>,
    sums: ClosingSums,
    first: Option<String>,
    last: String,
}

impl<S: Sink> Writer<S> {
    /// Begins all files with their headers.
    pub fn new(mut sink: S, mut options: Options) -> Result<Self, WriteError> {
        options.certificates = options.certificates.clamp(CERTIFICATES_MIN, CERTIFICATES_MAX);
        let mut files = Vec::with_capacity(Id::ALL.len());
        for id in Id::ALL {
            let table = id.table();
            let mut file = BufWriter::with_capacity(BUFFER_BYTES, sink.create(table.file)?);
            let names: Vec<&str> = index::columns(table, options.certificates)
                .map(|(name, _)| name)
                .collect();
            file.write_all(names.join(";").as_bytes())?;
            file.write_all(b"\r\n")?;
            files.push(file);
        }
        Ok(Self {
            sink,
            options,
            files,
            row: Vec::with_capacity(4_096),
            key: Vec::with_capacity(256),
            key_of_closing: 0,
            vat: Sums::new(),
            written: Written::default(),
            open: None,
        })
    }

    /// Begins a closing: its master data are written.
    pub fn begin(&mut self, closing: Closing<'static>) -> Result<(), WriteError> {
        if self.open.is_some() {
            return Err(WriteError::Order("a closing began before the one before it ended"));
        }
        self.key.clear();
        Row::key(
            &mut self.key,
            &mut self.written.cuts,
            Id::Closings.table(),
            &closing.till,
            closing.created_ms,
            closing.number,
        );
        self.key_of_closing = self.key.len();
        self.master_data(&closing)?;
        self.open = Some(Open {
            closing,
            sums: ClosingSums::default(),
            first: None,
            last: String::new(),
        });
        Ok(())
    }

    /// Writes a receipt of the closing. Its sums are worked out here; one that does not add up is refused.
    pub fn push(&mut self, receipt: &Receipt<'_>) -> Result<(), WriteError> {
        let Some(open) = &mut self.open else {
            return Err(WriteError::Order("a receipt came outside a closing"));
        };
        receipt.sums(&mut self.vat)?;
        let total = Amount::sum(self.vat.iter().map(|(_, sum)| sum.gross))?;
        if let Err(why) = receipt::check(receipt, total, &open.closing) {
            return Err(WriteError::Receipt {
                till: open.closing.till.clone().into_owned(),
                closing: open.closing.number,
                id: receipt.id.clone().into_owned(),
                why,
            });
        }
        open.sums.add(receipt)?;
        if open.first.is_none() {
            open.first = Some(receipt.id.clone().into_owned());
        }
        open.last.clear();
        open.last.push_str(&receipt.id);
        self.key.truncate(self.key_of_closing);
        Row::receipt(&mut self.key, &mut self.written.cuts, Id::Receipts.table(), &receipt.id);
        self.head(receipt, total)?;
        let sums = std::mem::take(&mut self.vat);
        for (key, sum) in &sums {
            self.row(Id::ReceiptVat, |row| {
                row.whole(u64::from(*key));
                row.split(*sum)
            })?;
        }
        self.vat = sums;
        for (index, line) in receipt.lines.iter().enumerate() {
            self.line(index + 1, line, receipt)?;
        }
        self.written.receipts += 1;
        Ok(())
    }

    /// Ends the closing: its sums are written.
    pub fn end(&mut self) -> Result<(), WriteError> {
        let Some(mut open) = self.open.take() else {
            return Err(WriteError::Order("a closing ended that had not begun"));
        };
        self.key.truncate(self.key_of_closing);
        let (closing, sums, taxonomy) = (&open.closing, &mut open.sums, self.options.taxonomy);
        sums.sort();
        let first = open.first.as_deref().unwrap_or_default();
        self.row(Id::Closings, |row| {
            row.text(closing.booking_day.as_deref().unwrap_or_default());
            row.text(taxonomy.as_str());
            row.text(first);
            row.text(&open.last);
            address(row, &closing.taxpayer.address);
            row.text(&closing.taxpayer.tax_number);
            row.text(&closing.taxpayer.vat_id);
            row.cents(sums.paid);
            row.cents(sums.paid_cash);
            Ok(())
        })?;
        for case in &sums.cases {
            self.row(Id::Cases, |row| {
                row.text(case.case.as_str());
                row.text(&case.name);
                row.whole(u64::from(case.agency));
                row.whole(u64::from(case.vat));
                row.split(case.sum)
            })?;
        }
        for payment in &sums.payments {
            self.row(Id::Payments, |row| {
                row.text(payment.kind.as_str());
                row.text(&payment.name);
                row.cents(payment.sum);
                Ok(())
            })?;
        }
        // Whoever counts looks for cash where anything was sold, also where none of it was cash.
        if !sums.payments.is_empty() && sums.cash.is_empty() {
            sums.cash.push((BASE_CURRENCY.to_owned(), Amount::ZERO));
        }
        for (currency, cash) in &sums.cash {
            self.row(Id::Currencies, |row| {
                row.text(currency);
                row.cents(*cash);
                Ok(())
            })?;
        }
        self.written.closings += 1;
        Ok(())
    }

    /// Ends the export with its description.
    pub fn finish(mut self) -> Result<Written, WriteError> {
        if self.open.is_some() {
            return Err(WriteError::Order("the export ended inside a closing"));
        }
        for file in &mut self.files {
            file.flush()?;
        }
        let description = index(&self.options.supplier, self.options.taxonomy, self.options.certificates);
        for (name, text) in [(INDEX_FILE, description.as_str()), (DTD_FILE, DTD)] {
            let mut file = self.sink.create(name)?;
            file.write_all(text.as_bytes())?;
            file.flush()?;
        }
        Ok(self.written)
    }

    fn row(&mut self, id: Id, fill: impl FnOnce(&mut Row<'_>) -> Result<(), Overflow>) -> Result<(), WriteError> {
        self.row.clear();
        let mut row = Row::new(&mut self.row, &mut self.written.cuts, id.table(), &self.key);
        fill(&mut row)?;
        row.end(self.options.certificates);
        if let Some(file) = self.files.get_mut(id as usize) {
            file.write_all(&self.row)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
