//! All that can be found out about any wristband, with the keys and lists that are at hand.

use std::collections::BTreeMap;

use chips::field::{Field, FieldFault, Selected};
use chips::purse::{Books, Knowledge, LoadRefusal, load};
use chips::ultralight::{Link, LinkFault};
use chips::{Chip, IdentifyFault, KeyStore, Refused, identify};
use shared_protocol::ids::Bytes;
use shared_protocol::purse::image::FIRST_PAGE;
use shared_protocol::purse::{BatchList, Header, ListEntry, Purse, Uid};
use shared_protocol::wristband::PurseTotals;

use super::audit::{AuditFault, Failing, audit};
use super::derive::anchors;
use super::fresh;
use crate::keys::KeyError;
use crate::purse_keys::SealedKeys;

/// What was found.
#[derive(Debug, Clone)]
pub struct Inspection {
    /// What the reader says of it.
    pub selected: Selected,
    /// What it is and can do, or why it is refused.
    pub chip: Result<Chip, Refused>,
    /// What stands in its header.
    pub header: Option<Header>,
    /// The free text beside the header: the number that is printed on it.
    pub text: String,
    /// What came of opening its purse; none where it has none.
    pub opened: Option<Opened>,
    /// What it lacks; empty also where it has no purse.
    pub failing: Vec<Failing>,
}

/// What came of opening a purse.
#[derive(Debug, Clone)]
pub enum Opened {
    /// It is genuine.
    Purse(Box<Purse>),
    /// It is not used, and why.
    Refused(LoadRefusal),
}

impl Opened {
    /// The totals of a genuine purse.
    pub fn totals(purse: &Purse) -> PurseTotals {
        PurseTotals {
            debited: purse.image.counter,
            credited: purse.units(),
        }
    }
}

/// Looks at a wristband. Writes nothing. `lists` are those at hand; with all keys of a batch none is needed.
pub fn inspect(
    field: &mut dyn Field,
    selected: &Selected,
    keys: &SealedKeys,
    lists: &BTreeMap<u16, BatchList>,
    makers: &[[u8; 49]],
) -> Result<Inspection, AuditFault> {
    let chip = match identify(&mut &mut *field, selected) {
        Ok(chip) => Ok(chip),
        Err(IdentifyFault::Refused(refused)) => Err(refused),
        Err(IdentifyFault::Field(fault)) => return Err(fault.into()),
    };
    let mut found = Inspection {
        selected: selected.clone(),
        chip,
        header: None,
        text: String::new(),
        opened: None,
        failing: Vec::new(),
    };
    let with_purse = chip.is_ok_and(|chip| chip.capabilities.purse == chips::PurseKind::TwoSlot);
    let Some(uid) = Uid::of(selected.uid).filter(|_| with_purse) else {
        return Ok(found);
    };
    let clear = {
        let mut link = Link::new(&mut *field);
        link.reselect()?;
        match link.read(FIRST_PAGE) {
            Ok(clear) => Some(clear),
            Err(LinkFault::Field(FieldFault::Nak(_)) | LinkFault::Malformed) => None,
            Err(fault) => return Err(fault.into()),
        }
    };
    field.reselect()?;
    if let Some((start, text)) = clear.as_ref().and_then(|clear| clear.split_first_chunk()) {
        found.header = Header::read(*start);
        let printed = text.iter().take_while(|byte| byte.is_ascii_graphic());
        found.text = printed.map(|byte| char::from(*byte)).collect();
    }
    found.failing = audit(field, selected, keys, makers)?;
    if let Some(header) = found.header {
        field.reselect()?;
        let own = list_of_one(keys, header, uid);
        let lists = match (lists.get(&header.batch), own) {
            (None, Some(own)) => BTreeMap::from([(header.batch, own)]),
            _ => lists.clone(),
        };
        let books = Books { keys, lists: &lists };
        let [random] = fresh().map_err(|error: KeyError| AuditFault::Random(error))?;
        found.opened = Some(
            match load(&mut *field, selected, &books, &Knowledge::default(), random) {
                Ok(tap) => Opened::Purse(Box::new(tap.loaded.purse)),
                Err(LoadRefusal::Link(LinkFault::Field(fault @ (FieldFault::Gone | FieldFault::Reader(_))))) => {
                    return Err(fault.into());
                }
                Err(refusal) => Opened::Refused(refusal),
            },
        );
        field.reselect()?;
    }
    Ok(found)
}

/// What the batch's list must say of this chip, where all keys of the batch are here.
fn list_of_one(keys: &SealedKeys, header: Header, uid: Uid) -> Option<BatchList> {
    let facts = keys.facts(header.batch)?;
    let store: &dyn KeyStore = keys;
    let anchors = anchors(store, &facts.settings, header.batch, uid).ok()?;
    let entry = ListEntry::of(facts.settings.event, &header, uid, &anchors);
    let mut entries = vec![0; usize::from(header.index) * ListEntry::BYTES];
    entries.extend_from_slice(&entry.0);
    Some(BatchList {
        settings: facts.settings,
        batch: header.batch,
        entries: Bytes(entries),
    })
}
