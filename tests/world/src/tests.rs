//! What continuous integration runs in the debug profile: a few short days, the proof of determinism, and the proof that the checkers can fail.

use crate::faults::Kind;
use crate::world::{Options, Outcome, Plant, run};

fn hours(seed: u64, hours: u64) -> Options {
    Options {
        hours,
        ..Options::of(seed)
    }
}

fn assert_good(outcome: &Outcome) {
    assert!(
        outcome.violations.is_empty(),
        "seed {:#x}: {:?}",
        outcome.seed,
        outcome.violations
    );
    assert!(outcome.shown > 0, "seed {:#x} sold nothing", outcome.seed);
}

#[test]
fn short_days_of_three_seeds_hold() {
    for seed in [1, 3, 5] {
        assert_good(&run(&hours(seed, 4)));
    }
}

#[test]
fn a_day_without_faults_has_no_cases_but_overdrafts() {
    let calm = Options {
        off: Kind::ALL.iter().copied().collect(),
        ..hours(11, 4)
    };
    let outcome = run(&calm);
    assert_good(&outcome);
    assert!(outcome.faults.is_empty(), "{:?}", outcome.faults);
    let overdraft = festival::CaseKind::Overdraft.code();
    assert!(
        outcome.cases.keys().all(|code| *code == overdraft),
        "{:?}",
        outcome.cases
    );
}

#[test]
fn the_same_seed_gives_the_same_log_and_another_one_another() {
    let log = |seed| run(&hours(seed, 2)).log_hash;
    assert_eq!(log(4), log(4));
    assert_ne!(log(4), log(5));
}

/// A planted bug has to be found, and by an invariant that is about it.
fn assert_caught(plant: Plant, expected: &[&str]) {
    let planted = Options {
        plant,
        off: Kind::ALL.iter().copied().collect(),
        ..hours(2, 3)
    };
    let found: Vec<&str> = run(&planted)
        .violations
        .iter()
        .map(|violation| violation.invariant)
        .collect();
    assert!(!found.is_empty(), "{plant:?} went unnoticed");
    assert!(
        found.iter().any(|invariant| expected.contains(invariant)),
        "{plant:?} was only seen as {found:?}"
    );
}

#[test]
fn a_store_that_forgets_a_balance_is_caught() {
    assert_caught(Plant::DroppedBalance, &["I1"]);
}

#[test]
fn a_disk_of_the_server_that_lies_about_a_commit_is_caught() {
    assert_caught(Plant::LyingDisk, &["I4"]);
}

#[test]
fn an_acknowledgement_before_the_commit_is_caught() {
    assert_caught(Plant::AckBeforeCommit, &["I4"]);
}

#[test]
fn a_till_that_shows_paid_before_its_disk_has_it_is_caught() {
    assert_caught(Plant::ShownBeforeDurable, &["I4"]);
}

#[test]
fn a_till_disk_that_forgets_an_order_is_caught() {
    assert_caught(Plant::ForgottenEntry, &["I4", "I5"]);
}
