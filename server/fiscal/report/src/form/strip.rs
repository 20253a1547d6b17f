//! A report on a till roll: the lines of the receipts' grid, so that it prints and previews as they do.

use receipt::grid::{Align, Grid};
use receipt::layout::{Line, Weight};
use receipt::{Paper, Sheet};

use crate::document::{Document, Kind, Table};

/// Lays a report out for a roll.
pub fn sheet(document: &Document, paper: Paper) -> Sheet {
    let words = document.language;
    let mut grid = Grid::new(paper.columns());
    grid.text(&document.title, Align::Centre, Weight::Tall);
    grid.text(&document.subtitle, Align::Centre, Weight::Normal);
    grid.lines.push(Line::Rule);
    for warning in &document.warnings {
        grid.text(warning, Align::Left, Weight::Bold);
    }
    if !document.warnings.is_empty() {
        grid.lines.push(Line::Rule);
    }
    for (name, value) in &document.facts {
        grid.field(name, value);
    }
    for table in &document.tables {
        grid.lines.push(Line::Rule);
        lay(table, document, &mut grid);
    }
    grid.lines.push(Line::Rule);
    for remark in &document.remarks {
        grid.text(remark, Align::Left, Weight::Normal);
    }
    Sheet {
        paper,
        language: words,
        title: format!("{} {}", document.title, document.subtitle),
        lines: grid.lines,
    }
}

/// A row as its words, and beside or beneath them its numbers: a roll has no room for more than one column of amounts.
fn lay(table: &Table, document: &Document, grid: &mut Grid) {
    let clock = document.clock();
    grid.text(&table.title, Align::Left, Weight::Bold);
    for row in &table.rows {
        let weight = if row.is_total { Weight::Bold } else { Weight::Normal };
        let cells = row.cells.iter().zip(&table.columns);
        let shown: Vec<(String, &str, Kind)> = cells
            .map(|(cell, (name, kind))| (cell.show(&clock, document.language), name.as_str(), *kind))
            .filter(|(text, ..)| !text.is_empty())
            .collect();
        let texts = shown.iter().filter(|(.., kind)| *kind == Kind::Text);
        let mut texts: Vec<&str> = texts.map(|(text, ..)| text.as_str()).collect();
        // The standard's word is often ours.
        texts.dedup();
        let name = texts.join(", ");
        let numbers: Vec<_> = shown.iter().filter(|(.., kind)| *kind == Kind::Number).collect();
        match numbers.as_slice() {
            [] => grid.text(&name, Align::Left, weight),
            [(number, ..)] => grid.pair(&name, number, weight),
            [(count, ..), (number, ..)] => grid.pair(&format!("{name} ({count})"), number, weight),
            several => {
                grid.text(&name, Align::Left, weight);
                for (number, called, _) in several {
                    grid.pair(&format!("· {called}"), number, weight);
                }
            }
        }
    }
    if let Some(note) = &table.note {
        grid.text(note, Align::Left, Weight::Normal);
    }
}

/// The report as plain text, 80 mm wide.
pub fn text(document: &Document) -> String {
    receipt::text::render(&sheet(document, Paper::Mm80))
}
