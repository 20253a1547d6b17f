//! The terminal's notices and refusals as the phone shows them.

use shared_protocol::config::Config;
use shared_protocol::order::TenderKind;
use shared_protocol::pricing::CartLine;
use shared_protocol::stream::BlockReason;
use shared_protocol::wristband::short_till;
use shared_protocol::{Amount, AssetId, StaffId, TillId};
use terminal::StorageFault;
use terminal::screen::{self, OfflineLimit, PurseRefusal, Screen};

use crate::ids::{count, last_four, millis, number};
use crate::notice::{Done, DoneKind, EnoughWithout, Notice, Refusal, Tender};
use crate::view::{Balance, Blocked, Language, LastSale, Units};

/// What the words of a notice are made from.
#[derive(Clone, Copy)]
pub(crate) struct Saying<'a> {
    pub config: Option<&'a Config>,
    pub language: Language,
    pub screen: &'a Screen,
    /// What the guest gave for the top-up.
    pub given: Option<Amount>,
}

impl Saying<'_> {
    pub fn asset(self, asset: AssetId) -> String {
        let found = self.config.and_then(|config| config.assets.get(&asset));
        found.map_or_else(|| asset.to_string(), |asset| self.language.of(&asset.name).to_owned())
    }

    fn units(self, units: &[(AssetId, u32)]) -> Vec<Units> {
        let named = units.iter().map(|(asset, units)| Units {
            name: self.asset(*asset),
            amount: i64::from(*units),
        });
        named.collect()
    }

    pub fn staff(self, staff: StaffId) -> String {
        let found = self.config.and_then(|config| config.staff.get(&staff));
        found.map_or_else(|| staff.to_string(), |staff| staff.name.clone())
    }

    fn till_name(self, till: TillId) -> String {
        let found = self.config.and_then(|config| config.tills.get(&till));
        found.map_or_else(|| till.to_string(), |till| till.name.clone())
    }

    fn till(self, short: u16) -> String {
        let mut tills = self.config.iter().flat_map(|config| config.tills.values());
        tills
            .find(|till| short_till(till.id) == short)
            .map_or_else(|| TillId(u32::from(short)).to_string(), |till| till.name.clone())
    }

    pub fn notice(self, notice: &screen::Notice) -> Notice {
        match notice {
            // The page that asks for a PIN shows it.
            screen::Notice::None | screen::Notice::PinWanted { .. } => Notice::None,
            screen::Notice::Working => Notice::Reading,
            screen::Notice::Done(done) => Notice::Done(self.done(done)),
            screen::Notice::Refused(refusal) => Notice::Refused {
                refusal: self.refusal(refusal),
            },
            screen::Notice::Balance { .. } => self.balance(notice).map_or(Notice::None, Notice::Balance),
            screen::Notice::AlreadyPaid { total, at_ms } => Notice::Already {
                total: total.0,
                at_ms: millis(*at_ms),
            },
            screen::Notice::NextPart => {
                let split = self.screen.cart.as_ref().and_then(|cart| cart.split.as_ref());
                Notice::NextPart {
                    have: split.map_or(0, |split| count(split.parts.len())),
                    of: split.and_then(|split| split.of).map(i32::from),
                    missing: split.map_or(0, |split| split.missing.0),
                }
            }
            screen::Notice::HoldAgain { tag, total } => Notice::HoldAgain {
                band: last_four(*tag),
                total: total.0,
            },
            screen::Notice::CopyReceived { till, orders, total } => Notice::CopyReceived {
                till: self.till_name(*till),
                orders: count(*orders),
                total: total.0,
            },
            screen::Notice::OwnBand { .. } => Notice::OwnBand,
            screen::Notice::SwapCashier { staff } => Notice::SwapCashier {
                name: self.staff(*staff),
            },
            screen::Notice::LastCart { booked, total, at_ms } => Notice::LastCart {
                booked: *booked,
                total: total.0,
                at_ms: millis(*at_ms),
            },
        }
    }

    /// The wristband whose balance is shown.
    pub fn balance(self, notice: &screen::Notice) -> Option<Balance> {
        let screen::Notice::Balance {
            tag,
            money,
            owed,
            units,
            blocked,
            last_sale,
        } = notice
        else {
            return None;
        };
        Some(Balance {
            band: last_four(*tag),
            money: money.map(|money| money.amount.0),
            as_of_ms: money.and_then(|money| money.as_of_ms).map(millis),
            owed: owed.0,
            units: units
                .iter()
                .map(|units| Units {
                    name: self.asset(units.asset),
                    amount: units.amount.0,
                })
                .collect(),
            blocked: blocked.map(reason),
            last_sale: last_sale.map(|sale| LastSale {
                amount: sale.amount.0,
                at_ms: millis(sale.at_ms),
                till: self.till(sale.till),
            }),
        })
    }

    /// A currency by its code, or by its number where it is not known any more.
    fn code(self, asset: AssetId) -> String {
        let currency = self.config.and_then(|config| config.currency(asset));
        currency.map_or_else(|| asset.to_string(), |currency| currency.code.to_owned())
    }

    fn done(self, done: &screen::Done) -> Done {
        let to_guest = done.total.is_negative();
        let kind = match done.kind {
            screen::DoneKind::Paid if to_guest => DoneKind::Credited,
            screen::DoneKind::Paid => DoneKind::Paid,
            screen::DoneKind::Cancelled => DoneKind::Cancelled,
            screen::DoneKind::Corrected { was } => DoneKind::Corrected { was: was.0 },
            screen::DoneKind::ToppedUp { after_sync } => DoneKind::ToppedUp { after_sync },
            screen::DoneKind::PaidOut => DoneKind::PaidOut,
            screen::DoneKind::DrawerOpened => DoneKind::DrawerOpened,
            screen::DoneKind::DrawerCounted { expected, counted } => DoneKind::DrawerCounted {
                expected: expected.0,
                counted: counted.0,
            },
            screen::DoneKind::CashMoved => DoneKind::CashMoved,
            screen::DoneKind::HandedIn(given) => DoneKind::HandedIn {
                code: self.code(given.asset),
                amount: given.amount.0,
            },
            screen::DoneKind::Swapped { after_sync, .. } => DoneKind::Swapped { after_sync },
            screen::DoneKind::Blocked { after_sync } => DoneKind::BandBlocked { after_sync },
        };
        let is_top_up = matches!(kind, DoneKind::ToppedUp { .. });
        let is_goods = matches!(kind, DoneKind::Paid | DoneKind::Credited | DoneKind::Corrected { .. });
        let cancellable = || {
            let mut past = self.screen.history.iter();
            past.any(|past| done.orders.contains(&past.order) && past.cancellable)
        };
        let can_undo = (is_goods || is_top_up) && done.tag.is_some() && cancellable();
        let pieces = |sign: i32| {
            let over = done.deposits.iter().map(|(_, pieces)| pieces.saturating_mul(sign));
            over.filter(|pieces| *pieces > 0).fold(0, i32::saturating_add)
        };
        Done {
            kind,
            total: done.total.0.saturating_abs(),
            band: done.tag.map(last_four),
            left: done.left.map(|left| left.amount.0),
            left_as_of_ms: done.left.and_then(|left| left.as_of_ms).map(millis),
            settled: done.settles.map(|settles| settles.settled.0),
            owed: done.settles.map(|settles| settles.left.0).filter(|owed| *owed != 0),
            vouchers: self.units(&done.vouchers),
            vouchers_left: self.units(&done.vouchers_left),
            cups_out: pieces(1),
            cups_back: pieces(-1),
            change: self
                .given
                .filter(|_| is_top_up)
                .and_then(|given| given.minus(done.total).ok())
                .or(Some(done.change).filter(|change| change.is_positive()))
                .map(|change| change.0),
            at_ms: millis(done.at_ms),
            can_undo,
            can_correct: can_undo && is_goods,
            receipt: done
                .orders
                .first()
                .filter(|_| done.kind.is_for_a_guest() && !self.screen.training)
                .map(ToString::to_string),
        }
    }

    /// Articles without one piece of which the money is enough.
    fn enough_without(self, missing: Amount) -> Vec<EnoughWithout> {
        let (Some(cart), Some(config)) = (&self.screen.cart, self.config) else {
            return Vec::new();
        };
        if !matches!(cart.kind, screen::CartKind::Sale | screen::CartKind::Correct { .. }) {
            return Vec::new();
        }
        let frees = |line: &CartLine| {
            let article = config.articles.get(&line.article)?;
            let price = line.free_price.or(article.price)?;
            let piece = price.plus(config.deposit_with(article)).ok()?;
            (line.quantity > 0 && piece >= missing).then(|| EnoughWithout {
                article: number(article.id),
                name: self.language.of(&article.name).to_owned(),
            })
        };
        cart.lines.iter().filter_map(frees).collect()
    }

    pub fn refusal(self, refusal: &screen::Refusal) -> Refusal {
        match refusal {
            screen::Refusal::Purse(why) => purse(*why),
            screen::Refusal::BalanceTooLow { missing, has } => Refusal::TooLow {
                missing: missing.0,
                has: has.amount.0,
                as_of_ms: has.as_of_ms.map(millis),
                enough_without: self.enough_without(*missing),
                second_band: self
                    .screen
                    .cart
                    .as_ref()
                    .is_some_and(|cart| matches!(cart.kind, screen::CartKind::Sale) && !cart.settling),
            },
            screen::Refusal::OfflineLimit { limit, possible } => {
                let possible = possible.0;
                match limit {
                    OfflineLimit::Order => Refusal::OfflineOrder { possible },
                    OfflineLimit::Tag => Refusal::OfflineBand { possible },
                    OfflineLimit::UnknownTag => Refusal::OfflineUnknownBand { possible },
                    OfflineLimit::Terminal => Refusal::OfflinePhone { possible },
                    OfflineLimit::PayOut => Refusal::OfflinePayOut { possible },
                }
            }
            screen::Refusal::Blocked(why) => Refusal::Blocked { reason: reason(*why) },
            screen::Refusal::SeveralWristbands => Refusal::SeveralBands,
            screen::Refusal::NotAWristband => Refusal::NotOurs,
            screen::Refusal::OtherWristband => Refusal::OtherBand,
            screen::Refusal::SameWristband => Refusal::SameBand,
            screen::Refusal::LoggedOut => Refusal::LoggedOut,
            screen::Refusal::UnknownStaff => Refusal::UnknownStaff,
            screen::Refusal::NotStaff => Refusal::NotStaff,
            screen::Refusal::PinLocked { wait_ms } => Refusal::PinLocked {
                minutes: count(wait_ms.div_ceil(60_000)),
            },
            screen::Refusal::ParkedAlready => Refusal::ParkedAlready,
            screen::Refusal::Locked => Refusal::Locked,
            screen::Refusal::NotPermitted => Refusal::NotPermitted,
            screen::Refusal::CurrencyNotHere(_) => Refusal::CurrencyNotHere,
            screen::Refusal::ForeignAmount { asset, needed } => Refusal::ForeignTooLittle {
                code: self.code(*asset),
                needed: needed.0,
            },
            screen::Refusal::TenderNotHere(kind) => Refusal::TenderNotHere { tender: tender(*kind) },
            screen::Refusal::OnlineOnly => Refusal::OnlineOnly,
            screen::Refusal::Busy => Refusal::Busy,
            screen::Refusal::CartOpen => Refusal::CartOpen,
            screen::Refusal::CartEmpty => Refusal::CartEmpty,
            screen::Refusal::CartFull => Refusal::CartFull,
            screen::Refusal::UnknownArticle(_) => Refusal::UnknownArticle,
            screen::Refusal::Price(_) => Refusal::Price,
            screen::Refusal::NotReturnable(_) => Refusal::NotReturnable,
            screen::Refusal::TooManyReturns { max } => Refusal::TooManyReturns { max: count(*max) },
            screen::Refusal::TopUpRange { min, max } => Refusal::TopUpRange { min: min.0, max: max.0 },
            screen::Refusal::BalanceCeiling { possible } => Refusal::Ceiling { possible: possible.0 },
            screen::Refusal::NoSuchOrder => Refusal::NoSuchOrder,
            screen::Refusal::TakenBack => Refusal::TakenBack,
            screen::Refusal::TooLate => Refusal::TooLate,
            screen::Refusal::NotCancellable => Refusal::NotCancellable,
            screen::Refusal::Overflow => Refusal::Overflow,
            screen::Refusal::Storage(StorageFault::Full) => Refusal::StorageFull,
            screen::Refusal::Storage(StorageFault::Io | StorageFault::Conflict) => Refusal::Storage,
            screen::Refusal::SplitTimeout => Refusal::SplitTimeout,
            screen::Refusal::DrawerOpen => Refusal::DrawerOpen,
            screen::Refusal::DrawerClosed => Refusal::DrawerClosed,
            screen::Refusal::DrawerAmount => Refusal::DrawerAmount,
            screen::Refusal::HoldOldFirst => Refusal::HoldOldFirst,
            screen::Refusal::SwapSame => Refusal::SwapSame,
            screen::Refusal::BandInUse => Refusal::BandInUse,
            screen::Refusal::OfCrew => Refusal::OfCrew,
            screen::Refusal::NoCopy => Refusal::NoCopy,
            screen::Refusal::OwnCopy => Refusal::OwnCopy,
            screen::Refusal::CopyTooLarge => Refusal::CopyTooLarge,
            screen::Refusal::CopiesWait => Refusal::CopiesWait,
            screen::Refusal::Unsent { entries, orders, total } => Refusal::Unsent {
                orders: if *orders == 0 { count(*entries) } else { count(*orders) },
                total: total.0,
            },
        }
    }
}

fn purse(why: PurseRefusal) -> Refusal {
    match why {
        PurseRefusal::Left => Refusal::TooQuick,
        PurseRefusal::HoldSame => Refusal::HoldSame,
        PurseRefusal::Unknown => Refusal::AskBooks,
        PurseRefusal::NoKey => Refusal::NoKey,
        PurseRefusal::UnknownBatch { .. } => Refusal::OtherBatch,
        PurseRefusal::Forged => Refusal::Forged,
        PurseRefusal::SetBack => Refusal::SetBack,
        PurseRefusal::Damaged => Refusal::Damaged,
        PurseRefusal::Full => Refusal::FullBand,
        PurseRefusal::Frozen => Refusal::Frozen,
        PurseRefusal::Step { unit } => Refusal::Step { unit: i32::from(unit) },
        PurseRefusal::Vouchers => Refusal::PurseVouchers,
        PurseRefusal::NoSplit => Refusal::NoSplit,
    }
}

fn reason(reason: BlockReason) -> Blocked {
    match reason {
        BlockReason::Blocked | BlockReason::Other(_) => Blocked::Blocked,
        BlockReason::Lost => Blocked::Lost,
        BlockReason::Replaced => Blocked::Replaced,
        BlockReason::Overdrawn => Blocked::Overdrawn,
    }
}

fn tender(kind: TenderKind) -> Tender {
    match kind {
        TenderKind::Wristband => Tender::Wristband,
        TenderKind::Cash => Tender::Cash,
        TenderKind::Card => Tender::Card,
        TenderKind::Voucher => Tender::Voucher,
    }
}
