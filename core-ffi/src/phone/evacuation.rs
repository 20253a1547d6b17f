//! Giving what the server lacks to another phone, and taking it: as a series of codes, or as files.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use phone::Event;
use phone::view::EvacuationPage;
use shared_protocol::series::{self, Collector};
use tokio::sync::mpsc;

use super::pump::Shared;
use crate::evacuation::JournalCopy;
use crate::till::TillInput;

/// Copies take as long as reading the journal and one signature.
const PATIENCE: Duration = Duration::from_secs(20);
/// Places that are missing and are named; nobody looks for more at once.
const MISSING_SHOWN: usize = 5;

/// What the server does not have, as a file.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct EvacuatedFile {
    /// A name for it.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Entries of the journal in it.
    pub entries: i64,
}

#[derive(Default)]
struct State {
    codes: Vec<String>,
    shown: usize,
    collector: Collector,
}

/// How far giving and taking are.
#[derive(Default)]
pub(super) struct Evacuation(Mutex<State>);

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

impl State {
    fn giving(&self) -> Option<EvacuationPage> {
        Some(EvacuationPage::Giving {
            code: self.codes.get(self.shown)?.clone(),
            index: number(self.shown + 1),
            count: number(self.codes.len()),
        })
    }

    fn taking(&self) -> EvacuationPage {
        let count = self.collector.count().map_or(0, i32::from);
        let missing: Vec<u16> = self.collector.missing().collect();
        EvacuationPage::Taking {
            have: count - number(missing.len()),
            count,
            missing: missing
                .into_iter()
                .take(MISSING_SHOWN)
                .map(|place| i32::from(place) + 1)
                .collect(),
        }
    }
}

impl Evacuation {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another code; after the last one comes the first.
    pub fn turn(&self, forward: bool) -> Option<EvacuationPage> {
        let mut state = self.state();
        let count = state.codes.len();
        if count > 0 {
            state.shown = (state.shown + if forward { 1 } else { count - 1 }) % count;
        }
        state.giving()
    }

    /// Begins to take codes.
    pub fn take(&self) -> EvacuationPage {
        let mut state = self.state();
        state.collector = Collector::default();
        state.taking()
    }

    /// A code was scanned; gives the file when it was the last one. What is none of the codes is passed over: cameras see many things.
    pub fn taken(&self, text: &str) -> (EvacuationPage, Option<Vec<u8>>) {
        let mut state = self.state();
        let whole = state.collector.take(text).unwrap_or_else(|error| {
            tracing::debug!(%error, "a code of no use was scanned");
            None
        });
        if whole.is_some() {
            // The next series may follow at once.
            let page = state.taking();
            state.collector = Collector::default();
            return (page, whole);
        }
        (state.taking(), None)
    }
}

async fn copies(shared: &Shared) -> Vec<JournalCopy> {
    let (to, mut made) = mpsc::channel(1);
    if shared.send(TillInput::Evacuate(to)).is_err() {
        return Vec::new();
    }
    let waited = tokio::time::timeout(PATIENCE, made.recv()).await;
    waited.ok().flatten().unwrap_or_default()
}

/// What the server lacks, as files.
pub(super) async fn files(shared: &Shared) -> Vec<EvacuatedFile> {
    let copies = copies(shared).await.into_iter();
    copies
        .map(|copy| EvacuatedFile {
            name: copy.name,
            bytes: copy.bytes,
            entries: i64::try_from(copy.entries).unwrap_or(i64::MAX),
        })
        .collect()
}

/// Makes the codes and shows the first one.
pub(super) async fn give(shared: Arc<Shared>, evacuation: Arc<Evacuation>) {
    let made: Result<Vec<Vec<String>>, _> = copies(&shared)
        .await
        .iter()
        .map(|copy| series::texts(&copy.bytes))
        .collect();
    let page = {
        let mut state = evacuation.state();
        state.codes = made.map(|series| series.concat()).unwrap_or_default();
        state.shown = 0;
        state.giving().unwrap_or(EvacuationPage::Failed)
    };
    shared.tell(Event::Evacuation(page));
}
