//! Secrets of a data folder: seeds in files that only their owner may read.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use shared_protocol::crypto::Ed25519Signer;
use sync::server::random;

/// Loads the key of a data folder; makes one for a new folder.
pub fn config_key(data: &Path) -> anyhow::Result<Ed25519Signer> {
    let seed = seed(
        &data.join("config.key"),
        "put the right file back, terminals trust no other key",
    )?;
    Ed25519Signer::from_seed(&seed).context("the config key cannot be used")
}

/// Loads a seed; makes one where there is none. `otherwise` says what a wrong file means.
pub fn seed(path: &Path, otherwise: &str) -> anyhow::Result<[u8; 32]> {
    Ok(
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
            Ok(mut file) => {
                let seed = random();
                file.write_all(&seed)
                    .and_then(|()| file.sync_all())
                    .with_context(|| format!("{} cannot be written", path.display()))?;
                seed
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let mut file = OpenOptions::new()
                    .read(true)
                    .open(path)
                    .with_context(|| format!("{} cannot be read", path.display()))?;
                if file.metadata()?.permissions().mode() & 0o077 != 0 {
                    bail!(
                        "{} may be read by others; run `chmod 600` on it, and think about who could have copied it",
                        path.display()
                    );
                }
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes)?;
                let Ok(seed) = bytes.try_into() else {
                    bail!("{} is not a key; {otherwise}", path.display());
                };
                seed
            }
            Err(error) => return Err(error).with_context(|| format!("{} cannot be made", path.display())),
        },
    )
}

#[cfg(test)]
mod tests {
    use shared_protocol::crypto::Signer as _;

    use super::*;

    #[test]
    fn a_folder_keeps_its_key_and_an_open_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let first = config_key(dir.path()).unwrap().public_key();
        assert_eq!(config_key(dir.path()).unwrap().public_key(), first);
        let path = dir.path().join("config.key");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(config_key(dir.path()).err().unwrap().to_string().contains("chmod 600"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, b"short").unwrap();
        assert!(config_key(dir.path()).err().unwrap().to_string().contains("not a key"));
    }
}
