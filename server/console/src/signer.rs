//! What the console sees of the signer, and what it may ask of it.
//!
//! The signer puts a board up now and then and never waits for whoever reads it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use fiscal::TseStatus;
use fiscal::signer::{Refused, UnitState};
use shared_protocol::TaxpayerId;
use store::{RetiredRow, WishRow};

/// How a TSE does just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitNow {
    /// What the signer knows.
    pub state: UnitState,
    /// Thousandths of signatures a second, over the last ten seconds.
    pub signatures_per_ks: u64,
    /// What it said of itself, and when.
    pub status: Option<(u64, TseStatus)>,
}

/// How all of them do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Board {
    /// Grows when something on it has changed.
    pub no: u64,
    /// When it was made, in ms since 1970; zero before the first.
    pub at_ms: u64,
    /// The TSEs that the signer has.
    pub units: Vec<UnitNow>,
    /// Orders of the busiest minute since the server started, by taxpayer.
    pub peaks: Vec<(TaxpayerId, u64)>,
}

/// What an admin wants of the signer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TseOrder {
    /// A till at another TSE.
    Wish(WishRow),
    /// A TSE out of service.
    Retire(RetiredRow),
}

/// Why the signer did not take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The rules are against it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It does not answer.
    #[error("the signer does not answer; nothing is known to have changed, look again in a moment")]
    Silent,
}

/// An answer that comes once what was asked is in the database.
pub type Taken<'a> = Pin<Box<dyn Future<Output = Result<(), NotTaken>> + Send + 'a>>;

/// What the signer says of itself, and what it is asked.
pub trait SignerView: Send + Sync {
    /// Whether a TSE is in an outage.
    fn outage(&self) -> bool;
    /// How the TSEs do, at most a second old.
    fn board(&self) -> Arc<Board>;
    /// Asks for something.
    fn ask(&self, order: TseOrder) -> Taken<'_>;
}
