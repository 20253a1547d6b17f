//! What a terminal asks of the shell about the wristband in the field, and what comes back.

use std::collections::BTreeMap;
use std::sync::Arc;

use chips::purse::{Done, Knowledge, Limits, LoadRefusal, Loaded, Plan, PlanRefusal, TopUp};
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
