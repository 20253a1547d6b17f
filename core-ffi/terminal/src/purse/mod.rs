//! A wristband whose purse decides: read, plan, journal what is about to happen, write, journal what happened.
//!
//! ```text
//!  held ─► Read ─► (a credit needs a key: Plan) ─► intent durable ─► Write ─► order durable ─► paid
//!                                                                     │ void: nothing happened, hold again
//!                                                                     └ unknown: hold the same wristband again
//! ```
//! The chip's session stays open from reading to writing, and nothing in between waits for anybody but this device's disk. What a tap could
//! not settle stands in the journal as an open intent; the next tap of that wristband here settles it before anything else.

mod issue;
mod knowledge;
mod open;
mod owed;
mod seen;
mod work;

use std::collections::BTreeMap;

use chips::KeyRefusal;
use chips::purse::{Done as Written, Limits, LoadRefusal, Loaded, Outcome, Payment, Plan, PlanRefusal, TopUp};
use shared_protocol::entry::{EntryKind, Intent as IntentEntry};
use shared_protocol::ids::Bytes;
use shared_protocol::order::{Order, Permission};
use shared_protocol::purse::ChainId;
use shared_protocol::wristband::{Batch, PurseMove, PurseTotals, record_minute, record_moment_ms, short_till};
use shared_protocol::{Amount, AssetId, TagId, encode};

use crate::Terminal;
use crate::book::{Booked, Busy};
use crate::cart::Purpose;
use crate::draft::Draft;
use crate::input::StorageFault;
use crate::limits::Grant;
use crate::output::{Cue, Output};
use crate::screen::{Balance, DoneKind, LastSale, Notice, PurseRefusal, Refusal};
use crate::step::Step;
use crate::store::Then;

pub(crate) use knowledge::{Batches, VOID_MAX};
pub(crate) use open::{OpenIntent, intent_of};
use owed::Owed;
pub(crate) use seen::SeenPurses;
pub use work::{PurseAnswer, PurseJob, PurseTask, PurseWork, serve_hold, without_session};

/// The wristband in the field, and what is being done with its purse.
#[derive(Debug, Clone)]
pub(crate) struct AtPurse {
    pub tag: TagId,
    pub job: PurseJob,
    stage: Stage,
}

#[derive(Debug, Clone)]
enum Stage {
    /// The server is asked meanwhile what is owed, where that matters.
    Reading { owed: Owed },
    /// The purse is read; the server has not said yet what is owed.
    Owing { loaded: Box<Loaded>, owed: Owed },
    /// An earlier payment of this purse is being finished.
    Settling { open: Box<OpenIntent>, plan: Box<Plan> },
    /// The device's key makes a credit.
    Planning { loaded: Box<Loaded>, draft: Box<Draft> },
    /// That vouchers are about to come onto the chip is on its way to the disk.
    Granting { plan: Box<Plan>, owed: Owed },
    /// Vouchers come onto the chip before the cart is paid.
    Issuing { plan: Box<Plan>, owed: Owed },
    /// What is about to happen is on its way to the disk.
    Journalling { plan: Box<Plan>, booked: Box<Booked> },
    /// The chip is being written.
    Writing { plan: Box<Plan>, booked: Box<Booked> },
}

/// What is in a purse as the books name it.
pub(crate) fn totals(loaded: &Loaded) -> PurseTotals {
    PurseTotals {
        debited: loaded.purse.image.counter,
        credited: loaded.purse.units(),
    }
}

fn last_sale(loaded: &Loaded) -> Option<LastSale> {
    let record = loaded.purse.newest_record().filter(|record| record.amount > 0)?;
    Some(LastSale {
        amount: Amount(i64::from(record.amount)),
        at_ms: record_moment_ms(record.minute),
        till: record.terminal,
    })
}

impl From<LoadRefusal> for Refusal {
    fn from(refusal: LoadRefusal) -> Self {
        use shared_protocol::purse::PurseFault;
        Self::Purse(match refusal {
            LoadRefusal::Blocked => return Self::Blocked(shared_protocol::stream::BlockReason::Blocked),
            LoadRefusal::NoPurse | LoadRefusal::Purse(PurseFault::NoPurse) => return Self::NotAWristband,
            LoadRefusal::UnknownBatch(batch) | LoadRefusal::Keys(KeyRefusal::Revoked(batch)) => {
                PurseRefusal::UnknownBatch { batch }
            }
            LoadRefusal::Keys(_) => PurseRefusal::NoKey,
            LoadRefusal::Link(_) => PurseRefusal::Left,
            LoadRefusal::Purse(_) => PurseRefusal::Forged,
            LoadRefusal::Regression => PurseRefusal::SetBack,
            LoadRefusal::UnstableCounter => PurseRefusal::Damaged,
        })
    }
}

impl From<PlanRefusal> for Refusal {
    fn from(refusal: PlanRefusal) -> Self {
        Self::Purse(match refusal {
            PlanRefusal::TooLow { free, wanted } => {
                let missing = wanted.minus(free).unwrap_or(wanted).max(Amount(1));
                let has = Balance {
                    amount: free,
                    as_of_ms: None,
                };
                return Self::BalanceTooLow { missing, has };
            }
            PlanRefusal::BalanceLimit { max } => {
                return Self::BalanceCeiling {
                    possible: Amount(i64::from(max)),
                };
            }
            PlanRefusal::PaymentLimit { max } => {
                return Self::OfflineLimit {
                    limit: crate::screen::OfflineLimit::Order,
                    possible: Amount(i64::from(max)),
                };
            }
            PlanRefusal::VouchersTooLow { .. } => PurseRefusal::Vouchers,
            PlanRefusal::OffStep { unit } => PurseRefusal::Step { unit },
            PlanRefusal::ChainFull | PlanRefusal::CounterFull | PlanRefusal::RecordsFull => PurseRefusal::Full,
            PlanRefusal::NoRecord => PurseRefusal::Damaged,
            PlanRefusal::Frozen => PurseRefusal::Frozen,
            PlanRefusal::WrongChainKey | PlanRefusal::Keys(_) => PurseRefusal::NoKey,
            PlanRefusal::Nothing => PurseRefusal::Left,
        })
    }
}

impl Terminal {
    /// A wristband with a purse is in the field.
    pub(crate) fn read_purse(&mut self, step: &mut Step<'_>, tag: TagId) {
        let of_cart = self.cart.as_ref().map(|cart| cart.id);
        if let Some(open) = self.open_intents.iter().find(|open| Some(open.cart) == of_cart)
            && open.tag != tag
        {
            return self.refuse(step, Refusal::OtherWristband);
        }
        let cancels = self
            .cart
            .as_ref()
            .is_some_and(|cart| matches!(cart.purpose, Purpose::Cancel { .. }));
        if let Some(reason) = self.blocked_as(tag).filter(|_| self.cart.is_some() && !cancels) {
            return self.refuse(step, Refusal::Blocked(reason));
        }
        let task = PurseTask::Read {
            tag,
            lists: self.purses.lists(),
            knowledge: Box::new(self.known_of_purse(tag)),
            entropy: step.nonce(),
        };
        let owed = self.ask_what_is_owed(step, tag);
        self.work(step, tag, task, Stage::Reading { owed });
        self.notify(step, Notice::Working);
    }

    fn work(&mut self, step: &mut Step<'_>, tag: TagId, task: PurseTask, stage: Stage) {
        let job = PurseJob(self.next_job);
        self.next_job += 1;
        self.busy = Busy::Purse(Box::new(AtPurse { tag, job, stage }));
        let task = Box::new(task);
        step.out.push(Output::Purse(PurseWork { job, task }));
    }

    /// The shell has done what was asked of it.
    pub(crate) fn purse_answered(&mut self, step: &mut Step<'_>, job: PurseJob, answer: PurseAnswer) {
        let expected = matches!(&self.busy, Busy::Purse(at) if at.job == job);
        let Some(AtPurse { tag, stage, .. }) =
            expected
                .then(|| std::mem::take(&mut self.busy))
                .and_then(|busy| match busy {
                    Busy::Purse(at) => Some(*at),
                    _ => None,
                })
        else {
            return;
        };
        let done = match (stage, answer) {
            (Stage::Reading { owed }, PurseAnswer::Read(Ok(loaded))) => self.purse_read(step, tag, *loaded, owed),
            (Stage::Reading { .. }, PurseAnswer::Read(Err(refusal))) => self.purse_not_read(step, tag, refusal),
            (Stage::Settling { open, plan }, PurseAnswer::Written(written)) => {
                self.settled(step, &open, &plan, &written);
                Ok(())
            }
            (Stage::Issuing { plan, owed }, PurseAnswer::Written(written)) => {
                self.issued(step, tag, &plan, owed, &written)
            }
            (Stage::Planning { loaded, draft }, PurseAnswer::Planned(Ok(plan))) => {
                self.journal_plan(step, &loaded, *plan, *draft)
            }
            (Stage::Planning { loaded, .. }, PurseAnswer::Planned(Err(PlanRefusal::BalanceLimit { max }))) => {
                let possible = Amount(i64::from(max)).minus(loaded.balance()).unwrap_or_default();
                Err(Refusal::BalanceCeiling {
                    possible: possible.max(Amount::ZERO),
                })
            }
            (Stage::Planning { .. }, PurseAnswer::Planned(Err(refusal))) => Err(refusal.into()),
            (Stage::Writing { plan, booked }, PurseAnswer::Written(written)) => {
                self.written(step, tag, &plan, *booked, &written)
            }
            // An answer to another question than was asked: the shell mixed them up, and nothing is believed.
            _ => Err(Refusal::Purse(PurseRefusal::Left)),
        };
        if let Err(refusal) = done {
            self.refuse(step, refusal);
        }
    }

    /// A wristband whose batch the server has taken over pays from the books.
    fn purse_not_read(&mut self, step: &mut Step<'_>, tag: TagId, refusal: LoadRefusal) -> Result<(), Refusal> {
        match &refusal {
            LoadRefusal::UnknownBatch(number) if self.purses.is_of_server(*number) => {
                self.held_by_id(step, tag);
                Ok(())
            }
            _ => Err(refusal.into()),
        }
    }

    fn purse_read(&mut self, step: &mut Step<'_>, tag: TagId, loaded: Loaded, owed: Owed) -> Result<(), Refusal> {
        self.saw_purse(tag, &loaded);
        if let Some(settled) = self.settle_open(step, tag, &loaded) {
            return settled;
        }
        if self.cart.is_none() {
            self.show_purse(step, tag, &loaded, owed);
            return Ok(());
        }
        if let Owed::Asked { .. } = owed {
            let (job, loaded) = (PurseJob(self.next_job), Box::new(loaded));
            self.next_job += 1;
            let stage = Stage::Owing { loaded, owed };
            self.busy = Busy::Purse(Box::new(AtPurse { tag, job, stage }));
            return Ok(());
        }
        self.purse_cart(step, tag, loaded, owed)
    }

    /// What the open cart does with a purse.
    fn purse_cart(&mut self, step: &mut Step<'_>, tag: TagId, loaded: Loaded, owed: Owed) -> Result<(), Refusal> {
        if let Owed::Said {
            blocked: Some(reason), ..
        } = owed
        {
            return Err(Refusal::Blocked(reason));
        }
        if matches!(&self.cart, Some(cart) if matches!(cart.purpose, Purpose::Swap { .. })) {
            return self.book_swap(step, tag, &loaded);
        }
        if let Some(plan) = self.vouchers_due(step, tag, &loaded) {
            return self.issue(step, tag, plan, owed);
        }
        // What goes to a debt first makes the rest fit the purse's steps, or does not.
        if !matches!(self.settled_first(&loaded, owed), Ok(Some(_))) {
            self.fit_given_to_steps(step, loaded.purse.settings.unit_of(ChainId::Desk));
        }
        let mut draft = self.purse_draft(step, tag, &loaded)?;
        draft.settles = self.settled_first(&loaded, owed)?;
        self.permitted(&draft)?;
        if self.told.locked {
            return Err(Refusal::Locked);
        }
        self.plan_draft(step, tag, loaded, draft)
    }

    /// The wristband of an open swap is fresh: its guest has it from now on. Nothing is written on it; the server gives it what comes.
    fn book_swap(&mut self, step: &mut Step<'_>, tag: TagId, loaded: &Loaded) -> Result<(), Refusal> {
        let draft = self.swap_to_purse(tag, loaded, step)?;
        self.permitted(&draft)?;
        if self.told.locked {
            return Err(Refusal::Locked);
        }
        self.book(step, draft, Some(tag), true);
        Ok(())
    }

    /// What a purse holds, when no cart is open.
    fn show_purse(&mut self, step: &mut Step<'_>, tag: TagId, loaded: &Loaded, owed: Owed) {
        let units = self.purse_units(loaded);
        self.remember_shown(tag, loaded);
        // The money on the wristband is shown at once; what is owed comes when the server has said it.
        self.card_asks = match owed {
            Owed::Asked { request, .. } => Some(request),
            Owed::Unknown | Owed::Said { .. } => None,
        };
        let (owed, said) = match owed {
            Owed::Said { owed, blocked } => (owed, blocked),
            Owed::Unknown | Owed::Asked { .. } => (Amount::ZERO, None),
        };
        step.cue(Cue::Info);
        self.notify(
            step,
            Notice::Balance {
                tag,
                money: Some(Balance {
                    amount: loaded.free(),
                    as_of_ms: None,
                }),
                owed,
                units,
                blocked: said.or(self.blocked_as(tag)),
                last_sale: last_sale(loaded),
            },
        );
    }

    /// What the cart means for this purse, above zero is taken from it: a credit needs a key, a payment does not.
    fn plan_draft(&mut self, step: &mut Step<'_>, tag: TagId, loaded: Loaded, draft: Draft) -> Result<(), Refusal> {
        let purpose = self.cart.as_ref().ok_or(Refusal::CartEmpty)?.purpose.clone();
        let terminal = self.till().map(short_till).ok_or(Refusal::NotPermitted)?;
        let limits = self.purse_limits()?;
        let takes = match purpose {
            Purpose::TopUp { amount, .. } => {
                let settled = draft.settles.map_or(Amount::ZERO, |settles| settles.settled);
                amount.minus(settled)?.negated()?
            }
            Purpose::PayOut { amount } => amount,
            Purpose::Cancel { ref orders, .. } => {
                let takes = draft.net.minus(self.went_to_debts(orders)?)?;
                // Nothing of it was ever on the chip; who gives it back has to see the books.
                if takes.is_zero() && draft.net.is_positive() {
                    return Err(Refusal::NotCancellable);
                }
                takes
            }
            Purpose::Sale | Purpose::Correct { .. } | Purpose::Swap { .. } => draft.net,
        };
        let vouchers = self.voucher_kinds(&loaded, &draft.vouchers)?;
        if let Purpose::Correct { ref orders } | Purpose::Cancel { ref orders, .. } = purpose
            && self.used_vouchers_of_purses(orders)
        {
            // What is used on a chip stays used: who gives it back has to see the books.
            return Err(Refusal::Purse(PurseRefusal::Vouchers));
        }
        if takes.is_negative() {
            let chain = if matches!(purpose, Purpose::TopUp { .. }) {
                ChainId::Desk
            } else {
                ChainId::Return
            };
            if vouchers.iter().any(|count| *count > 0) {
                return Err(Refusal::Purse(PurseRefusal::Vouchers));
            }
            let cents = u32::try_from(takes.negated()?.0).map_err(|_| Refusal::Overflow)?;
            let task = PurseTask::Plan {
                loaded: Box::new(loaded.clone()),
                top_up: TopUp { chain, cents, terminal },
                limits,
            };
            let stage = Stage::Planning {
                loaded: Box::new(loaded),
                draft: Box::new(draft),
            };
            self.work(step, tag, task, stage);
            return Ok(());
        }
        if takes.is_zero() && vouchers.iter().all(|count| *count == 0) {
            // Nothing moves on the wristband: a cup comes back and pays for a coffee.
            self.book(step, draft, Some(tag), true);
            return Ok(());
        }
        let payment = Payment {
            cents: u32::try_from(takes.0).map_err(|_| Refusal::Overflow)?,
            vouchers,
            terminal,
            minute: record_minute(self.clock.server_ms(step.now)),
            flags: None,
        };
        let plan = loaded.plan_pay(&payment, &self.pending_credits(tag), &limits)?;
        self.journal_plan(step, &loaded, plan, draft)
    }

    /// Writes down what is about to happen. Nothing is on the air before this is durable.
    fn journal_plan(
        &mut self,
        step: &mut Step<'_>,
        loaded: &Loaded,
        plan: Plan,
        mut draft: Draft,
    ) -> Result<(), Refusal> {
        // A moment later would do as well, but the wristband would be gone.
        if !self.store.journal_is_idle() {
            return Err(Refusal::Busy);
        }
        let tag = loaded.purse.uid.tag();
        draft.grant(&BTreeMap::from([(
            tag,
            Grant {
                permission: Permission::Chip,
                hold: None,
                known: None,
            },
        )]));
        let mut booked = self.to_book(step, draft, Some(tag), true, None)?;
        self.divide(&mut booked.orders, loaded, &plan)?;
        if let DoneKind::ToppedUp { after_sync } = &mut booked.kind {
            // It is on the chip: whoever is connected when, it can be spent at once.
            *after_sync = false;
        }
        booked.left = Some(plan.after.free());
        let orders: Vec<&Order> = booked.orders.iter().map(|(order, _)| order).collect();
        let job = self.journal_intents(step, &plan, &orders)?;
        let (plan, booked) = (Box::new(plan), Box::new(booked));
        let stage = Stage::Journalling { plan, booked };
        self.busy = Busy::Purse(Box::new(AtPurse { tag, job, stage }));
        Ok(())
    }

    /// One intent for each order that a plan is about, all in one write; the job goes on when they are durable.
    fn journal_intents(&mut self, step: &mut Step<'_>, plan: &Plan, orders: &[&Order]) -> Result<PurseJob, Refusal> {
        let images = (plan.intent.before.wire(), plan.intent.after.wire());
        let bodies: Vec<_> = orders
            .iter()
            .map(|order| {
                let intent = IntentEntry {
                    order: order.id,
                    before: Bytes(images.0.to_vec()),
                    after: Bytes(images.1.to_vec()),
                    draft: Some(Bytes(encode(*order))),
                };
                self.entry(step, EntryKind::Intent, encode(&intent))
            })
            .collect();
        let chain = self.journal.last().ok_or(Refusal::NotPermitted)?;
        let entries = chain.follow_all(bodies);
        let job = PurseJob(self.next_job);
        self.next_job += 1;
        self.store.persist(step, entries, Vec::new(), Then::Intent(job));
        Ok(job)
    }

    /// The chip is written by a plan that is in the journal.
    fn write_plan(&mut self, step: &mut Step<'_>, tag: TagId, plan: Box<Plan>, stage: Stage) {
        self.work(step, tag, PurseTask::Write { tag, plan }, stage);
    }

    /// The intent is durable: now the chip may be written.
    pub(crate) fn intent_is_durable(&mut self, step: &mut Step<'_>, job: PurseJob) {
        let expected = matches!(&self.busy, Busy::Purse(at) if at.job == job);
        if !expected {
            return;
        }
        let Busy::Purse(at) = std::mem::take(&mut self.busy) else {
            return;
        };
        match at.stage {
            Stage::Journalling { plan, booked } => {
                self.open_intents.push(OpenIntent::of(at.tag, &plan.intent, &booked));
                self.write_plan(step, at.tag, plan.clone(), Stage::Writing { plan, booked });
            }
            Stage::Granting { plan, owed } => {
                self.write_plan(step, at.tag, plan.clone(), Stage::Issuing { plan, owed });
            }
            _ => {}
        }
    }

    /// The intent is not on the disk: the chip is not touched, the cart is as it was.
    pub(crate) fn intent_failed(&mut self, step: &mut Step<'_>, job: PurseJob, fault: StorageFault) {
        if matches!(&self.busy, Busy::Purse(at) if at.job == job) {
            self.busy = Busy::No;
            self.refuse(step, Refusal::Storage(fault));
        }
    }

    /// The chip was written, or not.
    fn written(
        &mut self,
        step: &mut Step<'_>,
        tag: TagId,
        plan: &Plan,
        booked: Booked,
        written: &Written,
    ) -> Result<(), Refusal> {
        match written.outcome {
            Outcome::Committed => {
                self.wrote_purse(tag, &plan.after);
                self.book_orders(step, booked);
                Ok(())
            }
            Outcome::Void => {
                self.close_intents(tag, &plan.intent, false);
                Err(Refusal::Purse(PurseRefusal::Left))
            }
            Outcome::Unknown => {
                step.cue(Cue::Again);
                self.notify(step, Notice::HoldAgain { tag, total: booked.net });
                Ok(())
            }
        }
    }

    /// Gives each order its part of the purse's lines, in turn. What goes back and what is taken of one payment are netted on the chip; the
    /// orders of the group move it together.
    fn divide(
        &self,
        orders: &mut [(Order, Vec<(TagId, Amount)>)],
        loaded: &Loaded,
        plan: &Plan,
    ) -> Result<(), Refusal> {
        let batch = plan.after.purse.header.batch;
        let after = totals(&plan.after);
        let record = loaded.purse.newest_record();
        let mut at = totals(loaded);
        let count = orders.len();
        let taken_by = |order: &Order| -> Result<u32, Refusal> {
            let weights = self.weight_of(order, batch)?;
            let mut cents = 0_i64;
            for tender in &order.tenders {
                if tender.kind == shared_protocol::order::TenderKind::Wristband {
                    cents = cents.checked_add(tender.amount.0).ok_or(Refusal::Overflow)?;
                }
            }
            let taken = cents.max(0).checked_add(weights).ok_or(Refusal::Overflow)?;
            u32::try_from(taken).map_err(|_| Refusal::Overflow)
        };
        for (index, (order, _)) in orders.iter_mut().enumerate() {
            let last = index + 1 == count;
            let mut to = at;
            if index == 0 {
                // Credits are written whole with the first order.
                to.credited = after.credited;
            }
            to.debited = if last {
                after.debited
            } else {
                at.debited.saturating_add(taken_by(order)?).min(after.debited)
            };
            order.purse = Some(PurseMove {
                batch,
                before: at,
                after: to,
                record: record.filter(|_| index == 0),
            });
            at = to;
        }
        Ok(())
    }

    fn weight_of(&self, order: &Order, batch: u16) -> Result<i64, Refusal> {
        let batch = self.purses.batch(batch);
        let used = order.lines.iter().filter_map(|line| line.vouchers);
        let weights = used.map(|used| {
            let weight = batch.and_then(|batch| batch.weight(used.asset)).unwrap_or_default();
            Amount(i64::from(weight)).times(i64::from(used.units))
        });
        Ok(Amount::sum(weights.collect::<Result<Vec<_>, _>>()?)?.0)
    }

    fn purse_limits(&self) -> Result<Limits, Refusal> {
        let event = &self.config.as_ref().ok_or(Refusal::NotPermitted)?.event;
        let cents = |amount: Amount| u32::try_from(amount.0.max(0)).ok();
        Ok(Limits {
            // Without the server nobody sees a copy of the wristband at once; one payment is bounded.
            payment_cents_max: cents(event.offline.order_max).filter(|_| !self.is_live()),
            balance_cents_max: cents(event.balance_max),
        })
    }

    /// Vouchers by the kinds that the purse counts.
    fn voucher_kinds(&self, loaded: &Loaded, used: &BTreeMap<AssetId, u32>) -> Result<[u16; 2], Refusal> {
        let mut kinds = [0; 2];
        let batch: Option<&Batch> = self.purses.batch(loaded.purse.header.batch);
        for (asset, count) in used {
            let kind = batch.and_then(|batch| batch.vouchers.iter().position(|known| known == asset));
            let place = kind
                .and_then(|kind| kinds.get_mut(kind))
                .ok_or(Refusal::Purse(PurseRefusal::Vouchers))?;
            *place = u16::try_from(*count).map_err(|_| Refusal::CartFull)?;
        }
        Ok(kinds)
    }
}
