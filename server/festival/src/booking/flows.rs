//! Who gives what to whom: the transfers of an order.

use std::collections::BTreeMap;

use ledger::{Account, Authority, Fold, Transfer, TransferCode};
use shared_protocol::currency::Foreign;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::order::{Line, LineKind, Order, Tender, TenderKind, TipFor};
use shared_protocol::{Amount, ArticleId, AssetId, Overflow, TagId, TaxpayerId, TillId, pricing};

use super::Context;
use crate::authorise::owed;
use crate::purse::moved_on_chip;

/// One movement between whoever pays and a place; above zero leaves the payer.
struct Flow {
    place: Account,
    amount: Amount,
    code: TransferCode,
}

/// Where the value of a wristband is: only the holder's own purse is ever moved by an order.
fn wristband(order: &Order, tag: TagId, authority: Authority) -> Account {
    let authority = if order.holder == Some(tag) {
        authority
    } else {
        Authority::Server
    };
    Account::Wristband { tag, authority }
}

fn holder(order: &Order, authority: Authority) -> Account {
    order
        .holder
        .map_or(Account::Suspense, |tag| wristband(order, tag, authority))
}

fn transfer(from: Account, to: Account, asset: AssetId, amount: Amount, code: TransferCode) -> Transfer {
    Transfer {
        from,
        to,
        asset,
        amount,
        code,
        expires_at_ms: None,
    }
}

/// A transfer whose direction is the amount's sign.
fn signed(
    payer: Account,
    place: Account,
    asset: AssetId,
    amount: Amount,
    code: TransferCode,
) -> Result<Option<Transfer>, Overflow> {
    Ok(if amount.is_positive() {
        Some(transfer(payer, place, asset, amount, code))
    } else if amount.is_negative() {
        Some(transfer(place, payer, asset, amount.negated()?, code))
    } else {
        None
    })
}

fn tender_account(order: &Order, tender: &Tender, authority: Authority) -> Account {
    match tender.kind {
        TenderKind::Cash => match tender.foreign {
            Some(foreign) => Account::ForeignCash {
                till: order.till,
                currency: foreign.asset,
            },
            None => Account::Cash { till: order.till },
        },
        TenderKind::Card => Account::Card { till: order.till },
        TenderKind::Voucher => Account::VoucherFunding {
            voucher: tender.voucher.unwrap_or(AssetId::EURO),
        },
        TenderKind::Wristband => order
            .tender_tag(tender)
            .map_or(Account::Suspense, |tag| wristband(order, tag, authority)),
    }
}

/// A sale, a return of bearer goods, or the new order of a correction; with negated lines also a cancellation of an unknown order.
pub(super) fn sale(order: &Order, context: &Context<'_>, authority: Authority) -> Result<Vec<Transfer>, Overflow> {
    let mut transfers = Vec::new();
    let flows = euro_flows(order, context, &mut transfers)?;
    let mut payers = payers(order, context, authority)?;
    change(&mut payers, &mut transfers)?;
    distribute(order, &flows, payers, &mut transfers)?;
    redeem(order, context, authority, &mut transfers)?;
    notes(order, &mut transfers)?;
    Ok(transfers)
}

/// The notes and coins of other currencies that came into the drawer, or went back out of it.
fn notes(order: &Order, transfers: &mut Vec<Transfer>) -> Result<(), Overflow> {
    let drawer = Account::Cash { till: order.till };
    for Foreign { asset, amount } in order.tenders.iter().filter_map(|tender| tender.foreign) {
        transfers.extend(signed(drawer, Account::Issuer, asset, amount, TransferCode::Change)?);
    }
    Ok(())
}

/// Goods, discounts and tips to the business go to the seller, tips to its staff beside that, deposits to their liability. A bearer good of another
/// taxpayer goes over the seller's account, and what the two owe each other is posted beside it.
fn euro_flows(order: &Order, context: &Context<'_>, transfers: &mut Vec<Transfer>) -> Result<Vec<Flow>, Overflow> {
    let payable = Account::Payable {
        taxpayer: order.taxpayer,
    };
    let mut goods = Amount::ZERO;
    let mut tips = Amount::ZERO;
    let mut deposits: BTreeMap<ArticleId, Amount> = BTreeMap::new();
    for line in &order.lines {
        let total = line.total()?;
        if line.kind == LineKind::Deposit {
            let sum = deposits.entry(line.article).or_default();
            *sum = sum.plus(total)?;
        } else if line.tip_for() == Some(TipFor::Staff) {
            tips = tips.plus(total)?;
        } else {
            goods = goods.plus(total)?;
        }
    }
    let staff = Account::Tips {
        taxpayer: order.taxpayer,
    };
    let flow = |place, amount, code| Flow { place, amount, code };
    let mut flows = vec![
        flow(payable, goods, TransferCode::Sale),
        flow(staff, tips, TransferCode::Tip),
    ];
    for (article, amount) in deposits {
        let code = if amount.is_negative() {
            TransferCode::DepositReturned
        } else {
            TransferCode::DepositTaken
        };
        let owner = owner(article, order.taxpayer, context);
        let liability = Account::Deposit {
            article,
            taxpayer: owner,
        };
        if owner == order.taxpayer {
            flows.push(Flow {
                place: liability,
                amount,
                code,
            });
        } else {
            let clearing = Account::Clearing {
                debtor: owner,
                creditor: order.taxpayer,
            };
            flows.push(Flow {
                place: payable,
                amount,
                code,
            });
            transfers.extend(signed(
                clearing,
                liability,
                AssetId::EURO,
                amount,
                TransferCode::DepositCleared,
            )?);
        }
    }
    Ok(flows)
}

/// Who lends a bearer good, by the catalogue; the seller, where the catalogue does not know it.
fn owner(article: ArticleId, seller: TaxpayerId, context: &Context<'_>) -> TaxpayerId {
    let config = context.priced_with.unwrap_or(context.current);
    config.articles.get(&article).map_or(seller, |article| article.taxpayer)
}

/// Who pays how much in cents. Vouchers that are a means of payment pay what the other tenders leave open, each what its lines are worth and the
/// first one the rest, as when the catalogue is not known.
fn payers(order: &Order, context: &Context<'_>, authority: Authority) -> Result<Vec<(Account, Amount)>, Overflow> {
    let is_voucher = |tender: &&Tender| tender.kind == TenderKind::Voucher;
    let mut payers: Vec<(Account, Amount)> = order
        .tenders
        .iter()
        .filter(|tender| !is_voucher(tender))
        .map(|tender| (tender_account(order, tender, authority), tender.amount))
        .collect();
    let config = context.priced_with.unwrap_or(context.current);
    let covered = pricing::covered_by_vouchers(config, &order.lines)?;
    let mut open = order.total()?.minus(order.paid()?)?;
    let first = payers.len();
    for tender in order.tenders.iter().filter(is_voucher) {
        let worth = tender
            .voucher
            .and_then(|asset| covered.get(&asset))
            .map_or(Amount::ZERO, |(_, cents)| *cents);
        let part = if open.is_negative() {
            worth.clamp(open, Amount::ZERO)
        } else {
            worth.clamp(Amount::ZERO, open)
        };
        payers.push((tender_account(order, tender, authority), part));
        open = open.minus(part)?;
    }
    if let Some((_, amount)) = payers.get_mut(first) {
        *amount = amount.plus(open)?;
    }
    if payers.is_empty() {
        // Nothing is paid, but value may still pass through: a cup comes back and pays for a coffee.
        payers.push((
            order.holder.map_or(Account::Cash { till: order.till }, |tag| {
                wristband(order, tag, authority)
            }),
            Amount::ZERO,
        ));
    }
    Ok(payers)
}

/// Gives every flow its payers. Flows that go the other way than the order as a whole all pass through the first payer.
fn distribute(
    order: &Order,
    flows: &[Flow],
    mut payers: Vec<(Account, Amount)>,
    transfers: &mut Vec<Transfer>,
) -> Result<(), Overflow> {
    let outgoing = !order.total()?.is_negative();
    let is_main = |flow: &Flow| flow.amount.is_negative() != outgoing;
    let counter = Amount::sum(flows.iter().filter(|flow| !is_main(flow)).map(|flow| flow.amount))?;
    if let Some((first, amount)) = payers.first_mut() {
        *amount = amount.minus(counter)?;
        for flow in flows.iter().filter(|flow| !is_main(flow)) {
            transfers.extend(signed(*first, flow.place, AssetId::EURO, flow.amount, flow.code)?);
        }
    }
    for flow in flows.iter().filter(|flow| is_main(flow)) {
        let mut left = flow.amount;
        for (payer, able) in &mut payers {
            let part = if outgoing {
                left.min(*able).max(Amount::ZERO)
            } else {
                left.max(*able).min(Amount::ZERO)
            };
            transfers.extend(signed(*payer, flow.place, AssetId::EURO, part, flow.code)?);
            *able = able.minus(part)?;
            left = left.minus(part)?;
        }
        // Tenders of both signs in one order: what they leave open has no payer that anybody could name.
        transfers.extend(signed(
            Account::Suspense,
            flow.place,
            AssetId::EURO,
            left,
            TransferCode::Suspense,
        )?);
    }
    for (payer, rest) in payers {
        transfers.extend(signed(
            payer,
            Account::Suspense,
            AssetId::EURO,
            rest,
            TransferCode::Suspense,
        )?);
    }
    Ok(())
}

/// What foreign money was worth more than was to be paid went back out of the drawer in the event's currency.
fn change(payers: &mut [(Account, Amount)], transfers: &mut Vec<Transfer>) -> Result<(), Overflow> {
    let is_foreign = |payer: &Account| matches!(payer, Account::ForeignCash { .. });
    let Some((given, mut worth)) = payers.iter().copied().find(|(payer, _)| is_foreign(payer)) else {
        return Ok(());
    };
    for (drawer, amount) in payers.iter_mut() {
        let goes_back = amount.0.signum() * worth.0.signum() < 0;
        if goes_back && matches!(drawer, Account::Cash { .. }) {
            let back = amount.negated()?;
            transfers.extend(signed(given, *drawer, AssetId::EURO, back, TransferCode::Change)?);
            worth = worth.plus(*amount)?;
            *amount = Amount::ZERO;
        }
    }
    if let Some((_, left)) = payers.iter_mut().find(|(payer, _)| is_foreign(payer)) {
        *left = worth;
    }
    Ok(())
}

/// Vouchers that the lines and tenders use up. A purse has set money aside for each of them, which goes back to who gave them.
fn redeem(
    order: &Order,
    context: &Context<'_>,
    authority: Authority,
    transfers: &mut Vec<Transfer>,
) -> Result<(), Overflow> {
    let Some(tag) = order.holder else { return Ok(()) };
    let guest = wristband(order, tag, authority);
    let batch = order.purse.as_ref().and_then(|purse| context.batches.get(&purse.batch));
    let mut units: BTreeMap<AssetId, Amount> = BTreeMap::new();
    let of_line = |line: &Line| {
        line.vouchers
            .map(|used| (used.asset, i64::from(used.units) * i64::from(line.quantity.signum())))
    };
    for (asset, count) in order.lines.iter().filter_map(of_line) {
        let sum = units.entry(asset).or_default();
        *sum = sum.plus(Amount(count))?;
    }
    for (asset, count) in units {
        transfers.extend(signed(guest, Account::Issuer, asset, count, TransferCode::Redeem)?);
        let weight = batch
            .filter(|_| authority == Authority::Chip)
            .and_then(|batch| batch.weight(asset));
        if let Some(weight) = weight {
            let cents = Amount(i64::from(weight)).times(count.0)?;
            let funding = Account::VoucherFunding { voucher: asset };
            transfers.extend(signed(guest, funding, AssetId::EURO, cents, TransferCode::Redeem)?);
        }
    }
    Ok(())
}

/// Money in: first what is owed from earlier, where the event says so, then the wristband. What a desk wrote into a purse says by itself how
/// much of the money it took for what was owed.
pub(super) fn top_up(
    order: &Order,
    fold: &Fold,
    context: &Context<'_>,
    authority: Authority,
) -> Result<Vec<Transfer>, Overflow> {
    let Some(holder) = order.holder else {
        return mirrored_top_up(order, authority);
    };
    let debt = fold
        .balance(&owed(&context.current.event, holder))
        .map_or(Amount::ZERO, |owed| owed.balance)
        .negated()?;
    let into_purse = order
        .purse
        .as_ref()
        .filter(|_| authority == Authority::Chip)
        .zip(order.purse.as_ref().and_then(|purse| context.batches.get(&purse.batch)));
    let mut settle = if let Some((purse, batch)) = into_purse {
        let written = Amount::from_wide(moved_on_chip(purse, batch.units()))?;
        order.paid()?.minus(written)?.max(Amount::ZERO)
    } else if context.current.event.settle_overdraft_first {
        debt.max(Amount::ZERO)
    } else {
        Amount::ZERO
    };
    let mut transfers = Vec::new();
    for tender in &order.tenders {
        let source = tender_account(order, tender, authority);
        let settled = settle.min(tender.amount).max(Amount::ZERO);
        settle = settle.minus(settled)?;
        let settles = Account::Overdraft { tag: holder };
        transfers.extend(signed(
            source,
            settles,
            AssetId::EURO,
            settled,
            TransferCode::OverdraftSettled,
        )?);
        let rest = tender.amount.minus(settled)?;
        transfers.extend(signed(
            source,
            wristband(order, holder, authority),
            AssetId::EURO,
            rest,
            TransferCode::TopUp,
        )?);
    }
    notes(order, &mut transfers)?;
    Ok(transfers)
}

/// A top-up taken back whose own posting is not known: money leaves the wristband and the drawer.
pub(super) fn mirrored_top_up(order: &Order, authority: Authority) -> Result<Vec<Transfer>, Overflow> {
    between(order, authority, TransferCode::TopUp)
}

/// Money out: the tenders are below zero, the wristband gives.
pub(super) fn pay_out(order: &Order, authority: Authority) -> Result<Vec<Transfer>, Overflow> {
    between(order, authority, TransferCode::PayOut)
}

fn between(order: &Order, authority: Authority, code: TransferCode) -> Result<Vec<Transfer>, Overflow> {
    let place = holder(order, authority);
    let mut transfers = Vec::new();
    for tender in &order.tenders {
        transfers.extend(signed(
            tender_account(order, tender, authority),
            place,
            AssetId::EURO,
            tender.amount,
            code,
        )?);
    }
    notes(order, &mut transfers)?;
    Ok(transfers)
}

/// Cash between a till's drawer and the safe. A count books the difference first, so that what goes to the safe is what was counted.
pub(super) fn drawer(till: TillId, said: DrawerMove) -> Result<Vec<Transfer>, Overflow> {
    let drawer = Account::Cash { till };
    let brought = |amount| signed(drawer, Account::Safe, AssetId::EURO, amount, TransferCode::CashMovement);
    let transfers = match said {
        DrawerMove::Open { float: amount } | DrawerMove::Transit { amount } => [brought(amount)?, None],
        DrawerMove::HandIn { foreign, worth } => {
            let code = TransferCode::CashMovement;
            let carried = Account::ForeignCash {
                till,
                currency: foreign.asset,
            };
            [
                signed(Account::Safe, carried, AssetId::EURO, worth, code)?,
                signed(Account::Safe, drawer, foreign.asset, foreign.amount, code)?,
            ]
        }
        DrawerMove::Count { expected, counted } => [
            signed(
                drawer,
                Account::CashDifference { till },
                AssetId::EURO,
                counted.minus(expected)?,
                TransferCode::CashDifference,
            )?,
            brought(counted.negated()?)?,
        ],
    };
    Ok(transfers.into_iter().flatten().collect())
}
