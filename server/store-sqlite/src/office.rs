//! What the office does and asks about cases, users and the audit log: rows in and out.

use rusqlite::{Connection, Row, params};
use shared_protocol::EventId;
use store::{AuditRow, CaseFilter, CaseNote, CaseRow, CaseState, Office, Role, SessionRow, TaxRow, UserRow};

use crate::error::{Result, damaged};
use crate::reader::{all, count};
use crate::rows;

/// Reads for [`user`].
pub(crate) const USERS: &str = "SELECT name, role, password, active, changed_at_ms FROM office_user ORDER BY name";

/// Reads for [`user`]: one of them.
pub(crate) const USER: &str = "SELECT name, role, password, active, changed_at_ms FROM office_user WHERE name = ?1";

/// Reads for [`session`].
pub(crate) const SESSION: &str = "SELECT token, user, opened_at_ms, expires_at_ms FROM office_session WHERE token = ?1";

/// Reads for [`note`].
pub(crate) const NOTES: &str =
    "SELECT case_id, at_ms, by, state, owner, text FROM case_note WHERE case_id = ?1 ORDER BY id";

/// Reads for [`audit`].
pub(crate) const AUDIT: &str =
    "SELECT id, at_ms, by, what, object, detail FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2";

/// Reads for [`audit`]: of one object.
pub(crate) const AUDIT_OF: &str =
    "SELECT id, at_ms, by, what, object, detail FROM audit WHERE object = ?3 AND id < ?1 ORDER BY id DESC LIMIT ?2";

/// Reads for [`tax`].
pub(crate) const TAX: &str =
    "SELECT id, event, at_ms, by, key, value, why FROM tax WHERE event = ?1 AND id >= ?2 ORDER BY id LIMIT ?3";

/// Reads for [`case`]: one of them.
pub(crate) const CASE: &str = "SELECT c.id, c.terminal, c.no, c.opened_at_ms, c.content, s.state, s.owner FROM case_state s \
     CROSS JOIN cases c ON c.id = s.id WHERE s.id = ?1";

/// In two halves, because a sum of stakes may leave 64 bits.
pub(crate) const OPEN_CASES: &str = "SELECT count(*), coalesce(sum(stake >> 32), 0), coalesce(sum(stake & 4294967295), 0) FROM case_state \
     INDEXED BY case_state_state WHERE state IN (1, 2)";

pub(crate) fn write(connection: &Connection, office: &Office) -> Result<()> {
    if office.is_empty() {
        return Ok(());
    }
    logins(connection, office)?;
    notes(connection, &office.notes)?;
    let mut insert = connection.prepare_cached("INSERT INTO audit VALUES (NULL, ?1, ?2, ?3, ?4, ?5)")?;
    for row in &office.audit {
        insert.execute(params![
            row.at_ms.cast_signed(),
            row.by,
            row.what,
            row.object,
            row.detail
        ])?;
    }
    crate::export::write(connection, &office.exports)?;
    taxes(connection, &office.tax)
}

fn taxes(connection: &Connection, rows: &[TaxRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = connection.prepare_cached("INSERT INTO tax VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)")?;
    for row in rows {
        insert.execute(params![
            row.event.bytes(),
            row.at_ms.cast_signed(),
            row.by,
            row.key,
            row.value,
            row.why
        ])?;
    }
    Ok(())
}

fn logins(connection: &Connection, office: &Office) -> Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO office_user VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET role = ?2, password = ?3, active = ?4, \
         changed_at_ms = ?5",
    )?;
    for row in &office.users {
        put.execute(params![
            row.name,
            row.role.code(),
            row.password,
            row.active,
            row.changed_at_ms.cast_signed()
        ])?;
    }
    let mut expire = connection.prepare_cached("DELETE FROM office_session WHERE expires_at_ms <= ?1")?;
    let mut put = connection.prepare_cached(
        "INSERT INTO office_session VALUES (?1, ?2, ?3, ?4) ON CONFLICT (token) DO UPDATE SET user = ?2, opened_at_ms = ?3, \
         expires_at_ms = ?4",
    )?;
    for row in &office.sessions {
        let opened_at_ms = row.opened_at_ms.cast_signed();
        expire.execute([opened_at_ms])?;
        put.execute(params![
            row.token,
            row.user,
            opened_at_ms,
            row.expires_at_ms.cast_signed()
        ])?;
    }
    let mut close = connection.prepare_cached("DELETE FROM office_session WHERE token = ?1")?;
    for token in &office.closed_sessions {
        close.execute([token])?;
    }
    Ok(())
}

fn notes(connection: &Connection, notes: &[CaseNote]) -> Result<()> {
    let mut insert = connection.prepare_cached("INSERT INTO case_note VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut follow = connection.prepare_cached("UPDATE case_state SET state = ?2, owner = ?3 WHERE id = ?1")?;
    for note in notes {
        let (case, state) = (note.case.cast_signed(), note.state.code());
        insert.execute(params![
            case,
            note.at_ms.cast_signed(),
            note.by,
            state,
            note.owner,
            note.text
        ])?;
        follow.execute(params![case, state, note.owner])?;
    }
    Ok(())
}

/// Cases below an id that fit, newest first, along the index that leaves the fewest.
pub(crate) fn cases(connection: &Connection, filter: &CaseFilter, before: i64, rows_max: u64) -> Result<Vec<CaseRow>> {
    let (index, path) = match filter {
        CaseFilter { owner: Some(_), .. } => ("INDEXED BY case_state_owner", "s.owner = ?5 AND"),
        CaseFilter { kind: Some(_), .. } => ("INDEXED BY case_state_kind", "s.kind = ?3 AND"),
        CaseFilter { state: Some(_), .. } => ("INDEXED BY case_state_state", "s.state = ?4 AND"),
        _ => ("NOT INDEXED", ""),
    };
    let sql = format!(
        "SELECT c.id, c.terminal, c.no, c.opened_at_ms, c.content, s.state, s.owner FROM case_state s {index} \
         CROSS JOIN cases c ON c.id = s.id WHERE {path} s.id < ?1 AND (?3 IS NULL OR s.kind = ?3) AND (?4 IS NULL OR s.state = ?4) \
         AND (?5 IS NULL OR s.owner = ?5) ORDER BY s.id DESC LIMIT ?2"
    );
    let state = filter.state.map(CaseState::code);
    let asked = params![before, count(rows_max), filter.kind, state, filter.owner];
    all(connection, &sql, asked, case)
}

pub(crate) fn user(row: &Row<'_>) -> Result<UserRow> {
    let role = rows::number(row, 1)?;
    Ok(UserRow {
        name: row.get(0)?,
        role: Role::from_code(role).ok_or_else(|| damaged(format_args!("a user is a {role}")))?,
        password: row.get(2)?,
        active: row.get(3)?,
        changed_at_ms: rows::bits(row, 4)?,
    })
}

pub(crate) fn session(row: &Row<'_>) -> Result<SessionRow> {
    Ok(SessionRow {
        token: rows::fixed(row, 0)?,
        user: row.get(1)?,
        opened_at_ms: rows::bits(row, 2)?,
        expires_at_ms: rows::bits(row, 3)?,
    })
}

fn case_state(row: &Row<'_>, column: usize) -> Result<CaseState> {
    let code = rows::number(row, column)?;
    CaseState::from_code(code).ok_or_else(|| damaged(format_args!("a case is {code}")))
}

pub(crate) fn note(row: &Row<'_>) -> Result<CaseNote> {
    Ok(CaseNote {
        case: rows::number(row, 0)?,
        at_ms: rows::bits(row, 1)?,
        by: row.get(2)?,
        state: case_state(row, 3)?,
        owner: row.get(4)?,
        text: row.get(5)?,
    })
}

pub(crate) fn case(row: &Row<'_>) -> Result<CaseRow> {
    Ok(CaseRow {
        stored: rows::stored_case(row)?,
        state: case_state(row, 5)?,
        owner: row.get(6)?,
    })
}

pub(crate) fn audit(row: &Row<'_>) -> Result<(u64, AuditRow)> {
    let audit = AuditRow {
        at_ms: rows::bits(row, 1)?,
        by: row.get(2)?,
        what: row.get(3)?,
        object: row.get(4)?,
        detail: row.get(5)?,
    };
    Ok((rows::number(row, 0)?, audit))
}

pub(crate) fn tax(row: &Row<'_>) -> Result<(u64, TaxRow)> {
    let tax = TaxRow {
        event: EventId(rows::fixed(row, 1)?),
        at_ms: rows::bits(row, 2)?,
        by: row.get(3)?,
        key: row.get(4)?,
        value: row.get(5)?,
        why: row.get(6)?,
    };
    Ok((rows::number(row, 0)?, tax))
}
