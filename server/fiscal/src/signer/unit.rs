//! One TSE as its signer sees it: what waits for it, what it was asked, and whether it is out of order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use shared_protocol::{CartId, TaxpayerId};
use store::{OutageRow, RetiredRow, TseNo, TseRow};

use super::board::Cause;
use super::call::{Ask, Told};

/// Calls that may be under way at one TSE. They are made one after the other; more than one keeps it busy while answers are committed.
pub(super) const DEPTH: usize = 32;
/// Starts that may wait. A start that is dropped is made up when the cart is paid.
pub(super) const BEGINS_MAX: usize = 256;

/// An order on its way.
#[derive(Debug, Clone)]
pub(super) struct Sale {
    /// Its journal number.
    pub no: u64,
    pub cart: CartId,
    pub taxpayer: TaxpayerId,
    pub client: String,
    pub told: Told,
    /// The outage that it was made in: it is signed late.
    pub outage: Option<u64>,
    /// Whether it came so late that it may have been signed before, and nobody has looked yet.
    pub comes_late: Option<Late>,
    /// Whether the books have it as marked.
    pub marked: bool,
    /// Whether its finish was refused as unknown, and its end is looked for.
    pub looks: bool,
    /// Transactions that were begun for it and lost.
    pub attempt: u8,
    pub sold_at_ms: u64,
    pub booked_at_ms: u64,
}

/// Of an order that came late.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    /// Whether its till had reached a TSE all the same.
    pub reached: bool,
    /// Whether the transaction that the books have open for it was asked about.
    pub looked: bool,
}

/// An order whose finish was asked for, and nobody heard whether it came.
#[derive(Debug, Clone)]
pub(super) struct Doubt {
    /// Its journal number.
    pub no: u64,
    /// The outage that it is marked with.
    pub outage: Option<u64>,
}

/// Something that a TSE has to do.
#[derive(Debug, Clone)]
pub(super) enum Work {
    /// An order has to be signed.
    Sale(Box<Sale>),
    /// A cart has its first item.
    Begin { cart: CartId, client: String },
    /// What is open has to end as given up.
    GiveUp { cart: CartId },
    /// The books have it open, the TSE has not.
    Look { cart: CartId },
    /// A till has moved away.
    Leave { client: String },
    /// It is tried whether it answers.
    Ready,
    /// What it did that the books do not know is looked for.
    Match,
    /// What it has open is compared with the books.
    Survey,
}

impl Work {
    /// What only one thing at a time may be done with.
    pub const fn cart(&self) -> Option<CartId> {
        match self {
            Self::Sale(sale) => Some(sale.cart),
            Self::Begin { cart, .. } | Self::GiveUp { cart } | Self::Look { cart } => Some(*cart),
            Self::Leave { .. } | Self::Ready | Self::Match | Self::Survey => None,
        }
    }
}

/// A call that is under way, and what for.
#[derive(Debug, Clone)]
pub(super) struct Doing {
    pub work: Work,
    pub ask: Ask,
    pub since_ms: u64,
}

/// One TSE.
#[derive(Debug)]
pub(super) struct Unit {
    pub no: TseNo,
    pub taxpayer: TaxpayerId,
    pub serial: [u8; 32],
    pub clients_max: u32,
    /// How many transactions may be open, once it has said so.
    pub open_max: Option<u32>,
    /// Whether it answered the last time, and what it has open is known.
    pub ready: bool,
    /// Since when.
    pub ready_at_ms: u64,
    pub outage: Option<OutageRow>,
    /// What is the matter with it, as it said last.
    pub cause: Option<Cause>,
    /// It goes out of service, or is out of it.
    pub retired: Option<RetiredRow>,
    /// When it is tried again; the pause doubles.
    pub probe_at_ms: u64,
    pub pause_ms: u64,
    /// The first transaction that the books know nothing of; none once its log was compared with them.
    pub unmatched_from: Option<u64>,
    /// Tills move away at once: it will not come back by itself.
    pub broken: bool,
    /// Nothing is asked before, at its own wish.
    pub busy_until_ms: u64,
    /// Everything open ends once it is known.
    pub closing: bool,
    pub registered: BTreeSet<String>,
    pub sales: VecDeque<Box<Sale>>,
    pub chores: VecDeque<Work>,
    pub begins: VecDeque<CartId>,
    /// The tills of those that still have to begin.
    pub beginning: BTreeMap<CartId, String>,
    pub doing: BTreeMap<u64, Doing>,
    /// Carts that are worked on.
    pub carts: BTreeSet<CartId>,
    /// How long a signature took lately, in microseconds.
    pub signature_us: u64,
    /// Signatures since the signer began.
    pub signatures: u64,
}

impl Unit {
    /// One that has not answered yet. The books know its transactions up to `last`.
    pub fn new(row: &TseRow, last: u64, outage: Option<OutageRow>) -> Self {
        Self {
            no: row.no,
            taxpayer: row.taxpayer,
            serial: row.serial,
            clients_max: row.clients_max,
            open_max: None,
            unmatched_from: Some(last + 1),
            ready: false,
            ready_at_ms: 0,
            outage,
            cause: None,
            retired: None,
            probe_at_ms: 0,
            pause_ms: super::PROBE_EVERY_MS,
            broken: false,
            busy_until_ms: 0,
            closing: false,
            registered: BTreeSet::new(),
            sales: VecDeque::new(),
            chores: VecDeque::new(),
            begins: VecDeque::new(),
            beginning: BTreeMap::new(),
            doing: BTreeMap::new(),
            carts: BTreeSet::new(),
            signature_us: 0,
            signatures: 0,
        }
    }

    /// A cart has its first item. Where too many wait, the oldest is made up when it is paid.
    pub fn begins(&mut self, cart: CartId, client: String) {
        if self.carts.contains(&cart) || self.beginning.insert(cart, client).is_some() {
            return;
        }
        self.begins.push_back(cart);
        while self.begins.len() > BEGINS_MAX {
            if let Some(oldest) = self.begins.pop_front() {
                self.beginning.remove(&oldest);
            }
        }
    }

    /// What to do next: what somebody waits for, then what should end, then what begins. Orders that may have been signed already wait until it is
    /// known whether they were.
    pub fn next(&mut self, matched: bool) -> Option<Work> {
        let free = |cart: CartId| !self.carts.contains(&cart);
        let seen = if matched { DEPTH } else { usize::MAX };
        let goes = |sale: &Sale| free(sale.cart) && (matched || sale.comes_late.is_none());
        if let Some(at) = self.sales.iter().take(seen).position(|sale| goes(sale)) {
            return self.sales.remove(at).map(Work::Sale);
        }
        let idle = |work: &Work| work.cart().is_none_or(free);
        if let Some(at) = self.chores.iter().take(DEPTH).position(idle) {
            return self.chores.remove(at);
        }
        while let Some(cart) = self.begins.pop_front() {
            if let Some(client) = self.beginning.remove(&cart) {
                return Some(Work::Begin { cart, client });
            }
        }
        None
    }

    /// Whether nothing is left that it could do now.
    pub fn is_idle(&self) -> bool {
        self.doing.is_empty() && self.sales.is_empty() && self.chores.is_empty() && self.beginning.is_empty()
    }

    /// Whether it is out of service for good: it is asked nothing any more.
    pub fn is_out_of_service(&self) -> bool {
        self.retired.as_ref().is_some_and(|row| row.done_ms.is_some())
    }

    /// Whether a till has something here that waits or is done now.
    pub fn is_busy_with(&self, client: &str) -> bool {
        self.is_with(client)
            || self.sales.iter().any(|sale| sale.client == client)
            || self.beginning.values().any(|of| of == client)
    }

    /// Whether a till has something here that is not over.
    pub fn is_with(&self, client: &str) -> bool {
        self.doing.values().any(|doing| match &doing.work {
            Work::Sale(sale) => sale.client == client,
            Work::Begin { client: of, .. } => of == client,
            _ => false,
        })
    }
}
