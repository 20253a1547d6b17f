//! The books from the outside: a till on paper pushes its journal, a real engine over the memory store books it.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

mod batches;
mod booking;
mod common;
mod currencies;
mod drawer;
mod import;
mod journals;
mod office;
mod purses;
mod swaps;
mod vouchers;
