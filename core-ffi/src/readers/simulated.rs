//! A reader without hardware: a hand lays virtual wristbands on it and takes them away. It says that it is simulated.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chips::field::{Field, FieldFault, Selected};
use chips::simulated::{Fault, SimulatedField, VirtualChip};

use super::bell::Bell;
use super::{Happening, HardwareReader, Over, ReaderInfo, Waker};

/// What it is called.
const NAME: &str = "simulated reader";

type OnReader = SimulatedField<Box<dyn VirtualChip>>;
type Moment = Box<dyn Fn(&[u8]) -> bool + Send>;

/// What is pulled away in the middle of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// The wristband.
    Wristband,
    /// The reader's own plug; the wristband stays where it lies.
    Plug,
}

#[derive(Default)]
struct Table {
    lies: Option<OnReader>,
    /// At which frame something is pulled away, and what.
    breaks: Option<(Moment, Pulled)>,
    unplugged: bool,
    happened: VecDeque<Happening>,
}

impl Table {
    fn unplug(&mut self) {
        if std::mem::replace(&mut self.unplugged, true) {
            return;
        }
        if let Some(field) = &mut self.lies {
            field.chip.power_off();
            self.happened.push_back(Happening::Left);
        }
        self.happened.push_back(Happening::Unplugged { name: NAME.to_owned() });
    }

    fn plug(&mut self) {
        if !std::mem::replace(&mut self.unplugged, false) {
            return;
        }
        self.happened.push_back(Happening::Plugged(info()));
        if let Some(field) = &mut self.lies {
            field.restart();
            self.happened.push_back(Happening::Chip(field.chip.selected()));
        }
    }

    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        if self.unplugged {
            return Err(FieldFault::Reader("the reader is unplugged".to_owned()));
        }
        let Some(field) = &mut self.lies else {
            return Err(FieldFault::Gone);
        };
        let breaks = self.breaks.take_if(|(moment, _)| moment(frame));
        if breaks.is_some() {
            field.faults.insert(field.exchanges(), Fault::RemovedAfter);
        }
        let answer = field.transceive(frame);
        match breaks {
            Some((_, Pulled::Wristband)) => self.happened.push_back(Happening::Left),
            Some((_, Pulled::Plug)) => self.unplug(),
            None => {}
        }
        answer
    }
}

fn info() -> ReaderInfo {
    ReaderInfo {
        name: NAME.to_owned(),
        over: Over::Nothing,
        holds: false,
    }
}

#[derive(Clone)]
struct Shared {
    table: Arc<Mutex<Table>>,
    bell: Arc<Bell>,
}

impl Shared {
    /// A panic while a chip is worked on leaves the chip as torn as a pulled one would be.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Field for Shared {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        self.table().transceive(frame)
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        let mut table = self.table();
        if table.unplugged {
            return Err(FieldFault::Gone);
        }
        table.lies.as_mut().map_or(Err(FieldFault::Gone), Field::reselect)
    }
}

/// A reader without hardware.
pub struct SimulatedReader {
    shared: Shared,
}

/// Lays virtual wristbands on a [`SimulatedReader`].
#[derive(Clone)]
pub struct SimulatedHand {
    shared: Shared,
}

impl SimulatedReader {
    /// A reader and the hand above it. It is plugged in.
    pub fn new() -> (SimulatedHand, Self) {
        let table = Table {
            happened: VecDeque::from([Happening::Plugged(info())]),
            ..Table::default()
        };
        let shared = Shared {
            table: Arc::new(Mutex::new(table)),
            bell: Arc::default(),
        };
        (SimulatedHand { shared: shared.clone() }, Self { shared })
    }
}

impl HardwareReader for SimulatedReader {
    fn wait(&mut self) -> Happening {
        self.shared.bell.wait(|| self.shared.table().happened.pop_front())
    }

    fn field(&mut self) -> &mut dyn Field {
        &mut self.shared
    }

    fn waker(&self) -> Waker {
        Waker::new(Arc::clone(&self.shared.bell))
    }
}

impl SimulatedHand {
    /// Lays a wristband down, in the place of one that lies there; that one comes back.
    pub fn hold(&self, chip: Box<dyn VirtualChip>) -> Option<Box<dyn VirtualChip>> {
        self.lay(chip, None)
    }

    /// The same, but at the first frame of a kind the chip does what the frame says and cannot answer any more: it, or the reader's plug, is
    /// pulled away.
    pub fn hold_until(
        &self,
        chip: Box<dyn VirtualChip>,
        pulled: Pulled,
        moment: impl Fn(&[u8]) -> bool + Send + 'static,
    ) -> Option<Box<dyn VirtualChip>> {
        self.lay(chip, Some((Box::new(moment), pulled)))
    }

    fn lay(&self, chip: Box<dyn VirtualChip>, breaks: Option<(Moment, Pulled)>) -> Option<Box<dyn VirtualChip>> {
        let before = self.take_away();
        let selected = chip.selected();
        let mut table = self.shared.table();
        table.lies = Some(SimulatedField::new(chip));
        table.breaks = breaks;
        if !table.unplugged {
            table.happened.push_back(Happening::Chip(selected));
        }
        drop(table);
        self.shared.bell.ring();
        before
    }

    /// Takes away what lies there, whatever is being done with it. It keeps what was written by then.
    pub fn take_away(&self) -> Option<Box<dyn VirtualChip>> {
        let mut table = self.shared.table();
        let mut field = table.lies.take()?;
        field.chip.power_off();
        table.breaks = None;
        // One that was pulled away in the middle has left already.
        if field.present && !table.unplugged {
            table.happened.push_back(Happening::Left);
        }
        drop(table);
        self.shared.bell.ring();
        Some(field.chip)
    }

    /// Pulls the reader's plug, or puts it back. What lies on it is seen again then.
    pub fn plug(&self, plugged: bool) {
        let mut table = self.shared.table();
        if plugged {
            table.plug();
        } else {
            table.unplug();
        }
        drop(table);
        self.shared.bell.ring();
    }
}

#[cfg(test)]
mod tests {
    use chips::simulated::IdentityChip;
    use shared_protocol::TagId;

    use super::*;

    const GET_VERSION: [u8; 1] = [0x60];

    fn chip() -> Box<dyn VirtualChip> {
        Box::new(IdentityChip::ntag213(
            TagId::from_slice(&[4, 1, 2, 3, 4, 5, 6]).unwrap(),
        ))
    }

    /// What happens next, apart from bells.
    fn next(reader: &mut SimulatedReader) -> Happening {
        loop {
            match reader.wait() {
                Happening::Woken => {}
                happening => return happening,
            }
        }
    }

    fn rest(reader: &SimulatedReader) -> usize {
        reader.shared.table().happened.len()
    }

    #[test]
    fn a_reader_that_is_plugged_in_again_sees_the_wristband_that_still_lies_there() {
        let (hand, mut reader) = SimulatedReader::new();
        assert!(matches!(next(&mut reader), Happening::Plugged(info) if info.over == Over::Nothing));
        assert!(hand.hold(chip()).is_none());
        assert!(matches!(next(&mut reader), Happening::Chip(_)));
        assert!(reader.field().transceive(&GET_VERSION).is_ok());
        hand.plug(false);
        hand.plug(false);
        assert!(matches!(next(&mut reader), Happening::Left));
        assert!(matches!(next(&mut reader), Happening::Unplugged { .. }));
        assert_eq!(rest(&reader), 0, "it is unplugged once");
        assert!(matches!(
            reader.field().transceive(&GET_VERSION),
            Err(FieldFault::Reader(_))
        ));
        assert!(matches!(reader.field().reselect(), Err(FieldFault::Gone)));
        hand.plug(true);
        assert!(matches!(next(&mut reader), Happening::Plugged(_)));
        assert!(matches!(next(&mut reader), Happening::Chip(_)));
        assert!(reader.field().transceive(&GET_VERSION).is_ok());
    }

    #[test]
    fn a_wristband_that_is_pulled_away_at_a_frame_has_left_once_and_comes_back() {
        let (hand, mut reader) = SimulatedReader::new();
        for pulled in [Pulled::Wristband, Pulled::Plug] {
            hand.hold_until(chip(), pulled, |frame| frame == GET_VERSION);
            while !matches!(next(&mut reader), Happening::Chip(_)) {}
            assert!(reader.field().transceive(&[0x30, 0]).is_ok(), "at no other frame");
            assert!(matches!(
                reader.field().transceive(&GET_VERSION),
                Err(FieldFault::Silent)
            ));
            assert!(reader.field().transceive(&GET_VERSION).is_err());
            assert!(matches!(next(&mut reader), Happening::Left));
            if pulled == Pulled::Plug {
                assert!(matches!(next(&mut reader), Happening::Unplugged { .. }));
                hand.plug(true);
                assert!(matches!(next(&mut reader), Happening::Plugged(_)));
                assert!(matches!(next(&mut reader), Happening::Chip(_)));
                assert!(hand.take_away().is_some());
                assert!(matches!(next(&mut reader), Happening::Left));
            } else {
                assert!(hand.take_away().is_some());
            }
            assert_eq!(rest(&reader), 0, "{pulled:?}: it left once");
        }
    }
}
