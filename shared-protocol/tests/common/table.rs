//! The golden table of prices: its shop, its cases, and orders written as the table writes them.

use std::collections::BTreeMap;

use shared_protocol::catalogue::{
    Article, ArticleKind, Asset, FiscalClass, TaxDefinition, Taxpayer, Text, VoucherPrice,
};
use shared_protocol::config::{Config, Event, Item};
use shared_protocol::order::{Line, LineKind};
use shared_protocol::pricing::{CartLine, Priced, PricingError};
use shared_protocol::stream::Version;
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{Amount, ArticleId, AssetId, EventId, OrganisationId, TaxpayerId};

/// One case.
pub struct Case {
    /// What it shows.
    pub name: String,
    /// Whose stand it is.
    pub home: TaxpayerId,
    /// What is typed in.
    pub cart: Vec<CartLine>,
    /// What the guest has.
    pub owned: BTreeMap<AssetId, u32>,
    /// What comes out, line by line.
    pub expected: Vec<String>,
}

/// The table.
pub struct Table {
    /// Its shop.
    pub config: Config,
    /// Its cases.
    pub cases: Vec<Case>,
    articles: BTreeMap<String, ArticleId>,
    assets: BTreeMap<String, AssetId>,
}

/// The keys of the table's rates in percent.
const RATES: [(&str, TaxKey); 3] = [
    ("19", TaxKey::GENERAL),
    ("7", TaxKey::REDUCED),
    ("0", TaxKey::NOT_TAXABLE),
];

fn number<T: std::str::FromStr>(word: &str) -> T {
    word.parse().ok().unwrap_or_else(|| panic!("{word} is no number"))
}

fn key(percent: &str) -> TaxKey {
    RATES
        .iter()
        .find(|(name, _)| *name == percent)
        .map(|(_, key)| *key)
        .expect("a rate of the table")
}

fn asset(id: AssetId, name: &str, class: &str) -> Item {
    let fiscal = match (class, id.0) {
        ("discount", _) => FiscalClass::None,
        ("payment", 2) => FiscalClass::MultiPurpose,
        _ => FiscalClass::SinglePurpose,
    };
    let item = Asset {
        id,
        code: name.to_owned(),
        name: Text::same(name),
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

impl Table {
    fn article_named(&self, name: &str) -> ArticleId {
        self.articles
            .get(name)
            .copied()
            .unwrap_or_else(|| ArticleId(number(name)))
    }

    fn name_of<T: PartialEq>(names: &BTreeMap<String, T>, id: &T) -> String {
        names
            .iter()
            .find(|(_, named)| *named == id)
            .map_or("?", |(name, _)| name.as_str())
            .to_owned()
    }

    fn write_line(&self, line: &Line) -> String {
        let Line {
            quantity,
            unit_price,
            rate,
            ..
        } = line;
        let percent = rate.0 / 100;
        let name = Self::name_of(&self.articles, &line.article);
        match line.kind {
            LineKind::Discount if *quantity == -1 => format!("discount {unit_price} at {percent} %"),
            LineKind::Deposit => format!("deposit {name} {quantity} x {unit_price} at {percent} %"),
            LineKind::Tip => format!("tip {name} {quantity} x {unit_price} at {percent} %"),
            LineKind::Goods => {
                let vouchers = line.vouchers.map_or_else(String::new, |used| {
                    format!(" with {} {}", used.units, Self::name_of(&self.assets, &used.asset))
                });
                format!("goods {name} {quantity} x {unit_price} at {percent} %{vouchers}")
            }
            _ => format!("{line:?}"),
        }
    }

    /// What comes out, as the table writes it.
    pub fn write(&self, result: &Result<Vec<Priced>, PricingError>) -> Vec<String> {
        let orders = match result {
            Ok(orders) => orders,
            Err(error) => return vec![format!("refused {error}")],
        };
        let mut written = Vec::new();
        for order in orders {
            written.push(format!("order of {}", order.taxpayer));
            written.extend(order.lines.iter().map(|line| self.write_line(line)));
            let paid: Vec<String> = order
                .paid_by_vouchers
                .iter()
                .map(|(asset, (units, cents))| {
                    format!("paid {cents} by {units} {} ", Self::name_of(&self.assets, asset))
                })
                .collect();
            let due = order.due().expect("small sums");
            written.push(format!("total {} {}due {due}", order.total, paid.concat()));
        }
        written
    }
}

/// The item and the name of one line about the shop.
fn shop_item(words: &[&str], assets: &BTreeMap<String, AssetId>, articles: &BTreeMap<String, ArticleId>) -> Item {
    let article = |id: &str, kind, taxpayer, price, rate: &str| Article {
        id: ArticleId(number(id)),
        name: Text::same(words[1]),
        kind,
        taxpayer,
        price,
        tax: key(rate),
        deposit: None,
        vouchers: None,
        min_age: 0,
    };
    match words {
        ["asset", name, id, class] => asset(AssetId(number(id)), name, class),
        ["deposit", _, id, cents, rate] => {
            let item = article(
                id,
                ArticleKind::Deposit,
                TaxpayerId(1),
                Some(Amount(number(cents))),
                rate,
            );
            Item::Article { item }
        }
        ["tip", _, id, rate] => {
            let item = article(id, ArticleKind::Tip, TaxpayerId(1), None, rate);
            Item::Article { item }
        }
        ["goods", _, id, taxpayer, cents, rate, rest @ ..] => {
            let price = (*cents != "free").then(|| Amount(number(cents)));
            let mut item = article(id, ArticleKind::Goods, TaxpayerId(number(taxpayer)), price, rate);
            let mut rest = rest;
            while let [word, more @ ..] = rest {
                rest = match (*word, more) {
                    ("with", [deposit, more @ ..]) => {
                        item.deposit = Some(articles[*deposit]);
                        more
                    }
                    ("for", [units, asset, more @ ..]) => {
                        item.vouchers = Some(VoucherPrice {
                            asset: assets[*asset],
                            units: number(units),
                        });
                        more
                    }
                    _ => panic!("{words:?}"),
                };
            }
            Item::Article { item }
        }
        _ => panic!("{words:?} is neither asset, deposit, tip nor goods"),
    }
}

/// Reads the table; a line that is not understood is a panic with that line.
pub fn read(text: &str) -> Table {
    let lines: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split_whitespace().collect())
        .collect();
    let first_case = lines.iter().position(|words| words[0] == "case").expect("a case");
    let (mut assets, mut articles) = (BTreeMap::new(), BTreeMap::new());
    let event = Event::new(OrganisationId([1; 16]), EventId([2; 16]), Text::same("table"));
    let mut items = vec![Item::Event { item: event }];
    items.extend((1..=3).map(|id| {
        let item = Taxpayer {
            id: TaxpayerId(id),
            name: String::new(),
            tax_number: String::new(),
            address: None,
        };
        Item::Taxpayer { item }
    }));
    items.extend(RATES.map(|(percent, key)| {
        let item = TaxDefinition {
            key,
            rate: TaxRate(number::<u16>(percent) * 100),
        };
        Item::Tax { item }
    }));
    for words in &lines[..first_case] {
        let item = shop_item(words, &assets, &articles);
        match &item {
            Item::Asset { item } => drop(assets.insert(words[1].to_owned(), item.id)),
            Item::Article { item } => drop(articles.insert(words[1].to_owned(), item.id)),
            _ => {}
        }
        items.push(item);
    }
    let config = Config::from_items(Version { generation: 1, rev: 1 }, items).expect("a shop without holes");
    let mut table = Table {
        config,
        cases: Vec::new(),
        articles,
        assets,
    };
    for words in &lines[first_case..] {
        if let ["case", name @ ..] = words.as_slice() {
            let (cart, owned, expected) = (Vec::new(), BTreeMap::new(), Vec::new());
            table.cases.push(Case {
                name: name.join(" "),
                home: TaxpayerId(0),
                cart,
                owned,
                expected,
            });
            continue;
        }
        let line = match words.as_slice() {
            ["cart", name, quantity] => Some((table.article_named(name), number(quantity), None)),
            ["cart", name, quantity, "at", cents] => {
                Some((table.article_named(name), number(quantity), Some(Amount(number(cents)))))
            }
            _ => None,
        };
        let owned = if let ["have", name, units] = words.as_slice() {
            Some((table.assets[*name], number(units)))
        } else {
            None
        };
        let case = table.cases.last_mut().expect("a case comes first");
        match (words.as_slice(), line, owned) {
            (_, Some((article, quantity, free_price)), _) => case.cart.push(CartLine {
                article,
                quantity,
                free_price,
            }),
            (_, _, Some((asset, units))) => drop(case.owned.insert(asset, units)),
            (["home", taxpayer], ..) => case.home = TaxpayerId(number(taxpayer)),
            _ => case.expected.push(words.join(" ")),
        }
    }
    table
}
