//! What the till knows of wristbands: what the server said when it was asked, and what it sends round.

use std::collections::BTreeMap;

use shared_protocol::message::{AuthoriseResult, QueryResult, Units};
use shared_protocol::stream::{BlockReason, KnownBalance};
use shared_protocol::{Amount, AssetId, TagId, decode};

use crate::limits::{Exposure, Known};

/// Wristbands that are remembered; beyond it the one heard of longest ago is forgotten.
const REMEMBERED_MAX: usize = 512;

/// What the server said of one wristband.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    free: Amount,
    as_of_ms: u64,
    /// Vouchers and the like, with their own time: an authorisation says nothing of them.
    units: Option<(Vec<Units>, u64)>,
    /// Which answer this was.
    no: u64,
}

/// What the server said of wristbands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Knowledge {
    heard: BTreeMap<TagId, Heard>,
    answers: u64,
}

impl Knowledge {
    /// Another life of the server's database: what an earlier one said is of no use.
    pub fn forget(&mut self) {
        self.heard.clear();
    }

    fn remember(&mut self, tag: TagId, free: Amount, as_of_ms: u64, units: Option<(Vec<Units>, u64)>) {
        self.answers += 1;
        let units = units.or_else(|| self.heard.get(&tag).and_then(|before| before.units.clone()));
        self.heard.insert(
            tag,
            Heard {
                free,
                as_of_ms,
                units,
                no: self.answers,
            },
        );
        if self.heard.len() > REMEMBERED_MAX {
            let oldest = self.heard.iter().min_by_key(|(_, heard)| heard.no).map(|(tag, _)| *tag);
            oldest.and_then(|tag| self.heard.remove(&tag));
        }
    }

    pub fn queried(&mut self, answer: &QueryResult) {
        self.remember(
            answer.tag,
            answer.free,
            answer.as_of_ms,
            Some((answer.units.clone(), answer.as_of_ms)),
        );
    }

    pub fn authorised(&mut self, tag: TagId, answer: &AuthoriseResult) {
        self.remember(tag, answer.free, answer.as_of_ms, None);
    }

    /// Vouchers were used here; the server will say so when it knows.
    pub fn used(&mut self, tag: TagId, used: &BTreeMap<AssetId, u32>) {
        if let Some((units, _)) = self.heard.get_mut(&tag).and_then(|heard| heard.units.as_mut()) {
            for unit in units {
                let count = used.get(&unit.asset).copied().unwrap_or(0);
                unit.amount = Amount(unit.amount.0.saturating_sub(i64::from(count)));
            }
        }
    }

    /// What a wristband has, from whichever source is newer, less what was spent here since.
    pub fn balance(&self, tag: TagId, sent_round: Option<&[u8]>, exposure: &Exposure, server_ms: u64) -> Option<Known> {
        let asked = self.heard.get(&tag).map(|heard| (heard.free, heard.as_of_ms));
        let sent = sent_round
            .and_then(|bytes| decode::<KnownBalance>(bytes).ok())
            .map(|known| (known.free, known.as_of_ms));
        let (free, as_of_ms) = asked.into_iter().chain(sent).max_by_key(|(_, as_of_ms)| *as_of_ms)?;
        let balance = free.minus(exposure.since(tag, as_of_ms)).ok()?;
        Some(Known {
            balance,
            as_of_ms,
            age_ms: server_ms.saturating_sub(as_of_ms),
        })
    }

    /// The vouchers a wristband has, as far as that was asked lately.
    pub fn vouchers(&self, tag: TagId, server_ms: u64, max_age_ms: u64) -> BTreeMap<AssetId, u32> {
        let Some((units, as_of_ms)) = self.heard.get(&tag).and_then(|heard| heard.units.as_ref()) else {
            return BTreeMap::new();
        };
        if server_ms.saturating_sub(*as_of_ms) > max_age_ms {
            return BTreeMap::new();
        }
        vouchers(units)
    }
}

/// Units as vouchers to price with.
pub(crate) fn vouchers(units: &[Units]) -> BTreeMap<AssetId, u32> {
    let count = |units: &Units| u32::try_from(units.amount.0).ok().filter(|count| *count > 0);
    units
        .iter()
        .filter_map(|unit| Some((unit.asset, count(unit)?)))
        .collect()
}

/// Why a wristband must not pay, by the block list. An entry that does not decode blocks all the same.
pub(crate) fn blocked(entry: Option<&[u8]>) -> Option<BlockReason> {
    entry.map(|bytes| decode(bytes).unwrap_or(BlockReason::Blocked))
}

#[cfg(test)]
mod tests {
    use shared_protocol::{RequestId, encode};

    use super::*;
    use crate::testing::tag;

    fn answer(number: u8, free: i64, as_of_ms: u64, drinks: i64) -> QueryResult {
        QueryResult {
            request: RequestId([0; 16]),
            tag: tag(number),
            free: Amount(free),
            held: Amount::ZERO,
            owed: Amount::ZERO,
            units: vec![Units {
                asset: AssetId(1),
                amount: Amount(drinks),
            }],
            blocked: None,
            as_of_ms,
        }
    }

    #[test]
    fn the_newer_of_two_sources_counts() {
        let mut knowledge = Knowledge::default();
        knowledge.queried(&answer(1, 500, 1_000, 0));
        let sent = |as_of_ms| {
            encode(&KnownBalance {
                free: Amount(900),
                as_of_ms,
            })
        };
        let balance = |sent: &[u8]| {
            knowledge
                .balance(tag(1), Some(sent), &Exposure::default(), 3_000)
                .unwrap()
        };
        assert_eq!(
            balance(&sent(999)),
            Known {
                balance: Amount(500),
                as_of_ms: 1_000,
                age_ms: 2_000
            }
        );
        assert_eq!(
            balance(&sent(2_000)),
            Known {
                balance: Amount(900),
                as_of_ms: 2_000,
                age_ms: 1_000
            }
        );
        assert_eq!(knowledge.balance(tag(2), None, &Exposure::default(), 0), None);
    }

    #[test]
    fn vouchers_are_known_until_they_are_used_or_too_old() {
        let mut knowledge = Knowledge::default();
        knowledge.queried(&answer(1, 0, 1_000, 3));
        assert_eq!(
            knowledge.vouchers(tag(1), 1_500, 1_000),
            BTreeMap::from([(AssetId(1), 3)])
        );
        knowledge.used(tag(1), &BTreeMap::from([(AssetId(1), 2)]));
        assert_eq!(
            knowledge.vouchers(tag(1), 1_500, 1_000),
            BTreeMap::from([(AssetId(1), 1)])
        );
        assert_eq!(knowledge.vouchers(tag(1), 2_001, 1_000), BTreeMap::new());
    }

    #[test]
    fn the_wristband_heard_of_longest_ago_is_forgotten_first() {
        let mut knowledge = Knowledge::default();
        for round in 0..=REMEMBERED_MAX {
            let bytes = u32::try_from(round).unwrap().to_be_bytes();
            let mut answer = answer(0, 1, 1, 0);
            answer.tag = TagId::from_slice(&bytes).unwrap();
            knowledge.queried(&answer);
        }
        assert_eq!(knowledge.heard.len(), REMEMBERED_MAX);
        assert!(!knowledge.heard.contains_key(&TagId::from_slice(&[0; 4]).unwrap()));
    }
}
