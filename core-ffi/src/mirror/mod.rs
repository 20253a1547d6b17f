//! The second place of the journal: a thread beside the till that copies every entry from the queue to a folder on a stick ([`folder`]) or to a
//! neighbour ([`upload`]), so that a device that dies takes no booking with it.
//!
//! ```text
//!  till ─▶ MirroredQueue.write ─▶ SQLite, durable ─▶ wakes the copier, waits for it at most WAIT ─▶ "paid"
//!                                     ▲                        │
//!                                     └── reads what is missing ┴─▶ place, synced
//! ```
//! The queue is the only source: what a place lacks is read from it, in order, whether it lacks the last entry or all of a day. So there is
//! one way to copy, nothing waits in memory, and a place that comes back gets exactly what it missed.
//!
//! What must never happen here: a sale that waits longer than [`WAIT`] for a place, or at all for one that is late already; a place that is
//! shown as up to date and is not synced.

mod copier;
mod folder;
mod key;
mod source;
mod status;
#[cfg(feature = "keeper")]
mod upload;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use shared_protocol::crypto::Signer;
use terminal::{Restored, Write};

pub use folder::{Folder, files};
pub use key::{KeeperKey, KeeperKeyError};
pub use source::{Journal, QueueReader};
pub use status::{MirrorFault, MirrorState, MirrorStatus};

use copier::Copier;
use status::Progress;

use crate::queue::{Fetched, Queue, QueueError};

/// How long a booking waits for the second place, where that keeps up. A cheap stick syncs in 20 to 60 ms; one that needs longer is late, and
/// then nobody waits for it until it has everything.
pub const WAIT: Duration = Duration::from_millis(100);

/// What is under way in a place for this long counts as missing. A stick that was pulled can keep a write for ever.
pub const HANG: Duration = Duration::from_secs(5);

/// How long the end of a till waits for its places.
const LAST_COPY: Duration = Duration::from_secs(2);

/// Where a second copy goes.
#[derive(Debug, Clone)]
pub enum MirrorTo {
    /// Into a folder that exists, on another disk than the queue.
    Folder {
        /// The folder.
        path: PathBuf,
        /// The queue is on a disk that must not be the folder's; none allows it, for trying out.
        not_beside: Option<PathBuf>,
    },
    /// To a neighbour that runs `groschen keep`.
    #[cfg(feature = "keeper")]
    Keeper {
        /// `http://HOST:PORT` or `https://…`.
        url: String,
        /// What both know.
        key: KeeperKey,
        /// The authority of its certificate; needed for https.
        authority: Option<rustls::pki_types::CertificateDer<'static>>,
    },
}

impl MirrorTo {
    /// What people call it.
    pub fn name(&self) -> String {
        match self {
            Self::Folder { path, .. } => path.display().to_string(),
            #[cfg(feature = "keeper")]
            Self::Keeper { url, .. } => url.clone(),
        }
    }

    #[cfg_attr(
        not(feature = "keeper"),
        expect(clippy::unnecessary_wraps, reason = "only a neighbour can be impossible to try")
    )]
    fn open(&self) -> Result<Box<dyn Place>, MirrorError> {
        Ok(match self {
            Self::Folder { path, not_beside } => Box::new(Folder::new(path.clone(), not_beside.clone())),
            #[cfg(feature = "keeper")]
            Self::Keeper { url, key, authority } => {
                Box::new(upload::Keeper::new(url, key.clone(), authority.as_ref())?)
            }
        })
    }
}

/// Why a second place cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The address or the authority cannot be used.
    #[error("{0} is no address of a keeper: {1}; write http://HOST:PORT, or https://HOST:PORT with --mirror-authority")]
    Address(String, String),
    /// No thread.
    #[error("the copy's thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// What a place has of an epoch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct There {
    /// Hashes of single entries.
    pub hashes: std::collections::BTreeSet<shared_protocol::crypto::Hash32>,
    /// Everything up to this entry, when the hash after it is this one.
    pub up_to: Option<(u64, shared_protocol::crypto::Hash32)>,
    /// Sequences of signed heads.
    pub heads: std::collections::BTreeSet<u64>,
}

/// Where copies are kept.
pub(crate) trait Place: Send {
    /// Says what it has of an epoch, ready to be appended to.
    fn open(&mut self, of: &shared_protocol::mirror::Opening) -> Result<There, MirrorFault>;
    /// Appends records of this epoch; durable when it returns.
    fn append(&mut self, of: &shared_protocol::mirror::Opening, records: &[u8]) -> Result<(), MirrorFault>;
    /// Whether it is still there.
    fn look(&mut self) -> Result<(), MirrorFault>;
    /// Whether every append has to say whose journal it is.
    fn forgets_opening(&self) -> bool {
        false
    }
}

/// A copy in the making: its thread, and what is known of it. Ends with the last holder's [`Mirror::stop`], or with the process.
#[derive(Clone)]
pub struct Mirror {
    progress: Arc<Progress>,
}

impl Mirror {
    /// Starts copying what `journal` holds.
    pub fn start(to: &MirrorTo, journal: impl Journal, signer: Box<dyn Signer>) -> Result<Self, MirrorError> {
        Self::run(to.open()?, to.name(), journal, signer)
    }

    pub(crate) fn run(
        place: Box<dyn Place>,
        name: String,
        journal: impl Journal,
        signer: Box<dyn Signer>,
    ) -> Result<Self, MirrorError> {
        let progress = Arc::new(Progress::new(name));
        let copier = Copier::new(Arc::clone(&progress), place, Box::new(journal), signer);
        // Not joined: a write into a pulled stick may never come back, and must not keep the program.
        let _detached: JoinHandle<()> = std::thread::Builder::new()
            .name("second copy".to_owned())
            .spawn(move || copier.run())?;
        Ok(Self { progress })
    }

    /// How it stands.
    pub fn status(&self) -> MirrorStatus {
        self.progress.status(Instant::now())
    }

    /// Ends it: what is missing is copied if that goes quickly. Blocks for two seconds at most.
    pub fn stop(&self) {
        self.progress.stop(Instant::now() + LAST_COPY);
    }
}

/// A queue whose entries have a second place.
pub struct MirroredQueue<Q> {
    queue: Q,
    mirrors: Vec<Mirror>,
}

impl<Q: Queue> MirroredQueue<Q> {
    /// Puts second places behind a queue; their journal must be this queue's.
    pub fn new(queue: Q, mirrors: Vec<Mirror>) -> Self {
        Self { queue, mirrors }
    }
}

impl<Q> Drop for MirroredQueue<Q> {
    fn drop(&mut self) {
        // Whoever can wait for the last copy stops the mirrors before; here nobody may be kept.
        self.mirrors
            .iter()
            .for_each(|mirror| mirror.progress.stop(Instant::now()));
    }
}

impl<Q: Queue> Queue for MirroredQueue<Q> {
    fn write(&mut self, writes: &[Write]) -> Result<(), QueueError> {
        self.queue.write(writes)?;
        // Durable here from now on, so nothing of what follows may make the answer another one.
        let until = Instant::now() + WAIT;
        self.mirrors
            .iter()
            .for_each(|mirror| mirror.progress.committed(writes, status::wall_ms()));
        self.mirrors.iter().for_each(|mirror| mirror.progress.wait(until));
        Ok(())
    }

    fn fetch(&mut self, epoch: u32, from_seq: u64, entries_max: u32) -> Result<Fetched, QueueError> {
        self.queue.fetch(epoch, from_seq, entries_max)
    }

    fn restore(&mut self) -> Result<Restored, QueueError> {
        let restored = self.queue.restore()?;
        self.mirrors.iter().for_each(|mirror| mirror.progress.look_again());
        Ok(restored)
    }
}

#[cfg(test)]
mod tests;
