//! What was signed comes back, and what was signed stays.

use shared_protocol::{CartId, TaxpayerId, TillId};

use super::Book;
use crate::{
    ClientRow, ClosedItem, Closing, ClosingEnd, ClosingRow, Commit, OutageRow, Signing, SigningRow, SigningState,
    Store, StoreError, TransactionEnd, TransactionRow, TseNo, TseRow,
};

const TSE: TseNo = TseNo(1);

fn commit(store: &mut impl Store, signing: Signing) -> Result<(), StoreError> {
    store.commit(&Commit {
        signing,
        ..Commit::default()
    })
}

pub(super) fn tse() -> TseRow {
    TseRow {
        no: TSE,
        serial: [7; 32],
        name: "Software TSE (not certified)".to_owned(),
        link: "software".to_owned(),
        public_key: vec![4; 97],
        algorithm: "ecdsa-plain-SHA384".to_owned(),
        time_format: "unixTime".to_owned(),
        certificates: vec![vec![3; 200], vec![5; 100]],
        valid_until_ms: Some(1_900_000_000_000),
        certified: false,
        taxpayer: TaxpayerId(1),
        clients_max: 100,
        signature_ms: 250,
    }
}

fn client(from_ms: u64, until_ms: Option<u64>) -> ClientRow {
    ClientRow {
        tse: TSE,
        client: "TILL-1".to_owned(),
        taxpayer: TaxpayerId(1),
        from_ms,
        until_ms,
    }
}

fn transaction(number: u64, ended: bool) -> TransactionRow {
    TransactionRow {
        tse: TSE,
        transaction: number,
        client: "TILL-1".to_owned(),
        cart: CartId([9; 16]),
        started_s: 1_800_000_000,
        start_counter: 2 * number,
        start_signature: vec![1; 96],
        end: ended.then(|| TransactionEnd {
            time_s: 1_700_000_000,
            counter: 2 * number + 1,
            process_type: "Kassenbeleg-V1".to_owned(),
            process_data: "Beleg^0.00_0.00_0.00_0.00_0.00^".to_owned(),
            signature: vec![2; 96],
        }),
    }
}

fn order(no: u64, state: SigningState, transaction: Option<u64>, outage: Option<u64>) -> SigningRow {
    SigningRow {
        no,
        state,
        tse: TSE,
        transaction,
        outage,
        doubt: None,
    }
}

fn outage(until_ms: Option<u64>) -> OutageRow {
    OutageRow {
        id: 1,
        tse: Some(TSE),
        client: None,
        from_ms: 5,
        until_ms,
        reason: "the TSE does not answer".to_owned(),
    }
}

/// Three orders in the journal.
fn with_orders(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    book.book(
        store,
        &[
            book.top_up(0, 1, 1, 20_00),
            book.sale(0, 2, 1, 4_50),
            book.sale(0, 3, 1, 4_50),
        ],
    )
    .unwrap();
}

pub(super) fn comes_back(store: &mut impl Store) {
    with_orders(store);
    let mut reader = store.reader().unwrap();
    assert_eq!((reader.signed_to().unwrap(), reader.signing(1).unwrap()), (0, None));
    let first = Signing {
        tses: vec![tse()],
        transactions: vec![transaction(1, false), transaction(2, true)],
        orders: vec![
            order(1, SigningState::Signed, Some(2), None),
            SigningRow {
                doubt: Some(1),
                ..order(2, SigningState::InOutage, None, Some(1))
            },
        ],
        outages: vec![outage(None)],
        clients: vec![client(5, None)],
        done_to: Some(2),
        ..Signing::default()
    };
    commit(store, first.clone()).unwrap();
    assert_eq!(reader.clients().unwrap(), first.clients);
    assert_eq!(reader.tses().unwrap(), first.tses);
    assert_eq!(reader.open_transactions().unwrap(), [transaction(1, false)]);
    assert_eq!(reader.transaction(TSE, 2).unwrap(), Some(transaction(2, true)));
    assert_eq!(reader.transaction(TSE, 3).unwrap(), None);
    assert_eq!(reader.transactions(TSE, 0, 10).unwrap(), first.transactions);
    assert_eq!(reader.transactions(TSE, 0, 1).unwrap(), first.transactions[..1]);
    assert_eq!(reader.transactions(TSE, 2, 10).unwrap(), first.transactions[1..]);
    assert_eq!(reader.transactions(TSE, 3, 10).unwrap(), []);
    assert_eq!(reader.transactions(TseNo(9), 0, 10).unwrap(), []);
    assert_eq!(reader.tse_counters(TseNo(9)).unwrap(), (0, 0, 0));
    let posting = reader.journal(2, 1).unwrap()[0].record.posting.as_ref().unwrap().id;
    assert_eq!(reader.posting_no(posting).unwrap(), Some(2));
    assert_eq!(reader.signed_to().unwrap(), 2);
    assert_eq!(reader.signing(1).unwrap(), Some(first.orders[0].clone()));
    assert_eq!(reader.signings_between(1, 2).unwrap(), first.orders);
    assert_eq!(reader.signings_between(2, u64::MAX).unwrap(), first.orders[1..]);
    assert_eq!(reader.signings_between(3, 9).unwrap(), []);
    assert_eq!(reader.unsigned(0, 10).unwrap(), first.orders[1..]);
    assert_eq!(reader.unsigned(3, 10).unwrap(), []);
    assert_eq!(reader.doubts().unwrap(), first.orders[1..]);
    assert_eq!(reader.outages(0, 10).unwrap(), first.outages);
    // The outage ends, the marked order is signed after all, the open transaction ends.
    commit(
        store,
        Signing {
            transactions: vec![transaction(1, true)],
            orders: vec![order(2, SigningState::SignedLate, Some(1), Some(1))],
            outages: vec![outage(Some(9))],
            tses: vec![TseRow {
                certificates: vec![vec![6; 100]],
                ..tse()
            }],
            clients: vec![client(5, Some(9)), client(9, None)],
            done_to: Some(1),
            ..Signing::default()
        },
    )
    .unwrap();
    assert_eq!(reader.signed_to().unwrap(), 2, "it never goes back");
    assert_eq!(reader.tses().unwrap()[0].certificates, [vec![6; 100]]);
    assert_eq!(reader.clients().unwrap(), [client(9, None)]);
    assert_eq!(
        reader.client_history("TILL-1").unwrap(),
        [client(5, Some(9)), client(9, None)]
    );
    assert_eq!(reader.client_history("TILL-2").unwrap(), []);
    assert_eq!(reader.open_transactions().unwrap(), []);
    assert_eq!(reader.unsigned(0, 10).unwrap(), []);
    assert_eq!(reader.doubts().unwrap(), []);
    assert_eq!(reader.outages(0, 10).unwrap(), [outage(Some(9))]);
    assert_eq!(reader.tse_counters(TSE).unwrap(), (2, 5, 1_800_000_000));
    let counts = [(SigningState::Signed, 1), (SigningState::SignedLate, 1)];
    assert_eq!(reader.signing_counts().unwrap(), counts.into());
}

pub(super) fn stays(store: &mut impl Store) {
    with_orders(store);
    let start = Signing {
        tses: vec![tse()],
        transactions: vec![transaction(1, true)],
        orders: vec![order(1, SigningState::Signed, Some(1), None)],
        outages: vec![outage(None)],
        ..Signing::default()
    };
    commit(store, start.clone()).unwrap();
    commit(store, start).expect("the same again changes nothing");
    let mut changed = transaction(1, true);
    if let Some(end) = &mut changed.end {
        end.process_data.push('x');
    }
    let signing = |transactions, orders| Signing {
        transactions,
        orders,
        ..Signing::default()
    };
    for refused in [
        signing(vec![changed], vec![]),
        signing(vec![transaction(1, false)], vec![]),
        signing(vec![], vec![order(1, SigningState::InOutage, None, Some(1))]),
        signing(vec![], vec![order(1, SigningState::SignedLate, Some(1), Some(1))]),
        signing(vec![], vec![order(2, SigningState::Signed, None, None)]),
        signing(vec![], vec![order(2, SigningState::InOutage, None, None)]),
        signing(vec![], vec![order(99, SigningState::Signed, Some(1), None)]),
    ] {
        let before = super::dump(store);
        assert!(
            matches!(commit(store, refused.clone()), Err(StoreError::Invalid(_))),
            "{refused:?} is refused"
        );
        assert_eq!(super::dump(store), before, "and nothing of it is written");
    }
}

fn closing(id: u64, z_no: u64, first_receipt: u64, items: Vec<ClosedItem>) -> Closing {
    Closing {
        row: ClosingRow {
            id,
            client: "TILL-1".to_owned(),
            taxpayer: TaxpayerId(1),
            till: TillId(1),
            z_no,
            day: 20_260_718,
            made_at_ms: 77,
            supplement: z_no > 1,
            first_receipt,
            receipts: items.len() as u64,
        },
        items,
    }
}

/// What came off is in one closing, once, and a closing stays as it is.
pub(super) fn closings(store: &mut impl Store) {
    with_orders(store);
    let signed = Signing {
        tses: vec![tse()],
        transactions: vec![transaction(1, true), transaction(2, true), transaction(3, false)],
        orders: vec![
            order(1, SigningState::Signed, Some(2), None),
            order(2, SigningState::InOutage, None, Some(1)),
        ],
        outages: vec![outage(None)],
        ..Signing::default()
    };
    commit(store, signed).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.unclosed_orders(0, 9).unwrap(), [1, 2]);
    assert_eq!(reader.unclosed_given_up(9).unwrap(), [transaction(1, true)]);
    let in_order = [
        order(2, SigningState::InOutage, None, Some(1)),
        order(1, SigningState::Signed, Some(2), None),
    ];
    assert_eq!(reader.signings(&[2, 0, 99, 1, u64::MAX]).unwrap(), in_order);
    let rows = reader.journal_rows(&[2, 0, 99, 1, u64::MAX]).unwrap();
    let one_by_one = [2, 1].map(|no| reader.journal(no, 1).unwrap().remove(0));
    assert_eq!(rows, one_by_one);
    let items = vec![ClosedItem::Order(1), ClosedItem::Order(2), ClosedItem::GivenUp(TSE, 1)];
    let first = closing(1, 1, 1, items.clone());
    let close = |store: &mut _, closing: &Closing| {
        let signing = Signing {
            closings: vec![closing.clone()],
            ..Signing::default()
        };
        commit(store, signing)
    };
    close(store, &first).unwrap();
    assert_eq!(reader.unclosed_orders(0, 9).unwrap(), [0; 0]);
    assert_eq!(reader.unclosed_given_up(9).unwrap(), []);
    assert_eq!(reader.closings(1, 9).unwrap(), std::slice::from_ref(&first.row));
    let numbered: Vec<(u64, ClosedItem)> = (1..).zip(items).collect();
    assert_eq!(reader.closed_items(1, 2, 9).unwrap(), numbered[1..]);
    assert_eq!(reader.closed_items(2, 1, 9).unwrap(), []);
    for receipt in reader.closed_receipts(1, 1, 9).unwrap() {
        assert!(numbered.contains(&(receipt.number, receipt.item)));
        let (journal, signing) = match receipt.item {
            ClosedItem::Order(no) => (reader.journal(no, 1).unwrap().pop(), reader.signing(no).unwrap()),
            ClosedItem::GivenUp(..) => (None, None),
        };
        let signed = signing.as_ref().and_then(|row| Some((row.tse, row.transaction?)));
        let transaction = match receipt.item {
            ClosedItem::Order(_) => signed,
            ClosedItem::GivenUp(tse, transaction) => Some((tse, transaction)),
        };
        let transaction = transaction.and_then(|(tse, number)| reader.transaction(tse, number).unwrap());
        assert_eq!(
            (receipt.journal, receipt.signing, receipt.transaction),
            (journal, signing, transaction)
        );
    }
    let found = reader.closed_receipts(1, 2, 1).unwrap();
    assert_eq!(found.iter().map(|receipt| receipt.number).collect::<Vec<_>>(), [2]);
    assert_eq!(
        (reader.closing_of(2).unwrap(), reader.closing_of(3).unwrap()),
        (Some((1, 2)), None)
    );
    let mut same_number = closing(2, 1, 4, Vec::new());
    assert!(close(store, &same_number).is_err(), "one number, one closing");
    same_number.row.z_no = 2;
    same_number.items = vec![ClosedItem::Order(2)];
    same_number.row.receipts = 1;
    assert!(close(store, &same_number).is_err(), "an order is in one closing");
    // An order that was marked is signed afterwards: it stays where it is, and its transaction is no cart that was given up.
    let late = Signing {
        transactions: vec![transaction(3, true)],
        orders: vec![
            order(2, SigningState::SignedLate, Some(3), Some(1)),
            order(3, SigningState::InOutage, None, Some(1)),
        ],
        ..Signing::default()
    };
    commit(store, late).unwrap();
    assert_eq!(reader.unclosed_given_up(9).unwrap(), []);
    assert_eq!(reader.unclosed_orders(0, 9).unwrap(), [3]);
    close(store, &closing(2, 2, 4, vec![ClosedItem::Order(3)])).unwrap();
    let end = ClosingEnd {
        client: "TILL-1".to_owned(),
        taxpayer: TaxpayerId(1),
        z_no: 2,
        next_receipt: 5,
        last_day: 20_260_718,
    };
    assert_eq!(reader.closing_ends().unwrap(), [end]);
    assert_eq!(reader.closings(2, 9).unwrap().len(), 1);
}
