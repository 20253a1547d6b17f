//! A shift: from a login to the logout, with what was sold in between. It is added up order by order and written in the transaction of the order, as
//! the drawer is. Its end, and that of the device's registration, wait until the server has what was booked.

use serde::{Deserialize, Serialize};

use shared_protocol::entry::CommandKind;
use shared_protocol::order::{Line, LineKind, Order, OrderKind};
use shared_protocol::shift::ShiftMark;
use shared_protocol::{Amount, CartId, Overflow, SessionId, encode};

use crate::Terminal;
use crate::draft::{self, Origin};
use crate::output::{MetaKey, Output, Write};
use crate::screen::{Notice, Refusal, ShiftView};
use crate::session::{CommandThen, Session};
use crate::step::Step;
use crate::undo::{History, Past};

/// What a session has booked, as the queue keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tally {
    session: SessionId,
    sales: u32,
    sold: Amount,
    cancellations: u32,
    cancelled: Amount,
    top_ups: u32,
    topped_up: Amount,
    pay_outs: u32,
    paid_out: Amount,
    handed_out: u32,
    came_back: u32,
    vouchers: u32,
}

impl Tally {
    pub const fn new(session: SessionId) -> Self {
        Self {
            session,
            sales: 0,
            sold: Amount::ZERO,
            cancellations: 0,
            cancelled: Amount::ZERO,
            top_ups: 0,
            topped_up: Amount::ZERO,
            pay_outs: 0,
            paid_out: Amount::ZERO,
            handed_out: 0,
            came_back: 0,
            vouchers: 0,
        }
    }

    pub fn is_of(&self, session: SessionId) -> bool {
        self.session == session
    }

    /// The tally after these orders. One of an earlier session that is booked now is not this one's.
    pub fn after<'a>(self, orders: impl IntoIterator<Item = &'a Order>, history: &History) -> Result<Self, Overflow> {
        let own = orders.into_iter().filter(|order| order.session == self.session);
        own.into_iter().try_fold(self, |tally, order| {
            let replaced = order.reverses.and_then(|old| history.find(old));
            tally.with(order, replaced)
        })
    }

    fn with(self, order: &Order, replaced: Option<&Past>) -> Result<Self, Overflow> {
        let mut after = self;
        let total = order.total()?;
        let before = replaced.map_or(Amount::ZERO, |past| past.total);
        let lines_before = replaced.map_or(&[][..], |past| &past.lines);
        match order.kind {
            OrderKind::Sale | OrderKind::DepositReturn => {
                after.sales = after.sales.saturating_add(1);
                after.sold = after.sold.plus(total)?;
                after.deposits(&order.lines, &[]);
                after.vouchers = after.vouchers.saturating_add(vouchers(&order.lines));
            }
            OrderKind::Correction => {
                after.sold = after.sold.plus(total)?.minus(before)?;
                after.deposits(&order.lines, lines_before);
                let change = vouchers(&order.lines).saturating_sub(vouchers(lines_before));
                after.vouchers = after.vouchers.saturating_add(change);
            }
            OrderKind::Cancel => {
                after.cancellations = after.cancellations.saturating_add(1);
                after.cancelled = after.cancelled.plus(total.negated()?)?;
                after.deposits(&order.lines, &[]);
            }
            OrderKind::TopUp => {
                after.top_ups = after.top_ups.saturating_add(1);
                after.topped_up = after.topped_up.plus(total)?;
            }
            OrderKind::PayOut => {
                after.pay_outs = after.pay_outs.saturating_add(1);
                after.paid_out = after.paid_out.plus(total.negated()?)?;
            }
            _ => {}
        }
        Ok(after)
    }

    /// Counts cups and the like that went over the counter, one way or the other.
    fn deposits(&mut self, lines: &[Line], instead_of: &[Line]) {
        let pieces = |lines: &[Line], out: bool| -> u32 {
            let deposits = lines.iter().filter(|line| line.kind == LineKind::Deposit);
            let one_way = deposits.filter(|line| (line.quantity > 0) == out);
            one_way.map(|line| line.quantity.unsigned_abs()).sum()
        };
        let (out, out_before) = (pieces(lines, true), pieces(instead_of, true));
        let (back, back_before) = (pieces(lines, false), pieces(instead_of, false));
        // What a correction no longer hands out comes back.
        self.handed_out = self.handed_out.saturating_add(out.saturating_sub(out_before));
        let returned = back.saturating_sub(back_before) + out_before.saturating_sub(out);
        self.came_back = self.came_back.saturating_add(returned);
    }
}

fn vouchers(lines: &[Line]) -> u32 {
    let used = lines.iter().filter_map(|line| line.vouchers);
    used.map(|used| used.units).fold(0, u32::saturating_add)
}

impl Terminal {
    /// What a command is to shifts: the one that is open ends, and that of whoever logs in begins. It is decided when the command is written, since
    /// what was told twice in the meantime ends nothing twice.
    pub(crate) fn shift_orders(&self, step: &mut Step<'_>, then: CommandThen) -> Vec<Order> {
        let ends = self.session.map(|open| (ShiftMark::End, open));
        let marks = match then {
            CommandThen::LoggedIn(session) => [ends, Some((ShiftMark::Begin, session))],
            CommandThen::LoggedOut | CommandThen::Relieved | CommandThen::ToldLogOut(_) => [ends, None],
            CommandThen::Nothing | CommandThen::Told(_) => [None; 2],
        };
        let marks = marks.into_iter().flatten();
        marks
            .filter_map(|(mark, session)| self.shift_order(step, mark, session))
            .collect()
    }

    /// None where the till books no such orders, and in training, which has no shift to account for.
    fn shift_order(&self, step: &mut Step<'_>, mark: ShiftMark, session: Session) -> Option<Order> {
        let shop = self.shop().ok().filter(|_| !self.training)?;
        let registration = &self.identity.as_ref()?.registration;
        let till = shop.config.tills.get(&registration.till)?;
        if !till.order_kinds.contains(&OrderKind::Shift) {
            return None;
        }
        let cart = CartId(step.id());
        let origin = Origin::of(registration, session, cart, step.now.wall_ms, 0);
        let orders = draft::shift(&shop, mark).orders(origin, || step.id());
        orders.into_iter().map(|(order, _)| order).next()
    }

    /// Who is at the counter: nobody while the phone is left with its shift open.
    pub(crate) fn at_counter(&self) -> Option<Session> {
        self.session.filter(|session| !session.left)
    }

    pub(crate) fn shift_view(&self) -> Option<ShiftView> {
        let session = self.session?;
        let tally = self.tally.filter(|tally| tally.is_of(session.id));
        let tally = tally.unwrap_or(Tally::new(session.id));
        Some(ShiftView {
            staff: session.staff,
            since_ms: session.since_ms,
            left: session.left,
            sales: tally.sales,
            sold: tally.sold,
            cancellations: tally.cancellations,
            cancelled: tally.cancelled,
            top_ups: tally.top_ups,
            topped_up: tally.topped_up,
            pay_outs: tally.pay_outs,
            paid_out: tally.paid_out,
            handed_out: tally.handed_out,
            came_back: tally.came_back,
            vouchers: tally.vouchers,
        })
    }

    /// What the session has booked after these orders; none when nobody's is open.
    pub(crate) fn tally_after<'a>(
        &self,
        orders: impl IntoIterator<Item = &'a Order>,
    ) -> Result<Option<Tally>, Overflow> {
        let Some(session) = self.session else { return Ok(None) };
        let tally = self.tally.filter(|tally| tally.is_of(session.id));
        let tally = tally.unwrap_or(Tally::new(session.id));
        tally.after(orders, &self.history).map(Some)
    }

    /// The shift ends when the server has everything, or another device has a copy of it.
    pub(crate) fn end_shift(&mut self) -> Result<(), Refusal> {
        self.at_counter().ok_or(Refusal::LoggedOut)?;
        self.free_of_carts()?;
        if let Some(unsent) = self.orders_nowhere_else() {
            return Err(Refusal::Unsent {
                entries: self.unsent(),
                orders: unsent.orders,
                total: unsent.total,
            });
        }
        self.log_out()
    }

    /// The phone is put down, and its shift stays open for the same person.
    pub(crate) fn leave_shift_open(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let session = self.at_counter().ok_or(Refusal::LoggedOut)?;
        self.free_of_carts()?;
        self.keep_session(step, Session { left: true, ..session });
        Ok(())
    }

    /// Whoever left the phone is back.
    pub(crate) fn come_back(&mut self, step: &mut Step<'_>, session: Session) {
        self.keep_session(step, Session { left: false, ..session });
        let _none_parked = self.unpark(step);
    }

    fn keep_session(&mut self, step: &mut Step<'_>, session: Session) {
        self.session = Some(session);
        let write = Write::Meta {
            key: MetaKey::Session,
            value: Some(encode(&session)),
        };
        self.store.later(write, step.now.mono_ms);
        self.store.flush(step);
        self.notify(step, Notice::None);
    }

    /// The device is to be a terminal no more. Who helps others may do it, and only when the server has everything that was ever written here.
    pub(crate) fn unregister(&mut self, step: &mut Step<'_>) -> Result<(), Refusal> {
        let session = self.at_counter().ok_or(Refusal::LoggedOut)?;
        let person = self.config.as_ref().and_then(|config| config.staff.get(&session.staff));
        if !person
            .and_then(|person| person.role)
            .is_some_and(shared_protocol::catalogue::Role::helps_others)
        {
            return Err(Refusal::NotPermitted);
        }
        self.free_of_carts()?;
        if self.drawer.is_some() {
            return Err(Refusal::DrawerOpen);
        }
        if !self.handovers.is_empty() {
            return Err(Refusal::CopiesWait);
        }
        if self.unregistering {
            return Ok(());
        }
        self.refuse_unsent()?;
        if !self.is_live() {
            return Err(Refusal::OnlineOnly);
        }
        self.unregistering = true;
        self.note_command(CommandKind::Logout, Some(session), CommandThen::LoggedOut);
        self.notify(step, Notice::Working);
        Ok(())
    }

    fn refuse_unsent(&self) -> Result<(), Refusal> {
        let entries = self.unsent();
        let unsent = self.orders_unsent();
        if entries == 0 && self.waiting.is_empty() && self.outcomes.is_empty() && self.store.journal_is_idle() {
            return Ok(());
        }
        Err(Refusal::Unsent {
            entries,
            orders: unsent.map_or(0, |unsent| unsent.orders),
            total: unsent.map_or(Amount::ZERO, |unsent| unsent.total),
        })
    }

    /// The logout that an unregistration began with is at the server: now the shell may put the queue away.
    pub(crate) fn unregister_if_sent(&mut self, step: &mut Step<'_>) {
        if !self.unregistering {
            return;
        }
        let stayed = self.waiting.is_empty() && self.session.is_some() && self.store.journal_is_idle();
        if stayed {
            self.unregistering = false;
        } else if !self.is_live() {
            self.unregistering = false;
            self.refuse(step, Refusal::OnlineOnly);
        } else if self.session.is_none() && self.refuse_unsent().is_ok() {
            self.unregistering = false;
            self.stop(step);
            step.out.push(Output::Unregistered);
        }
    }
}
