//! Lists and sums of booked orders, along the index that leaves the fewest rows.
//!
//! Every list goes down the journal's numbers and stops when it is full. Hourly sums say between which numbers the orders of a day or an hour
//! are, till by till; so one late order of one till costs a walk through that till's orders and not through all. Where most orders between two
//! numbers fit, as on an ordinary day, all between them are looked at instead.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use rusqlite::{Connection, Row, params};
use shared_protocol::order::OrderKind;
use shared_protocol::{EventId, StaffId, TagId, TaxpayerId, TillId};
use store::office::{CLOSED_AT_MS_MAX, HOUR_MS};
use store::{HourKey, HourRow, OrderFilter, OrderRow, OrderState, SigningState};

use crate::error::{Result, damaged};
use crate::reader::{all, count, first};
use crate::{rows, signing};

/// Kinds that have no index of their own, see the schema.
const DENSE_KINDS: [OrderKind; 2] = [OrderKind::Sale, OrderKind::TopUp];

/// Where one number in so many is an order that fits, a walk past all of them is shorter than one till by till: a page is full after twice its
/// rows, and for every till as many would be read as a page has.
const DENSE_ONE_IN: i64 = 2;

/// The columns that [`order`] reads.
const COLUMNS: &str = "o.no, o.kind, o.till, o.cashier, o.taxpayer, o.holder, o.day, o.closed_at_ms, o.total, s.state";

/// What all ways have in common; first what the indexes carry. Tills of a stand are looked at outside.
const FITS: &str = "o.no BETWEEN ?1 AND ?2 AND (?11 IS NULL OR o.till = ?11) AND (?4 IS NULL OR o.kind = ?4) \
     AND (?5 IS NULL OR o.cashier = ?5) AND (?7 IS NULL OR o.closed_at_ms >= ?7) AND (?8 IS NULL OR o.closed_at_ms <= ?8) \
     AND (?6 IS NULL OR o.day = ?6) AND o.event = ?3 AND (?9 IS NULL OR s.state = ?9)";

/// A way through the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Holder(TagId),
    Kind(OrderKind),
    Till(TillId),
    State(SigningState),
    All,
}

impl Way {
    fn sql(self) -> String {
        let orders = |index: &str, path: &str| {
            format!(
                "SELECT {COLUMNS} FROM booked_order o {index} LEFT JOIN signing s ON s.no = o.no \
                 WHERE {path} = ?10 AND {FITS} ORDER BY o.no DESC"
            )
        };
        match self {
            Self::Holder(_) => orders("INDEXED BY booked_order_holder", "o.holder"),
            Self::Kind(_) => orders("INDEXED BY booked_order_kind", "o.kind NOT IN (1, 4) AND o.kind"),
            Self::Till(_) => orders("INDEXED BY booked_order_till", "o.till"),
            Self::All => orders("NOT INDEXED", "1"),
            Self::State(_) => format!(
                "SELECT {COLUMNS} FROM signing s INDEXED BY signing_exception CROSS JOIN booked_order o NOT INDEXED ON o.no = s.no \
                 WHERE s.state <> 1 AND s.state = ?10 AND s.no BETWEEN ?1 AND ?2 AND {FITS} ORDER BY s.no DESC"
            ),
        }
    }
}

/// Journal numbers, both ends included.
#[derive(Debug, Clone, Copy)]
struct Span {
    first: i64,
    last: i64,
}

impl Span {
    fn and(self, other: Self) -> Self {
        Self {
            first: self.first.max(other.first),
            last: self.last.min(other.last),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    const fn width(self) -> i64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    const fn is_empty(self) -> bool {
        self.first > self.last
    }
}

/// The last moment that fits; none without an end.
fn last_ms(filter: &OrderFilter) -> Option<i64> {
    Some(filter.to_ms?.checked_sub(1).map_or(-1, count))
}

/// How a day is stored where nothing may be missing.
pub(crate) fn stored_day(day: Option<u32>) -> i64 {
    day.map_or(-1, i64::from)
}

pub(crate) fn signed_to(connection: &Connection) -> Result<u64> {
    let sql = "SELECT no FROM signing_progress";
    Ok(first(connection, sql, [], |row| rows::number(row, 0))?.unwrap_or(0))
}

fn none_signed(connection: &Connection) -> Result<bool> {
    let sql = "SELECT sum(orders) FROM signing_count";
    Ok(first(connection, sql, [], |row| rows::number::<u64>(row, 0))?.unwrap_or(0) == 0)
}

fn kind(row: &Row<'_>, column: usize) -> Result<OrderKind> {
    let code = rows::number(row, column)?;
    OrderKind::from_code(code).ok_or_else(|| damaged(format_args!("an order of kind {code}")))
}

fn till(row: &Row<'_>, column: usize) -> Result<TillId> {
    rows::number(row, column).map(TillId)
}

fn order(row: &Row<'_>) -> Result<OrderRow> {
    let holder = row.get_ref(5)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
    let holder = holder.map(|tag| TagId::from_slice(tag).ok_or_else(|| damaged("a wristband's id has another length")));
    Ok(OrderRow {
        no: rows::number(row, 0)?,
        kind: kind(row, 1)?,
        till: till(row, 2)?,
        cashier: StaffId(rows::number(row, 3)?),
        taxpayer: TaxpayerId(rows::number(row, 4)?),
        holder: holder.transpose()?,
        day: row.get(6)?,
        closed_at_ms: rows::number(row, 7)?,
        total: rows::sum(row, 8)?,
        signing: match row.get::<_, Option<i64>>(9)? {
            Some(_) => Some(signing::state(row, 9)?),
            None => None,
        },
    })
}

/// Orders and their sum, with the numbers they lie between.
#[derive(Debug, Clone, Copy)]
struct Sums {
    orders: u64,
    total: i128,
    span: Span,
}

impl Sums {
    fn read(row: &Row<'_>, orders: usize, total: i128) -> Result<Self> {
        Ok(Self {
            orders: rows::number(row, orders)?,
            total,
            span: Span {
                first: row.get(orders + 2)?,
                last: row.get(orders + 3)?,
            },
        })
    }
}

/// Sums by hour that lie at least partly between two moments and fit otherwise.
fn hourly(connection: &Connection, event: EventId, filter: &OrderFilter) -> Result<Vec<(HourKey, Sums)>> {
    let from_ms = count(filter.from_ms.unwrap_or(0));
    let from_hour = from_ms - from_ms % count(HOUR_MS);
    let sql = "SELECT hour_ms, till, kind, cashier, day, orders, total, first_no, last_no FROM order_hour \
         WHERE event = ?1 AND hour_ms BETWEEN ?2 AND ?3 AND (?4 IS NULL OR till = ?4) AND (?5 IS NULL OR kind = ?5) \
         AND (?6 IS NULL OR cashier = ?6) AND (?7 IS NULL OR day = ?7) ORDER BY hour_ms, till, kind, cashier, day";
    let asked = params![
        event.bytes(),
        from_hour,
        last_ms(filter).unwrap_or(i64::MAX),
        filter.till.map(|till| till.0),
        filter.kind.map(OrderKind::code),
        filter.cashier.map(|cashier| cashier.0),
        filter.day,
    ];
    let mut hours = all(connection, sql, asked, |row| {
        let key = HourKey {
            event,
            hour_ms: rows::number(row, 0)?,
            till: till(row, 1)?,
            kind: kind(row, 2)?,
            cashier: StaffId(rows::number(row, 3)?),
            day: u32::try_from(row.get::<_, i64>(4)?).ok(),
        };
        Ok((key, Sums::read(row, 5, rows::sum(row, 6)?)?))
    })?;
    hours.retain(|(key, _)| filter.fits_till(key.till));
    Ok(hours)
}

/// Sums by till that fit a kind and tills.
fn by_till(connection: &Connection, event: EventId, filter: &OrderFilter) -> Result<Vec<(TillId, Sums)>> {
    let sql =
        "SELECT till, orders, sum, first_no, last_no FROM turnover WHERE event = ?1 AND (?2 IS NULL OR kind = ?2)";
    let asked = params![event.bytes(), filter.kind.map(OrderKind::code)];
    let mut tills = all(connection, sql, asked, |row| {
        Ok((till(row, 0)?, Sums::read(row, 1, rows::wide(row, 2)?)?))
    })?;
    tills.retain(|(till, _)| filter.fits_till(*till));
    Ok(tills)
}

/// Whether sums by till do not say enough, but those by hour do.
fn by_hour(filter: &OrderFilter) -> bool {
    filter.cashier.is_some() || filter.day.is_some() || filter.from_ms.is_some() || filter.to_ms.is_some()
}

/// The ways that lead past all orders that fit, each with the numbers to look between, the newest first.
fn ways(connection: &Connection, event: EventId, filter: &OrderFilter) -> Result<Vec<(Way, Span)>> {
    let first = match filter.state {
        Some(OrderState::Waiting) => signed_to(connection)?.saturating_add(1),
        _ => 1,
    };
    let any = Span {
        first: count(first),
        last: i64::MAX,
    };
    if let Some(holder) = filter.holder {
        return Ok(vec![(Way::Holder(holder), any)]);
    }
    match filter.state {
        Some(OrderState::InOutage) => return Ok(vec![(Way::State(SigningState::InOutage), any)]),
        Some(OrderState::SignedLate) => return Ok(vec![(Way::State(SigningState::SignedLate), any)]),
        Some(OrderState::Signed | OrderState::Waiting) | None => {}
    }
    let found: Vec<_> = if by_hour(filter) {
        let hours = hourly(connection, event, filter)?;
        hours.into_iter().map(|(key, sums)| (key.till, sums)).collect()
    } else {
        by_till(connection, event, filter)?
    };
    let mut tills = BTreeMap::<TillId, Span>::new();
    let mut orders = 0_u64;
    for (till, sums) in found {
        let known = tills.entry(till).or_insert(sums.span);
        *known = known.or(sums.span);
        orders = orders.saturating_add(sums.orders);
    }
    let all = tills.values().copied().reduce(Span::or);
    let rare = filter.kind.filter(|kind| !DENSE_KINDS.contains(kind));
    // Within an hour, or for one till, the indexes pass over what does not fit without a look at it.
    let narrow = filter.cashier.is_some() || filter.from_ms.is_some() || filter.to_ms.is_some();
    let dense = !narrow && all.is_some_and(|all| count(orders) >= all.width() / DENSE_ONE_IN);
    let some_tills = !dense && (filter.till.is_some() || filter.stand_tills.is_some() || by_hour(filter));
    let mut ways: Vec<_> = match (rare, all) {
        (_, None) => Vec::new(),
        (Some(kind), Some(all)) => vec![(Way::Kind(kind), all)],
        (None, Some(_)) if some_tills => tills.into_iter().map(|(till, span)| (Way::Till(till), span)).collect(),
        (None, Some(all)) => vec![(Way::All, all)],
    };
    for (_, span) in &mut ways {
        *span = span.and(any);
    }
    ways.retain(|(_, span)| !span.is_empty());
    ways.sort_by_key(|(_, span)| std::cmp::Reverse(span.last));
    Ok(ways)
}

/// Goes one way, newest first, until `take` has had enough.
fn go(
    connection: &Connection,
    event: EventId,
    filter: &OrderFilter,
    (way, span): (Way, Span),
    mut take: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let state = match filter.state {
        Some(OrderState::Signed) => Some(SigningState::Signed.code()),
        Some(OrderState::SignedLate) => Some(SigningState::SignedLate.code()),
        Some(OrderState::InOutage) => Some(SigningState::InOutage.code()),
        Some(OrderState::Waiting) | None => None,
    };
    let mut statement = connection.prepare_cached(&way.sql())?;
    let mut found = statement.query(params![
        span.first,
        span.last,
        event.bytes(),
        filter.kind.map(OrderKind::code),
        filter.cashier.map(|cashier| cashier.0),
        filter.day,
        filter.from_ms.map(count),
        last_ms(filter),
        state,
        match &way {
            Way::Holder(tag) => rusqlite::types::ToSqlOutput::from(tag.as_slice()),
            Way::Kind(kind) => kind.code().into(),
            Way::Till(till) => till.0.into(),
            Way::State(state) => state.code().into(),
            Way::All => 1.into(),
        },
        filter.till.map(|till| till.0),
    ])?;
    let waits = filter.state == Some(OrderState::Waiting);
    while let Some(row) = found.next()? {
        if waits && kind(row, 1)?.is_of_band() {
            continue;
        }
        if filter.fits_till(till(row, 2)?) && take(row)?.is_break() {
            break;
        }
    }
    Ok(())
}

pub(crate) fn page(
    connection: &Connection,
    event: EventId,
    filter: &OrderFilter,
    before_no: Option<u64>,
    rows_max: u64,
) -> Result<Vec<OrderRow>> {
    let rows_max = usize::try_from(rows_max).unwrap_or(usize::MAX);
    let below = Span {
        first: 1,
        last: before_no.map_or(i64::MAX, |before| before.checked_sub(1).map_or(0, count)),
    };
    // The newest ones so far. Once there are enough, only what is above the oldest of them matters on the ways that follow.
    let mut newest = BTreeMap::new();
    if rows_max == 0 {
        return Ok(Vec::new());
    }
    for (way, span) in ways(connection, event, filter)? {
        let mut span = span.and(below);
        if newest.len() == rows_max
            && let Some((oldest, _)) = newest.first_key_value()
        {
            span.first = span.first.max(count(*oldest));
        }
        if span.is_empty() {
            continue;
        }
        let mut taken = 0;
        go(connection, event, filter, (way, span), |row| {
            let row = order(row)?;
            newest.insert(row.no, row);
            taken += 1;
            Ok(if taken == rows_max {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        while newest.len() > rows_max {
            newest.pop_first();
        }
    }
    Ok(newest.into_values().rev().collect())
}

fn added(sums: impl IntoIterator<Item = (u64, i128)>) -> Result<(u64, i128)> {
    sums.into_iter()
        .try_fold((0, 0), |(orders, total), (more, sum): (u64, i128)| {
            let total = i128::checked_add(total, sum).ok_or_else(|| damaged("a sum leaves 128 bits"))?;
            Ok((orders + more, total))
        })
}

/// Adds up by looking at every order.
fn counted(connection: &Connection, event: EventId, filter: &OrderFilter) -> Result<(u64, i128)> {
    let mut sums = (0, 0);
    for way in ways(connection, event, filter)? {
        go(connection, event, filter, way, |row| {
            sums = added([sums, (1, rows::sum(row, 8)?)])?;
            Ok(ControlFlow::Continue(()))
        })?;
    }
    Ok(sums)
}

/// Sums of whole hours, and of single orders where an hour fits in part only.
fn without_state(connection: &Connection, event: EventId, filter: &OrderFilter) -> Result<(u64, i128)> {
    if !by_hour(filter) {
        let tills = by_till(connection, event, filter)?;
        return added(tills.into_iter().map(|(_, sums)| (sums.orders, sums.total)));
    }
    let from_ms = filter.from_ms.unwrap_or(0);
    // Nothing is closed later than this, so it is the end of a whole hour.
    let to_ms = filter.to_ms.unwrap_or(CLOSED_AT_MS_MAX + 1);
    let whole_from_ms = from_ms.div_ceil(HOUR_MS).saturating_mul(HOUR_MS);
    let whole_to_ms = if to_ms > CLOSED_AT_MS_MAX {
        u64::MAX
    } else {
        to_ms - to_ms % HOUR_MS
    };
    let part = |from_ms, to_ms| OrderFilter {
        from_ms: Some(from_ms),
        to_ms: Some(to_ms),
        ..filter.clone()
    };
    if whole_from_ms > whole_to_ms {
        return counted(connection, event, filter);
    }
    let whole = part(whole_from_ms, whole_to_ms);
    let mut sums = Vec::new();
    if whole_from_ms < whole_to_ms {
        let hours = hourly(connection, event, &whole)?;
        sums.extend(hours.into_iter().map(|(_, sums)| (sums.orders, sums.total)));
    }
    for (from_ms, to_ms) in [(from_ms, whole_from_ms), (whole_to_ms, to_ms)] {
        if from_ms < to_ms {
            sums.push(counted(connection, event, &part(from_ms, to_ms))?);
        }
    }
    added(sums)
}

fn less(all: (u64, i128), others: (u64, i128)) -> Result<(u64, i128)> {
    let total = all.1.checked_sub(others.1);
    Ok((
        all.0.saturating_sub(others.0),
        total.ok_or_else(|| damaged("a sum of orders is out of range"))?,
    ))
}

/// Orders that no TSE is told of.
fn never_signed(connection: &Connection, event: EventId, filter: &OrderFilter) -> Result<(u64, i128)> {
    let kinds = OrderKind::ALL.iter().copied().filter(|kind| kind.is_of_band());
    let fitting = kinds.filter(|kind| filter.kind.is_none_or(|wanted| wanted == *kind));
    let of_kind = |kind| {
        let only = OrderFilter {
            kind: Some(kind),
            ..filter.clone()
        };
        without_state(connection, event, &only)
    };
    added(fitting.map(of_kind).collect::<Result<Vec<_>>>()?)
}

pub(crate) fn sums(connection: &Connection, event: EventId, filter: &OrderFilter) -> Result<(u64, i128)> {
    let of = |state| OrderFilter {
        state,
        ..filter.clone()
    };
    match filter.state {
        _ if filter.holder.is_some() => counted(connection, event, filter),
        None => without_state(connection, event, filter),
        // All wait where no TSE has ever signed, but for those that no TSE is told of.
        Some(OrderState::Waiting) if none_signed(connection)? => {
            let all = without_state(connection, event, &of(None))?;
            less(all, never_signed(connection, event, &of(None))?)
        }
        Some(OrderState::InOutage | OrderState::SignedLate | OrderState::Waiting) => counted(connection, event, filter),
        // Nearly all orders are signed, so the others are counted: up to the last one that came off, every order came off somehow.
        Some(OrderState::Signed) => {
            let mut sums = vec![without_state(connection, event, &of(None))?];
            for state in [OrderState::InOutage, OrderState::SignedLate, OrderState::Waiting] {
                let other = self::sums(connection, event, &of(Some(state)))?;
                sums.push(other);
            }
            sums.push(never_signed(connection, event, &of(None))?);
            let mut sums = sums.into_iter();
            let all = sums.next().unwrap_or_default();
            less(all, added(sums)?)
        }
    }
}

pub(crate) fn hours(connection: &Connection, event: EventId, from_ms: u64, to_ms: u64) -> Result<Vec<HourRow>> {
    let between = OrderFilter {
        from_ms: Some(from_ms),
        to_ms: Some(to_ms),
        ..OrderFilter::default()
    };
    let hours = hourly(connection, event, &between)?;
    let begin = hours.into_iter().filter(|(key, _)| key.hour_ms >= from_ms);
    Ok(HourRow::collect(
        begin.map(|(key, sums)| (key, sums.orders, sums.total)),
    ))
}

/// Swaps and blocks (kinds 12 and 13) never wait: no TSE is told of them.
pub(crate) fn first_waiting(connection: &Connection) -> Result<Option<(u64, u64)>> {
    let signed_to = count(signed_to(connection)?);
    let sql = "SELECT closed_at_ms FROM booked_order WHERE no > ?1 AND kind NOT IN (12, 13) \
               AND NOT EXISTS (SELECT 1 FROM signing WHERE signing.no = booked_order.no) ORDER BY no LIMIT 1";
    let Some(closed_at_ms) = first(connection, sql, [signed_to], |row| rows::number(row, 0))? else {
        return Ok(None);
    };
    // What came off may be ahead of what the lists know yet.
    let sql = "SELECT max(1, (SELECT coalesce(sum(orders), 0) FROM turnover WHERE kind NOT IN (12, 13)) - (SELECT sum(orders) FROM signing_count))";
    let waiting = first(connection, sql, [], |row| rows::number(row, 0))?;
    Ok(Some((waiting.unwrap_or(1), closed_at_ms)))
}
