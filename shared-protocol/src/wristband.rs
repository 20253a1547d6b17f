//! What orders, intents and streams say of a wristband and its purse. How a purse lies on a chip is not said here; that it has totals which only
//! grow is all that books need.

use serde::{Deserialize, Serialize};

use crate::crypto::Signature;
use crate::ids::{AssetId, TagId, TillId};
use crate::money::{Amount, Overflow};
use crate::order::{Order, OrderKind};
use crate::purse::list::VOUCHER_KINDS;
use crate::purse::{BatchList, COUNTER_MAX, Flags, PendingCredit, Record};
use crate::stream::BlockReason;

/// How many chains of credits a purse has.
pub const CHAINS: usize = 3;
/// The chain of top-up desks.
pub const CHAIN_DESK: usize = 0;
/// The chain of the server: what was paid in online, given back, moved from another wristband.
pub const CHAIN_SERVER: usize = 1;
/// The chain of tills that take back deposits; short, so that its end is a hard cap per wristband.
pub const CHAIN_RETURN: usize = 2;

/// What a purse has taken in and given out in its life. Both only grow; on a genuine chip nobody can lower either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PurseTotals {
    /// What was spent, in cents: the chip's one-way counter.
    pub debited: u32,
    /// What was credited, in units of each chain.
    pub credited: [u16; CHAINS],
}

impl PurseTotals {
    /// What the purse holds in cents, earmarked money included; `units` is what one unit of each chain is worth in cents.
    pub fn held(&self, units: &[u16; CHAINS]) -> Result<Amount, Overflow> {
        let credits = self.credited.iter().zip(units);
        let credited: i64 = credits.map(|(count, unit)| i64::from(*count) * i64::from(*unit)).sum();
        Amount(credited).minus(Amount(i64::from(self.debited)))
    }

    /// Whether nothing here is below what stands there.
    pub fn covers(&self, earlier: &Self) -> bool {
        self.debited >= earlier.debited
            && self
                .credited
                .iter()
                .zip(earlier.credited)
                .all(|(now, then)| *now >= then)
    }

    /// The higher of each total.
    #[must_use]
    pub fn highest(&self, other: &Self) -> Self {
        let mut credited = self.credited;
        for (mine, theirs) in credited.iter_mut().zip(other.credited) {
            *mine = (*mine).max(theirs);
        }
        Self {
            debited: self.debited.max(other.debited),
            credited,
        }
    }
}

/// What an order did to the purse of its holder. The interval between the totals is what tells this order's place in the life of the purse: all
/// orders of a wristband lie side by side, without a gap and without an overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurseMove {
    /// The batch of wristbands it belongs to.
    pub batch: u16,
    /// What the till read.
    pub before: PurseTotals,
    /// What the till left, as the chip confirmed it.
    pub after: PurseTotals,
    /// The record of the last sale as the till read it; its MAC held. What a lost till did last is read from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

/// What a purse showed to a till that wrote nothing on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownPurse {
    /// The batch of wristbands it belongs to.
    pub batch: u16,
    /// What it had taken in and given out.
    pub totals: PurseTotals,
    /// Its newest record, with vouchers and age class; its MAC held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Record>,
}

/// What an order says happens to the wristband of its holder. How much of its money waits for tills that have not sent is no till's to say: the
/// books decide it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandChange {
    /// Why the holder's wristband is blocked from now on. One that is swapped stands on the block list as replaced, whatever happened to it.
    pub reason: BlockReason,
    /// The guest's new one, which gets everything; none where the old one is only blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<TagId>,
    /// What the old one's purse showed, where it was there and could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<ShownPurse>,
}

impl BandChange {
    /// Whether an order that says this contradicts itself. That old and new are the same is a mistake of a person and no contradiction.
    pub fn fits(&self, order: &Order) -> bool {
        let of_kind = match order.kind {
            OrderKind::Swap => self.new.is_some(),
            OrderKind::Block => self.new.is_none(),
            _ => false,
        };
        let moves_nothing_itself = order.lines.is_empty() && order.tenders.is_empty() && order.purse.is_none();
        of_kind && moves_nothing_itself && order.holder.is_some() && order.group.is_none()
    }
}

impl OrderKind {
    /// Whether such an order is about a wristband itself and no business case: no TSE is told of it, and it has no receipt.
    pub const fn is_of_band(self) -> bool {
        matches!(self, Self::Swap | Self::Block)
    }
}

crate::closed_enum! {
    /// Who decides what wristbands of a batch have.
    pub enum BatchAuthority {
        /// The server's books.
        Server = 1,
        /// The purse on the chip.
        Chip = 2,
    }
}

/// A batch of wristbands that were encoded together, as tills know it: an item of [`Stream::Batches`](crate::stream::Stream::Batches); the key is its
/// number, most significant byte first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Who decides what its wristbands have.
    pub authority: BatchAuthority,
    /// How value is counted, and the anchors of every wristband.
    pub list: BatchList,
    /// The event's signature over the list, made when the batch was encoded.
    pub signature: Signature,
    /// What the vouchers that its purses count are, in the order of their kinds: at most [`VOUCHER_KINDS`](crate::purse::list::VOUCHER_KINDS).
    pub vouchers: Vec<AssetId>,
    /// Whether credits of the desks' chain count only as far as the server has seen them: a desk's key was stolen.
    pub desk_frozen: bool,
    /// Whether its keys are no longer trusted: tills take its wristbands by their id only, under the server's authority.
    pub revoked: bool,
}

impl Batch {
    /// A batch as it comes from the encoder: its purses count, nothing is frozen or withdrawn, no vouchers.
    pub const fn new(list: BatchList, signature: Signature) -> Self {
        Self {
            authority: BatchAuthority::Chip,
            list,
            signature,
            vouchers: Vec::new(),
            desk_frozen: false,
            revoked: false,
        }
    }

    /// What one unit of each chain is worth in cents.
    pub fn units(&self) -> [u16; CHAINS] {
        self.list.settings.unit_cents
    }

    /// How long each chain is.
    pub fn lengths(&self) -> [u16; CHAINS] {
        self.list.settings.length
    }

    /// What a purse sets aside in cents for one voucher; none for a voucher it does not count.
    pub fn weight(&self, asset: AssetId) -> Option<u16> {
        self.voucher_weights()
            .find(|(kind, _)| *kind == asset)
            .map(|(_, weight)| weight)
    }

    /// The vouchers that a purse counts, in the order of its record, each with what it sets aside in cents.
    pub fn voucher_weights(&self) -> impl Iterator<Item = (AssetId, u16)> + '_ {
        self.vouchers.iter().copied().zip(self.list.settings.weight_cents)
    }
}

/// What the server last knew of a purse, an item of [`Stream::Purses`](crate::stream::Stream::Purses); the key is the wristband's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPurse {
    /// The highest totals in any order; a purse that shows less was set back or copied.
    pub seen: PurseTotals,
    /// A credit of the server that waits for the next tap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<PendingCredit>,
    /// Vouchers that the server ever put on it, by the kinds of its batch. A record that says less is brought up to it before the credit, which
    /// has their weight, is written.
    #[serde(default, skip_serializing_if = "no_vouchers")]
    pub vouchers: [u16; VOUCHER_KINDS],
    /// Flags that belong on it, as they were on the wristband that it replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flags: Option<Flags>,
}

/// Whether there is nothing to say of vouchers.
pub fn no_vouchers(vouchers: &[u16; VOUCHER_KINDS]) -> bool {
    *vouchers == [0; VOUCHER_KINDS]
}

/// The number under which a till stands in the records of purses, which have room for the low half of it.
pub fn short_till(till: TillId) -> u16 {
    let [_, _, high, low] = till.0.to_be_bytes();
    u16::from_be_bytes([high, low])
}

/// Minutes from 1970 to 2020: records count from there, and have room for 31 years.
const EPOCH_MIN: u64 = 26_297_280;

/// A moment in ms since 1970 as records of purses have it. Before 2020 and after 2051 a clock is wrong, and the record says the nearest it can.
pub fn record_minute(at_ms: u64) -> u32 {
    let minutes = (at_ms / 60_000).saturating_sub(EPOCH_MIN);
    u32::try_from(minutes).unwrap_or(COUNTER_MAX).min(COUNTER_MAX)
}

/// The moment that a record of a purse names, in ms since 1970.
pub fn record_moment_ms(minute: u32) -> u64 {
    (EPOCH_MIN + u64::from(minute)) * 60_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_purse_holds_is_its_credits_less_what_was_spent() {
        let totals = PurseTotals {
            debited: 1_650,
            credited: [80, 3, 1],
        };
        assert_eq!(totals.held(&[50, 10, 10]), Ok(Amount(2_390)));
        let most = PurseTotals {
            debited: 0,
            credited: [u16::MAX; CHAINS],
        };
        assert!(most.held(&[u16::MAX; CHAINS]).is_ok());
    }

    #[test]
    fn records_have_room_for_a_till_and_a_minute() {
        assert_eq!(short_till(TillId(0x0001_0203)), 0x0203);
        assert_eq!((record_minute(0), record_minute(u64::MAX)), (0, COUNTER_MAX));
        let at_ms = 1_784_000_000_000;
        assert_eq!(record_moment_ms(record_minute(at_ms)), at_ms / 60_000 * 60_000);
    }

    #[test]
    fn totals_that_were_set_back_do_not_cover_what_was_seen() {
        let seen = PurseTotals {
            debited: 450,
            credited: [80, 0, 2],
        };
        assert!(seen.covers(&seen));
        let back = PurseTotals { debited: 449, ..seen };
        assert!(!back.covers(&seen) && seen.covers(&back));
        let other = PurseTotals {
            debited: 900,
            credited: [80, 0, 1],
        };
        assert!(!other.covers(&seen));
        assert_eq!(
            other.highest(&seen),
            PurseTotals {
                debited: 900,
                credited: [80, 0, 2]
            }
        );
    }
}
