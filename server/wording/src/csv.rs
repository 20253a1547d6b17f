//! Tables as files: what a spreadsheet in the person's language opens with a double click, and what a program can read.
//!
//! German: UTF-8 with a byte order mark, `;` between cells, decimal comma. English: RFC 4180 with decimal point, also with the mark.

use crate::Language;

/// Without it Excel takes the bytes for the system's old code page.
pub const BOM: &str = "\u{feff}";

/// A cell.
#[derive(Debug, Clone, Copy)]
pub enum Cell<'a> {
    /// What people or devices wrote. A spreadsheet must not take it for a formula.
    Text(&'a str),
    /// A number of ours: digits and a sign.
    Number(i128),
    /// Cents, written as euros.
    Euros(i128),
}

/// One line with its end.
pub fn line(cells: &[Cell<'_>], words: Language) -> String {
    let separator = words.of(";", ",");
    let texts: Vec<String> = cells.iter().map(|cell| text(cell, words)).collect();
    format!("{}\r\n", texts.join(separator))
}

fn text(cell: &Cell<'_>, words: Language) -> String {
    match cell {
        Cell::Text(text) => quoted(&guarded(text)),
        Cell::Number(number) => number.to_string(),
        // In English the separator cannot be in it; in German neither.
        Cell::Euros(cents) => {
            let sign = if *cents < 0 { "-" } else { "" };
            let euros = cents.unsigned_abs();
            format!("{sign}{}{}{:02}", euros / 100, words.of(",", "."), euros % 100)
        }
    }
}

/// A leading apostrophe turns what a spreadsheet would calculate into text (OWASP ASVS 5, 1.2.10).
fn guarded(text: &str) -> String {
    let dangerous = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\0', '＝', '＋', '－', '＠']);
    if dangerous { format!("'{text}") } else { text.to_owned() }
}

fn quoted(text: &str) -> String {
    if text.contains([';', ',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_the_language_of_a_spreadsheet_expects() {
        let cells = [
            Cell::Number(4_711),
            Cell::Text("Bar \"Nord\"; links"),
            Cell::Euros(-123_456),
        ];
        assert_eq!(
            line(&cells, Language::De),
            "4711;\"Bar \"\"Nord\"\"; links\";-1234,56\r\n"
        );
        assert_eq!(
            line(&cells, Language::En),
            "4711,\"Bar \"\"Nord\"\"; links\",-1234.56\r\n"
        );
    }

    #[test]
    fn no_text_begins_like_a_formula() {
        for evil in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", "＝1"] {
            let line = line(&[Cell::Text(evil)], Language::De);
            assert!(line.trim_start_matches('"').starts_with('\''), "{line:?}");
        }
        assert_eq!(line(&[Cell::Text("Lena")], Language::De), "Lena\r\n");
    }
}
