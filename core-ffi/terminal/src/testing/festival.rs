//! A small festival.

use shared_protocol::catalogue::{
    Article, ArticleKind, Asset, FiscalClass, Layout, Role, Staff, Stand, StandKind, TaxDefinition, Taxpayer, Text,
    Till, VoucherPrice,
};
use shared_protocol::config::{Config, Event, Item};
use shared_protocol::crypto::{Ed25519Signer, Signer};
use shared_protocol::message::{Certificate, Registration};
use shared_protocol::order::{OrderKind, TenderKind};
use shared_protocol::stream::{Change, Stream, Version, sign_step};
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{
    Amount, ArticleId, AssetId, EventId, OrganisationId, StaffId, StandId, TagId, TaxpayerId, TerminalId, TillId,
};

pub const BEER: ArticleId = ArticleId(1);
pub const CUP: ArticleId = ArticleId(2);
pub const FREE: ArticleId = ArticleId(3);
pub const FRIES: ArticleId = ArticleId(4);
pub const PLATE: ArticleId = ArticleId(5);
pub const TIP: ArticleId = ArticleId(6);
pub const DRINK: AssetId = AssetId(1);
/// Counts 1.07 of the event's currency.
pub const FRANC: AssetId = AssetId(7);
pub const CASHIER: StaffId = StaffId(1);
pub const TRAINEE: StaffId = StaffId(2);
/// Has a PIN.
pub const CAREFUL: StaffId = StaffId(3);
/// Has a PIN and leads the stand.
pub const LEAD: StaffId = StaffId(4);
pub const PIN: &str = "2468";
pub const TERMINAL: TerminalId = TerminalId([0x77; 16]);
pub const EVENT: EventId = EventId([0xee; 16]);
const ORGANISATION: OrganisationId = OrganisationId([0x0a; 16]);

pub fn tag(number: u8) -> TagId {
    TagId::from_slice(&[4, number, 0, 0, 0, 0, 1]).unwrap()
}

/// The wristband of somebody who works there.
pub fn crew(staff: StaffId) -> TagId {
    TagId::from_slice(&[4, 0xc0, 0, 0, 0, u8::try_from(staff.0).unwrap(), 2]).unwrap()
}

/// The shell of these tests takes the hash for the PIN itself.
fn with_pin(person: Staff) -> Staff {
    Staff {
        pin: Some(PIN.to_owned()),
        ..person
    }
}

fn article(id: ArticleId, kind: ArticleKind, taxpayer: u16, price: Option<i64>, deposit: Option<ArticleId>) -> Article {
    Article {
        id,
        name: Text::same("article"),
        kind,
        taxpayer: TaxpayerId(taxpayer),
        price: price.map(Amount),
        tax: TaxKey::GENERAL,
        deposit,
        vouchers: None,
        min_age: 0,
    }
}

fn asset(id: u16, code: &str, fiscal: FiscalClass) -> Asset {
    Asset {
        id: AssetId(id),
        code: code.to_owned(),
        name: Text::same(code),
        scale: 0,
        transferable: true,
        refundable: false,
        fiscal,
        expires: false,
        holder_ceiling: None,
        value: None,
    }
}

/// A shift marked by an order of its own would be one more wherever orders are counted.
fn all_but(kinds: &[OrderKind]) -> Vec<OrderKind> {
    let others = OrderKind::ALL.iter().copied();
    others.filter(|other| !kinds.contains(other)).collect()
}

/// The same festival, with shifts and practice told to a TSE.
pub fn config_with_shifts() -> Config {
    let mut config = config();
    for till in config.tills.values_mut() {
        till.order_kinds.extend([OrderKind::Shift, OrderKind::Training]);
    }
    config
}

/// Beer 5.00 with a cup of 2.00, fries 4.00 of another taxpayer with a plate of 1.00; a beer is one drink voucher.
pub fn config() -> Config {
    let mut event = Event::new(ORGANISATION, EVENT, Text::same("test"));
    event.offline.pay_out_max = Amount(1_000);
    let taxpayer = |id| Taxpayer {
        id: TaxpayerId(id),
        name: format!("{id}"),
        tax_number: String::new(),
        address: None,
    };
    let mut beer = article(BEER, ArticleKind::Goods, 1, Some(500), Some(CUP));
    beer.vouchers = Some(VoucherPrice { asset: DRINK, units: 1 });
    let staff = |id, order_kinds: &[OrderKind], role| Staff {
        id,
        name: String::new(),
        order_kinds: order_kinds.to_vec(),
        tag: Some(crew(id)),
        role: Some(role),
        pin: None,
        language: None,
    };
    let articles = [
        beer,
        article(CUP, ArticleKind::Deposit, 1, Some(200), None),
        article(FREE, ArticleKind::Goods, 1, None, None),
        article(FRIES, ArticleKind::Goods, 2, Some(400), Some(PLATE)),
        article(TIP, ArticleKind::Tip, 1, None, None),
        article(PLATE, ArticleKind::Deposit, 2, Some(100), None),
    ];
    let items = [
        Item::Event { item: event },
        Item::Asset {
            item: asset(0, "EUR", FiscalClass::Money),
        },
        Item::Asset {
            item: asset(1, "DRINK", FiscalClass::None),
        },
        Item::Asset {
            item: Asset {
                scale: 2,
                value: Some(1_070_000),
                ..asset(FRANC.0, "CHF", FiscalClass::ForeignMoney)
            },
        },
        Item::Taxpayer { item: taxpayer(1) },
        Item::Taxpayer { item: taxpayer(2) },
        Item::Tax {
            item: TaxDefinition {
                key: TaxKey::GENERAL,
                rate: TaxRate(1_900),
            },
        },
        Item::Stand {
            item: Stand {
                id: StandId(1),
                name: Text::same("bar"),
                kind: StandKind::Bar,
                taxpayer: TaxpayerId(1),
            },
        },
        Item::Layout {
            item: Layout {
                id: 1,
                name: Text::same("bar"),
                tiles: vec![BEER, FREE, FRIES, TIP],
                deposit_row: vec![CUP, PLATE],
            },
        },
        Item::Till {
            item: Till {
                id: TillId(1),
                stand: StandId(1),
                name: "1".to_owned(),
                layout: 1,
                order_kinds: all_but(&[OrderKind::Shift, OrderKind::Training]),
                tenders: vec![TenderKind::Wristband, TenderKind::Cash],
            },
        },
        Item::Staff {
            item: staff(CASHIER, OrderKind::ALL, Role::Cashier),
        },
        Item::Staff {
            item: staff(TRAINEE, &[OrderKind::Sale], Role::Cashier),
        },
        Item::Staff {
            item: with_pin(staff(CAREFUL, &[OrderKind::Sale], Role::Cashier)),
        },
        Item::Staff {
            item: with_pin(staff(LEAD, &[OrderKind::Sale], Role::Lead)),
        },
    ];
    let items = items.into_iter().chain(articles.map(|item| Item::Article { item }));
    Config::from_items(Version { generation: 1, rev: 1 }, items).unwrap()
}

pub fn config_signer() -> Ed25519Signer {
    Ed25519Signer::from_seed(&[0xcf; 32]).unwrap()
}

pub fn certificate(key: &dyn Signer) -> Certificate {
    let registration = Registration {
        organisation: ORGANISATION,
        event: EVENT,
        terminal: TERMINAL,
        till: TillId(1),
        key: key.public_key(),
        registered_at_ms: 1,
    };
    Certificate::issue(&config_signer(), &registration).unwrap()
}

/// A signed step of the configuration stream, as the server would send it.
pub fn config_step(to: Version, from_rev: Option<u64>, items: &[Item]) -> (shared_protocol::stream::Step, Vec<u8>) {
    let changes: Vec<Change> = items.iter().map(Item::change).collect();
    sign_step(&config_signer(), EVENT, Stream::Config, to, from_rev, &changes).unwrap()
}
