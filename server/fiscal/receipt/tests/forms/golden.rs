//! Receipts as text and as printers get them, as they lie in `golden/`. `GROSCHEN_WRITE_GOLDEN=1 cargo test -p receipt` writes a file that is missing;
//! one that is there is compared and never overwritten.

use std::fmt::Write as _;
use std::path::PathBuf;

use receipt::escpos::{self, CodePage, Codes, Printer};
use receipt::{Paper, layout, text};
use wording::Language;

use crate::cases;

fn compare(name: &str, is: &[u8]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/forms/golden")
        .join(name);
    let write = std::env::vars().any(|(key, value)| key == "GROSCHEN_WRITE_GOLDEN" && value == "1");
    if write && !path.exists() {
        std::fs::write(&path, is).expect("a file for golden bytes");
    }
    let golden = std::fs::read(&path).unwrap_or_default();
    assert!(
        golden == is,
        "{name} is not what was agreed:\n{}",
        String::from_utf8_lossy(is)
    );
}

#[test]
fn receipts_of_every_kind_say_what_they_said_before() {
    for case in cases::all() {
        let content = case.content();
        let mut all = String::new();
        for language in Language::ALL {
            for paper in [Paper::Mm58, Paper::Mm80] {
                let sheet = layout::sheet(&content, language, paper);
                write!(
                    all,
                    "=== {language}, {} characters\n{}",
                    paper.columns(),
                    text::render(&sheet)
                )
                .expect("memory");
            }
        }
        compare(&format!("{}.txt", case.name), all.as_bytes());
    }
}

#[test]
fn printers_get_the_same_bytes_as_before() {
    let other = Printer {
        page: CodePage::Windows1252,
        codes: Codes::Raster,
        cuts: false,
    };
    for (name, language, paper, printer) in [
        ("sale", Language::De, Paper::Mm58, Printer::default()),
        ("outage", Language::En, Paper::Mm80, other),
    ] {
        let sheet = layout::sheet(&cases::named(name).content(), language, paper);
        compare(&format!("{name}.escpos"), &escpos::render(&sheet, printer));
    }
}
