//! Reads what a report is made of: closings with what is in them, what is in none yet, in batches. No row is asked for one by one, and what stays in
//! memory are sums and, while it is read, a journal number for each order.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsfinvk::map::{self, CameOff, Settings};
use festival::day::event_day;
use fiscal::jobs::booked_order;
use fiscal::signer::client_of;
use fiscal::{Jobs, VoucherModel};
use ledger::AccountKey;
use shared_protocol::{Amount, AssetId, EventId, Overflow, TagId, TaxpayerId, TillId};
use store::{ClosedItem, ClosingRow, JournalRow, OrderFilter, Reader, SigningRow, StoreError, TseNo};

use crate::books::{Arrival, Books, Key};
use crate::sums::{Booked, Sums, is_of_seller};

/// Rows that are read at once.
const PAGE: u64 = 1_024;
/// Rows of lists that are read at once: each page looks at the hourly sums anew.
const LIST_PAGE: u64 = 16_384;
/// Carts that were given up and are in no closing, at most.
const GIVEN_UP_MAX: u64 = 65_536;

/// Why nothing was loaded. Nothing is changed by a report.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sum.
    #[error("the report cannot be made: a sum does not fit; run `groschen audit` and report this")]
    Overflow(#[from] Overflow),
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// From this event day on, `yyyymmdd`.
    pub from: u32,
    /// Up to and with this one.
    pub until: u32,
    /// Only this taxpayer.
    pub taxpayer: Option<TaxpayerId>,
    /// Only this till.
    pub till: Option<TillId>,
    /// Only what is in this closing.
    pub closing: Option<u64>,
}

impl Wanted {
    /// The whole event.
    pub const ALL: Self = Self {
        from: 0,
        until: u32::MAX,
        taxpayer: None,
        till: None,
        closing: None,
    };

    /// An event day.
    pub const fn day(day: u32) -> Self {
        Self {
            from: day,
            until: day,
            ..Self::ALL
        }
    }

    /// A closing.
    pub fn closing(row: &ClosingRow) -> Self {
        Self {
            from: row.day,
            until: row.day,
            taxpayer: Some(row.taxpayer),
            till: Some(row.till),
            closing: Some(row.id),
        }
    }

    fn fits(&self, day: u32, taxpayer: TaxpayerId, till: TillId) -> bool {
        (self.from..=self.until).contains(&day)
            && self.taxpayer.is_none_or(|wanted| wanted == taxpayer)
            && self.till.is_none_or(|wanted| wanted == till)
    }
}

/// All closings by id.
pub fn closings(reader: &mut dyn Reader) -> Result<BTreeMap<u64, ClosingRow>, StoreError> {
    let mut found = BTreeMap::new();
    let mut from = 1;
    loop {
        let rows = reader.closings(from, PAGE)?;
        let Some(last) = rows.last() else { return Ok(found) };
        from = last.id + 1;
        found.extend(rows.into_iter().map(|row| (row.id, row)));
    }
}

/// Reads what is wanted. `arrival` is what is known of terminals, which no database says.
pub fn load(
    reader: &mut dyn Reader,
    event: EventId,
    model: VoucherModel,
    wanted: &Wanted,
    arrival: Arrival,
    now_ms: u64,
) -> Result<Books, LoadError> {
    // First what never changes, then what may move into it meanwhile.
    let closings = closings(reader)?;
    let jobs = Jobs::new(reader, event)?;
    let config = Arc::new(jobs.newest().clone());
    let totals = reader.totals(event)?;
    let of_sellers = totals.accounts.into_iter();
    let of_sellers =
        of_sellers.filter(|(key, _): &(AccountKey, _)| key.asset == AssetId::EURO && is_of_seller(&key.account));
    let mut loading = Loading {
        reader,
        event,
        jobs,
        wanted,
        model,
        numbers: Vec::new(),
        groups: BTreeMap::new(),
    };
    for row in closings.values() {
        let is_wanted = wanted.closing.is_none_or(|closing| closing == row.id);
        if is_wanted && wanted.fits(row.day, row.taxpayer, row.till) {
            loading.closed(row)?;
        }
    }
    loading.numbers.sort_unstable_by_key(|(no, _)| *no);
    if wanted.closing.is_none() {
        loading.open()?;
    }
    loading.book(&closings)?;
    let (reader, groups) = (loading.reader, loading.groups);
    Ok(Books {
        as_of_ms: now_ms,
        config,
        model,
        groups,
        closings,
        tses: reader.tses()?,
        outages: reader
            .outages(0, u64::MAX)?
            .into_iter()
            .map(|row| (row.id, row))
            .collect(),
        ledger: of_sellers.collect(),
        ledger_behind: totals.last_no.saturating_sub(totals.projected_no),
        arrival,
    })
}

struct Loading<'a> {
    reader: &'a mut dyn Reader,
    event: EventId,
    jobs: Jobs,
    wanted: &'a Wanted,
    model: VoucherModel,
    /// Journal numbers of orders with their closings, ascending.
    numbers: Vec<(u64, Option<u64>)>,
    groups: BTreeMap<Key, Sums>,
}

impl Loading<'_> {
    fn group(&mut self, key: Key) -> &mut Sums {
        self.groups.entry(key).or_default()
    }

    fn closed(&mut self, row: &ClosingRow) -> Result<(), LoadError> {
        let mut from = row.first_receipt;
        loop {
            let items = self.reader.closed_items(row.id, from, PAGE)?;
            let Some((last, _)) = items.last() else { return Ok(()) };
            from = last + 1;
            for (_, item) in items {
                match item {
                    ClosedItem::Order(no) => self.numbers.push((no, Some(row.id))),
                    ClosedItem::GivenUp(tse, _) => {
                        let key = Key {
                            day: row.day,
                            taxpayer: row.taxpayer,
                            till: row.till,
                            closing: Some(row.id),
                            shift: None,
                        };
                        self.group(key).gave_up(tse, None);
                    }
                }
            }
        }
    }

    /// Adds what is in no closing: orders as far as lists of them are, then the rest of the journal, and carts that were given up.
    fn open(&mut self) -> Result<(), LoadError> {
        let listed = self.reader.orders(self.event, &OrderFilter::default(), None, 1)?;
        let listed_to = listed.first().map_or(0, |row| row.no);
        let filter = OrderFilter {
            till: self.wanted.till,
            day: (self.wanted.from == self.wanted.until).then_some(self.wanted.from),
            ..OrderFilter::default()
        };
        let mut open = Vec::new();
        let mut before = None;
        loop {
            let rows = self.reader.orders(self.event, &filter, before, LIST_PAGE)?;
            let Some(last) = rows.last() else { break };
            before = Some(last.no);
            let fitting = rows.iter().filter(|row| {
                !row.kind.is_of_band()
                    && self
                        .wanted
                        .fits(row.day.unwrap_or(self.wanted.from), row.taxpayer, row.till)
            });
            open.extend(fitting.map(|row| row.no));
        }
        let mut from = listed_to + 1;
        loop {
            let rows = self.reader.journal(from, PAGE)?;
            let Some(last) = rows.last() else { break };
            from = last.record.no + 1;
            open.extend(
                rows.iter()
                    .filter(|row| booked_order(row).is_some())
                    .map(|row| row.record.no),
            );
        }
        open.sort_unstable();
        let closed = std::mem::take(&mut self.numbers);
        open.retain(|no| closed.binary_search_by_key(no, |(no, _)| *no).is_err());
        self.numbers = open.into_iter().map(|no| (no, None)).collect();
        self.numbers.extend(closed);
        self.numbers.sort_unstable_by_key(|(no, _)| *no);
        self.given_up()
    }

    fn given_up(&mut self) -> Result<(), LoadError> {
        let taxpayers: BTreeMap<TseNo, TaxpayerId> = self
            .reader
            .tses()?
            .into_iter()
            .map(|row| (row.no, row.taxpayer))
            .collect();
        for row in self.reader.unclosed_given_up(GIVEN_UP_MAX)? {
            let Some(end) = &row.end else { continue };
            let ended_ms = end.time_s.saturating_mul(1_000);
            let till = row.client.rsplit('-').next().and_then(|no| no.parse().ok()).map(TillId);
            let (Some(till), Some(taxpayer)) = (till, taxpayers.get(&row.tse)) else {
                continue;
            };
            let day = event_day(&self.jobs.newest().event, ended_ms).map_or(0, |day| day.0);
            if self.wanted.fits(day, *taxpayer, till) {
                let key = Key {
                    day,
                    taxpayer: *taxpayer,
                    till,
                    closing: None,
                    shift: None,
                };
                self.group(key).gave_up(row.tse, Some(ended_ms));
            }
        }
        Ok(())
    }

    /// Reads the orders and adds them up.
    fn book(&mut self, closings: &BTreeMap<u64, ClosingRow>) -> Result<(), LoadError> {
        let numbers = std::mem::take(&mut self.numbers);
        for batch in numbers.chunks(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
            let wanted: Vec<u64> = batch.iter().map(|(no, _)| *no).collect();
            let rows = self.reader.journal_rows(&wanted)?;
            let mut signings = self.reader.signings(&wanted)?.into_iter().peekable();
            let mut places = batch.iter();
            for row in &rows {
                let closing = places.find(|(no, _)| *no == row.record.no).and_then(|(_, at)| *at);
                let signing = signings.next_if(|signing| signing.no == row.record.no);
                self.order(row, signing.as_ref(), closing.and_then(|id| closings.get(&id)))?;
            }
        }
        Ok(())
    }

    fn order(
        &mut self,
        row: &JournalRow,
        signing: Option<&SigningRow>,
        closing: Option<&ClosingRow>,
    ) -> Result<(), LoadError> {
        let Some(job) = self.jobs.of(self.reader, row)? else {
            return Ok(());
        };
        let day = closing.map(|row| row.day).or_else(|| {
            let said = row.entry.as_ref().and_then(|entry| entry.day);
            said.or_else(|| event_day(&self.jobs.newest().event, row.record.booked_at_ms).map(|day| day.0))
        });
        let order = &job.order;
        let key = Key {
            day: day.unwrap_or(0),
            taxpayer: order.taxpayer,
            till: order.till,
            closing: closing.map(|row| row.id),
            shift: Some((order.cashier, order.session)),
        };
        if closing.is_none() && !self.wanted.fits(key.day, key.taxpayer, key.till) {
            return Ok(());
        }
        let posting = row.record.posting.as_ref();
        let settings = Settings {
            model: self.model,
            in_house: false,
            staff_names: false,
            // No report names a wristband.
            wristband: &|_: TagId| String::new(),
        };
        let booked = map::Booked {
            order,
            replaced: job.replaced.as_ref(),
            config: &job.config,
            came_off: CameOff::default(),
            number: 0,
            ended_ms: job.sold_at_ms.unwrap_or(order.closed_at_ms),
            owed: posting.map_or(Ok(Amount::ZERO), map::owed)?,
            takes_back: None,
        };
        let receipt = map::receipt(&booked, &settings);
        let booked = Booked {
            order,
            replaced: job.replaced.as_ref(),
            config: &job.config,
            posting,
            receipt: &receipt,
            signing,
        };
        Ok(self.groups.entry(key).or_default().book(&booked)?)
    }
}

/// The till as its TSE and its closings know it.
pub fn client(event: EventId, till: TillId) -> String {
    client_of(event, till)
}
