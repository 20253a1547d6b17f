//! Virtual wristbands in a folder: a reader that holds one after another. Each says that it is simulated; none is worth anything.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chips::field::{Field, Selected};
use chips::simulated::{Answer, Fault, SimulatedField, Tear, UltralightAesChip, VirtualChip, simulated_signature};
use shared_protocol::ids::{hex, parse_hex};
use shared_protocol::purse::Uid;

use crate::readers::bell::Bell;
use crate::readers::{EmptyField, Happening, HardwareReader, Over, ReaderInfo, Waker};

/// What is wrong with a virtual wristband.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SimulatedFault {
    /// It is pulled away at this exchange when it is held for the first time, in the middle of a write if there is one.
    Torn(usize),
    /// Nobody signed its id.
    Counterfeit,
    /// It says yes when this page is written and keeps what it had.
    Stubborn(u8),
    /// It counted before.
    Used,
}

const PAGES: u8 = 0x3C;
const NAME: &str = "virtual reader (simulated)";

/// A virtual chip that may be stubborn.
#[derive(Debug, Clone)]
pub struct DrawerChip {
    chip: UltralightAesChip,
    stubborn: Option<u8>,
    counterfeit: bool,
}

impl DrawerChip {
    fn new(uid: Uid, fault: Option<SimulatedFault>) -> Self {
        let counterfeit = fault == Some(SimulatedFault::Counterfeit);
        let mut chip = UltralightAesChip::factory(uid);
        if !counterfeit {
            chip = chip.with_signature(simulated_signature(uid));
        }
        if fault == Some(SimulatedFault::Used) {
            chip.set_counter(2, 7);
        }
        let stubborn = match fault {
            Some(SimulatedFault::Stubborn(page)) => Some(page),
            _ => None,
        };
        Self {
            chip,
            stubborn,
            counterfeit,
        }
    }

    /// The chip itself.
    pub const fn chip(&mut self) -> &mut UltralightAesChip {
        &mut self.chip
    }

    fn text(&self) -> String {
        let pages: Vec<u8> = (0..PAGES).flat_map(|page| self.chip.page(page)).collect();
        let counters = [0, 1, 2].map(|counter| self.chip.counter(counter).to_string());
        let stubborn = self.stubborn.map_or("-".to_owned(), |page| page.to_string());
        format!(
            "simulated\npages {}\ncounters {}\nstubborn {stubborn}\ncounterfeit {}\n",
            hex(&pages),
            counters.join(" "),
            self.counterfeit
        )
    }

    fn read(uid: Uid, text: &str) -> Option<Self> {
        let fields: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once(' ')).collect();
        let counterfeit = fields.get("counterfeit")? == &"true";
        let mut made = Self::new(uid, counterfeit.then_some(SimulatedFault::Counterfeit));
        let pages = parse_hex(fields.get("pages")?)?;
        for (page, bytes) in (0..PAGES).zip(pages.as_chunks::<4>().0) {
            made.chip.set_page(page, *bytes);
        }
        for (counter, value) in (0..3).zip(fields.get("counters")?.split(' ')) {
            made.chip.set_counter(counter, value.parse().ok()?);
        }
        made.stubborn = fields.get("stubborn")?.parse().ok();
        made.chip.power_off();
        Some(made)
    }
}

impl VirtualChip for DrawerChip {
    fn selected(&self) -> Selected {
        self.chip.selected()
    }

    fn frame(&mut self, frame: &[u8]) -> Answer {
        let kept = match (frame, self.stubborn) {
            ([0xA2, page, ..], Some(stubborn)) if *page == stubborn => Some((stubborn, self.chip.page(stubborn))),
            _ => None,
        };
        let answer = self.chip.frame(frame);
        if let Some((page, bytes)) = kept {
            self.chip.set_page(page, bytes);
        }
        answer
    }

    fn power_off(&mut self) {
        self.chip.power_off();
    }

    fn torn(&mut self, frame: &[u8], tear: Tear) {
        self.chip.torn(frame, tear);
    }

    fn writes(&self, frame: &[u8]) -> u32 {
        self.chip.writes(frame)
    }
}

/// A drawer with virtual wristbands, as a reader to which they are held in turn. When it is empty, the reader is unplugged.
pub struct Drawer {
    folder: Option<PathBuf>,
    waiting: VecDeque<(Uid, Option<Fault>, usize)>,
    chips: BTreeMap<Uid, DrawerChip>,
    on: Option<SimulatedField<DrawerChip>>,
    begun: bool,
    told_left: bool,
    bell: Arc<Bell>,
    nothing: EmptyField,
}

impl Drawer {
    /// New chips as they come from the factory; those with a fault by their number from 1. With a folder they are kept there.
    pub fn new(count: u16, batch: u16, faults: &BTreeMap<u16, SimulatedFault>, folder: Option<&Path>) -> Self {
        let mut drawer = Self::empty(folder);
        for number in 1..=count {
            let ([b0, b1], [n0, n1]) = (batch.to_le_bytes(), number.to_le_bytes());
            // The maker's byte is NXP's, as every reader expects it; the rest says what this is to whoever knows.
            let uid = Uid([0x04, 0x51, b0, b1, n0, n1, 0x80]);
            let fault = faults.get(&number).copied();
            drawer.chips.insert(uid, DrawerChip::new(uid, fault));
            if let Some(SimulatedFault::Torn(exchange)) = fault {
                drawer
                    .waiting
                    .push_back((uid, Some(Fault::Torn(Tear::AllZero)), exchange));
            }
            drawer.waiting.push_back((uid, None, 0));
        }
        drawer
    }

    /// The chips of a folder.
    pub fn open(folder: &Path) -> std::io::Result<Self> {
        let mut drawer = Self::empty(Some(folder));
        let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        paths.sort();
        for path in paths {
            let uid = path
                .file_stem()
                .and_then(|stem| parse_hex(stem.to_str()?)?.try_into().ok().map(Uid));
            let Some(uid) = uid.filter(|_| path.extension().is_some_and(|ext| ext == "chip")) else {
                continue;
            };
            if let Some(chip) = DrawerChip::read(uid, &std::fs::read_to_string(&path)?) {
                drawer.chips.insert(uid, chip);
                drawer.waiting.push_back((uid, None, 0));
            }
        }
        Ok(drawer)
    }

    fn empty(folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
            waiting: VecDeque::new(),
            chips: BTreeMap::new(),
            on: None,
            begun: false,
            told_left: true,
            bell: Arc::default(),
            nothing: EmptyField,
        }
    }

    /// What a reader says of it.
    pub fn info(&self) -> ReaderInfo {
        ReaderInfo {
            name: NAME.to_owned(),
            over: Over::Pcsc(None),
            holds: self.on.is_some(),
        }
    }

    /// Takes the chip off the reader and puts it back into the drawer.
    fn put_back(&mut self) {
        let Some(mut field) = self.on.take() else { return };
        field.chip.power_off();
        let uid = field.chip.uid();
        if let Some(folder) = &self.folder {
            let kept = std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(folder.join(format!("{uid}.chip")), field.chip.text()));
            if let Err(error) = kept {
                tracing::warn!(%error, "a virtual wristband could not be kept");
            }
        }
        self.chips.insert(uid, field.chip);
    }
}

impl DrawerChip {
    /// Its id, also where it would draw a random one.
    fn uid(&self) -> Uid {
        let ([u0, u1, u2, _], [u3, u4, u5, u6]) = (self.chip.page(0), self.chip.page(1));
        Uid([u0, u1, u2, u3, u4, u5, u6])
    }
}

impl HardwareReader for Drawer {
    fn wait(&mut self) -> Happening {
        if !std::mem::replace(&mut self.begun, true) {
            return Happening::Plugged(self.info());
        }
        if !std::mem::replace(&mut self.told_left, true) {
            self.put_back();
            return Happening::Left;
        }
        let Some((uid, fault, exchange)) = self.waiting.pop_front() else {
            return Happening::Unplugged { name: NAME.to_owned() };
        };
        let Some(chip) = self.chips.remove(&uid) else {
            return Happening::Left;
        };
        let mut field = SimulatedField::new(chip);
        field.restart();
        if let Some(fault) = fault {
            field.faults.insert(exchange, fault);
        }
        let selected = field.chip.selected();
        (self.on, self.told_left) = (Some(field), false);
        Happening::Chip(selected)
    }

    fn field(&mut self) -> &mut dyn Field {
        match &mut self.on {
            Some(field) => field,
            None => &mut self.nothing,
        }
    }

    fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.bell))
    }
}
