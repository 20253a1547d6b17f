//! Holds: value set aside for a cart until it is captured, released or its time is over.
//!
//! A hold counts against its account until it is captured, released or *lapsed*: a hold whose time is over can no longer be captured,
//! and gives its value back with the next [`Fold::lapse`](crate::fold::Fold::lapse). Of an expiring asset a hold sets aside a number of
//! units, not certain lots.

use serde::{Deserialize, Serialize};
use shared_protocol::{Amount, AssetId, EventId, HoldId};

use crate::account::{Account, AccountKey};

/// What a caller asks to be set aside. Same id and content: the first answer again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldRequest {
    /// Made by the caller before the first try.
    pub id: HoldId,
    /// The event.
    pub event: EventId,
    /// Whose value.
    pub account: Account,
    /// Of what.
    pub asset: AssetId,
    /// How much, above zero.
    pub amount: Amount,
    /// When it lapses by itself, in ms of the server's clock since 1970.
    pub expires_at_ms: u64,
}

impl HoldRequest {
    /// The balance the hold is on.
    pub fn key(&self) -> AccountKey {
        AccountKey {
            event: self.event,
            account: self.account,
            asset: self.asset,
        }
    }
}

/// A hold as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hold {
    /// As it was asked for.
    pub request: HoldRequest,
    /// What is still set aside; zero when captured, released or lapsed.
    pub remaining: Amount,
}

impl Hold {
    /// Whether nothing can be captured from it any more at this time.
    pub const fn is_over(&self, now_ms: u64) -> bool {
        self.remaining.is_zero() || self.request.expires_at_ms <= now_ms
    }
}

/// A posting uses up a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Which hold.
    pub hold: HoldId,
    /// How much of it, at most what remains. Zero only together with `release_rest`: the order cost nothing after all.
    pub amount: Amount,
    /// Whether the rest is set free with this capture (the last order of a payment group says yes).
    pub release_rest: bool,
}
