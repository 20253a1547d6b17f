//! What is missing on a wristband of what every one must have before it leaves the place where it was made.

use chips::field::{Field, FieldFault, Selected};
use chips::purse::encode::{self, Unfit};
use chips::ultralight::{KeyNumber, Link, LinkFault};
use chips::{KeyStore, PurseKind, identify, originality};
use shared_protocol::purse::image::{FIRST_GUARDED_PAGE, FIRST_PAGE};
use shared_protocol::purse::{AesKey, Header, Uid};

use super::derive::auth_key;
use super::fresh;
use crate::keys::KeyError;

/// Something that a wristband must have and this one has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failing {
    /// It is no chip that can carry a purse.
    Kind,
    /// The maker did not sign its id.
    Counterfeit,
    /// It has no header of a purse: it was never encoded.
    NoHeader,
    /// The keys of its batch are not here, so nothing could be looked at.
    KeysNotHere,
    /// It opens with the key that every chip leaves the factory with.
    FactoryKey,
    /// It does not open with the key that is derived for it.
    OtherKey,
    /// Its second key is the factory's.
    FactoryIdKey,
    /// Pages of the purse can be read without a key, whatever its configuration says.
    ReadsOpen,
    /// What its configuration says.
    Unfit(Unfit),
}

/// Why an audit has no result.
#[derive(Debug, thiserror::Error)]
pub enum AuditFault {
    /// It broke off; hold it again.
    #[error(transparent)]
    Link(#[from] LinkFault),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] KeyError),
}

impl From<FieldFault> for AuditFault {
    fn from(fault: FieldFault) -> Self {
        Self::Link(fault.into())
    }
}

/// Goes through the checklist. Writes nothing. `makers` are the keys of which one must have signed the chip; none asks nothing.
pub fn audit(
    field: &mut dyn Field,
    selected: &Selected,
    keys: &dyn KeyStore,
    makers: &[[u8; 49]],
) -> Result<Vec<Failing>, AuditFault> {
    let purse = match identify(&mut &mut *field, selected) {
        Ok(chip) => chip.capabilities.purse == PurseKind::TwoSlot,
        Err(chips::IdentifyFault::Refused(_)) => false,
        Err(chips::IdentifyFault::Field(fault)) => return Err(fault.into()),
    };
    let Some(uid) = Uid::of(selected.uid).filter(|_| purse) else {
        return Ok(vec![Failing::Kind]);
    };
    let mut failing = Vec::new();
    let header = {
        let mut link = Link::new(&mut *field);
        link.reselect()?;
        if !makers.is_empty() && !originality::genuine(uid, &link.signature()?, makers) {
            failing.push(Failing::Counterfeit);
        }
        let start = link.read(FIRST_PAGE)?.split_first_chunk().map(|(start, _)| *start);
        start.and_then(Header::read)
    };
    let factory = AesKey::new(&[0; 16]);
    if opens(field, KeyNumber::DataProt, &factory)? {
        failing.push(Failing::FactoryKey);
    }
    if opens(field, KeyNumber::UidRetrieval, &factory)? {
        failing.push(Failing::FactoryIdKey);
    }
    let Some(header) = header else {
        failing.push(Failing::NoHeader);
        return Ok(failing);
    };
    if reads_in_clear(field)? {
        failing.push(Failing::ReadsOpen);
    }
    let Ok(key) = auth_key(keys, &header, uid) else {
        failing.push(Failing::KeysNotHere);
        return Ok(failing);
    };
    if !opens(field, KeyNumber::DataProt, &AesKey::new(&key))? {
        failing.push(Failing::OtherKey);
        return Ok(failing);
    }
    let [first, second] = fresh()?;
    field.reselect()?;
    let unfit = match encode::audit(&mut *field, &key, first) {
        Ok((_, unfit)) => unfit,
        Err(LinkFault::Field(fault @ (FieldFault::Gone | FieldFault::Reader(_)))) => return Err(fault.into()),
        // It knows its key and does not understand a MAC: without a channel, then.
        Err(_) => {
            field.reselect()?;
            encode::audit_in_clear(&mut *field, &key, second)?.1
        }
    };
    failing.extend(unfit.into_iter().map(Failing::Unfit));
    Ok(failing)
}

fn opens(field: &mut dyn Field, number: KeyNumber, key: &AesKey) -> Result<bool, AuditFault> {
    let [random] = fresh()?;
    field.reselect()?;
    let opened = match Link::new(&mut *field).authenticate(number, key, random, false) {
        Ok(()) => true,
        // Some readers cannot tell a refusal from silence; a chip that left is told by the selection that follows.
        Err(
            LinkFault::NotAuthentic | LinkFault::Malformed | LinkFault::Field(FieldFault::Silent | FieldFault::Nak(_)),
        ) => false,
        Err(fault) => return Err(fault.into()),
    };
    field.reselect()?;
    Ok(opened)
}

/// Whether the purse can be read by anybody. A chip that guards it refuses, or stays silent.
fn reads_in_clear(field: &mut dyn Field) -> Result<bool, AuditFault> {
    field.reselect()?;
    let read = field.transceive(&[0x3A, FIRST_GUARDED_PAGE, FIRST_GUARDED_PAGE + 3]);
    let open = match read {
        Ok(bytes) => bytes.len() == 16,
        Err(FieldFault::Nak(_) | FieldFault::Silent) => false,
        Err(fault) => return Err(fault.into()),
    };
    field.reselect()?;
    Ok(open)
}

#[cfg(test)]
mod tests;
