//! The rows of the office: who may look and act there, what became of cases, who did what; and what it asks about orders.
//!
//! What must never happen here: a permission (the console decides who may do what), and a change to a note or to a row of the audit log: they
//! are only ever added.

use shared_protocol::order::OrderKind;
use shared_protocol::{EventId, StaffId, TagId, TaxpayerId, TillId};

use crate::{ExportRow, SigningState, StoredCase, TaxRow};

/// Milliseconds in an hour.
pub const HOUR_MS: u64 = 3_600_000;

shared_protocol::closed_enum! {
    /// What somebody is in the office.
    pub enum Role {
        /// Everything, users too.
        Admin = 1,
        /// Reads everything, exports, works on cases.
        Finance = 2,
        /// Leads stands or the technology: reads, terminals, cases.
        Crew = 3,
    }
}

/// Somebody who may log in.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The login, unique.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// An argon2id string in PHC form. It is never shown.
    pub password: String,
    /// Whether they may log in.
    pub active: bool,
    /// When the row changed last, by the server's clock.
    pub changed_at_ms: u64,
}

impl std::fmt::Debug for UserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserRow")
            .field("name", &self.name)
            .field("role", &self.role)
            .field("active", &self.active)
            .field("changed_at_ms", &self.changed_at_ms)
            .finish_non_exhaustive()
    }
}

/// A login that is good until it expires or is closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the cookie's secret: whoever reads the database cannot log in with it.
    pub token: [u8; 32],
    /// Whose it is; a user of this database.
    pub user: String,
    /// When it was opened, by the server's clock.
    pub opened_at_ms: u64,
    /// From when on it is good for nothing.
    pub expires_at_ms: u64,
}

shared_protocol::closed_enum! {
    /// How far a case is.
    pub enum CaseState {
        /// Nobody has it.
        Open = 1,
        /// Its owner works on it.
        Taken = 2,
        /// It is done with.
        Resolved = 3,
    }
}

/// What was said or done about a case. The newest note of a case is its state; a case without one is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseNote {
    /// Which case.
    pub case: u64,
    /// When, by the server's clock.
    pub at_ms: u64,
    /// By whom.
    pub by: String,
    /// The state of the case from then on.
    pub state: CaseState,
    /// Who has it from then on.
    pub owner: Option<String>,
    /// In their words.
    pub text: String,
}

/// Who did what to what. The store numbers them 1, 2, 3 …
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When, by the server's clock.
    pub at_ms: u64,
    /// By whom.
    pub by: String,
    /// A stable code such as `terminal.lock`.
    pub what: String,
    /// To what.
    pub object: String,
    /// What else there is to say.
    pub detail: String,
}

/// What the office adds or changes, as part of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Office {
    /// New or changed users, by name.
    pub users: Vec<UserRow>,
    /// New or prolonged sessions. Sessions that had expired when a new one was opened are forgotten.
    pub sessions: Vec<SessionRow>,
    /// Tokens of sessions that end, after [`Office::sessions`].
    pub closed_sessions: Vec<[u8; 32]>,
    /// New notes, in order.
    pub notes: Vec<CaseNote>,
    /// New rows of the audit log, in order.
    pub audit: Vec<AuditRow>,
    /// Exports that begin, or ended, or whose files were deleted.
    pub exports: Vec<ExportRow>,
    /// What was said about taxes, in order.
    pub tax: Vec<TaxRow>,
    /// All of it is refused where an order has come off, or is about to. It is no part of what is stored.
    pub before_orders: bool,
}

impl Office {
    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.users.is_empty()
            && self.sessions.is_empty()
            && self.closed_sessions.is_empty()
            && self.notes.is_empty()
            && self.audit.is_empty()
            && self.exports.is_empty()
            && self.tax.is_empty()
    }

    /// Adds what comes after it.
    pub fn append(&mut self, mut later: Self) {
        self.users.append(&mut later.users);
        self.sessions.append(&mut later.sessions);
        self.closed_sessions.append(&mut later.closed_sessions);
        self.notes.append(&mut later.notes);
        self.audit.append(&mut later.audit);
        self.exports.append(&mut later.exports);
        self.tax.append(&mut later.tax);
    }
}

shared_protocol::closed_enum! {
    /// How far the signing of an order is.
    pub enum OrderState {
        /// Signed when it was made.
        Signed = 1,
        /// Made in an outage and signed later.
        SignedLate = 2,
        /// Made in an outage and marked as unsigned.
        InOutage = 3,
        /// Behind the last order that came off.
        Waiting = 4,
    }
}

/// Which orders are asked for: those that fit everything that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderFilter {
    /// Of this till.
    pub till: Option<TillId>,
    /// Of this kind.
    pub kind: Option<OrderKind>,
    /// By this cashier.
    pub cashier: Option<StaffId>,
    /// For this wristband.
    pub holder: Option<TagId>,
    /// Of this event day, as `yyyymmdd`.
    pub day: Option<u32>,
    /// Of these tills, such as those of a stand.
    pub stand_tills: Option<Vec<TillId>>,
    /// With this state of signing.
    pub state: Option<OrderState>,
    /// Closed at or after, in ms since 1970.
    pub from_ms: Option<u64>,
    /// Closed before, in ms since 1970.
    pub to_ms: Option<u64>,
}

impl OrderFilter {
    /// Whether an order fits. `signed_to` is [`Reader::signed_to`](crate::Reader::signed_to).
    pub fn fits(&self, row: &OrderRow, signed_to: u64) -> bool {
        self.fits_hour(row.till, row.kind, row.cashier, row.day)
            && self.holder.is_none_or(|holder| row.holder == Some(holder))
            && self.from_ms.is_none_or(|from_ms| row.closed_at_ms >= from_ms)
            && self.to_ms.is_none_or(|to_ms| row.closed_at_ms < to_ms)
            && self.state.is_none_or(|state| match state {
                OrderState::Signed => row.signing == Some(SigningState::Signed),
                OrderState::SignedLate => row.signing == Some(SigningState::SignedLate),
                OrderState::InOutage => row.signing == Some(SigningState::InOutage),
                OrderState::Waiting => row.no > signed_to && row.signing.is_none() && !row.kind.is_of_band(),
            })
    }

    /// The part of [`OrderFilter::fits`] that is the same for all orders of one row of hourly sums.
    pub fn fits_hour(&self, till: TillId, kind: OrderKind, cashier: StaffId, day: Option<u32>) -> bool {
        self.fits_till(till)
            && self.kind.is_none_or(|wanted| wanted == kind)
            && self.cashier.is_none_or(|wanted| wanted == cashier)
            && self.day.is_none_or(|wanted| day == Some(wanted))
    }

    /// Whether orders of a till can fit.
    pub fn fits_till(&self, till: TillId) -> bool {
        self.till.is_none_or(|wanted| wanted == till)
            && self.stand_tills.as_ref().is_none_or(|wanted| wanted.contains(&till))
    }
}

/// An order that was booked, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRow {
    /// Its journal number.
    pub no: u64,
    /// What it was.
    pub kind: OrderKind,
    /// At which till.
    pub till: TillId,
    /// By whom.
    pub cashier: StaffId,
    /// Whose business.
    pub taxpayer: TaxpayerId,
    /// For which wristband.
    pub holder: Option<TagId>,
    /// The event day as `yyyymmdd`.
    pub day: Option<u32>,
    /// When it was closed by its terminal's clock, in ms since 1970; what no clock shows is [`CLOSED_AT_MS_MAX`].
    pub closed_at_ms: u64,
    /// Sum of its lines in cents.
    pub total: i128,
    /// How it came off; none while it waits for that.
    pub signing: Option<SigningState>,
}

/// The latest moment in lists and sums, so that every engine can sort by it. The order itself keeps what its terminal wrote.
pub const CLOSED_AT_MS_MAX: u64 = i64::MAX as u64;

/// Orders that one hour, till, kind, cashier and event day have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HourKey {
    /// The event.
    pub event: EventId,
    /// The start of the hour of closing, UTC, in ms since 1970.
    pub hour_ms: u64,
    /// The till.
    pub till: TillId,
    /// The kind.
    pub kind: OrderKind,
    /// The cashier.
    pub cashier: StaffId,
    /// The event day as `yyyymmdd`.
    pub day: Option<u32>,
}

/// What a till sold in an hour, by order kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HourRow {
    /// The start of the hour of closing, UTC, in ms since 1970.
    pub hour_ms: u64,
    /// The till.
    pub till: TillId,
    /// The kind.
    pub kind: OrderKind,
    /// How many.
    pub orders: u64,
    /// Sum of their lines in cents.
    pub total: i128,
}

impl HourRow {
    /// Adds up sums of orders by hour, till and kind. Sums of one hour, till and kind come one after the other.
    pub fn collect(sums: impl IntoIterator<Item = (HourKey, u64, i128)>) -> Vec<Self> {
        let mut rows: Vec<Self> = Vec::new();
        for (key, orders, total) in sums {
            match rows.last_mut() {
                Some(row) if (row.hour_ms, row.till, row.kind) == (key.hour_ms, key.till, key.kind) => {
                    row.orders = row.orders.saturating_add(orders);
                    row.total = row.total.saturating_add(total);
                }
                _ => rows.push(Self {
                    hour_ms: key.hour_ms,
                    till: key.till,
                    kind: key.kind,
                    orders,
                    total,
                }),
            }
        }
        rows
    }
}

/// A case and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// The case as it was opened.
    pub stored: StoredCase,
    /// How far it is.
    pub state: CaseState,
    /// Who has it.
    pub owner: Option<String>,
}

/// Which cases are asked for: those that fit everything that is set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseFilter {
    /// Of this kind code.
    pub kind: Option<u16>,
    /// This far.
    pub state: Option<CaseState>,
    /// Of this owner.
    pub owner: Option<String>,
}

impl CaseFilter {
    /// Whether a case fits.
    pub fn fits(&self, row: &CaseRow) -> bool {
        self.kind.is_none_or(|kind| row.stored.case.case.kind.code() == kind)
            && self.state.is_none_or(|state| row.state == state)
            && (self.owner.is_none() || self.owner == row.owner)
    }
}
