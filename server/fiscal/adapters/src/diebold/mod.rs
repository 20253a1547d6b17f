//! Diebold Nixdorf's USB and LAN units through the maker's web service (`ws://host:10001/`).
//!
//! ```text
//! connect ─▶ SetDefaultClientID ─▶ GetDeviceInfo ─▶ PerformSelfTest* ─▶ UpdateTime* ─▶ GetDeviceStatus ─▶ GetDeviceData (key, certificates)
//!         ─▶ Export* once, of what the books do not have ─▶ ready
//! an answer was lost ─▶ Unavailable ─▶ next call: connect, log in, read the log from there, then answer or repeat
//! ```
//! What has a `*` is known by name only: its parameters are assumed ([`protocol`]) and have to be seen once on a real unit. A unit whose web service
//! refuses `Export` works without: then a start whose answer was lost is begun again, the lost one stays open and nobody is told of it.
//!
//! One wrong password is enough: nothing more is sent until the adapter is made anew, because three block the user.

mod book;
mod codes;
mod export;
mod frame;
mod link;
mod protocol;
mod session;
mod settings;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use fiscal::tse::{Document, Finished, Logged, Started, TransactionKey, Tse, TseError, TseInfo, TseStatus};
use serde_json::json;

use crate::log;
use book::{Book, Pending};
use codes::{CANNOT_BE_PROCESSED, Refusal, UNSUPPORTED};
use export::Export;
use link::Link;
use session::{Fault, not_prepared};

pub use settings::{Passwords, Settings, SetupError, Times};

/// The longest name of a till that the unit takes.
const CLIENT_MAX_BYTES: usize = 30;
/// The first wait after a connection could not be made; it doubles.
const BACKOFF_MIN: Duration = Duration::from_millis(250);

/// After the login, on one connection.
struct Session {
    connection: u64,
    info: TseInfo,
    clients: BTreeSet<String>,
}

/// One unit.
pub struct Diebold {
    settings: Settings,
    passwords: Passwords,
    link: Link,
    session: Option<Session>,
    book: Book,
    /// Whether the log has been read up to some point; `None` where the service refuses to.
    log: Option<bool>,
    /// A wrong password was sent; nothing more is.
    locked_out: Option<String>,
    backoff: Duration,
    retry_at: Option<Instant>,
    /// The server's clock at some moment, for calls that name none.
    clock: Option<(u64, Instant)>,
}

impl Diebold {
    /// One that is not connected yet.
    pub fn new(settings: Settings, passwords: Passwords) -> Result<Self, SetupError> {
        if !settings.url.starts_with("ws://") {
            return Err(SetupError::Address(settings.url));
        }
        let link = Link::start(
            settings.url.clone(),
            Duration::from_millis(settings.times.keep_alive_ms),
        )?;
        Ok(Self {
            settings,
            passwords,
            link,
            session: None,
            book: Book::default(),
            log: Some(false),
            locked_out: None,
            backoff: BACKOFF_MIN,
            retry_at: None,
            clock: None,
        })
    }

    /// The books know all transactions below this one, so they are not read from the unit: without, its whole log is read once. Give the lowest one
    /// that is open, or the next one.
    pub fn begin_at(&mut self, transaction: u64) {
        self.book.begin_at(transaction);
    }
}

impl Tse for Diebold {
    fn prepare(&mut self, now_ms: u64) -> Result<TseInfo, TseError> {
        // The self-test and the time are due again even where the connection lived on.
        self.session = None;
        self.ready(now_ms)?;
        let session = self.session.as_ref().ok_or_else(not_prepared)?;
        Ok(session.info.clone())
    }

    fn status(&mut self, now_ms: u64) -> Result<TseStatus, TseError> {
        let of = self.as_admin([]);
        let status = self.run("GetDeviceStatus", &of, now_ms);
        let status = status.map_err(|fault| fault.into_error("", 0))?;
        let clients = protocol::clients(&status);
        let known = TseStatus {
            clients: u32::try_from(clients.len()).ok(),
            open: u32::try_from(self.book.all_open().len()).ok(),
            ..TseStatus::default()
        };
        if let Some(session) = &mut self.session {
            session.clients = clients;
        }
        Ok(known)
    }

    fn register(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "()+,-.:? ".contains(c);
        if client.is_empty() || client.len() > CLIENT_MAX_BYTES || !client.chars().all(fits) {
            return Err(TseError::Refused(format!(
                "{client:?} is no name that the unit takes for a till"
            )));
        }
        self.ready(now_ms)?;
        if self
            .session
            .as_ref()
            .is_some_and(|session| session.clients.contains(client))
        {
            return Ok(());
        }
        let of = self.as_admin([("ClientID", json!(client))]);
        match self.run("RegisterClientID", &of, now_ms) {
            // It is registered already, by an answer that was lost.
            Ok(_)
            | Err(Fault::Refused(Refusal {
                code: CANNOT_BE_PROCESSED,
                ..
            })) => {}
            Err(fault) => return Err(self.failed(fault, client, 0)),
        }
        if let Some(session) = &mut self.session {
            session.clients.insert(client.to_owned());
        }
        Ok(())
    }

    fn deregister(&mut self, client: &str, now_ms: u64) -> Result<(), TseError> {
        self.ready(now_ms)?;
        if self
            .session
            .as_ref()
            .is_some_and(|session| !session.clients.contains(client))
        {
            return Ok(());
        }
        let of = self.as_admin([("ClientID", json!(client))]);
        match self.run("DeregisterClientID", &of, now_ms) {
            Ok(_)
            | Err(Fault::Refused(Refusal {
                code: CANNOT_BE_PROCESSED,
                ..
            })) => {}
            Err(fault) => return Err(self.failed(fault, client, 0)),
        }
        if let Some(session) = &mut self.session {
            session.clients.remove(client);
        }
        Ok(())
    }

    fn start(&mut self, key: TransactionKey, client: &str, now_ms: u64) -> Result<Started, TseError> {
        self.ready(now_ms)?;
        self.is_valid(now_ms)?;
        match self.book.of_key(key) {
            Some((owner, started)) if owner == client => return Ok(started.clone()),
            Some(_) => {
                return Err(TseError::Refused(
                    "the key names a transaction of another till".to_owned(),
                ));
            }
            None => {}
        }
        let of = self.as_time_admin([("ClientID", json!(client))]);
        let serial = self.session.as_ref().map(|session| session.info.serial);
        let done = self.run("StartTransaction", &of, now_ms);
        let done = done.and_then(|body| protocol::started(&body, serial).map_err(Fault::Unknown));
        match done {
            Ok(started) => {
                self.book.began(key, client, &started);
                Ok(started)
            }
            Err(fault) => {
                if matches!(fault, Fault::Unknown(_)) {
                    let (client, from) = (client.to_owned(), self.book.next());
                    self.book.set_pending(Pending::Start { key, client, from });
                }
                Err(self.failed(fault, client, 0))
            }
        }
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
        self.is_valid(now_ms)?;
        if let Some((said, finished)) = self.book.ended(transaction) {
            return if said == document.process_data {
                Ok(finished.clone())
            } else {
                Err(TseError::UnknownTransaction(transaction))
            };
        }
        if self.book.open_client(transaction).is_some_and(|owner| owner != client) {
            return Err(TseError::UnknownTransaction(transaction));
        }
        let of = self.as_time_admin([
            ("TransactionNumber", json!(transaction)),
            ("ClientID", json!(client)),
            ("Typ", json!(document.process_type)),
            ("Data", json!(document.process_data)),
        ]);
        let serial = self.session.as_ref().map(|session| session.info.serial);
        let done = self.run("FinishTransaction", &of, now_ms);
        let done = done.and_then(|body| protocol::finished(&body, serial).map_err(Fault::Unknown));
        match done {
            Ok(finished) => {
                self.book.finished(transaction, document.process_data, &finished);
                Ok(finished)
            }
            Err(fault) => {
                if matches!(fault, Fault::Unknown(_)) {
                    self.book.set_pending(Pending::Finish { transaction });
                }
                Err(self.failed(fault, client, transaction))
            }
        }
    }

    fn open(&mut self) -> Result<Vec<(String, Started)>, TseError> {
        let connection = self.ready(self.now_ms()?)?;
        if self.log.is_some() {
            let from = self.book.next();
            self.read_log(connection, from)
                .map_err(|fault| fault.into_error("", 0))?;
        }
        Ok(self.book.all_open())
    }

    fn ended(&mut self, transaction: u64) -> Result<Option<(String, Finished)>, TseError> {
        let connection = self.ready(self.now_ms()?)?;
        if self.book.ended(transaction).is_none() {
            if self.log.is_none() {
                // To say "it has not" would have the sale signed twice.
                return Err(TseError::Unsupported("its log cannot be read"));
            }
            // Also where this side takes it for open: the unit knows better.
            self.read_log(connection, transaction)
                .map_err(|fault| fault.into_error("", transaction))?;
        }
        Ok(self.book.ended(transaction).cloned())
    }

    fn since(&mut self, transaction: u64, clients: &str) -> Result<Vec<Logged>, TseError> {
        let connection = self.ready(self.now_ms()?)?;
        if self.log.is_none() {
            return Err(TseError::Unsupported("its log cannot be read"));
        }
        let events = self.logged(connection, transaction);
        let events = events.map_err(|fault| fault.into_error("", transaction))?;
        Ok(log::transactions(events, clients))
    }

    fn export(&mut self, to: &mut dyn std::io::Write) -> Result<u64, TseError> {
        let connection = self.ready(self.now_ms()?)?;
        let mut export = Export::of(self, connection, None);
        let copied = std::io::copy(&mut export, to);
        match (copied, export.fault()) {
            (Ok(bytes), None) => Ok(bytes),
            (_, Some(Fault::Refused(refusal))) if UNSUPPORTED.contains(&refusal.code) => {
                Err(TseError::Unsupported("the web service has no export"))
            }
            (_, Some(fault)) => Err(fault.into_error("", 0)),
            (Err(error), None) => Err(TseError::Refused(format!("the export cannot be written: {error}"))),
        }
    }
}
