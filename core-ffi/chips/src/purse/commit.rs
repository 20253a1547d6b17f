//! Writing a plan, frame by frame, and saying no more than is certain.

use shared_protocol::purse::image::{BUFFERS, buffer_page};

use super::load::{DEBIT_COUNTER, Tap};
use super::plan::{Action, Plan, Stage};
use crate::field::Field;
use crate::ultralight::LinkFault;

/// What became of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It happened: the chip acknowledged every frame under MAC.
    Committed,
    /// It did not happen, and cannot happen any more.
    Void,
    /// The answer is missing. The same wristband tells at its next tap.
    Unknown,
}

/// The outcome and how far it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What became of the plan.
    pub outcome: Outcome,
    /// Frames that were acknowledged.
    pub acknowledged: usize,
    /// The stage that broke off, and why.
    pub broken: Option<(Stage, LinkFault)>,
}

impl<F: Field> Tap<F> {
    /// Writes a plan that was made from this tap and journalled. After [`Outcome::Committed`] the tap holds what is now on the chip, and the
    /// session is open for the next plan; after anything else the wristband must be held again.
    pub fn commit(&mut self, plan: &Plan) -> Done {
        assert_eq!(plan.intent.uid, self.loaded.purse.uid, "a plan for another wristband");
        assert_eq!(plan.intent.before, self.loaded.purse.image, "a plan from another tap");
        if let Some((intent, done)) = &self.broken
            && *intent == plan.intent
        {
            // Asked again, it is as uncertain as it was.
            return done.clone();
        }
        let mut newest = self.loaded.purse.newest;
        for (acknowledged, step) in plan.steps.iter().enumerate() {
            if let Action::Write { page, .. } = step.action {
                // At every moment each chain has a valid token outside the page that is being written, or the journal has it.
                let written = (0..BUFFERS).find(|buffer| (0..4).any(|offset| buffer_page(*buffer) + offset == page));
                let holds = written.is_some_and(|buffer| newest.iter().any(|held| held.buffer == buffer));
                assert!(
                    !holds || matches!(step.stage, Stage::Restore | Stage::Settle),
                    "page {page:02x} holds the newest token of a chain"
                );
            }
            let result = match step.action {
                Action::Write { page, bytes } => self.link.write(page, bytes),
                Action::Count { cents } => self.link.increment(DEBIT_COUNTER, cents),
            };
            if let Err(fault) = result {
                let nothing_sent = acknowledged == 0 && fault == LinkFault::Dead;
                let outcome = if step.stage >= Stage::Commit && !nothing_sent {
                    Outcome::Unknown
                } else {
                    Outcome::Void
                };
                let done = Done {
                    outcome,
                    acknowledged,
                    broken: Some((step.stage, fault)),
                };
                self.broken = Some((plan.intent, done.clone()));
                return done;
            }
            // Once its last page is acknowledged a token is solid, and its predecessor may go.
            if let Action::Write { page, bytes } = step.action {
                for (held, planned) in newest.iter_mut().zip(plan.after.purse.newest) {
                    if page == buffer_page(planned.buffer) + 3 && planned.credit.bytes().ends_with(&bytes) {
                        *held = planned;
                    }
                }
            }
        }
        self.loaded = plan.after.clone();
        Done {
            outcome: Outcome::Committed,
            acknowledged: plan.steps.len(),
            broken: None,
        }
    }
}
