//! Three days of a festival in the books: orders hour by hour, how each came off at its TSE, cases and what became of them, the office's log.
//!
//! Signatures are bytes of the right length: nobody checks them here, and a million true ones would take an hour.

use std::path::Path;

use engine::Request;
use shared_protocol::crypto::Ed25519Signer;
use shared_protocol::stream::BlockReason;
use shared_protocol::{CartId, TaxpayerId};
use store::{
    AuditRow, CaseNote, CaseState, Office, OutageRow, Reader as _, Role, Signing, SigningRow, SigningState,
    TransactionEnd, TransactionRow, TseNo, TseRow,
};
use store_sqlite::{Options, SqliteReader, SqliteStore};
use sync::writer::now_ms;

use crate::prefill::{BATCH, Books, PROJECTED};

/// Who looks at the pages.
pub const USER: &str = "ada";
/// With this.
pub const PASSWORD: &str = "correct horse battery";

const HOUR_MS: u64 = 3_600_000;
/// Days of the festival; the last one is today.
const DAYS: u64 = 3;
/// Hours a day in which is sold; the last one ends now.
const HOURS: u64 = 14;
/// One order in so many is one that its wristband cannot pay.
const UNPAID_EVERY: u64 = 512;
/// One order in so many was made in an outage.
const OUTAGE_EVERY: u64 = 200;
/// And of these, one in so many was signed later.
const LATE_EVERY: u64 = 4;
/// Orders between two rows of the audit log.
const AUDIT_EVERY: u64 = 200;
/// Wristbands that may not pay.
const BLOCKED: u32 = 200;
/// The newest orders are left to the server's own signer.
const UNSIGNED: u64 = 100;
/// Journal rows that come off in a commit of the history.
const SIGNED_AT_ONCE: u64 = 8_192;

/// When the order at this place of so many was made.
fn moment(place: u64, orders: u64, now_ms: u64) -> u64 {
    let sold_ms = HOURS * HOUR_MS;
    let into_ms = place * DAYS * sold_ms / orders.max(1);
    let (day, into_day_ms) = (into_ms / sold_ms, into_ms % sold_ms);
    now_ms - (DAYS - 1 - day.min(DAYS - 1)) * 24 * HOUR_MS - sold_ms + into_day_ms
}

/// A database in this folder, with so many orders in it and somebody who may look at them.
pub fn database(data: &Path, orders: u64) -> anyhow::Result<()> {
    let signer: Ed25519Signer = groschen::keys::config_key(data)?;
    let path = data.join("groschen.db");
    let mut store = SqliteStore::open(&path, &Options::default())?;
    let now_ms = now_ms();
    console::create_user(&mut store, USER, PASSWORD, Role::Admin, now_ms)?;
    let mut books = Books::start_at(store, signer, moment(0, orders, now_ms))?;
    let mut reader = SqliteReader::open(&path, None)?;
    ask(&mut books, now_ms, Request::Sign(Box::new(tses(now_ms))))?;
    let (mut done, mut came_off_to, mut guests, mut unpaid) = (0, 0, 0, UNPAID_EVERY);
    while done < orders {
        let at_ms = moment(done, orders, now_ms);
        let size = BATCH.min(usize::try_from(orders - done)?);
        done += books.batch_at(size, at_ms)?;
        if done >= unpaid {
            books.unpaid_at(guests, at_ms)?;
            guests += 1;
            unpaid += UNPAID_EVERY;
        }
        while books.engine.project(PROJECTED)? {}
        let (last, _) = reader.head()?;
        let to = if done < orders {
            last
        } else {
            last.saturating_sub(UNSIGNED)
        };
        if to >= came_off_to + SIGNED_AT_ONCE || done >= orders {
            let signing = came_off(came_off_to + 1..=to, at_ms);
            came_off_to = to;
            ask(&mut books, at_ms, Request::Sign(Box::new(signing)))?;
        }
    }
    ask(
        &mut books,
        now_ms,
        Request::Office(Box::new(office(&mut reader, orders, now_ms)?)),
    )?;
    for number in 0..BLOCKED {
        let tag = fixtures::sample::wristband(number * 7 + 1_000_000);
        let reason = Some(BlockReason::Blocked);
        ask(&mut books, now_ms, Request::Block { tag, reason })?;
    }
    Ok(())
}

fn ask(books: &mut Books<SqliteStore>, now_ms: u64, request: Request) -> anyhow::Result<()> {
    books.engine.process(now_ms, &[request])?;
    Ok(())
}

/// TSEs of two taxpayers, and outages of each.
fn tses(now_ms: u64) -> Signing {
    let tse = |no: u16, taxpayer| TseRow {
        no: TseNo(no),
        serial: [u8::try_from(no).unwrap_or(0); 32],
        name: "bench (not certified)".to_owned(),
        public_key: vec![4; 97],
        algorithm: "ecdsa-plain-SHA384".to_owned(),
        link: "software".to_owned(),
        time_format: "unixTime".to_owned(),
        certificates: Vec::new(),
        valid_until_ms: None,
        clients_max: 100,
        signature_ms: 250,
        certified: false,
        taxpayer: TaxpayerId(taxpayer),
    };
    let outages = (1..=20).map(|id| OutageRow {
        id,
        tse: Some(tse_of(id)),
        client: None,
        from_ms: now_ms - id * HOUR_MS,
        until_ms: Some(now_ms - id * HOUR_MS + 60_000),
        reason: "no answer within 5 s".to_owned(),
    });
    Signing {
        tses: vec![tse(1, 1), tse(2, 2)],
        outages: outages.collect(),
        ..Signing::default()
    }
}

fn tse_of(no: u64) -> TseNo {
    TseNo(u16::from(no.is_multiple_of(2)) + 1)
}

/// How these orders came off.
fn came_off(nos: std::ops::RangeInclusive<u64>, at_ms: u64) -> Signing {
    let mut signing = Signing::default();
    for no in nos {
        signing.done_to = Some(no);
        let in_outage = no.is_multiple_of(OUTAGE_EVERY);
        let state = match (in_outage, (no / OUTAGE_EVERY).is_multiple_of(LATE_EVERY)) {
            (false, _) => SigningState::Signed,
            (true, true) => SigningState::SignedLate,
            (true, false) => SigningState::InOutage,
        };
        let transaction = (state != SigningState::InOutage).then_some(no);
        signing.orders.push(SigningRow {
            no,
            state,
            tse: tse_of(no),
            transaction,
            outage: in_outage.then_some(no / OUTAGE_EVERY % 20 + 1),
            doubt: None,
        });
        if let Some(transaction) = transaction {
            signing
                .transactions
                .push(transaction_of(no, transaction, at_ms / 1_000));
        }
    }
    signing
}

fn transaction_of(no: u64, transaction: u64, at_s: u64) -> TransactionRow {
    let mut cart = [0; 16];
    cart.iter_mut().zip(no.to_be_bytes()).for_each(|(to, from)| *to = from);
    TransactionRow {
        tse: tse_of(no),
        transaction,
        client: format!("groschen-till-{}", no % 64),
        cart: CartId(cart),
        started_s: at_s,
        start_counter: 2 * no,
        start_signature: vec![1; 96],
        end: Some(TransactionEnd {
            time_s: at_s,
            counter: 2 * no + 1,
            process_type: "Kassenbeleg-V1".to_owned(),
            process_data: "Beleg^0.00_0.00_0.00_0.00_13.00^13.00:Unbar".to_owned(),
            signature: vec![2; 96],
        }),
    }
}

/// Half of the cases are settled, some have an owner; and the log of all that was done meanwhile.
fn office(reader: &mut SqliteReader, orders: u64, now_ms: u64) -> anyhow::Result<Office> {
    let mut office = Office::default();
    for case in reader.cases(1, u64::MAX)? {
        let state = match case.id % 4 {
            0 | 1 => CaseState::Resolved,
            2 => CaseState::Taken,
            _ => continue,
        };
        office.notes.push(CaseNote {
            case: case.id,
            at_ms: now_ms,
            by: USER.to_owned(),
            state,
            owner: Some(USER.to_owned()),
            text: "The guest came back and paid.".to_owned(),
        });
    }
    office.audit.extend((0..orders / AUDIT_EVERY).map(|number| AuditRow {
        at_ms: moment(number * AUDIT_EVERY, orders, now_ms),
        by: USER.to_owned(),
        what: "case.note".to_owned(),
        object: (number + 1).to_string(),
        detail: String::new(),
    }));
    Ok(office)
}
