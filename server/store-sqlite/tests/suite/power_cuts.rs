//! The power goes at every point of short days, and again while the server recovers.

use std::ops::RangeBounds;

use crash_vfs::{Recorder, Tally};
use store::{Need, Store as _};

use crate::day::{Day, FILE, ORDERS_MAX, judge_crash, registration, used};
use crate::files::to_format_1;

/// Cuts at every point of the disk's log and judges every image.
fn cut_everywhere(name: &str, disk: &Recorder, ends: &[u64]) -> Tally {
    assert!(ends.iter().all(|end| *end <= ORDERS_MAX));
    let log = disk.log();
    let mut points = log.crash_points().subsets(3);
    for crash in &mut points {
        judge_crash(&crash, ends);
    }
    let tally = points.tally();
    println!("{name}: {} operations, {} syncs, {tally}", log.ops().len(), log.syncs());
    assert_eq!(tally.cuts, log.ops().len() + 1, "every point is cut");
    tally
}

#[test]
fn a_day_of_booking_and_projecting_loses_nothing() {
    let disk = Recorder::new();
    let mut day = Day::new(&disk);
    let mut store = day.open().unwrap();
    day.begin(&mut store).unwrap();
    let mut ends = vec![0];
    for orders in [1, 3, 1, 7, 2, 1, 5] {
        day.book(&mut store, orders).unwrap();
        ends.push(ends.last().unwrap() + orders);
        if orders == 1 {
            store.project(3).unwrap();
        }
    }
    registration(&mut store).unwrap();
    drop(store);
    let tally = cut_everywhere("booking and projecting", &disk, &ends);
    assert!(tally.unique > 300, "{tally}");
}

#[test]
fn restarts_lose_nothing() {
    let disk = Recorder::new();
    let mut day = Day::new(&disk);
    let mut ends = vec![0];
    for orders in [4, 2, 1] {
        let mut store = day.open().unwrap();
        if ends.len() == 1 {
            day.begin(&mut store).unwrap();
        }
        day.book(&mut store, orders).unwrap();
        ends.push(ends.last().unwrap() + orders);
    }
    cut_everywhere("restarting", &disk, &ends);
}

#[test]
fn a_migration_is_done_or_not_done() {
    let old = Recorder::from_image(used(&[3, 4]));
    to_format_1(&old.open(FILE).unwrap());
    let disk = Recorder::from_image(old.image());
    // Said before this disk began, as far as its log knows.
    disk.mark(7);
    let mut day = Day::new(&disk);
    let mut store = day.open().unwrap();
    store.project(5).unwrap();
    day.book(&mut store, 2).unwrap();
    drop(store);
    cut_everywhere("migrating", &disk, &[7, 9]);
}

/// Recovers from each image, books an order, and cuts at each point of that again.
fn cut_twice(
    name: &str,
    disk: &Recorder,
    subsets: u32,
    first_cuts: impl RangeBounds<usize>,
    last_cuts: usize,
) -> usize {
    let log = disk.log();
    let mut first = log.crash_points().subsets(subsets).cuts(first_cuts);
    let (mut images, mut cuts) = (0, 0);
    for crash in &mut first {
        let disk = crash.recorder();
        let mut day = Day::new(&disk);
        let mut store = day.open().unwrap();
        if store.reader().unwrap().terminals().unwrap().is_empty() {
            day.begin(&mut store).unwrap();
        }
        let before = store.load(&Need::default()).unwrap().ledger.last_no;
        day.book(&mut store, 1).unwrap();
        drop(store);
        let recovery = disk.log();
        let from = recovery.ops().len().saturating_sub(last_cuts);
        let mut second = recovery.crash_points().subsets(0).seed(crash.cut() as u64).cuts(from..);
        for again in &mut second {
            judge_crash(&again, &[before, before + 1]);
        }
        images += second.tally().unique;
        cuts += second.tally().cuts;
    }
    println!(
        "{name}: first {}; second {cuts} cuts, {images} unique images",
        first.tally()
    );
    images
}

/// A server starts on a used database, books and closes.
fn short_day() -> Recorder {
    let disk = Recorder::from_image(used(&[3]));
    disk.mark(3);
    let mut day = Day::new(&disk);
    let mut store = day.open().unwrap();
    day.book(&mut store, 2).unwrap();
    drop(store);
    disk
}

/// Where the day is halved, so that both halves are tried at the same time.
const HALF: usize = 15;

#[test]
fn a_cut_during_recovery_after_a_cut_while_booking_loses_nothing() {
    assert!(cut_twice("cut during recovery, first half", &short_day(), 0, ..HALF, usize::MAX) > 1_000);
}

#[test]
fn a_cut_during_recovery_after_a_cut_while_closing_loses_nothing() {
    assert!(cut_twice("cut during recovery, second half", &short_day(), 0, HALF.., usize::MAX) > 1_000);
}

/// The switch to WAL deletes a journal whose name may come back and take the commits after it with it. Only a second cut shows that,
/// after the first acknowledgement.
#[test]
fn a_cut_while_the_database_is_made_and_another_one_lose_nothing() {
    let disk = Recorder::new();
    drop(Day::new(&disk).open().unwrap());
    assert!(cut_twice("cut while the database is made", &disk, 4, ..20, 8) > 500);
}
