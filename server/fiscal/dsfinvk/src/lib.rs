//! The export that a tax auditor gets of a till: DSFinV-K 2.4 (2.3 on request), 20 tables with their description.
//!
//! ```text
//!  order, how it came off ──▶ map ──▶ Receipt ──▶ write ──▶ 20 tables, index.xml, DTD
//!                                                                │
//!                                    Report ◀── check ◀──────────┘  (or anybody's export)
//! ```
//! [`model`] has the content in the standard's own words, [`map`] makes it of orders, [`write`](mod@write) streams it out, [`check`](mod@check) reads an export and does the
//! sums again as an auditor's program would. The tables themselves are in [`tables`], the closed lists of words in [`words`].
//!
//! What must never happen here: I/O (files come in through [`write::Sink`] and [`check::Source`]), a clock, a decision about money, or the claim that an
//! export satisfies the law. The official document could not be read when this was written: columns and lists are from what several programs of others
//! agree on, and `docs/fiscal-dsfinvk.md` names what nobody confirmed.

pub mod amount;
pub mod check;
pub mod map;
pub mod memory;
pub mod model;
pub mod tables;
pub mod words;
pub mod write;

pub use check::{Report, check};
pub use model::{Closing, Receipt};
pub use words::Taxonomy;
pub use write::Writer;
