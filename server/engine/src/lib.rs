//! Load, decide, commit: the one way every command that moves value goes, for terminals and for the console alike.
//!
//! [`Engine::process`] takes a batch of requests, loads what all of them need in one read, decides them in arrival order over one folded view, and
//! makes all effects durable in one commit; only then are there replies. What must never happen here: a rule of value (they are in `ledger`
//! and `festival`), a socket, a clock, or an acknowledgement of something that is not durable.

mod authorisations;
mod batch;
mod batches;
mod grants;
mod hello;
pub mod import;
pub mod intake;
mod office;
mod purses;
mod registrations;
mod request;
mod streams;

use std::collections::BTreeMap;
use std::sync::Arc;

use festival::registration::Slot;
use shared_protocol::config::{Config, ConfigError};
use shared_protocol::crypto::{PublicKey, SignError, Signer};
use shared_protocol::stream::{BlockReason, Copy, Stream, Version};
use shared_protocol::wristband::Batch;
use shared_protocol::{EventId, SessionId, SlotId, TagId, TerminalId};
use store::{Chain, Reader, Store, StoreError, TerminalNo, TerminalRow};

pub use batch::SIGNATURE_ATTEMPTS_MAX;
pub use intake::{CheckedEntry, CheckedPush, check_push};
pub use purses::CreditMaker;
pub use request::{BatchChange, Enrolment, Greeting, Known, PushReply, PushResult, Reply, Request, Settled};
pub use streams::{SignedStep, bootstrap};

use authorisations::Authorisations;

/// Why an engine cannot start or change its configuration.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The config key cannot sign.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The database has no configuration for this event yet.
    #[error("this database has no configuration for the event; publish one first")]
    NoConfig,
}

/// The one writer of an organisation's journal, for one event.
///
/// Invariant: what it keeps in memory is what the store has committed. A failed commit ends its life ([`Engine::failed`]).
pub struct Engine<S> {
    store: S,
    reader: Box<dyn Reader>,
    signer: Box<dyn Signer>,
    event: EventId,
    incarnation: u64,
    configs: BTreeMap<Version, Option<Arc<Config>>>,
    current: Arc<Config>,
    streams: BTreeMap<Stream, Copy>,
    blocked: BTreeMap<TagId, BlockReason>,
    batches: BTreeMap<u16, Batch>,
    credit_maker: Option<Box<dyn CreditMaker>>,
    terminals: BTreeMap<TerminalId, TerminalRow>,
    slots: BTreeMap<SlotId, Slot>,
    chains: BTreeMap<(TerminalNo, u32), Vec<Chain>>,
    announced: BTreeMap<TerminalNo, (u32, u64)>,
    session_days: BTreeMap<SessionId, batch::SessionDay>,
    /// How often entries came without a matching signature, by terminal, epoch and first sequence.
    unsigned: BTreeMap<(TerminalNo, u32, u64), u32>,
    holds: Authorisations,
    pending: streams::Streams,
    patience_ms: u64,
    failed: bool,
}

/// How long something may be missing on a purse's line before a case tells of it, unless the event says otherwise: tills are offline for a while.
pub const PATIENCE_MS: u64 = 30 * 60 * 1_000;

/// Sessions whose day is remembered. A festival has a few hundred a day; beyond this the oldest ids go.
const SESSION_DAYS_MAX: usize = 4_096;

impl<S: Store> Engine<S> {
    /// Takes over a store that has a configuration for `event`.
    pub fn open(store: S, event: EventId, signer: Box<dyn Signer>) -> Result<Self, EngineError> {
        let mut reader = store.reader()?;
        let config_stream = reader
            .stream(event, Stream::Config, None)?
            .ok_or(EngineError::NoConfig)?;
        let current = Arc::new(Config::read(&config_stream)?);
        let block_list = reader.stream(event, Stream::BlockList, None)?.unwrap_or_default();
        let blocked = streams::read_block_list(&block_list);
        let batch_stream = reader.stream(event, Stream::Batches, None)?.unwrap_or_default();
        let batches = streams::read_batches(&batch_stream);
        let terminals = reader.terminals()?.into_iter().map(|row| (row.id, row)).collect();
        let slots = reader.slots()?.into_iter().map(|slot| (slot.id, slot)).collect();
        let incarnation = reader
            .fact("incarnation")?
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, u64::from_be_bytes);
        Ok(Self {
            store,
            reader,
            signer,
            event,
            incarnation,
            configs: BTreeMap::from([(current.version, Some(Arc::clone(&current)))]),
            current,
            streams: BTreeMap::from([
                (Stream::Config, config_stream),
                (Stream::BlockList, block_list),
                (Stream::Batches, batch_stream),
            ]),
            blocked,
            batches,
            credit_maker: None,
            terminals,
            slots,
            chains: BTreeMap::new(),
            announced: BTreeMap::new(),
            session_days: BTreeMap::new(),
            unsigned: BTreeMap::new(),
            holds: Authorisations::default(),
            pending: streams::Streams::default(),
            patience_ms: PATIENCE_MS,
            failed: false,
        })
    }

    /// Batches of wristbands with a purse, by number.
    pub const fn batches(&self) -> &BTreeMap<u16, Batch> {
        &self.batches
    }

    /// The configuration in force.
    pub fn config(&self) -> &Arc<Config> {
        &self.current
    }

    /// The event this engine books.
    pub const fn event(&self) -> EventId {
        self.event
    }

    /// Which life of the database this is.
    pub const fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// The key all that comes down is signed with.
    pub fn config_key(&self) -> PublicKey {
        self.signer.public_key()
    }

    /// Whether a commit failed; the engine must be opened again on a store that was opened again.
    pub const fn failed(&self) -> bool {
        self.failed
    }

    /// All terminals, as they are committed.
    pub fn terminals(&self) -> impl Iterator<Item = &TerminalRow> {
        self.terminals.values()
    }

    /// The last sequence and epoch a terminal announced, and the last one that is durable in that epoch.
    pub fn unsent(&self, terminal: TerminalNo) -> Option<u64> {
        let (epoch, next_seq) = self.announced.get(&terminal)?;
        let chains = self.chains.get(&(terminal, *epoch))?;
        let durable = chains.iter().map(|chain| chain.last_seq).max().unwrap_or_default();
        Some(next_seq.saturating_sub(1).saturating_sub(durable))
    }

    /// How many authorisations stand.
    pub fn holds(&self) -> usize {
        self.holds.len()
    }

    /// Works on projections while nothing waits. Gives whether there is more to do.
    pub fn project(&mut self, rows_max: u64) -> Result<bool, StoreError> {
        let (projected, last) = self.store.project(rows_max)?;
        Ok(projected < last)
    }

    /// Another handle for reading.
    pub fn reader(&self) -> Result<Box<dyn Reader>, StoreError> {
        self.store.reader()
    }

    /// Gives the store back, for a clean end.
    pub fn into_store(self) -> S {
        self.store
    }

    /// The configuration of a version, if this database ever had it.
    fn config_at(&mut self, version: Version) -> Result<Option<Arc<Config>>, StoreError> {
        if let Some(known) = self.configs.get(&version) {
            return Ok(known.clone());
        }
        let copy = self
            .reader
            .stream(self.event, Stream::Config, Some(version))?
            .filter(|copy| copy.version == version);
        let config = copy.and_then(|copy| Config::read(&copy).ok()).map(Arc::new);
        self.configs.insert(version, config.clone());
        Ok(config)
    }
}
