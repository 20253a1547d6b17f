//! Sums behind the cursor, and the audit that every engine's contents must pass.

use std::collections::{BTreeMap, BTreeSet};

use ledger::journal;
use shared_protocol::EventId;
use shared_protocol::crypto::Hash32;
use shared_protocol::order::OrderKind;

use super::{Book, random};
use crate::projection::Projection;
use crate::{OrderFilter, Reader, Store, Totals};

/// Holds all that a reader sees against a replay of the journal: the chain, every balance and lot, the sums as far as they are
/// projected. `events` are those that have accounts.
pub fn audit(reader: &mut dyn Reader, events: &[EventId]) {
    let rows = reader.journal(1, u64::MAX).unwrap();
    let records = rows.iter().map(|row| (&row.record, row.hash));
    assert_eq!(journal::verify(records, Hash32::ZERO, 0), Ok(reader.head().unwrap()));
    let mut replay = ledger::Replay::default();
    for row in &rows {
        replay.add(&row.record).unwrap();
    }
    let (mut accounts, mut lots) = (BTreeMap::new(), BTreeMap::new());
    for event in events {
        let view = reader.balances(*event).unwrap();
        accounts.extend(view.accounts.into_iter().map(|(key, balance)| (key, balance.balance)));
        lots.extend(view.lots);
        let mut totals = reader.totals(*event).unwrap();
        totals.accounts.retain(|_, sum| *sum != 0);
        let projected = rows.iter().take_while(|row| row.record.no <= totals.projected_no);
        assert_eq!(
            totals,
            expected(projected, *event, totals.projected_no, rows.len() as u64)
        );
        let counts = totals.orders.values();
        let booked = counts.fold((0, 0), |all, kind| (all.0 + kind.0, all.1 + kind.1));
        let hours = reader.hours(*event, 0, u64::MAX).unwrap();
        let of_hours = hours
            .iter()
            .fold((0, 0), |all, hour| (all.0 + hour.orders, all.1 + hour.total));
        let listed = reader.orders(*event, &OrderFilter::default(), None, u64::MAX).unwrap();
        let of_list = listed.iter().fold((0, 0), |all, row| (all.0 + 1, all.1 + row.total));
        assert_eq!(
            (of_hours, of_list),
            (booked, booked),
            "every order is in its hour and in the list"
        );
    }
    assert_eq!(replay.totals().compare(&accounts, |key| key.account.is_bounded()), []);
    assert_eq!(replay.totals().compare_lots(&lots), []);
    let places: BTreeSet<_> = rows
        .iter()
        .filter_map(|row| row.entry.as_ref())
        .map(|entry| (entry.chain, entry.seq))
        .collect();
    for terminal in reader.terminals().unwrap() {
        for chain in reader.chains(terminal.no).unwrap() {
            let stored = places
                .range((chain.key, 0)..=(chain.key, u64::MAX))
                .map(|(_, seq)| *seq);
            assert!(
                stored.eq(chain.first_seq..=chain.last_seq),
                "the journal of {:?} has a gap",
                chain.key
            );
        }
    }
}

fn expected<'a>(
    rows: impl Iterator<Item = &'a crate::JournalRow>,
    event: EventId,
    projected_no: u64,
    last_no: u64,
) -> Totals {
    let mut projection = Projection::default();
    for row in rows {
        projection.add(&row.record, row.entry.as_ref()).unwrap();
    }
    let turnovers = projection.turnovers.into_iter().filter(|((of, ..), _)| *of == event);
    let balances = projection.totals.balances.into_iter();
    Totals {
        projected_no,
        last_no,
        accounts: balances.filter(|(key, sum)| key.event == event && *sum != 0).collect(),
        ..Totals::of_turnovers(turnovers.map(|((_, till, kind), sum)| (till, kind, (sum.orders, sum.total))))
    }
}

pub(super) fn steps(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let sale = book.sale(1, 3, 1, 4_50);
    let batch = [
        book.top_up(0, 1, 1, 20_00),
        book.top_up(0, 2, 2, 5_00),
        sale.clone(),
        sale,
    ];
    book.book(store, &batch).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(
        reader.totals(Book::EVENT).unwrap(),
        Totals {
            last_no: 4,
            ..Totals::default()
        }
    );
    assert_eq!(store.project(3).unwrap(), (3, 4));
    let (top_up, sold) = (OrderKind::TopUp.code(), OrderKind::Sale.code());
    let totals = reader.totals(Book::EVENT).unwrap();
    assert_eq!((totals.projected_no, totals.last_no), (3, 4));
    assert_eq!(totals.orders, [(top_up, (2, 25_00)), (sold, (1, 4_50))].into());
    assert_eq!(totals.tills, [(1, (2, 25_00)), (2, (1, 4_50))].into());
    assert_eq!(store.project(100).unwrap(), (4, 4));
    let at_rest = reader.totals(Book::EVENT).unwrap();
    assert_eq!(
        (at_rest.orders, at_rest.accounts),
        (totals.orders, totals.accounts),
        "the fourth row is a repetition"
    );
    assert_eq!(store.project(100).unwrap(), (4, 4));
    assert_eq!(
        reader.totals(Book::OTHER_EVENT).unwrap(),
        Totals {
            projected_no: 4,
            last_no: 4,
            ..Totals::default()
        }
    );
    audit(&mut *reader, &[Book::EVENT]);
}

pub(super) fn replay(store: &mut impl Store) {
    random::book(store, 3, 30);
    let mut reader = store.reader().unwrap();
    audit(&mut *reader, &[Book::EVENT]);
    while { store.project(7).unwrap().0 } < reader.head().unwrap().0 {
        audit(&mut *reader, &[Book::EVENT]);
    }
    audit(&mut *reader, &[Book::EVENT]);
    let sums = reader.totals(Book::EVENT).unwrap().accounts;
    assert!(
        sums.len() > 10 && sums.values().sum::<i128>() == 0,
        "each asset adds up to zero"
    );
}
