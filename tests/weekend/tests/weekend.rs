//! A weekend of more than 20,000 orders, from the first sale to the audit: nothing is found in its books by the judge beside it, nothing in its exports by
//! our own checkers and by programs of others. And smaller ones in which something is wrong on purpose, which is found.
#![expect(clippy::unwrap_used, reason = "what cannot be fails the test")]

use std::fs::File;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use clap::Parser as _;
use exports::ExportFolder;
use fiscal::OutagePolicy;
use groschen::Exit;
use groschen::receipt::read::{Face, Receipts};
use groschen::settings::{Flags, ListenFlags, Settings};
use store::SigningState;
use store_sqlite::SqliteReader;
use verify::Certificate;
use weekend::{Options, Outcome, Plant};

const WEEKEND: Options = Options {
    seed: 27,
    orders: 21_000,
    policy: OutagePolicy::ResignMarked,
    plant: Plant::Nothing,
};

/// The program's own commands, in this process.
#[derive(clap::Parser)]
enum Command {
    Export(groschen::export::Arguments),
    Audit(groschen::audit::Arguments),
}

fn groschen(arguments: &[&str]) -> Exit {
    let arguments = ["groschen"].iter().chain(arguments);
    match Command::parse_from(arguments) {
        Command::Export(arguments) => groschen::export::run(&arguments).unwrap(),
        Command::Audit(arguments) => groschen::audit::run(&arguments).unwrap(),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A data folder whose key is the same in every run.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut options = File::options();
    let mut key = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(folder.path().join("tse.key"))
        .unwrap();
    std::io::Write::write_all(&mut key, &[7; 32]).unwrap();
    folder
}

/// What is in a folder, by the end of the name.
fn files(folder: &Path, begins: &str, ends: &str) -> Vec<PathBuf> {
    let names = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let fits = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.starts_with(begins) && name.ends_with(ends)
    };
    let mut found: Vec<PathBuf> = names.filter(fits).collect();
    found.sort();
    found
}

/// What our own checkers say of the exports and receipts of a weekend. Nothing when all is well.
fn checked(data: &Path, out: &Path, outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    assert_eq!(
        groschen(&["export", "dsfinvk", "--data", text(data), "--out", text(out)]),
        Exit::Done
    );
    assert_eq!(
        groschen(&["export", "tse", "--data", text(data), "--out", text(out)]),
        Exit::Done
    );
    let taxpayers = files(out, "taxpayer-", "");
    assert_eq!(taxpayers.len(), 2);
    let mut receipts = 0;
    for folder in &taxpayers {
        let report = dsfinvk::check(&ExportFolder::read(folder).unwrap());
        receipts += report.receipts;
        found.extend(
            report
                .findings
                .iter()
                .map(|finding| format!("{}: {finding:?}", folder.display())),
        );
    }
    if receipts != outcome.books.receipts {
        found.push(format!(
            "{receipts} receipts are exported, {} are in closings",
            outcome.books.receipts
        ));
    }
    let root = files(out, "tse-root", ".cer").remove(0);
    let options = verify::Options {
        complete: true,
        roots: Certificate::read_all(&std::fs::read(root).unwrap()).unwrap(),
    };
    let archives = files(out, "tse-", ".tar");
    assert_eq!(archives.len(), 3);
    for (archive, (signatures, is_dead)) in archives.iter().zip(outcome.signatures.values()) {
        let report = verify::judge(File::open(archive).unwrap(), &options);
        let unheard = signatures - report.messages.min(*signatures);
        if !report.holds || report.messages + unheard != *signatures || unheard > u64::from(*is_dead) {
            found.push(format!("{}: {report}", archive.display()));
        }
        if report.open_total > 0 && !is_dead {
            found.push(format!(
                "{}: {} transactions are open",
                archive.display(),
                report.open_total
            ));
        }
    }
    found.extend(wrong_receipts(data));
    found
}

/// Codes of receipts, one of a few, that do not hold.
fn wrong_receipts(data: &Path) -> Vec<String> {
    let flags = Flags {
        config: None,
        data: Some(data.to_owned()),
        secret_key_file: None,
    };
    let settings = Settings::resolve(&flags, &ListenFlags::default()).unwrap();
    let reader = SqliteReader::open(data.join("groschen.db"), None).unwrap();
    let mut receipts = Receipts::new(reader, Face::new(&settings));
    let (mut codes, mut found) = (0, Vec::new());
    for no in (1..=receipts.last_no().unwrap()).step_by(29) {
        for receipt in receipts.page(no, 1, false).unwrap() {
            let Some(code) = receipt.tse_code() else { continue };
            codes += 1;
            let verdict = verify::receipt::judge(no.to_string(), &code, &[]);
            if !verdict.holds {
                found.push(format!("receipt {no}: {verdict}"));
            }
        }
    }
    assert!(codes > 10, "only {codes} codes were tried");
    found
}

/// What programs of others say of the exports.
fn outside(out: &Path) -> Vec<String> {
    let folders = files(out, "taxpayer-", "");
    let archives = files(out, "tse-", ".tar");
    thread::scope(|scope| {
        let mut asked = Vec::new();
        for folder in &folders {
            asked.push(scope.spawn(move || {
                let said = judges::fiscal_export::dsfinvk(folder).unwrap_or_default();
                if said.is_empty() { Vec::new() } else { vec![said] }
            }));
            asked.push(scope.spawn(move || judges::fiscal_export::rulestamp(folder).unwrap_or_default()));
        }
        for archive in &archives {
            asked.push(scope.spawn(move || {
                let verdict = judges::tse_export(&std::fs::read(archive).unwrap());
                let wrong = verdict.filter(|verdict| verdict.do_not > 0);
                wrong.map(|verdict| verdict.text).into_iter().collect()
            }));
        }
        asked.into_iter().flat_map(|judge| judge.join().unwrap()).collect()
    })
}

#[test]
fn a_weekend_with_a_dead_tse_one_that_hangs_and_late_tills_leaves_nothing_to_find() {
    let data = folder();
    let begun = Instant::now();
    let outcome = weekend::run(data.path(), &WEEKEND);
    let lived = begun.elapsed();
    eprintln!("{outcome:#?}");
    assert_eq!(outcome.found, Vec::<String>::new());
    let out = data.path().join("audit");
    assert_eq!(checked(data.path(), &out, &outcome), Vec::<String>::new());
    let own = begun.elapsed();
    assert_eq!(outside(&out), Vec::<String>::new());
    assert_eq!(groschen(&["audit", "--data", text(data.path())]), Exit::Done);
    eprintln!(
        "{} orders in {lived:?}, exported and checked in {:?}, judged outside in {:?}",
        outcome.orders,
        own.saturating_sub(lived),
        begun.elapsed().saturating_sub(own)
    );
    assert!(outcome.orders >= 20_000);
}

/// A short weekend, signed by the policy that the other one has not.
const SHORT: Options = Options {
    seed: 4,
    orders: 1_500,
    policy: OutagePolicy::MarkOnly,
    plant: Plant::Nothing,
};

#[test]
fn the_same_seed_is_the_same_weekend_and_marked_orders_may_stay_marked() {
    let (one, two) = (folder(), folder());
    let outcome = weekend::run(one.path(), &SHORT);
    assert_eq!(outcome.found, Vec::<String>::new());
    assert!(outcome.counts[&SigningState::InOutage] > 50, "{outcome:#?}");
    let out = one.path().join("audit");
    assert_eq!(checked(one.path(), &out, &outcome), Vec::<String>::new());
    assert_eq!(weekend::run(two.path(), &SHORT), outcome);
}

#[test]
fn what_is_wrong_on_purpose_is_found() {
    let planted = [
        (Plant::UnsignedOrder, "is neither signed nor in an outage"),
        (Plant::ForgottenClosing, "are in no closing"),
        (Plant::WinterTimeForgotten, "of 20271030 is booked on Some(20271031)"),
        (Plant::ShortenedOutage, "is not in its outage"),
    ];
    for (plant, words) in planted {
        let data = folder();
        let outcome = weekend::run(data.path(), &Options { plant, ..SHORT });
        let says = outcome.found.iter().any(|what| what.contains(words));
        assert!(says, "{plant:?}: {:#?}", outcome.found);
    }
    // The rows beside a signature cannot tell that it is wrong; who checks it can.
    let data = folder();
    let plant = Plant::FlippedBit;
    let outcome = weekend::run(data.path(), &Options { plant, ..SHORT });
    assert_eq!(outcome.found, Vec::<String>::new());
    let found = checked(data.path(), &data.path().join("audit"), &outcome);
    assert!(found.iter().any(|what| what.contains("signature-wrong")), "{found:#?}");
}
