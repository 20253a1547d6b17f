//! Lines of one receipt and what belongs to them: amounts, prices, parts, references.

use std::collections::BTreeMap;

use wording::both;

use super::closing::Master;
use super::receipt::{Bon, agency};
use super::report::Report;
use super::rows::Row;
use super::rule::Rule;
use crate::tables::Id;

pub(super) fn check(bon: &Bon<'_>, master: &Master<'_>, report: &mut Report) {
    let mut known: BTreeMap<&str, (&Row, i128, bool)> = BTreeMap::new();
    for row in bon.of(Id::Lines) {
        let agency = agency(row.at(12));
        if agency != "0" && !master.agencies.contains(agency) {
            report.find(Rule::AgencyUnknown, Id::Lines.table().file, Some(row.line), || {
                both!("AGENTUR_ID ist {agency}", "AGENTUR_ID is {agency}")
            });
        }
        if known.insert(row.at(4), (row, 0, false)).is_some() {
            report.find(Rule::LineTwice, Id::Lines.table().file, Some(row.line), || {
                both!(
                    "Position {} des Belegs {}",
                    "line {} of receipt {}",
                    row.at(4),
                    bon.id()
                )
            });
        }
    }
    let mut unknown = |id: Id, row: &Row| {
        report.find(Rule::LineUnknown, id.table().file, Some(row.line), || {
            both!(
                "Beleg {} hat keine Position {:?}",
                "receipt {} has no line {:?}",
                bon.id(),
                row.at(4)
            )
        });
    };
    for row in bon.of(Id::LineVat) {
        match known.get_mut(row.at(4)) {
            Some((_, gross, has)) => {
                *gross += i128::from(row.number(6, 5).unwrap_or_default());
                *has = true;
            }
            None => unknown(Id::LineVat, row),
        }
    }
    let mut parts: BTreeMap<&str, i128> = BTreeMap::new();
    for row in bon.of(Id::Prices) {
        *parts.entry(row.at(4)).or_default() += i128::from(row.number(7, 5).unwrap_or_default());
        if !known.contains_key(row.at(4)) {
            unknown(Id::Prices, row);
        }
    }
    for row in bon.of(Id::Parts).iter().filter(|row| !known.contains_key(row.at(4))) {
        unknown(Id::Parts, row);
    }
    for row in bon.of(Id::References) {
        if !row.at(4).is_empty() && !known.contains_key(row.at(4)) {
            unknown(Id::References, row);
        }
    }
    for (number, (row, gross, has)) in known {
        let (file, line) = (Id::Lines.table().file, Some(row.line));
        if !has {
            report.find(Rule::LineWithoutTax, file, line, || {
                both!(
                    "Position {number} des Belegs {} hat keine Zeile in lines_vat.csv",
                    "line {number} of receipt {} has no row in lines_vat.csv",
                    bon.id()
                )
            });
            continue;
        }
        // A line that never came to a charge has a price and no amounts.
        let dropped = row.at(11) == "1";
        if let (Some(pieces), Some(factor), Some(price), false) = (
            row.number(17, 3),
            row.number(18, 3).or(Some(1_000)),
            row.number(20, 5),
            dropped,
        ) {
            let cost = i128::from(pieces) * i128::from(factor) * i128::from(price);
            if (cost - gross * 1_000_000).abs() > 500 * 1_000_000 {
                report.find(Rule::UnitPrice, file, line, || {
                    both!(
                        "{} mal {} ist nicht {gross} Hunderttausendstel",
                        "{} times {} is not {gross} hundred-thousandths",
                        row.at(17),
                        row.at(20)
                    )
                });
            }
        }
        if let Some(parts) = parts.get(number).filter(|parts| **parts != gross && !dropped) {
            report.find(Rule::PriceParts, file, line, || {
                both!(
                    "die Teile sind {parts}, die Position ist {gross} Hunderttausendstel",
                    "the parts are {parts}, the line is {gross} hundred-thousandths"
                )
            });
        }
    }
}
