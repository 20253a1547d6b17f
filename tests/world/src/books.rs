//! The observer's own book-keeping: what the orders that tills made come to, by the tenders they showed. It knows nothing of postings, holds, lots or
//! reversals; it only adds up what guests were told. What the ledger says is put beside it in the same form.

use std::collections::{BTreeMap, BTreeSet};

use fixtures::sample::DRINK;
use ledger::{Account, Posting};
use shared_protocol::order::{LineKind, Order, OrderKind, TenderKind};
use shared_protocol::tax::TaxKey;
use shared_protocol::{AssetId, OrderId, TagId, TaxpayerId, TillId};

use crate::chips::WEIGHT;
use crate::observer::Observer;

/// Sums by whose they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Books {
    /// What wristbands have less what they owe, in cents and units.
    pub guests: BTreeMap<(TagId, AssetId), i128>,
    /// What drawers took in.
    pub cash: BTreeMap<TillId, i128>,
    /// What came by card.
    pub card: BTreeMap<TillId, i128>,
    /// What sellers and the owners of cups have to get, less what vouchers paid.
    pub sellers: i128,
    /// What each business's staff has to get.
    pub tips: BTreeMap<TaxpayerId, i128>,
    /// What the safe has more than before.
    pub safe: i128,
    /// What counts of drawers found over, by till.
    pub differences: BTreeMap<TillId, i128>,
    /// What foreign money that drawers took counts as, by till and currency.
    pub foreign: BTreeMap<(TillId, AssetId), i128>,
    /// Foreign notes and coins in their hundredths, by where they are: a till's drawer or the safe.
    pub notes: BTreeMap<(Option<TillId>, AssetId), i128>,
    /// What each order did to wristbands.
    pub by_order: BTreeMap<(OrderId, TagId, AssetId), i128>,
}

/// What one order does.
#[derive(Debug, Clone, Default)]
struct Effect {
    guests: Vec<((TagId, AssetId), i128)>,
    cash: i128,
    /// Currency, hundredths of it, and what they count as.
    foreign: Vec<(AssetId, i128, i128)>,
    card: i128,
    sellers: i128,
    tips: i128,
    safe: i128,
    difference: i128,
    /// What a purse had set aside for the vouchers that were used. Taking the order back does not set it aside again.
    set_aside: Option<(TagId, i128)>,
}

impl Effect {
    fn of(order: &Order) -> Self {
        let mut effect = Self::default();
        let money_moves = order
            .lines
            .iter()
            .any(|line| matches!(line.kind, LineKind::TopUp | LineKind::PayOut));
        for tender in &order.tenders {
            let cents = i128::from(tender.amount.0);
            match tender.kind {
                TenderKind::Cash => match tender.foreign {
                    Some(given) => effect.foreign.push((given.asset, i128::from(given.amount.0), cents)),
                    None => effect.cash += cents,
                },
                TenderKind::Card => effect.card += cents,
                TenderKind::Wristband => {}
                TenderKind::Voucher => continue,
            }
            if tender.kind == TenderKind::Wristband {
                effect
                    .guests
                    .extend(order.tender_tag(tender).map(|tag| ((tag, AssetId::EURO), -cents)));
            } else if money_moves {
                effect
                    .guests
                    .extend(order.holder.map(|tag| ((tag, AssetId::EURO), cents)));
            }
            if !money_moves && !order.kind.is_of_drawer() {
                effect.sellers += cents;
            }
        }
        for line in &order.lines {
            let cents = i128::from(line.unit_price.0) * i128::from(line.quantity);
            match line.kind {
                LineKind::Float | LineKind::CashTransit => effect.safe -= cents,
                LineKind::CashDifference => effect.difference += cents,
                LineKind::Tip if line.tax == TaxKey::NOT_TAXABLE => {
                    effect.tips += cents;
                    effect.sellers -= cents;
                }
                _ => {}
            }
            if let (Some(used), Some(holder)) = (line.vouchers, order.holder) {
                let units = i128::from(used.units) * i128::from(line.quantity.signum());
                effect.guests.push(((holder, used.asset), -units));
                if order.purse.is_some() && used.asset == DRINK {
                    let before = effect.set_aside.map_or(0, |(_, cents)| cents);
                    effect.set_aside = Some((holder, before + units * i128::from(WEIGHT)));
                }
            }
        }
        effect
    }
}

impl Books {
    fn add(&mut self, by: OrderId, order: &Order, effect: &Effect, sign: i128) {
        for (key, change) in &effect.guests {
            *self.by_order.entry((by, key.0, key.1)).or_default() += sign * change;
            *self.guests.entry(*key).or_default() += sign * change;
        }
        *self.cash.entry(order.till).or_default() += sign * effect.cash;
        *self.card.entry(order.till).or_default() += sign * effect.card;
        for (currency, notes, worth) in &effect.foreign {
            *self.foreign.entry((order.till, *currency)).or_default() += sign * worth;
            *self.notes.entry((Some(order.till), *currency)).or_default() += sign * notes;
            if order.kind.is_of_drawer() {
                *self.notes.entry((None, *currency)).or_default() -= sign * notes;
            }
        }
        self.sellers += sign * effect.sellers;
        *self.tips.entry(order.taxpayer).or_default() += sign * effect.tips;
        self.safe += sign * effect.safe;
        *self.differences.entry(order.till).or_default() += sign * effect.difference;
    }

    /// What was set aside goes back to who pays for the vouchers.
    fn use_up(&mut self, by: OrderId, effect: &Effect) {
        if let Some((tag, cents)) = effect.set_aside {
            *self.by_order.entry((by, tag, AssetId::EURO)).or_default() -= cents;
            *self.guests.entry((tag, AssetId::EURO)).or_default() -= cents;
            self.sellers += cents;
        }
    }

    fn without_zeros(mut self) -> Self {
        self.guests.retain(|_, balance| *balance != 0);
        self.cash.retain(|_, balance| *balance != 0);
        self.card.retain(|_, balance| *balance != 0);
        self.differences.retain(|_, balance| *balance != 0);
        self.tips.retain(|_, balance| *balance != 0);
        self.foreign.retain(|_, worth| *worth != 0);
        self.notes.retain(|_, notes| *notes != 0);
        self
    }

    /// What the ledger says, posting by posting.
    pub fn of_ledger<'a>(postings: impl Iterator<Item = &'a Posting>) -> Self {
        let mut ledger = Books::default();
        let moved = postings.flat_map(|posting| {
            posting.transfers.iter().flat_map(|transfer| {
                let amount = i128::from(transfer.amount.0);
                [(posting.source(transfer), -amount), (posting.target(transfer), amount)]
            })
        });
        for (key, balance) in moved {
            match key.account {
                Account::Wristband { tag, .. } | Account::Overdraft { tag } => {
                    *ledger.guests.entry((tag, key.asset)).or_default() += balance;
                }
                // Notes of other currencies stand there as units; what they count as is apart.
                Account::Cash { till } if key.asset != AssetId::EURO => {
                    *ledger.notes.entry((Some(till), key.asset)).or_default() -= balance;
                }
                Account::Safe if key.asset != AssetId::EURO => {
                    *ledger.notes.entry((None, key.asset)).or_default() -= balance;
                }
                Account::ForeignCash { till, currency } => {
                    *ledger.foreign.entry((till, currency)).or_default() -= balance;
                }
                Account::Cash { till } => *ledger.cash.entry(till).or_default() -= balance,
                Account::Card { till } => *ledger.card.entry(till).or_default() -= balance,
                Account::Safe => ledger.safe -= balance,
                Account::CashDifference { till } => *ledger.differences.entry(till).or_default() += balance,
                Account::Tips { taxpayer } => *ledger.tips.entry(taxpayer).or_default() += balance,
                Account::Issuer | Account::Suspense => {}
                _ => ledger.sellers += balance,
            }
        }
        ledger.without_zeros()
    }

    /// Adds up all orders that are in `booked`, given in the order in which the server booked them.
    pub fn of(observer: &Observer, booked: &[OrderId]) -> Self {
        let mut books = Self::default();
        let mut taken_back: BTreeSet<OrderId> = BTreeSet::new();
        let known: BTreeSet<OrderId> = booked.iter().copied().collect();
        for (_, (tag, asset, units)) in observer.grants.iter().filter(|(posting, _)| known.contains(&posting.0)) {
            *books.guests.entry((*tag, *asset)).or_default() += i128::from(units.0);
            // Money that comes onto a wristband by a grant is what its vouchers set aside.
            if *asset == AssetId::EURO {
                books.sellers -= i128::from(units.0);
            }
        }
        for order in booked
            .iter()
            .filter_map(|id| observer.orders.get(id))
            .map(|seen| &seen.order)
        {
            let first = order.reverses.is_none_or(|target| taken_back.insert(target));
            if first || order.kind == OrderKind::Correction {
                let effect = Effect::of(order);
                books.add(order.id, order, &effect, 1);
                books.use_up(order.id, &effect);
            }
            let target = order
                .reverses
                .filter(|target| first && order.kind == OrderKind::Correction && known.contains(target));
            if let Some(old) = target.and_then(|target| observer.orders.get(&target)) {
                books.add(order.id, &old.order, &Effect::of(&old.order), -1);
            }
        }
        books.without_zeros()
    }
}
