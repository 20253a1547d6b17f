//! Booking: from a permitted draft to entries in the journal. Nothing is shown as paid before the disk has it.

use std::collections::BTreeMap;

use shared_protocol::entry::{Entry, EntryKind};
use shared_protocol::ids::Bytes;
use shared_protocol::message::Release;
use shared_protocol::order::{LineKind, Order, OrderKind, TenderKind};
use shared_protocol::{Amount, ArticleId, AssetId, CartId, TagId, encode};

use crate::Terminal;
use crate::cart::Purpose;
use crate::currency;
use crate::draft::{Draft, DraftOrder, Origin};
use crate::drawer::{self, Drawer};
use crate::input::StorageFault;
use crate::limits::movements;
use crate::output::{Cue, MetaKey, StoredEntry, Write};
use crate::permission::Asking;
use crate::purse::AtPurse;
use crate::screen::{Balance, DeviceFault, Done, DoneKind, Notice, Refusal, Settled};
use crate::shift::Tally;
use crate::step::Step;
use crate::store::Then;
use crate::swap::note_block;

/// What the server said so long ago still counts as just said: an authorisation and a write come in between.
const JUST_SAID_MS: u64 = 10_000;

/// What the till is busy with. One wristband at a time.
#[derive(Debug, Clone, Default)]
pub(crate) enum Busy {
    #[default]
    No,
    /// The server is asked.
    Asking(Box<Asking>),
    /// A permitted order waits until the journal is free.
    Ready(Box<Ready>),
    /// It is on its way to the disk.
    Writing(Option<TagId>),
    /// The purse of a wristband is worked on.
    Purse(Box<AtPurse>),
    /// The chip has it; it waits until the journal is free.
    Committed(Box<Booked>),
}

/// A permitted order.
#[derive(Debug, Clone)]
pub(crate) struct Ready {
    draft: Draft,
    pub tag: Option<TagId>,
    by_server: bool,
    /// What the screen says of it, for an order that has no cart.
    without_cart: Option<DoneKind>,
}

/// Orders on their way to the disk.
#[derive(Debug, Clone)]
pub(crate) struct Booked {
    pub orders: Vec<(Order, Vec<(TagId, Amount)>)>,
    pub tag: Option<TagId>,
    /// All wristbands that paid.
    pub tags: Vec<TagId>,
    pub kind: DoneKind,
    pub net: Amount,
    pub vouchers: BTreeMap<AssetId, u32>,
    pub by_server: bool,
    /// The drawer after it.
    pub drawer: Option<Drawer>,
    /// What the session has booked after it.
    pub tally: Option<Tally>,
    /// The cart it came from.
    pub cart: CartId,
    /// What its purse has left.
    pub left: Option<Amount>,
    /// What of a top-up goes to what is owed from earlier.
    pub settles: Option<Settled>,
}

/// The wristband that has just paid: it is not charged again before it was away for a while, or a new cart was started.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub tags: Vec<TagId>,
    pub since_ms: u64,
    pub left_field: bool,
    pub total: Amount,
    pub at_ms: u64,
}

impl Terminal {
    /// Whether till and cashier may book this.
    pub(crate) fn permitted(&self, draft: &Draft) -> Result<(), Refusal> {
        let config = self.config.as_ref().ok_or(Refusal::NotPermitted)?;
        let registration = &self.identity.as_ref().ok_or(Refusal::NotPermitted)?.registration;
        let till = config.tills.get(&registration.till).ok_or(Refusal::NotPermitted)?;
        let staff = self
            .session
            .and_then(|session| config.staff.get(&session.staff))
            .ok_or(Refusal::NotPermitted)?;
        let may = |order: &DraftOrder| till.order_kinds.contains(&order.kind) && staff.may_book(order.kind);
        if !draft.orders.iter().all(may) {
            return Err(Refusal::NotPermitted);
        }
        let tenders = draft.orders.iter().flat_map(|order| &order.tenders);
        // Vouchers come with the wristband; a till that takes the one takes the other.
        let taken = |kind: TenderKind| match kind {
            TenderKind::Voucher => TenderKind::Wristband,
            other => other,
        };
        match tenders
            .map(|tender| taken(tender.kind))
            .find(|kind| !till.tenders.contains(kind))
        {
            Some(kind) => Err(Refusal::TenderNotHere(kind)),
            None => Ok(()),
        }
    }

    /// Books a permitted draft as soon as the journal is free.
    pub(crate) fn book(&mut self, step: &mut Step<'_>, draft: Draft, tag: Option<TagId>, by_server: bool) {
        self.book_when_free(
            step,
            Ready {
                draft,
                tag,
                by_server,
                without_cart: None,
            },
        );
    }

    /// The same for what no cart was opened for.
    pub(crate) fn book_without_cart(&mut self, step: &mut Step<'_>, draft: Draft, tag: Option<TagId>, kind: DoneKind) {
        self.book_when_free(
            step,
            Ready {
                draft,
                tag,
                by_server: false,
                without_cart: Some(kind),
            },
        );
    }

    fn book_when_free(&mut self, step: &mut Step<'_>, ready: Ready) {
        self.busy = Busy::Ready(Box::new(ready));
        self.notify(step, Notice::Working);
        self.write_order_if_ready(step);
    }

    pub(crate) fn write_order_if_ready(&mut self, step: &mut Step<'_>) {
        if !matches!(self.busy, Busy::Ready(_)) || !self.store.journal_is_idle() {
            return;
        }
        let Busy::Ready(ready) = std::mem::take(&mut self.busy) else {
            return;
        };
        let holds: Vec<_> = ready
            .draft
            .orders
            .iter()
            .flat_map(|order| &order.tenders)
            .filter_map(|tender| tender.hold)
            .collect();
        let tag = ready.tag;
        if let Err(refusal) = self.write_order(step, *ready) {
            for hold in holds {
                self.send(step, Release { hold });
            }
            self.refuse(step, refusal);
        } else {
            self.busy = Busy::Writing(tag);
        }
    }

    fn write_order(&mut self, step: &mut Step<'_>, ready: Ready) -> Result<(), Refusal> {
        let booked = self.to_book(step, ready.draft, ready.tag, ready.by_server, ready.without_cart)?;
        self.write_booked(step, booked)
    }

    /// Books what a chip has already, as soon as the journal is free. Nothing stops it any more: it happened.
    pub(crate) fn write_committed_if_ready(&mut self, step: &mut Step<'_>) {
        if !matches!(self.busy, Busy::Committed(_)) || !self.store.journal_is_idle() {
            return;
        }
        let Busy::Committed(booked) = std::mem::take(&mut self.busy) else {
            return;
        };
        let tag = booked.tag;
        match self.write_booked(step, *booked) {
            Ok(()) => self.busy = Busy::Writing(tag),
            Err(refusal) => self.refuse(step, refusal),
        }
    }

    /// The orders of a draft with their ids, times and origin.
    pub(crate) fn to_book(
        &self,
        step: &mut Step<'_>,
        draft: Draft,
        tag: Option<TagId>,
        by_server: bool,
        without_cart: Option<DoneKind>,
    ) -> Result<Booked, Refusal> {
        if self.told.locked {
            return Err(Refusal::Locked);
        }
        let (cart, opened_mono_ms, kind) = if let Some(kind) = without_cart {
            (CartId(step.id()), step.now.mono_ms, kind)
        } else {
            let cart = self.cart.as_ref().ok_or(Refusal::CartEmpty)?;
            (cart.id, cart.opened_mono_ms, self.done_kind(&cart.purpose)?)
        };
        let registration = &self.identity.as_ref().ok_or(Refusal::NotPermitted)?.registration;
        let session = self.session.ok_or(Refusal::LoggedOut)?;
        let open_for_ms = u32::try_from(step.now.mono_ms.saturating_sub(opened_mono_ms)).unwrap_or(u32::MAX);
        let origin = Origin::of(registration, session, cart, step.now.wall_ms, open_for_ms);
        let (net, vouchers, settles) = (draft.net, draft.vouchers.clone(), draft.settles);
        let orders = draft.orders(origin, || step.id());
        if orders.iter().any(|(order, _)| order.check().is_err()) {
            return Err(Refusal::Overflow);
        }
        let tenders = orders
            .iter()
            .flat_map(|(order, _)| order.tenders.iter().filter_map(|tender| order.tender_tag(tender)));
        let tags = tag.into_iter().chain(tenders).collect();
        Ok(Booked {
            orders,
            tag,
            tags,
            kind,
            net,
            vouchers,
            by_server,
            drawer: None,
            tally: None,
            cart,
            left: None,
            settles,
        })
    }

    fn write_booked(&mut self, step: &mut Step<'_>, mut booked: Booked) -> Result<(), Refusal> {
        let orders = booked.orders.iter().map(|(order, _)| order);
        let drawer = drawer::after(self.drawer, orders).map_err(|_| Refusal::Overflow)?;
        booked.drawer = drawer;
        let orders = booked.orders.iter().map(|(order, _)| order);
        booked.tally = self.tally_after(orders)?;
        let bodies: Vec<_> = booked
            .orders
            .iter()
            .map(|(order, _)| self.entry(step, EntryKind::Order, encode(order)))
            .collect();
        let chain = self.journal.last().ok_or(Refusal::NotPermitted)?;
        let entries = chain.follow_all(bodies);
        let mut beside = Vec::new();
        // An earlier payment that is booked now leaves the cart of another guest alone.
        if self.cart.as_ref().is_none_or(|cart| cart.id == booked.cart) {
            self.cart_due_ms = None;
            beside.push(Write::Meta {
                key: MetaKey::Cart,
                value: None,
            });
        }
        if drawer != self.drawer {
            beside.push(Write::Meta {
                key: MetaKey::Drawer,
                value: drawer.as_ref().map(encode),
            });
        }
        if booked.tally != self.tally {
            beside.push(Write::Meta {
                key: MetaKey::Tally,
                value: booked.tally.as_ref().map(encode),
            });
        }
        self.store
            .persist(step, entries, beside, Then::Booked(Box::new(booked)));
        Ok(())
    }

    fn done_kind(&self, purpose: &Purpose) -> Result<DoneKind, Refusal> {
        Ok(match purpose {
            Purpose::Sale => DoneKind::Paid,
            Purpose::Cancel { .. } => DoneKind::Cancelled,
            Purpose::Correct { orders } => {
                let olds = orders.iter().filter_map(|order| self.history.find(*order));
                DoneKind::Corrected {
                    was: Amount::sum(olds.map(|past| past.total))?,
                }
            }
            Purpose::TopUp { .. } => DoneKind::ToppedUp {
                after_sync: !self.is_live(),
            },
            Purpose::PayOut { .. } => DoneKind::PaidOut,
            Purpose::Swap { old, .. } => DoneKind::Swapped {
                old: *old,
                after_sync: !self.is_live(),
            },
        })
    }

    /// The bytes of an entry made now.
    pub(crate) fn entry(&self, step: &Step<'_>, kind: EntryKind, body: Vec<u8>) -> Vec<u8> {
        let now = step.now;
        Entry {
            kind,
            boot: self.boot,
            mono_ms: now.mono_ms,
            wall_ms: now.wall_ms,
            offset_ms: self.clock.stated_offset_ms(now),
            body: Bytes(body),
        }
        .bytes()
    }

    /// The orders are on the disk: now, and not before, they count, and the cashier sees it.
    pub(crate) fn booked(&mut self, step: &mut Step<'_>, entries: &[StoredEntry], booked: Booked) {
        let made_ms = self.clock.server_ms(step.now);
        for (entry, (order, replaced)) in entries.iter().zip(&booked.orders) {
            for movement in movements(order, replaced, (entry.epoch, entry.seq), made_ms) {
                self.exposure.note(movement);
            }
            note_block(&mut self.blocked_here, order, (entry.epoch, entry.seq));
            self.history
                .note(order, (entry.epoch, entry.seq), entry.hash, step.now, 0);
        }
        self.drawer = booked.drawer;
        self.tally = booked.tally;
        // A correction uses the vouchers that the order it replaces had used.
        if let Some(tag) = booked.tag.filter(|_| booked.kind == DoneKind::Paid) {
            self.knowledge.used(tag, &booked.vouchers);
        }
        self.busy = Busy::No;
        self.intents_are_booked(&booked);
        if self.cart.as_ref().is_some_and(|cart| cart.id == booked.cart) {
            self.cart = None;
            self.split_due_ms = None;
        }
        let total = match booked.kind {
            DoneKind::Corrected { .. } => Amount::sum(
                booked
                    .orders
                    .iter()
                    .filter(|(order, _)| order.kind != OrderKind::Cancel)
                    .filter_map(|(order, _)| order.total().ok()),
            ),
            _ => Amount::sum(booked.orders.iter().filter_map(|(order, _)| order.paid().ok())),
        };
        let total = total.unwrap_or(booked.net);
        let at_ms = step.now.wall_ms;
        let of_band = matches!(booked.kind, DoneKind::Swapped { .. } | DoneKind::Blocked { .. });
        if booked.tag.is_some() && !of_band {
            self.guard = Some(Guard {
                tags: booked.tags,
                since_ms: step.now.mono_ms,
                left_field: false,
                total,
                at_ms,
            });
        }
        let added = if matches!(booked.kind, DoneKind::ToppedUp { .. }) {
            let settled = booked.settles.map_or(Amount::ZERO, |settles| settles.settled);
            booked.net.minus(settled).unwrap_or_default()
        } else {
            Amount::ZERO
        };
        let moves = booked
            .orders
            .iter()
            .find_map(|(order, _)| self.expected_of_swap(order, step));
        let paid = booked.tag.filter(|_| !of_band);
        let left = paid.and_then(|tag| self.known(tag, step)).and_then(|known| {
            let amount = known.balance.plus(added).ok()?;
            Some(Balance {
                amount,
                as_of_ms: (!booked.by_server).then_some(known.as_of_ms),
            })
        });
        let vouchers_left = paid.map(|tag| self.knowledge.vouchers(tag, made_ms, JUST_SAID_MS));
        let vouchers_left = vouchers_left.into_iter().flatten().collect();
        let mut deposits: BTreeMap<ArticleId, i32> = BTreeMap::new();
        for (order, _) in &booked.orders {
            let corrected = order.reverses.filter(|_| order.kind == OrderKind::Correction);
            let before = corrected.and_then(|old| self.history.find(old));
            let before = before.map_or(&[][..], |past| &past.lines);
            for (lines, sign) in [(&order.lines[..], 1), (before, -1)] {
                for line in lines.iter().filter(|line| line.kind == LineKind::Deposit) {
                    *deposits.entry(line.article).or_default() += sign * line.quantity;
                }
            }
        }
        let change = currency::change(booked.orders.iter().map(|(order, _)| order.tenders.as_slice()));
        let in_purse = booked.left.map(|amount| Balance { amount, as_of_ms: None });
        let done = Done {
            kind: booked.kind,
            orders: booked.orders.iter().map(|(order, _)| order.id).collect(),
            tag: booked.tag,
            total,
            left: in_purse.or(left).or(moves),
            settles: booked.settles,
            change: change.unwrap_or_default(),
            vouchers: booked.vouchers.into_iter().collect(),
            vouchers_left,
            deposits: deposits.into_iter().filter(|(_, pieces)| *pieces != 0).collect(),
            at_ms,
        };
        step.cue(Cue::Done);
        self.notify(step, Notice::Done(Box::new(done)));
    }

    /// The orders are not on the disk: nothing was booked, the cart is as it was.
    pub(crate) fn not_booked(&mut self, step: &mut Step<'_>, booked: &Booked, fault: StorageFault) {
        for hold in booked
            .orders
            .iter()
            .flat_map(|(order, _)| &order.tenders)
            .filter_map(|tender| tender.hold)
        {
            self.send(step, Release { hold });
        }
        self.busy = Busy::No;
        self.cart_due_ms = Some(step.now.mono_ms);
        self.fault = Some(DeviceFault::Storage(fault));
        self.refuse(step, Refusal::Storage(fault));
    }
}
