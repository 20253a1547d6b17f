//! An order: what was sold, returned, paid in or paid out, and how it was paid. It carries what was *charged*, not what a price list says
//! today: unit price, tax key and rate, deposits, discounts and vouchers are in its lines, and the configuration it was priced with is named.

use serde::{Deserialize, Serialize};

use crate::currency::Foreign;
use crate::drawer::DrawerMove;
use crate::ids::{
    ArticleId, AssetId, CartId, EventId, GroupId, HoldId, OrderId, OrganisationId, SessionId, StaffId, TagId,
    TaxpayerId, TillId,
};
use crate::limits::{LINE_QUANTITY_MAX, ORDER_LINES_MAX, ORDER_TENDERS_MAX};
use crate::money::{Amount, Overflow};
use crate::shift::ShiftMark;
use crate::stream::Version;
use crate::tax::{TaxKey, TaxRate, TaxSum, tax_shares};
use crate::wristband::{BandChange, PurseMove};

crate::closed_enum! {
    /// What kind of business an order is. All numbers are fixed from version 1; a server that does not book a kind yet keeps the entry and opens a case.
    pub enum OrderKind {
        /// Goods and deposits against payment.
        Sale = 1,
        /// An earlier order is taken back whole.
        Cancel = 2,
        /// An earlier order is taken back and a new one booked in its place, in one posting.
        Correction = 3,
        /// Money paid in for a wristband.
        TopUp = 4,
        /// Money of a wristband paid out.
        PayOut = 5,
        /// Bearer goods come back and nothing is sold.
        DepositReturn = 6,
        /// A cart that was opened and given up.
        AbortedCart = 7,
        /// Cash brought to or taken from a drawer.
        CashMovement = 8,
        /// A drawer is opened with its float.
        DrawerOpen = 9,
        /// A drawer is counted.
        DrawerCount = 10,
        /// A shift begins or ends.
        Shift = 11,
        /// A guest gets another wristband: the order's holder is the old one.
        Swap = 12,
        /// A wristband is blocked: the order's holder. No till frees one, since an order that comes late could undo a block that was made after it.
        Block = 13,
        /// Vouchers or points are granted.
        Grant = 14,
        /// A ticket is sold or checked in.
        Ticket = 15,
        /// A voucher code is claimed.
        VoucherClaim = 16,
        /// Vouchers are redeemed without a sale.
        VoucherRedemption = 17,
        /// Points are earned or spent.
        Points = 18,
        /// Training: nothing of value happens.
        Training = 19,
        /// A cash payment of its own (part of a split).
        CashTender = 20,
        /// A card payment of its own (part of a split).
        CardTender = 21,
    }
}

crate::closed_enum! {
    /// What a line is.
    pub enum LineKind {
        /// Goods or a service.
        Goods = 1,
        /// A deposit taken (quantity above zero) or paid back (below zero).
        Deposit = 2,
        /// What vouchers take off, one line per tax rate, below zero.
        Discount = 3,
        /// Money paid in.
        TopUp = 4,
        /// Money paid out, quantity below zero.
        PayOut = 5,
        /// Counted money that a drawer begins with (`Anfangsbestand` of DSFinV-K).
        Float = 6,
        /// Money between a drawer and the safe (`Geldtransit`); quantity below zero takes it out of the drawer.
        CashTransit = 7,
        /// What a counted drawer has more or, with a quantity below zero, less than it should (`DifferenzSollIst`).
        CashDifference = 8,
        /// What the guest gave on top (`TrinkgeldAG`, `TrinkgeldAN`); [`Line::tip_for`] says to whom.
        Tip = 9,
    }
}

/// Whose a tip is. The business's is part of what its supply costs and has tax; the staff's is theirs and never the business's turnover, so it
/// stands under the key of what is not taxable (`UStAE` 10.1 (5); DSFinV-K, annex C).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TipFor {
    /// The business's (`TrinkgeldAG`).
    Business,
    /// The staff's (`TrinkgeldAN`).
    Staff,
}

impl TipFor {
    /// By the tax key that a tip stands under.
    pub fn of(key: TaxKey) -> Self {
        if key == TaxKey::NOT_TAXABLE {
            Self::Staff
        } else {
            Self::Business
        }
    }
}

/// Vouchers used for a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoucherUse {
    /// Which voucher.
    pub asset: AssetId,
    /// How many.
    pub units: u32,
}

/// One line of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// What it is.
    pub kind: LineKind,
    /// The article; zero for discount, top-up and pay-out lines.
    pub article: ArticleId,
    /// Pieces; below zero takes back.
    pub quantity: i32,
    /// Gross price of one piece in cents.
    pub unit_price: Amount,
    /// The tax key it was sold under.
    pub tax: TaxKey,
    /// The rate that key stood for.
    pub rate: TaxRate,
    /// Vouchers that paid for (part of) this line; the discount lines carry the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouchers: Option<VoucherUse>,
}

impl Line {
    /// Pieces times price, gross.
    pub fn total(&self) -> Result<Amount, Overflow> {
        self.unit_price.times(i64::from(self.quantity))
    }

    /// Whose it is; none for what is no tip.
    pub fn tip_for(&self) -> Option<TipFor> {
        (self.kind == LineKind::Tip).then(|| TipFor::of(self.tax))
    }
}

crate::closed_enum! {
    /// How a part of an order was paid.
    pub enum TenderKind {
        /// From (or, below zero, to) a wristband.
        Wristband = 1,
        /// In cash.
        Cash = 2,
        /// By card at a terminal of a card acquirer.
        Card = 3,
        /// By vouchers that count as a means of payment.
        Voucher = 4,
    }
}

crate::closed_enum! {
    /// What let the till take the payment.
    pub enum Permission {
        /// Nothing was needed: cash, card, money to the guest.
        NotNeeded = 0,
        /// The server held the amount; the tender names the hold.
        Held = 1,
        /// The offline limits, on a balance the till knew.
        OfflineKnown = 2,
        /// The offline limits, for a wristband the till knew nothing of.
        OfflineUnknown = 3,
        /// The wristband's own purse.
        Chip = 4,
    }
}

/// One payment of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tender {
    /// How.
    pub kind: TenderKind,
    /// How much in cents, or in units of `voucher`; above zero is paid by the guest.
    pub amount: Amount,
    /// What let the till take it.
    pub permission: Permission,
    /// The wristband, where it is not the order's holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagId>,
    /// The authorisation this payment captures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldId>,
    /// The balance in cents the till decided on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_balance: Option<Amount>,
    /// How old that balance was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_age_s: Option<u32>,
    /// The voucher asset, for a tender of that kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher: Option<AssetId>,
    /// The notes and coins, where cash is in another currency than the event's; `amount` is what they are worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
}

impl Tender {
    /// A payment that nobody had to permit, of nothing but this amount.
    pub const fn plain(kind: TenderKind, amount: Amount) -> Self {
        Self {
            kind,
            amount,
            permission: Permission::NotNeeded,
            tag: None,
            hold: None,
            known_balance: None,
            known_age_s: None,
            voucher: None,
            foreign: None,
        }
    }

    /// Whether foreign money is taken as cash where it is taken, is worth something, and goes back only the way it came: to whoever gave it, when the order
    /// is taken back, or out of the drawer. Change is given in the event's currency.
    fn foreign_fits(&self, order: OrderKind) -> bool {
        let Some(foreign) = self.foreign else { return true };
        let sign = match order {
            OrderKind::Sale | OrderKind::TopUp | OrderKind::Correction => 1,
            OrderKind::Cancel | OrderKind::CashMovement => -1,
            _ => return false,
        };
        self.kind == TenderKind::Cash
            && [foreign.amount, self.amount]
                .iter()
                .all(|amount| amount.0.signum() == sign)
    }
}

/// The place of an order among those that one cart or split became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPart {
    /// The payment group.
    pub group: GroupId,
    /// This order's place, from 1.
    pub part: u16,
    /// How many there are.
    pub of: u16,
}

crate::closed_enum! {
    /// Why something was taken back, as the cashier chose it.
    pub enum CancelReason {
        /// Mistyped.
        Mistyped = 1,
        /// The guest wanted something else.
        GuestChanged = 2,
        /// Not in stock.
        OutOfStock = 3,
        /// Undone right after the sale.
        Undo = 4,
    }
}

/// The content of an order. Its digest is what makes a repeated id a duplicate or a conflict; it does not cover terminal, epoch or sequence,
/// so an order that arrives by another way is the same order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// What kind of business it is.
    pub kind: OrderKind,
    /// Whose books.
    pub organisation: OrganisationId,
    /// The event.
    pub event: EventId,
    /// The till.
    pub till: TillId,
    /// Who operated it.
    pub cashier: StaffId,
    /// That person's session.
    pub session: SessionId,
    /// The idempotency key.
    pub id: OrderId,
    /// The cart it came from.
    pub cart: CartId,
    /// The configuration it was priced with.
    pub config: Version,
    /// Whose sale it is: one order has one taxpayer.
    pub taxpayer: TaxpayerId,
    /// When it was closed, by the device's wall clock, in ms since 1970.
    pub closed_at_ms: u64,
    /// How long the cart had been open then.
    pub open_for_ms: u32,
    /// What was sold, returned, paid in or out.
    pub lines: Vec<Line>,
    /// How it was paid; the sum is the sum of the lines.
    pub tenders: Vec<Tender>,
    /// The wristband whose order it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<TagId>,
    /// The order this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<OrderId>,
    /// Why it takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<CancelReason>,
    /// Its place in a payment group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupPart>,
    /// What it did to the purse of its holder; none where the books decide what the holder has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purse: Option<PurseMove>,
    /// What happens to the holder's wristband itself: for kinds [`Swap`](OrderKind::Swap) and [`Block`](OrderKind::Block), and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<BandChange>,
    /// What happens to the shift: for kind [`Shift`](OrderKind::Shift), and no other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<ShiftMark>,
}

/// An order that contradicts itself. It is kept and a case is opened; nothing of it is booked as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OrderFault {
    /// More lines, tenders or pieces than the protocol allows.
    #[error("more lines, payments or pieces than one order may have")]
    TooLarge,
    /// The payments do not add up to the lines.
    #[error("the payments add up to {paid}, the lines to {charged}")]
    Unbalanced {
        /// Sum of the tenders in cents.
        paid: Amount,
        /// Sum of the lines in cents.
        charged: Amount,
    },
    /// A sum does not fit.
    #[error("a sum of this order is larger than any amount this system can hold")]
    Overflow,
    /// A field that this kind of order needs is missing, or one it must not have is there.
    #[error("the fields do not fit this kind of order")]
    Shape,
}

impl From<Overflow> for OrderFault {
    fn from(_: Overflow) -> Self {
        Self::Overflow
    }
}

impl Order {
    /// When its cart was opened, by the clock that `closed_at_ms` is from, ms since 1970.
    pub fn opened_at_ms(&self) -> u64 {
        self.closed_at_ms.saturating_sub(u64::from(self.open_for_ms))
    }

    /// Sum of the lines in cents, gross.
    pub fn total(&self) -> Result<Amount, Overflow> {
        let totals = self.lines.iter().map(Line::total).collect::<Result<Vec<_>, _>>()?;
        Amount::sum(totals)
    }

    /// What vouchers pay as a means of payment is a tender in units, not in cents; all others are in cents.
    pub fn paid(&self) -> Result<Amount, Overflow> {
        Amount::sum(
            self.tenders
                .iter()
                .filter(|tender| tender.voucher.is_none())
                .map(|tender| tender.amount),
        )
    }

    /// The wristband a tender is on.
    pub fn tender_tag(&self, tender: &Tender) -> Option<TagId> {
        tender.tag.or(self.holder)
    }

    /// Tax by key and rate.
    pub fn taxes(&self) -> Result<std::collections::BTreeMap<(TaxKey, TaxRate), TaxSum>, Overflow> {
        let amounts = self
            .lines
            .iter()
            .map(|line| Ok((line.tax, line.rate, line.total()?)))
            .collect::<Result<Vec<_>, Overflow>>()?;
        tax_shares(amounts).map(|(_, sums)| sums)
    }

    /// Checks what can be checked without knowing anything but the order.
    pub fn check(&self) -> Result<(), OrderFault> {
        let pieces_fit = self
            .lines
            .iter()
            .all(|line| (-LINE_QUANTITY_MAX..=LINE_QUANTITY_MAX).contains(&line.quantity));
        if self.lines.len() > ORDER_LINES_MAX || self.tenders.len() > ORDER_TENDERS_MAX || !pieces_fit {
            return Err(OrderFault::TooLarge);
        }
        let reverses = matches!(self.kind, OrderKind::Cancel | OrderKind::Correction);
        let tenders_named = self.tenders.iter().all(|tender| match tender.kind {
            TenderKind::Wristband => self.tender_tag(tender).is_some() && tender.voucher.is_none(),
            TenderKind::Voucher => self.tender_tag(tender).is_some() && tender.voucher.is_some(),
            TenderKind::Cash | TenderKind::Card => tender.voucher.is_none(),
        });
        let foreign_fits = self.tenders.iter().all(|tender| tender.foreign_fits(self.kind));
        let vouchers_have_holder = self.holder.is_some() || self.lines.iter().all(|line| line.vouchers.is_none());
        let group_is_sane = self.group.is_none_or(|group| group.part >= 1 && group.part <= group.of);
        let purse_is_sane = self
            .purse
            .as_ref()
            .is_none_or(|purse| self.holder.is_some() && purse.after.covers(&purse.before));
        let band_is_sane = self.band.as_ref().is_none_or(|band| band.fits(self));
        let shift_is_sane = self.shift.is_none_or(|_| ShiftMark::fits(self));
        let parts_fit = group_is_sane && purse_is_sane && band_is_sane && shift_is_sane;
        let fields_fit = tenders_named && foreign_fits && vouchers_have_holder && parts_fit;
        if reverses != self.reverses.is_some() || !fields_fit {
            return Err(OrderFault::Shape);
        }
        // A given-up cart and practice may hold what they like, as long as it is no drawer's.
        DrawerMove::of(self)?;
        let (charged, paid) = (self.total()?, self.paid()?);
        // Nothing changed hands; the lines say what was taken in before (AVBelegabbruch in DSFinV-K's words).
        if self.kind == OrderKind::AbortedCart {
            return if self.tenders.is_empty() {
                Ok(())
            } else {
                Err(OrderFault::Shape)
            };
        }
        // Vouchers that are a means of payment pay a part that only the catalogue can name, so the balance is checked where it is known.
        if charged != paid && !self.tenders.iter().any(|tender| tender.kind == TenderKind::Voucher) {
            return Err(OrderFault::Unbalanced { paid, charged });
        }
        Ok(())
    }
}
