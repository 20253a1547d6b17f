//! Who takes the till: by wristband or from the list, with a PIN where the person has one, after somebody else in the middle of a shift; and
//! the carts of those who let somebody else at it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use shared_protocol::entry::CommandKind;
use shared_protocol::ids::Bytes;
use shared_protocol::message::CartAborted;
use shared_protocol::{Amount, SessionId, StaffId, TagId, decode, encode};

use crate::Terminal;
use crate::cart::{Cart, Purpose};
use crate::draft;
use crate::output::{Cue, MetaKey, Write};
use crate::screen::{Notice, ParkedView, Refusal};
use crate::session::{CommandThen, Session};
use crate::step::Step;

/// Carts that are parked at a till. More people than this do not share one; the oldest cart goes.
const PARKED_MAX: usize = 8;

/// Carts that wait for their cashiers, each with one.
pub(crate) type Parked = BTreeMap<StaffId, Cart>;

#[derive(Serialize, Deserialize)]
struct Saved {
    staff: StaffId,
    cart: Bytes,
}

fn save(parked: &Parked) -> Option<Vec<u8>> {
    let saved = |(staff, cart): (&StaffId, &Cart)| Saved {
        staff: *staff,
        cart: Bytes(cart.save()),
    };
    let all: Vec<Saved> = parked.iter().map(saved).collect();
    (!all.is_empty()).then(|| encode(&all))
}

/// Reads the parked carts of a queue.
pub(crate) fn restored(saved: Option<&Vec<u8>>, mono_ms: u64) -> Parked {
    let saved: Vec<Saved> = saved.and_then(|bytes| decode(bytes).ok()).unwrap_or_default();
    let cart = |saved: Saved| Some((saved.staff, Cart::restore(&saved.cart.0, mono_ms)?));
    saved.into_iter().filter_map(cart).collect()
}

impl Terminal {
    /// Whose wristband it is, when it is one of the crew.
    pub(crate) fn crew_of(&self, tag: TagId) -> Option<StaffId> {
        let config = self.config.as_ref()?;
        let person = config.staff.values().find(|person| person.tag == Some(tag));
        person.map(|person| person.id)
    }

    /// A wristband of the crew is the way to log in.
    pub(crate) fn log_in_by(&mut self, step: &mut Step<'_>, tag: TagId) {
        let done = self
            .crew_of(tag)
            .ok_or(Refusal::NotStaff)
            .and_then(|staff| self.log_in(step, staff));
        match done {
            Ok(()) => step.cue(Cue::Info),
            Err(refusal) => self.refuse(step, refusal),
        }
    }

    pub(crate) fn log_in(&mut self, step: &mut Step<'_>, staff: StaffId) -> Result<(), Refusal> {
        let config = self.config.as_ref().ok_or(Refusal::NotPermitted)?;
        let person = config.staff.get(&staff).ok_or(Refusal::UnknownStaff)?;
        let has_pin = person.pin.is_some();
        self.free_of_carts()?;
        if self.at_counter().is_some_and(|before| before.staff == staff) {
            return Ok(());
        }
        if has_pin {
            return self.ask_pin(step, staff);
        }
        self.take_till(step, staff)
    }

    /// Somebody who may take the till takes it.
    pub(crate) fn take_till(&mut self, step: &mut Step<'_>, staff: StaffId) -> Result<(), Refusal> {
        self.free_of_carts()?;
        if let Some(before) = self.session {
            if before.staff == staff && before.left {
                self.come_back(step, before);
                return Ok(());
            }
            self.note_command(CommandKind::Logout, Some(before), CommandThen::Relieved);
        }
        let session = Session {
            staff,
            id: SessionId(step.id()),
            since_ms: Some(step.now.wall_ms),
            left: false,
        };
        self.note_command(CommandKind::Login, Some(session), CommandThen::LoggedIn(session));
        Ok(())
    }

    /// Whether the cashier is about to pay with their own wristband, and has not said yet that they want to.
    pub(crate) fn is_own_band(&self, tag: TagId) -> bool {
        let sale = self.cart.as_ref().filter(|cart| cart.purpose == Purpose::Sale);
        let asks = sale.is_some_and(|cart| self.own_band_for != Some(cart.id)) && !self.cart_is_settling();
        asks && self
            .session
            .is_some_and(|session| self.crew_of(tag) == Some(session.staff))
    }

    /// They want to. A wristband that has to be held for it is held again, and not asked about again for this cart.
    pub(crate) fn pay_with_own(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let Notice::OwnBand { tag } = self.notice else {
            return Ok(());
        };
        self.own_band_for = Some(self.cart.as_ref().ok_or(Refusal::CartEmpty)?.id);
        self.notify(step, Notice::None);
        self.meant_for(step, tag);
        Ok(())
    }

    /// The wristband of a colleague was held to a till with nothing in the cart.
    pub(crate) fn offer_swap(&mut self, step: &mut Step<'_>, staff: StaffId) {
        step.cue(Cue::Info);
        self.notify(step, Notice::SwapCashier { staff });
    }

    /// The colleague takes over. A press on a question that is gone does nothing.
    pub(crate) fn swap_cashier(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        match self.notice {
            Notice::SwapCashier { staff } => self.log_in(step, staff),
            _ => Ok(()),
        }
    }

    /// Puts the cart aside for its cashier.
    pub(crate) fn park(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let staff = self.session.ok_or(Refusal::LoggedOut)?.staff;
        if self.parked.contains_key(&staff) {
            return Err(Refusal::ParkedAlready);
        }
        let cart = self.cart.take_if(|cart| cart.purpose == Purpose::Sale);
        let Some(mut cart) = cart else {
            return Err(if self.cart.is_some() {
                Refusal::CartOpen
            } else {
                Refusal::CartEmpty
            });
        };
        cart.split = None;
        self.split_due_ms = None;
        self.parked.insert(staff, cart);
        if self.parked.len() > PARKED_MAX {
            let oldest = self.parked.iter().min_by_key(|(_, cart)| cart.opened_wall_ms);
            if let Some(oldest) = oldest.map(|(staff, _)| *staff) {
                self.drop_parked(step, oldest);
            }
        }
        self.keep_parked(step);
        self.notify(step, Notice::None);
        Ok(())
    }

    /// Takes the parked cart of whoever is logged in back to the counter.
    pub(crate) fn unpark(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        self.free_of_carts()?;
        let staff = self.session.ok_or(Refusal::LoggedOut)?.staff;
        let cart = self.parked.remove(&staff).ok_or(Refusal::CartEmpty)?;
        self.cart = Some(cart);
        self.guard = None;
        self.keep_parked(step);
        self.notify(step, Notice::None);
        Ok(())
    }

    /// The cart of somebody whose shift is over is given up, as an open one is.
    pub(crate) fn drop_parked(&mut self, step: &mut Step<'_>, staff: StaffId) {
        if let Some(cart) = self.parked.remove(&staff) {
            if self.is_live() {
                self.send(step, CartAborted { cart: cart.id });
            }
            self.keep_parked(step);
        }
    }

    /// Stores parked carts and the open one in one transaction, so that none is in both places or in neither.
    fn keep_parked(&mut self, step: &Step<'_>) {
        let value = save(&self.parked);
        let write = Write::Meta {
            key: MetaKey::Parked,
            value,
        };
        self.store.later(write, step.now.mono_ms);
        self.cart_due_ms = Some(step.now.mono_ms);
    }

    pub(crate) fn parked_view(&self) -> Vec<ParkedView> {
        let shop = self.shop().ok();
        let total = |cart: &Cart| {
            let totals = shop.as_ref().and_then(|shop| draft::totals(shop, &cart.lines).ok());
            totals.map_or(Amount::ZERO, |(total, _)| total)
        };
        let view = |(staff, cart): (&StaffId, &Cart)| ParkedView {
            staff: *staff,
            total: total(cart),
            opened_at_ms: cart.opened_wall_ms,
        };
        self.parked.iter().map(view).collect()
    }
}
