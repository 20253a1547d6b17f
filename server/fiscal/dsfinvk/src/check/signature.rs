//! How a receipt came off: its row of `transactions_tse.csv`, and what the TSE was told against what the receipt says.

use fiscal::ProcessType;
use fiscal::process_data::{GROUPS, KASSENBELEG_V1};
use wording::both;

use super::Memory;
use super::closing::Master;
use super::receipt::Bon;
use super::report::Report;
use super::rows::Row;
use super::rule::Rule;
use super::told::{self, Told};
use super::values::time;
use crate::tables::Id;
use crate::words::{PaymentKind, ReceiptKind};

pub(super) fn check(bon: &Bon<'_>, master: &Master<'_>, memory: &mut Memory, report: &mut Report) {
    let file = Id::Signatures.table().file;
    let rows = bon.of(Id::Signatures);
    let Some(row) = rows.first() else {
        report.find(
            Rule::NoSignatureRow,
            Id::Receipts.table().file,
            Some(bon.head.line),
            || both!("Beleg {} fehlt in {file}", "receipt {} is not in {file}", bon.id()),
        );
        return;
    };
    for row in rows.iter().skip(1) {
        report.find(Rule::TwoSignatures, file, Some(row.line), || bon.named());
    }
    let line = Some(row.line);
    let signed = !row.at(10).is_empty();
    if !signed {
        if row.at(11).is_empty() {
            report.find(Rule::Unexplained, file, line, || bon.named());
        }
        return;
    }
    let Some(serial) = master.tses.get(row.at(4)) else {
        report.find(Rule::TseUnknown, file, line, || {
            both!("TSE_ID ist {:?}", "TSE_ID is {:?}", row.at(4))
        });
        return;
    };
    let fields = [
        (5, "TSE_TANR"),
        (6, "TSE_TA_START"),
        (7, "TSE_TA_ENDE"),
        (8, "TSE_TA_VORGANGSART"),
        (9, "TSE_TA_SIGZ"),
        (12, "TSE_VORGANGSDATEN"),
    ];
    for (column, name) in fields {
        if row.at(column).is_empty() {
            report.find(Rule::SignatureIncomplete, file, line, || {
                both!("{name} ist leer", "{name} is empty")
            });
        }
    }
    if let (Some(start), Some(end)) = (time(row.at(6)), time(row.at(7)))
        && start > end
    {
        report.find(Rule::TseEndBeforeStart, file, line, || {
            both!("von {} bis {}", "from {} to {}", row.at(6), row.at(7))
        });
    }
    let unique = [
        (Rule::TransactionTwice, &mut memory.transactions, 5),
        (Rule::CounterTwice, &mut memory.counters, 9),
    ];
    for (rule, seen, column) in unique {
        let Some(number) = row.number(column, 0).and_then(|number| u64::try_from(number).ok()) else {
            continue;
        };
        if !seen.entry((*serial).to_owned()).or_default().insert(number) {
            report.find(rule, file, line, || {
                both!(
                    "{number} der TSE {serial} gab es schon",
                    "{number} of TSE {serial} is there before"
                )
            });
        }
    }
    if row.at(8) == KASSENBELEG_V1 {
        told(bon, row, master, report);
    } else if row.at(8) == ProcessType::SonstigerVorgang.as_str() && bon.kind() == Some(ReceiptKind::Beleg) {
        report.find(Rule::ProcessDataKind, file, line, || {
            both!(
                "gesagt wurde {} in Worten, BON_TYP ist {}",
                "told was {} in words, BON_TYP is {}",
                row.at(12),
                bon.head.at(5)
            )
        });
    }
}

/// What the TSE was told against what the receipt says.
fn told(bon: &Bon<'_>, row: &Row, master: &Master<'_>, report: &mut Report) {
    let (file, line) = (Id::Signatures.table().file, Some(row.line));
    let data = row.at(12);
    let Some(told) = Told::read(data) else {
        report.find(Rule::ProcessDataForm, file, line, || {
            both!("gesagt wurde {data}", "{data}")
        });
        return;
    };
    if told.kind != bon.head.at(5) {
        report.find(Rule::ProcessDataKind, file, line, || {
            both!(
                "gesagt wurde {}, BON_TYP ist {}",
                "told was {}, BON_TYP is {}",
                told.kind,
                bon.head.at(5)
            )
        });
    }
    let mut groups = [0_i128; GROUPS];
    for row in bon.of(Id::ReceiptVat) {
        if let (Some(key), Some(gross)) = (row.number(4, 0), row.number(5, 5))
            && let Some(sum) = groups.get_mut(told::group_of(key))
        {
            *sum += i128::from(gross);
        }
    }
    if groups != told.groups.map(|sum| sum * 1_000) {
        report.find(Rule::ProcessDataGroups, file, line, || {
            both!(
                "gesagt wurde {data}, transactions_vat.csv ergibt {groups:?} Hunderttausendstel",
                "told was {data}, transactions_vat.csv gives {groups:?} hundred-thousandths"
            )
        });
    }
    let mut payments = told::Payments::new();
    for row in bon.of(Id::ReceiptPayments) {
        let is_cash = row.at(4) == PaymentKind::Bar.as_str();
        let foreign = row.at(6) != master.currency;
        let amount = row.number(if foreign { 7 } else { 8 }, 2).unwrap_or_default();
        *payments.entry((is_cash, row.at(6).to_owned())).or_default() += i128::from(amount);
    }
    payments.retain(|_, amount| *amount != 0);
    if payments != told.payments {
        report.find(Rule::ProcessDataPayments, file, line, || {
            both!(
                "gesagt wurde {data}, datapayment.csv ergibt {payments:?} Cent",
                "told was {data}, datapayment.csv gives {payments:?} cents"
            )
        });
    }
}
