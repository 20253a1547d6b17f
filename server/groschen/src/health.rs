//! How the server is: for load balancers (`/healthz`), for whoever decides whether a festival may open (`/readyz`), for monitoring (`/metrics`).
//!
//! No personal data and no secret stands in any of them.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use console::{Board, NotTaken, Taken, TseOrder};
use store::{Reader as _, StoreError};
use store_sqlite::{SqliteReader, SqliteStore};
use sync::hub::{Counters, Hub};
use sync::writer::{Writer, now_ms};
use tokio::sync::{oneshot, watch};

/// A clock that is this far behind what was booked last is wrong.
const CLOCK_BEHIND_MS: u64 = 60_000;

/// The last journal number of a database, and when it was booked; zero for an empty one.
pub(crate) fn last_booked(reader: &mut SqliteReader) -> Result<(u64, u64), StoreError> {
    let no = reader.head()?.0;
    let row = reader.journal(no, 1)?.pop();
    Ok((no, row.map_or(0, |row| row.record.booked_at_ms)))
}

/// How far the clock is behind what was booked last, in seconds, where that is too much.
pub(crate) fn clock_behind_s(booked_at_ms: u64) -> Option<u64> {
    let behind_ms = booked_at_ms.saturating_sub(now_ms());
    (behind_ms > CLOCK_BEHIND_MS).then_some(behind_ms / 1_000)
}

/// What the signer says of itself.
#[derive(Debug, Default)]
pub struct SignerState {
    /// Whether a TSE is in an outage.
    pub outage: AtomicBool,
    /// The first journal number that has not come off.
    pub next_no: AtomicU64,
    /// A day ends: what is open at the TSEs has to end with it.
    pub closing: AtomicBool,
    /// Orders that came off since the start.
    pub orders: AtomicU64,
    board: watch::Sender<Arc<Board>>,
    /// What admins want; taken by the signer in its turn.
    wanted: Mutex<Vec<Wanted>>,
}

/// What an admin wants of the signer, and where the answer goes.
pub(crate) type Wanted = (TseOrder, oneshot::Sender<Result<(), NotTaken>>);

/// How long an admin waits for the signer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

impl SignerState {
    /// Puts a new board up.
    pub(crate) fn put_up(&self, make: impl FnOnce(&Board) -> Board) {
        let before = Arc::clone(&self.board.borrow());
        self.board.send_replace(Arc::new(make(&before)));
    }

    /// What admins want that was not looked at yet.
    pub(crate) fn wanted(&self) -> Vec<Wanted> {
        std::mem::take(&mut *self.wanted.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl console::SignerView for SignerState {
    fn outage(&self) -> bool {
        self.outage.load(Ordering::Relaxed)
    }

    fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board.borrow())
    }

    fn ask(&self, order: TseOrder) -> Taken<'_> {
        let (answer, answered) = oneshot::channel();
        self.wanted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((order, answer));
        Box::pin(async move {
            match tokio::time::timeout(ANSWER_WITHIN, answered).await {
                Ok(Ok(taken)) => taken,
                Ok(Err(_)) | Err(_) => Err(NotTaken::Silent),
            }
        })
    }
}

/// What the health pages look at.
pub struct Health {
    hub: Arc<Hub>,
    writer: Writer<SqliteStore>,
    signer: Arc<SignerState>,
    reader: Mutex<SqliteReader>,
}

/// One thing that has to be well.
#[derive(Debug, Clone, serde::Serialize)]
struct Check {
    what: &'static str,
    ok: bool,
    /// What it means and what to do, where it is not.
    says: String,
}

impl Health {
    /// Over a running server.
    pub fn new(
        hub: Arc<Hub>,
        writer: Writer<SqliteStore>,
        signer: Arc<SignerState>,
        reader: SqliteReader,
    ) -> Arc<Self> {
        Arc::new(Self {
            hub,
            writer,
            signer,
            reader: Mutex::new(reader),
        })
    }

    /// The routes.
    pub fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self)
    }

    /// The last journal number, and when it was booked.
    fn last(&self) -> Result<(u64, u64), StoreError> {
        last_booked(&mut self.reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn checks(&self) -> Vec<Check> {
        let last = self.last();
        let failed = self.writer.has_failed();
        let store = match (&last, failed) {
            (Ok((no, _)), false) => (true, format!("{no} journal rows")),
            (_, true) => (
                false,
                "the database failed; restart the server, nothing acknowledged is lost".to_owned(),
            ),
            (Err(error), false) => (false, error.to_string()),
        };
        let outage = self.signer.outage.load(Ordering::Relaxed);
        let tse = if outage {
            "a TSE does not answer; selling is allowed, orders are marked as unsigned".to_owned()
        } else {
            "TSEs in software (not certified)".to_owned()
        };
        let behind_s = clock_behind_s(last.map_or(0, |(_, at)| at));
        let clock = behind_s.map_or("not behind what was booked".to_owned(), |behind_s| {
            format!("the clock is {behind_s} s behind what was booked last; set it")
        });
        vec![
            Check {
                what: "store",
                ok: store.0,
                says: store.1,
            },
            Check {
                what: "tse",
                ok: !outage,
                says: tse,
            },
            Check {
                what: "clock",
                ok: behind_s.is_none(),
                says: clock,
            },
        ]
    }
}

async fn ready(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let checks = tokio::task::spawn_blocking(move || health.checks())
        .await
        .unwrap_or_default();
    let ok = !checks.is_empty() && checks.iter().all(|check| check.ok);
    let status = if ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(serde_json::json!({ "ready": ok, "checks": checks })))
}

/// Prometheus text format 0.0.4.
async fn metrics(State(health): State<Arc<Health>>) -> impl IntoResponse {
    let text = tokio::task::spawn_blocking(move || health.metrics())
        .await
        .unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}

impl Health {
    fn metrics(&self) -> String {
        let counters = &self.hub.counters;
        let signer = &self.signer;
        let last_no = self.last().map_or(0, |(no, _)| no);
        let connected = self.hub.connected() as u64;
        let mut text = String::new();
        let mut tell = |name: &str, kind: &str, help: &str, value: u64| {
            // Writing to a string cannot fail.
            let _written = writeln!(
                text,
                "# HELP groschen_{name} {help}\n# TYPE groschen_{name} {kind}\ngroschen_{name} {value}"
            );
        };
        tell("terminals_connected", "gauge", "Terminals with a connection", connected);
        for (name, help, counter) in [
            ("connections_total", "Connections accepted", &counters.connections),
            ("frames_received_total", "Frames read", &counters.frames_in),
            ("received_bytes_total", "Bytes of frames read", &counters.bytes_in),
            ("sent_bytes_total", "Bytes of frames written", &counters.bytes_out),
            ("entries_total", "Journal entries made durable", &counters.entries),
            ("batches_total", "Batches committed", &counters.batches),
            (
                "authorisations_total",
                "Authorisations answered",
                &counters.authorisations,
            ),
            (
                "orders_came_off_total",
                "Orders signed or marked since the start",
                &signer.orders,
            ),
        ] {
            tell(name, "counter", help, Counters::get(counter));
        }
        let behind = (last_no + 1).saturating_sub(signer.next_no.load(Ordering::Relaxed));
        let outage = u64::from(signer.outage.load(Ordering::Relaxed));
        tell("journal_rows", "gauge", "Rows of the journal", last_no);
        tell(
            "signer_behind_rows",
            "gauge",
            "Journal rows the signer has not looked at",
            behind,
        );
        tell("tse_outage", "gauge", "Whether a TSE does not answer", outage);
        text
    }
}
