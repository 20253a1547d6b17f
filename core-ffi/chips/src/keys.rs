//! Keys by name. A key store encrypts one block under a key it keeps; nothing here ever holds a master.
//!
//! Android Keystore, a sealed file and the memory of a test all give just that, and CMAC and the derivation of a chip's keys need no more.

use std::collections::{BTreeMap, BTreeSet};

use shared_protocol::purse::{AesKey, Block, BlockEncrypt, ChainId};

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyRole {
    /// From which the key that a chip checks is derived. All tills of the event have it.
    Auth,
    /// From which the key of a chip's record is derived. All tills of the event have it.
    Mac,
    /// Makes credits of one chain: desks have the first, the server alone the second, tills that take deposits back the third.
    Chain(ChainId),
}

/// A key of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyName {
    /// The batch of wristbands.
    pub batch: u16,
    /// What it is for.
    pub role: KeyRole,
}

/// Why a key store does not encrypt. Nothing was written to a wristband.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRefusal {
    /// This device was never given the key.
    #[error("this device has no {role:?} key of batch {batch}", role = .0.role, batch = .0.batch)]
    Missing(KeyName),
    /// The batch was withdrawn: its keys are known to strangers.
    #[error("batch {0} is withdrawn: exchange the wristband at the info desk")]
    Revoked(u16),
    /// The store itself refuses, such as a phone that is locked.
    #[error("the key store refuses: {0}")]
    Store(String),
}

/// Encrypts blocks under named keys.
pub trait KeyStore {
    /// AES-128 of one block.
    fn encrypt(&self, key: KeyName, block: Block) -> Result<Block, KeyRefusal>;
}

/// One key of a store.
pub(crate) struct NamedKey<'a> {
    pub(crate) store: &'a dyn KeyStore,
    pub(crate) name: KeyName,
}

impl BlockEncrypt for NamedKey<'_> {
    type Refusal = KeyRefusal;

    fn encrypt(&self, block: Block) -> Result<Block, KeyRefusal> {
        self.store.encrypt(self.name, block)
    }
}

/// Keys in memory, for tests, simulations and a desk that unsealed its file.
#[derive(Debug, Clone, Default)]
pub struct MemoryKeys {
    keys: BTreeMap<KeyName, AesKey>,
    revoked: BTreeSet<u16>,
}

impl MemoryKeys {
    /// Takes a key in.
    pub fn insert(&mut self, batch: u16, role: KeyRole, key: &Block) {
        self.keys.insert(KeyName { batch, role }, AesKey::new(key));
    }

    /// With this key.
    #[must_use]
    pub fn with(mut self, batch: u16, role: KeyRole, key: &Block) -> Self {
        self.insert(batch, role, key);
        self
    }

    /// Forgets all keys of a batch and says why from then on.
    pub fn revoke(&mut self, batch: u16) {
        self.keys.retain(|name, _| name.batch != batch);
        self.revoked.insert(batch);
    }
}

impl KeyStore for MemoryKeys {
    fn encrypt(&self, key: KeyName, block: Block) -> Result<Block, KeyRefusal> {
        if self.revoked.contains(&key.batch) {
            return Err(KeyRefusal::Revoked(key.batch));
        }
        let found = self.keys.get(&key).ok_or(KeyRefusal::Missing(key))?;
        Ok(found.encrypted(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_withdrawn_batch_says_so() {
        let name = KeyName {
            batch: 5,
            role: KeyRole::Auth,
        };
        let mut keys = MemoryKeys::default().with(5, KeyRole::Auth, &[7; 16]);
        assert!(keys.encrypt(name, [0; 16]).is_ok());
        let mac = KeyName {
            role: KeyRole::Mac,
            ..name
        };
        assert_eq!(keys.encrypt(mac, [0; 16]), Err(KeyRefusal::Missing(mac)));
        keys.revoke(5);
        assert_eq!(keys.encrypt(name, [0; 16]), Err(KeyRefusal::Revoked(5)));
    }
}
