//! How keys lie in a file, and how one comes in and out of it.
//!
//! ```text
//!  0 "GROSKEYS" | 8 version 1 | 9 how: 1 passphrase, 2 key file | 10 whose | 11 lanes
//! 12 memory KiB u32 | 16 passes u32 | 20 salt 16 | 36 nonce 12 | 48 sealed content, with its tag of 16 bytes      numbers big-endian
//! key     : passphrase: argon2id over the salt, 32 bytes;  key file: HMAC-SHA256(its 32 bytes, "groschen purse keys 1" | salt)
//! content : ChaCha20-Poly1305 over CBOR; the 48 bytes before it are authenticated with it
//! ```

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use serde::{Deserialize, Serialize};
use shared_protocol::{decode, encode};
use zeroize::Zeroizing;

use super::{BatchKeys, KeyFile, Role};
use crate::keys::{KeyError, random};

const MAGIC: &[u8; 8] = b"GROSKEYS";
const VERSION: u8 = 1;
const HEADER_BYTES: usize = 48;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
const DOMAIN: &[u8] = b"groschen purse keys 1";
/// Whatever is larger is no key file: a batch takes some 200 bytes.
const FILE_BYTES_MAX: u64 = 4 * 1_024 * 1_024;

/// As passwords of the console are hashed (OWASP: argon2id, 19 MiB, two passes), but opened once a start: four times the memory, three passes.
const MEMORY_KIB: u32 = 4 * 19 * 1_024;
const PASSES: u32 = 3;
const LANES: u8 = 1;
/// A file that asks for more was made to stop whoever opens it.
const MEMORY_KIB_MAX: u32 = 1_024 * 1_024;
const PASSES_MAX: u32 = 16;

/// Short ones are tried out in hours once the file is copied.
const PASSPHRASE_CHARACTERS_MIN: usize = 12;

/// What opens a file.
pub enum Secret {
    /// Words that a person knows.
    Passphrase(Zeroizing<String>),
    /// The 32 bytes of a key file.
    KeyFile(Zeroizing<[u8; 32]>),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Passphrase(_) => "Secret(a passphrase)",
            Self::KeyFile(_) => "Secret(a key file)",
        })
    }
}

/// Why keys could not be opened or sealed. Nothing was written, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileFault {
    /// The system refuses.
    #[error("{path} cannot be used: {why}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        why: io::Error,
    },
    /// There is such a file already.
    #[error(
        "{0} is there already and was not touched; choose another name, or move the old file to a safe place first"
    )]
    Exists(PathBuf),
    /// Others may read the key file.
    #[error("{0} may be read by others; run `chmod 600` on it and think about who could have copied it")]
    Open(PathBuf),
    /// The key file has another length.
    #[error(
        "{0} is no key file: it must hold exactly 32 bytes; take the one that was made together with the sealed file"
    )]
    NotASecret(PathBuf),
    /// It is something else.
    #[error("{0} is no sealed key file of Groschen; check the path")]
    NotSealed(PathBuf),
    /// A later program made it.
    #[error("{path} has format {found}, this program knows {VERSION}; open it with the newer program")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u8,
    },
    /// It was sealed with the other kind of secret.
    #[error("{path} was sealed with {}; give that one", if *.passphrase { "a passphrase" } else { "a key file" })]
    OtherSecret {
        /// Which file.
        path: PathBuf,
        /// Whether it takes a passphrase.
        passphrase: bool,
    },
    /// The wrong secret, or a damaged file. Nobody can tell which.
    #[error(
        "{0} does not open: the passphrase or key file is another one, or the file is damaged; try again, else take its copy from the safe"
    )]
    Locked(PathBuf),
    /// It is for somebody else.
    #[error("this is a key file of role {}, needed is one of role {}; export it from the encoder's file", .found.name(), .wanted.name())]
    Role {
        /// What is needed.
        wanted: Role,
        /// What it is.
        found: Role,
    },
    /// The passphrase could be guessed.
    #[error("the passphrase is too short: at least {PASSPHRASE_CHARACTERS_MIN} characters, such as four words")]
    Short,
    /// There is not enough memory to derive the key.
    #[error("the key cannot be derived from the passphrase: {0}")]
    Derive(String),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] KeyError),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeyFileFault + '_ {
    |why| match why.kind() {
        io::ErrorKind::AlreadyExists => KeyFileFault::Exists(path.to_owned()),
        _ => KeyFileFault::File {
            path: path.to_owned(),
            why,
        },
    }
}

impl Secret {
    /// A passphrase for a new file.
    pub fn new_passphrase(words: &str) -> Result<Self, KeyFileFault> {
        if words.chars().count() < PASSPHRASE_CHARACTERS_MIN {
            return Err(KeyFileFault::Short);
        }
        Ok(Self::Passphrase(Zeroizing::new(words.to_owned())))
    }

    /// A passphrase for a file that is there.
    pub fn passphrase(words: &str) -> Self {
        Self::Passphrase(Zeroizing::new(words.to_owned()))
    }

    /// Reads a key file.
    pub fn from_key_file(path: &Path) -> Result<Self, KeyFileFault> {
        let mut file = File::open(path).map_err(at(path))?;
        let facts = file.metadata().map_err(at(path))?;
        if facts.permissions().mode() & 0o077 != 0 {
            return Err(KeyFileFault::Open(path.to_owned()));
        }
        let mut bytes = Zeroizing::new([0; 32]);
        if facts.len() != 32 {
            return Err(KeyFileFault::NotASecret(path.to_owned()));
        }
        file.read_exact(&mut bytes[..]).map_err(at(path))?;
        Ok(Self::KeyFile(bytes))
    }

    /// Reads a key file, and makes one where there is none. Gives whether it is new.
    pub fn from_key_file_or_new(path: &Path) -> Result<(Self, bool), KeyFileFault> {
        if path.try_exists().map_err(at(path))? {
            return Ok((Self::from_key_file(path)?, false));
        }
        let bytes = Zeroizing::new(random::<32>()?);
        put(path, &bytes[..])?;
        Ok((Self::KeyFile(bytes), true))
    }

    const fn how(&self) -> u8 {
        match self {
            Self::Passphrase(_) => 1,
            Self::KeyFile(_) => 2,
        }
    }

    fn key(&self, header: &Header) -> Result<LessSafeKey, KeyFileFault> {
        let derive = |why: argon2::Error| KeyFileFault::Derive(why.to_string());
        let mut key = Zeroizing::new([0; 32]);
        match self {
            Self::Passphrase(words) => {
                let lanes = u32::from(header.lanes);
                let params = Params::new(header.memory_kib, header.passes, lanes, Some(32)).map_err(derive)?;
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(words.as_bytes(), &header.salt, &mut key[..])
                    .map_err(derive)?;
            }
            Self::KeyFile(bytes) => {
                let tag = hmac::sign(
                    &hmac::Key::new(hmac::HMAC_SHA256, &bytes[..]),
                    &[DOMAIN, &header.salt].concat(),
                );
                key.copy_from_slice(tag.as_ref());
            }
        }
        let Ok(key) = UnboundKey::new(&CHACHA20_POLY1305, &key[..]) else {
            unreachable!("32 bytes are a key");
        };
        Ok(LessSafeKey::new(key))
    }
}

/// What stands before the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Header {
    how: u8,
    role: Role,
    lanes: u8,
    memory_kib: u32,
    passes: u32,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
}

impl Header {
    fn new(secret: &Secret, role: Role, salt: [u8; SALT_BYTES], nonce: [u8; NONCE_BYTES]) -> Self {
        let (lanes, memory_kib, passes) = match secret {
            Secret::Passphrase(_) => (LANES, MEMORY_KIB, PASSES),
            Secret::KeyFile(_) => (0, 0, 0),
        };
        Self {
            how: secret.how(),
            role,
            lanes,
            memory_kib,
            passes,
            salt,
            nonce,
        }
    }

    fn bytes(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let parts = [
            &MAGIC[..],
            &[VERSION, self.how, self.role.code(), self.lanes],
            &self.memory_kib.to_be_bytes(),
            &self.passes.to_be_bytes(),
            &self.salt,
            &self.nonce,
        ];
        for (to, from) in bytes.iter_mut().zip(parts.concat()) {
            *to = from;
        }
        bytes
    }

    fn read(bytes: &[u8], path: &Path) -> Result<Self, KeyFileFault> {
        let not_sealed = || KeyFileFault::NotSealed(path.to_owned());
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(not_sealed)?;
        let (fixed, rest) = rest.split_first_chunk::<12>().ok_or_else(not_sealed)?;
        let [version, how, role, lanes, m0, m1, m2, m3, p0, p1, p2, p3] = *fixed;
        if version != VERSION {
            return Err(KeyFileFault::Newer {
                path: path.to_owned(),
                found: version,
            });
        }
        let (salt, rest) = rest.split_first_chunk().ok_or_else(not_sealed)?;
        let (nonce, _) = rest.split_first_chunk().ok_or_else(not_sealed)?;
        let header = Self {
            how,
            role: Role::from_code(role).ok_or_else(not_sealed)?,
            lanes,
            memory_kib: u32::from_be_bytes([m0, m1, m2, m3]),
            passes: u32::from_be_bytes([p0, p1, p2, p3]),
            salt: *salt,
            nonce: *nonce,
        };
        let bearable = header.memory_kib <= MEMORY_KIB_MAX && header.passes <= PASSES_MAX && header.lanes <= 8;
        if !bearable || !matches!(how, 1 | 2) {
            return Err(not_sealed());
        }
        Ok(header)
    }
}

#[derive(Serialize, Deserialize)]
struct Content {
    batches: Vec<BatchKeys>,
}

impl KeyFile {
    /// Seals the keys into a new file, which is there whole or not at all. A file that is there is never overwritten.
    pub fn seal(&self, path: &Path, secret: &Secret) -> Result<(), KeyFileFault> {
        let header = Header::new(secret, self.role, random()?, random()?);
        put(path, &self.sealed(secret, &header)?)
    }

    /// The same, as bytes.
    #[cfg(feature = "uniffi")]
    pub(crate) fn to_bytes(&self, secret: &Secret) -> Result<Vec<u8>, KeyFileFault> {
        self.sealed(secret, &Header::new(secret, self.role, random()?, random()?))
    }

    fn sealed(&self, secret: &Secret, header: &Header) -> Result<Vec<u8>, KeyFileFault> {
        let content = Content {
            batches: self.batches.clone(),
        };
        let mut sealed = Zeroizing::new(encode(&content));
        let tag = secret.key(header)?.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(header.nonce),
            Aad::from(header.bytes()),
            &mut sealed,
        );
        let Ok(tag) = tag else {
            unreachable!("some kilobytes can be sealed")
        };
        Ok([&header.bytes()[..], &sealed, tag.as_ref()].concat())
    }

    /// Opens a sealed file.
    pub fn open(path: &Path, secret: &Secret) -> Result<Self, KeyFileFault> {
        let file = File::open(path).map_err(at(path))?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(at(path))?;
        Self::unsealed(&bytes, secret, path)
    }

    /// Opens what was read or scanned from a sealed file.
    #[cfg(feature = "uniffi")]
    pub(crate) fn from_bytes(bytes: &[u8], secret: &Secret) -> Result<Self, KeyFileFault> {
        Self::unsealed(bytes, secret, Path::new("the sealed keys"))
    }

    fn unsealed(bytes: &[u8], secret: &Secret, path: &Path) -> Result<Self, KeyFileFault> {
        let header = Header::read(bytes, path)?;
        if header.how != secret.how() {
            return Err(KeyFileFault::OtherSecret {
                path: path.to_owned(),
                passphrase: header.how == 1,
            });
        }
        let locked = || KeyFileFault::Locked(path.to_owned());
        let (_, sealed) = bytes.split_at_checked(HEADER_BYTES).ok_or_else(locked)?;
        let mut sealed = Zeroizing::new(sealed.to_vec());
        let nonce = Nonce::assume_unique_for_key(header.nonce);
        let aad = Aad::from(header.bytes());
        let content = secret.key(&header)?.open_in_place(nonce, aad, &mut sealed);
        let content: Content = content
            .ok()
            .and_then(|content| decode(content).ok())
            .ok_or_else(locked)?;
        Ok(Self {
            role: header.role,
            batches: content.batches,
        })
    }
}

/// A new file that only its owner may read, whole or not at all.
fn put(path: &Path, bytes: &[u8]) -> Result<(), KeyFileFault> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mark: [u8; 8] = random()?;
    let beside = folder.join(format!(".{}.new", shared_protocol::ids::hex(&mark)));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .map_err(at(&beside))?;
    let done = file
        .write_all(bytes)
        .and_then(|()| file.sync_all())
        // A link is made only where there is nothing; a renaming would overwrite.
        .and_then(|()| std::fs::hard_link(&beside, path))
        .and_then(|()| File::open(folder)?.sync_all());
    let removed = std::fs::remove_file(&beside);
    done.and(removed).map_err(at(path))
}

#[cfg(test)]
mod tests {
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
        file()
            .sealed(secret, &Header::new(secret, Role::Encoder, [3; 16], [4; 12]))
            .unwrap()
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
        assert!(matches!(fault(GOLDEN_PASSPHRASE, &other), KeyFileFault::Locked(_)));
        assert!(matches!(
            fault(GOLDEN_PASSPHRASE, &key()),
            KeyFileFault::OtherSecret { passphrase: true, .. }
        ));
        let other = Secret::KeyFile(Zeroizing::new([8; 32]));
        assert!(matches!(fault(GOLDEN_KEY_FILE, &other), KeyFileFault::Locked(_)));
        assert!(matches!(fault(b"something else", &key()), KeyFileFault::NotSealed(_)));
        let mut newer = GOLDEN_KEY_FILE.to_vec();
        newer[8] = 2;
        assert!(matches!(fault(&newer, &key()), KeyFileFault::Newer { found: 2, .. }));
        assert!(matches!(Secret::new_passphrase("kurz"), Err(KeyFileFault::Short)));
    }

    #[test]
    fn a_header_that_asks_for_endless_memory_is_refused_before_it_is_believed() {
        let mut greedy = GOLDEN_PASSPHRASE.to_vec();
        greedy[12..16].copy_from_slice(&u32::MAX.to_be_bytes());
        let fault = KeyFile::unsealed(&greedy, &words(), Path::new("x")).unwrap_err();
        assert!(matches!(fault, KeyFileFault::NotSealed(_)));
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
        assert!(matches!(file().seal(&path, &secret), Err(KeyFileFault::Exists(_))));
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
        assert!(matches!(Secret::from_key_file(&path), Err(KeyFileFault::Open(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, b"short").unwrap();
        assert!(matches!(Secret::from_key_file(&path), Err(KeyFileFault::NotASecret(_))));
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
