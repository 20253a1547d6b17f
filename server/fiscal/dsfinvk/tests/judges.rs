//! The export before outside judges: two linters that share no line with this project read every table.
#![expect(clippy::expect_used, reason = "what cannot be fails the test")]

mod festival;

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
        if let Some(said) = judges::fiscal_export::dsfinvk(folder.path()) {
            assert_eq!(said, "");
        }
        if let Some(findings) = judges::fiscal_export::rulestamp(folder.path()) {
            assert_eq!(findings, Vec::<String>::new());
        }
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
