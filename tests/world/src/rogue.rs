//! A stranger in the server's place, as if TLS were broken: it speaks the protocol, but does not have the event's key. What it says must not make
//! the till lose an order, believe a price or become somebody else's terminal.
//!
//! It gives no authorisations and no epochs: these are believed on the word of TLS alone, and say so in the threat model.

use shared_protocol::EventId;
use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::{Hash32, Signer, SimulatedSigner};
use shared_protocol::ids::Bytes;
use shared_protocol::limits::FRAME_FROM_TERMINAL_MAX_BYTES;
use shared_protocol::message::{
    Ack, Certificate, Challenge, Command, CommandKind, Delta, Message, Registered, Registration, TerminalState, Welcome,
};
use shared_protocol::stream::{Change, Stream, Version, sign_step};
use shared_protocol::{CommandId, OrganisationId, TerminalId, TillId, encode};

use crate::random::Random;
use crate::world::EPOCH_MS;

/// A stranger.
#[derive(Debug)]
pub(crate) struct Rogue {
    random: Random,
}

impl Rogue {
    pub fn new(random: Random) -> Self {
        Self { random }
    }

    /// What it says first.
    pub fn greets(&mut self, now_ms: u64) -> Vec<u8> {
        let challenge = Challenge {
            nonce: Hash32(self.random.bytes()),
            server_ms: EPOCH_MS + now_ms,
            incarnation: self.random.bits(),
            proto_min: 1,
            proto_max: 1,
        };
        Message::from(challenge).frame()
    }

    /// What it answers.
    pub fn answer(&mut self, frame: &[u8], now_ms: u64) -> Vec<Vec<u8>> {
        let key = SimulatedSigner::named(b"a stranger");
        match Message::read(frame, FRAME_FROM_TERMINAL_MAX_BYTES) {
            Ok(Message::Hello(_)) => {
                let welcome = Welcome {
                    proto: 1,
                    server_ms: EPOCH_MS + now_ms,
                    incarnation: 7,
                    durable_seq: self.random.below(1_000),
                    durable_head: Hash32(self.random.bytes()),
                    window: 256,
                    max_frame: 65_536,
                    state: TerminalState::Active,
                    new_epoch: None,
                };
                let mut frames = vec![Message::from(welcome).frame()];
                let change = Change {
                    key: Bytes(vec![0, 0, 0, 0, 0]),
                    value: None,
                };
                let to = Version { generation: 9, rev: 9 };
                if let Ok((step, changes)) =
                    sign_step(&key, fixtures::sample::EVENT, Stream::Config, to, None, &vec![change])
                {
                    frames.push(
                        Message::from(Delta {
                            step,
                            changes: Bytes(changes),
                        })
                        .frame(),
                    );
                }
                if self.random.percent(10) {
                    let command = CommandId(self.random.bytes());
                    frames.push(
                        Message::from(Command {
                            command,
                            kind: CommandKind::Lock,
                        })
                        .frame(),
                    );
                }
                frames
            }
            Ok(Message::Push(push)) => {
                let last = push.first_seq + push.entries.len() as u64 - 1;
                let ack = Ack {
                    epoch: push.epoch.epoch,
                    durable_seq: last,
                    branch: None,
                    window: 256,
                    retry_after_ms: None,
                    notes: Vec::new(),
                };
                vec![Message::from(ack).frame()]
            }
            Ok(Message::Register(register)) => {
                let registration = Registration {
                    organisation: OrganisationId([9; 16]),
                    event: EventId([9; 16]),
                    terminal: TerminalId(self.random.bytes()),
                    till: TillId(1),
                    key: register.key,
                    registered_at_ms: now_ms,
                };
                let issued = Certificate::issue(&key, &registration).ok();
                let answer = issued.map(|certificate| Registered {
                    certificate,
                    config_key: key.public_key(),
                    epoch: EpochStart::FIRST,
                });
                answer.map(|answer| Message::from(answer).frame()).into_iter().collect()
            }
            _ => vec![encode(&0_u8)],
        }
    }
}
