//! The forms: fixed bytes for the same report, and everything of a report in each.

use std::path::Path;

use receipt::Paper;
use reports::form::{csv, pdf, strip, xlsx};
use reports::{Cell, Document, Wanted};
use wording::Language;

use crate::festival::sample_festival;

fn reports() -> Vec<Document> {
    let festival = sample_festival();
    let all = festival.load(&Wanted::ALL);
    let row = all.closings.values().find(|row| !row.supplement).unwrap().clone();
    let closing = festival.load(&Wanted::closing(&row));
    let till = festival.tills[0].till;
    let mut made = Vec::new();
    for words in Language::ALL {
        made.extend([
            reports::z_report(&closing, &row, words).unwrap(),
            reports::x_report(&all, (till, None), words).unwrap(),
            reports::day_report(&all, 20_270_719, words).unwrap(),
            reports::stands_report(&all, words).unwrap(),
            reports::settlement(&all, fixtures::sample::CATERER, (0, u32::MAX), words).unwrap(),
            reports::vat_summary(&all, None, words).unwrap(),
        ]);
    }
    made
}

/// Compares with the golden file; `GROSCHEN_GOLDEN=write` makes it anew.
fn golden(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/books/golden")
        .join(name);
    if std::env::var_os("GROSCHEN_GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, bytes).unwrap();
    }
    let known = std::fs::read(&path).unwrap();
    assert!(
        known == bytes,
        "{name} changed; look at it, and make it anew with GROSCHEN_GOLDEN=write\n{}",
        String::from_utf8_lossy(bytes)
    );
}

#[test]
fn text_and_csv_are_as_they_were() {
    let all = reports();
    for (document, words) in [(&all[0], "de"), (&all[6], "en")] {
        golden(&format!("z-{words}.csv"), &csv::render(document));
        golden(&format!("z-{words}.txt"), strip::text(document).as_bytes());
    }
    golden("settlement-de.csv", &csv::render(&all[4]));
}

#[test]
fn every_table_has_cells_for_its_columns_and_a_name_of_its_own() {
    for document in reports() {
        let mut names = std::collections::BTreeSet::new();
        for table in &document.tables {
            assert!(
                names.insert(table.name.to_lowercase()),
                "{}: {}",
                document.title,
                table.name
            );
            let chars = table.name.chars().count();
            assert!(
                chars <= 31 && !table.name.contains(['[', ']', ':', '*', '?', '/', '\\']),
                "{}",
                table.name
            );
            for row in &table.rows {
                assert_eq!(
                    row.cells.len(),
                    table.columns.len(),
                    "{}: {}",
                    document.title,
                    table.title
                );
            }
        }
        let is_file = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
        assert!(document.file.chars().all(is_file), "{}", document.file);
    }
}

#[test]
fn no_line_of_a_strip_is_wider_than_the_roll() {
    for document in reports() {
        for paper in [Paper::Mm58, Paper::Mm80] {
            for line in receipt::text::render(&strip::sheet(&document, paper)).lines() {
                assert!(line.chars().count() <= paper.columns(), "{line}");
            }
        }
    }
}

#[test]
fn a_pdf_is_the_same_bytes_and_numbers_its_pages() {
    for document in reports() {
        let bytes = pdf::render(&document, None);
        assert_eq!(bytes, pdf::render(&document, None));
        assert!(bytes.starts_with(b"%PDF-"));
        let text = String::from_utf8_lossy(&bytes);
        let pages = text.matches("/Type /Page\n").count();
        assert!(
            pages >= 1 && text.contains(&format!("{pages}/{pages})")),
            "{pages} pages of {}",
            document.title
        );
    }
}

#[test]
fn a_spreadsheet_is_the_same_bytes_and_another_program_reads_the_same_numbers() {
    for document in reports() {
        let bytes = xlsx::render(&document).unwrap();
        assert_eq!(bytes, xlsx::render(&document).unwrap());
        let Some(sheets) = judges::spreadsheet::openpyxl(&bytes) else {
            return;
        };
        assert_eq!(sheets.len(), 1 + document.tables.len());
        for (table, (name, frozen, rows)) in document.tables.iter().zip(sheets.into_iter().skip(1)) {
            assert_eq!((name.as_str(), frozen.as_str()), (table.name.as_str(), "A2"));
            assert_eq!(
                rows[0],
                table.columns.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
            );
            for (row, said) in table.rows.iter().zip(&rows[1..]) {
                for (cell, said) in row.cells.iter().zip(said) {
                    let expected = match cell {
                        Cell::Empty => String::new(),
                        Cell::Text(text) => text.clone(),
                        Cell::Count(count) => format!("{count}.00"),
                        Cell::Money(cents) => {
                            let sign = if cents.0 < 0 { "-" } else { "" };
                            format!("{sign}{}.{:02}", cents.0.abs() / 100, cents.0.abs() % 100)
                        }
                        Cell::Rate(_) | Cell::Day(_) | Cell::Moment(_) => continue,
                    };
                    assert_eq!(*said, expected, "{}: {}", document.title, table.title);
                }
            }
        }
    }
}
