//! A device: a phone with the real till on it, its disk, its key, its clock. The shell's part of the bargain (outputs in order, durable before
//! `Persisted`, a new process when nobody can tell) is kept here, also when everything breaks.

use std::collections::BTreeMap;

use shared_protocol::crypto::{Ed25519Signer, PublicKey, Signature, Signer, SimulatedSigner};
use shared_protocol::stream::Stream;
use shared_protocol::{TagId, TillId};
use terminal::screen::Page;
use terminal::screen::Registering;
use terminal::{Input, LinkId, Now, Output, Setup, SignJob, StorageFault, Terminal, Ticket};

use crate::chips::AtReader;
use crate::disk::{Disk, Image, order_of};
use crate::events::{ConnNo, DeviceNo, Event};
use crate::faults::Kind;
use crate::network::Reach;
use crate::people::Service;
use crate::random::Random;
use crate::world::{EPOCH_MS, PLANT_AFTER_EVENTS, Plant, World};

/// A key pair: a keyed hash in most seeds, a curve in the others.
#[derive(Debug, Clone)]
pub(crate) enum Key {
    Simulated(PublicKey),
    Curve([u8; 32]),
}

impl Key {
    pub fn new(curve: bool, random: &mut Random) -> Self {
        let seed: [u8; 32] = random.bytes();
        if curve {
            Self::Curve(seed)
        } else {
            Self::Simulated(SimulatedSigner::named(&seed).0)
        }
    }

    pub fn signer(&self) -> Box<dyn Signer> {
        match self {
            Self::Simulated(key) => Box::new(SimulatedSigner(key.clone())),
            // Every 32 bytes are a seed; should the library ever see it otherwise, the key without a secret is refused nowhere here.
            Self::Curve(seed) => match Ed25519Signer::from_seed(seed) {
                Ok(signer) => Box::new(signer),
                Err(_) => Box::new(SimulatedSigner::named(seed)),
            },
        }
    }

    pub fn public(&self) -> PublicKey {
        self.signer().public_key()
    }

    pub fn sign(&self, message: &[u8]) -> Option<Signature> {
        self.signer().sign(message).ok()
    }
}

/// A device's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Clocks {
    /// When the process started, in true time and on its monotonic clock.
    started_ms: u64,
    mono_base_ms: u64,
    /// Parts per million that the monotonic clock is too fast.
    pub drift_ppm: i64,
    /// The wall clock minus the true time.
    pub skew_ms: i64,
}

impl Clocks {
    fn mono_ms(&self, true_ms: u64) -> u64 {
        let passed = true_ms.saturating_sub(self.started_ms);
        let rate = u64::try_from(1_000_000 + self.drift_ppm).unwrap_or(1_000_000);
        self.mono_base_ms + passed.saturating_mul(rate) / 1_000_000
    }

    fn true_ms(&self, mono_ms: u64) -> u64 {
        let passed = mono_ms.saturating_sub(self.mono_base_ms);
        let rate = u64::try_from(1_000_000 + self.drift_ppm).unwrap_or(1_000_000);
        self.started_ms + (passed.saturating_mul(1_000_000)).div_ceil(rate)
    }

    fn wall_ms(&self, true_ms: u64) -> u64 {
        (EPOCH_MS + true_ms).saturating_add_signed(self.skew_ms)
    }
}

/// A phone.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is another thing that a fault may have set, and any of them may be together"
)]
pub(crate) struct Device {
    pub till: TillId,
    pub key: Key,
    pub terminal: Option<Terminal>,
    /// Which process.
    pub boot: u32,
    pub clocks: Clocks,
    pub disk: Disk,
    pub backup: Option<Image>,
    pub random: Random,
    pub reach: Reach,
    pub offline_until_ms: u64,
    pub key_broken: bool,
    /// Somebody else can sign with it, once.
    pub key_stolen: bool,
    /// Destroyed; another one took its place.
    pub gone: bool,
    /// In a drawer until the doors open again.
    pub put_away: bool,
    pub service: Option<Service>,
    pub scans: u32,
    /// What was wrong with the code it scanned.
    pub scanned: Option<Kind>,
    /// Who paid here last.
    pub last_tag: Option<TagId>,
    pub at_reader: AtReader,
    wants_balances: bool,
    wake_planned_ms: Option<u64>,
    wake_no: u64,
    wakes: (u64, u32),
}

impl Device {
    pub fn new(till: TillId, key: Key, random: Random) -> Self {
        let mut random = random;
        Self {
            till,
            key,
            terminal: None,
            boot: 0,
            clocks: Clocks::default(),
            disk: Disk::default(),
            backup: None,
            wants_balances: random.percent(40),
            random,
            reach: Reach::default(),
            offline_until_ms: 0,
            key_broken: false,
            key_stolen: false,
            gone: false,
            put_away: false,
            service: None,
            scans: 0,
            scanned: None,
            last_tag: None,
            at_reader: AtReader::default(),
            wake_planned_ms: None,
            wake_no: 0,
            wakes: (0, 0),
        }
    }

    fn now(&mut self, true_ms: u64) -> Now {
        Now {
            mono_ms: self.clocks.mono_ms(true_ms),
            wall_ms: self.clocks.wall_ms(true_ms),
            entropy: self.random.bytes(),
        }
    }

    pub fn page(&self) -> Option<&Page> {
        self.terminal.as_ref()?.shown().map(|screen| &screen.page)
    }
}

/// How long a write takes.
const WRITE_MS: [u64; 8] = [2, 3, 3, 4, 5, 8, 15, 40];

/// Wakes of one device within one second of true time that only a loop without a wait can cause.
const SPINNING_WAKES: u32 = 400;

impl World {
    /// The code that a device shows while it waits for a person.
    pub(crate) fn code_shown(&self, device: DeviceNo) -> Option<String> {
        match self.devices.get(device.0)?.page()? {
            Page::Unregistered(Registering::Confirm { code }) => Some(code.clone()),
            _ => None,
        }
    }

    /// A device is switched on: a new process on what its disk holds.
    pub(crate) fn power_on(&mut self, no: DeviceNo) {
        let now_ms = self.now_ms;
        let Some(device) = self
            .devices
            .get_mut(no.0)
            .filter(|device| device.terminal.is_none() && !device.gone && !device.put_away)
        else {
            return;
        };
        device.boot += 1;
        device.clocks.started_ms = now_ms;
        device.clocks.mono_base_ms = device.random.below(1_000_000);
        device.wake_planned_ms = None;
        device.disk.busy_until_ms = now_ms;
        let restored = match device.disk.image.restore() {
            Ok(restored) => restored,
            Err(damaged) => return self.violation("I5", &format!("device {} does not start again: {damaged}", no.0)),
        };
        let mut streams = vec![Stream::Config, Stream::BlockList, Stream::Batches, Stream::Purses];
        if device.wants_balances {
            streams.push(Stream::Balances);
        }
        let setup = Setup {
            app: "world".to_owned(),
            key: device.key.public(),
            streams,
        };
        let now = device.now(now_ms);
        let (terminal, outputs) = Terminal::new(setup, restored, &now);
        device.terminal = Some(terminal);
        let boot = device.boot;
        self.log.note(&["power on", &no.0.to_string()]);
        self.observe_start(no);
        self.carry_out(no, boot, outputs);
        self.plan_wake(no);
        let delay = self.people_random.between(500, 5_000);
        self.put(delay, Event::Attend { device: no, boot });
    }

    /// The process ends in the middle of whatever it does.
    pub(crate) fn process_dies(&mut self, no: DeviceNo, power: bool) {
        let Some(device) = self.devices.get_mut(no.0).filter(|device| device.terminal.is_some()) else {
            return;
        };
        device.terminal = None;
        device.service = None;
        device.at_reader.dies();
        let pending = device.disk.pending.len();
        let kept = device.random.index(pending + 1);
        let cut = device.disk.cut(kept);
        if pending > 0 && power {
            self.sometimes.reach(if kept == pending {
                "unacknowledged_write_survived_a_power_cut"
            } else {
                "power_cut_lost_a_write"
            });
        }
        self.log.note(&["dies", &no.0.to_string(), &kept.to_string()]);
        match cut {
            Ok(added) => self.observe_durable(no, &added),
            Err(conflict) => self.hole(no, conflict),
        }
        self.device_falls_silent(no, power);
    }

    /// The device dies in the middle of a write.
    pub(crate) fn cut(&mut self, no: DeviceNo, boot: u32, power: bool) {
        if self
            .devices
            .get(no.0)
            .is_some_and(|device| device.boot == boot && device.terminal.is_some())
        {
            self.process_dies(no, power);
            let back_ms = self.disk_random.between(2_000, 300_000);
            self.put(back_ms, Event::PowerOn { device: no });
        }
    }

    fn hole(&mut self, no: DeviceNo, conflict: crate::disk::Conflict) {
        let what = format!(
            "device {} writes entry {} of epoch {} that does not follow the last",
            no.0, conflict.seq, conflict.epoch
        );
        self.violation("I5", &what);
    }

    /// Something happens to a till.
    pub(crate) fn step(&mut self, no: DeviceNo, input: Input) {
        let now_ms = self.now_ms;
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        let now = device.now(now_ms);
        let Some(terminal) = device.terminal.as_mut() else {
            return;
        };
        let outputs = terminal.step(&now, input);
        // A code that somebody gave up works once more: its device is the till of the code then.
        device.till = terminal.till().unwrap_or(device.till);
        let boot = device.boot;
        self.carry_out(no, boot, outputs);
        self.plan_wake(no);
    }

    /// The same for an input that is meant for one process only.
    pub(crate) fn step_of(&mut self, no: DeviceNo, boot: u32, input: Input) {
        if self.devices.get(no.0).is_some_and(|device| device.boot == boot) {
            self.step(no, input);
        }
    }

    fn plan_wake(&mut self, no: DeviceNo) {
        let now_ms = self.now_ms;
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        let now = Now {
            mono_ms: device.clocks.mono_ms(now_ms),
            wall_ms: device.clocks.wall_ms(now_ms),
            entropy: [0; 32],
        };
        let Some(due) = device.terminal.as_ref().and_then(|terminal| terminal.wake_at_ms(&now)) else {
            return;
        };
        let at_ms = device.clocks.true_ms(due).max(now_ms + 1);
        if device.wake_planned_ms.is_none_or(|planned| at_ms < planned) {
            device.wake_planned_ms = Some(at_ms);
            device.wake_no += 1;
            let event = Event::Wake {
                device: no,
                boot: device.boot,
                no: device.wake_no,
            };
            self.agenda.put(at_ms, event);
        }
    }

    pub(crate) fn wake(&mut self, no: DeviceNo, boot: u32, wake_no: u64) {
        let now_ms = self.now_ms;
        let due = |device: &&mut Device| device.boot == boot && device.wake_no == wake_no;
        let Some(device) = self.devices.get_mut(no.0).filter(due) else {
            return;
        };
        device.wake_planned_ms = None;
        let second = now_ms / 1_000;
        device.wakes = if device.wakes.0 == second {
            (second, device.wakes.1 + 1)
        } else {
            (second, 1)
        };
        if device.wakes.1 > SPINNING_WAKES {
            return self.violation(
                "I15",
                &format!("device {} wakes up {SPINNING_WAKES} times in a second", no.0),
            );
        }
        self.step(no, Input::Tick);
    }

    fn carry_out(&mut self, no: DeviceNo, boot: u32, outputs: Vec<Output>) {
        for output in outputs {
            if self
                .devices
                .get(no.0)
                .is_none_or(|device| device.boot != boot || device.terminal.is_none())
            {
                return;
            }
            match output {
                Output::Persist { ticket, writes } => self.persist(no, boot, ticket, writes),
                Output::Sign { job, message } => {
                    let delay = self.disk_random.between(1, 4);
                    self.put(
                        delay,
                        Event::Signed {
                            device: no,
                            boot,
                            job,
                            message,
                        },
                    );
                }
                Output::VerifyPin { job, hash, pin } => {
                    // The world has no time for slow hashes: it knows whose hash it is.
                    let known = fixtures::sample::config().staff;
                    let whose = known.values().find(|person| person.pin.as_ref() == Some(&hash));
                    let right = whose.and_then(|person| fixtures::sample::pin_of(person.id));
                    let ok = right.is_some_and(|right| right.as_bytes() == pin.digits());
                    self.sometimes.reach(if ok { "pin_right" } else { "pin_wrong" });
                    let delay = self.disk_random.between(80, 400);
                    let device = no;
                    self.put(delay, Event::PinVerified { device, boot, job, ok });
                }
                Output::Fetch {
                    epoch,
                    from_seq,
                    entries_max,
                } => {
                    self.sometimes.reach("queue_read_back");
                    let delay = self.disk_random.between(1, 20);
                    self.put(
                        delay,
                        Event::Fetched {
                            device: no,
                            boot,
                            epoch,
                            from_seq,
                            entries_max,
                        },
                    );
                }
                Output::Connect(link) => self.connect(no, boot, link),
                Output::Send { link, frame } => {
                    if let Some(conn) = self.network.of(no, link, boot) {
                        self.observe_till_frame(no, &frame);
                        let frame = self.tampered(no, frame);
                        self.send_up(conn, frame);
                    }
                }
                Output::Disconnect(link) => {
                    if let Some(conn) = self.network.of(no, link, boot) {
                        self.till_closes(conn);
                    }
                }
                Output::Screen(screen) => self.observe_screen(no, &screen),
                Output::Purse(work) => self.purse_work(no, boot, work),
                Output::Unregistered | Output::Cue(_) => {}
            }
        }
    }

    fn persist(&mut self, no: DeviceNo, boot: u32, ticket: Ticket, writes: Vec<terminal::Write>) {
        let now_ms = self.now_ms;
        let mut takes_ms = self.disk_random.pick(&WRITE_MS).unwrap_or(3);
        if self.plan.strikes(Kind::DiskSlow, 5_000) {
            self.count(Kind::DiskSlow);
            takes_ms += self.plan.random(Kind::DiskSlow).between(200, 6_000);
        }
        let early = self.plant == Plant::ShownBeforeDurable && self.log.count > PLANT_AFTER_EVENTS;
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        let entry = writes.iter().any(|write| matches!(write, terminal::Write::Entry(_)));
        let cut = if entry { device.disk.cut_armed.take() } else { None };
        device.disk.pending.push_back((ticket, writes));
        device.disk.busy_until_ms = device.disk.busy_until_ms.max(now_ms) + takes_ms;
        let at_ms = device.disk.busy_until_ms;
        if let Some(power) = cut {
            let cut_ms = self.disk_random.between(now_ms, at_ms);
            self.agenda.put(
                cut_ms,
                Event::Cut {
                    device: no,
                    boot,
                    power,
                },
            );
        }
        self.agenda.put(
            at_ms,
            Event::Written {
                device: no,
                boot,
                ticket,
            },
        );
        if early {
            self.step(no, Input::Persisted(ticket));
        }
    }

    /// A transaction is done, or it is not.
    pub(crate) fn written(&mut self, no: DeviceNo, boot: u32, ticket: Ticket) {
        let Some(device) = self
            .devices
            .get_mut(no.0)
            .filter(|device| device.boot == boot && device.terminal.is_some())
        else {
            return;
        };
        let Some(writes) = device.disk.next(ticket) else { return };
        if device.disk.full {
            self.sometimes.reach("disk_full_on_a_till");
            return self.step(
                no,
                Input::PersistFailed {
                    ticket,
                    fault: StorageFault::Full,
                },
            );
        }
        if std::mem::take(&mut device.disk.error_armed) {
            self.sometimes.reach("disk_error_on_a_till");
            return self.step(
                no,
                Input::PersistFailed {
                    ticket,
                    fault: StorageFault::Io,
                },
            );
        }
        let unknown = std::mem::take(&mut device.disk.unknown_armed);
        let there = !unknown || device.random.percent(50);
        let writes = self.forgetful(writes);
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        if there {
            match device.disk.image.apply(&writes) {
                Ok(added) => self.observe_durable(no, &added),
                Err(conflict) => return self.hole(no, conflict),
            }
        }
        if unknown {
            // A sync that failed may have reached the disk: the shell makes a new till from what it reads.
            self.sometimes.reach("disk_of_unknown_state");
            self.process_dies(no, false);
            return self.put(1_500, Event::PowerOn { device: no });
        }
        self.step(no, Input::Persisted(ticket));
    }

    /// For the proof that checkers can fail: a disk that forgets an order it said it has.
    fn forgetful(&mut self, mut writes: Vec<terminal::Write>) -> Vec<terminal::Write> {
        let order =
            |write: &terminal::Write| matches!(write, terminal::Write::Entry(entry) if order_of(entry).is_some());
        if writes.iter().any(order) && self.plants(Plant::ForgottenEntry) {
            writes.retain(|write| !order(write));
        }
        writes
    }

    pub(crate) fn key_signs(&mut self, no: DeviceNo, boot: u32, job: SignJob, message: &[u8]) {
        let Some(device) = self.devices.get(no.0).filter(|device| device.boot == boot) else {
            return;
        };
        let signature = if device.key_broken {
            None
        } else {
            device.key.sign(message)
        };
        let input = match signature {
            Some(signature) => Input::Signed { job, signature },
            None => Input::SignFailed { job },
        };
        self.step(no, input);
    }

    pub(crate) fn read_back(&mut self, no: DeviceNo, boot: u32, epoch: u32, from_seq: u64, entries_max: u32) {
        let fails = self.plan.strikes(Kind::ReadError, 100_000);
        if fails {
            self.count(Kind::ReadError);
        }
        let Some(device) = self.devices.get(no.0).filter(|device| device.boot == boot) else {
            return;
        };
        let (previous, entries, heads) = if fails {
            (None, Vec::new(), Vec::new())
        } else {
            device.disk.image.read(epoch, from_seq, entries_max)
        };
        self.step(
            no,
            Input::Fetched {
                epoch,
                previous,
                entries,
                heads,
            },
        );
    }

    /// A connection tells its device something.
    pub(crate) fn tell_till(&mut self, place: (DeviceNo, u32, LinkId), frame: Option<Vec<u8>>) {
        let (no, boot, link) = place;
        let input = match frame {
            Some(bytes) => Input::Frame { link, bytes },
            None => Input::Disconnected(link),
        };
        self.step_of(no, boot, input);
    }

    pub(crate) fn connected(&mut self, conn: ConnNo) {
        let now_ms = self.now_ms;
        let Some((no, boot, link)) = self
            .network
            .conns
            .get(&conn)
            .map(|conn| (conn.device, conn.boot, conn.link))
        else {
            return;
        };
        let greeting = self
            .network
            .conns
            .get_mut(&conn)
            .and_then(|conn| conn.rogue.as_mut())
            .map(|rogue| rogue.greets(now_ms));
        self.step_of(no, boot, Input::Connected(link));
        if let Some(frame) = greeting {
            self.send_down(conn, frame);
        }
    }

    /// A device is put back to what it once was, or starts from nothing.
    pub(crate) fn replace_image(&mut self, no: DeviceNo, image: Image) {
        self.process_dies(no, true);
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        let before = std::mem::replace(&mut device.disk.image, image);
        self.observe_rollback(no, &before);
    }

    /// Devices by number.
    pub(crate) fn device_numbers(&self) -> Vec<DeviceNo> {
        (0..self.devices.len()).map(DeviceNo).collect()
    }

    /// What every till says of its unsent entries, for the liveness check.
    pub(crate) fn unsent(&self) -> BTreeMap<DeviceNo, u64> {
        let tills = self.devices.iter().enumerate().filter(|(_, device)| !device.gone);
        tills
            .filter_map(|(no, device)| Some((DeviceNo(no), device.terminal.as_ref()?.unsent())))
            .collect()
    }
}
