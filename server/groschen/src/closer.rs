//! Closes event days: a thread that looks now and then whether one is over, and keeps the closings of its tills, one commit for each.
//!
//! What is due is found in `fiscal::closer`, and what belongs into a closing is decided in `fiscal::closing`; what must never happen here is either, or a
//! change to a closing that was made.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::anyhow;
use engine::Request;
use fiscal::Closer;
use shared_protocol::EventId;
use store::{Closing, Signing};
use store_sqlite::{SqliteReader, SqliteStore};
use sync::writer::{Writer, now_ms};
use tokio::runtime::Handle;

use crate::background::Background;
use crate::health::SignerState;

/// How often it is looked.
const ROUND: Duration = Duration::from_secs(30);
/// The thread notices within this time that the server ends.
const TICK: Duration = Duration::from_millis(100);

/// Begins to close days on a thread of its own. Where it is stopped, it finishes the closing that it makes.
pub fn start(
    mut reader: SqliteReader,
    event: EventId,
    writer: Writer<SqliteStore>,
    state: Arc<SignerState>,
) -> anyhow::Result<Background> {
    let mut desk = Desk {
        closer: Closer::new(&mut reader, event)?,
        reader,
        writer,
        runtime: Handle::current(),
        state,
    };
    Background::start("closer", "the closing of days", move |stopped| {
        let mut next = Duration::ZERO;
        while !stopped.load(Ordering::Relaxed) {
            if next.is_zero() {
                if let Err(error) = desk.round(stopped) {
                    desk.closer.forget();
                    tracing::error!(%error, "days wait to be closed");
                }
                next = ROUND;
            }
            std::thread::sleep(TICK);
            next = next.saturating_sub(TICK);
        }
    })
}

struct Desk {
    closer: Closer,
    reader: SqliteReader,
    writer: Writer<SqliteStore>,
    runtime: Handle,
    state: Arc<SignerState>,
}

impl Desk {
    /// Makes the closings that are due.
    fn round(&mut self, stopped: &AtomicBool) -> anyhow::Result<()> {
        let due = self.closer.due(&mut self.reader, now_ms())?;
        if due.day_ended {
            self.state.closing.store(true, Ordering::Relaxed);
        }
        for closing in due.closings {
            if stopped.load(Ordering::Relaxed) {
                return Ok(());
            }
            self.keep(closing)?;
        }
        Ok(())
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
