//! Where pushed entries belong: the next part of a line, a repetition, a gap, or a fork.
//!
//! A chain hash covers everything before it, so equal hashes at a sequence mean equal histories. That makes the question simple: how many of
//! the pushed entries are stored already, in whatever branch, and is the point after them the end of a line (append), the middle of
//! one (fork), or unknown (gap)?

use std::collections::BTreeMap;

use shared_protocol::chain::{EpochStart, link};
use shared_protocol::crypto::{Hash32, PublicKey, Signature};
use shared_protocol::entry::{Content, Entry};
use shared_protocol::limits::PUSH_ENTRIES_MAX;
use shared_protocol::message::Push;
use shared_protocol::{DecodeError, TerminalId};
use store::{Chain, ChainKey, TerminalNo};

/// An entry of a push, read and hashed.
#[derive(Debug, Clone)]
pub struct CheckedEntry {
    /// The bytes as they came.
    pub raw: Vec<u8>,
    /// The chain hash after it.
    pub hash: Hash32,
    /// What it says, or why it cannot be read.
    pub content: Result<(Entry, Content), DecodeError>,
}

/// A push whose signature was checked and whose entries were read; all the work that does not need the ledger.
#[derive(Debug, Clone)]
pub struct CheckedPush {
    /// Whose journal.
    pub terminal: TerminalId,
    /// The epoch with its root.
    pub epoch: EpochStart,
    /// Sequence of the first entry.
    pub first_seq: u64,
    /// The head before the first entry.
    pub previous: Hash32,
    /// The entries.
    pub entries: Vec<CheckedEntry>,
    /// The terminal's signature over the head after the last entry.
    pub signature: Signature,
    /// Whether the signed head is the head of these entries and the signature holds.
    pub verified: bool,
}

impl CheckedPush {
    /// Sequence of the last entry.
    pub fn last_seq(&self) -> u64 {
        self.first_seq
            .saturating_add(self.entries.len() as u64)
            .saturating_sub(1)
    }
}

/// A push that cannot be anybody's: it has no entries, too many, or a sequence that no journal reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a push has 1 to {PUSH_ENTRIES_MAX} entries and starts at sequence 1 or later")]
pub struct MalformedPush;

/// Reads the entries, walks the chain and checks the signature.
pub fn check_push(push: Push, key: &PublicKey) -> Result<CheckedPush, MalformedPush> {
    check_entries(push, key, PUSH_ENTRIES_MAX)
}

/// The same for as many entries as the caller has room for.
pub(crate) fn check_entries(push: Push, key: &PublicKey, entries_max: usize) -> Result<CheckedPush, MalformedPush> {
    let count = push.entries.len();
    let last_seq = push.first_seq.checked_add(count as u64).map(|end| end.wrapping_sub(1));
    let (true, Some(last_seq)) = ((1..=entries_max).contains(&count) && push.first_seq >= 1, last_seq) else {
        return Err(MalformedPush);
    };
    let mut head = push.previous;
    let mut entries = Vec::with_capacity(count);
    for (seq, bytes) in (push.first_seq..).zip(push.entries) {
        head = link(&head, seq, &bytes.0);
        entries.push(CheckedEntry {
            content: Entry::read(&bytes.0),
            hash: head,
            raw: bytes.0,
        });
    }
    let same_head = push.head.epoch == push.epoch.epoch && push.head.seq == last_seq && push.head.hash == head;
    let verified = same_head && push.head.verify(key, push.terminal).is_ok();
    Ok(CheckedPush {
        terminal: push.terminal,
        epoch: push.epoch,
        first_seq: push.first_seq,
        previous: push.previous,
        entries,
        signature: push.head.signature,
        verified,
    })
}

/// Where a push goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// After the end of a line; the first `known` entries are stored already.
    Append {
        /// Which line.
        branch: u16,
        /// Entries to skip.
        known: usize,
    },
    /// All of it is stored.
    Repeated {
        /// The line that has the last entry.
        branch: u16,
    },
    /// It leaves a line in its middle: a new branch.
    Fork {
        /// The new line's number.
        branch: u16,
        /// Entries to skip, shared with the line it leaves.
        known: usize,
    },
    /// Something is missing before it.
    Gap {
        /// Send again from here.
        expected_seq: u64,
    },
    /// Branches are used up: nobody forks 65,535 times by accident.
    Refused,
}

/// What is stored of one epoch of one terminal, and the hashes that were loaded or came in this batch.
pub struct Lines<'a> {
    /// All branches of the epoch.
    pub chains: &'a [Chain],
    /// Hashes of stored entries.
    pub hashes: &'a BTreeMap<(ChainKey, u64), Hash32>,
    /// Which terminal.
    pub terminal: TerminalNo,
    /// The hash before sequence 1.
    pub root: Hash32,
}

impl Lines<'_> {
    /// Whether a push simply continues a line, so that no stored hash is needed to place it.
    pub fn continues(chains: &[Chain], root: Hash32, push: &CheckedPush) -> bool {
        chains
            .iter()
            .any(|chain| chain.last_seq.saturating_add(1) == push.first_seq && chain.head == push.previous)
            || chains.is_empty() && push.first_seq == 1 && push.previous == root
    }

    /// The line that has this hash at this sequence.
    fn holder(&self, seq: u64, hash: &Hash32) -> Option<u16> {
        if seq == 0 {
            return (self.root == *hash).then_some(0);
        }
        let ends_there = self
            .chains
            .iter()
            .find(|chain| chain.last_seq == seq && chain.head == *hash);
        ends_there.map(|chain| chain.key.branch).or_else(|| {
            self.chains
                .iter()
                .find(|chain| self.hashes.get(&(chain.key, seq)).is_some_and(|stored| stored == hash))
                .map(|chain| chain.key.branch)
        })
    }

    /// Where a push belongs.
    pub fn place(&self, push: &CheckedPush) -> Place {
        let mut at = (push.first_seq.saturating_sub(1), push.previous);
        let mut known = 0;
        let mut on = self.holder(at.0, &at.1);
        for (seq, entry) in (push.first_seq..).zip(&push.entries) {
            let Some(branch) = self.holder(seq, &entry.hash) else {
                break;
            };
            (at, on) = ((seq, entry.hash), Some(branch));
            known += 1;
        }
        let Some(branch) = on else {
            let main_end = self
                .chains
                .iter()
                .find(|chain| chain.key.branch == 0)
                .map_or(0, |chain| chain.last_seq);
            // Beyond the end: the part between is missing. Before it: the journals differ earlier, so the common part must be found.
            let expected_seq = if push.first_seq > main_end.saturating_add(1) {
                main_end.saturating_add(1)
            } else {
                1
            };
            return Place::Gap { expected_seq };
        };
        if known == push.entries.len() {
            return Place::Repeated { branch };
        }
        if let Some(line) = self
            .chains
            .iter()
            .find(|chain| chain.last_seq == at.0 && chain.head == at.1)
        {
            return Place::Append {
                branch: line.key.branch,
                known,
            };
        }
        if self.chains.is_empty() {
            return Place::Append { branch: 0, known };
        }
        match self
            .chains
            .iter()
            .map(|chain| chain.key.branch)
            .max()
            .unwrap_or(0)
            .checked_add(1)
        {
            Some(branch) => Place::Fork { branch, known },
            None => Place::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use shared_protocol::chain::SignedHead;
    use shared_protocol::crypto::{Ed25519Signer, Signer};
    use shared_protocol::ids::Bytes;

    use super::*;

    const TERMINAL: TerminalId = TerminalId([1; 16]);
    const NO: TerminalNo = TerminalNo(7);

    fn root() -> Hash32 {
        EpochStart::FIRST.root(TERMINAL)
    }

    type Stored = (Chain, BTreeMap<(ChainKey, u64), Hash32>);

    /// A journal of one-byte entries as a list of hashes.
    fn hashes(entries: &[u8]) -> Vec<Hash32> {
        let mut head = root();
        entries
            .iter()
            .zip(1..)
            .map(|(byte, seq)| {
                head = link(&head, seq, &[*byte]);
                head
            })
            .collect()
    }

    fn push(journal: &[u8], from: usize) -> CheckedPush {
        let signer = Ed25519Signer::from_seed(&[1; 32]).unwrap();
        let all = hashes(journal);
        let previous = if from == 0 { root() } else { all[from - 1] };
        let head = SignedHead::sign(&signer, TERMINAL, 1, journal.len() as u64, *all.last().unwrap()).unwrap();
        let entries = journal[from..].iter().map(|byte| Bytes(vec![*byte])).collect();
        let push = Push {
            terminal: TERMINAL,
            epoch: EpochStart::FIRST,
            first_seq: from as u64 + 1,
            previous,
            entries,
            head,
        };
        check_push(push, &signer.public_key()).unwrap()
    }

    fn line(branch: u16, first_seq: u64, journal: &[u8]) -> (Chain, BTreeMap<(ChainKey, u64), Hash32>) {
        let key = ChainKey {
            terminal: NO,
            epoch: 1,
            branch,
        };
        let all = hashes(journal);
        let chain = Chain {
            key,
            start: EpochStart::FIRST,
            first_seq,
            last_seq: journal.len() as u64,
            head: *all.last().unwrap_or(&root()),
        };
        let stored = (1..)
            .zip(all)
            .filter(|(seq, _)| *seq >= first_seq)
            .map(|(seq, hash)| ((key, seq), hash))
            .collect();
        (chain, stored)
    }

    fn place(lines: &[Stored], push: &CheckedPush) -> Place {
        let chains: Vec<Chain> = lines.iter().map(|(chain, _)| *chain).collect();
        let hashes = lines.iter().flat_map(|(_, stored)| stored.clone()).collect();
        Lines {
            chains: &chains,
            hashes: &hashes,
            terminal: NO,
            root: root(),
        }
        .place(push)
    }

    #[test]
    fn entries_go_to_the_end_of_their_line() {
        assert_eq!(place(&[], &push(b"ab", 0)), Place::Append { branch: 0, known: 0 });
        assert_eq!(
            place(&[line(0, 1, b"ab")], &push(b"abcd", 2)),
            Place::Append { branch: 0, known: 0 }
        );
        assert_eq!(
            place(&[line(0, 1, b"abc")], &push(b"abcd", 1)),
            Place::Append { branch: 0, known: 2 }
        );
        assert_eq!(
            place(&[line(0, 1, b"abcd"), line(1, 3, b"abX")], &push(b"abXY", 3)),
            Place::Append { branch: 1, known: 0 }
        );
    }

    #[test]
    fn what_is_stored_is_a_repetition_in_whatever_branch() {
        assert_eq!(
            place(&[line(0, 1, b"abcd")], &push(b"abc", 1)),
            Place::Repeated { branch: 0 }
        );
        assert_eq!(
            place(&[line(0, 1, b"abcd"), line(1, 3, b"abXY")], &push(b"abX", 2)),
            Place::Repeated { branch: 1 }
        );
    }

    #[test]
    fn other_content_at_a_known_place_is_a_fork_after_the_common_part() {
        assert_eq!(
            place(&[line(0, 1, b"abcd")], &push(b"abXY", 2)),
            Place::Fork { branch: 1, known: 0 }
        );
        assert_eq!(
            place(&[line(0, 1, b"abcd")], &push(b"abXY", 0)),
            Place::Fork { branch: 1, known: 2 }
        );
        assert_eq!(
            place(&[line(0, 1, b"abcd")], &push(b"X", 0)),
            Place::Fork { branch: 1, known: 0 }
        );
        assert_eq!(
            place(&[line(0, 1, b"abcd"), line(1, 3, b"abXY")], &push(b"abXZ", 2)),
            Place::Fork { branch: 2, known: 1 }
        );
    }

    #[test]
    fn what_does_not_connect_is_a_gap() {
        assert_eq!(
            place(&[line(0, 1, b"ab")], &push(b"abcd", 3)),
            Place::Gap { expected_seq: 3 }
        );
        assert_eq!(place(&[], &push(b"ab", 1)), Place::Gap { expected_seq: 1 });
        assert_eq!(
            place(&[line(0, 1, b"abcd")], &push(b"XYZ", 2)),
            Place::Gap { expected_seq: 1 }
        );
    }

    #[test]
    fn a_wrong_signature_or_head_is_noticed_and_the_entries_are_kept() {
        let good = push(b"ab", 0);
        assert!(good.verified);
        let signer = Ed25519Signer::from_seed(&[2; 32]).unwrap();
        let head = SignedHead::sign(&signer, TERMINAL, 1, 2, good.entries[1].hash).unwrap();
        let entries = vec![Bytes(b"a".to_vec()), Bytes(b"b".to_vec())];
        let push = Push {
            terminal: TERMINAL,
            epoch: EpochStart::FIRST,
            first_seq: 1,
            previous: root(),
            entries,
            head,
        };
        let other = Ed25519Signer::from_seed(&[1; 32]).unwrap().public_key();
        let checked = check_push(push.clone(), &other).unwrap();
        assert!(!checked.verified && checked.entries.len() == 2);
        assert!(
            check_push(
                Push {
                    first_seq: 0,
                    ..push.clone()
                },
                &other
            )
            .is_err()
        );
        assert!(
            check_push(
                Push {
                    entries: vec![],
                    ..push.clone()
                },
                &other
            )
            .is_err()
        );
        assert!(
            check_push(
                Push {
                    first_seq: u64::MAX,
                    ..push
                },
                &other
            )
            .is_err()
        );
    }
}
