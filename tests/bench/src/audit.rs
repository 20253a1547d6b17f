//! `groschen export dsfinvk` from a database: how long the closings of a long festival take, and how much memory, in a process of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Context as _;
use engine::Request;
use fiscal::signer::client_of;
use fiscal::{Closer, Jobs, Kassenbeleg, VoucherModel};
use fixtures::sample;
use shared_protocol::TaxpayerId;
use store::{ClientRow, Reader as _, Signing, SigningRow, SigningState, TransactionEnd, TransactionRow, TseNo, TseRow};
use store_sqlite::{Options, SqliteReader, SqliteStore};
use sync::writer::now_ms;

use crate::figure::{Shape, tell};
use crate::prefill::{BATCH, Books, PROJECTED};
use crate::queue::info;

const DAY_MS: u64 = 24 * 3_600_000;
/// Days over which orders are spread; the last one was three days ago.
const DAYS: u64 = 3;
/// Journal rows that come off in a commit of the history.
const SIGNED_AT_ONCE: u64 = 8_192;

/// Runs the row. `data` keeps the database for another run.
pub fn run(shape: &Shape, orders: u64, data: Option<&PathBuf>) -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let data = data.map_or_else(|| dir.path().join("data"), Clone::clone);
    if !data.join("groschen.db").exists() {
        std::fs::create_dir_all(&data)?;
        database(&data, orders)?;
    }
    let (mut rates, mut seconds, mut peak_kib) = (Vec::new(), 0, 0);
    for run in 0..shape.runs {
        let out = dir.path().join(format!("audit-{run}"));
        let begun = Instant::now();
        let output = Command::new(std::env::current_exe()?)
            .args(["exported", "dsfinvk", "--json", "--data"])
            .arg(&data)
            .arg("--out")
            .arg(&out)
            .output()?;
        let took = begun.elapsed();
        anyhow::ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said = String::from_utf8(output.stdout)?;
        let mut receipts = 0;
        for line in said.lines() {
            let line: serde_json::Value = serde_json::from_str(line)?;
            receipts += line["receipts"].as_u64().unwrap_or_default();
            peak_kib = peak_kib.max(line["peak_kib"].as_u64().unwrap_or_default());
        }
        anyhow::ensure!(receipts >= orders, "only {receipts} receipts of {orders} were exported");
        rates.push(receipts * 1_000 / u64::try_from(took.as_millis())?.max(1));
        seconds = seconds.max(took.as_secs());
        std::fs::remove_dir_all(&out)?;
    }
    let more = [("slowest_s", seconds), ("peak_mib", peak_kib / 1_024)];
    tell(
        shape,
        &format!("export_dsfinvk_of_{orders}"),
        "receipts/s",
        rates,
        &more,
    );
    Ok(())
}

/// A database with so many orders that came off and were closed. Signatures are bytes of the right length: a million true ones would take an hour.
fn database(data: &Path, orders: u64) -> anyhow::Result<()> {
    let signer = groschen::keys::config_key(data)?;
    groschen::keys::seed(&data.join("tse.key"), "the database is made anew")?;
    let path = data.join("groschen.db");
    let mut books = Books::start_at(
        SqliteStore::open(&path, &Options::default())?,
        signer,
        moment(0, orders),
    )?;
    let mut reader = SqliteReader::open(&path, None)?;
    let mut office = Office::new(&mut reader)?;
    let (mut done, mut to) = (0, 0);
    keep(
        &mut books,
        Signing {
            tses: office.tses.values().cloned().collect(),
            ..Signing::default()
        },
    )?;
    while done < orders {
        let at_ms = moment(done, orders);
        done += books.batch_at(BATCH.min(usize::try_from(orders - done)?), at_ms)?;
        while books.engine.project(PROJECTED)? {}
        let (last, _) = reader.head()?;
        if last >= to + SIGNED_AT_ONCE || done >= orders {
            let signing = office.came_off(&mut reader, to + 1, last)?;
            keep(&mut books, signing)?;
            to = last;
        }
    }
    let mut closer = Closer::new(&mut reader, sample::EVENT)?;
    for closing in closer.due(&mut reader, now_ms())?.closings {
        keep(
            &mut books,
            Signing {
                closings: vec![closing],
                ..Signing::default()
            },
        )?;
    }
    Ok(())
}

/// When the order at this place of so many was made.
fn moment(place: u64, orders: u64) -> u64 {
    now_ms() - (DAYS + 3) * DAY_MS + place * DAYS * DAY_MS / orders.max(1)
}

fn keep(books: &mut Books<SqliteStore>, signing: Signing) -> anyhow::Result<()> {
    books.engine.process(now_ms(), &[Request::Sign(Box::new(signing))])?;
    Ok(())
}

/// What signs, one TSE for each taxpayer.
struct Office {
    jobs: Jobs,
    tses: BTreeMap<TaxpayerId, TseRow>,
    numbers: BTreeMap<TaxpayerId, u64>,
    homes: BTreeSet<(String, TaxpayerId)>,
}

impl Office {
    fn new(reader: &mut SqliteReader) -> anyhow::Result<Self> {
        let jobs = Jobs::new(reader, sample::EVENT)?;
        let tses = jobs.newest().taxpayers.keys().zip(1_u16..).map(|(taxpayer, no)| {
            let info = info(*taxpayer, 1);
            let row = info.row(TseNo(no), *taxpayer, "software");
            (*taxpayer, row)
        });
        Ok(Self {
            tses: tses.collect(),
            numbers: BTreeMap::new(),
            homes: BTreeSet::new(),
            jobs,
        })
    }

    /// How these orders came off: each by a transaction of its own.
    fn came_off(&mut self, reader: &mut SqliteReader, from: u64, to: u64) -> anyhow::Result<Signing> {
        let mut signing = Signing {
            done_to: Some(to),
            ..Signing::default()
        };
        for (no, job) in self.jobs.page(reader, from, to + 1 - from)? {
            let Some(job) = job else { continue };
            let taxpayer = job.order.taxpayer;
            let tse = self.tses.get(&taxpayer).context("a TSE")?.no;
            let number = self.numbers.entry(taxpayer).or_default();
            *number += 1;
            let client = client_of(sample::EVENT, job.order.till);
            let model = VoucherModel::VoucherLines;
            let told = Kassenbeleg::of_order(&job.order, job.replaced.as_ref(), &job.config, model)?;
            if self.homes.insert((client.clone(), taxpayer)) {
                signing.clients.push(ClientRow {
                    tse,
                    client: client.clone(),
                    taxpayer,
                    from_ms: job.booked_at_ms,
                    until_ms: None,
                });
            }
            let time_s = job.booked_at_ms / 1_000;
            signing.transactions.push(TransactionRow {
                tse,
                transaction: *number,
                client,
                cart: job.order.cart,
                started_s: time_s,
                start_counter: 2 * *number - 1,
                start_signature: vec![1; 96],
                end: Some(TransactionEnd {
                    time_s,
                    counter: 2 * *number,
                    process_type: "Kassenbeleg-V1".to_owned(),
                    process_data: told.to_string(),
                    signature: vec![2; 96],
                }),
            });
            signing.orders.push(SigningRow {
                no,
                state: SigningState::Signed,
                tse,
                transaction: Some(*number),
                outage: None,
                doubt: None,
            });
        }
        Ok(signing)
    }
}
