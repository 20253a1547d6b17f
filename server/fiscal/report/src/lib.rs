//! Reports for the morning after: X and Z of a till, shifts, event days over all tills, stands, what is settled with each seller, and VAT.
//!
//! ```text
//! store::Reader ──▶ load ──▶ Books (sums by day, seller, till, shift, closing) ──▶ Document ──▶ text · CSV · XLSX · PDF · pages of the console
//! ```
//! [`load`](mod@load) reads in batches; [`sums`] adds up the receipts as DSFinV-K's closing does; every report is a sum of the same [`Books`], in one
//! [`Document`], and every form in [`form`] shows just that document. What each report is for and where its sums come from: `docs/fiscal-reports.md`.
//!
//! What must never happen here: I/O (rows come through `store::Reader`, forms are bytes), a clock, a decision about money, a fee that nobody agreed to,
//! or a word that makes more of a report than it is: what is provisional, unsigned or signed by a TSE in software says so.

pub mod books;
pub mod document;
pub mod form;
mod head;
pub mod load;
pub mod of_closing;
pub mod of_days;
pub mod of_seller;
pub mod of_vat;
pub mod sums;
mod tables;
mod words;

pub use books::{Arrival, Books, Key, Missing};
pub use document::{Cell, Document};
pub use load::{LoadError, Wanted, load};
pub use of_closing::{shift_report, x_report, z_report};
pub use of_days::{day_report, stands_report};
pub use of_seller::{Settled, settlement};
pub use of_vat::vat_summary;
pub use sums::Sums;
