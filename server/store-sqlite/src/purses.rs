//! What is known of wristbands with a purse: rows in and out.

use festival::purse::Purse;
use rusqlite::{Connection, Row, params};
use shared_protocol::{EventId, TagId, encode};
use store::{Commit, Loaded, Need};

use crate::error::{Result, damaged};
use crate::reader::{all, count, first};
use crate::rows;

/// Reads for [`content`].
const ONE: &str = "SELECT content FROM purse WHERE event = ?1 AND tag = ?2";

fn content(row: &Row<'_>, column: usize) -> Result<Purse> {
    let bytes = rows::bytes(row, column)?;
    shared_protocol::decode(bytes).map_err(|error| damaged(format_args!("a purse cannot be read: {error}")))
}

fn tag(row: &Row<'_>, column: usize) -> Result<TagId> {
    TagId::from_slice(rows::bytes(row, column)?).ok_or_else(|| damaged("a wristband's id is too long or too short"))
}

pub(crate) fn write(connection: &Connection, commit: &Commit) -> Result<()> {
    if commit.purses.is_empty() {
        return Ok(());
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO purse VALUES (?1, ?2, ?3, ?4) ON CONFLICT (event, tag) DO UPDATE SET gap_since_ms = ?3, content = ?4",
    )?;
    for ((event, tag), purse) in &commit.purses {
        let untold = purse.gap_since_ms.filter(|_| !purse.told);
        put.execute(params![event.bytes(), tag.as_slice(), untold.map(count), encode(purse)])?;
    }
    Ok(())
}

pub(crate) fn load(connection: &Connection, need: &Need, loaded: &mut Loaded) -> Result<()> {
    if need.purses.is_empty() {
        return Ok(());
    }
    let mut find = connection.prepare_cached(ONE)?;
    for (event, tag) in &need.purses {
        let mut found = find.query(params![event.bytes(), tag.as_slice()])?;
        if let Some(row) = found.next()? {
            loaded.purses.insert((*event, *tag), content(row, 0)?);
        }
    }
    Ok(())
}

pub(crate) fn one(connection: &Connection, event: EventId, tag: TagId) -> Result<Option<Purse>> {
    first(connection, ONE, params![event.bytes(), tag.as_slice()], |row| {
        content(row, 0)
    })
}

pub(crate) fn page(
    connection: &Connection,
    event: EventId,
    after: Option<TagId>,
    rows_max: u64,
) -> Result<Vec<(TagId, Purse)>> {
    let sql = "SELECT tag, content FROM purse WHERE event = ?1 AND tag > ?2 ORDER BY tag LIMIT ?3";
    let after = after.as_ref().map_or(&[][..], TagId::as_slice);
    all(connection, sql, params![event.bytes(), after, count(rows_max)], |row| {
        Ok((tag(row, 0)?, content(row, 1)?))
    })
}

pub(crate) fn gaps(connection: &Connection, event: EventId, since_ms: u64, rows_max: u64) -> Result<Vec<TagId>> {
    let sql = "SELECT tag FROM purse WHERE event = ?1 AND gap_since_ms <= ?2 ORDER BY gap_since_ms, tag LIMIT ?3";
    all(
        connection,
        sql,
        params![event.bytes(), count(since_ms), count(rows_max)],
        |row| tag(row, 0),
    )
}
