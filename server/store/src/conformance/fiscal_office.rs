//! What people want of TSEs, and exports.

use shared_protocol::TaxpayerId;

use super::{dump, signing};
use crate::{
    Commit, ExportFinding, ExportKind, ExportRange, ExportRow, ExportState, Office, RetiredRow, Signing, Store,
    StoreError, TseNo, WishRow,
};

const TSE: TseNo = TseNo(1);

fn commit(store: &mut impl Store, signing: Signing) -> Result<(), StoreError> {
    store.commit(&Commit {
        signing,
        ..Commit::default()
    })
}

fn exported(store: &mut impl Store, row: &ExportRow) -> Result<(), StoreError> {
    store.commit(&Commit {
        office: Office {
            exports: vec![row.clone()],
            ..Office::default()
        },
        ..Commit::default()
    })
}

fn wish(client: &str, tse: Option<TseNo>, pinned: bool) -> WishRow {
    WishRow {
        client: client.to_owned(),
        taxpayer: TaxpayerId(1),
        tse,
        pinned,
        asked_at_ms: 70,
        by: "zora".to_owned(),
    }
}

pub(super) fn wishes(store: &mut impl Store) {
    let wished = |wishes| Signing {
        wishes,
        ..Signing::default()
    };
    let first = Signing {
        tses: vec![signing::tse()],
        ..wished(vec![wish("b", Some(TSE), true), wish("a", Some(TSE), false)])
    };
    commit(store, first).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(
        reader.wishes().unwrap(),
        [wish("a", Some(TSE), false), wish("b", Some(TSE), true)]
    );
    commit(store, wished(vec![wish("b", Some(TSE), false), wish("a", None, false)])).unwrap();
    assert_eq!(reader.wishes().unwrap(), [wish("b", Some(TSE), false)]);
    commit(store, wished(vec![wish("nobody", None, false)])).unwrap();
    assert_eq!(reader.wishes().unwrap().len(), 1);
}

pub(super) fn retired(store: &mut impl Store) {
    let begun = RetiredRow {
        tse: TSE,
        at_ms: 80,
        by: "zora".to_owned(),
        why: "the housing is broken".to_owned(),
        forced: true,
        done_ms: None,
        left_open: 0,
    };
    let retired = |row: &RetiredRow| Signing {
        retired: vec![row.clone()],
        ..Signing::default()
    };
    let first = Signing {
        tses: vec![signing::tse()],
        ..retired(&begun)
    };
    commit(store, first).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.retired().unwrap(), std::slice::from_ref(&begun));
    let done = RetiredRow {
        done_ms: Some(90),
        left_open: 2,
        ..begun.clone()
    };
    commit(store, retired(&done)).unwrap();
    commit(store, retired(&done)).unwrap();
    let before = dump(store);
    let other_reason = RetiredRow {
        why: "no reason".to_owned(),
        ..done.clone()
    };
    for changed in [begun, other_reason] {
        let refused = commit(store, retired(&changed));
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "{changed:?}: {refused:?}"
        );
        assert_eq!(dump(store), before);
    }
    assert_eq!(reader.retired().unwrap(), [done]);
}

pub(super) fn exports(store: &mut impl Store) {
    let range = |kind, taxpayer| ExportRange {
        kind,
        taxpayer,
        tse: None,
        from_day: 20_270_717,
        until_day: u32::MAX,
        version: "2.4".to_owned(),
        staff_names: true,
    };
    let begun = ExportRow::begun(1, range(ExportKind::Dsfinvk, Some(TaxpayerId(1))), "finn".to_owned(), 5);
    let other = ExportRow::begun(2, range(ExportKind::Tse, None), "finn".to_owned(), 6);
    exported(store, &begun).unwrap();
    exported(store, &other).unwrap();
    let done = ExportRow {
        state: ExportState::Done,
        ended_at_ms: Some(9),
        file: "dsfinvk-1.zip".to_owned(),
        bytes: 12,
        sha256: Some([7; 32]),
        parts: 2,
        items: 3,
        errors: 1,
        warnings: 1,
        findings: vec![ExportFinding {
            error: true,
            code: "F01".to_owned(),
            place: "index.xml:3".to_owned(),
            what: "it is ä".to_owned(),
            why: "nobody can read it".to_owned(),
            told_de: Some("index.xml:3: das ist ä".to_owned()),
        }],
        says: "one text was cut".to_owned(),
        ..begun.clone()
    };
    exported(store, &done).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.exports(None, 9).unwrap(), [other.clone(), done.clone()]);
    assert_eq!(reader.exports(Some(2), 9).unwrap(), std::slice::from_ref(&done));
    assert_eq!(reader.exports(None, 1).unwrap(), [other]);
    let before = dump(store);
    let changed = ExportRow {
        errors: 0,
        ..done.clone()
    };
    for wrong in [begun, changed] {
        let refused = exported(store, &wrong);
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{refused:?}");
        assert_eq!(dump(store), before);
    }
    let deleted = ExportRow {
        deleted: Some((20, "ada".to_owned())),
        ..done.clone()
    };
    exported(store, &deleted).unwrap();
    assert_eq!(reader.exports(Some(2), 9).unwrap(), [deleted]);
    assert!(exported(store, &done).is_err(), "a file does not come back");
}
