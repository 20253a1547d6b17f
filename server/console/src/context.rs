//! What every page needs: ways to read, to ask the engine, to know who is connected, and what time it is.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use engine::{Reply, Request, Settled};
use fiscal::tax::Fixed;
use pages::{Assets, Language};
use shared_protocol::EventId;
use shared_protocol::config::Config;
use shared_protocol::crypto::Hash32;
use shared_protocol::stream::Stream;
use store::{AuditRow, Office, Reader, Store, StoreError};
use sync::hub::Hub;
use sync::writer::{Ended, Writer};
use tokio::sync::{Semaphore, watch};

use crate::exporting::Exports;
use crate::fault::Fault;
use crate::import::Uploads;
use crate::judging::Judges;
use crate::live::Live;
use crate::password::Passwords;
use crate::reports::ReportFace;
use crate::session::Visitor;
use crate::signer::SignerView;
use crate::throttle::Throttle;
use crate::tse::plan::Peaks;

/// A configuration that was read is good for this long; what a page shows may be that old.
const CONFIG_FRESH_MS: u64 = 2_000;

/// Whoever passes requests to the engine.
pub trait Ask: Send + Sync {
    /// Asks and waits for the answer, which comes after the commit.
    fn ask(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Reply, Ended>> + Send + '_>>;
}

impl<S: Store + 'static> Ask for Writer<S> {
    fn ask(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Reply, Ended>> + Send + '_>> {
        Box::pin(Writer::ask(self, request))
    }
}

/// A document that somebody saves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// What the file is called.
    pub name: String,
    /// Its media type.
    pub media: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Whoever knows enough to write documents about the whole server.
pub trait Papers: Send + Sync {
    /// The documentation of procedures in a language, as `html`, `pdf` or `text`; none for another form. It may take a moment.
    fn procedures(&self, words: Language, form: &str) -> Result<Option<Paper>, String>;
}

/// The server's clock, ms since 1970.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Whether this is the real thing; every page says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Guests pay with it.
    Live,
    /// A sample festival.
    Demo,
}

impl Mode {
    /// What the badge says.
    pub const fn name(self, words: Language) -> &'static str {
        match self {
            Self::Live => words.of("Live", "Live"),
            Self::Demo => words.of("Demo", "Demo"),
        }
    }
}

/// What a console is made of.
pub struct Parts {
    /// The event it shows.
    pub event: EventId,
    /// Whether it is the real one.
    pub mode: Mode,
    /// Where changes go.
    pub ask: Box<dyn Ask>,
    /// Connections for reading; as many pages are made at once.
    pub readers: Vec<Box<dyn Reader>>,
    /// Who is connected.
    pub hub: Arc<Hub>,
    /// What the signer says.
    pub signer: Arc<dyn SignerView>,
    /// What makes exports.
    pub exports: Arc<dyn Exports>,
    /// When the event is over, ms since 1970: certificates of TSEs have to outlast it. None where nobody said.
    pub ends_ms: Option<u64>,
    /// What time it is.
    pub clock: Clock,
    /// Whether browsers come by TLS, so that cookies never travel without.
    pub secure: bool,
    /// Where terminals connect to, `wss://…/terminal`, for registration codes; none takes the host that the browser came to.
    pub terminals_at: Option<String>,
    /// How reports look and count.
    pub reports: ReportFace,
    /// Digest of the event's config key, for registration codes.
    pub config_key: Hash32,
    /// Digest of the authority of the server's certificate, for registration codes; none where a proxy speaks TLS.
    pub authority: Option<Hash32>,
    /// Choices about taxes that the server's settings made.
    pub fixed: Fixed,
    /// Who writes the documentation of procedures.
    pub papers: Box<dyn Papers>,
}

/// What every page needs.
pub struct Context {
    pub(crate) event: EventId,
    pub(crate) mode: Mode,
    pub(crate) secure: bool,
    pub(crate) terminals_at: Option<String>,
    pub(crate) reports: ReportFace,
    pub(crate) config_key: Hash32,
    pub(crate) authority: Option<Hash32>,
    pub(crate) fixed: Fixed,
    pub(crate) papers: Arc<dyn Papers>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) signer: Arc<dyn SignerView>,
    pub(crate) exports: Arc<dyn Exports>,
    pub(crate) ends_ms: Option<u64>,
    pub(crate) judges: Judges,
    pub(crate) assets: Assets,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    pub(crate) live: Live,
    pub(crate) uploads: Uploads,
    pub(crate) peaks: Arc<Peaks>,
    pub(crate) closing: watch::Sender<bool>,
    clock: Clock,
    ask: Box<dyn Ask>,
    readers: Arc<Readers>,
    config: Mutex<Option<(u64, Arc<Config>)>>,
}

/// Connections for reading that are not in use. The semaphore has as many permits as there are connections.
struct Readers {
    idle: Mutex<Vec<Box<dyn Reader>>>,
    room: Semaphore,
}

/// Gives a reader back, also when the reading panicked.
struct Lent<'a> {
    readers: &'a Readers,
    reader: Option<Box<dyn Reader>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.reader.take());
    }
}

impl Context {
    /// Puts a console together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let readers = Readers {
            room: Semaphore::new(parts.readers.len()),
            idle: Mutex::new(parts.readers),
        };
        Arc::new(Self {
            event: parts.event,
            mode: parts.mode,
            secure: parts.secure,
            terminals_at: parts.terminals_at,
            reports: parts.reports,
            config_key: parts.config_key,
            authority: parts.authority,
            fixed: parts.fixed,
            papers: parts.papers.into(),
            hub: parts.hub,
            signer: parts.signer,
            exports: parts.exports,
            ends_ms: parts.ends_ms,
            judges: Judges::default(),
            assets: Assets::new(include_str!("console.css")),
            passwords: Passwords::default(),
            throttle: Throttle::default(),
            live: Live::default(),
            uploads: Uploads::default(),
            peaks: Arc::default(),
            closing: watch::Sender::new(false),
            clock: parts.clock,
            ask: parts.ask,
            readers: Arc::new(readers),
            config: Mutex::new(None),
        })
    }

    /// What time it is, ms since 1970.
    pub fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// Ends what would go on by itself: connections that hear of changes.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    /// Reads on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Fault> {
        let permit = self.readers.room.acquire().await.map_err(|_| Fault::Unavailable)?;
        let readers = Arc::clone(&self.readers);
        let done = tokio::task::spawn_blocking(move || {
            let reader = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut lent = Lent {
                readers: &readers,
                reader,
            };
            match &mut lent.reader {
                Some(reader) => work(reader.as_mut()).map_err(Fault::from),
                None => Err(Fault::Unavailable),
            }
        });
        let done = done.await.map_err(|_| Fault::Unavailable)?;
        drop(permit);
        done
    }

    /// The configuration in force, at most two seconds old.
    pub(crate) async fn config(&self) -> Result<Arc<Config>, Fault> {
        let now_ms = self.now_ms();
        let known = self.config.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at_ms, config)) = known
            && now_ms.saturating_sub(at_ms) < CONFIG_FRESH_MS
        {
            return Ok(config);
        }
        let event = self.event;
        let copy = self
            .read(move |reader| reader.stream(event, Stream::Config, None))
            .await?;
        let config = copy.and_then(|copy| Config::read(&copy).ok()).map(Arc::new);
        let config = config.ok_or(Fault::Unavailable)?;
        *self.config.lock().unwrap_or_else(PoisonError::into_inner) = Some((now_ms, Arc::clone(&config)));
        Ok(config)
    }

    /// Asks the engine for something that only it may do.
    pub(crate) async fn ask(&self, request: Request) -> Result<Reply, Fault> {
        self.ask.ask(request).await.map_err(|Ended| Fault::Unavailable)
    }

    /// Asks the engine for a change and expects it to be done.
    pub(crate) async fn settle(&self, request: Request) -> Result<(), Fault> {
        match self.ask(request).await? {
            Reply::Settled(Settled::Refused(text)) => Err(Fault::Refused(text)),
            _ => Ok(()),
        }
    }

    /// Keeps users, sessions, notes and audit rows.
    pub(crate) async fn keep(&self, office: Office) -> Result<(), Fault> {
        self.settle(Request::Office(Box::new(office))).await
    }

    /// Writes down who does what, before it is done: a change without a row would be worse than a row without its change.
    pub(crate) async fn note(
        &self,
        visitor: &Visitor,
        what: &str,
        object: impl Into<String> + Send,
        detail: impl Into<String> + Send,
    ) -> Result<(), Fault> {
        let row = self.audit_row(&visitor.name, what, object, detail);
        let office = Office {
            audit: vec![row],
            ..Office::default()
        };
        self.keep(office).await
    }

    /// A row of the audit log, now.
    pub(crate) fn audit_row(
        &self,
        by: &str,
        what: &str,
        object: impl Into<String>,
        detail: impl Into<String>,
    ) -> AuditRow {
        AuditRow {
            at_ms: self.now_ms(),
            by: by.to_owned(),
            what: what.to_owned(),
            object: object.into(),
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_comes_back_when_reading_panics() {
        let readers = Readers {
            idle: Mutex::new(vec![Box::new(store::MemoryStore::new(1).memory_reader())]),
            room: Semaphore::new(1),
        };
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let reader = readers.idle.lock().unwrap().pop();
            let _lent = Lent {
                readers: &readers,
                reader,
            };
            panic!("a page that cannot be made");
        }));
        assert!(panicked.is_err());
        assert_eq!(readers.idle.lock().unwrap().len(), 1);
    }
}
