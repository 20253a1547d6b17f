//! Cash in other currencies: what it counts as pays, the notes stay in the drawer, and both are in the books.

use crate::common::{SELLER, Server, Till, tag};
use engine::{Request, bootstrap};
use festival::CaseKind;
use festival::registration::{Slot, SlotState, secret_digest};
use fixtures::sample::{self, CUP, FRANC, PILS};
use ledger::Account;
use shared_protocol::crypto::Hash32;
use shared_protocol::currency::Foreign;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::order::{LineKind, Order, OrderKind, Permission, Tender, TenderKind};
use shared_protocol::{Amount, AssetId, SlotId};
use std::sync::Arc;
use store::MemoryStore;

/// A festival that takes francs at 1.07, and a till of it.
fn near_the_border(kinds: &[OrderKind]) -> (Server, Till) {
    let config = sample::config_with_currencies();
    let mut store = MemoryStore::new(1);
    bootstrap(&mut store, sample::EVENT, &config.items()).unwrap();
    let mut server = Server::over(store);
    let mut till = Till::that_books(kinds, 1);
    till.config = Arc::new(config);
    let id = SlotId([till.seed; 16]);
    server.ask(Request::OpenSlot(Box::new(Slot {
        id,
        event: sample::EVENT,
        till: till.till,
        secret: secret_digest(id, &[1; 16]),
        expires_at_ms: server.now_ms + 1_000,
        confirm: false,
        state: SlotState::Open,
    })));
    let nonce = Hash32([till.seed; 32]);
    server.ask(Request::Register {
        register: Box::new(till.register(id, &[1; 16], &nonce)),
        nonce,
        terminal: till.id,
    });
    server.hello(&till);
    (server, till)
}

fn francs(amount: i64, worth: i64) -> Tender {
    Tender {
        foreign: Some(Foreign {
            asset: FRANC,
            amount: Amount(amount),
        }),
        ..Tender::plain(TenderKind::Cash, Amount(worth))
    }
}

fn euros(cents: i64) -> Tender {
    Tender::plain(TenderKind::Cash, Amount(cents))
}

/// Beer with a cup that comes back, paid with these.
fn beer(till: &mut Till, paid: impl FnOnce(i64) -> Vec<Tender>) -> Order {
    let cart = [(PILS, 3), (CUP, -1)];
    let mut order = till
        .cart(tag(1), &cart, &std::collections::BTreeMap::new(), None)
        .remove(0);
    order.holder = None;
    order.tenders = paid(order.total().unwrap().0);
    order
}

/// Euros in the drawer, what francs in it count as, francs in it, and francs and euros in the safe.
fn cash(server: &mut Server, till: &Till) -> [i128; 5] {
    let drawer = Account::Cash { till: till.till };
    let carried = Account::ForeignCash {
        till: till.till,
        currency: FRANC,
    };
    [
        (drawer, AssetId::EURO),
        (carried, AssetId::EURO),
        (drawer, FRANC),
        (Account::Safe, FRANC),
        (Account::Safe, AssetId::EURO),
    ]
    .map(|(account, asset)| -server.balance(account, asset))
}

#[test]
fn a_sale_for_francs_gives_change_in_euros_and_nothing_is_in_suspense() {
    let (mut server, mut bar) = near_the_border(&[OrderKind::Sale]);
    let order = beer(&mut bar, |total| vec![francs(5_000, 5_350), euros(total - 5_350)]);
    let total = i128::from(order.total().unwrap().0);
    bar.append(&order);
    server.sync(&mut bar);
    assert_eq!(cash(&mut server, &bar), [total - 5_350, 5_350, 5_000, 0, 0]);
    assert_eq!(server.balance(Account::Issuer, FRANC), 5_000);
    assert_eq!(server.balance(Account::Suspense, AssetId::EURO), 0);
    assert!(server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO) > 0);
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
    // Taken back, the notes and the change go back as they came.
    bar.cancel(&order);
    server.sync(&mut bar);
    assert_eq!(cash(&mut server, &bar), [0; 5]);
    assert_eq!(server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO), 0);
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn a_cancellation_whose_order_never_came_books_the_mirror_by_itself() {
    let (mut server, mut bar) = near_the_border(&[OrderKind::Sale]);
    let order = beer(&mut bar, |total| vec![francs(5_000, 5_350), euros(total - 5_350)]);
    let total = i128::from(order.total().unwrap().0);
    bar.cancel(&order);
    server.sync(&mut bar);
    assert_eq!(cash(&mut server, &bar), [5_350 - total, -5_350, -5_000, 0, 0]);
    assert_eq!(server.balance(Account::Suspense, AssetId::EURO), 0);
    assert_eq!(server.case_kinds(), [CaseKind::ReversalUnknown]);
    server.assert_balanced();
}

#[test]
fn a_top_up_in_francs_is_money_on_the_wristband_and_handing_in_empties_the_drawer_of_them() {
    let (mut server, mut desk) = near_the_border(&[OrderKind::TopUp, OrderKind::DrawerCount]);
    desk.drawer(DrawerMove::Open { float: Amount(10_000) });
    let mut order = desk.order(OrderKind::TopUp);
    order.lines = vec![Till::money_line(LineKind::TopUp, 1, 5_350)];
    (order.tenders, order.holder) = (vec![francs(5_000, 5_350)], Some(tag(1)));
    desk.append(&order);
    server.sync(&mut desk);
    assert_eq!(server.money(tag(1)), 5_350);
    assert_eq!(cash(&mut server, &desk), [10_000, 5_350, 5_000, 0, -10_000]);
    // A count is of euros only: that francs are there is no mismatch.
    let (expected, counted) = (Amount(10_000), Amount(10_000));
    desk.drawer(DrawerMove::Count { expected, counted });
    desk.drawer(DrawerMove::HandIn {
        foreign: Foreign {
            asset: FRANC,
            amount: Amount(5_000),
        },
        worth: Amount(5_350),
    });
    server.sync(&mut desk);
    assert_eq!(cash(&mut server, &desk), [0, 0, 0, 5_000, 5_350]);
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn a_top_up_with_much_change_is_taken_back_within_the_offline_limits() {
    let (mut server, mut desk) = near_the_border(&[OrderKind::TopUp, OrderKind::Cancel]);
    let mut order = desk.order(OrderKind::TopUp);
    order.lines = vec![Till::money_line(LineKind::TopUp, 1, 500)];
    order.holder = Some(tag(1));
    order.tenders = vec![francs(20_000, 21_400), euros(500 - 21_400)];
    desk.append(&order);
    let mut back = desk.order(OrderKind::Cancel);
    (back.reverses, back.holder) = (Some(order.id), order.holder);
    back.lines = fixtures::paper::taken_back(&order.lines);
    back.tenders = vec![francs(-20_000, -21_400), euros(21_400 - 500)];
    for tender in &mut back.tenders {
        tender.permission = Permission::OfflineKnown;
    }
    desk.append(&back);
    server.sync(&mut desk);
    assert_eq!((server.money(tag(1)), cash(&mut server, &desk)), (0, [0; 5]));
    assert_eq!(server.case_kinds(), []);
}

#[test]
fn another_worth_than_the_event_s_is_booked_as_taken_and_a_case() {
    let (mut server, mut bar) = near_the_border(&[OrderKind::Sale, OrderKind::TopUp]);
    let order = beer(&mut bar, |total| vec![francs(5_000, 5_900), euros(total - 5_900)]);
    bar.append(&order);
    let mut order = bar.order(OrderKind::TopUp);
    order.lines = vec![Till::money_line(LineKind::TopUp, 1, 1_000)];
    (order.tenders, order.holder) = (vec![francs(1_000, 1_000)], Some(tag(1)));
    bar.append(&order);
    server.sync(&mut bar);
    assert_eq!(server.case_kinds(), [CaseKind::PriceMismatch; 2]);
    assert_eq!(server.money(tag(1)), 1_000);
    assert_eq!(cash(&mut server, &bar)[1..3], [6_900, 6_000]);
    server.assert_balanced();
}
