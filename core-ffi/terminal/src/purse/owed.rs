//! What a guest still owes from earlier, when money comes in for a purse: it goes off the money first, and only the rest is written onto the chip.
//!
//! The server is asked while the purse is read, so that nothing is waited for twice. What must never happen here: a top-up that waits longer for
//! the answer than a payment would, or money on the chip that the books gave to a debt.

use shared_protocol::message::{Query, QueryResult};
use shared_protocol::order::OrderKind;
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::CHAIN_DESK;
use shared_protocol::{Amount, OrderId, RequestId, TagId};

use chips::purse::Loaded;

use super::{AtPurse, Stage};
use crate::Terminal;
use crate::book::Busy;
use crate::cart::Purpose;
use crate::screen::{Notice, PurseRefusal, Refusal, Settled};
use crate::step::Step;

/// What is known of a guest's debt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owed {
    /// Nobody was asked, or nobody answered in time.
    Unknown,
    /// The server is asked.
    Asked { request: RequestId, due_ms: u64 },
    /// The server said so.
    Said { owed: Amount, blocked: Option<BlockReason> },
}

impl Owed {
    fn amount(self) -> Amount {
        match self {
            Self::Said { owed, .. } => owed.max(Amount::ZERO),
            Self::Unknown | Self::Asked { .. } => Amount::ZERO,
        }
    }
}

impl Terminal {
    /// Asks while the purse is read, where the answer matters: for money that comes in, and for the balance.
    pub(super) fn ask_what_is_owed(&mut self, step: &mut Step<'_>, tag: TagId) -> Owed {
        let matters = self
            .cart
            .as_ref()
            .is_none_or(|cart| matches!(cart.purpose, Purpose::TopUp { .. }));
        let Some(config) = self.config.as_ref().filter(|_| matters && self.is_live()) else {
            return Owed::Unknown;
        };
        let due_ms = step.now.mono_ms.saturating_add(config.event.authorise_timeout_ms);
        let request = RequestId(step.id());
        self.send(step, Query { request, tag });
        Owed::Asked { request, due_ms }
    }

    /// When the answer is no longer waited for.
    pub(crate) fn owed_due_ms(&self) -> Option<u64> {
        match &self.busy {
            Busy::Purse(at) => match &at.stage {
                Stage::Owing {
                    owed: Owed::Asked { due_ms, .. },
                    ..
                } => Some(*due_ms),
                _ => None,
            },
            _ => None,
        }
    }

    /// The server answered. Gives whether that was asked for a purse.
    pub(crate) fn owed_is_said(&mut self, step: &mut Step<'_>, answer: &QueryResult) -> bool {
        let said = Owed::Said {
            owed: answer.owed,
            blocked: answer.blocked,
        };
        let asked = |owed: &Owed| matches!(owed, Owed::Asked { request, .. } if *request == answer.request);
        if let Busy::Purse(at) = &mut self.busy {
            match &mut at.stage {
                Stage::Reading { owed } if asked(owed) => {
                    *owed = said;
                    return true;
                }
                Stage::Owing { owed, .. } if asked(owed) => {
                    *owed = said;
                    self.go_on_with_owed(step);
                    return true;
                }
                _ => {}
            }
        }
        if self.card_asks != Some(answer.request) {
            return false;
        }
        self.card_asks = None;
        if let Notice::Balance {
            tag,
            money,
            units,
            blocked,
            last_sale,
            ..
        } = &self.notice
            && *tag == answer.tag
        {
            let notice = Notice::Balance {
                tag: *tag,
                money: *money,
                owed: said.amount(),
                units: units.clone(),
                blocked: answer.blocked.or(*blocked),
                last_sale: *last_sale,
            };
            self.notify(step, notice);
        }
        true
    }

    /// The answer does not come: the connection is gone, or it takes too long.
    pub(crate) fn stop_asking_what_is_owed(&mut self, step: &mut Step<'_>) {
        if let Busy::Purse(at) = &mut self.busy {
            match &mut at.stage {
                Stage::Reading { owed } => *owed = Owed::Unknown,
                Stage::Owing { owed, .. } => {
                    *owed = Owed::Unknown;
                    self.go_on_with_owed(step);
                }
                _ => {}
            }
        }
    }

    fn go_on_with_owed(&mut self, step: &mut Step<'_>) {
        let Busy::Purse(at) = std::mem::take(&mut self.busy) else {
            return;
        };
        let AtPurse { tag, stage, .. } = *at;
        let Stage::Owing { loaded, owed } = stage else { return };
        if let Err(refusal) = self.purse_cart(step, tag, *loaded, owed) {
            self.refuse(step, refusal);
        }
    }

    /// What of the open top-up goes to the debt; none when nothing does. The purse takes money in steps, so what the steps leave over stays owed.
    pub(super) fn settled_first(&self, loaded: &Loaded, owed: Owed) -> Result<Option<Settled>, Refusal> {
        let event = &self.config.as_ref().ok_or(Refusal::NotPermitted)?.event;
        let Some(Purpose::TopUp { amount, .. }) = self.cart.as_ref().map(|cart| &cart.purpose) else {
            return Ok(None);
        };
        let owed = owed.amount();
        if owed.is_zero() || !event.settle_overdraft_first {
            return Ok(None);
        }
        let unit = loaded.purse.settings.unit_of(shared_protocol::purse::ChainId::Desk);
        let rest = amount.minus(owed)?.max(Amount::ZERO);
        let over = rest.0.checked_rem(i64::from(unit)).unwrap_or_default();
        let credit = if over == 0 {
            rest
        } else {
            rest.plus(Amount(i64::from(unit)))?.minus(Amount(over))?
        };
        let settled = amount.minus(credit)?;
        if settled.is_negative() {
            return Err(Refusal::Purse(PurseRefusal::Step { unit }));
        }
        let left = owed.minus(settled)?;
        Ok(settled.is_positive().then_some(Settled { settled, left }))
    }

    /// What of these orders' money never came onto the chip because it went to a debt.
    pub(super) fn went_to_debts(&self, orders: &[OrderId]) -> Result<Amount, Refusal> {
        let mut sum = Amount::ZERO;
        let olds = orders.iter().filter_map(|order| self.history.find(*order));
        for old in olds.filter(|old| old.kind == OrderKind::TopUp) {
            let written = match &old.purse {
                Some(purse) => {
                    let units = self.purses.batch(purse.batch).map(|batch| batch.units()[CHAIN_DESK]);
                    let credited = purse.after.credited[CHAIN_DESK].saturating_sub(purse.before.credited[CHAIN_DESK]);
                    Amount(i64::from(units.unwrap_or_default())).times(i64::from(credited))?
                }
                None => Amount::ZERO,
            };
            sum = sum.plus(old.total.minus(written)?)?;
        }
        Ok(sum)
    }
}
