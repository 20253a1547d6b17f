//! Who may read and write: the locks of a database file, and those of its shared memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// One open file of one connection. Locks belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HandleId(pub(crate) u64);

/// `SQLite`'s ladder, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// The locks on one file.
#[derive(Default)]
pub(crate) struct FileLocks(BTreeMap<HandleId, Level>);

impl FileLocks {
    /// False if another connection is in the way. A refused EXCLUSIVE leaves PENDING behind, which keeps new readers out.
    #[must_use]
    pub(crate) fn lock(&mut self, who: HandleId, want: Level) -> bool {
        let have = self.0.get(&who).copied().unwrap_or(Level::None);
        if have >= want {
            return true;
        }
        let others = self
            .0
            .iter()
            .filter(|(id, _)| **id != who)
            .map(|(_, level)| *level)
            .max()
            .unwrap_or(Level::None);
        let free = match want {
            Level::None => true,
            Level::Shared => others < Level::Pending,
            Level::Reserved => others < Level::Reserved,
            Level::Pending | Level::Exclusive if others >= Level::Reserved => false,
            Level::Pending | Level::Exclusive => {
                self.0.insert(who, Level::Pending);
                want == Level::Pending || others == Level::None
            }
        };
        if free {
            self.0.insert(who, want);
        }
        free
    }

    pub(crate) fn unlock(&mut self, who: HandleId, keep: Level) {
        if keep == Level::None {
            self.0.remove(&who);
        } else if let Some(level) = self.0.get_mut(&who) {
            *level = keep.min(*level);
        }
    }

    pub(crate) fn reserved(&self) -> bool {
        self.0.values().any(|level| *level >= Level::Reserved)
    }
}

#[derive(Clone, Copy, Default)]
struct Slots {
    shared: u8,
    exclusive: u8,
}

/// The shared memory of one database file: the index of its write-ahead log, and the eight locks around it.
#[derive(Default)]
pub(crate) struct Shm {
    /// Words with interior mutability: `SQLite` writes through the pointers it was given, no code of ours reads them.
    regions: Vec<Arc<[AtomicU64]>>,
    locks: BTreeMap<HandleId, Slots>,
}

impl Shm {
    pub(crate) fn join(&mut self, who: HandleId) {
        self.locks.entry(who).or_default();
    }

    /// True when nobody is left, so that the memory may go.
    #[must_use]
    pub(crate) fn leave(&mut self, who: HandleId) -> bool {
        self.locks.remove(&who);
        self.locks.is_empty()
    }

    pub(crate) fn has_region(&self, index: usize) -> bool {
        index < self.regions.len()
    }

    /// The address of a region, which stays where it is until the last connection leaves.
    pub(crate) fn region(&mut self, index: usize, bytes: usize) -> *mut u8 {
        while self.regions.len() <= index {
            self.regions
                .push((0..bytes.div_ceil(8)).map(|_| AtomicU64::new(0)).collect());
        }
        self.regions[index].as_ptr().cast_mut().cast()
    }

    #[must_use]
    pub(crate) fn lock(&mut self, who: HandleId, mask: u8, exclusive: bool) -> bool {
        let others = self.locks.iter().filter(|(id, _)| **id != who).map(|(_, slots)| slots);
        let taken = others.fold(0, |taken, slots| {
            taken | slots.exclusive | if exclusive { slots.shared } else { 0 }
        });
        if taken & mask != 0 {
            return false;
        }
        let mine = self.locks.entry(who).or_default();
        if exclusive {
            mine.exclusive |= mask;
        } else {
            mine.shared |= mask;
        }
        true
    }

    pub(crate) fn unlock(&mut self, who: HandleId, mask: u8) {
        let mine = self.locks.entry(who).or_default();
        mine.exclusive &= !mask;
        mine.shared &= !mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: HandleId = HandleId(1);
    const B: HandleId = HandleId(2);

    #[test]
    fn a_writer_waits_for_readers_and_keeps_new_ones_out() {
        let mut locks = FileLocks::default();
        assert!(locks.lock(A, Level::Shared) && locks.lock(B, Level::Shared));
        assert!(locks.lock(A, Level::Reserved));
        assert!(locks.reserved());
        assert!(!locks.lock(B, Level::Reserved));
        assert!(!locks.lock(A, Level::Exclusive));
        assert!(!locks.lock(HandleId(3), Level::Shared), "PENDING keeps new readers out");
        locks.unlock(B, Level::None);
        assert!(locks.lock(A, Level::Exclusive));
        assert!(!locks.lock(B, Level::Shared));
        locks.unlock(A, Level::Shared);
        assert!(!locks.reserved());
        assert!(locks.lock(B, Level::Shared));
    }

    #[test]
    fn shared_memory_locks_are_many_readers_or_one_writer_for_each_slot() {
        let mut shm = Shm::default();
        assert!(shm.lock(A, 0b0110, false) && shm.lock(B, 0b0010, false));
        assert!(!shm.lock(B, 0b0100, true));
        assert!(shm.lock(B, 0b1000, true));
        assert!(!shm.lock(A, 0b1000, false));
        shm.unlock(A, 0b0110);
        assert!(shm.lock(B, 0b0100, true));
        assert!(!shm.leave(B));
        assert!(shm.lock(A, 0b1110, true), "what a connection held goes with it");
        assert!(shm.leave(A));
    }

    #[test]
    fn regions_stay_where_they_are_when_more_are_added() {
        let mut shm = Shm::default();
        let first = shm.region(0, 32_768);
        for index in 1..50 {
            shm.region(index, 32_768);
        }
        assert_eq!(first, shm.region(0, 32_768));
        assert!(shm.has_region(49) && !shm.has_region(50));
    }
}
