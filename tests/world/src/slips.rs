//! What guests took along: slips that tills showed for orders that had not arrived. At rest each still holds, whatever happened to its till since.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_protocol::OrderId;
use shared_protocol::slip::Slip;
use store::TerminalRow;
use terminal::Screen;

use crate::world::World;

/// Slips that are remembered: a sample is enough, and reading all of a night's would cost more than the night.
const SLIPS_MAX: usize = 1_000;

/// The slips, by their orders.
#[derive(Debug, Default)]
pub(crate) struct Slips(BTreeMap<OrderId, Arc<str>>);

impl Slips {
    /// A till shows a screen. Gives whether a slip is new.
    pub fn shown(&mut self, screen: &Screen) -> bool {
        let newest = screen.history.first();
        let Some((order, slip)) = newest.and_then(|past| Some((past.order, past.slip.as_ref()?))) else {
            return false;
        };
        let is_new = self.0.len() < SLIPS_MAX && !self.0.contains_key(&order);
        if is_new {
            self.0.insert(order, Arc::clone(slip));
        }
        is_new
    }
}

impl World {
    /// I12: a slip is signed by its registered till, shows what the order said, and names an entry that was durable when the guest saw it.
    pub(crate) fn slips_hold(&self, terminals: &[TerminalRow]) -> Vec<(&'static str, String)> {
        let wrong = |order: &OrderId, text: &str| {
            let Ok(slip) = Slip::read(text) else {
                return Some("cannot be read");
            };
            let body = slip.body();
            let Some(seen) = self.observer.orders.get(order) else {
                return Some("is of an order that reached no disk");
            };
            let replaced = seen.order.reverses.and_then(|old| self.observer.orders.get(&old));
            if !body.shown.fits(&seen.order, replaced.map(|seen| &seen.order)) {
                return Some("shows something else than the order said");
            }
            if !self.observer.entries.contains(&body.link) {
                return Some("names an entry that reached no disk");
            }
            let key = terminals
                .iter()
                .find(|row| row.id == slip.terminal())
                .map(|row| &row.key);
            // A terminal that an older backup does not know is heard of again with its next certificate, and not before.
            let holds = key.is_none_or(|key| slip.verify(*order, key).is_ok());
            (!holds).then_some("is not signed by its till")
        };
        let slips = self.observer.slips.0.iter();
        slips
            .filter_map(|(order, text)| Some(("I12", format!("the slip of order {order} {}", wrong(order, text)?))))
            .collect()
    }
}
