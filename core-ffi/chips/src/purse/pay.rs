//! Paying: a record of what is about to happen, then the counter makes it true.
//!
//! ```text
//! settle | fold a credit of the server | record into the other slot, MAC last | INCR_CNT = commit
//! ```

use shared_protocol::Amount;
use shared_protocol::purse::list::VOUCHER_KINDS;
use shared_protocol::purse::{COUNTER_MAX, Flags, PendingCredit, Record};

use super::load::Loaded;
use super::plan::{Draft, Limits, Plan, PlanRefusal, Stage};

/// A sale, or cash paid out: the chip cannot tell them apart, the journal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Payment {
    /// Money in cents, without the vouchers.
    pub cents: u32,
    /// Vouchers to redeem, by kind.
    pub vouchers: [u16; VOUCHER_KINDS],
    /// The number of the terminal inside the event.
    pub terminal: u16,
    /// Minutes since the event's epoch.
    pub minute: u32,
    /// New flags, if they change.
    pub flags: Option<Flags>,
}

impl Loaded {
    /// Plans a payment. A credit that waits at the server is folded in if it is genuine; a till may offer all it knows.
    pub fn plan_pay(&self, payment: &Payment, pending: &[PendingCredit], limits: &Limits) -> Result<Plan, PlanRefusal> {
        let last = self.purse.newest_record().ok_or(PlanRefusal::NoRecord)?;
        let version = last.version.checked_add(1).ok_or(PlanRefusal::RecordsFull)?;
        let mut vouchers = last.vouchers;
        let mut weight = 0_u64;
        for (kind, (redeemed, held)) in payment.vouchers.iter().zip(&mut vouchers).enumerate() {
            let left = held.issued.saturating_sub(held.used);
            if *redeemed > left {
                return Err(PlanRefusal::VouchersTooLow { kind, left });
            }
            held.used += redeemed;
            let cents = self.purse.settings.weight_cents.get(kind).copied().unwrap_or_default();
            weight += u64::from(*redeemed) * u64::from(cents);
        }
        let amount = u64::from(payment.cents) + weight;
        if amount == 0 {
            return Err(PlanRefusal::Nothing);
        }
        if let Some(max) = limits.payment_cents_max
            && amount > u64::from(max)
        {
            return Err(PlanRefusal::PaymentLimit { max });
        }
        let amount = u32::try_from(amount).map_err(|_| PlanRefusal::CounterFull)?;
        let after = self
            .purse
            .image
            .counter
            .checked_add(amount)
            .filter(|after| *after <= COUNTER_MAX)
            .ok_or(PlanRefusal::CounterFull)?;

        let hint = payment.terminal.to_le_bytes()[0];
        let folded = self
            .best_pending(pending, hint)
            .map(|credit| (credit, self.cents_of(&credit)))
            .filter(|(_, cents)| self.room_for(*cents, limits).is_ok());
        let folded_cents = folded.as_ref().map_or(0, |(_, cents)| *cents);
        // Free money must cover the money part, and the total must cover the vouchers: their weight was set aside when they were issued.
        let free = Amount(self.free().0 + folded_cents);
        let wanted = Amount(i64::from(payment.cents));
        if free < wanted || self.balance().0 + folded_cents < i64::from(amount) {
            return Err(PlanRefusal::TooLow { free, wanted });
        }

        let record = Record {
            after,
            amount,
            version,
            terminal: payment.terminal,
            minute: payment.minute.min(COUNTER_MAX),
            flags: payment.flags.unwrap_or(last.flags),
            reserved: last.reserved,
            vouchers,
        };
        assert_eq!(
            record.before(),
            Some(self.purse.image.counter),
            "sales tile the counter line"
        );
        let mut draft = Draft::begin(self);
        if let Some((credit, _)) = &folded {
            draft.credit(Stage::Fold, Stage::Fold, credit);
        }
        draft.record(&record, Stage::Prepare)?;
        draft.count(amount);
        let plan = draft.finish(folded_cents)?;
        assert_eq!(
            plan.after.purse.newest_record(),
            Some(record),
            "the record is the newest once it is committed"
        );
        Ok(plan)
    }
}
