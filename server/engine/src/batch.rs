//! One batch: load, decide, commit, answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use festival::authorise::{money, owed, units};
use festival::booking::{self, Blocks, Booked, Context, Purses};
use festival::case::{Case, CaseKind};
use festival::day::{EventDay, corrected, event_day};
use ledger::fold::HoldOutcome;
use ledger::{Chart, Fold, Refusal};
use shared_protocol::catalogue::Text;
use shared_protocol::chain::EpochStart;
use shared_protocol::config::Config;
use shared_protocol::crypto::Hash32;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::message::{
    Authorise, AuthoriseRefusal, AuthoriseResult, EntryNote, EntryOutcome, QueryResult, TerminalState, Units,
};
use shared_protocol::{AssetId, HoldId, RequestId, SessionId, SlotId, TagId, TerminalId};
use store::{
    Chain, ChainKey, Commit, EntryRow, EntryStatus, JournalRow, Loaded, Need, Office, OpenCase, Signing, Store,
    StoreError, TerminalNo, TerminalRow,
};

use crate::grants::Granted;
use crate::intake::{CheckedEntry, CheckedPush, Lines, Place};
use crate::purses::{Wanted, take_over_id};
use crate::request::{PushReply, PushResult, Reply, Request, Settled};
use crate::{Engine, SESSION_DAYS_MAX};

/// How often a batch is loaded and decided again after somebody else claimed a key first.
const ATTEMPTS_MAX: u32 = 4;

/// How often entries without a matching signature are asked for again before they are kept raw.
pub const SIGNATURE_ATTEMPTS_MAX: u32 = 8;

/// Frames without a matching signature that are remembered; an attacker cannot make this grow.
const SUSPECTS_MAX: usize = 4_096;

/// What is remembered of a cashier's session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionDay {
    /// The event day of its last order.
    day: EventDay,
    /// Whether a case about its clock is open.
    doubted: bool,
}

/// A batch in the making: everything decided so far, none of it durable.
pub(crate) struct Batch {
    pub(crate) now_ms: u64,
    pub(crate) config: Arc<Config>,
    pub(crate) fold: Fold,
    hashes: BTreeMap<(ChainKey, u64), Hash32>,
    chains: BTreeMap<(TerminalNo, u32), Vec<Chain>>,
    /// One per record of the fold, in order.
    entries: Vec<Option<EntryRow>>,
    pub(crate) cases: Vec<OpenCase>,
    pub(crate) terminals: BTreeMap<TerminalId, TerminalRow>,
    pub(crate) slots: BTreeMap<SlotId, festival::registration::Slot>,
    pub(crate) blocks: BTreeMap<TagId, Option<shared_protocol::stream::BlockReason>>,
    /// Batches of wristbands as this batch of requests leaves them.
    pub(crate) wristbands: BTreeMap<u16, shared_protocol::wristband::Batch>,
    session_days: BTreeMap<SessionId, SessionDay>,
    signing: Signing,
    pub(crate) office: Office,
    pub(crate) purses: Purses,
    /// Those of the purses that were there or that something was said about.
    had: Purses,
}

impl Batch {
    /// Whether something was put into the journal.
    pub(crate) const fn has_rows(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Opens a case.
    pub(crate) fn open(&mut self, case: Case, terminal: Option<TerminalNo>, no: Option<u64>) {
        self.cases.push(OpenCase {
            case,
            terminal,
            no,
            opened_at_ms: self.now_ms,
        });
    }
}

/// The rules of value that a configuration states.
fn chart(config: &Config) -> Chart {
    Chart {
        holder_ceilings: config
            .assets
            .values()
            .filter_map(|asset| Some((asset.id, asset.holder_ceiling?)))
            .collect(),
        expiring: config
            .assets
            .values()
            .filter(|asset| asset.expires)
            .map(|asset| asset.id)
            .collect(),
    }
}

/// The id of a hold: the same question of the same terminal asks for the same hold.
fn hold_id(terminal: TerminalId, request: RequestId) -> HoldId {
    let digest = Hash32::of("groschen hold 1", &[terminal.bytes(), request.bytes()]);
    let mut id = [0; 16];
    id.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    HoldId(id)
}

impl<S: Store> Engine<S> {
    /// Decides a batch in arrival order and makes it durable. One reply per request, in the same order.
    ///
    /// An error acknowledges nobody. After any but a conflict the engine has failed and takes no more batches.
    pub fn process(&mut self, now_ms: u64, requests: &[Request]) -> Result<Vec<Reply>, StoreError> {
        if self.failed {
            return Err(StoreError::Failed("a commit failed before".to_owned()));
        }
        self.holds.lapse(now_ms);
        let mut attempt = 0;
        loop {
            let tried = self.attempt(now_ms, requests);
            match tried {
                Err(StoreError::Conflict(_)) if attempt < ATTEMPTS_MAX => {
                    self.chains.clear();
                    attempt += 1;
                }
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
                Ok(replies) => return Ok(replies),
            }
        }
    }

    fn attempt(&mut self, now_ms: u64, requests: &[Request]) -> Result<Vec<Reply>, StoreError> {
        self.load_chains(requests)?;
        let need = self.need(requests);
        let mut loaded = self.store.load(&need)?;
        self.holds.overlay(&need.ledger, &mut loaded.ledger);
        let mut batch = self.begin(now_ms, loaded);
        let replies = requests
            .iter()
            .map(|request| self.decide(&mut batch, request))
            .collect::<Result<Vec<_>, _>>()?;
        self.finish(batch)?;
        Ok(replies)
    }

    fn begin(&self, now_ms: u64, loaded: Loaded) -> Batch {
        let purses: Purses = loaded
            .purses
            .into_iter()
            .map(|((_, tag), purse)| (tag, purse))
            .collect();
        Batch {
            now_ms,
            had: purses.clone(),
            purses,
            config: Arc::clone(&self.current),
            fold: Fold::new(loaded.ledger, &chart(&self.current)),
            hashes: loaded.hashes,
            chains: BTreeMap::new(),
            entries: Vec::new(),
            cases: Vec::new(),
            terminals: BTreeMap::new(),
            slots: BTreeMap::new(),
            blocks: BTreeMap::new(),
            wristbands: BTreeMap::new(),
            session_days: BTreeMap::new(),
            signing: Signing::default(),
            office: Office::default(),
        }
    }

    /// Journals of terminals that the batch touches and that are not in memory yet.
    fn load_chains(&mut self, requests: &[Request]) -> Result<(), StoreError> {
        let wanted = requests.iter().filter_map(|request| {
            let (terminal, epoch) = match request {
                Request::Push(push) => (push.terminal, push.epoch.epoch),
                Request::Hello(hello) => (hello.terminal, hello.epoch.epoch),
                _ => return None,
            };
            Some((self.terminals.get(&terminal)?.no, epoch))
        });
        let missing: std::collections::BTreeSet<_> = wanted.filter(|key| !self.chains.contains_key(key)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let loaded = self.store.load(&Need {
            chains: missing.clone(),
            ..Need::default()
        })?;
        for (terminal, epoch) in missing {
            let of_epoch = loaded
                .chains
                .values()
                .filter(|chain| chain.key.terminal == terminal && chain.key.epoch == epoch);
            self.chains.insert((terminal, epoch), of_epoch.copied().collect());
        }
        Ok(())
    }

    fn need(&self, requests: &[Request]) -> Need {
        let mut need = Need::default();
        for request in requests {
            match request {
                Request::Push(push) => self.need_of_push(push, &mut need),
                Request::Authorise { terminal, ask } => {
                    need.ledger.accounts.insert(money(&self.current.event, ask.tag));
                    need.ledger.holds.insert(hold_id(*terminal, ask.request));
                }
                Request::Release { hold, .. } => {
                    need.ledger.holds.insert(*hold);
                    need.ledger.accounts.extend(self.holds.account(hold));
                }
                Request::Query { tag, .. } => {
                    let assets = self.current.assets.keys().chain([&AssetId::EURO]);
                    need.ledger
                        .accounts
                        .extend(assets.map(|asset| units(&self.current.event, *tag, *asset)));
                    need.ledger.accounts.insert(owed(&self.current.event, *tag));
                }
                Request::IntoPurse { posting, tag, .. } => self.need_of_moves(*posting, &[*tag], &mut need),
                Request::Replace { posting, old, new, .. } => self.need_of_moves(*posting, &[*old, *new], &mut need),
                Request::TakeOver { tags } => {
                    for tag in tags {
                        self.need_of_moves(take_over_id(*tag), &[*tag], &mut need);
                    }
                }
                Request::Enrol { tags, .. } => need.purses.extend(tags.iter().map(|one| (self.event, one.tag))),
                Request::Reconcile { tags } => need.purses.extend(tags.iter().map(|tag| (self.event, *tag))),
                Request::Trace {
                    terminal,
                    epoch,
                    places,
                } => {
                    let seqs = || places.iter().map(|(seq, _)| *seq);
                    let row = self.terminals.get(terminal);
                    let range = row.and_then(|row| Some((row.no, *epoch, seqs().min()?, seqs().max()?)));
                    need.hashes.extend(range);
                }
                Request::Grant {
                    posting, tag, asset, ..
                } => {
                    self.need_of_grant(*posting, *tag, *asset, &mut need);
                }
                _ => {}
            }
        }
        need
    }

    fn need_of_push(&self, push: &CheckedPush, need: &mut Need) {
        if push.verified {
            let orders = push.entries.iter().filter_map(|entry| match &entry.content {
                Ok((_, Content::Order(order))) => Some(&order.order),
                _ => None,
            });
            for order in orders {
                need.ledger.merge(booking::needs(order, &self.current));
                need.purses
                    .extend(booking::purses_of(order).map(|tag| (self.event, tag)));
            }
            for entry in &push.entries {
                let tag = match &entry.content {
                    Ok((_, Content::Intent(intent))) => booking::intents::draft(intent).and_then(|order| order.holder),
                    Ok((_, Content::Outcome(outcome))) => outcome.tag,
                    _ => None,
                };
                need.purses.extend(tag.map(|tag| (self.event, tag)));
            }
            let accounts: Vec<_> = need
                .ledger
                .holds
                .iter()
                .filter_map(|hold| self.holds.account(hold))
                .collect();
            need.ledger.accounts.extend(accounts);
        }
        let Some(terminal) = self.terminals.get(&push.terminal) else {
            return;
        };
        let chains = self
            .chains
            .get(&(terminal.no, push.epoch.epoch))
            .map_or(&[][..], Vec::as_slice);
        if !Lines::continues(chains, push.epoch.root(push.terminal), push) {
            let last = push.first_seq.saturating_add(push.entries.len() as u64);
            need.hashes
                .insert((terminal.no, push.epoch.epoch, push.first_seq.saturating_sub(1), last));
        }
    }

    fn decide(&mut self, batch: &mut Batch, request: &Request) -> Result<Reply, StoreError> {
        Ok(match request {
            Request::Push(push) => Reply::Push(self.push(batch, push)?),
            Request::Authorise { terminal, ask } => Reply::Authorise(self.authorise(batch, *terminal, ask)),
            Request::Release { hold, .. } => {
                // A hold that is gone is as good as released.
                let _gone = batch.fold.release(*hold);
                Reply::Settled(Settled::Done)
            }
            Request::Query { request, tag } => Reply::Query(Box::new(self.query(batch, *request, *tag))),
            Request::Hello(hello) => Reply::Hello(self.hello(batch, hello).map(Box::new)),
            Request::Announce {
                terminal,
                epoch,
                next_seq,
            } => {
                if let Some(row) = self.terminal(batch, *terminal) {
                    self.announced.insert(row.no, (*epoch, *next_seq));
                }
                Reply::Settled(Settled::Done)
            }
            Request::Register {
                register,
                nonce,
                terminal,
            } => Reply::Register(self.register(batch, register, nonce, *terminal)),
            Request::Confirm { slot, code, terminal } => Reply::Register(self.confirm(batch, *slot, code, *terminal)),
            Request::OpenSlot(slot) => {
                batch.slots.insert(slot.id, slot.as_ref().clone());
                Reply::Settled(Settled::Done)
            }
            Request::Sign(signing) => {
                batch.signing.append(signing.as_ref().clone());
                Reply::Settled(Settled::Done)
            }
            Request::Office(office) => Reply::Settled(self.office(batch, office)?),
            Request::SetState { terminal, state } => Reply::Settled(self.set_state(batch, *terminal, *state)),
            Request::Block { tag, reason } => {
                batch.blocks.insert(*tag, *reason);
                Reply::Settled(Settled::Done)
            }
            Request::IntoPurse { posting, tag, amount } => {
                Reply::Settled(self.credit_purse(batch, *posting, *tag, amount.map_or(Wanted::All, Wanted::Money)))
            }
            Request::Replace {
                posting,
                old,
                new,
                hold_back,
                reason,
            } => Reply::Settled(self.replace(batch, *posting, (*old, *new), *hold_back, *reason)),
            Request::TakeOver { tags } => Reply::Settled(self.take_over(batch, tags)),
            Request::Batch { batch: number, change } => Reply::Settled(self.change_batch(batch, *number, change)),
            Request::Enrol { batch: number, tags } => Reply::Settled(self.enrol(batch, *number, tags)),
            Request::Reconcile { tags } => {
                self.reconcile(batch, tags);
                Reply::Settled(Settled::Done)
            }
            Request::Trace {
                terminal,
                epoch,
                places,
            } => Reply::Traced(self.trace(batch, *terminal, *epoch, places)),
            // A key that cannot sign stops updates, never orders: the reader keeps what it has.
            Request::Step { stream, has } => Reply::Step(self.step_from(*stream, *has).unwrap_or_default()),
            Request::Grant {
                posting,
                tag,
                asset,
                amount,
                expires_at_ms,
            } => {
                let granted = Granted {
                    tag: *tag,
                    asset: *asset,
                    amount: *amount,
                    expires_at_ms: *expires_at_ms,
                };
                Reply::Settled(self.grant(batch, *posting, &granted))
            }
        })
    }

    /// A terminal as this batch knows it.
    pub(crate) fn terminal(&self, batch: &Batch, id: TerminalId) -> Option<TerminalRow> {
        batch.terminals.get(&id).or_else(|| self.terminals.get(&id)).cloned()
    }

    fn set_state(&self, batch: &mut Batch, id: TerminalId, state: TerminalState) -> Settled {
        match self.terminal(batch, id) {
            Some(row) => {
                batch.terminals.insert(id, TerminalRow { state, ..row });
                Settled::Done
            }
            None => Settled::Refused(Text::new(
                "Dieses Gerät ist nicht bekannt.",
                "This terminal is not known.",
            )),
        }
    }

    fn trace(&self, batch: &Batch, id: TerminalId, epoch: u32, places: &[(u64, Hash32)]) -> BTreeSet<Hash32> {
        let Some(row) = self.terminal(batch, id) else {
            return BTreeSet::new();
        };
        let of_epoch = batch
            .hashes
            .iter()
            .filter(|((key, _), _)| key.terminal == row.no && key.epoch == epoch);
        let stored: BTreeSet<_> = of_epoch.map(|((_, seq), hash)| (*seq, *hash)).collect();
        let known = places.iter().filter(|place| stored.contains(place));
        known.map(|(_, hash)| *hash).collect()
    }

    /// The block list with what a batch changes about it.
    pub(crate) fn blocks<'a>(
        &'a self,
        changed: &'a BTreeMap<TagId, Option<shared_protocol::stream::BlockReason>>,
    ) -> Blocks<'a> {
        Blocks {
            list: &self.blocked,
            changed,
        }
    }

    fn blocked(&self, batch: &Batch, tag: TagId) -> Option<shared_protocol::stream::BlockReason> {
        self.blocks(&batch.blocks).reason(tag)
    }

    fn authorise(&self, batch: &mut Batch, terminal: TerminalId, ask: &Authorise) -> AuthoriseResult {
        let event = &batch.config.event;
        let key = money(event, ask.tag);
        let state = self
            .terminal(batch, terminal)
            .map_or(TerminalState::Locked, |row| row.state);
        let blocked = self.blocked(batch, ask.tag);
        let question = festival::authorise::Question {
            hold: hold_id(terminal, ask.request),
            tag: ask.tag,
            amount: ask.amount,
            terminal: state,
            blocked,
        };
        let decision = festival::authorise::decide(event, &question, batch.now_ms).and_then(|request| {
            match batch.fold.hold(request, batch.now_ms) {
                HoldOutcome::Held => Ok(request.id),
                HoldOutcome::Duplicate(hold) if hold.remaining.is_positive() => Ok(request.id),
                // Asked again later: the request differs only by its end, and the first hold still stands.
                HoldOutcome::Refused(Refusal::HoldConflict) => match batch.fold.hold_state(&request.id) {
                    Some(hold) if hold.remaining == ask.amount && hold.request.account == request.account => {
                        Ok(request.id)
                    }
                    _ => Err(AuthoriseRefusal::Unavailable),
                },
                HoldOutcome::Refused(Refusal::BelowFloor { .. }) => Err(AuthoriseRefusal::BalanceTooLow),
                HoldOutcome::Refused(Refusal::NotPositive) => Err(AuthoriseRefusal::Amount),
                HoldOutcome::Duplicate(_) | HoldOutcome::Refused(_) => Err(AuthoriseRefusal::Unavailable),
            }
        });
        AuthoriseResult {
            request: ask.request,
            hold: decision.ok(),
            refusal: decision.err(),
            blocked,
            free: batch.fold.available(&key).unwrap_or_default(),
            as_of_ms: batch.now_ms,
        }
    }

    fn query(&self, batch: &Batch, request: RequestId, tag: TagId) -> QueryResult {
        let event = &batch.config.event;
        let key = money(event, tag);
        let debt = batch.fold.balance(&owed(event, tag)).unwrap_or_default().balance;
        let others = batch.config.assets.keys().filter(|asset| **asset != AssetId::EURO);
        let units = others
            .filter_map(|asset| {
                let amount = batch.fold.spendable(&units(event, tag, *asset), batch.now_ms)?;
                amount.is_positive().then_some(Units { asset: *asset, amount })
            })
            .collect();
        QueryResult {
            request,
            tag,
            free: batch.fold.available(&key).unwrap_or_default(),
            held: batch.fold.balance(&key).unwrap_or_default().held,
            owed: debt.negated().unwrap_or_default(),
            units,
            blocked: self.blocked(batch, tag),
            as_of_ms: batch.now_ms,
        }
    }

    fn push(&mut self, batch: &mut Batch, push: &CheckedPush) -> Result<PushReply, StoreError> {
        let epoch = push.epoch.epoch;
        let reply = |result| Ok(PushReply { epoch, result });
        let Some(row) = self.terminal(batch, push.terminal) else {
            return reply(PushResult::Unknown);
        };
        let known = batch
            .chains
            .get(&(row.no, epoch))
            .or_else(|| self.chains.get(&(row.no, epoch)));
        let mut chains = known.cloned().unwrap_or_default();
        let root = chains
            .first()
            .map_or(push.epoch, |chain| chain.start)
            .root(push.terminal);
        let place = Lines {
            chains: &chains,
            hashes: &batch.hashes,
            terminal: row.no,
            root,
        }
        .place(push);
        let (branch, skip) = match place {
            Place::Append { branch, known } | Place::Fork { branch, known } => (branch, known),
            // Only what was pushed is acknowledged: what the line has beyond may be another till's, or this one's before it was restored.
            Place::Repeated { branch } => {
                return reply(PushResult::Durable {
                    durable_seq: push.last_seq(),
                    branch,
                    notes: Vec::new(),
                    fork: None,
                });
            }
            Place::Gap { expected_seq } => return reply(PushResult::Gap { expected_seq }),
            Place::Refused => return reply(PushResult::Gap { expected_seq: 1 }),
        };
        if !push.verified && self.suspicious(row.no, push) {
            return reply(PushResult::Gap {
                expected_seq: push.first_seq,
            });
        }
        let key = ChainKey {
            terminal: row.no,
            epoch,
            branch,
        };
        if !chains.iter().any(|chain| chain.key == key) {
            chains.push(new_line(key, push, skip));
        }
        if branch == 0 && epoch > row.epoch.epoch {
            batch.open(
                Case::of_journal(CaseKind::UnknownEpoch, self.event, Some(i64::from(epoch))),
                Some(row.no),
                None,
            );
            batch.terminals.insert(
                row.id,
                TerminalRow {
                    epoch: push.epoch,
                    ..row.clone()
                },
            );
        }
        let mut notes = Vec::new();
        let first_no = batch.fold.last_no();
        for (seq, entry) in (push.first_seq..).zip(&push.entries).skip(skip) {
            let (status, code) = self.entry(batch, &row, push.verified, key, seq, entry)?;
            notes.extend(note(seq, status, code));
            batch.hashes.insert((key, seq), entry.hash);
            if let Some(chain) = chains.iter_mut().find(|chain| chain.key == key) {
                (chain.last_seq, chain.head) = (seq, entry.hash);
            }
        }
        if push.verified
            && let Some(Some(last)) = batch.entries.last_mut()
        {
            last.signature = Some(push.signature.clone());
        }
        if !push.verified {
            let count = i64::try_from(push.entries.len().saturating_sub(skip)).unwrap_or(i64::MAX);
            batch.open(
                Case::of_journal(CaseKind::BadSignature, self.event, Some(count)),
                Some(row.no),
                Some(first_no.saturating_add(1)),
            );
        }
        let fork = matches!(place, Place::Fork { .. }).then(|| self.fork(batch, &row, push, skip, &chains));
        let durable_seq = push.last_seq();
        batch.chains.insert((row.no, epoch), chains);
        reply(PushResult::Durable {
            durable_seq,
            branch,
            notes,
            fork,
        })
    }

    /// Whether entries without a matching signature should be sent again first: a frame that was damaged on its way must not take the place of the true
    /// one. A terminal whose key is broken sends the same again and again; then they are kept raw, so that its queue is not blocked.
    fn suspicious(&mut self, terminal: TerminalNo, push: &CheckedPush) -> bool {
        let attempts = self
            .unsigned
            .entry((terminal, push.epoch.epoch, push.first_seq))
            .or_default();
        *attempts += 1;
        let again = *attempts < SIGNATURE_ATTEMPTS_MAX;
        if !again {
            self.unsigned.remove(&(terminal, push.epoch.epoch, push.first_seq));
        }
        while self.unsigned.len() > SUSPECTS_MAX {
            self.unsigned.pop_first();
        }
        again
    }

    /// Quarantines the terminal of a fork and issues the epoch it has to go on in.
    fn fork(
        &self,
        batch: &mut Batch,
        row: &TerminalRow,
        push: &CheckedPush,
        skip: usize,
        chains: &[Chain],
    ) -> (u64, EpochStart) {
        let main = chains.iter().find(|chain| chain.key.branch == 0);
        let seq = push.first_seq.saturating_add(skip as u64);
        batch.open(
            Case::of_journal(CaseKind::Fork, self.event, i64::try_from(seq).ok()),
            Some(row.no),
            None,
        );
        let row = self.terminal(batch, row.id).unwrap_or_else(|| row.clone());
        // The old epoch was left already when the terminal's newest one is another.
        let next = if row.epoch.epoch > push.epoch.epoch {
            row.epoch
        } else {
            EpochStart {
                epoch: row.epoch.epoch.saturating_add(1),
                previous_seq: main.map_or(0, |chain| chain.last_seq),
                previous_head: main.map_or(Hash32::ZERO, |chain| chain.head),
            }
        };
        let state = if row.state == TerminalState::Active {
            TerminalState::Quarantined
        } else {
            row.state
        };
        batch.terminals.insert(
            row.id,
            TerminalRow {
                state,
                epoch: next,
                ..row
            },
        );
        (seq, next)
    }

    /// Stores one entry and books what it says. Gives its status and the number of the first case, for the acknowledgement.
    fn entry(
        &mut self,
        batch: &mut Batch,
        row: &TerminalRow,
        verified: bool,
        chain: ChainKey,
        seq: u64,
        entry: &CheckedEntry,
    ) -> Result<(EntryStatus, u16), StoreError> {
        let mut cases = Vec::new();
        let mut stored = EntryRow {
            chain,
            seq,
            hash: entry.hash,
            status: EntryStatus::Booked,
            order: None,
            day: None,
            raw: entry.raw.clone(),
            signature: None,
        };
        let before = batch.fold.last_no();
        let mut swapped = None;
        match &entry.content {
            _ if !verified => stored.status = EntryStatus::Parked,
            Err(_) => {
                cases.push(Case::of_journal(
                    CaseKind::Unreadable,
                    self.event,
                    i64::try_from(seq).ok(),
                ));
                stored.status = EntryStatus::Parked;
            }
            Ok((envelope, Content::Order(order))) => {
                let priced_with = self.config_at(order.order.config)?;
                let config = Arc::clone(&batch.config);
                let context = Context {
                    current: &config,
                    priced_with: priced_with.as_deref(),
                    till: Some(row.till),
                    terminal: Some(row.id),
                    blocks: self.blocks(&batch.blocks),
                    batches: &self.batches,
                    now_ms: batch.now_ms,
                };
                let (fold, purses) = (&mut batch.fold, &mut batch.purses);
                let booked = booking::book(order, fold, purses, &context, Some(entry.hash), &mut cases);
                stored.order = Some(order.order.id);
                stored.day = Some(self.day(batch, envelope, order.order.session, &mut cases).0);
                if let Booked::New { band: Some(done), .. } = booked {
                    swapped = Some((order.order.id, done));
                }
                stored.status = match booked {
                    Booked::New { .. } if cases.is_empty() => EntryStatus::Booked,
                    Booked::New { .. } => EntryStatus::Flagged,
                    Booked::Duplicate { .. } => EntryStatus::Duplicate,
                    Booked::Conflict { .. } => EntryStatus::Conflict,
                    Booked::Kept => EntryStatus::Parked,
                };
            }
            Ok((_, Content::Intent(intent))) => {
                let config = Arc::clone(&batch.config);
                let context = self.context(&config, self.blocks(&batch.blocks), Some(row), batch.now_ms);
                cases.extend(booking::intents::began(intent, &mut batch.purses, &context));
            }
            Ok((_, Content::Outcome(outcome))) => {
                let config = Arc::clone(&batch.config);
                let context = self.context(&config, self.blocks(&batch.blocks), Some(row), batch.now_ms);
                cases.extend(booking::intents::ended(outcome, &mut batch.purses, &context));
            }
            Ok((_, Content::Command(_))) => {}
        }
        if batch.fold.last_no() == before {
            batch.fold.note(batch.now_ms, Some(entry.hash));
        }
        let no = batch.fold.last_no();
        let code = cases.first().map_or(0, |case| case.kind.code());
        for case in cases {
            batch.open(case, Some(row.no), Some(no));
        }
        let status = stored.status;
        batch.entries.push(Some(stored));
        if let Some((order, done)) = swapped {
            self.band_changed(batch, order, done, (row.no, no));
        }
        Ok((status, code))
    }

    /// What booking knows besides the order and the ledger, where no price is looked up.
    pub(crate) fn context<'a>(
        &'a self,
        current: &'a Config,
        blocks: Blocks<'a>,
        from: Option<&TerminalRow>,
        now_ms: u64,
    ) -> Context<'a> {
        Context {
            current,
            priced_with: None,
            till: from.map(|row| row.till),
            terminal: from.map(|row| row.id),
            blocks,
            batches: &self.batches,
            now_ms,
        }
    }

    /// The event day of an order. A clock that cannot be believed takes the day of its session, with one case for the session.
    fn day(&mut self, batch: &mut Batch, entry: &Entry, session: SessionId, cases: &mut Vec<Case>) -> EventDay {
        let event = &batch.config.event;
        let corrected = corrected(entry);
        let known = batch
            .session_days
            .get(&session)
            .or_else(|| self.session_days.get(&session))
            .copied();
        let arrival = event_day(event, batch.now_ms);
        let day = if corrected.doubtful {
            known.map(|known| known.day).or(arrival)
        } else {
            event_day(event, corrected.at_ms).or(arrival)
        };
        let day = day.unwrap_or(EventDay(0));
        let told = known.is_some_and(|known| known.doubted);
        if corrected.doubtful && !told {
            cases.push(Case::of_journal(CaseKind::ClockDoubtful, self.event, entry.offset_ms));
        }
        let doubted = told || corrected.doubtful;
        batch.session_days.insert(session, SessionDay { day, doubted });
        day
    }

    fn finish(&mut self, batch: Batch) -> Result<(), StoreError> {
        let block_step = self.block_step(&batch.blocks);
        let batch_step = self.batch_step(&batch.wristbands);
        let mut effects = batch.fold.into_effects();
        let mut entries = batch.entries.into_iter();
        let journal: Vec<JournalRow> = effects
            .records
            .drain(..)
            .zip(effects.hashes.drain(..))
            .map(|(record, hash)| {
                // Entries are in the order of their records; a record without an origin has none.
                let entry = if record.origin.is_some() {
                    entries.next().flatten()
                } else {
                    None
                };
                JournalRow { record, hash, entry }
            })
            .collect();
        let (event, had) = (self.event, batch.had);
        let purses: BTreeMap<_, _> = batch
            .purses
            .into_iter()
            .filter(|(tag, purse)| had.get(tag) != Some(purse))
            .map(|(tag, purse)| ((event, tag), purse))
            .collect();
        let commit = Commit {
            purses,
            journal,
            accounts: effects.accounts,
            lots: effects.lots,
            chains: batch.chains.values().flatten().copied().collect(),
            cases: batch.cases,
            terminals: batch.terminals.values().cloned().collect(),
            slots: batch.slots.values().cloned().collect(),
            streams: block_step.iter().chain(&batch_step).cloned().collect(),
            signing: batch.signing,
            office: batch.office,
        };
        let durable = !commit.journal.is_empty()
            || !commit.cases.is_empty()
            || !commit.terminals.is_empty()
            || !commit.slots.is_empty()
            || !commit.streams.is_empty()
            || !commit.signing.is_empty()
            || !commit.office.is_empty()
            || !commit.purses.is_empty();
        if durable {
            self.store.commit(&commit)?;
        }
        self.note_balances(&commit.accounts);
        self.note_purses(&commit.purses);
        self.holds.absorb(effects.holds, &commit.accounts);
        self.chains.extend(batch.chains);
        self.terminals.extend(batch.terminals);
        self.slots.extend(batch.slots);
        self.session_days.extend(batch.session_days);
        while self.session_days.len() > SESSION_DAYS_MAX {
            self.session_days.pop_first();
        }
        if let Some((_, _, version, changes)) = block_step {
            self.blocks_changed(version, changes);
        }
        if let Some((_, _, version, changes)) = batch_step {
            self.batches_changed(version, changes);
        }
        Ok(())
    }
}

/// A line that begins after the first `skip` entries of a push.
fn new_line(key: ChainKey, push: &CheckedPush, skip: usize) -> Chain {
    let first_seq = push.first_seq.saturating_add(skip as u64);
    let before = skip.checked_sub(1).and_then(|last| push.entries.get(last));
    Chain {
        key,
        start: push.epoch,
        first_seq,
        last_seq: first_seq.saturating_sub(1),
        head: before.map_or(push.previous, |entry| entry.hash),
    }
}

fn note(seq: u64, status: EntryStatus, code: u16) -> Option<EntryNote> {
    let outcome = match status {
        EntryStatus::Booked => return None,
        EntryStatus::Flagged => EntryOutcome::Flagged,
        EntryStatus::Duplicate => EntryOutcome::Duplicate,
        EntryStatus::Conflict => EntryOutcome::Conflict,
        EntryStatus::Parked => EntryOutcome::Parked,
    };
    Some(EntryNote { seq, outcome, code })
}
