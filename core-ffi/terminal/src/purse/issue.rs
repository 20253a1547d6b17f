//! Vouchers that the server put on a wristband, and the flags that its guest brought from another one: the record is brought up to them before the
//! sale, whose first step then writes the credit with the vouchers' weight. In that sequence a tap that breaks off leaves money set aside, never
//! vouchers as cash.
//!
//! What must never happen here: a voucher that the server did not send round, or one that is counted twice; the server says sums, never steps.

use chips::purse::{Done as Written, Loaded, Outcome, Plan, Update};
use shared_protocol::purse::list::VOUCHER_KINDS;
use shared_protocol::wristband::{record_minute, short_till};
use shared_protocol::{OrderId, TagId};

use super::owed::Owed;
use super::{AtPurse, Stage};
use crate::Terminal;
use crate::book::Busy;
use crate::cart::Purpose;
use crate::draft;
use crate::screen::{PurseRefusal, Refusal};
use crate::step::Step;

impl Terminal {
    /// The change of the record that is due before this cart, if there is one: only goods are paid with vouchers.
    pub(super) fn vouchers_due(&self, step: &Step<'_>, tag: TagId, loaded: &Loaded) -> Option<Plan> {
        let sells = self.cart.as_ref().is_some_and(|cart| {
            let goods = matches!(cart.purpose, Purpose::Sale | Purpose::Correct { .. });
            goods && !cart.lines.is_empty()
        });
        let (sent, flags) = self.sent_record(tag).filter(|_| sells)?;
        let record = loaded.purse.newest_record()?;
        let mut issue = [0; VOUCHER_KINDS];
        for ((issue, sent), held) in issue.iter_mut().zip(sent).zip(record.vouchers) {
            *issue = sent.saturating_sub(held.issued);
        }
        let update = Update {
            flags,
            issue,
            terminal: self.till().map(short_till)?,
            minute: record_minute(self.clock.server_ms(step.now)),
        };
        // A record that cannot be changed still pays with money.
        loaded.plan_update(&update).ok()
    }

    /// Whether these orders used vouchers that stand on a wristband.
    pub(super) fn used_vouchers_of_purses(&self, orders: &[OrderId]) -> bool {
        let mut olds = orders.iter().filter_map(|order| self.history.find(*order));
        olds.any(|old| old.purse.is_some() && old.lines.iter().any(|line| line.vouchers.is_some()))
    }

    /// Writes down that the record is about to change; the sale goes on when it has.
    pub(super) fn issue(&mut self, step: &mut Step<'_>, tag: TagId, plan: Plan, owed: Owed) -> Result<(), Refusal> {
        if !self.store.journal_is_idle() {
            return Err(Refusal::Busy);
        }
        // An intent is about an order; this one is granted by the server already, and is never booked from here.
        let granted = draft::granted(&self.shop()?, tag);
        let granted = self.to_book(step, granted, Some(tag), true, None)?;
        let (order, _) = granted.orders.first().ok_or(Refusal::NotPermitted)?;
        let job = self.journal_intents(step, &plan, &[order])?;
        let stage = Stage::Granting {
            plan: Box::new(plan),
            owed,
        };
        self.busy = Busy::Purse(Box::new(AtPurse { tag, job, stage }));
        Ok(())
    }

    /// The record was changed, or not.
    pub(super) fn issued(
        &mut self,
        step: &mut Step<'_>,
        tag: TagId,
        plan: &Plan,
        owed: Owed,
        written: &Written,
    ) -> Result<(), Refusal> {
        if written.outcome == Outcome::Committed {
            self.wrote_purse(tag, &plan.after);
            return self.purse_cart(step, tag, plan.after.clone(), owed);
        }
        // Whether the record is the old or the new one is read at the next tap; what a tear may have damaged on the way is put back then.
        self.keep_void(&plan.intent);
        Err(Refusal::Purse(PurseRefusal::Left))
    }
}
