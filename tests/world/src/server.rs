//! The server: the real sessions and the real engine over the reference store, in one process that can die at any event. The shell's part (who is
//! connected, who waits, what is queued) is played here the way the websocket server does it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use engine::{Engine, Known, Reply, Request};
use festival::registration::Slot;
use shared_protocol::config::Item;
use shared_protocol::crypto::{Hash32, PublicKey};
use shared_protocol::message::{CommandKind, ErrorCode};
use shared_protocol::stream::{Stream, Version};
use shared_protocol::{CommandId, SlotId, TerminalId};
use store::MemoryStore;
use store::memory::{MemoryReader, Snapshot};
use sync::session::{Output, Session, Ticket};

use crate::events::{ConnNo, Event};
use crate::faults::Kind;
use crate::server_disk::{CommitFault, FaultCell, ServerDisk, arm};
use crate::signing::Desk;
use crate::till::Key;
use crate::world::{EPOCH_MS, Plant, World};

/// Entries in one commit, as the writer has it.
const BATCH_ENTRIES_MAX: usize = 512;
/// A terminal has this long to say hello.
const GREETING_MS: u64 = 10_000;
/// How often balances go out. The real server does it every few seconds; a day of that would be most of the run.
const BALANCES_MS: u64 = 60_000;
/// Entries that may wait before terminals are asked to wait. The real queue is larger than all that a run has.
const BUSY_ENTRIES: usize = 2;
/// How often a person looks for a code on the device before giving up.
const CONFIRM_TRIES: u32 = 20;

/// Who gets an answer.
#[derive(Debug, Clone)]
enum ReplyTo {
    Session(ConnNo, Ticket),
    Confirm(SlotId),
    Signer,
    Nobody,
}

/// A session and what its shell keeps.
struct Served {
    session: Session,
    tick_planned_ms: Option<u64>,
}

/// What an earlier moment of the server's disk was.
pub(crate) struct Backup {
    pub at_ms: u64,
    snapshot: Snapshot,
    revisions: BTreeSet<Version>,
}

/// The server.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is another thing that a fault may have set, and any of them may be together"
)]
pub(crate) struct Server {
    disk: MemoryStore,
    fault: FaultCell,
    pub engine: Option<Engine<ServerDisk>>,
    pub key: Key,
    pub config_key: PublicKey,
    incarnation: u64,
    pub life: u32,
    sessions: BTreeMap<ConnNo, Served>,
    connected: BTreeMap<TerminalId, ConnNo>,
    waiting: BTreeMap<SlotId, ConnNo>,
    keys: BTreeMap<TerminalId, PublicKey>,
    urgent: VecDeque<(Request, ReplyTo)>,
    pushes: VecDeque<(Request, ReplyTo)>,
    replies: Vec<(ReplyTo, Option<Reply>)>,
    commit_planned: bool,
    replies_planned: bool,
    pub slow: bool,
    pub die_after_commit: bool,
    pub backups: Vec<Backup>,
    pub signing: Desk,
}

fn entries(request: &Request) -> usize {
    if let Request::Push(push) = request {
        push.entries.len()
    } else {
        0
    }
}

impl Server {
    /// A server with an event's first configuration.
    pub fn new(key: Key, items: &[Item], policy: fiscal::OutagePolicy) -> Result<Self, String> {
        let mut disk = MemoryStore::new(1);
        engine::bootstrap(&mut disk, fixtures::sample::EVENT, items).map_err(|error| error.to_string())?;
        let config_key = key.signer().public_key();
        let config = fixtures::sample::config_with_currencies();
        let signing = Desk::new(policy, &config);
        Ok(Self {
            disk,
            fault: FaultCell::default(),
            engine: None,
            key,
            config_key,
            incarnation: 1,
            life: 0,
            sessions: BTreeMap::new(),
            connected: BTreeMap::new(),
            waiting: BTreeMap::new(),
            keys: BTreeMap::new(),
            urgent: VecDeque::new(),
            pushes: VecDeque::new(),
            replies: Vec::new(),
            commit_planned: false,
            replies_planned: false,
            slow: false,
            die_after_commit: false,
            backups: Vec::new(),
            signing,
        })
    }

    pub fn is_up(&self) -> bool {
        self.engine.is_some()
    }

    pub fn has_session(&self, no: ConnNo) -> bool {
        self.sessions.contains_key(&no)
    }

    /// What is on the disk, for those who judge.
    pub fn reader(&self) -> MemoryReader {
        self.disk.memory_reader()
    }

    /// What still waits for anything.
    pub fn waiting(&self) -> usize {
        self.urgent.len() + self.pushes.len() + self.replies.len()
    }

    pub fn terminals(&self) -> Vec<TerminalId> {
        self.keys.keys().copied().collect()
    }

    /// The next commit does this.
    pub fn arm(&self, fault: CommitFault) {
        arm(&self.fault, Some(fault));
    }

    pub fn disarm(&mut self) {
        arm(&self.fault, None);
        self.die_after_commit = false;
        self.slow = false;
    }

    fn queued_entries(&self) -> usize {
        self.pushes.iter().map(|(request, _)| entries(request)).sum()
    }

    /// The next batch, what somebody waits for first.
    fn batch(&mut self) -> Vec<(Request, ReplyTo)> {
        let mut batch: Vec<_> = self.urgent.drain(..).collect();
        let mut count = 0;
        while let Some((request, _)) = self.pushes.front() {
            let more = entries(request);
            if count > 0 && count + more > BATCH_ENTRIES_MAX {
                break;
            }
            count += more;
            batch.extend(self.pushes.pop_front());
        }
        batch
    }
}

impl World {
    /// The server's process starts on what its disk holds.
    pub(crate) fn server_starts(&mut self) {
        if self.server.is_up() {
            return;
        }
        let disk = ServerDisk::new(self.server.disk.clone(), Arc::clone(&self.server.fault));
        match Engine::open(disk, fixtures::sample::EVENT, self.server.key.signer()) {
            Ok(engine) => {
                self.server.keys = engine.terminals().map(|row| (row.id, row.key.clone())).collect();
                self.server.incarnation = engine.incarnation();
                self.revisions.starts_with(engine.stream_version(Stream::Config));
                self.server.engine = Some(engine);
                self.batches_are_known();
                self.server.life += 1;
                let life = self.server.life;
                self.put(BALANCES_MS, Event::Balances { life });
                self.signer_starts();
                self.log.note(&["server starts", &life.to_string()]);
            }
            Err(error) => self.violation("I4", &format!("the server does not start again: {error}")),
        }
    }

    /// The server's process dies: what it knew is gone, what it committed is not.
    pub(crate) fn server_dies(&mut self, back_after_ms: u64) {
        if !self.server.is_up() {
            return;
        }
        if !self.server.replies.is_empty() {
            self.sometimes.reach("server_died_before_its_acknowledgements");
        }
        let server = &mut self.server;
        server.engine = None;
        server.signing.dies();
        server.sessions.clear();
        server.connected.clear();
        server.waiting.clear();
        server.urgent.clear();
        server.pushes.clear();
        server.replies.clear();
        server.commit_planned = false;
        server.replies_planned = false;
        self.server_falls_silent();
        self.log.note(&["server dies"]);
        self.put(back_after_ms, Event::ServerStart);
    }

    /// Makes a backup of the server's disk.
    pub(crate) fn server_backup(&mut self) {
        let snapshot = self.server.disk.snapshot();
        self.server.backups.push(Backup {
            at_ms: self.now_ms,
            snapshot,
            revisions: self.revisions.on_server(),
        });
        if self.server.backups.len() > 12 {
            self.server.backups.remove(0);
        }
    }

    /// The server's disk is lost; the last backups have to do. What was booked since comes back from the tills or not at all.
    pub(crate) fn server_restores(&mut self, index: usize) {
        let Some(backup) = self.server.backups.get(index) else {
            return;
        };
        let (snapshot, at_ms) = (backup.snapshot.clone(), backup.at_ms);
        self.revisions.restored(backup.revisions.clone());
        self.server_dies(5_000);
        self.server.disarm();
        self.server.incarnation += 1;
        self.server.signing.restored = true;
        self.server.disk.restore(&snapshot);
        self.server.disk.mark_restored(self.server.incarnation);
        self.server.backups.truncate(index + 1);
        self.log.note(&["server is restored", &at_ms.to_string()]);
        self.server_starts();
        let started = {
            let now_ms = EPOCH_MS + self.now_ms;
            self.server.engine.as_mut().map(|engine| engine.new_generation(now_ms))
        };
        if let Some(Err(error)) = started {
            self.violation("I4", &format!("no new generation after a restore: {error}"));
        }
        if let Some(engine) = &self.server.engine {
            let version = engine.stream_version(Stream::Config);
            self.revisions.new_generation(version, self.now_ms);
        }
        self.observe_restored_server();
    }

    fn with_session(&mut self, no: ConnNo, step: impl FnOnce(&mut Session, &sync::session::World<'_>) -> Vec<Output>) {
        let fresh_terminal = TerminalId(self.server_random.bytes());
        let Some(mut served) = self.server.sessions.remove(&no) else {
            return;
        };
        let keys = &self.server.keys;
        let key_of = |terminal: TerminalId| keys.get(&terminal).cloned();
        let world = sync::session::World {
            now_ms: EPOCH_MS + self.now_ms,
            config_key: &self.server.config_key,
            incarnation: self.server.incarnation,
            key_of: &key_of,
            fresh_terminal: &|| fresh_terminal,
            busy: self.server.slow && self.server.queued_entries() > BUSY_ENTRIES,
        };
        let outputs = step(&mut served.session, &world);
        if world.busy {
            self.sometimes.reach("window_closed_by_a_busy_server");
        }
        self.server.sessions.insert(no, served);
        self.act(no, outputs);
    }

    fn act(&mut self, no: ConnNo, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(frame) => {
                    let terminal = self
                        .server
                        .sessions
                        .get(&no)
                        .and_then(|served| served.session.terminal());
                    self.observe_server_frame(terminal, &frame);
                    self.send_down(no, frame);
                }
                Output::Submit(ticket, request) => self.queue(request, ReplyTo::Session(no, ticket)),
                Output::Entered(terminal) => {
                    let before = self.server.connected.insert(terminal, no);
                    if let Some(before) = before.filter(|before| *before != no && self.server.has_session(*before)) {
                        self.sometimes.reach("connection_replaced");
                        self.with_session(before, |session, _| session.on_close(ErrorCode::Replaced));
                    }
                }
                Output::Waiting(slot) => {
                    self.server.waiting.insert(slot, no);
                    let delay = self.server_random.between(3_000, 30_000);
                    self.put(
                        delay,
                        Event::Confirm {
                            slot,
                            tries: CONFIRM_TRIES,
                        },
                    );
                }
                Output::Cart(event) => self.server.signing.hears(event),
                Output::Log(..) => {}
                Output::CommandDone(_, done) => {
                    self.sometimes.reach(if done {
                        "command_carried_out"
                    } else {
                        "command_not_carried_out"
                    });
                }
                Output::Close => {
                    self.session_ends(no);
                    self.server_closes(no);
                }
            }
        }
        self.plan_tick(no);
    }

    fn plan_tick(&mut self, no: ConnNo) {
        let now_ms = self.now_ms;
        let Some(served) = self.server.sessions.get_mut(&no) else {
            return;
        };
        let at_ms = served.session.next_tick_ms().saturating_sub(EPOCH_MS).max(now_ms + 1);
        if served.tick_planned_ms.is_none_or(|planned| at_ms < planned) {
            served.tick_planned_ms = Some(at_ms);
            self.agenda.put(at_ms, Event::SessionTick { conn: no });
        }
    }

    pub(crate) fn session_begins(&mut self, no: ConnNo) {
        let nonce = Hash32(self.server_random.bytes());
        let key_of = |_: TerminalId| None;
        let world = sync::session::World {
            now_ms: EPOCH_MS + self.now_ms,
            config_key: &self.server.config_key,
            incarnation: self.server.incarnation,
            key_of: &key_of,
            fresh_terminal: &|| TerminalId([0; 16]),
            busy: false,
        };
        let (session, outputs) = Session::new(nonce, &world);
        self.server.sessions.insert(
            no,
            Served {
                session,
                tick_planned_ms: None,
            },
        );
        self.act(no, outputs);
        self.put(GREETING_MS, Event::GreetingOver { conn: no });
    }

    pub(crate) fn session_ends(&mut self, no: ConnNo) {
        if let Some(served) = self.server.sessions.remove(&no)
            && let Some(terminal) = served.session.terminal()
            && self.server.connected.get(&terminal) == Some(&no)
        {
            self.server.connected.remove(&terminal);
        }
    }

    pub(crate) fn session_frame(&mut self, no: ConnNo, frame: &[u8]) {
        if self.arrives_up(no) {
            self.with_session(no, |session, world| session.on_frame(frame, world));
        }
    }

    pub(crate) fn session_tick(&mut self, no: ConnNo) {
        let now_ms = self.now_ms;
        let due = self
            .server
            .sessions
            .get_mut(&no)
            .filter(|served| served.tick_planned_ms == Some(now_ms));
        if let Some(served) = due {
            served.tick_planned_ms = None;
            self.with_session(no, |session, world| session.on_tick(world.now_ms));
        }
    }

    pub(crate) fn greeting_over(&mut self, no: ConnNo) {
        let silent = |served: &Served| served.session.terminal().is_none() && !served.session.is_registering();
        if self.server.sessions.get(&no).is_some_and(silent) {
            self.with_session(no, |session, _| session.on_close(ErrorCode::Timeout));
        }
    }

    fn queue(&mut self, request: Request, to: ReplyTo) {
        if !self.server.is_up() {
            return;
        }
        let lane = if entries(&request) > 0 {
            &mut self.server.pushes
        } else {
            &mut self.server.urgent
        };
        lane.push_back((request, to));
        self.plan_commit();
    }

    fn plan_commit(&mut self) {
        if self.server.commit_planned || self.server.urgent.is_empty() && self.server.pushes.is_empty() {
            return;
        }
        self.server.commit_planned = true;
        let delay = if self.server.slow {
            self.server_random.between(800, 4_000)
        } else {
            self.server_random.between(1, 6)
        };
        let life = self.server.life;
        self.put(delay, Event::Commit { life });
    }

    /// What is queued is decided and committed. The answers leave a moment later: in between the server may die.
    pub(crate) fn commit(&mut self, life: u32) {
        if life != self.server.life || !self.server.is_up() {
            return;
        }
        self.server.commit_planned = false;
        let batch = self.server.batch();
        let (requests, replies_to): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        let now_ms = EPOCH_MS + self.now_ms;
        let before = self.plant_in_a_commit(&requests);
        let Some(engine) = self.server.engine.as_mut() else {
            return;
        };
        let blocks_before = engine.stream_version(Stream::BlockList);
        let answers = engine.process(now_ms, &requests);
        let blocks = engine.stream_version(Stream::BlockList);
        match answers {
            Ok(answers) => {
                for answer in &answers {
                    if let Reply::Hello(Some(greeting)) = answer {
                        self.server
                            .keys
                            .insert(greeting.terminal.id, greeting.terminal.key.clone());
                        if greeting.new_epoch.is_some() {
                            self.sometimes.reach("epoch_issued");
                        }
                    }
                    if let Reply::Register(Known::Registered { terminal, .. }) = answer {
                        self.server.keys.insert(terminal.id, terminal.key.clone());
                    }
                }
                self.server
                    .replies
                    .extend(replies_to.into_iter().zip(answers.into_iter().map(Some)));
                let begun = self.server.replies.iter().any(|(to, _)| matches!(to, ReplyTo::Signer));
                if let Some(snapshot) = before {
                    self.server.disk.restore(&snapshot);
                }
                self.observe_commit();
                if blocks != blocks_before {
                    self.stream_changed(Stream::BlockList);
                }
                if begun {
                    self.server.replies.retain(|(to, _)| !matches!(to, ReplyTo::Signer));
                    self.signer_goes_on();
                }
                self.plan_replies();
                self.plan_commit();
                if std::mem::take(&mut self.server.die_after_commit) {
                    self.count(Kind::KillAfterCommit);
                    self.server_dies(4_000);
                }
            }
            Err(error) => {
                self.sometimes.reach("commit_failed");
                self.log.note(&["commit fails", &error.to_string()]);
                self.observe_commit();
                for to in replies_to {
                    if let ReplyTo::Session(no, ticket) = to {
                        self.with_session(no, |session, _| session.on_failure(ticket));
                    }
                }
                // A writer that failed ends the process; what it could not acknowledge is sent again.
                self.server_dies(8_000);
            }
        }
    }

    /// For the proof that checkers can fail: a commit that is not what it says. Gives the disk to put back afterwards.
    fn plant_in_a_commit(&mut self, requests: &[Request]) -> Option<Snapshot> {
        let order =
            |entry: &engine::CheckedEntry| matches!(entry.content, Ok((_, shared_protocol::entry::Content::Order(_))));
        let orders = requests
            .iter()
            .any(|request| matches!(request, Request::Push(push) if push.entries.iter().any(order)));
        if !orders {
            return None;
        }
        if self.plants(Plant::DroppedBalance) {
            self.server.arm(CommitFault::DropBalance);
        }
        if self.plants(Plant::LyingDisk) {
            self.server.arm(CommitFault::Lie);
        }
        self.plants(Plant::AckBeforeCommit).then(|| self.server.disk.snapshot())
    }

    /// Projects everything, so that sums can be compared.
    pub(crate) fn project_all(&mut self) -> Result<(), String> {
        let Some(engine) = self.server.engine.as_mut() else {
            return Err("the server is not up".to_owned());
        };
        while engine.project(10_000).map_err(|error| error.to_string())? {}
        Ok(())
    }

    fn plan_replies(&mut self) {
        if !self.server.replies_planned && !self.server.replies.is_empty() {
            self.server.replies_planned = true;
            let (delay, life) = (self.server_random.below(3), self.server.life);
            self.put(delay, Event::Replies { life });
        }
    }

    pub(crate) fn replies(&mut self, life: u32) {
        if life != self.server.life {
            return;
        }
        self.server.replies_planned = false;
        for (to, reply) in std::mem::take(&mut self.server.replies) {
            match (to, reply) {
                (ReplyTo::Session(no, ticket), Some(reply)) => {
                    self.with_session(no, |session, world| session.on_reply(ticket, reply, world));
                }
                (ReplyTo::Session(no, ticket), None) => self.with_session(no, |session, _| session.on_failure(ticket)),
                (ReplyTo::Confirm(slot), Some(Reply::Register(known))) => {
                    if let Some(no) = self.server.waiting.remove(&slot) {
                        self.with_session(no, |session, world| session.on_confirmed(slot, known, world));
                    }
                }
                _ => {}
            }
        }
    }

    fn stream_changed(&mut self, stream: Stream) {
        let Some(version) = self.server.engine.as_ref().map(|engine| engine.stream_version(stream)) else {
            return;
        };
        let connected: Vec<ConnNo> = self.server.connected.values().copied().collect();
        for no in connected {
            self.with_session(no, |session, _| session.on_stream(stream, version));
        }
    }

    pub(crate) fn balances(&mut self, life: u32) {
        if life != self.server.life {
            return;
        }
        let now_ms = EPOCH_MS + self.now_ms;
        let Some(engine) = self.server.engine.as_mut() else {
            return;
        };
        match engine.refresh_balances(now_ms) {
            Ok(true) => self.stream_changed(Stream::Balances),
            Ok(false) => {}
            Err(error) => self.violation("I15", &format!("balances cannot be sent round: {error}")),
        }
        if self.server.engine.as_mut().is_some_and(engine::Engine::refresh_purses) {
            self.stream_changed(Stream::Purses);
        }
        if let Some(engine) = self.server.engine.as_mut()
            && let Err(error) = engine.project(64)
        {
            self.violation("I1", &format!("projections fail: {error}"));
        }
        self.put(BALANCES_MS, Event::Balances { life });
    }

    /// An admin publishes a configuration.
    pub(crate) fn publish(&mut self, items: &[Item]) {
        let Some(engine) = self.server.engine.as_mut() else {
            return;
        };
        let before = engine.stream_version(Stream::Config);
        if let Ok(version) = engine.publish(items) {
            self.revisions.published(version, items, self.now_ms);
            self.stream_changed(Stream::Config);
        } else {
            // A disk that fails under the admin ends the process like any other commit.
            self.revisions.failed(before, items, self.now_ms);
            self.server_dies(8_000);
        }
    }

    /// An admin asks for something.
    pub(crate) fn admin(&mut self, request: Request) {
        self.queue(request, ReplyTo::Nobody);
    }

    /// The signer's begin goes into the next commit; it goes on after that.
    pub(crate) fn queue_signing(&mut self, signing: store::Signing) {
        self.queue(Request::Sign(Box::new(signing)), ReplyTo::Signer);
    }

    pub(crate) fn open_slot(&mut self, slot: Slot) {
        self.admin(Request::OpenSlot(Box::new(slot)));
    }

    /// A person compares the code that the device shows with the one on the console.
    pub(crate) fn confirm(&mut self, slot: SlotId, tries: u32) {
        let Some(no) = self.server.waiting.get(&slot).copied() else {
            return;
        };
        let device = self.network.conns.get(&no).map(|conn| conn.device);
        match device.and_then(|device| self.code_shown(device)) {
            Some(code) => {
                let terminal = TerminalId(self.server_random.bytes());
                self.queue(Request::Confirm { slot, code, terminal }, ReplyTo::Confirm(slot));
            }
            None if tries > 0 => self.put(2_000, Event::Confirm { slot, tries: tries - 1 }),
            None => {}
        }
    }

    /// The server tells a terminal to do something, connected or not.
    pub(crate) fn command(&mut self, terminal: TerminalId, kind: CommandKind) {
        let command = CommandId(self.server_random.bytes());
        if let Some(no) = self.server.connected.get(&terminal).copied() {
            self.with_session(no, |session, _| session.command(command, kind));
        }
    }
}
