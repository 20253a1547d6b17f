//! What is written comes back.

use festival::registration::{Slot, SlotState};
use festival::{Case, CaseKind};
use ledger::{Limits, Posting, PostingId, Record};
use shared_protocol::chain::EpochStart;
use shared_protocol::crypto::{Algorithm, Hash32, PublicKey, Signature};
use shared_protocol::ids::Bytes;
use shared_protocol::message::TerminalState;
use shared_protocol::{Amount, OrderId, SlotId, TerminalId, TillId};

use super::{Book, Random, dump};
use crate::{
    ChainKey, Commit, EntryRow, EntryStatus, JournalRow, OpenCase, Reader, Store, StoredCase, TerminalNo, TerminalRow,
};

const STATUSES: [EntryStatus; 5] = [
    EntryStatus::Booked,
    EntryStatus::Flagged,
    EntryStatus::Duplicate,
    EntryStatus::Conflict,
    EntryStatus::Parked,
];

/// Chains rows that have any content at all.
fn rows(contents: Vec<(Option<Posting>, Option<EntryRow>)>) -> Vec<JournalRow> {
    let mut head = Hash32::ZERO;
    let chained = contents.into_iter().zip(1..).map(|((posting, entry), no)| {
        let origin = entry.as_ref().map(|entry| entry.hash);
        let record = Record {
            no,
            booked_at_ms: u64::MAX - no,
            origin,
            posting,
        };
        head = crate::row_hash(&head, &record);
        JournalRow {
            record,
            hash: head,
            entry,
        }
    });
    chained.collect()
}

fn posting(number: u8) -> Posting {
    Posting {
        id: PostingId(OrderId([number; 16])),
        content: Hash32([number; 32]),
        event: Book::OTHER_EVENT,
        transfers: Vec::new(),
        captures: Vec::new(),
        reverses: None,
        limits: Limits::Enforced,
        mirrored: None,
    }
}

fn entry(seq: u64, order: Option<OrderId>, raw: Vec<u8>) -> EntryRow {
    let chain = ChainKey {
        terminal: TerminalNo(2),
        epoch: u32::MAX,
        branch: u16::MAX,
    };
    let status = STATUSES
        .iter()
        .copied()
        .cycle()
        .nth(usize::try_from(seq).unwrap())
        .unwrap();
    let day = seq.is_multiple_of(2).then_some(20_260_718);
    EntryRow {
        chain,
        seq,
        hash: Hash32([1; 32]),
        status,
        order,
        day,
        raw,
        signature: seq.is_multiple_of(3).then(|| Signature {
            algorithm: Algorithm::P256,
            bytes: Bytes(vec![5; 64]),
        }),
    }
}

pub(super) fn journal(store: &mut impl Store) {
    Book::new().open(store).unwrap();
    let order = OrderId([3; 16]);
    let reversal = Posting {
        reverses: Some(posting(4).id),
        ..posting(5)
    };
    let mut random = Random::new(1);
    let mut contents = vec![
        (None, None),
        (Some(posting(1)), None),
        (None, Some(entry(1, None, Vec::new()))),
        (Some(posting(2)), Some(entry(2, None, vec![0; 3]))),
        (Some(posting(3)), Some(entry(3, Some(order), vec![255; 400]))),
        (Some(posting(4)), Some(entry(4, Some(order), vec![1]))),
        (
            Some(reversal),
            Some(entry(5, Some(OrderId([5; 16])), b"as it came \0".to_vec())),
        ),
    ];
    // Longer than a page of any engine, as a parked frame may be.
    contents.extend((6..20).map(|seq| (None, Some(entry(seq, Some(order), random.bytes(60_000))))));
    let rows = rows(contents);
    store
        .commit(&Commit {
            journal: rows.clone(),
            ..Commit::default()
        })
        .unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.journal(0, u64::MAX).unwrap(), rows);
    assert_eq!(reader.journal(1, 3).unwrap(), rows[..3]);
    assert_eq!(reader.journal(18, 9).unwrap(), rows[17..]);
    assert_eq!(reader.journal(22, 9).unwrap(), []);
    assert_eq!(reader.journal(u64::MAX, 9).unwrap(), []);
    assert_eq!(reader.head().unwrap(), (21, rows[20].hash));
}

pub(super) fn terminals(store: &mut impl Store) {
    let mut rows: Vec<_> = (1..=3).map(Book::terminal).collect();
    rows[1].state = TerminalState::Quarantined;
    rows[1].key = PublicKey {
        algorithm: Algorithm::P256,
        bytes: Bytes(vec![4; 65]),
    };
    rows[2].epoch = EpochStart {
        epoch: u32::MAX,
        previous_seq: u64::MAX,
        previous_head: Hash32([9; 32]),
    };
    rows[2].event = Book::OTHER_EVENT;
    store
        .commit(&Commit {
            terminals: rows.clone(),
            ..Commit::default()
        })
        .unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.terminals().unwrap(), rows);
    rows[0] = TerminalRow {
        state: TerminalState::Other(77),
        till: TillId(u32::MAX),
        device: "Gerät \u{1f37a}".to_owned(),
        registered_at_ms: u64::MAX,
        ..rows[0].clone()
    };
    store
        .commit(&Commit {
            terminals: vec![rows[0].clone()],
            ..Commit::default()
        })
        .unwrap();
    assert_eq!(reader.terminals().unwrap(), rows);
    assert_eq!(reader.terminal(rows[0].id).unwrap().as_ref(), Some(&rows[0]));
    assert_eq!(reader.terminal(TerminalId([0; 16])).unwrap(), None);
}

pub(super) fn slots(store: &mut impl Store) {
    let key = PublicKey {
        algorithm: Algorithm::P256,
        bytes: Bytes(vec![4; 65]),
    };
    let states = [
        SlotState::Open,
        SlotState::Pending {
            key,
            device: "Pixel".to_owned(),
            code: "012345".to_owned(),
        },
        SlotState::Used {
            terminal: TerminalId([6; 16]),
        },
    ];
    let slot = |(number, state): (u8, &SlotState)| Slot {
        id: SlotId([number; 16]),
        event: Book::EVENT,
        till: TillId(u32::from(number)),
        secret: Hash32([number; 32]),
        expires_at_ms: u64::MAX,
        confirm: number == 1,
        state: state.clone(),
    };
    let mut slots: Vec<_> = (0..).zip(&states).map(slot).collect();
    store
        .commit(&Commit {
            slots: slots.clone(),
            ..Commit::default()
        })
        .unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.slots().unwrap(), slots);
    for state in states.iter().rev() {
        slots[1].state = state.clone();
        store
            .commit(&Commit {
                slots: vec![slots[1].clone()],
                ..Commit::default()
            })
            .unwrap();
        assert_eq!(reader.slot(slots[1].id).unwrap().as_ref(), Some(&slots[1]));
    }
    assert_eq!(reader.slots().unwrap(), slots);
    assert_eq!(reader.slot(SlotId([9; 16])).unwrap(), None);
}

pub(super) fn cases(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    book.book(store, &[book.top_up(0, 1, 1, 1_00)]).unwrap();
    let of_order = Case::of_order(CaseKind::Overdraft, Book::EVENT, OrderId([1; 16]), Amount(-6_00));
    let of_order = of_order.with_tag(Some(Book::tag(1))).with_number(i64::MIN);
    let large = Case::of_order(
        CaseKind::Other(999),
        Book::OTHER_EVENT,
        OrderId([2; 16]),
        Amount(i64::MAX),
    );
    let cases = [
        OpenCase {
            case: of_order,
            terminal: Some(TerminalNo(1)),
            no: Some(1),
            opened_at_ms: u64::MAX,
        },
        OpenCase {
            case: Case::of_journal(CaseKind::Fork, Book::EVENT, None),
            terminal: None,
            no: None,
            opened_at_ms: 0,
        },
        OpenCase {
            case: large.clone(),
            terminal: None,
            no: None,
            opened_at_ms: 1,
        },
        OpenCase {
            case: large,
            terminal: None,
            no: None,
            opened_at_ms: 2,
        },
    ];
    for part in cases.chunks(3) {
        store
            .commit(&Commit {
                cases: part.to_vec(),
                ..Commit::default()
            })
            .unwrap();
    }
    let stored: Vec<_> = (1..).zip(cases).map(|(id, case)| StoredCase { id, case }).collect();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.cases(0, 9).unwrap(), stored);
    assert_eq!(reader.cases(2, 2).unwrap(), stored[1..3]);
    assert_eq!(reader.cases(5, 2).unwrap(), []);
    let (overdraft, fork) = (CaseKind::Overdraft.code(), CaseKind::Fork.code());
    let expected = [
        (overdraft, (1, 6_00)),
        (fork, (1, 0)),
        (999, (2, 2 * i128::from(i64::MAX))),
    ];
    assert_eq!(reader.case_counts().unwrap(), expected.into());
}

pub(super) fn large_batch(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let batch: Vec<_> = (0..64_u32)
        .map(|n| book.top_up(n, u64::from(n) + 1, n, i64::from(n) + 1))
        .collect();
    let commit = book.book(store, &batch).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.journal(1, 100).unwrap(), commit.journal);
    assert_eq!(reader.balances(Book::EVENT).unwrap().accounts, commit.accounts);
    assert_eq!(reader.head().unwrap().0, 64);
}

pub(super) fn readers(store: &mut impl Store) {
    let book = Book::new();
    let mut early = store.reader().unwrap();
    book.open(store).unwrap();
    assert_eq!(early.terminals().unwrap().len(), 3);
    let order = book.top_up(0, 1, 1, 5_00);
    let commit = book.book(store, std::slice::from_ref(&order)).unwrap();
    let see = |reader: &mut dyn Reader| (reader.head().unwrap(), reader.balances(Book::EVENT).unwrap().accounts);
    let seen = see(&mut *early);
    assert_eq!(seen, ((1, commit.journal[0].hash), commit.accounts.clone()));
    assert!(store.commit(&commit).is_err());
    assert_eq!(see(&mut *early), seen);
    assert_eq!(see(&mut *store.reader().unwrap()), seen);
    let elsewhere = std::thread::spawn(move || see(&mut *early)).join().unwrap();
    assert_eq!(elsewhere, seen, "a reader works from another thread");
    assert!(!dump(store).is_empty());
}
