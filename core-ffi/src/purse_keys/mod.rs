//! The masters of batches of wristbands, each given to whom it is for, and the key store that uses them.
//!
//! | who | auth, mac | desk chain | server chain | return chain |
//! |---|---|---|---|---|
//! | encoder | x | x | x | x |
//! | sale till | x | | | |
//! | return till | x | | | x |
//! | desk | x | x | | |
//! | desk with returns | x | x | | x |
//! | server | mac | | x | |
//!
//! Files are sealed ([`sealed_file`]). A new batch has new keys: that is how they are changed. A batch whose keys are known to strangers is withdrawn,
//! and [`SealedKeys`] refuses it from then on.
//!
//! What must never happen here: a key that is printed, logged or written to a disk in clear; a file that is overwritten.

pub mod sealed_file;

use std::collections::BTreeMap;
use std::path::Path;

use chips::{KeyName, KeyRefusal, KeyRole, KeyStore, MemoryKeys};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use shared_protocol::AssetId;
use shared_protocol::ids::Bytes;
use shared_protocol::purse::{Block, ChainId, PurseSettings};
use zeroize::Zeroizing;

use crate::keys::{KeyError, random};
pub use sealed_file::{Fault, KeyFileFault, Secret};

shared_protocol::closed_enum! {
    /// Whose file it is.
    pub enum Role {
        /// Whoever makes wristbands: all keys. It stays in a safe.
        Encoder = 1,
        /// A till that only sells.
        SaleTill = 2,
        /// A till that also takes deposits back and cancels.
        ReturnTill = 3,
        /// A desk that adds money.
        Desk = 4,
        /// A desk that adds money, takes deposits back and cancels.
        DeskWithReturns = 5,
        /// The server.
        Server = 6,
    }
}

impl Role {
    /// The keys that it has.
    pub const fn keys(self) -> &'static [KeyRole] {
        const DESK: KeyRole = KeyRole::Chain(ChainId::Desk);
        const SERVER: KeyRole = KeyRole::Chain(ChainId::Server);
        const RETURN: KeyRole = KeyRole::Chain(ChainId::Return);
        match self {
            Self::Encoder => &[KeyRole::Auth, KeyRole::Mac, DESK, SERVER, RETURN],
            Self::SaleTill => &[KeyRole::Auth, KeyRole::Mac],
            Self::ReturnTill => &[KeyRole::Auth, KeyRole::Mac, RETURN],
            Self::Desk => &[KeyRole::Auth, KeyRole::Mac, DESK],
            Self::DeskWithReturns => &[KeyRole::Auth, KeyRole::Mac, DESK, RETURN],
            Self::Server => &[KeyRole::Mac, SERVER],
        }
    }

    /// Its name on the command line and in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Encoder => "encoder",
            Self::SaleTill => "sale-till",
            Self::ReturnTill => "return-till",
            Self::Desk => "desk",
            Self::DeskWithReturns => "desk-with-returns",
            Self::Server => "server",
        }
    }
}

/// One master. It has no way to be shown.
#[derive(Clone, PartialEq, Eq)]
struct Master(Zeroizing<Block>);

impl Serialize for Master {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0[..])
    }
}

impl<'de> Deserialize<'de> for Master {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Zeroizing::new(Bytes::deserialize(deserializer)?.0);
        let mut block = Zeroizing::new([0; 16]);
        if bytes.len() != block.len() {
            return Err(serde::de::Error::custom("a master has 16 bytes"));
        }
        block.copy_from_slice(&bytes);
        Ok(Self(block))
    }
}

/// The number of a key in a file.
pub(crate) const fn code(role: KeyRole) -> u8 {
    match role {
        KeyRole::Auth => 1,
        KeyRole::Mac => 2,
        KeyRole::Chain(ChainId::Desk) => 3,
        KeyRole::Chain(ChainId::Server) => 4,
        KeyRole::Chain(ChainId::Return) => 5,
    }
}

/// The key of a number.
#[cfg(feature = "uniffi")]
pub(crate) fn role_of(number: u8) -> Option<KeyRole> {
    Role::Encoder.keys().iter().copied().find(|role| code(*role) == number)
}

/// The keys of one batch, as many of them as this file's owner may have, with what the batch is.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchKeys {
    /// The number of the batch.
    pub batch: u16,
    /// Which set of keys: part of every derivation and of the header of each wristband.
    pub keyset: u8,
    /// How its purses count.
    pub settings: PurseSettings,
    /// What its two kinds of vouchers are.
    pub vouchers: Vec<AssetId>,
    masters: BTreeMap<u8, Master>,
}

impl std::fmt::Debug for BatchKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BatchKeys({}, kept)", self.batch)
    }
}

/// The set of keys that a new batch begins with.
const FIRST_KEYSET: u8 = 1;

impl BatchKeys {
    /// A new batch with keys that nobody ever had.
    pub fn generate(batch: u16, settings: PurseSettings, vouchers: Vec<AssetId>) -> Result<Self, KeyError> {
        let mut masters = BTreeMap::new();
        for role in Role::Encoder.keys() {
            masters.insert(code(*role), Master(Zeroizing::new(random()?)));
        }
        Ok(Self {
            batch,
            keyset: FIRST_KEYSET,
            settings,
            vouchers,
            masters,
        })
    }

    /// The keys of a simulated batch, which are no secret.
    #[cfg(feature = "uniffi")]
    pub(crate) fn simulated(batch: &chips::simulated::SimulatedBatch) -> Self {
        let masters = Role::Encoder.keys().iter();
        Self {
            batch: batch.batch,
            keyset: FIRST_KEYSET,
            settings: batch.settings,
            vouchers: Vec::new(),
            masters: masters
                .map(|role| (code(*role), Master(Zeroizing::new(batch.master(*role)))))
                .collect(),
        }
    }

    /// A batch with keys that are no secret, for tests.
    #[cfg(test)]
    pub(crate) fn known(batch: u16, settings: PurseSettings) -> Self {
        let masters = Role::Encoder.keys().iter().map(|role| {
            let mut key = [code(*role); 16];
            key[..2].copy_from_slice(&batch.to_le_bytes());
            (code(*role), Master(Zeroizing::new(key)))
        });
        Self {
            batch,
            keyset: FIRST_KEYSET,
            settings,
            vouchers: Vec::new(),
            masters: masters.collect(),
        }
    }

    fn only(&self, roles: &[KeyRole]) -> Self {
        let mut kept = self.clone();
        kept.masters
            .retain(|have, _| roles.iter().any(|role| code(*role) == *have));
        kept
    }
}

/// What one file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Whose it is.
    pub role: Role,
    /// Its batches.
    pub batches: Vec<BatchKeys>,
}

impl KeyFile {
    /// The keys for somebody else: only whoever has all of them can give some of them.
    pub fn for_role(&self, role: Role) -> Result<Self, KeyFileFault> {
        if self.role != Role::Encoder {
            return Err(KeyFileFault::Role {
                wanted: Role::Encoder,
                found: self.role,
            });
        }
        Ok(Self {
            role,
            batches: self.batches.iter().map(|batch| batch.only(role.keys())).collect(),
        })
    }

    /// All masters, to be put where they do not leave again.
    #[cfg(feature = "uniffi")]
    pub(crate) fn masters(&self) -> impl Iterator<Item = (u16, KeyRole, &Block)> {
        self.batches.iter().flat_map(|batch| {
            let masters = batch.masters.iter();
            masters.filter_map(|(number, master)| Some((batch.batch, role_of(*number)?, &*master.0)))
        })
    }

    /// Opens a file and says whose it must be: one that knows more than its user should is refused, too.
    pub fn open_as(path: &Path, secret: &Secret, wanted: &[Role]) -> Result<Self, KeyFileFault> {
        let file = Self::open(path, secret)?;
        match wanted {
            [first, ..] if !wanted.contains(&file.role) => Err(KeyFileFault::Role {
                wanted: *first,
                found: file.role,
            }),
            _ => Ok(file),
        }
    }
}

/// Unsealed keys: encrypts with them and never shows them.
#[derive(Debug, Clone, Default)]
pub struct SealedKeys {
    keys: MemoryKeys,
    batches: BTreeMap<u16, BatchFacts>,
}

/// What is known of a batch beside its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchFacts {
    /// Which set of keys.
    pub keyset: u8,
    /// How its purses count.
    pub settings: PurseSettings,
    /// What its two kinds of vouchers are.
    pub vouchers: Vec<AssetId>,
}

impl SealedKeys {
    /// Takes the keys of a file in. A batch that was there already gets the keys that it lacked.
    pub fn add(&mut self, file: &KeyFile) {
        for batch in &file.batches {
            for role in Role::Encoder.keys() {
                if let Some(master) = batch.masters.get(&code(*role)) {
                    self.keys.insert(batch.batch, *role, &master.0);
                }
            }
            let facts = BatchFacts {
                keyset: batch.keyset,
                settings: batch.settings,
                vouchers: batch.vouchers.clone(),
            };
            self.batches.insert(batch.batch, facts);
        }
    }

    /// What is known of a batch.
    pub fn facts(&self, batch: u16) -> Option<&BatchFacts> {
        self.batches.get(&batch)
    }

    /// The batches.
    pub fn batches(&self) -> impl Iterator<Item = (u16, &BatchFacts)> {
        self.batches.iter().map(|(batch, facts)| (*batch, facts))
    }

    /// Forgets the keys of a batch that is withdrawn, and says why from then on.
    pub fn revoke(&mut self, batch: u16) {
        self.keys.revoke(batch);
    }
}

impl From<&KeyFile> for SealedKeys {
    fn from(file: &KeyFile) -> Self {
        let mut keys = Self::default();
        keys.add(file);
        keys
    }
}

impl KeyStore for SealedKeys {
    fn encrypt(&self, key: KeyName, block: Block) -> Result<Block, KeyRefusal> {
        self.keys.encrypt(key, block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> KeyFile {
        KeyFile {
            role: Role::Encoder,
            batches: vec![
                BatchKeys::known(5, PurseSettings::usual(77)),
                BatchKeys::known(6, PurseSettings::usual(77)),
            ],
        }
    }

    fn has(keys: &SealedKeys, batch: u16, role: KeyRole) -> bool {
        keys.encrypt(KeyName { batch, role }, [0; 16]).is_ok()
    }

    #[test]
    fn everybody_gets_the_keys_of_the_role_and_no_other() {
        for role in Role::ALL {
            let keys = SealedKeys::from(&all().for_role(*role).unwrap());
            for batch in [5, 6] {
                for key in Role::Encoder.keys() {
                    assert_eq!(has(&keys, batch, *key), role.keys().contains(key), "{role:?} {key:?}");
                }
            }
        }
        let server = all().for_role(Role::Server).unwrap();
        assert!(matches!(
            server.for_role(Role::SaleTill),
            Err(KeyFileFault::Role {
                wanted: Role::Encoder,
                found: Role::Server
            })
        ));
    }

    #[test]
    fn a_sale_till_can_credit_nothing_and_the_server_can_open_no_wristband() {
        let credits = |role: &Role| role.keys().iter().any(|key| matches!(key, KeyRole::Chain(_)));
        assert!(!credits(&Role::SaleTill));
        assert!(!Role::Server.keys().contains(&KeyRole::Auth));
        let with_server_chain: Vec<_> = Role::ALL
            .iter()
            .filter(|role| role.keys().contains(&KeyRole::Chain(ChainId::Server)))
            .collect();
        assert_eq!(with_server_chain, [&Role::Encoder, &Role::Server]);
    }

    #[test]
    fn a_withdrawn_batch_is_refused_and_its_neighbour_is_not() {
        let mut keys = SealedKeys::from(&all());
        keys.revoke(5);
        let name = KeyName {
            batch: 5,
            role: KeyRole::Auth,
        };
        assert_eq!(keys.encrypt(name, [0; 16]), Err(KeyRefusal::Revoked(5)));
        assert!(has(&keys, 6, KeyRole::Auth));
    }

    #[test]
    fn new_keys_are_new_and_are_never_shown() {
        let make = || BatchKeys::generate(5, PurseSettings::usual(1), Vec::new()).unwrap();
        let (one, other) = (make(), make());
        assert!(one != other);
        let distinct: std::collections::BTreeSet<_> = one.masters.values().map(|master| *master.0).collect();
        assert_eq!(distinct.len(), 5);
        let file = KeyFile {
            role: Role::Encoder,
            batches: vec![one],
        };
        assert_eq!(
            format!("{file:?}"),
            "KeyFile { role: Encoder, batches: [BatchKeys(5, kept)] }"
        );
        assert!(format!("{:?}", SealedKeys::from(&file)).contains("AesKey(kept)"));
    }
}
