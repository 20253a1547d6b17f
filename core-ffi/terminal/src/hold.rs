//! The reader: a wristband comes into the field and leaves it.

use chips::{Chip, PurseKind, ReaderEvent};
use shared_protocol::TagId;

use crate::Terminal;
use crate::book::Busy;
use crate::output::Cue;
use crate::screen::{Notice, Refusal};
use crate::step::Step;

/// After a payment the same wristband is not charged again for this long, and until it left the field once.
const GUARD_MS: u64 = 5_000;

impl Terminal {
    pub(crate) fn reader(&mut self, step: &mut Step<'_>, event: ReaderEvent) {
        match event {
            ReaderEvent::Left => {
                self.lies = None;
                self.balance_is_over_soon(step);
                if let Some(guard) = &mut self.guard {
                    guard.left_field = true;
                }
            }
            ReaderEvent::Several => self.refuse_unless_busy(step, Refusal::SeveralWristbands),
            ReaderEvent::Unsupported => self.refuse_unless_busy(step, Refusal::NotAWristband),
            ReaderEvent::Held(chip) if !chip.capabilities.stable_id => {
                self.refuse_unless_busy(step, Refusal::NotAWristband);
            }
            ReaderEvent::Held(chip) => self.held(step, chip),
        }
    }

    fn refuse_unless_busy(&mut self, step: &mut Step<'_>, refusal: Refusal) {
        if matches!(self.busy, Busy::No) && self.at_counter().is_some() {
            self.refuse(step, refusal);
        }
    }

    fn held(&mut self, step: &mut Step<'_>, chip: Chip) {
        let tag = chip.tag;
        self.lies = Some(chip);
        let working_on = match &self.busy {
            Busy::No => None,
            Busy::Asking(asking) => Some(Some(asking.tag)),
            Busy::Ready(ready) => Some(ready.tag),
            Busy::Writing(tag) => Some(*tag),
            Busy::Purse(at) => Some(Some(at.tag)),
            Busy::Committed(booked) => Some(booked.tag),
        };
        if let Some(mine) = working_on {
            // Keeping it there is what was asked for; another one has to wait for the answer.
            if mine != Some(tag) {
                step.cue(Cue::Again);
            }
            return;
        }
        if self.identity.is_none() || self.config.is_none() {
            return;
        }
        if self.told.locked {
            return self.refuse(step, Refusal::Locked);
        }
        if self.at_counter().is_none() {
            return self.log_in_by(step, tag);
        }
        if let Some(guard) = self.guard.as_ref().filter(|guard| guard.tags.contains(&tag)) {
            if !guard.left_field || step.now.mono_ms < guard.since_ms.saturating_add(GUARD_MS) {
                let notice = Notice::AlreadyPaid {
                    total: guard.total,
                    at_ms: guard.at_ms,
                };
                step.cue(Cue::Already);
                return self.notify(step, notice);
            }
            self.guard = None;
        }
        let colleague = self.crew_of(tag).filter(|_| self.cart.is_none());
        if let Some(staff) = colleague.filter(|staff| self.session.is_some_and(|session| session.staff != *staff)) {
            return self.offer_swap(step, staff);
        }
        if self.is_own_band(tag) {
            step.cue(Cue::Info);
            return self.notify(step, Notice::OwnBand { tag });
        }
        step.cue(Cue::Seen);
        if self.has_purse(chip) {
            return self.read_purse(step, tag);
        }
        self.held_by_id(step, tag);
    }

    /// Whether the wristband itself decides what it has, as far as can be told before it is read.
    fn has_purse(&self, chip: Chip) -> bool {
        chip.capabilities.purse == PurseKind::TwoSlot && self.purses.any()
    }

    /// What was meant for a wristband that was shown a moment ago. One with a purse has to lie on the reader for it.
    pub(crate) fn meant_for(&mut self, step: &mut Step<'_>, tag: TagId) {
        match self.lies.filter(|chip| chip.tag == tag) {
            Some(chip) if self.has_purse(chip) => self.read_purse(step, tag),
            // It has to be held for this, and the screen says so.
            None if self.seen_purses.knows(tag) => {}
            _ => self.hold_to_cart(step, tag),
        }
    }

    /// A wristband that is only known by its id: the books decide.
    pub(crate) fn held_by_id(&mut self, step: &mut Step<'_>, tag: TagId) {
        if self.cart.is_some() {
            self.hold_to_cart(step, tag);
        } else {
            self.show_balance(step, tag);
        }
    }
}
