//! A till printer in a few lines: it understands the commands it is told and nothing else, and what is on its paper is compared with the layout.

use receipt::escpos::{self, CodePage, Codes, Printer};
use receipt::layout::{self, Line, Weight};
use receipt::{Bitmap, Logo, Paper, Sheet};
use wording::Language;

use crate::cases;

/// Characters of Latin-1 and the euro sign as the manuals of printers table them, from byte 128 on; what a receipt never holds is a question mark.
const PAGE_858: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»?????ÁÂÀ©????¢¥???????ãÃ???????¤ðÐÊËÈ€ÍÎÏ????¦Ì?ÓßÔÒõÕµþÞÚÛÙýÝ¯´?±?¾¶§÷¸°¨·¹³²??";

#[derive(Debug, PartialEq, Eq)]
enum Printed {
    Text(String, Weight),
    Code(Vec<u8>),
    Dots(Bitmap),
}

#[derive(Default)]
struct Paperwork {
    printed: Vec<Printed>,
    cut: bool,
    fed: u8,
}

struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at_checked(count).expect("the command is whole");
        self.bytes = rest;
        taken
    }

    fn byte(&mut self) -> u8 {
        self.take(1)[0]
    }

    fn number(&mut self) -> usize {
        let pair = self.take(2);
        usize::from(pair[0]) | usize::from(pair[1]) << 8
    }
}

/// Prints. The width of the paper in dots is what no picture may go beyond.
fn print(bytes: &[u8], paper_dots: usize) -> Paperwork {
    let mut reader = Reader { bytes };
    let mut paper = Paperwork::default();
    let (mut page, mut bold, mut tall, mut middle) = (0, false, false, false);
    let (mut module, mut stored) = (0, Vec::new());
    let mut line: Option<String> = None;
    while !reader.bytes.is_empty() {
        match reader.byte() {
            b'\n' => {
                // After a code the line that it stands on ends.
                let after_code = matches!(paper.printed.last(), Some(Printed::Code(_))) && middle;
                if !after_code {
                    let weight = match (bold, tall) {
                        (true, true) => Weight::Tall,
                        (true, false) => Weight::Bold,
                        (false, false) => Weight::Normal,
                        (false, true) => panic!("high letters are bold"),
                    };
                    assert!(!middle, "text brings its own spaces");
                    paper
                        .printed
                        .push(Printed::Text(line.take().unwrap_or_default(), weight));
                }
            }
            0x1b => match reader.byte() {
                b'@' => (page, bold, tall, middle) = (0, false, false, false),
                b't' => page = reader.byte(),
                b'E' => bold = reader.byte() == 1,
                b'a' => middle = reader.byte() == 1,
                b'd' => paper.fed = reader.byte(),
                other => panic!("ESC {other:#x}"),
            },
            0x1d => match reader.byte() {
                b'!' => tall = reader.byte() == 1,
                b'V' => {
                    assert_eq!(reader.take(2), [66, 0]);
                    paper.cut = true;
                }
                b'v' => {
                    assert_eq!(reader.take(2), [b'0', 0]);
                    let (stride, height) = (reader.number(), reader.number());
                    assert!(stride * 8 <= paper_dots, "wider than the paper");
                    let data = reader.take(stride * height);
                    let mut dots = Bitmap::new(stride * 8, height);
                    for (place, byte) in data.iter().enumerate() {
                        for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                            dots.blacken(place % stride * 8 + bit, place / stride);
                        }
                    }
                    paper.printed.push(Printed::Dots(dots));
                }
                b'(' => {
                    assert_eq!(reader.byte(), b'k');
                    let length = reader.number();
                    let (function, parameters) = reader.take(length).split_at(2);
                    match (function, parameters) {
                        (b"1A", b"2\0") | (b"1E", b"1") => {}
                        (b"1C", [dots]) => module = usize::from(*dots),
                        (b"1P", [b'0', content @ ..]) => stored = content.to_vec(),
                        (b"1Q", b"0") => {
                            let code = receipt::bitmap::qr(&String::from_utf8_lossy(&stored)).expect("short enough");
                            assert!(code.width() * module <= paper_dots, "wider than the paper");
                            assert!((code.width() - 8) * module >= 240, "too small for a phone");
                            paper.printed.push(Printed::Code(std::mem::take(&mut stored)));
                        }
                        other => panic!("GS ( k {other:?}"),
                    }
                }
                other => panic!("GS {other:#x}"),
            },
            letter => {
                let character = match (letter, page) {
                    (0x20..=0x7e, _) | (0xa1.., 16) => char::from(letter),
                    (0x80.., 19) => PAGE_858.chars().nth(usize::from(letter) - 0x80).expect("128 of them"),
                    (0x80, 16) => '€',
                    (0x83, 16) => 'ƒ',
                    other => panic!("no letter: {other:?}"),
                };
                line.get_or_insert_default().push(character);
            }
        }
    }
    assert_eq!(line, None, "the last line is printed");
    paper
}

/// The content of a code in black dots.
pub fn read_code(dots: &Bitmap) -> String {
    let (width, height) = (dots.width(), dots.height());
    let place = |y: usize| (0..width).map(move |x| (x, y));
    let grey: Vec<u8> = (0..height)
        .flat_map(place)
        .map(|(x, y)| if dots.is_black(x, y) { 0 } else { 255 })
        .collect();
    let mut reader = quircs::Quirc::default();
    let code = reader
        .identify(width, height, &grey)
        .next()
        .expect("a code in the picture");
    let payload = code
        .expect("a whole code")
        .decode()
        .expect("a code without damage")
        .payload;
    String::from_utf8(payload).expect("text")
}

fn what_is_on_paper_is_the_layout(sheet: &Sheet, printer: Printer) {
    let paper = print(&escpos::render(sheet, printer), sheet.paper.dots());
    assert_eq!((paper.cut, paper.fed), (printer.cuts, 4));
    assert_eq!(paper.printed.len(), sheet.lines.len());
    for (printed, line) in paper.printed.iter().zip(&sheet.lines) {
        match (printed, line) {
            (Printed::Text(is, as_heavy), Line::Text { text, weight }) => assert_eq!((is, as_heavy), (text, weight)),
            (Printed::Text(is, Weight::Normal), Line::Rule) => assert_eq!(is, &"-".repeat(sheet.paper.columns())),
            (Printed::Code(is), Line::Code(content)) => assert_eq!(is, content.as_bytes()),
            (Printed::Dots(dots), Line::Code(content)) => assert_eq!(&read_code(dots), content),
            (Printed::Dots(dots), Line::Picture(picture)) => assert_eq!(dots.bytes(), picture.bytes()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_printer_prints_the_lines_of_the_preview_and_the_code_leads_to_its_content() {
    for case in cases::all() {
        let mut content = case.content();
        content.logo = Some(crate::cases::logo());
        for language in Language::ALL {
            for paper in [Paper::Mm58, Paper::Mm80] {
                let sheet = layout::sheet(&content, language, paper);
                for page in [CodePage::Page858, CodePage::Windows1252] {
                    for codes in [Codes::Native, Codes::Raster] {
                        let printer = Printer {
                            page,
                            codes,
                            cuts: codes == Codes::Native,
                        };
                        what_is_on_paper_is_the_layout(&sheet, printer);
                    }
                }
            }
        }
    }
}

#[test]
fn a_logo_is_no_wider_than_the_paper() {
    let logo: Logo = crate::cases::logo();
    for paper in [Paper::Mm58, Paper::Mm80] {
        let dots = logo.dithered(paper.dots(), 200);
        assert!(dots.width() <= paper.dots() && dots.height() <= 200);
    }
}
