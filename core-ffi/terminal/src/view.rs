//! The screen from the state: built anew in each step, given out when it differs from the one before.

use std::sync::Arc;

use shared_protocol::Amount;
use shared_protocol::stream::BlockReason;

use crate::Terminal;
use crate::cart::{Cart, Purpose, Split};
use crate::draft;
use crate::drawer::Drawer;
use crate::journal::Chain;
use crate::output::Output;
use crate::screen::{CartKind, CartView, DoneKind, Notice, Page, PastOrder, Pill, Screen, SplitView, Unsent};
use crate::step::Step;
use crate::tip;

/// How long the result of a payment fills the screen when nothing is touched.
const RESULT_MS: u64 = 2_500;
/// How long a balance is shown.
const BALANCE_MS: u64 = 10_000;
/// How long a PIN is waited for.
const PIN_MS: u64 = 60_000;

/// What is known of past orders, until it changes.
#[derive(Debug, Clone, Default)]
pub(crate) struct PastShown {
    list: Arc<Vec<PastOrder>>,
    unsent: Option<Unsent>,
    /// How many changes of the history, the time to cancel, what the server has, and of which epochs.
    made_from: Option<(u64, u64, u64, (usize, u32))>,
    /// After this moment one of them can no longer be taken back.
    holds_until_ms: Option<u64>,
}

impl Terminal {
    /// Says what the last hold or action came to.
    pub(crate) fn notify(&mut self, step: &mut Step<'_>, notice: Notice) {
        let stays_ms = match &notice {
            // Whoever counted has to read the difference, and what the guest of a swap is to be told, however long that takes.
            Notice::Done(done)
                if matches!(
                    done.kind,
                    DoneKind::DrawerCounted { .. } | DoneKind::Swapped { .. } | DoneKind::Blocked { .. }
                ) =>
            {
                None
            }
            // Whoever counts change looks at it more than once.
            Notice::Done(done) if done.change.is_positive() => None,
            Notice::Done(_) | Notice::AlreadyPaid { .. } => Some(RESULT_MS),
            Notice::PinWanted { .. } => Some(PIN_MS),
            Notice::OwnBand { .. } | Notice::SwapCashier { .. } | Notice::CopyReceived { .. } => Some(BALANCE_MS),
            // Who tops up counts money in between; the wristband that lies there is still the one it is for.
            Notice::Balance { tag, .. } => self.lies.is_none_or(|chip| chip.tag != *tag).then_some(BALANCE_MS),
            Notice::None
            | Notice::Working
            | Notice::Refused(_)
            | Notice::NextPart
            | Notice::HoldAgain { .. }
            | Notice::LastCart { .. } => None,
        };
        if !matches!(notice, Notice::PinWanted { .. }) {
            self.pins.put_away();
        }
        self.notice_ends_ms = stays_ms.map(|stays| step.now.mono_ms.saturating_add(stays));
        self.notice = notice;
    }

    /// The wristband whose balance is shown has left.
    pub(crate) fn balance_is_over_soon(&mut self, step: &Step<'_>) {
        if matches!(self.notice, Notice::Balance { .. }) && self.notice_ends_ms.is_none() {
            self.notice_ends_ms = Some(step.now.mono_ms.saturating_add(BALANCE_MS));
        }
    }

    pub(crate) fn end_notice_if_due(&mut self, step: &mut Step<'_>) {
        if self.notice_ends_ms.is_some_and(|ends| step.now.mono_ms >= ends) {
            self.notify(step, Notice::None);
        }
    }

    /// Gives the screen out when it changed.
    pub(crate) fn show(&mut self, step: &mut Step<'_>) {
        let screen = self.screen(step);
        if self.shown.as_deref() != Some(&screen) {
            let screen = Box::new(screen);
            self.shown = Some(screen.clone());
            step.out.push(Output::Screen(screen));
        }
    }

    /// The list of past orders, made anew when something of it may have changed: it is long, and most steps change nothing of it.
    fn view_past(&mut self, step: &Step<'_>) {
        let window_ms = self.config.as_ref().map_or(0, |config| config.event.cancel_window_ms);
        let acked = self.journal.iter().map(Chain::acked).fold(0, u64::wrapping_add);
        let newest = self.journal.last().map_or(0, |chain| chain.start().epoch);
        let made_from = (self.history.changes(), window_ms, acked, (self.journal.len(), newest));
        let now_ms = step.now.mono_ms;
        let known = &self.past_shown;
        if known.made_from == Some(made_from) && known.holds_until_ms.is_none_or(|until| now_ms <= until) {
            return;
        }
        let list = self.history.view(window_ms, step.now, |place| self.is_sent(place));
        let list = if *known.list == list {
            Arc::clone(&known.list)
        } else {
            Arc::new(list)
        };
        self.past_shown = PastShown {
            list,
            unsent: self.orders_unsent(),
            made_from: Some(made_from),
            holds_until_ms: self.history.first_too_late_ms(window_ms, step.now),
        };
    }

    /// The orders that the server lacks, of the last ones.
    pub(crate) fn orders_unsent(&self) -> Option<Unsent> {
        self.history.unsent(|place| self.is_sent(place))
    }

    fn screen(&mut self, step: &Step<'_>) -> Screen {
        self.view_past(step);
        Screen {
            training: self.training,
            pill: self.pill(),
            page: self.page(),
            till: self.identity.as_ref().map(|identity| identity.registration.till),
            cashier: self.at_counter().map(|session| session.staff),
            config: self.config.as_ref().map(|config| config.version),
            cart: self.cart.as_ref().map(|cart| self.cart_view(cart)),
            notice: self.notice.clone(),
            shift: self.shift_view(),
            received: self.handovers.view(),
            parked: self.parked_view(),
            drawer: self.drawer.as_ref().map(Drawer::view),
            history: Arc::clone(&self.past_shown.list),
            unsent: self.past_shown.unsent,
            fault: self.fault,
            clock_ahead_min: self.clock.ahead_min(step.now),
        }
    }

    /// Whether the server has the entry at a place. An epoch that is forgotten here was all sent.
    pub(crate) fn is_sent(&self, (epoch, seq): (u32, u64)) -> bool {
        let chain = self.journal.iter().find(|chain| chain.start().epoch == epoch);
        chain.is_none_or(|chain| chain.acked() >= seq)
    }

    fn pill(&self) -> Pill {
        let entries = self.unsent();
        if !self.is_live() {
            return Pill::Offline {
                entries,
                since_ms: self.link.lost_since_ms,
                refused: self.link.refused,
            };
        }
        if entries == 0 {
            Pill::Online
        } else {
            Pill::Sending { entries }
        }
    }

    fn page(&self) -> Page {
        let Some(identity) = &self.identity else {
            return Page::Unregistered(self.registrar.view());
        };
        let Some(config) = &self.config else {
            return Page::NoConfig;
        };
        if self.told.locked {
            Page::Locked
        } else if !config.tills.contains_key(&identity.registration.till) {
            Page::NoTill
        } else if self.at_counter().is_none() {
            Page::LoggedOut
        } else {
            Page::Sale
        }
    }

    fn cart_view(&self, cart: &Cart) -> CartView {
        let shop = self.shop().ok();
        let (goods, deposits) = shop
            .and_then(|shop| draft::totals(&shop, &cart.lines).ok())
            .unwrap_or_default();
        let (kind, total) = match &cart.purpose {
            Purpose::Sale => (CartKind::Sale, goods),
            Purpose::Correct { orders } => (CartKind::Correct { orders: orders.clone() }, goods),
            Purpose::TopUp { amount, method, .. } => (CartKind::TopUp { method: *method }, *amount),
            Purpose::Swap { old, reason, .. } => {
                let (old, lost) = (*old, *reason == BlockReason::Lost);
                (CartKind::Swap { old, lost }, Amount::ZERO)
            }
            Purpose::PayOut { amount } => (CartKind::PayOut, amount.negated().unwrap_or_default()),
            Purpose::Cancel { orders, reason } => {
                let olds = orders
                    .iter()
                    .filter_map(|order| self.history.find(*order))
                    .map(|past| past.total);
                let back = Amount::sum(olds).and_then(Amount::negated).unwrap_or_default();
                (
                    CartKind::Cancel {
                        orders: orders.clone(),
                        reason: *reason,
                    },
                    back,
                )
            }
        };
        let split = cart.split.as_ref().map(|split| match split {
            Split::Equal { ways, tags } => SplitView {
                parts: tags.iter().map(|tag| (*tag, Amount::ZERO)).collect(),
                of: Some(*ways),
                missing: total,
            },
            Split::Rest { parts } => {
                let covered = Amount::sum(parts.iter().map(|(_, amount)| *amount)).unwrap_or_default();
                SplitView {
                    parts: parts.clone(),
                    of: None,
                    missing: total.minus(covered).unwrap_or_default(),
                }
            }
        });
        let tip = self
            .config
            .as_deref()
            .zip(self.till())
            .filter(|_| cart.is_goods())
            .and_then(|(config, till)| tip::view(config, till, cart, goods));
        CartView {
            kind,
            lines: cart.lines.clone(),
            total,
            deposits,
            use_vouchers: cart.use_vouchers,
            settling: self.cart_is_settling(),
            needed: self.needed(cart, total),
            given: self.given(cart),
            split,
            tip,
        }
    }
}
