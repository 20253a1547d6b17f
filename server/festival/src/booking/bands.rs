//! Wristbands that a desk swaps or blocks: what moves, what stays behind, and why nothing could be done.
//!
//! Such an order is booked once like any other, also when nothing can be done: it claims its id, moves nothing, and a case says what a person has to do.

use ledger::{Account, Fold, Transfer};
use shared_protocol::order::{Order, OrderKind};
use shared_protocol::purse::Flags;
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::{BandChange, BatchAuthority};
use shared_protocol::{Amount, AssetId, TagId};

use super::{Context, Plan, Purses, checks};
use crate::authorise::{in_purse, money};
use crate::case::{Case, CaseKind, SwapFault};
use crate::holding;

/// What a booked order did to a wristband, for the block list and the purse of the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandDone {
    /// The wristband that is blocked from now on.
    pub old: TagId,
    /// Why.
    pub reason: BlockReason,
    /// The one that got everything.
    pub new: Option<TagId>,
    /// The age class and what else was on the old one, where its purse showed it.
    pub flags: Option<Flags>,
}

/// The plan of a swap or a block; none for an order that does not say what it wants.
pub(super) fn plan(order: &Order, fold: &Fold, purses: &Purses, context: &Context<'_>) -> Option<Plan> {
    let (old, said) = (order.holder?, order.band.as_ref()?);
    let planned = if checks::permitted(order, context) {
        match (order.kind, said.new) {
            (OrderKind::Swap, Some(new)) => swap((old, new), said, fold, purses, context),
            _ => Ok(Plan::of(Vec::new())),
        }
    } else {
        Err(SwapFault::NotPermitted)
    };
    Some(match planned {
        Ok(plan) => Plan {
            band: Some(BandDone {
                old,
                reason: lasting(context.blocks.reason(old), listed(said)),
                new: said.new,
                flags: said
                    .shown
                    .as_ref()
                    .and_then(|shown| Some(shown.record?.flags))
                    .filter(|flags| *flags != Flags::default()),
            }),
            ..plan
        },
        Err(fault) => Plan {
            cases: vec![(CaseKind::SwapUndone, Some(i64::from(fault.code())))],
            ..Plan::of(Vec::new())
        },
    })
}

/// What the block list says: that there is another one, also of a wristband that was lost before.
const fn listed(said: &BandChange) -> BlockReason {
    if said.new.is_some() {
        BlockReason::Replaced
    } else {
        said.reason
    }
}

/// A wristband that was replaced stays it, and one that the organiser blocked stays blocked by the organiser, whatever a desk says of it later.
fn lasting(before: Option<BlockReason>, said: BlockReason) -> BlockReason {
    before.filter(|before| *before != BlockReason::Lost).unwrap_or(said)
}

fn swap(
    (old, new): (TagId, TagId),
    said: &BandChange,
    fold: &Fold,
    purses: &Purses,
    context: &Context<'_>,
) -> Result<Plan, SwapFault> {
    if old == new {
        return Err(SwapFault::Same);
    }
    match context.blocks.reason(old) {
        // A lost one was blocked before its guest came for another.
        None | Some(BlockReason::Lost) => {}
        Some(BlockReason::Replaced) => return Err(SwapFault::AlreadyReplaced),
        Some(BlockReason::Blocked | BlockReason::Overdrawn | BlockReason::Other(_)) => {
            return Err(SwapFault::OldBlocked);
        }
    }
    if context.blocks.reason(new).is_some() {
        return Err(SwapFault::NewBlocked);
    }
    if in_use(new, fold, purses, context) {
        return Err(SwapFault::NewInUse);
    }
    let config = context.current;
    let in_books = fold
        .available(&in_purse(&config.event, old, AssetId::EURO))
        .unwrap_or_default();
    let purse = purses.get(&old).filter(|purse| purse.authority == BatchAuthority::Chip);
    let purse = purse.and_then(|purse| Some((purse, context.batches.get(&purse.batch)?)));
    let kept = match purse {
        Some((purse, batch)) => {
            let shown = said.shown.as_ref().filter(|shown| shown.batch == purse.batch);
            let totals = shown.map(|shown| &shown.totals);
            holding::hold_back(purse, batch, totals, in_books, &config.event.offline).map_err(|_| SwapFault::Unclear)?
        }
        None => Amount::ZERO,
    };
    let set_aside = fold.balance(&money(&config.event, old)).unwrap_or_default().held;
    let rest = kept.plus(set_aside).map_err(|_| SwapFault::Unclear)?;
    let transfers = holding::all_of(
        (old, new),
        kept,
        purse.map(|(_, batch)| batch),
        (fold, config, context.now_ms),
    );
    Ok(Plan {
        cases: rest
            .is_positive()
            .then_some((CaseKind::SwapRest, Some(rest.0)))
            .into_iter()
            .collect(),
        ..Plan::of(transfers)
    })
}

/// Whether a wristband has something already: then it is another guest's, as far as the books can tell. Debts alone do not say so: a till that sends
/// before the desk may have sold on the new wristband.
fn in_use(tag: TagId, fold: &Fold, purses: &Purses, context: &Context<'_>) -> bool {
    let has = |key| fold.balance(&key).is_some_and(|has| has.balance.is_positive());
    let credited = purses
        .get(&tag)
        .is_some_and(|purse| purse.issued > 0 || purse.seen.credited.iter().any(|units| *units > 0));
    credited || holding::held_by(context.current, tag).any(has)
}

/// Money that an order brings to a wristband whose guest has another one by now.
pub(super) fn left_behind(order: &Order, transfers: &[Transfer], context: &Context<'_>) -> Option<Case> {
    let tag = order.holder?;
    let gone = context.blocks.reason(tag) == Some(BlockReason::Replaced);
    let of_guest = |account| matches!(account, Account::Wristband { tag: of, .. } if of == tag);
    let moved = transfers.iter().filter(|transfer| transfer.asset == AssetId::EURO);
    let sum: i128 = moved
        .map(|transfer| {
            let amount = i128::from(transfer.amount.0);
            i128::from(of_guest(transfer.to)) * amount - i128::from(of_guest(transfer.from)) * amount
        })
        .sum();
    let cents = Amount::from_wide(sum).unwrap_or(Amount(i64::MAX));
    (gone && sum > 0).then(|| {
        Case::of_order(CaseKind::AfterSwap, context.current.event.id, order.id, cents)
            .with_tag(Some(tag))
            .with_number(cents.0)
    })
}
