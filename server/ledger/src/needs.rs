//! What a batch touches, so that one read can load it all.

use std::collections::BTreeSet;

use shared_protocol::HoldId;

use crate::account::AccountKey;
use crate::hold::HoldRequest;
use crate::posting::{Posting, PostingId};

/// Keys to load into a `View` before deciding.
///
/// Two things cannot be known before the read, and the store adds them while it loads: the bounded accounts (with their lots) that the
/// target of a reversal touched, and the account that a hold is on. A view without them is refused as `NotLoaded`, never guessed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Bounded accounts (and their lots, where the asset expires).
    pub accounts: BTreeSet<AccountKey>,
    /// Holds, each with the account it is on.
    pub holds: BTreeSet<HoldId>,
    /// Postings whose existence matters: idempotency.
    pub postings: BTreeSet<PostingId>,
    /// Postings that are needed with their transfers: targets of reversals, with the bounded accounts they touch.
    pub reversal_targets: BTreeSet<PostingId>,
    /// Accounts without bounds whose sum has to be exact, up to the last journal record. The store adds up what its sums lag behind, so
    /// this is for what is rare: a drawer that is counted.
    pub sums: BTreeSet<AccountKey>,
}

impl Needs {
    /// What deciding on this posting needs.
    pub fn of_posting(posting: &Posting) -> Self {
        let accounts = posting
            .transfers
            .iter()
            .flat_map(|transfer| [posting.source(transfer), posting.target(transfer)]);
        Self {
            accounts: accounts.filter(|key| key.account.is_bounded()).collect(),
            holds: posting.captures.iter().map(|capture| capture.hold).collect(),
            postings: [posting.id].into(),
            reversal_targets: posting.reverses.into_iter().collect(),
            sums: BTreeSet::new(),
        }
    }

    /// What deciding on this hold needs.
    pub fn of_hold(request: &HoldRequest) -> Self {
        let key = Some(request.key()).filter(|key| key.account.is_bounded());
        Self {
            accounts: key.into_iter().collect(),
            holds: [request.id].into(),
            ..Self::default()
        }
    }

    /// What releasing this hold needs.
    pub fn of_release(hold: HoldId) -> Self {
        Self {
            holds: [hold].into(),
            ..Self::default()
        }
    }

    /// What moving the expired lots of this account to the issuer needs.
    pub fn of_expiry(key: AccountKey, id: PostingId) -> Self {
        Self {
            accounts: [key].into(),
            postings: [id].into(),
            ..Self::default()
        }
    }

    /// Adds what another part of the batch needs.
    pub fn merge(&mut self, other: Self) {
        self.accounts.extend(other.accounts);
        self.holds.extend(other.holds);
        self.postings.extend(other.postings);
        self.reversal_targets.extend(other.reversal_targets);
        self.sums.extend(other.sums);
    }
}

#[cfg(test)]
mod tests {
    use shared_protocol::crypto::Hash32;
    use shared_protocol::{Amount, AssetId, EventId, OrderId, TagId, TaxpayerId};

    use super::*;
    use crate::account::{Account, Authority};
    use crate::hold::Capture;
    use crate::posting::{Limits, Transfer, TransferCode};

    #[test]
    fn a_sale_needs_the_wristband_but_not_the_taxpayers_account() {
        let guest = Account::Wristband {
            tag: TagId::from_slice(&[1, 2, 3, 4]).unwrap(),
            authority: Authority::Server,
        };
        let posting = Posting {
            id: PostingId(OrderId([1; 16])),
            content: Hash32::ZERO,
            event: EventId([2; 16]),
            transfers: vec![Transfer {
                from: guest,
                to: Account::Payable {
                    taxpayer: TaxpayerId(1),
                },
                asset: AssetId::EURO,
                amount: Amount(450),
                code: TransferCode::Sale,
                expires_at_ms: None,
            }],
            captures: vec![Capture {
                hold: HoldId([3; 16]),
                amount: Amount(450),
                release_rest: true,
            }],
            reverses: Some(PostingId(OrderId([4; 16]))),
            limits: Limits::Enforced,
            mirrored: None,
        };
        let mut needs = Needs::of_release(HoldId([9; 16]));
        needs.merge(Needs::of_posting(&posting));
        assert_eq!(
            needs,
            Needs {
                accounts: [AccountKey {
                    event: EventId([2; 16]),
                    account: guest,
                    asset: AssetId::EURO
                }]
                .into(),
                holds: [HoldId([3; 16]), HoldId([9; 16])].into(),
                postings: [PostingId(OrderId([1; 16]))].into(),
                reversal_targets: [PostingId(OrderId([4; 16]))].into(),
                sums: BTreeSet::new(),
            }
        );
    }
}
