//! One receipt of every kind.

use std::collections::BTreeMap;

use fiscal::signer::{Told, client_of};
use fiscal::software::Memory;
use fiscal::tse::{Curve, Document, TransactionKey, Tse as _};
use fiscal::{ReceiptCode, SoftwareTse, VoucherModel};
use fixtures::paper::{NOW, PaperTill};
use fixtures::sample::{self, CUP, MEAL, TIP};
use receipt::{Content, Logo, Module, Proof, Signature, Subject, TseSignature};
use shared_protocol::config::Config;
use shared_protocol::currency::Foreign;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::entry::{Content as Written, Entry};
use shared_protocol::order::{LineKind, Order, OrderKind, Tender, TenderKind};
use shared_protocol::shift::ShiftMark;
use shared_protocol::{Amount, ArticleId};

/// A kind of receipt, made from what it is made from.
pub struct Case {
    pub name: &'static str,
    pub order: Order,
    pub replaced: Option<Order>,
    pub config: Config,
    pub signature: Signature,
    pub model: VoucherModel,
    pub copy: bool,
}

impl Case {
    pub fn content(&self) -> Content {
        let subject = Subject {
            order: &self.order,
            replaced: self.replaced.as_ref(),
            config: Some(&self.config),
            signature: self.signature.clone(),
            model: self.model,
            link: Some(format!("https://heidelicht.example/receipt/{}", self.order.id)),
            copy: self.copy,
            logo: None,
        };
        Content::of(subject).expect("small amounts")
    }
}

/// What a TSE in software says of an order.
pub fn signed(order: &Order, replaced: Option<&Order>, config: &Config, model: VoucherModel, late: bool) -> Signature {
    let mut tse = SoftwareTse::new(&[3; 32], Curve::BrainpoolP384, Memory::default()).expect("a seed");
    let client = client_of(order.event, order.till);
    let Told { kind, data, .. } = Told::of_order(order, replaced, config, model);
    let from = order.opened_at_ms() + if late { 1_800_000 } else { 400 };
    tse.register(&client, from).expect("any till");
    let key = TransactionKey(order.cart.0);
    let document = Document {
        process_type: kind.as_str(),
        process_data: &data,
        receipt: None,
    };
    let started = tse.start(key, &client, from).expect("a registered till");
    let finished = tse
        .finish(key, &client, started.transaction, document, from + 3_000)
        .expect("an open transaction");
    Signature::Tse(Box::new(TseSignature {
        code: ReceiptCode::new(tse.info(), &client, kind.as_str(), &data, &started, &finished),
        tse: Module {
            serial: tse.info().serial.to_vec(),
            certified: tse.info().certified,
        },
        late,
    }))
}

fn paid(mut order: Order, kind: TenderKind) -> Order {
    for tender in &mut order.tenders {
        tender.kind = kind;
    }
    order
}

/// A cart that nobody paid.
fn given_up(till: &mut PaperTill) -> Order {
    Order {
        kind: OrderKind::AbortedCart,
        tenders: Vec::new(),
        ..beer(till)
    }
}

/// Somebody's shift is over.
fn shift_end(till: &mut PaperTill) -> Order {
    Order {
        shift: Some(ShiftMark::End),
        ..till.order(OrderKind::Shift)
    }
}

/// Beer in two cups at a bar, paid from a wristband.
pub fn beer(till: &mut PaperTill) -> Order {
    let beer = ArticleId(102);
    let mut orders = till.cart(
        sample::wristband(1),
        &[(beer, 2), (ArticleId(121), 1), (CUP, -1)],
        &BTreeMap::new(),
        None,
    );
    orders.remove(0)
}

fn till_that_sells(article: ArticleId, kind: OrderKind) -> PaperTill {
    let config = sample::config();
    let found = config.tills.values().find(|till| {
        let layout = config.layouts.get(&till.layout);
        till.order_kinds.contains(&kind)
            && layout.is_some_and(|layout| format!("{layout:?}").contains(&format!("{article:?}")))
    });
    PaperTill::new(
        found.map_or_else(|| PaperTill::that_books(&[kind], 1).till, |till| till.id),
        1,
    )
}

/// The order that a till wrote down last.
fn last_order(till: &PaperTill) -> Order {
    let (bytes, _) = till.entries.last().expect("it wrote something down");
    match Entry::read(bytes) {
        Ok((_, Written::Order(read))) => read.order,
        other => panic!("an order was written: {other:?}"),
    }
}

/// Money in, money out, and a drawer that is counted.
fn at_the_desk() -> [Order; 3] {
    let mut desk = PaperTill::that_books(&[OrderKind::TopUp, OrderKind::PayOut], 2);
    let mut top_up = desk.order(OrderKind::TopUp);
    top_up.lines = vec![PaperTill::money_line(LineKind::TopUp, 1, 5_000)];
    top_up.tenders = vec![
        PaperTill::tender(TenderKind::Cash, Amount(2_000)),
        PaperTill::tender(TenderKind::Card, Amount(3_000)),
    ];
    let mut pay_out = desk.order(OrderKind::PayOut);
    pay_out.lines = vec![PaperTill::money_line(LineKind::PayOut, -1, 1_250)];
    pay_out.tenders = vec![PaperTill::tender(TenderKind::Cash, Amount(-1_250))];
    let (expected, counted) = (Amount(35_000), Amount(34_800));
    let moved = DrawerMove::Count { expected, counted };
    let mut drawer = desk.order(moved.kind());
    drawer.lines = moved.lines().expect("small amounts");
    drawer.tenders = vec![PaperTill::tender(
        TenderKind::Cash,
        moved.cash().expect("small amounts"),
    )];
    [top_up, pay_out, drawer]
}

/// Francs for beer, with change, at a festival that takes them.
fn paid_in_francs(mut order: Order) -> Order {
    let francs = sample::config_with_currencies();
    let francs = francs.currency(sample::FRANC).expect("the sample has francs");
    let amount = Amount(5_000);
    let worth = francs.worth(amount).expect("small amounts");
    let change = order.total().and_then(|total| total.minus(worth));
    let given = Tender {
        foreign: Some(Foreign {
            asset: sample::FRANC,
            amount,
        }),
        ..Tender::plain(TenderKind::Cash, worth)
    };
    order.tenders = vec![given, Tender::plain(TenderKind::Cash, change.expect("small amounts"))];
    order
}

/// All of them.
pub fn all() -> Vec<Case> {
    let mut bar = PaperTill::that_books(&[OrderKind::Sale, OrderKind::Correction], 1);
    bar.wall_ms = NOW;
    let model = VoucherModel::VoucherLines;
    let config = sample::config();
    let case = |name, order: Order, signature: Signature| Case {
        name,
        order,
        replaced: None,
        config: sample::config(),
        signature,
        model,
        copy: false,
    };
    let good = |order: &Order| signed(order, None, &sample::config(), model, false);

    let sale = beer(&mut bar);
    let mut fewer = bar
        .cart(sample::wristband(1), &[(ArticleId(102), 1)], &BTreeMap::new(), None)
        .remove(0);
    fewer.kind = OrderKind::Correction;
    fewer.reverses = Some(sale.id);
    bar.cancel(&sale);
    let cancelled = last_order(&bar);

    let mut food = till_that_sells(ArticleId(245), OrderKind::Sale);
    let meal = food
        .cart(
            sample::wristband(2),
            &[(ArticleId(245), 1), (ArticleId(248), 2)],
            &BTreeMap::from([(MEAL, 1)]),
            None,
        )
        .remove(0);
    let in_cash = paid(beer(&mut bar), TenderKind::Cash);

    let [top_up, pay_out, drawer] = at_the_desk();
    let given_up = given_up(&mut bar);
    let mut training = beer(&mut bar);
    training.kind = OrderKind::Training;
    let cups = bar
        .cart(sample::wristband(1), &[(CUP, -2)], &BTreeMap::new(), None)
        .remove(0);
    let tipped = beer(&mut bar);
    let tipped = paid(bar.with_tip(tipped, TIP, 150), TenderKind::Card);
    let shift = shift_end(&mut bar);
    let outage = Signature::Outage {
        tse: Some(Module {
            serial: vec![0xc5; 32],
            certified: false,
        }),
    };
    let till = |proof| Signature::Till {
        proof,
        tse: match &outage {
            Signature::Outage { tse } if proof == Proof::Holds => tse.clone(),
            _ => None,
        },
    };
    let (from_till, forged) = (till(Proof::Holds), till(Proof::Broken));
    let late = signed(&sale, None, &config, model, true);
    let mut at_the_border = PaperTill::that_books(&[OrderKind::Sale, OrderKind::Correction], 3);
    at_the_border.wall_ms = NOW;
    let in_francs = paid_in_francs(beer(&mut at_the_border));
    let near_borders = sample::config_with_currencies();
    let electronic = VoucherModel::ElectronicMoney;
    vec![
        case("cancel", cancelled.clone(), good(&cancelled)),
        case("cash", in_cash.clone(), good(&in_cash)),
        Case {
            replaced: Some(sale.clone()),
            signature: signed(&fewer, Some(&sale), &config, model, false),
            ..case("correction", fewer.clone(), Signature::Pending)
        },
        Case {
            copy: true,
            ..case("copy", sale.clone(), good(&sale))
        },
        case("deposit-return", cups.clone(), good(&cups)),
        case("drawer", drawer.clone(), good(&drawer)),
        Case {
            model: electronic,
            signature: signed(&sale, None, &config, electronic, false),
            ..case("electronic", sale.clone(), Signature::Pending)
        },
        case("from-till", sale.clone(), from_till),
        case("from-till-forged", sale.clone(), forged),
        Case {
            signature: signed(&in_francs, None, &near_borders, model, false),
            config: near_borders,
            ..case("foreign-cash", in_francs.clone(), Signature::Pending)
        },
        case("given-up", given_up.clone(), good(&given_up)),
        case("late", sale.clone(), late),
        case("meal", meal.clone(), good(&meal)),
        case("outage", sale.clone(), outage),
        case("pay-out", pay_out.clone(), good(&pay_out)),
        case("pending", sale.clone(), Signature::Pending),
        case("sale", sale.clone(), good(&sale)),
        case("shift-end", shift.clone(), good(&shift)),
        case("tip", tipped.clone(), good(&tipped)),
        case("top-up", top_up.clone(), good(&top_up)),
        case("training", training.clone(), good(&training)),
    ]
}

/// One of them.
pub fn named(name: &str) -> Case {
    all()
        .into_iter()
        .find(|case| case.name == name)
        .expect("a case of that name")
}

/// A logo: a disc that grows lighter to one side, on a ground that is not there.
pub fn logo() -> Logo {
    let (width, height) = (640_u32, 320_u32);
    let dot = |place: u32| {
        let (x, y) = (place % width, place / width);
        let inside = x.abs_diff(width / 2).pow(2) + y.abs_diff(height / 2).pow(2) < 150 * 150;
        let grey = u8::try_from(x * 255 / width).unwrap_or(u8::MAX);
        [grey, if inside { 255 } else { 0 }]
    };
    let dots: Vec<u8> = (0..width * height).flat_map(dot).collect();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::GrayscaleAlpha);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("a small picture");
    writer.write_image_data(&dots).expect("memory");
    writer.finish().expect("memory");
    Logo::from_png(&bytes).expect("just written")
}
