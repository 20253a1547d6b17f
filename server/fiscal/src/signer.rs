//! How orders come off: signed, signed late, or marked as made in an outage. Never nothing.
//!
//! ```text
//! cart opened ──▶ start ──▶ open ──▶ order: finish ──▶ signed
//!                              └───▶ cart given up: finish as AVBelegabbruch
//! order without a start ──▶ start and finish at once ──▶ signed
//! order that comes more than 5 s after its sale ──▶ the till could not reach its TSE: an outage of the till
//! TSE that does not answer ──▶ an outage of the TSE, tried again every 5 s
//! order in an outage ──▶ marked, and by policy left so or signed late
//! ```
//! A receipt that was marked stays marked: signing late adds a transaction and changes nothing (§ 146a AO, AEAO no. 2.7).
//!
//! A signer keeps no clock and writes nothing: it calls TSEs, and what it did goes out as a [`Signing`] to be committed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use shared_protocol::config::Config;
use shared_protocol::order::Order;
use shared_protocol::{CartId, EventId, TaxpayerId, TillId};
use store::{OutageRow, Signing, SigningRow, SigningState, TransactionEnd, TransactionRow, TseNo, TseRow};

use crate::process_data::{Kassenbeleg, ProcessType, VoucherModel};
use crate::tse::{Document, Finished, Started, TransactionKey, Tse, TseError, TseInfo};

/// An order that comes this much later than its sale was made by a till that could not reach its TSE.
pub const TILL_LINK_MS: u64 = 5_000;

/// A TSE in an outage is tried this often.
pub const PROBE_EVERY_MS: u64 = 5_000;

/// What becomes of orders that were made in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutagePolicy {
    /// They are marked and stay so.
    #[default]
    MarkOnly,
    /// They are marked, and signed when that is possible again.
    ResignMarked,
}

/// How an event wants its orders to come off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignerSettings {
    /// The event; its first bytes are part of a till's serial number.
    pub event: EventId,
    /// What becomes of orders made in an outage.
    pub policy: OutagePolicy,
    /// How what a guest spends from a wristband is shown.
    pub model: VoucherModel,
}

/// A booked order that has to come off.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its journal number.
    pub no: u64,
    /// The order.
    pub order: Order,
    /// The order that a correction takes the place of.
    pub replaced: Option<Order>,
    /// The configuration it was priced with, or the newest where that is not known.
    pub config: Arc<Config>,
    /// When it was made, by its till's clock as corrected; none where that is not known.
    pub sold_at_ms: Option<u64>,
    /// When the server booked it.
    pub booked_at_ms: u64,
}

impl Job {
    /// Whether the till reached its TSE when the order was made: its transaction had begun, or the order came at once.
    fn is_in_time(&self, begun: Option<&TransactionRow>) -> bool {
        let Some(reached_by) = self.sold_at_ms.map(|sold| sold.saturating_add(TILL_LINK_MS)) else {
            return false;
        };
        let begun_by = begun.is_some_and(|row| row.started_s.saturating_mul(1_000) <= reached_by);
        begun_by || self.booked_at_ms <= reached_by
    }
}

/// What a signer goes on from.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// TSEs that signed here before.
    pub tses: Vec<TseRow>,
    /// Transactions that have not ended.
    pub open: Vec<TransactionRow>,
    /// All outages, or at least those that last and the newest.
    pub outages: Vec<OutageRow>,
}

/// No TSE signs for this taxpayer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no TSE is set up for taxpayer {0}; set one up, its orders wait until then")]
pub struct NoTse(pub TaxpayerId);

struct Link<T> {
    no: TseNo,
    tse: T,
    registered: BTreeSet<String>,
    outage: Option<OutageRow>,
    probe_at_ms: u64,
}

/// Makes orders come off.
pub struct Signer<T> {
    settings: SignerSettings,
    links: BTreeMap<TaxpayerId, Link<T>>,
    /// A cart of two taxpayers has a transaction at the TSE of each.
    open: BTreeMap<(CartId, TseNo), TransactionRow>,
    /// The newest outage of each till that could not reach its TSE.
    tills: BTreeMap<String, OutageRow>,
    next_outage: u64,
    /// All TSEs that ever signed here.
    known: Vec<TseRow>,
    /// Outages that lasted when this signer began.
    lasting: Vec<OutageRow>,
}

/// The serial number of a till, under which it is registered with its TSE and stands on receipts.
pub fn client_of(event: EventId, till: TillId) -> String {
    let [a, b, c, d, ..] = event.0;
    format!("{a:02x}{b:02x}{c:02x}{d:02x}-{:05}", till.0)
}

impl<T: Tse> Link<T> {
    fn registered(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        if !self.registered.contains(client) {
            self.tse.register(client, now_ms)?;
            self.registered.insert(client.to_owned());
        }
        Ok(())
    }

    fn start(&mut self, client: &str, cart: CartId, now_ms: u64) -> Result<TransactionRow, TseError> {
        self.registered(client, now_ms)?;
        let started = self.tse.start(TransactionKey(cart.0), client, now_ms)?;
        Ok(begun(self.no, client.to_owned(), cart, started))
    }

    fn finish(&mut self, row: &mut TransactionRow, what: &(ProcessType, String), now_ms: u64) -> Result<(), TseError> {
        let data = what.1.as_str();
        let document = Document {
            process_type: what.0.as_str(),
            process_data: data,
            receipt: None,
        };
        let key = TransactionKey(row.cart.0);
        let finished = match self.tse.finish(key, &row.client, row.transaction, document, now_ms) {
            // It may have ended already, just before the server went down.
            Err(TseError::UnknownTransaction(number)) => match self.tse.ended(number)? {
                Some((signed, finished)) if signed == data => finished,
                _ => return Err(TseError::UnknownTransaction(number)),
            },
            other => other?,
        };
        row.end = Some(ended(what.0, data.to_owned(), finished));
        Ok(())
    }
}

impl<T: Tse> Signer<T> {
    /// A signer that goes on from what is known. It has no TSE yet.
    pub fn new(settings: SignerSettings, known: Known) -> Self {
        let of_tills = known
            .outages
            .iter()
            .filter_map(|row| Some((row.client.clone()?, row.clone())));
        Self {
            settings,
            links: BTreeMap::new(),
            tills: of_tills.collect(),
            next_outage: known.outages.iter().map(|row| row.id).max().unwrap_or(0) + 1,
            open: known.open.into_iter().map(|row| ((row.cart, row.tse), row)).collect(),
            known: known.tses,
            lasting: known.outages.into_iter().filter(|row| row.until_ms.is_none()).collect(),
        }
    }

    /// A TSE signs for a taxpayer from now on. One that is new here is noted in `out`.
    pub fn add(&mut self, taxpayer: TaxpayerId, info: &TseInfo, tse: T, out: &mut Signing) {
        let same = |row: &&TseRow| row.serial == info.serial && row.taxpayer == taxpayer;
        let no = if let Some(row) = self.known.iter().find(same) {
            row.no
        } else {
            let row = TseRow {
                no: TseNo(self.known.iter().map(|row| row.no.0).max().unwrap_or(0) + 1),
                serial: info.serial,
                name: info.name.clone(),
                public_key: info.public_key.clone(),
                algorithm: info.curve.algorithm().to_owned(),
                certified: info.certified,
                taxpayer,
            };
            self.known.push(row.clone());
            out.tses.push(row.clone());
            row.no
        };
        let link = Link {
            no,
            tse,
            registered: BTreeSet::new(),
            outage: self.lasting.iter().rev().find(|row| row.tse == Some(no)).cloned(),
            probe_at_ms: 0,
        };
        self.links.insert(taxpayer, link);
    }

    /// Whether there is a TSE for a taxpayer.
    pub fn signs_for(&self, taxpayer: TaxpayerId) -> bool {
        self.links.contains_key(&taxpayer)
    }

    /// Whether a TSE is in an outage.
    pub fn has_outage(&self) -> bool {
        self.links.values().any(|link| link.outage.is_some())
    }

    /// Whether orders marked as unsigned may be signed now.
    pub fn may_sign_late(&self) -> bool {
        self.settings.policy == OutagePolicy::ResignMarked && !self.has_outage()
    }

    /// Tries TSEs that are in an outage and due, so that one ends without waiting for the next sale.
    pub fn probe(&mut self, now_ms: u64, out: &mut Signing) {
        let in_outage = self.links.iter().filter(|(_, link)| link.outage.is_some());
        let taxpayers: Vec<TaxpayerId> = in_outage.map(|(taxpayer, _)| *taxpayer).collect();
        for taxpayer in taxpayers {
            let _tried = self.with_link(taxpayer, now_ms, out, |link| link.tse.open().map(drop));
        }
    }

    /// Something was put into an empty cart: its transaction begins, where it has not. A TSE that cannot is tried again when the cart is paid.
    pub fn cart_opened(&mut self, cart: CartId, till: TillId, taxpayer: TaxpayerId, now_ms: u64, out: &mut Signing) {
        let tse = self.links.get(&taxpayer).map(|link| link.no);
        if tse.is_none_or(|tse| self.open.contains_key(&(cart, tse))) {
            return;
        }
        let client = client_of(self.settings.event, till);
        let begun = self.with_link(taxpayer, now_ms, out, |link| link.start(&client, cart, now_ms));
        if let Some(Ok(row)) = begun {
            out.transactions.push(row.clone());
            self.open.insert((cart, row.tse), row);
        }
    }

    /// A cart was given up: its transaction ends as one.
    pub fn cart_aborted(&mut self, cart: CartId, now_ms: u64, out: &mut Signing) {
        let of_cart = self.open.range((cart, TseNo(0))..=(cart, TseNo(u16::MAX)));
        let keys: Vec<(CartId, TseNo)> = of_cart.map(|(key, _)| *key).collect();
        for key in keys {
            self.give_up(key, now_ms, out);
        }
    }

    fn give_up(&mut self, key: (CartId, TseNo), now_ms: u64, out: &mut Signing) {
        let Some(mut row) = self.open.get(&key).cloned() else {
            return;
        };
        let Some(taxpayer) = self
            .links
            .iter()
            .find(|(_, link)| link.no == row.tse)
            .map(|(taxpayer, _)| *taxpayer)
        else {
            return;
        };
        let what = (ProcessType::KassenbelegV1, Kassenbeleg::ABORTED.to_string());
        let done = self.with_link(taxpayer, now_ms, out, |link| link.finish(&mut row, &what, now_ms));
        match done {
            Some(Ok(())) => {
                out.transactions.push(row);
                self.open.remove(&key);
            }
            // It ended before, and its answer was lost; or the TSE does not know it, and there is nothing to end.
            Some(Err(TseError::UnknownTransaction(_))) => self.find_the_end(taxpayer, key, now_ms, out),
            // It stays open until the TSE is back; closing the event ends it at the latest.
            _ => {}
        }
    }

    /// Takes the end of a transaction that the books have open from the TSE, and forgets one that the TSE does not know.
    fn find_the_end(&mut self, taxpayer: TaxpayerId, key: (CartId, TseNo), now_ms: u64, out: &mut Signing) {
        let Some(mut row) = self.open.get(&key).cloned() else {
            return;
        };
        let found = self.with_link(taxpayer, now_ms, out, |link| link.tse.ended(row.transaction));
        if let Some(Ok(found)) = found {
            if let Some((data, finished)) = found {
                row.end = Some(ended(ProcessType::KassenbelegV1, data, finished));
                out.transactions.push(row);
            }
            self.open.remove(&key);
        }
    }

    /// Ends what is still open, as given up: nothing may stay open at a closing. That includes what a TSE began and could tell nobody.
    pub fn close(&mut self, now_ms: u64, out: &mut Signing) {
        let taxpayers: Vec<TaxpayerId> = self.links.keys().copied().collect();
        for taxpayer in taxpayers {
            let known: BTreeSet<(TseNo, u64)> = self.open.values().map(|row| (row.tse, row.transaction)).collect();
            let Some(Ok(rows)) = self.with_link(taxpayer, now_ms, out, |link| Ok((link.no, link.tse.open()?))) else {
                continue;
            };
            let (tse, open) = rows;
            for (client, started) in open
                .into_iter()
                .filter(|(_, started)| !known.contains(&(tse, started.transaction)))
            {
                let cart = orphan(started.transaction);
                let row = begun(tse, client, cart, started);
                self.open.insert((cart, tse), row);
            }
        }
        let keys: Vec<(CartId, TseNo)> = self.open.keys().copied().collect();
        for key in keys {
            self.give_up(key, now_ms, out);
        }
    }

    /// Begins the transaction of an order that has none and is to be signed. What this adds to `out` has to be committed before [`Signer::sign`]: a
    /// signer that goes down in between then finds at the TSE whether the transaction ended, and no order is signed twice.
    pub fn prepare(&mut self, job: &Job, now_ms: u64, out: &mut Signing) {
        if job.is_in_time(None) || self.settings.policy == OutagePolicy::ResignMarked {
            let order = &job.order;
            self.cart_opened(order.cart, order.till, order.taxpayer, now_ms, out);
        }
    }

    fn begun(&self, job: &Job, tse: TseNo) -> Option<&TransactionRow> {
        self.open.get(&(job.order.cart, tse))
    }

    /// Makes an order come off.
    pub fn sign(&mut self, job: &Job, now_ms: u64, out: &mut Signing) -> Result<(), NoTse> {
        let taxpayer = job.order.taxpayer;
        let tse = self.links.get(&taxpayer).ok_or(NoTse(taxpayer))?.no;
        let client = client_of(self.settings.event, job.order.till);
        if !job.is_in_time(self.begun(job, tse)) {
            let outage = self.till_outage(&client, job, out);
            let signed = if self.settings.policy == OutagePolicy::ResignMarked {
                self.transact(job, &client, now_ms, out)
            } else {
                None
            };
            out.orders.push(came_off(job.no, tse, signed, Some(outage)));
            return Ok(());
        }
        let signed = self.transact(job, &client, now_ms, out);
        let outage = match signed {
            Some(_) => None,
            None => Some(self.tse_outage(taxpayer, &client, job, now_ms, out)),
        };
        out.orders.push(came_off(job.no, tse, signed, outage));
        Ok(())
    }

    /// Signs an order that was marked as unsigned. Gives whether it is signed now.
    pub fn sign_late(&mut self, marked: &SigningRow, job: &Job, now_ms: u64, out: &mut Signing) -> bool {
        if marked.state != SigningState::InOutage || !self.may_sign_late() {
            return false;
        }
        let client = client_of(self.settings.event, job.order.till);
        let signed = self.transact(job, &client, now_ms, out);
        if signed.is_some() {
            out.orders.push(came_off(job.no, marked.tse, signed, marked.outage));
        }
        signed.is_some()
    }

    /// Start, where there was none, and finish. Gives the transaction.
    fn transact(&mut self, job: &Job, client: &str, now_ms: u64, out: &mut Signing) -> Option<u64> {
        let what = self.told(job);
        let (cart, taxpayer) = (job.order.cart, job.order.taxpayer);
        let tse = self.links.get(&taxpayer)?.no;
        let begun = self.begun(job, tse).cloned();
        let mut row = begun.clone();
        let done = self.with_link(taxpayer, now_ms, out, |link| {
            if let Some(row) = &mut row {
                match link.finish(row, &what, now_ms) {
                    // The TSE lost it: the sale gets a transaction of its own.
                    Err(TseError::UnknownTransaction(_)) => {}
                    done => return done,
                }
            }
            let mut fresh = link.start(client, cart, now_ms)?;
            let done = link.finish(&mut fresh, &what, now_ms);
            row = Some(fresh);
            done
        });
        let row = row?;
        if begun.is_none() || row.end.is_some() {
            out.transactions.push(row.clone());
        }
        if done?.is_ok() {
            self.open.remove(&(cart, tse));
            Some(row.transaction)
        } else {
            self.open.insert((cart, tse), row);
            None
        }
    }

    /// What the TSE is told. An order whose sums nobody can give is protected as readable text, never left out.
    fn told(&self, job: &Job) -> (ProcessType, String) {
        match Kassenbeleg::of_order(&job.order, job.replaced.as_ref(), &job.config, self.settings.model) {
            Ok(receipt) => (ProcessType::KassenbelegV1, receipt.to_string()),
            Err(error) => (
                ProcessType::SonstigerVorgang,
                format!("order {}: {error}", job.order.id),
            ),
        }
    }

    /// Calls a TSE unless it is in an outage and not yet due to be tried. Notes the begin and end of an outage.
    fn with_link<R>(
        &mut self,
        taxpayer: TaxpayerId,
        now_ms: u64,
        out: &mut Signing,
        call: impl FnOnce(&mut Link<T>) -> Result<R, TseError>,
    ) -> Option<Result<R, TseError>> {
        let link = self.links.get_mut(&taxpayer)?;
        if link.outage.is_some() && now_ms < link.probe_at_ms {
            return None;
        }
        let done = call(link);
        match &done {
            Err(error) if error.is_outage() => {
                link.probe_at_ms = now_ms.saturating_add(PROBE_EVERY_MS);
                if link.outage.is_none() {
                    let row = OutageRow {
                        id: self.next_outage,
                        tse: Some(link.no),
                        client: None,
                        from_ms: now_ms,
                        until_ms: None,
                        reason: error.to_string(),
                    };
                    self.next_outage += 1;
                    out.outages.push(row.clone());
                    link.outage = Some(row);
                }
            }
            _ => {
                if let Some(row) = link.outage.take() {
                    out.outages.push(OutageRow {
                        until_ms: Some(now_ms),
                        ..row
                    });
                }
            }
        }
        Some(done)
    }

    /// The outage of a till that could not reach its TSE when the order was made: the one before goes on where they meet.
    fn till_outage(&mut self, client: &str, job: &Job, out: &mut Signing) -> u64 {
        let from_ms = job.sold_at_ms.unwrap_or(job.booked_at_ms).min(job.booked_at_ms);
        self.outage_of(
            client,
            from_ms,
            job.booked_at_ms,
            "the till could not reach the TSE",
            out,
        )
    }

    /// The outage that kept a TSE from signing; where it refused without being out of order, that is an outage of the till.
    fn tse_outage(&mut self, taxpayer: TaxpayerId, client: &str, job: &Job, now_ms: u64, out: &mut Signing) -> u64 {
        let lasting = self.links.get(&taxpayer).and_then(|link| link.outage.as_ref());
        match lasting {
            Some(row) => row.id,
            None => self.outage_of(
                client,
                job.booked_at_ms.min(now_ms),
                now_ms,
                "the TSE refused the till's transaction",
                out,
            ),
        }
    }

    fn outage_of(&mut self, client: &str, from_ms: u64, until_ms: u64, reason: &str, out: &mut Signing) -> u64 {
        let before = self.tills.get(client).filter(|row| {
            row.reason == reason && row.until_ms.is_some_and(|until| from_ms <= until) && row.from_ms <= until_ms
        });
        let row = if let Some(row) = before {
            OutageRow {
                from_ms: row.from_ms.min(from_ms),
                until_ms: row.until_ms.max(Some(until_ms)),
                ..row.clone()
            }
        } else {
            self.next_outage += 1;
            OutageRow {
                id: self.next_outage - 1,
                tse: None,
                client: Some(client.to_owned()),
                from_ms,
                until_ms: Some(until_ms),
                reason: reason.to_owned(),
            }
        };
        if before != Some(&row) {
            out.outages.push(row.clone());
        }
        let id = row.id;
        self.tills.insert(client.to_owned(), row);
        id
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

fn ended(kind: ProcessType, data: String, finished: Finished) -> TransactionEnd {
    TransactionEnd {
        time_s: finished.time_s,
        counter: finished.counter,
        process_type: kind.as_str().to_owned(),
        process_data: data,
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

fn came_off(no: u64, tse: TseNo, transaction: Option<u64>, outage: Option<u64>) -> SigningRow {
    let state = match (transaction, outage) {
        (Some(_), None) => SigningState::Signed,
        (Some(_), Some(_)) => SigningState::SignedLate,
        (None, _) => SigningState::InOutage,
    };
    SigningRow {
        no,
        state,
        tse,
        transaction,
        outage,
    }
}

#[cfg(test)]
mod tests;
