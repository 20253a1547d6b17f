//! What a power cut may leave: the durable part of the disk, and which of the other operations may survive.

use std::collections::BTreeMap;
use std::fmt;

use crate::content::Content;
use crate::device::{Device, SECTOR_BYTES};
use crate::image::Image;
use crate::log::{FileId, Log, Op, directory_of};
use crate::random::Random;

/// Bytes in a sector that a cut spoiled: no byte that `SQLite` writes by itself in a long row.
const SPOILT: u8 = 0xa5;

/// Chances in eight that an operation survives, one for each subset in turn: even, few lost, few kept, one lost.
const SURVIVAL_IN_EIGHT: [u64; 4] = [4, 6, 2, 7];

/// Which operations without a sync survived a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// None: the disk's cache was lost.
    Nothing,
    /// All: the disk had written them by itself.
    Everything,
    /// Some, by the number of the subset; every second subset also tears writes into sectors.
    Subset(u32),
    /// All, but of the last write only what lies before this offset in the file.
    TornBefore(usize),
    /// All, but of the last write only what lies from this offset in the file on.
    TornFrom(usize),
    /// All, and the other bytes in the sectors where the last write begins and ends are spoilt.
    SpoiltAround,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => write!(f, "nothing unsynced survives"),
            Self::Everything => write!(f, "everything survives"),
            Self::Subset(subset) => write!(f, "subset {subset} of the unsynced survives"),
            Self::TornBefore(offset) => write!(f, "last write torn, survives before {offset}"),
            Self::TornFrom(offset) => write!(f, "last write torn, survives from {offset}"),
            Self::SpoiltAround => write!(f, "sectors around the last write spoilt"),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// A coming sync makes it durable.
    Unsynced,
    /// Its sync failed: no later one vouches for it.
    Doubtful,
    /// Durable, but has to be applied after a doubtful one of the same file.
    Durable,
}

struct Pending<'log> {
    op: &'log Op,
    fate: Fate,
}

enum Keep {
    Nothing,
    Whole,
    Before(usize),
    From(usize),
    Sectors(Random),
}

pub(crate) struct Remains<'log> {
    device: Device,
    names: BTreeMap<String, FileId>,
    files: BTreeMap<FileId, Content>,
    pending: Vec<Pending<'log>>,
}

impl<'log> Remains<'log> {
    pub(crate) fn new(log: &'log Log) -> Self {
        let mut remains = Self {
            device: log.device,
            names: BTreeMap::new(),
            files: BTreeMap::new(),
            pending: Vec::new(),
        };
        for (file, name, content) in Log::start_files(&log.start) {
            remains.names.insert(name.clone(), file);
            remains.files.insert(file, content.clone());
        }
        remains
    }

    pub(crate) fn apply(&mut self, op: &'log Op) {
        match op {
            Op::Mark(_) => {}
            Op::Sync { file } => self.settle(*file),
            Op::SyncFailed { file } => {
                let unsynced = self
                    .pending
                    .iter_mut()
                    .filter(|pending| pending.fate == Fate::Unsynced && content_of(pending.op) == Some(*file));
                unsynced.for_each(|pending| pending.fate = Fate::Doubtful);
            }
            Op::SyncDirectory { directory } => {
                let (settled, rest) = std::mem::take(&mut self.pending)
                    .into_iter()
                    .partition(|pending| name_in(pending.op).is_some_and(|name| directory_of(name) == directory));
                self.pending = rest;
                for pending in settled {
                    enter(&mut self.names, pending.op);
                }
            }
            Op::Create { .. } | Op::Delete { .. } | Op::Write { .. } | Op::Truncate { .. } => {
                let fate = Fate::Unsynced;
                self.pending.push(Pending { op, fate });
            }
        }
    }

    fn settle(&mut self, file: FileId) {
        let of_file = |pending: &Pending<'_>| content_of(pending.op) == Some(file);
        if self
            .pending
            .iter()
            .any(|pending| of_file(pending) && pending.fate == Fate::Doubtful)
        {
            let unsynced = self
                .pending
                .iter_mut()
                .filter(|pending| of_file(pending) && pending.fate == Fate::Unsynced);
            unsynced.for_each(|pending| pending.fate = Fate::Durable);
            return;
        }
        let content = self.files.entry(file).or_default();
        self.pending.retain(|pending| {
            let settled = of_file(pending);
            if settled {
                write(content, pending.op, Keep::Whole);
            }
            !settled
        });
    }

    pub(crate) fn variants(&self, subsets: u32) -> Vec<Variant> {
        let mut variants = vec![Variant::Nothing];
        if self.pending.iter().all(|pending| pending.fate == Fate::Durable) {
            return variants;
        }
        variants.push(Variant::Everything);
        variants.extend((0..subsets).map(Variant::Subset));
        if let Some((offset, end)) = self.last_write().map(|(_, offset, end)| (offset, end)) {
            let first = (offset / SECTOR_BYTES + 1) * SECTOR_BYTES;
            for boundary in (first..end).step_by(SECTOR_BYTES) {
                variants.extend([Variant::TornBefore(boundary), Variant::TornFrom(boundary)]);
            }
            if self.device == Device::PlainSectors && (offset % SECTOR_BYTES, end % SECTOR_BYTES) != (0, 0) {
                variants.push(Variant::SpoiltAround);
            }
        }
        variants
    }

    /// Its place among the pending operations, and its range in the file.
    fn last_write(&self) -> Option<(usize, usize, usize)> {
        self.pending
            .iter()
            .enumerate()
            .rev()
            .find_map(|(place, pending)| match pending.op {
                Op::Write { offset, data, .. } if pending.fate != Fate::Durable => {
                    Some((place, *offset, offset + data.len()))
                }
                _ => None,
            })
    }

    /// What is left after `cut` operations, which is where this stands.
    pub(crate) fn image(&self, variant: Variant, sampling: Sampling, cut: usize) -> Image {
        let kept = self.keep(variant, sampling, cut);
        let mut names = self.names.clone();
        for (pending, keep) in self.pending.iter().zip(&kept) {
            if !matches!(keep, Keep::Nothing) {
                enter(&mut names, pending.op);
            }
        }
        let mut files: BTreeMap<FileId, Content> = names
            .values()
            .map(|id| (*id, self.files.get(id).cloned().unwrap_or_default()))
            .collect();
        let last = self.last_write().filter(|_| variant == Variant::SpoiltAround);
        for (place, (pending, keep)) in self.pending.iter().zip(kept).enumerate() {
            let Some(content) = content_of(pending.op).and_then(|file| files.get_mut(&file)) else {
                continue;
            };
            write(content, pending.op, keep);
            if let Some((_, offset, end)) = last.filter(|(last, ..)| *last == place) {
                spoil(content, offset / SECTOR_BYTES * SECTOR_BYTES, offset);
                spoil(content, end, end.next_multiple_of(SECTOR_BYTES));
            }
        }
        let mut image = Image::new();
        for (name, id) in names {
            let content = files.get(&id).cloned().unwrap_or_default();
            image.put(name, content);
        }
        image
    }

    fn keep(&self, variant: Variant, sampling: Sampling, cut: usize) -> Vec<Keep> {
        let last = self.last_write().map(|(place, ..)| place);
        let mut choose = Chooser::new(variant, self.pending.len(), sampling, cut);
        let choice = |(place, pending): (usize, &Pending<'_>)| {
            let chosen = choose.draw(place);
            match variant {
                _ if pending.fate == Fate::Durable => Keep::Whole,
                Variant::Nothing => Keep::Nothing,
                Variant::TornBefore(offset) if last == Some(place) => Keep::Before(offset),
                Variant::TornFrom(offset) if last == Some(place) => Keep::From(offset),
                Variant::Subset(_) => chosen,
                Variant::Everything | Variant::TornBefore(_) | Variant::TornFrom(_) | Variant::SpoiltAround => {
                    Keep::Whole
                }
            }
        };
        self.pending.iter().enumerate().map(choice).collect()
    }
}

/// How subsets are chosen.
#[derive(Clone, Copy)]
pub(crate) struct Sampling {
    /// How many there are at each cut.
    pub(crate) subsets: u32,
    pub(crate) seed: u64,
}

/// The members of one subset. Where that many subsets suffice for all proper ones of what is pending, the first are exactly those:
/// short lists are enumerated and only long ones sampled.
struct Chooser {
    members: Option<u32>,
    survival: u64,
    tear: bool,
    random: Random,
}

impl Chooser {
    fn new(variant: Variant, pending: usize, sampling: Sampling, cut: usize) -> Self {
        let number = match variant {
            Variant::Subset(number) => number,
            _ => 0,
        };
        let proper = u32::try_from(pending)
            .ok()
            .and_then(|pending| 1_u32.checked_shl(pending))
            .map_or(u32::MAX, |all| all.saturating_sub(2));
        Self {
            members: (number < proper && proper <= sampling.subsets).then_some(number + 1),
            survival: SURVIVAL_IN_EIGHT[number as usize / 2 % SURVIVAL_IN_EIGHT.len()],
            tear: number % 2 == 1,
            random: Random::at(sampling.seed, cut as u64, number.into()),
        }
    }

    fn draw(&mut self, place: usize) -> Keep {
        if let Some(members) = self.members {
            return if members >> place & 1 == 1 {
                Keep::Whole
            } else {
                Keep::Nothing
            };
        }
        if !self.random.in_eight(self.survival) {
            Keep::Nothing
        } else if self.tear && self.random.in_eight(2) {
            Keep::Sectors(Random::new(self.random.draw()))
        } else {
            Keep::Whole
        }
    }
}

/// The file whose bytes an operation changes.
fn content_of(op: &Op) -> Option<FileId> {
    match op {
        Op::Write { file, .. } | Op::Truncate { file, .. } => Some(*file),
        _ => None,
    }
}

/// The name an operation enters or removes.
fn name_in(op: &Op) -> Option<&str> {
    match op {
        Op::Create { name, .. } | Op::Delete { name } => Some(name),
        _ => None,
    }
}

fn enter(names: &mut BTreeMap<String, FileId>, op: &Op) {
    match op {
        Op::Create { file, name } => {
            names.insert(name.clone(), *file);
        }
        Op::Delete { name } => {
            names.remove(name);
        }
        _ => {}
    }
}

fn write(content: &mut Content, op: &Op, keep: Keep) {
    match (op, keep) {
        (_, Keep::Nothing) => {}
        (Op::Truncate { size, .. }, _) => content.truncate(*size),
        (Op::Write { offset, data, .. }, Keep::Whole) => content.write(*offset, data),
        (Op::Write { offset, data, .. }, Keep::Before(end)) => content.write(*offset, &data[..end - offset]),
        (Op::Write { offset, data, .. }, Keep::From(start)) => content.write(start, &data[start - offset..]),
        (Op::Write { offset, data, .. }, Keep::Sectors(mut random)) => {
            let end = offset + data.len();
            let mut start = *offset;
            while start < end {
                let next = ((start / SECTOR_BYTES + 1) * SECTOR_BYTES).min(end);
                if random.in_eight(4) {
                    content.write(start, &data[start - offset..next - offset]);
                }
                start = next;
            }
        }
        _ => {}
    }
}

fn spoil(content: &mut Content, start: usize, end: usize) {
    let end = end.min(content.len());
    if start < end {
        content.write(start, &vec![SPOILT; end - start]);
    }
}
