//! The rules of an event on top of the ledger: what an order books, what an authorisation may hold, which cases a person has to look
//! at, who may register a terminal, which day a sale belongs to.
//!
//! What must never happen here: I/O, a clock, randomness, SQL, or refusing a fact. An order that a till has shown as paid is booked as
//! taken; what its payer lacks becomes a receivable with a case.

pub mod authorise;
pub mod booking;
pub mod case;
pub mod day;
pub mod holding;
pub mod purse;
pub mod registration;

pub use booking::{Booked, Context, book};
pub use case::{Case, CaseKind};
