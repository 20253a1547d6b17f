//! A small festival for tests: two tills, three closings, everything that a till can do, signed by a TSE in software. The same on every machine.
#![expect(
    clippy::expect_used,
    reason = "a festival for tests; what cannot be is a fault of the test"
)]

mod office;

use std::collections::BTreeMap;
use std::sync::Arc;

use dsfinvk::map::{self, Booked, CameOff, Settings, Target};
use dsfinvk::memory::{Files, Memory};
use dsfinvk::write::{Options, Supplier, Writer, Written};
use fiscal::VoucherModel;
use fiscal::process_data::Kassenbeleg;
use fiscal::signer::{Told, client_of};
use fixtures::paper::{NOW, PaperTill, taken_back};
use fixtures::sample::{self, CUP, DONATION, MATE, MEAL, NORTH_DESK, ORGANISER, PILS, RUBBISH, TIP, TIP_WINEGROWER};
use shared_protocol::config::Config;
use shared_protocol::currency::Foreign;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::order::{CancelReason, GroupPart, Line, LineKind, Order, OrderKind, Tender, TenderKind};
use shared_protocol::shift::ShiftMark;
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{Amount, ArticleId, AssetId, GroupId, TagId, TillId};
use store::{OutageRow, SigningRow, SigningState, TseNo};

use office::Office;

/// How an order comes off.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Signed,
    Late,
    InOutage,
}

struct Step {
    order: Order,
    replaced: Option<Order>,
    how: How,
    owed: i64,
    takes_back: Option<Target>,
}

enum Receipt {
    Of(Box<Step>),
    /// A cart that became no order.
    GivenUp,
}

struct Day {
    till: TillId,
    number: u64,
    receipts: Vec<Receipt>,
}

/// Money in cash or by card for a wristband, or out of it.
fn desk(till: &mut PaperTill, kind: OrderKind, by: TenderKind, cents: i64, tag: TagId) -> Order {
    let mut order = till.order(kind);
    let (line, quantity) = if kind == OrderKind::TopUp {
        (LineKind::TopUp, 1)
    } else {
        (LineKind::PayOut, -1)
    };
    order.lines = vec![PaperTill::money_line(line, quantity, cents)];
    order.tenders = vec![PaperTill::tender(by, Amount(cents * i64::from(quantity)))];
    order.holder = Some(tag);
    order
}

fn drawer(till: &mut PaperTill, said: DrawerMove) -> Order {
    let mut order = till.order(said.kind());
    order.lines = said.lines().expect("small amounts");
    order.tenders = vec![said.tender().expect("small amounts")];
    order
}

fn paid(mut order: Order, by: TenderKind) -> Order {
    order.tenders = vec![PaperTill::tender(by, order.total().expect("small amounts"))];
    order.holder = None;
    order
}

fn turned(till: &mut PaperTill, sold: &Order) -> Order {
    let mut order = till.order(OrderKind::Cancel);
    order.holder = sold.holder;
    order.reverses = Some(sold.id);
    order.reason = Some(CancelReason::Mistyped);
    order.lines = taken_back(&sold.lines);
    order.tenders = sold
        .tenders
        .iter()
        .map(|tender| Tender {
            amount: Amount(-tender.amount.0),
            ..*tender
        })
        .collect();
    order
}

impl Step {
    fn new(order: Order) -> Self {
        Self {
            order,
            replaced: None,
            how: How::Signed,
            owed: 0,
            takes_back: None,
        }
    }

    fn of(order: Order) -> Receipt {
        Receipt::Of(Box::new(Self::new(order)))
    }
}

fn target(till: TillId, closing: u64, order: &Order) -> Target {
    Target {
        till: client_of(sample::EVENT, till),
        closing: Some(closing),
        receipt: order.id.to_string(),
        day: "2027-07-19".to_owned(),
    }
}

/// Where the main bar's first till and the north desk's first till are.
fn tills(config: &Config) -> (TillId, TillId) {
    let at = |stand| {
        config
            .tills
            .values()
            .find(|till| till.stand == stand)
            .expect("a till")
            .id
    };
    (at(sample::MAIN_BAR), at(NORTH_DESK))
}

fn bar_day(till: &mut PaperTill) -> Day {
    let (guest, poor) = (sample::wristband(1), sample::wristband(2));
    let none = BTreeMap::new();
    let one = |till: &mut PaperTill, tag, cart: &[(ArticleId, i32)], vouchers: &BTreeMap<AssetId, u32>| {
        till.cart(tag, cart, vouchers, None).remove(0)
    };
    let plain = one(till, guest, &[(PILS, 2), (MATE, 1)], &none);
    let drinks = BTreeMap::from([(sample::DRINK, 1)]);
    let discounted = one(till, guest, &[(PILS, 2)], &drinks);
    let back = one(till, guest, &[(CUP, -3)], &none);
    let mixed = one(till, guest, &[(PILS, 1), (CUP, -4)], &none);
    let by_cash = paid(one(till, guest, &[(PILS, 3)], &none), TenderKind::Cash);
    let by_card = paid(one(till, guest, &[(MATE, 2)], &none), TenderKind::Card);
    let overdrawn = one(till, poor, &[(PILS, 1)], &none);
    let cancel = turned(till, &plain);
    let mut corrected = one(till, guest, &[(PILS, 1)], &none);
    corrected.kind = OrderKind::Correction;
    corrected.reverses = Some(discounted.id);
    let mut given_up = one(till, guest, &[(MATE, 4)], &none);
    given_up.kind = OrderKind::AbortedCart;
    given_up.tenders.clear();
    let mut training = one(till, guest, &[(PILS, 1)], &none);
    training.kind = OrderKind::Training;
    let unsigned = one(till, guest, &[(MATE, 1)], &none);
    let mut late = one(till, guest, &[(PILS, 1)], &none);
    late.group = Some(GroupPart {
        group: GroupId([7; 16]),
        part: 1,
        of: 2,
    });
    let id = till.till;
    let mut receipts = vec![
        Step::of(drawer(till, DrawerMove::Open { float: Amount(20_000) })),
        Step::of(plain.clone()),
        Step::of(discounted.clone()),
        Receipt::GivenUp,
        Step::of(back),
        Step::of(mixed),
        Step::of(by_cash),
        Step::of(by_card),
    ];
    let with = |step: Step| Receipt::Of(Box::new(step));
    receipts.push(with(Step {
        owed: 300,
        ..Step::new(overdrawn)
    }));
    receipts.push(with(Step {
        takes_back: Some(target(id, 1, &plain)),
        ..Step::new(cancel)
    }));
    receipts.push(with(Step {
        takes_back: Some(target(id, 1, &discounted)),
        replaced: Some(discounted),
        ..Step::new(corrected)
    }));
    receipts.push(Step::of(given_up));
    receipts.push(Step::of(training));
    receipts.push(with(Step {
        how: How::InOutage,
        ..Step::new(unsigned)
    }));
    receipts.push(with(Step {
        how: How::Late,
        ..Step::new(late)
    }));
    receipts.push(Step::of(drawer(till, DrawerMove::Transit { amount: Amount(-5_000) })));
    let expected = Amount(20_000 + 1_950 - 5_000);
    let count = DrawerMove::Count {
        expected,
        counted: Amount(expected.0 - 150),
    };
    receipts.push(Step::of(drawer(till, count)));
    Day {
        till: id,
        number: 1,
        receipts,
    }
}

fn second_bar_day(till: &mut PaperTill) -> Day {
    let rubbish = till
        .cart(sample::wristband(4), &[(RUBBISH, -1)], &BTreeMap::new(), None)
        .remove(0);
    // A tip to the staff from the wristband, one to the business by card, and one that is taken back.
    let guest = sample::wristband(4);
    let tipped = |till: &mut PaperTill, tip, cents| {
        let order = till.cart(guest, &[(PILS, 1)], &BTreeMap::new(), None).remove(0);
        till.with_tip(order, tip, cents)
    };
    let staff = tipped(till, TIP, 100);
    let business = paid(tipped(till, TIP_WINEGROWER, 50), TenderKind::Card);
    let cancel = turned(till, &staff);
    let takes_back = Some(target(till.till, 2, &staff));
    let mut shift = till.order(OrderKind::Shift);
    shift.shift = Some(ShiftMark::End);
    Day {
        till: till.till,
        number: 2,
        receipts: vec![
            Step::of(rubbish),
            Step::of(staff),
            Step::of(business),
            Receipt::Of(Box::new(Step {
                takes_back,
                ..Step::new(cancel)
            })),
            Step::of(shift),
        ],
    }
}

fn desk_day(till: &mut PaperTill) -> Day {
    let (guest, poor) = (sample::wristband(1), sample::wristband(2));
    // Somebody cooks beside the desk: a dish that a meal voucher pays in part, and a gift of money.
    let meal = till
        .config
        .articles
        .values()
        .find(|article| article.vouchers.is_some_and(|price| price.asset == MEAL) && article.taxpayer == ORGANISER);
    let meal = meal.expect("the organiser sells meals").id;
    let eaten = till
        .cart(guest, &[(meal, 2)], &BTreeMap::from([(MEAL, 1)]), None)
        .remove(0);
    let mut gift = till.order(OrderKind::Sale);
    gift.lines = vec![Line {
        kind: LineKind::Goods,
        article: DONATION,
        quantity: 1,
        unit_price: Amount(333),
        tax: TaxKey::NOT_TAXABLE,
        rate: TaxRate::ZERO,
        vouchers: None,
    }];
    let gift = paid(gift, TenderKind::Cash);
    let settles = desk(till, OrderKind::TopUp, TenderKind::Cash, 2_000, poor);
    let receipts = vec![
        Step::of(desk(till, OrderKind::TopUp, TenderKind::Cash, 5_000, guest)),
        Step::of(desk(till, OrderKind::TopUp, TenderKind::Card, 3_050, guest)),
        Receipt::Of(Box::new(Step {
            owed: -300,
            ..Step::new(settles)
        })),
        Step::of(eaten),
        Step::of(gift),
        Step::of(desk(till, OrderKind::PayOut, TenderKind::Cash, 1_250, guest)),
    ];
    Day {
        till: till.till,
        number: 1,
        receipts,
    }
}

/// Francs and crowns for beer and for wristbands: with change and without, taken back, and handed in.
fn day_near_borders(till: &mut PaperTill) -> Day {
    let config = Arc::clone(&till.config);
    let given = |asset, amount| {
        let currency = config.currency(asset).expect("a currency of the sample");
        Tender {
            foreign: Some(Foreign { asset, amount }),
            ..Tender::plain(TenderKind::Cash, currency.worth(amount).expect("small amounts"))
        }
    };
    let pils = |till: &mut PaperTill| {
        till.cart(sample::wristband(1), &[(PILS, 2)], &BTreeMap::new(), None)
            .remove(0)
    };
    let mut sold = paid(pils(till), TenderKind::Cash);
    let due = sold.total().expect("small amounts");
    let note = given(sample::FRANC, Amount(5_000));
    let change = due.minus(note.amount).expect("small amounts");
    sold.tenders = vec![note, Tender::plain(TenderKind::Cash, change)];
    let mut exact = paid(pils(till), TenderKind::Cash);
    let crowns = config.currency(sample::CROWN).expect("a currency of the sample");
    let crowns = given(sample::CROWN, crowns.needed(due).expect("small amounts"));
    let rest = due.minus(crowns.amount).expect("small amounts");
    exact.tenders = vec![crowns, Tender::plain(TenderKind::Cash, rest)];
    exact.tenders.retain(|tender| !tender.amount.is_zero());
    let mut filled = desk(till, OrderKind::TopUp, TenderKind::Cash, 2_140, sample::wristband(2));
    filled.tenders = vec![given(sample::FRANC, Amount(2_000))];
    let mut back = turned(till, &filled);
    for tender in &mut back.tenders {
        let turned = |given: Foreign| Foreign {
            amount: Amount(-given.amount.0),
            ..given
        };
        tender.foreign = tender.foreign.map(turned);
    }
    let handed_in = DrawerMove::HandIn {
        foreign: note.foreign.expect("francs"),
        worth: note.amount,
    };
    let target = target(till.till, 1, &filled);
    let receipts = vec![
        Step::of(sold),
        Step::of(exact),
        Step::of(filled),
        Receipt::Of(Box::new(Step {
            takes_back: Some(target),
            ..Step::new(back)
        })),
        Step::of(drawer(till, handed_in)),
    ];
    Day {
        till: till.till,
        number: 1,
        receipts,
    }
}

/// The export of a festival that takes francs and crowns.
pub fn export_near_borders(model: VoucherModel) -> Files {
    let config = Arc::new(sample::config_with_currencies());
    let mut bar = PaperTill::new(tills(&config).0, 1);
    bar.config = Arc::clone(&config);
    written(&config, &[day_near_borders(&mut bar)], model, options()).0
}

/// The export of the festival.
pub fn export(model: VoucherModel, options: Options) -> (Files, Written) {
    let config = Arc::new(sample::config());
    let (bar, desk) = tills(&config);
    let (mut bar, mut desk) = (PaperTill::new(bar, 1), PaperTill::new(desk, 2));
    let days = [bar_day(&mut bar), desk_day(&mut desk), second_bar_day(&mut bar)];
    written(&config, &days, model, options)
}

fn written(config: &Config, days: &[Day], model: VoucherModel, options: Options) -> (Files, Written) {
    let wristband = |tag: TagId| map::pseudonym(&[3; 32], tag);
    let settings = Settings {
        model,
        in_house: true,
        staff_names: false,
        wristband: &wristband,
    };
    let outage = OutageRow {
        id: 1,
        tse: Some(TseNo(1)),
        client: None,
        from_ms: NOW + 13 * 60_000 + 30_000,
        until_ms: Some(NOW + 15 * 60_000 + 20_000),
        reason: "the TSE does not answer".to_owned(),
    };
    let mut office = Office::new();
    let mut memory = Memory::default();
    let mut writer = Writer::new(&mut memory, options).expect("memory");
    let mut numbers: BTreeMap<TillId, u64> = BTreeMap::new();
    for day in days {
        let client = client_of(sample::EVENT, day.till);
        let mut head = office.closing(config, day.till, day.number);
        head.created_ms += 60_000 * day.receipts.len() as u64 + 30_000;
        writer.begin(head).expect("a closing");
        for receipt in &day.receipts {
            office.at_ms += 60_000;
            let number = numbers.entry(day.till).or_default();
            *number += 1;
            let Receipt::Of(step) = receipt else {
                let cart = shared_protocol::CartId([9; 16]);
                let row = office.transaction(&client, cart, &Kassenbeleg::ABORTED.to_string(), 0);
                let came_off = CameOff {
                    transaction: Some(&row),
                    ..CameOff::default()
                };
                writer
                    .push(&map::given_up(&row, &came_off, *number))
                    .expect("a receipt");
                continue;
            };
            let data = Told::of_order(&step.order, step.replaced.as_ref(), config, model).data;
            let row = match step.how {
                How::Signed => Some(office.transaction(&client, step.order.cart, &data, 0)),
                How::Late => Some(office.transaction(&client, step.order.cart, &data, 30_000)),
                How::InOutage => None,
            };
            let signing = SigningRow {
                doubt: None,
                no: *number,
                state: match step.how {
                    How::Signed => SigningState::Signed,
                    How::Late => SigningState::SignedLate,
                    How::InOutage => SigningState::InOutage,
                },
                tse: TseNo(1),
                transaction: row.as_ref().map(|row| row.transaction),
                outage: (step.how != How::Signed).then_some(1),
            };
            let booked = Booked {
                order: &step.order,
                replaced: step.replaced.as_ref(),
                config,
                came_off: CameOff {
                    signing: Some(&signing),
                    transaction: row.as_ref(),
                    outage: (step.how != How::Signed).then_some(&outage),
                },
                number: *number,
                ended_ms: office.at_ms + 3_000,
                owed: Amount(step.owed),
                takes_back: step.takes_back.as_ref(),
            };
            writer.push(&map::receipt(&booked, &settings)).expect("a receipt");
        }
        writer.end().expect("a closing");
    }
    let written = writer.finish().expect("memory");
    (memory.files(), written)
}

/// What an export of the festival says of itself.
pub fn options() -> Options {
    Options {
        supplier: Supplier {
            name: "Heidelicht Kultur gGmbH".to_owned(),
            location: "Lichtenheide".to_owned(),
            comment: "Heidelicht Open Air, erfundene Daten, TSE in Software".to_owned(),
        },
        ..Options::default()
    }
}
