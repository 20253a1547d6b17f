//! Holds of money, in memory. A crash forgets them: orders that name a forgotten hold are booked like ones taken offline, so nothing is
//! lost but the certainty that the money is there.

use std::collections::{BTreeMap, BTreeSet};

use ledger::{AccountKey, Hold, Needs, View};
use shared_protocol::{Amount, HoldId};

/// Holds that stand, with sums by account.
#[derive(Default)]
pub(crate) struct Authorisations {
    holds: BTreeMap<HoldId, Hold>,
    /// Ids by the end of their time, to free them without looking at all.
    by_end: BTreeSet<(u64, HoldId)>,
    held: BTreeMap<AccountKey, Amount>,
}

impl Authorisations {
    /// Adds what is held to a view that was loaded from the store.
    pub(crate) fn overlay(&self, needs: &Needs, view: &mut View) {
        for (key, balance) in &mut view.accounts {
            balance.held = self.held.get(key).copied().unwrap_or_default();
        }
        view.holds
            .extend(needs.holds.iter().filter_map(|id| Some((*id, *self.holds.get(id)?))));
    }

    /// The account a hold is on, so that it is loaded with it.
    pub(crate) fn account(&self, id: &HoldId) -> Option<AccountKey> {
        self.holds.get(id).map(|hold| hold.request.key())
    }

    /// Takes over what a committed batch did to holds.
    pub(crate) fn absorb(&mut self, holds: BTreeMap<HoldId, Hold>, accounts: &BTreeMap<AccountKey, ledger::Balance>) {
        for (id, hold) in holds {
            let end = (hold.request.expires_at_ms, id);
            if hold.remaining.is_positive() {
                self.by_end.insert(end);
                self.holds.insert(id, hold);
            } else {
                self.by_end.remove(&end);
                self.holds.remove(&id);
            }
        }
        for (key, balance) in accounts {
            if balance.held.is_zero() {
                self.held.remove(key);
            } else {
                self.held.insert(*key, balance.held);
            }
        }
    }

    /// Frees holds whose time is over.
    pub(crate) fn lapse(&mut self, now_ms: u64) {
        while let Some(&(end_ms, id)) = self.by_end.first() {
            if end_ms > now_ms {
                break;
            }
            self.by_end.remove(&(end_ms, id));
            let Some(hold) = self.holds.remove(&id) else { continue };
            let key = hold.request.key();
            if let Some(held) = self.held.get_mut(&key) {
                // The sum was built from these holds, so it never falls below zero.
                *held = held.minus(hold.remaining).unwrap_or_default().max(Amount::ZERO);
                if held.is_zero() {
                    self.held.remove(&key);
                }
            }
        }
    }

    /// How many holds stand.
    pub(crate) fn len(&self) -> usize {
        self.holds.len()
    }
}
