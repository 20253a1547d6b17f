//! A reader around a virtual chip: it counts, models time, and breaks where it is told to.

use std::collections::BTreeMap;

use super::{AirModel, Answer, Tear, VirtualChip};
use crate::field::{ACK, Field, FieldFault, Selected};

/// What goes wrong at one exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The chip is pulled away before the frame reaches it.
    RemovedBefore,
    /// The chip does what the frame says; its answer is lost and it is pulled away.
    RemovedAfter,
    /// The chip is pulled away while it writes.
    Torn(Tear),
    /// The other chip lies on the reader when the frame is sent.
    Swapped,
}

/// One frame and its answer, for tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exchange {
    /// The command's first byte.
    pub command: u8,
    /// Bytes sent, without CRC.
    pub sent: usize,
    /// Bytes answered, without CRC.
    pub answered: usize,
    /// Modelled time.
    pub air_us: u64,
}

/// A simulated reader with a virtual chip on it.
#[derive(Debug, Clone)]
pub struct SimulatedField<C> {
    /// The chip on the reader.
    pub chip: C,
    /// The chip that [`Fault::Swapped`] brings.
    pub other: Option<C>,
    /// Whether a chip lies on the reader.
    pub present: bool,
    /// What goes wrong, by the number of the exchange since the last [`SimulatedField::restart`].
    pub faults: BTreeMap<usize, Fault>,
    /// How long things take.
    pub model: AirModel,
    trace: Vec<Exchange>,
}

impl<C: VirtualChip> SimulatedField<C> {
    /// A reader with this chip on it.
    pub fn new(chip: C) -> Self {
        Self {
            chip,
            other: None,
            present: true,
            faults: BTreeMap::new(),
            model: AirModel::CAUTIOUS,
            trace: Vec::new(),
        }
    }

    /// The chip is held again: the field was off, nothing is planned to go wrong, and counting starts anew.
    pub fn restart(&mut self) {
        self.chip.power_off();
        self.present = true;
        self.faults.clear();
        self.trace.clear();
    }

    /// How many frames were sent.
    pub fn exchanges(&self) -> usize {
        self.trace.len()
    }

    /// The modelled time of all of them.
    pub fn air_us(&self) -> u64 {
        self.trace.iter().map(|exchange| exchange.air_us).sum()
    }

    /// Each of them.
    pub fn trace(&self) -> &[Exchange] {
        &self.trace
    }

    fn leave(&mut self) {
        self.chip.power_off();
        self.present = false;
    }

    fn note(&mut self, frame: &[u8], answered: usize, writes: u32) {
        self.trace.push(Exchange {
            command: frame.first().copied().unwrap_or_default(),
            sent: frame.len(),
            answered,
            air_us: self.model.exchange(frame, answered, writes),
        });
    }
}

impl<C: VirtualChip> Field for SimulatedField<C> {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        if !self.present {
            return Err(FieldFault::Gone);
        }
        let fault = self.faults.remove(&self.trace.len());
        let writes = self.chip.writes(frame);
        match fault {
            Some(Fault::RemovedBefore) => {
                self.note(frame, 0, 0);
                self.leave();
                return Err(FieldFault::Gone);
            }
            Some(Fault::Torn(tear)) => {
                self.note(frame, 0, 0);
                self.chip.torn(frame, tear);
                self.leave();
                return Err(FieldFault::Silent);
            }
            Some(Fault::RemovedAfter) => {
                self.note(frame, 0, writes);
                let _ = self.chip.frame(frame);
                self.leave();
                return Err(FieldFault::Silent);
            }
            Some(Fault::Swapped) => {
                if let Some(other) = self.other.as_mut() {
                    std::mem::swap(&mut self.chip, other);
                    self.chip.power_off();
                    other.power_off();
                }
            }
            None => {}
        }
        let answer = self.chip.frame(frame);
        let (bytes, result) = match answer {
            Answer::Bytes(bytes) => (bytes.len(), Ok(bytes)),
            Answer::Ack => (1, Ok(vec![ACK])),
            Answer::Nak(code) => (1, Err(FieldFault::Nak(code))),
            Answer::Silence => (0, Err(FieldFault::Silent)),
        };
        self.note(frame, bytes, if result.is_ok() { writes } else { 0 });
        result
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        if !self.present {
            return Err(FieldFault::Gone);
        }
        self.chip.power_off();
        Ok(self.chip.selected())
    }
}
