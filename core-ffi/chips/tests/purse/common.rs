//! A small festival around one wristband: its batch, a till, a desk, a server.

use std::collections::BTreeMap;

use chips::purse::{
    Books, Done, Intent, Knowledge, Limits, LoadRefusal, Loaded, Payment, Plan, PlanRefusal, Tap, TopUp, Update, load,
};
use chips::simulated::{SimulatedBatch, SimulatedField, UltralightAesChip};
use chips::{Field as _, MemoryKeys};
use shared_protocol::purse::{BatchList, ChainId, Image, KnownWalk, PendingCredit, PurseSettings};

/// The reader of these tests.
pub type Reader = SimulatedField<UltralightAesChip>;

/// What the tests share.
pub struct Festival {
    pub batch: SimulatedBatch,
    pub lists: BTreeMap<u16, BatchList>,
    pub desk: MemoryKeys,
    pub sale: MemoryKeys,
    /// A walk that every till of this festival remembers, unless it brings its own.
    pub walk: Option<KnownWalk>,
}

/// Short chains, because the matrix walks them some million times.
pub fn settings() -> PurseSettings {
    PurseSettings {
        event: 77,
        unit_cents: [50, 10, 10],
        length: [240, 240, 60],
        weight_cents: [400, 150],
    }
}

impl Festival {
    pub fn new(settings: PurseSettings) -> Self {
        let batch = SimulatedBatch::new(settings, 5);
        Self {
            lists: batch.lists(4),
            desk: batch.desk_keys(),
            sale: batch.sale_keys(),
            walk: None,
            batch,
        }
    }

    pub fn reader(&self, index: u16) -> Reader {
        SimulatedField::new(self.batch.chip(index))
    }

    /// Holds the wristband: the field is off before.
    pub fn tap<'a>(&self, reader: &'a mut Reader, knowledge: &Knowledge) -> Result<Tap<&'a mut Reader>, LoadRefusal> {
        let selected = reader.reselect().map_err(|fault| LoadRefusal::Link(fault.into()))?;
        let books = Books {
            keys: &self.sale,
            lists: &self.lists,
        };
        let remembered;
        let knowledge = if knowledge.walk.is_none() && self.walk.is_some() {
            remembered = Knowledge {
                walk: self.walk,
                ..knowledge.clone()
            };
            &remembered
        } else {
            knowledge
        };
        load(
            reader,
            &selected,
            &books,
            knowledge,
            0x0102_0304_0506_0708_090A_0B0C_0D0E_0F10_u128.to_be_bytes(),
        )
    }

    /// What is on the wristband, read without a fault.
    pub fn look(&self, reader: &mut Reader) -> Result<Loaded, LoadRefusal> {
        reader.restart();
        self.tap(reader, &Knowledge::default()).map(|tap| tap.loaded)
    }

    /// Plans and commits without a fault, from whatever the chip holds.
    pub fn does(&self, reader: &mut Reader, deed: &Deed) -> Done {
        reader.restart();
        let mut tap = self.tap(reader, &Knowledge::default()).expect("a purse");
        let plan = self.plan(&tap.loaded, deed).expect("a plan");
        tap.commit(&plan)
    }

    pub fn plan(&self, loaded: &Loaded, deed: &Deed) -> Result<Plan, PlanRefusal> {
        let limits = Limits::default();
        match deed {
            Deed::Pay(payment) => loaded.plan_pay(payment, &[], &limits),
            Deed::PayFolding(payment, pending) => loaded.plan_pay(payment, &[*pending], &limits),
            Deed::TopUp(top_up) => loaded.plan_top_up(&self.desk, top_up, &limits),
            Deed::Claim(pending) => loaded.plan_pending(&[*pending], 3, &limits),
            Deed::Update(update) => loaded.plan_update(update),
        }
    }
}

/// Something that is done to a wristband.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Pay(Payment),
    PayFolding(Payment, PendingCredit),
    TopUp(TopUp),
    Claim(PendingCredit),
    Update(Update),
}

pub fn pay(cents: u32, terminal: u16) -> Deed {
    Deed::Pay(Payment {
        cents,
        terminal,
        minute: 9,
        ..Payment::default()
    })
}

pub fn top_up(cents: u32, terminal: u16) -> Deed {
    credit(ChainId::Desk, cents, terminal)
}

pub fn credit(chain: ChainId, cents: u32, terminal: u16) -> Deed {
    Deed::TopUp(TopUp { chain, cents, terminal })
}

pub fn issue(vouchers: [u16; 2], terminal: u16) -> Deed {
    Deed::Update(Update {
        issue: vouchers,
        terminal,
        minute: 9,
        ..Update::default()
    })
}

/// What a till knows that has this intent open.
pub fn open(intent: &Intent) -> Knowledge {
    Knowledge {
        open: vec![*intent],
        ..Knowledge::default()
    }
}

/// The image on the chip, read without a reader.
pub fn image(chip: &UltralightAesChip) -> Image {
    let pages: Vec<u8> = (0x04..=0x27).flat_map(|page| chip.page(page)).collect();
    Image::new(&pages, chip.counter(2)).expect("an image")
}
