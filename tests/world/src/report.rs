//! Many runs: which failed, what all of them reached, and the smallest set of faults that still breaks one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::EXPECTED;
use crate::faults::Kind;
use crate::thieves::Losses;
use crate::world::{Options, Outcome, Violation, run};

/// A list of places that has to be reached whole needs so many seeds; fewer reach what they reach.
pub const SEEDS_FOR_ALL: u64 = 60;

/// One seed in this many runs twice.
const TWICE_EVERY: u64 = 20;

/// What became of many runs.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Seeds that were run.
    pub seeds: u64,
    /// Orders that tills wrote.
    pub orders: u64,
    /// The fewest of a seed.
    pub orders_min: Option<u64>,
    /// Orders that tills showed as booked.
    pub shown: u64,
    /// Events that happened.
    pub events: u64,
    /// Simulated time.
    pub simulated_ms: u64,
    /// Strikes by kind.
    pub faults: BTreeMap<Kind, u64>,
    /// Rare places and how often they were reached.
    pub sometimes: BTreeMap<&'static str, u64>,
    /// Cases on the servers at the end, by code.
    pub cases: BTreeMap<u16, u64>,
    /// What copied wristbands cost, and may cost at most.
    pub losses: Losses,
    /// Seeds that ran twice and gave the same log.
    pub twice: u64,
    /// Runs that failed, by seed.
    pub failures: BTreeMap<u64, Failure>,
}

/// A run that failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// What was seen.
    pub violations: Vec<String>,
    /// After which event the first was seen.
    pub event: u64,
    /// The kinds of faults that are enough to break it.
    pub enough: BTreeSet<Kind>,
    /// The command that shows it again.
    pub repro: String,
    /// The last lines of the log before it.
    pub lines: Vec<String>,
}

impl Report {
    /// Adds a run.
    pub fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.orders += outcome.orders;
        self.orders_min = Some(self.orders_min.map_or(outcome.orders, |min| min.min(outcome.orders)));
        self.shown += outcome.shown;
        self.events += outcome.events;
        self.simulated_ms += outcome.simulated_ms;
        for (kind, count) in &outcome.faults {
            *self.faults.entry(*kind).or_default() += count;
        }
        for (name, count) in &outcome.sometimes {
            *self.sometimes.entry(name).or_default() += count;
        }
        self.losses += outcome.losses;
        for (code, count) in &outcome.cases {
            *self.cases.entry(*code).or_default() += count;
        }
    }

    /// Places that had to be reached and were not.
    pub fn missed(&self) -> Vec<&'static str> {
        EXPECTED
            .iter()
            .copied()
            .filter(|name| !self.sometimes.contains_key(name))
            .collect()
    }

    /// Whether all is well.
    pub fn is_good(&self) -> bool {
        self.failures.is_empty() && (self.seeds < SEEDS_FOR_ALL || self.missed().is_empty())
    }

    /// The report as one JSON object.
    pub fn json(&self, seconds: f64) -> Value {
        let failures: Vec<Value> = self
            .failures
            .iter()
            .map(|(seed, failure)| {
                let enough: Vec<&str> = failure.enough.iter().map(|kind| kind.name()).collect();
                json!({
                    "seed": format!("{seed:#x}"), "event": failure.event, "violations": failure.violations,
                    "enough": enough, "repro": failure.repro,
                })
            })
            .collect();
        let faults: BTreeMap<&str, u64> = self.faults.iter().map(|(kind, count)| (kind.name(), *count)).collect();
        let cases: BTreeMap<String, u64> = self
            .cases
            .iter()
            .map(|(code, count)| (format!("{:?}", festival::CaseKind::from_code(*code)), *count))
            .collect();
        json!({
            "seeds": self.seeds,
            "orders": self.orders,
            "orders_min": self.orders_min,
            "shown_as_booked": self.shown,
            "events": self.events,
            "simulated_hours": self.simulated_ms / 3_600_000,
            "seconds": seconds,
            "same_log_twice": self.twice,
            "faults": faults,
            "cases": cases,
            "lost_by_copied_wristbands_cents": i64::try_from(self.losses.lost).ok(),
            "promised_at_most_cents": i64::try_from(self.losses.promised).ok(),
            "sometimes": self.sometimes,
            "never_reached": self.missed(),
            "failures": failures,
            "ok": self.is_good(),
        })
    }
}

/// Runs a seed, and again where the log has to be the same.
fn one(options: &Options, smallest: bool) -> (Outcome, Option<Failure>, bool) {
    let outcome = run(options);
    if let Some(first) = outcome.violations.first() {
        let failure = explain(options, &outcome, first, smallest);
        return (outcome, Some(failure), false);
    }
    if !options.seed.is_multiple_of(TWICE_EVERY) {
        return (outcome, None, false);
    }
    let again = run(options);
    let same = again.log_hash == outcome.log_hash;
    let failure = (!same).then(|| Failure {
        violations: vec![format!(
            "the same seed gives the log {:016x} and then {:016x}",
            outcome.log_hash, again.log_hash
        )],
        event: 0,
        enough: BTreeSet::new(),
        repro: repro(options, outcome.events),
        lines: Vec::new(),
    });
    (outcome, failure, same)
}

fn repro(options: &Options, until: u64) -> String {
    let mut command = format!(
        "cargo run --release -p world -- --seed {:#x} --hours {} --until {until}",
        options.seed, options.hours
    );
    if !options.off.is_empty() {
        let off: Vec<&str> = options.off.iter().map(|kind| kind.name()).collect();
        command.push_str(" --off ");
        command.push_str(&off.join(","));
    }
    command
}

/// Switches kinds off one by one while the run still breaks the same invariant.
fn explain(options: &Options, outcome: &Outcome, first: &Violation, minimise: bool) -> Failure {
    let breaks = |options: &Options| {
        run(options)
            .violations
            .into_iter()
            .find(|found| found.invariant == first.invariant)
    };
    let mut smallest = options.clone();
    let mut last = first.clone();
    for kind in outcome.kinds.iter().filter(|_| minimise) {
        let mut less = smallest.clone();
        less.off.insert(*kind);
        if let Some(found) = breaks(&less) {
            smallest = less;
            last = found;
        }
    }
    let until = Options {
        until: Some(last.event),
        lines: 30,
        ..smallest.clone()
    };
    let lines = if minimise { run(&until).lines } else { Vec::new() };
    Failure {
        violations: outcome
            .violations
            .iter()
            .map(|found| format!("{}: {}", found.invariant, found.what))
            .collect(),
        event: first.event,
        enough: outcome
            .kinds
            .iter()
            .filter(|kind| minimise && !smallest.off.contains(kind))
            .copied()
            .collect(),
        repro: repro(&smallest, last.event),
        lines,
    }
}

/// Runs all seeds on so many threads; each run is by itself. `minimise` looks for the fewest faults that still break a run; `progress` is told after each.
pub fn run_all(
    template: &Options,
    seeds: &[u64],
    jobs: usize,
    minimise: bool,
    progress: &(dyn Fn(u64, &Report) + Sync),
) -> Report {
    let report = Mutex::new(Report::default());
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs.max(1) {
            scope.spawn(|| {
                while let Some(seed) = usize::try_from(next.fetch_add(1, Ordering::Relaxed))
                    .ok()
                    .and_then(|place| seeds.get(place))
                {
                    let options = Options {
                        seed: *seed,
                        ..template.clone()
                    };
                    let (outcome, failure, same) = one(&options, minimise);
                    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
                    report.add(&outcome);
                    report.twice += u64::from(same);
                    report.failures.extend(failure.map(|failure| (*seed, failure)));
                    progress(*seed, &report);
                }
            });
        }
    });
    report.into_inner().unwrap_or_else(PoisonError::into_inner)
}
