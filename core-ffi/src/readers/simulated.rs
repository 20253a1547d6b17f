//! A reader without hardware: a hand lays virtual wristbands on it and takes them away. It says that it is simulated.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chips::field::{Field, FieldFault, Selected};
use chips::simulated::{SimulatedField, VirtualChip};

use super::bell::Bell;
use super::{Happening, HardwareReader, Waker};

/// How long a wait sleeps at once. A ring ends it.
const A_WHILE: Duration = Duration::from_hours(1);

type OnReader = SimulatedField<Box<dyn VirtualChip>>;

#[derive(Default)]
struct Table {
    lies: Option<OnReader>,
    happened: VecDeque<Happening>,
}

#[derive(Clone)]
struct Shared(Arc<Mutex<Table>>);

impl Shared {
    /// A panic while a chip is worked on leaves the chip as torn as a pulled one would be.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Field for Shared {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        match &mut self.table().lies {
            Some(field) => field.transceive(frame),
            None => Err(FieldFault::Gone),
        }
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        match &mut self.table().lies {
            Some(field) => field.reselect(),
            None => Err(FieldFault::Gone),
        }
    }
}

/// A reader without hardware.
pub struct SimulatedReader {
    shared: Shared,
    bell: Arc<Bell>,
}

/// Lays virtual wristbands on a [`SimulatedReader`].
#[derive(Clone)]
pub struct SimulatedHand {
    shared: Shared,
    bell: Arc<Bell>,
}

impl SimulatedReader {
    /// A reader and the hand above it.
    pub fn new() -> (SimulatedHand, Self) {
        let shared = Shared(Arc::default());
        let bell = Arc::new(Bell::default());
        let hand = SimulatedHand {
            shared: shared.clone(),
            bell: Arc::clone(&bell),
        };
        (hand, Self { shared, bell })
    }
}

impl HardwareReader for SimulatedReader {
    fn wait(&mut self) -> Happening {
        loop {
            if let Some(happening) = self.shared.table().happened.pop_front() {
                return happening;
            }
            if self.bell.take() {
                return Happening::Woken;
            }
            self.bell.sleep(A_WHILE);
        }
    }

    fn field(&mut self) -> &mut dyn Field {
        &mut self.shared
    }

    fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.bell))
    }
}

impl SimulatedHand {
    /// Lays a wristband down, in the place of one that lies there; that one comes back.
    pub fn hold(&self, chip: Box<dyn VirtualChip>) -> Option<Box<dyn VirtualChip>> {
        let before = self.take_away();
        let selected = chip.selected();
        let mut table = self.shared.table();
        table.lies = Some(SimulatedField::new(chip));
        table.happened.push_back(Happening::Chip(selected));
        drop(table);
        self.bell.ring();
        before
    }

    /// Takes away what lies there, whatever is being done with it. It keeps what was written by then.
    pub fn take_away(&self) -> Option<Box<dyn VirtualChip>> {
        let mut table = self.shared.table();
        let mut field = table.lies.take()?;
        field.chip.power_off();
        table.happened.push_back(Happening::Left);
        drop(table);
        self.bell.ring();
        Some(field.chip)
    }
}
