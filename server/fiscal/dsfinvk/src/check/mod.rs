//! Reads an export and does the sums again, as an auditor's program would: structure, values, sums of receipts and closings, numbers without gaps.
//!
//! One closing at a time is held in memory, with the numbers that have to be unique throughout an export as bit maps. The rules and their codes are in
//! [`rule`]; none of them is the tax administration's own, whose program nobody could run here. What a TSE's own export (TAR) says is not compared here.
//!
//! What must never happen here: trust in what is read. Nothing in an export makes this panic, and what cannot be read is a finding.

mod bits;
mod closing;
mod description;
mod lines;
mod receipt;
pub mod report;
mod rows;
pub mod rule;
mod signature;
mod told;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};

pub use report::{Finding, Report, Severity};
pub use rule::Rule;
use wording::both;

use crate::tables::Id;
use bits::Bits;
use rows::{Row, Rows};

/// Where the files of an export are read.
pub trait Source {
    /// A file by its name; none when it is not there.
    fn open(&self, name: &str) -> io::Result<Option<Box<dyn Read + '_>>>;
}

/// The till and the number of a closing, as they are written.
type Key = (String, String);

/// The rows of a closing, by table.
struct Bundle {
    rows: Vec<Vec<Row>>,
}

impl Bundle {
    fn of(&self, id: Id) -> &[Row] {
        self.rows.get(id as usize).map_or(&[], Vec::as_slice)
    }
}

/// What has to be remembered from closing to closing.
#[derive(Default)]
struct Memory {
    /// Of each till the last closing, and the last receipt if it had any.
    tills: BTreeMap<String, (i64, Option<i64>)>,
    /// Transactions of each TSE by its serial number.
    transactions: BTreeMap<String, Bits>,
    /// Signature counters of each TSE by its serial number.
    counters: BTreeMap<String, Bits>,
}

/// Checks an export.
pub fn check(source: &dyn Source) -> Report {
    let mut report = Report::default();
    let declared = description::read(source, &mut report);
    let mut tables: Vec<Rows<'_>> = Vec::with_capacity(Id::ALL.len());
    for id in Id::ALL {
        let table = id.table();
        let file = match source.open(table.file) {
            Ok(file) => file,
            Err(error) => {
                report.find(Rule::MissingFile, table.file, None, || {
                    both!("sie ist nicht lesbar: {error}", "it cannot be read: {error}")
                });
                None
            }
        };
        if file.is_none() {
            report.find(Rule::MissingFile, table.file, None, || {
                both!("sie ist nicht da", "it is not there")
            });
        }
        let columns = declared.get(table.file).map(Vec::as_slice);
        tables.push(Rows::open(*id, file, columns, &mut report));
    }
    let closings = closings(&mut tables, &mut report);
    let known: BTreeSet<Key> = closings.iter().map(key).collect();
    let mut done = BTreeSet::new();
    let mut memory = Memory::default();
    for head in closings {
        let key = key(&head);
        let mut rows = Vec::with_capacity(Id::ALL.len());
        for (id, table) in Id::ALL.iter().zip(&mut tables) {
            rows.push(rows_of(*id, table, &head, (&known, &done), &mut report));
        }
        let bundle = Bundle { rows };
        report.closings += 1;
        report.receipts += bundle.of(Id::Receipts).len() as u64;
        closing::check(&head, &bundle, &mut memory, &mut report);
        done.insert(key);
    }
    for (id, table) in Id::ALL.iter().zip(&mut tables) {
        while let Some(row) = table.take(&mut report) {
            misplaced(*id, &row, &known, &mut report);
        }
    }
    report
}

fn key(row: &Row) -> Key {
    let (till, number) = row.closing();
    (till.to_owned(), number.to_owned())
}

/// Reads all closings; there are few, beside receipts.
fn closings(tables: &mut [Rows<'_>], report: &mut Report) -> Vec<Row> {
    let (mut rows, mut keys) = (Vec::new(), BTreeSet::new());
    let Some(table) = tables.get_mut(Id::Closings as usize) else {
        return rows;
    };
    while let Some(row) = table.take(report) {
        if keys.insert(key(&row)) {
            rows.push(row);
        } else {
            report.find(Rule::ClosingTwice, Id::Closings.table().file, Some(row.line), || {
                both!(
                    "Kassenabschluss {} der Kasse {} gab es schon",
                    "closing {} of till {} is there before",
                    row.at(2),
                    row.at(0)
                )
            });
        }
    }
    rows
}

/// The rows of a closing, which stand together. Rows of none, or of one that was read before, are found and left out.
fn rows_of(
    id: Id,
    table: &mut Rows<'_>,
    head: &Row,
    (known, done): (&BTreeSet<Key>, &BTreeSet<Key>),
    report: &mut Report,
) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    while let Some(next) = table.peek() {
        if next.closing() == head.closing() {
            if let Some(row) = table.take(report) {
                if row.at(1) != head.at(1) {
                    report.find(Rule::CreationDiffers, id.table().file, Some(row.line), || {
                        both!(
                            "Z_ERSTELLUNG ist {}, in cashpointclosing.csv {}",
                            "Z_ERSTELLUNG is {}, in cashpointclosing.csv {}",
                            row.at(1),
                            head.at(1)
                        )
                    });
                }
                rows.push(row);
            }
            continue;
        }
        let other = key(next);
        if known.contains(&other) && !done.contains(&other) {
            break;
        }
        if let Some(row) = table.take(report) {
            misplaced(id, &row, known, report);
        }
    }
    rows
}

fn misplaced(id: Id, row: &Row, known: &BTreeSet<Key>, report: &mut Report) {
    let (till, number) = row.closing();
    let rule = if known.contains(&key(row)) {
        Rule::Scattered
    } else {
        Rule::ClosingUnknown
    };
    report.find(rule, id.table().file, Some(row.line), || {
        both!(
            "Kassenabschluss {number} der Kasse {till}",
            "closing {number} of till {till}"
        )
    });
}
