//! An image that was checked: every credit walked to its anchor, the MAC of every record, totals in checked arithmetic.

use serde::{Deserialize, Serialize};

use super::Uid;
use super::buffer::{Credit, looks_closed};
use super::chain::{Chain, ChainId, Token};
use super::cipher::AesKey;
use super::header::Header;
use super::image::{BUFFERS, Image};
use super::list::{BatchList, ListEntry, PurseSettings};
use super::record::{Record, Slot};
use crate::money::Amount;

/// Why an image is not believed. No money moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PurseFault {
    /// It does not begin as a purse does.
    #[error("there is no purse on this wristband")]
    NoPurse,
    /// It belongs to another batch than the list.
    #[error("the list is that of another batch")]
    OtherBatch,
    /// The list does not have this place.
    #[error("the wristband is not on the list of its batch")]
    NotListed,
    /// No three tokens lead to the anchors of the list.
    #[error("the credits on this wristband are not genuine")]
    Forged,
}

/// A credit in its buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Which of the four buffers.
    pub buffer: usize,
    /// The credit.
    pub credit: Credit,
}

/// What was once walked for a chip, so that it is not walked again: a cache, worth nothing to whoever changes it but time.
///
/// It is believed only for the list entry it was made with, so it must be kept where nobody else writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownWalk {
    /// The chip.
    pub uid: Uid,
    /// Its anchors.
    pub anchors: [Token; 3],
    /// The newest units that were seen, by chain.
    pub units: [u16; 3],
    /// Their tokens.
    pub tokens: [Token; 3],
}

/// A purse whose every number is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purse {
    /// The chip.
    pub uid: Uid,
    /// Its header.
    pub header: Header,
    /// How its value is counted.
    pub settings: PurseSettings,
    /// What was read.
    pub image: Image,
    /// The anchors of its chains.
    pub anchors: [Token; 3],
    /// The newest credit of each chain, by [`ChainId::index`].
    pub newest: [Held; 3],
    /// A genuine credit that is not the newest of its chain: the last top-up was not confirmed.
    pub old: Option<Held>,
    /// Records whose MAC holds, committed or not.
    pub records: [Option<Record>; 2],
    /// The slot of the newest committed record.
    pub current: Option<Slot>,
}

struct Walker<'a> {
    chains: [Chain; 3],
    known: Option<&'a KnownWalk>,
}

impl Walker<'_> {
    fn anchor(&self, credit: &Credit) -> Option<Token> {
        let [desk, server, ret] = &self.chains;
        let chain = match credit.chain {
            ChainId::Desk => desk,
            ChainId::Server => server,
            ChainId::Return => ret,
        };
        if let Some(known) = self.known {
            let (units, token, anchor) = known.of(credit.chain);
            if credit.units >= units && chain.down(credit.units, credit.token, units) == Some(token) {
                return Some(anchor);
            }
            if credit.units >= units {
                // It does not pass through the token that is known: another chain, or none.
                return None;
            }
        }
        chain.down(credit.units, credit.token, 0)
    }
}

impl KnownWalk {
    fn of(&self, chain: ChainId) -> (u16, Token, Token) {
        let [a0, a1, a2] = self.anchors;
        let [u0, u1, u2] = self.units;
        let [t0, t1, t2] = self.tokens;
        match chain {
            ChainId::Desk => (u0, t0, a0),
            ChainId::Server => (u1, t1, a1),
            ChainId::Return => (u2, t2, a2),
        }
    }
}

/// Chooses the newest credit of each chain so that the three lead to the entry of the list.
fn choose(
    walker: &Walker<'_>,
    claims: &[Held],
    entry: impl Fn(&[Token; 3]) -> bool,
) -> Option<([Held; 3], [Token; 3])> {
    let of = |chain: ChainId| {
        let mut held: Vec<&Held> = claims.iter().filter(|held| held.credit.chain == chain).collect();
        held.sort_by_key(|held| (std::cmp::Reverse(held.credit.units), held.buffer));
        held
    };
    let [desk, server, ret] = [of(ChainId::Desk), of(ChainId::Server), of(ChainId::Return)];
    if desk.is_empty() || server.is_empty() || ret.is_empty() {
        return None;
    }
    let proved = |held: Vec<&Held>| -> Vec<(Held, Token)> {
        held.into_iter()
            .filter_map(|held| Some((*held, walker.anchor(&held.credit)?)))
            .collect()
    };
    let (desk, server, ret) = (proved(desk), proved(server), proved(ret));
    for (d, d0) in &desk {
        for (s, s0) in &server {
            for (r, r0) in &ret {
                let anchors = [*d0, *s0, *r0];
                if entry(&anchors) {
                    return Some(([*d, *s, *r], anchors));
                }
            }
        }
    }
    None
}

impl Purse {
    /// Checks an image against the list of its batch. `known` saves walks that were walked before.
    pub fn check(
        image: Image,
        uid: Uid,
        list: &BatchList,
        record_key: &AesKey,
        known: Option<&KnownWalk>,
    ) -> Result<Self, PurseFault> {
        let header = image.header().ok_or(PurseFault::NoPurse)?;
        if header.batch != list.batch {
            return Err(PurseFault::OtherBatch);
        }
        let entry = list.entry(header.index).ok_or(PurseFault::NotListed)?;
        Self::check_entry(image, uid, &list.settings, entry, record_key, known)
    }

    /// Checks an image against what its batch's list says of this chip.
    pub fn check_entry(
        image: Image,
        uid: Uid,
        settings: &PurseSettings,
        entry: ListEntry,
        record_key: &AesKey,
        known: Option<&KnownWalk>,
    ) -> Result<Self, PurseFault> {
        let settings = *settings;
        let header = image.header().ok_or(PurseFault::NoPurse)?;
        let listed = |anchors: &[Token; 3]| ListEntry::of(settings.event, &header, uid, anchors) == entry;

        let chain = |id| Chain::new(settings.event, uid, id);
        let walker = Walker {
            chains: [chain(ChainId::Desk), chain(ChainId::Server), chain(ChainId::Return)],
            known: known.filter(|known| known.uid == uid && listed(&known.anchors)),
        };
        let claims: Vec<Held> = (0..BUFFERS)
            .filter_map(|buffer| {
                let credit = Credit::read(&image.buffer(buffer), &settings)?;
                Some(Held { buffer, credit })
            })
            .collect();
        // A closed buffer is walked only when nothing else helps: it costs time and proves nothing that its successor does not.
        let open: Vec<Held> = claims
            .iter()
            .filter(|held| !looks_closed(&image.buffer(held.buffer)))
            .copied()
            .collect();
        let (newest, anchors) = choose(&walker, &open, listed)
            .or_else(|| choose(&walker, &claims, listed))
            .ok_or(PurseFault::Forged)?;
        let anchor_of = |chain: ChainId| anchors.get(chain.index()).copied();
        let old = open
            .iter()
            .filter(|held| !newest.contains(held))
            .find(|held| walker.anchor(&held.credit) == anchor_of(held.credit.chain))
            .copied();

        let record = |slot| Record::read(&image.slot(slot), record_key, uid, slot);
        let records = [record(Slot::First), record(Slot::Second)];
        let [first, second] = records.map(|record| record.filter(|record| record.after <= image.counter));
        let current = match (first, second) {
            (Some(first), Some(second)) if second.version > first.version => Some(Slot::Second),
            (Some(_), _) => Some(Slot::First),
            (None, Some(_)) => Some(Slot::Second),
            (None, None) => None,
        };
        Ok(Self {
            uid,
            header,
            settings,
            image,
            anchors,
            newest,
            old,
            records,
            current,
        })
    }

    /// The record of a slot whose MAC holds, committed or not.
    pub fn record(&self, slot: Slot) -> Option<Record> {
        let [first, second] = self.records;
        match slot {
            Slot::First => first,
            Slot::Second => second,
        }
    }

    /// The record of a slot that is committed.
    pub fn committed(&self, slot: Slot) -> Option<Record> {
        self.record(slot).filter(|record| record.after <= self.image.counter)
    }

    /// The newest committed record.
    pub fn newest_record(&self) -> Option<Record> {
        self.current.and_then(|slot| self.committed(slot))
    }

    /// A record that waits for its commit: a payment was interrupted.
    pub fn open_intent(&self) -> Option<Record> {
        Slot::ALL
            .into_iter()
            .filter_map(|slot| self.record(slot))
            .find(|record| record.after > self.image.counter)
    }

    /// The newest credit of a chain.
    pub fn credit(&self, chain: ChainId) -> &Held {
        let [desk, server, ret] = &self.newest;
        match chain {
            ChainId::Desk => desk,
            ChainId::Server => server,
            ChainId::Return => ret,
        }
    }

    /// Units of the three chains.
    pub fn units(&self) -> [u16; 3] {
        self.newest.map(|held| held.credit.units)
    }

    /// The buffer that no chain needs.
    pub fn spare(&self) -> usize {
        (0..BUFFERS)
            .find(|buffer| self.newest.iter().all(|held| held.buffer != *buffer))
            .unwrap_or_else(|| unreachable!("three chains, four buffers"))
    }

    /// Everything ever credited, with the units of the desk chain capped where it is frozen.
    pub fn credited(&self, frozen_desk: Option<u16>) -> Amount {
        let cents = self.newest.iter().map(|held| {
            let units = match (held.credit.chain, frozen_desk) {
                (ChainId::Desk, Some(frozen)) => held.credit.units.min(frozen),
                _ => held.credit.units,
            };
            i64::from(units) * i64::from(self.settings.unit_of(held.credit.chain))
        });
        // Three products of two 16-bit numbers: 34 bits.
        Amount(cents.sum())
    }

    /// Everything ever debited.
    pub fn debited(&self) -> Amount {
        Amount(i64::from(self.image.counter))
    }

    /// What is on the wristband, vouchers included. Below zero only if somebody with the keys of a till drove the counter up.
    pub fn balance(&self, frozen_desk: Option<u16>) -> Amount {
        Amount(self.credited(frozen_desk).0 - self.debited().0)
    }

    /// Money that waits for its vouchers.
    pub fn reserved(&self) -> Amount {
        let vouchers = self.newest_record().map(|record| record.vouchers).unwrap_or_default();
        reserved(&self.settings, &vouchers)
    }

    /// Money that can be spent on anything.
    pub fn free(&self, frozen_desk: Option<u16>) -> Amount {
        Amount(self.balance(frozen_desk).0 - self.reserved().0)
    }

    /// What need not be walked again.
    pub fn walk(&self) -> KnownWalk {
        KnownWalk {
            uid: self.uid,
            anchors: self.anchors,
            units: self.units(),
            tokens: self.newest.map(|held| held.credit.token),
        }
    }
}

/// Money that these vouchers set aside. A record that claims more used than issued sets nothing aside.
pub fn reserved(settings: &PurseSettings, vouchers: &[super::Vouchers]) -> Amount {
    let cents = vouchers
        .iter()
        .zip(settings.weight_cents)
        .map(|(vouchers, weight)| i64::from(vouchers.issued.saturating_sub(vouchers.used)) * i64::from(weight));
    Amount(cents.sum())
}
