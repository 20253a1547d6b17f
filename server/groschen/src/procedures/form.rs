//! The document as plain text, as HTML that needs nothing beside it, and as PDF.

use maud::{DOCTYPE, html};
use pages::Language;
use receipt::layout::{Line, Weight};
use receipt::{Paper, Sheet};

use super::{Block, Document};

/// What a document can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// A page for a browser.
    Html,
    /// A4, in a typewriter's letters.
    Pdf,
    /// Plain text.
    Text,
}

/// The style of the page: readable on a screen and on paper.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111;background:#fff}\
table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem}th,td{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}\
h2{margin-top:2rem;border-bottom:2px solid #111}@media print{body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}}";

impl Form {
    /// The media type of a file of this form.
    pub const fn media(self) -> &'static str {
        match self {
            Self::Html => "text/html; charset=utf-8",
            Self::Pdf => "application/pdf",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// What such a file's name ends with.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Text => "txt",
        }
    }

    pub(super) fn render(self, document: &Document, words: Language) -> Vec<u8> {
        match self {
            Self::Html => page(document, words).into_bytes(),
            Self::Text => text(document).into_bytes(),
            Self::Pdf => receipt::pdf::render(&Sheet {
                paper: Paper::A4,
                language: words,
                title: document.title.clone(),
                lines: lines(document, Paper::A4.columns())
                    .into_iter()
                    .map(|(text, weight)| Line::Text { text, weight })
                    .collect(),
            }),
        }
    }
}

fn page(document: &Document, words: Language) -> String {
    let page = html! {
        (DOCTYPE)
        html lang=(words.code()) {
            head { meta charset="utf-8"; meta name="viewport" content="width=device-width, initial-scale=1"; title { (document.title) } style { (maud::PreEscaped(STYLE)) } }
            body {
                h1 { (document.title) }
                @for chapter in &document.chapters {
                    h2 { (chapter.heading) }
                    @for block in &chapter.blocks {
                        @match block {
                            Block::Text(text) => p { (text) },
                            Block::List(points) => ul { @for point in points { li { (point) } } },
                            Block::Table(head, rows) => table {
                                thead { tr { @for cell in head { th scope="col" { (cell) } } } }
                                tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
                            },
                        }
                    }
                }
            }
        }
    };
    page.into_string()
}

/// Wide enough to read, narrow enough for a printer.
const TEXT_COLUMNS: usize = 96;

fn text(document: &Document) -> String {
    let mut out = String::new();
    for (line, _) in lines(document, TEXT_COLUMNS) {
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// Lines no wider than so many characters.
fn lines(document: &Document, columns: usize) -> Vec<(String, Weight)> {
    let mut lines = Vec::new();
    let mut add = |text: &str, indent: usize, first: &str, weight: Weight| {
        for line in wrapped(text, columns, indent, first) {
            lines.push((line, weight));
        }
    };
    add(&document.title, 0, "", Weight::Tall);
    for chapter in &document.chapters {
        add("", 0, "", Weight::Normal);
        add(&chapter.heading, 0, "", Weight::Bold);
        for block in &chapter.blocks {
            add("", 0, "", Weight::Normal);
            match block {
                Block::Text(text) => add(text, 0, "", Weight::Normal),
                Block::List(points) => points.iter().for_each(|point| add(point, 2, "- ", Weight::Normal)),
                Block::Table(head, rows) => {
                    for row in rows {
                        for (at, (name, cell)) in head.iter().zip(row).enumerate() {
                            let first = if at == 0 { "* " } else { "  " };
                            add(&format!("{name}: {cell}"), 4, first, Weight::Normal);
                        }
                    }
                }
            }
        }
    }
    lines
}

/// Breaks a text at blanks; a word that is wider than a line is broken where the line ends.
fn wrapped(text: &str, columns: usize, indent: usize, first: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        let width = line.chars().count();
        if !is_empty && width + 1 + word.len() > columns {
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            is_empty = true;
        }
        if !is_empty {
            line.push(' ');
        }
        loop {
            let room = columns.saturating_sub(line.chars().count()).max(1);
            let rest = word.split_off(word.len().min(room));
            line.extend(word);
            is_empty = false;
            if rest.is_empty() {
                break;
            }
            lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
            word = rest;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_its_paper_and_no_letter_is_lost() {
        let serial = "0123456789abcdef".repeat(4);
        let text = format!("TSE {serial} signiert für die Bar am See, außer nachts");
        for columns in [20, 48, 72] {
            let lines = wrapped(&text, columns, 2, "- ");
            assert!(lines.iter().all(|line| line.chars().count() <= columns), "{lines:?}");
            let letters = |text: &str| text.chars().filter(|one| !one.is_whitespace()).collect::<String>();
            assert_eq!(letters(&lines.concat()), format!("-{}", letters(&text)));
        }
    }
}
