//! fiskaly SIGN DE, version 2: a TSE in the cloud, over HTTPS.
//!
//! ```text
//! POST /auth ─▶ GET /tss/{id} ─▶ ready
//! till:   GET  /client/{name} ─▶ POST /admin/auth ─▶ PUT or PATCH /client/{name} ─▶ POST /admin/logout
//! start:  PUT  /tx/{name of the key}?tx_revision=1      finish: PUT /tx/{name}?tx_revision=2, type and data as `raw`
//! answer lost ─▶ the same PUT again;   409 ─▶ GET, and what is there counts;   429, 423, 5xx ─▶ later, as `Retry-After` says
//! ```
//! Process data go as `raw`, so that one place makes them for all TSEs. The name of a transaction is its key, so no crash begins one twice.
//!
//! Assumed, because the sources do not say: lists take `limit` and `offset`; a start is signed with an empty type (in production the service has been
//! seen to sign a blank one, which a verifier of starts has to know). A wrong key or PIN is sent once; nothing more goes out until the adapter is made
//! anew. A TSE of this kind does not fit a field without a stable link (TR-03153-1, 4.2.1.3): take it as the second one.

mod api;
mod ids;
mod requests;
mod settings;
mod setup;
mod tls;
mod wire;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use fiscal::tse::{Document, Finished, Logged, Started, TransactionKey, Tse, TseError, TseInfo, TseStatus};
use reqwest::Method;
use ring::rand::SecureRandom as _;
use serde::Deserialize;
use serde_json::json;

use crate::log;
use crate::secret::Secret;
use api::{Api, Fault};
use wire::{Client, Transaction};

pub use settings::{Credentials, Settings, SetupError, Times};
pub use setup::Unset;

/// A key that was used and ended is tried under so many names.
const GENERATIONS: u8 = 8;
/// How often an export is looked at: first soon, then seldom.
const EXPORT_POLL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// An open transaction at the service.
struct Open {
    id: String,
    client: String,
    revision: u64,
    key: Option<(TransactionKey, Started)>,
}

/// One TSS.
pub struct Fiskaly {
    settings: Settings,
    admin_pin: Secret,
    api: Api,
    info: Option<TseInfo>,
    open: BTreeMap<u64, Open>,
    /// The PIN was refused; it is not sent again.
    locked_out: Option<String>,
}

impl Fiskaly {
    /// One that has not asked anything yet.
    pub fn new(settings: Settings, credentials: Credentials) -> Result<Self, SetupError> {
        let admin_pin = credentials.admin_pin.clone();
        Ok(Self {
            api: Api::new(&settings, credentials)?,
            settings,
            admin_pin,
            info: None,
            open: BTreeMap::new(),
            locked_out: None,
        })
    }
}

impl Tse for Fiskaly {
    fn prepare(&mut self, _now_ms: u64) -> Result<TseInfo, TseError> {
        self.info = None;
        let info = self.check_state()?.info(&self.settings)?;
        self.info = Some(info.clone());
        Ok(info)
    }

    fn status(&mut self, now_ms: u64) -> Result<TseStatus, TseError> {
        self.ready(now_ms).or_else(|error| match error {
            TseError::CertificateExpired => Ok(()),
            other => Err(other),
        })?;
        let clients: Vec<Client> = self.all("/client", 10_000).map_err(Fault::into_error)?;
        let registered = clients.iter().filter(|client| client.is_registered()).count();
        let open = self.active().map_err(Fault::into_error)?.len();
        Ok(TseStatus {
            clients: u32::try_from(registered).ok(),
            open: u32::try_from(open).ok(),
            ..TseStatus::default()
        })
    }

    fn register(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        self.ready(now_ms)?;
        let id = ids::client(&self.settings.tss, client);
        let (method, body) = match self.client(&id).map_err(Fault::into_error)? {
            Some(known) if known.is_registered() => return Ok(()),
            Some(_) => (Method::PATCH, json!({"state": "REGISTERED"})),
            None => (Method::PUT, json!({"serial_number": client})),
        };
        let done: Result<Client, Fault> = self.as_admin(|tss| tss.call(&method, &format!("/client/{id}"), Some(&body)));
        match done {
            Ok(_) => Ok(()),
            Err(fault @ Fault::Refused(_)) => {
                // The code for "too many" is not known, so they are counted.
                let max = self.info.as_ref().map_or(u32::MAX, |info| info.limits.clients_max);
                let known = self.status(now_ms).ok().and_then(|status| status.clients);
                Err(if known.is_some_and(|known| known >= max) {
                    TseError::TooManyClients
                } else {
                    fault.into_error()
                })
            }
            Err(fault) => Err(fault.into_error()),
        }
    }

    fn deregister(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        self.ready(now_ms)?;
        let id = ids::client(&self.settings.tss, client);
        if self
            .client(&id)
            .map_err(Fault::into_error)?
            .is_none_or(|known| !known.is_registered())
        {
            return Ok(());
        }
        let body = json!({"state": "DEREGISTERED"});
        let done: Result<Client, Fault> =
            self.as_admin(|tss| tss.call(&Method::PATCH, &format!("/client/{id}"), Some(&body)));
        done.map(drop).map_err(Fault::into_error)
    }

    fn start(&mut self, key: TransactionKey, client: &str, now_ms: u64) -> Result<Started, TseError> {
        self.ready(now_ms)?;
        let of_key = |open: &&Open| open.key.as_ref().is_some_and(|(known, _)| *known == key);
        match self.open.values().find(of_key) {
            Some(Open {
                client: owner,
                key: Some((_, started)),
                ..
            }) if owner == client => return Ok(started.clone()),
            Some(_) => {
                return Err(TseError::Refused(
                    "the key names a transaction of another till".to_owned(),
                ));
            }
            None => {}
        }
        let body = json!({"state": "ACTIVE", "client_id": ids::client(&self.settings.tss, client)});
        for generation in 0..GENERATIONS {
            let id = ids::transaction(key, generation);
            let put = self.call(&Method::PUT, &format!("/tx/{id}?tx_revision=1"), Some(&body));
            let begun: Transaction = match put {
                Ok(begun) => begun,
                Err(fault) if fault.is(409) => self.get(&format!("/tx/{id}")).map_err(Fault::into_error)?,
                Err(fault) => return Err(self.why_no_start(fault, client)),
            };
            if !begun.is_open() {
                // The key was used before, and that transaction has ended.
                continue;
            }
            if begun.client_serial_number != client {
                return Err(TseError::Refused(
                    "the key names a transaction of another till".to_owned(),
                ));
            }
            let unreadable = || TseError::Unavailable("the answer to a start cannot be read".to_owned());
            let started = begun.started().ok_or_else(unreadable)?;
            self.note(&begun, Some((key, started.clone())));
            return Ok(started);
        }
        Err(TseError::Refused(format!(
            "the key has been used {GENERATIONS} times before"
        )))
    }

    fn finish(
        &mut self,
        _key: TransactionKey,
        client: &str,
        transaction: u64,
        document: Document<'_>,
        now_ms: u64,
    ) -> Result<Finished, TseError> {
        self.ready(now_ms)?;
        let unknown = || TseError::UnknownTransaction(transaction);
        if self.open.get(&transaction).is_some_and(|open| open.client != client) {
            return Err(unknown());
        }
        for _try in 0..2 {
            if !self.open.contains_key(&transaction)
                && let Some(finished) = self.look(client, transaction, document.process_data)?
            {
                return Ok(finished);
            }
            match self.put_end(transaction, document) {
                Ok(done) => {
                    let unreadable = || TseError::Unavailable("the answer to an end cannot be read".to_owned());
                    let (said, finished) = done.ended().ok_or_else(unreadable)?;
                    self.open.remove(&transaction);
                    return if said == document.process_data {
                        Ok(finished)
                    } else {
                        Err(unknown())
                    };
                }
                // Its revision is another than we know: what is there counts.
                Err(fault) if fault.is(409) => {
                    self.open.remove(&transaction);
                }
                Err(fault) if fault.is(404) => return Err(unknown()),
                Err(fault) if fault.is_code("E_CLIENT_NOT_FOUND") => {
                    return Err(TseError::UnknownClient(client.to_owned()));
                }
                Err(fault @ Fault::Refused(_)) => {
                    self.check_state()?;
                    return Err(fault.into_error());
                }
                Err(fault) => return Err(fault.into_error()),
            }
        }
        Err(TseError::Unavailable(
            "the revision of the transaction changes again and again".to_owned(),
        ))
    }

    fn open(&mut self) -> Result<Vec<(String, Started)>, TseError> {
        let all = self.active().map_err(Fault::into_error)?;
        let mut open = Vec::new();
        for transaction in &all {
            let known = self.open.remove(&transaction.number).and_then(|open| open.key);
            self.note(transaction, known);
            let started = transaction.started();
            let started =
                started.ok_or_else(|| TseError::Unavailable("a list of what is open cannot be read".to_owned()))?;
            open.push((transaction.client_serial_number.clone(), started));
        }
        Ok(open)
    }

    fn ended(&mut self, transaction: u64) -> Result<Option<(String, Finished)>, TseError> {
        let found: Result<Transaction, Fault> = self.get(&format!("/tx/{transaction}"));
        match found {
            Ok(found) => Ok(found.ended()),
            Err(fault) if fault.is(404) => Ok(None),
            Err(fault) => Err(fault.into_error()),
        }
    }

    fn since(&mut self, transaction: u64, clients: &str) -> Result<Vec<Logged>, TseError> {
        // Books that were not put back from a copy know all, and nobody waits for an export.
        let next: Result<Transaction, Fault> = self.get(&format!("/tx/{transaction}"));
        match next {
            Ok(_) => {}
            Err(fault) if fault.is(404) => return Ok(Vec::new()),
            Err(fault) => return Err(fault.into_error()),
        }
        let (mut tar, mut events) = (Vec::new(), Vec::new());
        self.fetch_export(&format!("?start_transaction_number={transaction}"), &mut tar)?;
        let read = log::each(tar.as_slice(), |event| events.push(event));
        read.map_err(|error| TseError::Unavailable(format!("its log cannot be read: {error}")))?;
        Ok(log::transactions(events, clients))
    }

    fn export(&mut self, to: &mut dyn std::io::Write) -> Result<u64, TseError> {
        self.fetch_export("", to)
    }
}

impl Fiskaly {
    /// Has an export made, waits for it and fetches it.
    fn fetch_export(&mut self, range: &str, to: &mut dyn std::io::Write) -> Result<u64, TseError> {
        #[derive(Deserialize)]
        struct Export {
            state: String,
        }
        let mut random = [0; 16];
        let drawn = ring::rand::SystemRandom::new().fill(&mut random);
        drawn.map_err(|_| TseError::Refused("the system gives no random bytes".to_owned()))?;
        let path = format!("/export/{}", ids::export(random));
        let whole = Duration::from_millis(self.settings.times.export_ms);
        let deadline = Instant::now() + whole;
        let mut export: Export = self
            .call(&Method::PUT, &format!("{path}{range}"), Some(&json!({})))
            .map_err(Fault::into_error)?;
        let mut wait = EXPORT_POLL.0;
        while matches!(export.state.as_str(), "PENDING" | "WORKING") {
            if Instant::now() + wait >= deadline {
                return Err(TseError::Unavailable("the export was not ready in time".to_owned()));
            }
            std::thread::sleep(wait);
            wait = (wait * 2).min(EXPORT_POLL.1);
            export = self.get(&path).map_err(Fault::into_error)?;
        }
        if export.state != "COMPLETED" {
            return Err(TseError::Refused(format!("the export ended as {}", export.state)));
        }
        let file = format!("/tss/{}{path}/file", self.settings.tss);
        self.api.download(&file, whole, to).map_err(Fault::into_error)
    }
}
