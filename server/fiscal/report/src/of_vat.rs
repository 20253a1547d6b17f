//! VAT of the event: by taxpayer, rate and event day, and over all days.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use dsfinvk::amount::Split;
use shared_protocol::{Amount, Overflow, TaxpayerId};
use wording::Language;

use crate::books::Books;
use crate::document::{Cell, Document, Kind, Row, Table};
use crate::head::{Final, Head};
use crate::tables::{cents, figures, plus};

/// Turnover and tax of each taxpayer, of those wanted, over the days that were loaded.
pub fn vat_summary(books: &Books, taxpayer: Option<TaxpayerId>, words: Language) -> Result<Document, Overflow> {
    let head = Head::new(books, words);
    let names = head.names();
    let wanted = |key: &crate::Key| taxpayer.is_none_or(|wanted| wanted == key.taxpayer);
    let sums = books.sum(wanted)?;
    let mut document = head.document(
        taxpayer.map_or_else(|| "vat".to_owned(), |taxpayer| format!("vat-{taxpayer}")),
        words.of("Umsatzsteuer der Veranstaltung", "VAT of the event"),
        taxpayer.map_or_else(
            || words.name(&books.config.event.name).to_owned(),
            |taxpayer| names.taxpayer(taxpayer),
        ),
        &sums,
        Final::Open,
    );
    let by = books.by(wanted, |key| (key.taxpayer, key.day))?;
    let mut sellers = BTreeMap::<TaxpayerId, Vec<(u32, BTreeMap<_, Split>)>>::new();
    for ((taxpayer, day), sums) in &by {
        sellers.entry(*taxpayer).or_default().push((*day, sums.turnover()?));
    }
    document.tables.push(overall(books, &sellers, words)?);
    for (taxpayer, days) in &sellers {
        let mut table = Table::new(
            &format!("{} {taxpayer}", words.of("Steuer", "VAT")),
            &names.taxpayer(*taxpayer),
            &[
                (words.of("Veranstaltungstag", "Event day"), Kind::Text),
                (words.of("USt", "VAT"), Kind::Text),
                (words.of("Netto EUR", "Net EUR"), Kind::Number),
                (words.of("Steuer EUR", "Tax EUR"), Kind::Number),
                (words.of("Brutto EUR", "Gross EUR"), Kind::Number),
            ],
        );
        for (day, rates) in days {
            for (Reverse(rate), split) in rates {
                let head = [Cell::Day(*day), Cell::Rate(*rate)];
                table.rows.push(Row::of(figures(head, cents(split)?)));
            }
        }
        document.tables.push(table);
    }
    if taxpayer.is_none() {
        document.tables.extend(head.missing());
    }
    document.remarks.push(
        words
            .of(
                "Steuer wird je Beleg aus dem Brutto gerechnet, genauer als auf den Cent addiert und hier einmal gerundet; Summen über Tage können daher einen Cent von der Summe gerundeter Tage abweichen. Guthaben und Mehrzweck-Gutscheine sind kein Umsatz. Ob und wie das zu melden ist, sagt die Steuerberatung.",
                "Tax is taken out of the gross of each receipt, added up finer than cents and rounded once here; so sums over days may differ by a cent from the sum of rounded days. Balances and multi-purpose vouchers are no turnover. Whether and how this is declared, a tax advisor says.",
            )
            .to_owned(),
    );
    Ok(document)
}

type Days = Vec<(u32, BTreeMap<Reverse<shared_protocol::tax::TaxRate>, Split>)>;

/// All days together, by taxpayer and rate.
fn overall(books: &Books, sellers: &BTreeMap<TaxpayerId, Days>, words: Language) -> Result<Table, Overflow> {
    let names = crate::words::Names { books, words };
    let mut table = Table::new(
        words.of("Alle Tage", "All days"),
        words.of("Alle Tage zusammen", "All days together"),
        &[
            (words.of("Steuerpflichtiger", "Taxpayer"), Kind::Text),
            (words.of("USt", "VAT"), Kind::Text),
            (words.of("Netto EUR", "Net EUR"), Kind::Number),
            (words.of("Steuer EUR", "Tax EUR"), Kind::Number),
            (words.of("Brutto EUR", "Gross EUR"), Kind::Number),
        ],
    );
    let mut event = [Amount::ZERO; 3];
    for (taxpayer, days) in sellers {
        let mut rates = BTreeMap::<_, Split>::new();
        for (rate, split) in days.iter().flat_map(|(_, rates)| rates) {
            rates.entry(*rate).or_default().add(*split)?;
        }
        let mut of_taxpayer = [Amount::ZERO; 3];
        for (Reverse(rate), split) in rates {
            let amounts = cents(&split)?;
            plus(&mut of_taxpayer, amounts)?;
            let head = [Cell::text(names.taxpayer(*taxpayer)), Cell::Rate(rate)];
            table.rows.push(Row::of(figures(head, amounts)));
        }
        plus(&mut event, of_taxpayer)?;
        let head = [
            Cell::text(names.taxpayer(*taxpayer)),
            Cell::text(words.of("Summe", "Total")),
        ];
        table.rows.push(Row::total(figures(head, of_taxpayer)));
    }
    let head = [
        Cell::text(words.of("Veranstaltung", "Event")),
        Cell::text(words.of("Summe", "Total")),
    ];
    table.rows.push(Row::total(figures(head, event)));
    Ok(table)
}
