//! A reader over libnfc against the system's libnfc, with an emulated PN532 on a pseudo terminal.
#![expect(clippy::unwrap_used, reason = "for tests: what is not as expected ends them")]

use std::time::{Duration, Instant};

use chips::FieldFault;
use chips::simulated::{Fault, IdentityChip, Tear};
use core_ffi::readers::nfc1::{NfcReader, list};
use core_ffi::readers::{Happening, HardwareReader, Over, ReaderThread};
use readers::Table;
use readers::asked::{
    self, Apdus, UID, carries_a_session, carries_apdus, carries_plain_frames, next_chip, next_left, wristband,
};
use readers::purse::{Desk, LOST, Took};
use readers::secure::Secure;
use readers::serial::Module;
use shared_protocol::TagId;
use tempfile::TempDir;

const PORT: &str = "ttyUSB0";
/// A whole payment is not to be felt: what the reader and its library may take of it, without the air.
const DEED_WITHIN: Duration = Duration::from_millis(10);

/// The reader lets go of the module before that is pulled out.
struct Setup {
    reader: NfcReader,
    module: Option<Module>,
    table: Table,
    folder: TempDir,
}

fn desk() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    let table = Table::default();
    let module = Module::plug(folder.path(), PORT, table.clone()).unwrap();
    let reader = NfcReader::new(module.connection());
    Setup {
        reader,
        module: Some(module),
        table,
        folder,
    }
}

impl Setup {
    fn pull_out(&mut self) {
        self.module = None;
    }

    fn plug_in(&mut self) {
        self.module = Some(Module::plug(self.folder.path(), PORT, self.table.clone()).unwrap());
    }
}

#[test]
fn a_pn532_carries_frames_and_a_whole_session() {
    let mut desk = desk();
    let plugged = desk.reader.wait();
    assert!(
        matches!(&plugged, Happening::Plugged(info) if info.over == Over::Libnfc),
        "{plugged:?}"
    );
    desk.table.lay(wristband());
    let selected = next_chip(&mut desk.reader);
    assert_eq!(
        (selected.uid, selected.atqa, selected.sak),
        (UID.tag(), [0x00, 0x44], 0x00)
    );
    assert_eq!(selected.ats, None);
    carries_plain_frames(desk.reader.field());
    let fastest = (0..5).map(|_| carries_a_session(desk.reader.field())).min().unwrap();
    println!("a session of 12 exchanges through libnfc and a PN532 on a pty: {fastest:?}");

    desk.table.take_away();
    next_left(&mut desk.reader);
    assert!(matches!(desk.reader.field().transceive(&[0x60]), Err(FieldFault::Gone)));
    desk.table.lay_again();
    next_chip(&mut desk.reader);
    carries_a_session(desk.reader.field());
}

#[test]
fn a_top_up_and_a_payment_through_libnfc_take_ten_milliseconds_at_most() {
    let mut desk = desk();
    let purses = Desk::default();
    purses.arrive(&mut desk.reader, &desk.table);
    // The machine may be busy with other things; what it can do is the best of some.
    let rounds: Vec<[Took; 2]> = (0..5)
        .map(|_| purses.tops_up_and_pays(&mut desk.reader, &desk.table))
        .collect();
    for (index, what) in ["top-up", "payment"].into_iter().enumerate() {
        let best = rounds
            .iter()
            .map(|round| &round[index])
            .min_by_key(|took| took.time)
            .unwrap();
        println!(
            "a {what} through libnfc and a PN532 on a pty: {} exchanges, {:?}",
            best.exchanges, best.time
        );
        assert!(best.time <= DEED_WITHIN, "{what}: {:?}", best.time);
    }
}

#[test]
fn a_payment_torn_on_a_pn532_is_repaired_and_charged_once() {
    let mut desk = desk();
    let purses = Desk::default();
    purses.arrive(&mut desk.reader, &desk.table);
    purses.tops_up_and_pays(&mut desk.reader, &desk.table);
    let broken = purses.repairs_payments(&mut desk.reader, &desk.table, &LOST);
    println!("{broken} payments broken off on a PN532, each charged once or not at all");
    assert!(broken >= 5 * LOST.len(), "{broken}");
}

/// Names a reader to libnfc that it would not look for.
const NAMED: &str = "LIBNFC_DEVICE";

#[test]
fn a_module_that_the_machine_names_is_listed() {
    // libnfc looks at its surroundings once, so this test runs again in surroundings of its own.
    if let Ok(named) = std::env::var(NAMED) {
        let listed = list().unwrap();
        assert!(
            listed
                .iter()
                .any(|info| info.name == named && info.over == Over::Libnfc),
            "{listed:?}"
        );
        return;
    }
    let desk = desk();
    let named = desk.module.as_ref().unwrap().connection();
    let again = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["a_module_that_the_machine_names_is_listed", "--exact"])
        .env(NAMED, named)
        .output()
        .unwrap();
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
}

#[test]
fn a_chip_with_iso_dep_gets_apdus_and_the_next_one_frames_again() {
    let mut desk = desk();
    desk.table.lay(Apdus);
    let selected = next_chip(&mut desk.reader);
    carries_apdus(&selected, desk.reader.field());
    desk.table.take_away();
    next_left(&mut desk.reader);
    desk.table.lay(wristband());
    next_chip(&mut desk.reader);
    carries_plain_frames(desk.reader.field());
}

#[test]
fn a_chip_that_took_the_place_of_another_is_a_new_one() {
    let mut desk = desk();
    desk.table.lay(wristband());
    next_chip(&mut desk.reader);
    desk.table.take_away();
    let other = TagId::from_slice(&[0x04, 1, 2, 3, 4, 5, 6]).unwrap();
    desk.table.lay(IdentityChip::ntag213(other));
    // Whoever talks to the one that was told does not get the other in its place.
    let field = desk.reader.field();
    assert!(matches!(field.reselect(), Err(FieldFault::Gone)));
    next_left(&mut desk.reader);
    assert_eq!(next_chip(&mut desk.reader).uid, other);
}

#[test]
fn a_chip_pulled_away_in_a_session_leaves_open_what_it_did() {
    let mut desk = desk();
    desk.table.lay(wristband());
    for (fault, carried_out) in [
        (Fault::RemovedBefore, false),
        (Fault::RemovedAfter, true),
        (Fault::Torn(Tear::NotStarted), false),
        (Fault::Torn(Tear::Done), true),
    ] {
        next_chip(&mut desk.reader);
        let field = desk.reader.field();
        let mut secure = Secure::open(field, asked::FACTORY_KEY).unwrap();
        secure.exchange(field, &[0xA2, 0x10, 0, 0, 0, 0]).unwrap();
        desk.table.break_at(desk.table.frames(), fault);
        let lost = secure.exchange(field, &[0xA2, 0x10, 9, 9, 9, 9]);
        assert!(matches!(lost, Err(FieldFault::Silent)), "{fault:?}: {lost:?}");
        next_left(&mut desk.reader);

        desk.table.lay_again();
        next_chip(&mut desk.reader);
        let field = desk.reader.field();
        let mut secure = Secure::open(field, asked::FACTORY_KEY).unwrap();
        let page = secure.exchange(field, &[0x3A, 0x10, 0x10]).unwrap();
        assert_eq!(page == [9; 4], carried_out, "{fault:?}: {page:02X?}");
        desk.table.take_away();
        next_left(&mut desk.reader);
        desk.table.lay_again();
    }
}

#[test]
fn a_module_pulled_out_in_a_session_comes_back() {
    let mut desk = desk();
    assert!(matches!(desk.reader.wait(), Happening::Plugged(_)));
    desk.table.lay(wristband());
    next_chip(&mut desk.reader);
    for in_the_wait in [false, true] {
        let field = desk.reader.field();
        let mut secure = Secure::open(field, asked::FACTORY_KEY).unwrap();
        desk.pull_out();
        if !in_the_wait {
            let lost = secure.exchange(desk.reader.field(), &[0x60]);
            assert!(matches!(lost, Err(FieldFault::Reader(_))), "{lost:?}");
        }
        assert!(matches!(desk.reader.wait(), Happening::Left));
        assert!(matches!(desk.reader.wait(), Happening::Unplugged { .. }));
        let waker = desk.reader.waker();
        waker.wake();
        assert!(matches!(desk.reader.wait(), Happening::Woken));

        desk.plug_in();
        assert!(matches!(desk.reader.wait(), Happening::Plugged(_)));
        next_chip(&mut desk.reader);
        carries_a_session(desk.reader.field());
    }
}

#[test]
fn looking_whether_a_chip_is_there_never_falls_into_a_session() {
    let desk = desk();
    let table = desk.table.clone();
    let (to, happenings) = std::sync::mpsc::channel();
    let thread = ReaderThread::start(desk.reader, move |happening, _field| {
        let _nobody_listens = to.send(happening);
    })
    .unwrap();
    table.lay(wristband());
    let chip = happenings
        .iter()
        .find(|happening| !matches!(happening, Happening::Plugged(_)));
    assert!(matches!(chip, Some(Happening::Chip(_))), "{chip:?}");

    // A job that is slower than the reader's looks: nobody looks while it has the field.
    let (to, result) = std::sync::mpsc::channel();
    let began = Instant::now();
    thread.job(move |field| {
        let mut secure = Secure::open(field, asked::FACTORY_KEY).unwrap();
        for _ in 0..6 {
            std::thread::sleep(Duration::from_millis(100));
            secure.exchange(field, &[0x60]).unwrap();
        }
        to.send(()).unwrap();
    });
    result.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(600));
    table.take_away();
    assert!(matches!(happenings.recv(), Ok(Happening::Left)));
    assert!(happenings.try_recv().is_err(), "nothing was told in between");
}
