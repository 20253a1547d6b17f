//! What the ledger folds on: what a batch needs of the maps, and all balances of an event, read at once.

use std::collections::BTreeSet;

use ledger::{AccountKey, Balance, KnownPosting, PostingId, View};
use shared_protocol::{Amount, EventId};

use super::{State, limited};
use crate::{ChainKey, Loaded, Need};

impl State {
    pub(super) fn load(&self, need: &Need) -> Loaded {
        let branches = |terminal, epoch| {
            let key = move |branch| ChainKey {
                terminal,
                epoch,
                branch,
            };
            key(0)..=key(u16::MAX)
        };
        let chains = need
            .chains
            .iter()
            .flat_map(|(terminal, epoch)| self.chains.range(branches(*terminal, *epoch)));
        let hashes = need.hashes.iter().flat_map(|(terminal, epoch, first, last)| {
            let range = branches(*terminal, *epoch);
            let places = self.places.range((*range.start(), 0)..=(*range.end(), u64::MAX));
            places.filter(|((_, seq), _)| (*first..=*last).contains(seq))
        });
        Loaded {
            ledger: self.view(&need.ledger),
            chains: chains.map(|(key, chain)| (*key, *chain)).collect(),
            hashes: hashes.map(|(place, hash)| (*place, *hash)).collect(),
            purses: need
                .purses
                .iter()
                .filter_map(|key| Some((*key, self.purses.get(key)?.clone())))
                .collect(),
        }
    }

    fn view(&self, needs: &ledger::Needs) -> View {
        let mut view = View {
            last_no: self.last_no(),
            head: Some(self.head()),
            ..View::default()
        };
        let mut accounts: BTreeSet<AccountKey> = needs.accounts.clone();
        for id in needs.postings.union(&needs.reversal_targets) {
            let Some(mut known) = self.known(id) else { continue };
            if needs.reversal_targets.contains(id) {
                accounts.extend(known.posting.iter().flat_map(crate::accounts_to_take_back));
            } else {
                known.posting = None;
            }
            view.postings.insert(*id, known);
        }
        for key in accounts {
            let balance = self.accounts.get(&key).copied().unwrap_or_default();
            view.accounts.insert(
                key,
                Balance {
                    balance,
                    held: Amount::ZERO,
                },
            );
            view.lots.extend(
                self.lots
                    .range((key, 0)..=(key, u64::MAX))
                    .map(|(lot, left)| (*lot, *left)),
            );
        }
        let sums = needs.sums.iter();
        view.sums = sums
            .map(|key| (*key, self.sums.get(key).copied().unwrap_or(0)))
            .collect();
        for row in self.journal.iter().skip(limited(self.projected_no)) {
            if view.sums.is_empty() {
                break;
            }
            view.add_to_sums(&row.record);
        }
        view
    }

    fn known(&self, id: &PostingId) -> Option<KnownPosting> {
        let no = *self.postings.get(id)?;
        let posting = self.row(no)?.record.posting.clone()?;
        Some(KnownPosting {
            no,
            content: posting.content,
            reversed_by: self.reversals.get(id).copied(),
            posting: Some(posting),
        })
    }

    /// All that an event has on its accounts.
    pub(super) fn balances(&self, event: EventId) -> View {
        let of_event = |key: &AccountKey| key.event == event;
        let accounts = self.accounts.iter().filter(|(key, _)| of_event(key));
        View {
            accounts: accounts
                .map(|(key, balance)| {
                    (
                        *key,
                        Balance {
                            balance: *balance,
                            held: Amount::ZERO,
                        },
                    )
                })
                .collect(),
            lots: self
                .lots
                .iter()
                .filter(|((key, _), _)| of_event(key))
                .map(|(lot, left)| (*lot, *left))
                .collect(),
            last_no: self.last_no(),
            head: Some(self.head()),
            ..View::default()
        }
    }
}
