//! Wristbands without hardware: a tray of them beside the till, to pick up and hold. Each is a virtual chip on a simulated reader, so that a till
//! does with it, frame by frame, what it does with a real one.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chips::simulated::{IdentityChip, UltralightAesChip, VirtualChip};
use core_ffi::readers::{Pulled, SimulatedHand};
use pages::Language;
use shared_protocol::TagId;
use shared_protocol::catalogue::Text;
use shared_protocol::purse::image::{BUFFERS, buffer_page};
use terminal::screen::{Notice, Screen};

/// Where a wristband's chip is while nobody holds it. Trays of several tills may share it: a wristband is in one place only.
#[derive(Clone)]
struct Drawer(Arc<Mutex<Option<Box<dyn VirtualChip>>>>);

impl Drawer {
    fn new(chip: impl VirtualChip + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(chip)))))
    }

    fn open(&self) -> MutexGuard<'_, Option<Box<dyn VirtualChip>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A virtual wristband.
#[derive(Clone)]
pub struct Wristband {
    /// What is written on it.
    pub label: Text,
    /// Its number.
    pub tag: TagId,
    /// Whether it is one of the crew.
    pub crew: bool,
    /// Whether its chip has a purse.
    pub purse: bool,
    drawer: Drawer,
}

impl std::fmt::Debug for Wristband {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Wristband({})", self.tag)
    }
}

impl Wristband {
    /// One whose chip says who it is and nothing more: what it has is in the books.
    pub fn by_id(label: Text, tag: TagId, crew: bool) -> Self {
        Self {
            label,
            tag,
            crew,
            purse: false,
            drawer: Drawer::new(IdentityChip::ntag213(tag)),
        }
    }

    /// One with a purse on its chip.
    pub fn with_purse(label: Text, chip: UltralightAesChip) -> Self {
        Self {
            label,
            tag: chip.selected().uid,
            crew: false,
            purse: true,
            drawer: Drawer::new(chip),
        }
    }
}

/// What a person holds to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Held {
    /// The wristband at this place of the tray.
    One(usize),
    /// Two at once.
    Two,
    /// Something else with a chip in it.
    Foreign,
}

/// How long it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// Until the till has answered.
    Answered,
    /// It is left there.
    TakenAway,
    /// Until the chip is about to say that value has moved: the worst moment there is.
    TooEarly,
    /// The same, but it is the reader's plug that is pulled.
    Unplugged,
}

/// The tray, and what is at the reader.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tray {
    pub wristbands: Vec<Wristband>,
    /// The place of the one that is picked up.
    pub picked: usize,
    pub held: Option<Held>,
}

impl Tray {
    pub fn picked(&self) -> Option<&Wristband> {
        self.wristbands.get(self.picked)
    }

    pub fn pick(&mut self, place: usize) -> bool {
        let there = place < self.wristbands.len();
        if there {
            self.picked = place;
        }
        there
    }

    pub fn pick_next(&mut self) {
        self.picked = (self.picked + 1) % self.wristbands.len().max(1);
    }

    /// What a wristband is called here: its label, or the end of its number.
    pub fn label(&self, tag: TagId, language: Language) -> String {
        let known = self.wristbands.iter().find(|wristband| wristband.tag == tag);
        known.map_or_else(
            || {
                let number = tag.to_string();
                let start = number.len().saturating_sub(4);
                format!("…{}", number.get(start..).unwrap_or(&number))
            },
            |wristband| language.name(&wristband.label).to_owned(),
        )
    }
}

/// Whether the till has answered what is at the reader, so that a hand may take it away.
pub(crate) fn is_answered(screen: &Screen) -> bool {
    !matches!(screen.notice, Notice::Working)
}

/// The number of a card that is no wristband.
const FOREIGN: [u8; 4] = [0xC1, 0xA5, 0x51, 0xC0];

/// A frame that moves value: a debit of the counter, or the third page of a credit's token. After it nobody but the chip knows.
fn moves_value(frame: &[u8]) -> bool {
    match frame {
        [0xA5, ..] => true,
        [0xA2, page, ..] => (0..BUFFERS).any(|buffer| buffer_page(buffer) + 2 == *page),
        _ => false,
    }
}

/// The hand above the simulated reader: it knows whose chip lies there, to put it back.
pub(crate) struct TrayHand {
    hand: SimulatedHand,
    lies: Option<Drawer>,
    /// How often something was laid down: whoever takes it away again must not take the next one.
    pub times: u64,
}

/// The wristband is not in its drawer: it is held at another till.
pub(crate) struct Elsewhere;

impl TrayHand {
    pub fn new(hand: SimulatedHand) -> Self {
        Self {
            hand,
            lies: None,
            times: 0,
        }
    }

    /// Lays a wristband on the reader, in the place of what lies there.
    pub fn lay(&mut self, wristband: &Wristband, until: Until) -> Result<(), Elsewhere> {
        self.take_away();
        let chip = wristband.drawer.open().take().ok_or(Elsewhere)?;
        let before = match until {
            Until::Answered | Until::TakenAway => self.hand.hold(chip),
            Until::TooEarly => self.hand.hold_until(chip, Pulled::Wristband, moves_value),
            Until::Unplugged => self.hand.hold_until(chip, Pulled::Plug, moves_value),
        };
        drop(before);
        self.lies = Some(wristband.drawer.clone());
        self.times += 1;
        Ok(())
    }

    /// Lays down something with a chip that is no wristband.
    pub fn lay_foreign(&mut self) {
        self.take_away();
        if let Some(tag) = TagId::from_slice(&FOREIGN) {
            drop(self.hand.hold(Box::new(IdentityChip::classic(tag))));
        }
        self.times += 1;
    }

    /// Takes away what lies there; a wristband goes back to where it was.
    pub fn take_away(&mut self) {
        if let (Some(chip), Some(drawer)) = (self.hand.take_away(), self.lies.take()) {
            *drawer.open() = Some(chip);
        }
    }

    /// Pulls the reader's plug, or puts it back.
    pub fn plug(&self, plugged: bool) {
        self.hand.plug(plugged);
    }
}

impl Drop for TrayHand {
    fn drop(&mut self) {
        self.take_away();
    }
}

#[cfg(test)]
mod tests {
    use core_ffi::readers::SimulatedReader;

    use super::*;

    #[test]
    fn a_wristband_is_at_one_till_at_a_time_and_goes_back_when_that_till_ends() {
        let tag = TagId::from_slice(&[4, 1, 2, 3, 4, 5, 6]).unwrap();
        let wristband = Wristband::by_id(Text::new("Band 1", "Wristband 1"), tag, false);
        let (one, _reader) = SimulatedReader::new();
        let (other, _another) = SimulatedReader::new();
        let (mut one, mut other) = (TrayHand::new(one), TrayHand::new(other));
        assert!(one.lay(&wristband, Until::TakenAway).is_ok());
        assert!(one.lay(&wristband, Until::TakenAway).is_ok(), "it is laid down again");
        assert!(other.lay(&wristband, Until::TakenAway).is_err());
        drop(one);
        assert!(other.lay(&wristband, Until::TakenAway).is_ok());
    }
}
