//! The purse on a simulated wristband, as a till, a desk and an encoder use it.

use crate::common::{Deed, Festival, credit, image, issue, open, pay, settings, top_up};
use chips::purse::encode::{EncodeFault, Unfit, audit, encode};
use chips::purse::{Books, Knowledge, LastKnown, Limits, LoadRefusal, Outcome, Payment, PlanRefusal, Resolution, load};
use chips::simulated::{Fault, IdentityChip, Quirks, SimulatedField, Tear, UltralightAesChip};
use chips::{Field as _, FieldFault, KeyRefusal};
use shared_protocol::Amount;
use shared_protocol::ids::parse_hex;
use shared_protocol::purse::{ChainId, Purpose, PurseFault, PurseSettings, Uid};

const RANDOM: [[u8; 16]; 3] = [*b"sixteen bytes 1.", *b"sixteen bytes 2.", *b"sixteen bytes 3."];

#[test]
fn money_goes_on_and_comes_off() {
    let festival = Festival::new(settings());
    let mut reader = festival.reader(0);
    assert_eq!(
        festival.does(&mut reader, &top_up(4_000, 200)).outcome,
        Outcome::Committed
    );
    assert_eq!(festival.does(&mut reader, &pay(450, 200)).outcome, Outcome::Committed);
    assert_eq!(
        festival.does(&mut reader, &credit(ChainId::Return, 200, 7)).outcome,
        Outcome::Committed
    );
    let claim = Deed::Claim(festival.batch.pending(0, 30));
    assert_eq!(festival.does(&mut reader, &claim).outcome, Outcome::Committed);
    let loaded = festival.look(&mut reader).unwrap();
    assert_eq!(loaded.balance(), Amount(4_000 - 450 + 200 + 300));
    let record = loaded.purse.newest_record().unwrap();
    assert_eq!((record.amount, record.after, record.terminal), (450, 450, 200));
}

#[test]
fn a_pending_credit_is_spent_in_the_tap_that_folds_it() {
    let festival = Festival::new(settings());
    let mut reader = festival.reader(0);
    let payment = Payment {
        cents: 350,
        terminal: 3,
        ..Payment::default()
    };
    let stale = festival.batch.pending(0, 5);
    let fresh = festival.batch.pending(0, 40);
    let stranger = festival.batch.pending(1, 60);
    let mut tap = festival.tap(&mut reader, &Knowledge::default()).unwrap();
    let refused = tap
        .loaded
        .plan_pay(&payment, &[stranger], &Limits::default())
        .unwrap_err();
    assert_eq!(
        refused,
        PlanRefusal::TooLow {
            free: Amount(0),
            wanted: Amount(350)
        },
        "a credit of another wristband is worth nothing"
    );
    let plan = tap
        .loaded
        .plan_pay(&payment, &[stale, stranger, fresh], &Limits::default())
        .unwrap();
    assert_eq!(tap.commit(&plan).outcome, Outcome::Committed);
    assert_eq!(tap.loaded.balance(), Amount(50));
    let again = tap.loaded.plan_pending(&[fresh, stale], 3, &Limits::default());
    assert_eq!(again.unwrap_err(), PlanRefusal::Nothing, "a credit is folded once");
}

#[test]
fn vouchers_are_money_set_aside() {
    let festival = Festival::new(settings());
    let mut reader = festival.reader(0);
    festival.does(&mut reader, &top_up(500, 200));
    festival.does(&mut reader, &issue([2, 0], 200));
    let loaded = festival.look(&mut reader).unwrap();
    assert_eq!(
        loaded.free(),
        Amount(500 - 800),
        "issued, and their money has not followed yet"
    );
    festival.does(&mut reader, &top_up(800, 200));
    let loaded = festival.look(&mut reader).unwrap();
    assert_eq!((loaded.free(), loaded.purse.reserved()), (Amount(500), Amount(800)));

    let redeem = |cents, vouchers| Payment {
        cents,
        vouchers,
        terminal: 1,
        ..Payment::default()
    };
    let limits = Limits::default();
    assert_eq!(
        loaded.plan_pay(&redeem(501, [0, 0]), &[], &limits).unwrap_err(),
        PlanRefusal::TooLow {
            free: Amount(500),
            wanted: Amount(501)
        }
    );
    assert_eq!(
        loaded.plan_pay(&redeem(0, [3, 0]), &[], &limits).unwrap_err(),
        PlanRefusal::VouchersTooLow { kind: 0, left: 2 }
    );
    assert_eq!(
        festival.does(&mut reader, &Deed::Pay(redeem(300, [1, 0]))).outcome,
        Outcome::Committed
    );
    let loaded = festival.look(&mut reader).unwrap();
    assert_eq!((loaded.free(), loaded.purse.reserved()), (Amount(200), Amount(400)));
}

#[test]
fn limits_and_ends_are_refused_before_anything_is_written() {
    let festival = Festival::new(settings());
    let mut reader = festival.reader(0);
    festival.does(&mut reader, &top_up(10_000, 200));
    let loaded = festival.look(&mut reader).unwrap();
    let tight = Limits {
        payment_cents_max: Some(5_000),
        balance_cents_max: Some(10_500),
    };
    let payment = Payment {
        cents: 5_001,
        ..Payment::default()
    };
    assert_eq!(
        loaded.plan_pay(&payment, &[], &tight).unwrap_err(),
        PlanRefusal::PaymentLimit { max: 5_000 }
    );
    let Deed::TopUp(more) = top_up(600, 1) else {
        unreachable!()
    };
    assert_eq!(
        loaded.plan_top_up(&festival.desk, &more, &tight).unwrap_err(),
        PlanRefusal::BalanceLimit { max: 10_500 }
    );
    assert!(matches!(
        loaded.plan_top_up(&festival.sale, &more, &Limits::default()),
        Err(PlanRefusal::Keys(KeyRefusal::Missing(_)))
    ));
    let refused = |deed| festival.plan(&loaded, &deed).unwrap_err();
    assert_eq!(refused(top_up(30, 1)), PlanRefusal::OffStep { unit: 50 });
    assert_eq!(
        refused(top_up(2_050, 1)),
        PlanRefusal::ChainFull,
        "240 units, 200 are there"
    );
    assert_eq!(refused(pay(0, 1)), PlanRefusal::Nothing);

    reader.restart();
    reader.chip.set_counter(2, 0x00FF_FFFF - 100);
    let frozen = Knowledge {
        frozen_desk: Some(10),
        ..Knowledge::default()
    };
    let tap = festival.tap(&mut reader, &frozen).unwrap();
    assert_eq!(
        festival.plan(&tap.loaded, &pay(101, 1)).unwrap_err(),
        PlanRefusal::CounterFull
    );
    assert_eq!(
        festival.plan(&tap.loaded, &top_up(50, 1)).unwrap_err(),
        PlanRefusal::Frozen
    );
    assert!(
        tap.loaded.balance().is_negative(),
        "a counter that was driven up leaves less than nothing"
    );
}

#[test]
fn a_wristband_is_checked_against_what_the_till_knows() {
    let festival = Festival::new(settings());
    let mut reader = festival.reader(0);
    festival.does(&mut reader, &top_up(4_000, 200));
    let old = image(&reader.chip);
    festival.does(&mut reader, &top_up(1_000, 200));
    festival.does(&mut reader, &pay(450, 200));
    let loaded = festival.look(&mut reader).unwrap();
    let observed = loaded.observed();
    assert_eq!(
        observed,
        LastKnown {
            counter: 450,
            units: [100, 0, 0]
        }
    );
    let knows = Knowledge {
        last_known: Some(observed),
        walk: Some(loaded.purse.walk()),
        ..Knowledge::default()
    };
    reader.restart();
    assert!(festival.tap(&mut reader, &knows).is_ok());
    for (page, bytes) in (4..).zip(old.pages) {
        reader.chip.set_page(page, bytes);
    }
    reader.restart();
    assert_eq!(festival.tap(&mut reader, &knows).unwrap_err(), LoadRefusal::Regression);
    reader.restart();
    let blocked = Knowledge {
        blocked: true,
        ..Knowledge::default()
    };
    assert_eq!(festival.tap(&mut reader, &blocked).unwrap_err(), LoadRefusal::Blocked);
    assert_eq!(reader.exchanges(), 0, "a blocked wristband is not even asked");
    reader.restart();
    let frozen = Knowledge {
        frozen_desk: Some(20),
        ..Knowledge::default()
    };
    assert_eq!(
        festival.tap(&mut reader, &frozen).unwrap().loaded.balance(),
        Amount(1_000 - 450)
    );
}

#[test]
fn chips_of_other_batches_events_and_kinds_are_refused() {
    let festival = Festival::new(settings());
    let stranger = Festival::new(PurseSettings {
        event: 78,
        ..settings()
    });
    let mut reader = stranger.reader(0);
    assert_eq!(
        festival.tap(&mut reader, &Knowledge::default()).unwrap_err(),
        LoadRefusal::Purse(PurseFault::Forged),
        "keys and batch alike, another event"
    );
    let mut reader = festival.reader(9);
    assert_eq!(
        festival.tap(&mut reader, &Knowledge::default()).unwrap_err(),
        LoadRefusal::Purse(PurseFault::NotListed)
    );
    let mut reader = SimulatedField::new(UltralightAesChip::factory(festival.batch.uid(0)));
    assert_eq!(
        festival.tap(&mut reader, &Knowledge::default()).unwrap_err(),
        LoadRefusal::NoPurse
    );
    let mut ntag = SimulatedField::new(IdentityChip::ntag213(festival.batch.uid(0).tag()));
    let selected = ntag.reselect().unwrap();
    let mut keys = festival.batch.sale_keys();
    let books = Books {
        keys: &keys,
        lists: &festival.lists,
    };
    let refused = load(&mut ntag, &selected, &books, &Knowledge::default(), RANDOM[0]);
    assert_eq!(refused.unwrap_err(), LoadRefusal::NoPurse);
    keys.revoke(5);
    let books = Books {
        keys: &keys,
        lists: &festival.lists,
    };
    let mut reader = festival.reader(0);
    let selected = reader.reselect().unwrap();
    let refused = load(&mut reader, &selected, &books, &Knowledge::default(), RANDOM[0]);
    assert_eq!(refused.unwrap_err(), LoadRefusal::Keys(KeyRefusal::Revoked(5)));
    let books = Books {
        keys: &festival.sale,
        lists: &festival.lists,
    };
    let refused = load(&mut reader, &selected, &books, &Knowledge::default(), [7; 16]);
    assert!(
        matches!(refused, Err(LoadRefusal::Link(_))),
        "no randomness, no session"
    );
}

#[test]
fn a_payment_whose_answer_was_lost_is_served_at_the_next_tap() {
    let festival = Festival::new(settings());
    let mut reader = festival.reader(0);
    festival.does(&mut reader, &top_up(4_000, 200));
    reader.restart();
    let mut tap = festival.tap(&mut reader, &Knowledge::default()).unwrap();
    let plan = festival.plan(&tap.loaded, &pay(450, 1)).unwrap();
    let last = 5 + plan.steps.len() - 1;
    drop(tap);
    reader.restart();
    reader.faults.insert(last, Fault::RemovedAfter);
    tap = festival.tap(&mut reader, &Knowledge::default()).unwrap();
    let done = tap.commit(&plan);
    assert_eq!(done.outcome, Outcome::Unknown);
    assert_eq!(tap.commit(&plan).outcome, Outcome::Unknown, "nothing more is sent");
    reader.restart();
    let tap = festival.tap(&mut reader, &open(&plan.intent)).unwrap();
    assert_eq!(tap.loaded.resolve(&plan.intent), Resolution::Committed);
    assert_eq!(tap.loaded.balance(), Amount(3_550));
    let mut other = festival.reader(1);
    let loaded = festival.look(&mut other).unwrap();
    assert_eq!(loaded.resolve(&plan.intent), Resolution::OtherWristband);
}

#[test]
fn another_wristband_between_two_frames_pays_nothing() {
    let festival = Festival::new(settings());
    for exchange in 1..14 {
        let mut reader = festival.reader(0);
        festival.does(&mut reader, &top_up(4_000, 200));
        let mut second = festival.reader(1);
        festival.does(&mut second, &top_up(9_000, 200));
        reader.restart();
        let before = (image(&reader.chip), image(&second.chip));
        reader.other = Some(second.chip);
        reader.faults.insert(exchange, Fault::Swapped);
        let outcome = match festival.tap(&mut reader, &Knowledge::default()) {
            Ok(mut tap) => {
                let plan = festival.plan(&tap.loaded, &pay(450, 1)).unwrap();
                tap.commit(&plan).outcome
            }
            Err(LoadRefusal::Link(_)) => Outcome::Void,
            Err(other) => panic!("{other}"),
        };
        let counters = (
            image(reader.other.as_ref().unwrap()).counter,
            image(&reader.chip).counter,
        );
        assert_eq!(counters, (0, 0), "swapped at {exchange}");
        assert_eq!(image(&reader.chip), before.1, "the other is not touched");
        if exchange < 13 {
            assert_eq!(outcome, Outcome::Void);
        } else {
            assert_eq!(outcome, Outcome::Unknown, "the increment was sent and not answered");
        }
    }
}

#[test]
fn a_counter_that_reads_differently_each_time_is_made_solid_before_it_is_believed() {
    let festival = Festival::new(settings());
    for tear in Tear::OF_A_BEATEN_COUNTER {
        let mut reader = festival.reader(0);
        festival.does(&mut reader, &top_up(4_000, 200));
        reader.restart();
        reader.faults.insert(13, Fault::Torn(tear));
        let mut tap = festival.tap(&mut reader, &Knowledge::default()).unwrap();
        let plan = festival.plan(&tap.loaded, &pay(450, 1)).unwrap();
        assert_eq!(plan.steps.len(), 9, "a first payment writes its whole record");
        assert_eq!(tap.commit(&plan).outcome, Outcome::Unknown);
        reader.restart();
        let mut tap = festival.tap(&mut reader, &open(&plan.intent)).unwrap();
        let resolution = tap.loaded.resolve(&plan.intent);
        let counter = tap.loaded.purse.image.counter;
        match resolution {
            Resolution::Committed => assert_eq!(counter, 450),
            Resolution::Void => {
                assert_eq!(counter, 0);
                let plan = festival.plan(&tap.loaded, &pay(450, 1)).unwrap();
                assert_eq!(tap.commit(&plan).outcome, Outcome::Committed);
            }
            other => panic!("{other:?}"),
        }
        for _ in 0..2 {
            assert_eq!(
                festival.look(&mut reader).unwrap().balance(),
                Amount(3_550),
                "charged once"
            );
        }
    }
}

#[test]
fn the_pages_of_the_known_answers_come_out_of_the_plans() {
    let text = include_str!("../../../../fixtures/purse/known-answers.json");
    let pages: Vec<Vec<u8>> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"pages\": \""))
        .map(|line| parse_hex(line.trim_end_matches('"')).unwrap())
        .collect();
    assert_eq!(pages.len(), 4);
    // The chip of the answers has keys of its own: its states are compared by everything that no key is in.
    let festival = Festival::new(settings());
    let mut reader = festival.reader(0);
    let deeds = [
        None,
        Some(top_up(4_000, 200)),
        Some(pay(450, 200)),
        Some(Deed::Pay(Payment {
            cents: 1_200,
            terminal: 200,
            minute: 11,
            ..Payment::default()
        })),
    ];
    for (deed, known) in deeds.iter().zip(&pages) {
        if let Some(deed) = deed {
            assert_eq!(festival.does(&mut reader, deed).outcome, Outcome::Committed);
        }
        let own = image(&reader.chip).pages;
        for (page, (own, known)) in (4..).zip(own.iter().zip(known.as_chunks::<4>().0)) {
            let keyless = matches!(page, 4 | 5 | 8 | 12 | 16 | 20 | 0x18..=0x1D | 0x20..=0x25) || *known == [0; 4];
            if keyless {
                assert_eq!(own, known, "page {page:02x} after {deed:?}");
            }
        }
    }
}

#[test]
fn an_encoded_chip_is_closed_whatever_the_chip_makes_of_its_configuration() {
    let festival = Festival::new(settings());
    for quirks in [false, true].into_iter().flat_map(|at_once| {
        [false, true].map(|locks| Quirks {
            config_acts_at_once: at_once,
            config_locks_at_once: locks,
            ..Quirks::default()
        })
    }) {
        let chip = UltralightAesChip::factory(festival.batch.uid(0)).with_quirks(quirks);
        let mut reader = SimulatedField::new(chip);
        let job = festival.batch.encoding(0);
        for _ in 0..2 {
            let selected = reader.reselect().unwrap();
            encode(&mut reader, &selected, &job, &[], RANDOM).unwrap();
        }
        let expected = festival.batch.chip(0);
        for page in 0..0x3C {
            assert_eq!(reader.chip.page(page), expected.page(page), "page {page:02x}");
        }
        assert_eq!(festival.look(&mut reader).unwrap().balance(), Amount(0));
        reader.restart();
        let key = festival.batch.chip_key(0, Purpose::Auth);
        let (_, unfit) = audit(&mut reader, &key, RANDOM[0]).unwrap();
        assert_eq!(unfit, []);
        let stranger = festival.batch.encoding(1);
        let selected = reader.reselect().unwrap();
        let refused = encode(&mut reader, &selected, &stranger, &[], RANDOM);
        assert_eq!(refused.err(), Some(EncodeFault::EncodedBefore));
    }
}

#[test]
fn a_chip_torn_while_it_is_encoded_is_encoded_again_or_rejected_never_accepted_open() {
    let festival = Festival::new(settings());
    let job = festival.batch.encoding(0);
    let mut whole = SimulatedField::new(UltralightAesChip::factory(festival.batch.uid(0)));
    let selected = whole.reselect().unwrap();
    encode(&mut whole, &selected, &job, &[], RANDOM).unwrap();
    let exchanges = whole.exchanges();
    let (mut finished, mut rejected) = (0, 0);
    for exchange in 0..exchanges {
        for tear in Tear::OF_A_PAGE {
            let mut reader = SimulatedField::new(UltralightAesChip::factory(festival.batch.uid(0)));
            reader.faults.insert(exchange, Fault::Torn(tear));
            let selected = reader.reselect().unwrap();
            assert!(encode(&mut reader, &selected, &job, &[], RANDOM).is_err());
            reader.restart();
            let selected = reader.reselect().unwrap();
            match encode(&mut reader, &selected, &job, &[], RANDOM) {
                Ok(_) => {
                    finished += 1;
                    reader.restart();
                    let key = festival.batch.chip_key(0, Purpose::Auth);
                    let (_, unfit) = audit(&mut reader, &key, RANDOM[0]).unwrap();
                    assert_eq!(unfit, [], "{exchange} {tear:?}");
                    assert_eq!(festival.look(&mut reader).unwrap().balance(), Amount(0));
                }
                Err(_) => rejected += 1,
            }
        }
    }
    assert!(finished > 10 * rejected, "{finished} finished, {rejected} rejected");
}

#[test]
fn a_counterfeit_and_a_chip_with_open_locks_are_told() {
    let festival = Festival::new(settings());
    let job = festival.batch.encoding(0);
    let mut reader = SimulatedField::new(UltralightAesChip::factory(festival.batch.uid(0)));
    let selected = reader.reselect().unwrap();
    let makers = chips::originality::NXP_ULTRALIGHT_AES;
    let refused = encode(&mut reader, &selected, &job, &makers, RANDOM);
    assert_eq!(refused.err(), Some(EncodeFault::NotGenuine));
    let mut ntag = SimulatedField::new(IdentityChip::ntag213(Uid([4; 7]).tag()));
    let selected = ntag.reselect().unwrap();
    let refused = encode(&mut ntag, &selected, &job, &[], RANDOM);
    assert_eq!(refused.err(), Some(EncodeFault::NotThisKind));

    let mut open = festival.batch.chip(0);
    open.set_page(0x2A, [0x0C, 0x05, 3, 0]);
    open.set_page(0x2D, [0; 4]);
    let mut reader = SimulatedField::new(open);
    reader.restart();
    let key = festival.batch.chip_key(0, Purpose::Auth);
    let (_, unfit) = audit(&mut reader, &key, RANDOM[0]).unwrap();
    assert_eq!(
        unfit,
        [
            Unfit::KeysOpen,
            Unfit::ConfigurationOpen,
            Unfit::PagesOpen,
            Unfit::CounterOpen,
            Unfit::AuthenticationLimited
        ]
    );
    let wrong = audit(&mut reader, &[1; 16], RANDOM[0]);
    assert!(wrong.is_err());
    assert_eq!(reader.transceive(&[0x60]), Err(FieldFault::Silent));
}
