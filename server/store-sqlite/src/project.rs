//! Sums and order lines behind the cursor, inside the caller's transaction. On its way the cursor checks the chain, so what lies before it
//! needs no check at the next start.

use ledger::journal::verify;
use rusqlite::{CachedStatement, Connection, OptionalExtension, params, params_from_iter};
use shared_protocol::TagId;
use shared_protocol::crypto::Hash32;
use store::projection::{BookedOrder, Projection};

use crate::error::{Result, damaged};
use crate::{orders, reader, rows};

/// Lines of orders that one statement writes, as far as there are so many: 0.8 µs less for an order of three lines (measured).
const LINES_AT_ONCE: usize = 32;

/// The last row that is in the sums, and its hash.
pub(crate) fn cursor(connection: &Connection) -> Result<(u64, Hash32)> {
    let mut statement = connection.prepare_cached("SELECT no, hash FROM cursor")?;
    let mut found = statement.query([])?;
    let row = found.next()?.ok_or_else(|| damaged("the cursor of the sums is gone"))?;
    Ok((rows::number(row, 0)?, rows::hash(row, 1)?))
}

/// Adds the next rows to the sums. Gives the last row that is in them.
pub(crate) fn project(connection: &Connection, rows_max: u64) -> Result<u64> {
    let (from, hash) = cursor(connection)?;
    let journal = reader::journal(connection, from + 1, rows_max)?;
    let (last, head) = verify(journal.iter().map(|row| (&row.record, row.hash)), hash, from).map_err(damaged)?;
    if last == from {
        return Ok(last);
    }
    let mut projection = Projection::default();
    for row in &journal {
        projection.add(&row.record, row.entry.as_ref())?;
    }
    sums(connection, &projection)?;
    turnovers(connection, &projection)?;
    hours(connection, &projection)?;
    booked_orders(connection, &projection.orders)?;
    connection
        .prepare_cached("UPDATE cursor SET no = ?1, hash = ?2")?
        .execute(params![last.cast_signed(), head.0])?;
    Ok(last)
}

fn stored(find: &mut CachedStatement<'_>, key: impl rusqlite::Params) -> Result<i128> {
    let bytes: Option<[u8; 16]> = find.query_row(key, |row| row.get(0)).optional()?;
    Ok(bytes.map_or(0, i128::from_be_bytes))
}

fn add(before: i128, change: i128) -> Result<[u8; 16]> {
    before
        .checked_add(change)
        .map(i128::to_be_bytes)
        .ok_or_else(|| damaged("a sum leaves 128 bits"))
}

fn sums(connection: &Connection, projection: &Projection) -> Result<()> {
    let mut find =
        connection.prepare_cached("SELECT sum FROM account_sum WHERE event = ?1 AND account = ?2 AND asset = ?3")?;
    let mut put = connection.prepare_cached(
        "INSERT INTO account_sum VALUES (?1, ?2, ?3, ?4) ON CONFLICT (event, account, asset) DO UPDATE SET sum = ?4",
    )?;
    for (key, change) in &projection.totals.balances {
        let (event, account) = (key.event.bytes(), key.account_bytes());
        let before = stored(&mut find, params![event, account, key.asset.0])?;
        put.execute(params![event, account, key.asset.0, add(before, *change)?])?;
    }
    Ok(())
}

fn turnovers(connection: &Connection, projection: &Projection) -> Result<()> {
    let mut find =
        connection.prepare_cached("SELECT sum FROM turnover WHERE event = ?1 AND till = ?2 AND kind = ?3")?;
    let mut put = connection.prepare_cached(
        "INSERT INTO turnover VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (event, till, kind) DO UPDATE SET orders = orders + ?4, \
         sum = ?5, last_no = ?7",
    )?;
    for ((event, till, kind), change) in &projection.turnovers {
        let before = stored(&mut find, params![event.bytes(), till, kind])?;
        put.execute(params![
            event.bytes(),
            till,
            kind,
            change.orders.cast_signed(),
            add(before, change.total)?,
            change.first_no.cast_signed(),
            change.last_no.cast_signed(),
        ])?;
    }
    Ok(())
}

fn hours(connection: &Connection, projection: &Projection) -> Result<()> {
    let mut find = connection.prepare_cached(
        "SELECT total FROM order_hour WHERE event = ?1 AND hour_ms = ?2 AND till = ?3 AND kind = ?4 AND cashier = ?5 AND day = ?6",
    )?;
    let mut put = connection.prepare_cached(
        "INSERT INTO order_hour VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (event, hour_ms, till, kind, cashier, day) \
         DO UPDATE SET orders = orders + ?7, total = ?8, last_no = ?10",
    )?;
    for (key, change) in &projection.hours {
        let (event, hour_ms) = (key.event.bytes(), key.hour_ms.cast_signed());
        let (till, kind, cashier, day) = (key.till.0, key.kind.code(), key.cashier.0, orders::stored_day(key.day));
        let mut found = find.query(params![event, hour_ms, till, kind, cashier, day])?;
        let before = found.next()?.map_or(Ok(0), |row| rows::sum(row, 0))?;
        let total = before.checked_add(change.total);
        put.execute(params![
            event,
            hour_ms,
            till,
            kind,
            cashier,
            day,
            change.orders.cast_signed(),
            rows::compact(total.ok_or_else(|| damaged("a sum leaves 128 bits"))?),
            change.first_no.cast_signed(),
            change.last_no.cast_signed(),
        ])?;
    }
    Ok(())
}

fn booked_orders(connection: &Connection, orders: &[BookedOrder]) -> Result<()> {
    let mut insert =
        connection.prepare_cached("INSERT INTO booked_order VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    for booked in orders {
        let (no, order) = (booked.no.cast_signed(), &booked.order);
        insert.execute(params![
            no,
            order.event.bytes(),
            booked.day,
            order.kind.code(),
            order.till.0,
            order.cashier.0,
            order.taxpayer.0,
            order.holder.as_ref().map(TagId::as_slice),
            booked.row().closed_at_ms.cast_signed(),
            rows::compact(booked.total),
        ])?;
    }
    let lines: Vec<_> = orders.iter().flat_map(order_lines).collect();
    let many = lines.chunks_exact(LINES_AT_ONCE);
    let single = many.remainder().chunks(1);
    for rows in many.chain(single) {
        let places = vec!["(?, ?, ?, ?, ?, ?, ?, ?)"; rows.len()].join(", ");
        let sql = format!("INSERT INTO order_line VALUES {places}");
        connection
            .prepare_cached(&sql)?
            .execute(params_from_iter(rows.iter().flatten()))?;
    }
    Ok(())
}

/// The rows of an order's lines.
fn order_lines(booked: &BookedOrder) -> impl Iterator<Item = [i64; 8]> {
    let lines = (1..).zip(&booked.order.lines);
    lines.map(|(number, line)| {
        [
            booked.no.cast_signed(),
            number,
            line.kind.code().into(),
            line.article.0.into(),
            line.quantity.into(),
            line.unit_price.0,
            line.tax.0.into(),
            line.rate.0.into(),
        ]
    })
}
