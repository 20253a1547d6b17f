//! Exports before the verifier: what our own TSE in software exports, the same with planted faults, and real ones of other makers.
#![expect(clippy::unwrap_used, reason = "what cannot be fails the test")]

mod archive;
mod faults;
mod mutations;
mod own;
mod samples;
mod tse;
