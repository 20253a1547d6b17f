//! What a batch of decisions stands on: the part of the ledger that was loaded for it.

use std::collections::BTreeMap;

use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, HoldId, Overflow};

use crate::account::AccountKey;
use crate::hold::Hold;
use crate::journal::Record;
use crate::posting::{Posting, PostingId};

/// The two numbers an account stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// All that came in minus all that went out.
    pub balance: Amount,
    /// What holds set aside, part of the balance.
    pub held: Amount,
}

impl Balance {
    /// What is not set aside.
    pub const fn available(&self) -> Result<Amount, Overflow> {
        self.balance.minus(self.held)
    }
}

/// What is known of a posting that is booked already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPosting {
    /// Its number in the journal.
    pub no: u64,
    /// Its content digest.
    pub content: Hash32,
    /// Which posting took it back.
    pub reversed_by: Option<PostingId>,
    /// The posting as journalled; loaded only where a reversal names it.
    pub posting: Option<Posting>,
}

/// The part of the ledger that a batch needs.
///
/// Invariant: it has an entry for every bounded account, hold and posting id that the batch's `Needs` named (an account that does not exist
/// yet is a zero balance; an unknown hold or posting is absent). A posting that touches a bounded account that is not here is refused as
/// `NotLoaded`, never decided on a guess.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    /// Balances of bounded accounts.
    pub accounts: BTreeMap<AccountKey, Balance>,
    /// Lots of expiring assets: what is left, by account and end of validity in ms since 1970.
    pub lots: BTreeMap<(AccountKey, u64), Amount>,
    /// Holds by id.
    pub holds: BTreeMap<HoldId, Hold>,
    /// Postings booked already, by id.
    pub postings: BTreeMap<PostingId, KnownPosting>,
    /// Sums of the accounts without bounds that were asked for.
    pub sums: BTreeMap<AccountKey, i128>,
    /// The number of the last journal record; zero in an empty journal.
    pub last_no: u64,
    /// The hash of the last journal record.
    pub head: Option<Hash32>,
}

impl View {
    /// Adds to the sums that were asked for what a later record moved.
    pub fn add_to_sums(&mut self, record: &Record) {
        let Some(posting) = record.posting.as_ref().filter(|_| !self.sums.is_empty()) else {
            return;
        };
        for transfer in &posting.transfers {
            let amount = i128::from(transfer.amount.0);
            for (key, change) in [
                (posting.source(transfer), amount.saturating_neg()),
                (posting.target(transfer), amount),
            ] {
                // 2^64 records of a hundred transfers below 2^63 stay within 128 bits many times over.
                if let Some(sum) = self.sums.get_mut(&key) {
                    *sum = sum.saturating_add(change);
                }
            }
        }
    }
}
