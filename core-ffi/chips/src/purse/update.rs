//! Changing what carries no money: flags, and vouchers that are issued. Their money follows by a top-up or a credit of the server.

use shared_protocol::purse::list::VOUCHER_KINDS;
use shared_protocol::purse::{COUNTER_MAX, Flags, Record};

use super::load::Loaded;
use super::plan::{Draft, Plan, PlanRefusal, Stage};

/// A change of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Update {
    /// New flags, if they change.
    pub flags: Option<Flags>,
    /// Vouchers to issue, by kind. Their weight is credited *afterwards*: a tear between the two leaves money set aside, never vouchers as cash.
    pub issue: [u16; VOUCHER_KINDS],
    /// The number of the terminal inside the event.
    pub terminal: u16,
    /// Minutes since the event's epoch.
    pub minute: u32,
}

impl Loaded {
    /// Plans a change of the record; the total stays what it is.
    pub fn plan_update(&self, update: &Update) -> Result<Plan, PlanRefusal> {
        let last = self.purse.newest_record().ok_or(PlanRefusal::NoRecord)?;
        let version = last.version.checked_add(1).ok_or(PlanRefusal::RecordsFull)?;
        let mut vouchers = last.vouchers;
        for (held, issued) in vouchers.iter_mut().zip(update.issue) {
            held.issued = held.issued.checked_add(issued).ok_or(PlanRefusal::RecordsFull)?;
        }
        let record = Record {
            after: self.purse.image.counter,
            amount: 0,
            version,
            terminal: update.terminal,
            minute: update.minute.min(COUNTER_MAX),
            flags: update.flags.unwrap_or(last.flags),
            reserved: last.reserved,
            vouchers,
        };
        if (record.flags, record.vouchers) == (last.flags, last.vouchers) {
            return Err(PlanRefusal::Nothing);
        }
        let mut draft = Draft::begin(self);
        let slot = draft.record(&record, Stage::Commit)?;
        draft.close_record(Stage::Confirm, slot.other());
        let plan = draft.finish(0)?;
        assert_eq!(
            plan.after.purse.newest_record(),
            Some(record),
            "the record is the newest once it is written"
        );
        Ok(plan)
    }
}
