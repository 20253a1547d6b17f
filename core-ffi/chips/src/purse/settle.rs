//! Making the last top-up and the last change of a record solid, and nothing else.

use super::load::{Loaded, unconfirmed_record};
use super::plan::{Draft, Plan, PlanRefusal, Stage};

impl Loaded {
    /// What an interrupted top-up or change of a record left to be done. [`PlanRefusal::Nothing`] when all is solid.
    pub fn plan_settle(&self) -> Result<Plan, PlanRefusal> {
        let mut draft = Draft::begin(self);
        if let Some(current) = unconfirmed_record(&self.purse) {
            draft.settle_record();
            draft.close_record(Stage::Settle, current.other());
        }
        draft.finish(0)
    }
}
