//! Makes an export of so many messages with the TSE in software and measures how long judging it takes:
//! `cargo run --release -p verify --example speed -- 100000`.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::disallowed_macros,
    reason = "it measures, and prints what it measured"
)]

use std::fs::File;
use std::io::BufWriter;
use std::time::Instant;

use fiscal::SoftwareTse;
use fiscal::export::authority::Authority;
use fiscal::export::{Times, TseExport};
use fiscal::process_data::{KASSENBELEG_V1, Kassenbeleg};
use fiscal::software::Memory;
use fiscal::tse::{Curve, Document, TransactionKey, Tse as _};
use shared_protocol::{CartId, TaxpayerId};
use store::{TransactionEnd, TransactionRow, TseNo};
use verify::{Certificate, Options};

const NOW: u64 = 1_815_998_400;

/// Transactions come one after another, so one key is enough for all.
const KEY: TransactionKey = TransactionKey([1; 16]);

const fn document(process_data: &str) -> Document<'_> {
    Document {
        process_type: KASSENBELEG_V1,
        process_data,
        receipt: None,
    }
}

fn main() {
    let messages: u64 = std::env::args().nth(1).map_or(100_000, |text| text.parse().unwrap());
    let path = std::env::temp_dir().join(format!("verify-speed-{}.tar", std::process::id()));
    for curve in [Curve::BrainpoolP384, Curve::P256] {
        let authority = Authority::new([3; 32]);
        let made = Instant::now();
        make(&path, curve, messages / 2, &authority);
        let made = made.elapsed();
        let bytes = std::fs::metadata(&path).unwrap().len();
        let options = Options {
            complete: true,
            roots: Certificate::read_all(&authority.root(curve).unwrap().der).unwrap(),
        };
        let (before, cpu) = (peak_kib(), cpu_ms());
        let begun = Instant::now();
        let report = verify::judge(File::open(&path).unwrap(), &options);
        let (took, cpu) = (begun.elapsed(), cpu_ms() - cpu);
        assert!(report.holds && report.warnings == 0, "{report}");
        println!(
            "{}: {} messages of {bytes} bytes judged in {cpu} ms of one core ({} ms by the clock), peak memory {} KiB (before: {before} KiB); made in {} ms",
            curve.algorithm(),
            report.messages,
            took.as_millis(),
            peak_kib(),
            made.as_millis()
        );
    }
    std::fs::remove_file(&path).unwrap();
}

/// The most memory this process has had.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

/// What this process has used of a core, in ticks of 10 ms as Linux gives them: on a busy machine the clock says little.
fn cpu_ms() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    let ticks = after.split(' ').skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10
}

fn make(path: &std::path::Path, curve: Curve, transactions: u64, authority: &Authority) {
    let mut tse = SoftwareTse::new(&[7; 32], curve, Memory::default()).unwrap();
    let row = tse.info().row(TseNo(1), TaxpayerId(1), "software");
    let times = Times {
        valid_from_s: NOW,
        made_s: NOW,
    };
    let out = BufWriter::new(File::create(path).unwrap());
    let mut export = TseExport::begin(out, &row, authority, times).unwrap();
    let data = Kassenbeleg::ABORTED.to_string();
    for number in 1..=transactions {
        let (client, at) = (format!("TILL-{}", number % 40), (NOW + 3 * number) * 1_000);
        tse.register(&client, at).unwrap();
        let started = tse.start(KEY, &client, at).unwrap();
        let finished = tse
            .finish(KEY, &client, started.transaction, document(&data), at + 2_000)
            .unwrap();
        let transaction = TransactionRow {
            tse: TseNo(1),
            transaction: started.transaction,
            client,
            cart: CartId([0; 16]),
            started_s: started.time_s,
            start_counter: started.counter,
            start_signature: started.signature,
            end: Some(TransactionEnd {
                time_s: finished.time_s,
                counter: finished.counter,
                process_type: KASSENBELEG_V1.to_owned(),
                process_data: data.clone(),
                signature: finished.signature,
            }),
        };
        export.transaction(&transaction).unwrap();
    }
    export.finish().unwrap();
}
