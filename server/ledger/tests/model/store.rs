//! The smallest store there can be: loads what is needed and no more, writes what it is told.

use std::collections::BTreeMap;

use ledger::account::{AccountKey, Chart};
use ledger::{Balance, Effects, Fold, Hold, KnownPosting, Needs, PostingId, Record, View};
use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, HoldId};

use crate::scenario::{Answer, Step};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Store {
    pub accounts: BTreeMap<AccountKey, Balance>,
    pub lots: BTreeMap<(AccountKey, u64), Amount>,
    pub holds: BTreeMap<HoldId, Hold>,
    pub postings: BTreeMap<PostingId, KnownPosting>,
    pub records: Vec<Record>,
    pub hashes: Vec<Hash32>,
}

impl Store {
    pub fn load(&self, needs: &Needs) -> View {
        let mut view = View {
            last_no: self.records.last().map_or(0, |record| record.no),
            head: self.hashes.last().copied(),
            ..View::default()
        };
        let mut keys = needs.accounts.clone();
        for id in &needs.holds {
            if let Some(hold) = self.holds.get(id) {
                view.holds.insert(*id, *hold);
                keys.insert(hold.request.key());
            }
        }
        for id in &needs.postings {
            if let Some(known) = self.postings.get(id) {
                view.postings.insert(
                    *id,
                    KnownPosting {
                        posting: None,
                        ..known.clone()
                    },
                );
            }
        }
        for id in &needs.reversal_targets {
            if let Some(known) = self.postings.get(id) {
                keys.extend(
                    known
                        .posting
                        .iter()
                        .flat_map(|posting| Needs::of_posting(posting).accounts),
                );
                view.postings.insert(*id, known.clone());
            }
        }
        for key in keys {
            view.accounts
                .insert(key, self.accounts.get(&key).copied().unwrap_or_default());
            let lots = self.lots.range((key, 0)..=(key, u64::MAX));
            view.lots.extend(lots.map(|(lot, left)| (*lot, *left)));
        }
        view
    }

    pub fn apply(&mut self, effects: Effects) {
        self.accounts.extend(effects.accounts);
        self.lots.extend(effects.lots);
        self.lots.retain(|_, left| !left.is_zero());
        self.holds.extend(effects.holds);
        for record in &effects.records {
            let Some(posting) = &record.posting else { continue };
            if let Some(target) = posting.reverses {
                self.postings.get_mut(&target).unwrap().reversed_by = Some(posting.id);
            }
            let (no, content) = (record.no, posting.content);
            let known = KnownPosting {
                no,
                content,
                reversed_by: None,
                posting: Some(posting.clone()),
            };
            self.postings.insert(posting.id, known);
        }
        self.records.extend(effects.records);
        self.hashes.extend(effects.hashes);
    }

    /// A fold over what these steps need.
    pub fn fold(&self, steps: &[Step], chart: &Chart) -> Fold {
        let mut needs = Needs::default();
        for step in steps {
            needs.merge(step.needs(self.holds.keys().copied()));
        }
        Fold::new(self.load(&needs), chart)
    }

    /// One batch, from load to commit.
    pub fn run(&mut self, steps: &[Step], chart: &Chart) -> Vec<Answer> {
        let mut fold = self.fold(steps, chart);
        let answers = steps.iter().map(|step| step.run(&mut fold)).collect();
        self.apply(fold.into_effects());
        answers
    }
}
