use std::borrow::Cow;

use shared_protocol::tax::TaxRate;

use super::*;
use crate::amount::{Fine, Split};
use crate::memory::{Files, Memory};
use crate::model::{Line, Payment, TseRecord, TseUnit, Vat};
use crate::words::{CaseKind, Encoding, PaymentKind, ReceiptKind, TimeFormat};

fn closing() -> Closing<'static> {
    Closing {
        till: Cow::Borrowed("TILL-1"),
        number: 1,
        created_ms: 1_795_226_056_000,
        vat: vec![Vat {
            key: 1,
            rate: TaxRate(1_900),
            text: Cow::Borrowed("Allgemeiner Steuersatz"),
        }],
        ..Closing::default()
    }
}

fn sale(text: &str, cents: i64) -> Receipt<'_> {
    let amount = Amount(cents);
    let mut receipt = Receipt {
        id: Cow::Borrowed("B1"),
        number: 1,
        lines: vec![Line {
            text: Cow::Borrowed(text),
            unit_gross: amount,
            vat: 1,
            rate: TaxRate(1_900),
            charged: Split {
                gross: amount,
                tax: Fine::ZERO,
            },
            ..Line::empty(CaseKind::Umsatz)
        }],
        payments: vec![Payment {
            kind: PaymentKind::Bar,
            name: Cow::Borrowed("Bar"),
            currency: Cow::Borrowed("EUR"),
            in_currency: amount,
            amount,
        }],
        tse: TseRecord {
            fault: Cow::Borrowed("TSE ausgefallen"),
            ..TseRecord::default()
        },
        ..Receipt::empty(ReceiptKind::Beleg)
    };
    receipt.tax().unwrap();
    receipt
}

fn written(closing: Closing<'static>, receipts: &[Receipt<'_>], options: Options) -> (Files, Written) {
    let mut memory = Memory::default();
    let mut writer = Writer::new(&mut memory, options).unwrap();
    writer.begin(closing).unwrap();
    for receipt in receipts {
        writer.push(receipt).unwrap();
    }
    writer.end().unwrap();
    let written = writer.finish().unwrap();
    (memory.files(), written)
}

fn text(files: &Files, name: &str) -> String {
    String::from_utf8(files.0[name].clone()).unwrap()
}

#[test]
fn texts_cannot_break_out_of_their_column() {
    let (files, _) = written(closing(), &[sale("a \"b\"; c\r\nd", 450)], Options::default());
    let lines = text(&files, "lines.csv");
    assert_eq!(lines.lines().count(), 2);
    assert!(lines.contains(";\"a \"\"b\"\"; c  d\";"), "{lines}");
    assert_eq!(lines.matches("\r\n").count(), 2);
}

#[test]
fn a_long_text_is_cut_between_characters_and_that_is_told() {
    let long = "é🍺".repeat(100);
    let (files, written) = written(closing(), &[sale(&long, 450)], Options::default());
    let row = csv::ReaderBuilder::new()
        .delimiter(b';')
        .from_reader(files.0["lines.csv"].as_slice())
        .records()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(&row[6], "é🍺".repeat(85).as_str());
    assert_eq!(written.cuts.total, 1);
    let cut = written.cuts.told.first().unwrap();
    assert_eq!((cut.file, cut.column, &cut.text), ("lines.csv", "ARTIKELTEXT", &long));
}

#[test]
fn amounts_are_exact_and_the_closing_adds_them_up() {
    let mut second = sale("b", -150);
    second.id = Cow::Borrowed("B2");
    second.number = 2;
    let (files, _) = written(closing(), &[sale("a", 450), second], Options::default());
    assert!(text(&files, "transactions_vat.csv").contains(";1;4,50000;3,78151;0,71849\r\n"));
    assert!(text(&files, "businesscases.csv").contains(";\"Umsatz\";;0;1;3,00000;2,52101;0,47899\r\n"));
    assert!(text(&files, "cashpointclosing.csv").contains(";\"B1\";\"B2\";"));
    assert!(text(&files, "cashpointclosing.csv").ends_with(";3,00;3,00\r\n"));
}

#[test]
fn a_closing_without_receipts_has_no_sums() {
    let (files, _) = written(closing(), &[], Options::default());
    for name in ["businesscases.csv", "payment.csv", "cash_per_currency.csv"] {
        assert_eq!(text(&files, name).lines().count(), 1, "{name}");
    }
    assert_eq!(text(&files, "cashpointclosing.csv").lines().count(), 2);
}

#[test]
fn a_long_certificate_gets_the_columns_it_needs_and_no_more_than_there_are() {
    let mut with_tse = closing();
    with_tse.tses = vec![TseUnit {
        id: 1,
        serial: Cow::Borrowed("ab"),
        algorithm: Cow::Borrowed("ecdsa-plain-SHA256"),
        time: TimeFormat::UnixTime,
        encoding: Encoding::Utf8,
        public_key: Cow::Borrowed("AA=="),
        certificate: Cow::Owned("A".repeat(2_500)),
    }];
    let of = |certificates| {
        let options = Options {
            certificates,
            ..Options::default()
        };
        let (files, written) = written(with_tse.clone(), &[], options);
        let table = text(&files, "tse.csv");
        let lengths: Vec<usize> = table
            .lines()
            .nth(1)
            .unwrap()
            .rsplit(';')
            .take(certificates)
            .map(str::len)
            .collect();
        (lengths, written.cuts.total, table.contains("TSE_ZERTIFIKAT_III"))
    };
    assert_eq!(of(2), (vec![1_002, 1_002], 1, false));
    assert_eq!(of(3), (vec![502, 1_002, 1_002], 0, true));
}

#[test]
fn what_contradicts_itself_is_not_written() {
    let refused = |change: &dyn Fn(&mut Receipt<'_>)| {
        let mut receipt = sale("a", 450);
        change(&mut receipt);
        let mut writer = Writer::new(Memory::default(), Options::default()).unwrap();
        writer.begin(closing()).unwrap();
        matches!(writer.push(&receipt), Err(WriteError::Receipt { .. }))
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|receipt| receipt.payments[0].amount = Amount(451)));
    assert!(refused(&|receipt| receipt.lines[0].vat = 2));
    assert!(refused(&|receipt| receipt.lines[0].rate = TaxRate(700)));
    assert!(refused(&|receipt| receipt.lines[0].agency = 3));
    assert!(refused(&|receipt| receipt.lines[0].dropped = true));
    assert!(refused(&|receipt| receipt.tse.fault = Cow::Borrowed("")));
    assert!(refused(&|receipt| receipt.tse.tse = Some(7)));
    assert!(refused(&|receipt| receipt.id = Cow::Borrowed("")));
    assert!(refused(&|receipt| receipt.kind = ReceiptKind::Sonstige));
    assert!(refused(&|receipt| {
        receipt.lines.clear();
        receipt.payments[0].amount = Amount::ZERO;
    }));
}

#[test]
fn an_export_is_written_in_order() {
    let mut writer = Writer::new(Memory::default(), Options::default()).unwrap();
    assert!(matches!(writer.push(&sale("a", 1)), Err(WriteError::Order(_))));
    assert!(matches!(writer.end(), Err(WriteError::Order(_))));
    writer.begin(closing()).unwrap();
    assert!(matches!(writer.begin(closing()), Err(WriteError::Order(_))));
    assert!(matches!(writer.finish(), Err(WriteError::Order(_))));
}
