//! What a terminal asks of the shell about the wristband in the field, and what comes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use chips::purse::{Books, Done, Knowledge, Limits, LoadRefusal, Loaded, Outcome, Plan, PlanRefusal, TopUp, load};
use chips::ultralight::LinkFault;
use chips::{Field, FieldFault, KeyStore, Selected};
use shared_protocol::TagId;
use shared_protocol::purse::BatchList;

/// Names one [`PurseWork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurseJob(pub u64);

/// Work on the wristband in the field. Two are the same when their job is.
#[derive(Debug, Clone)]
pub struct PurseWork {
    /// Comes back with the answer.
    pub job: PurseJob,
    /// What is to be done.
    pub task: Box<PurseTask>,
}

impl PartialEq for PurseWork {
    fn eq(&self, other: &Self) -> bool {
        self.job == other.job
    }
}

impl Eq for PurseWork {}

/// What is to be done with the wristband in the field.
#[derive(Debug, Clone)]
pub enum PurseTask {
    /// Authenticate, read and prove its purse ([`chips::purse::load`]), and keep the session open.
    Read {
        /// Which wristband; another one in the field is as good as none.
        tag: TagId,
        /// The signed lists of the batches that this till serves.
        lists: Arc<BTreeMap<u16, BatchList>>,
        /// What is known of it.
        knowledge: Box<Knowledge>,
        /// Randomness for the authentication, used once.
        entropy: [u8; 16],
    },
    /// Make the plan of a credit, with the key that the device has ([`Loaded::plan_top_up`]). Nothing is sent to the wristband.
    Plan {
        /// The purse as it was read.
        loaded: Box<Loaded>,
        /// The credit.
        top_up: TopUp,
        /// What the event allows.
        limits: Limits,
    },
    /// Write a plan in the session that is open ([`chips::purse::Tap::commit`]).
    Write {
        /// Which wristband.
        tag: TagId,
        /// The plan; it is in the journal.
        plan: Box<Plan>,
    },
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum PurseAnswer {
    /// The purse, or why there is none to work with.
    Read(Result<Box<Loaded>, LoadRefusal>),
    /// The plan, or why there is none.
    Planned(Result<Box<Plan>, PlanRefusal>),
    /// How far the writing came. A session that is gone wrote nothing: [`chips::purse::Outcome::Void`] with no frame acknowledged.
    Written(Done),
}

/// Serves a terminal while one wristband lies on a reader: carries out what it asks and gives the answers back, until it asks no more.
///
/// `next` takes the last answer (none at first) and gives the next work, or none when the terminal is done with this wristband or it has left. The
/// chip's session lives in here: it begins with a [`PurseTask::Read`] and ends with the next one or when this returns.
pub fn serve_hold<F: Field>(
    field: &mut F,
    selected: &Selected,
    keys: &dyn KeyStore,
    mut next: impl FnMut(Option<(PurseJob, PurseAnswer)>) -> Option<PurseWork>,
) {
    let mut work = next(None);
    let mut fresh = true;
    while let Some(PurseWork { job, task }) = work.take() {
        let PurseTask::Read {
            tag,
            lists,
            knowledge,
            entropy,
        } = *task
        else {
            work = next(Some((job, without_session(keys, *task))));
            continue;
        };
        let again = if fresh { Ok(selected.clone()) } else { field.reselect() };
        fresh = false;
        let books = Books { keys, lists: &lists };
        let tap = again
            .map_err(|fault| LoadRefusal::Link(LinkFault::Field(fault)))
            .and_then(|selected| {
                if selected.uid == tag {
                    load(&mut *field, &selected, &books, &knowledge, entropy)
                } else {
                    Err(LoadRefusal::Link(LinkFault::Field(FieldFault::Gone)))
                }
            });
        match tap {
            Err(refusal) => work = next(Some((job, PurseAnswer::Read(Err(refusal))))),
            Ok(mut tap) => {
                let loaded = Box::new(tap.loaded.clone());
                work = next(Some((job, PurseAnswer::Read(Ok(loaded)))));
                while let Some(PurseWork { job, task }) = work.take() {
                    let answer = match *task {
                        PurseTask::Read { .. } => {
                            work = Some(PurseWork { job, task });
                            break;
                        }
                        PurseTask::Write { tag: of, plan }
                            if of == tag && plan.intent.before == tap.loaded.purse.image =>
                        {
                            PurseAnswer::Written(tap.commit(&plan))
                        }
                        other => without_session(keys, other),
                    };
                    work = next(Some((job, answer)));
                }
            }
        }
    }
}

/// What is asked of a wristband that is not there, or needs none.
pub fn without_session(keys: &dyn KeyStore, task: PurseTask) -> PurseAnswer {
    match task {
        PurseTask::Read { .. } => PurseAnswer::Read(Err(LoadRefusal::Link(LinkFault::Field(FieldFault::Gone)))),
        PurseTask::Plan { loaded, top_up, limits } => {
            PurseAnswer::Planned(loaded.plan_top_up(keys, &top_up, &limits).map(Box::new))
        }
        PurseTask::Write { .. } => PurseAnswer::Written(Done {
            outcome: Outcome::Void,
            acknowledged: 0,
            broken: None,
        }),
    }
}
