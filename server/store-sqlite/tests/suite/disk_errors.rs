//! Every operation of a short day fails once: the error is said, nothing acknowledged is lost, and nothing is answered after it.

use crash_vfs::{Fault, Recorder};
use store::{Commit, Need, Store as _, StoreError};
use store_sqlite::SqliteStore;

use crate::day::{Day, judge, judge_crash, registration};

const BATCHES: [u64; 4] = [2, 3, 1, 2];

#[derive(Default)]
struct Outcome {
    opened: bool,
    acknowledged: u64,
    error: Option<StoreError>,
    /// Length of the log when the error was reported.
    place: usize,
}

/// A day until the first error, and what the store answers after it.
fn day(disk: &Recorder) -> Outcome {
    let mut outcome = Outcome::default();
    let mut day = Day::new(disk);
    let mut store = match day.open() {
        Ok(store) => store,
        Err(error) => {
            return Outcome {
                error: Some(error),
                place: disk.log().ops().len(),
                ..outcome
            };
        }
    };
    let worked = day.begin(&mut store).and_then(|()| {
        outcome.opened = true;
        for orders in BATCHES {
            day.book(&mut store, orders)?;
            outcome.acknowledged += orders;
            store.project(3)?;
        }
        registration(&mut store)
    });
    if let Err(error) = worked {
        outcome.error = Some(error);
        outcome.place = disk.log().ops().len();
        assert_stopped(&mut store);
    }
    outcome
}

fn assert_stopped(store: &mut SqliteStore) {
    let answers = [
        store.commit(&Commit::default()).err(),
        store.load(&Need::default()).err(),
        store.project(1).err(),
        store.mark_restored().err(),
    ];
    for answer in answers {
        let stopped = matches!(answer, Some(StoreError::Failed(_) | StoreError::Full));
        assert!(stopped, "the store answers {answer:?} after an error of the disk");
    }
}

/// Fails each operation in turn. Gives how often the store said which error: full, failed.
fn fail_each(fault: Fault, persistent: bool) -> (u32, u32) {
    let (mut full, mut failed) = (0, 0);
    let mut images = 0;
    for nth in 1.. {
        let disk = Recorder::new();
        disk.fail_nth(nth, fault, persistent);
        let outcome = day(&disk);
        let hit = disk.faults_hit();
        disk.clear_fault();
        let log = disk.log();
        match &outcome.error {
            Some(StoreError::Full) => full += 1,
            Some(StoreError::Failed(_)) => failed += 1,
            None => {}
            Some(other) => panic!("{fault:?} at operation {nth}: {other}"),
        }
        let ends: Vec<u64> = (0..=BATCHES.len())
            .map(|count| BATCHES.iter().take(count).sum())
            .collect();
        // The power stays on and the server is started again.
        judge(
            &Recorder::from_image(disk.image()),
            outcome.opened,
            outcome.acknowledged,
            &ends,
        );
        if hit == 0 {
            assert_eq!(
                (outcome.acknowledged, outcome.error.is_none()),
                (BATCHES.iter().sum(), true)
            );
            println!("{fault:?}, persistent {persistent}: {nth} runs, full {full}, failed {failed}, {images} images");
            return (full, failed);
        }
        // The power goes right after the error.
        if outcome.error.is_some() {
            for crash in log
                .crash_points()
                .subsets(1)
                .cuts(outcome.place.saturating_sub(1)..outcome.place + 6)
            {
                judge_crash(&crash, &ends);
                images += 1;
            }
        }
    }
    unreachable!("the day is finite");
}

#[test]
fn a_full_disk_is_said_and_loses_nothing() {
    for persistent in [false, true] {
        let (full, failed) = fail_each(Fault::Enospc, persistent);
        assert!(full > failed, "full {full}, failed {failed}");
    }
}

#[test]
fn an_error_of_the_disk_is_said_and_loses_nothing() {
    for persistent in [false, true] {
        let (full, failed) = fail_each(Fault::Eio, persistent);
        assert!(failed > 20 && full == 0, "full {full}, failed {failed}");
    }
}

#[test]
fn a_failed_sync_is_said_and_loses_nothing() {
    for persistent in [false, true] {
        let (full, failed) = fail_each(Fault::EioOnSync, persistent);
        assert!(failed > 4 && full == 0, "full {full}, failed {failed}");
    }
}
