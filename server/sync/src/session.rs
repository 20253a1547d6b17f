//! One connection of a terminal, as a pure state machine.
//!
//! ```text
//!            Challenge sent
//!   Greeting ──Hello──▶ Entering ──Welcome sent──▶ Open ──▶ Closed
//!      └──Register──▶ Registering ──Registered sent──┘ (the device connects again and says hello)
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use engine::{Known, PushReply, PushResult, Reply, Request, check_push};
use shared_protocol::crypto::{Hash32, PublicKey, verify};
use shared_protocol::ids::Bytes;
use shared_protocol::limits::{
    FRAME_FROM_TERMINAL_MAX_BYTES, PEER_DEAD_MS, PING_INTERVAL_MS, SNAPSHOT_CHUNK_BYTES, TEXT_MAX_BYTES, WINDOW_ENTRIES,
};
use shared_protocol::message::{
    Ack, Challenge, Command, CommandKind, Delta, Error, ErrorCode, Fork, FrameError, Gap, HandoverAck, HandoverOutcome,
    Hello, HelloBody, Message, PROTOCOL_MAX, PROTOCOL_MIN, Ping, Push, Register, RegisterPending, Registered,
    SnapshotBegin, SnapshotChunk, SnapshotEnd, TerminalState, Welcome, hello_message,
};
use shared_protocol::stream::{Step, Stream, Version};
use shared_protocol::{CartId, CommandId, SlotId, TerminalId, TillId, decode};
use store::TerminalNo;

/// Names a request of a session, so that its reply finds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What the machine wants done.
#[derive(Debug)]
pub enum Output {
    /// Send this frame.
    Send(Vec<u8>),
    /// Ask the engine.
    Submit(Ticket, Request),
    /// The connection belongs to this terminal from now on; an older one of the same terminal must go.
    Entered(TerminalId),
    /// A device waits for a person to confirm its code.
    Waiting(SlotId),
    /// A terminal carried out a command, or could not.
    CommandDone(CommandId, bool),
    /// A cart was opened (true) or given up (false).
    Cart(CartEvent),
    /// Lines of a terminal's log.
    Log(TerminalId, String),
    /// Close the connection after what was sent.
    Close,
}

/// What becomes of a cart before it is an order; a TSE's transaction begins and ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CartEvent {
    /// It got its first item.
    Opened {
        /// Which cart.
        cart: CartId,
        /// At which till.
        till: TillId,
    },
    /// It was given up.
    Aborted {
        /// Which cart.
        cart: CartId,
    },
}

/// What all connections share and a step may read.
pub struct World<'a> {
    /// The server's clock, ms since 1970.
    pub now_ms: u64,
    /// The event's config key.
    pub config_key: &'a PublicKey,
    /// Which life of the database.
    pub incarnation: u64,
    /// Public keys of known terminals.
    pub key_of: &'a dyn Fn(TerminalId) -> Option<PublicKey>,
    /// An id for a terminal that registers now, drawn by the shell.
    pub fresh_terminal: &'a dyn Fn() -> TerminalId,
    /// Whether the writer's queue is more than half full.
    pub busy: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Greeting,
    Entering,
    Registering,
    Open,
    Closed,
}

/// A terminal that logged in.
#[derive(Debug, Clone)]
struct Peer {
    id: TerminalId,
    no: Option<TerminalNo>,
    till: Option<TillId>,
    state: TerminalState,
}

/// What a reply is for.
enum Pending {
    Hello,
    Push { entries: u32 },
    Handover { entries: u32, of: (TerminalId, u32, u64) },
    Authorise,
    Query,
    Register(SlotId),
    Step(Stream),
    Quiet,
}

/// How long a terminal waits when the server is busy.
const BUSY_RETRY_MS: u32 = 250;

/// A push may be this much beyond the window before the connection is closed: a terminal that ignores windows.
const WINDOW_SLACK: u32 = 2 * WINDOW_ENTRIES;

/// One connection.
pub struct Session {
    state: State,
    nonce: Hash32,
    peer: Option<Peer>,
    pending: BTreeMap<Ticket, Pending>,
    next_ticket: u64,
    inflight_entries: u32,
    heard_ms: u64,
    pinged_ms: u64,
    ping_no: u64,
    /// Versions the terminal has or is being sent; only streams it asked for.
    streams: BTreeMap<Stream, Version>,
}

impl Session {
    /// A connection was accepted; `nonce` is fresh.
    pub fn new(nonce: Hash32, world: &World<'_>) -> (Self, Vec<Output>) {
        let session = Self {
            state: State::Greeting,
            nonce,
            peer: None,
            pending: BTreeMap::new(),
            next_ticket: 0,
            inflight_entries: 0,
            heard_ms: world.now_ms,
            pinged_ms: world.now_ms,
            ping_no: 0,
            streams: BTreeMap::new(),
        };
        let challenge = Challenge {
            nonce,
            server_ms: world.now_ms,
            incarnation: world.incarnation,
            proto_min: PROTOCOL_MIN,
            proto_max: PROTOCOL_MAX,
        };
        (session, vec![send(challenge)])
    }

    /// The terminal that logged in.
    pub fn terminal(&self) -> Option<TerminalId> {
        self.peer.as_ref().map(|peer| peer.id)
    }

    /// The short number of the terminal that logged in.
    pub fn terminal_no(&self) -> Option<TerminalNo> {
        self.peer.as_ref()?.no
    }

    /// Whether nothing more will come of this connection.
    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether this is a device that waits to become a terminal.
    pub fn is_registering(&self) -> bool {
        self.state == State::Registering
    }

    /// When a tick is due at the latest.
    pub fn next_tick_ms(&self) -> u64 {
        (self.heard_ms.saturating_add(PEER_DEAD_MS)).min(self.pinged_ms.saturating_add(PING_INTERVAL_MS))
    }

    fn submit(&mut self, pending: Pending, request: Request) -> Output {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.pending.insert(ticket, pending);
        Output::Submit(ticket, request)
    }

    fn fail(&mut self, code: ErrorCode, detail: &str) -> Vec<Output> {
        self.state = State::Closed;
        let error = Error {
            code,
            fatal: true,
            retry_after_ms: None,
            detail: detail.to_owned(),
        };
        vec![send(error), Output::Close]
    }

    fn complain(code: ErrorCode, detail: &str) -> Vec<Output> {
        vec![send(Error {
            code,
            fatal: false,
            retry_after_ms: None,
            detail: detail.to_owned(),
        })]
    }

    /// A frame arrived.
    pub fn on_frame(&mut self, frame: &[u8], world: &World<'_>) -> Vec<Output> {
        if self.state == State::Closed {
            return Vec::new();
        }
        self.heard_ms = world.now_ms;
        let message = match Message::read(frame, FRAME_FROM_TERMINAL_MAX_BYTES) {
            Ok(message) => message,
            Err(FrameError::UnsupportedKind(kind)) => {
                return Self::complain(
                    ErrorCode::UnsupportedKind,
                    &format!("kind {kind} is not known here; the rest goes on"),
                );
            }
            // A frame that cannot be read says nothing about which entries it held, so the terminal has to send them again.
            Err(FrameError::Decode(error)) => return self.fail(ErrorCode::BadFrame, &error.to_string()),
        };
        match (self.state, message) {
            (_, Message::Unknown(_)) => Vec::new(),
            (State::Greeting, Message::Hello(hello)) => self.on_hello(&hello, world),
            (State::Greeting | State::Registering, Message::Register(register)) => self.on_register(register, world),
            (State::Open, message) => self.on_open(message, world),
            (_, Message::Bye(_)) => {
                self.state = State::Closed;
                vec![Output::Close]
            }
            (_, message) => {
                let detail = format!("message kind {} does not fit here; say hello first", message.kind());
                self.fail(ErrorCode::Order, &detail)
            }
        }
    }

    fn on_hello(&mut self, hello: &Hello, world: &World<'_>) -> Vec<Output> {
        let body: HelloBody = match decode(&hello.body.0) {
            Ok(body) => body,
            Err(error) => return self.fail(ErrorCode::BadFrame, &error.to_string()),
        };
        if body.proto_min > PROTOCOL_MAX || body.proto_max < PROTOCOL_MIN {
            let detail = format!("this server speaks versions {PROTOCOL_MIN} to {PROTOCOL_MAX}; update the app");
            return self.fail(ErrorCode::Version, &detail);
        }
        let certified = || {
            body.certificate
                .read(world.config_key)
                .ok()
                .filter(|known| known.terminal == body.terminal)
        };
        let Some(key) = (world.key_of)(body.terminal).or_else(|| certified().map(|known| known.key)) else {
            return self.fail(
                ErrorCode::UnknownTerminal,
                "this terminal is not registered here; register it again",
            );
        };
        if verify(&key, &hello_message(&self.nonce, &hello.body.0), &hello.signature).is_err() {
            return self.fail(
                ErrorCode::BadSignature,
                "the signature does not match the terminal's key",
            );
        }
        self.state = State::Entering;
        self.streams = body
            .cursors
            .iter()
            .map(|cursor| (cursor.stream, cursor.version))
            .collect();
        self.peer = Some(Peer {
            id: body.terminal,
            no: None,
            till: None,
            state: TerminalState::Active,
        });
        vec![self.submit(Pending::Hello, Request::Hello(Box::new(body)))]
    }

    fn on_register(&mut self, register: Register, world: &World<'_>) -> Vec<Output> {
        if register.device.len() > TEXT_MAX_BYTES {
            return self.fail(ErrorCode::BadFrame, "the device's name is too long");
        }
        self.state = State::Registering;
        let slot = register.slot;
        let request = Request::Register {
            register: Box::new(register),
            nonce: self.nonce,
            terminal: (world.fresh_terminal)(),
        };
        vec![self.submit(Pending::Register(slot), request)]
    }

    fn on_open(&mut self, message: Message, world: &World<'_>) -> Vec<Output> {
        let Some(peer) = self.peer.clone() else {
            return self.fail(ErrorCode::Order, "say hello first");
        };
        match message {
            Message::Push(push) => self.on_push(push, world),
            Message::Handover(handover) => self.on_handover(handover.push, world),
            Message::Query(query) => {
                vec![self.submit(
                    Pending::Query,
                    Request::Query {
                        request: query.request,
                        tag: query.tag,
                    },
                )]
            }
            Message::Authorise(ask) => {
                vec![self.submit(Pending::Authorise, Request::Authorise { terminal: peer.id, ask })]
            }
            Message::Release(release) => {
                vec![self.submit(
                    Pending::Quiet,
                    Request::Release {
                        terminal: peer.id,
                        hold: release.hold,
                    },
                )]
            }
            Message::StreamAck(ack) => {
                self.streams.insert(ack.cursor.stream, ack.cursor.version);
                Vec::new()
            }
            Message::SnapshotRequest(ask) => {
                self.streams.insert(ask.stream, Version::default());
                vec![self.step(ask.stream, Version::default())]
            }
            Message::Pong(pong) => {
                let announce = Request::Announce {
                    terminal: peer.id,
                    epoch: pong.epoch,
                    next_seq: pong.next_seq,
                };
                vec![self.submit(Pending::Quiet, announce)]
            }
            Message::CartOpened(cart) => {
                let ack = send(shared_protocol::message::CartAck { cart: cart.cart });
                let (cart, till) = (cart.cart, peer.till);
                match till {
                    Some(till) => vec![Output::Cart(CartEvent::Opened { cart, till }), ack],
                    None => vec![ack],
                }
            }
            Message::CartAborted(cart) => {
                vec![Output::Cart(CartEvent::Aborted { cart: cart.cart })]
            }
            Message::CommandDone(done) => vec![Output::CommandDone(done.command, done.done)],
            Message::LogUpload(log) => vec![Output::Log(peer.id, log.text)],
            Message::Bye(_) => {
                self.state = State::Closed;
                vec![Output::Close]
            }
            other => {
                let detail = format!("message kind {} does not come from a terminal", other.kind());
                Self::complain(ErrorCode::Order, &detail)
            }
        }
    }

    /// A phone hands over another one's journal: the same way into the books, signed by the key of whose it is. What that one did not sign is not
    /// kept raw, as its own push would be: it may still come itself.
    fn on_handover(&mut self, push: Push, world: &World<'_>) -> Vec<Output> {
        let of = (push.terminal, push.epoch.epoch, push.head.seq);
        let Some(key) = (world.key_of)(push.terminal) else {
            return vec![handover_ack(of, HandoverOutcome::UnknownTerminal)];
        };
        let entries = u32::try_from(push.entries.len()).unwrap_or(u32::MAX);
        if self.inflight_entries.saturating_add(entries) > WINDOW_SLACK {
            return self.fail(ErrorCode::Overload, "more entries on the way than the window allows");
        }
        match check_push(push, &key) {
            Ok(checked) if checked.verified => {
                self.inflight_entries += entries;
                let pending = Pending::Handover { entries, of };
                vec![self.submit(pending, Request::Push(Box::new(checked)))]
            }
            Ok(_) => vec![handover_ack(of, HandoverOutcome::BadSignature)],
            Err(malformed) => self.fail(ErrorCode::BadFrame, &malformed.to_string()),
        }
    }

    fn on_push(&mut self, push: Push, world: &World<'_>) -> Vec<Output> {
        let Some(key) = (world.key_of)(push.terminal) else {
            return Self::complain(
                ErrorCode::UnknownTerminal,
                "the terminal of this journal is not registered here",
            );
        };
        let entries = u32::try_from(push.entries.len()).unwrap_or(u32::MAX);
        if self.inflight_entries.saturating_add(entries) > WINDOW_SLACK {
            return self.fail(ErrorCode::Overload, "more entries on the way than the window allows");
        }
        match check_push(push, &key) {
            Ok(checked) => {
                self.inflight_entries += entries;
                vec![self.submit(Pending::Push { entries }, Request::Push(Box::new(checked)))]
            }
            Err(malformed) => self.fail(ErrorCode::BadFrame, &malformed.to_string()),
        }
    }

    fn step(&mut self, stream: Stream, has: Version) -> Output {
        self.submit(Pending::Step(stream), Request::Step { stream, has })
    }

    /// The engine answered.
    pub fn on_reply(&mut self, ticket: Ticket, reply: Reply, world: &World<'_>) -> Vec<Output> {
        let Some(pending) = self.pending.remove(&ticket) else {
            return Vec::new();
        };
        if self.state == State::Closed {
            return Vec::new();
        }
        match (pending, reply) {
            (Pending::Hello, Reply::Hello(Some(greeting))) => self.welcome(&greeting, world),
            (Pending::Hello, _) => self.fail(
                ErrorCode::UnknownTerminal,
                "this terminal is not registered here; register it again",
            ),
            (Pending::Push { entries }, Reply::Push(reply)) => {
                self.inflight_entries = self.inflight_entries.saturating_sub(entries);
                self.pushed(reply, world)
            }
            (Pending::Handover { entries, of }, Reply::Push(reply)) => {
                self.inflight_entries = self.inflight_entries.saturating_sub(entries);
                // That the other one has to write in another epoch now is said to it when it comes.
                let outcome = match reply.result {
                    PushResult::Durable { .. } => HandoverOutcome::Durable,
                    PushResult::Gap { .. } => HandoverOutcome::Gap,
                    PushResult::Unknown => HandoverOutcome::UnknownTerminal,
                };
                vec![handover_ack(of, outcome)]
            }
            (Pending::Authorise, Reply::Authorise(result)) => vec![send(result)],
            (Pending::Query, Reply::Query(result)) => vec![send(*result)],
            (Pending::Register(slot), Reply::Register(known)) => self.registered(slot, known, world),
            (Pending::Step(stream), Reply::Step(Some((step, payload)))) => {
                self.streams.insert(stream, step.to);
                deliver(step, &payload)
            }
            _ => Vec::new(),
        }
    }

    /// The engine failed and will not answer this request. The terminal keeps its entries and comes back.
    pub fn on_failure(&mut self, ticket: Ticket) -> Vec<Output> {
        match self.pending.remove(&ticket) {
            Some(Pending::Authorise) if self.state == State::Open => Self::complain(
                ErrorCode::Unavailable,
                "the server cannot book now; decide by the offline limits",
            ),
            Some(_) if self.state != State::Closed => self.fail(
                ErrorCode::Unavailable,
                "the server cannot book now; nothing is lost, send again later",
            ),
            _ => Vec::new(),
        }
    }

    fn welcome(&mut self, greeting: &engine::Greeting, world: &World<'_>) -> Vec<Output> {
        self.state = State::Open;
        let id = greeting.terminal.id;
        self.peer = Some(Peer {
            id,
            no: Some(greeting.terminal.no),
            till: Some(greeting.terminal.till),
            state: greeting.terminal.state,
        });
        let welcome = Welcome {
            proto: PROTOCOL_MAX,
            server_ms: world.now_ms,
            incarnation: world.incarnation,
            durable_seq: greeting.durable_seq,
            durable_head: greeting.durable_head,
            window: WINDOW_ENTRIES,
            max_frame: u32::try_from(FRAME_FROM_TERMINAL_MAX_BYTES).unwrap_or(u32::MAX),
            state: greeting.terminal.state,
            new_epoch: greeting.new_epoch,
        };
        let mut outputs = vec![Output::Entered(id), send(welcome)];
        let wanted: Vec<_> = self
            .streams
            .iter()
            .map(|(stream, version)| (*stream, *version))
            .collect();
        outputs.extend(wanted.into_iter().map(|(stream, version)| self.step(stream, version)));
        outputs
    }

    fn pushed(&mut self, reply: PushReply, world: &World<'_>) -> Vec<Output> {
        let epoch = reply.epoch;
        match reply.result {
            PushResult::Durable {
                durable_seq,
                branch,
                notes,
                fork,
            } => {
                let (window, retry_after_ms) = if world.busy {
                    (0, Some(BUSY_RETRY_MS))
                } else {
                    (WINDOW_ENTRIES, None)
                };
                let branch = (branch > 0).then_some(branch);
                let ack = send(Ack {
                    epoch,
                    durable_seq,
                    branch,
                    window,
                    retry_after_ms,
                    notes,
                });
                let fork = fork.map(|(seq, new_epoch)| send(Fork { epoch, seq, new_epoch }));
                std::iter::once(ack).chain(fork).collect()
            }
            PushResult::Gap { expected_seq } => vec![send(Gap { epoch, expected_seq })],
            PushResult::Unknown => self.fail(
                ErrorCode::UnknownTerminal,
                "this terminal is not registered here; register it again",
            ),
        }
    }

    fn registered(&mut self, slot: SlotId, known: Known, world: &World<'_>) -> Vec<Output> {
        match known {
            Known::Pending { code } => vec![Output::Waiting(slot), send(RegisterPending { code })],
            Known::Registered { terminal, certificate } => {
                let done = Registered {
                    certificate: *certificate,
                    config_key: world.config_key.clone(),
                    epoch: terminal.epoch,
                };
                self.state = State::Closed;
                vec![send(done), Output::Close]
            }
            Known::Denied(_) => self.fail(
                ErrorCode::Registration,
                "the code does not exist, was used before or is too old; ask for a new one",
            ),
        }
    }

    /// A person confirmed the code this connection waits for; the shell has asked the engine.
    pub fn on_confirmed(&mut self, slot: SlotId, known: Known, world: &World<'_>) -> Vec<Output> {
        if self.state == State::Registering {
            self.registered(slot, known, world)
        } else {
            Vec::new()
        }
    }

    /// A stream has a new version.
    pub fn on_stream(&mut self, stream: Stream, version: Version) -> Vec<Output> {
        let waiting = self
            .pending
            .values()
            .any(|pending| matches!(pending, Pending::Step(of) if *of == stream));
        match self.streams.get(&stream).copied() {
            Some(has) if has != version && !waiting && self.state == State::Open => vec![self.step(stream, has)],
            _ => Vec::new(),
        }
    }

    /// Tells the terminal to do something.
    pub fn command(&mut self, command: CommandId, kind: CommandKind) -> Vec<Output> {
        if let Some(peer) = &mut self.peer {
            peer.state = match kind {
                CommandKind::Lock => TerminalState::Locked,
                CommandKind::Unlock => TerminalState::Active,
                _ => peer.state,
            };
        }
        if self.state == State::Open {
            vec![send(Command { command, kind })]
        } else {
            Vec::new()
        }
    }

    /// Another connection of the same terminal took over, or the server stops.
    pub fn on_close(&mut self, code: ErrorCode) -> Vec<Output> {
        if self.state == State::Closed {
            return Vec::new();
        }
        let detail = match code {
            ErrorCode::Replaced => "another connection of this terminal took over",
            ErrorCode::Shutdown => "the server is stopping; come back soon",
            _ => "the connection is closed",
        };
        self.fail(code, detail)
    }

    /// Time passed.
    pub fn on_tick(&mut self, now_ms: u64) -> Vec<Output> {
        if self.state == State::Closed {
            return Vec::new();
        }
        if now_ms.saturating_sub(self.heard_ms) >= PEER_DEAD_MS {
            return self.fail(ErrorCode::Timeout, "nothing was heard for too long");
        }
        if self.state == State::Open && now_ms.saturating_sub(self.pinged_ms) >= PING_INTERVAL_MS {
            self.pinged_ms = now_ms;
            self.ping_no += 1;
            return vec![send(Ping {
                no: self.ping_no,
                server_ms: now_ms,
            })];
        }
        if self.state != State::Open {
            self.pinged_ms = now_ms;
        }
        Vec::new()
    }
}

fn handover_ack((terminal, epoch, seq): (TerminalId, u32, u64), outcome: HandoverOutcome) -> Output {
    send(HandoverAck {
        terminal,
        epoch,
        seq,
        outcome,
    })
}

fn send(message: impl Into<Message>) -> Output {
    Output::Send(message.into().frame())
}

/// A step as frames: a delta in one, a snapshot in parts.
fn deliver(step: Step, payload: &Arc<Vec<u8>>) -> Vec<Output> {
    let stream = step.stream;
    if step.from_rev.is_some() && payload.len() <= SNAPSHOT_CHUNK_BYTES {
        return vec![send(Delta {
            step,
            changes: Bytes(payload.to_vec()),
        })];
    }
    let mut outputs = vec![send(SnapshotBegin { step })];
    let chunks = payload.chunks(SNAPSHOT_CHUNK_BYTES).zip(0..);
    outputs.extend(chunks.map(|(bytes, index)| {
        send(SnapshotChunk {
            stream,
            index,
            bytes: Bytes(bytes.to_vec()),
        })
    }));
    outputs.push(send(SnapshotEnd { stream }));
    outputs
}
