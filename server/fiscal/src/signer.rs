//! How orders come off: signed, signed late, or marked as made in an outage. Never nothing.
//!
//! ```text
//! cart opened ──▶ start (where transactions begin with the first item) ──▶ open ──▶ order: finish ──▶ signed
//!                              └───▶ cart given up: finish as AVBelegabbruch
//! order without a start ──▶ start and finish at once ──▶ signed
//! order that comes more than 5 s after its sale ──▶ the till could not reach its TSE: an outage of the till
//! TSE that does not answer ──▶ an outage of the TSE; after 5 s its tills go to another one of the same taxpayer, where there is one
//! order in an outage ──▶ marked, and by policy left so or signed late
//! books that were put back from a copy ──▶ what the TSE's log has beyond them is taken in, and orders that come again find their transactions there
//! TSE that answers again ──▶ what it has open is compared with the books before anything else is asked
//! ```
//! A receipt that was marked stays marked: signing late adds a transaction and changes nothing (§ 146a AO, AEAO no. 2.7).
//!
//! A signer keeps no clock, makes no call and writes nothing. It is told what happens; each [turn](Signer::turn) gives rows to commit and calls that may
//! be made once they are. Every TSE has its own queue: a slow or silent one keeps nobody waiting but its own tills. One order has one finished
//! transaction however often a TSE, its line or the server goes down: before a finish is asked for, its start is in the books, and a finish whose
//! answer is lost is looked up and never repeated blindly.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use shared_protocol::config::Config;
use shared_protocol::order::Order;
use shared_protocol::{CartId, EventId, TaxpayerId, TillId};
use store::{
    ClientRow, OutageRow, Reader, RetiredRow, Signing, SigningRow, SigningState, StoreError, TransactionRow, TseNo,
    TseRow, WishRow,
};

use crate::process_data::VoucherModel;
use crate::tax::{Begins, Choices};
use crate::tse::TseInfo;

mod answer;
mod assign;
pub mod board;
pub mod call;
mod claims;
pub mod office;
mod outage;
mod turn;
mod unit;

pub use board::{Cause, UnitState};
pub use call::{Ask, Call, Reply, Told};
use claims::Claims;
pub use office::Refused;
use unit::{Doubt, Late, Sale, Unit, Work};

/// An order that comes this much later than its sale was made by a till that could not reach its TSE.
pub const TILL_LINK_MS: u64 = 5_000;

/// A TSE in an outage is tried again after this time, then after twice as long, up to [`PROBE_MAX_MS`].
pub const PROBE_EVERY_MS: u64 = 2_500;

/// The longest time between two tries.
pub const PROBE_MAX_MS: u64 = 20_000;

/// A call that has taken this long is one that nobody answers.
pub const CALL_MAX_MS: u64 = 10_000;

/// An outage that has lasted this long moves the tills of a TSE to another one.
pub const FAILOVER_AFTER_MS: u64 = 5_000;

/// Carts that are over and remembered: a message about their first item may come after their order.
const OVER_MAX: usize = 8_192;

/// Transactions without an order that are read at the beginning: those of some days.
const UNCLAIMED_MAX: u64 = 1 << 20;

/// What becomes of orders that were made in an outage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutagePolicy {
    /// They are marked and stay so.
    #[default]
    MarkOnly,
    /// They are marked, and signed when that is possible again.
    ResignMarked,
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

    fn told(&self, model: VoucherModel) -> Told {
        Told::of_order(&self.order, self.replaced.as_ref(), &self.config, model)
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
    /// Which till is with which TSE now.
    pub clients: Vec<ClientRow>,
    /// Where admins want tills to be.
    pub wishes: Vec<WishRow>,
    /// TSEs that go out of service, or are out of it.
    pub retired: Vec<RetiredRow>,
    /// Orders marked as unsigned that one of these transactions may have signed.
    pub doubts: Vec<SigningRow>,
    /// The last transaction of each TSE.
    pub last: BTreeMap<TseNo, u64>,
    /// Transactions that ended and that no order has.
    pub unclaimed: Vec<TransactionRow>,
    /// The last journal number up to which everything came off.
    pub done_to: u64,
}

impl Known {
    /// What the books have.
    pub fn read(reader: &mut impl Reader) -> Result<Self, StoreError> {
        let tses = reader.tses()?;
        let mut last = BTreeMap::new();
        for row in &tses {
            let (transaction, ..) = reader.tse_counters(row.no)?;
            last.insert(row.no, transaction);
        }
        Ok(Self {
            open: reader.open_transactions()?,
            outages: reader.outages(0, u64::MAX)?,
            clients: reader.clients()?,
            wishes: reader.wishes()?,
            retired: reader.retired()?,
            doubts: reader.doubts()?,
            unclaimed: reader.unclosed_given_up(UNCLAIMED_MAX)?,
            done_to: reader.signed_to()?,
            last,
            tses,
        })
    }
}

/// No TSE signs for this taxpayer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no TSE is set up for taxpayer {0}; set one up, its orders wait until then")]
pub struct NoTse(pub TaxpayerId);

/// Makes orders come off.
#[derive(Debug)]
pub struct Signer {
    event: EventId,
    choices: Choices,
    units: BTreeMap<TseNo, Unit>,
    /// Which till is with which TSE; a till that sells for two taxpayers is with one of each.
    homes: BTreeMap<(TaxpayerId, String), ClientRow>,
    /// Where admins want tills to be.
    wishes: BTreeMap<(TaxpayerId, String), WishRow>,
    /// TSEs that go out of service, or are out of it.
    retired: BTreeMap<TseNo, RetiredRow>,
    /// What has begun and not ended. A cart of two taxpayers has a transaction at a TSE of each.
    open: BTreeMap<(CartId, TseNo), TransactionRow>,
    /// Finishes whose answer was lost, by the transaction.
    doubtful: BTreeMap<(CartId, TseNo), Doubt>,
    /// Transactions that ended and that no order has yet.
    claims: Claims,
    /// The last transaction of each TSE that was in the books at the beginning.
    last: BTreeMap<TseNo, u64>,
    /// The newest outage of each till that could not reach its TSE.
    tills: BTreeMap<String, OutageRow>,
    next_outage: u64,
    next_call: u64,
    /// All TSEs that ever signed here.
    known: Vec<TseRow>,
    /// Outages that lasted when this signer began.
    lasting: Vec<OutageRow>,
    over: BTreeSet<CartId>,
    over_in_order: VecDeque<CartId>,
    /// Journal numbers that have not come off.
    pending: BTreeSet<u64>,
    /// Those of them that have no TSE.
    parked: BTreeSet<u64>,
    /// Journal numbers that are being signed late.
    late: BTreeSet<u64>,
    read_to: u64,
    done_to: u64,
    balanced_at_ms: u64,
    /// When it took its first turn.
    began_ms: Option<u64>,
    out: Signing,
    calls: Vec<Call>,
}

/// The serial number of a till, under which it is registered with its TSE and stands on receipts.
pub fn client_of(event: EventId, till: TillId) -> String {
    format!("{}{:05}", clients_of(event), till.0)
}

/// What the serial numbers of an event's tills begin with.
fn clients_of(event: EventId) -> String {
    let [a, b, c, d, ..] = event.0;
    format!("{a:02x}{b:02x}{c:02x}{d:02x}-")
}

impl Signer {
    /// A signer that goes on from what is known. It has no TSE yet.
    pub fn new(event: EventId, choices: Choices, known: Known) -> Self {
        let of_tills = known
            .outages
            .iter()
            .filter_map(|row| Some((row.client.clone()?, row.clone())));
        let mut doubtful = BTreeMap::new();
        for row in &known.doubts {
            let begun = |of: &&TransactionRow| of.tse == row.tse && Some(of.transaction) == row.doubt;
            if let Some(open) = known.open.iter().find(begun) {
                let (no, outage) = (row.no, row.outage);
                doubtful.insert((open.cart, open.tse), Doubt { no, outage });
            }
        }
        let mut claims = Claims::default();
        for row in known.unclaimed {
            if let Some(tse) = known.tses.iter().find(|tse| tse.no == row.tse) {
                claims.add(tse.taxpayer, &row);
            }
        }
        let homes = known.clients.into_iter().filter(|row| row.until_ms.is_none());
        Self {
            event,
            choices,
            units: BTreeMap::new(),
            homes: homes.map(|row| ((row.taxpayer, row.client.clone()), row)).collect(),
            wishes: known
                .wishes
                .into_iter()
                .map(|row| ((row.taxpayer, row.client.clone()), row))
                .collect(),
            retired: known.retired.into_iter().map(|row| (row.tse, row)).collect(),
            tills: of_tills.collect(),
            next_outage: known.outages.iter().map(|row| row.id).max().unwrap_or(0) + 1,
            next_call: 1,
            open: known.open.into_iter().map(|row| ((row.cart, row.tse), row)).collect(),
            doubtful,
            claims,
            last: known.last,
            known: known.tses,
            lasting: known.outages.into_iter().filter(|row| row.until_ms.is_none()).collect(),
            over: BTreeSet::new(),
            over_in_order: VecDeque::new(),
            pending: BTreeSet::new(),
            parked: BTreeSet::new(),
            late: BTreeSet::new(),
            read_to: known.done_to,
            done_to: known.done_to,
            balanced_at_ms: 0,
            began_ms: None,
            out: Signing::default(),
            calls: Vec::new(),
        }
    }

    /// How orders come off from now on. What has begun goes on as it was begun.
    pub fn choose(&mut self, choices: Choices) {
        self.choices = choices;
    }

    /// A TSE signs for a taxpayer from now on; it is asked to get ready first. One that is new here is noted. `link` names where it is found.
    pub fn add(&mut self, taxpayer: TaxpayerId, link: &str, info: &TseInfo) -> TseNo {
        let row = info.row(TseNo(0), taxpayer, link);
        let same = |known: &&TseRow| known.serial == row.serial && known.taxpayer == taxpayer;
        let (no, before) = match self.known.iter().find(same) {
            Some(known) => (known.no, Some(known.clone())),
            None => (
                TseNo(self.known.iter().map(|row| row.no.0).max().unwrap_or(0) + 1),
                None,
            ),
        };
        let row = TseRow { no, ..row };
        if before.as_ref() != Some(&row) {
            self.known.retain(|known| known.no != no);
            self.known.push(row.clone());
            self.out.tses.push(row.clone());
        }
        self.enters(&row);
        no
    }

    /// A TSE that signed here before is still there, though it has not answered yet.
    pub fn add_known(&mut self, no: TseNo) {
        if let Some(row) = self.known.iter().find(|row| row.no == no).cloned() {
            self.enters(&row);
        }
    }

    fn enters(&mut self, row: &TseRow) {
        let outage = self.lasting.iter().rev().find(|outage| outage.tse == Some(row.no));
        let last = self.last.get(&row.no).copied().unwrap_or(0);
        let mut unit = Unit::new(row, last, outage.cloned());
        unit.retired = self.retired.get(&row.no).cloned();
        // What is out of service does not come back by itself.
        unit.broken = unit.is_out_of_service();
        self.units.entry(row.no).or_insert(unit);
    }

    /// TSEs that signed here before.
    pub fn known(&self) -> &[TseRow] {
        &self.known
    }

    /// Whether there is a TSE for a taxpayer.
    pub fn signs_for(&self, taxpayer: TaxpayerId) -> bool {
        self.units.values().any(|unit| unit.taxpayer == taxpayer)
    }

    /// Whether a TSE is in an outage.
    pub fn has_outage(&self) -> bool {
        self.units.values().any(|unit| unit.outage.is_some())
    }

    /// Whether orders marked as unsigned may be signed now, and there is room for more of them.
    pub fn may_sign_late(&self) -> bool {
        let signs = self.choices.outage_policy.values();
        (self.claims.are_new || signs.into_iter().any(|policy| policy == OutagePolicy::ResignMarked))
            && self.late.len() < unit::DEPTH
            && self
                .units
                .values()
                .any(|unit| unit.ready && unit.sales.len() < unit::DEPTH)
    }

    /// Whether nothing is left to be done, but for TSEs that are out of order.
    pub fn is_idle(&self) -> bool {
        self.out.is_empty() && self.calls.is_empty() && self.units.values().all(|unit| unit.is_idle() || !unit.ready)
    }

    /// Orders that have not come off.
    pub fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// The journal number up to which all orders came off.
    pub const fn done_to(&self) -> u64 {
        self.done_to
    }

    /// Whether an order that was booked then is signed late, when it was made in an outage.
    pub fn signs_late(&self, booked_at_ms: u64) -> bool {
        self.choices.outage_policy.at(booked_at_ms) == OutagePolicy::ResignMarked
    }

    /// Something was put into an empty cart: its transaction begins, where it has not and where that is when it begins. A TSE that cannot is asked again
    /// when the cart is paid.
    pub fn cart_opened(&mut self, cart: CartId, till: TillId, taxpayer: TaxpayerId, now_ms: u64) {
        if self.choices.begins.at(now_ms) == Begins::Payment {
            return;
        }
        let client = client_of(self.event, till);
        let Some(tse) = self.home_of_cart(taxpayer, &client, cart, now_ms) else {
            return;
        };
        if self.over.contains(&cart) || self.open.contains_key(&(cart, tse)) {
            return;
        }
        let may_begin = |unit: &&mut Unit| unit.ready && unit.retired.is_none();
        if let Some(unit) = self.units.get_mut(&tse).filter(may_begin) {
            unit.begins(cart, client);
        }
    }

    /// A cart was given up: its transaction ends as one.
    pub fn cart_aborted(&mut self, cart: CartId) {
        self.is_over(cart);
        self.forsake(cart, None);
    }

    /// A booked order has to come off. Where there is no TSE for its taxpayer it waits; tell of it again.
    pub fn order(&mut self, job: &Job, now_ms: u64) -> Result<(), NoTse> {
        self.read_to = self.read_to.max(job.no);
        let is_new = self.pending.insert(job.no);
        if !is_new && !self.parked.remove(&job.no) {
            return Ok(());
        }
        let (order, taxpayer) = (&job.order, job.order.taxpayer);
        let client = client_of(self.event, order.till);
        let Some(tse) = self.home_of_cart(taxpayer, &client, order.cart, now_ms) else {
            self.parked.insert(job.no);
            return Err(NoTse(taxpayer));
        };
        self.is_over(order.cart);
        let reached = job.is_in_time(self.open.get(&(order.cart, tse)));
        // Whatever is not of this moment may have been signed before, by a server whose books were put back from a copy since.
        let is_fresh = job.is_in_time(None) && now_ms <= job.booked_at_ms.saturating_add(TILL_LINK_MS);
        let sale = Sale {
            comes_late: (!is_fresh).then_some(Late { reached, looked: false }),
            ..self.sale(job, client)
        };
        if sale.comes_late.is_none() || !self.is_matched(taxpayer, now_ms) {
            self.enqueue(tse, sale);
        } else {
            self.came_late(tse, sale);
        }
        Ok(())
    }

    fn sale(&self, job: &Job, client: String) -> Sale {
        Sale {
            no: job.no,
            cart: job.order.cart,
            taxpayer: job.order.taxpayer,
            client,
            told: job.told(self.choices.wristband_is),
            outage: None,
            comes_late: None,
            marked: false,
            looks: false,
            attempt: 0,
            sold_at_ms: job.sold_at_ms.unwrap_or(job.booked_at_ms).min(job.booked_at_ms),
            booked_at_ms: job.booked_at_ms,
        }
    }

    /// An order that came late. It was signed before the books were put back from a copy, by the transaction that they have open for it or by one that
    /// they did not know of; or it had begun in time; or its till could not reach a TSE.
    fn came_late(&mut self, tse: TseNo, sale: Sale) {
        let Some(late) = sale.comes_late else {
            self.enqueue(tse, sale);
            return;
        };
        let may_be_claimed = self.claims.has(&sale, true);
        let begun = self.begun_at(sale.cart, sale.taxpayer).filter(|_| !late.looked);
        // At a TSE that the till has left since, it may have ended with this order before the books were put back.
        if let Some(at) = begun.filter(|at| may_be_claimed || *at != tse) {
            let comes_late = Some(Late { looked: true, ..late });
            let looks = true;
            self.enqueue(
                at,
                Sale {
                    comes_late,
                    looks,
                    ..sale
                },
            );
            return;
        }
        let sale = Sale {
            comes_late: None,
            ..sale
        };
        if self.claims(&sale, true) {
            self.forsake(sale.cart, None);
            return;
        }
        if late.reached {
            self.enqueue(tse, sale);
            return;
        }
        let outage = self.outage_of_till(&sale);
        if self.signs_late(sale.booked_at_ms) {
            let outage = Some(outage);
            self.enqueue(tse, Sale { outage, ..sale });
        } else {
            self.marked(&sale, tse, outage);
            self.forsake(sale.cart, Some(tse));
        }
    }

    /// Where a transaction of a cart is open, if it can be asked about there.
    fn begun_at(&self, cart: CartId, taxpayer: TaxpayerId) -> Option<TseNo> {
        let mut begun = self.open.keys().filter(|(of, _)| *of == cart).map(|(_, tse)| *tse);
        begun.find(|tse| {
            let unit = self.units.get(tse);
            unit.is_some_and(|unit| unit.taxpayer == taxpayer && unit.ready)
        })
    }

    /// A journal row that is no order for a TSE.
    pub fn nothing(&mut self, no: u64) {
        self.read_to = self.read_to.max(no);
    }

    /// An order that was marked as unsigned is signed, if that is possible now.
    pub fn late(&mut self, marked: &SigningRow, job: &Job, now_ms: u64) {
        // One that was found signed in this very turn is so in the books only afterwards.
        let settled = self.out.orders.iter().any(|row| row.no == job.no);
        let in_doubt = self.doubtful.keys().any(|(cart, _)| *cart == job.order.cart);
        if marked.state != SigningState::InOutage || self.late.contains(&job.no) || settled || in_doubt {
            return;
        }
        let taxpayer = job.order.taxpayer;
        let client = client_of(self.event, job.order.till);
        let signs = self.signs_late(job.booked_at_ms);
        let sale = Sale {
            outage: marked.outage,
            marked: true,
            ..self.sale(job, client.clone())
        };
        // One that may not be signed late was signed when it was made, or never.
        let begun = self
            .open
            .keys()
            .find(|(cart, _)| *cart == sale.cart)
            .map(|(_, tse)| *tse);
        if begun.is_none() && self.claims(&sale, signs) || !signs || !self.may_sign_late() {
            return;
        }
        let Some(tse) = self.home(taxpayer, &client, now_ms) else {
            return;
        };
        // Its transaction may have ended where it was begun, and is looked for there.
        let tse = begun
            .filter(|tse| {
                let unit = self.units.get(tse);
                unit.is_some_and(|unit| unit.taxpayer == taxpayer && !unit.is_out_of_service())
            })
            .unwrap_or(tse);
        if self.units.get(&tse).is_none_or(|unit| !unit.ready) {
            return;
        }
        self.late.insert(job.no);
        self.enqueue(tse, sale);
    }

    /// All orders marked as unsigned were told of.
    pub const fn told_of_all_marked(&mut self) {
        self.claims.are_new = false;
    }

    /// Everything that is open ends as given up, once it is known: nothing may stay open at a closing. That includes what a TSE began and could tell
    /// nobody.
    pub fn close(&mut self) {
        for unit in self.units.values_mut().filter(|unit| !unit.is_out_of_service()) {
            unit.closing = true;
            unit.chores.push_back(Work::Survey);
        }
    }

    fn enqueue(&mut self, tse: TseNo, sale: Sale) {
        if let Some(unit) = self.units.get_mut(&tse) {
            unit.beginning.remove(&sale.cart);
            unit.sales.push_back(Box::new(sale));
        }
    }

    /// No transaction begins for a cart any more.
    fn is_over(&mut self, cart: CartId) {
        if self.over.insert(cart) {
            self.over_in_order.push_back(cart);
        }
        if self.over_in_order.len() > OVER_MAX
            && let Some(oldest) = self.over_in_order.pop_front()
        {
            self.over.remove(&oldest);
        }
    }

    /// What is open for a cart ends as given up; at one TSE, or wherever it is.
    fn forsake(&mut self, cart: CartId, at: Option<TseNo>) {
        for (no, unit) in &mut self.units {
            if at.is_none_or(|at| at == *no) {
                unit.beginning.remove(&cart);
                if self.open.contains_key(&(cart, *no)) {
                    unit.chores.push_back(Work::GiveUp { cart });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
