//! What is done to wristbands by other ways than a till: they are copied, emulated, set back, written on and worn out, and a stolen desk credits them.
//!
//! What is checked: no strike makes a wristband richer, whatever keys of a selling till are in it; and what all copies of a wristband cost together
//! stays within what the settings promise (I10): each copy what was on the wristband when it was copied, each emulator that at every till
//! that it can show another past to. Nobody learns of a loss from the sums only: there is a case for the wristband.

use std::collections::BTreeMap;

use chips::KeyRole;
use chips::purse::{Books, Knowledge, Limits, TopUp, load};
use chips::simulated::UltralightAesChip;
use chips::{Field as _, MemoryKeys};
use engine::{BatchChange, Request};
use fixtures::sample;
use shared_protocol::purse::image::slot_page;
use shared_protocol::purse::{AesKey, ChainId, Purpose, Record, Slot, Uid};
use shared_protocol::wristband::PurseTotals;
use shared_protocol::{Amount, TagId};
use store::Reader as _;

use crate::chips::{BATCH, Band, Handle, Nature};
use crate::events::DeviceNo;
use crate::faults::Kind;
use crate::world::World;

/// The first and the last page of a purse that a payment or a top-up writes.
const WRITTEN_PAGES: (u8, u8) = (0x08, 0x27);
/// Where the debit counter ends (24 bit).
const COUNTER_END: u32 = 0x00FF_FFFF;

/// A wristband was copied with this on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Copied {
    cents: i64,
    emulated: bool,
}

/// A chip in software with everything that was on a wristband. It shows every till the past that this till knows.
pub(crate) struct Emulator {
    copied: UltralightAesChip,
    shown: BTreeMap<DeviceNo, UltralightAesChip>,
}

impl Emulator {
    pub fn new(copied: UltralightAesChip) -> Self {
        Self {
            copied,
            shown: BTreeMap::new(),
        }
    }

    /// The memory for this till.
    pub fn shows(&self, to: DeviceNo) -> UltralightAesChip {
        self.shown.get(&to).unwrap_or(&self.copied).clone()
    }

    /// What is on it after this till.
    pub fn was_at(&mut self, till: DeviceNo, chip: UltralightAesChip) {
        self.shown.insert(till, chip);
    }
}

fn page_of(random: u64) -> u8 {
    let (first, last) = WRITTEN_PAGES;
    u8::try_from(u64::from(first) + random % u64::from(last - first + 1)).unwrap_or(first)
}

impl World {
    /// Whoever has copies of a wristband goes shopping with them, and best where there is no network.
    pub(crate) fn thief_shops(&mut self, no: DeviceNo) -> Option<TagId> {
        let copied: Vec<TagId> = self.chips.copied.keys().copied().collect();
        let offline = self.devices.get(no.0).is_some_and(|device| device.reach.offline);
        if copied.is_empty() || !self.people_random.percent(if offline { 85 } else { 1 }) {
            return None;
        }
        self.people_random.pick(&copied)
    }

    /// A thief strikes at a wristband that lies nowhere, or one is worn out.
    pub(crate) fn strike_chip(&mut self, kind: Kind) -> Option<()> {
        let free = |bands: &[Band]| bands.iter().all(|band| band.at.is_none() && !band.is_changed());
        let chips = &self.chips;
        let targets: Vec<(TagId, u16)> = chips
            .bands
            .iter()
            .filter(|(_, bands)| free(bands))
            .filter_map(|(tag, _)| Some((*tag, chips.batch.index(*tag)?)))
            .collect();
        // Who copies does not copy the first that comes along.
        let looks = if matches!(kind, Kind::ChipCopied | Kind::ChipEmulated) {
            4
        } else {
            1
        };
        let seen = (0..looks).filter_map(|_| {
            let (tag, index) = self.plan.random(kind).pick(&targets)?;
            Some((self.chips.honest(tag).ok()?.balance(), tag, index))
        });
        let (before, tag, index) = seen.max()?;
        self.log.note(&["thief", kind.name(), &tag.to_string()]);
        match kind {
            Kind::ChipCopied | Kind::ChipEmulated => self.copies(tag, before, kind == Kind::ChipEmulated)?,
            Kind::IdBorrowed => self.borrows_id(tag, index)?,
            Kind::ChipReplayed => self.replays(tag)?,
            Kind::ChipForged => self.forges(tag, index)?,
            Kind::ChipWorn => {
                let random = self.plan.random(kind);
                let (page, bits) = (page_of(random.below(u64::MAX)), random.bytes::<4>());
                let band = self.chips.bands.get_mut(&tag)?.first_mut()?;
                band.nature = Nature::Worn;
                band.chip.borrow_mut().chip.wear(page, bits.map(|bits| bits | 1));
            }
            // Money that no journal tells of is what this one is for.
            _ => return self.credits_at_a_stolen_desk(tag),
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

    fn copies(&mut self, tag: TagId, on_it: Amount, emulated: bool) -> Option<()> {
        let bands = self.chips.bands.get_mut(&tag)?;
        let chip = bands.first()?.chip.borrow().chip.clone();
        let nature = if emulated {
            Nature::Emulator(Box::new(Emulator::new(chip.clone())))
        } else {
            Nature::Copy
        };
        bands.push(Band::new(chip, nature));
        let cents = on_it.0.max(0);
        self.chips
            .copied
            .entry(tag)
            .or_default()
            .push(Copied { cents, emulated });
        Some(())
    }

    /// Another chip with this id. What can be read without a key is on it as well.
    fn borrows_id(&mut self, tag: TagId, index: u16) -> Option<()> {
        let bands = self.chips.bands.get_mut(&tag)?;
        let mut shell = UltralightAesChip::factory(self.chips.batch.uid(index));
        {
            let genuine = &bands.first()?.chip.borrow().chip;
            for page in 4..WRITTEN_PAGES.0 {
                shell.set_page(page, genuine.page(page));
            }
        }
        bands.push(Band::new(shell, Nature::Shell));
        Some(())
    }

    /// Pages that were read earlier come back. The counter does not: that goes back on no genuine chip.
    fn replays(&mut self, tag: TagId) -> Option<()> {
        let band = self.chips.bands.get_mut(&tag)?.first_mut()?;
        let now = band.chip.borrow().chip.clone();
        let Some(old) = self.chips.seen.remove(&tag) else {
            self.chips.seen.insert(tag, now);
            return Some(());
        };
        band.nature = Nature::Touched;
        for page in WRITTEN_PAGES.0..=WRITTEN_PAGES.1 {
            band.chip.borrow_mut().chip.set_page(page, old.page(page));
        }
        Some(())
    }

    /// Somebody has the keys of a till that sells.
    fn forges(&mut self, tag: TagId, index: u16) -> Option<()> {
        let key = AesKey::new(&self.chips.batch.chip_key(index, Purpose::Purse));
        let uid: Uid = self.chips.batch.uid(index);
        let random = self.plan.random(Kind::ChipForged);
        let band = self.chips.bands.get_mut(&tag)?.first_mut()?;
        band.nature = Nature::Touched;
        let chip = &mut band.chip.borrow_mut().chip;
        match random.below(3) {
            0 => {
                for _ in 0..random.between(1, 8) {
                    let page = page_of(random.below(u64::MAX));
                    chip.set_page(page, random.bytes());
                }
            }
            // A record with a good MAC, of a sale that never was, or with vouchers that nobody gave.
            1 => {
                let slot = random.pick(&Slot::ALL)?;
                let [low, high, issued, used] = random.bytes::<4>();
                let mut record = Record {
                    after: chip.counter(2),
                    amount: u32::from(u16::from_le_bytes([low, high])),
                    version: u16::MAX - 1,
                    terminal: u16::from(low),
                    ..Record::first()
                };
                let [first, _] = &mut record.vouchers;
                (first.issued, first.used) = (u16::from(issued), u16::from(used));
                let bytes = record.bytes(&key, uid, slot);
                for (page, bytes) in (slot_page(slot)..).zip(bytes.as_chunks::<4>().0) {
                    chip.set_page(page, *bytes);
                }
            }
            // Nothing is left of what was on it: out of spite, and the counter is at its end.
            _ => {
                chip.set_counter(2, COUNTER_END);
                self.sometimes.reach("counter_driven_to_its_end");
            }
        }
        Some(())
    }

    /// A stolen top-up phone writes credits that no journal tells of, until the office hears of it.
    fn credits_at_a_stolen_desk(&mut self, tag: TagId) -> Option<()> {
        let keys: MemoryKeys = self
            .chips
            .batch
            .keys(&[KeyRole::Auth, KeyRole::Mac, KeyRole::Chain(ChainId::Desk)]);
        let mut field = {
            let band = self.chips.bands.get(&tag)?.first()?;
            band.chip.borrow_mut().restart();
            Handle(std::rc::Rc::clone(&band.chip))
        };
        let books = Books {
            keys: &keys,
            lists: &self.chips.lists,
        };
        let random = self.plan.random(Kind::StolenDesk);
        let cents = u32::try_from(50 * random.between(10, 200)).ok()?;
        let office_hears = random.percent(30);
        let selected = field.reselect().ok()?;
        let mut tap = load(field, &selected, &books, &Knowledge::default(), *b"a thief's random").ok()?;
        let top_up = TopUp {
            chain: ChainId::Desk,
            cents,
            terminal: 1,
        };
        let plan = tap.loaded.plan_top_up(&keys, &top_up, &Limits::default()).ok()?;
        let _ = tap.commit(&plan);
        *self.chips.minted.entry(tag).or_default() += i128::from(cents);
        self.sometimes.reach("credit_by_a_thief");
        if office_hears {
            self.admin(Request::Batch {
                batch: BATCH,
                change: Box::new(BatchChange::FreezeDesks(true)),
            });
        }
        Some(())
    }

    /// What all orders that tills ever wrote, lost ones too, moved on a purse: paid in less spent, in cents.
    fn moved(&self) -> BTreeMap<TagId, i128> {
        let mut moved: BTreeMap<TagId, i128> = BTreeMap::new();
        let mut given: BTreeMap<TagId, (i128, i128, i128)> = BTreeMap::new();
        for order in self.observer.orders.values().map(|seen| &seen.order) {
            let Some((tag, purse)) = order.holder.zip(order.purse.as_ref()) else {
                continue;
            };
            let Some(list) = self.chips.lists.get(&purse.batch) else {
                continue;
            };
            let held = |totals: &PurseTotals| {
                totals
                    .held(&list.settings.unit_cents)
                    .map_or(0, |held| i128::from(held.0))
            };
            *moved.entry(tag).or_default() += held(&purse.after) - held(&purse.before);
            // What the server's own credits brought onto it, which no order of a till tells of: the furthest that was ever seen, since a server that was
            // restored may know of less.
            let server = ChainId::Server.index();
            let credited = |totals: &PurseTotals| totals.credited.get(server).copied().unwrap_or(0);
            let unit = list.settings.unit_cents.get(server).copied().unwrap_or(0);
            let furthest = given.entry(tag).or_insert((0_i128, 0_i128, i128::from(unit)));
            furthest.0 = furthest
                .0
                .max(i128::from(credited(&purse.before).max(credited(&purse.after))));
            furthest.1 += i128::from(credited(&purse.after)) - i128::from(credited(&purse.before));
        }
        for (tag, (furthest, by_orders, unit)) in given {
            *moved.entry(tag).or_default() += (furthest - by_orders).max(0) * unit;
        }
        moved
    }

    /// What copies of wristbands have cost, and what they may cost at most. Gives what is beyond, and losses that nobody was told of where the
    /// server has every journal.
    pub(crate) fn losses_hold(
        &self,
        whole: bool,
        has_case: impl Fn(TagId) -> bool,
    ) -> (Vec<(&'static str, String)>, Losses) {
        let mut found = Vec::new();
        let mut losses = Losses::default();
        // A till that was put back to an old backup has forgotten what it saw, as a new one has.
        let forgetful = self.faults.get(&Kind::Rollback).copied().unwrap_or_default();
        let tills = i128::from(forgetful) + i128::try_from(self.devices.len()).unwrap_or(i128::MAX);
        let moved = self.moved();
        let mut reader = self.server.reader();
        let units = self.chips.batch.settings.unit_cents;
        for (tag, bands) in &self.chips.bands {
            let moved = moved.get(tag).copied().unwrap_or(0);
            if self.chips.is_foreign(*tag) {
                if moved != 0 {
                    found.push(("I6", format!("wristband {tag} of another event was used")));
                }
                continue;
            }
            if !bands.iter().any(Band::is_changed) {
                continue;
            }
            let copies = self.chips.copied.get(tag).into_iter().flatten();
            let promised: i128 = copies
                .map(|copy| i128::from(copy.cents) * if copy.emulated { tills } else { 1 })
                .sum();
            // A chip that was set back behind a stolen desk's credit takes the next true one in its place: no gap is left that would tell of the stolen one.
            // What such a desk wrote is its own loss, bounded by the freeze, and no copy's.
            let minted = self.chips.minted.get(tag).copied().unwrap_or(0);
            // Credit of a tap that broke off, whose guest never came back to have it told.
            let purse = reader.purse(sample::EVENT, *tag).ok().flatten();
            let gaps = purse.map(|purse| purse.gaps(units)).unwrap_or_default();
            let untold = gaps.iter().filter(|gap| gap.chain.is_some());
            let untold: i128 = untold.map(|gap| i128::from(gap.cents.0)).sum();
            let lost = (-moved - untold.max(minted)).max(0);
            losses += Losses { lost, promised };
            if lost > promised {
                found.push((
                    "I10",
                    format!("copies of wristband {tag} cost {lost} cents, the promise is {promised}"),
                ));
            }
            if whole && lost > 0 && !has_case(*tag) {
                found.push(("I6", format!("wristband {tag} cost {lost} cents and nobody was told")));
            }
        }
        (found, losses)
    }
}

/// Sums over all wristbands that were copied or changed, in cents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// What was spent of them beyond what was ever paid in.
    pub lost: i128,
    /// What it may be at most.
    pub promised: i128,
}

impl std::ops::AddAssign for Losses {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.promised += other.promised;
    }
}
