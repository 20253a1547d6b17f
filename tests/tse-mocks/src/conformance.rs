//! What every TSE behind the trait has to keep, whoever made it: one suite that the TSE in software and each adapter pass.
#![expect(
    clippy::missing_panics_doc,
    clippy::expect_used,
    reason = "a suite of tests says no by failing"
)]

use bp384::BrainpoolP384r1;
use ecdsa::signature::Verifier as _;
use ecdsa::{Signature, VerifyingKey};
use fiscal::log_message::{LogMessage, Operation};
use fiscal::process_data::{KASSENBELEG_V1, Kassenbeleg};
use fiscal::tse::{Curve, Document, Finished, Logged, Started, TransactionKey, Tse, TseError, TseInfo};
use p256::NistP256;

use crate::double::now_ms;

/// A till of the suite.
pub const TILL: &str = "ef82abcd-00001";
const OTHER: &str = "ef82abcd-00002";

/// A document with these process data.
pub const fn document(process_data: &str) -> Document<'_> {
    Document {
        process_type: KASSENBELEG_V1,
        process_data,
        receipt: None,
    }
}

/// A key that is made of one byte.
pub const fn key(byte: u8) -> TransactionKey {
    TransactionKey([byte; 16])
}

/// Process data that differ by a number.
pub fn sale(number: u64) -> String {
    Kassenbeleg::ABORTED
        .to_string()
        .replace("0.00^", &format!("{number}.00^"))
}

/// Runs the suite; each part takes a fresh TSE, and what keeps it alive.
pub fn all<T: Tse, G>(mut fresh: impl FnMut() -> (T, G)) {
    let parts: [fn(T); 8] = [
        the_log_says_what_was_done_since,
        it_says_what_it_is_as_often_as_it_is_prepared,
        tills_come_and_go,
        both_ends_of_a_transaction_are_signed,
        a_key_is_one_transaction_while_that_is_open,
        nothing_ends_twice,
        what_is_open_is_listed_and_what_ended_is_found,
        an_export_is_a_tar_or_is_not_to_be_had,
    ];
    for part in parts {
        let (tse, _alive) = fresh();
        part(tse);
    }
}

fn ready<T: Tse>(tse: &mut T) -> TseInfo {
    let info = tse.prepare(now_ms()).expect("it gets ready");
    tse.register(TILL, now_ms()).expect("a till");
    info
}

fn it_says_what_it_is_as_often_as_it_is_prepared<T: Tse>(mut tse: T) {
    let info = tse.prepare(now_ms()).expect("it gets ready");
    let again = tse.prepare(now_ms()).expect("it gets ready again");
    assert_eq!((&info.serial, &info.public_key), (&again.serial, &again.public_key));
    assert!(!info.certified, "no test double and no software is certified");
    assert!(info.limits.clients_max > 0 && info.limits.open_max > 0 && info.limits.signature_ms > 0);
    assert!(!info.name.is_empty());
}

fn tills_come_and_go<T: Tse>(mut tse: T) {
    ready(&mut tse);
    let refused = tse.start(key(1), OTHER, now_ms());
    assert_eq!(refused, Err(TseError::UnknownClient(OTHER.to_owned())));
    tse.register(OTHER, now_ms()).expect("a till");
    tse.register(OTHER, now_ms()).expect("the same till again");
    tse.status(now_ms()).expect("how it is");
    tse.deregister(OTHER, now_ms()).expect("it goes");
    tse.deregister(OTHER, now_ms()).expect("it goes again");
    let refused = tse.start(key(1), OTHER, now_ms());
    assert_eq!(refused, Err(TseError::UnknownClient(OTHER.to_owned())));
    tse.register(OTHER, now_ms()).expect("it comes back");
    tse.start(key(1), OTHER, now_ms()).expect("a start");
}

fn both_ends_of_a_transaction_are_signed<T: Tse>(mut tse: T) {
    let info = ready(&mut tse);
    let mut before = 0;
    for number in 1..=3 {
        let data = sale(u64::from(number));
        let started = tse.start(key(number), TILL, now_ms()).expect("a start");
        let done = tse.finish(key(number), TILL, started.transaction, document(&data), now_ms());
        let finished = done.expect("an end");
        assert!(before < started.counter && started.counter < finished.counter);
        assert!(started.time_s <= finished.time_s);
        before = finished.counter;
        assert!(holds(&info, TILL, &started, None), "the signature of a start");
        assert!(
            holds(&info, TILL, &started, Some((&data, &finished))),
            "the signature of an end"
        );
        let other = sale(99);
        assert!(!holds(&info, TILL, &started, Some((&other, &finished))));
    }
}

fn a_key_is_one_transaction_while_that_is_open<T: Tse>(mut tse: T) {
    ready(&mut tse);
    let one = tse.start(key(1), TILL, now_ms()).expect("a start");
    assert_eq!(tse.start(key(1), TILL, now_ms()).as_ref(), Ok(&one), "asked again");
    let two = tse.start(key(2), TILL, now_ms()).expect("another start");
    assert_ne!(one.transaction, two.transaction);
    tse.finish(key(1), TILL, one.transaction, document(&sale(1)), now_ms())
        .expect("an end");
    let three = tse.start(key(1), TILL, now_ms()).expect("the key is free again");
    assert!(three.transaction > two.transaction);
    let open = tse.open().expect("what is open");
    assert_eq!(open.len(), 2);
}

fn nothing_ends_twice<T: Tse>(mut tse: T) {
    ready(&mut tse);
    tse.register(OTHER, now_ms()).expect("a till");
    let one = tse.start(key(1), TILL, now_ms()).expect("a start");
    let number = one.transaction;
    let foreign = tse.finish(key(1), OTHER, number, document(&sale(1)), now_ms());
    assert_eq!(foreign, Err(TseError::UnknownTransaction(number)), "another till's");
    let never = tse.finish(key(9), TILL, number + 50, document(&sale(1)), now_ms());
    assert_eq!(never, Err(TseError::UnknownTransaction(number + 50)));
    let done = tse.finish(key(1), TILL, number, document(&sale(1)), now_ms());
    let done = done.expect("an end");
    match tse.finish(key(1), TILL, number, document(&sale(1)), now_ms()) {
        Ok(again) => assert_eq!(again, done, "the same end"),
        Err(error) => assert_eq!(error, TseError::UnknownTransaction(number)),
    }
    let changed = tse.finish(key(1), TILL, number, document(&sale(2)), now_ms());
    assert_eq!(changed, Err(TseError::UnknownTransaction(number)));
    assert_eq!(tse.ended(number).expect("its end"), Some((sale(1), done)));
}

fn what_is_open_is_listed_and_what_ended_is_found<T: Tse>(mut tse: T) {
    ready(&mut tse);
    assert_eq!(tse.open().expect("nothing is open"), []);
    let one = tse.start(key(1), TILL, now_ms()).expect("a start");
    let two = tse.start(key(2), TILL, now_ms()).expect("a start");
    let open = tse.open().expect("both are open");
    assert_eq!(open, [(TILL.to_owned(), one.clone()), (TILL.to_owned(), two.clone())]);
    assert_eq!(tse.ended(one.transaction).expect("not yet"), None);
    let done = tse.finish(key(1), TILL, one.transaction, document(&sale(7)), now_ms());
    let done = done.expect("an end");
    assert_eq!(tse.open().expect("one is open"), [(TILL.to_owned(), two)]);
    assert_eq!(tse.ended(one.transaction).expect("its end"), Some((sale(7), done)));
    assert_eq!(tse.ended(one.transaction + 50).expect("nothing"), None);
}

fn the_log_says_what_was_done_since<T: Tse>(mut tse: T) {
    ready(&mut tse);
    tse.register(OTHER, now_ms()).expect("a till");
    assert_eq!(tse.since(1, "").expect("nothing yet"), []);
    let mut logged = Vec::new();
    for (number, till) in [(1, TILL), (2, OTHER), (3, TILL)] {
        let started = tse.start(key(number), till, now_ms()).expect("a start");
        let data = sale(u64::from(number));
        let done = tse.finish(key(number), till, started.transaction, document(&data), now_ms());
        let (client, end) = (till.to_owned(), Some((data, done.expect("an end"))));
        logged.push(Logged { client, started, end });
    }
    let started = tse.start(key(9), TILL, now_ms()).expect("a start");
    let (client, end) = (TILL.to_owned(), None);
    logged.push(Logged { client, started, end });
    let first = logged.first().expect("four").started.transaction;
    assert_eq!(tse.since(first, "").expect("all"), logged);
    let mine: Vec<Logged> = logged
        .iter()
        .skip(1)
        .filter(|one| one.client == TILL)
        .cloned()
        .collect();
    assert_eq!(tse.since(first + 1, TILL).expect("one till's"), mine);
    assert_eq!(tse.since(first + 4, "").expect("no more"), []);
}

fn an_export_is_a_tar_or_is_not_to_be_had<T: Tse>(mut tse: T) {
    ready(&mut tse);
    for number in 1..=20 {
        let started = tse.start(key(number), TILL, now_ms()).expect("a start");
        tse.finish(key(number), TILL, started.transaction, document(&sale(1)), now_ms())
            .expect("an end");
    }
    let mut bytes = Vec::new();
    match tse.export(&mut bytes) {
        Err(error) => assert!(matches!(error, TseError::Unsupported(_)), "{error}"),
        Ok(written) => {
            assert_eq!(written, bytes.len() as u64);
            let mut archive = tar::Archive::new(bytes.as_slice());
            let entries = archive.entries().expect("a TAR");
            let logs = entries.filter(|entry| {
                let path = entry
                    .as_ref()
                    .ok()
                    .and_then(|entry| entry.path().ok().map(std::borrow::Cow::into_owned));
                path.is_some_and(|path| path.to_string_lossy().contains("_Log-Tra_"))
            });
            assert_eq!(logs.count(), 40);
        }
    }
}

/// Whether the signature of a start, or of an end, holds. Those of a start are over an empty type and empty data.
pub fn holds(info: &TseInfo, client: &str, started: &Started, end: Option<(&str, &Finished)>) -> bool {
    let message = LogMessage {
        operation: end.map_or(Operation::Start, |_| Operation::Finish),
        client,
        process_data: end.map_or("", |(data, _)| data),
        process_type: end.map_or("", |_| KASSENBELEG_V1),
        transaction: started.transaction,
        serial: info.serial,
        curve: info.curve,
        counter: end.map_or(started.counter, |(_, finished)| finished.counter),
        time_s: end.map_or(started.time_s, |(_, finished)| finished.time_s),
    };
    let signed = message.to_be_signed();
    let signature = end.map_or(&started.signature, |(_, finished)| &finished.signature);
    match info.curve {
        Curve::BrainpoolP384 => {
            let key = VerifyingKey::<BrainpoolP384r1>::from_sec1_bytes(&info.public_key).expect("a key");
            Signature::from_slice(signature).is_ok_and(|signature| key.verify(&signed, &signature).is_ok())
        }
        Curve::P256 => {
            let key = VerifyingKey::<NistP256>::from_sec1_bytes(&info.public_key).expect("a key");
            Signature::from_slice(signature).is_ok_and(|signature| key.verify(&signed, &signature).is_ok())
        }
    }
}
