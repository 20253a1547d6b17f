//! The adapter of the cloud against its double: every fault at every request, and what stays true after each.

use std::time::{Duration, Instant};

use crate::common::{came_off_once, credentials, fiskaly, fiskaly_adapter, fiskaly_settings, sell};
use crate::conformance::two_of_each_are_enough;
use fiscal::tse::{Tse as _, TseError};
use tse_adapters::{Fiskaly, Secret, fiskaly};
use tse_mocks::conformance::{TILL, document, key, sale};
use tse_mocks::fiskaly::{ADMIN_PUK, inside};
use tse_mocks::{Fault, FiskalyMock, Make, lock, now_ms};

const CALLS: [&str; 8] = [
    "POST auth",
    "GET tss",
    "GET client",
    "POST admin/auth",
    "PUT client",
    "POST admin/logout",
    "PUT tx 1",
    "PUT tx 2",
];

const FAULTS: [Fault; 9] = [
    Fault::DropBefore,
    Fault::DropAfter,
    Fault::HangBefore,
    Fault::HangAfter,
    Fault::Garbage,
    Fault::Code(500),
    Fault::Code(499),
    Fault::Later(503, 0),
    Fault::Later(429, 0),
];

fn count(mock: &FiskalyMock, name: &str) -> usize {
    lock(&mock.double).calls.iter().filter(|call| *call == name).count()
}

#[test]
fn every_fault_at_every_request_is_mended_within_the_call_and_every_sale_comes_off_once() {
    std::thread::scope(|scope| {
        for call in CALLS {
            for fault in FAULTS {
                scope.spawn(move || {
                    let (mut tse, mock) = fiskaly();
                    mock.fault(call, fault);
                    let (one, two) = (sell(&mut tse, 1), sell(&mut tse, 2));
                    assert!(count(&mock, call) >= 2, "{call} {fault:?} was not asked again");
                    came_off_once(&lock(&mock.double), &[&one, &two]);
                    assert_eq!(tse.open().expect("nothing is open"), [], "{call} {fault:?}");
                });
            }
        }
    });
}

fn attempt(tse: &mut Fiskaly) -> Result<(), TseError> {
    tse.prepare(now_ms())?;
    tse.register(TILL, now_ms())?;
    let transaction = tse.start(key(1), TILL, now_ms())?.transaction;
    let done = tse.finish(key(1), TILL, transaction, document(&sale(1)), now_ms());
    done.map(drop)
}

#[test]
fn a_fault_that_stays_is_an_outage_and_every_sale_comes_off_once_when_it_goes() {
    std::thread::scope(|scope| {
        for call in CALLS.into_iter().filter(|call| *call != "POST admin/logout") {
            for fault in FAULTS {
                scope.spawn(move || {
                    let (mut tse, mock) = fiskaly();
                    for _many in 0..40 {
                        mock.fault(call, fault);
                    }
                    let Err(first) = attempt(&mut tse) else {
                        panic!("{call} {fault:?} was not noticed");
                    };
                    let is_expected = match fault {
                        // It says when to come back, and that is soon: until the time is over, or the faults are.
                        Fault::Later(429, _) => matches!(first, TseError::Busy { .. } | TseError::Unavailable(_)),
                        _ => matches!(first, TseError::Unavailable(_)),
                    };
                    assert!(is_expected, "{call} {fault:?}: {first:?}");
                    lock(&mock.double).faults.clear();
                    let one = sell(&mut tse, 1);
                    came_off_once(&lock(&mock.double), &[&one]);
                });
            }
        }
    });
}

#[test]
fn a_service_that_wants_to_be_left_alone_is_and_says_for_how_long() {
    for status in [429, 423] {
        let (mut tse, mock) = fiskaly();
        sell(&mut tse, 1);
        mock.fault("PUT tx 1", Fault::Later(status, 30));
        let began = Instant::now();
        assert_eq!(
            tse.start(key(2), TILL, now_ms()),
            Err(TseError::Busy { after_ms: 30_000 })
        );
        assert!(
            began.elapsed() < Duration::from_secs(1),
            "nobody waits for half a minute"
        );
        let two = sell(&mut tse, 2);
        assert_eq!(two.started.transaction, 2);
    }
}

#[test]
fn a_token_that_ended_is_renewed_and_nobody_notices() {
    let (mut tse, mock) = fiskaly();
    sell(&mut tse, 1);
    mock.forget_tokens();
    assert_eq!(sell(&mut tse, 2).errors, []);
    assert_eq!(inside(&mock.service).logins, 2, "the refresh token was forgotten too");
    inside(&mock.service).token_for = Duration::from_secs(2);
    mock.forget_tokens();
    assert_eq!(sell(&mut tse, 3).errors, []);
    // After nine tenths of two seconds it is renewed before it is refused, and without the key.
    std::thread::sleep(Duration::from_millis(1_900));
    assert_eq!(sell(&mut tse, 4).errors, []);
    // One at first, then twice a refresh token that was forgotten and the key, then the refresh token.
    assert_eq!((inside(&mock.service).logins, count(&mock, "POST auth")), (3, 6));
}

#[test]
fn a_wrong_key_and_a_wrong_pin_are_sent_once() {
    let mock = FiskalyMock::start(Make::service());
    let wrong = fiskaly::Credentials {
        api_secret: Secret::new("wrong-0815"),
        ..credentials()
    };
    let mut tse = Fiskaly::new(fiskaly_settings(&mock), wrong).expect("an adapter");
    for _try in 0..3 {
        let denied = tse.prepare(now_ms()).expect_err("it does not get in");
        assert!(
            matches!(&denied, TseError::AccessDenied(why) if !why.contains("0815")),
            "{denied}"
        );
    }
    assert_eq!(count(&mock, "POST auth"), 1);

    let wrong = fiskaly::Credentials {
        admin_pin: Secret::new("wrong-0815"),
        ..credentials()
    };
    let mut tse = Fiskaly::new(fiskaly_settings(&mock), wrong).expect("an adapter");
    tse.prepare(now_ms()).expect("the key is right");
    for _try in 0..3 {
        let denied = tse.register(TILL, now_ms()).expect_err("it may not");
        assert!(
            matches!(&denied, TseError::AccessDenied(why) if !why.contains("0815")),
            "{denied}"
        );
    }
    assert_eq!(lock(&mock.double).wrong_passwords, 1);

    lock(&mock.double).conditions.blocked = true;
    let mut tse = fiskaly_adapter(&mock);
    assert!(matches!(tse.register(TILL, now_ms()), Err(TseError::AccessDenied(_))));
}

#[test]
fn a_tss_is_brought_from_its_creation_to_where_it_signs() {
    let mock = FiskalyMock::start(Make::service());
    "CREATED".clone_into(&mut inside(&mock.service).state);
    let mut tse = fiskaly_adapter(&mock);
    assert!(matches!(tse.prepare(now_ms()), Err(TseError::Unavailable(why)) if why.contains("CREATED")));
    assert!(tse.unset().create().expect("its PUK") == Secret::new(ADMIN_PUK));
    let denied = tse.unset().initialise(&Secret::new("wrong-0815"));
    assert!(matches!(denied, Err(TseError::AccessDenied(_))), "{denied:?}");
    assert_eq!(inside(&mock.service).state, "UNINITIALIZED");
    tse.unset()
        .initialise(&Secret::new(ADMIN_PUK))
        .expect("it goes on from there");
    tse.unset().initialise(&Secret::new(ADMIN_PUK)).expect("nothing to do");
    assert!(tse.unset().create().is_err(), "a PUK is shown once");
    assert_eq!(sell(&mut tse, 1).errors, []);
}

#[test]
fn a_tss_that_was_put_out_of_use_says_so() {
    let (mut tse, mock) = fiskaly();
    sell(&mut tse, 1);
    lock(&mock.double).conditions.disabled = true;
    mock.fault("PUT tx 1", Fault::Code(400));
    assert_eq!(tse.start(key(2), TILL, now_ms()), Err(TseError::Disabled));
    assert_eq!(tse.prepare(now_ms()), Err(TseError::Disabled));
}

#[test]
fn a_certificate_that_is_over_signs_nothing_more() {
    let mock = FiskalyMock::start(Make {
        valid_until_ms: 1_700_000_000_000,
        ..Make::service()
    });
    let mut tse = fiskaly_adapter(&mock);
    tse.prepare(now_ms()).expect("it tells what it is");
    assert_eq!(tse.start(key(1), TILL, now_ms()), Err(TseError::CertificateExpired));
    assert!(lock(&mock.double).log.is_empty());
}

#[test]
fn limits_are_counted_and_pass() {
    let mock = FiskalyMock::start(Make {
        clients_max: 2,
        open_max: 2,
        ..Make::service()
    });
    let mut tse = fiskaly_adapter(&mock);
    two_of_each_are_enough(&mut tse);
    tse.deregister(TILL, now_ms()).expect_err("it has an open transaction");
}

#[test]
fn all_that_is_open_is_listed_however_many_pages_it_takes() {
    let (mut tse, _mock) = fiskaly();
    tse.prepare(now_ms()).expect("it gets ready");
    tse.register(TILL, now_ms()).expect("a till");
    for number in 0..250 {
        tse.start(key(number), TILL, now_ms()).expect("a start");
    }
    let open = tse.open().expect("all");
    assert!(open.iter().map(|(_, started)| started.transaction).eq(1..=250));
}

#[test]
fn what_another_server_began_or_ended_is_found_by_its_key() {
    let (mut tse, mock) = fiskaly();
    sell(&mut tse, 1);
    let open = tse.start(key(2), TILL, now_ms()).expect("a start");
    let mut next = fiskaly_adapter(&mock);
    assert_eq!(next.start(key(2), TILL, now_ms()).as_ref(), Ok(&open), "the same key");
    let done = next.finish(key(2), TILL, open.transaction, document(&sale(2)), now_ms());
    let done = done.expect("an end");
    // The first one still takes it for open; its revision is refused, and what is there counts.
    let again = tse.finish(key(2), TILL, open.transaction, document(&sale(2)), now_ms());
    assert_eq!(again, Ok(done));
    let changed = tse.finish(key(2), TILL, open.transaction, document(&sale(3)), now_ms());
    assert_eq!(changed, Err(TseError::UnknownTransaction(open.transaction)));
    let fresh = fiskaly_adapter(&mock)
        .start(key(2), TILL, now_ms())
        .expect("the key is free again");
    assert_eq!(fresh.transaction, open.transaction + 1);
    assert_eq!(lock(&mock.double).log.len(), 5);
}

#[test]
fn an_address_without_tls_and_an_authority_that_is_none_are_refused() {
    let mock = FiskalyMock::start(Make::service());
    for url in ["http://kassensichv.example/api/v2", "ftp://x/", "no address"] {
        let settings = fiskaly::Settings {
            url: url.to_owned(),
            ..fiskaly_settings(&mock)
        };
        assert!(Fiskaly::new(settings, credentials()).is_err(), "{url}");
    }
    let settings = fiskaly::Settings {
        authority: Some("/nowhere/at-all.pem".into()),
        ..fiskaly_settings(&mock)
    };
    assert!(Fiskaly::new(settings, credentials()).is_err());
}

#[test]
fn an_export_is_waited_for_and_comes_in_pieces() {
    let (mut tse, mock) = fiskaly();
    for number in 1..=40 {
        sell(&mut tse, number);
    }
    let mut bytes = Vec::new();
    let written = tse.export(&mut bytes).expect("an export");
    assert_eq!(
        (written, &bytes),
        (bytes.len() as u64, &lock(&mock.double).export(0, u64::MAX))
    );
    assert_eq!(count(&mock, "GET export"), 3);
    mock.fault("PUT export", Fault::Later(429, 60));
    assert_eq!(tse.export(&mut Vec::new()), Err(TseError::Busy { after_ms: 60_000 }));
    mock.fault("GET file", Fault::HangBefore);
    assert!(matches!(tse.export(&mut Vec::new()), Err(TseError::Unavailable(_))));
}
