//! What receipts add up to. One sum is made for each till, seller, shift and closing; every report is a sum of these, so that none can contradict another.
//!
//! Business cases and payments are those of the receipts that DSFinV-K's closing counts (`dsfinvk::map`), so a Z report is to the cent what
//! `businesscases.csv` and `payment.csv` of its closing say.

mod whole;

use std::collections::{BTreeMap, BTreeSet};

use dsfinvk::amount::Split;
use dsfinvk::model::Receipt;
use dsfinvk::words::{CaseKind, PaymentKind, ReceiptKind};
use ledger::{Account, Posting};
use shared_protocol::config::Config;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::order::{LineKind, Order, OrderKind, TenderKind};
use shared_protocol::tax::TaxRate;
use shared_protocol::{Amount, ArticleId, AssetId, Overflow, TaxpayerId, pricing};
use store::{SigningRow, SigningState, TseNo};

/// A business case at a tax key: `GV_TYP`, `GV_NAME`, `UST_SCHLUESSEL` with the rate it stood for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseKey {
    /// `GV_TYP`.
    pub case: CaseKind,
    /// `GV_NAME`.
    pub name: String,
    /// `UST_SCHLUESSEL`.
    pub vat: u16,
    /// The rate.
    pub rate: TaxRate,
}

impl CaseKey {
    /// Whether it is turnover in the sense of VAT: goods, deposits, and what came off their price. Vouchers, debts and the drawer are not.
    pub const fn is_turnover(&self) -> bool {
        matches!(
            self.case,
            CaseKind::Umsatz
                | CaseKind::Pfand
                | CaseKind::PfandRueckzahlung
                | CaseKind::Rabatt
                | CaseKind::Aufschlag
                | CaseKind::ZuschussUnecht
                | CaseKind::TrinkgeldAg
        )
    }

    /// Whether it is about bearer goods.
    pub const fn is_deposit(&self) -> bool {
        matches!(self.case, CaseKind::Pfand | CaseKind::PfandRueckzahlung)
    }
}

/// How many, and their sum in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub count: u64,
    /// In cents.
    pub sum: Amount,
}

impl Tally {
    fn one(&mut self, cents: Amount) -> Result<(), Overflow> {
        self.add(Self { count: 1, sum: cents })
    }

    fn add(&mut self, other: Self) -> Result<(), Overflow> {
        self.count = self.count.checked_add(other.count).ok_or(Overflow)?;
        self.sum = self.sum.plus(other.sum)?;
        Ok(())
    }
}

/// Pieces of a bearer good, and their deposits in cents; what an order took back is taken off again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deposits {
    /// Handed out.
    pub out: (i64, Amount),
    /// Come back; cents above zero.
    pub back: (i64, Amount),
}

/// Vouchers of one asset that guests used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vouchers {
    /// How many; what was taken back is off again.
    pub units: i64,
    /// What they paid in cents, where they are a means of payment. Those that are a discount pay nothing; their cents are in [`CaseKind::Rabatt`].
    pub paid: Amount,
}

/// What happened to drawers, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drawer {
    /// Floats that drawers were opened with.
    pub opened: Tally,
    /// Brought from the safe between.
    pub brought: Tally,
    /// Taken to the safe between, above zero.
    pub taken: Tally,
    /// Counted: how often, and what was found.
    pub counted: Tally,
    /// What should have been found.
    pub expected: Amount,
    /// All cash of the event's currency that moved, counts included: what is in the drawers now more than before.
    pub moved: Amount,
}

impl Drawer {
    /// What was found less what should have been.
    pub const fn difference(&self) -> Result<Amount, Overflow> {
        self.counted.sum.minus(self.expected)
    }
}

/// Cash in one currency other than the event's: how much of it in hundredths, and what it counted as in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Foreign {
    /// What guests gave, less what went back to them: amount and worth.
    pub guests: (Amount, Amount),
    /// What was handed in from drawers: amount and worth, above zero.
    pub handed_in: (Amount, Amount),
}

/// How receipts came off (decision: `unsigned` is zero once the signer has caught up).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CameOff {
    /// Signed when they were made.
    pub signed: u64,
    /// Made in an outage and signed afterwards.
    pub signed_late: u64,
    /// Made in an outage and marked as unsigned.
    pub unsigned_in_outage: u64,
    /// Not signed yet.
    pub unsigned: u64,
}

/// Everything that is added up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// Receipts of every kind, given-up carts included.
    pub receipts: u64,
    /// Business cases of the receipts that count.
    pub cases: BTreeMap<CaseKey, Split>,
    /// Payments of the receipts that count: `ZAHLART_TYP` and `ZAHLART_NAME`, in cents.
    pub payments: BTreeMap<(PaymentKind, String), Amount>,
    /// Orders by kind with the sum of their lines; of a correction what it changed.
    pub kinds: BTreeMap<OrderKind, Tally>,
    /// What guests gave (below zero: got), in cents; nothing of drawers. Vouchers are in `vouchers`. Cash in other currencies is in it by its worth.
    pub tenders: BTreeMap<TenderKind, Amount>,
    /// Cash in other currencies.
    pub currencies: BTreeMap<AssetId, Foreign>,
    /// Vouchers used.
    pub vouchers: BTreeMap<AssetId, Vouchers>,
    /// Bearer goods by article and by who lends them.
    pub deposits: BTreeMap<(ArticleId, TaxpayerId), Deposits>,
    /// Drawers.
    pub drawer: Drawer,
    /// Practice: how often, and what it would have been.
    pub training: Tally,
    /// Carts that were given up with an order, and what was in them.
    pub given_up: Tally,
    /// Carts that were given up and became no order.
    pub given_up_empty: u64,
    /// How they came off.
    pub came_off: CameOff,
    /// Outages that receipts were made in.
    pub outages: BTreeSet<u64>,
    /// TSEs that signed, or would have.
    pub tses: BTreeSet<TseNo>,
    /// When the first and the last receipt was closed, ms since 1970.
    pub span: Option<(u64, u64)>,
    /// What sellers' accounts gained in the ledger, in cents: those of [`is_of_seller`].
    pub accounts: BTreeMap<Account, i128>,
}

/// One order with what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Booked<'a> {
    /// What was booked.
    pub order: &'a Order,
    /// What a correction takes the place of.
    pub replaced: Option<&'a Order>,
    /// What it was priced with.
    pub config: &'a Config,
    /// Its posting.
    pub posting: Option<&'a Posting>,
    /// As the export has it.
    pub receipt: &'a Receipt<'a>,
    /// How it came off; none while it waits.
    pub signing: Option<&'a SigningRow>,
}

/// Whether an account says what a seller and the organiser, or two sellers, owe each other.
pub const fn is_of_seller(account: &Account) -> bool {
    matches!(
        account,
        Account::Payable { .. } | Account::Tips { .. } | Account::Clearing { .. } | Account::Deposit { .. }
    )
}

fn more(sum: &mut Amount, cents: Amount) -> Result<(), Overflow> {
    *sum = sum.plus(cents)?;
    Ok(())
}

impl Sums {
    /// Adds an order.
    pub fn book(&mut self, booked: &Booked<'_>) -> Result<(), Overflow> {
        let Booked { order, receipt, .. } = *booked;
        self.receipts += 1;
        self.seen(receipt.end_ms, receipt.end_ms);
        self.came_off(booked.signing);
        match receipt.kind {
            ReceiptKind::Training => return self.training.one(order.total().unwrap_or_default()),
            ReceiptKind::Belegabbruch => return self.given_up.one(order.total().unwrap_or_default()),
            _ => {}
        }
        if receipt.kind.counts() {
            for line in &receipt.lines {
                let key = CaseKey {
                    case: line.case,
                    name: line.case_name.clone().into_owned(),
                    vat: line.vat,
                    rate: line.rate,
                };
                self.cases.entry(key).or_default().add(line.charged)?;
            }
            for payment in &receipt.payments {
                let name = payment.name.clone().into_owned();
                more(self.payments.entry((payment.kind, name)).or_default(), payment.amount)?;
            }
        }
        self.accounts(booked.posting)?;
        let before = booked.replaced.map_or(Ok(Amount::ZERO), Order::total)?;
        let changed = order.total()?.minus(before)?;
        self.kinds.entry(order.kind).or_default().one(changed)?;
        if let Some(replaced) = booked.replaced {
            self.content(replaced, booked.config, true)?;
        }
        self.content(order, booked.config, false)?;
        self.drawer(order)
    }

    /// Adds a cart that a TSE ended as given up and that became no order.
    pub fn gave_up(&mut self, tse: TseNo, ended_ms: Option<u64>) {
        self.receipts += 1;
        self.given_up_empty += 1;
        self.came_off.signed += 1;
        self.tses.insert(tse);
        if let Some(at_ms) = ended_ms {
            self.seen(at_ms, at_ms);
        }
    }

    fn seen(&mut self, from_ms: u64, to_ms: u64) {
        self.span = Some(match self.span {
            Some((first, last)) => (first.min(from_ms), last.max(to_ms)),
            None => (from_ms, to_ms),
        });
    }

    fn came_off(&mut self, signing: Option<&SigningRow>) {
        let counter = match signing.map(|row| row.state) {
            Some(SigningState::Signed) => &mut self.came_off.signed,
            Some(SigningState::SignedLate) => &mut self.came_off.signed_late,
            Some(SigningState::InOutage) => &mut self.came_off.unsigned_in_outage,
            None => &mut self.came_off.unsigned,
        };
        *counter += 1;
        if let Some(row) = signing {
            self.tses.insert(row.tse);
            self.outages.extend(row.outage);
        }
    }

    fn accounts(&mut self, posting: Option<&Posting>) -> Result<(), Overflow> {
        let euros = posting.into_iter().flat_map(|posting| &posting.transfers);
        for transfer in euros.filter(|transfer| transfer.asset == AssetId::EURO) {
            for (account, sign) in [(transfer.from, -1), (transfer.to, 1)] {
                if is_of_seller(&account) {
                    let sum = self.accounts.entry(account).or_default();
                    *sum = sum.checked_add(sign * i128::from(transfer.amount.0)).ok_or(Overflow)?;
                }
            }
        }
        Ok(())
    }

    /// Tenders, vouchers and bearer goods of an order, or of one that is taken back.
    fn content(&mut self, order: &Order, config: &Config, back: bool) -> Result<(), Overflow> {
        if matches!(order.kind, OrderKind::AbortedCart | OrderKind::Training) {
            return Ok(());
        }
        let turned = |amount: Amount| if back { amount.negated() } else { Ok(amount) };
        let sign = if back { -1 } else { 1 };
        // What moves between drawer and safe is no guest's, and vouchers are counted in units.
        let of_guests = order.tenders.iter().filter(|_| !order.kind.is_of_drawer());
        for tender in of_guests.filter(|tender| tender.kind != TenderKind::Voucher) {
            more(self.tenders.entry(tender.kind).or_default(), turned(tender.amount)?)?;
            if let Some(given) = tender.foreign {
                let sum = &mut self.currencies.entry(given.asset).or_default().guests;
                more(&mut sum.0, turned(given.amount)?)?;
                more(&mut sum.1, turned(tender.amount)?)?;
            }
        }
        for line in &order.lines {
            if let Some(used) = line.vouchers {
                let sum = self.vouchers.entry(used.asset).or_default();
                let units = i64::from(used.units) * i64::from(line.quantity.signum()) * sign;
                sum.units = sum.units.checked_add(units).ok_or(Overflow)?;
            }
            if line.kind == LineKind::Deposit {
                let owner = config.articles.get(&line.article);
                let owner = owner.map_or(order.taxpayer, |article| article.taxpayer);
                let sum = self.deposits.entry((line.article, owner)).or_default();
                let (pieces, cents) = (i64::from(line.quantity) * sign, turned(line.total()?)?);
                // A cancellation turns the sign, and stays what it was.
                let returned = (line.quantity < 0) != (order.kind == OrderKind::Cancel);
                let (sum, pieces, cents) = if returned {
                    (&mut sum.back, -pieces, cents.negated()?)
                } else {
                    (&mut sum.out, pieces, cents)
                };
                sum.0 = sum.0.checked_add(pieces).ok_or(Overflow)?;
                more(&mut sum.1, cents)?;
            }
        }
        for (asset, (_, cents)) in pricing::covered_by_vouchers(config, &order.lines)? {
            more(&mut self.vouchers.entry(asset).or_default().paid, turned(cents)?)?;
        }
        Ok(())
    }

    fn drawer(&mut self, order: &Order) -> Result<(), Overflow> {
        let cash = order.tenders.iter().filter(|tender| tender.kind == TenderKind::Cash);
        for tender in cash.filter(|tender| tender.foreign.is_none()) {
            more(&mut self.drawer.moved, tender.amount)?;
        }
        let drawer = &mut self.drawer;
        match DrawerMove::of(order) {
            Ok(Some(DrawerMove::Open { float })) => drawer.opened.one(float),
            Ok(Some(DrawerMove::Transit { amount })) if amount.is_negative() => drawer.taken.one(amount.negated()?),
            Ok(Some(DrawerMove::Transit { amount })) => drawer.brought.one(amount),
            Ok(Some(DrawerMove::HandIn { foreign, worth })) => {
                let sum = &mut self.currencies.entry(foreign.asset).or_default().handed_in;
                more(&mut sum.0, foreign.amount)?;
                more(&mut sum.1, worth)
            }
            Ok(Some(DrawerMove::Count { expected, counted })) => {
                more(&mut drawer.expected, expected)?;
                drawer.counted.one(counted)
            }
            Ok(None) | Err(_) => Ok(()),
        }
    }
}
