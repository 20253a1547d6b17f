//! A posting: a group of transfers that happens whole or not at all.

use serde::{Deserialize, Serialize};
use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, AssetId, EventId, OrderId};

use crate::account::{Account, AccountKey};
use crate::hold::Capture;

/// The idempotency key of a posting, made by the client before the first try. For orders it is the order's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PostingId(pub OrderId);

shared_protocol::closed_enum! {
    /// Why value moved, for reports. The direction is the pair of accounts, never a sign.
    pub enum TransferCode {
        /// Goods or services sold, gross.
        Sale = 1,
        /// Deposit taken for a bearer good.
        DepositTaken = 2,
        /// Deposit paid back.
        DepositReturned = 3,
        /// A deposit paid back by another taxpayer than took it.
        DepositCleared = 4,
        /// Money paid in.
        TopUp = 5,
        /// Money paid out.
        PayOut = 6,
        /// Goods were taken that the wristband could not pay.
        Overdraft = 7,
        /// An overdraft settled from a later top-up.
        OverdraftSettled = 8,
        /// Units of an asset handed to a holder (vouchers granted, points earned).
        Issue = 9,
        /// Units of an asset used (vouchers redeemed, points spent).
        Redeem = 10,
        /// Units that expired unused.
        Expire = 11,
        /// Value moved to another authority or holder.
        Move = 12,
        /// Cash brought to or taken from a drawer.
        CashMovement = 13,
        /// A counted drawer differs from what it should hold.
        CashDifference = 14,
        /// The payer of goods handed out is not known.
        Suspense = 15,
        /// What a guest gave on top, to the staff.
        Tip = 16,
        /// Change given in the event's currency for a larger payment; and notes of another currency that came into a drawer.
        Change = 17,
    }
}

/// Value moves from one account to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Transfer {
    /// Who gives.
    pub from: Account,
    /// Who gets.
    pub to: Account,
    /// What.
    pub asset: AssetId,
    /// How much, always above zero.
    pub amount: Amount,
    /// Why.
    pub code: TransferCode,
    /// For an asset that expires: until when these units are good, in ms since 1970. On a transfer *into* a holder's account it
    /// makes or fills that lot. On a transfer *out of* one it names the lot; left out in a request, the rule takes first what expires first
    /// and journals one transfer per lot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<u64>,
}

shared_protocol::closed_enum! {
    /// How strictly a posting is held to ceilings.
    pub enum Limits {
        /// Floors and ceilings hold.
        Enforced = 0,
        /// It happened already: ceilings do not refuse it, floors still do (the caller books the rest as an overdraft).
        Fact = 1,
    }
}

/// A group of transfers that happens whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The idempotency key.
    pub id: PostingId,
    /// Digest of what was asked for. Same id and content: the first answer again. Other content: refused.
    pub content: Hash32,
    /// The event all accounts belong to.
    pub event: EventId,
    /// What moves, in order. May be empty: an order worth nothing still claims its key. As journalled it is all that moved: the mirrored
    /// transfers of the target first, then the own ones, one for each lot.
    pub transfers: Vec<Transfer>,
    /// Holds that this posting uses up.
    pub captures: Vec<Capture>,
    /// The posting whose transfers this one takes back. They are mirrored, the last one first, before the own transfers; one reversal
    /// per posting. A reversal may itself be reversed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<PostingId>,
    /// Whether ceilings refuse it.
    pub limits: Limits,
    /// For a posting that takes another one's place (a correction): how many of its journalled transfers are the mirrored ones, which come first.
    /// Taking it back mirrors only the others, so that what it replaced stays taken back. In a request any number asks for this; none is a
    /// plain reversal or no reversal at all, and is taken back whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirrored: Option<u32>,
}

impl Posting {
    /// The transfers that a reversal of this posting mirrors.
    pub fn takes_back(&self) -> &[Transfer] {
        let first = self.mirrored.and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        self.transfers.get(first..).unwrap_or(&[])
    }

    /// The balance a transfer takes from.
    pub fn source(&self, transfer: &Transfer) -> AccountKey {
        AccountKey {
            event: self.event,
            account: transfer.from,
            asset: transfer.asset,
        }
    }

    /// The balance a transfer adds to.
    pub fn target(&self, transfer: &Transfer) -> AccountKey {
        AccountKey {
            event: self.event,
            account: transfer.to,
            asset: transfer.asset,
        }
    }
}
