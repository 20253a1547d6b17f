//! The books of a simulated festival as an export: real tills, a real signer, outages. What comes out has to add up, and every transaction of every TSE has to
//! be in it.
#![expect(clippy::unwrap_used, reason = "what cannot be fails the test")]

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use dsfinvk::map::{self, Booked, CameOff, Settings, Target};
use dsfinvk::memory::{Files, Memory};
use dsfinvk::model::Closing;
use dsfinvk::write::{Options, Writer};
use fiscal::signer::client_of;
use fiscal::{Job, Jobs, VoucherModel};
use fixtures::sample;
use shared_protocol::{Amount, OrderId, TagId, TaxpayerId, TillId};
use store::{OutageRow, Reader, SigningRow, SigningState, TransactionRow, TseRow};
use store_sqlite::SqliteReader;

struct Sold {
    job: Job,
    signing: SigningRow,
    transaction: Option<TransactionRow>,
    outage: Option<OutageRow>,
    owed: Amount,
}

/// Everything of one taxpayer, by till.
#[derive(Default)]
struct Books {
    sold: BTreeMap<TillId, Vec<Sold>>,
    given_up: BTreeMap<String, Vec<TransactionRow>>,
}

fn books(reader: &mut SqliteReader) -> BTreeMap<TaxpayerId, Books> {
    let mut jobs = Jobs::new(reader, sample::EVENT).unwrap();
    let outages = reader.outages(0, u64::MAX).unwrap();
    let mut books: BTreeMap<TaxpayerId, Books> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for row in reader.journal(1, u64::MAX >> 1).unwrap() {
        let Some(job) = jobs.of(reader, &row).unwrap() else {
            continue;
        };
        let signing = reader.signing(job.no).unwrap().unwrap();
        let transaction = signing
            .transaction
            .and_then(|number| reader.transaction(signing.tse, number).unwrap());
        seen.extend(transaction.as_ref().map(|row| (row.tse, row.transaction)));
        let outage = outages.iter().find(|row| Some(row.id) == signing.outage).cloned();
        let owed = map::owed(row.record.posting.as_ref().unwrap()).unwrap();
        let of_till = books.entry(job.order.taxpayer).or_default();
        of_till.sold.entry(job.order.till).or_default().push(Sold {
            job,
            signing,
            transaction,
            outage,
            owed,
        });
    }
    for tse in reader.tses().unwrap() {
        for number in 1.. {
            let Some(row) = reader.transaction(tse.no, number).unwrap() else {
                break;
            };
            if row.end.is_some() && !seen.contains(&(tse.no, number)) {
                let books = books.entry(tse.taxpayer).or_default();
                books.given_up.entry(row.client.clone()).or_default().push(row);
            }
        }
    }
    books
}

fn closing(books: &Books, till: TillId, taxpayer: TaxpayerId, tses: &[TseRow]) -> Closing<'static> {
    let config = sample::config();
    let client = client_of(sample::EVENT, till);
    let sold = &books.sold[&till];
    let last = sold.iter().map(|sold| sold.job.booked_at_ms).max().unwrap();
    Closing {
        till: Cow::Owned(client.clone()),
        number: 1,
        created_ms: last + 60_000,
        taxpayer: map::taxpayer(&config.taxpayers[&taxpayer]),
        place: map::place(&config, till),
        register: map::register(&client, "0"),
        vat: map::vat_table(&config),
        tses: tses
            .iter()
            .filter(|tse| tse.taxpayer == taxpayer)
            .map(|tse| map::tse_unit(tse, None))
            .collect(),
        ..Closing::default()
    }
}

fn export(books: &Books, taxpayer: TaxpayerId, tses: &[TseRow]) -> Files {
    let wristband = |tag: TagId| map::pseudonym(&[1; 32], tag);
    let settings = Settings {
        model: VoucherModel::VoucherLines,
        in_house: true,
        staff_names: false,
        wristband: &wristband,
    };
    let mut memory = Memory::default();
    let mut writer = Writer::new(&mut memory, Options::default()).unwrap();
    for (till, sold) in &books.sold {
        writer.begin(closing(books, *till, taxpayer, tses)).unwrap();
        let till = client_of(sample::EVENT, *till);
        let mut number = 0;
        for row in books.given_up.get(&till).into_iter().flatten() {
            number += 1;
            let came_off = CameOff {
                transaction: Some(row),
                ..CameOff::default()
            };
            writer.push(&map::given_up(row, &came_off, number)).unwrap();
        }
        for sold in sold {
            number += 1;
            let order = &sold.job.order;
            let target = order.reverses.map(|order: OrderId| Target {
                till: till.clone(),
                closing: Some(1),
                receipt: order.to_string(),
                day: "2027-07-17".to_owned(),
            });
            let booked = Booked {
                order,
                replaced: sold.job.replaced.as_ref(),
                config: &sold.job.config,
                came_off: CameOff {
                    signing: Some(&sold.signing),
                    transaction: sold.transaction.as_ref(),
                    outage: sold.outage.as_ref(),
                },
                number,
                ended_ms: sold.job.sold_at_ms.unwrap_or(order.closed_at_ms),
                owed: sold.owed,
                takes_back: target.as_ref(),
            };
            writer.push(&map::receipt(&booked, &settings)).unwrap();
        }
        writer.end().unwrap();
    }
    let written = writer.finish().unwrap();
    assert_eq!(written.cuts.total, 0);
    memory.files()
}

fn simulated(data: &Path) -> SqliteReader {
    let output = Command::new(env!("CARGO_BIN_EXE_groschen"))
        .args([
            "simulate",
            "--terminals",
            "24",
            "--orders",
            "600",
            "--rate",
            "100",
            "--outage",
            "2",
        ])
        .args(["--tse-outage", "4/1", "--json", "--data"])
        .arg(data)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    SqliteReader::open(data.join("groschen.db"), None).unwrap()
}

#[test]
fn the_books_of_a_festival_with_outages_are_an_export_that_adds_up() {
    let data = tempfile::tempdir().unwrap();
    let mut reader = simulated(data.path());
    let tses = reader.tses().unwrap();
    let books = books(&mut reader);
    assert!(books.len() >= 2, "only {:?} sold something", books.keys());
    let (mut receipts, mut marked) = (0, 0);
    for (taxpayer, books) in &books {
        let files = export(books, *taxpayer, &tses);
        let report = dsfinvk::check(&files);
        assert_eq!(report.findings, [], "taxpayer {taxpayer}");
        receipts += report.receipts;
        let sold = books.sold.values().flatten();
        marked += sold.filter(|sold| sold.signing.state != SigningState::Signed).count();
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in &files.0 {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        if let Some(said) = judges::fiscal_export::dsfinvk(folder.path()) {
            assert_eq!(said, "");
        }
        if let Some(findings) = judges::fiscal_export::rulestamp(folder.path()) {
            assert_eq!(findings, Vec::<String>::new());
        }
    }
    assert!(receipts > 400 && marked > 0, "{receipts} receipts, {marked} marked");
}
