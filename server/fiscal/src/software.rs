//! A TSE in software: it signs as a real one does, and protects nobody. For tests, demos and training.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::log_message::{LogMessage, Operation};
use crate::tse::{
    Curve, Document, Finished, Limits, Logged, Started, TimeFormat, TransactionKey, Tse, TseError, TseInfo, TseStatus,
};

pub(crate) mod key;

use key::Key;
pub use key::NoKey;

/// What a TSE remembers. A shell that wants it to survive keeps it after every call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Memory {
    /// Transactions begun so far.
    pub transactions: u64,
    /// Signatures made so far.
    pub signatures: u64,
    /// The latest time it signed, in seconds since 1970: its clock never goes back.
    pub time_s: u64,
    /// Open transactions with their tills.
    pub open: BTreeMap<u64, (String, Started)>,
    /// Registered tills.
    pub clients: BTreeSet<String>,
    /// The newest that ended, for a signer that went down before it had noted them, or knows less since it was put back from a copy.
    pub ended: BTreeMap<u64, Logged>,
}

/// Ends that are remembered: more than a signer does before it notes them.
const ENDED_MAX: usize = 1_024;

/// A TSE in software.
pub struct SoftwareTse {
    key: Key,
    info: TseInfo,
    memory: Memory,
    /// Open transactions by the key they were begun with. It goes with the process, as answers do that nobody heard.
    keys: BTreeMap<TransactionKey, u64>,
}

impl std::fmt::Debug for SoftwareTse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SoftwareTse")
            .field("info", &self.info)
            .field("memory", &self.memory)
            .finish_non_exhaustive()
    }
}

impl SoftwareTse {
    /// A TSE whose key is made from a seed. The same seed is the same TSE.
    pub fn new(seed: &[u8; 32], curve: Curve, memory: Memory) -> Result<Self, NoKey> {
        let key = Key::of("groschen software tse 1", seed, curve)?;
        let public_key = key.public();
        let info = TseInfo {
            name: "Software TSE (not certified)".to_owned(),
            serial: Sha256::digest(&public_key).into(),
            public_key,
            curve,
            time_format: TimeFormat::UnixTime,
            certificates: Vec::new(),
            valid_until_ms: None,
            certified: false,
            limits: Limits {
                clients_max: u32::MAX,
                open_max: u32::MAX,
                signature_ms: 1,
            },
        };
        let keys = BTreeMap::new();
        Ok(Self {
            key,
            info,
            memory,
            keys,
        })
    }

    /// What it is.
    pub const fn info(&self) -> &TseInfo {
        &self.info
    }

    /// What it remembers now.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    fn sign(&mut self, message: &LogMessage<'_>) -> Result<Vec<u8>, TseError> {
        let signed = self.key.sign(&message.to_be_signed());
        let signature = signed.map_err(|error| TseError::Unavailable(error.to_string()))?;
        (self.memory.signatures, self.memory.time_s) = (message.counter, message.time_s);
        Ok(signature)
    }

    fn message<'a>(&self, operation: Operation, client: &'a str, transaction: u64, now_ms: u64) -> LogMessage<'a> {
        LogMessage {
            operation,
            client,
            process_data: "",
            process_type: "",
            transaction,
            serial: self.info.serial,
            curve: self.info.curve,
            counter: self.memory.signatures + 1,
            time_s: (now_ms / 1_000).max(self.memory.time_s),
        }
    }
}

impl Tse for SoftwareTse {
    fn prepare(&mut self, _now_ms: u64) -> Result<TseInfo, TseError> {
        Ok(self.info.clone())
    }

    fn status(&mut self, _now_ms: u64) -> Result<TseStatus, TseError> {
        Ok(TseStatus {
            clients: u32::try_from(self.memory.clients.len()).ok(),
            open: u32::try_from(self.memory.open.len()).ok(),
            ..TseStatus::default()
        })
    }

    fn register(&mut self, client: &str, _now_ms: u64) -> Result<(), TseError> {
        self.memory.clients.insert(client.to_owned());
        Ok(())
    }

    fn deregister(&mut self, client: &str, _now_ms: u64) -> Result<(), TseError> {
        self.memory.clients.remove(client);
        Ok(())
    }

    fn start(&mut self, key: TransactionKey, client: &str, now_ms: u64) -> Result<Started, TseError> {
        let begun = self.keys.get(&key).and_then(|number| self.memory.open.get(number));
        if let Some((owner, started)) = begun {
            return if owner == client {
                Ok(started.clone())
            } else {
                Err(TseError::Refused(
                    "the key names a transaction of another till".to_owned(),
                ))
            };
        }
        if !self.memory.clients.contains(client) {
            return Err(TseError::UnknownClient(client.to_owned()));
        }
        let transaction = self.memory.transactions + 1;
        let message = self.message(Operation::Start, client, transaction, now_ms);
        let signature = self.sign(&message)?;
        self.memory.transactions = transaction;
        let started = Started {
            transaction,
            counter: message.counter,
            time_s: message.time_s,
            signature,
        };
        self.memory
            .open
            .insert(transaction, (client.to_owned(), started.clone()));
        self.keys.insert(key, transaction);
        Ok(started)
    }

    fn finish(
        &mut self,
        _key: TransactionKey,
        client: &str,
        transaction: u64,
        document: Document<'_>,
        now_ms: u64,
    ) -> Result<Finished, TseError> {
        let opened = self.memory.open.get(&transaction).filter(|(owner, _)| owner == client);
        let Some((_, started)) = opened.cloned() else {
            return Err(TseError::UnknownTransaction(transaction));
        };
        let message = LogMessage {
            process_data: document.process_data,
            process_type: document.process_type,
            ..self.message(Operation::Finish, client, transaction, now_ms)
        };
        let signature = self.sign(&message)?;
        self.memory.open.remove(&transaction);
        self.keys.retain(|_, number| *number != transaction);
        let finished = Finished {
            counter: message.counter,
            time_s: message.time_s,
            signature,
        };
        let logged = Logged {
            client: client.to_owned(),
            started,
            end: Some((document.process_data.to_owned(), finished.clone())),
        };
        self.memory.ended.insert(transaction, logged);
        // The oldest end is forgotten, not the oldest transaction: one that was open for days may have ended just now.
        if self.memory.ended.len() > ENDED_MAX {
            let ends = self.memory.ended.iter();
            let counter = |logged: &Logged| logged.end.as_ref().map(|(_, end)| end.counter);
            let oldest = ends
                .min_by_key(|(_, logged)| counter(logged))
                .map(|(number, _)| *number);
            oldest.map(|number| self.memory.ended.remove(&number));
        }
        Ok(finished)
    }

    fn open(&mut self) -> Result<Vec<(String, Started)>, TseError> {
        Ok(self.memory.open.values().cloned().collect())
    }

    fn ended(&mut self, transaction: u64) -> Result<Option<(String, Finished)>, TseError> {
        Ok(self
            .memory
            .ended
            .get(&transaction)
            .and_then(|logged| logged.end.clone()))
    }

    fn since(&mut self, transaction: u64, clients: &str) -> Result<Vec<Logged>, TseError> {
        let ended = self.memory.ended.range(transaction..).map(|(_, logged)| logged.clone());
        let open = self
            .memory
            .open
            .range(transaction..)
            .map(|(_, (client, started))| Logged {
                client: client.clone(),
                started: started.clone(),
                end: None,
            });
        let mut all: Vec<Logged> = ended
            .chain(open)
            .filter(|one| one.client.starts_with(clients))
            .collect();
        all.sort_by_key(|one| one.started.transaction);
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use bp384::BrainpoolP384r1;
    use ecdsa::signature::Verifier as _;
    use ecdsa::{Signature, VerifyingKey};
    use p256::NistP256;

    use super::*;
    use crate::process_data::{KASSENBELEG_V1, Kassenbeleg};
    use crate::qr::ReceiptCode;

    const NOW: u64 = 1_815_998_400_500;
    const KEY: TransactionKey = TransactionKey([1; 16]);

    const fn document<'a>(process_type: &'a str, process_data: &'a str) -> Document<'a> {
        Document {
            process_type,
            process_data,
            receipt: None,
        }
    }

    fn tse(curve: Curve) -> SoftwareTse {
        let mut tse = SoftwareTse::new(&[7; 32], curve, Memory::default()).unwrap();
        tse.register("TILL-1", NOW).unwrap();
        tse
    }

    fn verifies(info: &TseInfo, message: &[u8], signature: &[u8]) -> bool {
        match info.curve {
            Curve::BrainpoolP384 => {
                let key = VerifyingKey::<BrainpoolP384r1>::from_sec1_bytes(&info.public_key).unwrap();
                key.verify(message, &Signature::from_slice(signature).unwrap()).is_ok()
            }
            Curve::P256 => {
                let key = VerifyingKey::<NistP256>::from_sec1_bytes(&info.public_key).unwrap();
                key.verify(message, &Signature::from_slice(signature).unwrap()).is_ok()
            }
        }
    }

    #[test]
    fn what_a_receipt_says_is_what_was_signed_on_both_curves() {
        for (curve, bytes) in [(Curve::BrainpoolP384, 48), (Curve::P256, 32)] {
            let mut tse = tse(curve);
            let data = Kassenbeleg::ABORTED.to_string();
            let started = tse.start(KEY, "TILL-1", NOW).unwrap();
            let finished = tse
                .finish(
                    KEY,
                    "TILL-1",
                    started.transaction,
                    document(KASSENBELEG_V1, &data),
                    NOW + 3_000,
                )
                .unwrap();
            assert_eq!(
                (started.signature.len(), finished.signature.len()),
                (2 * bytes, 2 * bytes)
            );
            let code = ReceiptCode::new(tse.info(), "TILL-1", KASSENBELEG_V1, &data, &started, &finished);
            let read = ReceiptCode::parse(&code.to_string()).unwrap();
            assert!(verifies(tse.info(), &read.to_be_signed(tse.info()), &read.signature));
            let other = ReceiptCode {
                process_data: data.replace("0.00", "1.00"),
                ..read
            };
            assert!(!verifies(tse.info(), &other.to_be_signed(tse.info()), &other.signature));
        }
    }

    #[test]
    fn counters_rise_by_one_and_time_never_falls() {
        let mut tse = tse(Curve::P256);
        let one = tse.start(KEY, "TILL-1", NOW).unwrap();
        let two = tse.start(TransactionKey([2; 16]), "TILL-1", NOW - 60_000).unwrap();
        assert_eq!((one.transaction, one.counter), (1, 1));
        assert_eq!((two.transaction, two.counter, two.time_s), (2, 2, one.time_s));
        assert_eq!(tse.finish(KEY, "TILL-1", 1, document("", ""), NOW).unwrap().counter, 3);
        assert_eq!(tse.open().unwrap(), [("TILL-1".to_owned(), two)]);
    }

    #[test]
    fn a_key_is_one_transaction_while_that_is_open() {
        let mut tse = tse(Curve::P256);
        let one = tse.start(KEY, "TILL-1", NOW).unwrap();
        assert_eq!(tse.start(KEY, "TILL-1", NOW), Ok(one));
        tse.register("TILL-2", NOW).unwrap();
        assert!(matches!(tse.start(KEY, "TILL-2", NOW), Err(TseError::Refused(_))));
        tse.finish(KEY, "TILL-1", 1, document("", ""), NOW).unwrap();
        assert_eq!(tse.start(KEY, "TILL-1", NOW).unwrap().transaction, 2);
    }

    #[test]
    fn the_newest_ends_are_remembered_however_long_their_transactions_were_open() {
        let mut tse = tse(Curve::P256);
        tse.start(KEY, "TILL-1", NOW).unwrap();
        for other in 0..=ENDED_MAX as u64 {
            let mut key = [2; 16];
            key[..8].copy_from_slice(&other.to_be_bytes());
            let started = tse.start(TransactionKey(key), "TILL-1", NOW).unwrap();
            tse.finish(
                TransactionKey(key),
                "TILL-1",
                started.transaction,
                document("", ""),
                NOW,
            )
            .unwrap();
        }
        assert_eq!(tse.ended(2).unwrap(), None, "what ended first is forgotten first");
        let finished = tse.finish(KEY, "TILL-1", 1, document("", "late"), NOW).unwrap();
        assert_eq!(tse.ended(1).unwrap(), Some(("late".to_owned(), finished)));
        assert_eq!(tse.memory().ended.len(), ENDED_MAX);
    }

    #[test]
    fn a_till_it_does_not_know_and_a_transaction_that_ended_are_refused() {
        let mut tse = tse(Curve::P256);
        assert_eq!(
            tse.start(KEY, "TILL-2", NOW),
            Err(TseError::UnknownClient("TILL-2".to_owned()))
        );
        let started = tse.start(KEY, "TILL-1", NOW).unwrap();
        tse.register("TILL-2", NOW).unwrap();
        assert_eq!(
            tse.finish(KEY, "TILL-2", 1, document("", ""), NOW),
            Err(TseError::UnknownTransaction(1))
        );
        tse.finish(KEY, "TILL-1", started.transaction, document("", ""), NOW)
            .unwrap();
        assert_eq!(
            tse.finish(KEY, "TILL-1", 1, document("", ""), NOW),
            Err(TseError::UnknownTransaction(1))
        );
        assert_eq!(tse.memory().signatures, 2, "a refusal signs nothing");
    }

    #[test]
    fn it_goes_on_from_what_it_remembers_and_says_that_it_is_not_certified() {
        let mut one = tse(Curve::BrainpoolP384);
        one.start(KEY, "TILL-1", NOW).unwrap();
        let mut two = SoftwareTse::new(&[7; 32], Curve::BrainpoolP384, one.memory().clone()).unwrap();
        assert_eq!(two.info(), one.info());
        assert_eq!(two.finish(KEY, "TILL-1", 1, document("", ""), NOW).unwrap().counter, 2);
        assert!(!two.info().certified && two.info().name.contains("not certified"));
        let other = SoftwareTse::new(&[8; 32], Curve::BrainpoolP384, Memory::default()).unwrap();
        assert_ne!(other.info().serial, two.info().serial);
    }
}
