//! The configuration of an event as terminals have it: the items of [`Stream::Config`](crate::stream::Stream::Config), read into one value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalogue::{
    Article, ArticleKind, Asset, FiscalClass, Layout, Staff, Stand, TaxDefinition, Taxpayer, Text, Till,
};
use crate::ids::{ArticleId, AssetId, Bytes, EventId, OrganisationId, StaffId, StandId, TaxpayerId, TillId};
use crate::limits::AUTHORISE_TIMEOUT_MS;
use crate::money::Amount;
use crate::stream::{Change, Copy, Version};
use crate::tax::{TaxKey, TaxRate};
use crate::{DecodeError, decode, encode};

crate::closed_enum! {
    /// What an offline top-up under server authority does.
    pub enum OfflineTopUp {
        /// The money can be spent once the till has synced; screen and receipt say so.
        CreditAfterSync = 1,
        /// Only a connected till takes money in.
        OnlineOnly = 2,
    }
}

/// What a till may do without the server. All amounts in cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfflineLimits {
    /// The largest single order.
    pub order_max: Amount,
    /// How much one wristband may spend at one till before the till has synced.
    pub tag_max: Amount,
    /// How much a wristband the till knows nothing of may spend there before the till has synced.
    pub unknown_tag_max: Amount,
    /// How much a till may have taken from wristbands and not synced.
    pub terminal_max: Amount,
    /// How old a known balance may be to count as known.
    pub known_max_age_ms: u64,
    /// What a top-up does.
    pub top_up: OfflineTopUp,
    /// The largest pay-out; zero allows none.
    pub pay_out_max: Amount,
}

impl Default for OfflineLimits {
    fn default() -> Self {
        Self {
            order_max: Amount(5_000),
            tag_max: Amount(6_000),
            unknown_tag_max: Amount(2_000),
            terminal_max: Amount(200_000),
            known_max_age_ms: 24 * 60 * 60 * 1_000,
            top_up: OfflineTopUp::CreditAfterSync,
            pay_out_max: Amount::ZERO,
        }
    }
}

/// The event and its rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Whose books.
    pub organisation: OrganisationId,
    /// Its id.
    pub id: EventId,
    /// Its name.
    pub name: Text,
    /// ISO 4217 code of the event's currency.
    pub currency: String,
    /// IANA name of its time zone.
    pub time_zone: String,
    /// Minutes after local midnight at which the event day changes.
    pub day_cut_off_min: u16,
    /// What tills may do without the server.
    pub offline: OfflineLimits,
    /// How long a till waits for an authorisation.
    pub authorise_timeout_ms: u64,
    /// How long the server keeps an authorised amount for a cart.
    pub hold_lifetime_ms: u64,
    /// The smallest top-up in cents.
    pub top_up_min: Amount,
    /// The largest top-up in cents.
    pub top_up_max: Amount,
    /// The most money one wristband may hold in cents.
    pub balance_max: Amount,
    /// How long after a sale its own till may cancel it with the wristband held.
    pub cancel_window_ms: u64,
    /// Bearer goods that may come back in one order without a lead.
    pub deposit_return_max: u32,
    /// Whether a later top-up first settles what is still owed.
    pub settle_overdraft_first: bool,
}

impl Event {
    /// The rules a new event starts with.
    pub fn new(organisation: OrganisationId, id: EventId, name: Text) -> Self {
        Self {
            organisation,
            id,
            name,
            currency: "EUR".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            day_cut_off_min: 6 * 60,
            offline: OfflineLimits::default(),
            authorise_timeout_ms: AUTHORISE_TIMEOUT_MS,
            hold_lifetime_ms: 120_000,
            top_up_min: Amount(100),
            top_up_max: Amount(25_000),
            balance_max: Amount(50_000),
            cancel_window_ms: 10 * 60 * 1_000,
            deposit_return_max: 10,
            settle_overdraft_first: true,
        }
    }
}

/// Sections of the stream from here on say nothing about prices, tax, permissions or limits, so a terminal that does not know them sells without
/// them. A new item that changes what is charged goes below: a terminal that does not know it keeps the configuration it has and says so.
pub const OPTIONAL_SECTIONS: u8 = 0x80;

/// One item of the configuration. The order of the variants is the wire's; new ones are appended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// The event.
    Event {
        /// Its content.
        item: Event,
    },
    /// An asset.
    Asset {
        /// Its content.
        item: Asset,
    },
    /// A taxpayer.
    Taxpayer {
        /// Its content.
        item: Taxpayer,
    },
    /// A tax key.
    Tax {
        /// Its content.
        item: TaxDefinition,
    },
    /// An article.
    Article {
        /// Its content.
        item: Article,
    },
    /// A stand.
    Stand {
        /// Its content.
        item: Stand,
    },
    /// A till.
    Till {
        /// Its content.
        item: Till,
    },
    /// A layout.
    Layout {
        /// Its content.
        item: Layout,
    },
    /// A member of staff.
    Staff {
        /// Its content.
        item: Staff,
    },
}

impl Item {
    /// The key in the stream: a section byte and the number, so that items of a section lie together.
    pub fn key(&self) -> Vec<u8> {
        let (section, number) = match self {
            Self::Event { .. } => (0, 0),
            Self::Asset { item } => (1, u32::from(item.id.0)),
            Self::Taxpayer { item } => (2, u32::from(item.id.0)),
            Self::Tax { item } => (3, u32::from(item.key.0)),
            Self::Article { item } => (4, item.id.0),
            Self::Stand { item } => (5, u32::from(item.id.0)),
            Self::Till { item } => (6, item.id.0),
            Self::Layout { item } => (7, u32::from(item.id)),
            Self::Staff { item } => (8, item.id.0),
        };
        std::iter::once(section).chain(number.to_be_bytes()).collect()
    }

    /// The change that puts this item.
    pub fn change(&self) -> Change {
        Change {
            key: Bytes(self.key()),
            value: Some(Bytes(encode(self))),
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// An item does not decode.
    #[error("an item of the configuration cannot be read: {0}")]
    Content(#[from] DecodeError),
    /// The event itself is missing.
    #[error("the configuration has no event")]
    NoEvent,
    /// An item names another one that is not there.
    #[error("{what} names {missing}, which is not in the configuration")]
    Dangling {
        /// What names it.
        what: String,
        /// What is missing.
        missing: String,
    },
    /// A value is outside what the rules allow.
    #[error("{what}: {why}")]
    Value {
        /// Which item.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// The configuration of an event at one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Its version.
    pub version: Version,
    /// The event and its rules.
    pub event: Event,
    /// Assets by number.
    pub assets: BTreeMap<AssetId, Asset>,
    /// Taxpayers by number.
    pub taxpayers: BTreeMap<TaxpayerId, Taxpayer>,
    /// Rates by tax key.
    pub taxes: BTreeMap<TaxKey, TaxRate>,
    /// Articles by number.
    pub articles: BTreeMap<ArticleId, Article>,
    /// Stands by number.
    pub stands: BTreeMap<StandId, Stand>,
    /// Tills by number.
    pub tills: BTreeMap<TillId, Till>,
    /// Layouts by number.
    pub layouts: BTreeMap<u16, Layout>,
    /// Staff by number.
    pub staff: BTreeMap<StaffId, Staff>,
}

impl Config {
    /// Reads and checks the items of a stream. Sections from [`OPTIONAL_SECTIONS`] on are left out by who does not know them.
    pub fn read(copy: &Copy) -> Result<Self, ConfigError> {
        let known = copy
            .items
            .iter()
            .filter(|(key, _)| key.first().is_none_or(|section| *section < OPTIONAL_SECTIONS));
        let items = known
            .map(|(_, bytes)| decode(bytes))
            .collect::<Result<Vec<Item>, _>>()?;
        Self::from_items(copy.version, items)
    }

    /// Builds and checks a configuration.
    pub fn from_items(version: Version, items: impl IntoIterator<Item = Item>) -> Result<Self, ConfigError> {
        let mut event = None;
        let mut config = Self {
            version,
            event: Event::new(OrganisationId([0; 16]), EventId([0; 16]), Text::same("")),
            assets: BTreeMap::new(),
            taxpayers: BTreeMap::new(),
            taxes: BTreeMap::new(),
            articles: BTreeMap::new(),
            stands: BTreeMap::new(),
            tills: BTreeMap::new(),
            layouts: BTreeMap::new(),
            staff: BTreeMap::new(),
        };
        for item in items {
            match item {
                Item::Event { item } => event = Some(item),
                Item::Asset { item } => drop(config.assets.insert(item.id, item)),
                Item::Taxpayer { item } => drop(config.taxpayers.insert(item.id, item)),
                Item::Tax { item } => drop(config.taxes.insert(item.key, item.rate)),
                Item::Article { item } => drop(config.articles.insert(item.id, item)),
                Item::Stand { item } => drop(config.stands.insert(item.id, item)),
                Item::Till { item } => drop(config.tills.insert(item.id, item)),
                Item::Layout { item } => drop(config.layouts.insert(item.id, item)),
                Item::Staff { item } => drop(config.staff.insert(item.id, item)),
            }
        }
        config.event = event.ok_or(ConfigError::NoEvent)?;
        config.check()?;
        Ok(config)
    }

    /// All items, as they are put into the stream.
    pub fn items(&self) -> Vec<Item> {
        let mut items = vec![Item::Event {
            item: self.event.clone(),
        }];
        items.extend(self.assets.values().cloned().map(|item| Item::Asset { item }));
        items.extend(self.taxpayers.values().cloned().map(|item| Item::Taxpayer { item }));
        items.extend(self.taxes.iter().map(|(key, rate)| Item::Tax {
            item: TaxDefinition { key: *key, rate: *rate },
        }));
        items.extend(self.articles.values().cloned().map(|item| Item::Article { item }));
        items.extend(self.stands.values().cloned().map(|item| Item::Stand { item }));
        items.extend(self.tills.values().cloned().map(|item| Item::Till { item }));
        items.extend(self.layouts.values().cloned().map(|item| Item::Layout { item }));
        items.extend(self.staff.values().cloned().map(|item| Item::Staff { item }));
        items
    }

    /// The deposit that comes with one piece of an article.
    pub fn deposit_with(&self, article: &Article) -> Amount {
        let deposit = article.deposit.and_then(|deposit| self.articles.get(&deposit)?.price);
        deposit.unwrap_or_default()
    }

    /// Whose stand a till belongs to.
    pub fn home_taxpayer(&self, till: TillId) -> Option<TaxpayerId> {
        self.stands
            .get(&self.tills.get(&till)?.stand)
            .map(|stand| stand.taxpayer)
    }

    /// Whether everything that is named is there and every value is usable.
    fn check(&self) -> Result<(), ConfigError> {
        let dangling = |what: String, missing: String| Err(ConfigError::Dangling { what, missing });
        for (id, asset) in &self.assets {
            if asset.scale > 9 {
                return Err(ConfigError::Value {
                    what: format!("asset {id}"),
                    why: "at most 9 decimal places",
                });
            }
            let same_code = |other: &Asset| other.id != asset.id && other.code == asset.code;
            let twice = asset.fiscal == FiscalClass::ForeignMoney && self.assets.values().any(same_code);
            let checked = if twice {
                Err("another asset has this currency's code")
            } else {
                crate::currency::check(asset, &self.event.currency)
            };
            checked.map_err(|why| ConfigError::Value {
                what: format!("asset {id}"),
                why,
            })?;
        }
        for (id, article) in &self.articles {
            let what = || format!("article {id}");
            if !self.taxpayers.contains_key(&article.taxpayer) {
                return dangling(what(), format!("taxpayer {}", article.taxpayer));
            }
            if !self.taxes.contains_key(&article.tax) {
                return dangling(what(), format!("tax key {}", article.tax.0));
            }
            if article.price.is_some_and(Amount::is_negative) {
                return Err(ConfigError::Value {
                    what: what(),
                    why: "a price is not below zero",
                });
            }
            let plain = article.price.is_none() && article.deposit.is_none() && article.vouchers.is_none();
            if article.kind == ArticleKind::Tip && !plain {
                return Err(ConfigError::Value {
                    what: what(),
                    why: "a tip has no price, no deposit and costs no vouchers: the guest says how much",
                });
            }
            if let Some(deposit) = article.deposit {
                match self.articles.get(&deposit) {
                    Some(found) if found.kind == ArticleKind::Deposit && found.price.is_some() => {}
                    _ => return dangling(what(), format!("deposit article {deposit} with a price")),
                }
            }
            if let Some(price) = article.vouchers {
                let asset = self.assets.get(&price.asset);
                let money = [FiscalClass::Money, FiscalClass::Deposit, FiscalClass::ForeignMoney];
                if asset.is_none_or(|asset| money.contains(&asset.fiscal)) {
                    return dangling(what(), format!("voucher asset {}", price.asset));
                }
                if price.units == 0 || article.price.is_none() {
                    return Err(ConfigError::Value {
                        what: what(),
                        why: "vouchers need a fixed price and at least one unit",
                    });
                }
            }
        }
        for (id, stand) in &self.stands {
            if !self.taxpayers.contains_key(&stand.taxpayer) {
                return dangling(format!("stand {id}"), format!("taxpayer {}", stand.taxpayer));
            }
        }
        for (id, till) in &self.tills {
            if !self.stands.contains_key(&till.stand) {
                return dangling(format!("till {id}"), format!("stand {}", till.stand));
            }
            if !self.layouts.contains_key(&till.layout) {
                return dangling(format!("till {id}"), format!("layout {}", till.layout));
            }
        }
        for (id, layout) in &self.layouts {
            if let Some(article) = layout
                .tiles
                .iter()
                .chain(&layout.deposit_row)
                .find(|article| !self.articles.contains_key(article))
            {
                return dangling(format!("layout {id}"), format!("article {article}"));
            }
        }
        Ok(())
    }
}
