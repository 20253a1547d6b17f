//! A batch of simulated wristbands with its keys and its list, for tests, simulations and a desk that tries things out.

use std::collections::BTreeMap;

use shared_protocol::TagId;
use shared_protocol::ids::Bytes;
use shared_protocol::purse::chain::token_at;
use shared_protocol::purse::cipher::chip_key;
use shared_protocol::purse::{
    AesKey, BatchList, Block, ChainId, Header, Image, ListEntry, PendingCredit, Purpose, PurseSettings, Token, Uid,
};

use super::UltralightAesChip;
use crate::keys::{KeyRole, MemoryKeys};
use crate::purse::encode::{Encoding, FINISHED_PAGES};

/// The masters of a simulated batch: made from its number, so worth nothing.
#[derive(Debug, Clone)]
pub struct SimulatedBatch {
    /// How value is counted.
    pub settings: PurseSettings,
    /// The number of the batch.
    pub batch: u16,
    masters: [Block; 5],
}

const KEYSET: u8 = 1;
/// The number of the sample festival on its wristbands.
const SAMPLE_EVENT: u32 = 2_027;

impl SimulatedBatch {
    /// A batch of the sample festival.
    pub fn of_sample(batch: u16) -> Self {
        Self::new(PurseSettings::usual(SAMPLE_EVENT), batch)
    }

    /// A batch of an event.
    pub fn new(settings: PurseSettings, batch: u16) -> Self {
        let [low, high] = batch.to_le_bytes();
        let master = |number: u8| {
            let mut key = [number; 16];
            key[..2].copy_from_slice(&[low, high]);
            key
        };
        Self {
            settings,
            batch,
            masters: [7, 9, 1, 2, 3].map(master),
        }
    }

    /// The id of the chip with this index.
    pub fn uid(&self, index: u16) -> Uid {
        let ([b0, b1], [i0, i1]) = (self.batch.to_le_bytes(), index.to_le_bytes());
        Uid([0x04, 0xA5, b0, b1, i0, i1, 0x80])
    }

    /// The index of the chip with this id; none for one of another batch.
    pub fn index(&self, tag: TagId) -> Option<u16> {
        let [_, _, _, _, i0, i1, _] = Uid::of(tag)?.0;
        let index = u16::from_le_bytes([i0, i1]);
        (self.uid(index).tag() == tag).then_some(index)
    }

    /// A master: made from the number of the batch, so no secret.
    pub fn master(&self, role: KeyRole) -> Block {
        let [auth, mac, desk, server, ret] = self.masters;
        match role {
            KeyRole::Auth => auth,
            KeyRole::Mac => mac,
            KeyRole::Chain(ChainId::Desk) => desk,
            KeyRole::Chain(ChainId::Server) => server,
            KeyRole::Chain(ChainId::Return) => ret,
        }
    }

    /// What a device with these roles holds.
    pub fn keys(&self, roles: &[KeyRole]) -> MemoryKeys {
        let mut keys = MemoryKeys::default();
        self.add_keys(roles, &mut keys);
        keys
    }

    /// Puts the keys of these roles to those of other batches.
    pub fn add_keys(&self, roles: &[KeyRole], keys: &mut MemoryKeys) {
        for role in roles {
            keys.insert(self.batch, *role, &self.master(*role));
        }
    }

    /// The keys of a till that only sells.
    pub fn sale_keys(&self) -> MemoryKeys {
        self.keys(&[KeyRole::Auth, KeyRole::Mac])
    }

    /// The keys of a desk that sells, adds money and takes deposits back.
    pub fn desk_keys(&self) -> MemoryKeys {
        self.keys(&[
            KeyRole::Auth,
            KeyRole::Mac,
            KeyRole::Chain(ChainId::Desk),
            KeyRole::Chain(ChainId::Return),
        ])
    }

    /// The key of a chip.
    pub fn chip_key(&self, index: u16, purpose: Purpose) -> Block {
        let role = match purpose {
            Purpose::Auth => KeyRole::Auth,
            Purpose::Purse => KeyRole::Mac,
        };
        let Ok(key) = chip_key(&AesKey::new(&self.master(role)), self.uid(index), purpose, KEYSET);
        key
    }

    /// The token for so many units of a chain; beyond its end that of the end.
    pub fn token(&self, index: u16, chain: ChainId, units: u16) -> Token {
        let key = AesKey::new(&self.master(KeyRole::Chain(chain)));
        let length = self.settings.length_of(chain);
        let place = units.min(length);
        let Ok(token) = token_at(&key, self.settings.event, self.uid(index), chain, length, place);
        token.unwrap_or(Token([0; 12]))
    }

    /// A credit that waits at the server.
    pub fn pending(&self, index: u16, units: u16) -> PendingCredit {
        PendingCredit {
            units,
            token: self.token(index, ChainId::Server, units),
        }
    }

    /// The anchors of a chip.
    pub fn anchors(&self, index: u16) -> [Token; 3] {
        [ChainId::Desk, ChainId::Server, ChainId::Return].map(|chain| self.token(index, chain, 0))
    }

    /// The header of a chip.
    pub fn header(&self, index: u16) -> Header {
        Header {
            keyset: KEYSET,
            batch: self.batch,
            index,
            class: 0,
        }
    }

    /// The list of the first so many chips.
    pub fn list(&self, chips: u16) -> BatchList {
        let entries = (0..chips).flat_map(|index| {
            ListEntry::of(
                self.settings.event,
                &self.header(index),
                self.uid(index),
                &self.anchors(index),
            )
            .0
        });
        BatchList {
            settings: self.settings,
            batch: self.batch,
            entries: Bytes(entries.collect()),
        }
    }

    /// The list as a device keeps it.
    pub fn lists(&self, chips: u16) -> BTreeMap<u16, BatchList> {
        BTreeMap::from([(self.batch, self.list(chips))])
    }

    /// What is written on a chip when it is encoded.
    pub fn encoding(&self, index: u16) -> Encoding {
        let record_key = AesKey::new(&self.chip_key(index, Purpose::Purse));
        Encoding {
            image: Image::fresh(
                &self.header(index),
                [0; 8],
                &self.anchors(index),
                &record_key,
                self.uid(index),
            ),
            auth_key: self.chip_key(index, Purpose::Auth),
            uid_key: [0x55; 16],
        }
    }

    /// A chip as it comes from the encoder. That the encoder's frames lead to the same pages is a test of its own.
    pub fn chip(&self, index: u16) -> UltralightAesChip {
        let mut chip = UltralightAesChip::factory(self.uid(index));
        let encoding = self.encoding(index);
        for (page, bytes) in (4..).zip(encoding.image.pages) {
            chip.set_page(page, bytes);
        }
        for (first, key) in [(0x30_u8, encoding.auth_key), (0x34, encoding.uid_key)] {
            let mut backwards = key;
            backwards.reverse();
            for (page, bytes) in (first..).zip(backwards.as_chunks::<4>().0) {
                chip.set_page(page, *bytes);
            }
        }
        let [b0, b1, ..] = chip.page(2);
        for (page, bytes) in FINISHED_PAGES {
            chip.set_page(page, if page == 2 { [b0, b1, bytes[2], bytes[3]] } else { bytes });
        }
        super::VirtualChip::power_off(&mut chip);
        chip
    }
}
