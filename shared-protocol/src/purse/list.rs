//! What an event says about its purses: units and lengths of the chains, weights of the vouchers, and the signed list of a batch's anchors.

use ring::digest;
use serde::{Deserialize, Serialize};

use super::chain::{Chain, ChainId, Token, top};
use super::cipher::BlockEncrypt;
use super::header::Header;
use super::{COUNTER_MAX, Uid};
use crate::crypto::{BadSignature, PublicKey, Signature, verify};
use crate::ids::Bytes;

/// Kinds of vouchers that a purse counts.
pub const VOUCHER_KINDS: usize = 2;

/// How value is counted on the purses of one event. Once a batch is encoded it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PurseSettings {
    /// The event's number inside every token.
    pub event: u32,
    /// Cents that one step of each chain is worth.
    pub unit_cents: [u16; 3],
    /// Steps of each chain.
    pub length: [u16; 3],
    /// Cents that one voucher of each kind sets aside; 0 for a kind that the event does not use.
    pub weight_cents: [u16; VOUCHER_KINDS],
}

/// Why the settings of an event's purses cannot be used. Nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SettingsFault {
    /// A chain credits nothing.
    #[error("chain {0:?} has no length or its unit is nothing")]
    EmptyChain(ChainId),
    /// Prices have no step.
    #[error("the price step is not above zero")]
    NoPriceStep,
    /// An amount of prices could not be given back through this chain.
    #[error("the unit of chain {0:?} does not divide the price step")]
    UnitOffStep(ChainId),
    /// What a desk adds would not fit the prices.
    #[error("the unit of the desk chain and the price step do not fit into each other")]
    DeskUnitOffStep,
    /// A voucher could not be issued, or leaves a rest that buys nothing.
    #[error("the weight of voucher {0} is not a whole number of price steps")]
    WeightOffStep(usize),
    /// More than a purse can count.
    #[error("the chains together can credit more than a purse can count")]
    TooMuch,
}

impl PurseSettings {
    /// The proposal for events that price in steps of 10 or 50 cents.
    pub const fn usual(event: u32) -> Self {
        Self {
            event,
            unit_cents: [50, 10, 10],
            length: [8_000, 20_000, 1_000],
            weight_cents: [0, 0],
        }
    }

    /// Whether every price and every amount given back can be counted with these settings; asked when an event is set up.
    pub fn check(&self, price_step_cents: u16) -> Result<(), SettingsFault> {
        let step = price_step_cents;
        if step == 0 {
            return Err(SettingsFault::NoPriceStep);
        }
        let mut capacity: u64 = 0;
        for ((chain, unit), length) in ChainId::ALL.iter().zip(self.unit_cents).zip(self.length) {
            if unit == 0 || length == 0 {
                return Err(SettingsFault::EmptyChain(*chain));
            }
            capacity += u64::from(unit) * u64::from(length);
            let fits = match chain {
                ChainId::Desk if !step.is_multiple_of(unit) && !unit.is_multiple_of(step) => {
                    return Err(SettingsFault::DeskUnitOffStep);
                }
                ChainId::Desk => true,
                ChainId::Server | ChainId::Return => step.is_multiple_of(unit),
            };
            if !fits {
                return Err(SettingsFault::UnitOffStep(*chain));
            }
        }
        // The debit side counts in 24 bits; credit beyond that could never be spent.
        if capacity > u64::from(COUNTER_MAX) {
            return Err(SettingsFault::TooMuch);
        }
        for (kind, weight) in self.weight_cents.iter().enumerate() {
            if !weight.is_multiple_of(step) {
                return Err(SettingsFault::WeightOffStep(kind));
            }
        }
        Ok(())
    }

    /// Steps of one chain.
    pub fn length_of(&self, chain: ChainId) -> u16 {
        let [desk, server, ret] = self.length;
        match chain {
            ChainId::Desk => desk,
            ChainId::Server => server,
            ChainId::Return => ret,
        }
    }

    /// Cents of one step of one chain.
    pub fn unit_of(&self, chain: ChainId) -> u16 {
        let [desk, server, ret] = self.unit_cents;
        match chain {
            ChainId::Desk => desk,
            ChainId::Server => server,
            ChainId::Return => ret,
        }
    }

    /// The anchor of one chain of one chip; needs the chain's key, so only who encodes a batch calls it.
    pub fn anchor<K: BlockEncrypt>(&self, key: &K, uid: Uid, chain: ChainId) -> Result<Token, K::Refusal> {
        let top = top(key, self.event, uid, chain)?;
        let anchor = Chain::new(self.event, uid, chain).down(self.length_of(chain), top, 0);
        Ok(anchor.unwrap_or_else(|| unreachable!("down to 0 is never up")))
    }
}

/// What the list says of one chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListEntry(pub [u8; 12]);

impl ListEntry {
    /// Bytes of one entry.
    pub const BYTES: usize = 12;

    /// The entry of a chip with this header and these anchors.
    pub fn of(event: u32, header: &Header, uid: Uid, anchors: &[Token; 3]) -> Self {
        let [desk, server, ret] = anchors;
        let parts = [
            &b"FP2a"[..],
            &event.to_le_bytes(),
            &header.bytes(),
            &uid.0,
            &desk.0,
            &server.0,
            &ret.0,
        ];
        let digest = digest::digest(&digest::SHA256, &parts.concat());
        let mut entry = [0; Self::BYTES];
        for (to, from) in entry.iter_mut().zip(digest.as_ref()) {
            *to = *from;
        }
        Self(entry)
    }
}

/// The list of one batch: static, made when the batch is encoded, signed by the event's key, shipped with the batch's keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchList {
    /// How value is counted.
    pub settings: PurseSettings,
    /// The number of the batch.
    pub batch: u16,
    /// Twelve bytes for each chip, by its index.
    pub entries: Bytes,
}

impl BatchList {
    /// What stands for the chip with this index.
    pub fn entry(&self, index: u16) -> Option<ListEntry> {
        let (entries, _) = self.entries.0.as_chunks::<{ ListEntry::BYTES }>();
        entries.get(usize::from(index)).copied().map(ListEntry)
    }

    /// What the event's key signs.
    pub fn message(&self) -> Vec<u8> {
        let mut message = b"FP2L".to_vec();
        message.extend_from_slice(&self.settings.event.to_le_bytes());
        let numbers = [self.batch]
            .into_iter()
            .chain(self.settings.unit_cents)
            .chain(self.settings.length)
            .chain(self.settings.weight_cents);
        numbers.for_each(|number| message.extend_from_slice(&number.to_le_bytes()));
        message.extend_from_slice(digest::digest(&digest::SHA256, &self.entries.0).as_ref());
        message
    }

    /// Whether the event's key signed this list.
    pub fn verify(&self, key: &PublicKey, signature: &Signature) -> Result<(), BadSignature> {
        if !self.entries.0.len().is_multiple_of(ListEntry::BYTES) {
            return Err(BadSignature);
        }
        verify(key, &self.message(), signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_and_weights_follow_the_price_step() {
        let usual = PurseSettings {
            weight_cents: [400, 150],
            ..PurseSettings::usual(1)
        };
        assert_eq!(usual.check(10), Ok(()));
        assert_eq!(usual.check(50), Ok(()));
        assert_eq!(usual.check(0), Err(SettingsFault::NoPriceStep));
        assert_eq!(usual.check(5), Err(SettingsFault::UnitOffStep(ChainId::Server)));
        assert_eq!(usual.check(20), Err(SettingsFault::DeskUnitOffStep));
        let weights = PurseSettings {
            weight_cents: [400, 155],
            ..usual
        };
        assert_eq!(weights.check(10), Err(SettingsFault::WeightOffStep(1)));
        let empty = PurseSettings {
            length: [8_000, 0, 1_000],
            ..usual
        };
        assert_eq!(empty.check(10), Err(SettingsFault::EmptyChain(ChainId::Server)));
        let much = PurseSettings {
            unit_cents: [1_000, 10, 10],
            length: [60_000, 1, 1],
            ..usual
        };
        assert_eq!(much.check(10), Err(SettingsFault::TooMuch));
    }
}
