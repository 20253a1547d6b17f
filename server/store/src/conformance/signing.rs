//! What was signed comes back, and what was signed stays.

use shared_protocol::{CartId, TaxpayerId};

use super::Book;
use crate::{
    ClientRow, Commit, OutageRow, Signing, SigningRow, SigningState, Store, StoreError, TransactionEnd, TransactionRow,
    TseNo, TseRow,
};

const TSE: TseNo = TseNo(1);

fn commit(store: &mut impl Store, signing: Signing) -> Result<(), StoreError> {
    store.commit(&Commit {
        signing,
        ..Commit::default()
    })
}

fn tse() -> TseRow {
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
    };
    commit(store, first.clone()).unwrap();
    assert_eq!(reader.clients().unwrap(), first.clients);
    assert_eq!(reader.tses().unwrap(), first.tses);
    assert_eq!(reader.open_transactions().unwrap(), [transaction(1, false)]);
    assert_eq!(reader.transaction(TSE, 2).unwrap(), Some(transaction(2, true)));
    assert_eq!(reader.transaction(TSE, 3).unwrap(), None);
    assert_eq!(reader.tse_counters(TseNo(9)).unwrap(), (0, 0, 0));
    let posting = reader.journal(2, 1).unwrap()[0].record.posting.as_ref().unwrap().id;
    assert_eq!(reader.posting_no(posting).unwrap(), Some(2));
    assert_eq!(reader.signed_to().unwrap(), 2);
    assert_eq!(reader.signing(1).unwrap(), Some(first.orders[0].clone()));
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
