//! Streams and their old revisions.

use std::collections::BTreeMap;

use shared_protocol::EventId;
use shared_protocol::ids::Bytes;
use shared_protocol::stream::{Change, Copy, Stream, Version};

use super::Book;
use crate::{Commit, Store, StoreError};

fn change(key: &str, value: Option<&str>) -> Change {
    let bytes = |text: &str| Bytes(text.as_bytes().to_vec());
    Change {
        key: bytes(key),
        value: value.map(bytes),
    }
}

const fn at(generation: u32, rev: u64) -> Version {
    Version { generation, rev }
}

fn step(store: &mut impl Store, event: EventId, to: Version, changes: Vec<Change>) -> Result<(), StoreError> {
    store.commit(&Commit {
        streams: vec![(event, Stream::Config, to, changes)],
        ..Commit::default()
    })
}

fn items(items: &[(&str, &str)]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    items
        .iter()
        .map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .collect()
}

/// A few revisions for suites that need some.
pub(super) fn configure(store: &mut impl Store) {
    step(
        store,
        Book::EVENT,
        at(1, 1),
        vec![change("beer", Some("4.50")), change("wine", Some("6.00"))],
    )
    .unwrap();
    step(
        store,
        Book::EVENT,
        at(1, 2),
        vec![change("beer", Some("5.00")), change("wine", None)],
    )
    .unwrap();
}

pub(super) fn revisions(store: &mut impl Store) {
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.stream(Book::EVENT, Stream::Config, None).unwrap(), None);
    configure(store);
    // Two steps in one commit, then another history that goes on from the same items.
    let two = [
        (at(1, 5), vec![change("cup", Some(""))]),
        (at(1, 6), vec![change("beer", None)]),
    ];
    let streams = two
        .into_iter()
        .map(|(to, changes)| (Book::EVENT, Stream::Config, to, changes))
        .collect();
    store
        .commit(&Commit {
            streams,
            ..Commit::default()
        })
        .unwrap();
    step(store, Book::EVENT, at(2, 1), vec![change("wine", Some("7.00"))]).unwrap();
    step(store, Book::OTHER_EVENT, at(1, 1), vec![change("tea", Some("2.00"))]).unwrap();

    let expected = [
        (at(1, 1), items(&[("beer", "4.50"), ("wine", "6.00")])),
        (at(1, 2), items(&[("beer", "5.00")])),
        (at(1, 5), items(&[("beer", "5.00"), ("cup", "")])),
        (at(1, 6), items(&[("cup", "")])),
        (at(2, 1), items(&[("cup", ""), ("wine", "7.00")])),
    ];
    for (version, items) in &expected {
        let copy = reader.stream(Book::EVENT, Stream::Config, Some(*version)).unwrap();
        assert_eq!(
            copy,
            Some(Copy {
                version: *version,
                items: items.clone()
            })
        );
    }
    let newest = reader.stream(Book::EVENT, Stream::Config, None).unwrap().unwrap();
    assert_eq!((newest.version, &newest.items), (at(2, 1), &expected[4].1));
    for unknown in [at(0, 0), at(1, 3), at(1, 7), at(2, 2), at(9, 1)] {
        assert_eq!(
            reader.stream(Book::EVENT, Stream::Config, Some(unknown)).unwrap(),
            None,
            "{unknown:?} never was"
        );
    }
    assert_eq!(reader.stream(Book::EVENT, Stream::BlockList, None).unwrap(), None);
    let other = reader.stream(Book::OTHER_EVENT, Stream::Config, None).unwrap().unwrap();
    assert_eq!(other.items, items(&[("tea", "2.00")]));
}

pub(super) fn backwards(store: &mut impl Store) {
    configure(store);
    step(store, Book::EVENT, at(2, 1), Vec::new()).unwrap();
    let before = super::dump(store);
    for version in [at(2, 1), at(2, 0), at(1, 9), at(1, 1)] {
        let error = step(store, Book::EVENT, version, vec![change("x", Some("y"))]).unwrap_err();
        assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    }
    let twice = (0..2)
        .map(|_| (Book::EVENT, Stream::Config, at(2, 2), Vec::new()))
        .collect();
    assert!(
        store
            .commit(&Commit {
                streams: twice,
                ..Commit::default()
            })
            .is_err()
    );
    assert_eq!(super::dump(store), before);
}
