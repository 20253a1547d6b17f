//! Configuration, block list and balances as they come down: signed by the event, applied whole or not at all, acknowledged when durable.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use shared_protocol::TagId;
use shared_protocol::config::Config;
use shared_protocol::limits::SNAPSHOT_MAX_BYTES;
use shared_protocol::message::{SnapshotChunk, SnapshotRequest, StreamAck};
use shared_protocol::stream::{Copy, Cursor, Step as StreamStep, StepError, Stream};

use crate::Terminal;
use crate::book::Busy;
use crate::output::Write;
use crate::screen::DeviceFault;
use crate::step::Step;
use crate::store::Then;

/// Complete updates that wait for the disk; with more a snapshot is asked for instead.
const WAITING_MAX: usize = 16;
/// A snapshot is asked for once in this time.
const ASK_AGAIN_MS: u64 = 10_000;

#[derive(Debug, Clone, Default)]
struct State {
    copy: Copy,
    incoming: Option<Incoming>,
    waiting: VecDeque<(StreamStep, Vec<u8>)>,
    /// An update is on its way to the disk.
    writing: bool,
    /// What is on the disk is not what is here: only a snapshot puts that right.
    broken: bool,
    asked_at_ms: Option<u64>,
}

/// A snapshot that is arriving.
#[derive(Debug, Clone)]
struct Incoming {
    step: StreamStep,
    next_chunk: u32,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Streams {
    states: BTreeMap<u8, State>,
    /// A configuration that waits until no cart is open, so that tiles and prices never move under a finger.
    next_config: Option<Arc<Config>>,
}

impl Streams {
    pub fn restored(copies: impl IntoIterator<Item = (Stream, Copy)>) -> Self {
        let state = |(stream, copy): (Stream, Copy)| {
            (
                stream.code(),
                State {
                    copy,
                    ..State::default()
                },
            )
        };
        Self {
            states: copies.into_iter().map(state).collect(),
            next_config: None,
        }
    }

    pub fn cursors(&self, wanted: &[Stream]) -> Vec<Cursor> {
        // A copy that is not on the disk as it is here counts as none: the server sends it whole.
        let whole = |stream: &Stream| self.states.get(&stream.code()).filter(|state| !state.broken);
        let version = |stream: &Stream| whole(stream).map(|state| state.copy.version).unwrap_or_default();
        wanted
            .iter()
            .map(|stream| Cursor {
                stream: *stream,
                version: version(stream),
            })
            .collect()
    }

    fn item(&self, stream: Stream, tag: TagId) -> Option<&[u8]> {
        self.states
            .get(&stream.code())?
            .copy
            .items
            .get(tag.as_slice())
            .map(Vec::as_slice)
    }

    pub fn block(&self, tag: TagId) -> Option<&[u8]> {
        self.item(Stream::BlockList, tag)
    }

    pub fn balance(&self, tag: TagId) -> Option<&[u8]> {
        self.item(Stream::Balances, tag)
    }

    pub fn purse(&self, tag: TagId) -> Option<&[u8]> {
        self.item(Stream::Purses, tag)
    }

    pub fn copy(&self, stream: Stream) -> Option<&Copy> {
        self.states.get(&stream.code()).map(|state| &state.copy)
    }

    pub fn config(&self) -> Option<Result<Arc<Config>, shared_protocol::config::ConfigError>> {
        let copy = &self.states.get(&Stream::Config.code())?.copy;
        Some(read_config(copy))
    }

    /// A connection ended: what was arriving never will.
    pub fn link_is_lost(&mut self) {
        for state in self.states.values_mut() {
            state.incoming = None;
            state.asked_at_ms = None;
        }
    }
}

fn read_config(copy: &Copy) -> Result<Arc<Config>, shared_protocol::config::ConfigError> {
    Config::read(copy).map(Arc::new)
}

impl Terminal {
    pub(crate) fn snapshot_begins(&mut self, begin: StreamStep) {
        let state = self.streams.states.entry(begin.stream.code()).or_default();
        let fits = usize::try_from(begin.size_bytes).is_ok_and(|size| size <= SNAPSHOT_MAX_BYTES);
        state.incoming = fits.then(|| Incoming {
            step: begin,
            next_chunk: 0,
            bytes: Vec::new(),
        });
    }

    pub(crate) fn snapshot_goes_on(&mut self, chunk: &SnapshotChunk) {
        let Some(state) = self.streams.states.get_mut(&chunk.stream.code()) else {
            return;
        };
        state.incoming = state.incoming.take().filter(|incoming| {
            let size = incoming.bytes.len().saturating_add(chunk.bytes.0.len());
            chunk.index == incoming.next_chunk && size as u64 <= incoming.step.size_bytes
        });
        if let Some(incoming) = &mut state.incoming {
            incoming.bytes.extend_from_slice(&chunk.bytes.0);
            incoming.next_chunk += 1;
        }
    }

    pub(crate) fn snapshot_ends(&mut self, step: &mut Step<'_>, stream: Stream) {
        let incoming = self
            .streams
            .states
            .get_mut(&stream.code())
            .and_then(|state| state.incoming.take());
        match incoming {
            Some(incoming) => self.update(step, incoming.step, incoming.bytes),
            None => self.ask_snapshot(step, stream),
        }
    }

    /// A complete update came.
    pub(crate) fn update(&mut self, step: &mut Step<'_>, update: StreamStep, payload: Vec<u8>) {
        let stream = update.stream;
        let state = self.streams.states.entry(stream.code()).or_default();
        if state.writing {
            if state.waiting.len() < WAITING_MAX {
                state.waiting.push_back((update, payload));
            } else {
                state.waiting.clear();
                self.ask_snapshot(step, stream);
            }
            return;
        }
        if state.broken && update.from_rev.is_some() {
            self.ask_snapshot(step, stream);
            return;
        }
        let Some(identity) = &self.identity else { return };
        let before = (stream == Stream::Config).then(|| state.copy.clone());
        match state
            .copy
            .apply(&identity.config_key, identity.registration.event, &update, &payload)
        {
            Ok(changes) => {
                if let Some(before) = before {
                    let Ok(config) = read_config(&state.copy) else {
                        state.copy = before;
                        self.fault = Some(DeviceFault::Config);
                        return;
                    };
                    self.streams.next_config = Some(config);
                    self.fault = self.fault.filter(|fault| *fault != DeviceFault::Config);
                }
                let Some(state) = self.streams.states.get_mut(&stream.code()) else {
                    return;
                };
                state.writing = true;
                state.broken = false;
                let write = Write::Stream {
                    stream,
                    version: update.to,
                    snapshot: update.from_rev.is_none(),
                    changes,
                };
                self.store.persist(step, Vec::new(), vec![write], Then::Stream(stream));
            }
            Err(StepError::Gap { .. }) => self.ask_snapshot(step, stream),
            // Forged, damaged, or older than what is here: nothing to do with it, and nothing to ask for.
            Err(_) => {}
        }
    }

    fn ask_snapshot(&mut self, step: &mut Step<'_>, stream: Stream) {
        let state = self.streams.states.entry(stream.code()).or_default();
        let now_ms = step.now.mono_ms;
        if state
            .asked_at_ms
            .is_none_or(|asked| now_ms >= asked.saturating_add(ASK_AGAIN_MS))
        {
            state.asked_at_ms = Some(now_ms);
            self.send(step, SnapshotRequest { stream });
        }
    }

    pub(crate) fn update_is_durable(&mut self, step: &mut Step<'_>, stream: Stream) {
        let Some(state) = self.streams.states.get_mut(&stream.code()) else {
            return;
        };
        state.writing = false;
        let (version, next) = (state.copy.version, state.waiting.pop_front());
        if stream == Stream::Batches {
            self.take_batches();
        }
        self.send(
            step,
            StreamAck {
                cursor: Cursor { stream, version },
            },
        );
        if let Some((update, payload)) = next {
            self.update(step, update, payload);
        }
    }

    pub(crate) fn update_failed(&mut self, step: &mut Step<'_>, stream: Stream) {
        if let Some(state) = self.streams.states.get_mut(&stream.code()) {
            state.writing = false;
            state.broken = true;
            state.waiting.clear();
        }
        self.ask_snapshot(step, stream);
    }

    /// Takes a new configuration into use when no cart is open.
    pub(crate) fn take_config(&mut self) {
        if self.cart.is_none()
            && matches!(self.busy, Busy::No)
            && let Some(config) = self.streams.next_config.take()
        {
            self.config = Some(config);
        }
    }
}
