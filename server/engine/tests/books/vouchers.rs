//! Vouchers on wristbands with a purse: granted in the books, put on by the server, used at any till, and what becomes of what they set aside.

use std::collections::BTreeMap;

use crate::common::{SELLER, Server, Till, tag, till_that_books};
use crate::purses::{BATCH, Band, Maker, in_purse, known, top_up};
use engine::{Reply, Request, Settled};
use festival::CaseKind;
use fixtures::paper::batch;
use fixtures::sample::{DRINK, PILS};
use ledger::{Account, Authority, PostingId};
use shared_protocol::order::{Order, OrderKind, Permission};
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::{Batch, CHAIN_SERVER};
use shared_protocol::{Amount, AssetId, OrderId, TagId};

/// What a drink token sets aside, and how many steps of the server's chain that is.
const WEIGHT: u16 = 5_00;
const STEPS: u16 = 50;

fn with_vouchers() -> Batch {
    let mut batch = batch();
    batch.list.settings.weight_cents = [WEIGHT, 0];
    batch.vouchers = vec![DRINK];
    batch
}

fn server(with_key: bool) -> (Server, Till, Till) {
    let mut server = Server::new();
    let batches = BTreeMap::from([(BATCH, with_vouchers())]);
    server.engine.put_batches(&batches).unwrap();
    if with_key {
        server.engine.make_credits_with(Box::new(Maker));
    }
    let desk = till_that_books(&mut server, &[OrderKind::TopUp], 1);
    let bar = till_that_books(&mut server, &[OrderKind::Sale], 2);
    (server, desk, bar)
}

fn drinks(server: &mut Server, tag: TagId, count: i64, number: u8) {
    let reply = server.ask(Request::Grant {
        posting: PostingId(OrderId([number; 16])),
        tag,
        asset: DRINK,
        amount: Amount(count),
        expires_at_ms: Some(server.now_ms + 60_000),
    });
    assert_eq!(reply, Reply::Settled(Settled::Done));
}

fn units(server: &mut Server, tag: TagId, authority: Authority) -> i128 {
    server.balance(Account::Wristband { tag, authority }, DRINK)
}

fn funding(server: &mut Server) -> i128 {
    server.balance(Account::VoucherFunding { voucher: DRINK }, AssetId::EURO)
}

/// A bar takes a token for a beer and money for its cup, and writes the credit that waits.
fn beer_for_a_token(bar: &mut Till, band: &mut Band, steps: u16) -> Order {
    let has = BTreeMap::from([(DRINK, 1)]);
    let mut order = bar.cart(band.tag, &[(PILS, 1)], &has, None).remove(0);
    assert!(order.lines.iter().any(|line| line.vouchers.is_some()));
    let cents = u32::try_from(order.paid().unwrap().0).unwrap() + u32::from(WEIGHT);
    for tender in &mut order.tenders {
        tender.permission = Permission::Chip;
    }
    order.purse = Some(band.moved(bar, |totals| {
        totals.credited[CHAIN_SERVER] = steps;
        totals.debited += cents;
    }));
    bar.append(&order);
    order
}

#[test]
fn granted_tokens_go_onto_the_purse_and_what_they_set_aside_comes_back_when_they_are_used() {
    let (mut server, mut desk, mut bar) = server(true);
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 20_00, 40);
    server.sync(&mut desk);
    drinks(&mut server, band.tag, 2, 9);
    drinks(&mut server, band.tag, 2, 9);
    let sent = known(&mut server, band.tag);
    assert_eq!((sent.vouchers, sent.credit.unwrap().units), ([2, 0], 2 * STEPS));
    assert_eq!(units(&mut server, band.tag, Authority::Chip), 2);
    assert_eq!(units(&mut server, band.tag, Authority::Server), 0);
    assert_eq!(in_purse(&mut server, band.tag), 30_00);
    assert_eq!(funding(&mut server), -10_00);

    beer_for_a_token(&mut bar, &mut band, 2 * STEPS);
    server.sync(&mut bar);
    assert_eq!(in_purse(&mut server, band.tag), i128::from(band.held()));
    assert_eq!(units(&mut server, band.tag, Authority::Chip), 1);
    assert_eq!(funding(&mut server), -5_00, "one token is still out");
    let sold = server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO);
    assert_eq!(sold, 0, "a free token takes the price off");

    drinks(&mut server, band.tag, 1, 10);
    let sent = known(&mut server, band.tag);
    assert_eq!((sent.vouchers, sent.credit.unwrap().units), ([3, 0], 3 * STEPS));
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn a_sale_for_a_token_that_is_taken_back_without_its_purse_gives_back_the_token_and_no_cash() {
    let (mut server, mut desk, mut bar) = server(true);
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 20_00, 40);
    server.sync(&mut desk);
    drinks(&mut server, band.tag, 2, 9);
    let sold = beer_for_a_token(&mut bar, &mut band, 2 * STEPS);
    bar.cancel(&sold);
    server.sync(&mut bar);
    assert_eq!(
        in_purse(&mut server, band.tag),
        i128::from(band.held()),
        "the chip was not there"
    );
    assert_eq!(units(&mut server, band.tag, Authority::Chip), 1);
    assert_eq!(units(&mut server, band.tag, Authority::Server), 1);
    assert_eq!(
        server.money(band.tag),
        i128::from(sold.paid().unwrap().0),
        "the cup and nothing else"
    );
    assert_eq!(funding(&mut server), -5_00);
    server.assert_balanced();
}

#[test]
fn a_token_that_the_books_do_not_know_of_is_booked_all_the_same_and_is_owed() {
    let (mut server, mut desk, mut bar) = server(true);
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 20_00, 40);
    // The server was restored from a backup of before it gave the token.
    beer_for_a_token(&mut bar, &mut band, STEPS);
    server.sync(&mut desk);
    server.sync(&mut bar);
    let owed = server.balance(Account::Overdraft { tag: band.tag }, DRINK);
    assert_eq!((owed, units(&mut server, band.tag, Authority::Chip)), (-1, 0));
    assert_eq!(server.case_kinds(), [CaseKind::Overdraft, CaseKind::UnknownCredit]);
    // Given again it is the same sum and the same credit: nobody gets it twice, and the books have what the chip has.
    assert!(in_purse(&mut server, band.tag) < i128::from(band.held()));
    drinks(&mut server, band.tag, 1, 9);
    let sent = known(&mut server, band.tag);
    assert_eq!((sent.vouchers, sent.credit.unwrap().units), ([1, 0], STEPS));
    assert_eq!(in_purse(&mut server, band.tag), i128::from(band.held()));
    server.assert_balanced();
}

#[test]
fn a_new_wristband_gets_the_tokens_and_not_what_the_old_one_had_set_aside() {
    let (mut server, mut desk, _) = server(true);
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 20_00, 40);
    server.sync(&mut desk);
    drinks(&mut server, band.tag, 2, 9);
    let reply = server.ask(Request::Replace {
        posting: PostingId(OrderId([20; 16])),
        old: band.tag,
        new: tag(2),
        hold_back: Amount::ZERO,
        reason: BlockReason::Lost,
    });
    assert_eq!(reply, Reply::Settled(Settled::Done));
    assert_eq!(server.money(tag(2)), 20_00);
    assert_eq!(units(&mut server, tag(2), Authority::Server), 2);
    assert_eq!((in_purse(&mut server, band.tag), funding(&mut server)), (0, 0));
    server.assert_balanced();
}

#[test]
fn a_purse_that_the_server_takes_over_keeps_its_tokens_in_the_books() {
    let (mut server, mut desk, _) = server(true);
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 20_00, 40);
    server.sync(&mut desk);
    drinks(&mut server, band.tag, 2, 9);
    server.ask(Request::TakeOver { tags: vec![band.tag] });
    assert_eq!((server.money(band.tag), funding(&mut server)), (20_00, 0));
    assert_eq!(units(&mut server, band.tag, Authority::Server), 2);
    server.assert_balanced();
}

#[test]
fn without_the_key_of_the_servers_chain_tokens_stay_in_the_books_and_a_case_says_so() {
    let (mut server, mut desk, _) = server(false);
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 20_00, 40);
    server.sync(&mut desk);
    drinks(&mut server, band.tag, 2, 9);
    assert_eq!(units(&mut server, band.tag, Authority::Server), 2);
    assert_eq!(server.case_kinds(), [CaseKind::PurseNotFilled]);
    server.engine.make_credits_with(Box::new(Maker));
    let into_purse = Request::IntoPurse {
        posting: PostingId(OrderId([21; 16])),
        tag: band.tag,
        amount: None,
    };
    assert_eq!(server.ask(into_purse), Reply::Settled(Settled::Done));
    assert_eq!(known(&mut server, band.tag).vouchers, [2, 0]);
    server.assert_balanced();
}
