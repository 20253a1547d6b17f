//! Files that only a passphrase or a key file opens: keys of wristbands, secrets of a server.
//!
//! ```text
//!  0 magic | 8 version 1 | 9 how: 1 passphrase, 2 key file | 10 whose | 11 lanes
//! 12 memory KiB u32 | 16 passes u32 | 20 salt 16 | 36 nonce 12 | 48 sealed content, with its tag of 16 bytes      numbers big-endian
//! key     : passphrase: argon2id over the salt, 32 bytes;  key file: HMAC-SHA256(its 32 bytes, domain | salt)
//! content : ChaCha20-Poly1305; the 48 bytes before it are authenticated with it
//! ```
//! What the content means, and whose a file is, is known to whoever uses this. What must never happen here: a secret that is printed or written to a disk in
//! clear, and a file that is overwritten unasked.

mod opener;

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
use zeroize::Zeroizing;

pub use opener::{Opened, Opener, SECRETS};

/// What tells one kind of sealed files from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The first bytes of a file.
    pub magic: &'static [u8; 8],
    /// What the key of a key file is derived for.
    pub domain: &'static [u8],
}

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 48;
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
/// Whatever is larger is no sealed file: keys and secrets take some hundred bytes.
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

/// Why something could not be opened or sealed. Nothing was written, unless it says so.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
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
    #[error("{0} is no sealed file of Groschen of this kind; check the path")]
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
    /// It is sealed, and nothing was given that opens it.
    #[error("{0} is sealed; say with --secret-key-file which key file opens it")]
    NoKey(PathBuf),
    /// It is not sealed, though it has to be.
    #[error("{0} is not sealed, and plain secrets are refused here; seal it with `groschen secret seal`")]
    Plain(PathBuf),
    /// The passphrase could be guessed.
    #[error("the passphrase is too short: at least {PASSPHRASE_CHARACTERS_MIN} characters, such as four words")]
    Short,
    /// There is not enough memory to derive the key.
    #[error("the key cannot be derived from the passphrase: {0}")]
    Derive(String),
    /// The operating system gave no randomness.
    #[error("the operating system gives no random bytes")]
    Randomness,
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> Fault + '_ {
    |why| match why.kind() {
        io::ErrorKind::AlreadyExists => Fault::Exists(path.to_owned()),
        _ => Fault::File {
            path: path.to_owned(),
            why,
        },
    }
}

impl Secret {
    /// A passphrase for a new file.
    pub fn new_passphrase(words: &str) -> Result<Self, Fault> {
        if words.chars().count() < PASSPHRASE_CHARACTERS_MIN {
            return Err(Fault::Short);
        }
        Ok(Self::Passphrase(Zeroizing::new(words.to_owned())))
    }

    /// A passphrase for a file that is there.
    pub fn passphrase(words: &str) -> Self {
        Self::Passphrase(Zeroizing::new(words.to_owned()))
    }

    /// Reads a key file.
    pub fn from_key_file(path: &Path) -> Result<Self, Fault> {
        let mut file = File::open(path).map_err(at(path))?;
        let facts = file.metadata().map_err(at(path))?;
        if facts.permissions().mode() & 0o077 != 0 {
            return Err(Fault::Open(path.to_owned()));
        }
        let mut bytes = Zeroizing::new([0; 32]);
        if facts.len() != 32 {
            return Err(Fault::NotASecret(path.to_owned()));
        }
        file.read_exact(&mut bytes[..]).map_err(at(path))?;
        Ok(Self::KeyFile(bytes))
    }

    /// Reads a key file, and makes one where there is none. Gives whether it is new.
    pub fn from_key_file_or_new(path: &Path) -> Result<(Self, bool), Fault> {
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

    fn key(&self, kind: Kind, header: &Header) -> Result<LessSafeKey, Fault> {
        let derive = |why: argon2::Error| Fault::Derive(why.to_string());
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
                    &[kind.domain, &header.salt].concat(),
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
    whose: u8,
    lanes: u8,
    memory_kib: u32,
    passes: u32,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
}

impl Header {
    fn new(secret: &Secret, whose: u8, salt: [u8; SALT_BYTES], nonce: [u8; NONCE_BYTES]) -> Self {
        let (lanes, memory_kib, passes) = match secret {
            Secret::Passphrase(_) => (LANES, MEMORY_KIB, PASSES),
            Secret::KeyFile(_) => (0, 0, 0),
        };
        Self {
            how: secret.how(),
            whose,
            lanes,
            memory_kib,
            passes,
            salt,
            nonce,
        }
    }

    fn bytes(&self, kind: Kind) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let parts = [
            &kind.magic[..],
            &[VERSION, self.how, self.whose, self.lanes],
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

    fn read(kind: Kind, bytes: &[u8], path: &Path) -> Result<Self, Fault> {
        let not_sealed = || Fault::NotSealed(path.to_owned());
        let rest = bytes.strip_prefix(kind.magic).ok_or_else(not_sealed)?;
        let (fixed, rest) = rest.split_first_chunk::<12>().ok_or_else(not_sealed)?;
        let [version, how, whose, lanes, m0, m1, m2, m3, p0, p1, p2, p3] = *fixed;
        if version != VERSION {
            return Err(Fault::Newer {
                path: path.to_owned(),
                found: version,
            });
        }
        let (salt, rest) = rest.split_first_chunk().ok_or_else(not_sealed)?;
        let (nonce, _) = rest.split_first_chunk().ok_or_else(not_sealed)?;
        let header = Self {
            how,
            whose,
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

/// Random bytes from the operating system.
fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| Fault::Randomness)?;
    Ok(bytes)
}

/// Whether bytes begin as a sealed file of this kind.
pub fn is_sealed(kind: Kind, bytes: &[u8]) -> bool {
    bytes.starts_with(kind.magic)
}

/// Seals a content. `whose` is a number that the user of this knows, and cannot be changed afterwards.
pub fn seal(kind: Kind, whose: u8, secret: &Secret, content: &[u8]) -> Result<Vec<u8>, Fault> {
    seal_with(kind, whose, secret, (random()?, random()?), content)
}

/// The same with salt and nonce of one's own, which must never be used twice with one secret: for files whose bytes a test knows.
pub fn seal_with(
    kind: Kind,
    whose: u8,
    secret: &Secret,
    (salt, nonce): ([u8; SALT_BYTES], [u8; NONCE_BYTES]),
    content: &[u8],
) -> Result<Vec<u8>, Fault> {
    let header = Header::new(secret, whose, salt, nonce);
    let mut sealed = Zeroizing::new(content.to_vec());
    let tag = secret.key(kind, &header)?.seal_in_place_separate_tag(
        Nonce::assume_unique_for_key(header.nonce),
        Aad::from(header.bytes(kind)),
        &mut sealed,
    );
    let Ok(tag) = tag else {
        unreachable!("some kilobytes can be sealed")
    };
    Ok([&header.bytes(kind)[..], &sealed, tag.as_ref()].concat())
}

/// Opens what was read from a sealed file; `path` is for messages. Gives whose it is and the content.
pub fn open(kind: Kind, bytes: &[u8], secret: &Secret, path: &Path) -> Result<(u8, Zeroizing<Vec<u8>>), Fault> {
    let header = Header::read(kind, bytes, path)?;
    if header.how != secret.how() {
        return Err(Fault::OtherSecret {
            path: path.to_owned(),
            passphrase: header.how == 1,
        });
    }
    let locked = || Fault::Locked(path.to_owned());
    let (_, sealed) = bytes.split_at_checked(HEADER_BYTES).ok_or_else(locked)?;
    let mut sealed = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(header.nonce);
    let aad = Aad::from(header.bytes(kind));
    let key = secret.key(kind, &header)?;
    let length = key.open_in_place(nonce, aad, &mut sealed).map_err(|_| locked())?.len();
    sealed.truncate(length);
    Ok((header.whose, sealed))
}

/// Reads a file that may be sealed.
pub fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    let file = File::open(path).map_err(at(path))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).map_err(at(path))?;
    Ok(bytes)
}

/// A new file that only its owner may read, whole or not at all.
pub fn put(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
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
mod tests;
