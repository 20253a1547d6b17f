//! The rows of closings (`Kassenabschluss`, Z): which receipts of a till belong to which, for good.
//!
//! A closing is never changed. What arrives for a day that is closed goes into a later one, a supplement, with the next number.

use shared_protocol::{TaxpayerId, TillId};

use crate::rows::JournalRow;
use crate::signing::{SigningRow, TransactionRow, TseNo};

/// Something that has a receipt number of a till.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClosedItem {
    /// A booked order, by its journal number.
    Order(u64),
    /// A cart that was given up: a transaction that signed no order.
    GivenUp(TseNo, u64),
}

/// A closing of a till, for one taxpayer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosingRow {
    /// 1, 2, 3 … in this database.
    pub id: u64,
    /// The till as its TSE knows it (`Z_KASSE_ID`).
    pub client: String,
    /// Whose orders.
    pub taxpayer: TaxpayerId,
    /// The till.
    pub till: TillId,
    /// `Z_NR`: 1, 2, 3 … for each till and taxpayer.
    pub z_no: u64,
    /// The event day, `yyyymmdd` (`Z_BUCHUNGSTAG`).
    pub day: u32,
    /// When it was made, ms since 1970 (`Z_ERSTELLUNG`).
    pub made_at_ms: u64,
    /// Whether its day was closed before.
    pub supplement: bool,
    /// The first receipt number (`BON_NR`) in it; the others follow without a gap.
    pub first_receipt: u64,
    /// How many receipts are in it.
    pub receipts: u64,
}

/// A closing with what is in it, in the order of the receipt numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The closing.
    pub row: ClosingRow,
    /// What is in it, as many as `row.receipts`.
    pub items: Vec<ClosedItem>,
}

/// Where the numbers of a till stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosingEnd {
    /// The till as its TSE knows it.
    pub client: String,
    /// Whose orders.
    pub taxpayer: TaxpayerId,
    /// The last `Z_NR`.
    pub z_no: u64,
    /// The next receipt number.
    pub next_receipt: u64,
    /// The last event day that was closed.
    pub last_day: u32,
}

/// A receipt of a closing, with all that the books have of it: what an export needs, read at once.
#[derive(Debug, Clone, PartialEq)]
pub struct ClosedReceipt {
    /// Its number (`BON_NR`).
    pub number: u64,
    /// What it is.
    pub item: ClosedItem,
    /// The journal row of an order.
    pub journal: Option<JournalRow>,
    /// How an order came off.
    pub signing: Option<SigningRow>,
    /// The transaction that signed the order, or that of the cart that was given up.
    pub transaction: Option<TransactionRow>,
}
