//! Cash in another currency: what an order and a configuration may say of it, and what a reader of before saw.
#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped fails the test")]

use serde_cbor::Value;
use shared_protocol::catalogue::{Asset, FiscalClass, Text};
use shared_protocol::config::{Config, ConfigError, Event, Item};
use shared_protocol::currency::Foreign;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::order::{CancelReason, Order, OrderFault, OrderKind, Tender, TenderKind};
use shared_protocol::pricing::{Mismatch, verify_worth};
use shared_protocol::stream::Version;
use shared_protocol::{Amount, AssetId, EventId, OrderId, OrganisationId, encode};

const FRANC: AssetId = AssetId(7);

/// An order as its golden bytes have it.
fn golden(name: &str) -> Order {
    let path = format!("{}/../fixtures/wire/v1/entry/{name}.cbor", env!("CARGO_MANIFEST_DIR"));
    match Entry::read(&std::fs::read(path).unwrap()).unwrap() {
        (_, Content::Order(read)) => read.order,
        other => panic!("no order: {other:?}"),
    }
}

fn francs() -> Asset {
    Asset {
        id: FRANC,
        code: "CHF".to_owned(),
        name: Text::same("franc"),
        scale: 2,
        transferable: false,
        refundable: false,
        fiscal: FiscalClass::ForeignMoney,
        expires: false,
        holder_ceiling: None,
        value: Some(1_070_000),
    }
}

fn config(assets: impl IntoIterator<Item = Asset>) -> Result<Config, ConfigError> {
    let event = Event::new(OrganisationId([1; 16]), EventId([2; 16]), Text::same("test"));
    let items = assets.into_iter().map(|item| Item::Asset { item });
    Config::from_items(
        Version { generation: 1, rev: 1 },
        items.chain([Item::Event { item: event }]),
    )
}

fn given(kind: TenderKind, amount: i64, worth: i64) -> Tender {
    Tender {
        foreign: Some(Foreign {
            asset: FRANC,
            amount: Amount(amount),
        }),
        ..Tender::plain(kind, Amount(worth))
    }
}

#[test]
fn francs_are_taken_with_change_in_the_event_s_currency_and_go_back_only_as_they_came() {
    let sale = golden("order-foreign-cash");
    assert_eq!(sale.check(), Ok(()));
    let mut cancelled = sale.clone();
    cancelled.kind = OrderKind::Cancel;
    (cancelled.reverses, cancelled.reason) = (Some(OrderId([9; 16])), Some(CancelReason::Mistyped));
    cancelled
        .lines
        .iter_mut()
        .for_each(|line| line.quantity = -line.quantity);
    for tender in &mut cancelled.tenders {
        tender.amount = Amount(-tender.amount.0);
        if let Some(given) = &mut tender.foreign {
            given.amount = Amount(-given.amount.0);
        }
    }
    assert_eq!(cancelled.check(), Ok(()));
    let paid = |tenders: Vec<Tender>| Order {
        tenders,
        ..sale.clone()
    };
    let euros = Tender::plain(TenderKind::Cash, Amount(1_720));
    let broken = [
        // By card there are no notes.
        paid(vec![given(TenderKind::Card, 608, 650)]),
        // Notes and worth have one sign and are something.
        paid(vec![given(TenderKind::Cash, -608, 650)]),
        paid(vec![given(TenderKind::Cash, 0, 650)]),
        paid(vec![given(TenderKind::Cash, 1, 0), euros]),
        // Foreign change.
        paid(vec![euros, given(TenderKind::Cash, -1_000, -1_070)]),
        // Kinds that take none.
        Order {
            kind: OrderKind::PayOut,
            ..paid(vec![given(TenderKind::Cash, 608, 650)])
        },
    ];
    for order in broken {
        assert_eq!(order.check(), Err(OrderFault::Shape), "{order:?}");
    }
}

#[test]
fn foreign_money_leaves_a_drawer_by_being_handed_in() {
    let order = golden("order-foreign-cash-handed-in");
    let said = DrawerMove::HandIn {
        foreign: Foreign {
            asset: FRANC,
            amount: Amount(5_000),
        },
        worth: Amount(5_350),
    };
    assert_eq!((order.check(), DrawerMove::of(&order)), (Ok(()), Ok(Some(said))));
    let mut brought = order.clone();
    brought.lines[0].quantity = 1;
    brought.tenders = vec![given(TenderKind::Cash, 5_000, 5_350)];
    let mut two = order.clone();
    two.tenders = vec![
        given(TenderKind::Cash, -4_000, -4_280),
        given(TenderKind::Cash, -1_000, -1_070),
    ];
    let mut opened = order;
    opened.kind = OrderKind::DrawerOpen;
    for order in [brought, two, opened] {
        assert_eq!(order.check(), Err(OrderFault::Shape), "{order:?}");
    }
}

#[test]
fn a_reader_of_before_sees_cash_of_the_same_worth() {
    /// The place of the notes in a tender.
    const FOREIGN: i128 = 8;
    let order = golden("order-foreign-cash");
    let mut tender = order.tenders[0];
    let Value::Map(mut fields) = serde_cbor::from_slice(&encode(&tender)).unwrap() else {
        panic!("a tender")
    };
    assert!(fields.remove(&Value::Integer(FOREIGN)).is_some());
    tender.foreign = None;
    assert_eq!(serde_cbor::to_vec(&Value::Map(fields)).unwrap(), encode(&tender));
}

#[test]
fn a_currency_is_what_the_event_says_or_no_configuration() {
    let known = config([francs()]).unwrap();
    let codes: Vec<_> = known.currencies().map(|currency| currency.code).collect();
    assert_eq!(codes, ["CHF"]);
    let nonsense = [
        Asset {
            code: "chf".to_owned(),
            ..francs()
        },
        Asset {
            code: "FRANK".to_owned(),
            ..francs()
        },
        Asset {
            code: "EUR".to_owned(),
            ..francs()
        },
        Asset {
            value: None,
            ..francs()
        },
        Asset {
            value: Some(0),
            ..francs()
        },
        Asset { scale: 0, ..francs() },
        Asset {
            fiscal: FiscalClass::None,
            ..francs()
        },
    ];
    for asset in nonsense {
        assert!(
            matches!(config([asset.clone()]), Err(ConfigError::Value { .. })),
            "{asset:?}"
        );
    }
    let twin = Asset {
        id: AssetId(8),
        ..francs()
    };
    assert!(matches!(config([francs(), twin]), Err(ConfigError::Value { .. })));
}

#[test]
fn a_worth_that_the_catalogue_does_not_give_is_named() {
    let known = config([francs()]).unwrap();
    let right = [
        given(TenderKind::Cash, 5_000, 5_350),
        Tender::plain(TenderKind::Cash, Amount(-530)),
    ];
    assert_eq!(verify_worth(&known, &right), []);
    let dear = [given(TenderKind::Cash, 5_000, 5_351)];
    assert_eq!(verify_worth(&known, &dear), [Mismatch::Worth(FRANC)]);
    let unknown = config([]).unwrap();
    assert_eq!(verify_worth(&unknown, &right), [Mismatch::Worth(FRANC)]);
}
