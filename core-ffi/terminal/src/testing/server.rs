//! A server that knows just enough.

use std::collections::BTreeMap;

use shared_protocol::chain::{EpochStart, link};
use shared_protocol::crypto::Hash32;
use shared_protocol::entry::{Content, Entry};
use shared_protocol::limits::{FRAME_FROM_TERMINAL_MAX_BYTES, WINDOW_ENTRIES};
use shared_protocol::message::{
    Ack, AuthoriseRefusal, AuthoriseResult, CartAck, Challenge, Gap, HandoverAck, HandoverOutcome, Message, Push,
    QueryResult, TerminalState, Units, Welcome,
};
use shared_protocol::order::{Order, OrderKind, TenderKind};
use shared_protocol::stream::BlockReason;
use shared_protocol::{Amount, HoldId, OrderId, TagId};

use super::{DRINK, TERMINAL};

/// A server with wallets and a journal; it answers at once or not at all.
#[derive(Debug, Clone)]
pub struct Server {
    pub free: BTreeMap<TagId, i64>,
    pub drinks: BTreeMap<TagId, i64>,
    pub blocked: BTreeMap<TagId, BlockReason>,
    /// What guests still owe, above zero.
    pub owed: BTreeMap<TagId, i64>,
    pub holds: BTreeMap<HoldId, (TagId, i64)>,
    /// Durable here by epoch: sequence and head.
    pub durable: BTreeMap<u32, (u64, Hash32)>,
    pub orders: Vec<OrderId>,
    booked: BTreeMap<OrderId, Order>,
    pub window: u32,
    pub state: TerminalState,
    pub new_epoch: Option<EpochStart>,
    pub incarnation: u64,
    pub clock_ms: u64,
    /// Takes questions and pushes and says nothing.
    pub silent: bool,
    /// A push of this connection came to nothing in the silence: what follows it leaves a gap.
    pub swallowed: bool,
    /// Parts of other journals that were handed over.
    pub handed_over: Vec<Push>,
    /// What is said to a handover instead of taking it.
    pub handover_outcome: Option<HandoverOutcome>,
    /// Says "not now" to authorisations.
    pub unavailable: bool,
}

impl Server {
    pub fn new() -> Self {
        Self {
            free: BTreeMap::new(),
            drinks: BTreeMap::new(),
            blocked: BTreeMap::new(),
            owed: BTreeMap::new(),
            holds: BTreeMap::new(),
            durable: BTreeMap::new(),
            orders: Vec::new(),
            booked: BTreeMap::new(),
            window: WINDOW_ENTRIES,
            state: TerminalState::Active,
            new_epoch: None,
            incarnation: 1,
            clock_ms: 0,
            silent: false,
            swallowed: false,
            handed_over: Vec::new(),
            handover_outcome: None,
            unavailable: false,
        }
    }

    pub fn challenge(&self) -> Message {
        Challenge {
            nonce: Hash32([5; 32]),
            server_ms: self.clock_ms,
            incarnation: self.incarnation,
            proto_min: 1,
            proto_max: 1,
        }
        .into()
    }

    pub fn durable_of(&self, epoch: EpochStart) -> (u64, Hash32) {
        self.durable
            .get(&epoch.epoch)
            .copied()
            .unwrap_or((0, epoch.root(TERMINAL)))
    }

    fn push(&mut self, push: &Push, key: &shared_protocol::crypto::PublicKey) -> Message {
        let (seq, head) = self.durable_of(push.epoch);
        assert_eq!(push.head.verify(key, TERMINAL), Ok(()), "a frame ends at a signed head");
        if push.first_seq > seq + 1 {
            assert!(self.swallowed, "nothing is sent before what the server lacks");
            let (epoch, expected_seq) = (push.epoch.epoch, seq + 1);
            return Gap { epoch, expected_seq }.into();
        }
        assert!(push.first_seq != seq + 1 || push.previous == head);
        let mut at = (push.first_seq - 1, push.previous);
        for entry in &push.entries {
            at = (at.0 + 1, link(&at.1, at.0 + 1, &entry.0));
            if at.0 == self.durable_of(push.epoch).0 + 1 {
                self.durable.insert(push.epoch.epoch, at);
                if let Content::Order(order) = Entry::read(&entry.0).unwrap().1 {
                    self.book(&order.order);
                }
            }
        }
        assert_eq!(at, (push.head.seq, push.head.hash));
        let durable_seq = self.durable_of(push.epoch).0;
        let retry_after_ms = (self.window == 0).then_some(500);
        Ack {
            epoch: push.epoch.epoch,
            durable_seq,
            branch: None,
            window: self.window,
            retry_after_ms,
            notes: Vec::new(),
        }
        .into()
    }

    fn book(&mut self, order: &Order) {
        assert!(!self.orders.contains(&order.id), "an order is booked once");
        assert_eq!(order.check(), Ok(()));
        self.orders.push(order.id);
        self.booked.insert(order.id, order.clone());
        let replaced = order
            .reverses
            .filter(|_| order.kind == OrderKind::Correction)
            .and_then(|old| self.booked.get(&old))
            .cloned();
        for (old, tender) in replaced
            .iter()
            .flat_map(|old| old.tenders.iter().map(move |tender| (old, tender)))
        {
            if let Some(tag) = old.tender_tag(tender).filter(|_| tender.kind == TenderKind::Wristband) {
                *self.free.entry(tag).or_default() += tender.amount.0;
            }
        }
        let moves = order.kind != OrderKind::Training;
        for tender in order.tenders.iter().filter(|_| moves) {
            let Some(tag) = order.tender_tag(tender) else { continue };
            if let Some((tag, held)) = tender.hold.and_then(|hold| self.holds.remove(&hold)) {
                *self.free.entry(tag).or_default() += held;
            }
            match tender.kind {
                TenderKind::Wristband => *self.free.entry(tag).or_default() -= tender.amount.0,
                TenderKind::Cash | TenderKind::Card if matches!(order.kind, OrderKind::TopUp | OrderKind::PayOut) => {
                    *self.free.entry(tag).or_default() += tender.amount.0;
                }
                _ => {}
            }
        }
    }

    pub fn answer(&mut self, message: &Message, key: &shared_protocol::crypto::PublicKey) -> Vec<Message> {
        let as_of_ms = self.clock_ms;
        match message {
            Message::Hello(hello) => {
                self.swallowed = false;
                let body: shared_protocol::message::HelloBody = shared_protocol::decode(&hello.body.0).unwrap();
                let (durable_seq, durable_head) = self.durable_of(body.epoch);
                vec![
                    Welcome {
                        proto: 1,
                        server_ms: self.clock_ms,
                        incarnation: self.incarnation,
                        durable_seq,
                        durable_head,
                        window: WINDOW_ENTRIES,
                        max_frame: u32::try_from(FRAME_FROM_TERMINAL_MAX_BYTES).unwrap(),
                        state: self.state,
                        new_epoch: self.new_epoch,
                    }
                    .into(),
                ]
            }
            Message::Push(push) => vec![self.push(push, key)],
            Message::Handover(handover) => {
                let Push {
                    terminal, epoch, head, ..
                } = &handover.push;
                let outcome = self.handover_outcome.unwrap_or(HandoverOutcome::Durable);
                if outcome == HandoverOutcome::Durable {
                    self.handed_over.push(handover.push.clone());
                }
                let ack = HandoverAck {
                    terminal: *terminal,
                    epoch: epoch.epoch,
                    seq: head.seq,
                    outcome,
                };
                vec![ack.into()]
            }
            Message::CartOpened(opened) => vec![CartAck { cart: opened.cart }.into()],
            Message::Query(query) => vec![
                QueryResult {
                    request: query.request,
                    tag: query.tag,
                    free: Amount(self.free.get(&query.tag).copied().unwrap_or(0)),
                    held: Amount::ZERO,
                    owed: Amount(self.owed.get(&query.tag).copied().unwrap_or(0)),
                    units: vec![Units {
                        asset: DRINK,
                        amount: Amount(self.drinks.get(&query.tag).copied().unwrap_or(0)),
                    }],
                    blocked: self.blocked.get(&query.tag).copied(),
                    as_of_ms,
                }
                .into(),
            ],
            Message::Authorise(ask) => {
                let free = self.free.entry(ask.tag).or_default();
                let refusal = if self.unavailable {
                    Some(AuthoriseRefusal::Unavailable)
                } else if self.blocked.contains_key(&ask.tag) {
                    Some(AuthoriseRefusal::Blocked)
                } else {
                    (*free < ask.amount.0).then_some(AuthoriseRefusal::BalanceTooLow)
                };
                let hold = refusal.is_none().then_some(HoldId(ask.request.0));
                if let Some(hold) = hold {
                    *free -= ask.amount.0;
                    self.holds.insert(hold, (ask.tag, ask.amount.0));
                }
                vec![
                    AuthoriseResult {
                        request: ask.request,
                        hold,
                        refusal,
                        blocked: self.blocked.get(&ask.tag).copied(),
                        free: Amount(self.free[&ask.tag]),
                        as_of_ms,
                    }
                    .into(),
                ]
            }
            Message::Release(release) => {
                if let Some((tag, amount)) = self.holds.remove(&release.hold) {
                    *self.free.entry(tag).or_default() += amount;
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}
