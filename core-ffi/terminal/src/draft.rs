//! From a cart to orders: one per taxpayer, complete but for what lets the till take the money.
//!
//! A correction carries the *new* lines and tenders that pay the new total; the server takes the old order back whole in the same
//! posting. So what a guest feels, and what is asked for, is the difference.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared_protocol::catalogue::ArticleKind;
use shared_protocol::config::Config;
use shared_protocol::currency::Foreign;
use shared_protocol::drawer::DrawerMove;
use shared_protocol::limits::ORDER_TENDERS_MAX;
use shared_protocol::message::Registration;
use shared_protocol::order::{CancelReason, GroupPart, Line, LineKind, Order, OrderKind, Tender, TenderKind};
use shared_protocol::pricing::{CartLine, Priced, PricingError, price};
use shared_protocol::shift::ShiftMark;
use shared_protocol::stream::Version;
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::wristband::BandChange;
use shared_protocol::{
    Amount, ArticleId, AssetId, CartId, EventId, GroupId, OrderId, OrganisationId, Overflow, SessionId, StaffId, TagId,
    TaxpayerId, TillId,
};

use crate::limits::{Grant, takes_from_holder};
use crate::screen::{Refusal, Settled};
use crate::session::Session;
use crate::undo::Past;

/// Wristbands that may pay one order: its tenders, less one that vouchers may need.
pub(crate) const SPLIT_MAX: usize = ORDER_TENDERS_MAX - 2;

/// Who pays.
#[derive(Debug, Clone)]
pub(crate) enum Payer {
    /// A wristband, which is the order's holder; with several the parts say who pays what.
    Wristband {
        holder: TagId,
        parts: Option<Vec<(TagId, Amount)>>,
    },
    /// Cash or card.
    Plain(TenderKind),
}

/// What is sold here: the catalogue, and whose stand this is.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    pub config: Arc<Config>,
    pub home: TaxpayerId,
}

impl Shop {
    fn price(&self, lines: &[CartLine], vouchers: &BTreeMap<AssetId, u32>) -> Result<Vec<Priced>, PricingError> {
        price(&self.config, self.home, lines, vouchers)
    }
}

/// One order without its ids and times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DraftOrder {
    pub kind: OrderKind,
    pub taxpayer: TaxpayerId,
    pub config: Version,
    pub lines: Vec<Line>,
    pub tenders: Vec<Tender>,
    pub holder: Option<TagId>,
    pub reverses: Option<OrderId>,
    pub reason: Option<CancelReason>,
    /// For a correction: what the order it replaces took from each wristband.
    pub replaced: Vec<(TagId, Amount)>,
    /// What happens to the holder's wristband itself.
    pub band: Option<BandChange>,
    /// What happens to the shift.
    pub shift: Option<ShiftMark>,
}

impl DraftOrder {
    /// An order of this kind with nothing in it yet.
    fn empty(kind: OrderKind, taxpayer: TaxpayerId, config: Version, holder: Option<TagId>) -> Self {
        Self {
            kind,
            taxpayer,
            config,
            lines: Vec::new(),
            tenders: Vec::new(),
            holder,
            reverses: None,
            reason: None,
            replaced: Vec::new(),
            band: None,
            shift: None,
        }
    }
}

/// The orders of one hold, or of one cash payment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Draft {
    pub orders: Vec<DraftOrder>,
    /// What has to be asked for before it is taken: wristband and amount, each above zero.
    pub asks: Vec<(TagId, Amount)>,
    /// What is paid in all, less what is given back for corrected orders.
    pub net: Amount,
    pub vouchers: BTreeMap<AssetId, u32>,
    /// What of a top-up goes to what is owed from earlier.
    pub settles: Option<Settled>,
}

/// Whose order it is, and where and when it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub organisation: OrganisationId,
    pub event: EventId,
    pub till: TillId,
    pub cashier: StaffId,
    pub session: SessionId,
    pub cart: CartId,
    pub closed_at_ms: u64,
    pub open_for_ms: u32,
}

impl Origin {
    /// Of whoever works at this till, at `closed_at_ms` by the device's wall clock.
    pub fn of(
        registration: &Registration,
        session: Session,
        cart: CartId,
        closed_at_ms: u64,
        open_for_ms: u32,
    ) -> Self {
        Self {
            organisation: registration.organisation,
            event: registration.event,
            till: registration.till,
            cashier: session.staff,
            session: session.id,
            cart,
            closed_at_ms,
            open_for_ms,
        }
    }
}

impl From<Overflow> for Refusal {
    fn from(_: Overflow) -> Self {
        Self::Overflow
    }
}

impl From<PricingError> for Refusal {
    fn from(error: PricingError) -> Self {
        match error {
            PricingError::UnknownArticle(article) => Self::UnknownArticle(article),
            PricingError::FreePrice(article) => Self::Price(article),
            PricingError::Quantity(_) | PricingError::TooManyLines => Self::CartFull,
            PricingError::Overflow(_) => Self::Overflow,
        }
    }
}

fn tender(kind: TenderKind, amount: Amount, tag: Option<TagId>) -> Tender {
    Tender {
        tag,
        ..Tender::plain(kind, amount)
    }
}

fn kind_of(lines: &[Line]) -> OrderKind {
    let only_returns = lines
        .iter()
        .all(|line| line.kind == LineKind::Deposit && line.quantity < 0);
    if only_returns {
        OrderKind::DepositReturn
    } else {
        OrderKind::Sale
    }
}

/// Gives each order its tenders: what goes back to the guest goes to the holder first, then each part pays in turn.
fn allocate(dues: &[Amount], holder: TagId, parts: &[(TagId, Amount)]) -> Result<Vec<Vec<Tender>>, Overflow> {
    let back = Amount::sum(dues.iter().copied().filter(|due| due.is_negative()))?.negated()?;
    let mut able = parts.to_vec();
    if let Some((_, amount)) = able.first_mut() {
        *amount = amount.plus(back)?;
    }
    let wristband = |tag: TagId, amount| tender(TenderKind::Wristband, amount, (tag != holder).then_some(tag));
    dues.iter()
        .map(|due| {
            if due.is_negative() {
                return Ok(vec![wristband(holder, *due)]);
            }
            let mut left = *due;
            let mut tenders = Vec::new();
            for (tag, able) in &mut able {
                let part = left.min(*able);
                if part.is_positive() {
                    tenders.push(wristband(*tag, part));
                    *able = able.minus(part)?;
                    left = left.minus(part)?;
                }
            }
            Ok(tenders)
        })
        .collect()
}

/// Prices a cart and says who pays what. `vouchers` are the units the guest has and wants to use.
pub(crate) fn sale(
    shop: &Shop,
    lines: &[CartLine],
    payer: &Payer,
    vouchers: &BTreeMap<AssetId, u32>,
) -> Result<Draft, Refusal> {
    let mut priced = shop.price(lines, vouchers)?;
    let holder = match payer {
        Payer::Wristband { holder, .. } => Some(*holder),
        Payer::Plain(_) => None,
    };
    // What goes back to the guest is booked first, so that it is there for what follows.
    priced.sort_by_key(|part| (!part.total.is_negative(), part.taxpayer));
    let dues = priced.iter().map(Priced::due).collect::<Result<Vec<_>, _>>()?;
    let net = Amount::sum(dues.iter().copied())?;
    let (tenders, asks) = match payer {
        Payer::Plain(kind) => {
            let plain = |due: &Amount| {
                if due.is_zero() {
                    Vec::new()
                } else {
                    vec![tender(*kind, *due, None)]
                }
            };
            (dues.iter().map(plain).collect(), Vec::new())
        }
        Payer::Wristband { holder, parts } => {
            let parts = parts.clone().unwrap_or_else(|| vec![(*holder, net)]);
            let tenders = allocate(&dues, *holder, &parts)?;
            (
                tenders,
                parts.into_iter().filter(|(_, amount)| amount.is_positive()).collect(),
            )
        }
    };
    let mut used = BTreeMap::new();
    let mut orders = Vec::new();
    for (part, mut tenders) in priced.into_iter().zip(tenders) {
        for (asset, units) in part.vouchers_used() {
            *used.entry(asset).or_insert(0_u32) += units;
        }
        tenders.extend(part.paid_by_vouchers.iter().map(|(asset, (units, _))| Tender {
            voucher: Some(*asset),
            ..tender(TenderKind::Voucher, Amount(i64::from(*units)), None)
        }));
        let kind = kind_of(&part.lines);
        orders.push(DraftOrder {
            lines: part.lines,
            tenders,
            ..DraftOrder::empty(kind, part.taxpayer, shop.config.version, holder)
        });
    }
    Ok(Draft {
        orders,
        asks,
        net,
        vouchers: used,
        settles: None,
    })
}

/// Takes orders back whole: lines and tenders mirrored, to and from the same wristbands.
pub(crate) fn cancel(olds: &[&Past], holder: TagId, reason: CancelReason) -> Result<Draft, Refusal> {
    let orders = olds
        .iter()
        .map(|old| mirrored(old, reason))
        .collect::<Result<Vec<_>, _>>()?;
    let mut asks: BTreeMap<TagId, Amount> = BTreeMap::new();
    for (old, order) in olds.iter().zip(&orders) {
        for tender in &order.tenders {
            let tag = tender.tag.or(order.holder).unwrap_or(holder);
            let taken = match tender.kind {
                TenderKind::Wristband => tender.amount,
                TenderKind::Cash | TenderKind::Card if old.kind == OrderKind::TopUp => tender.amount.negated()?,
                _ => continue,
            };
            let sum = asks.entry(tag).or_default();
            *sum = sum.plus(taken)?;
        }
    }
    let net = Amount::sum(asks.values().copied())?;
    let asks = asks.into_iter().filter(|(_, amount)| amount.is_positive()).collect();
    Ok(Draft {
        orders,
        asks,
        net,
        vouchers: BTreeMap::new(),
        settles: None,
    })
}

fn mirrored(old: &Past, reason: CancelReason) -> Result<DraftOrder, Refusal> {
    let line = |line: &Line| Line {
        quantity: -line.quantity,
        ..*line
    };
    let back = |paid: &Tender| {
        let amount = paid.amount.negated()?;
        let turned = |given: Foreign| {
            let amount = given.amount.negated()?;
            Ok::<_, Overflow>(Foreign { amount, ..given })
        };
        Ok(Tender {
            voucher: paid.voucher,
            foreign: paid.foreign.map(turned).transpose()?,
            ..tender(paid.kind, amount, paid.tag)
        })
    };
    Ok(DraftOrder {
        lines: old.lines.iter().map(line).collect(),
        tenders: old.tenders.iter().map(back).collect::<Result<Vec<_>, Overflow>>()?,
        reverses: Some(old.order),
        reason: Some(reason),
        ..DraftOrder::empty(OrderKind::Cancel, old.taxpayer, old.config, old.holder)
    })
}

/// Takes orders back and books the cart in their place: taxpayer by taxpayer a correction where both are, a cancellation where only the
/// old order is, a sale where only the new one is.
pub(crate) fn correct(shop: &Shop, lines: &[CartLine], olds: &[&Past], holder: TagId) -> Result<Draft, Refusal> {
    // The vouchers the old orders used are back in the guest's hand; no others, since the server may not know the old orders yet.
    let mut vouchers: BTreeMap<AssetId, u32> = BTreeMap::new();
    for used in olds.iter().flat_map(|old| &old.lines).filter_map(|line| line.vouchers) {
        *vouchers.entry(used.asset).or_default() += used.units;
    }
    let mut fresh = sale(shop, lines, &Payer::Wristband { holder, parts: None }, &vouchers)?;
    let mut orders = Vec::new();
    let mut was = Amount::ZERO;
    for old in olds {
        let took = old.wristbands_paid()?;
        was = was.plus(Amount::sum(took.iter().map(|(_, amount)| *amount))?)?;
        match fresh
            .orders
            .iter_mut()
            .find(|order| order.taxpayer == old.taxpayer && order.reverses.is_none())
        {
            Some(order) => {
                order.kind = OrderKind::Correction;
                order.reverses = Some(old.order);
                order.reason = Some(CancelReason::GuestChanged);
                order.replaced = took;
            }
            None => orders.push(mirrored(old, CancelReason::GuestChanged)?),
        }
    }
    orders.append(&mut fresh.orders);
    let net = fresh.net.minus(was)?;
    let asks = if net.is_positive() {
        vec![(holder, net)]
    } else {
        Vec::new()
    };
    Ok(Draft {
        orders,
        asks,
        net,
        vouchers: fresh.vouchers,
        settles: None,
    })
}

/// Money in (above zero) or out (below zero) for a wristband, against cash or card.
pub(crate) fn money(shop: &Shop, amount: Amount, method: TenderKind, holder: TagId) -> Result<Draft, Refusal> {
    let out = amount.is_negative();
    let unit_price = if out { amount.negated()? } else { amount };
    let line = Line {
        kind: if out { LineKind::PayOut } else { LineKind::TopUp },
        article: ArticleId(0),
        quantity: if out { -1 } else { 1 },
        unit_price,
        tax: TaxKey::NOT_TAXABLE,
        rate: TaxRate::ZERO,
        vouchers: None,
    };
    let kind = if out { OrderKind::PayOut } else { OrderKind::TopUp };
    let order = DraftOrder {
        lines: vec![line],
        tenders: vec![tender(method, amount, None)],
        ..DraftOrder::empty(kind, shop.home, shop.config.version, Some(holder))
    };
    let asks = if out { vec![(holder, unit_price)] } else { Vec::new() };
    Ok(Draft {
        orders: vec![order],
        asks,
        net: amount,
        ..Draft::default()
    })
}

/// Money of the drawer: no guest has a part in it.
pub(crate) fn drawer(shop: &Shop, said: DrawerMove) -> Result<Draft, Refusal> {
    let order = DraftOrder {
        lines: said.lines()?,
        tenders: vec![said.tender()?],
        ..DraftOrder::empty(said.kind(), shop.home, shop.config.version, None)
    };
    Ok(Draft {
        orders: vec![order],
        net: said.cash()?,
        ..Draft::default()
    })
}

/// A wristband that is swapped or blocked: no money of this till has a part in it.
pub(crate) fn band(shop: &Shop, kind: OrderKind, old: TagId, change: BandChange) -> Draft {
    about(shop, kind, old, Some(change))
}

/// Vouchers that the server granted and this till is about to write: no order that is ever booked, but what an intent is about.
pub(crate) fn granted(shop: &Shop, holder: TagId) -> Draft {
    about(shop, OrderKind::Grant, holder, None)
}

/// A shift begins or is over.
pub(crate) fn shift(shop: &Shop, mark: ShiftMark) -> Draft {
    let order = DraftOrder {
        shift: Some(mark),
        ..DraftOrder::empty(OrderKind::Shift, shop.home, shop.config.version, None)
    };
    Draft {
        orders: vec![order],
        ..Draft::default()
    }
}

fn about(shop: &Shop, kind: OrderKind, holder: TagId, band: Option<BandChange>) -> Draft {
    let order = DraftOrder {
        band,
        ..DraftOrder::empty(kind, shop.home, shop.config.version, Some(holder))
    };
    Draft {
        orders: vec![order],
        ..Draft::default()
    }
}

impl Draft {
    /// What is taken from a wristband over all tenders, whatever goes back in the same hold.
    pub fn gross(&self, tag: Option<TagId>) -> Amount {
        let mine = |order: &DraftOrder, tender: &Tender| tag.is_none() || tender.tag.or(order.holder) == tag;
        let taken = self.orders.iter().flat_map(|order| {
            let tenders = || order.tenders.iter().filter(move |tender| mine(order, tender));
            let wristbands = tenders().filter(|tender| tender.kind == TenderKind::Wristband);
            let plain = |tender: &&Tender| matches!(tender.kind, TenderKind::Cash | TenderKind::Card);
            let plain = tenders().filter(plain).filter(|_| order.as_order_takes());
            // Foreign cash and the change that was given for it are one payment.
            let paid_out = plain.fold(0_i64, |sum, tender| sum.saturating_sub(tender.amount.0));
            wristbands
                .map(|tender| tender.amount.max(Amount::ZERO))
                .chain([Amount(paid_out.max(0))])
        });
        Amount::sum(taken).unwrap_or(Amount(i64::MAX))
    }

    /// Whether cash leaves the till against a wristband's money.
    pub fn pays_out(&self) -> bool {
        self.orders.iter().any(DraftOrder::as_order_takes)
    }

    /// Writes what was granted into the tenders.
    pub fn grant(&mut self, grants: &BTreeMap<TagId, Grant>) {
        for order in &mut self.orders {
            let cash_takes = order.as_order_takes();
            for tender in &mut order.tenders {
                let needs = match tender.kind {
                    TenderKind::Wristband => tender.amount.is_positive(),
                    TenderKind::Cash | TenderKind::Card => cash_takes,
                    TenderKind::Voucher => false,
                };
                let grant = tender
                    .tag
                    .or(order.holder)
                    .and_then(|tag| grants.get(&tag))
                    .filter(|_| needs);
                if let Some(grant) = grant {
                    tender.permission = grant.permission;
                    tender.hold = grant.hold;
                    tender.known_balance = grant.known.map(|(balance, _)| balance);
                    tender.known_age_s = grant.known.map(|(_, age_s)| age_s);
                }
            }
        }
    }

    /// The finished orders.
    pub fn orders(self, origin: Origin, mut id: impl FnMut() -> [u8; 16]) -> Vec<(Order, Vec<(TagId, Amount)>)> {
        let of = u16::try_from(self.orders.len()).unwrap_or(u16::MAX);
        let group = (of > 1).then(|| GroupId(id()));
        let finish = |(part, draft): (u16, DraftOrder)| {
            let order = Order {
                kind: draft.kind,
                organisation: origin.organisation,
                event: origin.event,
                till: origin.till,
                cashier: origin.cashier,
                session: origin.session,
                id: OrderId(id()),
                cart: origin.cart,
                config: draft.config,
                taxpayer: draft.taxpayer,
                closed_at_ms: origin.closed_at_ms,
                open_for_ms: origin.open_for_ms,
                lines: draft.lines,
                tenders: draft.tenders,
                holder: draft.holder,
                reverses: draft.reverses,
                reason: draft.reason,
                group: group.map(|group| GroupPart { group, part, of }),
                purse: None,
                band: draft.band,
                shift: draft.shift,
            };
            (order, draft.replaced)
        };
        (1..).zip(self.orders).map(finish).collect()
    }
}

impl DraftOrder {
    fn as_order_takes(&self) -> bool {
        takes_from_holder(self.kind, &self.lines)
    }
}

/// What a cart costs before vouchers, and the deposits in it.
pub(crate) fn totals(shop: &Shop, lines: &[CartLine]) -> Result<(Amount, Amount), Refusal> {
    let priced = shop.price(lines, &BTreeMap::new())?;
    let lines = || priced.iter().flat_map(|part| &part.lines);
    let deposits = lines()
        .filter(|line| line.kind == LineKind::Deposit)
        .map(Line::total)
        .collect::<Result<Vec<_>, _>>()?;
    Ok((
        Amount::sum(priced.iter().map(|part| part.total))?,
        Amount::sum(deposits)?,
    ))
}

/// Whether vouchers could pay for something in the cart.
pub(crate) fn takes_vouchers(config: &Config, lines: &[CartLine]) -> bool {
    let takes = |line: &CartLine| {
        config
            .articles
            .get(&line.article)
            .is_some_and(|article| article.kind == ArticleKind::Goods && article.vouchers.is_some())
    };
    lines.iter().any(takes)
}
