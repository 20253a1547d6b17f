//! Secrets of a data folder: seeds in files that only their owner may read.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use sealed::{Opener, SECRETS};
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

/// Loads a seed that may be sealed; makes one where there is none, sealed where there is a key for that.
pub fn sealed_seed(path: &Path, otherwise: &str, opener: &Opener) -> anyhow::Result<[u8; 32]> {
    if !path.exists() {
        let Some(key) = &opener.key else {
            ensure!(
                !opener.refuses_plain,
                "{} would have to be made unsealed, and plain secrets are refused here; name a key file with --secret-key-file",
                path.display()
            );
            return seed(path, otherwise);
        };
        let seed: [u8; 32] = random();
        sealed::put(path, &sealed::seal(SECRETS, 0, key, &seed)?)?;
        return Ok(seed);
    }
    let found = opener.read(path)?;
    if !found.was_sealed && opener.key.is_some() {
        tracing::warn!(file = %path.display(), "a secret lies there unsealed; `groschen secret seal` seals it");
    }
    let Ok(seed) = found.content.as_slice().try_into() else {
        bail!("{} is not a key; {otherwise}", path.display());
    };
    Ok(seed)
}

#[cfg(test)]
mod tests {
    use shared_protocol::crypto::Signer as _;

    use super::*;

    #[test]
    fn a_seed_is_made_sealed_where_there_is_a_key_and_opens_with_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tse.key");
        let opener = |byte, refuses_plain| Opener {
            key: Some(sealed::Secret::KeyFile([byte; 32].into())),
            refuses_plain,
        };
        let first = sealed_seed(&path, "", &opener(9, true)).unwrap();
        assert_eq!(sealed_seed(&path, "", &opener(9, true)).unwrap(), first);
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(32).any(|window| window == first));
        let fault = |opener: &Opener| sealed_seed(&path, "", opener).unwrap_err().to_string();
        assert!(fault(&opener(8, false)).contains("does not open"));
        assert!(fault(&Opener::default()).contains("--secret-key-file"));
        std::fs::remove_file(&path).unwrap();
        let nothing = Opener {
            key: None,
            refuses_plain: true,
        };
        assert!(fault(&nothing).contains("refused") && !path.exists());
        let plain = sealed_seed(&path, "", &Opener::default()).unwrap();
        assert_eq!(sealed_seed(&path, "", &opener(9, false)).unwrap(), plain);
        assert!(fault(&opener(9, true)).contains("groschen secret seal"));
    }

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
