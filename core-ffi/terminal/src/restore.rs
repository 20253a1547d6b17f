//! A terminal after a start: what the shell reads from the queue, folded as it is read, so that fifty thousand entries need no more
//! memory than fifty.

use std::collections::{BTreeMap, VecDeque};

use shared_protocol::chain::{EpochStart, SignedHead, link};
use shared_protocol::crypto::{Hash32, PublicKey};
use shared_protocol::entry::{Content, Entry, Intent, IntentResult};
use shared_protocol::message::Certificate;
use shared_protocol::order::{Order, OrderKind};
use shared_protocol::stream::{Copy, Stream};
use shared_protocol::{Amount, OrderId, TagId, TerminalId, decode};

use crate::book::Busy;
use crate::cart::Cart;
use crate::clock::Clock;
use crate::draft;
use crate::drawer;
use crate::evacuation::Evacuated;
use crate::handover::Handovers;
use crate::journal::Chain;
use crate::knowledge::Knowledge;
use crate::limits::{Exposure, movements};
use crate::link::Link;
use crate::login;
use crate::output::{MetaKey, Output, StoredEntry};
use crate::pin::PinPad;
use crate::purse::{Batches, OpenIntent, SeenPurses, VOID_MAX, intent_of};
use crate::registration::{Identity, Registrar, identity_meta};
use crate::screen::{DeviceFault, Notice};
use crate::session::{CommandThen, ToldState};
use crate::slips::Slips;
use crate::step::{Now, Step};
use crate::store::Store;
use crate::streams::Streams;
use crate::swap::{self, BlockedHere, note_block};
use crate::undo::History;
use crate::view::PastShown;
use crate::{Setup, Terminal};

/// How many entries before the last the shell reads back even when the server has them: the orders that can still be taken back.
pub const RECENT_ENTRIES: u64 = 64;

/// The queue is damaged: an entry does not follow the one before it. Nothing may be sold over it; the file is evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "entry {seq} of epoch {epoch} does not continue the journal: the queue is damaged and must be kept for the organiser"
)]
pub struct Damaged {
    /// Of which epoch.
    pub epoch: u32,
    /// Which entry.
    pub seq: u64,
}

/// An order of the recent past: when its entry was written by the device's wall clock, at which epoch and sequence.
#[derive(Debug, Clone)]
struct Recent {
    order: Order,
    wall_ms: u64,
    place: (u32, u64),
    /// The chain's hash after its entry.
    link: Hash32,
}

/// What a queue holds, as a new terminal needs it. Small things and epochs first, then the entries in order.
#[derive(Debug, Clone, Default)]
pub struct Restored {
    metas: BTreeMap<MetaKey, Vec<u8>>,
    terminal: Option<TerminalId>,
    streams: Vec<(Stream, Copy)>,
    chains: BTreeMap<u32, Chain>,
    exposure: Exposure,
    recent: VecDeque<Recent>,
    /// Payments of purses that nothing was said of since.
    intents: BTreeMap<OrderId, Intent>,
    void: VecDeque<chips::purse::Intent>,
    seen: SeenPurses,
    blocked: BlockedHere,
}

impl Restored {
    /// An empty queue: a device that is no terminal yet.
    pub fn empty() -> Self {
        Self::default()
    }

    /// A terminal that was registered by other means and has written nothing yet (a simulation, an import).
    pub fn registered(certificate: &Certificate, config_key: &PublicKey, epoch: EpochStart) -> Self {
        let mut restored = Self::empty();
        restored.meta(MetaKey::Identity, identity_meta(certificate, config_key));
        restored.epoch(epoch, 0);
        restored
    }

    /// A small thing.
    pub fn meta(&mut self, key: MetaKey, value: Vec<u8>) {
        self.metas.insert(key, value);
    }

    /// A stream's copy.
    pub fn stream(&mut self, stream: Stream, copy: Copy) {
        self.streams.push((stream, copy));
    }

    fn terminal(&mut self) -> TerminalId {
        let read = || {
            let identity: (Certificate, PublicKey) =
                crate::registration::read_identity(self.metas.get(&MetaKey::Identity)?)?;
            let registration: shared_protocol::message::Registration = decode(&identity.0.body.0).ok()?;
            Some(registration.terminal)
        };
        *self
            .terminal
            .get_or_insert_with(|| read().unwrap_or(TerminalId([0; 16])))
    }

    /// An epoch, and up to which entry the server has it. After the identity.
    pub fn epoch(&mut self, start: EpochStart, acked: u64) {
        let mut chain = Chain::new(self.terminal(), start);
        chain.restore_acked(acked);
        self.chains.insert(start.epoch, chain);
    }

    /// The first entry to read of an epoch that ends at `last_seq`: everything the server lacks, and the recent past.
    pub fn reads_from(last_seq: u64, acked: u64) -> u64 {
        (acked + 1).min((last_seq + 1).saturating_sub(RECENT_ENTRIES)).max(1)
    }

    /// An entry, in the order of the journal.
    pub fn entry(&mut self, entry: StoredEntry) -> Result<(), Damaged> {
        let damaged = Damaged {
            epoch: entry.epoch,
            seq: entry.seq,
        };
        let chain = self.chains.get_mut(&entry.epoch).ok_or(damaged)?;
        // What comes before the first entry that is read is not here to check it against.
        let reads_later = chain.last_seq() == 0 && entry.seq > 1;
        let follows = entry.seq == chain.last_seq() + 1 && entry.hash == link(&chain.head(), entry.seq, &entry.bytes);
        if !(follows || reads_later) {
            return Err(damaged);
        }
        match Entry::read(&entry.bytes) {
            // One goes with a command, the other was never anything here: both are nothing to come back to.
            Ok((_, Content::Order(order))) if matches!(order.order.kind, OrderKind::Shift | OrderKind::Training) => {}
            Ok((written, Content::Order(order))) => {
                let made_ms = written.wall_ms.saturating_add_signed(written.offset_ms.unwrap_or(0));
                self.intents.remove(&order.order.id);
                let place = (entry.epoch, entry.seq);
                self.order(order.order, written.wall_ms, place, entry.hash, made_ms);
            }
            Ok((_, Content::Intent(intent))) => self.intent(intent),
            Ok((_, Content::Outcome(outcome))) => {
                let over = self.intents.remove(&outcome.order).zip(outcome.tag);
                let void = over.filter(|_| outcome.result == IntentResult::Void);
                if let Some(void) = void {
                    self.keep_void(void);
                }
            }
            Ok((_, Content::Command(_))) | Err(_) => {}
        }
        let Some(chain) = self.chains.get_mut(&entry.epoch) else {
            return Err(damaged);
        };
        chain.restore(entry, 0);
        Ok(())
    }

    fn intent(&mut self, intent: Intent) {
        let about: Option<Order> = intent.draft.as_ref().and_then(|draft| decode(&draft.0).ok());
        let granted = about.filter(|order| order.kind == OrderKind::Grant);
        if let Some(tag) = granted.and_then(|order| order.holder) {
            // Nothing waits for it; what it may have damaged is put back when the wristband comes again.
            self.keep_void((intent, tag));
        } else {
            self.intents.insert(intent.order, intent);
        }
    }

    fn keep_void(&mut self, (entry, tag): (Intent, TagId)) {
        self.void.extend(intent_of(&entry, tag));
        if self.void.len() > VOID_MAX {
            self.void.pop_front();
        }
    }

    fn order(&mut self, order: Order, wall_ms: u64, place: (u32, u64), link: Hash32, made_ms: u64) {
        let replaced: Vec<(TagId, Amount)> = self
            .recent
            .iter()
            .map(|recent| &recent.order)
            .find(|old| Some(old.id) == order.reverses)
            .map(|old| {
                let by_wristband = old
                    .tenders
                    .iter()
                    .filter(|tender| tender.kind == shared_protocol::order::TenderKind::Wristband);
                by_wristband
                    .filter_map(|tender| Some((old.tender_tag(tender)?, tender.amount)))
                    .collect()
            })
            .unwrap_or_default();
        for movement in movements(&order, &replaced, place, made_ms) {
            self.exposure.note(movement);
        }
        if let Some((tag, purse)) = order.holder.zip(order.purse.as_ref()) {
            self.seen.note_order(tag, purse);
        }
        note_block(&mut self.blocked, &order, place);
        self.recent.push_back(Recent {
            order,
            wall_ms,
            place,
            link,
        });
        if self.recent.len() as u64 > RECENT_ENTRIES {
            self.recent.pop_front();
        }
    }

    /// A stored head of an entry that was read.
    pub fn head(&mut self, head: SignedHead) {
        if let Some(chain) = self
            .chains
            .get_mut(&head.epoch)
            .filter(|chain| chain.hash_at(head.seq) == Some(head.hash))
        {
            chain.signed(head, 0);
        }
    }
}

/// Open payments, each once however many orders it has.
fn open_intents(entries: impl Iterator<Item = Intent>) -> Vec<OpenIntent> {
    let mut open: Vec<OpenIntent> = Vec::new();
    for entry in entries {
        let order = entry.draft.as_ref().and_then(|draft| decode(&draft.0).ok());
        let Some(fresh) = order.and_then(|order| OpenIntent::restored(&entry, order)) else {
            continue;
        };
        if !open.iter_mut().any(|known| known.takes_in(&fresh)) {
            open.push(fresh);
        }
    }
    open
}

impl Terminal {
    /// A terminal from what its queue holds. It opens its connection by itself.
    #[expect(clippy::too_many_lines, reason = "one line for each thing a terminal has")]
    pub fn new(setup: Setup, mut restored: Restored, now: &Now) -> (Self, Vec<Output>) {
        let mut step = Step::new(now);
        let identity = restored
            .metas
            .get(&MetaKey::Identity)
            .and_then(|bytes| Identity::restore(bytes, &setup.key));
        let streams = Streams::restored(restored.streams);
        let (config, fault) = match streams.config() {
            Some(Ok(config)) => (Some(config), None),
            Some(Err(_)) => (None, Some(DeviceFault::Config)),
            None => (None, None),
        };
        let session = restored
            .metas
            .get(&MetaKey::Session)
            .and_then(|bytes| decode(bytes).ok());
        let told: ToldState = restored
            .metas
            .get(&MetaKey::State)
            .and_then(|bytes| decode(bytes).ok())
            .unwrap_or_default();
        let offset = restored.metas.get(&MetaKey::Clock).and_then(|bytes| decode(bytes).ok());
        let mut clock = Clock::restored(offset);
        clock.tick(now);
        // When exactly the server got these is not known here any more; the latest possible moment is the careful assumption.
        let server_ms = clock.server_ms(now);
        for (epoch, chain) in &restored.chains {
            restored.exposure.acknowledge(*epoch, chain.acked(), server_ms);
        }
        let mut history = History::default();
        for Recent {
            order,
            wall_ms,
            place,
            link,
        } in &restored.recent
        {
            history.note(order, *place, *link, now, now.wall_ms.saturating_sub(*wall_ms));
        }
        let newest = restored.chains.keys().next_back().copied();
        let (journal, mut past): (Vec<_>, Vec<_>) = restored
            .chains
            .into_iter()
            .partition(|(epoch, chain)| Some(*epoch) == newest || chain.unacked() > 0);
        for (_, chain) in &mut past {
            chain.forget_entries();
        }
        let watermarks_of = restored
            .metas
            .get(&MetaKey::Incarnation)
            .and_then(|bytes| decode(bytes).ok());
        let boot = shared_protocol::BootId(step.id());
        let mut terminal = Self {
            setup,
            training: restored.metas.contains_key(&MetaKey::Training),
            boot,
            identity,
            registrar: Registrar::default(),
            clock,
            journal: journal.into_iter().map(|(_, chain)| chain).collect(),
            past: past.into_iter().map(|(_, chain)| chain).collect(),
            watermarks_of,
            granted_epoch: None,
            store: Store::default(),
            waiting: VecDeque::new(),
            link: Link::new(),
            incarnation: None,
            next_job: 0,
            signing: BTreeMap::new(),
            head_job: None,
            head_retry_ms: None,
            slips: Slips::default(),
            fetching: false,
            fetch_retry_ms: None,
            streams,
            config,
            session,
            tally: restored.metas.get(&MetaKey::Tally).and_then(|bytes| decode(bytes).ok()),
            unregistering: false,
            told,
            pins: PinPad::restored(restored.metas.get(&MetaKey::Pins), now.mono_ms),
            parked: login::restored(restored.metas.get(&MetaKey::Parked), now.mono_ms),
            cart: None,
            own_band_for: None,
            cart_due_ms: None,
            split_due_ms: None,
            busy: Busy::No,
            guard: None,
            knowledge: Knowledge::default(),
            exposure: restored.exposure,
            handovers: Handovers::default(),
            evacuated: Evacuated::restored(restored.metas.get(&MetaKey::Evacuated)),
            history,
            past_shown: PastShown::default(),
            drawer: restored
                .metas
                .get(&MetaKey::Drawer)
                .and_then(|bytes| decode(bytes).ok()),
            purses: Batches::default(),
            lies: None,
            seen_purses: restored.seen,
            shown_purse: None,
            blocked_here: restored.blocked,
            card_asks: None,
            open_intents: open_intents(restored.intents.into_values()),
            void_intents: restored.void,
            outcomes: VecDeque::new(),
            practised: VecDeque::new(),
            notice: Notice::None,
            notice_ends_ms: None,
            fault,
            shown: None,
        };
        if terminal.identity.is_some() {
            terminal.take_batches();
            let config_key = terminal.identity.as_ref().map(|identity| &identity.config_key);
            terminal.handovers = Handovers::restored(restored.metas.get(&MetaKey::Received), config_key);
            terminal.restore_cart(restored.metas.get(&MetaKey::Cart), now);
            let last = restored.recent.back().map(|recent| &recent.order);
            let told_again = last.and_then(|last| drawer::told_again(last).or_else(|| swap::told_again(last)));
            if let Some(done) = told_again.filter(|_| terminal.cart.is_none()) {
                terminal.notice = Notice::Done(Box::new(done));
            }
            terminal.note_command(shared_protocol::entry::CommandKind::Start, None, CommandThen::Nothing);
            terminal.connect(&mut step);
        }
        terminal.settle(&mut step);
        (terminal, step.out)
    }

    /// Says of the last cart whether it was booked. One that was not is open again.
    fn restore_cart(&mut self, saved: Option<&Vec<u8>>, now: &Now) {
        let last = self.history.last_cart();
        let cart = saved.and_then(|bytes| Cart::restore(bytes, now.mono_ms));
        // One that was put aside just before the end waits there.
        let parked = |cart: &Cart| self.parked.values().any(|parked| parked.id == cart.id);
        let cart = cart.filter(|cart| !parked(cart));
        if let Some(cart) = cart.filter(|cart| last.iter().all(|past| past.cart != cart.id)) {
            let total = self
                .shop()
                .ok()
                .and_then(|shop| draft::totals(&shop, &cart.lines).ok())
                .map_or(Amount::ZERO, |(total, _)| total);
            // Whether its wristband has paid is told by the wristband.
            let waits = self.open_intents.iter().find(|open| open.cart == cart.id);
            let waits = waits.map(|open| (open.tag, open.total()));
            self.notice = Notice::LastCart {
                booked: false,
                total,
                at_ms: cart.opened_wall_ms,
            };
            if let Some((tag, total)) = waits {
                self.notice = Notice::HoldAgain { tag, total };
            }
            self.cart = Some(cart);
        } else if let Some(newest) = last.last() {
            let total = Amount::sum(last.iter().map(|past| past.total)).unwrap_or(newest.total);
            self.notice = Notice::LastCart {
                booked: true,
                total,
                at_ms: newest.closed_wall_ms,
            };
        }
    }
}
