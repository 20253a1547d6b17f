//! The adapter of the web service against its double: the login, every fault at every command, and what stays true after each.

use std::path::PathBuf;
use std::time::Duration;

use crate::common::{came_off_once, dn, dn_adapter, dn_passwords, dn_settings, sell};
use crate::conformance::two_of_each_are_enough;
use fiscal::tse::{Tse as _, TseError};
use tse_adapters::{Diebold, Secret, diebold};
use tse_mocks::conformance::{TILL, document, key, sale};
use tse_mocks::{DnMock, Fault, Make, lock, now_ms};

const LOGIN: [&str; 8] = [
    "SetDefaultClientID",
    "GetDeviceInfo",
    "PerformSelfTest",
    "UpdateTime",
    "GetDeviceStatus",
    "GetDeviceData",
    "GetDeviceData",
    "Export",
];

fn commands(mock: &DnMock) -> Vec<String> {
    let calls = lock(&mock.double).calls.clone();
    calls.into_iter().filter(|call| call != "PingPong").collect()
}

#[test]
fn the_login_sends_every_command_once_and_in_order() {
    let (mut tse, mock) = dn();
    let info = tse.prepare(now_ms()).expect("it gets ready");
    assert_eq!(commands(&mock), LOGIN);
    assert!(info.name.contains("not certified") && !info.certified, "{}", info.name);
    assert_eq!((info.limits.clients_max, info.limits.open_max), (100, 512));
    assert!(info.valid_until_ms.is_some() && info.certificates.len() == 1);
    tse.prepare(now_ms()).expect("again");
    assert_eq!(commands(&mock).len(), 2 * LOGIN.len() - 1, "the log is read once");
}

#[test]
fn every_fault_at_every_command_is_an_outage_that_ends_and_every_sale_comes_off_once() {
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::HangBefore,
        Fault::HangAfter,
        Fault::Garbage,
        Fault::WrongPing,
        Fault::Code(5_001),
    ];
    let mut calls = LOGIN.to_vec();
    calls.extend(["RegisterClientID", "StartTransaction", "FinishTransaction"]);
    calls.dedup();
    // All at once: what hangs costs no one else's time.
    std::thread::scope(|scope| {
        for call in calls {
            for fault in faults {
                scope.spawn(move || {
                    let (mut tse, mock) = dn();
                    mock.fault(call, fault);
                    let one = sell(&mut tse, 1);
                    // A unit that answers no to an export works without one.
                    if call == "Export" && fault == Fault::Code(5_001) {
                        assert_eq!(one.errors, []);
                    } else {
                        assert!(!one.errors.is_empty(), "{call} {fault:?} was not noticed");
                    }
                    let is_outage = |error: &TseError| matches!(error, TseError::Unavailable(_));
                    assert!(one.errors.iter().all(is_outage), "{call} {fault:?}: {:?}", one.errors);
                    let two = sell(&mut tse, 2);
                    came_off_once(&lock(&mock.double), &[&one, &two]);
                    assert_eq!(tse.open().expect("nothing is open"), [], "{call} {fault:?}");
                });
            }
        }
    });
}

#[test]
fn answers_that_say_no_are_what_they_mean() {
    let told = |code| TseError::AccessDenied(format!("code {code} (planted by a test)"));
    let refused = |code| TseError::Refused(format!("code {code} (planted by a test)"));
    for (code, expected) in [
        (2, refused(2)),
        (4, refused(4)),
        (9, refused(9)),
        (19, TseError::UnknownClient(TILL.to_owned())),
        (21, TseError::TooManyOpen),
        (27, told(27)),
        (30, told(30)),
        (32, told(32)),
        (33, told(33)),
    ] {
        let (mut tse, mock) = dn();
        tse.prepare(now_ms()).expect("it gets ready");
        tse.register(TILL, now_ms()).expect("a till");
        mock.fault("StartTransaction", Fault::Code(code));
        assert_eq!(tse.start(key(1), TILL, now_ms()), Err(expected), "{code}");
        assert!(lock(&mock.double).log.is_empty());
    }
}

#[test]
fn two_answers_lost_in_a_row_still_make_one_transaction() {
    let (mut tse, mock) = dn();
    sell(&mut tse, 1);
    for call in [
        "StartTransaction",
        "Export",
        "GetDeviceInfo",
        "FinishTransaction",
        "Export",
    ] {
        mock.fault(call, Fault::DropAfter);
    }
    sell(&mut tse, 2);
    assert_eq!(lock(&mock.double).log.len(), 4);
}

#[test]
fn power_that_went_takes_the_clock_with_it_and_preparing_sets_it() {
    let (mut tse, mock) = dn();
    let one = sell(&mut tse, 1);
    lock(&mock.double).power_cycle();
    assert_eq!(tse.start(key(2), TILL, now_ms()), Err(TseError::TimeNotSet));
    tse.prepare(now_ms()).expect("it gets ready");
    let two = sell(&mut tse, 2);
    came_off_once(&lock(&mock.double), &[&one, &two]);
}

#[test]
fn a_unit_that_is_out_of_order_says_how() {
    let (mut tse, mock) = dn();
    sell(&mut tse, 1);
    let open = tse.start(key(2), TILL, now_ms()).expect("a start");
    for (condition, expected) in [
        ("full", TseError::Storage),
        ("expired", TseError::CertificateExpired),
        ("disabled", TseError::Disabled),
    ] {
        let mut double = lock(&mock.double);
        double.conditions = tse_mocks::double::Conditions {
            storage_full: condition == "full",
            certificate_expired: condition == "expired",
            disabled: condition == "disabled",
            ..double.conditions
        };
        drop(double);
        assert_eq!(tse.start(key(3), TILL, now_ms()), Err(expected.clone()));
        let end = tse.finish(key(2), TILL, open.transaction, document(&sale(2)), now_ms());
        assert_eq!(end, Err(expected));
    }
    lock(&mock.double).conditions = tse_mocks::double::Conditions::default();
    tse.finish(key(2), TILL, open.transaction, document(&sale(2)), now_ms())
        .expect("an end");
}

#[test]
fn a_certificate_that_is_over_signs_nothing_more() {
    let mock = DnMock::start(Make {
        valid_until_ms: 1_700_000_000_000,
        ..Make::unit()
    });
    let mut tse = dn_adapter(&mock);
    tse.prepare(now_ms()).expect("it gets ready");
    tse.register(TILL, now_ms()).expect("a till");
    assert_eq!(tse.start(key(1), TILL, now_ms()), Err(TseError::CertificateExpired));
    assert!(lock(&mock.double).log.is_empty());
}

#[test]
fn a_wrong_password_is_sent_once() {
    let mock = DnMock::start(Make::unit());
    let passwords = diebold::Passwords {
        time_admin: Secret::new("wrong-0815"),
        ..dn_passwords()
    };
    let mut tse = Diebold::new(dn_settings(&mock), passwords).expect("an adapter");
    for _try in 0..5 {
        let denied = tse.prepare(now_ms()).expect_err("it does not get in");
        assert!(matches!(denied, TseError::AccessDenied(_)), "{denied}");
        assert!(!denied.to_string().contains("wrong-0815"));
    }
    assert_eq!(lock(&mock.double).wrong_passwords, 1);
    let mut right = dn_adapter(&mock);
    right.prepare(now_ms()).expect("the right one still gets in");
    lock(&mock.double).conditions.blocked = true;
    assert!(matches!(right.prepare(now_ms()), Err(TseError::AccessDenied(_))));
    lock(&mock.double).conditions.blocked = false;
    right.prepare(now_ms()).expect("it was unblocked with the PUK");
}

#[test]
fn limits_are_told_and_pass() {
    let mock = DnMock::start(Make {
        clients_max: 2,
        open_max: 2,
        ..Make::unit()
    });
    let mut tse = dn_adapter(&mock);
    two_of_each_are_enough(&mut tse);
    for name in ["", "a till with a name that is too long for it", "till_1"] {
        assert!(
            matches!(tse.register(name, now_ms()), Err(TseError::Refused(_))),
            "{name}"
        );
    }
}

#[test]
fn a_connection_that_went_while_nobody_asked_is_nobodys_error() {
    let (mut tse, mock) = dn();
    let one = sell(&mut tse, 1);
    mock.fault("PingPong", Fault::DropBefore);
    std::thread::sleep(Duration::from_millis(400));
    let two = sell(&mut tse, 2);
    assert_eq!(two.errors, []);
    came_off_once(&lock(&mock.double), &[&one, &two]);
    assert!(lock(&mock.double).calls.iter().any(|call| call == "PingPong"));
}

#[test]
fn a_unit_that_is_not_the_one_entered_is_not_used() {
    let (mut tse, mock) = dn();
    let serial = tse.prepare(now_ms()).expect("it gets ready").serial;
    let with = |serial: String| {
        let settings = diebold::Settings {
            serial: Some(serial),
            ..dn_settings(&mock)
        };
        Diebold::new(settings, dn_passwords()).expect("an adapter")
    };
    with(shared_protocol::ids::hex(&serial).to_uppercase())
        .prepare(now_ms())
        .expect("the one entered");
    let other = with("00".repeat(32)).prepare(now_ms());
    assert!(matches!(other, Err(TseError::Unavailable(why)) if why.contains("another one")));
}

#[test]
fn what_a_server_left_open_is_found_and_ended_by_the_next() {
    let (mut tse, mock) = dn();
    sell(&mut tse, 1);
    let open = tse.start(key(2), TILL, now_ms()).expect("a start");
    mock.fault("StartTransaction", Fault::DropAfter);
    tse.start(key(3), TILL, now_ms())
        .expect_err("its answer is lost, and then the server");
    drop(tse);
    let mut next = dn_adapter(&mock);
    next.begin_at(open.transaction);
    next.prepare(now_ms()).expect("it gets ready");
    let left: Vec<u64> = next
        .open()
        .expect("both")
        .iter()
        .map(|(_, started)| started.transaction)
        .collect();
    assert_eq!(left, [open.transaction, open.transaction + 1]);
    for number in left {
        next.finish(key(9), TILL, number, document(&sale(0)), now_ms())
            .expect("an end");
    }
    assert_eq!(next.open().expect("nothing"), []);
    let before = next.ended(open.transaction - 1).expect("from the log");
    assert_eq!(before.expect("it ended").0, sale(1));
}

#[test]
fn a_unit_without_an_export_works_and_leaves_a_lost_start_open() {
    let (mut tse, mock) = dn();
    mock.fault("Export", Fault::Code(2));
    sell(&mut tse, 1);
    mock.fault("StartTransaction", Fault::DropAfter);
    let two = sell(&mut tse, 2);
    assert_eq!(two.started.transaction, 3);
    let double = lock(&mock.double);
    assert_eq!((double.open().len(), double.log.len()), (1, 5));
    drop(double);
    // Whether an end came about cannot be told, so nobody is told that it did not: the sale would be signed twice.
    let three = tse.start(key(3), TILL, now_ms()).expect("a start").transaction;
    mock.fault("FinishTransaction", Fault::DropAfter);
    let mut end = || tse.finish(key(3), TILL, three, document(&sale(3)), now_ms());
    assert!(matches!(end(), Err(TseError::Unavailable(_))));
    assert_eq!(end(), Err(TseError::UnknownTransaction(three)));
    assert!(matches!(tse.ended(three), Err(TseError::Unsupported(_))));
}

#[test]
fn what_somebody_else_ended_is_found_ended() {
    let (mut tse, mock) = dn();
    sell(&mut tse, 1);
    let open = tse.start(key(2), TILL, now_ms()).expect("a start");
    let mut other = dn_adapter(&mock);
    other.prepare(now_ms()).expect("it gets ready");
    other
        .finish(key(2), TILL, open.transaction, document(&sale(2)), now_ms())
        .expect("an end");
    let again = tse.finish(key(2), TILL, open.transaction, document(&sale(2)), now_ms());
    assert_eq!(again, Err(TseError::UnknownTransaction(open.transaction)));
    let (said, _) = tse.ended(open.transaction).expect("from the log").expect("it ended");
    assert_eq!(said, sale(2));
}

#[test]
fn nobody_there_is_an_outage_that_is_not_hammered() {
    let (mut tse, mock) = dn();
    sell(&mut tse, 1);
    let settings = dn_settings(&mock);
    drop(mock);
    let mut alone = Diebold::new(settings, dn_passwords()).expect("an adapter");
    for tse in [&mut tse, &mut alone] {
        for _try in 0..3 {
            assert!(matches!(tse.prepare(now_ms()), Err(TseError::Unavailable(_))));
            assert!(matches!(
                tse.start(key(2), TILL, now_ms()),
                Err(TseError::Unavailable(_))
            ));
        }
    }
    let wrong = diebold::Settings {
        url: "wss://tse.example/".to_owned(),
        ..diebold::Settings {
            url: String::new(),
            serial: None,
            certificate_id: None,
            admin_password: PathBuf::new(),
            time_admin_password: PathBuf::new(),
            times: diebold::Times::default(),
        }
    };
    assert!(
        Diebold::new(wrong, dn_passwords()).is_err(),
        "the web service has no TLS"
    );
}

#[test]
fn signatures_that_take_their_time_are_waited_for() {
    let mock = DnMock::start(Make {
        signature: Duration::from_millis(250),
        ..Make::unit()
    });
    let times = diebold::Times {
        command_ms: 2_000,
        prepare_ms: 5_000,
        ..crate::common::DN_TIMES
    };
    let settings = diebold::Settings {
        times,
        ..dn_settings(&mock)
    };
    let mut tse = Diebold::new(settings, dn_passwords()).expect("an adapter");
    let one = sell(&mut tse, 1);
    assert_eq!(one.errors, []);
}

#[test]
fn an_export_that_cannot_be_written_or_read_says_so() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("no space left"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let (mut tse, mock) = dn();
    sell(&mut tse, 1);
    assert!(matches!(tse.export(&mut Full), Err(TseError::Refused(why)) if why.contains("no space")));
    mock.fault("Export", Fault::HangBefore);
    assert!(matches!(tse.export(&mut Vec::new()), Err(TseError::Unavailable(_))));
    mock.fault("Export", Fault::Code(2));
    assert!(matches!(tse.export(&mut Vec::new()), Err(TseError::Unsupported(_))));
    let mut bytes = Vec::new();
    assert_eq!(tse.export(&mut bytes), Ok(bytes.len() as u64));
}
