//! The record: last sale, vouchers, flags. It says nothing about the total.
//!
//! ```text
//!  0 after u24 | 3 amount u24 | 6 version u16 | 8 terminal u16 | 10 minute u24 | 13 flags u8 | 14 rfu u16
//! 16 issued u16, used u16 | 20 issued u16, used u16 | 24 MAC 8 B           32 bytes, little-endian, eight pages
//! ```

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Uid;
use super::cipher::{AesKey, truncated};
use super::list::VOUCHER_KINDS;
use crate::ids::fixed_bytes;

/// A record's bytes with its MAC.
pub type RecordBytes = [u8; 32];

/// What the record's MAC covers before the record itself.
const MAC_DOMAIN: u8 = 0x02;

/// The largest number of 24 bits.
pub const U24_MAX: u32 = 0x00FF_FFFF;

/// One of the two places of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// Pages 18 to 1F.
    First,
    /// Pages 20 to 27.
    Second,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::First, Self::Second];

    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// Its number inside the MAC.
    pub const fn index(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// Vouchers of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Vouchers {
    /// Ever issued.
    pub issued: u16,
    /// Ever redeemed.
    pub used: u16,
}

/// Age class of the holder, as the organiser checked it. Two bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Flags(pub u8);

impl Flags {
    const POINTS: u8 = 0b0000_0001;
    const AGE: u8 = 0b0000_0110;

    /// Whether the holder collects points.
    pub const fn points(self) -> bool {
        self.0 & Self::POINTS != 0
    }

    /// The age class: 0 not checked, then as the event numbers them.
    pub const fn age_class(self) -> u8 {
        (self.0 & Self::AGE) >> 1
    }

    /// With points collected or not.
    #[must_use]
    pub const fn with_points(self, points: bool) -> Self {
        Self(if points {
            self.0 | Self::POINTS
        } else {
            self.0 & !Self::POINTS
        })
    }

    /// With this age class; only its low two bits fit.
    #[must_use]
    pub const fn with_age_class(self, class: u8) -> Self {
        Self(self.0 & !Self::AGE | (class << 1) & Self::AGE)
    }
}

/// A record without its MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Record {
    /// The counter once this record's sale is committed. A record is committed when the counter has reached it.
    pub after: u32,
    /// Cents of the sale; 0 for a change of flags or vouchers.
    pub amount: u32,
    /// Counts the records of a chip.
    pub version: u16,
    /// Who wrote it: a number of the terminal inside the event.
    pub terminal: u16,
    /// Minutes since the event's epoch.
    pub minute: u32,
    /// Points and age.
    pub flags: Flags,
    /// Reserved; kept as read.
    pub reserved: [u8; 2],
    /// Vouchers of both kinds.
    pub vouchers: [Vouchers; VOUCHER_KINDS],
}

impl Record {
    /// The first record of a chip.
    pub const fn first() -> Self {
        Self {
            after: 0,
            amount: 0,
            version: 1,
            terminal: 0,
            minute: 0,
            flags: Flags(0),
            reserved: [0; 2],
            vouchers: [Vouchers { issued: 0, used: 0 }; VOUCHER_KINDS],
        }
    }

    /// The counter before this record's sale; `None` for a record that claims more than there was.
    pub const fn before(&self) -> Option<u32> {
        self.after.checked_sub(self.amount)
    }

    /// The 24 bytes that the MAC covers. Numbers of more than 24 bits cannot come about: plans refuse them before.
    pub fn body(&self) -> [u8; 24] {
        assert!(
            self.after <= U24_MAX && self.amount <= U24_MAX && self.minute <= U24_MAX,
            "24 bits: {self:?}"
        );
        let [a0, a1, a2, _] = self.after.to_le_bytes();
        let [m0, m1, m2, _] = self.amount.to_le_bytes();
        let [v0, v1] = self.version.to_le_bytes();
        let [t0, t1] = self.terminal.to_le_bytes();
        let [n0, n1, n2, _] = self.minute.to_le_bytes();
        let [r0, r1] = self.reserved;
        let [first, second] = self.vouchers;
        let ([i0, i1], [u0, u1]) = (first.issued.to_le_bytes(), first.used.to_le_bytes());
        let ([j0, j1], [w0, w1]) = (second.issued.to_le_bytes(), second.used.to_le_bytes());
        [
            a0,
            a1,
            a2,
            m0,
            m1,
            m2,
            v0,
            v1,
            t0,
            t1,
            n0,
            n1,
            n2,
            self.flags.0,
            r0,
            r1,
            i0,
            i1,
            u0,
            u1,
            j0,
            j1,
            w0,
            w1,
        ]
    }

    /// From the 24 bytes, which say nothing by themselves.
    pub fn from_body(body: [u8; 24]) -> Self {
        let [
            a0,
            a1,
            a2,
            m0,
            m1,
            m2,
            v0,
            v1,
            t0,
            t1,
            n0,
            n1,
            n2,
            flags,
            r0,
            r1,
            i0,
            i1,
            u0,
            u1,
            j0,
            j1,
            w0,
            w1,
        ] = body;
        let kind = |issued, used| Vouchers {
            issued: u16::from_le_bytes(issued),
            used: u16::from_le_bytes(used),
        };
        Self {
            after: u32::from_le_bytes([a0, a1, a2, 0]),
            amount: u32::from_le_bytes([m0, m1, m2, 0]),
            version: u16::from_le_bytes([v0, v1]),
            terminal: u16::from_le_bytes([t0, t1]),
            minute: u32::from_le_bytes([n0, n1, n2, 0]),
            flags: Flags(flags),
            reserved: [r0, r1],
            vouchers: [kind([i0, i1], [u0, u1]), kind([j0, j1], [w0, w1])],
        }
    }

    /// As it stands in a slot of a chip.
    pub fn bytes(&self, key: &AesKey, uid: Uid, slot: Slot) -> RecordBytes {
        let body = self.body();
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(body.iter().chain(&mac(key, uid, slot, &body))) {
            *to = *from;
        }
        bytes
    }

    /// From a slot; `None` unless its MAC holds for this chip and this slot.
    pub fn read(bytes: &RecordBytes, key: &AesKey, uid: Uid, slot: Slot) -> Option<Self> {
        let (body, mac_there) = bytes.split_at(24);
        let body: [u8; 24] = body.try_into().ok()?;
        let differs = mac(key, uid, slot, &body)
            .iter()
            .zip(mac_there)
            .fold(0, |differs, (a, b)| differs | (a ^ b));
        (differs == 0).then(|| Self::from_body(body))
    }
}

fn mac(key: &AesKey, uid: Uid, slot: Slot, body: &[u8; 24]) -> [u8; 8] {
    let number = match slot {
        Slot::First => 0,
        Slot::Second => 1,
    };
    truncated(key.cmac(&[&[MAC_DOMAIN, number], &uid.0[..], body].concat()))
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.body())
    }
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        fixed_bytes(deserializer).map(Self::from_body)
    }
}
