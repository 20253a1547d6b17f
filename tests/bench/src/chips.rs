//! A wristband's purse: what an operation takes of our own processor, and how long its frames are on the air by the model of the virtual chip.
//!
//! The processor's figures are of this side alone: the conversation is recorded once with a virtual chip and played back. Entropy comes in as
//! data, so that every round says the same; keys are in memory, as on a desk. Air is modelled, not measured: nobody sleeps for it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chips::purse::{Books, Knowledge, Limits, Loaded, Outcome, Payment, Plan, PlanRefusal, TopUp, Update, load};
use chips::simulated::{AirModel, Exchange, SimulatedBatch, SimulatedField, UltralightAesChip};
use chips::{Field, MemoryKeys, identify};
use fixtures::paper::PaperTill;
use shared_protocol::crypto::Signer as _;
use shared_protocol::purse::{BatchList, ChainId, PendingCredit, PurseSettings};
use shared_protocol::wristband::Batch;
use store::MemoryStore;

use crate::figure::{Shape, tell};
use crate::journals::WRISTBANDS;
use crate::prefill::Books as EventBooks;
use crate::process::cpu_us;
use crate::store::row;
use crate::tap;
use crate::tape::{Recorder, Tape};

/// A reader with a virtual wristband on it.
pub type Band = SimulatedField<UltralightAesChip>;

/// The number of the batch.
pub const BATCH: u16 = 5;
/// Wristbands on its list.
const BANDS: u16 = 8;
/// Taps between two looks at the clock.
const ROUNDS: u64 = 8;
const ENTROPY: [u8; 16] = *b"sixteen bytes ok";

/// What is done at a tap after the purse was read.
#[derive(Clone, Copy)]
enum Deed {
    Look,
    Pay(Payment, Option<PendingCredit>),
    TopUp(TopUp),
    Claim(PendingCredit),
    Update(Update),
}

/// A desk: the one device that does all of it.
pub struct Desk {
    pub batch: SimulatedBatch,
    pub keys: MemoryKeys,
    list: BatchList,
    lists: BTreeMap<u16, BatchList>,
}

impl Desk {
    /// A desk of an event with the proposed settings of purses.
    pub fn new() -> Self {
        let mut settings = PurseSettings::usual(77);
        settings.weight_cents = [400, 150];
        let batch = SimulatedBatch::new(settings, BATCH);
        let list = batch.list(BANDS);
        Self {
            keys: batch.desk_keys(),
            lists: BTreeMap::from([(BATCH, list.clone())]),
            list,
            batch,
        }
    }

    /// Its batch as the event's key signs it.
    pub fn signed(&self) -> anyhow::Result<Batch> {
        let signature = PaperTill::signer(200).sign(&self.list.message())?;
        Ok(Batch::new(self.list.clone(), signature))
    }

    /// A wristband as it comes from the encoder.
    pub fn band(&self, index: u16) -> Band {
        SimulatedField::new(self.batch.chip(index))
    }

    /// The same with so many units of each chain on it.
    pub fn rich(&self, index: u16, [desk, server, ret]: [u16; 3]) -> anyhow::Result<Band> {
        let mut band = self.band(index);
        let top_up = |chain, units| {
            Deed::TopUp(TopUp {
                chain,
                cents: u32::from(units) * u32::from(self.batch.settings.unit_of(chain)),
                terminal: 200,
            })
        };
        let mut deeds = vec![top_up(ChainId::Desk, desk)];
        if server > 0 {
            deeds.push(Deed::Claim(self.batch.pending(index, server)));
        }
        if ret > 0 {
            deeds.push(top_up(ChainId::Return, ret));
        }
        for deed in deeds {
            band = self.held(&band, AirModel::CAUTIOUS, &deed)?;
        }
        Ok(band)
    }

    fn plan(&self, loaded: &Loaded, deed: &Deed) -> Result<Option<Plan>, PlanRefusal> {
        let limits = Limits::default();
        match deed {
            Deed::Look => Ok(None),
            Deed::Pay(payment, credit) => loaded.plan_pay(payment, credit.as_slice(), &limits).map(Some),
            Deed::TopUp(top_up) => loaded.plan_top_up(&self.keys, top_up, &limits).map(Some),
            Deed::Claim(credit) => loaded.plan_pending(&[*credit], 3, &limits).map(Some),
            Deed::Update(update) => loaded.plan_update(update).map(Some),
        }
    }

    /// One tap on a chip that was just selected: read, plan, write.
    fn tap<F: Field>(
        &self,
        field: F,
        selected: &chips::Selected,
        knowledge: &Knowledge,
        deed: &Deed,
    ) -> anyhow::Result<Loaded> {
        let books = Books {
            keys: &self.keys,
            lists: &self.lists,
        };
        let mut tap = load(field, selected, &books, knowledge, ENTROPY)?;
        if let Some(plan) = self.plan(&tap.loaded, deed)? {
            let done = tap.commit(&plan);
            anyhow::ensure!(done.outcome == Outcome::Committed, "{done:?}");
        }
        Ok(tap.loaded)
    }

    /// The wristband after a tap, with the exchanges of it.
    fn held(&self, band: &Band, model: AirModel, deed: &Deed) -> anyhow::Result<Band> {
        let mut band = band.clone();
        band.model = model;
        band.restart();
        let selected = band.reselect()?;
        self.tap(&mut band, &selected, &Knowledge::default(), deed)?;
        Ok(band)
    }

    /// What a till knows of a wristband that it has seen before.
    fn seen(&self, band: &Band) -> anyhow::Result<Knowledge> {
        let mut band = band.clone();
        band.restart();
        let selected = band.reselect()?;
        let loaded = self.tap(&mut band, &selected, &Knowledge::default(), &Deed::Look)?;
        Ok(Knowledge {
            last_known: Some(loaded.observed()),
            walk: Some(loaded.purse.walk()),
            ..Knowledge::default()
        })
    }
}

fn sale(minute: u32) -> Deed {
    Deed::Pay(a_beer(minute), None)
}

/// Each in its own minute, as in life: a page that happens to stay the same would flatter the figures.
fn a_beer(minute: u32) -> Payment {
    Payment {
        cents: 450,
        terminal: 3,
        minute,
        ..Payment::default()
    }
}

fn top_up(cents: u32) -> Deed {
    Deed::TopUp(TopUp {
        chain: ChainId::Desk,
        cents,
        terminal: 200,
    })
}

/// Runs the rows.
pub fn run(shape: &Shape) -> anyhow::Result<()> {
    let desk = Desk::new();
    air(shape, &desk)?;
    cpu(shape, &desk)?;
    tap::run(shape, &desk)?;
    books(shape, &desk)
}

/// The life of a wristband, told where an operation is met for the first time, and then each kind of frame that was seen.
fn air(shape: &Shape, desk: &Desk) -> anyhow::Result<()> {
    let voucher = Payment {
        vouchers: [1, 0],
        ..a_beer(14)
    };
    let issued = Update {
        issue: [3, 1],
        terminal: 200,
        minute: 11,
        ..Update::default()
    };
    let life = [
        (Some("balance"), Deed::Look),
        (Some("top_up"), top_up(9_000)),
        (Some("first_payment"), sale(8)),
        (None, sale(9)),
        (Some("usual_payment"), sale(10)),
        (Some("update_vouchers_issued"), Deed::Update(issued)),
        (None, top_up(2_000)),
        (Some("payment_after_an_update"), sale(12)),
        (None, sale(13)),
        (Some("payment_with_a_voucher"), Deed::Pay(voucher, None)),
        (None, sale(15)),
        (
            Some("payment_with_a_folded_credit"),
            Deed::Pay(a_beer(16), Some(desk.batch.pending(0, 100))),
        ),
    ];
    let mut band = desk.band(0);
    let mut frames = BTreeMap::new();
    let selected = band.reselect()?;
    identify(&mut band, &selected)?;
    told(shape, "identify", &band, &band);
    frames.extend(
        band.trace()
            .iter()
            .map(|exchange| (kind(exchange), (*exchange, *exchange))),
    );
    for (name, deed) in life {
        let cautious = desk.held(&band, AirModel::CAUTIOUS, &deed)?;
        let measured = desk.held(&band, AirModel::MEASURED, &deed)?;
        if let Some(name) = name {
            told(shape, name, &cautious, &measured);
        }
        let both = cautious.trace().iter().copied().zip(measured.trace().iter().copied());
        frames.extend(both.map(|both| (kind(&both.0), both)));
        band = cautious;
    }
    for ((name, ..), (cautious, measured)) in frames {
        let more = [
            ("eeprom_1400_us", measured.air_us),
            ("sent_bytes", cautious.sent as u64),
            ("answered_bytes", cautious.answered as u64),
        ];
        let name = format!("chips_modelled_air_of_{name}");
        tell(shape, &name, "us", vec![cautious.air_us], &more);
    }
    Ok(())
}

fn told(shape: &Shape, name: &str, cautious: &Band, measured: &Band) {
    let more = [
        ("eeprom_1400_us", measured.air_us()),
        ("exchanges", cautious.exchanges() as u64),
    ];
    let name = format!("chips_modelled_air_{name}");
    tell(shape, &name, "us", vec![cautious.air_us()], &more);
}

/// Frames of one name and size take the same time.
fn kind(exchange: &Exchange) -> (&'static str, usize, usize) {
    let name = match (exchange.command, exchange.answered) {
        (0x60, _) => "get_version",
        (0x30, _) => "read",
        (0x1A, _) => "authenticate_1",
        (0xAF, _) => "authenticate_2",
        (0x39, _) => "read_cnt",
        (0x3A, 0..=24) => "fast_read_4_pages",
        (0x3A, 25..=40) => "fast_read_8_pages",
        (0x3A, _) => "fast_read_32_pages",
        (0xA2, _) => "write",
        (0xA5, _) => "incr_cnt",
        _ => "other",
    };
    (name, exchange.sent, exchange.answered)
}

/// Our own side of a tap, from the selected chip to the answer of its last frame.
fn cpu(shape: &Shape, desk: &Desk) -> anyhow::Result<()> {
    let mut usual = desk.rich(0, [180, 100, 4])?;
    let mut full = desk.rich(1, desk.batch.settings.length)?;
    for minute in [5, 6] {
        usual = desk.held(&usual, AirModel::CAUTIOUS, &sale(minute))?;
        full = desk.held(&full, AirModel::CAUTIOUS, &sale(minute))?;
    }
    let stranger = Knowledge::default();
    let seen = desk.seen(&usual)?;
    let folding = Deed::Pay(a_beer(10), Some(desk.batch.pending(0, 200)));
    for (name, band, knowledge, deed) in [
        ("balance_cached_walk", &usual, &seen, Deed::Look),
        ("payment_cached_walk", &usual, &seen, sale(10)),
        ("payment_with_a_folded_credit_cached_walk", &usual, &seen, folding),
        ("top_up_cached_walk", &usual, &seen, top_up(2_000)),
        ("payment_first_met", &usual, &stranger, sale(10)),
        ("payment_longest_walk", &full, &stranger, sale(10)),
    ] {
        let mut live = band.clone();
        live.restart();
        let mut tape = Tape::new(live.reselect()?);
        let selected = tape.selected.clone();
        let recorder = Recorder {
            field: &mut live,
            tape: &mut tape,
        };
        let loaded = desk.tap(recorder, &selected, knowledge, &deed)?;
        let walked: u64 = match &knowledge.walk {
            Some(_) => 0,
            None => loaded.purse.units().iter().map(|units| u64::from(*units)).sum(),
        };
        let mut costs = Vec::new();
        for _ in 0..shape.runs {
            let (begun, cpu) = (Instant::now(), cpu_us(std::process::id()));
            let mut rounds = 0;
            while begun.elapsed() < Duration::from_secs(shape.seconds) {
                for _ in 0..ROUNDS {
                    let mut player = tape.play();
                    desk.tap(&mut player, &tape.selected, knowledge, &deed)?;
                    anyhow::ensure!(player.is_over(), "the tap ended before its recording");
                }
                rounds += ROUNDS;
            }
            costs.push((cpu_us(std::process::id()) - cpu) * 1_000 / rounds.max(1));
        }
        let more = [("exchanges", tape.len() as u64), ("steps_walked_at_reading", walked)];
        tell(shape, &format!("chips_own_cpu_{name}"), "ns", costs, &more);
    }
    Ok(())
}

/// The books' side: sales that purses paid, each put in its place on the line of its purse.
fn books(shape: &Shape, desk: &Desk) -> anyhow::Result<()> {
    let mut books = EventBooks::start(MemoryStore::new(1), PaperTill::signer(200))?;
    books.pay_from_purses(desk.signed()?)?;
    // Once each was at as many tills as are remembered of a purse, what is known of it grows no more.
    books.grow(u64::from(WRISTBANDS) * 17)?;
    row(shape, &mut books, 128, "chips_engine_over_memory_purse_moves_batch_128")
}
