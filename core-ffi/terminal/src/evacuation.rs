//! The own journal on its way to another device, when the network is gone for good or the battery is: what the shell has to copy, and up to
//! where a copy is in other hands.

use serde::{Deserialize, Serialize};

use shared_protocol::chain::EpochStart;
use shared_protocol::message::Certificate;
use shared_protocol::{TerminalId, decode, encode};

use crate::Terminal;
use crate::journal::Chain;
use crate::output::{MetaKey, Write};
use crate::screen::{Notice, Unsent};
use crate::step::Step;

/// What of a journal the server lacks, for the shell to read from the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evacuable {
    /// Whose it is.
    pub terminal: TerminalId,
    /// Its certificate.
    pub certificate: Certificate,
    /// Epochs with something that the server lacks, oldest first.
    pub epochs: Vec<EvacuableEpoch>,
}

/// What the server lacks of one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvacuableEpoch {
    /// The epoch, with its root.
    pub start: EpochStart,
    /// The first entry that it lacks.
    pub from_seq: u64,
    /// The last entry.
    pub to_seq: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct UpTo {
    epoch: u32,
    seq: u64,
}

/// Up to where a copy of the journal is on another device.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evacuated {
    /// The copy that was made last; whether somebody has it is not known.
    made: Vec<UpTo>,
    taken: Vec<UpTo>,
}

impl Evacuated {
    pub fn restored(saved: Option<&Vec<u8>>) -> Self {
        Self {
            made: Vec::new(),
            taken: saved.and_then(|bytes| decode(bytes).ok()).unwrap_or_default(),
        }
    }

    pub fn copied(&mut self, up_to: Vec<(u32, u64)>) {
        self.made = up_to.into_iter().map(|(epoch, seq)| UpTo { epoch, seq }).collect();
    }

    fn has(&self, (epoch, seq): (u32, u64)) -> bool {
        self.taken.iter().any(|taken| taken.epoch == epoch && taken.seq >= seq)
    }
}

impl Terminal {
    /// What has to be copied so that another device can bring it to the server; none when the server has everything.
    pub fn evacuable(&self) -> Option<Evacuable> {
        let identity = self.identity.as_ref().filter(|_| !self.training)?;
        let lacking = self.journal.iter().filter(|chain| chain.unacked() > 0);
        let epoch = |chain: &Chain| EvacuableEpoch {
            start: chain.start(),
            from_seq: chain.acked() + 1,
            to_seq: chain.last_seq(),
        };
        let epochs: Vec<EvacuableEpoch> = lacking.map(epoch).collect();
        (!epochs.is_empty()).then(|| Evacuable {
            terminal: identity.registration.terminal,
            certificate: identity.certificate.clone(),
            epochs,
        })
    }

    /// Somebody has the copy that was made last.
    pub(crate) fn copy_taken(&mut self, step: &mut Step<'_>) {
        let made = std::mem::take(&mut self.evacuated.made);
        if !made.is_empty() {
            self.evacuated.taken = made;
            let write = Write::Meta {
                key: MetaKey::Evacuated,
                value: Some(encode(&self.evacuated.taken)),
            };
            self.store.later(write, step.now.mono_ms);
            self.notify(step, Notice::None);
        }
    }

    /// Orders that are on this device and nowhere else.
    pub(crate) fn orders_nowhere_else(&self) -> Option<Unsent> {
        if self.training {
            return None;
        }
        self.history
            .unsent(|place| self.is_sent(place) || self.evacuated.has(place))
    }
}
