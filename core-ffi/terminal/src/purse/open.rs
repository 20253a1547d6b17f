//! Payments of purses that a tap did not settle: they stand in the journal until the wristband is held here again.

use chips::purse::{Done as Written, Intent, Loaded, Outcome, Plan, Resolution};
use shared_protocol::entry::{EntryKind, Intent as IntentEntry, IntentOutcome, IntentResult};
use shared_protocol::order::{LineKind, Order, OrderKind};
use shared_protocol::purse::{Image, Uid};
use shared_protocol::{Amount, CartId, TagId, encode};

use super::Stage;
use crate::Terminal;
use crate::book::{Booked, Busy};
use crate::screen::{DoneKind, Notice, PurseRefusal, Refusal};
use crate::step::Step;
use crate::store::Then;

/// A payment that was begun.
#[derive(Debug, Clone)]
pub(crate) struct OpenIntent {
    pub tag: TagId,
    pub cart: CartId,
    pub intent: Intent,
    booked: Box<Booked>,
}

/// What was about to be written, as the journal has it.
pub(crate) fn intent_of(entry: &IntentEntry, tag: TagId) -> Option<Intent> {
    let image = |bytes: &[u8]| Some(Image::from_wire(bytes.try_into().ok()?));
    Some(Intent {
        uid: Uid::of(tag)?,
        before: image(&entry.before.0)?,
        after: image(&entry.after.0)?,
    })
}

impl OpenIntent {
    pub fn of(tag: TagId, intent: &Intent, booked: &Booked) -> Self {
        Self {
            tag,
            cart: booked.cart,
            intent: *intent,
            booked: Box::new(booked.clone()),
        }
    }

    /// From what the journal has: the entry and the order it is about.
    pub fn restored(entry: &IntentEntry, order: Order) -> Option<Self> {
        let tag = order.holder?;
        let intent = intent_of(entry, tag)?;
        let cart = order.cart;
        let booked = Box::new(Booked::again(vec![order], tag));
        Some(Self {
            tag,
            cart,
            intent,
            booked,
        })
    }

    /// The orders of one payment have one intent each in the journal, with the same images.
    pub fn takes_in(&mut self, other: &Self) -> bool {
        let same = self.tag == other.tag && self.intent == other.intent && self.cart == other.cart;
        if same {
            let orders = self.booked.orders.iter().chain(&other.booked.orders);
            let orders = orders.map(|(order, _)| order.clone()).collect();
            *self.booked = Booked::again(orders, self.tag);
        }
        same
    }

    pub fn total(&self) -> Amount {
        self.booked.net
    }
}

impl Booked {
    /// Orders that were drafted before, to be booked now.
    fn again(orders: Vec<Order>, tag: TagId) -> Self {
        let is = |kind| orders.iter().any(|order: &Order| order.kind == kind);
        let money_in = orders
            .iter()
            .flat_map(|order| &order.lines)
            .any(|line| line.kind == LineKind::TopUp);
        let kind = if is(OrderKind::Correction) {
            DoneKind::Corrected { was: Amount::ZERO }
        } else if is(OrderKind::Cancel) {
            DoneKind::Cancelled
        } else if is(OrderKind::PayOut) {
            DoneKind::PaidOut
        } else if money_in {
            DoneKind::ToppedUp { after_sync: false }
        } else {
            DoneKind::Paid
        };
        let net = Amount::sum(orders.iter().filter_map(|order| order.paid().ok())).unwrap_or_default();
        let cart = orders.first().map_or(CartId([0; 16]), |order| order.cart);
        Self {
            orders: orders.into_iter().map(|order| (order, Vec::new())).collect(),
            tag: Some(tag),
            tags: vec![tag],
            kind,
            net,
            vouchers: std::collections::BTreeMap::new(),
            by_server: true,
            drawer: None,
            cart,
            tally: None,
            left: None,
            settles: None,
        }
    }
}

impl Terminal {
    /// Settles what earlier taps of this wristband left open; none when there is nothing in the way of what the cart wants.
    pub(crate) fn settle_open(
        &mut self,
        step: &mut Step<'_>,
        tag: TagId,
        loaded: &Loaded,
    ) -> Option<Result<(), Refusal>> {
        while let Some(open) = self.open_intents.iter().find(|open| open.tag == tag).cloned() {
            match loaded.resolve(&open.intent) {
                Resolution::Committed => {
                    self.happened(step, &open, loaded.free());
                    return Some(Ok(()));
                }
                Resolution::Unfinished => {
                    let plan = match loaded.plan_settle() {
                        Ok(plan) => Box::new(plan),
                        Err(refusal) => return Some(Err(refusal.into())),
                    };
                    let open = Box::new(open);
                    self.write_plan(step, tag, plan.clone(), Stage::Settling { open, plan });
                    return Some(Ok(()));
                }
                Resolution::Void => self.close_intents(tag, &open.intent, false),
                Resolution::Unknown | Resolution::OtherWristband => {
                    self.close_intents(tag, &open.intent, true);
                    // Whether it was paid is for the books to say: the cart must not be charged a second time.
                    if self.cart.as_ref().is_some_and(|cart| cart.id == open.cart) {
                        self.drop_cart(step);
                        return Some(Err(Refusal::Purse(PurseRefusal::Unknown)));
                    }
                }
            }
        }
        None
    }

    /// It did happen: now it is booked.
    fn happened(&mut self, step: &mut Step<'_>, open: &OpenIntent, left: Amount) {
        let mut booked = (*open.booked).clone();
        booked.left = Some(left);
        self.book_orders(step, booked);
    }

    /// The last page of an earlier credit was made solid, or not.
    pub(crate) fn settled(&mut self, step: &mut Step<'_>, open: &OpenIntent, plan: &Plan, written: &Written) {
        let tag = open.tag;
        if written.outcome == Outcome::Committed {
            self.wrote_purse(tag, &plan.after);
            return self.happened(step, open, plan.after.free());
        }
        step.cue(crate::output::Cue::Again);
        let total = open.total();
        self.notify(step, Notice::HoldAgain { tag, total });
    }

    /// An intent is over: nothing happened, or nobody here can tell. The journal says so when it is free.
    pub(crate) fn close_intents(&mut self, tag: TagId, intent: &Intent, unknown: bool) {
        let result = if unknown {
            IntentResult::Unknown
        } else {
            IntentResult::Void
        };
        let (over, open) = std::mem::take(&mut self.open_intents)
            .into_iter()
            .partition(|open| open.tag == tag && open.intent == *intent);
        self.open_intents = open;
        if !unknown {
            self.keep_void(intent);
        }
        for order in Vec::<OpenIntent>::into_iter(over).flat_map(|open| open.booked.orders) {
            self.outcomes.push_back(IntentOutcome {
                order: order.0.id,
                result,
                tag: Some(tag),
            });
        }
    }

    /// Writes the next outcome, when the journal is free.
    pub(crate) fn write_outcome(&mut self, step: &mut Step<'_>) {
        let Some(outcome) = self.outcomes.pop_front() else {
            return;
        };
        let entry = self.entry(step, EntryKind::Outcome, encode(&outcome));
        let Some(chain) = self.journal.last() else { return };
        let stored = chain.follow(&[], entry);
        self.store
            .persist(step, vec![stored], Vec::new(), Then::Outcome(outcome));
    }

    /// The orders of intents are booked: they are no longer open.
    pub(crate) fn intents_are_booked(&mut self, booked: &Booked) {
        self.open_intents.retain(|open| {
            let mine = |order: &Order| booked.orders.iter().any(|(done, _)| done.id == order.id);
            !open.booked.orders.iter().any(|(order, _)| mine(order))
        });
    }

    /// Whether the open cart waits for a wristband that may have paid already: then it is not changed.
    pub(crate) fn cart_is_settling(&self) -> bool {
        let cart = self.cart.as_ref().map(|cart| cart.id);
        cart.is_some() && self.open_intents.iter().any(|open| Some(open.cart) == cart)
    }

    /// Books what the chip has already: as soon as the journal is free.
    pub(crate) fn book_orders(&mut self, step: &mut Step<'_>, booked: Booked) {
        self.busy = Busy::Committed(Box::new(booked));
        self.write_committed_if_ready(step);
    }
}
