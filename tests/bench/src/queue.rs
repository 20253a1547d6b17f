//! The signing queue by itself: journal, signer and commits on `SQLite`, with TSEs that answer at once. What a TSE takes is in `sign`; here is what the server
//! adds to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use engine::Request;
use fiscal::signer::{Ask, Call, Reply};
use fiscal::tax::Choices;
use fiscal::tse::{Curve, Limits, TimeFormat};
use fiscal::{Finished, Jobs, Known, OutagePolicy, Signer, Started, TseInfo, VoucherModel};
use fixtures::paper::PaperTill;
use fixtures::sample;
use shared_protocol::TaxpayerId;
use store::{Reader as _, SigningState, TseNo};
use store_sqlite::{Options, SqliteReader, SqliteStore};
use sync::writer::now_ms;

use crate::figure::{Shape, tell};
use crate::prefill::Books;
use crate::process::cpu_us;

/// Journal rows that are taken in a turn, as a server does.
const BATCH: u64 = 128;
/// TSEs of each taxpayer.
const TSES: u8 = 2;

/// Runs the row.
pub fn run(shape: &Shape, orders: u64) -> anyhow::Result<()> {
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..shape.runs {
        let dir = tempfile::tempdir()?;
        let (rate, cost) = drained(dir.path(), orders)?;
        rates.push(rate);
        costs.push(cost);
    }
    costs.sort_unstable();
    let cost = costs.get(costs.len() / 2).copied().unwrap_or_default();
    let more = [("cpu_us_per_order", cost), ("tses_per_taxpayer", u64::from(TSES))];
    tell(shape, "signing_queue_without_tse_time", "orders/s", rates, &more);
    Ok(())
}

/// Orders in a second, and microseconds of processor time for each.
fn drained(data: &Path, orders: u64) -> anyhow::Result<(u64, u64)> {
    let database = data.join("groschen.db");
    let store = SqliteStore::open(&database, &Options::default())?;
    let mut books = Books::start(store, PaperTill::signer(200))?;
    books.grow(orders)?;
    let mut reader = SqliteReader::open(&database, None)?;
    let choices = Choices::always(OutagePolicy::MarkOnly, VoucherModel::VoucherLines);
    let mut jobs = Jobs::new(&mut reader, sample::EVENT)?;
    let mut signer = Signer::new(sample::EVENT, choices, Known::default());
    let mut tses = BTreeMap::<TseNo, Quick>::new();
    let taxpayers: BTreeSet<TaxpayerId> = jobs.newest().taxpayers.keys().copied().collect();
    for taxpayer in taxpayers {
        for place in 1..=TSES {
            let info = info(taxpayer, place);
            let no = signer.add(taxpayer, "instant", &info);
            tses.insert(no, Quick::new(info));
        }
    }
    let (last, _) = reader.head()?;
    let (begun, cpu) = (Instant::now(), cpu_us(std::process::id()));
    let mut next_no = 1;
    while signer.done_to() < last {
        let now_ms = now_ms();
        if next_no <= last && signer.waiting() < 2 * usize::try_from(BATCH)? {
            for (no, job) in jobs.page(&mut reader, next_no, BATCH)? {
                match job {
                    Some(job) => signer.order(&job, now_ms)?,
                    None => signer.nothing(no),
                }
                next_no = no + 1;
            }
        }
        let (rows, calls) = signer.turn(now_ms);
        if !rows.is_empty() {
            books.engine.process(now_ms, &[Request::Sign(Box::new(rows))])?;
        }
        for call in calls {
            let done = tses.get_mut(&call.tse).map(|tse| tse.of(&call, now_ms));
            if let Some(done) = done {
                signer.answer(call.tse, call.id, Ok(done), 1, now_ms);
            }
        }
    }
    let took_us = u64::try_from(begun.elapsed().as_micros())?.max(1);
    let cpu_us = cpu_us(std::process::id()) - cpu;
    let came_off: u64 = reader
        .signing_counts()?
        .get(&SigningState::Signed)
        .copied()
        .unwrap_or_default();
    anyhow::ensure!(came_off >= orders, "only {came_off} of {orders} orders were signed");
    Ok((came_off * 1_000_000 / took_us, cpu_us / came_off.max(1)))
}

/// A TSE that answers at once, with bytes of the right length.
struct Quick {
    info: TseInfo,
    transactions: u64,
    signatures: u64,
}

impl Quick {
    const fn new(info: TseInfo) -> Self {
        Self {
            info,
            transactions: 0,
            signatures: 0,
        }
    }

    fn of(&mut self, call: &Call, now_ms: u64) -> Reply {
        let time_s = now_ms / 1_000;
        match &call.ask {
            Ask::Prepare => Reply::Ready(Box::new(self.info.clone())),
            Ask::Register { .. } | Ask::Deregister { .. } => Reply::Done,
            Ask::Start { .. } => {
                self.transactions += 1;
                self.signatures += 1;
                Reply::Started(Started {
                    transaction: self.transactions,
                    counter: self.signatures,
                    time_s,
                    signature: vec![1; 96],
                })
            }
            Ask::Finish { .. } => {
                self.signatures += 1;
                Reply::Finished(Finished {
                    counter: self.signatures,
                    time_s,
                    signature: vec![2; 96],
                })
            }
            Ask::Open => Reply::Open(Vec::new()),
            Ask::Since { .. } => Reply::Logged(Vec::new()),
            Ask::Ended { .. } => Reply::Ended(None),
        }
    }
}

/// What such a TSE is.
pub fn info(taxpayer: TaxpayerId, place: u8) -> TseInfo {
    let mut serial = [place; 32];
    serial
        .iter_mut()
        .zip(taxpayer.0.to_be_bytes())
        .for_each(|(to, from)| *to = from);
    TseInfo {
        name: "bench (not certified)".to_owned(),
        public_key: vec![4; 97],
        serial,
        curve: Curve::BrainpoolP384,
        time_format: TimeFormat::UnixTime,
        certificates: Vec::new(),
        valid_until_ms: None,
        certified: false,
        limits: Limits {
            clients_max: 100,
            open_max: 512,
            signature_ms: 1,
        },
    }
}
