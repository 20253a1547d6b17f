//! What a chip holds, as read: 36 pages and the counter. Nothing here is believed yet.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::buffer::{BufferBytes, Credit, NEVER_USED};
use super::chain::{ChainId, Token};
use super::cipher::AesKey;
use super::header::Header;
use super::record::{Record, RecordBytes, Slot};
use super::{COUNTER_MAX, Uid};
use crate::ids::fixed_bytes;

/// First page of the purse.
pub const FIRST_PAGE: u8 = 0x04;
/// Last page of the purse.
pub const LAST_PAGE: u8 = 0x27;
/// First page that needs a session.
pub const FIRST_GUARDED_PAGE: u8 = 0x08;
/// Pages of a purse.
pub const PAGES: usize = 36;
/// Bytes of a purse.
pub const BYTES: usize = PAGES * 4;
/// Token buffers of a purse: three chains and one to spare.
pub const BUFFERS: usize = 4;

/// First page of a token buffer.
pub const fn buffer_page(buffer: usize) -> u8 {
    [0x08, 0x0C, 0x10, 0x14][buffer & 3]
}

/// First page of a record.
pub const fn slot_page(slot: Slot) -> u8 {
    match slot {
        Slot::First => 0x18,
        Slot::Second => 0x20,
    }
}

/// Pages 04 to 27 and counter 2 as they were read from a chip.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Image {
    /// The pages.
    pub pages: [[u8; 4]; PAGES],
    /// Counter 2: cents ever debited.
    pub counter: u32,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Image({}, {})", crate::ids::hex(&self.pages.concat()), self.counter)
    }
}

impl Image {
    /// Bytes of an image: pages and a counter of 24 bits.
    pub const WIRE_BYTES: usize = BYTES + 3;

    /// From bytes as read. `None` unless there are exactly 144 and the counter has 24 bits.
    pub fn new(bytes: &[u8], counter: u32) -> Option<Self> {
        let (pages, rest) = bytes.as_chunks::<4>();
        let pages = pages.try_into().ok()?;
        (rest.is_empty() && counter <= COUNTER_MAX).then_some(Self { pages, counter })
    }

    /// A page by its number on the chip.
    pub fn page(&self, page: u8) -> [u8; 4] {
        let index = usize::from(page.wrapping_sub(FIRST_PAGE));
        self.pages.get(index).copied().unwrap_or_default()
    }

    /// Puts a page in by its number on the chip. A page that is no purse page is a mistake of the caller.
    pub fn set_page(&mut self, page: u8, bytes: [u8; 4]) {
        assert!(
            (FIRST_PAGE..=LAST_PAGE).contains(&page),
            "page {page:02x} is not of the purse"
        );
        if let Some(place) = self.pages.get_mut(usize::from(page - FIRST_PAGE)) {
            *place = bytes;
        }
    }

    /// Pages from a first one on.
    fn run<const N: usize>(&self, first: u8) -> [u8; N] {
        let mut bytes = [0; N];
        let from = self.pages.iter().skip(usize::from(first - FIRST_PAGE)).flatten();
        for (to, from) in bytes.iter_mut().zip(from) {
            *to = *from;
        }
        bytes
    }

    /// The header, if it is one of a purse.
    pub fn header(&self) -> Option<Header> {
        Header::read(self.run(FIRST_PAGE))
    }

    /// The free text of pages 06 and 07, such as the number that is printed on the wristband. Nothing vouches for it.
    pub fn text(&self) -> [u8; 8] {
        self.run(0x06)
    }

    /// One token buffer.
    pub fn buffer(&self, buffer: usize) -> BufferBytes {
        self.run(buffer_page(buffer))
    }

    /// One record.
    pub fn slot(&self, slot: Slot) -> RecordBytes {
        self.run(slot_page(slot))
    }

    /// What a chip holds when it leaves the place where it is encoded.
    pub fn fresh(header: &Header, text: [u8; 8], anchors: &[Token; 3], record_key: &AesKey, uid: Uid) -> Self {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.extend_from_slice(&header.bytes());
        bytes.extend_from_slice(&text);
        for (chain, token) in ChainId::ALL.iter().zip(anchors) {
            let credit = Credit {
                chain: *chain,
                units: 0,
                hint: 0,
                token: *token,
            };
            bytes.extend_from_slice(&credit.bytes());
        }
        bytes.extend_from_slice(&NEVER_USED);
        bytes.extend_from_slice(&Record::first().bytes(record_key, uid, Slot::First));
        bytes.resize(BYTES, 0);
        Self::new(&bytes, 0).unwrap_or_else(|| unreachable!("144 bytes"))
    }

    /// Pages and counter in one row, as a journal keeps them.
    pub fn wire(&self) -> [u8; Self::WIRE_BYTES] {
        let [c0, c1, c2, _] = self.counter.to_le_bytes();
        let mut wire = [0; Self::WIRE_BYTES];
        for (to, from) in wire.iter_mut().zip(self.pages.iter().flatten().chain(&[c0, c1, c2])) {
            *to = *from;
        }
        wire
    }

    /// From [`Image::wire`].
    pub fn from_wire(wire: [u8; Self::WIRE_BYTES]) -> Self {
        let (pages, counter) = wire.as_chunks::<4>();
        let counter = match counter {
            [c0, c1, c2] => u32::from_le_bytes([*c0, *c1, *c2, 0]),
            _ => unreachable!("147 is 36 pages and three bytes"),
        };
        let pages = pages.try_into().unwrap_or_else(|_| unreachable!("36 pages"));
        Self { pages, counter }
    }
}

impl Serialize for Image {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.wire())
    }
}

impl<'de> Deserialize<'de> for Image {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed_bytes(deserializer).map(Self::from_wire)
    }
}
