//! A sheet as PDF: its lines in Courier, QR codes as areas, pictures as black dots, on the [`pages`](crate::pages) that all files have in common.

use pdf_writer::Content;

use crate::bitmap::{Bitmap, QUIET_MODULES, qr};
use crate::layout::{Line, Sheet, Weight};
use crate::pages::{self, Fonts, Letters, PAGE, length};

/// Above the first line and beneath the last one.
const MARGIN: i16 = 450;

/// The size of letters.
const LETTERS: i16 = 100;

/// The width of a letter: Courier's are six tenths of their size.
const LETTER: i16 = 60;

/// From line to line.
const PITCH: i16 = 120;

/// The side of a code without its frame, at least: 40 mm.
const CODE: i16 = 1_134;

/// A page that is being written.
struct Page {
    content: Content,
    /// Where the next line begins, from the bottom.
    y: i16,
}

impl Page {
    fn new() -> Self {
        Self {
            content: pages::blank(),
            y: PAGE.1 - MARGIN,
        }
    }
}

struct Writer {
    /// The left side of the grid.
    left: i16,
    /// Its width.
    width: i16,
    done: Vec<Page>,
    page: Page,
    pictures: Vec<Bitmap>,
}

impl Writer {
    /// Room for something of a height, on a new page where this one is full. Gives its lower side.
    fn room(&mut self, height: i16) -> i16 {
        if self.page.y.saturating_sub(height) < MARGIN {
            self.done.push(std::mem::replace(&mut self.page, Page::new()));
        }
        self.page.y = self.page.y.saturating_sub(height);
        self.page.y
    }

    fn show(&mut self, text: &str, place: (i16, i16), weight: Weight) {
        let letters = Letters {
            size: LETTERS,
            bold: weight != Weight::Normal,
            tall: weight == Weight::Tall,
        };
        pages::show(&mut self.page.content, text, place, letters);
    }

    fn text(&mut self, text: &str, weight: Weight) {
        let height = if weight == Weight::Tall {
            PITCH + PITCH / 2
        } else {
            PITCH
        };
        let y = self.room(height) + PITCH / 4;
        let begins = text.chars().take_while(|character| *character == ' ').count();
        let x = self.left.saturating_add(LETTER.saturating_mul(length(begins)));
        if !text.is_empty() {
            self.show(text.trim_start_matches(' '), (x, y), weight);
        }
    }

    fn rule(&mut self) {
        let y = self.room(PITCH) + PITCH / 2;
        pages::rule(&mut self.page.content, y, (self.left, self.left + self.width));
    }

    fn code(&mut self, content: &str) {
        let Some(code) = qr(content) else {
            return;
        };
        let modules = length(code.width() - 2 * QUIET_MODULES).max(1);
        let module = CODE / modules + i16::from(CODE % modules > 0);
        let side = module.saturating_mul(length(code.width()));
        let bottom = self.room(side);
        let left = self.left + (self.width - side) / 2;
        for row in 0..code.height() {
            let y = bottom + module * length(code.height() - 1 - row);
            for (from, run) in code.runs(row) {
                let (x, run) = (left + module * length(from), module * length(run));
                self.page.content.rect(x.into(), y.into(), run.into(), module.into());
            }
        }
        self.page.content.fill_nonzero();
    }

    fn picture(&mut self, picture: &Bitmap) {
        let (width, height) = pages::size(picture);
        let y = self.room(height.saturating_add(PITCH / 2)) + PITCH / 2;
        let x = self.left + (self.width - width) / 2;
        pages::place(&mut self.page.content, self.pictures.len(), picture, (x, y));
        self.pictures.push(picture.clone());
    }

    /// Numbers the pages where there is more than one.
    fn pages(mut self) -> (Vec<Page>, Vec<Bitmap>) {
        let last = std::mem::replace(&mut self.page, Page::new());
        let mut pages = std::mem::take(&mut self.done);
        pages.push(last);
        let count = pages.len();
        if count > 1 {
            for (number, page) in (1..).zip(&mut pages) {
                std::mem::swap(&mut self.page, page);
                let text = format!("{number}/{count}");
                let x = self.left + self.width - LETTER * length(text.len());
                self.show(&text, (x, MARGIN / 2), Weight::Normal);
                std::mem::swap(&mut self.page, page);
            }
        }
        (pages, self.pictures)
    }
}

/// The document.
pub fn render(sheet: &Sheet) -> Vec<u8> {
    let width = LETTER * length(sheet.paper.columns());
    let mut writer = Writer {
        left: (PAGE.0 - width) / 2,
        width,
        done: Vec::new(),
        page: Page::new(),
        pictures: Vec::new(),
    };
    for line in &sheet.lines {
        match line {
            Line::Text { text, weight } => writer.text(text, *weight),
            Line::Rule => writer.rule(),
            Line::Picture(picture) => writer.picture(picture),
            Line::Code(content) => writer.code(content),
        }
    }
    let (pages, pictures) = writer.pages();
    let pages = pages.into_iter().map(|page| page.content).collect();
    pages::file(&sheet.title, sheet.language, Fonts::Courier, pages, &pictures)
}
