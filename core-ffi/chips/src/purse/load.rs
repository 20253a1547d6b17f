//! Reading a purse: five exchanges, then everything is proved or refused.

use std::collections::BTreeMap;

use shared_protocol::purse::chain::Chain;
use shared_protocol::purse::cipher::chip_key;
use shared_protocol::purse::image::{FIRST_GUARDED_PAGE, FIRST_PAGE, LAST_PAGE, buffer_page, slot_page};
use shared_protocol::purse::{
    AesKey, BatchList, Block, ChainId, Header, Held, Image, KnownWalk, ListEntry, Purpose, Purse, PurseFault, Slot, Uid,
};

use super::plan::Intent;
use crate::field::{Field, FieldFault, Selected};
use crate::keys::{KeyName, KeyRefusal, KeyRole, KeyStore, NamedKey};
use crate::ultralight::{KeyNumber, Link, LinkFault};

/// The counter that counts debits.
pub(super) const DEBIT_COUNTER: u8 = 2;

/// Keys and lists of the batches that this device serves.
pub struct Books<'a> {
    /// The keys.
    pub keys: &'a dyn KeyStore,
    /// The signed lists, checked when they came in, by batch.
    pub lists: &'a BTreeMap<u16, BatchList>,
}

/// The least that a chip can hold if it is the chip that was seen before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LastKnown {
    /// Its debit counter.
    pub counter: u32,
    /// Its credited units by chain.
    pub units: [u16; 3],
}

/// What the till knows of one wristband before it reads it.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// It is on the block list.
    pub blocked: bool,
    /// From the till's own taps and the server's table.
    pub last_known: Option<LastKnown>,
    /// The desk chain is frozen because its key is known to strangers: units above these are not believed.
    pub frozen_desk: Option<u16>,
    /// A walk that was walked before.
    pub walk: Option<KnownWalk>,
    /// Intents of this till for this wristband that are not resolved.
    pub open: Vec<Intent>,
}

/// Why a purse is not used. No money moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadRefusal {
    /// It carries none, or is another kind of chip.
    #[error("there is no purse on this wristband")]
    NoPurse,
    /// It is blocked.
    #[error("this wristband is blocked")]
    Blocked,
    /// It belongs to a batch that this device does not serve: another event, or a list that did not arrive yet.
    #[error("batch {0} is not known here")]
    UnknownBatch(u16),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyRefusal),
    /// The conversation broke off, or the chip could not prove itself.
    #[error(transparent)]
    Link(#[from] LinkFault),
    /// What it holds is not genuine.
    #[error(transparent)]
    Purse(#[from] PurseFault),
    /// It holds less than it held before: an older copy of its memory was written back, or it is a copy.
    #[error("this wristband holds less than it did before")]
    Regression,
    /// Its counter reads differently each time and could not be made solid.
    #[error("the counter of this wristband is damaged")]
    UnstableCounter,
}

/// A purse that was read and proved, and what is needed to plan with it. Plain data: it can be kept and planned with anywhere.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// What is on it.
    pub purse: Purse,
    pub(super) record_key: AesKey,
    pub(super) entry: ListEntry,
    pub(super) frozen_desk: Option<u16>,
    /// A credit of this till's journal whose buffer was found damaged: it is written back before anything else.
    pub(super) restore: Option<Held>,
    /// Whether the newest token beside an old one must be written again to be solid.
    pub(super) refresh: bool,
    /// The same of the record and its predecessor.
    pub(super) refresh_record: bool,
}

/// A purse in the field, with its session open.
#[derive(Debug)]
pub struct Tap<F> {
    pub(super) link: Link<F>,
    /// What was read.
    pub loaded: Loaded,
    /// The plan that broke off.
    pub(super) broken: Option<(Intent, super::commit::Done)>,
}

impl Loaded {
    /// What may be remembered as the least this chip holds. A credit that nobody confirmed yet is not counted: a weak page may still lose it.
    pub fn observed(&self) -> LastKnown {
        let mut units = self.purse.units();
        if let Some(old) = self.purse.old
            && let Some(place) = units.get_mut(old.credit.chain.index())
        {
            *place = old.credit.units;
        }
        LastKnown {
            counter: self.purse.image.counter,
            units,
        }
    }

    /// Money that can be spent on anything, as this till believes it.
    pub fn free(&self) -> shared_protocol::Amount {
        self.purse.free(self.frozen_desk)
    }

    /// What is on the wristband, vouchers included, as this till believes it.
    pub fn balance(&self) -> shared_protocol::Amount {
        self.purse.balance(self.frozen_desk)
    }

    pub(super) fn check(&self, image: Image, known: Option<&KnownWalk>) -> Result<Purse, PurseFault> {
        let purse = &self.purse;
        Purse::check_entry(image, purse.uid, &purse.settings, self.entry, &self.record_key, known)
    }

    pub(super) fn chain(&self, chain: ChainId) -> Chain {
        Chain::new(self.purse.settings.event, self.purse.uid, chain)
    }
}

impl<F: Field> Tap<F> {
    /// The field, when all is done. The session ends with the next selection.
    pub fn into_field(self) -> F {
        self.link.into_field()
    }
}

/// Authenticates a selected chip and reads its purse. `rnd_a` is 16 bytes of the system's randomness, used once.
pub fn load<F: Field>(
    field: F,
    selected: &Selected,
    books: &Books<'_>,
    knowledge: &Knowledge,
    rnd_a: Block,
) -> Result<Tap<F>, LoadRefusal> {
    let uid = Uid::of(selected.uid)
        .filter(|_| selected.sak == 0)
        .ok_or(LoadRefusal::NoPurse)?;
    if knowledge.blocked {
        return Err(LoadRefusal::Blocked);
    }
    let mut link = Link::new(field);
    let clear = match link.read(FIRST_PAGE) {
        Err(LinkFault::Field(FieldFault::Nak(_)) | LinkFault::Malformed) => return Err(LoadRefusal::NoPurse),
        other => other?,
    };
    let (start, _) = clear.split_at(8);
    let header = start
        .try_into()
        .ok()
        .and_then(Header::read)
        .ok_or(LoadRefusal::NoPurse)?;
    let list = books
        .lists
        .get(&header.batch)
        .ok_or(LoadRefusal::UnknownBatch(header.batch))?;
    let derived = |role, purpose| {
        let name = KeyName {
            batch: header.batch,
            role,
        };
        let master = NamedKey {
            store: books.keys,
            name,
        };
        chip_key(&master, uid, purpose, header.keyset).map(|key| AesKey::new(&key))
    };
    let auth_key = derived(KeyRole::Auth, Purpose::Auth)?;
    let record_key = derived(KeyRole::Mac, Purpose::Purse)?;

    link.authenticate(KeyNumber::DataProt, &auth_key, rnd_a, true)?;
    let counter = link.counter(DEBIT_COUNTER)?;
    let guarded = link.read_pages(FIRST_GUARDED_PAGE, LAST_PAGE)?;
    let image = Image::new(&[&clear[..], &guarded].concat(), counter).ok_or(LinkFault::Malformed)?;

    let entry = list.entry(header.index).ok_or(PurseFault::NotListed)?;
    let check = |image| Purse::check_entry(image, uid, &list.settings, entry, &record_key, knowledge.walk.as_ref());
    let (mut purse, restore) = with_journalled(image, &knowledge.open, uid, list, check)?;

    // A torn increment is the one thing that may have left the counter itself undecided, and its record is the trace of it.
    let torn =
        purse.open_intent().is_some() || knowledge.open.iter().any(|intent| intent.uid == uid && intent.debits());
    if torn {
        let counter = solid_counter(&mut link, counter)?;
        if counter != purse.image.counter {
            let image = Image { counter, ..purse.image };
            purse = check(image)?;
        }
    }

    let refresh = match purse.old {
        Some(old) if restore.is_none() => !weak(&mut link, &image, buffer_page(old.buffer), 4)?,
        _ => true,
    };
    let refresh_record = match unconfirmed_record(&purse) {
        Some(current) => !weak(&mut link, &image, slot_page(current.other()), 8)?,
        None => true,
    };

    if let Some(last) = knowledge.last_known {
        let units = purse.units();
        let less = units.iter().zip(last.units).any(|(now, then)| *now < then);
        if less || purse.image.counter < last.counter {
            return Err(LoadRefusal::Regression);
        }
    }
    let loaded = Loaded {
        purse,
        record_key,
        entry,
        frozen_desk: knowledge.frozen_desk,
        restore,
        refresh,
        refresh_record,
    };
    Ok(Tap {
        link,
        loaded,
        broken: None,
    })
}

/// Reads the counter until it says the same thing twice; if it will not, writes it anew by adding nothing.
fn solid_counter<F: Field>(link: &mut Link<F>, first: u32) -> Result<u32, LoadRefusal> {
    let second = link.counter(DEBIT_COUNTER)?;
    if second == first {
        return Ok(first);
    }
    link.increment(DEBIT_COUNTER, 0)?;
    let third = link.counter(DEBIT_COUNTER)?;
    let fourth = link.counter(DEBIT_COUNTER)?;
    if third == fourth {
        Ok(third)
    } else {
        Err(LoadRefusal::UnstableCounter)
    }
}

/// Whether what should be closed reads differently the second time. Then the tear hit its closing, so its successor is solid: writing the
/// successor again would only risk the one that is.
fn weak<F: Field>(link: &mut Link<F>, image: &Image, first: u8, pages: u8) -> Result<bool, LinkFault> {
    let again = link.read_pages(first, first + pages - 1)?;
    let (again, _) = again.as_chunks::<4>();
    Ok((first..).zip(again).any(|(page, bytes)| image.page(page) != *bytes))
}

/// Whether the last change of the record was not confirmed: its predecessor is still good, and the last page of the record may be weak.
pub(super) fn unconfirmed_record(purse: &Purse) -> Option<Slot> {
    let current = purse.current?;
    let record = purse.committed(current)?;
    let open = record.amount == 0 && purse.committed(current.other()).is_some();
    open.then_some(current)
}

/// Checks an image; where this till's journal holds a credit that a torn refresh destroyed, puts it back in its place first.
fn with_journalled(
    image: Image,
    open: &[Intent],
    uid: Uid,
    list: &BatchList,
    check: impl Fn(Image) -> Result<Purse, PurseFault>,
) -> Result<(Purse, Option<Held>), PurseFault> {
    let read = check(image);
    let endangered = open
        .iter()
        .filter(|intent| intent.uid == uid)
        .flat_map(|intent| intent.endangered(&list.settings));
    for (held, below) in endangered {
        let buffer = match &read {
            // Only if nobody credited that chain since: who did counted from what was there, and must not be counted over.
            Ok(purse) if below == Some(purse.credit(held.credit.chain).credit) => purse.spare(),
            Ok(_) => continue,
            Err(_) => held.buffer,
        };
        let mut image = image;
        for (page, bytes) in (buffer_page(buffer)..).zip(held.credit.bytes().as_chunks::<4>().0) {
            image.set_page(page, *bytes);
        }
        if let Ok(purse) = check(image)
            && purse.credit(held.credit.chain).credit.units == held.credit.units
        {
            let restored = Held {
                buffer,
                credit: held.credit,
            };
            return Ok((purse, Some(restored)));
        }
    }
    Ok((read?, None))
}
