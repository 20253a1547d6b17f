//! A TSE as the rest of the server sees it: two calls a receipt, and everything that can go wrong with them.

use serde::{Deserialize, Serialize};

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
    /// Whether it has a certificate of the BSI. A TSE in software has none, and every place that shows it says so.
    pub certified: bool,
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
    /// There is no such open transaction: it ended before, or the TSE forgot it.
    #[error("the TSE has no open transaction {0}")]
    UnknownTransaction(u64),
}

impl TseError {
    /// Whether the TSE itself is out of order, so that an outage begins; the others are about one transaction or till.
    pub const fn is_outage(&self) -> bool {
        !matches!(self, Self::UnknownClient(_) | Self::UnknownTransaction(_))
    }
}

/// A TSE: certified hardware, a service, or [software](crate::SoftwareTse).
///
/// Calls may take long; a signer makes them away from the acknowledgement of orders. `now_ms` is the server's clock: a TSE has its own and ignores it,
/// software has none and takes it.
pub trait Tse: Send {
    /// What it is.
    fn info(&self) -> &TseInfo;

    /// Registers a till. Doing it again does nothing.
    fn register(&mut self, client: &str, now_ms: u64) -> Result<(), TseError>;

    /// Begins a transaction of a till. Both process type and process data of a start are empty.
    fn start(&mut self, client: &str, now_ms: u64) -> Result<Started, TseError>;

    /// Ends a transaction.
    fn finish(
        &mut self,
        client: &str,
        transaction: u64,
        process_type: &str,
        process_data: &str,
        now_ms: u64,
    ) -> Result<Finished, TseError>;

    /// Transactions that have not ended, with their tills: also those whose start was answered to nobody.
    fn open(&mut self) -> Result<Vec<(String, Started)>, TseError>;

    /// What a transaction that has ended said, and its end; for a signer that went down before it had noted it. A real TSE answers from its log.
    fn ended(&mut self, transaction: u64) -> Result<Option<(String, Finished)>, TseError>;
}
