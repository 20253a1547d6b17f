//! Receipts of one closing: what belongs to them, what they add up to, and what their TSE was told.

use std::collections::BTreeMap;

use wording::{Both, both};

use super::closing::{Master, Sums, column};
use super::report::Report;
use super::rows::Row;
use super::rule::Rule;
use super::values::time;
use super::{Bundle, Memory, lines, signature};
use crate::tables::Id;
use crate::words::{PaymentKind, ReceiptKind, ReferenceKind};

/// How far a tax may lie from what its rate gives, in hundred-thousandths: a cent, since others round each line to one.
const TAX_OFF_MAX: i128 = 1_000;

/// The tables whose rows belong to receipts, besides the receipts themselves.
const TABLES: [Id; 9] = [
    Id::ReceiptVat,
    Id::ReceiptPayments,
    Id::Allocations,
    Id::References,
    Id::Signatures,
    Id::Lines,
    Id::LineVat,
    Id::Prices,
    Id::Parts,
];

/// A receipt with its rows.
pub(super) struct Bon<'a> {
    pub head: &'a Row,
    /// By the place of the table in [`TABLES`].
    rows: [Vec<&'a Row>; TABLES.len()],
}

impl<'a> Bon<'a> {
    /// Its rows in a table.
    pub fn of(&self, id: Id) -> &[&'a Row] {
        let place = TABLES.iter().position(|table| *table == id);
        place.and_then(|place| self.rows.get(place)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn kind(&self) -> Option<ReceiptKind> {
        ReceiptKind::parse(self.head.at(5))
    }

    /// `BON_ID`.
    pub fn id(&self) -> &'a str {
        self.head.at(column::BON_ID)
    }

    /// It in a sentence.
    pub fn named(&self) -> Both {
        both!("Beleg {}", "receipt {}", self.id())
    }
}

/// The receipts of a closing, in the order in which they stand.
pub(super) struct Receipts<'a>(Vec<Bon<'a>>);

impl<'a> Receipts<'a> {
    /// Brings rows together with their receipts.
    pub fn of(bundle: &'a Bundle, report: &mut Report) -> Self {
        let mut receipts: Vec<Bon<'a>> = Vec::new();
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        for head in bundle.of(Id::Receipts) {
            let id = head.at(column::BON_ID);
            if places.contains_key(id) {
                report.find(Rule::ReceiptTwice, Id::Receipts.table().file, Some(head.line), || {
                    both!("Beleg {id}", "{id}")
                });
                continue;
            }
            places.insert(id, receipts.len());
            receipts.push(Bon {
                head,
                rows: Default::default(),
            });
        }
        for (index, id) in TABLES.into_iter().enumerate() {
            for row in bundle.of(id) {
                let bon = places
                    .get(row.at(column::BON_ID))
                    .and_then(|place| receipts.get_mut(*place));
                match bon.and_then(|bon| bon.rows.get_mut(index)) {
                    Some(rows) => rows.push(row),
                    None => report.find(Rule::ReceiptUnknown, id.table().file, Some(row.line), || {
                        both!(
                            "transactions.csv hat in diesem Kassenabschluss keinen Beleg {}",
                            "transactions.csv has no receipt {} in this closing",
                            row.at(column::BON_ID)
                        )
                    }),
                }
            }
        }
        Self(receipts)
    }
}

/// Checks all of them and adds up what their closing should say.
pub(super) fn check_all(
    receipts: &mut Receipts<'_>,
    master: &Master<'_>,
    memory: &mut Memory,
    report: &mut Report,
) -> Sums {
    let mut sums = Sums::default();
    for bon in &receipts.0 {
        structure(bon, master, report);
        lines::check(bon, master, report);
        amounts(bon, master, report);
        signature::check(bon, master, memory, report);
        add(bon, master, &mut sums);
    }
    sums
}

fn structure(bon: &Bon<'_>, master: &Master<'_>, report: &mut Report) {
    let (file, line) = (Id::Receipts.table().file, Some(bon.head.line));
    if bon.kind() == Some(ReceiptKind::Beleg) {
        if bon.of(Id::Lines).is_empty() {
            report.find(Rule::NoLines, file, line, || bon.named());
        }
        if bon.of(Id::ReceiptPayments).is_empty() {
            report.find(Rule::NoPayment, file, line, || bon.named());
        }
    }
    if bon.kind() == Some(ReceiptKind::Sonstige) && bon.head.at(6).is_empty() {
        report.find(Rule::NameMissing, file, line, || bon.named());
    }
    if !master.terminals.contains(bon.head.at(7)) {
        report.find(Rule::TerminalUnknown, file, line, || {
            both!("TERMINAL_ID ist {}", "TERMINAL_ID is {}", bon.head.at(7))
        });
    }
    if let (Some(start), Some(end)) = (time(bon.head.at(9)), time(bon.head.at(10)))
        && start > end
    {
        report.find(Rule::EndBeforeStart, file, line, || {
            both!("von {} bis {}", "from {} to {}", bon.head.at(9), bon.head.at(10))
        });
    }
    for row in bon.of(Id::References) {
        if row.at(5) == ReferenceKind::Transaktion.as_str() && (row.at(8).is_empty() || row.at(10).is_empty()) {
            report.find(
                Rule::ReferenceIncomplete,
                Id::References.table().file,
                Some(row.line),
                || {
                    both!(
                        "REF_Z_KASSE_ID ist {:?}, REF_BON_ID {:?}",
                        "REF_Z_KASSE_ID is {:?}, REF_BON_ID {:?}",
                        row.at(8),
                        row.at(10)
                    )
                },
            );
        }
    }
}

/// A row with key, gross, net and tax, from `first` on.
fn split(id: Id, row: &Row, first: usize, master: &Master<'_>, report: &mut Report) -> Option<(i64, i128)> {
    let (file, line) = (id.table().file, Some(row.line));
    let key = row.number(first, 0)?;
    let [gross, net, tax] = [first + 1, first + 2, first + 3].map(|column| row.number(column, 5).map(i128::from));
    let (gross, net, tax) = (gross?, net?, tax?);
    if gross != net + tax {
        report.find(Rule::GrossNetTax, file, line, || {
            both!(
                "{} ist nicht {} und {}",
                "{} is not {} and {}",
                row.at(first + 1),
                row.at(first + 2),
                row.at(first + 3)
            )
        });
    }
    match master.rates.get(row.at(first)) {
        None => report.find(Rule::VatUnknown, file, line, || {
            both!("UST_SCHLUESSEL ist {key}", "UST_SCHLUESSEL is {key}")
        }),
        Some(rate) => {
            let rate = i128::from(*rate);
            if (tax * (10_000 + rate) - gross * rate).abs() > TAX_OFF_MAX * (10_000 + rate) {
                report.find(Rule::TaxRate, file, line, || {
                    both!(
                        "die Steuer ist {} in {}, der Steuersatz {},{:02} %",
                        "the tax is {} in {}, the rate {},{:02} %",
                        row.at(first + 3),
                        row.at(first + 1),
                        rate / 100,
                        rate % 100
                    )
                });
            }
        }
    }
    Some((key, gross))
}

fn amounts(bon: &Bon<'_>, master: &Master<'_>, report: &mut Report) {
    let (file, line) = (Id::Receipts.table().file, Some(bon.head.line));
    let mut by_key: BTreeMap<i64, i128> = BTreeMap::new();
    for row in bon.of(Id::LineVat) {
        if let Some((key, gross)) = split(Id::LineVat, row, 5, master, report) {
            *by_key.entry(key).or_default() += gross;
        }
    }
    let mut total = 0;
    let mut stated: BTreeMap<i64, i128> = BTreeMap::new();
    for row in bon.of(Id::ReceiptVat) {
        if let Some((key, gross)) = split(Id::ReceiptVat, row, 4, master, report) {
            *stated.entry(key).or_default() += gross;
            total += gross;
        }
    }
    let mut differ: Vec<i64> = by_key.keys().chain(stated.keys()).copied().collect();
    differ.retain(|key| by_key.get(key).unwrap_or(&0) != stated.get(key).unwrap_or(&0));
    if let Some(key) = differ.first() {
        report.find(Rule::LinesAgainstTax, file, line, || {
            both!(
                "Steuerschlüssel {key}: lines_vat.csv ergibt {by_key:?}, transactions_vat.csv {stated:?}, in Hunderttausendsteln",
                "key {key}: lines_vat.csv gives {by_key:?}, transactions_vat.csv {stated:?}, in hundred-thousandths"
            )
        });
    }
    for row in bon.of(Id::Prices) {
        let _known = split(Id::Prices, row, 6, master, report);
    }
    let Some(said) = bon.head.number(13, 2).map(i128::from) else {
        return;
    };
    if said * 1_000 != total {
        report.find(Rule::TaxAgainstTotal, file, line, || {
            both!(
                "UMS_BRUTTO ist {}, transactions_vat.csv ergibt {total} Hunderttausendstel",
                "UMS_BRUTTO is {}, transactions_vat.csv gives {total} hundred-thousandths",
                bon.head.at(13)
            )
        });
    }
    let mut paid = 0;
    for row in bon.of(Id::ReceiptPayments) {
        paid += i128::from(row.number(8, 2).unwrap_or_default());
        if row.at(6) == master.currency && row.at(7) != row.at(8) {
            report.find(
                Rule::BaseCurrency,
                Id::ReceiptPayments.table().file,
                Some(row.line),
                || {
                    both!(
                        "ZAHLWAEH_BETRAG ist {}, BASISWAEH_BETRAG {}",
                        "ZAHLWAEH_BETRAG is {}, BASISWAEH_BETRAG {}",
                        row.at(7),
                        row.at(8)
                    )
                },
            );
        }
    }
    if paid != said {
        report.find(Rule::PaymentsAgainstTotal, file, line, || {
            both!(
                "UMS_BRUTTO ist {}, die Zahlungen sind {paid} Cent",
                "UMS_BRUTTO is {}, the payments are {paid} cents",
                bon.head.at(13)
            )
        });
    }
    if bon.kind() == Some(ReceiptKind::Belegabbruch) && (said != 0 || paid != 0 || stated.values().any(|sum| *sum != 0))
    {
        report.find(Rule::GivenUp, file, line, || {
            both!("UMS_BRUTTO ist {}", "UMS_BRUTTO is {}", bon.head.at(13))
        });
    }
}

/// No agency is written as zero or as nothing.
pub(super) fn agency(text: &str) -> &str {
    if text.is_empty() { "0" } else { text }
}

/// Adds a receipt to the sums of its closing, if it is of a kind that counts.
fn add(bon: &Bon<'_>, master: &Master<'_>, sums: &mut Sums) {
    if !bon.kind().is_some_and(ReceiptKind::counts) {
        return;
    }
    let lines: BTreeMap<&str, &Row> = bon.of(Id::Lines).iter().map(|row| (row.at(4), *row)).collect();
    for row in bon.of(Id::LineVat) {
        let Some(line) = lines.get(row.at(4)) else { continue };
        let key = [line.at(8), line.at(9), agency(line.at(12)), row.at(5)].map(str::to_owned);
        let entry = sums.cases.entry(key).or_default();
        for (sum, column) in entry.iter_mut().zip([6, 7, 8]) {
            *sum += i128::from(row.number(column, 5).unwrap_or_default());
        }
    }
    for row in bon.of(Id::ReceiptPayments) {
        let [own, base] = [7, 8].map(|column| i128::from(row.number(column, 2).unwrap_or_default()));
        *sums
            .payments
            .entry([row.at(4), row.at(5)].map(str::to_owned))
            .or_default() += base;
        sums.paid += base;
        if row.at(4) == PaymentKind::Bar.as_str() {
            sums.cash += base;
            let amount = if row.at(6) == master.currency { base } else { own };
            *sums.currencies.entry(row.at(6).to_owned()).or_default() += amount;
        }
    }
}
