//! All effects of a batch, inside the caller's transaction.

use festival::registration::{Slot, SlotState};
use ledger::Chart;
use rusqlite::{Connection, params};
use shared_protocol::{OrderId, TerminalId, encode};
use store::{CaseState, Commit, JournalRow, StoreError};

use crate::error::{Failure, Result};
use crate::{office, purses, signing};

pub(crate) fn write(connection: &Connection, commit: &Commit) -> Result<()> {
    terminals(connection, commit)?;
    journal(connection, &commit.journal)?;
    balances(connection, commit)?;
    lots(connection, commit)?;
    chains(connection, commit)?;
    cases(connection, commit)?;
    slots(connection, &commit.slots)?;
    streams(connection, commit)?;
    signing::write(connection, &commit.signing)?;
    office::write(connection, &commit.office)?;
    purses::write(connection, commit)
}

fn terminals(connection: &Connection, commit: &Commit) -> Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO terminal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (no) DO UPDATE SET \
         event = ?2, id = ?3, till = ?4, key_algorithm = ?5, key = ?6, state = ?7, epoch = ?8, previous_seq = ?9, \
         previous_head = ?10, device = ?11, registered_at_ms = ?12",
    )?;
    for row in &commit.terminals {
        put.execute(params![
            row.no.0,
            row.event.bytes(),
            row.id.bytes(),
            row.till.0,
            row.key.algorithm.code(),
            row.key.bytes.0,
            row.state.code(),
            row.epoch.epoch,
            row.epoch.previous_seq.cast_signed(),
            row.epoch.previous_head.0,
            row.device,
            row.registered_at_ms.cast_signed(),
        ])?;
    }
    Ok(())
}

fn journal(connection: &Connection, rows: &[JournalRow]) -> Result<()> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO journal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
    )?;
    for row in rows {
        let posting = row.record.posting.as_ref();
        let id = posting.map(|posting| posting.id.0);
        let entry = row.entry.as_ref();
        let order = entry.and_then(|entry| entry.order);
        let signature = entry.and_then(|entry| entry.signature.as_ref());
        let order_bytes = order
            .as_ref()
            .map(|order| if Some(*order) == id { &[][..] } else { order.bytes() });
        insert.execute(params![
            row.record.no.cast_signed(),
            id.as_ref().map(OrderId::bytes),
            posting
                .and_then(|posting| posting.reverses.as_ref())
                .map(|target| target.0.bytes()),
            entry.map(|entry| entry.chain.terminal.0),
            entry.map(|entry| entry.chain.epoch),
            entry.map(|entry| entry.chain.branch),
            entry.map(|entry| entry.seq.cast_signed()),
            entry.map(|entry| entry.status.code()),
            order_bytes,
            entry.and_then(|entry| entry.day),
            row.hash.0,
            encode(&row.record),
            entry.map(|entry| &entry.raw),
            signature.map(|signature| signature.algorithm.code()),
            signature.map(|signature| &signature.bytes.0),
        ])?;
    }
    Ok(())
}

fn balances(connection: &Connection, commit: &Commit) -> Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO balance VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (event, account, asset) DO UPDATE SET balance = ?4, floor = ?5",
    )?;
    for (key, balance) in &commit.accounts {
        let floor = key
            .account
            .bounds(key.asset, &Chart::default())
            .floor
            .map(|floor| floor.0);
        put.execute(params![
            key.event.bytes(),
            key.account_bytes(),
            key.asset.0,
            balance.balance.0,
            floor
        ])?;
    }
    Ok(())
}

fn lots(connection: &Connection, commit: &Commit) -> Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO lot VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (event, asset, account, expires_at_ms) DO UPDATE SET remaining = ?5",
    )?;
    let mut remove = connection
        .prepare_cached("DELETE FROM lot WHERE event = ?1 AND asset = ?2 AND account = ?3 AND expires_at_ms = ?4")?;
    for ((key, expires_at_ms), left) in &commit.lots {
        let (event, account) = (key.event.bytes(), key.account_bytes());
        if left.is_zero() {
            remove.execute(params![event, key.asset.0, account, expires_at_ms.cast_signed()])?;
        } else {
            put.execute(params![
                event,
                key.asset.0,
                account,
                expires_at_ms.cast_signed(),
                left.0
            ])?;
        }
    }
    Ok(())
}

fn chains(connection: &Connection, commit: &Commit) -> Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO chain VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (terminal, epoch, branch) DO UPDATE SET \
         previous_seq = ?4, previous_head = ?5, first_seq = ?6, last_seq = ?7, head = ?8",
    )?;
    for chain in &commit.chains {
        put.execute(params![
            chain.key.terminal.0,
            chain.key.epoch,
            chain.key.branch,
            chain.start.previous_seq.cast_signed(),
            chain.start.previous_head.0,
            chain.first_seq.cast_signed(),
            chain.last_seq.cast_signed(),
            chain.head.0,
        ])?;
    }
    Ok(())
}

fn cases(connection: &Connection, commit: &Commit) -> Result<()> {
    let mut insert = connection.prepare_cached("INSERT INTO cases VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6)")?;
    let mut open_state = connection.prepare_cached("INSERT INTO case_state VALUES (?1, ?2, ?3, ?4, NULL)")?;
    for open in &commit.cases {
        insert.execute(params![
            open.case.kind.code(),
            open.case.stake.0,
            open.terminal.map(|terminal| terminal.0),
            open.no.map(u64::cast_signed),
            open.opened_at_ms.cast_signed(),
            encode(&open.case),
        ])?;
        open_state.execute(params![
            connection.last_insert_rowid(),
            open.case.kind.code(),
            open.case.stake.0,
            CaseState::Open.code()
        ])?;
    }
    Ok(())
}

fn slots(connection: &Connection, slots: &[Slot]) -> Result<()> {
    let mut put = connection.prepare_cached(
        "INSERT INTO slot VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO UPDATE SET \
         event = ?2, till = ?3, secret = ?4, expires_at_ms = ?5, confirm = ?6, state = ?7, key_algorithm = ?8, key = ?9, \
         device = ?10, code = ?11, terminal = ?12",
    )?;
    for slot in slots {
        let (code, pending, terminal) = match &slot.state {
            SlotState::Open => (0, None, None),
            SlotState::Pending { key, device, code } => (1, Some((key, device, code)), None),
            SlotState::Used { terminal } => (2, None, Some(terminal)),
        };
        put.execute(params![
            slot.id.bytes(),
            slot.event.bytes(),
            slot.till.0,
            slot.secret.0,
            slot.expires_at_ms.cast_signed(),
            slot.confirm,
            code,
            pending.map(|(key, ..)| key.algorithm.code()),
            pending.map(|(key, ..)| &key.bytes.0),
            pending.map(|(_, device, _)| device),
            pending.map(|(.., code)| code),
            terminal.map(TerminalId::bytes),
        ])?;
    }
    Ok(())
}

fn streams(connection: &Connection, commit: &Commit) -> Result<()> {
    let mut newer = connection.prepare_cached(
        "SELECT 1 FROM stream_version WHERE event = ?1 AND stream = ?2 AND (generation, rev) >= (?3, ?4) LIMIT 1",
    )?;
    let mut insert = connection.prepare_cached("INSERT INTO stream_version VALUES (?1, ?2, ?3, ?4)")?;
    // A key that a step names twice has its last value.
    let mut put = connection.prepare_cached("INSERT INTO stream_item VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
    for (event, stream, version, changes) in &commit.streams {
        let rev = version.rev.cast_signed();
        let place = params![event.bytes(), stream.code(), version.generation, rev];
        if newer.exists(place)? {
            return Err(Failure::Store(StoreError::Conflict(format!(
                "version {version:?} of {stream:?}"
            ))));
        }
        insert.execute(place)?;
        let last: std::collections::BTreeMap<_, _> =
            changes.iter().map(|change| (&change.key, &change.value)).collect();
        for (key, value) in last {
            let value = value.as_ref().map(|value| &value.0);
            put.execute(params![
                event.bytes(),
                stream.code(),
                key.0,
                version.generation,
                rev,
                value
            ])?;
        }
    }
    Ok(())
}
