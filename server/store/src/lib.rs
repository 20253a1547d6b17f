//! What the rules need loaded and committed, as traits, with the conformance suite that every engine must pass.
//!
//! An engine loads and commits, no more: no rule is written in SQL. [`Store::load`] gives a batch all it needs in one read;
//! [`Store::commit`] makes all effects of a batch durable or none. What must never happen here: a decision about value.
//!
//! To add something that is stored: (1) give it a row type in [`rows`], (2) put it into [`Commit`] and, if decisions need it, into [`Need`] and
//! [`Loaded`], (3) extend the conformance suite, (4) write it in each engine with a migration.

mod check;
mod closing;
pub mod conformance;
pub mod export;
pub mod memory;
pub mod office;
pub mod projection;
pub mod rows;
pub mod signing;
mod tax;

use std::collections::{BTreeMap, BTreeSet};

use festival::purse::Purse;
use ledger::{Account, AccountKey, Authority, Needs, Posting, Record, View};
use shared_protocol::crypto::Hash32;
use shared_protocol::stream::{Change, Stream, Version};
use shared_protocol::{Amount, EventId, SlotId, TagId, TerminalId};

pub use closing::{ClosedItem, ClosedReceipt, Closing, ClosingEnd, ClosingRow};
pub use export::{ExportFinding, ExportKind, ExportRange, ExportRow, ExportState};
pub use memory::MemoryStore;
pub use office::{
    AuditRow, CaseFilter, CaseNote, CaseRow, CaseState, HourKey, HourRow, Office, OrderFilter, OrderRow, OrderState,
    Role, SessionRow, UserRow,
};
pub use rows::{Chain, ChainKey, EntryRow, EntryStatus, JournalRow, OpenCase, StoredCase, TerminalNo, TerminalRow};
pub use signing::{
    ClientRow, OutageRow, RetiredRow, Signing, SigningRow, SigningState, TransactionEnd, TransactionRow, TseNo, TseRow,
    WishRow,
};
pub use tax::TaxRow;

/// What a batch needs to be decided.
#[derive(Debug, Clone, Default)]
pub struct Need {
    /// What the ledger's rules need.
    pub ledger: Needs,
    /// Journals of terminals: all branches of these epochs.
    pub chains: BTreeSet<(TerminalNo, u32)>,
    /// Hashes of stored entries, to tell a repetition from a fork: all branches of this epoch within these sequences (inclusive).
    pub hashes: BTreeSet<(TerminalNo, u32, u64, u64)>,
    /// Purses of wristbands.
    pub purses: BTreeSet<PurseKey>,
}

/// A wristband of an event.
pub type PurseKey = (EventId, TagId);

/// What was loaded for a batch.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// For the ledger's rules.
    pub ledger: View,
    /// Journals of terminals by epoch and branch.
    pub chains: BTreeMap<ChainKey, Chain>,
    /// Hashes of stored entries by branch and sequence.
    pub hashes: BTreeMap<(ChainKey, u64), Hash32>,
    /// Purses of wristbands, those of which anything is known.
    pub purses: BTreeMap<PurseKey, Purse>,
}

/// All effects of a batch.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// New journal rows, in order, numbers following the last one without a gap.
    pub journal: Vec<JournalRow>,
    /// New balances of bounded accounts. What holds set aside of them is not stored: holds live with the caller, in memory, and a load
    /// gives `held` as zero.
    pub accounts: BTreeMap<AccountKey, ledger::Balance>,
    /// New remainders of lots; zero removes the row.
    pub lots: BTreeMap<(AccountKey, u64), Amount>,
    /// New state of terminals' journals.
    pub chains: Vec<Chain>,
    /// New cases.
    pub cases: Vec<OpenCase>,
    /// New or changed terminals; a row of this database that belongs to a terminal needs it.
    pub terminals: Vec<TerminalRow>,
    /// New or changed registration slots.
    pub slots: Vec<festival::registration::Slot>,
    /// Steps of streams: the changes to the newest items and the version they lead to, which is above all before it.
    pub streams: Vec<(EventId, Stream, Version, Vec<Change>)>,
    /// What was signed, of orders that were committed before.
    pub signing: Signing,
    /// What was done in the office.
    pub office: Office,
    /// What is known of purses now.
    pub purses: BTreeMap<PurseKey, Purse>,
}

/// Why a store could not do it. Nothing of the commit happened; only after [`StoreError::Failed`] and [`StoreError::Full`] it may turn out
/// to be there, whole, when the database is opened again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else claimed a key in between (order id, or a place in a terminal's journal): load again and decide again.
    #[error("another booking claimed {0} first; load and decide again")]
    Conflict(String),
    /// The commit contradicts itself or what is stored. Nothing of it was written, and sending it again does not help.
    #[error("nothing was stored: {0}; this is a fault of the program, please report it")]
    Invalid(String),
    /// The disk is full. Nothing was acknowledged.
    #[error("the disk is full; free space and start again, nothing that was acknowledged is lost")]
    Full,
    /// The disk or the database failed. The writer must stop, open again and recover: a repeated sync may lie.
    #[error("the database failed ({0}); nothing more is acknowledged until it is opened again")]
    Failed(String),
    /// The database was written by a newer version of this program.
    #[error(
        "the database has format {found}, this program knows up to {known}; start the newer program, nothing was changed"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// What this program knows.
        known: u32,
    },
    /// The database cannot be what this program wrote.
    #[error("the database is damaged: {0}; restore a backup or run `groschen audit`, nothing was changed")]
    Damaged(String),
    /// Another process has it open.
    #[error("another process has the database open ({0}); stop it first")]
    Busy(String),
}

impl StoreError {
    /// Whether the writer may go on after it (only the batch is lost, and will be sent again).
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

/// The write side: one owner at a time.
pub trait Store: Send {
    /// Loads what a batch needs in one read.
    fn load(&mut self, need: &Need) -> Result<Loaded, StoreError>;
    /// Makes the effects durable: when this returns `Ok`, they survive a power cut.
    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError>;
    /// Works on projections (sums of unbounded accounts, order lines) for at most this many journal rows. Gives the last row projected
    /// and the last row there is. Called when nothing waits to be committed.
    fn project(&mut self, rows_max: u64) -> Result<(u64, u64), StoreError>;
    /// Another handle for reading, on its own connection, usable from another thread.
    fn reader(&self) -> Result<Box<dyn Reader>, StoreError>;
}

/// Sums over an event as far as they are projected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// The last journal row in the sums.
    pub projected_no: u64,
    /// The last journal row there is.
    pub last_no: u64,
    /// Balances of all accounts, bounded and not, by key; zero balances may be left out.
    pub accounts: BTreeMap<AccountKey, i128>,
    /// Orders booked by order kind code, with the sum of their lines in cents.
    pub orders: BTreeMap<u8, (u64, i128)>,
    /// The same by till.
    pub tills: BTreeMap<u32, (u64, i128)>,
}

impl Totals {
    /// Adds up turnover that is kept by till, order kind code, count and sum. The rest is left empty.
    pub fn of_turnovers(turnovers: impl IntoIterator<Item = (u32, u8, (u64, i128))>) -> Self {
        let mut totals = Self::default();
        for (till, kind, (orders, total)) in turnovers {
            for sum in [
                totals.orders.entry(kind).or_default(),
                totals.tills.entry(till).or_default(),
            ] {
                *sum = (sum.0.saturating_add(orders), sum.1.saturating_add(total));
            }
        }
        totals
    }
}

/// The read side.
pub trait Reader: Send {
    /// The number and hash of the last journal row.
    fn head(&mut self) -> Result<(u64, Hash32), StoreError>;
    /// Journal rows from a number on, at most so many.
    fn journal(&mut self, from_no: u64, rows_max: u64) -> Result<Vec<JournalRow>, StoreError>;
    /// Journal rows with these numbers, in the order given; a number that there is none of is left out.
    fn journal_rows(&mut self, numbers: &[u64]) -> Result<Vec<JournalRow>, StoreError>;
    /// All terminals.
    fn terminals(&mut self) -> Result<Vec<TerminalRow>, StoreError>;
    /// A terminal by its id.
    fn terminal(&mut self, id: TerminalId) -> Result<Option<TerminalRow>, StoreError>;
    /// All branches of all epochs of a terminal.
    fn chains(&mut self, terminal: TerminalNo) -> Result<Vec<Chain>, StoreError>;
    /// A registration slot.
    fn slot(&mut self, id: SlotId) -> Result<Option<festival::registration::Slot>, StoreError>;
    /// All registration slots.
    fn slots(&mut self) -> Result<Vec<festival::registration::Slot>, StoreError>;
    /// Every revision of a stream's items: the items at `at`, or the newest for none. Old revisions of the configuration are kept for ever.
    fn stream(
        &mut self,
        event: EventId,
        stream: Stream,
        at: Option<Version>,
    ) -> Result<Option<shared_protocol::stream::Copy>, StoreError>;
    /// Cases from an id on, at most so many.
    fn cases(&mut self, from_id: u64, rows_max: u64) -> Result<Vec<StoredCase>, StoreError>;
    /// How many cases there are, by kind code, with the money at stake.
    fn case_counts(&mut self) -> Result<BTreeMap<u16, (u64, i128)>, StoreError>;
    /// All bounded balances with their lots.
    fn balances(&mut self, event: EventId) -> Result<View, StoreError>;
    /// Sums, as far as they are projected.
    fn totals(&mut self, event: EventId) -> Result<Totals, StoreError>;
    /// The journal number of a posting.
    fn posting_no(&mut self, id: ledger::PostingId) -> Result<Option<u64>, StoreError>;
    /// The numbers a TSE came to here: its last transaction, its last signature, its latest time in seconds.
    fn tse_counters(&mut self, tse: TseNo) -> Result<(u64, u64, u64), StoreError>;
    /// All TSEs.
    fn tses(&mut self) -> Result<Vec<TseRow>, StoreError>;
    /// A transaction of a TSE.
    fn transaction(&mut self, tse: TseNo, transaction: u64) -> Result<Option<TransactionRow>, StoreError>;
    /// Transactions of a TSE from a number on, in the order of their numbers, at most so many.
    fn transactions(
        &mut self,
        tse: TseNo,
        from_transaction: u64,
        rows_max: u64,
    ) -> Result<Vec<TransactionRow>, StoreError>;
    /// Transactions that have not ended, in the order of their numbers.
    fn open_transactions(&mut self) -> Result<Vec<TransactionRow>, StoreError>;
    /// The journal number up to which all orders came off; zero when none did. Some after it may have, too.
    fn signed_to(&mut self) -> Result<u64, StoreError>;
    /// Which till is with which TSE now.
    fn clients(&mut self) -> Result<Vec<ClientRow>, StoreError>;
    /// With which TSEs a till was, oldest first.
    fn client_history(&mut self, client: &str) -> Result<Vec<ClientRow>, StoreError>;
    /// Where admins want tills to be, by till and taxpayer; those that came about, and were not to last, are gone.
    fn wishes(&mut self) -> Result<Vec<WishRow>, StoreError>;
    /// TSEs that were taken out of service, by their numbers.
    fn retired(&mut self) -> Result<Vec<RetiredRow>, StoreError>;
    /// How an order came off, by its journal number.
    fn signing(&mut self, no: u64) -> Result<Option<SigningRow>, StoreError>;
    /// How orders came off, by their journal numbers, in the order given; those that wait are left out.
    fn signings(&mut self, numbers: &[u64]) -> Result<Vec<SigningRow>, StoreError>;
    /// How the orders from one journal number up to and with another came off, in the order of their numbers; none of those that did not.
    fn signings_between(&mut self, from_no: u64, to_no: u64) -> Result<Vec<SigningRow>, StoreError>;
    /// Orders marked as unsigned, from a journal number on, at most so many.
    fn unsigned(&mut self, from_no: u64, rows_max: u64) -> Result<Vec<SigningRow>, StoreError>;
    /// Orders marked as unsigned that a transaction may have signed which the books have as open.
    fn doubts(&mut self) -> Result<Vec<SigningRow>, StoreError>;
    /// How many orders came off how.
    fn signing_counts(&mut self) -> Result<BTreeMap<SigningState, u64>, StoreError>;
    /// Closings from an id on, at most so many.
    fn closings(&mut self, from_id: u64, rows_max: u64) -> Result<Vec<ClosingRow>, StoreError>;
    /// What is in a closing, with the receipt numbers, from one on, at most so many.
    fn closed_items(
        &mut self,
        closing: u64,
        from_receipt: u64,
        rows_max: u64,
    ) -> Result<Vec<(u64, ClosedItem)>, StoreError>;
    /// The same with all that the books have of each receipt, in one read.
    fn closed_receipts(
        &mut self,
        closing: u64,
        from_receipt: u64,
        rows_max: u64,
    ) -> Result<Vec<ClosedReceipt>, StoreError>;
    /// The closing of an order, by its journal number, and its receipt number there.
    fn closing_of(&mut self, no: u64) -> Result<Option<(u64, u64)>, StoreError>;
    /// Where the numbers of the tills stand.
    fn closing_ends(&mut self) -> Result<Vec<ClosingEnd>, StoreError>;
    /// Orders that came off and are in no closing, from a journal number on, at most so many.
    fn unclosed_orders(&mut self, from_no: u64, rows_max: u64) -> Result<Vec<u64>, StoreError>;
    /// Transactions that signed no order and are in no closing, at most so many.
    fn unclosed_given_up(&mut self, rows_max: u64) -> Result<Vec<TransactionRow>, StoreError>;
    /// Outages from an id on, at most so many.
    fn outages(&mut self, from_id: u64, rows_max: u64) -> Result<Vec<OutageRow>, StoreError>;
    /// Orders below a journal number that fit, newest first, at most so many; as far as they are projected.
    fn orders(
        &mut self,
        event: EventId,
        filter: &OrderFilter,
        before_no: Option<u64>,
        rows_max: u64,
    ) -> Result<Vec<OrderRow>, StoreError>;
    /// How many orders fit, with the sum of their lines in cents; as far as they are projected.
    fn order_sums(&mut self, event: EventId, filter: &OrderFilter) -> Result<(u64, i128), StoreError>;
    /// What was sold in the hours that begin at or after a moment and before another, in the order of hour, till and kind; as far as it is
    /// projected.
    fn hours(&mut self, event: EventId, from_ms: u64, to_ms: u64) -> Result<Vec<HourRow>, StoreError>;
    /// How many orders wait for coming off, and when the first of them in the journal was closed; none when nothing waits. As far as orders
    /// are projected; those that were marked as unsigned came off and are counted by [`Reader::signing_counts`].
    fn first_waiting(&mut self) -> Result<Option<(u64, u64)>, StoreError>;
    /// A case by its id.
    fn case(&mut self, id: u64) -> Result<Option<CaseRow>, StoreError>;
    /// What was said about a case, in the order of saying.
    fn case_notes(&mut self, case: u64) -> Result<Vec<CaseNote>, StoreError>;
    /// Cases below an id that fit, newest first, at most so many.
    fn case_list(
        &mut self,
        filter: &CaseFilter,
        before_id: Option<u64>,
        rows_max: u64,
    ) -> Result<Vec<CaseRow>, StoreError>;
    /// How many cases are not resolved, with the money at stake.
    fn open_cases(&mut self) -> Result<(u64, i128), StoreError>;
    /// Everybody who may log in or once could, by name.
    fn users(&mut self) -> Result<Vec<UserRow>, StoreError>;
    /// A user by name.
    fn user(&mut self, name: &str) -> Result<Option<UserRow>, StoreError>;
    /// A session by its token, expired or not.
    fn session(&mut self, token: &[u8; 32]) -> Result<Option<SessionRow>, StoreError>;
    /// Exports below an id, newest first, at most so many.
    fn exports(&mut self, before_id: Option<u64>, rows_max: u64) -> Result<Vec<ExportRow>, StoreError>;
    /// The audit log below a number, of one object or all, newest first, at most so many, with their numbers.
    fn audit(
        &mut self,
        object: Option<&str>,
        before: Option<u64>,
        rows_max: u64,
    ) -> Result<Vec<(u64, AuditRow)>, StoreError>;
    /// What was said about the taxes of an event, from a number on, in the order of saying, at most so many, with their numbers.
    fn tax(&mut self, event: EventId, from_no: u64, rows_max: u64) -> Result<Vec<(u64, TaxRow)>, StoreError>;
    /// What is known of a wristband's purse.
    fn purse(&mut self, event: EventId, tag: TagId) -> Result<Option<Purse>, StoreError>;
    /// Purses of an event after a wristband, in the order of their ids, at most so many.
    fn purses(
        &mut self,
        event: EventId,
        after: Option<TagId>,
        rows_max: u64,
    ) -> Result<Vec<(TagId, Purse)>, StoreError>;
    /// Purses on whose lines something has been missing since a moment or earlier and that no case tells of, the longest first, at most so many.
    fn purse_gaps(&mut self, event: EventId, since_ms: u64, rows_max: u64) -> Result<Vec<TagId>, StoreError>;
    /// What is on one wristband and what it still owes, in the order of the keys. What is set aside by holds is not known here.
    fn balance(&mut self, event: EventId, tag: TagId) -> Result<Vec<(AccountKey, Amount)>, StoreError>;
    /// Facts that belong to this database: incarnation and the like, by name.
    fn fact(&mut self, name: &str) -> Result<Option<Vec<u8>>, StoreError>;
}

/// The accounts that taking a posting back may move: those of its own that are loaded, decided on and written, and for money of a wristband's
/// purse all that belong to the wristband: where the purse is not at hand, its money comes back to the server's side.
pub fn accounts_to_take_back(posting: &Posting) -> impl Iterator<Item = AccountKey> {
    let accounts = posting
        .transfers
        .iter()
        .flat_map(|transfer| [posting.source(transfer), posting.target(transfer)]);
    accounts.flat_map(|key| match key.account {
        Account::Wristband {
            tag,
            authority: Authority::Chip,
        } => accounts_of(tag)
            .into_iter()
            .map(|account| AccountKey { account, ..key })
            .collect(),
        account if account.is_bounded() => vec![key],
        _ => Vec::new(),
    })
}

/// The accounts that belong to a wristband.
pub fn accounts_of(tag: TagId) -> [Account; 3] {
    [
        Account::Wristband {
            tag,
            authority: Authority::Server,
        },
        Account::Wristband {
            tag,
            authority: Authority::Chip,
        },
        Account::Overdraft { tag },
    ]
}

/// The hash of a journal row after `previous`: it covers the record and, through the record's origin, the terminal's entry.
pub fn row_hash(previous: &Hash32, record: &Record) -> Hash32 {
    record.hash(previous)
}
