//! Adding money: the next token of a chain, beside the one that is there; then the old one is closed.
//!
//! A top-up that was begun is never paid back in cash: its token was on the air. It is finished, and the money paid out as a debit.

use shared_protocol::purse::chain::token_at;
use shared_protocol::purse::{ChainId, Credit, PendingCredit};

use super::load::Loaded;
use super::plan::{Draft, Limits, Plan, PlanRefusal, Stage};
use crate::keys::{KeyName, KeyRole, KeyStore, NamedKey};

/// Money that a desk took, or a deposit that a till gives back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopUp {
    /// Through which chain.
    pub chain: ChainId,
    /// How much.
    pub cents: u32,
    /// The number of the terminal inside the event.
    pub terminal: u16,
}

impl Loaded {
    /// Plans a top-up with the chain's key of this device.
    pub fn plan_top_up(&self, keys: &dyn KeyStore, top_up: &TopUp, limits: &Limits) -> Result<Plan, PlanRefusal> {
        let chain = top_up.chain;
        let settings = &self.purse.settings;
        if chain == ChainId::Desk && self.frozen_desk.is_some() {
            return Err(PlanRefusal::Frozen);
        }
        let unit = settings.unit_of(chain);
        if unit == 0 || top_up.cents == 0 || !top_up.cents.is_multiple_of(u32::from(unit)) {
            return Err(PlanRefusal::OffStep { unit });
        }
        let there = self.purse.credit(chain).credit;
        let units = u16::try_from(top_up.cents / u32::from(unit))
            .ok()
            .and_then(|units| there.units.checked_add(units))
            .filter(|units| *units <= settings.length_of(chain))
            .ok_or(PlanRefusal::ChainFull)?;
        self.room_for(i64::from(top_up.cents), limits)?;
        let key = NamedKey {
            store: keys,
            name: KeyName {
                batch: self.purse.header.batch,
                role: KeyRole::Chain(chain),
            },
        };
        let length = settings.length_of(chain);
        let token =
            token_at(&key, settings.event, self.purse.uid, chain, length, units)?.ok_or(PlanRefusal::ChainFull)?;
        if self.chain(chain).down(units, token, there.units) != Some(there.token) {
            return Err(PlanRefusal::WrongChainKey);
        }
        let credit = Credit {
            chain,
            units,
            hint: top_up.terminal.to_le_bytes()[0],
            token,
        };
        self.plan_credit(&credit)
    }

    /// Plans to write the best of the credits that wait at the server, without a sale. [`PlanRefusal::Nothing`] when none is newer than what is there.
    pub fn plan_pending(&self, pending: &[PendingCredit], terminal: u16, limits: &Limits) -> Result<Plan, PlanRefusal> {
        let credit = self
            .best_pending(pending, terminal.to_le_bytes()[0])
            .ok_or(PlanRefusal::Nothing)?;
        self.room_for(self.cents_of(&credit), limits)?;
        self.plan_credit(&credit)
    }

    fn plan_credit(&self, credit: &Credit) -> Result<Plan, PlanRefusal> {
        let cents = self.cents_of(credit);
        let mut draft = Draft::begin(self);
        draft.credit(Stage::Commit, Stage::Confirm, credit);
        let plan = draft.finish(cents)?;
        assert_eq!(
            plan.after.purse.credit(credit.chain).credit,
            *credit,
            "the new token is the newest"
        );
        Ok(plan)
    }
}
