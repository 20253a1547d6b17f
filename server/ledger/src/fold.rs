//! Decides one request after the other over a view: what a batch is.
//!
//! A later request sees what an earlier one did, each is booked or refused alone, and a refusal leaves everything as it was. Nothing here
//! reads a clock: the time comes with each call.

mod draft;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, HoldId};

use self::draft::Draft;
use crate::account::{Account, AccountKey, Chart};
use crate::effects::Effects;
use crate::hold::{Hold, HoldRequest};
use crate::journal::{Record, Totals};
use crate::lot::is_over;
use crate::posting::{Limits, Posting, PostingId, Transfer, TransferCode};
use crate::refusal::Refusal;
use crate::view::{Balance, KnownPosting, View};

/// The answer to a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is in the journal now, once the effects are durable.
    Booked {
        /// Its number in the journal.
        no: u64,
    },
    /// It was booked before, with the same content. Nothing was booked again.
    Duplicate {
        /// The number of the first one.
        no: u64,
    },
    /// Nothing was booked, and the id is still free.
    Refused(Refusal),
}

/// The answer to a request for a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldOutcome {
    /// The amount is set aside.
    Held,
    /// It was asked for before with the same content; this is how it stands now.
    Duplicate(Hold),
    /// Nothing is set aside, and the id is still free.
    Refused(Refusal),
}

/// A batch in the making: the view with everything decided so far, and what of it must be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    view: View,
    chart: Chart,
    records: Vec<Record>,
    hashes: Vec<Hash32>,
    /// Every balance that a decision changed, as it was loaded.
    opening: BTreeMap<AccountKey, Balance>,
    /// Every lot that a decision changed, as it was loaded.
    opening_lots: BTreeMap<(AccountKey, u64), Amount>,
    changed_holds: BTreeSet<HoldId>,
}

impl Fold {
    /// Starts a batch. `chart` is that of the event whose accounts the batch touches.
    pub fn new(view: View, chart: &Chart) -> Self {
        Self {
            view,
            chart: chart.clone(),
            records: Vec::new(),
            hashes: Vec::new(),
            opening: BTreeMap::new(),
            opening_lots: BTreeMap::new(),
            changed_holds: BTreeSet::new(),
        }
    }

    /// Books a posting, whole or not at all.
    ///
    /// The key is resolved first, so that a repeated posting never trips over a rule or balance that changed since. Then come, in this
    /// order: captures, the mirrored transfers of the posting that is taken back, the own transfers, and the bounds of every touched
    /// account at the end. A bound refuses only what makes things worse: an account above its ceiling can still pay.
    pub fn post(&mut self, posting: Posting, booked_at_ms: u64, origin: Option<Hash32>) -> Outcome {
        if let Some(known) = self.view.postings.get(&posting.id) {
            return if known.content == posting.content {
                Outcome::Duplicate { no: known.no }
            } else {
                Outcome::Refused(Refusal::Conflict { no: known.no })
            };
        }
        match Draft::of(self, &posting, booked_at_ms).and_then(|draft| draft.closed(posting.limits)) {
            Ok(closed) => Outcome::Booked {
                no: self.book(posting, closed, booked_at_ms, origin),
            },
            Err(refusal) => Outcome::Refused(refusal),
        }
    }

    fn book(&mut self, mut posting: Posting, closed: draft::Closed, booked_at_ms: u64, origin: Option<Hash32>) -> u64 {
        for (key, balance) in closed.accounts {
            self.set_balance(key, balance);
        }
        for (lot, left) in closed.lots {
            let before = if left.is_zero() {
                self.view.lots.remove(&lot)
            } else {
                self.view.lots.insert(lot, left)
            };
            self.opening_lots.entry(lot).or_insert(before.unwrap_or_default());
        }
        for (id, hold) in closed.holds {
            self.set_hold(id, hold);
        }
        if let Some(target) = posting.reverses.and_then(|target| self.view.postings.get_mut(&target)) {
            target.reversed_by = Some(posting.id);
        }
        posting.transfers = closed.transfers;
        posting.mirrored = posting.mirrored.map(|_| closed.mirrored);
        let known = KnownPosting {
            no: self.next_no(),
            content: posting.content,
            reversed_by: None,
            posting: Some(posting.clone()),
        };
        self.view.postings.insert(posting.id, known);
        self.append(booked_at_ms, origin, Some(posting))
    }

    /// Puts a record into the journal that moves nothing and claims no key: parked bytes, a terminal's intent. Gives its number.
    pub fn note(&mut self, booked_at_ms: u64, origin: Option<Hash32>) -> u64 {
        self.append(booked_at_ms, origin, None)
    }

    fn append(&mut self, booked_at_ms: u64, origin: Option<Hash32>, posting: Option<Posting>) -> u64 {
        let no = self.next_no();
        let record = Record {
            no,
            booked_at_ms,
            origin,
            posting,
        };
        let hash = record.hash(&self.head());
        self.view.last_no = no;
        self.view.head = Some(hash);
        self.hashes.push(hash);
        self.view.add_to_sums(&record);
        self.records.push(record);
        no
    }

    fn next_no(&self) -> u64 {
        assert!(
            self.view.last_no < u64::MAX,
            "a journal of 2^64 records is a fault of the store"
        );
        self.view.last_no.saturating_add(1)
    }

    /// Sets value aside until `expires_at_ms`. Same id and content: how the hold stands now, whatever became of it.
    pub fn hold(&mut self, request: HoldRequest, now_ms: u64) -> HoldOutcome {
        if let Some(known) = self.view.holds.get(&request.id) {
            return if known.request == request {
                HoldOutcome::Duplicate(*known)
            } else {
                HoldOutcome::Refused(Refusal::HoldConflict)
            };
        }
        match self.balance_with_hold(&request, now_ms) {
            Ok(balance) => {
                self.set_balance(request.key(), balance);
                self.set_hold(
                    request.id,
                    Hold {
                        request,
                        remaining: request.amount,
                    },
                );
                HoldOutcome::Held
            }
            Err(refusal) => HoldOutcome::Refused(refusal),
        }
    }

    fn balance_with_hold(&self, request: &HoldRequest, now_ms: u64) -> Result<Balance, Refusal> {
        let key = request.key();
        if !request.amount.is_positive() {
            return Err(Refusal::NotPositive);
        }
        let floor = key
            .account
            .bounds(key.asset, &self.chart)
            .floor
            .ok_or(Refusal::NotHoldable(key))?;
        if is_over(request.expires_at_ms, now_ms) {
            return Err(Refusal::HoldOver);
        }
        let before = self.balance(&key).ok_or(Refusal::NotLoaded(key))?;
        let held = before.held.plus(request.amount)?;
        let available = before.balance.minus(held)?;
        if available < floor {
            return Err(Refusal::BelowFloor {
                account: key,
                missing: floor.minus(available)?,
            });
        }
        if key.account.keeps_lots(key.asset, &self.chart) {
            let missing = held.minus(self.valid_in_lots(&key, now_ms)?)?;
            if missing.is_positive() {
                return Err(Refusal::LotsTooSmall { missing });
            }
        }
        Ok(Balance { held, ..before })
    }

    /// Gives back what a hold still sets aside, and says how much that was: zero when it was over before.
    pub fn release(&mut self, id: HoldId) -> Result<Amount, Refusal> {
        let hold = *self.view.holds.get(&id).ok_or(Refusal::UnknownHold)?;
        if !hold.remaining.is_zero() {
            let key = hold.request.key();
            let before = self.balance(&key).ok_or(Refusal::NotLoaded(key))?;
            self.set_balance(
                key,
                Balance {
                    held: before.held.minus(hold.remaining)?,
                    ..before
                },
            );
            self.set_hold(
                id,
                Hold {
                    remaining: Amount::ZERO,
                    ..hold
                },
            );
        }
        Ok(hold.remaining)
    }

    /// Releases all loaded holds whose time is over, and says which. Done first, so that a batch decides on what is really free.
    pub fn lapse(&mut self, now_ms: u64) -> Vec<HoldId> {
        let over = |hold: &Hold| !hold.remaining.is_zero() && hold.is_over(now_ms);
        let mut lapsed: Vec<_> = self
            .view
            .holds
            .iter()
            .filter(|(_, hold)| over(hold))
            .map(|(id, _)| *id)
            .collect();
        // A hold whose account was not loaded stays as it is: its value stays set aside, which harms nobody.
        lapsed.retain(|id| self.release(*id).is_ok());
        lapsed
    }

    /// Moves the units of this account that are over to the issuer: they were sold or given and will never be used.
    ///
    /// Gives `None`, and claims no key, when nothing is over. A hold may still stand in the way; it is refused then and works once the
    /// hold has lapsed.
    pub fn expire(&mut self, key: AccountKey, id: PostingId, now_ms: u64) -> Option<Outcome> {
        let over = self.lots(&key).take_while(|(end, _)| is_over(*end, now_ms));
        let transfers: Vec<_> = over
            .map(|(expires_at_ms, amount)| Transfer {
                from: key.account,
                to: Account::Issuer,
                asset: key.asset,
                amount,
                code: TransferCode::Expire,
                expires_at_ms: Some(expires_at_ms),
            })
            .collect();
        if transfers.is_empty() && !self.view.postings.contains_key(&id) {
            return None;
        }
        let account = key.account_bytes();
        let parts: [&[u8]; 3] = [key.event.bytes(), &account, &key.asset.0.to_be_bytes()];
        let content = Hash32::of("groschen expire 1", &parts);
        let posting = Posting {
            id,
            content,
            event: key.event,
            transfers,
            captures: Vec::new(),
            reverses: None,
            limits: Limits::Enforced,
            mirrored: None,
        };
        Some(self.post(posting, now_ms, None))
    }

    /// The balance of a loaded account as decided so far.
    pub fn balance(&self, key: &AccountKey) -> Option<Balance> {
        #[cfg(test)]
        tests::count_look_up();
        self.view.accounts.get(key).copied()
    }

    /// The sum of an account without bounds, as decided so far; none when it was not asked for.
    pub fn sum(&self, key: &AccountKey) -> Option<i128> {
        self.view.sums.get(key).copied()
    }

    /// The balance without what holds set aside.
    pub fn available(&self, key: &AccountKey) -> Option<Amount> {
        self.balance(key)?.available().ok()
    }

    /// What can be spent now: [`Fold::available`], of an expiring asset only as far as lots are still valid.
    pub fn spendable(&self, key: &AccountKey, now_ms: u64) -> Option<Amount> {
        let available = self.available(key)?;
        if !key.account.keeps_lots(key.asset, &self.chart) {
            return Some(available);
        }
        let held = self.balance(key)?.held;
        let valid = self
            .valid_in_lots(key, now_ms)
            .and_then(|valid| Ok(valid.minus(held)?))
            .ok()?;
        Some(available.min(valid).max(Amount::ZERO))
    }

    fn valid_in_lots(&self, key: &AccountKey, now_ms: u64) -> Result<Amount, Refusal> {
        let valid = self.lots(key).filter(|(end, _)| !is_over(*end, now_ms));
        Ok(Amount::sum(valid.map(|(_, left)| left))?)
    }

    /// The lots of a loaded account as decided so far, in the order of their end.
    pub fn lots<'a>(&'a self, key: &AccountKey) -> impl Iterator<Item = (u64, Amount)> + use<'a> {
        self.view
            .lots
            .range((*key, 0)..=(*key, u64::MAX))
            .map(|((_, end), left)| (*end, *left))
    }

    /// A loaded hold as decided so far.
    pub fn hold_state(&self, id: &HoldId) -> Option<&Hold> {
        self.view.holds.get(id)
    }

    /// A posting that is booked, also one of this batch.
    pub fn known(&self, id: &PostingId) -> Option<&KnownPosting> {
        self.view.postings.get(id)
    }

    /// The number of the last journal record.
    pub const fn last_no(&self) -> u64 {
        self.view.last_no
    }

    /// The hash of the last journal record; all zero in an empty journal.
    pub fn head(&self) -> Hash32 {
        self.view.head.unwrap_or(Hash32::ZERO)
    }

    /// What to write, all of it in one durable transaction.
    ///
    /// # Panics
    /// When the new balances are not what the journalled transfers make of the loaded ones. Such a batch must reach no disk.
    pub fn into_effects(self) -> Effects {
        self.assert_consistent();
        let accounts = self
            .opening
            .keys()
            .filter_map(|key| Some((*key, *self.view.accounts.get(key)?)))
            .collect();
        let lots = self
            .opening_lots
            .keys()
            .map(|lot| (*lot, self.view.lots.get(lot).copied().unwrap_or_default()));
        let holds = self
            .changed_holds
            .iter()
            .filter_map(|id| Some((*id, *self.view.holds.get(id)?)))
            .collect();
        Effects {
            lots: lots.collect(),
            accounts,
            holds,
            records: self.records,
            hashes: self.hashes,
        }
    }

    /// Adds up the journalled transfers once more, in another way than the decisions did. What the loaded numbers were is not judged here.
    fn assert_consistent(&self) {
        let mut totals = Totals::default();
        let added = self.records.iter().try_for_each(|record| totals.add(record));
        assert!(added.is_ok(), "the transfers of one batch fit 128 bits");
        let zero = totals.sums().is_ok_and(|sums| sums.values().all(|sum| *sum == 0));
        assert!(zero, "what one account gives another gets");
        for (key, before) in &self.opening {
            let now = self.view.accounts.get(key).copied().unwrap_or_default();
            let moved = totals.balances.get(key).copied().unwrap_or_default();
            let due = i128::from(before.balance.0).checked_add(moved);
            assert_eq!(
                due,
                Some(i128::from(now.balance.0)),
                "the balance of {key:?} is what its transfers make"
            );
            assert!(!now.held.is_negative(), "what is held on {key:?} is not below zero");
            if let Some(floor) = key.account.bounds(key.asset, &self.chart).floor {
                let allowed = now
                    .available()
                    .and_then(|free| Ok(free >= floor || free >= before.available()?));
                assert_eq!(allowed, Ok(true), "{key:?} is not brought below its floor");
            }
        }
        for (lot, before) in &self.opening_lots {
            let left = self.view.lots.get(lot).copied().unwrap_or_default();
            let moved = totals.lots.get(lot).copied().unwrap_or_default();
            let due = i128::from(before.0).checked_add(moved);
            assert_eq!(
                due,
                Some(i128::from(left.0)),
                "the lot {lot:?} is what its transfers make"
            );
            assert!(!left.is_negative(), "the lot {lot:?} is not below zero");
        }
        let written = |key: &&AccountKey| key.account.is_bounded();
        assert!(
            totals
                .balances
                .keys()
                .filter(written)
                .all(|key| self.opening.contains_key(key)),
            "every bounded account of a transfer is written"
        );
    }

    fn set_balance(&mut self, key: AccountKey, balance: Balance) {
        let before = self.view.accounts.insert(key, balance).unwrap_or_default();
        self.opening.entry(key).or_insert(before);
    }

    fn set_hold(&mut self, id: HoldId, hold: Hold) {
        self.view.holds.insert(id, hold);
        self.changed_holds.insert(id);
    }
}
