//! The tables that reports have in common, made of one sum.
//!
//! Tax is added up in hundred-thousandths, as the export has it, and rounded to cents once, here; net is gross less that. So a table's own rows add up,
//! and rounded figures of several reports may differ from their common total by a cent.

mod currencies;
mod proof;

use std::cmp::Reverse;

use dsfinvk::amount::{Fine, Split};
use dsfinvk::words::PaymentKind;
use shared_protocol::money::round_half_away;
use shared_protocol::order::TenderKind;
use shared_protocol::tax::TaxRate;
use shared_protocol::{Amount, Overflow};
use wording::Language;

use crate::books::Books;
use crate::document::{Cell, Kind, Row, Table};
use crate::sums::{Sums, Tally};
use crate::words::{self, Names};

/// Hundred-thousandths in a cent.
const FINE_IN_CENT: i128 = 1_000;

/// Net, tax and gross in cents.
pub(crate) fn cents(split: &Split) -> Result<[Amount; 3], Overflow> {
    let Fine(tax) = split.tax;
    let tax = Amount::from_wide(round_half_away(i128::from(tax), FINE_IN_CENT))?;
    Ok([split.gross.minus(tax)?, tax, split.gross])
}

/// Net, tax and gross of all turnover in cents: each rate rounded once, as the table of rates has it.
pub(crate) fn whole(sums: &Sums) -> Result<[Amount; 3], Overflow> {
    let mut all = [Amount::ZERO; 3];
    for split in sums.turnover()?.values() {
        plus(&mut all, cents(split)?)?;
    }
    Ok(all)
}

/// Adds rounded figures, so that a table adds up to its last row.
pub(crate) fn plus(sum: &mut [Amount; 3], more: [Amount; 3]) -> Result<(), Overflow> {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum = sum.plus(more)?;
    }
    Ok(())
}

/// The cells of a row that ends in three amounts, such as net, tax and gross.
pub(crate) fn figures(head: impl IntoIterator<Item = Cell>, amounts: [Amount; 3]) -> impl Iterator<Item = Cell> {
    head.into_iter().chain(amounts.map(Cell::Money))
}

/// A table whose last three columns are amounts, which its last row adds up.
pub(crate) struct Summed {
    table: Table,
    sum: [Amount; 3],
}

impl Summed {
    /// Without rows.
    pub fn new(table: Table) -> Self {
        Self {
            table,
            sum: [Amount::ZERO; 3],
        }
    }

    /// Puts a row below the others.
    pub fn push(&mut self, head: impl IntoIterator<Item = Cell>, amounts: [Amount; 3]) -> Result<(), Overflow> {
        plus(&mut self.sum, amounts)?;
        self.table.rows.push(Row::of(figures(head, amounts)));
        Ok(())
    }

    /// Puts the sum below all rows; what columns are between its name and the amounts stay empty.
    pub fn total(mut self, words: Language) -> Table {
        let name = Cell::text(words.of("Summe", "Total"));
        let between = self.table.columns.len().saturating_sub(1 + self.sum.len());
        let head = std::iter::once(name).chain(std::iter::repeat_n(Cell::Empty, between));
        self.table.rows.push(Row::total(figures(head, self.sum)));
        self.table
    }
}

/// Makes tables.
#[derive(Clone, Copy)]
pub(crate) struct Tables<'a> {
    pub books: &'a Books,
    pub words: Language,
}

impl<'a> Tables<'a> {
    pub fn names(&self) -> Names<'a> {
        Names {
            books: self.books,
            words: self.words,
        }
    }

    /// Turnover by rate.
    pub fn vat(&self, sums: &Sums) -> Result<Table, Overflow> {
        let words = self.words;
        let mut table = Summed::new(Table::new(
            words.of("Umsatzsteuer", "VAT"),
            words.of("Umsatz nach Steuersätzen", "Turnover by VAT rate"),
            &[
                (words.of("USt", "VAT"), Kind::Text),
                (words.of("Netto EUR", "Net EUR"), Kind::Number),
                (words.of("Steuer EUR", "Tax EUR"), Kind::Number),
                (words.of("Brutto EUR", "Gross EUR"), Kind::Number),
            ],
        ));
        for (Reverse(rate), split) in sums.turnover()? {
            table.push([Cell::Rate(rate)], cents(&split)?)?;
        }
        Ok(table.total(words).noted(words.of(
            "Artikel, Pfand und Rabatte. Guthaben und Gutscheine sind kein Umsatz; ihr Einlösen mindert ihn nicht.",
            "Goods, deposits and discounts. Balances and vouchers are no turnover; using them does not lower it.",
        )))
    }

    /// Business cases, as `businesscases.csv` has them.
    pub fn cases(&self, sums: &Sums) -> Result<Table, Overflow> {
        let words = self.words;
        let mut table = Summed::new(Table::new(
            words.of("Geschäftsvorfälle", "Business cases"),
            words.of("Geschäftsvorfälle (Z_GV_TYP)", "Business cases (Z_GV_TYP)"),
            &[
                (words.of("Vorfall", "Case"), Kind::Text),
                ("GV_TYP", Kind::Text),
                (words.of("Name", "Name"), Kind::Text),
                (words.of("USt", "VAT"), Kind::Text),
                (words.of("Netto EUR", "Net EUR"), Kind::Number),
                (words.of("Steuer EUR", "Tax EUR"), Kind::Number),
                (words.of("Brutto EUR", "Gross EUR"), Kind::Number),
            ],
        ));
        for (key, split) in &sums.cases {
            let head = [
                Cell::text(words::case(key.case, words)),
                Cell::text(key.case.as_str()),
                Cell::text(&key.name),
                if key.rate == TaxRate::ZERO {
                    Cell::text(words.of("keine", "none"))
                } else {
                    Cell::Rate(key.rate)
                },
            ];
            table.push(head, cents(split)?)?;
        }
        Ok(table.total(words))
    }

    /// Payments, as `payment.csv` has them. They are the total of the business cases.
    pub fn payments(&self, sums: &Sums) -> Result<Table, Overflow> {
        let words = self.words;
        let mut table = Table::new(
            words.of("Zahlungen", "Payments"),
            words.of("Zahlungen (Z_ZAHLART)", "Payments (Z_ZAHLART)"),
            &[
                (words.of("Zahlung", "Payment"), Kind::Text),
                ("ZAHLART_TYP", Kind::Text),
                (words.of("Name", "Name"), Kind::Text),
                (words.of("Betrag EUR", "Amount EUR"), Kind::Number),
            ],
        );
        for ((kind, name), cents) in &sums.payments {
            table.rows.push(Row::of([
                Cell::text(words::payment(*kind, words)),
                Cell::text(kind.as_str()),
                Cell::text(name),
                Cell::Money(*cents),
            ]));
        }
        let cash = sums.payments.iter().filter(|((kind, _), _)| *kind == PaymentKind::Bar);
        for (name, cents) in [
            (
                words.of("Summe (Z_SE_ZAHLUNGEN)", "Total (Z_SE_ZAHLUNGEN)"),
                Amount::sum(sums.payments.values().copied())?,
            ),
            (
                words.of("davon bar (Z_SE_BARZAHLUNGEN)", "of it cash (Z_SE_BARZAHLUNGEN)"),
                Amount::sum(cash.map(|(_, cents)| *cents))?,
            ),
        ] {
            let row = [Cell::text(name), Cell::Empty, Cell::Empty, Cell::Money(cents)];
            table.rows.push(Row::total(row));
        }
        Ok(table)
    }

    /// How guests paid, vouchers besides.
    pub fn tenders(&self, sums: &Sums) -> Table {
        let (words, names) = (self.words, self.names());
        let mut table = Table::new(
            words.of("Zahlungsmittel", "Tenders"),
            words.of("Womit Gäste zahlten", "How guests paid"),
            &[
                (words.of("Zahlungsmittel", "Tender"), Kind::Text),
                (words.of("Stück", "Units"), Kind::Number),
                (words.of("Betrag EUR", "Amount EUR"), Kind::Number),
            ],
        );
        for kind in [TenderKind::Cash, TenderKind::Card, TenderKind::Wristband] {
            let cents = sums.tenders.get(&kind).copied().unwrap_or_default();
            let row = [Cell::text(words::tender(kind, words)), Cell::Empty, Cell::Money(cents)];
            table.rows.push(Row::of(row));
        }
        for (asset, used) in &sums.vouchers {
            let name = if used.paid.is_zero() {
                format!("{} ({})", names.asset(*asset), words.of("Rabatt", "discount"))
            } else {
                names.asset(*asset)
            };
            let row = [Cell::text(name), Cell::Count(used.units), Cell::Money(used.paid)];
            table.rows.push(Row::of(row));
        }
        table.noted(words.of(
            "Aufladungen und Auszahlungen sind dabei, Bewegungen der Kassenlade nicht. Marken, die ein Rabatt sind, zahlen nichts; ihr Wert steht bei den Geschäftsvorfällen.",
            "With top-ups and pay-outs, without movements of drawers. Vouchers that are a discount pay nothing; their worth is among the business cases.",
        ))
    }

    /// Bearer goods.
    pub fn deposits(&self, sums: &Sums) -> Result<Option<Table>, Overflow> {
        let (words, names) = (self.words, self.names());
        if sums.deposits.is_empty() {
            return Ok(None);
        }
        let mut table = Summed::new(Table::new(
            words.of("Pfand", "Deposits"),
            words.of("Pfand nach Artikeln", "Deposits by article"),
            &[
                (words.of("Artikel", "Article"), Kind::Text),
                (words.of("Verleiher", "Lender"), Kind::Text),
                (words.of("Aus", "Out"), Kind::Number),
                (words.of("Zurück", "Back"), Kind::Number),
                (words.of("Aus EUR", "Out EUR"), Kind::Number),
                (words.of("Zurück EUR", "Back EUR"), Kind::Number),
                (words.of("Saldo EUR", "Balance EUR"), Kind::Number),
            ],
        ));
        for ((article, owner), moved) in &sums.deposits {
            let head = [
                Cell::text(names.article(*article)),
                Cell::text(names.taxpayer(*owner)),
                Cell::Count(moved.out.0),
                Cell::Count(moved.back.0),
            ];
            let amounts = [moved.out.1, moved.back.1, moved.out.1.minus(moved.back.1)?];
            table.push(head, amounts)?;
        }
        Ok(Some(table.total(words)))
    }

    /// The drawer.
    pub fn drawer(&self, sums: &Sums) -> Result<Table, Overflow> {
        let words = self.words;
        let drawer = &sums.drawer;
        let guests = sums.cash()?;
        let mut table = Table::new(
            words.of("Kassenlade", "Drawer"),
            words.of("Bargeld in der Kassenlade", "Cash in the drawer"),
            &[
                (words.of("Bewegung", "Movement"), Kind::Text),
                (words.of("Anzahl", "Count"), Kind::Number),
                (words.of("Betrag EUR", "Amount EUR"), Kind::Number),
            ],
        );
        let counted = |tally: Tally| Cell::count(tally.count);
        let rows = [
            (
                words.of("Wechselgeld zum Beginn", "Floats"),
                counted(drawer.opened),
                drawer.opened.sum,
            ),
            (
                words.of("Aus dem Tresor gebracht", "Brought from the safe"),
                counted(drawer.brought),
                drawer.brought.sum,
            ),
            (
                words.of("In den Tresor abgeschöpft", "Taken to the safe"),
                counted(drawer.taken),
                drawer.taken.sum.negated()?,
            ),
            (
                words.of("Von Gästen, abzüglich Auszahlungen", "From guests, less pay-outs"),
                Cell::Empty,
                guests,
            ),
            (
                words.of("Gezählt: Soll", "Counted: expected"),
                counted(drawer.counted),
                drawer.expected,
            ),
            (
                words.of("Gezählt: Ist", "Counted: found"),
                counted(drawer.counted),
                drawer.counted.sum,
            ),
        ];
        table
            .rows
            .extend(rows.map(|(name, count, cents)| Row::of([Cell::text(name), count, Cell::Money(cents)])));
        let totals = [
            (
                words.of("Differenz beim Zählen", "Difference at counts"),
                drawer.difference()?,
            ),
            (
                words.of("Noch in der Lade (ungezählt)", "Still in the drawer (not counted)"),
                drawer.moved,
            ),
        ];
        table
            .rows
            .extend(totals.map(|(name, cents)| Row::total([Cell::text(name), Cell::Empty, Cell::Money(cents)])));
        Ok(table)
    }
}
