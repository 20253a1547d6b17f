//! Sending the journal: heads are signed when they are due or when sending waits for one, frames fill by themselves while the ones
//! before are on their way, and what is no longer in memory is read back.

use shared_protocol::chain::{SignedHead, head_message};
use shared_protocol::crypto::Hash32;
use shared_protocol::limits::WINDOW_ENTRIES;

use crate::Terminal;
use crate::book::Busy;
use crate::journal::{Chain, NextPush};
use crate::output::{Output, SignJob, StoredEntry};
use crate::screen::DeviceFault;
use crate::step::Step;
use crate::sync::{RESEND_MS, RETRY_MS, Signing};

/// Frames of entries that may be under way.
const FRAMES_MAX: usize = 2;
/// While a frame is under way the next one waits for this many entries, or for the acknowledgement.
const FRAME_ENTRIES: u64 = 16;
/// What a push has besides its entries: ids, hashes, a signature, lengths.
const PUSH_OVERHEAD_BYTES: usize = 512;

impl Terminal {
    /// Signs what has to be signed.
    pub(crate) fn sign_heads(&mut self, step: &mut Step<'_>) {
        let now_ms = step.now.mono_ms;
        if self.head_job.is_some() || self.head_retry_ms.is_some_and(|at| now_ms < at) {
            return;
        }
        self.head_retry_ms = None;
        let idle = self.link.frames.is_empty();
        let sends = self.may_push() && self.link.frames.len() < FRAMES_MAX;
        let due = self.journal.iter().find_map(|chain| {
            let waiting = sends && (idle || chain.unsigned() >= FRAME_ENTRIES);
            chain
                .due_head(now_ms, waiting)
                .map(|(seq, hash)| (chain.start().epoch, seq, hash))
        });
        if let Some((epoch, seq, hash)) = due {
            self.sign_head(step, epoch, seq, hash);
        }
    }

    fn sign_head(&mut self, step: &mut Step<'_>, epoch: u32, seq: u64, hash: Hash32) {
        let Some(terminal) = self.terminal_id() else { return };
        self.head_job = Some(SignJob(self.next_job));
        self.sign(
            step,
            Signing::Head { epoch, seq, hash },
            head_message(terminal, epoch, seq, &hash),
        );
    }

    /// When the next head has to be signed.
    pub(crate) fn head_due_ms(&self) -> Option<u64> {
        if self.head_job.is_some() {
            return None;
        }
        let due = self.journal.iter().filter_map(Chain::head_due_at_ms).min();
        due.map(|due| due.max(self.head_retry_ms.unwrap_or(0)))
    }

    fn may_push(&self) -> bool {
        self.is_live() && self.link.paused_until_ms.is_none()
    }

    /// Sends what may be sent.
    pub(crate) fn push(&mut self, step: &mut Step<'_>) {
        let now_ms = step.now.mono_ms;
        self.fetch_retry_ms = self.fetch_retry_ms.filter(|at| now_ms < *at);
        while self.may_push() && self.link.frames.len() < FRAMES_MAX {
            let under_way = !self.link.frames.is_empty();
            if under_way && matches!(self.busy, Busy::Asking(_)) {
                return;
            }
            let in_flight: u64 = self
                .journal
                .iter()
                .map(|chain| chain.sent.saturating_sub(chain.acked()))
                .sum();
            let room = u64::from(self.link.window).saturating_sub(in_flight);
            // The oldest epoch first: what follows hangs on its end.
            let Some(chain) = self.journal.iter_mut().find(|chain| chain.waiting() > 0) else {
                return;
            };
            if under_way && chain.waiting() < FRAME_ENTRIES {
                return;
            }
            let epoch = chain.start().epoch;
            let bytes_max = self.link.max_frame.saturating_sub(PUSH_OVERHEAD_BYTES);
            match chain.next_push(u32::try_from(room).unwrap_or(u32::MAX), bytes_max) {
                NextPush::Frame(push, last) => {
                    chain.sent = last;
                    self.link.frames.push_back((epoch, last));
                    self.link.resend_at_ms.get_or_insert(now_ms.saturating_add(RESEND_MS));
                    self.send(step, *push);
                }
                NextPush::Sign(seq, hash) => {
                    if self.head_job.is_none() && self.head_retry_ms.is_none_or(|at| now_ms >= at) {
                        self.sign_head(step, epoch, seq, hash);
                    }
                    return;
                }
                NextPush::Fetch(from_seq) => {
                    if !self.fetching && self.fetch_retry_ms.is_none() {
                        self.fetching = true;
                        let entries_max = WINDOW_ENTRIES;
                        step.out.push(Output::Fetch {
                            epoch,
                            from_seq,
                            entries_max,
                        });
                    }
                    return;
                }
                NextPush::Nothing => return,
            }
        }
    }

    pub(crate) fn fetched(
        &mut self,
        step: &Step<'_>,
        epoch: u32,
        previous: Option<Hash32>,
        entries: Vec<StoredEntry>,
        heads: Vec<SignedHead>,
    ) {
        self.fetching = false;
        let Some(chain) = self.journal.iter_mut().find(|chain| chain.start().epoch == epoch) else {
            return;
        };
        if chain.fetched(previous, entries, heads) {
            self.fault = self.fault.filter(|fault| *fault != DeviceFault::Queue);
        } else {
            self.fault = Some(DeviceFault::Queue);
            self.fetch_retry_ms = Some(step.now.mono_ms.saturating_add(RETRY_MS));
        }
    }
}
