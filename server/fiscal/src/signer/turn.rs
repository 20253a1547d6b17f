//! One turn: what time has brought about, then the next calls.

use std::mem;

use store::{Signing, TseNo};

use super::unit::{DEPTH, Doing, Sale, Work};
use super::{Ask, CALL_MAX_MS, Call, Signer, Told};
use crate::tse::{TransactionKey, TseError};

impl Signer {
    /// Rows to commit, and calls that may be made as soon as they are. Until then no other turn may be taken.
    pub fn turn(&mut self, now_ms: u64) -> (Signing, Vec<Call>) {
        self.began_ms.get_or_insert(now_ms);
        let all: Vec<TseNo> = self.units.keys().copied().collect();
        for tse in &all {
            self.gives_up_waiting(*tse, now_ms);
            self.clear_queue(*tse, now_ms);
            self.goes_out_of_service(*tse, now_ms);
        }
        self.follow_wishes(now_ms);
        self.balance(now_ms);
        for tse in all {
            self.ask(tse, now_ms);
        }
        let done_to = match self.pending.first() {
            Some(first) => first.saturating_sub(1),
            None => self.read_to,
        };
        if done_to > self.done_to {
            self.done_to = done_to;
            self.out.done_to = Some(done_to);
        }
        (mem::take(&mut self.out), mem::take(&mut self.calls))
    }

    /// A call that nobody answers is an outage, too; and in an outage that began with another call nothing hangs on it for longer either.
    fn gives_up_waiting(&mut self, tse: TseNo, now_ms: u64) {
        let Some(unit) = self.units.get_mut(&tse) else { return };
        let is_new = unit.outage.is_none();
        let matters = |doing: &&Doing| is_new || !matches!(doing.work, Work::Ready);
        let oldest = unit.doing.values().filter(matters).map(|doing| doing.since_ms).min();
        if oldest.is_none_or(|since| now_ms.saturating_sub(since) < CALL_MAX_MS) {
            return;
        }
        // The answers are still waited for, though nothing hangs on them: nothing is asked of a TSE that has not said what became of the last.
        let mut undone = Vec::new();
        for doing in unit.doing.values_mut() {
            let work = mem::replace(&mut doing.work, Work::Ready);
            undone.push(Doing { work, ..doing.clone() });
        }
        unit.carts.clear();
        if is_new {
            let error = TseError::Unavailable(format!("no answer for {} s", CALL_MAX_MS / 1_000));
            self.begins_outage(tse, &error, now_ms);
        }
        for doing in undone.into_iter().rev() {
            self.undo(tse, doing);
        }
    }

    fn ask(&mut self, tse: TseNo, now_ms: u64) {
        let Some(unit) = self.units.get_mut(&tse) else {
            return;
        };
        if !unit.ready {
            if unit.doing.is_empty() && now_ms >= unit.probe_at_ms && !unit.is_out_of_service() {
                self.call(tse, Work::Ready, Ask::Prepare, now_ms);
            }
            return;
        }
        let matched = self
            .units
            .get(&tse)
            .is_some_and(|unit| self.is_matched(unit.taxpayer, now_ms));
        while let Some(unit) = self.units.get_mut(&tse) {
            if unit.doing.len() >= DEPTH || now_ms < unit.busy_until_ms {
                return;
            }
            let Some(work) = unit.next(matched) else { return };
            let work = match work {
                Work::Sale(sale) if sale.comes_late.is_some() && !sale.looks => {
                    self.came_late(tse, *sale);
                    continue;
                }
                // Its end was found and taken in before it was this order's turn.
                Work::Sale(sale) if sale.looks && !self.open.contains_key(&(sale.cart, tse)) => {
                    self.came_late(tse, Sale { looks: false, ..*sale });
                    continue;
                }
                Work::Sale(sale) if self.may_not_start(tse, &sale) => {
                    self.elsewhere(*sale, tse, now_ms);
                    continue;
                }
                work => work,
            };
            if let Some(ask) = self.step(tse, &work) {
                self.call(tse, work, ask, now_ms);
            }
        }
    }

    /// What some work asks for next; nothing where it is over.
    fn step(&self, tse: TseNo, work: &Work) -> Option<Ask> {
        let unit = self.units.get(&tse)?;
        let row = work.cart().and_then(|cart| self.open.get(&(cart, tse)));
        let register =
            |client: &String| (!unit.registered.contains(client)).then(|| Ask::Register { client: client.clone() });
        match work {
            Work::Sale(sale) => Some(match (row, register(&sale.client)) {
                (Some(row), _) if sale.looks => Ask::Ended {
                    transaction: row.transaction,
                },
                // A transaction of this till goes on also where the till moved away since.
                (Some(row), _) => Ask::Finish {
                    key: key(sale.cart.0, sale.attempt),
                    client: row.client.clone(),
                    transaction: row.transaction,
                    told: sale.told.clone(),
                },
                (None, Some(register)) => register,
                (None, None) => Ask::Start {
                    key: key(sale.cart.0, sale.attempt),
                    client: sale.client.clone(),
                },
            }),
            Work::Begin { cart, client } => {
                let over = row.is_some() || self.over.contains(cart) || unit.retired.is_some();
                (!over).then(|| {
                    register(client).unwrap_or_else(|| Ask::Start {
                        key: key(cart.0, 0),
                        client: client.clone(),
                    })
                })
            }
            Work::GiveUp { cart } => row.map(|row| Ask::Finish {
                key: key(cart.0, 0),
                client: row.client.clone(),
                transaction: row.transaction,
                told: Told::aborted(),
            }),
            Work::Look { .. } => row.map(|row| Ask::Ended {
                transaction: row.transaction,
            }),
            Work::Leave { client } => {
                let back = self
                    .homes
                    .values()
                    .any(|home| home.tse == tse && home.client == *client);
                (!back).then(|| Ask::Deregister { client: client.clone() })
            }
            Work::Ready => Some(Ask::Prepare),
            Work::Match => Some(self.asks_since(tse)),
            Work::Survey => Some(Ask::Open),
        }
    }

    pub(super) fn call(&mut self, tse: TseNo, work: Work, ask: Ask, now_ms: u64) {
        let Some(unit) = self.units.get_mut(&tse) else {
            return;
        };
        let id = self.next_call;
        self.next_call += 1;
        unit.carts.extend(work.cart());
        let doing = Doing {
            work,
            ask: ask.clone(),
            since_ms: now_ms,
        };
        unit.doing.insert(id, doing);
        self.calls.push(Call { tse, id, ask });
    }
}

/// The key of the how-manieth transaction of a cart.
fn key(cart: [u8; 16], attempt: u8) -> TransactionKey {
    let mut key = cart;
    if let Some(last) = key.last_mut() {
        *last ^= attempt;
    }
    TransactionKey(key)
}
