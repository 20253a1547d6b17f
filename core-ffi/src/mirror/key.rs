//! What desks and their keeper both know, so that not everybody on the Wi-Fi can fill the keeper's disk: 32 random bytes in a file.

use std::fs::OpenOptions;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use ring::hmac;
use shared_protocol::ids::{hex, parse_hex};
use shared_protocol::mirror::upload_message;

use crate::keys::{KeyError, random};

/// The key that desks and their keeper share.
#[derive(Clone)]
pub struct KeeperKey(hmac::Key);

impl std::fmt::Debug for KeeperKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeeperKey")
    }
}

/// Why there is no such key.
#[derive(Debug, thiserror::Error)]
pub enum KeeperKeyError {
    /// The file cannot be used.
    #[error("the keeper's key file cannot be used: {0}")]
    File(#[from] std::io::Error),
    /// Others may read it.
    #[error("the keeper's key file may be read by others; run `chmod 600` on it")]
    Open,
    /// It holds something else.
    #[error("the keeper's key file does not hold 64 hexadecimal digits; copy it whole from the keeper")]
    NotAKey,
    /// No randomness.
    #[error(transparent)]
    Random(#[from] KeyError),
}

impl KeeperKey {
    /// From its bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, bytes))
    }

    /// Reads a key from its file.
    pub fn load(path: &Path) -> Result<Self, KeeperKeyError> {
        let mut file = OpenOptions::new().read(true).open(path)?;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            return Err(KeeperKeyError::Open);
        }
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let bytes = parse_hex(text.trim()).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        Ok(Self::new(&bytes.ok_or(KeeperKeyError::NotAKey)?))
    }

    /// Reads a key from its file, and makes one where there is none. Gives whether it is new.
    pub fn load_or_make(path: &Path) -> Result<(Self, bool), KeeperKeyError> {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let bytes = random::<32>()?;
                writeln!(file, "{}", hex(&bytes))?;
                file.sync_all()?;
                Ok((Self::new(&bytes), true))
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok((Self::load(path)?, false)),
            Err(error) => Err(error.into()),
        }
    }

    /// The proof of a request.
    pub fn proof(&self, method: &str, path: &str, body: &[u8]) -> String {
        hex(hmac::sign(&self.0, &upload_message(method, path, body)).as_ref())
    }

    /// Whether a proof is right.
    pub fn is_proved(&self, proof: &str, method: &str, path: &str, body: &[u8]) -> bool {
        let message = upload_message(method, path, body);
        parse_hex(proof).is_some_and(|proof| hmac::verify(&self.0, &message, &proof).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_kept_to_its_owner_and_proves_what_it_was_made_for() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keeper.key");
        let (made, is_new) = KeeperKey::load_or_make(&path).unwrap();
        let (again, is_new_again) = KeeperKey::load_or_make(&path).unwrap();
        assert!(is_new && !is_new_again);
        let proof = made.proof("POST", "/journal/1/1", b"x");
        assert!(again.is_proved(&proof, "POST", "/journal/1/1", b"x"));
        assert!(!again.is_proved(&proof, "POST", "/journal/1/2", b"x"));
        assert!(!again.is_proved("zz", "POST", "/journal/1/1", b"x"));
        assert!(!KeeperKey::new(&[0; 32]).is_proved(&proof, "POST", "/journal/1/1", b"x"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(KeeperKey::load(&path), Err(KeeperKeyError::Open)));
        let other = dir.path().join("other.key");
        std::fs::write(&other, "abc").unwrap();
        std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(KeeperKey::load(&other), Err(KeeperKeyError::NotAKey)));
    }
}
