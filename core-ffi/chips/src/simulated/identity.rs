//! Chips that only say who they are, and those that are refused.

use shared_protocol::TagId;

use super::{Answer, VirtualChip};
use crate::field::Selected;

/// A Type-2 chip that answers `GET_VERSION` or does not, and reads as zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityChip {
    selected: Selected,
    version: Option<[u8; 8]>,
    /// It answers the first step of an authentication with Triple-DES.
    triple_des: bool,
    answering: bool,
}

impl IdentityChip {
    /// A chip of this id that gives this version, or none.
    pub fn new(uid: TagId, sak: u8, version: Option<[u8; 8]>) -> Self {
        Self {
            selected: Selected {
                uid,
                atqa: [0x00, 0x44],
                sak,
                ats: None,
            },
            version,
            triple_des: false,
            answering: true,
        }
    }

    /// NTAG213, whose storage byte is that of Ultralight AES.
    pub fn ntag213(uid: TagId) -> Self {
        Self::new(uid, 0, Some([0x00, 0x04, 0x04, 0x02, 0x01, 0x00, 0x0F, 0x03]))
    }

    /// MIFARE Ultralight EV1 with 48 bytes.
    pub fn ultralight_ev1(uid: TagId) -> Self {
        Self::new(uid, 0, Some([0x00, 0x04, 0x03, 0x01, 0x01, 0x00, 0x0B, 0x03]))
    }

    /// MIFARE Ultralight C: it has no `GET_VERSION`, and AUTHENTICATE answers.
    pub fn ultralight_c(uid: TagId) -> Self {
        Self {
            triple_des: true,
            ..Self::new(uid, 0, None)
        }
    }

    /// MIFARE Classic 1K.
    pub fn classic(uid: TagId) -> Self {
        Self::new(uid, 0x08, None)
    }
}

impl VirtualChip for IdentityChip {
    fn selected(&self) -> Selected {
        self.selected.clone()
    }

    fn frame(&mut self, frame: &[u8]) -> Answer {
        if !self.answering {
            return Answer::Silence;
        }
        match (frame, self.version, self.selected.sak) {
            ([0x60], Some(version), _) => Answer::Bytes(version.to_vec()),
            ([0x1A, 0x00], _, _) if self.triple_des => Answer::Bytes([&[0xAF][..], &[0x5C; 8]].concat()),
            ([0x30, _], _, 0) => Answer::Bytes(vec![0; 16]),
            _ => {
                self.answering = false;
                Answer::Nak(0)
            }
        }
    }

    fn power_off(&mut self) {
        self.answering = true;
    }
}
