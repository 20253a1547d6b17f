//! What is known of purses.

use festival::purse::Purse;
use shared_protocol::TagId;
use shared_protocol::wristband::{BatchAuthority, PurseTotals};

use super::Book;
use crate::{Commit, Need, PurseKey, Reader, Store};

fn purse(debited: u32, gap_since_ms: Option<u64>, told: bool) -> Purse {
    let mut purse = Purse::new(5, BatchAuthority::Chip);
    purse.seen = PurseTotals {
        debited,
        credited: [7, 8, 9],
    };
    (purse.gap_since_ms, purse.told) = (gap_since_ms, told);
    purse
}

fn put(store: &mut impl Store, purses: impl IntoIterator<Item = (PurseKey, Purse)>) {
    store
        .commit(&Commit {
            purses: purses.into_iter().collect(),
            ..Commit::default()
        })
        .unwrap();
}

fn tags(count: u32) -> Vec<TagId> {
    let mut tags: Vec<_> = (0..count).map(Book::tag).collect();
    tags.sort_by(|a, b| a.as_slice().cmp(b.as_slice()));
    tags
}

/// A purse comes back as it was last written, to whoever asks for it and to nobody else.
pub(super) fn come_back(store: &mut impl Store) {
    let [first, second, third] = tags(3).try_into().unwrap();
    let key = |tag| (Book::EVENT, tag);
    put(
        store,
        [
            (key(first), purse(1, None, false)),
            (key(second), purse(2, None, false)),
        ],
    );
    put(store, [(key(first), purse(3, Some(5), false))]);
    let need = Need {
        purses: [key(first), key(third), (Book::OTHER_EVENT, second)].into(),
        ..Need::default()
    };
    let loaded = store.load(&need).unwrap().purses;
    assert_eq!(loaded, [(key(first), purse(3, Some(5), false))].into());

    let mut reader = store.reader().unwrap();
    assert_eq!(reader.purse(Book::EVENT, second).unwrap(), Some(purse(2, None, false)));
    assert_eq!(reader.purse(Book::EVENT, third).unwrap(), None);
    let all = [(first, purse(3, Some(5), false)), (second, purse(2, None, false))];
    assert_eq!(reader.purses(Book::EVENT, None, 9).unwrap(), all);
    assert_eq!(reader.purses(Book::EVENT, Some(first), 9).unwrap(), all[1..]);
    assert_eq!(reader.purses(Book::EVENT, None, 1).unwrap(), all[..1]);
    assert_eq!(reader.purses(Book::OTHER_EVENT, None, 9).unwrap(), []);
}

/// Gaps are found by their age, as long as no case tells of them.
pub(super) fn gaps(store: &mut impl Store) {
    let [a, b, c, d] = tags(4).try_into().unwrap();
    let key = |tag| (Book::EVENT, tag);
    put(
        store,
        [
            (key(a), purse(1, Some(300), false)),
            (key(b), purse(1, Some(100), false)),
            (key(c), purse(1, Some(100), true)),
            (key(d), purse(1, None, false)),
        ],
    );
    let found = |reader: &mut dyn Reader, since_ms, rows| reader.purse_gaps(Book::EVENT, since_ms, rows).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(found(&mut *reader, 300, 9), [b, a]);
    assert_eq!(found(&mut *reader, 300, 1), [b]);
    assert_eq!(found(&mut *reader, 299, 9), [b]);
    assert_eq!(found(&mut *reader, 99, 9), []);
    put(store, [(key(b), purse(1, Some(100), true))]);
    assert_eq!(found(&mut *reader, u64::MAX, 9), [a]);
}
