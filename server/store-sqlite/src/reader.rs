//! The read side: its own connection, read-only, from any thread.

use std::collections::BTreeMap;
use std::path::Path;

use festival::purse::Purse;
use festival::registration::Slot;
use ledger::{AccountKey, Balance, View};
use rusqlite::{Connection, Params, Row, params};
use shared_protocol::crypto::Hash32;
use shared_protocol::stream::{Copy as Items, Stream, Version};
use shared_protocol::{Amount, AssetId, EventId, SlotId, TagId, TerminalId};
use store::{
    AuditRow, CaseFilter, CaseNote, CaseRow, Chain, ClientRow, ClosedItem, ClosedReceipt, ClosingEnd, ClosingRow,
    ExportRow, HourRow, JournalRow, OrderFilter, OrderRow, OutageRow, Reader, RetiredRow, SessionRow, SigningRow,
    SigningState, StoreError, StoredCase, TaxRow, TerminalNo, TerminalRow, Totals, TransactionRow, TseNo, TseRow,
    UserRow, WishRow,
};

use crate::connection::{Place, reading};
use crate::error::Result;
use crate::{closing, office, orders, purses, rows, signing, startup};

/// Reads what is committed.
#[derive(Debug)]
pub struct SqliteReader {
    connection: Connection,
}

/// Numbers beyond the largest that a table can have ask for nothing.
pub(crate) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(crate) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(params)?;
    let mut values = Vec::new();
    while let Some(row) = found.next()? {
        values.push(read(row)?);
    }
    Ok(values)
}

pub(crate) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Option<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(params)?;
    found.next()?.map(read).transpose()
}

/// Rows by their numbers, on one state of the database; one look-up takes about as long as a step through a range.
fn each<T>(
    connection: &Connection,
    sql: &str,
    numbers: &[u64],
    read: impl Fn(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let together = connection.unchecked_transaction()?;
    let mut values = Vec::with_capacity(numbers.len());
    for no in numbers {
        values.extend(first(&together, sql, [count(*no)], &read)?);
    }
    Ok(values)
}

pub(crate) fn head(connection: &Connection) -> Result<(u64, Hash32)> {
    let last = first(
        connection,
        "SELECT no, hash FROM journal ORDER BY no DESC LIMIT 1",
        [],
        |row| Ok((rows::number(row, 0)?, rows::hash(row, 1)?)),
    )?;
    Ok(last.unwrap_or((0, Hash32::ZERO)))
}

pub(crate) fn journal(connection: &Connection, from_no: u64, rows_max: u64) -> Result<Vec<JournalRow>> {
    let sql = format!(
        "SELECT {} FROM journal WHERE no >= ?1 ORDER BY no LIMIT ?2",
        rows::JOURNAL_COLUMNS
    );
    all(
        connection,
        &sql,
        params![count(from_no), count(rows_max)],
        rows::journal_row,
    )
}

impl SqliteReader {
    /// Opens a database for reading only, beside a server that may be writing to it. `vfs` as in [`Options::vfs`](crate::Options::vfs).
    pub fn open(path: impl AsRef<Path>, vfs: Option<&str>) -> std::result::Result<Self, StoreError> {
        Ok(Self::at(&Place::new(path.as_ref(), vfs))?)
    }

    pub(crate) fn at(place: &Place) -> Result<Self> {
        let connection = place.reader()?;
        startup::assert_current(&connection)?;
        Ok(Self { connection })
    }

    fn view(connection: &Connection, event: EventId) -> Result<View> {
        let (last_no, head) = head(connection)?;
        let sql = "SELECT event, account, asset, balance FROM balance WHERE event = ?1";
        let accounts = all(connection, sql, [event.bytes()], |row| {
            Ok((
                rows::account_key(row, 0)?,
                Balance {
                    balance: Amount(row.get(3)?),
                    held: Amount::ZERO,
                },
            ))
        })?;
        let sql = "SELECT event, account, asset, expires_at_ms, remaining FROM lot WHERE event = ?1";
        let lots = all(connection, sql, [event.bytes()], |row| {
            Ok(((rows::account_key(row, 0)?, rows::bits(row, 3)?), Amount(row.get(4)?)))
        })?;
        Ok(View {
            accounts: accounts.into_iter().collect(),
            lots: lots.into_iter().collect(),
            last_no,
            head: Some(head),
            ..View::default()
        })
    }

    fn sums(connection: &Connection, event: EventId) -> Result<Totals> {
        let sql = "SELECT event, account, asset, sum FROM account_sum WHERE event = ?1";
        let accounts: Vec<(AccountKey, i128)> = all(connection, sql, [event.bytes()], |row| {
            Ok((rows::account_key(row, 0)?, rows::wide(row, 3)?))
        })?;
        let sql = "SELECT till, kind, orders, sum FROM turnover WHERE event = ?1";
        let turnovers = all(connection, sql, [event.bytes()], |row| {
            Ok((
                rows::number(row, 0)?,
                rows::number(row, 1)?,
                (rows::number(row, 2)?, rows::wide(row, 3)?),
            ))
        })?;
        let projected = first(connection, "SELECT no FROM cursor", [], |row| rows::number(row, 0))?;
        Ok(Totals {
            projected_no: projected.unwrap_or(0),
            last_no: head(connection)?.0,
            accounts: accounts.into_iter().collect(),
            ..Totals::of_turnovers(turnovers)
        })
    }

    fn items(connection: &Connection, event: EventId, stream: Stream, at: Option<Version>) -> Result<Option<Items>> {
        let read = |row: &Row<'_>| {
            Ok(Version {
                generation: rows::number(row, 0)?,
                rev: rows::number(row, 1)?,
            })
        };
        let sql = "SELECT generation, rev FROM stream_version WHERE event = ?1 AND stream = ?2 ORDER BY generation DESC, rev DESC LIMIT 1";
        let known = match at {
            None => first(connection, sql, params![event.bytes(), stream.code()], read)?,
            Some(at) => first(
                connection,
                "SELECT generation, rev FROM stream_version WHERE event = ?1 AND stream = ?2 AND generation = ?3 AND rev = ?4",
                params![event.bytes(), stream.code(), at.generation, count(at.rev)],
                read,
            )?,
        };
        let Some(version) = known else { return Ok(None) };
        // Two steps through the index for each key, however many values it has had.
        let mut next_key = connection.prepare_cached(
            "SELECT key FROM stream_item WHERE event = ?1 AND stream = ?2 AND key > ?3 ORDER BY key LIMIT 1",
        )?;
        let mut items = BTreeMap::new();
        // No key is shorter than the empty one, which may be a key itself.
        let mut key = first(
            connection,
            "SELECT key FROM stream_item WHERE event = ?1 AND stream = ?2 ORDER BY key LIMIT 1",
            params![event.bytes(), stream.code()],
            |row| Ok(rows::bytes(row, 0)?.to_vec()),
        )?;
        while let Some(last) = key {
            let value = first(
                connection,
                "SELECT value FROM stream_item WHERE event = ?1 AND stream = ?2 AND key = ?3 AND (generation, rev) <= (?4, ?5) \
                 ORDER BY generation DESC, rev DESC LIMIT 1",
                params![
                    event.bytes(),
                    stream.code(),
                    last,
                    version.generation,
                    count(version.rev)
                ],
                |row| Ok(row.get::<_, Option<Vec<u8>>>(0)?),
            )?;
            let mut asked = next_key.query(params![event.bytes(), stream.code(), last])?;
            let next = asked
                .next()?
                .map(|row| Ok::<_, crate::error::Failure>(rows::bytes(row, 0)?.to_vec()))
                .transpose()?;
            if let Some(value) = value.flatten() {
                items.insert(last, value);
            }
            key = next;
        }
        Ok(Some(Items { version, items }))
    }
}

impl Reader for SqliteReader {
    fn head(&mut self) -> std::result::Result<(u64, Hash32), StoreError> {
        Ok(head(&self.connection)?)
    }

    fn journal(&mut self, from_no: u64, rows_max: u64) -> std::result::Result<Vec<JournalRow>, StoreError> {
        Ok(journal(&self.connection, from_no, rows_max)?)
    }

    fn journal_rows(&mut self, numbers: &[u64]) -> std::result::Result<Vec<JournalRow>, StoreError> {
        let sql = format!("SELECT {} FROM journal WHERE no = ?1", rows::JOURNAL_COLUMNS);
        Ok(each(&self.connection, &sql, numbers, rows::journal_row)?)
    }

    fn terminals(&mut self) -> std::result::Result<Vec<TerminalRow>, StoreError> {
        let sql = format!("SELECT {} FROM terminal ORDER BY no", rows::TERMINAL_COLUMNS);
        Ok(all(&self.connection, &sql, [], rows::terminal)?)
    }

    fn terminal(&mut self, id: TerminalId) -> std::result::Result<Option<TerminalRow>, StoreError> {
        let sql = format!("SELECT {} FROM terminal WHERE id = ?1", rows::TERMINAL_COLUMNS);
        Ok(first(&self.connection, &sql, [id.bytes()], rows::terminal)?)
    }

    fn chains(&mut self, terminal: TerminalNo) -> std::result::Result<Vec<Chain>, StoreError> {
        let sql = format!(
            "SELECT {} FROM chain WHERE terminal = ?1 ORDER BY epoch, branch",
            rows::CHAIN_COLUMNS
        );
        Ok(all(&self.connection, &sql, [terminal.0], rows::chain)?)
    }

    fn slot(&mut self, id: SlotId) -> std::result::Result<Option<Slot>, StoreError> {
        let sql = format!("SELECT {} FROM slot WHERE id = ?1", rows::SLOT_COLUMNS);
        Ok(first(&self.connection, &sql, [id.bytes()], rows::slot)?)
    }

    fn slots(&mut self) -> std::result::Result<Vec<Slot>, StoreError> {
        let sql = format!("SELECT {} FROM slot ORDER BY id", rows::SLOT_COLUMNS);
        Ok(all(&self.connection, &sql, [], rows::slot)?)
    }

    fn stream(
        &mut self,
        event: EventId,
        stream: Stream,
        at: Option<Version>,
    ) -> std::result::Result<Option<Items>, StoreError> {
        Ok(reading(&self.connection, |connection| {
            Self::items(connection, event, stream, at)
        })?)
    }

    fn cases(&mut self, from_id: u64, rows_max: u64) -> std::result::Result<Vec<StoredCase>, StoreError> {
        let sql = format!(
            "SELECT {} FROM cases WHERE id >= ?1 ORDER BY id LIMIT ?2",
            rows::CASE_COLUMNS
        );
        Ok(all(
            &self.connection,
            &sql,
            params![count(from_id), count(rows_max)],
            rows::stored_case,
        )?)
    }

    fn case_counts(&mut self) -> std::result::Result<BTreeMap<u16, (u64, i128)>, StoreError> {
        // In two halves, because a sum of stakes may leave 64 bits.
        let sql = "SELECT kind, count(*), sum(stake >> 32), sum(stake & 4294967295) FROM cases GROUP BY kind";
        let counts = all(&self.connection, sql, [], |row| {
            Ok((rows::number(row, 0)?, (rows::number(row, 1)?, rows::halves(row, 2)?)))
        })?;
        Ok(counts.into_iter().collect())
    }

    fn balances(&mut self, event: EventId) -> std::result::Result<View, StoreError> {
        Ok(reading(&self.connection, |connection| Self::view(connection, event))?)
    }

    fn totals(&mut self, event: EventId) -> std::result::Result<Totals, StoreError> {
        Ok(reading(&self.connection, |connection| Self::sums(connection, event))?)
    }

    fn posting_no(&mut self, id: ledger::PostingId) -> std::result::Result<Option<u64>, StoreError> {
        let sql = "SELECT no FROM journal WHERE posting = ?1";
        Ok(first(&self.connection, sql, [id.0.bytes()], |row| {
            rows::number(row, 0)
        })?)
    }

    fn tse_counters(&mut self, tse: TseNo) -> std::result::Result<(u64, u64, u64), StoreError> {
        let counters = first(&self.connection, signing::COUNTERS, [tse.0], |row| {
            Ok((rows::bits(row, 0)?, rows::bits(row, 1)?, rows::bits(row, 2)?))
        })?;
        Ok(counters.unwrap_or_default())
    }

    fn tses(&mut self) -> std::result::Result<Vec<TseRow>, StoreError> {
        Ok(reading(&self.connection, signing::tses)?)
    }

    fn clients(&mut self) -> std::result::Result<Vec<ClientRow>, StoreError> {
        Ok(all(&self.connection, signing::CLIENTS, [], signing::client)?)
    }

    fn client_history(&mut self, client: &str) -> std::result::Result<Vec<ClientRow>, StoreError> {
        Ok(all(
            &self.connection,
            signing::CLIENT_HISTORY,
            [client],
            signing::client,
        )?)
    }

    fn wishes(&mut self) -> std::result::Result<Vec<WishRow>, StoreError> {
        Ok(all(&self.connection, signing::WISHES, [], signing::wish)?)
    }

    fn retired(&mut self) -> std::result::Result<Vec<RetiredRow>, StoreError> {
        Ok(all(&self.connection, signing::RETIRED, [], signing::retired)?)
    }

    fn exports(&mut self, before_id: Option<u64>, rows_max: u64) -> std::result::Result<Vec<ExportRow>, StoreError> {
        let (before, rows_max) = (before_id.map_or(i64::MAX, count), count(rows_max));
        Ok(reading(&self.connection, |connection| {
            crate::export::exports(connection, before, rows_max)
        })?)
    }

    fn transaction(&mut self, tse: TseNo, transaction: u64) -> std::result::Result<Option<TransactionRow>, StoreError> {
        let key = params![tse.0, count(transaction)];
        Ok(first(
            &self.connection,
            signing::TRANSACTION,
            key,
            signing::transaction,
        )?)
    }

    fn transactions(
        &mut self,
        tse: TseNo,
        from_transaction: u64,
        rows_max: u64,
    ) -> std::result::Result<Vec<TransactionRow>, StoreError> {
        let page = params![tse.0, count(from_transaction), count(rows_max)];
        Ok(all(
            &self.connection,
            signing::TRANSACTIONS,
            page,
            signing::transaction,
        )?)
    }

    fn open_transactions(&mut self) -> std::result::Result<Vec<TransactionRow>, StoreError> {
        Ok(all(&self.connection, signing::OPEN, [], signing::transaction)?)
    }

    fn signed_to(&mut self) -> std::result::Result<u64, StoreError> {
        Ok(orders::signed_to(&self.connection)?)
    }

    fn signing(&mut self, no: u64) -> std::result::Result<Option<SigningRow>, StoreError> {
        Ok(first(&self.connection, signing::ORDER, [count(no)], signing::order)?)
    }

    fn signings(&mut self, numbers: &[u64]) -> std::result::Result<Vec<SigningRow>, StoreError> {
        Ok(each(&self.connection, signing::ORDER, numbers, signing::order)?)
    }

    fn signings_between(&mut self, from_no: u64, to_no: u64) -> std::result::Result<Vec<SigningRow>, StoreError> {
        let range = [count(from_no), count(to_no)];
        Ok(all(&self.connection, signing::ORDERS, range, signing::order)?)
    }

    fn unsigned(&mut self, from_no: u64, rows_max: u64) -> std::result::Result<Vec<SigningRow>, StoreError> {
        let page = params![count(from_no), count(rows_max)];
        Ok(all(&self.connection, signing::UNSIGNED, page, signing::order)?)
    }

    fn doubts(&mut self) -> std::result::Result<Vec<SigningRow>, StoreError> {
        Ok(all(&self.connection, signing::DOUBTS, [], signing::order)?)
    }

    fn closings(&mut self, from_id: u64, rows_max: u64) -> std::result::Result<Vec<ClosingRow>, StoreError> {
        let parameters = [count(from_id), count(rows_max)];
        Ok(all(&self.connection, closing::CLOSINGS, parameters, closing::closing)?)
    }

    fn closed_items(
        &mut self,
        closing: u64,
        from_receipt: u64,
        rows_max: u64,
    ) -> std::result::Result<Vec<(u64, ClosedItem)>, StoreError> {
        let parameters = [count(closing), count(from_receipt), count(rows_max)];
        Ok(all(&self.connection, closing::ITEMS, parameters, closing::item)?)
    }

    fn closed_receipts(
        &mut self,
        closing: u64,
        from_receipt: u64,
        rows_max: u64,
    ) -> std::result::Result<Vec<ClosedReceipt>, StoreError> {
        let parameters = [count(closing), count(from_receipt), count(rows_max)];
        Ok(all(&self.connection, closing::RECEIPTS, parameters, closing::receipt)?)
    }

    fn closing_of(&mut self, no: u64) -> std::result::Result<Option<(u64, u64)>, StoreError> {
        Ok(first(&self.connection, closing::OF_ORDER, [count(no)], |row| {
            Ok((rows::bits(row, 0)?, rows::bits(row, 1)?))
        })?)
    }

    fn closing_ends(&mut self) -> std::result::Result<Vec<ClosingEnd>, StoreError> {
        Ok(all(&self.connection, closing::ENDS, [], closing::end)?)
    }

    fn unclosed_orders(&mut self, from_no: u64, rows_max: u64) -> std::result::Result<Vec<u64>, StoreError> {
        let parameters = [count(from_no), count(rows_max)];
        Ok(all(&self.connection, closing::UNCLOSED_ORDERS, parameters, |row| {
            rows::bits(row, 0)
        })?)
    }

    fn unclosed_given_up(&mut self, rows_max: u64) -> std::result::Result<Vec<TransactionRow>, StoreError> {
        let sql = closing::UNCLOSED_GIVEN_UP;
        Ok(all(&self.connection, sql, [count(rows_max)], signing::transaction)?)
    }

    fn signing_counts(&mut self) -> std::result::Result<BTreeMap<SigningState, u64>, StoreError> {
        let sql = "SELECT state, orders FROM signing_count WHERE orders > 0";
        let counts = all(&self.connection, sql, [], |row| {
            Ok((signing::state(row, 0)?, rows::number(row, 1)?))
        })?;
        Ok(counts.into_iter().collect())
    }

    fn outages(&mut self, from_id: u64, rows_max: u64) -> std::result::Result<Vec<OutageRow>, StoreError> {
        let page = params![count(from_id), count(rows_max)];
        Ok(all(&self.connection, signing::OUTAGES, page, signing::outage)?)
    }

    fn orders(
        &mut self,
        event: EventId,
        filter: &OrderFilter,
        before_no: Option<u64>,
        rows_max: u64,
    ) -> std::result::Result<Vec<OrderRow>, StoreError> {
        Ok(reading(&self.connection, |connection| {
            orders::page(connection, event, filter, before_no, rows_max)
        })?)
    }

    fn order_sums(&mut self, event: EventId, filter: &OrderFilter) -> std::result::Result<(u64, i128), StoreError> {
        Ok(reading(&self.connection, |connection| {
            orders::sums(connection, event, filter)
        })?)
    }

    fn hours(&mut self, event: EventId, from_ms: u64, to_ms: u64) -> std::result::Result<Vec<HourRow>, StoreError> {
        Ok(orders::hours(&self.connection, event, from_ms, to_ms)?)
    }

    fn first_waiting(&mut self) -> std::result::Result<Option<(u64, u64)>, StoreError> {
        Ok(reading(&self.connection, orders::first_waiting)?)
    }

    fn case(&mut self, id: u64) -> std::result::Result<Option<CaseRow>, StoreError> {
        Ok(first(&self.connection, office::CASE, [count(id)], office::case)?)
    }

    fn case_notes(&mut self, case: u64) -> std::result::Result<Vec<CaseNote>, StoreError> {
        Ok(all(&self.connection, office::NOTES, [count(case)], office::note)?)
    }

    fn case_list(
        &mut self,
        filter: &CaseFilter,
        before_id: Option<u64>,
        rows_max: u64,
    ) -> std::result::Result<Vec<CaseRow>, StoreError> {
        let before = before_id.map_or(i64::MAX, count);
        Ok(office::cases(&self.connection, filter, before, rows_max)?)
    }

    fn open_cases(&mut self) -> std::result::Result<(u64, i128), StoreError> {
        let open = first(&self.connection, office::OPEN_CASES, [], |row| {
            Ok((rows::number(row, 0)?, rows::halves(row, 1)?))
        })?;
        Ok(open.unwrap_or_default())
    }

    fn users(&mut self) -> std::result::Result<Vec<UserRow>, StoreError> {
        Ok(all(&self.connection, office::USERS, [], office::user)?)
    }

    fn user(&mut self, name: &str) -> std::result::Result<Option<UserRow>, StoreError> {
        Ok(first(&self.connection, office::USER, [name], office::user)?)
    }

    fn session(&mut self, token: &[u8; 32]) -> std::result::Result<Option<SessionRow>, StoreError> {
        Ok(first(&self.connection, office::SESSION, [token], office::session)?)
    }

    fn audit(
        &mut self,
        object: Option<&str>,
        before: Option<u64>,
        rows_max: u64,
    ) -> std::result::Result<Vec<(u64, AuditRow)>, StoreError> {
        let (before, rows_max) = (before.map_or(i64::MAX, count), count(rows_max));
        Ok(match object {
            None => all(
                &self.connection,
                office::AUDIT,
                params![before, rows_max],
                office::audit,
            )?,
            Some(object) => all(
                &self.connection,
                office::AUDIT_OF,
                params![before, rows_max, object],
                office::audit,
            )?,
        })
    }

    fn tax(
        &mut self,
        event: EventId,
        from_no: u64,
        rows_max: u64,
    ) -> std::result::Result<Vec<(u64, TaxRow)>, StoreError> {
        let page = params![event.bytes(), count(from_no), count(rows_max)];
        Ok(all(&self.connection, office::TAX, page, office::tax)?)
    }

    fn purse(&mut self, event: EventId, tag: TagId) -> std::result::Result<Option<Purse>, StoreError> {
        Ok(reading(&self.connection, |connection| {
            purses::one(connection, event, tag)
        })?)
    }

    fn purses(
        &mut self,
        event: EventId,
        after: Option<TagId>,
        rows_max: u64,
    ) -> std::result::Result<Vec<(TagId, Purse)>, StoreError> {
        Ok(reading(&self.connection, |connection| {
            purses::page(connection, event, after, rows_max)
        })?)
    }

    fn purse_gaps(
        &mut self,
        event: EventId,
        since_ms: u64,
        rows_max: u64,
    ) -> std::result::Result<Vec<TagId>, StoreError> {
        Ok(reading(&self.connection, |connection| {
            purses::gaps(connection, event, since_ms, rows_max)
        })?)
    }

    fn balance(&mut self, event: EventId, tag: TagId) -> std::result::Result<Vec<(AccountKey, Amount)>, StoreError> {
        let sql = "SELECT asset, balance FROM balance WHERE event = ?1 AND account = ?2 ORDER BY asset";
        Ok(reading(&self.connection, |connection| {
            let mut found = Vec::new();
            for account in store::accounts_of(tag) {
                let key = |asset| AccountKey { event, account, asset };
                let bytes = key(AssetId::EURO).account_bytes();
                found.extend(all(connection, sql, params![event.bytes(), bytes], |row| {
                    Ok((key(AssetId(rows::number(row, 0)?)), Amount(row.get(1)?)))
                })?);
            }
            Ok(found)
        })?)
    }

    fn fact(&mut self, name: &str) -> std::result::Result<Option<Vec<u8>>, StoreError> {
        Ok(first(
            &self.connection,
            "SELECT value FROM fact WHERE name = ?1",
            [name],
            |row| Ok(rows::bytes(row, 0)?.to_vec()),
        )?)
    }
}
