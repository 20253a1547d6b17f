//! What was signed: rows in and out.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use shared_protocol::{CartId, TaxpayerId};
use store::{
    ClientRow, OutageRow, RetiredRow, Signing, SigningRow, SigningState, TransactionEnd, TransactionRow, TseNo, TseRow,
    WishRow,
};

use crate::error::{Result, damaged};
use crate::rows;

/// Reads for [`tse`].
const TSES: &str = "SELECT no, serial, name, public_key, algorithm, certified, taxpayer, link, time_format, valid_until_ms, clients_max, signature_ms \
     FROM tse ORDER BY no";

/// The certificates of a TSE.
const CERTIFICATES: &str = "SELECT der FROM tse_certificate WHERE tse = ?1 ORDER BY place";

/// Reads for [`client`]: where tills are now.
pub(crate) const CLIENTS: &str =
    "SELECT tse, client, taxpayer, from_ms, until_ms FROM tse_client WHERE until_ms IS NULL ORDER BY client, taxpayer";

/// Reads for [`client`]: where one was.
pub(crate) const CLIENT_HISTORY: &str =
    "SELECT tse, client, taxpayer, from_ms, until_ms FROM tse_client WHERE client = ?1 ORDER BY taxpayer, from_ms, tse";

/// Reads for [`wish`].
pub(crate) const WISHES: &str =
    "SELECT client, taxpayer, tse, pinned, asked_at_ms, by FROM tse_wish ORDER BY client, taxpayer";

/// Reads for [`retired`].
pub(crate) const RETIRED: &str = "SELECT tse, at_ms, by, why, forced, done_ms, left_open FROM tse_retired ORDER BY tse";

/// Reads for [`transaction`]: one of them.
pub(crate) const TRANSACTION: &str = "SELECT tse, transaction_no, client, cart, started_s, start_counter, start_signature, finished_s, counter, process_type, \
     process_data, signature FROM tse_transaction WHERE tse = ?1 AND transaction_no = ?2";

/// Reads for [`transaction`]: those of a TSE from a number on.
pub(crate) const TRANSACTIONS: &str = "SELECT tse, transaction_no, client, cart, started_s, start_counter, start_signature, finished_s, counter, process_type, \
     process_data, signature FROM tse_transaction WHERE tse = ?1 AND transaction_no >= ?2 ORDER BY transaction_no LIMIT ?3";

/// Reads for [`transaction`]: those that have not ended.
pub(crate) const OPEN: &str = "SELECT tse, transaction_no, client, cart, started_s, start_counter, start_signature, finished_s, counter, process_type, \
     process_data, signature FROM tse_transaction WHERE finished_s IS NULL ORDER BY tse, transaction_no";

/// Where a TSE's numbers stand.
pub(crate) const COUNTERS: &str = "SELECT transaction_no, counter, time_s FROM tse_counter WHERE tse = ?1";

/// Reads for [`order`]: one of them.
pub(crate) const ORDER: &str = "SELECT no, state, tse, transaction_no, outage, doubt FROM signing WHERE no = ?1";

/// Reads for [`order`]: those of a range of journal numbers.
pub(crate) const ORDERS: &str =
    "SELECT no, state, tse, transaction_no, outage, doubt FROM signing WHERE no BETWEEN ?1 AND ?2 ORDER BY no";

/// Reads for [`order`]: those marked as unsigned.
pub(crate) const UNSIGNED: &str = "SELECT no, state, tse, transaction_no, outage, doubt FROM signing WHERE state = 3 AND no >= ?1 ORDER BY no LIMIT ?2";

/// Reads for [`order`]: those that an open transaction may have signed.
pub(crate) const DOUBTS: &str = "SELECT s.no, s.state, s.tse, s.transaction_no, s.outage, s.doubt FROM tse_transaction t \
     JOIN signing s ON s.tse = t.tse AND s.doubt = t.transaction_no WHERE t.finished_s IS NULL AND s.state = 3 ORDER BY s.no";

/// Reads for [`outage`].
pub(crate) const OUTAGES: &str =
    "SELECT id, tse, client, from_ms, until_ms, reason FROM outage WHERE id >= ?1 ORDER BY id LIMIT ?2";

pub(crate) fn write(connection: &Connection, signing: &Signing) -> Result<()> {
    if signing.is_empty() {
        return Ok(());
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO tse VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (no) DO UPDATE SET name = ?3, \
         link = ?8, time_format = ?9, valid_until_ms = ?10, clients_max = ?11, signature_ms = ?12",
    )?;
    for row in &signing.tses {
        put.execute(params![
            row.no.0,
            row.serial,
            row.name,
            row.public_key,
            row.algorithm,
            row.certified,
            row.taxpayer.0,
            row.link,
            row.time_format,
            row.valid_until_ms.map(u64::cast_signed),
            row.clients_max,
            row.signature_ms
        ])?;
        certificates(connection, row)?;
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO tse_client VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (client, taxpayer, from_ms, tse) DO UPDATE SET until_ms = ?5",
    )?;
    for row in &signing.clients {
        put.execute(params![
            row.client,
            row.taxpayer.0,
            row.from_ms.cast_signed(),
            row.tse.0,
            row.until_ms.map(u64::cast_signed)
        ])?;
    }
    office(connection, signing)?;
    crate::closing::write(connection, &signing.closings)?;
    if let Some(done_to) = signing.done_to {
        let mut put = connection.prepare_cached("UPDATE signing_progress SET no = max(no, ?1)")?;
        put.execute([done_to.cast_signed()])?;
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO tse_transaction VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (tse, transaction_no) \
         DO UPDATE SET finished_s = ?8, counter = ?9, process_type = ?10, process_data = ?11, signature = ?12",
    )?;
    for row in &signing.transactions {
        let end = row.end.as_ref();
        put.execute(params![
            row.tse.0,
            row.transaction.cast_signed(),
            row.client,
            row.cart.bytes(),
            row.started_s.cast_signed(),
            row.start_counter.cast_signed(),
            row.start_signature,
            end.map(|end| end.time_s.cast_signed()),
            end.map(|end| end.counter.cast_signed()),
            end.map(|end| &end.process_type),
            end.map(|end| &end.process_data),
            end.map(|end| &end.signature),
        ])?;
    }
    counters(connection, &signing.transactions)?;
    let mut put = connection.prepare_cached(
        "INSERT INTO outage VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET from_ms = ?4, until_ms = ?5",
    )?;
    for row in &signing.outages {
        put.execute(params![
            row.id.cast_signed(),
            row.tse.map(|tse| tse.0),
            row.client,
            row.from_ms.cast_signed(),
            row.until_ms.map(u64::cast_signed),
            row.reason
        ])?;
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO signing VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (no) DO UPDATE SET state = ?2, tse = ?3, transaction_no = ?4, \
         outage = ?5, doubt = ?6",
    )?;
    for row in &signing.orders {
        put.execute(params![
            row.no.cast_signed(),
            row.state.code(),
            row.tse.0,
            row.transaction.map(u64::cast_signed),
            row.outage.map(u64::cast_signed),
            row.doubt.map(u64::cast_signed),
        ])?;
    }
    Ok(())
}

/// What people want of TSEs.
fn office(connection: &Connection, signing: &Signing) -> Result<()> {
    for row in &signing.wishes {
        let Some(tse) = row.tse else {
            connection
                .prepare_cached("DELETE FROM tse_wish WHERE client = ?1 AND taxpayer = ?2")?
                .execute(params![row.client, row.taxpayer.0])?;
            continue;
        };
        let mut put = connection.prepare_cached(
            "INSERT INTO tse_wish VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (client, taxpayer) DO UPDATE SET tse = ?3, pinned = ?4, \
             asked_at_ms = ?5, by = ?6",
        )?;
        put.execute(params![
            row.client,
            row.taxpayer.0,
            tse.0,
            row.pinned,
            row.asked_at_ms.cast_signed(),
            row.by
        ])?;
    }
    for row in &signing.retired {
        let mut put = connection.prepare_cached(
            "INSERT INTO tse_retired VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (tse) DO UPDATE SET at_ms = ?2, by = ?3, why = ?4, \
             forced = ?5, done_ms = ?6, left_open = ?7",
        )?;
        put.execute(params![
            row.tse.0,
            row.at_ms.cast_signed(),
            row.by,
            row.why,
            row.forced,
            row.done_ms.map(u64::cast_signed),
            row.left_open.cast_signed()
        ])?;
    }
    Ok(())
}

/// A device whose certificate was renewed has another chain.
fn certificates(connection: &Connection, row: &TseRow) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM tse_certificate WHERE tse = ?1")?
        .execute([row.no.0])?;
    let mut put = connection.prepare_cached("INSERT INTO tse_certificate VALUES (?1, ?2, ?3)")?;
    for (place, der) in (0_i64..).zip(&row.certificates) {
        put.execute(params![row.no.0, place, der])?;
    }
    Ok(())
}

/// All TSEs with their certificates.
pub(crate) fn tses(connection: &Connection) -> Result<Vec<TseRow>> {
    let mut found = crate::reader::all(connection, TSES, [], tse)?;
    for row in &mut found {
        row.certificates = crate::reader::all(connection, CERTIFICATES, [row.no.0], |row| Ok(row.get(0)?))?;
    }
    Ok(found)
}

pub(crate) fn client(row: &Row<'_>) -> Result<ClientRow> {
    Ok(ClientRow {
        tse: tse_no(row, 0)?,
        client: row.get(1)?,
        taxpayer: TaxpayerId(rows::number(row, 2)?),
        from_ms: rows::bits(row, 3)?,
        until_ms: optional_bits(row, 4)?,
    })
}

pub(crate) fn wish(row: &Row<'_>) -> Result<WishRow> {
    Ok(WishRow {
        client: row.get(0)?,
        taxpayer: TaxpayerId(rows::number(row, 1)?),
        tse: Some(tse_no(row, 2)?),
        pinned: row.get(3)?,
        asked_at_ms: rows::bits(row, 4)?,
        by: row.get(5)?,
    })
}

pub(crate) fn retired(row: &Row<'_>) -> Result<RetiredRow> {
    Ok(RetiredRow {
        tse: tse_no(row, 0)?,
        at_ms: rows::bits(row, 1)?,
        by: row.get(2)?,
        why: row.get(3)?,
        forced: row.get(4)?,
        done_ms: optional_bits(row, 5)?,
        left_open: rows::bits(row, 6)?,
    })
}

/// Moves the numbers of the TSEs to the latest of their transactions.
fn counters(connection: &Connection, transactions: &[TransactionRow]) -> Result<()> {
    let mut latest = BTreeMap::<TseNo, (i64, i64, i64)>::new();
    for row in transactions {
        let (counter, time_s) = row.end.as_ref().map_or((0, 0), |end| (end.counter, end.time_s));
        let known = latest.entry(row.tse).or_default();
        *known = (
            known.0.max(row.transaction.cast_signed()),
            known.1.max(row.start_counter.cast_signed()).max(counter.cast_signed()),
            known.2.max(row.started_s.cast_signed()).max(time_s.cast_signed()),
        );
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO tse_counter VALUES (?1, ?2, ?3, ?4) ON CONFLICT (tse) DO UPDATE SET transaction_no = max(transaction_no, ?2), \
         counter = max(counter, ?3), time_s = max(time_s, ?4)",
    )?;
    for (tse, (transaction, counter, time_s)) in latest {
        put.execute(params![tse.0, transaction, counter, time_s])?;
    }
    Ok(())
}

fn optional_bits(row: &Row<'_>, column: usize) -> Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned))
}

fn tse_no(row: &Row<'_>, column: usize) -> Result<TseNo> {
    rows::number(row, column).map(TseNo)
}

pub(crate) fn state(row: &Row<'_>, column: usize) -> Result<SigningState> {
    let code = rows::number(row, column)?;
    SigningState::from_code(code).ok_or_else(|| damaged(format_args!("an order came off as {code}")))
}

fn tse(row: &Row<'_>) -> Result<TseRow> {
    Ok(TseRow {
        no: tse_no(row, 0)?,
        serial: rows::hash(row, 1)?.0,
        name: row.get(2)?,
        public_key: row.get(3)?,
        algorithm: row.get(4)?,
        certified: row.get(5)?,
        taxpayer: TaxpayerId(rows::number(row, 6)?),
        link: row.get(7)?,
        time_format: row.get(8)?,
        valid_until_ms: optional_bits(row, 9)?,
        clients_max: rows::number(row, 10)?,
        signature_ms: rows::number(row, 11)?,
        certificates: Vec::new(),
    })
}

pub(crate) fn transaction(row: &Row<'_>) -> Result<TransactionRow> {
    transaction_at(row, 0)
}

/// The same from a column on.
pub(crate) fn transaction_at(row: &Row<'_>, at: usize) -> Result<TransactionRow> {
    let cart: Vec<u8> = row.get(at + 3)?;
    let end = match optional_bits(row, at + 7)? {
        Some(time_s) => Some(TransactionEnd {
            time_s,
            counter: rows::bits(row, at + 8)?,
            process_type: row.get(at + 9)?,
            process_data: row.get(at + 10)?,
            signature: row.get(at + 11)?,
        }),
        None => None,
    };
    Ok(TransactionRow {
        tse: tse_no(row, at)?,
        transaction: rows::bits(row, at + 1)?,
        client: row.get(at + 2)?,
        cart: CartId::from_slice(&cart).ok_or_else(|| damaged("a cart's id has another length"))?,
        started_s: rows::bits(row, at + 4)?,
        start_counter: rows::bits(row, at + 5)?,
        start_signature: row.get(at + 6)?,
        end,
    })
}

pub(crate) fn order(row: &Row<'_>) -> Result<SigningRow> {
    order_at(row, 0)
}

/// The same from a column on.
pub(crate) fn order_at(row: &Row<'_>, at: usize) -> Result<SigningRow> {
    Ok(SigningRow {
        no: rows::number(row, at)?,
        state: state(row, at + 1)?,
        tse: tse_no(row, at + 2)?,
        transaction: optional_bits(row, at + 3)?,
        outage: optional_bits(row, at + 4)?,
        doubt: optional_bits(row, at + 5)?,
    })
}

pub(crate) fn outage(row: &Row<'_>) -> Result<OutageRow> {
    Ok(OutageRow {
        id: rows::bits(row, 0)?,
        tse: match row.get::<_, Option<i64>>(1)? {
            Some(_) => Some(tse_no(row, 1)?),
            None => None,
        },
        client: row.get(2)?,
        from_ms: rows::bits(row, 3)?,
        until_ms: optional_bits(row, 4)?,
        reason: row.get(5)?,
    })
}
