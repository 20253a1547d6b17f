//! The device's key: an Ed25519 seed in a file that only its owner may read. A phone keeps a P-256 key in its Keystore instead.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ring::rand::{SecureRandom, SystemRandom};
use shared_protocol::crypto::{Ed25519Signer, SignError};

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the key file cannot be used: {0}")]
    File(#[from] std::io::Error),
    /// Others may read it.
    #[error("the key file may be read by others; run `chmod 600` on it and think about who could have copied it")]
    Open,
    /// It is not a key.
    #[error("the key file does not hold a key; register this device again")]
    NotAKey,
    /// The operating system gave no randomness.
    #[error("the operating system gives no random bytes")]
    Randomness,
    /// The key cannot sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Random bytes from the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| KeyError::Randomness)?;
    Ok(bytes)
}

/// Loads a device's key; makes one for a new device.
pub fn device_key(path: &Path) -> Result<Ed25519Signer, KeyError> {
    let seed: [u8; 32] = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => {
            let seed = random()?;
            file.write_all(&seed)?;
            file.sync_all()?;
            seed
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let mut file = OpenOptions::new().read(true).open(path)?;
            if file.metadata()?.permissions().mode() & 0o077 != 0 {
                return Err(KeyError::Open);
            }
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            bytes.try_into().map_err(|_| KeyError::NotAKey)?
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Ed25519Signer::from_seed(&seed)?)
}

#[cfg(test)]
mod tests {
    use shared_protocol::crypto::Signer as _;

    use super::*;

    #[test]
    fn a_device_keeps_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("device.key");
        let key = device_key(&path).unwrap().public_key();
        assert_eq!(device_key(&path).unwrap().public_key(), key);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(device_key(&path), Err(KeyError::Open)));
    }
}
