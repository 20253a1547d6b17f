//! One connection to the server at a time: when to open it, how far it is, when it is dead.

use std::collections::VecDeque;

use shared_protocol::limits::{
    FRAME_FROM_TERMINAL_MAX_BYTES, PEER_DEAD_MS, RECONNECT_MAX_MS, RECONNECT_MIN_MS, WINDOW_ENTRIES,
};
use shared_protocol::message::ErrorCode;

use crate::output::LinkId;
use crate::step::Step;

/// How long a connection may take to come to its welcome.
const GREETING_MAX_MS: u64 = 15_000;
/// How long a person may take to confirm a registration before the device asks anew.
const CONFIRM_MAX_MS: u64 = 120_000;
/// A connection that lived this long was a good one: the next starts without a penalty.
const GOOD_AFTER_MS: u64 = 30_000;

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// None, and none wanted.
    Idle,
    /// None; the next one is opened then.
    Down { retry_at_ms: u64 },
    /// Being opened.
    Connecting,
    /// Open; the server's challenge is to come.
    Greeting,
    /// Answering the challenge.
    Proving,
    /// The device asked to be registered.
    Registering,
    /// Both know each other.
    Live,
}

/// The connection.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    pub id: LinkId,
    pub phase: Phase,
    /// By then something has to have been heard.
    deadline_ms: u64,
    attempts: u32,
    live_since_ms: Option<u64>,
    /// Since when there is no connection, by the wall clock.
    pub lost_since_ms: Option<u64>,
    /// Why the server does not want this terminal.
    pub refused: Option<ErrorCode>,
    /// The server wants to be left alone for so long.
    leave_alone_ms: u64,
    /// And until then it was asked to be.
    not_before_ms: u64,
    /// The epoch that the last Hello named.
    pub hello_epoch: u32,
    pub window: u32,
    pub max_frame: usize,
    /// Frames that are not acknowledged: epoch and last sequence.
    pub frames: VecDeque<(u32, u64)>,
    /// When the oldest of them is sent again.
    pub resend_at_ms: Option<u64>,
    pub paused_until_ms: Option<u64>,
    /// Gaps the server saw without progress in between.
    pub gaps: u32,
    /// The furthest that was acknowledged here: epoch and sequence. What is behind it, acknowledged once more, is no progress.
    furthest: (u32, u64),
}

impl Link {
    pub fn new() -> Self {
        Self {
            id: LinkId(0),
            phase: Phase::Idle,
            deadline_ms: 0,
            attempts: 0,
            live_since_ms: None,
            lost_since_ms: None,
            refused: None,
            leave_alone_ms: 0,
            not_before_ms: 0,
            hello_epoch: 0,
            window: WINDOW_ENTRIES,
            max_frame: FRAME_FROM_TERMINAL_MAX_BYTES,
            frames: VecDeque::new(),
            resend_at_ms: None,
            paused_until_ms: None,
            gaps: 0,
            furthest: (0, 0),
        }
    }

    pub fn is_open(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Down { .. })
    }

    /// Opens the next connection; gives its name.
    pub fn open(&mut self, now_ms: u64) -> LinkId {
        self.id = LinkId(self.id.0 + 1);
        self.phase = Phase::Connecting;
        self.deadline_ms = now_ms.saturating_add(GREETING_MAX_MS);
        self.frames.clear();
        self.resend_at_ms = None;
        self.paused_until_ms = None;
        self.gaps = 0;
        self.furthest = (0, 0);
        self.id
    }

    pub fn go(&mut self, phase: Phase, now_ms: u64) {
        self.phase = phase;
        let patience_ms = match phase {
            Phase::Live => PEER_DEAD_MS,
            Phase::Registering => CONFIRM_MAX_MS,
            _ => GREETING_MAX_MS,
        };
        self.deadline_ms = now_ms.saturating_add(patience_ms);
        if phase == Phase::Live {
            self.live_since_ms = Some(now_ms);
            self.lost_since_ms = None;
            self.refused = None;
        }
    }

    /// A frame came. Before the welcome it does not extend the patience: a server that talks and never welcomes is of no use.
    pub fn heard(&mut self, now_ms: u64) {
        if self.phase == Phase::Live {
            self.deadline_ms = now_ms.saturating_add(PEER_DEAD_MS);
        }
    }

    /// The server has everything up to this entry.
    pub fn acknowledged(&mut self, epoch: u32, seq: u64) {
        if (epoch, seq) > self.furthest {
            self.furthest = (epoch, seq);
            self.gaps = 0;
        }
    }

    pub fn leave_alone(&mut self, ms: u64) {
        self.leave_alone_ms = ms;
    }

    /// The connection is gone; the next one comes after a random while that grows with every failure (full jitter), so that two hundred
    /// terminals do not come back in the same moment.
    pub fn lost(&mut self, step: &mut Step<'_>) {
        let now = step.now;
        if self
            .live_since_ms
            .take()
            .is_some_and(|since| now.mono_ms.saturating_sub(since) >= GOOD_AFTER_MS)
        {
            self.attempts = 0;
        }
        self.attempts = self.attempts.saturating_add(1);
        let ceiling = RECONNECT_MIN_MS
            .saturating_mul(1 << self.attempts.min(16))
            .min(RECONNECT_MAX_MS);
        let jitter = step.below(ceiling - RECONNECT_MIN_MS + 1);
        let alone_ms = std::mem::take(&mut self.leave_alone_ms);
        self.not_before_ms = now.mono_ms.saturating_add(alone_ms);
        let wait_ms = (RECONNECT_MIN_MS + jitter).max(alone_ms);
        self.phase = Phase::Down {
            retry_at_ms: now.mono_ms.saturating_add(wait_ms),
        };
        self.lost_since_ms.get_or_insert(now.wall_ms);
    }

    /// The network may be back, or a person does not want to wait: the next connection comes at once, but not before the server allowed it.
    pub fn hurry(&mut self, now_ms: u64) {
        if let Phase::Down { retry_at_ms } = &mut self.phase {
            *retry_at_ms = (*retry_at_ms).min(self.not_before_ms.max(now_ms));
        }
    }

    /// When something has to be done about it.
    pub fn due_ms(&self) -> Option<u64> {
        match self.phase {
            Phase::Idle => None,
            Phase::Down { retry_at_ms } => Some(retry_at_ms),
            Phase::Connecting | Phase::Greeting | Phase::Proving | Phase::Registering => Some(self.deadline_ms),
            Phase::Live => [Some(self.deadline_ms), self.resend_at_ms, self.paused_until_ms]
                .into_iter()
                .flatten()
                .min(),
        }
    }

    pub fn is_dead(&self, now_ms: u64) -> bool {
        self.is_open() && now_ms >= self.deadline_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Now;

    fn wait_of(link: &mut Link, entropy: u8) -> u64 {
        let now = Now {
            mono_ms: 1_000,
            wall_ms: 5,
            entropy: [entropy; 32],
        };
        link.open(1_000);
        link.lost(&mut Step::new(&now));
        match link.phase {
            Phase::Down { retry_at_ms } => retry_at_ms - 1_000,
            other => panic!("{other:?} after a loss"),
        }
    }

    #[test]
    fn waiting_grows_with_failures_stays_in_its_bounds_and_differs_between_terminals() {
        let mut link = Link::new();
        let waits: Vec<u64> = (0..40).map(|entropy| wait_of(&mut link, entropy)).collect();
        assert!(
            waits
                .iter()
                .all(|wait| (RECONNECT_MIN_MS..=RECONNECT_MAX_MS).contains(wait))
        );
        assert!(waits[0] <= 1_000 && waits[1] <= 2_000);
        let late = &waits[10..];
        assert!(
            late.iter().max() > Some(&15_000) && late.iter().min() < Some(&10_000),
            "{late:?}"
        );
        assert_eq!(link.lost_since_ms, Some(5));
    }

    #[test]
    fn a_hurry_ends_a_wait_and_not_the_peace_that_a_server_asked_for() {
        let mut link = Link::new();
        wait_of(&mut link, 1);
        link.hurry(1_100);
        assert_eq!(link.due_ms(), Some(1_100));
        link.leave_alone(60_000);
        wait_of(&mut link, 1);
        link.hurry(1_100);
        assert_eq!(link.due_ms(), Some(61_000));
    }

    #[test]
    fn a_server_that_asks_to_be_left_alone_is_left_alone() {
        let mut link = Link::new();
        link.leave_alone(60_000);
        assert_eq!(wait_of(&mut link, 1), 60_000);
        assert!(wait_of(&mut link, 1) <= RECONNECT_MAX_MS);
    }
}
