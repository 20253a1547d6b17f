//! Reports of event days: over all tills, what was closed and what came later apart and together; and by stand.

use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::{Overflow, StandId};
use wording::Language;

use crate::books::{Books, Key};
use crate::document::{Cell, Document, Kind, Row, Table};
use crate::head::{Final, Head};
use crate::of_closing::all;
use crate::sums::{CaseKey, Sums};
use crate::tables::{Tables, whole};

/// What a row of an overview says of a sum: receipts, net, tax, gross turnover, cash, card, wristband.
fn overview(first: Cell, sums: &Sums) -> Result<[Cell; 8], Overflow> {
    let [net, tax, gross] = whole(sums)?;
    let tender = |kind| Cell::Money(sums.tenders.get(&kind).copied().unwrap_or_default());
    Ok([
        first,
        Cell::count(sums.receipts),
        Cell::Money(net),
        Cell::Money(tax),
        Cell::Money(gross),
        tender(TenderKind::Cash),
        tender(TenderKind::Card),
        tender(TenderKind::Wristband),
    ])
}

fn overview_table(name: &str, title: &str, first: &str, words: Language) -> Table {
    Table::new(
        name,
        title,
        &[
            (first, Kind::Text),
            (words.of("Belege", "Receipts"), Kind::Number),
            (words.of("Netto EUR", "Net EUR"), Kind::Number),
            (words.of("Steuer EUR", "Tax EUR"), Kind::Number),
            (words.of("Umsatz EUR", "Turnover EUR"), Kind::Number),
            (words.of("Bar EUR", "Cash EUR"), Kind::Number),
            (words.of("Karte EUR", "Card EUR"), Kind::Number),
            (words.of("Band EUR", "Wristband EUR"), Kind::Number),
        ],
    )
}

/// The report of an event day over all tills and sellers.
pub fn day_report(books: &Books, day: u32, words: Language) -> Result<Document, Overflow> {
    let head = Head::new(books, words);
    let of_day = |key: &Key| key.day == day;
    let sums = books.sum(of_day)?;
    let mut document = head.document(
        format!("day-{day}"),
        words.of("Tagesbericht", "Daily report"),
        head.clock.day(day),
        &sums,
        Final::Open,
    );
    document.tables.push(parts(books, day, &sums, words)?);
    let tables = Tables { books, words };
    document.tables.push(by_seller(books, day, &sums, words)?);
    document.tables.push(by_stand(books, of_day, words)?);
    document.tables.push(by_till(books, day, &sums, words)?);
    all(&tables, &sums, &mut document)?;
    document.tables.extend(head.missing());
    document.remarks.push(
        words
            .of(
                "Der Veranstaltungstag geht vom Tageswechsel bis zum nächsten, nach der Uhr an der Wand. Was nach dem Abschluss eines Tages ankommt, steht in Nachträgen; „zusammen“ enthält sie.",
                "The event day runs from its cut-off to the next, by the clock on the wall. What arrives after a day was closed is in supplements; “together” has them.",
            )
            .to_owned(),
    );
    Ok(document)
}

/// What was closed, what came later, and what is not closed.
fn parts(books: &Books, day: u32, sums: &Sums, words: Language) -> Result<Table, Overflow> {
    let mut table = overview_table(
        words.of("Abschlüsse", "Closings"),
        words.of("Abgeschlossen und nachgetragen", "Closed and supplemented"),
        words.of("Teil", "Part"),
        words,
    );
    let closed = books.sum(|key| key.day == day && key.closing.is_some() && !books.is_supplement(key))?;
    let later = books.sum(|key| key.day == day && books.is_supplement(key))?;
    let open = books.sum(|key| key.day == day && key.closing.is_none())?;
    for (name, part) in [
        (words.of("Abschlüsse (Z)", "Closings (Z)"), &closed),
        (words.of("Nachträge (Z)", "Supplements (Z)"), &later),
        (words.of("Noch in keinem Abschluss", "In no closing yet"), &open),
    ] {
        table.rows.push(Row::of(overview(Cell::text(name), part)?));
    }
    let together = words.of("Zusammen", "Together");
    table.rows.push(Row::total(overview(Cell::text(together), sums)?));
    Ok(table)
}

fn by_seller(books: &Books, day: u32, sums: &Sums, words: Language) -> Result<Table, Overflow> {
    let names = crate::words::Names { books, words };
    let mut table = overview_table(
        words.of("Steuerpflichtige", "Taxpayers"),
        words.of("Nach Steuerpflichtigen", "By taxpayer"),
        words.of("Steuerpflichtiger", "Taxpayer"),
        words,
    );
    for (taxpayer, part) in books.by(|key| key.day == day, |key| key.taxpayer)? {
        let name = Cell::text(names.taxpayer(taxpayer));
        table.rows.push(Row::of(overview(name, &part)?));
    }
    let total = Cell::text(words.of("Summe", "Total"));
    table.rows.push(Row::total(overview(total, sums)?));
    Ok(table)
}

fn by_till(books: &Books, day: u32, sums: &Sums, words: Language) -> Result<Table, Overflow> {
    let names = crate::words::Names { books, words };
    let mut table = overview_table(
        words.of("Kassen", "Tills"),
        words.of("Nach Kassen", "By till"),
        words.of("Kasse", "Till"),
        words,
    );
    for (till, part) in books.by(|key| key.day == day, |key| key.till)? {
        let name = Cell::text(names.till(till));
        table.rows.push(Row::of(overview(name, &part)?));
    }
    let total = Cell::text(words.of("Summe", "Total"));
    table.rows.push(Row::total(overview(total, sums)?));
    Ok(table)
}

fn by_stand(books: &Books, wanted: impl Fn(&Key) -> bool, words: Language) -> Result<Table, Overflow> {
    let names = crate::words::Names { books, words };
    let mut table = Table::new(
        words.of("Orte", "Locations"),
        words.of("Nach Orten", "By location"),
        &[
            (words.of("Ort", "Location"), Kind::Text),
            (words.of("Verkäufe", "Sales"), Kind::Number),
            (words.of("Stornos", "Cancelled"), Kind::Number),
            (words.of("Waren EUR", "Goods EUR"), Kind::Number),
            (words.of("Pfand EUR", "Deposits EUR"), Kind::Number),
            (words.of("Aufladungen EUR", "Top-ups EUR"), Kind::Number),
            (words.of("Auszahlungen EUR", "Pay-outs EUR"), Kind::Number),
        ],
    );
    let by: std::collections::BTreeMap<Option<StandId>, Sums> = books.by(wanted, |key| books.stand(key.till))?;
    let mut total = Sums::default();
    let row = |first: Cell, sums: &Sums| {
        let goods = sums.gross(|key| key.is_turnover() && !key.is_deposit())?;
        Ok::<_, Overflow>([
            first,
            Cell::count(sums.kind(OrderKind::Sale).count),
            Cell::count(sums.kind(OrderKind::Cancel).count),
            Cell::Money(goods),
            Cell::Money(sums.gross(CaseKey::is_deposit)?),
            Cell::Money(sums.kind(OrderKind::TopUp).sum),
            Cell::Money(sums.kind(OrderKind::PayOut).sum),
        ])
    };
    for (stand, sums) in &by {
        total.add(sums)?;
        table.rows.push(Row::of(row(Cell::text(names.stand(*stand)), sums)?));
    }
    let name = Cell::text(words.of("Summe", "Total"));
    table.rows.push(Row::total(row(name, &total)?));
    Ok(table.noted(words.of(
        "Stornierte Aufladungen und Auszahlungen stehen bei den Stornos.",
        "Cancelled top-ups and pay-outs are among what was cancelled.",
    )))
}

/// Locations over the days that were loaded, and each day by location.
pub fn stands_report(books: &Books, words: Language) -> Result<Document, Overflow> {
    let head = Head::new(books, words);
    let sums = books.sum(|_| true)?;
    let mut document = head.document(
        "locations".to_owned(),
        words.of("Bericht nach Orten", "Report by location"),
        words.name(&books.config.event.name).to_owned(),
        &sums,
        Final::Open,
    );
    document.tables.push(by_stand(books, |_| true, words)?);
    let days: std::collections::BTreeSet<u32> = books.groups.keys().map(|key| key.day).collect();
    for day in days.into_iter().rev() {
        let table = by_stand(books, |key| key.day == day, words)?;
        document.tables.push(Table {
            name: day.to_string(),
            title: head.clock.day(day),
            note: None,
            ..table
        });
    }
    document.tables.extend(head.missing());
    Ok(document)
}
