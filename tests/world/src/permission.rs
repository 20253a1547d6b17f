//! Who may book what: every revision of the configuration that an admin of this world published, and I11 over them. An order is judged by the
//! revision it names, which is in its till's hands only; so an order of before a withdrawal is as good as it was when it was made, however late it
//! comes.

use std::collections::{BTreeMap, BTreeSet};

use festival::CaseKind;
use festival::case::{Case, SwapFault};
use fixtures::sample;
use shared_protocol::catalogue::{Staff, Till};
use shared_protocol::config::Item;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::order::{Order, OrderKind, TenderKind};
use shared_protocol::stream::Version;
use shared_protocol::{Amount, OrderId, StaffId, TillId};
use store::{EntryStatus, JournalRow, StoredCase, TerminalRow};
use terminal::Action;

use crate::events::DeviceNo;
use crate::faults::Kind;
use crate::people::Deed;
use crate::world::{EPOCH_MS, World};

/// What an admin takes from a till or a person. Drawers stay: one that nobody may count any more is no daily business.
const WITHDRAWN: [OrderKind; 7] = [
    OrderKind::Sale,
    OrderKind::Cancel,
    OrderKind::Correction,
    OrderKind::TopUp,
    OrderKind::PayOut,
    OrderKind::DepositReturn,
    OrderKind::CashMovement,
];

/// Who may do what by one revision.
#[derive(Debug, Clone)]
struct Rules {
    since_ms: u64,
    tills: BTreeMap<TillId, (Vec<OrderKind>, Vec<TenderKind>)>,
    staff: BTreeMap<StaffId, Vec<OrderKind>>,
}

impl Rules {
    fn of(items: &[Item], since_ms: u64) -> Self {
        let mut rules = Self {
            since_ms,
            tills: BTreeMap::new(),
            staff: BTreeMap::new(),
        };
        for item in items {
            match item {
                Item::Till { item } => {
                    let books = (item.order_kinds.clone(), item.tenders.clone());
                    rules.tills.insert(item.id, books);
                }
                Item::Staff { item } => {
                    rules.staff.insert(item.id, item.order_kinds.clone());
                }
                _ => {}
            }
        }
        rules
    }

    /// What is wrong with an order by these rules.
    fn forbid(&self, order: &Order) -> Option<String> {
        let kind = order.kind;
        let Some((kinds, tenders)) = self.tills.get(&order.till) else {
            return Some(format!("there is no till {}", order.till));
        };
        let Some(person) = self.staff.get(&order.cashier) else {
            return Some(format!("there is no cashier {}", order.cashier));
        };
        if !kinds.contains(&kind) {
            return Some(format!("till {} books no {kind:?}", order.till));
        }
        if kind != OrderKind::Shift && !person.contains(&kind) {
            return Some(format!("cashier {} books no {kind:?}", order.cashier));
        }
        // Vouchers ride on wristbands.
        let carrier = |tender: TenderKind| match tender {
            TenderKind::Voucher => TenderKind::Wristband,
            other => other,
        };
        let mut paid = order.tenders.iter().map(|tender| carrier(tender.kind));
        paid.find(|tender| !tenders.contains(tender))
            .map(|tender| format!("till {} takes no {tender:?}", order.till))
    }
}

/// Whether a case says that somebody did what they may not. A swap or a block is not done then, and its case says so.
pub(crate) fn is_forbidden(case: &Case) -> bool {
    let not_permitted = i64::from(SwapFault::NotPermitted.code());
    case.kind == CaseKind::NotPermitted || case.kind == CaseKind::SwapUndone && case.number == Some(not_permitted)
}

/// Every revision that there ever was.
#[derive(Debug, Clone)]
pub(crate) struct Revisions {
    all: BTreeMap<Version, Rules>,
    /// Those on the server's disk: a restored server has forgotten some, and judges their orders by what it has.
    on_server: BTreeSet<Version>,
    /// One whose commit failed: whether it is there the next start tells.
    doubtful: Option<(Version, Rules)>,
}

impl Revisions {
    /// The one that an event starts with.
    pub fn starting_with(items: &[Item]) -> Self {
        let first = Version { generation: 1, rev: 1 };
        Self {
            all: BTreeMap::from([(first, Rules::of(items, 0))]),
            on_server: BTreeSet::from([first]),
            doubtful: None,
        }
    }

    fn add(&mut self, version: Version, rules: Rules) {
        self.all.insert(version, rules);
        self.on_server.insert(version);
    }

    /// A revision was published.
    pub fn published(&mut self, version: Version, items: &[Item], now_ms: u64) {
        self.add(version, Rules::of(items, now_ms));
    }

    /// The commit of a revision failed, which says nothing about the disk.
    pub fn failed(&mut self, before: Version, items: &[Item], now_ms: u64) {
        let version = Version {
            rev: before.rev + 1,
            ..before
        };
        self.doubtful = Some((version, Rules::of(items, now_ms)));
    }

    /// The server starts with this revision.
    pub fn starts_with(&mut self, version: Version) {
        if let Some((there, rules)) = self.doubtful.take().filter(|(doubtful, _)| *doubtful == version) {
            self.add(there, rules);
        }
    }

    /// What is on the server's disk now, for its backups.
    pub fn on_server(&self) -> BTreeSet<Version> {
        self.on_server.clone()
    }

    /// The server has an older disk now, and goes on in a new generation with the newest revision of that.
    pub fn restored(&mut self, known: BTreeSet<Version>) {
        self.on_server = known;
        self.doubtful = None;
    }

    pub fn new_generation(&mut self, version: Version, now_ms: u64) {
        let newest = self.on_server.last().and_then(|newest| self.all.get(newest)).cloned();
        if let Some(rules) = newest {
            let since_ms = now_ms;
            self.add(version, Rules { since_ms, ..rules });
        }
    }

    /// The rules that were in force on the server.
    fn at(&self, at_ms: u64) -> Option<&Rules> {
        let on_server = self.on_server.iter().rev().filter_map(|version| self.all.get(version));
        on_server.into_iter().find(|rules| rules.since_ms <= at_ms)
    }
}

fn booked_order(row: &JournalRow) -> Option<Order> {
    let entry = row.entry.as_ref()?;
    if !matches!(entry.status, EntryStatus::Booked | EntryStatus::Flagged) {
        return None;
    }
    match Entry::read(&entry.raw).ok()?.1 {
        Content::Order(read) => Some(read.order),
        _ => None,
    }
}

impl World {
    /// I11 at the till: what a till writes into its journal was allowed by the rules it had. A cancellation names the revision of the order it takes
    /// back, so the till's own word counts there.
    pub(crate) fn observe_permission(&mut self, no: DeviceNo, order: &Order) {
        let in_force = if order.kind == OrderKind::Cancel {
            let terminal = self.devices.get(no.0).and_then(|device| device.terminal.as_ref());
            terminal
                .and_then(|terminal| terminal.config())
                .map(|config| config.version)
        } else {
            Some(order.config)
        };
        let Some(version) = in_force else { return };
        let wrong = match self.revisions.all.get(&version) {
            Some(rules) => rules.forbid(order),
            None => Some("nobody ever published that".to_owned()),
        };
        if let Some(why) = wrong {
            let what = format!("device {} booked {} under {version:?}, but {why}", no.0, order.id);
            self.violation("I11", &what);
        }
    }

    /// I11 on the server: every booked order was allowed by the revision it names, or there is one case that says it was not; and no such case
    /// without a reason.
    pub(crate) fn authorization(
        &self,
        rows: &[JournalRow],
        cases: &[StoredCase],
        terminals: &[TerminalRow],
    ) -> Vec<(&'static str, String)> {
        let mut told: BTreeMap<Option<OrderId>, u64> = BTreeMap::new();
        for case in cases.iter().map(|case| &case.case.case) {
            if is_forbidden(case) {
                *told.entry(case.order).or_default() += 1;
            }
        }
        let tills: BTreeMap<_, _> = terminals.iter().map(|row| (row.no, row.till)).collect();
        let mut found = Vec::new();
        for row in rows {
            let Some(order) = booked_order(row) else { continue };
            let cases = told.remove(&Some(order.id)).unwrap_or(0);
            let Some(rules) = self.revisions.all.get(&order.config) else {
                found.push((
                    "I11",
                    format!("order {} names {:?}, which nobody published", order.id, order.config),
                ));
                continue;
            };
            let place = row.entry.as_ref().and_then(|entry| tills.get(&entry.chain.terminal));
            let elsewhere = place.filter(|till| **till != order.till);
            let why = rules
                .forbid(&order)
                .or_else(|| elsewhere.map(|till| format!("the terminal is that of till {till}")));
            // What a restored server forgot it cannot judge by.
            let forgotten = !self.revisions.on_server.contains(&order.config);
            let wrong = match (&why, cases) {
                (None, 0) | (Some(_), 1) => false,
                (_, 0 | 1) => !forgotten,
                _ => true,
            };
            if wrong {
                let why = why.unwrap_or_else(|| "it was allowed".to_owned());
                found.push((
                    "I11",
                    format!(
                        "order {} ({:?}, {:?}) has {cases} cases of a missing permission: {why}",
                        order.id, order.kind, order.config
                    ),
                ));
            }
        }
        let nothing = told.keys().map(|order| {
            (
                "I11",
                format!("a case says that {order:?} was not allowed, and nothing was booked"),
            )
        });
        found.extend(nothing);
        found.truncate(2);
        found
    }

    /// Which rare places of permissions this run came to.
    pub(crate) fn note_permissions(&mut self, rows: &[JournalRow]) {
        for row in rows {
            let Some(order) = booked_order(row) else { continue };
            let named = self.revisions.all.get(&order.config);
            if named.is_some_and(|rules| rules.forbid(&order).is_some()) {
                self.sometimes.reach("forbidden_order_has_a_case");
                continue;
            }
            let booked_ms = row.record.booked_at_ms.saturating_sub(EPOCH_MS);
            let now = self.revisions.at(booked_ms);
            if now.is_some_and(|rules| rules.forbid(&order).is_some()) {
                self.sometimes.reach("order_of_before_a_withdrawal_booked");
            }
        }
    }

    /// An admin takes something from a till or from who works there, or gives it all back. Often the till is out of reach just then.
    pub(crate) fn change_permissions(&mut self, no: DeviceNo) -> Option<()> {
        let till = self.devices.get(no.0)?.till;
        let random = self.plan.random(Kind::Permission);
        let offline_ms = random.percent(60).then(|| random.between(60_000, 2_400_000));
        let back = random.percent(40);
        let whom = random.below(3);
        let (kind, tender) = (random.pick(&WITHDRAWN)?, random.below(8));
        if let Some(for_ms) = offline_ms {
            self.goes_offline(no, for_ms);
        }
        let mut items = std::mem::take(&mut self.items);
        if back {
            give_back(&mut items);
        } else {
            for item in &mut items {
                match item {
                    Item::Till { item } if whom != 0 && item.id == till => withdraw_from_till(item, kind, tender),
                    Item::Staff { item } if whom != 1 && item.id == sample::cashier_of(till) => {
                        item.order_kinds.retain(|has| *has != kind);
                    }
                    _ => {}
                }
            }
        }
        self.publish(&items);
        self.items = items;
        Some(())
    }

    /// Somebody tries what this person or this till may not do.
    pub(crate) fn plan_overstep(&mut self, no: DeviceNo) -> Option<Vec<(u64, Deed)>> {
        let tag = self.somebody();
        let terminal = self.devices.get(no.0)?.terminal.as_ref()?;
        let config = terminal.config()?.clone();
        let till = config.tills.get(&self.devices.get(no.0)?.till)?.clone();
        let screen = terminal.shown()?;
        let person: Option<Staff> = screen
            .cashier
            .as_ref()
            .and_then(|cashier| config.staff.get(cashier))
            .cloned();
        let past = screen.history.first().map(|past| past.order);
        let may = |kind: &OrderKind| {
            till.order_kinds.contains(kind) && person.as_ref().is_some_and(|person| person.order_kinds.contains(kind))
        };
        let tenders = [TenderKind::Cash, TenderKind::Card, TenderKind::Wristband];
        let foreign: Vec<TenderKind> = tenders
            .into_iter()
            .filter(|tender| !till.tenders.contains(tender))
            .collect();
        let mut tries: Vec<OrderKind> = WITHDRAWN.to_vec();
        tries.push(OrderKind::DrawerOpen);
        tries.retain(|kind| !may(kind));
        let random = self.plan.random(Kind::Overstep);
        if let Some(tender) = random.pick(&foreign).filter(|_| random.percent(30)) {
            let mut plan = self.typing(no, 2);
            if tender == TenderKind::Wristband {
                plan.extend(self.paying(tag));
            } else {
                plan.extend([(900, Deed::Act(Action::Pay(tender))), (400, Deed::Look)]);
            }
            return Some(plan);
        }
        let cents = Amount(100 * i64::try_from(random.between(1, 20)).unwrap_or(1));
        let kind = random.pick(&tries)?;
        let act = match kind {
            OrderKind::Sale => None,
            OrderKind::TopUp => Some(Action::TopUp {
                amount: cents,
                method: random.pick(&tenders[..2])?,
            }),
            OrderKind::PayOut => Some(Action::PayOut { amount: cents }),
            OrderKind::Correction => Some(Action::CorrectLast),
            OrderKind::Cancel => past.map(|order| Action::Cancel {
                order,
                reason: shared_protocol::order::CancelReason::GuestChanged,
            }),
            OrderKind::DepositReturn => {
                let layout = config.layouts.get(&till.layout)?;
                let article = random.pick(&layout.deposit_row)?;
                Some(Action::Return { article, count: 1 })
            }
            OrderKind::CashMovement => Some(Action::MoveCash { amount: cents }),
            _ => Some(Action::OpenDrawer { float: cents }),
        };
        let mut plan = match act {
            Some(act) => vec![(900, Deed::Act(act))],
            None if kind == OrderKind::Sale => self.typing(no, 2),
            None => return None,
        };
        plan.extend(self.paying(tag));
        Some(plan)
    }
}

fn withdraw_from_till(till: &mut Till, kind: OrderKind, tender: u64) {
    match (tender, till.tenders.len()) {
        (0, 2..) => {
            till.tenders.pop();
        }
        (1, 2..) => {
            till.tenders.remove(0);
        }
        _ => till.order_kinds.retain(|has| *has != kind),
    }
}

/// Everybody may do again what they could when the event began.
fn give_back(items: &mut [Item]) {
    let first = Rules::of(&sample::items(), 0);
    for item in items {
        match item {
            Item::Till { item } => {
                if let Some((kinds, tenders)) = first.tills.get(&item.id) {
                    (item.order_kinds, item.tenders) = (kinds.clone(), tenders.clone());
                }
            }
            Item::Staff { item } => {
                if let Some(kinds) = first.staff.get(&item.id) {
                    item.order_kinds.clone_from(kinds);
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use fixtures::paper::PaperTill;

    use super::*;

    #[test]
    fn rules_forbid_by_till_by_person_and_by_tender_and_vouchers_ride_on_wristbands() {
        let rules = Rules::of(&sample::items(), 0);
        let mut desk = PaperTill::that_books(&[OrderKind::PayOut], 1);
        let order = desk.order(OrderKind::PayOut);
        assert_eq!(rules.forbid(&order), None);
        let elsewhere = PaperTill::that_books(&[OrderKind::Sale], 2);
        let forbidden = [
            Order {
                kind: OrderKind::Sale,
                ..order.clone()
            },
            Order {
                cashier: elsewhere.cashier,
                ..order.clone()
            },
            Order {
                cashier: StaffId(7),
                ..order.clone()
            },
            Order {
                till: TillId(7),
                ..order.clone()
            },
        ];
        for order in forbidden {
            assert!(rules.forbid(&order).is_some(), "{order:?}");
        }
        let mut sale = PaperTill::that_books(&[OrderKind::Sale], 3).order(OrderKind::Sale);
        let paid = |kind| vec![PaperTill::tender(kind, Amount(100))];
        let mut rules = rules;
        if let Some((_, tenders)) = rules.tills.get_mut(&sale.till) {
            *tenders = vec![TenderKind::Wristband];
        }
        sale.tenders = paid(TenderKind::Voucher);
        assert_eq!(rules.forbid(&sale), None);
        sale.tenders = paid(TenderKind::Cash);
        assert!(rules.forbid(&sale).is_some());
    }
}
