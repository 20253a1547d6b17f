//! The rules once more, as plainly as they can be said: a list of what was booked, and every number computed anew from it.
//!
//! Shares nothing with the crate but its types. Slow on purpose.

use std::collections::{BTreeMap, BTreeSet};

use ledger::account::{Account, AccountKey};
use ledger::{
    Authority, Hold, HoldOutcome, HoldRequest, Limits, Outcome, Posting, PostingId, Refusal, Transfer, TransferCode,
};
use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, HoldId};

use crate::scenario::{Answer, CEILING, Command, EURO, EVENT, Step, VOUCHERS, key};

#[derive(Debug, Clone)]
struct Booked {
    no: u64,
    id: PostingId,
    content: Hash32,
    reverses: Option<PostingId>,
    moves: Vec<Transfer>,
}

#[derive(Debug, Clone, Default)]
pub struct Model {
    last_no: u64,
    booked: Vec<Booked>,
    /// In the order they were asked for.
    holds: Vec<Hold>,
}

fn is_guest(account: Account) -> bool {
    matches!(account, Account::Wristband { .. })
}

/// Where the chip decides, the books may hear of a sale before they hear of the credit that paid for it.
fn has_floor(account: Account) -> bool {
    matches!(
        account,
        Account::Wristband {
            authority: Authority::Server,
            ..
        }
    )
}

fn is_bounded(account: Account) -> bool {
    is_guest(account) || matches!(account, Account::Overdraft { .. })
}

fn narrow(wide: i128) -> Result<i64, Refusal> {
    i64::try_from(wide).map_err(|_| Refusal::Overflow)
}

impl Model {
    pub fn run(&mut self, step: &Step) -> Answer {
        let now_ms = step.now_ms;
        match &step.command {
            Command::Post(posting) => Answer::Posting(self.post(posting, now_ms)),
            Command::Hold(request) => Answer::Hold(self.hold(*request, now_ms)),
            Command::Release(id) => Answer::Released(self.release(*id)),
            Command::Lapse => Answer::Lapsed(self.lapse(now_ms)),
            Command::Expire(key, id) => self
                .expire(*key, *id, now_ms)
                .map_or(Answer::NothingExpired, Answer::Posting),
            Command::Note => {
                self.last_no += 1;
                Answer::Noted(self.last_no)
            }
        }
    }

    fn moves(&self) -> impl Iterator<Item = &Transfer> {
        self.booked.iter().flat_map(|booked| &booked.moves)
    }

    pub fn balance(&self, key: AccountKey) -> i128 {
        let moves = self.moves().filter(|moved| moved.asset == key.asset);
        moves
            .map(|moved| {
                let amount = i128::from(moved.amount.0);
                i128::from(moved.to == key.account) * amount - i128::from(moved.from == key.account) * amount
            })
            .sum()
    }

    pub fn held(&self, key: AccountKey) -> i128 {
        self.holds
            .iter()
            .filter(|hold| hold.request.key() == key)
            .map(|hold| i128::from(hold.remaining.0))
            .sum()
    }

    pub fn lots(&self, key: AccountKey) -> BTreeMap<u64, i128> {
        let mut lots = BTreeMap::new();
        for moved in self.moves().filter(|moved| moved.asset == key.asset) {
            let Some(end) = moved.expires_at_ms else { continue };
            for (account, sign) in [(moved.to, 1), (moved.from, -1)] {
                if account == key.account && is_guest(account) {
                    *lots.entry(end).or_default() += sign * i128::from(moved.amount.0);
                }
            }
        }
        lots.retain(|_, left| *left != 0);
        lots
    }

    fn post(&mut self, posting: &Posting, now_ms: u64) -> Outcome {
        if let Some(first) = self.booked.iter().find(|booked| booked.id == posting.id) {
            let no = first.no;
            let same = first.content == posting.content;
            return if same {
                Outcome::Duplicate { no }
            } else {
                Outcome::Refused(Refusal::Conflict { no })
            };
        }
        let mut trial = self.clone();
        match trial
            .attempt(posting, now_ms)
            .and_then(|touched| self.check_end(&trial, touched, posting.limits))
        {
            Ok(()) => {
                *self = trial;
                Outcome::Booked { no: self.last_no }
            }
            Err(refusal) => Outcome::Refused(refusal),
        }
    }

    /// Does it all without a thought for bounds; gives the bounded accounts it touched.
    fn attempt(&mut self, posting: &Posting, now_ms: u64) -> Result<BTreeSet<AccountKey>, Refusal> {
        let mut touched = BTreeSet::new();
        for capture in &posting.captures {
            let hold = self.holds.iter_mut().find(|hold| hold.request.id == capture.hold);
            let hold = hold.ok_or(Refusal::UnknownHold)?;
            if capture.amount.0 < 0 || (capture.amount.0 == 0 && !capture.release_rest) {
                return Err(Refusal::NotPositive);
            }
            if hold.remaining.0 == 0 || now_ms >= hold.request.expires_at_ms {
                return Err(Refusal::HoldOver);
            }
            if capture.amount > hold.remaining {
                return Err(Refusal::HoldTooSmall {
                    missing: Amount(capture.amount.0 - hold.remaining.0),
                });
            }
            hold.remaining.0 = if capture.release_rest {
                0
            } else {
                hold.remaining.0 - capture.amount.0
            };
            touched.insert(hold.request.key());
        }
        let mut wanted = vec![];
        if let Some(target) = posting.reverses {
            let booked = self.booked.iter().find(|booked| booked.id == target);
            let target_moves = booked.ok_or(Refusal::ReversalTargetUnknown)?.moves.clone();
            if self.booked.iter().any(|booked| booked.reverses == Some(target)) {
                return Err(Refusal::AlreadyReversed);
            }
            let back = target_moves.into_iter().rev();
            wanted.extend(back.map(|moved| {
                (
                    Transfer {
                        from: moved.to,
                        to: moved.from,
                        ..moved
                    },
                    true,
                )
            }));
        }
        wanted.extend(posting.transfers.iter().map(|transfer| (*transfer, false)));
        self.last_no += 1;
        let (no, id, content, reverses) = (self.last_no, posting.id, posting.content, posting.reverses);
        self.booked.push(Booked {
            no,
            id,
            content,
            reverses,
            moves: vec![],
        });
        for (transfer, is_mirrored) in wanted {
            self.transfer(transfer, is_mirrored, now_ms)?;
            touched.extend([transfer.from, transfer.to].map(|account| key(account, transfer.asset)));
        }
        touched.retain(|key| is_bounded(key.account));
        Ok(touched)
    }

    fn transfer(&mut self, transfer: Transfer, is_mirrored: bool, now_ms: u64) -> Result<(), Refusal> {
        if transfer.amount.0 <= 0 {
            return Err(Refusal::NotPositive);
        }
        if transfer.from == transfer.to {
            return Err(Refusal::SameAccount);
        }
        if transfer.asset != VOUCHERS {
            return if transfer.expires_at_ms.is_some() {
                Err(Refusal::LotMismatch)
            } else {
                self.record(transfer)
            };
        }
        let is_expiry = transfer.code == TransferCode::Expire;
        match transfer.expires_at_ms {
            Some(end) => {
                if is_guest(transfer.from) && end <= now_ms && !is_mirrored && !is_expiry {
                    return Err(Refusal::LotsTooSmall {
                        missing: transfer.amount,
                    });
                }
                self.record(transfer)
            }
            None if is_guest(transfer.from) && !is_expiry => {
                let valid: Vec<_> = self.lots(key(transfer.from, VOUCHERS)).into_iter().collect();
                let mut units = transfer.amount.0;
                let mut parts = vec![];
                for (end, left) in valid.into_iter().filter(|(end, _)| *end > now_ms) {
                    let part = left.min(i128::from(units));
                    units -= i64::try_from(part).unwrap();
                    parts.push((end, part));
                }
                if units > 0 {
                    return Err(Refusal::LotsTooSmall { missing: Amount(units) });
                }
                parts
                    .into_iter()
                    .filter(|(_, part)| *part > 0)
                    .try_for_each(|(end, part)| {
                        let amount = Amount(narrow(part)?);
                        self.record(Transfer {
                            amount,
                            expires_at_ms: Some(end),
                            ..transfer
                        })
                    })
            }
            None if is_guest(transfer.from) || is_guest(transfer.to) => Err(Refusal::LotMismatch),
            None => self.record(transfer),
        }
    }

    /// Lots are taken and filled one by one and hold at every step.
    fn record(&mut self, transfer: Transfer) -> Result<(), Refusal> {
        self.booked.last_mut().unwrap().moves.push(transfer);
        let Some(end) = transfer.expires_at_ms else {
            return Ok(());
        };
        for account in [transfer.from, transfer.to] {
            let left = self
                .lots(key(account, transfer.asset))
                .get(&end)
                .copied()
                .unwrap_or_default();
            if left < 0 {
                return Err(Refusal::LotsTooSmall {
                    missing: Amount(narrow(-left)?),
                });
            }
            narrow(left)?;
        }
        Ok(())
    }

    /// `self` is how it was before, `after` how it would be.
    fn check_end(&self, after: &Self, touched: BTreeSet<AccountKey>, limits: Limits) -> Result<(), Refusal> {
        for account in touched {
            let (balance, before) = (after.balance(account), self.balance(account));
            narrow(balance)?;
            let (free, free_before) = (balance - after.held(account), before - self.held(account));
            if has_floor(account.account) && free < 0 && free < free_before {
                return Err(Refusal::BelowFloor {
                    account,
                    missing: Amount(narrow(-free)?),
                });
            }
            let ceiling = match account.account {
                Account::Overdraft { .. } => Some(0),
                _ => (account.asset == EURO).then_some(i128::from(CEILING.0)),
            };
            if let Some(ceiling) = ceiling.filter(|_| limits == Limits::Enforced)
                && balance > ceiling
                && balance > before
            {
                return Err(Refusal::AboveCeiling {
                    account,
                    excess: Amount(narrow(balance - ceiling)?),
                });
            }
        }
        Ok(())
    }

    fn hold(&mut self, request: HoldRequest, now_ms: u64) -> HoldOutcome {
        if let Some(first) = self.holds.iter().find(|hold| hold.request.id == request.id) {
            let same = first.request == request;
            return if same {
                HoldOutcome::Duplicate(*first)
            } else {
                HoldOutcome::Refused(Refusal::HoldConflict)
            };
        }
        let on = request.key();
        let lacking = i128::from(request.amount.0) + self.held(on) - self.balance(on);
        let valid: i128 = self
            .lots(on)
            .into_iter()
            .filter(|(end, _)| *end > now_ms)
            .map(|(_, left)| left)
            .sum();
        let lacking_in_lots = i128::from(request.amount.0) + self.held(on) - valid;
        let refusal = if request.amount.0 <= 0 {
            Refusal::NotPositive
        } else if !has_floor(request.account) {
            Refusal::NotHoldable(on)
        } else if request.expires_at_ms <= now_ms {
            Refusal::HoldOver
        } else if narrow(i128::from(request.amount.0) + self.held(on)).is_err() {
            Refusal::Overflow
        } else if lacking > 0 {
            Refusal::BelowFloor {
                account: on,
                missing: Amount(i64::try_from(lacking).unwrap()),
            }
        } else if request.asset == VOUCHERS && lacking_in_lots > 0 {
            Refusal::LotsTooSmall {
                missing: Amount(i64::try_from(lacking_in_lots).unwrap()),
            }
        } else {
            self.holds.push(Hold {
                request,
                remaining: request.amount,
            });
            return HoldOutcome::Held;
        };
        HoldOutcome::Refused(refusal)
    }

    fn release(&mut self, id: HoldId) -> Result<Amount, Refusal> {
        let hold = self
            .holds
            .iter_mut()
            .find(|hold| hold.request.id == id)
            .ok_or(Refusal::UnknownHold)?;
        Ok(std::mem::take(&mut hold.remaining))
    }

    fn lapse(&mut self, now_ms: u64) -> Vec<HoldId> {
        let mut lapsed = vec![];
        for hold in &mut self.holds {
            if hold.remaining.0 > 0 && hold.request.expires_at_ms <= now_ms {
                hold.remaining = Amount::ZERO;
                lapsed.push(hold.request.id);
            }
        }
        lapsed.sort();
        lapsed
    }

    fn expire(&mut self, of: AccountKey, id: PostingId, now_ms: u64) -> Option<Outcome> {
        let over = self.lots(of).into_iter().filter(|(end, _)| *end <= now_ms);
        let transfers: Vec<_> = over
            .map(|(end, left)| Transfer {
                from: of.account,
                to: Account::Issuer,
                asset: of.asset,
                amount: Amount(i64::try_from(left).unwrap()),
                code: TransferCode::Expire,
                expires_at_ms: Some(end),
            })
            .collect();
        // Every generated expiry has an id of its own, so there is no earlier one to answer for.
        let posting = Posting {
            id,
            content: Hash32::ZERO,
            event: EVENT,
            transfers,
            captures: vec![],
            reverses: None,
            limits: Limits::Enforced,
            mirrored: None,
        };
        (!posting.transfers.is_empty()).then(|| self.post(&posting, now_ms))
    }
}
