//! Closes event days: a thread that looks now and then whether one is over, and makes the closings of its tills, one commit for each till.
//!
//! What belongs into a closing is decided in `fiscal::closing`; what must never happen here is a change to one that was made.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use engine::Request;
use festival::day::{EventDay, event_day};
use fiscal::closing::{Unclosed, close};
use fiscal::jobs::booked_order;
use fiscal::{Jobs, Kassenbeleg, signer};
use shared_protocol::{EventId, TaxpayerId, TillId};
use store::{ClosedItem, Closing, Reader as _, Signing, TransactionRow, TseNo};
use store_sqlite::{SqliteReader, SqliteStore};
use sync::writer::{Writer, now_ms};
use tokio::runtime::Handle;

use crate::health::SignerState;

/// A day is closed this long after it ended: tills that come back a little late are in it.
const GRACE_MS: u64 = 30 * 60 * 1_000;
/// How often it is looked.
const ROUND: Duration = Duration::from_secs(30);
/// The thread notices within this time that the server ends.
const TICK: Duration = Duration::from_millis(100);
/// Journal rows that are read at once.
const PAGE: u64 = 512;
/// Transactions that are looked at in a round.
const GIVEN_UP_MAX: u64 = 65_536;

/// A closer that runs.
pub struct Running {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Lets it finish the closing that it makes.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        if self.thread.join().is_err() {
            tracing::error!("the closing of days ended by a fault of the program; please report this");
        }
    }
}

/// Begins to close days on a thread of its own.
pub fn start(
    reader: SqliteReader,
    event: EventId,
    writer: Writer<SqliteStore>,
    state: Arc<SignerState>,
) -> anyhow::Result<Running> {
    let mut closer = Closer::new(reader, event, writer, state)?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let thread = std::thread::Builder::new()
        .name("closer".to_owned())
        .spawn(move || {
            let mut next = Duration::ZERO;
            while !stopped.load(Ordering::Relaxed) {
                if next.is_zero() {
                    if let Err(error) = closer.round(now_ms(), &stopped) {
                        closer.seen_to = 0;
                        tracing::error!(%error, "days wait to be closed");
                    }
                    next = ROUND;
                }
                std::thread::sleep(TICK);
                next = next.saturating_sub(TICK);
            }
        })
        .context("the thread that closes days cannot be started")?;
    Ok(Running { stop, thread })
}

struct Closer {
    reader: SqliteReader,
    event: EventId,
    jobs: Jobs,
    writer: Writer<SqliteStore>,
    runtime: Handle,
    state: Arc<SignerState>,
    /// The last day that may be closed, when it was last looked at everything.
    last_day: Option<u32>,
    /// Up to which journal number everything is known to be of a day that is not over.
    seen_to: u64,
}

impl Closer {
    fn new(
        mut reader: SqliteReader,
        event: EventId,
        writer: Writer<SqliteStore>,
        state: Arc<SignerState>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            jobs: Jobs::new(&mut reader, event)?,
            reader,
            event,
            writer,
            runtime: Handle::current(),
            state,
            last_day: None,
            seen_to: 0,
        })
    }

    /// Makes the closings that are due.
    fn round(&mut self, now_ms: u64, stopped: &AtomicBool) -> anyhow::Result<()> {
        self.jobs.refresh(&mut self.reader)?;
        let over_at = now_ms.saturating_sub(GRACE_MS);
        let Some(EventDay(today)) = event_day(&self.jobs.newest().event, over_at) else {
            return Ok(());
        };
        // Days are compared as numbers: the day before the first of a month need not be one.
        let last_day = today - 1;
        if self.last_day != Some(last_day) {
            // Nothing may stay open at a closing.
            self.state.closing.store(self.last_day.is_some(), Ordering::Relaxed);
            (self.last_day, self.seen_to) = (Some(last_day), 0);
        }
        let mut items = self.orders(last_day)?;
        items.extend(self.given_up()?);
        let ends = self.reader.closing_ends()?;
        let next_id = self.next_id()?;
        for closing in close(items, &ends, last_day, next_id, now_ms) {
            if stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            self.keep(closing)?;
        }
        Ok(())
    }

    /// Orders of days that are over and in no closing.
    fn orders(&mut self, last_day: u32) -> anyhow::Result<Vec<Unclosed>> {
        let mut found = Vec::new();
        // What has not come off yet may come off before what has.
        let came_off_to = self.reader.signed_to()?;
        let mut from_no = self.seen_to + 1;
        loop {
            let numbers = self.reader.unclosed_orders(from_no, PAGE)?;
            let (Some(first), Some(last)) = (numbers.first().copied(), numbers.last().copied()) else {
                self.seen_to = came_off_to;
                return Ok(found);
            };
            let wanted: BTreeSet<u64> = numbers.into_iter().collect();
            let mut from = first;
            while from <= last {
                let rows = self.reader.journal(from, PAGE.min(last - from + 1))?;
                let Some(newest) = rows.last() else { break };
                from = newest.record.no + 1;
                for row in rows.iter().filter(|row| wanted.contains(&row.record.no)) {
                    let day = row.entry.as_ref().and_then(|entry| entry.day);
                    let (Some((_, order)), Some(day)) =
                        (booked_order(row), day.or_else(|| self.day(row.record.booked_at_ms)))
                    else {
                        continue;
                    };
                    if day <= last_day {
                        found.push(Unclosed {
                            item: ClosedItem::Order(row.record.no),
                            client: signer::client_of(self.event, order.till),
                            taxpayer: order.taxpayer,
                            till: order.till,
                            day,
                        });
                    }
                }
            }
            from_no = last + 1;
        }
    }

    fn day(&self, at_ms: u64) -> Option<u32> {
        event_day(&self.jobs.newest().event, at_ms).map(|day| day.0)
    }

    /// Carts that were given up.
    fn given_up(&mut self) -> anyhow::Result<Vec<Unclosed>> {
        let taxpayers: BTreeMap<TseNo, TaxpayerId> = self
            .reader
            .tses()?
            .into_iter()
            .map(|row| (row.no, row.taxpayer))
            .collect();
        let rows = self.reader.unclosed_given_up(GIVEN_UP_MAX)?;
        let aborted = Kassenbeleg::ABORTED.to_string();
        let unclosed = |row: TransactionRow| {
            // A receipt without an order waits for it: books were put back from a copy, and its till has not come back.
            let end = row.end.as_ref().filter(|end| end.process_data == aborted)?;
            let at_ms = end.time_s.saturating_mul(1_000);
            Some(Unclosed {
                item: ClosedItem::GivenUp(row.tse, row.transaction),
                taxpayer: *taxpayers.get(&row.tse)?,
                till: till_of(&row.client)?,
                client: row.client,
                day: self.day(at_ms)?,
            })
        };
        Ok(rows.into_iter().filter_map(unclosed).collect())
    }

    fn next_id(&mut self) -> anyhow::Result<u64> {
        let mut last = 0;
        loop {
            match self.reader.closings(last + 1, PAGE)?.last() {
                Some(row) => last = row.id,
                None => return Ok(last + 1),
            }
        }
    }

    fn keep(&self, closing: Closing) -> anyhow::Result<()> {
        let signing = Signing {
            closings: vec![closing],
            ..Signing::default()
        };
        let request = Request::Sign(Box::new(signing));
        let kept = self.runtime.block_on(self.writer.ask(request));
        kept.map(drop).map_err(|_| anyhow!("the server ends"))
    }
}

/// The till's number at the end of its serial number.
fn till_of(client: &str) -> Option<TillId> {
    client.rsplit('-').next()?.parse().ok().map(TillId)
}
