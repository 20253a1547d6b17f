//! Receipts of the sample festival in every form: what is in the golden files, what a printer would print, what a PDF reader reads.
#![expect(clippy::expect_used, reason = "what cannot be fails the test")]

mod cases;
mod golden;
mod pdf;
mod printer;
mod properties;
