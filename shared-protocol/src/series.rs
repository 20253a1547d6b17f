//! A file as a series of QR texts, for two devices that have nothing between them but a screen and a camera.
//!
//! A text is `GRS1` and then, in Base45 (RFC 9285: QR codes have a denser alphabet for capitals and digits), 8 bytes that name the file by its hash, its place
//! and the number of parts (2 bytes each, big endian), and the next bytes of the file. Parts may be scanned in any order and more than once.

use std::collections::BTreeMap;

use crate::crypto::Hash32;

const PREFIX: &str = "GRS1";

/// Bytes of the file in one text: a code of about 60 modules a side, which a cheap camera reads off a phone's screen at arm's length.
pub const PART_BYTES: usize = 360;

/// The largest file that goes this way. At five codes a second it takes ten minutes; more goes by cable.
pub const FILE_MAX_BYTES: usize = 1024 * 1024;

const NAME_BYTES: usize = 8;
const LEAD_BYTES: usize = NAME_BYTES + 4;
const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

fn name_of(file: &[u8]) -> [u8; NAME_BYTES] {
    let digest = Hash32::of("groschen series 1", &[file]);
    let mut name = [0; NAME_BYTES];
    name.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    name
}

fn base45(bytes: &[u8]) -> String {
    let letter = |digit: u32| {
        let digit = usize::try_from(digit).unwrap_or_default();
        ALPHABET.get(digit).map_or('0', |letter| char::from(*letter))
    };
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    for pair in bytes.chunks(2) {
        let value = pair.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
        text.extend([letter(value % 45), letter(value / 45 % 45)]);
        text.extend((pair.len() == 2).then(|| letter(value / 2_025)));
    }
    text
}

// By hand: the crate base45 (3.2) cuts a last pair of letters that is more than a byte down to one, where what was misread has to be refused.
fn from_base45(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: &u8| {
        ALPHABET
            .iter()
            .zip(0_u32..)
            .find(|(known, _)| *known == letter)
            .map(|(_, at)| at)
    };
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for letters in text.as_bytes().chunks(3) {
        let digits = letters.iter().map(digit).collect::<Option<Vec<u32>>>()?;
        let value = digits.iter().rev().fold(0, |value, digit| value * 45 + digit);
        match digits.len() {
            3 => bytes.extend(u16::try_from(value).ok()?.to_be_bytes()),
            2 => bytes.push(u8::try_from(value).ok()?),
            _ => return None,
        }
    }
    Some(bytes)
}

/// A file is too large to go by codes, or there is nothing in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a file of 1 to {FILE_MAX_BYTES} bytes goes by codes; take a cable for a larger one")]
pub struct NoSeries;

/// The texts of a file.
pub fn texts(file: &[u8]) -> Result<Vec<String>, NoSeries> {
    if file.is_empty() || file.len() > FILE_MAX_BYTES {
        return Err(NoSeries);
    }
    let name = name_of(file);
    let count = u16::try_from(file.len().div_ceil(PART_BYTES)).map_err(|_| NoSeries)?;
    let text = |(part, index): (&[u8], u16)| {
        let lead = [&name[..], &index.to_be_bytes(), &count.to_be_bytes(), part];
        format!("{PREFIX}{}", base45(&lead.concat()))
    };
    Ok(file.chunks(PART_BYTES).zip(0..).map(text).collect())
}

/// Why a text was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Another code.
    #[error("this is none of the codes")]
    Foreign,
    /// A part of another file than the one that is being collected.
    #[error("this code belongs to another series")]
    OtherSeries,
    /// All parts are there and do not make the file: a code was not shown by who showed the others.
    #[error("these codes do not belong together; begin again")]
    Mixed,
}

/// Collects the parts of one file.
#[derive(Debug, Clone, Default)]
pub struct Collector {
    /// The name of the file and the number of its parts, once the first one came.
    series: Option<([u8; NAME_BYTES], u16)>,
    parts: BTreeMap<u16, Vec<u8>>,
}

impl Collector {
    /// Takes a text; gives the whole file when it was the last one that was missing. After [`NotTaken::Mixed`] it is empty again.
    pub fn take(&mut self, text: &str) -> Result<Option<Vec<u8>>, NotTaken> {
        let letters = text.strip_prefix(PREFIX).ok_or(NotTaken::Foreign)?;
        if letters.len() > (LEAD_BYTES + PART_BYTES).div_ceil(2) * 3 {
            return Err(NotTaken::Foreign);
        }
        let bytes = from_base45(letters).ok_or(NotTaken::Foreign)?;
        let (name, rest) = bytes.split_first_chunk().ok_or(NotTaken::Foreign)?;
        let (index, rest) = rest.split_first_chunk().ok_or(NotTaken::Foreign)?;
        let (count, part) = rest.split_first_chunk().ok_or(NotTaken::Foreign)?;
        let (index, count) = (u16::from_be_bytes(*index), u16::from_be_bytes(*count));
        let is_whole = part.len() == PART_BYTES || index.checked_add(1) == Some(count) && !part.is_empty();
        if index >= count || usize::from(count) > FILE_MAX_BYTES.div_ceil(PART_BYTES) || !is_whole {
            return Err(NotTaken::Foreign);
        }
        if *self.series.get_or_insert((*name, count)) != (*name, count) {
            return Err(NotTaken::OtherSeries);
        }
        self.parts.insert(index, part.to_vec());
        if self.parts.len() < usize::from(count) {
            return Ok(None);
        }
        let file = self.parts.values().flatten().copied().collect::<Vec<u8>>();
        if name_of(&file) == *name {
            return Ok(Some(file));
        }
        *self = Self::default();
        Err(NotTaken::Mixed)
    }

    /// How many parts there are; none before the first one came.
    pub fn count(&self) -> Option<u16> {
        self.series.map(|(_, count)| count)
    }

    /// Places of the parts that are missing, from 0.
    pub fn missing(&self) -> impl Iterator<Item = u16> {
        (0..self.count().unwrap_or_default()).filter(|index| !self.parts.contains_key(index))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(length: usize) -> Vec<u8> {
        (0..length).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect()
    }

    #[test]
    fn base45_is_that_of_the_rfc() {
        assert_eq!(base45(b"AB"), "BB8");
        assert_eq!(base45(b"Hello!!"), "%69 VD92EX0");
        assert_eq!(base45(b"base-45"), "UJCLQE7W581");
        assert_eq!(from_base45("QED8WEX0").unwrap(), b"ietf!");
        for wrong in ["GGW", "ab", "A", "::", "::::", "ß"] {
            assert_eq!(from_base45(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_collector_says_what_is_missing() {
        let texts = texts(&file(PART_BYTES * 2 + 1)).unwrap();
        let mut collector = Collector::default();
        assert_eq!((collector.count(), collector.missing().count()), (None, 0));
        assert_eq!(collector.take(&texts[2]), Ok(None));
        assert_eq!(
            (collector.count(), collector.missing().collect::<Vec<_>>()),
            (Some(3), vec![0, 1])
        );
    }

    #[test]
    fn other_codes_and_other_series_are_not_taken() {
        let (one, other) = (texts(&file(1_000)).unwrap(), texts(&file(1_001)).unwrap());
        let mut collector = Collector::default();
        assert_eq!(collector.take(&one[0]), Ok(None));
        assert_eq!(collector.take(&other[1]), Err(NotTaken::OtherSeries));
        let short = &one[1][..one[1].len() - 3];
        let long = format!("{}{}", one[1], "0".repeat(3_000));
        for wrong in ["", "GRS1", "GROSCHEN:1:AA", short, &long, "GRS10000000000000000000"] {
            assert_eq!(collector.take(wrong), Err(NotTaken::Foreign), "{wrong}");
        }
        assert_eq!(texts(&[]), Err(NoSeries));
        assert_eq!(texts(&vec![0; FILE_MAX_BYTES + 1]), Err(NoSeries));
    }

    #[test]
    fn a_part_that_was_put_there_spoils_the_series_and_nothing_else() {
        let whole = file(700);
        let texts = texts(&whole).unwrap();
        let mut forged = from_base45(texts[0].strip_prefix(PREFIX).unwrap()).unwrap();
        forged[LEAD_BYTES] ^= 1;
        let mut collector = Collector::default();
        assert_eq!(collector.take(&format!("{PREFIX}{}", base45(&forged))), Ok(None));
        assert_eq!(collector.take(&texts[1]), Err(NotTaken::Mixed));
        assert_eq!(collector.take(&texts[1]), Ok(None));
        assert_eq!(collector.take(&texts[0]), Ok(Some(whole)));
    }

    proptest! {
        #[test]
        fn a_file_comes_back_in_any_order_with_repetitions(
            file in prop::collection::vec(any::<u8>(), 1..3_000),
            order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        ) {
            let texts = texts(&file).unwrap();
            prop_assert!(texts.iter().all(|text| text.bytes().all(|letter| ALPHABET.contains(&letter))));
            let mut collector = Collector::default();
            let scanned = order.iter().map(|at| at.get(&texts)).chain(texts.iter());
            let mut came = None;
            for text in scanned {
                came = came.or(collector.take(text).unwrap());
            }
            prop_assert_eq!(came, Some(file));
        }

        #[test]
        fn no_text_breaks_a_collector(text in "(GRS1)?[0-9A-Z $%*+./:-]{0,60}") {
            let _taken = Collector::default().take(&text);
        }
    }
}
