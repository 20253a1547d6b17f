//! A festival's weekend in simulated time: two taxpayers, three TSEs of which one dies and one hangs, tills that come back days later, the night in which
//! the clocks go back. What is real: pricing, engine, `SQLite`, signer, closer, signatures. What is made up, all of it from one seed: guests, tills on
//! paper, the network, the ways in which TSEs fail.
//!
//! | file | what it is |
//! |---|---|
//! | `plan` | what happens when, and on which day each moment lies, as a person reads it from a calendar |
//! | `crew` | tills on paper with somebody at them |
//! | `device` | a TSE in software, and what goes wrong with it |
//! | `server` | engine, store, signer and closer, driven by a moment that is passed in |
//! | `weekend` | the loop |
//! | `judge` | what has to be in the books afterwards |
//!
//! What must never happen here: a clock, a thread, randomness that is not the seed's, or a day asked of the program that is judged.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a simulation for tests; what cannot be is a fault of the test"
)]

mod crew;
mod device;
mod judge;
mod plan;
mod server;
mod weekend;

pub use plan::{Options, Plant};
pub use weekend::{Outcome, run};
