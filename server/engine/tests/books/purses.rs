//! Wristbands with a purse: the chip decides, the books follow.

use std::collections::BTreeMap;

use crate::common::{NOW, SELLER, Server, Till, tag, till_that_books};
use engine::{CreditMaker, Reply, Request, Settled};
use festival::CaseKind;
use fixtures::paper::batch;
use fixtures::sample::{CUP, PILS};
use ledger::{Account, Authority, PostingId};
use proptest::prelude::*;
use shared_protocol::entry::{Entry, EntryKind, Intent, IntentOutcome, IntentResult};
use shared_protocol::ids::Bytes;
use shared_protocol::order::{LineKind, Order, OrderKind, Permission, Tender, TenderKind};
use shared_protocol::purse::{Record, Token};
use shared_protocol::stream::{BlockReason, Stream, Version};
use shared_protocol::wristband::{CHAIN_DESK, CHAIN_RETURN, CHAIN_SERVER, KnownPurse, PurseMove, PurseTotals};
use shared_protocol::{Amount, AssetId, BootId, OrderId, TagId, decode, encode};

pub const BATCH: u16 = 5;
pub const UNITS: [u16; 3] = [50, 10, 10];

/// A purse on paper: its totals and its last sale.
#[derive(Debug, Clone)]
pub struct Band {
    pub tag: TagId,
    pub totals: PurseTotals,
    pub record: Option<Record>,
}

impl Band {
    pub fn new(number: u32) -> Self {
        Self {
            tag: tag(number),
            totals: PurseTotals::default(),
            record: None,
        }
    }

    pub fn held(&self) -> i64 {
        self.totals.held(&UNITS).unwrap().0
    }

    /// Moves the purse and says how.
    pub fn moved(&mut self, till: &Till, to: impl FnOnce(&mut PurseTotals)) -> PurseMove {
        let (before, record) = (self.totals, self.record);
        to(&mut self.totals);
        let spent = self.totals.debited - before.debited;
        self.record = Some(Record {
            after: self.totals.debited,
            amount: spent,
            terminal: shared_protocol::wristband::short_till(till.till),
            ..Record::first()
        });
        PurseMove {
            batch: BATCH,
            before,
            after: self.totals,
            record,
        }
    }
}

pub fn token(count: u16) -> Token {
    let mut bytes = [0; 12];
    bytes[..2].copy_from_slice(&count.to_be_bytes());
    Token(bytes)
}

pub struct Maker;

impl CreditMaker for Maker {
    fn token(&self, batch: u16, _: TagId, count: u16) -> Option<Token> {
        (batch == BATCH).then(|| token(count))
    }
}

pub fn server() -> (Server, Till, Till) {
    let mut server = Server::new();
    server.engine.put_batches(&BTreeMap::from([(BATCH, batch())])).unwrap();
    server.engine.make_credits_with(Box::new(Maker));
    let desk = till_that_books(&mut server, &[OrderKind::TopUp, OrderKind::PayOut], 1);
    let bar = till_that_books(&mut server, &[OrderKind::Sale, OrderKind::DepositReturn], 2);
    (server, desk, bar)
}

/// A desk writes a top-up on the chain of the desks; what is left of the money settles what is owed.
pub fn top_up(desk: &mut Till, band: &mut Band, cents: i64, units: u16) -> Order {
    let purse = band.moved(desk, |totals| totals.credited[CHAIN_DESK] += units);
    let mut order = desk.order(OrderKind::TopUp);
    order.lines = vec![Till::money_line(LineKind::TopUp, 1, cents)];
    order.tenders = vec![Tender::plain(TenderKind::Cash, Amount(cents))];
    (order.holder, order.purse) = (Some(band.tag), Some(purse));
    desk.append(&order);
    order
}

/// A bar sells beer with its cup from the purse, and writes down what it began before.
pub fn beer(bar: &mut Till, band: &mut Band, count: i32) -> Order {
    let mut order = bar.cart(band.tag, &[(PILS, count)], &BTreeMap::new(), None).remove(0);
    let cents = u32::try_from(order.total().unwrap().0).unwrap();
    order.tenders[0].permission = Permission::Chip;
    order.purse = Some(band.moved(bar, |totals| totals.debited += cents));
    intent(bar, &order);
    bar.append(&order);
    order
}

fn intent(till: &mut Till, order: &Order) {
    let intent = Intent {
        order: order.id,
        before: Bytes::default(),
        after: Bytes::default(),
        draft: Some(Bytes(encode(order))),
    };
    entry(till, EntryKind::Intent, encode(&intent));
}

fn outcome(till: &mut Till, order: &Order, result: IntentResult) {
    let outcome = IntentOutcome {
        order: order.id,
        result,
        tag: order.holder,
    };
    entry(till, EntryKind::Outcome, encode(&outcome));
}

fn entry(till: &mut Till, kind: EntryKind, body: Vec<u8>) {
    let entry = Entry {
        kind,
        boot: BootId([1; 16]),
        mono_ms: 1,
        wall_ms: NOW,
        offset_ms: Some(0),
        body: Bytes(body),
    };
    till.append_raw(entry.bytes());
}

pub fn in_purse(server: &mut Server, tag: TagId) -> i128 {
    let account = Account::Wristband {
        tag,
        authority: Authority::Chip,
    };
    server.balance(account, AssetId::EURO)
}

fn reconcile(server: &mut Server) {
    let tags = server.engine.gaps(server.now_ms, 0, 100).unwrap();
    server.ask(Request::Reconcile { tags });
}

#[test]
fn a_chip_pays_and_the_books_follow_it() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    let sold = beer(&mut bar, &mut band, 2);
    server.sync(&mut desk);
    server.sync(&mut bar);
    assert_eq!(in_purse(&mut server, band.tag), i128::from(band.held()));
    assert_eq!(server.money(band.tag), 0);
    let beers = server.balance(Account::Payable { taxpayer: SELLER }, AssetId::EURO);
    assert_eq!(beers + i128::from(band.held()) + cups(&mut server), 40_00, "{sold:?}");
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

fn cups(server: &mut Server) -> i128 {
    let cups = Account::Deposit {
        article: CUP,
        taxpayer: SELLER,
    };
    server.balance(cups, AssetId::EURO)
}

#[test]
fn a_sale_that_is_heard_before_the_top_up_that_paid_for_it_is_no_debt_of_the_guest() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    beer(&mut bar, &mut band, 1);
    server.sync(&mut bar);
    assert!(in_purse(&mut server, band.tag) < 0, "the desk has not sent");
    let owed = Account::Overdraft { tag: band.tag };
    assert_eq!(server.balance(owed, AssetId::EURO), 0);
    server.sync(&mut desk);
    assert_eq!(in_purse(&mut server, band.tag), i128::from(band.held()));
    reconcile(&mut server);
    assert_eq!(server.case_kinds(), []);
}

#[test]
fn a_top_up_of_a_desk_settles_what_the_desk_says_it_settled() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    bar.sell(band.tag, &[(PILS, 1)]);
    server.sync(&mut bar);
    let owed = Account::Overdraft { tag: band.tag };
    let debt = -server.balance(owed, AssetId::EURO);
    assert!(debt > 0 && debt % 50 == 0, "{debt}");
    let cents = 20_00 - i64::try_from(debt).unwrap();
    top_up(&mut desk, &mut band, 20_00, u16::try_from(cents / 50).unwrap());
    server.sync(&mut desk);
    assert_eq!(server.balance(owed, AssetId::EURO), 0);
    assert_eq!(in_purse(&mut server, band.tag), i128::from(band.held()));
    assert_eq!(server.case_kinds(), [CaseKind::Overdraft]);
}

#[test]
fn deposits_that_come_back_are_credited_on_their_own_chain() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 20_00, 40);
    let mut order = bar.cart(band.tag, &[(CUP, -2)], &BTreeMap::new(), None).remove(0);
    let back = u16::try_from(-order.total().unwrap().0).unwrap();
    order.purse = Some(band.moved(&bar, |totals| {
        totals.credited[CHAIN_RETURN] += back / UNITS[CHAIN_RETURN];
    }));
    bar.append(&order);
    server.sync(&mut desk);
    server.sync(&mut bar);
    assert_eq!(in_purse(&mut server, band.tag), i128::from(band.held()));
    assert_eq!(server.case_kinds(), []);
}

#[test]
fn a_till_that_is_lost_is_a_gap_with_its_exact_sum_and_when_its_journal_comes_there_is_none() {
    let (mut server, mut desk, mut bar) = server();
    let mut lost = till_that_books(&mut server, &[OrderKind::Sale], 3);
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    let sold = beer(&mut lost, &mut band, 2);
    beer(&mut bar, &mut band, 1);
    server.sync(&mut desk);
    server.sync(&mut bar);
    assert_eq!(server.engine.gaps(NOW, 1, 9).unwrap(), [], "tills may be late");
    assert_eq!(
        server.engine.reconcile_gaps(NOW + engine::PATIENCE_MS - 1, 9).unwrap(),
        0
    );
    server.engine.set_patience(60_000);
    assert_eq!(server.engine.reconcile_gaps(NOW + 60_000, 9).unwrap(), 1);
    assert_eq!(server.engine.reconcile_gaps(NOW + 60_000, 9).unwrap(), 0);
    reconcile(&mut server);
    let cases = server.cases();
    assert_eq!(server.case_kinds(), [CaseKind::PurseGap], "told once");
    assert_eq!(cases[0].case.case.stake, sold.total().unwrap());
    assert_eq!(cases[0].case.case.tag, Some(band.tag));
    server.sync(&mut lost);
    assert_eq!(in_purse(&mut server, band.tag), i128::from(band.held()));
    let purse = server
        .engine
        .reader()
        .unwrap()
        .purse(fixtures::sample::EVENT, band.tag)
        .unwrap()
        .unwrap();
    assert_eq!(purse.gap_since_ms, None);
}

#[test]
fn a_desk_that_is_lost_or_whose_key_was_stolen_is_credit_that_nobody_reported() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    beer(&mut bar, &mut band, 1);
    server.sync(&mut bar);
    reconcile(&mut server);
    assert_eq!(server.case_kinds(), [CaseKind::CreditGap]);
    assert_eq!(server.cases()[0].case.case.stake, Amount(40_00));
}

#[test]
fn a_sale_that_is_taken_back_without_its_purse_gives_the_money_to_the_servers_side() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    let sold = beer(&mut bar, &mut band, 2);
    bar.cancel(&sold);
    server.sync(&mut desk);
    server.sync(&mut bar);
    assert_eq!(
        in_purse(&mut server, band.tag),
        i128::from(band.held()),
        "the chip was not there"
    );
    assert_eq!(server.money(band.tag), i128::from(sold.total().unwrap().0));
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[test]
fn a_top_up_that_is_taken_back_without_its_purse_is_a_debt_with_a_case() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    let topped_up = top_up(&mut desk, &mut band, 40_00, 80);
    beer(&mut bar, &mut band, 2);
    desk.cancel(&topped_up);
    server.sync(&mut desk);
    server.sync(&mut bar);
    assert_eq!(
        in_purse(&mut server, band.tag),
        i128::from(band.held()),
        "the chip still has it"
    );
    let owed = Account::Overdraft { tag: band.tag };
    assert_eq!(server.balance(owed, AssetId::EURO), -40_00);
    assert_eq!(server.case_kinds(), [CaseKind::Overdraft]);
    server.assert_balanced();
}

#[test]
fn a_copied_wristband_shows_with_what_it_took() {
    let (mut server, mut desk, mut bar) = server();
    let mut other = till_that_books(&mut server, &[OrderKind::Sale], 3);
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    let mut copy = band.clone();
    beer(&mut bar, &mut band, 1);
    let stolen = beer(&mut other, &mut copy, 1);
    for till in [&mut desk, &mut bar, &mut other] {
        server.sync(till);
    }
    assert_eq!(server.case_kinds(), [CaseKind::PurseOverlap]);
    assert_eq!(server.cases()[0].case.case.stake, stolen.total().unwrap());
}

#[test]
fn a_wristband_that_a_till_saw_higher_before_was_set_back() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    let old = band.clone();
    beer(&mut bar, &mut band, 1);
    band = old;
    beer(&mut bar, &mut band, 1);
    server.sync(&mut desk);
    server.sync(&mut bar);
    assert_eq!(server.case_kinds(), [CaseKind::PurseSetBack]);
}

#[test]
fn a_purse_that_moved_by_another_amount_is_told_from_one_that_did_not() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    let mut order = bar.cart(band.tag, &[(PILS, 1)], &BTreeMap::new(), None).remove(0);
    order.tenders[0].permission = Permission::Chip;
    order.purse = Some(band.moved(&bar, |totals| totals.debited += 1));
    bar.append(&order);
    server.sync(&mut desk);
    server.sync(&mut bar);
    assert_eq!(server.case_kinds(), [CaseKind::PurseMismatch]);
    assert_eq!(server.cases()[0].case.case.number, Some(order.total().unwrap().0 - 1));
}

#[test]
fn an_interrupted_payment_is_explained_by_the_record_of_the_next_sale() {
    let (mut server, mut desk, mut bar) = server();
    let mut next = till_that_books(&mut server, &[OrderKind::Sale], 3);
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    let mut broken = bar.cart(band.tag, &[(PILS, 1)], &BTreeMap::new(), None).remove(0);
    let cents = u32::try_from(broken.total().unwrap().0).unwrap();
    broken.purse = Some(band.moved(&bar, |totals| totals.debited += cents));
    intent(&mut bar, &broken);
    outcome(&mut bar, &broken, IntentResult::Unknown);
    beer(&mut next, &mut band, 1);
    for till in [&mut desk, &mut bar, &mut next] {
        server.sync(till);
    }
    reconcile(&mut server);
    assert_eq!(
        server.case_kinds(),
        [CaseKind::PurseInterrupted, CaseKind::PurseCompleted]
    );
    let case = server.cases().remove(1).case.case;
    assert_eq!((case.order, case.stake), (Some(broken.id), broken.total().unwrap()));
}

#[test]
fn an_interrupted_payment_that_did_not_happen_leaves_nothing() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    let mut broken = bar.cart(band.tag, &[(PILS, 1)], &BTreeMap::new(), None).remove(0);
    broken.purse = Some(band.clone().moved(&bar, |totals| totals.debited += 1));
    intent(&mut bar, &broken);
    outcome(&mut bar, &broken, IntentResult::Void);
    beer(&mut bar, &mut band, 1);
    server.sync(&mut desk);
    server.sync(&mut bar);
    reconcile(&mut server);
    assert_eq!(server.case_kinds(), []);
    let purse = server
        .engine
        .reader()
        .unwrap()
        .purse(fixtures::sample::EVENT, band.tag)
        .unwrap()
        .unwrap();
    assert_eq!(purse.intents, []);
}

#[test]
fn a_payment_of_two_orders_that_did_not_happen_was_never_seen() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    let mut would = band.clone();
    let group = shared_protocol::GroupId([7; 16]);
    for part in 1..=2 {
        let mut order = bar.cart(band.tag, &[(PILS, 1)], &BTreeMap::new(), None).remove(0);
        order.purse = Some(would.moved(&bar, |totals| totals.debited += 6_50));
        order.group = Some(shared_protocol::order::GroupPart { group, part, of: 2 });
        intent(&mut bar, &order);
        outcome(&mut bar, &order, IntentResult::Void);
    }
    server.sync(&mut desk);
    server.sync(&mut bar);
    let reader = server.engine.reader();
    let purse = reader
        .unwrap()
        .purse(fixtures::sample::EVENT, band.tag)
        .unwrap()
        .unwrap();
    assert_eq!((purse.seen, purse.gap_since_ms), (band.totals, None));
}

pub fn grant(server: &mut Server, tag: TagId, cents: i64) {
    let reply = server.ask(Request::Grant {
        posting: PostingId(OrderId([200; 16])),
        tag,
        asset: AssetId::EURO,
        amount: Amount(cents),
        expires_at_ms: None,
    });
    assert_eq!(reply, Reply::Settled(Settled::Done));
}

pub fn known(server: &mut Server, tag: TagId) -> KnownPurse {
    server.engine.refresh_purses();
    let (step, payload) = server
        .engine
        .step_from(Stream::Purses, Version::default())
        .unwrap()
        .unwrap();
    let mut copy = shared_protocol::stream::Copy::default();
    let key = server.engine.config_key();
    copy.apply(&key, fixtures::sample::EVENT, &step, &payload).unwrap();
    decode(&copy.items[tag.as_slice()]).unwrap()
}

#[test]
fn money_of_the_server_goes_into_the_purse_once_and_waits_for_any_till() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 20_00, 40);
    server.sync(&mut desk);
    grant(&mut server, band.tag, 12_34);
    let ask = Request::IntoPurse {
        posting: PostingId(OrderId([201; 16])),
        tag: band.tag,
        amount: None,
    };
    for _ in 0..2 {
        assert_eq!(server.ask(ask.clone()), Reply::Settled(Settled::Done));
    }
    assert_eq!(
        server.money(band.tag),
        4,
        "what is no step of the chain stays in the books"
    );
    assert_eq!(in_purse(&mut server, band.tag), 32_30);
    let credit = known(&mut server, band.tag).credit.unwrap();
    assert_eq!((credit.units, credit.token), (123, token(123)));
    // The next till writes it with its own sale.
    let mut order = bar.cart(band.tag, &[(PILS, 1)], &BTreeMap::new(), None).remove(0);
    let cents = u32::try_from(order.total().unwrap().0).unwrap();
    order.tenders[0].permission = Permission::Chip;
    order.purse = Some(band.moved(&bar, |totals| {
        totals.credited[CHAIN_SERVER] = 123;
        totals.debited += cents;
    }));
    bar.append(&order);
    server.sync(&mut bar);
    assert_eq!(known(&mut server, band.tag).credit, None);
    assert_eq!(known(&mut server, band.tag).seen, band.totals);
    assert_eq!(in_purse(&mut server, band.tag), i128::from(band.held()));
    assert_eq!(server.case_kinds(), []);
    let restarted = server.restarted();
    assert_eq!(
        restarted
            .engine
            .reader()
            .unwrap()
            .purses(fixtures::sample::EVENT, None, 9)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn what_the_purse_cannot_take_stays_where_it_is_and_says_why() {
    let (mut server, mut desk, _) = server();
    let mut band = Band::new(1);
    let ask = |tag, amount| Request::IntoPurse {
        posting: PostingId(OrderId([201; 16])),
        tag,
        amount,
    };
    let refused = |server: &mut Server, request| {
        let Reply::Settled(Settled::Refused(text)) = server.ask(request) else {
            panic!()
        };
        assert!(text.de != text.en);
        text.en
    };
    assert!(refused(&mut server, ask(band.tag, None)).contains("no purse"));
    top_up(&mut desk, &mut band, 20_00, 40);
    server.sync(&mut desk);
    assert!(refused(&mut server, ask(band.tag, None)).contains("nothing to move"));
    assert!(refused(&mut server, ask(band.tag, Some(Amount(15)))).contains("steps of 10"));
    assert!(refused(&mut server, ask(band.tag, Some(Amount(10)))).contains("not that much"));
    assert!(refused(&mut server, ask(band.tag, Some(Amount(20_000_000)))).contains("new wristband"));
    assert_eq!(known(&mut server, band.tag).credit, None);
}

#[test]
fn a_lost_wristband_is_replaced_but_for_what_late_tills_may_have_sold() {
    let (mut server, mut desk, mut bar) = server();
    let (mut old, new) = (Band::new(1), tag(2));
    top_up(&mut desk, &mut old, 40_00, 80);
    server.sync(&mut desk);
    let late = beer(&mut bar, &mut old, 1);
    let replace = Request::Replace {
        posting: PostingId(OrderId([202; 16])),
        old: old.tag,
        new,
        hold_back: Amount(15_00),
        reason: BlockReason::Lost,
    };
    for _ in 0..2 {
        assert_eq!(server.ask(replace.clone()), Reply::Settled(Settled::Done));
    }
    assert_eq!(server.money(new), 25_00);
    server.sync(&mut bar);
    assert_eq!(
        in_purse(&mut server, old.tag),
        15_00 - i128::from(late.total().unwrap().0)
    );
    // The till did not know of the block yet.
    assert_eq!(server.case_kinds(), [CaseKind::BlockedTag]);
    move_the_rest(&mut server, &old, new, BlockReason::Lost);
}

/// What was held back goes to the new wristband when all tills have sent; nothing is lost on the way.
pub fn move_the_rest(server: &mut Server, old: &Band, new: TagId, reason: BlockReason) {
    let rest = Request::Replace {
        posting: PostingId(OrderId([203; 16])),
        old: old.tag,
        new,
        hold_back: Amount::ZERO,
        reason,
    };
    assert_eq!(server.ask(rest), Reply::Settled(Settled::Done));
    assert_eq!(server.money(new), i128::from(old.held()));
    server.assert_balanced();
}

#[test]
fn a_purse_that_was_taken_over_is_paid_from_the_books_whatever_comes_late() {
    let (mut server, mut desk, mut bar) = server();
    let mut band = Band::new(1);
    top_up(&mut desk, &mut band, 40_00, 80);
    server.sync(&mut desk);
    let late = beer(&mut bar, &mut band, 1);
    for _ in 0..2 {
        let reply = server.ask(Request::TakeOver { tags: vec![band.tag] });
        assert_eq!(reply, Reply::Settled(Settled::Done));
    }
    assert_eq!((in_purse(&mut server, band.tag), server.money(band.tag)), (0, 40_00));
    server.sync(&mut bar);
    assert_eq!(server.money(band.tag), 40_00 - i128::from(late.total().unwrap().0));
    assert_eq!(server.case_kinds(), []);
    server.assert_balanced();
}

#[derive(Debug, Clone, Copy)]
enum Step {
    TopUp(u16),
    Beer(usize),
    Sync(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1..60_u16).prop_map(Step::TopUp),
        5 => (0..3_usize).prop_map(Step::Beer),
        3 => (0..4_usize).prop_map(Step::Sync),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whatever the tills do and in whatever sequence they send: when all have sent, the books have what the chip has (I6), nothing is
    /// missing and there is no case.
    #[test]
    fn when_all_tills_have_sent_the_books_have_what_the_chip_has(steps in proptest::collection::vec(step(), 1..40)) {
        let (mut server, desk, bar) = server();
        let mut tills = vec![bar];
        for seed in [3, 4] {
            tills.push(till_that_books(&mut server, &[OrderKind::Sale], seed));
        }
        tills.push(desk);
        let mut band = Band::new(1);
        for step in steps.into_iter().chain([0, 1, 2, 3].map(Step::Sync)) {
            match step {
                Step::TopUp(units) => drop(top_up(&mut tills[3], &mut band, i64::from(units) * 50, units)),
                Step::Beer(till) if band.held() > 10_00 => drop(beer(&mut tills[till], &mut band, 1)),
                Step::Beer(_) => {}
                Step::Sync(till) => {
                    if tills[till].seq() > tills[till].sent {
                        server.sync(&mut tills[till]);
                    }
                }
            }
        }
        prop_assert_eq!(in_purse(&mut server, band.tag), i128::from(band.held()));
        reconcile(&mut server);
        prop_assert_eq!(server.case_kinds(), []);
        server.assert_balanced();
    }
}
