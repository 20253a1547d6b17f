//! One posting on trial: what it would change, kept apart from the fold until all of it is allowed.

use std::collections::BTreeMap;

use shared_protocol::{Amount, HoldId};

use super::Fold;
use crate::account::AccountKey;
use crate::hold::{Capture, Hold};
use crate::lot::{Missing, Share, first_to_expire, is_over};
use crate::posting::{Limits, Posting, PostingId, Transfer, TransferCode};
use crate::refusal::Refusal;
use crate::view::Balance;

/// What the transfers and captures so far make of one account. Wide, because only the end of a posting must fit.
#[derive(Clone, Copy, Default)]
struct Change {
    balance: i128,
    held: i128,
}

/// A posting on trial.
pub(super) struct Draft<'a> {
    fold: &'a Fold,
    now_ms: u64,
    /// Only bounded accounts.
    changes: BTreeMap<AccountKey, Change>,
    /// New remainders, zero where a lot is used up.
    lots: BTreeMap<(AccountKey, u64), Amount>,
    holds: BTreeMap<HoldId, Hold>,
    /// With lots resolved.
    transfers: Vec<Transfer>,
    mirrored: u32,
}

/// A posting that is allowed: new absolute values.
pub(super) struct Closed {
    pub(super) accounts: Vec<(AccountKey, Balance)>,
    pub(super) lots: BTreeMap<(AccountKey, u64), Amount>,
    pub(super) holds: BTreeMap<HoldId, Hold>,
    pub(super) transfers: Vec<Transfer>,
    /// How many of them, at the front, mirror another posting's.
    pub(super) mirrored: u32,
}

/// Whether a transfer is asked for, or takes back one that was journalled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Own,
    Mirrored,
}

impl<'a> Draft<'a> {
    /// Goes through the stages up to the bounds of the end.
    pub(super) fn of(fold: &'a Fold, posting: &Posting, now_ms: u64) -> Result<Self, Refusal> {
        let transfers = Vec::with_capacity(posting.transfers.len());
        let (changes, lots, holds) = <_>::default();
        let mut draft = Self {
            fold,
            now_ms,
            changes,
            lots,
            holds,
            transfers,
            mirrored: 0,
        };
        for capture in &posting.captures {
            draft.capture(posting, capture)?;
        }
        if let Some(target) = &posting.reverses {
            draft.mirror(posting, target)?;
        }
        draft.mirrored = u32::try_from(draft.transfers.len()).map_err(|_| Refusal::Overflow)?;
        for transfer in &posting.transfers {
            draft.transfer(posting, transfer, Origin::Own)?;
        }
        Ok(draft)
    }

    fn capture(&mut self, posting: &Posting, capture: &Capture) -> Result<(), Refusal> {
        let known = self
            .holds
            .get(&capture.hold)
            .or_else(|| self.fold.view.holds.get(&capture.hold));
        let hold = *known
            .filter(|hold| hold.request.event == posting.event)
            .ok_or(Refusal::UnknownHold)?;
        if capture.amount.is_negative() || capture.amount.is_zero() && !capture.release_rest {
            return Err(Refusal::NotPositive);
        }
        if hold.is_over(self.now_ms) {
            return Err(Refusal::HoldOver);
        }
        let rest = hold.remaining.minus(capture.amount)?;
        if rest.is_negative() {
            return Err(Refusal::HoldTooSmall {
                missing: rest.negated()?,
            });
        }
        let remaining = if capture.release_rest { Amount::ZERO } else { rest };
        let freed = hold.remaining.minus(remaining)?;
        self.change(hold.request.key(), |change| {
            change.held = change.held.checked_sub(i128::from(freed.0))?;
            Some(())
        })?;
        self.holds.insert(capture.hold, Hold { remaining, ..hold });
        Ok(())
    }

    /// The last transfer is taken back first, so that a lot is filled again before it is emptied.
    fn mirror(&mut self, posting: &Posting, target: &PostingId) -> Result<(), Refusal> {
        let known = self.fold.known(target).ok_or(Refusal::ReversalTargetUnknown)?;
        if known.reversed_by.is_some() {
            return Err(Refusal::AlreadyReversed);
        }
        let booked = known.posting.as_ref().ok_or(Refusal::TargetNotLoaded)?;
        if booked.event != posting.event {
            return Err(Refusal::ReversalTargetUnknown);
        }
        for transfer in booked.takes_back().iter().rev() {
            let back = Transfer {
                from: transfer.to,
                to: transfer.from,
                ..*transfer
            };
            self.transfer(posting, &back, Origin::Mirrored)?;
        }
        Ok(())
    }

    fn transfer(&mut self, posting: &Posting, transfer: &Transfer, origin: Origin) -> Result<(), Refusal> {
        if !transfer.amount.is_positive() {
            return Err(Refusal::NotPositive);
        }
        if transfer.from == transfer.to {
            return Err(Refusal::SameAccount);
        }
        let Transfer {
            asset, expires_at_ms, ..
        } = *transfer;
        let chart = &self.fold.chart;
        let expiring = chart.expiring.contains(&asset);
        let from_lots = transfer.from.keeps_lots(asset, chart);
        let to_lots = transfer.to.keeps_lots(asset, chart);
        match expires_at_ms {
            Some(_) if !expiring => Err(Refusal::LotMismatch),
            Some(end) if from_lots => {
                // What is over is not spent, but it can be written off, and a grant of it taken back.
                let writes_off = origin == Origin::Mirrored || transfer.code == TransferCode::Expire;
                if is_over(end, self.now_ms) && !writes_off {
                    return Err(Refusal::LotsTooSmall {
                        missing: transfer.amount,
                    });
                }
                self.moved(posting, *transfer)
            }
            None if from_lots && transfer.code == TransferCode::Expire => Err(Refusal::LotMismatch),
            None if from_lots => {
                let lots = self.lots_of(posting.source(transfer));
                let shares = first_to_expire(lots, transfer.amount, self.now_ms)
                    .map_err(|Missing(missing)| Refusal::LotsTooSmall { missing })?;
                shares.into_iter().try_for_each(|Share { expires_at_ms, amount }| {
                    self.moved(
                        posting,
                        Transfer {
                            amount,
                            expires_at_ms: Some(expires_at_ms),
                            ..*transfer
                        },
                    )
                })
            }
            None if to_lots => Err(Refusal::LotMismatch),
            _ => self.moved(posting, *transfer),
        }
    }

    /// Moves value, with the lot named where there is one.
    fn moved(&mut self, posting: &Posting, transfer: Transfer) -> Result<(), Refusal> {
        let amount = i128::from(transfer.amount.0);
        for (key, gives) in [(posting.source(&transfer), true), (posting.target(&transfer), false)] {
            if !key.account.is_bounded() {
                continue;
            }
            self.change(key, |change| {
                let moved = if gives {
                    change.balance.checked_sub(amount)
                } else {
                    change.balance.checked_add(amount)
                };
                change.balance = moved?;
                Some(())
            })?;
            if let Some(end) = transfer.expires_at_ms.filter(|_| key.account.is_holder()) {
                self.change_lot((key, end), transfer.amount, gives)?;
            }
        }
        self.transfers.push(transfer);
        Ok(())
    }

    fn change(&mut self, key: AccountKey, with: impl FnOnce(&mut Change) -> Option<()>) -> Result<(), Refusal> {
        if !self.changes.contains_key(&key) && self.fold.balance(&key).is_none() {
            return Err(Refusal::NotLoaded(key));
        }
        with(self.changes.entry(key).or_default()).ok_or(Refusal::Overflow)
    }

    fn change_lot(&mut self, lot: (AccountKey, u64), amount: Amount, gives: bool) -> Result<(), Refusal> {
        let left = self
            .lots
            .get(&lot)
            .or_else(|| self.fold.view.lots.get(&lot))
            .copied()
            .unwrap_or_default();
        let left = if gives { left.minus(amount)? } else { left.plus(amount)? };
        if left.is_negative() {
            return Err(Refusal::LotsTooSmall {
                missing: left.negated()?,
            });
        }
        self.lots.insert(lot, left);
        Ok(())
    }

    fn lots_of(&self, key: AccountKey) -> BTreeMap<u64, Amount> {
        let changed = self
            .lots
            .range((key, 0)..=(key, u64::MAX))
            .map(|((_, end), left)| (*end, *left));
        self.fold.lots(&key).chain(changed).collect()
    }

    /// Holds the end against the bounds of every account that changed.
    pub(super) fn closed(self, limits: Limits) -> Result<Closed, Refusal> {
        let accounts = self
            .changes
            .iter()
            .map(|(key, change)| Ok((*key, self.balance_after(key, *change, limits)?)))
            .collect::<Result<_, Refusal>>()?;
        Ok(Closed {
            accounts,
            lots: self.lots,
            holds: self.holds,
            transfers: self.transfers,
            mirrored: self.mirrored,
        })
    }

    fn balance_after(&self, key: &AccountKey, change: Change, limits: Limits) -> Result<Balance, Refusal> {
        let before = self.fold.balance(key).ok_or(Refusal::NotLoaded(*key))?;
        let wide = |amount: Amount, change: i128| {
            let sum = i128::from(amount.0).checked_add(change).ok_or(Refusal::Overflow)?;
            Ok::<_, Refusal>(Amount::from_wide(sum)?)
        };
        let after = Balance {
            balance: wide(before.balance, change.balance)?,
            held: wide(before.held, change.held)?,
        };
        let bounds = key.account.bounds(key.asset, &self.fold.chart);
        if let Some(floor) = bounds.floor {
            let (available, available_before) = (after.available()?, before.available()?);
            if available < floor && available < available_before {
                return Err(Refusal::BelowFloor {
                    account: *key,
                    missing: floor.minus(available)?,
                });
            }
        }
        if let Some(ceiling) = bounds.ceiling.filter(|_| limits == Limits::Enforced)
            && after.balance > ceiling
            && after.balance > before.balance
        {
            return Err(Refusal::AboveCeiling {
                account: *key,
                excess: after.balance.minus(ceiling)?,
            });
        }
        Ok(after)
    }
}
