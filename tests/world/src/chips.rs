//! Wristbands with a purse: virtual chips that guests carry from till to till and hold too short. What thieves do to them is in [`crate::thieves`].
//!
//! The frames are the real ones, over the real cores. What is checked at the end: the books have what the chip has, but for what a gap with a case
//! says to the cent (I6); nothing on a genuine chip ever goes down (I7); no chip is dead.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use chips::purse::{Books, Knowledge, LoadRefusal, Tap, load};
use chips::simulated::{Fault, SimulatedBatch, SimulatedField, Tear, UltralightAesChip};
use chips::ultralight::LinkFault;
use chips::{Capabilities, Chip, Field, FieldFault, KeyRole, MemoryKeys, ReaderEvent, Selected};
use engine::Request;
use fixtures::sample;
use shared_protocol::config::Config;
use shared_protocol::crypto::SignError;
use shared_protocol::order::{Order, OrderKind, Tender, TenderKind};
use shared_protocol::purse::{BatchList, ChainId, PurseSettings};
use shared_protocol::wristband::Batch;
use shared_protocol::{TagId, TillId};
use store::Reader as _;
use terminal::{Input, PurseAnswer, PurseTask, PurseWork, without_session};

use crate::events::{DeviceNo, Event};
use crate::faults::Kind;
use crate::office::Maker;
use crate::thieves::{Copied, Emulator};
use crate::world::World;

/// The wristbands of most guests who have one with a purse.
pub(crate) const BATCH: u16 = 5;
const BANDS: u16 = 40;
/// What a drink token sets aside, in cents.
pub(crate) const WEIGHT: u16 = 700;
/// A few whose chains are so short that they take no more credit after some rounds.
const SHORT_BATCH: u16 = 6;
const SHORT_BANDS: u16 = 4;
/// A few of another event: their own till's keys would open them, ours know nothing of them.
const FOREIGN_BATCH: u16 = 7;
const FOREIGN_BANDS: u16 = 2;
/// The counter of a chip that counts what it has spent.
const PURSE_COUNTER: u8 = 2;
/// How long a piece of work takes, in ms: air and the phone's own time.
const WORK_MS: [u64; 3] = [20, 45, 90];
/// The last exchange of the longest tap at which something may go wrong.
const EXCHANGES: usize = 22;

pub(crate) type OnReader = Rc<RefCell<SimulatedField<UltralightAesChip>>>;

/// A chip as a reader sees it, shared with the guest who may pull it away.
#[derive(Clone)]
pub(crate) struct Handle(pub OnReader);

impl Field for Handle {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        self.0.borrow_mut().transceive(frame)
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        self.0.borrow_mut().reselect()
    }
}

/// What became of a wristband.
pub(crate) enum Nature {
    /// As the encoder made it; only tills wrote on it.
    Genuine,
    /// The same, but one of its pages no longer keeps what is written.
    Worn,
    /// Somebody wrote on it by other ways than a till.
    Touched,
    /// A copy with everything on it, that goes its own way from then on.
    Copy,
    /// A copy in software, whose memory and counter are what its owner wants.
    Emulator(Box<Emulator>),
    /// Another chip that answers with the same id; nobody gave it keys.
    Shell,
}

/// A wristband that somebody carries.
pub(crate) struct Band {
    pub chip: OnReader,
    pub at: Option<DeviceNo>,
    pub nature: Nature,
}

impl Band {
    pub fn new(chip: UltralightAesChip, nature: Nature) -> Self {
        Self {
            chip: Rc::new(RefCell::new(SimulatedField::new(chip))),
            at: None,
            nature,
        }
    }

    /// Whether it, or what it says of its namesakes, is no longer what tills made it. A chip that only borrows the id is nobody's business.
    pub fn is_changed(&self) -> bool {
        !matches!(self.nature, Nature::Genuine | Nature::Shell)
    }
}

/// All wristbands with a purse: the genuine one of a guest comes first, copies of it follow.
pub(crate) struct Chips {
    pub batch: SimulatedBatch,
    short: SimulatedBatch,
    /// The anchors take a while to compute; they never change.
    pub lists: BTreeMap<u16, BatchList>,
    config: Config,
    pub bands: BTreeMap<TagId, Vec<Band>>,
    foreign: BTreeSet<TagId>,
    /// What a thief once read: pages to write back later.
    pub seen: BTreeMap<TagId, UltralightAesChip>,
    /// What copies may cost by the promise of the settings: what was on a wristband when it was copied.
    pub copied: BTreeMap<TagId, Vec<Copied>>,
    /// What stolen desks wrote onto wristbands, in cents: no journal tells of it.
    pub minted: BTreeMap<TagId, i128>,
}

/// The work of a device on the wristband that lies there.
#[derive(Default)]
pub(crate) struct AtReader {
    lies: Option<(TagId, OnReader)>,
    /// The last wristband that was held, how much it had spent by then, and whether this device had heard that it is blocked.
    pub held: Option<(TagId, u32, bool)>,
    tap: Option<Tap<Handle>>,
    works: VecDeque<PurseWork>,
}

impl AtReader {
    /// The process of the device is gone, and the session with it.
    pub fn dies(&mut self) {
        self.tap = None;
        self.works.clear();
    }
}

impl Chips {
    pub fn new() -> Self {
        let settings = |length| PurseSettings {
            length,
            weight_cents: [WEIGHT, 0],
            ..PurseSettings::usual(77)
        };
        let batch = SimulatedBatch::new(settings([1_600, 2_000, 800]), BATCH);
        let short = SimulatedBatch::new(settings([80, 40, 30]), SHORT_BATCH);
        let foreign = SimulatedBatch::new(PurseSettings::usual(78), FOREIGN_BATCH);
        let of = |batch: &SimulatedBatch, count: u16| {
            let band = |index| {
                (
                    batch.uid(index).tag(),
                    vec![Band::new(batch.chip(index), Nature::Genuine)],
                )
            };
            (0..count).map(band).collect::<Vec<_>>()
        };
        let strangers = of(&foreign, FOREIGN_BANDS);
        let mut lists = batch.lists(BANDS);
        lists.extend(short.lists(SHORT_BANDS));
        Self {
            foreign: strangers.iter().map(|(tag, _)| *tag).collect(),
            bands: of(&batch, BANDS)
                .into_iter()
                .chain(of(&short, SHORT_BANDS))
                .chain(strangers)
                .collect(),
            seen: BTreeMap::new(),
            copied: BTreeMap::new(),
            minted: BTreeMap::new(),
            lists,
            config: sample::config_with_currencies(),
            batch,
            short,
        }
    }

    pub fn tags(&self) -> impl Iterator<Item = TagId> + '_ {
        self.bands.keys().copied()
    }

    /// Whether its guest came with the wristband of another event.
    pub fn is_foreign(&self, tag: TagId) -> bool {
        self.foreign.contains(&tag)
    }

    /// What an honest reader with no memory finds on a guest's own wristband.
    pub fn honest(&self, tag: TagId) -> Result<chips::purse::Loaded, LoadRefusal> {
        let Some(band) = self.bands.get(&tag).and_then(|bands| bands.first()) else {
            return Err(LoadRefusal::NoPurse);
        };
        let mut field = SimulatedField::new(band.chip.borrow().chip.clone());
        let selected = field
            .reselect()
            .map_err(|fault| LoadRefusal::Link(LinkFault::Field(fault)))?;
        let keys = self.keys(&[KeyRole::Auth, KeyRole::Mac]);
        let books = Books {
            keys: &keys,
            lists: &self.lists,
        };
        load(
            &mut field,
            &selected,
            &books,
            &Knowledge::default(),
            *b"sixteen bytes ok",
        )
        .map(|tap| tap.loaded)
    }

    fn keys(&self, roles: &[KeyRole]) -> MemoryKeys {
        let mut keys = self.batch.keys(roles);
        self.short.add_keys(roles, &mut keys);
        keys
    }

    fn keys_of(&self, till: TillId) -> MemoryKeys {
        let till = self.config.tills.get(&till);
        let desk = till.is_some_and(|till| till.order_kinds.contains(&OrderKind::TopUp));
        let mut roles = vec![KeyRole::Auth, KeyRole::Mac, KeyRole::Chain(ChainId::Return)];
        if desk {
            roles.push(KeyRole::Chain(ChainId::Desk));
        }
        self.keys(&roles)
    }
}

/// An answer, for the log.
fn told(answer: &PurseAnswer) -> String {
    match answer {
        PurseAnswer::Read(Ok(loaded)) => {
            let units = loaded.purse.units();
            format!("{} has {} and {units:?}", loaded.purse.uid, loaded.purse.image.counter)
        }
        PurseAnswer::Read(Err(refusal)) => format!("not read: {refusal}"),
        PurseAnswer::Planned(Ok(_)) => "planned".to_owned(),
        PurseAnswer::Planned(Err(refusal)) => format!("not planned: {refusal}"),
        PurseAnswer::Written(done) => format!("{:?} after {}", done.outcome, done.acknowledged),
    }
}

impl World {
    /// The batches come to the server when it opens for the first time; the key of its chain is there whenever it runs.
    pub(crate) fn batches_are_known(&mut self) {
        let signer = self.server.key.signer();
        let Some(engine) = self.server.engine.as_mut() else {
            return;
        };
        engine.make_credits_with(Box::new(Maker(self.chips.batch.clone())));
        if engine.stream_version(shared_protocol::stream::Stream::Batches).rev > 0 {
            return;
        }
        let batches = self.chips.lists.iter().map(|(number, list)| {
            let signature = signer.sign(&list.message())?;
            let vouchers = vec![sample::DRINK];
            let batch = Batch {
                vouchers,
                ..Batch::new(list.clone(), signature)
            };
            Ok((*number, batch))
        });
        let batches: Result<BTreeMap<u16, Batch>, SignError> = batches.collect();
        let done = batches
            .map_err(|error| error.to_string())
            .and_then(|batches| engine.put_batches(&batches).map_err(|error| error.to_string()));
        if let Err(error) = done {
            self.violation(
                "I4",
                &format!("the batch of wristbands cannot be put in force: {error}"),
            );
        }
    }

    /// A wristband comes into the field; gives what the reader says of it.
    pub(crate) fn lays_down(&mut self, no: DeviceNo, tag: TagId) -> ReaderEvent {
        self.takes_up(no);
        let Some(bands) = self.chips.bands.get_mut(&tag) else {
            return ReaderEvent::Held(Chip::identity(tag));
        };
        let copies = bands.len();
        let which = if copies > 1 {
            self.people_random.index(copies)
        } else {
            0
        };
        let Some(band) = bands.get_mut(which).filter(|band| band.at.is_none()) else {
            // Its guest is at another till just now.
            return ReaderEvent::Left;
        };
        band.at = Some(no);
        let chip = Rc::clone(&band.chip);
        if let Nature::Emulator(emulator) = &band.nature {
            chip.borrow_mut().chip = emulator.shows(no);
        }
        let reached = match band.nature {
            Nature::Copy => Some("copied_wristband_used"),
            Nature::Emulator(_) => Some("emulated_wristband_used"),
            _ => None,
        };
        chip.borrow_mut().restart();
        if self.plan.strikes(Kind::TornTap, 120_000) {
            self.count(Kind::TornTap);
            let random = self.plan.random(Kind::TornTap);
            let at = random.index(EXCHANGES);
            let tear = random.pick(&Tear::OF_A_PAGE).unwrap_or(Tear::Done);
            let fault = random.pick(&[Fault::RemovedBefore, Fault::RemovedAfter, Fault::Torn(tear)]);
            chip.borrow_mut().faults.extend(fault.map(|fault| (at, fault)));
        }
        if let Some(place) = reached {
            self.sometimes.reach(place);
        }
        if let Some(device) = self.devices.get_mut(no.0) {
            let spent = chip.borrow().chip.counter(PURSE_COUNTER);
            device.at_reader.held = Some((tag, spent, device.disk.image.blocks(tag)));
            device.at_reader.lies = Some((tag, chip));
        }
        ReaderEvent::Held(Chip {
            tag,
            capabilities: Capabilities::ULTRALIGHT_AES,
        })
    }

    /// The field of a device is empty again.
    pub(crate) fn takes_up(&mut self, no: DeviceNo) {
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        let Some((tag, chip)) = device.at_reader.lies.take() else {
            return;
        };
        chip.borrow_mut().present = false;
        for band in self.chips.bands.get_mut(&tag).into_iter().flatten() {
            if Rc::ptr_eq(&band.chip, &chip) {
                band.at = None;
                if let Nature::Emulator(emulator) = &mut band.nature {
                    emulator.was_at(no, chip.borrow().chip.clone());
                }
            }
        }
    }

    /// A till wants something of the wristband that lies there.
    pub(crate) fn purse_work(&mut self, no: DeviceNo, boot: u32, work: PurseWork) {
        if let Some(device) = self.devices.get_mut(no.0) {
            device.at_reader.works.push_back(work);
            let takes_ms = self.disk_random.pick(&WORK_MS).unwrap_or(20);
            self.put(takes_ms, Event::Purse { device: no, boot });
        }
    }

    /// It is done.
    pub(crate) fn purse_worked(&mut self, no: DeviceNo, boot: u32) {
        let Some(device) = self.devices.get_mut(no.0) else {
            return;
        };
        let Some(PurseWork { job, task }) = device.at_reader.works.pop_front() else {
            return;
        };
        let keys = self.chips.keys_of(device.till);
        let at = &mut device.at_reader;
        let answer = match *task {
            PurseTask::Read {
                tag,
                lists,
                knowledge,
                entropy,
            } => {
                at.tap = None;
                let handle = at.lies.as_ref().filter(|(lies, _)| *lies == tag);
                let handle = handle.map(|(_, chip)| Handle(Rc::clone(chip)));
                let gone = || LoadRefusal::Link(LinkFault::Field(FieldFault::Gone));
                let read = handle.ok_or_else(gone).and_then(|mut handle| {
                    let selected = handle.reselect().map_err(|_| gone())?;
                    let books = Books {
                        keys: &keys,
                        lists: &lists,
                    };
                    load(handle, &selected, &books, &knowledge, entropy)
                });
                match read {
                    Ok(tap) => {
                        let loaded = Box::new(tap.loaded.clone());
                        at.tap = Some(tap);
                        PurseAnswer::Read(Ok(loaded))
                    }
                    Err(refusal) => PurseAnswer::Read(Err(refusal)),
                }
            }
            PurseTask::Write { tag, plan } => match at.tap.as_mut().filter(|_| plan.intent.uid.tag() == tag) {
                Some(tap) => PurseAnswer::Written(tap.commit(&plan)),
                None => without_session(&keys, PurseTask::Write { tag, plan }),
            },
            plan @ PurseTask::Plan { .. } => without_session(&keys, plan),
        };
        self.log.note(&["purse", &no.0.to_string(), &told(&answer)]);
        if let PurseAnswer::Written(done) = &answer {
            self.sometimes.reach(match done.outcome {
                chips::purse::Outcome::Committed => "purse_paid",
                chips::purse::Outcome::Void => "purse_left_before",
                chips::purse::Outcome::Unknown => "purse_left_in_between",
            });
        }
        self.judge_reading(no, &answer);
        self.step_of(no, boot, Input::Purse { job, answer });
    }

    /// What a till must not read, and what it must have said at least once over many seeds.
    fn judge_reading(&mut self, no: DeviceNo, answer: &PurseAnswer) {
        let PurseAnswer::Read(read) = answer else { return };
        let at = self.devices.get(no.0).and_then(|device| device.at_reader.lies.as_ref());
        let Some((tag, chip)) = at else { return };
        let (tag, chip) = (*tag, Rc::clone(chip));
        let bands = self.chips.bands.get(&tag).into_iter().flatten();
        let is_shell = bands.into_iter().any(|band| {
            let shell = matches!(band.nature, Nature::Shell);
            shell && Rc::ptr_eq(&band.chip, &chip)
        });
        match read {
            Ok(_) if is_shell => self.violation("I6", &format!("a chip with the id of {tag} and no keys was believed")),
            Ok(_) if self.chips.is_foreign(tag) => {
                self.violation("I6", &format!("wristband {tag} of another event was believed"));
            }
            Err(LoadRefusal::Link(LinkFault::NotAuthentic)) if is_shell => self.sometimes.reach("borrowed_id_refused"),
            Err(LoadRefusal::UnknownBatch(_)) if self.chips.is_foreign(tag) => {
                self.sometimes.reach("foreign_wristband_refused");
            }
            Err(LoadRefusal::Regression) => self.sometimes.reach("purse_set_back_refused"),
            _ => {}
        }
    }

    /// I16 of wristbands: a till that had heard that one is blocked before it was held takes no money of it. A payment that was on the chip before is
    /// finished all the same.
    pub(crate) fn observe_blocked(&mut self, no: DeviceNo, order: &Order) {
        let held = self.devices.get(no.0).and_then(|device| device.at_reader.held);
        let Some((tag, spent, true)) = held else { return };
        let pays = |tender: &Tender| tender.kind == TenderKind::Wristband && tender.amount.is_positive();
        let of_tag = |tender: &&Tender| order.tender_tag(tender) == Some(tag);
        if !order.tenders.iter().filter(of_tag).any(pays) || order.kind == OrderKind::Cancel {
            return;
        }
        let paid_before = order.purse.as_ref().is_some_and(|purse| purse.after.debited <= spent);
        if !paid_before {
            let what = format!("device {} took money of blocked wristband {tag}: {order:?}", no.0);
            self.violation("I16", &what);
        }
    }

    /// What has been missing on a purse for long gets its case. At the end there is no later.
    pub(crate) fn reconcile(&mut self, patience_ms: u64) {
        let now_ms = crate::world::EPOCH_MS + self.now_ms;
        let Some(engine) = self.server.engine.as_mut() else {
            return;
        };
        let done = engine
            .gaps(now_ms, patience_ms, u64::MAX)
            .and_then(|tags| engine.process(now_ms, &[Request::Reconcile { tags }]));
        if let Err(error) = done {
            self.violation("I6", &format!("purses cannot be reconciled: {error}"));
        }
    }

    /// I6 and I7 of one wristband: what the books have, with what its gaps and cases say, is what the chip has.
    pub(crate) fn purses_hold(
        &self,
        in_books: impl Fn(TagId) -> i128,
        mismatches: impl Fn(TagId) -> i128,
        has_gap_case: impl Fn(TagId) -> bool,
    ) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut reader = self.server.reader();
        for (tag, bands) in &self.chips.bands {
            if self.chips.is_foreign(*tag) || bands.iter().any(Band::is_changed) {
                continue;
            }
            let loaded = match self.chips.honest(*tag) {
                Ok(loaded) => loaded,
                Err(refusal) => {
                    found.push(("I6", format!("wristband {tag} is dead: {refusal}")));
                    continue;
                }
            };
            let known = reader.purse(sample::EVENT, *tag).ok().flatten();
            // A purse that nobody has told of: nothing happened to it, or at devices only that are lost.
            let Some(purse) = known else { continue };
            let units = loaded.purse.settings.unit_cents;
            let on_chip = shared_protocol::wristband::PurseTotals {
                debited: loaded.purse.image.counter,
                credited: loaded.purse.units(),
            };
            if !on_chip.covers(&purse.seen) {
                found.push((
                    "I7",
                    format!("wristband {tag} has {on_chip:?}, tills saw {:?}", purse.seen),
                ));
            }
            let gaps = purse.gaps(units);
            let sum = |credit: bool| -> i128 {
                let of = gaps.iter().filter(|gap| gap.chain.is_some() == credit);
                of.map(|gap| i128::from(gap.cents.0)).sum()
            };
            let held = purse.seen.held(&units).map_or(0, |held| i128::from(held.0));
            // A credit of the server is in the books when it is given, and on the chip when a till has written it.
            let written = purse.seen.credited.get(ChainId::Server.index()).copied().unwrap_or(0);
            let unit = loaded.purse.settings.unit_of(ChainId::Server);
            let unwritten = i128::from(purse.issued.saturating_sub(written)) * i128::from(unit);
            let expected = in_books(*tag) + mismatches(*tag) + sum(true) - sum(false) - unwritten;
            if held != expected {
                found.push((
                    "I6",
                    format!(
                        "wristband {tag} held {held} when it was last seen, the books have {} and its gaps say {gaps:?}",
                        in_books(*tag)
                    ),
                ));
            }
            if !gaps.is_empty() && !has_gap_case(*tag) {
                found.push((
                    "I6",
                    format!("nothing says why {gaps:?} are missing on wristband {tag}"),
                ));
            }
        }
        found
    }
}
