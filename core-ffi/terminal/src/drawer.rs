//! The drawer: opened with a float, closed by a count. What should be in it is added up order by order and written in the transaction of the
//! order, so that no crash comes between the two. Nobody is shown it before the count (blind count).

use serde::{Deserialize, Serialize};

use shared_protocol::Amount;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::order::{Order, OrderFault, Tender, TenderKind};

use crate::Terminal;
use crate::draft;
use crate::screen::{Done, DoneKind, DrawerView, Refusal};
use crate::step::Step;

/// An open drawer, as the queue keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Drawer {
    opened_at_ms: u64,
    float: Amount,
    expected: Amount,
}

/// The drawer after these orders.
pub(crate) fn after<'a>(
    before: Option<Drawer>,
    orders: impl IntoIterator<Item = &'a Order>,
) -> Result<Option<Drawer>, OrderFault> {
    let mut drawer = before;
    for order in orders {
        drawer = match DrawerMove::of(order)? {
            Some(DrawerMove::Open { float }) => Some(Drawer {
                opened_at_ms: order.closed_at_ms,
                float,
                expected: float,
            }),
            Some(DrawerMove::Count { .. }) => None,
            Some(DrawerMove::Transit { .. } | DrawerMove::HandIn { .. }) | None => {
                drawer.map(|drawer| drawer.with(order)).transpose()?
            }
        };
    }
    Ok(drawer)
}

impl Drawer {
    fn with(self, order: &Order) -> Result<Self, OrderFault> {
        // A count is of the event's currency only.
        let is_cash = |tender: &&Tender| tender.kind == TenderKind::Cash && tender.foreign.is_none();
        let cash = order.tenders.iter().filter(is_cash);
        let moved = Amount::sum(cash.map(|tender| tender.amount))?;
        Ok(Self {
            expected: self.expected.plus(moved)?,
            ..self
        })
    }

    /// What may be seen of it.
    pub const fn view(&self) -> DrawerView {
        DrawerView {
            opened_at_ms: self.opened_at_ms,
            float: self.float,
        }
    }
}

/// What the screen says of it.
pub(crate) const fn done_kind(said: DrawerMove) -> DoneKind {
    match said {
        DrawerMove::Open { .. } => DoneKind::DrawerOpened,
        DrawerMove::Count { expected, counted } => DoneKind::DrawerCounted { expected, counted },
        DrawerMove::Transit { .. } => DoneKind::CashMoved,
        DrawerMove::HandIn { foreign, .. } => DoneKind::HandedIn(foreign),
    }
}

/// What a crash kept from the screen, when the last order was about the drawer.
pub(crate) fn told_again(last: &Order) -> Option<Done> {
    let said = DrawerMove::of(last).ok()??;
    Some(Done {
        orders: vec![last.id],
        ..Done::of(done_kind(said), last.paid().ok()?, last.closed_at_ms)
    })
}

impl Terminal {
    pub(crate) fn open_drawer(&mut self, step: &mut Step<'_>, float: Amount) -> Result<(), Refusal> {
        self.free_of_carts()?;
        if self.drawer.is_some() {
            return Err(Refusal::DrawerOpen);
        }
        if float.is_negative() {
            return Err(Refusal::DrawerAmount);
        }
        self.book_drawer(step, DrawerMove::Open { float })
    }

    pub(crate) fn count_drawer(&mut self, step: &mut Step<'_>, counted: Amount) -> Result<(), Refusal> {
        self.free_of_carts()?;
        let expected = self.drawer.ok_or(Refusal::DrawerClosed)?.expected;
        if counted.is_negative() {
            return Err(Refusal::DrawerAmount);
        }
        self.book_drawer(step, DrawerMove::Count { expected, counted })
    }

    pub(crate) fn move_cash(&mut self, step: &mut Step<'_>, amount: Amount) -> Result<(), Refusal> {
        self.free_of_carts()?;
        if self.drawer.is_none() {
            return Err(Refusal::DrawerClosed);
        }
        if amount.is_zero() {
            return Err(Refusal::DrawerAmount);
        }
        self.book_drawer(step, DrawerMove::Transit { amount })
    }

    fn book_drawer(&mut self, step: &mut Step<'_>, said: DrawerMove) -> Result<(), Refusal> {
        let draft = draft::drawer(&self.shop()?, said)?;
        self.permitted(&draft)?;
        self.book_without_cart(step, draft, None, done_kind(said));
        Ok(())
    }
}
