//! What both doubles have inside: a TSE in software with the limits, the slowness and the faults of one on a cable.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fiscal::export::authority::Authority;
use fiscal::log_message::{LogMessage, Operation};
use fiscal::software::Memory;
use fiscal::tse::{Curve, Document, TransactionKey, Tse as _, TseError};
use fiscal::{SoftwareTse, TseInfo};

/// How a double is made.
#[derive(Debug, Clone)]
pub struct Make {
    /// Its key; the same seed is the same TSE.
    pub seed: [u8; 32],
    /// How long a signature takes. They are made one at a time.
    pub signature: Duration,
    /// Tills that may be registered.
    pub clients_max: usize,
    /// Transactions that may be open.
    pub open_max: usize,
    /// Until when its certificate is valid, in ms since 1970.
    pub valid_until_ms: u64,
}

impl Make {
    /// At once, with the limits of a unit on a cable.
    pub fn unit() -> Self {
        Self {
            seed: [7; 32],
            signature: Duration::ZERO,
            clients_max: 100,
            open_max: 512,
            valid_until_ms: 4_000_000_000_000,
        }
    }

    /// At once, with the limits of a service in the cloud.
    pub fn service() -> Self {
        Self {
            clients_max: 199,
            open_max: 2_000,
            ..Self::unit()
        }
    }
}

/// What goes wrong at a call, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection ends before anything is done.
    DropBefore,
    /// It is done, and the connection ends before the answer.
    DropAfter,
    /// Nothing is done and nothing answered.
    HangBefore,
    /// It is done, and nothing answered.
    HangAfter,
    /// It is done, and answered with what is no answer.
    Garbage,
    /// It is done, and answered under the number of another request, which only a socket has.
    WrongPing,
    /// Nothing is done; the answer is an error with this code or HTTP status.
    Code(u32),
    /// Nothing is done; the answer is this HTTP status, to be asked again after so many seconds.
    Later(u16, u64),
}

/// How a double is out of order until that is mended.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fault of its own, and any may come with any other"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conditions {
    /// Nothing more can be stored.
    pub storage_full: bool,
    /// The certificate is over.
    pub certificate_expired: bool,
    /// It was put out of use.
    pub disabled: bool,
    /// The password or PIN was wrong too often.
    pub blocked: bool,
    /// No time is set, as after power came back.
    pub clock_unset: bool,
    /// No self-test was made, as after power came back.
    pub untested: bool,
}

/// One signature that a double made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// Start or end.
    pub operation: Operation,
    /// The till.
    pub client: String,
    /// What it said.
    pub process_type: String,
    /// What it said.
    pub process_data: String,
    /// The transaction.
    pub transaction: u64,
    /// The how-manieth signature.
    pub counter: u64,
    /// Its time in seconds since 1970.
    pub time_s: u64,
    /// The signature.
    pub signature: Vec<u8>,
}

/// Why a double did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A condition or limit, by a name of ours.
    Condition(&'static str),
    /// The till is not registered.
    UnknownClient,
    /// There is no such open transaction.
    UnknownTransaction,
    /// No more tills.
    TooManyClients,
    /// No more open transactions.
    TooManyOpen,
    /// The till has open transactions.
    HasOpen,
}

/// The inside of a double.
pub struct Double {
    /// How it was made.
    pub make: Make,
    /// How it is out of order.
    pub conditions: Conditions,
    /// Faults that wait for their call, by the call's name.
    pub faults: VecDeque<(String, Fault)>,
    /// Every signature of a transaction, in order.
    pub log: Vec<Logged>,
    /// Every call that was done or refused, by its name, in order.
    pub calls: Vec<String>,
    /// Registered tills.
    pub clients: Vec<String>,
    /// How often a wrong password came.
    pub wrong_passwords: u32,
    tse: SoftwareTse,
}

/// A double that its server and a test share.
pub type Shared = Arc<Mutex<Double>>;

/// The inside, also after a test that held it failed.
pub fn lock(shared: &Shared) -> MutexGuard<'_, Double> {
    shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Now, in ms since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Double {
    /// A fresh one.
    #[expect(clippy::expect_used, reason = "a seed of a test makes a key")]
    pub fn new(make: Make, curve: Curve) -> Self {
        let tse = SoftwareTse::new(&make.seed, curve, Memory::default()).expect("a key");
        Self {
            make,
            conditions: Conditions::default(),
            faults: VecDeque::new(),
            log: Vec::new(),
            calls: Vec::new(),
            clients: Vec::new(),
            wrong_passwords: 0,
            tse,
        }
    }

    /// What it is.
    pub const fn info(&self) -> &TseInfo {
        self.tse.info()
    }

    /// The fault that waits for this call, if one does.
    pub fn fault_at(&mut self, call: &str) -> Option<Fault> {
        self.calls.push(call.to_owned());
        let at = self.faults.iter().position(|(name, _)| name == call)?;
        self.faults.remove(at).map(|(_, fault)| fault)
    }

    /// Power went and came back: open transactions and tills are kept, time and self-test are not.
    pub fn power_cycle(&mut self) {
        (self.conditions.clock_unset, self.conditions.untested) = (true, true);
    }

    /// Registers a till; gives whether it is new.
    pub fn register(&mut self, client: &str) -> Result<bool, Refusal> {
        if self.clients.iter().any(|known| known == client) {
            return Ok(false);
        }
        if self.clients.len() >= self.make.clients_max {
            return Err(Refusal::TooManyClients);
        }
        self.clients.push(client.to_owned());
        self.tse
            .register(client, now_ms())
            .map_err(|_| Refusal::UnknownClient)?;
        Ok(true)
    }

    /// Ends a registration; gives whether there was one.
    pub fn deregister(&mut self, client: &str) -> Result<bool, Refusal> {
        if self.open().iter().any(|logged| logged.client == client) {
            return Err(Refusal::HasOpen);
        }
        let before = self.clients.len();
        self.clients.retain(|known| known != client);
        self.tse
            .deregister(client, now_ms())
            .map_err(|_| Refusal::UnknownClient)?;
        Ok(self.clients.len() < before)
    }

    fn works(&self) -> Result<(), Refusal> {
        let Conditions {
            storage_full,
            certificate_expired,
            disabled,
            clock_unset,
            untested,
            ..
        } = self.conditions;
        for (is_so, name) in [
            (disabled, "DISABLED"),
            (certificate_expired, "CERTIFICATE_EXPIRED"),
            (storage_full, "STORAGE_FAILURE"),
            (untested, "SELF_TEST_REQUIRED"),
            (clock_unset, "TIME_NOT_SET"),
        ] {
            if is_so {
                return Err(Refusal::Condition(name));
            }
        }
        Ok(())
    }

    /// Begins a transaction.
    pub fn start(&mut self, client: &str) -> Result<Logged, Refusal> {
        self.works()?;
        if !self.clients.iter().any(|known| known == client) {
            return Err(Refusal::UnknownClient);
        }
        if self.open().len() >= self.make.open_max {
            return Err(Refusal::TooManyOpen);
        }
        // A name of its own each time: whether a repeated call is the same is the protocol's business, not this TSE's.
        let mut key = [0; 16];
        key.iter_mut()
            .zip((self.log.len() as u64).to_le_bytes())
            .for_each(|(to, from)| *to = from);
        let started = self
            .tse
            .start(TransactionKey(key), client, now_ms())
            .map_err(|_| Refusal::UnknownClient)?;
        let logged = Logged {
            operation: Operation::Start,
            client: client.to_owned(),
            process_type: String::new(),
            process_data: String::new(),
            transaction: started.transaction,
            counter: started.counter,
            time_s: started.time_s,
            signature: started.signature,
        };
        self.log.push(logged.clone());
        Ok(logged)
    }

    /// Ends a transaction.
    pub fn finish(
        &mut self,
        client: &str,
        transaction: u64,
        process_type: &str,
        process_data: &str,
    ) -> Result<Logged, Refusal> {
        self.works()?;
        if !self.clients.iter().any(|known| known == client) {
            return Err(Refusal::UnknownClient);
        }
        let document = Document {
            process_type,
            process_data,
            receipt: None,
        };
        let finished = self
            .tse
            .finish(TransactionKey([0; 16]), client, transaction, document, now_ms());
        let finished = match finished {
            Ok(finished) => finished,
            Err(TseError::UnknownTransaction(_)) => return Err(Refusal::UnknownTransaction),
            Err(_) => return Err(Refusal::Condition("FAILED")),
        };
        let logged = Logged {
            operation: Operation::Finish,
            client: client.to_owned(),
            process_type: process_type.to_owned(),
            process_data: process_data.to_owned(),
            transaction,
            counter: finished.counter,
            time_s: finished.time_s,
            signature: finished.signature,
        };
        self.log.push(logged.clone());
        Ok(logged)
    }

    /// The starts of transactions that have not ended.
    pub fn open(&self) -> Vec<&Logged> {
        let has_ended = |number| self.of(number, Operation::Finish).is_some();
        let starts = self.log.iter().filter(|logged| logged.operation == Operation::Start);
        starts.filter(|logged| !has_ended(logged.transaction)).collect()
    }

    /// The start or end of a transaction.
    pub fn of(&self, transaction: u64, operation: Operation) -> Option<&Logged> {
        self.log
            .iter()
            .find(|logged| logged.transaction == transaction && logged.operation == operation)
    }

    /// What it logged of a range of transactions, as a TAR with the standard's names and the certificate of its key, by an authority of its own.
    #[expect(clippy::expect_used, reason = "what cannot be fails the test")]
    pub fn export(&self, from: u64, to: u64) -> Vec<u8> {
        let info = self.info();
        let mut tar = tar::Builder::new(Vec::new());
        let mut add = |name: &str, content: &[u8]| {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o444);
            header.set_cksum();
            let _in_memory = tar.append_data(&mut header, name, content);
        };
        add(
            "info.csv",
            b"\"description:\",\"test double, not certified\",\"manufacturer:\",\"tse-mocks\",\"version:\",\"0\"\n",
        );
        let authority = Authority::new(self.make.seed);
        let since_s = self.log.first().map_or(0, |first| first.time_s);
        let certificate = authority
            .certify(info.curve, &info.public_key, since_s)
            .expect("a certificate");
        add(&certificate.file_name(), &certificate.der);
        for logged in self
            .log
            .iter()
            .filter(|logged| (from..=to).contains(&logged.transaction))
        {
            let message = LogMessage {
                operation: logged.operation,
                client: &logged.client,
                process_data: &logged.process_data,
                process_type: &logged.process_type,
                transaction: logged.transaction,
                serial: info.serial,
                curve: info.curve,
                counter: logged.counter,
                time_s: logged.time_s,
            };
            let operation = if logged.operation == Operation::Start {
                "Start"
            } else {
                "Finish"
            };
            let name = format!(
                "Unixt_{}_Sig-{}_Log-Tra_No-{}_{operation}_Client-{}.log",
                logged.time_s, logged.counter, logged.transaction, logged.client
            );
            add(&name, &message.signed(&logged.signature));
        }
        tar.into_inner().unwrap_or_default()
    }

    /// A certificate for show: made by itself, for a key that is not the TSE's.
    #[expect(clippy::expect_used, reason = "what cannot be fails the test")]
    pub fn certificate(&self) -> Vec<u8> {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("no names");
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "tse-mocks test double (not certified)");
        let day = i64::try_from(self.make.valid_until_ms / 1_000).unwrap_or(0);
        let date = jiff::Timestamp::from_second(day)
            .expect("a time")
            .to_zoned(jiff::tz::TimeZone::UTC);
        let month = u8::try_from(date.month()).expect("a month");
        let day = u8::try_from(date.day()).expect("a day");
        params.not_after = rcgen::date_time_ymd(i32::from(date.year()), month, day);
        params.self_signed(&key).expect("a certificate").der().to_vec()
    }
}
