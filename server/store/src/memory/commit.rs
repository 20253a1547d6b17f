//! What a commit does to the maps: [`State::check`] refuses it whole, or [`State::apply`] books all of it; and the projection that follows later.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use shared_protocol::TerminalId;

use super::State;
use crate::projection::Projection;
use crate::{Commit, StoreError, StoredCase, TerminalNo};

impl State {
    /// Everything an engine refuses because of what is stored. Nothing is changed.
    pub(super) fn check(&self, commit: &Commit) -> Result<(), StoreError> {
        commit.check(self.last_no(), &self.head())?;
        let mut ids: BTreeMap<TerminalId, TerminalNo> = self.terminals.values().map(|row| (row.id, row.no)).collect();
        for row in &commit.terminals {
            if ids.insert(row.id, row.no).is_some_and(|no| no != row.no) {
                return Err(StoreError::Conflict(format!("terminal {}", row.id)));
            }
        }
        let known =
            |no: TerminalNo| self.terminals.contains_key(&no) || commit.terminals.iter().any(|row| row.no == no);
        let of_entries = commit
            .journal
            .iter()
            .filter_map(|row| Some(row.entry.as_ref()?.chain.terminal));
        let of_chains = commit.chains.iter().map(|chain| chain.key.terminal);
        let of_cases = commit.cases.iter().filter_map(|case| case.terminal);
        if let Some(no) = of_entries.chain(of_chains).chain(of_cases).find(|no| !known(*no)) {
            return Err(StoreError::Invalid(format!("there is no terminal {}", no.0)));
        }
        let (mut postings, mut reversals, mut places) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for row in &commit.journal {
            if let Some(posting) = &row.record.posting {
                if self.postings.contains_key(&posting.id) || !postings.insert(posting.id) {
                    return Err(StoreError::Conflict(format!("posting {}", posting.id.0)));
                }
                if let Some(target) = posting.reverses
                    && (self.reversals.contains_key(&target) || !reversals.insert(target))
                {
                    return Err(StoreError::Conflict(format!("the reversal of {}", target.0)));
                }
            }
            if let Some(entry) = &row.entry {
                let place = (entry.chain, entry.seq);
                if self.places.contains_key(&place) || !places.insert(place) {
                    return Err(StoreError::Conflict(format!(
                        "entry {} of {:?}",
                        entry.seq, entry.chain
                    )));
                }
            }
        }
        let mut steps = BTreeMap::new();
        for (event, stream, version, _) in &commit.streams {
            let stored = self
                .streams
                .get(&(*event, *stream))
                .and_then(|steps| steps.keys().last());
            let newest = steps.insert((*event, *stream), version).or(stored);
            if newest.is_some_and(|newest| newest >= version) {
                return Err(StoreError::Conflict(format!("version {version:?} of {stream:?}")));
            }
        }
        self.check_office(commit)?;
        self.signed.check(&commit.signing, self.last_no())
    }

    /// After [`State::check`]: nothing here can fail.
    pub(super) fn apply(&mut self, commit: &Commit) {
        for row in &commit.journal {
            if let Some(posting) = &row.record.posting {
                self.postings.insert(posting.id, row.record.no);
                if let Some(target) = posting.reverses {
                    self.reversals.insert(target, posting.id);
                }
            }
            if let Some(entry) = &row.entry {
                self.places.insert((entry.chain, entry.seq), entry.hash);
            }
            self.journal.push(Arc::new(row.clone()));
        }
        self.accounts
            .extend(commit.accounts.iter().map(|(key, balance)| (*key, balance.balance)));
        for (lot, left) in &commit.lots {
            if left.is_zero() {
                self.lots.remove(lot);
            } else {
                self.lots.insert(*lot, *left);
            }
        }
        self.chains
            .extend(commit.chains.iter().map(|chain| (chain.key, *chain)));
        for case in &commit.cases {
            let id = self.cases.len() as u64 + 1;
            self.cases.push(Arc::new(StoredCase { id, case: case.clone() }));
        }
        self.terminals
            .extend(commit.terminals.iter().map(|row| (row.no, row.clone())));
        self.slots
            .extend(commit.slots.iter().map(|slot| (slot.id, slot.clone())));
        for (event, stream, version, changes) in &commit.streams {
            self.streams
                .entry((*event, *stream))
                .or_default()
                .insert(*version, changes.clone());
        }
        self.signed.apply(&commit.signing);
        self.office.apply(&commit.office);
        let purses = commit.purses.iter();
        self.purses.extend(purses.map(|(key, purse)| (*key, purse.clone())));
    }

    pub(super) fn project(&mut self, rows_max: u64) -> Result<(), StoreError> {
        let last = self.projected_no.saturating_add(rows_max).min(self.last_no());
        let mut projection = Projection::default();
        for no in self.projected_no + 1..=last {
            if let Some(row) = self.row(no) {
                projection.add(&row.record, row.entry.as_ref())?;
            }
        }
        for (key, change) in projection.totals.balances {
            *self.sums.entry(key).or_default() += change;
        }
        for (key, change) in projection.turnovers {
            let turnover = self.turnovers.entry(key).or_default();
            *turnover = (turnover.0 + change.orders, turnover.1 + change.total);
        }
        self.add_hours(projection.hours);
        let orders = projection.orders.iter();
        self.office
            .orders
            .extend(orders.map(|booked| (booked.order.event, Arc::new(booked.row()))));
        self.projected_no = last;
        Ok(())
    }
}
