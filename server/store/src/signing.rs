//! The rows of signing: which TSEs there are, what they signed, when they were out of order, and how each order came off.
//!
//! Orders are signed behind their acknowledgement: the journal is the queue. TSEs do not wait for one another, so orders may come off in another order
//! than they were booked; [`Reader::signed_to`] says how far all have. What a TSE signed is never changed; an order that was marked as unsigned may become one that was signed late.
//!
//! [`Reader::signed_to`]: crate::Reader::signed_to

use shared_protocol::{CartId, TaxpayerId};

use crate::StoreError;
use crate::closing::Closing;

/// A TSE's short number in this database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TseNo(pub u16);

/// A TSE that signs or signed here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TseRow {
    /// Its short number.
    pub no: TseNo,
    /// SHA-256 of its public key.
    pub serial: [u8; 32],
    /// What it is called; one in software says that it is not certified.
    pub name: String,
    /// By what name the server's settings know where it is found; it may move to another place and stays itself.
    pub link: String,
    /// Its public key, uncompressed.
    pub public_key: Vec<u8>,
    /// The signature algorithm as receipts name it.
    pub algorithm: String,
    /// How it writes times, as receipts name it.
    pub time_format: String,
    /// Its certificate and those above it, each in DER; empty where it has none.
    pub certificates: Vec<Vec<u8>>,
    /// Until when its certificate is valid, in ms since 1970.
    pub valid_until_ms: Option<u64>,
    /// Whether it has a certificate of the BSI.
    pub certified: bool,
    /// Whose tills it signs for.
    pub taxpayer: TaxpayerId,
    /// Tills that may be registered with it at once.
    pub clients_max: u32,
    /// How long a signature takes as a rule, in ms.
    pub signature_ms: u32,
}

impl TseRow {
    /// The name of the way to the first TSE in software; others have a number behind it. Rows of before there were several have none.
    pub const SOFTWARE: &str = "software";

    /// Whether it is one in software: then this database has its log, and nothing else does.
    pub fn is_in_software(&self) -> bool {
        !self.certified && (self.link.is_empty() || self.link.starts_with(Self::SOFTWARE))
    }
}

/// A till with a TSE, for a time. A till that sells for two taxpayers is with one TSE of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientRow {
    /// The TSE.
    pub tse: TseNo,
    /// The till as the TSE knows it.
    pub client: String,
    /// For whose orders.
    pub taxpayer: TaxpayerId,
    /// From when, by the server's clock, in ms since 1970.
    pub from_ms: u64,
    /// Until when; none while it lasts.
    pub until_ms: Option<u64>,
}

/// With which TSE an admin wants a till to be. There is one for each till and taxpayer, the newest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WishRow {
    /// The till as the TSE knows it.
    pub client: String,
    /// For whose orders.
    pub taxpayer: TaxpayerId,
    /// The TSE; none once there is nothing to wish for.
    pub tse: Option<TseNo>,
    /// Whether it stays there, and comes back after an outage. One that is not pinned is done with once the till is there.
    pub pinned: bool,
    /// When it was asked for, by the server's clock, in ms since 1970.
    pub asked_at_ms: u64,
    /// By whom.
    pub by: String,
}

/// A TSE that is taken out of service, for good. It has to be reported within a month (§ 146a (4) AO).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetiredRow {
    /// The TSE.
    pub tse: TseNo,
    /// When it was asked for, by the server's clock, in ms since 1970.
    pub at_ms: u64,
    /// By whom.
    pub by: String,
    /// Why, in their words.
    pub why: String,
    /// Whether it was confirmed that its tills have no other TSE to go to.
    pub forced: bool,
    /// When its tills were away and nothing was open at it any more; none while that lasts.
    pub done_ms: Option<u64>,
    /// Transactions that could not be ended, because it did not answer.
    pub left_open: u64,
}

/// The end of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionEnd {
    /// The TSE's time in seconds since 1970.
    pub time_s: u64,
    /// The signature counter.
    pub counter: u64,
    /// What kind of data was signed.
    pub process_type: String,
    /// What was signed.
    pub process_data: String,
    /// r and s one after the other.
    pub signature: Vec<u8>,
}

/// A transaction of a TSE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionRow {
    /// Of which TSE.
    pub tse: TseNo,
    /// Its number there.
    pub transaction: u64,
    /// The till as the TSE knows it.
    pub client: String,
    /// The cart it was begun for.
    pub cart: CartId,
    /// The TSE's time of the start in seconds since 1970.
    pub started_s: u64,
    /// The signature counter of the start.
    pub start_counter: u64,
    /// The signature of the start.
    pub start_signature: Vec<u8>,
    /// How it ended; none while it is open.
    pub end: Option<TransactionEnd>,
}

shared_protocol::closed_enum! {
    /// How an order came off.
    pub enum SigningState {
        /// Signed when it was made.
        Signed = 1,
        /// Made in an outage, marked as unsigned then, and signed later.
        SignedLate = 2,
        /// Made in an outage and marked as unsigned.
        InOutage = 3,
    }
}

/// How an order came off, by its journal number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningRow {
    /// The order's journal number.
    pub no: u64,
    /// How.
    pub state: SigningState,
    /// The TSE of its taxpayer.
    pub tse: TseNo,
    /// The transaction, once it is signed.
    pub transaction: Option<u64>,
    /// The transaction that may have signed it: its end was asked for, and nobody heard whether it came. It shows when the TSE is back.
    pub doubt: Option<u64>,
    /// The outage it was made in.
    pub outage: Option<u64>,
}

/// A time in which orders could not be signed (AEAO to § 146a, no. 2.7): from when, until when, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutageRow {
    /// 1, 2, 3 …
    pub id: u64,
    /// The TSE that was out of order; none when a till could not reach its server.
    pub tse: Option<TseNo>,
    /// The till that could not reach its server.
    pub client: Option<String>,
    /// From when, by the server's clock, in ms since 1970.
    pub from_ms: u64,
    /// Until when; none while it lasts.
    pub until_ms: Option<u64>,
    /// Why, for whoever audits.
    pub reason: String,
}

/// What signing adds or changes, as part of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Signing {
    /// New TSEs.
    pub tses: Vec<TseRow>,
    /// Transactions that began, or ended.
    pub transactions: Vec<TransactionRow>,
    /// Orders that came off.
    pub orders: Vec<SigningRow>,
    /// Outages that began, grew or ended.
    pub outages: Vec<OutageRow>,
    /// Tills that came to a TSE, or left one.
    pub clients: Vec<ClientRow>,
    /// Where admins want tills to be: new ones, changed ones, and those that came about.
    pub wishes: Vec<WishRow>,
    /// TSEs that go out of service, or are out of it now.
    pub retired: Vec<RetiredRow>,
    /// The journal number up to which all orders came off.
    pub done_to: Option<u64>,
    /// Closings that were made.
    pub closings: Vec<Closing>,
}

impl Signing {
    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.tses.is_empty()
            && self.transactions.is_empty()
            && self.orders.is_empty()
            && self.outages.is_empty()
            && self.clients.is_empty()
            && self.wishes.is_empty()
            && self.retired.is_empty()
            && self.done_to.is_none()
            && self.closings.is_empty()
    }

    /// Adds what comes after it.
    pub fn append(&mut self, mut later: Self) {
        self.tses.append(&mut later.tses);
        self.transactions.append(&mut later.transactions);
        self.orders.append(&mut later.orders);
        self.outages.append(&mut later.outages);
        self.clients.append(&mut later.clients);
        self.wishes.append(&mut later.wishes);
        self.retired.append(&mut later.retired);
        self.done_to = self.done_to.max(later.done_to);
        self.closings.append(&mut later.closings);
    }

    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let odd = self.orders.iter().find(|row| match row.state {
            SigningState::Signed => row.transaction.is_none(),
            SigningState::SignedLate => row.transaction.is_none() || row.outage.is_none(),
            SigningState::InOutage => row.transaction.is_some() || row.outage.is_none(),
        });
        match odd {
            Some(row) => Err(StoreError::Invalid(format!("an order cannot come off as {row:?}"))),
            None => Ok(()),
        }
    }
}

impl RetiredRow {
    /// Whether this row may become another one: what is under way ends once, and nothing else changes.
    pub fn may_become(&self, after: &Self) -> bool {
        let ended = Self {
            done_ms: after.done_ms,
            left_open: after.left_open,
            ..self.clone()
        };
        self == after || self.done_ms.is_none() && ended == *after
    }
}

/// Whether an order may change from one state to another.
pub(crate) fn may_become(before: &SigningRow, after: &SigningRow) -> bool {
    before == after
        || before.state == SigningState::InOutage
            && matches!(after.state, SigningState::InOutage | SigningState::SignedLate)
            && before.outage == after.outage
}
