//! What this till saw of purses: the least that each of them holds since, and the walks that need not be walked again.
//!
//! It is folded from the journal after a start, for what the server does not have yet: a copy of a wristband with another counter must not pay again
//! only because a till without network was switched off and on.

use std::collections::BTreeMap;

use chips::purse::LastKnown;
use shared_protocol::TagId;
use shared_protocol::purse::KnownWalk;
use shared_protocol::wristband::PurseMove;

/// Wristbands whose walk and totals are remembered; beyond it the one seen longest ago is forgotten.
const REMEMBERED_MAX: usize = 512;

#[derive(Debug, Clone, Copy)]
struct Seen {
    last: LastKnown,
    walk: Option<KnownWalk>,
    no: u64,
}

/// The purses that this till saw last.
#[derive(Debug, Clone, Default)]
pub(crate) struct SeenPurses {
    seen: BTreeMap<TagId, Seen>,
    newest: u64,
}

impl SeenPurses {
    /// A purse was read or written.
    pub fn note(&mut self, tag: TagId, last: LastKnown, walk: Option<KnownWalk>) {
        self.newest += 1;
        let no = self.newest;
        self.seen.insert(tag, Seen { last, walk, no });
        if self.seen.len() > REMEMBERED_MAX {
            let oldest = self.seen.iter().min_by_key(|(_, seen)| seen.no);
            let oldest = oldest.map(|(tag, _)| *tag);
            oldest.and_then(|tag| self.seen.remove(&tag));
        }
    }

    /// An order of the journal moved a purse. Its own credit is not counted: the chip has not been read since.
    pub fn note_order(&mut self, tag: TagId, purse: &PurseMove) {
        let last = LastKnown {
            counter: purse.after.debited,
            units: purse.before.credited,
        };
        self.note(tag, last, None);
    }

    /// The least that it holds.
    pub fn last(&self, tag: TagId) -> Option<LastKnown> {
        self.seen.get(&tag).map(|seen| seen.last)
    }

    /// How far its chains were walked.
    pub fn walk(&self, tag: TagId) -> Option<KnownWalk> {
        self.seen.get(&tag)?.walk
    }

    pub fn knows(&self, tag: TagId) -> bool {
        self.seen.contains_key(&tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAST: LastKnown = LastKnown {
        counter: 7,
        units: [1, 2, 3],
    };

    fn tag(number: usize) -> TagId {
        let [high, low] = u16::try_from(number).unwrap().to_be_bytes();
        TagId::from_slice(&[4, high, low, 0, 0, 0, 1]).unwrap()
    }

    #[test]
    fn the_wristband_that_was_seen_longest_ago_is_forgotten_first() {
        let mut seen = SeenPurses::default();
        for no in 0..REMEMBERED_MAX {
            seen.note(tag(no), LAST, None);
        }
        seen.note(tag(0), LAST, None);
        seen.note(tag(REMEMBERED_MAX), LAST, None);
        assert!(seen.knows(tag(0)), "it was seen again");
        assert!(!seen.knows(tag(1)));
        assert!(seen.knows(tag(REMEMBERED_MAX)));
    }
}
