//! The one binary: configuration, command line, wiring. It alone sees both sides, terminals and server, for `demo` and `simulate`.
//!
//! What must never happen here: a rule of value or a format. Commands put the rooms together and say what came of it.

pub mod archive;
pub mod audit;
mod background;
mod closer;
pub mod credits;
pub mod crowd;
pub mod demo;
pub mod desk;
pub mod doctor;
pub mod export;
pub mod exporting;
pub mod health;
pub mod import;
pub mod instance;
pub mod interrupted;
pub mod keep;
pub mod keys;
pub mod migrate;
pub mod procedures;
pub mod progress;
pub mod receipt;
pub mod report;
pub mod secret;
pub mod serve;
pub mod settings;
pub mod signing;
pub mod simulate;
pub mod tags;
pub mod tax;
pub mod user;
pub mod verify;
pub mod wristbands;

/// How a command ended, as its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what it was asked to.
    Done = 0,
    /// It did, and what it found is not in order (an audit, a simulation).
    Found = 1,
    /// It could not be started: wrong arguments or settings.
    Usage = 2,
    /// It failed on the way.
    Failed = 3,
}
