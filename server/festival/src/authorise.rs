//! Authorisations: may a connected till take this much of this wristband?

use ledger::{Account, AccountKey, Authority, HoldRequest};
use shared_protocol::config::Event;
use shared_protocol::message::{AuthoriseRefusal, TerminalState};
use shared_protocol::stream::BlockReason;
use shared_protocol::{Amount, AssetId, HoldId, TagId};

/// The balance of a wristband's money that the ledger has authority over.
pub fn money(event: &Event, tag: TagId) -> AccountKey {
    units(event, tag, AssetId::EURO)
}

/// The balance of any asset on a wristband that the ledger has authority over.
pub fn units(event: &Event, tag: TagId, asset: AssetId) -> AccountKey {
    AccountKey {
        event: event.id,
        account: Account::Wristband {
            tag,
            authority: Authority::Server,
        },
        asset,
    }
}

/// The balance of any asset that the purse of a wristband has authority over.
pub fn in_purse(event: &Event, tag: TagId, asset: AssetId) -> AccountKey {
    AccountKey {
        account: Account::Wristband {
            tag,
            authority: Authority::Chip,
        },
        ..units(event, tag, asset)
    }
}

/// What the guest still owes.
pub fn owed(event: &Event, tag: TagId) -> AccountKey {
    AccountKey {
        event: event.id,
        account: Account::Overdraft { tag },
        asset: AssetId::EURO,
    }
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// The id the hold will have.
    pub hold: HoldId,
    /// Which wristband.
    pub tag: TagId,
    /// How much in cents.
    pub amount: Amount,
    /// What the terminal may do.
    pub terminal: TerminalState,
    /// Whether the wristband must not pay.
    pub blocked: Option<BlockReason>,
}

/// The hold to ask the ledger for, or why not.
pub fn decide(event: &Event, question: &Question, now_ms: u64) -> Result<HoldRequest, AuthoriseRefusal> {
    if question.terminal == TerminalState::Locked {
        return Err(AuthoriseRefusal::Terminal);
    }
    if question.blocked.is_some() {
        return Err(AuthoriseRefusal::Blocked);
    }
    if !question.amount.is_positive() {
        return Err(AuthoriseRefusal::Amount);
    }
    let key = money(event, question.tag);
    Ok(HoldRequest {
        id: question.hold,
        event: key.event,
        account: key.account,
        asset: key.asset,
        amount: question.amount,
        expires_at_ms: now_ms.saturating_add(event.hold_lifetime_ms),
    })
}
