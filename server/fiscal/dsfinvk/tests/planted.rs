//! Every rule of the checker finds what was planted for it in an export that has no fault otherwise.
#![expect(clippy::expect_used, clippy::panic, reason = "what cannot be fails the test")]

mod festival;

use std::collections::BTreeSet;
use std::sync::LazyLock;

use dsfinvk::check;
use dsfinvk::check::Rule;
use dsfinvk::memory::Files;
use dsfinvk::write::DTD_FILE;
use fiscal::VoucherModel;
use proptest::prelude::*;

/// An export without a fault.
static SOUND: LazyLock<Files> = LazyLock::new(|| festival::export(VoucherModel::VoucherLines, festival::options()).0);

#[test]
fn francs_that_are_not_what_the_tse_was_told_are_found() {
    let mut files = festival::export_near_borders(VoucherModel::VoucherLines);
    plant(
        &mut files,
        Plant::Swap("datapayment.csv", "\"CHF\";50,00;53,50", "\"CHF\";51,00;53,50"),
    );
    let found: BTreeSet<&str> = check(&files).findings.iter().map(|finding| finding.code).collect();
    assert_eq!(
        found,
        [Rule::ProcessDataPayments, Rule::CurrencySums].map(Rule::code).into()
    );
}

/// A change of a file.
#[derive(Clone, Copy)]
enum Plant {
    /// The first of this text becomes that.
    Swap(&'static str, &'static str, &'static str),
    /// Every one of this text becomes that.
    SwapAll(&'static str, &'static str, &'static str),
    /// This line goes, counted from 1.
    Drop(&'static str, usize),
    /// This line is there a second time, right after itself.
    Twice(&'static str, usize),
    /// This line goes to the end.
    Last(&'static str, usize),
    /// The file goes.
    Gone(&'static str),
    /// These bytes follow.
    Append(&'static str, &'static [u8]),
}

fn lines(files: &mut Files, name: &str, change: impl FnOnce(&mut Vec<String>)) {
    let text = String::from_utf8(files.0[name].clone()).expect("text");
    let mut lines: Vec<String> = text.split_inclusive("\r\n").map(str::to_owned).collect();
    change(&mut lines);
    files.0.insert(name.to_owned(), lines.concat().into_bytes());
}

fn plant(files: &mut Files, plant: Plant) {
    let swapped = |name: &str, from: &str, to: &str, times: usize| {
        let text = String::from_utf8(files.0[name].clone()).expect("text");
        assert!(text.contains(from), "{name} has no {from}");
        text.replacen(from, to, times).into_bytes()
    };
    match plant {
        Plant::Swap(name, from, to) => {
            let bytes = swapped(name, from, to, 1);
            files.0.insert(name.to_owned(), bytes);
        }
        Plant::SwapAll(name, from, to) => {
            let bytes = swapped(name, from, to, usize::MAX);
            files.0.insert(name.to_owned(), bytes);
        }
        Plant::Drop(name, line) => lines(files, name, |lines| drop(lines.remove(line - 1))),
        Plant::Twice(name, line) => lines(files, name, |lines| lines.insert(line, lines[line - 1].clone())),
        Plant::Last(name, line) => lines(files, name, |lines| {
            let moved = lines.remove(line - 1);
            lines.push(moved);
        }),
        Plant::Gone(name) => drop(files.0.remove(name)),
        Plant::Append(name, bytes) => files.0.get_mut(name).expect("a file").extend_from_slice(bytes),
    }
}

const LONG: &str = "\"Pils 0,4 l, so lange beschrieben, dass die Spalte dafür nicht reicht: ein helles, untergäriges Bier mit viel Hopfen, gebraut nach einem \
    Rezept, das niemand mehr kennt, in einem Kessel, den niemand mehr hat, und gezapft in sieben Minuten, die an einer Bar niemand hat; es passt zu allem\"";

#[rustfmt::skip]
fn plants() -> Vec<(Rule, Plant)> {
    use Plant::{Append, Drop, Gone, Last, Swap, SwapAll, Twice};
    vec![
        (Rule::NoDescription, Gone("index.xml")),
        (Rule::NoDescription, Swap("index.xml", "</DataSet>", "")),
        (Rule::NoDocumentType, Gone("gdpdu-01-09-2004.dtd")),
        (Rule::NoDocumentType, Swap("index.xml", "gdpdu-01-09-2004.dtd", "gdpdu-01-08-2002.dtd")),
        (Rule::Undeclared, Swap("index.xml", "<URL>pa.csv</URL>", "<URL>agencies.csv</URL>")),
        (Rule::MissingFile, Gone("slaves.csv")),
        (Rule::Columns, Swap("index.xml", "<MaxLength>255</MaxLength>", "<MaxLength>256</MaxLength>")),
        (Rule::Columns, Swap("index.xml", "<Name>BON_NR</Name>", "<Name>BON_NUMMER</Name>")),
        (Rule::Header, Swap("lines.csv", "MENGE;FAKTOR", "FAKTOR;MENGE")),
        (Rule::Header, Swap("payment.csv", "ZAHLART_NAME;", "")),
        (Rule::Width, Swap("lines.csv", "\"Becher\";", "\"Becher\";;")),
        (Rule::Unicode, Append("slaves.csv", b"\"48656964-00301\";\"\xff\";1;;;;;;\r\n")),
        (Rule::LineEnd, Swap("vat.csv", "\r\n", "\n")),
        (Rule::Number, Swap("transactions.csv", ";200,00;", ";200.00;")),
        (Rule::Number, Swap("lines_vat.csv", ";9,00000;", ";9,00;")),
        (Rule::Number, Swap("transactions.csv", "\";2;\"Beleg\"", "\";zwei;\"Beleg\"")),
        (Rule::Length, Swap("lines.csv", "\"Pils 0,4 l\"", LONG)),
        (Rule::Word, Swap("datapayment.csv", "\"Bar\";\"Bar\"", "\"bar\";\"Bar\"")),
        (Rule::Word, Swap("lines.csv", "\"Umsatz\"", "\"Verkauf\"")),
        (Rule::Word, Swap("transactions.csv", "\"Beleg\"", "\"BELEG\"")),
        (Rule::Word, Swap("references.csv", "\"Transaktion\"", "\"Bon\"")),
        (Rule::Time, Swap("transactions.csv", "2027-07-19T12:01:00.000Z", "19.07.2027 12:01")),
        (Rule::Date, Swap("cashpointclosing.csv", "\"2027-07-19\"", "\"19.07.2027\"")),
        (Rule::Flag, Swap("lines.csv", ";\"1\";\"0\";0;\"101\"", ";\"ja\";\"0\";0;\"101\"")),
        (Rule::Required, Swap("cashregister.csv", "\"Groschen\";\"48656964-00301\"", "\"Groschen\";")),
        (Rule::TaxonomyVersion, Swap("cashpointclosing.csv", "\"2.4\"", "\"2.2\"")),
        (Rule::ClosingUnknown, SwapAll("vat.csv", "\";2;", "\";9;")),
        (Rule::ClosingTwice, Twice("cashpointclosing.csv", 2)),
        (Rule::Scattered, Last("transactions.csv", 2)),
        (Rule::ClosingIncomplete, Drop("location.csv", 2)),
        (Rule::TotalsIncomplete, Drop("cash_per_currency.csv", 4)),
        (Rule::ReceiptUnknown, Swap("datapayment.csv", "\"00000000000000010101010101010101\"", "\"00000000000000110101010101010102\"")),
        (Rule::ReceiptTwice, Twice("transactions.csv", 3)),
        (Rule::NoLines, Drop("lines.csv", 2)),
        (Rule::NoPayment, Drop("datapayment.csv", 3)),
        (Rule::LineUnknown, Swap("lines_vat.csv", "\";\"3\";1;", "\";\"33\";1;")),
        (Rule::LineTwice, Twice("lines.csv", 3)),
        (Rule::NoSignatureRow, Drop("transactions_tse.csv", 2)),
        (Rule::TwoSignatures, Twice("transactions_tse.csv", 3)),
        (Rule::Unexplained, Swap("transactions_tse.csv", ";;;\"TSE ausgefallen von 2027-07-19T12:13:30Z bis 2027-07-19T12:15:20Z: die TSE antwortet nicht\";", ";;;;")),
        (Rule::TseUnknown, Swap("transactions_tse.csv", "\";1;2;", "\";2;2;")),
        (Rule::TseIncomplete, Swap("tse.csv", "\"unixTime\"", "")),
        (Rule::SignatureIncomplete, Swap("transactions_tse.csv", "\"Kassenbeleg-V1\"", "")),
        (Rule::VatUnknown, Drop("vat.csv", 2)),
        (Rule::AgencyUnknown, Swap("lines.csv", ";0;\"101\"", ";3;\"101\"")),
        (Rule::TerminalUnknown, Swap("transactions.csv", ";\"Beleg\";;\"48656964-00301\"", ";\"Beleg\";;\"48656964-00302\"")),
        (Rule::CreationDiffers, Swap("lines.csv", "T12:17:30.000Z", "T12:18:00.000Z")),
        (Rule::NameMissing, Swap("transactions.csv", "\"Beleg\"", "\"AVSonstige\"")),
        (Rule::ReferenceIncomplete, Swap("references.csv", "\"2027-07-19\";\"48656964-00301\"", "\"2027-07-19\";")),
        (Rule::LineWithoutTax, Drop("lines_vat.csv", 3)),
        (Rule::LinesAgainstTax, Swap("lines_vat.csv", ";9,00000;7,56303;1,43697", ";9,01000;7,57303;1,43697")),
        (Rule::TaxAgainstTotal, Swap("transactions.csv", ";19,50;", ";19,51;")),
        (Rule::PaymentsAgainstTotal, Swap("datapayment.csv", ";19,50;19,50", ";19,60;19,60")),
        (Rule::GrossNetTax, Swap("transactions_vat.csv", ";17,45000;14,66387;", ";17,45000;14,66388;")),
        (Rule::GrossNetTax, Swap("businesscases.csv", ";12,75000;10,71428;", ";12,75000;10,71429;")),
        (Rule::TaxRate, Swap("transactions_vat.csv", ";17,45000;14,66387;2,78613", ";17,45000;14,56387;2,88613")),
        (Rule::ProcessDataForm, Swap("transactions_tse.csv", "Beleg^17.45_0.00", "Beleg^17,45_0.00")),
        (Rule::ProcessDataKind, Swap("transactions_tse.csv", "AVTraining^", "Beleg^")),
        (Rule::ProcessDataKind, Swap("transactions.csv", "\"AVSonstige\"", "\"Beleg\"")),
        (Rule::ProcessDataGroups, Swap("transactions_tse.csv", "Beleg^17.45_0.00_0.00_0.00_-17.45", "Beleg^0.00_17.45_0.00_0.00_-17.45")),
        (Rule::ProcessDataPayments, Swap("transactions_tse.csv", "^8.90:Unbar", "^8.90:Bar")),
        (Rule::UnitPrice, Swap("lines.csv", ";2,000;1,000;\"Stk\";4,50000", ";3,000;1,000;\"Stk\";4,50000")),
        (Rule::GivenUp, Swap("transactions.csv", "\"AVTraining\"", "\"AVBelegabbruch\"")),
        (Rule::PriceParts, Append("itemamounts.csv", b"\"48656964-00301\";\"2027-07-19T12:24:30.000Z\";2;\"00000000000000110101010101010101\";\"1\";\"base_amount\";1;-9,00000;-7,56303;-1,43697\r\n")),
        (Rule::BaseCurrency, Swap("datapayment.csv", ";19,50;19,50", ";0,00;19,50")),
        (Rule::CaseSums, Swap("businesscases.csv", "\"Pfand\"", "\"Umsatz\"")),
        (Rule::PaymentSums, Swap("payment.csv", ";8,90", ";8,91")),
        (Rule::ClosingTotal, Swap("cashpointclosing.csv", ";8,90;0,00\r\n", ";8,91;0,00\r\n")),
        (Rule::ClosingCash, Swap("cashpointclosing.csv", ";8,90;0,00\r\n", ";8,90;0,10\r\n")),
        (Rule::CurrencySums, Swap("cash_per_currency.csv", ";0,00", ";0,10")),
        (Rule::ClosingGap, Swap("cashpointclosing.csv", "\";2;\"2027", "\";3;\"2027")),
        (Rule::ReceiptGap, Swap("transactions.csv", "\";18;\"Beleg\"", "\";19;\"Beleg\"")),
        (Rule::FirstAndLast, Swap("cashpointclosing.csv", "\"000000000000000e0101010101010101\"", "\"00000000000000010101010101010101\"")),
        (Rule::EndBeforeStart, Swap("transactions.csv", "2027-07-19T12:01:00.000Z", "2027-07-19T12:01:10.000Z")),
        (Rule::TransactionTwice, Swap("transactions_tse.csv", "\";1;3;", "\";1;2;")),
        (Rule::CounterTwice, Swap("transactions_tse.csv", "\"Kassenbeleg-V1\";4;", "\"Kassenbeleg-V1\";6;")),
        (Rule::TseEndBeforeStart, Swap("transactions_tse.csv", "2027-07-19T12:01:03.000Z", "2027-07-19T12:00:03.000Z")),
        (Rule::ClosedBefore, Swap("transactions.csv", "2027-07-19T12:17:03.000Z", "2027-07-19T12:18:03.000Z")),
    ]
}

#[test]
fn every_planted_fault_is_found_by_its_rule() {
    let sound = &*SOUND;
    assert!(check(sound).findings.is_empty());
    let mut planted = BTreeSet::new();
    for (rule, change) in plants() {
        let mut files = sound.clone();
        plant(&mut files, change);
        assert!(files != *sound, "nothing was planted for {rule:?}");
        let report = check(&files);
        let found: Vec<_> = report
            .findings
            .iter()
            .filter(|finding| finding.code == rule.code())
            .collect();
        assert!(!found.is_empty(), "{rule:?} was not found, but {:#?}", report.findings);
        assert!(
            found
                .iter()
                .all(|finding| !finding.what.en.is_empty() && finding.what.de != finding.what.en),
            "{rule:?} is told in both languages: {found:#?}"
        );
        planted.insert(rule);
    }
    let all: BTreeSet<Rule> = Rule::ALL.iter().copied().collect();
    assert_eq!(all.difference(&planted).collect::<Vec<_>>(), Vec::<&Rule>::new());
}

#[test]
fn a_finding_says_where_it_is() {
    let mut files = SOUND.clone();
    plant(&mut files, Plant::Swap("transactions.csv", ";19,50;", ";19,51;"));
    let report = check(&files);
    let found: Vec<(&str, &str, Option<u64>)> = report
        .findings
        .iter()
        .map(|finding| (finding.code, finding.file.as_str(), finding.line))
        .collect();
    assert_eq!(
        found,
        [
            ("A02", "transactions.csv", Some(8)),
            ("A03", "transactions.csv", Some(8))
        ]
    );
    assert_eq!((report.errors, report.warnings), (2, 0));
}

/// Brings two neighbouring fields of every row into the other order.
fn turn(files: &mut Files, name: &str, left: usize) {
    lines(files, name, |lines| {
        for line in lines {
            let mut fields: Vec<&str> = line.trim_end().split(';').collect();
            fields.swap(left, left + 1);
            *line = fields.join(";") + "\r\n";
        }
    });
}

#[test]
fn columns_in_another_order_are_found_and_still_read() {
    let mut files = SOUND.clone();
    turn(&mut files, "transactions_vat.csv", 5);
    turn(&mut files, "datapayment.csv", 0);
    let report = check(&files);
    let codes: Vec<(&str, &str)> = report
        .findings
        .iter()
        .map(|finding| (finding.code, finding.file.as_str()))
        .collect();
    assert_eq!(codes, [("F06", "transactions_vat.csv"), ("F06", "datapayment.csv")]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_bytes_an_export_has_the_checker_ends(
        file in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut files = SOUND.clone();
        let names: Vec<String> = files.0.keys().cloned().collect();
        let bytes = files.0.get_mut(file.get(&names)).expect("a file");
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let report = check(&files);
        let counted: u64 = report.counts.values().sum();
        prop_assert_eq!(report.errors + report.warnings, counted);
    }
}

#[test]
fn nothing_that_is_read_makes_the_checker_panic() {
    let sound = &*SOUND;
    // What the document type says is for whoever imports the export.
    for name in sound.0.keys().filter(|name| *name != DTD_FILE) {
        for cut in [0, 1, 7, 60, 200, 400] {
            let mut files = sound.clone();
            let Some(bytes) = files.0.get_mut(name) else {
                panic!("a file")
            };
            bytes.truncate(bytes.len().saturating_sub(cut + 1));
            let _report = check(&files);
            let bytes = files.0.get_mut(name).expect("a file");
            bytes.iter_mut().skip(cut).step_by(17).for_each(|byte| *byte ^= 0x80);
            assert!(!check(&files).holds(), "{name}");
        }
    }
}
