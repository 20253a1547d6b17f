//! Lists and sums of orders: what any filter gives is what a look at every order gives.

use shared_protocol::order::OrderKind;
use shared_protocol::{StaffId, TillId};

use super::signing::tse;
use super::{Book, Item, Random};
use crate::office::{CLOSED_AT_MS_MAX, HOUR_MS};
use crate::{
    Commit, HourKey, HourRow, OrderFilter, OrderRow, OrderState, OutageRow, Reader, Signing, SigningRow, SigningState,
    Store, TseNo,
};

const ORDERS: u64 = 240;

/// Orders of several cashiers over some hours, a few of them late, cancellations among them. All are booked.
fn festival(store: &mut impl Store) {
    let (book, mut random) = (Book::new(), Random::new(11));
    book.open(store).unwrap();
    let mut items: Vec<Item> = Vec::new();
    for number in 1..=ORDERS {
        let (till, guest) = (random.below(3), random.below(9));
        let mut item = match (random.below(8), items.last()) {
            (0, Some(before)) if before.order.kind == OrderKind::TopUp => book.cancel(till, number, before),
            (1, _) => book.grant(till, number, guest, 1),
            (2, _) => book.swap(till, number, guest),
            _ => book.top_up(till, number, guest, i64::from(random.below(90_00)) + 1),
        };
        let late_ms = if random.below(12) == 0 { 3 * HOUR_MS } else { 0 };
        item.order.closed_at_ms = item.order.closed_at_ms + number * HOUR_MS / 40 - late_ms;
        item.order.cashier = StaffId(random.below(4) + 1);
        items.push(item);
    }
    for batch in items.chunks(16) {
        book.book(store, batch).unwrap();
        store.project(10).unwrap();
    }
    while store.project(100).unwrap().0 < ORDERS {}
}

fn all(reader: &mut dyn Reader) -> Vec<OrderRow> {
    reader
        .orders(Book::EVENT, &OrderFilter::default(), None, u64::MAX)
        .unwrap()
}

/// Some value of some order for each part of a filter, or none.
fn filter(random: &mut Random, rows: &[OrderRow]) -> OrderFilter {
    let mut filter = OrderFilter::default();
    let mut some = |one_in: u32| {
        let index = usize::try_from(random.below(240)).unwrap();
        (random.below(one_in) == 0).then(|| rows[index].clone())
    };
    filter.till = some(4).map(|row| row.till);
    filter.kind = some(4).map(|row| row.kind);
    filter.cashier = some(4).map(|row| row.cashier);
    filter.holder = some(6).and_then(|row| row.holder);
    filter.day = some(4).and_then(|row| row.day);
    filter.stand_tills = some(4).map(|row| vec![row.till, TillId(1), TillId(77)]);
    filter.from_ms = some(3).map(|row| row.closed_at_ms);
    filter.to_ms = some(3).map(|row| row.closed_at_ms);
    if some(3).is_some() {
        // Whole hours are added up in another way than parts of them.
        filter.from_ms = filter.from_ms.map(|ms| ms - ms % HOUR_MS);
        filter.to_ms = filter.to_ms.map(|ms| ms - ms % HOUR_MS);
    }
    let states = OrderState::ALL.iter().copied().map(Some).chain([None; 4]);
    filter.state = states.cycle().nth(usize::try_from(random.below(8)).unwrap()).flatten();
    filter
}

fn assert_filters(reader: &mut dyn Reader, seed: u64) {
    let rows = all(reader);
    let signed_to = reader.signed_to().unwrap();
    let mut random = Random::new(seed);
    let mut found = 0;
    for _ in 0..400 {
        let filter = filter(&mut random, &rows);
        let before_no = (random.below(2) == 0).then(|| u64::from(random.below(260)));
        let rows_max = u64::from(random.below(20));
        let fitting: Vec<_> = rows.iter().filter(|row| filter.fits(row, signed_to)).cloned().collect();
        let page: Vec<_> = fitting
            .iter()
            .filter(|row| before_no.is_none_or(|before| row.no < before))
            .take(usize::try_from(rows_max).unwrap())
            .cloned()
            .collect();
        found += page.len();
        assert_eq!(
            reader.orders(Book::EVENT, &filter, before_no, rows_max).unwrap(),
            page,
            "{filter:?} before {before_no:?}, {rows_max}"
        );
        let sums = (fitting.len() as u64, fitting.iter().map(|row| row.total).sum());
        assert_eq!(reader.order_sums(Book::EVENT, &filter).unwrap(), sums, "{filter:?}");
    }
    assert!(found > 400, "filters let something through: {found}");
}

pub(super) fn filters(store: &mut impl Store) {
    festival(store);
    let mut reader = store.reader().unwrap();
    let rows = all(&mut *reader);
    assert!(rows.len() as u64 == ORDERS && rows.is_sorted_by(|one, next| one.no > next.no));
    let of_other = reader.orders(Book::OTHER_EVENT, &OrderFilter::default(), None, 9);
    assert_eq!(of_other.unwrap(), []);
    assert_filters(&mut *reader, 1);

    let mut keys: Vec<_> = rows
        .iter()
        .map(|row| {
            let key = HourKey {
                event: Book::EVENT,
                hour_ms: row.closed_at_ms - row.closed_at_ms % HOUR_MS,
                till: row.till,
                kind: row.kind,
                cashier: row.cashier,
                day: row.day,
            };
            (key, 1, row.total)
        })
        .collect();
    keys.sort();
    let hours = HourRow::collect(keys);
    assert!(hours.len() > 10);
    assert_eq!(reader.hours(Book::EVENT, 0, u64::MAX).unwrap(), hours);
    let (from_ms, to_ms) = (hours[1].hour_ms + 1, hours[hours.len() - 1].hour_ms);
    let between: Vec<_> = hours
        .into_iter()
        .filter(|row| (from_ms..to_ms).contains(&row.hour_ms))
        .collect();
    assert_eq!(reader.hours(Book::EVENT, from_ms, to_ms).unwrap(), between);
    assert_eq!(reader.hours(Book::OTHER_EVENT, 0, u64::MAX).unwrap(), []);
}

/// Of the orders up to one, every seventh was made in an outage, and of those every second is signed late.
pub(super) fn signing(store: &mut impl Store) {
    festival(store);
    let mut reader = store.reader().unwrap();
    let told: Vec<_> = all(&mut *reader)
        .into_iter()
        .rev()
        .filter(|row| !row.kind.is_of_band())
        .collect();
    let waiting = |from_no| {
        let mut rest = told.iter().filter(|row| row.no >= from_no);
        let first = rest.next()?;
        Some((1 + rest.count() as u64, first.closed_at_ms))
    };
    assert!(
        (200..ORDERS).contains(&(told.len() as u64)),
        "a few are no business of a TSE"
    );
    assert_eq!(reader.first_waiting().unwrap(), waiting(1));
    assert_filters(&mut *reader, 2);
    let order = |no: u64| {
        let state = match no % 14 {
            0 => SigningState::SignedLate,
            7 => SigningState::InOutage,
            _ => SigningState::Signed,
        };
        SigningRow {
            no,
            state,
            tse: TseNo(1),
            transaction: (state != SigningState::InOutage).then_some(no),
            outage: (state != SigningState::Signed).then_some(1),
            doubt: None,
        }
    };
    let outage = OutageRow {
        id: 1,
        tse: Some(TseNo(1)),
        client: None,
        from_ms: 5,
        until_ms: None,
        reason: "no answer".to_owned(),
    };
    let mut sign = |upto| {
        let signing = Signing {
            tses: vec![tse()],
            outages: vec![outage.clone()],
            orders: told
                .iter()
                .map(|row| row.no)
                .filter(|no| *no <= upto)
                .map(order)
                .collect(),
            done_to: Some(upto),
            ..Signing::default()
        };
        let commit = Commit {
            signing,
            ..Commit::default()
        };
        store.commit(&commit).unwrap();
    };
    sign(200);
    let rows = all(&mut *reader);
    assert!(
        rows.iter()
            .all(|row| row.signing == (row.no <= 200 && !row.kind.is_of_band()).then(|| order(row.no).state))
    );
    assert_eq!(reader.first_waiting().unwrap(), waiting(201));
    assert_filters(&mut *reader, 3);
    sign(ORDERS);
    assert_eq!(reader.first_waiting().unwrap(), None);
}

pub(super) fn absurd_clocks(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let mut items = [
        book.top_up(0, 1, 1, 1_00),
        book.top_up(0, 2, 1, 2_00),
        book.top_up(0, 3, 1, 4_00),
    ];
    for (item, closed_at_ms) in items.iter_mut().zip([u64::MAX, 0, CLOSED_AT_MS_MAX]) {
        item.order.closed_at_ms = closed_at_ms;
    }
    book.book(store, &items).unwrap();
    store.project(9).unwrap();
    let mut reader = store.reader().unwrap();
    let mut between = |from_ms, to_ms| {
        let filter = OrderFilter {
            from_ms,
            to_ms,
            ..OrderFilter::default()
        };
        let rows = reader.orders(Book::EVENT, &filter, None, 9).unwrap();
        let sums = reader.order_sums(Book::EVENT, &filter).unwrap();
        assert_eq!(rows.len() as u64, sums.0);
        sums
    };
    assert_eq!(between(None, None), (3, 7_00));
    assert_eq!(between(Some(1), None), (2, 5_00));
    assert_eq!(between(Some(1), Some(u64::MAX)), (2, 5_00));
    assert_eq!(between(None, Some(1)), (1, 2_00));
    assert_eq!(between(None, Some(CLOSED_AT_MS_MAX)), (1, 2_00));
    assert_eq!(between(Some(5), Some(5)), (0, 0));
    assert_eq!(between(None, Some(0)), (0, 0));
}
