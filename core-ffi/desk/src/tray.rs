//! Wristbands without hardware: a tray of them beside the till, to pick up and hold. Everything they do, a reader of real ones does too.

use pages::Language;
use shared_protocol::TagId;
use shared_protocol::catalogue::Text;
use terminal::screen::{Notice, Screen};

/// A virtual wristband.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wristband {
    /// What is written on it.
    pub label: Text,
    /// Its number.
    pub tag: TagId,
    /// Whether it is one of the crew.
    pub crew: bool,
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
