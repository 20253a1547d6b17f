//! What a load gives.

use std::collections::BTreeSet;

use ledger::{Account, AccountKey, Balance, Needs, PostingId};
use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, AssetId, OrderId, TillId};

use super::{Book, VOUCHERS};
use crate::{Chain, ChainKey, Commit, Loaded, Need, Store, TerminalNo};

fn load(store: &mut impl Store, ledger: Needs) -> Loaded {
    store
        .load(&Need {
            ledger,
            ..Need::default()
        })
        .unwrap()
}

fn accounts<const N: usize>(keys: [AccountKey; N]) -> Needs {
    Needs {
        accounts: keys.into(),
        ..Needs::default()
    }
}

fn balance(cents: i64) -> Balance {
    Balance {
        balance: Amount(cents),
        held: Amount::ZERO,
    }
}

pub(super) fn empty(store: &mut impl Store) {
    let key = Book::key(1, AssetId::EURO);
    let unknown = PostingId(OrderId([9; 16]));
    let needs = Needs {
        postings: [unknown].into(),
        reversal_targets: [unknown].into(),
        ..accounts([key])
    };
    let need = Need {
        ledger: needs,
        chains: [(TerminalNo(1), 1)].into(),
        hashes: [(TerminalNo(1), 1, 0, u64::MAX)].into(),
        purses: [(Book::EVENT, Book::tag(1))].into(),
    };
    let loaded = store.load(&need).unwrap();
    assert_eq!(loaded.ledger.accounts, [(key, Balance::default())].into());
    assert!(loaded.ledger.lots.is_empty() && loaded.ledger.postings.is_empty() && loaded.ledger.holds.is_empty());
    assert_eq!((loaded.ledger.last_no, loaded.ledger.head), (0, Some(Hash32::ZERO)));
    assert!(loaded.chains.is_empty() && loaded.hashes.is_empty());
    assert_eq!(store.reader().unwrap().head().unwrap(), (0, Hash32::ZERO));
    assert_eq!(store.project(10).unwrap(), (0, 0));
}

pub(super) fn accounts_of(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let batch = [
        book.top_up(0, 1, 1, 20_00),
        book.top_up(0, 2, 2, 7_00),
        book.grant(0, 3, 1, 2),
        book.grant(0, 4, 1, 3),
    ];
    let commit = book.book(store, &batch).unwrap();
    let (euros, vouchers) = (Book::key(1, AssetId::EURO), Book::key(1, VOUCHERS));
    let overdraft = AccountKey {
        account: Account::Overdraft { tag: Book::tag(1) },
        ..euros
    };
    let loaded = load(store, accounts([euros, vouchers, overdraft]));
    let expected = [(euros, balance(20_00)), (vouchers, balance(5)), (overdraft, balance(0))];
    assert_eq!(loaded.ledger.accounts, expected.into());
    assert_eq!(commit.lots.len(), 2);
    assert_eq!(
        loaded.ledger.lots, commit.lots,
        "both lots of the account that was asked for"
    );
    assert_eq!(
        (loaded.ledger.last_no, loaded.ledger.head),
        (4, commit.journal.last().map(|row| row.hash))
    );
    assert!(load(store, accounts([euros])).ledger.lots.is_empty());
}

pub(super) fn reversal_targets(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let sale = book.redemption(0, 3, 1);
    let commit = book
        .book(
            store,
            &[book.top_up(0, 1, 1, 20_00), book.grant(0, 2, 1, 2), sale.clone()],
        )
        .unwrap();
    let target = PostingId(sale.order.id);
    let needs = Needs {
        reversal_targets: [target].into(),
        ..Needs::default()
    };
    let loaded = load(store, needs.clone()).ledger;
    let posting = commit.journal.last().and_then(|row| row.record.posting.clone());
    let known = loaded.postings.get(&target).unwrap();
    assert_eq!((known.no, &known.posting, known.reversed_by), (3, &posting, None));
    assert_eq!(Some(known.content), posting.as_ref().map(|posting| posting.content));
    let touched: BTreeSet<_> = crate::accounts_to_take_back(&posting.unwrap()).collect();
    assert!(touched.contains(&Book::key(1, VOUCHERS)));
    assert_eq!(loaded.accounts.keys().copied().collect::<BTreeSet<_>>(), touched);
    assert_eq!(loaded.lots, commit.lots, "a reversal fills the lots again");

    let cancel = book.cancel(1, 4, &sale);
    let commit = book.book(store, std::slice::from_ref(&cancel)).unwrap();
    assert_eq!(commit.journal.len(), 1);
    let loaded = load(store, needs).ledger;
    assert_eq!(
        loaded.postings.get(&target).unwrap().reversed_by,
        Some(PostingId(cancel.order.id))
    );
    assert_eq!(loaded.accounts.get(&Book::key(1, VOUCHERS)), Some(&balance(2)));
}

pub(super) fn postings(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let commit = book
        .book(store, &[book.top_up(0, 1, 1, 20_00), book.top_up(0, 2, 1, 1_00)])
        .unwrap();
    let posting = commit
        .journal
        .first()
        .and_then(|row| row.record.posting.clone())
        .unwrap();
    let unknown = PostingId(OrderId([9; 16]));
    let loaded = load(
        store,
        Needs {
            postings: [posting.id, unknown].into(),
            ..Needs::default()
        },
    )
    .ledger;
    assert_eq!(
        loaded.postings.keys().collect::<Vec<_>>(),
        [&posting.id],
        "an unknown posting is absent"
    );
    let known = loaded.postings.get(&posting.id).unwrap();
    assert_eq!(
        (known.no, known.content, &known.posting, known.reversed_by),
        (1, posting.content, &None, None)
    );
    assert!(loaded.accounts.is_empty());
}

pub(super) fn sums(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let drawer = |till| AccountKey {
        event: Book::EVENT,
        account: Account::Cash { till: TillId(till) },
        asset: AssetId::EURO,
    };
    let batch: Vec<_> = (1..=6)
        .map(|number| book.top_up(u32::from(number == 4), number, 1, 1_00))
        .collect();
    book.book(store, &batch).unwrap();
    let [first, second] = [batch[0].order.till.0, batch[3].order.till.0];
    assert_ne!(first, second);
    let needs = Needs {
        sums: [drawer(first), drawer(second), drawer(9)].into(),
        ..Needs::default()
    };
    let expected = [(drawer(first), -5_00), (drawer(second), -1_00), (drawer(9), 0)].into();
    for rows in [0, 3, 100] {
        store.project(rows).unwrap();
        assert_eq!(load(store, needs.clone()).ledger.sums, expected, "{rows} rows more");
    }
    assert!(load(store, Needs::default()).ledger.sums.is_empty());
}

pub(super) fn chains(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let second = EpochStart {
        epoch: 2,
        previous_seq: 12,
        previous_head: Hash32([4; 32]),
    };
    let main = Book::chain(1);
    let branch = Chain {
        key: ChainKey { branch: 3, ..main.key },
        first_seq: 8,
        last_seq: 9,
        head: Hash32([5; 32]),
        ..main
    };
    let other = Chain {
        key: ChainKey { epoch: 2, ..main.key },
        start: second,
        ..main
    };
    store
        .commit(&Commit {
            chains: vec![branch, other],
            ..Commit::default()
        })
        .unwrap();
    let moved = Chain {
        last_seq: 40,
        head: Hash32([6; 32]),
        ..branch
    };
    store
        .commit(&Commit {
            chains: vec![moved],
            ..Commit::default()
        })
        .unwrap();
    let need = |chains: &[(TerminalNo, u32)]| Need {
        chains: chains.iter().copied().collect(),
        ..Need::default()
    };
    let loaded = store.load(&need(&[(TerminalNo(1), 1), (TerminalNo(9), 1)])).unwrap();
    assert_eq!(loaded.chains, [(main.key, main), (branch.key, moved)].into());
    let loaded = store.load(&need(&[(TerminalNo(1), 2)])).unwrap();
    assert_eq!(loaded.chains, [(other.key, other)].into());
    assert_eq!(
        store.reader().unwrap().chains(TerminalNo(1)).unwrap(),
        [main, moved, other]
    );
    assert_eq!(store.reader().unwrap().chains(TerminalNo(9)).unwrap(), []);
}

pub(super) fn hashes(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let orders: Vec<_> = (1..=6).map(|number| book.top_up(0, number, 1, 1_00)).collect();
    let mut commit = book.book(store, &orders).unwrap();
    // The same journal once more as a branch that left the main line after its third entry.
    let last = commit.journal.last().unwrap().clone();
    let branch = ChainKey {
        branch: 1,
        ..Book::main_line(1)
    };
    let mut entry = last.entry.clone().unwrap();
    (entry.chain, entry.seq) = (branch, 4);
    let record = ledger::Record {
        no: 7,
        posting: None,
        ..last.record.clone()
    };
    let hash = crate::row_hash(&last.hash, &record);
    store
        .commit(&Commit {
            journal: vec![crate::JournalRow {
                record,
                hash,
                entry: Some(entry.clone()),
            }],
            ..Commit::default()
        })
        .unwrap();
    let mut expected: std::collections::BTreeMap<_, _> = commit
        .journal
        .drain(..)
        .filter_map(|row| row.entry)
        .filter(|entry| (3..=5).contains(&entry.seq))
        .map(|entry| ((entry.chain, entry.seq), entry.hash))
        .collect();
    expected.insert((branch, 4), entry.hash);
    let need = |first, last| Need {
        hashes: [(TerminalNo(1), 1, first, last)].into(),
        ..Need::default()
    };
    assert_eq!(store.load(&need(3, 5)).unwrap().hashes, expected);
    assert_eq!(store.load(&need(0, u64::MAX)).unwrap().hashes.len(), 7);
    assert!(store.load(&need(7, u64::MAX)).unwrap().hashes.is_empty());
    assert!(store.load(&need(u64::MAX, u64::MAX)).unwrap().hashes.is_empty());
}

pub(super) fn coalesced(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let batch: Vec<_> = (1..=10).map(|number| book.top_up(0, number, 1, 1_00)).collect();
    let commit = book.book(store, &batch).unwrap();
    let key = Book::key(1, AssetId::EURO);
    assert_eq!(
        commit.accounts,
        [(key, balance(10_00))].into(),
        "ten orders, one balance"
    );
    book.book(store, &[book.sale(1, 11, 1, 4_00)]).unwrap();
    assert_eq!(
        load(store, accounts([key])).ledger.accounts,
        [(key, balance(6_00))].into()
    );
    // What holds set aside stays with the caller.
    let held = Balance {
        balance: Amount(6_00),
        held: Amount(2_00),
    };
    store
        .commit(&Commit {
            accounts: [(key, held)].into(),
            ..Commit::default()
        })
        .unwrap();
    assert_eq!(
        load(store, accounts([key])).ledger.accounts,
        [(key, balance(6_00))].into()
    );
    assert_eq!(
        store.reader().unwrap().balances(Book::OTHER_EVENT).unwrap().accounts,
        [].into()
    );
}

pub(super) fn used_up_lots(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    book.book(
        store,
        &[book.grant(0, 1, 1, 1), book.grant(0, 2, 1, 1), book.grant(0, 4, 2, 1)],
    )
    .unwrap();
    let commit = book.book(store, &[book.redemption(0, 5, 1)]).unwrap();
    let used: Vec<_> = commit
        .lots
        .iter()
        .filter(|(_, left)| left.is_zero())
        .map(|(lot, _)| *lot)
        .collect();
    assert_eq!(
        used,
        [(Book::key(1, VOUCHERS), Book::lot_end_ms(2))],
        "what expires first is used first"
    );
    let left = load(store, accounts([Book::key(1, VOUCHERS)])).ledger.lots;
    assert_eq!(
        left,
        [((Book::key(1, VOUCHERS), Book::lot_end_ms(1)), Amount(1))].into()
    );
    let all = store.reader().unwrap().balances(Book::EVENT).unwrap().lots;
    assert_eq!(all.len(), 2);
    assert!(all.values().all(|left| left.is_positive()));
    // An end of validity that no calendar has is still an end of validity.
    let lot = (Book::key(1, VOUCHERS), u64::MAX);
    store
        .commit(&Commit {
            lots: [(lot, Amount(7))].into(),
            ..Commit::default()
        })
        .unwrap();
    assert_eq!(load(store, accounts([lot.0])).ledger.lots.get(&lot), Some(&Amount(7)));
}
