//! Wristbands with a purse: virtual chips that guests carry from till to till, hold too short, and that thieves copy, set back and write on.
//!
//! The frames are the real ones, over the real cores. What is checked at the end: the books have what the chip has, but for what a gap with a case
//! says to the cent (I6); nothing on a genuine chip ever goes down (I7); no chip is dead; thieves take no more than was certified.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use chips::purse::{Books, Knowledge, Limits, LoadRefusal, Tap, TopUp, load};
use chips::simulated::{Fault, SimulatedBatch, SimulatedField, Tear, UltralightAesChip};
use chips::ultralight::LinkFault;
use chips::{Capabilities, Chip, Field, FieldFault, KeyRole, MemoryKeys, ReaderEvent, Selected};
use engine::Request;
use fixtures::sample;
use shared_protocol::config::Config;
use shared_protocol::order::OrderKind;
use shared_protocol::purse::{BatchList, ChainId, PurseSettings};
use shared_protocol::wristband::Batch;
use shared_protocol::{TagId, TillId};
use store::Reader as _;
use terminal::{Input, PurseAnswer, PurseTask, PurseWork, without_session};

use crate::events::{DeviceNo, Event};
use crate::faults::Kind;
use crate::world::World;

const BATCH: u16 = 5;
/// Guests with such a wristband.
const BANDS: u16 = 40;
/// How long a piece of work takes, in ms: air and the phone's own time.
const WORK_MS: [u64; 3] = [20, 45, 90];
/// The last exchange of the longest tap at which something may go wrong.
const EXCHANGES: usize = 22;

type OnReader = Rc<RefCell<SimulatedField<UltralightAesChip>>>;

/// A chip as a reader sees it, shared with the guest who may pull it away.
#[derive(Clone)]
pub(crate) struct Handle(OnReader);

impl Field for Handle {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        self.0.borrow_mut().transceive(frame)
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        self.0.borrow_mut().reselect()
    }
}

/// A wristband that somebody carries.
struct Band {
    chip: OnReader,
    at: Option<DeviceNo>,
    /// Somebody wrote on it by other ways than a till.
    attacked: bool,
}

/// All wristbands with a purse: the genuine one of a guest comes first, copies of it follow.
pub(crate) struct Chips {
    batch: SimulatedBatch,
    /// The anchors take a while to compute; they never change.
    lists: BTreeMap<u16, BatchList>,
    config: Config,
    bands: BTreeMap<TagId, Vec<Band>>,
    /// What a thief once read: pages to write back later.
    seen: BTreeMap<TagId, UltralightAesChip>,
}

/// The work of a device on the wristband that lies there.
#[derive(Default)]
pub(crate) struct AtReader {
    lies: Option<(TagId, OnReader)>,
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
        let settings = PurseSettings {
            length: [1_600, 2_000, 800],
            ..PurseSettings::usual(77)
        };
        let batch = SimulatedBatch::new(settings, BATCH);
        let band = |index| {
            let field = SimulatedField::new(batch.chip(index));
            let band = Band {
                chip: Rc::new(RefCell::new(field)),
                at: None,
                attacked: false,
            };
            (batch.uid(index).tag(), vec![band])
        };
        Self {
            bands: (0..BANDS).map(band).collect(),
            seen: BTreeMap::new(),
            lists: batch.lists(BANDS),
            config: sample::config(),
            batch,
        }
    }

    pub fn tags(&self) -> impl Iterator<Item = TagId> + '_ {
        self.bands.keys().copied()
    }

    /// What an honest reader with no memory finds on a guest's own wristband.
    fn honest(&self, tag: TagId) -> Result<chips::purse::Loaded, LoadRefusal> {
        let Some(band) = self.bands.get(&tag).and_then(|bands| bands.first()) else {
            return Err(LoadRefusal::NoPurse);
        };
        let mut field = SimulatedField::new(band.chip.borrow().chip.clone());
        let selected = field
            .reselect()
            .map_err(|fault| LoadRefusal::Link(LinkFault::Field(fault)))?;
        let keys = self.batch.sale_keys();
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

    fn keys_of(&self, till: TillId) -> MemoryKeys {
        let till = self.config.tills.get(&till);
        let desk = till.is_some_and(|till| till.order_kinds.contains(&OrderKind::TopUp));
        let mut roles = vec![KeyRole::Auth, KeyRole::Mac, KeyRole::Chain(ChainId::Return)];
        if desk {
            roles.push(KeyRole::Chain(ChainId::Desk));
        }
        self.batch.keys(&roles)
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
    /// The batch comes to the server when it opens for the first time.
    pub(crate) fn batches_are_known(&mut self) {
        let signer = self.server.key.signer();
        let Some(engine) = self.server.engine.as_mut() else {
            return;
        };
        if engine.stream_version(shared_protocol::stream::Stream::Batches).rev > 0 {
            return;
        }
        let Some(list) = self.chips.lists.get(&BATCH).cloned() else {
            return;
        };
        let made = signer.sign(&list.message());
        let done = made.map_err(|error| error.to_string()).and_then(|signature| {
            let batches = BTreeMap::from([(BATCH, Batch::new(list, signature))]);
            engine.put_batches(&batches).map_err(|error| error.to_string())
        });
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
        chip.borrow_mut().restart();
        if self.plan.strikes(Kind::TornTap, 120_000) {
            self.count(Kind::TornTap);
            let random = self.plan.random(Kind::TornTap);
            let at = random.index(EXCHANGES);
            let tear = random.pick(&Tear::OF_A_PAGE).unwrap_or(Tear::Done);
            let fault = random.pick(&[Fault::RemovedBefore, Fault::RemovedAfter, Fault::Torn(tear)]);
            chip.borrow_mut().faults.extend(fault.map(|fault| (at, fault)));
        }
        if which > 0 {
            self.sometimes.reach("copied_wristband_used");
        }
        if let Some(device) = self.devices.get_mut(no.0) {
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
        if let PurseAnswer::Read(Err(LoadRefusal::Regression)) = &answer {
            self.sometimes.reach("purse_set_back_refused");
        }
        self.step_of(no, boot, Input::Purse { job, answer });
    }

    /// A thief strikes at a wristband that lies nowhere.
    pub(crate) fn strike_chip(&mut self, kind: Kind) -> Option<()> {
        let free = |bands: &&Vec<Band>| bands.iter().all(|band| band.at.is_none() && !band.attacked);
        let tags: Vec<TagId> = self
            .chips
            .bands
            .iter()
            .filter(|(_, bands)| free(bands))
            .map(|(tag, _)| *tag)
            .collect();
        let tag = self.plan.random(kind).pick(&tags)?;
        let before = self.chips.honest(tag).ok()?.balance();
        self.log.note(&["thief", kind.name(), &tag.to_string()]);
        let (batch, lists) = (self.chips.batch.clone(), self.chips.lists.clone());
        let band = self.chips.bands.get_mut(&tag)?.first_mut()?;
        match kind {
            Kind::ChipCopied => {
                let copy = Band {
                    chip: Rc::new(RefCell::new(SimulatedField::new(band.chip.borrow().chip.clone()))),
                    at: None,
                    attacked: true,
                };
                band.attacked = true;
                self.chips.bands.get_mut(&tag)?.push(copy);
            }
            Kind::ChipReplayed => {
                let now = band.chip.borrow().chip.clone();
                let Some(old) = self.chips.seen.remove(&tag) else {
                    self.chips.seen.insert(tag, now);
                    return Some(());
                };
                band.attacked = true;
                // The pages, but not the counter: that goes back on no genuine chip.
                for page in 0x08..0x28 {
                    band.chip.borrow_mut().chip.set_page(page, old.page(page));
                }
            }
            Kind::ChipForged => {
                band.attacked = true;
                for _ in 0..self.plan.random(kind).between(1, 8) {
                    let page = u8::try_from(0x08 + self.plan.random(kind).below(0x20)).unwrap_or(0x08);
                    let bytes = self.plan.random(kind).bytes();
                    band.chip.borrow_mut().chip.set_page(page, bytes);
                }
            }
            // A stolen top-up phone writes credits that no journal tells of.
            _ => {
                let mut field = Handle(Rc::clone(&band.chip));
                field.0.borrow_mut().restart();
                let keys = batch.desk_keys();
                let books = Books {
                    keys: &keys,
                    lists: &lists,
                };
                let selected = field.reselect().ok()?;
                let mut tap = load(field, &selected, &books, &Knowledge::default(), *b"a thief's random").ok()?;
                let cents = u32::try_from(50 * self.plan.random(kind).between(10, 200)).ok()?;
                let top_up = TopUp {
                    chain: ChainId::Desk,
                    cents,
                    terminal: 1,
                };
                let plan = tap.loaded.plan_top_up(&keys, &top_up, &Limits::default()).ok()?;
                let _ = tap.commit(&plan);
                self.sometimes.reach("credit_by_a_thief");
                return Some(());
            }
        }
        if let Ok(after) = self.chips.honest(tag)
            && after.balance() > before
        {
            let what = format!(
                "a thief made {} of {before} on wristband {tag} by {}",
                after.balance(),
                kind.name()
            );
            self.violation("I6", &what);
        }
        Some(())
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
            if bands.iter().any(|band| band.attacked) {
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
            let Some(purse) = known else {
                if loaded.purse.image.counter != 0 || loaded.balance().0 != 0 {
                    // Everything that happened to it happened at devices that are lost.
                    continue;
                }
                continue;
            };
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
            let expected = in_books(*tag) + mismatches(*tag) + sum(true) - sum(false);
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
