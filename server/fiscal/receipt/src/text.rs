//! A sheet as plain text: what a printer prints, line by line. Weight is not seen in it, and a code is named in its place.

use wording::Language;

use crate::layout::{Line, Sheet};

/// What a code or a picture is named by, in the middle of its line.
fn place(sheet: &Sheet, name: &str) -> String {
    let name = format!("[{name}]");
    let before = sheet.paper.columns().saturating_sub(name.chars().count()) / 2;
    format!("{:before$}{name}", "")
}

/// What stands where a code is printed.
pub const fn code_place(words: Language) -> &'static str {
    words.of("QR-Code", "QR code")
}

/// One line; without its end.
pub fn line(sheet: &Sheet, line: &Line) -> String {
    match line {
        Line::Text { text, .. } => text.clone(),
        Line::Rule => "-".repeat(sheet.paper.columns()),
        Line::Picture(_) => place(sheet, "Logo"),
        Line::Code(_) => place(sheet, code_place(sheet.language)),
    }
}

/// All lines, each with its end.
pub fn render(sheet: &Sheet) -> String {
    let mut text = String::new();
    for one in &sheet.lines {
        text.push_str(&line(sheet, one));
        text.push('\n');
    }
    text
}
