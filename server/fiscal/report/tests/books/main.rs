//! Reports over the books of a small festival: real bookings through the engine, with everything a till can do.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

mod export;
mod festival;
mod forms;
mod properties;
mod says;
