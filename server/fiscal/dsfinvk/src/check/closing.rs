//! One closing: its master data, its sums, and what numbers have to go on from the closing before.

use std::collections::{BTreeMap, BTreeSet};

use wording::{Both, both};

use super::receipt::{self, Receipts};
use super::report::Report;
use super::rows::Row;
use super::rule::Rule;
use super::{Bundle, Memory, values};
use crate::tables::Id;

/// Columns of tables, by the places that the standard gives them.
pub(super) mod column {
    pub const BON_ID: usize = 3;
    // cashpointclosing.csv
    pub const FIRST: usize = 5;
    pub const LAST: usize = 6;
    pub const PAID: usize = 14;
    pub const CASH: usize = 15;
}

/// Master data that receipts name.
pub(super) struct Master<'a> {
    /// The rates in hundredths of a percent, by key.
    pub rates: BTreeMap<&'a str, i64>,
    /// Serial numbers of TSEs by their number.
    pub tses: BTreeMap<&'a str, &'a str>,
    /// Numbers of agencies.
    pub agencies: BTreeSet<&'a str>,
    /// The till and its terminals.
    pub terminals: BTreeSet<&'a str>,
    /// The currency of the sums.
    pub currency: &'a str,
}

/// The sums of a closing's receipts, in the units of their columns.
#[derive(Default)]
pub(super) struct Sums {
    /// Gross, net and tax by business case, name, agency and key.
    pub cases: BTreeMap<[String; 4], [i128; 3]>,
    /// By kind and name.
    pub payments: BTreeMap<[String; 2], i128>,
    /// Cash by currency, in that currency.
    pub currencies: BTreeMap<String, i128>,
    /// All payments.
    pub paid: i128,
    /// Cash, in the base currency.
    pub cash: i128,
}

pub(super) fn check(head: &Row, bundle: &Bundle, memory: &mut Memory, report: &mut Report) {
    let master = master(head, bundle, report);
    let mut receipts = Receipts::of(bundle, report);
    let sums = receipt::check_all(&mut receipts, &master, memory, report);
    totals(head, bundle, &sums, report);
    numbers(head, bundle, memory, report);
}

fn master<'a>(head: &'a Row, bundle: &'a Bundle, report: &mut Report) -> Master<'a> {
    for id in [Id::Locations, Id::Registers, Id::Vat] {
        if bundle.of(id).is_empty() {
            report.find(Rule::ClosingIncomplete, id.table().file, None, || {
                both!(
                    "Kassenabschluss {} der Kasse {} hat hier keine Zeile",
                    "closing {} of till {} has no row here",
                    head.at(2),
                    head.at(0)
                )
            });
        }
    }
    for row in bundle.of(Id::Tses) {
        let names = [
            "TSE_ID",
            "TSE_SERIAL",
            "TSE_SIG_ALGO",
            "TSE_ZEITFORMAT",
            "TSE_PD_ENCODING",
            "TSE_PUBLIC_KEY",
            "TSE_ZERTIFIKAT_I",
        ];
        for (index, name) in names.into_iter().enumerate() {
            if row.at(3 + index).is_empty() {
                report.find(Rule::TseIncomplete, Id::Tses.table().file, Some(row.line), || {
                    both!("{name} ist leer", "{name} is empty")
                });
            }
        }
    }
    let rates = bundle.of(Id::Vat).iter();
    Master {
        rates: rates.filter_map(|row| Some((row.at(3), row.number(4, 2)?))).collect(),
        tses: bundle.of(Id::Tses).iter().map(|row| (row.at(3), row.at(4))).collect(),
        agencies: bundle.of(Id::Agencies).iter().map(|row| row.at(3)).collect(),
        terminals: bundle
            .of(Id::Terminals)
            .iter()
            .map(|row| row.at(3))
            .chain([head.at(0)])
            .collect(),
        currency: bundle.of(Id::Registers).first().map_or("EUR", |row| row.at(8)),
    }
}

fn number(row: &Row, column: usize, places: usize) -> i128 {
    // What is no number was found when the row was read.
    i128::from(row.number(column, places).unwrap_or_default())
}

/// Sums as written against sums of receipts.
fn totals(head: &Row, bundle: &Bundle, sums: &Sums, report: &mut Report) {
    let filled = [Id::Cases, Id::Payments, Id::Currencies].map(|id| !bundle.of(id).is_empty());
    if filled.contains(&true) && filled.contains(&false) {
        report.find(
            Rule::TotalsIncomplete,
            Id::Closings.table().file,
            Some(head.line),
            || {
                let has = filled.map(|filled| if filled { "ja" } else { "nein" });
                Both::new(
                    format!("businesscases.csv, payment.csv und cash_per_currency.csv haben Zeilen: {has:?}"),
                    format!("businesscases.csv, payment.csv and cash_per_currency.csv have rows: {filled:?}"),
                )
            },
        );
    }
    let mut cases: BTreeMap<[String; 4], [i128; 3]> = BTreeMap::new();
    for row in bundle.of(Id::Cases) {
        let key = [row.at(3), row.at(4), receipt::agency(row.at(5)), row.at(6)].map(str::to_owned);
        let entry = cases.entry(key).or_default();
        for (sum, column) in entry.iter_mut().zip([7, 8, 9]) {
            *sum += number(row, column, 5);
        }
        let [gross, net, tax] = [7, 8, 9].map(|column| number(row, column, 5));
        if gross != net + tax {
            report.find(Rule::GrossNetTax, Id::Cases.table().file, Some(row.line), || {
                both!(
                    "{} ist nicht {} und {}",
                    "{} is not {} and {}",
                    row.at(7),
                    row.at(8),
                    row.at(9)
                )
            });
        }
    }
    compare(Rule::CaseSums, Id::Cases, head, &cases, &sums.cases, report);
    let mut payments: BTreeMap<[String; 2], i128> = BTreeMap::new();
    for row in bundle.of(Id::Payments) {
        *payments
            .entry([row.at(3).to_owned(), row.at(4).to_owned()])
            .or_default() += number(row, 5, 2);
    }
    compare(Rule::PaymentSums, Id::Payments, head, &payments, &sums.payments, report);
    let mut currencies: BTreeMap<String, i128> = BTreeMap::new();
    for row in bundle.of(Id::Currencies) {
        *currencies.entry(row.at(3).to_owned()).or_default() += number(row, 4, 2);
    }
    compare(
        Rule::CurrencySums,
        Id::Currencies,
        head,
        &currencies,
        &sums.currencies,
        report,
    );
    let totals = [
        (
            Rule::ClosingTotal,
            column::PAID,
            sums.paid,
            Both::new("Zahlungen", "payments"),
        ),
        (
            Rule::ClosingCash,
            column::CASH,
            sums.cash,
            Both::new("Barzahlungen", "cash payments"),
        ),
    ];
    for (rule, column, sum, what) in totals {
        if number(head, column, 2) != sum {
            report.find(rule, Id::Closings.table().file, Some(head.line), || {
                let is = head.at(column);
                Both::new(
                    format!("da steht {is}, die {} der Belege sind {sum} Cent", what.de),
                    format!("it is {is}, the {} of the receipts are {sum} cents", what.en),
                )
            });
        }
    }
}

/// What is written against what it should be; what is not there counts as zero.
fn compare<K: Ord + std::fmt::Debug, V: PartialEq + Default + std::fmt::Debug>(
    rule: Rule,
    id: Id,
    head: &Row,
    written: &BTreeMap<K, V>,
    summed: &BTreeMap<K, V>,
    report: &mut Report,
) {
    let zero = V::default();
    let keys: BTreeSet<&K> = written.keys().chain(summed.keys()).collect();
    for key in keys {
        let [is, should] = [written, summed].map(|of| of.get(key).unwrap_or(&zero));
        if is != should {
            report.find(rule, id.table().file, None, || {
                both!(
                    "Kassenabschluss {} der Kasse {}, {key:?}: da steht {is:?}, die Belege ergeben {should:?}, in Einheiten der letzten Stelle",
                    "closing {} of till {}, {key:?}: written is {is:?}, the receipts give {should:?}, in units of the last place",
                    head.at(2),
                    head.at(0)
                )
            });
        }
    }
}

/// Closings and receipts are numbered without a gap; the first and the last receipt are named.
fn numbers(head: &Row, bundle: &Bundle, memory: &mut Memory, report: &mut Report) {
    let closings = Id::Closings.table().file;
    let mut receipts: Vec<(i64, &Row)> = bundle
        .of(Id::Receipts)
        .iter()
        .filter_map(|row| Some((row.number(4, 0)?, row)))
        .collect();
    receipts.sort_by_key(|(number, _)| *number);
    let named = |row: Option<&(i64, &Row)>| row.map_or(String::new(), |(_, row)| row.at(column::BON_ID).to_owned());
    let (first, last) = (named(receipts.first()), named(receipts.last()));
    if head.at(column::FIRST) != first || head.at(column::LAST) != last {
        report.find(Rule::FirstAndLast, closings, Some(head.line), || {
            both!(
                "genannt sind {:?} und {:?}, nach ihren Nummern sind es {first:?} und {last:?}",
                "named are {:?} and {:?}, by their numbers they are {first:?} and {last:?}",
                head.at(column::FIRST),
                head.at(column::LAST)
            )
        });
    }
    let created = values::time(head.at(1));
    let late = bundle.of(Id::Receipts).iter().find(|row| {
        let ended = values::time(row.at(10));
        ended.zip(created).is_some_and(|(ended, created)| ended > created)
    });
    if let Some(row) = late {
        report.find(Rule::ClosedBefore, Id::Receipts.table().file, Some(row.line), || {
            both!(
                "BON_ENDE ist {}, Z_ERSTELLUNG {}",
                "BON_ENDE is {}, Z_ERSTELLUNG {}",
                row.at(10),
                head.at(1)
            )
        });
    }
    let before = memory.tills.get(head.at(0)).copied();
    // A till may begin again at 1 with each closing.
    let mut expected = before.and_then(|(_, last)| last).map(|last| last.saturating_add(1));
    if receipts.first().is_some_and(|(number, _)| *number == 1) {
        expected = Some(1);
    }
    for (number, row) in &receipts {
        if let Some(expected) = expected.filter(|expected| expected != number) {
            report.find(Rule::ReceiptGap, Id::Receipts.table().file, Some(row.line), || {
                both!(
                    "BON_NR ist {number}, nach dem Beleg davor müsste sie {expected} sein",
                    "BON_NR is {number}, after the one before it should be {expected}"
                )
            });
        }
        expected = Some(number.saturating_add(1));
    }
    let Some(closing) = head.number(2, 0) else { return };
    if let Some((last, _)) = before.filter(|(last, _)| last.saturating_add(1) != closing) {
        report.find(Rule::ClosingGap, closings, Some(head.line), || {
            both!(
                "Z_NR ist {closing}, der Kassenabschluss dieser Kasse davor hat {last}",
                "Z_NR is {closing}, the closing of this till before it has {last}"
            )
        });
    }
    let last = receipts
        .last()
        .map(|(number, _)| *number)
        .or(before.and_then(|(_, last)| last));
    memory.tills.insert(head.at(0).to_owned(), (closing, last));
}
