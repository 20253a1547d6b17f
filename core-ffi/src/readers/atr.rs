//! What the ATR says that a PC/SC reader makes up for a card without contacts (PC/SC part 3, 3.1.3.2.3). Pure.
//!
//! What must never live here: the decision whether a chip is one of ours. Readers report the whole Type-2 family as one card; only the chip's own
//! version tells more.

/// What lies on a reader, by its ATR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Card {
    /// A chip that is spoken to in raw ISO 14443-3 A frames.
    Layer3 {
        /// The answer to REQA that belongs to the kind of card the reader named.
        atqa: [u8; 2],
        /// Its select acknowledge, likewise.
        sak: u8,
    },
    /// A chip that is spoken to in APDUs, with the historical bytes of its ATS.
    IsoDep {
        /// The historical bytes.
        historical: Vec<u8>,
    },
    /// Anything else: a card with contacts, a card of another standard.
    Other,
}

/// Storage card of PC/SC part 3: its registered provider.
const STORAGE: [u8; 7] = [0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06];
/// ISO 14443 A, part 3.
const STANDARD_14443A_3: u8 = 0x03;

impl Card {
    /// Reads an ATR.
    pub fn from_atr(atr: &[u8]) -> Self {
        // TS and T0; TD1 and TD2 say T=0 and T=1, which every reader without contacts claims; the last byte is the checksum.
        let [0x3B, t0, 0x80, 0x01, rest @ ..] = atr else {
            return Self::Other;
        };
        let Some((checksum, historical)) = rest.split_last() else {
            return Self::Other;
        };
        let sum = atr.iter().skip(1).fold(0, |sum, byte| sum ^ byte);
        if t0 >> 4 != 8 || usize::from(t0 & 0x0F) != historical.len() || sum != 0 {
            tracing::debug!(atr = ?atr, checksum, "an ATR that does not add up");
            return Self::Other;
        }
        match historical {
            [0x80, 0x4F, ..] => storage(historical.get(1..).unwrap_or(&[])),
            _ => Self::IsoDep {
                historical: historical.to_vec(),
            },
        }
    }
}

fn storage(object: &[u8]) -> Card {
    let Some([STANDARD_14443A_3, high, low, ..]) = object.strip_prefix(&STORAGE) else {
        return Card::Other;
    };
    // Names of PC/SC's list of storage cards. What is not on it is taken for Type 2; its version tells.
    let (atqa, sak) = match u16::from_be_bytes([*high, *low]) {
        0x0001 => ([0x00, 0x04], 0x08),
        0x0002 => ([0x00, 0x02], 0x18),
        0x0026 => ([0x00, 0x04], 0x09),
        _ => ([0x00, 0x44], 0x00),
    };
    Card::Layer3 { atqa, sak }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ULTRALIGHT: [u8; 20] = [
        0x3B, 0x8F, 0x80, 0x01, 0x80, 0x4F, 0x0C, 0xA0, 0x00, 0x00, 0x03, 0x06, 0x03, 0x00, 0x03, 0x00, 0x00, 0x00,
        0x00, 0x68,
    ];

    fn storage_card(standard: u8, name: u16) -> Vec<u8> {
        let mut atr = ULTRALIGHT.to_vec();
        atr[12] = standard;
        atr[13..15].copy_from_slice(&name.to_be_bytes());
        atr[19] = atr[1..19].iter().fold(0, |sum, byte| sum ^ byte);
        atr
    }

    #[test]
    fn an_ultralight_and_its_kin_are_spoken_to_in_raw_frames() {
        let type_2 = Card::Layer3 {
            atqa: [0x00, 0x44],
            sak: 0x00,
        };
        assert_eq!(Card::from_atr(&ULTRALIGHT), type_2);
        for name in [0x0003, 0x003A, 0x003D, 0x1234] {
            assert_eq!(Card::from_atr(&storage_card(0x03, name)), type_2);
        }
    }

    #[test]
    fn a_classic_keeps_its_own_select_acknowledge() {
        let sak = |name| match Card::from_atr(&storage_card(0x03, name)) {
            Card::Layer3 { sak, .. } => Some(sak),
            _ => None,
        };
        assert_eq!(
            (sak(0x0001), sak(0x0002), sak(0x0026)),
            (Some(0x08), Some(0x18), Some(0x09))
        );
    }

    #[test]
    fn a_chip_with_the_block_protocol_is_spoken_to_in_apdus() {
        // DESFire: one historical byte.
        assert_eq!(
            Card::from_atr(&[0x3B, 0x81, 0x80, 0x01, 0x80, 0x80]),
            Card::IsoDep { historical: vec![0x80] }
        );
    }

    #[test]
    fn what_is_no_card_of_iso_14443_a_is_something_else() {
        // FeliCa, a card with contacts, nothing, a wrong checksum, a length that is not there.
        let mut damaged = ULTRALIGHT;
        damaged[19] ^= 1;
        let felica = storage_card(0x11, 0x003B);
        let contacts = [0x3B, 0x02, 0x14, 0x50];
        for atr in [
            &felica[..],
            &contacts,
            &[],
            &damaged,
            &ULTRALIGHT[..12],
            &[0x3B, 0x80, 0x80, 0x01],
        ] {
            assert_eq!(Card::from_atr(atr), Card::Other, "{atr:02X?}");
        }
    }
}
