//! A database as an older program left it, made of the released steps.

use rusqlite::Connection;
use store::conformance::{self, Book};
use store::{CaseFilter, HourRow, OrderFilter, OrderState, SigningState, Store as _, Totals, TseNo};

use crate::schema::{APPLICATION_ID, STEPS};
use crate::{Options, SqliteStore};

const BOOKS: [&str; 8] = [
    "fact", "terminal", "slot", "chain", "journal", "balance", "lot", "cases",
];

/// Format 3 with the books of `source`, whose first row was projected as that program did it.
fn write_format_3(path: &std::path::Path, source: &std::path::Path) {
    let old = Connection::open(path).unwrap();
    for step in STEPS.iter().take(3) {
        old.execute_batch(step).unwrap();
    }
    old.execute("ATTACH ?1 AS source", [source.to_str().unwrap()]).unwrap();
    for table in BOOKS {
        let copy = format!("INSERT INTO main.{table} SELECT * FROM source.{table}");
        old.execute_batch(&copy).unwrap();
    }
    old.execute_batch(
        "INSERT INTO turnover VALUES (zeroblob(16), 1, 1, 1, zeroblob(16));
         INSERT INTO account_sum VALUES (zeroblob(16), x'00', 0, zeroblob(16));
         INSERT INTO booked_order VALUES (1, zeroblob(16), NULL, 1, 1, 1, 1, NULL, -1);
         INSERT INTO order_line VALUES (1, 1, 1, 1, 1, 1, 1, 1);
         INSERT INTO tse VALUES (1, zeroblob(32), 'TSE', x'04', 'ecdsa', 0, 1);
         INSERT INTO tse_transaction VALUES (1, 1, 'till', zeroblob(16), 70, 1, x'01', 90, 4, 'Kassenbeleg-V1', 'Beleg', x'02'),
             (1, 2, 'till', zeroblob(16), 80, 3, x'03', NULL, NULL, NULL, NULL, NULL);
         INSERT INTO outage VALUES (1, 1, NULL, 5, 9, 'no answer');
         INSERT INTO signing VALUES (1, 1, 1, 1, NULL), (2, 3, 1, NULL, 1);
         UPDATE cursor SET no = 1, hash = (SELECT hash FROM journal WHERE no = 1);",
    )
    .unwrap();
    old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    old.pragma_update(None, "user_version", 3).unwrap();
}

fn sums(store: &SqliteStore) -> (Totals, Vec<HourRow>) {
    let mut reader = store.reader().unwrap();
    let hours = reader.hours(Book::EVENT, 0, u64::MAX).unwrap();
    (reader.totals(Book::EVENT).unwrap(), hours)
}

#[test]
fn a_database_of_format_3_is_projected_anew_and_its_cases_are_open() {
    let directory = tempfile::tempdir().unwrap();
    let (source, path) = (directory.path().join("source.db"), directory.path().join("x.db"));
    let book = Book::new();
    let mut store = SqliteStore::open(&source, &Options::default()).unwrap();
    book.open(&mut store).unwrap();
    let sale = book.sale(1, 2, 1, 4_50);
    let orders = [
        book.top_up(0, 1, 1, 20_00),
        sale,
        book.sale(1, 3, 2, 4_50),
        book.sale(1, 4, 3, 9_00),
    ];
    book.book(&mut store, &orders).unwrap();
    store.project(100).unwrap();
    let open = store.reader().unwrap().open_cases().unwrap();
    assert_eq!(open, (2, 13_50), "two guests had nothing");
    let before = sums(&store);
    drop(store);

    write_format_3(&path, &source);
    let mut store = SqliteStore::open(&path, &Options::default()).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.open_cases().unwrap(), open);
    assert_eq!(reader.case_list(&CaseFilter::default(), None, 9).unwrap().len(), 2);
    assert_eq!(
        reader.order_sums(Book::EVENT, &OrderFilter::default()).unwrap(),
        (0, 0),
        "nothing of the old sums is left"
    );
    assert_eq!(store.project(1).unwrap(), (1, 4));
    assert_eq!(store.project(100).unwrap(), (4, 4));
    assert_eq!(sums(&store), before);
    let counts = [(SigningState::Signed, 1), (SigningState::InOutage, 1)];
    assert_eq!(reader.signing_counts().unwrap(), counts.into());
    assert_eq!(reader.tse_counters(TseNo(1)).unwrap(), (2, 4, 90));
    let marked = OrderFilter {
        state: Some(OrderState::InOutage),
        ..OrderFilter::default()
    };
    assert_eq!(reader.order_sums(Book::EVENT, &marked).unwrap(), (1, 4_50));
    conformance::audit(&mut *reader, &[Book::EVENT]);
}
