//! What has to be in the books after a weekend. Judged from their rows, from what tills wrote down, and from what the TSEs remember.

use std::collections::{BTreeMap, BTreeSet};

use fiscal::jobs::recorded_order;
use fiscal::signer::client_of;
use fiscal::{Jobs, Kassenbeleg, OutagePolicy, VoucherModel};
use fixtures::sample::EVENT;
use shared_protocol::{OrderId, TaxpayerId};
use store::{
    ClientRow, ClosedItem, ClosingRow, OutageRow, Reader, SigningRow, SigningState, StoreError, TransactionRow, TseNo,
};

use crate::crew::Written;
use crate::device::Device;
use crate::plan::{DAYS, MINUTE_MS, Options, day_of};

/// Rows that are read at once.
const PAGE: u64 = 1_024;
/// A TSE takes so long at most until it is known that an order does not come off at it.
const SETTLED_MS: u64 = 2 * MINUTE_MS;
/// Findings that are told.
const TOLD_MAX: usize = 20;

/// What the books say, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Books {
    /// Carts that were given up.
    pub given_up: u64,
    /// Closings.
    pub closings: u64,
    /// Those that were made for a day that was closed before.
    pub supplements: u64,
    /// Receipts in all closings.
    pub receipts: u64,
    /// Outages of TSEs.
    pub tse_outages: u64,
    /// Outages of tills.
    pub till_outages: u64,
    /// How often a till changed its TSE.
    pub moves: u64,
    /// Orders by kind.
    pub kinds: BTreeMap<u8, u64>,
    /// Orders by day.
    pub days: BTreeMap<u32, u64>,
    /// Orders of each taxpayer.
    pub taxpayers: BTreeMap<u16, u64>,
}

/// A booked order with what the judge needs to know of it.
struct Order {
    id: OrderId,
    client: String,
    taxpayer: TaxpayerId,
    day: Option<u32>,
    /// When it was made and when it was booked.
    at: (u64, u64),
    /// What its TSE had to be told.
    data: Option<String>,
}

struct Judge<'a> {
    options: &'a Options,
    devices: &'a [(TseNo, Device)],
    now_ms: u64,
    orders: BTreeMap<u64, Order>,
    transactions: BTreeMap<(TseNo, u64), TransactionRow>,
    outages: BTreeMap<u64, OutageRow>,
    books: Books,
    found: Vec<String>,
}

/// Judges the books. Gives what they say, and what must not be.
pub fn judge(
    reader: &mut dyn Reader,
    options: &Options,
    written: &BTreeMap<OrderId, Written>,
    devices: &[(TseNo, Device)],
    now_ms: u64,
) -> (Books, Vec<String>) {
    let mut judge = Judge {
        options,
        devices,
        now_ms,
        orders: BTreeMap::new(),
        transactions: BTreeMap::new(),
        outages: BTreeMap::new(),
        books: Books::default(),
        found: Vec::new(),
    };
    if let Err(error) = judge.all(reader, written) {
        judge.finds(format!("the books cannot be read: {error}"));
    }
    (judge.books, judge.found)
}

impl Judge<'_> {
    fn finds(&mut self, what: String) {
        if self.found.len() < TOLD_MAX {
            self.found.push(what);
        }
    }

    fn all(&mut self, reader: &mut dyn Reader, written: &BTreeMap<OrderId, Written>) -> Result<(), StoreError> {
        self.journal(reader, written)?;
        for (no, device) in self.devices {
            let mut next = 1;
            loop {
                let rows = reader.transactions(*no, next, PAGE)?;
                let Some(last) = rows.last() else { break };
                next = last.transaction + 1;
                let rows = rows.into_iter().map(|row| ((row.tse, row.transaction), row));
                self.transactions.extend(rows);
            }
            self.counters(*no, device);
        }
        let outages = reader.outages(0, u64::MAX)?;
        self.outages = outages.into_iter().map(|row| (row.id, row)).collect();
        self.came_off(reader)?;
        self.closed(reader)?;
        self.out_of_order();
        self.at_home(reader)
    }

    /// Every order of a till is booked once, on its day.
    fn journal(&mut self, reader: &mut dyn Reader, written: &BTreeMap<OrderId, Written>) -> Result<(), StoreError> {
        let mut jobs = Jobs::new(reader, EVENT)?;
        let (mut next, mut missing) = (1, written.clone());
        loop {
            let rows = reader.journal(next, PAGE)?;
            let Some(last) = rows.last() else { break };
            next = last.record.no + 1;
            for row in &rows {
                let Some((_, order)) = recorded_order(row) else {
                    continue;
                };
                let Some(seen) = missing.remove(&order.id) else {
                    self.finds(format!(
                        "order {} is booked and nobody made it, or made it twice",
                        order.id
                    ));
                    continue;
                };
                let day = row.entry.as_ref().and_then(|entry| entry.day);
                if day != Some(day_of(seen.at_ms)) {
                    let right = day_of(seen.at_ms);
                    self.finds(format!("order {} of {right} is booked on {day:?}", order.id));
                }
                let data = jobs.of(reader, row)?.and_then(|job| {
                    let replaced = job.replaced.as_ref();
                    let told = Kassenbeleg::of_order(&job.order, replaced, &job.config, VoucherModel::VoucherLines);
                    told.ok().map(|told| told.to_string())
                });
                *self.books.kinds.entry(order.kind.code()).or_default() += 1;
                *self.books.days.entry(day_of(seen.at_ms)).or_default() += 1;
                *self.books.taxpayers.entry(order.taxpayer.0).or_default() += 1;
                let booked = Order {
                    id: order.id,
                    client: client_of(EVENT, seen.till),
                    taxpayer: order.taxpayer,
                    day: Some(day_of(seen.at_ms)),
                    at: (seen.at_ms, row.record.booked_at_ms),
                    data,
                };
                self.orders.insert(row.record.no, booked);
            }
        }
        if let Some((id, seen)) = missing.first_key_value() {
            let what = format!("{} orders are not booked, such as {id}: {seen:?}", missing.len());
            self.finds(what);
        }
        Ok(())
    }

    /// I8: what the books have of a TSE is what it signed, from the first signature without a gap. A dead one may have made one more than anybody heard of.
    fn counters(&mut self, no: TseNo, device: &Device) {
        let rows = self.transactions.values().filter(|row| row.tse == no);
        let counters: BTreeSet<u64> = rows
            .flat_map(|row| [Some(row.start_counter), row.end.as_ref().map(|end| end.counter)])
            .flatten()
            .collect();
        let unheard = u64::from(device.is_over(self.now_ms));
        let (count, last) = (counters.len() as u64, counters.last().copied().unwrap_or(0));
        if count != last || !(last..=last + unheard).contains(&device.signatures()) {
            let made = device.signatures();
            let missing = (1..=last).find(|counter| !counters.contains(counter));
            self.finds(format!(
                "TSE {} made {made} signatures; the books have {count} up to {last}, the first missing is {missing:?}",
                no.0
            ));
        }
    }

    /// I8: every order is signed by a transaction of its own that says what it was, or was made in a logged outage.
    fn came_off(&mut self, reader: &mut dyn Reader) -> Result<(), StoreError> {
        let last = self.orders.last_key_value().map_or(0, |(no, _)| *no);
        let signings = reader.signings_between(1, last)?;
        let signings: BTreeMap<u64, SigningRow> = signings.into_iter().map(|row| (row.no, row)).collect();
        let mut used = BTreeSet::new();
        let mut found = Vec::new();
        for (no, order) in &self.orders {
            let id = order.id;
            let Some(row) = signings.get(no) else {
                found.push(format!("order {id} is neither signed nor in an outage"));
                continue;
            };
            if let Some(number) = row.transaction {
                let transaction = self.transactions.get(&(row.tse, number));
                let end = transaction.and_then(|row| row.end.as_ref());
                if !used.insert((row.tse, number)) {
                    found.push(format!("transaction {number} of TSE {} signed two orders", row.tse.0));
                }
                if end.map(|end| &end.process_data) != order.data.as_ref() {
                    found.push(format!("order {id} was signed as {end:?}, it is {:?}", order.data));
                }
                if transaction.is_some_and(|row| row.client != order.client) {
                    found.push(format!("order {id} of {} was signed for another till", order.client));
                }
            }
            if row.state == SigningState::Signed {
                continue;
            }
            let outage = row.outage.and_then(|id| self.outages.get(&id));
            let meets = outage.is_some_and(|outage| {
                outage.from_ms <= order.at.1 + SETTLED_MS && outage.until_ms.is_none_or(|until| until >= order.at.0)
            });
            let of_order = outage.is_some_and(|outage| {
                outage.client.as_ref().is_none_or(|client| *client == order.client)
                    && outage.tse.is_none_or(|tse| tse == row.tse)
                    && !outage.reason.is_empty()
            });
            if !meets || (row.state == SigningState::InOutage && !of_order) {
                found.push(format!("order {id} of {:?} is not in its outage, {outage:?}", order.at));
            }
            let is_dead = |no| {
                self.devices
                    .iter()
                    .any(|(of, device)| *of == no && device.is_over(self.now_ms))
            };
            let waits = row.state == SigningState::InOutage && self.options.policy == OutagePolicy::ResignMarked;
            if waits && !(row.doubt.is_some() && is_dead(row.tse)) {
                found.push(format!("order {id} was never signed late: {row:?}"));
            }
        }
        for what in found {
            self.finds(what);
        }
        if signings.len() > self.orders.len() {
            self.finds("something that is no order came off".to_owned());
        }
        let of_orders = |key: &(TseNo, u64)| used.contains(key);
        let ended = self
            .transactions
            .iter()
            .filter(|(key, row)| row.end.is_some() && !of_orders(key));
        self.books.given_up = ended.count() as u64;
        Ok(())
    }

    /// I12: closings and receipts of each till and taxpayer are numbered without a gap, everything is in one closing, that of its day.
    fn closed(&mut self, reader: &mut dyn Reader) -> Result<(), StoreError> {
        let mut ends = BTreeMap::<(String, TaxpayerId), (u64, u64, u32)>::new();
        let (mut orders, mut given_up) = (BTreeSet::new(), BTreeSet::new());
        let mut next = 1;
        loop {
            let rows = reader.closings(next, PAGE)?;
            let Some(last) = rows.last() else { break };
            next = last.id + 1;
            for row in rows {
                let key = (row.client.clone(), row.taxpayer);
                let (z_no, receipt, day) = ends.get(&key).copied().unwrap_or((1, 1, 0));
                if (row.z_no, row.first_receipt) != (z_no, receipt) {
                    self.finds(format!(
                        "closing {row:?} should be number {z_no} and begin with {receipt}"
                    ));
                }
                if row.supplement != (row.day <= day) || row.made_at_ms < day_ends(row.day) {
                    self.finds(format!("closing {row:?} is too early, or is no supplement"));
                }
                ends.insert(key, (row.z_no + 1, row.first_receipt + row.receipts, day.max(row.day)));
                self.books.closings += 1;
                self.books.supplements += u64::from(row.supplement);
                self.books.receipts += row.receipts;
                let items = reader.closed_items(row.id, 0, u64::MAX)?;
                let in_order = items
                    .iter()
                    .zip(row.first_receipt..)
                    .all(|((number, _), at)| *number == at);
                if !in_order || items.len() as u64 != row.receipts {
                    self.finds(format!("the receipts of closing {row:?} have a gap"));
                }
                for (_, item) in items {
                    let twice = match item {
                        ClosedItem::Order(no) => {
                            self.belongs(no, &row);
                            !orders.insert(no)
                        }
                        ClosedItem::GivenUp(tse, number) => !given_up.insert((tse, number)),
                    };
                    if twice {
                        self.finds(format!("{item:?} is in two closings"));
                    }
                }
            }
        }
        let open: Vec<String> = self
            .orders
            .iter()
            .filter(|(no, _)| !orders.contains(no))
            .map(|(_, order)| order.id.to_string())
            .collect();
        if let Some(first) = open.first() {
            self.finds(format!("{} orders are in no closing, such as {first}", open.len()));
        }
        if given_up.len() as u64 != self.books.given_up {
            let what = format!(
                "{} carts were given up, closings have {}",
                self.books.given_up,
                given_up.len()
            );
            self.finds(what);
        }
        Ok(())
    }

    fn belongs(&mut self, no: u64, row: &ClosingRow) {
        let fits = self.orders.get(&no).is_some_and(|order| {
            (&order.client, order.taxpayer, order.day) == (&row.client, row.taxpayer, Some(row.day))
        });
        if !fits {
            self.finds(format!(
                "journal number {no} is in a closing of another till, taxpayer or day: {row:?}"
            ));
        }
    }

    /// Outages are logged: each has an end but that of the dead; what hung is in one that lasted as long.
    fn out_of_order(&mut self) {
        let mut found = Vec::new();
        let of_tses = self.outages.values().filter(|row| row.tse.is_some());
        self.books.tse_outages = of_tses.count() as u64;
        self.books.till_outages = self.outages.len() as u64 - self.books.tse_outages;
        for (no, device) in self.devices {
            let of_device = || self.outages.values().filter(|row| row.tse == Some(*no));
            let lasting = of_device().filter(|row| row.until_ms.is_none()).count();
            if lasting != usize::from(device.is_over(self.now_ms)) {
                found.push(format!("TSE {} has {lasting} outages that last", no.0));
            }
            if let Some((from_ms, to_ms)) = device.silence() {
                let covers = |row: &OutageRow| row.from_ms < to_ms && row.until_ms >= Some(to_ms);
                if !of_device().any(covers) {
                    found.push(format!(
                        "TSE {} hung from {from_ms} to {to_ms}, and no outage says so",
                        no.0
                    ));
                }
            }
        }
        let wrong = self
            .outages
            .values()
            .find(|row| row.until_ms.is_some_and(|until| until < row.from_ms));
        found.extend(wrong.map(|row| format!("an outage ends before it begins: {row:?}")));
        for what in found {
            self.finds(what);
        }
    }

    /// A transaction of a till is at a TSE that the till was with when it began.
    fn at_home(&mut self, reader: &mut dyn Reader) -> Result<(), StoreError> {
        let clients: BTreeSet<String> = self.transactions.values().map(|row| row.client.clone()).collect();
        let mut homes = BTreeMap::<String, Vec<ClientRow>>::new();
        for client in clients {
            let history = reader.client_history(&client)?;
            self.books.moves += history.iter().filter(|row| row.until_ms.is_some()).count() as u64;
            homes.insert(client, history);
        }
        let strange = self.transactions.values().find(|row| {
            let began = |home: &ClientRow| home.from_ms / 1_000 <= row.started_s;
            // A start that was under way when the till moved was one of its own.
            let lasted = |home: &ClientRow| {
                home.until_ms
                    .is_none_or(|until| row.started_s <= (until + SETTLED_MS) / 1_000)
            };
            let homes = homes.get(&row.client).into_iter().flatten();
            let mut at = homes.filter(|home| home.tse == row.tse && began(home) && lasted(home));
            at.next().is_none()
        });
        if let Some(row) = strange {
            let what = format!(
                "transaction {} of TSE {} is of a till that was elsewhere: {row:?}",
                row.transaction, row.tse.0
            );
            self.finds(what);
        }
        Ok(())
    }
}

/// When an event day ends, by the calendar.
fn day_ends(day: u32) -> u64 {
    let next = DAYS.iter().skip_while(|(no, _)| *no != day).nth(1);
    next.map_or(u64::MAX, |(_, from_ms)| *from_ms)
}
