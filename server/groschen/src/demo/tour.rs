//! How far the visitor is in the first minute: seen from the till, so that a step is ticked by doing it.

use std::sync::{Mutex, PoisonError};

use shared_protocol::OrderId;
use terminal::screen::{Pill, Screen};

/// How far the sale without a network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Offline {
    /// There is none yet.
    #[default]
    NotYet,
    /// It is in the till.
    Sold,
    /// It is on the server.
    Arrived,
}

/// What the visitor has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Steps {
    /// Sold something with the network there.
    pub sold: bool,
    /// And without it.
    pub offline: Offline,
    /// Looked at a receipt.
    pub looked: bool,
    /// What was sold last.
    pub last: Option<OrderId>,
}

/// The tour.
#[derive(Debug, Default)]
pub struct Tour(Mutex<Steps>);

impl Tour {
    /// How far it is.
    pub fn steps(&self) -> Steps {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the visitor's till.
    pub fn observe(&self, screen: &Screen) {
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = screen.history.first().map(|past| past.order);
        let is_offline = matches!(screen.pill, Pill::Offline { .. });
        if newest.is_some() && newest != steps.last {
            steps.last = newest;
            if is_offline {
                steps.offline = Offline::Sold;
            } else {
                steps.sold = true;
            }
        }
        if steps.offline == Offline::Sold && screen.pill == Pill::Online {
            steps.offline = Offline::Arrived;
        }
    }

    /// The visitor opened a receipt.
    pub fn looked(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).looked = true;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use shared_protocol::Amount;
    use shared_protocol::order::OrderKind;
    use terminal::screen::{Notice, Page, PastOrder};

    use super::*;

    fn screen(pill: Pill, order: u8) -> Screen {
        let history = (order > 0).then_some(PastOrder {
            order: OrderId([order; 16]),
            kind: OrderKind::Sale,
            total: Amount(650),
            at_ms: 0,
            tag: None,
            tender: None,
            taken_back: false,
            cancellable: true,
            sent: true,
            slip: None,
        });
        Screen {
            training: false,
            pill,
            page: Page::Sale,
            till: None,
            cashier: None,
            config: None,
            cart: None,
            notice: Notice::None,
            shift: None,
            received: Vec::new(),
            parked: Vec::new(),
            drawer: None,
            history: Arc::new(history.into_iter().collect()),
            unsent: None,
            fault: None,
            clock_ahead_min: None,
        }
    }

    #[test]
    fn a_step_is_ticked_by_doing_it() {
        let offline = Pill::Offline {
            entries: 1,
            since_ms: None,
            refused: None,
        };
        let tour = Tour::default();
        tour.observe(&screen(Pill::Online, 0));
        assert_eq!(tour.steps(), Steps::default());
        tour.observe(&screen(Pill::Sending { entries: 1 }, 1));
        assert!(tour.steps().sold && tour.steps().offline == Offline::NotYet);
        tour.observe(&screen(offline, 1));
        assert_eq!(tour.steps().offline, Offline::NotYet, "nothing new was sold");
        tour.observe(&screen(offline, 2));
        assert_eq!(tour.steps().offline, Offline::Sold);
        tour.observe(&screen(Pill::Sending { entries: 1 }, 2));
        assert_eq!(tour.steps().offline, Offline::Sold, "it is still on its way");
        tour.observe(&screen(Pill::Online, 2));
        assert_eq!(tour.steps().offline, Offline::Arrived);
    }
}
