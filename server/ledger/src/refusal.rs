//! Why the ledger refuses. Codes are stable: people search for them, terminals and reports store them.

use shared_protocol::{Amount, Overflow};

use crate::account::AccountKey;

/// Why a posting or hold was refused. Nothing was changed by it and no key was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The id was booked before with other content. No money moved this time.
    #[error("this id was booked before with other content (journal no {no}); nothing was booked again")]
    Conflict {
        /// Where the first one is in the journal.
        no: u64,
    },
    /// The account would go below its floor, held value counted as gone.
    #[error("{missing} more would be needed on {account:?}")]
    BelowFloor {
        /// Which balance.
        account: AccountKey,
        /// How much is missing.
        missing: Amount,
    },
    /// The account would go above its ceiling.
    #[error("{excess} too much for {account:?}")]
    AboveCeiling {
        /// Which balance.
        account: AccountKey,
        /// How much is too much.
        excess: Amount,
    },
    /// A balance or sum does not fit.
    #[error("an amount in this posting is larger than any amount this system can hold")]
    Overflow,
    /// A transfer's or hold's amount is zero or below.
    #[error("an amount must be above zero; the direction is the pair of accounts")]
    NotPositive,
    /// A transfer from an account to itself.
    #[error("a transfer needs two different accounts")]
    SameAccount,
    /// The hold is not known: it never was, or the server restarted since.
    #[error("this authorisation is not known; book the order by the offline rules")]
    UnknownHold,
    /// The hold has lapsed, was released or fully captured, or would be over already when it is asked for.
    #[error("this authorisation is used up or over; book the order by the offline rules")]
    HoldOver,
    /// More is to be captured than is held.
    #[error("{missing} more is to be captured than was authorised")]
    HoldTooSmall {
        /// How much is missing.
        missing: Amount,
    },
    /// The posting to take back is not in the journal.
    #[error("the booking to take back is not known")]
    ReversalTargetUnknown,
    /// The posting was taken back before.
    #[error("the booking was taken back before")]
    AlreadyReversed,
    /// Units of an expiring asset came without an end of validity, or units of another asset with one.
    #[error("an end of validity must be given for an asset that expires, and for no other")]
    LotMismatch,
    /// The lots of the account do not hold that much.
    #[error("{missing} more would be needed in lots that are still valid")]
    LotsTooSmall {
        /// How much is missing.
        missing: Amount,
    },
    /// A bounded account of the posting was not loaded. This is a fault of the program, not of the order.
    #[error("{0:?} was not loaded before the decision; nothing was booked, please report this")]
    NotLoaded(AccountKey),
    /// The hold's id was used before with other content.
    #[error("this authorisation id was used before with other content; nothing was set aside")]
    HoldConflict,
    /// Only value with a floor can be set aside.
    #[error("nothing can be set aside on {0:?}, only what a guest has")]
    NotHoldable(AccountKey),
    /// The posting to take back was loaded without its transfers. This is a fault of the program, not of the order.
    #[error("the booking to take back was not loaded whole; nothing was booked, please report this")]
    TargetNotLoaded,
}

impl From<Overflow> for Refusal {
    fn from(Overflow: Overflow) -> Self {
        Self::Overflow
    }
}

impl Refusal {
    /// The stable number.
    pub const fn code(&self) -> u16 {
        match self {
            Self::Conflict { .. } => 100,
            Self::BelowFloor { .. } => 101,
            Self::AboveCeiling { .. } => 102,
            Self::Overflow => 103,
            Self::NotPositive => 104,
            Self::SameAccount => 105,
            Self::UnknownHold => 106,
            Self::HoldOver => 107,
            Self::HoldTooSmall { .. } => 108,
            Self::ReversalTargetUnknown => 109,
            Self::AlreadyReversed => 110,
            Self::LotMismatch => 111,
            Self::LotsTooSmall { .. } => 112,
            Self::NotLoaded(_) => 113,
            Self::HoldConflict => 114,
            Self::NotHoldable(_) => 115,
            Self::TargetNotLoaded => 116,
        }
    }
}
