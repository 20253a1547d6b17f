//! Tables one beneath the other, as a spreadsheet in the language of the report opens them with a double click.

use wording::csv::{BOM, Cell as Written, line};

use crate::document::{Cell, Document};

/// The file's bytes: UTF-8 with a byte order mark, CRLF; German with `;` and decimal comma, English with `,` and decimal point.
pub fn render(document: &Document) -> Vec<u8> {
    let words = document.language;
    let clock = document.clock();
    let mut text = BOM.to_owned();
    let mut put = |cells: &[Written<'_>]| text.push_str(&line(cells, words));
    put(&[Written::Text(&document.title), Written::Text(&document.subtitle)]);
    for warning in &document.warnings {
        put(&[Written::Text(warning)]);
    }
    for (name, value) in &document.facts {
        put(&[Written::Text(name), Written::Text(value)]);
    }
    for table in &document.tables {
        put(&[]);
        put(&[Written::Text(&table.title)]);
        let head: Vec<_> = table.columns.iter().map(|(name, _)| Written::Text(name)).collect();
        put(&head);
        for row in &table.rows {
            let shown: Vec<String> = row.cells.iter().map(|cell| cell.show(&clock, words)).collect();
            let cells: Vec<_> = row
                .cells
                .iter()
                .zip(&shown)
                .map(|(cell, shown)| match cell {
                    Cell::Count(number) => Written::Number((*number).into()),
                    Cell::Money(cents) => Written::Euros(cents.0.into()),
                    _ => Written::Text(shown),
                })
                .collect();
            put(&cells);
        }
        if let Some(note) = &table.note {
            put(&[Written::Text(note)]);
        }
    }
    put(&[]);
    for remark in &document.remarks {
        put(&[Written::Text(remark)]);
    }
    text.into_bytes()
}
