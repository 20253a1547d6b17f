//! The festival: a bar and a desk of the organiser, a caterer's stall, a bar that sells a winegrower's wine; days that were closed, what came late, what
//! waits.

use std::collections::BTreeMap;

use engine::{Engine, Request, bootstrap, check_push};
use festival::registration::{Slot, SlotState, secret_digest};
use fiscal::closing::{Unclosed, close};
use fiscal::jobs::recorded_order;
use fiscal::signer::client_of;
use fixtures::paper::PaperTill;
use fixtures::sample::{self, CUP, FRANC, MATE, NORTH_DESK, ORGANISER, PILS, RIESLING, TRAY, WINE_BAR};
use shared_protocol::config::Config;
use shared_protocol::crypto::{Ed25519Signer, Hash32};
use shared_protocol::currency::Foreign;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::order::{LineKind, Order, OrderKind, Tender, TenderKind};
use shared_protocol::{Amount, ArticleId, CartId, SlotId, StandId, TagId, TaxpayerId, TillId};
use store::{
    ClosedItem, Commit, MemoryStore, OutageRow, Signing, SigningRow, SigningState, Store as _, TransactionEnd,
    TransactionRow, TseNo, TseRow,
};

/// An afternoon, ms since 1970.
pub const START: u64 = fixtures::paper::NOW;
/// A day.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

pub struct Festival {
    pub store: MemoryStore,
    engine: Engine<MemoryStore>,
    pub tills: Vec<PaperTill>,
    sold: Vec<Order>,
    /// Up to which journal number orders came off.
    signed_to: u64,
    transaction: u64,
    clock: u64,
}

fn till_of(config: &Config, fits: impl Fn(&Config, TillId) -> bool) -> TillId {
    config.tills.keys().copied().find(|till| fits(config, *till)).unwrap()
}

fn at(stand: StandId) -> impl Fn(&Config, TillId) -> bool {
    move |config, till| config.tills[&till].stand == stand
}

/// Something somebody does: which till, what, for which wristband.
pub type Deed = (u8, u8, u32);

/// Francs for goods, with change in euros, or for the wristband.
fn in_francs(till: &mut PaperTill, tag: TagId, goods: Option<ArticleId>, amount: Amount) -> Order {
    let config = sample::config_with_currencies();
    let worth = config.currency(FRANC).unwrap().worth(amount).unwrap();
    let foreign = Some(Foreign { asset: FRANC, amount });
    let given = Tender {
        foreign,
        ..Tender::plain(TenderKind::Cash, worth)
    };
    let Some(goods) = goods else {
        let mut order = till.order(OrderKind::TopUp);
        order.lines = vec![PaperTill::money_line(LineKind::TopUp, 1, worth.0)];
        (order.tenders, order.holder) = (vec![given], Some(tag));
        return order;
    };
    let mut order = till.cart(tag, &[(goods, 1)], &BTreeMap::new(), None).remove(0);
    let change = Amount(order.total().unwrap().0 - worth.0);
    order.tenders = vec![given, Tender::plain(TenderKind::Cash, change)];
    order.holder = None;
    order
}

impl Festival {
    pub fn new() -> Self {
        let mut store = MemoryStore::new(1);
        bootstrap(&mut store, sample::EVENT, &sample::config_with_currencies().items()).unwrap();
        let signer = || Ed25519Signer::from_seed(&[42; 32]).unwrap();
        let mut engine = Engine::open(store.clone(), sample::EVENT, Box::new(signer())).unwrap();
        let config = sample::config();
        let caterer = |config: &Config, till| config.home_taxpayer(till) == Some(sample::CATERER);
        let places = [
            till_of(&config, at(sample::MAIN_BAR)),
            till_of(&config, at(NORTH_DESK)),
            till_of(&config, caterer),
            till_of(&config, at(WINE_BAR)),
        ];
        let mut tills = Vec::new();
        for (seed, place) in (1_u8..).zip(places) {
            let till = PaperTill::new(place, seed);
            let (id, nonce) = (SlotId([seed; 16]), Hash32([seed; 32]));
            let slot = Slot {
                id,
                event: sample::EVENT,
                till: place,
                secret: secret_digest(id, &[1; 16]),
                expires_at_ms: START + 1_000,
                confirm: false,
                state: SlotState::Open,
            };
            let register = Request::Register {
                register: Box::new(till.register(id, &[1; 16], &nonce)),
                nonce,
                terminal: till.id,
            };
            let hello = Request::Hello(Box::new(till.hello(till.certificate(&signer()))));
            for request in [Request::OpenSlot(Box::new(slot)), register, hello] {
                engine.process(START, &[request]).unwrap();
            }
            tills.push(till);
        }
        let row = |no, taxpayer, certified| TseRow {
            no: TseNo(no),
            serial: [u8::try_from(no).unwrap(); 32],
            name: "TSE".to_owned(),
            link: "software".to_owned(),
            public_key: vec![4; 97],
            algorithm: "ecdsa-plain-SHA384".to_owned(),
            time_format: "unixTime".to_owned(),
            certificates: Vec::new(),
            valid_until_ms: None,
            certified,
            taxpayer: TaxpayerId(taxpayer),
            clients_max: 100,
            signature_ms: 250,
        };
        let signing = Signing {
            tses: vec![row(1, 1, false), row(2, 2, true), row(3, 3, false)],
            outages: vec![OutageRow {
                id: 1,
                tse: Some(TseNo(1)),
                client: None,
                from_ms: START,
                until_ms: Some(START + 60_000),
                reason: "the TSE does not answer".to_owned(),
            }],
            ..Signing::default()
        };
        let mut festival = Self {
            store,
            engine,
            tills,
            sold: Vec::new(),
            signed_to: 0,
            transaction: 0,
            clock: START,
        };
        festival.keep(signing);
        festival
    }

    fn keep(&mut self, signing: Signing) {
        let commit = Commit {
            signing,
            ..Commit::default()
        };
        self.store.commit(&commit).unwrap();
    }

    /// Sets the clock of all tills.
    pub fn set_clock(&mut self, at_ms: u64) {
        self.clock = at_ms;
    }

    /// Something happens at a till.
    pub fn act(&mut self, (till, what, guest): Deed) {
        let place = usize::from(till) % self.tills.len();
        self.clock += 61_000;
        let tag = sample::wristband(1 + guest % 5);
        let till = &mut self.tills[place];
        till.wall_ms = self.clock;
        let config = sample::config_with_currencies();
        let francs = config.currency(FRANC).unwrap();
        let dish = |config: &Config| {
            let dishes = config.articles.values().filter(|article| article.deposit == Some(TRAY));
            let of_caterer = dishes.filter(|article| article.taxpayer == sample::CATERER);
            of_caterer.map(|article| article.id).next()
        };
        let goods: ArticleId = match place {
            2 => dish(&config).unwrap_or(PILS),
            3 => RIESLING,
            _ => [PILS, MATE][guest as usize % 2],
        };
        let cents = 500 + i64::from(guest % 90) * 50;
        match what % 15 {
            0 | 1 => till.drawer(DrawerMove::Open { float: Amount(10_000) }),
            2 => till.drawer(DrawerMove::Transit { amount: Amount(-2_000) }),
            3 => till.drawer(DrawerMove::Count {
                expected: Amount(8_000),
                counted: Amount(7_950),
            }),
            4 => till.top_up(tag, cents),
            5 => till.pay_out(tag, 150),
            6 => {
                let carts = till.cart(tag, &[(CUP, -1), (TRAY, -1)], &BTreeMap::new(), None);
                carts.iter().map(|order| till.append(order)).last().unwrap()
            }
            7 if !self.sold.is_empty() => {
                let sold = self.sold.remove(guest as usize % self.sold.len());
                till.cancel(&sold)
            }
            8 => {
                let mut order = till.cart(tag, &[(goods, 2)], &BTreeMap::new(), None).remove(0);
                order.kind = [OrderKind::Training, OrderKind::AbortedCart][guest as usize % 2];
                if order.kind == OrderKind::AbortedCart {
                    order.tenders.clear();
                }
                till.append(&order)
            }
            9 => {
                let by = [TenderKind::Cash, TenderKind::Card][guest as usize % 2];
                let mut order = till.cart(tag, &[(goods, 3)], &BTreeMap::new(), None).remove(0);
                order.tenders = vec![PaperTill::tender(by, order.total().unwrap())];
                order.holder = None;
                if guest.is_multiple_of(3) {
                    let tip = if place == 3 {
                        sample::TIP_WINEGROWER
                    } else {
                        sample::TIP
                    };
                    order = till.with_tip(order, tip, 150);
                }
                till.append(&order)
            }
            10 if !self.sold.is_empty() => {
                let sold = self.sold.remove(guest as usize % self.sold.len());
                let mut order = till.cart(tag, &[(goods, 1)], &BTreeMap::new(), None).remove(0);
                order.kind = OrderKind::Correction;
                order.taxpayer = sold.taxpayer;
                order.reverses = Some(sold.id);
                till.append(&order)
            }
            13 => {
                let sold = guest.is_multiple_of(2).then_some(goods);
                let order = in_francs(till, tag, sold, Amount(2_000 + cents));
                till.append(&order)
            }
            14 => {
                let amount = Amount(cents);
                let worth = francs.worth(amount).unwrap();
                till.drawer(DrawerMove::HandIn {
                    foreign: Foreign { asset: FRANC, amount },
                    worth,
                })
            }
            11 => {
                let asset = if place == 2 { sample::MEAL } else { sample::DRINK };
                let vouchers = BTreeMap::from([(asset, 1)]);
                let orders = till.cart(tag, &[(goods, 2)], &vouchers, None);
                orders.iter().map(|order| till.append(order)).last().unwrap()
            }
            _ => {
                let orders = till.cart(tag, &[(goods, 1), (CUP, -1)], &BTreeMap::new(), None);
                let last = orders.iter().map(|order| till.append(order)).last().unwrap();
                let is_sale = |order: &Order| order.lines.iter().any(|line| line.kind == LineKind::Goods);
                self.sold.extend(orders.into_iter().filter(is_sale));
                last
            }
        };
    }

    /// Everything arrives.
    pub fn sync(&mut self) {
        for (seed, till) in (1_u8..).zip(&mut self.tills) {
            if till.sent == till.seq() {
                continue;
            }
            let push = till.push_from(till.sent + 1);
            till.sent = till.seq();
            let key = shared_protocol::crypto::Signer::public_key(&PaperTill::signer(seed));
            let push = check_push(push, &key).unwrap();
            self.engine
                .process(self.clock, &[Request::Push(Box::new(push))])
                .unwrap();
        }
        while self.engine.project(1_000).unwrap() {}
    }

    /// All but the last few orders come off: most signed, some in an outage, some late.
    pub fn sign(&mut self, waiting: u64) {
        let mut reader = self.store.reader().unwrap();
        let (head, _) = reader.head().unwrap();
        let mut signing = Signing::default();
        let to = head.saturating_sub(waiting).max(self.signed_to);
        for row in reader.journal(self.signed_to + 1, to - self.signed_to).unwrap() {
            let Some((_, order)) = recorded_order(&row) else {
                continue;
            };
            let state = match row.record.no % 7 {
                3 => SigningState::InOutage,
                5 => SigningState::SignedLate,
                _ => SigningState::Signed,
            };
            let tse = TseNo(order.taxpayer.0);
            let transaction = (state != SigningState::InOutage).then(|| {
                self.transaction += 1;
                signing.transactions.push(transaction(tse, self.transaction, &order));
                self.transaction
            });
            signing.orders.push(SigningRow {
                no: row.record.no,
                state,
                tse,
                transaction,
                doubt: None,
                outage: (state != SigningState::Signed).then_some(1),
            });
        }
        // One cart became no order.
        self.transaction += 1;
        let order = self.tills[0].clone().order(OrderKind::Sale);
        signing.transactions.push(TransactionRow {
            cart: CartId([9; 16]),
            ..transaction(TseNo(ORGANISER.0), self.transaction, &order)
        });
        signing.done_to = Some(to);
        self.signed_to = to;
        self.keep(signing);
    }

    /// Days up to this one are closed.
    pub fn close(&mut self, last_day: u32) {
        let mut reader = self.store.reader().unwrap();
        let mut items = Vec::new();
        for no in reader.unclosed_orders(1, u64::MAX >> 1).unwrap() {
            let row = reader.journal(no, 1).unwrap().remove(0);
            let Some((_, order)) = recorded_order(&row) else {
                continue;
            };
            items.push(Unclosed {
                item: ClosedItem::Order(no),
                client: client_of(sample::EVENT, order.till),
                taxpayer: order.taxpayer,
                till: order.till,
                day: row.entry.unwrap().day.unwrap(),
            });
        }
        for row in reader.unclosed_given_up(1_000).unwrap() {
            let event = sample::event();
            items.push(Unclosed {
                item: ClosedItem::GivenUp(row.tse, row.transaction),
                till: self.tills[0].till,
                taxpayer: TaxpayerId(row.tse.0),
                day: festival::day::event_day(&event, row.end.unwrap().time_s * 1_000)
                    .unwrap()
                    .0,
                client: row.client,
            });
        }
        let ends = reader.closing_ends().unwrap();
        let next = reader.closings(1, u64::MAX >> 1).unwrap().len() as u64 + 1;
        let closings = close(items, &ends, last_day, next, self.clock);
        self.keep(Signing {
            closings,
            ..Signing::default()
        });
    }

    pub fn load(&self, wanted: &reports::Wanted) -> reports::Books {
        self.load_as(wanted, fiscal::VoucherModel::VoucherLines)
    }

    pub fn load_as(&self, wanted: &reports::Wanted, model: fiscal::VoucherModel) -> reports::Books {
        let mut reader = self.store.reader().unwrap();
        let arrival = reports::Arrival::Missing(Vec::new());
        reports::load(reader.as_mut(), sample::EVENT, model, wanted, arrival, self.clock).unwrap()
    }
}

fn transaction(tse: TseNo, number: u64, order: &Order) -> TransactionRow {
    let time_s = order.closed_at_ms / 1_000;
    TransactionRow {
        tse,
        transaction: number,
        client: client_of(sample::EVENT, order.till),
        cart: order.cart,
        started_s: time_s,
        start_counter: 2 * number,
        start_signature: vec![1; 96],
        end: Some(TransactionEnd {
            time_s,
            counter: 2 * number + 1,
            process_type: "Kassenbeleg-V1".to_owned(),
            process_data: "AVBelegabbruch^0.00_0.00_0.00_0.00_0.00^".to_owned(),
            signature: vec![2; 96],
        }),
    }
}

/// A festival of two days with a supplement, orders that wait, and a third day that goes on.
pub fn sample_festival() -> Festival {
    let deeds: Vec<Deed> = (0_u32..160)
        .map(|step| {
            let mixed = step.wrapping_mul(2_654_435_761) >> 7;
            let till = u8::try_from(mixed % 4).unwrap();
            let what = u8::try_from((mixed >> 5) % 13).unwrap();
            (till, what, (mixed >> 11) % 40)
        })
        .collect();
    played(&deeds, 3)
}

/// A festival in which this happens: a third of it each day, the second day's last deeds arriving late.
pub fn played(deeds: &[Deed], waiting: u64) -> Festival {
    let mut festival = Festival::new();
    let third = deeds.len() / 3;
    for deed in &deeds[..third] {
        festival.act(*deed);
    }
    festival.sync();
    festival.sign(0);
    festival.set_clock(START + DAY_MS);
    festival.close(20_270_719);
    for deed in &deeds[third..2 * third] {
        festival.act(*deed);
    }
    festival.sync();
    festival.sign(0);
    // The first day again: what a till sent only now.
    festival.set_clock(START + 3_600_000);
    for deed in &deeds[..third / 4] {
        festival.act(*deed);
    }
    festival.sync();
    festival.sign(0);
    festival.set_clock(START + 2 * DAY_MS);
    festival.close(20_270_720);
    for deed in &deeds[2 * third..] {
        festival.act(*deed);
    }
    festival.sync();
    festival.sign(waiting);
    festival
}
