//! Judges what a TSE exported and what a receipt says, whoever made the TSE: exports as TAR archives ([`judge`]) and codes of version 0
//! ([`receipt`]).
//!
//! It knows nothing of the signer in this repository and shares no line with it: a verifier that encodes with the signer's own code proves nothing.
//! What is found comes as values ([`Finding`]) that say in both languages how bad it is, where, what, why it matters and what to do now.
//!
//! What must never happen here: a file opened, a clock read, a judgement softened because something could not be checked. What no library here can
//! check is a warning of its own.
//!
//! Sources: BSI TR-03153-1 (export, verification), TR-03151 1.0.1 with its amendment (log messages), TR-03111 and TR-03116-5 (signatures), DSFinV-K
//! 2.4, annex I (codes of receipts). TR-03151-1 1.1 (messages of version 3) was not at hand: what only it describes is taken as it comes.

pub mod algorithm;
mod archive;
pub mod certificate;
pub mod chain;
mod export;
mod fast;
pub mod finding;
pub mod key;
pub mod message;
pub mod name;
mod order;
pub mod receipt;
mod record;
pub mod report;
mod signer;
pub mod time;
pub mod tlv;
mod told;

pub use archive::FILE_MAX;
pub use certificate::Certificate;
pub use export::{Options, judge};
pub use finding::{Code, Finding, Findings, Severity};
pub use message::Message;
pub use order::OpenTransaction;
pub use report::Report;
pub use told::Told;
