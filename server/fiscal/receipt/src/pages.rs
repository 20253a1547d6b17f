//! A4 pages as one PDF file: what receipts and reports have in common. It writes two fonts that every reader has, text, and pictures of black dots; there is no
//! date and no identifier in it, so that the same pages are the same bytes.
//!
//! Lengths are tenths of a point (1/720 inch); each page's own transformation makes points of them. It is no PDF/A: that would want fonts inside.

use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};
use wording::Language;

use crate::bitmap::Bitmap;
use crate::characters;

/// A4 in tenths of a point.
pub const PAGE: (i16, i16) = (5_950, 8_420);

/// Hundredths of a length that a dot of a picture takes: 203 dots an inch.
const DOT_HUNDREDTHS: i32 = 355;

const REGULAR: Name<'static> = Name(b"Text");
const BOLD: Name<'static> = Name(b"Bold");

/// Two of the fonts that every reader has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fonts {
    /// All letters as wide as six tenths of their size.
    Courier,
    /// Letters of their own widths.
    Helvetica,
}

impl Fonts {
    const fn names(self) -> [&'static [u8]; 2] {
        match self {
            Self::Courier => [b"Courier", b"Courier-Bold"],
            Self::Helvetica => [b"Helvetica", b"Helvetica-Bold"],
        }
    }
}

/// A number of dots, characters or pieces as a length; what no page has is as long as it gets.
pub fn length(number: usize) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

/// A page without anything on it.
pub fn blank() -> Content {
    let mut content = Content::new();
    content.transform([0.1, 0.0, 0.0, 0.1, 0.0, 0.0]);
    content
}

/// How letters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Letters {
    /// Their size.
    pub size: i16,
    /// Whether they are bold.
    pub bold: bool,
    /// Whether they are stretched upwards by three tenths.
    pub tall: bool,
}

/// A text in the characters that a page has.
pub fn plain(text: &str) -> String {
    characters::plain(text)
}

/// Writes a line of text from its left end on. What is not [`plain`] becomes a question mark.
pub fn show(content: &mut Content, text: &str, (x, y): (i16, i16), letters: Letters) {
    let bytes = text.chars().map(characters::win_ansi).collect::<Vec<_>>();
    let font = if letters.bold { BOLD } else { REGULAR };
    let stretch = if letters.tall { 1.3 } else { 1.0 };
    content.begin_text().set_font(font, letters.size.into());
    content.set_text_matrix([1.0, 0.0, 0.0, stretch, x.into(), y.into()]);
    content.show(Str(&bytes)).end_text();
}

/// A line from side to side.
pub fn rule(content: &mut Content, y: i16, (from, to): (i16, i16)) {
    content.set_line_width(5.0);
    content.move_to(from.into(), y.into());
    content.line_to(to.into(), y.into()).stroke();
}

/// Width and height of a picture.
pub fn size(picture: &Bitmap) -> (i16, i16) {
    let scaled = |dots: usize| {
        let tenths = i32::from(length(dots)) * DOT_HUNDREDTHS / 100;
        i16::try_from(tenths).unwrap_or(i16::MAX)
    };
    (scaled(picture.width()), scaled(picture.height()))
}

/// Places the picture with this number in the file, by its lower left corner.
pub fn place(content: &mut Content, number: usize, picture: &Bitmap, (x, y): (i16, i16)) {
    let (width, height) = size(picture);
    content.save_state();
    content.transform([width.into(), 0.0, 0.0, height.into(), x.into(), y.into()]);
    content.x_object(Name(picture_name(number).as_bytes())).restore_state();
}

fn picture_name(number: usize) -> String {
    format!("Picture{number}")
}

/// The file.
pub fn file(title: &str, language: Language, fonts: Fonts, pages: Vec<Content>, pictures: &[Bitmap]) -> Vec<u8> {
    let mut last = 0;
    let mut reference = || {
        last += 1;
        Ref::new(last)
    };
    let [catalog, tree, information, regular, bold] = std::array::from_fn(|_| reference());
    let pictures: Vec<_> = pictures.iter().map(|picture| (reference(), picture)).collect();
    let pages: Vec<_> = pages.into_iter().map(|page| (reference(), reference(), page)).collect();

    let mut pdf = Pdf::new();
    let mut root = pdf.catalog(catalog);
    root.pages(tree).lang(TextStr(language.code()));
    root.viewer_preferences().display_doc_title(true);
    root.finish();
    pdf.document_info(information).title(TextStr(title));
    let count = i32::from(length(pages.len()));
    pdf.pages(tree).kids(pages.iter().map(|(page, ..)| *page)).count(count);
    for (id, name) in [regular, bold].into_iter().zip(fonts.names()) {
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
        let (width, height) = (PAGE.0 / 10, PAGE.1 / 10);
        written
            .media_box(Rect::new(0.0, 0.0, width.into(), height.into()))
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
        pdf.stream(stream, page.as_bytes());
    }
    pdf.finish()
}
