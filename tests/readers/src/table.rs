//! A reader's table, where a hand lays a chip.

use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use chips::Selected;
use chips::simulated::{Answer, Fault, VirtualChip};

/// Where a hand lays a chip and takes it away, as seen from the hand and from the reader. Clones are the same table.
#[derive(Clone, Default)]
pub struct Table {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    chip: Option<Box<dyn VirtualChip>>,
    /// Where the chip is when it was pulled away by a fault.
    pulled: Option<Box<dyn VirtualChip>>,
    /// Frames the chip got since it was laid down.
    frames: usize,
    fault: Option<(usize, Fault)>,
}

/// What comes back from the field.
pub enum Reply {
    /// The chip answered, if only by silence.
    Chip(Answer),
    /// There is no chip.
    Empty,
}

impl Table {
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no test holds a table and ends")
    }

    /// Lays a chip down.
    pub fn lay(&self, chip: impl VirtualChip + 'static) {
        self.lay_boxed(Box::new(chip));
    }

    fn lay_boxed(&self, chip: Box<dyn VirtualChip>) {
        let mut state = self.state();
        assert!(state.chip.is_none(), "one chip at a time");
        state.chip = Some(chip);
        state.frames = 0;
        self.shared.changed.notify_all();
    }

    /// Takes away what lies there.
    pub fn take_away(&self) {
        let mut state = self.state();
        state.pull();
        self.shared.changed.notify_all();
    }

    /// Lays down again what was taken or pulled away.
    pub fn lay_again(&self) {
        let chip = self.state().pulled.take().expect("something was taken away");
        self.lay_boxed(chip);
    }

    /// The chip goes wrong at its frame with this number, counted from 0 since it was laid down.
    pub fn break_at(&self, frame: usize, fault: Fault) {
        self.state().fault = Some((frame, fault));
    }

    /// How many frames the chip got since it was laid down.
    pub fn frames(&self) -> usize {
        self.state().frames
    }

    /// Whether a chip lies there.
    pub fn holds(&self) -> bool {
        self.state().chip.is_some()
    }

    /// Waits until a chip lies there, for a time.
    pub(crate) fn wait(&self, time: Duration) {
        let state = self.state();
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, time, |state| state.chip.is_none());
        drop(waited.expect("no test holds a table and ends"));
    }

    /// What the anticollision finds.
    pub(crate) fn selected(&self) -> Option<Selected> {
        self.state().chip.as_ref().map(VirtualChip::selected)
    }

    /// The field is off, or the chip is selected anew.
    pub(crate) fn power_off(&self) {
        if let Some(chip) = &mut self.state().chip {
            chip.power_off();
        }
    }

    /// One frame to the chip.
    pub(crate) fn frame(&self, frame: &[u8]) -> Reply {
        let mut state = self.state();
        let number = state.frames;
        state.frames += 1;
        let fault = state.fault.take_if(|(at, _)| *at == number);
        let Some(chip) = &mut state.chip else {
            return Reply::Empty;
        };
        let reply = match fault {
            None => return Reply::Chip(chip.frame(frame)),
            Some((_, Fault::RemovedBefore)) => Reply::Empty,
            Some((_, Fault::RemovedAfter)) => {
                let _lost = chip.frame(frame);
                Reply::Empty
            }
            Some((_, Fault::Torn(tear))) => {
                chip.torn(frame, tear);
                Reply::Empty
            }
            Some((_, fault @ Fault::Swapped)) => unreachable!("a hand lays the other chip down itself: {fault:?}"),
        };
        state.pull();
        reply
    }
}

impl State {
    fn pull(&mut self) {
        if let Some(mut chip) = self.chip.take() {
            chip.power_off();
            self.pulled = Some(chip);
        }
    }
}
