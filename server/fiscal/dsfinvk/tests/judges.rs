//! The export before outside judges: two linters that share no line with this project read every table.
#![expect(clippy::expect_used, reason = "what cannot be fails the test")]

mod festival;

use std::collections::BTreeMap;
use std::path::Path;

use dsfinvk::memory::Files;
use fiscal::VoucherModel;

fn export(model: VoucherModel) -> Files {
    festival::export(model, festival::options()).0
}

fn put(files: &Files, folder: &Path) {
    for (name, bytes) in &files.0 {
        std::fs::write(folder.join(name), bytes).expect("a temporary file");
    }
}

fn swap(files: &mut Files, name: &str, from: &str, to: &str) {
    let text = String::from_utf8(files.0[name].clone()).expect("text");
    assert!(text.contains(from));
    files.0.insert(name.to_owned(), text.replacen(from, to, 1).into_bytes());
}

#[test]
fn outside_judges_find_nothing_in_the_festival() {
    for model in [VoucherModel::VoucherLines, VoucherModel::ElectronicMoney] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        put(&export(model), folder.path());
        outside_judges_find_nothing(folder.path());
        let near_borders = tempfile::tempdir().expect("a temporary folder");
        put(&festival::export_near_borders(model), near_borders.path());
        outside_judges_find_nothing(near_borders.path());
    }
}

fn outside_judges_find_nothing(folder: &Path) {
    if let Some(said) = judges::fiscal_export::dsfinvk(folder) {
        assert_eq!(said, "");
    }
    if let Some(findings) = judges::fiscal_export::rulestamp(folder) {
        assert_eq!(findings, Vec::<String>::new());
    }
}

#[test]
fn outside_judges_find_what_is_planted() {
    let mut files = export(VoucherModel::VoucherLines);
    swap(&mut files, "lines_vat.csv", ";9,00000;", ";9,00;");
    swap(&mut files, "transactions.csv", "\"Beleg\"", "\"Bon\"");
    let folder = tempfile::tempdir().expect("a temporary folder");
    put(&files, folder.path());
    if let Some(said) = judges::fiscal_export::dsfinvk(folder.path()) {
        assert!(said.contains("9,00 in column"), "{said}");
    }
    if let Some(findings) = judges::fiscal_export::rulestamp(folder.path()) {
        assert!(
            findings.iter().any(|finding| finding.starts_with("transactions.csv: ")),
            "{findings:?}"
        );
    }
}

/// The rows of a table as values by the names of their columns.
fn rows(files: &Files, name: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .from_reader(files.0[name].as_slice());
    let rows = reader.deserialize();
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn an_outside_verifier_accepts_every_signature_from_the_tables_alone() {
    let files = export(VoucherModel::VoucherLines);
    let tse = rows(&files, "tse.csv").remove(0);
    let signed = rows(&files, "transactions_tse.csv");
    let signed: Vec<_> = signed.iter().filter(|row| !row["TSE_TA_SIG"].is_empty()).collect();
    let codes: Vec<String> = signed
        .iter()
        .map(|row| {
            let fields = [
                "V0",
                &row["Z_KASSE_ID"],
                &row["TSE_TA_VORGANGSART"],
                &row["TSE_VORGANGSDATEN"],
                &row["TSE_TANR"],
                &row["TSE_TA_SIGZ"],
                &row["TSE_TA_START"],
                &row["TSE_TA_ENDE"],
                &tse["TSE_SIG_ALGO"],
                &tse["TSE_ZEITFORMAT"],
                &row["TSE_TA_SIG"],
                &tse["TSE_PUBLIC_KEY"],
            ];
            fields.join(";")
        })
        .collect();
    assert_eq!(codes.len(), 27);
    let Some(verdicts) = judges::receipt_codes(&codes.join("\n")) else {
        return;
    };
    assert_eq!(verdicts.len(), codes.len());
    assert!(
        verdicts.iter().all(|verdict| verdict.starts_with("(True")),
        "{verdicts:#?}"
    );
}
