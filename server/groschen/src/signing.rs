//! Signing in a running server: a thread that follows the journal and asks the TSEs, away from the acknowledgement of orders.
//!
//! The journal is its queue: it goes on after the last order that came off, also after a restart. The TSEs are software, one for each taxpayer;
//! their keys come from `tse.key` and the life of the database, so that a restored database has other TSEs and no number is used twice.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use engine::Request;
use fiscal::software::Memory;
use fiscal::tse::Curve;
use fiscal::{Job, Jobs, Known, OutagePolicy, Signer, SignerSettings, SoftwareTse, VoucherModel};
use shared_protocol::crypto::Hash32;
use shared_protocol::{EventId, TaxpayerId};
use store::{Reader as _, Signing, SigningRow, SigningState, StoreError, TseNo};
use store_sqlite::{SqliteReader, SqliteStore};
use sync::session::CartEvent;
use sync::writer::{Writer, now_ms};
use tokio::runtime::Handle;

use crate::health::SignerState;
use crate::interrupted::{Interrupted, Interruption};
use crate::keys::seed;

/// How often the journal is looked at while no cart event comes.
const POLL: Duration = Duration::from_millis(50);
/// Orders that come off in one commit, and cart events that are taken before them.
const BATCH: u64 = 128;
/// Cart events that may wait. A start that is missed is made up when the cart is paid.
const CARTS_MAX: usize = 4_096;
/// How often the newest configuration is read, for who sells at which till.
const CONFIG_EVERY: Duration = Duration::from_secs(5);

/// How a server signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What becomes of orders made in an outage.
    pub policy: OutagePolicy,
    /// How what a guest spends from a wristband is shown.
    pub model: VoucherModel,
    /// The curve of the TSEs in software.
    pub curve: Curve,
    /// When they are silent, in a simulation.
    pub interruption: Option<Interruption>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy: OutagePolicy::MarkOnly,
            model: VoucherModel::VoucherLines,
            curve: Curve::BrainpoolP384,
            interruption: None,
        }
    }
}

/// A signer that runs.
pub struct Running {
    /// How it is.
    pub state: Arc<SignerState>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Lets it finish what it does. What has not come off by then does after the next start.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("the signer ended by a fault of the program; please report this");
        }
    }
}

/// Begins to sign on a thread of its own. Gives where it hears of carts, too.
pub fn start(
    data: &Path,
    reader: SqliteReader,
    event: EventId,
    settings: Settings,
    writer: Writer<SqliteStore>,
) -> anyhow::Result<(Running, SyncSender<CartEvent>)> {
    let (to, carts) = sync_channel(CARTS_MAX);
    let seed = seed(
        &data.join("tse.key"),
        "without it, TSEs in software begin anew with another key",
    )?;
    let mut desk = Desk::open(carts, reader, event, settings, seed, writer)?;
    let (stop, state) = (Arc::new(AtomicBool::new(false)), Arc::clone(&desk.state));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new()
        .name("signer".to_owned())
        .spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                if let Err(error) = desk.turn() {
                    if desk.writer.has_failed() {
                        return;
                    }
                    tracing::error!(%error, "orders wait to be signed");
                    std::thread::sleep(CONFIG_EVERY);
                }
            }
        })
        .context("the signer's thread cannot be started")?;
    Ok((Running { state, stop, thread }, to))
}

struct Desk {
    carts: Receiver<CartEvent>,
    reader: SqliteReader,
    curve: Curve,
    interruption: Option<Interruption>,
    seed: [u8; 32],
    signer: Signer<Interrupted<SoftwareTse>>,
    writer: Writer<SqliteStore>,
    runtime: Handle,
    jobs: Jobs,
    /// When the newest configuration was read.
    config_at: Instant,
    /// The next journal row to look at.
    next_no: u64,
    /// Whether the last turn left journal rows behind: then it does not wait for carts.
    behind: bool,
    state: Arc<SignerState>,
}

impl Desk {
    fn open(
        carts: Receiver<CartEvent>,
        mut reader: SqliteReader,
        event: EventId,
        settings: Settings,
        seed: [u8; 32],
        writer: Writer<SqliteStore>,
    ) -> anyhow::Result<Self> {
        let known = Known {
            tses: reader.tses()?,
            open: reader.open_transactions()?,
            outages: reader.outages(0, u64::MAX)?,
        };
        let signer_settings = SignerSettings {
            event,
            policy: settings.policy,
            model: settings.model,
        };
        Ok(Self {
            next_no: reader.signed_to()? + 1,
            jobs: Jobs::new(&mut reader, event)?,
            carts,
            reader,
            curve: settings.curve,
            interruption: settings.interruption,
            seed,
            signer: Signer::new(signer_settings, known),
            writer,
            runtime: Handle::current(),
            config_at: Instant::now(),
            behind: false,
            state: Arc::default(),
        })
    }

    /// Cart events and starts, one commit; then orders and what was marked, another one.
    fn turn(&mut self) -> anyhow::Result<()> {
        let mut out = Signing::default();
        self.hear_of_carts(&mut out)?;
        self.signer.probe(now_ms(), &mut out);
        let rows = self.reader.journal(self.next_no, BATCH)?;
        let mut jobs = Vec::new();
        for row in &rows {
            if let Some(job) = self.jobs.of(&mut self.reader, row)? {
                self.with_tse(job.order.taxpayer, &mut out)?;
                self.signer.prepare(&job, now_ms(), &mut out);
                jobs.push(job);
            }
        }
        let mut late = Vec::new();
        if rows.is_empty() && self.signer.may_sign_late() {
            late = self.marked(&mut out)?;
        }
        self.keep(&mut out)?;
        for job in &jobs {
            self.signer.sign(job, now_ms(), &mut out)?;
        }
        for (marked, job) in &late {
            self.signer.sign_late(marked, job, now_ms(), &mut out);
        }
        let came_off = out.orders.len() as u64;
        self.keep(&mut out)?;
        self.next_no += rows.len() as u64;
        self.behind = rows.len() as u64 == BATCH;
        self.state.next_no.store(self.next_no, Ordering::Relaxed);
        self.state.orders.fetch_add(came_off, Ordering::Relaxed);
        self.state.outage.store(self.signer.has_outage(), Ordering::Relaxed);
        Ok(())
    }

    fn hear_of_carts(&mut self, out: &mut Signing) -> anyhow::Result<()> {
        let mut event = match self.carts.recv_timeout(if self.behind { Duration::ZERO } else { POLL }) {
            Ok(event) => Some(event),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                std::thread::sleep(POLL);
                None
            }
        };
        let mut taken = 0;
        while let Some(heard) = event {
            match heard {
                CartEvent::Opened { cart, till } => {
                    if let Some(taxpayer) = self.home(till)? {
                        self.with_tse(taxpayer, out)?;
                        self.signer.cart_opened(cart, till, taxpayer, now_ms(), out);
                    }
                }
                CartEvent::Aborted { cart } => self.signer.cart_aborted(cart, now_ms(), out),
            }
            taken += 1;
            event = (taken < BATCH).then(|| self.carts.try_recv().ok()).flatten();
        }
        Ok(())
    }

    fn home(&mut self, till: shared_protocol::TillId) -> anyhow::Result<Option<TaxpayerId>> {
        if self.config_at.elapsed() > CONFIG_EVERY {
            self.jobs.refresh(&mut self.reader)?;
            self.config_at = Instant::now();
        }
        Ok(self.jobs.newest().home_taxpayer(till))
    }

    /// The taxpayer's TSE, made if there is none yet.
    fn with_tse(&mut self, taxpayer: TaxpayerId, out: &mut Signing) -> anyhow::Result<()> {
        if self.signer.signs_for(taxpayer) {
            return Ok(());
        }
        let incarnation = self.reader.fact(store::memory::INCARNATION)?.unwrap_or_default();
        let seed = Hash32::of(
            "groschen tse key 1",
            &[&self.seed, &incarnation, &taxpayer.0.to_be_bytes()],
        );
        let fresh = SoftwareTse::new(&seed.0, self.curve, Memory::default())?;
        let known = self.reader.tses()?;
        let tse = match known.iter().find(|row| row.serial == fresh.info().serial) {
            Some(row) => {
                let memory = self.memory(row.no)?;
                SoftwareTse::new(&seed.0, self.curve, memory)?
            }
            None => fresh,
        };
        let info = tse.info().clone();
        let tse = Interrupted::new(tse, self.interruption, now_ms);
        self.signer.add(taxpayer, &info, tse, out);
        Ok(())
    }

    /// What a TSE in software remembers is what the database says.
    fn memory(&mut self, tse: TseNo) -> anyhow::Result<Memory> {
        let (transactions, signatures, time_s) = self.reader.tse_counters(tse)?;
        let open = self
            .reader
            .open_transactions()?
            .into_iter()
            .filter(|row| row.tse == tse);
        Ok(Memory {
            transactions,
            signatures,
            time_s,
            open: open
                .map(|row| {
                    let started = fiscal::Started {
                        transaction: row.transaction,
                        counter: row.start_counter,
                        time_s: row.started_s,
                        signature: row.start_signature,
                    };
                    (row.transaction, (row.client, started))
                })
                .collect(),
            ..Memory::default()
        })
    }

    /// Commits what was done so far. Where this fails the server has ended; what was signed and not kept is found at the TSE.
    fn keep(&mut self, out: &mut Signing) -> anyhow::Result<()> {
        if out.is_empty() {
            return Ok(());
        }
        let request = Request::Sign(Box::new(std::mem::take(out)));
        let kept = self.runtime.block_on(self.writer.ask(request));
        kept.map(drop).map_err(|_| anyhow!("the server ends"))
    }

    /// Orders that were marked as unsigned and may be signed now, with their transactions begun.
    fn marked(&mut self, out: &mut Signing) -> anyhow::Result<Vec<(SigningRow, Job)>> {
        let mut jobs = Vec::new();
        for marked in self.reader.unsigned(0, BATCH)? {
            let Some(row) = self.reader.journal(marked.no, 1)?.pop() else {
                continue;
            };
            if let Some(job) = self.jobs.of(&mut self.reader, &row)? {
                self.with_tse(job.order.taxpayer, out)?;
                self.signer.prepare(&job, now_ms(), out);
                jobs.push((marked, job));
            }
        }
        Ok(jobs)
    }
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
