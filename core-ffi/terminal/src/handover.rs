//! Another phone's journal on its way to the server: that phone is dying or has had no network all night, and gave a copy of what the server
//! lacks. It is kept here durably and handed over part by part, in the form of that phone's own pushes, until the server has said that it has them.
//!
//! What must never happen here: a copy that its phone did not sign, or one that leaves this device before the server has it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use shared_protocol::chain::SignedHead;
use shared_protocol::crypto::PublicKey;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::ids::Bytes;
use shared_protocol::limits::PUSH_ENTRIES_MAX;
use shared_protocol::message::{Handover, HandoverAck, HandoverOutcome, Push, Registration};
use shared_protocol::mirror::{Damage, Mirror, MirroredEntry};
use shared_protocol::{Amount, decode, encode};

use crate::Terminal;
use crate::book::Busy;
use crate::input::StorageFault;
use crate::output::{Cue, MetaKey, Write};
use crate::screen::{HandoverState, Notice, ReceivedView, Refusal};
use crate::step::Step;
use crate::store::Then;

/// Copies that a device keeps for others, in bytes: some five thousand orders.
pub const RECEIVED_MAX_BYTES: usize = 2 * 1024 * 1024;

/// Bytes of entries in one part; a frame has 64 KiB, with a head, an epoch and lengths beside them.
pub const PART_BYTES_MAX: usize = 48 * 1024;

/// Without an answer for this long a part is sent again.
const RESEND_MS: u64 = 30_000;

/// A copy of another phone's journal.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    file: Vec<u8>,
    came_at_ms: u64,
    registration: Registration,
    entries: u64,
    orders: u64,
    total: Amount,
    parts: Vec<Push>,
    /// Parts that the server has.
    done: usize,
    /// What the server said instead of taking it, on this connection.
    refused: Option<HandoverOutcome>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    file: Bytes,
    came_at_ms: u64,
}

/// Copies that wait for the server.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handovers {
    waiting: VecDeque<Received>,
    /// One copy is on its way to the disk.
    storing: bool,
    /// A part of the copy at this place is on its way to the server; when it is sent again.
    under_way: Option<(usize, u64)>,
}

/// Why a file is of no use.
struct Useless;

/// The entries up to the last head, in order, with the hash before the first one.
fn line(
    mirror: &Mirror,
    key: &PublicKey,
    registration: &Registration,
) -> Result<(Vec<MirroredEntry>, Vec<SignedHead>), Useless> {
    let epoch = mirror.opening.epoch.epoch;
    let holds = |head: &&SignedHead| head.epoch == epoch && head.verify(key, registration.terminal).is_ok();
    let heads: Vec<SignedHead> = mirror.heads.values().filter(holds).cloned().collect();
    let last = heads.last().ok_or(Useless)?;
    let (mut at, mut seq) = (last.hash, last.seq);
    let mut entries = Vec::new();
    while let Some(entry) = mirror.entries.get(&at).filter(|entry| entry.seq == seq) {
        entries.push(entry.clone());
        (at, seq) = (entry.previous, seq.saturating_sub(1));
    }
    entries.reverse();
    // What is in the file beside this line was not signed, or something between is missing.
    if entries.is_empty() || entries.len() != mirror.entries.len() {
        return Err(Useless);
    }
    Ok((entries, heads))
}

/// The line as pushes, each ending at a head.
fn parts(mirror: &Mirror, registration: &Registration) -> Result<Vec<Push>, Useless> {
    let (entries, heads) = line(mirror, &registration.key, registration)?;
    let mut parts = Vec::new();
    let mut rest = entries.as_slice();
    while let Some(first) = rest.first() {
        let mut bytes = 0_usize;
        let fits = |entry: &&MirroredEntry| {
            bytes = bytes.saturating_add(entry.bytes.0.len());
            bytes <= PART_BYTES_MAX
        };
        let fitting = rest.iter().take(PUSH_ENTRIES_MAX).take_while(fits).count();
        let head_of = |count: usize| {
            let last = rest.get(count.checked_sub(1)?)?;
            let head = heads
                .iter()
                .find(|head| (head.seq, head.hash) == (last.seq, last.hash()))?;
            Some((count, head.clone()))
        };
        let (count, head) = (1..=fitting).rev().find_map(head_of).ok_or(Useless)?;
        let (now, later) = rest.split_at(count);
        parts.push(Push {
            terminal: registration.terminal,
            epoch: mirror.opening.epoch,
            first_seq: first.seq,
            previous: first.previous,
            entries: now.iter().map(|entry| entry.bytes.clone()).collect(),
            head,
        });
        rest = later;
    }
    Ok(parts)
}

impl Received {
    /// Reads a copy, and checks that it is of a terminal of the event with this config key, and whole.
    fn read(file: Vec<u8>, config_key: &PublicKey, came_at_ms: u64) -> Result<Self, Useless> {
        let mirror = Mirror::read(&file).map_err(|_| Useless)?;
        let registration = mirror.opening.certificate.read(config_key).map_err(|_| Useless)?;
        if mirror.damage != Damage::default() {
            return Err(Useless);
        }
        let parts = parts(&mirror, &registration)?;
        let entries = || parts.iter().flat_map(|part| &part.entries);
        let orders = || {
            entries().filter_map(|entry| match Entry::read(&entry.0) {
                Ok((_, Content::Order(order))) => Some(order.order),
                _ => None,
            })
        };
        let moved = orders().filter_map(|order| Some(Amount(order.total().ok()?.0.saturating_abs())));
        Ok(Self {
            came_at_ms,
            entries: entries().count() as u64,
            orders: orders().count() as u64,
            total: Amount::sum(moved).unwrap_or(Amount(i64::MAX)),
            registration,
            file,
            done: 0,
            refused: None,
            parts,
        })
    }

    /// First and last sequence, and of which journal.
    fn reach(&self) -> Option<(shared_protocol::TerminalId, u32, u64, u64)> {
        let (first, last) = (self.parts.first()?, self.parts.last()?);
        Some((first.terminal, first.epoch.epoch, first.first_seq, last.head.seq))
    }

    /// Whether this copy has everything of the other one.
    fn covers(&self, other: &Self) -> bool {
        let ((Some(own), Some(other)), Some(last), Some(their_last)) =
            ((self.reach(), other.reach()), self.parts.last(), other.parts.last())
        else {
            return false;
        };
        let same_end = own.3 > other.3 || last.head.hash == their_last.head.hash;
        (own.0, own.1) == (other.0, other.1) && own.2 <= other.2 && own.3 >= other.3 && same_end
    }

    fn view(&self, state: HandoverState) -> ReceivedView {
        ReceivedView {
            till: self.registration.till,
            entries: self.entries,
            orders: self.orders,
            total: self.total,
            received_at_ms: self.came_at_ms,
            state,
        }
    }
}

fn save<'a>(waiting: impl Iterator<Item = &'a Received>) -> Option<Vec<u8>> {
    let saved = |received: &Received| Saved {
        file: Bytes(received.file.clone()),
        came_at_ms: received.came_at_ms,
    };
    let all: Vec<Saved> = waiting.map(saved).collect();
    (!all.is_empty()).then(|| encode(&all))
}

impl Handovers {
    /// Reads the copies of a queue; each was checked before it was written.
    pub fn restored(saved: Option<&Vec<u8>>, config_key: Option<&PublicKey>) -> Self {
        let saved: Vec<Saved> = saved.and_then(|bytes| decode(bytes).ok()).unwrap_or_default();
        let read = |saved: Saved| Received::read(saved.file.0, config_key?, saved.came_at_ms).ok();
        Self {
            waiting: saved.into_iter().filter_map(read).collect(),
            ..Self::default()
        }
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.storing
    }

    /// When a part is sent again.
    pub fn due_ms(&self) -> Option<u64> {
        self.under_way.map(|(_, due_ms)| due_ms)
    }

    pub fn link_is_lost(&mut self) {
        self.under_way = None;
        self.waiting.iter_mut().for_each(|received| received.refused = None);
    }

    pub fn view(&self) -> Vec<ReceivedView> {
        let place = self.under_way.map(|(place, _)| place);
        let state = |(at, received): (usize, &Received)| match received.refused {
            Some(outcome) => HandoverState::Refused(outcome),
            None if place == Some(at) => HandoverState::Sending,
            None => HandoverState::Waiting,
        };
        let all = self.waiting.iter().enumerate();
        all.map(|(at, received)| received.view(state((at, received)))).collect()
    }
}

impl Terminal {
    /// Another phone's copy came in. It is said to be here when it is on the disk.
    pub(crate) fn received(&mut self, step: &mut Step<'_>, file: Vec<u8>) {
        if let Err(refusal) = self.receive(step, file) {
            self.refuse(step, refusal);
        }
    }

    fn receive(&mut self, step: &mut Step<'_>, file: Vec<u8>) -> Result<(), Refusal> {
        let identity = self.identity.as_ref().ok_or(Refusal::NotPermitted)?;
        if self.handovers.storing || !matches!(self.busy, Busy::No) {
            return Err(Refusal::Busy);
        }
        let kept: usize = self.handovers.waiting.iter().map(|received| received.file.len()).sum();
        if kept.saturating_add(file.len()) > RECEIVED_MAX_BYTES {
            return Err(Refusal::CopyTooLarge);
        }
        let received = Received::read(file, &identity.config_key, step.now.wall_ms);
        let received = received.map_err(|Useless| Refusal::NoCopy)?;
        if received.registration.terminal == identity.registration.terminal {
            return Err(Refusal::OwnCopy);
        }
        if self.handovers.waiting.iter().any(|known| known.covers(&received)) {
            self.tell_received(step, &received);
            return Ok(());
        }
        let stay = self.handovers.waiting.iter().filter(|known| !received.covers(known));
        let write = Write::Meta {
            key: MetaKey::Received,
            value: save(stay.chain([&received])),
        };
        self.handovers.storing = true;
        self.notify(step, Notice::Working);
        self.store
            .persist(step, Vec::new(), vec![write], Then::Received(Box::new(received)));
        Ok(())
    }

    fn tell_received(&mut self, step: &mut Step<'_>, received: &Received) {
        step.cue(Cue::Done);
        let (till, orders, total) = (received.registration.till, received.orders, received.total);
        self.notify(step, Notice::CopyReceived { till, orders, total });
    }

    pub(crate) fn received_is_durable(&mut self, step: &mut Step<'_>, received: Received) {
        self.handovers.storing = false;
        self.handovers.under_way = None;
        self.handovers.waiting.retain(|known| !received.covers(known));
        self.tell_received(step, &received);
        self.handovers.waiting.push_back(received);
    }

    pub(crate) fn received_failed(&mut self, step: &mut Step<'_>, fault: StorageFault) {
        self.handovers.storing = false;
        self.refuse(step, Refusal::Storage(fault));
    }

    /// Sends the next part when nothing of the own journal is on its way.
    pub(crate) fn hand_over(&mut self, step: &mut Step<'_>) {
        let now_ms = step.now.mono_ms;
        self.handovers.under_way = self.handovers.under_way.filter(|(_, due_ms)| now_ms < *due_ms);
        let waits = self.handovers.under_way.is_some();
        let free = self.is_live() && self.link.frames.is_empty() && self.link.paused_until_ms.is_none();
        if waits || !free || matches!(self.busy, Busy::Asking(_)) {
            return;
        }
        self.handovers.under_way = None;
        let place = self
            .handovers
            .waiting
            .iter()
            .position(|received| received.refused.is_none());
        let next = place.and_then(|place| {
            let received = self.handovers.waiting.get(place)?;
            Some((place, received.parts.get(received.done)?.clone()))
        });
        if let Some((place, push)) = next {
            self.handovers.under_way = Some((place, now_ms.saturating_add(RESEND_MS)));
            self.send(step, Handover { push });
        }
    }

    /// The server has a part, or says why not.
    pub(crate) fn handed_over(&mut self, step: &mut Step<'_>, ack: &HandoverAck) {
        let Some((place, _)) = self.handovers.under_way else {
            return;
        };
        let Some(received) = self.handovers.waiting.get_mut(place) else {
            return;
        };
        let is_this = received
            .parts
            .get(received.done)
            .is_some_and(|part| (part.terminal, part.epoch.epoch, part.head.seq) == (ack.terminal, ack.epoch, ack.seq));
        if !is_this {
            return;
        }
        self.handovers.under_way = None;
        if ack.outcome != HandoverOutcome::Durable {
            received.refused = Some(ack.outcome);
            return;
        }
        received.done += 1;
        if received.done == received.parts.len() {
            self.handovers.waiting.remove(place);
            // While another copy is being stored, that write holds this one too; it is handed over again after a restart, which changes nothing.
            let write = Write::Meta {
                key: MetaKey::Received,
                value: save(self.handovers.waiting.iter()),
            };
            if !self.handovers.storing {
                self.store.later(write, step.now.mono_ms);
            }
        }
    }
}
