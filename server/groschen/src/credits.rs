//! The server's key of the chain that only it may credit.

use std::path::{Path, PathBuf};

use chips::KeyRole;
use core_ffi::purse_keys::{KeyFile, KeyFileFault, Role, SealedKeys, Secret};
use core_ffi::tags::derive::master;
use engine::CreditMaker;
use shared_protocol::TagId;
use shared_protocol::purse::chain::token_at;
use shared_protocol::purse::{ChainId, Token, Uid};

/// Makes credits with the keys of a sealed file.
pub struct SealedCredits(SealedKeys);

/// Opens the server's key files.
pub fn open(files: &[PathBuf], key_file: &Path) -> Result<SealedKeys, KeyFileFault> {
    let secret = Secret::from_key_file(key_file)?;
    let mut keys = SealedKeys::default();
    for file in files {
        keys.add(&KeyFile::open_as(file, &secret, &[Role::Server])?);
    }
    Ok(keys)
}

impl SealedCredits {
    /// With these keys.
    pub const fn new(keys: SealedKeys) -> Self {
        Self(keys)
    }
}

impl CreditMaker for SealedCredits {
    fn token(&self, batch: u16, tag: TagId, count: u16) -> Option<Token> {
        let settings = self.0.facts(batch)?.settings;
        let key = master(&self.0, batch, KeyRole::Chain(ChainId::Server));
        let length = settings.length_of(ChainId::Server);
        token_at(&key, settings.event, Uid::of(tag)?, ChainId::Server, length, count).ok()?
    }
}
