//! One wristband after another.

use std::collections::BTreeMap;

use chips::capability::IdentifyFault;
use chips::field::{Field, FieldFault, Selected};
use chips::purse::encode::{EncodeFault, Unfit, encode};
use chips::ultralight::{Link, LinkFault};
use chips::{Chip, KeyRefusal, PurseKind, Refused, identify, originality};
use shared_protocol::purse::image::FIRST_PAGE;
use shared_protocol::purse::{Header, ListEntry, Uid};

use super::derive::Derived;
use super::fresh;
use super::work::{Made, Work, WorkFault};
use crate::keys::KeyError;
use crate::purse_keys::{BatchFacts, SealedKeys};

/// A chip that breaks off this often while it lies still is damaged.
const ATTEMPTS_MAX: u32 = 6;

/// What became of a chip that was held to the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is good, read back through its channel after it was selected anew.
    Good {
        /// What it is.
        made: Made,
        /// Whether it was torn before and went on now.
        resumed: bool,
        /// Whether the maker's signature was looked at.
        checked: bool,
    },
    /// It is good since before.
    Already(Made),
    /// It left too early, or did not answer: the same one has to be held again.
    Again {
        /// The chip.
        uid: Uid,
        /// What was seen.
        why: LinkFault,
    },
    /// It goes into the bin.
    Rejected {
        /// The chip.
        uid: Uid,
        /// Why.
        why: Reject,
    },
    /// It is none that is made here; it is as it was.
    Refused(NotHere),
}

/// Why a chip goes into the bin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// The maker did not sign its id.
    #[error("the maker's signature does not hold: a counterfeit")]
    Counterfeit,
    /// It said yes and reads back otherwise.
    #[error("it did not take: {}", names(.0))]
    DidNotTake(Vec<Unfit>),
    /// It was begun here, and its key is another one by now.
    #[error("it broke off in the middle of its keys and cannot be opened any more")]
    KeysTorn,
    /// It breaks off each time.
    #[error("it broke off {ATTEMPTS_MAX} times")]
    Unsteady,
}

fn names(unfit: &[Unfit]) -> String {
    let names: Vec<String> = unfit.iter().map(|one| format!("{one:?}")).collect();
    names.join(" ")
}

/// Why a chip is none that is made here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotHere {
    /// Another kind of chip.
    #[error(transparent)]
    Kind(#[from] Refused),
    /// One of ours by its kind, but it cannot carry a purse.
    #[error("this chip cannot carry a purse, it is good as an id only")]
    IdOnly,
    /// It is a wristband of this or another batch that was not begun in this folder.
    #[error("this wristband has a place already: batch {}, index {}; it was not made in this folder", .0.batch, .0.index)]
    Elsewhere(Header),
    /// Somebody encoded or locked it before.
    #[error("this chip was encoded before, with other keys")]
    EncodedBefore,
    /// It counted before it was ours.
    #[error("the counter of this chip is not at its beginning: it was used before")]
    Used,
}

/// Why the work cannot go on: nothing about the chip.
#[derive(Debug, thiserror::Error)]
pub enum StationFault {
    /// The folder.
    #[error(transparent)]
    Work(#[from] WorkFault),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyRefusal),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] KeyError),
    /// The reader itself.
    #[error("the reader failed: {0}")]
    Reader(String),
}

/// A place where wristbands are made.
pub struct Station<'a> {
    keys: &'a SealedKeys,
    batch: u16,
    facts: &'a BatchFacts,
    class: u8,
    /// Of these keys one must have signed each chip; none asks nothing.
    makers: Vec<[u8; 49]>,
    work: Work,
    attempts: BTreeMap<Uid, u32>,
}

impl<'a> Station<'a> {
    /// A place for one batch, whose folder was opened by [`Station::open`].
    pub fn open(
        keys: &'a SealedKeys,
        (batch, facts): (u16, &'a BatchFacts),
        class: u8,
        makers: Vec<[u8; 49]>,
        folder: &std::path::Path,
        prefix: &str,
    ) -> Result<Self, StationFault> {
        let of_batch = (batch, &facts.settings, facts.vouchers.as_slice());
        let work = Work::open(folder, of_batch, prefix, keys, |index, uid| {
            let derived = Derived::new(keys, &facts.settings, header(facts, batch, index, class), uid)?;
            Ok(derived.entry())
        })?;
        Ok(Self {
            keys,
            batch,
            facts,
            class,
            makers,
            work,
            attempts: BTreeMap::new(),
        })
    }

    /// What was made.
    pub const fn work(&self) -> &Work {
        &self.work
    }

    /// A chip is held to the reader.
    pub fn hold(&mut self, field: &mut dyn Field, selected: &Selected) -> Result<Verdict, StationFault> {
        let uid = match self.known_kind(field, selected)? {
            Ok(uid) => uid,
            Err(verdict) => return Ok(verdict),
        };
        if let Some(made) = self.work.find(uid) {
            return Ok(Verdict::Already(made.clone()));
        }
        let looked = self.look(field, uid);
        let looked = match looked {
            Ok(looked) => looked,
            Err(fault) => return self.broke_off(uid, fault),
        };
        if let Some(verdict) = looked {
            if let Verdict::Rejected { uid, why } = &verdict {
                self.work.reject(*uid, &why.to_string())?;
            }
            return Ok(verdict);
        }
        let resumed = self.work.begun(uid).is_some();
        let index = self.work.begin(uid)?;
        let header = header(self.facts, self.batch, index, self.class);
        let derived = Derived::new(self.keys, &self.facts.settings, header, uid)?;
        let job = derived.encoding(text(&self.work.number(index)));
        // The maker was looked at above; a chip that was put in its place since does not know the key.
        match encode(&mut *field, selected, &job, &[], fresh()?) {
            Ok(_) => self.good(index, uid, derived.entry(), resumed),
            Err(EncodeFault::Link(fault)) => self.broke_off(uid, fault),
            Err(EncodeFault::EncodedBefore) if resumed => self.reject(uid, Reject::KeysTorn),
            Err(EncodeFault::EncodedBefore) => Ok(Verdict::Refused(NotHere::EncodedBefore)),
            Err(EncodeFault::CounterUsed) => Ok(Verdict::Refused(NotHere::Used)),
            Err(EncodeFault::NotThisKind) => Ok(Verdict::Refused(NotHere::IdOnly)),
            Err(EncodeFault::NotGenuine) => self.reject(uid, Reject::Counterfeit),
            Err(EncodeFault::DidNotTake(unfit)) => self.reject(uid, Reject::DidNotTake(unfit)),
        }
    }

    fn known_kind(&mut self, field: &mut dyn Field, selected: &Selected) -> Result<Result<Uid, Verdict>, StationFault> {
        match identify(&mut &mut *field, selected) {
            Ok(Chip { tag, capabilities }) if capabilities.purse == PurseKind::TwoSlot => {
                Ok(Uid::of(tag).ok_or(Verdict::Refused(NotHere::IdOnly)))
            }
            Ok(_) => Ok(Err(Verdict::Refused(NotHere::IdOnly))),
            Err(IdentifyFault::Refused(refused)) => Ok(Err(Verdict::Refused(refused.into()))),
            Err(IdentifyFault::Field(fault)) => match Uid::of(selected.uid) {
                Some(uid) => self.broke_off(uid, fault.into()).map(Err),
                None => Ok(Err(Verdict::Refused(Refused::Unknown.into()))),
            },
        }
    }

    /// Looks before anything is written or a place is given: who made it, and whether it has a place elsewhere.
    fn look(&self, field: &mut dyn Field, uid: Uid) -> Result<Option<Verdict>, LinkFault> {
        let mut link = Link::new(field);
        link.reselect()?;
        if !self.makers.is_empty() && !originality::genuine(uid, &link.signature()?, &self.makers) {
            let why = Reject::Counterfeit;
            return Ok(Some(Verdict::Rejected { uid, why }));
        }
        if self.work.begun(uid).is_none()
            && let Some((start, _)) = link.read(FIRST_PAGE)?.split_first_chunk()
            && let Some(header) = Header::read(*start)
        {
            return Ok(Some(Verdict::Refused(NotHere::Elsewhere(header))));
        }
        link.reselect()?;
        Ok(None)
    }

    fn good(&mut self, index: u16, uid: Uid, entry: ListEntry, resumed: bool) -> Result<Verdict, StationFault> {
        self.attempts.remove(&uid);
        Ok(Verdict::Good {
            made: self.work.good(index, uid, entry, self.keys)?,
            resumed,
            checked: !self.makers.is_empty(),
        })
    }

    fn reject(&mut self, uid: Uid, why: Reject) -> Result<Verdict, StationFault> {
        self.work.reject(uid, &why.to_string())?;
        Ok(Verdict::Rejected { uid, why })
    }

    fn broke_off(&mut self, uid: Uid, why: LinkFault) -> Result<Verdict, StationFault> {
        if let LinkFault::Field(FieldFault::Reader(why)) = why {
            return Err(StationFault::Reader(why));
        }
        let attempts = self.attempts.entry(uid).or_default();
        *attempts += 1;
        if *attempts >= ATTEMPTS_MAX {
            return self.reject(uid, Reject::Unsteady);
        }
        Ok(Verdict::Again { uid, why })
    }
}

const fn header(facts: &BatchFacts, batch: u16, index: u16, class: u8) -> Header {
    Header {
        keyset: facts.keyset,
        batch,
        index,
        class,
    }
}

fn text(number: &str) -> [u8; 8] {
    let mut text = [0; 8];
    for (to, from) in text.iter_mut().zip(number.bytes()) {
        *to = from;
    }
    text
}

#[cfg(test)]
mod tests;
