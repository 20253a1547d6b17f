//! The catalogue of an event: assets, taxpayers, articles, stands, tills and their layouts, staff.

use serde::{Deserialize, Serialize};

use crate::ids::{ArticleId, AssetId, StaffId, StandId, TagId, TaxpayerId, TillId};
use crate::money::Amount;
use crate::order::{OrderKind, TenderKind};
use crate::tax::{TaxKey, TaxRate};

/// A name that people see, in both languages of the product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Text {
    /// German.
    pub de: String,
    /// English.
    pub en: String,
}

impl Text {
    /// The same word in both languages.
    pub fn same(word: &str) -> Self {
        Self {
            de: word.to_owned(),
            en: word.to_owned(),
        }
    }

    /// Two words.
    pub fn new(de: &str, en: &str) -> Self {
        Self {
            de: de.to_owned(),
            en: en.to_owned(),
        }
    }
}

crate::closed_enum! {
    /// What an asset is to the tax office.
    pub enum FiscalClass {
        /// Legal tender credit: euros.
        Money = 0,
        /// Nothing of the kind: points, crew drink tokens given for free. Redeeming is a discount.
        None = 1,
        /// Einzweck-Gutschein (§ 3 Abs. 14 UStG): taxed when issued. Redeeming is a means of payment.
        SinglePurpose = 2,
        /// Mehrzweck-Gutschein (§ 3 Abs. 15 UStG): taxed when redeemed. Redeeming is a means of payment.
        MultiPurpose = 3,
        /// A deposit for bearer goods.
        Deposit = 4,
        /// Cash in another currency than the event's ([`currency`](crate::currency)).
        ForeignMoney = 5,
    }
}

impl FiscalClass {
    /// Whether a voucher of this class pays (true) or takes something off the price (false).
    pub const fn is_means_of_payment(self) -> bool {
        matches!(self, Self::SinglePurpose | Self::MultiPurpose)
    }
}

/// Something of value that accounts can hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// Its number; [`AssetId::EURO`] is the event's currency.
    pub id: AssetId,
    /// Short code for reports: `EUR`, `DRINK`, `PTS`.
    pub code: String,
    /// Its name.
    pub name: Text,
    /// Decimal places of one whole unit, 0 to 9.
    pub scale: u8,
    /// Whether a holder may give it to another.
    pub transferable: bool,
    /// Whether the rest is paid back at the end.
    pub refundable: bool,
    /// What it is to the tax office.
    pub fiscal: FiscalClass,
    /// Whether units have an end of validity.
    pub expires: bool,
    /// The most one wristband may hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder_ceiling: Option<Amount>,
    /// Of a foreign currency: what one whole unit counts as, in millionths of the event's unit; of nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u32>,
}

/// A business with its own tax number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taxpayer {
    /// Its number.
    pub id: TaxpayerId,
    /// Its name as on receipts.
    pub name: String,
    /// Its tax number (`Steuernummer`) or VAT id.
    pub tax_number: String,
    /// Where it has its seat, as receipts have to say (§ 6 `KassenSichV`, number 1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub street: String,
    /// Postcode.
    pub postcode: String,
    /// Town.
    pub town: String,
}

/// A tax key and the rate it stands for at this event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxDefinition {
    /// The key.
    pub key: TaxKey,
    /// The rate.
    pub rate: TaxRate,
}

/// What an article costs in vouchers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoucherPrice {
    /// Which voucher.
    pub asset: AssetId,
    /// How many pay for one piece, above zero.
    pub units: u32,
}

crate::closed_enum! {
    /// What kind of article it is.
    pub enum ArticleKind {
        /// Goods or a service.
        Goods = 1,
        /// A bearer good that is lent against a deposit: cup, tray.
        Deposit = 2,
        /// What a guest gives on top, at a price that the guest says. Its tax key says whose it is ([`TipFor`](crate::order::TipFor)). A till
        /// offers tips when such an article is among the tiles of its layout.
        Tip = 3,
    }
}

/// Something that is sold or lent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Article {
    /// Its number.
    pub id: ArticleId,
    /// Its name.
    pub name: Text,
    /// What kind it is.
    pub kind: ArticleKind,
    /// Whose sale it is.
    pub taxpayer: TaxpayerId,
    /// Gross price of one piece in cents; none is a free price, typed in by the cashier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Amount>,
    /// Its tax key.
    pub tax: TaxKey,
    /// The deposit article that comes with each piece.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<ArticleId>,
    /// What one piece costs in vouchers; none means vouchers do not buy it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouchers: Option<VoucherPrice>,
    /// From which age it may be sold (0, 16 or 18 in Germany, § 9 `JuSchG`).
    pub min_age: u8,
}

crate::closed_enum! {
    /// What a stand does.
    pub enum StandKind {
        /// Drinks.
        Bar = 1,
        /// Food.
        Food = 2,
        /// Money in and out.
        TopUp = 3,
        /// Entry and wristbands.
        Entry = 4,
        /// Anything else that sells.
        Shop = 5,
    }
}

/// A stand of the event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// Its number.
    pub id: StandId,
    /// Its name on the map.
    pub name: Text,
    /// What it does.
    pub kind: StandKind,
    /// Whose stand it is: bearer goods that come back without a sale come back to this taxpayer.
    pub taxpayer: TaxpayerId,
}

/// A till: a place a terminal is registered for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Till {
    /// Its number.
    pub id: TillId,
    /// Where it stands.
    pub stand: StandId,
    /// Its name, as on its label.
    pub name: String,
    /// Which layout its screen has.
    pub layout: u16,
    /// What may be booked here. With [`OrderKind::Shift`] among them, whoever logs in or out has a TSE told of it, with
    /// [`OrderKind::Training`] whoever practises.
    pub order_kinds: Vec<OrderKind>,
    /// How guests may pay here.
    pub tenders: Vec<TenderKind>,
}

/// What a till's screen shows, in reading order. Positions never change while a cart is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Its number.
    pub id: u16,
    /// Its name.
    pub name: Text,
    /// Article tiles.
    pub tiles: Vec<ArticleId>,
    /// The fixed bottom row: bearer goods that come back.
    pub deposit_row: Vec<ArticleId>,
}

crate::closed_enum! {
    /// What somebody is at the festival. What they may book is in [`Staff::order_kinds`]; the role says which pages a device begins with, and
    /// who may help where a device refuses.
    pub enum Role {
        /// Sells.
        Cashier = 1,
        /// Takes money in and pays it out.
        TopUp = 2,
        /// Leads a stand (`Standleitung`).
        Lead = 3,
        /// Looks after the money.
        Finance = 4,
        /// May do everything.
        Admin = 5,
    }
}

impl Role {
    /// Whether this person helps others at their devices: a PIN that was typed wrong too often may be typed again after they were here.
    pub const fn helps_others(self) -> bool {
        matches!(self, Self::Lead | Self::Admin)
    }
}

crate::open_enum! {
    /// What a person reads best.
    pub enum Language {
        /// German.
        German = 1,
        /// English.
        English = 2,
    }
}

/// Somebody who works at tills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// Its number.
    pub id: StaffId,
    /// The name shown on the till.
    pub name: String,
    /// What this person may book; [`may_book`](Self::may_book) says it.
    pub order_kinds: Vec<OrderKind>,
    /// The wristband that logs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<TagId>,
    /// What this person is; none is a cashier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The hash of the PIN that is asked for when this person logs in: an argon2id string in PHC form. None asks for no PIN. Four digits are
    /// tried in minutes by whoever has the hash, so it keeps a found wristband from being used and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
    /// What the screen speaks while this person is logged in; none is as the device is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

impl Staff {
    /// Whether this person may book such an order. Whoever works at a till begins and ends a shift there, and practises; they need no leave for it.
    pub fn may_book(&self, kind: OrderKind) -> bool {
        matches!(kind, OrderKind::Shift | OrderKind::Training) || self.order_kinds.contains(&kind)
    }
}
