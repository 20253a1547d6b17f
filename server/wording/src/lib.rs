//! The languages of the product ([`Language`]), texts in both ([`Both`]), and amounts, times and counts as their people write them ([`mod@format`]):
//! for pages and for paper alike, so that a receipt says the same wherever it is read; and tables as files that a spreadsheet in that language opens
//! ([`csv`]).
//!
//! What must never be here: a page, a printer, a text of one of them; I/O, but for the language that the environment asks for.

mod both;
pub mod csv;
pub mod format;
mod language;

pub use both::{Both, in_english};
pub use language::Language;
