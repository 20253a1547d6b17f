//! What somebody said about the taxes of an event: choices of the operator, dates that no program can know, that a notification was sent, and which
//! version ran from when on.
//!
//! Rows are only ever added; of a key the last one holds. What keys and values mean is not known here (`fiscal::tax`).

use shared_protocol::EventId;

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxRow {
    /// For which event.
    pub event: EventId,
    /// When, by the server's clock, in ms since 1970.
    pub at_ms: u64,
    /// By whom; none for the settings of the server.
    pub by: Option<String>,
    /// About what.
    pub key: String,
    /// What holds from then on.
    pub value: String,
    /// Why, in the words of who said it.
    pub why: String,
}
