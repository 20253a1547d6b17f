//! A conversation with a wristband that was recorded and is played back, so that what is measured is this side of it alone.

use chips::{Field, FieldFault, Selected};

/// What was said, and how the chip was selected before.
pub struct Tape {
    pub selected: Selected,
    exchanges: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Tape {
    /// An empty one for a chip.
    pub const fn new(selected: Selected) -> Self {
        Self {
            selected,
            exchanges: Vec::new(),
        }
    }

    /// Exchanges on it.
    pub const fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// Plays it from its beginning.
    pub const fn play(&self) -> Player<'_> {
        Player { tape: self, next: 0 }
    }
}

/// A field whose exchanges are taken down.
pub struct Recorder<'a, F> {
    pub field: F,
    pub tape: &'a mut Tape,
}

impl<F: Field> Field for Recorder<'_, F> {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        let answer = self.field.transceive(frame)?;
        self.tape.exchanges.push((frame.to_vec(), answer.clone()));
        Ok(answer)
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        self.field.reselect()
    }
}

/// A field that answers as the chip did. Another frame than the recorded one has no answer.
pub struct Player<'a> {
    tape: &'a Tape,
    next: usize,
}

impl Player<'_> {
    /// Whether all of it was played.
    pub const fn is_over(&self) -> bool {
        self.next == self.tape.len()
    }
}

impl Field for Player<'_> {
    fn transceive(&mut self, frame: &[u8]) -> Result<Vec<u8>, FieldFault> {
        match self.tape.exchanges.get(self.next) {
            Some((sent, answer)) if sent == frame => {
                self.next += 1;
                Ok(answer.clone())
            }
            _ => Err(FieldFault::Reader("this was not said when it was recorded".to_owned())),
        }
    }

    fn reselect(&mut self) -> Result<Selected, FieldFault> {
        self.next = 0;
        Ok(self.tape.selected.clone())
    }
}
