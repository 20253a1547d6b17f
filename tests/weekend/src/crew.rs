//! Tills on paper with somebody at them: what the guests of a script do becomes orders, as tills make them.

use std::collections::BTreeMap;
use std::sync::Arc;

use fixtures::day::{Action, Payment, What};
use fixtures::paper::{PaperTill, taken_back};
use fixtures::sample;
use shared_protocol::chain::SignedHead;
use shared_protocol::config::Config;
use shared_protocol::crypto::PublicKey;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::ids::Bytes;
use shared_protocol::limits::PUSH_ENTRIES_MAX;
use shared_protocol::message::Push;
use shared_protocol::order::{CancelReason, Line, LineKind, Order, OrderKind, Tender, TenderKind};
use shared_protocol::pricing::{CartLine, Priced, price};
use shared_protocol::{Amount, ArticleId, AssetId, CartId, OrderId, TagId, TerminalId, TillId};

/// The float of a drawer.
const FLOAT: Amount = Amount(20_000);
/// One till's clock is this much behind, and knows it.
const SKEW_MS: u64 = 20 * 60 * 1_000;

/// An order as its till knows it, for the judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// When it was made, by the true clock.
    pub at_ms: u64,
    /// Where.
    pub till: TillId,
    /// What.
    pub kind: OrderKind,
}

/// A till with its drawer.
struct Counter {
    paper: PaperTill,
    key: PublicKey,
    sent: u64,
    /// How far its clock is behind.
    behind_ms: u64,
    /// What should be in the drawer; none while it is closed.
    drawer: Option<i64>,
}

/// What happens to drawers, every day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawer {
    /// They are opened.
    Open,
    /// Some money goes to the safe.
    Empty,
    /// They are counted.
    Count,
}

/// Everybody behind a till.
pub struct Crew {
    config: Arc<Config>,
    counters: BTreeMap<TillId, Counter>,
    /// The orders that a script's sale became, with the vouchers used.
    sold: BTreeMap<u32, Vec<Order>>,
    vouchers: BTreeMap<TagId, BTreeMap<AssetId, u32>>,
    /// All orders that were made.
    pub written: BTreeMap<OrderId, Written>,
    /// Whether clocks are an hour ahead, and nobody knows.
    pub hour_ahead: bool,
}

/// The cart of a script's action.
pub fn cart_of(no: u32) -> CartId {
    let mut id = [0xca; 16];
    id.iter_mut().zip(no.to_be_bytes()).for_each(|(to, from)| *to = from);
    CartId(id)
}

impl Crew {
    /// A till on paper for every till.
    pub fn new(config: &Arc<Config>) -> Self {
        let counters = config.tills.keys().zip(1_u8..).map(|(till, seed)| {
            let mut paper = PaperTill::new(*till, seed);
            paper.config = Arc::clone(config);
            let counter = Counter {
                key: shared_protocol::crypto::Signer::public_key(&PaperTill::signer(seed)),
                paper,
                sent: 0,
                behind_ms: if seed == 4 { SKEW_MS } else { 0 },
                drawer: None,
            };
            (*till, counter)
        });
        Self {
            config: Arc::clone(config),
            counters: counters.collect(),
            sold: BTreeMap::new(),
            vouchers: (0..sample::WRISTBANDS)
                .map(|number| (sample::wristband(number), sample::vouchers_of(number)))
                .collect(),
            written: BTreeMap::new(),
            hour_ahead: false,
        }
    }

    /// The tills, for their registration.
    pub fn papers(&self) -> impl Iterator<Item = &PaperTill> {
        self.counters.values().map(|counter| &counter.paper)
    }

    /// Tills that take cash.
    pub fn with_drawers(&self) -> Vec<TillId> {
        let has = |till: &&shared_protocol::catalogue::Till| till.order_kinds.contains(&OrderKind::DrawerOpen);
        self.config.tills.values().filter(has).map(|till| till.id).collect()
    }

    fn counter(&mut self, till: TillId) -> &mut Counter {
        self.counters.get_mut(&till).expect("a till of the festival")
    }

    /// A till's next order, its clock set.
    fn order(&mut self, till: TillId, kind: OrderKind, at_ms: u64) -> Order {
        let hour_ahead = self.hour_ahead;
        let counter = self.counter(till);
        if hour_ahead {
            (counter.paper.wall_ms, counter.paper.offset_ms) = (at_ms + 3_600_000, Some(0));
        } else {
            counter.paper.wall_ms = at_ms - counter.behind_ms;
            counter.paper.offset_ms = Some(i64::try_from(counter.behind_ms).unwrap_or(0));
        }
        counter.paper.order(kind)
    }

    fn write(&mut self, order: &Order, at_ms: u64) {
        let cash = order.tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
        let cash: i64 = cash.map(|tender| tender.amount.0).sum();
        let counter = self.counter(order.till);
        counter.paper.append(order);
        if order.kind != OrderKind::Training
            && let Some(drawer) = &mut counter.drawer
        {
            *drawer += cash;
        }
        let written = Written {
            at_ms,
            till: order.till,
            kind: order.kind,
        };
        self.written.insert(order.id, written);
    }

    fn price(&self, till: TillId, cart: &[CartLine], vouchers: &BTreeMap<AssetId, u32>) -> Vec<Priced> {
        let home = self.config.home_taxpayer(till).expect("a till of the festival");
        price(&self.config, home, cart, vouchers).unwrap_or_default()
    }

    /// The orders of a cart, one for each taxpayer; `by` is none where a wristband pays.
    fn orders(
        &mut self,
        action: &Action,
        cart: &[CartLine],
        vouchers: &BTreeMap<AssetId, u32>,
        by: Option<TenderKind>,
    ) -> Vec<Order> {
        let mut priced = self.price(action.till, cart, vouchers);
        // What goes back to the guest is booked first, so that it is there for what follows.
        priced.sort_by_key(|part| (!part.total.is_negative(), part.taxpayer));
        let mut made = Vec::new();
        for part in priced {
            let returns = |line: &Line| line.kind == LineKind::Deposit && line.quantity < 0;
            let kind = if part.lines.iter().all(returns) {
                OrderKind::DepositReturn
            } else {
                OrderKind::Sale
            };
            let mut order = self.order(action.till, kind, action.at_ms);
            let due = part.due().expect("small amounts");
            order.cart = cart_of(action.no);
            order.taxpayer = part.taxpayer;
            order.holder = by.is_none().then(|| action.what.tag()).flatten();
            order.tenders = part
                .paid_by_vouchers
                .iter()
                .map(|(asset, (units, _))| Tender {
                    voucher: Some(*asset),
                    ..Tender::plain(TenderKind::Voucher, Amount(i64::from(*units)))
                })
                .collect();
            if !due.is_zero() {
                order.tenders.push(match by {
                    None => PaperTill::tender(TenderKind::Wristband, due),
                    Some(by) => Tender::plain(by, due),
                });
            }
            order.lines = part.lines;
            made.push(order);
        }
        made
    }

    /// Money for a wristband, or out of it.
    fn money(&mut self, action: &Action, tag: TagId, cents: Amount, by: TenderKind, out: bool) -> Order {
        let kind = if out { OrderKind::PayOut } else { OrderKind::TopUp };
        let mut order = self.order(action.till, kind, action.at_ms);
        let (line, quantity) = if out {
            (LineKind::PayOut, -1)
        } else {
            (LineKind::TopUp, 1)
        };
        order.lines = vec![PaperTill::money_line(line, quantity, cents.0)];
        order.tenders = vec![Tender::plain(by, Amount(cents.0 * i64::from(quantity)))];
        order.holder = Some(tag);
        order
    }

    /// An order is taken back whole.
    fn mirrored(&mut self, sold: &Order, at_ms: u64, reason: CancelReason) -> Order {
        let mut order = self.order(sold.till, OrderKind::Cancel, at_ms);
        order.taxpayer = sold.taxpayer;
        order.holder = sold.holder;
        order.reverses = Some(sold.id);
        order.reason = Some(reason);
        order.lines = taken_back(&sold.lines);
        order.tenders = sold
            .tenders
            .iter()
            .map(|tender| Tender {
                voucher: tender.voucher,
                ..Tender::plain(tender.kind, Amount(-tender.amount.0))
            })
            .collect();
        order
    }

    /// A sale becomes another one: a correction where both have a taxpayer, else one is taken back and the other sold.
    fn correct(&mut self, action: &Action, olds: &[Order], cart: &[CartLine]) -> Vec<Order> {
        let mut vouchers = BTreeMap::<AssetId, u32>::new();
        for used in olds.iter().flat_map(|old| &old.lines).filter_map(|line| line.vouchers) {
            *vouchers.entry(used.asset).or_default() += used.units;
        }
        let mut fresh = self.orders(action, cart, &vouchers, None);
        let mut made = Vec::new();
        for old in olds {
            let same = |order: &&mut Order| order.taxpayer == old.taxpayer && order.reverses.is_none();
            if let Some(order) = fresh.iter_mut().find(same) {
                order.kind = OrderKind::Correction;
                order.reverses = Some(old.id);
                order.reason = Some(CancelReason::GuestChanged);
            } else {
                made.push(self.mirrored(old, action.at_ms, CancelReason::GuestChanged));
            }
        }
        made.append(&mut fresh);
        made
    }

    /// Does what a guest wants. Gives how many orders that made.
    pub fn play(&mut self, action: &Action) -> usize {
        let none = BTreeMap::new();
        let orders = match &action.what {
            What::TopUp { tag, cents, by } => {
                let by = match by {
                    Payment::Cash => TenderKind::Cash,
                    Payment::Card => TenderKind::Card,
                };
                vec![self.money(action, *tag, *cents, by, false)]
            }
            What::PayOut { tag, cents } => vec![self.money(action, *tag, *cents, TenderKind::Cash, true)],
            What::Sale {
                tag,
                cart,
                use_vouchers,
            } => {
                let held = self.vouchers.get(tag).filter(|_| *use_vouchers);
                let held = held.cloned().unwrap_or_default();
                let orders = self.orders(action, cart, &held, None);
                self.redeem(*tag, &orders);
                self.sold.insert(action.no, orders.clone());
                orders
            }
            What::CashSale { cart } => self.orders(action, cart, &none, Some(TenderKind::Cash)),
            What::CardSale { cart } => self.orders(action, cart, &none, Some(TenderKind::Card)),
            What::DepositReturn { pieces, .. } => {
                let line = |(article, pieces): &(ArticleId, u32)| CartLine {
                    article: *article,
                    quantity: -i32::try_from(*pieces).unwrap_or(1),
                    free_price: None,
                };
                let cart: Vec<CartLine> = pieces.iter().map(line).collect();
                self.orders(action, &cart, &none, None)
            }
            What::Undo { sale, .. } | What::Cancel { sale, .. } => {
                let olds = self.sold.remove(sale).unwrap_or_default();
                let mirrored = olds.iter().map(|old| {
                    let reason = CancelReason::Mistyped;
                    self.mirrored(old, action.at_ms, reason)
                });
                mirrored.collect()
            }
            What::Correct { sale, cart, .. } => {
                let olds = self.sold.remove(sale).unwrap_or_default();
                self.correct(action, &olds, cart)
            }
            What::Balance { .. } | What::DoubleTap { .. } => Vec::new(),
        };
        for order in &orders {
            self.write(order, action.at_ms);
        }
        orders.len()
    }

    fn redeem(&mut self, tag: TagId, orders: &[Order]) {
        let Some(held) = self.vouchers.get_mut(&tag) else {
            return;
        };
        for used in orders
            .iter()
            .flat_map(|order| &order.lines)
            .filter_map(|line| line.vouchers)
        {
            let left = held.entry(used.asset).or_default();
            *left = left.saturating_sub(used.units);
        }
        held.retain(|_, units| *units > 0);
    }

    /// Somebody tries the till: a training order for what comes first on its screen, or nothing where it sells nothing.
    pub fn train(&mut self, till: TillId, at_ms: u64) -> usize {
        let layout = self.config.tills.get(&till).map(|till| till.layout);
        let first = layout.and_then(|layout| self.config.layouts.get(&layout)?.tiles.first().copied());
        let Some(article) = first else { return 0 };
        let line = CartLine {
            article,
            quantity: 2,
            free_price: None,
        };
        let Some(part) = self.price(till, &[line], &BTreeMap::new()).pop() else {
            return 0;
        };
        let mut order = self.order(till, OrderKind::Training, at_ms);
        order.taxpayer = part.taxpayer;
        order.tenders = vec![Tender::plain(TenderKind::Cash, part.total)];
        order.lines = part.lines;
        self.write(&order, at_ms);
        1
    }

    /// Something about a drawer. Gives how many orders that made.
    pub fn drawer(&mut self, till: TillId, what: Drawer, at_ms: u64) -> usize {
        let said = match (what, self.counter(till).drawer) {
            (Drawer::Open, None) => DrawerMove::Open { float: FLOAT },
            (Drawer::Empty, Some(cents)) if cents > 2 * FLOAT.0 => DrawerMove::Transit {
                amount: Amount(FLOAT.0 - cents),
            },
            (Drawer::Count, Some(cents)) => DrawerMove::Count {
                expected: Amount(cents),
                // Now and then something is missing.
                counted: Amount((cents - cents % 7 * 10).max(0)),
            },
            _ => return 0,
        };
        if what == Drawer::Open {
            self.counter(till).drawer = Some(0);
        }
        let mut order = self.order(till, said.kind(), at_ms);
        order.lines = said.lines().expect("small amounts");
        order.tenders = vec![said.tender().expect("small amounts")];
        self.write(&order, at_ms);
        if what == Drawer::Count {
            self.counter(till).drawer = None;
        }
        1
    }

    /// The next frame of a till's journal; none where the server has all of it.
    pub fn push(&mut self, till: TillId) -> Option<(Push, PublicKey)> {
        let counter = self.counter(till);
        let first = usize::try_from(counter.sent).ok()?;
        let last = counter.paper.entries.len().min(first + PUSH_ENTRIES_MAX);
        let entries = counter
            .paper
            .entries
            .get(first..last)
            .filter(|entries| !entries.is_empty())?;
        let (terminal, epoch): (TerminalId, _) = (counter.paper.id, counter.paper.epoch);
        let before = first
            .checked_sub(1)
            .and_then(|before| counter.paper.entries.get(before));
        let (_, head) = entries.last()?;
        let signer = PaperTill::signer(counter.paper.seed);
        let push = Push {
            terminal,
            epoch,
            first_seq: counter.sent + 1,
            previous: before.map_or(epoch.root(terminal), |(_, hash)| *hash),
            entries: entries.iter().map(|(bytes, _)| Bytes(bytes.clone())).collect(),
            head: SignedHead::sign(&signer, terminal, epoch.epoch, last as u64, *head).expect("a key in memory signs"),
        };
        counter.sent = last as u64;
        Some((push, counter.key.clone()))
    }

    /// Whether a till has something that the server has not.
    pub fn has_unsent(&self, till: TillId) -> bool {
        let counter = self.counters.get(&till);
        counter.is_some_and(|counter| counter.sent < counter.paper.seq())
    }
}
