//! The export of a small festival, to the byte. `GROSCHEN_WRITE_GOLDEN=1 cargo test -p dsfinvk --test golden` writes files that are missing; one that exists
//! is never written over: a change of the format is made by deleting the file, in full sight.
#![expect(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "what cannot be fails the test; whoever writes goldens says so in the environment"
)]

mod festival;

use std::path::{Path, PathBuf};

use dsfinvk::check;
use dsfinvk::words::Taxonomy;
use dsfinvk::write::Options;
use fiscal::VoucherModel;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures/dsfinvk/festival")
}

#[test]
fn the_export_of_a_small_festival_is_the_golden_one() {
    let (files, written) = festival::export(VoucherModel::VoucherLines, festival::options());
    assert_eq!((written.closings, written.receipts, written.cuts.total), (3, 28, 0));
    assert_eq!(files.0.len(), 22);
    let writes = std::env::var("GROSCHEN_WRITE_GOLDEN").is_ok_and(|value| value == "1");
    for (name, bytes) in &files.0 {
        let path = folder().join(name);
        if writes && !path.exists() {
            std::fs::create_dir_all(folder()).expect("a folder for golden files");
            std::fs::write(&path, bytes).expect("a golden file");
        }
        let golden = std::fs::read(&path).expect("a golden file");
        assert_eq!(
            String::from_utf8_lossy(bytes).lines().collect::<Vec<_>>(),
            String::from_utf8_lossy(&golden).lines().collect::<Vec<_>>(),
            "{name}"
        );
        assert!(*bytes == golden, "{name} differs in its line ends");
    }
}

#[test]
fn the_checker_finds_nothing_in_the_festival_whatever_wristbands_are() {
    for model in [VoucherModel::VoucherLines, VoucherModel::ElectronicMoney] {
        let report = check(&festival::export(model, festival::options()).0);
        assert_eq!(report.findings, [], "{model:?}");
        assert_eq!((report.closings, report.receipts), (3, 28));
    }
}

#[test]
fn francs_and_crowns_stand_in_the_export_beside_what_they_count_as() {
    for model in [VoucherModel::VoucherLines, VoucherModel::ElectronicMoney] {
        let files = festival::export_near_borders(model);
        assert_eq!(check(&files).findings, [], "{model:?}");
        let text = |name: &str| String::from_utf8_lossy(&files.0[name]).into_owned();
        let payments = text("datapayment.csv");
        assert!(payments.contains("\"Bar\";\"Bar\";\"CHF\";50,00;53,50"), "{payments}");
        assert!(text("transactions_tse.csv").contains("20.00:Bar:CHF"));
        let by_currency = text("cash_per_currency.csv");
        // What was sold for and topped up, less what was taken back and handed in.
        assert!(by_currency.contains("\"CHF\";0,00"), "{by_currency}");
        assert!(by_currency.contains("\"CZK\";"), "{by_currency}");
    }
}

#[test]
fn version_2_3_names_itself_and_differs_in_nothing_else() {
    let old = Options {
        taxonomy: Taxonomy::V2_3,
        ..festival::options()
    };
    let (old, _) = festival::export(VoucherModel::VoucherLines, old);
    let (new, _) = festival::export(VoucherModel::VoucherLines, festival::options());
    for (name, bytes) in &old.0 {
        let text = String::from_utf8_lossy(bytes)
            .replace("\"2.3\"", "\"2.4\"")
            .replace("DSFinV-K 2.3", "DSFinV-K 2.4");
        assert_eq!(text, String::from_utf8_lossy(&new.0[name]), "{name}");
    }
    assert!(check(&old).holds());
}
