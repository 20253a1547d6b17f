//! Pictures of black dots, as printers and PDF want them, and QR codes as such.

use qrcodegen::{QrCode, QrCodeEcc};

/// Dots of white around a code that readers need, in modules (ISO/IEC 18004, 6.3.8).
pub const QUIET_MODULES: usize = 4;

/// Black dots on white. Rows are whole bytes, the highest bit is the leftmost dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    width: usize,
    height: usize,
    rows: Vec<u8>,
}

impl Bitmap {
    /// All white.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            rows: vec![0; width.div_ceil(8) * height],
        }
    }

    /// Dots in a row.
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub const fn height(&self) -> usize {
        self.height
    }

    /// Bytes in a row.
    pub const fn stride(&self) -> usize {
        self.width.div_ceil(8)
    }

    /// The bytes, row by row from the top.
    pub fn bytes(&self) -> &[u8] {
        &self.rows
    }

    /// Whether a dot is black; outside all is white.
    pub fn is_black(&self, x: usize, y: usize) -> bool {
        let byte = (x < self.width && y < self.height).then(|| self.rows.get(y * self.stride() + x / 8));
        byte.flatten().is_some_and(|byte| byte & (0x80 >> (x % 8)) != 0)
    }

    /// Makes a dot black; outside nothing happens.
    pub fn blacken(&mut self, x: usize, y: usize) {
        let place = y * self.stride() + x / 8;
        if let Some(byte) = self.rows.get_mut(place).filter(|_| x < self.width && y < self.height) {
            *byte |= 0x80 >> (x % 8);
        }
    }

    /// The black runs of a row: where each begins and how long it is.
    pub fn runs(&self, y: usize) -> Vec<(usize, usize)> {
        let mut runs = Vec::new();
        let mut begun = None;
        for x in 0..=self.width {
            match (self.is_black(x, y), begun) {
                (true, None) => begun = Some(x),
                (false, Some(from)) => {
                    runs.push((from, x - from));
                    begun = None;
                }
                _ => {}
            }
        }
        runs
    }

    /// As a PNG of one bit a dot, for screens; empty when there is nothing to see.
    pub fn png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (Ok(width), Ok(height)) = (u32::try_from(self.width), u32::try_from(self.height)) else {
            return bytes;
        };
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        // There a set bit is white.
        let white: Vec<u8> = self.rows.iter().map(|byte| !byte).collect();
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&white)?;
            writer.finish()
        });
        if written.is_ok() { bytes } else { Vec::new() }
    }

    /// Every dot as a square of `times` dots.
    #[must_use]
    pub fn enlarged(&self, times: usize) -> Self {
        let mut large = Self::new(self.width * times, self.height * times);
        for y in 0..self.height {
            for (from, run) in self.runs(y) {
                for row in y * times..(y + 1) * times {
                    for x in from * times..(from + run) * times {
                        large.blacken(x, row);
                    }
                }
            }
        }
        large
    }
}

/// A QR code, one dot a module, with its white frame; none when the content is too long for any code. Level M, as DSFinV-K's annex recommends.
pub fn qr(content: &str) -> Option<Bitmap> {
    let code = QrCode::encode_text(content, QrCodeEcc::Medium).ok()?;
    let size = usize::try_from(code.size()).ok()?;
    let mut bitmap = Bitmap::new(size + 2 * QUIET_MODULES, size + 2 * QUIET_MODULES);
    for (y, row) in (0..code.size()).zip(QUIET_MODULES..) {
        for (x, column) in (0..code.size()).zip(QUIET_MODULES..) {
            if code.get_module(x, y) {
                bitmap.blacken(column, row);
            }
        }
    }
    Some(bitmap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_stay_where_they_are_put_and_outside_is_white() {
        let mut bitmap = Bitmap::new(11, 2);
        for x in [0, 1, 8, 10, 11] {
            bitmap.blacken(x, 1);
        }
        bitmap.blacken(0, 2);
        assert_eq!(bitmap.bytes(), [0, 0, 0b1100_0000, 0b1010_0000]);
        assert_eq!(bitmap.runs(1), [(0, 2), (8, 1), (10, 1)]);
        assert!(!bitmap.is_black(16, 0));
        let large = bitmap.enlarged(3);
        assert_eq!((large.width(), large.height()), (33, 6));
        assert_eq!(large.runs(5), [(0, 6), (24, 3), (30, 3)]);
        assert_eq!(large.runs(2), []);
    }

    #[test]
    fn on_a_screen_black_stays_black() {
        let mut bitmap = Bitmap::new(11, 2);
        bitmap.blacken(10, 1);
        let logo = crate::Logo::from_png(&bitmap.png()).unwrap();
        assert_eq!(logo.dithered(11, 2), bitmap);
        assert_eq!(Bitmap::new(0, 3).png(), []);
    }

    #[test]
    fn a_code_has_its_white_frame_and_too_much_is_none() {
        let code = qr("groschen").unwrap();
        assert_eq!(code.width(), 21 + 8);
        assert_eq!(code.runs(3), []);
        assert_eq!(code.runs(4).first(), Some(&(4, 7)));
        assert_eq!(qr(&"x".repeat(5_000)), None);
    }
}
