//! A plan: what is there, what will be there, and the frames between. Made without the chip, checked before the first frame.

use shared_protocol::Amount;
use shared_protocol::purse::buffer::{CLOSED_PAGE, looks_closed};
use shared_protocol::purse::image::{BUFFERS, buffer_page, slot_page};
use shared_protocol::purse::{
    COUNTER_MAX, ChainId, Credit, Held, Image, PendingCredit, PurseSettings, Record, Slot, Uid,
};

use super::load::{Loaded, unconfirmed_record};
use crate::keys::KeyRefusal;

/// How far a plan is. A fault in one of the stages before [`Stage::Commit`] means that the plan did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// A credit of the journal replaces a damaged buffer.
    Restore,
    /// The last top-up, which nobody confirmed, is made solid.
    Settle,
    /// A credit of the server is written.
    Fold,
    /// What the commit will make true.
    Prepare,
    /// From here on it may have happened.
    Commit,
    /// What was before is closed.
    Confirm,
}

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Writes a page.
    Write {
        /// The page.
        page: u8,
        /// Its bytes.
        bytes: [u8; 4],
    },
    /// Counts a debit.
    Count {
        /// In cents.
        cents: u32,
    },
}

/// One frame and its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The stage.
    pub stage: Stage,
    /// The frame.
    pub action: Action,
}

/// What a till journals before the first frame: all that resolving needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Intent {
    /// The wristband.
    pub uid: Uid,
    /// What it holds.
    pub before: Image,
    /// What it is to hold.
    pub after: Image,
}

/// A plan.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What to journal.
    pub intent: Intent,
    /// The frames.
    pub steps: Vec<Step>,
    /// The purse as it will be.
    pub after: Loaded,
}

/// What an event allows. Absent means without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Cents of one payment.
    pub payment_cents_max: Option<u32>,
    /// Cents on one wristband.
    pub balance_cents_max: Option<u32>,
}

/// Why there is no plan. Nothing was written, no money moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanRefusal {
    /// Not enough money.
    #[error("{free} cents can be spent, {wanted} are wanted")]
    TooLow {
        /// What can be spent.
        free: Amount,
        /// What is wanted.
        wanted: Amount,
    },
    /// Not so many vouchers.
    #[error("only {left} vouchers of kind {kind} are left")]
    VouchersTooLow {
        /// Which kind.
        kind: usize,
        /// How many there are.
        left: u16,
    },
    /// More than one payment may be.
    #[error("a payment may be {max} cents at most")]
    PaymentLimit {
        /// The limit.
        max: u32,
    },
    /// More than a wristband may hold.
    #[error("a wristband may hold {max} cents at most")]
    BalanceLimit {
        /// The limit.
        max: u32,
    },
    /// The amount is not a whole number of units, or nothing.
    #[error("the amount is not a whole number of steps of {unit} cents")]
    OffStep {
        /// The unit.
        unit: u16,
    },
    /// The chain has no more units, or the debit counter could not count the credit down.
    #[error("this wristband cannot take any more credit: exchange it at the info desk")]
    ChainFull,
    /// The debit counter is at its end.
    #[error("this wristband cannot count any more payments: exchange it at the info desk")]
    CounterFull,
    /// 65,535 records were written.
    #[error("this wristband cannot record any more payments: exchange it at the info desk")]
    RecordsFull,
    /// Both records are damaged: the money is safe, vouchers and flags are not known.
    #[error("the record of this wristband is damaged: the info desk can repair it")]
    NoRecord,
    /// Desks must not credit through a chain whose key is known to strangers.
    #[error("top-up without network is switched off for this wristband")]
    Frozen,
    /// The key of this device is not that of the chain on this wristband.
    #[error("the key of this device does not fit this wristband")]
    WrongChainKey,
    /// There is nothing to do.
    #[error("nothing is to be done")]
    Nothing,
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyRefusal),
}

impl Intent {
    /// Whether it counts a debit.
    pub fn debits(&self) -> bool {
        self.after.counter > self.before.counter
    }

    /// The record that it writes.
    ///
    /// What stood in the slot before says nothing: an earlier attempt may have left there all or part of the same record.
    pub fn record(&self) -> Option<Record> {
        let record = |slot| {
            let [body @ .., _, _, _, _, _, _, _, _] = self.after.slot(slot);
            Record::from_body(body)
        };
        if self.debits() {
            let counts =
                |record: &Record| record.after == self.after.counter && record.before() == Some(self.before.counter);
            return Slot::ALL.into_iter().map(record).find(counts);
        }
        let written = |slot: &Slot| {
            let after = self.after.slot(*slot);
            after != self.before.slot(*slot) && !after.ends_with(&CLOSED_PAGE)
        };
        Slot::ALL
            .into_iter()
            .filter(written)
            .map(record)
            .max_by_key(|record| record.version)
    }

    /// The credit that it writes.
    pub fn credit(&self, settings: &PurseSettings) -> Option<Credit> {
        (0..BUFFERS)
            .filter(|buffer| self.before.buffer(*buffer) != self.after.buffer(*buffer))
            .filter(|buffer| !looks_closed(&self.after.buffer(*buffer)))
            .find_map(|buffer| Credit::read(&self.after.buffer(buffer), settings))
    }

    /// Credits that stand on the chip before and after, and what stood below them: those that a torn refresh could destroy.
    pub(super) fn endangered(&self, settings: &PurseSettings) -> Vec<(Held, Option<Credit>)> {
        let open = |buffer: &usize| {
            let bytes = self.before.buffer(*buffer);
            let credit = Credit::read(&bytes, settings).filter(|_| !looks_closed(&bytes))?;
            Some(Held {
                buffer: *buffer,
                credit,
            })
        };
        let before: Vec<Held> = (0..BUFFERS).collect::<Vec<_>>().iter().filter_map(open).collect();
        let below = |held: &Held| {
            let same = |other: &&Held| other.credit.chain == held.credit.chain && other.buffer != held.buffer;
            before.iter().find(same).map(|other| other.credit)
        };
        let mut endangered: Vec<(Held, Option<Credit>)> = before
            .iter()
            .filter(|held| self.before.buffer(held.buffer) == self.after.buffer(held.buffer))
            .map(|held| (*held, below(held)))
            .collect();
        endangered.sort_by_key(|(held, _)| std::cmp::Reverse(held.credit.units));
        endangered
    }
}

/// A plan in the making.
pub(super) struct Draft<'a> {
    loaded: &'a Loaded,
    image: Image,
    steps: Vec<Step>,
    /// Where the newest credit of each chain stands now.
    newest: [Held; 3],
}

impl<'a> Draft<'a> {
    /// Begins with what every plan must do first: put back what the journal kept, and make the last top-up solid.
    pub(super) fn begin(loaded: &'a Loaded) -> Self {
        let purse = &loaded.purse;
        let mut draft = Self {
            loaded,
            image: purse.image,
            steps: Vec::new(),
            newest: purse.newest,
        };
        if let Some(held) = loaded.restore {
            draft.write_buffer(Stage::Restore, held.buffer, &held.credit);
        }
        if let Some(old) = purse.old {
            let newest = purse.credit(old.credit.chain);
            // One tear leaves one weak page, the last; a second that cut whoever wrote over it leaves another. Written as a whole it is solid.
            if loaded.refresh && loaded.restore.is_none_or(|held| held.buffer != newest.buffer) {
                draft.write_buffer(Stage::Settle, newest.buffer, &newest.credit);
            }
            draft.write(Stage::Settle, buffer_page(old.buffer) + 3, CLOSED_PAGE);
        }
        draft
    }

    fn write(&mut self, stage: Stage, page: u8, bytes: [u8; 4]) {
        self.image.set_page(page, bytes);
        self.steps.push(Step {
            stage,
            action: Action::Write { page, bytes },
        });
    }

    fn write_buffer(&mut self, stage: Stage, buffer: usize, credit: &Credit) {
        for (page, bytes) in (buffer_page(buffer)..).zip(credit.bytes().as_chunks::<4>().0) {
            self.write(stage, page, *bytes);
        }
    }

    /// Writes a credit beside its predecessor and closes the predecessor.
    pub(super) fn credit(&mut self, write: Stage, close: Stage, credit: &Credit) {
        let spare = (0..BUFFERS).find(|buffer| self.newest.iter().all(|held| held.buffer != *buffer));
        let Some(spare) = spare else {
            unreachable!("three chains, four buffers");
        };
        let Some(newest) = self.newest.get_mut(credit.chain.index()) else {
            unreachable!("three chains");
        };
        assert!(newest.credit.units < credit.units, "a chain only grows");
        let predecessor = std::mem::replace(
            newest,
            Held {
                buffer: spare,
                credit: *credit,
            },
        );
        self.write_buffer(write, spare, credit);
        self.write(close, buffer_page(predecessor.buffer) + 3, CLOSED_PAGE);
    }

    /// Makes the current record solid before its predecessor goes.
    pub(super) fn settle_record(&mut self) {
        if let Some(current) = unconfirmed_record(&self.loaded.purse).filter(|_| self.loaded.refresh_record) {
            for page in slot_page(current)..slot_page(current) + 8 {
                self.write(Stage::Settle, page, self.image.page(page));
            }
        }
    }

    /// Closes the predecessor of the current record.
    pub(super) fn close_record(&mut self, stage: Stage, slot: Slot) {
        self.write(stage, slot_page(slot) + 7, CLOSED_PAGE);
    }

    /// Writes a record into the slot that is not current, its MAC last; `last` is the stage of the very last page.
    pub(super) fn record(&mut self, record: &Record, last: Stage) -> Result<Slot, PlanRefusal> {
        let purse = &self.loaded.purse;
        let current = purse.current.ok_or(PlanRefusal::NoRecord)?;
        let version = purse.newest_record().ok_or(PlanRefusal::NoRecord)?.version;
        self.settle_record();
        let slot = current.other();
        // A page that already reads right may be weak, unless the slot holds the committed predecessor as a whole: its first page differs, so a
        // tear of this very writing breaks its MAC before any other page is touched.
        let reusable = purse
            .committed(slot)
            .is_some_and(|there| there.version.checked_add(1) == Some(version));
        let there = purse.image.slot(slot);
        let bytes = record.bytes(&self.loaded.record_key, purse.uid, slot);
        let pages = bytes.as_chunks::<4>().0.iter().zip(there.as_chunks::<4>().0);
        for ((number, page), (new, old)) in (0_u8..).zip(slot_page(slot)..).zip(pages) {
            let mac = number >= 6;
            if mac || !reusable || new != old {
                let stage = if number == 7 { last } else { Stage::Prepare };
                self.write(stage, page, *new);
            }
        }
        Ok(slot)
    }

    /// Counts a debit.
    pub(super) fn count(&mut self, cents: u32) {
        self.image.counter += cents;
        assert!(
            self.image.counter <= COUNTER_MAX,
            "the plan refuses before the counter ends"
        );
        self.steps.push(Step {
            stage: Stage::Commit,
            action: Action::Count { cents },
        });
    }

    /// The plan, proved: what it will leave on the chip is read and checked as a stranger would.
    pub(super) fn finish(self, credited_cents: i64) -> Result<Plan, PlanRefusal> {
        if self.steps.is_empty() {
            return Err(PlanRefusal::Nothing);
        }
        let before = &self.loaded.purse;
        // The walk that is known is that of what was read: a credit that does not lead there is found here, before the first frame.
        let Ok(after) = self.loaded.check(self.image, Some(&before.walk())) else {
            unreachable!("a plan leads to a genuine purse: {:?}", self.steps);
        };
        let debit = i64::from(self.image.counter) - i64::from(before.image.counter);
        assert_eq!(
            after.balance(None).0,
            before.balance(None).0 + credited_cents - debit,
            "a total changes by what was planned and by nothing else"
        );
        assert_eq!(
            after.free(None).0 + after.reserved().0,
            after.balance(None).0,
            "money and what is reserved are the total"
        );
        assert!(
            after.old.is_none(),
            "a predecessor is closed before its successor counts"
        );
        assert_eq!(
            after.newest.map(|held| held.buffer),
            self.newest.map(|held| held.buffer)
        );
        Ok(Plan {
            intent: Intent {
                uid: before.uid,
                before: before.image,
                after: self.image,
            },
            steps: self.steps,
            after: Loaded {
                purse: after,
                restore: None,
                refresh: true,
                refresh_record: true,
                ..self.loaded.clone()
            },
        })
    }
}

impl Loaded {
    /// The best of the credits that the server has for this wristband: the highest that leads to what is on it. Others are stale or not genuine.
    pub(super) fn best_pending(&self, pending: &[PendingCredit], hint: u8) -> Option<Credit> {
        let there = self.purse.credit(ChainId::Server).credit;
        let length = self.purse.settings.length_of(ChainId::Server);
        let mut newer: Vec<&PendingCredit> = pending
            .iter()
            .filter(|credit| credit.units > there.units && credit.units <= length)
            .collect();
        newer.sort_by_key(|credit| std::cmp::Reverse(credit.units));
        let chain = self.chain(ChainId::Server);
        newer
            .into_iter()
            .find(|credit| chain.down(credit.units, credit.token, there.units) == Some(there.token))
            .map(|credit| Credit {
                chain: ChainId::Server,
                units: credit.units,
                hint,
                token: credit.token,
            })
    }

    /// Cents between what is on the wristband and a newer credit of one of its chains.
    pub(super) fn cents_of(&self, credit: &Credit) -> i64 {
        let there = self.purse.credit(credit.chain).credit.units;
        i64::from(credit.units.saturating_sub(there)) * i64::from(self.purse.settings.unit_of(credit.chain))
    }

    /// Whether the wristband may hold so much more: the event's limit, and what its counter can ever count down.
    pub(super) fn room_for(&self, cents: i64, limits: &Limits) -> Result<(), PlanRefusal> {
        if self.purse.credited(None).0 + cents > i64::from(COUNTER_MAX) {
            return Err(PlanRefusal::ChainFull);
        }
        match limits.balance_cents_max {
            Some(max) if self.balance().0 + cents > i64::from(max) => Err(PlanRefusal::BalanceLimit { max }),
            _ => Ok(()),
        }
    }
}
