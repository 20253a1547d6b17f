//! `groschen keep`: a neighbour on the LAN keeps the second copies of desks. Who has the key may add to a journal what its terminal signed;
//! nobody gets anything back but how far it is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path as InPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use core_ffi::mirror::{Folder, KeeperKey, MirrorFault};
use shared_protocol::crypto::Hash32;
use shared_protocol::mirror::{Kept, Mirror, Opening, PROOF_HEADER, Record, UPLOAD_MAX_BYTES, file_name, upload_path};
use shared_protocol::{TerminalId, encode};
use sync::server::{PlainListener, TlsListener, serve};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::Exit;
use crate::instance::acceptor;
use crate::serve::start_log;
use crate::settings::{SettingsError, Tls};

/// Arguments of `keep`.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// The address to listen on; desks on the LAN have to reach it.
    #[arg(
        long,
        env = "GROSCHEN_KEEP_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8470"
    )]
    listen: SocketAddr,
    /// The folder for the copies.
    #[arg(
        long,
        env = "GROSCHEN_KEEP_DATA",
        value_name = "DIR",
        default_value = "groschen-kept"
    )]
    data: PathBuf,
    /// The file with the key that desks share with this keeper; made where there is none [default: keeper.key in the folder].
    #[arg(long, env = "GROSCHEN_KEEP_KEY", value_name = "FILE")]
    key: Option<PathBuf>,
    /// The keeper's certificate chain (PEM). Without it, what desks send can be read by who listens on the network.
    #[arg(long, value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key (PEM).
    #[arg(long, value_name = "FILE")]
    tls_key: Option<PathBuf>,
}

/// Journals that are kept; a festival has fewer desks.
const JOURNALS_MAX: usize = 512;

/// Uploads that are read at once.
const UPLOADS_MAX: usize = 8;

/// Whoever sends slower than this is not waited for.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the command.
pub fn run(arguments: &Arguments) -> anyhow::Result<Exit> {
    start_log(false);
    let tls = match (arguments.tls_cert.clone(), arguments.tls_key.clone()) {
        (Some(cert), Some(key)) => Some(Tls { cert, key }),
        (None, None) => None,
        _ => return Err(SettingsError::HalfTls.into()),
    };
    std::fs::create_dir_all(&arguments.data)
        .with_context(|| format!("the folder {} cannot be made", arguments.data.display()))?;
    let key_file = arguments
        .key
        .clone()
        .unwrap_or_else(|| arguments.data.join("keeper.key"));
    let (key, is_new) = KeeperKey::load_or_make(&key_file)?;
    if is_new {
        println!(
            "A new key is in {}; copy it to the desks and give it there with --mirror-key.",
            key_file.display()
        );
    }
    let runtime = tokio::runtime::Runtime::new().context("the runtime cannot be started")?;
    runtime.block_on(async {
        let listener = TcpListener::bind(arguments.listen)
            .await
            .with_context(|| format!("{} cannot be listened on", arguments.listen))?;
        let address = listener.local_addr()?;
        let routes = routes(&arguments.data, key);
        let scheme = if tls.is_some() { "https" } else { "http" };
        println!("Desks send their second copy with --mirror-to {scheme}://{address}");
        let serving = match &tls {
            Some(tls) => tokio::spawn(serve(TlsListener::new(listener, acceptor(tls)?)?, routes)),
            None => tokio::spawn(serve(PlainListener(listener), routes)),
        };
        let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminated.recv() => {}
            _ = serving => {}
        }
        Ok(Exit::Done)
    })
}

/// What a keeper answers to, with its copies in a folder.
pub fn routes(folder: &Path, key: KeeperKey) -> Router {
    let keeper = Arc::new(Keeper {
        key,
        uploads: Semaphore::new(UPLOADS_MAX),
        shelf: Mutex::new(Shelf {
            path: folder.to_owned(),
            folder: Folder::new(folder.to_owned(), None),
            journals: BTreeMap::new(),
        }),
    });
    Router::new()
        .route(
            "/",
            get(|| async { "Groschen keeps second copies of journals here.\n" }),
        )
        .route("/journal/{terminal}/{epoch}", get(tell).post(take))
        .with_state(keeper)
}

struct Keeper {
    key: KeeperKey,
    uploads: Semaphore,
    shelf: Mutex<Shelf>,
}

/// The copies.
struct Shelf {
    path: PathBuf,
    folder: Folder,
    journals: BTreeMap<(TerminalId, u32), KeptJournal>,
}

/// What is kept of a journal.
struct KeptJournal {
    opening: Opening,
    kept: Kept,
    heads: BTreeSet<u64>,
}

/// Why something is not kept.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("this key is not the keeper's")]
    Key,
    #[error("{0}")]
    Content(String),
    #[error("the keeper cannot store it: {0:?}")]
    Disk(MirrorFault),
    #[error("the keeper has enough to do; try again")]
    Busy,
}

impl From<MirrorFault> for Refusal {
    fn from(fault: MirrorFault) -> Self {
        Self::Disk(fault)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Key => StatusCode::UNAUTHORIZED,
            Self::Content(_) | Self::Disk(MirrorFault::Foreign) => StatusCode::CONFLICT,
            Self::Disk(MirrorFault::Full) => StatusCode::INSUFFICIENT_STORAGE,
            Self::Disk(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        };
        tracing::warn!(why = %self, "a second copy was not taken");
        (status, format!("{self}\n")).into_response()
    }
}

fn wrong(why: &str) -> Refusal {
    Refusal::Content(why.to_owned())
}

type Place = InPath<(String, u32)>;

async fn tell(State(keeper): State<Arc<Keeper>>, InPath((terminal, epoch)): Place, headers: HeaderMap) -> Response {
    answer(keeper, "GET", terminal, epoch, &headers, Bytes::new()).await
}

async fn take(
    State(keeper): State<Arc<Keeper>>,
    InPath((terminal, epoch)): Place,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let Ok(_permit) = keeper.uploads.try_acquire() else {
        return Refusal::Busy.into_response();
    };
    let body = tokio::time::timeout(UPLOAD_TIMEOUT, to_bytes(body, UPLOAD_MAX_BYTES)).await;
    match body {
        Ok(Ok(body)) => answer(Arc::clone(&keeper), "POST", terminal, epoch, &headers, body).await,
        Ok(Err(_)) => wrong("the upload is too large or broken off").into_response(),
        Err(_) => wrong("the upload took too long").into_response(),
    }
}

async fn answer(
    keeper: Arc<Keeper>,
    method: &'static str,
    terminal: String,
    epoch: u32,
    headers: &HeaderMap,
    body: Bytes,
) -> Response {
    let proof = headers.get(PROOF_HEADER).and_then(|proof| proof.to_str().ok());
    let Some(terminal) = TerminalId::parse(&terminal) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_proved = proof.is_some_and(|proof| {
        keeper
            .key
            .is_proved(proof, method, &upload_path(terminal, epoch), &body)
    });
    if !is_proved {
        return Refusal::Key.into_response();
    }
    let done = tokio::task::spawn_blocking(move || {
        let mut shelf = keeper.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if method == "POST" {
            shelf.add(terminal, epoch, &body)
        } else {
            shelf.kept(terminal, epoch)
        }
    });
    match done.await {
        Ok(Ok(kept)) => encode(&kept).into_response(),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Shelf {
    /// How far a journal is kept.
    fn kept(&mut self, terminal: TerminalId, epoch: u32) -> Result<Kept, Refusal> {
        let key = (terminal, epoch);
        if !self.journals.contains_key(&key)
            && let Some(opening) = self.opening(terminal, epoch)?
        {
            self.open(terminal, opening)?;
        }
        let nothing = Kept {
            seq: 0,
            head: Hash32::ZERO,
        };
        Ok(self.journals.get(&key).map_or(nothing, |journal| journal.kept))
    }

    /// Whose journal lies in a file, if there is one.
    fn opening(&self, terminal: TerminalId, epoch: u32) -> Result<Option<Opening>, Refusal> {
        match std::fs::read(self.path.join(file_name(terminal, epoch))) {
            Ok(bytes) => Ok(Mirror::read(&bytes).ok().map(|mirror| mirror.opening)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(MirrorFault::from(error).into()),
        }
    }

    /// Opens a journal's file. Whoever came first with the key has said which key the terminal signs with.
    fn open(&mut self, terminal: TerminalId, opening: Opening) -> Result<(), Refusal> {
        let key = (terminal, opening.epoch.epoch);
        if self.journals.len() >= JOURNALS_MAX {
            return Err(wrong("the keeper has as many journals as it takes"));
        }
        let mirror = self.folder.read(&opening)?;
        let root = opening.epoch.root(terminal);
        let mut journal = KeptJournal {
            kept: Kept { seq: 0, head: root },
            heads: BTreeSet::new(),
            opening,
        };
        if let Some(mirror) = mirror {
            let by_previous: BTreeMap<_, _> = mirror
                .entries
                .iter()
                .map(|(hash, entry)| (entry.previous, *hash))
                .collect();
            while let Some(next) = by_previous.get(&journal.kept.head) {
                journal.kept = Kept {
                    seq: journal.kept.seq.saturating_add(1),
                    head: *next,
                };
            }
            journal.heads = mirror.heads.into_keys().map(|(seq, ..)| seq).collect();
        }
        self.journals.insert(key, journal);
        Ok(())
    }

    /// Takes in what continues a journal, if its terminal signed it.
    fn add(&mut self, terminal: TerminalId, epoch: u32, body: &[u8]) -> Result<Kept, Refusal> {
        let new = Mirror::read(body).map_err(|error| wrong(&error.to_string()))?;
        let registration = new.opening.registration();
        let registration = registration.map_err(|_| wrong("the certificate cannot be read"))?;
        if registration.terminal != terminal || new.opening.epoch.epoch != epoch {
            return Err(wrong("the upload is of another journal than its address says"));
        }
        self.kept(terminal, epoch)?;
        if !self.journals.contains_key(&(terminal, epoch)) {
            self.open(terminal, new.opening.clone())?;
        }
        let Some(journal) = self.journals.get_mut(&(terminal, epoch)) else {
            return Err(MirrorFault::Gone.into());
        };
        if journal.opening != new.opening {
            return Err(MirrorFault::Foreign.into());
        }
        let signed: BTreeSet<_> = new.heads.keys().map(|(seq, hash, _)| (*seq, *hash)).collect();
        let by_previous: BTreeMap<_, _> = new
            .entries
            .iter()
            .map(|(hash, entry)| (entry.previous, (*hash, entry)))
            .collect();
        let (mut kept, mut records, mut heads) = (journal.kept, Vec::new(), journal.heads.clone());
        while let Some((hash, entry)) = by_previous.get(&kept.head) {
            if Some(entry.seq) != kept.seq.checked_add(1) {
                return Err(wrong("an entry has another number than its place"));
            }
            kept = Kept {
                seq: entry.seq,
                head: *hash,
            };
            records.extend(Record::Entry((*entry).clone()).bytes());
        }
        if new.entries.values().any(|entry| entry.seq > kept.seq) {
            return Err(wrong("what is uploaded does not continue what is kept"));
        }
        if kept != journal.kept && !signed.contains(&(kept.seq, kept.head)) {
            return Err(wrong("the last entry is covered by no signed head"));
        }
        for head in new.heads.into_values() {
            if head.epoch != epoch || head.verify(&registration.key, terminal).is_err() {
                return Err(wrong("a signature is not the terminal's"));
            }
            if head.seq <= kept.seq && heads.insert(head.seq) {
                records.extend(Record::Head(head).bytes());
            }
        }
        if journal.kept.seq == 0 {
            records.splice(0..0, Record::Opening(new.opening.clone()).bytes());
        }
        if kept != journal.kept || heads.len() > journal.heads.len() {
            if let Err(fault) = self.folder.write(&new.opening, &records) {
                // What is in the file now is read before it is gone on with.
                self.journals.remove(&(terminal, epoch));
                return Err(fault.into());
            }
            (journal.kept, journal.heads) = (kept, heads);
        }
        Ok(kept)
    }
}
