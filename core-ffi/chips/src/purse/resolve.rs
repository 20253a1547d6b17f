//! What became of an intent, from what the wristband holds when it is held again.

use shared_protocol::purse::{Record, Slot};

use super::load::{Loaded, unconfirmed_record};
use super::plan::Intent;

/// What became of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    /// It happened: serve, book.
    Committed,
    /// It did not happen and cannot happen any more: pay again. A top-up is written again, counted from what is there; it is never paid back in cash.
    Void,
    /// It happened, but its last page may be weak: once [`Loaded::plan_settle`] is committed it is [`Resolution::Committed`].
    Unfinished,
    /// Others wrote in between and the trace is gone: ask the server. Do not serve, do not charge.
    Unknown,
    /// This is another wristband.
    OtherWristband,
}

impl Loaded {
    /// Decides about an intent of this till.
    pub fn resolve(&self, intent: &Intent) -> Resolution {
        if intent.uid != self.purse.uid {
            return Resolution::OtherWristband;
        }
        match (intent.record(), intent.credit(&self.purse.settings)) {
            (Some(record), _) if intent.debits() => self.resolve_payment(&record),
            (Some(record), _) => self.resolve_update(&record),
            (None, Some(credit)) => {
                let there = self.purse.credit(credit.chain).credit;
                if there.units < credit.units {
                    Resolution::Void
                } else if there != credit {
                    Resolution::Unknown
                } else if self.purse.old.is_some() || self.restore.is_some() {
                    Resolution::Unfinished
                } else {
                    Resolution::Committed
                }
            }
            (None, None) if self.plan_settle().is_ok() => Resolution::Void,
            (None, None) => Resolution::Committed,
        }
    }

    fn committed_records(&self) -> impl Iterator<Item = Record> {
        Slot::ALL.into_iter().filter_map(|slot| self.purse.committed(slot))
    }

    fn resolve_payment(&self, record: &Record) -> Resolution {
        if self.committed_records().any(|there| there == *record) {
            return Resolution::Committed;
        }
        if self.purse.image.counter < record.after {
            return Resolution::Void;
        }
        // Committed sales tile the counter line: one that overlaps this one's place took it.
        let overlaps = |other: &Record| match (other.before(), record.before()) {
            (Some(other_before), Some(before)) => other_before < record.after && before < other.after,
            _ => false,
        };
        if self
            .committed_records()
            .any(|other| other.amount > 0 && overlaps(&other))
        {
            return Resolution::Void;
        }
        Resolution::Unknown
    }

    fn resolve_update(&self, record: &Record) -> Resolution {
        let Some(newest) = self.purse.newest_record() else {
            return Resolution::Unknown;
        };
        if newest == *record {
            return if unconfirmed_record(&self.purse).is_some() {
                Resolution::Unfinished
            } else {
                Resolution::Committed
            };
        }
        if self.committed_records().any(|there| there == *record) {
            return Resolution::Committed;
        }
        // Versions count the records: whoever wrote another one of this number found ours not there.
        let taken = |there: Record| there.version == record.version;
        if newest.version < record.version || self.committed_records().any(taken) {
            return Resolution::Void;
        }
        Resolution::Unknown
    }
}
