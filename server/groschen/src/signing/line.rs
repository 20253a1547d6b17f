//! A thread of its own for each TSE: one that is slow or silent keeps nobody waiting but its own tills.

use std::sync::mpsc::{Receiver, Sender, SyncSender, sync_channel};
use std::time::Instant;

use anyhow::Context as _;
use fiscal::signer::{Ask, Call, Reply};
use fiscal::{Tse, TseError};
use store::TseNo;
use sync::writer::now_ms;

/// Calls that may wait for one TSE; a signer has fewer under way.
const CALLS_MAX: usize = 64;

/// What a TSE said.
pub(super) struct Answer {
    pub tse: TseNo,
    pub id: u64,
    pub done: Result<Reply, TseError>,
    pub took_us: u64,
}

/// The way to a TSE. Once it is dropped, the thread ends after the call that it is in.
pub(super) struct Line {
    calls: SyncSender<Call>,
}

impl Line {
    pub fn start(no: TseNo, tse: Box<dyn Tse>, answers: Sender<Answer>) -> anyhow::Result<Self> {
        let (calls, heard) = sync_channel(CALLS_MAX);
        std::thread::Builder::new()
            .name(format!("tse {}", no.0))
            .spawn(move || serve(tse, &heard, &answers))
            .context("the thread of a TSE cannot be started")?;
        Ok(Self { calls })
    }

    /// Makes a call, and says whether the thread takes it.
    pub fn make(&self, call: Call) -> bool {
        self.calls.try_send(call).is_ok()
    }
}

fn serve(mut tse: Box<dyn Tse>, calls: &Receiver<Call>, answers: &Sender<Answer>) {
    let mut out_of_order = false;
    while let Ok(call) = calls.recv() {
        let begun = Instant::now();
        let is_prepare = matches!(call.ask, Ask::Prepare);
        // What was asked before its silence was known would wait for it once more, call by call.
        let done = if out_of_order && !is_prepare {
            Err(TseError::Unavailable("it is out of order".to_owned()))
        } else {
            call.ask.of(&mut *tse, now_ms())
        };
        out_of_order = match &done {
            Ok(_) => out_of_order && !is_prepare,
            Err(error) => out_of_order || error.is_outage(),
        };
        let answer = Answer {
            tse: call.tse,
            id: call.id,
            done,
            took_us: u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX),
        };
        if answers.send(answer).is_err() {
            return;
        }
    }
}
