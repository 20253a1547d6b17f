//! What tills took on their own responsibility and the server never had, counted by somebody who does not ask the till (I10).

use std::collections::{BTreeMap, BTreeSet};

use shared_protocol::config::OfflineLimits;
use shared_protocol::crypto::Hash32;
use shared_protocol::order::{Order, Permission, TenderKind};
use shared_protocol::{Amount, TagId};

use crate::events::DeviceNo;

/// Value taken on a till's own responsibility.
#[derive(Debug, Clone, Copy)]
struct OwnRisk {
    entry: Hash32,
    tag: TagId,
    amount: Amount,
}

/// What every device has taken.
#[derive(Debug, Default)]
pub(crate) struct Exposure {
    limits: OfflineLimits,
    risks: BTreeMap<DeviceNo, Vec<OwnRisk>>,
}

impl Exposure {
    pub fn new(limits: OfflineLimits) -> Self {
        Self {
            limits,
            risks: BTreeMap::new(),
        }
    }

    /// A device counts from nothing again.
    pub fn forget(&mut self, device: DeviceNo) {
        self.risks.remove(&device);
    }

    /// A device knows of these entries only.
    pub fn keep(&mut self, device: DeviceNo, kept: &BTreeSet<Hash32>) {
        if let Some(risks) = self.risks.get_mut(&device) {
            risks.retain(|risk| kept.contains(&risk.entry));
        }
    }

    /// What an order takes on the till's own responsibility, by wristband.
    fn own_risk(order: &Order) -> BTreeMap<TagId, Amount> {
        let mut risk = BTreeMap::new();
        for tender in &order.tenders {
            let own = matches!(tender.permission, Permission::OfflineKnown | Permission::OfflineUnknown);
            let Some(tag) = order.tender_tag(tender).filter(|_| own) else {
                continue;
            };
            let sum: &mut Amount = risk.entry(tag).or_default();
            // Cash that is paid out, less change that comes back with foreign notes, is one payment.
            *sum = Amount(match tender.kind {
                TenderKind::Cash => sum.0 - tender.amount.0,
                _ => sum.0 + tender.amount.0.abs(),
            });
        }
        risk
    }

    /// I10: what a till takes without the server stays within the limits. Gives what does not. What the server ever had counts no more.
    pub fn note(
        &mut self,
        device: DeviceNo,
        entry: Hash32,
        order: &Order,
        stored: &BTreeSet<Hash32>,
    ) -> Option<String> {
        let risks = self.risks.entry(device).or_default();
        risks.retain(|risk| !stored.contains(&risk.entry));
        let own = Self::own_risk(order);
        risks.extend(own.iter().map(|(tag, amount)| OwnRisk {
            entry,
            tag: *tag,
            amount: *amount,
        }));
        if own.is_empty() {
            return None;
        }
        let sum = |wanted: Option<TagId>| -> i64 {
            risks
                .iter()
                .filter(|risk| wanted.is_none_or(|tag| tag == risk.tag))
                .map(|risk| risk.amount.0)
                .sum()
        };
        let of_order: i64 = own.values().map(|amount| amount.0).sum();
        let unknown = |tag: TagId| {
            let mut mine = order
                .tenders
                .iter()
                .filter(|tender| order.tender_tag(tender) == Some(tag));
            mine.any(|tender| tender.permission == Permission::OfflineUnknown)
        };
        let limits = &self.limits;
        let tag_max = |tag: TagId| {
            if unknown(tag) {
                limits.unknown_tag_max
            } else {
                limits.tag_max
            }
        };
        let over_tag = own.keys().find(|tag| sum(Some(**tag)) > tag_max(**tag).0);
        if of_order > self.limits.order_max.0 {
            Some(format!("an order takes {of_order} offline"))
        } else if let Some(tag) = over_tag {
            let all: Vec<i64> = risks
                .iter()
                .filter(|risk| risk.tag == *tag)
                .map(|risk| risk.amount.0)
                .collect();
            Some(format!(
                "wristband {tag} pays {all:?} offline at one till, unknown there: {}",
                unknown(*tag)
            ))
        } else if sum(None) > self.limits.terminal_max.0 {
            Some(format!("the till takes {} offline", sum(None)))
        } else {
            None
        }
    }
}
