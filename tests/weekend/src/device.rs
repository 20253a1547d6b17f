//! A TSE in software, and what goes wrong with it: answers that are lost, errors of each kind, silence for a while or for ever.

use fiscal::software::Memory;
use fiscal::tse::{Curve, Document, Logged, TransactionKey};
use fiscal::{Finished, SoftwareTse, Started, Tse, TseError, TseInfo, TseStatus};
use fixtures::seeded::Seeded;
use shared_protocol::TaxpayerId;

use crate::plan::Fate;

/// One call in so many goes wrong by chance.
const FAULT_EVERY: u32 = 400;

/// A TSE that outlives the server.
pub struct Device {
    /// Whose tills it signs for.
    pub taxpayer: TaxpayerId,
    /// By what name the settings know it.
    pub link: String,
    tse: SoftwareTse,
    seeded: Seeded,
    fate: Fate,
    /// Whether its last answer was lost with it.
    is_dead: bool,
    /// Calls that went wrong by chance.
    pub faults: u64,
}

impl Device {
    /// A new one. The same seed and place are the same TSE.
    pub fn new(taxpayer: TaxpayerId, place: u8, seed: u64, fate: Fate) -> Self {
        let no = u64::from(taxpayer.0) * 256 + u64::from(place);
        let mut key = [place; 32];
        let parts = seed.to_be_bytes().into_iter().chain(no.to_be_bytes());
        key.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        Self {
            taxpayer,
            link: format!("{} {taxpayer}-{place}", store::TseRow::SOFTWARE),
            tse: SoftwareTse::new(&key, Curve::P256, Memory::default()).expect("a seed"),
            seeded: Seeded::new(seed ^ no.rotate_left(40)),
            fate,
            is_dead: false,
            faults: 0,
        }
    }

    /// What it is, as it says when it answers for the first time.
    pub fn info(&self) -> TseInfo {
        self.tse.info().clone()
    }

    /// Signatures that it made.
    pub fn signatures(&self) -> u64 {
        self.tse.memory().signatures
    }

    /// Whether it takes calls and answers none.
    pub fn hangs(&self, now_ms: u64) -> bool {
        self.fate
            .hangs
            .is_some_and(|(from_ms, to_ms)| (from_ms..to_ms).contains(&now_ms))
    }

    /// When it takes calls and answers none.
    pub const fn silence(&self) -> Option<(u64, u64)> {
        self.fate.hangs
    }

    /// Whether it is over.
    pub fn is_over(&self, now_ms: u64) -> bool {
        self.fate.dies_ms.is_some_and(|dies_ms| dies_ms <= now_ms)
    }

    fn call<R>(
        &mut self,
        now_ms: u64,
        call: impl FnOnce(&mut SoftwareTse) -> Result<R, TseError>,
    ) -> Result<R, TseError> {
        let lost = || TseError::Unavailable("simulated: the answer is lost".to_owned());
        if self.is_over(now_ms) {
            // The last thing that it did was done, and nobody heard of it.
            if !std::mem::replace(&mut self.is_dead, true) {
                let _done = call(&mut self.tse);
            }
            return Err(TseError::Unavailable("simulated: it is dead".to_owned()));
        }
        if self.seeded.below(FAULT_EVERY) != 0 {
            return call(&mut self.tse);
        }
        self.faults += 1;
        match self.seeded.below(12) {
            0..4 => {
                call(&mut self.tse)?;
                Err(lost())
            }
            4..6 => Err(TseError::Unavailable("simulated: nobody answers".to_owned())),
            6 => Err(TseError::TimeNotSet),
            7 => Err(TseError::Storage),
            8 => Err(TseError::AccessDenied("simulated: the PIN is blocked".to_owned())),
            9 => Err(TseError::TooManyOpen),
            10 => Err(TseError::Refused("simulated".to_owned())),
            _ => Err(TseError::Busy { after_ms: 3_000 }),
        }
    }
}

/// The signer's moment, for calls that name none.
pub struct At<'a> {
    /// The TSE.
    pub device: &'a mut Device,
    /// When.
    pub now_ms: u64,
}

impl Tse for At<'_> {
    fn prepare(&mut self, now_ms: u64) -> Result<TseInfo, TseError> {
        self.device.call(now_ms, |tse| tse.prepare(now_ms))
    }

    fn status(&mut self, now_ms: u64) -> Result<TseStatus, TseError> {
        self.device.call(now_ms, |tse| tse.status(now_ms))
    }

    fn register(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        self.device.call(now_ms, |tse| tse.register(client, now_ms))
    }

    fn deregister(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        self.device.call(now_ms, |tse| tse.deregister(client, now_ms))
    }

    fn start(&mut self, key: TransactionKey, client: &str, now_ms: u64) -> Result<Started, TseError> {
        self.device.call(now_ms, |tse| tse.start(key, client, now_ms))
    }

    fn finish(
        &mut self,
        key: TransactionKey,
        client: &str,
        transaction: u64,
        document: Document<'_>,
        now_ms: u64,
    ) -> Result<Finished, TseError> {
        let finish = |tse: &mut SoftwareTse| tse.finish(key, client, transaction, document, now_ms);
        self.device.call(now_ms, finish)
    }

    fn open(&mut self) -> Result<Vec<(String, Started)>, TseError> {
        self.device.call(self.now_ms, SoftwareTse::open)
    }

    fn ended(&mut self, transaction: u64) -> Result<Option<(String, Finished)>, TseError> {
        self.device.call(self.now_ms, |tse| tse.ended(transaction))
    }

    fn since(&mut self, transaction: u64, clients: &str) -> Result<Vec<Logged>, TseError> {
        self.device.call(self.now_ms, |tse| tse.since(transaction, clients))
    }
}
