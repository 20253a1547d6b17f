//! A wristband with a purse on a reader: top-ups, payments, and payments that break off, as a till does them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chips::purse::{
    Books, Done, Intent, Knowledge, Limits, Loaded, Outcome, Payment, Plan, PlanRefusal, Resolution, TopUp, load,
};
use chips::simulated::{Fault, SimulatedBatch, Tear};
use chips::{Field, FieldFault, MemoryKeys};
use core_ffi::readers::{Happening, HardwareReader};
use shared_protocol::Amount;
use shared_protocol::purse::{BatchList, ChainId, PurseSettings};

use crate::Table;
use crate::asked::{next_chip, next_on_table};

const EVENT: u32 = 77;
const BATCH: u16 = 5;
const TERMINAL: u16 = 3;

/// A batch of wristbands and a desk that may sell and add money.
pub struct Desk {
    /// Minutes that went by: each deed takes one.
    minute: Cell<u32>,
    batch: SimulatedBatch,
    keys: MemoryKeys,
    lists: BTreeMap<u16, BatchList>,
}

/// What one deed took.
pub struct Took {
    /// Exchanges with the chip.
    pub exchanges: usize,
    /// From the first to the last, with all that is computed in between.
    pub time: Duration,
}

impl Default for Desk {
    fn default() -> Self {
        let batch = SimulatedBatch::new(PurseSettings::usual(EVENT), BATCH);
        Self {
            minute: Cell::new(9),
            keys: batch.desk_keys(),
            lists: batch.lists(2),
            batch,
        }
    }
}

impl Desk {
    /// Lays down a wristband as it comes from the encoder, and waits until the reader tells of it.
    pub fn arrive(&self, reader: &mut dyn HardwareReader, table: &Table) {
        table.lay(self.batch.chip(0));
        assert_eq!(next_chip(reader).uid, self.batch.uid(0).tag());
    }

    /// Reads, plans, writes.
    fn does(
        &self,
        field: &mut dyn Field,
        open: &[Intent],
        plan: impl FnOnce(&Loaded) -> Result<Plan, PlanRefusal>,
    ) -> (Intent, Done, Loaded) {
        let selected = field.reselect().expect("a wristband");
        let mut tap = load(field, &selected, &self.books(), &knowing(open), random()).expect("a purse");
        let plan = plan(&tap.loaded).expect("a plan");
        let done = tap.commit(&plan);
        (plan.intent, done, tap.loaded)
    }

    fn books(&self) -> Books<'_> {
        Books {
            keys: &self.keys,
            lists: &self.lists,
        }
    }

    fn pay(&self, field: &mut dyn Field, cents: u32, open: &[Intent]) -> (Intent, Done, Loaded) {
        let minute = self.minute.replace(self.minute.get() + 1);
        let payment = Payment {
            cents,
            terminal: TERMINAL,
            minute,
            ..Payment::default()
        };
        self.does(field, open, |loaded| loaded.plan_pay(&payment, &[], &Limits::default()))
    }

    fn top_up(&self, field: &mut dyn Field, cents: u32) -> (Intent, Done, Loaded) {
        let top_up = TopUp {
            chain: ChainId::Desk,
            cents,
            terminal: TERMINAL,
        };
        self.does(field, &[], |loaded| {
            loaded.plan_top_up(&self.keys, &top_up, &Limits::default())
        })
    }

    /// What is on the wristband, and what became of an intent.
    fn look(&self, field: &mut dyn Field, open: &[Intent]) -> (Amount, Option<Resolution>) {
        let selected = field.reselect().expect("a wristband");
        let tap = load(field, &selected, &self.books(), &knowing(open), random()).expect("a purse");
        let resolution = open.first().map(|intent| tap.loaded.resolve(intent));
        (tap.loaded.balance(), resolution)
    }

    /// A top-up of 20.00 and a payment of 4.50.
    pub fn tops_up_and_pays(&self, reader: &mut dyn HardwareReader, table: &Table) -> [Took; 2] {
        let field = reader.field();
        let timed = |deed: &mut dyn FnMut() -> (Intent, Done, Loaded)| {
            let (frames, began) = (table.frames(), Instant::now());
            let (_, done, loaded) = deed();
            let time = began.elapsed();
            assert_eq!(done.outcome, Outcome::Committed, "{done:?}");
            let exchanges = table.frames() - frames;
            (loaded.balance(), Took { exchanges, time })
        };
        let (before, _) = self.look(field, &[]);
        let (after, top_up) = timed(&mut || self.top_up(field, 2_000));
        assert_eq!(after, Amount(before.0 + 2_000));
        let (after, payment) = timed(&mut || self.pay(field, 450, &[]));
        assert_eq!(after, Amount(before.0 + 1_550));
        assert_eq!(self.look(field, &[]), (after, None));
        [top_up, payment]
    }

    /// A payment that breaks off at each of its frames, in each of some ways, is resolved at the next tap and in the end charged exactly once.
    /// Gives how many were broken.
    pub fn repairs_payments(&self, reader: &mut dyn HardwareReader, table: &Table, faults: &[Fault]) -> usize {
        let (mut balance, _) = self.look(reader.field(), &[]);
        let frames = table.frames();
        let (_, done, loaded) = self.pay(reader.field(), 10, &[]);
        assert_eq!(done.outcome, Outcome::Committed);
        balance = Amount(balance.0 - 10);
        assert_eq!(loaded.balance(), balance);
        let whole = table.frames() - frames;
        let reading = whole - done.acknowledged;

        let mut broken = 0;
        for step in reading..whole {
            for fault in faults {
                let case = format!("{fault:?} at frame {step} of {whole}");
                table.break_at(table.frames() + step, *fault);
                let (intent, done, _) = self.pay(reader.field(), 10, &[]);
                assert_ne!(done.outcome, Outcome::Committed, "{case}");
                left(reader);
                table.lay_again();
                next_chip(reader);

                let (there, resolution) = self.look(reader.field(), &[intent]);
                balance = match (done.outcome, resolution) {
                    (_, Some(Resolution::Void)) => balance,
                    (Outcome::Unknown, Some(Resolution::Committed)) => Amount(balance.0 - 10),
                    (outcome, resolution) => panic!("{case}: {outcome:?}, then {resolution:?}"),
                };
                assert_eq!(there, balance, "{case}");
                broken += 1;
            }
        }
        // And it still pays.
        let (_, done, loaded) = self.pay(reader.field(), 10, &[]);
        assert_eq!(
            (done.outcome, loaded.balance()),
            (Outcome::Committed, Amount(balance.0 - 10))
        );
        broken
    }
}

/// Ways a frame can be lost, as a reader sees them.
pub const LOST: [Fault; 5] = [
    Fault::RemovedBefore,
    Fault::RemovedAfter,
    Fault::Torn(Tear::NotStarted),
    Fault::Torn(Tear::First(2)),
    Fault::Torn(Tear::Done),
];

fn knowing(open: &[Intent]) -> Knowledge {
    Knowledge {
        open: open.to_vec(),
        ..Knowledge::default()
    }
}

fn random() -> [u8; 16] {
    *b"drawn by a test."
}

fn left(reader: &mut dyn HardwareReader) {
    let happening = next_on_table(reader);
    assert!(matches!(happening, Happening::Left), "{happening:?}");
    assert!(matches!(reader.field().reselect(), Err(FieldFault::Gone)));
}
