//! Sums of sums, and what is read off them.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use dsfinvk::amount::Split;
use ledger::Account;
use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::tax::TaxRate;
use shared_protocol::{Amount, Overflow};

use super::{CaseKey, Sums, Tally, more};

impl Sums {
    /// Adds another sum.
    pub fn add(&mut self, other: &Self) -> Result<(), Overflow> {
        let count = |sum: &mut u64, more: u64| {
            *sum = sum.checked_add(more).ok_or(Overflow)?;
            Ok::<_, Overflow>(())
        };
        count(&mut self.receipts, other.receipts)?;
        for (key, split) in &other.cases {
            self.cases.entry(key.clone()).or_default().add(*split)?;
        }
        for (key, cents) in &other.payments {
            more(self.payments.entry(key.clone()).or_default(), *cents)?;
        }
        for (kind, tally) in &other.kinds {
            self.kinds.entry(*kind).or_default().add(*tally)?;
        }
        for (kind, cents) in &other.tenders {
            more(self.tenders.entry(*kind).or_default(), *cents)?;
        }
        for (asset, theirs) in &other.currencies {
            let sum = self.currencies.entry(*asset).or_default();
            for (sum, theirs) in [(&mut sum.guests, theirs.guests), (&mut sum.handed_in, theirs.handed_in)] {
                more(&mut sum.0, theirs.0)?;
                more(&mut sum.1, theirs.1)?;
            }
        }
        for (asset, used) in &other.vouchers {
            let sum = self.vouchers.entry(*asset).or_default();
            sum.units = sum.units.checked_add(used.units).ok_or(Overflow)?;
            more(&mut sum.paid, used.paid)?;
        }
        for (key, moved) in &other.deposits {
            let sum = self.deposits.entry(*key).or_default();
            for (sum, moved) in [(&mut sum.out, moved.out), (&mut sum.back, moved.back)] {
                sum.0 = sum.0.checked_add(moved.0).ok_or(Overflow)?;
                more(&mut sum.1, moved.1)?;
            }
        }
        let (drawer, theirs) = (&mut self.drawer, &other.drawer);
        for (sum, tally) in [
            (&mut drawer.opened, theirs.opened),
            (&mut drawer.brought, theirs.brought),
            (&mut drawer.taken, theirs.taken),
            (&mut drawer.counted, theirs.counted),
            (&mut self.training, other.training),
            (&mut self.given_up, other.given_up),
        ] {
            sum.add(tally)?;
        }
        more(&mut drawer.expected, theirs.expected)?;
        more(&mut drawer.moved, theirs.moved)?;
        count(&mut self.given_up_empty, other.given_up_empty)?;
        let (mine, theirs) = (&mut self.came_off, &other.came_off);
        count(&mut mine.signed, theirs.signed)?;
        count(&mut mine.signed_late, theirs.signed_late)?;
        count(&mut mine.unsigned_in_outage, theirs.unsigned_in_outage)?;
        count(&mut mine.unsigned, theirs.unsigned)?;
        self.outages.extend(&other.outages);
        self.tses.extend(&other.tses);
        if let Some((from_ms, to_ms)) = other.span {
            self.seen(from_ms, to_ms);
        }
        for (account, cents) in &other.accounts {
            let sum = self.accounts.entry(*account).or_default();
            *sum = sum.checked_add(*cents).ok_or(Overflow)?;
        }
        Ok(())
    }

    /// Turnover by rate, the highest first: gross and the tax inside it.
    pub fn turnover(&self) -> Result<BTreeMap<Reverse<TaxRate>, Split>, Overflow> {
        let mut rates = BTreeMap::<_, Split>::new();
        for (key, split) in self.cases.iter().filter(|(key, _)| key.is_turnover()) {
            rates.entry(Reverse(key.rate)).or_default().add(*split)?;
        }
        Ok(rates)
    }

    /// The gross sum of business cases of some kinds, in cents.
    pub fn gross(&self, of: impl Fn(&CaseKey) -> bool) -> Result<Amount, Overflow> {
        Amount::sum(
            self.cases
                .iter()
                .filter(|(key, _)| of(key))
                .map(|(_, split)| split.gross),
        )
    }

    /// What guests gave in cash of the event's currency, less what they got of it: change of larger payments too.
    pub fn cash(&self) -> Result<Amount, Overflow> {
        let all = self.tenders.get(&TenderKind::Cash).copied().unwrap_or_default();
        let foreign = self.currencies.values().map(|sum| sum.guests.1);
        all.minus(Amount::sum(foreign)?)
    }

    /// How many orders of a kind, with their sum.
    pub fn kind(&self, kind: OrderKind) -> Tally {
        self.kinds.get(&kind).copied().unwrap_or_default()
    }

    /// What moved on an account, in cents.
    pub fn account(&self, account: &Account) -> i128 {
        self.accounts.get(account).copied().unwrap_or_default()
    }
}
