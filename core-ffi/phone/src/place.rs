//! Where the cashier is: a short way from the root, each step a page.

use shared_protocol::{ArticleId, OrderId};
use terminal::screen::CartKind;

use crate::touch::Place;

/// A page with what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Home,
    Sale,
    FreePrice(ArticleId),
    Cart { for_guest: bool },
    Split,
    History,
    Order(OrderId),
    Receipt(OrderId),
    TopUp,
    Foreign,
    HandIn,
    PayOut,
    Band,
    Sync,
    Evacuation,
    Device,
    ShiftEnd,
    Training,
    Guide,
}

impl From<Place> for At {
    fn from(place: Place) -> Self {
        match place {
            Place::Home => Self::Home,
            Place::Sale => Self::Sale,
            Place::Cart => Self::Cart { for_guest: false },
            Place::Split => Self::Split,
            Place::History => Self::History,
            Place::TopUp => Self::TopUp,
            Place::Foreign => Self::Foreign,
            Place::HandIn => Self::HandIn,
            Place::PayOut => Self::PayOut,
            Place::Band => Self::Band,
            Place::Sync => Self::Sync,
            Place::Evacuation => Self::Evacuation,
            Place::Device => Self::Device,
            Place::ShiftEnd => Self::ShiftEnd,
            Place::Training => Self::Training,
            Place::Guide => Self::Guide,
        }
    }
}

impl At {
    /// The page of what an open cart is for.
    pub fn of_cart(kind: &CartKind) -> Self {
        match kind {
            CartKind::Sale | CartKind::Cancel { .. } | CartKind::Correct { .. } => Self::Sale,
            CartKind::TopUp { .. } => Self::TopUp,
            CartKind::PayOut => Self::PayOut,
            CartKind::Swap { .. } => Self::Band,
        }
    }

    /// Whether it can be looked at before anybody is logged in.
    pub fn without_cashier(self) -> bool {
        matches!(
            self,
            Self::Sync | Self::Evacuation | Self::Device | Self::Guide | Self::Training
        )
    }
}

/// The way from the root to where the cashier is. Longer than this nobody goes; what is opened beyond forgets the oldest step.
const STEPS_MAX: usize = 8;

#[derive(Debug, Clone, Default)]
pub(crate) struct Way {
    steps: Vec<At>,
}

impl Way {
    pub fn here(&self, root: At) -> At {
        self.steps.last().copied().unwrap_or(root)
    }

    /// Opens a page; one that is on the way already is gone back to.
    pub fn open(&mut self, at: At, root: At) {
        if at == root {
            self.steps.clear();
        } else if let Some(place) = self.steps.iter().position(|step| *step == at) {
            self.steps.truncate(place + 1);
        } else {
            self.steps.push(at);
            if self.steps.len() > STEPS_MAX {
                self.steps.remove(0);
            }
        }
    }

    /// Puts another page in the place of this one.
    pub fn turn(&mut self, at: At) {
        self.steps.pop();
        self.steps.push(at);
    }

    pub fn back(&mut self) -> bool {
        self.steps.pop().is_some()
    }

    pub fn can_go_back(&self) -> bool {
        !self.steps.is_empty()
    }

    pub fn home(&mut self) {
        self.steps.clear();
    }

    /// Leaves what only somebody who is logged in may see.
    pub fn close_counter(&mut self) {
        self.steps.retain(|step| step.without_cashier());
    }
}
