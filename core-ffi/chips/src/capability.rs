//! What a wristband can do, and how a reader finds out. Here alone stand the names of products.

use shared_protocol::TagId;

use crate::field::{Field, FieldFault, Selected};

/// First byte of a four-byte id that a device draws anew each time it is seen (ISO/IEC 14443-3, 6.5.4: `uid0` = `08`).
const RANDOM_ID: u8 = 0x08;

/// How a chip proves that it is itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Authentication {
    /// Not at all.
    None,
    /// Both sides prove that they know a 128-bit AES key.
    Aes,
}

/// How what is said afterwards is guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Guard {
    /// Not at all.
    None,
    /// Every frame carries a MAC.
    Mac,
    /// Every frame carries a MAC and is encrypted.
    Encrypted,
}

/// How a chip carries value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PurseKind {
    /// Not at all: value is under the server's authority.
    None,
    /// Tokens, a counter and records in two slots, written by us (`shared_protocol::purse`).
    TwoSlot,
    /// A value file that the chip itself keeps, with keys of its own for debit and credit.
    Native,
}

/// The curve of the maker's signature over the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Originality {
    /// There is none.
    None,
    /// Ultralight EV1, `NTAG21x`.
    Secp128r1,
    /// Ultralight AES.
    Secp192r1,
    /// `DESFire`.
    Secp224r1,
}

/// What a wristband can do. A rule asks for a capability; it never asks which chip it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It gives the same id whenever it is held. Phones and bank cards do not: they draw a new one each time.
    pub stable_id: bool,
    /// How it proves itself.
    pub authentication: Authentication,
    /// How frames are guarded.
    pub guard: Guard,
    /// How it carries value.
    pub purse: PurseKind,
    /// It has a counter that never goes down.
    pub counter: bool,
    /// The maker's signature.
    pub originality: Originality,
}

impl Capabilities {
    /// An id and nothing else.
    pub const IDENTITY: Self = Self {
        stable_id: true,
        authentication: Authentication::None,
        guard: Guard::None,
        purse: PurseKind::None,
        counter: false,
        originality: Originality::None,
    };

    /// MIFARE Ultralight AES.
    pub const ULTRALIGHT_AES: Self = Self {
        stable_id: true,
        authentication: Authentication::Aes,
        guard: Guard::Mac,
        purse: PurseKind::TwoSlot,
        counter: true,
        originality: Originality::Secp192r1,
    };

    /// MIFARE `DESFire` EV2 and EV3.
    pub const DESFIRE: Self = Self {
        stable_id: true,
        authentication: Authentication::Aes,
        guard: Guard::Encrypted,
        purse: PurseKind::Native,
        counter: false,
        originality: Originality::Secp224r1,
    };
}

/// A wristband in the field of a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chip {
    /// Its id.
    pub tag: TagId,
    /// What it can do.
    pub capabilities: Capabilities,
}

fn drawn(tag: TagId) -> bool {
    matches!(tag.as_slice(), [RANDOM_ID, _, _, _])
}

impl Chip {
    /// A wristband that is known by its id and nothing else: no authentication, no purse. Whoever copies the id copies the wristband,
    /// so value stays under the server's authority.
    pub fn identity(tag: TagId) -> Self {
        Self {
            tag,
            capabilities: Capabilities {
                stable_id: !drawn(tag),
                ..Capabilities::IDENTITY
            },
        }
    }
}

/// Why something in the field is no wristband of ours. No money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Refused {
    /// Its cipher is broken: value and identity can be copied with a phone.
    #[error("MIFARE Classic can be copied and is not accepted")]
    Classic,
    /// Its channel is open and many copies are sold under its name.
    #[error("MIFARE Ultralight C has no guarded channel and is not accepted")]
    UltralightC,
    /// Its id is a new one each time: a phone, a bank card, a passport.
    #[error("this is no wristband: its number changes each time")]
    RandomId,
    /// Nobody here knows it.
    #[error("this kind of chip is not known and is not accepted")]
    Unknown,
}

/// Either a wristband, or why it is none, or why the field gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifyFault {
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The chip left or the reader failed before it was known.
    #[error(transparent)]
    Field(FieldFault),
}

/// Finds out what a selected chip is. It may be selected anew on the way; no session survives.
///
/// The storage byte of Ultralight AES is that of NTAG213: product, type and version decide together.
pub fn identify<F: Field>(field: &mut F, selected: &Selected) -> Result<Chip, IdentifyFault> {
    if drawn(selected.uid) {
        return Err(Refused::RandomId.into());
    }
    let chip = |capabilities| {
        Ok(Chip {
            tag: selected.uid,
            capabilities,
        })
    };
    // SAK bit 4 set means Crypto-1 (NXP AN10833); bit 6 means ISO-DEP.
    if selected.sak & 0x08 != 0 {
        return Err(Refused::Classic.into());
    }
    if selected.sak & 0x20 != 0 {
        return match wrapped_version(field) {
            Some([0x04, 0x01, _, 0x12 | 0x22 | 0x33, ..]) => chip(Capabilities::DESFIRE),
            _ => Err(Refused::Unknown.into()),
        };
    }
    match field.transceive(&[0x60]) {
        Ok(version) => match version.as_slice() {
            [0x00, 0x04, 0x03, _, 0x04, 0x00, 0x0F, 0x03] if selected.uid.as_slice().len() == 7 => {
                chip(Capabilities::ULTRALIGHT_AES)
            }
            [0x00, 0x04, 0x03, _, 0x01, 0x00, 0x0B | 0x0E, 0x03] | [0x00, 0x04, 0x04, _, 0x01, 0x00, _, 0x03] => {
                chip(Capabilities {
                    originality: Originality::Secp128r1,
                    ..Capabilities::IDENTITY
                })
            }
            _ => Err(Refused::Unknown.into()),
        },
        // It has no such command: Ultralight C tells itself by its own authentication, anything else is older still.
        Err(FieldFault::Nak(_) | FieldFault::Silent) => {
            field.reselect().map_err(IdentifyFault::Field)?;
            match field.transceive(&[0x1A, 0x00]).as_deref() {
                Ok([0xAF, challenge @ ..]) if challenge.len() == 8 => Err(Refused::UltralightC.into()),
                Err(fault @ (FieldFault::Gone | FieldFault::Reader(_))) => Err(IdentifyFault::Field(fault.clone())),
                _ => Err(Refused::Unknown.into()),
            }
        }
        Err(fault) => Err(IdentifyFault::Field(fault)),
    }
}

/// The first frame of `GetVersion` of ISO-DEP chips, wrapped as ISO/IEC 7816-4: vendor, type, subtype, major version, ..
fn wrapped_version<F: Field>(field: &mut F) -> Option<[u8; 7]> {
    let answer = field.transceive(&[0x90, 0x60, 0x00, 0x00, 0x00]).ok()?;
    answer.strip_suffix(&[0x91, 0xAF])?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use shared_protocol::purse::Uid;

    use super::*;
    use crate::simulated::{IdentityChip, SimulatedField, UltralightAesChip, VirtualChip};

    const UID: Uid = Uid([0x04, 1, 2, 3, 4, 5, 6]);

    fn found<C: VirtualChip>(chip: C) -> Result<Capabilities, Refused> {
        let mut field = SimulatedField::new(chip);
        let selected = field.reselect().unwrap();
        match identify(&mut field, &selected) {
            Ok(chip) => Ok(chip.capabilities),
            Err(IdentifyFault::Refused(refused)) => Err(refused),
            Err(IdentifyFault::Field(fault)) => panic!("{fault}"),
        }
    }

    #[test]
    fn an_id_that_is_drawn_anew_each_time_is_not_stable() {
        let chip = |uid: &[u8]| Chip::identity(TagId::from_slice(uid).unwrap());
        assert!(!chip(&[0x08, 1, 2, 3]).capabilities.stable_id);
        assert!(chip(&[0x04, 1, 2, 3]).capabilities.stable_id);
        assert!(chip(&[0x08, 1, 2, 3, 4, 5, 6]).capabilities.stable_id);
    }

    #[test]
    fn chips_are_what_they_can_do() {
        assert_eq!(found(UltralightAesChip::factory(UID)), Ok(Capabilities::ULTRALIGHT_AES));
        let identity = Capabilities {
            originality: Originality::Secp128r1,
            ..Capabilities::IDENTITY
        };
        assert_eq!(found(IdentityChip::ntag213(UID.tag())), Ok(identity));
        assert_eq!(found(IdentityChip::ultralight_ev1(UID.tag())), Ok(identity));
    }

    #[test]
    fn what_can_be_copied_or_is_not_known_is_refused_with_a_reason() {
        assert_eq!(found(IdentityChip::classic(UID.tag())), Err(Refused::Classic));
        assert_eq!(found(IdentityChip::ultralight_c(UID.tag())), Err(Refused::UltralightC));
        assert_eq!(found(IdentityChip::new(UID.tag(), 0, None)), Err(Refused::Unknown));
        assert_eq!(
            found(IdentityChip::new(UID.tag(), 0, Some([0, 0x05, 3, 1, 4, 0, 0x0F, 3]))),
            Err(Refused::Unknown)
        );
        assert_eq!(found(IdentityChip::new(UID.tag(), 0x20, None)), Err(Refused::Unknown));
        let phone = TagId::from_slice(&[0x08, 1, 2, 3]).unwrap();
        assert_eq!(found(IdentityChip::new(phone, 0x20, None)), Err(Refused::RandomId));
    }
}
