//! Rows of a table as they are read: one at a time, with what their values must look like.

use std::io::Read;

use csv::{Reader, ReaderBuilder, StringRecord};
use wording::{Both, both};

use super::report::Report;
use super::rule::Rule;
use super::values::Shape;
use crate::tables::{Id, Kind, Table};

/// A row with its fields in the standard's order, whatever order its file has them in.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub line: u64,
    record: StringRecord,
}

impl Row {
    /// A field by its place in the standard's table; empty where the file does not have it.
    pub fn at(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default()
    }

    /// The till and the number of its closing.
    pub fn closing(&self) -> (&str, &str) {
        (self.at(0), self.at(2))
    }

    /// A number in units of its last place; none where it is not one, which was found before.
    pub fn number(&self, column: usize, places: usize) -> Option<i64> {
        crate::amount::parse(self.at(column), places)
    }
}

/// Looks whether lines end with carriage return and line feed, while somebody else reads them.
struct LineEnds<R> {
    inner: R,
    last: u8,
    bare: std::rc::Rc<std::cell::Cell<bool>>,
}

impl<R: Read> Read for LineEnds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        for byte in buffer.iter().take(read) {
            if *byte == b'\n' && self.last != b'\r' {
                self.bare.set(true);
            }
            self.last = *byte;
        }
        Ok(read)
    }
}

/// A table being read.
pub(super) struct Rows<'s> {
    id: Id,
    reader: Option<Reader<LineEnds<Box<dyn Read + 's>>>>,
    /// Where the standard's columns are in the file; empty where they are where the standard has them.
    places: Vec<Option<usize>>,
    width: usize,
    shapes: Vec<(Kind, Shape)>,
    bare: std::rc::Rc<std::cell::Cell<bool>>,
    /// The line that the next row begins on. The reader's own count is one short where lines end with two characters.
    line: u64,
    next: Option<Row>,
}

impl<'s> Rows<'s> {
    /// Begins to read a table. A table that is not there has no rows.
    pub fn open(id: Id, file: Option<Box<dyn Read + 's>>, declared: Option<&[String]>, report: &mut Report) -> Self {
        let table = id.table();
        let bare = std::rc::Rc::default();
        let mut rows = Self {
            id,
            reader: None,
            places: Vec::new(),
            width: table.width(),
            shapes: table.all().map(|(name, kind)| (kind, Shape::of(name))).collect(),
            bare: std::rc::Rc::clone(&bare),
            line: 2,
            next: None,
        };
        let Some(inner) = file else { return rows };
        let inner = LineEnds { inner, last: 0, bare };
        let mut reader = ReaderBuilder::new()
            .delimiter(b';')
            .has_headers(false)
            .flexible(true)
            .from_reader(inner);
        let mut header = StringRecord::new();
        if !matches!(reader.read_record(&mut header), Ok(true)) {
            report.find(Rule::Header, table.file, Some(1), || {
                both!("die Datei hat keine Kopfzeile", "the file has no header")
            });
            return rows;
        }
        rows.header(table, &header, declared, report);
        rows.reader = Some(reader);
        rows.advance(report);
        rows
    }

    fn header(&mut self, table: &Table, header: &StringRecord, declared: Option<&[String]>, report: &mut Report) {
        // Some programs begin a file with a mark of its encoding.
        let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
        if let Some(declared) = declared
            && (names.len() != declared.len() || names.iter().zip(declared).any(|(name, declared)| name != declared))
        {
            report.find(Rule::Header, table.file, Some(1), || {
                both!(
                    "die Spalten sind {}, genannt sind {}",
                    "the columns are {}, declared are {}",
                    names.join(";"),
                    declared.join(";")
                )
            });
        }
        self.width = names.len();
        let places: Vec<Option<usize>> = table
            .all()
            .map(|(wanted, _)| names.iter().position(|name| *name == wanted))
            .collect();
        if places.iter().enumerate().any(|(index, place)| *place != Some(index)) {
            self.places = places;
        }
    }

    /// The row that comes next.
    pub const fn peek(&self) -> Option<&Row> {
        self.next.as_ref()
    }

    /// Takes the row that comes next.
    pub fn take(&mut self, report: &mut Report) -> Option<Row> {
        let row = self.next.take();
        self.advance(report);
        row
    }

    /// Reads on to the next row that can be used.
    fn advance(&mut self, report: &mut Report) {
        let file = self.id.table().file;
        let Some(reader) = &mut self.reader else { return };
        let mut record = StringRecord::new();
        loop {
            match reader.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let line = Some(self.line);
                    self.line += 1;
                    let is_utf8 = matches!(error.kind(), csv::ErrorKind::Utf8 { .. });
                    let rule = if is_utf8 { Rule::Unicode } else { Rule::MissingFile };
                    report.find(rule, file, line, || {
                        both!("die Zeile ist nicht lesbar: {error}", "the row cannot be read: {error}")
                    });
                    if is_utf8 {
                        continue;
                    }
                    break;
                }
            }
            report.rows += 1;
            let line = self.line;
            self.line += 1 + record.as_slice().matches('\n').count() as u64;
            if record.len() != self.width {
                report.find(Rule::Width, file, Some(line), || {
                    both!(
                        "die Zeile hat {} Felder, die Tabelle {} Spalten",
                        "the row has {} fields, the table {} columns",
                        record.len(),
                        self.width
                    )
                });
                continue;
            }
            if !self.places.is_empty() {
                record = self
                    .places
                    .iter()
                    .map(|place| place.and_then(|at| record.get(at)).unwrap_or(""))
                    .collect();
            }
            let row = Row { line, record };
            self.judge(&row, report);
            self.next = Some(row);
            return;
        }
        if self.bare.get() {
            report.find(Rule::LineEnd, file, None, || {
                both!(
                    "eine Zeile endet mit einem Zeilenvorschub allein",
                    "a line ends with a line feed alone"
                )
            });
        }
        self.reader = None;
    }

    /// What every value must look like.
    fn judge(&self, row: &Row, report: &mut Report) {
        let table = self.id.table();
        for (column, (kind, shape)) in self.shapes.iter().enumerate() {
            let text = row.at(column);
            let broken = shape.broken(text).or_else(|| match kind {
                _ if text.is_empty() => None,
                Kind::Text(max) if text.len() > *max && text.encode_utf16().count() > *max => Some(Rule::Length),
                Kind::Number(places) if crate::amount::parse(text, *places).is_none() => Some(Rule::Number),
                _ => None,
            });
            if let Some(rule) = broken {
                report.find(rule, table.file, Some(row.line), || {
                    let name = table.all().nth(column).map_or("", |(name, _)| name);
                    let wanted = shape.wanted(*kind);
                    Both::new(
                        format!("{name} ist {text:?}{}", wanted.de),
                        format!("{name} is {text:?}{}", wanted.en),
                    )
                });
            }
        }
    }
}
