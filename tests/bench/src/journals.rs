//! Tills on paper that sell three-line orders as fast as somebody takes them.

use fixtures::paper::PaperTill;
use fixtures::sample::{self, CUP};
use shared_protocol::catalogue::ArticleKind;
use shared_protocol::message::Push;
use shared_protocol::order::{Line, LineKind, OrderKind, Permission, Tender, TenderKind};
use shared_protocol::{Amount, TagId, TillId};

/// Money that no measured run spends.
const FUNDS_CENTS: i64 = 100_000_000;

/// Wristbands over which orders are spread.
pub const WRISTBANDS: u32 = 2_000;

/// Tills of the sample festival that sell.
pub fn tills(count: usize) -> Vec<TillId> {
    let config = sample::config();
    let sells = |till: &&shared_protocol::catalogue::Till| till.order_kinds.contains(&OrderKind::Sale);
    let ids: Vec<TillId> = config.tills.values().filter(sells).map(|till| till.id).collect();
    ids.into_iter().cycle().take(count).collect()
}

/// A journal that grows by orders.
pub struct Seller {
    pub till: PaperTill,
    lines: Vec<Line>,
    next_tag: u32,
}

impl Seller {
    /// A till whose orders have two kinds of goods and a deposit.
    pub fn new(till: TillId, seed: u8, index: u32) -> Self {
        let paper = PaperTill::new(till, seed);
        let home = paper.config.home_taxpayer(till);
        let goods = paper.config.articles.values().filter(|article| {
            article.kind == ArticleKind::Goods
                && Some(article.taxpayer) == home
                && article.price.is_some()
                && article.deposit.is_none_or(|deposit| deposit == CUP)
        });
        let cart: Vec<_> = goods.take(2).map(|article| (article.id, 1)).chain([(CUP, 2)]).collect();
        let mut probe = paper.clone();
        let order = probe
            .cart(sample::wristband(1), &cart, &std::collections::BTreeMap::new(), None)
            .remove(0);
        let lines: Vec<Line> = order.lines.into_iter().take(3).collect();
        Self {
            till: paper,
            lines,
            next_tag: index * 31,
        }
    }

    /// Writes one order. Gives its wristband and what it costs.
    pub fn sell(&mut self, wall_ms: u64) -> (TagId, Amount) {
        self.next_tag = (self.next_tag + 1) % WRISTBANDS;
        let tag = sample::wristband(self.next_tag + 1);
        self.till.wall_ms = wall_ms;
        let mut order = self.till.order(OrderKind::Sale);
        order.id = shared_protocol::OrderId(shared_protocol::ids::mint(
            wall_ms,
            unique(self.till.seed, self.till.next),
        ));
        order.holder = Some(tag);
        order.lines.clone_from(&self.lines);
        let due = order.total().unwrap_or_default();
        order.tenders = vec![Tender {
            permission: Permission::OfflineKnown,
            ..PaperTill::tender(TenderKind::Wristband, due)
        }];
        self.till.append(&order);
        (tag, due)
    }

    /// Funds for wristbands, by this till: a share of all of them.
    pub fn fund(&mut self, from: u32, to: u32) {
        for number in from..to {
            self.till.top_up(sample::wristband(number + 1), FUNDS_CENTS);
        }
    }

    /// The entries from a sequence on, signed; what was handed out before is forgotten, so that memory stays small.
    pub fn push(&mut self, first_seq: u64) -> Push {
        self.till.push_from(first_seq)
    }

    /// How many lines an order has.
    pub fn line_count(&self) -> usize {
        self.lines
            .iter()
            .filter(|line| matches!(line.kind, LineKind::Goods | LineKind::Deposit))
            .count()
    }
}

fn unique(seed: u8, number: u64) -> [u8; 10] {
    let mut bytes = [seed; 10];
    bytes
        .iter_mut()
        .zip(number.to_be_bytes())
        .for_each(|(to, from)| *to ^= from);
    bytes
}
