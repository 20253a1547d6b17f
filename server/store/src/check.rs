//! The net under the rules: what no commit may break, whichever engine writes it. What is caught here is a fault of the program.
//!
//! What must never happen here: a decision. A commit is whole or it is refused.

use ledger::Chart;
use shared_protocol::crypto::Hash32;

use crate::{ChainKey, Commit, JournalRow, StoreError, row_hash};

/// Numbers of rows and sequences stay within what every engine can count.
const COUNT_MAX: u64 = i64::MAX as u64;

fn invalid(what: impl std::fmt::Display) -> StoreError {
    StoreError::Invalid(what.to_string())
}

impl Commit {
    /// Checks what can be seen without a look at what is stored: numbers and hashes go on from the last row, nothing is below its floor.
    pub fn check(&self, last_no: u64, head: &Hash32) -> Result<(), StoreError> {
        let (mut last_no, mut head) = (last_no, *head);
        for row in &self.journal {
            let no = row.record.no;
            if Some(no) != last_no.checked_add(1) || no > COUNT_MAX {
                return Err(StoreError::Conflict(format!(
                    "journal number {no}, the last one is {last_no}"
                )));
            }
            check_row(row, &head)?;
            (last_no, head) = (no, row.hash);
        }
        for (key, balance) in &self.accounts {
            let floor = key.account.bounds(key.asset, &Chart::default()).floor;
            if !key.account.is_bounded() {
                return Err(invalid(format_args!("{key:?} is a sum and not kept as a balance")));
            }
            if floor.is_some_and(|floor| balance.balance < floor) {
                return Err(invalid(format_args!("{key:?} would be at {}", balance.balance)));
            }
        }
        if let Some((lot, left)) = self.lots.iter().find(|(_, left)| left.is_negative()) {
            return Err(invalid(format_args!("the lot {lot:?} would be at {left}")));
        }
        if let Some(chain) = self.chains.iter().find(|chain| !is_sane(chain)) {
            return Err(invalid(format_args!("a terminal's journal cannot be {chain:?}")));
        }
        self.signing.check()?;
        match self
            .cases
            .iter()
            .filter_map(|case| case.no)
            .find(|no| *no == 0 || *no > last_no)
        {
            Some(no) => Err(invalid(format_args!(
                "a case names journal number {no}, the last one is {last_no}"
            ))),
            None => Ok(()),
        }
    }
}

fn check_row(row: &JournalRow, head: &Hash32) -> Result<(), StoreError> {
    let no = row.record.no;
    if row.record.origin != row.entry.as_ref().map(|entry| entry.hash) {
        return Err(invalid(format_args!(
            "journal number {no} names another origin than its entry"
        )));
    }
    if row_hash(head, &row.record) != row.hash {
        return Err(invalid(format_args!("journal number {no} does not continue the chain")));
    }
    if row
        .entry
        .as_ref()
        .is_some_and(|entry| entry.seq == 0 || entry.seq > COUNT_MAX)
    {
        return Err(invalid(format_args!(
            "journal number {no} has an entry without a place"
        )));
    }
    let mut transfers = row.record.posting.iter().flat_map(|posting| &posting.transfers);
    match transfers.position(|transfer| !transfer.amount.is_positive() || transfer.from == transfer.to) {
        Some(index) => Err(invalid(format_args!(
            "transfer {index} of journal number {no} moves nothing"
        ))),
        None => Ok(()),
    }
}

fn is_sane(chain: &crate::Chain) -> bool {
    let ChainKey { epoch, .. } = chain.key;
    let first = chain.first_seq;
    epoch == chain.start.epoch && first >= 1 && chain.last_seq >= first - 1 && chain.last_seq <= COUNT_MAX
}
