//! What a store has to write, all of it in one durable transaction.

use std::collections::BTreeMap;

use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, HoldId};

use crate::account::AccountKey;
use crate::hold::Hold;
use crate::journal::Record;
use crate::view::Balance;

/// Absolute new values, coalesced over the batch: an account touched by ten postings is written once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effects {
    /// New journal records in order. A posting that `reverses` another marks that one as taken back by it.
    pub records: Vec<Record>,
    /// The chain hash of each record, in the same order; stored beside it, so that an audit can name the first bad one.
    pub hashes: Vec<Hash32>,
    /// New balances of bounded accounts.
    pub accounts: BTreeMap<AccountKey, Balance>,
    /// New remainders of lots; zero means the lot is used up and its row goes.
    pub lots: BTreeMap<(AccountKey, u64), Amount>,
    /// New state of holds.
    pub holds: BTreeMap<HoldId, Hold>,
}
