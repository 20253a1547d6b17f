//! The whole festival in one loop: the earliest event happens, and what follows from it is planned. No threads, no clock, no randomness but the
//! seed's.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::sample;
use shared_protocol::catalogue::StandKind;
use shared_protocol::config::Item;
use shared_protocol::{TagId, TerminalId, TillId};

use crate::chips::Chips;
use crate::events::{Agenda, DeviceNo, Event};
use crate::faults::{Kind, Plan};
use crate::handover::Handover;
use crate::log::Log;
use crate::network::Network;
use crate::observer::Observer;
use crate::people::Guests;
use crate::permission::Revisions;
use crate::random::Random;
use crate::server::Server;
use crate::slots::Code;
use crate::sometimes::Sometimes;
use crate::stick::Stick;
use crate::thieves::Losses;
use crate::till::{Device, Key};

/// When the doors open: noon on a Saturday in July, in ms since 1970.
pub(crate) const EPOCH_MS: u64 = 1_815_818_400_000;

const HOUR_MS: u64 = 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Within this a moment of rest has to come.
const BREATH_MS: u64 = 10_000;
/// The doors are open from 0 to 14 and from 21 to 24 hours after the first opening.
const OPEN_HOURS: [(u64, u64); 2] = [(0, 14), (21, 24)];

/// Orders of 24 hours that a run aims at, at the least.
const ORDERS_A_DAY: u64 = 1_800;

/// A bug that is put in on purpose, to prove that somebody notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plant {
    /// None.
    #[default]
    None,
    /// The store forgets the new balance of one account.
    DroppedBalance,
    /// The store says a commit is durable, and nothing is there.
    LyingDisk,
    /// The server acknowledges entries whose commit is lost.
    AckBeforeCommit,
    /// Tills are told that a transaction is durable before it is.
    ShownBeforeDurable,
    /// A till's disk loses an entry that it has acknowledged.
    ForgottenEntry,
}

/// What a run does.
#[derive(Debug, Clone)]
pub struct Options {
    /// The seed.
    pub seed: u64,
    /// Simulated hours before everything is healed.
    pub hours: u64,
    /// Stops after this many events.
    pub until: Option<u64>,
    /// How many of the last lines of the log are kept.
    pub lines: usize,
    /// Kinds of faults that are switched off besides those the seed switches off.
    pub off: BTreeSet<Kind>,
    /// A bug that is put in on purpose.
    pub plant: Plant,
}

impl Options {
    /// A whole day of a seed.
    pub fn of(seed: u64) -> Self {
        Self {
            seed,
            hours: 24,
            until: None,
            lines: 0,
            off: BTreeSet::new(),
            plant: Plant::None,
        }
    }
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which invariant.
    pub invariant: &'static str,
    /// What was seen.
    pub what: String,
    /// After which event.
    pub event: u64,
    /// When, in ms since the doors opened.
    pub at_ms: u64,
}

/// What became of a run.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Events that happened.
    pub events: u64,
    /// Orders that tills wrote into their journals.
    pub orders: u64,
    /// Orders that tills showed as booked.
    pub shown: u64,
    /// Simulated time.
    pub simulated_ms: u64,
    /// Tills at the start.
    pub tills: usize,
    /// Kinds of faults that the seed had.
    pub kinds: BTreeSet<Kind>,
    /// How often each kind struck.
    pub faults: BTreeMap<Kind, u64>,
    /// Rare places that were reached.
    pub sometimes: BTreeMap<&'static str, u64>,
    /// Cases on the server at the end, by code.
    pub cases: BTreeMap<u16, u64>,
    /// What copied wristbands cost.
    pub losses: Losses,
    /// What must not be, the first few.
    pub violations: Vec<Violation>,
    /// Digest of the log of events.
    pub log_hash: u64,
    /// The last lines of the log, when they were asked for.
    pub lines: Vec<String>,
}

/// A planted bug waits until the festival is in full swing.
pub(crate) const PLANT_AFTER_EVENTS: u64 = 8_000;

/// Violations after which a run stops.
const VIOLATIONS_MAX: usize = 4;

/// A festival.
pub(crate) struct World {
    pub seed: u64,
    pub now_ms: u64,
    pub agenda: Agenda,
    pub plan: Plan,
    pub plant: Plant,
    pub log: Log,
    pub sometimes: Sometimes,
    pub observer: Observer,
    pub devices: Vec<Device>,
    pub server: Server,
    pub network: Network,
    pub guests: Guests,
    pub items: Vec<Item>,
    pub revisions: Revisions,
    pub codes: Vec<Code>,
    pub sticks: Vec<Stick>,
    pub handovers: Vec<Handover>,
    pub chips: Chips,
    pub blocked: Vec<TagId>,
    pub locked: Vec<TerminalId>,
    pub curve: bool,
    pub cases: BTreeMap<u16, u64>,
    pub losses: Losses,
    pub faults: BTreeMap<Kind, u64>,
    violations: Vec<Violation>,
    ended_at_ms: Option<u64>,
    pub net_random: Random,
    pub disk_random: Random,
    pub server_random: Random,
    pub people_random: Random,
}

/// Runs a seed.
pub fn run(options: &Options) -> Outcome {
    let mut world = World::new(options);
    world.open(options.hours);
    let tills = world.devices.len();
    while let Some((at_ms, event)) = world.agenda.take() {
        world.now_ms = at_ms;
        if matches!(event, Event::End) {
            if world.catches_breath() {
                continue;
            }
            world.check_at_rest();
            break;
        }
        world.log.event(at_ms, &event);
        world.happen(event);
        let stopped = options.until.is_some_and(|until| world.log.count >= until);
        if stopped || world.violations.len() >= VIOLATIONS_MAX {
            break;
        }
    }
    Outcome {
        seed: options.seed,
        events: world.log.count,
        orders: world.observer.orders_made(),
        shown: world.observer.shown,
        simulated_ms: world.now_ms,
        tills,
        kinds: world.plan.kinds().clone(),
        faults: world.faults,
        sometimes: world.sometimes.0,
        cases: world.cases,
        losses: world.losses,
        violations: world.violations,
        log_hash: world.log.digest(),
        lines: world.log.lines(),
    }
}

impl World {
    /// Pings and reconnections go on for ever, so the end may come while one of them is being written. A moment without anything on its way has to
    /// come soon; puts the end off until then.
    fn catches_breath(&mut self) -> bool {
        let writes = self
            .devices
            .iter()
            .any(|device| !device.gone && !device.disk.pending.is_empty());
        let busy = writes || self.server.waiting() > 0;
        let ended_at_ms = *self.ended_at_ms.get_or_insert(self.now_ms);
        let goes_on = busy && self.now_ms < ended_at_ms + BREATH_MS;
        if goes_on {
            self.put(1, Event::End);
        }
        goes_on
    }

    fn new(options: &Options) -> Self {
        let seed = options.seed;
        let mut random = Random::of(seed, 2);
        let curve = random.percent(10);
        let items = sample::config_with_currencies().items();
        let mut key_random = Random::of(seed, 3);
        let policy = if Random::of(seed, 8).percent(50) {
            fiscal::OutagePolicy::MarkOnly
        } else {
            fiscal::OutagePolicy::ResignMarked
        };
        let server = match Server::new(Key::new(curve, &mut key_random), &items, policy) {
            Ok(server) => server,
            Err(error) => panic!("the sample festival cannot be opened: {error}"),
        };
        let mut plan = Plan::of(seed, &options.off);
        let network = Network {
            scale: [1, 2, 4, 12].get(random.index(4)).copied().unwrap_or(1),
            ..Network::default()
        };
        let tills = Self::choose_tills(&mut random);
        let drifting = plan.has(Kind::Drift);
        let skewed = plan.has(Kind::Skew);
        let devices = tills.into_iter().zip(0..).map(|(till, no)| {
            let mut own = Random::of(seed, 10_000 + no);
            let key = Key::new(curve, &mut own);
            let mut device = Device::new(till, key, own);
            if drifting {
                device.clocks.drift_ppm = i64::try_from(plan.random(Kind::Drift).below(401)).unwrap_or(0) - 200;
            }
            if skewed && plan.random(Kind::Skew).percent(40) {
                let hours = i64::try_from(plan.random(Kind::Skew).below(52)).unwrap_or(0) - 26;
                device.clocks.skew_ms = hours * 3_600_000 + 1_234;
            }
            device
        });
        let devices = devices.collect();
        let chips = Chips::new();
        let guests = 60 + u32::try_from(random.below(120)).unwrap_or(0);
        Self {
            seed,
            now_ms: 0,
            agenda: Agenda::default(),
            plan,
            plant: options.plant,
            log: Log::new(options.lines),
            sometimes: Sometimes::default(),
            observer: Observer::new(sample::event().offline),
            devices,
            server,
            network,
            guests: Guests {
                tags: sample::wristbands(guests).into_iter().chain(chips.tags()).collect(),
                ..Guests::default()
            },
            revisions: Revisions::starting_with(&items),
            items,
            codes: Vec::new(),
            sticks: Vec::new(),
            handovers: Vec::new(),
            chips,
            blocked: Vec::new(),
            locked: Vec::new(),
            curve,
            cases: BTreeMap::new(),
            losses: Losses::default(),
            faults: BTreeMap::new(),
            violations: Vec::new(),
            ended_at_ms: None,
            net_random: Random::of(seed, 4),
            disk_random: Random::of(seed, 5),
            server_random: Random::of(seed, 6),
            people_random: Random::of(seed, 7),
        }
    }

    /// 10 to 24 tills: money has to come in, so two of them are at desks.
    fn choose_tills(random: &mut Random) -> Vec<TillId> {
        let config = sample::config();
        let is_desk = |till: &TillId| {
            let stand = config.tills.get(till).and_then(|till| config.stands.get(&till.stand));
            stand.is_some_and(|stand| stand.kind == StandKind::TopUp)
        };
        let (mut desks, mut others): (Vec<TillId>, Vec<TillId>) = config.tills.keys().copied().partition(is_desk);
        random.shuffle(&mut desks);
        random.shuffle(&mut others);
        let count = 10 + random.index(15);
        desks.truncate(2 + count / 8);
        others.truncate(count.saturating_sub(desks.len()));
        desks.extend(others);
        desks
    }

    /// Plans the day.
    fn open(&mut self, hours: u64) {
        let end_ms = hours * HOUR_MS;
        self.guests.orders_wanted = ORDERS_A_DAY * hours / 24;
        self.put(0, Event::ServerStart);
        for no in self.device_numbers() {
            let at_ms = 1_000 + 700 * no.0 as u64;
            self.put(at_ms, Event::PowerOn { device: no });
        }
        let mut open_ms = 0;
        for day in 0..hours.div_ceil(24) {
            for (from, to) in OPEN_HOURS {
                let (from_ms, to_ms) = (day * DAY_MS + from * HOUR_MS, (day * DAY_MS + to * HOUR_MS).min(end_ms));
                if from_ms < to_ms {
                    open_ms += to_ms - from_ms;
                    self.put(from_ms.max(60_000), Event::Doors { open: true });
                    self.put(to_ms, Event::Doors { open: false });
                }
            }
        }
        self.guests.open_left_ms = open_ms;
        for kind in Kind::ALL {
            if let Some(wait) = self.plan.next(*kind) {
                self.put(wait + 60_000, Event::Fault(*kind));
            }
        }
        self.put(30 * 60_000, Event::Backup);
        self.agenda.put(end_ms + 60_000, Event::Heal);
        self.agenda.put(end_ms + HOUR_MS, Event::Closing);
        self.agenda.put(end_ms + 60_000 + HOUR_MS, Event::End);
    }

    /// Plans an event after a wait.
    pub(crate) fn put(&mut self, wait_ms: u64, event: Event) {
        self.agenda.put(self.now_ms + wait_ms, event);
    }

    /// Notes that a fault struck.
    pub(crate) fn count(&mut self, kind: Kind) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// Notes something that must not be.
    pub(crate) fn violation(&mut self, invariant: &'static str, what: &str) {
        self.log.note(&["VIOLATION", invariant, what]);
        if self.violations.len() < VIOLATIONS_MAX {
            let violation = Violation {
                invariant,
                what: what.to_owned(),
                event: self.log.count,
                at_ms: self.now_ms,
            };
            self.violations.push(violation);
        }
    }

    /// A device joins.
    pub(crate) fn add_device(&mut self, device: Device, after_ms: u64) {
        self.devices.push(device);
        let no = DeviceNo(self.devices.len() - 1);
        self.put(after_ms, Event::PowerOn { device: no });
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Wake { device, boot, no } => self.wake(device, boot, no),
            Event::Written { device, boot, ticket } => self.written(device, boot, ticket),
            Event::Signed {
                device,
                boot,
                job,
                message,
            } => self.key_signs(device, boot, job, &message),
            Event::PinVerified { device, boot, job, ok } => {
                if self.devices.get(device.0).is_some_and(|known| known.boot == boot) {
                    self.step(device, terminal::Input::PinVerified { job, ok });
                }
            }
            Event::Fetched {
                device,
                boot,
                epoch,
                from_seq,
                entries_max,
            } => self.read_back(device, boot, epoch, from_seq, entries_max),
            Event::Purse { device, boot } => self.purse_worked(device, boot),
            Event::PowerOn { device } => self.power_on(device),
            Event::PowerOff { device } => self.process_dies(device, false),
            Event::Cut { device, boot, power } => self.cut(device, boot, power),
            Event::Opened { conn } => self.opened(conn),
            Event::Connected { conn } => self.connected(conn),
            Event::ToServer { conn, frame } => self.session_frame(conn, &frame),
            Event::ToTill { conn, frame } => {
                if let Some(place) = self.arrives_down(conn) {
                    self.tell_till(place, Some(frame));
                }
            }
            Event::ServerHearsEnd { conn } => self.server_hears_end(conn),
            Event::TillHearsEnd { conn } => {
                if let Some(place) = self.till_hears_end(conn) {
                    self.tell_till(place, None);
                }
            }
            Event::Online { device } => {
                let now_ms = self.now_ms;
                if let Some(device) = self
                    .devices
                    .get_mut(device.0)
                    .filter(|device| device.offline_until_ms <= now_ms)
                {
                    device.reach.offline = false;
                }
            }
            Event::Audible { device } => {
                if let Some(device) = self.devices.get_mut(device.0) {
                    (device.reach.mute, device.reach.deaf) = (false, false);
                }
            }
            Event::Commit { life } => self.commit(life),
            Event::Replies { life } => self.replies(life),
            Event::Sign { life } => self.sign(life),
            Event::Closing => self.closing(),
            Event::TseMended => self.server.signing.mend(EPOCH_MS + self.now_ms),
            Event::SessionTick { conn } => self.session_tick(conn),
            Event::GreetingOver { conn } => self.greeting_over(conn),
            Event::Balances { life } => self.balances(life),
            Event::ServerStart => {
                self.server_starts();
                if self.observer.grants.is_empty() {
                    self.grant_vouchers();
                }
            }
            Event::ServerFast => self.server.slow = false,
            Event::Confirm { slot, tries } => self.confirm(slot, tries),
            Event::Backup => self.backup(),
            Event::Arrival => self.arrival(),
            Event::Person { device, service } => self.person(device, service),
            Event::Attend { device, boot } => self.attend(device, boot),
            Event::Doors { open } => self.doors(open),
            Event::Fault(kind) => self.fault(kind),
            Event::Repaired { device } => {
                if let Some(device) = self.devices.get_mut(device.0) {
                    device.disk.full = false;
                    device.key_broken = false;
                }
            }
            Event::Stick { stick } => self.stick_comes(stick),
            Event::Handover { handover } => self.copy_goes_over(handover),
            Event::Pardon => self.pardon(),
            Event::Heal => self.heal(),
            Event::End => {}
        }
    }

    /// Whether a planted bug strikes now; once.
    pub(crate) fn plants(&mut self, plant: Plant) -> bool {
        let now = self.plant == plant && self.log.count > PLANT_AFTER_EVENTS;
        if now {
            self.plant = Plant::None;
        }
        now
    }

    fn backup(&mut self) {
        self.server_backup();
        self.fill_purses();
        for device in &mut self.devices {
            if device.random.percent(40) {
                device.backup = Some(device.disk.image.clone());
            }
        }
        let wait = self.server_random.between(HOUR_MS / 2, 3 * HOUR_MS);
        self.put(wait, Event::Backup);
    }

    fn doors(&mut self, open: bool) {
        if !self.plan.armed {
            return;
        }
        self.guests.open = open;
        if open {
            self.guests.open_since_ms = self.now_ms;
            self.put(2_000, Event::Arrival);
        } else {
            let passed = self.now_ms - self.guests.open_since_ms;
            self.guests.open_left_ms = self.guests.open_left_ms.saturating_sub(passed);
        }
        for no in self.device_numbers() {
            let wait = self.people_random.between(1_000, 20 * 60_000);
            let Some(device) = self.devices.get_mut(no.0) else {
                continue;
            };
            device.put_away = !open;
            if open {
                self.put(wait / 60, Event::PowerOn { device: no });
            } else {
                self.step(no, terminal::Input::Stop);
                self.put(1_000, Event::PowerOff { device: no });
            }
        }
    }
}
