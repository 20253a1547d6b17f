//! What is refused, and that nothing of it stays.

use ledger::{Account, AccountKey, Balance, PostingId};
use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, AssetId, OrderId};

use super::{Book, VOUCHERS, audit, dump};
use crate::{Commit, JournalRow, OpenCase, Store, StoreError, TerminalNo};

/// Gives the rows their numbers and hashes after the last one stored, as a caller with a current view would.
fn chained(store: &impl Store, rows: Vec<JournalRow>) -> Vec<JournalRow> {
    let (mut no, mut head) = store.reader().unwrap().head().unwrap();
    let chain = rows.into_iter().map(|mut row| {
        no += 1;
        row.record.no = no;
        row.record.origin = row.entry.as_ref().map(|entry| entry.hash);
        head = crate::row_hash(&head, &row.record);
        JournalRow { hash: head, ..row }
    });
    chain.collect()
}

#[track_caller]
fn refused(store: &mut impl Store, commit: &Commit) -> StoreError {
    let before = dump(store);
    let error = store.commit(commit).expect_err("this must not be stored");
    assert_eq!(dump(store), before, "nothing of a refused commit may stay");
    error
}

#[track_caller]
fn conflict(store: &mut impl Store, rows: Vec<JournalRow>) {
    let fresh = fresh(store, 900);
    let mut journal = vec![fresh.clone()];
    journal.extend(rows);
    let journal = chained(store, journal);
    // Everything else of the commit is in order and has to go with the rest.
    let accounts = [(
        Book::key(9, AssetId::EURO),
        Balance {
            balance: Amount(1),
            held: Amount::ZERO,
        },
    )]
    .into();
    let lots = [((Book::key(9, VOUCHERS), 5), Amount(1))].into();
    let case = festival::Case::of_journal(festival::CaseKind::Fork, Book::EVENT, None);
    let cases = vec![OpenCase {
        case,
        terminal: None,
        no: None,
        opened_at_ms: 0,
    }];
    let mut terminal = Book::terminal(1);
    "another name".clone_into(&mut terminal.device);
    let chain = crate::Chain {
        last_seq: 77,
        ..Book::chain(1)
    };
    let commit = Commit {
        journal,
        accounts,
        lots,
        cases,
        terminals: vec![terminal],
        chains: vec![chain],
        ..Commit::default()
    };
    let error = refused(store, &commit);
    assert!(
        matches!(error, StoreError::Conflict(_)) && error.is_retryable(),
        "{error}"
    );
}

/// A row that nothing speaks against.
fn fresh(store: &mut impl Store, number: u64) -> JournalRow {
    let book = Book::new();
    let batch = [book.top_up(2, number, 40, 1_00)];
    let loaded = store.load(&book.need(&batch)).unwrap();
    book.decide(loaded, &batch).journal.remove(0)
}

/// Three booked orders, the third of which takes back the first.
fn prepared(store: &mut impl Store) -> Vec<JournalRow> {
    let book = Book::new();
    book.open(store).unwrap();
    let first = book.top_up(0, 1, 1, 20_00);
    let batch = [first.clone(), book.top_up(1, 2, 2, 1_00), book.cancel(0, 3, &first)];
    book.book(store, &batch).unwrap().journal
}

/// The row with another key in one respect: what it shares with a stored row is the other one.
fn moved(row: &JournalRow, seq: Option<u64>, posting: Option<PostingId>) -> JournalRow {
    let mut row = row.clone();
    if let (Some(entry), Some(seq)) = (&mut row.entry, seq) {
        entry.seq = seq;
    }
    if let (Some(old), Some(new)) = (&mut row.record.posting, posting) {
        old.id = new;
    }
    row
}

pub(super) fn conflicts(store: &mut impl Store) {
    let rows = prepared(store);
    let free = PostingId(OrderId([0xee; 16]));
    let [first, _, reversal] = rows.as_slice() else {
        panic!("three rows were booked")
    };
    // Claimed before: the order id, the place in the terminal's journal, the reversal.
    conflict(store, vec![moved(first, Some(50), None)]);
    let mut note = moved(first, None, None);
    note.record.posting = None;
    conflict(store, vec![note]);
    conflict(store, vec![moved(reversal, Some(51), Some(free))]);
    // Claimed twice in one commit.
    let new = fresh(store, 901);
    let other = |row: &JournalRow, seq, id| moved(row, Some(seq), Some(PostingId(OrderId([id; 16]))));
    conflict(store, vec![moved(&new, Some(60), None), moved(&new, Some(61), None)]);
    conflict(store, vec![other(&new, 62, 1), other(&new, 62, 2)]);
    let mut taken_back_twice = [other(&new, 63, 3), other(&new, 64, 4)];
    for posting in taken_back_twice
        .iter_mut()
        .filter_map(|row| row.record.posting.as_mut())
    {
        posting.reverses = Some(free);
    }
    conflict(store, taken_back_twice.to_vec());
    // A number that is not the next one: the caller's view is old.
    for (skip, take) in [(0, 1), (1, 1)] {
        let next = fresh(store, 902);
        let ahead = chained(store, vec![new.clone(), next]);
        let mut rows: Vec<_> = ahead.into_iter().skip(skip).take(take).collect();
        if skip == 0 {
            rows[0].record.no = 3;
        }
        let error = refused(
            store,
            &Commit {
                journal: rows,
                ..Commit::default()
            },
        );
        assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    }
    // Two terminals with one id.
    let mut twin = Book::terminal(8);
    twin.id = Book::terminal(1).id;
    let error = refused(
        store,
        &Commit {
            terminals: vec![twin],
            ..Commit::default()
        },
    );
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
}

#[track_caller]
fn invalid(store: &mut impl Store, commit: &Commit) {
    let error = refused(store, commit);
    assert!(
        matches!(error, StoreError::Invalid(_)) && !error.is_retryable(),
        "{error}"
    );
}

pub(super) fn net(store: &mut impl Store) {
    prepared(store);
    let with_row = |journal: JournalRow| Commit {
        journal: vec![journal],
        ..Commit::default()
    };
    let row = fresh(store, 900);
    let good = chained(store, vec![row]).remove(0);

    let mut wrong_hash = good.clone();
    wrong_hash.hash = Hash32([1; 32]);
    invalid(store, &with_row(wrong_hash));
    let mut wrong_origin = good.clone();
    wrong_origin.entry.as_mut().unwrap().hash = Hash32([1; 32]);
    invalid(store, &with_row(wrong_origin));
    let mut nothing_moves = good.clone();
    for transfer in nothing_moves
        .record
        .posting
        .iter_mut()
        .flat_map(|posting| &mut posting.transfers)
    {
        transfer.amount = Amount::ZERO;
    }
    let nothing_moves = chained(store, vec![nothing_moves]).remove(0);
    invalid(store, &with_row(nothing_moves));
    let mut unknown_terminal = good.clone();
    unknown_terminal.entry.as_mut().unwrap().chain.terminal = TerminalNo(99);
    invalid(store, &with_row(unknown_terminal));

    let key = Book::key(9, AssetId::EURO);
    let sum = AccountKey {
        account: Account::Issuer,
        ..key
    };
    for (key, cents) in [(key, -1), (sum, -5)] {
        let balance = Balance {
            balance: Amount(cents),
            held: Amount::ZERO,
        };
        invalid(
            store,
            &Commit {
                journal: vec![good.clone()],
                accounts: [(key, balance)].into(),
                ..Commit::default()
            },
        );
    }
    invalid(
        store,
        &Commit {
            lots: [((Book::key(9, VOUCHERS), 5), Amount(-1))].into(),
            ..Commit::default()
        },
    );
    let backwards = crate::Chain {
        first_seq: 9,
        last_seq: 7,
        ..Book::chain(1)
    };
    invalid(
        store,
        &Commit {
            chains: vec![backwards],
            ..Commit::default()
        },
    );
    let case = festival::Case::of_journal(festival::CaseKind::Fork, Book::EVENT, None);
    for (terminal, no) in [(Some(TerminalNo(99)), None), (None, Some(4))] {
        let case = OpenCase {
            case: case.clone(),
            terminal,
            no,
            opened_at_ms: 0,
        };
        invalid(
            store,
            &Commit {
                cases: vec![case],
                ..Commit::default()
            },
        );
    }
}

pub(super) fn goes_on(store: &mut impl Store) {
    let rows = prepared(store);
    let before = store.load(&crate::Need::default()).unwrap().ledger;
    assert!(
        store
            .commit(&Commit {
                journal: rows,
                ..Commit::default()
            })
            .is_err()
    );
    let key = Book::key(9, AssetId::EURO);
    let below = Balance {
        balance: Amount(-1),
        held: Amount::ZERO,
    };
    assert!(
        store
            .commit(&Commit {
                accounts: [(key, below)].into(),
                ..Commit::default()
            })
            .is_err()
    );
    let after = store.load(&crate::Need::default()).unwrap().ledger;
    assert_eq!((after.last_no, after.head), (before.last_no, before.head));
    let book = Book::new();
    book.book(store, &[book.top_up(0, 4, 1, 1_00), book.sale(0, 5, 1, 50)])
        .unwrap();
    audit(&mut *store.reader().unwrap(), &[Book::EVENT]);
}
