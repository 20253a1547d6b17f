//! What the recording VFS promises, shown on a small ledger of six orders.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod book;
mod disk_errors;
mod power_cuts;
mod second_cut;
mod stock;
