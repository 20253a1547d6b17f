//! What was loaded for a report: sums by till, seller, event day, closing and shift, with what names them.

use std::collections::BTreeMap;
use std::sync::Arc;

use fiscal::VoucherModel;
use ledger::AccountKey;
use shared_protocol::config::Config;
use shared_protocol::{Overflow, SessionId, StaffId, StandId, TaxpayerId, TillId};
use store::{ClosingRow, OutageRow, TseRow};

use crate::sums::Sums;

/// What the receipts of one sum have in common. The order is that of lists.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The event day, `yyyymmdd`; zero where no calendar has it.
    pub day: u32,
    /// Whose business.
    pub taxpayer: TaxpayerId,
    /// The till.
    pub till: TillId,
    /// The closing by its id; none while the day is not closed, or it came after that.
    pub closing: Option<u64>,
    /// Who sold, and in which shift; none for carts that became no order.
    pub shift: Option<(StaffId, SessionId)>,
}

/// A terminal from which something may still come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its till.
    pub till: TillId,
    /// What the device called itself.
    pub device: String,
    /// Entries it announced that are not here: at least so many; none where it was not heard since the server started.
    pub at_least: Option<u64>,
    /// When it was last heard, ms since 1970.
    pub heard_ms: Option<u64>,
}

/// What is known of what has not arrived.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Arrival {
    /// No server was asked: what terminals have not sent is not known.
    #[default]
    NotAsked,
    /// The terminals that miss something, or of which that is not known; empty when everything announced is here.
    Missing(Vec<Missing>),
}

impl Arrival {
    /// Whether a report of it is provisional.
    pub const fn is_provisional(&self) -> bool {
        match self {
            Self::NotAsked => true,
            Self::Missing(terminals) => !terminals.is_empty(),
        }
    }
}

/// What reports are made of.
#[derive(Debug, Clone)]
pub struct Books {
    /// When it was read, ms since 1970.
    pub as_of_ms: u64,
    /// What it is named by: the newest configuration.
    pub config: Arc<Config>,
    /// What the balance of a wristband was to the tax office.
    pub model: VoucherModel,
    /// The sums.
    pub groups: BTreeMap<Key, Sums>,
    /// All closings by id, those outside the days asked for, too.
    pub closings: BTreeMap<u64, ClosingRow>,
    /// All TSEs.
    pub tses: Vec<TseRow>,
    /// All outages by id.
    pub outages: BTreeMap<u64, OutageRow>,
    /// What the ledger says of sellers' accounts over the whole event, in cents, and whether that is all there is: sums run behind the journal.
    pub ledger: BTreeMap<AccountKey, i128>,
    /// Journal rows that are not in `ledger` yet.
    pub ledger_behind: u64,
    /// What has not arrived.
    pub arrival: Arrival,
}

impl Books {
    /// The sum of what is wanted.
    pub fn sum(&self, wanted: impl Fn(&Key) -> bool) -> Result<Sums, Overflow> {
        let mut sum = Sums::default();
        for (_, group) in self.groups.iter().filter(|(key, _)| wanted(key)) {
            sum.add(group)?;
        }
        Ok(sum)
    }

    /// Sums of what is wanted by something that groups have in common.
    pub fn by<K: Ord>(
        &self,
        wanted: impl Fn(&Key) -> bool,
        of: impl Fn(&Key) -> K,
    ) -> Result<BTreeMap<K, Sums>, Overflow> {
        let mut sums = BTreeMap::<K, Sums>::new();
        for (key, group) in self.groups.iter().filter(|(key, _)| wanted(key)) {
            sums.entry(of(key)).or_default().add(group)?;
        }
        Ok(sums)
    }

    /// The stand of a till, by the newest configuration.
    pub fn stand(&self, till: TillId) -> Option<StandId> {
        self.config.tills.get(&till).map(|till| till.stand)
    }

    /// Whether a group is of a supplement.
    pub fn is_supplement(&self, key: &Key) -> bool {
        let row = key.closing.and_then(|closing| self.closings.get(&closing));
        row.is_some_and(|row| row.supplement)
    }
}
