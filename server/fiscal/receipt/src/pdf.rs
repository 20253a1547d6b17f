//! A sheet as PDF: A4, the fonts that every reader has (Courier), QR codes as areas, pictures as black dots. The same sheet is the same bytes: there is
//! no date and no identifier in it.
//!
//! Lengths are tenths of a point (1/720 inch); the page's own transformation makes points of them. It is no PDF/A: that would want fonts inside.

use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};

use crate::bitmap::{Bitmap, QUIET_MODULES, qr};
use crate::characters::win_ansi;
use crate::layout::{Line, Sheet, Weight};

/// A4 in points.
const PAGE: (i16, i16) = (595, 842);

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

/// Hundredths of a length that a dot of a picture takes: 203 dots an inch.
const DOT_HUNDREDTHS: i32 = 355;

const REGULAR: Name<'static> = Name(b"Text");
const BOLD: Name<'static> = Name(b"Bold");

/// A page that is being written.
struct Page {
    content: Content,
    /// Where the next line begins, from the bottom.
    y: i16,
}

impl Page {
    fn new() -> Self {
        let mut content = Content::new();
        content.transform([0.1, 0.0, 0.0, 0.1, 0.0, 0.0]);
        Self {
            content,
            y: PAGE.1 * 10 - MARGIN,
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

/// A number of dots, characters or pieces as a length; what no page has is as long as it gets.
fn length(number: usize) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
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

    fn show(&mut self, text: &str, (x, y): (i16, i16), weight: Weight) {
        let bytes = text.chars().map(win_ansi).collect::<Vec<_>>();
        let (font, stretch) = match weight {
            Weight::Normal => (REGULAR, 1.0),
            Weight::Bold => (BOLD, 1.0),
            Weight::Tall => (BOLD, 1.3),
        };
        let content = &mut self.page.content;
        content.begin_text().set_font(font, LETTERS.into());
        content.set_text_matrix([1.0, 0.0, 0.0, stretch, x.into(), y.into()]);
        content.show(Str(&bytes)).end_text();
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
        let content = &mut self.page.content;
        content.set_line_width(5.0);
        content.move_to(self.left.into(), y.into());
        content.line_to((self.left + self.width).into(), y.into()).stroke();
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
        let scaled = |dots: usize| {
            let tenths = i32::from(length(dots)) * DOT_HUNDREDTHS / 100;
            i16::try_from(tenths).unwrap_or(i16::MAX)
        };
        let (width, height) = (scaled(picture.width()), scaled(picture.height()));
        let y = self.room(height.saturating_add(PITCH / 2)) + PITCH / 2;
        let x = self.left + (self.width - width) / 2;
        let name = picture_name(self.pictures.len());
        self.pictures.push(picture.clone());
        let content = &mut self.page.content;
        content.save_state();
        content.transform([width.into(), 0.0, 0.0, height.into(), x.into(), y.into()]);
        content.x_object(Name(name.as_bytes())).restore_state();
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

fn picture_name(number: usize) -> String {
    format!("Picture{number}")
}

/// The document.
pub fn render(sheet: &Sheet) -> Vec<u8> {
    let width = LETTER * length(sheet.paper.columns());
    let mut writer = Writer {
        left: (PAGE.0 * 10 - width) / 2,
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
    document(sheet, &pages, &pictures)
}

fn document(sheet: &Sheet, pages: &[Page], pictures: &[Bitmap]) -> Vec<u8> {
    let mut last = 0;
    let mut reference = || {
        last += 1;
        Ref::new(last)
    };
    let [catalog, tree, information, regular, bold] = std::array::from_fn(|_| reference());
    let pictures: Vec<_> = pictures.iter().map(|picture| (reference(), picture)).collect();
    let pages: Vec<_> = pages.iter().map(|page| (reference(), reference(), page)).collect();

    let mut pdf = Pdf::new();
    let mut root = pdf.catalog(catalog);
    root.pages(tree).lang(TextStr(sheet.language.code()));
    root.viewer_preferences().display_doc_title(true);
    root.finish();
    pdf.document_info(information).title(TextStr(&sheet.title));
    let count = i32::from(length(pages.len()));
    pdf.pages(tree).kids(pages.iter().map(|(page, ..)| *page)).count(count);
    for (id, name) in [(regular, &b"Courier"[..]), (bold, b"Courier-Bold")] {
        let mut font = pdf.type1_font(id);
        font.base_font(Name(name)).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (id, picture) in &pictures {
        let mut image = pdf.image_xobject(*id, picture.bytes());
        image
            .width(length(picture.width()).into())
            .height(length(picture.height()).into());
        // A set bit is a black dot.
        image.color_space().device_gray();
        image.bits_per_component(1).decode([1.0, 0.0]);
    }
    for (id, stream, page) in pages {
        let mut written = pdf.page(id);
        written
            .media_box(Rect::new(0.0, 0.0, PAGE.0.into(), PAGE.1.into()))
            .parent(tree)
            .contents(stream);
        let mut resources = written.resources();
        resources.fonts().pair(REGULAR, regular).pair(BOLD, bold);
        if !pictures.is_empty() {
            let mut objects = resources.x_objects();
            for (number, (picture, _)) in pictures.iter().enumerate() {
                objects.pair(Name(picture_name(number).as_bytes()), *picture);
            }
        }
        resources.finish();
        written.finish();
        pdf.stream(stream, page.content.as_bytes());
    }
    pdf.finish()
}
