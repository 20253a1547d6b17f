//! Reading what TSEs encode: tag, length, value. DER, with the one liberty that TR-03151 takes: process data may have no length and an end mark.
//!
//! A library for DER refuses that form, and the bytes as they stand are what was signed: so this reader hands out slices of its input and never
//! encodes anything again.

use wording::Both;

/// An end mark of a value without a length.
const END: [u8; 2] = [0, 0];

/// Values without a length within each other; TR-03151 needs one.
const DEPTH_MAX: usize = 4;

/// Why bytes are not what a TSE may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.said().en)]
pub enum TlvFault {
    /// The bytes end within a value.
    Cut,
    /// A tag of more than one byte, which nothing here has.
    LongTag,
    /// A length that is not written in the fewest bytes, or of more than four.
    Length,
    /// Values without a length that lie too deep, or that are not made of parts.
    Indefinite,
}

impl TlvFault {
    /// It in words.
    pub const fn said(self) -> Both<&'static str> {
        match self {
            Self::Cut => Both::new("die Bytes enden zu früh", "the bytes end too early"),
            Self::LongTag => Both::new("ein Tag hat mehr als ein Byte", "there is a tag of more than one byte"),
            Self::Length => Both::new(
                "eine Länge ist nicht so geschrieben, wie DER es will",
                "a length is not written as DER wants it",
            ),
            Self::Indefinite => Both::new(
                "ein Wert ohne Länge ist hier nicht erlaubt",
                "a value without a length is not allowed here",
            ),
        }
    }
}

/// One value with its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// The tag.
    pub tag: u8,
    /// Tag, length and value as they stand.
    pub raw: &'a [u8],
    /// The value, without the end mark of one that has no length.
    pub value: &'a [u8],
}

impl Tlv<'_> {
    /// A whole number from zero to 2^64 - 1, in the fewest bytes.
    pub fn unsigned(&self) -> Option<u64> {
        let (first, rest) = self.value.split_first()?;
        let (digits, needless) = match (first, rest.first()) {
            (0, None) => return Some(0),
            (0, Some(next)) => (rest, *next < 0x80),
            _ => (self.value, false),
        };
        if *first >= 0x80 || needless || digits.len() > 8 {
            return None;
        }
        Some(digits.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

/// The values of a sequence of bytes, one after another.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    rest: &'a [u8],
}

impl<'a> Values<'a> {
    /// Of these bytes.
    pub const fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What has not been read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next value without taking it.
    pub fn peek(&self) -> Result<Option<Tlv<'a>>, TlvFault> {
        let mut copy = *self;
        copy.take()
    }

    /// The next value; none at the end.
    pub fn take(&mut self) -> Result<Option<Tlv<'a>>, TlvFault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (tlv, rest) = read(self.rest, 0)?;
        self.rest = rest;
        Ok(Some(tlv))
    }

    /// The next value, which has this tag.
    pub fn expect(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, TlvFault> {
        match self.peek()? {
            Some(tlv) if tlv.tag == tag => self.take(),
            _ => Ok(None),
        }
    }
}

fn read(bytes: &[u8], depth: usize) -> Result<(Tlv<'_>, &[u8]), TlvFault> {
    let (&tag, after) = bytes.split_first().ok_or(TlvFault::Cut)?;
    if tag & 0x1f == 0x1f {
        return Err(TlvFault::LongTag);
    }
    let (&first, after) = after.split_first().ok_or(TlvFault::Cut)?;
    let (header, length) = match first {
        0x80 => return without_length(bytes, tag, after, depth),
        0x00..0x80 => (2, usize::from(first)),
        _ => {
            let count = usize::from(first & 0x7f);
            let digits = after.get(..count).ok_or(TlvFault::Cut)?;
            let length = digits.iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
            if count > 4 || digits.first() == Some(&0) || length < 0x80 {
                return Err(TlvFault::Length);
            }
            (2 + count, usize::try_from(length).map_err(|_| TlvFault::Length)?)
        }
    };
    let end = header.checked_add(length).ok_or(TlvFault::Length)?;
    let (raw, rest) = bytes.split_at_checked(end).ok_or(TlvFault::Cut)?;
    let value = raw.get(header..).ok_or(TlvFault::Cut)?;
    Ok((Tlv { tag, raw, value }, rest))
}

fn without_length<'a>(
    bytes: &'a [u8],
    tag: u8,
    content: &'a [u8],
    depth: usize,
) -> Result<(Tlv<'a>, &'a [u8]), TlvFault> {
    let has_parts = tag & 0x20 != 0;
    if !has_parts || depth == DEPTH_MAX {
        return Err(TlvFault::Indefinite);
    }
    let mut rest = content;
    loop {
        if rest.is_empty() {
            return Err(TlvFault::Cut);
        }
        if let Some(after) = rest.strip_prefix(&END) {
            let value = content.get(..content.len() - rest.len()).ok_or(TlvFault::Cut)?;
            let raw = bytes.get(..bytes.len() - after.len()).ok_or(TlvFault::Cut)?;
            return Ok((Tlv { tag, raw, value }, after));
        }
        (_, rest) = read(rest, depth + 1)?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_come_out_as_slices_of_what_went_in() {
        let bytes = [0x02, 1, 5, 0xa2, 0x80, 0x04, 2, b'h', b'i', 0, 0, 0x04, 0];
        let mut values = Values::of(&bytes);
        let number = values.take().unwrap().unwrap();
        assert_eq!((number.tag, number.unsigned(), number.raw), (2, Some(5), &bytes[..3]));
        let data = values.take().unwrap().unwrap();
        assert_eq!(
            (data.tag, data.value, data.raw),
            (0xa2, &bytes[5..9], &bytes[3..11]),
            "the end mark belongs to the bytes and not to the value"
        );
        assert_eq!(values.rest(), [4, 0]);
        assert_eq!(values.take().unwrap().unwrap().value, [0; 0]);
        assert_eq!(values.take(), Ok(None));
    }

    #[test]
    fn what_is_not_allowed_is_told_why() {
        for (bytes, fault) in [
            (&[0x02][..], TlvFault::Cut),
            (&[0x02, 2, 1], TlvFault::Cut),
            (&[0x1f, 1, 1], TlvFault::LongTag),
            (&[0x02, 0x81, 1, 1], TlvFault::Length),
            (&[0x02, 0x82, 0, 0x80], TlvFault::Length),
            (&[0x02, 0x85, 1, 1, 1, 1, 1], TlvFault::Length),
            (&[0x04, 0x80, 0, 0], TlvFault::Indefinite),
            (&[0xa2, 0x80, 0x04, 1, 1], TlvFault::Cut),
            (
                &[0xa2, 0x80, 0xa2, 0x80, 0xa2, 0x80, 0xa2, 0x80, 0xa2, 0x80],
                TlvFault::Indefinite,
            ),
        ] {
            assert_eq!(Values::of(bytes).take(), Err(fault), "{bytes:02x?}");
        }
    }

    #[test]
    fn numbers_are_positive_and_have_no_needless_byte() {
        for (value, number) in [
            (&[0][..], Some(0)),
            (&[0x7f], Some(127)),
            (&[0, 0x80], Some(128)),
            (&[0, 255, 255, 255, 255, 255, 255, 255, 255], Some(u64::MAX)),
            (&[0x80], None),
            (&[0, 1], None),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0], None),
            (&[], None),
        ] {
            let tlv = Tlv {
                tag: 2,
                raw: value,
                value,
            };
            assert_eq!(tlv.unsigned(), number, "{value:02x?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_all_it_gives_lies_within_them(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut values = Values::of(&bytes);
            let mut read = 0;
            while let Ok(Some(tlv)) = values.take() {
                prop_assert!(tlv.value.len() <= tlv.raw.len());
                read += tlv.raw.len();
            }
            prop_assert!(read <= bytes.len());
        }
    }
}
