//! How keys lie in a file, and how one comes in and out of it: the content is CBOR in a sealed file (crate `sealed`) that says whose it is.

use std::path::Path;

use sealed::Kind;
pub use sealed::{Fault, Secret};
use serde::{Deserialize, Serialize};
use shared_protocol::{decode, encode};
use zeroize::Zeroizing;

use super::{BatchKeys, KeyFile, Role};

/// Files with keys of wristbands.
const KEYS: Kind = Kind {
    magic: b"GROSKEYS",
    domain: b"groschen purse keys 1",
};

/// Why keys could not be opened or sealed. Nothing was written, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileFault {
    /// The file is not there, not readable, or does not open.
    #[error(transparent)]
    Sealed(#[from] Fault),
    /// It is for somebody else.
    #[error("this is a key file of role {}, needed is one of role {}; export it from the encoder's file", .found.name(), .wanted.name())]
    Role {
        /// What is needed.
        wanted: Role,
        /// What it is.
        found: Role,
    },
}

#[derive(Serialize, Deserialize)]
struct Content {
    batches: Vec<BatchKeys>,
}

impl KeyFile {
    /// Seals the keys into a new file, which is there whole or not at all. A file that is there is never overwritten.
    pub fn seal(&self, path: &Path, secret: &Secret) -> Result<(), KeyFileFault> {
        let bytes = sealed::seal(KEYS, self.role.code(), secret, &self.content())?;
        Ok(sealed::put(path, &bytes)?)
    }

    /// The same, as bytes.
    #[cfg(feature = "uniffi")]
    pub(crate) fn to_bytes(&self, secret: &Secret) -> Result<Vec<u8>, KeyFileFault> {
        Ok(sealed::seal(KEYS, self.role.code(), secret, &self.content())?)
    }

    fn content(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(encode(&Content {
            batches: self.batches.clone(),
        }))
    }

    /// Opens a sealed file.
    pub fn open(path: &Path, secret: &Secret) -> Result<Self, KeyFileFault> {
        Self::unsealed(&sealed::read(path)?, secret, path)
    }

    /// Opens what was read or scanned from a sealed file.
    #[cfg(feature = "uniffi")]
    pub(crate) fn from_bytes(bytes: &[u8], secret: &Secret) -> Result<Self, KeyFileFault> {
        Self::unsealed(bytes, secret, Path::new("the sealed keys"))
    }

    fn unsealed(bytes: &[u8], secret: &Secret, path: &Path) -> Result<Self, KeyFileFault> {
        let (whose, content) = sealed::open(KEYS, bytes, secret, path)?;
        let role = Role::from_code(whose).ok_or_else(|| Fault::NotSealed(path.to_owned()))?;
        let content: Content = decode(&content).map_err(|_| Fault::Locked(path.to_owned()))?;
        Ok(Self {
            role,
            batches: content.batches,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use shared_protocol::purse::PurseSettings;

    use super::*;

    /// Sealed by this format's first program: both must open for ever.
    const GOLDEN_PASSPHRASE: &[u8] = include_bytes!("../../../fixtures/purse/keys-passphrase.sealed");
    const GOLDEN_KEY_FILE: &[u8] = include_bytes!("../../../fixtures/purse/keys-key-file.sealed");
    const WORDS: &str = "vier Wörter für Bänder";

    fn file() -> KeyFile {
        let mut batch = BatchKeys::known(5, PurseSettings::usual(77));
        batch.vouchers = vec![shared_protocol::AssetId(1)];
        KeyFile {
            role: Role::Encoder,
            batches: vec![batch],
        }
    }

    fn words() -> Secret {
        Secret::new_passphrase(WORDS).unwrap()
    }

    fn key() -> Secret {
        Secret::KeyFile(Zeroizing::new([9; 32]))
    }

    fn sealed(secret: &Secret) -> Vec<u8> {
        let whose = Role::Encoder.code();
        sealed::seal_with(KEYS, whose, secret, ([3; 16], [4; 12]), &file().content()).unwrap()
    }

    #[test]
    fn the_bytes_of_a_sealed_file_stay_what_they_were() {
        for (golden, secret) in [(GOLDEN_PASSPHRASE, words()), (GOLDEN_KEY_FILE, key())] {
            assert!(sealed(&secret) == golden, "{secret:?}");
            assert!(KeyFile::unsealed(golden, &secret, Path::new("x")).unwrap() == file());
        }
    }

    #[test]
    fn no_master_stands_in_a_sealed_file() {
        let bytes = sealed(&key());
        for master in file().batches.iter().flat_map(|batch| batch.masters.values()) {
            assert!(!bytes.windows(16).any(|window| window == &master.0[..]));
        }
    }

    #[test]
    fn a_file_that_was_changed_anywhere_does_not_open() {
        let bytes = sealed(&key());
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert!(
                KeyFile::unsealed(&changed, &key(), Path::new("x")).is_err(),
                "byte {place}"
            );
            assert!(
                KeyFile::unsealed(&bytes[..place], &key(), Path::new("x")).is_err(),
                "cut at {place}"
            );
        }
    }

    #[test]
    fn the_wrong_secret_says_so() {
        let path = Path::new("bands.keys");
        let fault = |bytes: &[u8], secret: &Secret| KeyFile::unsealed(bytes, secret, path).unwrap_err();
        let other = Secret::passphrase("vier andere Wörter");
        assert!(matches!(
            fault(GOLDEN_PASSPHRASE, &other),
            KeyFileFault::Sealed(Fault::Locked(_))
        ));
        assert!(matches!(
            fault(GOLDEN_PASSPHRASE, &key()),
            KeyFileFault::Sealed(Fault::OtherSecret { passphrase: true, .. })
        ));
        let other = Secret::KeyFile(Zeroizing::new([8; 32]));
        assert!(matches!(
            fault(GOLDEN_KEY_FILE, &other),
            KeyFileFault::Sealed(Fault::Locked(_))
        ));
        assert!(matches!(
            fault(b"something else", &key()),
            KeyFileFault::Sealed(Fault::NotSealed(_))
        ));
        let mut newer = GOLDEN_KEY_FILE.to_vec();
        newer[8] = 2;
        assert!(matches!(
            fault(&newer, &key()),
            KeyFileFault::Sealed(Fault::Newer { found: 2, .. })
        ));
        assert!(matches!(Secret::new_passphrase("kurz"), Err(Fault::Short)));
    }

    #[test]
    fn a_header_that_asks_for_endless_memory_is_refused_before_it_is_believed() {
        let mut greedy = GOLDEN_PASSPHRASE.to_vec();
        greedy[12..16].copy_from_slice(&u32::MAX.to_be_bytes());
        let fault = KeyFile::unsealed(&greedy, &words(), Path::new("x")).unwrap_err();
        assert!(matches!(fault, KeyFileFault::Sealed(Fault::NotSealed(_))));
    }

    #[test]
    fn a_file_is_private_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("batch-5.keys");
        let (secret, is_new) = Secret::from_key_file_or_new(&dir.path().join("bands.secret")).unwrap();
        let (again, is_new_again) = Secret::from_key_file_or_new(&dir.path().join("bands.secret")).unwrap();
        assert!(is_new && !is_new_again);
        file().seal(&path, &secret).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(
            file().seal(&path, &secret),
            Err(KeyFileFault::Sealed(Fault::Exists(_)))
        ));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        assert!(KeyFile::open(&path, &again).unwrap() == file());
        let names: Vec<_> = std::fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        Secret::from_key_file_or_new(&path).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Secret::from_key_file(&path), Err(Fault::Open(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, b"short").unwrap();
        assert!(matches!(Secret::from_key_file(&path), Err(Fault::NotASecret(_))));
    }

    #[test]
    fn a_file_for_another_role_is_refused_with_both_names() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("desk.keys");
        file().for_role(Role::Desk).unwrap().seal(&path, &key()).unwrap();
        let fault = KeyFile::open_as(&path, &key(), &[Role::Server]).unwrap_err();
        let said = fault.to_string();
        assert!(said.contains("role desk") && said.contains("role server"), "{said}");
    }
}
