//! What an order books: from the order as it came to one posting, plus the cases that come with it.
//!
//! An order is a fact. It is booked as taken; ceilings do not stop it, and what a wristband lacks is advanced from its overdraft account
//! in the same posting, so that goods, tax, deposits and the fiscal record stand as they happened and only the paying side differs.

mod bands;
mod checks;
mod flows;
pub mod intents;

use std::collections::BTreeMap;

use ledger::{
    Account, AccountKey, Authority, Capture, Fold, KnownPosting, Limits, Needs, Outcome, Posting, PostingId, Refusal,
    Transfer, TransferCode,
};
use shared_protocol::config::Config;
use shared_protocol::crypto::Hash32;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::entry::OrderEntry;
use shared_protocol::order::{Order, OrderKind, TenderKind};
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::{Batch, BatchAuthority};
use shared_protocol::{Amount, AssetId, OrderId, TagId, TerminalId, TillId};

use crate::authorise::{in_purse, owed, units};
use crate::case::{Case, CaseKind};
use crate::holding;
use crate::purse::{Finding, Purse, moved_in_books, moved_on_chip};

pub use bands::BandDone;

/// What booking knows besides the order and the ledger.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The configuration of today.
    pub current: &'a Config,
    /// The configuration the order names, if this server has it.
    pub priced_with: Option<&'a Config>,
    /// The till the terminal is registered for; none for an order that came without a terminal.
    pub till: Option<TillId>,
    /// The terminal that made it; none for an order that came without one.
    pub terminal: Option<TerminalId>,
    /// Blocked wristbands.
    pub blocks: Blocks<'a>,
    /// Batches of wristbands with a purse.
    pub batches: &'a BTreeMap<u16, Batch>,
    /// The server's clock, ms since 1970.
    pub now_ms: u64,
}

/// The block list, with what was decided since and is not in it yet.
#[derive(Debug, Clone, Copy)]
pub struct Blocks<'a> {
    /// The list.
    pub list: &'a BTreeMap<TagId, BlockReason>,
    /// What this batch changes about it; none frees a wristband.
    pub changed: &'a BTreeMap<TagId, Option<BlockReason>>,
}

impl Blocks<'_> {
    /// Why a wristband must not pay.
    pub fn reason(&self, tag: TagId) -> Option<BlockReason> {
        let changed = self.changed.get(&tag).copied();
        changed.unwrap_or_else(|| self.list.get(&tag).copied())
    }
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Booked {
    /// It is in the journal under this number.
    New {
        /// The journal number.
        no: u64,
        /// What it did to a wristband.
        band: Option<BandDone>,
    },
    /// It was there before, with the same content.
    Duplicate {
        /// The first one's journal number.
        no: u64,
    },
    /// Its id is there with other content; nothing was booked.
    Conflict {
        /// The first one's journal number.
        no: u64,
    },
    /// It cannot be booked at all (contradicts itself, belongs elsewhere, or a later version's business); nothing was booked.
    Kept,
}

/// What booking an order touches.
pub fn needs(order: &Order, current: &Config) -> Needs {
    let mut needs = Needs::default();
    needs.postings.insert(posting_id(order.id));
    if let Some(target) = order.reverses {
        needs.reversal_targets.insert(posting_id(target));
    }
    let event = &current.event;
    if order.kind == OrderKind::DrawerCount {
        needs.sums.insert(drawer(order));
    }
    for tag in tags(order) {
        needs.accounts.insert(units(event, tag, AssetId::EURO));
        needs.accounts.insert(owed(event, tag));
        let has_purse = order.purse.is_some() && order.holder == Some(tag);
        if has_purse {
            needs.accounts.insert(in_purse(event, tag, AssetId::EURO));
        }
        for asset in voucher_assets(order) {
            if has_purse {
                needs.accounts.insert(in_purse(event, tag, asset));
            }
            needs.accounts.insert(units(event, tag, asset));
            needs.accounts.insert(AccountKey {
                asset,
                ..owed(event, tag)
            });
        }
    }
    if let Some(band) = &order.band {
        let tags = order.holder.into_iter().chain(band.new);
        needs.accounts.extend(tags.flat_map(|tag| holding::needs(current, tag)));
        needs.postings.insert(credit_id(order.id));
    }
    needs
        .holds
        .extend(order.tenders.iter().filter_map(|tender| tender.hold));
    needs
}

/// What the books say is in the till's drawer.
fn drawer(order: &Order) -> AccountKey {
    AccountKey {
        event: order.event,
        account: Account::Cash { till: order.till },
        asset: AssetId::EURO,
    }
}

/// The key an order claims.
pub fn posting_id(order: OrderId) -> PostingId {
    PostingId(order)
}

/// The key of the credit that gives a new wristband's purse what a swap brought it. It follows from the order, so it is given once.
pub fn credit_id(order: OrderId) -> PostingId {
    derived_id("groschen swap credit 1", order.bytes())
}

/// The key of a posting that follows from something else and happens once for it. `why` tells what follows from what.
pub fn derived_id(why: &str, of: &[u8]) -> PostingId {
    let digest = Hash32::of(why, &[of]);
    let mut id = [0; 16];
    id.iter_mut().zip(digest.0).for_each(|(to, from)| *to = from);
    PostingId(OrderId(id))
}

/// The wristbands whose purses an order may change or has to know.
pub fn purses_of(order: &Order) -> impl Iterator<Item = TagId> {
    let swapped = order.band.as_ref().and_then(|band| band.new);
    let holder = order.holder.filter(|_| order.purse.is_some() || order.band.is_some());
    holder.into_iter().chain(swapped)
}

fn tags(order: &Order) -> impl Iterator<Item = TagId> {
    order
        .holder
        .into_iter()
        .chain(order.tenders.iter().filter_map(|tender| tender.tag))
}

fn voucher_assets(order: &Order) -> impl Iterator<Item = AssetId> {
    let in_lines = order
        .lines
        .iter()
        .filter_map(|line| line.vouchers)
        .map(|voucher| voucher.asset);
    in_lines.chain(order.tenders.iter().filter_map(|tender| tender.voucher))
}

/// Money and units that wristbands lack, by wristband and asset.
type Short = BTreeMap<(TagId, AssetId), Amount>;

/// How often a posting is built again with more advanced. Each round names another account or hold, and an order touches few.
const ROUNDS_MAX: usize = 32;

/// What the books know of the purses that a batch touches.
pub type Purses = BTreeMap<TagId, Purse>;

/// Who decides what the holder of an order has: its purse, unless the server has taken that over.
fn authority(order: &Order, purses: &Purses) -> Authority {
    let has_purse = order.purse.is_some();
    let taken_over = order
        .holder
        .and_then(|tag| purses.get(&tag))
        .is_some_and(|purse| purse.authority == BatchAuthority::Server);
    if has_purse && !taken_over {
        Authority::Chip
    } else {
        Authority::Server
    }
}

/// Lets the purse of an order take note of it, and opens the cases that come of that.
fn observe(order: &Order, purses: &mut Purses, context: &Context<'_>, in_books: i128) -> Vec<Case> {
    let (Some(said), Some(tag)) = (&order.purse, order.holder) else {
        return Vec::new();
    };
    let batch = context.batches.get(&said.batch);
    let authority = batch.map_or(BatchAuthority::Chip, |batch| batch.authority);
    let purse = purses.entry(tag).or_insert_with(|| Purse::new(said.batch, authority));
    let mut findings = purse.observe(order, said, context.terminal, batch, context.now_ms);
    // Orders of one payment are netted on the chip: only all of them together move it by what they say.
    let alone = purse.authority == BatchAuthority::Chip && order.group.is_none();
    if let Some(batch) = batch.filter(|_| alone) {
        let difference = moved_on_chip(said, batch.units()) - in_books;
        if difference != 0 {
            let cents = Amount::from_wide(difference).unwrap_or(Amount(i64::MAX));
            findings.push(Finding::Mismatch { cents });
        }
    }
    let case = |finding| {
        let (kind, cents) = CaseKind::of_finding(finding);
        Case::of_order(kind, context.current.event.id, order.id, cents)
            .with_tag(order.holder)
            .with_number(cents.0)
    };
    findings.into_iter().map(case).collect()
}

/// Books an order into the fold and opens the cases that belong to it.
pub fn book(
    entry: &OrderEntry,
    fold: &mut Fold,
    purses: &mut Purses,
    context: &Context<'_>,
    origin: Option<Hash32>,
    cases: &mut Vec<Case>,
) -> Booked {
    let OrderEntry { order, content } = entry;
    let event = context.current.event.id;
    let stake = order.total().unwrap_or_default();
    let case = |kind| Case::of_order(kind, event, order.id, stake).with_tag(order.holder);
    if let Some(known) = fold.known(&posting_id(order.id)) {
        let no = known.no;
        if known.content == *content {
            return Booked::Duplicate { no };
        }
        cases.push(case(CaseKind::IdConflict));
        return Booked::Conflict { no };
    }
    if order.event != event || order.organisation != context.current.event.organisation {
        cases.push(case(CaseKind::WrongEvent));
        return Booked::Kept;
    }
    if order.check().is_err() {
        cases.push(case(CaseKind::OrderFault));
        return Booked::Kept;
    }
    let authority = authority(order, purses);
    let Some(plan) = plan(order, fold, purses, context, authority) else {
        cases.push(case(CaseKind::KindNotBooked).with_number(i64::from(order.kind.code())));
        return Booked::Kept;
    };
    let mut short = Short::new();
    let mut captures = captures(order, fold, context.now_ms);
    for _ in 0..ROUNDS_MAX {
        let posting = Posting {
            id: posting_id(order.id),
            content: *content,
            event,
            transfers: advances(
                &short,
                order.holder.filter(|_| authority == Authority::Chip),
                context.current,
            )
            .chain(plan.transfers.iter().copied())
            .collect(),
            captures: captures.clone(),
            reverses: plan.reverses,
            limits: Limits::Fact,
            mirrored: (order.kind == OrderKind::Correction && plan.reverses.is_some()).then_some(0),
        };
        match fold.post(posting, context.now_ms, origin) {
            Outcome::Booked { no } => {
                cases.extend(plan.cases.iter().map(|(kind, number)| Case {
                    number: *number,
                    stake: match (kind, number) {
                        (CaseKind::DrawerMismatch | CaseKind::SwapRest, Some(cents)) => Amount(cents.saturating_abs()),
                        _ => case(*kind).stake,
                    },
                    ..case(*kind)
                }));
                cases.extend(short.iter().map(|((tag, asset), missing)| {
                    let stake = if *asset == AssetId::EURO {
                        *missing
                    } else {
                        Amount::ZERO
                    };
                    Case::of_order(CaseKind::Overdraft, event, order.id, stake)
                        .with_tag(Some(*tag))
                        .with_number(missing.0)
                }));
                cases.extend(observe(order, purses, context, plan.in_purse(order)));
                cases.extend(
                    checks::order(order, context)
                        .into_iter()
                        .map(|(kind, number)| Case { number, ..case(kind) }),
                );
                cases.extend(bands::left_behind(order, &plan.transfers, context));
                return Booked::New { no, band: plan.band };
            }
            Outcome::Duplicate { no } => return Booked::Duplicate { no },
            Outcome::Refused(Refusal::BelowFloor { account, missing }) => {
                let Account::Wristband { tag, .. } = account.account else {
                    break;
                };
                let advance = short.entry((tag, account.asset)).or_default();
                let Ok(more) = advance.plus(missing) else { break };
                *advance = more;
            }
            Outcome::Refused(Refusal::LotsTooSmall { missing }) => {
                let Some((tag, asset)) = Plan::lots_of(order, &short) else {
                    break;
                };
                short.insert((tag, asset), missing);
            }
            // What was held is gone: the order is booked like one taken offline.
            Outcome::Refused(Refusal::UnknownHold | Refusal::HoldOver | Refusal::HoldTooSmall { .. })
                if !captures.is_empty() =>
            {
                captures.clear();
            }
            Outcome::Refused(_) => break,
        }
    }
    cases.push(case(CaseKind::OrderFault));
    Booked::Kept
}

/// What an order moves, before anybody looks at balances.
struct Plan {
    transfers: Vec<Transfer>,
    reverses: Option<PostingId>,
    cases: Vec<(CaseKind, Option<i64>)>,
    /// What is mirrored of the order that is taken back.
    mirrored: Vec<Transfer>,
    /// What happens to a wristband with it.
    band: Option<BandDone>,
}

impl Plan {
    /// Just these transfers.
    const fn of(transfers: Vec<Transfer>) -> Self {
        Self {
            transfers,
            reverses: None,
            cases: Vec::new(),
            mirrored: Vec::new(),
            band: None,
        }
    }

    /// What comes into the holder's purse in the books.
    fn in_purse(&self, order: &Order) -> i128 {
        order.holder.map_or(0, |tag| {
            moved_in_books(tag, &self.transfers) - moved_in_books(tag, &self.mirrored)
        })
    }

    /// The next expiring asset of this order whose lots may be too small and that nothing was advanced for.
    fn lots_of(order: &Order, short: &Short) -> Option<(TagId, AssetId)> {
        let holder = order.holder?;
        voucher_assets(order)
            .map(|asset| (holder, asset))
            .find(|key| !short.contains_key(key))
    }
}

/// `None` for a kind that this version keeps but does not book.
fn plan(order: &Order, fold: &Fold, purses: &Purses, context: &Context<'_>, authority: Authority) -> Option<Plan> {
    let plain = Plan::of;
    match order.kind {
        OrderKind::Sale | OrderKind::DepositReturn => Some(plain(flows::sale(order, context, authority).ok()?)),
        OrderKind::TopUp => Some(plain(flows::top_up(order, fold, context, authority).ok()?)),
        OrderKind::PayOut => Some(plain(flows::pay_out(order, authority).ok()?)),
        OrderKind::Cancel | OrderKind::Correction => reversal(order, fold, context, authority),
        OrderKind::DrawerOpen | OrderKind::DrawerCount | OrderKind::CashMovement => drawer_move(order, fold),
        OrderKind::Swap | OrderKind::Block => bands::plan(order, fold, purses, context),
        OrderKind::AbortedCart | OrderKind::Training => Some(plain(Vec::new())),
        OrderKind::Shift => order.shift.map(|_| plain(Vec::new())),
        _ => None,
    }
}

/// A drawer is booked as the till states it. What a till expects comes from its own journal; where the books say something else, another
/// device took cash at this till or cash was taken with no drawer open, and a person has to look.
fn drawer_move(order: &Order, fold: &Fold) -> Option<Plan> {
    let said = DrawerMove::of(order).ok()??;
    let cases = match (said, fold.sum(&drawer(order))) {
        (DrawerMove::Count { expected, .. }, Some(sum)) => {
            // Cash stands below zero in the books: the organiser has it.
            let more = sum.saturating_neg().saturating_sub(i128::from(expected.0));
            let number = i64::try_from(more).unwrap_or(if more < 0 { i64::MIN } else { i64::MAX });
            (number != 0)
                .then_some((CaseKind::DrawerMismatch, Some(number)))
                .into_iter()
                .collect()
        }
        _ => Vec::new(),
    };
    Some(Plan {
        cases,
        ..Plan::of(flows::drawer(order.till, said).ok()?)
    })
}

fn reversal(order: &Order, fold: &Fold, context: &Context<'_>, authority: Authority) -> Option<Plan> {
    let target = posting_id(order.reverses?);
    let replacing = order.kind == OrderKind::Correction;
    // A correction's lines are the new order; a cancellation's lines mirror the old one, which the ledger mirrors by itself.
    let own = || flows::sale(order, context, authority).ok();
    match fold.known(&target) {
        Some(KnownPosting {
            reversed_by: Some(_), ..
        }) => {
            let transfers = if replacing { own()? } else { Vec::new() };
            Some(Plan {
                cases: vec![(CaseKind::ReversedTwice, None)],
                ..Plan::of(transfers)
            })
        }
        Some(known) => {
            let mut transfers = away_from_purse(order, known)?;
            if replacing {
                transfers.extend(own()?);
            }
            let cases = if replacing || mirrors(order, known) {
                Vec::new()
            } else {
                vec![(CaseKind::ReversalMismatch, None)]
            };
            transfers.extend(settled_since(known, fold, context)?);
            Some(Plan {
                transfers,
                reverses: Some(target),
                cases,
                mirrored: known.posting.iter().flat_map(Posting::takes_back).copied().collect(),
                band: None,
            })
        }
        None => {
            let transfers = if is_top_up(order) {
                flows::mirrored_top_up(order, authority).ok()?
            } else {
                own()?
            };
            Some(Plan {
                cases: vec![(CaseKind::ReversalUnknown, None)],
                ..Plan::of(transfers)
            })
        }
    }
}

/// An order that takes back what a purse paid, while the purse was not there to be written on (another till, the office, a lost wristband): mirroring
/// gives money and vouchers to the purse in the books, but the chip does not have them. They belong to the server's side of the wristband, from where
/// the next credit takes them onto the chip; what vouchers set aside stays with who pays for them. A top-up that is taken back so is a debt, as the
/// chip still has the money.
fn away_from_purse(order: &Order, known: &KnownPosting) -> Option<Vec<Transfer>> {
    if order.purse.is_some() {
        return Some(Vec::new());
    }
    let of_chip = |account| match account {
        Account::Wristband {
            tag,
            authority: Authority::Chip,
        } => Some(tag),
        _ => None,
    };
    let mut transfers = Vec::new();
    let mut given_back: BTreeMap<(TagId, AssetId), i128> = BTreeMap::new();
    for transfer in known.posting.iter().flat_map(Posting::takes_back) {
        let set_aside = [transfer.from, transfer.to]
            .iter()
            .any(|account| matches!(account, Account::VoucherFunding { .. }));
        if set_aside && (of_chip(transfer.from).is_some() || of_chip(transfer.to).is_some()) {
            transfers.push(Transfer {
                code: TransferCode::Move,
                ..*transfer
            });
            continue;
        }
        for (account, sign) in [(transfer.from, 1), (transfer.to, -1)] {
            if let Some(tag) = of_chip(account) {
                *given_back.entry((tag, transfer.asset)).or_default() += sign * i128::from(transfer.amount.0);
            }
        }
    }
    for ((tag, asset), amount) in given_back.into_iter().filter(|(_, amount)| *amount != 0) {
        let [chip, server] =
            [Authority::Chip, Authority::Server].map(|authority| Account::Wristband { tag, authority });
        let (from, to) = if amount > 0 { (chip, server) } else { (server, chip) };
        transfers.push(Transfer {
            from,
            to,
            asset,
            amount: Amount::from_wide(amount.abs()).ok()?,
            code: TransferCode::Move,
            expires_at_ms: None,
        });
    }
    Some(transfers)
}

/// What was advanced for the order that is taken back, and has been settled since, belongs to the guest again: mirroring the advance alone would
/// leave it in the account of debts.
fn settled_since(known: &KnownPosting, fold: &Fold, context: &Context<'_>) -> Option<Vec<Transfer>> {
    let mut given_back: BTreeMap<(TagId, AssetId), i128> = BTreeMap::new();
    for transfer in known.posting.iter().flat_map(Posting::takes_back) {
        for (account, sign) in [(transfer.from, 1), (transfer.to, -1)] {
            if let Account::Overdraft { tag } = account {
                *given_back.entry((tag, transfer.asset)).or_default() += sign * i128::from(transfer.amount.0);
            }
        }
    }
    let mut transfers = Vec::new();
    for ((tag, asset), cents) in given_back {
        let debt = AccountKey {
            asset,
            ..owed(&context.current.event, tag)
        };
        let after = cents + i128::from(fold.balance(&debt)?.balance.0);
        if after > 0 {
            transfers.push(Transfer {
                from: Account::Overdraft { tag },
                to: Account::Wristband {
                    tag,
                    authority: Authority::Server,
                },
                asset,
                amount: Amount::from_wide(after).ok()?,
                code: TransferCode::OverdraftSettled,
                expires_at_ms: never_over(asset, context.current),
            });
        }
    }
    Some(transfers)
}

/// The lot of units that come from an overdraft account: for an asset that expires it is one without an end.
fn never_over(asset: AssetId, config: &Config) -> Option<u64> {
    config
        .assets
        .get(&asset)
        .is_some_and(|asset| asset.expires)
        .then_some(u64::MAX)
}

fn is_top_up(order: &Order) -> bool {
    order
        .lines
        .iter()
        .any(|line| line.kind == shared_protocol::order::LineKind::TopUp)
}

/// Whether a cancellation's tenders give back what the booked order took, as far as one can tell from the wristbands.
fn mirrors(order: &Order, known: &KnownPosting) -> bool {
    let Some(posting) = &known.posting else { return true };
    let mut net: BTreeMap<TagId, i128> = BTreeMap::new();
    for transfer in posting
        .takes_back()
        .iter()
        .filter(|transfer| transfer.asset == AssetId::EURO)
    {
        for (account, sign) in [(transfer.from, -1), (transfer.to, 1)] {
            if let Account::Wristband { tag, .. } | Account::Overdraft { tag } = account {
                *net.entry(tag).or_default() += sign * i128::from(transfer.amount.0);
            }
        }
    }
    if is_top_up(order) {
        return true;
    }
    for tender in order
        .tenders
        .iter()
        .filter(|tender| tender.kind == TenderKind::Wristband)
    {
        if let Some(tag) = order.tender_tag(tender) {
            // The cancelled order took `-net`; the cancellation's tender is the negative of what was taken.
            *net.entry(tag).or_default() -= i128::from(tender.amount.0);
        }
    }
    net.values().all(|difference| *difference == 0)
}

/// Advances from overdraft accounts, at the front of the posting.
fn advances<'a>(short: &'a Short, of_chip: Option<TagId>, config: &'a Config) -> impl Iterator<Item = Transfer> + 'a {
    short.iter().map(move |((tag, asset), amount)| Transfer {
        from: Account::Overdraft { tag: *tag },
        to: Account::Wristband {
            tag: *tag,
            // Money on a chip has no floor, so what is short there are units: used on the chip, and not in the books or over.
            authority: if *asset != AssetId::EURO && of_chip == Some(*tag) {
                Authority::Chip
            } else {
                Authority::Server
            },
        },
        asset: *asset,
        amount: *amount,
        code: TransferCode::Overdraft,
        expires_at_ms: never_over(*asset, config),
    })
}

/// Uses up the holds that the tenders name, as far as they still stand.
fn captures(order: &Order, fold: &Fold, now_ms: u64) -> Vec<Capture> {
    let last = order.group.is_none_or(|group| group.part == group.of);
    let mut captures: Vec<Capture> = Vec::new();
    for tender in &order.tenders {
        let Some(id) = tender
            .hold
            .filter(|id| captures.iter().all(|capture| capture.hold != *id))
        else {
            continue;
        };
        let Some(hold) = fold.hold_state(&id) else { continue };
        let same_tag =
            matches!(hold.request.account, Account::Wristband { tag, .. } if Some(tag) == order.tender_tag(tender));
        if !same_tag || now_ms >= hold.request.expires_at_ms || !hold.remaining.is_positive() {
            continue;
        }
        captures.push(Capture {
            hold: id,
            amount: tender.amount.clamp(Amount::ZERO, hold.remaining),
            release_rest: last,
        });
    }
    captures
}
