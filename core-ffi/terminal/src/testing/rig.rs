//! A terminal in a shell.

use std::collections::{BTreeMap, VecDeque};

use chips::{Capabilities, Chip, Field, KeyStore, ReaderEvent};
use shared_protocol::chain::EpochStart;
use shared_protocol::config::Config;
use shared_protocol::crypto::{Ed25519Signer, Hash32, Signer};
use shared_protocol::entry::{Content, Entry};
use shared_protocol::limits::FRAME_FROM_TERMINAL_MAX_BYTES;
use shared_protocol::message::Message;
use shared_protocol::order::{Order, Permission, TenderKind};
use shared_protocol::stream::{Copy, Stream};
use shared_protocol::{ArticleId, OrderId, StaffId, TagId};

use super::{CASHIER, Disk, Server, certificate, config, config_signer, crew, tag};
use crate::screen::{Done, Notice, Refusal};
use crate::{
    Action, Input, LinkId, MetaKey, Now, Output, Pin, Screen, Setup, StorageFault, Terminal, Ticket, Write, serve_hold,
};

/// A terminal in a shell for tests. Time stands still unless [`Rig::wait`] moves it.
pub struct Rig {
    pub terminal: Terminal,
    pub now: Now,
    pub disk: Disk,
    pub server: Server,
    /// Whether connections come to be.
    pub network: bool,
    /// Whether the disk answers by itself.
    pub disk_runs: bool,
    /// What the disk says instead.
    pub disk_fault: Option<StorageFault>,
    /// Where what is said of PINs waits, when it has to.
    pub held_pins: Option<Vec<Input>>,
    /// The terminal said that the server has everything and its queue may go.
    pub unregistered: bool,
    pub sent: Vec<Message>,
    pub screens: Vec<Screen>,
    /// Orders that a screen called done.
    pub shown_paid: Vec<OrderId>,
    /// The device's key; none where it refuses to sign.
    pub signer: Option<Ed25519Signer>,
    link: Option<LinkId>,
    writes: VecDeque<(Ticket, Vec<Write>)>,
    to_do: VecDeque<Input>,
    steps: u64,
    purse_work: VecDeque<crate::PurseWork>,
}

impl Rig {
    pub fn setup() -> Setup {
        let key = Ed25519Signer::from_seed(&[1; 32]).unwrap().public_key();
        Setup {
            app: "test".to_owned(),
            key,
            streams: vec![Stream::Config, Stream::BlockList, Stream::Balances],
        }
    }

    pub fn with_disk(disk: Disk, network: bool) -> Self {
        let now = Now {
            mono_ms: 1_000,
            wall_ms: 1_700_000_000_000,
            entropy: [0; 32],
        };
        let (terminal, outputs) = Terminal::new(Self::setup(), disk.restored(), &now);
        let mut rig = Self {
            terminal,
            now,
            disk,
            server: Server::new(),
            network,
            disk_runs: true,
            disk_fault: None,
            held_pins: None,
            unregistered: false,
            sent: Vec::new(),
            screens: Vec::new(),
            shown_paid: Vec::new(),
            signer: Ed25519Signer::from_seed(&[1; 32]).ok(),
            link: None,
            writes: VecDeque::new(),
            to_do: VecDeque::new(),
            steps: 0,
            purse_work: VecDeque::new(),
        };
        rig.server.clock_ms = now.wall_ms;
        rig.take(outputs);
        rig.run();
        rig
    }

    /// A disk of a registered terminal with the configuration.
    pub fn fresh_disk() -> Disk {
        Self::disk_with(&config())
    }

    /// The same with a configuration of its own.
    pub fn disk_with(config: &Config) -> Disk {
        let mut disk = Disk::default();
        let signer = Ed25519Signer::from_seed(&[1; 32]).unwrap();
        let identity = crate::identity_meta(&certificate(&signer), &config_signer().public_key());
        disk.metas.insert(MetaKey::Identity, identity);
        disk.epochs.insert(1, (EpochStart::FIRST, 0));
        let items = config
            .items()
            .iter()
            .map(|item| (item.key(), shared_protocol::encode(item)))
            .collect();
        disk.streams.insert(
            Stream::Config.code(),
            (
                Stream::Config,
                Copy {
                    version: config.version,
                    items,
                },
            ),
        );
        disk
    }

    /// A terminal with somebody logged in.
    pub fn logged_in(network: bool) -> Self {
        let mut rig = Self::with_disk(Self::fresh_disk(), network);
        rig.act(Action::Login { staff: CASHIER });
        rig
    }

    pub fn online() -> Self {
        Self::logged_in(true)
    }

    pub fn offline() -> Self {
        Self::logged_in(false)
    }

    /// One step, with all that follows from it by itself.
    pub fn input(&mut self, input: Input) {
        self.step(input);
        self.run();
    }

    pub fn act(&mut self, action: Action) {
        self.input(Input::Act(action));
    }

    pub fn add(&mut self, article: ArticleId, count: u16) {
        self.act(Action::Add { article, count });
    }

    /// Holds a wristband and takes it away; people need a moment for it.
    pub fn hold(&mut self, number: u8) {
        self.pass(10);
        self.keep(number);
        self.leave();
    }

    /// Holds a wristband.
    pub fn keep(&mut self, number: u8) {
        self.input(Input::Reader(ReaderEvent::Held(Chip::identity(tag(number)))));
    }

    /// Holds the wristband of somebody who works there and takes it away.
    pub fn hold_crew(&mut self, staff: StaffId) {
        self.pass(10);
        self.input(Input::Reader(ReaderEvent::Held(Chip::identity(crew(staff)))));
        self.leave();
    }

    pub fn pin(&mut self, digits: &str) {
        self.act(Action::Pin(Pin::typed(digits).unwrap()));
    }

    /// Holds a wristband with a purse until the terminal is done with it, and takes it away.
    pub fn hold_chip<F: Field>(&mut self, field: &mut F, keys: &dyn KeyStore) {
        self.pass(10);
        let selected = field.reselect().unwrap();
        let chip = Chip {
            tag: selected.uid,
            capabilities: Capabilities::ULTRALIGHT_AES,
        };
        self.input(Input::Reader(ReaderEvent::Held(chip)));
        serve_hold(field, &selected, keys, |answer| {
            if let Some((job, answer)) = answer {
                self.input(Input::Purse { job, answer });
            }
            // The wristband lies there while the till waits for the server.
            while self.purse_work.is_empty()
                && self.terminal.works_on_purse()
                && let Some(wake) = self.terminal.wake_at_ms(&self.now)
            {
                self.pass(wake.saturating_sub(self.now.mono_ms).max(1));
                self.input(Input::Tick);
            }
            self.purse_work.pop_front()
        });
        self.leave();
    }

    pub fn leave(&mut self) {
        self.input(Input::Reader(ReaderEvent::Left));
    }

    /// Time passes, with a tick whenever the terminal wants one, and the server asks "still there?" every 15 s.
    pub fn wait(&mut self, ms: u64) {
        for _ in 0..ms / 15_000 {
            self.wait_once(15_000);
            if !self.server.silent {
                self.say(shared_protocol::message::Ping {
                    no: 1,
                    server_ms: self.server.clock_ms,
                });
            }
        }
        self.wait_once(ms % 15_000);
    }

    fn wait_once(&mut self, ms: u64) {
        let end = self.now.mono_ms + ms;
        while let Some(wake) = self.terminal.wake_at_ms(&self.now).filter(|wake| *wake <= end) {
            let on = wake.saturating_sub(self.now.mono_ms).max(1);
            self.pass(on.min(end.saturating_sub(self.now.mono_ms)));
            self.input(Input::Tick);
            if self.now.mono_ms >= end {
                break;
            }
        }
        self.pass(end.saturating_sub(self.now.mono_ms));
        self.input(Input::Tick);
    }

    fn pass(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.wall_ms += ms;
        self.server.clock_ms += ms;
    }

    pub fn cut(&mut self) {
        self.network = false;
        if let Some(link) = self.link.take() {
            self.input(Input::Disconnected(link));
        }
    }

    pub fn mend(&mut self) {
        self.network = true;
        self.wait(31_000);
    }

    /// The power goes: what is not on the disk is gone.
    pub fn crash(&mut self) {
        self.writes.clear();
        self.to_do.clear();
        self.held_pins = None;
        self.link = None;
        self.now.mono_ms = 500;
        self.now.wall_ms += 5_000;
        self.now.entropy = [0xcc; 32];
        self.steps += 1_000_000;
        let (terminal, outputs) = Terminal::new(Self::setup(), self.disk.restored(), &self.now);
        self.terminal = terminal;
        self.screens.clear();
        self.take(outputs);
        self.run();
    }

    /// The server says something by itself.
    pub fn say(&mut self, message: impl Into<Message>) {
        if let Some(link) = self.link {
            let bytes = message.into().frame();
            self.input(Input::Frame { link, bytes });
        }
    }

    pub fn screen(&self) -> &Screen {
        self.terminal.shown().unwrap()
    }

    pub fn done(&self) -> Done {
        match &self.screen().notice {
            Notice::Done(done) => (**done).clone(),
            other => panic!("not done but {other:?}"),
        }
    }

    pub fn refusal(&self) -> Refusal {
        match &self.screen().notice {
            Notice::Refused(refusal) => refusal.clone(),
            other => panic!("not refused but {other:?}"),
        }
    }

    pub fn last_order(&self) -> Order {
        self.disk.orders().last().cloned().unwrap()
    }

    /// The disk does one transaction.
    pub fn disk_step(&mut self) {
        if let Some((ticket, writes)) = self.writes.pop_front() {
            if let Some(fault) = self.disk_fault {
                self.to_do.push_back(Input::PersistFailed { ticket, fault });
            } else {
                for write in writes {
                    self.disk.write(write);
                }
                self.to_do.push_back(Input::Persisted(ticket));
            }
        }
    }

    pub fn run(&mut self) {
        loop {
            if self.disk_runs {
                self.disk_step();
            }
            let Some(input) = self.to_do.pop_front() else { break };
            self.step(input);
        }
    }

    fn step(&mut self, input: Input) {
        self.steps += 1;
        self.now.entropy = Hash32::of("test entropy", &[&self.steps.to_be_bytes()]).0;
        let tick = matches!(input, Input::Tick);
        let outputs = self.terminal.step(&self.now, input);
        let wake = self.terminal.wake_at_ms(&self.now);
        assert!(
            !tick || wake.is_none_or(|at| at > self.now.mono_ms),
            "a tick that leaves work undone would be followed by another at once"
        );
        self.take(outputs);
        self.check_exposure();
    }

    fn take(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Persist { ticket, writes } => self.writes.push_back((ticket, writes)),
                Output::Sign { job, message } => {
                    let signature = self.signer.as_ref().map(|key| key.sign(&message).unwrap());
                    let failed = Input::SignFailed { job };
                    self.to_do
                        .push_back(signature.map_or(failed, |signature| Input::Signed { job, signature }));
                }
                Output::VerifyPin { job, hash, pin } => {
                    let ok = pin.digits() == hash.as_bytes();
                    let verified = Input::PinVerified { job, ok };
                    match &mut self.held_pins {
                        Some(held) => held.push(verified),
                        None => self.to_do.push_back(verified),
                    }
                }
                Output::Fetch {
                    epoch,
                    from_seq,
                    entries_max,
                } => {
                    let to = from_seq + u64::from(entries_max);
                    let entries: Vec<_> = self
                        .disk
                        .entries
                        .range((epoch, from_seq)..(epoch, to))
                        .map(|(_, entry)| entry.clone())
                        .collect();
                    let heads = self
                        .disk
                        .heads
                        .range((epoch, from_seq)..(epoch, to))
                        .map(|(_, head)| head.clone())
                        .collect();
                    let previous = self.disk.entries.get(&(epoch, from_seq - 1)).map(|entry| entry.hash);
                    self.to_do.push_back(Input::Fetched {
                        epoch,
                        previous,
                        entries,
                        heads,
                    });
                }
                Output::Connect(link) if self.network => {
                    self.link = Some(link);
                    self.to_do.push_back(Input::Connected(link));
                    self.to_do.push_back(Input::Frame {
                        link,
                        bytes: self.server.challenge().frame(),
                    });
                }
                Output::Connect(link) => self.to_do.push_back(Input::Disconnected(link)),
                Output::Send { link, frame } => {
                    assert_eq!(Some(link), self.link.or(Some(link)));
                    let message = Message::read(&frame, FRAME_FROM_TERMINAL_MAX_BYTES).unwrap();
                    if self.link == Some(link) && (!self.server.silent || matches!(message, Message::Hello(_))) {
                        let key = Self::setup().key;
                        for answer in self.server.answer(&message, &key) {
                            self.to_do.push_back(Input::Frame {
                                link,
                                bytes: answer.frame(),
                            });
                        }
                    } else if self.link == Some(link) {
                        self.server.swallowed |= matches!(message, Message::Push(_));
                    }
                    self.sent.push(message);
                }
                Output::Disconnect(link) => {
                    if self.link == Some(link) {
                        self.link = None;
                    }
                }
                Output::Screen(screen) => {
                    if let Notice::Done(done) = &screen.notice {
                        let stored = self.disk.orders();
                        for order in &done.orders {
                            assert!(
                                stored.iter().any(|known| known.id == *order),
                                "shown as paid before the disk had it"
                            );
                        }
                        let new: Vec<OrderId> = done
                            .orders
                            .iter()
                            .copied()
                            .filter(|order| !self.shown_paid.contains(order))
                            .collect();
                        self.shown_paid.extend(new);
                    }
                    self.screens.push(*screen);
                }
                Output::Purse(work) => self.purse_work.push_back(work),
                Output::Unregistered => self.unregistered = true,
                Output::Cue(_) => {}
            }
        }
    }

    /// Invariant I10: what was taken on the till's own risk and is not on the server stays within the limits.
    fn check_exposure(&self) {
        // Each look reads the whole journal; the long journals of some tests are paid in cash.
        if self.disk.entries.len() > 300 {
            return;
        }
        let limits = config().event.offline;
        let mut total = 0;
        let mut of_tag: BTreeMap<TagId, i64> = BTreeMap::new();
        for entry in self.disk.entries.values() {
            let acked = self.disk.epochs[&entry.epoch]
                .1
                .max(self.server.durable.get(&entry.epoch).map_or(0, |durable| durable.0));
            if entry.seq <= acked {
                continue;
            }
            let Content::Order(order) = Entry::read(&entry.bytes).unwrap().1 else {
                continue;
            };
            for tender in &order.order.tenders {
                let own_risk = matches!(tender.permission, Permission::OfflineKnown | Permission::OfflineUnknown);
                if let Some(tag) = order.order.tender_tag(tender).filter(|_| own_risk) {
                    let taken = if tender.kind == TenderKind::Wristband {
                        tender.amount.0.max(0)
                    } else {
                        tender.amount.0.abs()
                    };
                    total += taken;
                    *of_tag.entry(tag).or_default() += taken;
                }
            }
        }
        assert!(total <= limits.terminal_max.0, "{total} taken on own risk");
        assert!(
            of_tag.values().all(|taken| *taken <= limits.tag_max.0),
            "{of_tag:?} taken on own risk"
        );
    }
}
