//! What comes of an answer.

use std::collections::BTreeSet;

use shared_protocol::CartId;
use store::{TransactionEnd, TransactionRow, TseNo};

use super::unit::{Doing, Sale, Work};
use super::{Ask, OutagePolicy, Reply, Signer};
use crate::process_data::{KASSENBELEG_V1, Kassenbeleg, ProcessType};
use crate::tse::{Finished, Logged, Started, TseError, TseInfo};

/// An order's transaction is begun anew this often when its TSE loses it.
const ATTEMPTS_MAX: u8 = 3;

impl Signer {
    /// A call was answered. `took_us` is how long it took, in microseconds.
    pub fn answer(&mut self, tse: TseNo, id: u64, done: Result<Reply, TseError>, took_us: u64, now_ms: u64) {
        let Some(unit) = self.units.get_mut(&tse) else {
            return;
        };
        let Some(doing) = unit.doing.remove(&id) else {
            return;
        };
        // It was waited for no longer, and nothing hangs on it.
        if unit.is_out_of_service() {
            return;
        }
        if done.is_ok() && matches!(doing.ask, Ask::Start { .. } | Ask::Finish { .. }) {
            unit.signatures += 1;
            unit.signature_us = match unit.signature_us {
                0 => took_us,
                before => (7 * before + took_us) / 8,
            };
        }
        if let Some(cart) = doing.work.cart() {
            unit.carts.remove(&cart);
        }
        match done {
            Err(error) if error.is_outage() => self.fails(tse, doing, &error, now_ms),
            Err(TseError::Busy { after_ms }) => {
                unit.busy_until_ms = now_ms.saturating_add(after_ms);
                self.again(tse, doing.work);
            }
            Err(error) => self.refused(tse, doing, &error, now_ms),
            Ok(reply) => self.succeeds(tse, doing, reply, now_ms),
        }
    }

    fn succeeds(&mut self, tse: TseNo, doing: Doing, reply: Reply, now_ms: u64) {
        match (doing.work, doing.ask, reply) {
            (Work::Ready, Ask::Prepare, Reply::Ready(info)) => self.is_ready(tse, &info, now_ms),
            (Work::Match, _, Reply::Logged(logged)) => {
                self.logged(tse, logged);
                self.call(tse, Work::Survey, Ask::Open, now_ms);
            }
            (Work::Survey, _, Reply::Open(open)) => self.surveyed(tse, open, now_ms),
            (work @ (Work::Sale(_) | Work::Begin { .. }), Ask::Register { client }, Reply::Done) => {
                if let Some(unit) = self.units.get_mut(&tse) {
                    unit.registered.insert(client);
                }
                self.again(tse, work);
            }
            (Work::Leave { client }, ..) => {
                if let Some(unit) = self.units.get_mut(&tse) {
                    unit.registered.remove(&client);
                }
            }
            (work, Ask::Start { client, .. }, Reply::Started(started)) => self.started(tse, work, client, started),
            (Work::Sale(sale), _, Reply::Finished(finished)) => {
                let data = sale.told.data.clone();
                if let Some(transaction) = self.ended(tse, sale.cart, sale.told.kind.as_str(), data, finished) {
                    self.came_off(sale.no, tse, Some(transaction), sale.outage);
                }
            }
            (Work::Sale(sale), _, Reply::Ended(end)) => self.looked_for(tse, *sale, end),
            (Work::GiveUp { cart }, _, Reply::Finished(finished)) => {
                self.ended(tse, cart, KASSENBELEG_V1, Kassenbeleg::ABORTED.to_string(), finished);
            }
            (Work::GiveUp { cart } | Work::Look { cart }, _, Reply::Ended(end)) => self.looked_at(tse, cart, end),
            // An answer that came after all, or one that fits nothing: nothing hangs on it.
            _ => {}
        }
    }

    /// It answers. What it has open is compared with the books before it is asked for anything.
    fn is_ready(&mut self, tse: TseNo, info: &TseInfo, now_ms: u64) {
        let Some(unit) = self.units.get_mut(&tse) else { return };
        unit.open_max = Some(info.limits.open_max);
        let (is_same, is_matched) = (unit.serial == info.serial, unit.unmatched_from.is_none());
        if is_same && !is_matched {
            self.call(tse, Work::Match, self.asks_since(tse), now_ms);
        } else if is_same {
            self.call(tse, Work::Survey, Ask::Open, now_ms);
        } else {
            let error = TseError::Unavailable("another TSE answers in its place".to_owned());
            self.begins_outage(tse, &error, now_ms);
        }
    }

    /// What the TSE has open, beside what the books have.
    fn surveyed(&mut self, tse: TseNo, open: Vec<(String, Started)>, now_ms: u64) {
        let of_tse = |row: &&TransactionRow| row.tse == tse;
        let in_books: BTreeSet<u64> = self.open.values().filter(of_tse).map(|row| row.transaction).collect();
        let at_tse: BTreeSet<u64> = open.iter().map(|(_, started)| started.transaction).collect();
        let busy = self.units.get(&tse).map(|unit| unit.carts.clone()).unwrap_or_default();
        // A start that is under way may be open there already, and in the books in a moment.
        let starting = self
            .units
            .get(&tse)
            .is_some_and(|unit| unit.doing.values().any(|doing| matches!(doing.ask, Ask::Start { .. })));
        let mut chores = Vec::new();
        for (client, started) in open {
            if !in_books.contains(&started.transaction) && !starting {
                let cart = orphan(started.transaction);
                let row = begun(tse, client, cart, started);
                self.out.transactions.push(row.clone());
                self.open.insert((cart, tse), row);
                chores.push(Work::GiveUp { cart });
            }
        }
        // What is still open there was not signed, and may be now.
        let numbers: BTreeSet<CartId> = self
            .open
            .values()
            .filter(|row| row.tse == tse && at_tse.contains(&row.transaction))
            .map(|row| row.cart)
            .collect();
        self.doubtful
            .retain(|(cart, of), _| *of != tse || !numbers.contains(cart));
        let Some(unit) = self.units.get_mut(&tse) else {
            return;
        };
        unit.unmatched_from = None;
        let closing = std::mem::take(&mut unit.closing);
        let queued: BTreeSet<CartId> = unit.sales.iter().map(|sale| sale.cart).collect();
        let rows = self
            .open
            .values()
            .filter(|row| row.tse == tse && !queued.contains(&row.cart) && !busy.contains(&row.cart));
        for row in rows {
            let cart = row.cart;
            let moved = !self
                .homes
                .values()
                .any(|home| home.tse == tse && home.client == row.client);
            let comes_late = self.choices.outage_policy.newest() == OutagePolicy::ResignMarked && !closing;
            if in_books.contains(&row.transaction) && !at_tse.contains(&row.transaction) {
                chores.push(Work::Look { cart });
            } else if closing || (moved || self.over.contains(&cart)) && !comes_late {
                chores.push(Work::GiveUp { cart });
            }
        }
        for work in chores.into_iter().rev() {
            unit.chores.push_front(work);
        }
        self.ends_outage(tse, now_ms);
    }

    fn started(&mut self, tse: TseNo, work: Work, client: String, started: Started) {
        let Some(cart) = work.cart() else { return };
        // A start whose answer was lost was found open there, and got a name of its own; by its key it is this one.
        self.open
            .retain(|(other, of), row| *of != tse || *other == cart || row.transaction != started.transaction);
        let row = begun(tse, client, cart, started);
        self.out.transactions.push(row.clone());
        self.open.insert((cart, tse), row);
        match work {
            Work::Begin { cart, .. } if self.over.contains(&cart) => {
                let Some(unit) = self.units.get_mut(&tse) else { return };
                if !unit.sales.iter().any(|sale| sale.cart == cart) {
                    unit.chores.push_back(Work::GiveUp { cart });
                }
            }
            work @ Work::Sale(_) => self.again(tse, work),
            _ => {}
        }
    }

    /// A transaction has ended, and the books say so. Gives its number.
    fn ended(&mut self, tse: TseNo, cart: CartId, kind: &str, data: String, finished: Finished) -> Option<u64> {
        let row = self.open.remove(&(cart, tse))?;
        let transaction = row.transaction;
        self.doubtful.remove(&(cart, tse));
        let end = Some(end_of(kind, data, finished));
        self.out.transactions.push(TransactionRow { end, ..row });
        Some(transaction)
    }

    /// The TSE did not know the transaction of an order as open: it ended with that order, with something else, or was lost.
    fn looked_for(&mut self, tse: TseNo, sale: Sale, end: Option<(String, Finished)>) {
        if end.is_none() && sale.comes_late.is_some() {
            // It is open there as it is here.
            self.came_late(tse, Sale { looks: false, ..sale });
            return;
        }
        let is_this = end.as_ref().is_some_and(|(data, _)| *data == sale.told.data);
        let ended = end.and_then(|(data, finished)| {
            let kind = ProcessType::of(&data);
            self.ended(tse, sale.cart, kind.as_str(), data, finished)
        });
        self.open.remove(&(sale.cart, tse));
        match ended {
            Some(transaction) if is_this => {
                let in_time = sale.comes_late.is_none_or(|late| late.reached);
                let outage = if in_time {
                    sale.outage
                } else {
                    Some(self.outage_of_till(&sale))
                };
                self.came_off(sale.no, tse, Some(transaction), outage);
            }
            _ => {
                let next = Sale {
                    attempt: sale.attempt.saturating_add(1),
                    looks: false,
                    ..sale
                };
                self.again(tse, Work::Sale(Box::new(next)));
            }
        }
    }

    /// The books have a transaction open that the TSE has not: how it ended is taken from there. One that signed an order whose finish nobody heard of
    /// signs it late; one that the TSE does not know is forgotten.
    fn looked_at(&mut self, tse: TseNo, cart: CartId, end: Option<(String, Finished)>) {
        let doubt = self.doubtful.remove(&(cart, tse));
        let Some((data, finished)) = end else {
            self.open.remove(&(cart, tse));
            return;
        };
        let kind = ProcessType::of(&data);
        let doubt = doubt.filter(|_| data != Kassenbeleg::ABORTED.to_string());
        let Some(transaction) = self.ended(tse, cart, kind.as_str(), data, finished) else {
            return;
        };
        if let Some(doubt) = doubt {
            self.came_off(doubt.no, tse, Some(transaction), doubt.outage);
        } else if let (Some(unit), Some(row)) = (self.units.get(&tse), self.out.transactions.last()) {
            // It signed an order that has yet to come again, because the books were put back from a copy.
            self.claims.add(unit.taxpayer, row);
        }
    }

    /// It said no to this one thing.
    fn refused(&mut self, tse: TseNo, doing: Doing, error: &TseError, now_ms: u64) {
        match (doing.work, error) {
            (Work::Sale(sale), TseError::UnknownTransaction(_)) if matches!(doing.ask, Ask::Finish { .. }) => {
                let looks = Sale { looks: true, ..*sale };
                self.again(tse, Work::Sale(Box::new(looks)));
            }
            // Whether it was signed is not known; what the TSE has open says so, without its being signed a second time.
            (Work::Sale(sale), _) if matches!(doing.ask, Ask::Ended { .. }) => {
                let outage = self.outage_of_refusal(&sale, error, now_ms);
                self.in_doubt(&sale, tse, Some(outage));
                if let Some(unit) = self.units.get_mut(&tse) {
                    unit.chores.push_back(Work::Survey);
                }
            }
            (Work::GiveUp { cart }, TseError::UnknownTransaction(_)) => {
                if let Some(unit) = self.units.get_mut(&tse) {
                    unit.chores.push_front(Work::Look { cart });
                }
            }
            (Work::Sale(sale), TseError::UnknownClient(client)) if sale.attempt < ATTEMPTS_MAX => {
                if let Some(unit) = self.units.get_mut(&tse) {
                    unit.registered.remove(client);
                    unit.registered.remove(&sale.client);
                }
                let attempt = sale.attempt + 1;
                self.again(tse, Work::Sale(Box::new(Sale { attempt, ..*sale })));
            }
            (Work::Sale(sale), TseError::TooManyClients) => {
                let full = self.clients(tse).saturating_sub(1);
                if let Some(unit) = self.units.get_mut(&tse) {
                    unit.clients_max = full;
                }
                match self.spare(sale.taxpayer, tse) {
                    Some(spare) => {
                        self.moves(sale.taxpayer, &sale.client, spare, now_ms);
                        self.again(spare, Work::Sale(sale));
                    }
                    None => self.unsigned(tse, &sale, error, now_ms),
                }
            }
            (Work::Sale(sale), TseError::Refused(_)) if matches!(doing.ask, Ask::Start { .. }) && sale.attempt == 0 => {
                // A key that was used before, by a transaction that the books have lost.
                self.again(tse, Work::Sale(Box::new(Sale { attempt: 1, ..*sale })));
            }
            (Work::Sale(sale), _) => self.unsigned(tse, &sale, error, now_ms),
            // One that cannot tell what its log has is asked for what is open, as it was before there were copies.
            (Work::Match, TseError::Unsupported(_)) => {
                self.logged(tse, Vec::new());
                self.call(tse, Work::Survey, Ask::Open, now_ms);
            }
            (Work::Ready | Work::Match | Work::Survey, _) => {
                let error = TseError::Unavailable(error.to_string());
                self.begins_outage(tse, &error, now_ms);
            }
            // What is open stays so until the closing; a start is made up when the cart is paid; a registration that stays does no harm.
            (Work::GiveUp { .. } | Work::Look { .. } | Work::Begin { .. } | Work::Leave { .. }, _) => {}
        }
    }

    /// The TSE is in order and does not sign this order: that is an outage of the till.
    fn unsigned(&mut self, tse: TseNo, sale: &Sale, error: &TseError, now_ms: u64) {
        let outage = self.outage_of_refusal(sale, error, now_ms);
        self.marked(sale, tse, outage);
        self.forsake(sale.cart, Some(tse));
    }

    fn outage_of_refusal(&mut self, sale: &Sale, error: &TseError, now_ms: u64) -> u64 {
        let reason = format!("the TSE refused the till's transaction: {error}");
        match sale.outage {
            Some(outage) => outage,
            None => self.outage_of(&sale.client, sale.booked_at_ms.min(now_ms), now_ms, &reason),
        }
    }

    /// What could not be done yet comes first.
    fn again(&mut self, tse: TseNo, work: Work) {
        let Some(unit) = self.units.get_mut(&tse) else {
            return;
        };
        match work {
            Work::Sale(sale) => unit.sales.push_front(sale),
            Work::Begin { cart, client } => {
                unit.beginning.insert(cart, client);
                unit.begins.push_front(cart);
            }
            Work::Ready | Work::Match => {}
            work => unit.chores.push_front(work),
        }
    }
}

fn begun(tse: TseNo, client: String, cart: CartId, started: Started) -> TransactionRow {
    TransactionRow {
        tse,
        transaction: started.transaction,
        client,
        cart,
        started_s: started.time_s,
        start_counter: started.counter,
        start_signature: started.signature,
        end: None,
    }
}

/// A transaction as a TSE's log has it, for a cart that nobody knows.
pub(super) fn row_of(tse: TseNo, logged: Logged) -> TransactionRow {
    let cart = orphan(logged.started.transaction);
    let end = logged
        .end
        .map(|(data, finished)| end_of(ProcessType::of(&data).as_str(), data, finished));
    TransactionRow {
        end,
        ..begun(tse, logged.client, cart, logged.started)
    }
}

fn end_of(kind: &str, process_data: String, finished: Finished) -> TransactionEnd {
    TransactionEnd {
        time_s: finished.time_s,
        counter: finished.counter,
        process_type: kind.to_owned(),
        process_data,
        signature: finished.signature,
    }
}

/// A name for the cart of a transaction that nobody knows one of.
fn orphan(transaction: u64) -> CartId {
    let mut id = [0; 16];
    id.iter_mut()
        .rev()
        .zip(transaction.to_le_bytes())
        .for_each(|(to, from)| *to = from);
    CartId(id)
}
