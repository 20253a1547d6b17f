//! What is looked at and done before the first load: whose file it is, its format, the end of the chain.

use ledger::journal::verify;
use rusqlite::{Connection, params};
use shared_protocol::crypto::Hash32;
use store::StoreError;

use crate::connection::writing;
use crate::error::{Failure, Result, damaged};
use crate::schema::{APPLICATION_ID, FORMAT, STEPS};
use crate::{project, reader, rows};

/// Rows at the end of the journal that a start checks at most: 0.3 s. `groschen audit` checks all of them.
const TAIL_ROWS_MAX: u64 = 100_000;
const CHUNK_ROWS: u64 = 1_000;

/// The format of the database; zero for a new one. Nothing is changed.
pub(crate) fn format(connection: &Connection) -> Result<u32> {
    let (application, format): (i32, u32) = connection.query_row(
        "SELECT application_id, user_version FROM pragma_application_id, pragma_user_version",
        [],
        |row| Ok((row.get(0)?, row.get::<_, i32>(1)?.cast_unsigned())),
    )?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && format == 0 && tables == 0 {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(damaged("the file belongs to another program"));
    }
    match format {
        0 => Err(damaged("the file has no format")),
        1..=FORMAT => Ok(format),
        found => Err(Failure::Store(StoreError::Newer { found, known: FORMAT })),
    }
}

/// For connections that cannot migrate.
pub(crate) fn assert_current(connection: &Connection) -> Result<()> {
    let found = format(connection)?;
    if found == FORMAT {
        return Ok(());
    }
    let what =
        format!("format {found} cannot be read before a server or `groschen migrate` has brought it to {FORMAT}");
    Err(Failure::Store(StoreError::Failed(what)))
}

/// Brings a database to this program's format; each step is there whole, with its number, or not at all.
pub(crate) fn migrate(connection: &Connection, from: u32, created_at_ms: u64) -> Result<()> {
    for (step, to) in STEPS
        .iter()
        .zip(1_u32..)
        .skip(usize::try_from(from).unwrap_or(usize::MAX))
    {
        writing(connection, |connection| {
            connection.execute_batch(step)?;
            connection.pragma_update(None, "user_version", to)?;
            if to == 1 {
                connection.pragma_update(None, "application_id", APPLICATION_ID)?;
                put_fact(connection, "created_at_ms", &created_at_ms.to_be_bytes())?;
                begin_another_life(connection)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn put_fact(connection: &Connection, name: &str, value: &[u8]) -> Result<()> {
    connection.execute(
        "INSERT INTO fact VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
        params![name, value],
    )?;
    Ok(())
}

/// Draws a new incarnation. `SQLite`'s generator takes its seed from the operating system.
pub(crate) fn begin_another_life(connection: &Connection) -> Result<()> {
    let incarnation: [u8; 8] = connection.query_row("SELECT randomblob(8)", [], |row| row.get(0))?;
    put_fact(connection, store::memory::INCARNATION, &incarnation)
}

/// Checks the journal behind the cursor of the sums, which checked what is before it, and gives its head.
pub(crate) fn check_tail(connection: &Connection) -> Result<(u64, Hash32)> {
    let (cursor, cursor_hash) = project::cursor(connection)?;
    let stored_head = reader::head(connection)?;
    let start = cursor.max(stored_head.0.saturating_sub(TAIL_ROWS_MAX));
    let start_hash = stored_hash(connection, start)?;
    if start_hash.is_none() || start == cursor && start_hash != Some(cursor_hash) {
        return Err(damaged(format_args!(
            "journal number {start} is not what the sums were made of"
        )));
    }
    let mut head = (start, start_hash.unwrap_or(Hash32::ZERO));
    while head.0 < stored_head.0 {
        let rows = reader::journal(connection, head.0 + 1, CHUNK_ROWS)?;
        head = verify(rows.iter().map(|row| (&row.record, row.hash)), head.1, head.0).map_err(damaged)?;
        if rows.is_empty() {
            return Err(damaged(format_args!("journal number {} is gone", head.0 + 1)));
        }
    }
    Ok(head)
}

fn stored_hash(connection: &Connection, no: u64) -> Result<Option<Hash32>> {
    if no == 0 {
        return Ok(Some(Hash32::ZERO));
    }
    let mut statement = connection.prepare_cached("SELECT hash FROM journal WHERE no = ?1")?;
    let mut found = statement.query([no.cast_signed()])?;
    found.next()?.map(|row| rows::hash(row, 0)).transpose()
}
