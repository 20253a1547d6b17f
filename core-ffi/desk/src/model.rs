//! What the page is drawn from.

use std::sync::Arc;

use core_ffi::mirror::MirrorStatus;
use shared_protocol::config::Config;
use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::pricing::CartLine;
use shared_protocol::{Amount, ArticleId};
use terminal::Cue;
use terminal::screen::{CartKind, Done, Screen};

use crate::act::{Money, Side, Unclear};
use crate::readers::Readers;
use crate::tray::Tray;

/// What the page shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub screen: Option<Arc<Screen>>,
    pub config: Option<Arc<Config>>,
    /// The last sound and how many there were before it.
    pub cue: (Option<Cue>, u64),
    pub tray: Tray,
    pub side: Side,
    pub cut: bool,
    /// The goods of the cart that was open last, to say what goes over the counter once it is paid.
    pub served: Vec<CartLine>,
    /// What was booked last, for its receipt; it outlasts the result on the screen.
    pub done: Option<Box<Done>>,
    /// How the readers stand.
    pub readers: Readers,
    /// What the guest gave for the top-up that is open, or was booked last.
    pub given: Option<Amount>,
    /// What was typed and could not be understood.
    pub unclear: Option<Unclear>,
    /// How the second places of the journal stand.
    pub mirrors: Vec<MirrorStatus>,
}

impl Model {
    /// What this till does: selling, money, or both.
    pub fn sides(&self) -> (bool, bool) {
        let till = self.screen.as_ref().and_then(|screen| screen.till);
        let till = self
            .config
            .as_ref()
            .zip(till)
            .and_then(|(config, till)| config.tills.get(&till));
        let books = |kind| till.is_some_and(|till| till.order_kinds.contains(&kind));
        (
            books(OrderKind::Sale),
            books(OrderKind::TopUp) || books(OrderKind::PayOut),
        )
    }

    /// The side that is shown: the one that was chosen, or the only one there is.
    pub fn side_shown(&self) -> Side {
        match self.sides() {
            (false, true) => Side::Money,
            (true, false) => Side::Sale,
            _ => self.side,
        }
    }

    /// What is open on the side of money.
    pub fn money_open(&self) -> Money {
        let Some(cart) = self.screen.as_ref().and_then(|screen| screen.cart.as_ref()) else {
            return Money::Nothing;
        };
        match cart.kind {
            _ if cart.settling => Money::Settling,
            CartKind::TopUp {
                method: TenderKind::Cash,
            } if cart.given.is_none() => Money::TakingCash,
            CartKind::TopUp { .. } | CartKind::PayOut | CartKind::Swap { .. } => Money::Other,
            CartKind::Sale | CartKind::Cancel { .. } | CartKind::Correct { .. } => Money::Nothing,
        }
    }

    /// The article that was put into the cart last, for "one less".
    pub fn last_article(&self) -> Option<ArticleId> {
        let cart = self.screen.as_ref()?.cart.as_ref()?;
        cart.lines.last().map(|line| line.article)
    }
}
