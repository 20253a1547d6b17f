//! The command line of the simulator.

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::faults::Kind;
use crate::report::{Report, run_all};
use crate::world::{Options, Plant, run};

/// Runs whole festivals from seeds and says what must not be.
#[derive(Debug, Parser)]
#[command(
    after_help = "Examples:\n  world --seeds 0..60\n  world --seeds 0..500 --hours 24 --json --jobs 2\n  world --seed 0x2a --until 51234 --off rogue,clone"
)]
struct Arguments {
    /// Seeds, as A..B (B is left out).
    #[arg(long, default_value = "0..60", conflicts_with = "seed", value_parser = seeds)]
    seeds: (u64, u64),
    /// One seed, decimal or 0x….
    #[arg(long, value_parser = number)]
    seed: Option<u64>,
    /// Simulated hours before everything is healed.
    #[arg(long, default_value_t = 24)]
    hours: u64,
    /// Stops after this many events and shows the last lines of the log.
    #[arg(long)]
    until: Option<u64>,
    /// How many of the last lines of the log are shown.
    #[arg(long, default_value_t = 40)]
    lines: usize,
    /// Kinds of faults to switch off, separated by commas.
    #[arg(long, value_delimiter = ',', value_parser = kind)]
    off: Vec<Kind>,
    /// Seeds that run at the same time.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Does not look for the fewest faults that still break a run.
    #[arg(long)]
    as_is: bool,
    /// Only the JSON object on the output.
    #[arg(long)]
    json: bool,
}

fn number(text: &str) -> Result<u64, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| format!("{text} is not a number"))
}

fn seeds(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text
        .split_once("..")
        .ok_or_else(|| format!("{text} is not a range like 0..60"))?;
    let range = (number(from)?, number(to)?);
    if range.0 < range.1 {
        Ok(range)
    } else {
        Err(format!("{text} has no seeds"))
    }
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        format!("{text} is no kind of fault; there are {}", known.join(", "))
    })
}

/// Runs the program. Exit code 0: all is well; 1: something must not be; 2: wrong arguments.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let template = Options {
        seed: 0,
        hours: arguments.hours,
        until: arguments.until,
        lines: 0,
        off: arguments.off.iter().copied().collect::<BTreeSet<_>>(),
        plant: Plant::None,
    };
    if let (Some(seed), Some(_)) = (arguments.seed, arguments.until) {
        return replay(&Options {
            seed,
            lines: arguments.lines,
            ..template
        });
    }
    let seeds: Vec<u64> = match arguments.seed {
        Some(seed) => vec![seed],
        None => (arguments.seeds.0..arguments.seeds.1).collect(),
    };
    let started = Instant::now();
    let total = seeds.len();
    let bar = std::io::stderr().is_terminal() && !arguments.json;
    let progress = |seed: u64, report: &Report| {
        if bar {
            let done = usize::try_from(report.seeds).unwrap_or(total);
            let filled = 30 * done / total.max(1);
            eprint!(
                "\r[{}{}] {done}/{total} seeds, {} orders, {} failed ",
                "#".repeat(filled),
                ".".repeat(30 - filled),
                report.orders,
                report.failures.len()
            );
            let _flushed = std::io::stderr().flush();
        } else if let Some(failure) = report.failures.get(&seed) {
            eprintln!("seed {seed:#x} failed: {}", failure.violations.join("; "));
        }
    };
    let report = run_all(&template, &seeds, arguments.jobs, !arguments.as_is, &progress);
    if bar {
        eprintln!();
    }
    for (seed, failure) in &report.failures {
        eprintln!("\nseed {seed:#x}, event {}:", failure.event);
        failure.lines.iter().for_each(|line| eprintln!("  {line}"));
        failure.violations.iter().for_each(|what| eprintln!("  {what}"));
        let enough: Vec<&str> = failure.enough.iter().map(|kind| kind.name()).collect();
        eprintln!("  faults that are enough: {}", enough.join(", "));
        eprintln!("  {}", failure.repro);
    }
    println!("{}", report.json(started.elapsed().as_secs_f64()));
    if report.is_good() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Shows a run up to an event.
fn replay(options: &Options) -> ExitCode {
    let outcome = run(options);
    outcome.lines.iter().for_each(|line| println!("{line}"));
    for violation in &outcome.violations {
        println!(
            "{} after event {}: {}",
            violation.invariant, violation.event, violation.what
        );
    }
    if outcome.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
