//! A TSE as the rest of the server sees it: two calls a receipt, and everything that can go wrong with them.

use serde::{Deserialize, Serialize};
use shared_protocol::TaxpayerId;
use store::{TseNo, TseRow};

use crate::process_data::Kassenbeleg;

/// The curve of a TSE's key. It fixes the digest: SHA-256 for 256 bits, SHA-384 for 384 (TR-03116-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Curve {
    /// `brainpoolP384r1`, as most TSEs that stand on site.
    BrainpoolP384,
    /// NIST P-256, as fiskaly's.
    P256,
}

impl Curve {
    /// The last arc of the algorithm's object identifier: 3 is SHA-256, 4 is SHA-384.
    pub(crate) const fn digest_arc(self) -> u8 {
        match self {
            Self::P256 => 3,
            Self::BrainpoolP384 => 4,
        }
    }

    /// The algorithm as receipts and DSFinV-K name it.
    pub const fn algorithm(self) -> &'static str {
        match self {
            Self::P256 => "ecdsa-plain-SHA256",
            Self::BrainpoolP384 => "ecdsa-plain-SHA384",
        }
    }
}

/// How a TSE writes the time of a log message (TR-03151, `logTime`), by the names that receipts and DSFinV-K use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimeFormat {
    /// Seconds since 1970.
    UnixTime,
    /// `YYMMDDhhmmZ`.
    UtcTime,
    /// `YYMMDDhhmmssZ`.
    UtcTimeWithSeconds,
    /// `YYYYMMDDhhmmssZ`.
    GeneralizedTime,
    /// `YYYYMMDDhhmmss.fffZ`.
    GeneralizedTimeWithMilliseconds,
}

impl TimeFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::UnixTime,
        Self::UtcTime,
        Self::UtcTimeWithSeconds,
        Self::GeneralizedTime,
        Self::GeneralizedTimeWithMilliseconds,
    ];

    /// As receipts and DSFinV-K name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnixTime => "unixTime",
            Self::UtcTime => "utcTime",
            Self::UtcTimeWithSeconds => "utcTimeWithSeconds",
            Self::GeneralizedTime => "generalizedTime",
            Self::GeneralizedTimeWithMilliseconds => "generalizedTimeWithMilliseconds",
        }
    }

    /// By its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// What a TSE can take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tills that may be registered at once.
    pub clients_max: u32,
    /// Transactions that may be open at once.
    pub open_max: u32,
    /// How long a signature takes as a rule, in ms: what capacity is planned with.
    pub signature_ms: u32,
}

/// What a TSE is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TseInfo {
    /// What it is called on the console.
    pub name: String,
    /// The public key, uncompressed (`04 ‖ X ‖ Y`).
    pub public_key: Vec<u8>,
    /// SHA-256 of the public key.
    pub serial: [u8; 32],
    /// The key's curve.
    pub curve: Curve,
    /// How it writes times.
    pub time_format: TimeFormat,
    /// Its certificate and those above it, each in DER, its own first; empty where it has none.
    pub certificates: Vec<Vec<u8>>,
    /// Until when its own certificate is valid, in ms since 1970.
    pub valid_until_ms: Option<u64>,
    /// Whether it has a certificate of the BSI. A TSE in software has none, and every place that shows it says so.
    pub certified: bool,
    /// What it can take.
    pub limits: Limits,
}

impl TseInfo {
    /// What the books note of it. `link` names where it is found.
    pub fn row(&self, no: TseNo, taxpayer: TaxpayerId, link: &str) -> TseRow {
        TseRow {
            no,
            serial: self.serial,
            name: self.name.clone(),
            link: link.to_owned(),
            public_key: self.public_key.clone(),
            algorithm: self.curve.algorithm().to_owned(),
            time_format: self.time_format.as_str().to_owned(),
            certificates: self.certificates.clone(),
            valid_until_ms: self.valid_until_ms,
            certified: self.certified,
            taxpayer,
            clients_max: self.limits.clients_max,
            signature_ms: self.limits.signature_ms,
        }
    }
}

/// How a TSE is just now, as far as it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TseStatus {
    /// Registered tills.
    pub clients: Option<u32>,
    /// Open transactions.
    pub open: Option<u32>,
    /// Signatures that it can still make.
    pub signatures_left: Option<u64>,
    /// How full its memory is, in thousandths.
    pub storage_permille: Option<u16>,
    /// How much its clock is ahead of the server's, in ms.
    pub clock_ahead_ms: Option<i64>,
}

/// What names a transaction before its TSE has given it a number: the same key is the same transaction, however often it is asked for. A TSE that keeps
/// no such keys is asked for what is open before anything is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionKey(pub [u8; 16]);

/// What a transaction ends with. A German TSE takes type and data; a fiscal device of another country, which forms its own record, reads the receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Document<'a> {
    /// `processType`.
    pub process_type: &'a str,
    /// `processData`.
    pub process_data: &'a str,
    /// The same as values; none for what is no receipt.
    pub receipt: Option<&'a Kassenbeleg>,
}

/// A transaction has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Its number.
    pub transaction: u64,
    /// The how-manieth signature.
    pub counter: u64,
    /// The TSE's time in seconds since 1970.
    pub time_s: u64,
    /// Over the start, r and s one after the other.
    pub signature: Vec<u8>,
}

/// A transaction has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finished {
    /// The how-manieth signature.
    pub counter: u64,
    /// The TSE's time in seconds since 1970.
    pub time_s: u64,
    /// Over the end, r and s one after the other.
    pub signature: Vec<u8>,
}

/// A transaction as the log of its TSE has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// The till.
    pub client: String,
    /// Its start.
    pub started: Started,
    /// What it said and its end; none while it is open.
    pub end: Option<(String, Finished)>,
}

/// Why a TSE did not do what it was asked to. Sales go on: they are marked as unsigned while it lasts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TseError {
    /// It does not answer, or not in time. Whether it did what it was asked to is not known.
    #[error("the TSE does not answer: {0}")]
    Unavailable(String),
    /// It has no time since it was switched on, and signs nothing before it is set.
    #[error("the TSE's clock is not set")]
    TimeNotSet,
    /// Its certificate is over.
    #[error("the TSE's certificate is no longer valid")]
    CertificateExpired,
    /// Nothing more can be stored on it.
    #[error("the TSE's memory is full or broken")]
    Storage,
    /// It was put out of use for good.
    #[error("the TSE was put out of use")]
    Disabled,
    /// The till is not registered with it.
    #[error("the till {0} is not registered with the TSE")]
    UnknownClient(String),
    /// No more tills can be registered with it.
    #[error("the TSE takes no more tills")]
    TooManyClients,
    /// No more transactions can be open at once.
    #[error("too many transactions are open at the TSE")]
    TooManyOpen,
    /// A PIN or password is wrong or blocked; nobody but the person who has the PUK can mend that.
    #[error("the TSE does not let the server in: {0}")]
    AccessDenied(String),
    /// It asks to be left alone for a while; nothing was done.
    #[error("the TSE is busy; ask again in {after_ms} ms")]
    Busy {
        /// When to ask again.
        after_ms: u64,
    },
    /// It answered that it will not do this one thing.
    #[error("the TSE refused: {0}")]
    Refused(String),
    /// It has no such function.
    #[error("this TSE cannot do that: {0}")]
    Unsupported(&'static str),
    /// There is no such open transaction: it ended before, or the TSE forgot it.
    #[error("the TSE has no open transaction {0}")]
    UnknownTransaction(u64),
}

impl TseError {
    /// Whether the TSE itself is out of order, so that an outage begins; the others are about one transaction or till, or pass by themselves.
    pub const fn is_outage(&self) -> bool {
        match self {
            Self::Unavailable(_)
            | Self::TimeNotSet
            | Self::CertificateExpired
            | Self::Storage
            | Self::Disabled
            | Self::AccessDenied(_) => true,
            Self::UnknownClient(_)
            | Self::UnknownTransaction(_)
            | Self::TooManyClients
            | Self::TooManyOpen
            | Self::Busy { .. }
            | Self::Refused(_)
            | Self::Unsupported(_) => false,
        }
    }
}

/// A TSE: certified hardware, a service, or [software](crate::SoftwareTse).
///
/// Calls may take long, and each ends: an adapter gives up after a time and answers [`TseError::Unavailable`]. Whoever calls gives each TSE a thread of
/// its own, away from the acknowledgement of orders. `now_ms` is the server's clock: a TSE has its own and ignores it, software has none and takes it.
///
/// The shape fits devices of other countries: one that signs in a single step does nothing at the start, and reads the [`Document`] at the end.
pub trait Tse: Send {
    /// Makes it ready, at first and after it was out of order: connects, logs in, tests itself, sets the clock. Tells what it is.
    fn prepare(&mut self, now_ms: u64) -> Result<TseInfo, TseError>;

    /// How it is.
    fn status(&mut self, now_ms: u64) -> Result<TseStatus, TseError>;

    /// Registers a till. Doing it again does nothing.
    fn register(&mut self, client: &str, now_ms: u64) -> Result<(), TseError>;

    /// Ends the registration of a till, which has no open transaction. Doing it again does nothing.
    fn deregister(&mut self, client: &str, now_ms: u64) -> Result<(), TseError>;

    /// Begins a transaction of a till. Both process type and process data of a start are empty.
    fn start(&mut self, key: TransactionKey, client: &str, now_ms: u64) -> Result<Started, TseError>;

    /// Ends a transaction that was begun with this key.
    fn finish(
        &mut self,
        key: TransactionKey,
        client: &str,
        transaction: u64,
        document: Document<'_>,
        now_ms: u64,
    ) -> Result<Finished, TseError>;

    /// Transactions that have not ended, with their tills: also those whose start was answered to nobody.
    fn open(&mut self) -> Result<Vec<(String, Started)>, TseError>;

    /// What a transaction that has ended said, and its end; for a signer that went down before it had noted it. A real TSE answers from its log.
    fn ended(&mut self, transaction: u64) -> Result<Option<(String, Finished)>, TseError>;

    /// Transactions with this number and higher ones, as its log has them, in order; only those of tills whose names begin so. For books that were put
    /// back from a copy and know less than it does.
    fn since(&mut self, transaction: u64, clients: &str) -> Result<Vec<Logged>, TseError>;

    /// Writes what it has logged as a TAR (TR-03153-1, export), and gives the bytes written.
    fn export(&mut self, _to: &mut dyn std::io::Write) -> Result<u64, TseError> {
        Err(TseError::Unsupported(
            "it keeps no log of its own; the server's books have it",
        ))
    }
}
