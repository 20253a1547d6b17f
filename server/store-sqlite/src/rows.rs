//! Between rows of the tables and the types of the store.

use festival::registration::{Slot, SlotState};
use ledger::{Account, AccountKey, Record};
use rusqlite::Row;
use rusqlite::types::{Value, ValueRef};
use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::{Algorithm, Hash32, PublicKey, Signature};
use shared_protocol::ids::Bytes;
use shared_protocol::message::TerminalState;
use shared_protocol::{AssetId, EventId, OrderId, SlotId, TerminalId, TillId, decode};
use store::{Chain, ChainKey, EntryRow, EntryStatus, JournalRow, OpenCase, StoredCase, TerminalNo, TerminalRow};

use crate::error::{Result, damaged};

pub(crate) fn bytes<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a [u8]> {
    Ok(row.get_ref(column)?.as_blob().map_err(rusqlite::Error::from)?)
}

pub(crate) fn fixed<const N: usize>(row: &Row<'_>, column: usize) -> Result<[u8; N]> {
    bytes(row, column)?
        .try_into()
        .map_err(|_| damaged(format_args!("column {column} has not {N} bytes")))
}

pub(crate) fn hash(row: &Row<'_>, column: usize) -> Result<Hash32> {
    fixed(row, column).map(Hash32)
}

/// A number that is stored as it is.
pub(crate) fn number<T: TryFrom<i64>>(row: &Row<'_>, column: usize) -> Result<T> {
    let value: i64 = row.get(column)?;
    T::try_from(value).map_err(|_| damaged(format_args!("{value} in column {column} is out of range")))
}

/// A number of which all 64 bits count.
pub(crate) fn bits(row: &Row<'_>, column: usize) -> Result<u64> {
    Ok(row.get::<_, i64>(column)?.cast_unsigned())
}

pub(crate) fn wide(row: &Row<'_>, column: usize) -> Result<i128> {
    fixed(row, column).map(i128::from_be_bytes)
}

/// A sum whose halves were added up apart: the upper one in this column, the lower 32 bits in the next.
pub(crate) fn halves(row: &Row<'_>, column: usize) -> Result<i128> {
    let (high, low): (i64, i64) = (row.get(column)?, row.get(column + 1)?);
    Ok((i128::from(high) << 32) + i128::from(low))
}

/// How a sum is stored that nearly always fits into a number: small.
pub(crate) fn compact(sum: i128) -> Value {
    i64::try_from(sum).map_or_else(|_| Value::Blob(sum.to_be_bytes().to_vec()), Value::Integer)
}

/// Reads what [`compact`] gave.
pub(crate) fn sum(row: &Row<'_>, column: usize) -> Result<i128> {
    match row.get_ref(column)? {
        ValueRef::Integer(sum) => Ok(i128::from(sum)),
        _ => wide(row, column),
    }
}

pub(crate) fn account(bytes: &[u8]) -> Result<Account> {
    AccountKey::account_from_bytes(bytes).map_err(damaged)
}

/// Columns event, account, asset from this one on.
pub(crate) fn account_key(row: &Row<'_>, column: usize) -> Result<AccountKey> {
    let event = EventId(fixed(row, column)?);
    let account = account(bytes(row, column + 1)?)?;
    Ok(AccountKey {
        event,
        account,
        asset: AssetId(number(row, column + 2)?),
    })
}

pub(crate) fn record(bytes: &[u8]) -> Result<Record> {
    decode(bytes).map_err(damaged)
}

fn public_key(row: &Row<'_>, algorithm: usize, key: usize) -> Result<PublicKey> {
    let code = number(row, algorithm)?;
    let algorithm = Algorithm::from_code(code).ok_or_else(|| damaged(format_args!("key algorithm {code}")))?;
    Ok(PublicKey {
        algorithm,
        bytes: Bytes(bytes(row, key)?.to_vec()),
    })
}

/// The columns that [`journal_row`] reads.
pub(crate) const JOURNAL_COLUMNS: &str =
    "hash, record, terminal, epoch, branch, seq, status, order_id, day, raw, head_algorithm, head_signature";

pub(crate) fn journal_row(row: &Row<'_>) -> Result<JournalRow> {
    let record = record(bytes(row, 1)?)?;
    let entry = match row.get::<_, Option<i64>>(2)? {
        Some(_) => Some(entry_row(row, &record)?),
        None => None,
    };
    Ok(JournalRow {
        hash: hash(row, 0)?,
        record,
        entry,
    })
}

fn entry_row(row: &Row<'_>, record: &Record) -> Result<EntryRow> {
    let no = record.no;
    let chain = ChainKey {
        terminal: TerminalNo(number(row, 2)?),
        epoch: number(row, 3)?,
        branch: number(row, 4)?,
    };
    let status = EntryStatus::from_code(number(row, 6)?);
    let order = match row.get_ref(7)?.as_blob_or_null().map_err(rusqlite::Error::from)? {
        Some([]) => record.posting.as_ref().map(|posting| posting.id.0),
        Some(id) => {
            Some(OrderId::from_slice(id).ok_or_else(|| damaged(format_args!("the order id of journal number {no}")))?)
        }
        None => None,
    };
    Ok(EntryRow {
        chain,
        seq: number(row, 5)?,
        hash: record
            .origin
            .ok_or_else(|| damaged(format_args!("journal number {no} has an entry and no origin")))?,
        status: status.ok_or_else(|| damaged(format_args!("the status of journal number {no}")))?,
        order,
        day: row.get(8)?,
        raw: bytes(row, 9)?.to_vec(),
        signature: signature(row, no)?,
    })
}

fn signature(row: &Row<'_>, no: u64) -> Result<Option<Signature>> {
    let Some(code) = row.get::<_, Option<u8>>(10)? else {
        return Ok(None);
    };
    let algorithm = Algorithm::from_code(code);
    Ok(Some(Signature {
        algorithm: algorithm.ok_or_else(|| damaged(format_args!("the signature of journal number {no}")))?,
        bytes: Bytes(bytes(row, 11)?.to_vec()),
    }))
}

/// The columns that [`chain`] reads.
pub(crate) const CHAIN_COLUMNS: &str =
    "terminal, epoch, branch, previous_seq, previous_head, first_seq, last_seq, head";

pub(crate) fn chain(row: &Row<'_>) -> Result<Chain> {
    let epoch = number(row, 1)?;
    Ok(Chain {
        key: ChainKey {
            terminal: TerminalNo(number(row, 0)?),
            epoch,
            branch: number(row, 2)?,
        },
        start: EpochStart {
            epoch,
            previous_seq: bits(row, 3)?,
            previous_head: hash(row, 4)?,
        },
        first_seq: number(row, 5)?,
        last_seq: number(row, 6)?,
        head: hash(row, 7)?,
    })
}

/// The columns that [`terminal`] reads.
pub(crate) const TERMINAL_COLUMNS: &str =
    "no, event, id, till, key_algorithm, key, state, epoch, previous_seq, previous_head, device, registered_at_ms";

pub(crate) fn terminal(row: &Row<'_>) -> Result<TerminalRow> {
    Ok(TerminalRow {
        no: TerminalNo(number(row, 0)?),
        event: EventId(fixed(row, 1)?),
        id: TerminalId(fixed(row, 2)?),
        till: TillId(number(row, 3)?),
        key: public_key(row, 4, 5)?,
        state: TerminalState::from_code(number(row, 6)?),
        epoch: EpochStart {
            epoch: number(row, 7)?,
            previous_seq: bits(row, 8)?,
            previous_head: hash(row, 9)?,
        },
        device: row.get(10)?,
        registered_at_ms: bits(row, 11)?,
    })
}

/// The columns that [`slot`] reads.
pub(crate) const SLOT_COLUMNS: &str =
    "id, event, till, secret, expires_at_ms, confirm, state, key_algorithm, key, device, code, terminal";

pub(crate) fn slot(row: &Row<'_>) -> Result<Slot> {
    let state = match number(row, 6)? {
        0 => SlotState::Open,
        1 => SlotState::Pending {
            key: public_key(row, 7, 8)?,
            device: row.get(9)?,
            code: row.get(10)?,
        },
        2 => SlotState::Used {
            terminal: TerminalId(fixed(row, 11)?),
        },
        state => return Err(damaged(format_args!("a slot in state {state}"))),
    };
    Ok(Slot {
        id: SlotId(fixed(row, 0)?),
        event: EventId(fixed(row, 1)?),
        till: TillId(number(row, 2)?),
        secret: hash(row, 3)?,
        expires_at_ms: bits(row, 4)?,
        confirm: row.get(5)?,
        state,
    })
}

/// The columns that [`stored_case`] reads.
pub(crate) const CASE_COLUMNS: &str = "id, terminal, no, opened_at_ms, content";

pub(crate) fn stored_case(row: &Row<'_>) -> Result<StoredCase> {
    let terminal = row.get::<_, Option<u32>>(1)?.map(TerminalNo);
    let no = row.get::<_, Option<i64>>(2)?.map(i64::cast_unsigned);
    let case = decode(bytes(row, 4)?).map_err(damaged)?;
    Ok(StoredCase {
        id: number(row, 0)?,
        case: OpenCase {
            case,
            terminal,
            no,
            opened_at_ms: bits(row, 3)?,
        },
    })
}
