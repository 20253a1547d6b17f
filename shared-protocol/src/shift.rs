//! Beginning and end of a shift, as an order that a TSE is told of. Nothing is sold and nothing moves: it says who stood at a till from when to when,
//! so that what lies between two of them can be told from what was taken out.

use crate::order::{Order, OrderKind};

crate::closed_enum! {
    /// What happens to the shift that an order names as its session. A till that changes hands says the end of one and the beginning of another.
    pub enum ShiftMark {
        /// It begins.
        Begin = 1,
        /// It is over.
        End = 2,
    }
}

impl ShiftMark {
    /// Whether an order that says this contradicts itself.
    pub(crate) fn fits(order: &Order) -> bool {
        let moves_nothing = order.lines.is_empty() && order.tenders.is_empty() && order.purse.is_none();
        let of_nobody_else = order.holder.is_none() && order.group.is_none() && order.reason.is_none();
        order.kind == OrderKind::Shift && moves_nothing && of_nobody_else
    }
}
