//! The chart of accounts: every place where value can be, as a type.
//!
//! Balances are written from the holder's side: what the organiser owes somebody is positive (a wristband's money, a taxpayer's
//! revenue, deposits), what the organiser has or is owed is negative (cash in a drawer, a card acquirer, an overdraft). So the sum
//! over all accounts of an asset is always zero.

use serde::{Deserialize, Serialize};
use shared_protocol::{Amount, ArticleId, AssetId, DecodeError, EventId, TagId, TaxpayerId, TillId, decode, encode};

shared_protocol::closed_enum! {
    /// Who may say how much a holder has.
    pub enum Authority {
        /// The ledger.
        Server = 0,
        /// The chip of the wristband; the ledger follows it.
        Chip = 1,
    }
}

/// A place where value can be, within one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Account {
    /// What a guest has on a wristband. Floor zero where the ledger decides; where the chip does, the ledger hears of a credit and of what was
    /// spent of it in any sequence, so that the balance may be below zero until all tills have sent.
    Wristband {
        /// The wristband.
        tag: TagId,
        /// Who decides about this value.
        authority: Authority,
    },
    /// What a guest still owes after goods were handed out that the wristband could not pay. Ceiling zero.
    Overdraft {
        /// The wristband that owes it.
        tag: TagId,
    },
    /// What is owed to a taxpayer for goods sold, gross.
    Payable {
        /// The business that sold.
        taxpayer: TaxpayerId,
    },
    /// Deposits taken for bearer goods that are still out.
    Deposit {
        /// The deposit article (cup, tray).
        article: ArticleId,
        /// The business that took the deposit.
        taxpayer: TaxpayerId,
    },
    /// What one taxpayer owes another, because a cup sold by one was returned to the other.
    Clearing {
        /// Who took the deposit.
        debtor: TaxpayerId,
        /// Who paid it back.
        creditor: TaxpayerId,
    },
    /// Cash in a till's drawer (negative: the organiser has it): in the event's currency, and notes of others each in its own asset.
    Cash {
        /// The till.
        till: TillId,
    },
    /// Card payments of a till that the acquirer owes (negative).
    Card {
        /// The till.
        till: TillId,
    },
    /// The outside of an asset: what was issued and not yet redeemed, negative; of a foreign currency what guests brought, positive.
    Issuer,
    /// What the organiser pays for vouchers that count as a means of payment (negative, in euro).
    VoucherFunding {
        /// The voucher asset that was redeemed.
        voucher: AssetId,
    },
    /// Value whose payer could not be named at all. Always comes with a case.
    Suspense,
    /// The event's safe and whatever else brings cash to drawers and takes it from them (negative: it has the cash).
    Safe,
    /// What was missing in a till's counted drawers (negative) or over.
    CashDifference {
        /// The till.
        till: TillId,
    },
    /// What guests gave a taxpayer's staff. It is neither the organiser's nor turnover, and waits to be handed on.
    Tips {
        /// Whose staff.
        taxpayer: TaxpayerId,
    },
    /// What foreign money in a till's drawer counts as, in the event's currency (negative: the organiser has it). The notes themselves are in
    /// [`Cash`](Self::Cash) in their own asset, against the [`Issuer`](Self::Issuer), from whom guests brought them.
    ForeignCash {
        /// The till.
        till: TillId,
        /// Which currency.
        currency: AssetId,
    },
}

/// The lowest and highest balance an account may have; `None` is no limit on that side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// The balance minus what is held never goes below this.
    pub floor: Option<Amount>,
    /// The balance never goes above this.
    pub ceiling: Option<Amount>,
}

/// What an event says about its assets, as far as the rules of value need it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chart {
    /// The most one wristband may hold of an asset.
    pub holder_ceilings: std::collections::BTreeMap<AssetId, Amount>,
    /// Assets whose units expire; holders keep them in lots.
    pub expiring: std::collections::BTreeSet<AssetId>,
}

impl Account {
    /// Whether the account has a floor or a ceiling, so that it must be loaded, decided on and written with each posting. All others
    /// are sums projected from the journal.
    pub const fn is_bounded(&self) -> bool {
        matches!(self, Self::Wristband { .. } | Self::Overdraft { .. })
    }

    /// The limits of this account for an asset.
    pub fn bounds(&self, asset: AssetId, chart: &Chart) -> Bounds {
        match self {
            Self::Wristband { authority, .. } => Bounds {
                floor: (*authority == Authority::Server).then_some(Amount::ZERO),
                ceiling: chart.holder_ceilings.get(&asset).copied(),
            },
            Self::Overdraft { .. } => Bounds {
                floor: None,
                ceiling: Some(Amount::ZERO),
            },
            _ => Bounds::default(),
        }
    }

    /// Whether a guest has the value here, so that units of an expiring asset are kept in lots.
    pub const fn is_holder(&self) -> bool {
        matches!(self, Self::Wristband { .. })
    }

    /// Whether this account keeps an expiring asset in lots.
    pub fn keeps_lots(&self, asset: AssetId, chart: &Chart) -> bool {
        self.is_holder() && chart.expiring.contains(&asset)
    }
}

/// One balance: an account of an event for one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// The event.
    pub event: EventId,
    /// The account.
    pub account: Account,
    /// The asset.
    pub asset: AssetId,
}

impl AccountKey {
    /// The account without its event, as stored beside the event: canonical CBOR, so equal accounts have equal bytes.
    pub fn account_bytes(&self) -> Vec<u8> {
        encode(&self.account)
    }

    /// Reads what [`AccountKey::account_bytes`] wrote.
    pub fn account_from_bytes(bytes: &[u8]) -> Result<Account, DecodeError> {
        decode(bytes)
    }
}
