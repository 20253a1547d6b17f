//! The `SQLite` engine: the suite of all engines, its files, and what a disk may do to it.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod day;
mod disk_errors;
mod engine;
mod files;
mod opening;
mod power_cuts;
