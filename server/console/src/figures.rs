//! What the dashboard and the terminal table know, read in one go and free of language. Kept between two readings is only what would be
//! slow to read again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use festival::booking::posting_id;
use festival::day::{EventDay, event_day};
use fiscal::capacity::Warning;
use ledger::Account;
use shared_protocol::config::Config;
use shared_protocol::order::{LineKind, OrderKind};
use shared_protocol::{AssetId, EventId, StandId, TillId};
use store::{OrderFilter, Reader, SigningState, StoreError, TerminalRow};
use sync::hub::{Heard, Hub};

use crate::order::order_at;

const HOUR_MS: u64 = 3_600_000;

/// Sales a minute are those of this long.
const RATE_MS: u64 = 5 * 60 * 1_000;
/// Sums over all accounts are read this often: there is one for every wristband.
const SLOW_EVERY_MS: u64 = 5_000;
/// Orders that take back others are read so many at a time.
const PAGE_ROWS: u64 = 200;

/// A terminal as it is now.
#[derive(Debug, Clone)]
pub(crate) struct TerminalNow {
    pub row: TerminalRow,
    pub online: bool,
    /// What it last said since this server started.
    pub heard: Option<Heard>,
    /// Entries that it announced, or that the slip of a guest tells of, and that are not here: at least so many.
    pub unsent: u64,
    /// Whether the slip of a guest tells of more than it announced itself: it has not been heard since it made that order.
    pub guest_knows_more: bool,
}

/// One hour of the event day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hour {
    pub from_ms: u64,
    pub by_stand: BTreeMap<StandId, i128>,
    pub top_ups: i128,
    pub spent: i128,
}

/// Everything at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Figures {
    pub now_ms: u64,
    pub config: Arc<Config>,
    pub day: u32,
    pub revenue: i128,
    pub sales: u64,
    /// In the last five minutes.
    pub recent_sales: u64,
    pub top_ups: i128,
    /// What is on all wristbands.
    pub owed_to_guests: i128,
    pub terminals: Vec<TerminalNow>,
    /// Orders that wait for a signature, and when the first was closed.
    pub waiting: Option<(u64, u64)>,
    /// Orders marked as unsigned in an outage.
    pub in_outage: u64,
    pub outage: bool,
    /// What is short with the TSEs.
    pub short: Vec<Warning>,
    pub cases: u64,
    pub stake: i128,
    pub hours: Vec<Hour>,
    pub projected_no: u64,
    pub last_no: u64,
}

impl Figures {
    /// Terminals that are online, and all that are in use.
    pub(crate) fn online(&self) -> (usize, usize) {
        (
            self.terminals.iter().filter(|terminal| terminal.online).count(),
            self.terminals.len(),
        )
    }

    pub(crate) fn unsent(&self) -> u64 {
        self.terminals.iter().map(|terminal| terminal.unsent).sum()
    }
}

/// What is kept between two readings.
#[derive(Debug, Default)]
pub(crate) struct Kept(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    day: u32,
    /// The newest order that takes back another one that was looked at, for corrections and cancellations.
    seen: BTreeMap<OrderKind, u64>,
    taken_back: BTreeMap<(u64, TillId), TakenBack>,
    slow: Option<Slow>,
}

/// What orders of one hour and till took back, which their own lines do not say.
#[derive(Debug, Clone, Copy, Default)]
struct TakenBack {
    /// Of earlier orders that corrections replaced: it is in the sums of goods twice.
    replaced: i128,
    /// Of cancelled top-ups and pay-outs: it is no goods.
    top_ups: i128,
    pay_outs: i128,
}

#[derive(Debug, Clone, Copy)]
struct Slow {
    at_ms: u64,
    owed_to_guests: i128,
    projected_no: u64,
}

/// Terminals of the event in the order of their tills.
pub(crate) fn terminals(reader: &mut dyn Reader, event: EventId, hub: &Hub) -> Result<Vec<TerminalNow>, StoreError> {
    let mut rows: Vec<_> = reader
        .terminals()?
        .into_iter()
        .filter(|row| row.event == event)
        .collect();
    rows.sort_by_key(|row| (row.till, row.no));
    rows.into_iter()
        .map(|row| {
            let heard = hub.heard(row.id);
            let announced = heard.map(|heard| (heard.epoch, heard.next_seq.saturating_sub(1)));
            let by_slip = hub.told_by_slip(row.id);
            let chains = if announced.or(by_slip).is_some() {
                reader.chains(row.no)?
            } else {
                Vec::new()
            };
            let missing = |told: Option<(u32, u64)>| {
                told.map_or(0, |(epoch, last_seq)| {
                    let of_epoch = chains.iter().filter(|chain| chain.key.epoch == epoch);
                    let durable = of_epoch.map(|chain| chain.last_seq).max().unwrap_or(0);
                    last_seq.saturating_sub(durable)
                })
            };
            let (unsent, unsent_by_slip) = (missing(announced), missing(by_slip));
            Ok(TerminalNow {
                online: hub.is_connected(row.id),
                row,
                heard,
                unsent: unsent.max(unsent_by_slip),
                guest_knows_more: unsent_by_slip > unsent,
            })
        })
        .collect()
}

const GOODS: [OrderKind; 4] = [
    OrderKind::Sale,
    OrderKind::Cancel,
    OrderKind::Correction,
    OrderKind::DepositReturn,
];

/// Reads all of it.
pub(crate) fn read(
    reader: &mut dyn Reader,
    kept: &Kept,
    config: Arc<Config>,
    hub: &Hub,
    outage: bool,
    now_ms: u64,
) -> Result<Figures, StoreError> {
    let event = config.event.id;
    let day = event_day(&config.event, now_ms).map_or(0, |EventDay(day)| day);
    let mut kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.day != day {
        *kept = State {
            day,
            slow: kept.slow,
            ..State::default()
        };
    }
    for kind in [OrderKind::Correction, OrderKind::Cancel] {
        look_at_reversals(reader, &mut kept, event, kind)?;
    }
    let slow = match kept
        .slow
        .filter(|slow| now_ms.saturating_sub(slow.at_ms) < SLOW_EVERY_MS)
    {
        Some(slow) => slow,
        None => read_slow(reader, event, now_ms)?,
    };
    kept.slow = Some(slow);
    let sum = |reader: &mut dyn Reader, kind| {
        let filter = OrderFilter {
            day: Some(day),
            kind: Some(kind),
            ..OrderFilter::default()
        };
        reader.order_sums(event, &filter)
    };
    let (mut revenue, mut sales) = (0, 0);
    for kind in GOODS {
        let (orders, total) = sum(reader, kind)?;
        revenue += total;
        if kind == OrderKind::Sale {
            sales = orders;
        }
    }
    let taken_back = kept.taken_back.values();
    revenue -= taken_back
        .clone()
        .map(|one| one.replaced + one.top_ups + one.pay_outs)
        .sum::<i128>();
    let top_ups = sum(reader, OrderKind::TopUp)?.1 + taken_back.map(|one| one.top_ups).sum::<i128>();
    let recent = OrderFilter {
        kind: Some(OrderKind::Sale),
        from_ms: Some(now_ms.saturating_sub(RATE_MS)),
        to_ms: Some(now_ms.saturating_add(1)),
        ..OrderFilter::default()
    };
    let (cases, stake) = reader.open_cases()?;
    Ok(Figures {
        now_ms,
        day,
        revenue,
        sales,
        recent_sales: reader.order_sums(event, &recent)?.0,
        top_ups,
        owed_to_guests: slow.owed_to_guests,
        terminals: terminals(reader, event, hub)?,
        waiting: reader.first_waiting()?,
        in_outage: reader
            .signing_counts()?
            .get(&SigningState::InOutage)
            .copied()
            .unwrap_or(0),
        outage,
        short: Vec::new(),
        cases,
        stake,
        hours: hours(reader, &config, &kept, now_ms)?,
        projected_no: slow.projected_no,
        last_no: reader.head()?.0,
        config,
    })
}

fn read_slow(reader: &mut dyn Reader, event: EventId, now_ms: u64) -> Result<Slow, StoreError> {
    let totals = reader.totals(event)?;
    let on_wristbands = totals
        .accounts
        .iter()
        .filter(|(key, _)| key.asset == AssetId::EURO && matches!(key.account, Account::Wristband { .. }));
    Ok(Slow {
        at_ms: now_ms,
        owed_to_guests: on_wristbands.map(|(_, balance)| *balance).sum(),
        projected_no: totals.projected_no,
    })
}

/// A correction's lines are the new ones; what it replaced is still in the sums. A cancellation may be of goods or of money.
fn look_at_reversals(
    reader: &mut dyn Reader,
    kept: &mut State,
    event: EventId,
    kind: OrderKind,
) -> Result<(), StoreError> {
    let filter = OrderFilter {
        day: Some(kept.day),
        kind: Some(kind),
        ..OrderFilter::default()
    };
    let seen = kept.seen.get(&kind).copied().unwrap_or(0);
    let (mut newest, mut before) = (seen, None);
    loop {
        let page = reader.orders(event, &filter, before, PAGE_ROWS)?;
        before = page.last().map(|row| row.no);
        for row in page.iter().filter(|row| row.no > seen) {
            newest = newest.max(row.no);
            let Some(order) = order_at(reader, row.no)? else {
                continue;
            };
            let one = kept
                .taken_back
                .entry((row.closed_at_ms / HOUR_MS * HOUR_MS, row.till))
                .or_default();
            let of = |kind| order.lines.iter().any(|line| line.kind == kind);
            if kind == OrderKind::Correction {
                let before = match order.reverses {
                    Some(before) => reader.posting_no(posting_id(before))?,
                    None => None,
                };
                let before = match before {
                    Some(no) => order_at(reader, no)?,
                    None => None,
                };
                one.replaced += before
                    .and_then(|before| before.total().ok())
                    .map_or(0, |total| i128::from(total.0));
            } else if of(LineKind::TopUp) {
                one.top_ups += row.total;
            } else if of(LineKind::PayOut) {
                one.pay_outs += row.total;
            }
        }
        if before.is_none_or(|before| before <= seen) {
            kept.seen.insert(kind, newest);
            return Ok(());
        }
    }
}

/// The hours of the event day so far, also those in which nothing was sold.
fn hours(reader: &mut dyn Reader, config: &Config, kept: &State, now_ms: u64) -> Result<Vec<Hour>, StoreError> {
    let Some(begin_ms) = EventDay(kept.day).begins_ms(&config.event) else {
        return Ok(Vec::new());
    };
    let first_ms = begin_ms / HOUR_MS * HOUR_MS;
    let mut hours: BTreeMap<u64, Hour> = (0..=now_ms.saturating_sub(first_ms) / HOUR_MS)
        .take(26)
        .map(|hour| first_ms + hour * HOUR_MS)
        .map(|from_ms| {
            (
                from_ms,
                Hour {
                    from_ms,
                    ..Hour::default()
                },
            )
        })
        .collect();
    let stand = |till: TillId| config.tills.get(&till).map_or(StandId(0), |till| till.stand);
    for row in reader.hours(config.event.id, first_ms, now_ms.saturating_add(1))? {
        let Some(hour) = hours.get_mut(&row.hour_ms) else {
            continue;
        };
        if row.kind == OrderKind::TopUp {
            hour.top_ups += row.total;
        } else if GOODS.contains(&row.kind) {
            *hour.by_stand.entry(stand(row.till)).or_default() += row.total;
            hour.spent += row.total;
        }
    }
    for ((from_ms, till), one) in &kept.taken_back {
        let Some(hour) = hours.get_mut(from_ms) else { continue };
        let goods = one.replaced + one.top_ups + one.pay_outs;
        *hour.by_stand.entry(stand(*till)).or_default() -= goods;
        hour.spent -= goods;
        hour.top_ups += one.top_ups;
    }
    Ok(hours.into_values().collect())
}
