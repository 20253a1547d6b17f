//! The one layout: content as rows, rows as the lines of a grid.
//!
//! Amounts, dates and numbers are never cut: where a row is too narrow for them they get a line of their own. Only what has no other way (an id of 64
//! digits on a narrow roll) is broken, and nothing is put in between.

use fiscal::ReceiptCode;
use shared_protocol::Amount;
use shared_protocol::ids::hex;
use wording::Language;
use wording::format::{Clock, decimal, euros, percent};

use crate::content::{Content, Item, Mark, Signature, TseSignature};
use crate::grid::{Align, Grid};
use crate::{Bitmap, words};

/// What it is laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Paper {
    /// A roll 58 mm wide: 48 mm are printed, 32 characters.
    Mm58,
    /// A roll 80 mm wide: 72 mm are printed, 48 characters.
    Mm80,
    /// A page of A4.
    A4,
}

impl Paper {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Mm58, Self::Mm80, Self::A4];

    /// Characters in a line.
    pub const fn columns(self) -> usize {
        match self {
            Self::Mm58 => 32,
            Self::Mm80 => 48,
            Self::A4 => 72,
        }
    }

    /// Dots in a line at 203 dots an inch; on A4 those of a picture.
    pub const fn dots(self) -> usize {
        match self {
            Self::Mm58 => 384,
            Self::Mm80 | Self::A4 => 576,
        }
    }

    /// The roll of a width in mm.
    pub const fn roll(mm: u32) -> Option<Self> {
        match mm {
            58 => Some(Self::Mm58),
            80 => Some(Self::Mm80),
            _ => None,
        }
    }
}

/// The height of a logo, in dots: 25 mm.
const LOGO_DOTS_MAX: usize = 200;

/// How strong a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weight {
    /// As all others.
    #[default]
    Normal,
    /// Bold.
    Bold,
    /// Bold and twice as high: what a guest looks for.
    Tall,
}

/// One line of the grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Text in the characters that every form has, no wider than the paper; spaces in front of it are part of it.
    Text {
        /// The text.
        text: String,
        /// How strong.
        weight: Weight,
    },
    /// A line from side to side.
    Rule,
    /// A picture in the middle.
    Picture(Bitmap),
    /// A QR code in the middle.
    Code(String),
}

/// A receipt laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// For what.
    pub paper: Paper,
    /// In which language.
    pub language: Language,
    /// What it is called, for whoever lists documents.
    pub title: String,
    /// From the top.
    pub lines: Vec<Line>,
}

/// Lays a receipt out.
pub fn sheet(content: &Content, language: Language, paper: Paper) -> Sheet {
    let mut grid = Grid::new(paper.columns());
    let writer = Writer {
        content,
        words: language,
        clock: Clock::new(&content.zone, language),
    };
    if let Some(logo) = &content.logo {
        grid.lines
            .push(Line::Picture(logo.dithered(paper.dots(), LOGO_DOTS_MAX)));
    }
    writer.head(&mut grid);
    if content.shift.is_none() {
        writer.items(&mut grid);
        writer.sums(&mut grid);
        writer.taxes(&mut grid);
    }
    writer.signature(&mut grid);
    Sheet {
        paper,
        language,
        title: format!("{} {}", words::heading(content, language), content.order),
        lines: grid.lines,
    }
}

struct Writer<'a> {
    content: &'a Content,
    words: Language,
    clock: Clock,
}

impl Writer<'_> {
    fn head(&self, grid: &mut Grid) {
        let (content, words) = (self.content, self.words);
        if let Some(event) = &content.event {
            grid.text(words.name(event), Align::Centre, Weight::Normal);
        }
        if let Some(seller) = &content.seller {
            grid.text(&seller.name, Align::Centre, Weight::Bold);
            if let Some(address) = &seller.address {
                grid.text(&words::address(address), Align::Centre, Weight::Normal);
            }
            let number = format!("{} {}", words::number_of(&seller.tax_number, words), seller.tax_number);
            grid.text(&number, Align::Centre, Weight::Normal);
        }
        grid.lines.push(Line::Rule);
        for mark in &content.marks {
            grid.text(words::mark(*mark, words), Align::Centre, Weight::Bold);
        }
        if !content.marks.is_empty() {
            grid.lines.push(Line::Rule);
        }
        let (began, ended) = content.times();
        grid.text(words::heading(content, words), Align::Left, Weight::Bold);
        grid.field(words.of("Belegnummer", "Receipt number"), &content.order.to_string());
        if let Some(reverses) = content.reverses {
            grid.field(words.of("Zu Beleg", "Takes back"), &reverses.to_string());
        }
        grid.field(words.of("Belegdatum", "Date of issue"), &self.clock.date(ended));
        grid.field(words.of("Beginn", "Start"), &self.clock.full(began));
        grid.field(words.of("Ende", "End"), &self.clock.full(ended));
        grid.field(words.of("Kasse", "Till"), &content.till);
        grid.field(words.of("Kassen-Seriennummer", "Till serial number"), &content.serial);
        grid.lines.push(Line::Rule);
    }

    fn items(&self, grid: &mut Grid) {
        grid.field(self.words.of("Menge Artikel", "Qty Item"), "EUR  ");
        for item in &self.content.items {
            self.item(item, grid);
        }
        grid.lines.push(Line::Rule);
    }

    fn item(&self, item: &Item, grid: &mut Grid) {
        let words = self.words;
        let name = format!("{} × {}", item.quantity, words::item_name(item, words));
        match item.total {
            Some(total) => {
                let total = format!("{} {}", decimal(total, words), item.letter);
                grid.field(&name, &total);
            }
            None => grid.text(&name, Align::Left, Weight::Normal),
        }
        if item.quantity.unsigned_abs() != 1 {
            let each = format!("  {} {}", words.of("je", "at"), decimal(item.unit_price, words));
            grid.note(&each);
        }
        for note in words::item_notes(item, words) {
            grid.note(&format!("  {note}"));
        }
    }

    fn sums(&self, grid: &mut Grid) {
        let (content, words) = (self.content, self.words);
        grid.pair(words.of("Summe", "Total"), &euros(content.total, words), Weight::Tall);
        for redeemed in &content.redeemed {
            // What does not fit has been refused when the content was made; zero is never written in its place.
            let off = redeemed.cents().negated().unwrap_or(redeemed.cents());
            grid.field(&words::redeemed(redeemed, words), &euros(off, words));
        }
        if !content.redeemed.is_empty() {
            grid.pair(
                words.of("Zu zahlen", "To pay"),
                &euros(content.due, words),
                Weight::Bold,
            );
        }
        for payment in &content.payments {
            grid.field(&words::payment(payment, content, words), &euros(payment.amount, words));
        }
        if content.payments.is_empty() && content.redeemed.is_empty() {
            grid.field(words.of("Zahlung", "Payment"), &euros(Amount::ZERO, words));
        }
        grid.lines.push(Line::Rule);
    }

    fn taxes(&self, grid: &mut Grid) {
        let (content, words) = (self.content, self.words);
        if content.taxes.is_empty() {
            return;
        }
        let head = [
            words.of("USt", "VAT"),
            words.of("Netto", "Net"),
            words.of("Steuer", "Tax"),
            words.of("Brutto", "Gross"),
        ];
        let rows = content.taxes.iter().map(|row| {
            let rate = format!("{} {}", row.letter, percent(row.rate.0, words));
            [
                rate,
                decimal(row.net, words),
                decimal(row.tax, words),
                decimal(row.gross, words),
            ]
        });
        grid.table(&head, &rows.collect::<Vec<_>>());
        if let Some(note) = words::untaxed(content, words) {
            grid.note(note);
        }
        grid.lines.push(Line::Rule);
    }

    fn signature(&self, grid: &mut Grid) {
        let (content, words) = (self.content, self.words);
        match &content.signature {
            Signature::Tse(tse) => self.tse(tse, grid),
            Signature::Outage { tse } | Signature::Till { tse, .. } => {
                grid.text(words::unsigned(words), Align::Left, Weight::Bold);
                if let Some(tse) = tse {
                    grid.field(words.of("TSE-Seriennummer", "TSE serial number"), &hex(&tse.serial));
                }
            }
            Signature::Pending => grid.text(words::unsigned(words), Align::Left, Weight::Bold),
        }
        if let Some(code) = content.code() {
            grid.lines.push(Line::Code(code));
        }
        // A code of the TSE says what it is; one that leads to the receipt says where.
        let leads_there = |link: &&String| content.code().as_ref() == Some(link);
        if let Some(link) = content.link.as_ref().filter(leads_there) {
            grid.text(
                words.of("Dieser Beleg im Netz:", "This receipt on the web:"),
                Align::Centre,
                Weight::Normal,
            );
            grid.text(link, Align::Centre, Weight::Normal);
        }
    }

    fn tse(&self, signature: &TseSignature, grid: &mut Grid) {
        let words = self.words;
        let TseSignature { code, tse, .. } = signature;
        let ReceiptCode {
            transaction,
            counter,
            signature,
            ..
        } = code;
        grid.field(words.of("TSE-Transaktion", "TSE transaction"), &transaction.to_string());
        grid.field(words.of("Signaturzähler", "Signature counter"), &counter.to_string());
        // In an outage the till's own times stand above, and these say when it was signed.
        if let Some((began, ended)) = self
            .content
            .tse_times
            .filter(|_| self.content.marks.contains(&Mark::Outage))
        {
            grid.field(words.of("TSE-Beginn", "TSE start"), &self.clock.full(began));
            grid.field(words.of("TSE-Ende", "TSE end"), &self.clock.full(ended));
        }
        grid.field(words.of("TSE-Seriennummer", "TSE serial number"), &hex(&tse.serial));
        grid.field(words.of("Prüfwert", "Check value"), &hex(signature));
    }
}
