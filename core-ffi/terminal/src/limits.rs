//! What a till may do without the server: how much it has taken unsynced, and whether a little more is within the limits.
//!
//! Exposure is counted gross: a cancelled offline sale still counts until the server has both, so that no sequence of sales and
//! cancellations takes more than the limits allow (invariant I10).

use std::collections::VecDeque;

use shared_protocol::config::OfflineLimits;
use shared_protocol::order::{Line, LineKind, Order, OrderKind, Permission, TenderKind};
use shared_protocol::{Amount, HoldId, TagId};

use crate::screen::{Balance, OfflineLimit, Refusal};

/// Acknowledged movements that are remembered, because a balance that is older than they are may still be in use.
const ACKED_MAX: usize = 1_024;

/// What one order did to a wristband.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Movement {
    pub epoch: u32,
    pub seq: u64,
    pub tag: TagId,
    /// Taken on the till's own responsibility.
    pub exposed: Amount,
    /// How much less the wristband has than a server says that does not know the order yet; below zero it has more.
    pub spent: Amount,
    /// When it was made, by the server's clock.
    pub made_ms: u64,
    /// When the server had it, by the server's clock.
    pub acked_ms: Option<u64>,
}

/// What an order takes from each wristband on the till's own responsibility, and what it changes there.
pub(crate) fn movements(order: &Order, replaced: &[(TagId, Amount)], place: (u32, u64), made_ms: u64) -> Vec<Movement> {
    let (epoch, seq) = place;
    let mut found: Vec<Movement> = Vec::new();
    let mut note = |tag: TagId, exposed: Amount, spent: Amount| {
        if let Some(known) = found.iter_mut().find(|known| known.tag == tag) {
            known.exposed = known.exposed.plus(exposed).unwrap_or(Amount(i64::MAX));
            known.spent = known.spent.plus(spent).unwrap_or(known.spent);
        } else {
            found.push(Movement {
                epoch,
                seq,
                tag,
                exposed,
                spent,
                made_ms,
                acked_ms: None,
            });
        }
    };
    for tender in &order.tenders {
        let Some(tag) = order.tender_tag(tender) else { continue };
        let own_risk = matches!(tender.permission, Permission::OfflineKnown | Permission::OfflineUnknown);
        match tender.kind {
            TenderKind::Wristband => {
                // What the server holds is no longer in what it calls free.
                let spent = if tender.permission == Permission::Held {
                    Amount::ZERO
                } else {
                    tender.amount
                };
                note(
                    tag,
                    if own_risk {
                        tender.amount.max(Amount::ZERO)
                    } else {
                        Amount::ZERO
                    },
                    spent,
                );
            }
            TenderKind::Cash | TenderKind::Card if own_risk && takes_from_holder(order.kind, &order.lines) => {
                // Above zero but for change that comes back with foreign cash: both are one payment.
                let paid_out = tender.amount.negated().unwrap_or(Amount(i64::MAX));
                note(tag, paid_out, paid_out);
            }
            _ => {}
        }
    }
    if order.kind == OrderKind::Correction && order.tenders.iter().all(|tender| tender.permission != Permission::Held) {
        for (tag, old) in replaced {
            note(*tag, Amount::ZERO, old.negated().unwrap_or(Amount::ZERO));
        }
    }
    found
}

/// Whether an order takes money of its holder although no tender is on the wristband: a pay-out, or a top-up that is taken back.
pub(crate) fn takes_from_holder(kind: OrderKind, lines: &[Line]) -> bool {
    kind == OrderKind::PayOut || kind == OrderKind::Cancel && lines.iter().any(|line| line.kind == LineKind::TopUp)
}

/// What this till took and the server does not know yet, and what it has known for a short time only.
#[derive(Debug, Clone, Default)]
pub(crate) struct Exposure {
    movements: VecDeque<Movement>,
}

impl Exposure {
    pub fn note(&mut self, movement: Movement) {
        if !movement.exposed.is_zero() || !movement.spent.is_zero() {
            self.movements.push_back(movement);
        }
    }

    /// The server has all entries of `epoch` up to `seq`.
    pub fn acknowledge(&mut self, epoch: u32, seq: u64, server_ms: u64) {
        let covered = |known: &&mut Movement| known.epoch == epoch && known.seq <= seq && known.acked_ms.is_none();
        self.movements
            .iter_mut()
            .filter(covered)
            .for_each(|known| known.acked_ms = Some(server_ms));
        let mut acked = self.movements.iter().filter(|known| known.acked_ms.is_some()).count();
        while acked > ACKED_MAX && self.movements.front().is_some_and(|first| first.acked_ms.is_some()) {
            self.movements.pop_front();
            acked -= 1;
        }
    }

    fn sum(&self, amounts: impl Fn(&Movement) -> Option<Amount>) -> Amount {
        Amount::sum(self.movements.iter().filter_map(amounts)).unwrap_or(Amount(i64::MAX))
    }

    /// Taken from a wristband and not synced.
    pub fn of_tag(&self, tag: TagId) -> Amount {
        self.sum(|known| (known.tag == tag && known.acked_ms.is_none()).then_some(known.exposed))
    }

    /// Taken from all wristbands and not synced.
    pub fn total(&self) -> Amount {
        self.sum(|known| known.acked_ms.is_none().then_some(known.exposed))
    }

    /// What a wristband has less than a server said at `as_of_ms`. In doubt whether the server knew of an order by then, what was taken
    /// counts and what was given does not.
    pub fn since(&self, tag: TagId, as_of_ms: u64) -> Amount {
        let unknown_there = |known: &Movement| {
            if known.spent.is_negative() {
                as_of_ms < known.made_ms
            } else {
                known.acked_ms.is_none_or(|acked| acked >= as_of_ms)
            }
        };
        self.sum(|known| (known.tag == tag && unknown_there(known)).then_some(known.spent))
    }
}

/// What lets the till take a part of the payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grant {
    pub permission: Permission,
    pub hold: Option<HoldId>,
    pub known: Option<(Amount, u32)>,
}

impl Grant {
    pub fn held(hold: HoldId) -> Self {
        Self {
            permission: Permission::Held,
            hold: Some(hold),
            known: None,
        }
    }
}

/// A wish to take money without the server's word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub tag: TagId,
    /// How much less the guest will have.
    pub net: Amount,
    /// How much is taken on the till's own responsibility.
    pub gross: Amount,
    /// The same over all wristbands of the order.
    pub gross_of_order: Amount,
    /// Money in cash leaves the till for it.
    pub pay_out: bool,
}

/// What the till knows of a wristband: its balance less what was spent since, when the server said so, and how old that is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub balance: Amount,
    pub as_of_ms: u64,
    pub age_ms: u64,
}

/// Decides by the offline limits.
pub(crate) fn decide(
    limits: &OfflineLimits,
    exposure: &Exposure,
    wish: Wish,
    known: Option<Known>,
) -> Result<Grant, Refusal> {
    let known = known.filter(|known| known.age_ms <= limits.known_max_age_ms);
    let over = |limit, max: Amount, used: Amount| -> Result<(), Refusal> {
        let possible = max.minus(used).unwrap_or(Amount::ZERO).max(Amount::ZERO);
        if wish.gross > possible {
            Err(Refusal::OfflineLimit { limit, possible })
        } else {
            Ok(())
        }
    };
    if wish.gross_of_order > limits.order_max {
        return Err(Refusal::OfflineLimit {
            limit: OfflineLimit::Order,
            possible: limits.order_max,
        });
    }
    let used = exposure.of_tag(wish.tag);
    over(OfflineLimit::Tag, limits.tag_max, used)?;
    over(OfflineLimit::Terminal, limits.terminal_max, exposure.total())?;
    if wish.pay_out {
        if known.is_none() {
            return Err(Refusal::OnlineOnly);
        }
        over(OfflineLimit::PayOut, limits.pay_out_max, Amount::ZERO)?;
    }
    match known {
        None => {
            over(OfflineLimit::UnknownTag, limits.unknown_tag_max, used)?;
            Ok(Grant {
                permission: Permission::OfflineUnknown,
                hold: None,
                known: None,
            })
        }
        Some(known) if wish.net > known.balance => {
            let missing = wish.net.minus(known.balance).map_err(|_| Refusal::Overflow)?;
            let has = Balance {
                amount: known.balance,
                as_of_ms: Some(known.as_of_ms),
            };
            Err(Refusal::BalanceTooLow { missing, has })
        }
        Some(known) => {
            let age_s = u32::try_from(known.age_ms / 1_000).unwrap_or(u32::MAX);
            Ok(Grant {
                permission: Permission::OfflineKnown,
                hold: None,
                known: Some((known.balance, age_s)),
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::tag;

    fn limits() -> OfflineLimits {
        OfflineLimits {
            pay_out_max: Amount(1_000),
            ..OfflineLimits::default()
        }
    }

    fn wish(cents: i64) -> Wish {
        Wish {
            tag: tag(1),
            net: Amount(cents),
            gross: Amount(cents),
            gross_of_order: Amount(cents),
            pay_out: false,
        }
    }

    fn taken(number: u8, cents: i64, seq: u64) -> Movement {
        Movement {
            epoch: 1,
            seq,
            tag: tag(number),
            exposed: Amount(cents),
            spent: Amount(cents),
            made_ms: 500,
            acked_ms: None,
        }
    }

    fn known(cents: i64, age_ms: u64) -> Known {
        Known {
            balance: Amount(cents),
            as_of_ms: 77,
            age_ms,
        }
    }

    fn limit_of(result: &Result<Grant, Refusal>) -> Option<(OfflineLimit, i64)> {
        match result {
            Err(Refusal::OfflineLimit { limit, possible }) => Some((*limit, possible.0)),
            _ => None,
        }
    }

    #[test]
    fn each_limit_refuses_and_says_what_is_possible() {
        let mut exposure = Exposure::default();
        let decide = |exposure: &Exposure, wish, known| super::decide(&limits(), exposure, wish, known);
        assert_eq!(
            limit_of(&decide(&exposure, wish(5_001), Some(known(9_999, 0)))),
            Some((OfflineLimit::Order, 5_000))
        );
        exposure.note(taken(1, 4_000, 1));
        assert_eq!(
            limit_of(&decide(&exposure, wish(2_001), Some(known(9_999, 0)))),
            Some((OfflineLimit::Tag, 2_000))
        );
        assert_eq!(
            decide(&exposure, wish(2_000), Some(known(9_999, 5_000))).unwrap().known,
            Some((Amount(9_999), 5))
        );
        assert_eq!(
            limit_of(&decide(&exposure, wish(1), None)),
            Some((OfflineLimit::UnknownTag, 0))
        );
        for number in 2..51 {
            exposure.note(taken(number, 4_000, 2));
        }
        assert_eq!(
            limit_of(&decide(
                &exposure,
                Wish {
                    tag: tag(99),
                    ..wish(1)
                },
                Some(known(9_999, 0))
            )),
            Some((OfflineLimit::Terminal, 0))
        );
        exposure.acknowledge(1, 1, 100);
        assert_eq!(
            (exposure.of_tag(tag(1)), exposure.total()),
            (Amount::ZERO, Amount(196_000))
        );
    }

    #[test]
    fn a_known_balance_counts_until_it_is_too_old() {
        let exposure = Exposure::default();
        let too_low = decide(&limits(), &exposure, wish(700), Some(known(500, 0)));
        let has = Balance {
            amount: Amount(500),
            as_of_ms: Some(77),
        };
        assert_eq!(
            too_low,
            Err(Refusal::BalanceTooLow {
                missing: Amount(200),
                has
            })
        );
        let old = limits().known_max_age_ms + 1;
        assert_eq!(
            decide(&limits(), &exposure, wish(700), Some(known(500, old)))
                .unwrap()
                .permission,
            Permission::OfflineUnknown
        );
    }

    #[test]
    fn cash_leaves_only_for_a_known_wristband_and_within_its_own_limit() {
        let exposure = Exposure::default();
        let out = |cents| Wish {
            pay_out: true,
            ..wish(cents)
        };
        assert_eq!(decide(&limits(), &exposure, out(100), None), Err(Refusal::OnlineOnly));
        assert_eq!(
            limit_of(&decide(&limits(), &exposure, out(1_001), Some(known(5_000, 0)))),
            Some((OfflineLimit::PayOut, 1_000))
        );
        assert!(decide(&limits(), &exposure, out(1_000), Some(known(5_000, 0))).is_ok());
    }

    #[test]
    fn a_balance_lacks_what_was_spent_and_what_the_server_got_after_it_looked() {
        let mut exposure = Exposure::default();
        exposure.note(taken(1, 300, 1));
        exposure.note(taken(1, 50, 2));
        exposure.acknowledge(1, 1, 1_000);
        assert_eq!(exposure.since(tag(1), 900), Amount(350));
        assert_eq!(exposure.since(tag(1), 1_001), Amount(50));
        assert_eq!(exposure.since(tag(2), 0), Amount::ZERO);
        exposure.note(Movement {
            exposed: Amount::ZERO,
            ..taken(2, -200, 3)
        });
        assert_eq!(
            (exposure.since(tag(2), 499), exposure.since(tag(2), 500)),
            (Amount(-200), Amount::ZERO)
        );
    }

    #[test]
    fn what_was_acknowledged_long_ago_is_forgotten_and_nothing_else() {
        let mut exposure = Exposure::default();
        for seq in 1..=3_000 {
            exposure.note(taken(1, 1, seq));
        }
        exposure.acknowledge(1, 2_900, 5);
        assert_eq!(exposure.movements.len(), ACKED_MAX + 100);
        assert_eq!(exposure.total(), Amount(100));
    }
}
