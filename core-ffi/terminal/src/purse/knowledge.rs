//! What a till knows of purses before it reads one: the lists of the batches, what was seen here, what the server sends round.

use std::collections::BTreeMap;
use std::sync::Arc;

use chips::purse::{Intent, Knowledge, LastKnown, Loaded};
use shared_protocol::crypto::PublicKey;
use shared_protocol::message::{QueryResult, Units};
use shared_protocol::purse::list::VOUCHER_KINDS;
use shared_protocol::purse::{BatchList, Flags, PendingCredit};
use shared_protocol::stream::{Copy, Stream};
use shared_protocol::wristband::{Batch, BatchAuthority, CHAIN_DESK, KnownPurse};
use shared_protocol::{Amount, RequestId, TagId, decode};

use crate::Terminal;
use crate::cart::Purpose;
use crate::draft::Draft;
use crate::screen::Refusal;
use crate::step::Step;

/// Intents that came to nothing and are remembered. At most one wristband in a few hundred needs one.
pub(crate) const VOID_MAX: usize = 64;

/// The batches of the event, read once for all taps.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batches {
    batches: BTreeMap<u16, Batch>,
    /// Of those whose wristbands decide themselves.
    lists: Arc<BTreeMap<u16, BatchList>>,
}

impl Batches {
    /// Reads the stream. A list that the event's key did not sign is left out, and its wristbands are refused.
    pub fn read(copy: Option<&Copy>, key: Option<&PublicKey>) -> Self {
        let items = copy.into_iter().flat_map(|copy| &copy.items);
        let batches: BTreeMap<u16, Batch> = items
            .filter_map(|(number, value)| {
                let number = u16::from_be_bytes(number.as_slice().try_into().ok()?);
                let batch: Batch = decode(value).ok()?;
                let genuine = batch.list.batch == number && batch.list.verify(key?, &batch.signature).is_ok();
                genuine.then_some((number, batch))
            })
            .collect();
        let of_chip = batches.iter().filter(|(_, batch)| is_of_chip(batch));
        let lists = of_chip.map(|(number, batch)| (*number, batch.list.clone())).collect();
        Self {
            lists: Arc::new(lists),
            batches,
        }
    }

    pub fn batch(&self, number: u16) -> Option<&Batch> {
        self.batches.get(&number)
    }

    /// Whether there are wristbands that decide themselves.
    pub fn any(&self) -> bool {
        !self.batches.is_empty()
    }

    pub fn lists(&self) -> Arc<BTreeMap<u16, BatchList>> {
        Arc::clone(&self.lists)
    }

    /// Whether the server has taken a batch over.
    pub fn is_of_server(&self, number: u16) -> bool {
        self.batch(number).is_some_and(|batch| !is_of_chip(batch))
    }
}

fn is_of_chip(batch: &Batch) -> bool {
    batch.authority == BatchAuthority::Chip && !batch.revoked
}

fn most(one: LastKnown, other: LastKnown) -> LastKnown {
    let mut units = one.units;
    for (mine, theirs) in units.iter_mut().zip(other.units) {
        *mine = (*mine).max(theirs);
    }
    LastKnown {
        counter: one.counter.max(other.counter),
        units,
    }
}

impl Terminal {
    /// The batches changed, or the terminal is new.
    pub(crate) fn take_batches(&mut self) {
        let key = self.identity.as_ref().map(|identity| &identity.config_key);
        self.purses = Batches::read(self.streams.copy(Stream::Batches), key);
    }

    fn sent_round(&self, tag: TagId) -> Option<KnownPurse> {
        decode(self.streams.purse(tag)?).ok()
    }

    pub(crate) fn known_of_purse(&self, tag: TagId) -> Knowledge {
        let sent = self.sent_round(tag).map(|known| LastKnown {
            counter: known.seen.debited,
            units: known.seen.credited,
        });
        let last_known = match (sent, self.seen_purses.last(tag)) {
            (Some(sent), Some(seen)) => Some(most(sent, seen)),
            (sent, seen) => sent.or(seen),
        };
        let frozen = self.purses.batches.values().any(|batch| batch.desk_frozen);
        let desk = sent
            .and_then(|sent| sent.units.get(CHAIN_DESK).copied())
            .unwrap_or_default();
        Knowledge {
            blocked: false,
            last_known,
            frozen_desk: frozen.then_some(desk),
            walk: self.seen_purses.walk(tag),
            open: self
                .open_intents
                .iter()
                .map(|open| &open.intent)
                .chain(&self.void_intents)
                .filter(|intent| intent.uid.tag() == tag)
                .copied()
                .collect(),
        }
    }

    /// An intent that came to nothing is remembered until its wristband was written whole.
    pub(crate) fn keep_void(&mut self, intent: &Intent) {
        self.void_intents.push_back(*intent);
        if self.void_intents.len() > VOID_MAX {
            self.void_intents.pop_front();
        }
    }

    /// A wristband was written whole: nothing has to be put back on it.
    pub(crate) fn wrote_purse(&mut self, tag: TagId, after: &Loaded) {
        self.void_intents.retain(|intent| intent.uid.tag() != tag);
        self.saw_purse(tag, after);
    }

    pub(crate) fn saw_purse(&mut self, tag: TagId, loaded: &Loaded) {
        self.seen_purses.note(tag, loaded.observed(), Some(loaded.purse.walk()));
    }

    /// What the server wants in the record of a wristband: vouchers by the kinds of its batch, as sums, and flags.
    pub(crate) fn sent_record(&self, tag: TagId) -> Option<([u16; VOUCHER_KINDS], Option<Flags>)> {
        self.sent_round(tag).map(|known| (known.vouchers, known.flags))
    }

    pub(crate) fn pending_credits(&self, tag: TagId) -> Vec<PendingCredit> {
        self.sent_round(tag)
            .and_then(|known| known.credit)
            .into_iter()
            .collect()
    }

    /// Vouchers in a purse, as the books name them.
    pub(crate) fn purse_units(&self, loaded: &Loaded) -> Vec<Units> {
        let Some((batch, record)) = self
            .purses
            .batch(loaded.purse.header.batch)
            .zip(loaded.purse.newest_record())
        else {
            return Vec::new();
        };
        let kinds = batch.vouchers.iter().zip(record.vouchers);
        let left = kinds.map(|(asset, held)| Units {
            asset: *asset,
            amount: Amount(i64::from(held.issued.saturating_sub(held.used))),
        });
        left.filter(|units| units.amount.is_positive()).collect()
    }

    /// The cart as orders, with what the purse says of its guest.
    pub(crate) fn purse_draft(&self, step: &Step<'_>, tag: TagId, loaded: &Loaded) -> Result<Draft, Refusal> {
        let cart = self.cart.as_ref().ok_or(Refusal::CartEmpty)?;
        self.paid_with(&cart.purpose, tag)?;
        if cart.split.is_some() {
            return Err(Refusal::Purse(crate::screen::PurseRefusal::NoSplit));
        }
        if let Purpose::TopUp {
            amount,
            method,
            foreign,
        } = &cart.purpose
        {
            // How much fits is for the plan to say: the purse is at hand, and not all of the money may go onto it.
            return self.top_up_draft(*amount, *method, *foreign, tag);
        }
        let said = QueryResult {
            request: RequestId([0; 16]),
            tag,
            free: loaded.free(),
            held: Amount::ZERO,
            owed: Amount::ZERO,
            units: self.purse_units(loaded),
            blocked: None,
            as_of_ms: self.clock.server_ms(step.now),
        };
        self.draft_for(cart, tag, Some(&said), step)
    }
}
