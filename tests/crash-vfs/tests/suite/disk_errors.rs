//! The n-th operation fails, for every n there is: nothing panics, and what was acknowledged stays. Not every fault is reported: a
//! checkpoint that fails is tried again later.

use crash_vfs::{Fault, Image, Op, Recorder};

use crate::book::{self, Damage, ORDERS, WAL_FULL, mode};

#[derive(Default)]
struct Outcome {
    created: bool,
    acknowledged: Vec<u32>,
    errors: u32,
    /// Length of the log when the first error was reported.
    first_error: Option<usize>,
}

impl Outcome {
    fn error(&mut self, disk: &Recorder) {
        self.errors += 1;
        self.first_error.get_or_insert_with(|| disk.log().ops().len());
    }
}

/// With `stubborn` the connection is used on after an error; without, the first error ends the run.
fn take_orders(disk: &Recorder, stubborn: bool) -> Outcome {
    let mut outcome = Outcome::default();
    let ready = book::open(disk, WAL_FULL).and_then(|connection| book::create(&connection).map(|()| connection));
    let Ok(mut connection) = ready else {
        outcome.error(disk);
        return outcome;
    };
    outcome.created = true;
    disk.mark("created");
    for id in 1..=ORDERS {
        match book::order(&mut connection, id) {
            Ok(()) => {
                disk.mark(u64::from(id));
                outcome.acknowledged.push(id);
            }
            Err(_) => outcome.error(disk),
        }
        if outcome.errors > 0 && !stubborn {
            break;
        }
    }
    outcome
}

/// Fails each operation in turn; gives the number of runs and of errors that `SQLite` reported.
fn fail_each(fault: Fault, persistent: bool, stubborn: bool) -> (u64, u32) {
    let mut errors = 0;
    for nth in 1.. {
        let disk = Recorder::new();
        disk.fail_nth(nth, fault, persistent);
        let outcome = take_orders(&disk, stubborn);
        let hit = disk.faults_hit();
        disk.clear_fault();
        let log = disk.log();
        let place = format!("{fault:?} at operation {nth}, persistent: {persistent}, stubborn: {stubborn}");

        let found = book::judge(&disk, outcome.created, &outcome.acknowledged);
        assert_eq!(found, Damage::default(), "{place}, power stays on");
        if hit == 0 {
            assert_eq!((outcome.acknowledged.len(), outcome.errors), (ORDERS as usize, 0));
            return (nth, errors);
        }
        errors += outcome.errors;
        // Around the error, and at the end of the run.
        let end = log.ops().len();
        let around = outcome.first_error.map_or(end..end, |error| error..error + 10);
        for cuts in [around, end..end + 1] {
            for crash in log.crash_points().cuts(cuts) {
                assert_eq!(
                    book::judge_crash(&crash),
                    Damage::default(),
                    "{place}, then {crash}\n{log}"
                );
            }
        }
    }
    unreachable!("the script is finite");
}

#[test]
fn no_error_of_the_disk_loses_an_acknowledged_order() {
    for fault in [Fault::Enospc, Fault::Eio, Fault::EioOnSync] {
        for (persistent, stubborn) in [(false, false), (true, false), (false, true), (true, true)] {
            let (runs, errors) = fail_each(fault, persistent, stubborn);
            println!("{fault:?}, persistent {persistent}, stubborn {stubborn}: {runs} runs, {errors} errors reported");
            assert!(runs > 10 && errors > 0);
        }
    }
}

#[test]
fn a_full_disk_is_reported_as_such_and_heals() {
    let disk = Recorder::from_image(book::empty(WAL_FULL));
    let mut connection = book::open(&disk, WAL_FULL).unwrap();
    book::order(&mut connection, 1).unwrap();
    disk.fail_nth(1, Fault::Enospc, true);
    let error = book::order(&mut connection, 2).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
    assert!(disk.faults_hit() >= 1 && disk.ops_seen() >= disk.faults_hit());
    disk.clear_fault();
    book::order(&mut connection, 2).unwrap();
    assert_eq!(book::orders(&connection).unwrap(), Some((vec![1, 2], 2)));
}

/// Whoever reads only the first row of the pragma believes in a WAL that is not there.
#[test]
fn the_answer_to_a_switch_to_wal_comes_before_its_error() {
    let mut believed = 0;
    for nth in 1.. {
        let disk = Recorder::new();
        let connection = disk.open(book::FILE).unwrap();
        disk.fail_nth(nth, Fault::Enospc, false);
        let answer = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
        let asked_again = connection.pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        let hit = disk.faults_hit();
        drop(connection);
        if hit == 0 {
            break;
        }
        let written = disk
            .open(book::FILE)
            .unwrap()
            .pragma_query_value(None, "journal_mode", |row| row.get::<_, String>(0));
        let lie =
            answer.as_deref() == Ok("wal") && asked_again.as_deref() == Ok("wal") && written.as_deref() == Ok("delete");
        believed += u32::from(lie);
        assert!(
            book::open(&disk, WAL_FULL).is_ok(),
            "a disk that is well again takes the switch"
        );
    }
    assert!(believed > 0);
}

/// Without a journal nothing is written again after the error: the second sync succeeds and says nothing about the bytes of the first.
#[test]
fn a_failed_sync_is_not_made_good_by_a_later_one() {
    let images_at_the_end = |fault: bool| {
        let disk = Recorder::from_image(book::empty(mode("DELETE", "FULL")));
        let connection = disk.open(book::FILE).unwrap();
        connection.pragma_update(None, "journal_mode", "OFF").unwrap();
        if fault {
            disk.fail_nth(1, Fault::EioOnSync, false);
        }
        let insert = "INSERT INTO journal VALUES (1, zeroblob(900))";
        assert_eq!(connection.execute(insert, []).is_err(), fault);
        connection.execute_batch("PRAGMA user_version = 7").unwrap();
        drop(connection);
        let log = disk.log();
        assert!(matches!(log.ops().last(), Some(Op::Sync { .. })), "{log}");
        log.crash_points().cuts(log.ops().len()..).count()
    };
    assert_eq!(images_at_the_end(false), 1);
    assert!(images_at_the_end(true) > 1);
}

/// Why a program must not open its database again after a failed sync as if nothing had been: a new connection reads the frames of the
/// failed commit from the page cache, believes them and copies them into the database, and the log they came from may not be there
/// when the power goes.
#[test]
fn recovery_after_a_failed_sync_can_corrupt_the_database_in_a_cut() {
    let mut damage = Damage::default();
    for nth in 1.. {
        let disk = Recorder::new();
        // Everything fails from the sync on, so that the dying process cannot tidy up.
        disk.fail_nth(nth, Fault::Eio, true);
        let created = book::open(&disk, WAL_FULL).is_ok_and(|connection| book::create(&connection).is_ok());
        if disk.faults_hit() == 0 {
            break;
        }
        disk.clear_fault();
        let before = disk.log().ops().len();
        assert_eq!(
            book::judge(&disk, created, &[]),
            Damage::default(),
            "the power stays on"
        );
        let log = disk.log();
        for crash in log.crash_points().cuts(before + 1..) {
            damage.add(book::judge_crash(&crash));
        }
    }
    println!("recovery after an error: {damage:?}");
    assert!(damage.corrupt > 0);
}

#[test]
fn a_disk_begins_with_the_files_it_is_given() {
    let image: Image = book::empty(WAL_FULL);
    assert_eq!(image.names().collect::<Vec<_>>(), [book::FILE]);
    let mut copy = Image::new();
    copy.insert(book::FILE, &image.file(book::FILE).unwrap());
    assert_eq!(copy.digest(), image.digest());
    let disk = Recorder::from_image(copy);
    assert_eq!(book::judge(&disk, true, &[]), Damage::default());
}
