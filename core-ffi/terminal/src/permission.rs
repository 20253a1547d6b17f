//! A wristband is held: what has to be asked, of whom, and what the answer means.
//!
//! ```text
//!   held ──► query (vouchers, top-up) ──► authorise ──► booked
//!                │ no answer in time          │ no answer in time
//!                └────────────────────────────┴──► offline limits ──► booked, or refused
//! ```
//! One deadline runs over both questions, so a guest never waits longer than the event says.

use std::collections::BTreeMap;

use shared_protocol::message::{Authorise, AuthoriseRefusal, AuthoriseResult, Query, QueryResult, Release};
use shared_protocol::order::CancelReason;
use shared_protocol::stream::BlockReason;
use shared_protocol::{Amount, HoldId, OrderId, RequestId, TagId, money};

use crate::Terminal;
use crate::book::Busy;
use crate::cart::{Cart, Purpose, Split};
use crate::draft::{self, Draft, Payer, SPLIT_MAX};
use crate::knowledge::vouchers;
use crate::limits::{Grant, Wish, decide};
use crate::output::Cue;
use crate::screen::{Balance, Notice, Refusal};
use crate::step::Step;
use crate::undo::{History, Past};

/// How long the wristbands of a split are waited for.
const SPLIT_MS: u64 = 60_000;

/// A question to the server that a guest waits for.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub tag: TagId,
    pub deadline_ms: u64,
    stage: Stage,
}

#[derive(Debug, Clone)]
enum Stage {
    /// What has it? For the screen, when there is no cart.
    Balance(RequestId),
    /// What has it? For the cart.
    Query(RequestId),
    /// May I take this?
    Authorise {
        draft: Box<Draft>,
        questions: Vec<Question>,
    },
}

#[derive(Debug, Clone)]
struct Question {
    request: RequestId,
    tag: TagId,
    amount: Amount,
    answer: Option<AuthoriseResult>,
}

impl Terminal {
    /// What a wristband held to the open cart does.
    pub(crate) fn hold_to_cart(&mut self, step: &mut Step<'_>, tag: TagId) {
        if let Err(refusal) = self.try_hold(step, tag) {
            self.refuse(step, refusal);
        }
    }

    fn try_hold(&mut self, step: &mut Step<'_>, tag: TagId) -> Result<(), Refusal> {
        let config = self.config.clone().ok_or(Refusal::NotPermitted)?;
        let purpose = self.cart.as_ref().ok_or(Refusal::CartEmpty)?.purpose.clone();
        if let Some(reason) = self
            .blocked_as(tag)
            .filter(|_| !matches!(purpose, Purpose::Cancel { .. }))
        {
            return Err(Refusal::Blocked(reason));
        }
        self.paid_with(&purpose, tag)?;
        if self.another_part(step, tag)? {
            return Ok(());
        }
        let cart = self.cart.as_ref().ok_or(Refusal::CartEmpty)?;
        let asks_first = match purpose {
            Purpose::TopUp { .. } | Purpose::Swap { .. } => true,
            Purpose::Sale => cart.use_vouchers && cart.split.is_none() && draft::takes_vouchers(&config, &cart.lines),
            Purpose::Cancel { .. } | Purpose::Correct { .. } | Purpose::PayOut { .. } => false,
        };
        let deadline_ms = step.now.mono_ms.saturating_add(config.event.authorise_timeout_ms);
        if asks_first && self.is_live() {
            let request = RequestId(step.id());
            self.send(step, Query { request, tag });
            self.busy = Busy::Asking(Box::new(Asking {
                tag,
                deadline_ms,
                stage: Stage::Query(request),
            }));
            self.notify(step, Notice::Working);
            return Ok(());
        }
        self.ask_permission(step, tag, None, deadline_ms)
    }

    /// What is taken back goes to the wristband that paid, and to no other.
    pub(crate) fn paid_with(&self, purpose: &Purpose, tag: TagId) -> Result<(), Refusal> {
        let (Purpose::Cancel { orders, .. } | Purpose::Correct { orders }) = purpose else {
            return Ok(());
        };
        let past = orders.iter().filter_map(|order| self.history.find(*order));
        if past.into_iter().all(|past| past.holder == Some(tag)) {
            Ok(())
        } else {
            Err(Refusal::OtherWristband)
        }
    }

    /// Takes a wristband into an equal split; true while more are to come.
    fn another_part(&mut self, step: &mut Step<'_>, tag: TagId) -> Result<bool, Refusal> {
        let Some(cart) = &mut self.cart else { return Ok(false) };
        match &mut cart.split {
            Some(Split::Equal { ways, tags }) => {
                // All were there and it was refused: the round starts anew.
                if tags.len() >= usize::from(*ways) {
                    tags.clear();
                }
                if tags.contains(&tag) {
                    return Err(Refusal::SameWristband);
                }
                tags.push(tag);
                if tags.len() < usize::from(*ways) {
                    self.split_due_ms = Some(step.now.mono_ms.saturating_add(SPLIT_MS));
                    step.cue(Cue::Again);
                    self.notify(step, Notice::NextPart);
                    return Ok(true);
                }
            }
            // The wristband that had too little is held again: it may have been topped up, so it starts anew.
            Some(Split::Rest { parts }) if parts.iter().any(|(known, _)| *known == tag) => cart.split = None,
            Some(Split::Rest { .. }) | None => {}
        }
        Ok(false)
    }

    /// The cart as orders, paid by this wristband or by those of the split.
    pub(crate) fn draft_for(
        &self,
        cart: &Cart,
        tag: TagId,
        answer: Option<&QueryResult>,
        step: &Step<'_>,
    ) -> Result<Draft, Refusal> {
        let shop = self.shop()?;
        let window_ms = shop.config.event.cancel_window_ms;
        let olds = |orders: &[OrderId]| -> Result<Vec<&Past>, Refusal> {
            let standing = |order: &OrderId| {
                let past = self.history.find(*order).ok_or(Refusal::NoSuchOrder)?;
                History::cancellable(past, window_ms, step.now).map(|()| past)
            };
            orders.iter().map(standing).collect()
        };
        match &cart.purpose {
            Purpose::Cancel { orders, reason } => draft::cancel(&olds(orders)?, tag, *reason),
            Purpose::Correct { orders } if cart.lines.is_empty() => {
                draft::cancel(&olds(orders)?, tag, CancelReason::GuestChanged)
            }
            Purpose::Correct { orders } => draft::correct(&shop, &cart.lines, &olds(orders)?, tag),
            Purpose::TopUp {
                amount,
                method,
                foreign,
            } => {
                self.top_up_fits(*amount, self.known(tag, step), answer.is_some())?;
                self.top_up_draft(*amount, *method, *foreign, tag)
            }
            Purpose::Swap { .. } => self.swap_draft(tag, answer, step),
            Purpose::PayOut { amount } => {
                draft::money(&shop, amount.negated()?, shared_protocol::order::TenderKind::Cash, tag)
            }
            Purpose::Sale => {
                let holder = match &cart.split {
                    Some(Split::Rest { parts }) => parts.first().map_or(tag, |(first, _)| *first),
                    Some(Split::Equal { tags, .. }) => tags.first().copied().unwrap_or(tag),
                    None => tag,
                };
                let units = match answer {
                    _ if !cart.use_vouchers => BTreeMap::new(),
                    Some(answer) => vouchers(&answer.units),
                    None => self.knowledge.vouchers(
                        holder,
                        self.clock.server_ms(step.now),
                        shop.config.event.offline.known_max_age_ms,
                    ),
                };
                let whole = draft::sale(&shop, &cart.lines, &Payer::Wristband { holder, parts: None }, &units)?;
                let Some(split) = &cart.split else { return Ok(whole) };
                let parts = match split {
                    Split::Equal { ways, tags } => {
                        let shares =
                            money::split(whole.net, &vec![1; usize::from(*ways)], 0).map_err(|_| Refusal::Overflow)?;
                        tags.iter().copied().zip(shares).collect()
                    }
                    Split::Rest { parts } => {
                        let covered = Amount::sum(parts.iter().map(|(_, amount)| *amount))?;
                        let rest = whole.net.minus(covered)?;
                        parts.iter().copied().chain([(tag, rest)]).collect()
                    }
                };
                draft::sale(
                    &shop,
                    &cart.lines,
                    &Payer::Wristband {
                        holder,
                        parts: Some(parts),
                    },
                    &units,
                )
            }
        }
    }

    /// Asks the server for what has to be asked, or decides without it.
    fn ask_permission(
        &mut self,
        step: &mut Step<'_>,
        tag: TagId,
        answer: Option<&QueryResult>,
        deadline_ms: u64,
    ) -> Result<(), Refusal> {
        let cart = self.cart.as_ref().ok_or(Refusal::CartEmpty)?;
        let id = cart.id;
        let mut draft = self.draft_for(cart, tag, answer, step)?;
        draft.settles = self.settled_by_books(answer)?;
        self.permitted(&draft)?;
        if draft.asks.is_empty() {
            self.book(step, draft, Some(tag), answer.is_some());
            return Ok(());
        }
        // Out of time already when the first question stayed without an answer.
        if !self.is_live() || step.now.mono_ms >= deadline_ms {
            return self.decide_offline(step, draft, tag, BTreeMap::new());
        }
        let mut questions = Vec::new();
        for (asked, amount) in &draft.asks {
            let question = Question {
                request: RequestId(step.id()),
                tag: *asked,
                amount: *amount,
                answer: None,
            };
            let ask = Authorise {
                request: question.request,
                cart: id,
                tag: *asked,
                amount: *amount,
            };
            self.send(step, ask);
            questions.push(question);
        }
        let stage = Stage::Authorise {
            draft: Box::new(draft),
            questions,
        };
        self.busy = Busy::Asking(Box::new(Asking {
            tag,
            deadline_ms,
            stage,
        }));
        self.notify(step, Notice::Working);
        Ok(())
    }

    /// The balance of a wristband, when no cart is open.
    pub(crate) fn show_balance(&mut self, step: &mut Step<'_>, tag: TagId) {
        let Some(config) = &self.config else { return };
        if !self.is_live() {
            self.show_known_balance(step, tag);
            return;
        }
        let deadline_ms = step.now.mono_ms.saturating_add(config.event.authorise_timeout_ms);
        let request = RequestId(step.id());
        self.send(step, Query { request, tag });
        self.busy = Busy::Asking(Box::new(Asking {
            tag,
            deadline_ms,
            stage: Stage::Balance(request),
        }));
        self.notify(step, Notice::Working);
    }

    fn show_known_balance(&mut self, step: &mut Step<'_>, tag: TagId) {
        let money = self.known(tag, step).map(|known| Balance {
            amount: known.balance,
            as_of_ms: Some(known.as_of_ms),
        });
        let blocked = self.blocked_as(tag);
        step.cue(Cue::Info);
        self.notify(
            step,
            Notice::Balance {
                tag,
                money,
                owed: Amount::ZERO,
                units: Vec::new(),
                blocked,
                last_sale: None,
            },
        );
    }

    /// The server says what a wristband has.
    pub(crate) fn queried(&mut self, step: &mut Step<'_>, answer: &QueryResult) {
        self.knowledge.queried(answer);
        if self.owed_is_said(step, answer) {
            return;
        }
        let Busy::Asking(asking) = &self.busy else { return };
        let (tag, deadline_ms) = (asking.tag, asking.deadline_ms);
        match &asking.stage {
            Stage::Balance(request) if *request == answer.request && tag == answer.tag => {
                self.busy = Busy::No;
                step.cue(Cue::Info);
                // Entries on their way are known here and not yet there.
                let behind = self.known(tag, step).map_or(answer.free, |known| known.balance);
                self.notify(
                    step,
                    Notice::Balance {
                        tag,
                        money: Some(Balance {
                            amount: behind,
                            as_of_ms: None,
                        }),
                        owed: answer.owed,
                        units: answer.units.clone(),
                        blocked: answer.blocked,
                        last_sale: None,
                    },
                );
            }
            Stage::Query(request) if *request == answer.request && tag == answer.tag => {
                self.busy = Busy::No;
                let goes_on = match answer.blocked {
                    Some(reason) => Err(Refusal::Blocked(reason)),
                    None if self.told.locked => Err(Refusal::Locked),
                    None => self.ask_permission(step, tag, Some(answer), deadline_ms),
                };
                if let Err(refusal) = goes_on {
                    self.refuse(step, refusal);
                }
            }
            _ => {}
        }
    }

    /// The server says yes or no.
    pub(crate) fn authorised(&mut self, step: &mut Step<'_>, answer: AuthoriseResult) {
        if let Busy::Asking(asking) = &mut self.busy
            && let Stage::Authorise { draft, questions } = &mut asking.stage
            && let Some(question) = questions.iter_mut().find(|question| question.request == answer.request)
        {
            let tag = question.tag;
            // A server that cannot say does not know the balance either.
            if answer.hold.is_some() || answer.refusal == Some(AuthoriseRefusal::BalanceTooLow) {
                self.knowledge.authorised(tag, &answer);
            }
            question.answer = Some(answer);
            if questions.iter().all(|question| question.answer.is_some()) {
                let (draft, questions, tag) = (std::mem::take(draft), std::mem::take(questions), asking.tag);
                self.busy = Busy::No;
                self.all_answered(step, *draft, &questions, tag);
            }
        } else if let Some(hold) = answer.hold {
            // Too late: the till has decided without it.
            self.send(step, Release { hold });
        }
    }

    fn all_answered(&mut self, step: &mut Step<'_>, draft: Draft, questions: &[Question], tag: TagId) {
        let answers = || {
            questions
                .iter()
                .filter_map(|question| question.answer.as_ref().map(|answer| (question, answer)))
        };
        let held: BTreeMap<TagId, HoldId> = answers()
            .filter_map(|(question, answer)| Some((question.tag, answer.hold?)))
            .collect();
        let refused = answers().find(|(_, answer)| answer.hold.is_none());
        if self.told.locked {
            self.give_back(step, held.into_values());
            self.refuse(step, Refusal::Locked);
            return;
        }
        let Some((question, answer)) = refused else {
            let grants = held.into_iter().map(|(tag, hold)| (tag, Grant::held(hold))).collect();
            self.granted(step, draft, tag, &grants, true);
            return;
        };
        let done = match answer.refusal.unwrap_or(AuthoriseRefusal::Unavailable) {
            AuthoriseRefusal::Unavailable | AuthoriseRefusal::Other(_) => {
                let grants = held.into_iter().map(|(tag, hold)| (tag, Grant::held(hold))).collect();
                self.decide_offline(step, draft, tag, grants)
            }
            refusal => {
                self.give_back(step, held.into_values());
                Err(match refusal {
                    AuthoriseRefusal::Blocked => Refusal::Blocked(answer.blocked.unwrap_or(BlockReason::Blocked)),
                    AuthoriseRefusal::Terminal => Refusal::Locked,
                    AuthoriseRefusal::BalanceTooLow => {
                        // What is on its way to the server from here is gone from the wristband too.
                        let free = self
                            .known(question.tag, step)
                            .map_or(answer.free, |known| known.balance.min(answer.free));
                        let missing = question.amount.minus(free).unwrap_or(question.amount).max(Amount(1));
                        self.offer_rest(step, question.tag, free, tag);
                        Refusal::BalanceTooLow {
                            missing,
                            has: Balance {
                                amount: free,
                                as_of_ms: None,
                            },
                        }
                    }
                    _ => Refusal::Overflow,
                })
            }
        };
        if let Err(refusal) = done {
            self.refuse(step, refusal);
        }
    }

    /// The wristband has too little: what it has is kept in mind, and the next one pays the rest. Nothing is taken of anybody.
    fn offer_rest(&mut self, step: &Step<'_>, short: TagId, has: Amount, held: TagId) {
        let Some(cart) = self.cart.as_mut().filter(|cart| cart.purpose == Purpose::Sale) else {
            return;
        };
        let mut parts = match cart.split.take() {
            Some(Split::Rest { parts }) => parts,
            Some(Split::Equal { .. }) => return,
            None => Vec::new(),
        };
        // An earlier part that is no longer covered ends the split.
        if short == held && has.is_positive() && parts.len() + 1 < SPLIT_MAX {
            parts.push((short, has));
        } else if short != held {
            parts.clear();
        }
        if !parts.is_empty() {
            cart.split = Some(Split::Rest { parts });
            self.split_due_ms = Some(step.now.mono_ms.saturating_add(SPLIT_MS));
        }
    }

    /// Decides by the offline limits what the server has not granted.
    fn decide_offline(
        &mut self,
        step: &mut Step<'_>,
        draft: Draft,
        tag: TagId,
        mut grants: BTreeMap<TagId, Grant>,
    ) -> Result<(), Refusal> {
        let config = self.config.clone().ok_or(Refusal::NotPermitted)?;
        let gross_of_order = draft.gross(None);
        for (asked, amount) in &draft.asks {
            if grants.contains_key(asked) {
                continue;
            }
            let gross = draft.gross(Some(*asked));
            let wish = Wish {
                tag: *asked,
                net: *amount,
                gross,
                gross_of_order,
                pay_out: draft.pays_out(),
            };
            match decide(&config.event.offline, &self.exposure, wish, self.known(*asked, step)) {
                Ok(grant) => drop(grants.insert(*asked, grant)),
                Err(refusal) => {
                    self.give_back(step, grants.into_values().filter_map(|grant| grant.hold));
                    if let Refusal::BalanceTooLow { has, .. } = &refusal {
                        self.offer_rest(step, *asked, has.amount, tag);
                    }
                    return Err(refusal);
                }
            }
        }
        if self.over_in_sum(&config.event.offline, &draft, &grants) {
            let possible = config
                .event
                .offline
                .terminal_max
                .minus(self.exposure.total())?
                .max(Amount::ZERO);
            self.give_back(step, grants.into_values().filter_map(|grant| grant.hold));
            return Err(Refusal::OfflineLimit {
                limit: crate::screen::OfflineLimit::Terminal,
                possible,
            });
        }
        self.granted(step, draft, tag, &grants, false);
        Ok(())
    }

    /// Whether the parts of a split, each within the limit, are over the terminal's limit together.
    fn over_in_sum(
        &self,
        limits: &shared_protocol::config::OfflineLimits,
        draft: &Draft,
        grants: &BTreeMap<TagId, Grant>,
    ) -> bool {
        let own_risk = grants
            .iter()
            .filter(|(_, grant)| grant.hold.is_none())
            .map(|(tag, _)| draft.gross(Some(*tag)));
        Amount::sum(own_risk.chain([self.exposure.total()])).is_ok_and(|sum| sum > limits.terminal_max)
            && draft.asks.len() > 1
    }

    fn granted(
        &mut self,
        step: &mut Step<'_>,
        mut draft: Draft,
        tag: TagId,
        grants: &BTreeMap<TagId, Grant>,
        by_server: bool,
    ) {
        draft.grant(grants);
        self.book(step, draft, Some(tag), by_server);
    }

    fn give_back(&mut self, step: &mut Step<'_>, holds: impl Iterator<Item = HoldId>) {
        for hold in holds {
            self.send(step, Release { hold });
        }
    }

    /// The deadline passed, or the connection is gone: what was asked is decided without an answer.
    pub(crate) fn stop_asking(&mut self, step: &mut Step<'_>) {
        let Busy::Asking(asking) = std::mem::take(&mut self.busy) else {
            return;
        };
        let tag = asking.tag;
        let done = match asking.stage {
            Stage::Balance(_) => {
                self.show_known_balance(step, tag);
                Ok(())
            }
            _ if self.told.locked => Err(Refusal::Locked),
            Stage::Query(_) => self.ask_permission(step, tag, None, 0),
            Stage::Authorise { draft, questions } => {
                let held = |question: &Question| Some((question.tag, Grant::held(question.answer.as_ref()?.hold?)));
                self.decide_offline(step, *draft, tag, questions.iter().filter_map(held).collect())
            }
        };
        if let Err(refusal) = done {
            self.refuse(step, refusal);
        }
    }

    /// The wristbands of a split did not come.
    pub(crate) fn end_split_if_due(&mut self, step: &mut Step<'_>) {
        if self.split_due_ms.is_none_or(|due| step.now.mono_ms < due) || !matches!(self.busy, Busy::No) {
            return;
        }
        self.split_due_ms = None;
        if let Some(split) = self.cart.as_mut().and_then(|cart| cart.split.take())
            && matches!(&split, Split::Equal { tags, .. } if !tags.is_empty())
        {
            self.refuse(step, Refusal::SplitTimeout);
        }
    }
}
