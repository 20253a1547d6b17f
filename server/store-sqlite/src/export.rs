//! Exports: rows in and out.

use rusqlite::{Connection, Row, params};
use shared_protocol::TaxpayerId;
use store::{ExportFinding, ExportKind, ExportRange, ExportRow, ExportState, TseNo};

use crate::error::{Result, damaged};
use crate::reader::all;
use crate::rows;

/// Reads for [`export`].
const EXPORTS: &str = "SELECT id, kind, taxpayer, tse, from_day, until_day, version, staff_names, by, asked_at_ms, state, ended_at_ms, file, bytes, sha256, \
     parts, items, errors, warnings, says, deleted_at_ms, deleted_by FROM export WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

/// Reads for [`finding`].
const FINDINGS: &str =
    "SELECT error, code, place, what, why, told_de FROM export_finding WHERE export = ?1 ORDER BY no";

pub(crate) fn write(connection: &Connection, exports: &[ExportRow]) -> Result<()> {
    if exports.is_empty() {
        return Ok(());
    }
    let mut put = connection.prepare_cached(
        "INSERT INTO export VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22) \
         ON CONFLICT (id) DO UPDATE SET kind = ?2, taxpayer = ?3, tse = ?4, from_day = ?5, until_day = ?6, version = ?7, staff_names = ?8, by = ?9, \
         asked_at_ms = ?10, state = ?11, ended_at_ms = ?12, file = ?13, bytes = ?14, sha256 = ?15, parts = ?16, items = ?17, errors = ?18, \
         warnings = ?19, says = ?20, deleted_at_ms = ?21, deleted_by = ?22",
    )?;
    let mut put_finding = connection.prepare_cached(
        "INSERT INTO export_finding VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (export, no) DO NOTHING",
    )?;
    for row in exports {
        let range = &row.range;
        put.execute(params![
            row.id.cast_signed(),
            range.kind.code(),
            range.taxpayer.map(|taxpayer| taxpayer.0),
            range.tse.map(|tse| tse.0),
            range.from_day,
            range.until_day,
            range.version,
            range.staff_names,
            row.by,
            row.asked_at_ms.cast_signed(),
            row.state.code(),
            row.ended_at_ms.map(u64::cast_signed),
            row.file,
            row.bytes.cast_signed(),
            row.sha256,
            row.parts.cast_signed(),
            row.items.cast_signed(),
            row.errors.cast_signed(),
            row.warnings.cast_signed(),
            row.says,
            row.deleted.as_ref().map(|(at_ms, _)| at_ms.cast_signed()),
            row.deleted.as_ref().map(|(_, by)| by),
        ])?;
        for (no, finding) in (0_i64..).zip(&row.findings) {
            put_finding.execute(params![
                row.id.cast_signed(),
                no,
                finding.error,
                finding.code,
                finding.place,
                finding.what,
                finding.why,
                finding.told_de
            ])?;
        }
    }
    Ok(())
}

/// Exports below an id, newest first.
pub(crate) fn exports(connection: &Connection, before_id: i64, rows_max: i64) -> Result<Vec<ExportRow>> {
    let mut found = all(connection, EXPORTS, params![before_id, rows_max], export)?;
    for row in &mut found {
        row.findings = all(connection, FINDINGS, [row.id.cast_signed()], finding)?;
    }
    Ok(found)
}

fn optional<T: TryFrom<i64>>(row: &Row<'_>, column: usize) -> Result<Option<T>> {
    match row.get::<_, Option<i64>>(column)? {
        Some(_) => Ok(Some(rows::number(row, column)?)),
        None => Ok(None),
    }
}

fn export(row: &Row<'_>) -> Result<ExportRow> {
    let (kind, state) = (rows::number(row, 1)?, rows::number(row, 10)?);
    let sha256 = match row.get::<_, Option<Vec<u8>>>(14)? {
        Some(_) => Some(rows::fixed(row, 14)?),
        None => None,
    };
    let deleted = match (optional::<u64>(row, 20)?, row.get::<_, Option<String>>(21)?) {
        (Some(at_ms), Some(by)) => Some((at_ms, by)),
        _ => None,
    };
    Ok(ExportRow {
        id: rows::number(row, 0)?,
        range: ExportRange {
            kind: ExportKind::from_code(kind).ok_or_else(|| damaged(format_args!("an export is a {kind}")))?,
            taxpayer: optional(row, 2)?.map(TaxpayerId),
            tse: optional(row, 3)?.map(TseNo),
            from_day: rows::number(row, 4)?,
            until_day: rows::number(row, 5)?,
            version: row.get(6)?,
            staff_names: row.get(7)?,
        },
        by: row.get(8)?,
        asked_at_ms: rows::bits(row, 9)?,
        state: ExportState::from_code(state).ok_or_else(|| damaged(format_args!("an export is {state}")))?,
        ended_at_ms: optional(row, 11)?,
        file: row.get(12)?,
        bytes: rows::bits(row, 13)?,
        sha256,
        parts: rows::bits(row, 15)?,
        items: rows::bits(row, 16)?,
        errors: rows::bits(row, 17)?,
        warnings: rows::bits(row, 18)?,
        findings: Vec::new(),
        says: row.get(19)?,
        deleted,
    })
}

fn finding(row: &Row<'_>) -> Result<ExportFinding> {
    Ok(ExportFinding {
        error: row.get(0)?,
        code: row.get(1)?,
        place: row.get(2)?,
        what: row.get(3)?,
        why: row.get(4)?,
        told_de: row.get(5)?,
    })
}
