//! A copy of what the server lacks, for another device: in the format of a second copy ([`shared_protocol::mirror`]), so that another phone takes
//! it as well as `groschen import` and the console do. It is signed by this device and not encrypted: it holds what was sold and ids of wristbands,
//! no key and no name.
//!
//! What must never happen here: a copy with a hole, or one whose last entries nobody signed.

use shared_protocol::chain::SignedHead;
use shared_protocol::crypto::{Hash32, SignError, Signer};
use shared_protocol::ids::Bytes;
use shared_protocol::limits::PUSH_ENTRIES_MAX;
use shared_protocol::mirror::{FORMAT, MirroredEntry, Opening, Record};
use terminal::{Evacuable, EvacuableEpoch, PART_BYTES_MAX, StoredEntry};

use crate::queue::{Queue, QueueError};

/// The size of one copy, about: what does not fit goes into the next one. A series of codes with so much takes minutes.
const COPY_BYTES: usize = 256 * 1024;

/// Entries read at a time.
const PAGE_ENTRIES: u32 = 256;

/// A copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalCopy {
    /// A name for its file.
    pub name: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Orders and what else is in it.
    pub entries: u64,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum NoCopy {
    /// The queue cannot be read.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The queue lacks what it should have.
    #[error("entry {0} is missing in the queue or does not continue it; keep the device, it is evidence")]
    Hole(u64),
    /// The device's key cannot sign.
    #[error("the device's key cannot sign now; try again")]
    Key(#[from] SignError),
}

/// What was read of an epoch.
pub(crate) struct ReadEpoch {
    epoch: EvacuableEpoch,
    previous: Hash32,
    entries: Vec<StoredEntry>,
    heads: Vec<SignedHead>,
}

/// Reads what has to be copied.
pub(crate) fn read<Q: Queue>(queue: &mut Q, what: &Evacuable) -> Result<Vec<ReadEpoch>, NoCopy> {
    let mut epochs = Vec::new();
    for epoch in &what.epochs {
        let mut read = ReadEpoch {
            epoch: *epoch,
            previous: epoch.start.root(what.terminal),
            entries: Vec::new(),
            heads: Vec::new(),
        };
        let mut from = epoch.from_seq;
        while from <= epoch.to_seq {
            let page = queue.fetch(epoch.start.epoch, from, PAGE_ENTRIES)?;
            if let Some(previous) = page.previous.filter(|_| from == epoch.from_seq && from > 1) {
                read.previous = previous;
            }
            let Some(last) = page.entries.last().map(|entry| entry.seq) else {
                return Err(NoCopy::Hole(from));
            };
            read.entries.extend(page.entries);
            read.heads.extend(page.heads);
            from = last + 1;
        }
        read.entries.retain(|entry| entry.seq <= epoch.to_seq);
        epochs.push(read);
    }
    Ok(epochs)
}

/// Makes copies of what was read. Every so many entries end at a signed head, so that they can be sent on in parts.
pub(crate) fn copies(
    what: &Evacuable,
    epochs: Vec<ReadEpoch>,
    signer: &dyn Signer,
) -> Result<Vec<JournalCopy>, NoCopy> {
    let mut copies = Vec::new();
    for ReadEpoch {
        epoch,
        previous,
        entries,
        heads,
    } in epochs
    {
        let opening = Opening {
            format: FORMAT,
            epoch: epoch.start,
            certificate: what.certificate.clone(),
        };
        let begin = |seq: u64| JournalCopy {
            name: format!("{}-{}-{seq}.groschen", what.terminal, epoch.start.epoch),
            bytes: Record::Opening(opening.clone()).bytes(),
            entries: 0,
        };
        let (mut copy, mut place) = (begin(epoch.from_seq), (epoch.from_seq - 1, previous));
        let mut rest = entries.as_slice();
        while !rest.is_empty() {
            let mut bytes = 0_usize;
            let fits = |entry: &&StoredEntry| {
                bytes = bytes.saturating_add(entry.bytes.len());
                bytes <= PART_BYTES_MAX
            };
            let count = rest.iter().take(PUSH_ENTRIES_MAX).take_while(fits).count().max(1);
            let (now, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
            if copy.bytes.len().saturating_add(bytes) > COPY_BYTES && copy.entries > 0 {
                copies.push(std::mem::replace(&mut copy, begin(place.0 + 1)));
            }
            for entry in now {
                let record = MirroredEntry {
                    seq: entry.seq,
                    previous: place.1,
                    bytes: Bytes(entry.bytes.clone()),
                };
                if entry.seq != place.0 + 1 || record.hash() != entry.hash {
                    return Err(NoCopy::Hole(entry.seq));
                }
                copy.bytes.extend(Record::Entry(record).bytes());
                copy.entries += 1;
                place = (entry.seq, entry.hash);
            }
            let stored = heads.iter().find(|head| (head.seq, head.hash) == place);
            let head = match stored {
                Some(head) => head.clone(),
                None => SignedHead::sign(signer, what.terminal, epoch.start.epoch, place.0, place.1)?,
            };
            copy.bytes.extend(Record::Head(head).bytes());
            rest = later;
        }
        copies.push(copy);
    }
    Ok(copies)
}

/// Makes copies of what the server lacks, from the queue that has it.
pub fn evacuate<Q: Queue>(queue: &mut Q, what: &Evacuable, signer: &dyn Signer) -> Result<Vec<JournalCopy>, NoCopy> {
    copies(what, read(queue, what)?, signer)
}

/// Up to where the copies of these go.
pub fn up_to(what: &Evacuable) -> Vec<(u32, u64)> {
    let ends = what.epochs.iter().map(|epoch| (epoch.start.epoch, epoch.to_seq));
    ends.collect()
}

#[cfg(test)]
mod tests {
    use fixtures::paper::PaperTill;
    use fixtures::sample;
    use shared_protocol::mirror::{Damage, Mirror};
    use shared_protocol::order::OrderKind;
    use terminal::Write;

    use super::*;
    use crate::queue::MemoryQueue;

    const ENTRIES: u32 = 1_500;

    /// A queue of a till that booked for long, and what the server lacks of it.
    fn long_night(from_seq: u64) -> (PaperTill, MemoryQueue, Evacuable) {
        let mut till = PaperTill::that_books(&[OrderKind::TopUp], 1);
        for number in 0..ENTRIES {
            till.top_up(sample::wristband(number), 1_000);
        }
        let mut writes = vec![Write::Epoch(till.epoch)];
        for (seq, (bytes, hash)) in (1..).zip(&till.entries) {
            writes.push(Write::Entry(StoredEntry {
                epoch: till.epoch.epoch,
                seq,
                hash: *hash,
                bytes: bytes.clone(),
            }));
            if seq % 20 == 0 {
                let head = SignedHead::sign(&PaperTill::signer(1), till.id, till.epoch.epoch, seq, *hash).unwrap();
                writes.push(Write::Head(head));
            }
        }
        let mut queue = MemoryQueue::default();
        queue.write(&writes).unwrap();
        let what = Evacuable {
            terminal: till.id,
            certificate: till.certificate(&PaperTill::signer(200)),
            epochs: vec![EvacuableEpoch {
                start: till.epoch,
                from_seq,
                to_seq: till.seq(),
            }],
        };
        (till, queue, what)
    }

    #[test]
    fn copies_follow_each_other_and_have_a_head_wherever_a_part_may_end() {
        for from_seq in [1, 11] {
            let (till, mut queue, what) = long_night(from_seq);
            let copies = evacuate(&mut queue, &what, &PaperTill::signer(1)).unwrap();
            assert!(copies.len() > 1);
            let mut next = from_seq;
            for copy in &copies {
                let mirror = Mirror::read(&copy.bytes).unwrap();
                assert_eq!(mirror.damage, Damage::default());
                let mut entries: Vec<_> = mirror.entries.iter().collect();
                entries.sort_by_key(|(_, entry)| entry.seq);
                assert_eq!(entries.len() as u64, copy.entries);
                let mut since_head = 0;
                for (hash, entry) in entries {
                    let index = usize::try_from(next).unwrap() - 1;
                    assert_eq!(
                        (entry.seq, hash, &entry.bytes.0),
                        (next, &till.entries[index].1, &till.entries[index].0)
                    );
                    since_head += 1;
                    let key = PaperTill::signer(1).public_key();
                    let is_head = |head: &&SignedHead| (head.seq, &head.hash) == (entry.seq, hash);
                    if let Some(head) = mirror.heads.values().find(is_head) {
                        assert_eq!(head.verify(&key, till.id), Ok(()));
                        since_head = 0;
                    }
                    assert!(since_head < PUSH_ENTRIES_MAX);
                    next += 1;
                }
                assert_eq!(since_head, 0, "the last entry is signed for");
            }
            assert_eq!(next, u64::from(ENTRIES) + 1);
        }
    }

    #[test]
    fn a_queue_with_a_hole_gives_no_copy() {
        let (_, mut queue, mut what) = long_night(1);
        what.epochs[0].to_seq = u64::from(ENTRIES) + 5;
        let none = evacuate(&mut queue, &what, &PaperTill::signer(1)).err();
        assert!(matches!(none, Some(NoCopy::Hole(1_501))), "{none:?}");
    }
}
