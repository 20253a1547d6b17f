//! Users, sessions, cases, the audit log.

use festival::{Case, CaseKind};
use shared_protocol::{Amount, AssetId, OrderId};

use super::{Book, VOUCHERS, dump};
use crate::{
    AuditRow, CaseFilter, CaseNote, CaseState, Commit, Office, OpenCase, Role, SessionRow, Store, StoreError, TaxRow,
    UserRow,
};

fn commit(store: &mut impl Store, office: Office) -> Result<(), StoreError> {
    store.commit(&Commit {
        office,
        ..Commit::default()
    })
}

fn user(name: &str, role: Role) -> UserRow {
    UserRow {
        name: name.to_owned(),
        role,
        password: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned(),
        active: true,
        changed_at_ms: 5,
    }
}

fn session(token: u8, user: &str, opened_at_ms: u64) -> SessionRow {
    SessionRow {
        token: [token; 32],
        user: user.to_owned(),
        opened_at_ms,
        expires_at_ms: opened_at_ms + 100,
    }
}

pub(super) fn logins(store: &mut impl Store) {
    let (finance, admin) = (user("zora", Role::Finance), user("Änne", Role::Admin));
    let first = Office {
        users: vec![finance.clone(), admin.clone()],
        sessions: vec![session(1, "zora", 10), session(2, "Änne", 20)],
        ..Office::default()
    };
    commit(store, first).unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.users().unwrap(), [finance.clone(), admin.clone()]);
    assert_eq!(reader.user("zora").unwrap(), Some(finance.clone()));
    assert_eq!(reader.user("Zora").unwrap(), None);
    assert_eq!(reader.session(&[1; 32]).unwrap(), Some(session(1, "zora", 10)));
    assert_eq!(reader.session(&[9; 32]).unwrap(), None);
    let changed = UserRow {
        role: Role::Crew,
        active: false,
        password: "$argon2id$other".to_owned(),
        changed_at_ms: 9,
        ..finance
    };
    let prolonged = SessionRow {
        expires_at_ms: 900,
        ..session(2, "Änne", 20)
    };
    let second = Office {
        users: vec![changed.clone()],
        sessions: vec![prolonged.clone()],
        closed_sessions: vec![[1; 32], [9; 32]],
        ..Office::default()
    };
    commit(store, second).unwrap();
    assert_eq!(reader.users().unwrap(), [changed, admin]);
    assert_eq!(reader.session(&[1; 32]).unwrap(), None);
    assert_eq!(reader.session(&[2; 32]).unwrap(), Some(prolonged.clone()));
    let later = |token, opened_at_ms| Office {
        sessions: vec![session(token, "zora", opened_at_ms)],
        ..Office::default()
    };
    commit(store, later(3, 899)).unwrap();
    assert_eq!(reader.session(&[2; 32]).unwrap(), Some(prolonged));
    commit(store, later(4, 900)).unwrap();
    assert_eq!(reader.session(&[2; 32]).unwrap(), None, "it had expired");
    assert_eq!(reader.session(&[3; 32]).unwrap(), Some(session(3, "zora", 899)));
}

fn open_case(kind: CaseKind, stake: i64) -> OpenCase {
    OpenCase {
        case: Case::of_order(kind, Book::EVENT, OrderId([3; 16]), Amount(stake)),
        terminal: None,
        no: None,
        opened_at_ms: 7,
    }
}

fn note(case: u64, state: CaseState, owner: Option<&str>) -> CaseNote {
    CaseNote {
        case,
        at_ms: 8,
        by: "zora".to_owned(),
        state,
        owner: owner.map(str::to_owned),
        text: format!("case {case} is {state:?}"),
    }
}

pub(super) fn cases(store: &mut impl Store) {
    let kinds = [CaseKind::Overdraft, CaseKind::PriceMismatch];
    let opened: Vec<_> = (1..=6)
        .zip(kinds.iter().cycle())
        .map(|(stake, kind)| open_case(*kind, stake))
        .collect();
    let notes = vec![
        note(1, CaseState::Taken, Some("zora")),
        note(4, CaseState::Taken, Some("Änne")),
        note(1, CaseState::Resolved, Some("zora")),
        note(6, CaseState::Taken, Some("zora")),
    ];
    // A note may be about a case of the same commit.
    store
        .commit(&Commit {
            cases: opened,
            office: Office {
                notes: notes.clone(),
                ..Office::default()
            },
            ..Commit::default()
        })
        .unwrap();
    let mut reader = store.reader().unwrap();
    assert_eq!(reader.case_notes(1).unwrap(), [notes[0].clone(), notes[2].clone()]);
    assert_eq!(reader.case_notes(2).unwrap(), []);
    assert_eq!(reader.open_cases().unwrap(), (5, 2 + 3 + 4 + 5 + 6));
    let first = reader.case(1).unwrap().unwrap();
    assert_eq!((first.stored.id, first.state), (1, CaseState::Resolved));
    assert_eq!(first.owner.as_deref(), Some("zora"));
    assert_eq!(reader.case(0).unwrap(), None);
    assert_eq!(reader.case(7).unwrap(), None);
    assert_eq!(reader.case(u64::MAX).unwrap(), None);
    let mut ids = |kind: Option<CaseKind>, state, owner: Option<&str>, before, rows_max| -> Vec<u64> {
        let filter = CaseFilter {
            kind: kind.map(CaseKind::code),
            state,
            owner: owner.map(str::to_owned),
        };
        let rows = reader.case_list(&filter, before, rows_max).unwrap();
        assert!(rows.iter().all(|row| filter.fits(row)));
        rows.iter().map(|row| row.stored.id).collect()
    };
    assert_eq!(ids(None, None, None, None, 9), [6, 5, 4, 3, 2, 1]);
    assert_eq!(ids(None, None, None, Some(5), 2), [4, 3]);
    assert_eq!(ids(Some(CaseKind::Overdraft), None, None, None, 9), [5, 3, 1]);
    assert_eq!(ids(None, Some(CaseState::Open), None, None, 9), [5, 3, 2]);
    assert_eq!(ids(None, Some(CaseState::Resolved), None, None, 9), [1]);
    assert_eq!(ids(None, None, Some("zora"), None, 9), [6, 1]);
    let all_three = ids(
        Some(CaseKind::PriceMismatch),
        Some(CaseState::Taken),
        Some("zora"),
        None,
        9,
    );
    assert_eq!(all_three, [6]);
    assert_eq!(ids(None, None, Some("nobody"), None, 9), [0_u64; 0]);
    let again = Office {
        notes: vec![note(1, CaseState::Open, None)],
        ..Office::default()
    };
    commit(store, again).unwrap();
    let first = reader.case(1).unwrap().unwrap();
    assert_eq!((first.state, first.owner), (CaseState::Open, None));
    assert_eq!(reader.open_cases().unwrap(), (6, 21));
}

pub(super) fn audit(store: &mut impl Store) {
    let row = |at_ms, object: &str| AuditRow {
        at_ms,
        by: "zora".to_owned(),
        what: "terminal.lock".to_owned(),
        object: object.to_owned(),
        detail: "lost; \u{e4} \u{1f4f1}".to_owned(),
    };
    let rows = [row(3, "a"), row(1, "b"), row(2, "a")];
    for part in rows.chunks(2) {
        let office = Office {
            audit: part.to_vec(),
            ..Office::default()
        };
        commit(store, office).unwrap();
    }
    let mut reader = store.reader().unwrap();
    let numbered = |numbers: &[u64]| -> Vec<_> {
        let of = |no: u64| rows[usize::try_from(no).unwrap() - 1].clone();
        numbers.iter().map(|no| (*no, of(*no))).collect()
    };
    assert_eq!(reader.audit(None, None, 9).unwrap(), numbered(&[3, 2, 1]));
    assert_eq!(reader.audit(None, Some(3), 1).unwrap(), numbered(&[2]));
    assert_eq!(reader.audit(Some("a"), None, 9).unwrap(), numbered(&[3, 1]));
    assert_eq!(reader.audit(Some("a"), Some(3), 9).unwrap(), numbered(&[1]));
    assert_eq!(reader.audit(Some("c"), None, 9).unwrap(), []);
}

pub(super) fn taxes(store: &mut impl Store) {
    let row = |event, at_ms, by: Option<&str>, value: &str| TaxRow {
        event,
        at_ms,
        by: by.map(str::to_owned),
        key: "outage_policy".to_owned(),
        value: value.to_owned(),
        why: "the advisor\u{2019}s letter; \u{e4}".to_owned(),
    };
    let rows = [
        row(Book::EVENT, 9, None, "mark-only"),
        row(Book::OTHER_EVENT, 3, Some("zora"), "resign-marked"),
        row(Book::EVENT, u64::MAX, Some("\u{c4}nne"), "resign-marked"),
    ];
    for part in rows.chunks(2) {
        let office = Office {
            tax: part.to_vec(),
            ..Office::default()
        };
        commit(store, office).unwrap();
    }
    let mut reader = store.reader().unwrap();
    let [first, other, last] = rows;
    let all = [(1, first), (3, last)];
    assert_eq!(reader.tax(Book::EVENT, 0, 9).unwrap(), all);
    assert_eq!(reader.tax(Book::EVENT, 0, 1).unwrap(), all[..1]);
    assert_eq!(reader.tax(Book::EVENT, 2, 9).unwrap(), all[1..]);
    assert_eq!(reader.tax(Book::OTHER_EVENT, 1, u64::MAX).unwrap(), [(2, other)]);
    assert_eq!(reader.tax(Book::EVENT, u64::MAX, u64::MAX).unwrap(), []);
}

pub(super) fn missing(store: &mut impl Store) {
    let before = dump(store);
    let audit = AuditRow {
        at_ms: 1,
        by: String::new(),
        what: String::new(),
        object: String::new(),
        detail: String::new(),
    };
    let with_case = |case| Office {
        notes: vec![note(case, CaseState::Open, None)],
        audit: vec![audit.clone()],
        ..Office::default()
    };
    let of_nobody = Office {
        users: vec![user("zora", Role::Crew)],
        sessions: vec![session(1, "nobody", 1)],
        ..Office::default()
    };
    for office in [with_case(1), with_case(0), with_case(u64::MAX), of_nobody] {
        let refused = commit(store, office.clone());
        assert!(
            matches!(refused, Err(StoreError::Invalid(_))),
            "{office:?}: {refused:?}"
        );
        assert_eq!(dump(store), before, "and nothing of it is written");
    }
}

pub(super) fn balances(store: &mut impl Store) {
    let book = Book::new();
    book.open(store).unwrap();
    let orders = [
        book.top_up(0, 1, 1, 20_00),
        book.grant(0, 2, 1, 3),
        book.top_up(0, 3, 2, 7_00),
        book.sale(1, 4, 1, 4_50),
    ];
    book.book(store, &orders).unwrap();
    let mut reader = store.reader().unwrap();
    let has = reader.balance(Book::EVENT, Book::tag(1)).unwrap();
    let expected = [
        (Book::key(1, AssetId::EURO), Amount(15_50)),
        (Book::key(1, VOUCHERS), Amount(3)),
        (Book::key(1, AssetId(2)), Amount(1)),
    ];
    assert_eq!(has, expected);
    assert_eq!(reader.balance(Book::OTHER_EVENT, Book::tag(1)).unwrap(), []);
    assert_eq!(reader.balance(Book::EVENT, Book::tag(3)).unwrap(), []);
}
