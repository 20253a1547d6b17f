//! A sheet as the bytes that till printers understand (ESC/POS, as Epson's command reference and its imitations have it).
//!
//! ```text
//! ESC @          start anew                     ESC t 19   code page 858 (16: Windows-1252)
//! ESC E n        bold                           GS ! n     height 1 or 2
//! ESC a n        left, middle                   GS v 0     black dots
//! GS ( k         a QR code the printer makes    GS V 66    to the knife and cut
//! ```
//! Every text is in characters that both code pages have; nothing is left to the printer's own choice of page, which is where umlauts and the euro sign
//! go wrong.

use crate::bitmap::{Bitmap, QUIET_MODULES, qr};
use crate::characters::{page_858, win_ansi};
use crate::layout::{Line, Sheet, Weight};

const ESC: u8 = 0x1b;
const GS: u8 = 0x1d;

/// The code page of a printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodePage {
    /// Page 858, number 19 of nearly all printers: page 850 with the euro sign.
    #[default]
    Page858,
    /// Windows-1252, number 16: for printers whose number 19 is another one.
    Windows1252,
}

impl CodePage {
    /// Its number in `ESC t`.
    pub const fn number(self) -> u8 {
        match self {
            Self::Page858 => 19,
            Self::Windows1252 => 16,
        }
    }

    fn byte(self, character: char) -> u8 {
        match self {
            Self::Page858 => page_858(character),
            Self::Windows1252 => win_ansi(character),
        }
    }
}

/// Who makes the QR code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codes {
    /// The printer, which has it sharp and in a few hundred bytes.
    #[default]
    Native,
    /// We, as black dots: for printers that have no QR codes.
    Raster,
}

/// What a printer can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printer {
    /// Its code page.
    pub page: CodePage,
    /// Who makes QR codes.
    pub codes: Codes,
    /// Whether it has a knife.
    pub cuts: bool,
}

impl Default for Printer {
    fn default() -> Self {
        Self {
            page: CodePage::default(),
            codes: Codes::default(),
            cuts: true,
        }
    }
}

/// The side of a printed code in dots, at least: 35 mm at 203 dots an inch, which a phone reads from thermal paper.
const CODE_DOTS_MIN: usize = 280;

/// Dots of one module that readers tell apart (3 to 4 at 203 dots an inch), and the most that a printer makes.
const MODULE_DOTS: std::ops::RangeInclusive<usize> = 3..=8;

/// Bytes that one `GS ( k` may store as a code (Epson: 7,089 less the three of the function); longer contents have no QR code anyway.
const CODE_BYTES_MAX: usize = 7_089;

/// Lines that are fed before a receipt is torn off where there is no knife.
const FEED_LINES: u8 = 4;

/// The bytes for a printer.
pub fn render(sheet: &Sheet, printer: Printer) -> Vec<u8> {
    let mut out = vec![ESC, b'@', ESC, b't', printer.page.number()];
    let mut weight = Weight::Normal;
    let mut weigh = |out: &mut Vec<u8>, wanted: Weight| {
        if weight != wanted {
            out.extend([ESC, b'E', u8::from(wanted != Weight::Normal)]);
            out.extend([GS, b'!', u8::from(wanted == Weight::Tall)]);
            weight = wanted;
        }
    };
    for line in &sheet.lines {
        match line {
            Line::Text { text, weight } => {
                weigh(&mut out, *weight);
                out.extend(text.chars().map(|character| printer.page.byte(character)));
                out.push(b'\n');
            }
            Line::Rule => {
                weigh(&mut out, Weight::Normal);
                out.extend(std::iter::repeat_n(b'-', sheet.paper.columns()));
                out.push(b'\n');
            }
            Line::Picture(picture) => centred(&mut out, |out| raster(out, picture)),
            Line::Code(content) => {
                weigh(&mut out, Weight::Normal);
                code(&mut out, sheet, printer, content);
            }
        }
    }
    out.extend([ESC, b'd', FEED_LINES]);
    if printer.cuts {
        out.extend([GS, b'V', 66, 0]);
    }
    out
}

fn centred(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend([ESC, b'a', 1]);
    write(out);
    out.extend([ESC, b'a', 0]);
}

/// A code that is too long for one is left out: what it says stands above it in clear.
fn code(out: &mut Vec<u8>, sheet: &Sheet, printer: Printer, content: &str) {
    let Some(modules) = qr(content) else {
        return;
    };
    let dots = module_dots(modules.width(), sheet.paper.dots());
    centred(out, |out| match printer.codes {
        Codes::Native if content.len() <= CODE_BYTES_MAX => native(out, content, dots),
        Codes::Native | Codes::Raster => raster(out, &modules.enlarged(dots)),
    });
}

/// Dots of a module, so that the code is large enough for a phone and, with its white frame, no wider than the paper.
fn module_dots(modules_with_frame: usize, paper_dots: usize) -> usize {
    let modules = modules_with_frame.saturating_sub(2 * QUIET_MODULES).max(1);
    let most = (paper_dots / modules_with_frame.max(1)).min(*MODULE_DOTS.end()).max(1);
    CODE_DOTS_MIN.div_ceil(modules).max(*MODULE_DOTS.start()).min(most)
}

fn native(out: &mut Vec<u8>, content: &str, dots: usize) {
    let mut function = |number: u8, parameters: &[u8]| {
        let length = u16::try_from(parameters.len() + 2).unwrap_or(u16::MAX).to_le_bytes();
        out.extend([GS, b'(', b'k', length[0], length[1], b'1', number]);
        out.extend(parameters);
    };
    // Model 2; the size of a module; level M; the content; print it.
    function(b'A', b"2\0");
    function(b'C', &[u8::try_from(dots).unwrap_or(3)]);
    function(b'E', b"1");
    let mut stored = vec![b'0'];
    stored.extend(content.bytes());
    function(b'P', &stored);
    function(b'Q', b"0");
    out.push(b'\n');
}

fn raster(out: &mut Vec<u8>, picture: &Bitmap) {
    let size = |number: usize| u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes();
    out.extend([GS, b'v', b'0', 0]);
    out.extend(size(picture.stride()));
    out.extend(size(picture.height()));
    out.extend(picture.bytes());
}
