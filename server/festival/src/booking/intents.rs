//! Payments that a till began on a wristband: what it said it would do, what became of it, and what the lines of the purse say when nobody
//! else can tell.

use std::collections::BTreeMap;

use shared_protocol::entry::{Intent, IntentOutcome, IntentResult};
use shared_protocol::order::Order;
use shared_protocol::wristband::{Batch, BatchAuthority};
use shared_protocol::{Amount, OrderId, TagId, decode};

use super::{Context, Purses};
use crate::case::{Case, CaseKind};
use crate::purse::{OpenIntent, Purse};

/// The order that an intent is about, if it has one that can be read and that moves a purse.
pub fn draft(intent: &Intent) -> Option<Order> {
    let order: Order = decode(&intent.draft.as_ref()?.0).ok()?;
    let whole = order.id == intent.order && order.purse.is_some() && order.holder.is_some() && order.check().is_ok();
    whole.then_some(order)
}

/// A till began to write a wristband.
pub fn began(intent: &Intent, purses: &mut Purses, context: &Context<'_>) -> Vec<Case> {
    let Some(order) = draft(intent) else { return Vec::new() };
    let (Some(tag), Some(wanted), Some(bytes)) = (order.holder, order.purse, intent.draft.clone()) else {
        return Vec::new();
    };
    let batch = context.batches.get(&wanted.batch);
    let authority = batch.map_or(BatchAuthority::Chip, |batch| batch.authority);
    let purse = purses.entry(tag).or_insert_with(|| Purse::new(wanted.batch, authority));
    let open = OpenIntent {
        order: intent.order,
        till: order.till,
        wanted,
        first: order.group.is_none_or(|group| group.part == 1),
        unknown: false,
        draft: bytes,
    };
    let findings = purse.began(open, batch, context.now_ms).into_iter();
    findings
        .map(|finding| {
            let (kind, cents) = CaseKind::of_finding(finding);
            Case::of_order(kind, order.event, order.id, cents)
                .with_tag(Some(tag))
                .with_number(cents.0)
        })
        .collect()
}

/// A till says what became of it. That the purse has paid is said by the order itself.
pub fn ended(outcome: &IntentOutcome, purses: &mut Purses, context: &Context<'_>) -> Vec<Case> {
    let Some((tag, purse)) = outcome.tag.and_then(|tag| Some((tag, purses.get_mut(&tag)?))) else {
        return Vec::new();
    };
    let unknown = match outcome.result {
        IntentResult::Committed => return Vec::new(),
        IntentResult::Void => false,
        IntentResult::Unknown => true,
    };
    let wanted = purse.intents.iter().find(|intent| intent.order == outcome.order);
    let cents = wanted.map_or(Amount::ZERO, |intent| {
        let move_ = &intent.wanted;
        Amount(i64::from(move_.after.debited.saturating_sub(move_.before.debited)))
    });
    let case = (unknown && wanted.is_some_and(|intent| !intent.unknown)).then(|| {
        Case::of_order(
            CaseKind::PurseInterrupted,
            context.current.event.id,
            outcome.order,
            cents,
        )
        .with_tag(Some(tag))
        .with_number(cents.0)
    });
    purse.ended(outcome.order, unknown);
    case.into_iter().collect()
}

/// Looks at a purse on whose lines something has been missing for long, and opens the cases with the exact sums. A payment that was
/// interrupted but is on the wristband is not booked as a sale: no till has said that goods were handed out.
pub fn reconcile(tag: TagId, purses: &mut Purses, context: &Context<'_>) -> Vec<Case> {
    let Some(purse) = purses.get_mut(&tag).filter(|purse| !purse.told) else {
        return Vec::new();
    };
    purse.told = purse.gap_since_ms.is_some();
    let units = context.batches.get(&purse.batch).map(Batch::units);
    let mut missing: BTreeMap<(CaseKind, Option<OrderId>), Amount> = BTreeMap::new();
    for gap in purse.gaps(units.unwrap_or_default()) {
        let key = match (gap.chain, gap.intent.filter(|_| purse.witnesses(&gap))) {
            (Some(_), _) => (CaseKind::CreditGap, None),
            (None, Some(order)) => (CaseKind::PurseCompleted, Some(order)),
            (None, None) => (CaseKind::PurseGap, None),
        };
        let sum = missing.entry(key).or_default();
        *sum = sum.plus(gap.cents).unwrap_or(Amount(i64::MAX));
    }
    let event = context.current.event.id;
    missing
        .into_iter()
        .map(|((kind, order), cents)| Case {
            kind,
            event,
            stake: cents,
            order,
            tag: Some(tag),
            number: Some(cents.0),
        })
        .collect()
}
