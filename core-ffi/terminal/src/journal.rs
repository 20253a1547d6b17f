//! The journal as far as it is in memory: where each epoch ends, what the server has of it, and the newest entries.
//!
//! ```text
//!    1 … acked          on the server, durable
//!        acked+1 … sent on the way
//!        … last         durable here; the tail of it in memory, the rest in the queue
//!        heads          signed, at most 20 entries or 2 s behind `last`
//! ```
//! Entries are added when they are durable and not before. Nothing is ever taken away: what leaves memory is still in the queue.

use std::collections::{BTreeMap, VecDeque};

use shared_protocol::TerminalId;
use shared_protocol::chain::{EpochStart, SignedHead, link};
use shared_protocol::crypto::Hash32;
use shared_protocol::ids::Bytes;
use shared_protocol::limits::{PUSH_ENTRIES_MAX, UNSIGNED_ENTRIES_MAX, UNSIGNED_MAX_MS};
use shared_protocol::message::Push;

use crate::output::StoredEntry;

/// Entries of one epoch in memory. Twice the window, so that a resend after a short break needs no read.
pub(crate) const TAIL_ENTRIES_MAX: usize = 512;

/// One epoch.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    terminal: TerminalId,
    start: EpochStart,
    last_seq: u64,
    head: Hash32,
    acked: u64,
    /// Sent on the present connection, or on the server already.
    pub sent: u64,
    /// The newest entries, without a hole, up to `last_seq`.
    tail: VecDeque<StoredEntry>,
    fetched: Option<ReadBack>,
    heads: BTreeMap<u64, SignedHead>,
    signed: u64,
    unsigned_since_ms: Option<u64>,
}

/// Entries that were read back for sending, without a hole.
#[derive(Debug, Clone)]
struct ReadBack {
    /// The hash before the first one.
    previous: Hash32,
    entries: VecDeque<StoredEntry>,
    heads: BTreeMap<u64, SignedHead>,
}

/// What can be sent next.
#[derive(Debug)]
pub(crate) enum NextPush {
    /// This frame, up to this sequence.
    Frame(Box<Push>, u64),
    /// Entries from here on have to be read back.
    Fetch(u64),
    /// A head has to be signed at this entry first.
    Sign(u64, Hash32),
    /// Nothing.
    Nothing,
}

impl ReadBack {
    fn covers(&self, seq: u64) -> bool {
        self.entries.front().is_some_and(|first| first.seq <= seq)
            && self.entries.back().is_some_and(|last| last.seq >= seq)
    }
}

impl Chain {
    pub fn new(terminal: TerminalId, start: EpochStart) -> Self {
        Self {
            terminal,
            start,
            last_seq: 0,
            head: start.root(terminal),
            acked: 0,
            sent: 0,
            tail: VecDeque::new(),
            fetched: None,
            heads: BTreeMap::new(),
            signed: 0,
            unsigned_since_ms: None,
        }
    }

    /// An epoch that is over, as if the server had nothing of it: every entry is in the queue and its last one is signed.
    pub fn unsent_again(&self) -> Self {
        let mut chain = Self::new(self.terminal, self.start);
        (chain.last_seq, chain.head, chain.signed) = (self.last_seq, self.head, self.last_seq);
        chain
    }

    /// Leaves memory for what is needed to send it again one day.
    pub fn forget_entries(&mut self) {
        self.tail.clear();
        self.fetched = None;
        self.heads.clear();
        self.unsigned_since_ms = None;
    }

    pub fn start(&self) -> EpochStart {
        self.start
    }

    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    pub fn head(&self) -> Hash32 {
        self.head
    }

    pub fn acked(&self) -> u64 {
        self.acked
    }

    pub fn unacked(&self) -> u64 {
        self.last_seq - self.acked
    }

    /// The entry that would follow `pending` entries after the last.
    pub fn follow(&self, pending: &[StoredEntry], bytes: Vec<u8>) -> StoredEntry {
        let (seq, head) = pending
            .last()
            .map_or((self.last_seq, self.head), |entry| (entry.seq, entry.hash));
        StoredEntry {
            epoch: self.start.epoch,
            seq: seq + 1,
            hash: link(&head, seq + 1, &bytes),
            bytes,
        }
    }

    /// The entries that would follow the last one, each after the one before it.
    pub fn follow_all(&self, bodies: Vec<Vec<u8>>) -> Vec<StoredEntry> {
        let mut entries = Vec::with_capacity(bodies.len());
        for bytes in bodies {
            entries.push(self.follow(&entries, bytes));
        }
        entries
    }

    /// Takes in an entry that is durable now. It must follow the last one.
    pub fn push(&mut self, entry: StoredEntry, now_ms: u64) {
        assert!(
            entry.epoch == self.start.epoch && entry.seq == self.last_seq + 1,
            "entries are written without a hole"
        );
        self.last_seq = entry.seq;
        self.head = entry.hash;
        self.unsigned_since_ms.get_or_insert(now_ms);
        self.tail.push_back(entry);
        self.trim();
    }

    /// Takes in an entry of the queue at the start; the first one may be any.
    pub fn restore(&mut self, entry: StoredEntry, now_ms: u64) {
        self.last_seq = entry.seq - 1;
        self.push(entry, now_ms);
    }

    /// Takes in the server's watermark as it was stored.
    pub fn restore_acked(&mut self, seq: u64) {
        self.acked = seq;
        self.sent = seq;
    }

    fn trim(&mut self) {
        while self.tail.len() > TAIL_ENTRIES_MAX {
            self.tail.pop_front();
        }
        let from = self.tail.front().map_or(self.last_seq, |entry| entry.seq);
        self.heads = self.heads.split_off(&from);
    }

    /// The hash after an entry, as far as it is in memory.
    pub fn hash_at(&self, seq: u64) -> Option<Hash32> {
        if seq == 0 {
            return Some(self.start.root(self.terminal));
        }
        if seq == self.last_seq {
            return Some(self.head);
        }
        // What was read back begins right after this entry: its hash came along.
        let before_read = self.fetched.as_ref().filter(|read| {
            let first = read.entries.front();
            first.is_some_and(|first| first.seq.checked_sub(1) == Some(seq))
        });
        if let Some(read) = before_read {
            return Some(read.previous);
        }
        let fetched = self.fetched.iter().flat_map(|read| &read.entries);
        self.tail
            .iter()
            .chain(fetched)
            .find(|entry| entry.seq == seq)
            .map(|entry| entry.hash)
    }

    /// The server says that it has everything up to `seq`, and with what head. Gives whether the watermark moved.
    pub fn server_has(&mut self, seq: u64, head: Hash32) -> bool {
        let known = self.hash_at(seq);
        let agrees = seq <= self.last_seq && known == Some(head);
        // A server that has less than it had before was restored: it gets everything again from there. One that has more than is
        // remembered here is believed only where the hash agrees; what differs comes to light when it is sent.
        let acked = if agrees || seq < self.acked { seq } else { self.acked };
        let moved = acked != self.acked;
        self.acked = acked;
        self.sent = acked;
        moved
    }

    /// The server acknowledged up to `seq`. Gives whether the watermark moved.
    pub fn acknowledge(&mut self, seq: u64) -> bool {
        let seq = seq.min(self.last_seq);
        if seq <= self.acked {
            return false;
        }
        self.acked = seq;
        self.sent = self.sent.max(seq);
        if self
            .fetched
            .as_ref()
            .is_some_and(|read| read.entries.back().is_none_or(|last| last.seq <= seq))
        {
            self.fetched = None;
        }
        true
    }

    /// The server wants everything from `seq` on again.
    pub fn resend_from(&mut self, seq: u64) {
        let before = seq.saturating_sub(1).min(self.last_seq);
        self.acked = self.acked.min(before);
        self.sent = before;
    }

    /// Everything unacknowledged is to be sent again.
    pub fn rewind(&mut self) {
        self.sent = self.acked;
    }

    /// Where a head should be signed now: when so many or so old entries are without one, or when sending waits for it.
    pub fn due_head(&self, now_ms: u64, waiting: bool) -> Option<(u64, Hash32)> {
        let behind = self.last_seq.saturating_sub(self.signed);
        let due = behind > 0
            && (waiting
                || behind >= u64::from(UNSIGNED_ENTRIES_MAX)
                || self.head_due_at_ms().is_some_and(|at| now_ms >= at));
        due.then_some((self.last_seq, self.head))
    }

    /// When the oldest entry without a head has to get one.
    pub fn head_due_at_ms(&self) -> Option<u64> {
        self.unsigned_since_ms
            .map(|since| since.saturating_add(UNSIGNED_MAX_MS))
    }

    /// Entries without a head.
    pub fn unsigned(&self) -> u64 {
        self.last_seq - self.signed
    }

    /// Takes in a head that was signed, or read from the queue.
    pub fn signed(&mut self, head: SignedHead, now_ms: u64) {
        if head.seq > self.last_seq {
            return;
        }
        if head.seq > self.signed {
            self.signed = head.seq;
            self.unsigned_since_ms = (self.signed < self.last_seq).then_some(now_ms);
        }
        if let Some(read) = &mut self.fetched {
            read.heads.insert(head.seq, head.clone());
        }
        self.heads.insert(head.seq, head);
        self.trim();
    }

    /// The next frame: at most `room` entries and `bytes_max` bytes, ending at a signed head.
    pub fn next_push(&self, room: u32, bytes_max: usize) -> NextPush {
        let from = self.sent + 1;
        if from > self.last_seq || room == 0 {
            return NextPush::Nothing;
        }
        let from_tail = self.tail.front().is_some_and(|first| first.seq <= from);
        let (source, heads, before_first) = match &self.fetched {
            _ if from_tail => (&self.tail, &self.heads, None),
            Some(read) if read.covers(from) => (&read.entries, &read.heads, Some(read.previous)),
            _ => return NextPush::Fetch(from),
        };
        let mut bytes = 0_usize;
        // Each entry is led by a length of at most five bytes.
        let fitting: Vec<&StoredEntry> = source
            .iter()
            .skip_while(|entry| entry.seq < from)
            .take(PUSH_ENTRIES_MAX)
            .take_while(|entry| {
                bytes = bytes.saturating_add(entry.bytes.len() + 5);
                bytes <= bytes_max
            })
            .collect();
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        let within = fitting.iter().take(room).rfind(|entry| heads.contains_key(&entry.seq));
        // Heads may stand further apart than the window is wide; then the frame goes over it rather than never.
        let beyond = || fitting.iter().skip(room).find(|entry| heads.contains_key(&entry.seq));
        let Some(end) = within.or_else(beyond) else {
            return fitting
                .last()
                .map_or(NextPush::Nothing, |last| NextPush::Sign(last.seq, last.hash));
        };
        let Some(head) = heads.get(&end.seq) else {
            return NextPush::Nothing;
        };
        let previous = if from == 1 {
            Some(self.start.root(self.terminal))
        } else {
            self.hash_at(from - 1)
        };
        let Some(previous) =
            previous.or(before_first.filter(|_| source.front().is_some_and(|first| first.seq == from)))
        else {
            return NextPush::Fetch(from);
        };
        let entries = fitting
            .iter()
            .take_while(|entry| entry.seq <= end.seq)
            .map(|entry| Bytes(entry.bytes.clone()))
            .collect();
        let push = Push {
            terminal: self.terminal,
            epoch: self.start,
            first_seq: from,
            previous,
            entries,
            head: head.clone(),
        };
        NextPush::Frame(Box::new(push), end.seq)
    }

    /// How many entries wait to be sent.
    pub fn waiting(&self) -> u64 {
        self.last_seq - self.sent.min(self.last_seq)
    }

    /// Takes in entries that were read back. What does not continue the chain is not used: the queue is damaged there.
    pub fn fetched(&mut self, previous: Option<Hash32>, entries: Vec<StoredEntry>, heads: Vec<SignedHead>) -> bool {
        let Some(first) = entries.first().map(|entry| entry.seq) else {
            return false;
        };
        let Some(before) = (if first == 1 {
            Some(self.start.root(self.terminal))
        } else {
            previous
        }) else {
            return false;
        };
        let mut place = (first - 1, before);
        let continues = entries.iter().all(|entry| {
            let good = entry.seq == place.0 + 1 && entry.hash == link(&place.1, entry.seq, &entry.bytes);
            place = (entry.seq, entry.hash);
            good
        });
        if continues {
            let heads = heads.into_iter().map(|head| (head.seq, head)).collect();
            self.fetched = Some(ReadBack {
                previous: before,
                entries: entries.into(),
                heads,
            });
        }
        continues
    }
}

#[cfg(test)]
mod tests {
    use shared_protocol::crypto::Ed25519Signer;

    use super::*;

    const TERMINAL: TerminalId = TerminalId([1; 16]);

    fn chain(entries: u64) -> Chain {
        let mut chain = Chain::new(TERMINAL, EpochStart::FIRST);
        for number in 0..entries {
            let entry = chain.follow(&[], number.to_be_bytes().to_vec());
            chain.push(entry, number);
        }
        chain
    }

    fn sign(chain: &mut Chain, seq: u64) {
        let signer = Ed25519Signer::from_seed(&[1; 32]).unwrap();
        let hash = chain.hash_at(seq).unwrap();
        chain.signed(SignedHead::sign(&signer, TERMINAL, 1, seq, hash).unwrap(), 0);
    }

    fn frame(chain: &Chain, room: u32, bytes: usize) -> (Push, u64) {
        match chain.next_push(room, bytes) {
            NextPush::Frame(push, last) => (*push, last),
            other => panic!("no frame but {other:?}"),
        }
    }

    #[test]
    fn a_frame_ends_at_the_newest_signed_head_that_fits() {
        let mut chain = chain(30);
        sign(&mut chain, 10);
        sign(&mut chain, 20);
        assert_eq!(frame(&chain, 256, 10_000).1, 20);
        assert_eq!(frame(&chain, 15, 10_000).1, 10);
        let (push, last) = frame(&chain, 5, 10_000);
        assert_eq!(
            (push.entries.len(), last),
            (10, 10),
            "heads further apart than the window go over it"
        );
        chain.sent = 20;
        assert!(matches!(chain.next_push(256, 10_000), NextPush::Sign(30, _)));
        assert!(matches!(chain.next_push(0, 10_000), NextPush::Nothing));
    }

    #[test]
    fn a_frame_that_would_be_too_large_gets_a_head_in_between() {
        let mut chain = chain(30);
        sign(&mut chain, 30);
        let NextPush::Sign(seq, _) = chain.next_push(256, 100) else {
            panic!("a head was expected")
        };
        sign(&mut chain, seq);
        assert_eq!(frame(&chain, 256, 100).1, seq);
        assert_eq!(chain.unsigned(), 0, "an older head does not undo a newer one");
    }

    #[test]
    fn frames_follow_each_other_without_a_hole() {
        let mut chain = chain(200);
        for seq in (20..=200).step_by(20) {
            sign(&mut chain, seq);
        }
        let mut head = EpochStart::FIRST.root(TERMINAL);
        while chain.sent < 200 {
            let (push, last) = frame(&chain, 256, 60_000);
            assert_eq!((push.first_seq, push.previous), (chain.sent + 1, head));
            head = push.head.hash;
            chain.sent = last;
        }
    }

    #[test]
    fn what_left_memory_is_fetched_and_checked() {
        let mut chain = chain(600);
        let all = {
            let mut whole = Chain::new(TERMINAL, EpochStart::FIRST);
            let mut entries = Vec::new();
            for number in 0..600_u64 {
                entries.push(whole.follow(&entries, number.to_be_bytes().to_vec()));
            }
            whole.head = Hash32::ZERO;
            entries
        };
        assert!(matches!(chain.next_push(256, 60_000), NextPush::Fetch(1)));
        let mut damaged = all[..40].to_vec();
        damaged[7].bytes.push(0);
        assert!(!chain.fetched(None, damaged, Vec::new()));
        assert!(chain.fetched(None, all[..40].to_vec(), Vec::new()));
        assert!(matches!(chain.next_push(256, 60_000), NextPush::Sign(40, _)));
        sign(&mut chain, 40);
        assert_eq!(frame(&chain, 256, 60_000).1, 40);
        chain.sent = 40;
        assert!(matches!(chain.next_push(256, 60_000), NextPush::Fetch(41)));
        assert!(chain.fetched(Some(all[39].hash), all[40..80].to_vec(), Vec::new()));
        sign(&mut chain, 60);
        let (push, last) = frame(&chain, 256, 60_000);
        assert_eq!((push.previous, last), (all[39].hash, 60));
    }

    #[test]
    fn a_tail_that_begins_at_the_first_unsent_entry_is_sent_after_one_look_into_the_queue() {
        let mut chain = chain(600);
        let tail: Vec<StoredEntry> = chain.tail.iter().cloned().collect();
        let first = tail[0].seq;
        let before = {
            let whole = Chain::new(TERMINAL, EpochStart::FIRST);
            let mut entries = Vec::new();
            for number in 0..first - 1 {
                entries.push(whole.follow(&entries, number.to_be_bytes().to_vec()));
            }
            entries[entries.len() - 1].hash
        };
        (chain.acked, chain.sent) = (first - 1, first - 1);
        sign(&mut chain, first + 9);
        assert!(matches!(chain.next_push(256, 60_000), NextPush::Fetch(from) if from == first));
        assert!(chain.fetched(Some(before), tail[..40].to_vec(), Vec::new()));
        let (push, last) = frame(&chain, 256, 60_000);
        assert_eq!((push.previous, push.first_seq, last), (before, first, first + 9));
    }

    #[test]
    fn a_restored_server_gets_everything_again_and_a_stranger_is_not_believed() {
        let mut chain = chain(50);
        chain.acknowledge(40);
        assert!(
            !chain.server_has(45, Hash32::ZERO),
            "a head that is not ours acknowledges nothing"
        );
        assert_eq!(chain.acked(), 40);
        let at_45 = chain.hash_at(45).unwrap();
        assert!(chain.server_has(45, at_45));
        let at_10 = chain.hash_at(10).unwrap();
        assert!(chain.server_has(10, at_10));
        assert_eq!((chain.acked(), chain.unacked(), chain.waiting()), (10, 40, 40));
        assert!(
            !chain.acknowledge(5),
            "a watermark that an older answer names changes nothing"
        );
        chain.acknowledge(1_000);
        assert_eq!(chain.acked(), 50, "nothing is acknowledged that was not written");
    }

    #[test]
    fn heads_are_due_by_number_by_age_and_when_sending_waits() {
        let mut chain = chain(3);
        assert_eq!(chain.due_head(100, false), None);
        assert!(chain.due_head(100, true).is_some());
        assert!(chain.due_head(UNSIGNED_MAX_MS, false).is_some());
        sign(&mut chain, 3);
        assert_eq!(chain.due_head(u64::MAX, true), None);
        let mut many = chain.clone();
        for _ in 0..UNSIGNED_ENTRIES_MAX {
            let entry = many.follow(&[], vec![1]);
            many.push(entry, 0);
        }
        assert!(many.due_head(0, false).is_some());
    }
}
