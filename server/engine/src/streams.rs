//! What the server keeps up to date on its terminals: configuration, block list, balances.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use festival::purse::Purse;
use ledger::{Account, AccountKey, Balance};
use shared_protocol::config::{Config, Item};
use shared_protocol::crypto::{SignError, Signer};
use shared_protocol::ids::Bytes;
use shared_protocol::stream::{BlockReason, Change, Copy, KnownBalance, Step, Stream, Version, sign_step};
use shared_protocol::wristband::{Batch, KnownPurse};
use shared_protocol::{AssetId, EventId, TagId, decode, encode};
use store::{Commit, Store};

use crate::{Engine, EngineError};

/// Steps of a stream that are kept to bring a terminal up to date by a delta; who is further behind gets a snapshot.
const STEPS_KEPT: usize = 64;

/// Purses that are read at once when the stream is built.
const PURSES_PAGE: u64 = 4_096;

/// A signed step with the encoded changes that go beside it.
pub type SignedStep = (Step, Arc<Vec<u8>>);

/// Recent steps of a stream and its last signed snapshot.
#[derive(Default)]
pub(crate) struct History {
    steps: Vec<(Version, u64, Vec<Change>)>,
    snapshot: Option<SignedStep>,
}

/// Everything about streams that is not durable by itself.
#[derive(Default)]
pub(crate) struct Streams {
    history: BTreeMap<Stream, History>,
    /// Wristbands whose free money changed since the last balances step; none as long as nobody asked for balances.
    dirty: Option<BTreeSet<TagId>>,
    /// The same for what is known of purses.
    dirty_purses: Option<BTreeMap<TagId, KnownPurse>>,
}

/// Reads the items of the block list.
pub(crate) fn read_block_list(copy: &Copy) -> BTreeMap<TagId, BlockReason> {
    copy.items
        .iter()
        .filter_map(|(key, value)| Some((TagId::from_slice(key)?, decode(value).unwrap_or(BlockReason::Blocked))))
        .collect()
}

/// Reads the batches of wristbands with a purse. One that cannot be read is as good as none: tills refuse its wristbands.
pub(crate) fn read_batches(copy: &Copy) -> BTreeMap<u16, Batch> {
    copy.items
        .iter()
        .filter_map(|(key, value)| Some((u16::from_be_bytes(key.as_slice().try_into().ok()?), decode(value).ok()?)))
        .collect()
}

/// Puts the first configuration into an empty store.
pub fn bootstrap<S: Store>(store: &mut S, event: EventId, items: &[Item]) -> Result<Version, EngineError> {
    let version = Version { generation: 1, rev: 1 };
    Config::from_items(version, items.iter().cloned())?;
    let changes = items.iter().map(Item::change).collect();
    store.commit(&Commit {
        streams: vec![(event, Stream::Config, version, changes)],
        ..Commit::default()
    })?;
    Ok(version)
}

impl<S: Store> Engine<S> {
    /// Puts a new configuration in force. Terminals keep selling with the one they have until it reaches them; orders name theirs.
    pub fn publish(&mut self, items: &[Item]) -> Result<Version, EngineError> {
        let had = self.streams.get(&Stream::Config).cloned().unwrap_or_default();
        let version = Version {
            rev: had.version.rev.saturating_add(1),
            ..had.version
        };
        let config = Arc::new(Config::from_items(version, items.iter().cloned())?);
        let wanted: BTreeMap<Vec<u8>, Vec<u8>> = items.iter().map(|item| (item.key(), encode(item))).collect();
        let put = wanted.iter().filter(|(key, value)| had.items.get(*key) != Some(*value));
        let mut changes: Vec<Change> = put
            .map(|(key, value)| Change {
                key: Bytes(key.clone()),
                value: Some(Bytes(value.clone())),
            })
            .collect();
        let gone = had.items.keys().filter(|key| !wanted.contains_key(*key));
        changes.extend(gone.map(|key| Change {
            key: Bytes(key.clone()),
            value: None,
        }));
        self.store.commit(&Commit {
            streams: vec![(self.event, Stream::Config, version, changes.clone())],
            ..Commit::default()
        })?;
        self.advance(Stream::Config, version, changes);
        self.configs.insert(version, Some(Arc::clone(&config)));
        self.current = config;
        Ok(version)
    }

    /// Starts a new generation of every stream, after a backup was restored: revisions of two histories must never be compared.
    pub fn new_generation(&mut self, now_ms: u64) -> Result<(), EngineError> {
        // Two restores from one backup must not begin the same generation, so the clock says which one it is.
        let from_clock = u32::try_from(now_ms / 1_000).unwrap_or(u32::MAX);
        for stream in [Stream::Config, Stream::BlockList, Stream::Batches] {
            let Some(had) = self.streams.get(&stream).cloned() else {
                continue;
            };
            let version = Version {
                generation: had.version.generation.saturating_add(1).max(from_clock),
                rev: 1,
            };
            let changes = had.items.iter().map(|(key, value)| Change {
                key: Bytes(key.clone()),
                value: Some(Bytes(value.clone())),
            });
            let step = (self.event, stream, version, changes.collect());
            self.store.commit(&Commit {
                streams: vec![step],
                ..Commit::default()
            })?;
            self.streams.insert(
                stream,
                Copy {
                    version,
                    items: had.items,
                },
            );
            self.pending.history.remove(&stream);
        }
        if let Some(config) = self.streams.get(&Stream::Config) {
            let read = Config::read(config)?;
            self.current = Arc::new(read);
            self.configs
                .insert(self.current.version, Some(Arc::clone(&self.current)));
        }
        Ok(())
    }

    /// The version of a stream as it is now.
    pub fn stream_version(&self, stream: Stream) -> Version {
        self.streams.get(&stream).map(|copy| copy.version).unwrap_or_default()
    }

    /// What a reader at `has` needs to be up to date: nothing, a delta, or a snapshot.
    pub fn step_from(&mut self, stream: Stream, has: Version) -> Result<Option<SignedStep>, EngineError> {
        match stream {
            Stream::Balances => self.want_balances()?,
            Stream::Purses => self.want_purses()?,
            Stream::Config | Stream::BlockList | Stream::Batches => {}
        }
        let Some(copy) = self.streams.get(&stream) else {
            return Ok(None);
        };
        if copy.version == has || copy.version == Version::default() {
            return Ok(None);
        }
        let history = self.pending.history.entry(stream).or_default();
        if has.generation == copy.version.generation && has.rev < copy.version.rev {
            let from = history.steps.iter().position(|(_, from_rev, _)| *from_rev == has.rev);
            if let Some(steps) = from.and_then(|from| history.steps.get(from..)) {
                let changes = merge(steps.iter().map(|(_, _, changes)| changes.as_slice()));
                let (step, payload) = sign_step(
                    self.signer.as_ref(),
                    self.event,
                    stream,
                    copy.version,
                    Some(has.rev),
                    &changes,
                )?;
                return Ok(Some((step, Arc::new(payload))));
            }
        }
        if let Some((step, payload)) = history.snapshot.as_ref().filter(|(step, _)| step.to == copy.version) {
            return Ok(Some((step.clone(), Arc::clone(payload))));
        }
        let (step, payload) = snapshot(self.signer.as_ref(), self.event, stream, copy)?;
        let payload = Arc::new(payload);
        history.snapshot = Some((step.clone(), Arc::clone(&payload)));
        Ok(Some((step, payload)))
    }

    /// The version that a stream's next change makes.
    fn next_version(&self, stream: Stream) -> Version {
        let had = self.stream_version(stream);
        Version {
            generation: self.stream_version(Stream::Config).generation.max(had.generation),
            rev: had.rev.saturating_add(1),
        }
    }

    /// Brings the copy of a stream to this version, and keeps the step for terminals that have the one before.
    fn advance(&mut self, stream: Stream, to: Version, changes: Vec<Change>) -> &Copy {
        let copy = self.streams.entry(stream).or_default();
        put(copy, &changes);
        let from_rev = std::mem::replace(&mut copy.version, to).rev;
        let history = self.pending.history.entry(stream).or_default();
        history.steps.push((to, from_rev, changes));
        if history.steps.len() > STEPS_KEPT {
            history.steps.remove(0);
        }
        copy
    }

    /// The step that blocks and frees wristbands, to be committed with the batch.
    pub(crate) fn block_step(
        &self,
        blocks: &BTreeMap<TagId, Option<BlockReason>>,
    ) -> Option<(EventId, Stream, Version, Vec<Change>)> {
        if blocks.is_empty() {
            return None;
        }
        let change = |(tag, reason): (&TagId, &Option<BlockReason>)| Change {
            key: Bytes(tag.as_slice().to_vec()),
            value: reason.map(|reason| Bytes(encode(&reason))),
        };
        Some((
            self.event,
            Stream::BlockList,
            self.next_version(Stream::BlockList),
            blocks.iter().map(change).collect(),
        ))
    }

    /// The block list changed durably.
    pub(crate) fn blocks_changed(&mut self, version: Version, changes: Vec<Change>) {
        self.blocked = read_block_list(self.advance(Stream::BlockList, version, changes));
    }

    /// Free money of wristbands changed durably.
    pub(crate) fn note_balances(&mut self, accounts: &BTreeMap<AccountKey, Balance>) {
        let Some(dirty) = &mut self.pending.dirty else { return };
        dirty.extend(accounts.keys().filter_map(|key| match key.account {
            Account::Wristband { tag, .. } if key.asset == AssetId::EURO => Some(tag),
            _ => None,
        }));
    }

    /// Puts batches of wristbands in force, new ones and those that change.
    pub fn put_batches(&mut self, batches: &BTreeMap<u16, Batch>) -> Result<Version, EngineError> {
        let Some(step) = self.batch_step(batches) else {
            return Ok(self.stream_version(Stream::Batches));
        };
        let (_, _, version, changes) = step.clone();
        self.store.commit(&Commit {
            streams: vec![step],
            ..Commit::default()
        })?;
        self.batches_changed(version, changes);
        Ok(version)
    }

    /// The step that puts batches in force, to be committed.
    pub(crate) fn batch_step(&self, batches: &BTreeMap<u16, Batch>) -> Option<(EventId, Stream, Version, Vec<Change>)> {
        if batches.is_empty() {
            return None;
        }
        let change = |(number, batch): (&u16, &Batch)| Change {
            key: Bytes(number.to_be_bytes().to_vec()),
            value: Some(Bytes(encode(batch))),
        };
        Some((
            self.event,
            Stream::Batches,
            self.next_version(Stream::Batches),
            batches.iter().map(change).collect(),
        ))
    }

    /// Batches changed durably.
    pub(crate) fn batches_changed(&mut self, version: Version, changes: Vec<Change>) {
        self.batches = read_batches(self.advance(Stream::Batches, version, changes));
    }

    /// What is known of purses changed durably.
    pub(crate) fn note_purses(&mut self, purses: &BTreeMap<store::PurseKey, Purse>) {
        let Some(dirty) = &mut self.pending.dirty_purses else {
            return;
        };
        dirty.extend(purses.iter().map(|((_, tag), purse)| (*tag, purse.known())));
    }

    /// Builds the stream of purses when the first terminal asks for it.
    fn want_purses(&mut self) -> Result<(), EngineError> {
        if self.pending.dirty_purses.is_some() {
            return Ok(());
        }
        let mut items = BTreeMap::new();
        let mut after = None;
        loop {
            let page = self.reader.purses(self.event, after, PURSES_PAGE)?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            items.extend(
                page.iter()
                    .map(|(tag, purse)| (tag.as_slice().to_vec(), encode(&purse.known()))),
            );
        }
        let version = Version {
            generation: self.stream_version(Stream::Config).generation,
            rev: self.reader.head()?.0.max(1),
        };
        self.streams.insert(Stream::Purses, Copy { version, items });
        self.pending.dirty_purses = Some(BTreeMap::new());
        Ok(())
    }

    /// Makes a new step of the stream of purses from what changed since the last one. Gives whether there is one.
    pub fn refresh_purses(&mut self) -> bool {
        let dirty = self.pending.dirty_purses.as_mut().map(std::mem::take);
        let Some(dirty) = dirty.filter(|dirty| !dirty.is_empty()) else {
            return false;
        };
        let changes: Vec<Change> = dirty
            .iter()
            .map(|(tag, known)| Change {
                key: Bytes(tag.as_slice().to_vec()),
                value: Some(Bytes(encode(known))),
            })
            .collect();
        let had = self.stream_version(Stream::Purses);
        let rev = had.rev.saturating_add(1);
        self.advance(Stream::Purses, Version { rev, ..had }, changes);
        true
    }

    /// Builds the balances stream when the first terminal asks for it.
    fn want_balances(&mut self) -> Result<(), EngineError> {
        if self.pending.dirty.is_some() {
            return Ok(());
        }
        let view = self.reader.balances(self.event)?;
        let items = view.accounts.iter().filter_map(|(key, balance)| match key.account {
            Account::Wristband { tag, .. } if key.asset == AssetId::EURO => {
                let known = KnownBalance {
                    free: balance.available().ok()?,
                    as_of_ms: 0,
                };
                Some((tag.as_slice().to_vec(), encode(&known)))
            }
            _ => None,
        });
        let generation = self.stream_version(Stream::Config).generation;
        let version = Version {
            generation,
            rev: view.last_no.max(1),
        };
        self.streams.insert(
            Stream::Balances,
            Copy {
                version,
                items: items.collect(),
            },
        );
        self.pending.dirty = Some(BTreeSet::new());
        Ok(())
    }

    /// Makes a new step of the balances stream from what changed since the last one. Gives whether there is one.
    pub fn refresh_balances(&mut self, now_ms: u64) -> Result<bool, EngineError> {
        let Some(dirty) = self
            .pending
            .dirty
            .as_mut()
            .map(std::mem::take)
            .filter(|dirty| !dirty.is_empty())
        else {
            return Ok(false);
        };
        let event = self.current.event.clone();
        let needs = ledger::Needs {
            accounts: dirty
                .iter()
                .map(|tag| festival::authorise::money(&event, *tag))
                .collect(),
            ..ledger::Needs::default()
        };
        let view = self
            .store
            .load(&store::Need {
                ledger: needs,
                ..store::Need::default()
            })?
            .ledger;
        let changes: Vec<Change> = view
            .accounts
            .iter()
            .filter_map(|(key, balance)| match key.account {
                Account::Wristband { tag, .. } => {
                    let known = KnownBalance {
                        free: balance.available().ok()?,
                        as_of_ms: now_ms,
                    };
                    Some(Change {
                        key: Bytes(tag.as_slice().to_vec()),
                        value: Some(Bytes(encode(&known))),
                    })
                }
                _ => None,
            })
            .collect();
        let had = self.stream_version(Stream::Balances);
        let rev = view.last_no.max(had.rev.saturating_add(1));
        self.advance(Stream::Balances, Version { rev, ..had }, changes);
        Ok(true)
    }
}

fn put(copy: &mut Copy, changes: &[Change]) {
    for change in changes {
        match &change.value {
            Some(value) => copy.items.insert(change.key.0.clone(), value.0.clone()),
            None => copy.items.remove(&change.key.0),
        };
    }
}

/// Several steps as one: the last change of a key wins.
fn merge<'a>(steps: impl Iterator<Item = &'a [Change]>) -> Vec<Change> {
    let mut last: BTreeMap<&[u8], &Change> = BTreeMap::new();
    for change in steps.flatten() {
        last.insert(&change.key.0, change);
    }
    last.into_values().cloned().collect()
}

fn snapshot(signer: &dyn Signer, event: EventId, stream: Stream, copy: &Copy) -> Result<(Step, Vec<u8>), SignError> {
    let changes = copy.items.iter().map(|(key, value)| Change {
        key: Bytes(key.clone()),
        value: Some(Bytes(value.clone())),
    });
    sign_step(signer, event, stream, copy.version, None, &changes.collect())
}
