//! What happens: generated sequences of requests over a few wristbands, taxpayers and three assets.

use ledger::account::{Account, AccountKey, Authority, Chart};
use ledger::{
    Capture, Fold, HoldOutcome, HoldRequest, Limits, Needs, Outcome, Posting, PostingId, Refusal, Transfer,
    TransferCode,
};
use proptest::prelude::*;
use proptest::sample::select;
use shared_protocol::crypto::Hash32;
use shared_protocol::{Amount, AssetId, EventId, HoldId, OrderId, TagId, TaxpayerId, TillId};

pub const EVENT: EventId = EventId([1; 16]);
pub const EURO: AssetId = AssetId::EURO;
/// Expires.
pub const VOUCHERS: AssetId = AssetId(1);
pub const POINTS: AssetId = AssetId(2);
pub const ASSETS: [AssetId; 3] = [EURO, VOUCHERS, POINTS];
/// Low, so that top-ups meet it often.
pub const CEILING: Amount = Amount(6_500);

const START_MS: u64 = 1_000;
const LOT_ENDS_MS: [u64; 4] = [1_100, 1_600, 2_500, 9_000];
const TAGS: u8 = 3;
/// What every sequence starts with: a posting and a hold for each wristband.
pub const PROVISION_STEPS: usize = 2 * TAGS as usize;

pub fn tag(number: u8) -> TagId {
    TagId::from_slice(&[number; 4]).unwrap()
}

pub fn server(number: u8) -> Account {
    Account::Wristband {
        tag: tag(number),
        authority: Authority::Server,
    }
}

fn chip(number: u8) -> Account {
    Account::Wristband {
        tag: tag(number),
        authority: Authority::Chip,
    }
}

fn overdraft(number: u8) -> Account {
    Account::Overdraft { tag: tag(number) }
}

pub fn payable(number: u16) -> Account {
    Account::Payable {
        taxpayer: TaxpayerId(number),
    }
}

fn cash() -> Account {
    Account::Cash { till: TillId(1) }
}

pub fn key(account: Account, asset: AssetId) -> AccountKey {
    AccountKey {
        event: EVENT,
        account,
        asset,
    }
}

pub fn chart() -> Chart {
    Chart {
        holder_ceilings: [(EURO, CEILING)].into(),
        expiring: [VOUCHERS].into(),
    }
}

/// All balances that the rules bound.
pub fn bounded_keys() -> impl Iterator<Item = AccountKey> {
    let accounts = (0..TAGS).flat_map(|number| [server(number), chip(number), overdraft(number)]);
    accounts.flat_map(|account| ASSETS.map(|asset| key(account, asset)))
}

/// A request that is not yet placed in time, and names others by their place in the sequence.
#[derive(Debug, Clone)]
pub enum Op {
    Post {
        transfers: Vec<Transfer>,
        captures: Vec<Capture>,
        reverses: Option<usize>,
        limits: Limits,
    },
    Again(usize),
    OtherContent(usize),
    Hold(HoldRequest),
    HoldAgain(usize),
    Release(HoldId),
    Lapse,
    Expire(AccountKey),
    Note,
}

/// A request as the ledger gets it.
#[derive(Debug, Clone)]
pub enum Command {
    Post(Posting),
    Hold(HoldRequest),
    Release(HoldId),
    Lapse,
    Expire(AccountKey, PostingId),
    Note,
}

/// A request with the time of the server's clock.
#[derive(Debug, Clone)]
pub struct Step {
    pub now_ms: u64,
    pub command: Command,
}

/// What the ledger says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Posting(Outcome),
    Hold(HoldOutcome),
    Released(Result<Amount, Refusal>),
    Lapsed(Vec<HoldId>),
    NothingExpired,
    Noted(u64),
}

impl Answer {
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Posting(Outcome::Refused(refusal))
            | Self::Hold(HoldOutcome::Refused(refusal))
            | Self::Released(Err(refusal)) => Some(*refusal),
            _ => None,
        }
    }

    /// Without the journal number, which alone may depend on what others did.
    pub fn unnumbered(self) -> Self {
        match self {
            Self::Posting(Outcome::Booked { .. }) => Self::Posting(Outcome::Booked { no: 0 }),
            Self::Posting(Outcome::Duplicate { .. }) => Self::Posting(Outcome::Duplicate { no: 0 }),
            Self::Posting(Outcome::Refused(Refusal::Conflict { .. })) => {
                Self::Posting(Outcome::Refused(Refusal::Conflict { no: 0 }))
            }
            Self::Noted(_) => Self::Noted(0),
            other => other,
        }
    }
}

impl Step {
    pub fn run(&self, fold: &mut Fold) -> Answer {
        match &self.command {
            Command::Post(posting) => Answer::Posting(fold.post(posting.clone(), self.now_ms, None)),
            Command::Hold(request) => Answer::Hold(fold.hold(*request, self.now_ms)),
            Command::Release(id) => Answer::Released(fold.release(*id)),
            Command::Lapse => Answer::Lapsed(fold.lapse(self.now_ms)),
            Command::Expire(key, id) => fold
                .expire(*key, *id, self.now_ms)
                .map_or(Answer::NothingExpired, Answer::Posting),
            Command::Note => Answer::Noted(fold.note(self.now_ms, Some(Hash32([5; 32])))),
        }
    }

    /// What must be loaded for it. Lapsing looks at every hold there is.
    pub fn needs(&self, all_holds: impl IntoIterator<Item = HoldId>) -> Needs {
        match &self.command {
            Command::Post(posting) => Needs::of_posting(posting),
            Command::Hold(request) => Needs::of_hold(request),
            Command::Release(id) => Needs::of_release(*id),
            Command::Lapse => Needs {
                holds: all_holds.into_iter().collect(),
                ..Needs::default()
            },
            Command::Expire(key, id) => Needs::of_expiry(*key, *id),
            Command::Note => Needs::default(),
        }
    }
}

fn amounts() -> impl Strategy<Value = Amount> {
    prop_oneof![
        24 => 1..3_000_i64,
        12 => 1..8_i64,
        1 => select(vec![0, -7, i64::MIN]),
        1 => select(vec![i64::MAX, i64::MAX - 3, 1 << 62]),
    ]
    .prop_map(Amount)
}

fn transfers() -> impl Strategy<Value = Transfer> {
    let number = 0..TAGS;
    let lot = prop::option::weighted(0.2, select(&LOT_ENDS_MS[..]));
    let kinds = (
        0..100_u8,
        number.clone(),
        number,
        select(&ASSETS[..]),
        amounts(),
        lot,
        select(&LOT_ENDS_MS[..]),
    );
    kinds.prop_map(|(kind, one, two, any_asset, amount, lot, end)| {
        let few = Amount(if amount.0 > 8 && amount.0 < 3_000 {
            amount.0 % 8 + 1
        } else {
            amount.0
        });
        let any = [
            server(one),
            chip(two),
            overdraft(two),
            payable(1),
            payable(2),
            cash(),
            Account::Issuer,
        ];
        let pick = |salt: i64| any[usize::try_from((amount.0 / 2 + salt).rem_euclid(7)).unwrap()];
        let (from, to, asset, amount, code, expires_at_ms) = match kind {
            0..30 => (
                server(one),
                payable(u16::from(two) + 1),
                EURO,
                amount,
                TransferCode::Sale,
                None,
            ),
            30..42 => (cash(), server(one), EURO, amount, TransferCode::TopUp, None),
            42..57 => (server(one), Account::Issuer, VOUCHERS, few, TransferCode::Redeem, lot),
            57..67 => (
                Account::Issuer,
                server(one),
                VOUCHERS,
                few,
                TransferCode::Issue,
                Some(end),
            ),
            67..73 => (Account::Issuer, server(one), POINTS, amount, TransferCode::Issue, None),
            73..76 => (server(one), Account::Issuer, POINTS, few, TransferCode::Redeem, None),
            76..82 => (server(one), chip(two), any_asset, few, TransferCode::Move, None),
            82..86 => (server(one), server(two), any_asset, few, TransferCode::Move, None),
            86..89 => (overdraft(one), payable(1), EURO, amount, TransferCode::Overdraft, None),
            89..92 => (
                server(one),
                overdraft(one),
                EURO,
                few,
                TransferCode::OverdraftSettled,
                None,
            ),
            92..94 => (server(one), Account::Issuer, VOUCHERS, few, TransferCode::Expire, lot),
            _ => (
                pick(0),
                pick(i64::from(kind)),
                any_asset,
                amount,
                TransferCode::Move,
                lot,
            ),
        };
        Transfer {
            from,
            to,
            asset,
            amount,
            code,
            expires_at_ms,
        }
    })
}

/// Asked for by nobody.
const UNKNOWN_HOLD: HoldId = HoldId([HOLDS; 16]);
/// One on each wristband from the start, and five more ids.
const HOLDS: u8 = TAGS + 5;

fn hold_ids() -> impl Strategy<Value = HoldId> {
    prop_oneof![15 => (0..HOLDS).prop_map(|number| HoldId([number; 16])), 1 => Just(UNKNOWN_HOLD)]
}

pub fn all_hold_ids() -> impl Iterator<Item = HoldId> {
    (0..=HOLDS).map(|number| HoldId([number; 16]))
}

fn captures() -> impl Strategy<Value = Capture> {
    let amount = prop_oneof![5 => (0..500_i64).prop_map(Amount), 1 => amounts()];
    (hold_ids(), amount, any::<bool>()).prop_map(|(hold, amount, release_rest)| Capture {
        hold,
        amount,
        release_rest,
    })
}

/// Euros, vouchers and points of one guest at once, as an evening's order has them.
fn carts() -> impl Strategy<Value = Vec<Transfer>> {
    (0..TAGS, 1..900_i64, 1..3_i64).prop_map(|(number, cents, vouchers)| {
        let line = |from, to, asset, amount, code| {
            let amount = Amount(amount);
            Transfer {
                from,
                to,
                asset,
                amount,
                code,
                expires_at_ms: None,
            }
        };
        let guest = server(number);
        vec![
            line(guest, payable(1), EURO, cents, TransferCode::Sale),
            line(guest, Account::Issuer, VOUCHERS, vouchers, TransferCode::Redeem),
            line(
                Account::VoucherFunding { voucher: VOUCHERS },
                payable(1),
                EURO,
                450 * vouchers,
                TransferCode::Sale,
            ),
            line(Account::Issuer, guest, POINTS, cents, TransferCode::Issue),
        ]
    })
}

fn postings() -> impl Strategy<Value = Op> {
    let moved = prop_oneof![4 => prop::collection::vec(transfers(), 0..4).boxed(), 1 => carts().boxed()];
    let captured = prop_oneof![3 => Just(vec![]).boxed(), 1 => prop::collection::vec(captures(), 1..3).boxed()];
    let reverses = prop::option::weighted(0.25, prop_oneof![3..8_usize, 0..16_usize]);
    let limits = prop_oneof![4 => Just(Limits::Enforced), 1 => Just(Limits::Fact)];
    (moved, captured, reverses, limits).prop_map(|(transfers, captures, reverses, limits)| Op::Post {
        transfers,
        captures,
        reverses,
        limits,
    })
}

fn holds() -> impl Strategy<Value = Op> {
    let account = prop_oneof![12 => (0..TAGS).prop_map(server), 1 => Just(overdraft(0)), 1 => Just(payable(1))];
    let asset = prop_oneof![3 => Just(EURO), 2 => Just(VOUCHERS)];
    let id = (TAGS - 1..HOLDS).prop_map(|number| HoldId([number; 16]));
    let amount = prop_oneof![6 => (1..1_500_i64).prop_map(Amount), 1 => amounts()];
    (id, account, asset, amount, 1_000..4_000_u64).prop_map(|(id, account, asset, amount, expires_at_ms)| {
        let amount = if asset == VOUCHERS && amount.0 > 8 {
            Amount(amount.0 % 8)
        } else {
            amount
        };
        Op::Hold(HoldRequest {
            id,
            event: EVENT,
            account,
            asset,
            amount,
            expires_at_ms,
        })
    })
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => postings(),
        2 => (0..16_usize).prop_map(Op::Again),
        1 => (0..16_usize).prop_map(Op::OtherContent),
        6 => holds(),
        1 => (0..16_usize).prop_map(Op::HoldAgain),
        2 => hold_ids().prop_map(Op::Release),
        2 => Just(Op::Lapse),
        2 => (0..TAGS).prop_map(|number| Op::Expire(key(server(number), VOUCHERS))),
        1 => Just(Op::Note),
    ]
}

fn ops(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(u64, Op)>> {
    let passed_ms = prop_oneof![2 => Just(0_u64), 2 => 1..200_u64, 1 => 200..700_u64];
    prop::collection::vec((passed_ms, op()), length)
}

/// A sequence that starts with money and vouchers on every wristband.
pub fn sequences(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Step>> {
    ops(length).prop_map(|ops| placed(ops, 0))
}

/// Three sequences that have nothing in common: each with its own wristband, ids and holds.
pub fn independent(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<Step>>> {
    prop::collection::vec(ops(length), 3).prop_map(|lanes| {
        lanes
            .into_iter()
            .zip(0..TAGS)
            .map(|(ops, lane)| in_lane(placed(ops, lane + 1), lane))
            .collect()
    })
}

/// What every wristband gets before anything is generated.
fn provision(number: u8) -> Posting {
    let given = |from, asset, amount, code, expires_at_ms| {
        let (to, amount) = (server(number), Amount(amount));
        Transfer {
            from,
            to,
            asset,
            amount,
            code,
            expires_at_ms,
        }
    };
    let transfers = vec![
        given(cash(), EURO, 5_000, TransferCode::TopUp, None),
        given(Account::Issuer, VOUCHERS, 4, TransferCode::Issue, Some(LOT_ENDS_MS[1])),
        given(Account::Issuer, VOUCHERS, 4, TransferCode::Issue, Some(LOT_ENDS_MS[2])),
    ];
    posting([250, number], transfers)
}

fn provisional_hold(number: u8) -> HoldRequest {
    let (account, amount) = (server(number), Amount(1_200));
    HoldRequest {
        id: HoldId([number; 16]),
        event: EVENT,
        account,
        asset: EURO,
        amount,
        expires_at_ms: 2_000,
    }
}

/// A posting as its client would make it, with an id from two numbers.
pub fn posting(id: [u8; 2], transfers: Vec<Transfer>) -> Posting {
    let mut order = [0; 16];
    order[..2].copy_from_slice(&id);
    Posting {
        id: PostingId(OrderId(order)),
        content: Hash32([id[1]; 32]),
        event: EVENT,
        transfers,
        captures: vec![],
        reverses: None,
        limits: Limits::Enforced,
        mirrored: None,
    }
}

/// Gives ids and times.
fn placed(ops: Vec<(u64, Op)>, lane: u8) -> Vec<Step> {
    let mut now_ms = START_MS;
    let mut posted: Vec<Posting> = (0..TAGS).map(provision).collect();
    let mut held: Vec<HoldRequest> = (0..TAGS).map(provisional_hold).collect();
    let commands = posted
        .iter()
        .cloned()
        .map(Command::Post)
        .chain(held.iter().copied().map(Command::Hold));
    let mut steps: Vec<_> = commands.map(|command| Step { now_ms, command }).collect();
    for (number, (passed_ms, op)) in (0..).zip(ops) {
        now_ms += passed_ms;
        let earlier = |place: usize| posted[place % posted.len()].clone();
        let command = match op {
            Op::Post {
                transfers,
                captures,
                reverses,
                limits,
            } => {
                let reverses = reverses.map(|place| earlier(place).id);
                let new = Posting {
                    captures,
                    reverses,
                    limits,
                    ..posting([lane, number], transfers)
                };
                posted.push(new.clone());
                Command::Post(new)
            }
            Op::Again(place) => Command::Post(earlier(place)),
            Op::OtherContent(place) => Command::Post(Posting {
                content: Hash32([255; 32]),
                ..earlier(place)
            }),
            Op::Hold(request) => {
                held.push(request);
                Command::Hold(request)
            }
            Op::HoldAgain(place) => Command::Hold(held[place % held.len()]),
            Op::Release(id) => Command::Release(id),
            Op::Lapse => Command::Lapse,
            Op::Expire(key) => Command::Expire(key, posting([lane, number], vec![]).id),
            Op::Note => Command::Note,
        };
        steps.push(Step { now_ms, command });
    }
    steps
}

/// Bends a sequence to one wristband and own hold ids. Lapsing concerns all holds, so no sequence with it is independent.
fn in_lane(steps: Vec<Step>, lane: u8) -> Vec<Step> {
    let account = |account| match account {
        Account::Wristband { authority, .. } => Account::Wristband {
            tag: tag(lane),
            authority,
        },
        Account::Overdraft { .. } => overdraft(lane),
        other => other,
    };
    let hold = |id: HoldId| HoldId([id.0[0] + 10 * lane; 16]);
    let bent = |step: Step| {
        let command = match step.command {
            Command::Post(mut posting) => {
                for transfer in &mut posting.transfers {
                    (transfer.from, transfer.to) = (account(transfer.from), account(transfer.to));
                }
                posting
                    .captures
                    .iter_mut()
                    .for_each(|capture| capture.hold = hold(capture.hold));
                posting.id.0.0[2] = lane;
                if let Some(target) = &mut posting.reverses {
                    target.0.0[2] = lane;
                }
                Command::Post(posting)
            }
            Command::Hold(request) => Command::Hold(HoldRequest {
                id: hold(request.id),
                account: account(request.account),
                ..request
            }),
            Command::Release(id) => Command::Release(hold(id)),
            Command::Lapse => return None,
            Command::Expire(of, id) => Command::Expire(key(account(of.account), of.asset), id),
            Command::Note => Command::Note,
        };
        Some(Step { command, ..step })
    };
    steps.into_iter().filter_map(bent).collect()
}
