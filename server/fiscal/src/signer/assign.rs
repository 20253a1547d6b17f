//! Which till is with which TSE. One till has one TSE of a taxpayer at a time, and changes it only between transactions (AEAO to § 146a, no. 1.6).

use std::collections::{BTreeMap, BTreeSet};

use shared_protocol::TaxpayerId;
use store::{ClientRow, TseNo};

use super::Signer;
use super::unit::{Sale, Unit, Work};

/// How often loads are compared.
const BALANCE_EVERY_MS: u64 = 10_000;
/// Queues that differ by less are left alone.
const BALANCE_FROM: usize = 32;
/// Tills of a taxpayer that move at once.
const MOVES_MAX: usize = 4;

impl Signer {
    /// The TSE of a till; one is chosen where it has none, or where its own is out of order for too long.
    pub(super) fn home(&mut self, taxpayer: TaxpayerId, client: &str, now_ms: u64) -> Option<TseNo> {
        let key = (taxpayer, client.to_owned());
        let home = self
            .homes
            .get(&key)
            .map(|row| row.tse)
            .filter(|tse| self.units.contains_key(tse));
        let Some(home) = home else {
            let wished = self.wished(taxpayer, client, now_ms);
            let chosen = wished.or_else(|| self.emptiest(taxpayer))?;
            self.is_where_wished(taxpayer, client, chosen);
            self.moves(taxpayer, client, chosen, now_ms);
            return Some(chosen);
        };
        let leaves = self.is_due(home, now_ms) && self.units.get(&home).is_some_and(|unit| !unit.is_with(client));
        let to = match self.spare(taxpayer, home).filter(|_| leaves) {
            Some(spare) => Some(spare),
            None => self
                .wanted(taxpayer, client, home, now_ms)
                .filter(|_| self.is_between_transactions(client, home)),
        };
        let Some(to) = to else { return Some(home) };
        self.moves(taxpayer, client, to, now_ms);
        self.is_where_wished(taxpayer, client, to);
        Some(to)
    }

    /// How many tills are with a TSE.
    pub(super) fn clients(&self, tse: TseNo) -> u32 {
        let count = self.homes.values().filter(|row| row.tse == tse).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// The TSE of a taxpayer with the fewest tills, first among those that are in order.
    fn emptiest(&self, taxpayer: TaxpayerId) -> Option<TseNo> {
        let of_taxpayer = self.units.values().filter(|unit| unit.taxpayer == taxpayer);
        // Where nothing else is left, orders are marked there.
        let is_any_in_service = of_taxpayer.clone().any(|unit| unit.retired.is_none());
        let of_taxpayer = of_taxpayer.filter(|unit| unit.retired.is_none() || !is_any_in_service);
        let room = |unit: &&Unit| self.clients(unit.no) < unit.clients_max;
        let order = |unit: &&Unit| (unit.outage.is_some(), self.clients(unit.no), unit.no);
        of_taxpayer
            .clone()
            .filter(room)
            .min_by_key(order)
            .or_else(|| of_taxpayer.min_by_key(order))
            .map(|unit| unit.no)
    }

    /// Another TSE of the taxpayer that is in order and has room.
    pub(super) fn spare(&self, taxpayer: TaxpayerId, except: TseNo) -> Option<TseNo> {
        let fits = |unit: &&Unit| {
            unit.taxpayer == taxpayer
                && unit.no != except
                && unit.ready
                && unit.retired.is_none()
                && self.clients(unit.no) < unit.clients_max
        };
        self.units
            .values()
            .filter(fits)
            .min_by_key(|unit| (self.clients(unit.no), unit.no))
            .map(|unit| unit.no)
    }

    /// A till goes to a TSE, with a row in its history; the one before lets go of it.
    pub(super) fn moves(&mut self, taxpayer: TaxpayerId, client: &str, to: TseNo, now_ms: u64) {
        let row = ClientRow {
            tse: to,
            client: client.to_owned(),
            taxpayer,
            from_ms: now_ms,
            until_ms: None,
        };
        self.out.clients.push(row.clone());
        if let Some(before) = self.homes.insert((taxpayer, client.to_owned()), row) {
            if let Some(unit) = self.units.get_mut(&before.tse) {
                let client = client.to_owned();
                unit.chores.push_back(Work::Leave { client });
            }
            let until_ms = Some(now_ms.max(before.from_ms));
            self.out.clients.push(ClientRow { until_ms, ..before });
        }
    }

    /// Moves tills from long queues to short ones, so that what waits drains at the speed of all TSEs together.
    pub(super) fn balance(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.balanced_at_ms) < BALANCE_EVERY_MS {
            return;
        }
        self.balanced_at_ms = now_ms;
        let taxpayers: BTreeSet<TaxpayerId> = self.units.values().map(|unit| unit.taxpayer).collect();
        for taxpayer in taxpayers {
            for _ in 0..MOVES_MAX {
                if !self.level(taxpayer, now_ms) {
                    break;
                }
            }
        }
    }

    /// Moves one till from the longest queue of a taxpayer to the shortest. Gives whether there was one to move.
    fn level(&mut self, taxpayer: TaxpayerId, now_ms: u64) -> bool {
        let of_taxpayer = self
            .units
            .values()
            .filter(|unit| unit.taxpayer == taxpayer && unit.ready && unit.retired.is_none());
        let queues = of_taxpayer.map(|unit| (unit.sales.len(), unit.no));
        let (Some((long, from)), Some((short, to))) = (queues.clone().max(), queues.min()) else {
            return false;
        };
        let has_room = self
            .units
            .get(&to)
            .is_some_and(|unit| self.clients(to) < unit.clients_max);
        long - short >= BALANCE_FROM && has_room && self.shift(taxpayer, (from, to), long - short, now_ms)
    }

    /// Moves the till whose orders come nearest to half the difference of two queues, if it is between transactions.
    fn shift(&mut self, taxpayer: TaxpayerId, (from, to): (TseNo, TseNo), difference: usize, now_ms: u64) -> bool {
        let Some(unit) = self.units.get(&from) else {
            return false;
        };
        let mut counts = BTreeMap::<&str, usize>::new();
        for sale in &unit.sales {
            *counts.entry(&sale.client).or_default() += 1;
        }
        let begun = |client: &str| self.open.values().any(|row| row.tse == from && row.client == client);
        let fits = counts
            .into_iter()
            .filter(|(client, count)| *count < difference && !unit.is_with(client) && !begun(client))
            .filter(|(client, _)| !self.is_pinned(taxpayer, client));
        let nearest = fits.min_by_key(|(_, count)| (2 * count).abs_diff(difference));
        let Some(client) = nearest.map(|(client, _)| client.to_owned()) else {
            return false;
        };
        self.moves(taxpayer, &client, to, now_ms);
        let Some(unit) = self.units.get_mut(&from) else {
            return false;
        };
        let (moved, stay): (Vec<Box<Sale>>, Vec<Box<Sale>>) = std::mem::take(&mut unit.sales)
            .into_iter()
            .partition(|sale| sale.client == client);
        unit.sales = stay.into();
        for sale in moved {
            self.enqueue(to, *sale);
        }
        true
    }
}
