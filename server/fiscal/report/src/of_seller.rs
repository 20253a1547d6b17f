//! What is settled with a seller: what was sold in its name, what other sellers owe it for cups it took back, and what of the money it has already.
//!
//! ```text
//!   goods, discounts off              receipts of the seller
//! + cups of others, out less back     receipts of the seller         (below zero: it paid guests for cups that others lent)
//! + not in the books                  zero, unless a case says why
//! = credited for sales                ledger, payable:{seller}
//! + cups of others, cleared           ledger, clearing:{lender → seller}
//! = owed to the seller
//! ```
//! Deposits that the seller took for its own cups are no part of it: they are kept for the guests who bring the cups back (ledger, deposit:{cup, seller}),
//! and what others paid for its cups has come out of them. Fees are not known to any configuration, so none is taken.

mod settled;

use ledger::Account;
use shared_protocol::{Amount, Overflow, TaxpayerId};
use wording::Language;

use crate::books::{Books, Key};
use crate::document::{Cell, Document, Kind, Row, Table};
use crate::head::{Final, Head};
use crate::sums::Sums;
use crate::tables::{Summed, Tables, cents};

pub use settled::Settled;

/// The statement of a seller over the days that were loaded, `from` and `until` of them asked for.
pub fn settlement(books: &Books, seller: TaxpayerId, days: (u32, u32), words: Language) -> Result<Document, Overflow> {
    let head = Head::new(books, words);
    let own = |key: &Key| key.taxpayer == seller;
    let sums = books.sum(own)?;
    let is_all = days == (0, u32::MAX);
    let known: Vec<u32> = books.groups.keys().filter(|key| own(key)).map(|key| key.day).collect();
    let first = if days.0 == 0 {
        known.iter().min().copied()
    } else {
        Some(days.0)
    };
    let last = if days.1 == u32::MAX {
        known.iter().max().copied()
    } else {
        Some(days.1)
    };
    let period = match (first, last) {
        (Some(first), Some(last)) if first == last => head.clock.day(first),
        (Some(first), Some(last)) => format!("{} – {}", head.clock.day(first), head.clock.day(last)),
        _ => words.of("ohne Buchungen", "without orders").to_owned(),
    };
    let mut document = head.document(
        format!("settlement-{seller}"),
        words.of("Abrechnung", "Settlement statement"),
        head.names().taxpayer(seller),
        &sums,
        Final::Open,
    );
    document.facts.extend(head.taxpayer(seller));
    let asked = words.of("Zeitraum (Veranstaltungstage)", "Period (event days)");
    document.facts.push((asked.to_owned(), period));
    let settled = Settled::of(books, seller)?;
    let statement = Statement {
        books,
        seller,
        words,
        head: &head,
    };
    let tables = Tables { books, words };
    document.tables.push(statement.main(&settled, is_all));
    document.tables.push(tables.vat(&sums)?);
    document.tables.push(statement.places()?);
    document.tables.push(tables.tenders(&sums));
    document.tables.extend(statement.cash()?);
    let of_tills = |key: &Key| books.config.home_taxpayer(key.till) == Some(seller);
    document.tables.extend(tables.currencies(&books.sum(of_tills)?)?);
    document.tables.extend(statement.clearing()?);
    document.tables.extend(statement.own_cups(&settled)?);
    document.tables.push(tables.counts(&sums));
    document.tables.push(tables.came_off(&sums));
    document.tables.extend(head.missing());
    document.remarks.push(
        words
            .of(
                "Gebühren und Anteile kennt keine Einstellung; es ist nichts abgezogen. Pfand für eigene Becher bleibt für die Gäste zurückgelegt und ist nicht in der Summe. Rabatte durch Marken tragen nach den Büchern die Verkäufer.",
                "No setting knows fees or shares; nothing was taken off. Deposits of own cups stay set aside for guests and are not in the total. By the books, sellers bear discounts by vouchers.",
            )
            .to_owned(),
    );
    Ok(document)
}

struct Statement<'a> {
    books: &'a Books,
    seller: TaxpayerId,
    words: Language,
    head: &'a Head<'a>,
}

impl Statement<'_> {
    fn main(&self, settled: &Settled, is_all: bool) -> Table {
        let words = self.words;
        let mut table = Table::new(
            words.of("Abrechnung", "Statement"),
            words.of("Was zu zahlen ist", "What is to be paid"),
            &[
                (words.of("Posten", "Item"), Kind::Text),
                (words.of("Woher", "Source"), Kind::Text),
                (words.of("Betrag EUR", "Amount EUR"), Kind::Number),
            ],
        );
        let (receipts, ledger) = (words.of("Belege", "receipts"), words.of("Hauptbuch", "ledger"));
        let row = |name: &str, from: &str, cents: Amount| [Cell::text(name), Cell::text(from), Cell::Money(cents)];
        table.rows.extend([
            Row::of(row(words.of("Waren, brutto", "Goods, gross"), receipts, settled.goods)),
            Row::of(row(
                words.of("Rabatte durch Marken", "Discounts by vouchers"),
                receipts,
                settled.discounts,
            )),
            Row::of(row(
                words.of(
                    "Pfand fremder Becher: genommen abzüglich ausgezahlt",
                    "Deposits of others' cups: taken less paid out",
                ),
                receipts,
                settled.foreign_deposits,
            )),
        ]);
        if !settled.unexplained.is_zero() {
            let name = words.of(
                "In den Büchern, nicht in den Belegen (siehe Fälle)",
                "In the books, not on receipts (see cases)",
            );
            table.rows.push(Row::of(row(name, ledger, settled.unexplained)));
        }
        table.rows.extend([
            Row::total(row(
                words.of("Gutgeschrieben für Verkäufe (payable)", "Credited for sales (payable)"),
                ledger,
                settled.payable,
            )),
            Row::of(row(
                words.of(
                    "Verrechnung fremder Becher (clearing)",
                    "Cleared for others' cups (clearing)",
                ),
                ledger,
                settled.cleared,
            )),
        ]);
        if !settled.tips.is_zero() {
            let name = words.of(
                "Trinkgeld an das Team, weiterzugeben (tips)",
                "Tips to its staff, to be handed on (tips)",
            );
            table.rows.push(Row::of(row(name, ledger, settled.tips)));
        }
        table.rows.extend([
            Row::total(row(
                words.of("Dem Verkäufer geschuldet", "Owed to the seller"),
                ledger,
                settled.owed,
            )),
            Row::of(row(
                words.of(
                    "zum Vergleich: noch bar in seinen Kassenladen",
                    "for comparison: still in its drawers in cash",
                ),
                receipts,
                settled.cash,
            )),
        ]);
        let note = if !is_all {
            words.of(
                "Ein Zeitraum: das Hauptbuch kennt nur die Summe der ganzen Veranstaltung.",
                "A period: the ledger knows only the sum of the whole event.",
            )
        } else if settled.owed == settled.ledger_owed {
            words.of(
                "Die Summe ist der Saldo des Hauptbuchs (payable, clearing und tips).",
                "The total is the balance of the ledger (payable, clearing and tips).",
            )
        } else if self.books.ledger_behind > 0 {
            words.of(
                "Die Summen des Hauptbuchs sind noch nicht auf dem neuesten Stand; mach den Bericht gleich noch einmal.",
                "The sums of the ledger are behind; make the report again in a moment.",
            )
        } else {
            words.of(
                "ACHTUNG: das Hauptbuch sagt etwas anderes. Ruf die Technik: `groschen audit`.",
                "MIND: the ledger says something else. Call tech: `groschen audit`.",
            )
        };
        table.noted(note)
    }

    /// By stand and day, each rate.
    fn places(&self) -> Result<Table, Overflow> {
        let (words, books) = (self.words, self.books);
        let names = self.head.names();
        let mut table = Summed::new(Table::new(
            words.of("Orte und Tage", "Locations and days"),
            words.of("Umsatz nach Orten und Tagen", "Turnover by location and day"),
            &[
                (words.of("Ort", "Location"), Kind::Text),
                (words.of("Veranstaltungstag", "Event day"), Kind::Text),
                (words.of("USt", "VAT"), Kind::Text),
                (words.of("Netto EUR", "Net EUR"), Kind::Number),
                (words.of("Steuer EUR", "Tax EUR"), Kind::Number),
                (words.of("Brutto EUR", "Gross EUR"), Kind::Number),
            ],
        ));
        let by = books.by(
            |key| key.taxpayer == self.seller,
            |key| (books.stand(key.till), key.day),
        )?;
        for ((stand, day), sums) in &by {
            for (std::cmp::Reverse(rate), split) in sums.turnover()? {
                let head = [Cell::text(names.stand(*stand)), Cell::Day(*day), Cell::Rate(rate)];
                table.push(head, cents(&split)?)?;
            }
        }
        Ok(table.total(words).noted(words.of(
            "Mit Pfand. Jede Zeile ist für sich auf Cent gerundet.",
            "With deposits. Each row is rounded to cents by itself.",
        )))
    }

    /// Cash at the seller's own tills.
    fn cash(&self) -> Result<Option<Table>, Overflow> {
        let (words, books) = (self.words, self.books);
        let names = self.head.names();
        let own = |key: &Key| books.config.home_taxpayer(key.till) == Some(self.seller);
        let by = books.by(own, |key| key.till)?;
        let mut table = Table::new(
            words.of("Bargeld", "Cash"),
            words.of("Bargeld an den Kassen des Verkäufers", "Cash at the seller's tills"),
            &[
                (words.of("Kasse", "Till"), Kind::Text),
                (words.of("Gebracht EUR", "Brought EUR"), Kind::Number),
                (words.of("Von Gästen EUR", "From guests EUR"), Kind::Number),
                (words.of("Abgegeben EUR", "Handed in EUR"), Kind::Number),
                (words.of("Differenz EUR", "Difference EUR"), Kind::Number),
                (words.of("Noch dort EUR", "Still there EUR"), Kind::Number),
            ],
        );
        let row = |name: String, sums: &Sums| {
            let drawer = &sums.drawer;
            Ok::<_, Overflow>([
                Cell::text(name),
                Cell::Money(drawer.opened.sum.plus(drawer.brought.sum)?),
                Cell::Money(sums.cash()?),
                Cell::Money(drawer.taken.sum.plus(drawer.counted.sum)?),
                Cell::Money(drawer.difference()?),
                Cell::Money(drawer.moved),
            ])
        };
        let mut total = Sums::default();
        for (till, sums) in by
            .iter()
            .filter(|(_, sums)| sums.drawer != crate::sums::Drawer::default())
        {
            total.add(sums)?;
            table.rows.push(Row::of(row(names.till(*till), sums)?));
        }
        if table.rows.is_empty() {
            return Ok(None);
        }
        table
            .rows
            .push(Row::total(row(words.of("Summe", "Total").to_owned(), &total)?));
        Ok(Some(table.noted(words.of(
            "Was der Verkäufer davon behält, ist mit dem geschuldeten Betrag zu verrechnen: die Bücher sehen alles Bargeld beim Veranstalter.",
            "What the seller keeps of it is to be set off against what is owed: to the books all cash is the organiser's.",
        ))))
    }

    /// Cups of others, by lender, both ways.
    fn clearing(&self) -> Result<Option<Table>, Overflow> {
        let (words, names) = (self.words, self.head.names());
        let all = self.books.sum(|_| true)?;
        let mut table = Table::new(
            words.of("Verrechnung", "Clearing"),
            words.of("Becher zwischen Verkäufern", "Cups between sellers"),
            &[
                (words.of("Gegenüber", "Counterpart"), Kind::Text),
                (words.of("Was", "What"), Kind::Text),
                (words.of("Betrag EUR", "Amount EUR"), Kind::Number),
            ],
        );
        for (account, cents) in &all.accounts {
            let Account::Clearing { debtor, creditor } = account else {
                continue;
            };
            let (other, what) = if *creditor == self.seller {
                (
                    *debtor,
                    words.of(
                        "Pfand seiner Becher: hier ausgezahlt abzüglich genommen",
                        "deposits of its cups: paid out here less taken",
                    ),
                )
            } else if *debtor == self.seller {
                (
                    *creditor,
                    words.of(
                        "Pfand eigener Becher: dort ausgezahlt abzüglich genommen",
                        "deposits of own cups: paid out there less taken",
                    ),
                )
            } else {
                continue;
            };
            let row = [Cell::text(names.taxpayer(other)), Cell::text(what), Cell::wide(*cents)?];
            table.rows.push(Row::of(row));
        }
        Ok((!table.rows.is_empty()).then_some(table))
    }

    /// The seller's own cups, whoever took them back.
    fn own_cups(&self, settled: &Settled) -> Result<Option<Table>, Overflow> {
        let (words, names) = (self.words, self.head.names());
        let mut table = Table::new(
            words.of("Eigene Becher", "Own cups"),
            words.of(
                "Pfand für eigene Becher (zurückgelegt)",
                "Deposits of own cups (set aside)",
            ),
            &[
                (words.of("Artikel", "Article"), Kind::Text),
                (words.of("Bei", "At"), Kind::Text),
                (words.of("Aus", "Out"), Kind::Number),
                (words.of("Zurück", "Back"), Kind::Number),
                (words.of("Saldo EUR", "Balance EUR"), Kind::Number),
            ],
        );
        for (taxpayer, sums) in self.books.by(|_| true, |key| key.taxpayer)? {
            for ((article, _), moved) in sums.deposits.iter().filter(|((_, owner), _)| *owner == self.seller) {
                table.rows.push(Row::of([
                    Cell::text(names.article(*article)),
                    Cell::text(names.taxpayer(taxpayer)),
                    Cell::Count(moved.out.0),
                    Cell::Count(moved.back.0),
                    Cell::Money(moved.out.1.minus(moved.back.1)?),
                ]));
            }
        }
        if table.rows.is_empty() {
            return Ok(None);
        }
        table.rows.push(Row::total([
            Cell::text(words.of("Saldo der Bücher (deposit)", "Balance of the books (deposit)")),
            Cell::Empty,
            Cell::Empty,
            Cell::Empty,
            Cell::Money(settled.deposits),
        ]));
        Ok(Some(table))
    }
}
