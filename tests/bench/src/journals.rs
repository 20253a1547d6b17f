//! Tills on paper that sell three-line orders as fast as somebody takes them.

use std::collections::BTreeMap;

use fixtures::paper::PaperTill;
use fixtures::sample::{self, CUP};
use shared_protocol::catalogue::ArticleKind;
use shared_protocol::chain::{SignedHead, link};
use shared_protocol::crypto::{Ed25519Signer, Hash32, PublicKey, Signer as _};
use shared_protocol::entry::{Entry, EntryKind};
use shared_protocol::ids::Bytes;
use shared_protocol::message::{Authorise, Push};
use shared_protocol::order::{Line, LineKind, Order, OrderKind, Permission, Tender, TenderKind};
use shared_protocol::wristband::{CHAIN_DESK, PurseMove, PurseTotals};
use shared_protocol::{
    Amount, ArticleId, BootId, CartId, HoldId, OrderId, RequestId, SessionId, TagId, TillId, encode,
};

/// Money that no measured run spends.
const FUNDS_CENTS: i64 = 100_000_000;

/// What is put onto a purse: the whole chain of the desks, in the steps of the proposed settings.
const CHIP_UNITS: u16 = 8_000;
const CHIP_UNIT_CENTS: i64 = 50;

/// Wristbands over which orders are spread.
pub const WRISTBANDS: u32 = 2_000;

/// Top-ups in one frame.
const FUNDED_AT_ONCE: u32 = 50;

/// Purses of wristbands as their chips would have them, whichever till they are held at.
pub struct Purses {
    pub batch: u16,
    totals: BTreeMap<TagId, PurseTotals>,
}

impl Purses {
    /// Fresh ones.
    pub const fn new(batch: u16) -> Self {
        Self {
            batch,
            totals: BTreeMap::new(),
        }
    }

    /// Something is added to what a wristband holds.
    fn moved(&mut self, tag: TagId, debited: u32, desk_units: u16) -> PurseMove {
        let totals = self.totals.entry(tag).or_default();
        let before = *totals;
        totals.debited += debited;
        totals.credited[CHAIN_DESK] += desk_units;
        PurseMove {
            batch: self.batch,
            before,
            after: *totals,
            record: None,
        }
    }
}

/// Tills of the sample festival that sell.
pub fn tills(count: usize) -> Vec<TillId> {
    let config = sample::config();
    let sells = |till: &&shared_protocol::catalogue::Till| till.order_kinds.contains(&OrderKind::Sale);
    let ids: Vec<TillId> = config.tills.values().filter(sells).map(|till| till.id).collect();
    ids.into_iter().cycle().take(count).collect()
}

/// The next order of a till, before it is written.
pub struct Due {
    order: Order,
    tag: TagId,
    amount: Amount,
}

impl Due {
    /// The question whether its wristband can pay.
    pub fn question(&self) -> Authorise {
        Authorise {
            request: RequestId(self.order.id.0),
            cart: self.order.cart,
            tag: self.tag,
            amount: self.amount,
        }
    }
}

/// A journal that grows by orders and forgets what was handed out, so that memory stays small however long it runs.
pub struct Seller {
    pub till: PaperTill,
    signer: Ed25519Signer,
    lines: Vec<Line>,
    due: Amount,
    next_tag: u32,
    seq: u64,
    head: Hash32,
    unsent: Vec<Bytes>,
    unsent_after: Hash32,
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
        let order = paper
            .clone()
            .cart(sample::wristband(1), &cart, &BTreeMap::new(), None)
            .remove(0);
        let head = paper.head();
        let mut seller = Self {
            signer: PaperTill::signer(seed),
            till: paper,
            due: Amount::ZERO,
            lines: order.lines.into_iter().take(3).collect(),
            next_tag: index * 31,
            seq: 0,
            head,
            unsent: Vec::new(),
            unsent_after: head,
        };
        seller.due = seller.blank(0).total().unwrap_or_default();
        seller
    }

    /// It has another id now, and an empty journal.
    pub fn is_registered(&mut self) {
        (self.seq, self.head) = (0, self.till.head());
        self.unsent_after = self.head;
    }

    /// The key its journal is signed with.
    pub fn key(&self) -> PublicKey {
        self.signer.public_key()
    }

    /// The last sequence written.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    fn blank(&mut self, wall_ms: u64) -> Order {
        self.till.wall_ms = wall_ms;
        let mut order = self.till.order(OrderKind::Sale);
        let id = shared_protocol::ids::mint(wall_ms, unique(self.till.seed, self.till.next));
        (order.id, order.cart) = (OrderId(id), CartId(id));
        order.session = SessionId([self.till.seed; 16]);
        order.lines.clone_from(&self.lines);
        order
    }

    /// What the next guest wants.
    pub fn next(&mut self, wall_ms: u64) -> Due {
        self.next_tag = (self.next_tag + 1) % WRISTBANDS;
        self.next_of(sample::wristband(self.next_tag + 1), wall_ms)
    }

    fn next_of(&mut self, tag: TagId, wall_ms: u64) -> Due {
        let mut order = self.blank(wall_ms);
        order.holder = Some(tag);
        Due {
            order,
            tag,
            amount: self.due,
        }
    }

    /// Writes an order down, paid from a hold or on the till's own responsibility.
    pub fn write(&mut self, due: Due, hold: Option<HoldId>) {
        let Due { mut order, amount, .. } = due;
        let permission = if hold.is_some() {
            Permission::Held
        } else {
            Permission::OfflineKnown
        };
        order.tenders = vec![Tender {
            permission,
            hold,
            ..PaperTill::tender(TenderKind::Wristband, amount)
        }];
        self.append(&order);
    }

    /// Writes one order.
    pub fn sell(&mut self, wall_ms: u64) {
        let due = self.next(wall_ms);
        self.write(due, None);
    }

    /// Writes one order of this wristband.
    pub fn sell_to(&mut self, tag: TagId, wall_ms: u64) {
        let due = self.next_of(tag, wall_ms);
        self.write(due, None);
    }

    /// Writes one order that the wristband's own purse paid.
    pub fn sell_from(&mut self, purses: &mut Purses, wall_ms: u64) {
        let Due { mut order, tag, amount } = self.next(wall_ms);
        order.purse = Some(purses.moved(tag, u32::try_from(amount.0).unwrap_or_default(), 0));
        order.tenders = vec![Tender {
            permission: Permission::Chip,
            ..PaperTill::tender(TenderKind::Wristband, amount)
        }];
        self.append(&order);
    }

    fn append(&mut self, order: &Order) {
        let entry = Entry {
            kind: EntryKind::Order,
            boot: BootId([1; 16]),
            mono_ms: self.seq,
            wall_ms: self.till.wall_ms,
            offset_ms: self.till.offset_ms,
            body: Bytes(encode(order)),
        };
        let bytes = entry.bytes();
        self.seq += 1;
        self.head = link(&self.head, self.seq, &bytes);
        self.unsent.push(Bytes(bytes));
    }

    /// What puts money on all wristbands, frame by frame; nobody else need do it.
    pub fn funding(&mut self) -> impl Iterator<Item = Push> + use<'_> {
        (0..WRISTBANDS).step_by(FUNDED_AT_ONCE as usize).map(|from| {
            for number in from..(from + FUNDED_AT_ONCE).min(WRISTBANDS) {
                let order = self.top_up(sample::wristband(number + 1), FUNDS_CENTS);
                self.append(&order);
            }
            self.push()
        })
    }

    /// The same for purses: money goes onto the chips of all wristbands.
    pub fn chip_funding(&mut self, purses: &mut Purses) -> impl Iterator<Item = Push> {
        (0..WRISTBANDS).step_by(FUNDED_AT_ONCE as usize).map(|from| {
            for number in from..(from + FUNDED_AT_ONCE).min(WRISTBANDS) {
                let tag = sample::wristband(number + 1);
                let mut order = self.top_up(tag, i64::from(CHIP_UNITS) * CHIP_UNIT_CENTS);
                order.purse = Some(purses.moved(tag, 0, CHIP_UNITS));
                self.append(&order);
            }
            self.push()
        })
    }

    fn top_up(&mut self, tag: TagId, cents: i64) -> Order {
        let mut order = self.till.order(OrderKind::TopUp);
        order.lines = vec![PaperTill::money_line(LineKind::TopUp, 1, cents)];
        order.tenders = vec![Tender::plain(TenderKind::Cash, Amount(cents))];
        order.holder = Some(tag);
        order
    }

    /// Everything written since the last time, signed.
    pub fn push(&mut self) -> Push {
        self.push_some(usize::MAX)
    }

    /// The same, at most so many entries of what was written.
    pub fn push_some(&mut self, entries_max: usize) -> Push {
        let later = self.unsent.split_off(entries_max.min(self.unsent.len()));
        let entries = std::mem::replace(&mut self.unsent, later);
        let first_seq = self.seq + 1 - (entries.len() + self.unsent.len()) as u64;
        let previous = self.unsent_after;
        let (mut seq, mut head) = (first_seq - 1, previous);
        if self.unsent.is_empty() {
            (seq, head) = (self.seq, self.head);
        } else {
            for entry in &entries {
                seq += 1;
                head = link(&head, seq, &entry.0);
            }
        }
        self.unsent_after = head;
        let (terminal, epoch) = (self.till.id, self.till.epoch);
        #[expect(clippy::expect_used, reason = "a key in memory signs")]
        let head =
            SignedHead::sign(&self.signer, terminal, epoch.epoch, seq, head).expect("an Ed25519 key in memory signs");
        Push {
            terminal,
            epoch,
            first_seq,
            previous,
            entries,
            head,
        }
    }

    /// Entries that were written and not handed out.
    pub fn unsent(&self) -> u64 {
        self.unsent.len() as u64
    }

    /// The bytes of what was written and not handed out.
    pub fn entries(&self) -> &[Bytes] {
        &self.unsent
    }

    /// Goods of its orders.
    pub fn articles(&self) -> Vec<ArticleId> {
        let goods = self.lines.iter().filter(|line| line.kind == LineKind::Goods);
        goods.map(|line| line.article).collect()
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
