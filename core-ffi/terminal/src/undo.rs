//! This till's own orders as far as they can still be taken back: undo, cancel by number, correct, and "same again".

use std::collections::VecDeque;

use shared_protocol::crypto::Hash32;
use shared_protocol::order::{Line, LineKind, Order, OrderKind, Tender, TenderKind};
use shared_protocol::stream::Version;
use shared_protocol::wristband::PurseMove;
use shared_protocol::{Amount, CartId, OrderId, Overflow, TagId, TaxpayerId};

use crate::screen::{PastOrder, Refusal, Unsent};
use crate::slips::{OwnSlip, body_of};
use crate::step::Now;

/// Orders that are remembered. At eight orders a minute, the fastest a bar goes, this is the last eight minutes.
const PAST_MAX: usize = 64;

/// An order of this till.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Past {
    pub order: OrderId,
    pub cart: CartId,
    pub kind: OrderKind,
    pub holder: Option<TagId>,
    pub taxpayer: TaxpayerId,
    pub config: Version,
    pub lines: Vec<Line>,
    pub tenders: Vec<Tender>,
    pub total: Amount,
    /// What it did to the purse of its holder.
    pub purse: Option<PurseMove>,
    pub closed_wall_ms: u64,
    /// When, on this start's monotonic clock; below zero was before the start.
    closed_mono_ms: i64,
    /// Its entry: epoch and sequence.
    place: (u32, u64),
    taken_back: bool,
    /// What its guest takes along while the server lacks it.
    slip: OwnSlip,
}

impl Past {
    /// What it took from each wristband; below zero it gave.
    pub fn wristbands_paid(&self) -> Result<Vec<(TagId, Amount)>, Overflow> {
        let mut took: Vec<(TagId, Amount)> = Vec::new();
        for tender in self
            .tenders
            .iter()
            .filter(|tender| tender.kind == TenderKind::Wristband)
        {
            let Some(tag) = tender.tag.or(self.holder) else {
                continue;
            };
            match took.iter_mut().find(|(known, _)| *known == tag) {
                Some((_, amount)) => *amount = amount.plus(tender.amount)?,
                None => took.push((tag, tender.amount)),
            }
        }
        Ok(took)
    }

    fn age_ms(&self, now: &Now) -> i64 {
        i64::try_from(now.mono_ms)
            .unwrap_or(i64::MAX)
            .saturating_sub(self.closed_mono_ms)
    }

    /// When its slip will have waited so long for its signature, on the monotonic clock; none where no signature is waited for.
    fn slip_due_ms(&self, waited_ms: u64) -> Option<u64> {
        let due_ms = self.closed_mono_ms.saturating_add_unsigned(waited_ms);
        matches!(self.slip, OwnSlip::Due(_)).then(|| u64::try_from(due_ms).unwrap_or(0))
    }

    /// How it was paid, when in one way.
    fn tender(&self) -> Option<TenderKind> {
        let first = self.tenders.first()?.kind;
        self.tenders.iter().all(|tender| tender.kind == first).then_some(first)
    }

    fn is_goods(&self) -> bool {
        matches!(
            self.kind,
            OrderKind::Sale | OrderKind::Correction | OrderKind::DepositReturn
        )
    }
}

/// The last orders of this till, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    orders: VecDeque<Past>,
    changes: u64,
}

impl History {
    /// Takes in an order that is in the journal, at this epoch and sequence, with the chain's hash after it. `age_ms` is how long ago it was closed.
    pub fn note(&mut self, order: &Order, place: (u32, u64), link: Hash32, now: &Now, age_ms: u64) {
        // The drawer is no guest's: it is counted again, never taken back, and has its own place on the screen.
        if order.kind.is_of_drawer() {
            return;
        }
        self.changes += 1;
        let replaced = order.reverses.and_then(|old| self.find(old));
        let slip = body_of(order, replaced, place, link).map_or(OwnSlip::None, OwnSlip::Due);
        if let Some(target) = order.reverses {
            self.orders
                .iter_mut()
                .filter(|past| past.order == target)
                .for_each(|past| past.taken_back = true);
        }
        let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
        self.orders.push_back(Past {
            order: order.id,
            cart: order.cart,
            kind: order.kind,
            holder: order.holder,
            taxpayer: order.taxpayer,
            config: order.config,
            lines: order.lines.clone(),
            tenders: order.tenders.clone(),
            total: order.total().unwrap_or(Amount::ZERO),
            purse: order.purse.clone(),
            closed_wall_ms: order.closed_at_ms,
            closed_mono_ms: signed(now.mono_ms).saturating_sub(signed(age_ms)),
            place,
            taken_back: false,
            slip,
        });
        if self.orders.len() > PAST_MAX {
            self.orders.pop_front();
        }
    }

    /// The orders of the last cart that was booked, whatever it was. A swap is not taken back, since the guest would be left without a wristband:
    /// the cart before it is still the last one.
    pub fn last_cart(&self) -> Vec<&Past> {
        let last = self.orders.iter().rfind(|past| !past.kind.is_of_band());
        let cart = last.map(|past| past.cart);
        self.orders.iter().filter(|past| Some(past.cart) == cart).collect()
    }

    /// The orders of the last cart of goods.
    pub fn last_goods(&self) -> Vec<&Past> {
        let cart = self.orders.iter().rfind(|past| past.is_goods()).map(|past| past.cart);
        self.orders
            .iter()
            .filter(|past| Some(past.cart) == cart && past.is_goods())
            .collect()
    }

    pub fn find(&self, order: OrderId) -> Option<&Past> {
        self.orders.iter().rfind(|past| past.order == order)
    }

    /// Whether an order can be taken back by its wristband at this till.
    pub fn cancellable(past: &Past, window_ms: u64, now: &Now) -> Result<(), Refusal> {
        let of_a_kind = past.is_goods() || past.kind == OrderKind::TopUp;
        let by_wristband = past.holder.is_some()
            && past.tenders.iter().all(|tender| {
                matches!(tender.kind, TenderKind::Wristband | TenderKind::Voucher)
                    || past.lines.iter().any(|line| line.kind == LineKind::TopUp)
            });
        if past.taken_back {
            Err(Refusal::TakenBack)
        } else if !of_a_kind || !by_wristband {
            Err(Refusal::NotCancellable)
        } else if past.age_ms(now) > i64::try_from(window_ms).unwrap_or(i64::MAX) {
            Err(Refusal::TooLate)
        } else {
            Ok(())
        }
    }

    /// What the server does not have yet; none when it has everything that is remembered here.
    pub fn unsent(&self, is_sent: impl Fn((u32, u64)) -> bool) -> Option<Unsent> {
        let unsent = || self.orders.iter().filter(|past| !is_sent(past.place));
        let moved = unsent().map(|past| Amount(past.total.0.saturating_abs()));
        Some(Unsent {
            oldest_ms: unsent().map(|past| past.closed_wall_ms).next()?,
            orders: unsent().count(),
            total: Amount::sum(moved).unwrap_or(Amount(i64::MAX)),
        })
    }

    /// The newest order whose slip waits for a signature since `waited_ms` or longer and that the server does not have.
    pub fn slip_wanted(&self, now: &Now, waited_ms: u64, is_sent: impl Fn((u32, u64)) -> bool) -> Option<OrderId> {
        let is_due = |past: &&Past| past.slip_due_ms(waited_ms).is_some_and(|due_ms| now.mono_ms >= due_ms);
        let unsent = self.orders.iter().rev().filter(|past| !is_sent(past.place));
        unsent.filter(is_due).map(|past| past.order).next()
    }

    /// When the first slip will have waited so long.
    pub fn first_slip_ms(&self, waited_ms: u64, is_sent: impl Fn((u32, u64)) -> bool) -> Option<u64> {
        let unsent = self.orders.iter().filter(|past| !is_sent(past.place));
        unsent.filter_map(|past| past.slip_due_ms(waited_ms)).min()
    }

    /// The slip of an order.
    pub fn slip(&self, order: OrderId) -> Option<&OwnSlip> {
        self.find(order).map(|past| &past.slip)
    }

    /// Takes in what became of a slip.
    pub fn set_slip(&mut self, order: OrderId, slip: OwnSlip) {
        if let Some(past) = self.orders.iter_mut().rfind(|past| past.order == order) {
            past.slip = slip;
            self.changes += 1;
        }
    }

    /// How often something was added, or changed but for time and what the server has.
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// Until when, on the monotonic clock, everything that can be taken back now still can be.
    pub fn first_too_late_ms(&self, window_ms: u64, now: &Now) -> Option<u64> {
        let standing = self
            .orders
            .iter()
            .filter(|past| Self::cancellable(past, window_ms, now).is_ok());
        let until = |past: &Past| u64::try_from(past.closed_mono_ms.saturating_add_unsigned(window_ms)).unwrap_or(0);
        standing.map(until).min()
    }

    /// For the screen: newest first. `is_sent` says whether the server has the entry at a place.
    pub fn view(&self, window_ms: u64, now: &Now, is_sent: impl Fn((u32, u64)) -> bool) -> Vec<PastOrder> {
        let view = |past: &Past| PastOrder {
            order: past.order,
            kind: past.kind,
            total: past.total,
            at_ms: past.closed_wall_ms,
            tag: past.holder,
            tender: past.tender(),
            taken_back: past.taken_back,
            cancellable: Self::cancellable(past, window_ms, now).is_ok(),
            sent: is_sent(past.place),
            slip: past.slip.text().filter(|_| !is_sent(past.place)),
        };
        self.orders.iter().rev().map(view).collect()
    }
}
