//! Reports from the command line, over the books of a festival that real tills made.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use std::path::Path;
use std::process::{Command, Output};

fn groschen(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groschen"));
    command.args(arguments).env_remove("GROSCHEN_DATA").output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// What a command printed, when it did what it was asked to.
fn said(arguments: &[&str]) -> String {
    let output = groschen(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_report_comes_in_every_form_and_none_replaces_another() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("festival");
    let simulated = [
        "simulate",
        "--terminals",
        "8",
        "--orders",
        "200",
        "--rate",
        "100",
        "--json",
        "--data",
        text(&data),
    ];
    said(&simulated);
    let data = text(&data);
    for what in ["x", "shift", "day", "locations", "settlement", "vat"] {
        let german = said(&["report", what, "--data", data]);
        assert!(
            german.contains("VORLÄUFIG") && german.contains("NICHT ZERTIFIZIERT"),
            "{what}: {german}"
        );
        let english = said(&["report", what, "--data", data, "--language", "en", "--form", "csv"]);
        assert!(
            english.starts_with('\u{feff}') && english.contains("PROVISIONAL"),
            "{what}"
        );
        for form in ["pdf", "xlsx"] {
            let out = folder.path().join(format!("{what}-{form}"));
            let written = said(&["report", what, "--data", data, "--form", form, "--out", text(&out)]);
            for path in written.lines() {
                let bytes = std::fs::read(path).unwrap();
                let begins: &[u8] = if form == "pdf" { b"%PDF-" } else { b"PK" };
                assert!(bytes.starts_with(begins), "{path}");
            }
            assert!(!written.is_empty(), "{what} {form}");
        }
    }
    let out = folder.path().join("vat-pdf");
    let again = groschen(&["report", "vat", "--data", data, "--form", "pdf", "--out", text(&out)]);
    assert!(!again.status.success(), "a report that somebody has is never replaced");
    let nothing = groschen(&["report", "z", "--data", data, "--day", "20200101"]);
    assert!(!nothing.status.success());
    let nowhere = groschen(&["report", "vat", "--data", data, "--form", "pdf"]);
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("--out"));
}

#[test]
fn a_statement_of_real_books_is_the_balance_of_the_ledger() {
    let data = tempfile::tempdir().unwrap();
    said(&[
        "simulate",
        "--terminals",
        "24",
        "--orders",
        "600",
        "--rate",
        "100",
        "--outage",
        "2",
        "--json",
        "--data",
        text(data.path()),
    ]);
    let statements = said(&["report", "settlement", "--data", text(data.path()), "--language", "en"]);
    // Lines are wrapped at 48 characters.
    let statements = statements.split_whitespace().collect::<Vec<_>>().join(" ");
    let holds = statements.matches("The total is the balance of the ledger").count();
    assert!(holds >= 1 && !statements.contains("MIND:"), "{statements}");
}
