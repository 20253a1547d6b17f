//! The event's logo: from a PNG to grey dots, scaled and dithered to the black dots of a till roll.

use png::{BitDepth, ColorType, Decoder, Transformations};

use crate::Bitmap;

/// The longest side of a logo that is read. A larger one is no logo, and would take the memory of a server.
pub const SIDE_MAX: u32 = 4_096;

/// Bytes that decoding may take.
const DECODE_BYTES_MAX: usize = 96 * 1024 * 1024;

/// Why a picture is no logo.
#[derive(Debug, thiserror::Error)]
pub enum LogoError {
    /// It cannot be read.
    #[error("the logo is no PNG that can be read: {0}; receipts go without it until another one is there")]
    Unreadable(#[from] png::DecodingError),
    /// It is empty or too large.
    #[error("the logo has {width} x {height} dots; at most {SIDE_MAX} on a side can be printed, and at least one")]
    Size {
        /// Dots in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
}

/// Grey dots, 0 is black.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    width: usize,
    height: usize,
    grey: Vec<u8>,
}

impl Logo {
    /// Reads a PNG of any kind. What is transparent is paper.
    pub fn from_png(bytes: &[u8]) -> Result<Self, LogoError> {
        let limits = png::Limits {
            bytes: DECODE_BYTES_MAX,
        };
        let mut decoder = Decoder::new_with_limits(std::io::Cursor::new(bytes), limits);
        decoder.set_transformations(Transformations::normalize_to_color8());
        let mut reader = decoder.read_info()?;
        let (width, height) = reader.info().size();
        let fits = |side: u32| (1..=SIDE_MAX).contains(&side);
        let size = reader
            .output_buffer_size()
            .filter(|_| fits(width) && fits(height))
            .ok_or(LogoError::Size { width, height })?;
        let mut dots = vec![0; size];
        let frame = reader.next_frame(&mut dots)?;
        debug_assert_eq!(frame.bit_depth, BitDepth::Eight, "the decoder was told so");
        let grey = match frame.color_type {
            ColorType::Grayscale | ColorType::Indexed => dots,
            ColorType::GrayscaleAlpha => dots.chunks_exact(2).map(over_paper).collect(),
            ColorType::Rgb => dots.chunks_exact(3).map(luma).collect(),
            ColorType::Rgba => dots.chunks_exact(4).map(over_paper).collect(),
        };
        Ok(Self {
            width: usize::try_from(width).unwrap_or_default(),
            height: usize::try_from(height).unwrap_or_default(),
            grey,
        })
    }

    /// The logo in black dots, within a frame and with its sides in proportion; it is made smaller, never larger.
    pub fn dithered(&self, width_max: usize, height_max: usize) -> Bitmap {
        let width = width_max
            .min(self.width)
            .min((self.width * height_max) / self.height.max(1))
            .max(1);
        let height = ((self.height * width) / self.width.max(1)).clamp(1, height_max.max(1));
        let mut bitmap = Bitmap::new(width, height);
        // Floyd and Steinberg: what a dot is too dark or too light goes to its neighbours, in sixteenths.
        let mut row = vec![0_i32; width + 2];
        for y in 0..height {
            let mut next = vec![0_i32; width + 2];
            for x in 0..width {
                let wanted =
                    i32::from(self.mean(x, y, width, height)) + row.get(x + 1).copied().unwrap_or_default() / 16;
                let is_black = wanted < 128;
                if is_black {
                    bitmap.blacken(x, y);
                }
                let error = wanted - if is_black { 0 } else { 255 };
                for (place, sixteenths) in [(&mut row, (x + 2, 7)), (&mut next, (x, 3))] {
                    spread(place, sixteenths, error);
                }
                spread(&mut next, (x + 1, 5), error);
                spread(&mut next, (x + 2, 1), error);
            }
            row = next;
        }
        bitmap
    }

    /// The mean grey of the dots that one dot of a smaller picture stands for.
    fn mean(&self, x: usize, y: usize, width: usize, height: usize) -> u8 {
        let span = |place: usize, of: usize, from: usize| {
            let begin = place * from / of;
            begin..((place + 1) * from / of).max(begin + 1).min(from)
        };
        let (mut sum, mut count) = (0_u64, 0_u64);
        for row in span(y, height, self.height) {
            for column in span(x, width, self.width) {
                sum += u64::from(self.grey.get(row * self.width + column).copied().unwrap_or(u8::MAX));
                count += 1;
            }
        }
        u8::try_from(sum / count.max(1)).unwrap_or(u8::MAX)
    }
}

fn spread(row: &mut [i32], (place, sixteenths): (usize, i32), error: i32) {
    if let Some(dot) = row.get_mut(place) {
        *dot += error * sixteenths;
    }
}

/// Brightness of red, green and blue (ITU-R BT.601), in thousandths.
fn luma(dot: &[u8]) -> u8 {
    let grey = match dot {
        [red, green, blue, ..] => (u32::from(*red) * 299 + u32::from(*green) * 587 + u32::from(*blue) * 114) / 1_000,
        [grey, ..] => u32::from(*grey),
        [] => 255,
    };
    u8::try_from(grey).unwrap_or(u8::MAX)
}

/// A dot whose last byte says how much of it is there, over white paper.
fn over_paper(dot: &[u8]) -> u8 {
    let Some((there, colour)) = dot.split_last() else {
        return u8::MAX;
    };
    let there = u32::from(*there);
    u8::try_from((u32::from(luma(colour)) * there + 255 * (255 - there)) / 255).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32, color: ColorType, dots: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(color);
        encoder.set_depth(BitDepth::Eight);
        encoder.write_header().unwrap().write_image_data(dots).unwrap();
        bytes
    }

    #[test]
    fn what_is_transparent_is_paper_and_colours_are_as_bright_as_they_look() {
        let dots = [0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 0, 255, 0, 0, 255, 255];
        let logo = Logo::from_png(&png(4, 1, ColorType::Rgba, &dots)).unwrap();
        assert_eq!(logo.grey, [255, 0, 225, 29]);
        assert_eq!(logo.dithered(100, 100).runs(0), [(1, 1), (3, 1)]);
    }

    #[test]
    fn a_large_logo_is_made_to_fit_and_keeps_its_grey() {
        let grey = vec![64; 600 * 300];
        let logo = Logo::from_png(&png(600, 300, ColorType::Grayscale, &grey)).unwrap();
        let bitmap = logo.dithered(384, 100);
        assert_eq!((bitmap.width(), bitmap.height()), (200, 100));
        let black: usize = (0..100).flat_map(|y| bitmap.runs(y)).map(|(_, run)| run).sum();
        // A quarter as bright as paper is three quarters black.
        assert!((14_800..15_200).contains(&black), "{black}");
    }

    #[test]
    fn what_is_no_logo_is_refused_and_harms_nothing() {
        for bytes in [&b""[..], b"GIF89a", &png(1, 1, ColorType::Grayscale, &[0])[..20]] {
            assert!(matches!(Logo::from_png(bytes), Err(LogoError::Unreadable(_))));
        }
        let wide = png(5_000, 1, ColorType::Grayscale, &[0; 5_000]);
        assert!(matches!(
            Logo::from_png(&wide),
            Err(LogoError::Size { width: 5_000, .. })
        ));
    }
}
