//! Secrets of a server: files that may be sealed or, while that is allowed, plain and readable by their owner only.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::{Fault, Kind, Secret, is_sealed, open, read};

/// Files with a secret of a server: a password, a PIN, a seed.
pub const SECRETS: Kind = Kind {
    magic: b"GROSSEAL",
    domain: b"groschen secret 1",
};

/// Opens secrets.
#[derive(Debug, Default)]
pub struct Opener {
    /// What opens sealed ones; none where there is no key file.
    pub key: Option<Secret>,
    /// Whether plain ones are refused.
    pub refuses_plain: bool,
}

/// A secret that was read.
#[derive(Debug)]
pub struct Opened {
    /// What it is.
    pub content: Zeroizing<Vec<u8>>,
    /// Whether it was sealed.
    pub was_sealed: bool,
}

impl Opener {
    /// Reads a secret. A file that others may read is refused, sealed or not: whoever has a copy can try.
    pub fn read(&self, path: &Path) -> Result<Opened, Fault> {
        let facts = std::fs::metadata(path).map_err(|why| Fault::File {
            path: path.to_owned(),
            why,
        })?;
        if facts.permissions().mode() & 0o077 != 0 {
            return Err(Fault::Open(path.to_owned()));
        }
        let bytes = Zeroizing::new(read(path)?);
        if !is_sealed(SECRETS, &bytes) {
            return if self.refuses_plain {
                Err(Fault::Plain(path.to_owned()))
            } else {
                Ok(Opened {
                    content: bytes,
                    was_sealed: false,
                })
            };
        }
        let Some(key) = &self.key else {
            return Err(Fault::NoKey(path.to_owned()));
        };
        let (_, content) = open(SECRETS, &bytes, key, path)?;
        Ok(Opened {
            content,
            was_sealed: true,
        })
    }
}
