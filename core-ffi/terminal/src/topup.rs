//! Money in and out at the desk.

use shared_protocol::config::OfflineTopUp;
use shared_protocol::currency::Foreign;
use shared_protocol::message::QueryResult;
use shared_protocol::order::TenderKind;
use shared_protocol::{Amount, TagId};

use crate::Terminal;
use crate::cart::Purpose;
use crate::currency;
use crate::draft::{self, Draft};
use crate::limits::Known;
use crate::screen::{Notice, Refusal, Settled};
use crate::step::Step;

impl Terminal {
    /// Arms a top-up. With a wristband's balance on the screen the money is for that wristband, and nothing has to be held again.
    pub(crate) fn top_up(&mut self, step: &mut Step<'_>, amount: Amount, method: TenderKind) -> Result<(), Refusal> {
        if !matches!(method, TenderKind::Cash | TenderKind::Card) {
            return Err(Refusal::TenderNotHere(method));
        }
        self.begin_top_up(step, amount, method, None)
    }

    pub(crate) fn begin_top_up(
        &mut self,
        step: &mut Step<'_>,
        amount: Amount,
        method: TenderKind,
        foreign: Option<Foreign>,
    ) -> Result<(), Refusal> {
        let event = &self.config.as_ref().ok_or(Refusal::NotPermitted)?.event;
        if amount < event.top_up_min || amount > event.top_up_max {
            return Err(Refusal::TopUpRange {
                min: event.top_up_min,
                max: event.top_up_max,
            });
        }
        let purpose = Purpose::TopUp {
            amount,
            method,
            foreign,
        };
        self.begin_money(step, purpose)
    }

    /// Arms a pay-out.
    pub(crate) fn pay_out(&mut self, step: &mut Step<'_>, amount: Amount) -> Result<(), Refusal> {
        let event = &self.config.as_ref().ok_or(Refusal::NotPermitted)?.event;
        if !amount.is_positive() {
            return Err(Refusal::TopUpRange {
                min: Amount(1),
                max: event.balance_max,
            });
        }
        self.begin_money(step, Purpose::PayOut { amount })
    }

    fn begin_money(&mut self, step: &mut Step<'_>, purpose: Purpose) -> Result<(), Refusal> {
        self.free_of_carts()?;
        let shown = match (&self.notice, &purpose) {
            (Notice::Balance { tag, .. }, Purpose::TopUp { .. }) => Some(*tag),
            _ => None,
        };
        self.arm(step, purpose);
        if let Some(tag) = shown {
            self.meant_for(step, tag);
        }
        Ok(())
    }

    /// The open top-up as an order: the money, and the notes that were given for it where those are foreign.
    pub(crate) fn top_up_draft(
        &self,
        amount: Amount,
        method: TenderKind,
        foreign: Option<Foreign>,
        tag: TagId,
    ) -> Result<Draft, Refusal> {
        let shop = self.shop()?;
        let draft = draft::money(&shop, amount, method, tag)?;
        match foreign {
            Some(given) => currency::top_up(&shop, draft, amount, given),
            None => Ok(draft),
        }
    }

    /// Whether a top-up may be taken: what the till knows when it is connected, what the event lets it do when it is not.
    pub(crate) fn top_up_fits(&self, amount: Amount, known: Option<Known>, answered: bool) -> Result<(), Refusal> {
        let event = &self.config.as_ref().ok_or(Refusal::NotPermitted)?.event;
        if !answered && event.offline.top_up == OfflineTopUp::OnlineOnly {
            return Err(Refusal::OnlineOnly);
        }
        let has = known.map_or(Amount::ZERO, |known| known.balance);
        let possible = event.balance_max.minus(has)?.max(Amount::ZERO);
        if amount > possible {
            Err(Refusal::BalanceCeiling { possible })
        } else {
            Ok(())
        }
    }

    /// What of the open top-up the books will give to what is owed from earlier, as far as the server has said.
    pub(crate) fn settled_by_books(&self, answer: Option<&QueryResult>) -> Result<Option<Settled>, Refusal> {
        let first = self
            .config
            .as_ref()
            .is_some_and(|config| config.event.settle_overdraft_first);
        let Some(Purpose::TopUp { amount, .. }) = self.cart.as_ref().map(|cart| &cart.purpose) else {
            return Ok(None);
        };
        let owed = answer.map_or(Amount::ZERO, |answer| answer.owed);
        let settled = owed.min(*amount);
        let settles = Settled {
            settled,
            left: owed.minus(settled)?,
        };
        Ok((first && settled.is_positive()).then_some(settles))
    }

    /// What a wristband has, from whatever source is newest.
    pub(crate) fn known(&self, tag: TagId, step: &Step<'_>) -> Option<Known> {
        let sent_round = self.streams.balance(tag);
        self.knowledge
            .balance(tag, sent_round, &self.exposure, self.clock.server_ms(step.now))
    }
}
