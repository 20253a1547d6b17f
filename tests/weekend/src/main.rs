//! One weekend by itself: `cargo run -p weekend -- FOLDER [SEED] [ORDERS]`. The folder is made; it keeps the database, for other commands.
#![expect(clippy::expect_used, reason = "a simulation for tests; what cannot be ends it")]

use std::process::ExitCode;

use fiscal::OutagePolicy;
use weekend::{Options, Plant};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let folder = std::path::PathBuf::from(arguments.next().expect("a folder's name"));
    let mut number = |otherwise: u64| {
        let next = arguments.next().and_then(|text| text.into_string().ok());
        next.map_or(otherwise, |text| text.parse().expect("a number"))
    };
    let seed = number(27);
    let options = Options {
        seed,
        orders: u32::try_from(number(21_000)).expect("a number of orders"),
        policy: if seed % 2 == 0 {
            OutagePolicy::MarkOnly
        } else {
            OutagePolicy::ResignMarked
        },
        plant: Plant::Nothing,
    };
    std::fs::create_dir_all(&folder).expect("a folder that can be made");
    let outcome = weekend::run(&folder, &options);
    println!("{outcome:#?}");
    if outcome.found.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
