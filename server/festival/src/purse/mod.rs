//! What the books know of a wristband's purse, and what its orders say about each other.
//!
//! All committed orders of a purse lie side by side on the line of its counter, and all its credits on the lines of their chains
//! ([`Line`]): a gap is an order that no till has sent yet, with its exact sum; an overlap is a copy of the wristband, or one that was set back.
//! What must never happen here: a balance. Money is in the ledger; this says only whether the ledger has heard everything.

mod line;

use ledger::{Account, Authority, Transfer};
use serde::{Deserialize, Serialize};
use shared_protocol::crypto::Hash32;
use shared_protocol::ids::Bytes;
use shared_protocol::order::Order;
use shared_protocol::purse::list::VOUCHER_KINDS;
use shared_protocol::purse::{Flags, PendingCredit, Record};
use shared_protocol::wristband::{
    Batch, BatchAuthority, CHAIN_SERVER, CHAINS, KnownPurse, PurseMove, PurseTotals, no_vouchers, short_till,
};
use shared_protocol::{Amount, AssetId, OrderId, TagId, TerminalId, TillId};

pub use line::Line;

/// Devices whose last look at a purse is remembered. A guest meets a few in an evening.
const LOOKS_MAX: usize = 16;
/// Interrupted payments of one purse that are remembered. A till has one at a time.
const INTENTS_MAX: usize = 16;

/// A payment that a till began and of which nobody has said yet what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenIntent {
    /// The order that would follow.
    pub order: OrderId,
    /// Which till.
    pub till: TillId,
    /// What it read and what it was about to leave.
    pub wanted: PurseMove,
    /// Whether it is the first order of its payment.
    pub first: bool,
    /// Whether the till itself could not tell.
    pub unknown: bool,
    /// The order as it would be booked.
    pub draft: Bytes,
}

/// What a device last saw of a purse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Look {
    terminal: TerminalId,
    totals: PurseTotals,
}

/// The last sale on a purse as its record told the next till, of a till that has not sent it itself: when, where and how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Where the counter stood after it.
    pub after: u32,
    /// How much it was, in cents.
    pub amount: u32,
    /// The low half of the till's number.
    pub till: u16,
    /// Minutes since the event's epoch.
    pub minute: u32,
}

impl Witness {
    /// Reads the record of a purse; none when it tells of no sale.
    fn of(record: Record) -> Option<Self> {
        let sale = Self {
            after: record.after,
            amount: record.amount,
            till: record.terminal,
            minute: record.minute,
        };
        (sale.amount > 0).then_some(sale)
    }
}

/// What a wristband is called by people, as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// The number that is printed on it.
    pub number: String,
    /// The digest of what its guest shows to be believed.
    pub pin: Hash32,
}

impl Label {
    /// Of a wristband with this pin. The pin has some 60 bits and its wristband's id is in the digest, so that whoever reads the database cannot
    /// try all pins of all wristbands at once.
    pub fn new(tag: TagId, number: &str, pin: &str) -> Self {
        Self {
            number: number.to_owned(),
            pin: Self::digest(tag, pin),
        }
    }

    fn digest(tag: TagId, pin: &str) -> Hash32 {
        let pin: String = pin.chars().filter(char::is_ascii_alphanumeric).collect();
        Hash32::of(
            "groschen wristband pin 1",
            &[tag.as_slice(), pin.to_uppercase().as_bytes()],
        )
    }

    /// Whether this is its pin, typed with or without spaces.
    pub fn fits(&self, tag: TagId, pin: &str) -> bool {
        Self::digest(tag, pin) == self.pin
    }
}

/// What the books know of one purse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purse {
    /// Its batch.
    pub batch: u16,
    /// Who decides what it holds.
    pub authority: BatchAuthority,
    /// The highest totals that any till saw or left.
    pub seen: PurseTotals,
    /// What orders have said of the counter.
    pub debits: Line,
    /// What orders have said of each chain.
    pub credits: [Line; CHAINS],
    /// Up to where the server has given credits of its own chain.
    pub issued: u16,
    /// Payments that were interrupted.
    pub intents: Vec<OpenIntent>,
    /// Sales that only a record tells of.
    pub witnesses: Vec<Witness>,
    looks: Vec<Look>,
    /// Since when something is missing on a line, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_since_ms: Option<u64>,
    /// Whether a case was opened for what is missing now.
    pub told: bool,
    /// The newest credit of the server, as long as no till has written it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<PendingCredit>,
    /// Vouchers that the server ever put on it, by the kinds of its batch.
    #[serde(default, skip_serializing_if = "no_vouchers")]
    pub vouchers: [u16; VOUCHER_KINDS],
    /// The flags that its record last told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Flags>,
    /// Flags that belong on it because they were on the wristband it replaces, until a record tells of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted_flags: Option<Flags>,
    /// What people call it, where it was imported from its encoder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Label>,
}

/// What is odd about an order of a purse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// Another order has the same part of a line: a copy of the wristband was used.
    Overlap {
        /// How much of it, in cents.
        cents: Amount,
    },
    /// The same device had seen higher totals before: the wristband was set back, or is a copy.
    SetBack {
        /// By how much, in cents.
        cents: Amount,
    },
    /// More of the server's credits than it ever gave.
    UnknownCredit {
        /// How much more, in cents.
        cents: Amount,
    },
    /// The purse moved by another amount than the order says.
    Mismatch {
        /// The purse's movement less the order's, in cents.
        cents: Amount,
    },
}

/// A part of a line that no order has told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The chain; none for the counter.
    pub chain: Option<usize>,
    /// From where, in the line's own units.
    pub from: u32,
    /// To where.
    pub to: u32,
    /// What it is worth in cents.
    pub cents: Amount,
    /// The interrupted payment that it is the exact place of.
    pub intent: Option<OrderId>,
}

/// What stands for a sum that no amount can hold.
const MUCH: Amount = Amount(i64::MAX);

fn cents(count: u32, unit: u16) -> Amount {
    Amount(i64::from(count) * i64::from(unit))
}

/// What an order of this purse moves on the wristband in the ledger: above zero comes in.
pub fn moved_in_books(tag: TagId, transfers: &[Transfer]) -> i128 {
    let purse = Account::Wristband {
        tag,
        authority: Authority::Chip,
    };
    transfers
        .iter()
        .filter(|transfer| transfer.asset == AssetId::EURO)
        .map(|transfer| {
            let amount = i128::from(transfer.amount.0);
            i128::from(transfer.to == purse) * amount - i128::from(transfer.from == purse) * amount
        })
        .sum()
}

/// What an order moved on the chip, but for credits of the server, which the ledger had when they were given.
pub fn moved_on_chip(purse: &PurseMove, units: [u16; CHAINS]) -> i128 {
    let debit = i128::from(purse.after.debited) - i128::from(purse.before.debited);
    let chains = purse.after.credited.iter().zip(purse.before.credited).zip(units);
    let credits = chains.enumerate().filter(|(chain, _)| *chain != CHAIN_SERVER);
    let credit: i128 = credits
        .map(|(_, ((after, before), unit))| (i128::from(*after) - i128::from(before)) * i128::from(unit))
        .sum();
    credit - debit
}

impl Purse {
    /// A purse that nobody has told of yet.
    pub fn new(batch: u16, authority: BatchAuthority) -> Self {
        Self {
            batch,
            authority,
            seen: PurseTotals::default(),
            debits: Line::default(),
            credits: [Line::default(), Line::default(), Line::default()],
            issued: 0,
            intents: Vec::new(),
            witnesses: Vec::new(),
            looks: Vec::new(),
            gap_since_ms: None,
            told: false,
            waiting: None,
            vouchers: [0; VOUCHER_KINDS],
            flags: None,
            wanted_flags: None,
            label: None,
        }
    }

    /// Takes note of an order that was booked. Orders come in any sequence: a till that was offline sends late.
    pub fn observe(
        &mut self,
        order: &Order,
        purse: &PurseMove,
        terminal: Option<TerminalId>,
        batch: Option<&Batch>,
        now_ms: u64,
    ) -> Vec<Finding> {
        let units = batch.map_or([0; CHAINS], Batch::units);
        let mut findings = Vec::new();
        let mut twice = cents(self.debits.cover(purse.before.debited, purse.after.debited), 1);
        let ends = purse.before.credited.into_iter().zip(purse.after.credited);
        for ((line, (from, to)), unit) in self.credits.iter_mut().zip(ends).zip(units) {
            let again = cents(line.cover(u32::from(from), u32::from(to)), unit);
            twice = twice.plus(again).unwrap_or(MUCH);
        }
        if let Some(back) = terminal.and_then(|terminal| self.set_back(terminal, &purse.before, units)) {
            findings.push(Finding::SetBack { cents: back });
        } else if twice.is_positive() {
            findings.push(Finding::Overlap { cents: twice });
        }
        if let Some(terminal) = terminal {
            self.looks.retain(|look| look.terminal != terminal);
            let totals = purse.after;
            self.looks.push(Look { terminal, totals });
            if self.looks.len() > LOOKS_MAX {
                self.looks.remove(0);
            }
        }
        findings.extend(self.see(&purse.before.highest(&purse.after), units));
        self.intents.retain(|intent| intent.order != order.id);
        if let Some(record) = purse.record {
            self.flags = Some(record.flags);
            self.wanted_flags = self.wanted_flags.filter(|wanted| *wanted != record.flags);
        }
        self.witness(purse);
        self.mark_gaps(now_ms);
        findings
    }

    /// What its flags are, or are about to be: what its guest's next wristband gets.
    pub fn flags_to_keep(&self) -> Option<Flags> {
        self.wanted_flags
            .or(self.flags)
            .filter(|flags| *flags != Flags::default())
    }

    /// Keeps what a record tells of a sale that no order has told of.
    fn witness(&mut self, purse: &PurseMove) {
        let sale = purse.record.and_then(Witness::of);
        self.witnesses
            .retain(|known| Some(known.after) != sale.map(|sale| sale.after));
        self.witnesses.extend(sale);
        let debits = &self.debits;
        self.witnesses
            .retain(|sale| !debits.has(sale.after.saturating_sub(sale.amount), sale.after));
        if self.witnesses.len() > LOOKS_MAX {
            self.witnesses.remove(0);
        }
    }

    /// Whether the record of a later sale says that the interrupted payment in this gap is what filled it.
    pub fn witnesses(&self, gap: &Gap) -> bool {
        let of_intent = self.intents.iter().find(|intent| Some(intent.order) == gap.intent);
        of_intent.is_some_and(|intent| {
            let here = |sale: &&Witness| sale.after == gap.to && sale.amount == gap.to - gap.from;
            self.witnesses
                .iter()
                .filter(here)
                .any(|sale| sale.till == short_till(intent.till))
        })
    }

    /// Takes note of a payment that a till began.
    pub fn began(&mut self, intent: OpenIntent, batch: Option<&Batch>, now_ms: u64) -> Vec<Finding> {
        let units = batch.map_or([0; CHAINS], Batch::units);
        // Only the first order of a payment begins where the till read the chip; the others begin where it would be by then.
        let read = intent.first.then_some(&intent.wanted.before);
        let findings = read.and_then(|totals| self.see(totals, units)).into_iter().collect();
        if self.intents.iter().all(|known| known.order != intent.order) {
            self.intents.push(intent);
        }
        if self.intents.len() > INTENTS_MAX {
            self.intents.remove(0);
        }
        self.mark_gaps(now_ms);
        findings
    }

    /// Takes note of what a till says became of a payment: nothing, or that it cannot tell.
    pub fn ended(&mut self, order: OrderId, unknown: bool) {
        if unknown {
            for intent in self.intents.iter_mut().filter(|intent| intent.order == order) {
                intent.unknown = true;
            }
        } else {
            self.intents.retain(|intent| intent.order != order);
        }
    }

    /// How far the totals that a device reads are below those it had seen, in cents.
    fn set_back(&self, terminal: TerminalId, totals: &PurseTotals, units: [u16; CHAINS]) -> Option<Amount> {
        let had = self.looks.iter().find(|look| look.terminal == terminal)?.totals;
        let debits = Amount(i64::from(had.debited.saturating_sub(totals.debited)));
        let credits = had.credited.iter().zip(totals.credited).zip(units);
        let all = credits.map(|((had, now), unit)| cents(u32::from(had.saturating_sub(now)), unit));
        let back = Amount::sum(all.chain([debits])).unwrap_or(MUCH);
        (!totals.covers(&had)).then_some(back)
    }

    /// Some till saw the purse with these totals.
    fn see(&mut self, totals: &PurseTotals, units: [u16; CHAINS]) -> Option<Finding> {
        let known = self.seen.credited.get(CHAIN_SERVER).copied().unwrap_or_default();
        self.seen = self.seen.highest(totals);
        let now = self.seen.credited.get(CHAIN_SERVER).copied().unwrap_or_default();
        if self.waiting.as_ref().is_some_and(|credit| credit.units <= now) {
            self.waiting = None;
        }
        let more = now.saturating_sub(self.issued.max(known));
        let unit = units.get(CHAIN_SERVER).copied().unwrap_or_default();
        (more > 0).then(|| Finding::UnknownCredit {
            cents: cents(u32::from(more), unit),
        })
    }

    fn mark_gaps(&mut self, now_ms: u64) {
        let whole = self.debits.reaches(self.seen.debited) && self.untold_credits().next().is_none();
        if whole {
            (self.gap_since_ms, self.told) = (None, false);
        } else {
            self.gap_since_ms.get_or_insert(now_ms);
        }
    }

    /// All that no order has told of, up to what was seen.
    pub fn gaps(&self, units: [u16; CHAINS]) -> Vec<Gap> {
        let debits = self.debits.gaps(self.seen.debited).into_iter().map(|(from, to)| Gap {
            chain: None,
            from,
            to,
            cents: cents(to - from, 1),
            intent: self.intent_at(from, to),
        });
        let credits = self.untold_credits().map(|(chain, from, to)| Gap {
            chain: Some(chain),
            from,
            to,
            cents: cents(to - from, units.get(chain).copied().unwrap_or_default()),
            intent: None,
        });
        debits.chain(credits).collect()
    }

    /// Parts of the chains that nobody has told of, as chain, from and to. Of the server's own credits it is what the server does not know to have given: those
    /// are in the books when they are given, so that no order needs to tell of them, and an order that does puts nothing of a forgotten one into the books.
    fn untold_credits(&self) -> impl Iterator<Item = (usize, u32, u32)> + '_ {
        let lines = self.credits.iter().zip(self.seen.credited).enumerate();
        lines.flat_map(|(chain, (line, seen))| {
            let (issued, seen) = (u32::from(self.issued), u32::from(seen));
            let untold = if chain != CHAIN_SERVER {
                line.gaps(seen)
            } else if issued < seen {
                vec![(issued, seen)]
            } else {
                Vec::new()
            };
            untold.into_iter().map(move |(from, to)| (chain, from, to))
        })
    }

    /// The interrupted payment whose place on the counter's line this is.
    fn intent_at(&self, from: u32, to: u32) -> Option<OrderId> {
        let here = self
            .intents
            .iter()
            .find(|intent| intent.wanted.before.debited == from && intent.wanted.after.debited == to);
        here.map(|intent| intent.order)
    }

    /// What tills should know of it.
    pub fn known(&self) -> KnownPurse {
        KnownPurse {
            seen: self.seen,
            credit: self.waiting,
            vouchers: self.vouchers,
            flags: self.wanted_flags,
        }
    }
}

#[cfg(test)]
mod tests;
