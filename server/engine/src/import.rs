//! The second copy of a terminal's journal on its way into the books, when the terminal cannot send it any more.
//!
//! ```text
//!  Mirror ─▶ Import::check (whose is it, does every line end at a head that its key signed?)
//!         ─▶ questions ─▶ learn (what is stored already?) ─▶ preview, for a person
//!         ─▶ pushes ─▶ the path of every push ─▶ booked
//! ```
//! What must never be here: another way into the books. Entries go the way of a terminal's own push, so an import may be repeated, and the terminal may come
//! back and send the same again. What no head covers is not booked: nobody signed for it. It is told, so that a person can.

use std::collections::{BTreeMap, BTreeSet};

use shared_protocol::chain::SignedHead;
use shared_protocol::crypto::Hash32;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::ids::Bytes;
use shared_protocol::limits::PUSH_ENTRIES_MAX;
use shared_protocol::message::Push;
use shared_protocol::mirror::{Damage, Mirror, MirroredEntry, NoMirror};
use shared_protocol::order::{Order, OrderKind};
use shared_protocol::{EventId, TerminalId};
use store::TerminalRow;

use crate::intake::{CheckedPush, check_entries};
use crate::request::{PushReply, PushResult, Request};

/// Entries whose places are asked for at once.
const TRACE_ENTRIES: usize = 512;

/// A terminal signs a head every 20 entries at least. One whose key failed for a time may have more between two; beyond this nobody sold.
const HEADLESS_ENTRIES_MAX: usize = 4_096;

/// Why a mirror is not imported, none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It does not say whose it is in a way that can be read.
    #[error("it does not say whose journal it is")]
    Unreadable,
    /// It is of another organisation or event.
    #[error("it is the journal of another event")]
    OtherEvent,
    /// No such terminal is registered here.
    #[error("its terminal {0} is not registered here")]
    UnknownTerminal(TerminalId),
    /// The terminal of this id has another key.
    #[error("it names another key than the one its terminal was registered with")]
    OtherKey,
    /// A head was not signed by the terminal.
    #[error("the signature at entry {0} is not the terminal's")]
    BadSignature(u64),
    /// What stands there is not what the terminal signed.
    #[error("entry {0} is not what the terminal signed")]
    Edited(u64),
}

/// Entries without a hole, up to a head that holds.
#[derive(Debug, Clone)]
struct Line {
    /// The hash before the first one.
    previous: Hash32,
    /// The entries with the hash after each.
    entries: Vec<(Hash32, MirroredEntry)>,
    /// What it hangs on: the epoch's root, another line, or an entry that is not in the mirror.
    after_hole: bool,
}

/// A mirror that was checked.
#[derive(Debug, Clone)]
pub struct Import {
    mirror: Mirror,
    terminal: TerminalRow,
    lines: Vec<Line>,
    unsigned: Vec<MirroredEntry>,
    known: BTreeSet<Hash32>,
    result: Imported,
}

/// An order as a person reads it before it is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeseenOrder {
    /// Its place.
    pub seq: u64,
    /// The order.
    pub order: Order,
}

/// What an import would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Entries that can be read and belong to a signed head.
    pub signed: u64,
    /// Those that are stored already.
    pub known: u64,
    /// Those that an import would bring.
    pub new: u64,
    /// Signed entries behind a hole, which cannot be placed as long as what is missing is missing here, too.
    pub behind_hole: u64,
    /// Entries after the last signed head that are not stored, and are not booked.
    pub unsigned: u64,
    /// What could not be read.
    pub damage: Damage,
    /// New orders by kind: how many, and the sum of their lines in cents.
    pub orders: BTreeMap<OrderKind, (u64, i128)>,
    /// Orders that will not be booked: after the last head, or behind a hole.
    pub left_out: Vec<ForeseenOrder>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Imported {
    /// Entries that are stored by it.
    pub new: u64,
    /// Of these, orders that were booked already by another way.
    pub duplicates: u64,
    /// Of these, entries that opened a case.
    pub flagged: u64,
    /// Whether the terminal's journal here was another one, so that a branch was made.
    pub forked: bool,
    /// Entries that could not be placed.
    pub not_placed: u64,
}

impl Import {
    /// Checks whose journal it is, and that the terminal signed it.
    pub fn check(mirror: Mirror, event: EventId, row: Option<&TerminalRow>) -> Result<Self, Unusable> {
        let registration = mirror.opening.registration().map_err(|_| Unusable::Unreadable)?;
        if registration.event != event {
            return Err(Unusable::OtherEvent);
        }
        let row = row.filter(|row| row.id == registration.terminal && row.event == event);
        let row = row.ok_or(Unusable::UnknownTerminal(registration.terminal))?;
        if row.key != registration.key {
            return Err(Unusable::OtherKey);
        }
        let mut import = Self {
            lines: Vec::new(),
            unsigned: Vec::new(),
            known: BTreeSet::new(),
            result: Imported::default(),
            terminal: row.clone(),
            mirror,
        };
        import.find_lines()?;
        Ok(import)
    }

    /// Puts lines together from their signed ends, the last one first. A head vouches for all before it.
    fn find_lines(&mut self) -> Result<(), Unusable> {
        let epoch = self.mirror.opening.epoch;
        let root = epoch.root(self.terminal.id);
        let mut covered: BTreeSet<Hash32> = BTreeSet::new();
        let mut holes: BTreeSet<u64> = BTreeSet::new();
        for head in self.mirror.heads.values().rev() {
            if covered.contains(&head.hash) {
                continue;
            }
            if head.epoch != epoch.epoch || head.verify(&self.terminal.key, self.terminal.id).is_err() {
                return Err(Unusable::BadSignature(head.seq));
            }
            let (mut at, mut seq) = (head.hash, head.seq);
            let mut entries = Vec::new();
            while let Some(entry) = self.mirror.entries.get(&at).filter(|entry| entry.seq == seq) {
                if !covered.insert(at) {
                    break;
                }
                entries.push((at, entry.clone()));
                (at, seq) = (entry.previous, seq.saturating_sub(1));
            }
            let after_hole = !(covered.contains(&at) || seq == 0 && at == root);
            if after_hole {
                holes.insert(seq);
            }
            entries.reverse();
            if !entries.is_empty() {
                self.lines.push(Line {
                    previous: at,
                    entries,
                    after_hole,
                });
            }
        }
        self.lines
            .sort_by_key(|line| line.entries.first().map(|(_, entry)| entry.seq));
        let rest = self.mirror.entries.iter().filter(|(hash, _)| !covered.contains(*hash));
        self.unsigned = rest.map(|(_, entry)| entry.clone()).collect();
        self.unsigned.sort_by_key(|entry| entry.seq);
        // What is damaged is not there; what is there in place of what was signed was put there.
        match self.unsigned.iter().find(|entry| holes.contains(&entry.seq)) {
            Some(entry) => Err(Unusable::Edited(entry.seq)),
            None => Ok(()),
        }
    }

    /// The terminal.
    pub const fn terminal(&self) -> &TerminalRow {
        &self.terminal
    }

    /// The epoch.
    pub const fn epoch(&self) -> u32 {
        self.mirror.opening.epoch.epoch
    }

    /// What has to be asked before it is known what is new.
    pub fn questions(&self) -> Vec<Request> {
        let (terminal, epoch) = (self.terminal.id, self.epoch());
        let mut places: Vec<(u64, Hash32)> = Vec::new();
        for line in &self.lines {
            let first = line.entries.first().map_or(1, |(_, entry)| entry.seq);
            places.extend(line.after_hole.then_some((first.saturating_sub(1), line.previous)));
            places.extend(line.entries.iter().map(|(hash, entry)| (entry.seq, *hash)));
        }
        places.extend(self.unsigned.iter().map(|entry| (entry.seq, entry.hash())));
        places.sort_unstable();
        let ask = |places: &[(u64, Hash32)]| Request::Trace {
            terminal,
            epoch,
            places: places.to_vec(),
        };
        places.chunks(TRACE_ENTRIES).map(ask).collect()
    }

    /// Takes in what is stored already.
    pub fn learn(&mut self, known: BTreeSet<Hash32>) {
        self.known.extend(known);
    }

    fn is_placeable(&self, line: &Line) -> bool {
        !line.after_hole || self.known.contains(&line.previous) || self.first_new(line) > 0
    }

    /// How many entries of a line are stored, from its first one on.
    fn first_new(&self, line: &Line) -> usize {
        let last_known = line.entries.iter().rposition(|(hash, _)| self.known.contains(hash));
        last_known.map_or(0, |last| last + 1)
    }

    /// What the import would do, as far as it was learned what is stored.
    pub fn preview(&self) -> Preview {
        let unsigned = || self.unsigned.iter().filter(|entry| !self.known.contains(&entry.hash()));
        let mut preview = Preview {
            signed: 0,
            known: 0,
            new: 0,
            behind_hole: 0,
            unsigned: unsigned().count() as u64,
            damage: self.mirror.damage,
            orders: BTreeMap::new(),
            left_out: unsigned().filter_map(order_of).collect(),
        };
        for line in &self.lines {
            let first_new = self.first_new(line);
            let new = line.entries.get(first_new..).unwrap_or_default();
            preview.signed += line.entries.len() as u64;
            preview.known += first_new as u64;
            let orders = new.iter().filter_map(|(_, entry)| order_of(entry));
            if !self.is_placeable(line) {
                preview.behind_hole += new.len() as u64;
                preview.left_out.extend(orders);
                continue;
            }
            preview.new += new.len() as u64;
            for ForeseenOrder { order, .. } in orders {
                let sum = preview.orders.entry(order.kind).or_default();
                let total = order.total().map_or(0, |total| i128::from(total.0));
                *sum = (sum.0.saturating_add(1), sum.1.saturating_add(total));
            }
        }
        preview.left_out.sort_by_key(|order| order.seq);
        preview
    }

    /// What has to be pushed, in order, in the form of the terminal's own pushes.
    pub fn pushes(&self) -> Vec<CheckedPush> {
        let lines = self.lines.iter().filter(|line| self.is_placeable(line));
        lines.flat_map(|line| self.pushes_of(line)).collect()
    }

    fn pushes_of(&self, line: &Line) -> Vec<CheckedPush> {
        let mut pushes = Vec::new();
        let mut rest = line.entries.get(self.first_new(line)..).unwrap_or_default();
        let mut previous = match self.first_new(line) {
            0 => line.previous,
            known => line.entries.get(known - 1).map_or(line.previous, |(hash, _)| *hash),
        };
        while let Some(((_, first), head, count)) = rest
            .first()
            .and_then(|first| self.end(rest).map(|(head, count)| (first, head, count)))
        {
            let (now, later) = rest.split_at(count);
            let push = Push {
                terminal: self.terminal.id,
                epoch: self.mirror.opening.epoch,
                first_seq: first.seq,
                previous,
                entries: now.iter().map(|(_, entry)| entry.bytes.clone()).collect::<Vec<Bytes>>(),
                head: head.clone(),
            };
            previous = head.hash;
            rest = later;
            pushes.extend(check_entries(push, &self.terminal.key, HEADLESS_ENTRIES_MAX));
        }
        pushes
    }

    /// The head that the next push ends at: the furthest that a push of a terminal would reach, else the next one there is.
    fn end(&self, entries: &[(Hash32, MirroredEntry)]) -> Option<(&SignedHead, usize)> {
        let head_of = |place: usize| {
            let (hash, entry) = entries.get(place)?;
            let nothing = Bytes::default();
            let mut heads = self.mirror.heads.range((entry.seq, *hash, nothing)..);
            heads
                .by_ref()
                .map(|(_, head)| head)
                .take_while(|head| (head.seq, head.hash) == (entry.seq, *hash))
                .find(|head| head.verify(&self.terminal.key, self.terminal.id).is_ok())
                .map(|head| (head, place + 1))
        };
        let near = entries.len().min(PUSH_ENTRIES_MAX);
        let far = near..entries.len().min(HEADLESS_ENTRIES_MAX);
        (0..near)
            .rev()
            .find_map(head_of)
            .or_else(|| far.into_iter().find_map(head_of))
    }

    /// Takes in what became of a push. Gives whether the next one can be tried.
    pub fn took(&mut self, push: &CheckedPush, reply: &PushReply) {
        use shared_protocol::message::EntryOutcome;
        match &reply.result {
            PushResult::Durable { notes, fork, .. } => {
                let outcome =
                    |wanted: &[EntryOutcome]| notes.iter().filter(|note| wanted.contains(&note.outcome)).count() as u64;
                let result = &mut self.result;
                result.duplicates += outcome(&[EntryOutcome::Duplicate]);
                result.flagged += outcome(&[EntryOutcome::Flagged, EntryOutcome::Conflict, EntryOutcome::Parked]);
                result.forked |= fork.is_some();
                let new = push.entries.iter().filter(|entry| self.known.insert(entry.hash));
                result.new += new.count() as u64;
            }
            PushResult::Gap { .. } | PushResult::Unknown => self.result.not_placed += push.entries.len() as u64,
        }
    }

    /// What the import did so far.
    pub const fn result(&self) -> &Imported {
        &self.result
    }
}

fn order_of(entry: &MirroredEntry) -> Option<ForeseenOrder> {
    match Entry::read(&entry.bytes.0) {
        Ok((_, Content::Order(order))) => Some(ForeseenOrder {
            seq: entry.seq,
            order: order.order,
        }),
        _ => None,
    }
}

/// Files read and put together: several copies of one journal are one.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    /// The journals.
    pub mirrors: Vec<Mirror>,
    /// Files that are none, by name.
    pub others: Vec<(String, NoMirror)>,
}

impl Gathered {
    /// Takes in a file.
    pub fn add(&mut self, name: &str, file: &[u8]) {
        let mirror = match Mirror::read(file) {
            Ok(mirror) => mirror,
            Err(why) => return self.others.push((name.to_owned(), why)),
        };
        let same = self.mirrors.iter_mut().find(|known| known.opening == mirror.opening);
        match same {
            Some(known) => {
                known.merge(mirror);
            }
            None => self.mirrors.push(mirror),
        }
    }
}
