//! Slips of receipts ([`shared_protocol::slip`]): made of orders that the server does not have, so that their guests can open a receipt before it does.

use std::sync::Arc;

use shared_protocol::OrderId;
use shared_protocol::crypto::{Hash32, Signature};
use shared_protocol::order::Order;
use shared_protocol::slip::{Body, Replaced, Shown, Unsigned};

use crate::Terminal;
use crate::step::{Now, Step};
use crate::sync::{RETRY_MS, Signing};
use crate::undo::Past;

/// How long an order waits for the server before its slip is signed. With a network the acknowledgement is there long before, and nothing is signed in
/// vain; without one the guest has not got their telephone out by then.
const WAITED_MS: u64 = 500;

/// How long the key rests between two slips: a phone's takes some 100 ms a signature, and after a start up to 64 slips are wanted. A wristband that is held
/// meanwhile does not wait for all of them.
const PAUSE_MS: u64 = 250;

/// How far the slip of an order is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnSlip {
    /// It gets none: no guest is handed a receipt of it, or it has more lines than a code holds.
    None,
    /// It is signed when the server does not have the order in time.
    Due(Box<Body>),
    /// Its text.
    Ready(Arc<str>),
}

impl OwnSlip {
    /// Its text, once it is signed.
    pub fn text(&self) -> Option<Arc<str>> {
        match self {
            Self::Ready(text) => Some(Arc::clone(text)),
            Self::None | Self::Due(_) => None,
        }
    }
}

/// When slips are signed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slips {
    /// One is with the key.
    asked: bool,
    rests_until_ms: u64,
}

/// What the slip of an order says; none where no guest is handed a receipt of it.
pub(crate) fn body_of(order: &Order, replaced: Option<&Past>, place: (u32, u64), link: Hash32) -> Option<Box<Body>> {
    let replaced = replaced.map(|old| Replaced::of(&old.lines, &old.tenders));
    let (epoch, seq) = place;
    Some(Box::new(Body {
        epoch,
        seq,
        link,
        shown: Shown::of(order, replaced)?,
    }))
}

impl Terminal {
    /// Whether a slip may be signed once one is due. Who practises sells nothing and gives no receipt.
    fn may_sign_slips(&self) -> bool {
        !self.training && !self.slips.asked && self.terminal_id().is_some()
    }

    /// Signs the newest slip that is due: its guest is the one who may still be here.
    pub(crate) fn sign_slips(&mut self, step: &mut Step<'_>) {
        if !self.may_sign_slips() || step.now.mono_ms < self.slips.rests_until_ms {
            return;
        }
        let wanted = self
            .history
            .slip_wanted(step.now, WAITED_MS, |place| self.is_sent(place));
        let unsigned = wanted.and_then(|order| Some((order, self.unsigned_slip(order)?)));
        if let Some((order, unsigned)) = unsigned {
            self.slips.asked = true;
            self.sign(step, Signing::Slip { order }, unsigned.message());
        }
    }

    fn unsigned_slip(&self, order: OrderId) -> Option<Unsigned> {
        match self.history.slip(order)? {
            OwnSlip::Due(body) => Some(Unsigned::new(self.terminal_id()?, order, body)),
            OwnSlip::None | OwnSlip::Ready(_) => None,
        }
    }

    /// When the next slip has to be signed.
    pub(crate) fn slip_due_ms(&self) -> Option<u64> {
        let due_ms = self.history.first_slip_ms(WAITED_MS, |place| self.is_sent(place));
        due_ms
            .filter(|_| self.may_sign_slips())
            .map(|due_ms| due_ms.max(self.slips.rests_until_ms))
    }

    /// The key has signed a slip.
    pub(crate) fn slip_signed(&mut self, now: &Now, order: OrderId, signature: Signature) {
        self.slips = Slips {
            asked: false,
            rests_until_ms: now.mono_ms.saturating_add(PAUSE_MS),
        };
        if let Some(unsigned) = self.unsigned_slip(order) {
            let text = unsigned.signed(signature);
            let slip = text.map_or(OwnSlip::None, |text| OwnSlip::Ready(text.into()));
            self.history.set_slip(order, slip);
        }
    }

    /// The key did not sign it: it is tried again. That the key does not work is said where a head waits for it.
    pub(crate) fn slip_failed(&mut self, now: &Now) {
        self.slips = Slips {
            asked: false,
            rests_until_ms: now.mono_ms.saturating_add(RETRY_MS),
        };
    }
}
