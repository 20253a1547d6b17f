//! Reports of a till: Z of a closing, X of what is in none, and a shift.

use shared_protocol::{Overflow, SessionId, TaxpayerId, TillId};
use store::ClosingRow;
use wording::Language;
use wording::format::count;

use crate::books::Books;
use crate::document::Document;
use crate::head::{Final, Head};
use crate::load::client;
use crate::sums::Sums;
use crate::tables::Tables;

/// The tables of a till.
pub(crate) fn all(tables: &Tables<'_>, sums: &Sums, document: &mut Document) -> Result<(), Overflow> {
    document.tables.extend([
        tables.vat(sums)?,
        tables.cases(sums)?,
        tables.payments(sums)?,
        tables.tenders(sums),
    ]);
    document.tables.extend(tables.deposits(sums)?);
    document.tables.extend(
        [Some(tables.drawer(sums)?), tables.currencies(sums)?]
            .into_iter()
            .flatten(),
    );
    document.tables.extend([tables.counts(sums), tables.came_off(sums)]);
    document.tables.extend(tables.outages(sums));
    document.tables.extend(tables.tses(sums));
    Ok(())
}

/// The Z report of a closing. What it counts never changes; how its receipts came off may, when what was made in an outage is signed late.
pub fn z_report(books: &Books, row: &ClosingRow, words: Language) -> Result<Document, Overflow> {
    let sums = books.sum(|key| key.closing == Some(row.id))?;
    let head = Head::new(books, words);
    let names = head.names();
    let title = if row.supplement {
        words.of("Z-Bericht (Nachtrag)", "Z report (supplement)")
    } else {
        words.of("Z-Bericht", "Z report")
    };
    let till = names.till(row.till);
    let subtitle = format!("{till}, Z {}, {}", row.z_no, head.clock.day(row.day));
    let file = format!("z-{}-{}-{}-{}", row.day, row.till, row.taxpayer, row.z_no);
    let mut document = head.document(file, title, subtitle, &sums, Final::Closing);
    let fact = |name: &str, value: String| (name.to_owned(), value);
    document.facts.extend([
        fact(words.of("Kasse", "Till"), till),
        fact(words.of("Ort", "Location"), names.stand(books.stand(row.till))),
        fact(
            words.of("Kassen-Seriennummer", "Till serial number"),
            row.client.clone(),
        ),
    ]);
    document.facts.extend(head.taxpayer(row.taxpayer));
    let last = (row.first_receipt + row.receipts).saturating_sub(1);
    document.facts.extend([
        fact("Z_NR", count(row.z_no, words)),
        fact(words.of("Veranstaltungstag", "Event day"), head.clock.day(row.day)),
        fact(
            words.of("Abgeschlossen am", "Closed at"),
            head.clock.full(row.made_at_ms),
        ),
        fact(
            words.of("Belege (BON_NR)", "Receipts (BON_NR)"),
            format!(
                "{}: {} – {}",
                count(row.receipts, words),
                count(row.first_receipt, words),
                count(last, words)
            ),
        ),
        fact(
            words.of("Nachtrag", "Supplement"),
            if row.supplement {
                words.of(
                    "ja: kam nach dem Abschluss des Tages an",
                    "yes: arrived after the day was closed",
                )
            } else {
                words.of("nein", "no")
            }
            .to_owned(),
        ),
    ]);
    let tables = Tables { books, words };
    all(&tables, &sums, &mut document)?;
    document.remarks.push(
        words
            .of(
                "Die Summen sind die des Kassenabschlusses (DSFinV-K: businesscases.csv, payment.csv). Dieser Abschluss ändert sich nicht mehr; was später ankommt, steht in einem Nachtrag.",
                "The sums are those of the closing (DSFinV-K: businesscases.csv, payment.csv). This closing never changes; what arrives later is in a supplement.",
            )
            .to_owned(),
    );
    Ok(document)
}

/// Which till an X report is of, and for whom it sells there.
pub type Of = (TillId, Option<TaxpayerId>);

/// The X report of a till: what is in no closing yet. It takes nothing and closes nothing.
pub fn x_report(books: &Books, (till, taxpayer): Of, words: Language) -> Result<Document, Overflow> {
    let wanted = |key: &crate::Key| {
        key.closing.is_none() && key.till == till && taxpayer.is_none_or(|taxpayer| key.taxpayer == taxpayer)
    };
    let sums = books.sum(wanted)?;
    let title = words.of("X-Bericht (Zwischenstand)", "X report (so far)");
    let mut document = of_till(books, till, words, title, &sums, format!("x-{till}"))?;
    if let Some(taxpayer) = taxpayer {
        document.facts.extend(Head::new(books, words).taxpayer(taxpayer));
    }
    document.remarks.push(
        words
            .of(
                "Ein X-Bericht liest nur: er entnimmt nichts, schließt nichts ab und hat keine Nummer. Gezeigt ist, was in keinem Abschluss steht.",
                "An X report only reads: it takes nothing, closes nothing and has no number. It shows what is in no closing.",
            )
            .to_owned(),
    );
    Ok(document)
}

/// The report of a shift at a till: of everything that one person sold in it, closed or not.
pub fn shift_report(
    books: &Books,
    till: TillId,
    session: SessionId,
    words: Language,
) -> Result<Option<Document>, Overflow> {
    let wanted = |key: &crate::Key| key.till == till && key.shift.is_some_and(|(_, of_session)| of_session == session);
    let Some((staff, _)) = books.groups.keys().find(|key| wanted(key)).and_then(|key| key.shift) else {
        return Ok(None);
    };
    let sums = books.sum(wanted)?;
    let title = words.of("Schichtbericht", "Shift report");
    let mut document = of_till(books, till, words, title, &sums, format!("shift-{till}-{session}"))?;
    let names = crate::words::Names { books, words };
    document
        .facts
        .push((words.of("Person", "Person").to_owned(), names.staff(staff)));
    document.remarks.push(
        words
            .of(
                "Ein Schichtbericht liest nur: er schließt nichts ab. Was die Lade haben sollte, steht beim Zählen fest.",
                "A shift report only reads: it closes nothing. What the drawer should have is settled when it is counted.",
            )
            .to_owned(),
    );
    Ok(Some(document))
}

fn of_till(
    books: &Books,
    till: TillId,
    words: Language,
    title: &str,
    sums: &Sums,
    file: String,
) -> Result<Document, Overflow> {
    let head = Head::new(books, words);
    let names = head.names();
    let subtitle = format!("{}, {}", names.till(till), head.clock.full(books.as_of_ms));
    let mut document = head.document(file, title, subtitle, sums, Final::Open);
    let fact = |name: &str, value: String| (name.to_owned(), value);
    document.facts.extend([
        fact(words.of("Kasse", "Till"), names.till(till)),
        fact(words.of("Ort", "Location"), names.stand(books.stand(till))),
        fact(
            words.of("Kassen-Seriennummer", "Till serial number"),
            client(books.config.event.id, till),
        ),
    ]);
    if let Some((from_ms, to_ms)) = sums.span {
        let span = format!("{} – {}", head.clock.full(from_ms), head.clock.full(to_ms));
        document.facts.push(fact(
            words.of("Erster und letzter Beleg", "First and last receipt"),
            span,
        ));
    }
    let tables = Tables { books, words };
    all(&tables, sums, &mut document)?;
    document.tables.extend(head.missing());
    Ok(document)
}
