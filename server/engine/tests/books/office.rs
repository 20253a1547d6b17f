//! What the office does goes the way of all commands: durable before it is answered, and what it names must be there.

use engine::{Reply, Request, Settled};
use fixtures::sample::PILS;
use shared_protocol::order::OrderKind;
use store::{AuditRow, CaseNote, CaseState, Office, Role, SessionRow, UserRow};

use crate::common::{NOW, Server, tag, till_that_books};

fn note(case: u64) -> Office {
    Office {
        notes: vec![CaseNote {
            case,
            at_ms: NOW,
            by: "zora".to_owned(),
            state: CaseState::Taken,
            owner: Some("zora".to_owned()),
            text: String::new(),
        }],
        audit: vec![AuditRow {
            at_ms: NOW,
            by: "zora".to_owned(),
            what: "case.take".to_owned(),
            object: format!("case {case}"),
            detail: String::new(),
        }],
        ..Office::default()
    }
}

fn session(user: &str) -> Office {
    Office {
        sessions: vec![SessionRow {
            token: [7; 32],
            user: user.to_owned(),
            opened_at_ms: NOW,
            expires_at_ms: NOW + 1,
        }],
        ..Office::default()
    }
}

fn ask(server: &mut Server, office: Office) -> Settled {
    match server.ask(Request::Office(Box::new(office))) {
        Reply::Settled(settled) => settled,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_the_office_does_is_durable_when_it_is_answered() {
    let mut server = Server::new();
    let mut bar = till_that_books(&mut server, &[OrderKind::Sale], 2);
    bar.sell(tag(1), &[(PILS, 1)]);
    server.sync(&mut bar);
    assert_eq!(server.cases().len(), 1, "the wristband had nothing");
    let zora = UserRow {
        name: "zora".to_owned(),
        role: Role::Crew,
        password: "$argon2id$".to_owned(),
        active: true,
        changed_at_ms: NOW,
    };
    let first = Office {
        users: vec![zora.clone()],
        ..session("zora")
    };
    assert_eq!(ask(&mut server, first), Settled::Done);
    assert_eq!(ask(&mut server, note(1)), Settled::Done);
    let mut reader = server.restarted().engine.reader().unwrap();
    assert_eq!(reader.user("zora").unwrap(), Some(zora));
    assert_eq!(reader.session(&[7; 32]).unwrap(), session("zora").sessions.pop());
    assert_eq!(reader.case(1).unwrap().map(|row| row.state), Some(CaseState::Taken));
    assert_eq!(reader.audit(None, None, 9).unwrap().len(), 1);
}

#[test]
fn a_case_or_a_user_that_is_not_there_is_refused_and_ends_nothing() {
    let mut server = Server::new();
    for office in [note(1), note(0), note(u64::MAX), session("nobody")] {
        assert!(matches!(ask(&mut server, office), Settled::Refused(_)));
        assert!(!server.engine.failed());
    }
    let mut reader = server.engine.reader().unwrap();
    assert_eq!(reader.audit(None, None, 9).unwrap(), [], "nothing of it is stored");
}
