//! Orders of this till: the list, what is searched in it, receipts.

use shared_protocol::OrderId;
use shared_protocol::order::OrderKind as Booked;
use shared_protocol::slip::Address;
use terminal::screen::{PastOrder, Screen};

use crate::Phone;
use crate::ids::{count, last_four, millis};
use crate::view::{HistoryPage, OrderKind, OrderRow, ReceiptPage};

impl Phone {
    pub(super) fn history(&self, screen: &Screen) -> HistoryPage {
        let wanted = Wanted::of(&self.text);
        let rows: Vec<OrderRow> = screen.history.iter().map(row).collect();
        let of = count(rows.len());
        HistoryPage {
            orders: rows.into_iter().filter(|row| wanted.fits(row)).collect(),
            search: self.text.clone(),
            of,
        }
    }

    /// Where guests find receipts. Who practises gives none.
    pub(super) fn receipts(&self, screen: &Screen) -> Option<String> {
        if screen.training || self.training.is_some() {
            return None;
        }
        let server = self.server.as_deref()?;
        let (scheme, rest) = server.split_once("://")?;
        let host = rest.split('/').next()?;
        let scheme = if scheme == "wss" { "https" } else { "http" };
        Some(format!("{scheme}://{host}/receipt"))
    }

    /// The receipt of an order. While the server does not have it, its slip is in the address.
    pub(super) fn receipt(&self, screen: &Screen, past: &PastOrder) -> ReceiptPage {
        let base = self.receipts(screen);
        let address = base.map(|base| Address::of(&base, past.order, past.slip.as_deref()));
        ReceiptPage {
            sent: past.sent,
            carried: address.as_ref().is_some_and(|address| address.has_slip),
            link: address.map(|address| address.text),
            order: row(past),
        }
    }
}

pub(super) fn past(screen: &Screen, order: OrderId) -> Option<&PastOrder> {
    screen.history.iter().find(|past| past.order == order)
}

pub(super) fn found(screen: &Screen, order: OrderId) -> Option<OrderRow> {
    past(screen, order).map(row)
}

/// What history is searched for: an amount with or without cents, or digits of a wristband.
struct Wanted {
    digits: String,
    words: String,
}

impl Wanted {
    fn of(text: &str) -> Self {
        Self {
            digits: text.chars().filter(char::is_ascii_digit).collect(),
            words: text.trim().to_ascii_uppercase(),
        }
    }

    fn fits(&self, row: &OrderRow) -> bool {
        let cents = row.total.unsigned_abs().to_string();
        let by_amount = !self.digits.is_empty() && cents.starts_with(&self.digits);
        let by_band = row.band.as_ref().is_some_and(|band| band.contains(&self.words));
        self.words.is_empty() || by_amount || by_band
    }
}

pub(super) fn row(past: &PastOrder) -> OrderRow {
    OrderRow {
        order: past.order.to_string(),
        kind: match past.kind {
            Booked::Sale => OrderKind::Sale,
            Booked::DepositReturn => OrderKind::DepositReturn,
            Booked::Cancel => OrderKind::Cancel,
            Booked::Correction => OrderKind::Correction,
            Booked::TopUp => OrderKind::TopUp,
            Booked::PayOut => OrderKind::PayOut,
            _ => OrderKind::Other,
        },
        total: past.total.0,
        at_ms: millis(past.at_ms),
        band: past.tag.map(last_four),
        sent: past.sent,
        taken_back: past.taken_back,
        cancellable: past.cancellable,
    }
}
