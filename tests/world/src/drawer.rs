//! Drawers: what cashiers do with them, and what is in them by the journals on the devices. It adds up the cash of orders and asks no till.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::sample::FRANC;
use shared_protocol::currency::Foreign;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::order::{Order, OrderKind, TenderKind};
use shared_protocol::{Amount, TillId};
use terminal::Action;
use terminal::screen::DoneKind;

use crate::disk::Image;
use crate::events::DeviceNo;
use crate::faults::Kind;
use crate::people::Deed;
use crate::world::World;

/// The cash of a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Drawer {
    /// What is in the open drawer.
    pub open: Option<i64>,
    /// What was taken with no drawer open.
    pub loose: i64,
    /// Francs that were taken and not handed in, whether a drawer was open or not.
    pub francs: i64,
    /// Whether cash ever moved with no drawer open.
    pub ever_loose: bool,
}

/// What contradicts an order: what the till expected, and what the orders before it come to.
type Contradiction = (Option<i64>, Option<i64>);

impl Drawer {
    fn after(mut self, order: &Order) -> Result<Self, Contradiction> {
        let francs = order.tenders.iter().filter_map(|tender| tender.foreign);
        let francs = francs.filter(|given| given.asset == FRANC);
        self.francs += francs.map(|given| given.amount.0).sum::<i64>();
        let cash: i64 = order
            .tenders
            .iter()
            .filter(|tender| tender.kind == TenderKind::Cash && tender.foreign.is_none())
            .map(|tender| tender.amount.0)
            .sum();
        match (DrawerMove::of(order), self.open) {
            (Ok(Some(DrawerMove::Open { float })), None) => Ok(Self {
                open: Some(float.0),
                ..self
            }),
            (Ok(Some(DrawerMove::Count { expected, .. })), Some(open)) if expected.0 == open => {
                Ok(Self { open: None, ..self })
            }
            (Ok(Some(DrawerMove::Count { expected, .. })), open) => Err((Some(expected.0), open)),
            // Foreign money is in no count, so it may be handed in with no drawer open.
            (Ok(Some(DrawerMove::HandIn { .. })), _) => Ok(self),
            (Ok(Some(DrawerMove::Transit { .. }) | None), Some(open)) => Ok(Self {
                open: Some(open + cash),
                ..self
            }),
            (Ok(None), None) => Ok(Self {
                loose: self.loose + cash,
                ever_loose: self.ever_loose || cash != 0,
                ..self
            }),
            (_, open) => Err((None, open)),
        }
    }

    /// By the journal on a disk.
    pub fn on(image: &Image) -> Result<Self, Contradiction> {
        let orders = image
            .entries
            .values()
            .filter_map(|entry| match Entry::read(&entry.bytes).ok()?.1 {
                Content::Order(read) => Some(read.order),
                _ => None,
            });
        orders
            .into_iter()
            .try_fold(Self::default(), |drawer, order| drawer.after(&order))
    }
}

impl World {
    /// What a guest finds at a till with a drawer: now and then the cashier is busy with it. None is no reason not to be served.
    pub(crate) fn plan_drawer(&mut self, no: DeviceNo) -> Option<Vec<(u64, Deed)>> {
        let device = self.devices.get(no.0)?;
        let terminal = device.terminal.as_ref()?;
        let till = terminal.config()?.tills.get(&device.till)?;
        if !till.order_kinds.contains(&OrderKind::DrawerOpen) {
            return None;
        }
        let is_open = terminal.shown()?.drawer.is_some();
        // A cashier counts what is there, and counts wrong at times.
        let count = |off: i64| {
            let there = Drawer::on(&device.disk.image).ok().and_then(|drawer| drawer.open);
            Action::CountDrawer {
                counted: Amount((there.unwrap_or(0) + off).max(0)),
            }
        };
        let mistakes = self.plan.has(Kind::Mistake);
        let random = &mut self.people_random;
        let act = |action| vec![(4_000, Deed::Act(action)), (400, Deed::Look)];
        let float = Action::OpenDrawer {
            float: Amount(100 * i64::try_from(random.below(300)).unwrap_or(0)),
        };
        let off = if random.percent(30) {
            i64::try_from(random.below(1_000)).unwrap_or(0) - 500
        } else {
            0
        };
        if !is_open {
            if mistakes && random.percent(30) {
                // Counted although none is open, or cash is taken without one.
                return random.percent(20).then(|| act(count(off)));
            }
            return Some(act(float));
        }
        match random.below(100) {
            0 | 1 => {
                let mut plan = act(count(off));
                if mistakes && random.percent(30) {
                    plan.extend(plan.clone());
                }
                Some(plan)
            }
            2 => {
                let cents = i64::try_from(random.between(1, 20_000)).unwrap_or(1);
                let amount = Amount(if random.percent(60) { -cents } else { cents });
                Some(act(Action::MoveCash { amount }))
            }
            3 if mistakes => Some(act(float)),
            4 | 5 => {
                let francs = Drawer::on(&device.disk.image).ok().map(|drawer| drawer.francs);
                let amount = Amount(francs.filter(|francs| *francs > 0)?);
                Some(act(Action::HandIn(Foreign { asset: FRANC, amount })))
            }
            _ => None,
        }
    }

    /// An order about a drawer is durable: the journal it is in says what should be in the drawer.
    pub(crate) fn observe_drawer_order(&mut self, no: DeviceNo, order: &Order) {
        let Ok(Some(said)) = DrawerMove::of(order) else { return };
        match said {
            DrawerMove::Open { .. } => self.sometimes.reach("drawer_opened"),
            DrawerMove::Transit { .. } => self.sometimes.reach("drawer_cash_moved"),
            DrawerMove::HandIn { .. } => self.sometimes.reach("foreign_cash_handed_in"),
            DrawerMove::Count { expected, counted } => {
                self.sometimes.reach("drawer_counted");
                if expected != counted {
                    self.sometimes.reach("drawer_counted_with_a_difference");
                }
            }
        }
        let found = self.devices.get(no.0).map(|device| Drawer::on(&device.disk.image));
        if let Some(Err((said, orders))) = found {
            let what = format!(
                "device {} expects {said:?} in its drawer, its orders come to {orders:?}",
                no.0
            );
            self.violation("I2", &what);
        }
    }

    /// What a screen says of a drawer is what its order says.
    pub(crate) fn observe_drawer_shown(&mut self, no: DeviceNo, kind: &DoneKind, order: &Order) {
        let shown = match kind {
            DoneKind::DrawerCounted { expected, counted } => Some((*expected, *counted)),
            _ => None,
        };
        let booked = match DrawerMove::of(order) {
            Ok(Some(DrawerMove::Count { expected, counted })) => Some((expected, counted)),
            _ => None,
        };
        if shown != booked {
            let what = format!("device {} shows {kind:?} for order {} of {booked:?}", no.0, order.id);
            self.violation("I2", &what);
        }
    }

    /// I2 at rest: every till knows whether its drawer is open, and where no journal was lost or doubled the books have what is in the drawers.
    pub(crate) fn drawers_agree(&self, copies: bool, cash: &BTreeMap<TillId, i128>) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mut there: BTreeMap<TillId, i128> = BTreeMap::new();
        for (no, device) in self.devices.iter().enumerate() {
            let Ok(drawer) = Drawer::on(&device.disk.image) else {
                found.push(("I2", format!("the drawer orders of device {no} contradict each other")));
                continue;
            };
            *there.entry(device.till).or_default() += i128::from(drawer.loose) + i128::from(drawer.open.unwrap_or(0));
            let shown = device.terminal.as_ref().and_then(|terminal| terminal.shown());
            if shown.is_some_and(|screen| screen.drawer.is_some() != drawer.open.is_some()) {
                found.push((
                    "I2",
                    format!("device {no} is wrong about its drawer, which has {drawer:?}"),
                ));
            }
        }
        there.retain(|_, sum| *sum != 0);
        if !copies && there != *cash {
            found.push(("I2", format!("drawers have {there:?}, the books say {cash:?}")));
        }
        found
    }

    /// Tills at which cash was taken with no drawer open.
    pub(crate) fn loose_tills(&self) -> BTreeSet<TillId> {
        let loose = |image: &Image| Drawer::on(image).is_ok_and(|drawer| drawer.ever_loose);
        let devices = self.devices.iter().filter(|device| loose(&device.disk.image));
        devices.map(|device| device.till).collect()
    }
}

#[cfg(test)]
mod tests {
    use fixtures::paper::PaperTill;

    use super::*;

    #[test]
    fn a_count_that_leaves_out_a_sale_and_a_second_opening_are_found() {
        let mut till = PaperTill::that_books(&[OrderKind::DrawerOpen], 1);
        let mut order = |said: DrawerMove| {
            let mut order = till.order(said.kind());
            order.lines = said.lines().unwrap_or_default();
            order.tenders = said
                .cash()
                .map(|cash| PaperTill::tender(TenderKind::Cash, cash))
                .into_iter()
                .collect();
            order
        };
        let open = order(DrawerMove::Open { float: Amount(500) });
        let brought = order(DrawerMove::Transit { amount: Amount(70) });
        let mut count = |expected| {
            order(DrawerMove::Count {
                expected: Amount(expected),
                counted: Amount(500),
            })
        };
        let (short, whole) = (count(500), count(570));
        let after = |orders: &[&Order]| {
            orders
                .iter()
                .try_fold(Drawer::default(), |drawer, order| drawer.after(order))
        };
        assert_eq!(after(&[&open, &brought, &whole]), Ok(Drawer::default()));
        assert_eq!(after(&[&open, &brought, &short]), Err((Some(500), Some(570))));
        assert_eq!(after(&[&open, &open]), Err((None, Some(500))));
        assert_eq!(after(&[&brought]), Err((None, None)));
    }
}
