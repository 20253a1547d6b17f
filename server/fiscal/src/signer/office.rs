//! What an admin wants of TSEs: a till at another one, a till that stays where it is, a TSE that goes out of service.
//!
//! A till moves between its transactions and within one taxpayer, whoever wants it (AEAO to § 146a, no. 1.6). A TSE that goes out of service begins
//! nothing any more; what has begun there ends there, as its sale or as given up.

use shared_protocol::{CartId, TaxpayerId};
use store::{RetiredRow, TseNo, WishRow};

use super::unit::{Sale, Unit, Work};
use super::{OutageRow, Signer};
use crate::tse::TseError;

/// A TSE that came back is used for wishes after this time: one that comes and goes does not pull tills to and fro.
pub const SETTLED_MS: u64 = 5_000;

/// Carts that have begun at a TSE that goes out of service may be paid there for so long; then they end as given up. An order that comes later
/// begins anew at the till's new TSE.
pub const CARTS_MAX_MS: u64 = 5 * 60 * 1_000;

/// Why a wish was not taken. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// There is no such TSE here.
    #[error("there is no TSE {} here; nothing was changed", .0.0)]
    NoTse(TseNo),
    /// A TSE serves one taxpayer.
    #[error("TSE {} is another taxpayer's; nothing was changed, choose one of the till's own", .0.0)]
    OtherTaxpayer(TseNo),
    /// It goes out of service.
    #[error("TSE {} is taken out of service; nothing was changed, choose another one", .0.0)]
    OutOfService(TseNo),
    /// It has no room.
    #[error("TSE {} takes no more tills; nothing was changed, move another till away first", .0.0)]
    Full(TseNo),
    /// Nothing could take over.
    #[error("no other TSE can take over the tills of TSE {}; nothing was changed, add one or confirm that orders will be unsigned", .0.0)]
    NoOther(TseNo),
}

impl Signer {
    /// An admin wants a till to be with a TSE; or, for none, nothing any more.
    pub fn wish(&mut self, row: WishRow) -> Result<(), Refused> {
        let key = (row.taxpayer, row.client.clone());
        if let Some(no) = row.tse {
            let unit = self.units.get(&no).ok_or(Refused::NoTse(no))?;
            let is_there = self.homes.get(&key).is_some_and(|home| home.tse == no);
            if unit.taxpayer != row.taxpayer {
                return Err(Refused::OtherTaxpayer(no));
            }
            if unit.retired.is_some() {
                return Err(Refused::OutOfService(no));
            }
            if !is_there && self.clients(no) >= unit.clients_max {
                return Err(Refused::Full(no));
            }
            if !is_there || row.pinned {
                self.wishes.insert(key, row.clone());
                self.out.wishes.push(row);
                return Ok(());
            }
        }
        self.wishes.remove(&key);
        self.out.wishes.push(WishRow { tse: None, ..row });
        Ok(())
    }

    /// A TSE goes out of service, for good. Where nothing could take over its tills, that has to be confirmed.
    pub fn retire(&mut self, row: RetiredRow) -> Result<(), Refused> {
        let tse = row.tse;
        let unit = self.units.get(&tse).ok_or(Refused::NoTse(tse))?;
        if unit.retired.is_some() {
            return Err(Refused::OutOfService(tse));
        }
        if !row.forced && !self.can_be_replaced(tse) {
            return Err(Refused::NoOther(tse));
        }
        if let Some(unit) = self.units.get_mut(&tse) {
            unit.retired = Some(row.clone());
            unit.begins.clear();
            unit.beginning.clear();
        }
        let (gone, kept) = std::mem::take(&mut self.wishes)
            .into_iter()
            .partition(|(_, wish)| wish.tse == Some(tse));
        self.wishes = kept;
        let gone: std::collections::BTreeMap<_, WishRow> = gone;
        let over = gone.into_values().map(|wish| WishRow { tse: None, ..wish });
        self.out.wishes.extend(over);
        self.retired.insert(tse, row.clone());
        self.out.retired.push(row);
        Ok(())
    }

    /// Whether other TSEs of the taxpayer that are in order have room for all tills of one.
    pub fn can_be_replaced(&self, tse: TseNo) -> bool {
        let Some(unit) = self.units.get(&tse) else {
            return false;
        };
        let others = self.units.values().filter(|other| {
            other.taxpayer == unit.taxpayer && other.no != tse && other.ready && other.retired.is_none()
        });
        let room = |other: &Unit| u64::from(other.clients_max.saturating_sub(self.clients(other.no)));
        let places: u64 = others.map(room).sum();
        places > 0 && places >= u64::from(self.clients(tse))
    }

    /// Whether a TSE is out of service for good, so that nobody needs a way to it.
    pub fn is_out_of_service(&self, tse: TseNo) -> bool {
        self.retired.get(&tse).is_some_and(|row| row.done_ms.is_some())
    }

    /// The TSE of a till for a cart. At a TSE that goes out of service a till has nothing but the cart that began there: what else it left open ends
    /// as given up, so that it can go.
    pub(super) fn home_of_cart(
        &mut self,
        taxpayer: TaxpayerId,
        client: &str,
        cart: CartId,
        now_ms: u64,
    ) -> Option<TseNo> {
        let home = self.home(taxpayer, client, now_ms)?;
        let retires = self.units.get(&home).is_some_and(|unit| unit.retired.is_some());
        if !retires || self.open.contains_key(&(cart, home)) {
            return Some(home);
        }
        let Some(spare) = self.spare(taxpayer, home) else {
            return Some(home);
        };
        if self.units.get(&home).is_some_and(|unit| unit.is_busy_with(client)) {
            return Some(home);
        }
        let left = self.open.values().filter(|row| row.tse == home && row.client == client);
        let left: Vec<CartId> = left.map(|row| row.cart).collect();
        for cart in left {
            self.forsake(cart, Some(home));
        }
        self.moves(taxpayer, client, spare, now_ms);
        Some(spare)
    }

    /// Where a till should be instead of where it is.
    pub(super) fn wanted(&self, taxpayer: TaxpayerId, client: &str, home: TseNo, now_ms: u64) -> Option<TseNo> {
        let unit = self.units.get(&home)?;
        let wished = self.wished(taxpayer, client, now_ms).filter(|to| *to != home);
        wished.or_else(|| self.spare(taxpayer, home).filter(|_| unit.retired.is_some()))
    }

    /// The TSE that an admin wants a till to be with, if it can go there now.
    pub(super) fn wished(&self, taxpayer: TaxpayerId, client: &str, now_ms: u64) -> Option<TseNo> {
        let key = (taxpayer, client.to_owned());
        let to = self.wishes.get(&key)?.tse?;
        let is_there = self.homes.get(&key).is_some_and(|home| home.tse == to);
        let fits = |unit: &&Unit| {
            unit.ready
                && unit.retired.is_none()
                && now_ms.saturating_sub(unit.ready_at_ms) >= SETTLED_MS
                && (is_there || self.clients(to) < unit.clients_max)
        };
        self.units.get(&to).filter(fits).map(|unit| unit.no)
    }

    /// Whether nothing of a till waits, is done or is open at a TSE.
    pub(super) fn is_between_transactions(&self, client: &str, at: TseNo) -> bool {
        let open = self.open.values().any(|row| row.tse == at && row.client == client);
        !open && self.units.get(&at).is_some_and(|unit| !unit.is_busy_with(client))
    }

    /// A wish that is not to last is over once the till is there.
    pub(super) fn is_where_wished(&mut self, taxpayer: TaxpayerId, client: &str, at: TseNo) {
        let key = (taxpayer, client.to_owned());
        let over = |wish: &WishRow| wish.tse == Some(at) && !wish.pinned;
        if self.wishes.get(&key).is_some_and(over)
            && let Some(wish) = self.wishes.remove(&key)
        {
            self.out.wishes.push(WishRow { tse: None, ..wish });
        }
    }

    pub(super) fn is_pinned(&self, taxpayer: TaxpayerId, client: &str) -> bool {
        let wish = self.wishes.get(&(taxpayer, client.to_owned()));
        wish.is_some_and(|wish| wish.pinned)
    }

    /// Tills that nothing is sold at go where they should be, too.
    pub(super) fn follow_wishes(&mut self, now_ms: u64) {
        let elsewhere = |(key, wish): (&(TaxpayerId, String), &WishRow)| {
            let home = self.homes.get(key)?;
            (Some(home.tse) != wish.tse).then(|| key.clone())
        };
        let keys: Vec<_> = self.wishes.iter().filter_map(elsewhere).collect();
        for (taxpayer, client) in keys {
            self.home(taxpayer, &client, now_ms);
        }
    }

    /// Whether an order would begin at a TSE that begins nothing any more.
    pub(super) fn may_not_start(&self, tse: TseNo, sale: &Sale) -> bool {
        let retires = self.units.get(&tse).is_some_and(|unit| unit.retired.is_some());
        retires && !self.open.contains_key(&(sale.cart, tse))
    }

    /// An order goes to another TSE with its till, or is marked where there is none.
    pub(super) fn elsewhere(&mut self, sale: Sale, from: TseNo, now_ms: u64) {
        let key = (sale.taxpayer, sale.client.clone());
        let home = self.homes.get(&key).map(|home| home.tse);
        let in_service = |tse: &TseNo| self.units.get(tse).is_some_and(|unit| unit.retired.is_none());
        if let Some(home) = home.filter(in_service) {
            return self.enqueue(home, sale);
        }
        if let Some(spare) = self.spare(sale.taxpayer, from) {
            self.moves(sale.taxpayer, &sale.client, spare, now_ms);
            return self.enqueue(spare, sale);
        }
        let reason = "the till's TSE was taken out of service, and there is no other";
        let outage = match sale.outage {
            Some(outage) => outage,
            None => self.outage_of(&sale.client, sale.booked_at_ms.min(now_ms), now_ms, reason),
        };
        self.marked(&sale, from, outage);
    }

    /// A TSE on its way out of service: its tills go, what is open there ends, and then it is out.
    pub(super) fn goes_out_of_service(&mut self, tse: TseNo, now_ms: u64) {
        let Some(row) = self.units.get(&tse).and_then(|unit| unit.retired.clone()) else {
            return;
        };
        let of_tse = self.homes.iter().filter(|(_, home)| home.tse == tse);
        let tills: Vec<_> = of_tse.map(|(key, _)| key.clone()).collect();
        for (taxpayer, client) in tills {
            self.home(taxpayer, &client, now_ms);
        }
        if row.done_ms.is_some() {
            return self.stays_out_of_service(tse, now_ms);
        }
        let patience_over = now_ms.saturating_sub(row.at_ms) >= CARTS_MAX_MS;
        if patience_over {
            self.give_up_all(tse);
        }
        let open = self.open.keys().filter(|(_, of)| *of == tse).count() as u64;
        let has_tills = self.homes.values().any(|home| home.tse == tse);
        let Some(unit) = self.units.get_mut(&tse) else { return };
        let waits = has_tills && !row.forced;
        let ended = unit.ready && unit.is_idle() && open == 0 && !waits;
        let sells = !unit.sales.is_empty() || unit.doing.values().any(|doing| matches!(doing.work, Work::Sale(_)));
        let given_up = !unit.ready && !sells && (unit.broken || patience_over) && !waits;
        if !ended && !given_up {
            return;
        }
        let done = RetiredRow {
            done_ms: Some(now_ms.max(row.at_ms)),
            left_open: open,
            ..row
        };
        (unit.ready, unit.broken) = (false, true);
        // What it was asked and has not answered, nobody waits for any more.
        unit.doing.clear();
        unit.carts.clear();
        self.calls.retain(|call| call.tse != tse);
        unit.retired = Some(done.clone());
        self.retired.insert(tse, done.clone());
        self.out.retired.push(done);
        self.stays_out_of_service(tse, now_ms);
    }

    /// What has begun there and was not paid ends as given up.
    fn give_up_all(&mut self, tse: TseNo) {
        let Some(unit) = self.units.get_mut(&tse).filter(|unit| unit.ready) else {
            return;
        };
        let queued = |cart: CartId| {
            unit.carts.contains(&cart)
                || unit.sales.iter().any(|sale| sale.cart == cart)
                || unit.chores.iter().any(|work| work.cart() == Some(cart))
        };
        let open = self.open.keys().filter(|(_, of)| *of == tse).map(|(cart, _)| *cart);
        let left: Vec<CartId> = open.filter(|cart| !queued(*cart)).collect();
        unit.chores.extend(left.into_iter().map(|cart| Work::GiveUp { cart }));
    }

    /// Orders of tills that have nowhere else to go are marked as made in an outage, which ends when the last till has gone.
    fn stays_out_of_service(&mut self, tse: TseNo, now_ms: u64) {
        let has_tills = self.homes.values().any(|home| home.tse == tse);
        let Some(unit) = self.units.get_mut(&tse) else { return };
        let waits = !unit.sales.is_empty();
        if !has_tills && !waits {
            if let Some(row) = unit.outage.take() {
                self.out.outages.push(OutageRow {
                    until_ms: Some(now_ms.max(row.from_ms)),
                    ..row
                });
            }
        } else if unit.outage.is_none() {
            self.begins_outage(tse, &TseError::Disabled, now_ms);
        }
    }
}
