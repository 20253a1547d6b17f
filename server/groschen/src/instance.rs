//! A running server: store, engine, writer, listener. `serve` runs one until it is told to stop; `demo` and `simulate` run one beside their tills.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, anyhow};
use axum::http::HeaderValue;
use axum::middleware::from_fn_with_state;
use console::Mode;
use core_ffi::purse_keys::SealedKeys;
use engine::{Engine, Reply, Request, bootstrap};
use festival::registration::{SECRET_BYTES, Slot};
use fixtures::sample;
use pages::guard;
use shared_protocol::crypto::{Hash32, PublicKey};
use shared_protocol::ids::mint;
use shared_protocol::invitation::authority_digest;
use shared_protocol::stream::Stream;
use shared_protocol::wristband::BatchAuthority;
use shared_protocol::{EventId, SlotId, TillId};
use store::{Reader, Role, StoreError};
use store_sqlite::{Options, SqliteReader, SqliteStore};
use sync::hub::Hub;
use sync::server::{PlainListener, Service, TlsListener, random, serve};
use sync::writer::{Writer, now_ms};
use tokio::net::TcpListener;

use crate::background::Background;
use crate::credits::{self, SealedCredits};
use crate::exporting::{Exporter, Handed};
use crate::health::{Health, SignerState};
use crate::keys::config_key;
use crate::receipt;
use crate::settings::{Purses, Settings, Tls};
use crate::{closer, procedures, signing, tax, wristbands};

/// Pages that read at once.
const CONSOLE_READERS: usize = 4;

/// A server that takes connections.
pub struct Instance {
    /// Where it listens.
    pub address: SocketAddr,
    /// Who is connected.
    pub hub: Arc<Hub>,
    /// The one writer.
    pub writer: Writer<SqliteStore>,
    /// The key terminals check everything with.
    pub config_key: PublicKey,
    /// Digest of the authority of its certificate, for registration codes; none where it speaks no TLS itself.
    pub authority: Option<Hash32>,
    /// The event it books.
    pub event: EventId,
    database: PathBuf,
    thread: JoinHandle<Result<SqliteStore, StoreError>>,
    signer: signing::Running,
    closer: Background,
    console: Arc<console::Context>,
    exporter: Arc<Exporter>,
    accepting: tokio::task::JoinHandle<()>,
}

/// A slot that was opened, as its QR code says it.
#[derive(Debug, Clone)]
pub struct OpenedSlot {
    /// The slot.
    pub id: SlotId,
    /// The secret, once.
    pub secret: [u8; SECRET_BYTES],
}

impl Instance {
    /// Opens the store and listens. `sample` puts the sample festival into an empty database.
    pub async fn start(settings: &Settings, sample: bool) -> anyhow::Result<Self> {
        Self::start_with(settings, sample, false).await
    }

    /// The same, with the simulated batch of wristbands in force when `simulated` says so: for the demo and for tests, where no money is.
    pub async fn start_with(settings: &Settings, sample: bool, simulated: bool) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&settings.data)
            .with_context(|| format!("the folder {} cannot be made", settings.data.display()))?;
        let signer = config_key(&settings.data)?;
        let batches = simulated.then(|| wristbands::signed(&signer)).transpose()?;
        let database = settings.database();
        let (store, event) = books(&database, sample)?;
        let mut engine = Engine::open(store, event, Box::new(signer))?;
        with_purses(&mut engine, &settings.purses)?;
        if let Some(batches) = batches {
            engine.put_batches(&batches)?;
        }
        let hub = Arc::new(Hub::default());
        let (config_key, incarnation) = (engine.config_key(), engine.incarnation());
        let (writer, thread) =
            Writer::start(engine, Arc::clone(&hub)).context("the writer's thread cannot be started")?;
        let mut reader = SqliteReader::open(&database, None)?;
        let begun = tax::begin(&writer, &mut reader, event, &settings.signing.fixed).await;
        let thread = or_ended(begun, &writer, thread).await?;
        let (signer, carts) = signing::start(
            &settings.data,
            reader,
            event,
            settings.signing.clone(),
            settings.tses.clone(),
            writer.clone(),
        )?;
        let closer = closer::start(
            SqliteReader::open(&database, None)?,
            event,
            writer.clone(),
            Arc::clone(&signer.state),
        )?;
        let service = Arc::new(Service {
            writer: writer.clone(),
            hub: Arc::clone(&hub),
            config_key: config_key.clone(),
            incarnation,
            carts: Some(carts),
        });
        let listener = TcpListener::bind(settings.listen)
            .await
            .with_context(|| format!("{} cannot be listened on; is another server running?", settings.listen))?;
        let address = listener.local_addr()?;
        let health = Health::new(
            Arc::clone(&hub),
            writer.clone(),
            Arc::clone(&signer.state),
            SqliteReader::open(&database, None)?,
        );
        let face = receipt::read::Face::new(settings);
        let receipts =
            receipt::read::Receipts::new(SqliteReader::open(&database, None)?, face.clone()).noting(Arc::clone(&hub));
        let routes = service
            .routes()
            .merge(health.routes())
            .merge(receipt::page::routes(receipts));
        let authority = settings.tls.as_ref().map(authority_of).transpose()?;
        let exporter = Exporter::start(settings.clone(), writer.clone(), signer.lines.clone()).await?;
        let console = console::Context::new(console::Parts {
            event,
            mode: if event == sample::EVENT { Mode::Demo } else { Mode::Live },
            ask: Box::new(writer.clone()),
            readers: readers(&database)?,
            hub: Arc::clone(&hub),
            signer: Arc::clone(&signer.state) as Arc<dyn console::SignerView>,
            exports: Arc::new(Handed(Arc::clone(&exporter))),
            ends_ms: settings.signing.ends_ms,
            clock: Arc::new(now_ms),
            secure: settings.is_secure(),
            terminals_at: settings.terminals_at(),
            reports: face.reports(),
            config_key: terminal::config_key_digest(&config_key),
            authority,
            fixed: settings.signing.fixed,
            papers: Box::new(procedures::OfServer::new(settings)),
        });
        // Receipts are public and come first; whatever nobody else has is the console's.
        let routes = routes.fallback_service(console::routes(&console));
        let routes = framed(routes, settings.framed_by.as_ref());
        let accepting = accept(settings, listener, routes)?;
        Ok(Self {
            address,
            hub,
            writer,
            config_key,
            authority,
            event,
            database,
            thread,
            signer,
            closer,
            console,
            exporter,
            accepting,
        })
    }

    /// What the signer says of itself.
    pub fn signer(&self) -> &SignerState {
        &self.signer.state
    }

    /// What makes exports.
    pub fn exports(&self) -> Handed {
        Handed(Arc::clone(&self.exporter))
    }

    /// Lets somebody into the console without a password, for the demo. Gives the cookie.
    pub async fn admit(&self, name: &str, role: Role) -> anyhow::Result<HeaderValue> {
        let cookie = console::admit(&self.console, name, role).await;
        cookie.context("nobody can be let into the console")
    }

    /// Opens a registration slot for a till.
    pub async fn open_slot(&self, till: TillId, confirm: bool) -> anyhow::Result<OpenedSlot> {
        let id = SlotId(mint(now_ms(), random()));
        let secret = random::<SECRET_BYTES>();
        let slot = Slot {
            confirm,
            ..Slot::open(self.event, id, till, &secret, now_ms())
        };
        self.writer.ask(Request::OpenSlot(Box::new(slot))).await?;
        Ok(OpenedSlot { id, secret })
    }

    /// Asks the engine.
    pub async fn ask(&self, request: Request) -> anyhow::Result<Reply> {
        Ok(self.writer.ask(request).await?)
    }

    /// A connection for reading.
    pub fn reader(&self) -> anyhow::Result<Box<dyn Reader>> {
        Ok(Box::new(SqliteReader::open(&self.database, None)?))
    }

    /// Closes connections, commits what is queued, ends. Gives what the database failed with, if it did.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.accepting.abort();
        self.console.close();
        self.hub.close_all();
        let signer = self.signer;
        let closer = self.closer;
        let exporter = self.exporter;
        tokio::task::spawn_blocking(move || {
            exporter.stop();
            closer.stop();
            signer.thread.stop();
        })
        .await?;
        self.writer.stop();
        let thread = self.thread;
        let ended = tokio::task::spawn_blocking(move || thread.join()).await?;
        let store = ended.map_err(|_| anyhow!("the writer ended by a fault of the program; please report this"))??;
        drop(store);
        Ok(())
    }

    /// Whether the writer has ended by itself, which only a failed database makes it do.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }
}

/// Takes connections, with TLS where the server speaks it itself.
fn accept(
    settings: &Settings,
    listener: TcpListener,
    routes: axum::Router,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    Ok(if let Some(tls) = &settings.tls {
        let listener = TlsListener::new(listener, acceptor(tls)?)?;
        tokio::spawn(serve(listener, routes))
    } else {
        let listener = PlainListener(listener);
        tokio::spawn(serve(listener, routes))
    })
}

/// Connections for the console's pages.
fn readers(database: &Path) -> Result<Vec<Box<dyn Reader>>, StoreError> {
    let open = |_| Ok(Box::new(SqliteReader::open(database, None)?) as Box<dyn Reader>);
    (0..CONSOLE_READERS).map(open).collect()
}

/// The writer's thread, where all is well; otherwise it has ended before this does, so that the database can be opened again.
async fn or_ended<T: Send + 'static>(
    begun: anyhow::Result<()>,
    writer: &Writer<SqliteStore>,
    thread: JoinHandle<T>,
) -> anyhow::Result<JoinHandle<T>> {
    let Err(error) = begun else { return Ok(thread) };
    writer.stop();
    let _ended = tokio::task::spawn_blocking(move || thread.join()).await;
    Err(error)
}

/// Only the demo's page may show the server's pages in frames.
fn framed(routes: axum::Router, by: Option<&String>) -> axum::Router {
    let Some(origin) = by else { return routes };
    let frames = guard::Frames {
        by: Some(origin.clone()),
        of: None,
    };
    routes.layer(from_fn_with_state(Arc::new(frames), guard::frames))
}

/// Gives the engine what it needs for wristbands with a purse.
fn with_purses(engine: &mut Engine<SqliteStore>, purses: &Purses) -> anyhow::Result<()> {
    engine.set_patience(purses.patience_ms);
    let keys = match (&purses.key_file, purses.keys.as_slice()) {
        (_, []) => SealedKeys::default(),
        (Some(key_file), files) => credits::open(files, key_file)?,
        (None, _) => anyhow::bail!("--purse-keys needs --purse-key-file, which opens them"),
    };
    for (number, batch) in engine.batches() {
        let decides = batch.authority == BatchAuthority::Chip;
        if decides && keys.facts(*number).is_none() {
            tracing::warn!(
                batch = number,
                "no server key for this batch: money that comes in online stays in the books"
            );
        }
    }
    engine.make_credits_with(Box::new(SealedCredits::new(keys)));
    Ok(())
}

/// The database and its event.
fn books(database: &Path, sample: bool) -> anyhow::Result<(SqliteStore, EventId)> {
    let options = Options {
        created_at_ms: now_ms(),
        ..Options::default()
    };
    let mut store = SqliteStore::open(database, &options)?;
    let event = event_of(&mut store, sample)?;
    Ok((store, event))
}

/// The event of a database; an empty one gets the sample festival, when that is wanted.
fn event_of(store: &mut SqliteStore, sample: bool) -> anyhow::Result<EventId> {
    let known = store::Store::reader(store)?.stream(sample::EVENT, Stream::Config, None)?;
    if known.is_none() {
        if !sample {
            return Err(anyhow!(
                "this database has no event yet; start once with --sample, events of your own come with the console"
            ));
        }
        bootstrap(store, sample::EVENT, &sample::items())?;
        let office = tax::of_sample(sample::EVENT);
        let commit = store::Commit {
            office,
            ..store::Commit::default()
        };
        store::Store::commit(store, &commit)?;
    }
    Ok(sample::EVENT)
}

/// The authority that phones pin: the last certificate of the chain's file. A chain without its authority is pinned at the last one it has, and then
/// phones register anew when that one is changed.
fn authority_of(tls: &Tls) -> anyhow::Result<Hash32> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    let unreadable = |error| anyhow!("{} is no certificate chain: {error}", tls.cert.display());
    let chain = CertificateDer::pem_file_iter(&tls.cert).map_err(unreadable)?;
    let last = chain
        .last()
        .with_context(|| format!("{} holds no certificate", tls.cert.display()))?;
    Ok(authority_digest(&last.map_err(unreadable)?))
}

/// What speaks TLS with a certificate and its key.
pub(crate) fn acceptor(tls: &Tls) -> anyhow::Result<tokio_rustls::TlsAcceptor> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let chain = CertificateDer::pem_file_iter(&tls.cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| anyhow!("{} is no certificate chain: {error}", tls.cert.display()))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key)
        .map_err(|error| anyhow!("{} is no private key: {error}", tls.key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("certificate and key do not belong together")?;
    Ok(tokio_rustls::TlsAcceptor::from(Arc::new(config)))
}
