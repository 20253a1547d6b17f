//! A guest gets another wristband, or one that is lost is blocked.
//!
//! ```text
//!  old one held ─► its balance ─► swap ─┐
//!  old one lost ─► its number ──► swap ─┴► new one held ─► entry durable ─► done
//!               └► block ────────────────────────────────► entry durable ─► done
//! ```
//! What moves is the server's to say, so nothing is written on either wristband here: the money is on the new one when the server has booked the
//! swap. This till does not take the old one from the moment the entry is durable; the others do not when the server has told them.

use std::collections::BTreeMap;

use chips::purse::Loaded;
use shared_protocol::message::QueryResult;
use shared_protocol::order::{Order, OrderKind};
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::{BandChange, ShownPurse};
use shared_protocol::{Amount, TagId};

use crate::Terminal;
use crate::cart::Purpose;
use crate::draft::{self, Draft};
use crate::knowledge::blocked;
use crate::purse::totals;
use crate::screen::{Balance, Done, DoneKind, Notice, Refusal};
use crate::step::Step;

/// A wristband that an entry of this journal blocks: why, and where the entry stands.
pub(crate) type BlockedHere = BTreeMap<TagId, (BlockReason, (u32, u64))>;

/// Takes note of what an order of this journal blocks.
pub(crate) fn note_block(blocks: &mut BlockedHere, order: &Order, place: (u32, u64)) {
    if let (Some(old), Some(change)) = (order.holder, &order.band) {
        let reason = change.new.map_or(change.reason, |_| BlockReason::Replaced);
        blocks.insert(old, (reason, place));
    }
}

/// What a crash kept from the screen, when the last order was about a wristband.
pub(crate) fn told_again(last: &Order) -> Option<Done> {
    let (old, change) = (last.holder?, last.band.as_ref()?);
    let kind = match last.kind {
        OrderKind::Swap => DoneKind::Swapped { old, after_sync: true },
        _ => DoneKind::Blocked { after_sync: true },
    };
    Some(Done {
        orders: vec![last.id],
        tag: change.new.or(last.holder),
        ..Done::of(kind, Amount::ZERO, last.closed_at_ms)
    })
}

impl Terminal {
    /// Why a wristband must not pay, as far as is known here: by the block list, or by an entry of this till that the server does not have yet.
    pub(crate) fn blocked_as(&self, tag: TagId) -> Option<BlockReason> {
        let here = self.blocked_here.get(&tag);
        let unsent = here
            .filter(|(_, place)| !self.is_sent(*place))
            .map(|(reason, _)| *reason);
        unsent.or_else(|| blocked(self.streams.block(tag)))
    }

    /// A purse was read and is shown: what it showed goes into the order, should it be swapped.
    pub(crate) fn remember_shown(&mut self, tag: TagId, loaded: &Loaded) {
        let shown = ShownPurse {
            batch: loaded.purse.header.batch,
            totals: totals(loaded),
            record: loaded.purse.newest_record(),
        };
        self.shown_purse = Some((tag, shown));
    }

    /// The wristband whose balance is on the screen is swapped for the one that is held next.
    pub(crate) fn swap_shown(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let Notice::Balance { tag: old, blocked, .. } = self.notice else {
            return Err(Refusal::HoldOldFirst);
        };
        let shown = self.shown_purse.take().filter(|(tag, _)| *tag == old);
        let shown = shown.map(|(_, shown)| shown);
        self.begin_swap(step, (old, blocked), BlockReason::Replaced, shown)
    }

    /// A wristband that is not here is swapped for the one that is held next.
    pub(crate) fn swap_lost(&mut self, step: &mut Step<'_>, old: TagId) -> Result<(), Refusal> {
        self.begin_swap(step, (old, None), BlockReason::Lost, None)
    }

    fn begin_swap(
        &mut self,
        step: &mut Step<'_>,
        (old, said): (TagId, Option<BlockReason>),
        reason: BlockReason,
        shown: Option<ShownPurse>,
    ) -> Result<(), Refusal> {
        self.free_of_carts()?;
        // A new wristband is no way around a block; one that was reported lost is what it is for.
        let known = said.or(self.blocked_as(old));
        if let Some(reason) = known.filter(|known| *known != BlockReason::Lost) {
            return Err(Refusal::Blocked(reason));
        }
        // Who may not do it is told before the guest is asked for anything.
        let change = BandChange {
            reason,
            new: Some(old),
            shown: None,
        };
        self.permitted(&draft::band(&self.shop()?, OrderKind::Swap, old, change))?;
        self.arm(step, Purpose::Swap { old, reason, shown });
        Ok(())
    }

    /// A wristband is blocked at once.
    pub(crate) fn block_lost(&mut self, step: &mut Step<'_>, tag: TagId) -> Result<(), Refusal> {
        self.free_of_carts()?;
        if let Some(reason) = self.blocked_as(tag) {
            return Err(Refusal::Blocked(reason));
        }
        if self.is_of_crew(tag) {
            return Err(Refusal::OfCrew);
        }
        let change = BandChange {
            reason: BlockReason::Lost,
            new: None,
            shown: None,
        };
        let draft = draft::band(&self.shop()?, OrderKind::Block, tag, change);
        self.permitted(&draft)?;
        let after_sync = !self.is_live();
        self.book_without_cart(step, draft, Some(tag), DoneKind::Blocked { after_sync });
        Ok(())
    }

    fn is_of_crew(&self, tag: TagId) -> bool {
        let config = self.config.as_ref();
        config.is_some_and(|config| config.staff.values().any(|person| person.tag == Some(tag)))
    }

    /// The order that gives the guest of the open swap this wristband, when nothing speaks against it that is known here.
    pub(crate) fn swap_draft(
        &self,
        new: TagId,
        answer: Option<&QueryResult>,
        step: &Step<'_>,
    ) -> Result<Draft, Refusal> {
        let Some(Purpose::Swap { old, reason, shown }) = self.cart.as_ref().map(|cart| &cart.purpose) else {
            return Err(Refusal::CartEmpty);
        };
        if new == *old {
            return Err(Refusal::SwapSame);
        }
        if self.is_of_crew(new) {
            return Err(Refusal::OfCrew);
        }
        if let Some(reason) = answer.and_then(|answer| answer.blocked) {
            return Err(Refusal::Blocked(reason));
        }
        let said = answer.is_some_and(|answer| {
            let units = answer.units.iter().any(|units| units.amount.is_positive());
            answer.free.is_positive() || answer.held.is_positive() || answer.owed.is_positive() || units
        });
        let known = self.known(new, step).is_some_and(|known| known.balance.is_positive());
        if said || known {
            return Err(Refusal::BandInUse);
        }
        let change = BandChange {
            reason: *reason,
            new: Some(new),
            shown: shown.clone(),
        };
        Ok(draft::band(&self.shop()?, OrderKind::Swap, *old, change))
    }

    /// The same for a wristband with a purse: a fresh one was never credited.
    pub(crate) fn swap_to_purse(&self, new: TagId, loaded: &Loaded, step: &Step<'_>) -> Result<Draft, Refusal> {
        let draft = self.swap_draft(new, None, step)?;
        if loaded.purse.units().iter().any(|units| *units > 0) {
            return Err(Refusal::BandInUse);
        }
        Ok(draft)
    }

    /// What a swap is expected to move: what its old wristband showed, or what is known of it.
    pub(crate) fn expected_of_swap(&self, order: &Order, step: &Step<'_>) -> Option<Balance> {
        let old = order.holder?;
        let shown = order.band.as_ref()?.shown.as_ref();
        let held = shown.and_then(|shown| shown.totals.held(&self.purses.batch(shown.batch)?.units()).ok());
        let of_purse = held.map(|amount| Balance { amount, as_of_ms: None });
        of_purse.or_else(|| {
            let known = self.known(old, step)?;
            Some(Balance {
                amount: known.balance,
                as_of_ms: Some(known.as_of_ms),
            })
        })
    }
}
