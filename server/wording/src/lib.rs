//! The languages of the product ([`Language`]), and amounts, times and counts as their people write them ([`format`]): for pages and for paper alike, so
//! that a receipt says the same wherever it is read; and tables as files that a spreadsheet in that language opens ([`csv`]).
//!
//! What must never be here: a page, a printer, a text of one of them; I/O, but for the language that the environment asks for.

pub mod csv;
pub mod format;
mod language;

pub use language::Language;
