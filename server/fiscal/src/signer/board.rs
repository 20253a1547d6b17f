//! How the TSEs do, for whoever looks at them: values that are made when somebody asks, so that nobody who looks keeps a signature waiting.

use shared_protocol::TaxpayerId;
use store::{OutageRow, RetiredRow, TseNo};

use super::Signer;
use super::unit::{Unit, Work};
use crate::tse::TseError;

/// What is the matter with a TSE that is out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// It does not answer.
    Silent,
    /// Its clock is not set.
    TimeNotSet,
    /// Its certificate is over.
    CertificateExpired,
    /// Nothing more can be stored on it.
    Full,
    /// It was put out of use.
    Disabled,
    /// A PIN or password is wrong or blocked.
    AccessDenied,
    /// Something else; the log of outages has its words.
    Other,
}

impl Cause {
    pub(super) const fn of(error: &TseError) -> Self {
        match error {
            TseError::Unavailable(_) => Self::Silent,
            TseError::TimeNotSet => Self::TimeNotSet,
            TseError::CertificateExpired => Self::CertificateExpired,
            TseError::Storage => Self::Full,
            TseError::Disabled => Self::Disabled,
            TseError::AccessDenied(_) => Self::AccessDenied,
            TseError::UnknownClient(_)
            | TseError::UnknownTransaction(_)
            | TseError::TooManyClients
            | TseError::TooManyOpen
            | TseError::Busy { .. }
            | TseError::Refused(_)
            | TseError::Unsupported(_) => Self::Other,
        }
    }
}

/// How a TSE does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitState {
    /// Which.
    pub no: TseNo,
    /// Whose.
    pub taxpayer: TaxpayerId,
    /// Whether it is asked for signatures now.
    pub ready: bool,
    /// The outage that lasts, if it is out of order.
    pub outage: Option<OutageRow>,
    /// What is the matter with it, once it was asked in this run of the server.
    pub cause: Option<Cause>,
    /// Whether it goes out of service, or is out of it.
    pub retired: Option<RetiredRow>,
    /// Tills that are with it.
    pub clients: u32,
    /// How many may be.
    pub clients_max: u32,
    /// Transactions that are open, as far as the books know.
    pub open: u32,
    /// How many may be; none before it said so.
    pub open_max: Option<u32>,
    /// Orders that wait for it or are being signed.
    pub waiting: u64,
    /// When the oldest of them was booked, in ms since 1970.
    pub oldest_ms: Option<u64>,
    /// Receipts it signed that no order has: the books were put back from a copy, and a till has not come back.
    pub unclaimed: u64,
    /// How long a signature took lately, in microseconds; zero before the first.
    pub signature_us: u64,
    /// Signatures since the signer began.
    pub signatures: u64,
}

impl Signer {
    /// How the TSEs do.
    pub fn units(&self) -> Vec<UnitState> {
        self.units.values().map(|unit| self.state_of(unit)).collect()
    }

    fn state_of(&self, unit: &Unit) -> UnitState {
        let doing = unit.doing.values().filter_map(|doing| match &doing.work {
            Work::Sale(sale) => Some(sale.booked_at_ms),
            _ => None,
        });
        let waiting = doing.chain(unit.sales.iter().map(|sale| sale.booked_at_ms));
        let open = self.open.keys().filter(|(_, of)| *of == unit.no).count();
        UnitState {
            no: unit.no,
            taxpayer: unit.taxpayer,
            ready: unit.ready,
            outage: unit.outage.clone(),
            cause: unit.cause,
            retired: unit.retired.clone(),
            clients: self.clients(unit.no),
            clients_max: unit.clients_max,
            open: u32::try_from(open).unwrap_or(u32::MAX),
            open_max: unit.open_max,
            waiting: waiting.clone().count() as u64,
            oldest_ms: waiting.min(),
            unclaimed: self.claims.count(unit.no),
            signature_us: unit.signature_us,
            signatures: unit.signatures,
        }
    }
}
