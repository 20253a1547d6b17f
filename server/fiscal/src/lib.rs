//! What German law asks of a till, as rules and formats: which transactions a TSE signs ([`process_data`]), the bytes it signs ([`log_message`]),
//! the code on a receipt ([`qr`]), closings of tills ([`closing`]) and when they are due ([`closer`]), whether TSEs suffice ([`capacity`]), how each
//! order comes off ([`signer`], with its orders from [`jobs`]), choices of the operator ([`tax`]), the notification of tills ([`notification`]), and a TSE
//! in software ([`software`]) for tests, demos and training, with its export ([`export`]).
//!
//! What must never happen here: I/O, a clock, randomness (all three come in as arguments), or a decision about money. Nothing here is certified: a TSE
//! in software protects nobody and says so wherever it shows.
//!
//! Sources: § 146a AO; `KassenSichV` §§ 2, 6; BSI TR-03153-1 and TR-03151 1.0.1 with its amendment (log messages of version 2); DSFinV-K 2.4, annex I
//! (process data and QR code).

pub mod capacity;
pub mod closer;
pub mod closing;
pub mod export;
pub mod jobs;
pub mod log_message;
pub mod notification;
pub mod process_data;
pub mod qr;
pub mod shift;
pub mod signer;
pub mod software;
pub mod tax;
pub mod tse;

pub use closer::Closer;
pub use jobs::Jobs;
pub use process_data::{Kassenbeleg, ProcessType, VoucherModel};
pub use qr::ReceiptCode;
pub use signer::{Job, Known, OutagePolicy, Signer};
pub use software::SoftwareTse;
pub use tse::{Document, Finished, Limits, Started, TimeFormat, TransactionKey, Tse, TseError, TseInfo, TseStatus};
