//! Orders to store: a small festival with three tills whose orders become postings by the shortest rules that touch every kind of row.

use std::collections::BTreeMap;

use festival::{Case, CaseKind};
use ledger::{
    Account, AccountKey, Authority, Chart, Fold, Limits, Needs, Outcome, Posting, PostingId, Refusal, Transfer,
    TransferCode,
};
use shared_protocol::chain::{EpochStart, link};
use shared_protocol::crypto::{Algorithm, Hash32, PublicKey};
use shared_protocol::entry::{Entry, EntryKind, content_hash};
use shared_protocol::ids::Bytes;
use shared_protocol::message::TerminalState;
use shared_protocol::order::{Line, LineKind, Order, OrderKind, Permission, Tender, TenderKind, VoucherUse};
use shared_protocol::stream::Version;
use shared_protocol::tax::{TaxKey, TaxRate};
use shared_protocol::{
    Amount, ArticleId, AssetId, BootId, CartId, EventId, OrderId, OrganisationId, SessionId, StaffId, TagId,
    TaxpayerId, TerminalId, TillId, encode,
};

use crate::{
    Chain, ChainKey, Commit, EntryRow, EntryStatus, JournalRow, Loaded, Need, OpenCase, Store, StoreError, TerminalNo,
    TerminalRow,
};

/// The vouchers of the suite; they expire.
pub const VOUCHERS: AssetId = AssetId(1);
const POINTS: AssetId = AssetId(2);
const NOON_MS: u64 = 1_784_368_800_000;
const DAY: u32 = 20_260_718;

/// An order as it comes from a terminal.
#[derive(Debug, Clone)]
pub struct Item {
    /// Which terminal.
    pub terminal: TerminalNo,
    /// The order.
    pub order: Order,
}

/// Makes orders and decides about them.
#[derive(Debug, Clone)]
pub struct Book {
    chart: Chart,
    terminals: u32,
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

fn id(first: u8, number: u64) -> [u8; 16] {
    let mut bytes = [first; 16];
    if let Some(end) = bytes.last_chunk_mut() {
        *end = number.to_be_bytes();
    }
    bytes
}

impl Book {
    /// The event of all orders.
    pub const EVENT: EventId = EventId([0x11; 16]);
    /// Another event of the same organisation.
    pub const OTHER_EVENT: EventId = EventId([0x22; 16]);
    /// A festival with three terminals whose vouchers expire.
    pub fn new() -> Self {
        Self::with_terminals(3)
    }

    /// The same with so many terminals, numbered from 1.
    pub fn with_terminals(terminals: u32) -> Self {
        Self {
            chart: Chart {
                expiring: [VOUCHERS].into(),
                ..Chart::default()
            },
            terminals,
        }
    }

    /// A wristband by its number.
    pub fn tag(guest: u32) -> TagId {
        let [a, b, c, d] = guest.to_be_bytes();
        TagId::from_slice(&[4, a, b, c, d, 0x5e, 0x80]).expect("seven bytes are a tag")
    }

    /// A wristband's balance.
    pub fn key(guest: u32, asset: AssetId) -> AccountKey {
        let account = Account::Wristband {
            tag: Self::tag(guest),
            authority: Authority::Server,
        };
        AccountKey {
            event: Self::EVENT,
            account,
            asset,
        }
    }

    /// The main line of a terminal's first epoch.
    pub const fn main_line(terminal: u32) -> ChainKey {
        ChainKey {
            terminal: TerminalNo(terminal),
            epoch: 1,
            branch: 0,
        }
    }

    /// A registered terminal.
    pub fn terminal(no: u32) -> TerminalRow {
        TerminalRow {
            no: TerminalNo(no),
            event: Self::EVENT,
            id: TerminalId(id(0x70, u64::from(no))),
            till: TillId(no),
            key: PublicKey {
                algorithm: Algorithm::Ed25519,
                bytes: Bytes(vec![7; 32]),
            },
            state: TerminalState::Active,
            epoch: EpochStart::FIRST,
            device: format!("phone {no}"),
            registered_at_ms: NOON_MS,
        }
    }

    /// A terminal's journal without an entry.
    pub fn chain(terminal: u32) -> Chain {
        let head = EpochStart::FIRST.root(Self::terminal(terminal).id);
        Chain {
            key: Self::main_line(terminal),
            start: EpochStart::FIRST,
            first_seq: 1,
            last_seq: 0,
            head,
        }
    }

    /// Registers the terminals.
    pub fn open(&self, store: &mut impl Store) -> Result<(), StoreError> {
        let all = 1..=self.terminals;
        let terminals = all.clone().map(Self::terminal).collect();
        store.commit(&Commit {
            terminals,
            chains: all.map(Self::chain).collect(),
            ..Commit::default()
        })
    }

    fn item(&self, till: u32, number: u64, kind: OrderKind, guest: u32, line: Line, tender: TenderKind) -> Item {
        // Any number names one of the terminals.
        let terminal = TerminalNo(till % self.terminals + 1);
        let amount = line.total().expect("amounts of the suite are small");
        let tender = Tender {
            permission: Permission::OfflineKnown,
            known_balance: Some(Amount(50_00)),
            known_age_s: Some(30),
            ..Tender::plain(tender, amount)
        };
        let order = Order {
            kind,
            organisation: OrganisationId([1; 16]),
            event: Self::EVENT,
            till: TillId(terminal.0),
            cashier: StaffId(5),
            session: SessionId(id(0x5e, 1)),
            id: OrderId(id(0x0d, number)),
            cart: CartId(id(0xca, number)),
            config: Version { generation: 1, rev: 1 },
            taxpayer: TaxpayerId(1),
            closed_at_ms: NOON_MS + number,
            open_for_ms: 9_000,
            lines: vec![line],
            tenders: vec![tender],
            holder: Some(Self::tag(guest)),
            reverses: None,
            reason: None,
            group: None,
            purse: None,
            band: None,
            shift: None,
        };
        Item { terminal, order }
    }

    fn line(kind: LineKind, quantity: i32, cents: i64) -> Line {
        let (tax, rate) = (TaxKey(1), TaxRate(1_900));
        Line {
            kind,
            article: ArticleId(17),
            quantity,
            unit_price: Amount(cents),
            tax,
            rate,
            vouchers: None,
        }
    }

    /// Cash for a wristband.
    pub fn top_up(&self, till: u32, number: u64, guest: u32, cents: i64) -> Item {
        self.item(
            till,
            number,
            OrderKind::TopUp,
            guest,
            Self::line(LineKind::TopUp, 1, cents),
            TenderKind::Cash,
        )
    }

    /// Three lines of goods, paid by a wristband, that earn a point.
    pub fn sale(&self, till: u32, number: u64, guest: u32, cents: i64) -> Item {
        let mut item = self.item(
            till,
            number,
            OrderKind::Sale,
            guest,
            Self::line(LineKind::Goods, 1, cents),
            TenderKind::Wristband,
        );
        item.order
            .lines
            .extend([Self::line(LineKind::Goods, 2, 0), Self::line(LineKind::Goods, 1, 0)]);
        item
    }

    /// Goods for one voucher and no money.
    pub fn redemption(&self, till: u32, number: u64, guest: u32) -> Item {
        let mut item = self.sale(till, number, guest, 0);
        for line in item.order.lines.iter_mut().take(1) {
            line.vouchers = Some(VoucherUse {
                asset: VOUCHERS,
                units: 1,
            });
        }
        item
    }

    /// Vouchers for a wristband, all in the lot that the guest's number picks.
    pub fn grant(&self, till: u32, number: u64, guest: u32, units: u32) -> Item {
        let mut item = self.item(
            till,
            number,
            OrderKind::Grant,
            guest,
            Self::line(LineKind::Goods, 1, 0),
            TenderKind::Cash,
        );
        for line in &mut item.order.lines {
            line.vouchers = Some(VoucherUse { asset: VOUCHERS, units });
        }
        item
    }

    /// A wristband that is swapped: nothing of it is for a TSE.
    pub fn swap(&self, till: u32, number: u64, guest: u32) -> Item {
        let mut item = self.sale(till, number, guest, 0);
        item.order.kind = OrderKind::Swap;
        item.order.lines.clear();
        item.order.tenders.clear();
        item
    }

    /// An order taken back.
    pub fn cancel(&self, till: u32, number: u64, target: &Item) -> Item {
        let mut item = self.sale(till, number, 0, 0);
        item.order.kind = OrderKind::Cancel;
        item.order.holder = target.order.holder;
        item.order.reverses = Some(target.order.id);
        item
    }

    /// When the lots of an order's vouchers end.
    pub const fn lot_end_ms(number: u64) -> u64 {
        NOON_MS + 86_400_000 * (1 + number % 2)
    }

    fn transfers(order: &Order) -> Vec<Transfer> {
        let Some(tag) = order.holder else { return Vec::new() };
        let guest = Account::Wristband {
            tag,
            authority: Authority::Server,
        };
        let total = order.total().expect("amounts of the suite are small");
        let units = order
            .lines
            .iter()
            .filter_map(|line| line.vouchers)
            .map(|used| i64::from(used.units))
            .sum();
        let till = Account::Cash { till: order.till };
        let bar = Account::Payable {
            taxpayer: order.taxpayer,
        };
        let expires_at_ms = Some(Self::lot_end_ms(order.closed_at_ms));
        let euros = |from, to, code| Transfer {
            from,
            to,
            asset: AssetId::EURO,
            amount: total,
            code,
            expires_at_ms: None,
        };
        let vouchers = |from, to, code, expires_at_ms| Transfer {
            asset: VOUCHERS,
            amount: Amount(units),
            expires_at_ms,
            ..euros(from, to, code)
        };
        let mut transfers = match order.kind {
            OrderKind::TopUp => vec![euros(till, guest, TransferCode::TopUp)],
            OrderKind::Grant => vec![vouchers(Account::Issuer, guest, TransferCode::Issue, expires_at_ms)],
            OrderKind::Sale => vec![
                euros(guest, bar, TransferCode::Sale),
                vouchers(guest, Account::Issuer, TransferCode::Redeem, None),
                Transfer {
                    asset: POINTS,
                    amount: Amount(1),
                    ..euros(Account::Issuer, guest, TransferCode::Issue)
                },
            ],
            _ => Vec::new(),
        };
        transfers.retain(|transfer| transfer.amount.is_positive());
        transfers
    }

    fn posting(order: &Order, content: Hash32) -> Posting {
        Posting {
            id: PostingId(order.id),
            content,
            event: order.event,
            transfers: Self::transfers(order),
            captures: Vec::new(),
            reverses: order.reverses.map(PostingId),
            limits: Limits::Fact,
            mirrored: None,
        }
    }

    /// What deciding about these orders needs.
    pub fn need(&self, batch: &[Item]) -> Need {
        let mut need = Need::default();
        for Item { terminal, order } in batch {
            need.ledger
                .merge(Needs::of_posting(&Self::posting(order, Hash32::ZERO)));
            need.chains.insert((*terminal, 1));
        }
        need
    }

    /// Decides about these orders: what the fold refuses is parked with a case.
    pub fn decide(&self, loaded: Loaded, batch: &[Item]) -> Commit {
        let mut commit = Commit::default();
        let mut chains = loaded.chains;
        let mut changed = BTreeMap::new();
        let mut fold = Fold::new(loaded.ledger, &self.chart);
        let mut entries = Vec::new();
        for Item { terminal, order } in batch {
            let chain = chains
                .get_mut(&Self::main_line(terminal.0))
                .expect("the terminal was opened and loaded");
            let body = encode(order);
            let content = content_hash(&body);
            let seq = chain.last_seq + 1;
            let entry = Entry {
                kind: EntryKind::Order,
                boot: BootId(id(0xb0, 1)),
                mono_ms: seq,
                wall_ms: order.closed_at_ms,
                offset_ms: Some(0),
                body: Bytes(body),
            };
            let raw = entry.bytes();
            let hash = link(&chain.head, seq, &raw);
            let booked_at_ms = NOON_MS + fold.last_no();
            let status = match fold.post(Self::posting(order, content), booked_at_ms, Some(hash)) {
                Outcome::Booked { .. } => EntryStatus::Booked,
                Outcome::Duplicate { .. } => EntryStatus::Duplicate,
                Outcome::Refused(Refusal::Conflict { .. }) => EntryStatus::Conflict,
                Outcome::Refused(_) => EntryStatus::Parked,
            };
            if status != EntryStatus::Booked {
                let no = fold.note(booked_at_ms, Some(hash));
                let case = Case::of_order(
                    CaseKind::OrderFault,
                    order.event,
                    order.id,
                    order.total().unwrap_or_default(),
                );
                let case = OpenCase {
                    case,
                    terminal: Some(*terminal),
                    no: Some(no),
                    opened_at_ms: booked_at_ms,
                };
                commit.cases.extend((status == EntryStatus::Parked).then_some(case));
            }
            *chain = Chain {
                last_seq: seq,
                head: hash,
                ..*chain
            };
            changed.insert(chain.key, *chain);
            entries.push(EntryRow {
                chain: chain.key,
                seq,
                hash,
                status,
                order: Some(order.id),
                day: Some(DAY),
                raw,
                signature: None,
            });
        }
        let effects = fold.into_effects();
        let rows = effects.records.into_iter().zip(effects.hashes).zip(entries);
        commit.journal = rows
            .map(|((record, hash), entry)| JournalRow {
                record,
                hash,
                entry: Some(entry),
            })
            .collect();
        Commit {
            accounts: effects.accounts,
            lots: effects.lots,
            chains: changed.into_values().collect(),
            ..commit
        }
    }

    /// Loads, decides and commits.
    pub fn book(&self, store: &mut impl Store, batch: &[Item]) -> Result<Commit, StoreError> {
        let loaded = store.load(&self.need(batch))?;
        let commit = self.decide(loaded, batch);
        store.commit(&commit)?;
        Ok(commit)
    }
}
