//! What a Z report says is to the cent what the export of the same closing says.

use std::borrow::Cow;
use std::collections::BTreeMap;

use dsfinvk::Writer;
use dsfinvk::amount::parse;
use dsfinvk::map::{self, Booked, CameOff, Settings};
use dsfinvk::memory::{Files, Memory};
use dsfinvk::model::Closing;
use dsfinvk::write::Options;
use fiscal::{Jobs, VoucherModel};
use fixtures::sample;
use shared_protocol::TagId;
use store::{ClosedItem, ClosingRow, Reader, Store as _};

use crate::festival::{Festival, sample_festival};

fn exported(festival: &Festival, row: &ClosingRow, model: VoucherModel) -> Files {
    let mut reader = festival.store.reader().unwrap();
    let reader: &mut dyn Reader = reader.as_mut();
    let mut jobs = Jobs::new(reader, sample::EVENT).unwrap();
    let config = sample::config();
    let wristband = |tag: TagId| map::pseudonym(&[1; 32], tag);
    let settings = Settings {
        model,
        in_house: true,
        staff_names: false,
        wristband: &wristband,
    };
    let tses = reader.tses().unwrap();
    let outages = reader.outages(1, 9).unwrap();
    let mut memory = Memory::default();
    let mut writer = Writer::new(&mut memory, Options::default()).unwrap();
    let closing = Closing {
        till: Cow::Owned(row.client.clone()),
        number: row.z_no,
        created_ms: row.made_at_ms,
        taxpayer: map::taxpayer(&config.taxpayers[&row.taxpayer]),
        place: map::place(&config, row.till),
        register: map::register(&row.client, "0"),
        vat: map::vat_table(&config),
        tses: tses.iter().map(|tse| map::tse_unit(tse, None)).collect(),
        ..Closing::default()
    };
    writer.begin(closing).unwrap();
    for (number, item) in reader.closed_items(row.id, row.first_receipt, 10_000).unwrap() {
        let ClosedItem::Order(no) = item else { continue };
        let journal = reader.journal(no, 1).unwrap().remove(0);
        let job = jobs.of(reader, &journal).unwrap().unwrap();
        let signing = reader.signing(no).unwrap();
        let transaction = signing
            .as_ref()
            .and_then(|row| reader.transaction(row.tse, row.transaction?).unwrap());
        let booked = Booked {
            order: &job.order,
            replaced: job.replaced.as_ref(),
            config: &job.config,
            came_off: CameOff {
                signing: signing.as_ref(),
                transaction: transaction.as_ref(),
                outage: outages.first(),
            },
            number,
            ended_ms: job.sold_at_ms.unwrap_or(job.order.closed_at_ms),
            owed: map::owed(journal.record.posting.as_ref().unwrap()).unwrap(),
            takes_back: None,
        };
        writer.push(&map::receipt(&booked, &settings)).unwrap();
    }
    writer.end().unwrap();
    writer.finish().unwrap();
    memory.files()
}

/// Rows of a table behind the columns of the closing, without quotes.
fn rows(files: &Files, name: &str) -> Vec<Vec<String>> {
    let text = String::from_utf8(files.0[name].clone()).unwrap();
    text.lines()
        .skip(1)
        .map(|line| {
            line.split(';')
                .skip(3)
                .map(|cell| cell.trim_matches('"').to_owned())
                .collect()
        })
        .collect()
}

#[test]
fn a_z_report_is_what_the_export_of_its_closing_says() {
    let festival = sample_festival();
    let closings = festival.store.reader().unwrap().closings(1, 99).unwrap();
    assert!(
        closings.len() >= 8 && closings.iter().any(|row| row.supplement),
        "{closings:?}"
    );
    for model in [VoucherModel::VoucherLines, VoucherModel::ElectronicMoney] {
        for row in &closings {
            let files = exported(&festival, row, model);
            let books = festival.load_as(&reports::Wanted::closing(row), model);
            let sums = books.sum(|key| key.closing == Some(row.id)).unwrap();
            assert_eq!(sums.receipts, row.receipts);
            let mut cases = BTreeMap::new();
            for (key, split) in &sums.cases {
                let sum = cases.entry((key.case.as_str().to_owned(), key.name.clone(), key.vat.to_string()));
                sum.or_insert_with(dsfinvk::amount::Split::default).add(*split).unwrap();
            }
            let said: BTreeMap<_, _> = rows(&files, "businesscases.csv")
                .into_iter()
                .map(|row| {
                    let [gross, net, tax] = [4, 5, 6].map(|column: usize| parse(&row[column], 5).unwrap());
                    assert_eq!(gross, net + tax);
                    ((row[0].clone(), row[1].clone(), row[3].clone()), (gross, tax))
                })
                .collect();
            let own: BTreeMap<_, _> = cases
                .into_iter()
                .map(|(key, split)| (key, (split.gross.0 * 1_000, split.tax.0)))
                .collect();
            assert_eq!(own, said, "{row:?}");
            let said: BTreeMap<_, _> = rows(&files, "payment.csv")
                .into_iter()
                .map(|row| ((row[0].clone(), row[1].clone()), parse(&row[2], 2).unwrap()))
                .collect();
            let own: BTreeMap<_, _> = sums
                .payments
                .iter()
                .map(|((kind, name), cents)| ((kind.as_str().to_owned(), name.clone()), cents.0))
                .collect();
            assert_eq!(own, said, "{row:?}");
            let paid: i64 = own.values().sum();
            let gross: i64 = sums.cases.values().map(|split| split.gross.0).sum();
            assert_eq!(paid, gross, "business cases and payments have one total");
        }
    }
}
