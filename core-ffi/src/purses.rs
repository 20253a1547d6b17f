//! Between a till and the reader that a wristband with a purse lies on.
//!
//! All work on one wristband is one job on the reader's thread, from reading to the last page: the chip's session lives there. What must never happen here:
//! a decision, or a wait for anything but the till's own disk between two frames.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};

use chips::{IdentifyFault, KeyStore, ReaderEvent, identify};
use terminal::{PurseAnswer, PurseJob, PurseWork, serve_hold, without_session};
use tokio::sync::mpsc as queue;

use crate::readers::{Happening, HardwareReader, ReaderJobs, ReaderThread};
use crate::till::TillInput;

/// Keys that the reader's thread may use.
pub type Keys = Arc<dyn KeyStore + Send + Sync>;

/// The readers of a till that can work on purses.
#[derive(Clone, Default)]
pub(crate) struct PurseReaders(Arc<Mutex<Vec<(ReaderJobs, Keys)>>>);

/// The work on the wristband that lies on a reader: more of it goes in here.
pub(crate) struct Session(Sender<PurseWork>);

impl PurseReaders {
    fn add(&self, jobs: ReaderJobs, keys: Keys) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((jobs, keys));
    }

    fn at(&self, reader: usize) -> Option<(ReaderJobs, Keys)> {
        let readers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        readers.get(reader).cloned()
    }

    /// Starts a session on a reader with its first work; gives the work back answered where there is no such reader.
    pub fn begin(
        &self,
        reader: Option<usize>,
        work: PurseWork,
        inputs: &queue::Sender<TillInput>,
    ) -> Result<Session, (PurseJob, PurseAnswer)> {
        let job = work.job;
        let nobody = |work: PurseWork| (job, without_session(&chips::MemoryKeys::default(), *work.task));
        let Some((jobs, keys)) = reader.and_then(|reader| self.at(reader)) else {
            return Err(nobody(work));
        };
        let (more, rest) = mpsc::channel::<PurseWork>();
        let inputs = inputs.clone();
        let lost = work.clone();
        let sent = jobs.job(move |mut field| {
            let mut first = Some(work);
            let selected = match field.reselect() {
                Ok(selected) => selected,
                Err(fault) => {
                    tracing::debug!(%fault, "the wristband left before it was read");
                    let Some(work) = first.take() else { return };
                    let answer = (work.job, without_session(&*keys, *work.task));
                    let _till_ended = inputs.blocking_send(TillInput::Purse(Box::new(answer)));
                    return;
                }
            };
            serve_hold(&mut field, &selected, &*keys, |answer| {
                if let Some(answer) = answer {
                    inputs.blocking_send(TillInput::Purse(Box::new(answer))).ok()?;
                }
                // The till says by hanging up that it is done with this wristband.
                first.take().or_else(|| rest.recv().ok())
            });
        });
        if sent { Ok(Session(more)) } else { Err(nobody(lost)) }
    }
}

impl Session {
    /// More work on the same wristband. Gives it back when the session is over.
    pub fn work(&self, work: PurseWork) -> Result<(), PurseWork> {
        self.0.send(work).map_err(|error| error.0)
    }
}

/// Lets a reader tell a till what lies on it, and the till work on the purses there. Wristbands that are refused are told as such.
pub(crate) fn attach(
    readers: &PurseReaders,
    reader: impl HardwareReader,
    keys: Keys,
    inputs: queue::Sender<TillInput>,
    mut plugged: impl FnMut(&Happening) + Send + 'static,
) -> std::io::Result<ReaderThread> {
    let number = readers.0.lock().unwrap_or_else(PoisonError::into_inner).len();
    let thread = ReaderThread::start(reader, move |happening, mut field| {
        plugged(&happening);
        let event = match happening {
            Happening::Chip(selected) => match identify(&mut field, &selected) {
                Ok(chip) => ReaderEvent::Held(chip),
                Err(IdentifyFault::Refused(refused)) => {
                    tracing::info!(%refused, "something is held that is no wristband");
                    ReaderEvent::Unsupported
                }
                // It left while it was asked; that it did is told by the reader.
                Err(IdentifyFault::Field(fault)) => {
                    tracing::debug!(%fault, "a wristband left before it was known");
                    return;
                }
            },
            Happening::Unusable(_) => ReaderEvent::Unsupported,
            Happening::Left => ReaderEvent::Left,
            Happening::Plugged(_) | Happening::Unplugged { .. } | Happening::Woken => return,
        };
        let _till_ended = inputs.blocking_send(TillInput::ReaderAt(number, event));
    })?;
    readers.add(thread.jobs(), keys);
    Ok(thread)
}
