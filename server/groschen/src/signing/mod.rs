//! Signing in a running server: a thread that follows the journal, and one for each TSE, away from the acknowledgement of orders.
//!
//! The journal is the queue: it goes on where all orders came off, also after a restart. What must never happen here is a decision about an order;
//! those are in `fiscal::signer`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use fiscal::tax::Fixed;
use fiscal::tse::Curve;
use sealed::Opener;
use shared_protocol::EventId;
use store::{Reader as _, SigningState, StoreError};
use store_sqlite::{SqliteReader, SqliteStore};
use sync::session::CartEvent;
use sync::writer::Writer;

use crate::background::Background;
use crate::health::SignerState;
use crate::interrupted::Interruption;
use crate::keys::sealed_seed;

mod board;
mod desk;
pub(crate) mod devices;
mod line;
mod software;

use desk::Desk;
pub use devices::{Device, Link};
pub use line::{Line, Lines, Wanted};

/// Cart events that may wait. A start that is missed is made up when the cart is paid.
const CARTS_MAX: usize = 4_096;
/// After a fault of the database the signer waits so long.
const PAUSE: Duration = Duration::from_secs(5);

/// How a server signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Choices about taxes that the console's page does not offer.
    pub fixed: Fixed,
    /// The curve of the TSEs in software.
    pub curve: Curve,
    /// How many of them a taxpayer has.
    pub count: u8,
    /// When the event is over, ms since 1970; certificates have to outlast it.
    pub ends_ms: Option<u64>,
    /// When they are silent, in a simulation.
    pub interruption: Option<Interruption>,
    /// How secrets lie on the disk.
    pub secrets: Secrets,
}

/// How the secrets of TSEs and `tse.key` lie on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Secrets {
    /// What opens sealed ones.
    pub key_file: Option<PathBuf>,
    /// Whether plain ones are refused.
    pub refuses_plain: bool,
}

impl Secrets {
    /// What opens them; a fault where the key file cannot be used.
    pub fn opener(&self) -> Result<Opener, sealed::Fault> {
        let key = self.key_file.as_deref().map(sealed::Secret::from_key_file);
        Ok(Opener {
            key: key.transpose()?,
            refuses_plain: self.refuses_plain,
        })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fixed: Fixed::default(),
            curve: Curve::BrainpoolP384,
            count: 1,
            ends_ms: None,
            interruption: None,
            secrets: Secrets::default(),
        }
    }
}

/// A signer that runs.
pub struct Running {
    /// How it is.
    pub state: Arc<SignerState>,
    /// The ways to the TSEs.
    pub lines: Lines,
    /// Where it is stopped, it finishes what it does. What has not come off by then does after the next start.
    pub thread: Background,
}

/// Begins to sign on a thread of its own. Gives where it hears of carts, too.
pub fn start(
    data: &Path,
    reader: SqliteReader,
    event: EventId,
    settings: Settings,
    links: Vec<Link>,
    writer: Writer<SqliteStore>,
) -> anyhow::Result<(Running, SyncSender<CartEvent>)> {
    let (to, carts) = sync_channel(CARTS_MAX);
    let opener = settings.secrets.opener()?;
    let seed = sealed_seed(
        &data.join("tse.key"),
        "without it, TSEs in software begin anew with another key",
        &opener,
    )?;
    let mut desk = Desk::open(carts, reader, event, (settings, seed), (links, &opener), writer)?;
    let (state, ways) = (Arc::clone(&desk.state), desk.shared_lines.clone());
    let thread = Background::start("signer", "the signer", move |stopped| {
        while !stopped.load(Ordering::Relaxed) {
            if let Err(error) = desk.turn() {
                if desk.writer.has_failed() {
                    return;
                }
                tracing::error!(%error, "orders wait to be signed");
                std::thread::sleep(PAUSE);
            }
        }
    })?;
    let running = Running {
        state,
        lines: ways,
        thread,
    };
    Ok((running, to))
}

/// How the booked orders of a database came off; the last is those that did not, and is zero once a signer has caught up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// Signed when they were made.
    pub signed: u64,
    /// Made in an outage and signed later.
    pub signed_late: u64,
    /// Made in an outage, marked as unsigned.
    pub unsigned_in_outage: u64,
    /// Neither.
    pub unsigned: u64,
}

/// Counts them.
pub fn counts(reader: &mut SqliteReader, booked: u64) -> Result<Counts, StoreError> {
    let by_state = reader.signing_counts()?;
    let of = |state| by_state.get(&state).copied().unwrap_or(0);
    let counts = Counts {
        signed: of(SigningState::Signed),
        signed_late: of(SigningState::SignedLate),
        unsigned_in_outage: of(SigningState::InOutage),
        unsigned: 0,
    };
    Ok(Counts {
        unsigned: booked.saturating_sub(counts.signed + counts.signed_late + counts.unsigned_in_outage),
        ..counts
    })
}
