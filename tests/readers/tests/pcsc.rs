//! Readers over PC/SC against the system's pcscd, with a virtual reader and a virtual chip behind it.
#![expect(clippy::unwrap_used, reason = "for tests: what is not as expected ends them")]

use std::time::{Duration, Instant};

use chips::simulated::{Fault, IdentityChip, Tear};
use chips::{FieldFault, ReaderEvent};
use core_ffi::reader::Reader as _;
use core_ffi::readers::pcsc::{PcscReader, list};
use core_ffi::readers::{Framing, Happening, HardwareReader, ListFault, Over, ReaderThread, Unusable, seen};
use readers::asked::{
    Apdus, UID, carries_a_session, carries_apdus, carries_plain_frames, next_chip, next_left, wristband,
};
use readers::front::Front;
use readers::pcscd::{Pcscd, alone};
use readers::purse::Desk;
use readers::secure::Secure;
use readers::vpcd::Plug;
use readers::{Table, asked};

const ACR122U: &str = "ACS ACR122U PICC Interface";
const ACR1252U: &str = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC]";
const ANOTHER: &str = "Reader of a maker nobody heard of";

/// Lists, waits, talks, and sees the chip go, by the framing that the reader's name calls for.
fn a_whole_visit(name: &str, framing: Framing, front: Front) {
    let pcscd = Pcscd::start(name);
    let table = Table::default();
    let _plug = Plug::new(pcscd.port(), front, table.clone());
    let listed = list().unwrap();
    assert_eq!(listed.len(), 2, "{listed:?}");
    for info in &listed {
        assert!(info.name.starts_with(name) && !info.holds, "{info:?}");
        assert_eq!(info.over, Over::Pcsc(Some(framing)));
    }

    let mut reader = PcscReader::new(None);
    for _ in 0..2 {
        assert!(matches!(reader.wait(), Happening::Plugged(info) if info.name.starts_with(name)));
    }
    table.lay(wristband());
    let selected = next_chip(&mut reader);
    assert_eq!((selected.uid, selected.sak, selected.ats), (UID.tag(), 0x00, None));
    assert_eq!(list().unwrap().iter().filter(|info| info.holds).count(), 1);
    carries_plain_frames(reader.field());
    let took = carries_a_session(reader.field());
    println!("a session of 12 exchanges through pcscd as {name:?}: {took:?}");

    table.take_away();
    next_left(&mut reader);
    assert!(matches!(reader.field().transceive(&[0x60]), Err(FieldFault::Gone)));
    table.lay_again();
    assert_eq!(next_chip(&mut reader).uid, UID.tag());
    carries_a_session(reader.field());
}

#[test]
fn an_acr122u_is_spoken_to_through_its_pn532() {
    alone("an_acr122u_is_spoken_to_through_its_pn532", || {
        a_whole_visit(ACR122U, Framing::Acr122u, Front::Acr122u);
    });
}

#[test]
fn an_acr1252u_is_given_the_frames_themselves() {
    alone("an_acr1252u_is_given_the_frames_themselves", || {
        a_whole_visit(ACR1252U, Framing::Direct, Front::Direct);
    });
}

#[test]
fn a_reader_nobody_knows_is_tried_by_a_transparent_session() {
    alone("a_reader_nobody_knows_is_tried_by_a_transparent_session", || {
        a_whole_visit(ANOTHER, Framing::Transparent, Front::Transparent);
    });
}

#[test]
fn a_reader_that_cannot_pass_frames_says_so_and_stays_usable() {
    alone("a_reader_that_cannot_pass_frames_says_so_and_stays_usable", || {
        let pcscd = Pcscd::start(ANOTHER);
        let table = Table::default();
        let _plug = Plug::new(pcscd.port(), Front::Direct, table.clone());
        let mut reader = PcscReader::new(Some("00 00"));
        table.lay(wristband());
        let unusable = asked::next_on_table(&mut reader);
        assert!(
            matches!(&unusable, Happening::Unusable(Unusable::Refused(_))),
            "{unusable:?}"
        );
        assert!(matches!(reader.field().transceive(&[0x60]), Err(FieldFault::Gone)));
        table.take_away();
        next_left(&mut reader);

        // Somebody who knows the reader names its framing.
        let mut reader = PcscReader::new(Some("00 00")).with_framing(Framing::Direct);
        table.lay_again();
        next_chip(&mut reader);
        carries_plain_frames(reader.field());
    });
}

#[test]
fn a_chip_with_iso_dep_gets_apdus_and_a_classic_keeps_its_kind() {
    alone("a_chip_with_iso_dep_gets_apdus_and_a_classic_keeps_its_kind", || {
        let pcscd = Pcscd::start(ACR122U);
        let table = Table::default();
        let _plug = Plug::new(pcscd.port(), Front::Acr122u, table.clone());
        let mut reader = PcscReader::new(None);
        table.lay(Apdus);
        let selected = next_chip(&mut reader);
        carries_apdus(&selected, reader.field());
        table.take_away();
        next_left(&mut reader);

        table.lay(IdentityChip::classic(UID.tag()));
        let selected = next_chip(&mut reader);
        assert_eq!((selected.uid, selected.sak), (UID.tag(), 0x08));
    });
}

#[test]
fn a_chip_pulled_away_in_a_session_has_left_and_is_there_again_when_it_comes_back() {
    alone(
        "a_chip_pulled_away_in_a_session_has_left_and_is_there_again_when_it_comes_back",
        || {
            let pcscd = Pcscd::start(ACR1252U);
            let table = Table::default();
            let _plug = Plug::new(pcscd.port(), Front::Direct, table.clone());
            let mut reader = PcscReader::new(None);
            table.lay(wristband());
            for (fault, carried_out) in [
                (Fault::RemovedBefore, false),
                (Fault::RemovedAfter, true),
                (Fault::Torn(Tear::NotStarted), false),
                (Fault::Torn(Tear::Done), true),
            ] {
                next_chip(&mut reader);
                let field = reader.field();
                let mut secure = Secure::open(field, asked::FACTORY_KEY).unwrap();
                secure.exchange(field, &[0xA2, 0x10, 0, 0, 0, 0]).unwrap();
                table.break_at(table.frames(), fault);
                let lost = secure.exchange(field, &[0xA2, 0x10, 9, 9, 9, 9]);
                // Never a refusal: whether the page was written is open.
                assert!(
                    matches!(lost, Err(FieldFault::Silent | FieldFault::Gone)),
                    "{fault:?}: {lost:?}"
                );
                next_left(&mut reader);

                table.lay_again();
                next_chip(&mut reader);
                let field = reader.field();
                let mut secure = Secure::open(field, asked::FACTORY_KEY).unwrap();
                let page = secure.exchange(field, &[0x3A, 0x10, 0x10]).unwrap();
                assert_eq!(page == [9; 4], carried_out, "{fault:?}: {page:02X?}");
                table.take_away();
                next_left(&mut reader);
                table.lay_again();
            }
        },
    );
}

#[test]
fn a_top_up_and_a_payment_go_through_the_service_and_a_torn_one_is_repaired() {
    alone(
        "a_top_up_and_a_payment_go_through_the_service_and_a_torn_one_is_repaired",
        || {
            let pcscd = Pcscd::start(ACR122U);
            let table = Table::default();
            let _plug = Plug::new(pcscd.port(), Front::Acr122u, table.clone());
            let mut reader = PcscReader::new(None);
            let desk = Desk::default();
            desk.arrive(&mut reader, &table);
            for (what, took) in ["top-up", "payment"]
                .into_iter()
                .zip(desk.tops_up_and_pays(&mut reader, &table))
            {
                println!("a {what} through pcscd: {} exchanges, {:?}", took.exchanges, took.time);
            }
            // The service looks for cards about once a second, so not in every way.
            let faults = [Fault::RemovedAfter, Fault::Torn(Tear::First(2))];
            let broken = desk.repairs_payments(&mut reader, &table, &faults);
            println!("{broken} payments broken off on a PC/SC reader, each charged once or not at all");
            assert!(broken >= 5 * faults.len(), "{broken}");
        },
    );
}

#[test]
fn a_service_that_dies_in_a_session_takes_the_chip_along_and_brings_it_back() {
    alone(
        "a_service_that_dies_in_a_session_takes_the_chip_along_and_brings_it_back",
        || {
            let mut pcscd = Pcscd::start(ACR122U);
            let table = Table::default();
            let _plug = Plug::new(pcscd.port(), Front::Acr122u, table.clone());
            let mut reader = PcscReader::new(Some("00 00"));
            assert!(matches!(reader.wait(), Happening::Plugged(_)));
            table.lay(wristband());
            next_chip(&mut reader);
            for in_the_wait in [false, true] {
                let field = reader.field();
                let mut secure = Secure::open(field, asked::FACTORY_KEY).unwrap();
                pcscd.kill();
                if !in_the_wait {
                    let lost = secure.exchange(field, &[0x60]);
                    assert!(matches!(lost, Err(FieldFault::Reader(_))), "{lost:?}");
                }
                assert!(matches!(reader.wait(), Happening::Left));
                assert!(matches!(reader.wait(), Happening::Unplugged { name } if name.ends_with("00 00")));
                assert_eq!(list(), Err(ListFault::NoService));

                pcscd.again();
                assert!(matches!(reader.wait(), Happening::Plugged(_)));
                next_chip(&mut reader);
                carries_a_session(reader.field());
            }
        },
    );
}

#[test]
fn a_till_that_starts_before_the_service_sees_its_reader_come() {
    alone("a_till_that_starts_before_the_service_sees_its_reader_come", || {
        let mut pcscd = Pcscd::start(ACR122U);
        pcscd.kill();
        assert_eq!(list(), Err(ListFault::NoService));
        let mut reader = PcscReader::new(Some("00 00"));
        let waker = reader.waker();
        let later = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            waker.wake();
        });
        assert!(matches!(reader.wait(), Happening::Woken), "nothing else happens");
        later.join().unwrap();

        pcscd.again();
        assert!(matches!(reader.wait(), Happening::Plugged(_)));
    });
}

#[test]
fn a_job_reaches_the_chip_while_the_reader_waits() {
    alone("a_job_reaches_the_chip_while_the_reader_waits", || {
        let pcscd = Pcscd::start(ACR122U);
        let table = Table::default();
        let _plug = Plug::new(pcscd.port(), Front::Acr122u, table.clone());
        let (to, happenings) = std::sync::mpsc::channel();
        let thread = ReaderThread::start(PcscReader::new(None), move |happening, _field| {
            let _nobody_listens = to.send(happening);
        })
        .unwrap();
        let job = |what: fn(&mut dyn chips::Field) -> bool| {
            let (to, result) = std::sync::mpsc::channel();
            let began = Instant::now();
            assert!(thread.job(move |field| {
                let _nobody_listens = to.send(what(field));
            }));
            (result.recv_timeout(Duration::from_secs(10)).unwrap(), began.elapsed())
        };
        let (gone, took) = job(|field| matches!(field.transceive(&[0x60]), Err(FieldFault::Gone)));
        println!("a job reached the thread of a waiting reader after {took:?}");
        assert!(gone);

        table.lay(wristband());
        let chip = happenings
            .iter()
            .find(|happening| !matches!(happening, Happening::Plugged(_)));
        assert!(matches!(chip, Some(Happening::Chip(_))), "{chip:?}");
        for _ in 0..3 {
            let (carried, _) = job(|field| {
                carries_a_session(field);
                true
            });
            assert!(carried);
        }
        table.take_away();
        assert!(matches!(happenings.recv(), Ok(Happening::Left)));
    });
}

#[test]
fn a_till_is_told_which_ids_lie_there() {
    alone("a_till_is_told_which_ids_lie_there", || {
        let pcscd = Pcscd::start(ACR122U);
        let table = Table::default();
        let _plug = Plug::new(pcscd.port(), Front::Acr122u, table.clone());
        let mut reader = seen("desk", PcscReader::new(None)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut next = || runtime.block_on(reader.next());
        table.lay(wristband());
        assert!(matches!(next(), Some(ReaderEvent::Held(chip)) if chip.tag == UID.tag()));
        table.take_away();
        assert_eq!(next(), Some(ReaderEvent::Left));
    });
}
