//! The cash drawer of a till: what an order about it says. One place writes and reads these orders, so that till, server and TSE cannot
//! disagree about which line means what.
//!
//! ```text
//!   opened with a float   DrawerOpen     Float +100.00                            cash +100.00
//!   change brought        CashMovement   CashTransit +50.00                       cash  +50.00
//!   francs handed in      CashMovement   CashTransit -53.50                       cash  -53.50 (CHF -50.00)
//!   counted, 2.00 short   DrawerCount    CashDifference -2.00  CashTransit -348   cash -350.00
//! ```
//! A count ends the drawer: what was counted goes to the safe, what is missing or over is the difference, and both together are what
//! was expected. So after it the till's cash account is where it was before the drawer was opened. A count is of the event's currency only: foreign
//! money leaves by being handed in, and what was not is in the ledger under the till.

use crate::currency::Foreign;
use crate::ids::ArticleId;
use crate::money::{Amount, Overflow};
use crate::order::{Line, LineKind, Order, OrderFault, OrderKind, Tender, TenderKind};
use crate::tax::{TaxKey, TaxRate};

/// What happens to a drawer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawerMove {
    /// It is opened with counted money from the safe.
    Open {
        /// How much, zero or above.
        float: Amount,
    },
    /// It is counted, and what is in it goes to the safe.
    Count {
        /// What the till says should be in it. Below zero when more was paid out than was ever in it, as far as the till knows.
        expected: Amount,
        /// What is in it, zero or above.
        counted: Amount,
    },
    /// Money is brought (above zero) or taken away (below zero), not zero.
    Transit {
        /// How much.
        amount: Amount,
    },
    /// Foreign money is taken to the safe.
    HandIn {
        /// The notes and coins, above zero.
        foreign: Foreign,
        /// What they count as, above zero.
        worth: Amount,
    },
}

/// A line in money, the sign in its quantity as everywhere.
fn line(kind: LineKind, amount: Amount) -> Result<Line, Overflow> {
    let out = amount.is_negative();
    Ok(Line {
        kind,
        article: ArticleId(0),
        quantity: if out { -1 } else { 1 },
        unit_price: if out { amount.negated()? } else { amount },
        tax: TaxKey::NOT_TAXABLE,
        rate: TaxRate::ZERO,
        vouchers: None,
    })
}

impl DrawerMove {
    /// The kind of an order that says this.
    pub const fn kind(self) -> OrderKind {
        match self {
            Self::Open { .. } => OrderKind::DrawerOpen,
            Self::Count { .. } => OrderKind::DrawerCount,
            Self::Transit { .. } | Self::HandIn { .. } => OrderKind::CashMovement,
        }
    }

    /// How much more cash the till has afterwards, with what foreign money counts as.
    pub fn cash(self) -> Result<Amount, Overflow> {
        match self {
            Self::Open { float } => Ok(float),
            Self::Count { expected, .. } => expected.negated(),
            Self::Transit { amount } => Ok(amount),
            Self::HandIn { worth, .. } => worth.negated(),
        }
    }

    /// What is in the drawer and should not be, or below zero what is missing; none before it is counted.
    pub fn difference(self) -> Result<Option<Amount>, Overflow> {
        match self {
            Self::Count { expected, counted } => counted.minus(expected).map(Some),
            Self::Open { .. } | Self::Transit { .. } | Self::HandIn { .. } => Ok(None),
        }
    }

    /// The one payment of an order that says this.
    pub fn tender(self) -> Result<Tender, Overflow> {
        let mut tender = Tender::plain(TenderKind::Cash, self.cash()?);
        if let Self::HandIn { foreign, .. } = self {
            let amount = foreign.amount.negated()?;
            tender.foreign = Some(Foreign { amount, ..foreign });
        }
        Ok(tender)
    }

    /// The lines of an order that says this.
    pub fn lines(self) -> Result<Vec<Line>, Overflow> {
        Ok(match self {
            Self::Open { float } => vec![line(LineKind::Float, float)?],
            Self::Count { expected, counted } => vec![
                line(LineKind::CashDifference, counted.minus(expected)?)?,
                line(LineKind::CashTransit, counted.negated()?)?,
            ],
            Self::Transit { amount } => vec![line(LineKind::CashTransit, amount)?],
            Self::HandIn { worth, .. } => vec![line(LineKind::CashTransit, worth.negated()?)?],
        })
    }

    /// Reads an order; none when it is not about a drawer. One that is about a drawer and says anything besides is at fault.
    pub fn of(order: &Order) -> Result<Option<Self>, OrderFault> {
        let totals = order.lines.iter().map(Line::total).collect::<Result<Vec<_>, _>>()?;
        let said = match (order.kind, totals.as_slice()) {
            (OrderKind::DrawerOpen, [float]) => Self::Open { float: *float },
            (OrderKind::CashMovement, [amount]) => match order.tenders.iter().find_map(|tender| tender.foreign) {
                None => Self::Transit { amount: *amount },
                Some(gone) => Self::HandIn {
                    foreign: Foreign {
                        amount: gone.amount.negated()?,
                        ..gone
                    },
                    worth: amount.negated()?,
                },
            },
            (OrderKind::DrawerCount, [difference, transit]) => {
                let counted = transit.negated()?;
                Self::Count {
                    expected: counted.minus(*difference)?,
                    counted,
                }
            }
            (OrderKind::DrawerOpen | OrderKind::DrawerCount | OrderKind::CashMovement, _) => {
                return Err(OrderFault::Shape);
            }
            _ => {
                return if order.lines.iter().any(|line| line.kind.is_of_drawer()) {
                    Err(OrderFault::Shape)
                } else {
                    Ok(None)
                };
            }
        };
        let possible = match said {
            Self::Open { float: counted } | Self::Count { counted, .. } => !counted.is_negative(),
            Self::Transit { amount } => !amount.is_zero(),
            Self::HandIn { foreign, worth } => {
                foreign.amount.is_positive() && worth.is_positive() && order.tenders.len() == 1
            }
        };
        let in_cash = order.tenders.iter().all(|tender| tender.kind == TenderKind::Cash);
        let alone = order.holder.is_none() && order.group.is_none();
        if possible && in_cash && alone && order.lines == said.lines()? {
            Ok(Some(said))
        } else {
            Err(OrderFault::Shape)
        }
    }
}

impl LineKind {
    /// Whether such a line is about a drawer and no guest.
    pub const fn is_of_drawer(self) -> bool {
        matches!(self, Self::Float | Self::CashTransit | Self::CashDifference)
    }
}

impl OrderKind {
    /// Whether such an order is about a drawer and no guest.
    pub const fn is_of_drawer(self) -> bool {
        matches!(self, Self::DrawerOpen | Self::DrawerCount | Self::CashMovement)
    }
}
