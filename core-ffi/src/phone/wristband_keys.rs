//! Keys of wristbands on a phone: they come in a sealed file, go into the Keystore, and what stays here is only which there are.
//!
//! What must never happen here: a master in a file, or in memory longer than the moment between the sealed file and the Keystore.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use chips::{KeyName, KeyRefusal, KeyRole, KeyStore};
use serde::{Deserialize, Serialize};
use shared_protocol::purse::{Block, ChainId};
use shared_protocol::{decode, encode};

use super::errors::PlatformError;
use super::traits::Keystore;
use crate::purse_keys::{Fault, KeyFile, KeyFileFault, Role, Secret, role_of};

/// Which keys there are.
const INDEX_FILE: &str = "wristband-keys";

/// Why keys were not taken in. The ones from before still are.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum KeysError {
    /// The passphrase does not open it, or the file is damaged.
    #[error("the passphrase does not open this file")]
    Locked,
    /// It is for somebody who may do more than a till, or is no file of keys.
    #[error("this file is not for a till")]
    NotForATill,
    /// The Keystore does not take them.
    #[error("the Keystore does not take them: {reason}")]
    Keystore {
        /// In its own words.
        reason: String,
    },
    /// The disk does not take the list of them.
    #[error("the disk does not take them: {reason}")]
    Disk {
        /// In its own words.
        reason: String,
    },
}

/// A key as the list on the disk has it: batch and the number of its role.
#[derive(Serialize, Deserialize)]
struct Index {
    keys: Vec<(u16, u8)>,
}

/// The name of a wristband key in the Keystore.
fn alias(key: KeyName) -> String {
    let role = match key.role {
        KeyRole::Auth => "auth",
        KeyRole::Mac => "mac",
        KeyRole::Chain(ChainId::Desk) => "desk",
        KeyRole::Chain(ChainId::Server) => "server",
        KeyRole::Chain(ChainId::Return) => "return",
    };
    format!("band.{}.{role}", key.batch)
}

/// The keys of wristbands that this phone has, all of them in its Keystore.
pub(super) struct WristbandKeys {
    index: PathBuf,
    keystore: Arc<dyn Keystore>,
    known: RwLock<BTreeSet<(u16, KeyRole)>>,
}

impl WristbandKeys {
    /// What was taken in before.
    pub fn load(folder: &Path, keystore: Arc<dyn Keystore>) -> Self {
        let index = folder.join(INDEX_FILE);
        let kept: Option<Index> = std::fs::read(&index).ok().and_then(|bytes| decode(&bytes).ok());
        let keys = kept.into_iter().flat_map(|index| index.keys);
        Self {
            index,
            keystore,
            known: RwLock::new(keys.filter_map(|(batch, code)| Some((batch, role_of(code)?))).collect()),
        }
    }

    fn known(&self) -> RwLockReadGuard<'_, BTreeSet<(u16, KeyRole)>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many batches there are keys for.
    pub fn batches(&self) -> i32 {
        let batches: BTreeSet<u16> = self.known().iter().map(|(batch, _)| *batch).collect();
        i32::try_from(batches.len()).unwrap_or(i32::MAX)
    }

    /// Takes a sealed file in.
    pub fn take(&self, file: &[u8], passphrase: &str) -> Result<i32, KeysError> {
        let wanted = [Role::SaleTill, Role::ReturnTill, Role::Desk, Role::DeskWithReturns];
        let opened = KeyFile::from_bytes(file, &Secret::passphrase(passphrase)).map_err(|fault| match fault {
            KeyFileFault::Sealed(Fault::Locked(_)) => KeysError::Locked,
            _ => KeysError::NotForATill,
        })?;
        if !wanted.contains(&opened.role) {
            return Err(KeysError::NotForATill);
        }
        let mut taken = self.known().clone();
        let mut batches = BTreeSet::new();
        for (batch, role, master) in opened.masters() {
            let name = alias(KeyName { batch, role });
            self.keystore
                .import_aes(name, master.to_vec())
                .map_err(|error| KeysError::Keystore {
                    reason: error.to_string(),
                })?;
            taken.insert((batch, role));
            batches.insert(batch);
        }
        let index = Index {
            keys: taken
                .iter()
                .map(|(batch, role)| (*batch, crate::purse_keys::code(*role)))
                .collect(),
        };
        std::fs::write(&self.index, encode(&index)).map_err(|error| KeysError::Disk {
            reason: error.to_string(),
        })?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = taken;
        Ok(i32::try_from(batches.len()).unwrap_or(i32::MAX))
    }

    /// Gives all of them up: the device is no terminal any more. One that the Keystore does not let go stays in it, and is of no use to this app.
    pub fn forget(&self) {
        let known = std::mem::take(&mut *self.known.write().unwrap_or_else(PoisonError::into_inner));
        for (batch, role) in known {
            if let Err(error) = self.keystore.forget(alias(KeyName { batch, role })) {
                tracing::error!(%error, batch, "the Keystore does not forget a wristband key");
            }
        }
        if let Err(error) = std::fs::remove_file(&self.index)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::error!(%error, "the list of wristband keys cannot be removed");
        }
    }
}

impl KeyStore for WristbandKeys {
    fn encrypt(&self, key: KeyName, block: Block) -> Result<Block, KeyRefusal> {
        // One that was never given is missing without asking, and no lock is held while Kotlin is asked.
        if !self.known().contains(&(key.batch, key.role)) {
            return Err(KeyRefusal::Missing(key));
        }
        let refused = |error: PlatformError| KeyRefusal::Store(error.to_string());
        let bytes = self.keystore.aes(alias(key), block.to_vec()).map_err(refused)?;
        Block::try_from(bytes).map_err(|bytes| KeyRefusal::Store(format!("{} bytes are no block", bytes.len())))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::phone::band::simulated_keys;

    /// Keeps names and says nothing else.
    #[derive(Default)]
    struct Names(Mutex<BTreeMap<String, Vec<u8>>>);

    impl Names {
        fn all(&self) -> Vec<String> {
            self.0.lock().unwrap().keys().cloned().collect()
        }
    }

    impl Keystore for Names {
        fn public_key(&self) -> Result<Vec<u8>, PlatformError> {
            Err(PlatformError::NoKey)
        }
        fn sign(&self, _message: Vec<u8>) -> Result<Vec<u8>, PlatformError> {
            Err(PlatformError::NoKey)
        }
        fn import_aes(&self, name: String, key: Vec<u8>) -> Result<bool, PlatformError> {
            self.0.lock().unwrap().insert(name, key);
            Ok(true)
        }
        fn aes(&self, name: String, block: Vec<u8>) -> Result<Vec<u8>, PlatformError> {
            let kept = self.0.lock().unwrap().contains_key(&name);
            if kept { Ok(block) } else { Err(PlatformError::NoKey) }
        }
        fn forget(&self, name: String) -> Result<(), PlatformError> {
            self.0.lock().unwrap().remove(&name);
            Ok(())
        }
    }

    #[test]
    fn keys_that_are_given_up_are_in_no_keystore_and_on_no_list() {
        let folder = tempfile::tempdir().unwrap();
        let keystore = Arc::new(Names::default());
        let load = || WristbandKeys::load(folder.path(), Arc::clone(&keystore) as Arc<dyn Keystore>);
        let keys = load();
        let file = simulated_keys(7, "long enough for a file".to_owned()).unwrap();
        assert_eq!(keys.take(&file, "long enough for a file").unwrap(), 1);
        let auth = KeyName {
            batch: 7,
            role: KeyRole::Auth,
        };
        assert!(keys.encrypt(auth, [1; 16]).is_ok());
        assert_eq!(load().batches(), 1, "they are there after a restart");

        keys.forget();
        assert_eq!(keystore.all(), Vec::<String>::new());
        assert!(matches!(keys.encrypt(auth, [1; 16]), Err(KeyRefusal::Missing(_))));
        assert_eq!(load().batches(), 0);
        keys.forget();
    }
}
