//! Small shops for tests of prices: three kinds of lent things, three vouchers, three taxpayers, and goods as a test wants them.

use shared_protocol::catalogue::{
    Article, ArticleKind, Asset, FiscalClass, TaxDefinition, Taxpayer, Text, VoucherPrice,
};
use shared_protocol::config::{Config, Event, Item};
use shared_protocol::stream::Version;
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{Amount, ArticleId, AssetId, EventId, OrganisationId, TaxpayerId};

/// How many lent things there are: articles 1 to this.
pub const DEPOSITS: u8 = 3;
/// What they cost.
const DEPOSIT_CENTS: [i64; 3] = [200, 100, 25];
/// How many vouchers there are: assets 1 (a discount), 2 and 3 (means of payment).
pub const VOUCHERS: u8 = 3;
/// The number of the first goods.
pub const FIRST_ARTICLE: u32 = 100;

const TAXES: [TaxDefinition; 3] = [
    TaxDefinition {
        key: TaxKey::GENERAL,
        rate: TaxRate(1_900),
    },
    TaxDefinition {
        key: TaxKey::REDUCED,
        rate: TaxRate(700),
    },
    TaxDefinition {
        key: TaxKey::NOT_TAXABLE,
        rate: TaxRate::ZERO,
    },
];

/// Something to sell.
#[derive(Debug, Clone, Copy)]
pub struct Goods {
    /// Cents; none is a free price.
    pub price: Option<i64>,
    /// 0 is 19 %, 1 is 7 %, 2 is nothing.
    pub tax: u8,
    /// 1 to 3.
    pub taxpayer: u16,
    /// 0 to 2: which lent thing comes with it.
    pub deposit: Option<u8>,
    /// Which voucher buys it, and how many of it.
    pub voucher: Option<(u16, u32)>,
}

fn asset(id: u16, fiscal: FiscalClass) -> Item {
    let item = Asset {
        id: AssetId(id),
        code: format!("V{id}"),
        name: Text::same("voucher"),
        scale: 0,
        transferable: false,
        refundable: false,
        fiscal,
        expires: false,
        holder_ceiling: None,
        value: None,
    };
    Item::Asset { item }
}

/// A shop with these goods, numbered from [`FIRST_ARTICLE`].
pub fn shop(goods: &[Goods]) -> Config {
    let taxpayer = |id| {
        let item = Taxpayer {
            id: TaxpayerId(id),
            name: String::new(),
            tax_number: String::new(),
            address: None,
        };
        Item::Taxpayer { item }
    };
    let mut items = vec![
        Item::Event {
            item: Event::new(OrganisationId([1; 16]), EventId([2; 16]), Text::same("shop")),
        },
        asset(1, FiscalClass::None),
        asset(2, FiscalClass::MultiPurpose),
        asset(3, FiscalClass::SinglePurpose),
    ];
    items.extend((1..=3).map(taxpayer));
    items.extend(TAXES.map(|item| Item::Tax { item }));
    let mut number = 0;
    items.extend(DEPOSIT_CENTS.map(|cents| {
        number += 1;
        let item = Article {
            id: ArticleId(number),
            name: Text::same("lent"),
            kind: ArticleKind::Deposit,
            taxpayer: TaxpayerId(1),
            price: Some(Amount(cents)),
            tax: TaxKey::GENERAL,
            deposit: None,
            vouchers: None,
            min_age: 0,
        };
        Item::Article { item }
    }));
    number = FIRST_ARTICLE;
    items.extend(goods.iter().map(|goods| {
        let item = Article {
            id: ArticleId(number),
            name: Text::same("goods"),
            kind: ArticleKind::Goods,
            taxpayer: TaxpayerId(goods.taxpayer),
            price: goods.price.map(Amount),
            tax: TAXES[usize::from(goods.tax)].key,
            deposit: goods.deposit.map(|deposit| ArticleId(u32::from(deposit) + 1)),
            vouchers: goods.voucher.map(|(asset, units)| VoucherPrice {
                asset: AssetId(asset),
                units,
            }),
            min_age: 0,
        };
        number += 1;
        Item::Article { item }
    }));
    Config::from_items(Version { generation: 1, rev: 1 }, items).expect("a shop without holes")
}
