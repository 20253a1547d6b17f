//! The power comes back, recovery runs, and the power goes again.

use std::ops::RangeBounds;

use crash_vfs::{Crash, Recorder};

use crate::book::{self, Damage, Mode, ORDERS, WAL_FULL};

/// What a program does after a restart: recovery by the first read, a full checkpoint, one more order.
fn restart(crash: &Crash, mode: Mode) -> Recorder {
    let disk = crash.recorder();
    let mut connection = book::open(&disk, mode).unwrap();
    if book::orders(&connection).unwrap().is_none() {
        book::create(&connection).unwrap();
        disk.mark("created");
    }
    let busy: i64 = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .unwrap();
    assert_eq!(busy, 0);
    book::order(&mut connection, ORDERS + 1).unwrap();
    disk.mark(u64::from(ORDERS + 1));
    drop(connection);
    disk
}

fn cut_twice(mode: Mode, first_cuts: impl RangeBounds<usize>) -> (Damage, usize) {
    let disk = Recorder::new();
    book::run(&disk, mode).unwrap();
    let log = disk.log();
    let mut first = log.crash_points().subsets(2).cuts(first_cuts);
    let mut damage = Damage::default();
    let (mut images, mut unique) = (0, 0);
    for crash in &mut first {
        let recovery = restart(&crash, mode).log();
        let mut second = recovery.crash_points().subsets(1).seed(crash.cut() as u64);
        for again in &mut second {
            damage.add(book::judge_crash(&again));
        }
        images += second.tally().images;
        unique += second.tally().unique;
    }
    let tally = first.tally();
    let (disks, ms) = (tally.unique, tally.elapsed.as_millis());
    println!(
        "switched with {}: {disks} first images; {images} second, {unique} unique, {ms} ms, {damage:?}",
        mode.switch
    );
    (damage, unique)
}

#[test]
fn a_cut_during_recovery_loses_nothing() {
    let (damage, unique) = cut_twice(WAL_FULL, ..);
    assert_eq!(damage, Damage::default());
    assert!(unique > 1_000);
}

/// The switch to WAL ends with the delete of a journal. If only the name of the new log survives the first cut and the journal with it,
/// recovery creates no name any more that would sync the directory, and after the second cut the journal takes back what was
/// acknowledged. EXTRA syncs the directory after the delete and costs nothing once WAL is on.
#[test]
fn a_switch_to_wal_without_a_sync_of_the_directory_can_lose_acknowledged_orders_in_two_cuts() {
    let switch = "FULL";
    let (damage, _) = cut_twice(Mode { switch, ..WAL_FULL }, ..20);
    assert!(damage.lost > 0);
    assert_eq!((damage.corrupt, damage.half_applied), (0, 0));
}

#[test]
fn what_was_said_before_the_first_cut_counts_after_the_second() {
    let disk = Recorder::new();
    book::run(&disk, WAL_FULL).unwrap();
    let log = disk.log();
    let last = log.crash_points().last().unwrap();
    assert_eq!(last.numbers().count(), ORDERS as usize);
    let recovery = restart(&last, WAL_FULL).log();
    let end = recovery.crash_points().last().unwrap();
    assert!(end.said("created"));
    assert_eq!(
        end.numbers().collect::<Vec<_>>(),
        (1..=u64::from(ORDERS + 1)).collect::<Vec<_>>()
    );
}
