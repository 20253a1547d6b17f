//! The store inside the process: one `SQLite` file.
//!
//! What must never happen here: a decision about value, an acknowledgement before the sync, a change to a row of the journal. SQL loads
//! and stores; rules are Rust.
//!
//! ```text
//! writer ── commit: one transaction, one sync of the WAL ──> journal.db-wal
//!    └───── every few MB ──> checkpointer (own thread, own connection) ── copies pages ──> journal.db
//! readers: own read-only connections, each sees a whole commit or nothing of it
//! journal.db-lock: held as long as the store is open; the operating system frees it when the process ends
//! ```
//!
//! After an error of the disk the store answers nothing more until it is opened again: what is on the disk is not known before that.

mod backup;
mod checkpoint;
mod closing;
mod commit;
mod connection;
#[cfg(test)]
mod cost;
mod error;
mod export;
mod load;
mod lock;
#[cfg(test)]
mod migration;
mod office;
mod orders;
mod project;
mod purses;
mod reader;
mod rows;
mod schema;
mod signing;
mod startup;
mod wal;
mod writer;

pub use backup::backup;
pub use connection::Options;
pub use reader::SqliteReader;
pub use schema::{APPLICATION_ID, FORMAT};
pub use writer::SqliteStore;
