//! What is odd about an order that was booked: it goes into cases, never into a refusal.

use std::collections::BTreeMap;

use shared_protocol::config::Config;
use shared_protocol::order::{LineKind, Order, Permission, Tender, TenderKind};
use shared_protocol::{Amount, AssetId, pricing};

use super::Context;
use crate::case::CaseKind;

/// All that a person should look at, each kind once.
pub(super) fn order(order: &Order, context: &Context<'_>) -> Vec<(CaseKind, Option<i64>)> {
    let mut found = Vec::new();
    match context.priced_with {
        None if sells(order) => found.push((CaseKind::UnknownRevision, i64::try_from(order.config.rev).ok())),
        None => {}
        Some(config) => {
            let mut mismatches = 0;
            if order.reverses.is_none() {
                mismatches += pricing::verify_worth(config, &order.tenders).len();
            }
            if sells(order) {
                mismatches += pricing::verify(config, order.taxpayer, &order.lines).len();
                mismatches += usize::from(!vouchers_pay_what_they_cover(order, config));
            }
            if mismatches > 0 {
                found.push((CaseKind::PriceMismatch, i64::try_from(mismatches).ok()));
            }
        }
    }
    let rules = context.priced_with.unwrap_or(context.current);
    // What a till may not do to a wristband was not done, and its own case says so.
    if order.band.is_none() && !permitted(order, context) {
        found.push((CaseKind::NotPermitted, Some(i64::from(order.cashier.0))));
    }
    if over_offline_limit(order, rules) {
        found.push((CaseKind::OfflineLimit, None));
    }
    let paying = order
        .tenders
        .iter()
        .filter(|tender| tender.kind == TenderKind::Wristband && tender.amount.is_positive());
    if paying
        .filter_map(|tender| order.tender_tag(tender))
        .any(|tag| context.blocks.reason(tag).is_some())
    {
        found.push((CaseKind::BlockedTag, None));
    }
    found
}

fn sells(order: &Order) -> bool {
    order.reverses.is_none()
        && order.lines.iter().any(|line| {
            matches!(
                line.kind,
                LineKind::Goods | LineKind::Deposit | LineKind::Discount | LineKind::Tip
            )
        })
}

/// Tenders in vouchers name as many units as the lines used, and leave open in money just what those are worth.
fn vouchers_pay_what_they_cover(order: &Order, config: &Config) -> bool {
    let Ok(covered) = pricing::covered_by_vouchers(config, &order.lines) else {
        return false;
    };
    let mut paid: BTreeMap<AssetId, i64> = BTreeMap::new();
    for tender in &order.tenders {
        if let Some(asset) = tender.voucher {
            let units = paid.entry(asset).or_default();
            *units = units.saturating_add(tender.amount.0);
        }
    }
    let cents = Amount::sum(covered.values().map(|(_, cents)| *cents));
    let open = order
        .total()
        .and_then(|total| total.minus(order.paid()?))
        .and_then(|open| open.minus(cents?));
    covered.iter().map(|(asset, (units, _))| (*asset, *units)).eq(paid) && open.is_ok_and(Amount::is_zero)
}

/// Whether till and cashier may do this, by the rules they had.
pub(super) fn permitted(order: &Order, context: &Context<'_>) -> bool {
    let config = context.priced_with.unwrap_or(context.current);
    let till = config.tills.get(&order.till);
    let staff = config.staff.get(&order.cashier);
    let same_till = context.till.is_none_or(|till| till == order.till);
    let kinds = till.is_some_and(|till| till.order_kinds.contains(&order.kind))
        && staff.is_some_and(|staff| staff.may_book(order.kind));
    let tenders = till.is_some_and(|till| {
        order
            .tenders
            .iter()
            .all(|tender| till.tenders.contains(&taken_as(tender.kind)))
    });
    same_till && kinds && tenders
}

/// Vouchers are on wristbands: a till that takes these takes them.
fn taken_as(tender: TenderKind) -> TenderKind {
    if tender == TenderKind::Voucher {
        TenderKind::Wristband
    } else {
        tender
    }
}

fn over_offline_limit(order: &Order, config: &Config) -> bool {
    let limits = &config.event.offline;
    // Cash of a top-up that is taken back may be notes one way and change the other; neither is taken from a wristband.
    let on_wristband = |tender: &&Tender| tender.kind == TenderKind::Wristband;
    order
        .tenders
        .iter()
        .filter(on_wristband)
        .any(|tender| match tender.permission {
            Permission::OfflineKnown => tender.amount > limits.order_max.min(limits.tag_max),
            Permission::OfflineUnknown => tender.amount > limits.order_max.min(limits.unknown_tag_max),
            Permission::NotNeeded | Permission::Held | Permission::Chip => false,
        })
}
