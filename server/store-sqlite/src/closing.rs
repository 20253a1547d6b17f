//! Closings: rows in and out.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, params};
use shared_protocol::{TaxpayerId, TillId};
use store::{ClosedItem, ClosedReceipt, Closing, ClosingEnd, ClosingRow, TseNo};

use crate::error::{Result, damaged};
use crate::{rows, signing};

/// Reads for [`closing`].
pub(crate) const CLOSINGS: &str = "SELECT id, client, taxpayer, till, z_no, day, made_at_ms, supplement, first_receipt, receipts FROM closing WHERE id >= ?1 ORDER BY id LIMIT ?2";

/// Reads for [`item`].
pub(crate) const ITEMS: &str = "SELECT receipt, order_no, tse, transaction_no FROM closing_item WHERE closing = ?1 AND receipt >= ?2 \
     ORDER BY receipt LIMIT ?3";

/// Reads for [`receipt`]: the columns of the journal, then those of signing, then those of the transaction, then the item's.
pub(crate) const RECEIPTS: &str = "SELECT j.hash, j.record, j.terminal, j.epoch, j.branch, j.seq, j.status, j.order_id, j.day, j.raw, j.head_algorithm, \
     j.head_signature, s.no, s.state, s.tse, s.transaction_no, s.outage, s.doubt, t.tse, t.transaction_no, t.client, t.cart, t.started_s, \
     t.start_counter, t.start_signature, t.finished_s, t.counter, t.process_type, t.process_data, t.signature, c.receipt, c.order_no, c.tse, \
     c.transaction_no FROM closing_item c LEFT JOIN journal j ON j.no = c.order_no LEFT JOIN signing s ON s.no = c.order_no \
     LEFT JOIN tse_transaction t ON t.tse = coalesce(c.tse, s.tse) AND t.transaction_no = coalesce(c.transaction_no, s.transaction_no) \
     WHERE c.closing = ?1 AND c.receipt >= ?2 ORDER BY c.receipt LIMIT ?3";

/// Where the columns of [`RECEIPTS`] begin.
const SIGNING_AT: usize = 12;
const TRANSACTION_AT: usize = 18;
const ITEM_AT: usize = 30;

/// The closing of an order and its receipt number.
pub(crate) const OF_ORDER: &str = "SELECT closing, receipt FROM closing_item WHERE order_no = ?1";

/// Reads for [`end`].
pub(crate) const ENDS: &str = "SELECT client, taxpayer, max(z_no), max(first_receipt + receipts), max(day) FROM closing \
     GROUP BY client, taxpayer ORDER BY client, taxpayer";

/// Orders in no closing.
pub(crate) const UNCLOSED_ORDERS: &str = "SELECT no FROM unclosed_order WHERE no >= ?1 ORDER BY no LIMIT ?2";

/// Reads for [`transaction`](crate::signing::transaction).
pub(crate) const UNCLOSED_GIVEN_UP: &str = "SELECT t.tse, t.transaction_no, t.client, t.cart, t.started_s, t.start_counter, t.start_signature, \
     t.finished_s, t.counter, t.process_type, t.process_data, t.signature FROM unclosed_transaction u \
     JOIN tse_transaction t ON t.tse = u.tse AND t.transaction_no = u.transaction_no ORDER BY u.tse, u.transaction_no LIMIT ?1";

pub(crate) fn write(connection: &Connection, closings: &[Closing]) -> Result<()> {
    let mut put = connection.prepare_cached("INSERT INTO closing VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?;
    let mut put_item = connection.prepare_cached("INSERT INTO closing_item VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for Closing { row, items } in closings {
        put.execute(params![
            row.id.cast_signed(),
            row.client,
            row.taxpayer.0,
            row.till.0,
            row.z_no.cast_signed(),
            row.day,
            row.made_at_ms.cast_signed(),
            row.supplement,
            row.first_receipt.cast_signed(),
            row.receipts.cast_signed()
        ])?;
        for (receipt, item) in (row.first_receipt..).zip(items) {
            let (order, tse, transaction) = match item {
                ClosedItem::Order(no) => (Some(no.cast_signed()), None, None),
                ClosedItem::GivenUp(tse, transaction) => (None, Some(tse.0), Some(transaction.cast_signed())),
            };
            put_item.execute(params![
                row.id.cast_signed(),
                receipt.cast_signed(),
                order,
                tse,
                transaction
            ])?;
        }
    }
    Ok(())
}

pub(crate) fn closing(row: &Row<'_>) -> Result<ClosingRow> {
    Ok(ClosingRow {
        id: rows::bits(row, 0)?,
        client: row.get(1)?,
        taxpayer: TaxpayerId(rows::number(row, 2)?),
        till: TillId(rows::number(row, 3)?),
        z_no: rows::bits(row, 4)?,
        day: rows::number(row, 5)?,
        made_at_ms: rows::bits(row, 6)?,
        supplement: row.get(7)?,
        first_receipt: rows::bits(row, 8)?,
        receipts: rows::bits(row, 9)?,
    })
}

pub(crate) fn item(row: &Row<'_>) -> Result<(u64, ClosedItem)> {
    item_at(row, 0)
}

fn item_at(row: &Row<'_>, at: usize) -> Result<(u64, ClosedItem)> {
    let (order, transaction): (Option<i64>, Option<i64>) = (row.get(at + 1)?, row.get(at + 3)?);
    let item = match (order, transaction) {
        (Some(no), None) => ClosedItem::Order(no.cast_unsigned()),
        (None, Some(transaction)) => {
            ClosedItem::GivenUp(TseNo(rows::number(row, at + 2)?), transaction.cast_unsigned())
        }
        _ => return Err(damaged("a receipt of a closing is neither an order nor a transaction")),
    };
    Ok((rows::bits(row, at)?, item))
}

/// A receipt with all that belongs to it; what a join did not find is none.
pub(crate) fn receipt(row: &Row<'_>) -> Result<ClosedReceipt> {
    let (number, item) = item_at(row, ITEM_AT)?;
    let is_there = |column: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.is_some());
    let has_journal = !matches!(row.get_ref(0)?, ValueRef::Null);
    Ok(ClosedReceipt {
        number,
        item,
        journal: has_journal.then(|| rows::journal_row(row)).transpose()?,
        signing: is_there(SIGNING_AT)?
            .then(|| signing::order_at(row, SIGNING_AT))
            .transpose()?,
        transaction: is_there(TRANSACTION_AT)?
            .then(|| signing::transaction_at(row, TRANSACTION_AT))
            .transpose()?,
    })
}

pub(crate) fn end(row: &Row<'_>) -> Result<ClosingEnd> {
    Ok(ClosingEnd {
        client: row.get(0)?,
        taxpayer: TaxpayerId(rows::number(row, 1)?),
        z_no: rows::bits(row, 2)?,
        next_receipt: rows::bits(row, 3)?,
        last_day: rows::number(row, 4)?,
    })
}
