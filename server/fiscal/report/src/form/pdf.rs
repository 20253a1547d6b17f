//! A report as PDF: A4, pages numbered, heads of tables on every page they reach, figures beneath each other.
//!
//! Lengths are tenths of a point, as on all pages of ours.

use pdf_writer::Content;
use receipt::pages::{self, Fonts, Letters, PAGE};
use receipt::{Bitmap, Logo};

use super::widths::{width, wrapped};
use crate::document::{Document, Kind, Row, Table};

const LEFT: i16 = 480;
const RIGHT: i16 = PAGE.0 - 480;
const TOP: i16 = PAGE.1 - 480;
const BOTTOM: i16 = 620;
/// Where the foot stands.
const FOOT: i16 = 360;
/// Letters of the text and of tables.
const TEXT: i16 = 90;
const SMALL: i16 = 80;
/// From line to line of each.
const PITCH: i16 = 125;
const ROW: i16 = 110;
/// Above and beneath a row of a table.
const AIR: i16 = 22;
/// Between columns.
const GAP: i32 = 80;
/// Dots of a logo, at most.
const LOGO_DOTS: (usize, usize) = (280, 120);

const fn letters(size: i16, bold: bool) -> Letters {
    Letters {
        size,
        bold,
        tall: false,
    }
}

/// Lengths that are computed; what no page has is as long as it gets.
fn short(length: i32) -> i16 {
    i16::try_from(length).unwrap_or(i16::MAX)
}

struct Paper {
    done: Vec<Content>,
    page: Content,
    /// Where the next line ends, from the bottom.
    y: i16,
}

impl Paper {
    fn is_room(&self, height: i16) -> bool {
        self.y.saturating_sub(height) >= BOTTOM
    }

    fn turn(&mut self) {
        self.done.push(std::mem::replace(&mut self.page, pages::blank()));
        self.y = TOP;
    }

    /// Room for something of a height; gives its lower side.
    fn room(&mut self, height: i16) -> i16 {
        if !self.is_room(height) {
            self.turn();
        }
        self.y = self.y.saturating_sub(height);
        self.y
    }

    fn text(&mut self, text: &str, size: i16, bold: bool) {
        let room = i32::from(RIGHT - LEFT);
        for line in wrapped(&pages::plain(text), room, size, bold) {
            let y = self.room(size + size / 2);
            pages::show(&mut self.page, &line, (LEFT, y + size / 3), letters(size, bold));
        }
    }

    /// A warning in a frame, so that nobody takes the numbers without it.
    fn warning(&mut self, text: &str) {
        let lines = wrapped(&pages::plain(text), i32::from(RIGHT - LEFT) - 160, TEXT, true);
        let height = PITCH.saturating_mul(pages::length(lines.len())) + 60;
        let y = self.room(height + 50);
        let page = &mut self.page;
        page.save_state().set_fill_gray(0.9);
        page.rect(LEFT.into(), y.into(), (RIGHT - LEFT).into(), height.into());
        page.fill_nonzero().restore_state();
        let mut at = y + height - 10;
        for line in lines {
            at -= PITCH;
            pages::show(page, &line, (LEFT + 80, at + 30), letters(TEXT, true));
        }
    }

    /// Names and values in two columns.
    fn facts(&mut self, facts: &[(String, String)]) {
        let widest = facts
            .iter()
            .map(|(name, _)| width(&pages::plain(name), TEXT, false))
            .max();
        let value_at = LEFT + short(widest.unwrap_or(0).min(i32::from(RIGHT - LEFT) / 2)) + 150;
        for (name, value) in facts {
            let name = wrapped(&pages::plain(name), i32::from(value_at - LEFT) - 60, TEXT, false);
            let value = wrapped(&pages::plain(value), i32::from(RIGHT - value_at), TEXT, true);
            for place in 0..name.len().max(value.len()) {
                let y = self.room(PITCH) + 30;
                for (lines, x, bold) in [(&name, LEFT, false), (&value, value_at, true)] {
                    if let Some(line) = lines.get(place) {
                        pages::show(&mut self.page, line, (x, y), letters(TEXT, bold));
                    }
                }
            }
        }
    }
}

/// A column of a table: where it begins and how wide it is.
#[derive(Debug, Clone, Copy)]
struct Column {
    at: i32,
    width: i32,
    kind: Kind,
}

/// A table in the words of its cells.
struct Laid {
    columns: Vec<Column>,
    head: Vec<String>,
    rows: Vec<(Vec<String>, bool)>,
}

impl Laid {
    fn of(table: &Table, document: &Document) -> Self {
        let clock = document.clock();
        let head: Vec<String> = table.columns.iter().map(|(name, _)| pages::plain(name)).collect();
        let show = |row: &Row| {
            let cells = row
                .cells
                .iter()
                .map(|cell| pages::plain(&cell.show(&clock, document.language)));
            (cells.collect::<Vec<_>>(), row.is_total)
        };
        let rows: Vec<_> = table.rows.iter().map(show).collect();
        let kinds = table.columns.iter().map(|(_, kind)| *kind);
        let wanted = |place: usize| {
            let cells = rows
                .iter()
                .filter_map(|(cells, bold)| Some(width(cells.get(place)?, SMALL, *bold)));
            let head = head.get(place).map_or(0, |head| width(head, SMALL, true));
            cells.max().unwrap_or(0).max(head)
        };
        let mut columns: Vec<Column> = kinds
            .enumerate()
            .map(|(place, kind)| Column {
                at: 0,
                width: wanted(place),
                kind,
            })
            .collect();
        spread(&mut columns);
        Self { columns, head, rows }
    }
}

/// Fills the page's width: figures get what they want, words share the rest, the widest gives up first.
fn spread(columns: &mut [Column]) {
    let gaps = GAP * i32::try_from(columns.len().saturating_sub(1)).unwrap_or(0);
    let room = i32::from(RIGHT - LEFT) - gaps;
    let taken = |columns: &[Column]| columns.iter().map(|column| column.width).sum::<i32>();
    while taken(columns) > room {
        let over = taken(columns) - room;
        let widths = columns.iter().filter(|column| column.kind == Kind::Text);
        let widest = widths.clone().map(|column| column.width).max().unwrap_or(0);
        let next = widths
            .map(|column| column.width)
            .filter(|width| *width < widest)
            .max()
            .unwrap_or(0);
        let Some(column) = columns
            .iter_mut()
            .find(|column| column.kind == Kind::Text && column.width == widest)
        else {
            break;
        };
        let less = over.min((widest - next).max(40));
        if column.width - less < 300 {
            break;
        }
        column.width -= less;
    }
    let spare = (room - taken(columns)).max(0);
    if let Some(first) = columns.iter_mut().find(|column| column.kind == Kind::Text) {
        first.width += spare;
    }
    let mut at = i32::from(LEFT);
    for column in columns {
        column.at = at;
        at += column.width + GAP;
    }
}

impl Paper {
    fn row(&mut self, laid: &Laid, cells: &[String], bold: bool) {
        let lines: Vec<Vec<String>> = laid
            .columns
            .iter()
            .zip(cells)
            .map(|(column, cell)| match column.kind {
                // A figure is never broken.
                Kind::Number => vec![cell.clone()],
                Kind::Text => wrapped(cell, column.width, SMALL, bold),
            })
            .collect();
        let height = lines.iter().map(Vec::len).max().unwrap_or(1);
        let y = self.room(ROW.saturating_mul(pages::length(height)) + AIR);
        let top = y + ROW.saturating_mul(pages::length(height));
        for (column, lines) in laid.columns.iter().zip(&lines) {
            for (place, line) in lines.iter().enumerate() {
                let x = match column.kind {
                    Kind::Text => column.at,
                    Kind::Number => column.at + column.width - width(line, SMALL, bold),
                };
                let at = top - ROW.saturating_mul(pages::length(place + 1)) + AIR;
                pages::show(&mut self.page, line, (short(x), at), letters(SMALL, bold));
            }
        }
    }

    fn head_of(&mut self, laid: &Laid) {
        let height = laid
            .columns
            .iter()
            .zip(&laid.head)
            .map(|(column, name)| wrapped(name, column.width, SMALL, true).len())
            .max()
            .unwrap_or(1);
        let height = ROW.saturating_mul(pages::length(height)) + AIR;
        let page = &mut self.page;
        page.save_state().set_fill_gray(0.93);
        let y = self.y.saturating_sub(height);
        page.rect((LEFT - 20).into(), y.into(), (RIGHT - LEFT + 40).into(), height.into());
        page.fill_nonzero().restore_state();
        self.row(laid, &laid.head, true);
    }

    fn table(&mut self, table: &Table, document: &Document) {
        let laid = Laid::of(table, document);
        // A title stays with the head and two rows.
        if self.is_room(PITCH * 2 + (ROW + AIR) * 4) {
            self.y = self.y.saturating_sub(PITCH);
        } else {
            self.turn();
        }
        self.text(&table.title, 105, true);
        self.y = self.y.saturating_sub(20);
        self.head_of(&laid);
        for (cells, is_total) in &laid.rows {
            if !self.is_room((ROW + AIR) * 2) {
                self.turn();
                self.head_of(&laid);
            }
            if *is_total {
                pages::rule(&mut self.page, self.y, (LEFT, RIGHT));
            }
            self.row(&laid, cells, *is_total);
        }
        if let Some(note) = &table.note {
            self.y = self.y.saturating_sub(20);
            self.text(note, 75, false);
        }
    }
}

/// The document's bytes. `logo` is the event's, where it has one.
pub fn render(document: &Document, logo: Option<&Logo>) -> Vec<u8> {
    let mut paper = Paper {
        done: Vec::new(),
        page: pages::blank(),
        y: TOP,
    };
    let picture: Option<Bitmap> = logo.map(|logo| logo.dithered(LOGO_DOTS.0, LOGO_DOTS.1));
    if let Some(picture) = &picture {
        let (wide, high) = pages::size(picture);
        pages::place(&mut paper.page, 0, picture, (RIGHT - wide, TOP - high));
    }
    paper.text(&document.title, 170, true);
    paper.text(&document.subtitle, 115, false);
    paper.y = paper.y.saturating_sub(80);
    for warning in &document.warnings {
        paper.warning(warning);
    }
    paper.y = paper.y.saturating_sub(40);
    paper.facts(&document.facts);
    for table in &document.tables {
        paper.table(table, document);
    }
    paper.y = paper.y.saturating_sub(PITCH);
    for remark in &document.remarks {
        paper.text(remark, SMALL, false);
    }
    let mut all = paper.done;
    all.push(paper.page);
    let count = all.len();
    let foot = pages::plain(&format!(
        "{} · {} · {}",
        document.title,
        document.subtitle,
        document.clock().full(document.made_ms)
    ));
    for (number, page) in (1..).zip(&mut all) {
        pages::rule(page, FOOT + 140, (LEFT, RIGHT));
        pages::show(page, &foot, (LEFT, FOOT), letters(75, false));
        let place = format!("{} {number}/{count}", document.language.of("Seite", "Page"));
        let x = i32::from(RIGHT) - width(&place, 75, false);
        pages::show(page, &place, (short(x), FOOT), letters(75, false));
    }
    let title = format!("{} {}", document.title, document.subtitle);
    let pictures: Vec<Bitmap> = picture.into_iter().collect();
    pages::file(&title, document.language, Fonts::Helvetica, all, &pictures)
}
