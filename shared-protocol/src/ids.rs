//! Typed ids. A `TillId` is not a `TerminalId`, and the compiler says so.
//!
//! Ids that devices make are opaque 16 bytes from passed-in time and entropy; nothing sorts or dates by them. What an event's
//! admin numbers (articles, assets, tills, staff …) are small integers, because people read them on reports and orders carry them
//! in every line.

use std::fmt;

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads exactly `N` bytes from a CBOR byte string.
struct FixedBytes<const N: usize>;

impl<const N: usize> Visitor<'_> for FixedBytes<N> {
    type Value = [u8; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a byte string of {N} bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, v: &[u8]) -> Result<Self::Value, E> {
        v.try_into().map_err(|_| E::invalid_length(v.len(), &self))
    }
}

/// Reads a byte string of exactly `N` bytes.
pub(crate) fn fixed_bytes<'de, D: Deserializer<'de>, const N: usize>(deserializer: D) -> Result<[u8; N], D::Error> {
    deserializer.deserialize_bytes(FixedBytes::<N>)
}

/// Writes bytes as two hexadecimal digits each.
pub(crate) fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Two hexadecimal digits for each byte.
pub fn hex(bytes: &[u8]) -> String {
    struct Hex<'a>(&'a [u8]);
    impl fmt::Display for Hex<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write_hex(f, self.0)
        }
    }
    Hex(bytes).to_string()
}

/// Reads an even number of hexadecimal digits.
pub fn parse_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? << 4 | digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

macro_rules! opaque_id {
    ($($(#[$meta:meta])* $name:ident,)+) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// The bytes as they stand on the wire.
            pub const fn bytes(&self) -> &[u8; 16] { &self.0 }

            /// From stored bytes; `None` unless there are exactly 16.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> { bytes.try_into().ok().map(Self) }

            /// From 32 hexadecimal digits, as `Display` writes them.
            pub fn parse(text: &str) -> Option<Self> { Self::from_slice(&parse_hex(text)?) }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write_hex(f, &self.0) }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "("))?;
                write_hex(f, &self.0)?;
                f.write_str(")")
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> { serializer.serialize_bytes(&self.0) }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> { fixed_bytes(deserializer).map(Self) }
        }
    )+};
}

opaque_id! {
    /// Whose books these are: one organisation is one journal, one hash chain, one database.
    OrganisationId,
    /// One festival, the first part of every order, account and terminal row.
    EventId,
    /// One registered device with one key. A device that registers again is another terminal.
    TerminalId,
    /// A registration slot that an admin opened for one till.
    SlotId,
    /// A cashier's session at a till, from login to logout.
    SessionId,
    /// A cart, made at its first item; it is what a TSE start names.
    CartId,
    /// An order, made with its journal entry; the idempotency key of its booking.
    OrderId,
    /// A payment group: the orders that one cart of several taxpayers, or one split, became.
    GroupId,
    /// An authorisation: money of a wristband held for a cart.
    HoldId,
    /// One start of a terminal's program; monotonic milliseconds compare only within it.
    BootId,
    /// A command from the server to a terminal.
    CommandId,
    /// A question of a terminal and the answer to it.
    RequestId,
}

macro_rules! small_id {
    ($($(#[$meta:meta])* $name:ident: $int:ty,)+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
    )+};
}

small_id! {
    /// An article of the event's catalogue. Numbers are never used again for something else.
    ArticleId: u32,
    /// An asset of the ledger; [`AssetId::EURO`] is the event's currency.
    AssetId: u16,
    /// A business with its own tax number that sells at the event.
    TaxpayerId: u16,
    /// A stand: a bar, a food stall, a top-up desk.
    StandId: u16,
    /// A till of a stand, the place a terminal is registered for.
    TillId: u32,
    /// A person of the staff list.
    StaffId: u32,
}

impl AssetId {
    /// The event's currency, in cents.
    pub const EURO: Self = Self(0);
}

/// The shortest and longest unique id of a contactless chip in bytes (ISO/IEC 14443-3: single, double or triple size).
const TAG_BYTES: std::ops::RangeInclusive<usize> = 4..=10;

/// A wristband by the unique id of its chip (4, 7 or 10 bytes as ISO/IEC 14443-3 allows; any length between is kept as read).
///
/// Invariant: unused bytes are zero, so that equality is that of the id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagId {
    len: u8,
    bytes: [u8; 10],
}

impl TagId {
    /// From a chip's unique id; `None` unless it has 4 to 10 bytes.
    pub fn from_slice(uid: &[u8]) -> Option<Self> {
        if !TAG_BYTES.contains(&uid.len()) {
            return None;
        }
        let mut bytes = [0; 10];
        bytes.get_mut(..uid.len())?.copy_from_slice(uid);
        Some(Self {
            len: u8::try_from(uid.len()).ok()?,
            bytes,
        })
    }

    /// The unique id's bytes.
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    /// From hexadecimal digits, as `Display` writes them.
    pub fn parse(text: &str) -> Option<Self> {
        Self::from_slice(&parse_hex(text)?)
    }

    /// As readers and labels write it: in groups, in capitals or not.
    pub fn typed(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|one| !matches!(one, ' ' | ':' | '-')).collect();
        Self::parse(&digits.to_lowercase())
    }
}

impl fmt::Display for TagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, self.as_slice())
    }
}

impl fmt::Debug for TagId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TagId({self})")
    }
}

impl Serialize for TagId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.as_slice())
    }
}

struct TagVisitor;

impl Visitor<'_> for TagVisitor {
    type Value = TagId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte string of 4 to 10 bytes")
    }

    fn visit_bytes<E: serde::de::Error>(self, v: &[u8]) -> Result<TagId, E> {
        TagId::from_slice(v).ok_or_else(|| E::invalid_length(v.len(), &self))
    }
}

impl<'de> Deserialize<'de> for TagId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(TagVisitor)
    }
}

/// Raw bytes of any length, as a CBOR byte string (serde would write a `Vec<u8>` as a list of numbers: twice the size).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bytes(")?;
        write_hex(f, &self.0)?;
        f.write_str(")")
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

struct BytesVisitor;

impl Visitor<'_> for BytesVisitor {
    type Value = Bytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte string")
    }

    fn visit_bytes<E: serde::de::Error>(self, v: &[u8]) -> Result<Bytes, E> {
        Ok(Bytes(v.to_vec()))
    }

    fn visit_byte_buf<E: serde::de::Error>(self, v: Vec<u8>) -> Result<Bytes, E> {
        Ok(Bytes(v))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_byte_buf(BytesVisitor)
    }
}

/// Makes a fresh opaque id from the wall clock and entropy that the shell passes in.
///
/// The first six bytes are the milliseconds, so that ids made one after the other lie beside each other in the server's index; the
/// layout is that of UUID version 7 (RFC 9562, 5.7). Nobody may read the time back out of it.
pub fn mint(wall_ms: u64, entropy: [u8; 10]) -> [u8; 16] {
    let [.., t0, t1, t2, t3, t4, t5] = wall_ms.to_be_bytes();
    let [e0, e1, e2, e3, e4, e5, e6, e7, e8, e9] = entropy;
    [
        t0,
        t1,
        t2,
        t3,
        t4,
        t5,
        0x70 | (e0 & 0x0f),
        e1,
        0x80 | (e2 & 0x3f),
        e3,
        e4,
        e5,
        e6,
        e7,
        e8,
        e9,
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_ids_keep_their_length_and_refuse_others() {
        let uid = TagId::from_slice(&[4, 0xa1, 0, 0, 0, 0, 0]).unwrap();
        assert_eq!(uid.to_string(), "04a10000000000");
        assert_ne!(uid, TagId::from_slice(&[4, 0xa1, 0, 0]).unwrap());
        assert_eq!(TagId::from_slice(&[1, 2, 3]), None);
        assert_eq!(TagId::from_slice(&[0; 11]), None);
        assert_eq!(TagId::parse(&uid.to_string()), Some(uid));
        assert_eq!(TagId::parse("xyz"), None);
    }

    #[test]
    fn minted_ids_of_one_millisecond_differ_by_entropy_only() {
        let first = mint(1_700_000_000_000, [1; 10]);
        let second = mint(1_700_000_000_000, [2; 10]);
        assert_eq!(first.get(..6), second.get(..6));
        assert_ne!(first, second);
        assert_eq!(first.get(6).map(|byte| byte >> 4), Some(7));
    }
}
