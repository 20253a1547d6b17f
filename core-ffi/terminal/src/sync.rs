//! The terminal's side of the protocol: who it is, what it sends, what answers mean.
//!
//! Sending is go-back-N: after every (re)connection, gap or silence everything that is not acknowledged goes again; the server knows
//! what it has. Frames fill by themselves while the ones before are on their way. Questions of a waiting guest go first: while one is
//! open at most one frame of entries is under way.

use shared_protocol::chain::{EpochStart, SignedHead};
use shared_protocol::crypto::{Hash32, Signature};
use shared_protocol::ids::Bytes;
use shared_protocol::limits::{FRAME_FROM_SERVER_MAX_BYTES, RECONNECT_MAX_MS};
use shared_protocol::message::{
    Ack, Bye, Challenge, Error, ErrorCode, Fork, FrameError, Gap, Hello, HelloBody, Message, PROTOCOL_MAX,
    PROTOCOL_MIN, Pong, Welcome, hello_message,
};
use shared_protocol::{OrderId, TerminalId, encode};

use crate::Terminal;
use crate::book::Busy;
use crate::journal::Chain;
use crate::link::Phase;
use crate::output::{LinkId, MetaKey, Output, SignJob, Write};
use crate::screen::{DeviceFault, RegistrationRefusal};
use crate::step::Step;
use crate::store::Then;

/// Without an acknowledgement for this long everything is sent again.
pub(crate) const RESEND_MS: u64 = 10_000;
/// A key or a queue that failed is tried again after this.
pub(crate) const RETRY_MS: u64 = 2_000;
/// What a window of zero opens to when its time is over; the next acknowledgement says more.
const WINDOW_AFTER_PAUSE: u32 = 64;
/// The wait after a window of zero that names none.
const PAUSE_MS: u64 = 1_000;
/// Gaps in a row after which the connection is given up, with its growing wait.
const GAPS_MAX: u32 = 3;

/// What a signature is for.
#[derive(Debug, Clone)]
pub(crate) enum Signing {
    Hello { link: LinkId, body: Vec<u8> },
    Register,
    Head { epoch: u32, seq: u64, hash: Hash32 },
    Slip { order: OrderId },
}

impl Terminal {
    pub(crate) fn is_live(&self) -> bool {
        self.link.phase == Phase::Live
    }

    /// Sends a message on the connection, if there is one.
    pub(crate) fn send(&mut self, step: &mut Step<'_>, message: impl Into<Message>) {
        if self.link.is_open() {
            step.out.push(Output::Send {
                link: self.link.id,
                frame: message.into().frame(),
            });
        }
    }

    pub(crate) fn sign(&mut self, step: &mut Step<'_>, what: Signing, message: Vec<u8>) {
        let job = SignJob(self.next_job);
        self.next_job += 1;
        self.signing.insert(job, what);
        step.out.push(Output::Sign { job, message });
    }

    pub(crate) fn terminal_id(&self) -> Option<TerminalId> {
        self.identity.as_ref().map(|identity| identity.registration.terminal)
    }

    /// Opens the connection when it is time to, and gives up one that is dead.
    pub(crate) fn mind_the_link(&mut self, step: &mut Step<'_>) {
        let now_ms = step.now.mono_ms;
        if self.link.is_dead(now_ms) {
            self.hang_up(step);
        }
        match self.link.phase {
            Phase::Down { retry_at_ms } if now_ms >= retry_at_ms => self.connect(step),
            Phase::Live => {
                if self.link.resend_at_ms.is_some_and(|at| now_ms >= at) {
                    self.rewind();
                }
                if self.link.paused_until_ms.is_some_and(|until| now_ms >= until) {
                    self.link.paused_until_ms = None;
                    self.link.window = self.link.window.max(WINDOW_AFTER_PAUSE);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn connect(&mut self, step: &mut Step<'_>) {
        if self.training {
            self.link.phase = Phase::Idle;
            return;
        }
        let link = self.link.open(step.now.mono_ms);
        step.out.push(Output::Connect(link));
    }

    pub(crate) fn reconnect_now(&mut self, step: &mut Step<'_>) {
        if self.link.is_open() {
            step.out.push(Output::Disconnect(self.link.id));
            self.link_is_gone(step);
        }
        self.connect(step);
    }

    /// Closes the connection; the next one comes after a while.
    pub(crate) fn hang_up(&mut self, step: &mut Step<'_>) {
        step.out.push(Output::Disconnect(self.link.id));
        self.link_is_gone(step);
    }

    fn link_is_gone(&mut self, step: &mut Step<'_>) {
        self.link.lost(step);
        self.streams.link_is_lost();
        self.handovers.link_is_lost();
        self.rewind();
        self.signing
            .retain(|_, what| matches!(what, Signing::Head { .. } | Signing::Slip { .. }));
        if self.identity.is_none() && self.registrar.invitation.is_none() {
            self.link.phase = Phase::Idle;
        }
        if matches!(self.busy, Busy::Asking(_)) {
            self.stop_asking(step);
        }
        self.stop_asking_what_is_owed(step);
    }

    /// Everything that is not acknowledged is to be sent again.
    fn rewind(&mut self) {
        self.journal.iter_mut().for_each(Chain::rewind);
        self.link.frames.clear();
        self.link.resend_at_ms = None;
    }

    pub(crate) fn connected(&mut self, step: &mut Step<'_>, link: LinkId) {
        if link == self.link.id && self.link.phase == Phase::Connecting {
            self.link.go(Phase::Greeting, step.now.mono_ms);
        }
    }

    pub(crate) fn disconnected(&mut self, step: &mut Step<'_>, link: LinkId) {
        if link == self.link.id && self.link.is_open() {
            self.link_is_gone(step);
        }
    }

    pub(crate) fn frame(&mut self, step: &mut Step<'_>, link: LinkId, bytes: &[u8]) {
        if link != self.link.id || !self.link.is_open() {
            return;
        }
        self.link.heard(step.now.mono_ms);
        match Message::read(bytes, FRAME_FROM_SERVER_MAX_BYTES) {
            Ok(message) => self.message(step, message),
            // A later server's business; what this version needs does not depend on it.
            Err(FrameError::UnsupportedKind(_)) => {}
            Err(FrameError::Decode(_)) => self.hang_up(step),
        }
    }

    fn message(&mut self, step: &mut Step<'_>, message: Message) {
        match (self.link.phase, message) {
            (Phase::Connecting | Phase::Greeting, Message::Challenge(challenge)) => self.challenged(step, &challenge),
            (Phase::Proving, Message::Welcome(welcome)) => self.welcomed(step, &welcome),
            (_, Message::Error(error)) => self.server_error(step, &error),
            (Phase::Registering, Message::RegisterPending(pending)) => self.registration_pending(pending.code),
            (Phase::Registering, Message::Registered(answer)) => self.registered(step, answer),
            (Phase::Live, message) => self.live_message(step, message),
            _ => {}
        }
    }

    fn live_message(&mut self, step: &mut Step<'_>, message: Message) {
        match message {
            Message::Ack(ack) => self.acknowledged(step, &ack),
            Message::Gap(gap) => self.gap(step, &gap),
            Message::Fork(fork) => self.forked(step, &fork),
            Message::Ping(ping) => {
                self.clock.heard(step.now, ping.server_ms);
                let (epoch, next_seq) = self
                    .journal
                    .last()
                    .map_or((0, 1), |chain| (chain.start().epoch, chain.last_seq() + 1));
                let (mono_ms, wall_ms) = (step.now.mono_ms, step.now.wall_ms);
                self.send(
                    step,
                    Pong {
                        no: ping.no,
                        epoch,
                        next_seq,
                        mono_ms,
                        wall_ms,
                        battery_percent: None,
                    },
                );
            }
            Message::QueryResult(answer) => self.queried(step, &answer),
            Message::AuthoriseResult(answer) => self.authorised(step, answer),
            Message::SnapshotBegin(begin) => self.snapshot_begins(begin.step),
            Message::SnapshotChunk(chunk) => self.snapshot_goes_on(&chunk),
            Message::SnapshotEnd(end) => self.snapshot_ends(step, end.stream),
            Message::Delta(delta) => self.update(step, delta.step, delta.changes.0),
            Message::Command(told) => self.told(step, &told),
            Message::HandoverAck(ack) => self.handed_over(step, &ack),
            // The TSE start of a cart is the server's; that it is recorded changes nothing here. The rest is not for a terminal.
            _ => {}
        }
    }

    fn challenged(&mut self, step: &mut Step<'_>, challenge: &Challenge) {
        self.clock.begin_link(step.now);
        self.clock.heard(step.now, challenge.server_ms);
        if challenge.proto_min > PROTOCOL_MAX || challenge.proto_max < PROTOCOL_MIN {
            self.link.refused = Some(ErrorCode::Version);
            self.hang_up(step);
            return;
        }
        if self.incarnation.is_some_and(|before| before != challenge.incarnation) {
            self.knowledge.forget();
        }
        self.incarnation = Some(challenge.incarnation);
        let now_ms = step.now.mono_ms;
        if self.identity.is_some() {
            self.link.go(Phase::Proving, now_ms);
            self.say_hello(step, &challenge.nonce);
        } else if self.registrar.invitation.is_some() {
            self.link.go(Phase::Registering, now_ms);
            self.prove_for_registration(step, &challenge.nonce);
        } else {
            self.hang_up(step);
        }
    }

    fn say_hello(&mut self, step: &mut Step<'_>, nonce: &Hash32) {
        let (Some(identity), Some(chain)) = (&self.identity, self.journal.last()) else {
            return;
        };
        let body = encode(&HelloBody {
            proto_min: PROTOCOL_MIN,
            proto_max: PROTOCOL_MAX,
            app: self.setup.app.clone(),
            terminal: identity.registration.terminal,
            epoch: chain.start(),
            next_seq: chain.last_seq() + 1,
            head: chain.head(),
            cursors: self.streams.cursors(&self.setup.streams),
            boot: self.boot,
            mono_ms: step.now.mono_ms,
            wall_ms: step.now.wall_ms,
            certificate: identity.certificate.clone(),
        });
        self.link.hello_epoch = chain.start().epoch;
        let message = hello_message(nonce, &body);
        self.sign(
            step,
            Signing::Hello {
                link: self.link.id,
                body,
            },
            message,
        );
    }

    pub(crate) fn signed(&mut self, step: &mut Step<'_>, job: SignJob, signature: Signature) {
        match self.signing.remove(&job) {
            Some(Signing::Hello { link, body }) if link == self.link.id && self.link.phase == Phase::Proving => {
                self.send(
                    step,
                    Hello {
                        body: Bytes(body),
                        signature,
                    },
                );
            }
            Some(Signing::Register) if self.link.phase == Phase::Registering => self.send_registration(step, signature),
            Some(Signing::Head { epoch, seq, hash }) => {
                self.head_job = None;
                self.fault = self.fault.filter(|fault| *fault != DeviceFault::Key);
                let head = SignedHead {
                    epoch,
                    seq,
                    hash,
                    signature,
                };
                let chain = self.journal.iter_mut().find(|chain| chain.start().epoch == epoch);
                if let Some(chain) = chain.filter(|chain| chain.hash_at(seq) == Some(hash)) {
                    chain.signed(head.clone(), step.now.mono_ms);
                    self.store.later(Write::Head(head), step.now.mono_ms);
                }
            }
            Some(Signing::Slip { order }) => self.slip_signed(step.now, order, signature),
            _ => {}
        }
    }

    pub(crate) fn sign_failed(&mut self, step: &mut Step<'_>, job: SignJob) {
        match self.signing.remove(&job) {
            Some(Signing::Head { .. }) => {
                self.head_job = None;
                self.head_retry_ms = Some(step.now.mono_ms.saturating_add(RETRY_MS));
                self.fault = Some(DeviceFault::Key);
            }
            Some(Signing::Hello { link, .. }) if link == self.link.id => {
                self.fault = Some(DeviceFault::Key);
                self.hang_up(step);
            }
            Some(Signing::Register) => self.registration_refused(step, RegistrationRefusal::Key),
            Some(Signing::Slip { .. }) => self.slip_failed(step.now),
            _ => {}
        }
    }

    fn welcomed(&mut self, step: &mut Step<'_>, welcome: &Welcome) {
        let now_ms = step.now.mono_ms;
        self.clock.heard(step.now, welcome.server_ms);
        self.link.go(Phase::Live, now_ms);
        self.link.window = welcome.window.max(1);
        self.link.max_frame = usize::try_from(welcome.max_frame)
            .unwrap_or(usize::MAX)
            .min(self.link.max_frame);
        self.rewind();
        self.mind_the_incarnation(step);
        let named = self.link.hello_epoch;
        if let Some(chain) = self.journal.iter_mut().find(|chain| chain.start().epoch == named)
            && chain.server_has(welcome.durable_seq, welcome.durable_head)
        {
            let acked = chain.acked();
            self.watermark_moved(step, named, acked);
        }
        self.welcomed_as(step, welcome.state);
        if let Some(epoch) = welcome.new_epoch {
            self.epoch_granted(epoch);
        }
        if let Some(offset) = self.clock.offset_ms(step.now) {
            let write = Write::Meta {
                key: MetaKey::Clock,
                value: Some(encode(&offset)),
            };
            self.store.later(write, now_ms);
        }
    }

    /// The server has all up to `seq`, for the first time or, after it was restored, again only up to there.
    fn watermark_moved(&mut self, step: &Step<'_>, epoch: u32, seq: u64) {
        self.exposure.acknowledge(epoch, seq, self.clock.server_ms(step.now));
        self.store.later(Write::Acked { epoch, seq }, step.now.mono_ms);
        let newest = self.journal.last().map(|chain| chain.start().epoch);
        self.put_past_epochs_away(newest);
    }

    /// An epoch that is over and all on the server leaves memory, but for where it ends.
    fn put_past_epochs_away(&mut self, newest: Option<u32>) {
        let over = |chain: &mut Chain| Some(chain.start().epoch) != newest && chain.unacked() == 0;
        for mut chain in self.journal.extract_if(.., over) {
            chain.forget_entries();
            self.past.push(chain);
        }
    }

    /// A server in another life of its database may lack what was acknowledged before, also of epochs that are long over; and who acknowledged
    /// it may not have been the server at all. So everything counts as unsent until this life has said what it has; what it has and is sent
    /// again it answers as a repetition.
    fn mind_the_incarnation(&mut self, step: &Step<'_>) {
        let Some(incarnation) = self.incarnation.filter(|now| self.watermarks_of != Some(*now)) else {
            return;
        };
        let now_ms = step.now.mono_ms;
        let past = std::mem::take(&mut self.past);
        self.journal.extend(past.iter().map(Chain::unsent_again));
        for chain in &mut self.journal {
            chain.resend_from(1);
            let epoch = chain.start().epoch;
            self.store.later(Write::Acked { epoch, seq: 0 }, now_ms);
        }
        self.journal.sort_by_key(|chain| chain.start().epoch);
        self.watermarks_of = Some(incarnation);
        let value = Some(encode(&incarnation));
        self.store.later(
            Write::Meta {
                key: MetaKey::Incarnation,
                value,
            },
            now_ms,
        );
    }

    fn acknowledged(&mut self, step: &mut Step<'_>, ack: &Ack) {
        let now_ms = step.now.mono_ms;
        self.link.window = ack.window;
        if ack.window == 0 {
            let pause_ms = ack.retry_after_ms.map_or(PAUSE_MS, u64::from);
            self.link.paused_until_ms = Some(now_ms.saturating_add(pause_ms));
        } else {
            self.link.paused_until_ms = None;
        }
        let Some(chain) = self.journal.iter_mut().find(|chain| chain.start().epoch == ack.epoch) else {
            return;
        };
        let moved = chain.acknowledge(ack.durable_seq);
        let acked = chain.acked();
        self.link.acknowledged(ack.epoch, acked);
        while self
            .link
            .frames
            .front()
            .is_some_and(|(epoch, last)| *epoch < ack.epoch || *epoch == ack.epoch && *last <= acked)
        {
            self.link.frames.pop_front();
        }
        self.link.resend_at_ms = (!self.link.frames.is_empty()).then(|| now_ms.saturating_add(RESEND_MS));
        if moved {
            self.watermark_moved(step, ack.epoch, acked);
        }
    }

    fn gap(&mut self, step: &mut Step<'_>, gap: &Gap) {
        self.link.gaps += 1;
        if self.link.gaps > GAPS_MAX {
            // Server and terminal do not agree where the journal is; sending it in circles helps nobody.
            self.link.leave_alone(RECONNECT_MAX_MS);
            self.hang_up(step);
            return;
        }
        self.rewind();
        let Some(chain) = self.journal.iter_mut().find(|chain| chain.start().epoch == gap.epoch) else {
            return;
        };
        let before = chain.acked();
        chain.resend_from(gap.expected_seq);
        let acked = chain.acked();
        if acked < before {
            self.store.later(
                Write::Acked {
                    epoch: gap.epoch,
                    seq: acked,
                },
                step.now.mono_ms,
            );
        }
    }

    fn forked(&mut self, step: &mut Step<'_>, fork: &Fork) {
        self.epoch_granted(fork.new_epoch);
        self.switch_epoch(step);
    }

    fn epoch_granted(&mut self, epoch: EpochStart) {
        let newest = self.journal.last().map_or(0, |chain| chain.start().epoch);
        if epoch.epoch > newest {
            self.granted_epoch = Some(epoch);
        }
    }

    /// Begins the epoch that the server granted, when the journal is free. What the one before still has goes on being sent.
    pub(crate) fn switch_epoch(&mut self, step: &mut Step<'_>) {
        if !self.store.journal_is_free(step.now.mono_ms) {
            return;
        }
        // Welcome and fork may both name it, and the second one may come while the first is being written.
        let newest = self.journal.last().map_or(0, |chain| chain.start().epoch);
        if let Some(epoch) = self.granted_epoch.take().filter(|epoch| epoch.epoch > newest) {
            self.store
                .persist(step, Vec::new(), vec![Write::Epoch(epoch)], Then::Epoch(epoch));
        }
    }

    pub(crate) fn epoch_is_durable(&mut self, epoch: EpochStart) {
        if let Some(terminal) = self.terminal_id() {
            self.put_past_epochs_away(None);
            self.journal.push(Chain::new(terminal, epoch));
        }
    }

    fn server_error(&mut self, step: &mut Step<'_>, error: &Error) {
        let retry_after_ms = error.retry_after_ms.map(u64::from);
        match error.code {
            ErrorCode::Registration if self.link.phase == Phase::Registering => {
                self.registration_refused(step, RegistrationRefusal::Server);
                return;
            }
            ErrorCode::Unavailable | ErrorCode::Overload if !error.fatal => {
                self.rewind();
                self.link.paused_until_ms = Some(step.now.mono_ms.saturating_add(retry_after_ms.unwrap_or(PAUSE_MS)));
                self.link.window = 0;
                if matches!(self.busy, Busy::Asking(_)) {
                    self.stop_asking(step);
                }
                self.stop_asking_what_is_owed(step);
            }
            _ => {}
        }
        if error.fatal || self.link.phase != Phase::Live {
            self.link.refused = Some(error.code);
            self.link.leave_alone(retry_after_ms.unwrap_or(0));
            self.hang_up(step);
        }
    }

    /// Entries that the server has not acknowledged.
    pub fn unsent(&self) -> u64 {
        self.journal.iter().map(Chain::unacked).sum()
    }

    /// Says goodbye: the program ends.
    pub(crate) fn stop(&mut self, step: &mut Step<'_>) {
        if self.is_live() {
            let unsent = self.unsent();
            self.send(step, Bye { unsent });
        }
        if self.link.is_open() {
            step.out.push(Output::Disconnect(self.link.id));
        }
        self.link.phase = Phase::Idle;
        self.store.flush(step);
    }
}
